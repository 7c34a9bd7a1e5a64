/* multicast_sources.c: whom a member of a group hears: IP_ADD_SOURCE_MEMBERSHIP and its kin of ip(7), RFC 3678. */
#include "loopback.h"

#define GROUP  0xe0000121 /* 224.0.1.33 */
#define FIRST  INADDR_LOOPBACK
#define SECOND (INADDR_LOOPBACK + 1)

static int set_source(int fd, int option, in_addr_t group, in_addr_t source)
{
    struct ip_mreq_source req = {.imr_multiaddr.s_addr = htonl(group),
                                 .imr_interface.s_addr = htonl(INADDR_LOOPBACK),
                                 .imr_sourceaddr.s_addr = htonl(source)};

    return setsockopt(fd, IPPROTO_IP, option, &req, sizeof req);
}

static int join(int fd)
{
    struct ip_mreq req = {.imr_multiaddr.s_addr = htonl(GROUP),
                          .imr_interface.s_addr = htonl(INADDR_LOOPBACK)};

    return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &req, sizeof req);
}

static int member(in_port_t *port)
{
    int fd = must(socket(AF_INET, SOCK_DGRAM, 0));

    loopback_needed();
    must(try_bind4(fd, INADDR_ANY, 0));
    *port = port_of(fd);
    return fd;
}

/* Does the member hear what this source sends to the group? */
static bool hears(int fd, in_port_t port, in_addr_t source)
{
    struct ip_mreqn interface = {.imr_address.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in to = v4(GROUP, port), back = v4(INADDR_LOOPBACK, port);
    int sender = must(socket(AF_INET, SOCK_DGRAM, 0));
    char seen[8] = "";

    must(try_bind4(sender, source, 0));
    must(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface));
    assert_returns(sendto(sender, "many", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
    assert_returns(sendto(sender, "end", 3, 0, (struct sockaddr *)&back, sizeof back), 3);
    must(close(sender));
    must(recv(fd, seen, sizeof seen, 0));
    if (strncmp(seen, "end", 3) == 0)
        return false;
    assert_returns(recv(fd, seen, sizeof seen, 0), 3);
    return true;
}

/* covers: setsockopt IP_ADD_SOURCE_MEMBERSHIP IP_DROP_SOURCE_MEMBERSHIP EADDRNOTAVAIL */
static void included_sources_alone_are_heard(void **state)
{
    (void)state;
    in_port_t port;
    int fd = member(&port);

    must(set_source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, FIRST));
    assert_true(hears(fd, port, FIRST));
    assert_false(hears(fd, port, SECOND));
    must(set_source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, SECOND));
    assert_true(hears(fd, port, SECOND));
    assert_errno(set_source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, SECOND), EADDRNOTAVAIL);
    must(set_source(fd, IP_DROP_SOURCE_MEMBERSHIP, GROUP, FIRST));
    assert_false(hears(fd, port, FIRST));
    assert_errno(set_source(fd, IP_DROP_SOURCE_MEMBERSHIP, GROUP, FIRST), EADDRNOTAVAIL);
    must(set_source(fd, IP_DROP_SOURCE_MEMBERSHIP, GROUP, SECOND)); /* and so it leaves the group */
    assert_errno(set_source(fd, IP_DROP_SOURCE_MEMBERSHIP, GROUP, SECOND), EINVAL);
    must(join(fd));
    must(close(fd));
}

/* covers: setsockopt IP_BLOCK_SOURCE IP_UNBLOCK_SOURCE EADDRNOTAVAIL EINVAL */
static void blocked_sources_are_not_heard(void **state)
{
    (void)state;
    in_port_t port;
    int fd = member(&port);

    assert_errno(set_source(fd, IP_BLOCK_SOURCE, GROUP, FIRST), EINVAL); /* no member yet */
    must(join(fd));
    assert_true(hears(fd, port, FIRST));
    assert_errno(set_source(fd, IP_UNBLOCK_SOURCE, GROUP, FIRST), EADDRNOTAVAIL);
    must(set_source(fd, IP_BLOCK_SOURCE, GROUP, FIRST));
    assert_errno(set_source(fd, IP_BLOCK_SOURCE, GROUP, FIRST), EADDRNOTAVAIL);
    assert_false(hears(fd, port, FIRST));
    assert_true(hears(fd, port, SECOND));
    assert_errno(set_source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, SECOND), EINVAL); /* one way */
    must(set_source(fd, IP_UNBLOCK_SOURCE, GROUP, FIRST));
    assert_true(hears(fd, port, FIRST));
    must(close(fd));
}

