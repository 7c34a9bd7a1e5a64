/* mkdir.c: mkdir(2), mkdirat(2) and rmdir(2). */
#include "../lib/check.h"

static long do_mkdir(const char *path, mode_t mode)
{
    return syscall(SYS_mkdir, path, mode);
}

static long do_rmdir(const char *path)
{
    return syscall(SYS_rmdir, path);
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    must(lstat(path, &st));
    return st.st_mode;
}

/* covers: mkdir */
static void makes_an_empty_folder(void **state)
{
    (void)state;
    struct stat st;

    must(do_mkdir("d", 0755));
    must(stat("d", &st));
    assert_int_equal(st.st_mode, S_IFDIR | 0755);
    assert_int_equal(st.st_uid, geteuid());
    must(do_rmdir("d"));
}

/* covers: mkdir umask */
static void mode_is_masked_by_umask(void **state)
{
    (void)state;
    umask(027);
    must(do_mkdir("d", 0777));
    assert_int_equal(mode_of("d"), S_IFDIR | 0750);
}

/* covers: mkdir */
static void sticky_bit_may_be_given_but_set_id_bits_may_not(void **state)
{
    (void)state;
    umask(0);
    must(do_mkdir("d", 07777));
    assert_int_equal(mode_of("d"), S_IFDIR | 01777);
}

/* covers: mkdir */
static void set_group_id_is_inherited(void **state)
{
    (void)state;
    must(do_mkdir("d", 0755));
    must(chmod("d", 02755));
    if (!(mode_of("d") & S_ISGID))
        skip_because("this user cannot set the bit");
    must(do_mkdir("d/e", 0700));
    assert_int_equal(mode_of("d/e"), S_IFDIR | 02700);
}

/* covers: mkdir rmdir */
static void trailing_slash_is_allowed(void **state)
{
    (void)state;
    must(do_mkdir("d/", 0755));
    must(do_rmdir("d///"));
}

/* covers: mkdir EEXIST */
static void existing_name_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(do_mkdir("d", 0755));
    must(symlink("none", "dangling"));
    assert_errno(do_mkdir("f", 0755), EEXIST);
    assert_errno(do_mkdir("d", 0755), EEXIST);
    assert_errno(do_mkdir("dangling", 0755), EEXIST);
    assert_errno(do_mkdir(".", 0755), EEXIST);
    assert_errno(do_mkdir("d/..", 0755), EEXIST);
    assert_errno(do_mkdir("/", 0755), EEXIST);
}

/* covers: mkdir ENOENT */
static void missing_parent_is_refused(void **state)
{
    (void)state;
    assert_errno(do_mkdir("none/d", 0755), ENOENT);
    assert_errno(do_mkdir("", 0755), ENOENT);
}

/* covers: mkdir ENOTDIR rmdir ENOTDIR */
static void file_in_the_path_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_mkdir("f/d", 0755), ENOTDIR);
    assert_errno(do_rmdir("f/d"), ENOTDIR);
}

/* covers: mkdir EACCES rmdir EACCES */
static void parent_must_be_writable(void **state)
{
    (void)state;
    must(do_mkdir("d", 0755));
    must(do_mkdir("d/e", 0755));
    must(chmod("d", 0555));
    as_nobody(assert_errno(do_mkdir("d/new", 0755), EACCES); assert_errno(do_rmdir("d/e"), EACCES));
}

/* covers: mkdir ELOOP ENAMETOOLONG rmdir ELOOP ENAMETOOLONG */
static void loops_and_long_names_are_refused(void **state)
{
    (void)state;
    char name[257];

    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_mkdir("a/d", 0755), ELOOP);
    assert_errno(do_rmdir("a/d"), ELOOP);
    assert_errno(do_mkdir(name, 0755), ENAMETOOLONG);
    assert_errno(do_rmdir(name), ENAMETOOLONG);
}

/* covers: mkdir EFAULT mkdirat EFAULT rmdir EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    assert_errno(do_mkdir(BAD_PTR, 0755), EFAULT);
    assert_errno(syscall(SYS_mkdirat, AT_FDCWD, BAD_PTR, 0755), EFAULT);
    assert_errno(do_rmdir(BAD_PTR), EFAULT);
}

/* covers: mkdirat EBADF ENOTDIR */
static void at_call_is_relative_to_its_descriptor(void **state)
{
    (void)state;
    must(do_mkdir("d", 0755));
    make_file("f", NULL);
    int dir = must(open("d", O_RDONLY)), fd = must(open("f", O_RDONLY));
    must(syscall(SYS_mkdirat, dir, "e", 0700));
    assert_int_equal(mode_of("d/e"), S_IFDIR | 0700);
    assert_errno(syscall(SYS_mkdirat, 100000, "e", 0700), EBADF);
    assert_errno(syscall(SYS_mkdirat, fd, "e", 0700), ENOTDIR);
    must(close(dir));
    must(close(fd));
}

