/* pidfd.c: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2): a descriptor for a process. */
#include "../lib/child.h"

#include <poll.h>

static int pidfd(pid_t pid, unsigned flags)
{
    long fd = SYS(SYS_pidfd_open, pid, flags);

    if (fd == -ENOSYS) {
        skip_because("pidfd_open is not in the running kernel");
    }
    need(fd >= 0);
    return (int)fd;
}

static void kill_and_reap(pid_t pid)
{
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

/* covers: pidfd_open */
static void descriptor_is_close_on_exec(void **state)
{
    int fd = pidfd(getpid(), 0);

    (void)state;
    need_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    need_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    close(fd);
}

/* covers: pidfd_open PIDFD_NONBLOCK */
static void nonblock_flag_is_kept(void **state)
{
    int fd = pidfd(getpid(), O_NONBLOCK);

    (void)state;
    need_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    close(fd);
}

/* covers: pidfd_open EINVAL ESRCH */
static void open_checks_pid_and_flags(void **state)
{
    (void)state;
    close(pidfd(getpid(), 0));
    need_eq(SYS(SYS_pidfd_open, 0, 0), -EINVAL);
    need_eq(SYS(SYS_pidfd_open, -1, 0), -EINVAL);
    need_eq(SYS(SYS_pidfd_open, getpid(), 1), -EINVAL);
    need_eq(SYS(SYS_pidfd_open, 0x3ffffffe, 0), -ESRCH);
}

/* covers: pidfd_open poll */
static void descriptor_is_readable_when_the_process_has_ended(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int fd = pidfd(pid, 0);
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    (void)state;
    need_eq(poll(&ready, 1, 0), 0);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(poll(&ready, 1, PATIENCE_MS), 1);
    need(ready.revents & POLLIN);
    need_eq(child_end(pid), SIGKILL);
    need_eq(poll(&ready, 1, 0), 1);
    close(fd);
}

/* covers: pidfd_open */
static void read_and_write_are_refused(void **state)
{
    int fd = pidfd(getpid(), 0);
    char byte = 0;

    (void)state;
    need_eq(SYS(SYS_read, fd, &byte, 1), -EINVAL);
    need_eq(SYS(SYS_write, fd, &byte, 1), -EINVAL);
    close(fd);
}

/* covers: pidfd_open */
static void zombie_can_be_opened_and_reaped_process_cannot(void **state)
{
    pid_t pid = child_start(exit_with, NULL);
    int fd;

    (void)state;
    need_eq(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
    fd = pidfd(pid, 0);
    need_eq(child_end(pid), 0);
    need_eq(SYS(SYS_pidfd_open, pid, 0), -ESRCH);
    close(fd);
}

/* covers: pidfd_send_signal */
static void signal_reaches_the_process(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int fd = pidfd(pid, 0);

    (void)state;
    need_eq(SYS(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), 0);
    need_eq(child_end(pid), SIGTERM);
    close(fd);
}

/* covers: pidfd_send_signal ESRCH */
static void signal_for_a_reaped_process_is_esrch(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int fd = pidfd(pid, 0);

    (void)state;
    kill_and_reap(pid);
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), -ESRCH);
    need_eq(SYS(SYS_pidfd_send_signal, fd, 0, NULL, 0), -ESRCH);
    close(fd);
}

/* covers: pidfd_send_signal EBADF EINVAL */
static void send_checks_descriptor_signal_and_flags(void **state)
{
    int fd = pidfd(getpid(), 0), file = open("/", O_RDONLY | O_CLOEXEC);
    siginfo_t info = {.si_signo = SIGUSR2, .si_code = SI_QUEUE};

    (void)state;
    need_eq(SYS(SYS_pidfd_send_signal, 1000000, 0, NULL, 0), -EBADF);
    need_eq(SYS(SYS_pidfd_send_signal, file, 0, NULL, 0), -EBADF);
    need_eq(SYS(SYS_pidfd_send_signal, fd, 65, NULL, 0), -EINVAL);
    need_eq(SYS(SYS_pidfd_send_signal, fd, 0, NULL, 1U << 20), -EINVAL);
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0), -EINVAL); /* another number */
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGUSR1, BAD_PTR, 0), -EFAULT);
    close(fd);
    close(file);
}

