/* kernel/net/inet/tcp_connect.c: how connections come about, on the side that connects; connect(2). */
#include "base/errno.h"
#include "mm/alloc.h"
#include "net/inet/tcp.h"
#include "net/interfaces.h"

#define SYN_SECONDS 127 /* tcp(7): tcp_syn_retries */

void tcp_connection_made(struct tcp_sock *ts)
{
    struct inet_sock *is = &ts->inet;

    spin_lock(&is->sock.lock);
    if (ts->phase == TCP_CONNECTING)
        ts->phase = TCP_CONNECTED;
    spin_unlock(&is->sock.lock);
    waitq_wake(&is->sock.wait, TCP_WRITE_BITS | TCP_READ_BITS);
}

/* The other end of a connection that came to nothing, which nobody knows, and this one. */
static void conn_abandon(struct tcp_sock *ts, struct tcp_end *end)
{
    struct inet_sock *is = &ts->inet;
    struct tcp_conn *conn = end->conn;
    bool mine;

    spin_lock(&is->sock.lock);
    mine = ts->end == end;
    if (mine) {
        ts->end = NULL;
        is->peer = ENDPOINT_ANY;
    }
    spin_unlock(&is->sock.lock);
    if (mine && is->port.chosen && end->port.table)
        port_give_back(&end->port, &is->port);
    end->peer->closed = true;
    if (mine)
        end_close(end, false);
    conn_put(conn); /* the other end's */
}

/* Ends what is under way: with an error, which the program then learns, or because the program gives up (0). */
void tcp_connect_stop(struct tcp_sock *ts, int error)
{
    struct inet_sock *is = &ts->inet;
    struct tcp_sock *listener = ts->listener;
    bool was_waiting = false;

    if (listener) {
        spin_lock(&listener->inet.sock.lock);
        was_waiting = !list_empty(&ts->waiting_link);
        list_del(&ts->waiting_link);
        spin_unlock(&listener->inet.sock.lock);
    }
    if (!was_waiting)
        return;
    conn_abandon(ts, ts->end);
    spin_lock(&is->sock.lock);
    ts->phase = error ? TCP_FAILED : TCP_IDLE;
    is->sock.error = error;
    spin_unlock(&is->sock.lock);
    waitq_wake(&is->sock.wait, TCP_ALL_BITS);
}

/* Names and windows of the two ends. */
static void conn_name(struct tcp_conn *conn, struct tcp_sock *ts, const struct endpoint *local,
                      const struct endpoint *peer)
{
    struct inet_sock *is = &ts->inet;
    struct tcp_end *mine = &conn->ends[0];

    mine->port.local = *local;
    mine->port.peer = *peer;
    mine->port.families = ip_is_v4(&local->ip) ? IN_V4 : IN_V6;
    mine->port.family = is->port.family;
    mine->port.uid = is->port.uid;
    mine->port.ino = is->port.ino;
    mine->port.reuse_address = is->port.reuse_address;
    mine->port.reuse_port = is->port.reuse_port;
}

static void conn_name_peer(struct tcp_conn *conn, const struct inet_sock *listener)
{
    struct tcp_end *mine = &conn->ends[0], *other = &conn->ends[1];

    other->port.local = mine->port.peer;
    other->port.peer = mine->port.local;
    other->port.families = mine->port.families;
    other->port.family = listener->port.family;
    other->port.uid = listener->port.uid;
    other->port.reuse_address = READ_ONCE(listener->port.reuse_address);
    other->port.reuse_port = READ_ONCE(listener->port.reuse_port);
    port_join(&tcp_ports, &other->port);
}

/* One end that is its own peer: a socket that connects to its own name. */
static void conn_fold(struct tcp_conn *conn)
{
    conn->alone = true;
    conn->ends[0].peer = &conn->ends[0];
    conn_put(conn); /* the reference of the second end */
}

/* Offers the other end to whoever listens. 0, -EAGAIN: it waits for room; -ECONNREFUSED. */
static int find_listener(struct tcp_sock *ts, struct tcp_conn *conn)
{
    struct tcp_end *mine = &conn->ends[0];
    AUTO(inet_put)
    struct inet_sock *is = port_find_listener(&tcp_ports, &mine->port.peer, &mine->port.local);
    struct tcp_sock *listener;
    int err;

    if (!is) {
        if (!endpoint_equal(&mine->port.local, &mine->port.peer))
            return -ECONNREFUSED;
        conn_fold(conn);
        return 0;
    }
    listener = tcp_of(&is->sock);
    conn_name_peer(conn, is);
    spin_lock(&is->sock.lock);
    err = tcp_offer_locked(listener, &conn->ends[1]);
    if (err == -EAGAIN) {
        ts->listener = tcp_of(&inet_get(is)->sock);
        list_add_tail(&ts->waiting_link, &listener->waiting);
    }
    spin_unlock(&is->sock.lock);
    if (!err)
        waitq_wake(&is->sock.wait, TCP_READ_BITS);
    return err;
}

