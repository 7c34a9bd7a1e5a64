/* kernel/net/inet/ip_header.h: headers of packets, for those who look at them or make them: filters, raw sockets, echoes. */
#ifndef INET_IP_HEADER_H
#define INET_IP_HEADER_H

#include "net/inet/endpoint.h"

#define IP_HEADER_V4  20
#define IP_HEADER_V6  40
#define IP_HEADER_MAX IP_HEADER_V6

/* What a header says beside its addresses. */
struct ip_facts {
    u8 protocol, ttl, tos;
    u32 payload; /* bytes behind the header */
};

/* RFC 1071: the sum of 16-bit words in ones' complement, on top of another sum; and the checksum that it becomes. */
u32 ip_sum(const u8 *data, u32 len, u32 sum);
static inline u16 ip_checksum(u32 sum)
{
    return swap16((u16)~sum);
}
/* RFC 8200, section 8.1: what checksums over IPv6 cover beside the data. */
u32 ip_sum_pseudo_v6(const struct in6_addr *from, const struct in6_addr *to, u8 protocol, u32 len);

/* RFC 791 or RFC 8200, by the addresses. Bytes put: IP_HEADER_V4 or IP_HEADER_V6. */
u32 ip_header_put(u8 header[IP_HEADER_MAX], const struct in6_addr *from, const struct in6_addr *to,
                  const struct ip_facts *facts);

#endif
