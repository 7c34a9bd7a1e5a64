/* kernel/net/inet/address.c: addresses of programs and endpoints; which addresses are the instance's own. */
#include "base/errno.h"
#include "net/inet/internal.h"

/* RFC 2133 had no sin6_scope_id: Linux takes that form, too. */
#define SOCKADDR_IN6_SHORT 24

static int from_v4(const struct sock_addr *addr, struct endpoint *out)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&addr->storage;

    if (addr->len < sizeof(*in))
        return -EINVAL;
    *out = (struct endpoint){.ip = ip_of_v4(swap32(in->sin_addr.s_addr)),
                             .port = swap16(in->sin_port)};
    return 0;
}

static bool ip_is_link_local(const struct in6_addr *ip)
{
    return ip->s6_addr[0] == 0xfe && (ip->s6_addr[1] & 0xc0) == 0x80;
}

static int from_v6(const struct sock_addr *addr, struct endpoint *out)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&addr->storage;

    if (addr->len < SOCKADDR_IN6_SHORT)
        return -EINVAL;
    *out = (struct endpoint){.ip = in6->sin6_addr, .port = swap16(in6->sin6_port)};
    if (ip_is_link_local(&out->ip) && addr->len >= sizeof(*in6))
        out->scope = in6->sin6_scope_id;
    return 0;
}

int endpoint_of_address(const struct sock_addr *addr, struct endpoint *out)
{
    return addr->family == AF_INET ? from_v4(addr, out) : from_v6(addr, out);
}

int endpoint_from(const struct inet_sock *is, const struct sock_addr *addr, struct endpoint *out)
{
    bool datagram = is->sock.type != SOCK_STREAM;
    int err;

    if (is->sock.family == AF_INET) {
        if (addr->len < sizeof(struct sockaddr_in))
            return -EINVAL;
        /* ip(7): some programs leave the family out. */
        if (addr->family != AF_INET && !(datagram && addr->family == AF_UNSPEC))
            return -EAFNOSUPPORT;
        return from_v4(addr, out);
    }
    /* A datagram socket of IPv6 knows IPv4's addresses, too. */
    if (addr->family == AF_INET && datagram)
        err = from_v4(addr, out);
    else if (addr->len < SOCKADDR_IN6_SHORT)
        err = -EINVAL;
    else
        err = addr->family == AF_INET6 ? from_v6(addr, out) : -EAFNOSUPPORT;
    if (!err && ip_is_v4(&out->ip) && is->only_v6)
        err = addr->family == AF_INET ? -EAFNOSUPPORT : -ENETUNREACH;
    return err;
}

void endpoint_to(int family, const struct endpoint *from, struct sock_addr *out)
{
    if (family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)&out->storage;

        *in = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_port = swap16(from->port),
                                   .sin_addr.s_addr = swap32(ip_v4(&from->ip))};
        out->len = sizeof(*in);
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->storage;

        *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                     .sin6_port = swap16(from->port),
                                     .sin6_addr = from->ip,
                                     .sin6_scope_id = from->scope};
        out->len = sizeof(*in6);
    }
}

bool ip_is_own(const struct in6_addr *ip)
{
    const struct outside_net *net = outside_net();

    return ip_is_loopback(ip) || (net && net->owns && net->owns(ip));
}

static bool served_inside(const struct endpoint *to)
{
    AUTO(inet_put) struct inet_sock *receiver = port_find_receiver(&udp_ports, to, &ENDPOINT_ANY);
    AUTO(inet_put) struct inet_sock *listener = port_find_listener(&tcp_ports, to, &ENDPOINT_ANY);

    return receiver || listener;
}

int ip_route(const struct endpoint *to, struct in6_addr *from, bool *inside)
{
    const struct outside_net *net = outside_net();
    bool own = ip_is_own(&to->ip);

    *inside = own && !(net && net->takes(to) && !served_inside(to));
    if (own) {
        /* as Linux's table of local routes has it */
        *from = ip_is_loopback(&to->ip) && ip_is_v4(&to->ip) ? ip_of_v4(INADDR_LOOPBACK) : to->ip;
        return 0;
    }
    return net ? net->route(&to->ip, from) : -ENETUNREACH;
}

