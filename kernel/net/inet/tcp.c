/* kernel/net/inet/tcp.c: TCP sockets: names, readiness, shutdown, the end; tcp(7). */
#include "base/errno.h"
#include "mm/alloc.h"
#include "net/inet/tcp_io.h"

#include <asm/ioctls.h>
#include <linux/net.h>
#include <linux/sockios.h>

static bool tcp_is_idle(struct inet_sock *is)
{
    return tcp_of(&is->sock)->phase == TCP_IDLE;
}

static int tcp_bind(struct socket *sock, const struct sock_addr *addr)
{
    return inet_bind(inet_of(sock), &tcp_ports, addr, tcp_is_idle);
}

enum tcp_state tcp_state(struct tcp_sock *ts)
{
    AUTO(conn_put) struct tcp_conn *conn = NULL;
    enum tcp_state state;
    struct tcp_end *end;

    switch (READ_ONCE(ts->phase)) {
    case TCP_LISTENING:
        return TCP_LISTEN;
    case TCP_CONNECTING:
        return TCP_SYN_SENT;
    case TCP_CONNECTED:
        break;
    default:
        return TCP_CLOSE;
    }
    end = tcp_end_get(ts);
    if (!end)
        return READ_ONCE(ts->inet.outside) ? TCP_ESTABLISHED : TCP_CLOSE;
    conn = end->conn;
    spin_lock(&conn->lock);
    state = end_state_locked(end);
    spin_unlock(&conn->lock);
    return state;
}

static int tcp_name_of(struct socket *sock, bool peer, struct sock_addr *out)
{
    struct tcp_sock *ts = tcp_of(sock);

    if (peer) {
        enum tcp_state state = tcp_state(ts);

        if (state == TCP_CLOSE || state == TCP_SYN_SENT || state == TCP_LISTEN)
            return -ENOTCONN;
    }
    return inet_name_of(&ts->inet, peer, out);
}

/* ---- poll(2) ---- */

static u32 poll_listener(struct tcp_sock *ts)
{
    u32 mask;

    spin_lock(&ts->inet.sock.lock);
    mask = tcp_first_ready_locked(ts) ? TCP_READ_BITS : 0;
    spin_unlock(&ts->inet.sock.lock);
    return mask;
}

/* SO_RCVLOWAT, and one more where the urgent byte comes first. */
static u32 poll_read_locked(struct socket *sock, const struct tcp_end *end)
{
    const struct tcp_stream *in = &end->in;
    bool passed = stream_at_mark_locked(in) && !socket_option(sock, SOCKET_OOBINLINE);
    u64 low = MIN((u64)READ_ONCE(sock->receive_low), (u64)in->receive_limit);

    return stream_fill(in) >= low + passed ? TCP_READ_BITS : 0;
}

static u32 poll_end(struct socket *sock, struct tcp_end *end)
{
    struct tcp_stream *out = &end->peer->in;
    bool no_more_in, no_more_out;
    u32 mask = 0;

    spin_lock(&end->conn->lock);
    no_more_in = end->reset || end->peer->shut || sock->shut_read;
    no_more_out = end->reset || end->shut;
    mask |= poll_read_locked(sock, end);
    if (no_more_in)
        mask |= TCP_READ_BITS | POLLRDHUP;
    if (no_more_in && no_more_out)
        mask |= POLLHUP;
    if (no_more_out || end->peer->closed || stream_writable(out))
        mask |= TCP_WRITE_BITS;
    else
        out->starved = true;
    if (end->in.urgent == URGENT_VALID)
        mask |= POLLPRI;
    spin_unlock(&end->conn->lock);
    return mask;
}

static u32 tcp_poll(struct socket *sock, struct poll_table *table)
{
    struct tcp_sock *ts = tcp_of(sock);
    struct outside *out;
    struct tcp_end *end;
    u32 mask = 0;

    poll_wait(&sock->file, &sock->wait, table);
    switch (READ_ONCE(ts->phase)) {
    case TCP_LISTENING:
        return poll_listener(ts);
    case TCP_CONNECTING:
        tcp_outside_progress(ts);
        fallthrough;
    case TCP_CONNECTED:
        out = inet_outside(&ts->inet);
        end = out ? NULL : tcp_end_get(ts);
        if (out) {
            mask = out->ops->poll(out, sock, table);
            outside_put(out, false);
        } else if (end) {
            mask = poll_end(sock, end);
            conn_put(end->conn);
        }
        break;
    case TCP_FAILED:
        mask = TCP_READ_BITS | TCP_WRITE_BITS | POLLRDHUP | POLLHUP;
        break;
    default:
        mask = TCP_WRITE_BITS | POLLHUP;
    }
    return READ_ONCE(sock->error) ? mask | POLLERR : mask;
}

