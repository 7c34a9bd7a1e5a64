/* kernel/base/hash.h: hashing of names and numbers. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/types.h"

struct siphash_key {
    u64 k0, k1;
};

/*
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). For strings that
 * a program chooses: without the key it cannot make them fall into one bucket.
 */
u64 siphash(const struct siphash_key *key, const void *data, size_t len);

/* Spreads a number over all 64 bits, and reversibly so. Not secret: for numbers that we choose. */
static inline u64 hash_u64(u64 x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

static inline u64 hash_ptr(const void *ptr)
{
    return hash_u64((uintptr_t)ptr);
}

#endif
