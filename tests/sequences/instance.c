/* tests/sequences/instance.c: the mock itself: instances one after the other, lies, failures, ends. */
#include "sequence.h"

static struct mock_result run(mock_script *script)
{
    struct mock_options options = {.main = script, .input = "in\n"};
    struct mock_result result;

    sequence_run(&options, &result);
    return result;
}

/* --- ends ---------------------------------------------------------------------------------------------- */

static int say_hello(void *arg)
{
    expect_equal(mock_call(__NR_getpid), 2);
    expect_equal(mock_call(__NR_write, 1, mock_string("hello\n"), 6), 6);
    return 3;
}

static void many_instances_run_in_one_process(void **state)
{
    for (int i = 0; i < 20; i++) {
        struct mock_result result = run(say_hello);

        assert_int_equal(result.end, MOCK_EXITED);
        assert_int_equal(result.status, 3 << 8);
        assert_string_equal(mock_output(), "hello\n");
        assert_string_equal(mock_log(), "");
    }
}

static int echo(void *arg)
{
    mock_user buffer = mock_room(64);

    expect_equal(mock_call(__NR_read, 0, buffer, 64), 3);
    expect_equal(mock_call(__NR_read, 0, buffer + 3, 61), 0);
    expect_equal(mock_call(__NR_write, 1, buffer, 3), 3);
    return 0;
}

static void the_console_is_the_tests(void **state)
{
    assert_int_equal(run(echo).status, 0);
    assert_string_equal(mock_output(), "in\n");
}

static int wait_for_nothing(void *arg)
{
    mock_call(__NR_pause);
    return 0;
}

static void an_instance_that_nothing_can_wake_hangs(void **state)
{
    assert_int_equal(run(wait_for_nothing).end, MOCK_HUNG);
}

/* --- lies and failures --------------------------------------------------------------------------------- */

static uint64_t lies;

static void lie_about_size(void *arg, enum mock_reply reply, void *value, size_t size)
{
    if (reply != MOCK_REPLY_file_stat_size)
        return;
    assert_int_equal(size, sizeof(uint64_t));
    *(uint64_t *)value = UINT64_MAX;
    __atomic_add_fetch(&lies, 1, __ATOMIC_SEQ_CST);
}

static int look_at_file(void *arg)
{
    mock_user st = mock_room(sizeof(struct stat));

    mock_reply_hook(lie_about_size, NULL);
    expect_equal(mock_call(__NR_stat, mock_string("/file"), st), -EIO);
    mock_reply_hook(NULL, NULL);
    expect_equal(mock_call(__NR_stat, mock_string("/file"), st), 0);
    expect_equal(mock_get(struct stat, st).st_size, 5);
    return 0;
}

static void make_file(void)
{
    mock_host_file("/file", 0644, "12345", 5);
}

static void a_reply_can_be_a_lie(void **state)
{
    struct mock_options options = {.main = look_at_file, .setup = make_file};
    struct mock_result result;

    lies = 0;
    sequence_run(&options, &result);
    assert_int_equal(result.status, 0);
    assert_int_equal(lies, 1);
}

static int run_out_of_memory(void *arg)
{
    uint64_t requests;

    mock_fail_nth(0);
    expect_equal(mock_call(__NR_eventfd2, 0, 0), 3);
    requests = mock_requests();
    expect(requests > 0);
    mock_call(__NR_close, 3);
    for (uint64_t i = 1; i <= requests; i++) {
        mock_fail_nth(i);
        expect_equal(mock_call(__NR_eventfd2, 0, 0), -ENOMEM);
    }
    mock_fail_hook(NULL, NULL);
    return 0;
}

static void every_request_for_memory_can_fail(void **state)
{
    assert_int_equal(run(run_out_of_memory).status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_instances_run_in_one_process),
        cmocka_unit_test(the_console_is_the_tests),
        cmocka_unit_test(an_instance_that_nothing_can_wake_hangs),
        cmocka_unit_test(a_reply_can_be_a_lie),
        cmocka_unit_test(every_request_for_memory_can_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
