/*
 * kernel/net/inet/options.c: options of ip(7) and ipv6(7). Most are a number or a bit that is kept and told;
 * a table says which. What they do is with who sends and receives.
 */
#include "base/errno.h"
#include "base/string.h"
#include "net/inet/groups.h"

#include <linux/in6.h>
#include <linux/ipv6.h>

#define IP_DEFAULT_TTL 64    /* /proc/sys/net/ipv4/ip_default_ttl */
#define LO_MTU_V4      65535 /* the most that a header of IPv4 can say */
#define LO_MTU_V6      65536
#define LO_INDEX       1

enum row_kind {
    ROW_FLAG, /* a bit of flags */
    ROW_U8,
    ROW_S16,
    ROW_U32,
    ROW_BOOL,
};

struct option_row {
    u8 level; /* IPPROTO_IP, IPPROTO_IPV6 */
    u8 option;
    u8 kind;   /* enum row_kind */
    u8 offset; /* in struct inet_options */
    u32 bit;
    s32 least, most;
    s8 capability; /* to set it; -1: none */
    bool strict;   /* IPv6: the value must be an int; IPv4 takes a byte, too */
};

#define FIELD(name) offsetof(struct inet_options, name)
#define FLAG4(o, b)                                                                                \
    {                                                                                              \
        IPPROTO_IP, o, ROW_FLAG, 0, b, INT32_MIN, INT32_MAX, -1, false                             \
    }
#define FLAG6(o, b)                                                                                \
    {                                                                                              \
        IPPROTO_IPV6, o, ROW_FLAG, 0, b, INT32_MIN, INT32_MAX, -1, true                            \
    }

static_assert(sizeof(struct inet_options) < 256, "offsets of options are bytes");

static const struct option_row rows[] = {
    FLAG4(IP_RECVERR, OPTION_RECVERR),
    FLAG4(IP_PKTINFO, OPTION_PKTINFO),
    FLAG4(IP_RECVTTL, OPTION_RECVTTL),
    FLAG4(IP_RECVTOS, OPTION_RECVTOS),
    FLAG4(IP_RECVOPTS, OPTION_RECVOPTS),
    FLAG4(IP_RETOPTS, OPTION_RETOPTS),
    FLAG4(IP_RECVORIGDSTADDR, OPTION_ORIGDSTADDR),
    FLAG4(IP_PASSSEC, OPTION_PASSSEC),
    FLAG4(IP_FREEBIND, OPTION_FREEBIND),
    FLAG4(IP_CHECKSUM, OPTION_CHECKSUM),
    FLAG4(IP_RECVFRAGSIZE, OPTION_FRAGSIZE),
    FLAG4(IP_BIND_ADDRESS_NO_PORT, OPTION_NO_PORT),
    FLAG4(IP_ROUTER_ALERT, OPTION_ROUTER_ALERT),
    {IPPROTO_IP, IP_MULTICAST_ALL, ROW_FLAG, 0, OPTION_MULTICAST_ALL, 0, 1, -1, false},
    {IPPROTO_IP, IP_TRANSPARENT, ROW_FLAG, 0, OPTION_TRANSPARENT, INT32_MIN, INT32_MAX,
     CAP_NET_ADMIN, false},
    {IPPROTO_IP, IP_TTL, ROW_S16, FIELD(ttl), 0, -1, 255, -1, false},
    {IPPROTO_IP, IP_MTU_DISCOVER, ROW_U8, FIELD(discover), 0, IP_PMTUDISC_DONT, IP_PMTUDISC_OMIT,
     -1, false},
    {IPPROTO_IP, IP_MULTICAST_TTL, ROW_S16, FIELD(many_ttl), 0, -1, 255, -1, false},
    {IPPROTO_IP, IP_MULTICAST_LOOP, ROW_BOOL, FIELD(many_loop), 0, INT32_MIN, INT32_MAX, -1, false},
    {IPPROTO_IP, IP_MINTTL, ROW_U32, FIELD(min_ttl), 0, 0, 255, -1, false},
    FLAG6(IPV6_RECVERR, OPTION6_RECVERR),
    FLAG6(IPV6_RECVPKTINFO, OPTION6_PKTINFO),
    FLAG6(IPV6_RECVHOPLIMIT, OPTION6_HOPLIMIT),
    FLAG6(IPV6_RECVTCLASS, OPTION6_TCLASS),
    FLAG6(IPV6_RECVRTHDR, OPTION6_RECVRTHDR),
    FLAG6(IPV6_RECVHOPOPTS, OPTION6_RECVHOPOPTS),
    FLAG6(IPV6_RECVDSTOPTS, OPTION6_RECVDSTOPTS),
    FLAG6(IPV6_RECVPATHMTU, OPTION6_RECVPATHMTU),
    FLAG6(IPV6_RECVORIGDSTADDR, OPTION6_ORIGDSTADDR),
    FLAG6(IPV6_FLOWINFO, OPTION6_FLOWINFO),
    FLAG6(IPV6_FLOWINFO_SEND, OPTION6_FLOWINFO_SEND),
    FLAG6(IPV6_AUTOFLOWLABEL, OPTION6_AUTOFLOWLABEL),
    FLAG6(IPV6_DONTFRAG, OPTION6_DONTFRAG),
    FLAG6(IPV6_FREEBIND, OPTION6_FREEBIND),
    {IPPROTO_IPV6, IPV6_MULTICAST_ALL, ROW_FLAG, 0, OPTION6_MULTICAST_ALL, 0, 1, -1, true},
    {IPPROTO_IPV6, IPV6_TRANSPARENT, ROW_FLAG, 0, OPTION_TRANSPARENT, INT32_MIN, INT32_MAX,
     CAP_NET_ADMIN, true},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, ROW_S16, FIELD(hops), 0, -1, 255, -1, true},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ROW_S16, FIELD(many_hops), 0, -1, 255, -1, true},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, ROW_BOOL, FIELD(many_loop6), 0, 0, 1, -1, true},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, ROW_U8, FIELD(discover6), 0, IPV6_PMTUDISC_DONT,
     IPV6_PMTUDISC_OMIT, -1, true},
};

