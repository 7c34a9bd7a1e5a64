/* kernel/signal/posix_timer.c: timer_create(2) and its kin. */
#include "base/errno.h"
#include "base/string.h"
#include "cred/cred.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/internal.h"
#include "signal/timers.h"
#include "syscall_proto.h"

#include <linux/capability.h>

#define TIMER_LIMIT     4096          /* of one process */
#define IDLE_STEP       NSEC_PER_MSEC /* an ignored interval timer is looked at no more often */
#define SHORTEST_SAMPLE NSEC_PER_MSEC /* nor is the time that a CPU clock shows */

struct posix_timer {
    struct list_head link; /* timers->lock */
    struct timer timer;
    struct process *process; /* constant */
    int id;                  /* constant */
    clockid_t clock;         /* constant */
    struct process *clocked; /* constant; of a CPU clock, whose time it is; counted */
    struct task *clocked_by; /* constant; of a thread's CPU clock; counted */
    int notify, signo;       /* constant */
    sigval_t value;          /* constant */
    struct task *target;     /* constant; SIGEV_THREAD_ID: counted */
    bool armed;              /* timers->lock: everything below */
    bool waiting;            /* its signal is queued; it goes on when that is taken */
    ktime when, interval;    /* monotonic, or CPU time */
    ktime seen;              /* of a CPU clock: when it was last looked at */
    int overrun;             /* of the last signal that was taken */
};

/* --- clocks -------------------------------------------------------------------------------------------------- */

struct timer_clock {
    struct process *clocked;
    struct task *by;
};

static void timer_clock_put(struct timer_clock *clock)
{
    if (clock->by)
        task_put(clock->by);
    if (clock->clocked)
        process_put(clock->clocked);
}

/* No lock is held. */
static ktime timer_clock_now(const struct timer_clock *clock)
{
    struct usage usage;

    if (!clock->clocked)
        return time_monotonic();
    if (clock->by)
        return task_cpu_time(clock->by);
    spin_lock(&tasks_lock);
    process_usage_locked(clock->clocked, &usage);
    spin_unlock(&tasks_lock);
    return usage.cpu;
}

static bool clock_runs_on(const struct posix_timer *pt)
{
    return pt->clocked_by ? !READ_ONCE(pt->clocked_by->exited)
                          : READ_ONCE(pt->clocked->state) == PROCESS_ALIVE;
}

/*
 * Sets when the timer is looked at next; timers->lock held. CPU time runs at most as fast as there are threads, so a
 * CPU timer is looked at when it could be due at the earliest, and never once its clock has stopped for good.
 */
static void timer_queue(struct posix_timer *pt, ktime now)
{
    u32 threads = pt->clocked && !pt->clocked_by ? MAX(READ_ONCE(pt->clocked->nthreads), 1U) : 1;

    if (!pt->clocked)
        timer_set(&pt->timer, pt->when);
    else if (clock_runs_on(pt))
        timer_set(&pt->timer,
                  time_monotonic() + MAX((pt->when - now) / threads, (ktime)SHORTEST_SAMPLE));
}

/* --- expiry -------------------------------------------------------------------------------------------------- */

/* Moves an interval timer to its next time after now: how many it missed. timers->lock held. */
static s64 timer_forward(struct posix_timer *pt, ktime now)
{
    s64 missed = pt->when <= now ? (now - pt->when) / pt->interval : 0;

    pt->when += (missed + 1) * pt->interval;
    return missed;
}

static bool timer_send(struct posix_timer *pt)
{
    siginfo_t info;

    siginfo_init(&info, pt->signo, SI_TIMER);
    info.si_tid = pt->id;
    info.si_overrun = 0;
    info.si_value = pt->value;
    if (signal_is_ignored(pt->process, pt->signo))
        return false;
    return (pt->target ? signal_send_task(pt->target, &info)
                       : signal_send_process(pt->process, &info)) == 0;
}

