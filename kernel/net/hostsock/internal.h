/* kernel/net/hostsock/internal.h: what the files of this room share. */
#ifndef HOSTSOCK_INTERNAL_H
#define HOSTSOCK_INTERNAL_H

#include "host/ready.h"
#include "host/socket.h"
#include "net/inet/outside.h"

#include <myst/boot.h>

/*
 * A host socket of one inet socket. What the host told of it and what was done since stand in one word, so that a piece of
 * news which comes while an operation finds nothing is not lost:
 *   bits 0 to 15   SEEN: poll bits that news brought, and no operation has found wrong since
 *   bits 16 to 31  SURE: of those, what held when nothing was done since the news
 *   bits 32 to 63  number of news
 */
struct hostsock {
    struct outside out;  /* first */
    int file;            /* constant: the host's descriptor */
    u16 family, type;    /* constant; the host's socket: AF_INET, AF_INET6; SOCK_ */
    struct socket *sock; /* atomic; whose it is; NULL: of a connection that nobody has used yet */
    u64 state;           /* atomic */
    struct host_watch watch;
};

static inline struct hostsock *hostsock_of(struct outside *out)
{
    return container_of(out, struct hostsock, out);
}

/* Takes the descriptor over, also when it fails: -ENOMEM, -EIO. */
int hostsock_create(int file, int family, int type, struct hostsock **out);
/* From now on its news are the socket's. */
void hostsock_belongs_to(struct hostsock *hs, struct socket *sock);
extern const struct outside_ops hostsock_ops;

/* state.c */
u64 hostsock_state(const struct hostsock *hs);
/* After an operation that found bits not to hold, or may have used up what held, since state was read. */
void hostsock_spent(struct hostsock *hs, u64 state, u32 not_any_more, u32 unsure);
void hostsock_news(struct host_watch *watch, u32 events);
/* Which of these bits hold now. Asks the host only where the news are old. */
u32 hostsock_holds(struct hostsock *hs, u32 events);

/* options.c */
int hostsock_set_option(struct outside *out, struct socket *sock, int level, int option,
                        const void *value, u32 len);
int hostsock_get_option(struct outside *out, struct socket *sock, int level, int option,
                        void *value, u32 *len);
/* A new host socket gets what the program has set already. */
void hostsock_copy_options(struct hostsock *hs, struct socket *sock);

/* An endpoint as the host takes it, for a socket of this family. False: it cannot be reached from there. */
bool address_of(int family, const struct endpoint *from, struct target_address *to);
void endpoint_of(const struct target_address *from, struct endpoint *to);

/* routes.c: the interfaces that the launcher saw */
bool route_owns(const struct in6_addr *ip);
bool route_takes(const struct endpoint *to);
int route_find(const struct in6_addr *to, struct in6_addr *from);

/* publish.c */
int publish_start(const struct boot_info *boot);
void publish_listening(struct socket *sock, const struct endpoint *local, int backlog);

#endif
