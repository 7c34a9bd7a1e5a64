/* kernel/block/quota.c: quotactl(2), quotactl_fd(2). No file system counts what its users have. */
#include "base/errno.h"
#include "syscall_proto.h"
#include "vfs/files.h"
#include "vfs/path.h"

#include <linux/quota.h>
#include <linux/stat.h>

static bool type_is_known(u32 op)
{
    return (op & SUBCMDMASK) < MAXQUOTAS;
}

/* A device by which no file system is mounted, or what else is wrong with the name. */
static long refuse(const char __user *special)
{
    AUTO_PATH path = {0};
    int err = path_lookup_user(AT_FDCWD, special, LOOKUP_FOLLOW, &path);

    if (err)
        return err;
    return inode_is(path_inode(&path), S_IFBLK) ? -ENODEV : -ENOTBLK;
}

long sys_quotactl(u32 op, const char __user *special, int id, void __user *addr)
{
    (void)id, (void)addr; /* what would be asked about, and where the answer would go */
    if (!type_is_known(op))
        return -EINVAL;
    if (special)
        return refuse(special);
    /* Of all file systems one thing can be asked: to write back what none of them has. */
    return op >> SUBCMDSHIFT == (Q_SYNC & 0xffffff) ? 0 : -ENODEV;
}

long sys_quotactl_fd(int fd, u32 op, int id, void __user *addr)
{
    AUTO_FD ref = fd_borrow(fd);

    (void)id, (void)addr;
    if (!ref.file)
        return -EBADF;
    return type_is_known(op) ? -ENOSYS : -EINVAL;
}