/* covers: rmdir ENOTEMPTY */
static void filled_folder_is_kept(void **state)
{
    (void)state;
    must(do_mkdir("d", 0755));
    make_file("d/f", NULL);
    assert_errno(do_rmdir("d"), ENOTEMPTY);
    must(unlink("d/f"));
    must(do_mkdir("d/e", 0755));
    assert_errno(do_rmdir("d"), ENOTEMPTY);
    must(do_rmdir("d/e"));
    must(do_rmdir("d"));
    assert_false(path_exists("d"));
}

/* covers: rmdir ENOENT */
static void missing_folder_is_refused(void **state)
{
    (void)state;
    assert_errno(do_rmdir("none"), ENOENT);
    assert_errno(do_rmdir(""), ENOENT);
}

/* covers: rmdir ENOTDIR */
static void other_files_are_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(do_mkdir("d", 0755));
    must(symlink("d", "link"));
    assert_errno(do_rmdir("f"), ENOTDIR);
    assert_errno(do_rmdir("link"), ENOTDIR);
    assert_errno(do_rmdir("link/"), ENOTDIR);
    assert_true(path_exists("d"));
}

/* covers: rmdir EINVAL */
static void dot_is_refused(void **state)
{
    (void)state;
    must(do_mkdir("d", 0755));
    assert_errno(do_rmdir("."), EINVAL);
    assert_errno(do_rmdir("d/."), EINVAL);
}

/* covers: rmdir ENOTEMPTY */
static void dot_dot_is_refused(void **state)
{
    (void)state;
    must(do_mkdir("d", 0755));
    must(do_mkdir("d/e", 0755));
    assert_errno(do_rmdir("d/e/.."), ENOTEMPTY);
}

/* covers: rmdir EBUSY */
static void root_is_busy(void **state)
{
    (void)state;
    assert_errno(do_rmdir("/"), EBUSY);
}

/* covers: rmdir EBUSY EACCES */
static void mount_point_is_busy(void **state)
{
    (void)state;
    if (geteuid() == 0)
        assert_errno(do_rmdir("/proc"), EBUSY);
    else
        assert_errno(do_rmdir("/proc"), EACCES);
}

/* covers: rmdir EPERM */
static void sticky_folder_protects_what_others_own(void **state)
{
    (void)state;
    need_root();
    must(do_mkdir("d", 0777));
    must(chmod("d", 01777));
    must(do_mkdir("d/e", 0777));
    as_nobody(assert_errno(do_rmdir("d/e"), EPERM); must(do_mkdir("d/mine", 0700));
              must(do_rmdir("d/mine")));
}

/* covers: rmdir getdents64 */
static void open_folder_can_be_removed(void **state)
{
    (void)state;
    char buffer[512];

    must(do_mkdir("d", 0755));
    int fd = must(open("d", O_RDONLY));
    must(do_rmdir("d"));
    struct stat st;
    must(fstat(fd, &st));
    assert_int_equal(st.st_nlink, 0);
    assert_errno(syscall(SYS_getdents64, fd, buffer, sizeof buffer), ENOENT);
    assert_errno(openat(fd, "f", O_CREAT | O_RDWR, 0644), ENOENT);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(makes_an_empty_folder),
        tempdir_test(mode_is_masked_by_umask),
        tempdir_test(sticky_bit_may_be_given_but_set_id_bits_may_not),
        tempdir_test(set_group_id_is_inherited),
        tempdir_test(trailing_slash_is_allowed),
        tempdir_test(existing_name_is_refused),
        tempdir_test(missing_parent_is_refused),
        tempdir_test(file_in_the_path_is_refused),
        tempdir_test(parent_must_be_writable),
        tempdir_test(loops_and_long_names_are_refused),
        cmocka_unit_test(bad_address_faults),
        tempdir_test(at_call_is_relative_to_its_descriptor),
        tempdir_test(filled_folder_is_kept),
        tempdir_test(missing_folder_is_refused),
        tempdir_test(other_files_are_refused),
        tempdir_test(dot_is_refused),
        tempdir_test(dot_dot_is_refused),
        cmocka_unit_test(root_is_busy),
        cmocka_unit_test(mount_point_is_busy),
        tempdir_test(sticky_folder_protects_what_others_own),
        tempdir_test(open_folder_can_be_removed),
    };

    return cmocka_run_group_tests_name("fs/mkdir", tests, NULL, NULL);
}
