/* kernel/net/inet/internal.h: what TCP, UDP and raw sockets share; ip(7), ipv6(7). */
#ifndef INET_INTERNAL_H
#define INET_INTERNAL_H

#include "base/list.h"
#include "base/refcount.h"
#include "cred/cred.h"
#include "net/inet/endpoint.h"
#include "net/inet/inet.h"
#include "net/inet/outside.h"
#include "net/socket.h"

/* ---- ports ---- */

#define IN_V4 1 /* struct port_user.families */
#define IN_V6 2

enum port_kind { PORT_BOUND, PORT_LISTENING, PORT_CONNECTED, PORT_TIME_WAIT };

/* One who uses a port. Lives in a socket, in an end of a TCP connection, or in what remains of one. */
struct port_user {
    struct list_head link;    /* bucket->lock */
    struct port_table *table; /* sock->lock of the owner; NULL: in no table */
    struct endpoint local;    /* these: constant while in a table; peer.port 0: none */
    struct endpoint peer;
    u8 families; /* IN_: for which addresses a wildcard stands */
    u16 family;  /* AF_ of the socket */
    uid_t uid;
    ino_t ino;
    u8 kind;                        /* bucket->lock; enum port_kind */
    bool reuse_address, reuse_port; /* words that are read and written whole */
    bool chosen;                    /* the program named the port */
    struct inet_sock *sock;         /* constant: of a bound or listening one */
};

struct port_bucket {
    struct spinlock lock;      /* class PORTS */
    struct list_head sockets;  /* bound and listening */
    struct list_head sessions; /* connections and what remains of them */
};

#define PORT_BUCKETS 1024

struct port_table {
    struct port_bucket buckets[PORT_BUCKETS];
    u32 next; /* atomic: where the search for a free port begins */
};
extern struct port_table tcp_ports, udp_ports, ping_ports;

void ports_init(struct port_table *table);
static inline struct port_bucket *port_bucket(struct port_table *table, u16 port)
{
    return &table->buckets[port % PORT_BUCKETS];
}

/* Takes local.port, or chooses one when it is 0. -EADDRINUSE. */
int port_take(struct port_table *table, struct port_user *user);
/* Begins to listen on a port that was taken. -EADDRINUSE. */
int port_listen(struct port_user *user);
void port_listen_end(struct port_user *user);
/*
 * session takes over what bound has taken, or chooses a port when that is nothing; no other session has the same two
 * names. -EADDRNOTAVAIL.
 */
int port_connect(struct port_table *table, struct port_user *bound, struct port_user *session);
/* What a session took over goes back. */
void port_give_back(struct port_user *session, struct port_user *bound);
/* The other end of a connection inside: nothing to check, the first end did. */
void port_join(struct port_table *table, struct port_user *session);
void port_release(struct port_user *user); /* also when it is in no table */
/* The session stays behind as TIME_WAIT for a while: tcp(7). */
void port_time_wait(struct port_user *session);
bool port_matches(const struct port_user *user, const struct in6_addr *ip);

/* ---- sockets ---- */

/* Options of IPPROTO_IP and IPPROTO_IPV6; words that are read and written whole, but lists (sock.lock). */
struct inet_options {
    u32 flags;               /* OPTION_ bits of options.c */
    u8 tos, tclass;          /* IP_TOS, IPV6_TCLASS */
    s16 ttl, hops;           /* IP_TTL, IPV6_UNICAST_HOPS; -1: the default */
    u8 discover, discover6;  /* IP_MTU_DISCOVER, IPV6_MTU_DISCOVER */
    s16 many_ttl, many_hops; /* IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS */
    bool many_loop, many_loop6;
    u32 many_if, many_if6;     /* index of the interface */
    struct in6_addr many_from; /* IP_MULTICAST_IF by address */
    u32 min_ttl, addr_preferences, unicast_if, port_range;
};

struct inet_sock {
    struct socket sock;
    struct refcount memory; /* the open socket, and whoever knows it without holding it open */
    struct endpoint local;  /* sock.lock; port 0: not bound */
    struct endpoint peer;   /* sock.lock; port 0: not connected */
    bool only_v6;           /* sock.lock: IPV6_V6ONLY */
    bool address_chosen;    /* sock.lock: the program bound an address */
    struct port_user port;
    struct inet_options options;
    struct list_head groups; /* sock.lock: multicast memberships, groups.c */
    struct outside *outside; /* sock.lock; counted */
    u32 outside_ready;       /* sock.lock: poll bits that outside_ready() told of */
};

static inline struct inet_sock *inet_of(struct socket *sock)
{
    return container_of(sock, struct inet_sock, sock);
}
static inline struct inet_sock *inet_get(struct inet_sock *is)
{
    refcount_get(&is->memory);
    return is;
}
void inet_put(struct inet_sock *is); /* frees; the socket was released before */
DEFINE_AUTO(inet_put, struct inet_sock *)

/* For a family's create: the head of a zeroed structure, as socket_init. */
int inet_init(struct inet_sock *is, const struct socket_ops *ops, int family, int type,
              int protocol, int flags);
void inet_release(struct inet_sock *is); /* what it has outside and its groups; then the memory */

static inline u8 inet_families(const struct inet_sock *is)
{
    return is->sock.family == AF_INET ? IN_V4 : is->only_v6 ? IN_V6 : IN_V4 | IN_V6;
}
static inline bool inet_option(const struct inet_sock *is, u32 bit)
{
    return READ_ONCE(is->options.flags) & bit;
}

