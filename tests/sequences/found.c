/* tests/sequences/found.c: what fuzzers found, as short as it can be shown. */
#include "sequence.h"

#include <linux/futex.h>
#include <signal.h>

static void make_file(void)
{
    mock_host_file("/file", 0644, "12345", 5);
}

static int opens_for_nothing(void *arg)
{
    int fd = (int)must(mock_call(__NR_open, mock_string("/file"), O_ACCMODE, 0));

    expect_equal(mock_call(__NR_read, fd, mock_room(8), 8), -EBADF);
    expect_equal(mock_call(__NR_write, fd, mock_room(8), 8), -EBADF);
    must(mock_call(__NR_close, fd));
    return 0;
}

static void a_host_file_is_opened_for_neither_reading_nor_writing(void **state)
{
    sequence_with(opens_for_nothing, (struct mock_options){.setup = make_file});
}

/* --- words that change whenever the kernel looks ------------------------------------------------------ */

static uint32_t looks; /* atomic */

static void change_word(void *arg, enum mock_reply reply, void *value, size_t size)
{
    if (reply != MOCK_REPLY_user_read_data || size != 4)
        return;
    *(uint32_t *)value = 0;
    __atomic_add_fetch(&looks, 1, __ATOMIC_SEQ_CST);
}

static int lock_word(void *arg)
{
    uint32_t other = 1;

    mock_call(__NR_futex, mock_put(&other, 4), FUTEX_LOCK_PI, 0, 0);
    return 0;
}

static int kills_who_looks(void *arg)
{
    long pid;

    looks = 0;
    mock_reply_hook(change_word, NULL);
    pid = must(mock_fork(lock_word, NULL));
    /* With a limit, since fuzzers run this without its hook. */
    for (int i = 0; i < 20000 && __atomic_load_n(&looks, __ATOMIC_SEQ_CST) < 1000; i++)
        must(mock_call(__NR_sched_yield));
    must(mock_call(__NR_kill, pid, SIGKILL));
    expect_equal(mock_wait(pid), SIGKILL);
    mock_reply_hook(NULL, NULL);
    return 0;
}

static void a_changing_word_does_not_keep_a_thread_from_its_signals(void **state)
{
    sequence(kills_who_looks);
}

/* --- processor times that are nearly for ever ----------------------------------------------------------- */

#define CHILDREN 8

static uint32_t times; /* atomic */

/* Now nothing, now the longest that is believed: some thread will have used all of it. */
static void change_time(void *arg, enum mock_reply reply, void *value, size_t size)
{
    if (reply == MOCK_REPLY_thread_cputime_result)
        *(int64_t *)value = __atomic_fetch_add(&times, 1, __ATOMIC_SEQ_CST) % 2 ? INT64_MAX / 2 : 0;
}

static int read_uptime(void *arg)
{
    int fd = (int)must(mock_call(__NR_open, mock_string("/proc/uptime"), O_RDONLY, 0));

    must(mock_call(__NR_read, fd, mock_room(64), 64));
    must(mock_call(__NR_getrusage, 0, mock_room(144)));
    must(mock_call(__NR_close, fd));
    return 0;
}

static int has_old_children(void *arg)
{
    mock_reply_hook(change_time, NULL);
    for (int i = 0; i < CHILDREN; i++)
        expect_equal(mock_wait(must(mock_fork(read_uptime, NULL))), 0);
    must(mock_call(__NR_getrusage, -1, mock_room(144)));
    read_uptime(NULL);
    mock_reply_hook(NULL, NULL);
    return 0;
}

static void times_of_many_processes_do_not_overflow(void **state)
{
    sequence(has_old_children);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_file_is_opened_for_neither_reading_nor_writing),
        cmocka_unit_test(a_changing_word_does_not_keep_a_thread_from_its_signals),
        cmocka_unit_test(times_of_many_processes_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
