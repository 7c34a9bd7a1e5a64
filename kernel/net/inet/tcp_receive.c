/* kernel/net/inet/tcp_receive.c: bytes out of a connection; recv(2), tcp(7) on urgent data. */
#include "base/errno.h"
#include "net/inet/tcp_io.h"

struct reader {
    struct socket *sock;
    struct tcp_end *end;
    struct message *msg;
    size_t want, done;
    size_t low; /* satisfied with so many, when no more are there */
    u64 skip;   /* MSG_PEEK: bytes that were looked at already */
    ktime timeout, deadline;
};

bool stream_at_mark_locked(const struct tcp_stream *s)
{
    return s->urgent != URGENT_NONE && s->urgent_at == s->read_at;
}

u64 stream_readable_locked(const struct tcp_stream *s, bool inline_urgent)
{
    if (inline_urgent || s->urgent == URGENT_NONE || s->urgent_at < s->read_at)
        return stream_fill(s);
    /* up to the urgent byte; at it, what follows */
    return s->urgent_at == s->read_at ? stream_fill(s) - 1 : s->urgent_at - s->read_at;
}

/* ---- the urgent byte ---- */

static ssize_t receive_urgent(struct socket *sock, struct tcp_end *end, struct message *msg)
{
    struct tcp_conn *conn = end->conn;
    struct tcp_stream *in = &end->in;
    ssize_t result = 0;
    bool wanted;
    u64 skip = 0;

    spin_lock(&conn->lock);
    if (in->reading && turn_wait(sock, &conn->lock, in, reading))
        result = -ERESTARTSYS;
    else if (socket_option(sock, SOCKET_OOBINLINE) || in->urgent == URGENT_READ ||
             in->urgent == URGENT_NONE)
        result = -EINVAL;
    if (!result) {
        skip = in->urgent_at - in->read_at;
        in->reading = true;
        if (!(msg->flags & MSG_PEEK))
            in->urgent = URGENT_READ;
    }
    spin_unlock(&conn->lock);
    if (result)
        return result;

    msg->out_flags |= MSG_OOB;
    if (!iter_left(msg->data))
        msg->out_flags |= MSG_TRUNC;
    else
        result = msg->flags & MSG_TRUNC ? 1 : stream_copy(in, msg->data, skip, 1);
    spin_lock(&conn->lock);
    wanted = turn_end_locked(in, &in->reading);
    spin_unlock(&conn->lock);
    if (wanted)
        waitq_wake(&sock->wait, TCP_TURN);
    return result;
}

/* ---- ordinary bytes ---- */

/* Is there something to read, or an end to tell of? conn->lock. */
static bool over_locked(const struct reader *r)
{
    return r->end->reset || r->end->peer->shut || READ_ONCE(r->sock->shut_read);
}

/* How many bytes the next copy may take; conn->lock and the turn. *urgent: the byte to leave out comes first. */
static u32 piece_locked(const struct reader *r, bool *urgent)
{
    const struct tcp_stream *in = &r->end->in;
    u64 at = in->read_at + r->skip, fill = in->written_at - at, n = MIN(fill, (u64)UINT32_MAX);

    *urgent = false;
    if (in->urgent != URGENT_NONE && in->urgent_at >= at) {
        if (in->urgent_at > at)
            n = MIN(n, in->urgent_at - at);
        else if (r->done)
            n = 0; /* reading stops at the mark */
        else if (!socket_option(r->sock, SOCKET_OOBINLINE))
            *urgent = true;
    }
    return (u32)MIN(n, (u64)(r->want - r->done));
}

/* What n bytes that were read leave behind. conn->lock. */
static struct chunk *pass_locked(struct reader *r, u64 n, bool *room)
{
    struct tcp_stream *in = &r->end->in;
    struct chunk *empty = stream_consume_locked(in, n);

    if (in->urgent != URGENT_NONE && in->read_at > in->urgent_at)
        in->urgent = URGENT_NONE;
    *room = in->starved && stream_writable(in);
    if (*room)
        in->starved = false;
    return empty;
}

/* One turn: bytes; 0: nothing is there; or an error. */
static ssize_t receive_turn(struct reader *r)
{
    struct tcp_conn *conn = r->end->conn;
    struct tcp_stream *in = &r->end->in;
    bool peek = r->msg->flags & MSG_PEEK, urgent, room = false, wanted;
    struct chunk *empty = NULL;
    ssize_t n;
    u32 piece;

    spin_lock(&conn->lock);
    if (in->reading && turn_wait(r->sock, &conn->lock, in, reading)) {
        spin_unlock(&conn->lock);
        return -ERESTARTSYS;
    }
    piece = piece_locked(r, &urgent);
    if (urgent) {
        /* It is passed over; a peek only looks beyond it. */
        if (peek)
            r->skip++;
        else
            empty = pass_locked(r, 1, &room);
        piece = piece_locked(r, &urgent);
    }
    if (!piece) {
        spin_unlock(&conn->lock);
        chunks_free(empty);
        return 0;
    }
    in->reading = true;
    spin_unlock(&conn->lock);
    chunks_free(empty);
    if (room)
        end_wake(r->end->peer, TCP_WRITE_BITS);

    if (r->msg->flags & MSG_TRUNC)
        n = piece; /* tcp(7): the bytes are thrown away */
    else
        n = stream_copy(in, r->msg->data, r->skip, piece);

    empty = NULL;
    room = false;
    spin_lock(&conn->lock);
    wanted = turn_end_locked(in, &in->reading);
    if (n > 0 && peek)
        r->skip += (u64)n;
    else if (n > 0)
        empty = pass_locked(r, (u64)n, &room);
    spin_unlock(&conn->lock);
    chunks_free(empty);
    if (room)
        end_wake(r->end->peer, TCP_WRITE_BITS);
    if (wanted)
        waitq_wake(&r->sock->wait, TCP_TURN);
    return n;
}

