/* kernel/net/inet/show.c: sockets as /proc/net/tcp and its kin show them, proc(5). */
#include "base/errno.h"
#include "base/fmt.h"
#include "mm/alloc.h"
#include "net/inet/internal.h"
#include "net/inet/udp.h"

#define LINE 256

struct shower {
    void (*emit)(void *to, const char *line, size_t len);
    void *to;
    int family;
    bool udp;
    u32 number;
};

/* Words of the address in the machine's byte order, as Linux prints them. */
static int put_name(char *buf, size_t size, int family, const struct endpoint *name)
{
    const u32 *words = name->ip.s6_addr32;

    if (family == AF_INET)
        return scnprintf(buf, size, "%08X:%04X", words[3], name->port);
    return scnprintf(buf, size, "%08X%08X%08X%08X:%04X", words[0], words[1], words[2], words[3],
                     name->port);
}

/* udp(7): rx_queue counts what the receiver has not taken. */
static u8 udp_state(const struct port_user *user, u32 *in_queue, u32 *drops)
{
    struct udp_sock *us = udp_of(&user->sock->sock);

    *in_queue = READ_ONCE(us->queued);
    *drops = READ_ONCE(us->drops);
    return user->peer.port ? 1 : 7;
}

/* The bucket is locked. */
static void show_user(struct shower *shower, const struct port_user *user)
{
    char line[LINE];
    int n = 0;
    u32 in = 0, out = 0, drops = 0;
    u8 state;

    if (user->family != shower->family)
        return;
    state = shower->udp ? udp_state(user, &in, &drops) : tcp_user_state(user, &in, &out);
    n += scnprintf(line, sizeof(line), shower->udp ? "%5u: " : "%4u: ", shower->number++);
    n += put_name(line + n, sizeof(line) - (size_t)n, user->family, &user->local);
    n += scnprintf(line + n, sizeof(line) - (size_t)n, " ");
    n += put_name(line + n, sizeof(line) - (size_t)n, user->family, &user->peer);
    n += scnprintf(line + n, sizeof(line) - (size_t)n,
                   " %02X %08X:%08X 00:00000000 00000000 %5u        0 %llu ", state, out, in,
                   user->uid, (unsigned long long)user->ino);
    /* The pointer that Linux prints here is nobody's business. */
    if (shower->udp)
        n += scnprintf(line + n, sizeof(line) - (size_t)n, "2 %016x %u", 0, drops);
    else
        n += scnprintf(line + n, sizeof(line) - (size_t)n, "1 %016x 20 4 0 10 -1", 0);
    while (n < (shower->udp ? 127 : 149))
        line[n++] = ' ';
    line[n++] = '\n';
    shower->emit(shower->to, line, (size_t)n);
}

static void show_list(struct shower *shower, struct port_table *table, bool sessions)
{
    struct port_user *user;

    for (size_t i = 0; i < PORT_BUCKETS; i++) {
        struct port_bucket *bucket = &table->buckets[i];

        spin_lock(&bucket->lock);
        list_for_each_entry(user, sessions ? &bucket->sessions : &bucket->sockets, link) {
            /* A TCP socket that is only bound is not shown. */
            if (shower->udp || sessions || user->kind == PORT_LISTENING)
                show_user(shower, user);
        }
        spin_unlock(&bucket->lock);
    }
}

static void show_table(struct shower *shower)
{
    static const char tcp[] = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
                              "retrnsmt   uid  timeout inode",
                      tcp6[] = "  sl  local_address                         remote_address         "
                               "               st tx_queue rx_queue tr tm->when retrnsmt   uid  "
                               "timeout inode\n",
                      udp[] = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
                              "retrnsmt   uid  timeout inode ref pointer drops",
                      udp6[] = "  sl  local_address                         remote_address         "
                               "               st tx_queue rx_queue tr tm->when retrnsmt   uid  "
                               "timeout inode ref pointer drops\n";
    char line[LINE];
    const char *head =
        shower->family == AF_INET6 ? (shower->udp ? udp6 : tcp6) : (shower->udp ? udp : tcp);
    int width = shower->family == AF_INET6 ? 0 : shower->udp ? 127 : 149;
    int n = scnprintf(line, sizeof(line), "%-*s%s", width, head, width ? "\n" : "");

    shower->emit(shower->to, line, (size_t)n);
    show_list(shower, shower->udp ? &udp_ports : &tcp_ports, false);
    if (!shower->udp)
        show_list(shower, &tcp_ports, true);
}

/* ---- /proc/net/sockstat ---- */

struct counts {
    u32 sockets, time_waits;
};

static void count_list(struct counts *counts, const struct list_head *list, int family)
{
    struct port_user *user;

    list_for_each_entry(user, list, link) {
        if (user->family != family)
            continue;
        if (user->kind == PORT_TIME_WAIT)
            counts->time_waits++;
        else
            counts->sockets++;
    }
}

static struct counts count_users(struct port_table *table, int family)
{
    struct counts counts = {0};

    for (size_t i = 0; i < PORT_BUCKETS; i++) {
        spin_lock(&table->buckets[i].lock);
        count_list(&counts, &table->buckets[i].sockets, family);
        count_list(&counts, &table->buckets[i].sessions, family);
        spin_unlock(&table->buckets[i].lock);
    }
    return counts;
}

static void show_counts(struct shower *shower)
{
    struct counts tcp = count_users(&tcp_ports, AF_INET), udp = count_users(&udp_ports, AF_INET);
    struct counts tcp6 = count_users(&tcp_ports, AF_INET6),
                  udp6 = count_users(&udp_ports, AF_INET6);
    char text[LINE];
    int n;

    if (shower->family == AF_INET6)
        n = scnprintf(text, sizeof(text),
                      "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse 0\nRAW6: inuse %u\n"
                      "FRAG6: inuse 0 memory 0\n",
                      tcp6.sockets, udp6.sockets, raw_count(AF_INET6));
    else
        n = scnprintf(text, sizeof(text),
                      "sockets: used %u\nTCP: inuse %u orphan 0 tw %u alloc %u mem 0\n"
                      "UDP: inuse %u mem 0\nUDPLITE: inuse 0\nRAW: inuse %u\n"
                      "FRAG: inuse 0 memory 0\n",
                      tcp.sockets + udp.sockets + tcp6.sockets + udp6.sockets, tcp.sockets,
                      tcp.time_waits + tcp6.time_waits, tcp.sockets + tcp6.sockets, udp.sockets,
                      raw_count(AF_INET));
    shower->emit(shower->to, text, (size_t)n);
}

void inet_show(enum inet_show what, void (*emit)(void *to, const char *line, size_t len), void *to)
{
    struct shower shower = {.emit = emit, .to = to};

    shower.family =
        what == INET_TCP6 || what == INET_UDP6 || what == INET_SOCKSTAT6 ? AF_INET6 : AF_INET;
    shower.udp = what == INET_UDP || what == INET_UDP6;
    if (what == INET_SOCKSTAT || what == INET_SOCKSTAT6)
        show_counts(&shower);
    else
        show_table(&shower);
}
