/* tests/unit/host_file.c: what a host may answer about files, and what is made of its lies. */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "rename.h"

#include "base/string.h"
#include "host/descriptors.h"
#include "host/file.h"

#include "break.h"
#include "lying_files.h"

/* ---- results ---- */

static int64_t call_open(void)
{
    int file = host_file_open(3, "f", HOST_OPEN_READ, 0);

    host_file_close(file);
    return file;
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
static int64_t call_mknod(void)
{
    return host_file_mknod(3, "p", 010644, 0);
}
static int64_t call_stat(void)
{
    struct host_stat st;

    stat_reply = (struct target_stat){.mode = S_IFREG | 0644, .blksize = 4096};
    return host_file_stat(3, "f", &st);
}
static int64_t call_statfs(void)
{
    struct host_statfs fs;

    return host_file_statfs(3, &fs);
}
static int64_t call_readdir(void)
{
    char buf[8] __attribute__((aligned(8)));

    data_size = 0;
    return host_file_readdir(3, buf, sizeof(buf), 0);
}
static int64_t call_readlink(void)
{
    char buf[8];

    data_size = 0;
    return host_file_readlink(3, "l", buf, sizeof(buf));
}

static const struct {
    const char *name;
    int64_t (*call)(void);
    int64_t answered, expected;
} results[] = {
    {"a descriptor", call_open, 3, 3},
    {"the console's descriptor", call_open, 2, -EIO},
    {"descriptor 0", call_open, 0, -EIO},
    {"the first that can be", call_open, 3, 3},
    {"the last that can be", call_open, DESCRIPTORS_MAX - 1, DESCRIPTORS_MAX - 1},
    {"one too many", call_open, DESCRIPTORS_MAX, -EIO},
    {"the largest number", call_open, INT32_MAX, -EIO},
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
    {"nothing written", call_write, 0, -EIO},
    {"an error that writing has not", call_write, -ENOTDIR, -EIO},
    {"more written than given", call_write, 11, -EIO},
    {"a full disk", call_write, -ENOSPC, -ENOSPC},
    {"data further on", call_seek, 200, 200},
    {"data here", call_seek, 100, 100},
    {"data behind us", call_seek, 99, -EIO},
    {"no more data", call_seek, -ENXIO, -ENXIO},
    {"an error that seeking has not", call_seek, -ENOSPC, -EIO},
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
    {"a pipe in the way", call_mknod, -EEXIST, -EEXIST},
    {"a count from mknod", call_mknod, 1, -EIO},
    {"a count from symlink", call_symlink, 1, -EIO},
    {"a count from chmod", call_chmod, 1, -EIO},
    {"chown of another kind", call_chown, -EXDEV, -EIO},
    {"a count from utimes", call_utimes, 1, -EIO},
    {"a count from sync", call_sync, 1, -EIO},
    {"attributes", call_stat, 0, 0},
    {"attributes that are not there", call_stat, -ENOENT, -ENOENT},
    {"a count from stat", call_stat, 144, -EIO},
    {"an error that stat has not", call_stat, -ESPIPE, -EIO},
    {"a count from statfs", call_statfs, 1, -EIO},
    {"an error that statfs has not", call_statfs, -EEXIST, -EIO},
    {"the end of a directory", call_readdir, 0, 0},
    {"not a directory", call_readdir, -ENOTDIR, -ENOTDIR},
    {"an error that readdir has not", call_readdir, -ENOSPC, -EIO},
    {"not a link", call_readlink, -EINVAL, -EINVAL},
    {"an error that readlink has not", call_readlink, -EAGAIN, -EIO},
};

/*
 * breaks: file_open_errno file_open_descriptor file_read_count file_read_errno file_write_count
 * file_write_errno file_write_progress file_seek_forward file_seek_errno file_truncate_result
 * file_mkdir_result file_unlink_result file_rename_result file_link_result file_symlink_result
 * file_chmod_result file_chown_result file_utimes_result file_sync_result file_allocate_result
 * file_mknod_result file_stat_result file_statfs_result file_readdir_errno file_readlink_errno
 */
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

/* ---- descriptors ---- */

static int open_as(int file)
{
    reply = file;
    return host_file_open(3, "f", HOST_OPEN_READ, 0);
}

/* breaks: file_open_twice */
static void a_descriptor_is_handed_out_once(void **state)
{
    assert_int_equal(open_as(7), 7);
    assert_int_equal(open_as(8), 8);
    assert_int_equal(open_as(7), -EIO);
    assert_int_equal(open_as(7), -EIO);
    host_file_close(7);
    assert_int_equal(open_as(7), 7);
    host_file_close(7);
    host_file_close(8);
}

static void what_is_not_open_is_not_closed(void **state)
{
    assert_int_equal(open_as(7), 7);
    closes = 0;
    host_file_close(7);
    assert_int_equal(closes, 1);
    host_file_close(7);
    host_file_close(2);
    host_file_close(-EIO);
    host_file_close(DESCRIPTORS_MAX);
    assert_int_equal(closes, 1);
}

/* ---- data ---- */

/* breaks: file_read_interrupted file_write_interrupted */
static void interruptions_end(void **state)
{
    char buf[10];

    reply = 10;
    interruptions = 3;
    assert_int_equal(host_file_read(3, buf, sizeof(buf), 0), 10);
    assert_int_equal(interruptions, 0);
    interruptions = 3;
    assert_int_equal(host_file_write(3, buf, sizeof(buf), 0), 10);
    interruptions = INT_MAX;
    assert_int_equal(host_file_read(3, buf, sizeof(buf), 0), -EIO);
    assert_int_equal(host_file_write(3, buf, sizeof(buf), 0), -EIO);
    interruptions = 0;
}

static bool is_all(const char *bytes, size_t n, char value)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

/* breaks: file_read_cleared */
static void data_that_were_not_written_are_zero(void **state)
{
    char buf[10];

    reply = 10;
    memset(buf, 's', sizeof(buf));
    assert_int_equal(host_file_read(3, buf, sizeof(buf), 0), 10);
    assert_true(is_all(buf, sizeof(buf), 0));
    memset(buf, 's', sizeof(buf));
    assert_int_equal(host_file_read_user(3, buf, sizeof(buf), 0), 10);
    assert_true(is_all(buf, sizeof(buf), 's')); /* the program's own */
}

/* ---- attributes ---- */

static int stat_with(struct target_stat st, struct host_stat *out)
{
    reply = 0;
    stat_reply = st;
    return host_file_stat(3, "f", out);
}

/* breaks: file_stat_mode file_stat_size file_stat_blocks file_stat_blksize */
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
    st.blksize = 0;
    assert_int_equal(stat_with(st, &out), 0);
    assert_int_equal(out.blksize, 4096);
}

