/* write.c: write(2) on regular files. */
#include "../lib/check.h"

#include <sys/resource.h>

static int open_new(int flags)
{
    return must(open("f", O_CREAT | O_TRUNC | flags, 0644));
}

static off_t size_of(int fd)
{
    struct stat st;

    must(fstat(fd, &st));
    return st.st_size;
}

/* covers: write lseek */
static void stores_and_moves_the_offset(void **state)
{
    (void)state;
    int fd = open_new(O_WRONLY);

    assert_returns(write(fd, "abc", 3), 3);
    assert_returns(lseek(fd, 0, SEEK_CUR), 3);
    assert_returns(write(fd, "de", 2), 2);
    must(close(fd));
    assert_file_text("f", "abcde");
}

/* covers: write */
static void overwrites_in_place(void **state)
{
    (void)state;
    make_file("f", "abcdef");
    int fd = must(open("f", O_WRONLY));

    must(lseek(fd, 2, SEEK_SET));
    assert_returns(write(fd, "XY", 2), 2);
    must(close(fd));
    assert_file_text("f", "abXYef");
}

/* covers: write */
static void behind_the_end_leaves_a_hole_of_zeros(void **state)
{
    (void)state;
    char text[8];
    int fd = open_new(O_RDWR);

    assert_returns(write(fd, "a", 1), 1);
    must(lseek(fd, 5, SEEK_SET));
    assert_returns(write(fd, "b", 1), 1);
    assert_returns(pread(fd, text, sizeof text, 0), 6);
    assert_memory_equal(text, "a\0\0\0\0b", 6);
    must(close(fd));
}

/* covers: write */
static void length_of_zero_changes_nothing(void **state)
{
    (void)state;
    int fd = open_new(O_WRONLY);

    assert_returns(write(fd, "x", 0), 0);
    assert_returns(size_of(fd), 0);
    must(lseek(fd, 10, SEEK_SET));
    assert_returns(write(fd, "x", 0), 0);
    assert_returns(size_of(fd), 0);
    must(close(fd));
}

/* covers: write EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    assert_errno(write(-1, "x", 1), EBADF);
    assert_errno(write(100000, "x", 1), EBADF);
}

/* covers: write EBADF */
static void read_only_descriptor_is_refused(void **state)
{
    (void)state;
    make_file("f", "abc");
    int fd = must(open("f", O_RDONLY));

    assert_errno(write(fd, "x", 1), EBADF);
    must(close(fd));
}

/* covers: write EFAULT */
static void bad_address_faults_and_keeps_the_file(void **state)
{
    (void)state;
    int fd = open_new(O_WRONLY);

    assert_errno(syscall(SYS_write, fd, BAD_PTR, 3), EFAULT);
    assert_errno(syscall(SYS_write, fd, NULL, 3), EFAULT);
    assert_returns(lseek(fd, 0, SEEK_CUR), 0);
    assert_returns(size_of(fd), 0);
    must(close(fd));
}

/* covers: write */
static void buffer_that_ends_early_gives_a_short_write(void **state)
{
    (void)state;
    int fd = open_new(O_RDWR);
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(page, MAP_FAILED);
    memset(page, 'p', 4096);
    must(munmap(page + 4096, 4096));
    ssize_t n = must(syscall(SYS_write, fd, page, 8192));
    assert_in_range(n, 1, 4096);
    assert_returns(size_of(fd), n);
    assert_returns(lseek(fd, 0, SEEK_CUR), n);
    must(munmap(page, 4096));
    must(close(fd));
}

/* covers: write */
static void updates_change_and_modification_time(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    struct stat before, after;
    int fd = open_new(O_WRONLY);

    must(futimens(fd, times));
    must(fstat(fd, &before));
    assert_returns(write(fd, "x", 1), 1);
    must(fstat(fd, &after));
    assert_true(after.st_mtim.tv_sec > 2000);
    assert_true(after.st_ctim.tv_sec >= before.st_ctim.tv_sec);
    assert_int_equal(after.st_atim.tv_sec, 1000);
    must(close(fd));
}

