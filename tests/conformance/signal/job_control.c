/* job_control.c: stop and continue between parent and child, and groups that lose their parent. */
#include "../lib/child.h"

struct event {
    volatile int code, status, pid;
};

static volatile sig_atomic_t events;
static struct event event[8];

static void on_chld(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    if (events < 8) {
        event[events].code = info->si_code;
        event[events].status = info->si_status;
        event[events].pid = info->si_pid;
    }
    events++;
}

static void watch_children(int flags)
{
    struct sigaction act = {.sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_RESTART | flags};

    events = 0;
    need_eq(sigaction(SIGCHLD, &act, NULL), 0);
}

static void need_event(int index, pid_t pid, int code, int status)
{
    need(wait_until(events > index));
    need_eq(event[index].pid, pid);
    need_eq(event[index].code, code);
    need_eq(event[index].status, status);
}

static int three_codes(void *arg)
{
    int sig = (int)(intptr_t)arg;
    pid_t pid;

    watch_children(0);
    pid = child_start(sleep_forever, NULL);
    need_eq(setpgid(pid, pid), 0);
    need_eq(kill(pid, sig), 0);
    need_event(0, pid, CLD_STOPPED, sig);
    need_eq(kill(pid, SIGCONT), 0);
    need_event(1, pid, CLD_CONTINUED, SIGCONT);
    need_eq(kill(pid, SIGTERM), 0);
    need_event(2, pid, CLD_KILLED, SIGTERM);
    need_eq(child_end(pid), SIGTERM);
    return 0;
}

/* covers: kill rt_sigaction */
static void sigchld_tells_stop_continue_and_end(void **state)
{
    (void)state;
    child_passes(three_codes, (void *)SIGSTOP);
    child_passes(three_codes, (void *)SIGTSTP);
    child_passes(three_codes, (void *)SIGTTIN);
    child_passes(three_codes, (void *)SIGTTOU);
}

/* The child of the case makes the group; a grandchild stops in it and notes what then arrives. */
struct orphan {
    volatile pid_t pid;
    volatile int hangups, continues, parent_left;
};

static struct orphan *orphan;

static void note(int sig)
{
    if (sig == SIGHUP) {
        orphan->hangups++;
    } else {
        orphan->continues++;
    }
}

static int orphaned(void *arg)
{
    bool stop = arg;
    pid_t middle, pid;

    need(setsid() > 0);
    middle = fork();
    if (middle == 0) {
        need_eq(setpgid(0, 0), 0);
        pid = fork();
        if (pid == 0) {
            signal(SIGHUP, note);
            signal(SIGCONT, note);
            orphan->pid = getpid();
            if (stop) {
                raise(SIGSTOP);
            }
            need(wait_until(orphan->parent_left));
            if (stop) {
                need(wait_until(orphan->hangups == 1 && orphan->continues == 1));
            }
            _exit(0);
        }
        if (stop) {
            need_eq(waitpid(pid, NULL, WUNTRACED), pid);
        } else {
            need(wait_until(orphan->pid != 0));
        }
        _exit(0); /* and with it goes the group's link to another group of the session */
    }
    need_eq(child_end(middle), 0);
    orphan->parent_left = 1;
    need(wait_until(kill(orphan->pid, 0) == -1 || task_state(orphan->pid, orphan->pid) == 'Z'));
    return 0;
}

/* covers: exit_group */
static void stopped_group_that_becomes_orphaned_gets_sighup_and_sigcont(void **state)
{
    (void)state;
    orphan = shared_alloc(4096);
    child_passes(orphaned, (void *)1);
    need_eq(orphan->hangups, 1);
    need_eq(orphan->continues, 1);
}

/* covers: exit_group */
static void running_group_that_becomes_orphaned_gets_nothing(void **state)
{
    (void)state;
    orphan = shared_alloc(4096);
    child_passes(orphaned, NULL);
    need_eq(orphan->hangups, 0);
    need_eq(orphan->continues, 0);
}

static volatile sig_atomic_t continued;

static void on_cont(int sig)
{
    (void)sig;
    continued++;
}

static int handles_cont(void *ready)
{
    signal(SIGCONT, on_cont);
    turn_give(ready);
    need(wait_until(continued > 0));
    return 7;
}

