/* kernel/net/inet/udp_send.c: datagrams on their way; udp(7), ip(7). */
#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "net/inet/udp.h"
#include "net/interfaces.h"
#include "time/time.h"

#include <linux/ipv6.h>
#include <linux/udp.h>

#define DEFAULT_TTL      64
#define UDP_MAX_SEGMENTS 64 /* udp(7) */

struct datagram *datagram_create(u32 len)
{
    struct datagram *dg = kmalloc(sizeof(*dg) + len);

    if (!dg)
        return NULL;
    memset(dg, 0, sizeof(*dg));
    list_init(&dg->link);
    refcount_init(&dg->ref, 1);
    dg->len = len;
    return dg;
}

void datagram_put(struct datagram *dg)
{
    if (refcount_put(&dg->ref))
        kfree(dg);
}

static struct datagram *datagram_copy(const struct datagram *dg)
{
    struct datagram *copy = datagram_create(dg->len);

    if (!copy)
        return NULL;
    copy->from = dg->from;
    copy->to = dg->to;
    copy->stamp = dg->stamp;
    copy->ttl = dg->ttl;
    copy->tos = dg->tos;
    memcpy(copy->data, dg->data, dg->len);
    return copy;
}

/* ---- control data: ip(7), ipv6(7), udp(7) ---- */

static int control_v4(struct sending *s, const struct control_item *item)
{
    struct in_pktinfo info;
    int number;

    switch (item->type) {
    case IP_PKTINFO:
        if (item->len != sizeof(info))
            return -EINVAL;
        memcpy(&info, item->data, sizeof(info));
        if (info.ipi_spec_dst.s_addr)
            s->from.ip = ip_of_v4(swap32(info.ipi_spec_dst.s_addr));
        return 0;
    case IP_TTL:
        if (item->len != sizeof(number))
            return -EINVAL;
        memcpy(&number, item->data, sizeof(number));
        if (number < 1 || number > 255)
            return -EINVAL;
        s->ttl = (s16)number;
        return 0;
    case IP_TOS:
        if (option_number(item->data, (u32)item->len, &number))
            return -EINVAL;
        s->tos = (u8)number;
        return number < 0 || number > 255 ? -EINVAL : 0;
    case IP_RETOPTS:
        return item->len ? -EINVAL : 0;
    default:
        return -EINVAL;
    }
}

static int control_v6(struct sending *s, const struct control_item *item)
{
    struct in6_pktinfo info;
    int number;

    switch (item->type) {
    case IPV6_PKTINFO:
        if (item->len < sizeof(info))
            return -EINVAL;
        memcpy(&info, item->data, sizeof(info));
        if (!ip_is_any(&info.ipi6_addr))
            s->from.ip = info.ipi6_addr;
        return 0;
    case IPV6_HOPLIMIT:
    case IPV6_TCLASS:
        if (item->len != sizeof(number))
            return -EINVAL;
        memcpy(&number, item->data, sizeof(number));
        if (number < -1 || number > 255)
            return -EINVAL;
        if (number >= 0 && item->type == IPV6_HOPLIMIT)
            s->ttl = (s16)number;
        else if (number >= 0)
            s->tos = (u8)number;
        return 0;
    default:
        return -EINVAL;
    }
}

static int sending_control(struct udp_sock *us, const struct message *msg, struct sending *s)
{
    struct control_item item;
    size_t at = 0;
    int err = 0;
    u16 segment;

    while (!err && control_next(msg->control, &at, &item, &err)) {
        if (item.level == IPPROTO_UDP && item.type == UDP_SEGMENT) {
            if (item.len != sizeof(segment))
                return -EINVAL;
            memcpy(&segment, item.data, sizeof(segment));
            s->segment = segment;
        } else if (item.level == IPPROTO_IP) {
            err = control_v4(s, &item);
        } else if (item.level == IPPROTO_IPV6 && us->inet.sock.family == AF_INET6) {
            err = control_v6(s, &item);
        }
    }
    if (!err && !ip_is_any(&s->from.ip) && !ip_is_own(&s->from.ip))
        err = us->inet.sock.family == AF_INET6 ? -EINVAL : -ENETUNREACH;
    return err;
}

