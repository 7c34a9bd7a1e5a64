/* kernel/ipc/futex.c: who waits on which word; see futex(7). Nothing here looks at the words themselves. */
#include "base/errno.h"
#include "base/hash.h"
#include "ipc/futex_internal.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "task/task.h"

#define BUCKETS 256 /* a power of two */

static struct {
    struct futex_bucket buckets[BUCKETS];
} futexes;

void futex_table_init(void)
{
    for (int i = 0; i < BUCKETS; i++) {
        spin_init(&futexes.buckets[i].lock, FUTEX);
        list_init(&futexes.buckets[i].waiters);
    }
}

/* --- keys ------------------------------------------------------------------------------------------------ */

int futex_key_get(u32 __user *word, bool is_private, struct futex_key *key)
{
    struct mm *mm = self()->mm;
    u64 addr = (u64)word;
    struct vma *vma;

    if (addr % sizeof(u32))
        return -EINVAL;
    if (!user_range_ok(word, sizeof(u32)))
        return -EFAULT;
    key->object = mm;
    key->offset = addr;
    if (is_private)
        return 0;
    mm_lock(mm);
    vma = vma_find(mm, addr);
    if (vma && (vma->flags & VM_SHARED) && vma->at.kind == VMA_MEMOBJ) {
        key->object = vma->at.obj;
        key->offset = vma->at.offset + (addr - vma->start);
    }
    mm_unlock(mm);
    return vma ? 0 : -EFAULT;
}

static bool key_equal(const struct futex_key *a, const struct futex_key *b)
{
    return a->object == b->object && a->offset == b->offset;
}

struct futex_bucket *futex_bucket(const struct futex_key *key)
{
    u64 hash = hash_u64((u64)key->object ^ hash_u64(key->offset));

    return &futexes.buckets[hash % BUCKETS];
}

/* --- waiters ------------------------------------------------------------------------------------------------ */

static void enqueue(struct futex_waiter *waiter, const struct futex_key *key, u32 bitset,
                    struct waitq *queue)
{
    waiter->key = *key;
    waiter->bitset = bitset;
    waiter->woken = false;
    waiter->bucket = futex_bucket(key);
    waitq_init(&waiter->own_queue, "futex");
    waiter->woken_queue = queue ? queue : &waiter->own_queue;
    spin_lock(&waiter->bucket->lock);
    list_add_tail(&waiter->link, &waiter->bucket->waiters);
    spin_unlock(&waiter->bucket->lock);
}

void futex_enqueue(struct futex_waiter *waiter, const struct futex_key *key, u32 bitset)
{
    futex_enqueue_for(waiter, key, bitset, NULL);
}

void futex_enqueue_for(struct futex_waiter *waiter, const struct futex_key *key, u32 bitset,
                       struct waitq *queue)
{
    waiter->pi_tid = 0;
    enqueue(waiter, key, bitset, queue);
}

void futex_enqueue_pi(struct futex_waiter *waiter, const struct futex_key *key, u32 tid)
{
    waiter->pi_tid = tid;
    waiter->pi_owner = 0;
    waiter->pi_priority = READ_ONCE(task_self()->sched.priority);
    waiter->pi_chosen = false;
    waiter->pi_result = 0;
    enqueue(waiter, key, 0, NULL);
}

/* The bucket of a waiter changes when it is requeued. */
static struct futex_bucket *waiter_lock(struct futex_waiter *waiter)
{
    for (;;) {
        struct futex_bucket *bucket = READ_ONCE(waiter->bucket);

        spin_lock(&bucket->lock);
        if (bucket == READ_ONCE(waiter->bucket))
            return bucket;
        spin_unlock(&bucket->lock);
    }
}

bool futex_dequeue(struct futex_waiter *waiter)
{
    struct futex_bucket *bucket = waiter_lock(waiter);
    bool woken = waiter->woken;

    if (!woken)
        list_del(&waiter->link);
    spin_unlock(&bucket->lock);
    return woken;
}

