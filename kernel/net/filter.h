/*
 * kernel/net/filter.h: filters of sockets, SO_ATTACH_FILTER of socket(7): programs of the classic BSD packet filter
 * (McCanne and Jacobson, 1993) that say how much of a packet is kept. <linux/filter.h> has their instructions.
 */
#ifndef NET_FILTER_H
#define NET_FILTER_H

#include "base/types.h"

struct socket;
struct sock_filter;
struct socket_filter; /* counted; constant once it is made */

/*
 * A packet as filters see it: offset 0 is the first byte of head, and data follows it. SKF_NET_OFF counts from net, which
 * may stand before head.
 */
struct filter_packet {
    const u8 *net, *head, *data;
    u32 net_len, head_len, data_len;
    u16 protocol; /* ETH_P_ */
    u32 mark;
};

/* SO_ATTACH_FILTER and SO_DETACH_FILTER: -EINVAL, -EFAULT, -ENOMEM, -EPERM (SO_LOCK_FILTER), -ENOENT (there is none). */
/* A program of any origin: -EINVAL or -ENOMEM; and what one that was checked returns for a packet. */
int filter_check(const struct sock_filter *code, u32 n);
u32 filter_eval(const struct sock_filter *code, const struct filter_packet *packet);

int filter_attach(struct socket *sock, const void *value, u32 len);
int filter_detach(struct socket *sock);
/* SO_GET_FILTER: the number of instructions; copied out when `room` is at least that. -EINVAL, -EFAULT. */
int filter_tell(struct socket *sock, void __user *to, u32 room);
void filter_put(struct socket_filter *filter); /* NULL: nothing */

/* How many bytes of head and data the socket wants; UINT32_MAX when it has no filter, 0: drop it. No lock of it held. */
u32 filter_run(struct socket *sock, const struct filter_packet *packet);

#endif
