/*
 * Wait queues: the only way to block. A sleeper is woken by waitq_wake(), by its deadline, or, when it waits
 * interruptibly, by a pending mark (signal, exec of another thread ...).
 */
#ifndef SYNC_WAITQ_H
#define SYNC_WAITQ_H

#include "base/list.h"
#include "base/types.h"
#include "host/wait.h"
#include "sync/sync.h"

struct waitq {
    struct spinlock lock; /* class WAITQ */
    struct list_head entries;
    const char *name; /* constant; for the hang report */
    bool
        host; /* atomic; its wake-ups come from the host: who sleeps here watches it, host/ready.h */
};

struct waitq_entry;
/* Runs under the queue's lock; true when the wake-up is spent on this entry (exclusive). */
typedef bool (*waitq_func)(struct waitq_entry *entry, u32 events);

struct waitq_entry {
    struct list_head link; /* queue->lock */
    struct waitq *queue;   /* constant while linked */
    struct self *thread;   /* whom the default func wakes */
    waitq_func func;       /* NULL: wake the thread */
    u32 events;            /* poll bits of interest; 0: all */
    bool exclusive;
};

#define WAITQ_INIT(q, n)                                                                           \
    {                                                                                              \
        .lock = SPINLOCK(WAITQ), .entries = LIST_HEAD_INIT((q).entries), .name = (n)               \
    }
void waitq_init(struct waitq *q, const char *name);

/* Linking and unlinking of entries by hand (poll, epoll). */
void waitq_entry_init(struct waitq_entry *e, waitq_func func, u32 events);
void waitq_add(struct waitq *q, struct waitq_entry *e);
void waitq_remove(struct waitq_entry *e); /* also when not linked */

/*
 * Wakes all sleepers interested in `events` (poll bits; 0: everybody), of the exclusive ones only the first that
 * takes it. Callable with locks held.
 */
void waitq_wake(struct waitq *q, u32 events);
void waitq_wake_one(struct waitq *q, u32 events); /* treats every entry as exclusive */
/* From an entry's func: q's lock is taken inside of another queue's; which comes first, the caller has to settle. */
void waitq_lock_nested(struct waitq *q);
void waitq_unlock(struct waitq *q);
void waitq_wake_locked(struct waitq *q, u32 events);
static inline bool waitq_active(struct waitq *q)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return !list_empty(&q->entries);
}

/* From now on this queue's wake-ups come from the host, too; those who sleep already learn it. */
void waitq_feed_by_host(struct waitq *q);
void waitq_feed_by_host_locked(struct waitq *q);
static inline bool waitq_host(const struct waitq *q)
{
    return __atomic_load_n(&q->host, __ATOMIC_ACQUIRE);
}

/* The pieces of the wait macros. */
enum wait_kind { WAIT_KILLABLE = 0, WAIT_INTERRUPTIBLE = 1, WAIT_UNINTERRUPTIBLE = 2 };
void wait_prepare(struct waitq *q,
                  struct waitq_entry *e); /* clears the thread's wake word, links the entry */
/* 0: look again; -ETIMEDOUT; -EINTR: a pending mark (killable: only a fatal one). */
int wait_sleep(enum wait_kind kind, ktime deadline);
void wait_finish(struct waitq_entry *e);
/* The same without an entry, for those that link several by hand: arm, ask, sleep; at the end disarm. */
void wait_arm(const char *name);
void wait_on_host(bool host); /* after wait_arm: does one of the queues depend on the host? */
void wait_disarm(void);
void wait_wake_thread(
    struct self *thread); /* ends a wait_sleep() of this thread, now or the next */

/* With more than one processor a thread looks briefly whether it is woken before it sleeps. */
void brief_start(u32 cpus);

/* signal/ tells whether the calling thread has a deliverable or a fatal signal; registered at start. */
extern bool (*wait_signal_pending)(bool fatal_only);
/*
 * host/ready tells how a thread sleeps whose queue the host feeds. watch: 0 (look again), -ETIMEDOUT, or -EAGAIN when
 * another one watches the host; then the thread sleeps as any other, until it is woken or has to take over. end: it
 * sleeps no more.
 */
extern const struct wait_watcher {
    int (*watch)(enum wait_kind kind, ktime deadline);
    void (*end)(void);
} * wait_watcher;
void wait_take_over(struct self *thread); /* a thread that was told -EAGAIN watches from now on */

/*
 * wait_event(queue, lock, condition, kind, deadline): waits until the condition holds. `lock` is a struct spinlock
 * that is held on entry and on exit, and released while asleep; the condition is evaluated under it.
 * Value: 0, -ETIMEDOUT, or -EINTR. Callers turn -EINTR into -ERESTARTSYS or what their call does.
 * wait_event_for: only wake-ups with one of these poll bits are of interest; 0: all.
 */
#define wait_event_for(q, poll_bits, held_lock, condition, kind, deadline)                         \
    ({                                                                                             \
        int wait_err_ = 0;                                                                         \
        while (!(condition)) {                                                                     \
            struct waitq_entry wait_entry_;                                                        \
            if (wait_err_)                                                                         \
                break;                                                                             \
            waitq_entry_init(&wait_entry_, NULL, (poll_bits));                                     \
            wait_prepare((q), &wait_entry_);                                                       \
            spin_unlock(held_lock);                                                                \
            wait_err_ = wait_sleep((kind), (deadline));                                            \
            wait_finish(&wait_entry_);                                                             \
            spin_lock(held_lock);                                                                  \
        }                                                                                          \
        (condition) ? 0 : wait_err_;                                                               \
    })
#define wait_event_kind(q, held_lock, condition, kind, deadline)                                   \
    wait_event_for(q, 0, held_lock, condition, kind, deadline)
#define wait_event(q, lock, condition, deadline)                                                   \
    wait_event_kind(q, lock, condition, WAIT_INTERRUPTIBLE, deadline)

#endif
