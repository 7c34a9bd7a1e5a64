/* udp.c: UDP over the loopback interface, udp(7). */
#include "../lib/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct sockaddr_in loopback(in_port_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A socket with a port that the kernel chooses; skips where there is no loopback interface. */
static int bound(struct sockaddr_in *addr)
{
    int fd = must(socket(AF_INET, SOCK_DGRAM, 0)), probe = must(socket(AF_INET, SOCK_DGRAM, 0));
    socklen_t size = sizeof *addr;

    *addr = loopback(htons(9));
    if (connect(probe, (struct sockaddr *)addr, sizeof *addr) != 0)
        skip_because("the loopback interface is down");
    must(close(probe));
    *addr = loopback(0);
    must(bind(fd, (struct sockaddr *)addr, sizeof *addr));
    must(getsockname(fd, (struct sockaddr *)addr, &size));
    assert_true(addr->sin_port != 0);
    return fd;
}

static ssize_t send_to(int fd, const char *text, struct sockaddr_in addr)
{
    return sendto(fd, text, strlen(text), 0, (struct sockaddr *)&addr, sizeof addr);
}

/* covers: sendto recvfrom */
static void messages_keep_their_borders_and_tell_their_sender(void **state)
{
    (void)state;
    struct sockaddr_in a_addr, b_addr, from;
    socklen_t size = sizeof from;
    int a = bound(&a_addr), b = bound(&b_addr);
    char text[16];

    assert_returns(send_to(a, "one", b_addr), 3);
    assert_returns(send_to(a, "three", b_addr), 5);
    assert_returns(recvfrom(b, text, sizeof text, 0, (struct sockaddr *)&from, &size), 3);
    assert_int_equal(size, sizeof from);
    assert_int_equal(from.sin_port, a_addr.sin_port);
    assert_int_equal(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_returns(recv(b, text, sizeof text, 0), 5);
    must(close(a));
    must(close(b));
}

/* covers: recvfrom MSG_TRUNC */
static void rest_of_a_message_is_lost(void **state)
{
    (void)state;
    struct sockaddr_in a_addr, b_addr;
    int a = bound(&a_addr), b = bound(&b_addr);
    char text[4];

    assert_returns(send_to(a, "abcdef", b_addr), 6);
    assert_returns(send_to(a, "ghijkl", b_addr), 6);
    assert_returns(recv(b, text, 2, 0), 2);
    assert_returns(recv(b, text, 2, MSG_TRUNC), 6);
    assert_memory_equal(text, "gh", 2);
    assert_errno(recv(b, text, 2, MSG_DONTWAIT), EAGAIN);
    must(close(a));
    must(close(b));
}

/* covers: sendto recvfrom */
static void message_may_be_empty(void **state)
{
    (void)state;
    struct sockaddr_in a_addr, b_addr;
    int a = bound(&a_addr), b = bound(&b_addr);
    char c;

    assert_returns(send_to(a, "", b_addr), 0);
    assert_returns(recv(b, &c, 1, 0), 0);
    must(close(a));
    must(close(b));
}

/* covers: sendto EMSGSIZE */
static void too_long_message_is_refused(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    int fd = bound(&addr);
    static char data[65508];

    assert_errno(sendto(fd, data, sizeof data, 0, (struct sockaddr *)&addr, sizeof addr), EMSGSIZE);
    assert_returns(sendto(fd, data, 65507, 0, (struct sockaddr *)&addr, sizeof addr), 65507);
    assert_returns(recv(fd, data, sizeof data, 0), 65507);
    must(close(fd));
}

/* covers: sendto EDESTADDRREQ EINVAL */
static void destination_is_needed(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    int fd = bound(&addr);

    assert_errno(send(fd, "x", 1, 0), EDESTADDRREQ);
    assert_errno(sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, 4), EINVAL);
    addr.sin_port = 0;
    assert_errno(send_to(fd, "x", addr), EINVAL);
    must(close(fd));
}

/* covers: connect sendto recvfrom getpeername */
static void connection_sets_and_filters(void **state)
{
    (void)state;
    struct sockaddr_in a_addr, b_addr, c_addr, peer;
    socklen_t size = sizeof peer;
    int a = bound(&a_addr), b = bound(&b_addr), c = bound(&c_addr);
    char text[8];

    must(connect(a, (struct sockaddr *)&b_addr, sizeof b_addr));
    must(getpeername(a, (struct sockaddr *)&peer, &size));
    assert_int_equal(peer.sin_port, b_addr.sin_port);
    assert_returns(send(a, "to b", 4, 0), 4);
    assert_returns(recv(b, text, sizeof text, 0), 4);
    assert_returns(send_to(c, "stray", a_addr), 5);
    assert_returns(send_to(b, "right", a_addr), 5);
    assert_returns(recv(a, text, sizeof text, 0), 5);
    assert_memory_equal(text, "right", 5);
    assert_errno(recv(a, text, sizeof text, MSG_DONTWAIT), EAGAIN);
    must(close(a));
    must(close(b));
    must(close(c));
}