/* covers: write */
static void takes_the_set_id_bits_away(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", "abc");
    must(chmod("f", 06777));
    as_nobody(int fd = must(open("f", O_WRONLY)); assert_returns(write(fd, "x", 1), 1));
    must(stat("f", &st));
    assert_int_equal(st.st_mode & 07777, 0777);
}

/* covers: write setrlimit RLIMIT_FSIZE */
static void file_size_limit_cuts_the_write(void **state)
{
    (void)state;
    in_child(struct rlimit limit; int fd = open_new(O_WRONLY); signal(SIGXFSZ, SIG_IGN);
             must(getrlimit(RLIMIT_FSIZE, &limit)); limit.rlim_cur = 10;
             must(setrlimit(RLIMIT_FSIZE, &limit)); must(lseek(fd, 7, SEEK_SET));
             assert_returns(write(fd, "abcdef", 6), 3); assert_returns(size_of(fd), 10));
}

/* covers: write EFBIG setrlimit RLIMIT_FSIZE */
static void write_at_the_file_size_limit_is_refused(void **state)
{
    (void)state;
    in_child(struct rlimit limit; int fd = open_new(O_WRONLY); signal(SIGXFSZ, SIG_IGN);
             must(getrlimit(RLIMIT_FSIZE, &limit)); limit.rlim_cur = 10;
             must(setrlimit(RLIMIT_FSIZE, &limit)); must(lseek(fd, 10, SEEK_SET));
             assert_errno(write(fd, "a", 1), EFBIG); assert_returns(size_of(fd), 0));
}

static void exceed_limit(void *arg)
{
    struct rlimit limit;
    int fd = open_new(O_WRONLY);

    (void)arg;
    signal(SIGXFSZ, SIG_DFL);
    must(getrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_cur = 0;
    must(setrlimit(RLIMIT_FSIZE, &limit));
    (void)!write(fd, "a", 1); /* ends the process */
}

/* covers: write setrlimit RLIMIT_FSIZE */
static void write_at_the_file_size_limit_sends_a_signal(void **state)
{
    (void)state;
    assert_killed_by(run_in_child(exceed_limit, NULL), SIGXFSZ);
}

/* covers: write */
static void large_write_is_complete(void **state)
{
    (void)state;
    size_t size = 2500011;
    unsigned char *out = malloc(size), *in = malloc(size);
    int fd = open_new(O_RDWR);

    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char)(i * 7 + i / 1000);
    assert_returns(write(fd, out, size), size);
    assert_returns(size_of(fd), size);
    assert_returns(pread(fd, in, size, 0), size);
    assert_memory_equal(in, out, size);
    free(in);
    free(out);
    must(close(fd));
}

/* covers: write EFBIG pwrite64 EFBIG EINVAL */
static void offset_beyond_the_largest_file_is_refused(void **state)
{
    (void)state;
    int fd = open_new(O_WRONLY);

    errno = 0;
    ssize_t n = pwrite(fd, "x", 1, INT64_MAX);
    assert_int_equal(n, -1);
    assert_true(errno == EFBIG || errno == EINVAL); /* which one depends on the file system */
    must(close(fd));
}

/* covers: write ENOSPC */
static void full_device_is_reported(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    if (fd < 0)
        skip_because("no /dev/full");
    assert_errno(write(fd, "x", 1), ENOSPC);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(stores_and_moves_the_offset),
        tempdir_test(overwrites_in_place),
        tempdir_test(behind_the_end_leaves_a_hole_of_zeros),
        tempdir_test(length_of_zero_changes_nothing),
        tempdir_test(bad_descriptor_is_refused),
        tempdir_test(read_only_descriptor_is_refused),
        tempdir_test(bad_address_faults_and_keeps_the_file),
        tempdir_test(buffer_that_ends_early_gives_a_short_write),
        tempdir_test(updates_change_and_modification_time),
        tempdir_test(takes_the_set_id_bits_away),
        tempdir_test(file_size_limit_cuts_the_write),
        tempdir_test(write_at_the_file_size_limit_is_refused),
        tempdir_test(write_at_the_file_size_limit_sends_a_signal),
        tempdir_test(large_write_is_complete),
        tempdir_test(offset_beyond_the_largest_file_is_refused),
        cmocka_unit_test(full_device_is_reported),
    };

    return cmocka_run_group_tests_name("fs/write", tests, NULL, NULL);
}
