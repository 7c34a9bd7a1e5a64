/* kernel/vfs/poll_wait.h: what poll, select and epoll_wait have in common: asking many files, and sleeping until one answers. */
#ifndef VFS_POLL_WAIT_H
#define VFS_POLL_WAIT_H

#include "vfs/poll.h"

#define POLL_INLINE 8  /* queue entries that need no allocation */
#define POLL_CHUNK  72 /* and so many come with each */

struct poll_entry {
    struct waitq_entry wait;
    struct file *file; /* counted: its queue lives as long as it */
};

struct poll_chunk {
    struct poll_chunk *next; /* older ones */
    u32 n;
    struct poll_entry entries[POLL_CHUNK]; /* they do not move: queues link them */
};

struct poll_set {
    struct poll_table table;
    struct poll_chunk *chunks; /* the newest first: the others are full */
    u32 n;                     /* inline entries */
    int error;                 /* -ENOMEM */
    bool host;                 /* one that was asked is fed by the host */
    bool looked;               /* poll_set_look() has taken the host's news */
    struct poll_entry entries[POLL_INLINE];
};

/* sleeps: false for a caller that only asks; then nothing registers with the files' queues. */
void poll_set_init(struct poll_set *set, bool sleeps);
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
/* personality(2), STICKY_TIMEOUTS: is what is left of a timeout written back? */
bool poll_tells_rest(void);
/* Does so. A page that cannot be written is no error: the result counts. */
void poll_remaining(struct timespec __user *timeout, ktime deadline);

#endif
