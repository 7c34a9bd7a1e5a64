/*
 * kernel/net/message.c: sendto(2), sendmsg(2), sendmmsg(2), recvfrom(2), recvmsg(2), recvmmsg(2): messages between
 * the program's memory and a family.
 */
#include "abi/socket.h"
#include "cred/cred.h"
#include "mm/alloc.h"
#include "net/internal.h"
#include "syscall_proto.h"
#include "time/time.h"

#include <asm/signal.h>

#define LENGTH_MAX     ((size_t)INT32_MAX & PAGE_MASK) /* one call moves no more, write(2) */
#define CONTROL_INLINE 256
#define CONTROL_PUT    8192 /* no family has more to say with one message */

ssize_t socket_send(struct socket *sock, struct message *msg)
{
    ssize_t n;

    msg->cred = cred_current();
    n = sock->ops->send ? sock->ops->send(sock, msg) : -EOPNOTSUPP;
    if (n == -EPIPE && sock->type == SOCK_STREAM && !(msg->flags & MSG_NOSIGNAL) && vfs_signal)
        vfs_signal(SIGPIPE);
    return n;
}

ssize_t socket_receive(struct socket *sock, struct message *msg)
{
    return sock->ops->receive ? sock->ops->receive(sock, msg) : -EOPNOTSUPP;
}

/* ---- one buffer ---- */

long sys_sendto(int sockfd, const void __user *buf, size_t len, unsigned int flags,
                const struct sockaddr __user *dest_addr, int addrlen)
{
    AUTO_FD fd = {0};
    struct sock_addr name;
    struct socket *sock;
    struct iter data;
    struct message msg = {.data = &data};
    int err;

    len = MIN(len, LENGTH_MAX);
    if (!user_limit_ok(buf, len))
        return -EFAULT;
    err = socket_borrow(sockfd, &fd, &sock);
    if (!err && dest_addr)
        err = sock_addr_from_user(&name, dest_addr, addrlen);
    if (err)
        return err;
    iter_init_user(&data, true, (void __user *)buf, len);
    msg.addr = dest_addr && name.len ? &name : NULL;
    msg.flags = socket_message_flags(sock, flags);
    return socket_send(sock, &msg);
}

long sys_recvfrom(int sockfd, void __user *buf, size_t len, unsigned int flags,
                  struct sockaddr __user *src_addr, int __user *addrlen)
{
    AUTO_FD fd = {0};
    struct sock_addr name;
    struct socket *sock;
    struct iter data;
    struct message msg = {.data = &data};
    ssize_t n;
    int err;

    len = MIN(len, LENGTH_MAX);
    if (!user_limit_ok(buf, len))
        return -EFAULT;
    err = socket_borrow(sockfd, &fd, &sock);
    if (err)
        return err;
    iter_init_user(&data, false, buf, len);
    name.len = 0;
    msg.addr = src_addr ? &name : NULL;
    msg.flags = socket_message_flags(sock, flags);
    n = socket_receive(sock, &msg);
    if (n >= 0 && src_addr) {
        err = sock_addr_to_user(&name, src_addr, addrlen);
        if (err)
            return err;
    }
    return n;
}

/* ---- a header ---- */

/* A header that was copied in, and what it leads to, copied in as well. */
struct parcel {
    struct user_msghdr header;
    struct iter data;
    struct sock_addr addr;
    struct control control;
    u8 inline_control[CONTROL_INLINE];
};

static void parcel_release(struct parcel *parcel)
{
    iter_release(&parcel->data);
    if (parcel->control.buf != parcel->inline_control)
        kfree(parcel->control.buf);
}

/* The vector, once the header is here. parcel_release() is due only when it succeeds. */
static int parcel_vector(struct parcel *parcel, bool source)
{
    parcel->control = (struct control){.buf = parcel->inline_control};
    if (!parcel->header.msg_name)
        parcel->header.msg_namelen = 0;
    if (parcel->header.msg_namelen < 0)
        return -EINVAL;
    parcel->header.msg_namelen = MIN(parcel->header.msg_namelen, (int)sizeof(parcel->addr.storage));
    if (parcel->header.msg_iovlen > IOV_MAX_COUNT)
        return -EMSGSIZE;
    return iter_init_vector(&parcel->data, source, parcel->header.msg_iov,
                            parcel->header.msg_iovlen);
}

