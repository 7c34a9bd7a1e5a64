/* kernel/mm/alloc.c: what is convenient on top of kmalloc(). */
#include "mm/alloc.h"

#include "base/string.h"

void *kcalloc(size_t n, size_t size)
{
    size_t bytes;

    return mul_overflow(n, size, &bytes) ? NULL : kzalloc(bytes);
}

void *kmemdup(const void *p, size_t size)
{
    void *copy = kmalloc(size);

    return copy ? memcpy(copy, p, size) : NULL;
}

char *kstrdup(const char *s)
{
    return kmemdup(s, strlen(s) + 1);
}

char *kstrndup(const char *s, size_t max)
{
    size_t len = strnlen(s, max);
    char *copy = kmalloc(len + 1);

    if (copy) {
        memcpy(copy, s, len);
        copy[len] = 0;
    }
    return copy;
}
