/* tests/unit/mm_memobj.c: memory objects against a plain array. */
#include "unit.h"

#include <unistd.h>

#include "fake_host.h"

#include "mm/memobj.h"

#define MIB        (1UL << 20)
#define MODEL_SIZE (3 * MIB)

static int start(void **state)
{
    fake_host_start(64 * MIB);
    return 0;
}

static int stop(void **state)
{
    fake_host_stop();
    return 0;
}

static ssize_t put(struct memobj *obj, const void *from, u64 offset, size_t n)
{
    struct iter it;

    iter_init_kernel(&it, true, (void *)from, n);
    return memobj_write(obj, &it, offset, n);
}

static ssize_t get(struct memobj *obj, void *to, u64 offset, size_t n)
{
    struct iter it;

    iter_init_kernel(&it, false, to, n);
    return memobj_read(obj, &it, offset, n);
}

struct model {
    u8 bytes[MODEL_SIZE];
    size_t size;
    struct memobj *obj;
};

static u8 buffer[MODEL_SIZE], seen[MODEL_SIZE];

static void check(struct model *m, size_t offset, size_t n)
{
    size_t expect = offset >= m->size ? 0 : MIN(n, m->size - offset);

    assert_int_equal(get(m->obj, seen, offset, n), expect);
    assert_memory_equal(seen, m->bytes + offset, expect);
}

static void step(struct model *m, bool mapped)
{
    size_t offset = random_below(MODEL_SIZE);
    size_t n = random_below(random_below(4) ? 10000 : MODEL_SIZE);
    u64 window, run;

    n = MIN(n, MODEL_SIZE - offset);
    switch (random_below(mapped ? 7 : 6)) {
    case 0:
    case 1:
        for (size_t i = 0; i < n; i++)
            buffer[i] = (u8)(1 + random_u64() % 255);
        assert_int_equal(put(m->obj, buffer, offset, n), n);
        memcpy(m->bytes + offset, buffer, n);
        if (n)
            m->size = MAX(m->size, offset + n);
        break;
    case 2:
        assert_int_equal(memobj_truncate(m->obj, offset), 0);
        if (offset < m->size)
            memset(m->bytes + offset, 0, MODEL_SIZE - offset);
        m->size = offset;
        break;
    case 3:
        memobj_punch(m->obj, offset, n);
        memset(m->bytes + offset, 0, n);
        break;
    case 4:
        assert_int_equal(memobj_reserve(m->obj, offset, n), 0);
        break;
    case 5:
        check(m, offset, n);
        break;
    case 6:
        offset &= PAGE_MASK;
        assert_int_equal(memobj_map(m->obj, offset, n + 1, true, &window, &run), 0);
        if (offset < m->size) {
            run = MIN(run, m->size - offset);
            memset(pages_address(window), 0x5a, run);
            memset(m->bytes + offset, 0x5a, run);
        }
        break;
    }
}

static void run_against_model(bool mapped)
{
    struct model *m = calloc(1, sizeof *m);

    random_start();
    m->obj = memobj_create();
    for (int i = 0; i < 3000; i++) {
        step(m, mapped);
        assert_int_equal(memobj_size(m->obj), m->size);
        if (i % 50 == 0)
            check(m, 0, MODEL_SIZE);
    }
    check(m, 0, MODEL_SIZE);
    memobj_put(m->obj);
    assert_int_equal(kmalloc_used(), 0);
    assert_true(pages_used() <= 12 * MIB);
    free(m);
}

static void random_operations_match_an_array(void **state)
{
    run_against_model(false);
}

static void mapped_objects_match_an_array(void **state)
{
    run_against_model(true);
}

static void holes_cost_nothing_and_are_found(void **state)
{
    struct memobj *obj = memobj_create();
    u64 far = 1UL << 40;

    assert_int_equal(put(obj, "x", far, 1), 1);
    assert_int_equal(memobj_size(obj), far + 1);
    assert_int_equal(memobj_bytes(obj), PAGE_SIZE);
    assert_int_equal(memobj_seek(obj, 0, SEEK_DATA), far);
    assert_int_equal(memobj_seek(obj, 0, SEEK_HOLE), 0);
    assert_int_equal(memobj_seek(obj, far, SEEK_HOLE), far + 1);
    assert_int_equal(memobj_seek(obj, far + 1, SEEK_DATA), -ENXIO);
    memobj_punch(obj, far, PAGE_SIZE);
    assert_int_equal(memobj_bytes(obj), 0);
    assert_int_equal(memobj_seek(obj, 0, SEEK_DATA), -ENXIO);
    assert_int_equal(put(obj, "x", (u64)INT64_MAX, 1), -EFBIG);
    memobj_put(obj);
}

