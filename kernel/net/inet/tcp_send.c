/* kernel/net/inet/tcp_send.c: bytes into a connection; send(2), tcp(7). */
#include "base/errno.h"
#include "net/inet/tcp_io.h"

/* Bytes that become visible at once, so that a reader on another processor begins early. */
#define TURN_BYTES 65536U

/* An error that is noted comes first, then that nothing more can be sent: EPIPE. */
static int send_error(struct socket *sock)
{
    int err;

    spin_lock(&sock->lock);
    err = socket_take_error_locked(sock);
    spin_unlock(&sock->lock);
    return err ? err : -EPIPE;
}

static bool cannot_send(const struct tcp_end *end)
{
    return end->shut || end->reset;
}

/* The writing turn, and how many bytes there is room for; conn->lock held. */
static s64 write_begin_locked(struct socket *sock, struct tcp_end *end, u32 flags, ktime deadline)
{
    struct tcp_stream *out = &end->peer->in;
    struct spinlock *lock = &end->conn->lock;
    int err = 0;

    for (;;) {
        if (out->writing && turn_wait(sock, lock, out, writing))
            return -ERESTARTSYS;
        if (cannot_send(end))
            return -EPIPE;
        if (end->peer->closed)
            return TURN_BYTES; /* nobody will read it */
        if (stream_room(out))
            break;
        out->starved = true;
        if (flags & MSG_DONTWAIT)
            return -EAGAIN;
        err = wait_event_for(&sock->wait, TCP_WRITE_BITS | POLLHUP | POLLERR, lock,
                             stream_room(out) || cannot_send(end) || end->peer->closed,
                             WAIT_INTERRUPTIBLE, deadline);
        if (err)
            return socket_wait_result(err, deadline == KTIME_FOREVER ? 0 : 1);
    }
    out->writing = true;
    return stream_room(out);
}

static void mark_urgent_locked(struct tcp_stream *s)
{
    s->urgent = URGENT_VALID;
    s->urgent_at = s->written_at - 1;
}

/* One turn: bytes, or an error. With MSG_OOB the last byte of all is the urgent one. */
static ssize_t send_turn(struct socket *sock, struct tcp_end *end, struct message *msg,
                         ktime deadline)
{
    struct tcp_conn *conn = end->conn;
    struct tcp_stream *out = &end->peer->in;
    struct staged staged;
    bool urgent = false, lost, wanted;
    s64 room;
    ssize_t n;

    spin_lock(&conn->lock);
    room = write_begin_locked(sock, end, msg->flags, deadline);
    lost = room > 0 && end->peer->closed;
    spin_unlock(&conn->lock);
    if (room < 0)
        return (ssize_t)room;
    if (lost) {
        /* What reaches a side that is gone is answered by RST, which finds this side half closed. */
        n = (ssize_t)iter_left(msg->data);
        iter_advance(msg->data, (size_t)n);
        end_fail(end, EPIPE);
        return n;
    }

    n = stream_stage(out, msg->data, MIN((u32)room, TURN_BYTES), &staged);

    spin_lock(&conn->lock);
    wanted = turn_end_locked(out, &out->writing);
    if (n > 0) {
        stream_publish_locked(out, &staged);
        urgent = (msg->flags & MSG_OOB) && !iter_left(msg->data);
        if (urgent)
            mark_urgent_locked(out);
    }
    spin_unlock(&conn->lock);
    if (n > 0)
        end_wake(end->peer, TCP_READ_BITS | (urgent ? POLLPRI : 0));
    if (urgent && end_sock(end->peer))
        inet_signal_urgent(&end_sock(end->peer)->inet);
    if (wanted)
        waitq_wake(&sock->wait, TCP_TURN);
    return n;
}

static ssize_t send_all(struct socket *sock, struct tcp_end *end, struct message *msg)
{
    ktime timeout = READ_ONCE(sock->send_timeout);
    ktime deadline = socket_deadline(timeout);
    ssize_t done = 0;

    if (READ_ONCE(sock->error) || READ_ONCE(end->reset) || READ_ONCE(end->shut))
        return send_error(sock);
    while (iter_left(msg->data)) {
        ssize_t n = send_turn(sock, end, msg, deadline);

        if (n <= 0) {
            if (!done && n == -EPIPE)
                return send_error(sock);
            return done ? done : n;
        }
        done += n;
    }
    return done;
}

ssize_t tcp_send(struct socket *sock, struct message *msg)
{
    struct tcp_sock *ts = tcp_of(sock);
    struct outside *out;
    struct tcp_end *end;
    ssize_t n;
    int err = 0;

    if (msg->flags & MSG_FASTOPEN)
        return -EOPNOTSUPP; /* as /proc/sys/net/ipv4/tcp_fastopen says: clients do not */
    /* A connection that is being made is waited for. */
    if (READ_ONCE(ts->phase) == TCP_CONNECTING) {
        spin_lock(&sock->lock);
        err = socket_wait(sock, msg->flags, sock->send_timeout, ts->phase != TCP_CONNECTING);
        spin_unlock(&sock->lock);
    }
    if (err)
        return err;
    out = inet_outside(&ts->inet);
    if (out && READ_ONCE(ts->phase) == TCP_CONNECTED) {
        n = outside_send(&ts->inet, out, msg);
        outside_put(out, false);
        return n;
    }
    outside_put(out, false);
    end = tcp_end_get(ts);
    if (!end)
        return send_error(sock);
    n = send_all(sock, end, msg);
    conn_put(end->conn);
    return n;
}
