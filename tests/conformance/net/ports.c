/* ports.c: who may bind which port, ip(7); SO_REUSEADDR and SO_REUSEPORT of socket(7); tcp(7) on TIME_WAIT. */
#include "loopback.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int new_socket(int type, int option)
{
    int fd = must(socket(AF_INET, type, 0));

    if (option)
        must(set_int(fd, SOL_SOCKET, option, 1));
    return fd;
}

static void any_conflicts_with_each(int type)
{
    int a = new_socket(type, 0), b = new_socket(type, 0), c = new_socket(type, 0);

    loopback_needed();
    must(try_bind4(a, INADDR_LOOPBACK, 0));
    assert_errno(try_bind4(b, INADDR_ANY, port_of(a)), EADDRINUSE);
    assert_errno(try_bind4(b, INADDR_LOOPBACK, port_of(a)), EADDRINUSE);
    must(try_bind4(b, INADDR_LOOPBACK + 1, port_of(a))); /* another address */
    assert_errno(try_bind4(c, INADDR_ANY, port_of(a)), EADDRINUSE);
    must(close(a));
    assert_errno(try_bind4(c, INADDR_ANY, port_of(b)), EADDRINUSE);
    must(close(b));
    must(close(c));
}

/* covers: bind EADDRINUSE */
static void addresses_of_a_port_conflict_when_they_overlap(void **state)
{
    (void)state;
    any_conflicts_with_each(SOCK_STREAM);
    any_conflicts_with_each(SOCK_DGRAM);
}

static void reuse_shares(int type)
{
    int a = new_socket(type, SO_REUSEADDR), b = new_socket(type, SO_REUSEADDR);
    int c = new_socket(type, 0);

    must(try_bind4(a, INADDR_LOOPBACK, 0));
    assert_errno(try_bind4(c, INADDR_LOOPBACK, port_of(a)), EADDRINUSE);
    must(try_bind4(b, INADDR_LOOPBACK, port_of(a)));
    must(close(a));
    must(close(b));
    must(close(c));
}

/* covers: setsockopt SO_REUSEADDR bind EADDRINUSE */
static void both_must_want_to_share(void **state)
{
    (void)state;
    loopback_needed();
    reuse_shares(SOCK_STREAM);
    reuse_shares(SOCK_DGRAM);
}

/* covers: setsockopt SO_REUSEADDR listen bind EADDRINUSE */
static void nobody_shares_with_a_listener(void **state)
{
    (void)state;
    int a = new_socket(SOCK_STREAM, SO_REUSEADDR), b = new_socket(SOCK_STREAM, SO_REUSEADDR);

    loopback_needed();
    must(try_bind4(a, INADDR_LOOPBACK, 0));
    must(listen(a, 1));
    assert_errno(try_bind4(b, INADDR_LOOPBACK, port_of(a)), EADDRINUSE);
    assert_errno(try_bind4(b, INADDR_ANY, port_of(a)), EADDRINUSE);
    must(close(a));
    must(close(b));
}

/* covers: setsockopt SO_REUSEPORT listen accept */
static void listeners_that_share_a_port_get_connections_each(void **state)
{
    (void)state;
    int a = new_socket(SOCK_STREAM, SO_REUSEPORT), b = new_socket(SOCK_STREAM, SO_REUSEPORT);
    int clients[64], got[2] = {0, 0};

    loopback_needed();
    must(try_bind4(a, INADDR_LOOPBACK, 0));
    must(listen(a, 64));
    must(try_bind4(b, INADDR_LOOPBACK, port_of(a)));
    must(listen(b, 64));
    must(fcntl(a, F_SETFL, O_NONBLOCK));
    must(fcntl(b, F_SETFL, O_NONBLOCK));
    for (int i = 0; i < 64; i++) {
        clients[i] = new_socket(SOCK_STREAM, 0);
        must(try_connect4(clients[i], INADDR_LOOPBACK, port_of(a)));
    }
    for (int i = 0; i < 2; i++) {
        int fd;

        while ((fd = accept(i ? b : a, NULL, NULL)) >= 0) {
            got[i]++;
            must(close(fd));
        }
    }
    assert_int_equal(got[0] + got[1], 64);
    assert_true(got[0] > 0 && got[1] > 0);
    for (int i = 0; i < 64; i++)
        must(close(clients[i]));
    must(close(a));
    must(close(b));
}

