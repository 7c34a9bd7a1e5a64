/*
 * tests/unit/unit.h: what every unit test includes first: libc, cmocka, and random numbers.
 *
 * The random tests print their seed when they start; UNIT_SEED=N repeats a run.
 */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

/* cmocka.h relies on these four. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t random_state;

static inline void random_start(void)
{
    const char *seed = getenv("UNIT_SEED");

    random_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 2654435761u;
    if (random_state == 0)
        random_state = 1;
    print_message("UNIT_SEED=%llu\n", (unsigned long long)random_state);
}

/* xorshift64* */
static inline uint64_t random_u64(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dULL;
}

static inline size_t random_below(size_t limit)
{
    return (size_t)(random_u64() >> 11) % limit;
}

#endif
