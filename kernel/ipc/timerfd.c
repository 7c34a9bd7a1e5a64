/*
 * kernel/ipc/timerfd.c: timerfd_create(2) and its kin, timers that are read.
 *
 * A timer fires once and is set again when its expirations are read: how many there were follows from
 * the time that went by.
 */
#include "base/errno.h"
#include "base/fmt.h"
#include "base/list.h"
#include "cred/cred.h"
#include "ipc/timerfd.h"
#include "mm/alloc.h"
#include "sync/waitq.h"
#include "syscall_proto.h"
#include "time/time.h"
#include "vfs/vfs.h"

#include <linux/capability.h>
#include <linux/timerfd.h>

struct timerfd {
    struct file file;
    clockid_t clock;       /* constant */
    struct list_head link; /* timerfds.lock */
    struct spinlock lock;  /* class OBJECT: everything below */
    struct timer timer;    /* set as long as armed and nothing has expired */
    bool armed;
    bool cancelled; /* the clock was set, and the setting asked to be told */
    int flags;      /* of the last setting */
    ktime when;     /* of the next expiration, by base */
    clockid_t base; /* relative times do not follow a clock that is set */
    ktime interval;
    u64 expired;           /* not read yet */
    struct waitq readable; /* woken when something expires or is cancelled */
};

static struct {
    struct spinlock lock; /* class TIMERFDS */
    struct list_head all; /* lock */
} timerfds = {.lock = SPINLOCK(TIMERFDS), .all = LIST_HEAD_INIT(timerfds.all)};

static struct timerfd *timerfd_of(struct file *file)
{
    return container_of(file, struct timerfd, file);
}

static ktime base_now(const struct timerfd *tfd)
{
    ktime now = 0;

    (void)time_read(tfd->base, &now); /* the base is a clock that runs */
    return now;
}

static void timerfd_start_locked(struct timerfd *tfd)
{
    timer_set(&tfd->timer,
              time_deadline(tfd->base, tfd->when / NSEC_PER_SEC, tfd->when % NSEC_PER_SEC));
}

/* Counts what has expired by now. */
static void timerfd_count_locked(struct timerfd *tfd)
{
    ktime now = base_now(tfd);
    s64 missed;

    if (!tfd->armed || tfd->when > now)
        return;
    missed = tfd->interval ? (now - tfd->when) / tfd->interval : 0;
    tfd->expired += 1 + (u64)missed;
    tfd->armed = tfd->interval != 0;
    if (tfd->armed && add_overflow(tfd->when, (missed + 1) * tfd->interval, &tfd->when))
        tfd->when = KTIME_MAX;
}

static bool timerfd_ready_locked(struct timerfd *tfd)
{
    timerfd_count_locked(tfd);
    return tfd->expired || tfd->cancelled;
}

static void timerfd_fire(struct timer *timer)
{
    struct timerfd *tfd = container_of(timer, struct timerfd, timer);

    spin_lock(&tfd->lock);
    if (timerfd_ready_locked(tfd))
        waitq_wake(&tfd->readable, POLLIN);
    else if (tfd->armed)
        timerfd_start_locked(tfd); /* the clock was set back meanwhile */
    spin_unlock(&tfd->lock);
}

/* Absolute times of day move when the clock is set. */
static void timerfds_clock_set(void)
{
    struct timerfd *tfd;

    spin_lock(&timerfds.lock);
    list_for_each_entry(tfd, &timerfds.all, link) {
        spin_lock(&tfd->lock);
        if (tfd->armed && tfd->base == CLOCK_REALTIME) {
            tfd->cancelled |= (tfd->flags & TFD_TIMER_CANCEL_ON_SET) != 0;
            timerfd_start_locked(tfd);
            if (tfd->cancelled)
                waitq_wake(&tfd->readable, POLLIN);
        }
        spin_unlock(&tfd->lock);
    }
    spin_unlock(&timerfds.lock);
}

void timerfd_start(void)
{
    time_was_set = timerfds_clock_set;
}

static ssize_t timerfd_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct timerfd *tfd = timerfd_of(file);
    u64 expired = 0;
    int err;

    if (iter_left(to) < sizeof(expired))
        return -EINVAL;

    spin_lock(&tfd->lock);
    err = file_wait(file, &tfd->readable, &tfd->lock, timerfd_ready_locked(tfd));
    if (err == 0) {
        expired = tfd->expired;
        if (tfd->cancelled)
            err = -ECANCELED;
        tfd->cancelled = false;
        tfd->expired = 0;
        if (tfd->armed)
            timerfd_start_locked(tfd);
    }
    spin_unlock(&tfd->lock);
    return err ? err : copy_to_iter(to, &expired, sizeof(expired));
}

static ssize_t timerfd_write(struct file *file, struct iter *from, loff_t *pos)
{
    return -EINVAL;
}

static u32 timerfd_poll(struct file *file, struct poll_table *table)
{
    struct timerfd *tfd = timerfd_of(file);
    bool ready;

    poll_wait(file, &tfd->readable, table);
    spin_lock(&tfd->lock);
    ready = timerfd_ready_locked(tfd);
    spin_unlock(&tfd->lock);
    return ready ? POLLIN : 0;
}

static struct itimerspec timerfd_left_locked(struct timerfd *tfd)
{
    struct itimerspec left = {.it_interval = timespec_of(tfd->interval)};

