/*
 * tests/bench/micro/timed.c: times a command of the shell on the kernel that it runs on.
 *
 * `timed COUNT COMMAND [SETUP]` runs SETUP, then COMMAND once to warm up, then COUNT times, SETUP before
 * each, and prints the median of the nanoseconds that COMMAND took, its shell included. Standard output
 * goes nowhere. A command that fails ends it.
 */
#include "micro.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#define COUNT_MAX 100

extern char **environ;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double run(char *command)
{
    char *argv[] = {"bash", "-c", command, NULL};
    double start = now();
    int status;
    pid_t pid;

    if (posix_spawn(&pid, "/bin/bash", NULL, NULL, argv, environ) != 0) {
        perror("/bin/bash");
        exit(1);
    }
    must(waitpid(pid, &status, 0), "waitpid");
    if (status) {
        fprintf(stderr, "wait status %#x: %s\n", (unsigned)status, command);
        exit(1);
    }
    return now() - start;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int count = argc >= 3 ? atoi(argv[1]) : 0;
    double times[COUNT_MAX];

    if (count < 1 || count > COUNT_MAX || argc > 4) {
        fputs("usage: timed COUNT COMMAND [SETUP]\n", stderr);
        return 2;
    }
    int out = (int)must(dup(STDOUT_FILENO), "dup");
    int null = (int)must(open("/dev/null", O_WRONLY), "/dev/null");
    must(fcntl(out, F_SETFD, FD_CLOEXEC), "FD_CLOEXEC");
    must(dup2(null, STDOUT_FILENO), "dup2");
    for (int i = -1; i < count; i++) {
        if (argc == 4)
            run(argv[3]);
        double spent = run(argv[2]);
        if (i >= 0)
            times[i] = spent;
    }
    qsort(times, (size_t)count, sizeof times[0], compare);
    dprintf(out, "%.0f\n", times[count / 2]);
    return 0;
}
