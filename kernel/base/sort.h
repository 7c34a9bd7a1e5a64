/* kernel/base/sort.h: sorting in place. */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include "base/types.h"

/* Negative, zero or positive as a belongs before, beside, or behind b. */
typedef int compare_fn(const void *a, const void *b);

/*
 * Heap sort: no memory, no recursion, and n log n steps whatever the order was. Equal elements may
 * change places.
 */
void sort(void *array, size_t count, size_t size, compare_fn *compare);

#endif
