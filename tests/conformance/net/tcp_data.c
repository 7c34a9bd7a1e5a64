/* tcp_data.c: bytes on a TCP connection: buffers, waits, and urgent bytes; tcp(7), socket(7). */
#include "loopback.h"

#include <signal.h>

/* ---- buffers and waiting ---- */

static size_t fill(int fd)
{
    static char block[65536];
    size_t total = 0;
    ssize_t n;

    while ((n = send(fd, block, sizeof block, MSG_DONTWAIT)) > 0)
        total += (size_t)n;
    assert_int_equal(errno, EAGAIN);
    return total;
}

static void drain(int fd, size_t total)
{
    static char block[65536];

    while (total)
        total -= (size_t)must(recv(fd, block, total < sizeof block ? total : sizeof block, 0));
}

/* covers: sendto EAGAIN poll POLLOUT ioctl SIOCOUTQ SIOCINQ */
static void full_connection_is_not_writable_until_it_is_read(void **state)
{
    (void)state;
    int fds[2], in = 0, out = 0;

    tcp_pair(fds);
    size_t total = fill(fds[0]);
    assert_int_equal(poll_now(fds[0]) & POLLOUT, 0);
    must(ioctl(fds[0], TIOCOUTQ, &out));
    must(ioctl(fds[1], FIONREAD, &in));
    assert_true(in > 0 && out > 0);
    assert_true((size_t)in <= total && (size_t)out <= total);
    drain(fds[1], total);
    poll_until(fds[0], POLLOUT);
    close_both(fds);
}

/* covers: setsockopt SO_SNDBUF SO_RCVBUF */
static void small_buffers_hold_less(void **state)
{
    (void)state;
    int fds[2], more[2];

    tcp_pair(fds);
    tcp_pair(more);
    must(set_int(fds[0], SOL_SOCKET, SO_SNDBUF, 4096));
    must(set_int(fds[1], SOL_SOCKET, SO_RCVBUF, 4096));
    assert_int_equal(get_int(fds[0], SOL_SOCKET, SO_SNDBUF), 8192);
    assert_true(fill(fds[0]) < fill(more[0]));
    close_both(fds);
    close_both(more);
}

/* covers: sendto EINTR */
static void writer_waits_for_room(void **state)
{
    (void)state;
    int fds[2];

    tcp_pair(fds);
    size_t total = fill(fds[0]);
    interrupts_start(0);
    assert_errno(send(fds[0], "x", 1, 0), EINTR);
    interrupts_stop();
    pid_t pid = child_fork();
    if (pid == 0) {
        assert_returns(send(fds[0], "tail", 4, 0), 4);
        _exit(0);
    }
    drain(fds[1], total + 4);
    assert_child_ok(pid);
    close_both(fds);
}

/* covers: recvfrom EINTR EAGAIN setsockopt SO_RCVTIMEO SO_SNDTIMEO */
static void reader_waits_as_long_as_it_is_told(void **state)
{
    (void)state;
    struct timeval short_time = {0, 20000};
    int fds[2];
    char c;

    tcp_pair(fds);
    interrupts_start(0);
    assert_errno(recv(fds[0], &c, 1, 0), EINTR);
    interrupts_stop();
    must(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof short_time));
    assert_errno(recv(fds[0], &c, 1, 0), EAGAIN);
    must(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &short_time, sizeof short_time));
    fill(fds[0]);
    assert_errno(send(fds[0], "x", 1, 0), EAGAIN);
    close_both(fds);
}

/* covers: setsockopt SO_RCVLOWAT poll recvfrom MSG_PEEK MSG_TRUNC */
static void low_water_mark_holds_reading_back(void **state)
{
    (void)state;
    int fds[2];
    char text[8];

    tcp_pair(fds);
    must(set_int(fds[1], SOL_SOCKET, SO_RCVLOWAT, 4));
    assert_returns(send(fds[0], "ab", 2, 0), 2);
    assert_returns(recv(fds[1], text, 2, MSG_PEEK | MSG_WAITALL), 2);
    assert_int_equal(poll_now(fds[1]), CAN_WRITE);
    assert_returns(send(fds[0], "cd", 2, 0), 2);
    poll_until(fds[1], POLLIN);
    assert_returns(recv(fds[1], text, sizeof text, MSG_PEEK), 4);
    assert_memory_equal(text, "abcd", 4);
    assert_returns(recv(fds[1], NULL, 3, MSG_TRUNC), 3);
    assert_returns(recv(fds[1], text, sizeof text, MSG_DONTWAIT), 1);
    assert_int_equal(text[0], 'd');
    close_both(fds);
}

