/* kernel/host/ready.c: see ready.h. */
#include "host/ready.h"

#include "base/errno.h"
#include "host/border.h"
#include "host/clock.h"
#include "self/self.h"
#include "sync/sync.h"
#include "sync/waitq.h"

#include <asm/poll.h>
#include <myst/target.h>

#define BATCH       16
#define LOOK_ROUNDS 64 /* a host that always has more does not hold a thread up */
#define NEWS_BITS   (POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLERR | POLLHUP)

static struct {
    struct spinlock lock;   /* class READY: all below */
    struct rb_tree watches; /* by cookie */
    u64 last_cookie;
    struct self *watcher;   /* who sleeps in the host, or is about to */
    struct list_head heirs; /* who sleeps while it does */
} queue;

static const u8 add_errors[] = {EPERM, ENOMEM, ENOSPC, 0};

static int compare(const void *key, const struct rb_node *node)
{
    u64 cookie = *(const u64 *)key, other = container_of(node, struct host_watch, node)->cookie;

    return cookie < other ? -1 : cookie > other;
}

static bool before(const struct rb_node *a, const struct rb_node *b)
{
    return container_of(a, struct host_watch, node)->cookie <
           container_of(b, struct host_watch, node)->cookie;
}

int host_watch_add(struct host_watch *watch, int file, void (*ready)(struct host_watch *, u32))
{
    int err;

    watch->file = file;
    watch->ready = ready;
    spin_lock(&queue.lock);
    watch->cookie = ++queue.last_cookie;
    rb_insert(&queue.watches, &watch->node, before);
    spin_unlock(&queue.lock);

    err = BORDER_DONE(ready_add_result, target_ready_add(file, watch->cookie), add_errors);
    if (!err)
        return 0;
    spin_lock(&queue.lock);
    rb_erase(&queue.watches, &watch->node);
    spin_unlock(&queue.lock);
    return err;
}

void host_watch_remove(struct host_watch *watch)
{
    spin_lock(&queue.lock);
    if (rb_linked(&watch->node))
        rb_erase(&queue.watches, &watch->node);
    spin_unlock(&queue.lock);
    target_ready_remove(watch->file);
}

static void tell(struct host_watch *watch, u32 events)
{
    if (!BORDER(ready_events, !(events & ~NEWS_BITS)))
        events &= NEWS_BITS;
    watch->ready(watch, events);
}

/* A cookie that was never given, or whose watch is gone, is nobody's news. */
static void hand_on(const struct target_ready *news, int n)
{
    for (int i = 0; i < n; i++) {
        u64 cookie = news[i].cookie;
        struct rb_node *node;

        spin_lock(&queue.lock);
        node = rb_find(&queue.watches, &cookie, compare);
        if (BORDER(ready_cookie, node))
            tell(container_of(node, struct host_watch, node), news[i].events);
        spin_unlock(&queue.lock);
    }
}

/* Number of events handed on, 0, or -EINTR. */
static int take(ktime deadline)
{
    struct target_ready news[BATCH];
    int n = target_ready_wait(news, BATCH, deadline);

    if (!BORDER(ready_wait_count, n <= BATCH) || !BORDER(ready_wait_errno, n >= 0 || n == -EINTR))
        n = 0;
    hand_on(news, n);
    return n;
}

static bool watch_begin(void)
{
    struct self *me = self();
    bool mine;

    spin_lock(&queue.lock);
    mine = !queue.watcher || queue.watcher == me;
    if (mine)
        queue.watcher = me;
    else if (list_empty(&me->wait_heir))
        list_add_tail(&me->wait_heir, &queue.heirs);
    spin_unlock(&queue.lock);
    return mine;
}

static void watch_end(void)
{
    struct self *me = self(), *heir = NULL;

    spin_lock(&queue.lock);
    list_del(&me->wait_heir);
    if (queue.watcher == me) {
        if (!list_empty(&queue.heirs)) {
            heir = list_first_entry(&queue.heirs, struct self, wait_heir);
            list_del(&heir->wait_heir);
        }
        queue.watcher = heir;
        /* With the lock held: so that the heir cannot have ended. */
        if (heir)
            wait_take_over(heir);
    }
    spin_unlock(&queue.lock);
}

static bool woken(void)
{
    return __atomic_load_n(&self()->thread.wake, __ATOMIC_ACQUIRE) != 0;
}

/*
 * Marks that do not end this wait would end the host's at once: they are put aside meanwhile. A signal whose mark is among
 * them is queued already, and is seen.
 */
static u32 marks_aside(enum wait_kind kind, bool *interrupted)
{
    u32 marks = __atomic_exchange_n(&self()->thread.pending, 0, __ATOMIC_SEQ_CST);

    *interrupted = marks && kind != WAIT_UNINTERRUPTIBLE && wait_signal_pending &&
                   wait_signal_pending(kind == WAIT_KILLABLE);
    return marks;
}

static int watch(enum wait_kind kind, ktime deadline)
{
    bool interrupted = false;
    u32 marks;
    int n = 0;

    if (!watch_begin())
        return -EAGAIN;
    WRITE_ONCE(self()->sleeps, self()->sleeps + 1);
    while (!woken() && !interrupted && n != -EINTR) {
        marks = marks_aside(kind, &interrupted);
        if (!interrupted)
            n = take(deadline);
        __atomic_fetch_or(&self()->thread.pending, marks, __ATOMIC_SEQ_CST);
        if (n == 0 && deadline != KTIME_FOREVER &&
            host_clock_read(HOST_CLOCK_MONOTONIC) >= deadline)
            return -ETIMEDOUT;
    }
    return 0;
}

void host_ready_look(void)
{
    bool watched;

    spin_lock(&queue.lock);
    watched = queue.watcher || rb_empty(&queue.watches);
    spin_unlock(&queue.lock);
    for (int i = 0; !watched && i < LOOK_ROUNDS; i++)
        watched = take(0) < BATCH;
}

u32 host_poll(int file, u32 events)
{
    u32 known = events | POLLERR | POLLHUP | POLLNVAL;
    int got = target_poll(file, (int)events);

    if (!BORDER(poll_errno, got >= 0))
        return 0;
    return BORDER(poll_bits, !((u32)got & ~known)) ? (u32)got : (u32)got & known;
}

static const struct wait_watcher watcher = {.watch = watch, .end = watch_end};

void host_ready_start(void)
{
    spin_init(&queue.lock, READY);
    list_init(&queue.heirs);
    list_init(&self()->wait_heir); /* of the first thread, whose block nobody has prepared */
    wait_watcher = &watcher;
}
