/*
 * kernel/net/unix/connect.c: connections of streams and sequenced packets: listen(2), connect(2), accept(2),
 * socketpair(2).
 */
#include "cred/cred.h"
#include "net/internal.h"
#include "net/unix/internal.h"
#include "task/task.h"

static void cred_put_any(const struct cred *cred)
{
    if (cred)
        cred_put(cred);
}

int unix_listen(struct socket *sock, int backlog)
{
    struct unix_sock *u = unix_of(sock);
    const struct cred *old = NULL;
    int err = 0;

    if (!unix_name(u))
        return -EINVAL;
    spin_lock(&sock->lock);
    if (u->state == UNIX_CONNECTED) {
        err = -EINVAL;
    } else {
        u->state = UNIX_LISTENING;
        u->backlog = (u32)backlog;
        old = unix_set_peer_cred(u, process_self()->pid, cred_current());
    }
    spin_unlock(&sock->lock);
    cred_put_any(old);
    if (!err)
        waitq_wake(&u->room, 0);
    return err;
}

/* ---- connect ---- */

static bool backlog_full(const struct unix_sock *listener)
{
    return listener->nconnections > listener->backlog;
}

static bool listener_ends(const struct unix_sock *listener)
{
    return listener->dead || listener->sock.shut_read || listener->state != UNIX_LISTENING;
}

/* Both locks held, or the listener's: may the connection be made now? -EAGAIN: not yet. -ENOENT: look anew. */
static int may_connect(const struct unix_sock *u, const struct unix_sock *listener)
{
    if (listener->dead)
        return -ENOENT;
    if (listener_ends(listener))
        return -ECONNREFUSED;
    if (backlog_full(listener))
        return -EAGAIN;
    if (u->state == UNIX_CONNECTED)
        return -EISCONN;
    return u->state == UNIX_LISTENING ? -EINVAL : 0;
}

/* The new end takes the listener's name and what it passes along. All three are locked, or nobody's yet. */
static void join_locked(struct unix_sock *u, struct unix_sock *listener, struct unix_sock *end)
{
    const u64 inherited =
        BIT(SOCKET_PASSCRED) | BIT(SOCKET_PASSPIDFD) | BIT(SOCKET_PASSSEC) | BIT(SOCKET_PASSRIGHTS);
    struct unix_name *name = unix_name(listener);

    refcount_get(&name->ref);
    end->name = name;
    end->state = UNIX_CONNECTED;
    end->peer = unix_get(u);
    end->sock.options = (end->sock.options & ~inherited) | (listener->sock.options & inherited);
    unix_set_peer_cred(end, process_self()->pid, cred_current());
    end->unaccepted = true;
    list_add_tail(&end->accept_link, &listener->connections);
    listener->nconnections++;

    u->state = UNIX_CONNECTED;
    u->peer = unix_get(end);
    unix_set_peer_cred(u, listener->sock.peer.pid, listener->sock.peer.cred);
}

/* For a place in the listener's queue. */
static int backlog_wait(struct unix_sock *u, struct unix_sock *listener, u32 flags)
{
    ktime timeout = READ_ONCE(u->sock.send_timeout);
    int err;

    if (flags & O_NONBLOCK)
        return -EAGAIN;
    spin_lock(&listener->sock.lock);
    err = wait_event(&listener->room, &listener->sock.lock,
                     listener_ends(listener) || !backlog_full(listener), socket_deadline(timeout));
    spin_unlock(&listener->sock.lock);
    return socket_wait_result(err, timeout);
}

/* One attempt. -ENOENT from here: the listener was closed in between. */
static int connect_to(struct unix_sock *u, struct unix_sock *listener, struct unix_sock *end)
{
    int err;

    unix_lock_pair(u, listener);
    err = may_connect(u, listener);
    if (!err)
        join_locked(u, listener, end);
    unix_unlock_pair(u, listener);
    if (!err)
        waitq_wake(&listener->sock.wait, UNIX_READABLE);
    return err;
}

static int connect_loop(struct unix_sock *u, const struct sock_addr *addr, u32 flags,
                        struct unix_sock *end)
{
    for (;;) {
        struct unix_sock *listener;
        int err = unix_find(addr, u->sock.type, &listener);

        if (err)
            return err;
        err = connect_to(u, listener, end);
        if (err == -EAGAIN)
            err = backlog_wait(u, listener, flags);
        else if (err != -ENOENT) {
            unix_put(listener);
            return err;
        } else {
            err = 0;
        }
        unix_put(listener);
        if (err)
            return err;
    }
}

int unix_connect(struct socket *sock, const struct sock_addr *addr, u32 flags)
{
    struct unix_sock *u = unix_of(sock);
    struct socket *end;
    int err = unix_address_check(addr);

    if (!err && unix_wants_sender(u, u))
        err = unix_autobind(u);
    if (!err)
        err = unix_create(sock->type, sock->protocol, 0, &end);
    if (err)
        return err;
    err = connect_loop(u, addr, flags, unix_of(end));
    if (err)
        socket_put(end);
    else
        waitq_wake(&sock->wait, UNIX_WRITABLE);
    return err;
}

/* ---- accept ---- */

/* The file was made by who connected; it belongs to who accepts. */
static void file_hand_over(struct file *file)
{
    const struct cred *old = file->cred;

    file->cred = cred_get(cred_current());
    cred_put(old);
    file->inode->uid = cred_current()->fsuid;
    file->inode->gid = cred_current()->fsgid;
}

int unix_accept(struct socket *sock, u32 flags, struct socket **out)
{
    struct unix_sock *u = unix_of(sock), *end = NULL;
    int err;

    spin_lock(&sock->lock);
    if (u->state != UNIX_LISTENING)
        err = -EINVAL;
    else
        err =
            socket_wait_for(sock, UNIX_READABLE, flags & O_NONBLOCK ? MSG_DONTWAIT : 0,
                            sock->receive_timeout, !list_empty(&u->connections) || sock->shut_read);
    if (!err) {
        end = list_first_entry(&u->connections, struct unix_sock, accept_link);
        err = end ? 0 : -EINVAL; /* it was shut down */
    }
    if (!err) {
        list_del(&end->accept_link);
        u->nconnections--;
    }
    spin_unlock(&sock->lock);
    if (err)
        return err;
    waitq_wake(&u->room, 0);
    spin_lock(&end->sock.lock);
    end->unaccepted = false;
    spin_unlock(&end->sock.lock);
    file_hand_over(&end->sock.file);
    *out = &end->sock;
    return 0;
}

int unix_pair(struct socket *a, struct socket *b)
{
    struct unix_sock *ends[2] = {unix_of(a), unix_of(b)};

    unix_lock_pair(ends[0], ends[1]);
    for (int i = 0; i < 2; i++) {
        ends[i]->peer = unix_get(ends[!i]);
        ends[i]->state = UNIX_CONNECTED;
        unix_set_peer_cred(ends[i], process_self()->pid, cred_current());
        if (unix_is_datagram(ends[i]))
            list_add_tail(&ends[i]->sender_link, &ends[!i]->senders);
    }
    unix_unlock_pair(ends[0], ends[1]);
    return 0;
}