/* covers: bind EADDRINUSE close SO_REUSEADDR */
static void who_ends_a_connection_first_keeps_its_port_a_while(void **state)
{
    (void)state;
    in_port_t port;
    int listener = listener4(1, &port), client = new_socket(SOCK_STREAM, 0), again;

    must(try_connect4(client, INADDR_LOOPBACK, port));
    int server = must(accept(listener, NULL, NULL));
    must(close(listener));
    again = new_socket(SOCK_STREAM, 0);
    assert_errno(try_bind4(again, INADDR_LOOPBACK, port), EADDRINUSE); /* a connection */
    must(close(server));
    poll_until(client, POLLRDHUP);
    assert_errno(try_bind4(again, INADDR_LOOPBACK, port), EADDRINUSE); /* half of one */
    must(close(client));
    assert_errno(try_bind4(again, INADDR_LOOPBACK, port), EADDRINUSE); /* TIME_WAIT */
    must(close(again));
}

/* covers: bind connect EADDRNOTAVAIL */
static void one_pair_of_names_is_one_connection(void **state)
{
    (void)state;
    in_port_t port;
    int listener = listener4(4, &port);
    int a = new_socket(SOCK_STREAM, SO_REUSEADDR), b = new_socket(SOCK_STREAM, SO_REUSEADDR);

    must(try_bind4(a, INADDR_LOOPBACK, 0));
    must(try_bind4(b, INADDR_LOOPBACK, port_of(a)));
    must(try_connect4(a, INADDR_LOOPBACK, port));
    assert_errno(try_connect4(b, INADDR_LOOPBACK, port), EADDRNOTAVAIL);
    must(close(a));
    must(close(b));
    must(close(listener));
}

/* covers: bind EINVAL */
static void second_name_is_refused(void **state)
{
    (void)state;
    int a = new_socket(SOCK_STREAM, 0), b = new_socket(SOCK_DGRAM, 0);

    loopback_needed();
    must(try_bind4(a, INADDR_LOOPBACK, 0));
    assert_errno(try_bind4(a, INADDR_LOOPBACK, 0), EINVAL);
    must(try_bind4(b, INADDR_LOOPBACK, 0));
    assert_errno(try_bind4(b, INADDR_LOOPBACK, 0), EINVAL);
    must(close(a));
    must(close(b));
}

/* covers: bind EACCES */
static void low_ports_need_a_capability(void **state)
{
    (void)state;
    pid_t pid = child_fork();

    if (pid == 0) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct none[2] = {{0}};
        int fd = new_socket(SOCK_STREAM, 0);

        must(syscall(SYS_capset, &header, none));
        assert_errno(try_bind4(fd, INADDR_ANY, 80), EACCES);
        must(try_bind4(fd, INADDR_ANY, 0));
        _exit(0);
    }
    assert_child_ok(pid);
}

/* covers: bind EAFNOSUPPORT EADDRNOTAVAIL EINVAL */
static void addresses_are_checked(void **state)
{
    (void)state;
    struct sockaddr_in addr = v4(INADDR_ANY, 0);
    int fd = new_socket(SOCK_STREAM, 0);

    addr.sin_family = AF_INET6;
    assert_errno(bind(fd, (struct sockaddr *)&addr, sizeof addr), EAFNOSUPPORT);
    addr = v4(INADDR_LOOPBACK, 0);
    addr.sin_family = AF_UNSPEC;
    assert_errno(bind(fd, (struct sockaddr *)&addr, sizeof addr), EAFNOSUPPORT);
    addr.sin_addr.s_addr = INADDR_ANY; /* old programs leave the family out */
    must(bind(fd, (struct sockaddr *)&addr, sizeof addr));
    must(close(fd));
    fd = new_socket(SOCK_DGRAM, 0);
    assert_errno(try_bind4(fd, 0xc0000201, 0), EADDRNOTAVAIL);
    must(close(fd));
}