/* covers: pidfd_send_signal */
static void info_is_passed_on(void **state)
{
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE}, got;
    int fd = pidfd(getpid(), 0);
    sigset_t set, old;

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    need_eq(sigprocmask(SIG_BLOCK, &set, &old), 0);
    info.si_value.sival_int = 99;
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0), 0);
    need_eq(sigtimedwait(&set, &got, &(struct timespec){0}), SIGUSR1);
    need_eq(got.si_code, SI_QUEUE);
    need_eq(got.si_value.sival_int, 99);
    need_eq(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    close(fd);
}

static int send_as_nobody(void *arg)
{
    drop_privileges();
    need_eq(SYS(SYS_pidfd_send_signal, *(int *)arg, SIGTERM, NULL, 0), -EPERM);
    return 0;
}

/* covers: pidfd_send_signal EPERM */
static void signal_for_another_user_is_eperm(void **state)
{
    int fd;

    (void)state;
    need_root();
    fd = pidfd(getpid(), 0);
    child_passes(send_as_nobody, &fd);
    close(fd);
}

struct file_owner {
    volatile int fd;
};

static int own_a_file(void *arg)
{
    struct file_owner *owner = arg;
    int fd = memfd_create("owned", 0);

    need_eq(write(fd, "from the child", 14), 14);
    owner->fd = fd;
    return sleep_forever(NULL);
}

/* covers: pidfd_getfd */
static void descriptor_of_another_process_is_fetched(void **state)
{
    struct file_owner *owner = shared_alloc(4096);
    pid_t pid;
    int fd, got;
    char text[15] = "";

    (void)state;
    owner->fd = -1;
    pid = child_start(own_a_file, owner);
    need(wait_until(owner->fd >= 0));
    fd = pidfd(pid, 0);
    got = (int)SYS(SYS_pidfd_getfd, fd, owner->fd, 0);
    if (got == -EPERM) {
        kill_and_reap(pid);
        skip_because("no privilege to look into another process");
    }
    need(got >= 0);
    need_eq(fcntl(got, F_GETFD), FD_CLOEXEC);
    need_eq(lseek(got, 0, SEEK_CUR), 14);
    need_eq(pread(got, text, 14, 0), 14);
    need_eq(strcmp(text, "from the child"), 0);
    close(got);
    close(fd);
    kill_and_reap(pid);
}

/* covers: pidfd_getfd EBADF EINVAL */
static void getfd_checks_its_arguments(void **state)
{
    int fd = pidfd(getpid(), 0);

    (void)state;
    need_eq(SYS(SYS_pidfd_getfd, 1000000, 0, 0), -EBADF);
    need_eq(SYS(SYS_pidfd_getfd, fd, 1000000, 0), -EBADF);
    need_eq(SYS(SYS_pidfd_getfd, fd, 0, 1), -EINVAL);
    close(fd);
}

/* covers: pidfd_getfd ESRCH */
static void getfd_of_a_reaped_process_is_esrch(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int fd = pidfd(pid, 0);

    (void)state;
    kill_and_reap(pid);
    need_eq(SYS(SYS_pidfd_getfd, fd, 0, 0), -ESRCH);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptor_is_close_on_exec),
        cmocka_unit_test(nonblock_flag_is_kept),
        cmocka_unit_test(open_checks_pid_and_flags),
        cmocka_unit_test(descriptor_is_readable_when_the_process_has_ended),
        cmocka_unit_test(read_and_write_are_refused),
        cmocka_unit_test(zombie_can_be_opened_and_reaped_process_cannot),
        cmocka_unit_test(signal_reaches_the_process),
        cmocka_unit_test(signal_for_a_reaped_process_is_esrch),
        cmocka_unit_test(send_checks_descriptor_signal_and_flags),
        cmocka_unit_test(info_is_passed_on),
        cmocka_unit_test(signal_for_another_user_is_eperm),
        cmocka_unit_test(descriptor_of_another_process_is_fetched),
        cmocka_unit_test(getfd_checks_its_arguments),
        cmocka_unit_test(getfd_of_a_reaped_process_is_esrch),
    };

    return cmocka_run_group_tests_name("process/pidfd", tests, NULL, NULL);
}
