/* ip_options.c: options of tcp(7), udp(7), ip(7) and ipv6(7): what is set is told, what is wrong is refused. */
#include "loopback.h"

#include <linux/capability.h>
#include <sys/syscall.h>

struct option {
    int level, option;
    int first; /* what a new socket tells; UNKNOWN: depends on the machine */
    int good, told;
    int bad; /* refused with EINVAL; UNKNOWN: none */
};
#define UNKNOWN (-98765)

static void check_options(int fd, const struct option *options, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct option *o = &options[i];
        int first = get_int(fd, o->level, o->option), told;

        if (o->first != UNKNOWN && first != o->first)
            fail_msg("level %d option %d is %d at first, not %d", o->level, o->option, first,
                     o->first);
        if (set_int(fd, o->level, o->option, o->good) != 0)
            fail_msg("level %d option %d: %d is refused: %s", o->level, o->option, o->good,
                     strerror(errno));
        told = get_int(fd, o->level, o->option);
        if (told != o->told)
            fail_msg("level %d option %d tells %d, not %d", o->level, o->option, told, o->told);
        if (o->bad != UNKNOWN) {
            errno = 0;
            if (set_int(fd, o->level, o->option, o->bad) != -1 || errno != EINVAL)
                fail_msg("level %d option %d: %d gives %s, not EINVAL", o->level, o->option, o->bad,
                         strerror(errno));
            assert_int_equal(get_int(fd, o->level, o->option), o->told);
        }
    }
}

/* covers: setsockopt TCP_NODELAY TCP_CORK TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT TCP_SYNCNT EINVAL
   covers: setsockopt TCP_USER_TIMEOUT TCP_LINGER2 TCP_DEFER_ACCEPT TCP_MAXSEG TCP_NOTSENT_LOWAT TCP_INQ
   covers: getsockopt TCP_NODELAY TCP_CORK TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT TCP_SYNCNT */
static void options_of_tcp_are_kept(void **state)
{
    (void)state;
    static const struct option options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 0, 1, 1, UNKNOWN},
        {IPPROTO_TCP, TCP_NODELAY, 1, 0, 0, UNKNOWN},
        {IPPROTO_TCP, TCP_CORK, 0, 1, 1, UNKNOWN},
        {IPPROTO_TCP, TCP_KEEPIDLE, UNKNOWN, 100, 100, 0},
        {IPPROTO_TCP, TCP_KEEPIDLE, 100, 32767, 32767, 32768},
        {IPPROTO_TCP, TCP_KEEPINTVL, UNKNOWN, 20, 20, 32768},
        {IPPROTO_TCP, TCP_KEEPCNT, UNKNOWN, 5, 5, 128},
        {IPPROTO_TCP, TCP_SYNCNT, UNKNOWN, 3, 3, 0},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 0, 30000, 30000, -1},
        {IPPROTO_TCP, TCP_LINGER2, UNKNOWN, 30, 30, UNKNOWN},
        {IPPROTO_TCP, TCP_LINGER2, 30, -5, -1, UNKNOWN},
        {IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, 1, 1, UNKNOWN},
        {IPPROTO_TCP, TCP_DEFER_ACCEPT, 1, 5, 7, UNKNOWN},
        {IPPROTO_TCP, TCP_MAXSEG, 536, 1000, 1000, 87},
        {IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNKNOWN, 4096, 4096, UNKNOWN},
        {IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, 0, 1, 1, 2},
        {IPPROTO_TCP, TCP_WINDOW_CLAMP, 0, 65536, 65536, UNKNOWN},
    };
    int fd = must(socket(AF_INET, SOCK_STREAM, 0));

    check_options(fd, options, sizeof options / sizeof options[0]);
    assert_errno(set_int(fd, IPPROTO_TCP, 9999, 1), ENOPROTOOPT);
    char byte = 1;
    assert_errno(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &byte, 1), EINVAL);
    must(close(fd));
}

/* covers: setsockopt TCP_CONGESTION ENOENT getsockopt TCP_CONGESTION */
static void congestion_control_is_a_name(void **state)
{
    (void)state;
    int fd = must(socket(AF_INET, SOCK_STREAM, 0));
    char name[32] = "";
    socklen_t size = sizeof name;

    must(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    must(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size));
    assert_int_equal(size, 16);
    assert_string_equal(name, "reno");
    assert_errno(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6), ENOENT);
    must(close(fd));
}

