/* loopback.h: sockets over the loopback interface, for the tests of tcp(7), udp(7), ip(7) and ipv6(7). */
#ifndef NET_LOOPBACK_H
#define NET_LOOPBACK_H

#include "../lib/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static inline struct sockaddr_in v4(in_addr_t address, in_port_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
}

static inline struct sockaddr_in6 v6(struct in6_addr address, in_port_t port)
{
    return (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = address};
}

static inline void loopback_needed(void)
{
    struct sockaddr_in addr = v4(INADDR_LOOPBACK, 9);
    int probe = must(socket(AF_INET, SOCK_DGRAM, 0));

    if (connect(probe, (struct sockaddr *)&addr, sizeof addr) != 0)
        skip_because("the loopback interface is down");
    must(close(probe));
}

static inline void loopback6_needed(void)
{
    struct sockaddr_in6 addr = v6(in6addr_loopback, 0);
    int probe = socket(AF_INET6, SOCK_DGRAM, 0);

    if (probe < 0 || bind(probe, (struct sockaddr *)&addr, sizeof addr) != 0)
        skip_because("there is no IPv6 on the loopback interface");
    must(close(probe));
}

static inline int try_bind4(int fd, in_addr_t address, in_port_t port)
{
    struct sockaddr_in addr = v4(address, port);

    return bind(fd, (struct sockaddr *)&addr, sizeof addr);
}

static inline int try_connect4(int fd, in_addr_t address, in_port_t port)
{
    struct sockaddr_in addr = v4(address, port);

    return connect(fd, (struct sockaddr *)&addr, sizeof addr);
}

static inline in_port_t port_of(int fd)
{
    struct sockaddr_in6 addr;
    socklen_t size = sizeof addr;

    must(getsockname(fd, (struct sockaddr *)&addr, &size));
    return ntohs(addr.sin6_port); /* stands where sin_port does */
}

static inline int listener4(int backlog, in_port_t *port)
{
    int fd = must(socket(AF_INET, SOCK_STREAM, 0));

    loopback_needed();
    must(try_bind4(fd, INADDR_LOOPBACK, 0));
    must(listen(fd, backlog));
    *port = port_of(fd);
    return fd;
}

static inline void tcp_pair(int fds[2])
{
    in_port_t port;
    int listener = listener4(5, &port);

    fds[0] = must(socket(AF_INET, SOCK_STREAM, 0));
    must(try_connect4(fds[0], INADDR_LOOPBACK, port));
    fds[1] = must(accept(listener, NULL, NULL));
    must(close(listener));
}

static inline void close_both(int fds[2])
{
    must(close(fds[0]));
    must(close(fds[1]));
}

static inline int udp_bound(in_port_t *port)
{
    int fd = must(socket(AF_INET, SOCK_DGRAM, 0));

    loopback_needed();
    must(try_bind4(fd, INADDR_LOOPBACK, 0));
    *port = port_of(fd);
    return fd;
}

static inline int get_int(int fd, int level, int option)
{
    int value = -12345;
    socklen_t size = sizeof value;

    must(getsockopt(fd, level, option, &value, &size));
    return value;
}

static inline int set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

/* The state of a TCP connection: TCP_ESTABLISHED ... */
static inline int state_of(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    must(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
    return info.tcpi_state;
}

/* What poll says of everything it can be asked. */
static inline short poll_now(int fd)
{
    struct pollfd p = {.fd = fd,
                       .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM};

    must(poll(&p, 1, 0));
    return p.revents;
}

static inline short poll_until(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    assert_returns(poll(&p, 1, PATIENCE_MS), 1);
    return p.revents;
}

#define CAN_READ  (POLLIN | POLLRDNORM)
#define CAN_WRITE (POLLOUT | POLLWRNORM)

#endif