/* ---- shutdown(2), disconnecting, close(2) ---- */

void tcp_disconnect(struct tcp_sock *ts, bool reset)
{
    struct inet_sock *is = &ts->inet;
    struct tcp_end *end = NULL;
    struct outside *out = NULL;

    if (READ_ONCE(ts->phase) == TCP_LISTENING)
        tcp_listen_stop(ts);
    if (READ_ONCE(ts->phase) == TCP_CONNECTING)
        tcp_connect_stop(ts, 0);
    spin_lock(&is->sock.lock);
    end = TAKE(ts->end);
    out = TAKE(is->outside);
    ts->phase = TCP_IDLE;
    ts->told = false;
    is->peer = ENDPOINT_ANY;
    is->sock.shut_read = is->sock.shut_write = false;
    if (!is->port.chosen) {
        port_release(&is->port);
        is->local.port = 0;
        if (!is->address_chosen)
            is->local.ip = (struct in6_addr){0};
    }
    spin_unlock(&is->sock.lock);
    if (end && reset && is->port.chosen && end->port.table)
        port_give_back(&end->port, &is->port);
    if (end)
        end_close(end, reset);
    outside_put(out, reset);
    waitq_wake(&is->sock.wait, TCP_ALL_BITS);
}

static int tcp_shutdown(struct socket *sock, int how)
{
    struct tcp_sock *ts = tcp_of(sock);
    bool reads = how != SHUT_WR, writes = how != SHUT_RD;
    struct outside *out;
    struct tcp_end *end;
    int err = 0;

    switch (READ_ONCE(ts->phase)) {
    case TCP_LISTENING:
        if (reads)
            tcp_disconnect(ts, false);
        return 0;
    case TCP_CONNECTING:
        tcp_disconnect(ts, false);
        return 0;
    case TCP_CONNECTED:
        break;
    default:
        return -ENOTCONN;
    }
    out = inet_outside(&ts->inet);
    end = out ? NULL : tcp_end_get(ts);
    spin_lock(&sock->lock);
    sock->shut_read |= reads;
    sock->shut_write |= writes;
    spin_unlock(&sock->lock);
    if (out) {
        err = out->ops->shutdown(out, sock, how);
        outside_put(out, false);
    } else if (!end || tcp_state(ts) == TCP_CLOSE) {
        err = -ENOTCONN;
    } else if (writes) {
        end_shut(end);
    }
    if (end)
        conn_put(end->conn);
    waitq_wake(&sock->wait, reads ? TCP_ALL_BITS : TCP_WRITE_BITS | POLLHUP);
    return err;
}

/* SO_LINGER: close(2) waits until the other side has taken what was sent, socket(7). */
static void linger(struct tcp_sock *ts, struct tcp_end *end)
{
    struct socket *sock = &ts->inet.sock;
    struct tcp_stream *out = &end->peer->in;

    if (!sock->linger || !sock->linger_seconds)
        return;
    spin_lock(&end->conn->lock);
    if (stream_fill(out) > out->receive_limit && !end->reset && !end->peer->closed) {
        out->starved = true;
        wait_event_kind(&sock->wait, &end->conn->lock,
                        stream_fill(out) <= out->receive_limit || end->reset || end->peer->closed,
                        WAIT_INTERRUPTIBLE,
                        socket_deadline((ktime)sock->linger_seconds * NSEC_PER_SEC));
    }
    spin_unlock(&end->conn->lock);
}

static void tcp_release(struct socket *sock)
{
    struct tcp_sock *ts = tcp_of(sock);

    if (ts->phase == TCP_CONNECTED && ts->end)
        linger(ts, ts->end);
    tcp_disconnect(ts, sock->linger && !sock->linger_seconds);
    port_release(&ts->inet.port);
    timer_cancel_sync(&ts->timer);
    tcp_connect_forget(ts);
    inet_release(&ts->inet);
}

/* ---- ioctl(2), options ---- */

static int count_bytes(struct tcp_sock *ts, unsigned int cmd)
{
    struct socket *sock = &ts->inet.sock;
    struct tcp_end *end = tcp_end_get(ts);
    struct tcp_stream *out;
    u64 n;

    if (!end)
        return 0;
    out = &end->peer->in;
    spin_lock(&end->conn->lock);
    switch (cmd) {
    case SIOCINQ:
        n = stream_readable_locked(&end->in, socket_option(sock, SOCKET_OOBINLINE));
        break;
    case SIOCATMARK:
        n = stream_at_mark_locked(&end->in);
        break;
    default: /* SIOCOUTQ, SIOCOUTQNSD: what the other side has no room for */
        n = stream_fill(out) > out->receive_limit ? stream_fill(out) - out->receive_limit : 0;
    }
    spin_unlock(&end->conn->lock);
    conn_put(end->conn);
    return (int)MIN(n, (u64)INT32_MAX);
}

