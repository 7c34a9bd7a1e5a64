/* unix_dgram.c: AF_UNIX datagram and sequenced-packet sockets, unix(7): borders are kept. */
#include "../lib/check.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un named(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    strcpy(addr.sun_path, path);
    return addr;
}

static int bound(const char *path)
{
    struct sockaddr_un addr = named(path);
    int fd = must(socket(AF_UNIX, SOCK_DGRAM, 0));

    must(bind(fd, (struct sockaddr *)&addr, sizeof addr));
    return fd;
}

static ssize_t send_to(int fd, const char *text, const char *path)
{
    struct sockaddr_un addr = named(path);

    return sendto(fd, text, strlen(text), MSG_DONTWAIT, (struct sockaddr *)&addr, sizeof addr);
}

static int do_connect(int fd, const char *path)
{
    struct sockaddr_un addr = named(path);

    return connect(fd, (struct sockaddr *)&addr, sizeof addr);
}

static void close_pair(int fds[2])
{
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: socketpair SOCK_DGRAM SOCK_SEQPACKET */
static void messages_keep_their_borders(void **state)
{
    (void)state;
    static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        char text[16];
        int fds[2];
        must(socketpair(AF_UNIX, types[i], 0, fds));
        assert_returns(send(fds[0], "one", 3, 0), 3);
        assert_returns(send(fds[0], "three", 5, 0), 5);
        assert_returns(recv(fds[1], text, sizeof text, 0), 3);
        assert_returns(recv(fds[1], text, sizeof text, 0), 5);
        close_pair(fds);
    }
}

/* covers: recvfrom MSG_TRUNC */
static void rest_of_a_message_is_lost(void **state)
{
    (void)state;
    char text[4];
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    assert_returns(send(fds[0], "abcdef", 6, 0), 6);
    assert_returns(send(fds[0], "ghijkl", 6, 0), 6);
    assert_returns(recv(fds[1], text, 2, 0), 2);
    assert_returns(recv(fds[1], text, 2, MSG_TRUNC), 6); /* the true length */
    assert_memory_equal(text, "gh", 2);
    assert_errno(recv(fds[1], text, 2, MSG_DONTWAIT), EAGAIN);
    close_pair(fds);
}

/* covers: sendto recvfrom */
static void message_may_be_empty(void **state)
{
    (void)state;
    char c;
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    assert_returns(send(fds[0], "", 0, 0), 0);
    struct pollfd p = {.fd = fds[1], .events = POLLIN};
    assert_returns(poll(&p, 1, -1), 1);
    assert_returns(recv(fds[1], &c, 1, MSG_DONTWAIT), 0);
    assert_errno(recv(fds[1], &c, 1, MSG_DONTWAIT), EAGAIN);
    close_pair(fds);
}

/* covers: sendto recvfrom bind */
static void message_goes_to_a_name_and_tells_its_sender(void **state)
{
    (void)state;
    struct sockaddr_un from;
    socklen_t size = sizeof from;
    char text[8];
    int a = bound("a"), b = bound("b");

    assert_returns(send_to(a, "hello", "b"), 5);
    assert_returns(recvfrom(b, text, sizeof text, 0, (struct sockaddr *)&from, &size), 5);
    assert_string_equal(from.sun_path, "a");
    must(close(a));
    must(close(b));
}

/* covers: connect sendto getpeername ENOTCONN */
static void connection_sets_where_messages_go(void **state)
{
    (void)state;
    struct sockaddr_un addr;
    socklen_t size = sizeof addr;
    char text[8];
    int a = bound("a"), b = bound("b"), c = bound("c");

    assert_errno(send(a, "x", 1, 0), ENOTCONN);
    must(do_connect(a, "b"));
    assert_returns(send(a, "to b", 4, 0), 4);
    assert_returns(recv(b, text, sizeof text, MSG_DONTWAIT), 4);
    must(do_connect(a, "c"));
    assert_returns(send(a, "to c", 4, 0), 4);
    assert_returns(recv(c, text, sizeof text, MSG_DONTWAIT), 4);
    must(getpeername(a, (struct sockaddr *)&addr, &size));
    assert_string_equal(addr.sun_path, "c");
    must(close(a));
    must(close(b));
    must(close(c));
}

/* covers: connect AF_UNSPEC */
static void unspecified_family_ends_the_connection(void **state)
{
    (void)state;
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    int a = bound("a"), b = bound("b");

    must(do_connect(a, "b"));
    must(connect(a, &none, sizeof none));
    assert_errno(send(a, "x", 1, 0), ENOTCONN);
    must(close(a));
    must(close(b));
}

/* covers: connect sendto EPERM */
static void connected_socket_hears_only_its_peer(void **state)
{
    (void)state;
    int a = bound("a"), b = bound("b"), c = bound("c");

    must(do_connect(a, "b"));
    assert_errno(send_to(c, "x", "a"), EPERM);
    assert_returns(send_to(b, "x", "a"), 1);
    must(close(a));
    must(close(b));
    must(close(c));
}

