/* statfs.c: statfs(2), fstatfs(2), ustat(2), and the calls that write back: sync(2) and its kin. */
#include "../lib/check.h"

#include <linux/magic.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

/* covers: statfs */
static void figures_are_consistent(void **state)
{
    (void)state;
    struct statfs fs;

    must(statfs(".", &fs));
    assert_true(fs.f_bsize > 0);
    assert_true(fs.f_blocks >= fs.f_bfree);
    assert_true(fs.f_bfree >= fs.f_bavail);
    assert_true(fs.f_files >= fs.f_ffree);
    assert_true(fs.f_namelen >= 255);
}

/* covers: statfs fstatfs */
static void descriptor_and_path_agree(void **state)
{
    (void)state;
    struct statfs a, b;

    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    must(statfs("f", &a));
    must(fstatfs(fd, &b));
    assert_int_equal(a.f_type, b.f_type);
    assert_int_equal(a.f_bsize, b.f_bsize);
    assert_int_equal(a.f_blocks, b.f_blocks);
    assert_memory_equal(&a.f_fsid, &b.f_fsid, sizeof a.f_fsid);
    must(close(fd));
}

/* covers: statfs */
static void proc_has_its_type(void **state)
{
    (void)state;
    struct statfs fs;

    must(statfs("/proc", &fs));
    assert_int_equal(fs.f_type, PROC_SUPER_MAGIC);
}

/* covers: fstatfs */
static void pipe_has_its_type(void **state)
{
    (void)state;
    struct statfs fs;
    int fds[2];

    must(pipe(fds));
    must(fstatfs(fds[0], &fs));
    assert_int_equal(fs.f_type, PIPEFS_MAGIC);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: statfs ST_RDONLY */
static void mount_flags_are_valid(void **state)
{
    (void)state;
    struct statfs fs;

    must(statfs(".", &fs));
    assert_true(fs.f_flags & 0x20); /* statfs(2): ST_VALID, f_flags is supported */
    assert_false(fs.f_flags & ST_RDONLY);
}

/* covers: statfs ENOENT ENOTDIR ELOOP ENAMETOOLONG EFAULT */
static void path_errors(void **state)
{
    (void)state;
    struct statfs fs;
    char name[257];

    make_file("f", NULL);
    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(statfs("none", &fs), ENOENT);
    assert_errno(statfs("", &fs), ENOENT);
    assert_errno(statfs("f/x", &fs), ENOTDIR);
    assert_errno(statfs("a", &fs), ELOOP);
    assert_errno(statfs(name, &fs), ENAMETOOLONG);
    assert_errno(statfs(BAD_PTR, &fs), EFAULT);
    assert_errno(syscall(SYS_statfs, ".", BAD_PTR), EFAULT);
}

/* covers: statfs EACCES */
static void search_right_is_needed(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(chmod("d", 0666));
    as_nobody(struct statfs fs; assert_errno(statfs("d/f", &fs), EACCES));
}

/* covers: fstatfs EBADF fsync EBADF fdatasync EBADF syncfs EBADF sync_file_range EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    struct statfs fs;

    assert_errno(fstatfs(-1, &fs), EBADF);
    assert_errno(fsync(-1), EBADF);
    assert_errno(fdatasync(-1), EBADF);
    assert_errno(syncfs(-1), EBADF);
    assert_errno(sync_file_range(-1, 0, 0, 0), EBADF);
}

/* covers: fstatfs EFAULT */
static void fstatfs_to_bad_address_faults(void **state)
{
    (void)state;
    int fd = must(open(".", O_RDONLY));

    assert_errno(syscall(SYS_fstatfs, fd, BAD_PTR), EFAULT);
    must(close(fd));
}

/* covers: fsync fdatasync syncfs sync NEVER_FAILS */
static void written_data_survives_every_kind_of_sync(void **state)
{
    (void)state;
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));

    assert_returns(write(fd, "abc", 3), 3);
    must(fsync(fd));
    must(fdatasync(fd));
    must(syncfs(fd));
    assert_returns(syscall(SYS_sync), 0);
    assert_file_text("f", "abc");
    must(close(fd));
}

/* covers: fsync fdatasync */
static void folder_and_read_only_descriptor_can_be_synced(void **state)
{
    (void)state;
    int dir = must(open(".", O_RDONLY));

    make_file("f", "abc");
    int fd = must(open("f", O_RDONLY));
    must(fsync(dir));
    must(fsync(fd));
    must(fdatasync(fd));
    must(close(dir));
    must(close(fd));
}