static const struct option_row *row_find(int level, int option)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].level == level && rows[i].option == option)
            return &rows[i];
    }
    return NULL;
}

void inet_options_init(struct inet_sock *is)
{
    is->options = (struct inet_options){
        .flags = OPTION_MULTICAST_ALL | OPTION6_MULTICAST_ALL | OPTION6_AUTOFLOWLABEL,
        .ttl = -1,
        .hops = -1,
        .many_ttl = 1,
        .many_hops = -1,
        .many_loop = true,
        .many_loop6 = true,
        .discover = IP_PMTUDISC_WANT,
        .discover6 = IPV6_PMTUDISC_WANT,
    };
    list_init(&is->groups);
}

int option_number(const void *value, u32 len, int *out)
{
    if (len >= sizeof(*out))
        memcpy(out, value, sizeof(*out));
    else if (len >= 1)
        *out = *(const u8 *)value;
    else
        return -EINVAL;
    return 0;
}

int option_put(void *value, u32 *len, const void *data, u32 size)
{
    *len = MIN(*len, size);
    memcpy(value, data, *len);
    return 0;
}

/* ---- setting ---- */

static int row_set(struct inet_sock *is, const struct option_row *row, int value)
{
    void *field = (u8 *)&is->options + row->offset;

    if (value < row->least || value > row->most)
        return -EINVAL;
    if (row->capability >= 0 && value && !capable(row->capability) && !capable(CAP_NET_RAW))
        return -EPERM;
    if (row->option == IP_TTL && row->level == IPPROTO_IP && value == 0)
        return -EINVAL; /* ip(7): 1 to 255, or -1 for the default */
    if (row->option == IP_MULTICAST_TTL && row->level == IPPROTO_IP && value == -1)
        value = 1;
    switch (row->kind) {
    case ROW_FLAG:
        if (value)
            __atomic_fetch_or(&is->options.flags, row->bit, __ATOMIC_RELAXED);
        else
            __atomic_fetch_and(&is->options.flags, ~row->bit, __ATOMIC_RELAXED);
        break;
    case ROW_U8:
        *(u8 *)field = (u8)value;
        break;
    case ROW_BOOL:
        *(bool *)field = value != 0;
        break;
    case ROW_S16:
        *(s16 *)field = (s16)value;
        break;
    default:
        *(u32 *)field = (u32)value;
    }
    return 0;
}

/* The two lowest bits are the network's (RFC 3168): a TCP program cannot set them. */
static int set_tos(struct inet_sock *is, int value)
{
    u8 ecn = is->sock.type == SOCK_STREAM ? 3 : 0;

    is->options.tos = (u8)((value & ~ecn) | (is->options.tos & ecn));
    return 0;
}

static int set_only_v6(struct inet_sock *is, int value)
{
    int err = 0;

    spin_lock(&is->sock.lock);
    if (is->local.port)
        err = -EINVAL;
    else
        is->only_v6 = value != 0;
    spin_unlock(&is->sock.lock);
    return err;
}

