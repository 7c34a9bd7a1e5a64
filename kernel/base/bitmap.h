/*
 * kernel/base/bitmap.h: arrays of bits in unsigned longs. The lock is the caller's.
 *
 * Searches return the bit's index, or nbits when there is none. Bits behind nbits in the last word
 * are neither looked at nor changed.
 */
#ifndef BASE_BITMAP_H
#define BASE_BITMAP_H

#include "base/types.h"

#define BITS_PER_WORD   (8 * sizeof(unsigned long))
#define BITMAP_WORDS(n) DIV_ROUND_UP((size_t)(n), BITS_PER_WORD)
#define BITMAP(name, n) unsigned long name[BITMAP_WORDS(n)]

static inline bool bitmap_test(const unsigned long *map, size_t bit)
{
    return map[bit / BITS_PER_WORD] >> (bit % BITS_PER_WORD) & 1;
}

static inline void bitmap_set(unsigned long *map, size_t bit)
{
    map[bit / BITS_PER_WORD] |= BIT(bit % BITS_PER_WORD);
}

static inline void bitmap_clear(unsigned long *map, size_t bit)
{
    map[bit / BITS_PER_WORD] &= ~BIT(bit % BITS_PER_WORD);
}

void bitmap_set_range(unsigned long *map, size_t first, size_t count);
void bitmap_clear_range(unsigned long *map, size_t first, size_t count);

size_t bitmap_next_set(const unsigned long *map, size_t nbits, size_t from);
size_t bitmap_next_zero(const unsigned long *map, size_t nbits, size_t from);

static inline size_t bitmap_first_set(const unsigned long *map, size_t nbits)
{
    return bitmap_next_set(map, nbits, 0);
}

static inline size_t bitmap_first_zero(const unsigned long *map, size_t nbits)
{
    return bitmap_next_zero(map, nbits, 0);
}

/* The lowest run of count clear bits at or behind from, whose first is a multiple of align. */
size_t bitmap_find_zeros(const unsigned long *map, size_t nbits, size_t from, size_t count,
                         size_t align);

/* How many bits are set. */
size_t bitmap_weight(const unsigned long *map, size_t nbits);

#define bitmap_for_each_set(bit, map, nbits)                                                       \
    for (bit = bitmap_first_set(map, nbits); bit < (nbits);                                        \
         bit = bitmap_next_set(map, nbits, (bit) + 1))

/* Set bits in one word. The compiler's built-in would call a library that we do not have. */
static inline unsigned int popcount64(u64 x)
{
    x -= x >> 1 & 0x5555555555555555ULL;
    x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
    return (unsigned int)(x * 0x0101010101010101ULL >> 56);
}

#endif
