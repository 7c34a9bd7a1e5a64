/*
 * kernel/vfs/async.c: O_ASYNC, fcntl(2): a file that becomes readable or writable signals its owner.
 *
 * Wake-ups come under a wait queue's lock, where no signal can be sent. They only note what happened; the thread
 * that caused them sends the signal on its way out of the call, or before it sleeps in it.
 */
#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "task/task.h"
#include "vfs/internal.h"

#include <asm/poll.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/fcntl.h>

struct async {
    struct file *file;      /* constant; not counted: this goes with it */
    u32 wanted;             /* constant; poll bits */
    int fd;                 /* asyncs.lock; what F_SETFL was called with */
    u32 happened;           /* asyncs.lock; poll bits */
    struct list_head due;   /* asyncs.lock; asyncs.due */
    struct list_head hooks; /* constant after it was set up */
    bool failed;            /* while it is set up: no memory */
};

struct async_hook { /* a file may have several queues */
    struct waitq_entry entry;
    struct async *async;
    struct list_head link; /* async->hooks */
};

static struct mutex setting = {.lock = {.lock_class = LOCK_ASYNC}}; /* file->async */
static struct {
    struct spinlock lock; /* also of every file->owner */
    struct list_head due; /* lock; struct async.due */
} asyncs = {.lock = SPINLOCK(ASYNC_DUE), .due = LIST_HEAD_INIT(asyncs.due)};

/* ---- who gets the signals: F_SETOWN, F_SETSIG ---- */

bool (*vfs_owner_exists)(int type, int id);

void file_owner_get(struct file *file, struct file_owner *out)
{
    spin_lock(&asyncs.lock);
    *out = file->owner;
    spin_unlock(&asyncs.lock);
}

static long set_owner(struct file *file, int type, int id)
{
    if (type != F_OWNER_TID && type != F_OWNER_PID && type != F_OWNER_PGRP)
        return -EINVAL;
    if (id < 0)
        return -EINVAL;
    if (id && vfs_owner_exists && !vfs_owner_exists(type, id))
        return -ESRCH;
    spin_lock(&asyncs.lock);
    file->owner.type = type;
    file->owner.id = id;
    file->owner.uid = cred_current()->uid;
    file->owner.euid = cred_current()->euid;
    spin_unlock(&asyncs.lock);
    return 0;
}

void file_owner_default(struct file *file)
{
    struct file_owner owner;

    file_owner_get(file, &owner);
    if (!owner.id && self()->task)
        set_owner(file, F_OWNER_PID, self()->task->process->pid);
}

long file_owner_call(struct file *file, unsigned int cmd, unsigned long arg)
{
    struct f_owner_ex ex;
    struct file_owner owner;

    file_owner_get(file, &owner);
    switch (cmd) {
    case F_SETOWN:
        if ((int)arg == INT32_MIN)
            return -EINVAL;
        return (int)arg < 0 ? set_owner(file, F_OWNER_PGRP, -(int)arg)
                            : set_owner(file, F_OWNER_PID, (int)arg);
    case F_GETOWN:
        return owner.type == F_OWNER_PGRP ? -owner.id : owner.id;
    case F_SETOWN_EX:
        if (copy_from_user(&ex, (void __user *)arg, sizeof(ex)))
            return -EFAULT;
        return set_owner(file, ex.type, ex.pid);
    case F_GETOWN_EX:
        ex = (struct f_owner_ex){.type = owner.type, .pid = owner.id};
        return copy_to_user((void __user *)arg, &ex, sizeof(ex));
    case F_SETSIG:
        if (arg > 64)
            return -EINVAL;
        spin_lock(&asyncs.lock);
        file->owner.signal = (int)arg;
        spin_unlock(&asyncs.lock);
        return 0;
    default: /* F_GETSIG */
        return owner.signal;
    }
}

/* ---- wake-ups ---- */

static bool async_wake(struct waitq_entry *entry, u32 events)
{
    struct async *async = container_of(entry, struct async_hook, entry)->async;

    events &= async->wanted;
    if (!events)
        return false;
    spin_lock(&asyncs.lock);
    async->happened |= events;
    if (list_empty(&async->due))
        list_add_tail(&async->due, &asyncs.due);
    spin_unlock(&asyncs.lock);
    __atomic_fetch_or(&self()->thread.pending, PENDING_ASYNC, __ATOMIC_SEQ_CST);
    return false;
}

struct async_table {
    struct poll_table table;
    struct async *async;
};

static void async_queue(struct poll_table *table, struct file *file, struct waitq *q)
{
    struct async *async = container_of(table, struct async_table, table)->async;
    struct async_hook *hook = kzalloc(sizeof(*hook));

    if (!hook) {
        async->failed = true;
        return;
    }
    waitq_entry_init(&hook->entry, async_wake, async->wanted);
    hook->async = async;
    list_add_tail(&hook->link, &async->hooks);
    waitq_add(q, &hook->entry);
}

