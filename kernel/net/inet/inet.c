/* kernel/net/inet/inet.c: AF_INET and AF_INET6: what all their sockets have. */
#include "net/inet/inet.h"

#include "base/errno.h"
#include "mm/alloc.h"
#include "net/inet/internal.h"
#include "net/inet/udp.h"
#include "signal/signal.h"
#include "task/task.h"

struct inet_tunables inet_tunables = {
    .port_low = 32768,
    .port_high = 60999,
    .unprivileged_port = 1024,
    .ping_low = 0, /* everybody, as Debian's systemd sets it */
    .ping_high = INT32_MAX,
};

int inet_init(struct inet_sock *is, const struct socket_ops *ops, int family, int type,
              int protocol, int flags)
{
    int err = socket_init(&is->sock, ops, family, type, protocol, flags);

    if (err)
        return err;
    refcount_init(&is->memory, 1);
    list_init(&is->port.link);
    is->port.sock = is;
    is->port.family = (u16)family;
    is->port.uid = is->sock.file.cred->fsuid;
    is->port.ino = is->sock.file.inode->ino;
    inet_options_init(is);
    return 0;
}

void inet_put(struct inet_sock *is)
{
    if (refcount_put(&is->memory))
        kfree(is);
}

void inet_release(struct inet_sock *is)
{
    struct outside *out;

    spin_lock(&is->sock.lock);
    out = TAKE(is->outside);
    spin_unlock(&is->sock.lock);
    outside_put(out, false);
    inet_groups_release(is);
    inet_put(is);
}

void inet_option_changed(struct socket *sock, int option)
{
    struct inet_sock *is = inet_of(sock);

    if (option == SO_REUSEADDR)
        WRITE_ONCE(is->port.reuse_address, socket_option(sock, SOCKET_REUSEADDR));
    else if (option == SO_REUSEPORT)
        WRITE_ONCE(is->port.reuse_port, socket_option(sock, SOCKET_REUSEPORT));
}

/* fcntl(2) on F_SETOWN: SIGURG goes to the owner, by whoever sent the urgent byte. */
void inet_signal_urgent(struct inet_sock *is)
{
    siginfo_t info;

    siginfo_kernel(&info, SIGURG);
    signal_file_owner(&is->sock.file, &info);
}

/* socket(2): what a type and a protocol may be together. */
static int create(int family, int type, int protocol, int flags, struct socket **out)
{
    if (protocol < 0 || protocol > 262) /* IPPROTO_MAX of Linux 6 */
        return -EINVAL;
    switch (type) {
    case SOCK_STREAM:
        return tcp_create(family, type, protocol, flags, out);
    case SOCK_DGRAM:
        return udp_create(family, type, protocol, flags, out);
    case SOCK_RAW:
        return raw_create(family, type, protocol, flags, out);
    default:
        return -ESOCKTNOSUPPORT;
    }
}

static int create_v4(int type, int protocol, int flags, struct socket **out)
{
    return create(AF_INET, type, protocol, flags, out);
}

static int create_v6(int type, int protocol, int flags, struct socket **out)
{
    return create(AF_INET6, type, protocol, flags, out);
}

void inet_start(void)
{
    static const struct socket_family v4 = {.family = AF_INET, .create = create_v4};
    static const struct socket_family v6 = {.family = AF_INET6, .create = create_v6};

    ports_init(&tcp_ports);
    ports_init(&udp_ports);
    ports_init(&ping_ports);
    socket_register(&v4);
    socket_register(&v6);
}
