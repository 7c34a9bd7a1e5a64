/*
 * target/mock/space.c: address spaces of programs: ranges with a protection, and pages.
 *
 * A page has a frame of its own once it was written to (private) or touched (anonymous); frames are counted, and
 * copied before a write when a fork has made them common. Shared kernel pages have no frames: they are the window's.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define SPACES_MAX 256
#define BUCKETS    256

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
    uint64_t number;      /* under spaces.lock; unique in an instance */
    struct range *ranges; /* in order, disjoint */
    size_t count, room;
    struct page *buckets[BUCKETS];
};

static struct {
    pthread_mutex_t lock;
    uint64_t next_number;
    struct target_space at[SPACES_MAX];
    uint64_t frames; /* atomic */
} spaces = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- frames and pages ------------------------------------------------------------------------------------ */

static struct frame *frame_new(void)
{
    struct frame *frame = calloc(1, sizeof(*frame));

    if (!frame)
        abort();
    frame->refs = 1;
    __atomic_add_fetch(&spaces.frames, 1, __ATOMIC_RELAXED);
    return frame;
}

static void frame_put(struct frame *frame)
{
    if (__atomic_sub_fetch(&frame->refs, 1, __ATOMIC_ACQ_REL))
        return;
    free(frame);
    __atomic_sub_fetch(&spaces.frames, 1, __ATOMIC_RELAXED);
}

static struct page **page_find(struct target_space *space, uintptr_t addr)
{
    struct page **at = &space->buckets[addr / PAGE % BUCKETS];

    while (*at && (*at)->addr != addr)
        at = &(*at)->next;
    return at;
}

static struct frame *page_frame(struct target_space *space, uintptr_t addr)
{
    struct page *page = *page_find(space, addr);

    return page ? page->frame : NULL;
}

static void page_set(struct target_space *space, uintptr_t addr, struct frame *frame)
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

/* Takes the pages of a range out: for each that there is, then(arg, address, frame) owns the frame. */
static void pages_take(struct target_space *space, uintptr_t start, uintptr_t end,
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

static void then_drop(void *arg, uintptr_t addr, struct frame *frame)
{
    (void)arg, (void)addr;
    frame_put(frame);
}

/* --- ranges ------------------------------------------------------------------------------------------------- */

/* The index of the first range that ends behind addr. */
static size_t range_from(const struct target_space *space, uintptr_t addr)
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

static struct range *range_at(const struct target_space *space, uintptr_t addr)
{
    size_t i = range_from(space, addr);

    return i < space->count && space->ranges[i].start <= addr ? &space->ranges[i] : NULL;
}

static void range_insert(struct target_space *space, size_t i, struct range range)
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

/* Makes addr a border between ranges. */
static void split(struct target_space *space, uintptr_t addr)
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

/* Whole ranges: [*first, *last), with borders at both ends. */
static void select_range(struct target_space *space, uintptr_t start, uintptr_t end, size_t *first,
                         size_t *last)
{
    split(space, start);
    split(space, end);
    *first = range_from(space, start);
    *last = range_from(space, end - 1);
    if (*last < space->count && space->ranges[*last].start < end)
        ++*last;
}

/* Neighbours that say the same become one, as Linux has it: mremap(2) then sees one mapping. */
static void merge(struct target_space *space)
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

static void unmap(struct target_space *space, uintptr_t start, uintptr_t end)
{
    size_t first, last;

    select_range(space, start, end, &first, &last);
    for (size_t i = first; i < last; i++)
        if (space->ranges[i].node)
            node_put(space->ranges[i].node);
    if (first < last)
        memmove(&space->ranges[first], &space->ranges[last],
                (space->count - last) * sizeof(struct range));
    space->count -= last - first;
    pages_take(space, start, end, then_drop, NULL);
}

/* Nothing is missing between start and end. */
static bool is_covered(struct target_space *space, uintptr_t start, uintptr_t end)
{
    for (size_t i = range_from(space, start); start < end; i++) {
        if (i == space->count || space->ranges[i].start > start)
            return false;
        start = space->ranges[i].end;
    }
    return true;
}

/* --- lifetimes ---------------------------------------------------------------------------------------------- */

static void space_clear(struct target_space *space)
{
    pthread_mutex_lock(&space->lock);
    unmap(space, 0, UINTPTR_MAX);
    free(space->ranges);
    space->ranges = NULL;
    space->room = 0;
    pthread_mutex_unlock(&space->lock);
}

/* With one user, whoever asks for it. */
struct target_space *space_new(void)
{
    struct target_space *space = NULL;

    pthread_mutex_lock(&spaces.lock);
    for (size_t i = 0; i < SPACES_MAX && !space; i++)
        if (!spaces.at[i].users)
            space = &spaces.at[i];
    if (space) {
        space->users = 1;
        space->number = ++spaces.next_number;
    }
    pthread_mutex_unlock(&spaces.lock);
    return space;
}

static void users_add(struct target_space *space, int n)
{
    bool empty;

    pthread_mutex_lock(&spaces.lock);
    empty = space->users + (uint32_t)n == 0;
    if (!empty)
        space->users += (uint32_t)n;
    pthread_mutex_unlock(&spaces.lock);
    if (!empty)
        return;
    space_clear(space);
    pthread_mutex_lock(&spaces.lock);
    space->users = 0; /* only now may another one have it */
    pthread_mutex_unlock(&spaces.lock);
}

/* Takes one user over when the space is new. */
void space_enter(struct target_space *space, struct target_thread *thread)
{
    thread->space = space;
    thread->host_pid = (int32_t)space_number(space);
}

void space_join(struct target_space *space)
{
    users_add(space, 1);
}

void space_leave(struct target_space *space)
{
    users_add(space, -1);
}

void target_space_discard(struct target_space *space)
{
    if (space_is_known(space))
        users_add(space, -1);
}

bool space_is_known(const struct target_space *space)
{
    uintptr_t at = (uintptr_t)space - (uintptr_t)spaces.at;

    return at < sizeof(spaces.at) && at % sizeof(*space) == 0;
}

uint64_t space_number(const struct target_space *space)
{
    uint64_t number;

    pthread_mutex_lock(&spaces.lock);
    number = space->number;
    pthread_mutex_unlock(&spaces.lock);
    return number;
}

uint64_t spaces_pages(void)
{
    return __atomic_load_n(&spaces.frames, __ATOMIC_RELAXED);
}

void spaces_reset(void)
{
    for (size_t i = 0; i < SPACES_MAX; i++) {
        struct target_space *space = &spaces.at[i];

        if (!space->number)
            pthread_mutex_init(&space->lock, NULL);
        if (space->users)
            space_clear(space);
        space->users = 0;
        space->number = 1;
    }
    spaces.next_number = 100;
}

struct target_space *space_copy(struct target_space *from)
{
    struct target_space *to = space_new();

    if (!to)
        return NULL;
    pthread_mutex_lock(&from->lock);
    for (size_t i = 0; i < from->count; i++) {
        range_insert(to, i, from->ranges[i]);
        if (from->ranges[i].node)
            node_get(from->ranges[i].node);
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct page *page = from->buckets[i]; page; page = page->next) {
            __atomic_add_fetch(&page->frame->refs, 1, __ATOMIC_RELAXED);
            page_set(to, page->addr, page->frame);
        }
    }
    pthread_mutex_unlock(&from->lock);
    return to;
}

