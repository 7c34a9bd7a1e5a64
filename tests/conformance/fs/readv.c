/* readv.c: readv(2) and its kin: one transfer, several buffers. */
#include "../lib/check.h"

#include <sys/socket.h>
#include <sys/eventfd.h>
#include <limits.h>
#include <sys/uio.h>

static int open_with(const char *text, int flags)
{
    make_file("f", text);
    return must(open("f", flags));
}

#define IOV(p, n) ((struct iovec){.iov_base = (void *)(p), .iov_len = (n)})

/* covers: readv */
static void readv_fills_buffers_in_order(void **state)
{
    (void)state;
    char a[3] = "", b[8] = "";
    int fd = open_with("abcdef", O_RDONLY);
    struct iovec iov[] = {IOV(a, 2), IOV(NULL, 0), IOV(b, sizeof b)};

    assert_returns(readv(fd, iov, 3), 6);
    assert_string_equal(a, "ab");
    assert_string_equal(b, "cdef");
    assert_returns(lseek(fd, 0, SEEK_CUR), 6);
    must(close(fd));
}

/* covers: writev */
static void writev_gathers_buffers_in_order(void **state)
{
    (void)state;
    int fd = open_with("", O_WRONLY);
    struct iovec iov[] = {IOV("ab", 2), IOV("", 0), IOV("cde", 3)};

    assert_returns(writev(fd, iov, 3), 5);
    assert_returns(lseek(fd, 0, SEEK_CUR), 5);
    must(close(fd));
    assert_file_text("f", "abcde");
}

/* covers: readv writev */
static void no_buffers_transfer_nothing(void **state)
{
    (void)state;
    int fd = open_with("abc", O_RDWR);

    assert_returns(readv(fd, NULL, 0), 0);
    assert_returns(writev(fd, NULL, 0), 0);
    must(close(fd));
}

/* covers: readv EINVAL writev EINVAL */
static void count_has_limits(void **state)
{
    (void)state;
    static struct iovec iov[IOV_MAX + 1];
    int fd = open_with("abc", O_RDWR);

    assert_errno(syscall(SYS_readv, fd, iov, -1), EINVAL);
    assert_errno(syscall(SYS_writev, fd, iov, -1), EINVAL);
    assert_errno(readv(fd, iov, IOV_MAX + 1), EINVAL);
    assert_errno(writev(fd, iov, IOV_MAX + 1), EINVAL);
    assert_returns(readv(fd, iov, IOV_MAX), 0);
    must(close(fd));
}

/* covers: readv EINVAL writev EINVAL */
static void lengths_must_not_be_negative(void **state)
{
    (void)state;
    char c;
    int fd = open_with("abc", O_RDWR);
    struct iovec iov[] = {IOV(&c, 1), IOV(&c, (size_t)-1)};

    assert_errno(readv(fd, iov, 2), EINVAL);
    assert_errno(writev(fd, iov, 2), EINVAL);
    assert_returns(lseek(fd, 0, SEEK_CUR), 0);
    must(close(fd));
}

/* covers: readv EFAULT writev EFAULT */
static void bad_vector_address_faults(void **state)
{
    (void)state;
    int fd = open_with("abc", O_RDWR);

    assert_errno(syscall(SYS_readv, fd, BAD_PTR, 1), EFAULT);
    assert_errno(syscall(SYS_writev, fd, BAD_PTR, 1), EFAULT);
    must(close(fd));
}

/* covers: readv EFAULT writev EFAULT */
static void bad_buffer_address_faults(void **state)
{
    (void)state;
    int fd = open_with("abc", O_RDWR);
    struct iovec iov[] = {IOV(BAD_PTR, 1)};

    assert_errno(syscall(SYS_readv, fd, iov, 1), EFAULT);
    assert_errno(syscall(SYS_writev, fd, iov, 1), EFAULT);
    must(close(fd));
}

/* covers: readv EBADF writev EBADF preadv EBADF pwritev EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    char c;
    struct iovec iov[] = {IOV(&c, 1)};

    assert_errno(readv(-1, iov, 1), EBADF);
    assert_errno(writev(-1, iov, 1), EBADF);
    assert_errno(preadv(-1, iov, 1, 0), EBADF);
    assert_errno(pwritev(-1, iov, 1, 0), EBADF);
}

/* covers: readv EBADF writev EBADF */
static void access_mode_is_respected(void **state)
{
    (void)state;
    char c = 'x';
    struct iovec iov[] = {IOV(&c, 1)};
    int r = open_with("abc", O_RDONLY), w = must(open("f", O_WRONLY));

    assert_errno(writev(r, iov, 1), EBADF);
    assert_errno(readv(w, iov, 1), EBADF);
    must(close(r));
    must(close(w));
}

