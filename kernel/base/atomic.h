/*
 * kernel/base/atomic.h: atomic access to plain integers and pointers, by type-generic macros.
 *
 * Without a suffix an operation is sequentially consistent. Words that are shared with the program
 * (futexes) are not for these: see mm/uaccess.h.
 */
#ifndef BASE_ATOMIC_H
#define BASE_ATOMIC_H

#define atomic_load(p)             __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define atomic_load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_load_relaxed(p)     __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_store(p, v)         __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define atomic_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define atomic_store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

/* The value before the operation. */
#define atomic_fetch_add(p, v) __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub(p, v) __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_or(p, v)  __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, v) __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define atomic_xchg(p, v)      __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

/* The value after the operation. */
#define atomic_add_return(p, v) __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_sub_return(p, v) __atomic_sub_fetch(p, v, __ATOMIC_SEQ_CST)

/* Statements: nobody looks at the value. */
#define atomic_add(p, v) ((void)atomic_fetch_add(p, v))
#define atomic_sub(p, v) ((void)atomic_fetch_sub(p, v))
#define atomic_or(p, v)  ((void)atomic_fetch_or(p, v))
#define atomic_and(p, v) ((void)atomic_fetch_and(p, v))

/* True when *p was *old and is now new; else *old becomes what *p is. Never fails without cause. */
#define atomic_try_cmpxchg(p, old, new)                                                            \
    __atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* The value that *p had: equal to old when the exchange was made. */
#define atomic_cmpxchg(p, old, new)                                                                \
    ({                                                                                             \
        __typeof__(*(p)) seen_ = (old);                                                            \
        (void)atomic_try_cmpxchg(p, &seen_, new);                                                  \
        seen_;                                                                                     \
    })

#define atomic_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* For the compiler only. */
#define barrier() __asm__ volatile("" : : : "memory")

/* In the body of a loop that spins on a word. */
static inline void cpu_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}

#endif
