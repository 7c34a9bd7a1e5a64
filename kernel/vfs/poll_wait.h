/* kernel/vfs/poll_wait.h: what poll, select and epoll_wait have in common: asking many files, and sleeping until one answers. */
#ifndef VFS_POLL_WAIT_H
#define VFS_POLL_WAIT_H

#include "vfs/poll.h"

#define POLL_INLINE 8 /* queue entries that need no allocation */

struct poll_entry {
    struct waitq_entry wait;
    struct file *file; /* counted: its queue lives as long as it */
};

struct poll_set {
    struct poll_table table;
    struct poll_entry **entries; /* they do not move: queues link them */
    u32 n, room;
    int error;   /* -ENOMEM */
    bool looked; /* poll_set_look() has taken the host's news */
    struct poll_entry inline_entries[POLL_INLINE];
    struct poll_entry *inline_list[POLL_INLINE];
};

void poll_set_init(struct poll_set *set);
/* The file's mask, of the events asked for and those that are always told. Registers while set->table.queue is set. */
u32 poll_set_ask(struct poll_set *set, struct file *file, u32 events);
/* From here on nothing registers any more. */
void poll_set_registered(struct poll_set *set);
/* Before each round of asking: wake-ups from here on end the next sleep. */
void poll_set_arm(struct poll_set *set);
/* 0: ask again; -ETIMEDOUT; -EINTR. */
int poll_set_sleep(struct poll_set *set, ktime deadline);
/* For who does not sleep: takes the host's news, once. False: they do not matter, the first answer stands. */
bool poll_set_look(struct poll_set *set);
void poll_set_release(struct poll_set *set);

/* A deadline of poll's kind: NULL is forever. -EFAULT, -EINVAL. */
struct timespec;
int poll_deadline(const struct timespec __user *timeout, ktime *deadline);
/* Writes back what is left. A page that cannot be written is no error: the result counts. */
void poll_remaining(struct timespec __user *timeout, ktime deadline);

#endif
