/* raw.c: raw sockets, raw(7): packets of one protocol, seen with their headers. */
#include "loopback.h"

#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

#ifndef ICMP_FILTER
#define ICMP_FILTER 1
#endif

static int raw_socket(int family, int protocol)
{
    need_capability(CAP_NET_RAW);
    loopback_needed();
    return must(socket(family, SOCK_RAW, protocol));
}

struct request {
    struct icmphdr header;
    char text[8];
};

static unsigned short checksum(const void *data, size_t size)
{
    const unsigned short *words = data;
    unsigned sum = 0;

    for (size_t i = 0; i < size / 2; i++)
        sum += words[i];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (unsigned short)~sum;
}

static struct request echo_request(unsigned short id)
{
    struct request request = {{.type = ICMP_ECHO, .un.echo.id = id}, "payload"};

    request.header.checksum = checksum(&request, sizeof request);
    return request;
}

static ssize_t send_to(int fd, const void *data, size_t size, in_addr_t address)
{
    struct sockaddr_in to = v4(address, 0);

    return sendto(fd, data, size, 0, (struct sockaddr *)&to, sizeof to);
}

/* The next packet of this id and type; others may be on their way, too. */
static void receive_echo(int fd, unsigned short id, unsigned char type, struct iphdr *ip)
{
    struct {
        struct iphdr ip;
        struct request request;
    } packet;

    do {
        poll_until(fd, POLLIN);
        assert_returns(recv(fd, &packet, sizeof packet, 0), sizeof packet);
    } while (packet.request.header.type != type || packet.request.header.un.echo.id != id);
    assert_string_equal(packet.request.text, "payload");
    assert_int_equal(checksum(&packet.request, sizeof packet.request), 0);
    *ip = packet.ip;
}