static int control_room(struct parcel *parcel, size_t size)
{
    if (size > CONTROL_INLINE)
        parcel->control.buf = kmalloc(size);
    return parcel->control.buf ? 0 : -ENOBUFS;
}

static int control_from_user(struct parcel *parcel)
{
    size_t len = parcel->header.msg_controllen;

    if (!parcel->header.msg_control || !len)
        return 0;
    if (len > READ_ONCE(net_limits.optmem_max) || control_room(parcel, len))
        return -ENOBUFS;
    parcel->control.len = len;
    return copy_from_user(parcel->control.buf, parcel->header.msg_control, len);
}

static ssize_t send_parcel(struct socket *sock, struct parcel *parcel, u32 flags)
{
    struct message msg = {.data = &parcel->data, .flags = socket_message_flags(sock, flags)};
    int err = 0;

    if (parcel->header.msg_namelen) {
        err =
            sock_addr_from_user(&parcel->addr, parcel->header.msg_name, parcel->header.msg_namelen);
        msg.addr = &parcel->addr;
    }
    if (!err)
        err = control_from_user(parcel);
    if (err)
        return err;
    msg.control = parcel->control.len ? &parcel->control : NULL;
    return socket_send(sock, &msg);
}

static ssize_t send_header(struct socket *sock, const struct user_msghdr __user *msg, u32 flags)
{
    struct parcel parcel;
    ssize_t n;

    if (copy_from_user(&parcel.header, msg, sizeof(parcel.header)))
        return -EFAULT;
    n = parcel_vector(&parcel, true);
    if (n)
        return n;
    n = send_parcel(sock, &parcel, flags);
    parcel_release(&parcel);
    return n;
}

/* What the call says beside the data. Descriptors that the program cannot learn of are closed. */
static int received_to_user(struct parcel *parcel, const struct message *got,
                            struct user_msghdr __user *msg)
{
    const struct control *control = &parcel->control;
    int err = 0;

    if (parcel->header.msg_name)
        err = sock_addr_to_user(&parcel->addr, parcel->header.msg_name, &msg->msg_namelen);
    if (!err)
        err = put_user(got->out_flags, &msg->msg_flags);
    if (!err && control->len)
        err = copy_to_user(parcel->header.msg_control, control->buf, control->len);
    if (!err)
        err = put_user(control->len, &msg->msg_controllen);
    if (err && !(got->flags & MSG_PEEK))
        control_close_files(control);
    return err;
}

static ssize_t receive_header(struct socket *sock, struct user_msghdr __user *user, u32 flags,
                              u32 *out_flags)
{
    struct parcel parcel;
    struct message msg = {.data = &parcel.data,
                          .flags = socket_message_flags(sock, flags),
                          .out_flags = flags & MSG_CMSG_CLOEXEC,
                          .control = &parcel.control};
    ssize_t n;
    int err;

    if (copy_from_user(&parcel.header, user, sizeof(parcel.header)))
        return -EFAULT;
    n = parcel_vector(&parcel, false);
    if (n)
        return n;
    parcel.addr.len = 0;
    msg.addr = parcel.header.msg_name ? &parcel.addr : NULL;
    if (parcel.header.msg_control)
        parcel.control.room = MIN(parcel.header.msg_controllen, (size_t)CONTROL_PUT);
    n = control_room(&parcel, parcel.control.room);
    if (!n)
        n = socket_receive(sock, &msg);
    if (n >= 0) {
        err = received_to_user(&parcel, &msg, user);
        n = err ? err : n;
    }
    parcel_release(&parcel);
    *out_flags = msg.out_flags;
    return n;
}

long sys_sendmsg(int sockfd, const struct user_msghdr __user *msg, unsigned int flags)
{
    AUTO_FD fd = {0};
    struct socket *sock;
    int err;

    if (flags & MSG_CMSG_COMPAT)
        return -EINVAL;
    err = socket_borrow(sockfd, &fd, &sock);
    return err ? err : send_header(sock, msg, flags);
}

