/*
 * kernel/mm/pages.c: page runs, by two buddy allocators over the offsets of the page window.
 *
 * The kernel zone hands out 4 KiB to 2 MiB from 2 MiB chunks that are backed as a whole, lowest offsets
 * first: kernel objects and stacks stay dense, and the target can back them by huge pages. The big zone
 * hands out 64 KiB to 1 GiB of offsets that nothing backs until somebody fills or touches them.
 *
 * What is known of each unit stands apart from the units (a free run must not be touched, that would back
 * it), in tables at the window's end that are backed as the zones grow.
 */
#include "mm/alloc.h"

#include "base/errno.h"
#include "base/string.h"
#include "host/mem.h"
#include "log/log.h"
#include "mm/internal.h"
#include "sync/sync.h"

#include <myst/boot.h>

#define CHUNK_SIZE       (2UL << 20) /* what the kernel zone backs at a time; the processor's huge page */
#define CHUNK_POOL       4           /* free chunks that stay backed */
#define BIG_SIZE         (1UL << 30)
#define KERNEL_ZONE_SIZE (MYST_WINDOW_SIZE / 32) /* 256 GiB */
#define TABLE_STEP       65536UL                 /* tables are backed in such pieces */
#define NIL              UINT32_MAX
#define MAX_ORDERS       16

struct zone {
    const char *name;
    unsigned int shift;     /* of a unit's size */
    unsigned int max_order; /* of the greatest run, in units */
    u64 start, end;         /* offsets; constant after pages_init() */
    u64 table_start;        /* offset of the table */
    u64 grown;              /* offsets from start to here have been free or allocated once */
    u64 table_backed;       /* bytes of the table that are backed */
    u32 free[MAX_ORDERS];   /* heads of the lists of free runs, by order */
    u32 unbacked;           /* kernel zone: head of the list of chunks without memory */
    u32 pooled;             /* kernel zone: free chunks with memory */
};

static struct {
    struct spinlock lock; /* everything but `used` and `peak` */
    struct zone kernel, big;
    u64 limit; /* constant */
    u64 used;  /* atomic: bytes of the window that are backed, or about to be */
    u64 peak;  /* atomic: the most that `used` has been */
} pages = {.lock = SPINLOCK(PAGES)};

void *pages_address(u64 offset)
{
    return (void *)(MYST_WINDOW_BASE + offset);
}

u64 pages_offset(const void *address)
{
    return (u64)address - MYST_WINDOW_BASE;
}