static int set_v4(struct inet_sock *is, int option, const void *value, u32 len)
{
    const struct option_row *row = row_find(IPPROTO_IP, option);
    int number, err;

    switch (option) {
    case IP_ADD_MEMBERSHIP:
    case IP_DROP_MEMBERSHIP:
    case IP_MULTICAST_IF:
    case MCAST_JOIN_GROUP:
    case MCAST_LEAVE_GROUP:
        return groups_set_v4(is, option, value, len);
    case IP_ADD_SOURCE_MEMBERSHIP:
    case IP_DROP_SOURCE_MEMBERSHIP:
    case IP_BLOCK_SOURCE:
    case IP_UNBLOCK_SOURCE:
    case MCAST_JOIN_SOURCE_GROUP:
    case MCAST_LEAVE_SOURCE_GROUP:
    case MCAST_BLOCK_SOURCE:
    case MCAST_UNBLOCK_SOURCE:
        return groups_set_source(is, option, value, len);
    case IP_OPTIONS:
        return len ? -EINVAL : 0; /* lo carries none */
    case IP_HDRINCL:
    case IP_NODEFRAG:
        if (is->sock.type != SOCK_RAW)
            return -ENOPROTOOPT;
        row = NULL;
        break;
    case IP_ROUTER_ALERT: /* ip(7): for raw sockets, who then see what is routed: nothing is */
        if (is->sock.type != SOCK_RAW || is->sock.protocol == IPPROTO_RAW)
            return -EINVAL;
        break;
    default:
        break;
    }
    /* Linux takes nothing at all for zero */
    number = 0;
    err = len ? option_number(value, len, &number) : 0;
    if (err)
        return err;
    if (option == IP_TOS)
        return set_tos(is, number);
    if (option == IP_UNICAST_IF && len != sizeof(number))
        return -EINVAL;
    if (option == IP_UNICAST_IF) {
        WRITE_ONCE(is->options.unicast_if, (u32)number);
        return number && number != (int)swap32(LO_INDEX) ? -EADDRNOTAVAIL : 0;
    }
    if (option == IP_HDRINCL || option == IP_NODEFRAG) {
        u32 bit = option == IP_HDRINCL ? OPTION_HDRINCL : OPTION_NODEFRAG;

        if (number)
            __atomic_fetch_or(&is->options.flags, bit, __ATOMIC_RELAXED);
        else
            __atomic_fetch_and(&is->options.flags, ~bit, __ATOMIC_RELAXED);
        return 0;
    }
    return row ? row_set(is, row, number) : -ENOPROTOOPT;
}

