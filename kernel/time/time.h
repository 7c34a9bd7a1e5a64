/* kernel/time/time.h: the instance's clocks, and timers that fire without anybody sleeping on them. */
#ifndef TIME_TIME_H
#define TIME_TIME_H

#include "base/rbtree.h"
#include "base/types.h"
#include "host/clock.h"

#include <linux/time.h>

/* --- clocks --------------------------------------------------------------------------------------------- */

/* The clocks that run by themselves; -EINVAL for CPU-time clocks, which task/ knows, and for unknown ones. */
int time_read(clockid_t clock, ktime *now);
int time_resolution(clockid_t clock, ktime *ns);
static inline ktime time_monotonic(void)
{
    return host_clock_read(HOST_CLOCK_MONOTONIC);
}
ktime time_realtime(void);

/* clock_settime(2) inside: an offset of our own to the host's clock. */
void time_set_realtime(ktime now);
extern void (*time_was_set)(void); /* called afterwards; ipc/timerfd */

/* A time on a clock as a monotonic deadline; KTIME_FOREVER when it is too far. The clock must be a running one. */
ktime time_deadline(clockid_t clock, s64 sec, s64 nsec);

static inline bool timespec_valid(const struct timespec *ts)
{
    return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < NSEC_PER_SEC;
}
static inline struct timespec timespec_of(ktime ns)
{
    return (struct timespec){.tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC};
}
ktime ktime_of(s64 sec, s64 nsec); /* saturates */
/* A time that a call may be given: 1: it was, 0: NULL, none; -EFAULT, -EINVAL. */
int timespec_from_user(struct timespec *ts, const struct timespec __user *user);

/* --- timers ------------------------------------------------------------------------------------------------ */

/*
 * Runs func on the service thread at a monotonic time. func may set the timer again; it takes no lock that a caller
 * of timer_cancel() holds, and does not block.
 */
struct timer {
    struct rb_node node; /* timers' lock */
    ktime when;          /* timers' lock; monotonic */
    void (*func)(struct timer *timer);
    bool queued; /* timers' lock */
};

void timer_init(struct timer *timer, void (*func)(struct timer *timer));
void timer_set(struct timer *timer, ktime when); /* moves one that is queued */
bool timer_cancel(struct timer *timer);          /* true: it was queued, and will not run */
/* The same, and waits until a call of func that is under way has ended. Not from func. */
void timer_cancel_sync(struct timer *timer);

#endif
