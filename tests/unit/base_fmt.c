/* tests/unit/base_fmt.c: formatting, compared with libc's for many formats and buffer sizes. */
#include "unit.h"

static int (*const libc_vsnprintf)(char *, size_t, const char *, va_list) = vsnprintf;
static void *(*const libc_memset)(void *, int, size_t) = memset;
static int (*const libc_strcmp)(const char *, const char *) = strcmp;
static size_t (*const libc_strlen)(const char *) = strlen;

#include "rename.h"

#include "base/fmt.h"

/* Odd combinations are the point here: flags that are ignored, sizes that are too small. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wformat-overflow"
#pragma GCC diagnostic ignored "-Wformat-truncation"

/* Of what lies behind the result, this much must keep its value. */
#define GUARDED 32
#define GUARD   0x5a

static void compare_at_size(size_t size, const char *fmt, va_list args)
{
    char ours[512], theirs[512];
    va_list copy;

    libc_memset(ours, GUARD, sizeof ours);
    va_copy(copy, args);
    int want = libc_vsnprintf(theirs, size, fmt, copy);
    va_end(copy);
    va_copy(copy, args);
    int got = vsnprintf(ours, size, fmt, copy);
    va_end(copy);

    if (got != want || (size > 0 && libc_strcmp(ours, theirs) != 0))
        fail_msg("\"%s\" at size %zu: %d \"%s\", libc %d \"%s\"", fmt, size, got, size ? ours : "",
                 want, size ? theirs : "");
    for (size_t i = size; i < size + GUARDED; i++) {
        if (ours[i] != GUARD)
            fail_msg("\"%s\" at size %zu: writes byte %zu", fmt, size, i);
    }

    va_copy(copy, args);
    int kept = vscnprintf(ours, size, fmt, copy);
    va_end(copy);
    assert_int_equal(kept, size > 0 ? libc_strlen(theirs) : 0);
}

static void compare(const char *fmt, ...)
{
    static const size_t sizes[] = {0, 1, 2, 3, 7, 8, 9, 16, 30, 64, 400};
    va_list args;

    va_start(args, fmt);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        compare_at_size(sizes[i], fmt, args);
    va_end(args);
}

static void plain_text_and_percent(void **state)
{
    (void)state;
    compare("%s", "");
    compare("no conversion at all");
    compare("%%");
    compare("100%% of %d%%", 5);
    compare("%s%s%s", "a", "", "c");
    compare("%d%%%d", 1, 2);
}

static void integers_with_all_flags(void **state)
{
    static const char *const flags[] = {"",   "-",  "0",  "+",  " ",  "#",   "-0",  "+0",
                                        " 0", "#0", "-#", "+-", "+ ", "-+ ", "#-0", "-+ #0"};
    static const char *const widths[] = {"", "1", "5", "12", "25", "300"};
    static const char *const precisions[] = {"", ".", ".0", ".1", ".4", ".15", ".70"};
    static const int values[] = {0, 1, -1, 7, 8, 42, -42, 255, 65536, INT32_MAX, INT32_MIN};
    char fmt[40];

    (void)state;
    for (const char *conv = "diuxXo"; *conv; conv++) {
        for (size_t f = 0; f < ARRAY_SIZE(flags); f++) {
            for (size_t w = 0; w < ARRAY_SIZE(widths); w++) {
                for (size_t p = 0; p < ARRAY_SIZE(precisions); p++) {
                    size_t len = 0;
                    fmt[len++] = '<';
                    fmt[len++] = '%';
                    for (const char *c = flags[f]; *c; c++)
                        fmt[len++] = *c;
                    for (const char *c = widths[w]; *c; c++)
                        fmt[len++] = *c;
                    for (const char *c = precisions[p]; *c; c++)
                        fmt[len++] = *c;
                    fmt[len++] = *conv;
                    fmt[len++] = '>';
                    fmt[len] = '\0';
                    for (size_t v = 0; v < ARRAY_SIZE(values); v++)
                        compare(fmt, values[v]);
                }
            }
        }
    }
}

static void lengths(void **state)
{
    static const long long values[] = {0,         1,          -1,           127,       128,
                                       255,       256,        -128,         -129,      32767,
                                       32768,     65535,      65536,        INT32_MAX, 2147483648LL,
                                       INT32_MIN, UINT32_MAX, 4294967296LL, INT64_MAX, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        long long v = values[i];
        compare("%hhd %hhi %hhu %hhx %hhX %hho", (int)v, (int)v, (int)v, (int)v, (int)v, (int)v);
        compare("%hd %hi %hu %hx %hX %ho", (int)v, (int)v, (int)v, (int)v, (int)v, (int)v);
        compare("%d %i %u %x %X %o", (int)v, (int)v, (int)v, (int)v, (int)v, (int)v);
        compare("%ld %li %lu %lx %lX %lo", v, v, v, v, v, v);
        compare("%lld %lli %llu %llx %llX %llo", v, v, v, v, v, v);
        compare("%zd %zi %zu %zx %zX %zo", v, v, v, v, v, v);
        compare("%td %ti %tu %tx %tX %to", v, v, v, v, v, v);
        compare("%jd %ji %ju %jx %jX %jo", v, v, v, v, v, v);
        compare("%#lx %#lo %+ld % ld %030ld %-30ld| %.30lu", v, v, v, v, v, v, v);
    }
}

