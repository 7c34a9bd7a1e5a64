/* kernel/base/bitmap.c: arrays of bits in unsigned longs. */
#include "base/bitmap.h"

/* The bits first..first+count-1 of one word. */
static unsigned long word_mask(size_t first, size_t count)
{
    return ~0UL >> (BITS_PER_WORD - count) << first;
}

void bitmap_set_range(unsigned long *map, size_t first, size_t count)
{
    while (count > 0) {
        size_t at = first % BITS_PER_WORD, n = MIN(count, BITS_PER_WORD - at);
        map[first / BITS_PER_WORD] |= word_mask(at, n);
        first += n;
        count -= n;
    }
}

void bitmap_clear_range(unsigned long *map, size_t first, size_t count)
{
    while (count > 0) {
        size_t at = first % BITS_PER_WORD, n = MIN(count, BITS_PER_WORD - at);
        map[first / BITS_PER_WORD] &= ~word_mask(at, n);
        first += n;
        count -= n;
    }
}

/* invert is all ones to search for a clear bit. */
static inline size_t next_bit(const unsigned long *map, size_t nbits, size_t from,
                              unsigned long invert)
{
    if (from >= nbits)
        return nbits;

    size_t i = from / BITS_PER_WORD;
    unsigned long word = (map[i] ^ invert) & ~0UL << (from % BITS_PER_WORD);

    while (!word) {
        if (++i >= BITMAP_WORDS(nbits))
            return nbits;
        word = map[i] ^ invert;
    }
    return MIN(i * BITS_PER_WORD + (size_t)__builtin_ctzl(word), nbits);
}

size_t bitmap_next_set(const unsigned long *map, size_t nbits, size_t from)
{
    return next_bit(map, nbits, from, 0);
}

size_t bitmap_next_zero(const unsigned long *map, size_t nbits, size_t from)
{
    return next_bit(map, nbits, from, ~0UL);
}

size_t bitmap_find_zeros(const unsigned long *map, size_t nbits, size_t from, size_t count,
                         size_t align)
{
    for (;;) {
        size_t start = bitmap_next_zero(map, nbits, from), rest = start % align;

        if (rest && add_overflow(start, align - rest, &start))
            return nbits;
        if (start > nbits || count > nbits - start)
            return nbits;
        size_t end = bitmap_next_set(map, start + count, start);
        if (end == start + count)
            return start;
        from = end + 1;
    }
}

size_t bitmap_weight(const unsigned long *map, size_t nbits)
{
    size_t weight = 0, i;

    for (i = 0; i < nbits / BITS_PER_WORD; i++)
        weight += popcount64(map[i]);
    if (nbits % BITS_PER_WORD)
        weight += popcount64(map[i] & word_mask(0, nbits % BITS_PER_WORD));
    return weight;
}
