/* tests/sequences/inet.c: sockets on the loopback interface, netlink, and messages that are large or only looked at. */
#include "sequence.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define PORT 4000

static mock_user loopback(void)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};

    return mock_put(&at, sizeof(at));
}

static int talk(void *arg)
{
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_STREAM, 0));

    expect_equal(mock_call(__NR_connect, fd, loopback(), sizeof(struct sockaddr_in)), 0);
    expect_equal(mock_call(__NR_write, fd, mock_string("question"), 8), 8);
    expect_equal(mock_call(__NR_read, fd, mock_room(16), 16), 6);
    return 0;
}

static int stream(void *arg)
{
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_STREAM, 0)), pid, peer;

    must(mock_call(__NR_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, mock_put(&(int){1}, 4), 4));
    expect_equal(mock_call(__NR_bind, fd, loopback(), sizeof(struct sockaddr_in)), 0);
    expect_equal(mock_call(__NR_listen, fd, 2), 0);
    pid = must(mock_fork(talk, NULL));
    peer = must(mock_call(__NR_accept4, fd, 0, 0, 0));
    expect_equal(mock_call(__NR_read, peer, mock_room(16), 16), 8);
    expect_equal(mock_call(__NR_write, peer, mock_string("answer"), 6), 6);
    expect_equal(mock_wait(pid), 0);
    expect_equal(mock_call(__NR_read, peer, mock_room(16), 16), 0);
    must(mock_call(__NR_close, peer));
    must(mock_call(__NR_close, fd));
    return 0;
}

/* What waits in TIME_WAIT goes when the next one comes and its time is over. */
static int stream_after_a_while(void *arg)
{
    must(mock_call(__NR_nanosleep, mock_put((uint64_t[]){300, 0}, 16), 0));
    return stream(NULL);
}

static void a_stream_crosses_the_loopback(void **state)
{
    sequence(stream_after_a_while);
}

static long client(void)
{
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_STREAM, 0));

    expect_equal(mock_call(__NR_connect, fd, loopback(), sizeof(struct sockaddr_in)), 0);
    return fd;
}

/* TCP_DEFER_ACCEPT: one says something, one says nothing for a time, one is left behind by its listener. */
static int deferred(void *arg)
{
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_STREAM, 0)), clients[3], peer;

    must(mock_call(__NR_nanosleep, mock_put((uint64_t[]){300, 0}, 16), 0));
    must(mock_call(__NR_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, mock_put(&(int){1}, 4), 4));
    must(mock_call(__NR_setsockopt, fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, mock_put(&(int){9}, 4), 4));
    expect_equal(mock_call(__NR_bind, fd, loopback(), sizeof(struct sockaddr_in)), 0);
    expect_equal(mock_call(__NR_listen, fd, 5), 0);
    clients[0] = client();
    clients[1] = client();
    expect_equal(mock_call(__NR_write, clients[1], mock_string("x"), 1), 1);
    peer = must(mock_call(__NR_accept4, fd, 0, 0, 0));
    expect_equal(mock_call(__NR_read, peer, mock_room(8), 8), 1);
    must(mock_call(__NR_close, peer));
    peer = must(mock_call(__NR_accept4, fd, 0, 0, 0));
    must(mock_call(__NR_close, peer));
    clients[2] = client();
    for (int i = 0; i < 3; i++)
        must(mock_call(__NR_close, clients[i]));
    must(mock_call(__NR_close, fd));
    return 0;
}

static void connections_are_deferred(void **state)
{
    sequence(deferred);
}

static int datagrams(void *arg)
{
    struct ip_mreq group = {{inet_addr("224.0.0.251")}, {htonl(INADDR_LOOPBACK)}};
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_DGRAM, 0));

    expect_equal(mock_call(__NR_bind, fd, loopback(), sizeof(struct sockaddr_in)), 0);
    expect_equal(mock_call(__NR_setsockopt, fd, IPPROTO_IP, IP_ADD_MEMBERSHIP,
                           mock_put(&group, sizeof(group)), sizeof(group)),
                 0);
    expect_equal(mock_call(__NR_sendto, fd, mock_string("self"), 4, 0, loopback(),
                           sizeof(struct sockaddr_in)),
                 4);
    expect_equal(mock_call(__NR_recvfrom, fd, mock_room(8), 8, MSG_PEEK, 0, 0), 4);
    expect_equal(mock_call(__NR_recvfrom, fd, mock_room(8), 8, 0, 0, 0), 4);
    expect_equal(mock_call(__NR_sendto, fd, mock_string("left"), 4, 0, loopback(),
                           sizeof(struct sockaddr_in)),
                 4);
    must(mock_call(__NR_close, fd));
    return 0;
}

static void datagrams_cross_the_loopback(void **state)
{
    sequence(datagrams);
}

/* --- filters ------------------------------------------------------------------------------------------------ */

