/* kernel/rewrite/internal.h: what the files of this room share. */
#ifndef REWRITE_INTERNAL_H
#define REWRITE_INTERNAL_H

#include "mm/text.h"
#include "rewrite/rewrite.h"
#include "rewrite/site.h"
#include "sync/sync.h"

#define TRAP_SLOTS 512 /* a power of two; traps at further sites are not counted */

struct trap_count {
    u32 at; /* in the text; with count 0 the slot is free */
    u32 count;
    bool refused; /* it cannot be rewritten */
};

/* One executable segment of a file. It lives as long as the inode. */
struct text {
    struct text *next; /* of the same inode; rewrite_lock */
    u64 offset, len;   /* constant: page-aligned range of the file */
    u32 code; /* constant: bytes of code; behind it the gate and the stubs stand. 0: no room, no ELF file */
    u64 size; /* constant, as are the times: of the file, to see that it has changed */
    ktime mtime, ctime;
    bool stale; /* it has: rewrite_lock, as for all that follows */

    u32 room;                   /* the next stub goes here */
    u32 nsites;                 /* rewritten in `draft`, or in `current` if there is none */
    struct site *sites;         /* append-only */
    u32 max_sites;              /* constant */
    struct text_image *current; /* what new mappings show; or NULL */
    struct text_image *draft;   /* the next one, which nobody maps yet; or NULL */
    u32 due;                    /* traps at sites that only the draft has rewritten */
    u32 published;              /* how often a draft has become current */
    struct trap_count traps[TRAP_SLOTS];
};

extern struct mutex rewrite_lock;
extern u64 rewrite_gate; /* constant after the start; 0: nothing is rewritten */

/* text.c. All but the first two under rewrite_lock. */
struct text *text_of(struct file *file, u64 offset,
                     u64 len); /* found or made; NULL: no memory, or unreadable */
struct text_image *text_read(struct text *text, struct file *file); /* a first draft */
void text_begin(struct text *text, struct text_image *first);       /* takes it over; may be NULL */
bool text_draft(struct text *text);                                 /* is there one now? */
/* A further site of the draft. alone: as for mm_text_show(). */
enum rewritten { REWRITE_DONE, REWRITE_LATER, REWRITE_NEVER };
enum rewritten text_rewrite(struct text *text, u32 at, u32 nr, bool alone);
void text_publish(struct text *text);
struct text_image *text_plain(struct text_image *image);

#endif
