/* vfork.c: vfork(2), a child that borrows its parent's memory until it execs or exits. */
/* tags: trap */
#include "../lib/child.h"

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static volatile int told;

/* covers: vfork */
static void writes_of_the_child_are_seen_by_the_parent(void **state)
{
    pid_t pid;

    (void)state;
    told = 1;
    pid = vfork();
    if (pid == 0) {
        told = 2;
        _exit(0);
    }
    need(pid > 0);
    need_eq(told, 2);
    need_eq(child_end(pid), 0);
}

/* covers: vfork */
static void parent_is_suspended_until_the_child_exits(void **state)
{
    volatile int steps = 0;
    pid_t pid;

    (void)state;
    told = 0;
    pid = vfork();
    if (pid == 0) {
        struct timespec step = {.tv_nsec = 2000000};

        for (int i = 0; i < 10; i++) {
            SYS(SYS_nanosleep, &step, NULL);
            told++;
        }
        _exit(0);
    }
    steps = told;
    need(pid > 0);
    need_eq(steps, 10);
    need_eq(child_end(pid), 0);
}

/* covers: vfork execve */
static void parent_goes_on_when_the_child_execs(void **state)
{
    int in[2];
    int status;
    pid_t pid;
    char *argv[] = {"cat", NULL}, *envp[] = {NULL};

    (void)state;
    need_eq(pipe2(in, O_CLOEXEC), 0);
    pid = vfork();
    if (pid == 0) {
        dup2(in[0], 0);
        execve("/bin/cat", argv, envp);
        _exit(127);
    }
    need(pid > 0);
    need_eq(waitpid(pid, &status, WNOHANG), 0);
    close(in[0]);
    close(in[1]);
    need_eq(child_end(pid), 0);
}

/* covers: vfork execve ENOENT */
static void child_goes_on_after_a_failed_exec_and_tells_the_parent(void **state)
{
    char *argv[] = {"nothing", NULL}, *envp[] = {NULL};
    pid_t pid;

    (void)state;
    told = 0;
    pid = vfork();
    if (pid == 0) {
        execve("/nonexistent/program", argv, envp);
        told = errno;
        _exit(3);
    }
    need_eq(told, ENOENT);
    need_eq(child_end(pid), 3 << 8);
}

