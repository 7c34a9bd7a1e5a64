/* netlink.c: netlink(7) and rtnetlink(7): what programs ask of interfaces, addresses and routes. */
#include "../lib/check.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/xattr.h>

static int open_route(void)
{
    return must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

/* Sends a request with a fixed part of n bytes. */
static void ask_with(int fd, int type, int flags, unsigned seq, const void *fixed, size_t n)
{
    struct {
        struct nlmsghdr header;
        char rest[256];
    } request = {0};

    request.header = (struct nlmsghdr){.nlmsg_len = (unsigned)NLMSG_LENGTH(n),
                                       .nlmsg_type = (unsigned short)type,
                                       .nlmsg_flags = (unsigned short)(flags | NLM_F_REQUEST),
                                       .nlmsg_seq = seq};
    memcpy(NLMSG_DATA(&request.header), fixed, n);
    assert_returns(send(fd, &request, request.header.nlmsg_len, 0), request.header.nlmsg_len);
}

static char answer[65536] __attribute__((aligned(8)));

static struct nlmsghdr *receive(int fd, size_t *left)
{
    ssize_t n = must(recv(fd, answer, sizeof answer, 0));

    *left = (size_t)n;
    assert_true(n >= (ssize_t)sizeof(struct nlmsghdr));
    return (struct nlmsghdr *)answer;
}

/* The error that an acknowledgement says. */
static int receive_error(int fd, unsigned seq)
{
    size_t left;
    struct nlmsghdr *header = receive(fd, &left);
    struct nlmsgerr *what = NLMSG_DATA(header);

    assert_int_equal(header->nlmsg_type, NLMSG_ERROR);
    assert_int_equal(header->nlmsg_seq, seq);
    return -what->error;
}

/* Runs over a dump; the number of messages of this type. */
static int dump(int fd, int type, unsigned seq, void (*each)(struct nlmsghdr *, void *), void *arg)
{
    int count = 0;

    for (;;) {
        size_t left;
        struct nlmsghdr *header = receive(fd, &left);

        for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
            assert_int_equal(header->nlmsg_seq, seq);
            if (header->nlmsg_type == NLMSG_DONE)
                return count;
            assert_int_equal(header->nlmsg_type, type);
            assert_true(header->nlmsg_flags & NLM_F_MULTI);
            count++;
            each(header, arg);
        }
    }
}

static void note_loopback(struct nlmsghdr *header, void *arg)
{
    struct ifinfomsg *info = NLMSG_DATA(header);

    if (info->ifi_index == 1) {
        assert_true(info->ifi_flags & IFF_LOOPBACK);
        *(bool *)arg = true;
    }
}

/* covers: socket bind sendto recvfrom */
static void links_are_dumped_with_loopback_among_them(void **state)
{
    (void)state;
    struct ifinfomsg all = {0};
    bool seen = false;
    int fd = open_route();

    ask_with(fd, RTM_GETLINK, NLM_F_DUMP, 7, &all, sizeof all);
    assert_true(dump(fd, RTM_NEWLINK, 7, note_loopback, &seen) >= 1);
    assert_true(seen);
    must(close(fd));
}

static void check_address(struct nlmsghdr *header, void *arg)
{
    struct ifaddrmsg *info = NLMSG_DATA(header);

    (void)arg;
    assert_int_equal(info->ifa_family, AF_INET);
    assert_true(info->ifa_prefixlen <= 32);
}

static void addresses_of_one_family_can_be_asked_for(void **state)
{
    (void)state;
    struct ifaddrmsg v4 = {.ifa_family = AF_INET};
    int fd = open_route();

    ask_with(fd, RTM_GETADDR, NLM_F_DUMP, 8, &v4, sizeof v4);
    dump(fd, RTM_NEWADDR, 8, check_address, NULL);
    must(close(fd));
}

static void one_link_is_found_by_index(void **state)
{
    (void)state;
    struct ifinfomsg lo = {.ifi_index = 1};
    int fd = open_route();
    size_t left;

    ask_with(fd, RTM_GETLINK, 0, 9, &lo, sizeof lo);
    struct nlmsghdr *header = receive(fd, &left);
    assert_int_equal(header->nlmsg_type, RTM_NEWLINK);
    assert_false(header->nlmsg_flags & NLM_F_MULTI);
    assert_int_equal(((struct ifinfomsg *)NLMSG_DATA(header))->ifi_index, 1);
    must(close(fd));
}

static void unknown_link_is_enodev(void **state)
{
    (void)state;
    struct ifinfomsg none = {.ifi_index = 77777};
    int fd = open_route();

    ask_with(fd, RTM_GETLINK, 0, 10, &none, sizeof none);
    assert_int_equal(receive_error(fd, 10), ENODEV);
    must(close(fd));
}

