/* tests/unit/fs_cpio.c: headers and names of cpio archives, well-formed and hostile. */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>

static int (*const libc_snprintf)(char *, size_t, const char *, ...) = snprintf;

#include "rename.h"

#include "base/string.h"
#include "fs/cpio/parse.h"

static void header_text(char header[CPIO_HEADER + 1], const char *magic, const u32 fields[13])
{
    libc_snprintf(header, 7, "%s", magic);
    for (int i = 0; i < 13; i++)
        libc_snprintf(header + 6 + 8 * i, 9, "%08x", fields[i]);
}

static const u32 good[13] = {7, S_IFREG | 0644, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12};

static void fields_are_read(void **state)
{
    char header[CPIO_HEADER + 1];
    struct cpio_entry entry;

    header_text(header, "070701", good);
    assert_int_equal(cpio_parse_header(header, &entry), 0);
    assert_int_equal(entry.ino, 7);
    assert_int_equal(entry.mode, S_IFREG | 0644);
    assert_int_equal(entry.uid, 1);
    assert_int_equal(entry.gid, 2);
    assert_int_equal(entry.nlink, 3);
    assert_int_equal(entry.mtime, 4);
    assert_int_equal(entry.size, 5);
    assert_int_equal(entry.dev_major, 6);
    assert_int_equal(entry.dev_minor, 8);
    assert_int_equal(entry.rdev_major, 9);
    assert_int_equal(entry.rdev_minor, 10);
    assert_int_equal(entry.name_size, 11);
    assert_int_equal(entry.check, 12);
    header_text(header, "070702", good);
    assert_int_equal(cpio_parse_header(header, &entry), 0);
}

static void digits_of_both_cases_are_read(void **state)
{
    char header[CPIO_HEADER + 1];
    struct cpio_entry entry;

    header_text(header, "070701", good);
    memcpy(header + 6, "ABCDEF09", 8);
    assert_int_equal(cpio_parse_header(header, &entry), 0);
    assert_int_equal(entry.ino, 0xabcdef09);
}

static void other_forms_are_refused(void **state)
{
    char header[CPIO_HEADER + 1];
    struct cpio_entry entry;

    header_text(header, "070707", good); /* cpio(5)'s odc */
    assert_int_equal(cpio_parse_header(header, &entry), -EINVAL);
    memcpy(header, "\x1f\x8b\x08\0\0\0", 6); /* gzip */
    assert_int_equal(cpio_parse_header(header, &entry), -EINVAL);
}

static void bad_digits_are_refused(void **state)
{
    static const char bad[] = " -+xg/:@`G\0";

    for (size_t field = 0; field < 13; field++) {
        for (size_t i = 0; i < sizeof(bad); i++) {
            char header[CPIO_HEADER + 1];
            struct cpio_entry entry;

            header_text(header, "070701", good);
            header[6 + 8 * field + i % 8] = bad[i];
            assert_int_equal(cpio_parse_header(header, &entry), -EINVAL);
        }
    }
}

static void impossible_values_are_refused(void **state)
{
    static const struct {
        int field;
        u32 value;
    } bad[] = {
        {11, 0},      {11, CPIO_NAME_MAX + 1}, {11, UINT32_MAX}, {1, 0644},
        {1, 0170000}, {1, 0x10000 | S_IFREG},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char header[CPIO_HEADER + 1];
        struct cpio_entry entry;
        u32 fields[13];

        memcpy(fields, good, sizeof(fields));
        fields[bad[i].field] = bad[i].value;
        header_text(header, "070701", fields);
        assert_int_equal(cpio_parse_header(header, &entry), -EINVAL);
    }
}

/* NULL: refused. */
static void check_name(const char *name, size_t size, const char *expected)
{
    char text[CPIO_NAME_MAX];
    int err;

    memcpy(text, name, size);
    err = cpio_clean_name(text, size);
    if (expected && (err || !streq(text, expected)))
        fail_msg("'%s' becomes '%s' (%d), expected '%s'", name, text, err, expected);
    if (!expected && err != -EINVAL)
        fail_msg("'%s' is taken as '%s'", name, text);
}

static void names_become_relative(void **state)
{
    check_name("a/b", 4, "a/b");
    check_name("./a", 4, "a");
    check_name("/a", 3, "a");
    check_name("//a//b/", 8, "a/b");
    check_name("a/./b/.", 8, "a/b");
    check_name(".", 2, "");
    check_name("/", 2, "");
    check_name("", 1, "");
    check_name("...", 4, "...");
    check_name("..a/b..", 8, "..a/b..");
    check_name(".a", 3, ".a");
}

static void hostile_names_are_refused(void **state)
{
    char longest[300];

    check_name("..", 3, NULL);
    check_name("../a", 5, NULL);
    check_name("a/../b", 7, NULL);
    check_name("a/..", 5, NULL);
    check_name("/../etc", 8, NULL);
    check_name("a", 1, NULL);    /* not ended */
    check_name("a\0b", 4, NULL); /* ended before the end */
    check_name("a\0", 3, NULL);
    check_name("", 0, NULL);
    memset(longest, 'x', 256);
    longest[256] = '\0';
    check_name(longest, 257, NULL);
    longest[255] = '\0';
    check_name(longest, 256, longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(digits_of_both_cases_are_read),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(bad_digits_are_refused),
        cmocka_unit_test(impossible_values_are_refused),
        cmocka_unit_test(names_become_relative),
        cmocka_unit_test(hostile_names_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
