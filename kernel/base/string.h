/* kernel/base/string.h: memory and string functions; string(3) has their meaning. */
#ifndef BASE_STRING_H
#define BASE_STRING_H

#include "base/types.h"

/* The compiler calls these four of its own accord: they must keep their names. */
void *memcpy(void *restrict dst, const void *restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

void *memchr(const void *mem, int byte, size_t len);

size_t strlen(const char *str);
size_t strnlen(const char *str, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *str, int c);
char *strrchr(const char *str, int c);
char *strstr(const char *str, const char *part);

/*
 * Copies what fits and always ends dst with a zero, if size is not 0. Returns strlen(src), so that
 * a result >= size means that dst holds a part only. src must be a complete string.
 */
size_t strlcpy(char *dst, const char *src, size_t size);
size_t strlcat(char *dst, const char *src, size_t size);

/* Clears secrets: the compiler does not leave it out as a dead store. */
void memzero_explicit(void *mem, size_t len);

/* Compares secrets (keys, tags) in a time that depends on len alone. True when equal. */
bool memequal_ct(const void *a, const void *b, size_t len);

static inline bool streq(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static inline bool str_has_prefix(const char *str, const char *prefix)
{
    return strncmp(str, prefix, strlen(prefix)) == 0;
}

#endif
