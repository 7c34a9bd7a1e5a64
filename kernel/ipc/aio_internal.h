/*
 * kernel/ipc/aio_internal.h: contexts of asynchronous requests, io_setup(2): between aio.c (calls and transfers),
 * aio_ring.c (contexts and their rings) and aio_poll.c (requests that wait).
 *
 * A context is its ring: memory that the program has mapped, whose address is the context's number. It lives as
 * long as that mapping. Libraries look into the ring themselves, so its layout is Linux's. Reads, writes and syncs are
 * done inside io_submit(2); only IOCB_CMD_POLL is still to come when the call returns.
 */
#ifndef IPC_AIO_INTERNAL_H
#define IPC_AIO_INTERNAL_H

#include "base/list.h"
#include "base/refcount.h"
#include "ipc/aio.h"
#include "sync/sync.h"
#include "sync/waitq.h"

#include <linux/aio_abi.h>

struct file;
struct memobj;
struct mm;

struct aio_context {
    struct refcount ref;    /* mappings, calls under way, requests that wait */
    struct mm *mm;          /* constant; only compared: whose it is */
    struct memobj *obj;     /* constant; counted: the ring */
    void **pages;           /* constant: where the kernel sees the ring's pages */
    u32 nr;                 /* constant: places in the ring */
    u32 events;             /* constant: what io_setup(2) was asked for */
    struct spinlock lock;   /* class OBJECT: all below, and the ring but for its head */
    u32 tail;               /* the place of the next event */
    u32 pending;            /* requests whose event is still to come: each has a place of its own */
    u32 mappings;           /* parts of the mapping that are left */
    bool dead;              /* io_destroy(2), or nothing is mapped any more: nobody finds it */
    bool reading;           /* somebody copies events out */
    struct list_head polls; /* struct aio_poll */
    struct waitq done;      /* woken by each event, and when the turn to read is free */
};

/* What an event will tell, and whom besides. */
struct aio_request {
    u64 obj, data;     /* the program's struct iocb and its aio_data */
    struct file *told; /* counted: the eventfd of IOCB_FLAG_RESFD, or NULL */
};

/* ---- aio_ring.c ---- */

/* A new one, mapped into the caller's space at *address; one reference. ERR_PTR(-ENOMEM, -EAGAIN). */
struct aio_context *aio_create(u32 events, u64 *address);
struct aio_context *aio_lookup(u64 address); /* counted; NULL: there is none */
void aio_put(struct aio_context *ctx);
DEFINE_AUTO(aio_put, struct aio_context *)
/* Takes a place in the ring. -EAGAIN: all are taken. */
int aio_reserve(struct aio_context *ctx);
void aio_unreserve(struct aio_context *ctx);
/* The event of a request that had a place; it takes over request->told. */
void aio_complete(struct aio_context *ctx, const struct aio_request *request, s64 result);
/*
 * Copies events to the program: at least `least` unless the deadline (0: now) passes, at most `most`. The number; with
 * none -EFAULT, -EINTR, -EINVAL (the context has ended meanwhile).
 */
long aio_read(struct aio_context *ctx, long least, long most, struct io_event __user *to,
              ktime deadline);
/* No call finds it any more; what waits is given up. False: another one was faster. */
bool aio_kill(struct aio_context *ctx);

/* ---- aio_poll.c ---- */

/* IOCB_CMD_POLL: takes over request->told and a reference to the file, but not when it fails. -EINVAL, -ENOMEM. */
int aio_poll_submit(struct aio_context *ctx, const struct iocb *iocb, struct file *file,
                    const struct aio_request *request);
/* io_cancel(2): ends the one that waits, with its event. False: there is none. */
bool aio_poll_cancel(struct aio_context *ctx, u64 obj);
void aio_poll_cancel_all(struct aio_context *ctx);

#endif
