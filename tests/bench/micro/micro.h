/*
 * tests/bench/micro/micro.h: what the benchmarks of single operations share.
 *
 * A benchmark sets up what it needs, does its operation n times between timing_starts() and
 * timing_ends(), and clears up. What fails ends the program: a figure of a failed call is none.
 */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct bench {
    const char *name;
    void (*run)(long n, long size); /* n operations */
    long size; /* whatever the benchmark makes of it: bytes, threads, descriptors */
    long most; /* operations in a round; 0: any number */
};

/* Each ends with an entry that has no name. */
extern const struct bench bench_calls[], bench_files[], bench_talks[], bench_waits[], bench_tasks[],
    bench_memory[];

void timing_starts(void);
void timing_ends(void);

/* A folder in memory on either kernel (/dev/shm), this process's own, removed at the end. */
const char *scratch(void);
/* The path of a name in it: of a ring of a few buffers. */
const char *scratch_path(const char *name);

static inline long must(long result, const char *what)
{
    if (result == -1) {
        perror(what);
        exit(1);
    }
    return result;
}

#endif
