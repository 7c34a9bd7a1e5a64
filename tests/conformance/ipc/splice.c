/* splice.c: splice(2), tee(2) and vmsplice(2): moving data by way of a pipe. */
#include "../lib/check.h"

#include <sys/inotify.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

static ssize_t do_splice(int in, loff_t *in_pos, int out, loff_t *out_pos, size_t n, unsigned flags)
{
    return syscall(SYS_splice, in, in_pos, out, out_pos, n, (unsigned long)flags);
}

static void open_pipe(int fds[2])
{
    must(pipe2(fds, O_CLOEXEC));
}

static void close_pipe(int fds[2])
{
    must(close(fds[0]));
    must(close(fds[1]));
}

static int open_source(const char *text)
{
    make_file("in", text);
    return must(open("in", O_RDWR));
}

static void assert_pipe_holds(int fd, const char *text)
{
    char found[64] = "";

    assert_returns(read(fd, found, sizeof found - 1), strlen(text));
    assert_string_equal(found, text);
}

/* covers: splice */
static void file_to_pipe(void **state)
{
    (void)state;
    int in = open_source("abcdef"), fds[2];

    open_pipe(fds);
    assert_returns(do_splice(in, NULL, fds[1], NULL, 4, 0), 4);
    assert_returns(lseek(in, 0, SEEK_CUR), 4);
    assert_pipe_holds(fds[0], "abcd");
    assert_returns(do_splice(in, NULL, fds[1], NULL, 100, 0), 2);
    assert_returns(do_splice(in, NULL, fds[1], NULL, 100, 0), 0);
    close_pipe(fds);
    must(close(in));
}

/* covers: splice */
static void file_at_an_offset_to_pipe(void **state)
{
    (void)state;
    int in = open_source("abcdef"), fds[2];
    loff_t at = 2;

    open_pipe(fds);
    assert_returns(do_splice(in, &at, fds[1], NULL, 3, 0), 3);
    assert_int_equal(at, 5);
    assert_returns(lseek(in, 0, SEEK_CUR), 0);
    assert_pipe_holds(fds[0], "cde");
    close_pipe(fds);
    must(close(in));
}

/* covers: splice */
static void pipe_to_file(void **state)
{
    (void)state;
    int out = open_source("......"), fds[2];
    loff_t at = 1;

    open_pipe(fds);
    assert_returns(write(fds[1], "abc", 3), 3);
    assert_returns(do_splice(fds[0], NULL, out, &at, 100, 0), 3);
    assert_int_equal(at, 4);
    assert_file_text("in", ".abc..");
    close_pipe(fds);
    must(close(out));
}

/* covers: splice */
static void pipe_to_pipe(void **state)
{
    (void)state;
    int a[2], b[2];

    open_pipe(a);
    open_pipe(b);
    assert_returns(write(a[1], "abcdef", 6), 6);
    assert_returns(do_splice(a[0], NULL, b[1], NULL, 4, 0), 4);
    assert_pipe_holds(b[0], "abcd");
    assert_pipe_holds(a[0], "ef");
    close_pipe(a);
    close_pipe(b);
}

/* covers: splice tee */
static void count_of_zero_moves_nothing(void **state)
{
    (void)state;
    int a[2], b[2];

    open_pipe(a);
    open_pipe(b);
    assert_returns(do_splice(a[0], NULL, b[1], NULL, 0, 0), 0);
    assert_returns(tee(a[0], b[1], 0, 0), 0);
    close_pipe(a);
    close_pipe(b);
}

/* covers: splice SPLICE_F_NONBLOCK EAGAIN tee EAGAIN */
static void empty_pipe_with_nonblock_flag_would_block(void **state)
{
    (void)state;
    int a[2], b[2];

    open_pipe(a);
    open_pipe(b);
    assert_errno(do_splice(a[0], NULL, b[1], NULL, 10, SPLICE_F_NONBLOCK), EAGAIN);
    assert_errno(tee(a[0], b[1], 10, SPLICE_F_NONBLOCK), EAGAIN);
    close_pipe(a);
    close_pipe(b);
}

/* covers: splice tee */
static void empty_pipe_without_writers_is_the_end(void **state)
{
    (void)state;
    int a[2], b[2];

    open_pipe(a);
    open_pipe(b);
    must(close(a[1]));
    assert_returns(do_splice(a[0], NULL, b[1], NULL, 10, 0), 0);
    assert_returns(tee(a[0], b[1], 10, 0), 0);
    must(close(a[0]));
    close_pipe(b);
}

