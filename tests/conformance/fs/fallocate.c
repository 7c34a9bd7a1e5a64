/* fallocate.c: fallocate(2) and fadvise64(2). */
#include "../lib/check.h"

#include <linux/falloc.h>

enum { PAGE = 4096, MIB = 1 << 20 };

static int open_new(void)
{
    return must(open("f", O_CREAT | O_TRUNC | O_RDWR, 0644));
}

static long do_fallocate(int fd, int mode, off_t offset, off_t length)
{
    return syscall(SYS_fallocate, fd, mode, offset, length);
}

/* Ends the case as skipped where the file system does not know the mode. */
#define need_mode(expr)                                                                            \
    do {                                                                                           \
        if ((expr) == -1 && errno == EOPNOTSUPP)                                                   \
            skip_because("%s: not in this file system", #expr);                                    \
    } while (0)

static struct stat fstat_of(int fd)
{
    struct stat st;

    must(fstat(fd, &st));
    return st;
}

/* Pages of 'a', 'b', 'c', ... */
static int open_filled(int pages)
{
    char page[PAGE];
    int fd = open_new();

    for (int i = 0; i < pages; i++) {
        memset(page, 'a' + i, PAGE);
        assert_returns(write(fd, page, PAGE), PAGE);
    }
    return fd;
}

static char byte_at(int fd, off_t offset)
{
    char c = '?';

    assert_returns(pread(fd, &c, 1, offset), 1);
    return c;
}

/* covers: fallocate */
static void allocates_and_extends(void **state)
{
    (void)state;
    int fd = open_new();

    need_mode(do_fallocate(fd, 0, 0, MIB));
    assert_int_equal(fstat_of(fd).st_size, MIB);
    assert_true(fstat_of(fd).st_blocks * 512 >= MIB);
    assert_int_equal(byte_at(fd, MIB - 1), 0);
    must(close(fd));
}

/* covers: fallocate */
static void keeps_what_is_there(void **state)
{
    (void)state;
    int fd = open_filled(1);

    need_mode(do_fallocate(fd, 0, 0, MIB));
    assert_int_equal(byte_at(fd, 0), 'a');
    assert_int_equal(byte_at(fd, PAGE), 0);
    must(do_fallocate(fd, 0, 0, 10));
    assert_int_equal(fstat_of(fd).st_size, MIB);
    must(close(fd));
}

/* covers: fallocate FALLOC_FL_KEEP_SIZE */
static void keep_size_does_not_extend(void **state)
{
    (void)state;
    int fd = open_new();

    need_mode(do_fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, MIB));
    assert_int_equal(fstat_of(fd).st_size, 0);
    assert_true(fstat_of(fd).st_blocks * 512 >= MIB);
    must(close(fd));
}

/* covers: fallocate FALLOC_FL_PUNCH_HOLE */
static void punch_hole_gives_zeros_and_frees(void **state)
{
    (void)state;
    int fd = open_filled(4);

    must(fsync(fd));
    blkcnt_t before = fstat_of(fd).st_blocks;
    need_mode(do_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, 2 * PAGE));
    assert_int_equal(fstat_of(fd).st_size, 4 * PAGE);
    assert_int_equal(byte_at(fd, PAGE - 1), 'a');
    assert_int_equal(byte_at(fd, PAGE), 0);
    assert_int_equal(byte_at(fd, 3 * PAGE - 1), 0);
    assert_int_equal(byte_at(fd, 3 * PAGE), 'd');
    assert_true(fstat_of(fd).st_blocks < before);
    must(close(fd));
}

/* covers: fallocate FALLOC_FL_PUNCH_HOLE */
static void punch_hole_of_part_of_a_page_clears_just_that(void **state)
{
    (void)state;
    int fd = open_filled(2);

    need_mode(do_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 50));
    assert_int_equal(byte_at(fd, 99), 'a');
    assert_int_equal(byte_at(fd, 100), 0);
    assert_int_equal(byte_at(fd, 149), 0);
    assert_int_equal(byte_at(fd, 150), 'a');
    must(close(fd));
}

/* covers: fallocate FALLOC_FL_PUNCH_HOLE EOPNOTSUPP */
static void punch_hole_needs_keep_size(void **state)
{
    (void)state;
    int fd = open_filled(1);

    assert_errno(do_fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP);
    must(close(fd));
}

/* covers: fallocate FALLOC_FL_ZERO_RANGE */
static void zero_range_clears(void **state)
{
    (void)state;
    int fd = open_filled(3);

    need_mode(do_fallocate(fd, FALLOC_FL_ZERO_RANGE, PAGE, PAGE));
    assert_int_equal(byte_at(fd, PAGE - 1), 'a');
    assert_int_equal(byte_at(fd, PAGE), 0);
    assert_int_equal(byte_at(fd, 2 * PAGE), 'c');
    must(do_fallocate(fd, FALLOC_FL_ZERO_RANGE, 2 * PAGE, 4 * PAGE));
    assert_int_equal(fstat_of(fd).st_size, 6 * PAGE);
    must(close(fd));
}

/* covers: fallocate FALLOC_FL_COLLAPSE_RANGE */
static void collapse_range_takes_out(void **state)
{
    (void)state;
    int fd = open_filled(4);

    need_mode(do_fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, PAGE, PAGE));
    assert_int_equal(fstat_of(fd).st_size, 3 * PAGE);
    assert_int_equal(byte_at(fd, 0), 'a');
    assert_int_equal(byte_at(fd, PAGE), 'c');
    must(close(fd));
}

