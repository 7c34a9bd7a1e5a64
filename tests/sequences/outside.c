/* tests/sequences/outside.c: connections and datagrams beyond the instance, on the mock's network. */
#include "sequence.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_and_talk_),    cmocka_unit_test(connect_slowly_),
        cmocka_unit_test(be_refused_),          cmocka_unit_test(send_datagrams_),
        cmocka_unit_test(poll_for_the_answer_),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
