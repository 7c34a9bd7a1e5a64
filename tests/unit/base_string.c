/*
 * tests/unit/base_string.c: the string functions against libc's, at all alignments and many sizes.
 * Strings end at the end of an allocation, so that the sanitizer sees a byte read too many.
 */
#include "unit.h"

static void *(*const libc_memmove)(void *, const void *, size_t) = memmove;
static void *(*const libc_memset)(void *, int, size_t) = memset;
static int (*const libc_memcmp)(const void *, const void *, size_t) = memcmp;
static void *(*const libc_memchr)(const void *, int, size_t) = memchr;
static size_t (*const libc_strlen)(const char *) = strlen;
static size_t (*const libc_strnlen)(const char *, size_t) = strnlen;
static int (*const libc_strcmp)(const char *, const char *) = strcmp;
static int (*const libc_strncmp)(const char *, const char *, size_t) = strncmp;
static char *(*const libc_strchr)(const char *, int) = strchr;
static char *(*const libc_strrchr)(const char *, int) = strrchr;
static char *(*const libc_strstr)(const char *, const char *) = strstr;

#include "rename.h"

#include "base/string.h"

#define AREA  8192
#define ALIGN 17 /* past the size of a word, and of two */

static const size_t sizes[] = {0,  1,  2,  3,  5,   7,   8,   9,   15,  16,  17,   23,
                               31, 33, 63, 65, 127, 128, 129, 200, 255, 257, 1000, 4097};

static u8 area[AREA], model[AREA];

static void fill_random(void)
{
    for (size_t i = 0; i < AREA; i++)
        area[i] = model[i] = (u8)random_u64();
}

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void memcpy_and_memset_touch_just_their_bytes(void **state)
{
    (void)state;
    random_start();
    for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
        for (size_t to = 0; to < ALIGN; to++) {
            fill_random();
            for (size_t from = 0; from < ALIGN; from++) {
                u8 src[AREA / 2 + ALIGN + 8];
                for (size_t i = 0; i < sizeof src; i++)
                    src[i] = (u8)random_u64();
                assert_ptr_equal(memcpy(area + 64 + to, src + from, sizes[s]), area + 64 + to);
                libc_memmove(model + 64 + to, src + from, sizes[s]);
                assert_int_equal(libc_memcmp(area, model, AREA), 0);
            }
            int byte = (int)random_u64();
            assert_ptr_equal(memset(area + 64 + to, byte, sizes[s]), area + 64 + to);
            libc_memset(model + 64 + to, byte, sizes[s]);
            assert_int_equal(libc_memcmp(area, model, AREA), 0);
            memzero_explicit(area + 64 + to, sizes[s]);
            libc_memset(model + 64 + to, 0, sizes[s]);
            assert_int_equal(libc_memcmp(area, model, AREA), 0);
        }
    }
}

static void memmove_overlaps_both_ways(void **state)
{
    static const int shifts[] = {-4000, -300, -129, -65, -17, -9, -8, -7, -3,  -2,  -1,  0,
                                 1,     2,    3,    7,   8,   9,  17, 65, 129, 300, 4000};

    (void)state;
    random_start();
    for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
        for (size_t k = 0; k < ARRAY_SIZE(shifts); k++) {
            size_t from = 4000 + random_below(64), to = (size_t)((int)from + shifts[k]);
            size_t len = MIN(sizes[s], AREA - MAX(from, to));
            fill_random();
            assert_ptr_equal(memmove(area + to, area + from, len), area + to);
            libc_memmove(model + to, model + from, len);
            assert_int_equal(libc_memcmp(area, model, AREA), 0);
        }
    }
}

/* A copy that ends where its allocation ends. */
static char *tight_copy(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);

    assert_non_null(copy);
    libc_memmove(copy, text, len);
    return copy;
}

