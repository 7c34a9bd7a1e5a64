/* signalfd4.c: signalfd(2): pending signals as records to read. */
#include "../lib/check.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

static sigset_t set_of(int sig)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, sig);
    return set;
}

static int do_signalfd4(int fd, const sigset_t *set, int flags)
{
    return (int)syscall(SYS_signalfd4, fd, set, 8ul, flags);
}

/* Blocks the signal and opens a descriptor for it. */
static int watch(int sig, int flags)
{
    sigset_t set = set_of(sig);

    must(sigprocmask(SIG_BLOCK, &set, NULL));
    return must(do_signalfd4(-1, &set, flags));
}

static void unwatch(int fd, int sig)
{
    sigset_t set = set_of(sig);

    must(close(fd));
    must(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

static struct signalfd_siginfo take(int fd)
{
    struct signalfd_siginfo info;

    assert_returns(read(fd, &info, sizeof info), sizeof info);
    return info;
}

/* covers: signalfd4 read kill */
static void record_describes_a_kill(void **state)
{
    (void)state;
    int fd = watch(SIGUSR1, 0);

    must(kill(getpid(), SIGUSR1));
    struct signalfd_siginfo info = take(fd);
    assert_int_equal(info.ssi_signo, SIGUSR1);
    assert_int_equal(info.ssi_code, SI_USER);
    assert_int_equal(info.ssi_pid, getpid());
    assert_int_equal(info.ssi_uid, getuid());
    unwatch(fd, SIGUSR1);
}

/* covers: signalfd4 rt_sigqueueinfo */
static void record_carries_the_value_of_sigqueue(void **state)
{
    (void)state;
    union sigval value = {.sival_int = 4711};
    int fd = watch(SIGRTMIN, 0);

    must(sigqueue(getpid(), SIGRTMIN, value));
    struct signalfd_siginfo info = take(fd);
    assert_int_equal(info.ssi_signo, SIGRTMIN);
    assert_int_equal(info.ssi_code, SI_QUEUE);
    assert_int_equal(info.ssi_int, 4711);
    unwatch(fd, SIGRTMIN);
}

/* covers: signalfd4 */
static void record_describes_a_child(void **state)
{
    (void)state;
    int fd = watch(SIGCHLD, 0);
    pid_t pid = child_fork();

    if (pid == 0)
        _exit(7);
    struct signalfd_siginfo info = take(fd);
    assert_int_equal(info.ssi_signo, SIGCHLD);
    assert_int_equal(info.ssi_code, CLD_EXITED);
    assert_int_equal(info.ssi_pid, pid);
    assert_int_equal(info.ssi_status, 7);
    assert_exited(child_wait(pid), 7);
    unwatch(fd, SIGCHLD);
}

/* covers: signalfd4 rt_sigpending */
static void reading_consumes_the_signal(void **state)
{
    (void)state;
    sigset_t pending;
    int fd = watch(SIGUSR1, SFD_NONBLOCK);

    must(raise(SIGUSR1));
    must(sigpending(&pending));
    assert_true(sigismember(&pending, SIGUSR1));
    take(fd);
    must(sigpending(&pending));
    assert_false(sigismember(&pending, SIGUSR1));
    struct signalfd_siginfo info;
    assert_errno(read(fd, &info, sizeof info), EAGAIN);
    unwatch(fd, SIGUSR1);
}

/* covers: signalfd4 read */
static void one_read_takes_several_records(void **state)
{
    (void)state;
    struct signalfd_siginfo infos[4];
    union sigval value = {.sival_int = 0};
    int fd = watch(SIGRTMIN, 0);

    for (int i = 0; i < 3; i++) {
        value.sival_int = i;
        must(sigqueue(getpid(), SIGRTMIN, value));
    }
    assert_returns(read(fd, infos, sizeof infos), 3 * sizeof infos[0]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(infos[i].ssi_int, i);
    unwatch(fd, SIGRTMIN);
}

/* covers: signalfd4 */
static void signal_that_is_not_in_the_set_stays_pending(void **state)
{
    (void)state;
    struct signalfd_siginfo info;
    sigset_t other = set_of(SIGUSR2);
    int fd = watch(SIGUSR1, SFD_NONBLOCK);

    catch_signal(SIGUSR2, 0);
    must(sigprocmask(SIG_BLOCK, &other, NULL));
    must(raise(SIGUSR2));
    assert_errno(read(fd, &info, sizeof info), EAGAIN);
    must(sigprocmask(SIG_UNBLOCK, &other, NULL));
    assert_int_equal(caught[SIGUSR2], 1);
    default_signal(SIGUSR2);
    unwatch(fd, SIGUSR1);
}

/* covers: signalfd4 */
static void set_of_an_open_descriptor_can_be_changed(void **state)
{
    (void)state;
    sigset_t other = set_of(SIGUSR2);
    int fd = watch(SIGUSR1, 0);

    must(sigprocmask(SIG_BLOCK, &other, NULL));
    assert_returns(do_signalfd4(fd, &other, 0), fd);
    must(raise(SIGUSR2));
    assert_int_equal(take(fd).ssi_signo, SIGUSR2);
    must(sigprocmask(SIG_UNBLOCK, &other, NULL));
    unwatch(fd, SIGUSR1);
}

/* covers: signalfd4 read */
static void waiting_read_ends_with_the_signal(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    pid_t pid = child_fork();

    if (pid == 0) {
        int fd = watch(SIGUSR1, 0);
        gate_open(gate);
        assert_int_equal(take(fd).ssi_signo, SIGUSR1);
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(kill(pid, SIGUSR1));
    assert_child_ok(pid);
}

/* covers: signalfd4 poll */
static void poll_reports_a_pending_signal(void **state)
{
    (void)state;
    int fd = watch(SIGUSR1, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};

    assert_returns(poll(&p, 1, 0), 0);
    must(raise(SIGUSR1));
    assert_returns(poll(&p, 1, 0), 1);
    assert_int_equal(p.revents, POLLIN);
    take(fd);
    assert_returns(poll(&p, 1, 0), 0);
    unwatch(fd, SIGUSR1);
}

/* covers: signalfd4 poll */
static void poll_sleeps_until_the_signal(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    pid_t pid = child_fork();

    if (pid == 0) {
        struct pollfd p = {.fd = watch(SIGUSR1, 0), .events = POLLIN};
        gate_open(gate);
        assert_returns(poll(&p, 1, -1), 1);
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(kill(pid, SIGUSR1));
    assert_child_ok(pid);
}

/* covers: signalfd4 */
static void reader_gets_its_own_signals(void **state)
{
    (void)state;
    /* signalfd(2): after fork the child reads what is sent to the child */
    int fd = watch(SIGUSR1, 0);

    in_child(must(raise(SIGUSR1)); assert_int_equal(take(fd).ssi_pid, getpid()));
    must(raise(SIGUSR1));
    assert_int_equal(take(fd).ssi_pid, getpid());
    unwatch(fd, SIGUSR1);
}

/* covers: signalfd4 SFD_CLOEXEC SFD_NONBLOCK EINVAL */
static void flags_are_set_when_asked(void **state)
{
    (void)state;
    sigset_t set = set_of(SIGUSR1);
    int fd = must(do_signalfd4(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));

    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_returns(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    assert_errno(do_signalfd4(-1, &set, 1), EINVAL);
    must(close(fd));
}

/* covers: signalfd */
static void old_call_takes_no_flags(void **state)
{
    (void)state;
    sigset_t set = set_of(SIGUSR1);
    int fd = (int)must(syscall(SYS_signalfd, -1, &set, 8ul));

    assert_returns(fcntl(fd, F_GETFD), 0);
    must(close(fd));
}

/* covers: signalfd EMFILE */
static void old_call_needs_a_free_descriptor(void **state)
{
    (void)state;
    sigset_t set = set_of(SIGUSR1);
    struct rlimit none = {0};

    in_child(must(setrlimit(RLIMIT_NOFILE, &none));
             assert_errno(syscall(SYS_signalfd, -1, &set, 8ul), EMFILE));
}

/* covers: signalfd4 */
static void kill_and_stop_in_the_set_are_ignored(void **state)
{
    (void)state;
    sigset_t set;

    sigfillset(&set);
    must(close(must(do_signalfd4(-1, &set, 0))));
}

/* covers: signalfd4 EINVAL signalfd EINVAL */
static void size_of_the_set_must_fit(void **state)
{
    (void)state;
    sigset_t set = set_of(SIGUSR1);

    assert_errno(syscall(SYS_signalfd4, -1, &set, 4ul, 0), EINVAL);
    assert_errno(syscall(SYS_signalfd4, -1, &set, sizeof set, 0), EINVAL);
    assert_errno(syscall(SYS_signalfd, -1, &set, 4ul), EINVAL);
}

/* covers: signalfd4 EBADF EINVAL */
static void other_descriptors_are_refused(void **state)
{
    (void)state;
    sigset_t set = set_of(SIGUSR1);
    int fd = must(open("/dev/null", O_RDWR));

    assert_errno(do_signalfd4(100000, &set, 0), EBADF);
    assert_errno(do_signalfd4(fd, &set, 0), EINVAL);
    must(close(fd));
}

/* covers: signalfd4 EFAULT read EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    int fd = watch(SIGUSR1, SFD_NONBLOCK);

    assert_errno(do_signalfd4(-1, BAD_PTR, 0), EFAULT);
    assert_errno(syscall(SYS_signalfd, -1, BAD_PTR, 8ul), EFAULT);
    must(raise(SIGUSR1));
    assert_errno(syscall(SYS_read, fd, BAD_PTR, sizeof(struct signalfd_siginfo)), EFAULT);
    struct signalfd_siginfo info;
    (void)!read(fd, &info, sizeof info); /* whether the record was used up is not specified */
    unwatch(fd, SIGUSR1);
}

/* covers: read EINVAL write EINVAL */
static void short_read_and_any_write_are_refused(void **state)
{
    (void)state;
    struct signalfd_siginfo info = {0};
    int fd = watch(SIGUSR1, SFD_NONBLOCK);

    assert_errno(read(fd, &info, sizeof info - 1), EINVAL);
    assert_errno(write(fd, &info, sizeof info), EINVAL);
    unwatch(fd, SIGUSR1);
}

/* covers: read EINTR */
static void waiting_read_is_interrupted_by_other_signals(void **state)
{
    (void)state;
    struct signalfd_siginfo info;
    int fd = watch(SIGUSR1, 0);

    interrupts_start(0);
    assert_errno(read(fd, &info, sizeof info), EINTR);
    interrupts_stop();
    unwatch(fd, SIGUSR1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_describes_a_kill),
        cmocka_unit_test(record_carries_the_value_of_sigqueue),
        cmocka_unit_test(record_describes_a_child),
        cmocka_unit_test(reading_consumes_the_signal),
        cmocka_unit_test(one_read_takes_several_records),
        cmocka_unit_test(signal_that_is_not_in_the_set_stays_pending),
        cmocka_unit_test(set_of_an_open_descriptor_can_be_changed),
        cmocka_unit_test(waiting_read_ends_with_the_signal),
        cmocka_unit_test(poll_reports_a_pending_signal),
        cmocka_unit_test(poll_sleeps_until_the_signal),
        cmocka_unit_test(reader_gets_its_own_signals),
        cmocka_unit_test(flags_are_set_when_asked),
        cmocka_unit_test(old_call_takes_no_flags),
        cmocka_unit_test(old_call_needs_a_free_descriptor),
        cmocka_unit_test(kill_and_stop_in_the_set_are_ignored),
        cmocka_unit_test(size_of_the_set_must_fit),
        cmocka_unit_test(other_descriptors_are_refused),
        cmocka_unit_test(bad_addresses_fault),
        cmocka_unit_test(short_read_and_any_write_are_refused),
        cmocka_unit_test(waiting_read_is_interrupted_by_other_signals),
    };

    return cmocka_run_group_tests_name("ipc/signalfd4", tests, NULL, NULL);
}