/* bind(2) for all of them. closed: the protocol's own state allows it; sock.lock held when it is asked. */
int inet_bind(struct inet_sock *is, struct port_table *table, const struct sock_addr *addr,
              bool (*closed)(struct inet_sock *is));
/* The address alone, of a socket that has no ports. */
int inet_bind_address(struct inet_sock *is, const struct sock_addr *addr, struct endpoint *local);
/* Takes a port of the kernel's choice when there is none. sock.lock held. -EADDRINUSE, -EAGAIN. */
int inet_autobind_locked(struct inet_sock *is, struct port_table *table);
int inet_name_of(struct inet_sock *is, bool peer, struct sock_addr *out);
/* SO_REUSEADDR and SO_REUSEPORT count at once for who is bound. */
void inet_option_changed(struct socket *sock, int option);

/* ---- addresses ---- */

/* Out of a program's address, for connect or send. -EINVAL, -EAFNOSUPPORT, -ENETUNREACH (IPV6_V6ONLY). */
int endpoint_from(const struct inet_sock *is, const struct sock_addr *addr, struct endpoint *out);
bool ip_is_own(const struct in6_addr *ip); /* loopback, or on an interface */
/* The source of what goes to `to`; *inside: it stays in the instance. -ENETUNREACH ... */
int ip_route(const struct endpoint *to, struct in6_addr *from, bool *inside);
static inline bool ip_is_broadcast(const struct in6_addr *ip)
{
    return ip_is_v4(ip) && (ip_v4(ip) == 0xffffffff || ip_v4(ip) == 0x7fffffff);
}

/* ---- options ---- */

#define OPTION_RECVERR        BIT(0)
#define OPTION_PKTINFO        BIT(1)
#define OPTION_RECVTTL        BIT(2)
#define OPTION_RECVTOS        BIT(3)
#define OPTION_HDRINCL        BIT(4)
#define OPTION_FREEBIND       BIT(5)
#define OPTION_TRANSPARENT    BIT(6)
#define OPTION_NO_PORT        BIT(7)
#define OPTION_RECVOPTS       BIT(8)
#define OPTION_RETOPTS        BIT(9)
#define OPTION_ORIGDSTADDR    BIT(10)
#define OPTION_PASSSEC        BIT(11)
#define OPTION_NODEFRAG       BIT(12)
#define OPTION_MULTICAST_ALL  BIT(13)
#define OPTION_ROUTER_ALERT   BIT(14)
#define OPTION_CHECKSUM       BIT(15)
#define OPTION_FRAGSIZE       BIT(16)
#define OPTION6_RECVERR       BIT(17)
#define OPTION6_PKTINFO       BIT(18)
#define OPTION6_HOPLIMIT      BIT(19)
#define OPTION6_TCLASS        BIT(20)
#define OPTION6_MULTICAST_ALL BIT(21)
#define OPTION6_RECVRTHDR     BIT(22)
#define OPTION6_RECVHOPOPTS   BIT(23)
#define OPTION6_RECVDSTOPTS   BIT(24)
#define OPTION6_FLOWINFO      BIT(25)
#define OPTION6_FLOWINFO_SEND BIT(26)
#define OPTION6_AUTOFLOWLABEL BIT(27)
#define OPTION6_RECVPATHMTU   BIT(28)
#define OPTION6_DONTFRAG      BIT(29)
#define OPTION6_ORIGDSTADDR   BIT(30)
#define OPTION6_FREEBIND      BIT(31)

void inet_options_init(struct inet_sock *is);
int inet_set_option(struct socket *sock, int level, int option, const void *value, u32 len);
int inet_get_option(struct socket *sock, int level, int option, void *value, u32 *len);
void inet_groups_release(struct inet_sock *is);
/* Does it hear what this source sends to the group? */
bool inet_in_group_locked(const struct inet_sock *is, const struct in6_addr *group,
                          const struct in6_addr *from);
/* An int, or a byte where Linux takes one. -EINVAL. */
int option_number(const void *value, u32 len, int *out);
int option_put(void *value, u32 *len, const void *data, u32 size);

/* SIGURG and SIGIO's owner, fcntl(2). */
void inet_signal_urgent(struct inet_sock *is);

/* ---- outside.c ---- */

struct outside *inet_outside(struct inet_sock *is); /* counted, or NULL */
void outside_put(struct outside *out, bool reset);
const struct outside_net *outside_net(void);
ssize_t outside_send(struct inet_sock *is, struct outside *out, struct message *msg);
ssize_t outside_receive(struct inet_sock *is, struct outside *out, struct message *msg);

/* ---- the protocols ---- */

int tcp_create(int family, int type, int protocol, int flags, struct socket **out);
u32 raw_count(int family); /* sockets that are open */
int udp_create(int family, int type, int protocol, int flags, struct socket **out);
int tcp_accept_outside(struct inet_sock *listener, const struct endpoint *local,
                       const struct endpoint *peer, struct outside *out);
/* Who listens at `local`, and is to serve `peer`: counted memory, or NULL. */
struct inet_sock *port_find_listener(struct port_table *table, const struct endpoint *local,
                                     const struct endpoint *peer);
/* Who gets a datagram: the one that is bound closest. Counted memory, or NULL. */
struct inet_sock *port_find_receiver(struct port_table *table, const struct endpoint *local,
                                     const struct endpoint *peer);
u8 tcp_user_state(const struct port_user *user, u32 *in_queue, u32 *out_queue);

#endif