/* covers: accept setsockopt TCP_NODELAY SO_KEEPALIVE SO_RCVLOWAT SO_LINGER */
static void accepted_socket_inherits(void **state)
{
    (void)state;
    in_port_t port;
    int listener = listener4(1, &port), client = must(socket(AF_INET, SOCK_STREAM, 0));
    struct linger linger = {1, 3};
    socklen_t size = sizeof linger;

    must(set_int(listener, IPPROTO_TCP, TCP_NODELAY, 1));
    must(set_int(listener, IPPROTO_TCP, TCP_KEEPIDLE, 77));
    must(set_int(listener, IPPROTO_IP, IP_TTL, 12));
    must(set_int(listener, SOL_SOCKET, SO_KEEPALIVE, 1));
    must(setsockopt(listener, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    must(fcntl(listener, F_SETFL, O_NONBLOCK));
    must(try_connect4(client, INADDR_LOOPBACK, port));
    poll_until(listener, POLLIN);
    int server = must(accept(listener, NULL, NULL));
    assert_int_equal(get_int(server, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(get_int(server, IPPROTO_TCP, TCP_KEEPIDLE), 77);
    assert_int_equal(get_int(server, IPPROTO_IP, IP_TTL), 12);
    assert_int_equal(get_int(server, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(get_int(server, SOL_SOCKET, SO_ACCEPTCONN), 0);
    assert_int_equal(get_int(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
    must(getsockopt(server, SOL_SOCKET, SO_LINGER, &linger, &size));
    assert_int_equal(linger.l_linger, 3);
    assert_int_equal(fcntl(server, F_GETFL) & O_NONBLOCK, 0);
    must(close(server));
    must(close(client));
    must(close(listener));
}

/* covers: setsockopt IP_TTL IP_TOS IP_MTU_DISCOVER IP_RECVERR IP_PKTINFO IP_RECVTTL IP_RECVTOS EINVAL
   covers: setsockopt IP_MULTICAST_TTL IP_MULTICAST_LOOP IP_FREEBIND IP_RECVOPTS IP_BIND_ADDRESS_NO_PORT
   covers: getsockopt IP_TTL IP_TOS IP_MTU_DISCOVER IP_RECVERR IP_PKTINFO */
static void options_of_ip_are_kept(void **state)
{
    (void)state;
    static const struct option options[] = {
        {IPPROTO_IP, IP_TTL, 64, 5, 5, 256},
        {IPPROTO_IP, IP_TTL, 5, -1, 64, 0},
        {IPPROTO_IP, IP_TOS, 0, 0x1f, 0x1f, UNKNOWN},
        {IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT, IP_PMTUDISC_DO, IP_PMTUDISC_DO, 6},
        {IPPROTO_IP, IP_RECVERR, 0, 1, 1, UNKNOWN},
        {IPPROTO_IP, IP_PKTINFO, 0, 7, 1, UNKNOWN},
        {IPPROTO_IP, IP_RECVTTL, 0, 1, 1, UNKNOWN},
        {IPPROTO_IP, IP_RECVTOS, 0, 1, 1, UNKNOWN},
        {IPPROTO_IP, IP_RECVOPTS, 0, 1, 1, UNKNOWN},
        {IPPROTO_IP, IP_RECVORIGDSTADDR, 0, 1, 1, UNKNOWN},
        {IPPROTO_IP, IP_FREEBIND, 0, 1, 1, UNKNOWN},
        {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0, 1, 1, UNKNOWN},
        {IPPROTO_IP, IP_MULTICAST_TTL, 1, 9, 9, 256},
        {IPPROTO_IP, IP_MULTICAST_LOOP, 1, 0, 0, UNKNOWN},
        {IPPROTO_IP, IP_MULTICAST_ALL, 1, 0, 0, 2},
        {IPPROTO_IP, IP_MINTTL, 0, 3, 3, 256},
    };
    int fd = must(socket(AF_INET, SOCK_DGRAM, 0)), stream = must(socket(AF_INET, SOCK_STREAM, 0));

    check_options(fd, options, sizeof options / sizeof options[0]);
    must(set_int(stream, IPPROTO_IP, IP_TOS, 0x13)); /* the two lowest bits are not TCP's user's */
    assert_int_equal(get_int(stream, IPPROTO_IP, IP_TOS), 0x10);
    assert_errno(set_int(fd, IPPROTO_IP, 9999, 1), ENOPROTOOPT);
    assert_errno(set_int(fd, IPPROTO_IP, IP_HDRINCL, 1), ENOPROTOOPT);
    must(close(fd));
    must(close(stream));
}

/* covers: setsockopt IP_TTL getsockopt IP_TTL */
static void one_byte_is_a_number_too(void **state)
{
    (void)state;
    int fd = must(socket(AF_INET, SOCK_DGRAM, 0));
    unsigned char byte = 99;
    socklen_t size = 1;

    must(setsockopt(fd, IPPROTO_IP, IP_TTL, &byte, 1));
    byte = 0;
    must(getsockopt(fd, IPPROTO_IP, IP_TTL, &byte, &size));
    assert_int_equal(byte, 99);
    assert_int_equal(size, 1);
    must(close(fd));
}

/* covers: getsockopt IP_MTU ENOTCONN */
static void mtu_is_that_of_the_way_to_the_peer(void **state)
{
    (void)state;
    int fd = must(socket(AF_INET, SOCK_DGRAM, 0)), mtu;
    socklen_t size = sizeof mtu;

    loopback_needed();
    assert_errno(getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &size), ENOTCONN);
    must(try_connect4(fd, INADDR_LOOPBACK, 9));
    assert_int_equal(get_int(fd, IPPROTO_IP, IP_MTU), 65535);
    must(close(fd));
}

/* covers: setsockopt IP_TRANSPARENT EPERM */
static void transparent_needs_a_capability(void **state)
{
    (void)state;
    pid_t pid = child_fork();

    if (pid == 0) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct none[2] = {{0}};
        int fd = must(socket(AF_INET, SOCK_DGRAM, 0));

        must(syscall(SYS_capset, &header, none));
        assert_errno(set_int(fd, IPPROTO_IP, IP_TRANSPARENT, 1), EPERM);
        _exit(0);
    }
    assert_child_ok(pid);
}

/* covers: setsockopt IPV6_V6ONLY IPV6_UNICAST_HOPS IPV6_MULTICAST_HOPS IPV6_MULTICAST_LOOP EINVAL
   covers: setsockopt IPV6_RECVPKTINFO IPV6_RECVHOPLIMIT IPV6_RECVERR IPV6_TCLASS IPV6_MTU_DISCOVER */
static void options_of_ipv6_are_kept(void **state)
{
    (void)state;
    static const struct option options[] = {
        {IPPROTO_IPV6, IPV6_V6ONLY, UNKNOWN, 1, 1, UNKNOWN},
        {IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64, 7, 7, 256},
        {IPPROTO_IPV6, IPV6_UNICAST_HOPS, 7, -1, 64, -2},
        {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1, 8, 8, 256},
        {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1, 0, 0, 2},
        {IPPROTO_IPV6, IPV6_RECVPKTINFO, 0, 1, 1, UNKNOWN},
        {IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 0, 1, 1, UNKNOWN},
        {IPPROTO_IPV6, IPV6_RECVTCLASS, 0, 1, 1, UNKNOWN},
        {IPPROTO_IPV6, IPV6_RECVERR, 0, 1, 1, UNKNOWN},
        {IPPROTO_IPV6, IPV6_TCLASS, 0, 0x30, 0x30, 256},
        {IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_WANT, IPV6_PMTUDISC_DO, IPV6_PMTUDISC_DO,
         6},
        {IPPROTO_IPV6, IPV6_DONTFRAG, 0, 1, 1, UNKNOWN},
    };

    loopback6_needed();
    int fd = must(socket(AF_INET6, SOCK_DGRAM, 0)), four = must(socket(AF_INET, SOCK_DGRAM, 0));
    check_options(fd, options, sizeof options / sizeof options[0]);
    char byte = 1;
    assert_errno(setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &byte, 1), EINVAL);
    assert_errno(set_int(four, IPPROTO_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);
    must(close(fd));
    must(close(four));
}

/* covers: setsockopt UDP_CORK UDP_SEGMENT ENOPROTOOPT EINVAL */
static void options_of_udp_are_kept(void **state)
{
    (void)state;
    static const struct option options[] = {
        {IPPROTO_UDP, 1 /* UDP_CORK */, 0, 1, 1, UNKNOWN},
        {IPPROTO_UDP, 103 /* UDP_SEGMENT */, 0, 1000, 1000, 65536},
    };
    int fd = must(socket(AF_INET, SOCK_DGRAM, 0));

    check_options(fd, options, sizeof options / sizeof options[0]);
    assert_errno(set_int(fd, IPPROTO_UDP, 9999, 1), ENOPROTOOPT);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_of_tcp_are_kept),
        cmocka_unit_test(congestion_control_is_a_name),
        cmocka_unit_test(accepted_socket_inherits),
        cmocka_unit_test(options_of_ip_are_kept),
        cmocka_unit_test(one_byte_is_a_number_too),
        cmocka_unit_test(mtu_is_that_of_the_way_to_the_peer),
        cmocka_unit_test(transparent_needs_a_capability),
        cmocka_unit_test(options_of_ipv6_are_kept),
        cmocka_unit_test(options_of_udp_are_kept),
    };

    return cmocka_run_group_tests_name("net/ip_options", tests, NULL, NULL);
}
