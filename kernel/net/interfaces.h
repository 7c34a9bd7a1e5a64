/*
 * kernel/net/interfaces.h: the instance's network interfaces, see netdevice(7): its own loopback, and the host's as the launcher
 * saw them, unless there is no way out. Constant after the start.
 */
#ifndef NET_INTERFACES_H
#define NET_INTERFACES_H

#include "base/types.h"

#include <myst/boot.h>

#define LOOPBACK_INDEX 1

void interfaces_start(const struct boot_net *net);

/* The nth interface or address, loopback's first; NULL behind the last. */
const struct boot_interface *interface_nth(u32 n);
const struct boot_address *address_nth(u32 n);

const struct boot_interface *interface_find(u32 index); /* NULL: there is none */
const struct boot_interface *interface_named(const char *name);
/* The first address of a family on an interface; NULL: it has none. */
const struct boot_address *interface_address(const struct boot_interface *interface, int family);
bool interface_has_gateway(const struct boot_interface *interface, int family);

/* The ioctls of netdevice(7) that ask; -EPERM and -EOPNOTSUPP for those that change; -ENOTTY: none of them. */
long interface_ioctl(unsigned int cmd, unsigned long arg);

#endif
