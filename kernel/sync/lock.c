/*
 * kernel/sync/lock.c: spin locks and mutexes: a futex word that is 0 when free, 1 when held, 2 when held and
 * somebody sleeps. (U. Drepper, "Futexes Are Tricky", describes the three states.)
 */
#include "log/log.h"
#include "host/wait.h"
#include "self/self.h"
#include "sync/internal.h"
#include "sync/sync.h"

#define SPINS 100 /* about a microsecond: longer than any section that is not preempted */

static bool lock_try(u32 *word)
{
    u32 free = 0;

    return __atomic_compare_exchange_n(word, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void lock_slow(struct spinlock *lock)
{
    for (int i = 0; i < SPINS; i++) {
        if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0 && lock_try(&lock->word))
            return;
        __builtin_ia32_pause();
    }
    waiting_begin(lock, lock_class_name(lock->lock_class));
    while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
        host_wait(&lock->word, 2, KTIME_FOREVER);
    waiting_end();
}

static void lock_take(struct spinlock *lock, const void *where, bool nested)
{
    held_check(lock, lock->lock_class, nested);
    if (unlikely(!lock_try(&lock->word)))
        lock_slow(lock);
    held_push(lock, lock->lock_class, where);
}

static void lock_drop(struct spinlock *lock)
{
    held_pop(lock);
    if (__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2)
        host_wake(&lock->word, 1);
}

void spin_lock(struct spinlock *lock)
{
    lock_take(lock, __builtin_return_address(0), false);
}

void spin_lock_nested(struct spinlock *lock)
{
    lock_take(lock, __builtin_return_address(0), true);
}

bool spin_trylock(struct spinlock *lock)
{
    if (!lock_try(&lock->word))
        return false;
    held_push(lock, lock->lock_class, __builtin_return_address(0));
    return true;
}

void spin_unlock(struct spinlock *lock)
{
    lock_drop(lock);
}

void mutex_lock(struct mutex *m)
{
    lock_take(&m->lock, __builtin_return_address(0), false);
}

void mutex_lock_nested(struct mutex *m)
{
    lock_take(&m->lock, __builtin_return_address(0), true);
}

bool mutex_trylock(struct mutex *m)
{
    return spin_trylock(&m->lock);
}

void mutex_unlock(struct mutex *m)
{
    lock_drop(&m->lock);
}

/* --- readers and writers ---------------------------------------------------------------------------- */

#define RW_WRITER 0x80000000U

void read_lock(struct rwlock *rw)
{
    held_check(rw, rw->lock_class, false);
    for (;;) {
        u32 state = __atomic_load_n(&rw->state, __ATOMIC_RELAXED);

        if (!(state & RW_WRITER) && !__atomic_load_n(&rw->writers, __ATOMIC_RELAXED)) {
            if (__atomic_compare_exchange_n(&rw->state, &state, state + 1, true, __ATOMIC_ACQUIRE,
                                            __ATOMIC_RELAXED))
                break;
            continue;
        }
        waiting_begin(rw, lock_class_name(rw->lock_class));
        if (state & RW_WRITER)
            host_wait(&rw->state, state, KTIME_FOREVER);
        else
            __builtin_ia32_pause(); /* a writer is about to take or to leave it */
        waiting_end();
    }
    held_push(rw, rw->lock_class, __builtin_return_address(0));
}

void read_unlock(struct rwlock *rw)
{
    held_pop(rw);
    if (__atomic_sub_fetch(&rw->state, 1, __ATOMIC_RELEASE) == 0 &&
        __atomic_load_n(&rw->writers, __ATOMIC_SEQ_CST))
        host_wake(&rw->state, INT32_MAX);
}

void write_lock(struct rwlock *rw)
{
    held_check(rw, rw->lock_class, false);
    __atomic_fetch_add(&rw->writers, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        u32 state = 0;

        if (__atomic_compare_exchange_n(&rw->state, &state, RW_WRITER, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            break;
        waiting_begin(rw, lock_class_name(rw->lock_class));
        host_wait(&rw->state, state, KTIME_FOREVER);
        waiting_end();
    }
    held_push(rw, rw->lock_class, __builtin_return_address(0));
}

void write_unlock(struct rwlock *rw)
{
    held_pop(rw);
    __atomic_fetch_sub(&rw->writers, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&rw->state, 0, __ATOMIC_SEQ_CST);
    host_wake(&rw->state, INT32_MAX);
}
