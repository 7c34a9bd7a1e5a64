/* kernel/mm/internal.h: what the files of this room share. */
#ifndef MM_INTERNAL_H
#define MM_INTERNAL_H

#include "base/types.h"

enum page_state {
    PAGE_INSIDE,   /* not the first of its run */
    PAGE_FREE,     /* first of a free run of 1 << order units */
    PAGE_UNBACKED, /* first of a free chunk without memory */
    PAGE_RUN,      /* first of an allocated run */
    PAGE_SLAB,     /* part of a slab block */
    PAGE_LARGE,    /* first of a kmalloc run */
};

/* One unit of a zone. next, prev: links of free runs; of PAGE_SLAB: distance to the block's first unit. */
struct page {
    u32 next, prev; /* pages lock while free; then the owner's */
    u8 order;
    u8 state;  /* enum page_state */
    u8 backed; /* first of a run: pages_free() has memory to uncharge */
    u8 unused;
};

struct page *page_of(u64 offset);

void slab_init(void);

#endif