static int filters(void *arg)
{
    struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
                                 BPF_STMT(BPF_ST, 3),
                                 BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 3, 0, 1),
                                 BPF_STMT(BPF_RET | BPF_K, 0),
                                 BPF_STMT(BPF_LD | BPF_MEM, 3),
                                 BPF_STMT(BPF_RET | BPF_A, 0)};
    struct sock_fprog program = {sizeof(code) / sizeof(code[0]),
                                 (void *)mock_put(code, sizeof(code))};
    mock_user at = mock_put(&program, sizeof(program)), fds = mock_room(8);

    must(mock_call(__NR_socketpair, AF_UNIX, SOCK_DGRAM, 0, fds));
    int in = mock_get(int, fds), out = mock_get(int, fds + 4);

    for (int i = 0; i < 2; i++)
        expect_equal(mock_call(__NR_setsockopt, in, SOL_SOCKET, SO_ATTACH_FILTER, at, 16), 0);
    expect_equal(mock_call(__NR_write, out, mock_string("text"), 4), 4);
    expect_equal(mock_call(__NR_write, out, mock_string("t"), 1), 1);
    expect_equal(mock_call(__NR_read, in, mock_room(8), 8), 1);
    must(mock_call(__NR_close, in));
    must(mock_call(__NR_close, out));
    return 0;
}

static void filters_go_with_their_socket(void **state)
{
    sequence(filters);
}

/* --- raw sockets -------------------------------------------------------------------------------------------- */

static int echoes(void *arg)
{
    uint8_t request[8] = {8, 0, 0xf7, 0xff}; /* with its checksum */
    long hears = must(mock_call(__NR_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP));
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP));

    expect_equal(mock_call(__NR_sendto, fd, mock_put(request, 8), 8, 0, loopback(),
                           sizeof(struct sockaddr_in)),
                 8);
    expect_equal(mock_call(__NR_recvfrom, fd, mock_room(64), 64, 0, 0, 0), 28);
    expect_equal(mock_call(__NR_recvfrom, fd, mock_room(64), 64, 0, 0, 0), 28);
    must(mock_call(__NR_close, fd));
    must(mock_call(__NR_close, hears));
    return 0;
}

static void raw_packets_go_with_who_hears_them(void **state)
{
    sequence(echoes);
}

/* --- options and messages ----------------------------------------------------------------------------------- */

static int options(void *arg)
{
    long fd = must(mock_call(__NR_socket, AF_INET, SOCK_STREAM, 0));
    mock_user value = mock_room(2048);
    mock_user len = mock_put(&(int){2048}, 4);

    expect_equal(mock_call(__NR_setsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, value, 2048), 0);
    expect_equal(mock_call(__NR_getsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, value, len), 0);
    must(mock_call(__NR_close, fd));
    return 0;
}

static void long_options_are_taken(void **state)
{
    sequence(options);
}

#define PASSED 80

static int pass_many(void *arg)
{
    mock_user pair = mock_room(8), control = mock_room(CMSG_SPACE(PASSED * sizeof(int)));
    mock_user header = mock_room(sizeof(struct msghdr));
    mock_user vector = mock_put((uint64_t[]){mock_room(1), 1}, 16);
    struct cmsghdr head = {CMSG_LEN(PASSED * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    struct msghdr message = {.msg_iov = (void *)vector,
                             .msg_iovlen = 1,
                             .msg_control = (void *)control,
                             .msg_controllen = CMSG_SPACE(PASSED * sizeof(int))};
    int passed[PASSED], a, b;

    must(mock_call(__NR_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair));
    a = mock_get(int, pair);
    b = mock_get(int, pair + 4);
    for (int i = 0; i < PASSED; i++)
        passed[i] = b;
    mock_store(control, &head, sizeof(head));
    mock_store(control + sizeof(head), passed, sizeof(passed));
    mock_store(header, &message, sizeof(message));
    expect_equal(mock_call(__NR_sendmsg, a, header, 0), 1);
    expect_equal(mock_call(__NR_recvmsg, b, header, MSG_PEEK), 1);
    expect_equal(mock_call(__NR_recvmsg, b, header, 0), 1);
    expect_equal(mock_call(__NR_close_range, a, b + 2 * PASSED + 1, 0), 0);
    return 0;
}

static void many_descriptors_are_passed(void **state)
{
    sequence(pass_many);
}

/* --- netlink -------------------------------------------------------------------------------------------------- */

static int ask_netlink(void *arg)
{
    struct {
        struct nlmsghdr head;
        struct rtgenmsg ask;
    } request = {{sizeof(request), RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {AF_UNSPEC}};
    long fd = must(mock_call(__NR_socket, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    mock_user room = mock_room(8192);

    expect_equal(
        mock_call(__NR_sendto, fd, mock_put(&request, sizeof(request)), sizeof(request), 0, 0, 0),
        sizeof(request));
    expect(must(mock_call(__NR_recvfrom, fd, room, 8192, MSG_PEEK, 0, 0)) > 0);
    expect(must(mock_call(__NR_recvfrom, fd, room, 8192, 0, 0, 0)) > 0);
    must(mock_call(__NR_close, fd));
    return 0;
}

static void netlink_answers(void **state)
{
    sequence(ask_netlink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_crosses_the_loopback),
        cmocka_unit_test(connections_are_deferred),
        cmocka_unit_test(datagrams_cross_the_loopback),
        cmocka_unit_test(raw_packets_go_with_who_hears_them),
        cmocka_unit_test(filters_go_with_their_socket),
        cmocka_unit_test(long_options_are_taken),
        cmocka_unit_test(many_descriptors_are_passed),
        cmocka_unit_test(netlink_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
