/* tests/unit/base_sort.c: heap sort. */
#include "unit.h"

#include "rename.h"

#include "base/sort.h"

static size_t comparisons;

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    comparisons++;
    return (x > y) - (x < y);
}

/* Sorted by us as by libc's qsort. */
static void check_sort(const int *values, size_t count)
{
    int *ours = malloc(count * sizeof *ours + 1), *theirs = malloc(count * sizeof *theirs + 1);

    assert_true(ours && theirs);
    for (size_t i = 0; i < count; i++)
        ours[i] = theirs[i] = values[i];
    qsort(theirs, count, sizeof *theirs, compare_ints);
    comparisons = 0;
    sort(ours, count, sizeof *ours, compare_ints);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ours[i], theirs[i]);
    free(ours);
    free(theirs);
}

static void sorts_as_libc_does(void **state)
{
    int values[300];

    (void)state;
    random_start();
    for (size_t count = 0; count < ARRAY_SIZE(values); count++) {
        size_t range = 1 + random_below(1000);
        for (size_t i = 0; i < count; i++)
            values[i] = (int)random_below(range) - 300;
        check_sort(values, count);
    }
}

static void no_order_is_slow(void **state)
{
    static int up[4096], down[4096], same[4096];

    (void)state;
    for (int i = 0; i < 4096; i++) {
        up[i] = i;
        down[i] = -i;
        same[i] = 5;
    }
    const int *const orders[] = {up, down, same};
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        check_sort(orders[i], 4096);
        /* Two comparisons for each of twelve levels, and the building of the heap. */
        assert_in_range(comparisons, 1, 4096 * (2 * 12 + 2));
    }
}

struct odd {
    char key;
    char rest[12]; /* follows its key; 13 bytes have no alignment */
};

static int compare_odd(const void *a, const void *b)
{
    return ((const struct odd *)a)->key - ((const struct odd *)b)->key;
}

static void moves_whole_elements_of_odd_size(void **state)
{
    struct odd list[100];

    (void)state;
    random_start();
    for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
        list[i].key = (char)random_below(128);
        for (size_t k = 0; k < sizeof list[i].rest; k++)
            list[i].rest[k] = (char)(list[i].key ^ (char)k);
    }
    sort(list, ARRAY_SIZE(list), sizeof list[0], compare_odd);
    for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
        assert_true(i == 0 || list[i - 1].key <= list[i].key);
        for (size_t k = 0; k < sizeof list[i].rest; k++)
            assert_int_equal(list[i].rest[k], list[i].key ^ (char)k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_as_libc_does),
        cmocka_unit_test(no_order_is_slow),
        cmocka_unit_test(moves_whole_elements_of_odd_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
