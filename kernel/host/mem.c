/* kernel/host/mem.c: the memory calls of the target, and the check of what it answers. */
#include "host/mem.h"

#include <myst/target.h>

static_assert(HOST_PROT_READ == TARGET_PROT_READ && HOST_PROT_WRITE == TARGET_PROT_WRITE &&
                  HOST_PROT_EXEC == TARGET_PROT_EXEC,
              "protections are handed through");

/* What a change of the address space may answer. Success means done: there is no part of it. */
static int check_map(int reply)
{
    switch (reply) {
    case 0:
    case -ENOMEM:
    case -EACCES:
    case -EAGAIN:
    case -EINVAL:
        return reply;
    default:
        return -EIO;
    }
}

int host_map_anon(u64 addr, u64 len, int prot)
{
    return check_map(target_map_anon(addr, len, prot));
}

int host_map_pages(u64 addr, u64 len, int prot, u64 window_offset, bool shared)
{
    return check_map(target_map_pages(addr, len, prot, window_offset, shared));
}

int host_map_file(u64 addr, u64 len, int prot, int file, u64 offset)
{
    return check_map(target_map_file(addr, len, prot, file, offset));
}

int host_protect(u64 addr, u64 len, int prot)
{
    return check_map(target_protect(addr, len, prot));
}

int host_unmap(u64 addr, u64 len)
{
    return check_map(target_unmap(addr, len));
}

int host_remap(u64 old_addr, u64 old_len, u64 new_addr, u64 new_len)
{
    int reply = target_remap(old_addr, old_len, new_addr, new_len);

    return reply == -EFAULT ? reply : check_map(reply);
}

int host_discard(u64 addr, u64 len)
{
    return check_map(target_advise(addr, len, TARGET_ADVISE_DISCARD));
}

int host_resident(u64 addr, u64 len, u8 *out)
{
    int err = check_map(target_resident(addr, len, out));

    if (err)
        return err;
    for (u64 i = 0; i < len >> PAGE_SHIFT; i++)
        out[i] &= 1;
    return 0;
}

static_assert(sizeof(struct host_residence) == sizeof(struct target_residence) &&
                  offsetof(struct host_residence, shared) ==
                      offsetof(struct target_residence, shared),
              "ranges are handed through");

/* More pages than there are in the range is a lie: then none is there. Nothing is read back but the counts. */
int host_space_resident(struct target_space *space, struct host_residence *ranges, size_t n)
{
    int err = space && n ? target_space_resident(space, (struct target_residence *)ranges, n) : 0;

    for (size_t i = 0; i < n; i++) {
        u64 pages = ranges[i].len >> PAGE_SHIFT;

        if (err || !space || ranges[i].own > pages || ranges[i].shared > pages - ranges[i].own)
            ranges[i].own = ranges[i].shared = 0;
    }
    return err ? -EIO : 0;
}

/* 0 <= n <= len, or one of the errors that reaching into another space can have. */
static s64 check_count(s64 reply, size_t len)
{
    if (reply >= 0)
        return (u64)reply <= len ? reply : -EIO;
    if (reply == -EFAULT || reply == -ESRCH || reply == -ENOMEM)
        return reply;
    return -EIO;
}

s64 host_space_peek(struct target_space *space, void *to, u64 from, size_t len)
{
    return space ? check_count(target_space_peek(space, to, from, len), len) : -ESRCH;
}

s64 host_space_poke(struct target_space *space, u64 to, const void *from, size_t len)
{
    return space ? check_count(target_space_poke(space, to, from, len), len) : -ESRCH;
}

/* More bytes missing than were asked for is a lie: then nothing was done. */
static size_t check_missing(size_t missing, size_t len)
{
    return missing <= len ? missing : len;
}

size_t host_user_read(void *to, u64 from, size_t len)
{
    return check_missing(target_user_read(to, (const void *)from, len), len);
}

size_t host_user_write(u64 to, const void *from, size_t len)
{
    return check_missing(target_user_write((void *)to, from, len), len);
}

size_t host_user_zero(u64 to, size_t len)
{
    return check_missing(target_user_zero((void *)to, len), len);
}

s64 host_user_strlen(u64 from, size_t max)
{
    s64 len = target_user_strlen((const void *)from, max);

    return len >= 0 && (u64)len <= max ? len : -EFAULT;
}

int host_user_cmpxchg(u64 word, u32 expected, u32 desired, u32 *seen)
{
    return target_user_cmpxchg((u32 *)word, expected, desired, seen) == 0 ? 0 : -EFAULT;
}

int host_pages_fill(u64 offset, u64 len)
{
    return target_pages_fill(offset, len) == 0 ? 0 : -ENOMEM;
}

int host_pages_drop(u64 offset, u64 len)
{
    return target_pages_drop(offset, len) == 0 ? 0 : -ENOMEM;
}
