/* copy_file_range.c: copy_file_range(2). */
#include "../lib/check.h"

static int open_new(const char *path)
{
    return must(open(path, O_CREAT | O_TRUNC | O_RDWR, 0644));
}

static int open_source(const char *text)
{
    make_file("in", text);
    return must(open("in", O_RDWR));
}

static ssize_t copy(int in, loff_t *in_pos, int out, loff_t *out_pos, size_t length)
{
    return syscall(SYS_copy_file_range, in, in_pos, out, out_pos, length, 0ul);
}

/* covers: copy_file_range */
static void copies_and_moves_both_offsets(void **state)
{
    (void)state;
    int in = open_source("abcdef"), out = open_new("out");

    assert_returns(copy(in, NULL, out, NULL, 4), 4);
    assert_returns(lseek(in, 0, SEEK_CUR), 4);
    assert_returns(lseek(out, 0, SEEK_CUR), 4);
    assert_returns(copy(in, NULL, out, NULL, 100), 2);
    assert_returns(copy(in, NULL, out, NULL, 100), 0);
    assert_file_text("out", "abcdef");
    must(close(in));
    must(close(out));
}

/* covers: copy_file_range */
static void offset_arguments_are_used_and_updated(void **state)
{
    (void)state;
    int in = open_source("abcdef"), out = open_new("out");
    loff_t from = 1, to = 2;
    char text[8];

    assert_returns(copy(in, &from, out, &to, 3), 3);
    assert_int_equal(from, 4);
    assert_int_equal(to, 5);
    assert_returns(lseek(in, 0, SEEK_CUR), 0);
    assert_returns(lseek(out, 0, SEEK_CUR), 0);
    assert_returns(read(out, text, sizeof text), 5);
    assert_memory_equal(text, "\0\0bcd", 5);
    must(close(in));
    must(close(out));
}

/* covers: copy_file_range EINVAL */
static void ranges_of_one_file_may_be_copied_but_not_overlap(void **state)
{
    (void)state;
    int fd = open_source("abcdef");
    loff_t from = 0, to = 6;

    assert_returns(copy(fd, &from, fd, &to, 3), 3);
    assert_file_text("in", "abcdefabc");
    from = 0;
    to = 1;
    assert_errno(copy(fd, &from, fd, &to, 3), EINVAL);
    must(close(fd));
}

/* covers: copy_file_range */
static void source_behind_the_end_gives_nothing(void **state)
{
    (void)state;
    int in = open_source("abc"), out = open_new("out");
    loff_t from = 100;

    assert_returns(copy(in, &from, out, NULL, 3), 0);
    assert_file_text("out", "");
    must(close(in));
    must(close(out));
}

/* covers: copy_file_range EINVAL */
static void flags_must_be_zero(void **state)
{
    (void)state;
    int in = open_source("abc"), out = open_new("out");

    assert_errno(syscall(SYS_copy_file_range, in, NULL, out, NULL, 3, 2ul), EINVAL);
    must(close(in));
    must(close(out));
}

/* covers: copy_file_range EBADF */
static void access_modes_are_respected(void **state)
{
    (void)state;
    int in = open_source("abc"), out = open_new("out");
    int r = must(open("out", O_RDONLY)), w = must(open("in", O_WRONLY));

    assert_errno(copy(w, NULL, out, NULL, 3), EBADF);
    assert_errno(copy(in, NULL, r, NULL, 3), EBADF);
    assert_errno(copy(-1, NULL, out, NULL, 3), EBADF);
    assert_errno(copy(in, NULL, -1, NULL, 3), EBADF);
    must(close(r));
    must(close(w));
    must(close(in));
    must(close(out));
}

/* covers: copy_file_range EBADF O_APPEND */
static void append_destination_is_refused(void **state)
{
    (void)state;
    int in = open_source("abc");
    int out = must(open("out", O_CREAT | O_WRONLY | O_APPEND, 0644));

    assert_errno(copy(in, NULL, out, NULL, 3), EBADF);
    must(close(in));
    must(close(out));
}

