/* close_range.c: close_range(2): closes, or marks for closing, many descriptors at once. */
#include "../lib/check.h"

#include <sched.h>

#include <linux/close_range.h>

/* Opens so many descriptors with neighbouring numbers, from 200 on. */
enum { FIRST = 200, COUNT = 10, LAST = FIRST + COUNT - 1 };

static long do_close_range(unsigned first, unsigned last, unsigned flags)
{
    return syscall(SYS_close_range, first, last, flags);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1;
}

static void open_row(void)
{
    need_call(do_close_range(FIRST, LAST, 0));
    int fd = must(open("/", O_RDONLY));
    for (int i = FIRST; i <= LAST; i++)
        must(dup2(fd, i));
    must(close(fd));
}

/* covers: close_range */
static void closes_the_range_and_no_more(void **state)
{
    (void)state;
    open_row();
    must(do_close_range(FIRST + 2, LAST - 2, 0));
    for (int i = FIRST; i <= LAST; i++)
        assert_int_equal(is_open(i), i < FIRST + 2 || i > LAST - 2);
    must(do_close_range(FIRST, LAST, 0));
}

/* covers: close_range */
static void one_descriptor_is_a_range(void **state)
{
    (void)state;
    open_row();
    must(do_close_range(FIRST, FIRST, 0));
    assert_false(is_open(FIRST));
    assert_true(is_open(FIRST + 1));
    must(do_close_range(FIRST, LAST, 0));
}

/* covers: close_range */
static void last_may_be_the_greatest_number(void **state)
{
    (void)state;
    open_row();
    in_child(must(do_close_range(FIRST, ~0u, 0)); assert_false(is_open(FIRST));
             assert_false(is_open(LAST)));
    assert_true(is_open(FIRST));
    must(do_close_range(FIRST, LAST, 0));
}

/* covers: close_range */
static void empty_range_succeeds(void **state)
{
    (void)state;
    open_row();
    must(do_close_range(FIRST, LAST, 0));
    must(do_close_range(FIRST, LAST, 0));
    must(do_close_range(100000, 200000, 0));
}

/* covers: close_range EINVAL */
static void last_before_first_is_refused(void **state)
{
    (void)state;
    open_row();
    assert_errno(do_close_range(LAST, FIRST, 0), EINVAL);
    assert_true(is_open(FIRST));
    must(do_close_range(FIRST, LAST, 0));
}

/* covers: close_range EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    open_row();
    assert_errno(do_close_range(FIRST, LAST, 1), EINVAL);
    assert_errno(do_close_range(FIRST, LAST, 0x80), EINVAL);
    assert_true(is_open(FIRST));
    must(do_close_range(FIRST, LAST, 0));
}

/* covers: close_range CLOSE_RANGE_CLOEXEC */
static void cloexec_marks_instead_of_closing(void **state)
{
    (void)state;
    open_row();
    if (do_close_range(FIRST + 1, LAST, CLOSE_RANGE_CLOEXEC) == -1 && errno == EINVAL)
        skip_because("the running kernel has no CLOSE_RANGE_CLOEXEC");
    assert_returns(fcntl(FIRST, F_GETFD), 0);
    for (int i = FIRST + 1; i <= LAST; i++)
        assert_returns(fcntl(i, F_GETFD), FD_CLOEXEC);
    must(do_close_range(FIRST, LAST, 0));
}

/* Shares its descriptor table with the parent, then closes a row in a table of its own. */
static int unsharer(void *arg)
{
    (void)arg;
    if (do_close_range(FIRST, LAST, CLOSE_RANGE_UNSHARE) != 0)
        return 1;
    return is_open(FIRST) || is_open(LAST) ? 2 : 0;
}

/* covers: close_range CLOSE_RANGE_UNSHARE */
static void unshare_leaves_the_other_users_of_the_table_alone(void **state)
{
    (void)state;
    static char stack[65536];

    open_row();
    pid_t pid = must(clone(unsharer, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL));
    assert_child_ok(pid);
    for (int i = FIRST; i <= LAST; i++)
        assert_true(is_open(i));
    must(do_close_range(FIRST, LAST, 0));
}

/* The same without the flag: both lose the descriptors. */
static int sharer(void *arg)
{
    (void)arg;
    return do_close_range(FIRST, LAST, 0) != 0;
}

/* covers: close_range */
static void shared_table_loses_the_range_for_all(void **state)
{
    (void)state;
    static char stack[65536];

    open_row();
    pid_t pid = must(clone(sharer, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL));
    assert_child_ok(pid);
    for (int i = FIRST; i <= LAST; i++)
        assert_false(is_open(i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closes_the_range_and_no_more),
        cmocka_unit_test(one_descriptor_is_a_range),
        cmocka_unit_test(last_may_be_the_greatest_number),
        cmocka_unit_test(empty_range_succeeds),
        cmocka_unit_test(last_before_first_is_refused),
        cmocka_unit_test(unknown_flag_is_refused),
        cmocka_unit_test(cloexec_marks_instead_of_closing),
        cmocka_unit_test(unshare_leaves_the_other_users_of_the_table_alone),
        cmocka_unit_test(shared_table_loses_the_range_for_all),
    };

    return cmocka_run_group_tests_name("fs/close_range", tests, NULL, NULL);
}
