/* kernel/net/inet/groups.c: multicast memberships. The one interface inside is lo. */
#include "net/inet/groups.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"

#define LO_INDEX 1

struct group {
    struct list_head link; /* sock.lock */
    struct in6_addr ip;    /* constant */
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

bool inet_in_group_locked(const struct inet_sock *is, const struct in6_addr *ip)
{
    return group_find_locked(is, ip) != NULL;
}

static int group_join(struct inet_sock *is, const struct in6_addr *ip)
{
    struct group *group;
    int err = 0;

    if (!ip_is_multicast(ip))
        return -EINVAL;
    group = kmalloc(sizeof(*group));
    if (!group)
        return -ENOMEM;
    group->ip = *ip;
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

void inet_groups_release(struct inet_sock *is)
{
    while (!list_empty(&is->groups)) {
        struct group *group = list_first_entry(&is->groups, struct group, link);

        list_del(&group->link);
        kfree(group);
    }
}

/* An interface by index, or by an address of its own; neither: the one there is. */
static int interface_check(int index, u32 address)
{
    struct in6_addr ip = ip_of_v4(address);

    if (index)
        return index == LO_INDEX ? 0 : -ENODEV;
    return !address || ip_is_own(&ip) ? 0 : -ENODEV;
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
    return option == MCAST_JOIN_GROUP ? group_join(is, &group.ip) : group_leave(is, &group.ip);
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
    return option == IP_ADD_MEMBERSHIP ? group_join(is, &group) : group_leave(is, &group);
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
    return option == IPV6_ADD_MEMBERSHIP ? group_join(is, &req.ipv6mr_multiaddr)
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
