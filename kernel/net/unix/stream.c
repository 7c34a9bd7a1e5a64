/*
 * kernel/net/unix/stream.c: bytes of a stream, in packets of up to 32 KiB. The program's memory is never touched under the
 * lock: a packet is filled before it is queued, and a reader takes the turn of reading, copies out, and then takes
 * from the queue what it has copied.
 */
#include "net/unix/internal.h"
#include "task/task.h"
#include "time/time.h"

/* With its head a packet of the largest size fills 32 KiB. */
#define CHUNK (32768U - (u32)sizeof(struct unix_packet))

/* ---- sending ---- */

/* Counted, or NULL. */
static struct unix_sock *peer_of(struct unix_sock *u)
{
    struct unix_sock *peer;

    spin_lock(&u->sock.lock);
    peer = u->peer ? unix_get(u->peer) : NULL;
    spin_unlock(&u->sock.lock);
    return peer;
}

static int deliver(struct unix_sock *peer, struct unix_packet *packet, bool oob)
{
    int err = 0;

    spin_lock(&peer->sock.lock);
    if (peer->dead || peer->sock.shut_read)
        err = -EPIPE;
    else if (packet->scm.files && !socket_option(&peer->sock, SOCKET_PASSRIGHTS))
        err = -EPERM;
    if (!err) {
        if (peer->sock.options & SOCKET_STAMPS)
            packet->stamp = time_realtime();
        unix_packet_queue(peer, packet);
        if (oob)
            peer->oob = packet;
    }
    spin_unlock(&peer->sock.lock);
    if (err)
        unix_packet_put(packet);
    else
        waitq_wake(&peer->sock.wait, oob ? UNIX_READABLE | POLLPRI : UNIX_READABLE);
    return err;
}

/* One packet; the first takes the files along. */
static int send_chunk(struct unix_sock *u, struct unix_sock *peer, struct message *msg,
                      struct scm *scm, u32 len, bool oob)
{
    struct unix_packet *packet = unix_packet_make(u, msg, len);

    if (IS_ERR(packet))
        return (int)PTR_ERR(packet);
    packet->scm = *scm;
    *scm = (struct scm){.process = packet->scm.process, .uid = scm->uid, .gid = scm->gid};
    if (scm->process)
        process_get(scm->process);
    return deliver(peer, packet, oob);
}

static ssize_t send_all(struct unix_sock *u, struct unix_sock *peer, struct message *msg,
                        struct scm *scm)
{
    size_t done = 0, total = iter_left(msg->data);
    bool oob = msg->flags & MSG_OOB; /* the last byte, by itself */

    while (done < total) {
        u32 half = READ_ONCE(u->sock.send_buffer) / 2;
        bool last = oob && done + 1 == total;
        size_t left = total - done - (oob && !last);
        u32 len = (u32)MIN(left, (size_t)MIN(CHUNK, half));
        int err = send_chunk(u, peer, msg, scm, len, last);

        if (err)
            return done ? (ssize_t)done : err;
        done += len;
    }
    return (ssize_t)done;
}

ssize_t unix_stream_send(struct socket *sock, struct message *msg)
{
    struct unix_sock *u = unix_of(sock);
    AUTO(unix_put) struct unix_sock *peer = NULL;
    struct scm scm;
    ssize_t n;

    n = scm_take(msg, true, &scm);
    if (n)
        return n;
    peer = peer_of(u);
    if ((msg->flags & MSG_OOB) && !iter_left(msg->data))
        n = -EOPNOTSUPP;
    else if (msg->addr)
        n = READ_ONCE(u->state) == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    else if (!peer)
        n = -ENOTCONN;
    else if (READ_ONCE(sock->shut_write))
        n = -EPIPE;
    if (!n) {
        if (unix_wants_sender(u, peer))
            scm_set_sender(&scm);
        n = send_all(u, peer, msg, &scm);
    }
    scm_release(&scm);
    return n;
}

/* ---- receiving ---- */

/* A receive on its way through the queue. */
struct reading {
    struct unix_sock *u;
    struct message *msg;
    size_t copied, target;    /* target: enough not to wait for more */
    bool peek;                /* MSG_PEEK: everything stays */
    u32 skip;                 /* bytes to pass over first: SO_PEEK_OFF */
    struct unix_packet *last; /* with MSG_PEEK: whose bytes were copied last; the turn keeps it */
    bool turn;                /* we have it */
    bool stop;                /* the mark: what follows is for another call */
    bool known;               /* scm says who has sent what was copied */
    struct scm scm;
    ktime stamp;
    struct list_head done; /* packets to be freed */
};

