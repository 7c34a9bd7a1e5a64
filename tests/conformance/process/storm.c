/*
 * storm.c: processes that are stopped, continued and killed at any moment of their threads, forks,
 * vforks and execs leave nothing behind. The moments follow from a seed; what they meet does not.
 */
/* tags: trap */
#include "../lib/child.h"

#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>

#define VICTIMS 60
#define SEED    20 /* any will do */

static unsigned int seed;

static unsigned int below(unsigned int n)
{
    return (unsigned int)rand_r(&seed) % n;
}

static void pause_us(unsigned int us)
{
    struct timespec span = {.tv_nsec = (long)us * 1000};

    nanosleep(&span, NULL);
}

static void *nothing(void *arg)
{
    return arg;
}

static void make_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, nothing, NULL) == 0) {
        pthread_join(thread, NULL);
    }
}

static void make_process(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void run_program(void)
{
    char *argv[] = {"true", NULL}, *envp[] = {NULL};
    pid_t pid;

    if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, envp) == 0) {
        waitpid(pid, NULL, 0);
    }
}

static void *keep_busy(void *arg)
{
    static void (*const work[])(void) = {make_thread, make_process, run_program};

    for (unsigned int i = (unsigned int)(intptr_t)arg;; i++) {
        work[i % 3]();
    }
    return NULL;
}

/* Until it is killed; some leave grandchildren behind, some become another program. */
static void live(unsigned int kind)
{
    pthread_t thread;

    for (unsigned int i = 0; i < kind % 4; i++) {
        pthread_create(&thread, NULL, keep_busy, (void *)(intptr_t)i);
    }
    if (kind % 3 == 0 && fork() == 0) {
        pause_us(5000);
        _exit(0);
    }
    if (kind % 5 == 0) {
        pause_us(1000);
        execl("/bin/sh", "sh", "-c", "true & true | true; while :; do true; done", NULL);
    }
    keep_busy(NULL);
}

static void torment(pid_t pid)
{
    pause_us(below(6000));
    if (below(2)) {
        need_eq(kill(pid, SIGSTOP), 0);
        pause_us(below(2000));
        if (below(2)) {
            need_eq(kill(pid, SIGCONT), 0);
            pause_us(below(2000));
        }
    }
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

static int none_is_left(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static int storm(void *arg)
{
    (void)arg;
    /* orphans come to this process, so that it sees whether they end */
    need_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    seed = SEED;
    for (unsigned int i = 0; i < VICTIMS; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            live(i);
        }
        need(pid > 0);
        torment(pid);
        if (i % 8 == 7) {
            need(wait_until(none_is_left()));
        }
    }
    need(wait_until(none_is_left()));
    return 0;
}

/* covers: clone clone3 vfork execve exit_group wait4 kill PR_SET_CHILD_SUBREAPER */
static void processes_killed_at_any_moment_leave_nothing_behind(void **state)
{
    (void)state;
    child_passes(storm, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_killed_at_any_moment_leave_nothing_behind),
    };

    return cmocka_run_group_tests_name("process/storm", tests, NULL, NULL);
}