static void posix_timer_fire(struct timer *timer)
{
    struct posix_timer *pt = container_of(timer, struct posix_timer, timer);
    struct process_timers *timers = &pt->process->signals.timers;
    struct timer_clock clock = {pt->clocked, pt->clocked_by};
    ktime now = timer_clock_now(&clock);
    bool sends;

    if (pt->clocked_by) { /* it tells its time for the next look */
        spin_lock(&tasks_lock);
        task_mark(pt->clocked_by, PENDING_CPU);
        spin_unlock(&tasks_lock);
    }
    spin_lock(&timers->lock);
    pt->seen = now;
    if (pt->clocked && pt->armed && pt->when > now) {
        timer_queue(pt, now);
        spin_unlock(&timers->lock);
        return;
    }
    sends = pt->armed && pt->notify != SIGEV_NONE;
    pt->waiting = sends && pt->interval;
    if (!pt->interval)
        pt->armed = false;
    spin_unlock(&timers->lock);
    if (!sends || timer_send(pt))
        return;
    /* nobody will take it: it runs on by itself, slowly */
    spin_lock(&timers->lock);
    pt->waiting = false;
    if (pt->armed) {
        timer_forward(pt, now);
        if (pt->clocked)
            timer_queue(pt, now);
        else
            timer_set(&pt->timer, MAX(pt->when, now + IDLE_STEP));
    }
    spin_unlock(&timers->lock);
}

/* timers->lock held. */
static struct posix_timer *timer_find(struct process_timers *timers, int id)
{
    struct posix_timer *pt;

    list_for_each_entry(pt, &timers->posix, link) {
        if (pt->id == id)
            return pt;
    }
    return NULL;
}

int posix_timer_taken(struct process *process, int id, int overrun)
{
    struct process_timers *timers = &process->signals.timers;
    struct posix_timer *pt;

    spin_lock(&timers->lock);
    pt = timer_find(timers, id);
    if (pt) {
        pt->overrun = overrun;
        if (pt->waiting && pt->armed) {
            ktime now = pt->clocked ? pt->seen : time_monotonic();

            pt->overrun = (int)MIN(timer_forward(pt, now), (s64)INT32_MAX);
            timer_queue(pt, now);
        }
        pt->waiting = false;
        overrun = pt->overrun;
    }
    spin_unlock(&timers->lock);
    return overrun;
}

/* --- life ------------------------------------------------------------------------------------------------------- */

static void timer_free(struct posix_timer *pt)
{
    timer_cancel_sync(&pt->timer);
    if (pt->target)
        task_put(pt->target);
    timer_clock_put(&(struct timer_clock){pt->clocked, pt->clocked_by});
    kfree(pt);
}

static void timers_free_all(struct process *process)
{
    struct process_timers *timers = &process->signals.timers;

    for (;;) {
        struct posix_timer *pt = NULL;

        spin_lock(&timers->lock);
        if (!list_empty(&timers->posix)) {
            pt = list_first_entry(&timers->posix, struct posix_timer, link);
            list_del(&pt->link);
        }
        spin_unlock(&timers->lock);
        if (!pt)
            return;
        timer_free(pt);
    }
}

static void timers_process_exit(struct process *process)
{
    timers_free_all(process);
    for (int i = 0; i < 3; i++)
        timer_cancel_sync(&process->signals.timers.intervals[i].timer);
}

void timers_start(void)
{
    task_hooks.process_exit = timers_process_exit;
    task_hooks.exec = timers_free_all;
}

/* --- timer_create ------------------------------------------------------------------------------------------------ */

