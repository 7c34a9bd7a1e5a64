/*
 * kernel/vfs/lease.c: fcntl(2)'s leases: who holds one is told before somebody else opens or truncates the file, who
 * waits until the lease is given up, or for so long that it ends by itself.
 */
#include "task/task.h"
#include "time/time.h"
#include "vfs/internal.h"

#include <asm/poll.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/fcntl.h>

#define BREAK_TIME (45 * NSEC_PER_SEC)

struct lease {
    struct list_head list; /* leases.lock, as all of it */
    struct file *file;     /* not counted: the lease goes with it */
    int fd;                /* what F_SETLEASE was called with */
    int type;              /* F_RDLCK, F_WRLCK */
    int target;            /* what it is to become; its type when nobody breaks it */
    ktime deadline;        /* of the break */
    bool untold;           /* of the break */
};

struct leases {
    struct spinlock lock;  /* class OBJECT */
    struct list_head held; /* lock */
    struct waitq changed;  /* woken when a lease goes or becomes less */
};

static struct leases *inode_leases(struct inode *inode)
{
    return __atomic_load_n(&inode->leases, __ATOMIC_SEQ_CST);
}

static struct leases *leases_make(struct inode *inode)
{
    struct leases *leases = inode_leases(inode), *none = NULL;

    if (leases)
        return leases;
    leases = kzalloc(sizeof(*leases));
    if (!leases)
        return NULL;
    spin_init(&leases->lock, OBJECT);
    list_init(&leases->held);
    waitq_init(&leases->changed, "lease");
    if (__atomic_compare_exchange_n(&inode->leases, &none, leases, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
        return leases;
    kfree(leases);
    return none;
}

static struct lease *lease_find_locked(struct leases *leases, const struct file *file)
{
    struct lease *lease;

    list_for_each_entry(lease, &leases->held, list) {
        if (lease->file == file)
            return lease;
    }
    return NULL;
}

/* A lease becomes less, or goes. */
static void lease_change_locked(struct leases *leases, struct lease *lease, int type)
{
    lease->type = lease->target = type;
    if (type == F_UNLCK) {
        list_del(&lease->list);
        kfree(lease);
    }
    waitq_wake(&leases->changed, 0);
}

static bool lease_drop(struct file *file)
{
    struct leases *leases = inode_leases(file->inode);
    struct lease *lease = NULL;

    if (!leases)
        return false;
    spin_lock(&leases->lock);
    lease = lease_find_locked(leases, file);
    if (lease)
        lease_change_locked(leases, lease, F_UNLCK);
    spin_unlock(&leases->lock);
    return lease;
}

void lease_file_released(struct file *file)
{
    lease_drop(file);
}

/* ---- F_SETLEASE, F_GETLEASE ---- */

/* fcntl(2): a lease for reading when nobody writes, for writing when nobody else has the file open. */
static bool opened_otherwise(const struct inode *inode, int type)
{
    return type == F_RDLCK ? __atomic_load_n(&inode->writers, __ATOMIC_SEQ_CST) > 0
                           : __atomic_load_n(&inode->opens, __ATOMIC_SEQ_CST) > 1;
}

/* Also while it is being broken; but what is to go remains so. */
static int lease_renew_locked(struct leases *leases, struct lease *lease, int type)
{
    if (opened_otherwise(lease->file->inode, type))
        return -EAGAIN;
    if (lease->target == F_UNLCK) {
        lease->type = type;
        waitq_wake(&leases->changed, 0);
    } else {
        lease_change_locked(leases, lease, type);
    }
    return 0;
}

static int lease_take_locked(struct leases *leases, struct lease *new)
{
    struct lease *lease;

    /* Somebody waits until there is none. */
    list_for_each_entry(lease, &leases->held, list) {
        if (lease->target == F_UNLCK)
            return -EAGAIN;
    }
    /* Seen by whoever opens the file from now on; who did before is seen by us. */
    list_add_tail(&new->list, &leases->held);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!opened_otherwise(new->file->inode, new->type))
        return 0;
    list_del(&new->list);
    return -EAGAIN;
}

long lease_set(struct file *file, int fd, int type)
{
    struct leases *leases;
    struct lease *own, *new;
    int err;

    if (cred_current()->fsuid != file->inode->uid && !capable(CAP_LEASE))
        return -EACCES;
    if (!inode_is(file->inode, S_IFREG) || (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK))
        return -EINVAL;
    if (type == F_UNLCK)
        return lease_drop(file) ? 0 : -EAGAIN;
    leases = leases_make(file->inode);
    new = leases ? kzalloc(sizeof(*new)) : NULL;
    if (!new)
        return -ENOMEM;
    *new = (struct lease){.file = file, .fd = fd, .type = type, .target = type};
    list_init(&new->list);
    file_owner_default(file);

    spin_lock(&leases->lock);
    own = lease_find_locked(leases, file);
    err = own ? lease_renew_locked(leases, own, type) : lease_take_locked(leases, new);
    spin_unlock(&leases->lock);
    if (own || err)
        kfree(new);
    return err;
}

long lease_get(struct file *file)
{
    struct leases *leases = inode_leases(file->inode);
    struct lease *lease;
    int type = F_UNLCK;

    if (!leases)
        return type;
    spin_lock(&leases->lock);
    lease = lease_find_locked(leases, file);
    if (lease)
        type = lease->target;
    spin_unlock(&leases->lock);
    return type;
}

/* ---- breaking ---- */

static struct lease *conflict_locked(struct leases *leases, bool write)
{
    struct lease *lease;