/* covers: fallocate FALLOC_FL_COLLAPSE_RANGE EINVAL */
static void collapse_range_up_to_the_end_is_refused(void **state)
{
    (void)state;
    int fd = open_filled(4);

    need_mode(do_fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE));
    assert_errno(do_fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, PAGE, 2 * PAGE), EINVAL);
    assert_errno(do_fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 1, PAGE), EINVAL);
    must(close(fd));
}

/* covers: fallocate FALLOC_FL_INSERT_RANGE */
static void insert_range_makes_room(void **state)
{
    (void)state;
    int fd = open_filled(2);

    need_mode(do_fallocate(fd, FALLOC_FL_INSERT_RANGE, PAGE, PAGE));
    assert_int_equal(fstat_of(fd).st_size, 3 * PAGE);
    assert_int_equal(byte_at(fd, 0), 'a');
    assert_int_equal(byte_at(fd, PAGE), 0);
    assert_int_equal(byte_at(fd, 2 * PAGE), 'b');
    must(close(fd));
}

/* covers: fallocate EINVAL */
static void bad_range_is_refused(void **state)
{
    (void)state;
    int fd = open_new();

    assert_errno(do_fallocate(fd, 0, 0, 0), EINVAL);
    assert_errno(do_fallocate(fd, 0, -1, 10), EINVAL);
    assert_errno(do_fallocate(fd, 0, 0, -1), EINVAL);
    must(close(fd));
}

/* covers: fallocate EFBIG */
static void range_beyond_the_largest_file_is_refused(void **state)
{
    (void)state;
    int fd = open_new();

    need_mode(do_fallocate(fd, 0, 0, 1));
    assert_errno(do_fallocate(fd, 0, INT64_MAX, 10), EFBIG);
    must(close(fd));
}

/* covers: fallocate EOPNOTSUPP */
static void unknown_mode_is_refused(void **state)
{
    (void)state;
    int fd = open_new();

    assert_errno(do_fallocate(fd, 0x4000, 0, PAGE), EOPNOTSUPP);
    must(close(fd));
}

/* covers: fallocate EBADF */
static void descriptor_must_be_open_for_writing(void **state)
{
    (void)state;
    make_file("f", "abc");
    int fd = must(open("f", O_RDONLY));
    assert_errno(do_fallocate(fd, 0, 0, PAGE), EBADF);
    assert_errno(do_fallocate(-1, 0, 0, PAGE), EBADF);
    must(close(fd));
}

/* covers: fallocate ESPIPE fadvise64 ESPIPE */
static void pipe_is_refused(void **state)
{
    (void)state;
    int fds[2];

    must(pipe(fds));
    assert_errno(do_fallocate(fds[1], 0, 0, PAGE), ESPIPE);
    assert_errno(syscall(SYS_fadvise64, fds[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: fallocate ENODEV */
static void device_is_refused(void **state)
{
    (void)state;
    int fd = must(open("/dev/null", O_WRONLY));

    assert_errno(do_fallocate(fd, 0, 0, PAGE), ENODEV);
    must(close(fd));
}

/* covers: fadvise64 POSIX_FADV_NORMAL POSIX_FADV_RANDOM POSIX_FADV_SEQUENTIAL */
/* covers: fadvise64 POSIX_FADV_WILLNEED POSIX_FADV_DONTNEED POSIX_FADV_NOREUSE */
static void every_advice_is_taken(void **state)
{
    (void)state;
    int fd = open_filled(2);

    for (int advice = POSIX_FADV_NORMAL; advice <= POSIX_FADV_NOREUSE; advice++)
        must(syscall(SYS_fadvise64, fd, 0, PAGE, advice));
    must(syscall(SYS_fadvise64, fd, 0, 0, POSIX_FADV_DONTNEED));
    assert_int_equal(byte_at(fd, PAGE), 'b');
    must(close(fd));
}

/* covers: fadvise64 EINVAL EBADF */
static void bad_advice_is_refused(void **state)
{
    (void)state;
    int fd = open_new();

    assert_errno(syscall(SYS_fadvise64, fd, 0, 0, 77), EINVAL);
    assert_errno(syscall(SYS_fadvise64, fd, 0l, -1l, POSIX_FADV_NORMAL), EINVAL);
    assert_errno(syscall(SYS_fadvise64, -1, 0, 0, POSIX_FADV_NORMAL), EBADF);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(allocates_and_extends),
        tempdir_test(keeps_what_is_there),
        tempdir_test(keep_size_does_not_extend),
        tempdir_test(punch_hole_gives_zeros_and_frees),
        tempdir_test(punch_hole_of_part_of_a_page_clears_just_that),
        tempdir_test(punch_hole_needs_keep_size),
        tempdir_test(zero_range_clears),
        tempdir_test(collapse_range_takes_out),
        tempdir_test(collapse_range_up_to_the_end_is_refused),
        tempdir_test(insert_range_makes_room),
        tempdir_test(bad_range_is_refused),
        tempdir_test(range_beyond_the_largest_file_is_refused),
        tempdir_test(unknown_mode_is_refused),
        tempdir_test(descriptor_must_be_open_for_writing),
        cmocka_unit_test(pipe_is_refused),
        cmocka_unit_test(device_is_refused),
        tempdir_test(every_advice_is_taken),
        tempdir_test(bad_advice_is_refused),
    };

    return cmocka_run_group_tests_name("fs/fallocate", tests, NULL, NULL);
}
