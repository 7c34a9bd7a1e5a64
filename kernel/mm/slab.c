/*
 * kernel/mm/slab.c: caches of objects of one size, and kmalloc on top of them.
 *
 * A cache cuts blocks of 16 or 64 KiB from the kernel zone into objects. The block's head stands at its
 * start; free objects are chained through a word of theirs. Where an address belongs is told by the page
 * table of the zone (struct page), so that kfree() needs no size.
 */
#include "base/list.h"
#include "base/string.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "mm/internal.h"
#include "sync/sync.h"

#define BLOCK_SMALL   16384UL
#define BLOCK_LARGE   65536UL
#define SMALL_OBJECT  512U /* objects up to this size come in small blocks */
#define SIZE_MAX_SLAB 8192UL
#define MIN_ALIGN     16UL
#define POISON_FREE   0x6b

struct slab {
    const char *name; /* these five: constant */
    u32 size;         /* of an object, with the padding of its alignment */
    u32 block_size;
    u32 first; /* where the first object of a block stands */
    u32 per_block;
    struct spinlock lock;     /* what follows, and the heads of all blocks */
    u32 nempty;               /* blocks on the list that have no object in use: 0 or 1 */
    size_t in_use;            /* objects */
    struct list_head partial; /* blocks with a free object, empty ones last */
};

struct block {
    struct slab *slab;     /* constant */
    struct list_head link; /* slab->partial, while an object is free; slab->lock */
    void *free;
    u32 in_use;
};

#define KMALLOC(n)                                                                                 \
    {                                                                                              \
        .name = "kmalloc-" #n, .size = (n)                                                         \
    }
static struct slab kmalloc_slabs[] = {
    KMALLOC(16),   KMALLOC(32),   KMALLOC(48),   KMALLOC(64),   KMALLOC(96),   KMALLOC(128),
    KMALLOC(192),  KMALLOC(256),  KMALLOC(384),  KMALLOC(512),  KMALLOC(768),  KMALLOC(1024),
    KMALLOC(1536), KMALLOC(2048), KMALLOC(3072), KMALLOC(4096), KMALLOC(8192),
};

static struct {
    u8 class_of[1024 / 16 +
                1]; /* index into kmalloc_slabs by size in 16 bytes, up to 1 KiB; constant */
    size_t large;   /* atomic: bytes in runs of their own */
} kmem;

static void slab_setup(struct slab *slab, const char *name, size_t size, size_t align)
{
    align = MAX(align, MIN_ALIGN);
    slab->name = name;
    slab->size = (u32)ALIGN_UP(size, align);
    slab->block_size = slab->size <= SMALL_OBJECT ? BLOCK_SMALL : BLOCK_LARGE;
    slab->first = (u32)ALIGN_UP(sizeof(struct block), align);
    slab->per_block = (slab->block_size - slab->first) / slab->size;
    slab->nempty = 0;
    slab->in_use = 0;
    spin_init(&slab->lock, SLAB);
    list_init(&slab->partial);
}

void slab_init(void)
{
    u8 class = 0;

    for (size_t i = 0; i < ARRAY_SIZE(kmalloc_slabs); i++)
        slab_setup(&kmalloc_slabs[i], kmalloc_slabs[i].name, kmalloc_slabs[i].size, MIN_ALIGN);
    for (u32 i = 0; i < ARRAY_SIZE(kmem.class_of); i++) {
        if (i * 16 > kmalloc_slabs[class].size)
            class ++;
        kmem.class_of[i] = class;
    }
    kmem.large = 0;
}

struct slab *slab_create(const char *name, size_t size, size_t align)
{
    ASSERT(size != 0 && size <= SIZE_MAX_SLAB && align <= PAGE_SIZE);
    struct slab *slab = kmalloc(sizeof *slab);

    if (slab)
        slab_setup(slab, name, size, align);
    return slab;
}

/*
 * Debug builds fill what is free, and look at it again when it is handed out. There the chain of free objects runs
 * through their last words: the first is where a count of references stands that somebody may still change.
 */
#ifdef MYST_DEBUG
static void **chain_of(const struct slab *slab, void *object)
{
    return (void **)((char *)object + slab->size - sizeof(void *));
}

static void poison(const struct slab *slab, void *object)
{
    memset(object, POISON_FREE, slab->size - sizeof(void *));
}

static void poison_check(const struct slab *slab, void *object)
{
    const u8 *bytes = object;

    for (u32 i = 0; i < slab->size - sizeof(void *); i++) {
        if (bytes[i] != POISON_FREE)
            panic("mm: %s: object %p was written to after it was freed (byte %u: %#x)", slab->name,
                  object, i, bytes[i]);
    }
}
#else
static void **chain_of(const struct slab *slab, void *object)
{
    (void)slab;
    return object;
}

static void poison(const struct slab *slab, void *object)
{
    (void)slab;
    (void)object;
}

static void poison_check(const struct slab *slab, void *object)
{
    (void)slab;
    (void)object;
}
#endif

static void mark_pages(void *start, size_t bytes, enum page_state first, enum page_state rest)
{
    struct page *page = page_of(pages_offset(start));

    for (u32 i = 0; i < bytes >> PAGE_SHIFT; i++) {
        page[i].state = (u8)(i ? rest : first);
        page[i].next = i;
    }
}

static struct block *block_create_locked(struct slab *slab)
{
    u64 offset = pages_alloc(slab->block_size, PAGE_SIZE, PAGES_DIRTY);

    if (offset == PAGES_NONE)
        return NULL;

    struct block *block = pages_address(offset);
    char *at = (char *)block + slab->first;

