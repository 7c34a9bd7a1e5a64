/*
 * kernel/vfs/epoll.c: epoll(7). An item watches one open file for one epoll instance. A wake-up of the file puts the item
 * on the instance's ready list; epoll_wait then asks the file what really holds.
 *
 * Locks: epoll_links for which files are watched by whom; epoll->lock for the items of an instance; the instance's wait
 * queue's own lock for the ready list, because wake-ups come with the file's queue locked. That nesting ends: an
 * instance that watches another one is checked for loops when it begins to.
 */
#include "base/errno.h"
#include "base/rbtree.h"
#include "host/ready.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/signal.h"
#include "syscall_proto.h"
#include "time/time.h"
#include "vfs/poll_wait.h"
#include "vfs/vfs.h"

#include <linux/eventpoll.h>

#define EPOLL_DEPTH 5
#define EPOLL_BATCH 32 /* events that are collected before they are copied out */
#define EPOLL_FLAGS (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)
#define EPOLL_EXCLUSIVE_OK                                                                         \
    (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

struct epoll {
    struct mutex lock;    /* class EPOLL: items */
    struct rb_tree items; /* lock; by descriptor, then file */
    struct waitq wait; /* epoll_wait sleeps here, and whoever polls the instance; its lock: ready */
    struct list_head ready; /* wait.lock */
};

struct epoll_hook { /* an item may stand in several queues */
    struct waitq_entry entry;
    struct epoll_item *item;
    struct list_head link; /* item->hooks */
};

struct epoll_item {
    struct rb_node node;         /* epoll->lock; epoll->items */
    struct list_head gone;       /* its remover's list, once it is in no tree */
    struct list_head watch;      /* epoll_links; file's watchers */
    struct list_head ready_link; /* epoll->wait.lock */
    struct list_head hooks;      /* constant after it was added */
    struct epoll *epoll;         /* constant */
    struct file *file;           /* constant; not counted: the item goes with it */
    int fd;                      /* constant; with file it is the item's name */
    struct epoll_event event;    /* epoll->lock */
    bool is_ready;               /* epoll->wait.lock */
    bool failed;                 /* while it is added: no memory */
};

static struct mutex epoll_links = {.lock = {.lock_class = LOCK_EPOLL_TREE}};
static const struct file_ops epoll_ops;

/* --- wake-ups -------------------------------------------------------------------------------------------- */

/* ep->wait.lock is held. */
static void item_make_ready(struct epoll_item *item)
{
    if (!item->is_ready) {
        item->is_ready = true;
        list_add_tail(&item->ready_link, &item->epoll->ready);
    }
}

static bool hook_wake(struct waitq_entry *entry, u32 events)
{
    struct epoll_item *item = container_of(entry, struct epoll_hook, entry)->item;
    struct epoll *ep = item->epoll;
    u32 wanted = READ_ONCE(item->event.events) & ~EPOLL_FLAGS;

    if (waitq_host(entry->queue) && !waitq_host(&ep->wait)) {
        waitq_lock_nested(&ep->wait);
        waitq_feed_by_host_locked(&ep->wait);
        waitq_unlock(&ep->wait);
    }
    if (!wanted || (events && !(events & (wanted | EPOLLERR | EPOLLHUP))))
        return false;
    waitq_lock_nested(&ep->wait);
    item_make_ready(item);
    waitq_wake_locked(&ep->wait, 0);
    waitq_unlock(&ep->wait);
    return true;
}

struct item_table {
    struct poll_table table;
    struct epoll_item *item;
};

static void item_queue(struct poll_table *table, struct file *file, struct waitq *q)
{
    struct epoll_item *item = container_of(table, struct item_table, table)->item;
    struct epoll_hook *hook = kzalloc(sizeof(*hook));

    if (!hook) {
        item->failed = true;
        return;
    }
    waitq_entry_init(&hook->entry, hook_wake, 0);
    hook->entry.exclusive = item->event.events & EPOLLEXCLUSIVE;
    hook->item = item;
    list_add_tail(&hook->link, &item->hooks);
    waitq_add(q, &hook->entry);
    if (waitq_host(q))
        waitq_feed_by_host(&item->epoll->wait);
}

/* What of the item's events holds now. */
static u32 item_ask(const struct epoll_item *item)
{
    u32 wanted = item->event.events & ~EPOLL_FLAGS;

    return wanted ? file_poll(item->file, NULL) & (wanted | EPOLLERR | EPOLLHUP) : 0;
}

/* --- items ------------------------------------------------------------------------------------------------ */

struct item_name {
    const struct file *file;
    int fd;
};

static int item_compare(const void *key, const struct rb_node *node)
{
    const struct epoll_item *item = rb_entry(node, struct epoll_item, node);
    const struct item_name *name = key;

    if (name->fd != item->fd)
        return name->fd < item->fd ? -1 : 1;
    return name->file == item->file ? 0 : (uintptr_t)name->file < (uintptr_t)item->file ? -1 : 1;
}

static bool item_before(const struct rb_node *a, const struct rb_node *b)
{
    const struct epoll_item *item = rb_entry(a, struct epoll_item, node);
    const struct item_name name = {.file = item->file, .fd = item->fd};

    return item_compare(&name, b) < 0;
}

static struct epoll_item *item_find(struct epoll *ep, const struct file *file, int fd)
{
    const struct item_name name = {.file = file, .fd = fd};

    return rb_entry_or_null(rb_find(&ep->items, &name, item_compare), struct epoll_item, node);
}

static void item_free(struct epoll_item *item)
{
    struct epoll_hook *hook, *next;

    list_for_each_entry_safe(hook, next, &item->hooks, link) {
        waitq_remove(&hook->entry);
        kfree(hook);
    }
    spin_lock(&item->epoll->wait.lock);
    list_del(&item->ready_link);
    spin_unlock(&item->epoll->wait.lock);
    kfree(item);
}

/* epoll_links and epoll->lock are held. */
static void item_unlink(struct epoll_item *item)
{
    rb_erase(&item->epoll->items, &item->node);
    list_del(&item->watch);
    if (list_empty((struct list_head *)item->file->watchers)) {
        kfree(item->file->watchers);
        item->file->watchers = NULL;
    }
}

static struct list_head *watchers_of(struct file *file)
{
    if (!file->watchers) {
        struct list_head *list = kmalloc(sizeof(*list));

        if (list)
            list_init(list);
        file->watchers = list;
    }
    return file->watchers;
}

/* How many instances deep does what is below reach? Too deep, or back to `top`: -ELOOP. epoll_links is held. */
static int tree_check(const struct epoll *ep, const struct epoll *top, int depth)
{
    struct epoll_item *item;

    if (ep == top || depth > EPOLL_DEPTH)
        return -ELOOP;
    rb_for_each_entry(item, &ep->items, node) {
        if (item->file->ops == &epoll_ops && tree_check(item->file->private, top, depth + 1))
            return -ELOOP;
    }
    return 0;
}

static int item_insert(struct epoll *ep, struct epoll_item *item)
{
    struct list_head *watchers = watchers_of(item->file);

    if (!watchers)
        return -ENOMEM;
    if (item_find(ep, item->file, item->fd))
        return -EEXIST;
    rb_insert(&ep->items, &item->node, item_before);
    list_add_tail(&item->watch, watchers);
    return 0;
}

static int item_register(struct epoll_item *item)
{
    struct item_table table = {.table = {.queue = item_queue, .events = ~0U}, .item = item};
    u32 mask = file_poll(item->file, &table.table) & (item->event.events | EPOLLERR | EPOLLHUP);

    if (item->failed)
        return -ENOMEM;
    if (mask & ~EPOLL_FLAGS) {
        spin_lock(&item->epoll->wait.lock);
        item_make_ready(item);
        waitq_wake_locked(&item->epoll->wait, 0);
        spin_unlock(&item->epoll->wait.lock);
    }
    return 0;
}

static int item_add(struct epoll *ep, struct file *file, int fd, const struct epoll_event *event)
{
    struct epoll_item *item = kzalloc(sizeof(*item));
    int err = 0;

    if (!item)
        return -ENOMEM;
    list_init(&item->ready_link);
    list_init(&item->hooks);
    item->epoll = ep;
    item->file = file;
    item->fd = fd;
    item->event = *event;

    mutex_lock(&epoll_links);
    if (file->ops == &epoll_ops)
        err = tree_check(file->private, ep, 1);
    mutex_lock(&ep->lock);
    if (!err)
        err = item_insert(ep, item);
    if (!err) {
        err = item_register(item);
        if (err)
            item_unlink(item);
    }
    mutex_unlock(&ep->lock);
    mutex_unlock(&epoll_links);
    if (err)
        item_free(item);
    return err;
}

static int item_delete(struct epoll *ep, struct file *file, int fd)
{
    struct epoll_item *item;

    mutex_lock(&epoll_links);
    mutex_lock(&ep->lock);
    item = item_find(ep, file, fd);
    if (item)
        item_unlink(item);
    mutex_unlock(&ep->lock);
    mutex_unlock(&epoll_links);
    if (!item)
        return -ENOENT;
    item_free(item);
    return 0;
}

static int item_modify(struct epoll *ep, struct file *file, int fd, const struct epoll_event *event)
{
    struct epoll_item *item;
    int err = -ENOENT;

    mutex_lock(&ep->lock);
    item = item_find(ep, file, fd);
    if (item && ((item->event.events | event->events) & EPOLLEXCLUSIVE)) {
        err = -EINVAL;
    } else if (item) {
        WRITE_ONCE(item->event.events, event->events);
        item->event.data = event->data;
        if (item_ask(item)) {
            spin_lock(&ep->wait.lock);
            item_make_ready(item);
            waitq_wake_locked(&ep->wait, 0);
            spin_unlock(&ep->wait.lock);
        }
        err = 0;
    }
    mutex_unlock(&ep->lock);
    return err;
}

/* The file's last descriptor is closed: nobody can ask for it any more. */
static void epoll_file_gone(struct file *file)
{
    struct list_head gone = LIST_HEAD_INIT(gone);
    struct epoll_item *item, *next;

    if (!READ_ONCE(file->watchers))
        return;
    mutex_lock(&epoll_links);
    while (file->watchers) {
        item = list_first_entry((struct list_head *)file->watchers, struct epoll_item, watch);
        mutex_lock(&item->epoll->lock);
        item_unlink(item);
        mutex_unlock(&item->epoll->lock);
        list_add_tail(&item->gone, &gone);
    }
    mutex_unlock(&epoll_links);
    list_for_each_entry_safe(item, next, &gone, gone)
        item_free(item);
}

/* --- the instance ------------------------------------------------------------------------------------------- */

static void epoll_release(struct file *file)
{
    struct epoll *ep = file->private;
    struct list_head gone = LIST_HEAD_INIT(gone);
    struct epoll_item *item, *next;

    mutex_lock(&epoll_links);
    mutex_lock(&ep->lock);
    rb_for_each_entry_safe(item, next, &ep->items, node) {
        item_unlink(item);
        list_add_tail(&item->gone, &gone);
    }
    mutex_unlock(&ep->lock);
    mutex_unlock(&epoll_links);
    list_for_each_entry_safe(item, next, &gone, gone)
        item_free(item);
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
    item_make_ready(item);
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
        any = item_ask(item) != 0;
        if (any)
            ready_put(item);
    }
    mutex_unlock(&ep->lock);
    return any ? POLLIN | POLLRDNORM : 0;
}

static const struct file_ops epoll_ops = {
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
        return item_add(ep, target.file, fd, &event);
    case EPOLL_CTL_MOD:
        return item_modify(ep, target.file, fd, &event);
    case EPOLL_CTL_DEL:
        return item_delete(ep, target.file, fd);
    default:
        return -EINVAL;
    }
}

/* --- epoll_wait ------------------------------------------------------------------------------------------------- */

/* One ready item: an event, or none. Level-triggered ones stay on the list, behind the others. */
static bool item_report(struct epoll_item *item, struct epoll_event *out)
{
    u32 mask = item_ask(item);

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
