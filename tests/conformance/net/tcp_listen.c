/* tcp_listen.c: listening sockets and their queues; listen(2), accept(2), tcp(7). */
#include "loopback.h"

/* covers: close listen ECONNRESET */
static void closing_listener_resets_who_was_not_accepted(void **state)
{
    (void)state;
    in_port_t port;
    int listener = listener4(5, &port), client = must(socket(AF_INET, SOCK_STREAM, 0));
    char c;

    must(try_connect4(client, INADDR_LOOPBACK, port));
    must(close(listener));
    assert_errno(recv(client, &c, 1, 0), ECONNRESET);
    must(close(client));
}

/* covers: shutdown SHUT_RD accept EINVAL listen */
static void shut_listener_listens_no_more(void **state)
{
    (void)state;
    in_port_t port;
    int listener = listener4(5, &port), client = must(socket(AF_INET, SOCK_STREAM, 0));

    assert_int_equal(state_of(listener), TCP_LISTEN);
    must(shutdown(listener, SHUT_RD));
    assert_errno(accept(listener, NULL, NULL), EINVAL);
    assert_errno(try_connect4(client, INADDR_LOOPBACK, port), ECONNREFUSED);
    must(close(client));
    must(close(listener));
}

/* covers: listen EINVAL connect EISCONN accept EINVAL */
static void connected_socket_neither_listens_nor_accepts(void **state)
{
    (void)state;
    int fds[2];

    tcp_pair(fds);
    assert_errno(listen(fds[0], 1), EINVAL);
    assert_errno(accept(fds[0], NULL, NULL), EINVAL);
    assert_errno(try_connect4(fds[0], INADDR_LOOPBACK, 9), EISCONN);
    close_both(fds);
}

/* covers: listen connect EINPROGRESS EALREADY accept */
static void full_backlog_lets_clients_wait(void **state)
{
    (void)state;
    in_port_t port;
    int listener = listener4(0, &port), first = must(socket(AF_INET, SOCK_STREAM, 0));
    int second = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;

    must(try_connect4(first, INADDR_LOOPBACK, port));
    assert_errno(try_connect4(second, INADDR_LOOPBACK, port), EINPROGRESS);
    assert_int_equal(poll_now(second), 0);
    assert_errno(try_connect4(second, INADDR_LOOPBACK, port), EALREADY);
    assert_int_equal(state_of(second), TCP_SYN_SENT);
    assert_errno(getpeername(second, (struct sockaddr *)&peer, &size), ENOTCONN);
    must(close(must(accept(listener, NULL, NULL))));
    poll_until(second, POLLOUT);
    assert_int_equal(get_int(second, SOL_SOCKET, SO_ERROR), 0);
    must(close(must(accept(listener, NULL, NULL))));
    must(close(first));
    must(close(second));
    must(close(listener));
}

/* covers: connect EINTR */
static void waiting_client_is_interrupted(void **state)
{
    (void)state;
    in_port_t port;
    int listener = listener4(0, &port), first = must(socket(AF_INET, SOCK_STREAM, 0));
    int second = must(socket(AF_INET, SOCK_STREAM, 0));

    must(try_connect4(first, INADDR_LOOPBACK, port));
    interrupts_start(0);
    assert_errno(try_connect4(second, INADDR_LOOPBACK, port), EINTR);
    interrupts_stop();
    must(close(first));
    must(close(second));
    must(close(listener));
}

