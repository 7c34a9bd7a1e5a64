/* kernel/fs/sysfs/net.c: /sys/devices/virtual/net/lo: the interface that every instance has. */
#include "fs/sysfs/internal.h"

TEXT(address, "00:00:00:00:00:00")
TEXT(flags, "0x9")         /* IFF_UP, IFF_LOOPBACK */
TEXT(operstate, "unknown") /* RFC 2863: a loopback has no link that could be down */
NUMBER(addr_len, 6)
NUMBER(carrier, 1)
NUMBER(index, 1)
NUMBER(mtu, 65536)
NUMBER(queue, 1000)
NUMBER(type, 772) /* ARPHRD_LOOPBACK */

static const struct pseudo_entry lo_entries[] = {
    VALUE("addr_len", show_addr_len),   VALUE("address", show_address),
    VALUE("broadcast", show_address),   VALUE("carrier", show_carrier),
    VALUE("flags", show_flags),         VALUE("ifindex", show_index),
    VALUE("iflink", show_index),        VALUE("mtu", show_mtu),
    VALUE("operstate", show_operstate), VALUE("tx_queue_len", show_queue),
    VALUE("type", show_type),           {0},
};
const struct pseudo_dir sysfs_lo_dir = {.entries = lo_entries};