/* ---- bind(2) ---- */

/* What bind(2) takes as an address differs from what connect(2) takes. */
static int bind_address(struct inet_sock *is, const struct sock_addr *addr, struct endpoint *out,
                        u8 *families)
{
    bool v4 = is->sock.family == AF_INET;
    int err;

    if (addr->len < (v4 ? sizeof(struct sockaddr_in) : (size_t)SOCKADDR_IN6_SHORT))
        return -EINVAL;
    err = v4 ? from_v4(addr, out) : from_v6(addr, out);
    if (err)
        return err;
    if (v4 && addr->family != AF_INET && !(addr->family == AF_UNSPEC && ip_is_any(&out->ip)))
        return -EAFNOSUPPORT;
    if (!v4 && addr->family != AF_INET6)
        return -EAFNOSUPPORT;

    *families = inet_families(is);
    if (ip_is_v4(&out->ip)) {
        if (is->only_v6)
            return -EINVAL;
        *families = IN_V4;
        if (!ip_v4(&out->ip))
            out->ip = (struct in6_addr){0};
    } else if (!ip_is_any(&out->ip)) {
        *families = IN_V6;
    }
    return 0;
}

static int bind_allowed(struct inet_sock *is, const struct endpoint *local)
{
    bool foreign = inet_option(is, OPTION_FREEBIND | OPTION_TRANSPARENT | OPTION6_FREEBIND);

    if (ip_is_multicast(&local->ip) && !ip_is_v4(&local->ip) && is->sock.type == SOCK_STREAM)
        return -EINVAL;
    if (!ip_is_any(&local->ip) && !foreign && !ip_is_own(&local->ip) &&
        !ip_is_multicast(&local->ip) && !ip_is_broadcast(&local->ip))
        return -EADDRNOTAVAIL;
    if (local->port && local->port < READ_ONCE(inet_tunables.unprivileged_port) &&
        !capable(CAP_NET_BIND_SERVICE))
        return -EACCES;
    return 0;
}

int inet_bind_address(struct inet_sock *is, const struct sock_addr *addr, struct endpoint *local)
{
    u8 families;
    int err = bind_address(is, addr, local, &families);

    local->port = 0;
    return err ? err : bind_allowed(is, local);
}

int inet_bind(struct inet_sock *is, struct port_table *table, const struct sock_addr *addr,
              bool (*closed)(struct inet_sock *is))
{
    struct endpoint local = {0};
    u8 families = 0;
    int err = bind_address(is, addr, &local, &families);

    if (!err)
        err = bind_allowed(is, &local);
    if (err)
        return err;
    spin_lock(&is->sock.lock);
    if (is->local.port || !closed(is)) {
        err = -EINVAL;
    } else {
        is->port.local = local;
        is->port.families = families;
        is->port.chosen = local.port != 0;
        is->port.kind = PORT_BOUND;
        /* IP_BIND_ADDRESS_NO_PORT: connect(2) chooses. */
        if (local.port || !inet_option(is, OPTION_NO_PORT) || is->sock.type != SOCK_STREAM)
            err = port_take(table, &is->port);
        if (!err) {
            is->local = is->port.local;
            is->address_chosen = !ip_is_any(&local.ip);
        }
    }
    spin_unlock(&is->sock.lock);
    return err;
}

int inet_autobind_locked(struct inet_sock *is, struct port_table *table)
{
    int err;

    if (is->local.port)
        return 0;
    is->port.local = is->local;
    is->port.families = ip_is_any(&is->local.ip)  ? inet_families(is)
                        : ip_is_v4(&is->local.ip) ? IN_V4
                                                  : IN_V6;
    is->port.chosen = false;
    is->port.kind = PORT_BOUND;
    err = port_take(table, &is->port);
    if (!err)
        is->local.port = is->port.local.port;
    return err;
}

int inet_name_of(struct inet_sock *is, bool peer, struct sock_addr *out)
{
    struct endpoint name;

    spin_lock(&is->sock.lock);
    name = peer ? is->peer : is->local;
    spin_unlock(&is->sock.lock);
    if (peer && !name.port)
        return -ENOTCONN;
    endpoint_to(is->sock.family, &name, out);
    return 0;
}
