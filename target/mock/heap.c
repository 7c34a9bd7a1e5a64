/*
 * target/mock/heap.c: kmalloc(), its kin and slabs on the heap of the test program, in place of
 * kernel/mm/slab.c and alloc.c: sanitizers then know each object's bounds and who has made and freed it, and
 * a request that fails knows who made it. Objects of more than LARGE bytes stand in a page run of their own, as the
 * kernel's do. Also counts page runs.
 *
 * The prototypes are those of kernel/mm/alloc.h, which a target does not include.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct object {
    struct object *next, **link;
    void *base;        /* in the heap, or of a page run */
    size_t size, head; /* from base to the object */
    const void *maker; /* the address that asked for it */
    uint64_t number;   /* grows */
};

struct slab {
    size_t size, align;
};

#define STACKS_MAX 1024

static struct {
    pthread_mutex_t lock; /* everything */
    struct object *objects;
    uint64_t count, bytes, next_number;
    int64_t runs;
    uint64_t stacks[STACKS_MAX]; /* offsets of kernel stacks; 0: none */
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

#define HEAD(align) ((sizeof(struct object) + (align)-1) / (align) * (align))

/* kernel/mm/pages.c has pages_alloc() and pages_free() under these names in the mock. */
uint64_t page_runs_alloc(size_t bytes, size_t align, int flags);
void page_runs_free(uint64_t offset, size_t bytes);

#define NONE  UINT64_MAX
#define LARGE (2UL << 20)

/* Of AddressSanitizer, where there is one. */
void __asan_poison_memory_region(void const volatile *addr, size_t size) __attribute__((weak));
void __asan_unpoison_memory_region(void const volatile *addr, size_t size) __attribute__((weak));

/* A run is whole pages: what lies behind the object in it is not to be touched. */
static void *run_new(size_t bytes)
{
    uint64_t offset = page_runs_alloc(bytes, PAGE, 0);
    char *base = (char *)MYST_WINDOW_BASE + offset;

    if (offset == NONE)
        return NULL;
    if (__asan_poison_memory_region)
        __asan_poison_memory_region(base + bytes, -bytes % PAGE);
    return base;
}

static bool is_run(const void *base)
{
    return (uintptr_t)base - MYST_WINDOW_BASE < MYST_WINDOW_SIZE;
}

static void run_free(const char *base, size_t bytes)
{
    if (__asan_unpoison_memory_region)
        __asan_unpoison_memory_region(base + bytes, -bytes % PAGE);
    if (carrier) /* else the instance is over, and its runs are gone at once */
        page_runs_free((uint64_t)(base - (char *)MYST_WINDOW_BASE), bytes);
}

static void *object_new(size_t size, size_t align, const void *maker)
{
    struct object *object;
    char *base;

    if (request_fails("object", maker) || size > 1UL << 31)
        return NULL;
    align = align < 16 ? 16 : align;
    if (size > LARGE)
        base = run_new(HEAD(align) + size);
    else if (posix_memalign((void **)&base, align, HEAD(align) + size))
        return NULL;
    if (!base)
        return NULL;
    object = (struct object *)(base + HEAD(align)) - 1;
    object->base = base;
    object->size = size;
    object->head = HEAD(align);
    object->maker = maker;
    pthread_mutex_lock(&heap.lock);
    object->number = heap.next_number++;
    object->next = heap.objects;
    object->link = &heap.objects;
    if (object->next)
        object->next->link = &object->next;
    heap.objects = object;
    heap.count++;
    heap.bytes += size;
    pthread_mutex_unlock(&heap.lock);
    return object + 1;
}

static void object_free(const void *p)
{
    struct object *object = (struct object *)p - 1;

    pthread_mutex_lock(&heap.lock);
    *object->link = object->next;
    if (object->next)
        object->next->link = object->link;
    heap.count--;
    heap.bytes -= object->size;
    pthread_mutex_unlock(&heap.lock);
    if (is_run(object->base))
        run_free(object->base, object->head + object->size);
    else
        free(object->base);
}

#define MAKER __builtin_return_address(0)

void *kmalloc(size_t size);
void *kmalloc(size_t size)
{
    void *p = object_new(size, 16, MAKER);

    return p ? memset(p, 0xa5, size) : NULL; /* not what it was meant to be */
}

void *kzalloc(size_t size);
void *kzalloc(size_t size)
{
    void *p = object_new(size, 16, MAKER);

    return p ? memset(p, 0, size) : NULL;
}

void kfree(const void *p);
void kfree(const void *p)
{
    if (p)
        object_free(p);
}

void *krealloc(void *old, size_t size);
void *krealloc(void *old, size_t size)
{
    size_t had = old ? ((struct object *)old - 1)->size : 0;
    void *new = object_new(size, 16, MAKER);

    if (!new)
        return size <= had ? old : NULL;
    memset(new, 0xa5, size);
    if (old) {
        memcpy(new, old, had < size ? had : size);
        object_free(old);
    }
    return new;
}

void *kcalloc(size_t n, size_t size);
void *kcalloc(size_t n, size_t size)
{
    size_t bytes;
    void *p = __builtin_mul_overflow(n, size, &bytes) ? NULL : object_new(bytes, 16, MAKER);

    return p ? memset(p, 0, bytes) : NULL;
}

static void *object_copy(const void *from, size_t len, size_t size, const void *maker)
{
    char *p = object_new(size, 16, maker);

    if (p) {
        memcpy(p, from, len);
        memset(p + len, 0, size - len);
    }
    return p;
}

void *kmemdup(const void *from, size_t size);
void *kmemdup(const void *from, size_t size)
{
    return object_copy(from, size, size, MAKER);
}

char *kstrdup(const char *text);
char *kstrdup(const char *text)
{
    return object_copy(text, strlen(text), strlen(text) + 1, MAKER);
}

char *kstrndup(const char *text, size_t max);
char *kstrndup(const char *text, size_t max)
{
    size_t len = strnlen(text, max);

    return object_copy(text, len, len + 1, MAKER);
}

size_t kmalloc_used(void);
size_t kmalloc_used(void)
{
    return __atomic_load_n(&heap.bytes, __ATOMIC_RELAXED);
}

void slab_init(void);
void slab_init(void)
{
}

struct slab *slab_create(const char *name, size_t size, size_t align);
struct slab *slab_create(const char *name, size_t size, size_t align)
{
    struct slab *slab = object_new(sizeof(*slab), 16, MAKER);