    mark_pages(block, slab->block_size, PAGE_SLAB, PAGE_SLAB);
    block->slab = slab;
    block->in_use = 0;
    block->free = at;
    for (u32 i = 1; i <= slab->per_block; i++, at += slab->size) {
        *chain_of(slab, at) = i < slab->per_block ? at + slab->size : NULL;
        poison(slab, at);
    }
    list_add(&block->link, &slab->partial);
    slab->nempty++;
    return block;
}

static void block_destroy_locked(struct slab *slab, struct block *block)
{
    list_del(&block->link);
    slab->nempty--;
    mark_pages(block, slab->block_size, PAGE_RUN, PAGE_INSIDE);
    pages_free(pages_offset(block), slab->block_size);
}

static void *slab_take(struct slab *slab)
{
    spin_lock(&slab->lock);
    struct block *block = list_first_entry(&slab->partial, struct block, link);

    if (unlikely(!block)) {
        block = block_create_locked(slab);
        if (!block) {
            spin_unlock(&slab->lock);
            return NULL;
        }
    }

    void *object = block->free;

    block->free = *chain_of(slab, object);
    if (block->in_use++ == 0)
        slab->nempty--;
    slab->in_use++;
    if (!block->free)
        list_del(&block->link);
    spin_unlock(&slab->lock);
    poison_check(slab, object);
    return object;
}

static void slab_give(struct slab *slab, struct block *block, void *object)
{
    poison(slab, object);
    spin_lock(&slab->lock);
    bool was_full = !block->free;

    *chain_of(slab, object) = block->free;
    block->free = object;
    slab->in_use--;
    if (was_full)
        list_add(&block->link, &slab->partial);
    if (--block->in_use == 0) {
        /* One empty block stays, at the end of the list; a second one goes. */
        list_move_tail(&block->link, &slab->partial);
        if (++slab->nempty > 1)
            block_destroy_locked(slab, block);
    }
    spin_unlock(&slab->lock);
}

/* The block that an object stands in; panics when the address is no object of a slab. */
static struct block *block_of(const void *object)
{
    u64 offset = pages_offset(object);
    const struct page *page = page_of(offset);

    if (page->state != PAGE_SLAB)
        panic("mm: %p is freed, but no object", object);
    return pages_address(ALIGN_DOWN(offset, PAGE_SIZE) - ((u64)page->next << PAGE_SHIFT));
}

void *slab_alloc(struct slab *slab)
{
    void *object = slab_take(slab);

    return object ? memset(object, 0, slab->size) : NULL;
}

void slab_free(struct slab *slab, void *object)
{
    if (!object)
        return;

    struct block *block = block_of(object);

    if (block->slab != slab)
        panic("mm: %p is freed to %s, but belongs to %s", object, slab->name, block->slab->name);
    slab_give(slab, block, object);
}

static struct slab *kmalloc_slab(size_t size)
{
    u32 class;

    if (size <= 1024)
        return &kmalloc_slabs[kmem.class_of[DIV_ROUND_UP(size, 16)]];
    for (class = kmem.class_of[64]; kmalloc_slabs[class].size < size; class ++)
        ;
    return &kmalloc_slabs[class];
}

/* A run of its own: the first unit's entry keeps its length in pages. */
static void *kmalloc_large(size_t size, int flags)
{
    u64 offset = size > SIZE_MAX - PAGE_SIZE ? PAGES_NONE : pages_alloc(size, PAGE_SIZE, flags);

    if (offset == PAGES_NONE)
        return NULL;

    struct page *page = page_of(offset);

    page->state = PAGE_LARGE;
    page->next = (u32)DIV_ROUND_UP(size, PAGE_SIZE);
    __atomic_add_fetch(&kmem.large, (size_t)page->next << PAGE_SHIFT, __ATOMIC_RELAXED);
    return pages_address(offset);
}

void *kmalloc(size_t size)
{
    return size <= SIZE_MAX_SLAB ? slab_take(kmalloc_slab(size)) : kmalloc_large(size, PAGES_DIRTY);
}

void *kzalloc(size_t size)
{
    if (size > SIZE_MAX_SLAB)
        return kmalloc_large(size, 0);

    void *object = slab_take(kmalloc_slab(size));

    return object ? memset(object, 0, size) : NULL;
}

/* Bytes that stand behind the address. */
static size_t kmalloc_room(const void *object)
{
    const struct page *page = page_of(pages_offset(object));

    if (page->state == PAGE_LARGE)
        return (size_t)page->next << PAGE_SHIFT;
    return block_of(object)->slab->size;
}

void kfree(const void *object)
{
    if (!object)
        return;

    u64 offset = pages_offset(object);
    struct page *page = page_of(offset);

    if (page->state == PAGE_LARGE) {
        size_t size = (size_t)page->next << PAGE_SHIFT;

        page->state = PAGE_RUN;
        __atomic_sub_fetch(&kmem.large, size, __ATOMIC_RELAXED);
        pages_free(offset, size);
        return;
    }

    struct block *block = block_of(object);

    slab_give(block->slab, block, (void *)object);
}

void *krealloc(void *old, size_t size)
{
    if (!old)
        return kmalloc(size);

    size_t room = kmalloc_room(old);

    if (size <= room && (size > room / 2 || room <= 64))
        return old;

    void *new = kmalloc(size);

    if (!new)
        return size <= room ? old : NULL;
    memcpy(new, old, MIN(size, room));
    kfree(old);
    return new;
}

size_t kmalloc_used(void)
{
    size_t used = __atomic_load_n(&kmem.large, __ATOMIC_RELAXED);

    for (size_t i = 0; i < ARRAY_SIZE(kmalloc_slabs); i++)
        used += READ_ONCE(kmalloc_slabs[i].in_use) * kmalloc_slabs[i].size;
    return used;
}
