/* kernel/ipc/futex_internal.h: the table of waiters, between futex.c (queues) and futex_calls.c (operations). */
#ifndef IPC_FUTEX_INTERNAL_H
#define IPC_FUTEX_INTERNAL_H

#include "base/list.h"
#include "ipc/futex.h"
#include "sync/waitq.h"

struct task;

/* Which word: of a space, or of a memory object that several spaces map. */
struct futex_key {
    const void *object; /* struct mm or struct memobj; only compared */
    u64 offset;         /* the address, or the place in the object */
};

struct futex_bucket {
    struct spinlock lock;     /* class FUTEX */
    struct list_head waiters; /* lock */
};

struct futex_waiter {
    struct list_head link;       /* bucket->lock */
    struct futex_bucket *bucket; /* changed with the locks of both buckets held */
    struct futex_key key;        /* bucket->lock */
    u32 bitset;                  /* constant */
    bool woken;                  /* bucket->lock; also read without */
    struct waitq *woken_queue;   /* constant; the waiter sleeps here: */
    struct waitq own_queue;      /*   unless it stands in several queues at once */
    u32 pi_tid;                  /* constant; of FUTEX_LOCK_PI: who waits; else 0 */
    u32 pi_owner;                /* bucket->lock; whom it waits for */
    u32 pi_priority;             /* constant */
    bool pi_chosen; /* bucket->lock; it will be woken with the word, or with an error: */
    int pi_result;  /* bucket->lock */
};

void futex_table_init(void);
int futex_key_get(u32 __user *word, bool is_private, struct futex_key *key);
struct futex_bucket *futex_bucket(const struct futex_key *key);
void futex_enqueue(struct futex_waiter *waiter, const struct futex_key *key, u32 bitset);
/* For one of several waiters of a thread, which all wake the same queue. */
void futex_enqueue_for(struct futex_waiter *waiter, const struct futex_key *key, u32 bitset,
                       struct waitq *queue);
/* True when it was woken before it was taken out. */
bool futex_dequeue(struct futex_waiter *waiter);
/* Sleeps until woken: 0, -ETIMEDOUT, -EINTR. */
int futex_sleep(struct futex_waiter *waiter, ktime deadline);
/* Only of waiters that are not of FUTEX_LOCK_PI, as is the next. */
int futex_wake_key(const struct futex_key *key, int n, u32 bitset);
int futex_requeue_key(const struct futex_key *from, const struct futex_key *to, int n_wake,
                      int n_move);

/* --- priority inheritance: queues --- */

void futex_enqueue_pi(struct futex_waiter *waiter, const struct futex_key *key, u32 tid);
/* Takes the first of the highest priority out of the queue; it cannot go away before it is settled. */
struct futex_waiter *futex_choose_pi(const struct futex_key *key);
void futex_settle_pi(struct futex_waiter *waiter, int result);
void futex_wake_pi_of(u32 owner); /* wakes all that wait for this thread, without the word */

/* --- futex_pi.c: operations --- */

int futex_pi_lock(u32 __user *word, bool is_private, ktime deadline);
int futex_pi_trylock(u32 __user *word);
int futex_pi_unlock(u32 __user *word, bool is_private);
void futex_pi_owner_gone(struct task *task);

#endif
