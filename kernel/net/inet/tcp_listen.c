/* kernel/net/inet/tcp_listen.c: listening sockets, and the connections in their queues; listen(2), accept(2). */
#include "base/errno.h"
#include "mm/alloc.h"
#include "net/inet/tcp.h"

int tcp_listen(struct socket *sock, int backlog)
{
    struct tcp_sock *ts = tcp_of(sock);
    struct inet_sock *is = &ts->inet;
    struct endpoint local = {0};
    int err = 0;

    spin_lock(&sock->lock);
    if (ts->phase != TCP_IDLE && ts->phase != TCP_LISTENING)
        err = -EINVAL;
    if (!err && ts->phase == TCP_IDLE) {
        err = inet_autobind_locked(is, &tcp_ports);
        if (!err)
            err = port_listen(&is->port);
    }
    if (!err) {
        ts->phase = TCP_LISTENING;
        sock->listening = true;
        WRITE_ONCE(ts->backlog, (u32)backlog);
        local = is->local;
    }
    spin_unlock(&sock->lock);
    if (!err && outside_net() && outside_net()->listening)
        outside_net()->listening(sock, &local, backlog);
    return err;
}

/* ---- TCP_DEFER_ACCEPT: who connects is accepted once it has sent something, or after a time ---- */

/* The end is known to the listener, and to nobody else yet. */
static void defer_locked(struct tcp_sock *listener, struct tcp_end *end)
{
    u32 seconds = tcp_retries_to_seconds(READ_ONCE(listener->set.defer_accept));

    if (!seconds || end->outside)
        return;
    end->defer_until = time_monotonic() + seconds * NSEC_PER_SEC;
    spin_lock(&end->conn->lock);
    WRITE_ONCE(end->deferred_by, inet_get(&listener->inet));
    spin_unlock(&end->conn->lock);
    if (!listener->defer_next || end->defer_until < listener->defer_next) {
        listener->defer_next = end->defer_until;
        timer_set(&listener->timer, listener->defer_next);
    }
}

/* The listener that waits for this end to be ready; counted memory, or NULL. */
static struct inet_sock *deferred_take(struct tcp_end *end)
{
    struct inet_sock *is;

    spin_lock(&end->conn->lock);
    is = end->deferred_by;
    WRITE_ONCE(end->deferred_by, NULL);
    spin_unlock(&end->conn->lock);
    return is;
}

static void deferred_forget(struct tcp_end *end)
{
    struct inet_sock *is = deferred_take(end);

    if (is)
        inet_put(is);
}

void end_arrived(struct tcp_end *end)
{
    AUTO(inet_put) struct inet_sock *is = deferred_take(end);

    if (!is)
        return;
    spin_lock(&is->sock.lock);
    end->defer_until = 0;
    spin_unlock(&is->sock.lock);
    waitq_wake(&is->sock.wait, TCP_READ_BITS);
}

void tcp_deferred_timeout(struct tcp_sock *listener)
{
    struct socket *sock = &listener->inet.sock;
    ktime now = time_monotonic(), next = 0;
    struct tcp_end *end;

    spin_lock(&sock->lock);
    list_for_each_entry(end, &listener->queue, accept_link) {
        if (end->defer_until <= now)
            end->defer_until = 0;
        else if (!next || end->defer_until < next)
            next = end->defer_until;
    }
    listener->defer_next = next;
    if (next)
        timer_set(&listener->timer, next);
    spin_unlock(&sock->lock);
    waitq_wake(&sock->wait, TCP_READ_BITS);
}

struct tcp_end *tcp_first_ready_locked(struct tcp_sock *listener)
{
    struct tcp_end *end;

    list_for_each_entry(end, &listener->queue, accept_link) {
        if (!end->defer_until)
            return end;
    }
    return NULL;
}

/* ---- the queue ---- */

int tcp_offer_locked(struct tcp_sock *listener, struct tcp_end *end)
{
    if (listener->phase != TCP_LISTENING)
        return -ECONNREFUSED;
    if (listener->queued > listener->backlog)
        return -EAGAIN;
    defer_locked(listener, end);
    list_add_tail(&end->accept_link, &listener->queue);
    WRITE_ONCE(listener->queued, listener->queued + 1);
    return 0;
}

/* Room in the queue: who has waited longest comes in. */
static void listener_admit(struct tcp_sock *listener)
{
    struct tcp_sock *next;

    spin_lock(&listener->inet.sock.lock);
    next = list_first_entry(&listener->waiting, struct tcp_sock, waiting_link);
    if (next && tcp_offer_locked(listener, next->end->peer) == 0) {
        list_del(&next->waiting_link);
        inet_get(&next->inet);
    } else {
        next = NULL;
    }
    spin_unlock(&listener->inet.sock.lock);
    if (!next)
        return;
    timer_cancel(&next->timer);
    tcp_connection_made(next);
    waitq_wake(&listener->inet.sock.wait, TCP_READ_BITS);
    inet_put(&next->inet);
}

