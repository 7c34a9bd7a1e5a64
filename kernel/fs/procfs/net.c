/* kernel/fs/procfs/net.c: /proc/net and /proc/sys/net, proc(5): what the net room tells, and lets itself be told. */
#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "cred/cred.h"
#include "fs/procfs/net.h"
#include "net/socket.h"
#include "net/unix/unix.h"

/* ---- /proc/net ---- */

static void emit_line(void *to, const char *line, size_t len)
{
    text_add(to, line, len);
}

static int show_unix(const struct subject *s, struct text *out)
{
    unix_show(emit_line, out);
    return 0;
}

static const struct pseudo_entry net_entries[] = {
    {.name = "sockstat", .mode = S_IFREG | 0444, .show = proc_net_sockstat},
    {.name = "sockstat6", .mode = S_IFREG | 0444, .show = proc_net_sockstat6},
    {.name = "tcp", .mode = S_IFREG | 0444, .show = proc_net_tcp},
    {.name = "tcp6", .mode = S_IFREG | 0444, .show = proc_net_tcp6},
    {.name = "udp", .mode = S_IFREG | 0444, .show = proc_net_udp},
    {.name = "udp6", .mode = S_IFREG | 0444, .show = proc_net_udp6},
    {.name = "unix", .mode = S_IFREG | 0444, .show = show_unix},
    {0},
};
const struct pseudo_dir proc_net_dir = {.entries = net_entries};

/* ---- /proc/sys/net ---- */

static ssize_t store_number(u32 *to, u32 least, char *text, size_t len)
{
    char *end = strchr(text, '\n');
    u32 value;

    if (!capable(CAP_NET_ADMIN))
        return -EPERM;
    if (end)
        *end = '\0';
    if (strtou32(text, 10, &value) || value < least || value > INT32_MAX)
        return -EINVAL;
    WRITE_ONCE(*to, value);
    return (ssize_t)len;
}

/* A number that may be set, from `least` up. */
#define TUNABLE(id, variable, least)                                                               \
    static int show_##id(const struct subject *s, struct text *out)                                \
    {                                                                                              \
        text_print(out, "%u\n", READ_ONCE(variable));                                              \
        return 0;                                                                                  \
    }                                                                                              \
    static ssize_t store_##id(const struct subject *s, char *text, size_t len)                     \
    {                                                                                              \
        return store_number(&(variable), least, text, len);                                        \
    }
TUNABLE(optmem_max, net_limits.optmem_max, 0)
TUNABLE(rmem_default, net_limits.receive_default, 2304)
TUNABLE(rmem_max, net_limits.receive_max, 2304)
TUNABLE(somaxconn, net_limits.somaxconn, 0)
TUNABLE(wmem_default, net_limits.send_default, 4608)
TUNABLE(wmem_max, net_limits.send_max, 4608)
TUNABLE(max_dgram_qlen, unix_queue_max, 0)

#define ENTRY(id)                                                                                  \
    {                                                                                              \
        .name = #id, .mode = S_IFREG | 0644, .show = show_##id, .store = store_##id                \
    }
static const struct pseudo_entry core_entries[] = {
    ENTRY(optmem_max),
    ENTRY(rmem_default),
    ENTRY(rmem_max),
    ENTRY(somaxconn),
    ENTRY(wmem_default),
    ENTRY(wmem_max),
    {0},
};
static const struct pseudo_dir core_dir = {.entries = core_entries};

static const struct pseudo_entry unix_entries[] = {ENTRY(max_dgram_qlen), {0}};
static const struct pseudo_dir unix_dir = {.entries = unix_entries};

static const struct pseudo_entry sys_net_entries[] = {
    {.name = "core", .mode = S_IFDIR | 0555, .dir = &core_dir},
    {.name = "ipv4", .mode = S_IFDIR | 0555, .dir = &proc_sys_ipv4_dir},
    {.name = "ipv6", .mode = S_IFDIR | 0555, .dir = &proc_sys_ipv6_dir},
    {.name = "unix", .mode = S_IFDIR | 0555, .dir = &unix_dir},
    {0},
};
const struct pseudo_dir proc_sys_net_dir = {.entries = sys_net_entries};
