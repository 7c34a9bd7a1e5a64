/* kernel/net/options.c: getsockopt(2), setsockopt(2), and the options of socket(7). */
#include "abi/newer.h"
#include "abi/socket.h"
#include "base/string.h"
#include "cred/cred.h"
#include "mm/alloc.h"
#include "net/internal.h"
#include "syscall_proto.h"
#include "task/pidfd.h"
#include "task/task.h"

#define OPTION_MAX 4096 /* bytes that any option takes or gives */
/* What Linux lets a buffer shrink to. */
#define SEND_BUFFER_MIN    4608U
#define RECEIVE_BUFFER_MIN 2304U

struct option_bit {
    int option;
    enum socket_bit bit;
    int capability; /* to set it; -1: anybody may */
};

static const struct option_bit option_bits[] = {
    {SO_DEBUG, SOCKET_DEBUG, CAP_NET_ADMIN},      {SO_REUSEADDR, SOCKET_REUSEADDR, -1},
    {SO_REUSEPORT, SOCKET_REUSEPORT, -1},         {SO_KEEPALIVE, SOCKET_KEEPALIVE, -1},
    {SO_BROADCAST, SOCKET_BROADCAST, -1},         {SO_OOBINLINE, SOCKET_OOBINLINE, -1},
    {SO_PASSCRED, SOCKET_PASSCRED, -1},           {SO_PASSSEC, SOCKET_PASSSEC, -1},
    {SO_PASSPIDFD, SOCKET_PASSPIDFD, -1},         {SO_PASSRIGHTS, SOCKET_PASSRIGHTS, -1},
    {SO_DONTROUTE, SOCKET_DONTROUTE, -1},         {SO_TIMESTAMP_OLD, SOCKET_TIMESTAMP, -1},
    {SO_TIMESTAMPNS_OLD, SOCKET_TIMESTAMPNS, -1}, {SO_RXQ_OVFL, SOCKET_RXQ_OVFL, -1},
    {SO_NO_CHECK, SOCKET_NO_CHECK, -1},           {SO_ZEROCOPY, SOCKET_ZEROCOPY, -1},
};

static const struct option_bit *option_bit(int option)
{
    for (size_t i = 0; i < ARRAY_SIZE(option_bits); i++) {
        if (option_bits[i].option == option)
            return &option_bits[i];
    }
    return NULL;
}

/* Which families know what is sent along with a message. */
static bool bit_applies(const struct socket *sock, enum socket_bit bit)
{
    bool inet = sock->family == AF_INET || sock->family == AF_INET6;

    switch (bit) {
    case SOCKET_PASSCRED:
    case SOCKET_PASSSEC:
        return sock->family == AF_UNIX || sock->family == AF_NETLINK;
    case SOCKET_PASSPIDFD:
    case SOCKET_PASSRIGHTS:
        return sock->family == AF_UNIX;
    case SOCKET_ZEROCOPY:
    case SOCKET_REUSEPORT:
        return inet;
    default:
        return true;
    }
}

static void bit_store_locked(struct socket *sock, enum socket_bit bit, bool on)
{
    u64 mask = BIT(bit);

    /* One kind of time stamp at most goes with a message. */
    if (on && (bit == SOCKET_TIMESTAMP || bit == SOCKET_TIMESTAMPNS))
        sock->options &= ~(BIT(SOCKET_TIMESTAMP) | BIT(SOCKET_TIMESTAMPNS));
    sock->options = on ? sock->options | mask : sock->options & ~mask;
}

static int set_bit_option(struct socket *sock, const struct option_bit *which, int value)
{
    if (!bit_applies(sock, which->bit))
        return -EOPNOTSUPP;
    if (value && which->capability >= 0 && !capable(which->capability))
        return -EACCES;
    if (which->bit == SOCKET_ZEROCOPY && (value < 0 || value > 1))
        return -EINVAL;
    spin_lock(&sock->lock);
    bit_store_locked(sock, which->bit, value);
    spin_unlock(&sock->lock);
    return 0;
}

/* ---- setting ---- */

static u32 buffer_size(int value, u32 most, u32 least)
{
    u32 asked = MIN((u32)value, most); /* a negative number asks for the most */

    return MAX(MIN(asked, (u32)INT32_MAX / 2) * 2, least);
}

