/*
 * kernel/ipc/aio_poll.c: IOCB_CMD_POLL, io_submit(2): a request that ends when a file is ready. Wake-ups come under a
 * queue's lock, where a file cannot be asked; the service thread asks it then.
 */
#include "base/errno.h"
#include "ipc/aio_internal.h"
#include "mm/alloc.h"
#include "time/time.h"
#include "vfs/file.h"
#include "vfs/poll.h"

struct aio_poll {
    struct list_head link;   /* ctx->lock; on ctx->polls whoever takes it off ends and frees it */
    struct aio_context *ctx; /* constant; counted */
    struct aio_request request;
    struct file *file;      /* constant; counted */
    u32 wanted;             /* constant; poll bits */
    bool missed;            /* ctx->lock; the file was ready while it was not on the list */
    bool failed;            /* while it is set up: no memory */
    struct list_head hooks; /* constant once it is on the list */
    struct timer timer;     /* set by wake-ups */
};

struct aio_hook { /* a file may have several queues */
    struct waitq_entry entry;
    struct aio_poll *poll;
    struct list_head link; /* poll->hooks */
};

static bool hook_wake(struct waitq_entry *entry, u32 events)
{
    struct aio_poll *poll = container_of(entry, struct aio_hook, entry)->poll;
    struct waitq *done = &poll->ctx->done;

    if (waitq_host(entry->queue) && !waitq_host(done)) {
        waitq_lock_nested(done);
        waitq_feed_by_host_locked(done);
        waitq_unlock(done);
    }
    if (!events || events & poll->wanted)
        timer_set(&poll->timer, 0);
    return false;
}

struct aio_table {
    struct poll_table table;
    struct aio_poll *poll;
};

static void hook_queue(struct poll_table *table, struct file *file, struct waitq *q)
{
    struct aio_poll *poll = container_of(table, struct aio_table, table)->poll;
    struct aio_hook *hook = kzalloc(sizeof(*hook));

    (void)file;
    if (!hook) {
        poll->failed = true;
        return;
    }
    waitq_entry_init(&hook->entry, hook_wake, 0);
    hook->poll = poll;
    list_add_tail(&hook->link, &poll->hooks);
    waitq_add(q, &hook->entry);
    if (waitq_host(q))
        waitq_feed_by_host(&poll->ctx->done);
}

static void remove_hooks(struct aio_poll *poll)
{
    struct aio_hook *hook, *next;

    list_for_each_entry_safe(hook, next, &poll->hooks, link) {
        waitq_remove(&hook->entry);
        kfree(hook);
    }
}

/* Who may end it: one only. */
static bool claim(struct aio_poll *poll)
{
    bool mine;

    spin_lock(&poll->ctx->lock);
    mine = !list_empty(&poll->link);
    if (mine)
        list_del(&poll->link);
    poll->missed = !mine;
    spin_unlock(&poll->ctx->lock);
    return mine;
}

/*
 * From here on others may end it, and free it, unless a wake-up found that they could not yet: then the file is to be
 * asked again. False: the context has ended.
 */
static bool arm(struct aio_poll *poll, bool *armed)
{
    struct aio_context *ctx = poll->ctx;
    bool dead;

    spin_lock(&ctx->lock);
    dead = ctx->dead;
    *armed = !dead && !poll->missed;
    if (*armed)
        list_add_tail(&poll->link, &ctx->polls);
    poll->missed = false;
    spin_unlock(&ctx->lock);
    return !dead;
}

/* By who claimed it, once its timer does not run any more. */
static void finish(struct aio_poll *poll, u32 mask)
{
    aio_complete(poll->ctx, &poll->request, mask);
    file_put(poll->file);
    aio_put(poll->ctx);
    kfree(poll);
}

/* On the service thread: who ends it elsewhere waits for this to return. */
static void poll_look(struct timer *timer)
{
    struct aio_poll *poll = container_of(timer, struct aio_poll, timer);
    u32 mask = file_poll(poll->file, NULL) & poll->wanted;

    if (!mask || !claim(poll))
        return;
    remove_hooks(poll);
    timer_cancel(timer);
    finish(poll, mask);
}

static void poll_end(struct aio_poll *poll, u32 mask)
{
    remove_hooks(poll);
    timer_cancel_sync(&poll->timer);
    finish(poll, mask);
}

static struct aio_poll *poll_create(struct aio_context *ctx, u32 wanted, struct file *file)
{
    struct aio_poll *poll = kzalloc(sizeof(*poll));

    if (!poll)
        return NULL;
    refcount_get(&ctx->ref);
    poll->ctx = ctx;
    poll->file = file_get(file);
    poll->wanted = wanted | POLLERR | POLLHUP;
    list_init(&poll->link);
    list_init(&poll->hooks);
    timer_init(&poll->timer, poll_look);
    return poll;
}

/* It could not stand in all queues: as if it had never been. */
static void poll_undo(struct aio_poll *poll)
{
    remove_hooks(poll);
    timer_cancel_sync(&poll->timer);
    file_put(poll->file);
    aio_put(poll->ctx);
    kfree(poll);
}

int aio_poll_submit(struct aio_context *ctx, const struct iocb *iocb, struct file *file,
                    const struct aio_request *request)
{
    struct aio_table table = {.table = {.queue = hook_queue, .events = ~0U}};
    struct aio_poll *poll;
    bool over, armed = false;
    u32 mask;

    if (iocb->aio_buf > UINT16_MAX || iocb->aio_offset || iocb->aio_nbytes || iocb->aio_rw_flags)
        return -EINVAL;
    poll = poll_create(ctx, (u32)iocb->aio_buf, file);
    if (!poll)
        return -ENOMEM;
    table.poll = poll;
    mask = file_poll(file, &table.table) & poll->wanted;
    if (poll->failed) {
        poll_undo(poll);
        return -ENOMEM;
    }
    poll->request = *request;
    while (!armed) {
        over = mask || !arm(poll, &armed);
        if (over) {
            poll_end(poll, mask);
            break;
        }
        if (!armed)
            mask = file_poll(file, NULL) & poll->wanted;
    }
    return 0;
}

/* ---- giving up ---- */

bool aio_poll_cancel(struct aio_context *ctx, u64 obj)
{
    struct aio_poll *poll;
    bool found = false;

    spin_lock(&ctx->lock);
    list_for_each_entry(poll, &ctx->polls, link) {
        found = poll->request.obj == obj;
        if (found) {
            list_del(&poll->link);
            break;
        }
    }
    spin_unlock(&ctx->lock);
    if (found)
        poll_end(poll, 0);
    return found;
}

void aio_poll_cancel_all(struct aio_context *ctx)
{
    for (;;) {
        struct aio_poll *poll = NULL;

        spin_lock(&ctx->lock);
        if (!list_empty(&ctx->polls)) {
            poll = list_first_entry(&ctx->polls, struct aio_poll, link);
            list_del(&poll->link);
        }
        spin_unlock(&ctx->lock);
        if (!poll)
            return;
        poll_end(poll, 0);
    }
}
