/*
 * kernel/fs/mqueue/mqueue.h: POSIX message queues, mq_overview(7). A queue is an inode of a file system of one flat
 * directory; each IPC namespace has one of its own, which mounts of "mqueue" show.
 */
#ifndef MQUEUE_MQUEUE_H
#define MQUEUE_MQUEUE_H

#include "base/types.h"
#include "vfs/vfs.h"

#include <linux/mqueue.h>

int mqueue_start(void); /* registers the type of file system */

/* A new file system and a mount of it, in no tree. */
int mqueue_mount_create(struct mount **out);
/* A queue without a name, for vfs_link_at(): -EINVAL, -ENOMEM, -EMFILE (RLIMIT_MSGQUEUE), -ENOSPC (queues_max). */
int mqueue_create(struct super *super, umode mode, const struct mq_attr *attr, struct inode **out);
/* NULL: the file is no queue. */
struct mqueue *mqueue_of_file(const struct file *file);

/* Number and size limits as mq_open(3) has them; mq_flags is the file's. */
void mqueue_attr(struct mqueue *queue, const struct file *file, struct mq_attr *out);

struct mq_message {
    struct list_head link;
    u32 priority;
    size_t size;
    char text[];
};

/* Takes the message over, or fails: -EMSGSIZE, -EAGAIN, -ETIMEDOUT, -ERESTARTSYS. */
int mqueue_send(struct file *file, struct mq_message *message, ktime deadline);
/* The caller frees it. ERR_PTR: -EMSGSIZE (room is less than the queue's messages may have), and as above. */
struct mq_message *mqueue_receive(struct file *file, size_t room, ktime deadline);

/*
 * mq_notify(3): whoever is to be told, once, when a message comes to the empty queue and nobody waits for it.
 * arrived takes the watcher over, with no lock held.
 */
struct mq_watcher {
    void (*arrived)(struct mq_watcher *watcher);
    void (*free)(struct mq_watcher *watcher); /* without being told */
    const void *owner;                        /* the process; only compared */
    int notify, signo;                        /* reading the file shows them */
    pid_t pid;
};
int mqueue_watch(struct mqueue *queue, struct mq_watcher *watcher); /* takes it over; -EBUSY: not */
void mqueue_unwatch(struct mqueue *queue, const void *owner);

#endif
