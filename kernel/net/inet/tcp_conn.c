/* kernel/net/inet/tcp_conn.c: the life of a connection: FIN, RST, TIME_WAIT. See tcp.h for the locks. */
#include "base/errno.h"
#include "mm/alloc.h"
#include "net/inet/tcp.h"

struct tcp_conn *conn_create(void)
{
    struct tcp_conn *conn = kzalloc(sizeof(*conn));

    if (!conn)
        return NULL;
    refcount_init(&conn->ref, 2);
    spin_init(&conn->lock, CONNECTION);
    for (int i = 0; i < 2; i++) {
        struct tcp_end *end = &conn->ends[i];

        end->conn = conn;
        end->peer = &conn->ends[1 - i];
        list_init(&end->accept_link);
        list_init(&end->port.link);
    }
    return conn;
}

void conn_put(struct tcp_conn *conn)
{
    if (!refcount_put(&conn->ref))
        return;
    for (int i = 0; i < 2; i++) {
        struct tcp_end *end = &conn->ends[i];

        port_release(&end->port);
        stream_release(&end->in);
        if (end->sock)
            inet_put(&end->sock->inet);
        if (end->deferred_by)
            inet_put(end->deferred_by);
    }
    kfree(conn);
}

struct tcp_end *tcp_end_get(struct tcp_sock *ts)
{
    struct tcp_end *end;

    spin_lock(&ts->inet.sock.lock);
    end = ts->phase == TCP_CONNECTED ? ts->end : NULL;
    if (end)
        refcount_get(&end->conn->ref);
    spin_unlock(&ts->inet.sock.lock);
    return end;
}

/* The socket is new, or connects: nobody sees it as connected yet. sock.lock is held. */
void end_attach(struct tcp_end *end, struct tcp_sock *ts)
{
    struct tcp_conn *conn = end->conn;

    inet_get(&ts->inet);
    spin_lock(&conn->lock);
    __atomic_store_n(&end->sock, ts, __ATOMIC_RELEASE);
    if (end->reset)
        ts->inet.sock.error = end->error;
    spin_unlock(&conn->lock);
}

/* A connection that is over is CLOSE: its first closer lives on as TIME_WAIT, which no socket shows. */
enum tcp_state end_state_locked(const struct tcp_end *end)
{
    const struct tcp_end *peer = end->peer;

    if (end->reset || (end->shut && peer->shut))
        return TCP_CLOSE;
    if (end->shut)
        return stream_fill(&peer->in) > peer->in.receive_limit ? TCP_FIN_WAIT1 : TCP_FIN_WAIT2;
    return peer->shut ? TCP_CLOSE_WAIT : TCP_ESTABLISHED;
}

void end_limits(struct tcp_end *end)
{
    struct tcp_end *peer = end->peer;
    struct tcp_sock *to = end_sock(end), *from = end_sock(peer);
    struct tcp_sock *known = to ? to : from;

    if (!known)
        return;
    /* Until it is accepted the other side is taken to be alike. */
    u32 receive = READ_ONCE((to ? to : known)->inet.sock.receive_buffer) / 2;
    u32 send = READ_ONCE((from ? from : known)->inet.sock.send_buffer) / 2;

    spin_lock(&end->conn->lock);
    end->in.receive_limit = receive;
    end->in.limit = receive + send;
    spin_unlock(&end->conn->lock);
}

/* Both directions have ended: who was first stays behind as TIME_WAIT. No lock held. */
static void conn_over(struct tcp_conn *conn)
{
    for (int i = 0; i < 2; i++) {
        if (conn->ends[i].shut_first)
            port_time_wait(&conn->ends[i].port);
    }
}

void end_shut(struct tcp_end *end)
{
    struct tcp_conn *conn = end->conn;
    struct tcp_end *peer = end->peer;
    bool over = false, was;

    spin_lock(&conn->lock);
    was = end->shut || end->reset;
    if (!was) {
        end->shut = true;
        end->shut_first = !peer->shut || peer == end;
        over = peer->shut && !peer->reset;
    }
    spin_unlock(&conn->lock);
    if (was)
        return;
    end_wake(peer, TCP_READ_BITS | POLLRDHUP | POLLHUP | (over ? TCP_ALL_BITS : 0));
    end_wake(end, TCP_WRITE_BITS | (over ? POLLHUP : 0));
    if (over)
        conn_over(conn);
}

static void end_fail_locked(struct tcp_end *end, struct tcp_sock *ts, int error)
{
    end->reset = true;
    end->error = error;
    if (ts)
        ts->inet.sock.error = error;
}

void end_fail(struct tcp_end *end, int error)
{
    struct tcp_conn *conn = end->conn;
    struct tcp_sock *ts;

    /* It may be accepted meanwhile: then once more, with its socket locked. */
    do {
        ts = end_sock(end);
        if (ts)
            spin_lock(&ts->inet.sock.lock);
        spin_lock(&conn->lock);
        if (ts == end->sock && !end->reset && !end->closed)
            end_fail_locked(end, ts, error);
        spin_unlock(&conn->lock);
        if (ts)
            spin_unlock(&ts->inet.sock.lock);
    } while (ts != end_sock(end));
    end_wake(end, TCP_ALL_BITS);
}

/* Unread data, or SO_LINGER of no time, cut the connection off (RFC 2525, section 2.17). */
void end_close(struct tcp_end *end, bool reset)
{
    struct tcp_conn *conn = end->conn;
    struct tcp_end *peer = end->peer;
    bool alive, was_shut, gone;

    spin_lock(&conn->lock);
    alive = !end->reset && !(end->shut && peer->shut);
    was_shut = end->shut;
    reset = alive && peer != end && (reset || stream_fill(&end->in));
    if (reset)
        end->reset = true;
    end->closed = true;
    spin_unlock(&conn->lock);

    if (reset)
        end_fail(peer, was_shut ? EPIPE : ECONNRESET);
    else
        end_shut(end);
    spin_lock(&conn->lock);
    gone = end->reset || peer->closed;
    spin_unlock(&conn->lock);
    /* Half closed, a connection keeps its names until the other side ends it, too. */
    if (gone)
        port_release(&end->port);
    if (peer->closed && !peer->reset)
        port_release(&peer->port);
    conn_put(conn);
}
