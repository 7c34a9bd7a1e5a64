/* kernel/mm/uaccess.c: copies between the kernel and the program. */
#include "mm/uaccess.h"

#include "base/string.h"
#include "host/mem.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "sync/sync.h"

#include <linux/uio.h>
#include <myst/boot.h>

#define MAX_TRANSFER 0x7ffff000UL /* read(2): the most that one call moves */

bool user_limit_ok(const void __user *p, size_t n)
{
    u64 end;

    return !add_overflow((u64)p, n, &end) && end <= MYST_USER_END;
}

bool user_range_ok(const void __user *p, size_t n)
{
    u64 start = (u64)p, end;

    if (add_overflow(start, n, &end))
        return false;
    if (start < PAGE_SIZE || end > MYST_USER_END)
        return n == 0 && end <= MYST_USER_END;
    return end <= MYST_RANGE_START || start >= MYST_RANGE_END;
}

/* A fault may wait for another thread of the program: whoever holds a lock must not come here. */
static bool access_begins(const void __user *p, size_t n)
{
    sync_assert_unlocked("uaccess");
    ASSERT(self()->uaccess_off == 0);
    return user_range_ok(p, n);
}

size_t copy_from_user_partial(void *to, const void __user *from, size_t n)
{
    if (!access_begins(from, n))
        return 0;
    return n - host_user_read(to, (u64)from, n);
}

size_t copy_to_user_partial(void __user *to, const void *from, size_t n)
{
    if (!access_begins(to, n))
        return 0;
    return n - host_user_write((u64)to, from, n);
}

int copy_from_user(void *to, const void __user *from, size_t n)
{
    if (likely(copy_from_user_partial(to, from, n) == n))
        return 0;
    /* What could not be read must not be taken for something else. */
    memset(to, 0, n);
    return -EFAULT;
}

int copy_to_user(void __user *to, const void *from, size_t n)
{
    return copy_to_user_partial(to, from, n) == n ? 0 : -EFAULT;
}

int clear_user(void __user *to, size_t n)
{
    return access_begins(to, n) && host_user_zero((u64)to, n) == 0 ? 0 : -EFAULT;
}

/* The end of what can be addressed from p on, which a string must not pass. */
static u64 range_end(const void __user *p)
{
    return (u64)p < MYST_RANGE_START ? MYST_RANGE_START : MYST_USER_END;
}

ssize_t strnlen_user(const char __user *from, size_t max)
{
    if (!access_begins(from, 1))
        return -EFAULT;

    size_t room = MIN(max, (size_t)(range_end(from) - (u64)from));
    s64 len = host_user_strlen((u64)from, room);

    if (len < 0)
        return -EFAULT;
    return (size_t)len == room && room < max ? -EFAULT : len;
}

ssize_t strncpy_from_user(char *to, const char __user *from, size_t max)
{
    ssize_t len = strnlen_user(from, max);

    if (len < 0)
        return len;

    size_t n = MIN((size_t)len + 1, max);

    if (copy_from_user(to, from, n) < 0)
        return -EFAULT;
    /* Another thread may have written meanwhile: the length is that of what was copied. */
    const char *end = memchr(to, 0, n);

    if (end)
        return end - to;
    if (n < max) {
        to[n - 1] = 0;
        return (ssize_t)n - 1;
    }
    return (ssize_t)max;
}

int user_cmpxchg(u32 __user *word, u32 expected, u32 desired, u32 *seen)
{
    if (!access_begins(word, sizeof *word) || !IS_ALIGNED((u64)word, sizeof *word))
        return -EFAULT;
    return host_user_cmpxchg((u64)word, expected, desired, seen);
}

int copy_struct_from_user(void *to, size_t known, const void __user *from, size_t given)
{
    char rest[64];

    if (copy_from_user(to, from, MIN(known, given)) < 0)
        return -EFAULT;
    if (given < known)
        memset((char *)to + given, 0, known - given);
    for (size_t done = known; done < given;) {
        size_t n = MIN(given - done, sizeof rest);

        if (copy_from_user(rest, (const char __user *)from + done, n) < 0)
            return -EFAULT;
        for (size_t i = 0; i < n; i++) {
            if (rest[i])
                return -E2BIG;
        }
        done += n;
    }
    return 0;
}

/* ---- iter --------------------------------------------------------------------------------------- */

static_assert(sizeof_field(struct iter, one) == sizeof(struct iovec), "iter.one is a struct iovec");

static void iter_init_one(struct iter *it, bool user, bool source, void *p, size_t n)
{
    *it = (struct iter){.user = user, .source = source, .nsegs = 1, .left = n};
    it->one.base = p;
    it->one.len = n;
}

