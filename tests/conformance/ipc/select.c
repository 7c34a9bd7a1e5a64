/* select.c: select(2) and pselect6(2). */
#include "../lib/check.h"

#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

static long do_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
    return syscall(SYS_select, n, r, w, e, timeout);
}

static long do_pselect6(int n, fd_set *r, struct timespec *timeout, const sigset_t *mask)
{
    struct {
        const sigset_t *mask;
        size_t size;
    } arg = {mask, 8};

    return syscall(SYS_pselect6, n, r, NULL, NULL, timeout, &arg);
}

static void open_pipe(int fds[2])
{
    must(pipe2(fds, O_NONBLOCK));
}

static void close_pipe(int fds[2])
{
    must(close(fds[0]));
    must(close(fds[1]));
}

static fd_set set_of(int fd)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(fd, &set);
    return set;
}

/* covers: select */
static void ready_descriptors_stay_in_their_sets(void **state)
{
    (void)state;
    struct timeval now = {0};
    int fds[2];

    open_pipe(fds);
    fd_set r = set_of(fds[0]), w = set_of(fds[1]);
    int n = (fds[0] > fds[1] ? fds[0] : fds[1]) + 1;
    assert_returns(do_select(n, &r, &w, NULL, &now), 1);
    assert_false(FD_ISSET(fds[0], &r));
    assert_true(FD_ISSET(fds[1], &w));
    assert_returns(write(fds[1], "x", 1), 1);
    r = set_of(fds[0]);
    w = set_of(fds[1]);
    assert_returns(do_select(n, &r, &w, NULL, NULL), 2);
    assert_true(FD_ISSET(fds[0], &r));
    close_pipe(fds);
}

/* covers: select */
static void one_descriptor_in_two_sets_counts_twice(void **state)
{
    (void)state;
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    assert_returns(write(fds[1], "x", 1), 1);
    fd_set r = set_of(fds[0]), w = set_of(fds[0]);
    assert_returns(do_select(fds[0] + 1, &r, &w, NULL, NULL), 2);
    close_pipe(fds);
}

/* covers: select */
static void end_of_file_counts_as_readable(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds);
    must(close(fds[1]));
    fd_set r = set_of(fds[0]);
    assert_returns(do_select(fds[0] + 1, &r, NULL, NULL, NULL), 1);
    assert_true(FD_ISSET(fds[0], &r));
    must(close(fds[0]));
}

/* covers: select */
static void pipe_without_readers_counts_as_writable(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds);
    must(close(fds[0]));
    fd_set w = set_of(fds[1]);
    assert_returns(do_select(fds[1] + 1, NULL, &w, NULL, NULL), 1);
    must(close(fds[1]));
}

/* covers: select */
static void descriptors_from_n_on_are_not_looked_at(void **state)
{
    (void)state;
    struct timeval now = {0};
    int fds[2];

    open_pipe(fds);
    assert_returns(write(fds[1], "x", 1), 1);
    fd_set r = set_of(fds[0]);
    assert_returns(do_select(fds[0], &r, NULL, NULL, &now), 0);
    close_pipe(fds);
}

/* covers: select pselect6 */
static void timeout_is_not_cut_short_and_counted_down(void **state)
{
    (void)state;
    struct timeval tv = {.tv_usec = 20000};
    struct timespec ts = {.tv_nsec = 20000000};
    int64_t start = now_ns();

    assert_returns(do_select(0, NULL, NULL, NULL, &tv), 0);
    assert_true(now_ns() - start >= 20000000);
    assert_int_equal(tv.tv_sec, 0);
    assert_int_equal(tv.tv_usec, 0);
    start = now_ns();
    assert_returns(do_pselect6(0, NULL, &ts, NULL), 0);
    assert_true(now_ns() - start >= 20000000);
}

/* covers: select */
static void remaining_time_is_written_back(void **state)
{
    (void)state;
    struct timeval tv = {.tv_sec = 100};
    int fds[2];

    open_pipe(fds);
    assert_returns(write(fds[1], "x", 1), 1);
    fd_set r = set_of(fds[0]);
    assert_returns(do_select(fds[0] + 1, &r, NULL, NULL, &tv), 1);
    assert_true(tv.tv_sec <= 100 && tv.tv_sec >= 50);
    close_pipe(fds);
}

/* covers: select */
static void large_microseconds_are_carried(void **state)
{
    (void)state;
    struct timeval tv = {.tv_sec = 0, .tv_usec = 5000000};
    int fds[2];

    open_pipe(fds);
    assert_returns(write(fds[1], "x", 1), 1);
    fd_set r = set_of(fds[0]);
    assert_returns(do_select(fds[0] + 1, &r, NULL, NULL, &tv), 1);
    close_pipe(fds);
}

/* covers: select EINVAL pselect6 EINVAL */
static void bad_timeout_is_refused(void **state)
{
    (void)state;
    struct timeval tv = {.tv_sec = -1};
    struct timespec ts = {.tv_nsec = -1};

    assert_errno(do_select(0, NULL, NULL, NULL, &tv), EINVAL);
    assert_errno(do_pselect6(0, NULL, &ts, NULL), EINVAL);
    ts = (struct timespec){.tv_nsec = 1000000000};
    assert_errno(do_pselect6(0, NULL, &ts, NULL), EINVAL);
}

