/* kernel/ipc/aio_ring.c: contexts of io_setup(2), and the rings in which programs find their events. */
#include "base/errno.h"
#include "base/string.h"
#include "ipc/aio_internal.h"
#include "ipc/eventfd.h"
#include "mm/alloc.h"
#include "mm/memobj.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "vfs/file.h"

#include <linux/mman.h>

/* What libaio and its kin know of a ring. Everything here is the program's to overwrite. */
struct ring {
    u32 id, nr;
    u32 head; /* moved by who takes events out, also by the program itself */
    u32 tail;
    u32 magic, compat_features, incompat_features, header_length;
    struct io_event events[];
};

#define RING_MAGIC  0xa10a10a1
#define EVENT_BATCH 16 /* events that are collected before they are copied out */

static_assert(sizeof(struct ring) == sizeof(struct io_event), "no event crosses a page's border");

struct aio_limits aio_limits = {.max = 65536}; /* proc(5): aio-max-nr */

/* ---- the ring ---- */

static struct ring *ring_of(const struct aio_context *ctx)
{
    return ctx->pages[0];
}

static struct io_event *event_at(const struct aio_context *ctx, u32 place)
{
    u64 at = sizeof(struct ring) + (u64)place * sizeof(struct io_event);

    return (struct io_event *)((u8 *)ctx->pages[at / PAGE_SIZE] + at % PAGE_SIZE);
}

/* The program may have written anything there. */
static u32 ring_head(const struct aio_context *ctx)
{
    return READ_ONCE(ring_of(ctx)->head) % ctx->nr;
}

static u32 ring_filled_locked(const struct aio_context *ctx)
{
    return (ctx->tail + ctx->nr - ring_head(ctx)) % ctx->nr;
}

int aio_reserve(struct aio_context *ctx)
{
    int err = -EAGAIN;

    spin_lock(&ctx->lock);
    if (ctx->pending + ring_filled_locked(ctx) < ctx->nr - 1) {
        ctx->pending++;
        err = 0;
    }
    spin_unlock(&ctx->lock);
    return err;
}

void aio_unreserve(struct aio_context *ctx)
{
    spin_lock(&ctx->lock);
    ctx->pending--;
    spin_unlock(&ctx->lock);
}

void aio_complete(struct aio_context *ctx, const struct aio_request *request, s64 result)
{
    spin_lock(&ctx->lock);
    *event_at(ctx, ctx->tail) =
        (struct io_event){.data = request->data, .obj = request->obj, .res = result};
    ctx->tail = (ctx->tail + 1) % ctx->nr;
    ctx->pending--;
    __atomic_store_n(&ring_of(ctx)->tail, ctx->tail, __ATOMIC_RELEASE);
    waitq_wake(&ctx->done, 0);
    spin_unlock(&ctx->lock);
    if (request->told) {
        eventfd_signal(request->told);
        file_put(request->told);
    }
}

/* With the turn to read: events from the head on, as many as there are. Number; -EFAULT. */
static long copy_out(struct aio_context *ctx, long most, struct io_event __user *to)
{
    struct io_event batch[EVENT_BATCH];
    u32 head, n;

    spin_lock(&ctx->lock);
    head = ring_head(ctx);
    n = (u32)MIN((long)MIN(ring_filled_locked(ctx), (u32)EVENT_BATCH), most);
    for (u32 i = 0; i < n; i++)
        batch[i] = *event_at(ctx, (head + i) % ctx->nr);
    spin_unlock(&ctx->lock);
    if (n && copy_to_user(to, batch, n * sizeof(*batch)))
        return -EFAULT;
    WRITE_ONCE(ring_of(ctx)->head, (head + n) % ctx->nr);
    return n;
}

long aio_read(struct aio_context *ctx, long least, long most, struct io_event __user *to,
              ktime deadline)
{
    long done = 0, n = 0;
    int err = 0;

    while (done < most) {
        bool more = done < least && deadline;

        spin_lock(&ctx->lock);
        err = wait_event(&ctx->done, &ctx->lock,
                         !ctx->reading && (!more || ring_filled_locked(ctx) || ctx->dead),
                         more ? deadline : KTIME_FOREVER);
        if (!err && ctx->dead)
            err = -EINVAL;
        ctx->reading |= !err;
        spin_unlock(&ctx->lock);
        if (err)
            break;
        n = copy_out(ctx, most - done, to + done);
        spin_lock(&ctx->lock);
        ctx->reading = false;
        waitq_wake(&ctx->done, 0);
        spin_unlock(&ctx->lock);
        if (n < 0 || (!n && !more))
            break;
        done += n;
    }
    if (done || err == -ETIMEDOUT)
        return done;
    return err ? err : n;
}

/* ---- mappings ---- */

static void mapping_get(void *owner)
{
    struct aio_context *ctx = owner;

    refcount_get(&ctx->ref);
    spin_lock(&ctx->lock);
    ctx->mappings++;
    spin_unlock(&ctx->lock);
}

static void mapping_put(void *owner)
{
    struct aio_context *ctx = owner;
    bool last;

    spin_lock(&ctx->lock);
    last = --ctx->mappings == 0;
    spin_unlock(&ctx->lock);
    if (last)
        (void)aio_kill(ctx);
    aio_put(ctx);
}

