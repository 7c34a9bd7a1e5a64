/* close.c: close(2): what ends with a descriptor, and what does not. */
#include "../lib/check.h"

/* covers: close EBADF */
static void descriptor_is_gone_afterwards(void **state)
{
    (void)state;
    char c;

    make_file("f", "x");
    int fd = must(open("f", O_RDONLY));
    must(close(fd));
    assert_errno(read(fd, &c, 1), EBADF);
    assert_errno(close(fd), EBADF);
    assert_errno(fcntl(fd, F_GETFD), EBADF);
}

/* covers: close EBADF */
static void descriptor_that_never_was_is_refused(void **state)
{
    (void)state;
    assert_errno(close(-1), EBADF);
    assert_errno(close(100000), EBADF);
    assert_errno(syscall(SYS_close, 0x7fffffff), EBADF);
}

/* covers: close EBADF */
static void upper_half_of_the_register_is_ignored(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    must(syscall(SYS_close, 0x100000000ul | (unsigned)fd));
    assert_errno(close(fd), EBADF);
}

/* covers: close */
static void number_is_given_out_again(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    must(close(fd));
    assert_returns(open("f", O_RDONLY), fd);
    must(close(fd));
}

/* covers: close dup */
static void duplicate_keeps_the_description_open(void **state)
{
    (void)state;
    char c;

    make_file("f", "xy");
    int fd = must(open("f", O_RDONLY));
    int copy = must(dup(fd));
    assert_returns(read(fd, &c, 1), 1);
    must(close(fd));
    assert_returns(read(copy, &c, 1), 1);
    assert_int_equal(c, 'y');
    must(close(copy));
}

/* covers: close */
static void child_keeps_its_own_descriptor(void **state)
{
    (void)state;
    int fds[2];
    char c;

    must(pipe(fds));
    pid_t pid = child_fork();
    if (pid == 0) {
        must(close(fds[0]));
        must(close(fds[1]));
        _exit(0);
    }
    assert_child_ok(pid);
    assert_returns(write(fds[1], "x", 1), 1);
    assert_returns(read(fds[0], &c, 1), 1);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: close unlink */
static void unlinked_file_lives_until_its_last_close(void **state)
{
    (void)state;
    char text[8];

    make_file("f", "still");
    int fd = must(open("f", O_RDWR));
    must(unlink("f"));
    assert_returns(read(fd, text, sizeof text), 5);
    assert_returns(pwrite(fd, "S", 1, 0), 1);
    struct stat st;
    must(fstat(fd, &st));
    assert_int_equal(st.st_nlink, 0);
    must(close(fd));
}

/* covers: close mmap */
static void mapping_outlives_the_descriptor(void **state)
{
    (void)state;
    make_file("f", "mapped");
    int fd = must(open("f", O_RDONLY));
    char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    must(close(fd));
    assert_memory_equal(map, "mapped", 6);
    must(munmap(map, 4096));
}

/* covers: close read */
static void reader_of_a_pipe_sees_the_end_after_the_last_close(void **state)
{
    (void)state;
    int fds[2];
    char c;

    must(pipe2(fds, O_NONBLOCK));
    int copy = must(dup(fds[1]));
    must(close(fds[1]));
    assert_errno(read(fds[0], &c, 1), EAGAIN);
    must(close(copy));
    assert_returns(read(fds[0], &c, 1), 0);
    must(close(fds[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(descriptor_is_gone_afterwards),
        cmocka_unit_test(descriptor_that_never_was_is_refused),
        tempdir_test(upper_half_of_the_register_is_ignored),
        tempdir_test(number_is_given_out_again),
        tempdir_test(duplicate_keeps_the_description_open),
        tempdir_test(child_keeps_its_own_descriptor),
        tempdir_test(unlinked_file_lives_until_its_last_close),
        tempdir_test(mapping_outlives_the_descriptor),
        cmocka_unit_test(reader_of_a_pipe_sees_the_end_after_the_last_close),
    };

    return cmocka_run_group_tests_name("fs/close", tests, NULL, NULL);
}
