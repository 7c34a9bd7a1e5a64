/* tcp.c: TCP over the loopback interface, tcp(7) and ip(7). */
#include "../lib/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct sockaddr_in loopback(in_port_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int new_tcp(int flags)
{
    return must(socket(AF_INET, SOCK_STREAM | flags, 0));
}

static struct sockaddr_in name_of(int fd)
{
    struct sockaddr_in addr;
    socklen_t size = sizeof addr;

    must(getsockname(fd, (struct sockaddr *)&addr, &size));
    assert_int_equal(size, sizeof addr);
    return addr;
}

/* Listens on a port that the kernel chooses; skips where there is no loopback interface. */
static int new_listener(int backlog, struct sockaddr_in *addr)
{
    int fd = new_tcp(0), probe = must(socket(AF_INET, SOCK_DGRAM, 0));

    *addr = loopback(htons(9));
    if (connect(probe, (struct sockaddr *)addr, sizeof *addr) != 0)
        skip_because("the loopback interface is down");
    must(close(probe));
    *addr = loopback(0);
    must(bind(fd, (struct sockaddr *)addr, sizeof *addr));
    must(listen(fd, backlog));
    *addr = name_of(fd);
    return fd;
}

static void connect_pair(int fds[2])
{
    struct sockaddr_in addr;
    int listener = new_listener(5, &addr);

    fds[0] = new_tcp(0);
    must(connect(fds[0], (struct sockaddr *)&addr, sizeof addr));
    fds[1] = must(accept(listener, NULL, NULL));
    must(close(listener));
}

