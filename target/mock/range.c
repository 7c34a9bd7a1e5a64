/*
 * target/mock/range.c: what an address space consists of: ranges with a protection, and pages.
 *
 * A page has a frame of its own once it was written to (private) or touched (anonymous); frames are counted, and
 * copied before a write when a fork has made them common. Shared kernel pages have no frames: they are the window's.
 */
#include "space.h"

#include <stdlib.h>
#include <string.h>

static uint64_t frames; /* atomic: of all spaces */

uint64_t spaces_pages(void)
{
    return __atomic_load_n(&frames, __ATOMIC_RELAXED);
}

/* --- frames and pages ------------------------------------------------------------------------------------ */

static struct frame *frame_new(void)
{
    struct frame *frame = calloc(1, sizeof(*frame));

    if (!frame)
        abort();
    frame->refs = 1;
    __atomic_add_fetch(&frames, 1, __ATOMIC_RELAXED);
    return frame;
}

void frame_put(struct frame *frame)
{
    if (__atomic_sub_fetch(&frame->refs, 1, __ATOMIC_ACQ_REL))
        return;
    free(frame);
    __atomic_sub_fetch(&frames, 1, __ATOMIC_RELAXED);
}

static struct page **page_find(struct target_space *space, uintptr_t addr)
{
    struct page **at = &space->buckets[addr / PAGE % BUCKETS];

    while (*at && (*at)->addr != addr)
        at = &(*at)->next;
    return at;
}

struct frame *page_frame(struct target_space *space, uintptr_t addr)
{
    struct page *page = *page_find(space, addr);

    return page ? page->frame : NULL;
}

void page_set(struct target_space *space, uintptr_t addr, struct frame *frame)
{
    struct page **at = page_find(space, addr);

    if (*at) {
        frame_put((*at)->frame);
    } else {
        *at = calloc(1, sizeof(**at));
        if (!*at)
            abort();
        (*at)->addr = addr;
    }
    (*at)->frame = frame;
}

void pages_take(struct target_space *space, uintptr_t start, uintptr_t end,
                void (*then)(void *arg, uintptr_t addr, struct frame *frame), void *arg)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct page **at = &space->buckets[i]; *at;) {
            struct page *page = *at;

            if (page->addr < start || page->addr >= end) {
                at = &page->next;
                continue;
            }
            *at = page->next;
            then(arg, page->addr, page->frame);
            free(page);
        }
    }
}

void page_drop(void *arg, uintptr_t addr, struct frame *frame)
{
    (void)arg, (void)addr;
    frame_put(frame);
}

/* --- ranges ------------------------------------------------------------------------------------------------- */

