/* mq_notify.c: mq_notify(2): signals and datagrams when a message comes to an empty queue. */
#include "mq.h"

#include <sys/socket.h>

/* covers: mq_notify SIGEV_SIGNAL EBUSY */
static void notification_sends_a_signal_once(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    int mq = new_queue(0, 8, 64);

    catch_signal(SIGUSR1, 0);
    must(syscall(SYS_mq_notify, mq, &event));
    assert_errno(syscall(SYS_mq_notify, mq, &event), EBUSY);
    must(put(mq, "1", 0, NULL));
    assert_eventually(caught[SIGUSR1] == 1);
    must(put(mq, "2", 0, NULL));
    assert_next(mq, "1", 0);
    assert_next(mq, "2", 0);
    must(put(mq, "3", 0, NULL));
    assert_int_equal(caught[SIGUSR1], 1);
    must(syscall(SYS_mq_notify, mq, &event)); /* can be asked for again */
    must(syscall(SYS_mq_notify, mq, NULL));
    default_signal(SIGUSR1);
    drop(mq);
}

/* covers: mq_notify EINVAL EBADF EFAULT */
static void bad_notifications_are_refused(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = 77};
    int mq = new_queue(0, 8, 64);

    assert_errno(syscall(SYS_mq_notify, mq, &event), EINVAL);
    event = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
    assert_errno(syscall(SYS_mq_notify, mq, &event), EINVAL);
    event.sigev_signo = SIGUSR1;
    assert_errno(syscall(SYS_mq_notify, -1, &event), EBADF);
    assert_errno(syscall(SYS_mq_notify, mq, BAD_PTR), EFAULT);
    drop(mq);
}

static siginfo_t told;

static void note_info(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    told = *info;
    caught[SIGUSR1]++;
}

/* covers: mq_notify SIGEV_SIGNAL rt_sigaction SI_MESGQ */
static void notification_tells_who_has_sent(void **state)
{
    (void)state;
    struct sigaction action = {.sa_sigaction = note_info, .sa_flags = SA_SIGINFO};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    int mq = new_queue(0, 8, 64);
    pid_t pid;

    event.sigev_value.sival_int = 4711;
    caught[SIGUSR1] = 0;
    must(sigaction(SIGUSR1, &action, NULL));
    must(syscall(SYS_mq_notify, mq, &event));
    pid = child_fork();
    if (pid == 0) {
        must(put(mq, "x", 0, NULL));
        _exit(0);
    }
    assert_child_ok(pid);
    assert_eventually(caught[SIGUSR1] == 1);
    assert_int_equal(told.si_code, SI_MESGQ);
    assert_int_equal(told.si_pid, pid);
    assert_int_equal(told.si_uid, getuid());
    assert_int_equal(told.si_value.sival_int, 4711);
    default_signal(SIGUSR1);
    drop(mq);
}

/* covers: mq_notify mq_timedreceive */
static void waiting_receiver_comes_before_the_notification(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct gate *gate = gate_new();
    int mq = new_queue(0, 8, 64);
    pid_t pid = child_fork();

    if (pid == 0) {
        gate_open(gate);
        assert_next(mq, "1", 0);
        _exit(0);
    }
    gate_wait_blocked(gate);
    catch_signal(SIGUSR1, 0);
    must(syscall(SYS_mq_notify, mq, &event));
    must(put(mq, "1", 0, NULL));
    assert_child_ok(pid);
    assert_int_equal(caught[SIGUSR1], 0);
    must(put(mq, "2", 0, NULL)); /* is still to be told */
    assert_eventually(caught[SIGUSR1] == 1);
    default_signal(SIGUSR1);
    drop(mq);
}

