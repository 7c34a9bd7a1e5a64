/*
 * kernel/vfs/epoll_internal.h: what the files of epoll share. An item watches one open file for one epoll instance.
 *
 * Locks: epoll_links (epoll_items.c) for which files are watched by whom; epoll->lock for the items of an instance; the
 * instance's wait queue's own lock for the ready list, because wake-ups come with the file's queue locked. That nesting
 * ends: an instance that watches another one is checked for loops when it begins to.
 */
#ifndef VFS_EPOLL_INTERNAL_H
#define VFS_EPOLL_INTERNAL_H

#include "base/list.h"
#include "base/rbtree.h"
#include "sync/sync.h"
#include "sync/waitq.h"
#include "vfs/vfs.h"

#include <linux/eventpoll.h>

/* Bits of epoll_event.events that are about the item, not events. */
#define EPOLL_FLAGS (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)

struct epoll {
    struct mutex lock;    /* class EPOLL: items */
    struct rb_tree items; /* lock; by descriptor, then file */
    struct waitq wait; /* epoll_wait sleeps here, and whoever polls the instance; its lock: ready */
    struct list_head ready; /* wait.lock */
};

struct epoll_item {
    struct rb_node node;         /* epoll->lock; epoll->items */
    struct list_head gone;       /* its remover's list, once it is in no tree */
    struct list_head watch;      /* epoll_links; file's watchers */
    struct list_head ready_link; /* epoll->wait.lock */
    struct list_head hooks;      /* constant after it was added */
    struct epoll *epoll;         /* constant */
    struct file *file;           /* constant; not counted: the item goes with it */
    int fd;                      /* constant; with file it is the item's name */
    struct epoll_event event;    /* epoll->lock */
    bool is_ready;               /* epoll->wait.lock */
    bool failed;                 /* while it is added: no memory */
};

extern const struct file_ops epoll_ops;

/* epoll_items.c. epoll->lock is held for the first two, and wait.lock besides for the first. */
void epoll_item_ready(struct epoll_item *item);
u32 epoll_item_ask(const struct epoll_item *item); /* what of the item's events holds now */
int epoll_item_add(struct epoll *ep, struct file *file, int fd, const struct epoll_event *event);
int epoll_item_delete(struct epoll *ep, struct file *file, int fd);
int epoll_item_modify(struct epoll *ep, struct file *file, int fd, const struct epoll_event *event);
void epoll_items_clear(struct epoll *ep); /* the instance ends */
/* The file's last descriptor is closed: nobody can ask for it any more. */
void epoll_file_gone(struct file *file);

#endif