/* covers: splice */
static void blocks_until_data_arrives(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int a[2], b[2];

    open_pipe(a);
    open_pipe(b);
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        assert_returns(do_splice(a[0], NULL, b[1], NULL, 10, 0), 3);
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_returns(write(a[1], "abc", 3), 3);
    assert_child_ok(pid);
    assert_pipe_holds(b[0], "abc");
    close_pipe(a);
    close_pipe(b);
}

/* covers: splice EINVAL */
static void one_end_must_be_a_pipe(void **state)
{
    (void)state;
    int in = open_source("abc"), out = must(open("out", O_CREAT | O_WRONLY, 0644));

    assert_errno(do_splice(in, NULL, out, NULL, 3, 0), EINVAL);
    must(close(in));
    must(close(out));
}

/* covers: splice EINVAL tee EINVAL */
static void both_ends_of_one_pipe_are_refused(void **state)
{
    (void)state;
    int a[2];

    open_pipe(a);
    assert_returns(write(a[1], "x", 1), 1);
    assert_errno(do_splice(a[0], NULL, a[1], NULL, 1, 0), EINVAL);
    assert_errno(tee(a[0], a[1], 1, 0), EINVAL);
    close_pipe(a);
}

/* covers: splice ESPIPE */
static void pipe_takes_no_offset(void **state)
{
    (void)state;
    int in = open_source("abc"), fds[2];
    loff_t at = 0;

    open_pipe(fds);
    assert_errno(do_splice(in, NULL, fds[1], &at, 3, 0), ESPIPE);
    assert_errno(do_splice(fds[0], &at, in, NULL, 3, 0), ESPIPE);
    close_pipe(fds);
    must(close(in));
}

/* covers: splice EINVAL O_APPEND */
static void append_destination_is_refused(void **state)
{
    (void)state;
    int fds[2], out = must(open("out", O_CREAT | O_WRONLY | O_APPEND, 0644));

    open_pipe(fds);
    assert_returns(write(fds[1], "x", 1), 1);
    assert_errno(do_splice(fds[0], NULL, out, NULL, 1, 0), EINVAL);
    close_pipe(fds);
    must(close(out));
}

/* covers: splice EBADF tee EBADF */
static void bad_descriptors_are_refused(void **state)
{
    (void)state;
    int in = open_source("abc"), fds[2];

    open_pipe(fds);
    assert_errno(do_splice(-1, NULL, fds[1], NULL, 3, 0), EBADF);
    assert_errno(do_splice(in, NULL, -1, NULL, 3, 0), EBADF);
    assert_errno(do_splice(in, NULL, fds[0], NULL, 3, 0), EBADF);
    assert_errno(tee(-1, fds[1], 3, 0), EBADF);
    assert_errno(tee(fds[0], -1, 3, 0), EBADF);
    close_pipe(fds);
    must(close(in));
}

/* covers: splice EINVAL tee EINVAL vmsplice EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    struct iovec iov = {"x", 1};
    int a[2], b[2];

    open_pipe(a);
    open_pipe(b);
    assert_errno(do_splice(a[0], NULL, b[1], NULL, 1, 0x100), EINVAL);
    assert_errno(tee(a[0], b[1], 1, 0x100), EINVAL);
    assert_errno(vmsplice(a[1], &iov, 1, 0x100), EINVAL);
    close_pipe(a);
    close_pipe(b);
}

/* covers: splice EPIPE */
static void write_without_readers_fails(void **state)
{
    (void)state;
    int a[2], b[2];

    open_pipe(a);
    open_pipe(b);
    must(close(b[0]));
    signal(SIGPIPE, SIG_IGN);
    assert_returns(write(a[1], "x", 1), 1);
    assert_errno(do_splice(a[0], NULL, b[1], NULL, 1, 0), EPIPE);
    default_signal(SIGPIPE);
    close_pipe(a);
    must(close(b[1]));
}

/* covers: tee */
static void tee_copies_without_consuming(void **state)
{
    (void)state;
    int a[2], b[2];

    open_pipe(a);
    open_pipe(b);
    assert_returns(write(a[1], "abcdef", 6), 6);
    assert_returns(tee(a[0], b[1], 100, 0), 6);
    assert_pipe_holds(b[0], "abcdef");
    assert_returns(tee(a[0], b[1], 2, 0), 2);
    assert_pipe_holds(b[0], "ab");
    assert_pipe_holds(a[0], "abcdef");
    close_pipe(a);
    close_pipe(b);
}

/* covers: tee EINVAL */
static void tee_wants_two_pipes(void **state)
{
    (void)state;
    int in = open_source("abc"), fds[2];

    open_pipe(fds);
    assert_errno(tee(in, fds[1], 3, 0), EINVAL);
    assert_errno(tee(fds[0], in, 3, 0), EINVAL);
    close_pipe(fds);
    must(close(in));
}