/* covers: fsync EINVAL fdatasync EINVAL sync_file_range ESPIPE */
static void pipe_cannot_be_synced(void **state)
{
    (void)state;
    int fds[2];

    must(pipe(fds));
    assert_errno(fsync(fds[1]), EINVAL);
    assert_errno(fdatasync(fds[1]), EINVAL);
    assert_errno(sync_file_range(fds[1], 0, 0, SYNC_FILE_RANGE_WRITE), ESPIPE);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: sync_file_range SYNC_FILE_RANGE_WAIT_BEFORE SYNC_FILE_RANGE_WRITE */
/* covers: sync_file_range SYNC_FILE_RANGE_WAIT_AFTER */
static void range_of_a_file_is_synced(void **state)
{
    (void)state;
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));

    assert_returns(write(fd, "abc", 3), 3);
    must(sync_file_range(fd, 0, 3, SYNC_FILE_RANGE_WRITE));
    must(sync_file_range(fd, 0, 0,
                         SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                             SYNC_FILE_RANGE_WAIT_AFTER));
    must(close(fd));
}

/* covers: sync_file_range EINVAL */
static void bad_range_is_refused(void **state)
{
    (void)state;
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));

    assert_errno(sync_file_range(fd, -1, 10, SYNC_FILE_RANGE_WRITE), EINVAL);
    assert_errno(sync_file_range(fd, 0, -1, SYNC_FILE_RANGE_WRITE), EINVAL);
    assert_errno(sync_file_range(fd, 0, 0, 0x100), EINVAL);
    must(close(fd));
}

/* covers: statfs */
static void free_space_follows_what_is_written(void **state)
{
    (void)state;
    struct statfs before, after;
    char *data = malloc(8 << 20);

    /* other processes use the file system too, so only a file that holds space is looked at */
    memset(data, 'd', 8 << 20);
    must(statfs(".", &before));
    if (before.f_blocks == 0)
        skip_because("the file system has no limit");
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));
    for (int tries = 0; tries < 10; tries++) {
        must(statfs(".", &before));
        assert_returns(pwrite(fd, data, 8 << 20, 0), 8 << 20);
        must(fsync(fd));
        must(statfs(".", &after));
        if (after.f_bfree < before.f_bfree)
            break;
        must(ftruncate(fd, 0));
        must(fsync(fd));
    }
    assert_true(after.f_bfree < before.f_bfree);
    free(data);
    must(close(fd));
}

/* covers: sysfs EINVAL EFAULT */
static void types_of_file_systems_have_numbers(void **state)
{
    (void)state;
    char name[64] = "";

    need_call(syscall(SYS_sysfs, 3));
    long count = must(syscall(SYS_sysfs, 3));
    assert_true(count > 1);
    long tmpfs = must(syscall(SYS_sysfs, 1, "tmpfs"));
    assert_in_range(tmpfs, 0, count - 1);
    must(syscall(SYS_sysfs, 2, tmpfs, name));
    assert_string_equal(name, "tmpfs");
    assert_errno(syscall(SYS_sysfs, 1, "none of them"), EINVAL);
    assert_errno(syscall(SYS_sysfs, 2, count, name), EINVAL);
    assert_errno(syscall(SYS_sysfs, 0), EINVAL);
    assert_errno(syscall(SYS_sysfs, 4), EINVAL);
    assert_errno(syscall(SYS_sysfs, 1, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_sysfs, 2, tmpfs, BAD_PTR), EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(figures_are_consistent),
        tempdir_test(descriptor_and_path_agree),
        cmocka_unit_test(proc_has_its_type),
        cmocka_unit_test(pipe_has_its_type),
        tempdir_test(mount_flags_are_valid),
        tempdir_test(path_errors),
        tempdir_test(search_right_is_needed),
        cmocka_unit_test(bad_descriptor_is_refused),
        tempdir_test(fstatfs_to_bad_address_faults),
        tempdir_test(written_data_survives_every_kind_of_sync),
        tempdir_test(folder_and_read_only_descriptor_can_be_synced),
        cmocka_unit_test(pipe_cannot_be_synced),
        tempdir_test(range_of_a_file_is_synced),
        tempdir_test(bad_range_is_refused),
        tempdir_test(free_space_follows_what_is_written),
        cmocka_unit_test(types_of_file_systems_have_numbers),
    };

    return cmocka_run_group_tests_name("fs/statfs", tests, NULL, NULL);
}
