/* kernel/mm/memobj.c: the contents of a file as memory: life of the object, reading, writing, mapping. */
#include "mm/extent.h"

#include "base/string.h"
#include "host/mem.h"
#include "log/log.h"
#include "mm/alloc.h"

struct memobj *memobj_create(void)
{
    struct memobj *obj = kzalloc(sizeof *obj);

    if (!obj)
        return NULL;
    refcount_init(&obj->ref, 1);
    mutex_init(&obj->lock, MEMOBJ);
    rb_tree_init(&obj->extents, NULL);
    list_init(&obj->mappings);
    return obj;
}

struct memobj *memobj_get(struct memobj *obj)
{
    refcount_get(&obj->ref);
    return obj;
}

void memobj_put(struct memobj *obj)
{
    struct extent *e, *next;

    if (!obj || !refcount_put(&obj->ref))
        return;
    rb_for_each_entry_safe(e, next, &obj->extents, node) {
        rb_erase(&obj->extents, &e->node);
        extent_free(e);
    }
    kfree(obj);
}

u64 memobj_size(const struct memobj *obj)
{
    return __atomic_load_n(&obj->size, __ATOMIC_ACQUIRE);
}

void memobj_set_size(struct memobj *obj, u64 size)
{
    __atomic_store_n(&obj->size, size, __ATOMIC_RELEASE);
}

void memobj_count_writer(struct memobj *obj, bool more)
{
    __atomic_add_fetch(&obj->writers, more ? 1U : -1U, __ATOMIC_RELAXED);
}

u32 memobj_writers(const struct memobj *obj)
{
    return __atomic_load_n(&obj->writers, __ATOMIC_RELAXED);
}

/* ---- read and write ------------------------------------------------------------------------------- */

/*
 * The extent that has the page at offset, NULL for a hole, and how far the same holds. What programs may have stored
 * to is there, unless only what was counted is asked for.
 */
static struct extent *find_run(struct memobj *obj, u64 offset, bool counted, u64 *run)
{
    struct extent *e = extent_from(obj, offset);

    if (!e || e->start > offset) {
        *run = e ? e->start - offset : UINT64_MAX;
        return NULL;
    }

    u64 at = offset - e->start;
    size_t page = at >> PAGE_SHIFT, pages = extent_pages(e), end;
    bool all = e->exposed && !counted, present = all || bitmap_test(e->present, page);

    if (all)
        end = pages;
    else if (present)
        end = bitmap_next_zero(e->present, pages, page);
    else
        end = bitmap_next_set(e->present, pages, page);
    *run = ((u64)end << PAGE_SHIFT) - at;
    return present ? e : NULL;
}

void *memobj_piece(struct memobj *obj, u64 offset, u64 *run)
{
    struct extent *e = find_run(obj, offset, false, run);

    return e ? pages_address(e->window + (offset - e->start)) : NULL;
}

ssize_t memobj_read(struct memobj *obj, struct iter *to, u64 offset, size_t n)
{
    size_t done = 0;

    n = MIN(n, iter_left(to));
    while (done < n) {
        u64 run;

        mutex_lock(&obj->lock);
        u64 size = obj->size, at = offset + done;

        if (at >= size) {
            mutex_unlock(&obj->lock);
            break;
        }
        void *piece = memobj_piece(obj, at, &run);
        mutex_unlock(&obj->lock);

        size_t want = MIN(MIN(run, size - at), n - done);
        ssize_t moved = piece ? copy_to_iter(to, piece, want) : zero_iter(to, want);

        if (moved < 0)
            return done ? (ssize_t)done : moved;
        done += (size_t)moved;
        if ((size_t)moved < want)
            break;
    }
    return (ssize_t)done;
}

/* After a truncation went by while we copied: what is no longer part of the object must hold zeros again. */
static void clean_up_locked(struct extent *e, u64 from, u64 to)
{
    for (size_t page = from >> PAGE_SHIFT; page < DIV_ROUND_UP(to, PAGE_SIZE); page++) {
        size_t unit = page / UNIT_PAGES;

        if (bitmap_test(e->present, page))
            continue;
        if (e->solid || bitmap_test(e->backed, unit))
            memset(pages_address(e->window + ((u64)page << PAGE_SHIFT)), 0, PAGE_SIZE);
        else if (host_pages_drop(e->window + unit * UNIT_SIZE, UNIT_SIZE) < 0)
            log_warn("mm", "the host does not take a file's pages back");
    }
}

void memobj_zero_tail(struct memobj *obj)
{
    struct extent *e = extent_at(obj, obj->size);

    if (e && e->exposed)
        extent_zero(e, obj->size - e->start, -obj->size & (PAGE_SIZE - 1));
}

/* One contiguous piece of a write. Bytes, or an error. */
static ssize_t write_piece(struct memobj *obj, struct iter *from, u64 offset, size_t n)
{
    mutex_lock(&obj->lock);
    if (offset > obj->size)
        memobj_zero_tail(obj);

    struct extent *e = extent_make(obj, offset, n);
    u64 at = e ? offset - e->start : 0;
    int err = e ? 0 : -ENOSPC;

    if (e) {
        n = MIN(n, e->len - at);
        err = extent_back(e, at, at + n);
    }
    if (err) {
        mutex_unlock(&obj->lock);
        return err;
    }
    extent_mark(obj, e, at, at + n);

    u64 generation = obj->generation;

    mutex_unlock(&obj->lock);

    /* The extent stays where it is as long as the object lives. */
    ssize_t moved = copy_from_iter(from, pages_address(e->window + at), n);

    mutex_lock(&obj->lock);
    if (obj->generation != generation)
        clean_up_locked(e, at, at + n);
    if (moved > 0 && offset + (u64)moved > obj->size)
        memobj_set_size(obj, offset + (u64)moved);
    mutex_unlock(&obj->lock);
    return moved;
}

ssize_t memobj_write(struct memobj *obj, struct iter *from, u64 offset, size_t n)
{
    size_t done = 0;

    n = MIN(n, iter_left(from));
    if (offset > OBJECT_MAX || n > OBJECT_MAX - offset)
        return -EFBIG;
    while (done < n) {
        ssize_t moved = write_piece(obj, from, offset + done, n - done);

        if (moved < 0)
            return done ? (ssize_t)done : moved;
        done += (size_t)moved;
        if (moved == 0)
            break;
    }
    return (ssize_t)done;
}

/* ---- mapping -------------------------------------------------------------------------------------- */

int memobj_map(struct memobj *obj, u64 offset, u64 len, bool shared, u64 *window_offset, u64 *run)
{
    u64 same = len;

    mutex_lock(&obj->lock);
    if (shared && obj->scarce && !find_run(obj, offset, true, &same)) {
        mutex_unlock(&obj->lock);
        *window_offset = PAGES_NONE;
        *run = MIN(len, same);
        return 0;
    }
    len = MIN(len, same);

    struct extent *e = extent_make(obj, offset, len);

    if (e) {
        *window_offset = e->window + (offset - e->start);
        *run = MIN(len, e->len - (offset - e->start));
        if (shared)
            e->exposed = obj->uncounted = true;
    }
    mutex_unlock(&obj->lock);
    return e ? 0 : -ENOMEM;
}
