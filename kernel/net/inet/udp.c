/* kernel/net/inet/udp.c: UDP sockets: names, readiness, options; udp(7). */
#include "base/errno.h"
#include "mm/alloc.h"
#include "net/inet/udp.h"

#include <asm/ioctls.h>
#include <linux/net.h>
#include <linux/sockios.h>
#include <linux/udp.h>

static bool udp_is_unbound(struct inet_sock *is)
{
    return !is->peer.port;
}

struct outside *udp_outside(struct udp_sock *us, bool bound)
{
    struct inet_sock *is = &us->inet;
    struct outside *out = inet_outside(is), *mine = NULL;
    struct endpoint local;
    int err;

    if (out)
        return out;
    if (!outside_net())
        return ERR_PTR(-ENETUNREACH);
    local = inet_local(&is->sock);
    err = outside_net()->open(&is->sock, &local, bound, &mine);
    if (err)
        return ERR_PTR(err);
    if (!mine)
        return ERR_PTR(-ENETUNREACH);
    refcount_init(&mine->users, 2);
    spin_lock(&is->sock.lock);
    if (is->outside) {
        out = is->outside;
        refcount_get(&out->users);
    } else {
        is->outside = mine;
    }
    spin_unlock(&is->sock.lock);
    if (!out)
        return mine;
    /* another thread was faster */
    outside_put(mine, false);
    outside_put(mine, false);
    return out;
}

static int udp_bind(struct socket *sock, const struct sock_addr *addr)
{
    struct udp_sock *us = udp_of(sock);
    int err = inet_bind(&us->inet, udp_table(us), addr, udp_is_unbound);
    struct outside *out;

    if (err || !outside_net() || ip_is_loopback(&us->inet.local.ip))
        return err;
    out = udp_outside(us, true);
    if (!IS_ERR(out))
        outside_put(out, false);
    return 0;
}

/* ---- connect(2): sets the peer, and who is heard ---- */

static void set_peer_locked(struct udp_sock *us, const struct endpoint *local,
                            const struct endpoint *peer)
{
    struct inet_sock *is = &us->inet;
    struct port_bucket *bucket = port_bucket(udp_table(us), is->local.port);

    is->local.ip = local->ip;
    is->peer = *peer;
    spin_lock(&bucket->lock);
    is->port.local.ip = local->ip;
    is->port.peer = *peer;
    is->port.families = ip_is_any(&local->ip)  ? inet_families(is)
                        : ip_is_v4(&local->ip) ? IN_V4
                                               : IN_V6;
    spin_unlock(&bucket->lock);
}

static int udp_disconnect(struct udp_sock *us)
{
    struct inet_sock *is = &us->inet;
    struct endpoint local = {0};
    struct outside *out = inet_outside(is);

    if (out && out->ops->connect)
        (void)out->ops->connect(out, &is->sock, NULL);
    outside_put(out, false);
    spin_lock(&is->sock.lock);
    if (is->local.port && is->port.table) {
        if (is->address_chosen)
            local.ip = is->local.ip;
        set_peer_locked(us, &local, &ENDPOINT_ANY);
        if (!is->port.chosen) {
            port_release(&is->port);
            is->local.port = 0;
        }
    }
    is->sock.error = 0;
    spin_unlock(&is->sock.lock);
    return 0;
}

static int connect_peer(struct udp_sock *us, struct endpoint *peer, bool *inside)
{
    struct inet_sock *is = &us->inet;
    struct endpoint local;
    struct in6_addr from;
    int err;

    if (ip_is_any(&peer->ip))
        peer->ip = is->sock.family == AF_INET || ip_is_v4(&is->local.ip)
                       ? ip_of_v4(INADDR_LOOPBACK)
                       : (struct in6_addr){.s6_addr = {[15] = 1}};
    if (ip_is_broadcast(&peer->ip) && !socket_option(&is->sock, SOCKET_BROADCAST))
        return -EACCES;
    err = ip_route(peer, &from, inside);
    if (err)
        return err;
    spin_lock(&is->sock.lock);
    err = inet_autobind_locked(is, udp_table(us)) ? -EAGAIN : 0;
    local = is->local;
    if (!is->address_chosen)
        local.ip = from;
    if (!err && ip_is_v4(&local.ip) != ip_is_v4(&peer->ip))
        err = -ENETUNREACH;
    if (!err)
        set_peer_locked(us, &local, peer);
    spin_unlock(&is->sock.lock);
    return err;
}

static int udp_connect(struct socket *sock, const struct sock_addr *addr, u32 flags)
{
    struct udp_sock *us = udp_of(sock);
    struct outside *out;
    struct endpoint peer;
    bool inside = true;
    int err;

    if (addr->len < sizeof(addr->family))
        return -EINVAL;
    if (addr->family == AF_UNSPEC)
        return udp_disconnect(us);
    err = endpoint_from(&us->inet, addr, &peer);
    /* An IPv6 socket takes IPv4 names too, and 0.0.0.0 is this machine's IPv4. */
    if (!err && addr->family == AF_INET && ip_is_any(&peer.ip))
        peer.ip = ip_of_v4(INADDR_LOOPBACK);
    if (udp_is_portless(us) && !peer.port)
        peer.port = 1;
    if (!err)
        err = connect_peer(us, &peer, &inside);
    if (err)
        return err;
    if (inside)
        return 0;
    out = udp_outside(us, false);
    if (IS_ERR(out))
        return (int)PTR_ERR(out);
    err = out->ops->connect ? out->ops->connect(out, sock, &peer) : 0;
    outside_put(out, false);
    return err;
}

