/*
 * kernel/net/inet/tcp.h: TCP between two sockets of the instance; tcp(7), RFC 9293.
 *
 * There are no segments, and nothing to time: a connection is a pair of byte queues, and what Linux would show of a
 * handshake, FIN and RST on loopback, where they arrive at once, happens in the call that causes them. A
 * struct tcp_conn has two ends. An end belongs to a socket, or waits in a listener's queue to be accepted, and
 * lasts as long as the other one.
 *
 * Locks: the socket's own guards its phase and the listener's queues; conn->lock all of a connection. A socket's lock
 * is taken first, and no two of them. Both are held while a reset arrives, so that error and state change as one.
 */
#ifndef INET_TCP_H
#define INET_TCP_H

#include "net/inet/internal.h"
#include "time/time.h"

#include <linux/tcp.h>

/* tcp_info's states, as RFC 9293 numbers nothing and Linux does. */
enum tcp_state {
    TCP_ESTABLISHED = 1,
    TCP_SYN_SENT,
    TCP_SYN_RECV,
    TCP_FIN_WAIT1,
    TCP_FIN_WAIT2,
    TCP_TIME_WAIT,
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    TCP_LAST_ACK,
    TCP_LISTEN,
    TCP_CLOSING,
};

/* ---- one direction: stream.c ---- */

struct chunk {
    struct chunk *next;
    u32 begin, end; /* of what is in data */
    u8 data[];
};
#define CHUNK_SIZE 8192
#define CHUNK_DATA (CHUNK_SIZE - (u32)sizeof(struct chunk))

enum urgent { URGENT_NONE, URGENT_VALID, URGENT_READ };

/*
 * Bytes on their way to one end, in chunks. conn->lock guards all of it, but user memory is touched without: a reader
 * takes the reading turn and copies from chunks that are filled; a writer takes the writing turn, and copies
 * into the rest of the last chunk and into new ones, which it then links.
 */
struct tcp_stream {
    struct chunk *head, *tail, *spare;
    u64 read_at, written_at; /* bytes ever */
    bool reading, writing;
    bool turn_wanted;  /* somebody waits for a turn */
    bool starved;      /* a writer found no room, and wants to be woken */
    u32 limit;         /* bytes that writers may leave here */
    u32 receive_limit; /* of these, what the receiver holds: the rest counts as not sent yet */
    u8 urgent;         /* enum urgent */
    u64 urgent_at;     /* position of the urgent byte */
};

static inline u64 stream_fill(const struct tcp_stream *s)
{
    return s->written_at - s->read_at;
}
static inline u32 stream_room(const struct tcp_stream *s)
{
    u64 fill = stream_fill(s);

    return fill < s->limit ? s->limit - (u32)fill : 0;
}
/* poll(2): Linux wants a third of the buffer free. */
static inline bool stream_writable(const struct tcp_stream *s)
{
    return stream_fill(s) <= (u64)s->limit / 3 * 2;
}

/* What a writer has copied and not yet linked. */
struct staged {
    u32 in_tail;
    u32 total;
    struct chunk *first, *last;
};
/* With the writing turn, without lock: copies at most n bytes. Bytes, -EFAULT, -ENOMEM (when none). */
ssize_t stream_stage(struct tcp_stream *s, struct iter *from, u32 n, struct staged *staged);
void stream_publish_locked(struct tcp_stream *s, const struct staged *staged);
/* With the reading turn, without lock: copies n bytes that are there, the first `skip` left out. */
ssize_t stream_copy(const struct tcp_stream *s, struct iter *to, u64 skip, u32 n);
/* Chunks that are empty now: to be freed without lock. */
struct chunk *stream_consume_locked(struct tcp_stream *s, u64 n);
void chunks_free(struct chunk *list);
void stream_release(struct tcp_stream *s);

/* ---- connections ---- */

struct tcp_end {
    struct tcp_conn *conn; /* constant */
    struct tcp_end *peer;  /* constant: the other end, or this one when a socket meets itself */
    struct tcp_sock
        *sock; /* conn->lock to set, once; atomic to read. Counted memory. NULL: not accepted */
    struct port_user port;         /* its names; in the table while the connection is known */
    struct list_head accept_link;  /* the listener's sock.lock */
    ktime defer_until;             /* the listener's sock.lock; 0: it can be accepted */
    struct inet_sock *deferred_by; /* conn->lock; counted memory: that listener */
    struct tcp_stream in;
    bool shut;       /* conn->lock: this side sends no more (FIN) */
    bool shut_first; /* conn->lock: and was the first of the two */
    bool closed;     /* conn->lock: no socket any more */
    bool reset;      /* conn->lock: the connection was cut off (RST) */
    int error;       /* conn->lock: with which errno */
    struct outside
        *outside; /* constant: one that came from outside has no peer; only until it is accepted */
};

struct tcp_conn {
    struct refcount ref;  /* ends that are not closed, and calls under way */
    struct spinlock lock; /* class CONNECTION */
    bool alone;           /* constant: one end, met by itself or from outside */
    struct tcp_end ends[2];
};

enum tcp_phase { TCP_IDLE, TCP_LISTENING, TCP_CONNECTING, TCP_CONNECTED, TCP_FAILED };

