/* kernel/host/clock.c: reading the host's clocks, with the promise that time does not run backwards. */
#include "host/clock.h"

#include <myst/target.h>

static ktime latest[TARGET_CLOCKS]; /* atomic: the newest value that was given out */

static const enum target_clock target_clocks[] = {
    [HOST_CLOCK_MONOTONIC] = TARGET_CLOCK_MONOTONIC,
    [HOST_CLOCK_REALTIME] = TARGET_CLOCK_REALTIME,
    [HOST_CLOCK_BOOTTIME] = TARGET_CLOCK_BOOTTIME,
};

ktime host_clock_read(enum host_clock clock)
{
    ktime now = MAX(target_clock_read(target_clocks[clock]), (ktime)0);
    ktime seen;

    if (clock == HOST_CLOCK_REALTIME)
        return now;
    seen = __atomic_load_n(&latest[clock], __ATOMIC_RELAXED);
    while (now > seen) {
        if (__atomic_compare_exchange_n(&latest[clock], &seen, now, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return now;
    }
    return seen;
}

ktime host_clock_resolution(enum host_clock clock)
{
    ktime resolution = target_clock_resolution(target_clocks[clock]);

    return resolution > 0 && resolution <= NSEC_PER_SEC ? resolution : 1;
}
