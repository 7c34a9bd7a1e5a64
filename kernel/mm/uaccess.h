/*
 * The one door to user memory. Every function may sleep (a page may have to be filled by another thread of the
 * program), so no lock may be held; that is asserted. A bad address gives -EFAULT.
 */
#ifndef MM_UACCESS_H
#define MM_UACCESS_H

#include "base/errno.h"
#include "base/types.h"

struct iovec;

int copy_from_user(void *to, const void __user *from, size_t n);
int copy_to_user(void __user *to, const void *from, size_t n);
size_t copy_from_user_partial(void *to, const void __user *from, size_t n); /* bytes copied */
size_t copy_to_user_partial(void __user *to, const void *from, size_t n);
int clear_user(void __user *to, size_t n);
/* Length without the NUL; -EFAULT; max when there is no NUL in max bytes (then to[] is not ended). */
ssize_t strncpy_from_user(char *to, const char __user *from, size_t max);
ssize_t strnlen_user(const char __user *from, size_t max);
int user_cmpxchg(u32 __user *word, u32 expected, u32 desired, u32 *seen);
/* Is the range inside what a program can address at all? */
bool user_range_ok(const void __user *p, size_t n);
/* Does it end below the addresses of programs? All that some calls of Linux look at first. */
bool user_limit_ok(const void __user *p, size_t n);

/* value is a variable of the type that ptr points to. */
#define get_user(value, ptr)                                                                       \
    ({                                                                                             \
        static_assert(sizeof(value) == sizeof(*(ptr)), "get_user: another size");                  \
        copy_from_user(&(value), (ptr), sizeof(*(ptr)));                                           \
    })
#define put_user(value, ptr)                                                                       \
    ({                                                                                             \
        /* The comma drops what __user adds to the type. */                                        \
        __typeof__(((void)0, *(ptr))) put_user_tmp_ = (value);                                     \
        copy_to_user((ptr), (const void *)(uintptr_t)&put_user_tmp_, sizeof(put_user_tmp_));       \
    })

/*
 * Copies a struct whose size the program gives (openat2, clone3, sched_setattr ...): a longer one must have
 * zeros behind what we know, else -E2BIG; a shorter one is padded with zeros.
 */
int copy_struct_from_user(void *to, size_t known, const void __user *from, size_t given);

/*
 * iter: where a read or write puts or takes its bytes: user segments or one kernel buffer. Consumed as it goes.
 */
#define ITER_APPEND   1 /* preadv2(2)'s RWF_APPEND: as if the file had O_APPEND */
#define ITER_NOAPPEND 2 /* RWF_NOAPPEND: as if it had not */

struct iter {
    bool user;
    bool source;   /* true: bytes are taken from it (write); false: put into it (read) */
    u16 flags;     /* ITER_, of this one transfer */
    u32 nsegs;     /* segments left, the current one included */
    size_t offset; /* into the current segment */
    size_t left;   /* bytes left in all */
    const struct iovec *segs;
    struct {
        void *base;
        size_t len;
    } one;                   /* the segment, when there is just one */
    struct iovec *allocated; /* owned copy of the vector, or NULL */
};

void iter_init_user(struct iter *it, bool source, void __user *p, size_t n);
void iter_init_kernel(struct iter *it, bool source, void *p, size_t n);
/* readv(2) and friends: copies and checks the vector. -EINVAL, -EFAULT, -ENOMEM. */
int iter_init_vector(struct iter *it, bool source, const struct iovec __user *v, unsigned long n);
void iter_release(struct iter *it);
static inline size_t iter_left(const struct iter *it)
{
    return it->left;
}
/* Bytes moved; short only at a fault (then -EFAULT when none was moved). */
ssize_t copy_to_iter(struct iter *it, const void *from, size_t n);
ssize_t copy_from_iter(struct iter *it, void *to, size_t n);
ssize_t zero_iter(struct iter *it, size_t n);
void iter_truncate(struct iter *it, size_t n); /* at most n bytes from here on */
void iter_revert(struct iter *it, size_t n);   /* steps back over the last n bytes moved */
/* The current contiguous piece, for handing to the host; NULL at the end. */
void *iter_piece(struct iter *it, size_t *n);
void iter_advance(struct iter *it, size_t n);

#endif
