/* kernel/net/hostsock/options.c: options of a socket outside that mean something there. */
#include "abi/unexported.h"
#include "net/hostsock/internal.h"

#include <asm/socket.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>

#define ASK_HOST INT32_MIN /* nobody sets it; what it is the host alone can tell */

/* level and option as a program says them; each is an int. */
static const struct {
    int level, option;
    enum target_option host;
    int initial; /* of a new host socket: what the program has set to something else is copied */
} options[] = {
    {SOL_SOCKET, SO_KEEPALIVE, TARGET_OPTION_KEEPALIVE, 0},
    {SOL_SOCKET, SO_BROADCAST, TARGET_OPTION_BROADCAST, 0},
    {SOL_SOCKET, SO_OOBINLINE, TARGET_OPTION_OOBINLINE, 0},
    {SOL_TCP, TCP_NODELAY, TARGET_OPTION_NODELAY, 0},
    {SOL_TCP, TCP_CORK, TARGET_OPTION_CORK, 0},
    {SOL_TCP, TCP_KEEPIDLE, TARGET_OPTION_KEEPIDLE, 7200},
    {SOL_TCP, TCP_KEEPINTVL, TARGET_OPTION_KEEPINTVL, 75},
    {SOL_TCP, TCP_KEEPCNT, TARGET_OPTION_KEEPCNT, 9},
    {SOL_TCP, TCP_USER_TIMEOUT, TARGET_OPTION_USER_TIMEOUT, 0},
    {SOL_TCP, TCP_MAXSEG, TARGET_OPTION_MAXSEG, ASK_HOST},
    {SOL_IP, IP_TOS, TARGET_OPTION_TOS, 0},
    {SOL_IP, IP_TTL, TARGET_OPTION_TTL, 64},
    {SOL_IP, IP_MTU, TARGET_OPTION_MTU, ASK_HOST},
    {SOL_IPV6, IPV6_TCLASS, TARGET_OPTION_TOS, 0},
    {SOL_IPV6, IPV6_UNICAST_HOPS, TARGET_OPTION_TTL, 64},
    {SOL_IPV6, IPV6_MTU, TARGET_OPTION_MTU, ASK_HOST},
};

static int find(int level, int option)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (options[i].level == level && options[i].option == option)
            return (int)i;
    return -1;
}

int hostsock_set_option(struct outside *out, struct socket *sock, int level, int option,
                        const void *value, u32 len)
{
    int which = find(level, option), number;

    if (which < 0 || options[which].initial == ASK_HOST || len < sizeof(number))
        return -ENOPROTOOPT;
    memcpy(&number, value, sizeof(number));
    return host_socket_set(hostsock_of(out)->file, options[which].host, number);
}

/* What was set inet knows; only what the host alone can tell is asked there. */
int hostsock_get_option(struct outside *out, struct socket *sock, int level, int option,
                        void *value, u32 *len)
{
    int which = find(level, option), number, err;

    if (which < 0 || options[which].initial != ASK_HOST || *len < sizeof(number))
        return -ENOPROTOOPT;
    err = host_socket_get(hostsock_of(out)->file, options[which].host, &number);
    if (err)
        return err;
    memcpy(value, &number, sizeof(number));
    *len = sizeof(number);
    return 0;
}

static bool noted(struct socket *sock, int level, int option, int *number)
{
    u32 len = sizeof(*number);

    if (level == SOL_SOCKET) {
        enum socket_bit bit = option == SO_KEEPALIVE   ? SOCKET_KEEPALIVE
                              : option == SO_BROADCAST ? SOCKET_BROADCAST
                                                       : SOCKET_OOBINLINE;
        *number = socket_option(sock, bit);
        return *number;
    }
    return sock->ops->get_option(sock, level, option, number, &len) == 0 && len == sizeof(*number);
}

static bool applies(const struct hostsock *hs, int level)
{
    switch (level) {
    case SOL_TCP:
        return hs->type == SOCK_STREAM;
    case SOL_IP:
        return hs->family == AF_INET;
    case SOL_IPV6:
        return hs->family == AF_INET6;
    default:
        return true;
    }
}

/* An option that the host does not take is no reason not to connect. */
void hostsock_copy_options(struct hostsock *hs, struct socket *sock)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        int number;

        if (options[i].initial != ASK_HOST && applies(hs, options[i].level) &&
            noted(sock, options[i].level, options[i].option, &number) && number >= 0 &&
            number != options[i].initial)
            (void)host_socket_set(hs->file, options[i].host, number);
    }
}
