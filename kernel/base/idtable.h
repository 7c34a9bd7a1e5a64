/*
 * kernel/base/idtable.h: a growing table from small numbers to pointers, which hands out the lowest
 * free number of a range (descriptors, process ids, IPC and key ids).
 *
 * The lock is the caller's, and is held while the memory functions run. A number may be taken with
 * a NULL pointer: it is then reserved, and idtable_find and idtable_next do not see it.
 */
#ifndef BASE_IDTABLE_H
#define BASE_IDTABLE_H

#include "base/types.h"

/* Where nodes come from: alloc returns NULL when there is no memory, and need not clear it. */
struct idtable_memory {
    void *(*alloc)(size_t size);
    void (*free)(void *mem, size_t size);
};

struct idtable {
    const struct idtable_memory *memory; /* constant */
    struct idnode *root;                 /* NULL when no number is taken */
    unsigned int height;                 /* levels of inner nodes above the leaves */
};

void idtable_init(struct idtable *table, const struct idtable_memory *memory);

/* Frees the nodes. What the pointers lead to is the caller's. */
void idtable_destroy(struct idtable *table);

/* Takes the lowest free number in first..last (both included): the number, -ENOSPC or -ENOMEM. */
s64 idtable_alloc(struct idtable *table, void *ptr, u32 first, u32 last) __must_check;

/* Takes that number: 0, -EEXIST or -ENOMEM. */
long idtable_insert(struct idtable *table, u32 id, void *ptr) __must_check;

/* NULL when the number is free or reserved. */
void *idtable_find(const struct idtable *table, u32 id);

/* Whether the number is taken, be it with NULL. */
bool idtable_taken(const struct idtable *table, u32 id);

/* Changes the pointer of a number that is taken, and returns the old one. */
void *idtable_replace(struct idtable *table, u32 id, void *ptr);

/* Frees the number and returns its pointer; NULL also when it was free. */
void *idtable_remove(struct idtable *table, u32 id);

/* The pointer of the lowest number >= *id that has one, with *id set to it; NULL at the end. */
void *idtable_next(const struct idtable *table, u32 *id);

/* The body may remove id and insert others. A table in use up to UINT32_MAX is not for this loop. */
#define idtable_for_each(table, id, ptr)                                                           \
    for (id = 0; (ptr = idtable_next(table, &(id))) != NULL; id++)

#endif
