/*
 * kernel/net/inet/raw.c: raw sockets, raw(7): packets of one protocol, of IPv4 with their headers. They reach raw sockets of
 * the instance alone, but this machine answers echo requests. Nothing raw goes outside.
 */
#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "net/inet/ip_header.h"
#include "net/inet/udp.h"
#include "time/time.h"

#include <linux/icmpv6.h>
#include <linux/ip.h>

#define ICMP_FILTER 1 /* of level SOL_RAW; <linux/icmp.h> wants a libc header */

struct raw_sock {
    struct udp_sock us; /* queues and options as UDP has them; port.link is in raws.list */
    u32 icmp_filter;    /* ICMP_FILTER, a word: the types of messages that are not wanted */
    struct icmp6_filter icmp6_filter; /* the same of ICMPv6; inet.sock.lock */
};

static struct {
    struct spinlock lock;  /* class PORTS */
    struct list_head list; /* lock: all raw sockets */
    u32 count[2];          /* atomic: of IPv4, of IPv6 */
} raws = {.lock = SPINLOCK(PORTS), .list = LIST_HEAD_INIT(raws.list)};

static struct raw_sock *raw_of(struct socket *sock)
{
    return container_of(udp_of(sock), struct raw_sock, us);
}

static bool is_v4(const struct raw_sock *raw)
{
    return raw->us.inet.sock.family == AF_INET;
}

u32 raw_count(int family)
{
    return __atomic_load_n(&raws.count[family == AF_INET6], __ATOMIC_RELAXED);
}

/* ---- delivery ---- */

static bool names_match(struct raw_sock *raw, const struct datagram *dg)
{
    struct inet_sock *is = &raw->us.inet;
    bool match;

    spin_lock(&is->sock.lock);
    match = (ip_is_any(&is->local.ip) || ip_equal(&is->local.ip, &dg->to.ip)) &&
            (!is->peer.port || ip_equal(&is->peer.ip, &dg->from.ip));
    spin_unlock(&is->sock.lock);
    return match;
}

/* Of a message of ICMP: payload is behind the header of IP. */
static bool type_wanted(struct raw_sock *raw, const u8 *payload, u32 len)
{
    u16 protocol = raw->us.inet.sock.protocol;
    bool wanted = true;

    if (is_v4(raw))
        return protocol != IPPROTO_ICMP || !len || payload[0] > 31 ||
               !(READ_ONCE(raw->icmp_filter) & 1U << payload[0]);
    if (protocol != IPPROTO_ICMPV6 || !len)
        return true;
    spin_lock(&raw->us.inet.sock.lock);
    wanted = !(raw->icmp6_filter.data[payload[0] >> 5] & 1U << (payload[0] & 31));
    spin_unlock(&raw->us.inet.sock.lock);
    return wanted;
}

/* What comes to a socket: of IPv4 the whole packet. */
static struct datagram *packet_make(const struct datagram *dg, const u8 *header, u32 header_len)
{
    struct datagram *packet = datagram_create(header_len + dg->len);

    if (!packet)
        return NULL;
    packet->from = dg->from;
    packet->from.port = 0;
    packet->to = dg->to;
    packet->stamp = dg->stamp;
    packet->ttl = dg->ttl;
    packet->tos = dg->tos;
    memcpy(packet->data, header, header_len);
    memcpy(packet->data + header_len, dg->data, dg->len);
    return packet;
}

/* The nth one that wants packets of a protocol, counted memory; NULL. */
static struct raw_sock *nth_listener(u32 n, int family, u8 protocol)
{
    struct raw_sock *found = NULL;
    struct inet_sock *is;

    spin_lock(&raws.lock);
    list_for_each_entry(is, &raws.list, port.link) {
        if (is->sock.family != family || is->sock.protocol != protocol || n--)
            continue;
        found = raw_of(&inet_get(is)->sock);
        break;
    }
    spin_unlock(&raws.lock);
    return found;
}

void raw_hear(const struct datagram *dg, u8 protocol)
{
    int family = ip_is_v4(&dg->to.ip) ? AF_INET : AF_INET6;
    struct ip_facts facts = {
        .protocol = protocol, .ttl = (u8)dg->ttl, .tos = dg->tos, .payload = dg->len};
    struct raw_sock *raw;
    u8 header[IP_HEADER_MAX];
    u32 header_len;

    if (!raw_count(family))
        return;
    header_len = ip_header_put(header, &dg->from.ip, &dg->to.ip, &facts);
    for (u32 n = 0; (raw = nth_listener(n, family, protocol)); n++) {
        struct datagram *packet = NULL;

        if (names_match(raw, dg) && type_wanted(raw, dg->data, dg->len))
            packet = packet_make(dg, header, family == AF_INET ? header_len : 0);
        if (packet)
            udp_queue(&raw->us, packet);
        inet_put(&raw->us.inet);
    }
}

