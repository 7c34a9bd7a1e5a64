/* epoll_wait.c: epoll_wait(2), epoll_pwait(2) and epoll_pwait2(2): sleeping and waking. */
#include "../lib/check.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

struct watched {
    int ep, fd;
};

static struct watched watch_new(uint64_t value, uint32_t events)
{
    struct watched w = {must(epoll_create1(0)), must(eventfd((unsigned)value, EFD_NONBLOCK))};
    struct epoll_event event = {.events = events, .data.fd = w.fd};

    must(epoll_ctl(w.ep, EPOLL_CTL_ADD, w.fd, &event));
    return w;
}

static void watch_close(struct watched w)
{
    must(close(w.fd));
    must(close(w.ep));
}

static void add_to(int eventfd_number)
{
    uint64_t one = 1;

    assert_returns(write(eventfd_number, &one, sizeof one), sizeof one);
}

static long pwait2(int ep, struct epoll_event *events, int n, struct timespec *timeout)
{
    return syscall(SYS_epoll_pwait2, ep, events, n, timeout, NULL, 8ul);
}

/* covers: epoll_wait epoll_pwait */
static void timeout_is_not_cut_short(void **state)
{
    (void)state;
    struct watched w = watch_new(0, EPOLLIN);
    struct epoll_event event;
    int64_t start = now_ns();

    assert_returns(epoll_wait(w.ep, &event, 1, 20), 0);
    assert_true(now_ns() - start >= 20000000);
    start = now_ns();
    assert_returns(epoll_pwait(w.ep, &event, 1, 20, NULL), 0);
    assert_true(now_ns() - start >= 20000000);
    watch_close(w);
}

/* covers: epoll_pwait2 EINVAL EFAULT */
static void pwait2_counts_nanoseconds(void **state)
{
    (void)state;
    struct timespec timeout = {.tv_nsec = 5000001};
    struct watched w = watch_new(0, EPOLLIN);
    struct epoll_event event;
    int64_t start = now_ns();

    need_call(pwait2(-1, &event, 1, NULL));
    assert_returns(pwait2(w.ep, &event, 1, &timeout), 0);
    assert_true(now_ns() - start >= 5000001);
    timeout.tv_nsec = 1000000000;
    assert_errno(pwait2(w.ep, &event, 1, &timeout), EINVAL);
    assert_errno(pwait2(w.ep, &event, 1, BAD_PTR), EFAULT);
    add_to(w.fd);
    assert_returns(pwait2(w.ep, &event, 1, NULL), 1);
    watch_close(w);
}

/* covers: epoll_wait */
static void waiter_wakes_on_an_event(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    struct watched w = watch_new(0, EPOLLIN);
    pid_t pid = child_fork();

    if (pid == 0) {
        struct epoll_event event;
        gate_open(gate);
        assert_returns(epoll_wait(w.ep, &event, 1, -1), 1);
        assert_int_equal(event.data.fd, w.fd);
        _exit(0);
    }
    gate_wait_blocked(gate);
    add_to(w.fd);
    assert_child_ok(pid);
    watch_close(w);
}

