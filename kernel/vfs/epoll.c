/* kernel/vfs/epoll.c: epoll(7): the instance and its calls. epoll_wait asks the files that were woken what really holds. */
#include "vfs/epoll_internal.h"

#include "base/errno.h"
#include "host/ready.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/signal.h"
#include "syscall_proto.h"
#include "time/time.h"
#include "vfs/poll_wait.h"

#define EPOLL_BATCH 32 /* events that are collected before they are copied out */
#define EPOLL_EXCLUSIVE_OK                                                                         \
    (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

/* --- the instance ------------------------------------------------------------------------------------------- */

static void epoll_release(struct file *file)
{
    struct epoll *ep = file->private;

    epoll_items_clear(ep);
    kfree(ep);
}

/* Takes the first item of a list of ready ones; NULL: it is empty. */
static struct epoll_item *ready_take(struct epoll *ep, struct list_head *list)
{
    struct epoll_item *item = NULL;

    spin_lock(&ep->wait.lock);
    if (!list_empty(list)) {
        item = list_first_entry(list, struct epoll_item, ready_link);
        list_del(&item->ready_link);
        item->is_ready = false;
    }
    spin_unlock(&ep->wait.lock);
    return item;
}

static void ready_put(struct epoll_item *item)
{
    spin_lock(&item->epoll->wait.lock);
    epoll_item_ready(item);
    spin_unlock(&item->epoll->wait.lock);
}

/* An instance that is polled itself: does any item really have something? */
static u32 epoll_poll(struct file *file, struct poll_table *table)
{
    struct epoll *ep = file->private;
    struct epoll_item *item;
    bool any = false;

    poll_wait(file, &ep->wait, table);
    mutex_lock_nested(&ep->lock);
    while (!any && (item = ready_take(ep, &ep->ready))) {
        any = epoll_item_ask(item) != 0;
        if (any)
            ready_put(item);
    }
    mutex_unlock(&ep->lock);
    return any ? POLLIN | POLLRDNORM : 0;
}

const struct file_ops epoll_ops = {
    .name = "[eventpoll]",
    .poll = epoll_poll,
    .release = epoll_release,
};

static long epoll_create(int flags)
{
    struct epoll *ep = kzalloc(sizeof(*ep));
    struct file *file;

    if (!ep)
        return -ENOMEM;
    vfs_file_gone = epoll_file_gone;
    mutex_init(&ep->lock, EPOLL);
    rb_tree_init(&ep->items, NULL);
    list_init(&ep->ready);
    waitq_init(&ep->wait, "epoll");
    file = file_create_anon(&epoll_ops, NULL, O_RDWR, ep);
    if (IS_ERR(file)) {
        kfree(ep);
        return PTR_ERR(file);
    }
    return fd_create(file, flags & EPOLL_CLOEXEC ? O_CLOEXEC : 0);
}

long sys_epoll_create1(int flags)
{
    return flags & ~EPOLL_CLOEXEC ? -EINVAL : epoll_create(flags);
}

long sys_epoll_create(int size)
{
    return size <= 0 ? -EINVAL : epoll_create(0);
}

/* --- epoll_ctl ------------------------------------------------------------------------------------------------- */

static int exclusive_check(int op, const struct file *file, u32 events)
{
    if (!(events & EPOLLEXCLUSIVE))
        return 0;
    return op == EPOLL_CTL_MOD || file->ops == &epoll_ops || (events & ~EPOLL_EXCLUSIVE_OK)
               ? -EINVAL
               : 0;
}

long sys_epoll_ctl(int epfd, int op, int fd, const struct epoll_event __user *user)
{
    struct epoll_event event = {0};
    struct epoll *ep;
    int err;

    if (op != EPOLL_CTL_DEL && copy_from_user(&event, user, sizeof(event)))
        return -EFAULT;
    AUTO_FD instance = fd_borrow(epfd);
    if (!instance.file)
        return -EBADF;
    AUTO_FD target = fd_borrow(fd);
    if (!target.file)
        return -EBADF;
    if (!target.file->ops->poll)
        return -EPERM;
    if (instance.file == target.file || instance.file->ops != &epoll_ops)
        return -EINVAL;
    ep = instance.file->private;
    err = exclusive_check(op, target.file, event.events);
    if (err)
        return err;
    event.events |= EPOLLERR | EPOLLHUP; /* always told */
    switch (op) {
    case EPOLL_CTL_ADD:
        return epoll_item_add(ep, target.file, fd, &event);
    case EPOLL_CTL_MOD:
        return epoll_item_modify(ep, target.file, fd, &event);
    case EPOLL_CTL_DEL:
        return epoll_item_delete(ep, target.file, fd);
    default:
        return -EINVAL;
    }
}

/* --- epoll_wait ------------------------------------------------------------------------------------------------- */

/* One ready item: an event, or none. Level-triggered ones stay on the list, behind the others. */
static bool item_report(struct epoll_item *item, struct epoll_event *out)
{
    u32 mask = epoll_item_ask(item);

    if (!mask)
        return false;
    out->events = mask;
    out->data = item->event.data;
    if (item->event.events & EPOLLONESHOT)
        WRITE_ONCE(item->event.events, item->event.events & EPOLL_FLAGS);
    else if (!(item->event.events & EPOLLET))
        ready_put(item);
    return true;
}

/* Takes events of up to n items off the list. */
static u32 collect(struct epoll *ep, struct list_head *list, struct epoll_event *events, u32 n)
{
    struct epoll_item *item;
    u32 got = 0;

    mutex_lock(&ep->lock);
    while (got < n && (item = ready_take(ep, list)))
        got += item_report(item, &events[got]);
    mutex_unlock(&ep->lock);
    return got;
}

static bool epoll_has_ready(struct epoll *ep)
{
    return !list_empty(&ep->ready);
}

static int epoll_sleep(struct epoll *ep, ktime deadline)
{
    struct waitq_entry entry;
    int err = 0;

    waitq_entry_init(&entry, NULL, 0);
    entry.exclusive = true;
    wait_prepare(&ep->wait, &entry);
    if (!epoll_has_ready(ep))
        err = wait_sleep(WAIT_INTERRUPTIBLE, deadline);
    wait_finish(&entry);
    return err;
}

/* What is ready now becomes a list of its own, so that each item is asked once, though it may be ready again at once. */
static void ready_list_take(struct epoll *ep, struct list_head *list)
{
    list_init(list);
    spin_lock(&ep->wait.lock);
    list_splice_tail(&ep->ready, list);
    spin_unlock(&ep->wait.lock);
}

/* What was not asked goes first again; other sleepers learn that something is left. */
static void ready_list_return(struct epoll *ep, struct list_head *list)
{
    spin_lock(&ep->wait.lock);
    list_splice_tail(&ep->ready, list);
    list_splice_tail(list, &ep->ready);
    if (!list_empty(&ep->ready))
        waitq_wake_locked(&ep->wait, 0);
    spin_unlock(&ep->wait.lock);
}

/* Copies out what there is. Number of events, or an error when not one could be copied. */
static int events_get(struct epoll *ep, struct epoll_event __user *user, int max)
{
    struct epoll_event events[EPOLL_BATCH];
    struct list_head list;
    int done = 0, err = 0;

    ready_list_take(ep, &list);
    while (done < max && !err) {
        u32 room = (u32)MIN(max - done, EPOLL_BATCH), n = collect(ep, &list, events, room);

        if (n)
            err = copy_to_user(user + done, events, n * sizeof(*events));
        if (!err)
            done += (int)n;
        if (n < room)
            break;
    }
    ready_list_return(ep, &list);
    return done ? done : err;
}

static int epoll_wait_until(int epfd, struct epoll_event __user *user, int max, ktime deadline)
{
    AUTO_FD ref = fd_borrow(epfd);
    struct epoll *ep;
    int err = 0, n;

    if (!ref.file)
        return -EBADF;
    if (max <= 0 || max > (int)(INT32_MAX / sizeof(struct epoll_event)))
        return -EINVAL;
    if (!user_range_ok(user, (size_t)max * sizeof(*user)))
        return -EFAULT;
    if (ref.file->ops != &epoll_ops)
        return -EINVAL;
    ep = ref.file->private;
    /* Who never sleeps, because there is always something or it does not want to, takes the host's news here. */
    if (waitq_host(&ep->wait) && (deadline == 0 || epoll_has_ready(ep)))
        host_ready_look();
    for (;;) {
        n = events_get(ep, user, max);
        if (n || err || deadline == 0)
            break;
        err = epoll_sleep(ep, deadline);
    }
    return n ? n : err == -ETIMEDOUT ? 0 : err;
}

static ktime deadline_of(int timeout)
{
    if (timeout < 0)
        return KTIME_FOREVER;
    return timeout ? host_deadline(timeout / 1000, timeout % 1000 * NSEC_PER_MSEC) : 0;
}

long sys_epoll_wait(int epfd, struct epoll_event __user *events, int max, int timeout)
{
    return epoll_wait_until(epfd, events, max, deadline_of(timeout));
}

static long wait_masked(int epfd, struct epoll_event __user *events, int max, ktime deadline,
                        const sigset_t __user *mask, size_t size)
{
    int err = signal_mask_temporary(mask, size), n;

    if (err)
        return err;
    n = epoll_wait_until(epfd, events, max, deadline);
    if (n != -EINTR)
        signal_mask_restore();
    return n;
}

long sys_epoll_pwait(int epfd, struct epoll_event __user *events, int max, int timeout,
                     const sigset_t __user *mask, size_t size)
{
    return wait_masked(epfd, events, max, deadline_of(timeout), mask, size);
}

long sys_epoll_pwait2(int epfd, struct epoll_event __user *events, int max,
                      const struct timespec __user *timeout, const sigset_t __user *mask,
                      size_t size)
{
    ktime deadline;
    int err = poll_deadline(timeout, &deadline);

    return err ? err : wait_masked(epfd, events, max, deadline, mask, size);
}
