/*
 * kernel/vfs/inotify.c: inotify(7): watches on inodes, and the queues of events that programs read.
 *
 * The calls of the room tell what they do by vfs_notify; it stays NULL until the first watch is made.
 */
#include "abi/newer.h"
#include "base/fmt.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <asm/ioctls.h>
#include <linux/inotify.h>

#define WATCHES_MAX 65536U /* of one instance */
#define MASK_FLAGS                                                                                 \
    (IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT)
/* What a directory's watch is told of its entries; the rest concerns the watched object alone. */
#define ON_ENTRIES (IN_ACCESS | IN_MODIFY | IN_ATTRIB | IN_CLOSE | IN_OPEN)

struct event {
    struct list_head list;
    struct inotify_event head; /* last: its name is padded with zeros */
};

struct inotify {
    struct file file;
    struct list_head watches; /* watch_lock */
    u32 nwatches;             /* watch_lock */
    int last_wd;              /* watch_lock */
    struct spinlock lock;     /* class OBJECT */
    struct list_head events;  /* lock */
    u32 nevents;              /* lock; without the overflow event */
    u32 bytes;                /* lock; what FIONREAD tells */
    bool overflown;           /* lock; the queue ends with IN_Q_OVERFLOW */
    struct waitq readable;
};

struct watch {
    struct watch *next;    /* watch_lock; of the inode's */
    struct list_head list; /* watch_lock; of the instance's */
    struct inotify *group; /* constant; the instance outlives its watches */
    struct inode *inode;   /* constant; counted */
    int wd;                /* constant */
    u32 mask;              /* watch_lock */
};

/* Before an instance's lock. */
static struct spinlock watch_lock = SPINLOCK(OBJECT);

/* ---- the queue ---- */

static struct event *event_alloc(int wd, u32 mask, u32 cookie, const struct name *name)
{
    size_t len = name ? ALIGN_UP((size_t)name->len + 1, sizeof(struct inotify_event)) : 0;
    struct event *event = kzalloc(sizeof(*event) + len);

    if (!event)
        return NULL;
    event->head = (struct inotify_event){.wd = wd, .mask = mask, .cookie = cookie, .len = (u32)len};
    if (name)
        memcpy(event->head.name, name->text, name->len);
    return event;
}

static bool event_same(const struct event *a, const struct event *b)
{
    return a->head.wd == b->head.wd && a->head.mask == b->head.mask &&
           a->head.cookie == b->head.cookie && a->head.len == b->head.len &&
           memcmp(a->head.name, b->head.name, a->head.len) == 0;
}

static void queue_locked(struct inotify *group, struct event *event)
{
    list_add_tail(&event->list, &group->events);
    group->bytes += (u32)sizeof(event->head) + event->head.len;
    group->nevents++;
}

/* Called with watch_lock held. What does not fit, or cannot be allocated, becomes an overflow. */
static void event_queue(struct inotify *group, int wd, u32 mask, u32 cookie,
                        const struct name *name)
{
    struct event *event = event_alloc(wd, mask, cookie, name), *last;

    spin_lock_nested(&group->lock);
    last = list_last_entry(&group->events, struct event, list);
    if (event && last && event_same(last, event)) {
        kfree(event);
    } else if (event && group->nevents < INOTIFY_EVENTS_MAX) {
        queue_locked(group, event);
    } else if (!group->overflown) {
        kfree(event);
        event = event_alloc(-1, IN_Q_OVERFLOW, 0, NULL);
        group->overflown = true;
        if (event)
            queue_locked(group, event);
    } else {
        kfree(event);
    }
    waitq_wake(&group->readable, POLLIN);
    spin_unlock(&group->lock);
}

static struct event *event_take_locked(struct inotify *group, size_t room)
{
    struct event *event = list_first_entry(&group->events, struct event, list);

    if (!event)
        return NULL;
    if (sizeof(event->head) + event->head.len > room)
        return ERR_PTR(-EINVAL);
    list_del(&event->list);
    group->bytes -= (u32)sizeof(event->head) + event->head.len;
    group->nevents--;
    if (event->head.mask == IN_Q_OVERFLOW)
        group->overflown = false;
    return event;
}

/* ---- watches ---- */

/* Out of both lists; the caller puts the inode and frees it when watch_lock is released. */
static void watch_unlink_locked(struct watch *watch)
{
    struct watch **at = (struct watch **)&watch->inode->watches;

    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    list_del(&watch->list);
    watch->group->nwatches--;
}

static void watch_free(struct watch *watch)
{
    inode_put(watch->inode);
    kfree(watch);
}

/* One event for all watches of the inode; those that are spent are collected in *gone. */
static void tell(struct inode *inode, u32 mask, u32 cookie, const struct name *name, bool unlinked,
                 struct watch **gone)
{
    struct watch *watch, *next;

