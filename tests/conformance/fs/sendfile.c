/* sendfile.c: sendfile(2). */
#include "../lib/check.h"

#include <sys/eventfd.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

static int open_new(const char *path)
{
    return must(open(path, O_CREAT | O_TRUNC | O_RDWR, 0644));
}

static int open_source(const char *text)
{
    make_file("in", text);
    return must(open("in", O_RDONLY));
}

/* covers: sendfile */
static void copies_between_files_and_moves_both_offsets(void **state)
{
    (void)state;
    int in = open_source("abcdef"), out = open_new("out");

    assert_returns(sendfile(out, in, NULL, 4), 4);
    assert_returns(lseek(in, 0, SEEK_CUR), 4);
    assert_returns(lseek(out, 0, SEEK_CUR), 4);
    assert_returns(sendfile(out, in, NULL, 100), 2);
    assert_returns(sendfile(out, in, NULL, 100), 0);
    assert_file_text("out", "abcdef");
    must(close(in));
    must(close(out));
}

/* covers: sendfile */
static void offset_argument_is_used_and_updated(void **state)
{
    (void)state;
    int in = open_source("abcdef"), out = open_new("out");
    off_t offset = 2;

    assert_returns(sendfile(out, in, &offset, 3), 3);
    assert_int_equal(offset, 5);
    assert_returns(lseek(in, 0, SEEK_CUR), 0);
    assert_file_text("out", "cde");
    must(close(in));
    must(close(out));
}

/* covers: sendfile */
static void pipe_is_a_destination(void **state)
{
    (void)state;
    int in = open_source("abcdef"), fds[2];
    char text[8] = "";

    must(pipe(fds));
    assert_returns(sendfile(fds[1], in, NULL, 100), 6);
    assert_returns(read(fds[0], text, sizeof text), 6);
    assert_string_equal(text, "abcdef");
    must(close(fds[0]));
    must(close(fds[1]));
    must(close(in));
}

/* covers: sendfile */
static void socket_is_a_destination(void **state)
{
    (void)state;
    int in = open_source("abcdef"), fds[2];
    char text[8] = "";

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    assert_returns(sendfile(fds[1], in, NULL, 100), 6);
    assert_returns(recv(fds[0], text, sizeof text, MSG_WAITALL | MSG_DONTWAIT), 6);
    assert_string_equal(text, "abcdef");
    must(close(fds[0]));
    must(close(fds[1]));
    must(close(in));
}

/* covers: sendfile */
static void large_copy_is_complete(void **state)
{
    (void)state;
    size_t size = 1500003;
    unsigned char *data = malloc(size), *copy = malloc(size);
    int in = open_new("in"), out = open_new("out");
    off_t offset = 0;

    for (size_t i = 0; i < size; i++)
        data[i] = (unsigned char)(i * 13 + i / 777);
    assert_returns(write(in, data, size), size);
    while (offset < (off_t)size)
        assert_true(must(sendfile(out, in, &offset, size)) > 0);
    assert_returns(pread(out, copy, size, 0), size);
    assert_memory_equal(copy, data, size);
    free(data);
    free(copy);
    must(close(in));
    must(close(out));
}

/* covers: sendfile */
static void count_of_zero_copies_nothing(void **state)
{
    (void)state;
    int in = open_source("abc"), out = open_new("out");

    assert_returns(sendfile(out, in, NULL, 0), 0);
    assert_file_text("out", "");
    must(close(in));
    must(close(out));
}

/* covers: sendfile EBADF */
static void access_modes_are_respected(void **state)
{
    (void)state;
    int in = open_source("abc"), out = open_new("out");
    int write_only = must(open("in", O_WRONLY));

    assert_errno(sendfile(out, write_only, NULL, 1), EBADF);
    assert_errno(sendfile(in, out, NULL, 1), EBADF);
    assert_errno(sendfile(-1, in, NULL, 1), EBADF);
    assert_errno(sendfile(out, -1, NULL, 1), EBADF);
    must(close(write_only));
    must(close(in));
    must(close(out));
}

/* covers: sendfile EINVAL O_APPEND */
static void append_destination_is_refused(void **state)
{
    (void)state;
    int in = open_source("abc");
    int out = must(open("out", O_CREAT | O_WRONLY | O_APPEND, 0644));

    assert_errno(sendfile(out, in, NULL, 3), EINVAL);
    must(close(in));
    must(close(out));
}

/* covers: sendfile ESPIPE */
static void pipe_source_takes_no_offset(void **state)
{
    (void)state;
    int out = open_new("out"), fds[2];
    off_t offset = 0;

    must(pipe(fds));
    assert_returns(write(fds[1], "abc", 3), 3);
    assert_errno(sendfile(out, fds[0], &offset, 3), ESPIPE);
    must(close(fds[0]));
    must(close(fds[1]));
    must(close(out));
}

/* covers: sendfile EINVAL */
static void negative_offset_is_refused(void **state)
{
    (void)state;
    int in = open_source("abc"), out = open_new("out");
    off_t offset = -1;

    assert_errno(sendfile(out, in, &offset, 3), EINVAL);
    must(close(in));
    must(close(out));
}

/* covers: sendfile EFAULT */
static void bad_offset_address_faults(void **state)
{
    (void)state;
    int in = open_source("abc"), out = open_new("out");

    assert_errno(syscall(SYS_sendfile, out, in, BAD_PTR, 3), EFAULT);
    must(close(in));
    must(close(out));
}

/* covers: sendfile EAGAIN */
static void full_nonblocking_pipe_would_block(void **state)
{
    (void)state;
    int in = open_source("abc"), fds[2];
    static const char zeros[4096];
    off_t offset = 0;

    must(pipe2(fds, O_NONBLOCK));
    while (write(fds[1], zeros, sizeof zeros) > 0)
        continue;
    assert_errno(sendfile(fds[1], in, &offset, 3), EAGAIN);
    assert_int_equal(offset, 0);
    must(close(fds[0]));
    must(close(fds[1]));
    must(close(in));
}

/* covers: sendfile EINVAL */
static void counters_take_no_bytes_and_devices_give_some(void **state)
{
    (void)state;
    int in = open_source("abcdefgh"), out = open_new("out"), event = must(eventfd(0, EFD_NONBLOCK));
    int zero = must(open("/dev/zero", O_RDONLY));

    assert_errno(sendfile(event, in, NULL, 8), EINVAL);
    assert_errno(sendfile(out, event, NULL, 8), EINVAL);
    assert_returns(sendfile(out, zero, NULL, 5), 5);
    must(close(in));
    must(close(out));
    must(close(event));
    must(close(zero));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(copies_between_files_and_moves_both_offsets),
        tempdir_test(offset_argument_is_used_and_updated),
        tempdir_test(pipe_is_a_destination),
        tempdir_test(socket_is_a_destination),
        tempdir_test(large_copy_is_complete),
        tempdir_test(count_of_zero_copies_nothing),
        tempdir_test(access_modes_are_respected),
        tempdir_test(append_destination_is_refused),
        tempdir_test(pipe_source_takes_no_offset),
        tempdir_test(negative_offset_is_refused),
        tempdir_test(bad_offset_address_faults),
        tempdir_test(full_nonblocking_pipe_would_block),
        tempdir_test(counters_take_no_bytes_and_devices_give_some),
    };

    return cmocka_run_group_tests_name("fs/sendfile", tests, NULL, NULL);
}