/* covers: mq_notify SIGEV_NONE EBUSY close */
static void notification_ends_with_the_descriptor(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    int mq = new_queue(0, 8, 64), other = must(do_open(O_RDWR, 0, NULL));

    must(syscall(SYS_mq_notify, mq, &event));
    in_child(assert_errno(syscall(SYS_mq_notify, mq, &event), EBUSY);
             must(syscall(SYS_mq_notify, mq, NULL)); /* another's stays */
             assert_errno(syscall(SYS_mq_notify, mq, &event), EBUSY));
    assert_errno(syscall(SYS_mq_notify, mq, &event), EBUSY);
    must(close(other));
    must(syscall(SYS_mq_notify, mq, &event));
    in_child(must(close(mq)));
    assert_errno(syscall(SYS_mq_notify, mq, &event), EBUSY);
    drop(mq);
}

/* covers: mq_notify SIGEV_THREAD EFAULT EBADF EINVAL */
static void notified_thread_needs_a_socket(void **state)
{
    (void)state;
    char cookie[32] = "";
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_signo = -1};
    int mq = new_queue(0, 8, 64), fds[2];

    event.sigev_value.sival_ptr = BAD_PTR;
    assert_errno(syscall(SYS_mq_notify, mq, &event), EFAULT);
    event.sigev_value.sival_ptr = cookie;
    assert_errno(syscall(SYS_mq_notify, mq, &event), EBADF);
    must(pipe(fds));
    event.sigev_signo = fds[0];
    assert_int_equal(syscall(SYS_mq_notify, mq, &event), -1);
    must(close(fds[0]));
    must(close(fds[1]));
    drop(mq);
}

/* covers: mq_notify SIGEV_THREAD recvfrom */
static void socket_gets_the_cookie_back(void **state)
{
    (void)state;
    char cookie[32] = "the cookie", seen[64];
    int mq = new_queue(0, 8, 64), fd = must(socket(AF_NETLINK, SOCK_RAW, 0));
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_signo = fd};

    event.sigev_value.sival_ptr = cookie;
    must(syscall(SYS_mq_notify, mq, &event));
    assert_errno(syscall(SYS_mq_notify, mq, &event), EBUSY);
    assert_errno(recv(fd, seen, sizeof seen, MSG_DONTWAIT), EAGAIN);
    must(put(mq, "x", 0, NULL));
    assert_returns(recv(fd, seen, sizeof seen, MSG_DONTWAIT), 32);
    assert_memory_equal(seen, cookie, 31);
    assert_int_equal(seen[31], 1); /* NOTIFY_WOKENUP */
    must(put(mq, "y", 0, NULL));
    assert_errno(recv(fd, seen, sizeof seen, MSG_DONTWAIT), EAGAIN);

    /* Given up, it comes back too. */
    must(syscall(SYS_mq_notify, mq, &event));
    must(syscall(SYS_mq_notify, mq, NULL));
    assert_returns(recv(fd, seen, sizeof seen, MSG_DONTWAIT), 32);
    assert_memory_equal(seen, cookie, 31);
    assert_int_equal(seen[31], 2); /* NOTIFY_REMOVED */
    must(close(fd));
    drop(mq);
}

static volatile int thread_value;

static void note_value(union sigval value)
{
    thread_value = value.sival_int;
}

/* covers: mq_notify SIGEV_THREAD */
static void function_runs_on_a_thread_of_its_own(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = note_value};
    int mq = new_queue(0, 8, 64);

    event.sigev_value.sival_int = 4711;
    must(mq_notify(mq, &event));
    must(put(mq, "x", 0, NULL));
    assert_eventually(thread_value == 4711);
    drop(mq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notification_sends_a_signal_once),
        cmocka_unit_test(bad_notifications_are_refused),
        cmocka_unit_test(notification_tells_who_has_sent),
        cmocka_unit_test(waiting_receiver_comes_before_the_notification),
        cmocka_unit_test(notification_ends_with_the_descriptor),
        cmocka_unit_test(notified_thread_needs_a_socket),
        cmocka_unit_test(socket_gets_the_cookie_back),
        cmocka_unit_test(function_runs_on_a_thread_of_its_own),
    };

    return cmocka_run_group_tests_name("ipc/mq_notify", tests, NULL, NULL);
}