/* ---- where it goes ---- */

static void sending_defaults(struct udp_sock *us, struct sending *s)
{
    const struct inet_options *options = &us->inet.options;
    bool v4 = us->inet.sock.family == AF_INET || ip_is_v4(&s->to.ip),
         many = ip_is_multicast(&s->to.ip);
    s16 ttl = v4 ? options->ttl : options->hops;

    if (many)
        ttl = v4 ? options->many_ttl : options->many_hops < 0 ? (s16)1 : options->many_hops;
    s->ttl = ttl < 0 ? DEFAULT_TTL : ttl;
    s->tos = v4 ? options->tos : options->tclass;
    s->segment = READ_ONCE(us->segment);
}

/* The source, and whether it stays inside. Datagrams to many need a word on which way: lo, by IP_MULTICAST_IF. */
static int sending_route(struct udp_sock *us, struct sending *s)
{
    struct in6_addr from;
    int err;

    if (ip_is_broadcast(&s->to.ip) && !socket_option(&us->inet.sock, SOCKET_BROADCAST) &&
        (ip_v4(&s->to.ip) != 0xffffffff || outside_net()))
        return -EACCES;
    if (ip_is_multicast(&s->to.ip)) {
        bool v4 = ip_is_v4(&s->to.ip);

        s->inside =
            v4 ? us->inet.options.many_if || ip_is_loopback(&s->from.ip)
               : us->inet.options.many_if6 || s->to.scope == 1 || ip_is_loopback(&s->from.ip);
        from = v4 ? ip_of_v4(INADDR_LOOPBACK) : (struct in6_addr){.s6_addr = {[15] = 1}};
        err = s->inside ? 0 : outside_net() ? outside_net()->route(&s->to.ip, &from) : -ENETUNREACH;
    } else {
        err = ip_route(&s->to, &from, &s->inside);
    }
    if (!err && !s->inside && READ_ONCE(us->inet.sock.device) == LOOPBACK_INDEX)
        err = -ENETUNREACH; /* SO_BINDTODEVICE */
    if (err)
        return err;
    if (ip_is_any(&s->from.ip))
        s->from.ip = from;
    else if (ip_is_v4(&s->from.ip) != ip_is_v4(&s->to.ip))
        return -ENETUNREACH;
    return 0;
}

/* Names of both ends; the socket gets a port when it has none. */
static int sending_names(struct udp_sock *us, const struct message *msg, struct sending *s)
{
    struct inet_sock *is = &us->inet;
    int err;

    if (msg->addr && msg->addr->len) {
        if (is->sock.family == AF_INET6 && msg->addr->family == AF_UNSPEC)
            return -EAFNOSUPPORT;
        err = endpoint_from(is, msg->addr, &s->to);
        if (err)
            return err;
        if (udp_is_portless(us))
            s->to.port = s->to.port ? s->to.port : 1; /* it counts for nothing */
        if (!s->to.port)
            return -EINVAL;
    }
    spin_lock(&is->sock.lock);
    err = socket_take_error_locked(&is->sock);
    s->connected = is->peer.port && !s->to.port;
    if (!err && !s->to.port) {
        s->to = is->peer;
        err = is->peer.port ? 0 : -EDESTADDRREQ;
    }
    if (!err)
        err = inet_autobind_locked(is, udp_table(us)) ? -EAGAIN : 0;
    s->from = is->local;
    spin_unlock(&is->sock.lock);
    if (!err && ip_is_any(&s->to.ip))
        s->to.ip = is->sock.family == AF_INET || ip_is_v4(&s->from.ip)
                       ? ip_of_v4(INADDR_LOOPBACK)
                       : (struct in6_addr){.s6_addr = {[15] = 1}};
    return err;
}

