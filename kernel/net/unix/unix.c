/* kernel/net/unix/unix.c: AF_UNIX, unix(7): life of a socket, its ends, what poll and ioctl tell. */
#include "base/string.h"
#include "cred/cred.h"
#include "mm/alloc.h"
#include "net/internal.h"
#include "net/unix/internal.h"
#include "net/unix/unix.h"
#include "task/task.h"

#include <asm/ioctls.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>

/* ---- locks ---- */

void unix_lock_pair(struct unix_sock *a, struct unix_sock *b)
{
    struct unix_sock *first = a < b ? a : b, *second = a < b ? b : a;

    spin_lock(&first->sock.lock);
    if (first != second)
        spin_lock_nested(&second->sock.lock);
}

void unix_unlock_pair(struct unix_sock *a, struct unix_sock *b)
{
    spin_unlock(&a->sock.lock);
    if (a != b)
        spin_unlock(&b->sock.lock);
}

/* ---- beginning and end ---- */

static const struct socket_ops *ops_of(int type)
{
    switch (type) {
    case SOCK_STREAM:
        return &unix_stream_ops;
    case SOCK_SEQPACKET:
        return &unix_seqpacket_ops;
    case SOCK_DGRAM:
    case SOCK_RAW: /* as on Linux: another word for it */
        return &unix_dgram_ops;
    default:
        return NULL;
    }
}

int unix_create(int type, int protocol, int flags, struct socket **out)
{
    const struct socket_ops *ops = ops_of(type);
    struct unix_sock *u;
    int err;

    if (protocol && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    if (!ops)
        return -ESOCKTNOSUPPORT;
    u = kzalloc(sizeof(*u));
    if (!u)
        return -ENOMEM;
    err =
        socket_init(&u->sock, ops, AF_UNIX, type == SOCK_RAW ? SOCK_DGRAM : type, protocol, flags);
    if (err) {
        kfree(u);
        return err;
    }
    refcount_init(&u->ref, 1);
    mutex_init(&u->bind_lock, UNIX_BIND);
    hash_node_init(&u->name_node);
    list_init(&u->queue);
    list_init(&u->senders);
    list_init(&u->sender_link);
    list_init(&u->connections);
    list_init(&u->accept_link);
    list_init(&u->inflight_link);
    waitq_init(&u->room, "socket room");
    unix_names_add(u);
    *out = &u->sock;
    return 0;
}

void unix_put(struct unix_sock *u)
{
    if (!refcount_put(&u->ref))
        return;
    if (u->name)
        unix_name_put(u->name);
    kfree(u);
}

/* unread: the other end has sent what will never be read. */
static void peer_hang_up(struct unix_sock *peer, bool unread)
{
    spin_lock(&peer->sock.lock);
    peer->sock.shut_read = peer->sock.shut_write = true;
    if (unread)
        peer->sock.error = ECONNRESET;
    spin_unlock(&peer->sock.lock);
    waitq_wake(&peer->sock.wait, UNIX_HUNG_UP);
}

/* Connections that nobody has accepted end with the listening socket. */
static void connections_drop(struct unix_sock *u)
{
    struct unix_sock *connection;

    for (;;) {
        spin_lock(&u->sock.lock);
        connection = list_first_entry(&u->connections, struct unix_sock, accept_link);
        if (connection)
            list_del(&connection->accept_link);
        spin_unlock(&u->sock.lock);
        if (!connection)
            return;
        socket_put(&connection->sock);
    }
}

static void unix_release(struct socket *sock)
{
    struct unix_sock *u = unix_of(sock), *peer;
    struct list_head unread;
    bool reset;

    unix_names_remove(u);
    list_init(&unread);
    spin_lock(&sock->lock);
    u->dead = true;
    sock->shut_read = sock->shut_write = true;
    peer = TAKE(u->peer);
    reset = u->unaccepted || !list_empty(&u->queue);
    list_splice_tail(&u->queue, &unread);
    u->queued = 0;
    u->oob = NULL;
    spin_unlock(&sock->lock);
    waitq_wake(&u->room, 0);

    if (peer) {
        if (unix_is_datagram(u))
            unix_dgram_leave(u, peer);
        else
            peer_hang_up(peer, reset);
        unix_put(peer);
    }
    connections_drop(u);
    unix_packets_free(&unread);
    unix_put(u);
    inflight_socket_ended();
}

const struct cred *unix_set_peer_cred(struct unix_sock *u, s32 pid, const struct cred *cred)
{
    const struct cred *old = u->sock.peer.cred;

    u->sock.peer.pid = pid;
    u->sock.peer.cred = cred ? cred_get(cred) : NULL;
    return old;
}

bool unix_wants_sender(const struct unix_sock *a, const struct unix_sock *b)
{
    u64 options = READ_ONCE(a->sock.options) | READ_ONCE(b->sock.options);

    return options & (BIT(SOCKET_PASSCRED) | BIT(SOCKET_PASSPIDFD));
}

/* ---- the ends ---- */

int unix_name_of(struct socket *sock, bool peer, struct sock_addr *out)
{
    struct unix_sock *u = unix_of(sock), *other = NULL;

    if (!peer) {
        unix_name_tell(u, out);
        return 0;
    }
    spin_lock(&sock->lock);
    if (u->peer)
        other = unix_get(u->peer);
    spin_unlock(&sock->lock);
    if (!other)
        return -ENOTCONN;
    unix_name_tell(other, out);
    unix_put(other);
    return 0;
}

int unix_shutdown(struct socket *sock, int how)
{
    struct unix_sock *u = unix_of(sock), *peer = NULL;
    bool reading = how != SHUT_WR, writing = how != SHUT_RD;

    spin_lock(&sock->lock);
    sock->shut_read |= reading;
    sock->shut_write |= writing;
    if (u->peer && !unix_is_datagram(u))
        peer = unix_get(u->peer);
    spin_unlock(&sock->lock);
    waitq_wake(&sock->wait, 0);
    waitq_wake(&u->room, 0);
    if (!peer)
        return 0;
    spin_lock(&peer->sock.lock);
    peer->sock.shut_write |= reading;
    peer->sock.shut_read |= writing;
    spin_unlock(&peer->sock.lock);
    waitq_wake(&peer->sock.wait, UNIX_HUNG_UP);
    unix_put(peer);
    return 0;
}

/* ---- poll, ioctl, options ---- */

/* A datagram socket that is connected can send when the other's queue has room, too. */
static bool may_send_to_peer(struct unix_sock *u)
{
    struct unix_sock *peer = NULL;
    bool full;

    if (!unix_is_datagram(u))
        return true;
    spin_lock(&u->sock.lock);
    if (u->peer)
        peer = unix_get(u->peer);
    spin_unlock(&u->sock.lock);
    if (!peer)
        return true;
    spin_lock(&peer->sock.lock);
    full = unix_dgram_full(u, peer);
    spin_unlock(&peer->sock.lock);
    unix_put(peer);
    return !full;
}

static u32 unix_poll(struct socket *sock, struct poll_table *table)
{
    struct unix_sock *u = unix_of(sock);
    bool writable;
    u32 mask = 0;

    poll_wait(&sock->file, &sock->wait, table);
    spin_lock(&sock->lock);
    if (sock->error)
        mask |= POLLERR;
    if (sock->shut_read && sock->shut_write)
        mask |= POLLHUP;
    if (sock->shut_read)
        mask |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (!list_empty(&u->queue) || !list_empty(&u->connections))
        mask |= POLLIN | POLLRDNORM;
    if (u->oob)
        mask |= POLLPRI;
    if (!unix_is_datagram(u) && u->state == UNIX_NEW)
        mask |= POLLHUP;
    writable = u->state != UNIX_LISTENING && unix_writable(u);
    spin_unlock(&sock->lock);
    if (writable && may_send_to_peer(u))
        mask |= UNIX_WRITABLE;
    return mask;
}

static long unix_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
    struct unix_sock *u = unix_of(sock);
    bool listening;
    u64 n;

    spin_lock(&sock->lock);
    listening = u->state == UNIX_LISTENING;
    n = cmd == SIOCOUTQ ? u->sent : unix_queued_bytes(u);
    spin_unlock(&sock->lock);
    switch (cmd) {
    case SIOCINQ:
    case SIOCOUTQ:
        if (listening && cmd == SIOCINQ)
            return -EINVAL;
        return put_user((int)MIN(n, (u64)INT32_MAX), (int __user *)arg);
    case SIOCATMARK:
        if (!unix_is_stream(u))
            return -ENOTTY;
        return put_user((int)unix_at_mark(u), (int __user *)arg);
    default:
        return -ENOTTY;
    }
}

