/* kernel/mm/memobj_change.c: truncation, holes and reservation of memory objects, and who maps what is cut off. */
#include "mm/extent.h"

#include "base/string.h"
#include "host/mem.h"
#include "mm/alloc.h"
#include "mm/vma.h"
#include "self/self.h"

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
        extent_zero(e, from, to - from);
        return;
    }
    extent_zero(e, from, ((u64)first << PAGE_SHIFT) - from);
    extent_zero(e, (u64)last << PAGE_SHIFT, to - ((u64)last << PAGE_SHIFT));
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
        memobj_zero_tail(obj);
    memobj_set_size(obj, size);
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
    if (obj->scarce)
        mark_mappings_locked(obj);
    mutex_unlock(&obj->lock);
    if (memobj_is_scarce(obj))
        mm_catch_up();
}

void memobj_make_scarce(struct memobj *obj)
{
    mutex_lock(&obj->lock);
    __atomic_store_n(&obj->scarce, true, __ATOMIC_RELEASE);
    mark_mappings_locked(obj);
    mutex_unlock(&obj->lock);
}

bool memobj_is_scarce(const struct memobj *obj)
{
    return __atomic_load_n(&obj->scarce, __ATOMIC_ACQUIRE);
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
            extent_mark(obj, e, at, to);
        offset = e->start + to;
    }
    mutex_unlock(&obj->lock);
    return err;
}
