/* kernel/net/netlink/netlink.h: AF_NETLINK, netlink(7): questions to the kernel as messages. */
#ifndef NETLINK_NETLINK_H
#define NETLINK_NETLINK_H

#include "base/types.h"

struct file;
struct nl_packet;

void netlink_start(void); /* registers the family */

/* For mq_notify(2): a datagram of the kernel's own, and its way into the queue of a socket, which takes it over. */
bool file_is_netlink(const struct file *file);
struct nl_packet *netlink_packet(const void *data, u32 len); /* NULL: no memory */
void *netlink_packet_data(struct nl_packet *packet);
void netlink_deliver(struct file *socket, struct nl_packet *packet);
void netlink_packet_free(struct nl_packet *packet);

#endif