static int set_buffer(struct socket *sock, int option, int value)
{
    bool force = option == SO_SNDBUFFORCE || option == SO_RCVBUFFORCE;
    bool sending = option == SO_SNDBUF || option == SO_SNDBUFFORCE;
    u32 most = sending ? READ_ONCE(net_limits.send_max) : READ_ONCE(net_limits.receive_max);

    if (force && !capable(CAP_NET_ADMIN))
        return -EPERM;
    if (force) {
        value = MAX(value, 0);
        most = INT32_MAX;
    }
    if (sending)
        WRITE_ONCE(sock->send_buffer, buffer_size(value, most, SEND_BUFFER_MIN));
    else
        WRITE_ONCE(sock->receive_buffer, buffer_size(value, most, RECEIVE_BUFFER_MIN));
    return 0;
}

static bool may_mark(void)
{
    return capable(CAP_NET_ADMIN) || capable(CAP_NET_RAW);
}

static int set_number(struct socket *sock, int option, int value)
{
    switch (option) {
    case SO_SNDBUF:
    case SO_RCVBUF:
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
        return set_buffer(sock, option, value);
    case SO_PRIORITY:
        if ((value < 0 || value > 6) && !may_mark())
            return -EPERM;
        WRITE_ONCE(sock->priority, (u32)value);
        return 0;
    case SO_MARK:
        if (!may_mark())
            return -EPERM;
        WRITE_ONCE(sock->mark, (u32)value);
        return 0;
    case SO_RCVLOWAT:
        WRITE_ONCE(sock->receive_low, value < 0 ? INT32_MAX : value ? (u32)value : 1);
        return 0;
    case SO_PEEK_OFF:
        if (!sock->ops->peek_offset)
            return -EOPNOTSUPP;
        WRITE_ONCE(sock->peek_offset, value);
        return 0;
    case SO_INCOMING_CPU:
        WRITE_ONCE(sock->incoming_cpu, value);
        return 0;
    case SO_BSDCOMPAT: /* obsolete: Linux takes it and does nothing */
        return 0;
    case SO_DETACH_FILTER:
        return -ENOENT; /* there is none: attaching one is not there yet */
    default:
        return -ENOPROTOOPT;
    }
}

static int set_linger(struct socket *sock, const void *value, u32 len)
{
    struct linger linger;

    if (len < sizeof(linger))
        return -EINVAL;
    memcpy(&linger, value, sizeof(linger));
    spin_lock(&sock->lock);
    sock->linger = linger.l_onoff;
    sock->linger_seconds = linger.l_onoff ? (u32)linger.l_linger : sock->linger_seconds;
    spin_unlock(&sock->lock);
    return 0;
}

/* socket(7): zero means for ever. As on Linux a negative time has passed at once. */
static int set_timeout(ktime *timeout, const void *value, u32 len)
{
    struct timeval tv;
    ktime time;

    if (len < sizeof(tv))
        return -EINVAL;
    memcpy(&tv, value, sizeof(tv));
    if (tv.tv_usec < 0 || tv.tv_usec >= USEC_PER_SEC)
        return -EDOM;
    if (tv.tv_sec < 0)
        time = 1;
    else if (mul_overflow((ktime)tv.tv_sec, NSEC_PER_SEC, &time))
        time = 0;
    else
        time += tv.tv_usec * NSEC_PER_USEC;
    WRITE_ONCE(*timeout, time);
    return 0;
}

