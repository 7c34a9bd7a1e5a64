/* pread64.c: pread64(2) and pwrite64(2): at a place given in the call. */
#include "../lib/check.h"

static int open_with(const char *text)
{
    make_file("f", text);
    return must(open("f", O_RDWR));
}

/* covers: pread64 */
static void read_leaves_the_offset(void **state)
{
    (void)state;
    char text[4] = "";
    int fd = open_with("abcdef");

    must(lseek(fd, 1, SEEK_SET));
    assert_returns(pread(fd, text, 3, 2), 3);
    assert_string_equal(text, "cde");
    assert_returns(lseek(fd, 0, SEEK_CUR), 1);
    must(close(fd));
}

/* covers: pwrite64 */
static void write_leaves_the_offset(void **state)
{
    (void)state;
    int fd = open_with("abcdef");

    must(lseek(fd, 1, SEEK_SET));
    assert_returns(pwrite(fd, "XY", 2, 3), 2);
    assert_returns(lseek(fd, 0, SEEK_CUR), 1);
    must(close(fd));
    assert_file_text("f", "abcXYf");
}

/* covers: pread64 */
static void read_behind_the_end_gives_nothing(void **state)
{
    (void)state;
    char c;
    int fd = open_with("abc");

    assert_returns(pread(fd, &c, 1, 3), 0);
    assert_returns(pread(fd, &c, 1, 1000), 0);
    must(close(fd));
}

/* covers: pread64 */
static void read_across_the_end_is_short(void **state)
{
    (void)state;
    char text[8];
    int fd = open_with("abc");

    assert_returns(pread(fd, text, sizeof text, 1), 2);
    must(close(fd));
}

/* covers: pwrite64 */
static void write_behind_the_end_leaves_a_hole(void **state)
{
    (void)state;
    char text[8];
    int fd = open_with("a");

    assert_returns(pwrite(fd, "z", 1, 4), 1);
    assert_returns(pread(fd, text, sizeof text, 0), 5);
    assert_memory_equal(text, "a\0\0\0z", 5);
    must(close(fd));
}

/* covers: pread64 EINVAL pwrite64 EINVAL */
static void negative_offset_is_refused(void **state)
{
    (void)state;
    char c;
    int fd = open_with("abc");

    assert_errno(pread(fd, &c, 1, -1), EINVAL);
    assert_errno(pwrite(fd, "x", 1, -1), EINVAL);
    assert_errno(pread(fd, &c, 1, INT64_MIN), EINVAL);
    must(close(fd));
}

/* covers: pread64 ESPIPE pwrite64 ESPIPE */
static void pipe_is_refused(void **state)
{
    (void)state;
    int fds[2];
    char c;

    must(pipe(fds));
    assert_errno(pread(fds[0], &c, 1, 0), ESPIPE);
    assert_errno(pwrite(fds[1], "x", 1, 0), ESPIPE);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: pread64 EBADF pwrite64 EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    char c;

    assert_errno(pread(-1, &c, 1, 0), EBADF);
    assert_errno(pwrite(-1, "x", 1, 0), EBADF);
}

/* covers: pread64 EBADF pwrite64 EBADF */
static void access_mode_is_respected(void **state)
{
    (void)state;
    char c;

    make_file("f", "abc");
    int r = must(open("f", O_RDONLY)), w = must(open("f", O_WRONLY));
    assert_errno(pwrite(r, "x", 1, 0), EBADF);
    assert_errno(pread(w, &c, 1, 0), EBADF);
    must(close(r));
    must(close(w));
}

/* covers: pread64 EFAULT pwrite64 EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    int fd = open_with("abc");

    assert_errno(syscall(SYS_pread64, fd, BAD_PTR, 1, 0), EFAULT);
    assert_errno(syscall(SYS_pwrite64, fd, BAD_PTR, 1, 0), EFAULT);
    must(close(fd));
}

/* covers: pread64 EISDIR */
static void folder_is_refused(void **state)
{
    (void)state;
    char c;
    int fd = must(open(".", O_RDONLY));

    assert_errno(pread(fd, &c, 1, 0), EISDIR);
    must(close(fd));
}

/* covers: pwrite64 O_APPEND */
static void append_flag_wins_over_the_offset(void **state)
{
    (void)state;
    /* pwrite(2), BUGS: on Linux data is appended whatever the offset */
    make_file("f", "abc");
    int fd = must(open("f", O_WRONLY | O_APPEND));

    assert_returns(pwrite(fd, "Z", 1, 0), 1);
    must(close(fd));
    assert_file_text("f", "abcZ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(read_leaves_the_offset),
        tempdir_test(write_leaves_the_offset),
        tempdir_test(read_behind_the_end_gives_nothing),
        tempdir_test(read_across_the_end_is_short),
        tempdir_test(write_behind_the_end_leaves_a_hole),
        tempdir_test(negative_offset_is_refused),
        cmocka_unit_test(pipe_is_refused),
        cmocka_unit_test(bad_descriptor_is_refused),
        tempdir_test(access_mode_is_respected),
        tempdir_test(bad_address_faults),
        tempdir_test(folder_is_refused),
        tempdir_test(append_flag_wins_over_the_offset),
    };

    return cmocka_run_group_tests_name("fs/pread64", tests, NULL, NULL);
}
