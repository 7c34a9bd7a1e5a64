/*
 * tests/bench/micro/main.c: times single operations of the kernel that it runs on.
 *
 * `micro NAME…` prints a line NAME NANOSECONDS for each; `micro` alone prints the names. An operation is
 * repeated until the clock has something to measure: the median of a few rounds counts.
 */
#include "micro.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS   5
#define ROUND_NS 20000000 /* a round lasts at least this long */

static char folder[64];

const char *scratch(void)
{
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "/dev/shm/bench-%d", (int)getpid());
        must(mkdir(folder, 0700), folder);
    }
    return folder;
}

const char *scratch_path(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", scratch(), name);
    return path;
}

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t started, ended;

void timing_starts(void)
{
    started = now();
}

void timing_ends(void)
{
    ended = now();
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double measure(const struct bench *bench)
{
    double each[ROUNDS];
    long n = 1;

    for (int round = 0; round < ROUNDS;) {
        bench->run(n, bench->size);
        uint64_t spent = ended - started;

        if (spent < ROUND_NS && (!bench->most || n < bench->most)) {
            n *= spent > ROUND_NS / 8 ? 2 : 4;
            if (bench->most && n > bench->most)
                n = bench->most;
            continue;
        }
        each[round++] = (double)spent / (double)n;
    }
    qsort(each, ROUNDS, sizeof each[0], compare);
    return each[ROUNDS / 2];
}

/* A child of its own for each: what one does to the process must not slow the next. */
static int run(const struct bench *bench)
{
    pid_t pid = (pid_t)must(fork(), "fork");
    int status;

    if (pid == 0) {
        printf("%s %.2f\n", bench->name, measure(bench));
        fflush(stdout);
        if (folder[0])
            must(rmdir(folder), "rmdir of what should be empty");
        _exit(0);
    }
    must(waitpid(pid, &status, 0), "waitpid");
    return status;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int arg = 1; arg < argc; arg++) {
        if (strcmp(argv[arg], name) == 0)
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    const struct bench *const tables[] = {bench_calls, bench_files, bench_talks,
                                          bench_waits, bench_tasks, bench_memory};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct bench *bench = tables[i]; bench->name; bench++) {
            if (argc == 1)
                puts(bench->name);
            else if (is_wanted(bench->name, argc, argv) && run(bench) != 0)
                return 1;
        }
    }
    return 0;
}
