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
const struct wait_watcher *wait_watcher;

void waitq_init(struct waitq *q, const char *name)
{
    spin_init(&q->lock, WAITQ);
    list_init(&q->entries);
    q->name = name;
    q->host = false;
}

void waitq_feed_by_host_locked(struct waitq *q)
{
    if (waitq_host(q))
        return;
    __atomic_store_n(&q->host, true, __ATOMIC_SEQ_CST);
    waitq_wake_locked(q, 0);
}

void waitq_feed_by_host(struct waitq *q)
{
    spin_lock(&q->lock);
    waitq_feed_by_host_locked(q);
    spin_unlock(&q->lock);
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
    wait_on_host(waitq_host(q));
    waiting_begin(q, q->name);
}

void wait_arm(const char *name)
{
    __atomic_store_n(&self()->thread.wake, ARMED, __ATOMIC_SEQ_CST);
    wait_on_host(false);
    waiting_begin(self(), name);
}

void wait_on_host(bool host)
{
    WRITE_ONCE(self()->wait_host, host ? WAIT_HOST : WAIT_ALONE);
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

/* Until the thread's word is WOKEN: 0; -ETIMEDOUT; -EAGAIN: it has to watch the host now. */
static int sleep_on_word(ktime deadline)
{
    u32 *word = &self()->thread.wake;
    u32 seen = ARMED;
    int err = 0;

    sync_assert_unlocked("sleeping");
    brief_look(word, ARMED);
    if (!__atomic_compare_exchange_n(word, &seen, ASLEEP, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_ACQUIRE))
        return 0;
    if (unlikely(__atomic_load_n(&self()->wait_host, __ATOMIC_SEQ_CST) == WAIT_TAKES_OVER)) {
        seen = ASLEEP;
        __atomic_compare_exchange_n(word, &seen, ARMED, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
        return seen == WOKEN ? 0 : -EAGAIN;
    }
    WRITE_ONCE(self()->sleeps, self()->sleeps + 1);
    while ((seen = __atomic_load_n(word, __ATOMIC_ACQUIRE)) == ASLEEP && !err)
        err = host_wait(word, ASLEEP, deadline);
    return seen == ARMED ? -EAGAIN : err;
}

/* The word goes back to ARMED, so that a sleep that is about to begin does not. */
void wait_take_over(struct self *thread)
{
    u32 *word = &thread->thread.wake, seen = ASLEEP;

    __atomic_store_n(&thread->wait_host, WAIT_TAKES_OVER, __ATOMIC_SEQ_CST);
    if (__atomic_compare_exchange_n(word, &seen, ARMED, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE))
        host_wake(word, 1);
}

int wait_sleep(enum wait_kind kind, ktime deadline)
{
    bool host = READ_ONCE(self()->wait_host) != WAIT_ALONE;
    int err;

    if (interrupted(kind))
        return -EINTR;
    do {
        err = host ? wait_watcher->watch(kind, deadline) : -EAGAIN;
        if (err == -EAGAIN)
            err = sleep_on_word(deadline);
    } while (err == -EAGAIN);
    if (host)
        wait_watcher->end();
    return interrupted(kind) ? -EINTR : err;
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
