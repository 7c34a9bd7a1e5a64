/* read.c: read(2) on regular files; pipes and others have files of their own. */
/* tags: trap */
#include "../lib/check.h"

static int open_with(const char *text, int flags)
{
    make_file("f", text);
    return must(open("f", flags));
}

/* covers: read */
static void returns_what_is_there(void **state)
{
    (void)state;
    char text[16] = "";
    int fd = open_with("hello", O_RDONLY);

    assert_returns(read(fd, text, sizeof text), 5);
    assert_string_equal(text, "hello");
    must(close(fd));
}

/* covers: read */
static void end_of_file_is_zero(void **state)
{
    (void)state;
    char c;
    int fd = open_with("", O_RDONLY);

    assert_returns(read(fd, &c, 1), 0);
    assert_returns(read(fd, &c, 1), 0);
    must(close(fd));
}

/* covers: read lseek */
static void moves_the_offset_by_what_was_read(void **state)
{
    (void)state;
    char text[4] = "";
    int fd = open_with("abcdef", O_RDONLY);

    assert_returns(read(fd, text, 2), 2);
    assert_returns(lseek(fd, 0, SEEK_CUR), 2);
    assert_returns(read(fd, text, 3), 3);
    assert_string_equal(text, "cde");
    assert_returns(read(fd, text, 3), 1);
    assert_returns(lseek(fd, 0, SEEK_CUR), 6);
    must(close(fd));
}

/* covers: read */
static void offset_behind_the_end_reads_nothing(void **state)
{
    (void)state;
    char c;
    int fd = open_with("abc", O_RDONLY);

    assert_returns(lseek(fd, 100, SEEK_SET), 100);
    assert_returns(read(fd, &c, 1), 0);
    assert_returns(lseek(fd, 0, SEEK_CUR), 100);
    must(close(fd));
}

/* covers: read */
static void leaves_the_rest_of_the_buffer_alone(void **state)
{
    (void)state;
    char text[8];
    int fd = open_with("abc", O_RDONLY);

    memset(text, '#', sizeof text);
    assert_returns(read(fd, text, sizeof text), 3);
    assert_memory_equal(text, "abc#####", 8);
    must(close(fd));
}

/* covers: read write */
static void sees_what_another_descriptor_wrote(void **state)
{
    (void)state;
    char c;
    int fd = open_with("", O_RDONLY);
    int writer = must(open("f", O_WRONLY));

    assert_returns(read(fd, &c, 1), 0);
    assert_returns(write(writer, "z", 1), 1);
    assert_returns(read(fd, &c, 1), 1);
    assert_int_equal(c, 'z');
    must(close(writer));
    must(close(fd));
}

/* covers: read */
static void hole_reads_as_zeros(void **state)
{
    (void)state;
    char text[8];
    static const char zeros[8];
    int fd = open_with("", O_RDWR);

    assert_returns(pwrite(fd, "x", 1, 100000), 1);
    assert_returns(pread(fd, text, sizeof text, 50000), sizeof text);
    assert_memory_equal(text, zeros, sizeof text);
    must(close(fd));
}

/* covers: read */
static void large_read_is_complete(void **state)
{
    (void)state;
    size_t size = 3000017;
    unsigned char *out = malloc(size), *in = malloc(size);
    int fd = open_with("", O_RDWR);

    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char)(i * 31 + i / 4096);
    assert_returns(write(fd, out, size), size);
    must(lseek(fd, 0, SEEK_SET));
    assert_returns(read(fd, in, size), size);
    assert_memory_equal(in, out, size);
    free(in);
    free(out);
    must(close(fd));
}

/* covers: read */
static void length_of_zero_reads_nothing(void **state)
{
    (void)state;
    char c = '#';
    int fd = open_with("abc", O_RDONLY);

    assert_returns(read(fd, &c, 0), 0);
    assert_int_equal(c, '#');
    assert_returns(lseek(fd, 0, SEEK_CUR), 0);
    must(close(fd));
}

/* covers: read EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    char c;

    assert_errno(read(-1, &c, 1), EBADF);
    assert_errno(read(100000, &c, 1), EBADF);
}

/* covers: read EBADF */
static void write_only_descriptor_is_refused(void **state)
{
    (void)state;
    char c;
    int fd = open_with("abc", O_WRONLY);

    assert_errno(read(fd, &c, 1), EBADF);
    must(close(fd));
}

/* covers: read EISDIR */
static void folder_is_refused(void **state)
{
    (void)state;
    char c;
    int fd = must(open(".", O_RDONLY));

    assert_errno(read(fd, &c, 1), EISDIR);
    must(close(fd));
}