/* The kernel writes there, and must not meet a hole that the host has no memory for. */
static int mapping_punch(void *owner, u64 offset, u64 len)
{
    (void)owner;
    (void)offset;
    (void)len;
    return -EINVAL;
}

static const struct vma_ops ring_vma_ops = {
    .get = mapping_get, .put = mapping_put, .punch = mapping_punch};

static s64 ring_map(struct aio_context *ctx, u64 size)
{
    struct map_request req = {
        .len = size,
        .prot = PROT_READ | PROT_WRITE,
        .flags = MAP_SHARED,
        .may = VM_MAYREAD | VM_MAYWRITE | VM_DONTFORK,
        .at =
            {
                .kind = VMA_MEMOBJ,
                .obj = ctx->obj,
                .host_file = -1,
                .ops = &ring_vma_ops,
                .owner = ctx,
                .name = "/[aio] (deleted)",
            },
    };

    return mm_map(&req);
}

/* ---- contexts ---- */

void aio_put(struct aio_context *ctx)
{
    if (!refcount_put(&ctx->ref))
        return;
    __atomic_fetch_sub(&aio_limits.nr, ctx->events, __ATOMIC_RELAXED);
    if (ctx->obj)
        memobj_put(ctx->obj);
    kfree(ctx->pages);
    kfree(ctx);
}

/* Memory for all of the ring, so that an event always finds its place. */
static int ring_allocate(struct aio_context *ctx, u32 n)
{
    u64 size = (u64)n * PAGE_SIZE, window, run;

    ctx->pages = kcalloc(n, sizeof(*ctx->pages));
    ctx->obj = memobj_create();
    if (!ctx->pages || !ctx->obj || memobj_truncate(ctx->obj, size) ||
        memobj_reserve(ctx->obj, 0, size))
        return -ENOMEM;
    for (u64 at = 0; at < size; at += run) {
        if (memobj_map(ctx->obj, at, size - at, true, &window, &run))
            return -ENOMEM;
        for (u64 i = 0; i < run; i += PAGE_SIZE)
            ctx->pages[(at + i) / PAGE_SIZE] = pages_address(window + i);
    }
    ctx->nr = (u32)(size / sizeof(struct io_event)) - 1;
    *ring_of(ctx) = (struct ring){
        .nr = ctx->nr,
        .magic = RING_MAGIC,
        .compat_features = 1,
        .header_length = sizeof(struct ring),
    };
    return 0;
}

/* proc(5): all contexts together were made for aio-max-nr events at most. */
static int count_events(u32 events)
{
    u32 max = READ_ONCE(aio_limits.max), nr = __atomic_load_n(&aio_limits.nr, __ATOMIC_RELAXED);

    do {
        if (events > max || nr > max - events)
            return -EAGAIN;
    } while (!__atomic_compare_exchange_n(&aio_limits.nr, &nr, nr + events, false, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return 0;
}

struct aio_context *aio_create(u32 events, u64 *address)
{
    /* one place stays free, to tell a full ring from an empty one; and the header */
    u64 size = ((u64)events + 2) * sizeof(struct io_event);
    struct aio_context *ctx;
    s64 where;
    int err = count_events(events);

    if (err)
        return ERR_PTR(err);
    ctx = kzalloc(sizeof(*ctx));
    if (!ctx) {
        __atomic_fetch_sub(&aio_limits.nr, events, __ATOMIC_RELAXED);
        return ERR_PTR(-ENOMEM);
    }
    refcount_init(&ctx->ref, 1);
    ctx->mm = self()->mm;
    ctx->events = events;
    spin_init(&ctx->lock, OBJECT);
    list_init(&ctx->polls);
    waitq_init(&ctx->done, "aio");
    err = ring_allocate(ctx, (u32)DIV_ROUND_UP(size, PAGE_SIZE));
    where = err ? err : ring_map(ctx, ALIGN_UP(size, PAGE_SIZE));
    if (where < 0) {
        aio_put(ctx);
        return ERR_PTR(where);
    }
    *address = (u64)where;
    return ctx;
}

struct aio_context *aio_lookup(u64 address)
{
    struct mm *mm = self()->mm;
    struct aio_context *ctx = NULL;
    const struct vma *vma;

    mm_lock(mm);
    vma = vma_find(mm, address);
    if (vma && vma->start == address && vma->at.ops == &ring_vma_ops && !vma->at.offset) {
        ctx = vma->at.owner;
        if (ctx->mm == mm && !READ_ONCE(ctx->dead))
            refcount_get(&ctx->ref);
        else
            ctx = NULL;
    }
    mm_unlock(mm);
    return ctx;
}

bool aio_kill(struct aio_context *ctx)
{
    bool mine;

    spin_lock(&ctx->lock);
    mine = !ctx->dead;
    WRITE_ONCE(ctx->dead, true);
    waitq_wake(&ctx->done, 0);
    spin_unlock(&ctx->lock);
    if (mine)
        aio_poll_cancel_all(ctx);
    return mine;
}
