/* udp_control.c: what is told with datagrams, and what became of them; udp(7), ip(7), ipv6(7). */
#include "loopback.h"

#include <linux/errqueue.h>
#include <netinet/udp.h>

static ssize_t send4(int fd, const char *text, in_port_t port)
{
    struct sockaddr_in addr = v4(INADDR_LOOPBACK, port);

    return sendto(fd, text, strlen(text), 0, (struct sockaddr *)&addr, sizeof addr);
}

/* One message with its control data. */
struct got {
    char text[32];
    struct sockaddr_storage from;
    char control[512];
    struct iovec iov;
    struct msghdr msg;
    ssize_t n;
};

static void receive(int fd, int flags, struct got *got)
{
    *got = (struct got){.iov = {got->text, sizeof got->text}};
    got->msg = (struct msghdr){.msg_name = &got->from,
                               .msg_namelen = sizeof got->from,
                               .msg_iov = &got->iov,
                               .msg_iovlen = 1,
                               .msg_control = got->control,
                               .msg_controllen = sizeof got->control};
    got->n = must(recvmsg(fd, &got->msg, flags));
}

static void *control(struct got *got, int level, int type)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&got->msg); c; c = CMSG_NXTHDR(&got->msg, c)) {
        if (c->cmsg_level == level && c->cmsg_type == type)
            return CMSG_DATA(c);
    }
    return NULL;
}

