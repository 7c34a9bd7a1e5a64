/* kernel/net/interfaces.c: see interfaces.h. */
#include "net/interfaces.h"

#include "abi/unexported.h"
#include "base/string.h"
#include "cred/cred.h"
#include "mm/uaccess.h"

#include "abi/netdevice.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

static const struct boot_interface loopback = {
    .name = "lo",
    .index = LOOPBACK_INDEX,
    .flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_LOWER_UP,
    .mtu = 65536,
    .queue = 1000, /* as Linux says it, though nothing waits on lo */
    .type = ARPHRD_LOOPBACK,
};
static const struct boot_address loopback_addresses[] = {
    {.interface = LOOPBACK_INDEX,
     .family = AF_INET,
     .prefix = 8,
     .scope = RT_SCOPE_HOST,
     .ip = {127, 0, 0, 1}},
    {.interface = LOOPBACK_INDEX,
     .family = AF_INET6,
     .prefix = 128,
     .scope = RT_SCOPE_HOST,
     .ip = {[15] = 1}},
};
static const struct boot_net *outside; /* constant after the start; NULL: there is no way out */

void interfaces_start(const struct boot_net *net)
{
    outside = net->outside ? net : NULL;
}

const struct boot_interface *interface_nth(u32 n)
{
    if (n == 0)
        return &loopback;
    return outside && n - 1 < outside->ninterfaces ? &outside->interfaces[n - 1] : NULL;
}

const struct boot_address *address_nth(u32 n)
{
    if (n < ARRAY_SIZE(loopback_addresses))
        return &loopback_addresses[n];
    n -= ARRAY_SIZE(loopback_addresses);
    return outside && n < outside->naddresses ? &outside->addresses[n] : NULL;
}

const struct boot_interface *interface_find(u32 index)
{
    const struct boot_interface *interface;

    for (u32 n = 0; (interface = interface_nth(n)); n++)
        if (interface->index == index)
            return interface;
    return NULL;
}

const struct boot_interface *interface_named(const char *name)
{
    const struct boot_interface *interface;

    for (u32 n = 0; (interface = interface_nth(n)); n++)
        if (strncmp(interface->name, name, sizeof(interface->name)) == 0)
            return interface;
    return NULL;
}

const struct boot_address *interface_address(const struct boot_interface *interface, int family)
{
    const struct boot_address *address;

    for (u32 n = 0; (address = address_nth(n)); n++)
        if (address->interface == interface->index && address->family == family)
            return address;
    return NULL;
}

bool interface_has_gateway(const struct boot_interface *interface, int family)
{
    static const u8 none[16];

    return family == AF_INET ? memcmp(interface->gateway4, none, sizeof(interface->gateway4)) != 0
                             : memcmp(interface->gateway6, none, sizeof(interface->gateway6)) != 0;
}

/* ---- netdevice(7) ---- */

static void set_ip(struct ifreq *request, const u8 ip[4])
{
    struct sockaddr_in in = {.sin_family = AF_INET};

    memcpy(&in.sin_addr, ip, sizeof(in.sin_addr));
    memcpy(&request->ifr_addr, &in, sizeof(in));
}

typedef int asker(struct ifreq *request, const struct boot_interface *interface);

static int get_name(struct ifreq *request, const struct boot_interface *interface)
{
    memcpy(request->ifr_name, interface->name, sizeof(request->ifr_name));
    return 0;
}

static int get_index(struct ifreq *request, const struct boot_interface *interface)
{
    request->ifr_ifindex = (int)interface->index;
    return 0;
}

static int get_flags(struct ifreq *request, const struct boot_interface *interface)
{
    request->ifr_flags = (short)interface->flags;
    return 0;
}

static int get_mtu(struct ifreq *request, const struct boot_interface *interface)
{
    request->ifr_mtu = (int)interface->mtu;
    return 0;
}

/* netdevice(7): not implemented, 0. */
static int get_metric(struct ifreq *request, const struct boot_interface *interface)
{
    (void)interface;
    request->ifr_metric = 0;
    return 0;
}

static int get_queue(struct ifreq *request, const struct boot_interface *interface)
{
    request->ifr_qlen = (int)interface->queue;
    return 0;
}

static int get_hardware_address(struct ifreq *request, const struct boot_interface *interface)
{
    request->ifr_hwaddr.sa_family = interface->type;
    memset(request->ifr_hwaddr.sa_data, 0, sizeof(request->ifr_hwaddr.sa_data));
    memcpy(request->ifr_hwaddr.sa_data, interface->mac, sizeof(interface->mac));
    return 0;
}

