/* kernel/net/inet/udp_receive.c: queues of datagrams, and what is told with them; udp(7), ip(7), ipv6(7). */
#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "net/filter.h"
#include "net/inet/ip_header.h"
#include "net/inet/udp.h"
#include "time/time.h"

#include <linux/errqueue.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#define LO_INDEX 1

/* RFC 792; <linux/icmp.h> wants a libc header. */
#define ICMP_DEST_UNREACH 3
#define ICMP_PORT_UNREACH 3

static u32 datagram_cost(const struct datagram *dg)
{
    return dg->len + DATAGRAM_OVERHEAD;
}

/* Filters see the datagram with its header, behind one of IP. Echoes and raw packets stand for themselves. */
static bool filter_wants(struct udp_sock *us, struct datagram *dg)
{
    bool v4 = ip_is_v4(&dg->to.ip);
    struct udphdr udp = {
        .source = swap16(dg->from.port),
        .dest = swap16(dg->to.port),
        .len = swap16((u16)(sizeof(udp) + dg->len)),
    };
    u32 head_len = udp_is_portless(us) ? 0 : sizeof(udp), keep;
    struct ip_facts facts = {.protocol = (u8)us->inet.sock.protocol,
                             .ttl = (u8)dg->ttl,
                             .tos = dg->tos,
                             .payload = head_len + dg->len};
    bool has_header = v4 && us->inet.sock.type == SOCK_RAW;
    u8 net[IP_HEADER_MAX];
    u32 net_len = has_header ? 0 : ip_header_put(net, &dg->from.ip, &dg->to.ip, &facts);

    keep =
        filter_run(&us->inet.sock, &(struct filter_packet){.net = net,
                                                           .net_len = net_len,
                                                           .head = (const u8 *)&udp,
                                                           .head_len = head_len,
                                                           .data = dg->data,
                                                           .data_len = dg->len,
                                                           .protocol = v4 ? ETH_P_IP : ETH_P_IPV6});
    if (keep)
        dg->len = MIN(dg->len, MAX(keep, head_len) - head_len);
    return keep;
}

void udp_queue(struct udp_sock *us, struct datagram *dg)
{
    struct socket *sock = &us->inet.sock;
    bool wanted = !READ_ONCE(sock->filter) || filter_wants(us, dg), taken;

    spin_lock(&sock->lock);
    taken = wanted && !us->gone && us->queued <= sock->receive_buffer;
    if (taken) {
        list_add_tail(&dg->link, &us->queue);
        us->queued += datagram_cost(dg);
    } else {
        us->drops++;
    }
    spin_unlock(&sock->lock);
    if (taken)
        waitq_wake(&sock->wait, UDP_READ_BITS);
    else
        datagram_put(dg);
}

void udp_refused(struct udp_sock *us, struct datagram *dg, int error)
{
    struct socket *sock = &us->inet.sock;
    u32 recverr = ip_is_v4(&dg->to.ip) ? OPTION_RECVERR : OPTION6_RECVERR;
    bool kept;

    dg->error = error;
    spin_lock(&sock->lock);
    sock->error = error;
    kept =
        inet_option(&us->inet, recverr) && us->errors_queued <= sock->receive_buffer && !us->gone;
    if (kept) {
        list_add_tail(&dg->link, &us->errors);
        us->errors_queued += datagram_cost(dg);
    }
    spin_unlock(&sock->lock);
    if (!kept)
        datagram_put(dg);
    waitq_wake(&sock->wait, POLLERR | UDP_READ_BITS);
}

void udp_queues_init(struct udp_sock *us)
{
    list_init(&us->queue);
    list_init(&us->errors);
}

void udp_drop_queues(struct udp_sock *us)
{
    struct socket *sock = &us->inet.sock;
    struct list_head all = LIST_HEAD_INIT(all);
    struct datagram *pending;

    spin_lock(&sock->lock);
    us->gone = true;
    list_splice_tail(&us->queue, &all);
    list_splice_tail(&us->errors, &all);
    pending = TAKE(us->pending);
    spin_unlock(&sock->lock);
    while (!list_empty(&all)) {
        struct datagram *dg = list_first_entry(&all, struct datagram, link);

        list_del(&dg->link);
        datagram_put(dg);
    }
    if (pending)
        datagram_put(pending);
}

/* ---- what is told with a datagram ---- */

static void put_original(struct message *msg, int level, int type, int family,
                         const struct endpoint *to)
{
    struct sock_addr addr;

    endpoint_to(family, to, &addr);
    control_put(msg, level, type, addr.bytes, addr.len);
}

