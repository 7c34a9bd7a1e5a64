/* wait4.c: wait4(2), the end, stop and continuation of children. */
#include "../lib/child.h"

#include <pthread.h>
#include <sys/resource.h>

static int stop_then_exit(void *arg)
{
    raise(SIGSTOP);
    return (int)(intptr_t)arg;
}

static long wait_raw(pid_t pid, int *status, int options)
{
    return SYS(SYS_wait4, pid, status, options, NULL);
}

static void kill_and_reap(pid_t pid)
{
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

/* covers: wait4 exit_group */
static void exit_status_has_eight_bits(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    pid = child_start(exit_with, (void *)0x1ff);
    need_eq(wait_raw(pid, &status, 0), pid);
    need(WIFEXITED(status) && !WIFSIGNALED(status) && !WIFSTOPPED(status));
    need_eq(status, 0xff00);
}

/* covers: wait4 */
static void killed_child_shows_its_signal(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int status;

    (void)state;
    need_eq(kill(pid, SIGTERM), 0);
    need_eq(wait_raw(pid, &status, 0), pid);
    need(WIFSIGNALED(status) && !WIFEXITED(status));
    need_eq(status & 0x7f, SIGTERM);
}

/* covers: wait4 */
static void status_pointer_may_be_null(void **state)
{
    pid_t pid = child_start(exit_with, NULL);

    (void)state;
    need_eq(wait_raw(pid, NULL, 0), pid);
}

/* covers: wait4 ECHILD */
static void wait4_of_no_child_is_echild(void **state)
{
    (void)state;
    need_eq(wait_raw(-1, NULL, 0), -ECHILD);
    need_eq(wait_raw(-1, NULL, WNOHANG), -ECHILD);
}

/* covers: wait4 ECHILD */
static void wait4_of_a_process_that_is_no_child_is_echild(void **state)
{
    (void)state;
    need_eq(wait_raw(getpid(), NULL, WNOHANG), -ECHILD);
    need_eq(wait_raw(0x3ffffffe, NULL, WNOHANG), -ECHILD);
}

/* covers: wait4 ECHILD */
static void second_wait_for_the_same_child_is_echild(void **state)
{
    pid_t pid = child_start(exit_with, NULL);

    (void)state;
    need_eq(wait_raw(pid, NULL, 0), pid);
    need_eq(wait_raw(pid, NULL, 0), -ECHILD);
}

/* covers: wait4 ECHILD */
static void wait4_of_a_group_without_children_is_echild(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);

    (void)state;
    need_eq(wait_raw(-0x3ffffffe, NULL, WNOHANG), -ECHILD);
    kill_and_reap(pid);
}

/* covers: wait4 EINVAL */
static void unknown_option_is_einval(void **state)
{
    (void)state;
    need_eq(wait_raw(-1, NULL, 0x10000), -EINVAL);
    need_eq(wait_raw(-1, NULL, WEXITED), -EINVAL);
    need_eq(wait_raw(-1, NULL, WNOWAIT), -EINVAL);
}

/* covers: wait4 ESRCH */
static void smallest_integer_as_pid_is_esrch(void **state)
{
    (void)state;
    need_eq(wait_raw((pid_t)0x80000000, NULL, WNOHANG), -ESRCH);
}

/* covers: wait4 EFAULT */
static void bad_status_pointer_is_efault_but_the_child_is_reaped(void **state)
{
    pid_t pid = child_start(exit_with, NULL);

    (void)state;
    need_eq(wait_raw(pid, BAD_PTR, 0), -EFAULT);
    need_eq(wait_raw(pid, NULL, 0), -ECHILD);
}

/* covers: wait4 WNOHANG */
static void wnohang_returns_zero_while_the_child_runs(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int status = 12345;

    (void)state;
    need_eq(wait_raw(pid, &status, WNOHANG), 0);
    need_eq(wait_raw(-1, &status, WNOHANG), 0);
    need_eq(status, 12345);
    kill_and_reap(pid);
}

/* covers: wait4 WNOHANG */
static void wnohang_returns_a_child_that_ended(void **state)
{
    pid_t pid = child_start(exit_with, (void *)3);
    siginfo_t info;
    int status;

    (void)state;
    need_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    need_eq(wait_raw(pid, &status, WNOHANG), pid);
    need_eq(status, 3 << 8);
}

