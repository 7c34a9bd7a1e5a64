/* tcp_states.c: the states of a TCP connection as poll, errors and TCP_INFO show them; tcp(7), RFC 9293. */
#include "loopback.h"

#include <signal.h>

static int state_of(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    must(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
    return info.tcpi_state;
}

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
        cmocka_unit_test(closing_listener_resets_who_was_not_accepted),
        cmocka_unit_test(shut_listener_listens_no_more),
        cmocka_unit_test(connected_socket_neither_listens_nor_accepts),
        cmocka_unit_test(full_backlog_lets_clients_wait),
        cmocka_unit_test(waiting_client_is_interrupted),
        cmocka_unit_test(refused_socket_may_try_again),
        cmocka_unit_test(socket_may_connect_to_itself),
        cmocka_unit_test(any_address_means_this_machine),
        cmocka_unit_test(whole_network_127_is_local),
        cmocka_unit_test(full_connection_is_not_writable_until_it_is_read),
        cmocka_unit_test(small_buffers_hold_less),
        cmocka_unit_test(writer_waits_for_room),
        cmocka_unit_test(reader_waits_as_long_as_it_is_told),
        cmocka_unit_test(low_water_mark_holds_reading_back),
        cmocka_unit_test(waiting_for_all_spans_messages),
        cmocka_unit_test(urgent_byte_is_read_once),
        cmocka_unit_test(urgent_byte_stands_in_line_when_asked),
        cmocka_unit_test(urgent_byte_signals_the_owner),
        cmocka_unit_test(ipv6_connects_over_its_loopback),
        cmocka_unit_test(ipv6_listener_serves_ipv4_unless_told_not_to),
    };

    return cmocka_run_group_tests_name("net/tcp_states", tests, NULL, NULL);
}
