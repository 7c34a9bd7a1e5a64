/* stat.c: stat(2), lstat(2), fstat(2) and newfstatat(2). */
#include "../lib/check.h"

#include <sys/sysmacros.h>

static long do_stat(const char *path, struct stat *st)
{
    return syscall(SYS_stat, path, st);
}

static long do_lstat(const char *path, struct stat *st)
{
    return syscall(SYS_lstat, path, st);
}

static long do_fstat(int fd, struct stat *st)
{
    return syscall(SYS_fstat, fd, st);
}

static long do_fstatat(int dir, const char *path, struct stat *st, int flags)
{
    return syscall(SYS_newfstatat, dir, path, st, flags);
}

/* covers: stat */
static void regular_file_is_described(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", "hello");
    must(chmod("f", 0641));
    must(do_stat("f", &st));
    assert_int_equal(st.st_mode, S_IFREG | 0641);
    assert_int_equal(st.st_size, 5);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(st.st_uid, geteuid());
    assert_int_equal(st.st_gid, getegid());
    assert_true(st.st_ino != 0);
    assert_true(st.st_blksize > 0);
}

/* covers: stat lstat fstat newfstatat */
static void all_ways_agree(void **state)
{
    (void)state;
    struct stat a, b, c, d;

    make_file("f", "hello");
    int fd = must(open("f", O_RDONLY));
    must(do_stat("f", &a));
    must(do_lstat("f", &b));
    must(do_fstat(fd, &c));
    must(do_fstatat(AT_FDCWD, "f", &d, 0));
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_equal(&a, &c, sizeof a);
    assert_memory_equal(&a, &d, sizeof a);
    must(close(fd));
}

/* covers: stat lstat */
static void file_types_are_told_apart(void **state)
{
    (void)state;
    struct stat st;
    int fds[2];

    must(mkdir("d", 0700));
    must(mkfifo("p", 0600));
    must(symlink("target", "link"));
    must(do_stat("d", &st));
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    must(do_stat("p", &st));
    assert_int_equal(st.st_mode, S_IFIFO | 0600);
    must(do_lstat("link", &st));
    assert_int_equal(st.st_mode, S_IFLNK | 0777);
    must(do_stat("/dev/null", &st));
    assert_true(S_ISCHR(st.st_mode));
    assert_int_equal(st.st_rdev, makedev(1, 3));
    must(pipe(fds));
    must(do_fstat(fds[0], &st));
    assert_true(S_ISFIFO(st.st_mode));
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: stat lstat newfstatat AT_SYMLINK_NOFOLLOW */
static void symlink_is_followed_or_not(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", "hello");
    must(symlink("f", "link"));
    must(do_stat("link", &st));
    assert_true(S_ISREG(st.st_mode));
    must(do_lstat("link", &st));
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(st.st_size, 1);
    must(do_fstatat(AT_FDCWD, "link", &st, AT_SYMLINK_NOFOLLOW));
    assert_true(S_ISLNK(st.st_mode));
    must(do_fstatat(AT_FDCWD, "link", &st, 0));
    assert_true(S_ISREG(st.st_mode));
}

/* covers: stat link */
static void hard_links_share_inode_and_count(void **state)
{
    (void)state;
    struct stat a, b;

    make_file("f", NULL);
    must(link("f", "g"));
    must(do_stat("f", &a));
    must(do_stat("g", &b));
    assert_int_equal(a.st_ino, b.st_ino);
    assert_int_equal(a.st_dev, b.st_dev);
    assert_int_equal(a.st_nlink, 2);
    must(unlink("g"));
    must(do_stat("f", &a));
    assert_int_equal(a.st_nlink, 1);
}

/* covers: stat */
static void blocks_count_512_bytes_and_leave_out_holes(void **state)
{
    (void)state;
    struct stat st;
    char *data = calloc(1, 65536);
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));

    memset(data, 'd', 65536);
    must(ftruncate(fd, 64 << 20));
    must(do_fstat(fd, &st));
    assert_int_equal(st.st_size, 64 << 20);
    assert_true(st.st_blocks * 512 < 1 << 20);
    assert_returns(write(fd, data, 65536), 65536);
    must(fsync(fd));
    must(do_fstat(fd, &st));
    assert_true(st.st_blocks * 512 >= 65536);
    assert_true(st.st_blocks * 512 < 1 << 20);
    free(data);
    must(close(fd));
}

/* covers: stat */
static void new_file_has_the_time_of_its_making(void **state)
{
    (void)state;
    struct timespec before, after;
    struct stat st;

    clock_gettime(CLOCK_REALTIME_COARSE, &before);
    make_file("f", NULL);
    clock_gettime(CLOCK_REALTIME, &after);
    must(do_stat("f", &st));
    assert_true(st.st_mtim.tv_sec >= before.tv_sec - 1);
    assert_true(st.st_mtim.tv_sec <= after.tv_sec);
    assert_true(st.st_ctim.tv_sec >= before.tv_sec - 1);
    assert_true(st.st_atim.tv_sec >= before.tv_sec - 1);
    assert_true(st.st_mtim.tv_nsec >= 0 && st.st_mtim.tv_nsec < 1000000000);
}

