/*
 * kernel/ipc/futex_pi.c: FUTEX_LOCK_PI and its kin, futex(2), "Priority-inheritance futexes". The word names its
 * owner, and the kernel hands it to the waiter of the highest priority. The host schedules, so nothing is lent to the
 * owner meanwhile.
 *
 * Words are changed without a lock, so each party stands where the other sees it before it looks itself: who waits is
 * in the queue before it marks the word, and who unlocks chooses from the queue before it changes the word.
 */
#include "base/errno.h"
#include "ipc/futex_internal.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/signal.h"
#include "task/task.h"

#include <linux/futex.h>

static u32
    pi_waiting; /* atomic: waiters in all queues, so that a thread can end without a look at them */

static u32 own_tid(void)
{
    return (u32)task_self()->tid;
}

static bool owner_is_alive(u32 tid)
{
    AUTO(task_put) struct task *task = task_lookup((pid_t)tid);

    return task && !__atomic_load_n(&task->left_futexes, __ATOMIC_SEQ_CST);
}

/*
 * After a word was changed between two looks at it. Another process may go on with that for as long as it likes, so
 * whoever looks again first sees to the signals.
 */
static int look_again(void)
{
    return signal_pending(false) ? -ERESTARTNOINTR : 0;
}

/* --- taking a word ------------------------------------------------------------------------------------------ */

enum pi_state { PI_TAKEN, PI_OWNED, PI_CHANGED };

/*
 * One attempt at a word that was seen as value. dead: its owner ended while the caller waited. PI_OWNED: somebody
 * else has it. An error: -EFAULT, -EDEADLK.
 */
static int word_take(u32 __user *word, u32 value, bool dead)
{
    u32 owner = value & FUTEX_TID_MASK, seen;
    u32 wanted = (value & ~(u32)FUTEX_TID_MASK) | own_tid();

    if (owner == own_tid())
        return -EDEADLK;
    if (owner && !dead)
        return PI_OWNED;
    if (owner)
        wanted |= FUTEX_OWNER_DIED;
    if (user_cmpxchg(word, value, wanted, &seen))
        return -EFAULT;
    return seen == value ? PI_TAKEN : PI_CHANGED;
}

int futex_pi_trylock(u32 __user *word)
{
    u32 value;
    int state, err;

    if ((u64)word % sizeof(u32))
        return -EINVAL;
    do {
        if (get_user(value, word))
            return -EFAULT;
        state = word_take(word, value, false);
        err = state == PI_CHANGED ? look_again() : 0;
    } while (state == PI_CHANGED && !err);
    if (err || state != PI_OWNED)
        return err ? err : state;
    return owner_is_alive(value & FUTEX_TID_MASK) ? -EAGAIN : -ESRCH;
}

/* --- waiting ------------------------------------------------------------------------------------------------ */

/* The owner ends no earlier than it is named here, or it is found dead: see futex_pi_owner_gone(). */
static int owner_watch(struct futex_waiter *waiter, u32 owner)
{
    spin_lock(&waiter->bucket->lock);
    waiter->pi_owner = owner;
    spin_unlock(&waiter->bucket->lock);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return owner_is_alive(owner) ? 0 : -ESRCH;
}

/* In the queue: takes the word or marks it. PI_OWNED: marked, so the owner will choose a waiter. */
static int word_contend(struct futex_waiter *waiter, u32 __user *word, bool dead)
{
    u32 value, seen;
    int state, err = 0;

    for (;; err = look_again()) {
        if (err)
            return err;
        if (get_user(value, word))
            return -EFAULT;
        state = word_take(word, value, dead);
        if (state == PI_TAKEN || state < 0)
            return state;
        if (state == PI_CHANGED)
            continue;
        err = owner_watch(waiter, value & FUTEX_TID_MASK);
        if (err)
            return err;
        if (user_cmpxchg(word, value, value | FUTEX_WAITERS, &seen))
            return -EFAULT;
        if (seen == value)
            return PI_OWNED;
    }
}

