/* tcp_states.c: the states of a TCP connection as poll, errors and TCP_INFO show them; tcp(7), RFC 9293. */
#include "loopback.h"

#include <signal.h>

/* covers: poll POLLOUT POLLHUP */
static void fresh_socket_is_hung_up(void **state)
{
    (void)state;
    int fd = must(socket(AF_INET, SOCK_STREAM, 0));

    assert_int_equal(poll_now(fd), CAN_WRITE | POLLHUP);
    assert_int_equal(state_of(fd), TCP_CLOSE);
    must(close(fd));
}

/* covers: shutdown SHUT_WR getsockopt TCP_INFO poll POLLRDHUP */
static void half_closed_sides_have_their_states(void **state)
{
    (void)state;
    int fds[2];

    tcp_pair(fds);
    assert_int_equal(poll_now(fds[0]), CAN_WRITE);
    must(shutdown(fds[0], SHUT_WR));
    poll_until(fds[1], POLLRDHUP);
    /* The acknowledgement of FIN may take its time. */
    assert_true(state_of(fds[0]) == TCP_FIN_WAIT1 || state_of(fds[0]) == TCP_FIN_WAIT2);
    assert_int_equal(state_of(fds[1]), TCP_CLOSE_WAIT);
    assert_int_equal(poll_now(fds[0]), CAN_WRITE);
    assert_int_equal(poll_now(fds[1]), CAN_READ | POLLRDHUP | CAN_WRITE);
    must(shutdown(fds[1], SHUT_WR));
    poll_until(fds[0], POLLRDHUP);
    assert_int_equal(state_of(fds[0]), TCP_CLOSE);
    assert_int_equal(state_of(fds[1]), TCP_CLOSE);
    assert_int_equal(poll_now(fds[0]), CAN_READ | POLLRDHUP | CAN_WRITE | POLLHUP);
    assert_int_equal(poll_now(fds[1]), CAN_READ | POLLRDHUP | CAN_WRITE | POLLHUP);
    assert_errno(shutdown(fds[0], SHUT_RDWR), ENOTCONN);
    close_both(fds);
}

/* covers: getpeername ENOTCONN */
static void peer_of_a_finished_connection_is_gone(void **state)
{
    (void)state;
    struct sockaddr_in addr;
    socklen_t size = sizeof addr;
    int fds[2];

    tcp_pair(fds);
    must(shutdown(fds[0], SHUT_WR));
    must(getpeername(fds[0], (struct sockaddr *)&addr, &size));
    must(shutdown(fds[1], SHUT_WR));
    poll_until(fds[0], POLLRDHUP);
    assert_errno(getpeername(fds[0], (struct sockaddr *)&addr, &size), ENOTCONN);
    close_both(fds);
}

/* covers: shutdown SHUT_RD recvfrom */
static void reading_side_shut_reads_what_comes_then_the_end(void **state)
{
    (void)state;
    int fds[2];
    char c;

    tcp_pair(fds);
    must(shutdown(fds[1], SHUT_RD));
    assert_returns(recv(fds[1], &c, 1, 0), 0);
    assert_int_equal(poll_now(fds[1]), CAN_READ | POLLRDHUP | CAN_WRITE);
    assert_returns(send(fds[0], "x", 1, 0), 1);
    assert_returns(recv(fds[1], &c, 1, 0), 1);
    assert_returns(recv(fds[1], &c, 1, 0), 0);
    close_both(fds);
}

