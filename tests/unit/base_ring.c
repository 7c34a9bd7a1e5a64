/* tests/unit/base_ring.c: the byte ring against a plain queue, also across a wrap of its counts. */
#include "unit.h"

#include "rename.h"

#include "base/ring.h"

#define SIZE 64

static u8 model[SIZE * 4];
static size_t model_len;

static void check_content(struct ring *ring)
{
    u8 all[SIZE * 4];

    assert_int_equal(ring_used(ring), model_len);
    assert_int_equal(ring_free(ring), ring->size - model_len);
    assert_int_equal(ring_peek(ring, 0, all, sizeof all), model_len);
    assert_memory_equal(all, model, model_len);
    size_t offset = random_below(model_len + 3);
    size_t rest = offset < model_len ? model_len - offset : 0, want = random_below(SIZE);
    assert_int_equal(ring_peek(ring, offset, all, want), MIN(rest, want));
    if (offset < model_len)
        assert_memory_equal(all, model + offset, MIN(rest, want));
}

static void put_some(struct ring *ring)
{
    u8 data[SIZE * 2];
    size_t len = random_below(SIZE + 20), fits = MIN(len, ring_free(ring));

    for (size_t i = 0; i < len; i++)
        data[i] = (u8)random_u64();
    assert_int_equal(ring_put(ring, data, len), fits);
    memcpy(model + model_len, data, fits);
    model_len += fits;
}

static void model_drop(size_t len)
{
    memmove(model, model + len, model_len - len);
    model_len -= len;
}

static void get_some(struct ring *ring)
{
    u8 data[SIZE * 2];
    size_t len = random_below(SIZE + 20), there = MIN(len, model_len);

    assert_int_equal(ring_get(ring, data, len), there);
    assert_memory_equal(data, model, there);
    model_drop(there);
}

/* One piece from each end, as a copy from or to a program would use it. */
static void use_spans(struct ring *ring)
{
    u8 *at;
    size_t span = ring_free_span(ring, &at);

    assert_int_equal(span > 0, ring_free(ring) > 0);
    size_t len = random_below(span + 1);
    for (size_t i = 0; i < len; i++)
        model[model_len + i] = at[i] = (u8)random_u64();
    ring_produce(ring, len);
    model_len += len;

    span = ring_used_span(ring, &at);
    assert_int_equal(span > 0, model_len > 0);
    assert_memory_equal(at, model, span);
    len = random_below(span + 1);
    ring_consume(ring, len);
    model_drop(len);
}

static void agrees_with_queue(void **state)
{
    struct ring ring;
    u8 *buf = malloc(SIZE);

    (void)state;
    random_start();
    assert_non_null(buf);
    ring_init(&ring, buf, SIZE);
    /* The counts only ever grow: let them pass the end of their range. */
    ring.head = ring.tail = SIZE_MAX - 1000;
    model_len = 0;
    for (int step = 0; step < 30000; step++) {
        size_t choice = random_below(7);
        if (choice < 2) {
            put_some(&ring);
        } else if (choice < 4) {
            get_some(&ring);
        } else if (choice < 6) {
            use_spans(&ring);
        } else if (step > 1000 && random_below(20) == 0) {
            size_t size = model_len > SIZE ? SIZE * 2 : SIZE << random_below(2);
            u8 *bigger = malloc(size);
            assert_non_null(bigger);
            ring_move(&ring, bigger, size);
            free(buf);
            buf = bigger;
        }
        check_content(&ring);
        if (step == 1000)
            assert_true(ring.tail < SIZE_MAX / 2);
    }
    ring_clear(&ring);
    assert_int_equal(ring_used(&ring), 0);
    assert_int_equal(ring_free(&ring), ring.size);
    free(buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
