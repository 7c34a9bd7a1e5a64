/* kernel/net/netlink/netlink.h: AF_NETLINK, netlink(7): questions to the kernel as messages. */
#ifndef NETLINK_NETLINK_H
#define NETLINK_NETLINK_H

void netlink_start(void); /* registers the family */

#endif