    (void)name;
    if (slab)
        *slab = (struct slab){size, align};
    return slab;
}

void *slab_alloc(struct slab *slab);
void *slab_alloc(struct slab *slab)
{
    void *p = object_new(slab->size, slab->align, MAKER);

    return p ? memset(p, 0, slab->size) : NULL;
}

void slab_free(struct slab *slab, void *object);
void slab_free(struct slab *slab, void *object)
{
    (void)slab;
    if (object)
        object_free(object);
}

/* --- page runs -------------------------------------------------------------------------------------------- */

uint64_t pages_alloc(size_t bytes, size_t align, int flags);
void pages_free(uint64_t offset, size_t bytes);

/* Kernel stacks are kept for the next thread, and do not count. True: it is one. */
static bool stack_note(uint64_t offset, uint64_t instead)
{
    for (size_t i = 0; i < STACKS_MAX; i++) {
        if (heap.stacks[i] == offset) {
            heap.stacks[i] = instead;
            return true;
        }
    }
    return false;
}

uint64_t pages_alloc(size_t bytes, size_t align, int flags)
{
    uint64_t offset = NONE;

    if (!request_fails("run", MAKER))
        offset = page_runs_alloc(bytes, align, flags);
    if (offset == NONE)
        return NONE;
    pthread_mutex_lock(&heap.lock);
    if (bytes != TARGET_STACK_SIZE || align != TARGET_STACK_SIZE || !stack_note(0, offset))
        heap.runs++;
    pthread_mutex_unlock(&heap.lock);
    return offset;
}

void pages_free(uint64_t offset, size_t bytes)
{
    pthread_mutex_lock(&heap.lock);
    if (bytes != TARGET_STACK_SIZE || !stack_note(offset, 0))
        heap.runs--;
    pthread_mutex_unlock(&heap.lock);
    page_runs_free(offset, bytes);
}

/* --- what there is ------------------------------------------------------------------------------------------ */

void heap_usage(struct mock_usage *out)
{
    pthread_mutex_lock(&heap.lock);
    out->objects = heap.count;
    out->bytes = heap.bytes;
    out->runs = (uint64_t)heap.runs;
    out->number = heap.next_number;
    pthread_mutex_unlock(&heap.lock);
}

/* Of the sanitizers, where there are any. */
void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t size)
    __attribute__((weak));

void mock_usage_print(const struct mock_usage *before)
{
    pthread_mutex_lock(&heap.lock);
    for (const struct object *o = heap.objects; o; o = o->next) {
        char where[200] = "";

        if (o->number < before->number)
            continue;
        if (__sanitizer_symbolize_pc)
            __sanitizer_symbolize_pc((char *)o->maker - 1, "%f %S", where, sizeof(where));
        fprintf(stderr, "mock: an object of %zu bytes is left, made at %p %s\n", o->size, o->maker,
                where);
    }
    pthread_mutex_unlock(&heap.lock);
}

/* The instance is over: what it had is nobody's. */
void heap_reset(void)
{
    while (heap.objects)
        object_free(heap.objects + 1);
    heap.runs = 0;
    memset(heap.stacks, 0, sizeof(heap.stacks));
    heap.next_number = 0;
}
