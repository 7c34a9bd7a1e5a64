/* poll.c: poll(2) and ppoll(2). */
/* tags: trap */
#include "../lib/check.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

static long do_ppoll(struct pollfd *fds, unsigned n, struct timespec *timeout, const sigset_t *mask)
{
    return syscall(SYS_ppoll, fds, (unsigned long)n, timeout, mask, 8ul);
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

/* covers: poll POLLIN */
static void readable_descriptor_is_reported(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds);
    struct pollfd p = {.fd = fds[0], .events = POLLIN, .revents = 0x7fff};
    assert_returns(poll(&p, 1, 0), 0);
    assert_int_equal(p.revents, 0);
    assert_returns(write(fds[1], "x", 1), 1);
    assert_returns(poll(&p, 1, -1), 1);
    assert_int_equal(p.revents, POLLIN);
    close_pipe(fds);
}

/* covers: poll POLLIN POLLOUT POLLRDNORM POLLWRNORM */
static void only_events_asked_for_are_reported(void **state)
{
    (void)state;
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    assert_returns(write(fds[1], "x", 1), 1);
    struct pollfd p = {.fd = fds[0], .events = POLLOUT};
    assert_returns(poll(&p, 1, 0), 1);
    assert_int_equal(p.revents, POLLOUT);
    p.events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
    assert_returns(poll(&p, 1, 0), 1);
    assert_int_equal(p.revents, POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);
    p.events = 0;
    assert_returns(poll(&p, 1, 0), 0);
    close_pipe(fds);
}

/* covers: poll */
static void result_counts_descriptors(void **state)
{
    (void)state;
    int a[2], b[2], c[2];

    open_pipe(a);
    open_pipe(b);
    open_pipe(c);
    assert_returns(write(a[1], "x", 1), 1);
    assert_returns(write(c[1], "x", 1), 1);
    struct pollfd p[] = {{a[0], POLLIN, 0}, {b[0], POLLIN, 0}, {c[0], POLLIN, 0}};
    assert_returns(poll(p, 3, -1), 2);
    assert_int_equal(p[0].revents, POLLIN);
    assert_int_equal(p[1].revents, 0);
    assert_int_equal(p[2].revents, POLLIN);
    close_pipe(a);
    close_pipe(b);
    close_pipe(c);
}

/* covers: poll POLLHUP POLLERR */
static void hangup_and_error_are_always_reported(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds);
    must(close(fds[1]));
    struct pollfd p = {.fd = fds[0], .events = 0};
    assert_returns(poll(&p, 1, -1), 1);
    assert_int_equal(p.revents, POLLHUP);
    must(close(fds[0]));

    open_pipe(fds);
    must(close(fds[0]));
    p.fd = fds[1];
    assert_returns(poll(&p, 1, -1), 1);
    assert_int_equal(p.revents, POLLERR);
    must(close(fds[1]));
}

/* covers: poll POLLRDHUP POLLHUP */
static void half_closed_socket_reports_rdhup_when_asked(void **state)
{
    (void)state;
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    must(shutdown(fds[1], SHUT_WR));
    struct pollfd p = {.fd = fds[0], .events = POLLIN | POLLRDHUP};
    assert_returns(poll(&p, 1, -1), 1);
    assert_int_equal(p.revents, POLLIN | POLLRDHUP);
    must(close(fds[1]));
    p.events = 0;
    assert_returns(poll(&p, 1, -1), 1);
    assert_int_equal(p.revents, POLLHUP);
    must(close(fds[0]));
}

/* covers: poll POLLNVAL */
static void bad_descriptor_is_reported_in_its_entry(void **state)
{
    (void)state;
    struct pollfd p = {.fd = 100000, .events = POLLIN};

    assert_returns(poll(&p, 1, -1), 1);
    assert_int_equal(p.revents, POLLNVAL);
}

