/* tests/unit/host_file.c: what a host may answer about files, and what is made of its lies. */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "rename.h"

#include "base/string.h"
#include "host/file.h"

#include <myst/target.h>

/* ---- a host that answers what a test wants ---- */

static int64_t reply;
static struct target_stat stat_reply;
static struct target_statfs statfs_reply;
static char data_reply[512];
static size_t data_size;

static int64_t reply_data(void *to)
{
    memcpy(to, data_reply, data_size);
    return reply;
}

int target_file_open(int dir, const char *name, int flags, unsigned int mode)
{
    return (int)reply;
}
void target_file_close(int file)
{
}
int target_file_stat(int dir, const char *name, struct target_stat *out)
{
    *out = stat_reply;
    return (int)reply;
}
int64_t target_file_read(int file, void *to, size_t len, uint64_t offset)
{
    return reply;
}
int64_t target_file_write(int file, const void *from, size_t len, uint64_t offset)
{
    return reply;
}
int64_t target_file_seek(int file, uint64_t offset, int whence)
{
    return reply;
}
int64_t target_file_readdir(int dir, void *to, size_t len, int64_t cursor)
{
    return reply_data(to);
}
int64_t target_file_readlink(int dir, const char *name, char *to, size_t len)
{
    return reply_data(to);
}
int target_file_truncate(int file, uint64_t size)
{
    return (int)reply;
}
int target_file_allocate(int file, int mode, uint64_t offset, uint64_t len)
{
    return (int)reply;
}
int target_file_sync(int file, bool data_only)
{
    return (int)reply;
}
int target_file_mkdir(int dir, const char *name, unsigned int mode)
{
    return (int)reply;
}
int target_file_mknod(int dir, const char *name, unsigned int mode, uint64_t rdev)
{
    return (int)reply;
}
int target_file_unlink(int dir, const char *name, bool directory)
{
    return (int)reply;
}
int target_file_rename(int from_dir, const char *from, int to_dir, const char *to,
                       unsigned int flags)
{
    return (int)reply;
}
int target_file_link(int from_dir, const char *from, int to_dir, const char *to)
{
    return (int)reply;
}
int target_file_symlink(const char *text, int dir, const char *name)
{
    return (int)reply;
}
int target_file_chmod(int dir, const char *name, unsigned int mode)
{
    return (int)reply;
}
int target_file_chown(int dir, const char *name, uint32_t uid, uint32_t gid)
{
    return (int)reply;
}
int target_file_utimes(int dir, const char *name, int64_t atime, int64_t mtime)
{
    return (int)reply;
}
int target_file_statfs(int file, struct target_statfs *out)
{
    *out = statfs_reply;
    return (int)reply;
}

/* ---- results ---- */

static int64_t call_open(void)
{
    return host_file_open(3, "f", HOST_OPEN_READ, 0);
}
static int64_t call_read(void)
{
    char buf[10];

    return host_file_read(3, buf, sizeof(buf), 0);
}
static int64_t call_write(void)
{
    return host_file_write(3, "0123456789", 10, 0);
}
static int64_t call_seek(void)
{
    return host_file_seek(3, 100, 3);
}
static int64_t call_truncate(void)
{
    return host_file_truncate(3, 0);
}
static int64_t call_mkdir(void)
{
    return host_file_mkdir(3, "d", 0755);
}
static int64_t call_unlink(void)
{
    return host_file_unlink(3, "f", false);
}
static int64_t call_rename(void)
{
    return host_file_rename(3, "f", 3, "g", 0);
}
static int64_t call_link(void)
{
    return host_file_link(3, "f", 3, "g");
}
static int64_t call_symlink(void)
{
    return host_file_symlink("f", 3, "g");
}
static int64_t call_chmod(void)
{
    return host_file_chmod(3, "f", 0);
}
static int64_t call_chown(void)
{
    return host_file_chown(3, "f", 0, 0);
}
static int64_t call_utimes(void)
{
    return host_file_utimes(3, "f", 0, 0);
}
static int64_t call_sync(void)
{
    return host_file_sync(3, false);
}
static int64_t call_allocate(void)
{
    return host_file_allocate(3, 0, 0, 1);
}

