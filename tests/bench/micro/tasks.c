/* tests/bench/micro/tasks.c: threads, processes, signals. */
#include "micro.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

extern char **environ;

static void *nothing(void *arg)
{
    return arg;
}

static void create_join(long n, long size)
{
    timing_starts();
    while (n--) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, nothing, NULL) != 0) {
            fputs("pthread_create\n", stderr);
            exit(1);
        }
        pthread_join(thread, NULL);
    }
    timing_ends();
}

/* With so many bytes resident that the child gets a copy of, when it comes to it. */
static void fork_wait(long n, long size)
{
    char *resident = NULL;

    if (size) {
        resident =
            mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        must((long)resident, "mmap");
        memset(resident, 1, (size_t)size);
    }
    timing_starts();
    while (n--) {
        pid_t pid = (pid_t)must(fork(), "fork");
        if (pid == 0)
            _exit(0);
        must(waitpid(pid, NULL, 0), "waitpid");
    }
    timing_ends();
    if (size)
        munmap(resident, (size_t)size);
}

static void spawn_wait(long n, char *program)
{
    char *argv[] = {program, NULL};
    int status;

    timing_starts();
    while (n--) {
        pid_t pid;

        if (posix_spawn(&pid, program, NULL, NULL, argv, environ) != 0) {
            perror(program);
            exit(1);
        }
        must(waitpid(pid, &status, 0), "waitpid");
        if (status) {
            fprintf(stderr, "%s: wait status %d\n", program, status);
            exit(1);
        }
    }
    timing_ends();
}

static void spawn_dynamic(long n, long size)
{
    spawn_wait(n, "/bin/true");
}

/* The static program of this folder, which stands beside this one. */
static void spawn_static(long n, long size)
{
    static char path[4096];
    ssize_t length =
        must(readlink("/proc/self/exe", path, sizeof path - sizeof "nothing"), "readlink");

    path[length] = 0;
    strcpy(strrchr(path, '/') + 1, "nothing");
    spawn_wait(n, path);
}

static void on_signal(int sig)
{
}

static void self_signal(long n, long size)
{
    signal(SIGUSR1, on_signal);
    timing_starts();
    while (n--)
        must(raise(SIGUSR1), "raise");
    timing_ends();
}

const struct bench bench_tasks[] = {
    {"signal_self", self_signal, 0, 0},
    {"thread_create_join", create_join, 0, 0},
    {"fork_exit_wait", fork_wait, 0, 0},
    {"fork_1g_resident", fork_wait, 1L << 30, 16},
    {"spawn_static", spawn_static, 0, 0},
    {"spawn_dynamic", spawn_dynamic, 0, 0},
    {0},
};
