/*
 * kernel/block/swap.c: swapon(2), swapoff(2). Files lie in memory or in a folder of the host, and neither can be swapped
 * to: what can be opened is refused as man pages say of tmpfs(5).
 */
#include "base/errno.h"
#include "cred/cred.h"
#include "syscall_proto.h"
#include "vfs/file.h"
#include "vfs/path.h"

/* linux/swap.h is not among the headers for programs */
#define SWAP_FLAG_PREFER        0x8000
#define SWAP_FLAG_PRIO_MASK     0x7fff
#define SWAP_FLAG_DISCARD       0x10000
#define SWAP_FLAG_DISCARD_ONCE  0x20000
#define SWAP_FLAG_DISCARD_PAGES 0x40000
#define SWAP_FLAGS                                                                                 \
    (SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK | SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_ONCE |         \
     SWAP_FLAG_DISCARD_PAGES)

/* What is wrong with the file, at the latest that it is no swap area. */
static long refuse(const char __user *pathname)
{
    AUTO(file_put) struct file *file = NULL;
    AUTO_PATHNAME name;
    int err;

    err = pathname_get(&name, pathname);
    if (err)
        return err;
    file = file_open(name.text, O_RDWR | O_LARGEFILE, 0);
    return IS_ERR(file) ? PTR_ERR(file) : -EINVAL;
}

long sys_swapon(const char __user *path, int swapflags)
{
    if (swapflags & ~SWAP_FLAGS)
        return -EINVAL;
    return capable(CAP_SYS_ADMIN) ? refuse(path) : -EPERM;
}

long sys_swapoff(const char __user *path)
{
    return capable(CAP_SYS_ADMIN) ? refuse(path) : -EPERM;
}
