/*
 * kernel/host/socket.h: TCP and UDP of the host. A socket is a host descriptor. No call blocks; host/ready.h tells when to try again. Every reply is checked here: an error that the call
 * cannot have is -EIO, a length is within what was asked, an address is of the socket's family.
 */
#ifndef HOST_SOCKET_H
#define HOST_SOCKET_H

#include "base/errno.h"
#include "base/types.h"

#include <myst/target.h>

#define HOST_DATAGRAM_MAX 65535 /* a UDP packet's length field has 16 bits */

int host_socket_open(int family, int type); /* AF_INET, AF_INET6; SOCK_STREAM, SOCK_DGRAM */
void host_socket_close(int socket);
int host_socket_bind(int socket, const struct target_address *address);
int host_socket_listen(int socket, int backlog);
/* The new socket; -EAGAIN, also after connections that ended before they were taken. */
int host_socket_accept(int socket, int family, struct target_address *peer);
int host_socket_connect(int socket, const struct target_address *to);
int host_socket_name(int socket, int family, bool peer, struct target_address *out);

/* Kernel memory. flags: TARGET_MESSAGE_. */
s64 host_socket_send(int socket, const void *from, size_t len, int flags,
                     const struct target_address *to);
s64 host_socket_receive(int socket, void *to, size_t len, int flags);
/* A datagram: its whole length, of which at most len bytes are in `to`. */
s64 host_socket_receive_from(int socket, int family, void *to, size_t len, int flags,
                             struct target_address *from);

int host_socket_shutdown(int socket, int how);
int host_socket_set(int socket, enum target_option option, int value);
int host_socket_get(int socket, enum target_option option, int *value);
int host_socket_error(int socket); /* SO_ERROR: 0 or a negative errno, and clears it */
s64 host_socket_count(int socket, enum target_count what);

#endif
