/* kernel/host/boot_net.c: see boot_net.h. */
#include "host/boot_net.h"

#include "abi/unexported.h"
#include "base/errno.h"
#include "base/string.h"
#include "host/border.h"
#include "host/descriptors.h"

#include <myst/boot.h>

#define INTERFACES_MAX  64
#define ADDRESSES_MAX   256
#define PUBLISH_MAX     65535
#define RESOLVERS_MAX   3
#define RESOLV_CONF_MAX (64UL << 10)

static bool is_inet(u8 family)
{
    return family == AF_INET || family == AF_INET6;
}

static bool is_list(const void *list, u32 n, u32 most)
{
    return n <= most && (list || !n);
}

static const char *check_addresses(const struct boot_address *addresses, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        if (!BORDER(boot_address_family, is_inet(addresses[i].family)))
            return "addresses: family";
        if (!BORDER(boot_address_prefix,
                    addresses[i].prefix <= (addresses[i].family == AF_INET ? 32 : 128)))
            return "addresses: prefix";
    }
    return NULL;
}

static const char *check_interfaces(struct boot_interface *interfaces, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        size_t len = strnlen(interfaces[i].name, sizeof(interfaces[i].name));

        if (!BORDER(boot_interface_name, len > 0 && len < sizeof(interfaces[i].name)))
            return "interfaces: name";
        if (!BORDER(boot_interface_index,
                    interfaces[i].index >= 2 && interfaces[i].index <= INT32_MAX))
            return "interfaces: index";
        if (!BORDER(boot_interface_mtu, interfaces[i].mtu <= INT32_MAX))
            interfaces[i].mtu = INT32_MAX;
    }
    return NULL;
}

static const char *check_publish(const struct boot_publish *publish, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        if (BORDER_DESCRIPTOR(boot_publish_file, boot_publish_file_twice, publish[i].file) < 0)
            return "publish: file";
        if (!BORDER(boot_publish_family, is_inet(publish[i].family)))
            return "publish: family";
    }
    return NULL;
}

const char *boot_net_check(struct boot_net *net)
{
    const char *wrong;

    if (!BORDER(boot_ninterfaces, is_list(net->interfaces, net->ninterfaces, INTERFACES_MAX)))
        return "ninterfaces";
    if (!BORDER(boot_naddresses, is_list(net->addresses, net->naddresses, ADDRESSES_MAX)))
        return "naddresses";
    if (!BORDER(boot_npublish, is_list(net->publish, net->npublish, PUBLISH_MAX)))
        return "npublish";
    if (!BORDER(boot_nresolvers, is_list(net->resolvers, net->nresolvers, RESOLVERS_MAX)))
        return "nresolvers";
    if (!BORDER(boot_resolv_conf,
                !net->resolv_conf || strnlen(net->resolv_conf, RESOLV_CONF_MAX) < RESOLV_CONF_MAX))
        return "resolv_conf";
    wrong = check_interfaces((struct boot_interface *)net->interfaces, net->ninterfaces);
    if (!wrong)
        wrong = check_addresses(net->addresses, net->naddresses);
    if (!wrong)
        wrong = check_addresses(net->resolvers, net->nresolvers);
    return wrong ? wrong : check_publish(net->publish, net->npublish);
}
