/*
 * kernel/mm/extent.h: the inside of memory objects, for the files that are about them.
 *
 * Extents double with the object: pages of the kernel zone up to 64 KiB in all (backed when they are
 * allocated), then runs of the big zone up to 1 GiB each, whose memory is asked for in units of 64 KiB
 * right before something is written there. A page that has been written or reserved is `present`; any other
 * holds zeros, or nothing at all, and is read without being touched. In an extent that a program has mapped
 * shared this cannot be known: all of it counts as present.
 */
#ifndef MM_EXTENT_H
#define MM_EXTENT_H

#include "base/bitmap.h"
#include "base/rbtree.h"
#include "base/refcount.h"
#include "mm/memobj.h"
#include "sync/sync.h"

#define UNIT_SIZE  65536UL /* of memory asked for at a time */
#define UNIT_PAGES (UNIT_SIZE >> PAGE_SHIFT)
#define EXTENT_MAX (1UL << 30)
#define OBJECT_MAX ((u64)INT64_MAX - EXTENT_MAX)

struct memobj {
    struct refcount ref;
    u32 writers;               /* atomic: mappings that are shared and may be written to */
    struct mutex lock;         /* what follows; never held while user memory is touched */
    u64 size;                  /* also read without the lock */
    u64 present;               /* pages */
    u64 allocated;             /* bytes of all extents */
    u64 generation;            /* counts truncations and punches */
    bool uncounted;            /* programs may have stored something since it was counted */
    bool scarce;               /* set once, read without the lock: see memobj_make_scarce() */
    struct rb_tree extents;    /* by start; disjoint */
    struct list_head mappings; /* struct vma.mapping */
};

struct extent {
    struct rb_node node;    /* object's lock, as all that changes */
    u64 start, len;         /* in the object; constant, powers of two or parts of one */
    u64 window;             /* constant */
    bool solid;             /* constant: backed as a whole from the start (kernel zone) */
    bool exposed;           /* a program may write to it by a mapping */
    unsigned long *present; /* bit a page */
    unsigned long *backed;  /* bit a unit; NULL when solid */
};

static inline size_t extent_pages(const struct extent *e)
{
    return e->len >> PAGE_SHIFT;
}

static inline size_t extent_units(const struct extent *e)
{
    return DIV_ROUND_UP(e->len, UNIT_SIZE);
}

/* All with the object's lock held. */

/* The extent that holds the offset or else the next one behind it. */
struct extent *extent_from(struct memobj *obj, u64 offset);
struct extent *extent_at(struct memobj *obj, u64 offset);
/* The one that holds the offset, made when there is none: large enough for `want` bytes, if it can be. NULL: no memory. */
struct extent *extent_make(struct memobj *obj, u64 offset, u64 want);
/* Memory for bytes [from, to) of an extent: 0 or -ENOSPC. */
int extent_back(struct extent *e, u64 from, u64 to);
void extent_mark(struct memobj *obj, struct extent *e, u64 from, u64 to); /* they are present */
void extent_zero(struct extent *e, u64 at,
                 u64 len); /* bytes of one page, where it can hold anything */
void extent_free(struct extent *e);

/*
 * What stands at offset: the place of its bytes in the window, or NULL for a hole; *run is how far the same
 * holds.
 */
void *memobj_piece(struct memobj *obj, u64 offset, u64 *run);
/* The object grows: what a mapping left behind its end, in the last page, must not show. */
void memobj_zero_tail(struct memobj *obj);
void memobj_set_size(struct memobj *obj, u64 size);

#endif
