/*
 * kernel/task/adjtime.c: adjtimex(2), clock_adjtime(2), settimeofday(2). The host alone disciplines its clock; inside,
 * the real-time clock can be stepped, and all else of the clock's state is told as that of one that nobody adjusts.
 */
#include "base/errno.h"
#include "base/string.h"
#include "cred/cred.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "syscall_proto.h"
#include "task/task.h"
#include "time/time.h"

#include <linux/capability.h>
#include <linux/timex.h>

#define TICK_USEC        10000        /* 100 ticks a second */
#define TOLERANCE        (500L << 16) /* ppm with 16 binary places */
#define ERROR_LIMIT_USEC 16000000     /* of a clock that has not been compared with another */
#define MICROSECOND      1

/* What can be changed: the time. ADJ_MICRO and ADJ_NANO only tell the unit. */
#define MODES_DONE (ADJ_SETOFFSET | ADJ_MICRO | ADJ_NANO)

static int step(const struct timex *tx)
{
    s64 unit = tx->modes & ADJ_NANO ? 1 : NSEC_PER_USEC;
    s64 part = tx->time.tv_usec;

    if (part < 0 || part >= NSEC_PER_SEC / unit)
        return -EINVAL;
    if (tx->time.tv_sec > INT32_MAX || tx->time.tv_sec < -INT32_MAX)
        return -EINVAL;
    time_set_realtime(time_realtime() + tx->time.tv_sec * NSEC_PER_SEC + part * unit);
    return 0;
}

static int adjust(const struct timex *tx)
{
    if (!tx->modes || tx->modes == ADJ_OFFSET_SS_READ)
        return 0;
    if (!cred_capable(self()->cred, CAP_SYS_TIME))
        return -EPERM;
    if (tx->modes & ~(u32)MODES_DONE)
        return -EOPNOTSUPP; /* the speed of the clock is the host's */
    return tx->modes & ADJ_SETOFFSET ? step(tx) : 0;
}

static void state_tell(struct timex *tx)
{
    ktime now = time_realtime();
    u32 modes = tx->modes;

    memset(tx, 0, sizeof(*tx));
    tx->modes = modes;
    tx->maxerror = tx->esterror = ERROR_LIMIT_USEC;
    tx->status = STA_UNSYNC;
    tx->constant = 2;
    tx->precision = MICROSECOND;
    tx->tolerance = TOLERANCE;
    tx->tick = TICK_USEC;
    tx->time.tv_sec = now / NSEC_PER_SEC;
    tx->time.tv_usec = now % NSEC_PER_SEC / NSEC_PER_USEC;
}

long sys_adjtimex(struct timex __user *buf)
{
    struct timex tx;
    int err;

    if (copy_from_user(&tx, buf, sizeof(tx)))
        return -EFAULT;
    err = adjust(&tx);
    if (err)
        return err;
    state_tell(&tx);
    return copy_to_user(buf, &tx, sizeof(tx)) ? -EFAULT : TIME_ERROR;
}

long sys_clock_adjtime(clockid_t clock, struct timex __user *buf)
{
    ktime now;

    if (clock == CLOCK_REALTIME)
        return sys_adjtimex(buf);
    /* CPU-time clocks and those of descriptors cannot be set at all, whoever they belong to */
    return clock >= 0 && clock_read(clock, &now) ? -EINVAL : -EOPNOTSUPP;
}

long sys_settimeofday(const struct timeval __user *tv, const struct timezone __user *tz)
{
    struct timeval value;
    struct timezone zone;

    if (tv && copy_from_user(&value, tv, sizeof(value)))
        return -EFAULT;
    if (tv && (value.tv_sec < 0 || value.tv_usec < 0 || value.tv_usec >= USEC_PER_SEC))
        return -EINVAL;
    if (tz && copy_from_user(&zone, tz, sizeof(zone)))
        return -EFAULT;
    if ((tv || tz) && !cred_capable(self()->cred, CAP_SYS_TIME))
        return -EPERM;
    /* the time zone lives in the C library; gettimeofday(2) tells UTC, and nothing else can be set */
    if (tz && (zone.tz_minuteswest || zone.tz_dsttime))
        return -EINVAL;
    if (tv)
        time_set_realtime(ktime_of(value.tv_sec, value.tv_usec * NSEC_PER_USEC));
    return 0;
}
