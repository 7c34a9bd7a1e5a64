/*
 * target/mock/user.c: access of the kernel to its caller's memory, with the kernel's own answer to faults; and
 * of the host, which takes a fault for EFAULT.
 */
#include "internal.h"

#include <string.h>

/*
 * The kernel's side of a copy goes through a buffer here, byte by byte under the eyes of the sanitizers, unless
 * it is a page that programs may share.
 */
#define PIECE 512

static bool in_window(const void *p)
{
    return (uintptr_t)p - MYST_WINDOW_BASE < MYST_WINDOW_SIZE;
}

/* Whether the access is to be tried again. */
static bool kernel_faults(const struct target_fault *fault)
{
    struct target_fault told = fault_told(*fault);

    return upcall_kernel_fault(&told);
}

/* Bytes done, as far as it goes without a fault that the kernel does not answer. */
static size_t access_range(enum access access, uintptr_t addr, char *buffer, size_t n)
{
    struct target_space *space = carrier->thread->space;
    struct target_fault fault;
    size_t done = 0;

    for (;;) {
        done += space_access(space, access, addr + done, buffer + done, n - done, &fault);
        if (done == n || !kernel_faults(&fault))
            return done;
    }
}

static size_t user_access(enum access access, uintptr_t addr, char *buffer, size_t n)
{
    char piece[PIECE];
    size_t done = 0;

    if (in_window(buffer))
        return access_range(access, addr, buffer, n);
    while (done < n) {
        size_t len = n - done < PIECE ? n - done : PIECE, got;

        if (access == ACCESS_WRITE)
            memcpy(piece, buffer + done, len);
        got = access_range(access, addr + done, piece, len);
        if (access == ACCESS_READ)
            memcpy(buffer + done, piece, got);
        done += got;
        if (got < len)
            break;
    }
    return done;
}

size_t target_user_read(void *to, const void *from, size_t len)
{
    size_t done = user_access(ACCESS_READ, (uintptr_t)from, to, len);

    OFFER_BYTES(user_read, data, to, done);
    RESULT(user_read, len - done);
}

size_t target_user_write(void *to, const void *from, size_t len)
{
    RESULT(user_write, len - user_access(ACCESS_WRITE, (uintptr_t)to, (char *)from, len));
}

size_t target_user_zero(void *to, size_t len)
{
    static const char zeros[PAGE];
    size_t done = 0;

    while (done < len) {
        size_t piece = len - done < PAGE ? len - done : PAGE;
        size_t got = access_range(ACCESS_WRITE, (uintptr_t)to + done, (char *)zeros, piece);

        done += got;
        if (got < piece)
            break;
    }
    RESULT(user_zero, len - done);
}

int64_t target_user_strlen(const void *from, size_t max)
{
    char piece[256];
    size_t done = 0;

    while (done < max) {
        size_t to_end = PAGE - ((uintptr_t)from + done) % PAGE;
        size_t len = max - done < sizeof(piece) ? max - done : sizeof(piece);
        const char *end;

        len = len < to_end ? len : to_end;
        if (access_range(ACCESS_READ, (uintptr_t)from + done, piece, len) < len)
            RESULT(user_strlen, (int64_t)-EFAULT);
        end = memchr(piece, 0, len);
        if (end)
            RESULT(user_strlen, (int64_t)(done + (size_t)(end - piece)));
        done += len;
    }
    RESULT(user_strlen, (int64_t)max);
}

int target_user_cmpxchg(uint32_t *word, uint32_t expected, uint32_t desired, uint32_t *seen)
{
    struct target_space *space = carrier->thread->space;
    struct target_fault fault;
    int err;

    do {
        *seen = expected;
        err = space_cmpxchg(space, (uintptr_t)word, seen, desired, &fault);
    } while (err && kernel_faults(&fault));
    if (!err)
        OFFER(user_cmpxchg, seen, *seen);
    RESULT(user_cmpxchg, err);
}

/* --- buffers of either kind ------------------------------------------------------------------------------- */

size_t any_read(void *to, const void *from, size_t n)
{
    struct target_fault fault;

    if (is_user(from))
        return space_access(carrier->thread->space, ACCESS_READ, (uintptr_t)from, to, n, &fault);
    if (in_window(from))
        copy_unwatched(to, from, n);
    else
        memcpy(to, from, n);
    return n;
}

size_t any_write(void *to, const void *from, size_t n)
{
    struct target_fault fault;

    if (is_user(to))
        return space_access(carrier->thread->space, ACCESS_WRITE, (uintptr_t)to, (void *)from, n,
                            &fault);
    if (in_window(to))
        copy_unwatched(to, from, n);
    else
        memcpy(to, from, n);
    return n;
}