static void close_pair(int fds[2])
{
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: connect accept sendto recvfrom */
static void bytes_go_both_ways(void **state)
{
    (void)state;
    int fds[2];
    char text[8];

    connect_pair(fds);
    assert_returns(send(fds[0], "ping", 4, 0), 4);
    assert_returns(recv(fds[1], text, 4, MSG_WAITALL), 4);
    assert_memory_equal(text, "ping", 4);
    assert_returns(write(fds[1], "pong", 4), 4);
    assert_returns(recv(fds[0], text, 4, MSG_WAITALL), 4);
    assert_memory_equal(text, "pong", 4);
    close_pair(fds);
}

/* covers: sendto recvfrom */
static void large_transfer_is_complete(void **state)
{
    (void)state;
    enum { SIZE = 2000003 };
    unsigned char *data = malloc(SIZE), *back = malloc(SIZE);
    int fds[2];
    size_t got = 0;

    for (size_t i = 0; i < SIZE; i++)
        data[i] = (unsigned char)(i * 5 + i / 1021);
    connect_pair(fds);
    pid_t pid = child_fork();
    if (pid == 0) {
        assert_returns(send(fds[0], data, SIZE, 0), SIZE);
        _exit(0);
    }
    while (got < SIZE)
        got += (size_t)must(recv(fds[1], back + got, SIZE - got, 0));
    assert_memory_equal(back, data, SIZE);
    assert_child_ok(pid);
    free(data);
    free(back);
    close_pair(fds);
}

/* covers: getsockname getpeername accept */
static void both_ends_know_both_names(void **state)
{
    (void)state;
    struct sockaddr_in addr, from, peer;
    socklen_t size = sizeof from;
    int listener = new_listener(5, &addr), client = new_tcp(0);

    must(connect(client, (struct sockaddr *)&addr, sizeof addr));
    int server = must(accept(listener, (struct sockaddr *)&from, &size));
    assert_int_equal(size, sizeof from);
    assert_int_equal(from.sin_family, AF_INET);
    assert_int_equal(from.sin_port, name_of(client).sin_port);
    assert_int_equal(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    size = sizeof peer;
    must(getpeername(client, (struct sockaddr *)&peer, &size));
    assert_int_equal(peer.sin_port, addr.sin_port);
    assert_int_equal(name_of(server).sin_port, addr.sin_port);
    must(close(server));
    must(close(client));
    must(close(listener));
}

/* covers: connect ECONNREFUSED */
static void nobody_listening_refuses(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    int listener = new_listener(5, &addr), client = new_tcp(0);

    must(close(listener));
    assert_errno(connect(client, (struct sockaddr *)&addr, sizeof addr), ECONNREFUSED);
    must(close(client));
}

/* covers: connect EINPROGRESS EISCONN getsockopt SO_ERROR */
static void nonblocking_connection_is_finished_later(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    int listener = new_listener(5, &addr), client = new_tcp(SOCK_NONBLOCK), error = -1;
    socklen_t size = sizeof error;

    assert_errno(connect(client, (struct sockaddr *)&addr, sizeof addr), EINPROGRESS);
    struct pollfd p = {.fd = client, .events = POLLOUT};
    assert_returns(poll(&p, 1, PATIENCE_MS), 1);
    assert_int_equal(p.revents, POLLOUT);
    must(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size));
    assert_int_equal(error, 0);
    assert_returns(connect(client, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_errno(connect(client, (struct sockaddr *)&addr, sizeof addr), EISCONN);
    must(close(client));
    must(close(listener));
}

/* covers: connect EINPROGRESS getsockopt SO_ERROR */
static void failed_nonblocking_connection_tells_its_error(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    int listener = new_listener(5, &addr), client = new_tcp(SOCK_NONBLOCK), error = -1;
    socklen_t size = sizeof error;

    must(close(listener));
    errno = 0;
    assert_int_equal(connect(client, (struct sockaddr *)&addr, sizeof addr), -1);
    if (errno == EINPROGRESS) {
        struct pollfd p = {.fd = client, .events = POLLOUT};
        assert_returns(poll(&p, 1, PATIENCE_MS), 1);
        assert_int_equal(p.revents, POLLOUT | POLLERR | POLLHUP);
        must(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size));
        assert_int_equal(error, ECONNREFUSED);
        must(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size));
        assert_int_equal(error, 0); /* told once */
    } else {
        assert_int_equal(errno, ECONNREFUSED);
    }
    must(close(client));
}

/* covers: bind EADDRINUSE EINVAL */
static void taken_port_is_refused(void **state)
{
    (void)state;
    struct sockaddr_in addr, any = loopback(0);
    int listener = new_listener(5, &addr), other = new_tcp(0);

    assert_errno(bind(other, (struct sockaddr *)&addr, sizeof addr), EADDRINUSE);
    must(bind(other, (struct sockaddr *)&any, sizeof any));
    assert_errno(bind(other, (struct sockaddr *)&any, sizeof any), EINVAL);
    must(close(other));
    must(close(listener));
}

/* covers: bind EADDRNOTAVAIL EAFNOSUPPORT EINVAL */
static void foreign_address_is_refused(void **state)
{
    (void)state;
    struct sockaddr_in addr = loopback(0);
    int fd = new_tcp(0);

    addr.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1, of nobody */
    assert_errno(bind(fd, (struct sockaddr *)&addr, sizeof addr), EADDRNOTAVAIL);
    addr = loopback(0);
    assert_errno(bind(fd, (struct sockaddr *)&addr, 4), EINVAL);
    addr.sin_family = AF_UNIX;
    assert_errno(bind(fd, (struct sockaddr *)&addr, sizeof addr), EAFNOSUPPORT);
    must(close(fd));
}

/* covers: listen getsockname */
static void listening_without_a_name_takes_one(void **state)
{
    (void)state;
    int fd = new_tcp(0);

    must(listen(fd, 1));
    assert_true(name_of(fd).sin_port != 0);
    must(close(fd));
}

/* covers: recvfrom close POLLRDHUP */
static void end_of_stream_after_close(void **state)
{
    (void)state;
    int fds[2];
    char text[4];

    connect_pair(fds);
    assert_returns(send(fds[0], "ab", 2, 0), 2);
    must(close(fds[0]));
    assert_returns(recv(fds[1], text, 2, MSG_WAITALL), 2);
    assert_returns(recv(fds[1], text, sizeof text, 0), 0);
    struct pollfd p = {.fd = fds[1], .events = POLLIN | POLLRDHUP};
    assert_returns(poll(&p, 1, 0), 1);
    assert_int_equal(p.revents, POLLIN | POLLRDHUP);
    must(close(fds[1]));
}

/* covers: shutdown SHUT_WR */
static void half_close_ends_one_direction(void **state)
{
    (void)state;
    int fds[2];
    char c;

    connect_pair(fds);
    must(shutdown(fds[0], SHUT_WR));
    assert_returns(recv(fds[1], &c, 1, 0), 0);
    assert_returns(send(fds[1], "x", 1, 0), 1);
    assert_returns(recv(fds[0], &c, 1, 0), 1);
    assert_errno(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    close_pair(fds);
}

/* covers: recvfrom ECONNRESET */
static void close_with_unread_data_resets(void **state)
{
    (void)state;
    int fds[2];
    char c;

    connect_pair(fds);
    assert_returns(send(fds[0], "unread", 6, 0), 6);
    assert_returns(recv(fds[1], &c, 1, MSG_PEEK), 1); /* it has arrived */
    must(close(fds[1]));
    assert_errno(recv(fds[0], &c, 1, 0), ECONNRESET);
    must(close(fds[0]));
}

/* covers: setsockopt SO_LINGER close */
static void linger_of_zero_resets(void **state)
{
    (void)state;
    struct linger linger = {1, 0};
    int fds[2];
    char c;

    connect_pair(fds);
    must(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    must(close(fds[1]));
    assert_errno(recv(fds[0], &c, 1, 0), ECONNRESET);
    must(close(fds[0]));
}

/* covers: sendto EPIPE recvfrom ENOTCONN getpeername ENOTCONN */
static void unconnected_socket_cannot_send_or_receive(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    socklen_t size = sizeof addr;
    int fd = new_tcp(0);
    char c;

    assert_errno(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
    assert_errno(recv(fd, &c, 1, 0), ENOTCONN);
    assert_errno(getpeername(fd, (struct sockaddr *)&addr, &size), ENOTCONN);
    must(close(fd));
}

/* covers: accept EAGAIN EINTR */
static void accept_waits_for_a_connection(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    struct gate *gate = gate_new();
    int listener = new_listener(5, &addr);

    interrupts_start(0);
    assert_errno(accept(listener, NULL, NULL), EINTR);
    interrupts_stop();
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        must(accept(listener, NULL, NULL));
        _exit(0);
    }
    gate_wait_blocked(gate);
    int client = new_tcp(0);
    must(connect(client, (struct sockaddr *)&addr, sizeof addr));
    assert_child_ok(pid);
    must(fcntl(listener, F_SETFL, O_NONBLOCK));
    assert_errno(accept(listener, NULL, NULL), EAGAIN);
    must(close(client));
    must(close(listener));
}

/* covers: poll listen */
static void poll_reports_a_connection_to_accept(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    int listener = new_listener(5, &addr), client = new_tcp(0);
    struct pollfd p = {.fd = listener, .events = POLLIN};

    assert_returns(poll(&p, 1, 0), 0);
    must(connect(client, (struct sockaddr *)&addr, sizeof addr));
    assert_returns(poll(&p, 1, PATIENCE_MS), 1);
    assert_int_equal(p.revents, POLLIN);
    must(close(client));
    must(close(listener));
}

/* covers: sendto MSG_OOB recvfrom MSG_OOB poll POLLPRI ioctl SIOCATMARK */
static void urgent_byte_goes_out_of_band(void **state)
{
    (void)state;
    int fds[2], mark = -1;
    char c;

    connect_pair(fds);
    assert_returns(send(fds[0], "ab", 2, 0), 2);
    assert_returns(send(fds[0], "!", 1, MSG_OOB), 1);
    struct pollfd p = {.fd = fds[1], .events = POLLPRI};
    assert_returns(poll(&p, 1, PATIENCE_MS), 1);
    assert_int_equal(p.revents, POLLPRI);
    assert_returns(recv(fds[1], &c, 1, MSG_OOB), 1);
    assert_int_equal(c, '!');
    char text[4];
    assert_returns(recv(fds[1], text, sizeof text, 0), 2); /* stops at the mark */
    must(ioctl(fds[1], SIOCATMARK, &mark));
    assert_int_equal(mark, 1);
    close_pair(fds);
}

/* covers: setsockopt SO_REUSEADDR bind */
static void reuse_option_lets_a_server_come_back(void **state)
{
    (void)state;
    struct sockaddr_in addr = loopback(0), probe;
    int on = 1, listener = new_listener(1, &probe), client = new_tcp(0);

    must(close(listener));
    listener = new_tcp(0);
    must(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    must(bind(listener, (struct sockaddr *)&addr, sizeof addr));
    must(listen(listener, 1));
    addr = name_of(listener);
    must(connect(client, (struct sockaddr *)&addr, sizeof addr));
    int server = must(accept(listener, NULL, NULL));
    must(close(server)); /* the server's side waits for the end of the connection */
    must(close(listener));
    must(close(client));
    listener = new_tcp(0);
    must(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    must(bind(listener, (struct sockaddr *)&addr, sizeof addr));
    must(close(listener));
}

/* covers: getsockopt TCP_INFO TCP_MAXSEG */
static void state_of_the_connection_is_told(void **state)
{
    (void)state;
    struct tcp_info info;
    socklen_t size = sizeof info;
    int fds[2], segment = 0;

    connect_pair(fds);
    must(getsockopt(fds[0], IPPROTO_TCP, TCP_INFO, &info, &size));
    assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);
    size = sizeof segment;
    must(getsockopt(fds[0], IPPROTO_TCP, TCP_MAXSEG, &segment, &size));
    assert_true(segment >= 536);
    close_pair(fds);
}

/* covers: connect EFAULT EINVAL EAFNOSUPPORT accept EFAULT */
static void addresses_and_families_are_checked(void **state)
{
    (void)state;
    struct sockaddr_in addr, wrong;
    int listener = new_listener(5, &addr), client = new_tcp(0), other = new_tcp(0);
    socklen_t size = sizeof addr;

    assert_errno(connect(client, BAD_PTR, sizeof addr), EFAULT);
    assert_errno(connect(client, (struct sockaddr *)&addr, 4), EINVAL);
    wrong = addr;
    wrong.sin_family = AF_UNIX;
    assert_errno(connect(client, (struct sockaddr *)&wrong, sizeof wrong), EAFNOSUPPORT);
    must(connect(client, (struct sockaddr *)&addr, sizeof addr));
    assert_errno(accept(listener, BAD_PTR, &size), EFAULT);
    must(connect(other, (struct sockaddr *)&addr, sizeof addr));
    assert_errno(accept(listener, (struct sockaddr *)&addr, BAD_PTR), EFAULT);
    must(close(client));
    must(close(other));
    must(close(listener));
}

/* covers: listen EADDRINUSE */
static void two_listeners_on_one_port_are_refused(void **state)
{
    (void)state;
    struct sockaddr_in addr = loopback(0);
    int a = new_tcp(0), b = new_tcp(0), on = 1;

    must(setsockopt(a, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    must(setsockopt(b, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    must(bind(a, (struct sockaddr *)&addr, sizeof addr));
    addr = name_of(a);
    must(bind(b, (struct sockaddr *)&addr, sizeof addr));
    must(listen(a, 1));
    assert_errno(listen(b, 1), EADDRINUSE);
    must(close(a));
    must(close(b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways),
        cmocka_unit_test(large_transfer_is_complete),
        cmocka_unit_test(both_ends_know_both_names),
        cmocka_unit_test(nobody_listening_refuses),
        cmocka_unit_test(nonblocking_connection_is_finished_later),
        cmocka_unit_test(failed_nonblocking_connection_tells_its_error),
        cmocka_unit_test(taken_port_is_refused),
        cmocka_unit_test(foreign_address_is_refused),
        cmocka_unit_test(listening_without_a_name_takes_one),
        cmocka_unit_test(end_of_stream_after_close),
        cmocka_unit_test(half_close_ends_one_direction),
        cmocka_unit_test(close_with_unread_data_resets),
        cmocka_unit_test(linger_of_zero_resets),
        cmocka_unit_test(unconnected_socket_cannot_send_or_receive),
        cmocka_unit_test(accept_waits_for_a_connection),
        cmocka_unit_test(poll_reports_a_connection_to_accept),
        cmocka_unit_test(urgent_byte_goes_out_of_band),
        cmocka_unit_test(reuse_option_lets_a_server_come_back),
        cmocka_unit_test(state_of_the_connection_is_told),
        cmocka_unit_test(addresses_and_families_are_checked),
        cmocka_unit_test(two_listeners_on_one_port_are_refused),
    };

    return cmocka_run_group_tests_name("net/tcp", tests, NULL, NULL);
}