/* breaks: file_stat_uid file_stat_gid */
static void nobody_owns_what_has_no_owner(void **state)
{
    struct target_stat st = {.mode = S_IFREG, .uid = 12, .gid = 13};
    struct host_stat out;

    assert_int_equal(stat_with(st, &out), 0);
    assert_int_equal(out.uid, 12);
    assert_int_equal(out.gid, 13);
    st.uid = st.gid = UINT32_MAX;
    assert_int_equal(stat_with(st, &out), 0);
    assert_int_equal(out.uid, 65534);
    assert_int_equal(out.gid, 65534);
}

/* breaks: file_stat_time */
static void times_can_be_reckoned_with(void **state)
{
    struct target_stat st = {.mode = S_IFREG, .atime = -5, .mtime = INT64_MIN};
    struct host_stat out;

    st.ctime = INT64_MAX;
    st.btime = INT64_MAX / 2;
    assert_int_equal(stat_with(st, &out), 0);
    assert_int_equal(out.atime, -5);
    assert_int_equal(out.mtime, 0); /* it would mean: leave the time alone */
    assert_int_equal(out.ctime, 0);
    assert_int_equal(out.btime, INT64_MAX / 2);
    st.atime = st.btime = INT64_MIN / 2 - 1;
    assert_int_equal(stat_with(st, &out), 0);
    assert_int_equal(out.atime, 0);
    assert_int_equal(out.btime, 0);
}

/* breaks: file_statfs_bfree file_statfs_bavail file_statfs_ffree file_statfs_namelen */
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
    statfs_reply.namelen = 256;
    assert_int_equal(host_file_statfs(3, &out), 0);
    assert_int_equal(out.namelen, 255);
    statfs_reply.namelen = 143;
    assert_int_equal(host_file_statfs(3, &out), 0);
    assert_int_equal(out.namelen, 143);
}

/* breaks: file_statfs_blocks file_statfs_files file_statfs_bsize file_statfs_frsize */
static void space_can_be_told_in_bytes(void **state)
{
    struct host_statfs out;

    reply = 0;
    statfs_reply = (struct target_statfs){
        .blocks = INT64_MAX >> 20, .files = INT64_MAX, .bsize = 1 << 20, .frsize = 512};
    assert_int_equal(host_file_statfs(3, &out), 0);
    assert_int_equal(out.blocks, INT64_MAX >> 20);
    assert_int_equal(out.files, INT64_MAX);
    assert_int_equal(out.bsize, 1 << 20);
    assert_int_equal(out.frsize, 512);
    statfs_reply = (struct target_statfs){.blocks = (INT64_MAX >> 20) + 1,
                                          .files = (uint64_t)INT64_MAX + 1,
                                          .bsize = 1 << 21,
                                          .frsize = 0};
    assert_int_equal(host_file_statfs(3, &out), 0);
    assert_int_equal(out.blocks, 0);
    assert_int_equal(out.files, 0);
    assert_int_equal(out.bsize, 4096);
    assert_int_equal(out.frsize, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_of_the_call_or_eio),
        cmocka_unit_test(a_descriptor_is_handed_out_once),
        cmocka_unit_test(what_is_not_open_is_not_closed),
        cmocka_unit_test(interruptions_end),
        cmocka_unit_test(data_that_were_not_written_are_zero),
        cmocka_unit_test(attributes_must_be_possible),
        cmocka_unit_test(nobody_owns_what_has_no_owner),
        cmocka_unit_test(times_can_be_reckoned_with),
        cmocka_unit_test(space_can_be_told_in_bytes),
        cmocka_unit_test(free_space_is_at_most_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
