/* tests/unit/host_dir.c: what a host may answer about the entries of a directory and about links. */
#include "unit.h"

#include <errno.h>

#include "rename.h"

#include "base/string.h"
#include "host/file.h"

#include "break.h"
#include "lying_files.h"

struct record {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
} __attribute__((packed));

static struct record *put_record(const char *name, size_t reclen)
{
    struct record *record = (struct record *)(data_reply + data_size);

    memset(record, 0, reclen);
    record->ino = 1;
    record->off = 7;
    record->reclen = (uint16_t)reclen;
    memcpy(record->name, name, strlen(name) + 1);
    data_size += reclen;
    return record;
}

static int64_t read_directory(void)
{
    char buf[512] __attribute__((aligned(8)));

    reply = (int64_t)data_size;
    return host_file_readdir(3, buf, sizeof(buf), 0);
}

static void good_records_pass(void **state)
{
    data_size = 0;
    assert_int_equal(read_directory(), 0);
    put_record(".", 24);
    put_record("a-name", 32);
    assert_int_equal(read_directory(), 56);
}

/* breaks: file_readdir_record file_readdir_name file_readdir_cursor */
static void bad_records_are_refused(void **state)
{
    struct record *record;

    data_size = 0;
    put_record("a/b", 32);
    assert_int_equal(read_directory(), -EIO);

    data_size = 0;
    put_record("", 24);
    assert_int_equal(read_directory(), -EIO);

    data_size = 0;
    put_record("fine", 32);
    put_record("longer than there is", 48)->reclen = 56;
    assert_int_equal(read_directory(), -EIO);

    data_size = 0;
    put_record("short", 32)->reclen = 16; /* ends before the name begins */
    assert_int_equal(read_directory(), -EIO);

    data_size = 0;
    put_record("stuck", 32)->reclen = 0; /* would never end */
    assert_int_equal(read_directory(), -EIO);

    data_size = 0;
    put_record("crooked", 32)->reclen = 29;
    assert_int_equal(read_directory(), -EIO);

    data_size = 0;
    put_record("back", 32)->off = -1;
    assert_int_equal(read_directory(), -EIO);

    data_size = 0;
    record = put_record("no-end", 32);
    memset(record->name, 'x', 32 - offsetof(struct record, name));
    assert_int_equal(read_directory(), -EIO);

    data_size = 0; /* a name of 256 bytes */
    record = put_record("", 280);
    memset(record->name, 'x', 256);
    assert_int_equal(read_directory(), -EIO);

    data_size = 0; /* part of a record */
    put_record("cut", 32);
    data_size = 10;
    assert_int_equal(read_directory(), -EIO);
}

/* breaks: file_readdir_type */
static void types_that_do_not_exist_are_unknown(void **state)
{
    char buf[512] __attribute__((aligned(8)));
    const struct record *record = (struct record *)buf;

    for (int type = 0; type < 256; type++) {
        bool exists = type == 1 || type == 2 || type == 4 || type == 6 || type == 8 || type == 10 ||
                      type == 12;

        data_size = 0;
        put_record("f", 24)->type = (uint8_t)type;
        reply = 24;
        assert_int_equal(host_file_readdir(3, buf, sizeof(buf), 0), 24);
        assert_int_equal(record->type, exists ? type : 0);
    }
}

/* breaks: file_readdir_cleared */
static void records_that_were_not_written_are_none(void **state)
{
    char buf[32] __attribute__((aligned(8)));

    data_size = 0;
    put_record("secret", 32);
    memcpy(buf, data_reply, 32);
    data_size = 0;
    reply = 32;
    assert_int_equal(host_file_readdir(3, buf, sizeof(buf), 0), -EIO);
}

/* breaks: file_readdir_count */
static void more_records_than_room_are_refused(void **state)
{
    char buf[64] __attribute__((aligned(8)));

    data_size = 0;
    put_record("one", 24);
    put_record("two", 24);
    reply = 48;
    assert_int_equal(host_file_readdir(3, buf, 48, 0), 48);
    assert_int_equal(host_file_readdir(3, buf, 47, 0), -EIO);
    assert_int_equal(host_file_readdir(3, buf, 24, 0), -EIO);
}

/* breaks: file_readlink_text file_readlink_count */
static void link_text_is_a_string(void **state)
{
    char buf[16];

    data_size = 4;
    reply = 4;
    memcpy(data_reply, "a/b ", 4);
    assert_int_equal(host_file_readlink(3, "l", buf, sizeof(buf)), 4);
    data_reply[1] = '\0';
    assert_int_equal(host_file_readlink(3, "l", buf, sizeof(buf)), -EIO);
    memcpy(data_reply, "abcd", 4);
    reply = 4;
    assert_int_equal(host_file_readlink(3, "l", buf, 3), -EIO);
    assert_int_equal(host_file_readlink(3, "l", buf, 4), 4);
    reply = 17;
    assert_int_equal(host_file_readlink(3, "l", buf, sizeof(buf)), -EIO);
    reply = -EINVAL;
    assert_int_equal(host_file_readlink(3, "l", buf, sizeof(buf)), -EINVAL);
}

/* breaks: file_readlink_cleared */
static void link_text_that_was_not_written_is_none(void **state)
{
    char buf[16];

    memset(buf, 's', sizeof(buf));
    data_size = 0;
    reply = 16;
    assert_int_equal(host_file_readlink(3, "l", buf, sizeof(buf)), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_records_pass),
        cmocka_unit_test(bad_records_are_refused),
        cmocka_unit_test(types_that_do_not_exist_are_unknown),
        cmocka_unit_test(records_that_were_not_written_are_none),
        cmocka_unit_test(more_records_than_room_are_refused),
        cmocka_unit_test(link_text_is_a_string),
        cmocka_unit_test(link_text_that_was_not_written_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
