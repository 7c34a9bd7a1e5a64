/*
 * kernel/abi/netdevice.h: netdevice(7): what <linux/if.h> says, which cannot be included without a C library,
 * nor can what includes it.
 */
#ifndef ABI_NETDEVICE_H
#define ABI_NETDEVICE_H

#include "base/types.h"

#define IFNAMSIZ 16

#define IFF_UP        0x1
#define IFF_BROADCAST 0x2
#define IFF_LOOPBACK  0x8
#define IFF_RUNNING   0x40
#define IFF_LOWER_UP  0x10000

/* <linux/if_arp.h> */
#define ARPHRD_ETHER    1
#define ARPHRD_LOOPBACK 772

/* RFC 2863's operational states */
#define IF_OPER_UNKNOWN 0
#define IF_OPER_DOWN    2
#define IF_OPER_UP      6

struct sockaddr {
    u16 sa_family;
    char sa_data[14];
};

struct ifmap {
    unsigned long mem_start, mem_end;
    u16 base_addr;
    u8 irq, dma, port;
};

struct ifreq {
    char ifr_name[IFNAMSIZ];
    union {
        struct sockaddr ifr_addr, ifr_hwaddr;
        short ifr_flags;
        int ifr_ifindex, ifr_mtu, ifr_metric, ifr_qlen;
        struct ifmap ifr_map;
    };
};
static_assert(sizeof(struct ifreq) == 40, "netdevice(7)");

struct ifconf {
    int ifc_len; /* bytes */
    struct ifreq __user *ifc_buf;
};

#endif