static int unix_get_option(struct socket *sock, int level, int option, void *value, u32 *len)
{
    struct unix_sock *u = unix_of(sock);
    u32 info[SK_MEMINFO_VARS] = {0};

    if (level != SOL_SOCKET)
        return -EOPNOTSUPP;
    if (option != SO_MEMINFO)
        return -ENOPROTOOPT;
    spin_lock(&sock->lock);
    info[SK_MEMINFO_RMEM_ALLOC] = 0; /* what is queued is charged to who has sent it */
    info[SK_MEMINFO_RCVBUF] = sock->receive_buffer;
    info[SK_MEMINFO_WMEM_ALLOC] = u->sent;
    info[SK_MEMINFO_SNDBUF] = sock->send_buffer;
    spin_unlock(&sock->lock);
    *len = MIN(*len, (u32)sizeof(info));
    memcpy(value, info, *len);
    return 0;
}

static void unix_option_changed(struct socket *sock, int option)
{
    if (option == SO_SNDBUF || option == SO_SNDBUFFORCE || option == SO_RCVLOWAT)
        waitq_wake(&sock->wait, 0);
}

#define UNIX_OPS_COMMON                                                                            \
    .name_of = unix_name_of, .bind = unix_bind, .pair = unix_pair, .shutdown = unix_shutdown,      \
    .poll = unix_poll, .ioctl = unix_ioctl, .get_option = unix_get_option,                         \
    .option_changed = unix_option_changed, .peek_offset = true, .release = unix_release

const struct socket_ops unix_stream_ops = {
    .name = "UNIX-STREAM",
    UNIX_OPS_COMMON,
    .listen = unix_listen,
    .connect = unix_connect,
    .accept = unix_accept,
    .send = unix_stream_send,
    .receive = unix_stream_receive,
};

const struct socket_ops unix_seqpacket_ops = {
    .name = "UNIX",
    UNIX_OPS_COMMON,
    .listen = unix_listen,
    .connect = unix_connect,
    .accept = unix_accept,
    .send = unix_seqpacket_send,
    .receive = unix_seqpacket_receive,
};

const struct socket_ops unix_dgram_ops = {
    .name = "UNIX",
    UNIX_OPS_COMMON,
    .connect = unix_dgram_connect,
    .send = unix_dgram_send,
    .receive = unix_dgram_receive,
};

bool file_is_unix(const struct file *file)
{
    return file_is_socket(file) && socket_of((struct file *)file)->family == AF_UNIX;
}

static const struct socket_family unix_family = {.family = AF_UNIX, .create = unix_create};

void unix_start(void)
{
    unix_names_start();
    socket_register(&unix_family);
}
