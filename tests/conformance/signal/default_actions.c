/* default_actions.c: signal(7), what each signal does to a process that did not ask for it. */
#include "../lib/child.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const int terminating[] = {SIGHUP,    SIGINT,  SIGQUIT, SIGILL,    SIGTRAP, SIGABRT,
                                  SIGBUS,    SIGFPE,  SIGKILL, SIGUSR1,   SIGSEGV, SIGUSR2,
                                  SIGPIPE,   SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU, SIGXFSZ,
                                  SIGVTALRM, SIGPROF, SIGPOLL, SIGPWR,    SIGSYS};
static const int stopping[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
static const int harmless[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};

/* A group of its own in the test's session, so that the group is no orphan and can be stopped. */
static int sleeper(void *ready)
{
    for (int sig = 1; sig <= 64; sig++) {
        signal(sig, SIG_DFL);
    }
    turn_give(ready);
    return sleep_forever(NULL);
}

static pid_t start_sleeper(void)
{
    struct turn ready;
    pid_t pid;

    turn_init(&ready);
    pid = child_start(sleeper, &ready);
    turn_await(&ready);
    turn_close(&ready);
    return pid;
}

/* covers: kill */
static void terminating_signals_kill_and_show_their_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(terminating); i++) {
        pid_t pid = start_sleeper();

        need_eq(kill(pid, terminating[i]), 0);
        need_eq(child_end(pid) & 0x7f, terminating[i]);
    }
}

/* covers: kill */
static void real_time_signals_kill(void **state)
{
    (void)state;
    for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++) {
        pid_t pid = start_sleeper();

        need_eq(kill(pid, sig), 0);
        need_eq(child_end(pid), sig);
    }
}

/* covers: kill */
static void ignored_kinds_do_nothing(void **state)
{
    pid_t pid = start_sleeper();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        need_eq(kill(pid, harmless[i]), 0);
    }
    need_eq(waitpid(pid, NULL, WNOHANG), 0);
    need_eq(kill(pid, SIGTERM), 0);
    need_eq(child_end(pid), SIGTERM);
}

static int stop_each(void *arg)
{
    /* The children's group has a parent in another group of the session: it is no orphan. */
    pid_t pid;
    int status;

    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(stopping); i++) {
        pid = start_sleeper();
        need_eq(setpgid(pid, pid), 0);
        need_eq(kill(pid, stopping[i]), 0);
        need_eq(waitpid(pid, &status, WUNTRACED), pid);
        need(WIFSTOPPED(status));
        need_eq(WSTOPSIG(status), stopping[i]);
        need_eq(task_state(pid, pid), 'T');
        need_eq(kill(pid, SIGCONT), 0);
        need_eq(waitpid(pid, &status, WCONTINUED), pid);
        need(WIFCONTINUED(status));
        need_eq(kill(pid, SIGKILL), 0);
        need_eq(child_end(pid), SIGKILL);
    }
    return 0;
}

/* covers: kill wait4 WUNTRACED WCONTINUED */
static void stopping_signals_stop_until_sigcont(void **state)
{
    (void)state;
    child_passes(stop_each, NULL);
}

static int orphaned_group(void *arg)
{
    struct turn ready;
    int status;
    pid_t pid;

    (void)arg;
    turn_init(&ready);
    need(setsid() > 0);
    pid = fork();
    if (pid == 0) {
        /* In the leader's own group of a new session: nobody outside could continue it. */
        turn_give(&ready);
        sleep_forever(NULL);
    }
    turn_await(&ready);
    need_eq(kill(pid, SIGTSTP), 0);
    need_eq(kill(pid, SIGTTIN), 0);
    need_eq(kill(pid, SIGTTOU), 0);
    need_eq(kill(pid, SIGCONT), 0);
    need_eq(kill(pid, SIGSTOP), 0);
    need_eq(waitpid(pid, &status, WUNTRACED), pid);
    need_eq(WSTOPSIG(status), SIGSTOP);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
    return 0;
}

/* covers: kill */
static void orphaned_group_is_stopped_by_sigstop_only(void **state)
{
    (void)state;
    child_passes(orphaned_group, NULL);
}

