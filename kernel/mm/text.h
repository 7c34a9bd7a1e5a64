/*
 * kernel/mm/text.h: copies of programs' text in which call sites are rewritten (docs/entry.md, "Rewritten sites"), as far as
 * mappings are concerned. rewrite/ makes them.
 */
#ifndef MM_TEXT_H
#define MM_TEXT_H

#include "base/refcount.h"
#include "mm/mm.h"

struct text;

/* Constant once it is mapped, so that no running code is ever written to. */
struct text_image {
    struct refcount ref;
    u64 window;        /* where the pages stand in the page window */
    u64 offset, len;   /* what they are a copy of: this range of the file */
    u32 nsites;        /* rewritten ones; 0: plain text, but threads may stand in holes and stubs */
    u32 straddling;    /* of them those on two pages */
    struct text *text; /* rewrite/'s; the file of a mapping keeps it */
};

static inline struct text_image *text_image_get(struct text_image *image)
{
    refcount_get(&image->ref);
    return image;
}
void text_image_put(struct text_image *image);
DEFINE_AUTO(text_image_put, struct text_image *)

/* May call sites of the mapping be rewritten? Private text that was never writable. mm->lock. */
bool vma_rewritable(const struct vma *vma);
/*
 * The mapping of [offset, offset + len) of a file by `owner` that holds addr, if it still stands, shows the image. alone: no
 * other thread of the space can run meanwhile; else nothing may change that lies on two pages.
 */
void mm_text_show(u64 addr, const void *owner, struct text_image *image, bool alone);
/* Before a mapping is cut, moved or made writable: its sites become system calls again. mm->lock. 0, -ENOMEM. */
int vma_restore_text(struct vma *vma);
/* The same for all of the caller's mappings, now and from now on: a thread wants GS for itself. */
int mm_text_give_up(void);

/* rewrite/: an image like this one without rewritten sites, counted, or NULL: no memory. mm->lock is held. */
extern struct text_image *(*text_image_plain)(struct text_image *image);

#endif
