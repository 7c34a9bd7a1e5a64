/* restart.c: signal(7), which calls go on after a handler with SA_RESTART and which end with EINTR. */
/* tags: trap */
#include "../lib/child.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
    (void)sig;
    handled++;
}

/*
 * One blocking call: begin() makes what it needs, call() blocks and returns the raw result, and
 * release() lets it succeed. Both sides of the fork share the descriptors.
 */
struct blocking {
    void (*begin)(void);
    long (*call)(void);
    void (*release)(void);
    long success; /* what call() returns once released */
};

static int pair[2];
static volatile int *word; /* shared between the processes */
static pid_t sleeping_child;

static void make_pipe(void)
{
    need_eq(pipe(pair), 0);
}

static long read_pipe(void)
{
    char byte;

    return SYS(SYS_read, pair[0], &byte, 1);
}

static void fill_pipe(void)
{
    need_eq(write(pair[1], "x", 1), 1);
}

static void make_full_pipe(void)
{
    char block[4096] = {0};

    make_pipe();
    need_eq(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    while (write(pair[1], block, sizeof block) > 0) {
        continue;
    }
    need_eq(fcntl(pair[1], F_SETFL, 0), 0);
}

static long write_pipe(void)
{
    return SYS(SYS_write, pair[1], "y", 1);
}

static void drain_pipe(void)
{
    char block[4096];

    need_eq(read(pair[0], block, sizeof block), sizeof block);
}

static void make_sockets(void)
{
    need_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static long receive(void)
{
    char byte;

    return SYS(SYS_recvfrom, pair[0], &byte, 1, 0, NULL, NULL);
}

static void make_child(void)
{
    sleeping_child = child_start(sleep_forever, NULL);
}

static long wait_child(void)
{
    long got = SYS(SYS_wait4, sleeping_child, NULL, 0, NULL);

    return got == sleeping_child ? 1 : got;
}

static long waitid_child(void)
{
    return SYS(SYS_waitid, P_PID, sleeping_child, NULL, WEXITED, NULL);
}

static void end_child(void)
{
    need_eq(kill(sleeping_child, SIGKILL), 0);
}

static void make_word(void)
{
    word = shared_alloc(4096);
}

static long wait_word(void)
{
    return SYS(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void wake_word(void)
{
    need(wait_until(SYS(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) == 1));
}

static char lock_path[64];

static void make_lock(void)
{
    int fd;

    snprintf(lock_path, sizeof lock_path, "/tmp/restart-lock.XXXXXX");
    fd = mkstemp(lock_path);
    need(fd >= 0);
    pair[0] = fd;
    pair[1] = open(lock_path, O_RDWR | O_CLOEXEC);
    need(pair[1] >= 0);
    unlink(lock_path);
    need_eq(flock(pair[1], LOCK_EX), 0);
}

static long take_lock(void)
{
    return SYS(SYS_flock, pair[0], LOCK_EX);
}

static void release_lock(void)
{
    need_eq(flock(pair[1], LOCK_UN), 0);
}

static void nothing(void)
{
}

static long poll_pipe(void)
{
    struct pollfd wanted = {.fd = pair[0], .events = POLLIN};

    return SYS(SYS_poll, &wanted, 1, -1);
}

static long select_pipe(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(pair[0], &set);
    return SYS(SYS_select, pair[0] + 1, &set, NULL, NULL, NULL);
}

static long epoll_pipe(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int fd = epoll_create1(EPOLL_CLOEXEC);

    need(fd >= 0);
    need_eq(epoll_ctl(fd, EPOLL_CTL_ADD, pair[0], &event), 0);
    return SYS(SYS_epoll_wait, fd, &event, 1, -1);
}

static long sleep_long(void)
{
    struct timespec span = {.tv_sec = 60};

    return SYS(SYS_nanosleep, &span, NULL);
}

static long sleep_clock(void)
{
    struct timespec span = {.tv_sec = 60};

    return SYS(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &span, NULL);
}

static void limit_receive(void)
{
    struct timeval span = {.tv_sec = 60};

    make_sockets();
    need_eq(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &span, sizeof span), 0);
}

static const struct blocking pipe_read = {make_pipe, read_pipe, fill_pipe, 1};
static const struct blocking pipe_write = {make_full_pipe, write_pipe, drain_pipe, 1};
static const struct blocking socket_receive = {make_sockets, receive, fill_pipe, 1};
static const struct blocking child_wait4 = {make_child, wait_child, end_child, 1};
static const struct blocking child_waitid = {make_child, waitid_child, end_child, 0};
static const struct blocking futex_wait = {make_word, wait_word, wake_word, 0};
static const struct blocking file_lock = {make_lock, take_lock, release_lock, 0};
static const struct blocking pipe_poll = {make_pipe, poll_pipe, fill_pipe, 1};
static const struct blocking pipe_select = {make_pipe, select_pipe, fill_pipe, 1};
static const struct blocking pipe_epoll = {make_pipe, epoll_pipe, fill_pipe, 1};
static const struct blocking long_sleep = {nothing, sleep_long, nothing, 0};
static const struct blocking clock_sleep = {nothing, sleep_clock, nothing, 0};
static const struct blocking timed_receive = {limit_receive, receive, fill_pipe, 1};

struct plan {
    const struct blocking *what;
    int flags;
    bool restarts;
};

/* Signals its parent, which sleeps in the call; releases it when it should go on sleeping. */
static int signal_parent(void *arg)
{
    const struct plan *plan = arg;
    pid_t parent = getppid();

    need(wait_until(task_state(parent, parent) == 'S'));
    need_eq(kill(parent, SIGUSR1), 0);
    if (plan->restarts) {
        /* It must run the handler and then sleep again. */
        need(wait_until(task_state(parent, parent) == 'S'));
        plan->what->release();
    }
    return 0;
}

static int interrupted(void *arg)
{
    const struct plan *plan = arg;
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = plan->flags};
    pid_t pid;
    long got;

    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
    handled = 0;
    plan->what->begin();
    pid = child_start(signal_parent, arg);
    got = plan->what->call();
    need_eq(got, plan->restarts ? plan->what->success : -EINTR);
    need_eq(handled, 1);
    need_eq(child_end(pid), 0);
    if (!plan->restarts && plan->what->release == end_child) {
        end_child();
        need_eq(child_end(sleeping_child), SIGKILL);
    }
    return 0;
}

static void ends_with_eintr(const struct blocking *what, int flags)
{
    struct plan plan = {what, flags, false};

    child_passes(interrupted, &plan);
}

static void goes_on(const struct blocking *what)
{
    struct plan plan = {what, SA_RESTART, true};

    child_passes(interrupted, &plan);
}

/* covers: read EINTR SA_RESTART */
static void read_of_a_pipe(void **state)
{
    (void)state;
    ends_with_eintr(&pipe_read, 0);
    goes_on(&pipe_read);
}

/* covers: write EINTR SA_RESTART */
static void write_of_a_full_pipe(void **state)
{
    (void)state;
    ends_with_eintr(&pipe_write, 0);
    goes_on(&pipe_write);
}

/* covers: recvfrom EINTR SA_RESTART */
static void receive_from_a_socket(void **state)
{
    (void)state;
    ends_with_eintr(&socket_receive, 0);
    goes_on(&socket_receive);
}

/* covers: recvfrom EINTR SO_RCVTIMEO */
static void receive_with_a_timeout_is_eintr_also_with_sa_restart(void **state)
{
    (void)state;
    ends_with_eintr(&timed_receive, SA_RESTART);
}

/* covers: wait4 EINTR SA_RESTART */
static void wait4_for_a_child(void **state)
{
    (void)state;
    ends_with_eintr(&child_wait4, 0);
    goes_on(&child_wait4);
}

/* covers: waitid EINTR SA_RESTART */
static void waitid_for_a_child(void **state)
{
    (void)state;
    ends_with_eintr(&child_waitid, 0);
    goes_on(&child_waitid);
}

/* covers: futex EINTR SA_RESTART FUTEX_WAIT */
static void futex_wait_without_timeout(void **state)
{
    (void)state;
    ends_with_eintr(&futex_wait, 0);
    goes_on(&futex_wait);
}

/* covers: flock EINTR SA_RESTART */
static void flock_of_a_held_lock(void **state)
{
    (void)state;
    ends_with_eintr(&file_lock, 0);
    goes_on(&file_lock);
}

/* covers: poll select epoll_wait EINTR SA_RESTART */
static void poll_select_and_epoll_are_eintr_also_with_sa_restart(void **state)
{
    (void)state;
    ends_with_eintr(&pipe_poll, SA_RESTART);
    ends_with_eintr(&pipe_select, SA_RESTART);
    ends_with_eintr(&pipe_epoll, SA_RESTART);
    ends_with_eintr(&pipe_poll, 0);
}

/* covers: nanosleep clock_nanosleep EINTR SA_RESTART */
static void sleeps_are_eintr_also_with_sa_restart(void **state)
{
    (void)state;
    ends_with_eintr(&long_sleep, SA_RESTART);
    ends_with_eintr(&long_sleep, 0);
    ends_with_eintr(&clock_sleep, SA_RESTART);
}

static int stop_parent(void *arg)
{
    const struct blocking *what = arg;
    pid_t parent = getppid();

    need(wait_until(task_state(parent, parent) == 'S'));
    need_eq(kill(parent, SIGSTOP), 0);
    need(wait_until(task_state(parent, parent) == 'T'));
    need_eq(kill(parent, SIGCONT), 0);
    need(wait_until(task_state(parent, parent) == 'S'));
    what->release();
    return 0;
}

static int stopped(void *arg)
{
    const struct blocking *what = arg;
    pid_t pid;

    what->begin();
    pid = child_start(stop_parent, arg);
    need_eq(what->call(), what->success);
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: read wait4 poll futex kill */
static void calls_go_on_after_a_stop_and_continue(void **state)
{
    (void)state;
    child_passes(stopped, (void *)&pipe_read);
    child_passes(stopped, (void *)&child_wait4);
    child_passes(stopped, (void *)&pipe_poll);
    child_passes(stopped, (void *)&pipe_select);
    child_passes(stopped, (void *)&futex_wait);
    child_passes(stopped, (void *)&file_lock);
}

static int interrupt_sleeper(void *arg)
{
    pid_t parent = getppid();

    (void)arg;
    need(wait_until(task_state(parent, parent) == 'S'));
    need_eq(kill(parent, SIGUSR1), 0);
    return 0;
}

static int remainder_body(void *arg)
{
    struct timespec span = {.tv_sec = 50}, left = {-1, -1};
    struct sigaction act = {.sa_handler = on_signal};
    pid_t pid;

    (void)arg;
    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
    pid = child_start(interrupt_sleeper, NULL);
    need_eq(SYS(SYS_nanosleep, &span, &left), -EINTR);
    need(left.tv_sec >= 20 && left.tv_sec < 50);
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: nanosleep EINTR */
static void interrupted_sleep_tells_the_remaining_time(void **state)
{
    (void)state;
    child_passes(remainder_body, NULL);
}

static int ignored_body(void *arg)
{
    struct timespec span = {.tv_nsec = 50000000};
    int64_t start = now_ms();
    pid_t pid;

    (void)arg;
    signal(SIGUSR1, SIG_IGN);
    pid = child_start(interrupt_sleeper, NULL);
    need_eq(SYS(SYS_nanosleep, &span, NULL), 0);
    need(now_ms() - start >= 49);
    child_end(pid);
    return 0;
}

/* covers: nanosleep */
static void ignored_signal_does_not_end_a_sleep(void **state)
{
    (void)state;
    child_passes(ignored_body, NULL);
}

static int partial_write_body(void *arg)
{
    static char block[1 << 20];
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    pid_t pid;
    long got;

    (void)arg;
    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
    make_pipe();
    pid = child_start(interrupt_sleeper, NULL);
    got = SYS(SYS_write, pair[1], block, sizeof block);
    need(got > 0 && got < (long)sizeof block);
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: write */
static void interrupted_write_returns_what_it_wrote(void **state)
{
    (void)state;
    child_passes(partial_write_body, NULL);
}

/* covers: restart_syscall EINTR */
static void nothing_to_go_on_with_is_eintr(void **state)
{
    (void)state;
    need_eq(SYS(SYS_restart_syscall), -EINTR);
    need_eq(SYS(SYS_restart_syscall, 1, 2, 3), -EINTR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_of_a_pipe),
        cmocka_unit_test(write_of_a_full_pipe),
        cmocka_unit_test(receive_from_a_socket),
        cmocka_unit_test(receive_with_a_timeout_is_eintr_also_with_sa_restart),
        cmocka_unit_test(wait4_for_a_child),
        cmocka_unit_test(waitid_for_a_child),
        cmocka_unit_test(futex_wait_without_timeout),
        cmocka_unit_test(flock_of_a_held_lock),
        cmocka_unit_test(poll_select_and_epoll_are_eintr_also_with_sa_restart),
        cmocka_unit_test(sleeps_are_eintr_also_with_sa_restart),
        cmocka_unit_test(calls_go_on_after_a_stop_and_continue),
        cmocka_unit_test(interrupted_sleep_tells_the_remaining_time),
        cmocka_unit_test(ignored_signal_does_not_end_a_sleep),
        cmocka_unit_test(interrupted_write_returns_what_it_wrote),
        cmocka_unit_test(nothing_to_go_on_with_is_eintr),
    };

    return cmocka_run_group_tests_name("signal/restart", tests, NULL, NULL);
}
