/* target/linux/launch/network.c: what the kernel is told of the host's network, and the sockets of published ports. */
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESOLV_CONF     "/etc/resolv.conf"
#define RESOLV_CONF_MAX 65536
#define RESOLVERS_MAX   3 /* as many as resolv.conf(5) has */
#define INTERFACES_MAX  64
#define ADDRESSES_MAX   256

/* ---- interfaces and addresses ---- */

static uint8_t prefix_of(const uint8_t *mask, size_t n)
{
    uint8_t bits = 0;

    for (size_t i = 0; i < n; i++)
        bits += (uint8_t)__builtin_popcount(mask[i]);
    return bits;
}

static uint8_t scope_of(const struct in6_addr *ip)
{
    if (IN6_IS_ADDR_LINKLOCAL(ip))
        return RT_SCOPE_LINK;
    return IN6_IS_ADDR_SITELOCAL(ip) ? RT_SCOPE_SITE : RT_SCOPE_UNIVERSE;
}

static bool address_fill(struct boot_address *out, const struct sockaddr *address,
                         const struct sockaddr *mask)
{
    *out = (struct boot_address){.family = (uint8_t)address->sa_family};
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;

        memcpy(out->ip, &in->sin_addr, 4);
        out->prefix =
            mask ? prefix_of((const void *)&((const struct sockaddr_in *)mask)->sin_addr, 4) : 32;
        return true;
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)address;

        memcpy(out->ip, &in6->sin6_addr, 16);
        out->scope = scope_of(&in6->sin6_addr);
        out->prefix =
            mask ? prefix_of(((const struct sockaddr_in6 *)mask)->sin6_addr.s6_addr, 16) : 128;
        return true;
    }
    return false;
}

/* getifaddrs(3) gives the address itself where there is no other. */
static void broadcast_fill(struct boot_address *out, const struct ifaddrs *at)
{
    const struct sockaddr_in *in = (const void *)at->ifa_broadaddr;

    if (out->family == AF_INET && (at->ifa_flags & IFF_BROADCAST) && in &&
        memcmp(&in->sin_addr, out->ip, 4) != 0)
        memcpy(out->broadcast, &in->sin_addr, 4);
}

/* A number of netdevice(7), or what it usually is. */
static uint32_t number_of(const char *name, unsigned long request, uint32_t usual)
{
    struct ifreq asked = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err;

    if (fd < 0)
        return usual;
    memcpy(asked.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
    err = ioctl(fd, request, &asked);
    close(fd);
    /* ifr_mtu and ifr_qlen are the same member of a union */
    return err || asked.ifr_mtu < 0 ? usual : (uint32_t)asked.ifr_mtu;
}

static void interface_add(struct boot_interface *interfaces, uint32_t *n, const struct ifaddrs *at)
{
    const struct sockaddr_ll *link = (const void *)at->ifa_addr;
    struct boot_interface *out = &interfaces[*n];

    if (*n == INTERFACES_MAX || (at->ifa_flags & IFF_LOOPBACK))
        return;
    *out = (struct boot_interface){.index = (uint32_t)link->sll_ifindex,
                                   .flags = at->ifa_flags,
                                   .mtu = number_of(at->ifa_name, SIOCGIFMTU, 1500),
                                   .queue = number_of(at->ifa_name, SIOCGIFTXQLEN, 1000),
                                   .type = link->sll_hatype};
    snprintf(out->name, sizeof(out->name), "%s", at->ifa_name);
    if (link->sll_halen == sizeof(out->mac))
        memcpy(out->mac, link->sll_addr, sizeof(out->mac));
    ++*n;
}

static void fill_interfaces(struct arena *arena, struct boot_net *net)
{
    struct boot_interface *interfaces = arena_get(arena, INTERFACES_MAX * sizeof(*interfaces));
    struct boot_address *addresses = arena_get(arena, ADDRESSES_MAX * sizeof(*addresses));
    struct ifaddrs *all;

    net->interfaces = interfaces;
    net->addresses = addresses;
    if (getifaddrs(&all) != 0)
        return;
    for (struct ifaddrs *at = all; at; at = at->ifa_next) {
        struct boot_address *address = &addresses[net->naddresses];

        if (!at->ifa_addr || (at->ifa_flags & IFF_LOOPBACK))
            continue;
        if (at->ifa_addr->sa_family == AF_PACKET) {
            interface_add(interfaces, &net->ninterfaces, at);
        } else if (net->naddresses < ADDRESSES_MAX &&
                   address_fill(address, at->ifa_addr, at->ifa_netmask)) {
            broadcast_fill(address, at);
            address->interface = if_nametoindex(at->ifa_name);
            net->naddresses++;
        }
    }
    freeifaddrs(all);
}

/* ---- default routes, proc_pid_net(5) ---- */

static struct boot_interface *interface_named(struct boot_net *net, const char *name)
{
    for (uint32_t i = 0; i < net->ninterfaces; i++)
        if (strcmp(net->interfaces[i].name, name) == 0)
            return (struct boot_interface *)&net->interfaces[i];
    return NULL;
}

static void fill_route4(struct boot_net *net)
{
    FILE *file = fopen("/proc/net/route", "re");
    char line[256], name[IFNAMSIZ + 1];
    unsigned int destination, gateway;

    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%16s %x %x", name, &destination, &gateway) != 3 || destination != 0)
            continue;
        struct boot_interface *interface = interface_named(net, name);
        if (interface)
            memcpy(interface->gateway4, &gateway, 4);
    }
    if (file)
        fclose(file);
}