static long tcp_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
    struct tcp_sock *ts = tcp_of(sock);
    struct outside *out;
    int n;

    if (cmd != SIOCINQ && cmd != SIOCOUTQ && cmd != SIOCOUTQNSD && cmd != SIOCATMARK)
        return -ENOTTY;
    if (READ_ONCE(ts->phase) == TCP_LISTENING && cmd != SIOCATMARK)
        return -EINVAL;
    out = inet_outside(&ts->inet);
    n = out ? out->ops->count(out, sock, cmd) : count_bytes(ts, cmd);
    outside_put(out, false);
    return n < 0 ? n : put_user(n, (int __user *)arg);
}

static void tcp_option_changed(struct socket *sock, int option)
{
    struct tcp_end *end = tcp_end_get(tcp_of(sock));

    inet_option_changed(sock, option);
    if (!end)
        return;
    end->port.reuse_address = inet_of(sock)->port.reuse_address;
    end->port.reuse_port = inet_of(sock)->port.reuse_port;
    if (option == SO_RCVBUF || option == SO_RCVBUFFORCE)
        end_limits(end);
    if (option == SO_SNDBUF || option == SO_SNDBUFFORCE)
        end_limits(end->peer);
    conn_put(end->conn);
}

static const struct socket_ops tcp_ops = {
    .name = "TCP",
    .bind = tcp_bind,
    .listen = tcp_listen,
    .connect = tcp_connect,
    .accept = tcp_accept,
    .name_of = tcp_name_of,
    .send = tcp_send,
    .receive = tcp_receive,
    .shutdown = tcp_shutdown,
    .poll = tcp_poll,
    .set_option = tcp_set_option,
    .get_option = tcp_get_option,
    .option_changed = tcp_option_changed,
    .ioctl = tcp_ioctl,
    .release = tcp_release,
};

/* tcp(7): tcp_wmem and tcp_rmem, as they stand when nothing was sent. */
#define SEND_BUFFER    2626560
#define RECEIVE_BUFFER 131072

static void tcp_timeout(struct timer *timer)
{
    struct tcp_sock *ts = container_of(timer, struct tcp_sock, timer);

    if (READ_ONCE(ts->phase) == TCP_LISTENING)
        tcp_deferred_timeout(ts);
    else
        tcp_connect_stop(ts, ETIMEDOUT);
}

struct tcp_sock *tcp_sock_create(int family, int flags)
{
    struct tcp_sock *ts = kzalloc(sizeof(*ts));
    int err;

    if (!ts)
        return ERR_PTR(-ENOMEM);
    err = inet_init(&ts->inet, &tcp_ops, family, SOCK_STREAM, IPPROTO_TCP, flags);
    if (err) {
        kfree(ts);
        return ERR_PTR(err);
    }
    ts->inet.sock.send_buffer = SEND_BUFFER;
    ts->inet.sock.receive_buffer = RECEIVE_BUFFER;
    ts->phase = TCP_IDLE;
    list_init(&ts->queue);
    list_init(&ts->waiting);
    list_init(&ts->waiting_link);
    timer_init(&ts->timer, tcp_timeout);
    tcp_settings_init(&ts->set);
    return ts;
}

int tcp_create(int family, int type, int protocol, int flags, struct socket **out)
{
    struct tcp_sock *ts;

    if (protocol && protocol != IPPROTO_TCP)
        return -EPROTONOSUPPORT;
    ts = tcp_sock_create(family, flags);
    if (IS_ERR(ts))
        return (int)PTR_ERR(ts);
    *out = &ts->inet.sock;
    return 0;
}

/* What /proc/net/tcp shows of a user of a port; its bucket is locked. */
u8 tcp_user_state(const struct port_user *user, u32 *in_queue, u32 *out_queue)
{
    struct tcp_end *end;
    u8 state;

    *in_queue = *out_queue = 0;
    switch (user->kind) {
    case PORT_LISTENING:
        *in_queue = READ_ONCE(tcp_of(&user->sock->sock)->queued);
        return TCP_LISTEN;
    case PORT_TIME_WAIT:
        return TCP_TIME_WAIT;
    case PORT_BOUND:
        return TCP_CLOSE;
    }
    end = container_of(user, struct tcp_end, port);
    spin_lock(&end->conn->lock);
    state = (u8)end_state_locked(end);
    *in_queue = (u32)MIN(stream_fill(&end->in), (u64)end->in.receive_limit);
    *out_queue = (u32)(stream_fill(&end->peer->in) -
                       MIN(stream_fill(&end->peer->in), (u64)end->peer->in.receive_limit));
    spin_unlock(&end->conn->lock);
    return state;
}
