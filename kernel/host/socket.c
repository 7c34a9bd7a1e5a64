/* kernel/host/socket.c: the socket calls of the target, and the check of what it answers. */
#include "host/socket.h"

#include "abi/unexported.h"
#include "base/string.h"
#include "host/border.h"
#include "host/descriptors.h"

#define INTERRUPTED_MAX 1000 /* times that a call begins anew before the host is taken for mad */
#define OPTION_MOST     (1 << 30)

/* What each call may answer, by its man page; a list ends with 0. */
#define NETWORK_ERRORS                                                                             \
    ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ECONNREFUSED, ECONNRESET, ETIMEDOUT,           \
        ECONNABORTED, EPROTO, ENOPROTOOPT, EACCES, EPERM, ENOBUFS, ENOMEM

static const u8 open_errors[] = {EMFILE, ENFILE,       ENOBUFS, ENOMEM,          EACCES,
                                 EPERM,  EAFNOSUPPORT, EINVAL,  EPROTONOSUPPORT, 0};
static const u8 bind_errors[] = {EADDRINUSE, EADDRNOTAVAIL, EACCES, EPERM, EINVAL,
                                 ENOMEM,     ENOBUFS,       ENODEV, 0};
static const u8 listen_errors[] = {EADDRINUSE, ENOBUFS, ENOMEM, 0};
static const u8 accept_errors[] = {EAGAIN, EMFILE, ENFILE, NETWORK_ERRORS, EOPNOTSUPP, 0};
static const u8 connect_errors[] = {
    NETWORK_ERRORS, EINPROGRESS, EALREADY, EISCONN,      EADDRNOTAVAIL,
    EADDRINUSE,     EAGAIN,      EINVAL,   EAFNOSUPPORT, 0};
static const u8 name_errors[] = {ENOTCONN, ENOBUFS, 0};
static const u8 send_errors[] = {NETWORK_ERRORS, EAGAIN,       EPIPE,  EMSGSIZE,
                                 ENOTCONN,       EDESTADDRREQ, EINVAL, 0};
static const u8 receive_errors[] = {NETWORK_ERRORS, EAGAIN, ENOTCONN, EINVAL, 0};
static const u8 shutdown_errors[] = {ENOTCONN, ENOBUFS, 0};
static const u8 option_errors[] = {ENOPROTOOPT, EINVAL,  EDOM,    ENOTCONN, EPERM,
                                   EACCES,      EISCONN, ENOBUFS, ENOMEM,   0};
static const u8 count_errors[] = {EINVAL, ENOTTY, 0};
/* What SO_ERROR can hold: what befell the connection. */
static const u8 pending_errors[] = {NETWORK_ERRORS, EPIPE, EMSGSIZE, EADDRNOTAVAIL, 0};

/* An address of the family that was asked for; *to holds it alone, without what else stood there. */
static bool address_take(int family, const struct target_address *reply, struct target_address *to)
{
    *to = (struct target_address){.family = (u16)family, .port = reply->port};
    memcpy(to->ip, reply->ip, family == AF_INET ? 4 : 16);
    if (family == AF_INET6)
        to->scope = reply->scope;
    return reply->family == family;
}

int host_socket_open(int family, int type)
{
    int fd = target_socket_open(family, type);

    if (fd < 0)
        return BORDER_ERRNO(socket_open_errno, fd, open_errors);
    return BORDER_DESCRIPTOR(socket_open_descriptor, socket_open_twice, fd);
}

void host_socket_close(int socket)
{
    if (descriptor_drop(socket))
        target_file_close(socket);
}

int host_socket_bind(int socket, const struct target_address *address)
{
    return BORDER_DONE(socket_bind_result, target_socket_bind(socket, address), bind_errors);
}

int host_socket_listen(int socket, int backlog)
{
    return BORDER_DONE(socket_listen_result, target_socket_listen(socket, backlog), listen_errors);
}

