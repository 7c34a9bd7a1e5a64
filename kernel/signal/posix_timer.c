/* kernel/signal/posix_timer.c: timer_create(2) and its kin. */
#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/internal.h"
#include "signal/timers.h"
#include "syscall_proto.h"

#define TIMER_LIMIT 4096 /* of one process */
#define IDLE_STEP NSEC_PER_MSEC /* an ignored interval timer is looked at no more often */

struct posix_timer {
    struct list_head link; /* timers->lock */
    struct timer timer;
    struct process *process; /* constant */
    int id;                  /* constant */
    clockid_t clock;         /* constant; one that runs by itself */
    int notify, signo;       /* constant */
    sigval_t value;          /* constant */
    struct task *target;     /* constant; SIGEV_THREAD_ID: counted */
    bool armed;              /* timers->lock: everything below */
    bool waiting;            /* its signal is queued; it goes on when that is taken */
    ktime when, interval;    /* monotonic */
    int overrun;             /* of the last signal that was taken */
};

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
    return (pt->target ? signal_send_task(pt->target, &info) : signal_send_process(pt->process, &info)) == 0;
}

static void posix_timer_fire(struct timer *timer)
{
    struct posix_timer *pt = container_of(timer, struct posix_timer, timer);
    struct process_timers *timers = &pt->process->signals.timers;
    bool sends;

    spin_lock(&timers->lock);
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
        ktime now = time_monotonic();

        timer_forward(pt, now);
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
            pt->overrun = (int)MIN(timer_forward(pt, time_monotonic()), (s64)INT32_MAX);
            timer_set(&pt->timer, pt->when);
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

/* Real CPU-time clocks for timers are not there yet. */
static int clock_check(clockid_t clock)
{
    ktime now;

    switch (clock) {
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        return -EOPNOTSUPP;
    default:
        return clock < 0 ? -EOPNOTSUPP : time_read(clock, &now);
    }
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

/* timers->lock held. */
static void timer_state(struct posix_timer *pt, struct user_itimerspec *out)
{
    ktime now = time_monotonic(), left = 0;

    if (pt->armed && pt->when <= now && pt->interval)
        left = pt->interval - (now - pt->when) % pt->interval;
    else if (pt->armed)
        left = MAX(pt->when - now, (ktime)1);
    out->interval = timespec_of(pt->interval);
    out->value = timespec_of(left);
}

static void timer_arm(struct posix_timer *pt, int flags, const struct user_itimerspec *spec)
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
    pt->when = flags & TIMER_ABSTIME ? time_deadline(pt->clock, value->tv_sec, value->tv_nsec)
                                     : host_deadline(value->tv_sec, value->tv_nsec);
    timer_set(&pt->timer, pt->when);
}

long sys_timer_settime(int id, int flags, const struct itimerspec __user *new_value,
                       struct itimerspec __user *old_value)
{
    struct process_timers *timers = &process_self()->signals.timers;
    struct user_itimerspec spec, old;
    struct posix_timer *pt;

    if (!new_value)
        return -EINVAL;
    if (copy_from_user(&spec, new_value, sizeof(spec)))
        return -EFAULT;
    if (!timespec_valid(&spec.value) || !timespec_valid(&spec.interval))
        return -EINVAL;
    spin_lock(&timers->lock);
    pt = timer_find(timers, id);
    if (pt) {
        timer_state(pt, &old);
        timer_arm(pt, flags, &spec);
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

    spin_lock(&timers->lock);
    pt = timer_find(timers, id);
    if (pt)
        timer_state(pt, &spec);
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