/* covers: epoll_wait epoll_ctl EPOLL_CTL_ADD */
static void waiter_sees_what_is_added_meanwhile(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int ep = must(epoll_create1(0)), fd = must(eventfd(1, 0));
    pid_t pid = child_fork();

    if (pid == 0) {
        struct epoll_event event;
        gate_open(gate);
        assert_returns(epoll_wait(ep, &event, 1, -1), 1);
        _exit(0);
    }
    gate_wait_blocked(gate);
    struct epoll_event event = {.events = EPOLLIN};
    must(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
    assert_child_ok(pid);
    must(close(fd));
    must(close(ep));
}

/* covers: epoll_wait EPOLLET */
static void edge_wakes_one_waiter(void **state)
{
    (void)state;
    enum { WAITERS = 3 };
    struct gate *gates[WAITERS];
    struct watched w = watch_new(0, EPOLLIN | EPOLLET);
    volatile int *woken = shared_alloc(sizeof *woken);
    pid_t pids[WAITERS];

    for (int i = 0; i < WAITERS; i++) {
        gates[i] = gate_new();
        pids[i] = child_fork();
        if (pids[i] == 0) {
            struct epoll_event event;
            gate_open(gates[i]);
            assert_returns(epoll_wait(w.ep, &event, 1, -1), 1);
            __atomic_add_fetch(woken, 1, __ATOMIC_SEQ_CST);
            _exit(0);
        }
    }
    for (int i = 0; i < WAITERS; i++)
        gate_wait_blocked(gates[i]);
    for (int turn = 1; turn <= WAITERS; turn++) {
        add_to(w.fd);
        assert_eventually(*woken >= turn);
        assert_int_equal(*woken, turn);
    }
    for (int i = 0; i < WAITERS; i++)
        assert_child_ok(pids[i]);
    watch_close(w);
}

/* covers: epoll_wait */
static void events_beyond_the_maximum_come_with_the_next_call(void **state)
{
    (void)state;
    enum { FILES = 5 };
    struct epoll_event events[FILES];
    int ep = must(epoll_create1(0)), fds[FILES];
    bool seen[FILES] = {false};

    for (int i = 0; i < FILES; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        fds[i] = must(eventfd(1, 0));
        must(epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &event));
    }
    for (int round = 0; round < 3; round++) { /* round robin, so that none starves */
        int n = must(epoll_wait(ep, events, 2, 0));
        assert_int_equal(n, 2);
        for (int i = 0; i < n; i++)
            seen[events[i].data.u32] = true;
    }
    for (int i = 0; i < FILES; i++) {
        assert_true(seen[i]);
        must(close(fds[i]));
    }
    must(close(ep));
}

/* covers: epoll_wait */
static void many_files_are_all_reported(void **state)
{
    (void)state;
    enum { FILES = 200 };
    static struct epoll_event events[FILES];
    int ep = must(epoll_create1(0)), fds[FILES];

    for (int i = 0; i < FILES; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        fds[i] = must(eventfd(0, 0));
        must(epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &event));
    }
    assert_returns(epoll_wait(ep, events, FILES, 0), 0);
    for (int i = 0; i < FILES; i += 2)
        add_to(fds[i]);
    assert_returns(epoll_wait(ep, events, FILES, 0), FILES / 2);
    for (int i = 0; i < FILES / 2; i++)
        assert_int_equal(events[i].data.u32 % 2, 0);
    for (int i = 0; i < FILES; i++)
        must(close(fds[i]));
    must(close(ep));
}

/* covers: epoll_wait EINVAL epoll_pwait EINVAL */
static void maximum_must_be_positive(void **state)
{
    (void)state;
    struct watched w = watch_new(0, EPOLLIN);
    struct epoll_event event;

    assert_errno(syscall(SYS_epoll_wait, w.ep, &event, 0, 0), EINVAL);
    assert_errno(syscall(SYS_epoll_wait, w.ep, &event, -1, 0), EINVAL);
    assert_errno(syscall(SYS_epoll_pwait, w.ep, &event, 0, 0, NULL, 8ul), EINVAL);
    watch_close(w);
}

/* covers: epoll_wait EBADF EINVAL */
static void other_descriptors_are_refused(void **state)
{
    (void)state;
    struct epoll_event event;
    int fd = must(eventfd(1, 0));

    assert_errno(epoll_wait(-1, &event, 1, 0), EBADF);
    assert_errno(epoll_wait(fd, &event, 1, 0), EINVAL);
    must(close(fd));
}

/* covers: epoll_wait EFAULT epoll_pwait EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    struct watched w = watch_new(1, EPOLLIN);
    struct epoll_event event;

    assert_errno(syscall(SYS_epoll_wait, w.ep, BAD_PTR, 1, 0), EFAULT);
    assert_returns(epoll_wait(w.ep, &event, 1, 0), 1); /* the event is not lost */
    assert_errno(syscall(SYS_epoll_pwait, w.ep, &event, 1, 0, BAD_PTR, 8ul), EFAULT);
    watch_close(w);
}