/* covers: kill rt_sigaction */
static void sigcont_continues_and_runs_its_handler(void **state)
{
    struct turn ready;
    int status;
    pid_t pid;

    (void)state;
    turn_init(&ready);
    pid = child_start(handles_cont, &ready);
    turn_await(&ready);
    need_eq(kill(pid, SIGSTOP), 0);
    need_eq(waitpid(pid, &status, WUNTRACED), pid);
    need_eq(kill(pid, SIGCONT), 0);
    need_eq(child_end(pid), 7 << 8);
    turn_close(&ready);
}

static int blocks_cont(void *ready)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCONT);
    signal(SIGCONT, on_cont);
    need_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    turn_give(ready);
    int sig;

    /* The stop itself may end the wait with EINTR, see signal(7). */
    do {
        sig = sigwaitinfo(&set, NULL);
    } while (sig == -1 && errno == EINTR);
    need_eq(sig, SIGCONT);
    return continued == 0 ? 8 : 9;
}

/* covers: kill rt_sigprocmask */
static void sigcont_continues_even_when_blocked_or_ignored(void **state)
{
    struct turn ready;
    pid_t pid;

    (void)state;
    turn_init(&ready);
    pid = child_start(blocks_cont, &ready);
    turn_await(&ready);
    need_eq(kill(pid, SIGSTOP), 0);
    need_eq(waitpid(pid, NULL, WUNTRACED), pid);
    need_eq(kill(pid, SIGCONT), 0);
    need_eq(child_end(pid), 8 << 8);
    turn_close(&ready);
}

static int handles_tstp(void *ready)
{
    sigset_t set;
    int sig;

    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    signal(SIGTSTP, SIG_IGN);
    raise(SIGTSTP);
    signal(SIGTSTP, on_cont);
    raise(SIGTSTP);
    need_eq(continued, 1);
    need_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    raise(SIGTSTP);
    turn_give(ready);
    need_eq(sigwait(&set, &sig), 0);
    return 0;
}

/* covers: kill rt_sigaction */
static void sigtstp_can_be_ignored_handled_and_blocked(void **state)
{
    struct turn ready;
    pid_t pid;

    (void)state;
    continued = 0;
    turn_init(&ready);
    pid = child_start(handles_tstp, &ready);
    need_eq(child_end(pid), 0);
    turn_close(&ready);
}

static volatile long *steps;

static int steps_forever(void *arg)
{
    (void)arg;
    for (;;) {
        (*steps)++;
    }
    return 0;
}

/* covers: kill */
static void stopped_process_does_not_run(void **state)
{
    long before;
    pid_t pid;

    (void)state;
    steps = shared_alloc(4096);
    pid = child_start(steps_forever, NULL);
    need(wait_until(*steps > 1000));
    need_eq(kill(pid, SIGSTOP), 0);
    need_eq(waitpid(pid, NULL, WUNTRACED), pid);
    before = *steps;
    for (int i = 0; i < 20; i++) {
        nap();
    }
    need_eq(*steps, before);
    need_eq(kill(pid, SIGCONT), 0);
    need(wait_until(*steps > before));
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

/* covers: kill wait4 WUNTRACED */
static void group_stops_and_continues_as_one(void **state)
{
    pid_t leader = child_start(sleep_forever, NULL), member = child_start(sleep_forever, NULL);
    int status;

    (void)state;
    need_eq(setpgid(leader, leader), 0);
    need_eq(setpgid(member, leader), 0);
    need_eq(kill(-leader, SIGSTOP), 0);
    need_eq(waitpid(leader, &status, WUNTRACED), leader);
    need_eq(waitpid(member, &status, WUNTRACED), member);
    need_eq(kill(-leader, SIGCONT), 0);
    need_eq(waitpid(-leader, &status, WCONTINUED) > 0, 1);
    need_eq(waitpid(-leader, &status, WCONTINUED) > 0, 1);
    need_eq(kill(-leader, SIGKILL), 0);
    need_eq(child_end(leader), SIGKILL);
    need_eq(child_end(member), SIGKILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sigchld_tells_stop_continue_and_end),
        cmocka_unit_test(stopped_group_that_becomes_orphaned_gets_sighup_and_sigcont),
        cmocka_unit_test(running_group_that_becomes_orphaned_gets_nothing),
        cmocka_unit_test(sigcont_continues_and_runs_its_handler),
        cmocka_unit_test(sigcont_continues_even_when_blocked_or_ignored),
        cmocka_unit_test(sigtstp_can_be_ignored_handled_and_blocked),
        cmocka_unit_test(stopped_process_does_not_run),
        cmocka_unit_test(group_stops_and_continues_as_one),
    };

    return cmocka_run_group_tests_name("signal/job_control", tests, NULL, NULL);
}
