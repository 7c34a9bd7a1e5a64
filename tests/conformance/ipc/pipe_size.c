/* pipe_size.c: the capacity of pipes, what is in them, and packet mode; pipe(7), fcntl(2). */
#include "../lib/check.h"

#include <sys/ioctl.h>

enum { PAGE = 4096, DEFAULT_SIZE = 65536 };

static void open_pipe(int fds[2], int flags)
{
    must(syscall(SYS_pipe2, fds, flags));
}

static void close_pipe(int fds[2])
{
    must(close(fds[0]));
    must(close(fds[1]));
}

/* Fills a nonblocking pipe; returns how much went in. */
static size_t fill(int fd)
{
    static const char zeros[PAGE];
    size_t total = 0;
    ssize_t n;

    while ((n = write(fd, zeros, sizeof zeros)) > 0)
        total += (size_t)n;
    assert_int_equal(errno, EAGAIN);
    return total;
}

/* covers: write pipe2 */
static void capacity_is_16_pages(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds, O_NONBLOCK);
    int size = must(fcntl(fds[1], F_GETPIPE_SZ));
    if (size != DEFAULT_SIZE)
        skip_because("this user has used up its share of pipe memory");
    assert_int_equal(fill(fds[1]), DEFAULT_SIZE);
    close_pipe(fds);
}

/* covers: pipe2 O_DIRECT read */
static void packet_mode_keeps_the_borders_of_writes(void **state)
{
    (void)state;
    int fds[2];
    char text[8];

    open_pipe(fds, O_DIRECT);
    assert_returns(write(fds[1], "abc", 3), 3);
    assert_returns(write(fds[1], "de", 2), 2);
    assert_returns(read(fds[0], text, sizeof text), 3);
    assert_returns(read(fds[0], text, 1), 1); /* the rest of the packet is lost */
    assert_returns(write(fds[1], "f", 1), 1);
    assert_returns(read(fds[0], text, sizeof text), 1);
    assert_int_equal(text[0], 'f');
    close_pipe(fds);
}

/* covers: fcntl F_SETPIPE_SZ F_GETPIPE_SZ */
static void size_is_rounded_up_to_pages(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds, O_NONBLOCK);
    assert_returns(fcntl(fds[1], F_SETPIPE_SZ, 1), PAGE);
    assert_returns(fcntl(fds[0], F_GETPIPE_SZ), PAGE);
    assert_int_equal(fill(fds[1]), PAGE);
    assert_returns(fcntl(fds[0], F_SETPIPE_SZ, 2 * PAGE + 1), 4 * PAGE); /* a power of two */
    assert_int_equal(fill(fds[1]), 3 * PAGE);
    close_pipe(fds);
}

/* covers: fcntl F_SETPIPE_SZ EBUSY */
static void size_below_the_content_is_refused(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds, O_NONBLOCK);
    must(fcntl(fds[1], F_SETPIPE_SZ, 4 * PAGE));
    fill(fds[1]);
    assert_errno(fcntl(fds[1], F_SETPIPE_SZ, PAGE), EBUSY);
    close_pipe(fds);
}

/* covers: fcntl F_SETPIPE_SZ EPERM EINVAL */
static void size_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds, 0);
    if (!has_capability(CAP_SYS_RESOURCE))
        assert_errno(fcntl(fds[1], F_SETPIPE_SZ, 1 << 30), EPERM);
    assert_errno(fcntl(fds[1], F_SETPIPE_SZ, 0x80000001u), EINVAL);
    close_pipe(fds);
}

/* covers: fcntl F_SETPIPE_SZ EBADF F_GETPIPE_SZ EBADF */
static void size_of_other_files_is_refused(void **state)
{
    (void)state;
    int fd = must(open("/dev/null", O_RDWR));

    assert_errno(fcntl(fd, F_GETPIPE_SZ), EBADF);
    assert_errno(fcntl(fd, F_SETPIPE_SZ, PAGE), EBADF);
    must(close(fd));
}

/* covers: ioctl FIONREAD */
static void fionread_counts_the_bytes(void **state)
{
    (void)state;
    int fds[2], n = -1;
    char c;

    open_pipe(fds, 0);
    must(ioctl(fds[0], FIONREAD, &n));
    assert_int_equal(n, 0);
    assert_returns(write(fds[1], "abc", 3), 3);
    assert_returns(read(fds[0], &c, 1), 1);
    must(ioctl(fds[0], FIONREAD, &n));
    assert_int_equal(n, 2);
    must(ioctl(fds[1], FIONREAD, &n));
    assert_int_equal(n, 2);
    assert_errno(ioctl(fds[0], FIONREAD, BAD_PTR), EFAULT);
    close_pipe(fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_16_pages),
        cmocka_unit_test(packet_mode_keeps_the_borders_of_writes),
        cmocka_unit_test(size_is_rounded_up_to_pages),
        cmocka_unit_test(size_below_the_content_is_refused),
        cmocka_unit_test(size_beyond_the_limit_is_refused),
        cmocka_unit_test(size_of_other_files_is_refused),
        cmocka_unit_test(fionread_counts_the_bytes),
    };

    return cmocka_run_group_tests_name("ipc/pipe_size", tests, NULL, NULL);
}
