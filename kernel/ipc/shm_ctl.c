/* kernel/ipc/shm_ctl.c: shmctl(2), and what /proc/sysvipc/shm tells. */
#include "abi/unexported.h"
#include "cred/cred.h"
#include "ipc/shm_internal.h"
#include "mm/memobj.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/limits.h"

/* shmctl(2), SHM_INFO; <linux/shm.h> cannot be included without a C library. */
struct shm_info {
    int used_ids;
    unsigned long shm_tot, shm_rss, shm_swp; /* pages */
    unsigned long swap_attempts, swap_successes;
};

static void segment_stat(struct shm_segment *segment, struct shmid64_ds *out)
{
    *out = (struct shmid64_ds){
        .shm_segsz = segment->size,
        .shm_atime = segment->atime,
        .shm_dtime = segment->dtime,
        .shm_ctime = segment->object.ctime,
        .shm_cpid = segment->cpid,
        .shm_lpid = segment->lpid,
        .shm_nattch = segment->attachments,
    };
    ipc_perm_fill(&segment->object, &out->shm_perm);
}

bool shm_next(u32 *index, struct shmid64_ds *out, u64 *resident)
{
    AUTO(ipc_put) struct ipc_object *object = ipc_next(&ipc_ns_current()->shm, index);

    if (!object)
        return false;
    spin_lock(&object->lock);
    segment_stat(shm_segment_of(object), out);
    spin_unlock(&object->lock);
    memobj_count_stores(shm_segment_of(object)->obj);
    *resident = memobj_bytes(shm_segment_of(object)->obj);
    return true;
}

static long shm_stat(int shmid, int cmd, struct shmid64_ds __user *buf)
{
    struct shmid64_ds stat;
    long result;
    AUTO(ipc_put)
    struct ipc_object *object =
        ipc_stat_open(&ipc_ns_current()->shm, shmid, cmd != IPC_STAT, cmd == SHM_STAT_ANY, &result);

    if (IS_ERR(object))
        return PTR_ERR(object);
    segment_stat(shm_segment_of(object), &stat);
    ipc_unlock(object);
    return copy_to_user(buf, &stat, sizeof(stat)) ? -EFAULT : result;
}

static long shm_set(int shmid, const struct shmid64_ds __user *buf)
{
    struct shmid64_ds wanted;

    if (copy_from_user(&wanted, buf, sizeof(wanted)))
        return -EFAULT;
    return ipc_set(&ipc_ns_current()->shm, shmid, &wanted.shm_perm);
}

/* What is attached lives on until the last one leaves, but nobody finds it by its key any more. */
static long shm_remove(int shmid)
{
    struct ipc_table *table = &ipc_ns_current()->shm;
    AUTO(ipc_put) struct ipc_object *object = ipc_lookup(table, shmid);
    bool unlinked = false;
    int err;

    if (IS_ERR(object))
        return PTR_ERR(object);
    spin_lock(&table->lock);
    err = ipc_lock(object);
    if (!err) {
        err = ipc_control(object);
        unlinked = !err && shm_segment_of(object)->attachments == 0;
        if (unlinked) {
            ipc_unlink_locked(table, object);
        } else if (!err) {
            object->mode |= SHM_DEST;
            ipc_forget_key_locked(object);
        }
        ipc_unlock(object);
    }
    spin_unlock(&table->lock);
    if (unlinked)
        ipc_put(object);
    return err;
}

/* Bytes of segments that are locked on a user's account. */
static u64 locked_by(uid_t uid)
{
    struct ipc_table *table = &ipc_ns_current()->shm;
    struct ipc_object *object;
    u64 pages = 0;

    for (u32 index = 0; (object = ipc_next(table, &index)); index++) {
        spin_lock(&object->lock);
        if (object->mode & SHM_LOCKED && shm_segment_of(object)->locker == uid)
            pages += object->weight;
        spin_unlock(&object->lock);
        ipc_put(object);
    }
    return pages * PAGE_SIZE;
}

/* shmctl(2): there is no swap, so locking is accounted and shown. */
static int lock_segment(struct shm_segment *segment, bool lock, u64 already)
{
    const struct cred *cred = cred_current();
    struct ipc_object *object = &segment->object;
    u64 limit = task_rlimit(RLIMIT_MEMLOCK), size = object->weight * PAGE_SIZE;

    if (!cred_capable(cred, CAP_IPC_LOCK)) {
        if (cred->euid != object->uid && cred->euid != object->cuid)
            return -EPERM;
        if (lock && !limit)
            return -EPERM;
        if (lock && !(object->mode & SHM_LOCKED) && (size > limit || already > limit - size))
            return -ENOMEM;
    }
    if (lock && !(object->mode & SHM_LOCKED)) {
        object->mode |= SHM_LOCKED;
        segment->locker = cred->uid;
    } else if (!lock) {
        object->mode &= ~(umode)SHM_LOCKED;
    }
    return 0;
}

static long shm_lock(int shmid, bool lock)
{
    AUTO(ipc_put) struct ipc_object *object = ipc_lookup(&ipc_ns_current()->shm, shmid);
    u64 already = lock ? locked_by(cred_current()->uid) : 0;
    int err;

    if (IS_ERR(object))
        return PTR_ERR(object);
    err = ipc_lock(object);
    if (err)
        return err;
    err = lock_segment(shm_segment_of(object), lock, already);
    ipc_unlock(object);
    return err;
}

static long shm_limits(void __user *buf)
{
    struct shminfo64 info = {
        .shmmax = ipc_limit(IPC_SHMMAX),
        .shmmin = 1,
        .shmmni = ipc_limit(IPC_SHMMNI),
        .shmseg = ipc_limit(IPC_SHMMNI),
        .shmall = ipc_limit(IPC_SHMALL),
    };

    if (copy_to_user(buf, &info, sizeof(info)))
        return -EFAULT;
    return ipc_highest_index(&ipc_ns_current()->shm);
}

static long shm_usage(void __user *buf)
{
    struct ipc_table *table = &ipc_ns_current()->shm;
    struct shm_info info = {.used_ids = (int)READ_ONCE(table->used),
                            .shm_tot = READ_ONCE(table->weight)};
    struct ipc_object *object;

    for (u32 index = 0; (object = ipc_next(table, &index)); index++) {
        info.shm_rss += memobj_bytes(shm_segment_of(object)->obj) / PAGE_SIZE;
        ipc_put(object);
    }
    if (copy_to_user(buf, &info, sizeof(info)))
        return -EFAULT;
    return ipc_highest_index(table);
}

long sys_shmctl(int shmid, int cmd, struct shmid64_ds __user *buf)
{
    if (shmid < 0 || cmd < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
        return shm_limits(buf);
    case SHM_INFO:
        return shm_usage(buf);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return shm_stat(shmid, cmd, buf);
    case IPC_SET:
        return shm_set(shmid, buf);
    case IPC_RMID:
        return shm_remove(shmid);
    case SHM_LOCK:
    case SHM_UNLOCK:
        return shm_lock(shmid, cmd == SHM_LOCK);
    default:
        return -EINVAL;
    }
}
