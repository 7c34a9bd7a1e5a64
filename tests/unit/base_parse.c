/* tests/unit/base_parse.c: numbers in strings, their errors, and agreement with libc's strtoull. */
#include "unit.h"

#include "rename.h"

#include "base/errno.h"
#include "base/fmt.h"
#include "base/parse.h"
#include "base/string.h"

#define UNTOUCHED 0x5a5a5a5a

static void expect_u64(const char *str, unsigned int base, long want_err, u64 want)
{
    u64 value = UNTOUCHED;
    long err = strtou64(str, base, &value);

    if (err != want_err || value != (err ? UNTOUCHED : want))
        fail_msg("\"%s\" in base %u: %ld, %llu", str, base, err, value);
}

static void expect_s64(const char *str, unsigned int base, long want_err, s64 want)
{
    s64 value = UNTOUCHED;
    long err = strtos64(str, base, &value);

    if (err != want_err || value != (err ? UNTOUCHED : want))
        fail_msg("\"%s\" in base %u: %ld, %lld", str, base, err, value);
}

static void whole_numbers(void **state)
{
    (void)state;
    expect_u64("0", 10, 0, 0);
    expect_u64("007", 10, 0, 7);
    expect_u64("18446744073709551615", 10, 0, UINT64_MAX);
    expect_u64("ffffffffffffffff", 16, 0, UINT64_MAX);
    expect_u64("0xFFFFffffFFFFffff", 0, 0, UINT64_MAX);
    expect_u64("1777777777777777777777", 8, 0, UINT64_MAX);
    expect_u64("zz", 36, 0, 35 * 36 + 35);
    expect_u64("101", 2, 0, 5);
}