/* 32 hexadecimal digits. */
static bool read_hex16(const char *text, uint8_t *out)
{
    for (int i = 0; i < 16; i++)
        if (sscanf(text + 2 * i, "%2hhx", &out[i]) != 1)
            return false;
    return true;
}

static void fill_route6(struct boot_net *net)
{
    FILE *file = fopen("/proc/net/ipv6_route", "re");
    char line[256], to[33], via[33], name[IFNAMSIZ + 1];
    unsigned int prefix;

    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%32s %x %*32s %*x %32s %*x %*x %*x %*x %16s", to, &prefix, via, name) !=
                4 ||
            prefix != 0 || strspn(to, "0") != 32 || strlen(via) != 32)
            continue;
        struct boot_interface *interface = interface_named(net, name);
        if (interface)
            read_hex16(via, interface->gateway6);
    }
    if (file)
        fclose(file);
}

/* ---- name servers ---- */

static bool resolver_add(struct boot_address *resolvers, uint32_t *n, const char *text)
{
    struct boot_address *out = &resolvers[*n];
    char address[INET6_ADDRSTRLEN] = "";

    *out = (struct boot_address){0};
    snprintf(address, sizeof(address), "%.*s", (int)strcspn(text, "%"), text);
    if (inet_pton(AF_INET, address, out->ip) == 1)
        out->family = AF_INET;
    else if (inet_pton(AF_INET6, address, out->ip) == 1)
        out->family = AF_INET6;
    else
        return false;
    ++*n;
    return true;
}

static char *read_resolv_conf(void)
{
    FILE *file = fopen(RESOLV_CONF, "re");
    char *text = calloc(1, RESOLV_CONF_MAX);
    size_t n = file && text ? fread(text, 1, RESOLV_CONF_MAX - 1, file) : 0;

    if (file)
        fclose(file);
    if (text)
        text[n] = '\0';
    return text;
}

static void resolvers_of_text(struct boot_address *resolvers, uint32_t *n, const char *text)
{
    char server[64];

    for (; *text && *n < RESOLVERS_MAX; text += strcspn(text, "\n"), text += *text == '\n')
        if (sscanf(text, "nameserver %63s", server) == 1)
            resolver_add(resolvers, n, server);
}

static char *text_of_dns(const struct launch_options *options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    for (size_t i = 0; file && i < options->dns_count; i++)
        fprintf(file, "nameserver %s\n", options->dns[i]);
    if (file)
        fclose(file);
    return text;
}

/* The host's own resolv.conf is what the program sees anyway when its root is the host's. */
static void fill_resolvers(struct arena *arena, struct boot_net *net,
                           const struct launch_options *options)
{
    struct boot_address *resolvers = arena_get(arena, RESOLVERS_MAX * sizeof(*resolvers));
    char *text = options->dns_count ? text_of_dns(options) : read_resolv_conf();

    net->resolvers = resolvers;
    if (!text)
        return;
    resolvers_of_text(resolvers, &net->nresolvers, text);
    if (*text && (options->dns_count || !options->rootfs_is_host))
        net->resolv_conf = arena_string(arena, text);
    free(text);
}

/* ---- published ports ---- */

static int bind_to(int family, const struct launch_publish *port, const void *ip)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0, err;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {.any.sa_family = (sa_family_t)family};

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET) {
        memcpy(&address.v4.sin_addr, ip, 4);
        address.v4.sin_port = htons(port->host_port);
    } else {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
        memcpy(&address.v6.sin6_addr, ip, 16);
        address.v6.sin6_port = htons(port->host_port);
    }
    err = bind(fd, &address.any, family == AF_INET ? sizeof(address.v4) : sizeof(address.v6));
    if (!err)
        return fd;
    err = errno;
    close(fd);
    errno = err;
    return -1;
}

/* Every address of the host: by one socket for both families where the host has IPv6. */
static int bind_published(const struct launch_publish *port, uint8_t *family)
{
    struct in6_addr v6 = IN6ADDR_ANY_INIT;
    struct in_addr v4 = {0};
    int fd;

    *family = AF_INET6;
    if (!port->address) {
        fd = bind_to(AF_INET6, port, &v6);
        if (fd >= 0 || errno != EAFNOSUPPORT)
            return fd;
    } else if (inet_pton(AF_INET6, port->address, &v6) == 1) {
        return bind_to(AF_INET6, port, &v6);
    } else {
        inet_pton(AF_INET, port->address, &v4);
    }
    *family = AF_INET;
    return bind_to(AF_INET, port, &v4);
}

static int fill_published(struct arena *arena, struct boot_net *net,
                          const struct launch_options *options)
{
    struct boot_publish *out = arena_get(arena, (options->publish_count + 1) * sizeof(*out));

    net->publish = out;
    for (size_t i = 0; i < options->publish_count; i++) {
        const struct launch_publish *port = &options->publish[i];
        uint8_t family;
        int fd = bind_published(port, &family);

        if (fd < 0) {
            launch_complain("cannot publish port %u of %s: %s", port->host_port,
                            port->address ? port->address : "the host", strerror(errno));
            return -1;
        }
        out[net->npublish++] = (struct boot_publish){
            .file = fd, .host_port = port->host_port, .port = port->port, .family = family};
    }
    return 0;
}

int network_fill(struct arena *arena, struct boot_net *net, const struct launch_options *options)
{
    *net = (struct boot_net){.outside = !options->net_none};
    if (options->net_none)
        return 0;
    fill_interfaces(arena, net);
    fill_route4(net);
    fill_route6(net);
    fill_resolvers(arena, net, options);
    return fill_published(arena, net, options);
}
