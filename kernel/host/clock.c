/* kernel/host/clock.c: see clock.h. */
#include "host/clock.h"

#include <myst/target.h>

static struct {
    ktime last[HOST_CLOCKS]; /* atomic; the latest time that was told, of the monotonic clocks */
} times;

static const enum target_clock target_clocks[HOST_CLOCKS] = {
    [HOST_CLOCK_MONOTONIC] = TARGET_CLOCK_MONOTONIC,
    [HOST_CLOCK_REALTIME] = TARGET_CLOCK_REALTIME,
    [HOST_CLOCK_BOOTTIME] = TARGET_CLOCK_BOOTTIME,
};

/* Far enough for any machine, and arithmetic on it does not overflow. */
#define TIME_LIMIT (INT64_MAX / 2)

static ktime never_back(enum host_clock clock, ktime now)
{
    ktime last = __atomic_load_n(&times.last[clock], __ATOMIC_RELAXED);

    while (now > last)
        if (__atomic_compare_exchange_n(&times.last[clock], &last, now, true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return now;
    return last;
}

ktime host_clock_read(enum host_clock clock)
{
    ktime now = target_clock_read(target_clocks[clock]);

    if (now < 0)
        now = 0;
    if (now > TIME_LIMIT)
        now = TIME_LIMIT;
    return clock == HOST_CLOCK_REALTIME ? now : never_back(clock, now);
}

ktime host_clock_resolution(enum host_clock clock)
{
    ktime ns = target_clock_resolution(target_clocks[clock]);

    return ns < 1 ? 1 : ns > NSEC_PER_SEC ? NSEC_PER_SEC : ns;
}

ktime host_deadline(s64 sec, s64 nsec)
{
    ktime now = host_clock_read(HOST_CLOCK_MONOTONIC), ahead;

    if (sec > (TIME_LIMIT - NSEC_PER_SEC) / NSEC_PER_SEC)
        return KTIME_FOREVER;
    ahead = sec * NSEC_PER_SEC + nsec;
    return ahead > KTIME_FOREVER - 1 - now ? KTIME_FOREVER : now + ahead;
}

u64 host_vdso_clock_gettime(void)
{
    return target_vdso_clock_gettime();
}

void host_service_wake(void)
{
    target_service_wake();
}