/* covers: kill */
static void sigkill_ends_a_stopped_process(void **state)
{
    pid_t pid = start_sleeper();

    (void)state;
    need_eq(kill(pid, SIGSTOP), 0);
    need_eq(waitpid(pid, NULL, WUNTRACED), pid);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

/* covers: kill */
static void other_signals_wait_while_a_process_is_stopped(void **state)
{
    pid_t pid = start_sleeper();
    int status;

    (void)state;
    need_eq(kill(pid, SIGSTOP), 0);
    need_eq(waitpid(pid, NULL, WUNTRACED), pid);
    need_eq(kill(pid, SIGTERM), 0);
    need_eq(waitpid(pid, &status, WNOHANG), 0);
    need_eq(task_state(pid, pid), 'T');
    need_eq(kill(pid, SIGCONT), 0);
    need_eq(child_end(pid), SIGTERM);
}

static int stop_and_continue(void *arg)
{
    sigset_t set, pending;

    (void)arg;
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    sigaddset(&set, SIGCONT);
    need_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    need_eq(raise(SIGTSTP), 0);
    need_eq(sigpending(&pending), 0);
    need(sigismember(&pending, SIGTSTP));
    need_eq(raise(SIGCONT), 0);
    need_eq(sigpending(&pending), 0);
    need(!sigismember(&pending, SIGTSTP));
    need_eq(raise(SIGTSTP), 0);
    need_eq(sigpending(&pending), 0);
    need(sigismember(&pending, SIGTSTP));
    need(!sigismember(&pending, SIGCONT));
    return 0;
}

/* covers: kill rt_sigpending */
static void stop_and_continue_signals_discard_each_other(void **state)
{
    (void)state;
    child_passes(stop_and_continue, NULL);
}

static void *never_ends(void *arg)
{
    sleep_forever(arg);
    return NULL;
}

static int many_threads(void *ready)
{
    pthread_t thread;

    for (int i = 0; i < 3; i++) {
        need_eq(pthread_create(&thread, NULL, never_ends, NULL), 0);
    }
    return sleeper(ready);
}

/* covers: kill */
static void stop_and_end_concern_all_threads(void **state)
{
    struct turn ready;
    pid_t pid;

    (void)state;
    turn_init(&ready);
    pid = child_start(many_threads, &ready);
    turn_await(&ready);
    need_eq(kill(pid, SIGSTOP), 0);
    need_eq(waitpid(pid, NULL, WUNTRACED), pid);
    need_eq(kill(pid, SIGCONT), 0);
    need_eq(waitpid(pid, NULL, WCONTINUED), pid);
    need_eq(kill(pid, SIGUSR1), 0);
    need_eq(child_end(pid), SIGUSR1);
    turn_close(&ready);
}

static int fatal_signal_in_thread(void *arg)
{
    pthread_t thread;

    (void)arg;
    need_eq(pthread_create(&thread, NULL, never_ends, NULL), 0);
    need_eq(pthread_kill(thread, SIGUSR2), 0);
    return sleep_forever(NULL);
}

/* covers: tgkill */
static void fatal_signal_for_one_thread_ends_the_process(void **state)
{
    (void)state;
    need_eq(child_status(fatal_signal_in_thread, NULL), SIGUSR2);
}

static int write_without_reader(void *arg)
{
    int fd[2];

    (void)arg;
    need_eq(pipe(fd), 0);
    close(fd[0]);
    need_eq(write(fd[1], "x", 1), -1);
    return CHILD_FAILED;
}

/* covers: write EPIPE */
static void write_to_a_pipe_without_reader_kills_by_sigpipe(void **state)
{
    (void)state;
    need_eq(child_status(write_without_reader, NULL), SIGPIPE);
}

/* covers: alarm */
static void alarm_kills_by_sigalrm(void **state)
{
    pid_t pid;

    (void)state;
    pid = child_fork();
    if (pid == 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(1);
        sleep_forever(NULL);
    }
    need_eq(child_end(pid), SIGALRM);
}

/* covers: kill */
static void process_one_is_not_killed_from_inside(void **state)
{
    pid_t pid;

    (void)state;
    if (getpid() != 1) {
        skip_because("not process 1 of a namespace");
    }
    /* Process 1 of a namespace gets from inside only what it has a handler for. */
    pid = fork();
    if (pid == 0) {
        need_eq(kill(1, SIGTERM), 0);
        need_eq(kill(1, SIGKILL), 0);
        need_eq(kill(1, SIGSTOP), 0);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
}

/* covers: kill */
static void ignored_signal_does_nothing_and_the_default_kills(void **state)
{
    pid_t pid;

    (void)state;
    pid = child_fork();
    if (pid == 0) {
        signal(SIGTERM, SIG_IGN);
        need_eq(raise(SIGTERM), 0);
        signal(SIGTERM, SIG_DFL);
        raise(SIGTERM);
        _exit(0);
    }
    need_eq(child_end(pid), SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminating_signals_kill_and_show_their_number),
        cmocka_unit_test(real_time_signals_kill),
        cmocka_unit_test(ignored_kinds_do_nothing),
        cmocka_unit_test(stopping_signals_stop_until_sigcont),
        cmocka_unit_test(orphaned_group_is_stopped_by_sigstop_only),
        cmocka_unit_test(sigkill_ends_a_stopped_process),
        cmocka_unit_test(other_signals_wait_while_a_process_is_stopped),
        cmocka_unit_test(stop_and_continue_signals_discard_each_other),
        cmocka_unit_test(stop_and_end_concern_all_threads),
        cmocka_unit_test(fatal_signal_for_one_thread_ends_the_process),
        cmocka_unit_test(write_to_a_pipe_without_reader_kills_by_sigpipe),
        cmocka_unit_test(alarm_kills_by_sigalrm),
        cmocka_unit_test(process_one_is_not_killed_from_inside),
        cmocka_unit_test(ignored_signal_does_nothing_and_the_default_kills),
    };

    return cmocka_run_group_tests_name("signal/default_actions", tests, NULL, NULL);
}