/* covers: preadv pwritev */
static void preadv_and_pwritev_leave_the_offset(void **state)
{
    (void)state;
    char a[3] = "", b[3] = "";
    int fd = open_with("abcdef", O_RDWR);
    struct iovec out[] = {IOV("XY", 2), IOV("Z", 1)};
    struct iovec in[] = {IOV(a, 2), IOV(b, 2)};

    assert_returns(pwritev(fd, out, 2, 1), 3);
    assert_returns(preadv(fd, in, 2, 0), 4);
    assert_string_equal(a, "aX");
    assert_string_equal(b, "YZ");
    assert_returns(lseek(fd, 0, SEEK_CUR), 0);
    must(close(fd));
}

/* covers: preadv EINVAL pwritev EINVAL */
static void negative_offset_is_refused(void **state)
{
    (void)state;
    char c = 'x';
    struct iovec iov[] = {IOV(&c, 1)};
    int fd = open_with("abc", O_RDWR);

    assert_errno(preadv(fd, iov, 1, -1), EINVAL);
    assert_errno(pwritev(fd, iov, 1, -1), EINVAL);
    must(close(fd));
}

/* covers: preadv ESPIPE pwritev ESPIPE */
static void pipe_has_no_offset(void **state)
{
    (void)state;
    char c = 'x';
    struct iovec iov[] = {IOV(&c, 1)};
    int fds[2];

    must(pipe(fds));
    assert_errno(preadv(fds[0], iov, 1, 0), ESPIPE);
    assert_errno(pwritev(fds[1], iov, 1, 0), ESPIPE);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: preadv2 pwritev2 */
static void v2_calls_with_offset_minus_one_use_the_file_offset(void **state)
{
    (void)state;
    char c;
    struct iovec in[] = {IOV(&c, 1)}, out[] = {IOV("Q", 1)};
    int fd = open_with("abc", O_RDWR);

    assert_returns(preadv2(fd, in, 1, -1, 0), 1);
    assert_int_equal(c, 'a');
    assert_returns(pwritev2(fd, out, 1, -1, 0), 1);
    assert_returns(lseek(fd, 0, SEEK_CUR), 2);
    must(close(fd));
    assert_file_text("f", "aQc");
}

/* covers: preadv2 pwritev2 */
static void v2_calls_with_offset_leave_the_file_offset(void **state)
{
    (void)state;
    char c;
    struct iovec in[] = {IOV(&c, 1)}, out[] = {IOV("Q", 1)};
    int fd = open_with("abc", O_RDWR);

    assert_returns(preadv2(fd, in, 1, 2, 0), 1);
    assert_int_equal(c, 'c');
    assert_returns(pwritev2(fd, out, 1, 1, 0), 1);
    assert_returns(lseek(fd, 0, SEEK_CUR), 0);
    must(close(fd));
    assert_file_text("f", "aQc");
}

/* covers: preadv2 EOPNOTSUPP pwritev2 EOPNOTSUPP */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    char c = 'x';
    struct iovec iov[] = {IOV(&c, 1)};
    int fd = open_with("abc", O_RDWR);

    assert_errno(preadv2(fd, iov, 1, 0, 1 << 30), EOPNOTSUPP);
    assert_errno(pwritev2(fd, iov, 1, 0, 1 << 30), EOPNOTSUPP);
    must(close(fd));
}

/* covers: pwritev2 RWF_APPEND */
static void append_flag_of_one_call_writes_at_the_end(void **state)
{
    (void)state;
    struct iovec out[] = {IOV("Q", 1)};
    int fd = open_with("abc", O_WRONLY);

    assert_returns(pwritev2(fd, out, 1, 0, RWF_APPEND), 1);
    must(close(fd));
    assert_file_text("f", "abcQ");
}

/* covers: pwritev2 RWF_SYNC RWF_DSYNC */
static void sync_flags_write_like_others(void **state)
{
    (void)state;
    struct iovec out[] = {IOV("Q", 1)};
    int fd = open_with("abc", O_WRONLY);

    assert_returns(pwritev2(fd, out, 1, 0, RWF_SYNC), 1);
    assert_returns(pwritev2(fd, out, 1, 1, RWF_DSYNC), 1);
    must(close(fd));
    assert_file_text("f", "QQc");
}

/* covers: preadv2 RWF_NOWAIT */
static void nowait_reads_what_is_cached(void **state)
{
    (void)state;
    char text[4];
    struct iovec in[] = {IOV(text, 3)};
    int fd = open_with("abc", O_RDONLY);

    assert_returns(pread(fd, text, 3, 0), 3); /* brings it into the cache */
    ssize_t n = preadv2(fd, in, 1, 0, RWF_NOWAIT);
    if (n == -1 && errno == EOPNOTSUPP)
        skip_because("the file system has no RWF_NOWAIT");
    assert_int_equal(n, 3);
    must(close(fd));
}