/* covers: poll */
static void negative_descriptor_is_skipped(void **state)
{
    (void)state;
    struct pollfd p = {.fd = -1, .events = POLLIN, .revents = 0x7fff};

    assert_returns(poll(&p, 1, 0), 0);
    assert_int_equal(p.revents, 0);
}

/* covers: poll */
static void regular_file_is_always_ready(void **state)
{
    (void)state;
    make_file("f", NULL);
    struct pollfd p = {.fd = must(open("f", O_RDWR)), .events = POLLIN | POLLOUT};
    assert_returns(poll(&p, 1, -1), 1);
    assert_int_equal(p.revents, POLLIN | POLLOUT);
    must(close(p.fd));
}

/* covers: poll ppoll */
static void timeout_is_not_cut_short(void **state)
{
    (void)state;
    struct timespec timeout = {.tv_nsec = 20000000};
    int64_t start = now_ns();

    assert_returns(poll(NULL, 0, 20), 0);
    assert_true(now_ns() - start >= 20000000);
    start = now_ns();
    assert_returns(do_ppoll(NULL, 0, &timeout, NULL), 0);
    assert_true(now_ns() - start >= 20000000);
}

/* covers: poll */
static void waiter_wakes_when_data_arrives(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int fds[2];

    open_pipe(fds);
    pid_t pid = child_fork();
    if (pid == 0) {
        struct pollfd p = {.fd = fds[0], .events = POLLIN};
        gate_open(gate);
        assert_returns(poll(&p, 1, -1), 1);
        assert_int_equal(p.revents, POLLIN);
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_returns(write(fds[1], "x", 1), 1);
    assert_child_ok(pid);
    close_pipe(fds);
}

/* covers: poll */
static void all_waiters_wake(void **state)
{
    (void)state;
    enum { WAITERS = 3 };
    struct gate *gates[WAITERS];
    pid_t pids[WAITERS];
    int fds[2];

    open_pipe(fds);
    for (int i = 0; i < WAITERS; i++) {
        gates[i] = gate_new();
        pids[i] = child_fork();
        if (pids[i] == 0) {
            struct pollfd p = {.fd = fds[0], .events = POLLIN};
            gate_open(gates[i]);
            assert_returns(poll(&p, 1, -1), 1);
            _exit(0);
        }
    }
    for (int i = 0; i < WAITERS; i++)
        gate_wait_blocked(gates[i]);
    assert_returns(write(fds[1], "x", 1), 1);
    for (int i = 0; i < WAITERS; i++)
        assert_child_ok(pids[i]);
    close_pipe(fds);
}

/* covers: poll */
static void same_descriptor_may_stand_twice(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds);
    assert_returns(write(fds[1], "x", 1), 1);
    struct pollfd p[] = {{fds[0], POLLIN, 0}, {fds[0], POLLIN, 0}};
    assert_returns(poll(p, 2, -1), 2);
    close_pipe(fds);
}

/* covers: poll EINTR ppoll EINTR */
static void wait_is_interrupted(void **state)
{
    (void)state;
    interrupts_start(0);
    assert_errno(poll(NULL, 0, -1), EINTR);
    assert_errno(do_ppoll(NULL, 0, NULL, NULL), EINTR);
    interrupts_stop();
}

/* covers: poll EINTR SA_RESTART */
static void wait_is_not_restarted(void **state)
{
    (void)state;
    /* signal(7): poll fails with EINTR whatever SA_RESTART says */
    interrupts_start(SA_RESTART);
    assert_errno(poll(NULL, 0, -1), EINTR);
    interrupts_stop();
}

/* covers: poll EINVAL ppoll EINVAL RLIMIT_NOFILE */
static void more_entries_than_the_limit_are_refused(void **state)
{
    (void)state;
    static struct pollfd many[65];

    in_child(struct rlimit limit; must(getrlimit(RLIMIT_NOFILE, &limit)); limit.rlim_cur = 64;
             must(setrlimit(RLIMIT_NOFILE, &limit)); for (int i = 0; i < 65; i++) many[i].fd = -1;
             assert_errno(poll(many, 65, 0), EINVAL); assert_returns(poll(many, 64, 0), 0);
             assert_errno(do_ppoll(many, 65, NULL, NULL), EINVAL));
}