static int event_check(const struct sigevent *event)
{
    switch (event->sigev_notify) {
    case SIGEV_NONE:
        return 0;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD_ID:
    case SIGEV_THREAD:
        return event->sigev_signo >= 1 && event->sigev_signo <= SIGNALS ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

static int timer_target(struct posix_timer *pt, const struct sigevent *event)
{
    struct task *task;

    if (event->sigev_notify != SIGEV_THREAD_ID)
        return 0;
    task = task_lookup(event->sigev_notify_thread_id);
    if (!task || task->process != pt->process) {
        if (task)
            task_put(task);
        return -EINVAL;
    }
    pt->target = task;
    return 0;
}

static int clock_check(clockid_t clock)
{
    ktime now;

    switch (clock) {
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
        return -EOPNOTSUPP;
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
        return cred_capable(self()->cred, CAP_WAKE_ALARM) ? 0 : -EPERM;
    default:
        return clock_read(clock, &now);
    }
}

/* Whose CPU time a clock shows: clock_getcpuclockid(3). The clock has been checked. */
static int timer_clocked(struct posix_timer *pt, clockid_t clock)
{
    pid_t id = clock < 0 ? (pid_t) ~(clock >> 3) : 0;
    bool of_thread = clock < 0 ? clock & 4 : clock == CLOCK_THREAD_CPUTIME_ID;

    if (clock >= 0 && clock != CLOCK_PROCESS_CPUTIME_ID && clock != CLOCK_THREAD_CPUTIME_ID)
        return 0;
    if (of_thread) {
        pt->clocked_by = id ? task_lookup(id) : task_get(task_self());
        pt->clocked = pt->clocked_by ? process_get(pt->clocked_by->process) : NULL;
    } else {
        pt->clocked = id ? process_lookup(id) : process_get(process_self());
    }
    return pt->clocked ? 0 : -EINVAL; /* it has ended meanwhile */
}

static int timer_insert(struct posix_timer *pt)
{
    struct process_timers *timers = &pt->process->signals.timers;
    struct posix_timer *other;
    u32 n = 0;

    spin_lock(&timers->lock);
    list_for_each_entry(other, &timers->posix, link) {
        n++;
    }
    if (n < TIMER_LIMIT) {
        while (timer_find(timers, timers->next_id))
            timers->next_id = (timers->next_id + 1) & INT32_MAX;
        pt->id = timers->next_id;
        timers->next_id = (timers->next_id + 1) & INT32_MAX;
        list_add_tail(&pt->link, &timers->posix);
    }
    spin_unlock(&timers->lock);
    return n < TIMER_LIMIT ? 0 : -EAGAIN;
}

static void timer_remove(struct posix_timer *pt)
{
    struct process_timers *timers = &pt->process->signals.timers;

    spin_lock(&timers->lock);
    list_del(&pt->link);
    spin_unlock(&timers->lock);
    timer_free(pt);
}

long sys_timer_create(clockid_t clock, const struct sigevent __user *sevp, int __user *timerid)
{
    struct sigevent event;
    struct posix_timer *pt;
    int err = clock_check(clock);

    memset(&event, 0, sizeof(event));
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGALRM;
    if (!err && sevp && copy_from_user(&event, sevp, sizeof(event)))
        err = -EFAULT;
    if (!err)
        err = event_check(&event);
    if (err)
        return err;
    pt = kzalloc(sizeof(*pt));
    if (!pt)
        return -EAGAIN;
    timer_init(&pt->timer, posix_timer_fire);
    list_init(&pt->link);
    pt->process = process_self();
    pt->clock = clock;
    pt->notify = event.sigev_notify;
    pt->signo = event.sigev_signo;
    pt->value = event.sigev_value;
    err = timer_target(pt, &event);
    if (!err)
        err = timer_clocked(pt, clock);
    if (!err)
        err = timer_insert(pt);
    if (err) {
        timer_free(pt);
        return err;
    }
    if (!sevp)
        pt->value.sival_int = pt->id;
    if (put_user(pt->id, timerid)) {
        timer_remove(pt);
        return -EFAULT;
    }
    return 0;
}

/* --- the other calls ------------------------------------------------------------------------------------------------ */

struct user_itimerspec {
    struct timespec interval, value;
};

/*
 * What the timer's clock shows: read before timers->lock is taken for good, since CPU time stands under tasks_lock.
 * -EINVAL: no such timer.
 */
static int timer_now(struct process_timers *timers, int id, ktime *now)
{
    struct timer_clock clock = {NULL, NULL};
    struct posix_timer *pt;

    spin_lock(&timers->lock);
    pt = timer_find(timers, id);
    if (pt && pt->clocked)
        clock.clocked = process_get(pt->clocked);
    if (pt && pt->clocked_by)
        clock.by = task_get(pt->clocked_by);
    spin_unlock(&timers->lock);
    if (!pt)
        return -EINVAL;
    *now = timer_clock_now(&clock);
    timer_clock_put(&clock);
    return 0;
}

/* timers->lock held. */
static void timer_state(struct posix_timer *pt, ktime now, struct user_itimerspec *out)
{
    ktime left = 0;

    if (pt->armed && pt->when <= now && pt->interval)
        left = pt->interval - (now - pt->when) % pt->interval;
    else if (pt->armed)
        left = MAX(pt->when - now, (ktime)1);
    out->interval = timespec_of(pt->interval);
    out->value = timespec_of(left);
}

static ktime timer_when(const struct posix_timer *pt, int flags, ktime now,
                        const struct timespec *value)
{
    ktime when = ktime_of(value->tv_sec, value->tv_nsec);

    if (pt->clocked)
        return flags & TIMER_ABSTIME || when > KTIME_MAX - now ? when : now + when;
    return flags & TIMER_ABSTIME ? time_deadline(pt->clock, value->tv_sec, value->tv_nsec)
                                 : host_deadline(value->tv_sec, value->tv_nsec);
}

static void timer_arm(struct posix_timer *pt, int flags, ktime now,
                      const struct user_itimerspec *spec)
{
    const struct timespec *value = &spec->value;

    pt->armed = value->tv_sec || value->tv_nsec;
    pt->waiting = false;
    pt->overrun = 0;
    pt->interval = ktime_of(spec->interval.tv_sec, spec->interval.tv_nsec);
    if (!pt->armed) {
        timer_cancel(&pt->timer);
        return;
    }
    pt->when = timer_when(pt, flags, now, value);
    pt->seen = now;
    timer_queue(pt, now);
}

long sys_timer_settime(int id, int flags, const struct itimerspec __user *new_value,
                       struct itimerspec __user *old_value)
{
    struct process_timers *timers = &process_self()->signals.timers;
    struct user_itimerspec spec, old;
    struct posix_timer *pt;
    ktime now;

    if (!new_value)
        return -EINVAL;
    if (copy_from_user(&spec, new_value, sizeof(spec)))
        return -EFAULT;
    if (!timespec_valid(&spec.value) || !timespec_valid(&spec.interval))
        return -EINVAL;
    if (timer_now(timers, id, &now))
        return -EINVAL;
    spin_lock(&timers->lock);
    pt = timer_find(timers, id);
    if (pt) {
        timer_state(pt, now, &old);
        timer_arm(pt, flags, now, &spec);
    }
    spin_unlock(&timers->lock);
    if (!pt)
        return -EINVAL;
    return old_value ? copy_to_user(old_value, &old, sizeof(old)) : 0;
}

long sys_timer_gettime(int id, struct itimerspec __user *curr_value)
{
    struct process_timers *timers = &process_self()->signals.timers;
    struct user_itimerspec spec;
    struct posix_timer *pt;
    ktime now;

    if (timer_now(timers, id, &now))
        return -EINVAL;
    spin_lock(&timers->lock);
    pt = timer_find(timers, id);
    if (pt)
        timer_state(pt, now, &spec);
    spin_unlock(&timers->lock);
    return pt ? copy_to_user(curr_value, &spec, sizeof(spec)) : -EINVAL;
}

long sys_timer_getoverrun(int id)
{
    struct process_timers *timers = &process_self()->signals.timers;
    struct posix_timer *pt;
    int overrun;

    spin_lock(&timers->lock);
    pt = timer_find(timers, id);
    overrun = pt ? pt->overrun : -EINVAL;
    spin_unlock(&timers->lock);
    return overrun;
}

long sys_timer_delete(int id)
{
    struct process_timers *timers = &process_self()->signals.timers;
    struct posix_timer *pt;

    spin_lock(&timers->lock);
    pt = timer_find(timers, id);
    if (pt)
        list_del(&pt->link);
    spin_unlock(&timers->lock);
    if (!pt)
        return -EINVAL;
    timer_free(pt);
    return 0;
}
