/*
 * kernel/abi/socket.h: structures of the socket calls that no UAPI header exports, because C libraries carry
 * them in headers of their own; send(2), cmsg(3), socket(7), unix(7).
 */
#ifndef ABI_SOCKET_H
#define ABI_SOCKET_H

#include "base/types.h"

#include <linux/uio.h>

struct user_msghdr {
    void __user *msg_name;
    int msg_namelen;
    struct iovec __user *msg_iov;
    size_t msg_iovlen;
    void __user *msg_control;
    size_t msg_controllen;
    unsigned int msg_flags;
};

struct mmsghdr {
    struct user_msghdr msg_hdr;
    unsigned int msg_len;
};

struct cmsghdr {
    size_t cmsg_len; /* of header and data, without what aligns the next one */
    int cmsg_level;
    int cmsg_type;
};

#define CMSG_ALIGN(len) ALIGN_UP((size_t)(len), sizeof(size_t))
#define CMSG_LEN(len)   (sizeof(struct cmsghdr) + (len))
#define CMSG_SPACE(len) (sizeof(struct cmsghdr) + CMSG_ALIGN(len))

struct ucred {
    s32 pid;
    u32 uid;
    u32 gid;
};

struct linger {
    int l_onoff;
    int l_linger;
};

#define SCM_PIDFD 4 /* Linux 6.5 */

#define MSG_CMSG_COMPAT 0x80000000U /* of 32-bit programs: refused */

#define NR_FAMILIES   46 /* AF_MAX */
#define NR_TYPES      11 /* SOCK_MAX */
#define IOV_MAX_COUNT 1024

#endif