/* covers: writev readv */
static void writev_to_a_pipe_is_one_message(void **state)
{
    (void)state;
    char a[2], b[8] = "";
    int fds[2];
    struct iovec out[] = {IOV("ab", 2), IOV("cd", 2)}, in[] = {IOV(a, 1), IOV(b, sizeof b)};

    must(pipe(fds));
    assert_returns(writev(fds[1], out, 2), 4);
    assert_returns(readv(fds[0], in, 2), 4);
    assert_int_equal(a[0], 'a');
    assert_string_equal(b, "bcd");
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: preadv2 EINVAL pwritev2 EINVAL */
static void offset_below_minus_one_is_refused(void **state)
{
    (void)state;
    char c = 'x';
    struct iovec iov[] = {IOV(&c, 1)};
    int fd = open_with("abc", O_RDWR);

    assert_errno(preadv2(fd, iov, 1, -2, 0), EINVAL);
    assert_errno(pwritev2(fd, iov, 1, -2, 0), EINVAL);
    must(close(fd));
}

/* covers: preadv2 EBADF EFAULT pwritev2 EBADF EFAULT */
static void v2_calls_check_descriptors_and_addresses(void **state)
{
    (void)state;
    char c = 'x';
    struct iovec iov[] = {IOV(&c, 1)}, bad[] = {IOV(BAD_PTR, 1)};
    int fd = open_with("abc", O_RDWR);

    assert_errno(preadv2(-1, iov, 1, 0, 0), EBADF);
    assert_errno(pwritev2(-1, iov, 1, 0, 0), EBADF);
    assert_errno(preadv2(fd, bad, 1, 0, 0), EFAULT);
    assert_errno(pwritev2(fd, bad, 1, 0, 0), EFAULT);
    must(close(fd));
}

/* covers: preadv2 RWF_NOWAIT EAGAIN pwritev2 RWF_NOWAIT EAGAIN */
static void nowait_does_not_wait_on_streams(void **state)
{
    (void)state;
    static char data[65536];
    char text[4];
    uint64_t count;
    struct iovec in[] = {IOV(text, 3)}, out[] = {IOV("abc", 3)}, all[] = {IOV(data, sizeof data)};
    struct iovec number[] = {IOV(&count, sizeof count)};
    int fds[2], sockets[2], event = must(eventfd(0, 0));

    must(pipe(fds));
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    assert_errno(preadv2(fds[0], in, 1, -1, RWF_NOWAIT), EAGAIN);
    assert_errno(preadv2(sockets[0], in, 1, -1, RWF_NOWAIT), EAGAIN);
    assert_errno(preadv2(event, number, 1, -1, RWF_NOWAIT), EAGAIN);
    assert_returns(pwritev2(fds[1], out, 1, -1, RWF_NOWAIT), 3);
    assert_returns(preadv2(fds[0], in, 1, -1, RWF_NOWAIT), 3);
    assert_memory_equal(text, "abc", 3);
    must(fcntl(fds[1], F_SETPIPE_SZ, sizeof data));
    assert_returns(pwritev2(fds[1], all, 1, -1, RWF_NOWAIT), sizeof data);
    assert_errno(pwritev2(fds[1], out, 1, -1, RWF_NOWAIT), EAGAIN);
    assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
    for (int i = 0; i < 2; i++) {
        must(close(fds[i]));
        must(close(sockets[i]));
    }
    must(close(event));
}

/* covers: readv writev */
static void count_of_buffers_is_a_word(void **state)
{
    (void)state;
    char text[4] = "";
    struct iovec in[] = {IOV(text, 3)};
    int fd = open_with("abc", O_RDONLY);

    assert_returns(syscall(SYS_readv, fd, in, (1ul << 32) + 1), 3);
    assert_memory_equal(text, "abc", 3);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(readv_fills_buffers_in_order),
        tempdir_test(writev_gathers_buffers_in_order),
        tempdir_test(no_buffers_transfer_nothing),
        tempdir_test(count_has_limits),
        tempdir_test(lengths_must_not_be_negative),
        tempdir_test(bad_vector_address_faults),
        tempdir_test(bad_buffer_address_faults),
        cmocka_unit_test(bad_descriptor_is_refused),
        tempdir_test(access_mode_is_respected),
        tempdir_test(preadv_and_pwritev_leave_the_offset),
        tempdir_test(negative_offset_is_refused),
        cmocka_unit_test(pipe_has_no_offset),
        tempdir_test(v2_calls_with_offset_minus_one_use_the_file_offset),
        tempdir_test(v2_calls_with_offset_leave_the_file_offset),
        tempdir_test(unknown_flag_is_refused),
        tempdir_test(append_flag_of_one_call_writes_at_the_end),
        tempdir_test(sync_flags_write_like_others),
        tempdir_test(nowait_reads_what_is_cached),
        cmocka_unit_test(writev_to_a_pipe_is_one_message),
        tempdir_test(offset_below_minus_one_is_refused),
        tempdir_test(v2_calls_check_descriptors_and_addresses),
        cmocka_unit_test(nowait_does_not_wait_on_streams),
        tempdir_test(count_of_buffers_is_a_word),
    };

    return cmocka_run_group_tests_name("fs/readv", tests, NULL, NULL);
}
