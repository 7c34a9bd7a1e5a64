/* kernel/net/inet/tcp_io.h: what tcp.c takes from tcp_send.c and tcp_receive.c. */
#ifndef INET_TCP_IO_H
#define INET_TCP_IO_H

#include "net/inet/tcp.h"

ssize_t tcp_send(struct socket *sock, struct message *msg);
ssize_t tcp_receive(struct socket *sock, struct message *msg);
/* Is the next byte to read the urgent one? conn->lock. */
bool stream_at_mark_locked(const struct tcp_stream *s);
/* Bytes that one receive could give, as SIOCINQ counts them. conn->lock. */
u64 stream_readable_locked(const struct tcp_stream *s, bool inline_urgent);

/* A turn that another thread has is soon free again, unless that thread's memory makes it wait. */
#define turn_wait(sock, lock, stream, turn)                                                        \
    wait_event_for(&(sock)->wait, TCP_TURN, lock, ((stream)->turn_wanted = true, !(stream)->turn), \
                   WAIT_KILLABLE, KTIME_FOREVER)

/* The turn was given back; conn->lock. Who waits for one is woken later, without it: turn_wake(). */
static inline bool turn_end_locked(struct tcp_stream *s, bool *turn)
{
    bool wanted = s->turn_wanted;

    *turn = false;
    s->turn_wanted = false;
    return wanted;
}

#endif
