/* kernel/net/socket_options.c: the options of socket(7), of level SOL_SOCKET. */
#include "abi/newer.h"
#include "abi/socket.h"
#include "base/string.h"
#include "cred/cred.h"
#include "net/filter.h"
#include "net/interfaces.h"
#include "net/internal.h"
#include "task/pidfd.h"
#include "task/task.h"

#include "abi/netdevice.h"
#include <linux/filter.h>

/* What Linux lets a buffer shrink to. */
#define SEND_BUFFER_MIN    4608U
#define RECEIVE_BUFFER_MIN 2304U

struct option_bit {
    int option;
    enum socket_bit bit;
    int capability; /* to set it; -1: anybody may */
};

static const struct option_bit option_bits[] = {
    {SO_DEBUG, SOCKET_DEBUG, CAP_NET_ADMIN},
    {SO_REUSEADDR, SOCKET_REUSEADDR, -1},
    {SO_REUSEPORT, SOCKET_REUSEPORT, -1},
    {SO_KEEPALIVE, SOCKET_KEEPALIVE, -1},
    {SO_BROADCAST, SOCKET_BROADCAST, -1},
    {SO_OOBINLINE, SOCKET_OOBINLINE, -1},
    {SO_PASSCRED, SOCKET_PASSCRED, -1},
    {SO_PASSSEC, SOCKET_PASSSEC, -1},
    {SO_PASSPIDFD, SOCKET_PASSPIDFD, -1},
    {SO_PASSRIGHTS, SOCKET_PASSRIGHTS, -1},
    {SO_DONTROUTE, SOCKET_DONTROUTE, -1},
    {SO_TIMESTAMP_OLD, SOCKET_TIMESTAMP, -1},
    {SO_TIMESTAMPNS_OLD, SOCKET_TIMESTAMPNS, -1},
    {SO_RXQ_OVFL, SOCKET_RXQ_OVFL, -1},
    {SO_NO_CHECK, SOCKET_NO_CHECK, -1},
    {SO_ZEROCOPY, SOCKET_ZEROCOPY, -1},
    {SO_LOCK_FILTER, SOCKET_LOCK_FILTER, -1},
    {SO_NOFCS, SOCKET_NOFCS, -1},
    {SO_WIFI_STATUS, SOCKET_WIFI_STATUS, -1},
    {SO_SELECT_ERR_QUEUE, SOCKET_SELECT_ERR_QUEUE, -1},
    {SO_TIMESTAMP_NEW, SOCKET_TIMESTAMP_NEW, -1},
    {SO_TIMESTAMPNS_NEW, SOCKET_TIMESTAMPNS_NEW, -1},
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
        return inet && sock->type != SOCK_RAW;
    case SOCKET_REUSEPORT:
        return inet;
    default:
        return true;
    }
}

static void bit_store_locked(struct socket *sock, enum socket_bit bit, bool on)
{
    u64 mask = BIT(bit);

    /* One kind of time stamp at most goes with a message, and who wants none of one kind wants none. */
    if (mask & SOCKET_STAMPS)
        sock->options &= ~(u64)SOCKET_STAMPS;
    sock->options = on ? sock->options | mask : sock->options & ~mask;
}

