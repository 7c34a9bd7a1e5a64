/* waitid.c: waitid(2), what exactly happened to a child, looked at or taken. */
#include "../lib/child.h"

#include <sys/resource.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int stop_then_exit(void *arg)
{
    raise((int)(intptr_t)arg);
    return 0;
}

static long wait_raw(int type, long id, siginfo_t *info, int options)
{
    if (info) {
        memset(info, 0xee, sizeof *info);
    }
    return SYS(SYS_waitid, type, id, info, options, NULL);
}

static void kill_and_reap(pid_t pid)
{
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

static void need_info(const siginfo_t *info, pid_t pid, int code, int status)
{
    need_eq(info->si_signo, SIGCHLD);
    need_eq(info->si_code, code);
    need_eq(info->si_errno, 0);
    need_eq(info->si_pid, pid);
    need_eq(info->si_uid, getuid());
    need_eq(info->si_status, status);
}

/* covers: waitid WEXITED */
static void exited_child_shows_its_status(void **state)
{
    pid_t pid = child_start(exit_with, (void *)0x142);
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_PID, pid, &info, WEXITED), 0);
    need_info(&info, pid, CLD_EXITED, 0x42);
}

/* covers: waitid WEXITED */
static void killed_child_shows_its_signal(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    siginfo_t info;

    (void)state;
    need_eq(kill(pid, SIGINT), 0);
    need_eq(wait_raw(P_PID, pid, &info, WEXITED), 0);
    need_info(&info, pid, CLD_KILLED, SIGINT);
}

/* covers: waitid WSTOPPED */
static void stopped_child_shows_the_stop_signal(void **state)
{
    pid_t pid = child_start(stop_then_exit, (void *)SIGSTOP);
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_PID, pid, &info, WSTOPPED), 0);
    need_info(&info, pid, CLD_STOPPED, SIGSTOP);
    kill_and_reap(pid);
}

/* covers: waitid WCONTINUED WSTOPPED */
static void continued_child_shows_sigcont(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    siginfo_t info;

    (void)state;
    need_eq(kill(pid, SIGSTOP), 0);
    need_eq(wait_raw(P_PID, pid, &info, WSTOPPED), 0);
    need_eq(kill(pid, SIGCONT), 0);
    need_eq(wait_raw(P_PID, pid, &info, WCONTINUED), 0);
    need_info(&info, pid, CLD_CONTINUED, SIGCONT);
    kill_and_reap(pid);
}

/* covers: waitid WNOWAIT WEXITED */
static void wnowait_leaves_the_child_waitable(void **state)
{
    pid_t pid = child_start(exit_with, (void *)5);
    siginfo_t info;

    (void)state;
    for (int i = 0; i < 3; i++) {
        need_eq(wait_raw(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
        need_info(&info, pid, CLD_EXITED, 5);
    }
    need_eq(wait_raw(P_PID, pid, &info, WEXITED), 0);
    need_eq(wait_raw(P_PID, pid, &info, WEXITED), -ECHILD);
}

/* covers: waitid WNOWAIT WSTOPPED WNOHANG */
static void wnowait_leaves_a_stop_reportable(void **state)
{
    pid_t pid = child_start(stop_then_exit, (void *)SIGSTOP);
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_PID, pid, &info, WSTOPPED | WNOWAIT), 0);
    need_eq(wait_raw(P_PID, pid, &info, WSTOPPED | WNOHANG), 0);
    need_info(&info, pid, CLD_STOPPED, SIGSTOP);
    need_eq(wait_raw(P_PID, pid, &info, WSTOPPED | WNOHANG), 0);
    need_eq(info.si_signo, 0);
    kill_and_reap(pid);
}

/* covers: waitid WNOHANG */
static void wnohang_with_nothing_to_tell_zeroes_signo_and_pid(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_PID, pid, &info, WEXITED | WNOHANG), 0);
    need_eq(info.si_signo, 0);
    need_eq(info.si_pid, 0);
    need_eq(info.si_code, 0);
    kill_and_reap(pid);
}

/* covers: waitid WSTOPPED WNOHANG */
static void end_is_not_reported_without_wexited(void **state)
{
    pid_t pid = child_start(exit_with, NULL);
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
    need_eq(wait_raw(P_PID, pid, &info, WSTOPPED | WNOHANG), -ECHILD);
    need_eq(child_end(pid), 0);
}

