/*
 * kernel/vfs/locks.c: advisory locks: fcntl(2)'s record locks of processes and of open files, flock(2).
 *
 * A process's record locks belong to its descriptor table, as do the closes that end them.
 */
#include "abi/newer.h"
#include "task/task.h"
#include "vfs/internal.h"
#include "vfs/locks.h"
#include "syscall_proto.h"

#include <linux/fcntl.h>
#include <linux/fs.h>

enum lock_kind { LOCK_KIND_POSIX, LOCK_KIND_OFD, LOCK_KIND_FLOCK };

struct file_lock {
    struct list_head list; /* file_locks.lock */
    enum lock_kind kind;
    const void *owner; /* the descriptor table, or the file */
    short type;        /* F_RDLCK, F_WRLCK */
    loff_t start, end; /* both included */
    int pid;           /* of the process that took it; -1 for open files' locks */
};

struct file_locks {
    struct spinlock lock;  /* class OBJECT */
    struct list_head held; /* lock */
    struct waitq changed;  /* woken when a lock goes or shrinks */
};

/* Who waits for whom, to find out that a wait would never end. */
struct lock_waiter {
    struct list_head list;
    const void *owner, *holder;
};

static struct {
    struct spinlock lock; /* class OBJECT; taken with a file's lock held */
    struct list_head list;
} waiters = {.lock = SPINLOCK(OBJECT), .list = LIST_HEAD_INIT(waiters.list)};

static struct file_locks *inode_locks(struct inode *inode)
{
    struct file_locks *locks = __atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE), *none = NULL;

    if (locks)
        return locks;
    locks = kzalloc(sizeof(*locks));
    if (!locks)
        return NULL;
    spin_init(&locks->lock, OBJECT);
    list_init(&locks->held);
    waitq_init(&locks->changed, "file lock");
    if (__atomic_compare_exchange_n(&inode->locks, &none, locks, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return locks;
    kfree(locks);
    return none;
}

void locks_inode_release(struct inode *inode)
{
    kfree(inode->locks);
    kfree(inode->leases);
}

static bool same_owner(const struct file_lock *a, const struct file_lock *b)
{
    return a->kind == b->kind && a->owner == b->owner;
}

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
    return a->start <= b->end && b->start <= a->end;
}

/* flock's locks and record locks do not see each other. */
static struct file_lock *conflict_locked(struct file_locks *locks, const struct file_lock *wanted)
{
    struct file_lock *held;

    list_for_each_entry(held, &locks->held, list) {
        if ((held->kind == LOCK_KIND_FLOCK) != (wanted->kind == LOCK_KIND_FLOCK))
            continue;
        if (!same_owner(held, wanted) && overlap(held, wanted) &&
            (held->type == F_WRLCK || wanted->type == F_WRLCK))
            return held;
    }
    return NULL;
}

/* Takes [start, end] out of the owner's locks; merges what has the new type. Uses up to one spare. */
static void replace_locked(struct file_locks *locks, struct file_lock *new,
                           struct file_lock **spare)
{
    struct file_lock *at, *next;

    list_for_each_entry_safe(at, next, &locks->held, list) {
        if (!same_owner(at, new))
            continue;
        if (at->type == new->type && (at->start <= new->end || at->start - 1 == new->end) &&
            (new->start <= at->end || new->start - 1 == at->end)) {
            new->start = MIN(new->start, at->start);
            new->end = MAX(new->end, at->end);
        } else if (!overlap(at, new)) {
            continue;
        } else if (at->start < new->start) {
            if (at->end > new->end) {
                struct file_lock *rest = TAKE(*spare);

                *rest = *at;
                rest->start = new->end + 1;
                list_add(&rest->list, &at->list);
            }
            at->end = new->start - 1;
            continue;
        } else if (at->end > new->end) {
            at->start = new->end + 1;
            continue;
        }
        list_del(&at->list);
        kfree(at);
    }
}

/* ---- waiting ---- */

/* fcntl(2), EDEADLK: does the holder, or whom it waits for, and so on, wait for the owner? */
static bool would_deadlock(const void *owner, const void *holder)
{
    struct lock_waiter *waiter;

    for (int depth = 0; depth < 16; depth++) {
        bool found = false;

        if (holder == owner)
            return true;
        list_for_each_entry(waiter, &waiters.list, list) {
            if (waiter->owner == holder) {
                holder = waiter->holder;
                found = true;
                break;
            }
        }
        if (!found)
            return false;
    }
    return false;
}

static int wait_for_conflict(struct file_locks *locks, const struct file_lock *wanted)
{
    struct lock_waiter waiter = {.owner = wanted->owner};
    struct file_lock *held;
    int err = 0;

    while (!err && (held = conflict_locked(locks, wanted))) {
        bool posix = wanted->kind == LOCK_KIND_POSIX && held->kind == LOCK_KIND_POSIX;

        waiter.holder = held->owner;
        list_init(&waiter.list);
        if (posix) {
            spin_lock_nested(&waiters.lock);
            if (would_deadlock(wanted->owner, held->owner))
                err = -EDEADLK;
            else
                list_add(&waiter.list, &waiters.list);
            spin_unlock(&waiters.lock);
        }
        if (!err && wait_event(&locks->changed, &locks->lock,
                               conflict_locked(locks, wanted) != held, KTIME_FOREVER))
            err = -ERESTARTSYS;
        if (posix) {
            spin_lock_nested(&waiters.lock);
            list_del(&waiter.list);
            spin_unlock(&waiters.lock);
        }
    }
    return err;
}

