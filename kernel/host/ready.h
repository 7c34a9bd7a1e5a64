/*
 * kernel/host/ready.h: news of host descriptors. The host has one queue of them for the instance. A thread that sleeps on
 * a wait queue which the host feeds (waitq_feed_by_host) also watches that queue, unless another thread does already; whoever
 * watches hands on all that comes, and when it goes, the next sleeper takes over. So a server of one thread
 * makes one host call for each time that it waits, and without such a sleeper nobody watches.
 */
#ifndef HOST_READY_H
#define HOST_READY_H

#include "base/errno.h"
#include "base/rbtree.h"
#include "base/types.h"

struct host_watch {
    struct rb_node node; /* the queue's lock */
    u64 cookie;          /* constant while it is watched; never used twice */
    int file;            /* the same */
    /*
     * Something new holds: poll bits. May be told twice, or of what is over. The queue's lock (class READY) is held: it may
     * wake, and no more.
     */
    void (*ready)(struct host_watch *watch, u32 events);
};

void host_ready_start(void);
/* Begins to tell of a host descriptor. -EPERM: one that is always ready; -EIO. */
int host_watch_add(struct host_watch *watch, int file, void (*ready)(struct host_watch *, u32));
void host_watch_remove(
    struct host_watch *watch); /* ready() does not run any more when it returns */

/* Hands on what has come, without sleeping, unless somebody watches anyway. */
void host_ready_look(void);

/* Which of these poll bits (and POLLERR, POLLHUP, POLLNVAL) hold for a descriptor now: a host call. */
u32 host_poll(int file, u32 events);

#endif
