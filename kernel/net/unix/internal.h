/* kernel/net/unix/internal.h: sockets of AF_UNIX, unix(7). */
#ifndef UNIX_INTERNAL_H
#define UNIX_INTERNAL_H

#include "base/hashtable.h"
#include "base/list.h"
#include "base/refcount.h"
#include "net/scm.h"
#include "net/socket.h"
#include "net/unix/inflight.h"
#include "vfs/path.h"

#include <linux/un.h>

/* What sendto(2) and its kin put into a queue. */
struct unix_packet {
    struct list_head link;    /* the receiver's lock */
    struct refcount ref;      /* the queue, and those who look at it without the lock (MSG_PEEK) */
    struct unix_sock *sender; /* constant; counted */
    u32 charge;               /* constant; bytes of the sender's buffer that it takes */
    u32 len;                  /* constant once it is queued */
    u32 taken;                /* of a stream, by the receiver's lock: bytes that were read */
    ktime stamp;              /* constant: realtime; 0: nobody asked */
    struct scm scm; /* the receiver's lock: of a stream the files go with the first byte */
    u8 data[];
};

/* A name that is bound: shared by the sockets that accept(2) made from a listening one. */
struct unix_name {
    struct refcount ref;
    u32 len; /* of the address, family included */
    struct sockaddr_un address;
};

enum unix_state { UNIX_NEW, UNIX_LISTENING, UNIX_CONNECTED };

struct unix_sock {
    struct socket sock;     /* sock.lock is "lock" below */
    struct refcount ref;    /* the open file; peers; packets on their way */
    enum unix_state state;  /* lock */
    bool dead;              /* lock; the file is closed */
    struct unix_sock *peer; /* lock; counted; where what is sent goes */

    struct mutex bind_lock;     /* class UNIX_BIND: one bind at a time */
    struct unix_name *name;     /* set once, atomically; counted */
    struct hash_node name_node; /* names' lock; when it owns an abstract name */
    struct path path;           /* names' lock; of the name in the file system */

    struct list_head queue; /* lock; packets to be read */
    u32 queued;             /* lock; how many */
    bool reading; /* lock; the turn of reading a stream, while it is copied without lock */
    struct unix_packet *oob; /* lock; in the queue: the byte out of band, not yet read */
    u32 sent;                /* lock; bytes charged for packets that nobody has read yet */

    /* datagrams: those who connected to this socket, and who waits for room in its queue */
    struct list_head senders;     /* lock; sender_link of others */
    struct list_head sender_link; /* lock of the peer */
    struct waitq room;

    /* listening: connections that accept(2) has not taken; each has one reference of its file */
    struct list_head connections; /* lock; accept_link */
    struct list_head accept_link; /* lock of the listening socket */
    u32 nconnections, backlog;    /* lock */
    bool unaccepted;              /* lock; lies in that queue */

    /* inflight.c */
    struct list_head inflight_link; /* its lock */
    u32 inflight;                   /* its lock; how often the file lies in queues */
    u32 held;                       /* its lock; while it collects: references from elsewhere */
    enum unix_mark { UNIX_UNMARKED, UNIX_CANDIDATE, UNIX_REACHED } mark;
    struct list_head all; /* names' lock; of all, for /proc/net/unix */
};

static inline struct unix_sock *unix_of(struct socket *sock)
{
    return container_of(sock, struct unix_sock, sock);
}
static inline struct unix_sock *unix_get(struct unix_sock *u)
{
    refcount_get(&u->ref);
    return u;
}
void unix_put(struct unix_sock *u);
DEFINE_AUTO(unix_put, struct unix_sock *)

static inline bool unix_is_stream(const struct unix_sock *u)
{
    return u->sock.type == SOCK_STREAM;
}
static inline bool unix_is_datagram(const struct unix_sock *u)
{
    return u->sock.type == SOCK_DGRAM;
}

/* Two sockets by address; they may be the same. */
void unix_lock_pair(struct unix_sock *a, struct unix_sock *b);
void unix_unlock_pair(struct unix_sock *a, struct unix_sock *b);