static void acknowledgement_comes_when_asked_for(void **state)
{
    (void)state;
    int fd = open_route();

    struct nlmsghdr noop = {.nlmsg_len = NLMSG_HDRLEN,
                            .nlmsg_type = NLMSG_NOOP,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
                            .nlmsg_seq = 11};
    assert_returns(send(fd, &noop, sizeof noop, 0), sizeof noop);
    assert_int_equal(receive_error(fd, 11), 0);
    must(close(fd));
}

static void changes_need_the_capability(void **state)
{
    (void)state;
    struct ifinfomsg lo = {.ifi_index = 1};

    need_root();
    as_nobody(int fd = open_route(); ask_with(fd, RTM_DELLINK, NLM_F_ACK, 12, &lo, sizeof lo);
              assert_int_equal(receive_error(fd, 12), EPERM); must(close(fd)));
}

static void message_that_is_none_is_not_answered(void **state)
{
    (void)state;
    struct nlmsghdr lie = {
        .nlmsg_len = 4000, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST};
    int fd = open_route();

    assert_returns(send(fd, &lie, sizeof lie, 0), sizeof lie);
    assert_errno(recv(fd, answer, sizeof answer, MSG_DONTWAIT), EAGAIN);
    assert_returns(send(fd, &lie, 3, 0), 3);
    assert_errno(recv(fd, answer, sizeof answer, MSG_DONTWAIT), EAGAIN);
    must(close(fd));
}

/* covers: bind EADDRINUSE EINVAL getsockname */
static void port_is_the_process_or_what_is_asked_for(void **state)
{
    (void)state;
    struct sockaddr_nl name = {.nl_family = AF_NETLINK}, got;
    socklen_t size = sizeof got;
    int a = open_route(), b = open_route(), c = open_route();

    must(bind(a, (struct sockaddr *)&name, sizeof name));
    must(getsockname(a, (struct sockaddr *)&got, &size));
    assert_int_equal(size, sizeof got);
    assert_int_equal(got.nl_family, AF_NETLINK);
    assert_true(got.nl_pid != 0);
    must(bind(b, (struct sockaddr *)&name, sizeof name));
    name.nl_pid = got.nl_pid;
    must(getsockname(b, (struct sockaddr *)&got, &size));
    assert_int_not_equal(got.nl_pid, name.nl_pid);
    assert_errno(bind(c, (struct sockaddr *)&name, sizeof name), EADDRINUSE);
    assert_errno(bind(a, (struct sockaddr *)&got, sizeof got), EINVAL);
    assert_errno(bind(c, (struct sockaddr *)&name, sizeof name - 1), EINVAL);
    must(close(a));
    must(close(b));
    must(close(c));
}

/* covers: socket EPROTONOSUPPORT ESOCKTNOSUPPORT */
static void other_protocols_and_types_are_refused(void **state)
{
    (void)state;
    assert_errno(socket(AF_NETLINK, SOCK_RAW, 31), EPROTONOSUPPORT);
    assert_errno(socket(AF_NETLINK, SOCK_RAW, 32), EPROTONOSUPPORT);
    assert_errno(socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE), ESOCKTNOSUPPORT);
}

/* covers: recvfrom MSG_PEEK MSG_TRUNC MSG_DONTWAIT poll */
static void answer_can_be_peeked_at_and_cut(void **state)
{
    (void)state;
    struct ifinfomsg lo = {.ifi_index = 1};
    struct sockaddr_nl from;
    socklen_t size = sizeof from;
    char little[4];
    int fd = open_route();
    struct pollfd ready = {.fd = fd, .events = POLLIN | POLLOUT};

    assert_returns(poll(&ready, 1, 0), 1);
    assert_int_equal(ready.revents, POLLOUT);
    ask_with(fd, RTM_GETLINK, 0, 13, &lo, sizeof lo);
    assert_returns(poll(&ready, 1, 0), 1);
    assert_int_equal(ready.revents, POLLIN | POLLOUT);
    ssize_t whole = must(recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC));
    assert_true(whole > (ssize_t)sizeof(struct nlmsghdr));
    assert_returns(recvfrom(fd, little, sizeof little, MSG_TRUNC, (struct sockaddr *)&from, &size),
                   whole);
    assert_int_equal(from.nl_pid, 0);
    assert_errno(recv(fd, little, sizeof little, MSG_DONTWAIT), EAGAIN);
    must(close(fd));
}

