/* kernel/mm/vma.h: the tree of mappings, for the files of this room. mm->lock is held throughout. */
#ifndef MM_VMA_H
#define MM_VMA_H

#include "mm/mm.h"

#define vma_of(n) rb_entry_or_null(n, struct vma, node)

struct vma *vma_create(void);                  /* not in a tree; NULL: no memory */
struct vma *vma_from(struct mm *mm, u64 addr); /* the first one that ends behind addr */
static inline struct vma *vma_next(struct vma *vma)
{
    return rb_next_entry(vma, node);
}
static inline struct vma *vma_prev(struct vma *vma)
{
    return rb_prev_entry(vma, node);
}
static inline u64 vma_offset(const struct vma *vma, u64 addr)
{
    return vma->at.offset + (addr - vma->start);
}

void vma_tree_init(struct mm *mm);
void vma_insert(struct mm *mm, struct vma *vma); /* and counts it */
void vma_remove(struct mm *mm, struct vma *vma, struct list_head *dead);
void vma_resize(struct mm *mm, struct vma *vma, u64 start, u64 end);
/* Changes VM_ bits, and the counters that follow from them. */
void vma_set_flags(struct mm *mm, struct vma *vma, u64 flags);
/* Cuts at an address inside; vma keeps the lower part. 0, -ENOMEM. */
int vma_split(struct mm *mm, struct vma *vma, u64 addr);
/* Joins the mapping with equal neighbours; what is left of it. */
struct vma *vma_merge(struct mm *mm, struct vma *vma);
/* Makes [start, end) begin and end at borders of mappings. The first one in it, NULL, or an ERR_PTR. */
struct vma *vma_isolate(struct mm *mm, u64 start, u64 end);
struct vma *vma_copy(const struct vma *vma);

/* References behind a mapping. */
void backing_get(const struct vma_backing *at);
void vma_hold(struct vma *vma); /* those of a mapping whose flags and backing have just been set */
void vma_release(struct list_head *dead); /* without the lock: files may be closed by it */

/* The highest free range of len bytes in [low, high), not in the kernel's; 0: none. */
u64 vma_find_gap(struct mm *mm, u64 len, u64 low, u64 high);
bool vma_range_free(struct mm *mm, u64 start, u64 end);
/* Is a part of the range sealed, so that it may be neither unmapped nor replaced? */
bool vma_range_sealed(struct mm *mm, u64 start, u64 end);
/* May the program map something there at all? */
bool mm_range_ok(u64 start, u64 len);

/* map.c: pages of [from, to) of a mapping into the caller's space, by what stands behind it. */
int vma_install(struct vma *vma, u64 from, u64 to);
int vma_protect_pages(struct vma *vma);
int unmap_locked(struct mm *mm, u64 start, u64 end, struct list_head *dead);
/* Limits for len more bytes of such flags: 0, -ENOMEM, -EAGAIN. */
int mm_check_limits(struct mm *mm, u64 len, u64 flags);
int mm_check_lock(struct mm *mm, u64 len, u64 flags);
u64 mm_limit(int resource);

/* scarce.c: is this a mapping whose holes must not be touched without room for them? */
bool vma_is_scarce(const struct vma *vma);
/*
 * Maps the page at addr of such a mapping: 0. -EAGAIN: it was a hole and has room now, but the lock was given up
 * meanwhile. Another error: there is no room, and the lock was given up, too.
 */
int vma_touch_scarce(struct mm *mm, struct vma *vma, u64 addr);

#define VMA_DEAD(name) struct list_head name = LIST_HEAD_INIT(name)

#endif