static int set_socket_option(struct socket *sock, int option, const void *value, u32 len)
{
    const struct option_bit *bit = option_bit(option);
    int number;

    if (len < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    if (bit)
        return set_bit_option(sock, bit, number);
    switch (option) {
    case SO_LINGER:
        return set_linger(sock, value, len);
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
        return set_timeout(&sock->receive_timeout, value, len);
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW:
        return set_timeout(&sock->send_timeout, value, len);
    default:
        return set_number(sock, option, number);
    }
}

static int set_option(struct socket *sock, int level, int option, const void *value, u32 len)
{
    int err = level == SOL_SOCKET ? set_socket_option(sock, option, value, len) : -ENOPROTOOPT;

    if (!err) {
        if (sock->ops->option_changed)
            sock->ops->option_changed(sock, option);
        return 0;
    }
    if (err != -ENOPROTOOPT)
        return err;
    if (sock->ops->set_option)
        return sock->ops->set_option(sock, level, option, value, len);
    return level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
}

/* Options are small; what is beyond the largest is not looked at. */
long sys_setsockopt(int sockfd, int level, int optname, const void __user *optval, int optlen)
{
    AUTO_FD fd = {0};
    struct socket *sock;
    u64 small[16];
    void *value = small;
    int err = socket_borrow(sockfd, &fd, &sock);
    u32 len;

    if (!err && optlen < 0)
        err = -EINVAL;
    if (err)
        return err;
    len = MIN((u32)optlen, (u32)OPTION_MAX);
    if (len > sizeof(small))
        value = kmalloc(len);
    if (!value)
        return -ENOMEM;
    /* SOL_SOCKET: a length that is too short is refused before the value is looked at. */
    if (level == SOL_SOCKET && len < sizeof(int))
        err = -EINVAL;
    else
        err = len ? copy_from_user(value, optval, len) : 0;
    if (!err)
        err = set_option(sock, level, optname, value, len);
    if (value != small)
        kfree(value);
    return err;
}

/* ---- getting ---- */

static int get_number(struct socket *sock, int option, int *out)
{
    switch (option) {
    case SO_TYPE:
        *out = sock->type;
        return 0;
    case SO_PROTOCOL:
        *out = sock->protocol;
        return 0;
    case SO_DOMAIN:
        *out = sock->family;
        return 0;
    case SO_ACCEPTCONN:
        *out = READ_ONCE(sock->listening);
        return 0;
    case SO_ERROR:
        spin_lock(&sock->lock);
        *out = -socket_take_error_locked(sock);
        spin_unlock(&sock->lock);
        return 0;
    case SO_SNDBUF:
        *out = (int)READ_ONCE(sock->send_buffer);
        return 0;
    case SO_RCVBUF:
        *out = (int)READ_ONCE(sock->receive_buffer);
        return 0;
    case SO_PRIORITY:
        *out = (int)READ_ONCE(sock->priority);
        return 0;
    case SO_MARK:
        *out = (int)READ_ONCE(sock->mark);
        return 0;
    case SO_RCVLOWAT:
        *out = (int)READ_ONCE(sock->receive_low);
        return 0;
    case SO_SNDLOWAT: /* socket(7): not changeable, always 1 */
        *out = 1;
        return 0;
    case SO_BSDCOMPAT: /* obsolete */
        *out = 0;
        return 0;
    case SO_PEEK_OFF:
        *out = READ_ONCE(sock->peek_offset);
        return sock->ops->peek_offset ? 0 : -EOPNOTSUPP;
    case SO_INCOMING_CPU:
        *out = READ_ONCE(sock->incoming_cpu);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int get_peer_cred(struct socket *sock, struct ucred *out)
{
    *out = (struct ucred){.uid = UINT32_MAX, .gid = UINT32_MAX};
    spin_lock(&sock->lock);
    out->pid = sock->peer.pid;
    if (sock->peer.cred) {
        out->uid = sock->peer.cred->euid;
        out->gid = sock->peer.cred->egid;
    }
    spin_unlock(&sock->lock);
    return 0;
}

/* Counted, or NULL. */
static const struct cred *peer_cred(struct socket *sock)
{
    const struct cred *cred;

    spin_lock(&sock->lock);
    cred = sock->peer.cred ? cred_get(sock->peer.cred) : NULL;
    spin_unlock(&sock->lock);
    return cred;
}

/* -ERANGE tells how much there is. */
static int get_peer_groups(struct socket *sock, void __user *optval, int __user *optlen, u32 room)
{
    AUTO(cred_put) const struct cred *cred = peer_cred(sock);
    u32 len;
    int err;

    if (!cred)
        return -ENODATA;
    len = cred->groups ? cred->groups->n * (u32)sizeof(gid_t) : 0;
    if (room < len) {
        err = put_user((int)len, optlen);
        return err ? err : -ERANGE;
    }
    if (len && copy_to_user(optval, cred->groups->gids, len))
        return -EFAULT;
    return put_user((int)len, optlen);
}

static int get_peer_name(struct socket *sock, void __user *optval, int __user *optlen, u32 room)
{
    struct sock_addr name = {0};

    if (!sock->ops->name_of || sock->ops->name_of(sock, true, &name))
        return -ENOTCONN;
    if (name.len < room)
        return -EINVAL;
    if (room && copy_to_user(optval, name.bytes, room))
        return -EFAULT;
    return put_user((int)room, optlen);
}

static int get_peer_pidfd(struct socket *sock, void __user *optval, int __user *optlen, u32 room)
{
    AUTO(process_put) struct process *process = NULL;
    struct file *file;
    u32 len = MIN(room, (u32)sizeof(int));
    int fd, err;

    if (sock->family != AF_UNIX)
        return -EOPNOTSUPP;
    if (!READ_ONCE(sock->peer.pid))
        return -ENODATA;
    process = process_lookup(READ_ONCE(sock->peer.pid));
    if (!process)
        return -ESRCH;
    file = pidfd_file(process, 0);
    fd = IS_ERR(file) ? (int)PTR_ERR(file) : fd_create(file, O_CLOEXEC);
    if (fd < 0)
        return fd;
    err = copy_to_user(optval, &fd, len);
    if (!err)
        err = put_user((int)len, optlen);
    if (err)
        fd_close(fd);
    return err;
}

static u64 socket_cookie(struct socket *sock)
{
    static u64 last; /* atomic */
    u64 none = 0;

    if (!__atomic_load_n(&sock->cookie, __ATOMIC_RELAXED)) {
        u64 new = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);

        __atomic_compare_exchange_n(&sock->cookie, &none, new, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
    }
    return __atomic_load_n(&sock->cookie, __ATOMIC_RELAXED);
}

static void get_linger(struct socket *sock, struct linger *out)
{
    spin_lock(&sock->lock);
    *out = (struct linger){.l_onoff = sock->linger, .l_linger = (int)sock->linger_seconds};
    spin_unlock(&sock->lock);
}

static struct timeval timeval_of(ktime timeout)
{
    return (struct timeval){.tv_sec = timeout / NSEC_PER_SEC,
                            .tv_usec = timeout % NSEC_PER_SEC / NSEC_PER_USEC};
}

/* Fixed-size options of SOL_SOCKET: *len is room on entry, and what the value takes on return. */
static int get_socket_option(struct socket *sock, int option, void *value, u32 *len)
{
    const struct option_bit *bit = option_bit(option);
    u32 size;
    union {
        int number;
        struct linger linger;
        struct timeval time;
        struct ucred cred;
        u64 cookie;
    } v = {0};
    int err = 0;

    if (bit) {
        size = sizeof(v.number);
        v.number = socket_option(sock, bit->bit);
        err = bit_applies(sock, bit->bit) || bit->bit == SOCKET_ZEROCOPY ||
                      bit->bit == SOCKET_REUSEPORT
                  ? 0
                  : -EOPNOTSUPP;
    } else if (option == SO_LINGER) {
        size = sizeof(v.linger);
        get_linger(sock, &v.linger);
    } else if (option == SO_RCVTIMEO_OLD || option == SO_RCVTIMEO_NEW) {
        size = sizeof(v.time);
        v.time = timeval_of(READ_ONCE(sock->receive_timeout));
    } else if (option == SO_SNDTIMEO_OLD || option == SO_SNDTIMEO_NEW) {
        size = sizeof(v.time);
        v.time = timeval_of(READ_ONCE(sock->send_timeout));
    } else if (option == SO_PEERCRED) {
        size = sizeof(v.cred);
        err = get_peer_cred(sock, &v.cred);
    } else if (option == SO_COOKIE) {
        size = sizeof(v.cookie);
        v.cookie = socket_cookie(sock);
        err = *len < size ? -EINVAL : 0;
    } else {
        size = sizeof(v.number);
        err = get_number(sock, option, &v.number);
    }
    if (err)
        return err;
    *len = MIN(*len, size);
    memcpy(value, &v, *len);
    return 0;
}

static int get_option(struct socket *sock, int level, int option, void *value, u32 *len)
{
    int err = level == SOL_SOCKET ? get_socket_option(sock, option, value, len) : -ENOPROTOOPT;

    if (err != -ENOPROTOOPT)
        return err;
    if (sock->ops->get_option)
        return sock->ops->get_option(sock, level, option, value, len);
    return level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
}

long sys_getsockopt(int sockfd, int level, int optname, void __user *optval, int __user *optlen)
{
    AUTO_FD fd = {0};
    struct socket *sock;
    u64 small[16];
    void *value = small;
    int room, err = socket_borrow(sockfd, &fd, &sock);
    u32 len;

    if (!err)
        err = get_user(room, optlen);
    if (!err && room < 0)
        err = -EINVAL;
    if (err)
        return err;
    if (level == SOL_SOCKET && optname == SO_PEERGROUPS)
        return get_peer_groups(sock, optval, optlen, (u32)room);
    if (level == SOL_SOCKET && optname == SO_PEERNAME)
        return get_peer_name(sock, optval, optlen, (u32)room);
    if (level == SOL_SOCKET && optname == SO_PEERPIDFD)
        return get_peer_pidfd(sock, optval, optlen, (u32)room);

    len = MIN((u32)room, (u32)OPTION_MAX);
    if (len > sizeof(small))
        value = kmalloc(len);
    if (!value)
        return -ENOMEM;
    err = get_option(sock, level, optname, value, &len);
    if (!err && len)
        err = copy_to_user(optval, value, len);
    if (!err)
        err = put_user((int)len, optlen);
    if (value != small)
        kfree(value);
    return err;
}
