/*
 * kernel/base/string.c: memory and string functions without vector registers, because those hold
 * the program's values while the kernel runs.
 */
#include "base/string.h"

/* gcc would otherwise see memcpy in memcpy's loop, and call it. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

/* Below this many bytes the start-up of a rep instruction costs more than a loop of words. */
#define REP_MIN 128

/* Unaligned access of any object is fine on x86-64, once the compiler knows that it may alias. */
typedef u64 word __attribute__((may_alias, aligned(1)));

#define WORD sizeof(word)

static inline word load_word(const void *at)
{
    return *(const word *)at;
}

static inline void store_word(void *at, word value)
{
    *(word *)at = value;
}

static inline void copy_forward(u8 *dst, const u8 *src, size_t len)
{
    for (; len >= WORD; dst += WORD, src += WORD, len -= WORD)
        store_word(dst, load_word(src));
    for (; len > 0; len--)
        *dst++ = *src++;
}

static inline void copy_backward(u8 *dst, const u8 *src, size_t len)
{
    for (; len >= WORD; len -= WORD)
        store_word(dst + len - WORD, load_word(src + len - WORD));
    for (; len > 0; len--)
        dst[len - 1] = src[len - 1];
}

/* Also right for memmove, so no restrict here: dst may lie anywhere below src. */
static inline void copy_up(void *dst, const void *src, size_t len)
{
    if (len < REP_MIN)
        copy_forward(dst, src, len);
    else
        __asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(len) : : "memory");
}

void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
    copy_up(dst, src, len);
    return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
    uintptr_t gap = (uintptr_t)dst - (uintptr_t)src;

    /* Forward is right unless dst lies inside src; the difference wraps when dst is below it. */
    if (gap >= len)
        copy_up(dst, src, len);
    else
        copy_backward(dst, src, len);
    return dst;
}

void *memset(void *dst, int byte, size_t len)
{
    u8 *at = dst;

    if (len >= REP_MIN) {
        __asm__ volatile("rep stosb" : "+D"(at), "+c"(len) : "a"(byte) : "memory");
        return dst;
    }
    word fill = 0x0101010101010101ULL * (u8)byte;
    for (; len >= WORD; at += WORD, len -= WORD)
        store_word(at, fill);
    for (; len > 0; len--)
        *at++ = (u8)byte;
    return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const u8 *x = a, *y = b;

    for (; len >= WORD; x += WORD, y += WORD, len -= WORD) {
        word p = load_word(x), q = load_word(y);
        if (p == q)
            continue;
        /* In big-endian order the first byte that differs decides. */
        return __builtin_bswap64(p) < __builtin_bswap64(q) ? -1 : 1;
    }
    for (; len > 0; x++, y++, len--) {
        if (*x != *y)
            return *x - *y;
    }
    return 0;
}

void *memchr(const void *mem, int byte, size_t len)
{
    const u8 *at = mem;

    for (; len > 0; at++, len--) {
        if (*at == (u8)byte)
            return (void *)at;
    }
    return NULL;
}

size_t strlen(const char *str)
{
    const char *end = str;

    while (*end)
        end++;
    return (size_t)(end - str);
}

size_t strnlen(const char *str, size_t max)
{
    size_t len = 0;

    while (len < max && str[len])
        len++;
    return len;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t max)
{
    for (; max > 0; a++, b++, max--) {
        if (*a != *b)
            return (u8)*a - (u8)*b;
        if (!*a)
            return 0;
    }
    return 0;
}

char *strchr(const char *str, int c)
{
    for (; *str != (char)c; str++) {
        if (!*str)
            return NULL;
    }
    return (char *)str;
}

char *strrchr(const char *str, int c)
{
    const char *last = NULL;

    do {
        if (*str == (char)c)
            last = str;
    } while (*str++);
    return (char *)last;
}

char *strstr(const char *str, const char *part)
{
    size_t len = strlen(part);

    if (len == 0)
        return (char *)str;
    for (; (str = strchr(str, *part)); str++) {
        if (strncmp(str, part, len) == 0)
            return (char *)str;
    }
    return NULL;
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
    size_t len = strlen(src);

    if (size > 0) {
        size_t n = len < size ? len : size - 1;
        memcpy(dst, src, n);
        dst[n] = '\0';
    }
    return len;
}

size_t strlcat(char *dst, const char *src, size_t size)
{
    size_t used = strnlen(dst, size);

    return used + strlcpy(dst + used, src, size - used);
}

void memzero_explicit(void *mem, size_t len)
{
    memset(mem, 0, len);
    __asm__ volatile("" : : "r"(mem) : "memory");
}

bool memequal_ct(const void *a, const void *b, size_t len)
{
    const volatile u8 *x = a, *y = b;
    u8 diff = 0;

    for (size_t i = 0; i < len; i++)
        diff = (u8)(diff | (x[i] ^ y[i]));
    return diff == 0;
}
