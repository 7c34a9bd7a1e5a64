/* exit.c: exit(2) of a thread, exit_group(2) of a process, and who looks after the children. */
#include "../lib/child.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

/* covers: exit_group NEVER_RETURNS */
static void exit_status_is_cut_to_eight_bits(void **state)
{
    pid_t pid;

    (void)state;
    pid = child_fork();
    if (pid == 0) {
        SYS(SYS_exit_group, 0x1234);
    }
    need_eq(child_end(pid), 0x3400);
}

/* covers: exit NEVER_RETURNS */
static void exit_of_the_only_thread_ends_the_process(void **state)
{
    pid_t pid;

    (void)state;
    pid = child_fork();
    if (pid == 0) {
        SYS(SYS_exit, 11);
    }
    need_eq(child_end(pid), 11 << 8);
}

static void *never_ends(void *arg)
{
    sleep_forever(arg);
    return NULL;
}

static void *spin(void *arg)
{
    volatile long *count = arg;

    for (;;) {
        (*count)++;
    }
    return NULL;
}

static int exit_with_threads(void *arg)
{
    static volatile long count;
    pthread_t thread;

    (void)arg;
    need_eq(pthread_create(&thread, NULL, never_ends, NULL), 0);
    need_eq(pthread_create(&thread, NULL, spin, (void *)&count), 0);
    need(wait_until(count > 0));
    SYS(SYS_exit_group, 12);
    return CHILD_FAILED;
}

/* covers: exit_group NEVER_RETURNS */
static void exit_group_ends_sleeping_and_running_threads(void **state)
{
    (void)state;
    need_eq(child_status(exit_with_threads, NULL), 12 << 8);
}

static void *exit_group_here(void *arg)
{
    SYS(SYS_exit_group, (long)arg);
    return NULL;
}

static int exit_group_in_thread(void *arg)
{
    pthread_t thread;

    need_eq(pthread_create(&thread, NULL, exit_group_here, arg), 0);
    return sleep_forever(NULL);
}

/* covers: exit_group NEVER_RETURNS */
static void exit_group_by_another_thread_gives_the_status(void **state)
{
    (void)state;
    need_eq(child_status(exit_group_in_thread, (void *)13), 13 << 8);
}

struct last {
    pid_t main_tid;
    int status;
};

static void *outlive_main(void *arg)
{
    struct last *last = arg;

    need(wait_until(task_state(last->main_tid, last->main_tid) == 'Z'));
    need_eq(SYS(SYS_getpid), last->main_tid);
    SYS(SYS_exit, last->status);
    return NULL;
}

static int main_thread_leaves_first(void *arg)
{
    static struct last last;
    pthread_t thread;

    last = (struct last){.main_tid = getpid(), .status = (int)(intptr_t)arg};
    need_eq(pthread_create(&thread, NULL, outlive_main, &last), 0);
    SYS(SYS_exit, 14);
    return CHILD_FAILED;
}

/* covers: exit NEVER_RETURNS */
static void process_lives_on_without_its_first_thread(void **state)
{
    (void)state;
    /* The status of the process is that of the thread that leaves last (since Linux 5.17). */
    need_eq(child_status(main_thread_leaves_first, (void *)15), 15 << 8);
}

static void *leave(void *arg)
{
    SYS(SYS_exit, (long)arg);
    return NULL;
}

/* covers: exit NEVER_RETURNS */
static void exit_of_one_thread_leaves_the_others_running(void **state)
{
    pthread_t thread;

    (void)state;
    need_eq(pthread_create(&thread, NULL, leave, (void *)99), 0);
    need_eq(pthread_join(thread, NULL), 0);
}

static int reparent(void *arg)
{
    volatile pid_t *seen = arg;
    pid_t parent = getpid(), middle;
    int status;

    need_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    middle = fork();
    if (middle == 0) {
        pid_t self = getpid();

        if (fork() == 0) {
            need_eq(SYS(SYS_getppid), self);
            *seen = getpid();
            need(wait_until(SYS(SYS_getppid) != self));
            _exit(SYS(SYS_getppid) == parent ? 21 : 22);
        }
        need(wait_until(*seen != 0));
        _exit(0);
    }
    need_eq(waitpid(middle, &status, 0), middle);
    need_eq(status, 0);
    need_eq(waitpid(-1, &status, 0), *seen);
    need_eq(status, 21 << 8);
    return 0;
}

/* covers: exit_group getppid prctl PR_SET_CHILD_SUBREAPER */
static void orphan_goes_to_the_subreaper(void **state)
{
    volatile pid_t *seen = shared_alloc(4096);

    (void)state;
    child_passes(reparent, (void *)seen);
}

/* covers: exit_group getppid */
static void orphan_goes_to_process_one(void **state)
{
    volatile pid_t *seen = shared_alloc(4096);
    pid_t middle;

    (void)state;
    if (getpid() == 1) {
        /* The test itself inherits the orphan. */
        middle = child_fork();
        if (middle == 0) {
            if (fork() == 0) {
                *seen = getpid();
                need(wait_until(SYS(SYS_getppid) == 1));
                _exit(23);
            }
            need(wait_until(*seen != 0));
            _exit(0);
        }
        need_eq(child_end(middle), 0);
        need_eq(child_end(*seen), 23 << 8);
        return;
    }
    skip_because("not process 1");
}