    for (watch = inode->watches; watch; watch = next) {
        next = watch->next;
        if (!(watch->mask & mask & IN_ALL_EVENTS) && !(mask & (IN_IGNORED | IN_UNMOUNT)))
            continue;
        if (unlinked && (watch->mask & IN_EXCL_UNLINK))
            continue;
        event_queue(watch->group, watch->wd, mask, cookie, name);
        if (!(watch->mask & IN_ONESHOT))
            continue;
        event_queue(watch->group, watch->wd, IN_IGNORED, 0, NULL);
        watch_unlink_locked(watch);
        watch->next = *gone;
        *gone = watch;
    }
}

static void free_all(struct watch *gone)
{
    while (gone) {
        struct watch *next = gone->next;

        watch_free(gone);
        gone = next;
    }
}

static bool watched(struct inode *inode)
{
    return inode && __atomic_load_n(&inode->watches, __ATOMIC_RELAXED);
}

/* The name as it is now, before or after a rename. */
static void name_copy(struct dentry *dentry, char text[NAME_MAX], struct name *out)
{
    spin_lock(&dentry->lock);
    out->text = text;
    out->len = MIN(dentry->name.len, (u32)NAME_MAX);
    memcpy(text, dentry->name.text, out->len);
    spin_unlock(&dentry->lock);
}

static void notify(struct dentry *dentry, u32 mask, const struct name *name, u32 cookie)
{
    AUTO(dentry_put) struct dentry *parent = NULL;
    struct inode *inode = dentry_inode(dentry);
    struct watch *gone = NULL;
    char text[NAME_MAX];
    struct name own;
    bool in_parent;

    if (!name && (mask & ON_ENTRIES) && !(mask & NOTIFY_INODE_ALONE))
        parent = dentry_parent(dentry);
    mask &= ~(u32)NOTIFY_INODE_ALONE;
    in_parent = parent && parent != dentry && watched(parent->inode);
    if (!watched(inode) && !in_parent)
        return;
    if (in_parent)
        name_copy(dentry, text, &own);

    spin_lock(&watch_lock);
    if (in_parent)
        tell(parent->inode, mask, cookie, &own, dentry_unhashed(dentry), &gone);
    if (inode)
        tell(inode, mask, cookie, name, false, &gone);
    spin_unlock(&watch_lock);
    free_all(gone);
}

void inotify_inode_gone(struct inode *inode)
{
    struct watch *gone = NULL, *watch;

    spin_lock(&watch_lock);
    while ((watch = inode->watches)) {
        if (watch->mask & IN_DELETE_SELF)
            event_queue(watch->group, watch->wd, IN_DELETE_SELF, 0, NULL);
        event_queue(watch->group, watch->wd, IN_IGNORED, 0, NULL);
        watch_unlink_locked(watch);
        watch->next = gone;
        gone = watch;
    }
    spin_unlock(&watch_lock);
    free_all(gone);
}

/* ---- the file ---- */

static ssize_t inotify_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct inotify *group = container_of(file, struct inotify, file);
    ssize_t done = 0;

    for (;;) {
        struct event *event = NULL;
        ssize_t n;

        spin_lock(&group->lock);
        n = done ? 0 : file_wait(file, &group->readable, &group->lock, !list_empty(&group->events));
        if (!n)
            event = event_take_locked(group, iter_left(to));
        spin_unlock(&group->lock);
        if (n)
            return n;
        if (IS_ERR_OR_NULL(event))
            return done || !event ? done : PTR_ERR(event);
        n = copy_to_iter(to, &event->head, sizeof(event->head));
        if (n == (ssize_t)sizeof(event->head) && event->head.len)
            n += copy_to_iter(to, event->head.name, event->head.len);
        if (n != (ssize_t)(sizeof(event->head) + event->head.len))
            n = -EFAULT;
        kfree(event);
        if (n < 0)
            return done ? done : n;
        done += n;
    }
}

static u32 inotify_poll(struct file *file, struct poll_table *table)
{
    struct inotify *group = container_of(file, struct inotify, file);
    u32 mask;

    poll_wait(file, &group->readable, table);
    spin_lock(&group->lock);
    mask = list_empty(&group->events) ? 0 : POLLIN | POLLRDNORM;
    spin_unlock(&group->lock);
    return mask;
}

static long inotify_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
    struct inotify *group = container_of(file, struct inotify, file);

    if (cmd != FIONREAD)
        return -ENOTTY;
    return put_user((int)READ_ONCE(group->bytes), (int __user *)arg);
}

static void inotify_release(struct file *file)
{
    struct inotify *group = container_of(file, struct inotify, file);
    struct watch *watch, *gone = NULL;
    struct event *event;

    spin_lock(&watch_lock);
    while ((watch = list_first_entry(&group->watches, struct watch, list))) {
        watch_unlink_locked(watch);
        watch->next = gone;
        gone = watch;
    }
    spin_unlock(&watch_lock);
    free_all(gone);
    while ((event = list_first_entry(&group->events, struct event, list))) {
        list_del(&event->list);
        kfree(event);
    }
    kfree(group);
}

