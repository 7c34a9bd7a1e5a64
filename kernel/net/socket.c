/*
 * kernel/net/socket.c: sockets as files, and their families; socket(2), socketpair(2).
 */
#include "abi/socket.h"
#include "net/filter.h"
#include "net/inet/inet.h"
#include "net/internal.h"
#include "net/unix/unix.h"
#include "net/hostsock/hostsock.h"
#include "net/interfaces.h"
#include "net/netlink/netlink.h"
#include "base/string.h"
#include "cred/cred.h"
#include "syscall_proto.h"
#include "time/time.h"

#include <asm/ioctls.h>
#include <linux/stat.h>

/* socket(7): bytes that /proc/sys/net/core says at first */
struct net_limits net_limits = {
    .send_default = 212992,
    .send_max = 212992,
    .receive_default = 212992,
    .receive_max = 212992,
    .somaxconn = SOMAXCONN,
    .optmem_max = 131072,
};

static const struct socket_family *families[NR_FAMILIES]; /* constant after the start */

void socket_register(const struct socket_family *family)
{
    families[family->family] = family;
}

int net_start(const struct boot_info *boot)
{
    interfaces_start(&boot->net);
    inet_start();
    unix_start();
    netlink_start();
    return hostsock_start(boot);
}

/* ---- the file ---- */

static ssize_t socket_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct socket *sock = socket_of(file);
    struct message msg = {.data = to, .flags = socket_message_flags(sock, 0)};

    (void)pos;
    return iter_left(to) ? socket_receive(sock, &msg) : 0;
}

static ssize_t socket_write(struct file *file, struct iter *from, loff_t *pos)
{
    struct socket *sock = socket_of(file);
    struct message msg = {.data = from, .flags = socket_message_flags(sock, 0)};

    (void)pos;
    if (sock->type == SOCK_SEQPACKET)
        msg.flags |= MSG_EOR;
    return socket_send(sock, &msg);
}

static u32 socket_poll(struct file *file, struct poll_table *table)
{
    struct socket *sock = socket_of(file);

    if (sock->ops->poll)
        return sock->ops->poll(sock, table);
    poll_wait(file, &sock->wait, table);
    return 0;
}

static long socket_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
    struct socket *sock = socket_of(file);
    long result = sock->ops->ioctl ? sock->ops->ioctl(sock, cmd, arg) : -ENOTTY;

    /* netdevice(7): sockets of any family answer for the interfaces. */
    return result == -ENOTTY ? interface_ioctl(cmd, arg) : result;
}

static void socket_release(struct file *file)
{
    struct socket *sock = socket_of(file);
    const struct cred *peer = sock->peer.cred;

    filter_put(TAKE(sock->filter));
    sock->ops->release(sock);
    if (peer)
        cred_put(peer);
}

static const struct file_ops socket_file_ops = {
    .name = "socket",
    .read = socket_read,
    .write = socket_write,
    .poll = socket_poll,
    .ioctl = socket_ioctl,
    .release = socket_release,
    .async = true,
};

bool file_is_socket(const struct file *file)
{
    return file->ops == &socket_file_ops;
}

/* ---- the inode: its one extended attribute names the protocol ---- */

#define PROTOCOL_ATTRIBUTE "system.sockprotoname"

static ssize_t attribute_copy(const char *text, void *to, size_t size)
{
    size_t n = strlen(text) + 1;

    if (size && size < n)
        return -ERANGE;
    if (size)
        memcpy(to, text, n);
    return (ssize_t)n;
}

static ssize_t socket_xattr_get(struct inode *inode, const char *name, void *value, size_t size)
{
    return streq(name, PROTOCOL_ATTRIBUTE) ? attribute_copy(inode->private, value, size)
                                           : -EOPNOTSUPP;
}

static ssize_t socket_xattr_list(struct inode *inode, char *names, size_t size)
{
    return attribute_copy(PROTOCOL_ATTRIBUTE, names, size);
}

static const struct inode_ops socket_inode_ops = {
    .xattr_get = socket_xattr_get,
    .xattr_list = socket_xattr_list,
};

/* TCPv6 and its kin have names of their own. */
static const char *protocol_name(const struct socket_ops *ops, int family)
{
    if (family != AF_INET6)
        return ops->name;
    return streq(ops->name, "TCP") ? "TCPv6" : streq(ops->name, "UDP") ? "UDPv6" : ops->name;
}

