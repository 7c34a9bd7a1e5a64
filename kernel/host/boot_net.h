/* kernel/host/boot_net.h: the part of boot.c that looks at what the launcher says of the network. */
#ifndef HOST_BOOT_NET_H
#define HOST_BOOT_NET_H

struct boot_net;

/* NULL, or the name of the field that cannot be made good. */
const char *boot_net_check(struct boot_net *net);

#endif
