/* kernel/net/names.c: getsockname(2), getpeername(2). No descriptor is a socket while socket(2) makes none. */
#include "base/errno.h"
#include "net/socket.h"
#include "syscall_proto.h"
#include "vfs/file.h"
#include "vfs/files.h"

static long no_socket(int fd)
{
    struct file *file = fd_file(fd);

    if (!file)
        return -EBADF;
    file_put(file);
    return -ENOTSOCK;
}

long sys_getsockname(int sockfd, struct sockaddr __user *addr, int __user *addrlen)
{
    return no_socket(sockfd);
}

long sys_getpeername(int sockfd, struct sockaddr __user *addr, int __user *addrlen)
{
    return no_socket(sockfd);
}
