/*
 * tests/fuzz/mock_fuzz.h: what the fuzzers on the mock target share: one instance for each input, in which
 * the main program runs a child and sees to it that everything ends.
 *
 * No finding is false: a program that sleeps is interrupted a few times and then killed. Time of the mock passes only
 * when everybody sleeps, so what has not ended after that never will; what spins is libFuzzer's to notice
 * (-timeout).
 */
#ifndef FUZZ_MOCK_FUZZ_H
#define FUZZ_MOCK_FUZZ_H

#include "mock.h"

#include <asm/unistd_64.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Prints what the instance said, and why this input is a finding; libFuzzer keeps the input. */
void finding(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* This thread looks after the others and naps: what the kernel reads of its memory is what it says, or it never wakes. */
extern _Thread_local bool naps;

/* How long children may sleep. */
struct patience {
    uint64_t nap_s, nap_ns;    /* of the mock's time, which costs nothing */
    int kicks;                 /* naps after each of which sleepers are interrupted by SIGUSR1 */
    int kill_after;            /* naps after which SIGKILL comes */
    void (*before_kill)(void); /* may be NULL */
};
/* Runs until none of the caller's children is left. */
void attend(const struct patience *patience);

/* Blocks what can be blocked and adopts orphans, as the main program; true the first time in an instance. */
bool become_main(void);

/* The usage of the kernel after its caches were emptied; false: the program cannot tell. */
bool usage_take(struct mock_usage *out);

/* An instance whose main program is options->main; panics and hangs are findings. */
void instance_run(const struct mock_options *options);

#endif