static void strings_and_characters(void **state)
{
    static const char unended[3] = {'x', 'y', 'z'};

    (void)state;
    compare("%s|%10s|%-10s|%3s", "word", "word", "word", "word");
    compare("%.0s|%.2s|%.9s|%.s", "word", "word", "word", "word");
    compare("%10.2s|%-10.2s|", "word", "word");
    compare("%.3s|%.*s|%-6.*s|", unended, 3, unended, 2, unended);
    compare("%s", (char *)NULL);
    compare("%.3s|%10s", "null", (char *)NULL);
    compare("%c%c%c", 'a', 'b', 'c');
    compare("%5c|%-5c|", 'x', 'y');
}

static void stars(void **state)
{
    (void)state;
    compare("%*d|%*d|%-*d|", 6, 42, -6, 42, 6, 42);
    compare("%.*d|%.*d|%.*d|", 6, 42, 0, 0, -1, 0);
    compare("%*.*d|%*.*s|", 8, 4, 42, -8, 2, "word");
    compare("%0*d|%0*x", 8, -42, 8, 0xbeef);
}

static void pointers(void **state)
{
    (void)state;
    compare("%p|%20p|%-20p|", (void *)0x1234, (void *)0x7fffdeadbeef, (void *)~0ul);

    /* libc prints "(nil)". */
    char buf[16];
    assert_int_equal(snprintf(buf, sizeof buf, "%p", NULL), 3);
    assert_string_equal(buf, "0x0");
}

static void random_formats(void **state)
{
    (void)state;
    random_start();
    for (int i = 0; i < 20000; i++) {
        static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z", "t", "j"};
        char fmt[64];
        size_t len = 0, k = random_below(ARRAY_SIZE(lengths));

        fmt[len++] = '%';
        for (size_t n = random_below(4); n > 0; n--)
            fmt[len++] = "-0#+ "[random_below(5)];
        if (random_below(2))
            fmt[len++] = (char)('1' + random_below(9));
        if (random_below(2)) {
            fmt[len++] = '.';
            if (random_below(4))
                fmt[len++] = (char)('0' + random_below(10));
        }
        for (const char *c = lengths[k]; *c; c++)
            fmt[len++] = *c;
        fmt[len++] = "diuxXo"[random_below(6)];
        fmt[len] = '\0';

        u64 value = random_u64() >> random_below(64);
        if (random_below(2))
            value = -value;
        if (k < 3)
            compare(fmt, (int)value);
        else
            compare(fmt, (long)value);
    }
}

static void unknown_conversion_ends_the_formatting(void **state)
{
    char buf[32];

    (void)state;
    assert_int_equal(snprintf(buf, sizeof buf, "%d %y %d", 1, 2, 3), 7);
    assert_string_equal(buf, "1 %y %d");
    assert_int_equal(snprintf(buf, sizeof buf, "%d %", 1), 3);
    assert_string_equal(buf, "1 %");
    assert_int_equal(snprintf(buf, sizeof buf, "%5.3"), 4);
    assert_string_equal(buf, "%5.3");
    assert_int_equal(snprintf(buf, sizeof buf, "%l"), 2);
    assert_string_equal(buf, "%l");
}

static void huge_width_is_counted_and_not_written(void **state)
{
    char buf[8];

    (void)state;
    assert_int_equal(snprintf(buf, sizeof buf, "%1000000d", 7), 1000000);
    assert_string_equal(buf, "       ");
    assert_int_equal(snprintf(buf, sizeof buf, "%99999999999d", 7), INT32_MAX);
    assert_int_equal(snprintf(buf, sizeof buf, "%*d%*d", INT32_MAX, 7, INT32_MIN, 7), INT32_MAX);
    assert_int_equal(scnprintf(buf, sizeof buf, "%1000000d", 7), 7);
    assert_int_equal(scnprintf(buf, 0, "%d", 7), 0);
    assert_int_equal(scnprintf(buf, 1, "%d", 7), 0);
    assert_string_equal(buf, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_and_percent),
        cmocka_unit_test(integers_with_all_flags),
        cmocka_unit_test(lengths),
        cmocka_unit_test(strings_and_characters),
        cmocka_unit_test(stars),
        cmocka_unit_test(pointers),
        cmocka_unit_test(random_formats),
        cmocka_unit_test(unknown_conversion_ends_the_formatting),
        cmocka_unit_test(huge_width_is_counted_and_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
