/* kernel/sync/waitq.c: wait queues over one wait word a thread. */
#include "sync/waitq.h"

#include "base/errno.h"
#include "self/self.h"
#include "sync/internal.h"

/*
 * The word of a thread: ARMED from wait_prepare() on, ASLEEP while the host waits on it, WOKEN by anybody. A wake-up
 * makes a host call only when it finds ASLEEP.
 */
enum { ARMED = 0, WOKEN = 1, ASLEEP = 2 };

bool (*wait_signal_pending)(bool fatal_only);

void waitq_init(struct waitq *q, const char *name)
{
    spin_init(&q->lock, WAITQ);
    list_init(&q->entries);
    q->name = name;
}

void waitq_entry_init(struct waitq_entry *e, waitq_func func, u32 events)
{
    list_init(&e->link);
    e->queue = NULL;
    e->thread = self();
    e->func = func;
    e->events = events;
    e->exclusive = false;
}

void waitq_add(struct waitq *q, struct waitq_entry *e)
{
    spin_lock(&q->lock);
    e->queue = q;
    list_add_tail(&e->link, &q->entries);
    spin_unlock(&q->lock);
}

void waitq_remove(struct waitq_entry *e)
{
    struct waitq *q = e->queue;

    if (!q)
        return;
    spin_lock(&q->lock);
    list_del(&e->link);
    e->queue = NULL;
    spin_unlock(&q->lock);
}

static bool entry_wake(struct waitq_entry *e, u32 events)
{
    if (e->func)
        return e->func(e, events);
    wait_wake_thread(e->thread);
    return true;
}

static void queue_wake_locked(struct waitq *q, u32 events, bool only_one)
{
    struct waitq_entry *e, *next;

    list_for_each_entry_safe(e, next, &q->entries, link) {
        bool exclusive = e->exclusive || only_one;

        if (events && e->events && !(events & e->events))
            continue;
        if (entry_wake(e, events) && exclusive)
            break;
    }
}

static void queue_wake(struct waitq *q, u32 events, bool only_one)
{
    if (!waitq_active(q))
        return;
    spin_lock(&q->lock);
    queue_wake_locked(q, events, only_one);
    spin_unlock(&q->lock);
}

void waitq_lock_nested(struct waitq *q)
{
    spin_lock_nested(&q->lock);
}

void waitq_unlock(struct waitq *q)
{
    spin_unlock(&q->lock);
}

void waitq_wake_locked(struct waitq *q, u32 events)
{
    queue_wake_locked(q, events, false);
}

void waitq_wake(struct waitq *q, u32 events)
{
    queue_wake(q, events, false);
}

void waitq_wake_one(struct waitq *q, u32 events)
{
    queue_wake(q, events, true);
}

void wait_prepare(struct waitq *q, struct waitq_entry *e)
{
    __atomic_store_n(&self()->thread.wake, ARMED, __ATOMIC_SEQ_CST);
    waitq_add(q, e);
    waiting_begin(q, q->name);
}

void wait_arm(const char *name)
{
    __atomic_store_n(&self()->thread.wake, ARMED, __ATOMIC_SEQ_CST);
    waiting_begin(self(), name);
}

void wait_disarm(void)
{
    waiting_end();
}

static bool interrupted(enum wait_kind kind)
{
    if (kind == WAIT_UNINTERRUPTIBLE || !self_pending())
        return false;
    return !wait_signal_pending || wait_signal_pending(kind == WAIT_KILLABLE);
}

int wait_sleep(enum wait_kind kind, ktime deadline)
{
    u32 *word = &self()->thread.wake;
    u32 armed = ARMED;
    int err = 0;

    if (interrupted(kind))
        return -EINTR;
    if (!__atomic_compare_exchange_n(word, &armed, ASLEEP, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        return interrupted(kind) ? -EINTR : 0;
    self()->sleeps++;
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == ASLEEP) {
        err = host_wait(word, ASLEEP, deadline);
        if (err)
            break;
    }
    if (interrupted(kind))
        return -EINTR;
    return err;
}

void wait_finish(struct waitq_entry *e)
{
    waitq_remove(e);
    waiting_end();
}

void wait_wake_thread(struct self *thread)
{
    if (__atomic_exchange_n(&thread->thread.wake, WOKEN, __ATOMIC_SEQ_CST) == ASLEEP)
        host_wake(&thread->thread.wake, 1);
    else if (__atomic_load_n(&thread->thread.mode, __ATOMIC_SEQ_CST) == TARGET_IN_HOST)
        host_kick(thread);
}
