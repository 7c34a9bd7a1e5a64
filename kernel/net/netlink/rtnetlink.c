/*
 * kernel/net/netlink/rtnetlink.c: NETLINK_ROUTE, rtnetlink(7): interfaces, addresses and routes, to be looked at. They are the
 * host's to change.
 */
#include "abi/unexported.h"
#include "base/string.h"
#include "cred/cred.h"
#include "net/interfaces.h"
#include "net/netlink/internal.h"

#include "abi/netdevice.h"
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

static const void *fixed_part(const struct nl_answer *answer, size_t n)
{
    return answer->request->nlmsg_len < NLMSG_HDRLEN + n
               ? NULL
               : (const u8 *)answer->request + NLMSG_HDRLEN;
}

static bool is_dump(const struct nl_answer *answer)
{
    return (answer->request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
}

static size_t ip_size(int family)
{
    return family == AF_INET ? 4 : 16;
}

/* ---- interfaces ---- */

static void put_link(struct nl_answer *answer, const struct boot_interface *interface)
{
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC,
                             .ifi_type = interface->type,
                             .ifi_index = (int)interface->index,
                             .ifi_flags = interface->flags};
    bool is_loopback = interface->index == LOOPBACK_INDEX;
    static const u8 broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    answer_begin(answer, RTM_NEWLINK, &info, sizeof(info));
    answer_string(answer, IFLA_IFNAME, interface->name);
    answer_u32(answer, IFLA_TXQLEN, interface->queue);
    answer_u8(answer, IFLA_OPERSTATE,
              is_loopback                      ? IF_OPER_UNKNOWN
              : interface->flags & IFF_RUNNING ? IF_OPER_UP
                                               : IF_OPER_DOWN);
    answer_u8(answer, IFLA_LINKMODE, 0);
    answer_u32(answer, IFLA_MTU, interface->mtu);
    answer_u32(answer, IFLA_GROUP, 0);
    if (is_loopback) /* of others only the host knows */
        answer_string(answer, IFLA_QDISC, "noqueue");
    if (interface->type == ARPHRD_ETHER || is_loopback) {
        answer_attr(answer, IFLA_ADDRESS, interface->mac, sizeof(interface->mac));
        answer_attr(answer, IFLA_BROADCAST, is_loopback ? interface->mac : broadcast,
                    sizeof(broadcast));
    }
    answer_end(answer);
}

static bool names_link(const struct nlattr *attr, const struct boot_interface *interface)
{
    size_t len = (size_t)attr->nla_len - NLA_HDRLEN;
    const char *name = (const char *)attr + NLA_HDRLEN;

    return strnlen(name, len) == strlen(interface->name) &&
           memcmp(name, interface->name, strnlen(name, len)) == 0;
}

static int get_link(struct nl_answer *answer)
{
    const struct ifinfomsg *asked = fixed_part(answer, sizeof(*asked));
    const struct nlattr *attrs[IFLA_IFNAME + 1];
    const struct boot_interface *interface;
    int err;

    /* A dump may be asked for with the short struct rtgenmsg. */
    if (is_dump(answer)) {
        for (u32 n = 0; (interface = interface_nth(n)); n++)
            put_link(answer, interface);
        return 0;
    }
    if (!asked)
        return -EINVAL;
    err = attributes_find(answer->request, sizeof(*asked), attrs, IFLA_IFNAME);
    if (err)
        return err;
    if (asked->ifi_index <= 0 && !attrs[IFLA_IFNAME])
        return -EINVAL;
    for (u32 n = 0; (interface = interface_nth(n)); n++) {
        if (asked->ifi_index > 0 ? interface->index == (u32)asked->ifi_index
                                 : names_link(attrs[IFLA_IFNAME], interface)) {
            put_link(answer, interface);
            return 0;
        }
    }
    return -ENODEV;
}

/* ---- addresses ---- */

static void put_address(struct nl_answer *answer, const struct boot_address *address,
                        const struct boot_interface *interface)
{
    struct ifaddrmsg info = {.ifa_family = address->family,
                             .ifa_prefixlen = address->prefix,
                             .ifa_flags = IFA_F_PERMANENT,
                             .ifa_scope = address->scope,
                             .ifa_index = address->interface};
    struct ifa_cacheinfo life = {.ifa_prefered = ~0U, .ifa_valid = ~0U};
    static const u8 no_broadcast[sizeof(address->broadcast)];
    size_t size = ip_size(address->family);

    answer_begin(answer, RTM_NEWADDR, &info, sizeof(info));
    answer_attr(answer, IFA_ADDRESS, address->ip, size);
    if (address->family == AF_INET) {
        answer_attr(answer, IFA_LOCAL, address->ip, size);
        if (memcmp(address->broadcast, no_broadcast, sizeof(no_broadcast)) != 0)
            answer_attr(answer, IFA_BROADCAST, address->broadcast, sizeof(address->broadcast));
        answer_string(answer, IFA_LABEL, interface->name);
    }
    answer_u32(answer, IFA_FLAGS, IFA_F_PERMANENT);
    answer_attr(answer, IFA_CACHEINFO, &life, sizeof(life));
    answer_end(answer);
}

