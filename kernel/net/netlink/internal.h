/* kernel/net/netlink/internal.h: what the files of this room share. */
#ifndef NETLINK_INTERNAL_H
#define NETLINK_INTERNAL_H

#include "base/list.h"
#include "net/socket.h"

#include <linux/netlink.h>

/* One datagram on its way to a program: a run of messages, each with its struct nlmsghdr. */
struct nl_packet {
    struct list_head link;
    u32 len, room;
    u8 data[];
};

struct nl_sock {
    struct socket sock;       /* first; sock.lock protects what follows */
    struct list_head queue;   /* packets */
    size_t queued;            /* bytes in them, headers included */
    bool overrun;             /* something did not fit: the next receive says ENOBUFS */
    u32 portid;               /* nl_pid; 0: not bound yet */
    u32 peer;                 /* of connect(2); 0: the kernel */
    u64 groups;               /* bit n - 1: member of group n */
    u32 flags;                /* bit n: option NETLINK_n of netlink(7) is on */
    struct list_head by_port; /* the table's lock */
};

static inline struct nl_sock *nl_of(struct socket *sock)
{
    return container_of(sock, struct nl_sock, sock);
}

static inline bool nl_option(const struct nl_sock *nl, int option)
{
    return READ_ONCE(nl->flags) & BIT(option);
}

/*
 * An answer under construction: messages that are queued as packets. The first error (no memory) stays, and makes all that
 * follows do nothing.
 */
struct nl_answer {
    struct nl_sock *to;
    const struct nlmsghdr *request;
    u16 flags; /* NLM_F_MULTI for a dump */
    struct nl_packet *packet;
    u32 start; /* of the message under way, in packet */
    int err;
};

/* Into the socket's queue, which takes it over; what does not fit is told as an overrun. */
void packet_deliver(struct nl_sock *nl, struct nl_packet *packet);

/* Begins a message with a fixed part of n bytes; its place, or NULL. */
void *answer_begin(struct nl_answer *answer, u16 type, const void *fixed, size_t n);
void answer_attr(struct nl_answer *answer, u16 type, const void *data, size_t n);
static inline void answer_u32(struct nl_answer *answer, u16 type, u32 value)
{
    answer_attr(answer, type, &value, sizeof(value));
}
static inline void answer_u8(struct nl_answer *answer, u16 type, u8 value)
{
    answer_attr(answer, type, &value, sizeof(value));
}
void answer_string(struct nl_answer *answer, u16 type, const char *text);
/* An attribute of attributes: answer_nest_end() takes what begin gave. */
u32 answer_nest(struct nl_answer *answer, u16 type);
void answer_nest_end(struct nl_answer *answer, u32 at);
void answer_end(struct nl_answer *answer);

/* The attributes behind a request's fixed part: fills found[type] for types up to most. -EINVAL. */
int attributes_find(const struct nlmsghdr *request, size_t fixed, const struct nlattr **found,
                    u16 most);

/* rtnetlink.c: one request. 0 when it was answered or done, or what the error message says. */
int rtnetlink_request(struct nl_answer *answer);

#endif