/* covers: setsockopt IP_FREEBIND bind */
static void foreign_address_is_taken_when_asked(void **state)
{
    (void)state;
    int fd = new_socket(SOCK_STREAM, 0);

    must(set_int(fd, IPPROTO_IP, IP_FREEBIND, 1));
    must(try_bind4(fd, 0xc0000201, 0));
    must(close(fd));
}

/* covers: setsockopt IP_BIND_ADDRESS_NO_PORT bind connect */
static void port_may_be_left_to_connect(void **state)
{
    (void)state;
    in_port_t port;
    int listener = listener4(1, &port), client = new_socket(SOCK_STREAM, 0);

    must(set_int(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1));
    must(try_bind4(client, INADDR_LOOPBACK, 0));
    assert_int_equal(port_of(client), 0);
    must(try_connect4(client, INADDR_LOOPBACK, port));
    assert_true(port_of(client) != 0);
    must(close(client));
    must(close(listener));
}

/* covers: bind listen */
static void chosen_ports_lie_in_the_range_for_them(void **state)
{
    (void)state;
    unsigned low, high;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");

    if (!file)
        skip_because("/proc/sys/net/ipv4/ip_local_port_range is not there");
    assert_int_equal(fscanf(file, "%u %u", &low, &high), 2);
    fclose(file);
    loopback_needed();
    for (int i = 0; i < 50; i++) {
        int fd = new_socket(i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0);

        must(try_bind4(fd, INADDR_LOOPBACK, 0));
        assert_in_range(port_of(fd), low, high);
        must(close(fd));
    }
}

/* covers: bind EADDRINUSE setsockopt IPV6_V6ONLY */
static void ipv6_wildcard_takes_ipv4_too(void **state)
{
    (void)state;
    struct sockaddr_in6 any = v6(in6addr_any, 0);

    loopback6_needed();
    int both = must(socket(AF_INET6, SOCK_STREAM, 0)), four = new_socket(SOCK_STREAM, 0);
    must(set_int(both, IPPROTO_IPV6, IPV6_V6ONLY, 0));
    must(bind(both, (struct sockaddr *)&any, sizeof any));
    assert_errno(try_bind4(four, INADDR_ANY, port_of(both)), EADDRINUSE);
    assert_errno(try_bind4(four, INADDR_LOOPBACK, port_of(both)), EADDRINUSE);
    must(close(both));
    both = must(socket(AF_INET6, SOCK_STREAM, 0));
    must(set_int(both, IPPROTO_IPV6, IPV6_V6ONLY, 1));
    must(bind(both, (struct sockaddr *)&any, sizeof any));
    must(try_bind4(four, INADDR_ANY, port_of(both)));
    must(close(both));
    must(close(four));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_a_port_conflict_when_they_overlap),
        cmocka_unit_test(both_must_want_to_share),
        cmocka_unit_test(nobody_shares_with_a_listener),
        cmocka_unit_test(listeners_that_share_a_port_get_connections_each),
        cmocka_unit_test(who_ends_a_connection_first_keeps_its_port_a_while),
        cmocka_unit_test(one_pair_of_names_is_one_connection),
        cmocka_unit_test(second_name_is_refused),
        cmocka_unit_test(low_ports_need_a_capability),
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test(foreign_address_is_taken_when_asked),
        cmocka_unit_test(port_may_be_left_to_connect),
        cmocka_unit_test(chosen_ports_lie_in_the_range_for_them),
        cmocka_unit_test(ipv6_wildcard_takes_ipv4_too),
    };

    return cmocka_run_group_tests_name("net/ports", tests, NULL, NULL);
}