/* covers: sendto ECONNREFUSED ENOENT EPROTOTYPE */
static void missing_receiver_is_refused(void **state)
{
    (void)state;
    int a = bound("a"), b = bound("b");

    must(close(b));
    assert_errno(send_to(a, "x", "b"), ECONNREFUSED);
    assert_errno(send_to(a, "x", "none"), ENOENT);
    struct sockaddr_un addr = named("stream");
    int stream = must(socket(AF_UNIX, SOCK_STREAM, 0));
    must(bind(stream, (struct sockaddr *)&addr, sizeof addr));
    assert_errno(send_to(a, "x", "stream"), EPROTOTYPE);
    must(close(stream));
    must(close(a));
}

/* covers: sendto ECONNREFUSED ECONNRESET */
static void peer_that_closed_is_noticed(void **state)
{
    (void)state;
    int fds[2];
    char c;

    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    must(close(fds[1]));
    errno = 0;
    assert_int_equal(send(fds[0], "x", 1, MSG_NOSIGNAL), -1);
    assert_true(errno == ECONNREFUSED || errno == ECONNRESET);
    must(close(fds[0]));
    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
    must(close(fds[1]));
    assert_returns(recv(fds[0], &c, 1, 0), 0);
    assert_errno(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    must(close(fds[0]));
}

/* covers: sendto EMSGSIZE */
static void too_long_message_is_refused(void **state)
{
    (void)state;
    size_t size = 8 << 20;
    char *data = calloc(1, size);
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    assert_errno(send(fds[0], data, size, 0), EMSGSIZE);
    free(data);
    close_pair(fds);
}

/* covers: sendto EAGAIN */
static void full_receiver_would_block(void **state)
{
    (void)state;
    int fds[2], sent = 0;
    char c;

    must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds));
    while (send(fds[0], "x", 1, 0) == 1)
        sent++;
    assert_int_equal(errno, EAGAIN);
    for (int i = 0; i < sent; i++)
        assert_returns(recv(fds[1], &c, 1, 0), 1);
    assert_returns(send(fds[0], "x", 1, 0), 1);
    close_pair(fds);
}

/* covers: sendto */
static void sender_waits_until_the_receiver_has_room(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int fds[2];
    char c;

    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    while (send(fds[0], "x", 1, MSG_DONTWAIT) == 1)
        continue;
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        assert_returns(send(fds[0], "y", 1, 0), 1);
        _exit(0);
    }
    gate_wait_blocked(gate);
    while (recv(fds[1], &c, 1, 0) == 1 && c != 'y')
        continue;
    assert_int_equal(c, 'y');
    assert_child_ok(pid);
    close_pair(fds);
}

/* covers: ioctl FIONREAD */
static void length_of_the_first_message_is_told(void **state)
{
    (void)state;
    int fds[2], n = -1;

    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    assert_returns(send(fds[0], "abc", 3, 0), 3);
    assert_returns(send(fds[0], "de", 2, 0), 2);
    must(ioctl(fds[1], FIONREAD, &n));
    assert_int_equal(n, 3);
    close_pair(fds);
}

/* covers: listen EOPNOTSUPP accept EOPNOTSUPP */
static void datagram_socket_does_not_listen(void **state)
{
    (void)state;
    int fd = must(socket(AF_UNIX, SOCK_DGRAM, 0));

    assert_errno(listen(fd, 1), EOPNOTSUPP);
    assert_errno(accept(fd, NULL, NULL), EOPNOTSUPP);
    must(close(fd));
}

/* covers: socket SOCK_SEQPACKET connect accept listen */
static void sequenced_packets_are_connected_like_streams(void **state)
{
    (void)state;
    struct sockaddr_un addr = named("s");
    int listener = must(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    int client = must(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    char text[8];

    must(bind(listener, (struct sockaddr *)&addr, sizeof addr));
    must(listen(listener, 1));
    must(connect(client, (struct sockaddr *)&addr, sizeof addr));
    int server = must(accept(listener, NULL, NULL));
    assert_returns(send(client, "ab", 2, 0), 2);
    assert_returns(send(client, "cd", 2, 0), 2);
    assert_returns(recv(server, text, sizeof text, 0), 2);
    must(close(server));
    must(close(client));
    must(close(listener));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_keep_their_borders),
        cmocka_unit_test(rest_of_a_message_is_lost),
        cmocka_unit_test(message_may_be_empty),
        tempdir_test(message_goes_to_a_name_and_tells_its_sender),
        tempdir_test(connection_sets_where_messages_go),
        tempdir_test(unspecified_family_ends_the_connection),
        tempdir_test(connected_socket_hears_only_its_peer),
        tempdir_test(missing_receiver_is_refused),
        cmocka_unit_test(peer_that_closed_is_noticed),
        cmocka_unit_test(too_long_message_is_refused),
        cmocka_unit_test(full_receiver_would_block),
        cmocka_unit_test(sender_waits_until_the_receiver_has_room),
        cmocka_unit_test(length_of_the_first_message_is_told),
        cmocka_unit_test(datagram_socket_does_not_listen),
        tempdir_test(sequenced_packets_are_connected_like_streams),
    };

    return cmocka_run_group_tests_name("net/unix_dgram", tests, NULL, NULL);
}