/* ---- unix.c ---- */

int unix_create(int type, int protocol, int flags, struct socket **out);
/* The calling thread is whom the other end sees. Lock held. The old one's reference is the caller's to put. */
const struct cred *unix_set_peer_cred(struct unix_sock *u, s32 pid, const struct cred *cred);
int unix_shutdown(struct socket *sock, int how);
int unix_name_of(struct socket *sock, bool peer, struct sock_addr *out);
/* Does either end want to know who sends? */
bool unix_wants_sender(const struct unix_sock *a, const struct unix_sock *b);

/* ---- names.c ---- */

void unix_names_start(void);
int unix_bind(struct socket *sock, const struct sock_addr *addr);
int unix_autobind(struct unix_sock *u); /* an abstract name of five digits, if it has none */
/* The socket that an address names, counted. -EINVAL, -ENOENT, -EACCES, -ECONNREFUSED, -EPROTOTYPE ... */
int unix_find(const struct sock_addr *addr, int type, struct unix_sock **out);
int unix_address_check(const struct sock_addr *addr);
void unix_name_put(struct unix_name *name);
static inline struct unix_name *unix_name(const struct unix_sock *u)
{
    return __atomic_load_n(&u->name, __ATOMIC_ACQUIRE);
}
void unix_name_tell(const struct unix_sock *u, struct sock_addr *out);
void unix_names_add(struct unix_sock *u);
void unix_names_remove(struct unix_sock *u); /* the file is closed */
/* All sockets, one after another: counted, puts the last one. */
struct unix_sock *unix_names_next(struct unix_sock *last);

/* ---- packet.c ---- */

#define UNIX_READABLE (POLLIN | POLLRDNORM | POLLRDBAND)
#define UNIX_WRITABLE (POLLOUT | POLLWRNORM | POLLWRBAND)
#define UNIX_TURN     BIT(30) /* no poll bit: the turn of reading is free */
#define UNIX_HUNG_UP                                                                               \
    (UNIX_READABLE | UNIX_WRITABLE | POLLPRI | POLLERR | POLLHUP | POLLRDHUP | UNIX_TURN)

/*
 * A packet of len bytes from the message's data, charged to the sender; waits for room. ERR_PTR: also the socket's error,
 * -EPIPE (it may not send any more), -EFAULT.
 */
struct unix_packet *unix_packet_make(struct unix_sock *sender, struct message *msg, u32 len);
void unix_packet_put(struct unix_packet *packet);
void unix_packets_free(struct list_head *packets);
/* The receiver's lock held. */
void unix_packet_queue(struct unix_sock *to, struct unix_packet *packet);
void unix_packet_unqueue(struct unix_sock *from, struct unix_packet *packet);
bool unix_writable(const struct unix_sock *u);
u64 unix_queued_bytes(const struct unix_sock *u); /* lock held */

/* ---- connect.c, stream.c, dgram.c ---- */

extern const struct socket_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;
int unix_listen(struct socket *sock, int backlog);
int unix_connect(struct socket *sock, const struct sock_addr *addr, u32 flags);
int unix_accept(struct socket *sock, u32 flags, struct socket **out);
int unix_pair(struct socket *a, struct socket *b);
ssize_t unix_stream_send(struct socket *sock, struct message *msg);
ssize_t unix_stream_receive(struct socket *sock, struct message *msg);
bool unix_at_mark(struct unix_sock *u);
int unix_dgram_connect(struct socket *sock, const struct sock_addr *addr, u32 flags);
ssize_t unix_dgram_send(struct socket *sock, struct message *msg);
ssize_t unix_dgram_receive(struct socket *sock, struct message *msg);
ssize_t unix_seqpacket_send(struct socket *sock, struct message *msg);
ssize_t unix_seqpacket_receive(struct socket *sock, struct message *msg);
bool unix_dgram_full(struct unix_sock *from, struct unix_sock *to); /* to's lock held */
void unix_dgram_leave(struct unix_sock *u, struct unix_sock *peer); /* u no longer sends to it */

#endif