size_t range_from(const struct target_space *space, uintptr_t addr)
{
    size_t low = 0, high = space->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (space->ranges[middle].end > addr)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct range *range_at(const struct target_space *space, uintptr_t addr)
{
    size_t i = range_from(space, addr);

    return i < space->count && space->ranges[i].start <= addr ? &space->ranges[i] : NULL;
}

void range_insert(struct target_space *space, size_t i, struct range range)
{
    if (space->count == space->room) {
        space->room = space->room ? 2 * space->room : 16;
        space->ranges = realloc(space->ranges, space->room * sizeof(range));
        if (!space->ranges)
            abort();
    }
    memmove(&space->ranges[i + 1], &space->ranges[i], (space->count - i) * sizeof(range));
    space->ranges[i] = range;
    space->count++;
}

void range_split(struct target_space *space, uintptr_t addr)
{
    struct range *range = range_at(space, addr), rest;

    if (!range || range->start == addr)
        return;
    rest = *range;
    rest.start = addr;
    rest.offset += addr - range->start;
    if (rest.node)
        node_get(rest.node);
    range->end = addr;
    range_insert(space, (size_t)(range - space->ranges) + 1, rest);
}

void ranges_select(struct target_space *space, uintptr_t start, uintptr_t end, size_t *first,
                   size_t *last)
{
    range_split(space, start);
    range_split(space, end);
    *first = range_from(space, start);
    *last = range_from(space, end - 1);
    if (*last < space->count && space->ranges[*last].start < end)
        ++*last;
}

void ranges_merge(struct target_space *space)
{
    size_t kept = 0;

    for (size_t i = 1; i < space->count; i++) {
        struct range *a = &space->ranges[kept], *b = &space->ranges[i];
        bool follows = a->kind == ANON || a->offset + (a->end - a->start) == b->offset;

        if (a->end == b->start && a->prot == b->prot && a->kind == b->kind && a->node == b->node &&
            follows) {
            a->end = b->end;
            if (b->node)
                node_put(b->node);
        } else {
            space->ranges[++kept] = *b;
        }
    }
    if (space->count)
        space->count = kept + 1;
}

void space_unmap_locked(struct target_space *space, uintptr_t start, uintptr_t end)
{
    size_t first, last;

    ranges_select(space, start, end, &first, &last);
    for (size_t i = first; i < last; i++)
        if (space->ranges[i].node)
            node_put(space->ranges[i].node);
    if (first < last)
        memmove(&space->ranges[first], &space->ranges[last],
                (space->count - last) * sizeof(struct range));
    space->count -= last - first;
    pages_take(space, start, end, page_drop, NULL);
}

bool ranges_cover(struct target_space *space, uintptr_t start, uintptr_t end)
{
    for (size_t i = range_from(space, start); start < end; i++) {
        if (i == space->count || space->ranges[i].start > start)
            return false;
        start = space->ranges[i].end;
    }
    return true;
}

/* --- access ---------------------------------------------------------------------------------------------------- */

static char *window_page(const struct range *range, uintptr_t page)
{
    return (char *)MYST_WINDOW_BASE + range->offset + (page - range->start);
}

/* A frame of its own for a page that had none, with what stands there. False: behind the end of a file. */
static bool frame_make(struct target_space *space, const struct range *range, uintptr_t page)
{
    struct frame *frame = frame_new();

    if (range->kind == WINDOW_PRIVATE)
        copy_unwatched(frame->bytes, window_page(range, page), PAGE);
    if (range->kind == HOST_FILE &&
        !node_page(range->node, range->offset + (page - range->start), frame->bytes)) {
        frame_put(frame);
        return false;
    }
    page_set(space, page, frame);
    return true;
}

static bool page_fault(struct target_fault *fault, uintptr_t addr, enum access access, int signo,
                       int code)
{
    *fault = (struct target_fault){
        .signo = (uint32_t)signo,
        .code = code,
        .address = addr,
        .trapno = 14,
        .error = 4 | (access == ACCESS_WRITE ? 2 : 0),
    };
    return false;
}

#define SEGV 11
#define BUS  7

/* The bytes of the page that holds addr, for this kind of access; space->lock is held. */
static bool page_bytes(struct target_space *space, enum access access, uintptr_t addr, char **bytes,
                       struct target_fault *fault)
{
    int need = access == ACCESS_WRITE ? TARGET_PROT_WRITE : TARGET_PROT_READ;
    const struct range *range = range_at(space, addr);
    uintptr_t page = addr & ~(PAGE - 1);
    struct frame *frame;

    if (!range)
        return page_fault(fault, addr, access, SEGV, 1 /* SEGV_MAPERR */);
    /* whatever can be written can be read: the processor has it so */
    if (!(range->prot & need) && !(need == TARGET_PROT_READ && range->prot))
        return page_fault(fault, addr, access, SEGV, 2 /* SEGV_ACCERR */);
    frame = page_frame(space, page);
    if (!frame && (range->kind == WINDOW_SHARED ||
                   (range->kind == WINDOW_PRIVATE && access == ACCESS_READ))) {
        *bytes = window_page(range, page);
        return true;
    }
    if (!frame && !frame_make(space, range, page))
        return page_fault(fault, addr, access, BUS, 2 /* BUS_ADRERR */);
    frame = page_frame(space, page);
    if (access == ACCESS_WRITE && __atomic_load_n(&frame->refs, __ATOMIC_ACQUIRE) > 1) {
        struct frame *copy = frame_new();

        memcpy(copy->bytes, frame->bytes, PAGE);
        page_set(space, page, copy);
        frame = copy;
    }
    *bytes = frame->bytes;
    return true;
}

size_t space_access(struct target_space *space, enum access access, uintptr_t addr, void *buffer,
                    size_t n, struct target_fault *fault)
{
    size_t done = 0;

    pthread_mutex_lock(&space->lock);
    while (done < n) {
        size_t inside = (addr + done) % PAGE, piece = PAGE - inside;
        char *bytes;

        piece = piece < n - done ? piece : n - done;
        if (!page_bytes(space, access, addr + done, &bytes, fault))
            break;
        if (access == ACCESS_READ)
            copy_unwatched((char *)buffer + done, bytes + inside, piece);
        else
            copy_unwatched(bytes + inside, (const char *)buffer + done, piece);
        done += piece;
    }
    pthread_mutex_unlock(&space->lock);
    return done;
}

int space_cmpxchg(struct target_space *space, uintptr_t addr, uint32_t *expected, uint32_t desired,
                  struct target_fault *fault)
{
    char *bytes;
    bool ok;

    pthread_mutex_lock(&space->lock);
    ok = page_bytes(space, ACCESS_WRITE, addr, &bytes, fault);
    if (ok)
        __atomic_compare_exchange_n((uint32_t *)(bytes + addr % PAGE), expected, desired, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&space->lock);
    return ok ? 0 : -EFAULT;
}
