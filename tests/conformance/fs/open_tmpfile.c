/* open_tmpfile.c: O_TMPFILE of open(2): a file that has no name yet. */
#include "../lib/check.h"

#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

static int open_tmpfile(int flags, mode_t mode)
{
    int fd = open(".", O_TMPFILE | flags, mode);

    if (fd == -1 && errno == EOPNOTSUPP)
        skip_because("the file system of the temporary folder has no O_TMPFILE");
    return must(fd);
}

static int link_at_fd(int fd, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

/* covers: openat O_TMPFILE */
static void file_has_no_name(void **state)
{
    (void)state;
    int fd = open_tmpfile(O_RDWR, 0600);
    struct stat st;

    must(fstat(fd, &st));
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_nlink, 0);
    assert_int_equal(st.st_size, 0);
    must(close(fd));
    must(rmdir(*state)); /* nothing is in it */
    must(mkdir(*state, 0755));
    must(chdir(*state));
}

/* covers: openat O_TMPFILE */
static void file_holds_data(void **state)
{
    (void)state;
    char text[8] = "";
    int fd = open_tmpfile(O_RDWR, 0600);

    assert_returns(write(fd, "hello", 5), 5);
    assert_returns(pread(fd, text, sizeof text, 0), 5);
    assert_string_equal(text, "hello");
    must(close(fd));
}

/* covers: openat O_TMPFILE umask */
static void mode_is_masked_by_umask(void **state)
{
    (void)state;
    struct stat st;

    umask(077);
    int fd = open_tmpfile(O_RDWR, 0666);
    must(fstat(fd, &st));
    assert_int_equal(st.st_mode & 07777, 0600);
    must(close(fd));
}

/* covers: openat O_TMPFILE linkat AT_SYMLINK_FOLLOW */
static void can_be_given_a_name(void **state)
{
    (void)state;
    struct stat st;
    int fd = open_tmpfile(O_WRONLY, 0644);

    assert_returns(write(fd, "hello", 5), 5);
    must(link_at_fd(fd, "named"));
    assert_file_text("named", "hello");
    must(fstat(fd, &st));
    assert_int_equal(st.st_nlink, 1);
    must(close(fd));
}

/* covers: openat O_TMPFILE O_EXCL linkat ENOENT */
static void excl_forbids_a_name(void **state)
{
    (void)state;
    int fd = open_tmpfile(O_RDWR | O_EXCL, 0644);

    assert_errno(link_at_fd(fd, "named"), ENOENT);
    must(close(fd));
}

/* covers: openat O_TMPFILE EINVAL */
static void must_be_writable(void **state)
{
    (void)state;
    assert_errno(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
}

/* covers: openat O_TMPFILE EINVAL */
static void bit_needs_the_directory_flag(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_openat, AT_FDCWD, ".", TMPFILE_BIT | O_RDWR, 0600), EINVAL);
}

/* covers: openat O_TMPFILE ENOENT */
static void missing_folder_is_refused(void **state)
{
    (void)state;
    assert_errno(open("none", O_TMPFILE | O_RDWR, 0600), ENOENT);
}

/* covers: openat O_TMPFILE ENOTDIR */
static void path_must_be_a_folder(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(open("f", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
}

/* covers: openat O_TMPFILE EACCES */
static void folder_must_be_writable(void **state)
{
    (void)state;
    must(close(open_tmpfile(O_RDWR, 0600)));
    must(mkdir("d", 0555));
    as_nobody(assert_errno(open("d", O_TMPFILE | O_RDWR, 0600), EACCES));
}

/* covers: openat O_TMPFILE */
static void each_file_is_its_own(void **state)
{
    (void)state;
    struct stat a_st, b_st;
    int a = open_tmpfile(O_RDWR, 0600);
    int b = open_tmpfile(O_RDWR, 0600);

    must(fstat(a, &a_st));
    must(fstat(b, &b_st));
    assert_true(a_st.st_ino != b_st.st_ino);
    must(close(a));
    must(close(b));
}

/* covers: openat O_TMPFILE EOPNOTSUPP */
static void file_system_without_unnamed_files_refuses(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(open("/proc", O_TMPFILE | O_RDWR, 0600), -1);
    assert_true(errno == EOPNOTSUPP || errno == EACCES); /* the right to write is looked at first */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(file_has_no_name),
        tempdir_test(file_holds_data),
        tempdir_test(mode_is_masked_by_umask),
        tempdir_test(can_be_given_a_name),
        tempdir_test(excl_forbids_a_name),
        tempdir_test(must_be_writable),
        tempdir_test(bit_needs_the_directory_flag),
        tempdir_test(missing_folder_is_refused),
        tempdir_test(path_must_be_a_folder),
        tempdir_test(folder_must_be_writable),
        tempdir_test(each_file_is_its_own),
        cmocka_unit_test(file_system_without_unnamed_files_refuses),
    };

    return cmocka_run_group_tests_name("fs/open_tmpfile", tests, NULL, NULL);
}