struct tcp_settings { /* words that are read and written whole; inherited by accept(2) */
    bool nodelay, cork, quickack;
    u32 max_segment;
    u32 keep_idle, keep_interval, keep_count, syn_count, user_timeout, window_clamp;
    s32 linger2;
    u32 defer_accept, fastopen, notsent_low, thin_linear, save_syn;
    bool fastopen_connect, fastopen_no_cookie, inq;
    char congestion[16]; /* sock.lock */
};

/* inet.sock.lock guards what is not said otherwise. */
struct tcp_sock {
    struct inet_sock inet;
    u8 phase;            /* enum tcp_phase */
    bool told;           /* connect(2) has told that the connection is made */
    struct tcp_end *end; /* connected or connecting; one reference to its connection */
    struct tcp_settings set;
    /* while listening */
    struct list_head queue; /* ends to accept */
    u32 queued, backlog;
    ktime
        defer_next; /* when the timer looks for ends that have waited long enough; 0: it is not set */
    struct list_head waiting; /* sockets that connect, and found the queue full */
    /* while connecting, and the queue is full */
    struct tcp_sock *listener;     /* counted memory; own lock */
    struct list_head waiting_link; /* listener's lock */
    struct timer timer;            /* of connecting, and of TCP_DEFER_ACCEPT */
};

static inline struct tcp_sock *tcp_of(struct socket *sock)
{
    return container_of(sock, struct tcp_sock, inet.sock);
}
static inline struct tcp_sock *end_sock(struct tcp_end *end)
{
    return __atomic_load_n(&end->sock, __ATOMIC_ACQUIRE);
}
/* TCP_DEFER_ACCEPT: something has come for an end that is not accepted. */
void end_arrived(struct tcp_end *end);
/* Sleepers of that end, or of its listener if it has no socket yet. A reference to the connection is held. */
static inline void end_wake(struct tcp_end *end, u32 events)
{
    struct tcp_sock *ts = end_sock(end);

    if (ts)
        waitq_wake(&ts->inet.sock.wait, events);
    else if (READ_ONCE(end->deferred_by))
        end_arrived(end);
}

#define TCP_READ_BITS  (POLLIN | POLLRDNORM)
#define TCP_WRITE_BITS (POLLOUT | POLLWRNORM)
#define TCP_ALL_BITS   (TCP_READ_BITS | TCP_WRITE_BITS | POLLRDHUP | POLLHUP | POLLERR | POLLPRI)
#define TCP_TURN       BIT(30) /* not a poll bit: a turn is free */

/* conn.c */
struct tcp_conn *conn_create(void);
void conn_put(struct tcp_conn *conn);
DEFINE_AUTO(conn_put, struct tcp_conn *)
struct tcp_end *tcp_end_get(struct tcp_sock *ts); /* its connection counted; NULL: not connected */
void end_attach(struct tcp_end *end, struct tcp_sock *ts);
enum tcp_state end_state_locked(const struct tcp_end *end);
void end_shut(struct tcp_end *end);              /* FIN */
void end_fail(struct tcp_end *end, int error);   /* RST arrives */
void end_close(struct tcp_end *end, bool reset); /* FIN or RST; gives up the owner's reference */
void end_limits(struct tcp_end *end);            /* after a buffer's size has changed */

/* tcp_listen.c */
int tcp_listen(struct socket *sock, int backlog);
int tcp_accept(struct socket *sock, u32 flags, struct socket **out);
void tcp_listen_stop(struct tcp_sock *ts);
/* An end for the listener's queue: 0; -EAGAIN: it is full; -ECONNREFUSED: it listens no more. sock.lock held. */
int tcp_offer_locked(struct tcp_sock *listener, struct tcp_end *end);
/* The first end that can be accepted; NULL. sock.lock held. */
struct tcp_end *tcp_first_ready_locked(struct tcp_sock *listener);
void tcp_deferred_timeout(struct tcp_sock *listener);

/* tcp_connect.c */
int tcp_connect(struct socket *sock, const struct sock_addr *addr, u32 flags);
void tcp_connection_made(struct tcp_sock *ts); /* its listener has taken it */
void tcp_connect_stop(struct tcp_sock *ts, int error);
void tcp_connect_forget(struct tcp_sock *ts);   /* the listener that it waited for */
void tcp_outside_progress(struct tcp_sock *ts); /* what a connection that was begun has come to */
struct tcp_sock *tcp_sock_create(int family, int flags); /* ERR_PTR */

/* tcp.c */
enum tcp_state tcp_state(struct tcp_sock *ts);
/* As new, but for its name and options: connect(2) of AF_UNSPEC. */
void tcp_disconnect(struct tcp_sock *ts, bool reset);

/* tcp_options.c */
void tcp_settings_init(struct tcp_settings *set);
u32 tcp_retries_to_seconds(u32 retries); /* TCP_DEFER_ACCEPT as it is kept, and as it is told */
int tcp_set_option(struct socket *sock, int level, int option, const void *value, u32 len);
int tcp_get_option(struct socket *sock, int level, int option, void *value, u32 *len);

#endif