    list_for_each_entry(lease, &leases->held, list) {
        if (write || lease->type == F_WRLCK)
            return lease;
    }
    return NULL;
}

static void break_locked(struct leases *leases, bool write)
{
    struct lease *lease;

    list_for_each_entry(lease, &leases->held, list) {
        int target = write ? F_UNLCK : F_RDLCK;

        if ((!write && lease->type != F_WRLCK) || lease->target == target ||
            lease->target == F_UNLCK)
            continue;
        lease->target = target;
        lease->deadline = time_monotonic() + BREAK_TIME;
        lease->untold = true;
    }
}

static struct lease *untold_locked(struct leases *leases)
{
    struct lease *lease;

    list_for_each_entry(lease, &leases->held, list) {
        if (lease->untold)
            return lease;
    }
    return NULL;
}

/* Signals are sent without the lock. */
static void tell_holders(struct leases *leases)
{
    struct lease *lease;

    while ((lease = untold_locked(leases))) {
        siginfo_t info = {0};
        struct file_owner owner;

        lease->untold = false;
        file_owner_get(lease->file, &owner);
        info.si_signo = owner.signal ? owner.signal : SIGIO;
        info.si_code = owner.signal ? POLL_MSG : SI_KERNEL;
        if (owner.signal) {
            info.si_band = POLLIN | POLLRDNORM | POLLMSG;
            info.si_fd = lease->fd;
        }
        spin_unlock(&leases->lock);
        if (vfs_signal_owner)
            vfs_signal_owner(&owner, &info);
        spin_lock(&leases->lock);
    }
}

/* The holders had their time. */
static void expire_locked(struct leases *leases)
{
    struct lease *lease, *next;
    ktime now = time_monotonic();

    list_for_each_entry_safe(lease, next, &leases->held, list) {
        if (lease->type != lease->target && lease->deadline <= now)
            lease_change_locked(leases, lease, lease->target);
    }
}

int lease_break(struct inode *inode, bool write, bool nonblock)
{
    struct leases *leases = inode_leases(inode);
    struct lease *lease;
    int err = 0;

    if (!leases)
        return 0;
    spin_lock(&leases->lock);
    while (!err) {
        break_locked(leases, write);
        tell_holders(leases);
        lease = conflict_locked(leases, write);
        if (!lease)
            break;
        if (nonblock) {
            err = -EAGAIN;
            break;
        }
        ktime deadline = lease->deadline;

        err =
            wait_event(&leases->changed, &leases->lock, !conflict_locked(leases, write), deadline);
        if (err == -ETIMEDOUT) {
            expire_locked(leases);
            err = 0;
        }
    }
    spin_unlock(&leases->lock);
    return err == -EINTR ? -ERESTARTSYS : err;
}
