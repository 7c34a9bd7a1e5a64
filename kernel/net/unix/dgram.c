/* kernel/net/unix/dgram.c: datagrams and sequenced packets: one packet a message. */
#include "net/filter.h"
#include "net/internal.h"
#include "net/unix/internal.h"
#include "net/unix/unix.h"
#include "task/task.h"
#include "time/time.h"

u32 unix_queue_max = 10;

/* ---- who sends to whom ---- */

/* A pair's ends are limited by what they may send alone. */
bool unix_dgram_full(struct unix_sock *from, struct unix_sock *to)
{
    return to != from && to->peer != from && to->queued > READ_ONCE(unix_queue_max);
}

/* A socket that is connected hears its peer only. to's lock held. */
static bool may_send(const struct unix_sock *from, const struct unix_sock *to)
{
    return !to->peer || to->peer == from;
}

void unix_dgram_leave(struct unix_sock *u, struct unix_sock *peer)
{
    spin_lock(&peer->sock.lock);
    list_del(&u->sender_link);
    spin_unlock(&peer->sock.lock);
}

/* There is room again: for those who sleep, and those who poll. Lock held. */
static void room_made(struct unix_sock *u)
{
    struct unix_sock *sender;

    waitq_wake(&u->room, UNIX_WRITABLE);
    list_for_each_entry(sender, &u->senders, sender_link)
        waitq_wake(&sender->sock.wait, UNIX_WRITABLE);
}

/* What the old peer has sent is lost; it learns so when it is connected to this one. */
static void disconnected(struct unix_sock *u, struct unix_sock *old)
{
    struct list_head lost;
    bool tell;

    list_init(&lost);
    spin_lock(&u->sock.lock);
    tell = !list_empty(&u->queue);
    list_splice_tail(&u->queue, &lost);
    u->queued = 0;
    room_made(u);
    spin_unlock(&u->sock.lock);
    unix_packets_free(&lost);
    if (!tell)
        return;
    spin_lock(&old->sock.lock);
    tell = !old->dead && old->peer == u;
    if (tell)
        old->sock.error = ECONNRESET;
    spin_unlock(&old->sock.lock);
    if (tell)
        waitq_wake(&old->sock.wait, POLLERR);
}

/*
 * Whom it sends to from now on; NULL: nobody. *old: whom it sent to before, its reference too.
 * only: nothing happens unless it sends to this one; NULL: always. bind_lock held.
 */
static int peer_set(struct unix_sock *u, struct unix_sock *peer, struct unix_sock *only,
                    struct unix_sock **old)
{
    int err = 0;

    *old = NULL;
    unix_lock_pair(u, peer ? peer : u);
    if (peer && !may_send(u, peer)) {
        err = -EPERM;
    } else if (u->peer != peer && (!only || u->peer == only)) {
        *old = u->peer;
        u->peer = peer ? unix_get(peer) : NULL;
    }
    if (!err)
        u->state = u->peer ? UNIX_CONNECTED : UNIX_NEW;
    unix_unlock_pair(u, peer ? peer : u);
    return err;
}

/* The same, and both peers learn of it. One change at a time: sender_link is in one list only. */
static int peer_change(struct unix_sock *u, struct unix_sock *peer, struct unix_sock *only)
{
    struct unix_sock *old;
    int err;

    mutex_lock(&u->bind_lock);
    err = peer_set(u, peer, only, &old);
    if (old)
        unix_dgram_leave(u, old);
    if (!err && peer) {
        spin_lock(&peer->sock.lock);
        list_del(&u->sender_link);
        list_add_tail(&u->sender_link, &peer->senders);
        spin_unlock(&peer->sock.lock);
    }
    mutex_unlock(&u->bind_lock);
    if (old) {
        disconnected(u, old);
        unix_put(old);
    }
    return err;
}

int unix_dgram_connect(struct socket *sock, const struct sock_addr *addr, u32 flags)
{
    struct unix_sock *u = unix_of(sock);
    AUTO(unix_put) struct unix_sock *peer = NULL;
    int err = 0;

    (void)flags;
    if (addr->len < sizeof(addr->family))
        return -EINVAL;
    if (addr->family != AF_UNSPEC) {
        err = unix_address_check(addr);
        if (!err && unix_wants_sender(u, u))
            err = unix_autobind(u);
        if (!err)
            err = unix_find(addr, sock->type, &peer);
    }
    return err ? err : peer_change(u, peer, NULL);
}

/* ---- sending ---- */

static struct unix_sock *peer_of(struct unix_sock *u)
{
    struct unix_sock *peer;