static void note_peak(u64 used)
{
    u64 peak = __atomic_load_n(&pages.peak, __ATOMIC_RELAXED);

    while (used > peak && !__atomic_compare_exchange_n(&pages.peak, &peak, used, true,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

int pages_charge(u64 bytes)
{
    u64 used = __atomic_add_fetch(&pages.used, bytes, __ATOMIC_RELAXED);

    if (used <= pages.limit) {
        note_peak(used);
        return 0;
    }
    __atomic_sub_fetch(&pages.used, bytes, __ATOMIC_RELAXED);
    return -ENOMEM;
}

void pages_uncharge(u64 bytes)
{
    __atomic_sub_fetch(&pages.used, bytes, __ATOMIC_RELAXED);
}

u64 pages_used(void)
{
    return __atomic_load_n(&pages.used, __ATOMIC_RELAXED);
}

u64 pages_peak(void)
{
    return __atomic_load_n(&pages.peak, __ATOMIC_RELAXED);
}

u64 pages_limit(void)
{
    return pages.limit;
}

static struct page *zone_page(const struct zone *zone, u32 unit)
{
    return (struct page *)pages_address(zone->table_start) + unit;
}

static u32 zone_unit(const struct zone *zone, u64 offset)
{
    return (u32)((offset - zone->start) >> zone->shift);
}

static u64 zone_offset(const struct zone *zone, u32 unit)
{
    return zone->start + ((u64)unit << zone->shift);
}

static struct zone *zone_of(u64 offset)
{
    if (offset >= pages.kernel.start && offset < pages.kernel.end)
        return &pages.kernel;
    ASSERT(offset >= pages.big.start && offset < pages.big.end);
    return &pages.big;
}

struct page *page_of(u64 offset)
{
    struct zone *zone = zone_of(offset);

    return zone_page(zone, zone_unit(zone, offset));
}

static void list_push(struct zone *zone, u32 *head, u32 unit)
{
    struct page *page = zone_page(zone, unit);

    page->next = *head;
    page->prev = NIL;
    if (*head != NIL)
        zone_page(zone, *head)->prev = unit;
    *head = unit;
}

static void list_unlink(struct zone *zone, u32 *head, u32 unit)
{
    struct page *page = zone_page(zone, unit);

    if (page->prev == NIL)
        *head = page->next;
    else
        zone_page(zone, page->prev)->next = page->next;
    if (page->next != NIL)
        zone_page(zone, page->next)->prev = page->prev;
}

/* Memory back to the host. A refusal loses nothing: the chunk stays backed and charged. */
static bool chunk_release(struct zone *zone, u32 unit)
{
    if (host_pages_drop(zone_offset(zone, unit), CHUNK_SIZE) < 0)
        return false;
    pages_uncharge(CHUNK_SIZE);
    return true;
}

/* Frees a run of 1 << order units, merged with its free neighbours. */
static void zone_free(struct zone *zone, u32 unit, unsigned int order)
{
    while (order < zone->max_order) {
        u32 buddy = unit ^ (1U << order);
        struct page *other = zone_page(zone, buddy);

        if (other->state != PAGE_FREE || other->order != order)
            break;
        list_unlink(zone, &zone->free[order], buddy);
        other->state = PAGE_INSIDE;
        unit &= ~(1U << order);
        order++;
    }

    struct page *page = zone_page(zone, unit);

    page->state = PAGE_FREE;
    page->order = (u8)order;
    if (zone == &pages.kernel && order == zone->max_order) {
        if (pages.kernel.pooled >= CHUNK_POOL && chunk_release(zone, unit)) {
            page->state = PAGE_UNBACKED;
            list_push(zone, &zone->unbacked, unit);
            return;
        }
        pages.kernel.pooled++;
    }
    list_push(zone, &zone->free[order], unit);
}

/* Frees any run of units as the aligned powers of two it consists of. */
static void zone_free_range(struct zone *zone, u32 unit, u32 n)
{
    while (n) {
        unsigned int order = zone->max_order;

        while ((unit & ((1U << order) - 1)) || (1U << order) > n)
            order--;
        zone_free(zone, unit, order);
        unit += 1U << order;
        n -= 1U << order;
    }
}

/* Makes the table cover the first `grown` bytes of the zone. */
static int zone_back_table(struct zone *zone, u64 grown)
{
    u64 need = (grown >> zone->shift) * sizeof(struct page);

    while (zone->table_backed < need) {
        if (pages_charge(TABLE_STEP) < 0)
            return -ENOMEM;
        if (host_pages_fill(zone->table_start + zone->table_backed, TABLE_STEP) < 0) {
            pages_uncharge(TABLE_STEP);
            return -ENOMEM;
        }
        zone->table_backed += TABLE_STEP;
    }
    return 0;
}

/* One more greatest run of offsets: a chunk of the kernel zone, or 1 GiB of the big one. */
static int zone_grow(struct zone *zone)
{
    u64 size = 1UL << (zone->shift + zone->max_order);
    bool backed = zone == &pages.kernel;
    u32 unit = zone->unbacked;
    bool again = backed && unit != NIL;

    if (!again) {
        if (zone->start + zone->grown + size > zone->end)
            return -ENOMEM;
        if (zone_back_table(zone, zone->grown + size) < 0)
            return -ENOMEM;
        unit = (u32)(zone->grown >> zone->shift);
    }
    if (backed) {
        if (pages_charge(size) < 0)
            return -ENOMEM;
        if (host_pages_fill(zone_offset(zone, unit), size) < 0) {
            pages_uncharge(size);
            return -ENOMEM;
        }
        zone->pooled++;
    }
    if (again)
        list_unlink(zone, &zone->unbacked, unit);
    else
        zone->grown += size;

    struct page *page = zone_page(zone, unit);

    page->state = PAGE_FREE;
    page->order = (u8)zone->max_order;
    list_push(zone, &zone->free[zone->max_order], unit);
    return 0;
}

/* n units whose first is aligned to the power of two that holds them; the rest stays free. */
static s64 zone_alloc(struct zone *zone, u32 n, unsigned int order)
{
    unsigned int from = order;

    while (from <= zone->max_order && zone->free[from] == NIL)
        from++;
    if (from > zone->max_order) {
        if (zone_grow(zone) < 0)
            return -ENOMEM;
        from = zone->max_order;
    }

    u32 unit = zone->free[from];

    list_unlink(zone, &zone->free[from], unit);
    if (zone == &pages.kernel && from == zone->max_order)
        zone->pooled--;
    struct page *page = zone_page(zone, unit);

    page->state = PAGE_RUN;
    page->order = 0;
    for (u32 i = 1; i < n; i++)
        zone_page(zone, unit + i)->state = PAGE_INSIDE;
    /* What lies behind the n units: free runs again, all smaller than the one just taken. */
    zone_free_range(zone, unit + n, (1U << from) - n);
    return unit;
}

static unsigned int order_for(u64 units)
{
    return units <= 1 ? 0 : 64 - (unsigned int)__builtin_clzl(units - 1);
}

/* Memory for a run of the big zone, now. */
static int big_fill(u64 offset, u64 bytes)
{
    if (pages_charge(bytes) < 0)
        return -ENOMEM;
    if (host_pages_fill(offset, bytes) < 0) {
        pages_uncharge(bytes);
        return -ENOMEM;
    }
    return 0;
}

u64 pages_alloc(size_t bytes, size_t align, int flags)
{
    bool lazy = flags & PAGES_LAZY;
    struct zone *zone =
        lazy || bytes > CHUNK_SIZE || align > CHUNK_SIZE ? &pages.big : &pages.kernel;
    u64 unit_size = 1UL << zone->shift;

    if (bytes == 0 || bytes > BIG_SIZE || align > BIG_SIZE)
        return PAGES_NONE;

    u64 units = DIV_ROUND_UP(bytes, unit_size);
    unsigned int order = MAX(order_for(units), order_for(DIV_ROUND_UP(align, unit_size)));

    spin_lock(&pages.lock);
    s64 unit = zone_alloc(zone, (u32)units, order);
    if (unit >= 0)
        zone_page(zone, (u32)unit)->backed = !lazy;
    spin_unlock(&pages.lock);
    if (unit < 0)
        return PAGES_NONE;

    u64 offset = zone_offset(zone, (u32)unit);

    if (zone == &pages.kernel) {
        if (!(flags & PAGES_DIRTY))
            memset(pages_address(offset), 0, units << zone->shift);
    } else if (!lazy && big_fill(offset, units << zone->shift) < 0) {
        spin_lock(&pages.lock);
        zone_free_range(zone, (u32)unit, (u32)units);
        spin_unlock(&pages.lock);
        return PAGES_NONE;
    }
    return offset;
}

void pages_free(u64 offset, size_t bytes)
{
    struct zone *zone = zone_of(offset);
    u32 unit = zone_unit(zone, offset);
    u64 units = DIV_ROUND_UP(bytes, 1UL << zone->shift);

    ASSERT(zone_page(zone, unit)->state == PAGE_RUN);
    if (zone == &pages.big) {
        /* A run that keeps its memory would read as what it was: rather lose the offsets than that. */
        if (host_pages_drop(offset, units << zone->shift) < 0) {
            log_warn("mm", "the host does not take %zu KiB back", bytes >> 10);
            return;
        }
        if (zone_page(zone, unit)->backed)
            pages_uncharge(units << zone->shift);
    }

    spin_lock(&pages.lock);
    zone_free_range(zone, unit, (u32)units);
    spin_unlock(&pages.lock);
}

static void zone_init(struct zone *zone, const char *name, unsigned int shift,
                      unsigned int max_order)
{
    zone->name = name;
    zone->shift = shift;
    zone->max_order = max_order;
    zone->unbacked = NIL;
    for (unsigned int i = 0; i < MAX_ORDERS; i++)
        zone->free[i] = NIL;
}

void pages_init(const struct boot_info *boot)
{
    struct zone *kernel = &pages.kernel, *big = &pages.big;
    u64 tables_end = MYST_WINDOW_SIZE;

    zone_init(kernel, "kernel", PAGE_SHIFT, 9);
    zone_init(big, "big", 16, 14);
    kernel->start = ALIGN_UP((u64)boot->data_pages, CHUNK_SIZE);
    kernel->end = kernel->start + KERNEL_ZONE_SIZE;
    big->start = ALIGN_UP(kernel->end, BIG_SIZE);

    /* The tables take the window's end; the big zone whatever is left before them. */
    big->table_start = ALIGN_DOWN(
        tables_end - ((tables_end - big->start) >> big->shift) * sizeof(struct page), CHUNK_SIZE);
    kernel->table_start = ALIGN_DOWN(
        big->table_start - (KERNEL_ZONE_SIZE >> PAGE_SHIFT) * sizeof(struct page), CHUNK_SIZE);
    big->end = ALIGN_DOWN(kernel->table_start, BIG_SIZE);
    pages.limit = boot->memory_size;
    pages.used = 0;
    slab_init();
}
