/* kernel/net/inet/groups.h: multicast groups that sockets are members of; ip(7), ipv6(7). */
#ifndef INET_GROUPS_H
#define INET_GROUPS_H

#include "net/inet/internal.h"

int groups_set_v4(struct inet_sock *is, int option, const void *value, u32 len);
/* IP_ADD_SOURCE_MEMBERSHIP, MCAST_JOIN_SOURCE_GROUP and their kin, of both families. */
int groups_set_source(struct inet_sock *is, int option, const void *value, u32 len);
int groups_set_v6(struct inet_sock *is, int option, const void *value, u32 len);
int groups_get_interface(struct inet_sock *is, void *value, u32 *len);

#endif
