/* symlink.c: symlink(2), symlinkat(2), readlink(2) and readlinkat(2). */
#include "../lib/check.h"

#include <linux/limits.h>

static long do_symlink(const char *target, const char *path)
{
    return syscall(SYS_symlink, target, path);
}

static long do_readlink(const char *path, void *buffer, int size)
{
    return syscall(SYS_readlink, path, buffer, size);
}

/* covers: symlink readlink */
static void holds_its_text_unread(void **state)
{
    (void)state;
    char text[64];

    must(do_symlink("no/such//place/../x", "link"));
    assert_returns(do_readlink("link", text, sizeof text), 19);
    assert_memory_equal(text, "no/such//place/../x", 19);
}

/* covers: symlink */
static void is_of_its_own_type_with_all_rights(void **state)
{
    (void)state;
    struct stat st;

    umask(077);
    must(do_symlink("12345", "link"));
    must(lstat("link", &st));
    assert_int_equal(st.st_mode, S_IFLNK | 0777);
    assert_int_equal(st.st_size, 5);
    assert_int_equal(st.st_uid, geteuid());
}

/* covers: symlink ENAMETOOLONG readlink */
static void target_of_4095_bytes_is_the_longest(void **state)
{
    (void)state;
    char *target = malloc(PATH_MAX + 1), *text = malloc(PATH_MAX + 1);

    memset(target, 't', PATH_MAX + 1);
    target[PATH_MAX] = 0;
    assert_errno(do_symlink(target, "link"), ENAMETOOLONG);
    target[PATH_MAX - 1] = 0;
    if (do_symlink(target, "link") == 0) {
        assert_returns(do_readlink("link", text, PATH_MAX), PATH_MAX - 1);
        assert_memory_equal(text, target, PATH_MAX - 1);
    } else {
        assert_int_equal(errno, ENAMETOOLONG); /* a file system may hold less */
    }
    free(target);
    free(text);
}

/* covers: symlink EEXIST */
static void existing_name_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(do_symlink("f", "link"));
    assert_errno(do_symlink("x", "f"), EEXIST);
    assert_errno(do_symlink("x", "link"), EEXIST);
    assert_errno(do_symlink("x", "."), EEXIST);
}

/* covers: symlink ENOENT */
static void empty_names_are_refused(void **state)
{
    (void)state;
    assert_errno(do_symlink("", "link"), ENOENT);
    assert_errno(do_symlink("x", ""), ENOENT);
}

/* covers: symlink ENOENT */
static void missing_parent_is_refused(void **state)
{
    (void)state;
    assert_errno(do_symlink("x", "none/link"), ENOENT);
}

/* covers: symlink ENOENT */
static void trailing_slash_is_refused(void **state)
{
    (void)state;
    assert_errno(do_symlink("x", "link/"), ENOENT);
}

/* covers: symlink ENOTDIR readlink ENOTDIR */
static void file_in_the_path_is_refused(void **state)
{
    (void)state;
    char text[8];

    make_file("f", NULL);
    assert_errno(do_symlink("x", "f/link"), ENOTDIR);
    assert_errno(do_readlink("f/link", text, sizeof text), ENOTDIR);
}

/* covers: symlink EACCES */
static void parent_must_be_writable(void **state)
{
    (void)state;
    must(mkdir("d", 0555));
    as_nobody(assert_errno(do_symlink("x", "d/link"), EACCES));
}

/* covers: readlink EACCES */
static void parent_must_be_searchable(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(do_symlink("x", "d/link"));
    must(chmod("d", 0644));
    as_nobody(char text[8]; assert_errno(do_readlink("d/link", text, 8), EACCES));
}

/* covers: symlink ELOOP ENAMETOOLONG readlink ELOOP ENAMETOOLONG */
static void loops_and_long_names_are_refused(void **state)
{
    (void)state;
    char name[257], text[8];

    must(do_symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_symlink("x", "a/link"), ELOOP);
    assert_errno(do_symlink("x", name), ENAMETOOLONG);
    assert_errno(do_readlink("a/link", text, sizeof text), ELOOP);
    assert_errno(do_readlink(name, text, sizeof text), ENAMETOOLONG);
    assert_returns(do_readlink("a", text, sizeof text), 1);
}

