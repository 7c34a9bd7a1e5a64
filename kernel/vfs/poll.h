/*
 * kernel/vfs/poll.h: how a file tells that it is ready. A file's poll operation calls poll_wait() for
 * each queue whose wake-ups may change the answer, then returns the mask that holds now.
 */
#ifndef VFS_POLL_H
#define VFS_POLL_H

#include "base/types.h"
#include "sync/waitq.h"

#include <linux/eventpoll.h>
#include <asm/poll.h>

struct file;

/* poll, select and epoll each have a table of their own, and add a waitq_entry in queue(). */
struct poll_table {
    void (*queue)(struct poll_table *table, struct file *file,
                  struct waitq *q); /* NULL: just ask */
    u32 events;                     /* which the caller wants to know */
};

/* table may be NULL: only the mask is wanted. No lock of the file may be held. */
static inline void poll_wait(struct file *file, struct waitq *q, struct poll_table *table)
{
    if (table && table->queue)
        table->queue(table, file, q);
}

/* What a file without a poll operation (a regular file) answers. */
#define POLL_ALWAYS (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

/* The file's mask now; registers with the table when there is one. */
u32 file_poll(struct file *file, struct poll_table *table);

#endif