static void *fork_and_leave(void *arg)
{
    volatile pid_t *pid = arg;

    *pid = fork();
    if (*pid == 0) {
        pid_t parent = (pid_t)SYS(SYS_getppid);

        /* The thread that forked ends; its process stays the parent. */
        need(wait_until(task_state(parent, (pid_t)pid[1]) == 0));
        _exit(SYS(SYS_getppid) == parent ? 0 : 1);
    }
    return NULL;
}

static void *fork_thread(void *arg)
{
    volatile pid_t *shared = arg;

    shared[1] = (pid_t)SYS(SYS_gettid);
    return fork_and_leave(arg);
}

static int thread_parent(void *arg)
{
    volatile pid_t *shared = arg;
    pthread_t thread;

    need_eq(pthread_create(&thread, NULL, fork_thread, (void *)shared), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need(shared[0] > 0);
    need_eq(child_end(shared[0]), 0);
    return 0;
}

/* covers: exit getppid */
static void child_of_a_thread_that_ended_stays_with_the_process(void **state)
{
    (void)state;
    /* Private to the process; the child has its own copy with the forking thread's number. */
    pid_t *numbers = calloc(2, sizeof *numbers);

    need(numbers);
    child_passes(thread_parent, numbers);
    free(numbers);
}

/* covers: exit_group NEVER_RETURNS */
static void descriptors_are_closed_at_the_end(void **state)
{
    int fd[2];
    char byte;
    pid_t pid;

    (void)state;
    need_eq(pipe(fd), 0);
    pid = child_fork();
    if (pid == 0) {
        SYS(SYS_exit_group, 0);
    }
    close(fd[1]);
    need_eq(read(fd[0], &byte, 1), 0);
    close(fd[0]);
    need_eq(child_end(pid), 0);
}

static volatile sig_atomic_t chld_pid, chld_code, chld_status, chld_count;

static void on_chld(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    chld_pid = info->si_pid;
    chld_code = info->si_code;
    chld_status = info->si_status;
    chld_count++;
}

static int sigchld_of(int (*body)(void *), void *arg, int code, int status)
{
    struct sigaction act = {.sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_RESTART};
    pid_t pid;

    need_eq(sigaction(SIGCHLD, &act, NULL), 0);
    chld_count = 0;
    pid = child_start(body, arg);
    need(wait_until(chld_count > 0));
    need_eq(chld_pid, pid);
    need_eq(chld_code, code);
    need_eq(chld_status, status);
    child_end(pid);
    return 0;
}

static int die_by(void *arg)
{
    raise((int)(intptr_t)arg);
    return CHILD_FAILED;
}

static int sigchld_body(void *arg)
{
    (void)arg;
    sigchld_of(exit_with, (void *)33, CLD_EXITED, 33);
    sigchld_of(die_by, (void *)SIGTERM, CLD_KILLED, SIGTERM);
    sigchld_of(die_by, (void *)SIGKILL, CLD_KILLED, SIGKILL);
    return 0;
}

/* covers: exit_group rt_sigaction SA_SIGINFO */
static void sigchld_tells_pid_code_and_status(void **state)
{
    (void)state;
    child_passes(sigchld_body, NULL);
}

/* Its end takes long: it has a table of its own, with many pipes before the one that counts. */
static void *leave_slowly(void *end)
{
    need_eq(unshare(CLONE_FILES), 0);
    for (int i = 0; i < 400; i++) {
        int other[2];

        need_eq(pipe(other), 0);
    }
    need(dup((int)(intptr_t)end) > 800);
    SYS(SYS_exit, 0);
    return NULL;
}

/* A thread is joined as soon as it has left its memory: then it begins to close its descriptors. */
static void leave_together(int end)
{
    pthread_t thread;

    need_eq(pthread_create(&thread, NULL, leave_slowly, (void *)(intptr_t)end), 0);
    need_eq(pthread_join(thread, NULL), 0);
    SYS(SYS_exit, 0);
}

/* covers: exit wait4 */
static void end_is_told_when_every_thread_has_closed_its_descriptors(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        int end[2];
        pid_t pid;
        char c;

        need_eq(pipe2(end, O_NONBLOCK), 0);
        pid = child_fork();
        if (pid == 0) {
            leave_together(end[1]);
        }
        close(end[1]);
        need_eq(child_end(pid), 0);
        need_eq(read(end[0], &c, 1), 0);
        close(end[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status_is_cut_to_eight_bits),
        cmocka_unit_test(exit_of_the_only_thread_ends_the_process),
        cmocka_unit_test(exit_group_ends_sleeping_and_running_threads),
        cmocka_unit_test(exit_group_by_another_thread_gives_the_status),
        cmocka_unit_test(process_lives_on_without_its_first_thread),
        cmocka_unit_test(exit_of_one_thread_leaves_the_others_running),
        cmocka_unit_test(orphan_goes_to_the_subreaper),
        cmocka_unit_test(orphan_goes_to_process_one),
        cmocka_unit_test(child_of_a_thread_that_ended_stays_with_the_process),
        cmocka_unit_test(descriptors_are_closed_at_the_end),
        cmocka_unit_test(sigchld_tells_pid_code_and_status),
        cmocka_unit_test(end_is_told_when_every_thread_has_closed_its_descriptors),
    };

    return cmocka_run_group_tests_name("process/exit", tests, NULL, NULL);
}
