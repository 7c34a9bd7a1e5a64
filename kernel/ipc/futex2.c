/*
 * kernel/ipc/futex2.c: futex_waitv(2), and futex_wait, futex_wake and futex_requeue, which say what FUTEX_WAIT and its
 * kin say in clearer words. Words of 32 bits, as on Linux.
 */
#include "abi/newer.h"
#include "base/errno.h"
#include "ipc/futex_internal.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "syscall_proto.h"
#include "time/time.h"

#include <linux/futex.h>

#define FLAGS_KNOWN (FUTEX2_SIZE_MASK | FUTEX2_PRIVATE)

/* What a thread waits for in one call. */
struct multi_wait {
    struct waitq queue; /* all waiters wake this one */
    u32 count;
    struct multi_word {
        struct futex_waiter waiter;
        struct futex_key key;
        u32 __user *word;
        u32 value, bitset;
    } words[];
};

static bool word_valid(u32 flags, u64 value)
{
    return !(flags & ~(u32)FLAGS_KNOWN) && (flags & FUTEX2_SIZE_MASK) == FUTEX2_SIZE_U32 &&
           value <= UINT32_MAX;
}

static int deadline_of(const struct timespec __user *timeout, clockid_t clock, ktime *deadline)
{
    struct timespec ts;

    *deadline = KTIME_FOREVER;
    if (!timeout)
        return 0;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return -EINVAL;
    if (copy_from_user(&ts, timeout, sizeof(ts)))
        return -EFAULT;
    if (!timespec_valid(&ts))
        return -EINVAL;
    *deadline = time_deadline(clock, ts.tv_sec, ts.tv_nsec);
    return 0;
}

static struct multi_wait *multi_create(u32 count)
{
    struct multi_wait *multi = kzalloc(sizeof(*multi) + count * sizeof(multi->words[0]));

    if (multi)
        waitq_init(&multi->queue, "futex");
    return multi;
}

static int multi_add(struct multi_wait *multi, u32 __user *word, u32 flags, u64 value, u64 bitset)
{
    struct multi_word *w = &multi->words[multi->count];

    if (!word_valid(flags, value) || !word_valid(flags, bitset) || !bitset)
        return -EINVAL;
    w->word = word;
    w->value = (u32)value;
    w->bitset = (u32)bitset;
    multi->count++;
    return futex_key_get(word, flags & FUTEX2_PRIVATE, &w->key);
}

/* Leaves the first n queues. The index of a waiter that was woken, or -1; other wake-ups are handed on. */
static int multi_leave(struct multi_wait *multi, u32 n)
{
    int index = -1;

    for (u32 i = 0; i < n; i++) {
        struct multi_word *w = &multi->words[i];

        if (!futex_dequeue(&w->waiter))
            continue;
        if (index >= 0)
            futex_wake_key(&w->key, 1, w->bitset);
        else
            index = (int)i;
    }
    return index;
}

static bool any_woken(const struct multi_wait *multi)
{
    for (u32 i = 0; i < multi->count; i++) {
        if (READ_ONCE(multi->words[i].waiter.woken))
            return true;
    }
    return false;
}

static int multi_sleep(struct multi_wait *multi, ktime deadline)
{
    struct waitq_entry entry;
    int err = 0;

    while (!err && !any_woken(multi)) {
        waitq_entry_init(&entry, NULL, 0);
        wait_prepare(&multi->queue, &entry);
        if (!any_woken(multi))
            err = wait_sleep(WAIT_INTERRUPTIBLE, deadline);
        wait_finish(&entry);
    }
    return err;
}

/* As with one word: each waiter stands in its queue before the word is read. The index, or an error. */
static long multi_wait(struct multi_wait *multi, ktime deadline)
{
    u32 queued = 0, seen;
    int err = 0, index;

    while (!err && queued < multi->count) {
        struct multi_word *w = &multi->words[queued++];

        futex_enqueue_for(&w->waiter, &w->key, w->bitset, &multi->queue);
        err = get_user(seen, w->word);
        if (!err && seen != w->value)
            err = -EAGAIN;
    }
    if (!err)
        err = multi_sleep(multi, deadline);
    index = multi_leave(multi, queued);
    if (index >= 0)
        return index;
    return err == -EINTR ? -ERESTARTSYS : err;
}

long sys_futex_waitv(const struct futex_waitv __user *waiters, u32 count, u32 flags,
                     const struct timespec __user *timeout, clockid_t clock)
{
    struct multi_wait *multi;
    struct futex_waitv one;
    ktime deadline;
    long result;

    if (flags || !count || count > FUTEX_WAITV_MAX || !waiters)
        return -EINVAL;
    result = deadline_of(timeout, clock, &deadline);
    if (result)
        return result;
    multi = multi_create(count);
    if (!multi)
        return -ENOMEM;
    for (u32 i = 0; i < count && !result; i++) {
        if (copy_from_user(&one, &waiters[i], sizeof(one)))
            result = -EFAULT;
        else if (one.__reserved)
            result = -EINVAL;
        else
            result = multi_add(multi, (u32 __user *)one.uaddr, one.flags, one.val,
                               FUTEX_BITSET_MATCH_ANY);
    }
    if (!result)
        result = multi_wait(multi, deadline);
    kfree(multi);
    return result;
}

long sys_futex_wait(const u32 __user *word, unsigned long value, unsigned long mask, u32 flags,
                    const struct timespec __user *timeout, clockid_t clock)
{
    struct multi_wait *multi;
    ktime deadline;
    long result;

    if (!word_valid(flags, value) || !word_valid(flags, mask) || !mask)
        return -EINVAL;
    result = deadline_of(timeout, clock, &deadline);
    if (result)
        return result;
    multi = multi_create(1);
    if (!multi)
        return -ENOMEM;
    result = multi_add(multi, (u32 __user *)word, flags, value, mask);
    if (!result)
        result = multi_wait(multi, deadline);
    kfree(multi);
    return result;
}

long sys_futex_wake(u32 __user *word, unsigned long mask, int n, u32 flags)
{
    if (!word_valid(flags, mask) || !mask)
        return -EINVAL;
    return futex_wake(word, flags & FUTEX2_PRIVATE, n, (u32)mask);
}

long sys_futex_requeue(const struct futex_waitv __user *waiters, u32 flags, int n_wake, int n_move)
{
    struct futex_waitv pair[2];
    struct futex_key keys[2];
    u32 seen;
    int err = 0;

    if (flags || !waiters)
        return -EINVAL;
    if (copy_from_user(pair, waiters, sizeof(pair)))
        return -EFAULT;
    for (int i = 0; i < 2; i++) {
        if (pair[i].__reserved || !word_valid(pair[i].flags, pair[i].val))
            return -EINVAL;
    }
    if (n_wake < 0 || n_move < 0)
        return -EINVAL;
    for (int i = 0; i < 2 && !err; i++)
        err = futex_key_get((u32 __user *)pair[i].uaddr, pair[i].flags & FUTEX2_PRIVATE, &keys[i]);
    if (err)
        return err;
    if (get_user(seen, (u32 __user *)pair[0].uaddr))
        return -EFAULT;
    if (seen != pair[0].val)
        return -EAGAIN;
    return futex_requeue_key(&keys[0], &keys[1], n_wake, n_move);
}
