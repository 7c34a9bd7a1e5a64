/*
 * kernel/net/names.c: the life of a connection and the names of its ends: bind(2), listen(2), connect(2), accept(2),
 * getsockname(2), getpeername(2), shutdown(2).
 */
#include "net/internal.h"
#include "syscall_proto.h"

int sock_addr_from_user(struct sock_addr *out, const void __user *addr, int len)
{
    if (len < 0 || (size_t)len > sizeof(out->storage))
        return -EINVAL;
    out->family = AF_UNSPEC;
    out->len = (u32)len;
    return len ? copy_from_user(out->bytes, addr, (size_t)len) : 0;
}

int sock_addr_to_user(const struct sock_addr *addr, void __user *to, int __user *len)
{
    int room, err = get_user(room, len);

    if (err)
        return err;
    if (room < 0)
        return -EINVAL;
    room = (int)MIN((u32)room, addr->len);
    if (room && copy_to_user(to, addr->bytes, (size_t)room))
        return -EFAULT;
    return put_user((int)addr->len, len);
}

long sys_bind(int sockfd, const struct sockaddr __user *addr, int addrlen)
{
    AUTO_FD fd = {0};
    struct sock_addr name;
    struct socket *sock;
    int err = socket_borrow(sockfd, &fd, &sock);

    if (!err)
        err = sock_addr_from_user(&name, addr, addrlen);
    if (err)
        return err;
    return sock->ops->bind ? sock->ops->bind(sock, &name) : -EOPNOTSUPP;
}

long sys_listen(int sockfd, int backlog)
{
    AUTO_FD fd = {0};
    struct socket *sock;
    int err = socket_borrow(sockfd, &fd, &sock);

    if (err)
        return err;
    if (!sock->ops->listen)
        return -EOPNOTSUPP;
    err = sock->ops->listen(sock, (int)MIN((u32)backlog, READ_ONCE(net_limits.somaxconn)));
    if (!err) {
        spin_lock(&sock->lock);
        sock->listening = true;
        spin_unlock(&sock->lock);
    }
    return err;
}

/* The address is looked at before it is known whether the descriptor is a socket, as on Linux. */
long sys_connect(int sockfd, const struct sockaddr __user *addr, int addrlen)
{
    AUTO_FD fd = fd_borrow(sockfd);
    struct sock_addr name;
    struct socket *sock;
    int err;

    if (!fd.file)
        return -EBADF;
    err = sock_addr_from_user(&name, addr, addrlen);
    if (err)
        return err;
    if (!file_is_socket(fd.file))
        return -ENOTSOCK;
    sock = socket_of(fd.file);
    return sock->ops->connect ? sock->ops->connect(sock, &name, file_flags(fd.file)) : -EOPNOTSUPP;
}

static int tell_peer(struct socket *sock, struct sockaddr __user *addr, int __user *addrlen)
{
    struct sock_addr name = {0};

    if (!addr)
        return 0;
    if (sock->ops->name_of(sock, true, &name))
        return -ECONNABORTED; /* it has gone again */
    return sock_addr_to_user(&name, addr, addrlen);
}

long sys_accept4(int sockfd, struct sockaddr __user *addr, int __user *addrlen, int flags)
{
    AUTO_FD fd = {0};
    struct socket *sock, *accepted;
    int nr, err;

    if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
        return -EINVAL;
    err = socket_borrow(sockfd, &fd, &sock);
    if (err)
        return err;
    nr = fd_reserve(0, flags & SOCK_CLOEXEC);
    if (nr < 0)
        return nr;
    err = sock->ops->accept ? sock->ops->accept(sock, file_flags(fd.file), &accepted) : -EOPNOTSUPP;
    if (err) {
        fd_release(nr);
        return err;
    }
    if (flags & SOCK_NONBLOCK)
        __atomic_fetch_or(&accepted->file.flags, O_NONBLOCK, __ATOMIC_RELAXED);
    err = tell_peer(accepted, addr, addrlen);
    if (err) {
        fd_release(nr);
        socket_put(accepted);
        return err;
    }
    fd_install(nr, &accepted->file);
    return nr;
}

long sys_accept(int sockfd, struct sockaddr __user *addr, int __user *addrlen)
{
    return sys_accept4(sockfd, addr, addrlen, 0);
}

static long tell_name(int nr, bool peer, struct sockaddr __user *addr, int __user *addrlen)
{
    AUTO_FD fd = {0};
    struct sock_addr name = {0};
    struct socket *sock;
    int err = socket_borrow(nr, &fd, &sock);

    if (!err)
        err = sock->ops->name_of ? sock->ops->name_of(sock, peer, &name) : -EOPNOTSUPP;
    return err ? err : sock_addr_to_user(&name, addr, addrlen);
}

long sys_getsockname(int sockfd, struct sockaddr __user *addr, int __user *addrlen)
{
    return tell_name(sockfd, false, addr, addrlen);
}

long sys_getpeername(int sockfd, struct sockaddr __user *addr, int __user *addrlen)
{
    return tell_name(sockfd, true, addr, addrlen);
}

long sys_shutdown(int sockfd, int how)
{
    AUTO_FD fd = {0};
    struct socket *sock;
    int err = socket_borrow(sockfd, &fd, &sock);

    if (err)
        return err;
    if (!sock->ops->shutdown)
        return -EOPNOTSUPP;
    if (how < SHUT_RD || how > SHUT_RDWR)
        return -EINVAL;
    return sock->ops->shutdown(sock, how);
}