void tcp_connect_forget(struct tcp_sock *ts)
{
    if (ts->listener)
        inet_put(&TAKE(ts->listener)->inet);
}

/* phase is CONNECTING: nobody else begins or ends a connection of this socket. */
static int connect_inside(struct tcp_sock *ts, struct endpoint local, const struct endpoint *peer)
{
    struct inet_sock *is = &ts->inet;
    struct tcp_conn *conn = conn_create();
    struct tcp_end *end;
    int err;

    if (!conn)
        return -ENOMEM;
    end = &conn->ends[0];
    conn_name(conn, ts, &local, peer);
    err = port_connect(&tcp_ports, &is->port, &end->port);
    if (err) {
        conn_put(conn);
        conn_put(conn);
        return err;
    }
    spin_lock(&is->sock.lock);
    ts->end = end;
    is->local = end->port.local;
    is->peer = *peer;
    end_attach(end, ts);
    spin_unlock(&is->sock.lock);
    end_limits(end);
    end_limits(end->peer);
    timer_set(&ts->timer, time_monotonic() + SYN_SECONDS * NSEC_PER_SEC);
    tcp_connect_forget(ts);
    err = find_listener(ts, conn);
    if (err == -EAGAIN)
        return -EINPROGRESS;
    timer_cancel(&ts->timer);
    if (!err) {
        if (conn->alone)
            end_limits(end);
        tcp_connection_made(ts);
        return 0;
    }
    conn_abandon(ts, end);
    return err;
}

static int connect_outside(struct tcp_sock *ts, struct endpoint local, const struct endpoint *peer)
{
    struct inet_sock *is = &ts->inet;
    struct outside *out = NULL, *old;
    int err;

    spin_lock(&is->sock.lock);
    err = inet_autobind_locked(is, &tcp_ports);
    local.port = is->local.port;
    old = TAKE(is->outside);
    is->outside_ready = 0;
    spin_unlock(&is->sock.lock);
    outside_put(old, false);
    if (!err)
        err = outside_net()->connect(&is->sock, &local, peer, &out);
    if (err && err != -EINPROGRESS)
        return err;
    refcount_init(&out->users, 1);
    spin_lock(&is->sock.lock);
    is->outside = out;
    is->local = local;
    is->peer = *peer;
    spin_unlock(&is->sock.lock);
    if (!err)
        tcp_connection_made(ts);
    return err;
}

/* The program's own address, or the one that fits the peer; 0.0.0.0 and :: mean this machine. */
static int choose_source(struct inet_sock *is, struct endpoint *local, struct endpoint *peer,
                         bool *inside)
{
    struct in6_addr from;
    int err;

    if (ip_is_any(&peer->ip)) {
        bool v6 = is->sock.family == AF_INET6 && !ip_is_v4(&is->local.ip);

        peer->ip = v6 ? (struct in6_addr){.s6_addr = {[15] = 1}} : ip_of_v4(INADDR_LOOPBACK);
    }
    if (ip_is_multicast(&peer->ip))
        return -ENETUNREACH;
    if (ip_is_broadcast(&peer->ip))
        return -EACCES;
    err = ip_route(peer, &from, inside);
    if (!err && !*inside && READ_ONCE(is->sock.device) == LOOPBACK_INDEX)
        err = -ENETUNREACH; /* SO_BINDTODEVICE */
    if (err)
        return err;
    spin_lock(&is->sock.lock);
    *local = is->local;
    spin_unlock(&is->sock.lock);
    if (ip_is_any(&local->ip))
        local->ip = from;
    else if (ip_is_v4(&local->ip) != ip_is_v4(&peer->ip))
        return -ENETUNREACH;
    else if (ip_is_loopback(&local->ip) && !*inside)
        return -EINVAL;
    return 0;
}

void tcp_outside_progress(struct tcp_sock *ts)
{
    struct inet_sock *is = &ts->inet;
    struct outside *out = inet_outside(is);
    int err;

    if (!out)
        return;
    err = out->ops->connected(out, &is->sock);
    if (err == -EINPROGRESS)
        out->ops->watch(out, &is->sock, POLLOUT);
    outside_put(out, false);
    if (!err) {
        tcp_connection_made(ts);
    } else if (err != -EINPROGRESS) {
        spin_lock(&is->sock.lock);
        ts->phase = TCP_FAILED;
        is->sock.error = -err;
        spin_unlock(&is->sock.lock);
    }
}