/* covers: setsockopt getsockopt ENOPROTOOPT */
static void options_are_kept(void **state)
{
    (void)state;
    int fd = open_route(), on = 1, got = -1;
    socklen_t size = sizeof got;

    must(setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on));
    must(getsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &got, &size));
    assert_int_equal(got, 1);
    must(getsockopt(fd, SOL_NETLINK, NETLINK_PKTINFO, &got, &size));
    assert_int_equal(got, 0);
    assert_errno(setsockopt(fd, SOL_NETLINK, 99, &on, sizeof on), ENOPROTOOPT);
    must(close(fd));
}

static void getifaddrs_finds_loopback(void **state)
{
    (void)state;
    struct ifaddrs *all;
    bool seen = false;

    must(getifaddrs(&all));
    for (struct ifaddrs *at = all; at; at = at->ifa_next)
        seen |= strcmp(at->ifa_name, "lo") == 0 && (at->ifa_flags & IFF_LOOPBACK);
    freeifaddrs(all);
    assert_true(seen);
}

/* covers: ioctl ENODEV */
static void ioctls_tell_of_an_interface(void **state)
{
    (void)state;
    int fd = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    struct ifreq request = {.ifr_name = "lo"};

    must(ioctl(fd, SIOCGIFINDEX, &request));
    assert_int_equal(request.ifr_ifindex, 1);
    memset(&request, 0, sizeof request);
    request.ifr_ifindex = 1;
    must(ioctl(fd, SIOCGIFNAME, &request));
    assert_string_equal(request.ifr_name, "lo");
    must(ioctl(fd, SIOCGIFFLAGS, &request));
    assert_true(request.ifr_flags & IFF_LOOPBACK);
    must(ioctl(fd, SIOCGIFMTU, &request));
    assert_int_equal(request.ifr_mtu, 65536);
    must(ioctl(fd, SIOCGIFHWADDR, &request));
    assert_int_equal(request.ifr_hwaddr.sa_family, 772);
    strcpy(request.ifr_name, "none0");
    assert_errno(ioctl(fd, SIOCGIFINDEX, &request), ENODEV);
    request.ifr_ifindex = 77777;
    assert_errno(ioctl(fd, SIOCGIFNAME, &request), ENODEV);
    must(close(fd));
}

static void assert_protocol(int family, int type, const char *expected)
{
    int fd = must(socket(family, type, 0));
    char name[64];

    assert_returns(fgetxattr(fd, "system.sockprotoname", NULL, 0), strlen(expected) + 1);
    assert_returns(fgetxattr(fd, "system.sockprotoname", name, sizeof name), strlen(expected) + 1);
    assert_string_equal(name, expected);
    assert_errno(fgetxattr(fd, "system.sockprotoname", name, 1), ERANGE);
    assert_errno(fgetxattr(fd, "user.other", name, sizeof name), ENODATA);
    assert_errno(fgetxattr(fd, "system.other", name, sizeof name), EOPNOTSUPP);
    assert_returns(flistxattr(fd, name, sizeof name), sizeof "system.sockprotoname");
    assert_string_equal(name, "system.sockprotoname");
    must(close(fd));
}

/* covers: fgetxattr flistxattr ERANGE */
static void attribute_of_a_socket_names_its_protocol(void **state)
{
    (void)state;
    assert_protocol(AF_UNIX, SOCK_STREAM, "UNIX-STREAM");
    assert_protocol(AF_UNIX, SOCK_SEQPACKET, "UNIX");
    assert_protocol(AF_INET, SOCK_STREAM, "TCP");
    assert_protocol(AF_INET6, SOCK_DGRAM, "UDPv6");
    assert_protocol(AF_NETLINK, SOCK_RAW, "NETLINK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_dumped_with_loopback_among_them),
        cmocka_unit_test(addresses_of_one_family_can_be_asked_for),
        cmocka_unit_test(one_link_is_found_by_index),
        cmocka_unit_test(unknown_link_is_enodev),
        cmocka_unit_test(acknowledgement_comes_when_asked_for),
        cmocka_unit_test(changes_need_the_capability),
        cmocka_unit_test(message_that_is_none_is_not_answered),
        cmocka_unit_test(port_is_the_process_or_what_is_asked_for),
        cmocka_unit_test(other_protocols_and_types_are_refused),
        cmocka_unit_test(answer_can_be_peeked_at_and_cut),
        cmocka_unit_test(options_are_kept),
        cmocka_unit_test(getifaddrs_finds_loopback),
        cmocka_unit_test(ioctls_tell_of_an_interface),
        cmocka_unit_test(attribute_of_a_socket_names_its_protocol),
    };

    return cmocka_run_group_tests_name("net/netlink", tests, NULL, NULL);
}
