/* pipe.c: pipe(2), pipe2(2) and pipe(7). */
/* tags: trap */
#include "../lib/check.h"

#include <linux/limits.h>
#include <poll.h>

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

static short ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    must(poll(&p, 1, 0));
    return p.revents;
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

/* covers: pipe */
static void bytes_come_out_in_order(void **state)
{
    (void)state;
    int fds[2];
    char text[8] = "";

    must(syscall(SYS_pipe, fds));
    assert_returns(write(fds[1], "abc", 3), 3);
    assert_returns(write(fds[1], "de", 2), 2);
    assert_returns(read(fds[0], text, 4), 4);
    assert_string_equal(text, "abcd");
    assert_returns(read(fds[0], text, 4), 1);
    assert_int_equal(text[0], 'e');
    close_pipe(fds);
}

/* covers: pipe2 read EBADF write EBADF */
static void ends_have_one_direction_each(void **state)
{
    (void)state;
    int fds[2];
    char c;

    open_pipe(fds, 0);
    assert_errno(read(fds[1], &c, 1), EBADF);
    assert_errno(write(fds[0], "x", 1), EBADF);
    assert_returns(fcntl(fds[0], F_GETFL), O_RDONLY);
    assert_returns(fcntl(fds[1], F_GETFL), O_WRONLY);
    close_pipe(fds);
}