/* ---- sending ---- */

/* IP_HDRINCL: the header is the program's, but for what raw(7) says the kernel fills in. Here it is taken apart. */
static int header_take(struct datagram *dg, u8 *protocol)
{
    struct iphdr header;
    u32 len;

    if (dg->len < sizeof(header))
        return -EINVAL;
    memcpy(&header, dg->data, sizeof(header));
    len = header.ihl * 4U;
    if (len < sizeof(header) || len > dg->len)
        return -EINVAL;
    *protocol = header.protocol;
    dg->ttl = header.ttl;
    dg->tos = header.tos;
    if (header.saddr)
        dg->from.ip = ip_of_v4(swap32(header.saddr));
    dg->to.ip = ip_of_v4(swap32(header.daddr));
    dg->len -= len;
    memmove(dg->data, dg->data + len, dg->len);
    return 0;
}

/* RFC 4443: the kernel makes the checksum of ICMPv6, as raw sockets of IPv6 have it. */
static void checksum_put(struct datagram *dg)
{
    struct icmp6hdr *icmp = (struct icmp6hdr *)dg->data;
    u32 sum;

    if (dg->len < sizeof(icmp->icmp6_cksum) + 2)
        return;
    icmp->icmp6_cksum = 0;
    sum = ip_sum_pseudo_v6(&dg->from.ip, &dg->to.ip, IPPROTO_ICMPV6, dg->len);
    icmp->icmp6_cksum = ip_checksum(ip_sum(dg->data, dg->len, sum));
}

static void deliver(struct datagram *dg, u8 protocol)
{
    bool v4 = ip_is_v4(&dg->to.ip);

    if (!v4 && protocol == IPPROTO_ICMPV6)
        checksum_put(dg);
    raw_hear(dg, protocol);
    if (protocol == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) && echo_turn(dg))
        raw_hear(dg, protocol);
}

static ssize_t raw_send(struct socket *sock, struct message *msg)
{
    struct raw_sock *raw = raw_of(sock);
    size_t len = iter_left(msg->data);
    AUTO(datagram_put) struct datagram *dg = NULL;
    u8 protocol = (u8)sock->protocol;
    struct sending s;
    int err;

    if (len > 0xffff - (is_v4(raw) ? IP_HEADER_V4 : 0))
        return -EMSGSIZE;
    if (msg->flags & MSG_OOB)
        return -EOPNOTSUPP;
    err = sending_begin(&raw->us, msg, &s);
    if (err)
        return err;
    if (!s.inside)
        return -ENETUNREACH;
    dg = datagram_create((u32)len);
    if (!dg)
        return -ENOBUFS;
    if (len && copy_from_iter(msg->data, dg->data, len) != (ssize_t)len)
        return -EFAULT;
    dg->from = s.from;
    dg->to = s.to;
    dg->ttl = s.ttl;
    dg->tos = s.tos;
    dg->stamp = time_realtime();
    err = is_v4(raw) && inet_option(&raw->us.inet, OPTION_HDRINCL) ? header_take(dg, &protocol) : 0;
    if (err)
        return err;
    deliver(dg, protocol);
    return (ssize_t)len;
}

/* ---- names ---- */

static int raw_bind(struct socket *sock, const struct sock_addr *addr)
{
    struct inet_sock *is = inet_of(sock);
    struct endpoint local;
    int err = inet_bind_address(is, addr, &local);

    if (err)
        return err;
    spin_lock(&sock->lock);
    is->local.ip = local.ip;
    is->address_chosen = !ip_is_any(&local.ip);
    spin_unlock(&sock->lock);
    return 0;
}

static int raw_connect(struct socket *sock, const struct sock_addr *addr, u32 flags)
{
    struct inet_sock *is = inet_of(sock);
    struct endpoint peer = ENDPOINT_ANY;
    struct in6_addr from = {0};
    bool inside;
    int err;

    (void)flags;
    if (addr->len < sizeof(addr->family))
        return -EINVAL;
    if (addr->family != AF_UNSPEC) {
        err = endpoint_from(is, addr, &peer);
        if (!err)
            err = ip_route(&peer, &from, &inside);
        if (err)
            return err;
        peer.port = peer.port ? peer.port : 1; /* it counts for nothing */
    }
    spin_lock(&sock->lock);
    is->peer = peer;
    if (!is->address_chosen)
        is->local.ip = from;
    spin_unlock(&sock->lock);
    return 0;
}

