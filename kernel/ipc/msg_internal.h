/* kernel/ipc/msg_internal.h: a message queue, between msg.c (sending, receiving) and msg_ctl.c. */
#ifndef IPC_MSG_INTERNAL_H
#define IPC_MSG_INTERNAL_H

#include "ipc/sysv_internal.h"
#include "sync/waitq.h"

struct msg {
    struct list_head link; /* queue->messages; the queue's lock */
    long type;             /* constant, as the rest; above 0 */
    size_t size;
    char text[];
};

struct msg_queue {
    struct ipc_object object;    /* its lock guards all */
    struct list_head messages;   /* in order of arrival */
    struct list_head receivers;  /* msg_receiver->link, in order of arrival */
    struct waitq room;           /* woken when there is more room, or the queue is removed */
    u64 bytes, count, max_bytes; /* max_bytes: also the most messages, empty ones */
    s64 stime, rtime;
    pid_t lspid, lrpid;
};

static inline struct msg_queue *msg_queue_of(struct ipc_object *object)
{
    return container_of(object, struct msg_queue, object);
}

/* Receivers look again at the queue and at their permissions; the lock is held. */
void msg_recheck(struct msg_queue *queue);

#endif