/* Nothing is there. 0: the stream has ended; 1: look again; or an error. */
static int receive_wait(struct reader *r)
{
    struct tcp_conn *conn = r->end->conn;
    struct tcp_stream *in = &r->end->in;
    bool over, fin;
    int err = 0;

    spin_lock(&conn->lock);
    fin = r->end->peer->shut;
    over = over_locked(r);
    if (!over && !(r->msg->flags & MSG_DONTWAIT)) {
        u64 seen = in->read_at + r->skip;

        err = wait_event_for(&r->sock->wait, TCP_READ_BITS | POLLRDHUP | POLLHUP | POLLERR,
                             &conn->lock,
                             in->written_at > seen || in->read_at > seen || over_locked(r),
                             WAIT_INTERRUPTIBLE, r->deadline);
        err = err ? socket_wait_result(err, r->timeout) : 1;
    } else if (!over) {
        err = -EAGAIN;
    }
    spin_unlock(&conn->lock);
    if (!over)
        return err;
    /* After FIN the stream has ended in order, whatever came then. */
    if (fin)
        return 0;
    spin_lock(&r->sock->lock);
    err = socket_take_error_locked(r->sock);
    spin_unlock(&r->sock->lock);
    return err;
}

static ssize_t receive_stream(struct reader *r)
{
    while (r->done < r->want) {
        ssize_t n = receive_turn(r);

        if (n > 0) {
            r->done += (size_t)n;
            continue;
        }
        if (n == 0 && r->done >= r->low)
            break;
        if (n == 0 && r->done) {
            /* at the urgent mark, reading stops */
            spin_lock(&r->end->conn->lock);
            bool mark = r->end->in.urgent != URGENT_NONE &&
                        r->end->in.urgent_at == r->end->in.read_at + r->skip;
            bool over = over_locked(r);
            spin_unlock(&r->end->conn->lock);
            if (mark || over)
                break;
        }
        if (n == 0)
            n = receive_wait(r);
        if (n == 1)
            continue;
        return r->done ? (ssize_t)r->done : n;
    }
    return (ssize_t)r->done;
}

static ssize_t receive_from_end(struct socket *sock, struct tcp_end *end, struct message *msg)
{
    struct reader r = {.sock = sock, .end = end, .msg = msg, .want = iter_left(msg->data)};

    if (msg->flags & MSG_OOB)
        return receive_urgent(sock, end, msg);
    r.low = msg->flags & MSG_WAITALL ? r.want : MIN(r.want, (size_t)READ_ONCE(sock->receive_low));
    r.low = MAX(r.low, (size_t)1);
    r.timeout = READ_ONCE(sock->receive_timeout);
    r.deadline = socket_deadline(r.timeout);
    return receive_stream(&r);
}

/* Not connected (any more). */
static ssize_t receive_nothing(struct tcp_sock *ts, u32 flags)
{
    struct socket *sock = &ts->inet.sock;
    int err;

    spin_lock(&sock->lock);
    if (ts->phase == TCP_CONNECTING)
        err = socket_wait(sock, flags, sock->receive_timeout, ts->phase != TCP_CONNECTING);
    else
        err = socket_take_error_locked(sock);
    if (!err && ts->phase == TCP_FAILED)
        err = 0;
    else if (!err && ts->phase != TCP_CONNECTED)
        err = -ENOTCONN;
    spin_unlock(&sock->lock);
    return err;
}

ssize_t tcp_receive(struct socket *sock, struct message *msg)
{
    struct tcp_sock *ts = tcp_of(sock);
    struct outside *out;
    struct tcp_end *end;
    ssize_t n;

    if (msg->flags & MSG_ERRQUEUE)
        return -EAGAIN; /* no errors are queued for a stream: ip(7) */
    if (READ_ONCE(ts->phase) != TCP_CONNECTED) {
        n = receive_nothing(ts, msg->flags);
        if (n || READ_ONCE(ts->phase) != TCP_CONNECTED)
            return n;
    }
    out = inet_outside(&ts->inet);
    if (out) {
        n = outside_receive(&ts->inet, out, msg);
        outside_put(out, false);
        return n;
    }
    end = tcp_end_get(ts);
    if (!end)
        return -ENOTCONN;
    n = receive_from_end(sock, end, msg);
    conn_put(end->conn);
    return n;
}
