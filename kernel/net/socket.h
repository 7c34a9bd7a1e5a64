/*
 * kernel/net/socket.h: what the socket layer and a family say to each other, see socket(2) and socket(7).
 *
 * The layer (socket.c, message.c, options.c) owns the calls: it copies addresses, vectors, control data and option
 * values between the program and kernel memory, checks what every family checks alike, and keeps the options
 * of SOL_SOCKET. A family (unix/, inet/, netlink/, packet/) owns what a socket does. A family never sees
 * a descriptor, but through scm.h, where descriptors are passed.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "abi/unexported.h"
#include "base/errno.h"
#include "base/types.h"
#include "mm/uaccess.h"
#include "sync/waitq.h"
#include "vfs/file.h"

#include <asm/socket.h>
#include <linux/socket.h>

struct socket;
struct socket_filter;

/* An address in kernel memory. len counts from the family's two bytes on; 0: there is none. */
struct sock_addr {
    u32 len;
    union {
        u16 family;
        struct __kernel_sockaddr_storage storage;
        u8 bytes[sizeof(struct __kernel_sockaddr_storage)];
    };
};

/* Control data, cmsg(3): a run of struct cmsghdr, each aligned to 8 bytes. In kernel memory. */
struct control {
    u8 *buf;
    size_t len;  /* sending: bytes given; receiving: bytes put so far */
    size_t room; /* receiving: bytes that the program has room for */
};

/* One message on its way out of or into a program. */
struct message {
    struct iter *data; /* where the bytes are taken from, or go */
    u32 flags;         /* MSG_ of the call; MSG_DONTWAIT also when the file is O_NONBLOCK */
    u32 out_flags; /* receiving: what msg_flags shows: MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_OOB ... */
    struct sock_addr
        *addr; /* sending: the destination, or NULL; receiving: to be filled in, or NULL */
    struct control *control; /* NULL: none given, no room */
    const struct cred *cred; /* sending: whose message it is */
};

/*
 * What a family does. The layer calls with no lock held. NULL: -EOPNOTSUPP, where not said otherwise. Addresses
 * have at least their two bytes of family when len is not 0; everything else about them is the family's to check.
 */
struct socket_ops {
    const char *name; /* the protocol's, as the extended attribute of its sockets tells it */
    int (*bind)(struct socket *sock, const struct sock_addr *addr);
    int (*listen)(struct socket *sock, int backlog); /* backlog is at most somaxconn, at least 0 */
    /* Waits by O_NONBLOCK (flags: the file's). 0, -EINPROGRESS, -EALREADY, -EISCONN, -EAGAIN (unix) ... */
    int (*connect)(struct socket *sock, const struct sock_addr *addr, u32 flags);
    /* A new socket with one reference; flags: the listening file's, O_NONBLOCK says whether to wait. */
    int (*accept)(struct socket *sock, u32 flags, struct socket **out);
    int (*pair)(struct socket *a, struct socket *b); /* socketpair(2) */
    int (*name_of)(struct socket *sock, bool peer, struct sock_addr *out);
    /* Bytes, or a negative errno; the layer raises SIGPIPE for -EPIPE unless MSG_NOSIGNAL is set. */
    ssize_t (*send)(struct socket *sock, struct message *msg);
    /* Bytes; of a datagram that was cut with MSG_TRUNC in flags: its real length. 0: end of the stream. */
    ssize_t (*receive)(struct socket *sock, struct message *msg);
    int (*shutdown)(struct socket *sock, int how); /* how is valid */
    u32 (*poll)(struct socket *sock, struct poll_table *table);
    /* Options of other levels, and SOL_SOCKET's that the layer leaves: -ENOPROTOOPT when unknown. */
    int (*set_option)(struct socket *sock, int level, int option, const void *value, u32 len);
    /* *len: room on entry, bytes put on return. */
    int (*get_option)(struct socket *sock, int level, int option, void *value, u32 *len);
    /* After the layer has changed an option of SOL_SOCKET that a family acts on; may be NULL. */
    void (*option_changed)(struct socket *sock, int option);
    long (*ioctl)(struct socket *sock, unsigned int cmd,
                  unsigned long arg); /* -ENOTTY: not known */
    bool peek_offset;                 /* SO_PEEK_OFF is heeded */
    /* The last reference is gone: ends connections, frees what the family owns, and the structure itself. */
    void (*release)(struct socket *sock);
};

/* Options of SOL_SOCKET that are a bit (struct socket.options). */
enum socket_bit {
    SOCKET_REUSEADDR,
    SOCKET_REUSEPORT,
    SOCKET_KEEPALIVE,
    SOCKET_BROADCAST,
    SOCKET_OOBINLINE,
    SOCKET_PASSCRED,
    SOCKET_PASSSEC,
    SOCKET_DONTROUTE,
    SOCKET_TIMESTAMP,   /* SCM_TIMESTAMP with each message */
    SOCKET_TIMESTAMPNS, /* SCM_TIMESTAMPNS */
    SOCKET_RXQ_OVFL,
    SOCKET_NO_CHECK,
    SOCKET_DEBUG,
    SOCKET_ZEROCOPY,
    SOCKET_PASSPIDFD,
    SOCKET_PASSRIGHTS, /* set at first */
    SOCKET_LOCK_FILTER,
    SOCKET_SELECT_ERR_QUEUE, /* an error in the error queue is POLLPRI, too */
    SOCKET_NOFCS,            /* this and the next are for devices that no instance has */
    SOCKET_WIFI_STATUS,
    SOCKET_TIMESTAMP_NEW, /* the same with times of 64 bits on all machines */
    SOCKET_TIMESTAMPNS_NEW,
};