static int raw_name_of(struct socket *sock, bool peer, struct sock_addr *out)
{
    return inet_name_of(inet_of(sock), peer, out);
}

/* ---- options ---- */

static int set_filter(struct raw_sock *raw, const void *value, u32 len)
{
    struct socket *sock = &raw->us.inet.sock;

    if (is_v4(raw)) {
        u32 filter = 0;

        memcpy(&filter, value, MIN(len, (u32)sizeof(filter)));
        WRITE_ONCE(raw->icmp_filter, filter);
        return 0;
    }
    spin_lock(&sock->lock);
    memcpy(&raw->icmp6_filter, value, MIN(len, (u32)sizeof(raw->icmp6_filter)));
    spin_unlock(&sock->lock);
    return 0;
}

static int get_filter(struct raw_sock *raw, void *value, u32 *len)
{
    struct socket *sock = &raw->us.inet.sock;
    struct icmp6_filter filter;
    u32 word = READ_ONCE(raw->icmp_filter);

    if (is_v4(raw))
        return option_put(value, len, &word, sizeof(word));
    spin_lock(&sock->lock);
    filter = raw->icmp6_filter;
    spin_unlock(&sock->lock);
    return option_put(value, len, &filter, sizeof(filter));
}

/* The filter of message types: 0; -EOPNOTSUPP: the protocol has none; 1: it is another option. */
static int filter_option(const struct raw_sock *raw, int level, int option)
{
    u16 protocol = raw->us.inet.sock.protocol;

    if (is_v4(raw) && level == SOL_RAW)
        return option != ICMP_FILTER ? -ENOPROTOOPT : protocol == IPPROTO_ICMP ? 0 : -EOPNOTSUPP;
    if (!is_v4(raw) && level == IPPROTO_ICMPV6)
        return protocol != IPPROTO_ICMPV6 ? -EOPNOTSUPP
               : option == ICMPV6_FILTER  ? 0
                                          : -ENOPROTOOPT;
    return 1;
}

static int raw_set_option(struct socket *sock, int level, int option, const void *value, u32 len)
{
    int which = filter_option(raw_of(sock), level, option);

    if (which == 1)
        return inet_set_option(sock, level, option, value, len);
    return which ? which : set_filter(raw_of(sock), value, len);
}

static int raw_get_option(struct socket *sock, int level, int option, void *value, u32 *len)
{
    int which = filter_option(raw_of(sock), level, option);

    if (which == 1)
        return inet_get_option(sock, level, option, value, len);
    return which ? which : get_filter(raw_of(sock), value, len);
}

/* ---- life ---- */

static void raw_release(struct socket *sock)
{
    struct raw_sock *raw = raw_of(sock);

    spin_lock(&raws.lock);
    list_del(&raw->us.inet.port.link);
    spin_unlock(&raws.lock);
    __atomic_fetch_sub(&raws.count[!is_v4(raw)], 1, __ATOMIC_RELAXED);
    udp_drop_queues(&raw->us);
    inet_release(&raw->us.inet);
}

static const struct socket_ops raw_ops = {
    .name = "RAW",
    .bind = raw_bind,
    .connect = raw_connect,
    .name_of = raw_name_of,
    .send = raw_send,
    .receive = udp_receive,
    .shutdown = udp_shutdown,
    .poll = udp_poll,
    .set_option = raw_set_option,
    .get_option = raw_get_option,
    .ioctl = udp_ioctl,
    .release = raw_release,
};

int raw_create(int family, int type, int protocol, int flags, struct socket **out)
{
    struct raw_sock *raw;
    int err;

    if (!protocol || protocol > IPPROTO_RAW)
        return -EPROTONOSUPPORT;
    if (!capable(CAP_NET_RAW))
        return -EPERM;
    raw = kzalloc(sizeof(*raw));
    if (!raw)
        return -ENOMEM;
    udp_queues_init(&raw->us);
    err = inet_init(&raw->us.inet, &raw_ops, family, type, protocol, flags);
    if (err) {
        kfree(raw);
        return err;
    }
    raw->us.inet.local.port = (u16)protocol; /* as its name shows it */
    if (family == AF_INET && protocol == IPPROTO_RAW)
        raw->us.inet.options.flags |= OPTION_HDRINCL;
    __atomic_fetch_add(&raws.count[!is_v4(raw)], 1, __ATOMIC_RELAXED);
    spin_lock(&raws.lock);
    list_add_tail(&raw->us.inet.port.link, &raws.list);
    spin_unlock(&raws.lock);
    *out = &raw->us.inet.sock;
    return 0;
}