int host_socket_accept(int socket, int family, struct target_address *peer)
{
    struct target_address reply = {0};
    int fd = -EINTR, tries;

    for (tries = 0; fd == -EINTR && tries < INTERRUPTED_MAX; tries++)
        fd = target_socket_accept(socket, &reply);
    if (fd < 0)
        return BORDER_ERRNO(socket_accept_errno, fd, accept_errors);
    fd = BORDER_DESCRIPTOR(socket_accept_descriptor, socket_accept_twice, fd);
    if (fd >= 0 && !BORDER(socket_accept_peer, address_take(family, &reply, peer))) {
        host_socket_close(fd);
        return -EIO;
    }
    return fd;
}

int host_socket_connect(int socket, const struct target_address *to)
{
    return BORDER_DONE(socket_connect_result, target_socket_connect(socket, to), connect_errors);
}

int host_socket_name(int socket, int family, bool peer, struct target_address *out)
{
    struct target_address reply = {0};
    int err =
        BORDER_DONE(socket_name_result, target_socket_name(socket, peer, &reply), name_errors);

    if (err)
        return err;
    return BORDER(socket_name_family, address_take(family, &reply, out)) ? 0 : -EIO;
}

s64 host_socket_send(int socket, const void *from, size_t len, int flags,
                     const struct target_address *to)
{
    s64 put = -EINTR;

    for (int tries = 0; put == -EINTR && tries < INTERRUPTED_MAX; tries++)
        put = target_socket_send(socket, from, len, flags, to);
    if (!BORDER(socket_send_progress, put != 0 || len == 0))
        return -EIO;
    return BORDER_COUNT(socket_send_count, socket_send_errno, put, len, send_errors);
}

/* At most `most` may be answered; len bytes can be stored. */
static s64 receive(int socket, void *to, size_t len, int flags, struct target_address *from)
{
    s64 got = -EINTR;

    BORDER_CLEAR(socket_receive_cleared, to, len);
    for (int tries = 0; got == -EINTR && tries < INTERRUPTED_MAX; tries++)
        got = target_socket_receive(socket, to, len, flags, from);
    return got;
}

s64 host_socket_receive(int socket, void *to, size_t len, int flags)
{
    s64 got = receive(socket, to, len, flags, NULL);

    return BORDER_COUNT(socket_receive_count, socket_receive_errno, got, len, receive_errors);
}

s64 host_socket_receive_from(int socket, int family, void *to, size_t len, int flags,
                             struct target_address *from)
{
    struct target_address reply = {0};
    s64 got = receive(socket, to, len, flags, &reply);

    got = BORDER_COUNT(socket_datagram_count, socket_datagram_errno, got, HOST_DATAGRAM_MAX,
                       receive_errors);
    if (got >= 0 && !BORDER(socket_datagram_sender, address_take(family, &reply, from)))
        return -EIO;
    return got;
}

int host_socket_shutdown(int socket, int how)
{
    return BORDER_DONE(socket_shutdown_result, target_socket_shutdown(socket, how),
                       shutdown_errors);
}

int host_socket_set(int socket, enum target_option option, int value)
{
    return BORDER_DONE(socket_set_result, target_socket_option(socket, option, true, &value),
                       option_errors);
}

int host_socket_get(int socket, enum target_option option, int *value)
{
    int reply = 0;
    int err = BORDER_DONE(socket_get_result, target_socket_option(socket, option, false, &reply),
                          option_errors);

    if (err)
        return err;
    if (!BORDER(socket_get_value, reply >= -1 && reply <= OPTION_MOST))
        return -EIO;
    *value = reply;
    return 0;
}

int host_socket_error(int socket)
{
    int value = 0, err = host_socket_get(socket, TARGET_OPTION_ERROR, &value);

    if (err || value == 0)
        return err;
    return BORDER_ERRNO(socket_error_errno, -value, pending_errors);
}

s64 host_socket_count(int socket, enum target_count what)
{
    s64 most = what == TARGET_COUNT_MARK ? 1 : OPTION_MOST;

    return BORDER_COUNT(socket_count_range, socket_count_errno, target_socket_count(socket, what),
                        (size_t)most, count_errors);
}