static void memcmp_and_memchr_agree_with_libc(void **state)
{
    (void)state;
    random_start();
    for (int i = 0; i < 20000; i++) {
        size_t len = random_below(80);
        char *a = malloc(len + 1), *b = malloc(len + 1);
        assert_true(a && b);
        for (size_t k = 0; k < len; k++)
            a[k] = b[k] = (char)random_u64();
        for (size_t n = random_below(3); n > 0 && len > 0; n--)
            b[random_below(len)] = (char)random_u64();
        char *x = tight_copy(a, len), *y = tight_copy(b, len);

        assert_int_equal(sign(memcmp(x, y, len)), sign(libc_memcmp(a, b, len)));
        assert_int_equal(memequal_ct(x, y, len), libc_memcmp(a, b, len) == 0);
        int c = len && random_below(2) ? b[random_below(len)] : (int)random_u64();
        assert_ptr_equal(memchr(y, c, len), libc_memchr(y, c, len));
        free(a);
        free(b);
        free(x);
        free(y);
    }
}

/*
 * A random string over few letters, so that prefixes and repetitions are frequent; with high bytes,
 * which must compare as unsigned.
 */
static char *random_string(size_t max)
{
    size_t len = random_below(max + 1);
    char *str = malloc(len + 1);

    assert_non_null(str);
    for (size_t i = 0; i < len; i++)
        str[i] = "ab\xff"[random_below(20) ? random_below(2) : 2];
    str[len] = '\0';
    return str;
}

static void strings_agree_with_libc(void **state)
{
    (void)state;
    random_start();
    for (int i = 0; i < 40000; i++) {
        char *a = random_string(i % 2 ? 40 : 6), *b = random_string(i % 3 ? 6 : 40);
        size_t n = random_below(45);
        int c = "ab\xffz"[random_below(5)];

        assert_int_equal(strlen(a), libc_strlen(a));
        assert_int_equal(strnlen(a, n), libc_strnlen(a, n));
        assert_int_equal(sign(strcmp(a, b)), sign(libc_strcmp(a, b)));
        assert_int_equal(sign(strncmp(a, b, n)), sign(libc_strncmp(a, b, n)));
        assert_int_equal(streq(a, b), libc_strcmp(a, b) == 0);
        assert_int_equal(str_has_prefix(a, b), libc_strncmp(a, b, libc_strlen(b)) == 0);
        assert_ptr_equal(strchr(a, c), libc_strchr(a, c));
        assert_ptr_equal(strrchr(a, c), libc_strrchr(a, c));
        assert_ptr_equal(strstr(a, b), libc_strstr(a, b));
        free(a);
        free(b);
    }
}

static void bounded_functions_stop_at_their_bound(void **state)
{
    char *unended = tight_copy("abcd", 4), *other = tight_copy("abcx", 4);

    (void)state;
    assert_int_equal(strnlen(unended, 4), 4);
    assert_int_equal(strncmp(unended, other, 3), 0);
    assert_true(strncmp(unended, other, 4) < 0);
    free(unended);
    free(other);
}

static void strlcpy_always_ends_its_result(void **state)
{
    (void)state;
    random_start();
    for (int i = 0; i < 5000; i++) {
        char *src = random_string(40);
        size_t size = random_below(50), len = libc_strlen(src);
        char *dst = malloc(size + 1);

        assert_non_null(dst);
        libc_memset(dst, 'z', size + 1);
        assert_int_equal(strlcpy(dst, src, size), len);
        if (size > 0) {
            size_t kept = MIN(len, size - 1);
            assert_int_equal(libc_memcmp(dst, src, kept), 0);
            assert_int_equal(dst[kept], '\0');
        }
        assert_int_equal(dst[size], 'z');
        free(src);
        free(dst);
    }
}

static void strlcat_appends_within_the_buffer(void **state)
{
    char buf[8] = "abc";

    (void)state;
    assert_int_equal(strlcat(buf, "de", sizeof buf), 5);
    assert_string_equal(buf, "abcde");
    assert_int_equal(strlcat(buf, "fghi", sizeof buf), 9);
    assert_string_equal(buf, "abcdefg");
    assert_int_equal(strlcat(buf, "x", 3), 4); /* no zero within 3 bytes: nothing is written */
    assert_string_equal(buf, "abcdefg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memcpy_and_memset_touch_just_their_bytes),
        cmocka_unit_test(memmove_overlaps_both_ways),
        cmocka_unit_test(memcmp_and_memchr_agree_with_libc),
        cmocka_unit_test(strings_agree_with_libc),
        cmocka_unit_test(bounded_functions_stop_at_their_bound),
        cmocka_unit_test(strlcpy_always_ends_its_result),
        cmocka_unit_test(strlcat_appends_within_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
