/* target/mock/space.c: address spaces of programs: their lifetimes, and the calls that change them. */
#include "space.h"

#include <stdlib.h>

#define SPACES_MAX 256

static struct {
    pthread_mutex_t lock;
    uint64_t next_number;
    struct target_space at[SPACES_MAX];
} spaces = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- lifetimes ---------------------------------------------------------------------------------------------- */

static void space_clear(struct target_space *space)
{
    pthread_mutex_lock(&space->lock);
    space_unmap_locked(space, 0, UINTPTR_MAX);
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

struct target_space *space_blank_new(void)
{
    struct target_space *space = space_new();

    if (space)
        __atomic_store_n(&space->blank, true, __ATOMIC_SEQ_CST);
    return space;
}

bool space_blank_take(struct target_space *space)
{
    return space_is_known(space) && __atomic_exchange_n(&space->blank, false, __ATOMIC_SEQ_CST);
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

void spaces_reset(void)
{
    for (size_t i = 0; i < SPACES_MAX; i++) {
        struct target_space *space = &spaces.at[i];

        if (!space->number)
            pthread_mutex_init(&space->lock, NULL);
        if (space->users)
            space_clear(space);
        space->users = 0;
        space->blank = false;
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
    space_unmap_locked(space, range.start, range.end);
    range_insert(space, range_from(space, addr), range);
    ranges_merge(space);
    pthread_mutex_unlock(&space->lock);
    return 0;
}

#define FAILS(what) request_fails(what, ASKER)

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
        if (ranges_cover(space, addr, addr + len)) {
            ranges_select(space, addr, addr + len, &first, &last);
            for (size_t i = first; i < last; i++)
                space->ranges[i].prot = prot;
            ranges_merge(space);
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
    space_unmap_locked(space, addr, addr + len);
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
    range_split(space, old);
    range_split(space, old + old_len);
    moved = *range_at(space, old);
    if (moved.node)
        node_get(moved.node);
    moved.start = new_addr;
    moved.end = new_addr + new_len;
    space_unmap_locked(space, moved.start, moved.end);
    range_insert(space, range_from(space, new_addr), moved);
    pages_take(space, old, old + old_len, then_move, &m);
    space_unmap_locked(space, old, old + old_len);
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
        if (!ranges_cover(space, addr, addr + len))
            err = -ENOMEM;
        pages_take(space, addr, addr + len, page_drop, NULL);
        pthread_mutex_unlock(&space->lock);
    }
    RESULT(advise, err);
}

int target_resident(uintptr_t addr, size_t len, uint8_t *out)
{
    struct target_space *space = carrier->thread->space;
    int err = 0;

    pthread_mutex_lock(&space->lock);
    if (!ranges_cover(space, addr, addr + len))
        err = -ENOMEM;
    for (size_t at = 0; at < len && !err; at += PAGE)
        out[at / PAGE] = range_at(space, addr + at)->kind != ANON || page_frame(space, addr + at);
    pthread_mutex_unlock(&space->lock);
    if (!err)
        OFFER_BYTES(resident, pages, out, len / PAGE);
    RESULT(resident, err);
}

/* --- another space's memory ---------------------------------------------------------------------------------- */

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
    if (!space_is_known(space))
        RESULT(space_resident, -ESRCH);
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
