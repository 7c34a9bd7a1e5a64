/*
 * kernel/ipc/sysv.h: System V IPC, sysvipc(7): shared memory, semaphores, message queues; and the IPC namespaces
 * that hold them and POSIX queues, ipc_namespaces(7). All functions act on the caller's namespace.
 */
#ifndef IPC_SYSV_H
#define IPC_SYSV_H

#include "base/types.h"

#include <asm/msgbuf.h>
#include <asm/sembuf.h>
#include <asm/shmbuf.h>

/* The first namespace, and the hooks of task/. */
int sysv_start(void);

/* What /proc/sys/kernel and /proc/sys/fs/mqueue hold, see proc(5). */
enum ipc_limit {
    IPC_SHMMAX,
    IPC_SHMALL, /* pages */
    IPC_SHMMNI,
    IPC_SEMMSL,
    IPC_SEMMNS,
    IPC_SEMOPM,
    IPC_SEMMNI,
    IPC_MSGMAX,
    IPC_MSGMNB,
    IPC_MSGMNI,
    IPC_MQ_QUEUES_MAX, /* POSIX message queues */
    IPC_MQ_MSG_MAX,
    IPC_MQ_MSGSIZE_MAX,
    IPC_MQ_MSG_DEFAULT,
    IPC_MQ_MSGSIZE_DEFAULT,
    IPC_LIMITS
};
u64 ipc_limit(enum ipc_limit which);
int ipc_limit_set(enum ipc_limit which, u64 value); /* -EINVAL: out of the range it can have */

/* The POSIX message queues, fs/mqueue: the namespace keeps the mount. */
struct mount;
struct mount *ipc_queues(void);

/* /proc/sysvipc: the object of the lowest index >= *index, whoever may read it; false: none. */
bool shm_next(u32 *index, struct shmid64_ds *out, u64 *resident); /* bytes that were touched */
bool sem_next(u32 *index, struct semid64_ds *out);
bool msg_next(u32 *index, struct msqid64_ds *out);
/* The number that goes with an index, by which the calls know the object. */
int ipc_id(const struct ipc64_perm *perm, u32 index);

#endif