void tcp_listen_stop(struct tcp_sock *ts)
{
    struct inet_sock *is = &ts->inet;
    struct list_head ends = LIST_HEAD_INIT(ends);
    struct endpoint local;

    port_listen_end(&is->port);
    spin_lock(&is->sock.lock);
    ts->phase = TCP_IDLE;
    is->sock.listening = false;
    list_splice_tail(&ts->queue, &ends);
    WRITE_ONCE(ts->queued, 0);
    local = is->local;
    for (;;) {
        struct tcp_sock *next = list_first_entry(&ts->waiting, struct tcp_sock, waiting_link);

        if (!next)
            break;
        inet_get(&next->inet);
        spin_unlock(&is->sock.lock);
        tcp_connect_stop(next, ECONNREFUSED);
        inet_put(&next->inet);
        spin_lock(&is->sock.lock);
    }
    spin_unlock(&is->sock.lock);
    while (!list_empty(&ends)) {
        struct tcp_end *end = list_first_entry(&ends, struct tcp_end, accept_link);

        list_del(&end->accept_link);
        deferred_forget(end);
        if (end->outside) {
            outside_put(end->outside, true);
            kfree(end->conn);
        } else {
            end_close(end, true);
        }
    }
    if (outside_net() && outside_net()->listening)
        outside_net()->listening(&is->sock, &local, -1);
}

/* accept(2): what a connection has from its listener. */
static void inherit(struct tcp_sock *child, struct tcp_sock *from)
{
    struct socket *to = &child->inet.sock, *parent = &from->inet.sock;

    spin_lock(&parent->lock);
    to->options = parent->options;
    to->linger = parent->linger;
    to->linger_seconds = parent->linger_seconds;
    to->send_buffer = parent->send_buffer;
    to->receive_buffer = parent->receive_buffer;
    to->receive_low = parent->receive_low;
    to->send_timeout = parent->send_timeout;
    to->receive_timeout = parent->receive_timeout;
    to->priority = parent->priority;
    to->mark = parent->mark;
    child->set = from->set;
    child->inet.options = from->inet.options;
    child->inet.only_v6 = from->inet.only_v6;
    spin_unlock(&parent->lock);
}

/* The child has been seen by nobody yet. */
static void adopt(struct tcp_sock *child, struct tcp_end *end)
{
    struct inet_sock *is = &child->inet;

    is->local = end->port.local;
    is->peer = end->port.peer;
    is->port.reuse_address = end->port.reuse_address;
    is->port.reuse_port = end->port.reuse_port;
    is->port.local = end->port.local;
    is->port.families = end->port.families;
    is->address_chosen = is->port.chosen = true;
    child->phase = TCP_CONNECTED;
    child->told = true;
    if (end->outside) {
        is->outside = end->outside;
        kfree(end->conn);
        return;
    }
    child->end = end;
    end->port.ino = is->sock.file.inode->ino;
    end->port.uid = is->port.uid;
    spin_lock(&is->sock.lock);
    end_attach(end, child);
    spin_unlock(&is->sock.lock);
    end_limits(end);
    end_limits(end->peer);
}

int tcp_accept(struct socket *sock, u32 flags, struct socket **out)
{
    struct tcp_sock *ts = tcp_of(sock), *child;
    struct tcp_end *end;
    int err = 0;

    if (READ_ONCE(ts->phase) != TCP_LISTENING)
        return -EINVAL;
    spin_lock(&sock->lock);
    err = socket_wait(sock, flags & O_NONBLOCK ? MSG_DONTWAIT : 0, sock->receive_timeout,
                      tcp_first_ready_locked(ts) || ts->phase != TCP_LISTENING);
    end = err ? NULL : tcp_first_ready_locked(ts);
    if (end) {
        list_del(&end->accept_link);
        WRITE_ONCE(ts->queued, ts->queued - 1);
    } else if (!err) {
        err = -EINVAL;
    }
    spin_unlock(&sock->lock);
    if (err)
        return err;
    child = tcp_sock_create(sock->family, 0);
    if (IS_ERR(child)) {
        /* It goes back to where it came from: another accept may have more memory. */
        spin_lock(&sock->lock);
        list_add(&end->accept_link, &ts->queue);
        WRITE_ONCE(ts->queued, ts->queued + 1);
        spin_unlock(&sock->lock);
        return (int)PTR_ERR(child);
    }
    deferred_forget(end);
    inherit(child, ts);
    adopt(child, end);
    listener_admit(ts);
    if (outside_net() && outside_net()->listening)
        outside_net()->listening(sock, &ts->inet.local, (int)ts->backlog);
    *out = &child->inet.sock;
    return 0;
}

int tcp_accept_outside(struct inet_sock *is, const struct endpoint *local,
                       const struct endpoint *peer, struct outside *out)
{
    struct tcp_sock *listener = tcp_of(&is->sock);
    struct tcp_conn *conn = conn_create();
    int err;

    if (!conn)
        return -ENOMEM;
    conn->ends[0].outside = out;
    conn->ends[0].port.local = *local;
    conn->ends[0].port.peer = *peer;
    spin_lock(&is->sock.lock);
    err = tcp_offer_locked(listener, &conn->ends[0]);
    spin_unlock(&is->sock.lock);
    if (err)
        kfree(conn);
    else
        waitq_wake(&is->sock.wait, TCP_READ_BITS);
    return err;
}
