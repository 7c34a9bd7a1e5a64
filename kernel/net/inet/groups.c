/* kernel/net/inet/groups.c: multicast memberships, and whom they hear (RFC 3678). The one interface inside is lo. */
#include "net/inet/groups.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"

#define LO_INDEX 1

#define SOURCES_MAX 10 /* /proc/sys/net/ipv4/igmp_max_msf */

struct group {
    struct list_head link; /* sock.lock: all below */
    struct in6_addr ip;    /* constant */
    bool includes;         /* hears these sources alone; else all others */
    u32 nsources;
    struct in6_addr sources[SOURCES_MAX];
};

static struct group *group_find_locked(const struct inet_sock *is, const struct in6_addr *ip)
{
    struct group *group;

    list_for_each_entry(group, &is->groups, link) {
        if (ip_equal(&group->ip, ip))
            return group;
    }
    return NULL;
}

/* Its place; nsources: it is none of them. */
static u32 source_find(const struct group *group, const struct in6_addr *source)
{
    u32 i = 0;

    while (i < group->nsources && !ip_equal(&group->sources[i], source))
        i++;
    return i;
}

bool inet_in_group_locked(const struct inet_sock *is, const struct in6_addr *ip,
                          const struct in6_addr *from)
{
    const struct group *group = group_find_locked(is, ip);

    return group && (source_find(group, from) < group->nsources) == group->includes;
}

static int group_join(struct inet_sock *is, const struct in6_addr *ip, bool includes)
{
    struct group *group;
    int err = 0;

    if (!ip_is_multicast(ip))
        return -EINVAL;
    group = kzalloc(sizeof(*group));
    if (!group)
        return -ENOMEM;
    group->ip = *ip;
    group->includes = includes;
    spin_lock(&is->sock.lock);
    if (group_find_locked(is, ip))
        err = -EADDRINUSE;
    else
        list_add(&group->link, &is->groups);
    spin_unlock(&is->sock.lock);
    if (err)
        kfree(group);
    return err;
}

static int group_leave(struct inet_sock *is, const struct in6_addr *ip)
{
    struct group *group;

    spin_lock(&is->sock.lock);
    group = group_find_locked(is, ip);
    if (group)
        list_del(&group->link);
    spin_unlock(&is->sock.lock);
    kfree(group);
    return group ? 0 : -EADDRNOTAVAIL;
}

/* An interface by index, or by an address of its own; neither: the one there is. */
static int interface_check(int index, u32 address)
{
    struct in6_addr ip = ip_of_v4(address);

    if (index)
        return index == LO_INDEX ? 0 : -ENODEV;
    return !address || ip_is_own(&ip) ? 0 : -ENODEV;
}

/* ---- sources ---- */

/* One more or one less of those that count; *empty: nothing is heard any more. sock.lock held. */
static int source_change_locked(struct group *group, const struct in6_addr *source, bool includes,
                                bool add, bool *empty)
{
    u32 at;

    if (group->includes != includes && group->nsources)
        return -EINVAL;
    group->includes = includes;
    at = source_find(group, source);
    if ((at < group->nsources) == add)
        return -EADDRNOTAVAIL;
    if (add && group->nsources == SOURCES_MAX)
        return -ENOBUFS;
    if (add)
        group->sources[group->nsources++] = *source;
    else
        group->sources[at] = group->sources[--group->nsources];
    *empty = includes && !group->nsources;
    return 0;
}

/* What an option does: to which kind of list, and whether it adds or takes away. */
struct source_change {
    bool includes, add;
};

static struct source_change source_option(int option)
{
    switch (option) {
    case IP_ADD_SOURCE_MEMBERSHIP:
    case MCAST_JOIN_SOURCE_GROUP:
        return (struct source_change){.includes = true, .add = true};
    case IP_DROP_SOURCE_MEMBERSHIP:
    case MCAST_LEAVE_SOURCE_GROUP:
        return (struct source_change){.includes = true};
    case IP_BLOCK_SOURCE:
    case MCAST_BLOCK_SOURCE:
        return (struct source_change){.add = true};
    default: /* IP_UNBLOCK_SOURCE, MCAST_UNBLOCK_SOURCE */
        return (struct source_change){0};
    }
}

static int source_set(struct inet_sock *is, int option, const struct in6_addr *ip,
                      const struct in6_addr *source)
{
    struct source_change change = source_option(option);
    struct group *group;
    bool empty = false;
    int err = 0;

    if (!ip_is_multicast(ip))
        return -EINVAL;
    if (change.includes && change.add)
        err = group_join(is, ip, true);
    if (err && err != -EADDRINUSE)
        return err;
    spin_lock(&is->sock.lock);
    group = group_find_locked(is, ip);
    err =
        group ? source_change_locked(group, source, change.includes, change.add, &empty) : -EINVAL;
    spin_unlock(&is->sock.lock);
    return !err && empty ? group_leave(is, ip) : err;
}

static int set_source_v4(struct inet_sock *is, int option, const void *value, u32 len)
{
    struct ip_mreq_source req;
    struct in6_addr group, source;

    if (len != sizeof(req))
        return -EINVAL;
    memcpy(&req, value, sizeof(req));
    if (interface_check(0, swap32(req.imr_interface)))
        return -ENODEV;
    group = ip_of_v4(swap32(req.imr_multiaddr));
    source = ip_of_v4(swap32(req.imr_sourceaddr));
    return source_set(is, option, &group, &source);
}

