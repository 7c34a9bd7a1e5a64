/* kernel/net/hostsock/connection.c: what inet asks of a socket outside. Nothing here waits. */
#include "abi/unexported.h"
#include "mm/alloc.h"
#include "net/hostsock/internal.h"

#include <asm/ioctls.h>
#include <linux/sockios.h>

#define PIECE     ((size_t)65536) /* bytes that go through kernel memory at once */
#define ALL_BITS  (POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLERR | POLLHUP)
#define READ_BITS (POLLIN | POLLRDHUP)

/* ---- addresses ---- */

bool address_of(int family, const struct endpoint *from, struct target_address *to)
{
    *to = (struct target_address){.family = (u16)family, .port = from->port};
    if (family == AF_INET) {
        if (!ip_is_v4(&from->ip) && !ip_is_any(&from->ip))
            return false;
        memcpy(to->ip, &from->ip.s6_addr32[3], 4);
        return true;
    }
    memcpy(to->ip, &from->ip, 16);
    to->scope = from->scope;
    return true;
}

void endpoint_of(const struct target_address *from, struct endpoint *to)
{
    *to = (struct endpoint){.port = from->port};
    if (from->family == AF_INET) {
        u32 v4;

        memcpy(&v4, from->ip, sizeof(v4));
        to->ip = ip_of_v4(swap32(v4));
    } else {
        memcpy(&to->ip, from->ip, 16);
        to->scope = from->scope;
    }
}

/* ---- life ---- */

int hostsock_create(int file, int family, int type, struct hostsock **out)
{
    struct hostsock *hs = kzalloc(sizeof(*hs));
    int err = -ENOMEM;

    if (hs) {
        hs->out.ops = &hostsock_ops;
        hs->file = file;
        hs->family = (u16)family;
        hs->type = (u16)type;
        err = host_watch_add(&hs->watch, file, hostsock_news);
    }
    if (err) {
        host_socket_close(file);
        kfree(hs);
        return err;
    }
    *out = hs;
    return 0;
}

void hostsock_belongs_to(struct hostsock *hs, struct socket *sock)
{
    if (likely(__atomic_load_n(&hs->sock, __ATOMIC_ACQUIRE) == sock))
        return;
    __atomic_store_n(&hs->sock, sock, __ATOMIC_SEQ_CST);
    waitq_feed_by_host(&sock->wait);
}

static void connection_release(struct outside *out, bool reset)
{
    struct hostsock *hs = hostsock_of(out);

    host_watch_remove(&hs->watch);
    if (reset && hs->type == SOCK_STREAM)
        (void)host_socket_set(hs->file, TARGET_OPTION_LINGER, 0);
    host_socket_close(hs->file);
    kfree(hs);
}

/* ---- sending ---- */

static int sending_flags(const struct message *msg)
{
    return (msg->flags & MSG_OOB ? TARGET_MESSAGE_OOB : 0) |
           (msg->flags & MSG_MORE ? TARGET_MESSAGE_MORE : 0);
}

/* The piece's bytes are taken from the program first; what the host did not take goes back. */
static ssize_t send_piece(struct hostsock *hs, struct message *msg, u8 *piece, size_t len,
                          const struct target_address *to)
{
    ssize_t got = len ? copy_from_iter(msg->data, piece, len) : 0;
    u64 state = hostsock_state(hs);
    s64 put;

    if (got < 0)
        return got;
    if ((size_t)got < len && hs->type != SOCK_STREAM) {
        iter_revert(msg->data, (size_t)got);
        return -EFAULT;
    }
    put = host_socket_send(hs->file, piece, (size_t)got, sending_flags(msg), to);
    if (put == -EAGAIN)
        hostsock_spent(hs, state, POLLOUT, 0);
    else
        hostsock_spent(hs, state, 0, POLLOUT);
    iter_revert(msg->data, (size_t)(put < 0 ? got : got - put));
    return put;
}

static ssize_t connection_send(struct outside *out, struct socket *sock, struct message *msg)
{
    struct hostsock *hs = hostsock_of(out);
    size_t len = iter_left(msg->data);
    struct target_address to;
    struct endpoint end;
    ssize_t result;
    u8 *piece;

    hostsock_belongs_to(hs, sock);
    if (hs->type != SOCK_STREAM && len > HOST_DATAGRAM_MAX)
        return -EMSGSIZE;
    if (msg->addr && (endpoint_of_address(msg->addr, &end) || !address_of(hs->family, &end, &to)))
        return -ENETUNREACH;
    len = MIN(len, PIECE);
    piece = kmalloc(MAX(len, (size_t)1));
    if (!piece)
        return -ENOMEM;
    result = send_piece(hs, msg, piece, len, msg->addr ? &to : NULL);
    kfree(piece);
    return result;
}

/* ---- receiving ---- */

static int receiving_flags(const struct message *msg)
{
    return (msg->flags & MSG_OOB ? TARGET_MESSAGE_OOB : 0) |
           (msg->flags & MSG_PEEK ? TARGET_MESSAGE_PEEK : 0);
}

static void received(struct hostsock *hs, u64 state, s64 got, size_t asked)
{
    bool end = got == 0; /* stays readable: the end of the stream */

    if (got == -EAGAIN || (hs->type == SOCK_STREAM && got > 0 && (size_t)got < asked))
        hostsock_spent(hs, state, POLLIN, 0);
    else if (!end)
        hostsock_spent(hs, state, 0, READ_BITS | POLLPRI);
}

