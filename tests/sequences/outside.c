/* tests/sequences/outside.c: connections and datagrams beyond the instance, on the mock's network. */
#include "sequence.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#define ECHO   7
#define SLOW   9
#define CLOSED 10

static mock_user address(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

    inet_pton(AF_INET, "203.0.113.1", &to.sin_addr);
    return mock_put(&to, sizeof(to));
}

static void expect_echo(long fd)
{
    mock_user room = mock_room(16);

    expect_equal(mock_call(__NR_write, fd, mock_string("hello"), 5), 5);
    expect_equal(mock_call(__NR_read, fd, room, 16), 5);
}

static int connect_and_talk(void *arg)
{
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_STREAM, 0));

    expect_equal(mock_call(__NR_connect, fd, address(ECHO), sizeof(struct sockaddr_in)), 0);
    expect_echo(fd);
    expect_equal(mock_call(__NR_shutdown, fd, SHUT_WR), 0);
    expect_equal(mock_call(__NR_read, fd, mock_room(4), 4), 0);
    must(mock_call(__NR_close, fd));
    return 0;
}

static int connect_slowly(void *arg)
{
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_STREAM, 0));

    expect_equal(mock_call(__NR_connect, fd, address(SLOW), sizeof(struct sockaddr_in)), 0);
    expect_echo(fd);
    must(mock_call(__NR_close, fd));
    return 0;
}

static int be_refused(void *arg)
{
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_STREAM, 0));

    expect_equal(mock_call(__NR_connect, fd, address(CLOSED), sizeof(struct sockaddr_in)),
                 -ECONNREFUSED);
    must(mock_call(__NR_close, fd));
    return 0;
}

static int send_datagrams(void *arg)
{
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_DGRAM, 0));
    mock_user room = mock_room(16);

    expect_equal(mock_call(__NR_sendto, fd, mock_string("hello"), 5, 0, address(ECHO),
                           sizeof(struct sockaddr_in)),
                 5);
    expect_equal(mock_call(__NR_recvfrom, fd, room, 3, MSG_TRUNC, 0, 0), 5);
    expect_equal(mock_call(__NR_recvfrom, fd, room, 3, MSG_DONTWAIT, 0, 0), -EAGAIN);
    expect_equal(mock_call(__NR_connect, fd, address(ECHO), sizeof(struct sockaddr_in)), 0);
    expect_echo(fd);
    must(mock_call(__NR_close, fd));
    return 0;
}

/* Sleeps until the answer is there. */
static int poll_for_the_answer(void *arg)
{
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_STREAM, 0));
    struct pollfd what = {.fd = (int)fd, .events = POLLIN};
    mock_user fds = mock_put(&what, sizeof(what));

    must(mock_call(__NR_connect, fd, address(ECHO), sizeof(struct sockaddr_in)));
    expect_equal(mock_call(__NR_poll, fds, 1, 0), 0);
    expect_equal(mock_call(__NR_write, fd, mock_string("x"), 1), 1);
    expect_equal(mock_call(__NR_poll, fds, 1, 1000), 1);
    expect_equal(mock_get(struct pollfd, fds).revents, POLLIN);
    expect_equal(mock_call(__NR_read, fd, mock_room(4), 4), 1);
    expect_equal(mock_call(__NR_poll, fds, 1, 10), 0);
    must(mock_call(__NR_close, fd));
    return 0;
}

/* --- and into it ----------------------------------------------------------------------------------------- */

#define HTTP 80

static const struct mock_options published = {.publish = {HTTP, HTTP + 1}};

static long listen_at(uint16_t port, int backlog)
{
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};

    must(mock_call(__NR_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, mock_put(&(int){1}, 4), 4));
    must(mock_call(__NR_bind, fd, mock_put(&any, sizeof(any)), sizeof(any)));
    must(mock_call(__NR_listen, fd, backlog));
    return fd;
}

