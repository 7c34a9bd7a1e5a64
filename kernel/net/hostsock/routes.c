/*
 * kernel/net/hostsock/routes.c: which addresses are the instance's own on the host's interfaces, and from which one a packet
 * leaves. The launcher looked once, at start; what changes later is the host's affair, and connect(2) tells.
 */
#include "abi/unexported.h"
#include "net/hostsock/hostsock.h"
#include "net/hostsock/internal.h"
#include "net/interfaces.h"

static const struct boot_net *net; /* constant after the start */

#define DNS_PORT 53

static struct in6_addr ip_of(const struct boot_address *address)
{
    struct in6_addr ip;
    u32 v4;

    memcpy(&ip, address->ip, sizeof(ip));
    memcpy(&v4, address->ip, sizeof(v4));
    return address->family == AF_INET ? ip_of_v4(swap32(v4)) : ip;
}

static bool listed(const struct boot_address *addresses, u32 n, const struct in6_addr *ip)
{
    for (u32 i = 0; i < n; i++) {
        struct in6_addr one = ip_of(&addresses[i]);

        if (ip_equal(&one, ip))
            return true;
    }
    return false;
}

bool route_owns(const struct in6_addr *ip)
{
    return listed(net->addresses, net->naddresses, ip);
}

/* A resolver on the host's loopback, or at one of its own addresses, is not ours. */
bool route_takes(const struct endpoint *to)
{
    return to->port == DNS_PORT && listed(net->resolvers, net->nresolvers, &to->ip);
}

/* Bits that two addresses of one family have in common. */
static u32 common_bits(const struct in6_addr *a, const struct in6_addr *b)
{
    for (u32 i = 0; i < 16; i++) {
        u32 differ = a->s6_addr[i] ^ b->s6_addr[i];

        if (differ)
            return i * 8 + (u32)__builtin_clz(differ) - 24;
    }
    return 128;
}

/* How well an own address serves: the length of its network's prefix, 1 by a default route, 0 not at all. */
static u32 fitness(const struct boot_address *own, const struct in6_addr *to)
{
    struct in6_addr from = ip_of(own);
    const struct boot_interface *interface = interface_find(own->interface);
    u32 prefix = own->prefix + (own->family == AF_INET ? 96 : 0);
    bool v4 = ip_is_v4(to), local = own->scope != 0 /* RT_SCOPE_UNIVERSE */;

    if (ip_is_v4(&from) != v4 || !interface)
        return 0;
    if (common_bits(&from, to) >= prefix)
        return prefix + 2;
    return !local && interface_has_gateway(interface, own->family) ? 1 : 0;
}

int route_find(const struct in6_addr *to, struct in6_addr *from)
{
    u32 best = 0;

    for (u32 i = 0; i < net->naddresses; i++) {
        u32 fit = fitness(&net->addresses[i], to);

        if (fit > best) {
            best = fit;
            *from = ip_of(&net->addresses[i]);
        }
    }
    return best ? 0 : -ENETUNREACH;
}

/* ---- connections and sockets for datagrams ---- */

static int socket_for(struct socket *sock, int family, int type, struct hostsock **out)
{
    int file = host_socket_open(family, type), err;

    if (file < 0)
        return file;
    err = hostsock_create(file, family, type, out);
    if (err)
        return err;
    hostsock_copy_options(*out, sock);
    hostsock_belongs_to(*out, sock);
    return 0;
}

/*
 * An address that the program has bound is the host's source address too; the port is the host's to choose when it is taken
 * there.
 */
static int bind_local(struct hostsock *hs, const struct endpoint *local)
{
    struct target_address address;
    int err;

    if (!route_owns(&local->ip) || !address_of(hs->family, local, &address))
        return 0;
    err = host_socket_bind(hs->file, &address);
    if (err == -EADDRINUSE || err == -EACCES) {
        address.port = 0;
        err = host_socket_bind(hs->file, &address);
    }
    return err;
}

static int net_connect(struct socket *sock, struct endpoint *local, const struct endpoint *peer,
                       struct outside **out)
{
    int family = ip_is_v4(&peer->ip) ? AF_INET : AF_INET6, err, bound;
    struct target_address to, name;
    struct hostsock *hs;

    err = socket_for(sock, family, SOCK_STREAM, &hs);
    if (err)
        return err;
    err = bind_local(hs, local);
    if (!err)
        err = address_of(family, peer, &to) ? host_socket_connect(hs->file, &to) : -ENETUNREACH;
    bound = err && err != -EINPROGRESS ? err : host_socket_name(hs->file, family, false, &name);
    if (bound) {
        hostsock_ops.release(&hs->out, false);
        return bound;
    }
    endpoint_of(&name, local);
    *out = &hs->out;
    return err;
}

/*
 * A socket of IPv6 reaches both families, unless the host has no IPv6. Where the wildcard is bound, nothing comes that was
 * not asked for: the host's port is another one.
 */
static int net_open(struct socket *sock, const struct endpoint *local, bool bound,
                    struct outside **out)
{
    struct hostsock *hs;
    int err;

    *out = NULL;
    if (bound && !route_owns(&local->ip))
        return 0;
    if (sock->type != SOCK_DGRAM || (sock->protocol && sock->protocol != IPPROTO_UDP))
        return -ENETUNREACH;
    err = socket_for(sock, sock->family, SOCK_DGRAM, &hs);
    if (err == -EAFNOSUPPORT && sock->family == AF_INET6)
        err = socket_for(sock, AF_INET, SOCK_DGRAM, &hs);
    if (err)
        return err;
    if (hs->family == AF_INET6)
        (void)host_socket_set(hs->file, TARGET_OPTION_V6ONLY, 0);
    err = bind_local(hs, local);
    if (err)
        hostsock_ops.release(&hs->out, false);
    else
        *out = &hs->out;
    return err;
}

static const struct outside_net host_net = {
    .owns = route_owns,
    .takes = route_takes,
    .route = route_find,
    .connect = net_connect,
    .open = net_open,
    .listening = publish_listening,
};

int hostsock_start(const struct boot_info *boot)
{
    int err;

    if (!boot->net.outside)
        return 0;
    net = &boot->net;
    err = publish_start(boot);
    if (!err)
        outside_register(&host_net);
    return err;
}