/* covers: poll EFAULT ppoll EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    struct pollfd p = {.fd = -1};

    assert_errno(syscall(SYS_poll, BAD_PTR, 1ul, 0), EFAULT);
    assert_errno(do_ppoll(BAD_PTR, 1, NULL, NULL), EFAULT);
    assert_errno(do_ppoll(&p, 1, BAD_PTR, NULL), EFAULT);
    assert_errno(do_ppoll(&p, 1, NULL, BAD_PTR), EFAULT);
}

/* covers: ppoll EINVAL */
static void bad_timeout_is_refused(void **state)
{
    (void)state;
    struct timespec timeout = {.tv_nsec = 1000000000};

    assert_errno(do_ppoll(NULL, 0, &timeout, NULL), EINVAL);
    timeout = (struct timespec){.tv_sec = -1};
    assert_errno(do_ppoll(NULL, 0, &timeout, NULL), EINVAL);
}

/* covers: ppoll EINVAL */
static void size_of_the_mask_must_fit(void **state)
{
    (void)state;
    struct timespec now = {0};
    sigset_t mask;

    sigemptyset(&mask);
    assert_errno(syscall(SYS_ppoll, NULL, 0ul, &now, &mask, 4ul), EINVAL);
}

/* covers: ppoll */
static void remaining_time_is_written_back(void **state)
{
    (void)state;
    struct timespec timeout = {.tv_sec = 100};
    int fds[2];

    open_pipe(fds);
    assert_returns(write(fds[1], "x", 1), 1);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    assert_returns(do_ppoll(&p, 1, &timeout, NULL), 1);
    assert_true(timeout.tv_sec <= 100 && timeout.tv_sec >= 50);
    close_pipe(fds);
}

/* covers: ppoll EINTR */
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
    assert_int_equal(caught[SIGUSR1], 0);
    assert_errno(do_ppoll(NULL, 0, NULL, &none), EINTR); /* the pending signal comes at once */
    assert_int_equal(caught[SIGUSR1], 1);
    must(sigprocmask(SIG_SETMASK, NULL, &now));
    assert_true(sigismember(&now, SIGUSR1));
    must(sigprocmask(SIG_UNBLOCK, &blocked, NULL));
    default_signal(SIGUSR1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readable_descriptor_is_reported),
        cmocka_unit_test(only_events_asked_for_are_reported),
        cmocka_unit_test(result_counts_descriptors),
        cmocka_unit_test(hangup_and_error_are_always_reported),
        cmocka_unit_test(half_closed_socket_reports_rdhup_when_asked),
        cmocka_unit_test(bad_descriptor_is_reported_in_its_entry),
        cmocka_unit_test(negative_descriptor_is_skipped),
        tempdir_test(regular_file_is_always_ready),
        cmocka_unit_test(timeout_is_not_cut_short),
        cmocka_unit_test(waiter_wakes_when_data_arrives),
        cmocka_unit_test(all_waiters_wake),
        cmocka_unit_test(same_descriptor_may_stand_twice),
        cmocka_unit_test(wait_is_interrupted),
        cmocka_unit_test(wait_is_not_restarted),
        cmocka_unit_test(more_entries_than_the_limit_are_refused),
        cmocka_unit_test(bad_addresses_fault),
        cmocka_unit_test(bad_timeout_is_refused),
        cmocka_unit_test(size_of_the_mask_must_fit),
        cmocka_unit_test(remaining_time_is_written_back),
        cmocka_unit_test(mask_is_in_force_only_during_the_wait),
    };

    return cmocka_run_group_tests_name("ipc/poll", tests, NULL, NULL);
}