/* covers: vmsplice */
static void vmsplice_puts_memory_into_the_pipe(void **state)
{
    (void)state;
    struct iovec iov[2] = {{"abc", 3}, {"de", 2}};
    int fds[2];

    open_pipe(fds);
    assert_returns(vmsplice(fds[1], iov, 2, 0), 5);
    assert_pipe_holds(fds[0], "abcde");
    close_pipe(fds);
}

/* covers: vmsplice */
static void vmsplice_takes_data_out_at_the_read_end(void **state)
{
    (void)state;
    char text[8] = "";
    struct iovec iov = {text, sizeof text};
    int fds[2];

    open_pipe(fds);
    assert_returns(write(fds[1], "abc", 3), 3);
    assert_returns(vmsplice(fds[0], &iov, 1, 0), 3);
    assert_string_equal(text, "abc");
    close_pipe(fds);
}

/* covers: vmsplice EBADF */
static void vmsplice_wants_a_pipe(void **state)
{
    (void)state;
    struct iovec iov = {"abc", 3};
    int fd = open_source("abc");

    assert_errno(vmsplice(fd, &iov, 1, 0), EBADF);
    assert_errno(vmsplice(-1, &iov, 1, 0), EBADF);
    must(close(fd));
}

/* covers: vmsplice EFAULT */
static void vmsplice_of_bad_memory_faults(void **state)
{
    (void)state;
    struct iovec iov = {BAD_PTR, 3};
    int fds[2];

    open_pipe(fds);
    assert_errno(vmsplice(fds[1], &iov, 1, 0), EFAULT);
    assert_errno(vmsplice(fds[1], BAD_PTR, 1, 0), EFAULT);
    close_pipe(fds);
}

/* covers: vmsplice SPLICE_F_NONBLOCK EAGAIN */
static void full_pipe_with_nonblock_flag_would_block(void **state)
{
    (void)state;
    static char data[65536];
    struct iovec iov = {data, sizeof data};
    int fds[2];

    open_pipe(fds);
    while (vmsplice(fds[1], &iov, 1, SPLICE_F_NONBLOCK) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
    close_pipe(fds);
}

/* covers: splice EINVAL */
static void counters_queues_and_folders_are_no_streams(void **state)
{
    (void)state;
    int fds[2], event = must(eventfd(1, EFD_NONBLOCK)), dir = must(open(".", O_RDONLY));
    int queue = must(inotify_init1(IN_NONBLOCK));

    open_pipe(fds);
    assert_errno(do_splice(event, NULL, fds[1], NULL, 8, 0), EINVAL);
    assert_errno(do_splice(queue, NULL, fds[1], NULL, 8, 0), EINVAL);
    assert_errno(do_splice(dir, NULL, fds[1], NULL, 8, 0), EINVAL);
    assert_returns(write(fds[1], "12345678", 8), 8);
    assert_errno(do_splice(fds[0], NULL, event, NULL, 8, 0), EINVAL);
    close_pipe(fds);
    must(close(event));
    must(close(queue));
    must(close(dir));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(file_to_pipe),
        tempdir_test(file_at_an_offset_to_pipe),
        tempdir_test(pipe_to_file),
        cmocka_unit_test(pipe_to_pipe),
        cmocka_unit_test(count_of_zero_moves_nothing),
        cmocka_unit_test(empty_pipe_with_nonblock_flag_would_block),
        cmocka_unit_test(empty_pipe_without_writers_is_the_end),
        cmocka_unit_test(blocks_until_data_arrives),
        tempdir_test(one_end_must_be_a_pipe),
        cmocka_unit_test(both_ends_of_one_pipe_are_refused),
        tempdir_test(pipe_takes_no_offset),
        tempdir_test(append_destination_is_refused),
        tempdir_test(bad_descriptors_are_refused),
        cmocka_unit_test(unknown_flag_is_refused),
        cmocka_unit_test(write_without_readers_fails),
        cmocka_unit_test(tee_copies_without_consuming),
        tempdir_test(tee_wants_two_pipes),
        cmocka_unit_test(vmsplice_puts_memory_into_the_pipe),
        cmocka_unit_test(vmsplice_takes_data_out_at_the_read_end),
        tempdir_test(vmsplice_wants_a_pipe),
        cmocka_unit_test(vmsplice_of_bad_memory_faults),
        cmocka_unit_test(full_pipe_with_nonblock_flag_would_block),
        cmocka_unit_test(counters_queues_and_folders_are_no_streams),
    };

    return cmocka_run_group_tests_name("ipc/splice", tests, NULL, NULL);
}
