/* kernel/net/inet/tcp_options.c: options of tcp(7). */
#include "abi/newer.h"
#include "base/errno.h"
#include "base/string.h"
#include "net/inet/tcp.h"

/* What a segment on lo holds: 65536 bytes less the headers of IP and TCP with its time stamps. */
#define SEGMENT_V4   65483U
#define SEGMENT_V6   65463U
#define SEGMENT_IDLE 536 /* RFC 9293, section 3.7.1 */

#define SECONDS_MAX 32767 /* as Linux bounds times of keep-alive */

void tcp_settings_init(struct tcp_settings *set)
{
    *set = (struct tcp_settings){
        .quickack = true,
        .keep_idle = 7200, /* tcp(7): tcp_keepalive_time and its kin */
        .keep_interval = 75,
        .keep_count = 9,
        .syn_count = 6,
        .linger2 = 60,
        .notsent_low = UINT32_MAX,
        .congestion = "cubic",
    };
}

static int set_bounded(u32 *to, int value, int least, int most)
{
    if (value < least || value > most)
        return -EINVAL;
    WRITE_ONCE(*to, (u32)value);
    return 0;
}

static int set_flag(bool *to, int value)
{
    WRITE_ONCE(*to, value != 0);
    return 0;
}

/* The two that every Linux has; others would have to be loaded. */
static int set_congestion(struct tcp_sock *ts, const void *value, u32 len)
{
    char name[16] = "";

    if (!len)
        return -EINVAL;
    memcpy(name, value, MIN(len, (u32)sizeof(name) - 1));
    if (!streq(name, "cubic") && !streq(name, "reno"))
        return -ENOENT;
    spin_lock(&ts->inet.sock.lock);
    memcpy(ts->set.congestion, name, sizeof(name));
    spin_unlock(&ts->inet.sock.lock);
    return 0;
}

/* tcp(7): the number of retransmissions that cover so many seconds, the first one after one. */
static u32 seconds_to_retries(int seconds)
{
    u32 retries = 0;
    int period = 1, timeout = 1;

    while (seconds > period && retries < 255) {
        retries++;
        timeout = MIN(timeout * 2, 120);
        period += timeout;
    }
    return seconds > 0 ? retries + 1 : 0;
}

u32 tcp_retries_to_seconds(u32 retries)
{
    u32 period = 0, timeout = 1;

    for (; retries; retries--) {
        period += timeout;
        timeout = MIN(timeout * 2, 120U);
    }
    return period;
}

static int set_number(struct tcp_sock *ts, int option, int value)
{
    struct tcp_settings *set = &ts->set;

    switch (option) {
    case TCP_NODELAY:
        return set_flag(&set->nodelay, value);
    case TCP_CORK:
        return set_flag(&set->cork, value);
    case TCP_QUICKACK:
        return set_flag(&set->quickack, value & 1);
    case TCP_MAXSEG:
        return value ? set_bounded(&set->max_segment, value, 88, 32767)
                     : set_bounded(&set->max_segment, 0, 0, 0);
    case TCP_KEEPIDLE:
        return set_bounded(&set->keep_idle, value, 1, SECONDS_MAX);
    case TCP_KEEPINTVL:
        return set_bounded(&set->keep_interval, value, 1, SECONDS_MAX);
    case TCP_KEEPCNT:
        return set_bounded(&set->keep_count, value, 1, 127);
    case TCP_SYNCNT:
        return set_bounded(&set->syn_count, value, 1, 127);
    case TCP_USER_TIMEOUT:
        return set_bounded(&set->user_timeout, value, 0, INT32_MAX);
    case TCP_LINGER2:
        WRITE_ONCE(set->linger2, value < 0 ? -1 : value > 120 ? 0 : value);
        return 0;
    case TCP_DEFER_ACCEPT:
        WRITE_ONCE(set->defer_accept, seconds_to_retries(value));
        return 0;
    case TCP_WINDOW_CLAMP:
        if (!value && READ_ONCE(ts->phase) != TCP_IDLE)
            return -EINVAL;
        WRITE_ONCE(set->window_clamp, value ? MAX((u32)value, 1152U) : 0);
        return 0;
    case TCP_NOTSENT_LOWAT:
        WRITE_ONCE(set->notsent_low, (u32)value);
        return 0;
    case TCP_THIN_LINEAR_TIMEOUTS:
        return set_bounded(&set->thin_linear, value, 0, 1);
    case TCP_THIN_DUPACK: /* since Linux 4.15 without effect */
        return value < 0 || value > 1 ? -EINVAL : 0;
    case TCP_SAVE_SYN:
        return set_bounded(&set->save_syn, value, 0, 2);
    case TCP_INQ:
        if (value < 0 || value > 1)
            return -EINVAL;
        return set_flag(&set->inq, value);
    case TCP_FASTOPEN:
        if (value < 0 ||
            (READ_ONCE(ts->phase) != TCP_IDLE && READ_ONCE(ts->phase) != TCP_LISTENING))
            return -EINVAL;
        WRITE_ONCE(set->fastopen, (u32)value);
        return 0;
    case TCP_FASTOPEN_NO_COOKIE:
        if (value < 0 || value > 1 || READ_ONCE(ts->phase) == TCP_CONNECTED)
            return -EINVAL;
        return set_flag(&set->fastopen_no_cookie, value);
    case TCP_FASTOPEN_CONNECT: /* /proc/sys/net/ipv4/tcp_fastopen is 0 */
        return value < 0 || value > 1 ? -EINVAL : value ? -EOPNOTSUPP : 0;
    case TCP_REPAIR:
        return capable(CAP_NET_ADMIN) ? -EOPNOTSUPP : -EPERM;
    default:
        return -ENOPROTOOPT;
    }
}

