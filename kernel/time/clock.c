/* kernel/time/clock.c: see time.h; clock_getres(2) describes the clocks. */
#include "base/errno.h"
#include "mm/uaccess.h"
#include "time/time.h"
#include "time/vdso.h"

#ifndef CLOCK_TAI
#define CLOCK_TAI 11
#endif

static struct {
    s64 realtime_offset; /* atomic; ns that the instance's real-time clock is ahead of the host's */
} clocks;

void (*time_was_set)(void);

ktime ktime_of(s64 sec, s64 nsec)
{
    if (sec >= KTIME_MAX / NSEC_PER_SEC)
        return KTIME_MAX;
    return sec * NSEC_PER_SEC + nsec;
}

int timespec_from_user(struct timespec *ts, const struct timespec __user *user)
{
    if (!user)
        return 0;
    if (copy_from_user(ts, user, sizeof(*ts)))
        return -EFAULT;
    return timespec_valid(ts) ? 1 : -EINVAL;
}

ktime time_realtime(void)
{
    return host_clock_read(HOST_CLOCK_REALTIME) +
           __atomic_load_n(&clocks.realtime_offset, __ATOMIC_RELAXED);
}

void time_set_realtime(ktime now)
{
    __atomic_store_n(&clocks.realtime_offset, now - host_clock_read(HOST_CLOCK_REALTIME),
                     __ATOMIC_RELAXED);
    vdso_realtime_set();
    if (time_was_set)
        time_was_set();
}

static int host_of(clockid_t clock, enum host_clock *out)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        *out = HOST_CLOCK_REALTIME;
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
        *out = HOST_CLOCK_MONOTONIC;
        return 0;
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        *out = HOST_CLOCK_BOOTTIME;
        return 0;
    default:
        return -EINVAL;
    }
}

int time_read(clockid_t clock, ktime *now)
{
    enum host_clock host;
    int err = host_of(clock, &host);

    if (!err)
        *now = host == HOST_CLOCK_REALTIME ? time_realtime() : host_clock_read(host);
    return err;
}

int time_resolution(clockid_t clock, ktime *ns)
{
    enum host_clock host;
    int err = host_of(clock, &host);

    if (!err)
        *ns = host_clock_resolution(host);
    return err;
}

ktime time_deadline(clockid_t clock, s64 sec, s64 nsec)
{
    ktime when = ktime_of(sec, nsec), now, monotonic = time_monotonic();

    if (when == KTIME_MAX || time_read(clock, &now))
        return KTIME_FOREVER;
    if (when <= now)
        return monotonic; /* past already */
    return when - now > KTIME_FOREVER - 1 - monotonic ? KTIME_FOREVER : monotonic + (when - now);
}