static int lock_set(struct inode *inode, const struct file_lock *wanted, bool wait)
{
    struct file_locks *locks = inode_locks(inode);
    struct file_lock *new = kmemdup(wanted, sizeof(*wanted)), *spare = kzalloc(sizeof(*spare));
    int err = 0;

    if (!locks || !new || !spare) {
        kfree(new);
        kfree(spare);
        return -ENOLCK;
    }
    spin_lock(&locks->lock);
    if (new->type != F_UNLCK && conflict_locked(locks, new))
        err = wait ? wait_for_conflict(locks, new) : -EAGAIN;
    if (!err) {
        replace_locked(locks, new, &spare);
        if (new->type != F_UNLCK)
            list_add_tail(&TAKE(new)->list, &locks->held);
        waitq_wake(&locks->changed, 0);
    }
    spin_unlock(&locks->lock);
    kfree(new);
    kfree(spare);
    return err;
}

static void drop_owner(struct inode *inode, const void *owner, bool posix)
{
    struct file_locks *locks = __atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE);
    struct file_lock *at, *next;

    if (!locks)
        return;
    spin_lock(&locks->lock);
    list_for_each_entry_safe(at, next, &locks->held, list) {
        if (at->owner != owner || (at->kind == LOCK_KIND_POSIX) != posix)
            continue;
        list_del(&at->list);
        kfree(at);
    }
    waitq_wake(&locks->changed, 0);
    spin_unlock(&locks->lock);
}

void locks_file_closed(struct file *file, struct files *owner)
{
    drop_owner(file->inode, owner, true);
}

void locks_file_released(struct file *file)
{
    drop_owner(file->inode, file, false);
}

/* ---- fcntl(2) ---- */

/* From the program's structure: l_len may be 0 (to the end of all files) or negative. */
static int record_range(struct file *file, const struct flock *from, struct file_lock *lock)
{
    loff_t base = 0;

    switch (from->l_whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        base = READ_ONCE(file->pos);
        break;
    case SEEK_END:
        base = (loff_t)inode_size(file->inode);
        break;
    default:
        return -EINVAL;
    }
    if (add_overflow(base, from->l_start, &lock->start))
        return -EOVERFLOW;
    lock->end = INT64_MAX;
    if (from->l_len > 0 && add_overflow(lock->start, from->l_len - 1, &lock->end))
        return -EOVERFLOW;
    if (from->l_len < 0) {
        lock->end = lock->start - 1;
        lock->start += from->l_len;
    }
    return lock->start < 0 ? -EINVAL : 0;
}

static int record_lock(struct file *file, const struct flock *from, bool ofd,
                       struct file_lock *lock)
{
    *lock = (struct file_lock){
        .kind = ofd ? LOCK_KIND_OFD : LOCK_KIND_POSIX,
        .owner = ofd ? (void *)file : self()->files,
        .type = from->l_type,
        .pid = ofd || !self()->task ? -1 : self()->task->process->pid,
    };
    list_init(&lock->list);
    if (from->l_type != F_RDLCK && from->l_type != F_WRLCK && from->l_type != F_UNLCK)
        return -EINVAL;
    if (ofd && from->l_pid != 0)
        return -EINVAL;
    return record_range(file, from, lock);
}

long fcntl_setlk(struct file *file, const struct flock __user *user, bool ofd, bool wait)
{
    struct flock from;
    struct file_lock lock;
    int err = copy_from_user(&from, user, sizeof(from));

    if (!err)
        err = record_lock(file, &from, ofd, &lock);
    if (err)
        return err;
    if ((lock.type == F_RDLCK && !(file->mode & FILE_READ)) ||
        (lock.type == F_WRLCK && !(file->mode & FILE_WRITE)))
        return -EBADF;
    return lock_set(file->inode, &lock, wait);
}

long fcntl_getlk(struct file *file, struct flock __user *user, bool ofd)
{
    struct file_locks *locks = __atomic_load_n(&file->inode->locks, __ATOMIC_ACQUIRE);
    struct flock from;
    struct file_lock lock, *held = NULL;
    int err = copy_from_user(&from, user, sizeof(from));

    if (!err)
        err = record_lock(file, &from, ofd, &lock);
    if (!err && lock.type == F_UNLCK && !ofd)
        err = -EINVAL;
    if (err)
        return err;
    if (locks) {
        spin_lock(&locks->lock);
        held = conflict_locked(locks, &lock);
        if (held) {
            from.l_type = held->type;
            from.l_whence = SEEK_SET;
            from.l_start = held->start;
            from.l_len = held->end == INT64_MAX ? 0 : held->end - held->start + 1;
            from.l_pid = held->pid;
        }
        spin_unlock(&locks->lock);
    }
    if (!held)
        from.l_type = F_UNLCK;
    return copy_to_user(user, &from, sizeof(from));
}

/* ---- flock(2) ---- */

long sys_flock(int nr, unsigned int operation)
{
    AUTO_FD fd = fd_borrow(nr);
    struct file_lock lock = {.kind = LOCK_KIND_FLOCK, .end = INT64_MAX, .pid = -1};

    if (operation & LOCK_MAND)
        return 0; /* mandatory locks are gone, and asking for one does nothing */
    switch (operation & ~(unsigned int)LOCK_NB) {
    case LOCK_SH:
        lock.type = F_RDLCK;
        break;
    case LOCK_EX:
        lock.type = F_WRLCK;
        break;
    case LOCK_UN:
        lock.type = F_UNLCK;
        break;
    default:
        return -EINVAL;
    }
    if (!fd.file)
        return -EBADF;
    list_init(&lock.list);
    lock.owner = fd.file;
    return lock_set(fd.file->inode, &lock, !(operation & LOCK_NB));
}
