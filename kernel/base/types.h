/* kernel/base/types.h: integer and ABI types, and the few macros that every room uses. */
#ifndef BASE_TYPES_H
#define BASE_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asm/types.h>
#include <linux/posix_types.h>

/* The kernel's integers are those of the UAPI headers, so that u64 * and __u64 * are one type. */
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

/* In a hosted build (unit tests) libc has its own names for these; they have the same size. */
#if __STDC_HOSTED__
#include <sys/types.h>
#else
typedef __kernel_ssize_t ssize_t;
typedef __kernel_loff_t loff_t;
typedef __kernel_pid_t pid_t;
typedef __kernel_uid32_t uid_t;
typedef __kernel_gid32_t gid_t;
typedef __kernel_mode_t mode_t;
typedef __kernel_clockid_t clockid_t;
typedef u64 dev_t;
typedef u64 ino_t;
#endif
typedef mode_t umode;

typedef s64 ktime; /* nanoseconds */

#define NSEC_PER_USEC 1000LL
#define NSEC_PER_MSEC 1000000LL
#define NSEC_PER_SEC  1000000000LL
#define USEC_PER_SEC  1000000LL
#define KTIME_MAX     INT64_MAX

/* A pointer into the program: `make lint` builds with clang so that a dereference is an error. */
#if defined(__CHECK_USER__) && defined(__clang__)
#define __user __attribute__((noderef, address_space(1)))
#else
#define __user
#endif

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define __must_check   __attribute__((warn_unused_result))
#define __maybe_unused __attribute__((unused))
#define __noreturn     __attribute__((noreturn))
#define __packed       __attribute__((packed))
#define __aligned(n)   __attribute__((aligned(n)))
#define __cold         __attribute__((cold))
#define __noinline     __attribute__((noinline))
/* fmt and first are argument positions, counted from one; first is 0 for a va_list. */
#define __printf(fmt, first) __attribute__((format(printf, fmt, first)))
#define fallthrough          __attribute__((fallthrough))

#ifndef static_assert
#define static_assert _Static_assert
#endif

#define CONCAT_(a, b)  a##b
#define CONCAT(a, b)   CONCAT_(a, b)
#define UNIQUE(prefix) CONCAT(prefix, __COUNTER__)

/* Refuses pointers: an array is never of the type of the address of its first element. */
#define ARRAY_SIZE(a)                                                                              \
    (sizeof(a) / sizeof((a)[0]) +                                                                  \
     0 * sizeof(struct {                                                                           \
         int must_be_array : __builtin_types_compatible_p(__typeof__(a), __typeof__(&(a)[0])) ? -1 \
                                                                                              : 1; \
     }))

/* The branch that is never taken makes the compiler check that ptr points to such a member. */
#define container_of(ptr, type, member)                                                            \
    ((type *)((char *)(1 ? (ptr) : &((type *)NULL)->member) - offsetof(type, member)))

#define sizeof_field(type, member) sizeof(((type *)NULL)->member)

#define MIN_(a, b, x, y)                                                                           \
    ({                                                                                             \
        __typeof__(a) x = (a);                                                                     \
        __typeof__(b) y = (b);                                                                     \
        x < y ? x : y;                                                                             \
    })
#define MAX_(a, b, x, y)                                                                           \
    ({                                                                                             \
        __typeof__(a) x = (a);                                                                     \
        __typeof__(b) y = (b);                                                                     \
        x > y ? x : y;                                                                             \
    })
#define MIN(a, b) MIN_(a, b, UNIQUE(min_), UNIQUE(min_))
#define MAX(a, b) MAX_(a, b, UNIQUE(max_), UNIQUE(max_))

/* a is a power of two; ALIGN_UP wraps to zero at the top of the type's range. */
#define ALIGN_DOWN(x, a)   ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a)     ALIGN_DOWN((x) + ((__typeof__(x))(a)-1), a)
#define IS_ALIGNED(x, a)   (((x) & ((__typeof__(x))(a)-1)) == 0)
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define IS_POW2(x)         ((x) != 0 && ((x) & ((x)-1)) == 0)
#define BIT(n)             (1UL << (n))

/* Size arithmetic: true when the mathematical result does not fit *r. */
#define add_overflow(a, b, r) __builtin_add_overflow(a, b, r)
#define sub_overflow(a, b, r) __builtin_sub_overflow(a, b, r)
#define mul_overflow(a, b, r) __builtin_mul_overflow(a, b, r)

/* Of two that are not negative: what is too long for the type is its longest. The host tells times, and may lie. */
static inline ktime ktime_add(ktime a, ktime b)
{
    ktime sum;

    return add_overflow(a, b, &sum) ? KTIME_MAX : sum;
}

/* One load or store that the compiler neither repeats, splits, nor leaves out. */
#ifndef __SANITIZE_THREAD__
#define READ_ONCE(x)     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#else /* which takes only these for what is meant to race */
#define READ_ONCE(x)     __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#endif

/* A pointer or a negative errno: the top page of the address space never holds an object. */
#define MAX_ERRNO 4095

static inline void *ERR_PTR(long err)
{
    return (void *)err;
}

static inline long PTR_ERR(const void *ptr)
{
    return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
    return unlikely((unsigned long)ptr >= (unsigned long)-MAX_ERRNO);
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
    return !ptr || IS_ERR(ptr);
}

/*
 * Scope-bound release. The room that owns a type says once, after declaring the release function,
 *     DEFINE_AUTO(file_put, struct file *)
 * and `AUTO(file_put) struct file *file = fd_lookup(fd);` is then put at the end of its scope,
 * unless it is NULL or an ERR_PTR. Always initialise it. TAKE hands the reference on:
 *     return TAKE(file);
 */
#define DEFINE_AUTO(fn, type)                                                                      \
    static inline __maybe_unused void auto_##fn(type *var)                                         \
    {                                                                                              \
        if (!IS_ERR_OR_NULL(*var))                                                                 \
            (void)fn(*var);                                                                        \
    }
#define AUTO(fn) __attribute__((cleanup(auto_##fn)))

#define TAKE_(var, old)                                                                            \
    ({                                                                                             \
        __typeof__(var) old = (var);                                                               \
        (var) = NULL;                                                                              \
        old;                                                                                       \
    })
#define TAKE(var) TAKE_(var, UNIQUE(taken_))

#endif
