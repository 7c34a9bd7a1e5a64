/* getrandom.c: getrandom(2). */
#include "../lib/check.h"

#include <sys/random.h>

static long do_getrandom(void *buffer, size_t size, unsigned flags)
{
    return syscall(SYS_getrandom, buffer, size, flags);
}

/* covers: getrandom */
static void two_draws_differ(void **state)
{
    (void)state;
    unsigned char a[32], b[32];

    assert_returns(do_getrandom(a, sizeof a, 0), sizeof a);
    assert_returns(do_getrandom(b, sizeof b, 0), sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* covers: getrandom */
static void draws_up_to_256_bytes_are_complete(void **state)
{
    (void)state;
    unsigned char buffer[256];

    for (size_t size = 1; size <= sizeof buffer; size += 17)
        assert_returns(do_getrandom(buffer, size, 0), size);
}

/* covers: getrandom */
static void large_draw_fills_the_buffer(void **state)
{
    (void)state;
    size_t size = 1 << 20, zeros = 0;
    unsigned char *buffer = calloc(1, size);

    assert_non_null(buffer);
    assert_returns(do_getrandom(buffer, size, 0), size);
    for (size_t i = 0; i < size; i++)
        zeros += buffer[i] == 0;
    /* 4096 expected, standard deviation 64: twelve of them on either side */
    assert_in_range(zeros, 4096 - 12 * 64, 4096 + 12 * 64);
    free(buffer);
}

/* covers: getrandom */
static void buffer_is_not_overrun(void **state)
{
    (void)state;
    unsigned char buffer[16];

    memset(buffer, 0x5a, sizeof buffer);
    assert_returns(do_getrandom(buffer, 5, 0), 5);
    for (size_t i = 5; i < sizeof buffer; i++)
        assert_int_equal(buffer[i], 0x5a);
}

/* covers: getrandom */
static void size_of_zero_gives_nothing(void **state)
{
    (void)state;
    assert_returns(do_getrandom(NULL, 0, 0), 0);
}

/* covers: getrandom GRND_NONBLOCK GRND_RANDOM GRND_INSECURE */
static void flags_are_taken(void **state)
{
    (void)state;
    unsigned char buffer[8];

    assert_returns(do_getrandom(buffer, sizeof buffer, GRND_NONBLOCK), sizeof buffer);
    assert_returns(do_getrandom(buffer, sizeof buffer, GRND_RANDOM), sizeof buffer);
    assert_returns(do_getrandom(buffer, sizeof buffer, GRND_INSECURE), sizeof buffer);
}

/* covers: getrandom EINVAL */
static void bad_flags_are_refused(void **state)
{
    (void)state;
    unsigned char buffer[8];

    assert_errno(do_getrandom(buffer, sizeof buffer, 8), EINVAL);
    assert_errno(do_getrandom(buffer, sizeof buffer, GRND_RANDOM | GRND_INSECURE), EINVAL);
}

/* covers: getrandom EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    assert_errno(do_getrandom(BAD_PTR, 8, 0), EFAULT);
}

/* covers: getrandom fork */
static void processes_draw_different_bytes(void **state)
{
    (void)state;
    unsigned char *shared = shared_alloc(64), mine[32];

    in_child(assert_returns(do_getrandom(shared, 32, 0), 32));
    in_child(assert_returns(do_getrandom(shared + 32, 32, 0), 32));
    assert_returns(do_getrandom(mine, sizeof mine, 0), sizeof mine);
    assert_memory_not_equal(shared, shared + 32, 32);
    assert_memory_not_equal(shared, mine, 32);
}

/* covers: read */
static void device_files_give_random_bytes(void **state)
{
    (void)state;
    static const char *paths[] = {"/dev/urandom", "/dev/random"};
    unsigned char a[32], b[32];

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        int fd = must(open(paths[i], O_RDONLY));
        assert_returns(read(fd, a, sizeof a), sizeof a);
        assert_returns(read(fd, b, sizeof b), sizeof b);
        assert_memory_not_equal(a, b, sizeof a);
        must(close(fd));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_draws_differ),
        cmocka_unit_test(draws_up_to_256_bytes_are_complete),
        cmocka_unit_test(large_draw_fills_the_buffer),
        cmocka_unit_test(buffer_is_not_overrun),
        cmocka_unit_test(size_of_zero_gives_nothing),
        cmocka_unit_test(flags_are_taken),
        cmocka_unit_test(bad_flags_are_refused),
        cmocka_unit_test(bad_address_faults),
        cmocka_unit_test(processes_draw_different_bytes),
        cmocka_unit_test(device_files_give_random_bytes),
    };

    return cmocka_run_group_tests_name("misc/getrandom", tests, NULL, NULL);
}
