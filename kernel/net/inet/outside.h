/*
 * kernel/net/inet/outside.h: what inet sockets and the world beyond the instance say to each other. inet/ serves what stays
 * inside: loopback, and the instance's own outside addresses. For everything else a socket holds a struct
 * outside, which net/hostsock makes.
 *
 * Nothing behind this table waits. inet does all waiting, on the socket's own queue: an operation that cannot go on says
 * -EAGAIN; inet then calls watch(), looks again, and sleeps until outside_ready(). All calls come with no lock
 * held, but release() may come from any thread. Addresses and lengths that come back from the outside are trusted here:
 * hostsock checks them (a peer is of the socket's family, a length is within what was asked).
 */
#ifndef INET_OUTSIDE_H
#define INET_OUTSIDE_H

#include "base/refcount.h"
#include "net/inet/endpoint.h"
#include "net/socket.h"

/* What one inet socket has outside: a connection, or a way for datagrams. hostsock's structure begins with it. */
struct outside {
    const struct outside_ops *ops;
    struct refcount users; /* inet's: hostsock need not set it */
};

struct outside_ops {
    /*
     * Bytes or a negative errno, as struct socket_ops. msg->addr of a datagram holds sockaddr_in or sockaddr_in6 by the
     * socket's family; of a connected one it is NULL. MSG_DONTWAIT is always set, MSG_PEEK and MSG_OOB may be.
     */
    ssize_t (*send)(struct outside *out, struct socket *sock, struct message *msg);
    ssize_t (*receive)(struct outside *out, struct socket *sock, struct message *msg);
    /* Where datagrams go and come from from now on; NULL: anywhere. Datagrams only. */
    int (*connect)(struct outside *out, struct socket *sock, const struct endpoint *peer);
    int (*shutdown)(struct outside *out, struct socket *sock, int how); /* SHUT_ */
    /* What holds now; may register host descriptors with table (which may be NULL). */
    u32 (*poll)(struct outside *out, struct socket *sock, struct poll_table *table);
    /* outside_ready() once, as soon as one of these poll bits (or POLLERR, POLLHUP) holds; at once if it does. */
    void (*watch)(struct outside *out, struct socket *sock, u32 events);
    /* Of a connection that was begun: 0, -EINPROGRESS, or what it ended with. */
    int (*connected)(struct outside *out, struct socket *sock);
    /* inet has noted the value already; what it means outside. -ENOPROTOOPT: nothing, which is no error. */
    int (*set_option)(struct outside *out, struct socket *sock, int level, int option,
                      const void *value, u32 len);
    /* -ENOPROTOOPT: inet answers with what it has noted. */
    int (*get_option)(struct outside *out, struct socket *sock, int level, int option, void *value,
                      u32 *len);
    /* Bytes to read (SIOCINQ) and not sent yet (SIOCOUTQ), or -ENOTTY; SIOCATMARK: 0 or 1. */
    int (*count)(struct outside *out, struct socket *sock, unsigned int cmd);
    /* Nobody uses it any more. reset: a connection is cut off, by SO_LINGER of no time. Frees it. */
    void (*release)(struct outside *out, bool reset);
};

/* The way out as a whole. hostsock registers one; none: what is not inside is ENETUNREACH. */
struct outside_net {
    /* Is this one of the instance's own addresses on an interface? (Loopback ones are not asked for.) */
    bool (*owns)(const struct in6_addr *ip);
    /* Is this outside, though its address is an own one, unless somebody inside serves there? The host's resolver. */
    bool (*takes)(const struct endpoint *to);
    /* From which own address a packet to `to` leaves; -ENETUNREACH, -EHOSTUNREACH. */
    int (*route)(const struct in6_addr *to, struct in6_addr *from);
    /*
     * Begins a TCP connection: 0 (it is made), -EINPROGRESS (*out is set, too; connected() tells), or an error. local
     * has the port that inet chose; an address when the program bound one, and is completed by the outside.
     */
    int (*connect)(struct socket *sock, struct endpoint *local, const struct endpoint *peer,
                   struct outside **out);
    /*
     * A datagram (or raw) socket's first message or connection to the outside, or its binding to an address that the
     * outside can reach (`bound`: *out may stay NULL when nothing can come from there).
     */
    int (*open)(struct socket *sock, const struct endpoint *local, bool bound,
                struct outside **out);
    /*
     * A TCP socket listens (again: there is room in its backlog), or (backlog -1) does not any more, where the outside could
     * reach it.
     */
    void (*listening)(struct socket *sock, const struct endpoint *local, int backlog);
};
void outside_register(const struct outside_net *net); /* at start, once */

/* ---- what the outside says ---- */

/* Poll bits that hold now, after watch(); wakes the socket's sleepers. Locks of class SOCKET must not be held. */
void outside_ready(struct socket *sock, u32 events);

/*
 * A connection that came from outside (a published port) for whoever listens at `local` inside. 0: the listener has taken
 * `out` over; -ECONNREFUSED: nobody listens; -EAGAIN: its backlog is full, try again when inet calls listening() anew,
 * which it does when room appears; -ENOMEM.
 */
int outside_accepted(const struct endpoint *local, const struct endpoint *peer,
                     struct outside *out);

/* The socket's own endpoint as inet knows it (the source of what it sends). */
struct endpoint inet_local(struct socket *sock);

#endif
