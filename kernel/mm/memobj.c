/*
 * kernel/mm/memobj.c: the contents of a file as memory.
 *
 * Extents double with the object: pages of the kernel zone up to 64 KiB in all (backed when they are
 * allocated), then runs of the big zone up to 1 GiB each, whose memory is asked for in units of 64 KiB
 * right before something is written there. A page that has been written or reserved is `present`; any other
 * holds zeros, or nothing at all, and is read without being touched. In an extent that a program has mapped
 * shared this cannot be known: all of it counts as present.
 */
#include "mm/memobj.h"
#include "mm/vma.h"
#include "self/self.h"

#include "base/bitmap.h"
#include "base/rbtree.h"
#include "base/refcount.h"
#include "base/string.h"
#include "host/mem.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "sync/sync.h"

#include <linux/fs.h>

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

static size_t extent_pages(const struct extent *e)
{
    return e->len >> PAGE_SHIFT;
}

static size_t extent_units(const struct extent *e)
{
    return DIV_ROUND_UP(e->len, UNIT_SIZE);
}

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

static void extent_free(struct extent *e)
{
    if (!e->solid)
        pages_uncharge(bitmap_weight(e->backed, extent_units(e)) * UNIT_SIZE);
    pages_free(e->window, e->len);
    kfree(e);
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

static void set_size_locked(struct memobj *obj, u64 size)
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

/* ---- extents ------------------------------------------------------------------------------------- */

static bool extent_before(const struct rb_node *a, const struct rb_node *b)
{
    return rb_entry(a, struct extent, node)->start < rb_entry(b, struct extent, node)->start;
}

/* By end, so that rb_find_from() gives the first extent that ends behind the offset. */
static int extent_compare(const void *key, const struct rb_node *node)
{
    const struct extent *e = rb_entry(node, struct extent, node);
    u64 offset = *(const u64 *)key;

    return offset < e->start ? -1 : offset >= e->start + e->len ? 1 : 0;
}

/* The extent that holds the offset or else the next one behind it. */
static struct extent *extent_from(struct memobj *obj, u64 offset)
{
    return rb_entry_or_null(rb_find_from(&obj->extents, &offset, extent_compare), struct extent,
                            node);
}

static struct extent *extent_at(struct memobj *obj, u64 offset)
{
    return rb_entry_or_null(rb_find(&obj->extents, &offset, extent_compare), struct extent, node);
}

static u64 pow2_up(u64 x)
{
    return x <= 1 ? 1 : 1UL << (64 - __builtin_clzl(x - 1));
}

/*
 * How much to take at offset for a want of that many bytes: as much again as there is, where the object just
 * grows; one unit somewhere in the void; always a power of two, aligned to itself, clear of the neighbours.
 */
static void extent_choose(struct memobj *obj, u64 offset, u64 want, u64 *start, u64 *len)
{
    struct extent *next = extent_from(obj, offset);
    struct extent *prev =
        next ? rb_prev_entry(next, node) : rb_last_entry(&obj->extents, struct extent, node);
    u64 low = prev ? prev->start + prev->len : 0;
    u64 high = next ? next->start : OBJECT_MAX + EXTENT_MAX;
    u64 size = pow2_up(MAX(want, PAGE_SIZE));

    if (ALIGN_DOWN(offset, PAGE_SIZE) == low)
        size = MAX(size, pow2_up(obj->allocated / 2 + 1));
    else
        size = MAX(size, UNIT_SIZE);
    size = MIN(size, EXTENT_MAX);
    for (;; size /= 2) {
        *start = ALIGN_DOWN(offset, size);
        *len = size;
        if (*start >= low && *start + size <= high)
            return;
    }
}

static struct extent *extent_create(struct memobj *obj, u64 offset, u64 want)
{
    u64 start, len;

    extent_choose(obj, offset, want, &start, &len);

    bool solid = len < UNIT_SIZE;
    size_t present = BITMAP_WORDS(len >> PAGE_SHIFT);
    size_t backed = solid ? 0 : BITMAP_WORDS(len / UNIT_SIZE);
    struct extent *e = kzalloc(sizeof *e + (present + backed) * sizeof(unsigned long));

    if (!e)
        return NULL;
    e->start = start;
    e->len = len;
    e->solid = solid;
    e->present = (unsigned long *)(e + 1);
    e->backed = solid ? NULL : e->present + present;
    e->window = pages_alloc(len, PAGE_SIZE, solid ? 0 : PAGES_LAZY);
    if (e->window == PAGES_NONE) {
        kfree(e);
        return NULL;
    }
    rb_insert(&obj->extents, &e->node, extent_before);
    obj->allocated += len;
    return e;
}

static struct extent *extent_make(struct memobj *obj, u64 offset, u64 want)
{
    struct extent *e = extent_at(obj, offset);

    return e ? e : extent_create(obj, offset, MIN(want, EXTENT_MAX));
}

/* Memory for bytes [from, to) of an extent. */
static int extent_back(struct extent *e, u64 from, u64 to)
{
    size_t last = DIV_ROUND_UP(to, UNIT_SIZE);

    if (e->solid)
        return 0;
    for (size_t unit = from / UNIT_SIZE; unit < last;) {
        size_t n = 0;

        if (bitmap_test(e->backed, unit)) {
            unit++;
            continue;
        }
        while (unit + n < last && !bitmap_test(e->backed, unit + n))
            n++;
        if (pages_charge(n * UNIT_SIZE) < 0)
            return -ENOSPC;
        if (host_pages_fill(e->window + unit * UNIT_SIZE, n * UNIT_SIZE) < 0) {
            pages_uncharge(n * UNIT_SIZE);
            return -ENOSPC;
        }
        bitmap_set_range(e->backed, unit, n);
        unit += n;
    }
    return 0;
}

static void mark_present(struct memobj *obj, struct extent *e, u64 from, u64 to)
{
    for (size_t page = from >> PAGE_SHIFT; page < DIV_ROUND_UP(to, PAGE_SIZE); page++) {
        if (!bitmap_test(e->present, page)) {
            bitmap_set(e->present, page);
            obj->present++;
        }
    }
}

/* ---- read and write ------------------------------------------------------------------------------- */

/*
 * What stands at offset: the place of its bytes in the window, or NULL for a hole; *run is how far the same
 * holds.
 */
static void *find_piece(struct memobj *obj, u64 offset, u64 *run)
{
    struct extent *e = extent_from(obj, offset);

    if (!e || e->start > offset) {
        *run = e ? e->start - offset : UINT64_MAX;
        return NULL;
    }

    u64 at = offset - e->start;
    size_t page = at >> PAGE_SHIFT, pages = extent_pages(e), end;
    bool present = e->exposed || bitmap_test(e->present, page);

    if (e->exposed)
        end = pages;
    else if (present)
        end = bitmap_next_zero(e->present, pages, page);
    else
        end = bitmap_next_set(e->present, pages, page);
    *run = ((u64)end << PAGE_SHIFT) - at;
    return present ? pages_address(e->window + at) : NULL;
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
        void *piece = find_piece(obj, at, &run);
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

/* Zeros in bytes of one page. */
static void zero_part(struct extent *e, u64 at, u64 len)
{
    if (len && (e->exposed || bitmap_test(e->present, at >> PAGE_SHIFT)))
        memset(pages_address(e->window + at), 0, len);
}

/* The object grows: what a mapping left behind its end, in the last page, must not show. */
static void zero_tail(struct memobj *obj)
{
    struct extent *e = extent_at(obj, obj->size);

    if (e && e->exposed)
        zero_part(e, obj->size - e->start, -obj->size & (PAGE_SIZE - 1));
}

/* One contiguous piece of a write. Bytes, or an error. */
static ssize_t write_piece(struct memobj *obj, struct iter *from, u64 offset, size_t n)
{
    mutex_lock(&obj->lock);
    if (offset > obj->size)
        zero_tail(obj);

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
    mark_present(obj, e, at, at + n);

    u64 generation = obj->generation;

    mutex_unlock(&obj->lock);

    /* The extent stays where it is as long as the object lives. */
    ssize_t moved = copy_from_iter(from, pages_address(e->window + at), n);

    mutex_lock(&obj->lock);
    if (obj->generation != generation)
        clean_up_locked(e, at, at + n);
    if (moved > 0 && offset + (u64)moved > obj->size)
        set_size_locked(obj, offset + (u64)moved);
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

/* ---- changes of what is there --------------------------------------------------------------------- */

/* Gives back what memory can be given back of the whole pages [first, last), which are not present. */
static void release_pages(struct extent *e, size_t first, size_t last)
{
    size_t unit = first / UNIT_PAGES;

    for (; !e->solid && unit * UNIT_PAGES < last; unit++) {
        size_t begin = unit * UNIT_PAGES, end = begin + UNIT_PAGES;
        bool empty = bitmap_next_set(e->present, end, begin) == end;
        bool whole = begin >= first && end <= last;

        if (!(e->exposed ? whole : empty) || !(e->exposed || bitmap_test(e->backed, unit)))
            continue;
        if (host_pages_drop(e->window + unit * UNIT_SIZE, UNIT_SIZE) < 0) {
            memset(pages_address(e->window + unit * UNIT_SIZE), 0, UNIT_SIZE);
            continue;
        }
        if (bitmap_test(e->backed, unit)) {
            bitmap_clear(e->backed, unit);
            pages_uncharge(UNIT_SIZE);
        }
    }
}

/* Bytes [from, to) of one extent become a hole. */
static void extent_punch(struct memobj *obj, struct extent *e, u64 from, u64 to)
{
    size_t first = DIV_ROUND_UP(from, PAGE_SIZE), last = to >> PAGE_SHIFT;

    if (first > last) {
        zero_part(e, from, to - from);
        return;
    }
    zero_part(e, from, ((u64)first << PAGE_SHIFT) - from);
    zero_part(e, (u64)last << PAGE_SHIFT, to - ((u64)last << PAGE_SHIFT));
    for (size_t page = first; page < last; page++) {
        if (e->exposed || bitmap_test(e->present, page)) {
            size_t unit = page / UNIT_PAGES;
            bool whole = unit * UNIT_PAGES >= first && (unit + 1) * UNIT_PAGES <= last;

            /* Whole units are dropped below. */
            if (e->solid || !whole)
                memset(pages_address(e->window + ((u64)page << PAGE_SHIFT)), 0, PAGE_SIZE);
            if (bitmap_test(e->present, page)) {
                bitmap_clear(e->present, page);
                obj->present--;
            }
        }
    }
    release_pages(e, first, last);
}

static void punch_locked(struct memobj *obj, u64 offset, u64 end)
{
    struct extent *e;

    obj->generation++;
    for (e = extent_from(obj, offset); e && e->start < end; e = rb_next_entry(e, node)) {
        u64 from = MAX(offset, e->start) - e->start;
        u64 to = MIN(end, e->start + e->len) - e->start;

        extent_punch(obj, e, from, to);
    }
}

void (*mm_notify)(struct mm *mm);

/* Every space that maps the object has pages to take out; the caller's does it right after. */
static void mark_mappings_locked(struct memobj *obj)
{
    struct vma *vma;

    list_for_each_entry(vma, &obj->mappings, mapping) {
        __atomic_store_n(&vma->mm->behind, true, __ATOMIC_RELEASE);
        if (vma->mm != self()->mm && mm_notify)
            mm_notify(vma->mm);
    }
}

void memobj_link(struct memobj *obj, struct list_head *mapping)
{
    mutex_lock(&obj->lock);
    list_add_tail(mapping, &obj->mappings);
    mutex_unlock(&obj->lock);
}

void memobj_unlink(struct memobj *obj, struct list_head *mapping)
{
    mutex_lock(&obj->lock);
    list_del(mapping);
    mutex_unlock(&obj->lock);
}

int memobj_truncate(struct memobj *obj, u64 size)
{
    if (size > OBJECT_MAX)
        return -EFBIG;
    mutex_lock(&obj->lock);
    bool shrinks = size < obj->size;

    if (shrinks || size == obj->size)
        punch_locked(obj, size, OBJECT_MAX + EXTENT_MAX);
    else
        zero_tail(obj);
    set_size_locked(obj, size);
    if (shrinks)
        mark_mappings_locked(obj);
    mutex_unlock(&obj->lock);
    if (shrinks)
        mm_catch_up();
    return 0;
}

void memobj_punch(struct memobj *obj, u64 offset, u64 len)
{
    u64 end;

    if (add_overflow(offset, len, &end))
        end = UINT64_MAX;
    mutex_lock(&obj->lock);
    punch_locked(obj, offset, end);
    mutex_unlock(&obj->lock);
}

int memobj_reserve(struct memobj *obj, u64 offset, u64 len)
{
    u64 end;
    int err = 0;

    if (add_overflow(offset, len, &end) || end > OBJECT_MAX)
        return -EFBIG;
    mutex_lock(&obj->lock);
    while (offset < end && !err) {
        struct extent *e = extent_make(obj, offset, end - offset);

        if (!e) {
            err = -ENOMEM;
            break;
        }
        u64 at = offset - e->start, to = MIN(end - e->start, e->len);

        err = extent_back(e, at, to);
        if (!err)
            mark_present(obj, e, at, to);
        offset = e->start + to;
    }
    mutex_unlock(&obj->lock);
    return err;
}

/* ---- what is there -------------------------------------------------------------------------------- */

u64 memobj_bytes(struct memobj *obj)
{
    mutex_lock(&obj->lock);
    u64 bytes = obj->present << PAGE_SHIFT;
    mutex_unlock(&obj->lock);
    return bytes;
}

static bool page_is_zero(const struct extent *e, size_t page)
{
    const u64 *word = pages_address(e->window + ((u64)page << PAGE_SHIFT));

    for (size_t i = 0; i < PAGE_SIZE / sizeof(*word); i++) {
        if (READ_ONCE(word[i]))
            return false;
    }
    return true;
}

/* Pages [first, last) have memory. Where we asked for it ahead, only what it holds tells whether it was touched. */
static void count_pages(struct memobj *obj, struct extent *e, size_t first, size_t last)
{
    for (size_t page = first; page < last; page++) {
        bool ahead = e->solid || bitmap_test(e->backed, page / UNIT_PAGES);

        if (bitmap_test(e->present, page) || (ahead && page_is_zero(e, page)))
            continue;
        bitmap_set(e->present, page);
        obj->present++;
    }
}

static void count_extent(struct memobj *obj, struct extent *e)
{
    u64 end = e->window + e->len, from = e->window, to;

    for (; from < end; from = to) {
        from = host_pages_seek(from, end - from, true);
        to = from < end ? host_pages_seek(from, end - from, false) : end;
        count_pages(obj, e, (from - e->window) >> PAGE_SHIFT, (to - e->window) >> PAGE_SHIFT);
        to = MAX(to, from + PAGE_SIZE); /* memory that is given back just now */
    }
}

void memobj_count_stores(struct memobj *obj)
{
    struct extent *e;

    mutex_lock(&obj->lock);
    if (obj->uncounted) {
        obj->uncounted = memobj_writers(obj) != 0;
        rb_for_each_entry(e, &obj->extents, node) {
            if (e->exposed)
                count_extent(obj, e);
        }
    }
    mutex_unlock(&obj->lock);
}

s64 memobj_seek(struct memobj *obj, u64 offset, int whence)
{
    s64 found = -ENXIO;

    mutex_lock(&obj->lock);
    while (offset < obj->size) {
        u64 run;
        bool data = find_piece(obj, offset, &run) != NULL;

        if (data == (whence == SEEK_DATA)) {
            found = (s64)offset;
            break;
        }
        if (run >= obj->size - offset) {
            /* Behind the end everything is a hole. */
            found = whence == SEEK_HOLE ? (s64)obj->size : -ENXIO;
            break;
        }
        offset += run;
    }
    mutex_unlock(&obj->lock);
    return found;
}

int memobj_map(struct memobj *obj, u64 offset, u64 len, bool shared, u64 *window_offset, u64 *run)
{
    mutex_lock(&obj->lock);
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