/* The hardware is the host's. */
static int get_map(struct ifreq *request, const struct boot_interface *interface)
{
    (void)interface;
    memset(&request->ifr_map, 0, sizeof(request->ifr_map));
    return 0;
}

static int get_address(struct ifreq *request, const struct boot_interface *interface)
{
    const struct boot_address *address = interface_address(interface, AF_INET);

    if (!address)
        return -EADDRNOTAVAIL;
    set_ip(request, address->ip);
    return 0;
}

static int get_broadcast(struct ifreq *request, const struct boot_interface *interface)
{
    const struct boot_address *address = interface_address(interface, AF_INET);

    if (!address)
        return -EADDRNOTAVAIL;
    set_ip(request, address->broadcast);
    return 0;
}

static int get_netmask(struct ifreq *request, const struct boot_interface *interface)
{
    const struct boot_address *address = interface_address(interface, AF_INET);
    u32 mask;

    if (!address)
        return -EADDRNOTAVAIL;
    mask = address->prefix ? __builtin_bswap32(~0U << (32 - MIN(address->prefix, 32))) : 0;
    set_ip(request, (const u8 *)&mask);
    return 0;
}

/* The requests about one interface, and who answers them; NULL: they change something. */
static const struct {
    unsigned int cmd;
    asker *get;
} requests[] = {
    {SIOCGIFNAME, get_name},
    {SIOCGIFINDEX, get_index},
    {SIOCGIFFLAGS, get_flags},
    {SIOCGIFMTU, get_mtu},
    {SIOCGIFMETRIC, get_metric},
    {SIOCGIFTXQLEN, get_queue},
    {SIOCGIFHWADDR, get_hardware_address},
    {SIOCGIFMAP, get_map},
    {SIOCGIFADDR, get_address},
    {SIOCGIFDSTADDR, get_address},
    {SIOCGIFBRDADDR, get_broadcast},
    {SIOCGIFNETMASK, get_netmask},
    {SIOCSIFFLAGS, NULL},
    {SIOCSIFADDR, NULL},
    {SIOCSIFNETMASK, NULL},
    {SIOCSIFBRDADDR, NULL},
    {SIOCSIFDSTADDR, NULL},
    {SIOCSIFMTU, NULL},
    {SIOCSIFMETRIC, NULL},
    {SIOCSIFHWADDR, NULL},
    {SIOCSIFNAME, NULL},
    {SIOCSIFTXQLEN, NULL},
    {SIOCADDRT, NULL},
    {SIOCDELRT, NULL},
};

/* SIOCGIFCONF: the interfaces that have an address of IPv4. */
static long get_list(struct ifconf __user *user)
{
    const struct boot_address *address;
    struct ifconf list;
    int done = 0;

    if (copy_from_user(&list, user, sizeof(list)))
        return -EFAULT;
    if (list.ifc_len < 0)
        return -EINVAL;
    for (u32 n = 0; (address = address_nth(n)); n++) {
        const struct boot_interface *interface = interface_find(address->interface);
        struct ifreq request = {0};

        if (address->family != AF_INET || !interface)
            continue;
        if (list.ifc_buf && done + (int)sizeof(request) > list.ifc_len)
            break;
        memcpy(request.ifr_name, interface->name, sizeof(request.ifr_name));
        set_ip(&request, address->ip);
        if (list.ifc_buf &&
            copy_to_user((char __user *)list.ifc_buf + done, &request, sizeof(request)))
            return -EFAULT;
        done += (int)sizeof(request);
    }
    list.ifc_len = done;
    return copy_to_user(user, &list, sizeof(list));
}

static long ask(asker *get, unsigned int cmd, struct ifreq __user *user)
{
    const struct boot_interface *interface;
    struct ifreq request;
    int err;

    if (copy_from_user(&request, user, sizeof(request)))
        return -EFAULT;
    request.ifr_name[IFNAMSIZ - 1] = '\0';
    interface = cmd == SIOCGIFNAME ? interface_find((u32)request.ifr_ifindex)
                                   : interface_named(request.ifr_name);
    if (!interface)
        return -ENODEV;
    err = get(&request, interface);
    return err ? err : copy_to_user(user, &request, sizeof(request));
}

long interface_ioctl(unsigned int cmd, unsigned long arg)
{
    if (cmd == SIOCGIFCONF)
        return get_list((struct ifconf __user *)arg);
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        if (requests[i].cmd != cmd)
            continue;
        if (requests[i].get)
            return ask(requests[i].get, cmd, (struct ifreq __user *)arg);
        return capable(CAP_NET_ADMIN) ? -EOPNOTSUPP : -EPERM;
    }
    return -ENOTTY;
}
