/* kernel/time/timer.c: the queue of timers, run by the service thread. */
#include "base/errno.h"
#include "host/wait.h"
#include "sync/sync.h"
#include "time/time.h"

static struct {
    struct spinlock lock;  /* class TIMERS */
    struct rb_tree queue;  /* lock; by time */
    struct timer *running; /* lock; whose func is being called */
    u32 runs;              /* atomic; counts the calls that have ended */
} timers = {.lock = SPINLOCK(TIMERS)};

static bool timer_before(const struct rb_node *a, const struct rb_node *b)
{
    return container_of(a, struct timer, node)->when < container_of(b, struct timer, node)->when;
}

void timer_init(struct timer *timer, void (*func)(struct timer *timer))
{
    rb_node_init(&timer->node);
    timer->func = func;
    timer->queued = false;
    timer->when = 0;
}

void timer_set(struct timer *timer, ktime when)
{
    bool first;

    spin_lock(&timers.lock);
    if (timer->queued)
        rb_erase(&timers.queue, &timer->node);
    timer->when = when;
    timer->queued = true;
    rb_insert(&timers.queue, &timer->node, timer_before);
    first = rb_first(&timers.queue) == &timer->node;
    spin_unlock(&timers.lock);
    if (first)
        host_service_wake();
}

static bool cancel_locked(struct timer *timer)
{
    bool was = timer->queued;

    if (was) {
        rb_erase(&timers.queue, &timer->node);
        timer->queued = false;
    }
    return was;
}

bool timer_cancel(struct timer *timer)
{
    bool was;

    spin_lock(&timers.lock);
    was = cancel_locked(timer);
    spin_unlock(&timers.lock);
    return was;
}

void timer_cancel_sync(struct timer *timer)
{
    for (;;) {
        u32 runs = __atomic_load_n(&timers.runs, __ATOMIC_ACQUIRE);
        bool running;

        /* in one step: its function may set it anew until it has ended */
        spin_lock(&timers.lock);
        cancel_locked(timer);
        running = timers.running == timer;
        spin_unlock(&timers.lock);
        if (!running)
            return;
        host_wait(&timers.runs, runs, KTIME_FOREVER);
    }
}

/* Takes the first timer that is due; NULL: none, and *next is when the first one will be. */
static struct timer *timer_take(ktime now, ktime *next)
{
    struct rb_node *node;
    struct timer *timer = NULL;

    *next = KTIME_FOREVER;
    spin_lock(&timers.lock);
    node = rb_first(&timers.queue);
    if (node) {
        timer = container_of(node, struct timer, node);
        *next = timer->when;
        if (timer->when <= now) {
            rb_erase(&timers.queue, node);
            timer->queued = false;
            timers.running = timer;
        } else {
            timer = NULL;
        }
    }
    spin_unlock(&timers.lock);
    return timer;
}

static void timer_done(void)
{
    spin_lock(&timers.lock);
    timers.running = NULL;
    spin_unlock(&timers.lock);
    __atomic_add_fetch(&timers.runs, 1, __ATOMIC_RELEASE);
    host_wake(&timers.runs, INT32_MAX);
}

int64_t upcall_service(void)
{
    struct timer *timer;
    ktime next;

    while ((timer = timer_take(time_monotonic(), &next))) {
        timer->func(timer);
        timer_done();
    }
    return next;
}
