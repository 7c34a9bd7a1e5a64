/* lseek.c: lseek(2), with the search for data and holes. */
#include "../lib/check.h"

#define MIB (1 << 20)

static int open_with(const char *text)
{
    make_file("f", text);
    return must(open("f", O_RDWR));
}

/* 1 MiB hole, 1 MiB data, 1 MiB hole. */
static int open_sparse(void)
{
    char *data = malloc(MIB);
    int fd = open_with("");

    memset(data, 'd', MIB);
    assert_returns(pwrite(fd, data, MIB, MIB), MIB);
    must(ftruncate(fd, 3 * MIB));
    free(data);
    if (lseek(fd, 0, SEEK_HOLE) == 3 * MIB)
        skip_because("the file system reports no holes");
    return fd;
}

/* covers: lseek SEEK_SET SEEK_CUR SEEK_END */
static void set_cur_and_end_move_the_offset(void **state)
{
    (void)state;
    int fd = open_with("0123456789");

    assert_returns(lseek(fd, 4, SEEK_SET), 4);
    assert_returns(lseek(fd, 3, SEEK_CUR), 7);
    assert_returns(lseek(fd, -2, SEEK_CUR), 5);
    assert_returns(lseek(fd, -1, SEEK_END), 9);
    assert_returns(lseek(fd, 0, SEEK_END), 10);
    must(close(fd));
}

/* covers: lseek */
static void offset_may_lie_behind_the_end(void **state)
{
    (void)state;
    struct stat st;
    int fd = open_with("abc");

    assert_returns(lseek(fd, 1000, SEEK_END), 1003);
    must(fstat(fd, &st));
    assert_int_equal(st.st_size, 3);
    must(close(fd));
}

/* covers: lseek EINVAL */
static void offset_before_the_start_is_refused(void **state)
{
    (void)state;
    int fd = open_with("abc");

    must(lseek(fd, 1, SEEK_SET));
    assert_errno(lseek(fd, -1, SEEK_SET), EINVAL);
    assert_errno(lseek(fd, -2, SEEK_CUR), EINVAL);
    assert_errno(lseek(fd, -4, SEEK_END), EINVAL);
    assert_returns(lseek(fd, 0, SEEK_CUR), 1);
    must(close(fd));
}

/* covers: lseek EINVAL */
static void unknown_whence_is_refused(void **state)
{
    (void)state;
    int fd = open_with("abc");

    assert_errno(lseek(fd, 0, 5), EINVAL);
    assert_errno(lseek(fd, 0, -1), EINVAL);
    must(close(fd));
}

/* covers: lseek EINVAL EOVERFLOW */
static void sum_that_overflows_is_refused(void **state)
{
    (void)state;
    int fd = open_with("abc");

    must(lseek(fd, 1, SEEK_SET));
    errno = 0;
    assert_int_equal(lseek(fd, INT64_MAX, SEEK_CUR), -1);
    assert_true(errno == EINVAL || errno == EOVERFLOW); /* it depends on the file system */
    must(close(fd));
}

/* covers: lseek EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    assert_errno(lseek(-1, 0, SEEK_SET), EBADF);
    assert_errno(lseek(100000, 0, SEEK_SET), EBADF);
}

/* covers: lseek ESPIPE */
static void pipe_and_fifo_are_refused(void **state)
{
    (void)state;
    int fds[2];

    must(pipe(fds));
    assert_errno(lseek(fds[0], 0, SEEK_SET), ESPIPE);
    assert_errno(lseek(fds[1], 0, SEEK_CUR), ESPIPE);
    must(close(fds[0]));
    must(close(fds[1]));
    must(mkfifo("p", 0644));
    int fd = must(open("p", O_RDWR));
    assert_errno(lseek(fd, 0, SEEK_END), ESPIPE);
    must(close(fd));
}

/* covers: lseek SEEK_DATA */
static void data_finds_the_next_data(void **state)
{
    (void)state;
    int fd = open_sparse();

    assert_returns(lseek(fd, 0, SEEK_DATA), MIB);
    assert_returns(lseek(fd, MIB + 5, SEEK_DATA), MIB + 5);
    must(close(fd));
}

/* covers: lseek SEEK_HOLE */
static void hole_finds_the_next_hole(void **state)
{
    (void)state;
    int fd = open_sparse();

    assert_returns(lseek(fd, 0, SEEK_HOLE), 0);
    assert_returns(lseek(fd, MIB, SEEK_HOLE), 2 * MIB);
    assert_returns(lseek(fd, 2 * MIB + 7, SEEK_HOLE), 2 * MIB + 7);
    must(close(fd));
}

/* covers: lseek SEEK_DATA ENXIO */
static void no_data_up_to_the_end_is_reported(void **state)
{
    (void)state;
    int fd = open_sparse();

    assert_errno(lseek(fd, 2 * MIB, SEEK_DATA), ENXIO);
    must(close(fd));
}

/* covers: lseek SEEK_DATA SEEK_HOLE ENXIO */
static void data_and_hole_at_or_behind_the_end_are_refused(void **state)
{
    (void)state;
    int fd = open_with("abc");

    assert_errno(lseek(fd, 3, SEEK_DATA), ENXIO);
    assert_errno(lseek(fd, 3, SEEK_HOLE), ENXIO);
    assert_errno(lseek(fd, 100, SEEK_DATA), ENXIO);
    assert_errno(lseek(fd, 100, SEEK_HOLE), ENXIO);
    assert_errno(lseek(fd, -1, SEEK_DATA), ENXIO);
    assert_errno(lseek(fd, -1, SEEK_HOLE), ENXIO);
    must(close(fd));
}

/* covers: lseek SEEK_HOLE SEEK_DATA */
static void end_of_a_file_without_holes_is_one(void **state)
{
    (void)state;
    int fd = open_with("abc");

    assert_returns(lseek(fd, 0, SEEK_HOLE), 3);
    assert_returns(lseek(fd, 1, SEEK_DATA), 1);
    must(close(fd));
}

/* covers: lseek SEEK_DATA */
static void search_moves_the_offset(void **state)
{
    (void)state;
    int fd = open_sparse();
    char c;

    must(lseek(fd, 0, SEEK_DATA));
    assert_returns(lseek(fd, 0, SEEK_CUR), MIB);
    assert_returns(read(fd, &c, 1), 1);
    assert_int_equal(c, 'd');
    must(close(fd));
}

/* covers: lseek dup */
static void duplicates_share_the_offset(void **state)
{
    (void)state;
    int fd = open_with("abc");
    int copy = must(dup(fd));

    must(lseek(fd, 2, SEEK_SET));
    assert_returns(lseek(copy, 0, SEEK_CUR), 2);
    must(close(copy));
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(set_cur_and_end_move_the_offset),
        tempdir_test(offset_may_lie_behind_the_end),
        tempdir_test(offset_before_the_start_is_refused),
        tempdir_test(unknown_whence_is_refused),
        tempdir_test(sum_that_overflows_is_refused),
        cmocka_unit_test(bad_descriptor_is_refused),
        tempdir_test(pipe_and_fifo_are_refused),
        tempdir_test(data_finds_the_next_data),
        tempdir_test(hole_finds_the_next_hole),
        tempdir_test(no_data_up_to_the_end_is_reported),
        tempdir_test(data_and_hole_at_or_behind_the_end_are_refused),
        tempdir_test(end_of_a_file_without_holes_is_one),
        tempdir_test(search_moves_the_offset),
        tempdir_test(duplicates_share_the_offset),
    };

    return cmocka_run_group_tests_name("fs/lseek", tests, NULL, NULL);
}
