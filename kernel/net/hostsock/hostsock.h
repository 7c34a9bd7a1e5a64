/*
 * kernel/net/hostsock/hostsock.h: what lies beyond the instance, on sockets of the host. inet/ decides what is inside; all
 * else comes here through the table of inet/outside.h.
 */
#ifndef HOSTSOCK_HOSTSOCK_H
#define HOSTSOCK_HOSTSOCK_H

#include "base/types.h"

struct boot_info;

/* Registers the way out, and the published ports; nothing with --net none. 0, -ENOMEM, -EIO. */
int hostsock_start(const struct boot_info *boot);

#endif
