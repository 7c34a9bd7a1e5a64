/* kernel/signal/itimer.c: getitimer(2), setitimer(2), alarm(2). */
#include "base/errno.h"
#include "base/string.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/internal.h"
#include "signal/timers.h"
#include "syscall_proto.h"

#define SHORTEST_SAMPLE NSEC_PER_MSEC /* how often the CPU-time timers look, at the most */

static const int timer_signals[3] = {SIGALRM, SIGVTALRM, SIGPROF};

/* What the timer's clock says. tasks_lock is not held. */
static ktime interval_now(const struct interval_timer *it, int which)
{
    struct usage usage;

    if (which == ITIMER_REAL)
        return time_monotonic();
    spin_lock(&tasks_lock);
    process_usage_locked(it->process, &usage);
    spin_unlock(&tasks_lock);
    return usage.cpu;
}

/*
 * When the timer has to be looked at next. CPU time runs at most as fast as there are threads, so a CPU timer is
 * looked at when it could be due at the earliest.
 */
static void interval_queue(struct interval_timer *it, int which, ktime now)
{
    ktime left = it->when - now;

    if (which == ITIMER_REAL) {
        timer_set(&it->timer, it->when);
        return;
    }
    left /= MAX(READ_ONCE(it->process->nthreads), 1U);
    timer_set(&it->timer, time_monotonic() + MAX(left, (ktime)SHORTEST_SAMPLE));
}

static void interval_fire(struct timer *timer)
{
    struct interval_timer *it = container_of(timer, struct interval_timer, timer);
    struct process_timers *timers = &it->process->signals.timers;
    int which = (int)(it - timers->intervals);
    ktime now = interval_now(it, which);
    bool due;
    siginfo_t info;

    spin_lock(&timers->lock);
    due = it->armed && it->when <= now;
    if (due && it->interval)
        it->when += ((now - it->when) / it->interval + 1) * it->interval;
    else if (due)
        it->armed = false;
    if (it->armed)
        interval_queue(it, which, now);
    spin_unlock(&timers->lock);
    if (!due)
        return;
    siginfo_kernel(&info, timer_signals[which]);
    signal_send_process(it->process, &info);
}

void process_timers_init(struct process *process)
{
    struct process_timers *timers = &process->signals.timers;

    spin_init(&timers->lock, OBJECT);
    list_init(&timers->posix);
    timers->next_id = 0;
    for (int i = 0; i < 3; i++) {
        struct interval_timer *it = &timers->intervals[i];

        timer_init(&it->timer, interval_fire);
        it->process = process;
        it->armed = false;
    }
}

static void interval_get(struct interval_timer *it, ktime now, ktime *left, ktime *interval)
{
    *interval = it->interval;
    *left = it->armed ? MAX(it->when - now, (ktime)NSEC_PER_USEC) : 0;
}

/* value 0 disarms. The former state goes to *left and *old_interval. */
static void interval_set(int which, ktime value, ktime interval, ktime *left, ktime *old_interval)
{
    struct process_timers *timers = &process_self()->signals.timers;
    struct interval_timer *it = &timers->intervals[which];
    ktime now = interval_now(it, which);

    spin_lock(&timers->lock);
    interval_get(it, now, left, old_interval);
    it->armed = value != 0;
    it->interval = interval;
    it->when = value > KTIME_MAX - now ? KTIME_MAX : now + value;
    if (it->armed)
        interval_queue(it, which, now);
    else
        timer_cancel(&it->timer);
    spin_unlock(&timers->lock);
}

/* --- calls -------------------------------------------------------------------------------------------------- */

struct user_itimer { /* struct itimerval */
    struct timeval interval, value;
};

static bool timeval_valid(const struct timeval *tv)
{
    return tv->tv_sec >= 0 && tv->tv_usec >= 0 && tv->tv_usec < USEC_PER_SEC;
}

static ktime of_timeval(const struct timeval *tv)
{
    return ktime_of(tv->tv_sec, tv->tv_usec * NSEC_PER_USEC);
}

static struct timeval timeval_of(ktime ns)
{
    return (struct timeval){ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / NSEC_PER_USEC};
}

static int itimer_put(struct itimerval __user *to, ktime left, ktime interval)
{
    struct user_itimer value = {timeval_of(interval), timeval_of(left)};

    return copy_to_user(to, &value, sizeof(value));
}

long sys_getitimer(int which, struct itimerval __user *curr)
{
    struct process_timers *timers = &process_self()->signals.timers;
    ktime left, interval, now;

    if (which < 0 || which > 2)
        return -EINVAL;
    now = interval_now(&timers->intervals[which], which);
    spin_lock(&timers->lock);
    interval_get(&timers->intervals[which], now, &left, &interval);
    spin_unlock(&timers->lock);
    return itimer_put(curr, left, interval);
}

long sys_setitimer(int which, const struct itimerval __user *new_value,
                   struct itimerval __user *old)
{
    struct user_itimer value;
    ktime left, interval;

    memset(&value, 0, sizeof(value));
    if (new_value && copy_from_user(&value, new_value, sizeof(value)))
        return -EFAULT;
    if (which < 0 || which > 2 || !timeval_valid(&value.value) || !timeval_valid(&value.interval))
        return -EINVAL;
    interval_set(which, of_timeval(&value.value), of_timeval(&value.interval), &left, &interval);
    return old ? itimer_put(old, left, interval) : 0;
}

long sys_alarm(unsigned int seconds)
{
    ktime left, interval;

    interval_set(ITIMER_REAL, seconds * NSEC_PER_SEC, 0, &left, &interval);
    /* rounded, but never to none while one is left */
    if (!left)
        return 0;
    return left < NSEC_PER_SEC ? 1 : (left + NSEC_PER_SEC / 2) / NSEC_PER_SEC;
}
