/* tests/unit/base_idtable.c: the number table against a plain array, also when memory runs out. */
#include "unit.h"

#include "rename.h"

#include "base/errno.h"
#include "base/idtable.h"

#define DOMAIN 5000 /* the model's numbers, at each of a few places of the 32-bit range */
#define STEPS  60000

static size_t live_nodes;
static unsigned int fail_one_in; /* 0: memory never runs out */

static void *node_alloc(size_t size)
{
    if (fail_one_in && random_below(fail_one_in) == 0)
        return NULL;
    live_nodes++;
    void *mem = malloc(size);
    assert_non_null(mem);
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)mem)[i] = 0xa5;
    return mem;
}

static void node_free(void *mem, size_t size)
{
    (void)size;
    assert_true(live_nodes > 0);
    live_nodes--;
    free(mem);
}

static const struct idtable_memory memory = {.alloc = node_alloc, .free = node_free};

static struct {
    bool taken;
    void *ptr;
} model[DOMAIN];

static char objects[DOMAIN];

static void model_clear(void)
{
    for (size_t i = 0; i < DOMAIN; i++)
        model[i].taken = false;
}

static s64 model_lowest_free(size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++) {
        if (!model[i].taken)
            return (s64)i;
    }
    return -1;
}

static void step_alloc(struct idtable *table, u32 base)
{
    size_t first = random_below(DOMAIN), last = first + random_below(DOMAIN - first);
    void *ptr = &objects[random_below(DOMAIN)];
    s64 want = model_lowest_free(first, last);

    s64 id = idtable_alloc(table, ptr, base + (u32)first, base + (u32)last);
    if (want < 0) {
        assert_int_equal(id, -ENOSPC);
    } else if (id == -ENOMEM) {
        assert_true(fail_one_in);
        assert_false(idtable_taken(table, base + (u32)want));
    } else {
        assert_int_equal(id, base + want);
        model[want].taken = true;
        model[want].ptr = ptr;
    }
}

static void step_insert(struct idtable *table, u32 base)
{
    size_t i = random_below(DOMAIN);
    void *ptr = random_below(8) ? &objects[random_below(DOMAIN)] : NULL;

    long err = idtable_insert(table, base + (u32)i, ptr);
    if (model[i].taken) {
        assert_int_equal(err, -EEXIST);
    } else if (err == -ENOMEM) {
        assert_true(fail_one_in);
    } else {
        assert_int_equal(err, 0);
        model[i].taken = true;
        model[i].ptr = ptr;
    }
}

static void step_remove(struct idtable *table, u32 base)
{
    size_t i = random_below(DOMAIN);

    assert_ptr_equal(idtable_remove(table, base + (u32)i), model[i].taken ? model[i].ptr : NULL);
    model[i].taken = false;
}

static void step_replace(struct idtable *table, u32 base)
{
    size_t i = random_below(DOMAIN);
    void *ptr = &objects[random_below(DOMAIN)];

    assert_ptr_equal(idtable_replace(table, base + (u32)i, ptr),
                     model[i].taken ? model[i].ptr : NULL);
    if (model[i].taken)
        model[i].ptr = ptr;
}

static void check_next(struct idtable *table, u32 base)
{
    size_t from = random_below(DOMAIN), at = from;
    u32 id = base + (u32)from;

    while (at < DOMAIN && (!model[at].taken || !model[at].ptr))
        at++;
    void *ptr = idtable_next(table, &id);
    if (at == DOMAIN) {
        assert_null(ptr);
        assert_int_equal(id, base + from);
    } else {
        assert_ptr_equal(ptr, model[at].ptr);
        assert_int_equal(id, base + at);
    }
}

static void check_all(struct idtable *table, u32 base)
{
    for (size_t i = 0; i < DOMAIN; i++) {
        assert_int_equal(idtable_taken(table, base + (u32)i), model[i].taken);
        assert_ptr_equal(idtable_find(table, base + (u32)i), model[i].taken ? model[i].ptr : NULL);
    }
}

static void run_against_model(u32 base)
{
    struct idtable table;

    model_clear();
    idtable_init(&table, &memory);
    for (int step = 0; step < STEPS; step++) {
        /* Growth and decline in turn, so that the table gets full and empty. */
        size_t removals = step / 10000 % 2 ? 8 : 1;
        size_t choice = random_below(6 + removals);

        if (choice < 3)
            step_alloc(&table, base);
        else if (choice == 3)
            step_insert(&table, base);
        else if (choice == 4)
            step_replace(&table, base);
        else if (choice == 5)
            check_next(&table, base);
        else
            step_remove(&table, base);
        if (step % 1000 == 0)
            check_all(&table, base);
    }
    check_all(&table, base);
    for (size_t i = 0; i < DOMAIN; i += 2) {
        idtable_remove(&table, base + (u32)i);
        model[i].taken = false;
    }
    check_all(&table, base);
    idtable_destroy(&table);
    assert_int_equal(live_nodes, 0);
}

