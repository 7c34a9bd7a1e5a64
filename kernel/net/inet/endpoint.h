/*
 * kernel/net/inet/endpoint.h: where a packet comes from or goes to. There is one form for IPv4 and IPv6: an IPv4 address
 * is the IPv6 address that is mapped to it, ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2); 0.0.0.0 stays ::.
 */
#ifndef INET_ENDPOINT_H
#define INET_ENDPOINT_H

#include "base/string.h"
#include "base/types.h"

#include <linux/in.h>
#include <linux/in6.h>

struct endpoint {
    struct in6_addr ip;
    u16 port;  /* in the machine's byte order; 0: none */
    u32 scope; /* of a link-local address: the interface; else 0 */
};

#define ENDPOINT_ANY ((struct endpoint){.port = 0})

/* Between endpoints and the addresses of programs; address.c. of_address: by its family; -EINVAL: too short. */
struct sock_addr;
int endpoint_of_address(const struct sock_addr *addr, struct endpoint *out);
void endpoint_to(int family, const struct endpoint *from, struct sock_addr *out);

static inline u16 swap16(u16 x)
{
    return __builtin_bswap16(x);
}

static inline u32 swap32(u32 x)
{
    return __builtin_bswap32(x);
}

static inline bool ip_equal(const struct in6_addr *a, const struct in6_addr *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && ip_equal(&a->ip, &b->ip);
}

static inline bool ip_is_any(const struct in6_addr *ip)
{
    return !(ip->s6_addr32[0] | ip->s6_addr32[1] | ip->s6_addr32[2] | ip->s6_addr32[3]);
}

static inline bool ip_is_v4(const struct in6_addr *ip)
{
    return !(ip->s6_addr32[0] | ip->s6_addr32[1]) && ip->s6_addr32[2] == swap32(0xffff);
}

/* The IPv4 address in the machine's byte order; 0 of :: */
static inline u32 ip_v4(const struct in6_addr *ip)
{
    return swap32(ip->s6_addr32[3]);
}

static inline struct in6_addr ip_of_v4(u32 v4)
{
    struct in6_addr ip = {0};

    if (v4) {
        ip.s6_addr32[2] = swap32(0xffff);
        ip.s6_addr32[3] = swap32(v4);
    }
    return ip;
}

/* 127.0.0.0/8 and ::1. */
static inline bool ip_is_loopback(const struct in6_addr *ip)
{
    if (ip_is_v4(ip))
        return ip_v4(ip) >> 24 == 127;
    return !(ip->s6_addr32[0] | ip->s6_addr32[1] | ip->s6_addr32[2]) &&
           ip->s6_addr32[3] == swap32(1);
}

static inline bool ip_is_multicast(const struct in6_addr *ip)
{
    return ip_is_v4(ip) ? ip_v4(ip) >> 28 == 14 : ip->s6_addr[0] == 0xff;
}

#endif
