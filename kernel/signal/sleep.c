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

/* The clocks that can be slept on: clock_nanosleep(2). CPU time is not there yet. */
static int sleep_clock_check(clockid_t clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
        return 0;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_PROCESS_CPUTIME_ID:
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
    if (!(flags & TIMER_ABSTIME))
        return sleep_relative(host_deadline(ts.tv_sec, ts.tv_nsec), rem);
    err = sleep_until(time_deadline(clock, ts.tv_sec, ts.tv_nsec));
    return err ? -ERESTARTNOHAND : 0;
}
