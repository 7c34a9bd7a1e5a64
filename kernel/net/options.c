/* kernel/net/options.c: getsockopt(2), setsockopt(2): between the program's memory, the layer's options and a family's. */
#include "mm/alloc.h"
#include "net/internal.h"
#include "syscall_proto.h"

#define OPTION_MAX 4096 /* bytes that any option takes or gives */

static int set_option(struct socket *sock, int level, int option, const void *value, u32 len)
{
    int err = level == SOL_SOCKET ? socket_option_set(sock, option, value, len) : -ENOPROTOOPT;

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
    if (level == SOL_SOCKET && len < sizeof(int) && optname != SO_BINDTODEVICE)
        err = -EINVAL;
    else
        err = len ? copy_from_user(value, optval, len) : 0;
    if (!err)
        err = set_option(sock, level, optname, value, len);
    if (value != small)
        kfree(value);
    return err;
}

static int get_option(struct socket *sock, int level, int option, void *value, u32 *len)
{
    int err = level == SOL_SOCKET ? socket_option_get(sock, option, value, len) : -ENOPROTOOPT;

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
    if (level == SOL_SOCKET) {
        err = socket_option_get_sized(sock, optname, optval, optlen, (u32)room);
        if (err != -ENOPROTOOPT)
            return err;
    }
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
