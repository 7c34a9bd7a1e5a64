/* kernel/base/hash.c: SipHash-2-4, section 2 of the paper that hash.h names. */
#include "base/hash.h"
#include "base/string.h"

struct sipstate {
    u64 v0, v1, v2, v3;
};

static inline u64 rotl(u64 x, unsigned int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sipround(struct sipstate *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 = rotl(s->v2, 32);
}

static inline void compress(struct sipstate *s, u64 word)
{
    s->v3 ^= word;
    sipround(s);
    sipround(s);
    s->v0 ^= word;
}

u64 siphash(const struct siphash_key *key, const void *data, size_t len)
{
    const u8 *at = data;
    u64 word, last = (u64)len << 56;
    struct sipstate s = {
        .v0 = key->k0 ^ 0x736f6d6570736575ULL,
        .v1 = key->k1 ^ 0x646f72616e646f6dULL,
        .v2 = key->k0 ^ 0x6c7967656e657261ULL,
        .v3 = key->k1 ^ 0x7465646279746573ULL,
    };

    for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
        memcpy(&word, at, sizeof word);
        compress(&s, word);
    }
    for (size_t i = 0; i < len; i++)
        last |= (u64)at[i] << (8 * i);
    compress(&s, last);

    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        sipround(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