static int inotify_fdinfo(struct file *file, char *buf, size_t size)
{
    struct inotify *group = container_of(file, struct inotify, file);
    struct watch *watch;
    int len = 0;

    spin_lock(&watch_lock);
    list_for_each_entry(watch, &group->watches, list) {
        size_t used = MIN((size_t)len, size);

        len += snprintf(buf + used, size - used,
                        "inotify wd:%x ino:%lx sdev:%lx mask:%x ignored_mask:0\n", watch->wd,
                        (unsigned long)watch->inode->ino, (unsigned long)watch->inode->super->dev,
                        watch->mask);
    }
    spin_unlock(&watch_lock);
    return len;
}

static const struct file_ops inotify_ops = {
    .name = "inotify",
    .read = inotify_read,
    .poll = inotify_poll,
    .ioctl = inotify_ioctl,
    .release = inotify_release,
    .fdinfo = inotify_fdinfo,
    .async = true,
};

/* ---- the calls ---- */

long sys_inotify_init1(int flags)
{
    struct inotify *group;
    int err;

    if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
        return -EINVAL;
    group = kzalloc(sizeof(*group));
    if (!group)
        return -ENOMEM;
    list_init(&group->watches);
    list_init(&group->events);
    spin_init(&group->lock, OBJECT);
    waitq_init(&group->readable, "inotify");
    err = file_init(&group->file, &inotify_ops, NULL, O_RDONLY | (flags & IN_NONBLOCK));
    if (err) {
        kfree(group);
        return err;
    }
    return fd_create(&group->file, flags & IN_CLOEXEC);
}

long sys_inotify_init(void)
{
    return sys_inotify_init1(0);
}

static struct inotify *inotify_of(struct file *file)
{
    return file->ops == &inotify_ops ? container_of(file, struct inotify, file) : NULL;
}

/* The watch that the instance has on the inode already gets the new mask. -ENOENT: there is none. */
static int watch_update_locked(struct inotify *group, struct inode *inode, u32 mask)
{
    struct watch *watch;

    for (watch = inode->watches; watch; watch = watch->next) {
        if (watch->group != group)
            continue;
        if (mask & IN_MASK_CREATE)
            return -EEXIST;
        watch->mask = mask & IN_MASK_ADD ? watch->mask | mask : mask;
        return watch->wd;
    }
    return -ENOENT;
}

static int watch_add(struct inotify *group, struct inode *inode, u32 mask)
{
    struct watch *watch = kzalloc(sizeof(*watch));
    int wd;

    if (!watch)
        return -ENOMEM;
    watch->group = group;
    watch->mask = mask;
    watch->inode = inode_get(inode);

    spin_lock(&watch_lock);
    wd = watch_update_locked(group, inode, mask);
    if (wd == -ENOENT && group->nwatches < WATCHES_MAX) {
        wd = watch->wd = ++group->last_wd;
        group->nwatches++;
        list_add_tail(&watch->list, &group->watches);
        watch->next = inode->watches;
        __atomic_store_n(&inode->watches, watch, __ATOMIC_RELEASE);
        watch = NULL;
        vfs_notify = notify;
    } else if (wd == -ENOENT) {
        wd = -ENOSPC;
    }
    spin_unlock(&watch_lock);
    if (watch)
        watch_free(watch);
    return wd;
}

long sys_inotify_add_watch(int nr, const char __user *pathname, unsigned int mask)
{
    AUTO_FD fd = fd_borrow(nr);
    AUTO_PATH path = {0};
    u32 lookup =
        (mask & IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) | (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0);
    int err;

    /* Bits of events that nobody asks for are good for a mask that asks for nothing. */
    if (!mask || (mask & ~(unsigned int)(IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED |
                                         IN_ISDIR | MASK_FLAGS)))
        return -EINVAL;
    if (!fd.file)
        return -EBADF;
    if ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE))
        return -EINVAL;
    if (!inotify_of(fd.file))
        return -EINVAL;
    err = path_lookup_user(AT_FDCWD, pathname, lookup, &path);
    if (!err)
        err = inode_permission(path_inode(&path), MAY_READ);
    return err ? err
               : watch_add(inotify_of(fd.file), path_inode(&path),
                           mask & (IN_ALL_EVENTS | MASK_FLAGS));
}

long sys_inotify_rm_watch(int nr, int wd)
{
    AUTO_FD fd = fd_borrow(nr);
    struct inotify *group;
    struct watch *watch, *found = NULL;

    if (!fd.file)
        return -EBADF;
    group = inotify_of(fd.file);
    if (!group)
        return -EINVAL;
    spin_lock(&watch_lock);
    list_for_each_entry(watch, &group->watches, list) {
        if (watch->wd == wd) {
            found = watch;
            break;
        }
    }
    if (found) {
        watch_unlink_locked(found);
        event_queue(group, wd, IN_IGNORED, 0, NULL);
    }
    spin_unlock(&watch_lock);
    if (!found)
        return -EINVAL;
    watch_free(found);
    return 0;
}