static int connect_wait(struct tcp_sock *ts)
{
    struct socket *sock = &ts->inet.sock;
    ktime deadline = socket_deadline(sock->send_timeout);
    int err = 0;

    while (!err && READ_ONCE(ts->phase) == TCP_CONNECTING) {
        tcp_outside_progress(ts);
        spin_lock(&sock->lock);
        err = wait_event(&sock->wait, &sock->lock,
                         ts->phase != TCP_CONNECTING || ts->inet.outside_ready, deadline);
        ts->inet.outside_ready = 0;
        spin_unlock(&sock->lock);
    }
    return err == -ETIMEDOUT ? -EINPROGRESS : err ? socket_wait_result(err, sock->send_timeout) : 0;
}

/* The result of a connection that was begun, told once. sock.lock held. */
static int connect_result_locked(struct tcp_sock *ts)
{
    int err;

    if (ts->phase == TCP_CONNECTED) {
        ts->told = true;
        return 0;
    }
    err = socket_take_error_locked(&ts->inet.sock);
    ts->phase = TCP_IDLE;
    if (!ts->inet.port.chosen) {
        port_release(&ts->inet.port);
        ts->inet.local.port = 0;
        if (!ts->inet.address_chosen)
            ts->inet.local.ip = (struct in6_addr){0};
    }
    return err ? err : -ECONNABORTED;
}

/* 0: go ahead; 1: one is under way; else connect's result. */
static int connect_begin(struct tcp_sock *ts)
{
    int err = 0;

    spin_lock(&ts->inet.sock.lock);
    switch (ts->phase) {
    case TCP_IDLE:
        ts->phase = TCP_CONNECTING;
        ts->told = false;
        break;
    case TCP_CONNECTING:
        err = 1;
        break;
    case TCP_CONNECTED:
        err = ts->told ? -EISCONN : 2;
        ts->told = true;
        break;
    case TCP_LISTENING:
        err = -EISCONN;
        break;
    default:
        err = connect_result_locked(ts);
    }
    spin_unlock(&ts->inet.sock.lock);
    return err;
}

static int connect_start(struct tcp_sock *ts, struct endpoint *peer)
{
    struct endpoint local;
    bool inside = true;
    int err = choose_source(&ts->inet, &local, peer, &inside);

    if (!err)
        err = inside ? connect_inside(ts, local, peer) : connect_outside(ts, local, peer);
    return err;
}

/* What connect(2) says of an error that is there at once: a non-blocking call learns of a refusal later. */
static int connect_failed(struct tcp_sock *ts, int err, bool nonblock)
{
    struct inet_sock *is = &ts->inet;

    spin_lock(&is->sock.lock);
    ts->phase = TCP_FAILED;
    is->sock.error = -err;
    err = nonblock && err == -ECONNREFUSED ? -EINPROGRESS : connect_result_locked(ts);
    spin_unlock(&is->sock.lock);
    waitq_wake(&is->sock.wait, TCP_ALL_BITS);
    return err;
}

int tcp_connect(struct socket *sock, const struct sock_addr *addr, u32 flags)
{
    struct tcp_sock *ts = tcp_of(sock);
    bool nonblock = flags & O_NONBLOCK;
    struct endpoint peer;
    int err;

    if (addr->len < sizeof(addr->family))
        return -EINVAL;
    if (addr->family == AF_UNSPEC) {
        bool cut = READ_ONCE(ts->phase) == TCP_CONNECTED;

        tcp_disconnect(ts, true);
        spin_lock(&sock->lock);
        sock->error = cut ? ECONNRESET : 0; /* as on Linux the program's own reset is told, too */
        spin_unlock(&sock->lock);
        return 0;
    }
    err = connect_begin(ts);
    if (err == 2)
        return 0;
    if (err < 0)
        return err;
    if (err == 0) {
        err = endpoint_from(&ts->inet, addr, &peer);
        if (!err)
            err = connect_start(ts, &peer);
        if (err && err != -EINPROGRESS)
            return connect_failed(ts, err, nonblock);
        if (nonblock)
            return -EINPROGRESS;
    } else if (nonblock) {
        tcp_outside_progress(ts);
        if (READ_ONCE(ts->phase) == TCP_CONNECTING)
            return -EALREADY;
    }
    err = connect_wait(ts);
    if (err)
        return err;
    spin_lock(&sock->lock);
    err = connect_result_locked(ts);
    spin_unlock(&sock->lock);
    return err;
}