/* covers: epoll_pwait EINVAL */
static void size_of_the_mask_must_fit(void **state)
{
    (void)state;
    struct watched w = watch_new(1, EPOLLIN);
    struct epoll_event event;
    sigset_t mask;

    sigemptyset(&mask);
    assert_errno(syscall(SYS_epoll_pwait, w.ep, &event, 1, 0, &mask, 4ul), EINVAL);
    watch_close(w);
}

/* covers: epoll_wait EINTR SA_RESTART */
static void wait_is_interrupted_and_not_restarted(void **state)
{
    (void)state;
    struct watched w = watch_new(0, EPOLLIN);
    struct epoll_event event;

    interrupts_start(0);
    assert_errno(epoll_wait(w.ep, &event, 1, -1), EINTR);
    interrupts_stop();
    interrupts_start(SA_RESTART);
    assert_errno(epoll_wait(w.ep, &event, 1, -1), EINTR);
    interrupts_stop();
    watch_close(w);
}

/* covers: epoll_pwait EINTR */
static void mask_is_in_force_only_during_the_wait(void **state)
{
    (void)state;
    struct watched w = watch_new(0, EPOLLIN);
    struct epoll_event event;
    sigset_t blocked, none, now;

    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    catch_signal(SIGUSR1, 0);
    must(sigprocmask(SIG_BLOCK, &blocked, NULL));
    must(raise(SIGUSR1));
    assert_errno(epoll_pwait(w.ep, &event, 1, -1, &none), EINTR);
    assert_int_equal(caught[SIGUSR1], 1);
    must(sigprocmask(SIG_SETMASK, NULL, &now));
    assert_true(sigismember(&now, SIGUSR1));
    must(sigprocmask(SIG_UNBLOCK, &blocked, NULL));
    default_signal(SIGUSR1);
    watch_close(w);
}

/* covers: epoll_create1 poll select */
static void epoll_is_itself_pollable(void **state)
{
    (void)state;
    struct watched w = watch_new(0, EPOLLIN);
    struct pollfd p = {.fd = w.ep, .events = POLLIN | POLLOUT};

    assert_returns(poll(&p, 1, 0), 0);
    add_to(w.fd);
    assert_returns(poll(&p, 1, 0), 1);
    assert_int_equal(p.revents, POLLIN);
    fd_set r;
    FD_ZERO(&r);
    FD_SET(w.ep, &r);
    assert_returns(select(w.ep + 1, &r, NULL, NULL, NULL), 1);
    watch_close(w);
}

/* covers: epoll_create1 read EINVAL write EINVAL */
static void epoll_cannot_be_read_or_written(void **state)
{
    (void)state;
    int ep = must(epoll_create1(0));
    char c = 0;

    assert_errno(read(ep, &c, 1), EINVAL);
    assert_errno(write(ep, &c, 1), EINVAL);
    must(close(ep));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeout_is_not_cut_short),
        cmocka_unit_test(pwait2_counts_nanoseconds),
        cmocka_unit_test(waiter_wakes_on_an_event),
        cmocka_unit_test(waiter_sees_what_is_added_meanwhile),
        cmocka_unit_test(edge_wakes_one_waiter),
        cmocka_unit_test(events_beyond_the_maximum_come_with_the_next_call),
        cmocka_unit_test(many_files_are_all_reported),
        cmocka_unit_test(maximum_must_be_positive),
        cmocka_unit_test(other_descriptors_are_refused),
        cmocka_unit_test(bad_address_faults),
        cmocka_unit_test(size_of_the_mask_must_fit),
        cmocka_unit_test(wait_is_interrupted_and_not_restarted),
        cmocka_unit_test(mask_is_in_force_only_during_the_wait),
        cmocka_unit_test(epoll_is_itself_pollable),
        cmocka_unit_test(epoll_cannot_be_read_or_written),
    };

    return cmocka_run_group_tests_name("ipc/epoll_wait", tests, NULL, NULL);
}