static int set_bit_option(struct socket *sock, const struct option_bit *which, int value)
{
    int err = 0;

    if (!bit_applies(sock, which->bit) && !(which->bit == SOCKET_REUSEPORT && !value))
        return -EOPNOTSUPP;
    if (value && which->capability >= 0 && !capable(which->capability))
        return -EACCES;
    if (which->bit == SOCKET_ZEROCOPY && (value < 0 || value > 1))
        return -EINVAL;
    spin_lock(&sock->lock);
    if (which->bit == SOCKET_LOCK_FILTER && !value && socket_option(sock, SOCKET_LOCK_FILTER))
        err = -EPERM;
    else
        bit_store_locked(sock, which->bit, value);
    spin_unlock(&sock->lock);
    return err;
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

/* socket(7): the privileged alone may take a socket away from a device. */
static int bind_to_device(struct socket *sock, u32 index)
{
    int err = 0;

    spin_lock(&sock->lock);
    if (sock->device && !capable(CAP_NET_RAW))
        err = -EPERM;
    else
        WRITE_ONCE(sock->device, index);
    spin_unlock(&sock->lock);
    return err;
}

static int set_device(struct socket *sock, const void *value, u32 len)
{
    const struct boot_interface *interface;
    char name[IFNAMSIZ] = "";

    memcpy(name, value, MIN(len, (u32)sizeof(name) - 1));
    if (!name[0])
        return bind_to_device(sock, 0);
    interface = interface_named(name);
    return interface ? bind_to_device(sock, interface->index) : -ENODEV;
}

/* bpf(2) is not there, so no descriptor is a program. */
static int set_program(const void *value, u32 len)
{
    int nr;

    if (len != sizeof(nr))
        return -EINVAL;
    memcpy(&nr, value, sizeof(nr));
    AUTO_FD fd = fd_borrow(nr);

    return fd.file ? -EINVAL : -EBADF;
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
    case SO_BUSY_POLL: /* no interface has queues to poll */
        if (value < 0)
            return -EINVAL;
        WRITE_ONCE(sock->busy_poll, (u32)value);
        return 0;
    case SO_BINDTOIFINDEX:
        return value < 0 ? -EINVAL : bind_to_device(sock, (u32)value);
    case SO_CNX_ADVICE: /* no way to the peer is remembered that might be a bad one */
    case SO_BSDCOMPAT:  /* obsolete: Linux takes it and does nothing */
        return 0;
    case SO_DETACH_FILTER:
        return filter_detach(sock);
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

/* A TCP stream inside the instance has no segments that a filter could look at. */
static bool socket_filters(const struct socket *sock)
{
    return sock->type != SOCK_STREAM || sock->family == AF_UNIX;
}

int socket_option_set(struct socket *sock, int option, const void *value, u32 len)
{
    const struct option_bit *bit = option_bit(option);
    int number;

    if (option == SO_BINDTODEVICE)
        return set_device(sock, value, len);
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
    case SO_ATTACH_FILTER:
        return socket_filters(sock) ? filter_attach(sock, value, len) : -ENOPROTOOPT;
    case SO_ATTACH_BPF:
        return set_program(value, len);
    default:
        return set_number(sock, option, number);
    }
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
    case SO_INCOMING_NAPI_ID: /* nothing comes by a queue of a device */
    case SO_BSDCOMPAT:        /* obsolete */
        *out = 0;
        return 0;
    case SO_BUSY_POLL:
        *out = (int)READ_ONCE(sock->busy_poll);
        return 0;
    case SO_BINDTOIFINDEX:
        *out = (int)READ_ONCE(sock->device);
        return 0;
    case SO_BPF_EXTENSIONS:
        *out = SKF_AD_MAX;
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

/* Nothing for a socket that is bound to none. */
static int get_device(struct socket *sock, void __user *optval, int __user *optlen, u32 room)
{
    u32 index = READ_ONCE(sock->device), len = 0;
    const struct boot_interface *interface = interface_find(index);

    if (index && room < IFNAMSIZ)
        return -EINVAL;
    if (index && !interface)
        return -ENODEV;
    if (index) {
        len = (u32)strnlen(interface->name, IFNAMSIZ - 1) + 1;
        if (copy_to_user(optval, interface->name, len))
            return -EFAULT;
    }
    return put_user((int)len, optlen);
}

/* SO_GET_FILTER: the length is a number of instructions. */
static int get_filter(struct socket *sock, void __user *optval, int __user *optlen, u32 room)
{
    int n = filter_tell(sock, optval, room);

    return n < 0 ? n : put_user(n, optlen);
}

int socket_option_get_sized(struct socket *sock, int option, void __user *optval,
                            int __user *optlen, u32 room)
{
    switch (option) {
    case SO_PEERGROUPS:
        return get_peer_groups(sock, optval, optlen, room);
    case SO_PEERNAME:
        return get_peer_name(sock, optval, optlen, room);
    case SO_PEERPIDFD:
        return get_peer_pidfd(sock, optval, optlen, room);
    case SO_BINDTODEVICE:
        return get_device(sock, optval, optlen, room);
    case SO_GET_FILTER:
        return get_filter(sock, optval, optlen, room);
    default:
        return -ENOPROTOOPT;
    }
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
int socket_option_get(struct socket *sock, int option, void *value, u32 *len)
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