static int get_address(struct nl_answer *answer)
{
    const struct rtgenmsg *asked = fixed_part(answer, sizeof(*asked));
    const struct ifaddrmsg *full = fixed_part(answer, sizeof(*full));
    const struct boot_address *address;

    if (!asked)
        return -EINVAL;
    if (!is_dump(answer))
        return -EOPNOTSUPP;
    for (u32 n = 0; (address = address_nth(n)); n++) {
        const struct boot_interface *interface = interface_find(address->interface);

        if (!interface || (asked->rtgen_family && asked->rtgen_family != address->family))
            continue;
        /* Who asked strictly means its index: NETLINK_GET_STRICT_CHK. */
        if (full && nl_option(answer->to, NETLINK_GET_STRICT_CHK) && full->ifa_index &&
            full->ifa_index != address->interface)
            continue;
        put_address(answer, address, interface);
    }
    return 0;
}

/* ---- routes: to the networks of the addresses, and by the gateways ---- */

struct route {
    int family;
    const u8 *to; /* prefix bits of it */
    u8 prefix;
    u8 type;                         /* RTN_LOCAL: an own address; RTN_UNICAST */
    const u8 *gateway;               /* NULL: its network lies at the interface itself */
    const struct boot_address *from; /* NULL: any */
    u32 interface;
};

static void put_route(struct nl_answer *answer, const struct route *route)
{
    bool local = route->type == RTN_LOCAL;
    struct rtmsg info = {.rtm_family = (u8)route->family,
                         .rtm_dst_len = route->prefix,
                         .rtm_table = local ? RT_TABLE_LOCAL : RT_TABLE_MAIN,
                         .rtm_protocol = route->gateway ? RTPROT_BOOT : RTPROT_KERNEL,
                         .rtm_scope = route->gateway ? RT_SCOPE_UNIVERSE
                                      : local        ? RT_SCOPE_HOST
                                                     : RT_SCOPE_LINK,
                         .rtm_type = route->type};

    answer_begin(answer, RTM_NEWROUTE, &info, sizeof(info));
    answer_u32(answer, RTA_TABLE, info.rtm_table);
    if (route->prefix)
        answer_attr(answer, RTA_DST, route->to, ip_size(route->family));
    if (route->gateway)
        answer_attr(answer, RTA_GATEWAY, route->gateway, ip_size(route->family));
    answer_u32(answer, RTA_OIF, route->interface);
    if (route->from && route->family == AF_INET)
        answer_attr(answer, RTA_PREFSRC, route->from->ip, ip_size(route->family));
    answer_end(answer);
}

static void network_of(const struct boot_address *address, u8 *out)
{
    u32 size = (u32)ip_size(address->family);

    for (u32 i = 0; i < size; i++) {
        u32 bits = address->prefix > i * 8 ? MIN(address->prefix - i * 8, 8U) : 0;

        out[i] = address->ip[i] & (u8)(0xff00U >> bits);
    }
}

static const u8 *gateway_of(const struct boot_interface *interface, int family)
{
    return family == AF_INET ? interface->gateway4 : interface->gateway6;
}

static void put_gateways(struct nl_answer *answer, int family)
{
    const struct boot_interface *interface;

    for (u32 n = 0; (interface = interface_nth(n)); n++)
        if (interface_has_gateway(interface, family))
            put_route(answer, &(struct route){.family = family,
                                              .type = RTN_UNICAST,
                                              .gateway = gateway_of(interface, family),
                                              .interface = interface->index});
}

static void put_networks(struct nl_answer *answer, int family)
{
    const struct boot_address *address;
    u8 network[16], whole = (u8)(ip_size(family) * 8);

    for (u32 n = 0; (address = address_nth(n)); n++) {
        struct route route = {.family = family, .from = address, .interface = address->interface};

        if (address->family != family)
            continue;
        network_of(address, network);
        route.to = network;
        route.prefix = address->prefix;
        route.type = address->interface == LOOPBACK_INDEX ? RTN_LOCAL : RTN_UNICAST;
        put_route(answer, &route);
        if (address->prefix == whole)
            continue;
        route.to = address->ip;
        route.prefix = whole;
        route.type = RTN_LOCAL;
        put_route(answer, &route);
    }
}