/* MCAST_JOIN_SOURCE_GROUP and its kin, of both families. */
static int set_source(struct inet_sock *is, int option, const void *value, u32 len)
{
    struct group_source_req req;
    struct sock_addr group = {.len = sizeof(req.gsr_group)}, source = group;
    struct endpoint ip, from;

    if (len != sizeof(req))
        return -EINVAL;
    memcpy(&req, value, sizeof(req));
    memcpy(&group.storage, &req.gsr_group, sizeof(group.storage));
    memcpy(&source.storage, &req.gsr_source, sizeof(source.storage));
    if (group.family != is->sock.family || source.family != is->sock.family)
        return -EADDRNOTAVAIL;
    if (endpoint_of_address(&group, &ip) || endpoint_of_address(&source, &from))
        return -EINVAL;
    if (interface_check((int)req.gsr_interface, 0))
        return -ENODEV;
    return source_set(is, option, &ip.ip, &from.ip);
}

int groups_set_source(struct inet_sock *is, int option, const void *value, u32 len)
{
    return option < MCAST_JOIN_GROUP ? set_source_v4(is, option, value, len)
                                     : set_source(is, option, value, len);
}

void inet_groups_release(struct inet_sock *is)
{
    while (!list_empty(&is->groups)) {
        struct group *group = list_first_entry(&is->groups, struct group, link);

        list_del(&group->link);
        kfree(group);
    }
}

static int protocol_group(struct inet_sock *is, int option, const void *value, u32 len)
{
    struct group_req req;
    struct sock_addr addr = {.len = sizeof(req.gr_group)};
    struct endpoint group;
    int err;

    if (len < sizeof(req))
        return -EINVAL;
    memcpy(&req, value, sizeof(req));
    memcpy(&addr.storage, &req.gr_group, sizeof(addr.storage));
    err = endpoint_from(is, &addr, &group);
    if (!err)
        err = interface_check((int)req.gr_interface, 0);
    if (err)
        return err;
    return option == MCAST_JOIN_GROUP ? group_join(is, &group.ip, false)
                                      : group_leave(is, &group.ip);
}

static int set_interface(struct inet_sock *is, const struct ip_mreqn *req)
{
    if (interface_check(req->imr_ifindex, swap32(req->imr_address.s_addr)))
        return -EADDRNOTAVAIL;
    spin_lock(&is->sock.lock);
    is->options.many_if = req->imr_ifindex || req->imr_address.s_addr ? LO_INDEX : 0;
    is->options.many_from = ip_of_v4(swap32(req->imr_address.s_addr));
    spin_unlock(&is->sock.lock);
    return 0;
}

/* Linux takes three structures here, each the beginning of the next. */
int groups_set_v4(struct inet_sock *is, int option, const void *value, u32 len)
{
    struct ip_mreqn req = {0};
    struct in6_addr group;
    int err;

    if (option == MCAST_JOIN_GROUP || option == MCAST_LEAVE_GROUP)
        return protocol_group(is, option, value, len);
    if (is->sock.type == SOCK_STREAM)
        return option == IP_MULTICAST_IF ? -EINVAL : -EPROTO;
    if (option == IP_MULTICAST_IF && len >= sizeof(struct in_addr) &&
        len < sizeof(struct ip_mreq)) {
        memcpy(&req.imr_address, value, sizeof(req.imr_address));
        return set_interface(is, &req);
    }
    if (len < sizeof(struct ip_mreq))
        return -EINVAL;
    memcpy(&req, value, MIN(len, (u32)sizeof(req)));
    if (option == IP_MULTICAST_IF)
        return set_interface(is, &req);
    group = ip_of_v4(swap32(req.imr_multiaddr.s_addr));
    if (!ip_is_multicast(&group))
        return -EINVAL;
    err = interface_check(req.imr_ifindex, swap32(req.imr_address.s_addr));
    if (err)
        return err;
    return option == IP_ADD_MEMBERSHIP ? group_join(is, &group, false) : group_leave(is, &group);
}

int groups_set_v6(struct inet_sock *is, int option, const void *value, u32 len)
{
    struct ipv6_mreq req;
    int index;

    if (option == MCAST_JOIN_GROUP || option == MCAST_LEAVE_GROUP)
        return protocol_group(is, option, value, len);
    if (option == IPV6_MULTICAST_IF) {
        if (len < sizeof(index))
            return -EINVAL;
        if (is->sock.type == SOCK_STREAM)
            return -ENOPROTOOPT;
        memcpy(&index, value, sizeof(index));
        if (interface_check(index, 0))
            return -ENODEV;
        WRITE_ONCE(is->options.many_if6, (u32)index);
        return 0;
    }
    if (len < sizeof(req))
        return -EINVAL;
    if (is->sock.type == SOCK_STREAM)
        return -EPROTO;
    memcpy(&req, value, sizeof(req));
    if (!ip_is_multicast(&req.ipv6mr_multiaddr))
        return -EINVAL;
    if (interface_check(req.ipv6mr_ifindex, 0))
        return -ENODEV;
    return option == IPV6_ADD_MEMBERSHIP ? group_join(is, &req.ipv6mr_multiaddr, false)
                                         : group_leave(is, &req.ipv6mr_multiaddr);
}

int groups_get_interface(struct inet_sock *is, void *value, u32 *len)
{
    u32 from;

    spin_lock(&is->sock.lock);
    from = swap32(ip_v4(&is->options.many_from));
    spin_unlock(&is->sock.lock);
    return option_put(value, len, &from, sizeof(from));
}