int socket_init(struct socket *sock, const struct socket_ops *ops, int family, int type,
                int protocol, int flags)
{
    struct inode *inode = inode_create_anon(S_IFSOCK | 0777, NULL);
    int err = inode ? file_init(&sock->file, &socket_file_ops, inode, O_RDWR | flags) : -ENOMEM;

    if (err)
        return err;
    inode->private = (void *)(uintptr_t)protocol_name(ops, family);
    inode->ops = &socket_inode_ops;
    sock->ops = ops;
    sock->family = (u16)family;
    sock->type = (u16)type;
    sock->protocol = (u16)protocol;
    waitq_init(&sock->wait, "socket");
    spin_init(&sock->lock, SOCKET);
    sock->options = BIT(SOCKET_PASSRIGHTS);
    sock->send_buffer = READ_ONCE(net_limits.send_default);
    sock->receive_buffer = READ_ONCE(net_limits.receive_default);
    sock->receive_low = 1;
    sock->peek_offset = -1;
    sock->incoming_cpu = -1;
    return 0;
}

int socket_borrow(int nr, struct fd_ref *fd, struct socket **out)
{
    *fd = fd_borrow(nr);
    if (!fd->file)
        return -EBADF;
    if (!file_is_socket(fd->file))
        return -ENOTSOCK;
    *out = socket_of(fd->file);
    return 0;
}

/* ---- waiting and errors ---- */

ktime socket_deadline(ktime timeout)
{
    ktime deadline;

    if (!timeout || add_overflow(time_monotonic(), timeout, &deadline))
        return KTIME_FOREVER;
    return deadline;
}

int socket_wait_result(int err, ktime timeout)
{
    switch (err) {
    case 0:
        return 0;
    case -ETIMEDOUT:
        return -EAGAIN;
    default:
        return timeout ? -EINTR : -ERESTARTSYS;
    }
}

int socket_take_error_locked(struct socket *sock)
{
    int err = sock->error;

    sock->error = 0;
    return -err;
}

/* ---- making them ---- */

static int socket_create(int family, int type, int protocol, int flags, struct socket **out)
{
    if (family < 0 || family >= NR_FAMILIES)
        return -EAFNOSUPPORT;
    if (type < 0 || type >= NR_TYPES)
        return -EINVAL;
    if (!families[family])
        return -EAFNOSUPPORT;
    return families[family]->create(type, protocol, flags, out);
}

/* The type without its flags, or -EINVAL. */
static int type_split(int type, int *flags)
{
    *flags = type & ~SOCK_TYPE_MASK;
    return *flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK) ? -EINVAL : type & SOCK_TYPE_MASK;
}

long sys_socket(int domain, int type, int protocol)
{
    struct socket *sock;
    int flags, err;

    type = type_split(type, &flags);
    if (type < 0)
        return type;
    err = socket_create(domain, type, protocol, flags & O_NONBLOCK, &sock);
    return err ? err : fd_create(&sock->file, flags & O_CLOEXEC);
}

static int pair_create(int domain, int type, int protocol, int flags, struct socket *pair[2])
{
    int err = socket_create(domain, type, protocol, flags, &pair[0]);

    if (err)
        return err;
    err = socket_create(domain, type, protocol, flags, &pair[1]);
    if (err) {
        socket_put(pair[0]);
        return err;
    }
    err = pair[0]->ops->pair ? pair[0]->ops->pair(pair[0], pair[1]) : -EOPNOTSUPP;
    if (err) {
        socket_put(pair[0]);
        socket_put(pair[1]);
    }
    return err;
}

/* As on Linux the numbers are told before there is anything behind them. */
long sys_socketpair(int domain, int type, int protocol, int __user *sv)
{
    struct socket *pair[2];
    int fds[2], flags, err;

    type = type_split(type, &flags);
    if (type < 0)
        return type;
    fds[0] = fd_reserve(0, flags & O_CLOEXEC);
    if (fds[0] < 0)
        return fds[0];
    fds[1] = fd_reserve(0, flags & O_CLOEXEC);
    err = fds[1] < 0 ? fds[1] : copy_to_user(sv, fds, sizeof(fds));
    if (!err)
        err = pair_create(domain, type, protocol, flags & O_NONBLOCK, pair);
    if (!err) {
        fd_install(fds[0], &pair[0]->file);
        fd_install(fds[1], &pair[1]->file);
        return 0;
    }
    fd_release(fds[0]);
    if (fds[1] >= 0)
        fd_release(fds[1]);
    return err;
}