static ssize_t receive_stream(struct hostsock *hs, struct message *msg, u8 *piece, size_t len)
{
    u64 state = hostsock_state(hs);
    s64 got = host_socket_receive(hs->file, piece, len, receiving_flags(msg));

    if (!(msg->flags & (MSG_PEEK | MSG_OOB)))
        received(hs, state, got, len);
    else if (got == -EAGAIN)
        hostsock_spent(hs, state, POLLIN, 0);
    if (got > 0 && (msg->flags & MSG_OOB))
        msg->out_flags |= MSG_OOB;
    /* tcp(7): MSG_TRUNC throws the bytes away. */
    return got > 0 && !(msg->flags & MSG_TRUNC) ? copy_to_iter(msg->data, piece, (size_t)got)
                                                : (ssize_t)got;
}

static ssize_t receive_datagram(struct hostsock *hs, struct socket *sock, struct message *msg,
                                u8 *piece, size_t len)
{
    u64 state = hostsock_state(hs);
    struct target_address from;
    struct endpoint end;
    ssize_t copied = 0;
    s64 got =
        host_socket_receive_from(hs->file, hs->family, piece, len, receiving_flags(msg), &from);

    received(hs, state, got, len);
    if (got < 0)
        return (ssize_t)got;
    if (msg->addr) {
        endpoint_of(&from, &end);
        endpoint_to(sock->family, &end, msg->addr);
    }
    if (got > 0 && len > 0)
        copied = copy_to_iter(msg->data, piece, MIN((size_t)got, len));
    if (copied < 0)
        return copied;
    if ((size_t)got > len)
        msg->out_flags |= MSG_TRUNC;
    return msg->flags & MSG_TRUNC ? (ssize_t)got : copied;
}

static ssize_t connection_receive(struct outside *out, struct socket *sock, struct message *msg)
{
    struct hostsock *hs = hostsock_of(out);
    bool stream = hs->type == SOCK_STREAM;
    size_t len = MIN(iter_left(msg->data), stream ? PIECE : (size_t)HOST_DATAGRAM_MAX);
    ssize_t result;
    u8 *piece;

    hostsock_belongs_to(hs, sock);
    piece = kmalloc(MAX(len, (size_t)1));
    if (!piece)
        return -ENOMEM;
    result =
        stream ? receive_stream(hs, msg, piece, len) : receive_datagram(hs, sock, msg, piece, len);
    kfree(piece);
    return result;
}

/* ---- the rest ---- */

static int connection_connect(struct outside *out, struct socket *sock, const struct endpoint *peer)
{
    struct hostsock *hs = hostsock_of(out);
    struct target_address to = {0};

    hostsock_belongs_to(hs, sock);
    if (peer && !address_of(hs->family, peer, &to))
        return -ENETUNREACH;
    return host_socket_connect(hs->file, &to);
}

static int connection_shutdown(struct outside *out, struct socket *sock, int how)
{
    return host_socket_shutdown(hostsock_of(out)->file, how);
}

/* The host's pending error becomes the socket's, which SO_ERROR gives out. */
static void note_error(struct hostsock *hs, struct socket *sock)
{
    int err = host_socket_error(hs->file);

    if (!err)
        return;
    spin_lock(&sock->lock);
    sock->error = -err;
    spin_unlock(&sock->lock);
}

static u32 connection_poll(struct outside *out, struct socket *sock, struct poll_table *table)
{
    struct hostsock *hs = hostsock_of(out);
    u32 mask;

    hostsock_belongs_to(hs, sock);
    mask = hostsock_holds(hs, ALL_BITS);
    if (mask & POLLERR)
        note_error(hs, sock);
    return mask | (mask & POLLIN ? POLLRDNORM : 0) | (mask & POLLOUT ? POLLWRNORM : 0);
}

static void connection_watch(struct outside *out, struct socket *sock, u32 events)
{
    struct hostsock *hs = hostsock_of(out);
    u32 seen;

    hostsock_belongs_to(hs, sock);
    seen = (u32)hostsock_state(hs) & (events | POLLERR | POLLHUP);
    if (seen)
        outside_ready(sock, seen);
}

static int connection_connected(struct outside *out, struct socket *sock)
{
    struct hostsock *hs = hostsock_of(out);

    hostsock_belongs_to(hs, sock);
    if (!hostsock_holds(hs, POLLOUT | POLLERR | POLLHUP))
        return -EINPROGRESS;
    return host_socket_error(hs->file);
}

static int connection_count(struct outside *out, struct socket *sock, unsigned int cmd)
{
    int file = hostsock_of(out)->file;

    switch (cmd) {
    case SIOCINQ:
        return (int)host_socket_count(file, TARGET_COUNT_IN);
    case SIOCOUTQ:
        return (int)host_socket_count(file, TARGET_COUNT_OUT);
    case SIOCATMARK:
        return (int)host_socket_count(file, TARGET_COUNT_MARK);
    default:
        return -ENOTTY;
    }
}

const struct outside_ops hostsock_ops = {
    .send = connection_send,
    .receive = connection_receive,
    .connect = connection_connect,
    .shutdown = connection_shutdown,
    .poll = connection_poll,
    .watch = connection_watch,
    .connected = connection_connected,
    .set_option = hostsock_set_option,
    .get_option = hostsock_get_option,
    .count = connection_count,
    .release = connection_release,
};
