/* kernel/ipc/sem.c: System V semaphores: semget(2), semop(2), semtimedop(2). */
#include "host/clock.h"
#include "ipc/sysv_internal.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/task.h"
#include "time/time.h"

#include <linux/sem.h>

#define OPS_INLINE 32 /* operations of a call that need no allocation */

/* --- sets -------------------------------------------------------------------------------------------------- */

static void set_free(struct ipc_object *object)
{
    kfree(sem_set_of(object));
}

static void waiter_finish(struct sem_waiter *waiter, int result)
{
    list_del(&waiter->link);
    waiter->result = result;
    waitq_wake(waiter->woken, 0);
}

static void set_removed(struct ipc_object *object)
{
    struct sem_set *set = sem_set_of(object);
    struct sem_waiter *waiter, *next;

    list_for_each_entry_safe(waiter, next, &set->waiters, link)
        waiter_finish(waiter, -EIDRM);
    while (!list_empty(&set->undos))
        list_del(set->undos.next);
}

static const struct ipc_kind set_kind = {.removed = set_removed, .free = set_free};

static struct ipc_object *set_create(const struct ipc_getter *getter)
{
    struct sem_set *set;
    size_t size;

    if (!getter->size)
        return ERR_PTR(-EINVAL);
    if (mul_overflow(getter->size, sizeof(struct sem), &size) ||
        add_overflow(size, sizeof(*set), &size))
        return ERR_PTR(-ENOMEM);
    set = kzalloc(size);
    if (!set)
        return ERR_PTR(-ENOMEM);
    ipc_object_init(&set->object, &set_kind, getter->key, getter->flags);
    list_init(&set->waiters);
    list_init(&set->undos);
    set->object.weight = set->n = (u32)getter->size;
    return &set->object;
}

static int set_fits(const struct ipc_getter *getter, const struct ipc_object *object)
{
    return getter->size > container_of(object, const struct sem_set, object)->n ? -EINVAL : 0;
}

long sys_semget(unsigned int key, int nsems, int semflg)
{
    struct ipc_getter getter = {
        .create = set_create,
        .fits = set_fits,
        .table = &ipc_ns_current()->sem,
        .key = (s32)key,
        .flags = semflg,
        .size = (u64)nsems,
        .objects = IPC_SEMMNI,
        .total_weight = IPC_SEMMNS,
    };

    if (nsems < 0 || (u64)nsems > ipc_limit(IPC_SEMMSL))
        return -EINVAL;
    return ipc_find_or_create(&getter);
}

/* --- operations: all of a call, or none -------------------------------------------------------------------- */

static int adjust(struct sem_undo *undo, const struct sembuf *op)
{
    int value = undo->adjust[op->sem_num] - op->sem_op;

    if (value < -SEMAEM - 1 || value > SEMAEM)
        return -ERANGE;
    undo->adjust[op->sem_num] = (s16)value;
    return 0;
}

/* 0, SEM_WAITS: it cannot be done now, -EAGAIN: and is not to wait, -ERANGE. */
static int do_one(struct sem_set *set, struct sem_undo *undo, const struct sembuf *op)
{
    struct sem *sem = &set->sems[op->sem_num];
    int value = sem->value + op->sem_op, err = 0;

    if (op->sem_op ? value < 0 : sem->value != 0)
        return op->sem_flg & IPC_NOWAIT ? -EAGAIN : SEM_WAITS;
    if (value > SEMVMX)
        return -ERANGE;
    if (op->sem_flg & SEM_UNDO)
        err = adjust(undo, op);
    if (!err)
        sem->value = value;
    return err;
}

static void take_back(struct sem_set *set, const struct sem_request *req, u32 n)
{
    while (n-- > 0) {
        const struct sembuf *op = &req->ops[n];

        set->sems[op->sem_num].value -= op->sem_op;
        if (op->sem_flg & SEM_UNDO)
            req->undo->adjust[op->sem_num] = (s16)(req->undo->adjust[op->sem_num] + op->sem_op);
    }
}

static int request_try(struct sem_set *set, struct sem_request *req)
{
    for (u32 i = 0; i < req->n; i++) {
        int result = do_one(set, req->undo, &req->ops[i]);

        if (result) {
            take_back(set, req, i);
            req->blocking = i;
            return result;
        }
    }
    for (u32 i = 0; i < req->n; i++)
        set->sems[req->ops[i].sem_num].pid = req->pid;
    set->otime = ipc_now();
    return 0;
}

