/* kernel/net/inet/inet.h: the face of the Internet protocols: what /proc shows and sets. */
#ifndef INET_INET_H
#define INET_INET_H

#include "base/types.h"

/* /proc/sys/net/ipv4 */
struct inet_tunables {
    u32 port_low, port_high; /* ip_local_port_range */
    u32 unprivileged_port;   /* ip_unprivileged_port_start */
    u32 ping_low, ping_high; /* ping_group_range; low > high: nobody */
};
extern struct inet_tunables inet_tunables; /* words that are read and written whole */

void inet_start(void); /* registers AF_INET and AF_INET6 */

/* The lines of /proc/net: emit gets one at a time, without lock. */
enum inet_show { INET_TCP, INET_TCP6, INET_UDP, INET_UDP6, INET_SOCKSTAT, INET_SOCKSTAT6 };
void inet_show(enum inet_show what, void (*emit)(void *to, const char *line, size_t len), void *to);

#endif