    timerfd_count_locked(tfd);
    if (tfd->armed)
        left.it_value = timespec_of(tfd->when - base_now(tfd));
    return left;
}

static int timerfd_fdinfo(struct file *file, char *buf, size_t size)
{
    struct timerfd *tfd = timerfd_of(file);
    struct itimerspec left;
    u64 expired;
    int flags;

    spin_lock(&tfd->lock);
    left = timerfd_left_locked(tfd);
    expired = tfd->expired;
    flags = tfd->flags;
    spin_unlock(&tfd->lock);
    return snprintf(buf, size,
                    "clockid: %d\nticks: %llu\nsettime flags: 0%o\n"
                    "it_value: (%ld, %ld)\nit_interval: (%ld, %ld)\n",
                    tfd->clock, (unsigned long long)expired, flags, (long)left.it_value.tv_sec,
                    (long)left.it_value.tv_nsec, (long)left.it_interval.tv_sec,
                    (long)left.it_interval.tv_nsec);
}

static void timerfd_release(struct file *file)
{
    struct timerfd *tfd = timerfd_of(file);

    spin_lock(&timerfds.lock);
    list_del(&tfd->link);
    spin_unlock(&timerfds.lock);
    timer_cancel_sync(&tfd->timer);
    kfree(tfd);
}

static const struct file_ops timerfd_ops = {
    .name = "[timerfd]",
    .read = timerfd_read,
    .write = timerfd_write,
    .poll = timerfd_poll,
    .fdinfo = timerfd_fdinfo,
    .release = timerfd_release,
};

static bool is_alarm(clockid_t clock)
{
    return clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

long sys_timerfd_create(int clock, int flags)
{
    struct timerfd *tfd;
    int err;

    if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK))
        return -EINVAL;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME &&
        !is_alarm(clock))
        return -EINVAL;
    if (is_alarm(clock) && !capable(CAP_WAKE_ALARM))
        return -EPERM;

    tfd = kzalloc(sizeof(*tfd));
    if (!tfd)
        return -ENOMEM;
    tfd->clock = tfd->base = clock;
    spin_init(&tfd->lock, OBJECT);
    timer_init(&tfd->timer, timerfd_fire);
    waitq_init(&tfd->readable, "timerfd");
    err = file_init(&tfd->file, &timerfd_ops, NULL, O_RDWR | (flags & TFD_NONBLOCK));
    if (err) {
        kfree(tfd);
        return err;
    }
    spin_lock(&timerfds.lock);
    list_add(&tfd->link, &timerfds.all);
    spin_unlock(&timerfds.lock);
    return fd_create(&tfd->file, flags & TFD_CLOEXEC);
}

static void timerfd_set_locked(struct timerfd *tfd, int flags, ktime value, ktime interval)
{
    bool absolute = flags & TFD_TIMER_ABSTIME;
    bool realtime = tfd->clock == CLOCK_REALTIME || tfd->clock == CLOCK_REALTIME_ALARM;

    timer_cancel(&tfd->timer);
    tfd->flags = flags;
    tfd->expired = 0;
    tfd->cancelled = false;
    tfd->base = !realtime ? tfd->clock : absolute ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    tfd->interval = interval;
    tfd->armed = value != 0;
    tfd->when = value;
    if (!absolute && add_overflow(base_now(tfd), value, &tfd->when))
        tfd->when = KTIME_MAX;
    if (tfd->armed)
        timerfd_start_locked(tfd);
}

/* The timer behind a file; NULL is a descriptor that is not open. */
static int timerfd_check(struct file *file, struct timerfd **out)
{
    if (!file)
        return -EBADF;
    if (file->ops != &timerfd_ops)
        return -EINVAL;
    *out = timerfd_of(file);
    return 0;
}

long sys_timerfd_settime(int fd, int flags, const struct itimerspec __user *new_value,
                         struct itimerspec __user *old_value)
{
    AUTO_FD ref = fd_borrow(fd);
    struct itimerspec new, old;
    struct timerfd *tfd;
    int err;

    if (copy_from_user(&new, new_value, sizeof(new)))
        return -EFAULT;
    if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) || !timespec_valid(&new.it_value) ||
        !timespec_valid(&new.it_interval))
        return -EINVAL;
    err = timerfd_check(ref.file, &tfd);
    if (err)
        return err;
    if (is_alarm(tfd->clock) && !capable(CAP_WAKE_ALARM))
        return -EPERM;

    spin_lock(&tfd->lock);
    old = timerfd_left_locked(tfd);
    timerfd_set_locked(tfd, flags, ktime_of(new.it_value.tv_sec, new.it_value.tv_nsec),
                       ktime_of(new.it_interval.tv_sec, new.it_interval.tv_nsec));
    spin_unlock(&tfd->lock);
    return old_value ? copy_to_user(old_value, &old, sizeof(old)) : 0;
}

long sys_timerfd_gettime(int fd, struct itimerspec __user *curr_value)
{
    AUTO_FD ref = fd_borrow(fd);
    struct itimerspec left;
    struct timerfd *tfd;
    int err = timerfd_check(ref.file, &tfd);

    if (err)
        return err;
    spin_lock(&tfd->lock);
    left = timerfd_left_locked(tfd);
    spin_unlock(&tfd->lock);
    return copy_to_user(curr_value, &left, sizeof(left));
}