int tcp_set_option(struct socket *sock, int level, int option, const void *value, u32 len)
{
    struct tcp_sock *ts = tcp_of(sock);
    struct outside *out;
    int number, err;

    if (level != IPPROTO_TCP)
        return inet_set_option(sock, level, option, value, len);
    if (option == TCP_CONGESTION)
        return set_congestion(ts, value, len);
    if (option == TCP_ULP)
        return -ENOENT; /* no such layer is there */
    if (len < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    err = set_number(ts, option, number);
    out = err ? NULL : inet_outside(&ts->inet);
    if (out && out->ops->set_option) {
        err = out->ops->set_option(out, sock, level, option, value, len);
        err = err == -ENOPROTOOPT ? 0 : err;
    }
    outside_put(out, false);
    return err;
}

/* ---- getting ---- */

static u32 segment_size(struct tcp_sock *ts)
{
    u32 asked = READ_ONCE(ts->set.max_segment);
    u32 most = ip_is_v4(&ts->inet.peer.ip) ? SEGMENT_V4 : SEGMENT_V6;

    if (READ_ONCE(ts->phase) != TCP_CONNECTED)
        return asked ? asked : SEGMENT_IDLE;
    /* time stamps take 12 bytes of what was agreed on */
    return asked ? MIN(asked - 12, most) : most;
}

static void info_of_end(struct tcp_sock *ts, struct tcp_info *info)
{
    struct tcp_end *end = tcp_end_get(ts);
    struct tcp_stream *in, *out;

    if (!end)
        return;
    in = &end->in;
    out = &end->peer->in;
    spin_lock(&end->conn->lock);
    info->tcpi_bytes_received = in->written_at;
    info->tcpi_bytes_acked = info->tcpi_bytes_sent = out->written_at;
    if (stream_fill(out) > out->receive_limit) {
        info->tcpi_notsent_bytes = (u32)(stream_fill(out) - out->receive_limit);
        info->tcpi_bytes_acked -= info->tcpi_notsent_bytes;
        info->tcpi_bytes_sent = info->tcpi_bytes_acked;
    }
    info->tcpi_rcv_space = info->tcpi_snd_wnd = in->receive_limit;
    spin_unlock(&end->conn->lock);
    conn_put(end->conn);
}

/* What can be said of a connection without segments: no losses, and the round trip of a call. */
static void get_info(struct tcp_sock *ts, struct tcp_info *info)
{
    enum tcp_state state = tcp_state(ts);

    *info = (struct tcp_info){.tcpi_state = (u8)state};
    info->tcpi_snd_mss = info->tcpi_advmss = segment_size(ts);
    info->tcpi_rcv_mss = SEGMENT_IDLE;
    info->tcpi_rto = 200000;
    info->tcpi_rcv_ssthresh = READ_ONCE(ts->inet.sock.receive_buffer) / 2;
    info->tcpi_snd_ssthresh = INT32_MAX;
    info->tcpi_snd_cwnd = 10;
    info->tcpi_reordering = 3;
    if (state == TCP_LISTEN) {
        info->tcpi_unacked = READ_ONCE(ts->queued);
        info->tcpi_sacked = READ_ONCE(ts->backlog);
        return;
    }
    if (READ_ONCE(ts->phase) != TCP_CONNECTED)
        return;
    info->tcpi_options = TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE;
    info->tcpi_snd_wscale = info->tcpi_rcv_wscale = 7;
    info->tcpi_pmtu = 65535;
    info->tcpi_rtt = info->tcpi_min_rtt = 20;
    info->tcpi_rttvar = 10;
    info_of_end(ts, info);
}

static int get_number(struct tcp_sock *ts, int option, int *out)
{
    const struct tcp_settings *set = &ts->set;

    switch (option) {
    case TCP_NODELAY:
        *out = set->nodelay;
        return 0;
    case TCP_CORK:
        *out = set->cork;
        return 0;
    case TCP_QUICKACK:
        *out = set->quickack;
        return 0;
    case TCP_MAXSEG:
        *out = (int)segment_size(ts);
        return 0;
    case TCP_KEEPIDLE:
        *out = (int)set->keep_idle;
        return 0;
    case TCP_KEEPINTVL:
        *out = (int)set->keep_interval;
        return 0;
    case TCP_KEEPCNT:
        *out = (int)set->keep_count;
        return 0;
    case TCP_SYNCNT:
        *out = (int)set->syn_count;
        return 0;
    case TCP_USER_TIMEOUT:
        *out = (int)set->user_timeout;
        return 0;
    case TCP_LINGER2:
        *out = set->linger2;
        return 0;
    case TCP_DEFER_ACCEPT:
        *out = (int)tcp_retries_to_seconds(set->defer_accept);
        return 0;
    case TCP_WINDOW_CLAMP:
        *out = (int)set->window_clamp;
        return 0;
    case TCP_NOTSENT_LOWAT:
        *out = (int)set->notsent_low;
        return 0;
    case TCP_THIN_LINEAR_TIMEOUTS:
        *out = (int)set->thin_linear;
        return 0;
    case TCP_THIN_DUPACK:
    case TCP_FASTOPEN_CONNECT:
        *out = 0;
        return 0;
    case TCP_SAVE_SYN:
        *out = (int)set->save_syn;
        return 0;
    case TCP_INQ:
        *out = set->inq;
        return 0;
    case TCP_FASTOPEN:
        *out = (int)set->fastopen;
        return 0;
    case TCP_FASTOPEN_NO_COOKIE:
        *out = set->fastopen_no_cookie;
        return 0;
    case TCP_TIMESTAMP:
        *out = (int)(time_monotonic() / NSEC_PER_MSEC);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int tcp_get_option(struct socket *sock, int level, int option, void *value, u32 *len)
{
    struct tcp_sock *ts = tcp_of(sock);
    struct outside *out;
    struct tcp_info info;
    char name[16];
    int number, err;

    if (level != IPPROTO_TCP)
        return inet_get_option(sock, level, option, value, len);
    out = inet_outside(&ts->inet);
    err = out && out->ops->get_option ? out->ops->get_option(out, sock, level, option, value, len)
                                      : -ENOPROTOOPT;
    outside_put(out, false);
    if (err != -ENOPROTOOPT)
        return err;
    switch (option) {
    case TCP_INFO:
        get_info(ts, &info);
        return option_put(value, len, &info, sizeof(info));
    case TCP_CONGESTION:
        spin_lock(&sock->lock);
        memcpy(name, ts->set.congestion, sizeof(name));
        spin_unlock(&sock->lock);
        return option_put(value, len, name, sizeof(name));
    case TCP_ULP:
        *len = 0;
        return 0;
    default:
        err = get_number(ts, option, &number);
        return err ? err : option_put(value, len, &number, sizeof(number));
    }
}