static int set_v6(struct inet_sock *is, int option, const void *value, u32 len)
{
    const struct option_row *row = row_find(IPPROTO_IPV6, option);
    int number;

    switch (option) {
    case IPV6_ADD_MEMBERSHIP:
    case IPV6_DROP_MEMBERSHIP:
    case IPV6_MULTICAST_IF:
    case MCAST_JOIN_GROUP:
    case MCAST_LEAVE_GROUP:
        return groups_set_v6(is, option, value, len);
    case MCAST_JOIN_SOURCE_GROUP:
    case MCAST_LEAVE_SOURCE_GROUP:
    case MCAST_BLOCK_SOURCE:
    case MCAST_UNBLOCK_SOURCE:
        return groups_set_source(is, option, value, len);
    default:
        break;
    }
    if (!row && option != IPV6_V6ONLY && option != IPV6_TCLASS && option != IPV6_ADDR_PREFERENCES &&
        option != IPV6_UNICAST_IF && option != IPV6_MTU)
        return -ENOPROTOOPT;
    if (len < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    switch (option) {
    case IPV6_V6ONLY:
        return set_only_v6(is, number);
    case IPV6_TCLASS:
        if (number < -1 || number > 255)
            return -EINVAL;
        is->options.tclass = number < 0 ? 0 : (u8)number;
        return 0;
    case IPV6_ADDR_PREFERENCES:
        WRITE_ONCE(is->options.addr_preferences, (u32)number);
        return 0;
    case IPV6_UNICAST_IF:
        WRITE_ONCE(is->options.unicast_if, (u32)number);
        return number && number != (int)swap32(LO_INDEX) ? -EADDRNOTAVAIL : 0;
    case IPV6_MTU:
        return number && number < IPV6_MIN_MTU ? -EINVAL : 0;
    default:
        return row_set(is, row, number);
    }
}

/* A raw socket of IPv6 knows no packets of IPv4. */
static bool has_v4_options(const struct socket *sock)
{
    return sock->family == AF_INET || sock->type != SOCK_RAW;
}

/* After the value is noted: what it means outside. */
static int tell_outside(struct inet_sock *is, int level, int option, const void *value, u32 len)
{
    struct outside *out = inet_outside(is);
    int err = 0;

    if (out && out->ops->set_option)
        err = out->ops->set_option(out, &is->sock, level, option, value, len);
    outside_put(out, false);
    return err == -ENOPROTOOPT ? 0 : err;
}

int inet_set_option(struct socket *sock, int level, int option, const void *value, u32 len)
{
    struct inet_sock *is = inet_of(sock);
    int err = -ENOPROTOOPT;

    if (level == IPPROTO_IP && has_v4_options(sock))
        err = set_v4(is, option, value, len);
    else if (level == IPPROTO_IPV6 && sock->family == AF_INET6)
        err = set_v6(is, option, value, len);
    return err ? err : tell_outside(is, level, option, value, len);
}

/* ---- getting ---- */

static int row_get(const struct inet_sock *is, const struct option_row *row)
{
    const void *field = (const u8 *)&is->options + row->offset;

    switch (row->kind) {
    case ROW_FLAG:
        return inet_option(is, row->bit);
    case ROW_U8:
        return *(const u8 *)field;
    case ROW_BOOL:
        return *(const bool *)field;
    case ROW_S16:
        return *(const s16 *)field;
    default:
        return (int)*(const u32 *)field;
    }
}

static int get_mtu(struct inet_sock *is, bool v4, int *number)
{
    bool connected;

    spin_lock(&is->sock.lock);
    connected = is->peer.port;
    spin_unlock(&is->sock.lock);
    *number = v4 ? LO_MTU_V4 : LO_MTU_V6;
    return connected ? 0 : -ENOTCONN;
}

/* A byte is told as a byte when there is room for one only: ip(7). */
static int put_number(void *value, u32 *len, int number)
{
    u8 byte = (u8)number;

    if (*len && *len < sizeof(number) && number >= 0 && number <= 255)
        return option_put(value, len, &byte, 1);
    return option_put(value, len, &number, sizeof(number));
}

static int get_v4(struct inet_sock *is, int option, void *value, u32 *len)
{
    const struct option_row *row = row_find(IPPROTO_IP, option);
    int number, err = 0;

    switch (option) {
    case IP_OPTIONS:
    case IP_PKTOPTIONS:
        *len = 0;
        return 0;
    case IP_MULTICAST_IF:
        return groups_get_interface(is, value, len);
    case IP_TOS:
        number = is->options.tos;
        break;
    case IP_TTL:
        number = is->options.ttl < 0 ? IP_DEFAULT_TTL : is->options.ttl;
        break;
    case IP_MTU:
        err = get_mtu(is, true, &number);
        break;
    case IP_UNICAST_IF:
        number = (int)is->options.unicast_if;
        break;
    case IP_HDRINCL:
    case IP_NODEFRAG:
        if (is->sock.type != SOCK_RAW)
            return -ENOPROTOOPT;
        number = inet_option(is, option == IP_HDRINCL ? OPTION_HDRINCL : OPTION_NODEFRAG);
        break;
    default:
        if (!row)
            return -ENOPROTOOPT;
        number = row_get(is, row);
    }
    return err ? err : put_number(value, len, number);
}

static int get_v6(struct inet_sock *is, int option, void *value, u32 *len)
{
    const struct option_row *row = row_find(IPPROTO_IPV6, option);
    int number, err = 0;

    switch (option) {
    case IPV6_V6ONLY:
        number = is->only_v6;
        break;
    case IPV6_TCLASS:
        number = is->options.tclass;
        break;
    case IPV6_MTU:
        err = get_mtu(is, false, &number);
        break;
    case IPV6_MULTICAST_IF:
        number = (int)is->options.many_if6;
        break;
    case IPV6_ADDR_PREFERENCES:
        number = (int)is->options.addr_preferences;
        break;
    case IPV6_UNICAST_IF:
        number = (int)is->options.unicast_if;
        break;
    case IPV6_UNICAST_HOPS:
        number = is->options.hops < 0 ? IP_DEFAULT_TTL : is->options.hops;
        break;
    case IPV6_MULTICAST_HOPS:
        number = is->options.many_hops < 0 ? 1 : is->options.many_hops;
        break;
    default:
        if (!row)
            return -ENOPROTOOPT;
        number = row_get(is, row);
    }
    return err ? err : option_put(value, len, &number, sizeof(number));
}

int inet_get_option(struct socket *sock, int level, int option, void *value, u32 *len)
{
    struct inet_sock *is = inet_of(sock);

    if (level == IPPROTO_IP && has_v4_options(sock))
        return get_v4(is, option, value, len);
    if (level == IPPROTO_IPV6 && sock->family == AF_INET6)
        return get_v6(is, option, value, len);
    /* what Linux's two families say of a level that they do not know */
    return level != SOL_SOCKET && sock->family == AF_INET ? -EOPNOTSUPP : -ENOPROTOOPT;
}