/* covers: setsockopt IPV6_V6ONLY accept */
static void ipv6_listener_serves_ipv4_unless_told_not_to(void **state)
{
    (void)state;
    struct sockaddr_in6 addr = v6(in6addr_any, 0), peer;
    socklen_t size = sizeof peer;

    loopback6_needed();
    int both = must(socket(AF_INET6, SOCK_STREAM, 0)),
        only = must(socket(AF_INET6, SOCK_STREAM, 0));
    int client = must(socket(AF_INET, SOCK_STREAM, 0));
    must(set_int(both, IPPROTO_IPV6, IPV6_V6ONLY, 0));
    must(set_int(only, IPPROTO_IPV6, IPV6_V6ONLY, 1));
    must(bind(both, (struct sockaddr *)&addr, sizeof addr));
    must(listen(both, 1));
    must(bind(only, (struct sockaddr *)&addr, sizeof addr));
    must(listen(only, 1));
    assert_errno(try_connect4(client, INADDR_LOOPBACK, port_of(only)), ECONNREFUSED);
    must(try_connect4(client, INADDR_LOOPBACK, port_of(both)));
    int server = must(accept(both, (struct sockaddr *)&peer, &size));
    assert_int_equal(peer.sin6_family, AF_INET6);
    assert_true(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
    assert_errno(set_int(both, IPPROTO_IPV6, IPV6_V6ONLY, 1), EINVAL);
    must(close(server));
    must(close(client));
    must(close(both));
    must(close(only));
}

static int deferring_listener(int seconds, in_port_t *port)
{
    int fd = listener4(5, port);

    must(set_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds));
    return fd;
}

static int client_of(in_port_t port)
{
    int fd = must(socket(AF_INET, SOCK_STREAM, 0));

    must(try_connect4(fd, INADDR_LOOPBACK, port));
    return fd;
}

/* covers: setsockopt TCP_DEFER_ACCEPT accept EAGAIN poll */
static void deferred_connection_is_accepted_with_its_first_bytes(void **state)
{
    (void)state;
    in_port_t port;
    int listener = deferring_listener(100, &port), client = client_of(port), server;
    char text[4] = "";

    must(fcntl(listener, F_SETFL, O_NONBLOCK));
    assert_int_equal(poll_now(listener), 0);
    assert_errno(accept(listener, NULL, NULL), EAGAIN);
    assert_returns(send(client, "abc", 3, 0), 3);
    poll_until(listener, POLLIN);
    server = must(accept(listener, NULL, NULL));
    assert_returns(recv(server, text, sizeof text, 0), 3);
    assert_string_equal(text, "abc");
    must(close(server));
    must(close(client));
    must(close(listener));
}

/* covers: setsockopt TCP_DEFER_ACCEPT accept */
static void deferred_connection_is_accepted_when_it_ends(void **state)
{
    (void)state;
    in_port_t port;
    int listener = deferring_listener(100, &port), client = client_of(port), server;
    char c;

    must(shutdown(client, SHUT_WR));
    server = must(accept(listener, NULL, NULL));
    assert_returns(recv(server, &c, 1, 0), 0);
    must(close(server));
    must(close(client));
    must(close(listener));
}

/* covers: setsockopt TCP_DEFER_ACCEPT accept */
static void deferred_connection_is_accepted_after_a_time(void **state)
{
    (void)state;
    in_port_t port;
    int listener = deferring_listener(1, &port), client = client_of(port), server;
    int64_t start = now_ms();

    server = must(accept(listener, NULL, NULL));
    assert_true(now_ms() - start >= 500);
    assert_returns(send(client, "x", 1, 0), 1);
    must(close(server));
    must(close(client));
    must(close(listener));
}

/* covers: setsockopt TCP_DEFER_ACCEPT close */
static void closing_listener_resets_who_was_deferred(void **state)
{
    (void)state;
    in_port_t port;
    int listener = deferring_listener(100, &port), client = client_of(port);
    char c;

    must(close(listener));
    assert_errno(send(client, "x", 1, 0) == 1 ? recv(client, &c, 1, 0) : -1, ECONNRESET);
    must(close(client));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closing_listener_resets_who_was_not_accepted),
        cmocka_unit_test(shut_listener_listens_no_more),
        cmocka_unit_test(connected_socket_neither_listens_nor_accepts),
        cmocka_unit_test(full_backlog_lets_clients_wait),
        cmocka_unit_test(waiting_client_is_interrupted),
        cmocka_unit_test(ipv6_listener_serves_ipv4_unless_told_not_to),
        cmocka_unit_test(deferred_connection_is_accepted_with_its_first_bytes),
        cmocka_unit_test(deferred_connection_is_accepted_when_it_ends),
        cmocka_unit_test(deferred_connection_is_accepted_after_a_time),
        cmocka_unit_test(closing_listener_resets_who_was_deferred),
    };

    return cmocka_run_group_tests_name("net/tcp_listen", tests, NULL, NULL);
}
