/* statx.c: statx(2): the fields asked for, and the birth of a file. */
#include "../lib/check.h"

#include <sys/sysmacros.h>

static long do_statx(int dir, const char *path, int flags, unsigned mask, struct statx *stx)
{
    memset(stx, 0x5a, sizeof *stx);
    return syscall(SYS_statx, dir, path, flags, mask, stx);
}

/* covers: statx STATX_BASIC_STATS */
static void agrees_with_stat(void **state)
{
    (void)state;
    struct statx stx;
    struct stat st;

    make_file("f", "hello");
    must(do_statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &stx));
    must(stat("f", &st));
    assert_int_equal(stx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
    assert_int_equal(stx.stx_mode, st.st_mode);
    assert_int_equal(stx.stx_size, 5);
    assert_int_equal(stx.stx_nlink, st.st_nlink);
    assert_int_equal(stx.stx_uid, st.st_uid);
    assert_int_equal(stx.stx_gid, st.st_gid);
    assert_int_equal(stx.stx_ino, st.st_ino);
    assert_int_equal(stx.stx_blksize, st.st_blksize);
    assert_int_equal(stx.stx_blocks, st.st_blocks);
    assert_int_equal(makedev(stx.stx_dev_major, stx.stx_dev_minor), st.st_dev);
    assert_int_equal(stx.stx_mtime.tv_sec, st.st_mtim.tv_sec);
    assert_int_equal(stx.stx_mtime.tv_nsec, st.st_mtim.tv_nsec);
    assert_int_equal(stx.stx_ctime.tv_sec, st.st_ctim.tv_sec);
    assert_int_equal(stx.stx_atime.tv_sec, st.st_atim.tv_sec);
}

/* covers: statx STATX_MTIME */
static void times_before_1970_are_negative(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_sec = -5, .tv_nsec = 250},
                                {.tv_sec = -1, .tv_nsec = 999999999}};
    struct statx stx;

    make_file("f", NULL);
    must(utimensat(AT_FDCWD, "f", times, 0));
    must(do_statx(AT_FDCWD, "f", 0, STATX_MTIME, &stx));
    assert_int_equal(stx.stx_mtime.tv_sec, -1);
    assert_int_equal(stx.stx_mtime.tv_nsec, 999999999);
}

/* covers: statx STATX_BTIME */
static void birth_time_lies_before_later_changes(void **state)
{
    (void)state;
    struct statx stx;

    make_file("f", NULL);
    must(do_statx(AT_FDCWD, "f", 0, STATX_BTIME, &stx));
    if (!(stx.stx_mask & STATX_BTIME))
        skip_because("the file system keeps no birth time");
    struct statx_timestamp born = stx.stx_btime;
    assert_true(born.tv_sec > 0);
    assert_file_text("f", "");
    must(chmod("f", 0600));
    must(do_statx(AT_FDCWD, "f", 0, STATX_BTIME, &stx));
    assert_int_equal(stx.stx_btime.tv_sec, born.tv_sec);
    assert_int_equal(stx.stx_btime.tv_nsec, born.tv_nsec);
}

/* covers: statx AT_SYMLINK_NOFOLLOW */
static void symlink_is_followed_or_not(void **state)
{
    (void)state;
    struct statx stx;

    make_file("f", NULL);
    must(symlink("f", "link"));
    must(do_statx(AT_FDCWD, "link", 0, STATX_TYPE, &stx));
    assert_true(S_ISREG(stx.stx_mode));
    must(do_statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &stx));
    assert_true(S_ISLNK(stx.stx_mode));
}

/* covers: statx AT_EMPTY_PATH ENOENT */
static void empty_path_flag_means_the_descriptor(void **state)
{
    (void)state;
    struct statx stx;

    make_file("f", "hello");
    int fd = must(open("f", O_RDONLY));
    must(do_statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &stx));
    assert_int_equal(stx.stx_size, 5);
    assert_errno(do_statx(fd, "", 0, STATX_SIZE, &stx), ENOENT);
    must(close(fd));
}

/* covers: statx */
static void device_numbers_are_split(void **state)
{
    (void)state;
    struct statx stx;

    must(do_statx(AT_FDCWD, "/dev/null", 0, STATX_BASIC_STATS, &stx));
    assert_int_equal(stx.stx_rdev_major, 1);
    assert_int_equal(stx.stx_rdev_minor, 3);
}

/* covers: statx AT_STATX_FORCE_SYNC AT_STATX_DONT_SYNC EINVAL */
static void sync_hints_are_taken(void **state)
{
    (void)state;
    struct statx stx;

    make_file("f", NULL);
    must(do_statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &stx));
    must(do_statx(AT_FDCWD, "f", AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &stx));
    assert_errno(do_statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, 0, &stx),
                 EINVAL);
}

/* covers: statx */
static void attributes_lie_within_their_mask(void **state)
{
    (void)state;
    struct statx stx;

    make_file("f", NULL);
    must(do_statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &stx));
    assert_true((stx.stx_attributes & ~stx.stx_attributes_mask) == 0);
}

