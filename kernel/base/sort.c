/* kernel/base/sort.c: heap sort. */
#include "base/sort.h"

static void swap(u8 *a, u8 *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        u8 byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

/* Lets the element at index sink below its larger children, in a heap of count elements. */
static void sink(u8 *array, size_t index, size_t count, size_t size, compare_fn *compare)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= count)
            return;
        if (child + 1 < count && compare(array + child * size, array + (child + 1) * size) < 0)
            child++;
        if (compare(array + index * size, array + child * size) >= 0)
            return;
        swap(array + index * size, array + child * size, size);
        index = child;
    }
}

void sort(void *array, size_t count, size_t size, compare_fn *compare)
{
    for (size_t i = count / 2; i-- > 0;)
        sink(array, i, count, size, compare);
    for (size_t end = count; end-- > 1;) {
        swap(array, (u8 *)array + end * size, size);
        sink(array, 0, end, size, compare);
    }
}
