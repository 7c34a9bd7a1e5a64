/* kernel/host/mem.c: the memory calls of the target, and the check of what it answers. */
#include "host/mem.h"

#include "host/border.h"

#include <myst/target.h>

static_assert(HOST_PROT_READ == TARGET_PROT_READ && HOST_PROT_WRITE == TARGET_PROT_WRITE &&
                  HOST_PROT_EXEC == TARGET_PROT_EXEC,
              "protections are handed through");

#define RANGES 32 /* that target_space_resident() is asked about at a time */

/* Success means done: there is no part of it. */
static const u8 map_errors[] = {ENOMEM, EACCES, EAGAIN, EINVAL, 0};
static const u8 remap_errors[] = {ENOMEM, EACCES, EAGAIN, EINVAL, EFAULT, 0};
static const u8 space_errors[] = {EFAULT, ESRCH, ENOMEM, 0};

int host_map_anon(u64 addr, u64 len, int prot)
{
    return BORDER_DONE(map_anon_result, target_map_anon(addr, len, prot), map_errors);
}

int host_map_pages(u64 addr, u64 len, int prot, u64 window_offset, bool shared)
{
    return BORDER_DONE(map_pages_result, target_map_pages(addr, len, prot, window_offset, shared),
                       map_errors);
}

int host_map_file(u64 addr, u64 len, int prot, int file, u64 offset)
{
    return BORDER_DONE(map_file_result, target_map_file(addr, len, prot, file, offset), map_errors);
}

int host_protect(u64 addr, u64 len, int prot)
{
    return BORDER_DONE(protect_result, target_protect(addr, len, prot), map_errors);
}

int host_unmap(u64 addr, u64 len)
{
    return BORDER_DONE(unmap_result, target_unmap(addr, len), map_errors);
}

int host_remap(u64 old_addr, u64 old_len, u64 new_addr, u64 new_len)
{
    return BORDER_DONE(remap_result, target_remap(old_addr, old_len, new_addr, new_len),
                       remap_errors);
}

int host_discard(u64 addr, u64 len)
{
    return BORDER_DONE(advise_result, target_advise(addr, len, TARGET_ADVISE_DISCARD), map_errors);
}

int host_resident(u64 addr, u64 len, u8 *out)
{
    u64 pages = len >> PAGE_SHIFT;
    int err;

    BORDER_CLEAR(resident_cleared, out, pages);
    err = BORDER_DONE(resident_result, target_resident(addr, len, out), map_errors);
    if (err)
        return err;
    for (u64 i = 0; i < pages; i++)
        if (!BORDER(resident_bits, out[i] <= 1))
            out[i] &= 1;
    return 0;
}

/* At most RANGES at a time: the target is shown a copy, so that it cannot change what was asked. */
static int resident_ranges(struct target_space *space, struct host_residence *ranges, size_t n)
{
    struct target_residence shown[RANGES];
    int err;

    for (size_t i = 0; i < n; i++)
        shown[i] = (struct target_residence){.addr = ranges[i].addr, .len = ranges[i].len};
    err = target_space_resident(space, shown, n);
    if (!BORDER(space_resident_result, err == 0))
        return -EIO;
    for (size_t i = 0; i < n; i++) {
        u64 pages = ranges[i].len >> PAGE_SHIFT, own = shown[i].own, shared = shown[i].shared;

        if (!BORDER(space_resident_own, own <= pages))
            own = 0;
        if (!BORDER(space_resident_shared, shared <= pages - own))
            shared = 0;
        ranges[i].own = own;
        ranges[i].shared = shared;
    }
    return err;
}

int host_space_resident(struct target_space *space, struct host_residence *ranges, size_t n)
{
    int err = 0;

    for (size_t i = 0; i < n; i++)
        ranges[i].own = ranges[i].shared = 0;
    for (size_t i = 0; i < n && space && !err; i += RANGES)
        err = resident_ranges(space, ranges + i, MIN(n - i, (size_t)RANGES));
    return err;
}

s64 host_space_peek(struct target_space *space, void *to, u64 from, size_t len)
{
    if (!space)
        return -ESRCH;
    BORDER_CLEAR(space_peek_cleared, to, len);
    return BORDER_COUNT(space_peek_count, space_peek_errno, target_space_peek(space, to, from, len),
                        len, space_errors);
}

s64 host_space_poke(struct target_space *space, u64 to, const void *from, size_t len)
{
    if (!space)
        return -ESRCH;
    return BORDER_COUNT(space_poke_count, space_poke_errno, target_space_poke(space, to, from, len),
                        len, space_errors);
}

/* More bytes missing than were asked for is a lie: then nothing was done. */
size_t host_user_read(void *to, u64 from, size_t len)
{
    size_t missing = target_user_read(to, (const void *)from, len);

    return BORDER(user_read_result, missing <= len) ? missing : len;
}

size_t host_user_write(u64 to, const void *from, size_t len)
{
    size_t missing = target_user_write((void *)to, from, len);

    return BORDER(user_write_result, missing <= len) ? missing : len;
}

size_t host_user_zero(u64 to, size_t len)
{
    size_t missing = target_user_zero((void *)to, len);

    return BORDER(user_zero_result, missing <= len) ? missing : len;
}

s64 host_user_strlen(u64 from, size_t max)
{
    s64 len = target_user_strlen((const void *)from, max);

    return BORDER(user_strlen_result, len >= 0 && (u64)len <= max) ? len : -EFAULT;
}

int host_user_cmpxchg(u64 word, u32 expected, u32 desired, u32 *seen)
{
    int err = target_user_cmpxchg((u32 *)word, expected, desired, seen);

    return BORDER(user_cmpxchg_result, err == 0) ? err : -EFAULT;
}

int host_pages_fill(u64 offset, u64 len)
{
    int err = target_pages_fill(offset, len);

    return BORDER(pages_fill_result, err == 0) ? err : -ENOMEM;
}

int host_pages_drop(u64 offset, u64 len)
{
    int err = target_pages_drop(offset, len);

    return BORDER(pages_drop_result, err == 0) ? err : -ENOMEM;
}

u64 host_pages_seek(u64 offset, u64 len, bool used)
{
    u64 at = target_pages_seek(offset, len, used);
    bool fits = at >= offset && at - offset <= len && IS_ALIGNED(at, PAGE_SIZE);

    return BORDER(pages_seek_range, fits) ? at : offset + len;
}
