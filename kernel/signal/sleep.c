/* kernel/signal/sleep.c: nanosleep(2), clock_nanosleep(2): sleeping that signals interrupt and restart. */
#include "base/errno.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/internal.h"
#include "syscall_proto.h"
#include "time/time.h"

/* Nobody wakes this queue: sleepers leave it by time or by a signal. */
static struct {
    struct spinlock lock;
    struct waitq queue;
} sleepers = {.lock = SPINLOCK(OBJECT), .queue = WAITQ_INIT(sleepers.queue, "sleep")};

static int sleep_until(ktime deadline)
{
    int err;

    spin_lock(&sleepers.lock);
    err = wait_event(&sleepers.queue, &sleepers.lock, false, deadline);
    spin_unlock(&sleepers.lock);
    return err == -ETIMEDOUT ? 0 : err;
}

static int remain_put(struct timespec __user *rem, ktime deadline)
{
    ktime left = deadline - time_monotonic();
    struct timespec ts = timespec_of(left > 0 ? left : 0);

    return rem ? copy_to_user(rem, &ts, sizeof(ts)) : 0;
}

static long sleep_relative(ktime deadline, struct timespec __user *rem);

static long sleep_resume(struct restart_block *block)
{
    return sleep_relative((ktime)block->args[0], (struct timespec __user *)block->args[1]);
}

static long sleep_relative(ktime deadline, struct timespec __user *rem)
{
    u64 again[6] = {(u64)deadline, (u64)rem};
    int err = sleep_until(deadline);

    if (!err)
        return 0;
    if (remain_put(rem, deadline))
        return -EFAULT;
    return signal_restart_with(sleep_resume, again);
}

long sys_nanosleep(const struct timespec __user *req, struct timespec __user *rem)
{
    struct timespec ts;

    if (copy_from_user(&ts, req, sizeof(ts)))
        return -EFAULT;
    if (!timespec_valid(&ts))
        return -EINVAL;
    return sleep_relative(host_deadline(ts.tv_sec, ts.tv_nsec), rem);
}

/* --- CPU time ----------------------------------------------------------------------------------------------- */

/*
 * Nothing tells when a CPU clock reaches a time, so it is looked at: never later than it could be there if eight
 * threads ran, and not too often.
 */
static long sleep_cpu(clockid_t clock, ktime when)
{
    ktime now;
    int err = 0;

    while (!err) {
        if (clock_read(clock, &now))
            return 0; /* who is gone uses no more time */
        if (now >= when)
            break;
        err = sleep_until(time_monotonic() + MAX((when - now) / 8, (ktime)NSEC_PER_MSEC));
    }
    return err;
}

static long sleep_cpu_relative(clockid_t clock, ktime when, struct timespec __user *rem);

static long sleep_cpu_resume(struct restart_block *block)
{
    return sleep_cpu_relative((clockid_t)block->args[2], (ktime)block->args[0],
                              (struct timespec __user *)block->args[1]);
}

static long sleep_cpu_relative(clockid_t clock, ktime when, struct timespec __user *rem)
{
    u64 again[6] = {(u64)when, (u64)rem, (u64)clock};
    struct timespec left;
    ktime now;
    long err = sleep_cpu(clock, when);

    if (!err)
        return 0;
    if (rem) {
        left = timespec_of(clock_read(clock, &now) ? 0 : MAX(when - now, (ktime)0));
        if (copy_to_user(rem, &left, sizeof(left)))
            return -EFAULT;
    }
    return signal_restart_with(sleep_cpu_resume, again);
}

static long sleep_cpu_call(clockid_t clock, int flags, const struct timespec *ts,
                           struct timespec __user *rem)
{
    ktime when = ktime_of(ts->tv_sec, ts->tv_nsec), now;

    if (clock_read(clock, &now))
        return -EINVAL;
    if (flags & TIMER_ABSTIME)
        return sleep_cpu(clock, when) ? -ERESTARTNOHAND : 0;
    return sleep_cpu_relative(clock, when > KTIME_MAX - now ? KTIME_MAX : now + when, rem);
}

static bool is_cpu_clock(clockid_t clock)
{
    return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID;
}

/* The clocks that can be slept on: clock_nanosleep(2). */
static int sleep_clock_check(clockid_t clock)
{
    ktime now;

    if (is_cpu_clock(clock))
        return clock_read(clock, &now);
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
        return 0;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_THREAD_CPUTIME_ID:
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
}

long sys_clock_nanosleep(clockid_t clock, int flags, const struct timespec __user *req,
                         struct timespec __user *rem)
{
    struct timespec ts;
    int err = sleep_clock_check(clock);

    if (err)
        return err;
    if (copy_from_user(&ts, req, sizeof(ts)))
        return -EFAULT;
    if (!timespec_valid(&ts))
        return -EINVAL;
    if (is_cpu_clock(clock))
        return sleep_cpu_call(clock, flags, &ts, rem);
    if (!(flags & TIMER_ABSTIME))
        return sleep_relative(host_deadline(ts.tv_sec, ts.tv_nsec), rem);
    err = sleep_until(time_deadline(clock, ts.tv_sec, ts.tv_nsec));
    return err ? -ERESTARTNOHAND : 0;
}