void iter_init_user(struct iter *it, bool source, void __user *p, size_t n)
{
    iter_init_one(it, true, source, (void *)(u64)p, MIN(n, MAX_TRANSFER));
}

void iter_init_kernel(struct iter *it, bool source, void *p, size_t n)
{
    iter_init_one(it, false, source, p, n);
}

int iter_init_vector(struct iter *it, bool source, const struct iovec __user *v,
                     unsigned long count)
{
    size_t n = (u32)count; /* all that Linux looks at */
    struct iovec *segs;
    size_t total = 0;
    int err = 0;

    *it = (struct iter){.user = true, .source = source};
    if (n > UIO_MAXIOV)
        return -EINVAL;
    if (n == 0)
        return 0;
    segs = kmalloc(n * sizeof *segs);
    if (!segs)
        return -ENOMEM;
    if (copy_from_user(segs, v, n * sizeof *segs) < 0)
        err = -EFAULT;
    for (unsigned long i = 0; i < n && !err; i++) {
        if ((ssize_t)segs[i].iov_len < 0)
            err = -EINVAL;
        else if (!user_range_ok((const void __user *)segs[i].iov_base, segs[i].iov_len))
            err = -EFAULT;
        else if (segs[i].iov_len > MAX_TRANSFER - total)
            segs[i].iov_len = MAX_TRANSFER - total;
        total += segs[i].iov_len;
    }
    if (err) {
        kfree(segs);
        return err;
    }
    it->segs = it->allocated = segs;
    it->nsegs = (u32)n;
    it->left = total;
    return 0;
}

void iter_release(struct iter *it)
{
    kfree(it->allocated);
    it->allocated = NULL;
}

static const struct iovec *iter_seg(const struct iter *it)
{
    return it->segs ? it->segs : (const struct iovec *)&it->one;
}

void *iter_piece(struct iter *it, size_t *n)
{
    while (it->left && it->offset == iter_seg(it)->iov_len && it->nsegs > 1) {
        it->segs++;
        it->nsegs--;
        it->offset = 0;
    }
    if (!it->left) {
        *n = 0;
        return NULL;
    }

    const struct iovec *seg = iter_seg(it);

    *n = MIN(it->left, seg->iov_len - it->offset);
    return (char *)seg->iov_base + it->offset;
}

void iter_advance(struct iter *it, size_t n)
{
    while (n) {
        size_t piece;

        if (!iter_piece(it, &piece))
            return;
        piece = MIN(piece, n);
        it->offset += piece;
        it->left -= piece;
        n -= piece;
    }
}

void iter_revert(struct iter *it, size_t n)
{
    it->left += n;
    while (n > it->offset) {
        n -= it->offset;
        it->segs--;
        it->nsegs++;
        it->offset = it->segs->iov_len;
    }
    it->offset -= n;
}

void iter_truncate(struct iter *it, size_t n)
{
    it->left = MIN(it->left, n);
}

enum iter_move { MOVE_IN, MOVE_OUT, MOVE_ZERO };

/* Moves one contiguous piece; bytes done. */
static size_t move_piece(const struct iter *it, enum iter_move move, void *piece, void *buffer,
                         size_t n)
{
    if (it->user && move == MOVE_IN)
        return copy_from_user_partial(buffer, (const void __user *)piece, n);
    if (it->user && move == MOVE_OUT)
        return copy_to_user_partial((void __user *)piece, buffer, n);
    if (it->user)
        return access_begins((const void __user *)piece, n) ? n - host_user_zero((u64)piece, n) : 0;
    if (move == MOVE_IN)
        memcpy(buffer, piece, n);
    else if (move == MOVE_OUT)
        memcpy(piece, buffer, n);
    else
        memset(piece, 0, n);
    return n;
}

static ssize_t iter_move(struct iter *it, enum iter_move move, void *buffer, size_t n)
{
    size_t done = 0;

    while (done < n) {
        size_t piece, moved;
        void *at = iter_piece(it, &piece);

        if (!at && !piece)
            break;
        piece = MIN(piece, n - done);
        moved = move_piece(it, move, at, (char *)buffer + done, piece);
        iter_advance(it, moved);
        done += moved;
        if (moved < piece)
            return done ? (ssize_t)done : -EFAULT;
    }
    return (ssize_t)done;
}

ssize_t copy_to_iter(struct iter *it, const void *from, size_t n)
{
    return iter_move(it, MOVE_OUT, (void *)from, n);
}

ssize_t copy_from_iter(struct iter *it, void *to, size_t n)
{
    return iter_move(it, MOVE_IN, to, n);
}

ssize_t zero_iter(struct iter *it, size_t n)
{
    return iter_move(it, MOVE_ZERO, NULL, n);
}