void sem_serve_waiters(struct sem_set *set)
{
    struct sem_waiter *waiter, *next;
    bool again;

    /* Whoever goes on may make way for those before him. */
    do {
        again = false;
        list_for_each_entry_safe(waiter, next, &set->waiters, link) {
            int result = request_try(set, &waiter->request);

            if (result == SEM_WAITS)
                continue;
            waiter_finish(waiter, result);
            again |= result == 0 && waiter->request.alters;
        }
    } while (again);
}

/* --- semop -------------------------------------------------------------------------------------------------- */

static int request_check(const struct sem_set *set, const struct sem_request *req)
{
    for (u32 i = 0; i < req->n; i++) {
        if (req->ops[i].sem_num >= set->n)
            return -EFBIG;
    }
    return 0;
}

/* semop(2): a signal ends the wait, and the call does not begin anew. */
static int request_wait(struct sem_set *set, const struct sem_request *req, ktime deadline)
{
    struct waitq queue = WAITQ_INIT(queue, "semop");
    struct sem_waiter waiter = {.request = *req, .result = SEM_WAITS, .woken = &queue};
    int err;

    list_add_tail(&waiter.link, &set->waiters);
    err = wait_event(&queue, &set->object.lock, waiter.result != SEM_WAITS, deadline);
    if (!err)
        return waiter.result;
    list_del(&waiter.link);
    return err == -ETIMEDOUT ? -EAGAIN : err;
}

static int request_run(struct sem_set *set, struct sem_request *req, ktime deadline)
{
    int err = ipc_lock(&set->object);

    if (err)
        return err;
    err = ipc_permission(&set->object, req->alters ? IPC_WRITE : IPC_READ);
    if (!err)
        err = request_try(set, req);
    if (!err && req->alters)
        sem_serve_waiters(set);
    if (err == SEM_WAITS)
        err = request_wait(set, req, deadline);
    ipc_unlock(&set->object);
    return err;
}

static int semop_copied(int semid, const struct sembuf *ops, u32 n, ktime deadline)
{
    struct sem_request req = {.ops = ops, .n = n, .pid = process_self()->pid};
    AUTO(ipc_put) struct ipc_object *object = ipc_lookup(&ipc_ns_current()->sem, semid);
    bool undoes = false;
    int err;

    if (IS_ERR(object))
        return (int)PTR_ERR(object);
    for (u32 i = 0; i < n; i++) {
        req.alters |= ops[i].sem_op != 0;
        undoes |= (ops[i].sem_flg & SEM_UNDO) != 0;
    }
    err = request_check(sem_set_of(object), &req);
    if (err)
        return err;
    if (undoes) {
        req.undo = sem_undo_get(sem_set_of(object));
        if (IS_ERR(req.undo))
            return (int)PTR_ERR(req.undo);
    }
    return request_run(sem_set_of(object), &req, deadline);
}

static long semop_at(int semid, const struct sembuf __user *sops, u32 nsops,
                     const struct timespec *timeout)
{
    struct sembuf inline_ops[OPS_INLINE], *ops = inline_ops;
    ktime deadline = KTIME_FOREVER;
    long err;

    if (nsops < 1 || semid < 0)
        return -EINVAL;
    if (nsops > ipc_limit(IPC_SEMOPM))
        return -E2BIG;
    if (nsops > OPS_INLINE) {
        ops = kcalloc(nsops, sizeof(*ops));
        if (!ops)
            return -ENOMEM;
    }
    err = copy_from_user(ops, sops, nsops * sizeof(*ops));
    if (!err && timeout) {
        err = timespec_valid(timeout) ? 0 : -EINVAL;
        deadline = host_deadline(timeout->tv_sec, timeout->tv_nsec);
    }
    if (!err)
        err = semop_copied(semid, ops, nsops, deadline);
    if (ops != inline_ops)
        kfree(ops);
    return err;
}

long sys_semop(int semid, const struct sembuf __user *sops, unsigned int nsops)
{
    return semop_at(semid, sops, nsops, NULL);
}

long sys_semtimedop(int semid, const struct sembuf __user *sops, unsigned int nsops,
                    const struct timespec __user *timeout)
{
    struct timespec ts;

    if (timeout && copy_from_user(&ts, timeout, sizeof(ts)))
        return -EFAULT;
    return semop_at(semid, sops, nsops, timeout ? &ts : NULL);
}
