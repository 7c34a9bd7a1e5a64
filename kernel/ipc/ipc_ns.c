/* kernel/ipc/ipc_ns.c: IPC namespaces, ipc_namespaces(7), and their limits. */
#include "fs/mqueue/mqueue.h"
#include "ipc/sysv_internal.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "task/namespaces.h"

#include <linux/msg.h>
#include <linux/sem.h>

/* What a new namespace has, and what the superuser may set it to. */
static const struct {
    u64 initial, lowest, highest;
} bounds[IPC_LIMITS] = {
    [IPC_SHMMAX] = {UINT64_MAX - (1UL << 24), 0, UINT64_MAX},
    [IPC_SHMALL] = {UINT64_MAX - (1UL << 24), 0, UINT64_MAX},
    [IPC_SHMMNI] = {4096, 0, IPC_INDEXES},
    [IPC_SEMMSL] = {SEMMSL, 0, INT32_MAX},
    [IPC_SEMMNS] = {SEMMNS, 0, INT32_MAX},
    [IPC_SEMOPM] = {SEMOPM, 0, INT32_MAX},
    [IPC_SEMMNI] = {SEMMNI, 0, IPC_INDEXES},
    [IPC_MSGMAX] = {MSGMAX, 0, INT32_MAX},
    [IPC_MSGMNB] = {MSGMNB, 0, INT32_MAX},
    [IPC_MSGMNI] = {MSGMNI, 0, IPC_INDEXES},
    [IPC_MQ_QUEUES_MAX] = {256, 0, INT32_MAX},
    [IPC_MQ_MSG_MAX] = {10, 1, 65536},
    [IPC_MQ_MSGSIZE_MAX] = {8192, 128, 16 << 20},
    [IPC_MQ_MSG_DEFAULT] = {10, 1, 65536},
    [IPC_MQ_MSGSIZE_DEFAULT] = {8192, 128, 16 << 20},
};

struct ipc_ns *ipc_ns_current(void)
{
    return self()->namespaces->ipc;
}

struct mount *ipc_queues(void)
{
    return ipc_ns_current()->queues;
}

u64 ipc_limit(enum ipc_limit which)
{
    return __atomic_load_n(&ipc_ns_current()->limits[which], __ATOMIC_RELAXED);
}

int ipc_limit_set(enum ipc_limit which, u64 value)
{
    if (value < bounds[which].lowest || value > bounds[which].highest)
        return -EINVAL;
    __atomic_store_n(&ipc_ns_current()->limits[which], value, __ATOMIC_RELAXED);
    return 0;
}

static struct ipc_ns *ns_create(void)
{
    struct ipc_ns *ns = kzalloc(sizeof(*ns));

    if (!ns)
        return NULL;
    if (mqueue_mount_create(&ns->queues)) {
        kfree(ns);
        return NULL;
    }
    refcount_init(&ns->ref, 1);
    ipc_table_init(&ns->shm);
    ipc_table_init(&ns->sem);
    ipc_table_init(&ns->msg);
    for (int i = 0; i < IPC_LIMITS; i++)
        ns->limits[i] = bounds[i].initial;
    return ns;
}

void ipc_ns_put(struct ipc_ns *ns)
{
    if (!refcount_put(&ns->ref))
        return;
    ipc_table_clear(&ns->shm);
    ipc_table_clear(&ns->sem);
    ipc_table_clear(&ns->msg);
    mount_put(ns->queues);
    kfree(ns);
}

static const struct ipc_ns_ops ops = {.create = ns_create, .get = ipc_ns_get, .put = ipc_ns_put};

int sysv_start(void)
{
    namespaces_ipc = &ops;
    sem_undo_start();
    self()->namespaces->ipc = ns_create();
    return self()->namespaces->ipc ? 0 : -ENOMEM;
}