static void base_zero_looks_at_the_prefix(void **state)
{
    (void)state;
    expect_u64("10", 0, 0, 10);
    expect_u64("010", 0, 0, 8);
    expect_u64("0x10", 0, 0, 16);
    expect_u64("0X1f", 0, 0, 31);
    expect_u64("0x10", 16, 0, 16);
    expect_u64("0", 0, 0, 0);
    expect_u64("0x", 0, -EINVAL, 0);
    expect_u64("0xg", 16, -EINVAL, 0);
    expect_u64("0x10", 10, -EINVAL, 0);
    expect_u64("08", 0, -EINVAL, 0);
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const bad[] = {"",  " ",  " 1",  "1 ",  "+1", "-1",
                                      "x", "1x", "1\n", "--1", "0b1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        expect_u64(bad[i], 10, -EINVAL, 0);
    expect_s64("-", 10, -EINVAL, 0);
    expect_s64("+", 10, -EINVAL, 0);
    expect_s64("+-1", 10, -EINVAL, 0);
    expect_s64("- 1", 10, -EINVAL, 0);
    expect_s64("", 10, -EINVAL, 0);
}

static void limits_of_each_type(void **state)
{
    u32 u = UNTOUCHED;
    s32 s = UNTOUCHED;

    (void)state;
    expect_u64("18446744073709551616", 10, -ERANGE, 0);
    expect_u64("99999999999999999999999999", 10, -ERANGE, 0);
    expect_u64("10000000000000000", 16, -ERANGE, 0);
    expect_s64("9223372036854775807", 10, 0, INT64_MAX);
    expect_s64("+9223372036854775807", 10, 0, INT64_MAX);
    expect_s64("-9223372036854775808", 10, 0, INT64_MIN);
    expect_s64("9223372036854775808", 10, -ERANGE, 0);
    expect_s64("-9223372036854775809", 10, -ERANGE, 0);
    expect_s64("-0x10", 0, 0, -16);
    expect_s64("-0", 10, 0, 0);

    assert_int_equal(strtou32("4294967296", 10, &u), -ERANGE);
    assert_int_equal(strtos32("2147483648", 10, &s), -ERANGE);
    assert_int_equal(strtos32("-2147483649", 10, &s), -ERANGE);
    assert_int_equal(strtou32("", 10, &u), -EINVAL);
    assert_int_equal(strtos32("1.0", 10, &s), -EINVAL);
    assert_int_equal(u, UNTOUCHED);
    assert_int_equal(s, UNTOUCHED);
    assert_int_equal(strtou32("4294967295", 10, &u), 0);
    assert_int_equal(u, UINT32_MAX);
    assert_int_equal(strtos32("-2147483648", 10, &s), 0);
    assert_int_equal(s, INT32_MIN);
}

static void bounded_text_needs_no_end(void **state)
{
    static const char text[] = {'1', '2', '3', ':', '4'};
    u64 u = UNTOUCHED;
    s64 s = UNTOUCHED;

    (void)state;
    assert_int_equal(parse_u64(text, sizeof text, 10, &u), 3);
    assert_int_equal(u, 123);
    assert_int_equal(parse_u64(text, 2, 10, &u), 2);
    assert_int_equal(u, 12);
    assert_int_equal(parse_u64(text + 4, 1, 10, &u), 1);
    assert_int_equal(u, 4);
    assert_int_equal(parse_u64(text + 3, 2, 10, &u), -EINVAL);
    assert_int_equal(parse_u64(text, 0, 10, &u), -EINVAL);
    assert_int_equal(u, 4);
    assert_int_equal(parse_s64("-77,", 4, 10, &s), 3);
    assert_int_equal(s, -77);
    assert_int_equal(parse_s64("-77", 1, 10, &s), -EINVAL);
    /* "0x" without a digit behind it is the number 0 and an x. */
    assert_int_equal(parse_u64("0xz", 3, 0, &u), 1);
    assert_int_equal(u, 0);
    assert_int_equal(parse_u64("0x1", 2, 0, &u), 1);
}

static void sizes_with_units(void **state)
{
    static const struct {
        const char *str;
        long err;
        u64 value;
    } cases[] = {
        {"0", 0, 0},           {"4096", 0, 4096},      {"1k", 0, 1024},
        {"2K", 0, 2048},       {"3m", 0, 3 << 20},     {"4G", 0, 4ULL << 30},
        {"5t", 0, 5ULL << 40}, {"6P", 0, 6ULL << 50},  {"15e", 0, 15ULL << 60},
        {"16E", -ERANGE, 0},   {"0x10k", 0, 16 << 10}, {"1kb", -EINVAL, 0},
        {"k", -EINVAL, 0},     {"1 k", -EINVAL, 0},    {"1q", -EINVAL, 0},
        {"", -EINVAL, 0},      {"-1k", -EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        u64 value = UNTOUCHED;
        assert_int_equal(strtosize(cases[i].str, &value), cases[i].err);
        assert_true(value == (cases[i].err ? UNTOUCHED : cases[i].value));
    }
}

static void random_numbers_come_back(void **state)
{
    (void)state;
    random_start();
    for (int i = 0; i < 20000; i++) {
        u64 number = random_u64() >> random_below(64);
        char text[32];

        snprintf(text, sizeof text, "%llu", number);
        expect_u64(text, 10, 0, number);
        snprintf(text, sizeof text, "%#llx", number);
        expect_u64(text, 0, 0, number);
        snprintf(text, sizeof text, "%#llo", number);
        expect_u64(text, 0, 0, number);
        snprintf(text, sizeof text, "%lld", (s64)number);
        expect_s64(text, 10, 0, (s64)number);

        /* In any base, as libc reads it. */
        unsigned int base = 2 + (unsigned int)random_below(35);
        for (size_t k = 0; k < 12; k++)
            text[k] = "0123456789abcdefghijklmnopqrstuvwxyz"[random_below(base)];
        text[0] = '1';
        text[12] = '\0';
        expect_u64(text, base, 0, strtoull(text, NULL, (int)base));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(base_zero_looks_at_the_prefix),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(limits_of_each_type),
        cmocka_unit_test(bounded_text_needs_no_end),
        cmocka_unit_test(sizes_with_units),
        cmocka_unit_test(random_numbers_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