    spin_lock(&u->sock.lock);
    peer = u->peer ? unix_get(u->peer) : NULL;
    spin_unlock(&u->sock.lock);
    return peer;
}

/* The peer is closed: a datagram socket loses it. */
static int peer_is_dead(struct unix_sock *u, struct unix_sock *peer)
{
    if (!unix_is_datagram(u))
        return -EPIPE;
    peer_change(u, NULL, peer);
    return -ECONNREFUSED;
}

/* May the packet go into the queue? -EAGAIN: not yet. The receiver's lock held. */
static int may_deliver(struct unix_sock *u, struct unix_sock *to, const struct unix_packet *packet)
{
    if (!may_send(u, to))
        return -EPERM;
    if (to->dead)
        return -ECONNREFUSED;
    if (to->sock.shut_read)
        return -EPIPE;
    if (packet->scm.files && !socket_option(&to->sock, SOCKET_PASSRIGHTS))
        return -EPERM;
    return unix_dgram_full(u, to) ? -EAGAIN : 0;
}

/* SO_ATTACH_FILTER: false when the receiver does not want it, of which the sender learns nothing. */
static bool filter_wants(struct unix_sock *to, struct unix_packet *packet)
{
    u32 keep = filter_run(&to->sock,
                          &(struct filter_packet){.data = packet->data, .data_len = packet->len});

    packet->len = MIN(packet->len, keep);
    return keep;
}

static int deliver(struct unix_sock *u, struct unix_sock *to, struct unix_packet *packet, u32 flags)
{
    ktime timeout = READ_ONCE(u->sock.send_timeout);
    int err;

    if (!filter_wants(to, packet)) {
        unix_packet_put(packet);
        return 0;
    }
    spin_lock(&to->sock.lock);
    err = may_deliver(u, to, packet);
    if (err == -EAGAIN && !(flags & MSG_DONTWAIT)) {
        err = wait_event_for(&to->room, UNIX_WRITABLE, &to->sock.lock,
                             may_deliver(u, to, packet) != -EAGAIN, WAIT_INTERRUPTIBLE,
                             socket_deadline(timeout));
        err = socket_wait_result(err, timeout);
        if (!err)
            err = may_deliver(u, to, packet);
    }
    if (!err) {
        if (to->sock.options & SOCKET_STAMPS)
            packet->stamp = time_realtime();
        unix_packet_queue(to, packet);
    }
    spin_unlock(&to->sock.lock);
    if (!err)
        waitq_wake(&to->sock.wait, UNIX_READABLE);
    return err;
}

