/*
 * kernel/host/mem.h: memory, as the target gives it. Every reply is checked here; callers may trust results.
 * All address-space calls act on the caller's own space and take page-aligned ranges.
 */
#ifndef HOST_MEM_H
#define HOST_MEM_H

#include "base/errno.h"
#include "base/types.h"

struct target_space;

#define HOST_PROT_READ  1
#define HOST_PROT_WRITE 2
#define HOST_PROT_EXEC  4
#define HOST_PROT_NONE  0

/* The caller's address space: 0, -ENOMEM, -EACCES, -EAGAIN, -EINVAL, or -EIO for any other reply. */
int host_map_anon(u64 addr, u64 len, int prot);
int host_map_pages(u64 addr, u64 len, int prot, u64 window_offset, bool shared);
int host_map_file(u64 addr, u64 len, int prot, int file, u64 offset);
int host_protect(u64 addr, u64 len, int prot);
int host_unmap(u64 addr, u64 len);
/* Also -EFAULT: the old range is several mappings to the host. */
int host_remap(u64 old_addr, u64 old_len, u64 new_addr, u64 new_len);
int host_discard(u64 addr, u64 len);           /* private pages read as zero or as the file again */
int host_resident(u64 addr, u64 len, u8 *out); /* one byte a page, bit 0 only */

/* Pages of [addr, addr + len) that a space has in memory; of a thread that has ended (NULL): none. */
struct host_residence {
    u64 addr, len;
    u64 own, shared; /* the answer, pages: its own ones, and those of files and shared memory */
};
int host_space_resident(struct target_space *space, struct host_residence *ranges, size_t n);

/* Another space's memory (NULL: of a thread that has ended): bytes done, short at the first page that faults; or a negative errno. */
s64 host_space_peek(struct target_space *space, void *to, u64 from, size_t len);
s64 host_space_poke(struct target_space *space, u64 to, const void *from, size_t len);

/* User memory of the caller's space. The first three give the bytes NOT done. */
size_t host_user_read(void *to, u64 from, size_t len);
size_t host_user_write(u64 to, const void *from, size_t len);
size_t host_user_zero(u64 to, size_t len);
s64 host_user_strlen(u64 from, size_t max); /* 0..max, or -EFAULT */
int host_user_cmpxchg(u64 word, u32 expected, u32 desired, u32 *seen);

/* The page window: 0, or -ENOMEM. */
int host_pages_fill(u64 offset, u64 len);
int host_pages_drop(u64 offset, u64 len);
/* The first page of the range with memory (used) or without; its end: there is none. */
u64 host_pages_seek(u64 offset, u64 len, bool used);

#endif