/* covers: waitid EINVAL */
static void options_without_an_event_are_einval(void **state)
{
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_ALL, 0, &info, 0), -EINVAL);
    need_eq(wait_raw(P_ALL, 0, &info, WNOHANG), -EINVAL);
    need_eq(wait_raw(P_ALL, 0, &info, WNOWAIT), -EINVAL);
}

/* covers: waitid EINVAL */
static void unknown_option_or_type_is_einval(void **state)
{
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_ALL, 0, &info, WEXITED | 0x10000), -EINVAL);
    need_eq(wait_raw(17, 0, &info, WEXITED), -EINVAL);
}

/* covers: waitid EINVAL */
static void pid_or_group_out_of_range_is_einval(void **state)
{
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_PID, 0, &info, WEXITED), -EINVAL);
    need_eq(wait_raw(P_PID, -1, &info, WEXITED), -EINVAL);
    need_eq(wait_raw(P_PGID, -1, &info, WEXITED), -EINVAL);
}

/* covers: waitid ECHILD */
static void waitid_of_no_child_is_echild(void **state)
{
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_ALL, 0, &info, WEXITED), -ECHILD);
    need_eq(wait_raw(P_PID, getpid(), &info, WEXITED), -ECHILD);
    need_eq(wait_raw(P_PGID, 0x3ffffffe, &info, WEXITED), -ECHILD);
}

/* covers: waitid EFAULT */
static void bad_info_pointer_is_efault(void **state)
{
    pid_t pid = child_start(exit_with, NULL);

    (void)state;
    need_eq(SYS(SYS_waitid, P_PID, pid, BAD_PTR, WEXITED, NULL), -EFAULT);
}

/* covers: waitid */
static void info_pointer_may_be_null(void **state)
{
    pid_t pid = child_start(exit_with, NULL);

    (void)state;
    need_eq(wait_raw(P_PID, pid, NULL, WEXITED), 0);
    need_eq(wait_raw(P_PID, pid, NULL, WEXITED), -ECHILD);
}

/* covers: waitid */
static void fifth_argument_receives_the_rusage(void **state)
{
    struct rusage usage;
    siginfo_t info;
    pid_t pid = child_start(exit_with, NULL);

    (void)state;
    memset(&usage, 0xff, sizeof usage);
    need_eq(SYS(SYS_waitid, P_PID, pid, &info, WEXITED, &usage), 0);
    need(usage.ru_maxrss > 0);
    need_eq(usage.ru_nswap, 0);
}

static int groups(void *arg)
{
    siginfo_t info;
    pid_t same, other;

    (void)arg;
    need_eq(setpgid(0, 0), 0);
    same = child_start(exit_with, (void *)1);
    other = child_start(sleep_forever, NULL);
    need_eq(setpgid(other, other), 0);
    need_eq(wait_raw(P_PGID, 0, &info, WEXITED), 0);
    need_info(&info, same, CLD_EXITED, 1);
    need_eq(wait_raw(P_PGID, getpid(), &info, WEXITED), -ECHILD);
    need_eq(wait_raw(P_PGID, other, &info, WEXITED | WNOHANG), 0);
    need_eq(info.si_pid, 0);
    need_eq(kill(other, SIGKILL), 0);
    need_eq(wait_raw(P_PGID, other, &info, WEXITED), 0);
    need_info(&info, other, CLD_KILLED, SIGKILL);
    return 0;
}

/* covers: waitid ECHILD WEXITED WNOHANG */
static void group_selects_and_group_zero_is_the_callers(void **state)
{
    (void)state;
    child_passes(groups, NULL);
}

static int open_pidfd(pid_t pid, unsigned flags)
{
    long fd = SYS(SYS_pidfd_open, pid, flags);

    if (fd == -ENOSYS) {
        skip_because("pidfd_open is not in the running kernel");
    }
    need(fd >= 0);
    return (int)fd;
}

/* covers: waitid WEXITED WNOHANG pidfd_open */
static void pidfd_selects_the_child(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int fd = open_pidfd(pid, 0);
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_PIDFD, fd, &info, WEXITED | WNOHANG), 0);
    need_eq(info.si_pid, 0);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(wait_raw(P_PIDFD, fd, &info, WEXITED), 0);
    need_info(&info, pid, CLD_KILLED, SIGKILL);
    need_eq(wait_raw(P_PIDFD, fd, &info, WEXITED), -ECHILD);
    close(fd);
}

