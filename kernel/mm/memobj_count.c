/* kernel/mm/memobj_count.c: which pages of a memory object are there: stat(2)'s blocks, lseek(2)'s holes, cachestat(2). */
#include "mm/extent.h"

#include "host/mem.h"
#include "mm/alloc.h"

#include <linux/fs.h>

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

u64 memobj_pages(struct memobj *obj, u64 first, u64 last)
{
    u64 count = 0;
    struct extent *e;

    memobj_count_stores(obj);
    mutex_lock(&obj->lock);
    for (e = extent_from(obj, first << PAGE_SHIFT); e && e->start >> PAGE_SHIFT <= last;
         e = rb_next_entry(e, node)) {
        u64 start = e->start >> PAGE_SHIFT;
        size_t pages = extent_pages(e), page = first > start ? first - start : 0;

        for (page = bitmap_next_set(e->present, pages, page); page < pages && start + page <= last;
             page = bitmap_next_set(e->present, pages, page + 1))
            count++;
    }
    mutex_unlock(&obj->lock);
    return count;
}

s64 memobj_seek(struct memobj *obj, u64 offset, int whence)
{
    s64 found = -ENXIO;

    mutex_lock(&obj->lock);
    while (offset < obj->size) {
        u64 run;
        bool data = memobj_piece(obj, offset, &run) != NULL;

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