/* What a program does by a shared mapping, at `offset`. */
static char *mapped_at(struct memobj *obj, u64 offset)
{
    u64 window, run;

    assert_int_equal(memobj_map(obj, offset, PAGE_SIZE, true, &window, &run), 0);
    return pages_address(window);
}

static void stores_through_mappings_are_counted_when_asked(void **state)
{
    struct memobj *obj = memobj_create();

    assert_int_equal(memobj_truncate(obj, 4 * MIB), 0);
    memobj_count_writer(obj, true);
    *mapped_at(obj, MIB) = 1;
    *mapped_at(obj, 3 * MIB) = 1;
    mapped_at(obj, 0);
    assert_int_equal(memobj_bytes(obj), 0);
    memobj_count_stores(obj);
    assert_int_equal(memobj_bytes(obj), 2 * PAGE_SIZE);
    assert_int_equal(put(obj, "x", 3 * MIB + 1, 1), 1); /* asks for memory ahead */
    *mapped_at(obj, 2 * MIB) = 1;
    memobj_count_writer(obj, false);
    memobj_count_stores(obj);
    assert_int_equal(memobj_bytes(obj), 3 * PAGE_SIZE);
    *mapped_at(obj, 2 * MIB + PAGE_SIZE) = 1; /* mapped anew */
    memobj_count_stores(obj);
    assert_int_equal(memobj_bytes(obj), 4 * PAGE_SIZE);
    memobj_punch(obj, MIB, 3 * MIB);
    memobj_count_stores(obj);
    assert_int_equal(memobj_bytes(obj), 0);
    memobj_put(obj);
}

/* A large object that is written piece by piece is a handful of contiguous runs. */
static void a_growing_object_has_few_runs(void **state)
{
    struct memobj *obj = memobj_create();
    int runs = 0;

    for (u64 at = 0; at < 24 * MIB; at += 60000)
        assert_int_equal(put(obj, buffer, at, 60000), 60000);
    for (u64 at = 0, window, run; at < 24 * MIB; at += run, runs++)
        assert_int_equal(memobj_map(obj, at, 24 * MIB - at, false, &window, &run), 0);
    assert_in_range(runs, 1, 16);
    memobj_put(obj);
}

static void out_of_memory_is_enospc_and_loses_nothing(void **state)
{
    struct memobj *obj = memobj_create();
    u64 at = 0;
    ssize_t n;

    memset(buffer, 7, sizeof buffer);
    while ((n = put(obj, buffer, at, MIB)) > 0)
        at += (u64)n;
    assert_int_equal(n, -ENOSPC);
    assert_int_equal(memobj_size(obj), at);
    assert_in_range(at, 50 * MIB, 64 * MIB);
    assert_int_equal(get(obj, seen, at - MIB, 2 * MIB), MIB);
    assert_memory_equal(seen, buffer, MIB);
    assert_int_equal(memobj_reserve(obj, at, 64 * MIB), -ENOSPC);
    assert_int_equal(memobj_truncate(obj, 0), 0);
    assert_int_equal(put(obj, buffer, 0, MIB), MIB);
    memobj_put(obj);
    assert_true(pages_used() <= 12 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_operations_match_an_array, start, stop),
        cmocka_unit_test_setup_teardown(mapped_objects_match_an_array, start, stop),
        cmocka_unit_test_setup_teardown(holes_cost_nothing_and_are_found, start, stop),
        cmocka_unit_test_setup_teardown(stores_through_mappings_are_counted_when_asked, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_growing_object_has_few_runs, start, stop),
        cmocka_unit_test_setup_teardown(out_of_memory_is_enospc_and_loses_nothing, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
