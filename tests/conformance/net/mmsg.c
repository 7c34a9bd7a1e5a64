/* mmsg.c: sendmmsg(2), recvmmsg(2), and the headers of sendmsg(2) and recvmsg(2). */
#include "../lib/check.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#define COUNT 4

static int fds[2];
static char bufs[COUNT][16];
static struct iovec iovs[COUNT];
static struct mmsghdr vec[COUNT];

static int setup(void **state)
{
    (void)state;
    memset(vec, 0, sizeof(vec));
    for (int i = 0; i < COUNT; i++) {
        iovs[i] = (struct iovec){bufs[i], (size_t)i + 1};
        memset(bufs[i], 'a' + i, sizeof(bufs[i]));
        vec[i].msg_hdr.msg_iov = &iovs[i];
        vec[i].msg_hdr.msg_iovlen = 1;
    }
    return socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
}

static int teardown(void **state)
{
    (void)state;
    close(fds[0]);
    close(fds[1]);
    return 0;
}

/* covers: sendmmsg recvmmsg */
static void lengths_are_told(void **state)
{
    (void)state;
    assert_returns(sendmmsg(fds[0], vec, COUNT, 0), COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(vec[i].msg_len, i + 1);
        vec[i].msg_len = 99;
        iovs[i].iov_len = 16;
    }
    assert_returns(recvmmsg(fds[1], vec, COUNT, MSG_DONTWAIT, NULL), COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(vec[i].msg_len, i + 1);
}

/* covers: sendmmsg EFAULT */
static void what_was_sent_before_an_error_counts(void **state)
{
    (void)state;
    char buf[16];

    vec[2].msg_hdr.msg_iov = BAD_PTR;
    assert_returns(sendmmsg(fds[0], vec, COUNT, 0), 2);
    assert_errno(sendmmsg(fds[0], vec + 2, 1, 0), EFAULT);
    assert_returns(recv(fds[1], buf, sizeof(buf), 0), 1);
    assert_returns(recv(fds[1], buf, sizeof(buf), 0), 2);
    assert_errno(recv(fds[1], buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
}

/* covers: sendmmsg recvmmsg */
static void none_is_none(void **state)
{
    (void)state;
    assert_returns(sendmmsg(fds[0], NULL, 0, 0), 0);
    assert_returns(recvmmsg(fds[0], NULL, 0, 0, NULL), 0);
}

/* covers: recvmmsg EAGAIN */
static void nothing_there_would_block(void **state)
{
    (void)state;
    assert_errno(recvmmsg(fds[1], vec, COUNT, MSG_DONTWAIT, NULL), EAGAIN);
    must(send(fds[0], "x", 1, 0));
    assert_returns(recvmmsg(fds[1], vec, COUNT, MSG_DONTWAIT, NULL), 1);
}

/* covers: recvmmsg EINVAL EFAULT */
static void timeout_is_checked(void **state)
{
    (void)state;
    struct timespec ts = {.tv_nsec = 1000000000};

    must(send(fds[0], "x", 1, 0));
    assert_errno(recvmmsg(fds[1], vec, 1, 0, &ts), EINVAL);
    ts = (struct timespec){.tv_sec = -1};
    assert_errno(recvmmsg(fds[1], vec, 1, 0, &ts), EINVAL);
    assert_errno(recvmmsg(fds[1], vec, 1, 0, BAD_PTR), EFAULT);
}

/* covers: recvmmsg */
static void timeout_that_has_passed_ends_after_a_message(void **state)
{
    (void)state;
    struct timespec ts = {0};

    must(send(fds[0], "1", 1, 0));
    must(send(fds[0], "2", 1, 0));
    assert_returns(recvmmsg(fds[1], vec, COUNT, 0, &ts), 1);
    ts = (struct timespec){.tv_sec = 100};
    assert_returns(recvmmsg(fds[1], vec, 1, 0, &ts), 1);
    assert_true(ts.tv_sec == 99 || ts.tv_sec == 100);
}

/* covers: recvmmsg EPIPE recvfrom ECONNRESET */
static void error_after_messages_is_told_by_the_next_call(void **state)
{
    (void)state;
    int pair[2];
    char c;

    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    must(send(pair[0], "x", 1, 0)); /* will stay unread */
    must(send(pair[1], "y", 1, 0));
    must(close(pair[1]));
    assert_errno(recvmmsg(pair[0], vec, COUNT, 0, NULL), ECONNRESET);
    assert_returns(recvmmsg(pair[0], vec, 1, 0, NULL), 1);
    assert_returns(recv(pair[0], &c, 1, 0), 0);
    must(close(pair[0]));
}

/* covers: sendmsg EINVAL ENOBUFS recvmsg EINVAL */
static void headers_are_checked(void **state)
{
    (void)state;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char control[64] = {0};
    struct msghdr msg = vec[0].msg_hdr;

    msg.msg_name = &name;
    msg.msg_namelen = (socklen_t)-1;
    assert_errno(sendmsg(fds[0], &msg, 0), EINVAL);
    assert_errno(recvmsg(fds[0], &msg, 0), EINVAL);
    msg = vec[0].msg_hdr;
    msg.msg_control = control;
    msg.msg_controllen = 0x80000000u;
    assert_errno(sendmsg(fds[0], &msg, 0), ENOBUFS);
    msg = vec[0].msg_hdr;
    assert_errno(sendmsg(fds[0], &msg, (int)0x80000000), EINVAL);
    assert_errno(recvmsg(fds[0], &msg, (int)0x80000000), EINVAL);
    assert_errno(sendmmsg(fds[0], vec, 1, (int)0x80000000), EINVAL);
    assert_errno(recvmmsg(fds[0], vec, 1, (int)0x80000000, NULL), EINVAL);
}

/* covers: recvmsg */
static void sender_without_a_name_leaves_none(void **state)
{
    (void)state;
    struct sockaddr_un name = {.sun_family = 77};
    struct msghdr msg = vec[0].msg_hdr;

    must(send(fds[0], "x", 1, 0));
    msg.msg_name = &name;
    msg.msg_namelen = sizeof(name);
    assert_returns(recvmsg(fds[1], &msg, 0), 1);
    assert_int_equal(msg.msg_namelen, 0);
    assert_int_equal(name.sun_family, 77);
}

/* covers: recvmsg MSG_TRUNC */
static void message_may_be_taken_without_room(void **state)
{
    (void)state;
    struct msghdr msg = {0};

    must(send(fds[0], "12345", 5, 0));
    assert_returns(recvmsg(fds[1], &msg, MSG_TRUNC), 5);
    assert_int_equal(msg.msg_flags & MSG_TRUNC, MSG_TRUNC);
}

#define mmsg_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        mmsg_test(lengths_are_told),
        mmsg_test(what_was_sent_before_an_error_counts),
        mmsg_test(none_is_none),
        mmsg_test(nothing_there_would_block),
        mmsg_test(timeout_is_checked),
        mmsg_test(timeout_that_has_passed_ends_after_a_message),
        mmsg_test(error_after_messages_is_told_by_the_next_call),
        mmsg_test(headers_are_checked),
        mmsg_test(sender_without_a_name_leaves_none),
        mmsg_test(message_may_be_taken_without_room),
    };

    return cmocka_run_group_tests_name("net/mmsg", tests, NULL, NULL);
}
