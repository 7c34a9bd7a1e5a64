/* target/mock/space.h: address spaces, between space.c and range.c. */
#ifndef MOCK_SPACE_H
#define MOCK_SPACE_H

#include "internal.h"

#define BUCKETS 256

enum kind { ANON, WINDOW_SHARED, WINDOW_PRIVATE, HOST_FILE };

struct range {
    uintptr_t start, end;
    int prot;
    enum kind kind;
    uint64_t offset;   /* of start: in the window or the file */
    struct node *node; /* HOST_FILE: counted */
};

struct frame {
    uint32_t refs; /* atomic */
    char bytes[PAGE];
};

struct page {
    struct page *next;
    uintptr_t addr;
    struct frame *frame; /* counted */
};

struct target_space {
    pthread_mutex_t lock; /* ranges and pages */
    uint32_t users;       /* under spaces.lock: threads that stand in it; also 1 for a blank */
    bool blank;           /* atomic; it was given out, and nobody has gone there yet */
    uint64_t number;      /* under spaces.lock; unique in an instance */
    struct range *ranges; /* in order, disjoint */
    size_t count, room;
    struct page *buckets[BUCKETS];
};

/* ---- range.c: all with space->lock held */

void frame_put(struct frame *frame);
struct frame *page_frame(struct target_space *space, uintptr_t addr); /* NULL: none */
void page_set(struct target_space *space, uintptr_t addr, struct frame *frame);
/* Takes the pages of a range out: for each that there is, then(arg, address, frame) owns the frame. */
void pages_take(struct target_space *space, uintptr_t start, uintptr_t end,
                void (*then)(void *arg, uintptr_t addr, struct frame *frame), void *arg);
void page_drop(void *arg, uintptr_t addr, struct frame *frame);

/* The index of the first range that ends behind addr; the range that holds it, or NULL. */
size_t range_from(const struct target_space *space, uintptr_t addr);
struct range *range_at(const struct target_space *space, uintptr_t addr);
void range_insert(struct target_space *space, size_t i, struct range range);
void range_split(struct target_space *space, uintptr_t addr); /* addr becomes a border */
/* [*first, *last) are whole ranges, with borders at both ends. */
void ranges_select(struct target_space *space, uintptr_t start, uintptr_t end, size_t *first,
                   size_t *last);
/* Neighbours that say the same become one, as Linux has it: mremap(2) then sees one mapping. */
void ranges_merge(struct target_space *space);
bool ranges_cover(struct target_space *space, uintptr_t start, uintptr_t end);
void space_unmap_locked(struct target_space *space, uintptr_t start, uintptr_t end);

#endif