/* covers: setsockopt IP_ADD_SOURCE_MEMBERSHIP EINVAL ENODEV ENOBUFS */
static void bad_sources_are_refused(void **state)
{
    (void)state;
    struct ip_mreq_source req = {.imr_multiaddr.s_addr = htonl(GROUP),
                                 .imr_interface.s_addr = htonl(0x08080808)};
    in_port_t port;
    int fd = member(&port);

    assert_errno(setsockopt(fd, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &req, 8), EINVAL);
    assert_errno(setsockopt(fd, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &req, sizeof req), ENODEV);
    assert_errno(set_source(fd, IP_ADD_SOURCE_MEMBERSHIP, FIRST, FIRST), EINVAL);
    for (in_addr_t i = 0; i < 10; i++)
        must(set_source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, FIRST + i));
    assert_errno(set_source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, FIRST + 10), ENOBUFS);
    must(close(fd));
}

/* covers: setsockopt MCAST_JOIN_SOURCE_GROUP MCAST_LEAVE_SOURCE_GROUP EADDRNOTAVAIL EINVAL */
static void sources_are_named_for_any_family(void **state)
{
    (void)state;
    struct group_source_req req = {.gsr_interface = 1};
    struct sockaddr_in group = v4(GROUP, 0), source = v4(FIRST, 0);
    in_port_t port;
    int fd = member(&port);

    memcpy(&req.gsr_group, &group, sizeof group);
    memcpy(&req.gsr_source, &source, sizeof source);
    must(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &req, sizeof req));
    assert_true(hears(fd, port, FIRST));
    assert_false(hears(fd, port, SECOND));
    must(setsockopt(fd, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, &req, sizeof req));
    assert_errno(setsockopt(fd, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, &req, sizeof req), EINVAL);
    assert_errno(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &req, 8), EINVAL);
    req.gsr_source.ss_family = AF_INET6;
    assert_errno(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &req, sizeof req),
                 EADDRNOTAVAIL);
    must(close(fd));
}

/* covers: getsockopt IP_MSFILTER setsockopt IP_MSFILTER */
static void list_of_sources_is_told_and_set_at_once(void **state)
{
    (void)state;
    int fd = must(socket(AF_INET, SOCK_DGRAM, 0));
    struct ip_msfilter filter = {.imsf_multiaddr.s_addr = htonl(GROUP),
                                 .imsf_interface.s_addr = htonl(INADDR_LOOPBACK),
                                 .imsf_fmode = MCAST_EXCLUDE};
    socklen_t size = IP_MSFILTER_SIZE(0);

    loopback_needed();
    must(join(fd));
    if (getsockopt(fd, IPPROTO_IP, IP_MSFILTER, &filter, &size) < 0)
        skip_because("IP_MSFILTER is not there yet");
    assert_int_equal(filter.imsf_fmode, MCAST_EXCLUDE);
    assert_int_equal(filter.imsf_numsrc, 0);
    must(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, &filter, IP_MSFILTER_SIZE(0)));
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(included_sources_alone_are_heard),
        cmocka_unit_test(blocked_sources_are_not_heard),
        cmocka_unit_test(bad_sources_are_refused),
        cmocka_unit_test(sources_are_named_for_any_family),
        cmocka_unit_test(list_of_sources_is_told_and_set_at_once),
    };

    return cmocka_run_group_tests_name("net/multicast_sources", tests, NULL, NULL);
}
