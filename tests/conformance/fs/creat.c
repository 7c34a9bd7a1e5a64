/* creat.c: creat(2), the oldest way to make a file. */
#include "../lib/check.h"

static int do_creat(const char *path, mode_t mode)
{
    return (int)syscall(SYS_creat, path, mode);
}

/* covers: creat */
static void makes_a_write_only_file(void **state)
{
    (void)state;
    char c;
    int fd = must(do_creat("f", 0640));
    struct stat st;

    assert_returns(write(fd, "abc", 3), 3);
    assert_errno(read(fd, &c, 1), EBADF);
    must(fstat(fd, &st));
    assert_int_equal(st.st_mode, S_IFREG | 0640);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
    must(close(fd));
}

/* covers: creat */
static void empties_an_existing_file_and_keeps_its_mode(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", "text");
    must(chmod("f", 0600));
    must(close(must(do_creat("f", 0666))));
    assert_file_text("f", "");
    must(stat("f", &st));
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* covers: creat ENOENT */
static void missing_folder_is_refused(void **state)
{
    (void)state;
    assert_errno(do_creat("none/f", 0644), ENOENT);
    assert_errno(do_creat("", 0644), ENOENT);
}

/* covers: creat EISDIR */
static void folder_is_refused(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    assert_errno(do_creat("d", 0644), EISDIR);
    assert_errno(do_creat("new/", 0644), EISDIR);
}

/* covers: creat ENOTDIR */
static void file_in_the_path_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_creat("f/x", 0644), ENOTDIR);
}

/* covers: creat EACCES */
static void unwritable_folder_is_refused(void **state)
{
    (void)state;
    must(mkdir("d", 0555));
    as_nobody(assert_errno(do_creat("d/f", 0644), EACCES));
}

/* covers: creat EACCES */
static void unwritable_file_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(chmod("f", 0444));
    as_nobody(assert_errno(do_creat("f", 0644), EACCES));
}

/* covers: creat ELOOP */
static void loop_of_symlinks_is_refused(void **state)
{
    (void)state;
    must(symlink("b", "a"));
    must(symlink("a", "b"));
    assert_errno(do_creat("a", 0644), ELOOP);
}

/* covers: creat ENAMETOOLONG */
static void long_name_is_refused(void **state)
{
    (void)state;
    char name[257];

    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_creat(name, 0644), ENAMETOOLONG);
}

/* covers: creat EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    assert_errno(do_creat(BAD_PTR, 0644), EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(makes_a_write_only_file),
        tempdir_test(empties_an_existing_file_and_keeps_its_mode),
        tempdir_test(missing_folder_is_refused),
        tempdir_test(folder_is_refused),
        tempdir_test(file_in_the_path_is_refused),
        tempdir_test(unwritable_folder_is_refused),
        tempdir_test(unwritable_file_is_refused),
        tempdir_test(loop_of_symlinks_is_refused),
        tempdir_test(long_name_is_refused),
        tempdir_test(bad_address_faults),
    };

    return cmocka_run_group_tests_name("fs/creat", tests, NULL, NULL);
}