/* Out of the queue: true when it was chosen; then the word is the caller's once that is written, or result says why not. */
static bool pi_dequeue(struct futex_waiter *waiter)
{
    struct futex_bucket *bucket = waiter->bucket;
    bool chosen;

    spin_lock(&bucket->lock);
    chosen = waiter->pi_chosen;
    if (!chosen && !waiter->woken)
        list_del(&waiter->link);
    if (chosen)
        wait_event_kind(waiter->woken_queue, &bucket->lock, waiter->woken, WAIT_UNINTERRUPTIBLE,
                        KTIME_FOREVER);
    spin_unlock(&bucket->lock);
    return chosen;
}

/* PI_CHANGED: the owner has ended; once more. */
static int lock_attempt(u32 __user *word, const struct futex_key *key, bool *dead, ktime deadline)
{
    struct futex_waiter waiter;
    int state;

    futex_enqueue_pi(&waiter, key, own_tid());
    state = word_contend(&waiter, word, *dead);
    if (state == PI_OWNED)
        state = futex_sleep(&waiter, deadline);
    else if (state == PI_TAKEN)
        state = 0;
    if (pi_dequeue(&waiter))
        return waiter.pi_result;
    *dead = waiter.woken; /* not chosen, but woken: nobody is left to choose */
    return waiter.woken ? PI_CHANGED : state;
}

int futex_pi_lock(u32 __user *word, bool is_private, ktime deadline)
{
    struct futex_key key;
    bool dead = false;
    u32 value;
    int err = futex_key_get(word, is_private, &key);

    if (!err && get_user(value, word))
        err = -EFAULT;
    if (!err && (value & FUTEX_TID_MASK) == own_tid())
        err = -EDEADLK;
    if (err)
        return err;
    __atomic_add_fetch(&pi_waiting, 1, __ATOMIC_SEQ_CST);
    do {
        err = lock_attempt(word, &key, &dead, deadline);
    } while (err == PI_CHANGED);
    __atomic_sub_fetch(&pi_waiting, 1, __ATOMIC_SEQ_CST);
    return err == -EINTR ? -ERESTARTNOINTR : err;
}

/* --- unlocking ------------------------------------------------------------------------------------------------ */

/* Gives the word away, or frees it. -EAGAIN: it was changed meanwhile. */
static int word_give(u32 __user *word, u32 value, u32 to)
{
    u32 seen;

    if (user_cmpxchg(word, value, to, &seen))
        return -EFAULT;
    return seen == value ? 0 : -EAGAIN;
}

/* To the chosen waiter; others may set the mark meanwhile, the owner nobody. */
static int word_hand_over(u32 __user *word, u32 value, u32 tid)
{
    bool again;
    int err;

    do {
        if (get_user(value, word))
            return -EFAULT;
        if ((value & FUTEX_TID_MASK) != own_tid())
            return -EINVAL;
        err = word_give(word, value, tid | FUTEX_WAITERS);
        again = err == -EAGAIN;
        if (again)
            err = look_again();
    } while (again && !err);
    return err;
}

int futex_pi_unlock(u32 __user *word, bool is_private)
{
    struct futex_key key;
    struct futex_waiter *waiter;
    u32 value;
    int err = futex_key_get(word, is_private, &key);

    while (!err) {
        if (get_user(value, word))
            return -EFAULT;
        if ((value & FUTEX_TID_MASK) != own_tid())
            return -EPERM;
        waiter = futex_choose_pi(&key);
        if (waiter) {
            err = word_hand_over(word, value, waiter->pi_tid);
            futex_settle_pi(waiter,
                            err == -ERESTARTNOINTR ? -EAGAIN : err); /* the signal is ours */
            return err;
        }
        err = word_give(word, value, 0);
        if (!err)
            return 0;
        if (err == -EAGAIN)
            err = look_again(); /* somebody came to wait */
    }
    return err;
}

/* A thread ends: whoever waits for a word of its own finds it dead. */
void futex_pi_owner_gone(struct task *task)
{
    __atomic_store_n(&task->left_futexes, true, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&pi_waiting, __ATOMIC_SEQ_CST))
        futex_wake_pi_of((u32)task->tid);
}