static int udp_name_of(struct socket *sock, bool peer, struct sock_addr *out)
{
    return inet_name_of(inet_of(sock), peer, out);
}

int udp_shutdown(struct socket *sock, int how)
{
    struct inet_sock *is = inet_of(sock);
    struct outside *out = inet_outside(is);
    int err;

    spin_lock(&sock->lock);
    sock->shut_read |= how != SHUT_WR;
    sock->shut_write |= how != SHUT_RD;
    err = is->peer.port ? 0 : -ENOTCONN;
    spin_unlock(&sock->lock);
    if (out && !err)
        err = out->ops->shutdown(out, sock, how);
    outside_put(out, false);
    waitq_wake(&sock->wait, UDP_READ_BITS | UDP_WRITE_BITS | POLLHUP | POLLRDHUP);
    return err;
}

u32 udp_poll(struct socket *sock, struct poll_table *table)
{
    struct udp_sock *us = udp_of(sock);
    struct outside *out = inet_outside(&us->inet);
    u32 mask = UDP_WRITE_BITS;

    poll_wait(&sock->file, &sock->wait, table);
    spin_lock(&sock->lock);
    if (sock->error || !list_empty(&us->errors))
        mask |= POLLERR;
    if (!list_empty(&us->errors) && socket_option(sock, SOCKET_SELECT_ERR_QUEUE))
        mask |= POLLPRI;
    if (sock->shut_read)
        mask |= POLLRDHUP | UDP_READ_BITS;
    if (sock->shut_read && sock->shut_write)
        mask |= POLLHUP;
    if (!list_empty(&us->queue))
        mask |= UDP_READ_BITS;
    spin_unlock(&sock->lock);
    if (out)
        mask |= out->ops->poll(out, sock, table) & (UDP_READ_BITS | POLLERR | POLLHUP | POLLPRI);
    outside_put(out, false);
    return mask;
}

/* SIOCINQ: the length of the first datagram, udp(7). */
long udp_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
    struct udp_sock *us = udp_of(sock);
    struct datagram *first;
    struct outside *out;
    int n = 0;

    if (cmd != SIOCINQ && cmd != SIOCOUTQ)
        return -ENOTTY;
    if (cmd == SIOCINQ) {
        spin_lock(&sock->lock);
        first = list_first_entry(&us->queue, struct datagram, link);
        n = first ? (int)first->len : -1;
        spin_unlock(&sock->lock);
        out = n < 0 ? inet_outside(&us->inet) : NULL;
        if (out)
            n = out->ops->count(out, sock, cmd);
        outside_put(out, false);
    }
    return put_user(MAX(n, 0), (int __user *)arg);
}

/* ---- options ---- */

static int udp_set_option(struct socket *sock, int level, int option, const void *value, u32 len)
{
    struct udp_sock *us = udp_of(sock);
    int number, err;

    if (level != IPPROTO_UDP)
        return inet_set_option(sock, level, option, value, len);
    if (udp_is_portless(us))
        return -ENOPROTOOPT;
    err = len < sizeof(number) ? -EINVAL : option_number(value, len, &number);
    if (err)
        return err;
    switch (option) {
    case UDP_CORK:
        WRITE_ONCE(us->corked, number != 0);
        return number ? 0 : udp_uncork(us);
    case UDP_SEGMENT:
        if (number < 0 || number > (int)UINT16_MAX)
            return -EINVAL;
        WRITE_ONCE(us->segment, (u32)number);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int udp_get_option(struct socket *sock, int level, int option, void *value, u32 *len)
{
    struct udp_sock *us = udp_of(sock);
    int number;

    if (level != IPPROTO_UDP)
        return inet_get_option(sock, level, option, value, len);
    if (udp_is_portless(us))
        return -ENOPROTOOPT;
    if (option == UDP_CORK)
        number = READ_ONCE(us->corked);
    else if (option == UDP_SEGMENT)
        number = (int)READ_ONCE(us->segment);
    else
        return -ENOPROTOOPT;
    return option_put(value, len, &number, sizeof(number));
}

static void udp_release(struct socket *sock)
{
    struct udp_sock *us = udp_of(sock);

    port_release(&us->inet.port);
    udp_drop_queues(us);
    inet_release(&us->inet);
}

static const struct socket_ops udp_ops = {
    .name = "UDP",
    .bind = udp_bind,
    .connect = udp_connect,
    .name_of = udp_name_of,
    .send = udp_send,
    .receive = udp_receive,
    .shutdown = udp_shutdown,
    .poll = udp_poll,
    .set_option = udp_set_option,
    .get_option = udp_get_option,
    .option_changed = inet_option_changed,
    .ioctl = udp_ioctl,
    .peek_offset = true,
    .release = udp_release,
};

int udp_create(int family, int type, int protocol, int flags, struct socket **out)
{
    int echo = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6, err = 0;
    struct udp_sock *us;

    if (protocol == echo)
        err = ping_allowed();
    else if (protocol && protocol != IPPROTO_UDP)
        err = -EPROTONOSUPPORT;
    if (err)
        return err;
    us = kzalloc(sizeof(*us));
    if (!us)
        return -ENOMEM;
    udp_queues_init(us);
    err = inet_init(&us->inet, &udp_ops, family, SOCK_DGRAM, protocol ? protocol : IPPROTO_UDP,
                    flags);
    if (err) {
        kfree(us);
        return err;
    }
    *out = &us->inet.sock;
    return 0;
}
