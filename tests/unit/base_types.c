/*
 * tests/unit/base_types.c: the macros of base/types.h, atomic operations, and reference counts.
 */
#include "unit.h"

#include <pthread.h>

#include "rename.h"

#include "base/atomic.h"
#include "base/errno.h"
#include "base/refcount.h"
#include "base/types.h"

static void alignment_and_bounds(void **state)
{
    (void)state;
    assert_int_equal(ALIGN_UP(0u, 8), 0);
    assert_int_equal(ALIGN_UP(1u, 8), 8);
    assert_int_equal(ALIGN_UP(8u, 8), 8);
    assert_int_equal(ALIGN_DOWN(15u, 8), 8);
    /* An alignment of a narrower type must not clear the upper half. */
    assert_true(ALIGN_DOWN(0x123456789abcdefULL, 4096u) == 0x123456789abc000ULL);
    assert_true(ALIGN_UP(0x123456789abcdefULL, 4096u) == 0x123456789abd000ULL);
    assert_true(IS_ALIGNED(0x100001000ULL, 4096));
    assert_false(IS_ALIGNED(0x100001001ULL, 4096));
    assert_int_equal(DIV_ROUND_UP(10, 4), 3);
    assert_int_equal(DIV_ROUND_UP(12, 4), 3);
    assert_true(IS_POW2(64) && !IS_POW2(0) && !IS_POW2(65));
    assert_true(BIT(63) == 0x8000000000000000ULL);

    int i = 3;
    assert_int_equal(MIN(i++, 5), 3);
    assert_int_equal(MAX(i++, MIN(1, MAX(0, 2))), 4);
    assert_int_equal(i, 5);
}

static void overflow_is_seen(void **state)
{
    size_t size;
    s64 time;
    u8 small;

    (void)state;
    assert_false(add_overflow(SIZE_MAX - 1, 1, &size));
    assert_true(size == SIZE_MAX);
    assert_true(add_overflow(SIZE_MAX, 1, &size));
    assert_true(mul_overflow(SIZE_MAX / 2 + 1, 2, &size));
    assert_true(sub_overflow(1u, 2, &size));
    assert_true(mul_overflow(INT64_MAX / 2, NSEC_PER_SEC, &time));
    assert_true(add_overflow(200, 56, &small));
    assert_false(add_overflow(200, 55, &small));
}

static void error_pointers(void **state)
{
    int object;

    (void)state;
    assert_true(IS_ERR(ERR_PTR(-ENOENT)));
    assert_int_equal(PTR_ERR(ERR_PTR(-ENOENT)), -ENOENT);
    assert_true(IS_ERR(ERR_PTR(-MAX_ERRNO)));
    assert_true(IS_ERR(ERR_PTR(-1)));
    assert_false(IS_ERR(ERR_PTR(-MAX_ERRNO - 1)));
    assert_false(IS_ERR(&object));
    assert_false(IS_ERR(NULL));
    assert_true(IS_ERR_OR_NULL(NULL));
}

struct thing {
    int before;
    int member;
    long released;
};

static void thing_put(struct thing *thing)
{
    thing->released++;
}

DEFINE_AUTO(thing_put, struct thing *)

static struct thing *use_thing(struct thing *given, bool keep)
{
    AUTO(thing_put) struct thing *thing = given;

    if (keep)
        return TAKE(thing);
    return NULL;
}

static void scope_releases_what_it_still_holds(void **state)
{
    struct thing thing = {0};

    (void)state;
    assert_null(use_thing(&thing, false));
    assert_int_equal(thing.released, 1);
    assert_ptr_equal(use_thing(&thing, true), &thing);
    assert_int_equal(thing.released, 1);
    assert_null(use_thing(NULL, false));
    assert_null(use_thing(ERR_PTR(-EBADF), false));
    assert_ptr_equal(use_thing(ERR_PTR(-EBADF), true), ERR_PTR(-EBADF));
    assert_ptr_equal(container_of(&thing.member, struct thing, member), &thing);
}

static void atomic_operations_return_what_they_say(void **state)
{
    u32 word = 5, seen = 4;

    (void)state;
    assert_int_equal(atomic_fetch_add(&word, 2), 5);
    assert_int_equal(atomic_add_return(&word, 2), 9);
    assert_int_equal(atomic_fetch_sub(&word, 1), 9);
    assert_int_equal(atomic_sub_return(&word, 1), 7);
    assert_int_equal(atomic_fetch_or(&word, 8), 7);
    assert_int_equal(atomic_fetch_and(&word, 12), 15);
    assert_int_equal(atomic_xchg(&word, 5), 12);
    assert_int_equal(atomic_cmpxchg(&word, 4, 6), 5);
    assert_int_equal(atomic_cmpxchg(&word, 5, 6), 5);
    assert_false(atomic_try_cmpxchg(&word, &seen, 7));
    assert_int_equal(seen, 6);
    assert_true(atomic_try_cmpxchg(&word, &seen, 7));
    assert_int_equal(atomic_load(&word), 7);
}

static void last_put_is_told_apart(void **state)
{
    struct refcount ref;

    (void)state;
    refcount_init(&ref, 1);
    refcount_get(&ref);
    assert_true(refcount_get_unless_zero(&ref));
    assert_int_equal(refcount_read(&ref), 3);
    assert_false(refcount_put(&ref));
    assert_false(refcount_put(&ref));
    assert_true(refcount_put(&ref));
    assert_false(refcount_get_unless_zero(&ref));
}

/* What went wrong once must never lead to a release. */
static void misused_counts_stick(void **state)
{
    struct refcount ref = REFCOUNT_INIT(0);

    (void)state;
    refcount_get(&ref);
    assert_int_equal(refcount_read(&ref), REFCOUNT_SATURATED);
    for (int i = 0; i < 10; i++)
        assert_false(refcount_put(&ref));

    refcount_init(&ref, 0);
    assert_false(refcount_put(&ref));
    assert_int_equal(refcount_read(&ref), REFCOUNT_SATURATED);

    refcount_init(&ref, REFCOUNT_MAX);
    refcount_get(&ref);
    assert_int_equal(refcount_read(&ref), REFCOUNT_SATURATED);
    assert_true(refcount_get_unless_zero(&ref));
    assert_int_equal(refcount_read(&ref), REFCOUNT_SATURATED);
    assert_false(refcount_put(&ref));
}

#define THREADS 4
#define ROUNDS  50000

static struct refcount shared = REFCOUNT_INIT(THREADS);
static u32 releases;

static void *get_and_put(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 2)
            refcount_get(&shared);
        else if (!refcount_get_unless_zero(&shared))
            atomic_add(&releases, 100);
        if (refcount_put(&shared))
            atomic_add(&releases, 100);
    }
    if (refcount_put(&shared))
        atomic_add(&releases, 1);
    return NULL;
}

static void threads_release_once(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_and_put, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(refcount_read(&shared), 0);
    assert_int_equal(releases, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alignment_and_bounds),
        cmocka_unit_test(overflow_is_seen),
        cmocka_unit_test(error_pointers),
        cmocka_unit_test(scope_releases_what_it_still_holds),
        cmocka_unit_test(atomic_operations_return_what_they_say),
        cmocka_unit_test(last_put_is_told_apart),
        cmocka_unit_test(misused_counts_stick),
        cmocka_unit_test(threads_release_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