/* A byte out of band, or the place where one was. */
static bool is_mark(const struct unix_sock *u, const struct unix_packet *packet)
{
    return packet == u->oob || packet->taken == packet->len;
}

/*
 * The packet to go on with, and where in it: NULL at the queue's end, or at the mark: bytes before and behind it never come
 * in one call. A byte out of band itself is passed over unless it is read in line. Lock held.
 */
static struct unix_packet *find_packet(struct reading *r, u32 *offset)
{
    struct unix_sock *u = r->u;
    struct list_head *at = r->last ? r->last->link.next : u->queue.next;
    bool inlined = socket_option(&u->sock, SOCKET_OOBINLINE);
    u32 skip = r->skip;

    for (; at != &u->queue; at = at->next) {
        struct unix_packet *packet = list_entry(at, struct unix_packet, link);
        u32 left = packet->len - packet->taken;

        if (is_mark(u, packet)) {
            r->stop = r->copied > 0;
            if (r->stop)
                return NULL;
            if (!left || !inlined)
                continue;
        }
        if (skip < left) {
            *offset = packet->taken + skip;
            return packet;
        }
        skip -= left;
    }
    return NULL;
}

static bool may_go_on(struct reading *r)
{
    struct unix_sock *u = r->u;
    u32 offset;

    return !u->reading && (find_packet(r, &offset) || u->sock.error || u->sock.shut_read);
}

static void turn_give_locked(struct unix_sock *u)
{
    u->reading = false;
    waitq_wake(&u->sock.wait, UNIX_TURN);
}

/* The next packet; the turn is held, but while there is nothing to read. 1, 0: that was all, or an error. Lock held. */
static int packet_wait(struct reading *r, struct unix_packet **out, u32 *offset)
{
    struct unix_sock *u = r->u;
    struct socket *sock = &u->sock;
    int err;

    while (!(*out = find_packet(r, offset))) {
        if (r->stop || r->copied >= r->target)
            return 0;
        if (sock->error)
            return r->copied ? 0 : socket_take_error_locked(sock);
        if (sock->shut_read)
            return 0;
        turn_give_locked(u);
        err = socket_wait_for(sock, UNIX_READABLE | UNIX_TURN, r->msg->flags, sock->receive_timeout,
                              may_go_on(r));
        r->turn = !u->reading; /* else it ended early, and somebody else has it */
        u->reading = true;
        if (err)
            return err;
    }
    return 1;
}

/* What goes along with the packet; -ESTALE: it comes from somebody else than what was read so far. */
static int take_along(struct reading *r, struct unix_packet *packet)
{
    struct scm files = {.files = packet->scm.files}, copy;
    int err;

    if (!r->known) {
        r->scm = (struct scm){
            .process = packet->scm.process, .uid = packet->scm.uid, .gid = packet->scm.gid};
        if (r->scm.process)
            process_get(r->scm.process);
        r->stamp = packet->stamp;
        r->known = true;
    } else if (unix_wants_sender(r->u, r->u) && !scm_same_sender(&r->scm, &packet->scm)) {
        return -ESTALE;
    }
    if (!files.files)
        return 0;
    if (r->peek) {
        err = scm_copy(&files, &copy);
        if (err)
            return err;
        r->scm.files = copy.files;
    } else {
        r->scm.files = TAKE(packet->scm.files);
    }
    return 0;
}

/* n bytes of the packet were copied. Lock and turn held. */
static void packet_taken(struct reading *r, struct unix_packet *packet, u32 n)
{
    struct unix_sock *u = r->u;
    s32 offset = u->sock.peek_offset;

    r->copied += n;
    if (r->peek) {
        if (offset >= 0)
            u->sock.peek_offset = offset + (s32)n;
        r->last = packet;
        r->skip = 0;
        return;
    }
    if (offset > 0)
        u->sock.peek_offset = MAX(offset - (s32)n, 0);
    if (packet == u->oob)
        u->oob = NULL; /* read in line */
    /* Marks in front of it were passed over. */
    while (list_first_entry(&u->queue, struct unix_packet, link) != packet) {
        struct unix_packet *mark = list_first_entry(&u->queue, struct unix_packet, link);

        unix_packet_unqueue(u, mark);
        list_add_tail(&mark->link, &r->done);
    }
    packet->taken += n;
    if (packet->taken == packet->len) {
        unix_packet_unqueue(u, packet);
        list_add_tail(&packet->link, &r->done);
    }
}