/* covers: socket EPERM EPROTONOSUPPORT EINVAL */
static void raw_sockets_need_the_right(void **state)
{
    (void)state;
    as_nobody(assert_errno(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
              assert_errno(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), EPERM));
    need_capability(CAP_NET_RAW);
    assert_errno(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
    assert_errno(socket(AF_INET, SOCK_RAW, -1), EINVAL);
}

/* covers: sendto recvfrom poll */
static void machine_answers_echo_requests(void **state)
{
    (void)state;
    int fd = raw_socket(AF_INET, IPPROTO_ICMP);
    struct request request = echo_request(4711);
    struct iphdr ip;

    assert_returns(send_to(fd, &request, sizeof request, INADDR_LOOPBACK), sizeof request);
    receive_echo(fd, 4711, ICMP_ECHO, &ip); /* its own packet comes, too */
    assert_int_equal(ip.version, 4);
    assert_int_equal(ip.ihl, 5);
    assert_int_equal(ntohs(ip.tot_len), sizeof ip + sizeof request);
    assert_int_equal(ip.protocol, IPPROTO_ICMP);
    assert_int_equal(ip.ttl, 64);
    assert_int_equal(checksum(&ip, sizeof ip), 0);
    receive_echo(fd, 4711, ICMP_ECHOREPLY, &ip);
    assert_int_equal(ntohl(ip.saddr), INADDR_LOOPBACK);
    assert_int_equal(ntohl(ip.daddr), INADDR_LOOPBACK);
    must(close(fd));
}

/* covers: sendto */
static void damaged_request_is_not_answered(void **state)
{
    (void)state;
    int fd = raw_socket(AF_INET, IPPROTO_ICMP);
    struct request bad = echo_request(1), good = echo_request(2);
    struct iphdr ip;
    struct request packet[8];

    bad.header.checksum ^= 1;
    assert_returns(send_to(fd, &bad, sizeof bad, INADDR_LOOPBACK), sizeof bad);
    assert_returns(send_to(fd, &good, sizeof good, INADDR_LOOPBACK), sizeof good);
    receive_echo(fd, 2, ICMP_ECHOREPLY, &ip); /* and none of 1 before it */
    assert_errno(recv(fd, packet, sizeof packet, MSG_DONTWAIT), EAGAIN);
    must(close(fd));
}

/* covers: setsockopt ICMP_FILTER EOPNOTSUPP ENOPROTOOPT getsockopt ICMP_FILTER EOPNOTSUPP */
static void filter_leaves_types_out(void **state)
{
    (void)state;
    int fd = raw_socket(AF_INET, IPPROTO_ICMP), other = raw_socket(AF_INET, IPPROTO_UDP);
    struct request request = echo_request(3);
    struct iphdr ip;

    assert_int_equal(get_int(fd, SOL_RAW, ICMP_FILTER), 0);
    must(set_int(fd, SOL_RAW, ICMP_FILTER, 1 << ICMP_ECHO));
    assert_int_equal(get_int(fd, SOL_RAW, ICMP_FILTER), 1 << ICMP_ECHO);
    assert_returns(send_to(fd, &request, sizeof request, INADDR_LOOPBACK), sizeof request);
    poll_until(fd, POLLIN);
    assert_returns(recv(fd, &ip, sizeof ip, MSG_PEEK | MSG_TRUNC), sizeof ip + sizeof request);
    receive_echo(fd, 3, ICMP_ECHOREPLY, &ip);
    assert_errno(set_int(other, SOL_RAW, ICMP_FILTER, 1), EOPNOTSUPP);
    assert_errno(set_int(fd, SOL_RAW, 2, 1), ENOPROTOOPT);
    must(close(other));
    must(close(fd));
}

/* covers: bind EADDRNOTAVAIL EINVAL connect sendto EDESTADDRREQ getsockname */
static void names_choose_what_is_heard(void **state)
{
    (void)state;
    int fd = raw_socket(AF_INET, IPPROTO_ICMP), elsewhere = raw_socket(AF_INET, IPPROTO_ICMP);
    struct request request = echo_request(4);
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    struct iphdr ip;

    assert_errno(send(fd, &request, sizeof request, 0), EDESTADDRREQ);
    assert_errno(try_bind4(fd, 0x08080808, 0), EADDRNOTAVAIL);
    must(try_bind4(elsewhere, INADDR_LOOPBACK + 1, 0));
    must(getsockname(elsewhere, (struct sockaddr *)&name, &size));
    assert_int_equal(ntohl(name.sin_addr.s_addr), INADDR_LOOPBACK + 1);
    must(try_connect4(fd, INADDR_LOOPBACK, 0));
    assert_returns(send(fd, &request, sizeof request, 0), sizeof request);
    receive_echo(fd, 4, ICMP_ECHOREPLY, &ip);
    assert_errno(recv(elsewhere, &ip, sizeof ip, MSG_DONTWAIT), EAGAIN);
    must(close(elsewhere));
    must(close(fd));
}

/* covers: setsockopt IP_HDRINCL sendto EINVAL getsockopt IP_HDRINCL */
static void header_may_be_the_program_s(void **state)
{
    (void)state;
    struct {
        struct iphdr ip;
        struct request request;
    } packet = {.ip = {.version = 4,
                       .ihl = 5,
                       .ttl = 33,
                       .protocol = IPPROTO_ICMP,
                       .daddr = htonl(INADDR_LOOPBACK)}};
    int fd = raw_socket(AF_INET, IPPROTO_RAW), ear = raw_socket(AF_INET, IPPROTO_ICMP);
    struct iphdr ip;

    packet.request = echo_request(5);
    assert_int_equal(get_int(fd, IPPROTO_IP, IP_HDRINCL), 1);
    assert_int_equal(get_int(ear, IPPROTO_IP, IP_HDRINCL), 0);
    assert_returns(send_to(fd, &packet, sizeof packet, INADDR_LOOPBACK), sizeof packet);
    receive_echo(ear, 5, ICMP_ECHO, &ip);
    assert_int_equal(ip.ttl, 33);
    assert_int_equal(ntohl(ip.saddr), INADDR_LOOPBACK);
    assert_int_equal(checksum(&ip, sizeof ip), 0);
    receive_echo(ear, 5, ICMP_ECHOREPLY, &ip);
    assert_errno(send_to(fd, &packet, 10, INADDR_LOOPBACK), EINVAL);
    packet.ip.ihl = 15;
    assert_errno(send_to(fd, &packet, sizeof packet, INADDR_LOOPBACK), EINVAL);
    must(set_int(ear, IPPROTO_IP, IP_HDRINCL, 1));
    assert_int_equal(get_int(ear, IPPROTO_IP, IP_HDRINCL), 1);
    must(close(ear));
    must(close(fd));
}

/* covers: sendto recvfrom */
static void own_protocols_reach_all_who_listen(void **state)
{
    (void)state;
    int a = raw_socket(AF_INET, 253), b = raw_socket(AF_INET, 253);
    char seen[64];

    must(set_int(a, IPPROTO_IP, IP_TTL, 7));
    assert_returns(send_to(a, "text", 4, INADDR_LOOPBACK), 4);
    poll_until(b, POLLIN);
    assert_returns(recv(b, seen, sizeof seen, 0), sizeof(struct iphdr) + 4);
    assert_memory_equal(seen + sizeof(struct iphdr), "text", 4);
    assert_int_equal(((struct iphdr *)seen)->ttl, 7);
    assert_int_equal(((struct iphdr *)seen)->protocol, 253);
    poll_until(a, POLLIN);
    assert_returns(recv(a, seen, sizeof seen, 0), sizeof(struct iphdr) + 4);
    assert_errno(send_to(a, seen, 65536, INADDR_LOOPBACK), EMSGSIZE);
    must(close(a));
    must(close(b));
}

/* covers: setsockopt IP_ROUTER_ALERT EINVAL ENOPROTOOPT EOPNOTSUPP SO_ZEROCOPY */
static void some_options_are_for_raw_sockets_and_some_are_not(void **state)
{
    (void)state;
    int fd = raw_socket(AF_INET, IPPROTO_ICMP), six = raw_socket(AF_INET6, IPPROTO_ICMPV6);
    int udp = must(socket(AF_INET, SOCK_DGRAM, 0));

    must(set_int(fd, IPPROTO_IP, IP_ROUTER_ALERT, 1));
    assert_errno(set_int(udp, IPPROTO_IP, IP_ROUTER_ALERT, 1), EINVAL);
    assert_errno(set_int(udp, IPPROTO_IP, IP_HDRINCL, 1), ENOPROTOOPT);
    assert_errno(set_int(six, IPPROTO_IP, IP_TTL, 1), ENOPROTOOPT);
    assert_errno(set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1), EOPNOTSUPP);
    must(close(udp));
    must(close(six));
    must(close(fd));
}

