/*
 * kernel/net/inet/ping.c: echo sockets, icmp(7): a datagram socket of IPPROTO_ICMP (or ICMPV6) sends echo requests and
 * receives the answers. Inside, this machine answers itself: the request comes back as the answer at once.
 */
#include "base/errno.h"
#include "net/inet/ip_header.h"
#include "net/inet/udp.h"

/* RFC 792 and RFC 4443: the header of an echo message. */
struct echo {
    u8 type, code;
    u16 checksum, id, sequence;
};

enum { ECHO_REPLY_V4 = 0, ECHO_REQUEST_V4 = 8, ECHO_REQUEST_V6 = 128, ECHO_REPLY_V6 = 129 };

/* icmp(7): whose group is in ping_group_range. */
int ping_allowed(void)
{
    const struct cred *cred = cred_current();
    u32 low = READ_ONCE(inet_tunables.ping_low), high = READ_ONCE(inet_tunables.ping_high);

    if (low > high)
        return -EACCES;
    if (cred->egid >= low && cred->egid <= high)
        return 0;
    for (u32 i = 0; cred->groups && i < cred->groups->n; i++) {
        if (cred->groups->gids[i] >= low && cred->groups->gids[i] <= high)
            return 0;
    }
    return -EACCES;
}

static u16 checksum(const struct datagram *dg, bool v4)
{
    u32 sum = v4 ? 0 : ip_sum_pseudo_v6(&dg->from.ip, &dg->to.ip, IPPROTO_ICMPV6, dg->len);

    return ip_checksum(ip_sum(dg->data, dg->len, sum));
}

static void checksum_put(struct datagram *dg, bool v4)
{
    struct echo *echo = (struct echo *)dg->data;

    echo->checksum = 0;
    echo->checksum = checksum(dg, v4);
}

static bool is_request(const struct datagram *dg, bool v4)
{
    const struct echo *echo = (const struct echo *)dg->data;

    return dg->len >= sizeof(*echo) && !echo->code &&
           echo->type == (v4 ? ECHO_REQUEST_V4 : ECHO_REQUEST_V6);
}

static void turn(struct datagram *dg, bool v4)
{
    struct echo *echo = (struct echo *)dg->data;
    struct endpoint from = dg->from;

    dg->from = dg->to;
    dg->from.port = 0;
    dg->to = from;
    echo->type = v4 ? ECHO_REPLY_V4 : ECHO_REPLY_V6;
    checksum_put(dg, v4);
}

bool echo_turn(struct datagram *dg)
{
    bool v4 = ip_is_v4(&dg->to.ip);

    if (!is_request(dg, v4) || checksum(dg, v4))
        return false;
    turn(dg, v4);
    return true;
}

ssize_t ping_answer(struct udp_sock *us, struct datagram *dg)
{
    struct echo *echo = (struct echo *)dg->data;
    bool v4 = us->inet.sock.family == AF_INET;
    u32 len = dg->len;

    if (!is_request(dg, v4)) {
        datagram_put(dg);
        return -EINVAL;
    }
    echo->id = swap16(dg->from.port);
    checksum_put(dg, v4);
    raw_hear(dg, (u8)us->inet.sock.protocol);
    turn(dg, v4);
    raw_hear(dg, (u8)us->inet.sock.protocol);
    udp_queue(us, dg);
    return len;
}