static bool bits_agree(const u8 *a, const u8 *b, u32 bits)
{
    u32 bytes = bits / 8, rest = bits % 8;

    return memcmp(a, b, bytes) == 0 &&
           (!rest || !((a[bytes] ^ b[bytes]) & (0xff00U >> rest) & 0xff));
}

/* The route to one address: the narrowest network, else a gateway. */
static int find_route(struct nl_answer *answer, int family, const u8 *to)
{
    const struct boot_address *address, *best = NULL;
    const struct boot_interface *interface;
    struct route route = {.family = family, .to = to, .prefix = (u8)(ip_size(family) * 8)};

    for (u32 n = 0; (address = address_nth(n)); n++)
        if (address->family == family && bits_agree(address->ip, to, address->prefix) &&
            (!best || address->prefix > best->prefix))
            best = address;
    route.from = best;
    if (best) {
        bool own = bits_agree(best->ip, to, route.prefix);

        route.type = own || best->interface == LOOPBACK_INDEX ? RTN_LOCAL : RTN_UNICAST;
        route.interface = best->interface;
        put_route(answer, &route);
        return 0;
    }
    for (u32 n = 0; (interface = interface_nth(n)); n++) {
        if (!interface_has_gateway(interface, family))
            continue;
        route.type = RTN_UNICAST;
        route.gateway = gateway_of(interface, family);
        route.from = interface_address(interface, family);
        route.interface = interface->index;
        put_route(answer, &route);
        return 0;
    }
    return -ENETUNREACH;
}

static int get_route(struct nl_answer *answer)
{
    const struct rtgenmsg *asked = fixed_part(answer, sizeof(*asked));
    const struct nlattr *attrs[RTA_DST + 1];
    int family, err;

    if (!asked)
        return -EINVAL;
    family = asked->rtgen_family;
    if (is_dump(answer)) {
        for (int f = AF_INET; f; f = f == AF_INET ? AF_INET6 : 0) {
            if (family && family != f)
                continue;
            put_gateways(answer, f);
            put_networks(answer, f);
        }
        return 0;
    }
    if (!fixed_part(answer, sizeof(struct rtmsg)) || (family != AF_INET && family != AF_INET6))
        return -EINVAL;
    err = attributes_find(answer->request, sizeof(struct rtmsg), attrs, RTA_DST);
    if (err)
        return err;
    if (!attrs[RTA_DST] || attrs[RTA_DST]->nla_len < NLA_HDRLEN + ip_size(family))
        return -EINVAL;
    return find_route(answer, family, (const u8 *)attrs[RTA_DST] + NLA_HDRLEN);
}

/* The three rules that every machine has, ip-rule(8). */
static int get_rules(struct nl_answer *answer)
{
    static const struct {
        u32 priority;
        u8 table;
    } rules[] = {{0, RT_TABLE_LOCAL}, {32766, RT_TABLE_MAIN}, {32767, RT_TABLE_DEFAULT}};
    const struct rtgenmsg *asked = fixed_part(answer, sizeof(*asked));

    if (!asked)
        return -EINVAL;
    if (!is_dump(answer))
        return -EOPNOTSUPP;
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        struct rtmsg info = {.rtm_family = asked->rtgen_family ? asked->rtgen_family : AF_INET,
                             .rtm_table = rules[i].table,
                             .rtm_type = RTN_UNICAST};

        answer_begin(answer, RTM_NEWRULE, &info, sizeof(info));
        answer_u32(answer, RTA_TABLE, rules[i].table);
        if (rules[i].priority)
            answer_u32(answer, RTA_PRIORITY, rules[i].priority);
        answer_end(answer);
    }
    return 0;
}

int rtnetlink_request(struct nl_answer *answer)
{
    u16 type = answer->request->nlmsg_type;

    if (type > RTM_MAX)
        return -EOPNOTSUPP;
    /* Of each four the third asks; the others change something. */
    if ((type - RTM_BASE) % 4 != 2 && !capable(CAP_NET_ADMIN))
        return -EPERM;
    switch (type) {
    case RTM_GETLINK:
        return get_link(answer);
    case RTM_GETADDR:
        return get_address(answer);
    case RTM_GETROUTE:
        return get_route(answer);
    case RTM_GETRULE:
        return get_rules(answer);
    case RTM_GETNEIGH: /* nobody's link address is known here */
    case RTM_GETQDISC: /* nothing is queued here */
        return is_dump(answer) ? 0 : -EOPNOTSUPP;
    default:
        return -EOPNOTSUPP;
    }
}