int sending_begin(struct udp_sock *us, const struct message *msg, struct sending *s)
{
    int err;

    *s = (struct sending){0};
    err = sending_names(us, msg, s);
    if (err)
        return err;
    sending_defaults(us, s);
    err = sending_control(us, msg, s);
    return err ? err : sending_route(us, s);
}

/* ---- delivery ---- */

/* To each member of the group, a copy. */
static void deliver_to_many(struct udp_sock *us, struct datagram *dg)
{
    struct port_bucket *bucket = port_bucket(&udp_ports, dg->to.port);
    struct inet_sock *members[16];
    struct port_user *user;
    u32 n = 0;

    if (!(ip_is_v4(&dg->to.ip) ? us->inet.options.many_loop : us->inet.options.many_loop6))
        return;
    spin_lock(&bucket->lock);
    list_for_each_entry(user, &bucket->sockets, link) {
        if (user->local.port == dg->to.port && port_matches(user, &dg->to.ip) &&
            n < ARRAY_SIZE(members))
            members[n++] = inet_get(user->sock);
    }
    spin_unlock(&bucket->lock);
    for (u32 i = 0; i < n; i++) {
        struct inet_sock *is = members[i];
        struct datagram *copy;
        bool member;

        spin_lock(&is->sock.lock);
        member = inet_in_group_locked(is, &dg->to.ip, &dg->from.ip);
        spin_unlock(&is->sock.lock);
        copy = member ? datagram_copy(dg) : NULL;
        if (copy)
            udp_queue(udp_of(&is->sock), copy);
        inet_put(is);
    }
}

/* Takes the reference. */
static void deliver(struct udp_sock *us, const struct sending *s, struct datagram *dg)
{
    struct inet_sock *to;

    if (ip_is_multicast(&dg->to.ip) || ip_is_broadcast(&dg->to.ip)) {
        if (ip_is_multicast(&dg->to.ip))
            deliver_to_many(us, dg);
        datagram_put(dg);
        return;
    }
    to = port_find_receiver(&udp_ports, &dg->to, &dg->from);
    if (to) {
        udp_queue(udp_of(&to->sock), dg);
        inet_put(to);
    } else {
        u32 recverr = ip_is_v4(&dg->to.ip) ? OPTION_RECVERR : OPTION6_RECVERR;

        if (s->connected || inet_option(&us->inet, recverr))
            udp_refused(us, dg, ECONNREFUSED);
        else
            datagram_put(dg);
    }
}

static ssize_t send_one(struct udp_sock *us, const struct sending *s, struct message *msg, u32 len)
{
    struct datagram *dg = datagram_create(len);

    if (!dg)
        return -ENOBUFS;
    if (len && copy_from_iter(msg->data, dg->data, len) != (ssize_t)len) {
        datagram_put(dg);
        return -EFAULT;
    }
    dg->from = s->from;
    dg->to = s->to;
    dg->ttl = s->ttl;
    dg->tos = s->tos;
    dg->stamp = time_realtime();
    if (udp_is_portless(us))
        return ping_answer(us, dg);
    deliver(us, s, dg);
    return len;
}

/* udp(7): UDP_SEGMENT cuts what one call sends. */
static ssize_t send_inside(struct udp_sock *us, const struct sending *s, struct message *msg)
{
    size_t total = iter_left(msg->data), done = 0;

    if (s->segment && total > (size_t)s->segment * UDP_MAX_SEGMENTS)
        return -EINVAL;
    do {
        u32 len = (u32)(total - done);
        ssize_t n = send_one(us, s, msg, s->segment ? MIN(len, s->segment) : len);

        if (n < 0)
            return done ? (ssize_t)done : n;
        done += (size_t)n;
    } while (done < total);
    return (ssize_t)done;
}