/* covers: select EINVAL */
static void negative_count_is_refused(void **state)
{
    (void)state;
    struct timeval now = {0};

    assert_errno(do_select(-1, NULL, NULL, NULL, &now), EINVAL);
}

/* covers: select EBADF */
static void closed_descriptor_in_a_set_is_refused(void **state)
{
    (void)state;
    struct timeval now = {0};
    int fds[2];

    open_pipe(fds);
    fd_set r = set_of(fds[0]);
    int fd = fds[0];
    close_pipe(fds);
    assert_errno(do_select(fd + 1, &r, NULL, NULL, &now), EBADF);
}

/* covers: select EFAULT pselect6 EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    struct timeval now = {0};

    assert_errno(do_select(10, BAD_PTR, NULL, NULL, &now), EFAULT);
    assert_errno(do_select(10, NULL, BAD_PTR, NULL, &now), EFAULT);
    assert_errno(do_select(10, NULL, NULL, BAD_PTR, &now), EFAULT);
    assert_errno(do_select(0, NULL, NULL, NULL, BAD_PTR), EFAULT);
    assert_errno(do_pselect6(0, NULL, BAD_PTR, NULL), EFAULT);
    assert_errno(do_pselect6(0, NULL, NULL, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, BAD_PTR), EFAULT);
}

/* covers: pselect6 EINVAL */
static void size_of_the_mask_must_fit(void **state)
{
    (void)state;
    struct timespec now = {0};
    sigset_t mask;
    struct {
        sigset_t *mask;
        size_t size;
    } arg = {&mask, 4};

    sigemptyset(&mask);
    assert_errno(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &now, &arg), EINVAL);
}

/* covers: select */
static void waiter_wakes_when_data_arrives(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int fds[2];

    open_pipe(fds);
    pid_t pid = child_fork();
    if (pid == 0) {
        fd_set r = set_of(fds[0]);
        gate_open(gate);
        assert_returns(do_select(fds[0] + 1, &r, NULL, NULL, NULL), 1);
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_returns(write(fds[1], "x", 1), 1);
    assert_child_ok(pid);
    close_pipe(fds);
}

/* covers: select EINTR pselect6 EINTR */
static void wait_is_interrupted(void **state)
{
    (void)state;
    interrupts_start(0);
    assert_errno(do_select(0, NULL, NULL, NULL, NULL), EINTR);
    assert_errno(do_pselect6(0, NULL, NULL, NULL), EINTR);
    interrupts_stop();
    interrupts_start(SA_RESTART); /* makes no difference, see signal(7) */
    assert_errno(do_select(0, NULL, NULL, NULL, NULL), EINTR);
    interrupts_stop();
}

/* covers: pselect6 EINTR */
static void mask_is_in_force_only_during_the_wait(void **state)
{
    (void)state;
    sigset_t blocked, none, now;

    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    catch_signal(SIGUSR1, 0);
    must(sigprocmask(SIG_BLOCK, &blocked, NULL));
    must(raise(SIGUSR1));
    assert_errno(do_pselect6(0, NULL, NULL, &none), EINTR);
    assert_int_equal(caught[SIGUSR1], 1);
    must(sigprocmask(SIG_SETMASK, NULL, &now));
    assert_true(sigismember(&now, SIGUSR1));
    must(sigprocmask(SIG_UNBLOCK, &blocked, NULL));
    default_signal(SIGUSR1);
}

/* covers: pselect6 */
static void mask_stays_blocked_when_a_descriptor_is_ready(void **state)
{
    (void)state;
    sigset_t blocked;
    int fds[2];

    open_pipe(fds);
    assert_returns(write(fds[1], "x", 1), 1);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    catch_signal(SIGUSR1, 0);
    fd_set r = set_of(fds[0]);
    assert_returns(do_pselect6(fds[0] + 1, &r, NULL, &blocked), 1);
    must(raise(SIGUSR1)); /* the old mask is back, so it comes at once */
    assert_int_equal(caught[SIGUSR1], 1);
    default_signal(SIGUSR1);
    close_pipe(fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_descriptors_stay_in_their_sets),
        cmocka_unit_test(one_descriptor_in_two_sets_counts_twice),
        cmocka_unit_test(end_of_file_counts_as_readable),
        cmocka_unit_test(pipe_without_readers_counts_as_writable),
        cmocka_unit_test(descriptors_from_n_on_are_not_looked_at),
        cmocka_unit_test(timeout_is_not_cut_short_and_counted_down),
        cmocka_unit_test(remaining_time_is_written_back),
        cmocka_unit_test(large_microseconds_are_carried),
        cmocka_unit_test(bad_timeout_is_refused),
        cmocka_unit_test(negative_count_is_refused),
        cmocka_unit_test(closed_descriptor_in_a_set_is_refused),
        cmocka_unit_test(bad_addresses_fault),
        cmocka_unit_test(size_of_the_mask_must_fit),
        cmocka_unit_test(waiter_wakes_when_data_arrives),
        cmocka_unit_test(wait_is_interrupted),
        cmocka_unit_test(mask_is_in_force_only_during_the_wait),
        cmocka_unit_test(mask_stays_blocked_when_a_descriptor_is_ready),
    };

    return cmocka_run_group_tests_name("ipc/select", tests, NULL, NULL);
}