/* Copies one packet's bytes. 1: there may be more to read; 0: not in this call. Lock held, but not while it copies. */
static int read_packet(struct reading *r)
{
    struct socket *sock = &r->u->sock;
    struct unix_packet *packet;
    ssize_t n;
    u32 offset, want;
    int err = packet_wait(r, &packet, &offset);

    if (err <= 0)
        return err;
    want = (u32)MIN((size_t)(packet->len - offset), iter_left(r->msg->data));
    spin_unlock(&sock->lock);
    n = take_along(r, packet);
    if (!n && want)
        n = copy_to_iter(r->msg->data, packet->data + offset, want);
    spin_lock(&sock->lock);
    if (n == -ESTALE)
        return 0;
    if (n < 0)
        return (int)n;
    packet_taken(r, packet, (u32)n);
    return (u32)n == want && !r->scm.files;
}

static int read_loop(struct reading *r)
{
    struct unix_sock *u = r->u;
    struct socket *sock = &u->sock;
    int err;

    spin_lock(&sock->lock);
    if (u->state != UNIX_CONNECTED) {
        spin_unlock(&sock->lock);
        return -EINVAL;
    }
    /* Who has the turn is copying, or has just left: this wait is short. */
    err = socket_wait_for(sock, UNIX_TURN, 0, 0, !u->reading);
    if (err) {
        spin_unlock(&sock->lock);
        return err;
    }
    u->reading = r->turn = true;
    r->skip = r->peek && sock->peek_offset > 0 ? (u32)sock->peek_offset : 0;
    do {
        err = read_packet(r);
    } while (err > 0 && iter_left(r->msg->data));
    if (r->turn)
        turn_give_locked(u);
    spin_unlock(&sock->lock);
    return MIN(err, 0);
}

/* MSG_OOB: the byte itself. The place where it was stays the mark. */
static ssize_t receive_oob(struct unix_sock *u, struct message *msg)
{
    struct socket *sock = &u->sock;
    struct unix_packet *packet;
    u8 byte;

    spin_lock(&sock->lock);
    packet = socket_option(sock, SOCKET_OOBINLINE) ? NULL : u->oob;
    if (packet)
        byte = packet->data[0];
    if (packet && !(msg->flags & MSG_PEEK)) {
        packet->taken = packet->len;
        u->oob = NULL;
    }
    spin_unlock(&sock->lock);
    if (!packet)
        return -EINVAL;
    msg->out_flags |= MSG_OOB;
    return copy_to_iter(msg->data, &byte, sizeof(byte));
}

bool unix_at_mark(struct unix_sock *u)
{
    const struct unix_packet *first;
    bool at;

    spin_lock(&u->sock.lock);
    first = list_first_entry(&u->queue, struct unix_packet, link);
    at = first && is_mark(u, first);
    spin_unlock(&u->sock.lock);
    return at;
}

ssize_t unix_stream_receive(struct socket *sock, struct message *msg)
{
    struct unix_sock *u = unix_of(sock);
    AUTO(unix_put) struct unix_sock *peer = NULL;
    size_t want = iter_left(msg->data);
    struct reading r = {.u = u, .msg = msg, .peek = msg->flags & MSG_PEEK};
    int err;

    if (msg->flags & MSG_OOB)
        return receive_oob(u, msg);
    list_init(&r.done);
    r.target = msg->flags & MSG_WAITALL ? want : MIN(want, (size_t)READ_ONCE(sock->receive_low));
    r.target = MAX(r.target, (size_t)1);
    err = read_loop(&r);
    unix_packets_free(&r.done);
    if (r.copied && msg->addr) {
        peer = peer_of(u);
        if (peer && unix_name(peer))
            unix_name_tell(peer, msg->addr);
    }
    if (r.known && !r.copied && err)
        scm_release(&r.scm);
    else if (r.known) {
        if (r.stamp)
            control_put_timestamp(msg, sock, r.stamp);
        scm_give(&r.scm, sock, msg);
    }
    return r.copied ? (ssize_t)r.copied : err;
}
