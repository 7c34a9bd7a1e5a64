/* kernel/mm/extent.c: extents of memory objects: where their bytes stand in the window, and what has memory. */
#include "mm/extent.h"

#include "base/string.h"
#include "host/mem.h"
#include "mm/alloc.h"

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

struct extent *extent_from(struct memobj *obj, u64 offset)
{
    return rb_entry_or_null(rb_find_from(&obj->extents, &offset, extent_compare), struct extent,
                            node);
}

struct extent *extent_at(struct memobj *obj, u64 offset)
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

struct extent *extent_make(struct memobj *obj, u64 offset, u64 want)
{
    struct extent *e = extent_at(obj, offset);

    return e ? e : extent_create(obj, offset, MIN(want, EXTENT_MAX));
}

int extent_back(struct extent *e, u64 from, u64 to)
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

void extent_mark(struct memobj *obj, struct extent *e, u64 from, u64 to)
{
    for (size_t page = from >> PAGE_SHIFT; page < DIV_ROUND_UP(to, PAGE_SIZE); page++) {
        if (!bitmap_test(e->present, page)) {
            bitmap_set(e->present, page);
            obj->present++;
        }
    }
}

void extent_zero(struct extent *e, u64 at, u64 len)
{
    if (len && (e->exposed || bitmap_test(e->present, at >> PAGE_SHIFT)))
        memset(pages_address(e->window + at), 0, len);
}

void extent_free(struct extent *e)
{
    if (!e->solid)
        pages_uncharge(bitmap_weight(e->backed, extent_units(e)) * UNIT_SIZE);
    pages_free(e->window, e->len);
    kfree(e);
}
