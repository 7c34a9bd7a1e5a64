/* kernel/net/inet/outside.c: see outside.h. All waiting for the outside is here. */
#include "net/inet/outside.h"

#include "base/errno.h"
#include "net/inet/internal.h"

static const struct outside_net *registered; /* constant after the start */

void outside_register(const struct outside_net *net)
{
    registered = net;
}

const struct outside_net *outside_net(void)
{
    return registered;
}

struct outside *inet_outside(struct inet_sock *is)
{
    struct outside *out;

    if (!READ_ONCE(is->outside))
        return NULL;
    spin_lock(&is->sock.lock);
    out = is->outside;
    if (out)
        refcount_get(&out->users);
    spin_unlock(&is->sock.lock);
    return out;
}

void outside_put(struct outside *out, bool reset)
{
    if (out && refcount_put(&out->users))
        out->ops->release(out, reset);
}

void outside_ready(struct socket *sock, u32 events)
{
    struct inet_sock *is = inet_of(sock);

    spin_lock(&sock->lock);
    is->outside_ready |= events;
    spin_unlock(&sock->lock);
    waitq_wake(&sock->wait, events);
}

struct endpoint inet_local(struct socket *sock)
{
    struct endpoint local;

    spin_lock(&sock->lock);
    local = inet_of(sock)->local;
    spin_unlock(&sock->lock);
    return local;
}

int outside_accepted(const struct endpoint *local, const struct endpoint *peer, struct outside *out)
{
    AUTO(inet_put) struct inet_sock *listener = port_find_listener(&tcp_ports, local, peer);

    if (!listener)
        return -ECONNREFUSED;
    refcount_init(&out->users, 1);
    return tcp_accept_outside(listener, local, peer, out);
}

/* ---- waiting ---- */

/* Has the outside told of one of these since the last look? What it told is used up. sock.lock held. */
static bool ready_locked(struct inet_sock *is, u32 events)
{
    bool ready = is->outside_ready & (events | POLLERR | POLLHUP);

    if (ready)
        is->outside_ready = 0;
    return ready;
}

static int outside_wait(struct inet_sock *is, struct outside *out, u32 events, ktime timeout,
                        ktime deadline)
{
    int err;

    out->ops->watch(out, &is->sock, events);
    spin_lock(&is->sock.lock);
    err = wait_event(&is->sock.wait, &is->sock.lock, ready_locked(is, events), deadline);
    spin_unlock(&is->sock.lock);
    return err ? socket_wait_result(err, timeout) : 0;
}

/* A stream's send goes on until all is sent; a datagram is sent at once. */
ssize_t outside_send(struct inet_sock *is, struct outside *out, struct message *msg)
{
    bool wait = !(msg->flags & MSG_DONTWAIT), stream = is->sock.type == SOCK_STREAM;
    ktime timeout = READ_ONCE(is->sock.send_timeout), deadline = socket_deadline(timeout);
    ssize_t done = 0, n;

    msg->flags |= MSG_DONTWAIT;
    do {
        n = out->ops->send(out, &is->sock, msg);
        if (n > 0)
            done += n;
        if (n == -EAGAIN && wait)
            n = outside_wait(is, out, POLLOUT, timeout, deadline);
        else if (n <= 0 || !stream)
            break;
    } while (n >= 0 && iter_left(msg->data));
    return done ? done : n;
}

ssize_t outside_receive(struct inet_sock *is, struct outside *out, struct message *msg)
{
    bool wait = !(msg->flags & MSG_DONTWAIT);
    bool all =
        (msg->flags & MSG_WAITALL) && is->sock.type == SOCK_STREAM && !(msg->flags & MSG_PEEK);
    ktime timeout = READ_ONCE(is->sock.receive_timeout), deadline = socket_deadline(timeout);
    ssize_t done = 0, n;

    msg->flags |= MSG_DONTWAIT;
    for (;;) {
        n = out->ops->receive(out, &is->sock, msg);
        if (n > 0)
            done += n;
        if (n == -EAGAIN && wait && (!done || all))
            n = outside_wait(is, out, POLLIN, timeout, deadline);
        else if (n <= 0 || !all || !iter_left(msg->data))
            break;
        if (n < 0)
            break;
    }
    return done ? done : n;
}