/* covers: sendto recvfrom setsockopt ICMP6_FILTER getsockopt ICMP6_FILTER */
static void ipv6_packets_come_without_their_header(void **state)
{
    (void)state;
    struct {
        struct icmp6_hdr header;
        char text[8];
    } request = {{.icmp6_type = ICMP6_ECHO_REQUEST, .icmp6_id = 6}, "payload"}, seen;
    struct sockaddr_in6 to = v6(in6addr_loopback, 0), from;
    socklen_t size = sizeof from, filter_size = sizeof(struct icmp6_filter);
    int fd = raw_socket(AF_INET6, IPPROTO_ICMPV6);
    struct icmp6_filter filter;

    loopback6_needed();
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
    must(setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter));
    memset(&filter, 0, sizeof filter);
    must(getsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, &filter_size));
    assert_true(ICMP6_FILTER_WILLPASS(ICMP6_ECHO_REPLY, &filter));
    assert_true(ICMP6_FILTER_WILLBLOCK(ICMP6_ECHO_REQUEST, &filter));
    assert_returns(sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&to, sizeof to),
                   sizeof request); /* the kernel makes the checksum */
    poll_until(fd, POLLIN);
    assert_returns(recvfrom(fd, &seen, sizeof seen, 0, (struct sockaddr *)&from, &size),
                   sizeof seen);
    assert_int_equal(seen.header.icmp6_type, ICMP6_ECHO_REPLY);
    assert_int_equal(seen.header.icmp6_id, 6);
    assert_string_equal(seen.text, "payload");
    assert_true(IN6_IS_ADDR_LOOPBACK(&from.sin6_addr));
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_sockets_need_the_right),
        cmocka_unit_test(machine_answers_echo_requests),
        cmocka_unit_test(damaged_request_is_not_answered),
        cmocka_unit_test(filter_leaves_types_out),
        cmocka_unit_test(names_choose_what_is_heard),
        cmocka_unit_test(header_may_be_the_program_s),
        cmocka_unit_test(own_protocols_reach_all_who_listen),
        cmocka_unit_test(some_options_are_for_raw_sockets_and_some_are_not),
        cmocka_unit_test(ipv6_packets_come_without_their_header),
    };

    return cmocka_run_group_tests_name("net/raw", tests, NULL, NULL);
}
