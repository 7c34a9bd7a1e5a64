/* kernel/net/inet/ip_header.c: see ip_header.h. */
#include "net/inet/ip_header.h"

#include <linux/ip.h>
#include <linux/ipv6.h>

#define DONT_FRAGMENT 0x4000

u32 ip_sum(const u8 *data, u32 len, u32 sum)
{
    for (u32 i = 0; i + 1 < len; i += 2)
        sum += (u32)data[i] << 8 | data[i + 1];
    if (len & 1)
        sum += (u32)data[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

u32 ip_sum_pseudo_v6(const struct in6_addr *from, const struct in6_addr *to, u8 protocol, u32 len)
{
    u32 sum = ip_sum(from->s6_addr, 16, len + protocol);

    return ip_sum(to->s6_addr, 16, sum);
}

static u32 put_v4(u8 *to_bytes, const struct in6_addr *from, const struct in6_addr *to,
                  const struct ip_facts *facts)
{
    struct iphdr header = {
        .version = 4,
        .ihl = IP_HEADER_V4 / 4,
        .tos = facts->tos,
        .tot_len = swap16((u16)(IP_HEADER_V4 + facts->payload)),
        .frag_off = swap16(DONT_FRAGMENT),
        .ttl = facts->ttl,
        .protocol = facts->protocol,
        .saddr = swap32(ip_v4(from)),
        .daddr = swap32(ip_v4(to)),
    };

    header.check = ip_checksum(ip_sum((const u8 *)&header, sizeof(header), 0));
    memcpy(to_bytes, &header, sizeof(header));
    return sizeof(header);
}

u32 ip_header_put(u8 bytes[IP_HEADER_MAX], const struct in6_addr *from, const struct in6_addr *to,
                  const struct ip_facts *facts)
{
    struct ipv6hdr header = {
        .version = 6,
        .priority = facts->tos >> 4,
        .flow_lbl = {(u8)(facts->tos << 4)},
        .payload_len = swap16((u16)facts->payload),
        .nexthdr = facts->protocol,
        .hop_limit = facts->ttl,
        .saddr = *from,
        .daddr = *to,
    };

    static_assert(sizeof(struct iphdr) == IP_HEADER_V4, "RFC 791 without options");
    static_assert(sizeof(header) == IP_HEADER_V6, "RFC 8200");
    if (ip_is_v4(to))
        return put_v4(bytes, from, to, facts);
    memcpy(bytes, &header, sizeof(header));
    return sizeof(header);
}