static ssize_t send_outside(struct udp_sock *us, const struct sending *s, struct message *msg)
{
    struct sock_addr to, *given = msg->addr;
    struct outside *out = udp_outside(us, false);
    ssize_t n;

    if (IS_ERR(out))
        return PTR_ERR(out);
    endpoint_to(us->inet.sock.family, &s->to, &to);
    msg->addr = s->connected ? NULL : &to;
    n = outside_send(&us->inet, out, msg);
    msg->addr = given;
    outside_put(out, false);
    return n;
}

/* ---- MSG_MORE and UDP_CORK ---- */

/* More of a datagram that is not complete. */
static ssize_t pend(struct udp_sock *us, const struct sending *s, struct message *msg)
{
    struct socket *sock = &us->inet.sock;
    size_t len = iter_left(msg->data);
    struct datagram *old, *dg;

    spin_lock(&sock->lock);
    old = TAKE(us->pending);
    spin_unlock(&sock->lock);
    dg = old && old->len + len > UDP_MAX_V4 ? ERR_PTR(-EMSGSIZE)
                                            : datagram_create((old ? old->len : 0) + (u32)len);
    if (!IS_ERR_OR_NULL(dg)) {
        u32 at = old ? old->len : 0;

        if (old)
            memcpy(dg->data, old->data, at);
        if (len && copy_from_iter(msg->data, dg->data + at, len) != (ssize_t)len) {
            datagram_put(dg);
            dg = ERR_PTR(-EFAULT);
        } else {
            dg->from = old ? old->from : s->from;
            dg->to = old ? old->to : s->to;
            dg->ttl = old ? old->ttl : s->ttl;
            dg->tos = old ? old->tos : s->tos;
            dg->stamp = time_realtime();
        }
    }
    if (old)
        datagram_put(old);
    if (IS_ERR_OR_NULL(dg))
        return dg ? PTR_ERR(dg) : -ENOBUFS;
    spin_lock(&sock->lock);
    old = us->pending;
    us->pending = dg;
    spin_unlock(&sock->lock);
    if (old)
        datagram_put(old);
    return (ssize_t)len;
}

int udp_uncork(struct udp_sock *us)
{
    struct sending s = {0};
    struct in6_addr from;
    struct datagram *dg;
    bool inside;
    int err;

    spin_lock(&us->inet.sock.lock);
    dg = TAKE(us->pending);
    if (dg)
        s.connected = endpoint_equal(&us->inet.peer, &dg->to);
    spin_unlock(&us->inet.sock.lock);
    if (!dg)
        return 0;
    if (ip_is_multicast(&dg->to.ip) || ip_route(&dg->to, &from, &inside))
        inside = true;
    if (inside) {
        deliver(us, &s, dg);
        return 0;
    }
    struct iter data;
    struct message msg = {.data = &data, .flags = MSG_DONTWAIT};

    s.to = dg->to;
    iter_init_kernel(&data, true, dg->data, dg->len);
    err = (int)send_outside(us, &s, &msg);
    datagram_put(dg);
    return MIN(err, 0);
}

ssize_t udp_send(struct socket *sock, struct message *msg)
{
    struct udp_sock *us = udp_of(sock);
    size_t len = iter_left(msg->data);
    bool more = (msg->flags & MSG_MORE) || READ_ONCE(us->corked), pending;
    struct sending s;
    ssize_t n;
    int err;

    if (len > 0xffff)
        return -EMSGSIZE;
    if (msg->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (READ_ONCE(sock->shut_write))
        return -EPIPE;
    pending = READ_ONCE(us->pending);
    err = pending ? 0 : sending_begin(us, msg, &s);
    if (err)
        return err;
    if (!pending && len > (ip_is_v4(&s.to.ip) ? UDP_MAX_V4 : UDP_MAX_V6))
        return -EMSGSIZE;
    if ((more || pending) && !udp_is_portless(us)) {
        n = pend(us, &s, msg);
        err = n < 0 || more ? 0 : udp_uncork(us);
        return err ? err : n;
    }
    return s.inside ? send_inside(us, &s, msg) : send_outside(us, &s, msg);
}