/* covers: sendto EPIPE close */
static void writing_to_a_closed_peer_breaks_the_second_time(void **state)
{
    (void)state;
    int fds[2];

    tcp_pair(fds);
    must(close(fds[1]));
    poll_until(fds[0], POLLRDHUP);
    assert_returns(send(fds[0], "x", 1, MSG_NOSIGNAL), 1);
    poll_until(fds[0], POLLERR);
    assert_int_equal(poll_now(fds[0]), CAN_READ | POLLRDHUP | CAN_WRITE | POLLHUP | POLLERR);
    assert_errno(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    char c;
    assert_returns(recv(fds[0], &c, 1, 0), 0);
    must(close(fds[0]));
}

static volatile sig_atomic_t pipe_signals;
static void count_pipe(int signo)
{
    (void)signo;
    pipe_signals++;
}

/* covers: sendto EPIPE SIGPIPE MSG_NOSIGNAL */
static void broken_connection_signals(void **state)
{
    (void)state;
    int fds[2];

    pipe_signals = 0;
    signal(SIGPIPE, count_pipe);
    tcp_pair(fds);
    must(shutdown(fds[0], SHUT_WR));
    assert_errno(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    assert_int_equal(pipe_signals, 0);
    assert_errno(send(fds[0], "x", 1, 0), EPIPE);
    assert_int_equal(pipe_signals, 1);
    signal(SIGPIPE, SIG_DFL);
    close_both(fds);
}

/* covers: recvfrom ECONNRESET getsockopt SO_ERROR poll POLLERR */
static void reset_is_told_once(void **state)
{
    (void)state;
    int fds[2];
    char c;

    tcp_pair(fds);
    assert_returns(send(fds[0], "unread", 6, 0), 6);
    poll_until(fds[1], POLLIN);
    must(close(fds[1]));
    poll_until(fds[0], POLLERR);
    assert_int_equal(poll_now(fds[0]), CAN_READ | POLLRDHUP | CAN_WRITE | POLLHUP | POLLERR);
    assert_int_equal(get_int(fds[0], SOL_SOCKET, SO_ERROR), ECONNRESET);
    assert_int_equal(get_int(fds[0], SOL_SOCKET, SO_ERROR), 0);
    assert_returns(recv(fds[0], &c, 1, 0), 0);
    assert_errno(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    must(close(fds[0]));
}

/* covers: recvfrom ECONNRESET */
static void bytes_before_a_reset_are_read_first(void **state)
{
    (void)state;
    struct linger now = {1, 0};
    int fds[2];
    char text[8];

    tcp_pair(fds);
    assert_returns(send(fds[1], "last", 4, 0), 4);
    poll_until(fds[0], POLLIN);
    must(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &now, sizeof now));
    must(close(fds[1]));
    poll_until(fds[0], POLLERR);
    assert_returns(recv(fds[0], text, sizeof text, 0), 4);
    assert_errno(recv(fds[0], text, sizeof text, 0), ECONNRESET);
    assert_returns(recv(fds[0], text, sizeof text, 0), 0);
    must(close(fds[0]));
}

/* covers: connect AF_UNSPEC */
static void unspecified_address_cuts_a_connection_off(void **state)
{
    (void)state;
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    in_port_t port;
    int listener = listener4(5, &port), client = must(socket(AF_INET, SOCK_STREAM, 0));
    char c;

    must(try_connect4(client, INADDR_LOOPBACK, port));
    int server = must(accept(listener, NULL, NULL));
    must(connect(client, &none, sizeof none));
    assert_errno(recv(server, &c, 1, 0), ECONNRESET);
    assert_errno(recv(client, &c, 1, 0), ECONNRESET); /* its own doing, told as any reset */
    assert_errno(recv(client, &c, 1, 0), ENOTCONN);
    must(close(server));
    must(try_connect4(client, INADDR_LOOPBACK, port));
    server = must(accept(listener, NULL, NULL));
    assert_returns(send(client, "x", 1, 0), 1);
    assert_returns(recv(server, &c, 1, 0), 1);
    must(close(server));
    must(close(client));
    must(close(listener));
}

/* covers: connect ECONNREFUSED */
static void refused_socket_may_try_again(void **state)
{
    (void)state;
    in_port_t port, dead;
    int gone = listener4(1, &dead), listener, client = must(socket(AF_INET, SOCK_STREAM, 0));

    must(close(gone));
    assert_errno(try_connect4(client, INADDR_LOOPBACK, dead), ECONNREFUSED);
    listener = listener4(1, &port);
    must(try_connect4(client, INADDR_LOOPBACK, port));
    must(close(client));
    must(close(listener));
}

/* covers: connect bind */
static void socket_may_connect_to_itself(void **state)
{
    (void)state;
    int fd = must(socket(AF_INET, SOCK_STREAM, 0));
    char text[4];

    loopback_needed();
    must(try_bind4(fd, INADDR_LOOPBACK, 0));
    must(try_connect4(fd, INADDR_LOOPBACK, port_of(fd)));
    assert_returns(send(fd, "self", 4, 0), 4);
    assert_returns(recv(fd, text, 4, MSG_WAITALL), 4);
    assert_memory_equal(text, "self", 4);
    must(shutdown(fd, SHUT_WR));
    assert_returns(recv(fd, text, 4, 0), 0);
    must(close(fd));
}

/* covers: connect */
static void any_address_means_this_machine(void **state)
{
    (void)state;
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    in_port_t port;
    int listener = listener4(1, &port), client = must(socket(AF_INET, SOCK_STREAM, 0));

    must(try_connect4(client, INADDR_ANY, port));
    must(getpeername(client, (struct sockaddr *)&peer, &size));
    assert_int_equal(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    must(close(client));
    must(close(listener));
}

/* covers: bind connect */
static void whole_network_127_is_local(void **state)
{
    (void)state;
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    int listener = must(socket(AF_INET, SOCK_STREAM, 0));
    int client = must(socket(AF_INET, SOCK_STREAM, 0));

    loopback_needed();
    must(try_bind4(listener, 0x7f010203, 0));
    must(listen(listener, 1));
    assert_errno(try_connect4(client, INADDR_LOOPBACK, port_of(listener)), ECONNREFUSED);
    must(try_connect4(client, 0x7f010203, port_of(listener)));
    must(getsockname(client, (struct sockaddr *)&name, &size));
    assert_int_equal(name.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    must(close(client));
    must(close(listener));
}

/* ---- IPv6 ---- */

/* covers: connect accept getpeername */
static void ipv6_connects_over_its_loopback(void **state)
{
    (void)state;
    struct sockaddr_in6 addr = v6(in6addr_loopback, 0), peer;
    socklen_t size = sizeof peer;

    loopback6_needed();
    int listener = must(socket(AF_INET6, SOCK_STREAM, 0));
    int client = must(socket(AF_INET6, SOCK_STREAM, 0));
    must(bind(listener, (struct sockaddr *)&addr, sizeof addr));
    must(listen(listener, 1));
    addr.sin6_port = htons(port_of(listener));
    must(connect(client, (struct sockaddr *)&addr, sizeof addr));
    int server = must(accept(listener, (struct sockaddr *)&peer, &size));
    assert_int_equal(size, sizeof peer);
    assert_memory_equal(&peer.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback);
    assert_int_equal(ntohs(peer.sin6_port), port_of(client));
    must(close(server));
    must(close(client));
    must(close(listener));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_socket_is_hung_up),
        cmocka_unit_test(half_closed_sides_have_their_states),
        cmocka_unit_test(peer_of_a_finished_connection_is_gone),
        cmocka_unit_test(reading_side_shut_reads_what_comes_then_the_end),
        cmocka_unit_test(writing_to_a_closed_peer_breaks_the_second_time),
        cmocka_unit_test(broken_connection_signals),
        cmocka_unit_test(reset_is_told_once),
        cmocka_unit_test(bytes_before_a_reset_are_read_first),
        cmocka_unit_test(unspecified_address_cuts_a_connection_off),
        cmocka_unit_test(refused_socket_may_try_again),
        cmocka_unit_test(socket_may_connect_to_itself),
        cmocka_unit_test(any_address_means_this_machine),
        cmocka_unit_test(whole_network_127_is_local),
        cmocka_unit_test(ipv6_connects_over_its_loopback),
    };

    return cmocka_run_group_tests_name("net/tcp_states", tests, NULL, NULL);
}