/* covers: vfork */
static void descriptor_table_of_the_child_is_its_own(void **state)
{
    int fd[2];
    pid_t pid;

    (void)state;
    need_eq(pipe(fd), 0);
    pid = vfork();
    if (pid == 0) {
        close(fd[0]);
        close(fd[1]);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need_eq(close(fd[0]), 0);
    need_eq(close(fd[1]), 0);
}

/* covers: vfork */
static void directory_of_the_child_is_its_own(void **state)
{
    char before[4096], after[4096];
    pid_t pid;

    (void)state;
    need(getcwd(before, sizeof before));
    pid = vfork();
    if (pid == 0) {
        _exit(chdir("/proc") == 0 || chdir("/") == 0 ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
    need(getcwd(after, sizeof after));
    need_eq(strcmp(before, after), 0);
}

/* covers: vfork */
static void signal_actions_of_the_child_are_its_own(void **state)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, seen, before;
    pid_t pid;

    (void)state;
    need_eq(sigaction(SIGUSR1, NULL, &before), 0);
    pid = vfork();
    if (pid == 0) {
        sigaction(SIGUSR1, &ignore, NULL);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need_eq(sigaction(SIGUSR1, NULL, &seen), 0);
    need(seen.sa_handler == before.sa_handler);
}

/* covers: vfork */
static void child_of_vfork_has_its_own_pid_and_this_parent(void **state)
{
    static volatile pid_t seen_pid, seen_parent, seen_tid;
    pid_t pid;

    (void)state;
    pid = vfork();
    if (pid == 0) {
        seen_pid = (pid_t)SYS(SYS_getpid);
        seen_tid = (pid_t)SYS(SYS_gettid);
        seen_parent = (pid_t)SYS(SYS_getppid);
        _exit(0);
    }
    need_eq(seen_pid, pid);
    need_eq(seen_tid, pid);
    need_eq(seen_parent, getpid());
    need_eq(child_end(pid), 0);
}

/* covers: vfork */
static void parent_goes_on_when_the_child_is_killed(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    pid = vfork();
    if (pid == 0) {
        SYS(SYS_kill, SYS(SYS_getpid), SIGKILL);
        _exit(1);
    }
    status = child_end(pid);
    need(WIFSIGNALED(status));
    need_eq(WTERMSIG(status), SIGKILL);
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
    (void)sig;
    handled++;
}

static int late_signal_body(void *arg)
{
    struct sigaction act = {.sa_handler = on_signal};
    volatile int before_resume;
    pid_t pid, self = getpid();

    (void)arg;
    handled = 0;
    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
    pid = vfork();
    if (pid == 0) {
        SYS(SYS_kill, self, SIGUSR1);
        told = handled;
        _exit(0);
    }
    before_resume = told;
    need_eq(before_resume, 0);
    need(wait_until(handled == 1));
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: vfork */
static void signal_for_the_suspended_parent_waits_for_the_child(void **state)
{
    (void)state;
    child_passes(late_signal_body, NULL);
}

struct spinner {
    volatile long count;
    volatile int stop;
};

static void *spin(void *arg)
{
    struct spinner *spinner = arg;

    while (!spinner->stop) {
        spinner->count++;
    }
    return NULL;
}

/* covers: vfork */
static void other_threads_of_the_parent_run_while_it_is_suspended(void **state)
{
    struct spinner spinner = {0};
    pthread_t thread;
    volatile long reached = 0;
    pid_t pid;

    (void)state;
    need_eq(pthread_create(&thread, NULL, spin, &spinner), 0);
    need(wait_until(spinner.count > 0));
    pid = vfork();
    if (pid == 0) {
        long start = spinner.count;

        for (int i = 0; i < 5000 && spinner.count < start + 1000; i++) {
            struct timespec step = {.tv_nsec = 1000000};

            SYS(SYS_nanosleep, &step, NULL);
        }
        reached = spinner.count - start;
        _exit(0);
    }
    spinner.stop = 1;
    need_eq(pthread_join(thread, NULL), 0);
    need(reached >= 1000);
    need_eq(child_end(pid), 0);
}

/* covers: vfork */
static void vfork_in_a_vfork_child_returns_in_order(void **state)
{
    static volatile int order[4];
    static volatile int at;
    static volatile pid_t inner;
    pid_t pid;
    int status;

    (void)state;
    at = 0;
    pid = vfork();
    if (pid == 0) {
        inner = vfork();
        if (inner == 0) {
            order[at++] = 1;
            _exit(0);
        }
        order[at++] = 2;
        SYS(SYS_wait4, inner, NULL, 0, NULL);
        _exit(0);
    }
    order[at++] = 3;
    need_eq(waitpid(pid, &status, 0), pid);
    need_eq(status, 0);
    need(order[0] == 1 && order[1] == 2 && order[2] == 3);
}

extern char **environ;

/* covers: vfork clone CLONE_VFORK CLONE_VM */
static void posix_spawn_runs_a_program_and_reports_a_missing_one(void **state)
{
    char *argv[] = {"sh", "-c", "exit 5", NULL};
    pid_t pid;

    (void)state;
    need_eq(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ), 0);
    need_eq(child_end(pid), 5 << 8);
    need_eq(posix_spawn(&pid, "/nonexistent/sh", NULL, NULL, argv, environ), ENOENT);
    need_errno(waitpid(-1, NULL, WNOHANG), ECHILD);
}

/* covers: vfork execve */
static void two_hundred_vfork_and_exec_cycles_lose_nothing(void **state)
{
    char *argv[] = {"true", NULL}, *envp[] = {NULL};
    int status;

    (void)state;
    for (int i = 0; i < 200; i++) {
        pid_t pid = vfork();

        if (pid == 0) {
            execve("/bin/true", argv, envp);
            _exit(127);
        }
        need_eq(waitpid(pid, &status, 0), pid);
        need_eq(status, 0);
    }
}

static int at_the_limit(void *arg)
{
    pid_t pid;

    (void)arg;
    if (getuid() == 0) {
        need_eq(SYS(SYS_setresgid, 54322, 54322, 54322), 0);
        need_eq(SYS(SYS_setresuid, 54322, 54322, 54322), 0);
    }
    need_eq(setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0}), 0);
    pid = vfork();
    if (pid == 0) {
        _exit(0);
    }
    need_eq(pid, -1);
    need_eq(errno, EAGAIN);
    return 0;
}

/* covers: vfork EAGAIN */
static void vfork_beyond_the_process_limit_is_eagain(void **state)
{
    (void)state;
    child_passes(at_the_limit, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_of_the_child_are_seen_by_the_parent),
        cmocka_unit_test(parent_is_suspended_until_the_child_exits),
        cmocka_unit_test(parent_goes_on_when_the_child_execs),
        cmocka_unit_test(child_goes_on_after_a_failed_exec_and_tells_the_parent),
        cmocka_unit_test(descriptor_table_of_the_child_is_its_own),
        cmocka_unit_test(directory_of_the_child_is_its_own),
        cmocka_unit_test(signal_actions_of_the_child_are_its_own),
        cmocka_unit_test(child_of_vfork_has_its_own_pid_and_this_parent),
        cmocka_unit_test(parent_goes_on_when_the_child_is_killed),
        cmocka_unit_test(signal_for_the_suspended_parent_waits_for_the_child),
        cmocka_unit_test(other_threads_of_the_parent_run_while_it_is_suspended),
        cmocka_unit_test(vfork_in_a_vfork_child_returns_in_order),
        cmocka_unit_test(posix_spawn_runs_a_program_and_reports_a_missing_one),
        cmocka_unit_test(two_hundred_vfork_and_exec_cycles_lose_nothing),
        cmocka_unit_test(vfork_beyond_the_process_limit_is_eagain),
    };

    return cmocka_run_group_tests_name("process/vfork", tests, NULL, NULL);
}