/* covers: setsockopt IP_PKTINFO IP_RECVTTL IP_RECVTOS IP_TTL IP_TOS recvmsg */
static void header_of_a_datagram_is_told(void **state)
{
    (void)state;
    in_port_t port, from;
    int a = udp_bound(&from), b = udp_bound(&port);
    struct got got;

    must(set_int(b, IPPROTO_IP, IP_PKTINFO, 1));
    must(set_int(b, IPPROTO_IP, IP_RECVTTL, 1));
    must(set_int(b, IPPROTO_IP, IP_RECVTOS, 1));
    must(set_int(a, IPPROTO_IP, IP_TTL, 33));
    must(set_int(a, IPPROTO_IP, IP_TOS, 0x10));
    assert_returns(send4(a, "x", port), 1);
    receive(b, 0, &got);
    struct in_pktinfo *info = control(&got, IPPROTO_IP, IP_PKTINFO);
    assert_non_null(info);
    assert_int_equal(info->ipi_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(info->ipi_ifindex, 1);
    assert_int_equal(*(int *)control(&got, IPPROTO_IP, IP_TTL), 33);
    assert_int_equal(*(unsigned char *)control(&got, IPPROTO_IP, IP_TOS), 0x10);
    must(close(a));
    must(close(b));
}

/* covers: sendmsg IP_PKTINFO IP_TTL EINVAL */
static void control_data_sets_source_and_ttl(void **state)
{
    (void)state;
    in_port_t port;
    int a = must(socket(AF_INET, SOCK_DGRAM, 0)), b = udp_bound(&port), ttl = 77;
    struct sockaddr_in to = v4(INADDR_LOOPBACK, port);
    struct iovec iov = {"x", 1};
    union {
        char bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } u = {{0}};
    struct msghdr msg = {.msg_name = &to,
                         .msg_namelen = sizeof to,
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = u.bytes,
                         .msg_controllen = sizeof u.bytes};
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(0x7f000005)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    struct got got;

    *c = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
    memcpy(CMSG_DATA(c), &info, sizeof info);
    c = CMSG_NXTHDR(&msg, c);
    *c = (struct cmsghdr){CMSG_LEN(sizeof ttl), IPPROTO_IP, IP_TTL};
    memcpy(CMSG_DATA(c), &ttl, sizeof ttl);
    must(set_int(b, IPPROTO_IP, IP_RECVTTL, 1));
    assert_returns(sendmsg(a, &msg, 0), 1);
    receive(b, 0, &got);
    assert_int_equal(((struct sockaddr_in *)&got.from)->sin_addr.s_addr, htonl(0x7f000005));
    assert_int_equal(*(int *)control(&got, IPPROTO_IP, IP_TTL), 77);
    ttl = 0;
    memcpy(CMSG_DATA(c), &ttl, sizeof ttl);
    assert_errno(sendmsg(a, &msg, 0), EINVAL);
    must(close(a));
    must(close(b));
}

/* covers: setsockopt IP_RECVERR recvmsg MSG_ERRQUEUE EAGAIN poll POLLERR */
static void refusal_stands_on_the_error_queue(void **state)
{
    (void)state;
    in_port_t port, mine;
    int a = udp_bound(&mine), b = udp_bound(&port);
    struct got got;
    char c;

    must(close(b));
    must(set_int(a, IPPROTO_IP, IP_RECVERR, 1));
    assert_returns(send4(a, "lost", port), 4);
    poll_until(a, POLLERR);
    receive(a, MSG_ERRQUEUE, &got);
    assert_int_equal(got.n, 4);
    assert_memory_equal(got.text, "lost", 4);
    assert_true(got.msg.msg_flags & MSG_ERRQUEUE);
    assert_int_equal(ntohs(((struct sockaddr_in *)&got.from)->sin_port), port);
    struct sock_extended_err *err = control(&got, IPPROTO_IP, IP_RECVERR);
    assert_non_null(err);
    assert_int_equal(err->ee_errno, ECONNREFUSED);
    assert_int_equal(err->ee_origin, SO_EE_ORIGIN_ICMP);
    assert_int_equal(err->ee_type, 3);
    assert_int_equal(err->ee_code, 3);
    struct sockaddr_in *offender = (struct sockaddr_in *)SO_EE_OFFENDER(err);
    assert_int_equal(offender->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_errno(recv(a, &c, 1, MSG_ERRQUEUE), EAGAIN);
    assert_int_equal(poll_now(a), CAN_WRITE);
    must(close(a));
}

/* covers: sendto ECONNREFUSED getsockopt SO_ERROR connect */
static void refusal_is_the_next_calls_error(void **state)
{
    (void)state;
    in_port_t port;
    int a = must(socket(AF_INET, SOCK_DGRAM, 0)), b = udp_bound(&port);

    must(close(b));
    must(try_connect4(a, INADDR_LOOPBACK, port));
    assert_returns(send(a, "x", 1, 0), 1);
    poll_until(a, POLLERR);
    assert_errno(send(a, "x", 1, 0), ECONNREFUSED);
    assert_returns(send(a, "x", 1, 0), 1);
    poll_until(a, POLLERR);
    assert_int_equal(get_int(a, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    assert_int_equal(get_int(a, SOL_SOCKET, SO_ERROR), 0);
    must(close(a));
}

/* covers: recvmsg MSG_TRUNC MSG_PEEK */
static void cut_message_is_marked(void **state)
{
    (void)state;
    in_port_t port;
    int fd = udp_bound(&port);
    char c;
    struct iovec iov = {&c, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    assert_returns(send4(fd, "abc", port), 3);
    assert_returns(recvmsg(fd, &msg, MSG_PEEK), 1);
    assert_int_equal(msg.msg_flags & MSG_TRUNC, MSG_TRUNC);
    assert_returns(recvmsg(fd, &msg, MSG_TRUNC), 3);
    must(close(fd));
}

/* covers: setsockopt SO_RCVBUF SO_RXQ_OVFL recvmsg */
static void full_queue_drops_and_counts(void **state)
{
    (void)state;
    in_port_t port, mine;
    int fd = udp_bound(&port), a = udp_bound(&mine), received = 0;
    static char block[1000];
    struct sockaddr_in to = v4(INADDR_LOOPBACK, port);
    struct got got;

    must(set_int(fd, SOL_SOCKET, SO_RCVBUF, 5000));
    must(set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1));
    for (int i = 0; i < 100; i++)
        assert_returns(sendto(a, block, sizeof block, 0, (struct sockaddr *)&to, sizeof to), 1000);
    while (recv(fd, block, sizeof block, MSG_DONTWAIT) > 0)
        received++;
    assert_true(received > 0 && received < 100);
    assert_returns(send4(a, "after", port), 5);
    receive(fd, 0, &got);
    assert_int_equal(*(unsigned *)control(&got, SOL_SOCKET, SO_RXQ_OVFL), 100 - received);
    must(close(fd));
    must(close(a));
}

/* covers: setsockopt UDP_CORK sendto MSG_MORE */
static void corked_pieces_are_one_datagram(void **state)
{
    (void)state;
    in_port_t port;
    int a = must(socket(AF_INET, SOCK_DGRAM, 0)), b = udp_bound(&port);
    char text[16];

    must(try_connect4(a, INADDR_LOOPBACK, port));
    assert_returns(send(a, "ab", 2, MSG_MORE), 2);
    assert_errno(recv(b, text, sizeof text, MSG_DONTWAIT), EAGAIN);
    assert_returns(send(a, "cd", 2, 0), 2);
    assert_returns(recv(b, text, sizeof text, 0), 4);
    must(set_int(a, IPPROTO_UDP, UDP_CORK, 1));
    assert_returns(send(a, "12", 2, 0), 2);
    assert_returns(send(a, "34", 2, 0), 2);
    must(set_int(a, IPPROTO_UDP, UDP_CORK, 0));
    assert_returns(recv(b, text, sizeof text, 0), 4);
    assert_memory_equal(text, "1234", 4);
    must(close(a));
    must(close(b));
}

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* covers: setsockopt UDP_SEGMENT sendto */
static void segmented_send_makes_datagrams(void **state)
{
    (void)state;
    in_port_t port;
    int a = must(socket(AF_INET, SOCK_DGRAM, 0)), b = udp_bound(&port);
    char text[16];

    must(try_connect4(a, INADDR_LOOPBACK, port));
    must(set_int(a, IPPROTO_UDP, UDP_SEGMENT, 4));
    assert_returns(send(a, "abcdefghij", 10, 0), 10);
    assert_returns(recv(b, text, sizeof text, 0), 4);
    assert_returns(recv(b, text, sizeof text, 0), 4);
    assert_returns(recv(b, text, sizeof text, 0), 2);
    assert_memory_equal(text, "ij", 2);
    must(close(a));
    must(close(b));
}

/* covers: shutdown ENOTCONN recvfrom sendto EPIPE */
static void shut_socket_reads_the_end(void **state)
{
    (void)state;
    in_port_t port;
    int a = must(socket(AF_INET, SOCK_DGRAM, 0)), b = udp_bound(&port);
    char c;

    assert_errno(shutdown(b, SHUT_RDWR), ENOTCONN);
    must(try_connect4(a, INADDR_LOOPBACK, port));
    must(shutdown(a, SHUT_RD));
    assert_returns(recv(a, &c, 1, 0), 0);
    must(shutdown(a, SHUT_WR));
    assert_errno(send(a, "x", 1, MSG_NOSIGNAL), EPIPE);
    must(close(a));
    must(close(b));
}

/* covers: connect AF_UNSPEC sendto recvfrom */
static void connection_filters_and_may_be_changed(void **state)
{
    (void)state;
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    in_port_t a_port, b_port, c_port;
    int a = udp_bound(&a_port), b = udp_bound(&b_port), c = udp_bound(&c_port);
    char text[8];

    must(try_connect4(a, INADDR_LOOPBACK, b_port));
    assert_returns(send4(c, "stray", a_port), 5);
    assert_errno(recv(a, text, sizeof text, MSG_DONTWAIT), EAGAIN);
    must(try_connect4(a, INADDR_LOOPBACK, c_port));
    assert_returns(send4(c, "now", a_port), 3);
    assert_returns(recv(a, text, sizeof text, 0), 3);
    must(connect(a, &none, sizeof none));
    assert_int_equal(port_of(a), 0); /* the kernel had chosen it, and takes it back */
    must(close(a));
    must(close(b));
    must(close(c));
}

/* covers: setsockopt IPV6_RECVPKTINFO IPV6_RECVHOPLIMIT IPV6_RECVTCLASS recvmsg */
static void header_of_an_ipv6_datagram_is_told(void **state)
{
    (void)state;
    struct sockaddr_in6 addr = v6(in6addr_loopback, 0);
    struct got got;

    loopback6_needed();
    int fd = must(socket(AF_INET6, SOCK_DGRAM, 0));
    must(bind(fd, (struct sockaddr *)&addr, sizeof addr));
    addr.sin6_port = htons(port_of(fd));
    must(set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
    must(set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1));
    must(set_int(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1));
    must(set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, 0x20));
    assert_returns(sendto(fd, "six", 3, 0, (struct sockaddr *)&addr, sizeof addr), 3);
    receive(fd, 0, &got);
    struct in6_pktinfo *info = control(&got, IPPROTO_IPV6, IPV6_PKTINFO);
    assert_non_null(info);
    assert_memory_equal(&info->ipi6_addr, &in6addr_loopback, sizeof in6addr_loopback);
    assert_int_equal(*(int *)control(&got, IPPROTO_IPV6, IPV6_HOPLIMIT), 64);
    assert_int_equal(*(int *)control(&got, IPPROTO_IPV6, IPV6_TCLASS), 0x20);
    must(close(fd));
}

/* covers: recvfrom sendto */
static void ipv6_socket_talks_to_ipv4(void **state)
{
    (void)state;
    struct sockaddr_in6 any = v6(in6addr_any, 0), from;
    in_port_t port;
    socklen_t size = sizeof from;
    char text[8];

    loopback6_needed();
    int six = must(socket(AF_INET6, SOCK_DGRAM, 0)), four = udp_bound(&port);
    must(set_int(six, IPPROTO_IPV6, IPV6_V6ONLY, 0));
    must(bind(six, (struct sockaddr *)&any, sizeof any));
    assert_returns(send4(four, "hello", port_of(six)), 5);
    assert_returns(recvfrom(six, text, sizeof text, 0, (struct sockaddr *)&from, &size), 5);
    assert_true(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
    assert_returns(sendto(six, "back", 4, 0, (struct sockaddr *)&from, size), 4);
    assert_returns(recv(four, text, sizeof text, 0), 4);
    must(close(six));
    must(close(four));
}

/* covers: setsockopt IP_ADD_MEMBERSHIP IP_MULTICAST_IF IP_DROP_MEMBERSHIP EADDRNOTAVAIL EADDRINUSE */
static void members_of_a_group_hear_what_is_sent_to_it(void **state)
{
    (void)state;
    struct ip_mreq req = {{htonl(0xefff0001)}, {htonl(INADDR_LOOPBACK)}};
    struct in_addr from = {htonl(INADDR_LOOPBACK)};
    in_port_t port;
    int sender = must(socket(AF_INET, SOCK_DGRAM, 0)), a = must(socket(AF_INET, SOCK_DGRAM, 0));
    int b = must(socket(AF_INET, SOCK_DGRAM, 0));
    char text[8];

    loopback_needed();
    must(set_int(a, SOL_SOCKET, SO_REUSEADDR, 1));
    must(set_int(b, SOL_SOCKET, SO_REUSEADDR, 1));
    must(try_bind4(a, INADDR_ANY, 0));
    port = port_of(a);
    must(try_bind4(b, INADDR_ANY, port));
    must(setsockopt(a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &req, sizeof req));
    must(setsockopt(b, IPPROTO_IP, IP_ADD_MEMBERSHIP, &req, sizeof req));
    assert_errno(setsockopt(a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &req, sizeof req), EADDRINUSE);
    must(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof from));
    struct sockaddr_in to = v4(0xefff0001, port);
    assert_returns(sendto(sender, "all", 3, 0, (struct sockaddr *)&to, sizeof to), 3);
    assert_returns(recv(a, text, sizeof text, 0), 3);
    assert_returns(recv(b, text, sizeof text, 0), 3);
    must(setsockopt(a, IPPROTO_IP, IP_DROP_MEMBERSHIP, &req, sizeof req));
    assert_errno(setsockopt(a, IPPROTO_IP, IP_DROP_MEMBERSHIP, &req, sizeof req), EADDRNOTAVAIL);
    must(close(sender));
    must(close(a));
    must(close(b));
}

/* covers: sendmmsg recvmmsg */
static void several_datagrams_go_in_one_call(void **state)
{
    (void)state;
    in_port_t port;
    int fd = udp_bound(&port);
    struct sockaddr_in to = v4(INADDR_LOOPBACK, port);
    char text[3][4];
    struct iovec out[3] = {{"a", 1}, {"bb", 2}, {"ccc", 3}};
    struct iovec in[3] = {{text[0], 4}, {text[1], 4}, {text[2], 4}};
    struct mmsghdr msgs[3] = {{{0}, 0}};

    for (int i = 0; i < 3; i++)
        msgs[i].msg_hdr = (struct msghdr){
            .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &out[i], .msg_iovlen = 1};
    assert_returns(sendmmsg(fd, msgs, 3, 0), 3);
    assert_int_equal(msgs[2].msg_len, 3);
    for (int i = 0; i < 3; i++)
        msgs[i].msg_hdr = (struct msghdr){.msg_iov = &in[i], .msg_iovlen = 1};
    assert_returns(recvmmsg(fd, msgs, 3, 0, NULL), 3);
    assert_int_equal(msgs[0].msg_len, 1);
    assert_int_equal(msgs[1].msg_len, 2);
    assert_memory_equal(text[2], "ccc", 3);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_of_a_datagram_is_told),
        cmocka_unit_test(control_data_sets_source_and_ttl),
        cmocka_unit_test(refusal_stands_on_the_error_queue),
        cmocka_unit_test(refusal_is_the_next_calls_error),
        cmocka_unit_test(cut_message_is_marked),
        cmocka_unit_test(full_queue_drops_and_counts),
        cmocka_unit_test(corked_pieces_are_one_datagram),
        cmocka_unit_test(segmented_send_makes_datagrams),
        cmocka_unit_test(shut_socket_reads_the_end),
        cmocka_unit_test(connection_filters_and_may_be_changed),
        cmocka_unit_test(header_of_an_ipv6_datagram_is_told),
        cmocka_unit_test(ipv6_socket_talks_to_ipv4),
        cmocka_unit_test(members_of_a_group_hear_what_is_sent_to_it),
        cmocka_unit_test(several_datagrams_go_in_one_call),
    };

    return cmocka_run_group_tests_name("net/udp_control", tests, NULL, NULL);
}
