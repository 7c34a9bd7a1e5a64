/* kernel/ipc/futex_internal.h: the table of waiters, between futex.c (queues) and futex_calls.c (operations). */
#ifndef IPC_FUTEX_INTERNAL_H
#define IPC_FUTEX_INTERNAL_H

#include "base/list.h"
#include "ipc/futex.h"
#include "sync/waitq.h"

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
    struct waitq woken_queue;    /* the waiter sleeps here */
};

void futex_table_init(void);
int futex_key_get(u32 __user *word, bool is_private, struct futex_key *key);
struct futex_bucket *futex_bucket(const struct futex_key *key);
void futex_enqueue(struct futex_waiter *waiter, const struct futex_key *key, u32 bitset);
/* True when it was woken before it was taken out. */
bool futex_dequeue(struct futex_waiter *waiter);
/* Sleeps until woken: 0, -ETIMEDOUT, -EINTR. */
int futex_sleep(struct futex_waiter *waiter, ktime deadline);
int futex_wake_key(const struct futex_key *key, int n, u32 bitset);
int futex_requeue_key(const struct futex_key *from, const struct futex_key *to, int n_wake, int n_move);

#endif