/* ---- setting and clearing ---- */

static void async_free(struct async *async)
{
    struct async_hook *hook, *next;

    list_for_each_entry_safe(hook, next, &async->hooks, link) {
        waitq_remove(&hook->entry);
        kfree(hook);
    }
    spin_lock(&asyncs.lock);
    list_del(&async->due);
    spin_unlock(&asyncs.lock);
    kfree(async);
}

static struct async *async_create(struct file *file)
{
    struct async *async = kzalloc(sizeof(*async));
    struct async_table table = {.table = {.queue = async_queue, .events = ~0U}, .async = async};

    if (!async)
        return NULL;
    async->file = file;
    if (file->mode & FILE_READ)
        async->wanted |= POLLIN | POLLPRI;
    if (file->mode & FILE_WRITE)
        async->wanted |= POLLOUT;
    async->wanted |= POLLERR | POLLHUP;
    list_init(&async->due);
    list_init(&async->hooks);
    (void)file_poll(file, &table.table); /* news are told, not what holds already */
    if (!async->failed)
        return async;
    async_free(async);
    return NULL;
}

static int async_begin_locked(struct file *file, int fd)
{
    if (!file->async)
        file->async = async_create(file);
    if (!file->async)
        return -ENOMEM;
    spin_lock(&asyncs.lock);
    file->async->fd = fd;
    spin_unlock(&asyncs.lock);
    __atomic_fetch_or(&file->flags, FASYNC, __ATOMIC_RELAXED);
    return 0;
}

/* fcntl(2): terminals choose an owner themselves. */
static void own_by_default(struct file *file)
{
    struct file_owner owner;
    int id = 0, type = file->ops->async_owner(file, &id);

    file_owner_get(file, &owner);
    if (!owner.id && id)
        (void)set_owner(file, type, id);
}

int file_set_async(struct file *file, int fd, bool on)
{
    struct async *old = NULL;
    int err = 0;

    mutex_lock(&setting);
    if (on) {
        err = async_begin_locked(file, fd);
    } else {
        old = file->async;
        file->async = NULL;
        __atomic_fetch_and(&file->flags, ~(u32)FASYNC, __ATOMIC_RELAXED);
    }
    mutex_unlock(&setting);
    if (old)
        async_free(old);
    if (on && !err && file->ops->async_owner)
        own_by_default(file);
    return err;
}

/* The last reference is gone: nobody sets it any more. */
void async_file_gone(struct file *file)
{
    if (file->async)
        async_free(file->async);
    file->async = NULL;
}

/* ---- telling the owner ---- */

void (*vfs_signal_owner)(const struct file_owner *owner, const siginfo_t *info);

/* sigaction(2): what is told of a signal that F_SETSIG chose. */
static void describe(siginfo_t *info, u32 happened, int fd)
{
    static const struct {
        u32 bit;
        int code, band;
    } reasons[] = {
        {POLLPRI, POLL_PRI, POLLPRI | POLLRDBAND},
        {POLLIN, POLL_IN, POLLIN | POLLRDNORM},
        {POLLOUT, POLL_OUT, POLLOUT | POLLWRNORM | POLLWRBAND},
        {POLLHUP, POLL_HUP, POLLHUP | POLLERR},
        {POLLERR, POLL_ERR, POLLERR},
    };
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(reasons) && !(happened & reasons[i].bit))
        i++;
    info->si_code = reasons[i].code;
    info->si_band = reasons[i].band;
    info->si_fd = fd;
}

/* Takes one file off the list and says whom to signal, and what. */
static bool due_take(struct file_owner *owner, siginfo_t *info)
{
    struct async *async;
    u32 happened;
    int fd;

    spin_lock(&asyncs.lock);
    if (list_empty(&asyncs.due)) {
        spin_unlock(&asyncs.lock);
        return false;
    }
    async = list_first_entry(&asyncs.due, struct async, due);
    list_del(&async->due);
    happened = async->happened;
    async->happened = 0;
    fd = async->fd;
    *owner = async->file->owner;
    spin_unlock(&asyncs.lock);

    memset(info, 0, sizeof(*info));
    info->si_signo = owner->signal ? owner->signal : SIGIO;
    info->si_code = SI_KERNEL;
    if (owner->signal)
        describe(info, happened, fd);
    return true;
}

bool file_async_due(void)
{
    return !list_empty(&asyncs.due);
}

void file_async_tell(void)
{
    struct file_owner owner;
    siginfo_t info;

    __atomic_fetch_and(&self()->thread.pending, ~PENDING_ASYNC, __ATOMIC_SEQ_CST);
    while (vfs_signal_owner && due_take(&owner, &info))
        vfs_signal_owner(&owner, &info);
}
