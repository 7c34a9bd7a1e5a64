/* tests/unit/base_bitmap.c: bitmaps against an array of bool. */
#include "unit.h"

#include "rename.h"

#include "base/bitmap.h"

#define BITS_MAX 300

static unsigned long *map; /* of just as many words as the size needs, for the sanitizer */
static bool model[BITS_MAX];
static size_t nbits;

/* The bits behind the last one are set, and must neither be found nor changed. */
static void start(size_t n)
{
    nbits = n;
    map = malloc(BITMAP_WORDS(n) * sizeof *map);
    assert_non_null(map);
    for (size_t i = 0; i < BITMAP_WORDS(n); i++)
        map[i] = ~0UL;
    bitmap_clear_range(map, 0, n);
    for (size_t i = 0; i < BITS_MAX; i++)
        model[i] = false;
}

static void finish(void)
{
    size_t tail = nbits % BITS_PER_WORD;

    if (tail)
        assert_true(map[nbits / BITS_PER_WORD] >> tail == ~0UL >> tail);
    free(map);
}

static size_t model_next(size_t from, bool value)
{
    while (from < nbits && model[from] != value)
        from++;
    return MIN(from, nbits);
}

static size_t model_find_zeros(size_t from, size_t count, size_t align)
{
    for (size_t at = from; at + count <= nbits; at++) {
        size_t len = 0;
        while (len < count && !model[at + len])
            len++;
        if (at % align == 0 && len == count)
            return at;
    }
    return nbits;
}

static void check(void)
{
    size_t weight = 0, bit, at;

    for (size_t i = 0; i < nbits; i++) {
        assert_int_equal(bitmap_test(map, i), model[i]);
        weight += model[i];
    }
    assert_int_equal(bitmap_weight(map, nbits), weight);
    assert_int_equal(bitmap_first_set(map, nbits), model_next(0, true));
    assert_int_equal(bitmap_first_zero(map, nbits), model_next(0, false));

    at = random_below(nbits + 2);
    assert_int_equal(bitmap_next_set(map, nbits, at), model_next(at, true));
    assert_int_equal(bitmap_next_zero(map, nbits, at), model_next(at, false));

    size_t count = 1 + random_below(random_below(2) ? 8 : 130);
    size_t align = random_below(2) ? 1 : 1 + random_below(20);
    assert_int_equal(bitmap_find_zeros(map, nbits, at, count, align),
                     model_find_zeros(at, count, align));

    bitmap_for_each_set(bit, map, nbits) {
        assert_true(model[bit]);
        weight--;
    }
    assert_int_equal(weight, 0);
}

static void agrees_with_array(void **state)
{
    static const size_t sizes[] = {1, 2, 63, 64, 65, 127, 128, 129, 200, BITS_MAX};

    (void)state;
    random_start();
    for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
        start(sizes[s]);
        for (int step = 0; step < 1500; step++) {
            size_t first = random_below(nbits), count = random_below(nbits - first + 1);
            bool value = random_below(2);

            if (random_below(2)) {
                count = 1;
                if (value)
                    bitmap_set(map, first);
                else
                    bitmap_clear(map, first);
            } else if (value) {
                bitmap_set_range(map, first, count);
            } else {
                bitmap_clear_range(map, first, count);
            }
            for (size_t i = first; i < first + count; i++)
                model[i] = value;
            check();
        }
        finish();
    }
}

static void counts_bits_of_a_word(void **state)
{
    (void)state;
    random_start();
    assert_int_equal(popcount64(0), 0);
    assert_int_equal(popcount64(UINT64_MAX), 64);
    for (int i = 0; i < 1000; i++) {
        u64 x = random_u64() >> random_below(64);
        assert_int_equal(popcount64(x), __builtin_popcountll(x));
    }
}

static void alignment_past_the_end_finds_nothing(void **state)
{
    unsigned long word = 1;

    (void)state;
    assert_int_equal(bitmap_find_zeros(&word, 64, 0, 1, SIZE_MAX), 64);
    assert_int_equal(bitmap_find_zeros(&word, 64, 0, SIZE_MAX, 1), 64);
    assert_int_equal(bitmap_find_zeros(&word, 64, 0, 64, 1), 64);
    assert_int_equal(bitmap_find_zeros(&word, 64, 0, 63, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_array),
        cmocka_unit_test(counts_bits_of_a_word),
        cmocka_unit_test(alignment_past_the_end_finds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