/* covers: wait4 WUNTRACED */
static void wuntraced_reports_a_stop_once(void **state)
{
    pid_t pid = child_start(stop_then_exit, (void *)4);
    int status;

    (void)state;
    need_eq(wait_raw(pid, &status, WUNTRACED), pid);
    need(WIFSTOPPED(status));
    need_eq(status, SIGSTOP << 8 | 0x7f);
    need_eq(wait_raw(pid, &status, WUNTRACED | WNOHANG), 0);
    need_eq(kill(pid, SIGCONT), 0);
    need_eq(child_end(pid), 4 << 8);
}

/* covers: wait4 WNOHANG */
static void stop_is_not_reported_without_wuntraced(void **state)
{
    pid_t pid = child_start(stop_then_exit, NULL);
    siginfo_t info;

    (void)state;
    need_eq(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
    need_eq(wait_raw(pid, NULL, WNOHANG), 0);
    need_eq(kill(pid, SIGCONT), 0);
    need_eq(child_end(pid), 0);
}

/* covers: wait4 WCONTINUED WUNTRACED */
static void wcontinued_reports_a_continuation_once(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int status;

    (void)state;
    need_eq(kill(pid, SIGSTOP), 0);
    need_eq(wait_raw(pid, &status, WUNTRACED), pid);
    need_eq(wait_raw(pid, &status, WCONTINUED | WNOHANG), 0);
    need_eq(kill(pid, SIGCONT), 0);
    need_eq(wait_raw(pid, &status, WCONTINUED), pid);
    need(WIFCONTINUED(status));
    need_eq(status, 0xffff);
    need_eq(wait_raw(pid, &status, WCONTINUED | WNOHANG), 0);
    kill_and_reap(pid);
}

/* covers: wait4 */
static void stopped_child_can_be_killed(void **state)
{
    pid_t pid = child_start(stop_then_exit, NULL);

    (void)state;
    need_eq(wait_raw(pid, NULL, WUNTRACED), pid);
    kill_and_reap(pid);
}

static int two_groups(void *arg)
{
    pid_t same, other;
    int status;

    (void)arg;
    need_eq(setpgid(0, 0), 0);
    same = child_start(sleep_forever, NULL);
    other = child_start(sleep_forever, NULL);
    need_eq(setpgid(other, other), 0);
    need_eq(kill(other, SIGKILL), 0);
    need_eq(waitid(P_PID, (id_t)other, NULL, WEXITED | WNOWAIT), 0);
    need_eq(wait_raw(0, &status, WNOHANG), 0);
    need_eq(wait_raw(-getpid(), &status, WNOHANG), 0);
    need_eq(wait_raw(-other, &status, 0), other);
    need_eq(wait_raw(-other, &status, 0), -ECHILD);
    need_eq(kill(same, SIGKILL), 0);
    need_eq(wait_raw(0, &status, 0), same);
    need_eq(wait_raw(0, &status, 0), -ECHILD);
    return 0;
}

/* covers: wait4 ECHILD */
static void pid_of_zero_or_less_selects_the_group(void **state)
{
    (void)state;
    child_passes(two_groups, NULL);
}

static int three_children(void *arg)
{
    bool seen[3] = {false};
    int status;

    (void)arg;
    for (intptr_t i = 0; i < 3; i++) {
        child_start(exit_with, (void *)i);
    }
    for (int i = 0; i < 3; i++) {
        need(wait_raw(-1, &status, 0) > 0);
        need(WIFEXITED(status) && WEXITSTATUS(status) < 3 && !seen[WEXITSTATUS(status)]);
        seen[WEXITSTATUS(status)] = true;
    }
    need_eq(wait_raw(-1, &status, 0), -ECHILD);
    return 0;
}

/* covers: wait4 */
static void pid_minus_one_returns_every_child_once(void **state)
{
    (void)state;
    child_passes(three_children, NULL);
}

static int ignored_sigchld(void *arg)
{
    struct turn go;
    pid_t pid;

    (void)arg;
    turn_init(&go);
    signal(SIGCHLD, SIG_IGN);
    pid = fork();
    if (pid == 0) {
        turn_await(&go);
        _exit(0);
    }
    turn_give(&go);
    need_eq(wait_raw(pid, NULL, 0), -ECHILD);
    need(wait_until(kill(pid, 0) == -1 && errno == ESRCH));
    return 0;
}

/* covers: wait4 ECHILD */
static void ignored_sigchld_leaves_no_zombie_and_wait_ends_with_echild(void **state)
{
    (void)state;
    child_passes(ignored_sigchld, NULL);
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
    (void)sig;
    handled++;
}

static int nocldwait(void *arg)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_NOCLDWAIT | SA_RESTART};
    pid_t pid;

    (void)arg;
    need_eq(sigaction(SIGCHLD, &act, NULL), 0);
    pid = child_start(exit_with, NULL);
    need_eq(wait_raw(pid, NULL, 0), -ECHILD);
    need(wait_until(handled == 1));
    return 0;
}

