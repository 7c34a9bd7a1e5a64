/* unix_seqpacket.c: unix(7): sequenced packets: connections that keep the borders of messages. */
#include "../lib/check.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static void close_pair(int fds[2])
{
    must(close(fds[0]));
    must(close(fds[1]));
}

static int listener(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = must(socket(AF_UNIX, SOCK_SEQPACKET, 0));

    strcpy(addr.sun_path, path);
    must(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
    must(listen(fd, 4));
    return fd;
}

static int connection(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = must(socket(AF_UNIX, SOCK_SEQPACKET, 0));

    strcpy(addr.sun_path, path);
    must(connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
    return fd;
}

/* covers: listen accept connect sendto recvfrom */
static void connection_keeps_the_borders_of_messages(void **state)
{
    (void)state;
    int server = listener("sock"), client = connection("sock");
    int end = must(accept(server, NULL, NULL));
    char buf[8];

    assert_returns(send(client, "one", 3, 0), 3);
    assert_returns(send(client, "three", 5, MSG_EOR), 5);
    assert_returns(recv(end, buf, sizeof(buf), 0), 3);
    assert_returns(recv(end, buf, 2, 0), 2);
    assert_returns(send(end, "x", 1, 0), 1);
    assert_returns(recv(client, buf, sizeof(buf), 0), 1);
    must(close(server));
    must(close(client));
    must(close(end));
}

/* covers: recvfrom MSG_TRUNC MSG_PEEK */
static void cut_message_tells_its_length(void **state)
{
    (void)state;
    int fds[2];
    char buf[2];

    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
    assert_returns(send(fds[0], "12345", 5, 0), 5);
    assert_returns(recv(fds[1], buf, 2, MSG_PEEK | MSG_TRUNC), 5);
    assert_returns(recv(fds[1], buf, 2, MSG_TRUNC), 5);
    assert_errno(recv(fds[1], buf, 2, MSG_DONTWAIT), EAGAIN);
    close_pair(fds);
}

/* covers: sendto ENOTCONN EPIPE recvfrom ENOTCONN */
static void unconnected_socket_neither_sends_nor_receives(void **state)
{
    (void)state;
    int fd = must(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    char c;

    assert_errno(send(fd, "x", 1, 0), ENOTCONN);
    assert_errno(recv(fd, &c, 1, 0), ENOTCONN);
    must(close(fd));
}

/* covers: recvfrom sendto EPIPE */
static void closed_peer_ends_the_connection_without_a_signal(void **state)
{
    (void)state;
    int fds[2];
    char buf[4];

    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
    assert_returns(send(fds[0], "last", 4, 0), 4);
    must(close(fds[0]));
    assert_returns(recv(fds[1], buf, 4, 0), 4);
    assert_returns(recv(fds[1], buf, 4, 0), 0);
    assert_returns(recv(fds[1], buf, 4, MSG_DONTWAIT), 0);
    assert_errno(send(fds[1], "x", 1, 0), EPIPE);
    must(close(fds[1]));
}

/* covers: recvfrom ECONNRESET */
static void unread_messages_reset_the_connection(void **state)
{
    (void)state;
    int fds[2];
    char c;

    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
    assert_returns(send(fds[0], "x", 1, 0), 1);
    must(close(fds[1]));
    assert_errno(recv(fds[0], &c, 1, 0), ECONNRESET);
    assert_returns(recv(fds[0], &c, 1, 0), 0);
    must(close(fds[0]));
}

/* covers: sendto MSG_OOB EOPNOTSUPP recvfrom MSG_OOB EOPNOTSUPP */
static void nothing_goes_out_of_band(void **state)
{
    (void)state;
    int fds[2];
    char c;

    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
    assert_errno(send(fds[0], "x", 1, MSG_OOB), EOPNOTSUPP);
    assert_errno(recv(fds[1], &c, 1, MSG_OOB), EOPNOTSUPP);
    close_pair(fds);
}

/* covers: sendto EMSGSIZE */
static void message_must_fit_the_buffer(void **state)
{
    (void)state;
    int fds[2], size;
    socklen_t len = sizeof(size);
    char *big;

    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
    must(getsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, &len));
    big = calloc(1, (size_t)size);
    assert_non_null(big);
    assert_errno(send(fds[0], big, (size_t)size, MSG_DONTWAIT), EMSGSIZE);
    free(big);
    close_pair(fds);
}

/* covers: sendto EAGAIN poll POLLOUT POLLIN POLLHUP POLLRDHUP */
static void full_connection_would_block(void **state)
{
    (void)state;
    int fds[2];
    char buf[1000] = {0};
    struct pollfd pfd;
    long sent = 0;

    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
    while (send(fds[0], buf, sizeof(buf), MSG_DONTWAIT) == (ssize_t)sizeof(buf))
        sent++;
    assert_int_equal(errno, EAGAIN);
    assert_true(sent > 10);
    pfd = (struct pollfd){.fd = fds[0], .events = POLLOUT | POLLIN};
    assert_returns(poll(&pfd, 1, 0), 0);
    for (long i = 0; i < sent; i++)
        assert_returns(recv(fds[1], buf, sizeof(buf), 0), sizeof(buf));
    assert_returns(poll(&pfd, 1, 0), 1);
    assert_int_equal(pfd.revents, POLLOUT);
    must(close(fds[1]));
    pfd.events |= POLLRDHUP;
    assert_returns(poll(&pfd, 1, 0), 1);
    assert_int_equal(pfd.revents, POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    must(close(fds[0]));
}

/* covers: ioctl FIONREAD */
static void waiting_bytes_of_all_messages_are_told(void **state)
{
    (void)state;
    int fds[2], n;

    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
    must(send(fds[0], "ab", 2, 0));
    must(send(fds[0], "cde", 3, 0));
    must(ioctl(fds[1], FIONREAD, &n));
    assert_int_equal(n, 5);
    close_pair(fds);
}

/* covers: connect EPROTOTYPE */
static void stream_cannot_connect_to_it(void **state)
{
    (void)state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "sock"};
    int server = listener("sock"), fd = must(socket(AF_UNIX, SOCK_STREAM, 0));

    assert_errno(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), EPROTOTYPE);
    must(close(fd));
    must(close(server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(connection_keeps_the_borders_of_messages),
        cmocka_unit_test(cut_message_tells_its_length),
        cmocka_unit_test(unconnected_socket_neither_sends_nor_receives),
        cmocka_unit_test(closed_peer_ends_the_connection_without_a_signal),
        cmocka_unit_test(unread_messages_reset_the_connection),
        cmocka_unit_test(nothing_goes_out_of_band),
        cmocka_unit_test(message_must_fit_the_buffer),
        cmocka_unit_test(full_connection_would_block),
        cmocka_unit_test(waiting_bytes_of_all_messages_are_told),
        tempdir_test(stream_cannot_connect_to_it),
    };

    return cmocka_run_group_tests_name("net/unix_seqpacket", tests, NULL, NULL);
}
