/* kernel/ipc/sem_ctl.c: semctl(2), and what /proc/sysvipc/sem tells. */
#include "ipc/sysv_internal.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/task.h"

#include <linux/sem.h>

static struct ipc_table *sets(void)
{
    return &ipc_ns_current()->sem;
}

/* --- the set ------------------------------------------------------------------------------------------------ */

static void set_stat(struct sem_set *set, struct semid64_ds *out)
{
    *out = (struct semid64_ds){
        .sem_otime = set->otime,
        .sem_ctime = set->object.ctime,
        .sem_nsems = set->n,
    };
    ipc_perm_fill(&set->object, &out->sem_perm);
}

bool sem_next(u32 *index, struct semid64_ds *out)
{
    AUTO(ipc_put) struct ipc_object *object = ipc_next(sets(), index);

    if (!object)
        return false;
    spin_lock(&object->lock);
    set_stat(sem_set_of(object), out);
    spin_unlock(&object->lock);
    return true;
}

static long sem_stat(int semid, int cmd, void __user *buf)
{
    struct semid64_ds stat;
    long result;
    AUTO(ipc_put)
    struct ipc_object *object =
        ipc_stat_open(sets(), semid, cmd != IPC_STAT, cmd == SEM_STAT_ANY, &result);

    if (IS_ERR(object))
        return PTR_ERR(object);
    set_stat(sem_set_of(object), &stat);
    ipc_unlock(object);
    return copy_to_user(buf, &stat, sizeof(stat)) ? -EFAULT : result;
}

static long sem_set_perm(int semid, const struct semid64_ds __user *buf)
{
    struct semid64_ds wanted;

    if (copy_from_user(&wanted, buf, sizeof(wanted)))
        return -EFAULT;
    return ipc_set(sets(), semid, &wanted.sem_perm);
}

/* IPC_INFO: limits; SEM_INFO: two of them are what is in use instead. */
static long sem_info(int cmd, void __user *buf)
{
    struct seminfo info = {
        .semmap = SEMMAP,
        .semmni = (int)ipc_limit(IPC_SEMMNI),
        .semmns = (int)ipc_limit(IPC_SEMMNS),
        .semmnu = SEMMNU,
        .semmsl = (int)ipc_limit(IPC_SEMMSL),
        .semopm = (int)ipc_limit(IPC_SEMOPM),
        .semume = SEMUME,
        .semusz = SEMUSZ,
        .semvmx = SEMVMX,
        .semaem = SEMAEM,
    };

    if (cmd == SEM_INFO) {
        info.semusz = (int)READ_ONCE(sets()->used);
        info.semaem = (int)READ_ONCE(sets()->weight);
    }
    if (copy_to_user(buf, &info, sizeof(info)))
        return -EFAULT;
    return ipc_highest_index(sets());
}

/* --- one semaphore ------------------------------------------------------------------------------------------ */

/* Who waits for its value to grow, or to become zero: each call counts once, by the operation that holds it up. */
static long count_waiters(const struct sem_set *set, u32 semaphore, bool for_zero)
{
    struct sem_waiter *waiter;
    long n = 0;

    list_for_each_entry(waiter, &set->waiters, link) {
        const struct sembuf *op = &waiter->request.ops[waiter->request.blocking];

        n += op->sem_num == semaphore && (op->sem_op == 0) == for_zero;
    }
    return n;
}

static long read_one(const struct sem_set *set, u32 semaphore, int cmd)
{
    switch (cmd) {
    case GETVAL:
        return set->sems[semaphore].value;
    case GETPID:
        return set->sems[semaphore].pid;
    default:
        return count_waiters(set, semaphore, cmd == GETZCNT);
    }
}

static long sem_get_one(int semid, int semnum, int cmd)
{
    AUTO(ipc_put) struct ipc_object *object = ipc_open(sets(), semid, IPC_READ);
    long result = -EINVAL;

    if (IS_ERR(object))
        return PTR_ERR(object);
    if (semnum >= 0 && (u32)semnum < sem_set_of(object)->n)
        result = read_one(sem_set_of(object), (u32)semnum, cmd);
    ipc_unlock(object);
    return result;
}

static void set_value(struct sem_set *set, u32 semaphore, int value)
{
    sem_undo_forget(set, semaphore);
    set->sems[semaphore].value = value;
    set->sems[semaphore].pid = process_self()->pid;
    set->object.ctime = ipc_now();
}

static long sem_set_one(int semid, int semnum, int value)
{
    if (value < 0 || value > SEMVMX)
        return -ERANGE;

    AUTO(ipc_put) struct ipc_object *object = ipc_lookup(sets(), semid);

    if (IS_ERR(object))
        return PTR_ERR(object);
    struct sem_set *set = sem_set_of(object);

    if (semnum < 0 || (u32)semnum >= set->n)
        return -EINVAL;
    int err = ipc_lock(object);

    if (err)
        return err;
    err = ipc_permission(object, IPC_WRITE);
    if (!err) {
        set_value(set, (u32)semnum, value);
        sem_serve_waiters(set);
    }
    ipc_unlock(object);
    return err;
}

/* --- all of a set ------------------------------------------------------------------------------------------- */

static long get_all(struct ipc_object *object, u16 *values, u16 __user *array)
{
    struct sem_set *set = sem_set_of(object);
    int err = ipc_lock(object);

    if (err)
        return err;
    for (u32 i = 0; i < set->n; i++)
        values[i] = (u16)set->sems[i].value;
    ipc_unlock(object);
    return copy_to_user(array, values, set->n * sizeof(*values));
}

static long set_all(struct ipc_object *object, u16 *values, const u16 __user *array)
{
    struct sem_set *set = sem_set_of(object);
    int err;

    if (copy_from_user(values, array, set->n * sizeof(*values)))
        return -EFAULT;
    for (u32 i = 0; i < set->n; i++) {
        if (values[i] > SEMVMX)
            return -ERANGE;
    }
    err = ipc_lock(object);
    if (err)
        return err;
    for (u32 i = 0; i < set->n; i++)
        set_value(set, i, values[i]);
    sem_serve_waiters(set);
    ipc_unlock(object);
    return 0;
}

static long sem_all(int semid, int cmd, u16 __user *array)
{
    AUTO(ipc_put)
    struct ipc_object *object = ipc_open(sets(), semid, cmd == GETALL ? IPC_READ : IPC_WRITE);
    u16 *values;
    long result;

    if (IS_ERR(object))
        return PTR_ERR(object);
    ipc_unlock(object);
    values = kcalloc(sem_set_of(object)->n, sizeof(*values));
    if (!values)
        return -ENOMEM;
    result = cmd == GETALL ? get_all(object, values, array) : set_all(object, values, array);
    kfree(values);
    return result;
}

long sys_semctl(int semid, int semnum, int cmd, unsigned long arg)
{
    void __user *user = (void __user *)arg;

    if (semid < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case SEM_INFO:
        return sem_info(cmd, user);
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
        return sem_stat(semid, cmd, user);
    case IPC_SET:
        return sem_set_perm(semid, user);
    case IPC_RMID:
        return ipc_remove(sets(), semid);
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
        return sem_get_one(semid, semnum, cmd);
    case SETVAL:
        return sem_set_one(semid, semnum, (int)arg);
    case GETALL:
    case SETALL:
        return sem_all(semid, cmd, user);
    default:
        return -EINVAL;
    }
}