/* covers: wait4 ECHILD SA_NOCLDWAIT rt_sigaction */
static void sa_nocldwait_leaves_no_zombie_but_signals(void **state)
{
    (void)state;
    child_passes(nocldwait, NULL);
}

static int interrupted(void *arg)
{
    bool restart = arg;
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = restart ? SA_RESTART : 0};
    pid_t self = getpid(), pid, killer;

    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
    pid = child_start(sleep_forever, NULL);
    killer = fork();
    if (killer == 0) {
        task_sleeps(self, self);
        need_eq(kill(self, SIGUSR1), 0);
        if (restart) {
            need(wait_until(task_state(self, self) == 'S'));
            need_eq(kill(pid, SIGKILL), 0);
        }
        _exit(0);
    }
    if (restart) {
        need_eq(wait_raw(pid, NULL, 0), pid);
    } else {
        need_eq(wait_raw(pid, NULL, 0), -EINTR);
        need_eq(kill(pid, SIGKILL), 0);
        need_eq(wait_raw(pid, NULL, 0), pid);
    }
    need_eq(handled, 1);
    need_eq(child_end(killer), 0);
    return 0;
}

/* covers: wait4 EINTR */
static void handler_without_sa_restart_interrupts_with_eintr(void **state)
{
    (void)state;
    child_passes(interrupted, NULL);
}

/* covers: wait4 SA_RESTART */
static void handler_with_sa_restart_lets_the_wait_go_on(void **state)
{
    (void)state;
    child_passes(interrupted, (void *)1);
}

static int burn(void *arg)
{
    struct rusage usage;
    volatile unsigned long spin = 0;

    (void)arg;
    do {
        for (int i = 0; i < 100000; i++) {
            spin++;
        }
        need_eq(getrusage(RUSAGE_SELF, &usage), 0);
    } while (usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec < 20000);
    return 0;
}

/* covers: wait4 */
static void rusage_tells_the_childs_time_and_memory(void **state)
{
    struct rusage usage;
    pid_t pid = child_start(burn, NULL);
    int status;

    (void)state;
    memset(&usage, 0xff, sizeof usage);
    need_eq(SYS(SYS_wait4, pid, &status, 0, &usage), pid);
    need_eq(status, 0);
    need(usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 60);
    need(usage.ru_utime.tv_sec > 0 || usage.ru_utime.tv_usec >= 20000);
    need(usage.ru_maxrss > 0);
    need_eq(usage.ru_nsignals, 0);
}

static int burn_in_grandchild(void *arg)
{
    (void)arg;
    need_eq(child_status(burn, NULL), 0);
    return 0;
}

/* covers: wait4 getrusage RUSAGE_CHILDREN */
static void rusage_includes_reaped_grandchildren(void **state)
{
    struct rusage usage;
    pid_t pid = child_start(burn_in_grandchild, NULL);

    (void)state;
    need_eq(SYS(SYS_wait4, pid, NULL, 0, &usage), pid);
    need(usage.ru_utime.tv_sec > 0 || usage.ru_utime.tv_usec >= 20000);
}

/* covers: wait4 EFAULT */
static void bad_rusage_pointer_is_efault(void **state)
{
    pid_t pid = child_start(exit_with, NULL);

    (void)state;
    need_eq(SYS(SYS_wait4, pid, NULL, 0, BAD_PTR), -EFAULT);
}

