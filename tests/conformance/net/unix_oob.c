/* unix_oob.c: unix(7): a byte out of band on a stream, MSG_OOB, since Linux 5.15. */
#include "../lib/check.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int fds[2];

static int setup(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static int teardown(void **state)
{
    (void)state;
    close(fds[0]);
    close(fds[1]);
    return 0;
}

static int at_mark(void)
{
    int mark;

    must(ioctl(fds[1], SIOCATMARK, &mark));
    return mark;
}

/* covers: sendto MSG_OOB recvfrom MSG_OOB */
static void last_byte_goes_out_of_band(void **state)
{
    (void)state;
    char buf[8];

    assert_returns(send(fds[0], "abc!", 4, MSG_OOB), 4);
    assert_returns(recv(fds[1], buf, sizeof(buf), MSG_OOB), 1);
    assert_int_equal(buf[0], '!');
    assert_returns(recv(fds[1], buf, sizeof(buf), 0), 3);
    assert_memory_equal(buf, "abc", 3);
    assert_errno(recv(fds[1], buf, 1, MSG_OOB), EINVAL);
    assert_errno(recv(fds[1], buf, 1, MSG_DONTWAIT), EAGAIN);
}

/* covers: recvfrom MSG_OOB MSG_PEEK */
static void peek_leaves_the_byte(void **state)
{
    (void)state;
    char c = 0;

    must(send(fds[0], "!", 1, MSG_OOB));
    assert_returns(recv(fds[1], &c, 1, MSG_OOB | MSG_PEEK), 1);
    assert_int_equal(c, '!');
    assert_returns(recv(fds[1], &c, 1, MSG_OOB), 1);
    assert_errno(recv(fds[1], &c, 1, MSG_OOB), EINVAL);
}

/* covers: recvmsg MSG_OOB */
static void header_says_that_it_was_out_of_band(void **state)
{
    (void)state;
    char c = 0;
    struct iovec iov = {&c, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    must(send(fds[0], "!", 1, MSG_OOB));
    assert_returns(recvmsg(fds[1], &msg, MSG_OOB), 1);
    assert_int_equal(msg.msg_flags, MSG_OOB);
}

/* covers: recvfrom ioctl SIOCATMARK */
static void reading_stops_at_the_mark(void **state)
{
    (void)state;
    char buf[8];

    must(send(fds[0], "ab!", 3, MSG_OOB));
    must(send(fds[0], "cd", 2, 0));
    assert_int_equal(at_mark(), 0);
    assert_returns(recv(fds[1], buf, sizeof(buf), 0), 2);
    assert_memory_equal(buf, "ab", 2);
    assert_int_equal(at_mark(), 1);
    assert_returns(recv(fds[1], buf, sizeof(buf), 0), 2);
    assert_memory_equal(buf, "cd", 2);
    assert_errno(recv(fds[1], buf, 1, MSG_OOB), EINVAL);
}

/* covers: setsockopt SO_OOBINLINE recvfrom MSG_OOB EINVAL */
static void byte_is_read_in_line_when_asked(void **state)
{
    (void)state;
    char buf[8];
    int on = 1;

    must(setsockopt(fds[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)));
    must(send(fds[0], "ab!", 3, MSG_OOB));
    assert_errno(recv(fds[1], buf, 1, MSG_OOB), EINVAL);
    assert_returns(recv(fds[1], buf, sizeof(buf), 0), 2);
    assert_returns(recv(fds[1], buf, sizeof(buf), 0), 1);
    assert_int_equal(buf[0], '!');
}

/* covers: sendto MSG_OOB */
static void older_byte_becomes_plain_data(void **state)
{
    (void)state;
    char buf[8];

    must(send(fds[0], "1", 1, MSG_OOB));
    must(send(fds[0], "2", 1, MSG_OOB));
    assert_returns(recv(fds[1], buf, 1, MSG_OOB), 1);
    assert_int_equal(buf[0], '2');
    assert_returns(recv(fds[1], buf, sizeof(buf), 0), 1);
    assert_int_equal(buf[0], '1');
}

/* covers: poll POLLPRI */
static void poll_tells_that_it_is_there(void **state)
{
    (void)state;
    struct pollfd pfd = {.fd = fds[1], .events = POLLPRI};
    char c;

    assert_returns(poll(&pfd, 1, 0), 0);
    must(send(fds[0], "!", 1, MSG_OOB));
    assert_returns(poll(&pfd, 1, 0), 1);
    assert_int_equal(pfd.revents, POLLPRI);
    must(recv(fds[1], &c, 1, MSG_OOB));
    assert_returns(poll(&pfd, 1, 0), 0);
}

/* covers: sendto MSG_OOB EOPNOTSUPP recvfrom MSG_OOB EINVAL */
static void there_must_be_a_byte(void **state)
{
    (void)state;
    char c;

    assert_errno(send(fds[0], "", 0, MSG_OOB), EOPNOTSUPP);
    assert_errno(recv(fds[1], &c, 1, MSG_OOB), EINVAL);
}

#define oob_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        oob_test(last_byte_goes_out_of_band),          oob_test(peek_leaves_the_byte),
        oob_test(header_says_that_it_was_out_of_band), oob_test(reading_stops_at_the_mark),
        oob_test(byte_is_read_in_line_when_asked),     oob_test(older_byte_becomes_plain_data),
        oob_test(poll_tells_that_it_is_there),         oob_test(there_must_be_a_byte),
    };

    return cmocka_run_group_tests_name("net/unix_oob", tests, NULL, NULL);
}