/* What is wrong before there is a packet. *to: the peer, when no address is given. */
static int send_check(struct unix_sock *u, struct message *msg, struct unix_sock **to)
{
    int err = 0;

    if (msg->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (msg->addr)
        err = unix_address_check(msg->addr);
    else if (!(*to = peer_of(u)))
        err = -ENOTCONN;
    if (!err && unix_wants_sender(u, u))
        err = unix_autobind(u);
    if (!err && iter_left(msg->data) > READ_ONCE(u->sock.send_buffer) - 32)
        err = -EMSGSIZE;
    return err;
}

static ssize_t send_packet(struct unix_sock *u, struct message *msg, struct scm *scm)
{
    AUTO(unix_put) struct unix_sock *to = NULL;
    struct unix_packet *packet;
    u32 len = (u32)iter_left(msg->data);
    int err = send_check(u, msg, &to);

    if (err)
        return err;
    packet = unix_packet_make(u, msg, len);
    if (IS_ERR(packet))
        return PTR_ERR(packet);
    if (!to)
        err = unix_find(msg->addr, u->sock.type, &to);
    if (!err) {
        if (unix_wants_sender(u, to))
            scm_set_sender(scm);
        packet->scm = *scm;
        *scm = (struct scm){0};
        err = deliver(u, to, packet, msg->flags);
        if (err == -ECONNREFUSED)
            err = peer_is_dead(u, to);
    }
    if (err) {
        unix_packet_put(packet);
        return err;
    }
    return len;
}

ssize_t unix_dgram_send(struct socket *sock, struct message *msg)
{
    struct scm scm;
    ssize_t n = scm_take(msg, true, &scm);

    if (n)
        return n;
    n = send_packet(unix_of(sock), msg, &scm);
    scm_release(&scm);
    return n;
}

/* An address is not looked at: there is one peer. */
ssize_t unix_seqpacket_send(struct socket *sock, struct message *msg)
{
    int err;

    spin_lock(&sock->lock);
    err = socket_take_error_locked(sock);
    if (!err && unix_of(sock)->state != UNIX_CONNECTED)
        err = -ENOTCONN;
    spin_unlock(&sock->lock);
    if (err)
        return err;
    msg->addr = NULL;
    return unix_dgram_send(sock, msg);
}

/* ---- receiving ---- */

/* The packet to be read, and with MSG_PEEK where in it: bytes of SO_PEEK_OFF are passed over. Lock held. */
static struct unix_packet *find_packet(struct unix_sock *u, bool peek, u32 *offset)
{
    struct unix_packet *packet;
    u32 skip = peek && u->sock.peek_offset > 0 ? (u32)u->sock.peek_offset : 0;

    list_for_each_entry(packet, &u->queue, link) {
        if (!skip || skip < packet->len) {
            *offset = skip;
            return packet;
        }
        skip -= packet->len;
    }
    return NULL;
}

/* Out of the queue; with MSG_PEEK it stays. */
static struct unix_packet *take_packet(struct unix_sock *u, struct message *msg, u32 *offset)
{
    struct socket *sock = &u->sock;
    bool peek = msg->flags & MSG_PEEK;
    struct unix_packet *packet = NULL;
    int err;

    *offset = 0;
    spin_lock(&sock->lock);
    err = socket_take_error_locked(sock);
    if (!err)
        err = socket_wait_for(sock, UNIX_READABLE | POLLERR, msg->flags, sock->receive_timeout,
                              find_packet(u, peek, offset) || sock->error || sock->shut_read);
    if (!err)
        packet = find_packet(u, peek, offset);
    if (!err && !packet)
        err = socket_take_error_locked(sock);
    /* Linux tells the end of a datagram socket only to those who waited for it. */
    if (!err && !packet && unix_is_datagram(u) && (msg->flags & MSG_DONTWAIT))
        err = -EAGAIN;
    if (packet && peek) {
        refcount_get(&packet->ref);
    } else if (packet) {
        unix_packet_unqueue(u, packet);
        if (u->queued == READ_ONCE(unix_queue_max))
            room_made(u);
    }
    spin_unlock(&sock->lock);
    return err ? ERR_PTR(err) : packet;
}

static void move_peek_offset(struct socket *sock, bool peek, u32 len, u32 seen)
{
    spin_lock(&sock->lock);
    if (peek && sock->peek_offset >= 0)
        sock->peek_offset += (s32)seen;
    else if (!peek && sock->peek_offset > 0)
        sock->peek_offset = MAX(sock->peek_offset - (s32)len, 0);
    spin_unlock(&sock->lock);
}

static ssize_t give_packet(struct unix_sock *u, struct message *msg, struct unix_packet *packet,
                           u32 offset)
{
    bool peek = msg->flags & MSG_PEEK;
    u32 len = packet->len - offset, n = (u32)MIN((size_t)len, iter_left(msg->data));
    struct scm scm;
    int err = peek ? scm_copy(&packet->scm, &scm) : 0;

    if (err)
        return err;
    if (!peek) {
        scm = packet->scm;
        packet->scm = (struct scm){0};
    }
    if (n && copy_to_iter(msg->data, packet->data + offset, n) != (ssize_t)n) {
        scm_release(&scm);
        return -EFAULT;
    }
    move_peek_offset(&u->sock, peek, packet->len, n);
    if (msg->addr && unix_name(packet->sender))
        unix_name_tell(packet->sender, msg->addr);
    if (n < len)
        msg->out_flags |= MSG_TRUNC;
    if (packet->stamp)
        control_put_timestamp(msg, &u->sock, packet->stamp);
    scm_give(&scm, &u->sock, msg);
    return msg->flags & MSG_TRUNC ? len : n;
}

ssize_t unix_dgram_receive(struct socket *sock, struct message *msg)
{
    struct unix_sock *u = unix_of(sock);
    struct unix_packet *packet;
    ssize_t n;
    u32 offset;

    if (msg->flags & MSG_OOB)
        return -EOPNOTSUPP;
    packet = take_packet(u, msg, &offset);
    if (IS_ERR_OR_NULL(packet))
        return PTR_ERR(packet); /* NULL: the end */
    n = give_packet(u, msg, packet, offset);
    unix_packet_put(packet);
    return n;
}

ssize_t unix_seqpacket_receive(struct socket *sock, struct message *msg)
{
    return READ_ONCE(unix_of(sock)->state) == UNIX_CONNECTED ? unix_dgram_receive(sock, msg)
                                                             : -ENOTCONN;
}