/* covers: copy_file_range EISDIR */
static void folder_is_refused(void **state)
{
    (void)state;
    int out = open_new("out"), dir = must(open(".", O_RDONLY));

    assert_errno(copy(dir, NULL, out, NULL, 3), EISDIR);
    must(close(dir));
    must(close(out));
}

/* covers: copy_file_range EINVAL */
static void pipe_is_refused(void **state)
{
    (void)state;
    int out = open_new("out"), fds[2];

    must(pipe(fds));
    assert_errno(copy(fds[0], NULL, out, NULL, 3), EINVAL);
    assert_errno(copy(out, NULL, fds[1], NULL, 3), EINVAL);
    must(close(fds[0]));
    must(close(fds[1]));
    must(close(out));
}

/* covers: copy_file_range EFAULT */
static void bad_offset_address_faults(void **state)
{
    (void)state;
    int in = open_source("abc"), out = open_new("out");

    assert_errno(copy(in, BAD_PTR, out, NULL, 3), EFAULT);
    assert_errno(copy(in, NULL, out, BAD_PTR, 3), EFAULT);
    must(close(in));
    must(close(out));
}

/* covers: copy_file_range */
static void large_copy_is_complete(void **state)
{
    (void)state;
    size_t size = 1500003, done = 0;
    unsigned char *data = malloc(size), *back = malloc(size);
    int in = open_new("in"), out = open_new("out");

    for (size_t i = 0; i < size; i++)
        data[i] = (unsigned char)(i * 17 + i / 555);
    assert_returns(write(in, data, size), size);
    must(lseek(in, 0, SEEK_SET));
    while (done < size) {
        ssize_t n = must(copy(in, NULL, out, NULL, size));
        assert_true(n > 0);
        done += (size_t)n;
    }
    assert_returns(pread(out, back, size, 0), size);
    assert_memory_equal(back, data, size);
    free(data);
    free(back);
    must(close(in));
    must(close(out));
}

/* covers: copy_file_range EXDEV EINVAL */
static void file_system_of_another_kind_is_refused(void **state)
{
    (void)state;
    int in = must(open("/proc/self/status", O_RDONLY)), out = open_new("out");

    errno = 0;
    assert_int_equal(copy(in, NULL, out, NULL, 3), -1);
    assert_true(errno == EXDEV || errno == EINVAL); /* EXDEV since Linux 5.19 */
    must(close(in));
    must(close(out));
}

/* covers: copy_file_range EOVERFLOW */
static void range_that_overflows_is_refused(void **state)
{
    (void)state;
    int in = open_source("abc"), out = open_new("out");
    loff_t from = 10;

    assert_errno(copy(in, &from, out, NULL, -1ul), EOVERFLOW);
    must(close(in));
    must(close(out));
}

/* covers: copy_file_range EOVERFLOW EINVAL EFBIG */
static void offsets_have_limits(void **state)
{
    (void)state;
    int in = open_source("abc"), out = open_new("out");
    loff_t before = -1, far_before = -100, last = INT64_MAX, start = 0;

    assert_errno(copy(in, &before, out, NULL, 5), EOVERFLOW);
    assert_errno(copy(in, &far_before, out, NULL, 5), EINVAL);
    assert_errno(copy(in, &start, out, &far_before, 5), EINVAL);
    assert_errno(copy(in, &start, out, &last, 5), EFBIG);
    must(close(in));
    must(close(out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(copies_and_moves_both_offsets),
        tempdir_test(offset_arguments_are_used_and_updated),
        tempdir_test(ranges_of_one_file_may_be_copied_but_not_overlap),
        tempdir_test(source_behind_the_end_gives_nothing),
        tempdir_test(flags_must_be_zero),
        tempdir_test(access_modes_are_respected),
        tempdir_test(append_destination_is_refused),
        tempdir_test(folder_is_refused),
        tempdir_test(pipe_is_refused),
        tempdir_test(bad_offset_address_faults),
        tempdir_test(large_copy_is_complete),
        tempdir_test(file_system_of_another_kind_is_refused),
        tempdir_test(range_that_overflows_is_refused),
        tempdir_test(offsets_have_limits),
    };

    return cmocka_run_group_tests_name("fs/copy_file_range", tests, NULL, NULL);
}