static void put_v4(struct udp_sock *us, struct message *msg, const struct datagram *dg)
{
    struct inet_sock *is = &us->inet;
    int ttl = dg->ttl;

    if (inet_option(is, OPTION_PKTINFO)) {
        struct in_pktinfo info = {.ipi_ifindex = LO_INDEX};

        info.ipi_addr.s_addr = info.ipi_spec_dst.s_addr = swap32(ip_v4(&dg->to.ip));
        control_put(msg, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    }
    if (inet_option(is, OPTION_RECVTTL))
        control_put(msg, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    if (inet_option(is, OPTION_RECVTOS))
        control_put(msg, IPPROTO_IP, IP_TOS, &dg->tos, sizeof(dg->tos));
    if (inet_option(is, OPTION_ORIGDSTADDR))
        put_original(msg, IPPROTO_IP, IP_ORIGDSTADDR, AF_INET, &dg->to);
}

static void put_v6(struct udp_sock *us, struct message *msg, const struct datagram *dg)
{
    struct inet_sock *is = &us->inet;
    int hops = dg->ttl, tclass = dg->tos;

    if (inet_option(is, OPTION6_PKTINFO)) {
        struct in6_pktinfo info = {.ipi6_addr = dg->to.ip, .ipi6_ifindex = LO_INDEX};

        control_put(msg, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
    if (inet_option(is, OPTION6_HOPLIMIT))
        control_put(msg, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof(hops));
    if (inet_option(is, OPTION6_TCLASS))
        control_put(msg, IPPROTO_IPV6, IPV6_TCLASS, &tclass, sizeof(tclass));
    if (inet_option(is, OPTION6_ORIGDSTADDR))
        put_original(msg, IPPROTO_IPV6, IPV6_ORIGDSTADDR, AF_INET6, &dg->to);
}

static void put_control(struct udp_sock *us, struct message *msg, const struct datagram *dg)
{
    u32 drops = READ_ONCE(us->drops);

    control_put_timestamp(msg, &us->inet.sock, dg->stamp);
    if (socket_option(&us->inet.sock, SOCKET_RXQ_OVFL) && drops)
        control_put(msg, SOL_SOCKET, SO_RXQ_OVFL, &drops, sizeof(drops));
    if (us->inet.sock.family == AF_INET6)
        put_v6(us, msg, dg);
    if (us->inet.sock.family == AF_INET || ip_is_v4(&dg->to.ip))
        put_v4(us, msg, dg);
}

/* Bytes for the program; cut, with MSG_TRUNC, where it has no room. */
static ssize_t put_data(struct message *msg, const struct datagram *dg, u32 skip)
{
    u32 have = dg->len - MIN(skip, dg->len);
    u32 n = (u32)MIN((size_t)have, iter_left(msg->data));

    if (n && copy_to_iter(msg->data, dg->data + dg->len - have, n) != (ssize_t)n)
        return -EFAULT;
    if (n < have)
        msg->out_flags |= MSG_TRUNC;
    return msg->flags & MSG_TRUNC ? have : n;
}

/* ---- the error queue: ip(7) ---- */

/* The errno of the next one becomes the socket's. */
static struct datagram *take_error(struct udp_sock *us)
{
    struct socket *sock = &us->inet.sock;
    struct datagram *dg, *next;

    spin_lock(&sock->lock);
    dg = list_first_entry(&us->errors, struct datagram, link);
    if (dg) {
        list_del(&dg->link);
        us->errors_queued -= datagram_cost(dg);
        next = list_first_entry(&us->errors, struct datagram, link);
        sock->error = next ? next->error : 0;
    }
    spin_unlock(&sock->lock);
    return dg;
}

static void put_error(struct udp_sock *us, struct message *msg, const struct datagram *dg)
{
    struct {
        struct sock_extended_err err;
        struct __kernel_sockaddr_storage offender;
    } told = {.err = {.ee_errno = (u32)dg->error}};
    bool v4 = us->inet.sock.family == AF_INET || ip_is_v4(&dg->to.ip);
    struct endpoint who = {.ip = dg->to.ip};
    struct sock_addr offender;

    told.err.ee_origin = v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6;
    told.err.ee_type = v4 ? ICMP_DEST_UNREACH : ICMPV6_DEST_UNREACH;
    told.err.ee_code = v4 ? ICMP_PORT_UNREACH : ICMPV6_PORT_UNREACH;
    endpoint_to(us->inet.sock.family, &who, &offender);
    memcpy(&told.offender, offender.bytes, offender.len);
    if (us->inet.sock.family == AF_INET)
        control_put(msg, IPPROTO_IP, IP_RECVERR, &told, sizeof(told.err) + offender.len);
    else
        control_put(msg, IPPROTO_IPV6, IPV6_RECVERR, &told, sizeof(told.err) + offender.len);
}

static ssize_t receive_error(struct udp_sock *us, struct message *msg)
{
    AUTO(datagram_put) struct datagram *dg = take_error(us);
    ssize_t n;

    if (!dg)
        return -EAGAIN;
    n = put_data(msg, dg, 0);
    if (n < 0)
        return n;
    if (msg->addr)
        endpoint_to(us->inet.sock.family, &dg->to, msg->addr);
    put_error(us, msg, dg);
    msg->out_flags |= MSG_ERRQUEUE;
    return n;
}

/* ---- receiving ---- */

/* The next one, its reference; a peek leaves it, beyond SO_PEEK_OFF's bytes. NULL: none. sock.lock held. */
static struct datagram *take_locked(struct udp_sock *us, bool peek, u32 *skip)
{
    struct socket *sock = &us->inet.sock;
    struct datagram *dg = NULL, *each;
    u32 offset = peek && sock->peek_offset > 0 ? (u32)sock->peek_offset : 0;

    list_for_each_entry(each, &us->queue, link) {
        if (offset && offset >= each->len) {
            offset -= each->len;
            continue;
        }
        dg = each;
        break;
    }
    *skip = offset;
    if (!dg)
        return NULL;
    if (peek) {
        refcount_get(&dg->ref);
    } else {
        list_del(&dg->link);
        us->queued -= datagram_cost(dg);
    }
    return dg;
}

static bool has_news_locked(struct udp_sock *us)
{
    return !list_empty(&us->queue) || us->inet.sock.error || us->inet.sock.shut_read ||
           us->inet.outside_ready;
}

/* Own queue first, then what the outside has. sock.lock is held, and released meanwhile. */
static ssize_t receive_outside(struct udp_sock *us, struct message *msg)
{
    struct outside *out = inet_outside(&us->inet);
    struct message try = *msg;
    ssize_t n;

    if (!out)
        return -EAGAIN;
    try.flags |= MSG_DONTWAIT;
    n = out->ops->receive(out, &us->inet.sock, &try);
    if (n == -EAGAIN)
        out->ops->watch(out, &us->inet.sock, POLLIN);
    else
        msg->out_flags = try.out_flags;
    outside_put(out, false);
    return n;
}

/* A datagram of the own queue in *out, or a result: bytes from outside, 0 after shutdown, an error. */
static ssize_t next_datagram(struct udp_sock *us, struct message *msg, struct datagram **out,
                             u32 *skip)
{
    struct socket *sock = &us->inet.sock;
    ktime timeout = READ_ONCE(sock->receive_timeout), deadline = socket_deadline(timeout);
    bool peek = msg->flags & MSG_PEEK;
    ssize_t n;
    int err = 0;

    for (;;) {
        spin_lock(&sock->lock);
        us->inet.outside_ready = 0;
        n = socket_take_error_locked(sock);
        *out = n ? NULL : take_locked(us, peek, skip);
        bool over = sock->shut_read;
        spin_unlock(&sock->lock);
        if (n || *out)
            return n;
        n = receive_outside(us, msg);
        if (n != -EAGAIN || over)
            return n == -EAGAIN ? 0 : n;
        if (err || msg->flags & MSG_DONTWAIT)
            return err ? err : -EAGAIN;
        spin_lock(&sock->lock);
        err = wait_event_for(&sock->wait, UDP_READ_BITS | POLLERR | POLLHUP | POLLRDHUP,
                             &sock->lock, has_news_locked(us), WAIT_INTERRUPTIBLE, deadline);
        spin_unlock(&sock->lock);
        err = err ? socket_wait_result(err, timeout) : 0;
    }
}

static void move_peek_offset(struct socket *sock, bool peek, u32 n)
{
    spin_lock(&sock->lock);
    if (sock->peek_offset >= 0 && peek)
        sock->peek_offset += (s32)n;
    else if (sock->peek_offset >= 0)
        sock->peek_offset -= (s32)MIN(n, (u32)sock->peek_offset);
    spin_unlock(&sock->lock);
}

ssize_t udp_receive(struct socket *sock, struct message *msg)
{
    struct udp_sock *us = udp_of(sock);
    AUTO(datagram_put) struct datagram *dg = NULL;
    u32 skip = 0;
    ssize_t n;

    if (msg->flags & MSG_ERRQUEUE)
        return receive_error(us, msg);
    if (msg->flags & MSG_OOB)
        return -EOPNOTSUPP;
    n = next_datagram(us, msg, &dg, &skip);
    if (!dg)
        return n;
    n = put_data(msg, dg, skip);
    if (n < 0)
        return n;
    if (msg->addr)
        endpoint_to(sock->family, &dg->from, msg->addr);
    put_control(us, msg, dg);
    if (READ_ONCE(sock->peek_offset) >= 0)
        move_peek_offset(sock, msg->flags & MSG_PEEK, (u32)n);
    return n;
}
