/* kernel/ipc/pipe_internal.h: what the files of pipes share. */
#ifndef IPC_PIPE_INTERNAL_H
#define IPC_PIPE_INTERNAL_H

#include "base/refcount.h"
#include "base/types.h"
#include "ipc/packets.h"
#include "sync/sync.h"
#include "sync/waitq.h"

struct file;
struct iter;

/* Not a poll bit: the turn is free, which matters to sleeping readers and writers alone. */
#define PIPE_TURN BIT(30)

struct pipe {
    struct refcount ref;   /* open files, and a FIFO's inode while it is open */
    struct spinlock lock;  /* class PIPE: everything below */
    u8 *ring;              /* replaced only with both turns taken */
    u32 size;              /* of the ring, a power of two */
    u64 head, tail;        /* bytes ever written and read */
    bool reading, writing; /* the turns */
    struct packets packets;
    bool anonymous;       /* constant: of pipe(2); opening it anew by /proc waits for nobody */
    u32 readers, writers; /* open ends */
    u32 reader_opens, writer_opens; /* counts openings, for those that wait for the other end */
    struct waitq readable;          /* readers, and openers that wait for a writer */
    struct waitq writable;
};

static inline u32 pipe_fill(const struct pipe *pipe)
{
    return (u32)(pipe->head - pipe->tail);
}

static inline u32 pipe_space(const struct pipe *pipe)
{
    return pipe->size - pipe_fill(pipe);
}

/* pipe_io.c */
/* Moves up to n bytes at position `at`, in one or two pieces. Bytes, or the error when there were none. */
ssize_t pipe_ring_move(struct pipe *pipe, u64 at, u32 n, struct iter *it, bool in);
ssize_t pipe_read(struct file *file, struct iter *to, loff_t *pos);
ssize_t pipe_write(struct file *file, struct iter *from, loff_t *pos);

#endif
