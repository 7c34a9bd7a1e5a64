/* mknod.c: mknod(2) and mknodat(2). */
#include "../lib/check.h"

#include <sys/sysmacros.h>

static long do_mknod(const char *path, mode_t mode, dev_t dev)
{
    return syscall(SYS_mknod, path, mode, dev);
}

/* covers: mknod S_IFIFO */
static void makes_a_fifo(void **state)
{
    (void)state;
    struct stat st;

    must(do_mknod("p", S_IFIFO | 0640, 0));
    must(stat("p", &st));
    assert_int_equal(st.st_mode, S_IFIFO | 0640);
}

/* covers: mknod S_IFREG */
static void makes_a_regular_file(void **state)
{
    (void)state;
    struct stat st;

    must(do_mknod("a", S_IFREG | 0640, 0));
    must(do_mknod("b", 0600, 0));
    must(stat("a", &st));
    assert_int_equal(st.st_mode, S_IFREG | 0640);
    must(stat("b", &st));
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_file_text("a", "");
}

/* covers: mknod S_IFSOCK */
static void makes_a_socket_file(void **state)
{
    (void)state;
    struct stat st;

    must(do_mknod("s", S_IFSOCK | 0600, 0));
    must(stat("s", &st));
    assert_int_equal(st.st_mode, S_IFSOCK | 0600);
    assert_errno(open("s", O_RDONLY), ENXIO);
}

/* covers: mknod umask */
static void mode_is_masked_by_umask(void **state)
{
    (void)state;
    struct stat st;

    umask(027);
    must(do_mknod("p", S_IFIFO | 0666, 0));
    must(stat("p", &st));
    assert_int_equal(st.st_mode, S_IFIFO | 0640);
}

/* covers: mknod S_IFCHR S_IFBLK */
static void makes_a_device_file(void **state)
{
    (void)state;
    struct stat st;

    need_capability(CAP_MKNOD);
    if (do_mknod("c", S_IFCHR | 0600, makedev(1, 3)) == -1 && errno == EPERM)
        skip_because("the folder takes no device files");
    must(stat("c", &st));
    assert_int_equal(st.st_mode, S_IFCHR | 0600);
    assert_int_equal(st.st_rdev, makedev(1, 3));
    must(do_mknod("b", S_IFBLK | 0600, makedev(300, 70000)));
    must(stat("b", &st));
    assert_int_equal(st.st_mode, S_IFBLK | 0600);
    assert_int_equal(major(st.st_rdev), 300);
    assert_int_equal(minor(st.st_rdev), 70000);
}

/* covers: mknod EPERM */
static void device_file_needs_the_right(void **state)
{
    (void)state;
    need_root();
    must(mkdir("d", 0777));
    must(chmod("d", 0777));
    as_nobody(assert_errno(do_mknod("d/c", S_IFCHR | 0600, makedev(1, 3)), EPERM);
              assert_errno(do_mknod("d/b", S_IFBLK | 0600, makedev(1, 3)), EPERM);
              must(do_mknod("d/p", S_IFIFO | 0600, 0)));
}

/* covers: mknod EPERM EINVAL */
static void folder_and_symlink_are_refused(void **state)
{
    (void)state;
    assert_errno(do_mknod("d", S_IFDIR | 0755, 0), EPERM);
    assert_errno(do_mknod("l", S_IFLNK | 0755, 0), EINVAL);
    assert_errno(do_mknod("x", 0110000 | 0755, 0), EINVAL);
}

/* covers: mknod EEXIST */
static void existing_name_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(symlink("none", "dangling"));
    assert_errno(do_mknod("f", S_IFIFO | 0600, 0), EEXIST);
    assert_errno(do_mknod("dangling", S_IFIFO | 0600, 0), EEXIST);
    assert_errno(do_mknod(".", S_IFIFO | 0600, 0), EEXIST);
}

/* covers: mknod ENOENT */
static void trailing_slash_is_refused(void **state)
{
    (void)state;
    assert_errno(do_mknod("p/", S_IFIFO | 0600, 0), ENOENT);
}

/* covers: mknod ENOENT ENOTDIR ELOOP ENAMETOOLONG EFAULT */
static void path_errors(void **state)
{
    (void)state;
    char name[257];

    make_file("f", NULL);
    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_mknod("none/p", S_IFIFO | 0600, 0), ENOENT);
    assert_errno(do_mknod("", S_IFIFO | 0600, 0), ENOENT);
    assert_errno(do_mknod("f/p", S_IFIFO | 0600, 0), ENOTDIR);
    assert_errno(do_mknod("a/p", S_IFIFO | 0600, 0), ELOOP);
    assert_errno(do_mknod(name, S_IFIFO | 0600, 0), ENAMETOOLONG);
    assert_errno(do_mknod(BAD_PTR, S_IFIFO | 0600, 0), EFAULT);
}

/* covers: mknod EACCES */
static void parent_must_be_writable(void **state)
{
    (void)state;
    must(mkdir("d", 0555));
    as_nobody(assert_errno(do_mknod("d/p", S_IFIFO | 0600, 0), EACCES));
}

/* covers: mknodat EBADF ENOTDIR */
static void at_call_is_relative_to_its_descriptor(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("f", NULL);
    int dir = must(open("d", O_RDONLY)), fd = must(open("f", O_RDONLY));
    must(syscall(SYS_mknodat, dir, "p", S_IFIFO | 0600, 0));
    assert_true(path_exists("d/p"));
    assert_errno(syscall(SYS_mknodat, 100000, "p", S_IFIFO | 0600, 0), EBADF);
    assert_errno(syscall(SYS_mknodat, fd, "p", S_IFIFO | 0600, 0), ENOTDIR);
    must(close(dir));
    must(close(fd));
}

/* covers: mknod S_IFIFO read write */
static void data_passes_through_a_fifo_between_processes(void **state)
{
    (void)state;
    char text[8];

    must(do_mknod("p", S_IFIFO | 0600, 0));
    pid_t pid = child_fork();
    if (pid == 0) {
        int fd = must(open("p", O_WRONLY));
        assert_returns(write(fd, "hello", 5), 5);
        _exit(0);
    }
    int fd = must(open("p", O_RDONLY));
    assert_returns(read(fd, text, sizeof text), 5);
    assert_returns(read(fd, text, sizeof text), 0);
    assert_child_ok(pid);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(makes_a_fifo),
        tempdir_test(makes_a_regular_file),
        tempdir_test(makes_a_socket_file),
        tempdir_test(mode_is_masked_by_umask),
        tempdir_test(makes_a_device_file),
        tempdir_test(device_file_needs_the_right),
        tempdir_test(folder_and_symlink_are_refused),
        tempdir_test(existing_name_is_refused),
        tempdir_test(trailing_slash_is_refused),
        tempdir_test(path_errors),
        tempdir_test(parent_must_be_writable),
        tempdir_test(at_call_is_relative_to_its_descriptor),
        tempdir_test(data_passes_through_a_fifo_between_processes),
    };

    return cmocka_run_group_tests_name("fs/mknod", tests, NULL, NULL);
}