#define SOCKET_STAMPS                                                                              \
    (BIT(SOCKET_TIMESTAMP) | BIT(SOCKET_TIMESTAMPNS) | BIT(SOCKET_TIMESTAMP_NEW) |                 \
     BIT(SOCKET_TIMESTAMPNS_NEW))

/* The head of each family's own structure. */
struct socket {
    struct file file;             /* ops: socket_file_ops */
    const struct socket_ops *ops; /* constant */
    u16 family, type, protocol;   /* constant: AF_, SOCK_ */
    struct waitq wait;            /* everybody who waits for this socket; woken with poll bits */
    struct spinlock lock; /* class SOCKET: all below, and what the family says of its own part */
    u64 options;          /* BIT(enum socket_bit) */
    int error; /* SO_ERROR: a positive errno, given out and cleared once; socket_take_error() */
    bool shut_read, shut_write;
    bool linger; /* SO_LINGER */
    u32 linger_seconds;
    u32 send_buffer, receive_buffer;     /* bytes as getsockopt shows them: twice what was asked */
    u32 receive_low;                     /* SO_RCVLOWAT */
    ktime send_timeout, receive_timeout; /* 0: none */
    u32 priority, mark, busy_poll;
    u32 device;                   /* SO_BINDTODEVICE: index of the interface; 0: any */
    struct socket_filter *filter; /* counted, or NULL; net/filter.h */
    s32 peek_offset;              /* SO_PEEK_OFF; -1: off. Only where ops->peek_offset */
    bool listening;               /* SO_ACCEPTCONN; listen(2) sets it */
    s32 incoming_cpu;             /* SO_INCOMING_CPU, as it was set; -1 */
    u64 cookie;                   /* SO_COOKIE; 0: nobody has asked yet */
    struct sock_peer {            /* SO_PEERCRED, SO_PEERGROUPS, SO_PEERPIDFD; by AF_UNIX */
        s32 pid;                  /* 0: none */
        const struct cred *cred;  /* counted, or NULL */
    } peer;
};

/*
 * Prepares the head of a zeroed structure: options at their defaults, a file that is open for reading and writing on a
 * new socket inode. flags: O_NONBLOCK. One reference; the family's release frees. An error leaves nothing.
 */
int socket_init(struct socket *sock, const struct socket_ops *ops, int family, int type,
                int protocol, int flags);

static inline struct socket *socket_of(struct file *file)
{
    return container_of(file, struct socket, file);
}
bool file_is_socket(const struct file *file);
static inline struct socket *socket_get(struct socket *sock)
{
    file_get(&sock->file);
    return sock;
}
static inline void socket_put(struct socket *sock)
{
    file_put(&sock->file);
}

/*
 * socket_wait(sock, msg flags, timeout, condition): sleeps until the condition holds; sock->lock is held on entry and
 * exit and while the condition is looked at. 0; -EAGAIN (MSG_DONTWAIT, or timed out); -ERESTARTSYS,
 * or -EINTR when a timeout was set (signal(7): such calls are not restarted).
 * socket_wait_for: the sleeper is woken only with one of these poll bits.
 */
#define socket_wait_for(sock, poll_bits, msg_flags, timeout, condition)                            \
    ({                                                                                             \
        int socket_wait_err_ = 0;                                                                  \
        if (!(condition)) {                                                                        \
            if ((msg_flags)&MSG_DONTWAIT)                                                          \
                socket_wait_err_ = -EAGAIN;                                                        \
            else                                                                                   \
                socket_wait_err_ = socket_wait_result(                                             \
                    wait_event_for(&(sock)->wait, poll_bits, &(sock)->lock, condition,             \
                                   WAIT_INTERRUPTIBLE, socket_deadline(timeout)),                  \
                    timeout);                                                                      \
        }                                                                                          \
        socket_wait_err_;                                                                          \
    })
#define socket_wait(sock, msg_flags, timeout, condition)                                           \
    socket_wait_for(sock, 0, msg_flags, timeout, condition)
int socket_wait_result(int err, ktime timeout);
ktime socket_deadline(ktime timeout); /* of a timeout from now on; 0: KTIME_FOREVER */

/* The pending error, as a negative errno or 0; clears it. sock->lock held. */
int socket_take_error_locked(struct socket *sock);

static inline bool socket_option(const struct socket *sock, enum socket_bit bit)
{
    return sock->options & BIT(bit);
}

/* ---- control data ---- */

/* The next header of what a program sent; *at is 0 first. NULL at the end; *err -EINVAL when it is malformed. */
struct control_item {
    int level, type;
    const void *data;
    size_t len;
};
bool control_next(const struct control *control, size_t *at, struct control_item *item, int *err);
/* Adds one for the program: as much as there is room for, and MSG_CTRUNC when that is not all. */
void control_put(struct message *msg, int level, int type, const void *data, size_t len);
/* SCM_TIMESTAMP or SCM_TIMESTAMPNS if the socket wants them; stamp: realtime, when the message came. */
void control_put_timestamp(struct message *msg, const struct socket *sock, ktime stamp);

/* ---- limits, /proc/sys/net/core ---- */

struct net_limits {
    u32 send_default, send_max, receive_default, receive_max;
    u32 somaxconn, optmem_max;
};
extern struct net_limits net_limits; /* words that are read and written whole */

/* ---- families ---- */

struct socket_family {
    int family; /* AF_ */
    /* type without flags. flags: O_NONBLOCK. -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -EACCES, -EPERM, -ENOMEM ... */
    int (*create)(int type, int protocol, int flags, struct socket **out);
};
void socket_register(const struct socket_family *family); /* at start */

struct boot_info;
int net_start(const struct boot_info *boot); /* registers the families; kernel/main.c */

#endif