/* covers: wait4 kill */
static void zombie_keeps_its_pid_until_it_is_waited_for(void **state)
{
    pid_t pid = child_start(exit_with, NULL);

    (void)state;
    need_eq(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
    need_eq(kill(pid, 0), 0);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), 0);
    need_errno(kill(pid, 0), ESRCH);
}

struct thread_wait {
    pid_t pid;
    int options;
    long result;
    int status;
};

static void *wait_in_thread(void *arg)
{
    struct thread_wait *job = arg;

    job->result = wait_raw(job->pid, &job->status, job->options);
    return NULL;
}

/* covers: wait4 */
static void any_thread_may_wait_for_the_child(void **state)
{
    struct thread_wait job = {.pid = child_start(exit_with, (void *)8)};
    pthread_t thread;

    (void)state;
    need_eq(pthread_create(&thread, NULL, wait_in_thread, &job), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(job.result, job.pid);
    need_eq(job.status, 8 << 8);
}

/* covers: wait4 __WNOTHREAD ECHILD */
static void wnothread_sees_only_children_of_the_calling_thread(void **state)
{
    struct thread_wait job = {.pid = child_start(exit_with, NULL), .options = __WNOTHREAD};
    pthread_t thread;

    (void)state;
    need_eq(pthread_create(&thread, NULL, wait_in_thread, &job), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(job.result, -ECHILD);
    need_eq(wait_raw(job.pid, NULL, __WNOTHREAD), job.pid);
}

/* covers: wait4 __WALL __WCLONE ECHILD */
static void ordinary_child_answers_to_wall_and_not_to_wclone(void **state)
{
    pid_t pid = child_start(exit_with, NULL);

    (void)state;
    need_eq(wait_raw(pid, NULL, __WCLONE), -ECHILD);
    need_eq(wait_raw(pid, NULL, __WALL | __WCLONE), pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status_has_eight_bits),
        cmocka_unit_test(killed_child_shows_its_signal),
        cmocka_unit_test(status_pointer_may_be_null),
        cmocka_unit_test(wait4_of_no_child_is_echild),
        cmocka_unit_test(wait4_of_a_process_that_is_no_child_is_echild),
        cmocka_unit_test(second_wait_for_the_same_child_is_echild),
        cmocka_unit_test(wait4_of_a_group_without_children_is_echild),
        cmocka_unit_test(unknown_option_is_einval),
        cmocka_unit_test(smallest_integer_as_pid_is_esrch),
        cmocka_unit_test(bad_status_pointer_is_efault_but_the_child_is_reaped),
        cmocka_unit_test(wnohang_returns_zero_while_the_child_runs),
        cmocka_unit_test(wnohang_returns_a_child_that_ended),
        cmocka_unit_test(wuntraced_reports_a_stop_once),
        cmocka_unit_test(stop_is_not_reported_without_wuntraced),
        cmocka_unit_test(wcontinued_reports_a_continuation_once),
        cmocka_unit_test(stopped_child_can_be_killed),
        cmocka_unit_test(pid_of_zero_or_less_selects_the_group),
        cmocka_unit_test(pid_minus_one_returns_every_child_once),
        cmocka_unit_test(ignored_sigchld_leaves_no_zombie_and_wait_ends_with_echild),
        cmocka_unit_test(sa_nocldwait_leaves_no_zombie_but_signals),
        cmocka_unit_test(handler_without_sa_restart_interrupts_with_eintr),
        cmocka_unit_test(handler_with_sa_restart_lets_the_wait_go_on),
        cmocka_unit_test(rusage_tells_the_childs_time_and_memory),
        cmocka_unit_test(rusage_includes_reaped_grandchildren),
        cmocka_unit_test(bad_rusage_pointer_is_efault),
        cmocka_unit_test(zombie_keeps_its_pid_until_it_is_waited_for),
        cmocka_unit_test(any_thread_may_wait_for_the_child),
        cmocka_unit_test(wnothread_sees_only_children_of_the_calling_thread),
        cmocka_unit_test(ordinary_child_answers_to_wall_and_not_to_wclone),
    };

    return cmocka_run_group_tests_name("process/wait4", tests, NULL, NULL);
}