static int serve(void *arg)
{
    long fd = listen_at(HTTP, 5), connection;
    mock_user peer = mock_room(sizeof(struct sockaddr_in)), room = mock_room(16);

    expect_equal(mock_host_connect(HTTP, "hello"), 0);
    connection =
        must(mock_call(__NR_accept, fd, peer, mock_put(&(int){sizeof(struct sockaddr_in)}, 4)));
    expect_equal(ntohl(mock_get(struct sockaddr_in, peer).sin_addr.s_addr), 0xcb007101);
    expect_equal(mock_call(__NR_read, connection, room, 16), 5);
    expect_equal(mock_get(char, room), 'h');
    expect_echo(connection);
    must(mock_call(__NR_close, connection));
    must(mock_call(__NR_close, fd));
    return 0;
}

static void who_comes_from_outside_is_served_(void **state)
{
    sequence_with(serve, published);
}

static long accept_soon(long fd)
{
    struct pollfd what = {.fd = (int)fd, .events = POLLIN};

    expect_equal(mock_call(__NR_poll, mock_put(&what, sizeof(what)), 1, 1000), 1);
    return must(mock_call(__NR_accept, fd, 0, 0));
}

/* More than may wait inside wait outside. */
static int serve_a_crowd(void *arg)
{
    long fd = listen_at(HTTP, 1);

    for (int i = 0; i < 5; i++)
        expect_equal(mock_host_connect(HTTP, "hello"), 0);
    for (int i = 0; i < 5; i++)
        must(mock_call(__NR_close, accept_soon(fd)));
    expect_equal(mock_call(__NR_fcntl, fd, F_SETFL, O_NONBLOCK), 0);
    expect_equal(mock_call(__NR_accept, fd, 0, 0), -EAGAIN);
    must(mock_call(__NR_close, fd));
    return 0;
}

static void a_crowd_waits_outside_(void **state)
{
    sequence_with(serve_a_crowd, published);
}

static int nobody_is_there_any_more(void *arg)
{
    must(mock_call(__NR_close, listen_at(HTTP + 1, 5)));
    expect_equal(mock_host_connect(HTTP + 1, "hello"), 0); /* the host still listens */
    let_others_run();
    return 0;
}

static void who_comes_too_late_is_turned_away_(void **state)
{
    sequence_with(nobody_is_there_any_more, published);
}

/* --- options --------------------------------------------------------------------------------------------- */

static int ask_for_options(void *arg)
{
    static const int options[][2] = {
        {SOL_SOCKET, SO_ERROR},     {SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_LINGER},
        {IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_MAXSEG},  {IPPROTO_TCP, TCP_KEEPIDLE},
        {IPPROTO_IP, IP_TTL},       {IPPROTO_IP, IP_MTU},       {IPPROTO_TCP, TCP_INFO},
    };
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_STREAM, 0));

    must(mock_call(__NR_connect, fd, address(ECHO), sizeof(struct sockaddr_in)));
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        mock_call(__NR_getsockopt, fd, options[i][0], options[i][1], mock_room(256),
                  mock_put(&(int){256}, 4));
    must(mock_call(__NR_close, fd));
    return 0;
}

#define CASE(script)                                                                               \
    static void script##_(void **state)                                                            \
    {                                                                                              \
        sequence(script);                                                                          \
    }
CASE(connect_and_talk)
CASE(connect_slowly)
CASE(be_refused)
CASE(send_datagrams)
CASE(poll_for_the_answer)
CASE(ask_for_options)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_and_talk_),
        cmocka_unit_test(connect_slowly_),
        cmocka_unit_test(be_refused_),
        cmocka_unit_test(send_datagrams_),
        cmocka_unit_test(poll_for_the_answer_),
        cmocka_unit_test(ask_for_options_),
        cmocka_unit_test(who_comes_from_outside_is_served_),
        cmocka_unit_test(a_crowd_waits_outside_),
        cmocka_unit_test(who_comes_too_late_is_turned_away_),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
