/* kernel/net/unix/packet.c: packets between sockets of AF_UNIX, and the buffer of the sender that they take. */
#include "mm/alloc.h"
#include "net/unix/internal.h"

/* As on Linux a writer is not woken before three quarters of its buffer are free: fewer wake-ups. */
bool unix_writable(const struct unix_sock *u)
{
    return (u64)u->sent * 4 <= u->sock.send_buffer;
}

u64 unix_queued_bytes(const struct unix_sock *u)
{
    const struct unix_packet *packet;
    u64 n = 0;

    list_for_each_entry(packet, &u->queue, link) {
        n += packet->len - packet->taken;
        if (unix_is_datagram(u))
            break;
    }
    return n;
}

static int charge(struct unix_sock *u, u32 flags, u32 bytes)
{
    struct socket *sock = &u->sock;
    int err;

    spin_lock(&sock->lock);
    err = socket_wait_for(sock, POLLOUT, flags, sock->send_timeout,
                          u->sent < sock->send_buffer || sock->error || sock->shut_write);
    if (sock->error)
        err = socket_take_error_locked(sock);
    else if (sock->shut_write)
        err = -EPIPE;
    if (!err)
        u->sent += bytes;
    spin_unlock(&sock->lock);
    return err;
}

static void uncharge(struct unix_sock *u, u32 bytes)
{
    bool wake;

    spin_lock(&u->sock.lock);
    u->sent -= bytes;
    wake = unix_writable(u);
    spin_unlock(&u->sock.lock);
    if (wake)
        waitq_wake(&u->sock.wait, UNIX_WRITABLE);
}

struct unix_packet *unix_packet_make(struct unix_sock *sender, struct message *msg, u32 len)
{
    u32 size = (u32)sizeof(struct unix_packet) + len;
    struct unix_packet *packet;
    int err = charge(sender, msg->flags, size);

    if (err)
        return ERR_PTR(err);
    packet = kmalloc(size);
    if (!packet) {
        uncharge(sender, size);
        return ERR_PTR(-ENOBUFS);
    }
    *packet = (struct unix_packet){.charge = size, .len = len, .sender = unix_get(sender)};
    list_init(&packet->link);
    refcount_init(&packet->ref, 1);
    if (len && copy_from_iter(msg->data, packet->data, len) != (ssize_t)len) {
        unix_packet_put(packet);
        return ERR_PTR(-EFAULT);
    }
    return packet;
}

void unix_packet_put(struct unix_packet *packet)
{
    struct unix_sock *sender = packet->sender;

    if (!refcount_put(&packet->ref))
        return;
    scm_release(&packet->scm);
    uncharge(sender, packet->charge);
    kfree(packet);
    unix_put(sender);
}

void unix_packets_free(struct list_head *packets)
{
    struct unix_packet *packet;

    while ((packet = list_first_entry(packets, struct unix_packet, link))) {
        list_del(&packet->link);
        unix_packet_put(packet);
    }
}

void unix_packet_queue(struct unix_sock *to, struct unix_packet *packet)
{
    list_add_tail(&packet->link, &to->queue);
    to->queued++;
}

void unix_packet_unqueue(struct unix_sock *from, struct unix_packet *packet)
{
    list_del(&packet->link);
    from->queued--;
    if (from->oob == packet)
        from->oob = NULL;
}