/* covers: pipe2 O_CLOEXEC O_NONBLOCK */
static void flags_apply_to_both_ends(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds, O_CLOEXEC | O_NONBLOCK);
    for (int i = 0; i < 2; i++) {
        assert_returns(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        assert_int_equal(fcntl(fds[i], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    }
    close_pipe(fds);
}

/* covers: pipe2 EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    int fds[2] = {-7, -7};

    assert_errno(syscall(SYS_pipe2, fds, O_APPEND), EINVAL);
    assert_errno(syscall(SYS_pipe2, fds, 1), EINVAL);
    assert_int_equal(fds[0], -7);
}

/* covers: pipe EFAULT pipe2 EFAULT */
static void bad_address_faults_and_opens_nothing(void **state)
{
    (void)state;
    int before = must(dup(0));
    must(close(before));
    assert_errno(syscall(SYS_pipe, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_pipe2, BAD_PTR, 0), EFAULT);
    int after = must(dup(0));
    assert_int_equal(before, after);
    must(close(after));
}

/* covers: read */
static void empty_pipe_blocks_the_reader(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int fds[2];

    open_pipe(fds, 0);
    pid_t pid = child_fork();
    if (pid == 0) {
        char c;
        gate_open(gate);
        assert_returns(read(fds[0], &c, 1), 1);
        assert_int_equal(c, 'x');
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_returns(write(fds[1], "x", 1), 1);
    assert_child_ok(pid);
    close_pipe(fds);
}

/* covers: write */
static void full_pipe_blocks_the_writer(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int fds[2];
    char page[PAGE];

    open_pipe(fds, O_NONBLOCK);
    fill(fds[1]);
    must(fcntl(fds[1], F_SETFL, 0));
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        assert_returns(write(fds[1], "x", 1), 1);
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_returns(read(fds[0], page, PAGE), PAGE);
    assert_child_ok(pid);
    close_pipe(fds);
}

/* covers: read EAGAIN write EAGAIN O_NONBLOCK */
static void nonblocking_ends_would_block(void **state)
{
    (void)state;
    int fds[2];
    char c;

    open_pipe(fds, O_NONBLOCK);
    assert_errno(read(fds[0], &c, 1), EAGAIN);
    fill(fds[1]);
    assert_errno(write(fds[1], "x", 1), EAGAIN);
    close_pipe(fds);
}

/* covers: read */
static void end_of_file_after_all_writers_are_gone(void **state)
{
    (void)state;
    int fds[2];
    char text[4];

    open_pipe(fds, 0);
    assert_returns(write(fds[1], "ab", 2), 2);
    must(close(fds[1]));
    assert_returns(read(fds[0], text, 4), 2);
    assert_returns(read(fds[0], text, 4), 0);
    must(close(fds[0]));
}

/* covers: read */
static void reader_wakes_when_the_last_writer_goes(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int fds[2];

    open_pipe(fds, 0);
    pid_t pid = child_fork();
    if (pid == 0) {
        char c;
        must(close(fds[1]));
        gate_open(gate);
        assert_returns(read(fds[0], &c, 1), 0);
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(close(fds[1]));
    assert_child_ok(pid);
    must(close(fds[0]));
}

/* covers: write EPIPE */
static void writing_without_readers_fails(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds, 0);
    must(close(fds[0]));
    catch_signal(SIGPIPE, 0);
    assert_errno(write(fds[1], "x", 1), EPIPE);
    assert_int_equal(caught[SIGPIPE], 1);
    signal(SIGPIPE, SIG_IGN);
    assert_errno(write(fds[1], "x", 1), EPIPE);
    default_signal(SIGPIPE);
    must(close(fds[1]));
}

/* covers: write */
static void writing_without_readers_ends_the_process(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds, 0);
    must(close(fds[0]));
    pid_t pid = child_fork();
    if (pid == 0) {
        (void)!write(fds[1], "x", 1);
        _exit(0);
    }
    assert_killed_by(child_wait(pid), SIGPIPE);
    must(close(fds[1]));
}

/* covers: write EPIPE */
static void blocked_writer_fails_when_the_last_reader_goes(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int fds[2];

    open_pipe(fds, O_NONBLOCK);
    fill(fds[1]);
    must(fcntl(fds[1], F_SETFL, 0));
    pid_t pid = child_fork();
    if (pid == 0) {
        must(close(fds[0]));
        signal(SIGPIPE, SIG_IGN);
        gate_open(gate);
        assert_errno(write(fds[1], "x", 1), EPIPE);
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(close(fds[0]));
    assert_child_ok(pid);
    must(close(fds[1]));
}

/* covers: write O_NONBLOCK EAGAIN */
static void write_of_pipe_buf_is_all_or_nothing(void **state)
{
    (void)state;
    static char data[PIPE_BUF], sink[PIPE_BUF];
    int fds[2];

    open_pipe(fds, O_NONBLOCK);
    size_t total = fill(fds[1]);
    assert_returns(read(fds[0], sink, 100), 100);
    assert_errno(write(fds[1], data, PIPE_BUF), EAGAIN);
    assert_returns(read(fds[0], sink, PIPE_BUF), PIPE_BUF);
    assert_returns(write(fds[1], data, PIPE_BUF), PIPE_BUF);
    assert_true(total >= PIPE_BUF);
    close_pipe(fds);
}

/* covers: write O_NONBLOCK */
static void larger_nonblocking_write_may_be_partial(void **state)
{
    (void)state;
    static char data[4 * DEFAULT_SIZE];
    int fds[2];

    open_pipe(fds, O_NONBLOCK);
    ssize_t n = must(write(fds[1], data, sizeof data));
    assert_true(n >= PIPE_BUF && n < (ssize_t)sizeof data);
    close_pipe(fds);
}

/* covers: write */
static void larger_blocking_write_goes_in_pieces(void **state)
{
    (void)state;
    enum { SIZE = 5 * DEFAULT_SIZE + 17 };
    static char data[SIZE], back[SIZE];
    int fds[2];
    size_t got = 0;

    open_pipe(fds, 0);
    for (int i = 0; i < SIZE; i++)
        data[i] = (char)(i * 7 + i / 251);
    pid_t pid = child_fork();
    if (pid == 0) {
        assert_returns(write(fds[1], data, SIZE), SIZE);
        _exit(0);
    }
    while (got < SIZE)
        got += (size_t)must(read(fds[0], back + got, SIZE - got));
    assert_memory_equal(back, data, SIZE);
    assert_child_ok(pid);
    close_pipe(fds);
}

/* covers: write */
static void writes_of_several_processes_do_not_mix(void **state)
{
    (void)state;
    enum { WRITERS = 4, RECORD = 1000, RECORDS = 100 };
    int fds[2];
    pid_t pids[WRITERS];
    char record[RECORD];
    int seen[WRITERS] = {0};

    open_pipe(fds, 0);
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = child_fork();
        if (pids[i] == 0) {
            memset(record, 'a' + i, RECORD);
            for (int n = 0; n < RECORDS; n++)
                assert_returns(write(fds[1], record, RECORD), RECORD);
            _exit(0);
        }
    }
    must(close(fds[1]));
    for (;;) {
        size_t got = 0;
        ssize_t n;
        while (got < RECORD && (n = must(read(fds[0], record + got, RECORD - got))) > 0)
            got += (size_t)n;
        if (got == 0)
            break;
        assert_int_equal(got, RECORD);
        for (int k = 1; k < RECORD; k++)
            assert_int_equal(record[k], record[0]);
        seen[record[0] - 'a']++;
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_child_ok(pids[i]);
        assert_int_equal(seen[i], RECORDS);
    }
    must(close(fds[0]));
}

/* covers: poll POLLIN POLLOUT POLLHUP POLLERR */
static void poll_follows_both_ends(void **state)
{
    (void)state;
    int fds[2];

    open_pipe(fds, O_NONBLOCK);
    assert_int_equal(ready(fds[0], POLLIN), 0);
    assert_int_equal(ready(fds[1], POLLOUT), POLLOUT);
    fill(fds[1]);
    assert_int_equal(ready(fds[0], POLLIN), POLLIN);
    assert_int_equal(ready(fds[1], POLLOUT), 0);
    int copy = must(dup(fds[0]));
    must(close(fds[1]));
    assert_int_equal(ready(copy, POLLIN), POLLIN | POLLHUP);
    must(close(copy));
    must(close(fds[0]));

    open_pipe(fds, 0);
    must(close(fds[0]));
    assert_int_equal(ready(fds[1], POLLOUT), POLLOUT | POLLERR);
    must(close(fds[1]));

    open_pipe(fds, 0);
    must(close(fds[1]));
    assert_int_equal(ready(fds[0], POLLIN), POLLHUP);
    must(close(fds[0]));
}

/* covers: read EINTR write EINTR */
static void blocked_read_and_write_are_interrupted(void **state)
{
    (void)state;
    int fds[2];
    char c;

    open_pipe(fds, O_NONBLOCK);
    must(fcntl(fds[0], F_SETFL, 0));
    interrupts_start(0);
    assert_errno(read(fds[0], &c, 1), EINTR);
    fill(fds[1]);
    must(fcntl(fds[1], F_SETFL, 0));
    assert_errno(write(fds[1], "x", 1), EINTR);
    interrupts_stop();
    close_pipe(fds);
}

/* covers: write */
static void interrupted_large_write_reports_what_went_in(void **state)
{
    (void)state;
    static char data[4 * DEFAULT_SIZE];
    int fds[2];

    open_pipe(fds, 0);
    interrupts_start(0);
    ssize_t n = must(write(fds[1], data, sizeof data));
    interrupts_stop();
    assert_true(n > 0 && n < (ssize_t)sizeof data);
    close_pipe(fds);
}

/* covers: read SA_RESTART */
static void restart_flag_continues_the_read(void **state)
{
    (void)state;
    int fds[2];
    char c;

    open_pipe(fds, 0);
    catch_signal(SIGUSR1, SA_RESTART);
    pid_t parent = getpid(), pid = child_fork();
    if (pid == 0) {
        int64_t end = now_ms() + 50;
        while (now_ms() < end) { /* several signals arrive while the parent sleeps */
            kill(parent, SIGUSR1);
            nap();
        }
        assert_returns(write(fds[1], "x", 1), 1);
        _exit(0);
    }
    assert_returns(read(fds[0], &c, 1), 1);
    assert_true(caught[SIGUSR1] > 0);
    assert_child_ok(pid);
    signal(SIGUSR1, SIG_IGN);
    close_pipe(fds);
}

/* covers: openat */
static void descriptor_can_be_opened_again_through_proc(void **state)
{
    (void)state;
    int fds[2];
    char path[64], c;

    open_pipe(fds, 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
    int writer = must(open(path, O_WRONLY));
    assert_returns(write(writer, "x", 1), 1);
    assert_returns(read(fds[0], &c, 1), 1);
    must(close(writer));
    close_pipe(fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_out_in_order),
        cmocka_unit_test(ends_have_one_direction_each),
        cmocka_unit_test(flags_apply_to_both_ends),
        cmocka_unit_test(unknown_flag_is_refused),
        cmocka_unit_test(bad_address_faults_and_opens_nothing),
        cmocka_unit_test(empty_pipe_blocks_the_reader),
        cmocka_unit_test(full_pipe_blocks_the_writer),
        cmocka_unit_test(nonblocking_ends_would_block),
        cmocka_unit_test(end_of_file_after_all_writers_are_gone),
        cmocka_unit_test(reader_wakes_when_the_last_writer_goes),
        cmocka_unit_test(writing_without_readers_fails),
        cmocka_unit_test(writing_without_readers_ends_the_process),
        cmocka_unit_test(blocked_writer_fails_when_the_last_reader_goes),
        cmocka_unit_test(write_of_pipe_buf_is_all_or_nothing),
        cmocka_unit_test(larger_nonblocking_write_may_be_partial),
        cmocka_unit_test(larger_blocking_write_goes_in_pieces),
        cmocka_unit_test(writes_of_several_processes_do_not_mix),
        cmocka_unit_test(poll_follows_both_ends),
        cmocka_unit_test(blocked_read_and_write_are_interrupted),
        cmocka_unit_test(interrupted_large_write_reports_what_went_in),
        cmocka_unit_test(restart_flag_continues_the_read),
        cmocka_unit_test(descriptor_can_be_opened_again_through_proc),
    };

    return cmocka_run_group_tests_name("ipc/pipe", tests, NULL, NULL);
}