/* covers: waitid EBADF EINVAL */
static void pidfd_that_is_none_is_ebadf_and_negative_is_einval(void **state)
{
    siginfo_t info;
    int file = open("/", O_RDONLY);

    (void)state;
    need_eq(wait_raw(P_PIDFD, 1000000, &info, WEXITED), -EBADF);
    need_eq(wait_raw(P_PIDFD, file, &info, WEXITED), -EBADF);
    need_eq(wait_raw(P_PIDFD, -1, &info, WEXITED), -EINVAL);
    close(file);
}

/* covers: waitid EAGAIN pidfd_open PIDFD_NONBLOCK */
static void nonblocking_pidfd_of_a_running_child_is_eagain(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int fd = open_pidfd(pid, O_NONBLOCK);
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_PIDFD, fd, &info, WEXITED), -EAGAIN);
    kill_and_reap(pid);
    close(fd);
}

/* covers: waitid ECHILD */
static void pidfd_of_a_process_that_is_no_child_is_echild(void **state)
{
    int fd = open_pidfd(getpid(), 0);
    siginfo_t info;

    (void)state;
    need_eq(wait_raw(P_PIDFD, fd, &info, WEXITED), -ECHILD);
    close(fd);
}

/* covers: waitid __WALL WEXITED __WCLONE */
static void child_without_exit_signal_needs_wall(void **state)
{
    siginfo_t info;
    long pid;

    (void)state;
    pid = SYS(SYS_clone, 0, 0, 0, 0, 0);
    if (pid == 0) {
        _exit(2);
    }
    need(pid > 0);
    need_eq(wait_raw(P_PID, pid, &info, WEXITED), -ECHILD);
    need_eq(wait_raw(P_PID, pid, &info, WEXITED | __WCLONE | WNOWAIT), 0);
    need_eq(wait_raw(P_PID, pid, &info, WEXITED | __WALL), 0);
    need_info(&info, (pid_t)pid, CLD_EXITED, 2);
}

static int other_user(void *arg)
{
    siginfo_t info;
    pid_t pid;

    (void)arg;
    pid = fork();
    if (pid == 0) {
        need_eq(SYS(SYS_setresuid, 4321, 4322, 4323), 0);
        _exit(0);
    }
    need_eq(wait_raw(P_PID, pid, &info, WEXITED), 0);
    need_eq(info.si_uid, 4321);
    return 0;
}

/* covers: waitid */
static void si_uid_is_the_childs_real_uid(void **state)
{
    (void)state;
    need_root();
    child_passes(other_user, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exited_child_shows_its_status),
        cmocka_unit_test(killed_child_shows_its_signal),
        cmocka_unit_test(stopped_child_shows_the_stop_signal),
        cmocka_unit_test(continued_child_shows_sigcont),
        cmocka_unit_test(wnowait_leaves_the_child_waitable),
        cmocka_unit_test(wnowait_leaves_a_stop_reportable),
        cmocka_unit_test(wnohang_with_nothing_to_tell_zeroes_signo_and_pid),
        cmocka_unit_test(end_is_not_reported_without_wexited),
        cmocka_unit_test(options_without_an_event_are_einval),
        cmocka_unit_test(unknown_option_or_type_is_einval),
        cmocka_unit_test(pid_or_group_out_of_range_is_einval),
        cmocka_unit_test(waitid_of_no_child_is_echild),
        cmocka_unit_test(bad_info_pointer_is_efault),
        cmocka_unit_test(info_pointer_may_be_null),
        cmocka_unit_test(fifth_argument_receives_the_rusage),
        cmocka_unit_test(group_selects_and_group_zero_is_the_callers),
        cmocka_unit_test(pidfd_selects_the_child),
        cmocka_unit_test(pidfd_that_is_none_is_ebadf_and_negative_is_einval),
        cmocka_unit_test(nonblocking_pidfd_of_a_running_child_is_eagain),
        cmocka_unit_test(pidfd_of_a_process_that_is_no_child_is_echild),
        cmocka_unit_test(child_without_exit_signal_needs_wall),
        cmocka_unit_test(si_uid_is_the_childs_real_uid),
    };

    return cmocka_run_group_tests_name("process/waitid", tests, NULL, NULL);
}