/* covers: statx STATX_ATTR_MOUNT_ROOT */
static void root_of_a_mount_is_marked(void **state)
{
    (void)state;
    struct statx stx;

    must(do_statx(AT_FDCWD, "/proc", 0, STATX_BASIC_STATS, &stx));
    if (!(stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
        skip_because("the running kernel does not report roots of mounts");
    assert_true(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
    must(do_statx(AT_FDCWD, "/proc/self", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx));
    assert_false(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* covers: statx STATX_MNT_ID */
static void mount_id_is_that_of_mountinfo(void **state)
{
    (void)state;
    struct statx stx;
    char line[1024];
    bool found = false;

    must(do_statx(AT_FDCWD, "/proc", 0, STATX_MNT_ID, &stx));
    if (!(stx.stx_mask & STATX_MNT_ID))
        skip_because("the running kernel reports no mount numbers");
    FILE *info = fopen("/proc/self/mountinfo", "re");
    assert_non_null(info);
    while (fgets(line, sizeof line, info)) {
        unsigned long id;
        char point[512];
        if (sscanf(line, "%lu %*s %*s %*s %511s", &id, point) == 2 && id == stx.stx_mnt_id)
            found |= strcmp(point, "/proc") == 0;
    }
    fclose(info);
    assert_true(found);
}

/* covers: statx EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    struct statx stx;

    make_file("f", NULL);
    assert_errno(do_statx(AT_FDCWD, "f", 0x40000000, STATX_BASIC_STATS, &stx), EINVAL);
}

/* covers: statx EINVAL */
static void reserved_mask_is_refused(void **state)
{
    (void)state;
    struct statx stx;

    make_file("f", NULL);
    assert_errno(do_statx(AT_FDCWD, "f", 0, 0x80000000, &stx), EINVAL);
}

/* covers: statx EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    struct statx stx;

    make_file("f", NULL);
    assert_errno(do_statx(AT_FDCWD, BAD_PTR, 0, STATX_BASIC_STATS, &stx), EFAULT);
    assert_errno(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS, BAD_PTR), EFAULT);
}

/* covers: statx ENOENT ENOTDIR EBADF ELOOP ENAMETOOLONG */
static void path_errors_are_those_of_stat(void **state)
{
    (void)state;
    struct statx stx;
    char name[257];

    make_file("f", NULL);
    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_statx(AT_FDCWD, "none", 0, 0, &stx), ENOENT);
    assert_errno(do_statx(AT_FDCWD, "", 0, 0, &stx), ENOENT);
    assert_errno(do_statx(AT_FDCWD, "f/x", 0, 0, &stx), ENOTDIR);
    assert_errno(do_statx(100000, "f", 0, 0, &stx), EBADF);
    assert_errno(do_statx(AT_FDCWD, "a", 0, 0, &stx), ELOOP);
    assert_errno(do_statx(AT_FDCWD, name, 0, 0, &stx), ENAMETOOLONG);
}

/* covers: statx EACCES */
static void folder_needs_the_search_right(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(chmod("d", 0));
    as_nobody(struct statx stx; assert_errno(do_statx(AT_FDCWD, "d/f", 0, 0, &stx), EACCES));
}

/* covers: statx AT_EMPTY_PATH EFAULT newfstatat AT_EMPTY_PATH EFAULT */
static void no_path_is_the_descriptor_itself(void **state)
{
    (void)state;
    struct statx stx;
    struct stat st;

    make_file("f", "hello");
    int fd = must(open("f", O_RDONLY));
    assert_errno(do_statx(fd, NULL, 0, STATX_SIZE, &stx), EFAULT);
    assert_errno(syscall(SYS_newfstatat, fd, NULL, &st, 0), EFAULT);
    assert_errno(syscall(SYS_newfstatat, fd, BAD_PTR, &st, AT_EMPTY_PATH), EFAULT);
    if (do_statx(fd, NULL, AT_EMPTY_PATH, STATX_SIZE, &stx) == -1 && errno == EFAULT)
        skip_because("a path must be there before Linux 6.11");
    assert_int_equal(stx.stx_size, 5);
    must(syscall(SYS_newfstatat, fd, NULL, &st, AT_EMPTY_PATH));
    assert_int_equal(st.st_size, 5);
    must(syscall(SYS_newfstatat, AT_FDCWD, NULL, &st, AT_EMPTY_PATH));
    assert_true(S_ISDIR(st.st_mode));
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(agrees_with_stat),
        tempdir_test(times_before_1970_are_negative),
        tempdir_test(birth_time_lies_before_later_changes),
        tempdir_test(symlink_is_followed_or_not),
        tempdir_test(empty_path_flag_means_the_descriptor),
        tempdir_test(device_numbers_are_split),
        tempdir_test(sync_hints_are_taken),
        tempdir_test(attributes_lie_within_their_mask),
        cmocka_unit_test(root_of_a_mount_is_marked),
        tempdir_test(mount_id_is_that_of_mountinfo),
        tempdir_test(unknown_flag_is_refused),
        tempdir_test(reserved_mask_is_refused),
        tempdir_test(bad_addresses_fault),
        tempdir_test(path_errors_are_those_of_stat),
        tempdir_test(folder_needs_the_search_right),
        tempdir_test(no_path_is_the_descriptor_itself),
    };

    return cmocka_run_group_tests_name("fs/statx", tests, NULL, NULL);
}
