/* Kernel memory. Every allocation may fail: NULL, and each failure has a path. */
#ifndef MM_ALLOC_H
#define MM_ALLOC_H

#include "base/types.h"

void *kmalloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *kzalloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *kcalloc(size_t n, size_t size) __attribute__((malloc, alloc_size(1, 2)));
void *krealloc(void *p, size_t size);
char *kstrdup(const char *s);
char *kstrndup(const char *s, size_t max);
void *kmemdup(const void *p, size_t size);
void kfree(const void *p);
size_t kmalloc_used(void); /* bytes handed out, for --stats and leak tests */

/* A cache of objects of one size. */
struct slab;
struct slab *slab_create(const char *name, size_t size, size_t align);
void *slab_alloc(struct slab *slab); /* zeroed */
void slab_free(struct slab *slab, void *object);

/*
 * Page runs: whole pages of the page window, mappable into programs by offset. They read as zeros.
 * PAGES_LAZY: not backed yet, backed by the first touch; the caller charges what it touches.
 * PAGES_DIRTY: whatever stood there before will do (kernel stacks).
 */
#define PAGES_LAZY  1
#define PAGES_DIRTY 2
#define PAGES_NONE  UINT64_MAX
u64 pages_alloc(size_t bytes, size_t align, int flags); /* offset, or PAGES_NONE */
void pages_free(u64 offset, size_t bytes); /* the memory goes back to the host or the pool */
void *pages_address(u64 offset);
u64 pages_offset(const void *address);

/* The instance's ceiling: backed bytes of the window. 0 or -ENOMEM; uncharge never fails. */
int pages_charge(u64 bytes);
void pages_uncharge(u64 bytes);
u64 pages_used(void);
u64 pages_peak(void); /* the most that was ever used */
u64 pages_limit(void);

/* The first call of all into this room: everything above boot->data_pages is ours from here on. */
struct boot_info;
void pages_init(const struct boot_info *boot);

#endif