/* covers: symlink EFAULT readlink EFAULT symlinkat EFAULT readlinkat EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    char text[8];

    must(do_symlink("x", "link"));
    assert_errno(do_symlink(BAD_PTR, "a"), EFAULT);
    assert_errno(do_symlink("x", BAD_PTR), EFAULT);
    assert_errno(do_readlink(BAD_PTR, text, sizeof text), EFAULT);
    assert_errno(do_readlink("link", BAD_PTR, 8), EFAULT);
    assert_errno(syscall(SYS_symlinkat, BAD_PTR, AT_FDCWD, "a"), EFAULT);
    assert_errno(syscall(SYS_readlinkat, AT_FDCWD, "link", BAD_PTR, 8), EFAULT);
}

/* covers: readlink */
static void text_is_cut_to_the_buffer_without_a_nul(void **state)
{
    (void)state;
    char text[8];

    must(do_symlink("abcdef", "link"));
    memset(text, '#', sizeof text);
    assert_returns(do_readlink("link", text, 3), 3);
    assert_memory_equal(text, "abc#####", 8);
    assert_returns(do_readlink("link", text, 8), 6);
    assert_memory_equal(text, "abcdef##", 8);
}

/* covers: readlink EINVAL */
static void buffer_size_must_be_positive(void **state)
{
    (void)state;
    char text[8];

    must(do_symlink("abc", "link"));
    assert_errno(do_readlink("link", text, 0), EINVAL);
    assert_errno(do_readlink("link", text, -1), EINVAL);
}

/* covers: readlink EINVAL */
static void other_files_are_refused(void **state)
{
    (void)state;
    char text[8];

    make_file("f", NULL);
    assert_errno(do_readlink("f", text, sizeof text), EINVAL);
    assert_errno(do_readlink(".", text, sizeof text), EINVAL);
}

/* covers: readlink ENOENT */
static void missing_file_is_refused(void **state)
{
    (void)state;
    char text[8];

    assert_errno(do_readlink("none", text, sizeof text), ENOENT);
    assert_errno(do_readlink("", text, sizeof text), ENOENT);
}

/* covers: symlinkat EBADF ENOTDIR readlinkat EBADF ENOTDIR */
static void at_calls_are_relative_to_their_descriptor(void **state)
{
    (void)state;
    char text[8];

    must(mkdir("d", 0755));
    make_file("f", NULL);
    int dir = must(open("d", O_RDONLY)), fd = must(open("f", O_RDONLY));
    must(syscall(SYS_symlinkat, "abc", dir, "link"));
    assert_returns(syscall(SYS_readlinkat, dir, "link", text, sizeof text), 3);
    assert_true(path_exists("d/link"));
    assert_errno(syscall(SYS_symlinkat, "abc", 100000, "link"), EBADF);
    assert_errno(syscall(SYS_readlinkat, 100000, "link", text, sizeof text), EBADF);
    assert_errno(syscall(SYS_symlinkat, "abc", fd, "link"), ENOTDIR);
    assert_errno(syscall(SYS_readlinkat, fd, "link", text, sizeof text), ENOTDIR);
    must(close(dir));
    must(close(fd));
}

/* covers: readlinkat ENOENT */
static void empty_path_of_other_descriptors_is_refused(void **state)
{
    (void)state;
    char text[8];

    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    assert_errno(syscall(SYS_readlinkat, fd, "", text, sizeof text), ENOENT);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(holds_its_text_unread),
        tempdir_test(is_of_its_own_type_with_all_rights),
        tempdir_test(target_of_4095_bytes_is_the_longest),
        tempdir_test(existing_name_is_refused),
        tempdir_test(empty_names_are_refused),
        tempdir_test(missing_parent_is_refused),
        tempdir_test(trailing_slash_is_refused),
        tempdir_test(file_in_the_path_is_refused),
        tempdir_test(parent_must_be_writable),
        tempdir_test(parent_must_be_searchable),
        tempdir_test(loops_and_long_names_are_refused),
        tempdir_test(bad_addresses_fault),
        tempdir_test(text_is_cut_to_the_buffer_without_a_nul),
        tempdir_test(buffer_size_must_be_positive),
        tempdir_test(other_files_are_refused),
        tempdir_test(missing_file_is_refused),
        tempdir_test(at_calls_are_relative_to_their_descriptor),
        tempdir_test(empty_path_of_other_descriptors_is_refused),
    };

    return cmocka_run_group_tests_name("fs/symlink", tests, NULL, NULL);
}
