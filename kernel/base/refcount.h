/*
 * kernel/base/refcount.h: reference counts that saturate.
 *
 * A count that was driven past its range, or used after it reached zero, sticks at a value from
 * which the object is never released: a leak, where wrapping would be a use after free.
 */
#ifndef BASE_REFCOUNT_H
#define BASE_REFCOUNT_H

#include "base/atomic.h"
#include "base/types.h"

#define REFCOUNT_MAX 0x7fffffffU
/* Far from both ends, so that racing gets and puts cannot leave the saturated half. */
#define REFCOUNT_SATURATED 0xc0000000U

struct refcount {
    u32 count; /* atomic */
};

#define REFCOUNT_INIT(n)                                                                           \
    {                                                                                              \
        .count = (n)                                                                               \
    }

static inline void refcount_init(struct refcount *ref, u32 count)
{
    atomic_store_relaxed(&ref->count, count);
}

/* For messages and checks; other threads may change it at any time. */
static inline u32 refcount_read(const struct refcount *ref)
{
    return atomic_load_relaxed(&ref->count);
}

/* The caller holds a reference already, so nothing needs to be ordered. */
static inline void refcount_get(struct refcount *ref)
{
    u32 old = __atomic_fetch_add(&ref->count, 1, __ATOMIC_RELAXED);

    if (unlikely(old == 0 || old >= REFCOUNT_MAX))
        atomic_store_relaxed(&ref->count, REFCOUNT_SATURATED);
}

/* For look-ups that find the object by a pointer that holds no reference: false if it is dying. */
static inline bool __must_check refcount_get_unless_zero(struct refcount *ref)
{
    u32 old = atomic_load_relaxed(&ref->count);

    do {
        if (old == 0)
            return false;
        if (unlikely(old >= REFCOUNT_MAX)) {
            atomic_store_relaxed(&ref->count, REFCOUNT_SATURATED);
            return true;
        }
    } while (!atomic_try_cmpxchg(&ref->count, &old, old + 1));
    return true;
}

/*
 * True for the last reference: the caller then releases the object, and sees all that was written
 * to it by those who put theirs before.
 */
static inline bool __must_check refcount_put(struct refcount *ref)
{
    u32 old = __atomic_fetch_sub(&ref->count, 1, __ATOMIC_ACQ_REL);

    if (old == 1)
        return true;
    if (unlikely(old == 0 || old > REFCOUNT_MAX))
        atomic_store_relaxed(&ref->count, REFCOUNT_SATURATED);
    return false;
}

#endif
