/* tests/unit/mm_alloc.c: page runs and slabs against what they promise. */
#include "unit.h"

#include "fake_host.h"

#define MIB (1UL << 20)

static int start(void **state)
{
    (void)state;
    fake_host_start(512 * MIB);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_host_stop();
    return 0;
}

static bool all_bytes(const void *p, u8 byte, size_t n)
{
    const u8 *at = p;

    for (size_t i = 0; i < n; i++) {
        if (at[i] != byte)
            return false;
    }
    return true;
}

struct run {
    u64 offset;
    size_t bytes;
    u8 mark;
};

/* Runs of all sizes, in random order: aligned, zeroed, and none over another. */
static void runs_are_aligned_zeroed_and_disjoint(void **state)
{
    enum { RUNS = 200 };
    struct run runs[RUNS] = {0};

    (void)state;
    random_start();
    for (int step = 0; step < 20000; step++) {
        struct run *run = &runs[random_below(RUNS)];

        if (run->bytes) {
            u8 *p = pages_address(run->offset);

            assert_true(all_bytes(p, run->mark, 64) &&
                        all_bytes(p + run->bytes - 64, run->mark, 64));
            pages_free(run->offset, run->bytes);
            run->bytes = 0;
            continue;
        }
        size_t align = PAGE_SIZE << random_below(6);

        run->bytes = PAGE_SIZE * (1 + random_below(step % 50 ? 20 : 700));
        run->mark = (u8)(1 + random_below(255));
        run->offset = pages_alloc(run->bytes, align, random_below(4) ? 0 : PAGES_LAZY);
        assert_true(run->offset != PAGES_NONE);
        assert_true(IS_ALIGNED(run->offset, align));
        u8 *p = pages_address(run->offset);

        assert_true(all_bytes(p, 0, 64) && all_bytes(p + run->bytes - 64, 0, 64));
        memset(p, run->mark, run->bytes);
    }
    for (int i = 0; i < RUNS; i++) {
        if (runs[i].bytes)
            pages_free(runs[i].offset, runs[i].bytes);
    }
    /* A pool of chunks and the tables stay; everything else went back. */
    assert_true(fake_host_backed() <= 12 * MIB);
    assert_true(pages_used() <= 12 * MIB);
}

static void lazy_runs_cost_nothing_until_touched(void **state)
{
    (void)state;
    u64 first = pages_alloc(64 * 1024, PAGE_SIZE, PAGES_LAZY);
    u64 before = fake_host_backed();
    u64 offset = pages_alloc(512 * MIB, PAGE_SIZE, PAGES_LAZY);

    assert_true(offset != PAGES_NONE);
    assert_true(fake_host_backed() - before <= 64 * 1024);
    ((u8 *)pages_address(offset))[5 * MIB] = 1;
    assert_true(fake_host_backed() > before);
    pages_free(offset, 512 * MIB);
    assert_int_equal(((u8 *)pages_address(offset))[5 * MIB], 0);
    pages_free(first, 64 * 1024);
}

static void ceiling_and_host_refusal_give_none(void **state)
{
    u64 runs[600];
    int n = 0;

    (void)state;
    while ((runs[n] = pages_alloc(MIB, PAGE_SIZE, PAGES_DIRTY)) != PAGES_NONE)
        n++;
    assert_in_range(n, 500, 512);
    assert_true(pages_alloc(8 * MIB, PAGE_SIZE, 0) == PAGES_NONE);
    assert_null(kmalloc(4 * MIB));
    while (n)
        pages_free(runs[--n], MIB);
    u64 offset = pages_alloc(8 * MIB, PAGE_SIZE, 0);

    assert_true(offset != PAGES_NONE);
    pages_free(offset, 8 * MIB);

    fake_host_fills = 0;
    u64 used = pages_used();

    assert_true(pages_alloc(8 * MIB, PAGE_SIZE, 0) == PAGES_NONE);
    for (n = 0; n < 600 && (runs[n] = pages_alloc(MIB, PAGE_SIZE, 0)) != PAGES_NONE; n++)
        ;
    assert_true(n < 20);
    while (n)
        pages_free(runs[--n], MIB);
    assert_true(pages_used() == used);
    fake_host_fills = -1;
}

static void objects_of_all_sizes_are_disjoint(void **state)
{
    enum { OBJECTS = 3000 };
    static struct {
        u8 *p;
        size_t size;
        u8 mark;
    } objects[OBJECTS];

    (void)state;
    assert_int_equal(kmalloc_used(), 0);
    random_start();
    for (int step = 0; step < 200000; step++) {
        size_t i = random_below(OBJECTS);

        if (objects[i].p && random_below(4) == 0) {
            size_t size = 1 + random_below(600);
            size_t kept = MIN(size, objects[i].size);

            objects[i].p = krealloc(objects[i].p, size);
            assert_true(all_bytes(objects[i].p, objects[i].mark, kept));
            memset(objects[i].p, objects[i].mark, size);
            objects[i].size = size;
        } else if (objects[i].p) {
            assert_true(all_bytes(objects[i].p, objects[i].mark, objects[i].size));
            kfree(objects[i].p);
            objects[i].p = NULL;
        } else {
            objects[i].size = random_below(step % 100 ? 1200 : 40000);
            objects[i].mark = (u8)random_u64();
            objects[i].p = random_below(2) ? kmalloc(objects[i].size) : kzalloc(objects[i].size);
            assert_non_null(objects[i].p);
            assert_true(IS_ALIGNED((u64)objects[i].p, 16));
            memset(objects[i].p, objects[i].mark, objects[i].size);
        }
    }
    for (int i = 0; i < OBJECTS; i++) {
        kfree(objects[i].p);
        objects[i].p = NULL;
    }
    assert_int_equal(kmalloc_used(), 0);
}

static void zeroed_means_zeroed_after_reuse(void **state)
{
    void *p[100];
    struct slab *slab = slab_create("test", 200, 64);

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            p[i] = slab_alloc(slab);
            assert_true(IS_ALIGNED((u64)p[i], 64));
            assert_true(all_bytes(p[i], 0, 200));
            memset(p[i], 0xff, 200);
        }
        for (int i = 0; i < 100; i++)
            slab_free(slab, p[i]);
    }
    kfree(slab);
    volatile size_t huge = SIZE_MAX;

    assert_null(kcalloc(huge / 2, 3));
    assert_null(kmalloc(huge));
    char *s = kstrndup("hello", 3);

    assert_string_equal(s, "hel");
    kfree(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_are_aligned_zeroed_and_disjoint, start, stop),
        cmocka_unit_test_setup_teardown(lazy_runs_cost_nothing_until_touched, start, stop),
        cmocka_unit_test_setup_teardown(ceiling_and_host_refusal_give_none, start, stop),
        cmocka_unit_test_setup_teardown(objects_of_all_sizes_are_disjoint, start, stop),
        cmocka_unit_test_setup_teardown(zeroed_means_zeroed_after_reuse, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