/* covers: recvfrom MSG_WAITALL */
static void waiting_for_all_spans_messages(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int fds[2];

    tcp_pair(fds);
    pid_t pid = child_fork();
    if (pid == 0) {
        char text[6];

        gate_open(gate);
        assert_returns(recv(fds[1], text, 6, MSG_WAITALL), 6);
        assert_memory_equal(text, "abcdef", 6);
        _exit(0);
    }
    assert_returns(send(fds[0], "abc", 3, 0), 3);
    gate_wait_blocked(gate);
    assert_returns(send(fds[0], "def", 3, 0), 3);
    assert_child_ok(pid);
    close_both(fds);
}

/* ---- urgent data ---- */

/* covers: recvfrom MSG_OOB EINVAL EAGAIN */
static void urgent_byte_is_read_once(void **state)
{
    (void)state;
    int fds[2];
    char c;

    tcp_pair(fds);
    assert_errno(recv(fds[1], &c, 1, MSG_OOB), EINVAL);
    assert_returns(send(fds[0], "ab!", 3, MSG_OOB), 3);
    poll_until(fds[1], POLLPRI);
    assert_returns(recv(fds[1], &c, 1, MSG_OOB | MSG_PEEK), 1);
    assert_int_equal(c, '!');
    assert_returns(recv(fds[1], &c, 1, MSG_OOB), 1);
    assert_errno(recv(fds[1], &c, 1, MSG_OOB), EINVAL);
    char text[8];
    assert_returns(recv(fds[1], text, sizeof text, 0), 2);
    assert_returns(send(fds[0], "cd", 2, 0), 2);
    poll_until(fds[1], POLLIN);
    assert_returns(recv(fds[1], text, sizeof text, 0), 2);
    assert_memory_equal(text, "cd", 2);
    close_both(fds);
}

/* covers: setsockopt SO_OOBINLINE ioctl SIOCATMARK FIONREAD */
static void urgent_byte_stands_in_line_when_asked(void **state)
{
    (void)state;
    int fds[2], mark, n;
    char text[8];

    tcp_pair(fds);
    must(set_int(fds[1], SOL_SOCKET, SO_OOBINLINE, 1));
    assert_returns(send(fds[0], "ab", 2, 0), 2);
    assert_returns(send(fds[0], "!", 1, MSG_OOB), 1);
    assert_returns(send(fds[0], "c", 1, 0), 1);
    poll_until(fds[1], POLLPRI);
    assert_returns(recv(fds[1], text, 4, MSG_PEEK), 2);
    assert_errno(recv(fds[1], text, 1, MSG_OOB), EINVAL);
    assert_returns(recv(fds[1], text, sizeof text, 0), 2);
    must(ioctl(fds[1], SIOCATMARK, &mark));
    assert_int_equal(mark, 1);
    must(ioctl(fds[1], FIONREAD, &n));
    assert_int_equal(n, 2);
    assert_returns(recv(fds[1], text, sizeof text, 0), 2);
    assert_memory_equal(text, "!c", 2);
    must(ioctl(fds[1], SIOCATMARK, &mark));
    assert_int_equal(mark, 0);
    close_both(fds);
}

static volatile sig_atomic_t urgent_signals;
static void count_urgent(int signo)
{
    (void)signo;
    urgent_signals++;
}

/* covers: fcntl F_SETOWN SIGURG sendto MSG_OOB */
static void urgent_byte_signals_the_owner(void **state)
{
    (void)state;
    int fds[2];

    urgent_signals = 0;
    signal(SIGURG, count_urgent);
    tcp_pair(fds);
    must(fcntl(fds[1], F_SETOWN, getpid()));
    assert_returns(send(fds[0], "!", 1, MSG_OOB), 1);
    poll_until(fds[1], POLLPRI);
    assert_int_equal(urgent_signals, 1);
    signal(SIGURG, SIG_DFL);
    close_both(fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_connection_is_not_writable_until_it_is_read),
        cmocka_unit_test(small_buffers_hold_less),
        cmocka_unit_test(writer_waits_for_room),
        cmocka_unit_test(reader_waits_as_long_as_it_is_told),
        cmocka_unit_test(low_water_mark_holds_reading_back),
        cmocka_unit_test(waiting_for_all_spans_messages),
        cmocka_unit_test(urgent_byte_is_read_once),
        cmocka_unit_test(urgent_byte_stands_in_line_when_asked),
        cmocka_unit_test(urgent_byte_signals_the_owner),
    };

    return cmocka_run_group_tests_name("net/tcp_data", tests, NULL, NULL);
}
