/* kernel/host/clock.c: reading the host's clocks, with the promise that time does not run backwards. */
#include "host/clock.h"

#include "host/border.h"

#include <myst/boot.h>
#include <myst/target.h>

/* Far enough for any machine, and near enough that sums do not overflow. */
#define TIME_LIMIT (INT64_MAX / 2)

static ktime latest[HOST_CLOCKS]; /* atomic: the newest value that was given out */

static const enum target_clock target_clocks[HOST_CLOCKS] = {
    [HOST_CLOCK_MONOTONIC] = TARGET_CLOCK_MONOTONIC,
    [HOST_CLOCK_REALTIME] = TARGET_CLOCK_REALTIME,
    [HOST_CLOCK_BOOTTIME] = TARGET_CLOCK_BOOTTIME,
};

ktime host_clock_read(enum host_clock clock)
{
    ktime now = target_clock_read(target_clocks[clock]);

    /* a monotonic clock at its end could never come to a deadline behind that: it keeps the last time */
    if (!BORDER(clock_read_range, now >= 0 && now <= TIME_LIMIT))
        now = now < 0 || clock != HOST_CLOCK_REALTIME ? 0 : TIME_LIMIT;
    return clock == HOST_CLOCK_REALTIME ? now
                                        : BORDER_LATEST(clock_read_backwards, &latest[clock], now);
}

ktime host_clock_resolution(enum host_clock clock)
{
    ktime resolution = target_clock_resolution(target_clocks[clock]);

    return BORDER(clock_resolution_range, resolution > 0 && resolution <= NSEC_PER_SEC) ? resolution
                                                                                        : 1;
}

ktime host_deadline(s64 sec, s64 nsec)
{
    ktime now = host_clock_read(HOST_CLOCK_MONOTONIC);

    if (sec > (TIME_LIMIT - NSEC_PER_SEC) / NSEC_PER_SEC)
        return KTIME_FOREVER;
    return now + sec * NSEC_PER_SEC + nsec;
}

u64 host_vdso_clock_gettime(void)
{
    u64 function = target_vdso_clock_gettime();
    bool inside = function >= MYST_HOST_BASE && function < MYST_WINDOW_BASE;

    return BORDER(vdso_place, !function || inside) ? function : 0;
}

void host_service_wake(void)
{
    target_service_wake();
}