/* covers: read EFAULT */
static void bad_address_faults_and_keeps_the_offset(void **state)
{
    (void)state;
    int fd = open_with("abc", O_RDONLY);

    assert_errno(syscall(SYS_read, fd, BAD_PTR, 3), EFAULT);
    assert_errno(syscall(SYS_read, fd, NULL, 3), EFAULT);
    assert_returns(lseek(fd, 0, SEEK_CUR), 0);
    must(close(fd));
}

/* covers: read EFAULT */
static void kernel_address_faults(void **state)
{
    (void)state;
    int fd = open_with("abc", O_RDONLY);

    assert_errno(syscall(SYS_read, fd, 0xffff800000000000ul, 3), EFAULT);
    must(close(fd));
}

/* covers: read EFAULT */
static void read_only_memory_faults(void **state)
{
    (void)state;
    int fd = open_with("abc", O_RDONLY);
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(page, MAP_FAILED);
    assert_errno(syscall(SYS_read, fd, page, 3), EFAULT);
    must(munmap(page, 4096));
    must(close(fd));
}

/* covers: read */
static void buffer_that_ends_early_gets_a_short_read(void **state)
{
    (void)state;
    int fd = open_with("", O_RDWR);
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char data[8192];

    assert_ptr_not_equal(page, MAP_FAILED);
    must(munmap(page + 4096, 4096));
    memset(data, 'd', sizeof data);
    assert_returns(write(fd, data, sizeof data), sizeof data);
    must(lseek(fd, 0, SEEK_SET));

    ssize_t n = must(syscall(SYS_read, fd, page, sizeof data));
    assert_in_range(n, 1, 4096);
    assert_int_equal(page[0], 'd');
    assert_returns(lseek(fd, 0, SEEK_CUR), n);
    must(munmap(page, 4096));
    must(close(fd));
}

/* covers: read */
static void buffer_that_would_reach_into_the_kernel_faults(void **state)
{
    (void)state;
    char text[8];
    int fd = open_with("abc", O_RDONLY);

    assert_errno(syscall(SYS_read, fd, text, -1ul), EFAULT);
    must(close(fd));
}

/* covers: read dup */
static void duplicate_shares_the_offset(void **state)
{
    (void)state;
    char c;
    int fd = open_with("abc", O_RDONLY);
    int copy = must(dup(fd));

    assert_returns(read(fd, &c, 1), 1);
    assert_returns(read(copy, &c, 1), 1);
    assert_int_equal(c, 'b');
    must(close(copy));
    must(close(fd));
}

/* covers: read */
static void child_shares_the_offset(void **state)
{
    (void)state;
    char c;
    int fd = open_with("abc", O_RDONLY);

    in_child(assert_returns(read(fd, &c, 1), 1));
    assert_returns(read(fd, &c, 1), 1);
    assert_int_equal(c, 'b');
    must(close(fd));
}

/* covers: read */
static void updates_the_access_time(void **state)
{
    (void)state;
    /* an access time older than the change is brought up to date also with relatime */
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    struct stat st;
    char c;
    int fd = open_with("abc", O_RDONLY);

    must(futimens(fd, times));
    assert_returns(read(fd, &c, 1), 1);
    must(fstat(fd, &st));
    if (st.st_atim.tv_sec == 1000)
        skip_because("the folder is mounted noatime");
    assert_true(st.st_atim.tv_sec > 2000);
    assert_int_equal(st.st_mtim.tv_sec, 2000);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(returns_what_is_there),
        tempdir_test(end_of_file_is_zero),
        tempdir_test(moves_the_offset_by_what_was_read),
        tempdir_test(offset_behind_the_end_reads_nothing),
        tempdir_test(leaves_the_rest_of_the_buffer_alone),
        tempdir_test(sees_what_another_descriptor_wrote),
        tempdir_test(hole_reads_as_zeros),
        tempdir_test(large_read_is_complete),
        tempdir_test(length_of_zero_reads_nothing),
        tempdir_test(bad_descriptor_is_refused),
        tempdir_test(write_only_descriptor_is_refused),
        tempdir_test(folder_is_refused),
        tempdir_test(bad_address_faults_and_keeps_the_offset),
        tempdir_test(kernel_address_faults),
        tempdir_test(read_only_memory_faults),
        tempdir_test(buffer_that_ends_early_gets_a_short_read),
        tempdir_test(buffer_that_would_reach_into_the_kernel_faults),
        tempdir_test(duplicate_shares_the_offset),
        tempdir_test(child_shares_the_offset),
        tempdir_test(updates_the_access_time),
    };

    return cmocka_run_group_tests_name("fs/read", tests, NULL, NULL);
}
