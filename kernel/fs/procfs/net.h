/* kernel/fs/procfs/net.h: what net.c's directories take from net_inet.c. */
#ifndef PROCFS_NET_H
#define PROCFS_NET_H

#include "fs/procfs/internal.h"

int proc_net_tcp(const struct subject *s, struct text *out);
int proc_net_tcp6(const struct subject *s, struct text *out);
int proc_net_udp(const struct subject *s, struct text *out);
int proc_net_udp6(const struct subject *s, struct text *out);
int proc_net_sockstat(const struct subject *s, struct text *out);
int proc_net_sockstat6(const struct subject *s, struct text *out);

extern const struct pseudo_dir proc_sys_ipv4_dir, proc_sys_ipv6_dir;

#endif
