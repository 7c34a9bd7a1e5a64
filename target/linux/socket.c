/* Host sockets: TCP and UDP, none of which ever blocks. */
#include "faults.h"
#include "linux.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <asm/socket.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/sockios.h>
#include <linux/tcp.h>

#define FAMILY_INET    2
#define FAMILY_INET6   10
#define STREAM         1
#define NONBLOCK       00004000
#define CLOEXEC        02000000
#define MESSAGE_OOB    0x1
#define MESSAGE_PEEK   0x2
#define MESSAGE_TRUNC  0x20
#define MESSAGE_NOWAIT 0x40
#define MESSAGE_QUIET  0x4000 /* no SIGPIPE */
#define MESSAGE_MORE   0x8000

union host_address {
    uint16_t family;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* The host's form; its length. */
static unsigned int address_out(const struct target_address *from, union host_address *to)
{
    *to = (union host_address){0};
    to->family = from->family;
    if (from->family == FAMILY_INET) {
        to->v4.sin_port = __builtin_bswap16(from->port);
        __builtin_memcpy(&to->v4.sin_addr, from->ip, 4);
        return sizeof(to->v4);
    }
    to->v6.sin6_port = __builtin_bswap16(from->port);
    to->v6.sin6_scope_id = from->scope;
    __builtin_memcpy(&to->v6.sin6_addr, from->ip, 16);
    return sizeof(to->v6);
}

static void address_in(const union host_address *from, unsigned int len, struct target_address *to)
{
    *to = (struct target_address){0};
    if (from->family == FAMILY_INET && len >= sizeof(from->v4)) {
        to->family = FAMILY_INET;
        to->port = __builtin_bswap16(from->v4.sin_port);
        __builtin_memcpy(to->ip, &from->v4.sin_addr, 4);
    } else if (from->family == FAMILY_INET6 && len >= sizeof(from->v6)) {
        to->family = FAMILY_INET6;
        to->port = __builtin_bswap16(from->v6.sin6_port);
        to->scope = from->v6.sin6_scope_id;
        __builtin_memcpy(to->ip, &from->v6.sin6_addr, 16);
    }
}

int target_socket_open(int family, int type)
{
    FAULT(EMFILE, ENFILE, ENOMEM);
    return (int)HOST3(__NR_socket, family, type | NONBLOCK | CLOEXEC, 0);
}

int target_socket_bind(int socket, const struct target_address *address)
{
    union host_address host;
    unsigned int len = address_out(address, &host);

    FAULT(EADDRINUSE, EADDRNOTAVAIL, ENOMEM);
    return (int)HOST3(__NR_bind, socket, &host, len);
}

int target_socket_listen(int socket, int backlog)
{
    FAULT(EADDRINUSE);
    return (int)HOST2(__NR_listen, socket, backlog);
}

int target_socket_accept(int socket, struct target_address *peer)
{
    union host_address host = {0};
    unsigned int len = sizeof(host);
    long got;

    FAULT(EAGAIN, ECONNABORTED, EMFILE, ENFILE, ENOMEM, EINTR);
    got = HOST4(__NR_accept4, socket, &host, &len, NONBLOCK | CLOEXEC);
    if (got >= 0)
        address_in(&host, len, peer);
    return (int)got;
}

int target_socket_connect(int socket, const struct target_address *to)
{
    union host_address host = {0};
    unsigned int len = to->family ? address_out(to, &host) : sizeof(host);

    FAULT(ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, EAGAIN, EACCES);
    return (int)HOST3(__NR_connect, socket, &host, len);
}

int target_socket_name(int socket, bool peer, struct target_address *out)
{
    union host_address host = {0};
    unsigned int len = sizeof(host);
    long err = HOST3(peer ? __NR_getpeername : __NR_getsockname, socket, &host, &len);

    if (!err)
        address_in(&host, len, out);
    return (int)err;
}

static int message_flags(int flags)
{
    return MESSAGE_NOWAIT | MESSAGE_QUIET | (flags & TARGET_MESSAGE_PEEK ? MESSAGE_PEEK : 0) |
           (flags & TARGET_MESSAGE_OOB ? MESSAGE_OOB : 0) |
           (flags & TARGET_MESSAGE_MORE ? MESSAGE_MORE : 0);
}

static bool is_stream(int socket)
{
    int type = 0;
    unsigned int size = sizeof(type);

    return HOST5(__NR_getsockopt, socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == STREAM;
}

int64_t target_socket_send(int socket, const void *from, size_t len, int flags,
                           const struct target_address *to)
{
    union host_address host;
    unsigned int size = to ? address_out(to, &host) : 0;

    FAULT(EAGAIN, EINTR, ENOBUFS, ECONNRESET);
    if (fault_on() && len > 1 && is_stream(socket))
        len = FAULT_SHORT(len);
    return HOST6(__NR_sendto, socket, from, len, message_flags(flags), to ? &host : NULL, size);
}

int64_t target_socket_receive(int socket, void *to, size_t len, int flags,
                              struct target_address *from)
{
    union host_address host = {0};
    unsigned int size = sizeof(host);
    long got;

    FAULT(EAGAIN, EINTR, ECONNRESET);
    if (fault_on() && len > 1 && is_stream(socket))
        len = FAULT_SHORT(len);
    /* MSG_TRUNC asks for the real length of a datagram; a stream would drop its bytes. */
    if (!from)
        return HOST6(__NR_recvfrom, socket, to, len, message_flags(flags), NULL, NULL);
    got = HOST6(__NR_recvfrom, socket, to, len, message_flags(flags) | MESSAGE_TRUNC, &host, &size);
    if (got >= 0)
        address_in(&host, size, from);
    return got;
}

int target_socket_shutdown(int socket, int how)
{
    return (int)HOST2(__NR_shutdown, socket, how);
}

/* The host's name for an option, by the family where IPv4 and IPv6 have one each. */
static bool option_place(int socket, enum target_option option, int *level, int *name)
{
    static const struct {
        int level, name, name6;
    } places[TARGET_OPTIONS] = {
        [TARGET_OPTION_ERROR] = {SOL_SOCKET, SO_ERROR, 0},
        [TARGET_OPTION_REUSEADDR] = {SOL_SOCKET, SO_REUSEADDR, 0},
        [TARGET_OPTION_KEEPALIVE] = {SOL_SOCKET, SO_KEEPALIVE, 0},
        [TARGET_OPTION_BROADCAST] = {SOL_SOCKET, SO_BROADCAST, 0},
        [TARGET_OPTION_OOBINLINE] = {SOL_SOCKET, SO_OOBINLINE, 0},
        [TARGET_OPTION_NODELAY] = {IPPROTO_TCP, TCP_NODELAY, 0},
        [TARGET_OPTION_CORK] = {IPPROTO_TCP, TCP_CORK, 0},
        [TARGET_OPTION_KEEPIDLE] = {IPPROTO_TCP, TCP_KEEPIDLE, 0},
        [TARGET_OPTION_KEEPINTVL] = {IPPROTO_TCP, TCP_KEEPINTVL, 0},
        [TARGET_OPTION_KEEPCNT] = {IPPROTO_TCP, TCP_KEEPCNT, 0},
        [TARGET_OPTION_USER_TIMEOUT] = {IPPROTO_TCP, TCP_USER_TIMEOUT, 0},
        [TARGET_OPTION_TOS] = {IPPROTO_IP, IP_TOS, IPV6_TCLASS},
        [TARGET_OPTION_TTL] = {IPPROTO_IP, IP_TTL, IPV6_UNICAST_HOPS},
        [TARGET_OPTION_V6ONLY] = {IPPROTO_IPV6, IPV6_V6ONLY, 0},
        [TARGET_OPTION_MAXSEG] = {IPPROTO_TCP, TCP_MAXSEG, 0},
        [TARGET_OPTION_MTU] = {IPPROTO_IP, IP_MTU, IPV6_MTU},
    };
    int domain = 0;
    unsigned int size = sizeof(domain);

    if (option < 0 || option >= TARGET_OPTIONS || !places[option].name)
        return false;
    *level = places[option].level;
    *name = places[option].name;
    if (places[option].name6 &&
        HOST5(__NR_getsockopt, socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
        domain == FAMILY_INET6) {
        *level = IPPROTO_IPV6;
        *name = places[option].name6;
    }
    return true;
}

static int linger_option(int socket, bool set, int *value)
{
    struct {
        int on, seconds;
    } linger = {.on = *value >= 0, .seconds = *value >= 0 ? *value : 0};
    unsigned int size = sizeof(linger);
    long err;

    if (set)
        return (int)HOST5(__NR_setsockopt, socket, SOL_SOCKET, SO_LINGER, &linger, size);
    err = HOST5(__NR_getsockopt, socket, SOL_SOCKET, SO_LINGER, &linger, &size);
    if (!err)
        *value = linger.on ? linger.seconds : -1;
    return (int)err;
}

int target_socket_option(int socket, enum target_option option, bool set, int *value)
{
    unsigned int size = sizeof(*value);
    int level, name;

    if (option == TARGET_OPTION_LINGER)
        return linger_option(socket, set, value);
    if (!option_place(socket, option, &level, &name))
        return -ENOPROTOOPT;
    if (set)
        return (int)HOST5(__NR_setsockopt, socket, level, name, value, size);
    return (int)HOST5(__NR_getsockopt, socket, level, name, value, &size);
}

int64_t target_socket_count(int socket, enum target_count what)
{
    int n = 0;
    long err = HOST3(__NR_ioctl, socket,
                     what == TARGET_COUNT_IN    ? SIOCINQ
                     : what == TARGET_COUNT_OUT ? SIOCOUTQ
                                                : SIOCATMARK,
                     &n);

    return err ? err : n;
}