/* covers: stat ENOENT lstat ENOENT newfstatat ENOENT */
static void missing_file_is_refused(void **state)
{
    (void)state;
    struct stat st;

    assert_errno(do_stat("none", &st), ENOENT);
    assert_errno(do_lstat("none", &st), ENOENT);
    assert_errno(do_fstatat(AT_FDCWD, "none", &st, 0), ENOENT);
    assert_errno(do_stat("", &st), ENOENT);
    must(symlink("none", "link"));
    assert_errno(do_stat("link", &st), ENOENT);
    must(do_lstat("link", &st));
}

/* covers: stat ENOTDIR lstat ENOTDIR */
static void file_in_the_path_is_refused(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", NULL);
    assert_errno(do_stat("f/x", &st), ENOTDIR);
    assert_errno(do_lstat("f/x", &st), ENOTDIR);
}

/* covers: stat EACCES lstat EACCES */
static void search_right_is_needed_but_no_right_on_the_file(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(chmod("d/f", 0));
    as_nobody(struct stat st; must(do_stat("d/f", &st)));
    must(chmod("d", 0));
    as_nobody(struct stat st; assert_errno(do_stat("d/f", &st), EACCES);
              assert_errno(do_lstat("d/f", &st), EACCES); must(do_stat("d", &st)));
}

/* covers: stat ELOOP newfstatat ELOOP */
static void loop_of_symlinks_is_refused(void **state)
{
    (void)state;
    struct stat st;

    must(symlink("a", "a"));
    assert_errno(do_stat("a", &st), ELOOP);
    assert_errno(do_fstatat(AT_FDCWD, "a", &st, 0), ELOOP);
    must(do_lstat("a", &st));
}

/* covers: stat EFAULT lstat EFAULT fstat EFAULT newfstatat EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    assert_errno(do_stat(BAD_PTR, &st), EFAULT);
    assert_errno(do_stat("f", BAD_PTR), EFAULT);
    assert_errno(do_lstat(BAD_PTR, &st), EFAULT);
    assert_errno(do_lstat("f", BAD_PTR), EFAULT);
    assert_errno(do_fstat(fd, BAD_PTR), EFAULT);
    assert_errno(do_fstatat(AT_FDCWD, BAD_PTR, &st, 0), EFAULT);
    assert_errno(do_fstatat(AT_FDCWD, "f", BAD_PTR, 0), EFAULT);
    must(close(fd));
}

/* covers: stat ENAMETOOLONG lstat ENAMETOOLONG */
static void long_name_is_refused(void **state)
{
    (void)state;
    struct stat st;
    char name[257];

    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_stat(name, &st), ENAMETOOLONG);
    assert_errno(do_lstat(name, &st), ENAMETOOLONG);
}

/* covers: fstat EBADF newfstatat EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    struct stat st;

    assert_errno(do_fstat(-1, &st), EBADF);
    assert_errno(do_fstat(100000, &st), EBADF);
    assert_errno(do_fstatat(100000, "f", &st, 0), EBADF);
    assert_errno(do_fstatat(100000, "", &st, AT_EMPTY_PATH), EBADF);
    must(do_fstatat(100000, "/", &st, 0));
}

/* covers: newfstatat ENOTDIR */
static void file_descriptor_is_no_folder(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    assert_errno(do_fstatat(fd, "x", &st, 0), ENOTDIR);
    must(close(fd));
}

/* covers: newfstatat AT_EMPTY_PATH ENOENT */
static void empty_path_flag_means_the_descriptor(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", "hello");
    int fd = must(open("f", O_RDONLY));
    must(do_fstatat(fd, "", &st, AT_EMPTY_PATH));
    assert_int_equal(st.st_size, 5);
    assert_errno(do_fstatat(fd, "", &st, 0), ENOENT);
    must(do_fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
    assert_true(S_ISDIR(st.st_mode));
    must(close(fd));
}

/* covers: newfstatat EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", NULL);
    assert_errno(do_fstatat(AT_FDCWD, "f", &st, 0x40000000), EINVAL);
    assert_errno(do_fstatat(AT_FDCWD, "f", &st, AT_REMOVEDIR), EINVAL);
    must(do_fstatat(AT_FDCWD, "f", &st, AT_NO_AUTOMOUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(regular_file_is_described),
        tempdir_test(all_ways_agree),
        tempdir_test(file_types_are_told_apart),
        tempdir_test(symlink_is_followed_or_not),
        tempdir_test(hard_links_share_inode_and_count),
        tempdir_test(blocks_count_512_bytes_and_leave_out_holes),
        tempdir_test(new_file_has_the_time_of_its_making),
        tempdir_test(missing_file_is_refused),
        tempdir_test(file_in_the_path_is_refused),
        tempdir_test(search_right_is_needed_but_no_right_on_the_file),
        tempdir_test(loop_of_symlinks_is_refused),
        tempdir_test(bad_addresses_fault),
        tempdir_test(long_name_is_refused),
        cmocka_unit_test(bad_descriptor_is_refused),
        tempdir_test(file_descriptor_is_no_folder),
        tempdir_test(empty_path_flag_means_the_descriptor),
        tempdir_test(unknown_flag_is_refused),
    };

    return cmocka_run_group_tests_name("fs/stat", tests, NULL, NULL);
}
