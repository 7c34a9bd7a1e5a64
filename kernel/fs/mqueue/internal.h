/* kernel/fs/mqueue/internal.h: a queue, between super.c (names, limits) and queue.c (messages). */
#ifndef MQUEUE_INTERNAL_H
#define MQUEUE_INTERNAL_H

#include "base/list.h"
#include "fs/mqueue/mqueue.h"

#define NAME_LONGEST 255

struct mqueue_super {
    struct spinlock lock;   /* class OBJECT: queues, all */
    u32 queues;             /* that exist */
    struct list_head all;   /* mqueue->all */
    u64 next_ino;           /* atomic */
    struct list_head names; /* mqueue->by_name, by position; the directory's lock */
    u64 next_position;      /* the directory's lock */
};

struct mqueue {
    struct inode inode;
    struct list_head all; /* super's lock */
    uid_t user;           /* constant; whose RLIMIT_MSGQUEUE the queue counts against, */
    u64 charged;          /*   and how many bytes; constant */

    /* the directory's lock */
    struct list_head by_name;
    u64 position; /* for readdir; grows */
    u32 name_len;
    char name[NAME_LONGEST + 1];

    struct spinlock lock; /* class OBJECT: the rest */
    u64 max_messages;     /* constant */
    u64 max_size;         /* constant; bytes of a message */
    u64 count, bytes;
    struct list_head messages; /* the next one first: by priority, then by arrival */
    struct waitq receivers, senders, pollers;
    u32 waiting; /* receivers asleep */
    struct mq_watcher *watcher;
};

static inline struct mqueue *mqueue_of(struct inode *inode)
{
    return container_of(inode, struct mqueue, inode);
}

extern const struct file_ops mqueue_file_ops;
void mqueue_init(struct mqueue *queue);  /* its messages and waiters: none */
void mqueue_clear(struct mqueue *queue); /* nobody has it open any more */

#endif