static const struct {
    const char *name;
    int64_t (*call)(void);
    int64_t answered, expected;
} results[] = {
    {"a descriptor", call_open, 3, 3},
    {"the console's descriptor", call_open, 2, -EIO},
    {"descriptor 0", call_open, 0, -EIO},
    {"an error of open", call_open, -ENOENT, -ENOENT},
    {"no descriptors", call_open, -EMFILE, -EMFILE},
    {"an error that open has not", call_open, -ECHILD, -EIO},
    {"no errno at all", call_open, -5000, -EIO},
    {"a restart code", call_open, -512, -EIO},
    {"all bytes", call_read, 10, 10},
    {"some bytes", call_read, 3, 3},
    {"the end", call_read, 0, 0},
    {"more than asked", call_read, 11, -EIO},
    {"much more than asked", call_read, INT64_MAX, -EIO},
    {"the lowest number", call_read, INT64_MIN, -EIO},
    {"a fault", call_read, -EFAULT, -EFAULT},
    {"an error that reading has not", call_read, -ENOENT, -EIO},
    {"all bytes written", call_write, 10, 10},
    {"more written than given", call_write, 11, -EIO},
    {"a full disk", call_write, -ENOSPC, -ENOSPC},
    {"data further on", call_seek, 200, 200},
    {"data here", call_seek, 100, 100},
    {"data behind us", call_seek, 99, -EIO},
    {"no more data", call_seek, -ENXIO, -ENXIO},
    {"truncated", call_truncate, 0, 0},
    {"truncated to something", call_truncate, 1, -EIO},
    {"a directory in the way", call_mkdir, -EEXIST, -EEXIST},
    {"mkdir of another kind", call_mkdir, -ENOTSOCK, -EIO},
    {"a count from mkdir", call_mkdir, 7, -EIO},
    {"not empty", call_unlink, -ENOTEMPTY, -ENOTEMPTY},
    {"a count from unlink", call_unlink, 1, -EIO},
    {"another file system", call_rename, -EXDEV, -EXDEV},
    {"a restart from rename", call_rename, -513, -EIO},
    {"too many links", call_link, -EMLINK, -EMLINK},
    {"a count from link", call_link, 1, -EIO},
    {"a long name", call_symlink, -ENAMETOOLONG, -ENAMETOOLONG},
    {"not the owner", call_chmod, -EPERM, -EPERM},
    {"a bad descriptor is our own fault", call_chmod, -EBADF, -EIO},
    {"not allowed", call_chown, -EPERM, -EPERM},
    {"read-only", call_utimes, -EROFS, -EROFS},
    {"a bad disk", call_sync, -EIO, -EIO},
    {"not supported", call_allocate, -EOPNOTSUPP, -EOPNOTSUPP},
    {"allocated something", call_allocate, 2, -EIO},
};

static void results_are_of_the_call_or_eio(void **state)
{
    for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
        int64_t got;

        reply = results[i].answered;
        got = results[i].call();
        if (got != results[i].expected)
            fail_msg("%s: %lld, expected %lld", results[i].name, (long long)got,
                     (long long)results[i].expected);
    }
}

/* ---- attributes ---- */

static int stat_with(struct target_stat st, struct host_stat *out)
{
    reply = 0;
    stat_reply = st;
    return host_file_stat(3, "f", out);
}

static void attributes_must_be_possible(void **state)
{
    const struct target_stat good = {
        .mode = S_IFREG | 0644, .size = 5, .blksize = 4096, .nlink = 1};
    struct target_stat st = good;
    struct host_stat out;

    assert_int_equal(stat_with(st, &out), 0);
    assert_int_equal(out.size, 5);
    assert_int_equal(out.mode, S_IFREG | 0644);

    st.mode = 0644; /* of no type */
    assert_int_equal(stat_with(st, &out), -EIO);
    st.mode = 0170644; /* of a type that does not exist */
    assert_int_equal(stat_with(st, &out), -EIO);
    st.mode = S_IFREG | 0x10000; /* wider than a mode is */
    assert_int_equal(stat_with(st, &out), -EIO);
    st = good;
    st.size = (uint64_t)INT64_MAX + 1;
    assert_int_equal(stat_with(st, &out), -EIO);
    st = good;
    st.blocks = UINT64_MAX;
    assert_int_equal(stat_with(st, &out), -EIO);

    for (uint32_t shift = 0; shift < 32; shift++) {
        st = good;
        st.blksize = 1U << shift;
        assert_int_equal(stat_with(st, &out), 0);
        assert_true(out.blksize >= 512 && out.blksize <= 1U << 20);
    }
    st.blksize = 4097;
    assert_int_equal(stat_with(st, &out), 0);
    assert_int_equal(out.blksize, 4096);
}

static void free_space_is_at_most_all(void **state)
{
    struct host_statfs out;

    reply = 0;
    statfs_reply = (struct target_statfs){
        .blocks = 10, .bfree = 11, .bavail = UINT64_MAX, .files = 1, .ffree = 2};
    assert_int_equal(host_file_statfs(3, &out), 0);
    assert_int_equal(out.bfree, 10);
    assert_int_equal(out.bavail, 10);
    assert_int_equal(out.ffree, 1);
    assert_int_equal(out.namelen, 255);
}

/* ---- directories ---- */

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

static void more_records_than_room_are_refused(void **state)
{
    char buf[16];

    data_size = 0;
    reply = 17;
    assert_int_equal(host_file_readdir(3, buf, sizeof(buf), 0), -EIO);
}

static void link_text_is_a_string(void **state)
{
    char buf[16];

    data_size = 4;
    reply = 4;
    memcpy(data_reply, "a/b ", 4);
    assert_int_equal(host_file_readlink(3, "l", buf, sizeof(buf)), 4);
    data_reply[1] = '\0';
    assert_int_equal(host_file_readlink(3, "l", buf, sizeof(buf)), -EIO);
    reply = 17;
    assert_int_equal(host_file_readlink(3, "l", buf, sizeof(buf)), -EIO);
    reply = -EINVAL;
    assert_int_equal(host_file_readlink(3, "l", buf, sizeof(buf)), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_of_the_call_or_eio),
        cmocka_unit_test(attributes_must_be_possible),
        cmocka_unit_test(free_space_is_at_most_all),
        cmocka_unit_test(good_records_pass),
        cmocka_unit_test(bad_records_are_refused),
        cmocka_unit_test(more_records_than_room_are_refused),
        cmocka_unit_test(link_text_is_a_string),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