/* --- the calls that change a space ---------------------------------------------------------------------------- */

static int map(uintptr_t addr, size_t len, struct range range)
{
    struct target_space *space = carrier->thread->space;

    if (addr % PAGE || len % PAGE || !len || addr + len < addr || !is_user((void *)addr) ||
        !is_user((void *)(addr + len - 1)))
        return -EINVAL;
    range.start = addr;
    range.end = addr + len;
    pthread_mutex_lock(&space->lock);
    unmap(space, range.start, range.end);
    range_insert(space, range_from(space, addr), range);
    merge(space);
    pthread_mutex_unlock(&space->lock);
    return 0;
}

#define FAILS(what) request_fails(what, __builtin_return_address(0))

int target_map_anon(uintptr_t addr, size_t len, int prot)
{
    int err = FAILS("map") ? -ENOMEM : map(addr, len, (struct range){.prot = prot, .kind = ANON});

    RESULT(map_anon, err);
}

int target_map_pages(uintptr_t addr, size_t len, int prot, uint64_t offset, bool shared)
{
    struct range range = {
        .prot = prot, .kind = shared ? WINDOW_SHARED : WINDOW_PRIVATE, .offset = offset};
    bool ok = offset % PAGE == 0 && offset <= MYST_WINDOW_SIZE && len <= MYST_WINDOW_SIZE - offset;

    RESULT(map_pages, FAILS("map") ? -ENOMEM : ok ? map(addr, len, range) : -EINVAL);
}

int target_map_file(uintptr_t addr, size_t len, int prot, int file, uint64_t offset)
{
    struct range range = {.prot = prot, .kind = HOST_FILE, .offset = offset};
    int err = -ENOMEM;

    if (!FAILS("map")) {
        range.node = file_node_get(file);
        err = range.node ? map(addr, len, range) : -EBADF;
        if (err && range.node)
            node_put(range.node);
    }
    RESULT(map_file, err);
}

int target_protect(uintptr_t addr, size_t len, int prot)
{
    struct target_space *space = carrier->thread->space;
    int err = -ENOMEM;

    if (!FAILS("protect")) {
        size_t first, last;

        pthread_mutex_lock(&space->lock);
        if (is_covered(space, addr, addr + len)) {
            select_range(space, addr, addr + len, &first, &last);
            for (size_t i = first; i < last; i++)
                space->ranges[i].prot = prot;
            merge(space);
            err = 0;
        }
        pthread_mutex_unlock(&space->lock);
    }
    RESULT(protect, err);
}