long sys_recvmsg(int sockfd, struct user_msghdr __user *msg, unsigned int flags)
{
    AUTO_FD fd = {0};
    struct socket *sock;
    u32 out_flags;
    int err;

    if (flags & MSG_CMSG_COMPAT)
        return -EINVAL;
    err = socket_borrow(sockfd, &fd, &sock);
    return err ? err : receive_header(sock, msg, flags, &out_flags);
}

/* ---- several ---- */

/* What was done is told; an error after it shows in the next call. */
long sys_sendmmsg(int sockfd, struct mmsghdr __user *msgvec, unsigned int vlen, unsigned int flags)
{
    AUTO_FD fd = {0};
    struct socket *sock;
    unsigned int done;
    ssize_t n;

    if (flags & MSG_CMSG_COMPAT)
        return -EINVAL;
    n = socket_borrow(sockfd, &fd, &sock);
    vlen = MIN(vlen, (unsigned int)IOV_MAX_COUNT);
    for (done = 0; !n && done < vlen; done++) {
        n = send_header(sock, &msgvec[done].msg_hdr, flags);
        if (n < 0)
            break;
        n = put_user((unsigned int)n, &msgvec[done].msg_len);
        if (n)
            break;
    }
    return done ? (long)done : n;
}

static int timeout_from_user(const struct timespec __user *timeout, ktime *deadline)
{
    struct timespec ts;
    int given = timespec_from_user(&ts, timeout);

    *deadline = KTIME_FOREVER;
    if (given <= 0)
        return given;
    if (add_overflow(time_monotonic(), ktime_of(ts.tv_sec, ts.tv_nsec), deadline))
        *deadline = KTIME_FOREVER;
    return 0;
}

/* As on Linux the time is looked at after each message only: it ends no wait. */
static ssize_t receive_several(struct socket *sock, struct mmsghdr __user *vec, unsigned int vlen,
                               u32 flags, ktime deadline, unsigned int *done)
{
    u32 out_flags = 0;
    ssize_t n = 0;

    while (*done < vlen) {
        n = receive_header(sock, &vec[*done].msg_hdr, flags & ~(u32)MSG_WAITFORONE, &out_flags);
        if (n >= 0)
            n = put_user((unsigned int)n, &vec[*done].msg_len);
        if (n)
            break;
        ++*done;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (out_flags & MSG_OOB)
            break;
        if (deadline != KTIME_FOREVER && time_monotonic() >= deadline)
            break;
    }
    return n;
}

static void socket_note_error(struct socket *sock, ssize_t err)
{
    if (err >= 0 || err == -EAGAIN || err <= -ERESTARTSYS)
        return;
    spin_lock(&sock->lock);
    sock->error = (int)-err;
    spin_unlock(&sock->lock);
}

long sys_recvmmsg(int sockfd, struct mmsghdr __user *msgvec, unsigned int vlen, unsigned int flags,
                  struct timespec __user *timeout)
{
    AUTO_FD fd = {0};
    struct socket *sock;
    unsigned int done = 0;
    ktime deadline;
    ssize_t n;

    if (flags & MSG_CMSG_COMPAT)
        return -EINVAL;
    n = timeout_from_user(timeout, &deadline);
    if (!n)
        n = socket_borrow(sockfd, &fd, &sock);
    if (n)
        return n;
    spin_lock(&sock->lock);
    n = socket_take_error_locked(sock);
    spin_unlock(&sock->lock);
    if (!n)
        n = receive_several(sock, msgvec, MIN(vlen, (unsigned int)IOV_MAX_COUNT), flags, deadline,
                            &done);
    if (!done)
        return n;
    socket_note_error(sock, n);
    if (timeout) {
        struct timespec left =
            timespec_of(deadline == KTIME_FOREVER ? 0 : MAX(deadline - time_monotonic(), (ktime)0));

        if (copy_to_user(timeout, &left, sizeof(left)))
            return -EFAULT;
    }
    return done;
}
