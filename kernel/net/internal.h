/* kernel/net/internal.h: what the files of the socket layer share; families see net/socket.h alone. */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "net/socket.h"
#include "vfs/files.h"

/* -EBADF, -ENOTSOCK; the descriptor is borrowed for the length of a call. */
int socket_borrow(int nr, struct fd_ref *fd, struct socket **out);

/* What a program gives and takes as an address. from: -EINVAL (length), -EFAULT. */
int sock_addr_from_user(struct sock_addr *out, const void __user *addr, int len);
/* Cut to what the program has room for, and its whole length told: -EFAULT, -EINVAL. */
int sock_addr_to_user(const struct sock_addr *addr, void __user *to, int __user *len);

/* send and receive as read(2), write(2) and the calls of message.c see them; SIGPIPE included. */
ssize_t socket_send(struct socket *sock, struct message *msg);
ssize_t socket_receive(struct socket *sock, struct message *msg);

/* MSG_DONTWAIT when the file is O_NONBLOCK. */
static inline u32 socket_message_flags(const struct socket *sock, u32 flags)
{
    return flags | (file_nonblocking(&sock->file) ? MSG_DONTWAIT : 0);
}

/* control.c: closes the descriptors that the program could not be told of. */
void control_close_files(const struct control *control);

/* socket_options.c: the layer's options of SOL_SOCKET. -ENOPROTOOPT: left to the family. *len as get_option's. */
int socket_option_set(struct socket *sock, int option, const void *value, u32 len);
int socket_option_get(struct socket *sock, int option, void *value, u32 *len);
/* Those that tell their length in ways of their own. */
int socket_option_get_sized(struct socket *sock, int option, void __user *optval,
                            int __user *optlen, u32 room);

#endif