int target_unmap(uintptr_t addr, size_t len)
{
    struct target_space *space = carrier->thread->space;

    if (!len || addr + len < addr)
        RESULT(unmap, -EINVAL);
    pthread_mutex_lock(&space->lock);
    unmap(space, addr, addr + len);
    pthread_mutex_unlock(&space->lock);
    RESULT(unmap, 0);
}

struct movement {
    struct target_space *space;
    uintptr_t from, to, end; /* the new range's end */
};

static void then_move(void *arg, uintptr_t addr, struct frame *frame)
{
    struct movement *m = arg;
    uintptr_t to = addr - m->from + m->to;

    if (to < m->end)
        page_set(m->space, to, frame);
    else
        frame_put(frame);
}

static int remap_locked(struct target_space *space, uintptr_t old, size_t old_len,
                        uintptr_t new_addr, size_t new_len)
{
    struct movement m = {space, old, new_addr, new_addr + new_len};
    struct range *range = range_at(space, old), moved;

    if (!range || range->end < old + old_len)
        return -EFAULT;
    split(space, old);
    split(space, old + old_len);
    moved = *range_at(space, old);
    if (moved.node)
        node_get(moved.node);
    moved.start = new_addr;
    moved.end = new_addr + new_len;
    unmap(space, moved.start, moved.end);
    range_insert(space, range_from(space, new_addr), moved);
    pages_take(space, old, old + old_len, then_move, &m);
    unmap(space, old, old + old_len);
    return 0;
}

int target_remap(uintptr_t old, size_t old_len, uintptr_t new_addr, size_t new_len)
{
    struct target_space *space = carrier->thread->space;
    int err = -ENOMEM;

    if (old < new_addr + new_len && new_addr < old + old_len)
        err = -EINVAL; /* mremap(2): the ranges overlap */
    else if (!FAILS("remap")) {
        pthread_mutex_lock(&space->lock);
        err = remap_locked(space, old, old_len, new_addr, new_len);
        pthread_mutex_unlock(&space->lock);
    }
    RESULT(remap, err);
}

int target_advise(uintptr_t addr, size_t len, int advice)
{
    struct target_space *space = carrier->thread->space;
    int err = advice == TARGET_ADVISE_DISCARD ? 0 : -EINVAL;

    if (!err) {
        pthread_mutex_lock(&space->lock);
        if (!is_covered(space, addr, addr + len))
            err = -ENOMEM;
        pages_take(space, addr, addr + len, then_drop, NULL);
        pthread_mutex_unlock(&space->lock);
    }
    RESULT(advise, err);
}

int target_resident(uintptr_t addr, size_t len, uint8_t *out)
{
    struct target_space *space = carrier->thread->space;
    int err = 0;

    pthread_mutex_lock(&space->lock);
    if (!is_covered(space, addr, addr + len))
        err = -ENOMEM;
    for (size_t at = 0; at < len && !err; at += PAGE)
        out[at / PAGE] = range_at(space, addr + at)->kind != ANON || page_frame(space, addr + at);
    pthread_mutex_unlock(&space->lock);
    if (!err)
        OFFER_BYTES(resident, pages, out, len / PAGE);
    RESULT(resident, err);
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

static int64_t other_access(struct target_space *space, enum access access, uintptr_t addr,
                            void *buffer, size_t len)
{
    struct target_fault fault;
    size_t done;

    if (!space_is_known(space))
        return -ESRCH;
    done = space_access(space, access, addr, buffer, len, &fault);
    return done || !len ? (int64_t)done : -EFAULT;
}

int target_space_resident(struct target_space *space, struct target_residence *ranges, size_t n)
{
    pthread_mutex_lock(&space->lock);
    for (size_t i = 0; i < n; i++) {
        ranges[i].own = ranges[i].shared = 0;
        for (size_t at = 0; at < ranges[i].len; at += PAGE) {
            const struct range *range = range_at(space, ranges[i].addr + at);

            if (page_frame(space, ranges[i].addr + at))
                ranges[i].own++;
            else if (range && range->kind != ANON)
                ranges[i].shared++;
        }
    }
    pthread_mutex_unlock(&space->lock);
    for (size_t i = 0; i < n; i++) {
        OFFER(space_resident, own, ranges[i].own);
        OFFER(space_resident, shared, ranges[i].shared);
    }
    RESULT(space_resident, 0);
}

int64_t target_space_peek(struct target_space *space, void *to, uintptr_t from, size_t len)
{
    int64_t done = other_access(space, ACCESS_READ, from, to, len);

    if (done > 0)
        OFFER_BYTES(space_peek, data, to, (size_t)done);
    RESULT(space_peek, done);
}

int64_t target_space_poke(struct target_space *space, uintptr_t to, const void *from, size_t len)
{
    RESULT(space_poke, other_access(space, ACCESS_WRITE, to, (void *)from, len));
}
