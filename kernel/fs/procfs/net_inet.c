/* kernel/fs/procfs/net_inet.c: TCP and UDP in /proc/net, and /proc/sys/net/ipv4 and ipv6; proc(5), tcp(7), ip(7). */
#include "base/errno.h"
#include "base/parse.h"
#include "base/string.h"
#include "cred/cred.h"
#include "fs/procfs/net.h"
#include "net/inet/inet.h"

static void emit_line(void *to, const char *line, size_t len)
{
    text_add(to, line, len);
}

#define SHOW(id, what)                                                                             \
    int proc_net_##id(const struct subject *s, struct text *out)                                   \
    {                                                                                              \
        inet_show(what, emit_line, out);                                                           \
        return 0;                                                                                  \
    }
SHOW(tcp, INET_TCP)
SHOW(tcp6, INET_TCP6)
SHOW(udp, INET_UDP)
SHOW(udp6, INET_UDP6)
SHOW(sockstat, INET_SOCKSTAT)
SHOW(sockstat6, INET_SOCKSTAT6)

/* ---- /proc/sys/net: what can be set ---- */

/* Two numbers with blanks between them, both at most `most`. */
static int parse_pair(const char *text, u32 most, u32 pair[2])
{
    for (int i = 0; i < 2; i++) {
        u64 value;
        long n;

        while (*text == ' ' || *text == '\t')
            text++;
        n = parse_u64(text, strlen(text), 10, &value);
        if (n < 0 || value > most)
            return -EINVAL;
        pair[i] = (u32)value;
        text += n;
    }
    return *text && *text != '\n' && *text != ' ' ? -EINVAL : 0;
}

static int show_ip_local_port_range(const struct subject *s, struct text *out)
{
    text_print(out, "%u\t%u\n", READ_ONCE(inet_tunables.port_low),
               READ_ONCE(inet_tunables.port_high));
    return 0;
}

static ssize_t store_ip_local_port_range(const struct subject *s, char *text, size_t len)
{
    u32 pair[2];

    if (!capable(CAP_NET_ADMIN))
        return -EPERM;
    if (parse_pair(text, UINT16_MAX, pair) || !pair[0] || pair[0] > pair[1])
        return -EINVAL;
    WRITE_ONCE(inet_tunables.port_low, pair[0]);
    WRITE_ONCE(inet_tunables.port_high, pair[1]);
    return (ssize_t)len;
}

static int show_ping_group_range(const struct subject *s, struct text *out)
{
    text_print(out, "%u\t%u\n", READ_ONCE(inet_tunables.ping_low),
               READ_ONCE(inet_tunables.ping_high));
    return 0;
}

static ssize_t store_ping_group_range(const struct subject *s, char *text, size_t len)
{
    u32 pair[2];

    if (!capable(CAP_NET_ADMIN))
        return -EPERM;
    if (parse_pair(text, INT32_MAX, pair))
        return -EINVAL;
    WRITE_ONCE(inet_tunables.ping_low, pair[0]);
    WRITE_ONCE(inet_tunables.ping_high, pair[1]);
    return (ssize_t)len;
}

static int show_ip_unprivileged_port_start(const struct subject *s, struct text *out)
{
    text_print(out, "%u\n", READ_ONCE(inet_tunables.unprivileged_port));
    return 0;
}

static ssize_t store_ip_unprivileged_port_start(const struct subject *s, char *text, size_t len)
{
    u64 value;

    if (!capable(CAP_NET_ADMIN))
        return -EPERM;
    if (parse_u64(text, strlen(text), 10, &value) < 0 || value > UINT16_MAX)
        return -EINVAL;
    WRITE_ONCE(inet_tunables.unprivileged_port, (u32)value);
    return (ssize_t)len;
}

/* ---- what is as it is ---- */

#define FIXED(id, text_)                                                                           \
    static int show_##id(const struct subject *s, struct text *out)                                \
    {                                                                                              \
        text_print(out, "%s\n", text_);                                                            \
        return 0;                                                                                  \
    }
FIXED(zero, "0")
FIXED(one, "1")
FIXED(ttl, "64")
FIXED(congestion, "cubic")
FIXED(congestions, "reno cubic")
FIXED(fin_timeout, "60")
FIXED(keepalive_time, "7200")
FIXED(keepalive_intvl, "75")
FIXED(keepalive_probes, "9")
FIXED(syn_retries, "6")
FIXED(rmem, "4096\t131072\t6291456")
FIXED(wmem, "4096\t2626560\t4194304")
FIXED(tw_reuse, "2")
FIXED(max_tw_buckets, "4096")

#define VALUE(n, f)                                                                                \
    {                                                                                              \
        .name = n, .mode = S_IFREG | 0444, .show = show_##f                                        \
    }
#define TUNABLE(id)                                                                                \
    {                                                                                              \
        .name = #id, .mode = S_IFREG | 0644, .show = show_##id, .store = store_##id                \
    }
#define FOLDER(n, d)                                                                               \
    {                                                                                              \
        .name = n, .mode = S_IFDIR | 0555, .dir = &d                                               \
    }

static const struct pseudo_entry ipv4_entries[] = {
    VALUE("ip_default_ttl", ttl),
    VALUE("ip_forward", zero),
    TUNABLE(ip_local_port_range),
    VALUE("ip_nonlocal_bind", zero),
    TUNABLE(ip_unprivileged_port_start),
    TUNABLE(ping_group_range),
    VALUE("tcp_abort_on_overflow", zero),
    VALUE("tcp_available_congestion_control", congestions),
    VALUE("tcp_congestion_control", congestion),
    VALUE("tcp_fastopen", zero),
    VALUE("tcp_fin_timeout", fin_timeout),
    VALUE("tcp_keepalive_intvl", keepalive_intvl),
    VALUE("tcp_keepalive_probes", keepalive_probes),
    VALUE("tcp_keepalive_time", keepalive_time),
    VALUE("tcp_max_tw_buckets", max_tw_buckets),
    VALUE("tcp_rmem", rmem),
    VALUE("tcp_sack", one),
    VALUE("tcp_syn_retries", syn_retries),
    VALUE("tcp_timestamps", one),
    VALUE("tcp_tw_reuse", tw_reuse),
    VALUE("tcp_window_scaling", one),
    VALUE("tcp_wmem", wmem),
    {0},
};
const struct pseudo_dir proc_sys_ipv4_dir = {.entries = ipv4_entries};

static const struct pseudo_entry conf_if_entries[] = {
    VALUE("disable_ipv6", zero),
    VALUE("forwarding", zero),
    {0},
};
static const struct pseudo_dir conf_if_dir = {.entries = conf_if_entries};

static const struct pseudo_entry conf_entries[] = {
    FOLDER("all", conf_if_dir),
    FOLDER("default", conf_if_dir),
    FOLDER("lo", conf_if_dir),
    {0},
};
static const struct pseudo_dir conf_dir = {.entries = conf_entries};

static const struct pseudo_entry ipv6_entries[] = {
    VALUE("bindv6only", zero),
    FOLDER("conf", conf_dir),
    {0},
};
const struct pseudo_dir proc_sys_ipv6_dir = {.entries = ipv6_entries};