static void agrees_with_array(void **state)
{
    static const u32 places[] = {0, 64, 4000, 262144 - 100, 0x40000000 - 2500, UINT32_MAX - DOMAIN};

    (void)state;
    random_start();
    fail_one_in = 0;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        run_against_model(places[i]);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    random_start();
    fail_one_in = 3;
    run_against_model(0);
    run_against_model(0x40000000 - 2500);
    fail_one_in = 0;
}

static void removal_of_the_last_number_frees_all_nodes(void **state)
{
    static const u32 ids[] = {0, 63, 64, 4095, 4096, 1 << 24, UINT32_MAX};
    struct idtable table;

    (void)state;
    idtable_init(&table, &memory);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        assert_int_equal(idtable_insert(&table, ids[i], &objects[i]), 0);
    for (size_t i = ARRAY_SIZE(ids); i-- > 0;) {
        for (size_t k = 0; k <= i; k++)
            assert_ptr_equal(idtable_find(&table, ids[k]), &objects[k]);
        assert_ptr_equal(idtable_remove(&table, ids[i]), &objects[i]);
        assert_null(idtable_find(&table, ids[i]));
    }
    assert_int_equal(live_nodes, 0);
    idtable_destroy(&table);
}

static void a_failed_insert_leaves_no_nodes(void **state)
{
    struct idtable table;

    (void)state;
    random_start();
    idtable_init(&table, &memory);
    fail_one_in = 1;
    assert_int_equal(idtable_insert(&table, 5, objects), -ENOMEM);
    assert_int_equal(idtable_alloc(&table, objects, 5000, 6000), -ENOMEM);
    assert_int_equal(live_nodes, 0);

    fail_one_in = 0;
    assert_int_equal(idtable_insert(&table, 5, objects), 0);
    assert_int_equal(live_nodes, 1);
    fail_one_in = 2;
    for (int i = 0; i < 1000; i++) {
        if (idtable_insert(&table, UINT32_MAX, objects) == 0)
            assert_ptr_equal(idtable_remove(&table, UINT32_MAX), objects);
        assert_int_equal(live_nodes, 1);
        assert_ptr_equal(idtable_find(&table, 5), objects);
    }
    fail_one_in = 0;
    idtable_destroy(&table);
    assert_int_equal(live_nodes, 0);
}

static void loop_visits_numbers_in_order_and_may_remove(void **state)
{
    struct idtable table;
    u32 id, last = 0, count = 0;
    void *ptr;

    (void)state;
    idtable_init(&table, &memory);
    for (u32 i = 1; i <= 1000; i++)
        assert_int_equal(idtable_insert(&table, i * 977, &objects[i]), 0);
    assert_int_equal(idtable_insert(&table, 3, NULL), 0);
    idtable_for_each(&table, id, ptr) {
        assert_true(id > last);
        assert_ptr_equal(ptr, &objects[id / 977]);
        assert_ptr_equal(idtable_remove(&table, id), ptr);
        last = id;
        count++;
    }
    assert_int_equal(count, 1000);
    assert_true(idtable_taken(&table, 3));
    idtable_destroy(&table);
    assert_int_equal(live_nodes, 0);
}

/* By steps of one this would take until the runner loses patience. */
static void loop_leaps_over_wide_gaps(void **state)
{
    static const u32 ids[] = {70, 1 << 20, (1U << 31) + 5, UINT32_MAX - 1};
    struct idtable table;
    void *ptr;
    u32 id;

    (void)state;
    idtable_init(&table, &memory);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        assert_int_equal(idtable_insert(&table, ids[i], &objects[i]), 0);
    for (int round = 0; round < 100; round++) {
        size_t i = 0;
        idtable_for_each(&table, id, ptr) {
            assert_int_equal(id, ids[i]);
            assert_ptr_equal(ptr, &objects[i]);
            i++;
        }
        assert_int_equal(i, ARRAY_SIZE(ids));
    }
    idtable_destroy(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_array),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(removal_of_the_last_number_frees_all_nodes),
        cmocka_unit_test(a_failed_insert_leaves_no_nodes),
        cmocka_unit_test(loop_visits_numbers_in_order_and_may_remove),
        cmocka_unit_test(loop_leaps_over_wide_gaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
