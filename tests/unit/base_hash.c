/* tests/unit/base_hash.c: SipHash's published example, the mixer, and the hash table. */
#include "unit.h"

#include "rename.h"

#include "base/bitmap.h"
#include "base/hash.h"
#include "base/hashtable.h"

/* Appendix A of the paper: key 00 01 .. 0f, message 00 01 .. 0e. */
static const struct siphash_key paper_key = {
    .k0 = 0x0706050403020100ULL,
    .k1 = 0x0f0e0d0c0b0a0908ULL,
};

static void siphash_of_the_papers_example(void **state)
{
    u8 message[15];

    (void)state;
    for (u8 i = 0; i < sizeof message; i++)
        message[i] = i;
    assert_true(siphash(&paper_key, message, sizeof message) == 0xa129ca6149be45e5ULL);
}

/* A second implementation that follows the paper's definition bytewise. */
static u64 plain_siphash(const struct siphash_key *key, const u8 *data, size_t len)
{
    u64 v[4] = {0x736f6d6570736575ULL ^ key->k0, 0x646f72616e646f6dULL ^ key->k1,
                0x6c7967656e657261ULL ^ key->k0, 0x7465646279746573ULL ^ key->k1};
    size_t words = len / 8 + 1;

    for (size_t w = 0; w < words + 2; w++) {
        u64 m = 0;
        for (size_t i = 0; i < 8 && w < words; i++) {
            size_t at = 8 * w + i;
            u64 byte = at < len ? data[at] : at == 8 * words - 1 ? len & 0xff : 0;
            m |= byte << (8 * i);
        }
        if (w == words)
            v[2] ^= 0xff;
        v[3] ^= m;
        for (int round = 0; round < 2; round++) {
            static const struct {
                unsigned char to, from, turn;
            } half_rounds[] = {{0, 1, 13}, {2, 3, 16}, {2, 1, 17}, {0, 3, 21}};
            /* The left column of the paper's figure also turns its sum by 32. */
            for (int h = 0; h < 4; h++) {
                unsigned int a = half_rounds[h].to, b = half_rounds[h].from;
                v[a] += v[b];
                v[b] = (v[b] << half_rounds[h].turn | v[b] >> (64 - half_rounds[h].turn)) ^ v[a];
                if (h % 2 == 0)
                    v[a] = v[a] << 32 | v[a] >> 32;
            }
        }
        v[0] ^= m;
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void siphash_of_all_lengths_and_alignments(void **state)
{
    (void)state;
    random_start();
    for (size_t len = 0; len < 300; len++) {
        struct siphash_key key = {.k0 = random_u64(), .k1 = random_u64()};
        size_t shift = random_below(8);
        u8 *mem = malloc(shift + len + 1), *data = mem + shift;

        assert_non_null(mem);
        for (size_t i = 0; i < len; i++)
            data[i] = (u8)random_u64();
        assert_true(siphash(&key, data, len) == plain_siphash(&key, data, len));
        key.k1 ^= 1;
        assert_true(siphash(&key, data, len) == plain_siphash(&key, data, len));
        free(mem);
    }
}

static void mixer_changes_about_half_of_the_bits(void **state)
{
    unsigned long total = 0;

    (void)state;
    random_start();
    for (int i = 0; i < 1000; i++) {
        u64 x = random_u64() >> random_below(64);
        for (unsigned int bit = 0; bit < 64; bit++)
            total += popcount64(hash_u64(x) ^ hash_u64(x ^ 1ULL << bit));
    }
    assert_in_range(total / 1000 / 64, 31, 32);
}

struct entry {
    struct hash_node link;
    u64 key;
};

static struct entry *entry_find(const struct hashtable *table, u64 key)
{
    struct entry *entry;

    hashtable_for_each_in(entry, table, hash_u64(key), link) {
        if (entry->key == key)
            return entry;
    }
    return NULL;
}

static void table_finds_what_was_added(void **state)
{
    static struct hash_node *buckets[16];
    struct hashtable table = HASHTABLE_INIT(buckets);
    static struct entry entries[500];
    struct entry *entry, *tmp;
    size_t i, count = 0;

    (void)state;
    random_start();
    for (i = 0; i < ARRAY_SIZE(entries); i++) {
        entries[i].key = i * 4096;
        hash_node_init(&entries[i].link);
    }
    for (int step = 0; step < 20000; step++) {
        struct entry *some = &entries[random_below(ARRAY_SIZE(entries))];
        assert_ptr_equal(entry_find(&table, some->key),
                         hash_node_linked(&some->link) ? some : NULL);
        if (hash_node_linked(&some->link)) {
            hashtable_del(&some->link);
            hashtable_del(&some->link);
            count--;
        } else {
            hashtable_add(&table, &some->link, hash_u64(some->key));
            count++;
        }
    }
    hashtable_for_each(entry, tmp, i, &table, link) {
        assert_true(hash_node_linked(&entry->link));
        hashtable_del(&entry->link);
        count--;
    }
    assert_int_equal(count, 0);
    for (i = 0; i < ARRAY_SIZE(entries); i++)
        assert_null(entry_find(&table, entries[i].key));
}

static void newest_entry_is_found_first(void **state)
{
    struct hash_node *buckets[4];
    struct hashtable table;
    struct entry old = {.key = 7}, new = {.key = 7};

    (void)state;
    hashtable_init(&table, buckets, ARRAY_SIZE(buckets));
    hashtable_add(&table, &old.link, hash_u64(7));
    hashtable_add(&table, &new.link, hash_u64(7));
    assert_ptr_equal(entry_find(&table, 7), &new);
    hashtable_del(&new.link);
    assert_ptr_equal(entry_find(&table, 7), &old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_of_the_papers_example),
        cmocka_unit_test(siphash_of_all_lengths_and_alignments),
        cmocka_unit_test(mixer_changes_about_half_of_the_bits),
        cmocka_unit_test(table_finds_what_was_added),
        cmocka_unit_test(newest_entry_is_found_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