/* covers: connect AF_UNSPEC */
static void unspecified_family_ends_the_connection(void **state)
{
    (void)state;
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    struct sockaddr_in a_addr, b_addr;
    int a = bound(&a_addr), b = bound(&b_addr);

    must(connect(a, (struct sockaddr *)&b_addr, sizeof b_addr));
    must(connect(a, &none, sizeof none));
    assert_errno(send(a, "x", 1, 0), EDESTADDRREQ);
    must(close(a));
    must(close(b));
}

/* covers: recvfrom ECONNREFUSED */
static void connected_sender_learns_that_nobody_listens(void **state)
{
    (void)state;
    struct sockaddr_in a_addr, b_addr;
    int a = bound(&a_addr), b = bound(&b_addr);
    char c;

    must(close(b));
    must(connect(a, (struct sockaddr *)&b_addr, sizeof b_addr));
    assert_returns(send(a, "x", 1, 0), 1);
    assert_errno(recv(a, &c, 1, 0), ECONNREFUSED);
    must(close(a));
}

/* covers: bind EADDRINUSE */
static void taken_port_is_refused(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    int a = bound(&addr), b = must(socket(AF_INET, SOCK_DGRAM, 0));

    assert_errno(bind(b, (struct sockaddr *)&addr, sizeof addr), EADDRINUSE);
    must(close(a));
    must(bind(b, (struct sockaddr *)&addr, sizeof addr));
    must(close(b));
}

/* covers: sendto EACCES */
static void broadcast_needs_the_option(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    int fd = bound(&addr);

    addr.sin_addr.s_addr = htonl(INADDR_BROADCAST);
    errno = 0;
    assert_int_equal(send_to(fd, "x", addr), -1);
    assert_true(errno == EACCES || errno == ENETUNREACH); /* no route at all comes first */
    must(close(fd));
}

/* covers: recvfrom EINTR */
static void receiver_waits_for_a_message(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    struct sockaddr_in addr;
    int fd = bound(&addr);
    char c;

    interrupts_start(0);
    assert_errno(recv(fd, &c, 1, 0), EINTR);
    interrupts_stop();
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        assert_returns(recv(fd, &c, 1, 0), 1);
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_returns(send_to(fd, "x", addr), 1);
    assert_child_ok(pid);
    must(close(fd));
}

/* covers: ioctl FIONREAD poll */
static void length_of_the_first_message_is_told(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    int fd = bound(&addr), n = -1;

    assert_returns(send_to(fd, "abc", addr), 3);
    assert_returns(send_to(fd, "de", addr), 2);
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
    assert_returns(poll(&p, 1, -1), 1);
    assert_int_equal(p.revents, POLLIN | POLLOUT);
    must(ioctl(fd, FIONREAD, &n));
    assert_int_equal(n, 3);
    must(close(fd));
}

/* covers: listen EOPNOTSUPP accept EOPNOTSUPP */
static void datagram_socket_does_not_listen(void **state)
{
    (void)state;
    int fd = must(socket(AF_INET, SOCK_DGRAM, 0));

    assert_errno(listen(fd, 1), EOPNOTSUPP);
    assert_errno(accept(fd, NULL, NULL), EOPNOTSUPP);
    must(close(fd));
}

/* covers: recvfrom MSG_PEEK */
static void peek_leaves_the_message(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    int fd = bound(&addr);
    char text[8];

    assert_returns(send_to(fd, "abc", addr), 3);
    assert_returns(recv(fd, text, sizeof text, MSG_PEEK), 3);
    assert_returns(recv(fd, text, sizeof text, 0), 3);
    must(close(fd));
}

/* covers: write EDESTADDRREQ */
static void write_needs_a_destination_too(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    int fd = bound(&addr);

    assert_errno(write(fd, "x", 1), EDESTADDRREQ);
    must(connect(fd, (struct sockaddr *)&addr, sizeof addr));
    assert_returns(write(fd, "x", 1), 1);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_keep_their_borders_and_tell_their_sender),
        cmocka_unit_test(rest_of_a_message_is_lost),
        cmocka_unit_test(message_may_be_empty),
        cmocka_unit_test(too_long_message_is_refused),
        cmocka_unit_test(destination_is_needed),
        cmocka_unit_test(connection_sets_and_filters),
        cmocka_unit_test(unspecified_family_ends_the_connection),
        cmocka_unit_test(connected_sender_learns_that_nobody_listens),
        cmocka_unit_test(taken_port_is_refused),
        cmocka_unit_test(broadcast_needs_the_option),
        cmocka_unit_test(receiver_waits_for_a_message),
        cmocka_unit_test(length_of_the_first_message_is_told),
        cmocka_unit_test(datagram_socket_does_not_listen),
        cmocka_unit_test(peek_leaves_the_message),
        cmocka_unit_test(write_needs_a_destination_too),
    };

    return cmocka_run_group_tests_name("net/udp", tests, NULL, NULL);
}