int futex_sleep(struct futex_waiter *waiter, ktime deadline)
{
    struct waitq_entry entry;
    int err = 0;

    while (!err && !READ_ONCE(waiter->woken)) {
        waitq_entry_init(&entry, NULL, 0);
        wait_prepare(waiter->woken_queue, &entry);
        if (!READ_ONCE(waiter->woken))
            err = wait_sleep(WAIT_INTERRUPTIBLE, deadline);
        wait_finish(&entry);
    }
    return err;
}

/* The waiter cannot go away meanwhile: it has to take the bucket's lock first. */
static void waiter_wake(struct futex_waiter *waiter)
{
    list_del(&waiter->link);
    WRITE_ONCE(waiter->woken, true);
    waitq_wake(waiter->woken_queue, 0);
}

int futex_wake_key(const struct futex_key *key, int n, u32 bitset)
{
    struct futex_bucket *bucket = futex_bucket(key);
    struct futex_waiter *waiter, *next;
    int woken = 0;

    spin_lock(&bucket->lock);
    list_for_each_entry_safe(waiter, next, &bucket->waiters, link) {
        if (woken >= n)
            break;
        if (!key_equal(&waiter->key, key) || !(waiter->bitset & bitset))
            continue;
        waiter_wake(waiter);
        woken++;
    }
    spin_unlock(&bucket->lock);
    return woken;
}

static void lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
    struct futex_bucket *first = a < b ? a : b, *second = a < b ? b : a;

    spin_lock(&first->lock);
    if (first != second)
        spin_lock_nested(&second->lock);
}

static void unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
    spin_unlock(&a->lock);
    if (a != b)
        spin_unlock(&b->lock);
}

int futex_requeue_key(const struct futex_key *from, const struct futex_key *to, int n_wake,
                      int n_move)
{
    struct futex_bucket *source = futex_bucket(from), *target = futex_bucket(to);
    struct futex_waiter *waiter, *next;
    int done = 0;

    lock_two(source, target);
    list_for_each_entry_safe(waiter, next, &source->waiters, link) {
        if (!key_equal(&waiter->key, from) || waiter->pi_tid)
            continue;
        if (done - n_wake >= n_move)
            break;
        if (done < n_wake) {
            waiter_wake(waiter);
        } else {
            list_move_tail(&waiter->link, &target->waiters);
            waiter->key = *to;
            WRITE_ONCE(waiter->bucket, target);
        }
        done++;
    }
    unlock_two(source, target);
    return done;
}

/* --- priority inheritance --------------------------------------------------------------------------------- */

struct futex_waiter *futex_choose_pi(const struct futex_key *key)
{
    struct futex_bucket *bucket = futex_bucket(key);
    struct futex_waiter *waiter, *best = NULL;

    spin_lock(&bucket->lock);
    list_for_each_entry(waiter, &bucket->waiters, link) {
        if (waiter->pi_tid && key_equal(&waiter->key, key) &&
            (!best || waiter->pi_priority > best->pi_priority))
            best = waiter;
    }
    if (best) {
        list_del(&best->link);
        best->pi_chosen = true;
    }
    spin_unlock(&bucket->lock);
    return best;
}

void futex_settle_pi(struct futex_waiter *waiter, int result)
{
    struct futex_bucket *bucket = waiter->bucket;

    spin_lock(&bucket->lock);
    waiter->pi_result = result;
    WRITE_ONCE(waiter->woken, true);
    waitq_wake(waiter->woken_queue, 0);
    spin_unlock(&bucket->lock);
}

void futex_wake_pi_of(u32 owner)
{
    struct futex_waiter *waiter, *next;

    for (int i = 0; i < BUCKETS; i++) {
        struct futex_bucket *bucket = &futexes.buckets[i];

        spin_lock(&bucket->lock);
        list_for_each_entry_safe(waiter, next, &bucket->waiters, link) {
            if (waiter->pi_tid && waiter->pi_owner == owner)
                waiter_wake(waiter);
        }
        spin_unlock(&bucket->lock);
    }
}

int futex_wake(u32 __user *word, bool is_private, int n, u32 bitset)
{
    struct futex_key key;
    int err = futex_key_get(word, is_private, &key);

    return err ? err : futex_wake_key(&key, n, bitset);
}
