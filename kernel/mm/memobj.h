/*
 * kernel/mm/memobj.h: the contents of a file as memory (tmpfs, memfd, shared memory, page cache).
 *
 * An object is bytes from 0 to its size, holes included. It stands in extents of the page window, each
 * contiguous, which never move and are not given away before the last reference is put: whoever holds one
 * may copy from and to a place in it, and map it, without a lock.
 */
#ifndef MM_MEMOBJ_H
#define MM_MEMOBJ_H

#include "base/errno.h"
#include "base/list.h"
#include "base/types.h"
#include "mm/uaccess.h"

struct memobj;

struct memobj *memobj_create(void); /* NULL: no memory */
struct memobj *memobj_get(struct memobj *obj);
void memobj_put(struct memobj *obj);
DEFINE_AUTO(memobj_put, struct memobj *)

u64 memobj_size(const struct memobj *obj);
u64 memobj_bytes(struct memobj *obj); /* bytes in pages that were written or reserved */
/* Counts the pages, too, that programs have touched through shared mappings meanwhile. Asks the host about each run. */
void memobj_count_stores(struct memobj *obj);
/* How many of the pages first to last are there, stores included. */
u64 memobj_pages(struct memobj *obj, u64 first, u64 last);

/* Bytes; short at the object's end or at a fault (-EFAULT when nothing was moved). No lock may be held. */
ssize_t memobj_read(struct memobj *obj, struct iter *to, u64 offset, size_t n);
/* Bytes; the size grows with them. -ENOSPC when the instance's memory is used up, -EFAULT, -EFBIG. */
ssize_t memobj_write(struct memobj *obj, struct iter *from, u64 offset, size_t n);

/*
 * Sets the size; what lies behind it is forgotten, and the caller's mappings of it fault from now on, others'
 * soon (until then they show zeros there). 0 or -EFBIG.
 */
int memobj_truncate(struct memobj *obj, u64 size);
/* The range reads as zeros; its whole pages cost nothing any more. */
void memobj_punch(struct memobj *obj, u64 offset, u64 len);
/* The range has memory, so that writing there cannot fail. The size does not change. 0, -ENOSPC, -ENOMEM. */
int memobj_reserve(struct memobj *obj, u64 offset, u64 len);
/* lseek(2)'s SEEK_DATA and SEEK_HOLE: an offset, or -ENXIO. */
s64 memobj_seek(struct memobj *obj, u64 offset, int whence);

/*
 * Where the pages from offset (of a page) on stand in the window, and how many bytes are contiguous there, at
 * most len. shared: the program may write there behind our back. 0 or -ENOMEM. Shared holes of an object that is scarce
 * are at PAGES_NONE: not to be mapped.
 */
int memobj_map(struct memobj *obj, u64 offset, u64 len, bool shared, u64 *window_offset, u64 *run);

/*
 * From now on programs may not touch holes before there is room for them (scarce.c); whoever maps some loses them, the
 * caller's space when it calls mm_catch_up().
 */
void memobj_make_scarce(struct memobj *obj);
bool memobj_is_scarce(const struct memobj *obj);

/* A space's mappings of the object, for truncation: mm/ links them while they are in its tree. */
void memobj_link(struct memobj *obj, struct list_head *mapping);
void memobj_unlink(struct memobj *obj, struct list_head *mapping);

/* How many mappings there are through which programs may write to the object: F_SEAL_WRITE asks. */
u32 memobj_writers(const struct memobj *obj);
void memobj_count_writer(struct memobj *obj, bool more);

#endif
