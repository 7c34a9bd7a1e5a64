/*
 * kernel/net/inet/udp.h: datagrams between sockets of the instance; udp(7), and icmp(7)'s echo sockets. A sender copies its
 * datagram into kernel memory and puts it on the receiver's queue; nothing is ever in between.
 */
#ifndef INET_UDP_H
#define INET_UDP_H

#include "net/inet/internal.h"

struct datagram {
    struct list_head link; /* the receiver's sock.lock */
    struct refcount ref;   /* the queue, and who looks at it */
    struct endpoint from, to;
    ktime stamp; /* realtime, when it came */
    s16 ttl;
    u8 tos;
    int error; /* of one on the error queue: what became of it */
    u32 len;
    u8 data[];
};

struct udp_sock {
    struct inet_sock inet;
    struct list_head queue;  /* sock.lock, as all below */
    struct list_head errors; /* IP_RECVERR: what could not be delivered */
    u32 queued;              /* bytes, by how SO_RCVBUF counts them */
    u32 errors_queued;
    u32 drops;                /* datagrams that found the queue full */
    bool gone;                /* released: takes no more */
    bool corked;              /* UDP_CORK */
    u32 segment;              /* UDP_SEGMENT */
    struct datagram *pending; /* MSG_MORE, UDP_CORK: what was given so far */
};

static inline struct udp_sock *udp_of(struct socket *sock)
{
    return container_of(sock, struct udp_sock, inet.sock);
}

/* An echo socket of icmp(7), whose port is what its requests are known by, or a raw one: peers' ports count for nothing. */
static inline bool udp_is_portless(const struct udp_sock *us)
{
    return us->inet.sock.protocol != IPPROTO_UDP || us->inet.sock.type == SOCK_RAW;
}
static inline struct port_table *udp_table(const struct udp_sock *us)
{
    return udp_is_portless(us) ? &ping_ports : &udp_ports;
}

#define UDP_READ_BITS  (POLLIN | POLLRDNORM)
#define UDP_WRITE_BITS (POLLOUT | POLLWRNORM | POLLWRBAND)
/* The most that a datagram carries, by the length fields of IP and IPv6. */
#define UDP_MAX_V4 65507U
#define UDP_MAX_V6 65527U
/* What a datagram counts beside its bytes, as on Linux a short one does. */
#define DATAGRAM_OVERHEAD 768U

struct datagram *datagram_create(u32 len); /* one reference; NULL */
void datagram_put(struct datagram *dg);
DEFINE_AUTO(datagram_put, struct datagram *)
/* On the queue, whose reference it becomes; or away, when there is no room. */
void udp_queue(struct udp_sock *us, struct datagram *dg);
/* What was sent has come back: ICMP says that nobody is there. Takes the reference. */
void udp_refused(struct udp_sock *us, struct datagram *dg, int error);
void udp_drop_queues(struct udp_sock *us);

void udp_queues_init(struct udp_sock *us);
int udp_shutdown(struct socket *sock, int how);
u32 udp_poll(struct socket *sock, struct poll_table *table);
long udp_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);

/* raw.c */
int raw_create(int family, int type, int protocol, int flags, struct socket **out);
void raw_hear(const struct datagram *dg,
              u8 protocol); /* a copy for each raw socket that wants it */

/* ping.c */
int ping_allowed(void);
/* A request that came whole becomes its answer. False: it is none. */
bool echo_turn(struct datagram *dg);
/* Inside, the answer to a request that was sent; takes the reference. Its length, -EINVAL. */
ssize_t ping_answer(struct udp_sock *us, struct datagram *dg);

/* What a message says of itself: in its address, its control data, the socket's options. */
struct sending {
    struct endpoint from, to;
    bool connected;
    bool inside;
    s16 ttl;
    u8 tos;
    u32 segment;
};

/* Out of addresses, control data and options: what goes where. -EDESTADDRREQ, -EINVAL, -EACCES, -ENETUNREACH ... */
int sending_begin(struct udp_sock *us, const struct message *msg, struct sending *s);

ssize_t udp_send(struct socket *sock, struct message *msg);
int udp_uncork(struct udp_sock *us); /* sends what is pending */
ssize_t udp_receive(struct socket *sock, struct message *msg);
/* Its outside, made when there is none yet: counted, or ERR_PTR. */
struct outside *udp_outside(struct udp_sock *us, bool bound);

#endif
