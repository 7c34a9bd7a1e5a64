/* kernel/vfs/fcntl.c: dup(2), fcntl(2), ioctl(2), close_range(2): calls about descriptors. */
#include "abi/newer.h"
#include "base/bitmap.h"
#include "vfs/internal.h"
#include "vfs/locks.h"
#include "syscall_proto.h"

#include <asm/ioctls.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/resource.h>

#define SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

long sys_dup(int oldfd)
{
    struct file *file = fd_file_any(oldfd);

    return file ? fd_create(file, 0) : -EBADF;
}

long sys_dup3(int oldfd, int newfd, int flags)
{
    struct file *file;

    if ((flags & ~O_CLOEXEC) || oldfd == newfd)
        return -EINVAL;
    file = fd_file_any(oldfd);
    return file ? fd_replace(file, newfd, flags & O_CLOEXEC) : -EBADF;
}

long sys_dup2(int oldfd, int newfd)
{
    if (oldfd == newfd) {
        AUTO_FD fd = fd_borrow_any(oldfd);

        return fd.file ? newfd : -EBADF;
    }
    return sys_dup3(oldfd, newfd, 0);
}

static long dup_from(int nr, unsigned long lowest, bool cloexec)
{
    struct file *file;
    int fd;

    if (lowest >= rlimit(RLIMIT_NOFILE))
        return -EINVAL;
    file = fd_file_any(nr);
    if (!file)
        return -EBADF;
    fd = fd_reserve((int)lowest, cloexec);
    if (fd < 0)
        file_put(file);
    else
        fd_install(fd, file);
    return fd;
}

static long set_flags(struct file *file, int fd, int flags)
{
    u32 old = file_flags(file), new;
    int err;

    if ((flags & O_NOATIME) && !(old & O_NOATIME) && !inode_owner_or_capable(file->inode))
        return -EPERM;
    err = file->ops->set_flags ? file->ops->set_flags(file, flags) : 0;
    if (!err && file->ops->async && ((flags ^ (int)old) & FASYNC))
        err = file_set_async(file, fd, flags & FASYNC);
    if (err)
        return err;
    do {
        new = (old & ~(u32)SETTABLE) | ((u32)flags & SETTABLE);
    } while (!__atomic_compare_exchange_n(&file->flags, &old, new, false, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return 0;
}

/* How long what is written will live: kept for who asks, and of no use where nothing is laid out on a disk. */
static long rw_hint(struct inode *inode, bool set, u64 __user *arg)
{
    u64 hint = READ_ONCE(inode->write_hint);

    if (!set)
        return put_user(hint, arg);
    if (!inode_owner_or_capable(inode))
        return -EPERM;
    if (get_user(hint, arg))
        return -EFAULT;
    if (hint > RWH_WRITE_LIFE_EXTREME)
        return -EINVAL;
    WRITE_ONCE(inode->write_hint, (u8)hint);
    return 0;
}

static bool allowed_on_path(unsigned int cmd)
{
    return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC || cmd == F_DUPFD_QUERY || cmd == F_GETFD ||
           cmd == F_SETFD || cmd == F_GETFL || cmd == F_CREATED_QUERY;
}

/* What depends on what kind of file it is. */
static long fcntl_other(struct file *file, unsigned int cmd, unsigned long arg)
{
    return file->ops->fcntl ? file->ops->fcntl(file, cmd, arg) : -EINVAL;
}

static long fcntl_file(int nr, struct file *file, unsigned int cmd, unsigned long arg)
{
    switch (cmd) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return dup_from(nr, arg, cmd == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return fd_cloexec(nr) > 0 ? FD_CLOEXEC : 0;
    case F_SETFD:
        return fd_set_cloexec(nr, arg & FD_CLOEXEC);
    case F_GETFL:
        return file_flags(file);
    case F_SETFL:
        return set_flags(file, nr, (int)arg);
    case F_GETLK:
    case F_OFD_GETLK:
        return fcntl_getlk(file, (struct flock __user *)arg, cmd == F_OFD_GETLK);
    case F_SETLK:
    case F_SETLKW:
        return fcntl_setlk(file, (const struct flock __user *)arg, false, cmd == F_SETLKW);
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return fcntl_setlk(file, (const struct flock __user *)arg, true, cmd == F_OFD_SETLKW);
    case F_SETOWN:
    case F_GETOWN:
    case F_SETOWN_EX:
    case F_GETOWN_EX:
    case F_SETSIG:
    case F_GETSIG:
        return file_owner_call(file, cmd, arg);
    case F_DUPFD_QUERY: {
        AUTO_FD other = fd_borrow_any((int)arg);

        return other.file ? other.file == file : -EBADF;
    }
    case F_CREATED_QUERY:
        return file->mode & FILE_CREATED ? 1 : 0;
    case F_SETLEASE:
        return lease_set(file, nr, (int)arg);
    case F_GETLEASE:
        return lease_get(file);
    case F_GET_RW_HINT:
    case F_SET_RW_HINT:
        return rw_hint(file->inode, cmd == F_SET_RW_HINT, (u64 __user *)arg);
    case F_ADD_SEALS:
        if (!(file->mode & FILE_WRITE))
            return -EPERM;
        return fcntl_other(file, cmd, arg);
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
        return inode_is(file->inode, S_IFIFO) ? fcntl_other(file, cmd, arg) : -EBADF;
    default:
        return fcntl_other(file, cmd, arg);
    }
}

long sys_fcntl(int nr, unsigned int cmd, unsigned long arg)
{
    AUTO_FD fd = fd_borrow_any(nr);

    if (!fd.file || ((fd.file->mode & FILE_PATH) && !allowed_on_path(cmd)))
        return -EBADF;
    return fcntl_file(nr, fd.file, cmd, arg);
}

/* ---- ioctl ---- */

static long set_nonblocking(struct file *file, int __user *arg)
{
    int on, err = get_user(on, arg);

    if (err)
        return err;
    if (on)
        __atomic_fetch_or(&file->flags, O_NONBLOCK, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&file->flags, ~(u32)O_NONBLOCK, __ATOMIC_RELAXED);
    return 0;
}

static long set_async(struct file *file, int fd, int __user *arg)
{
    int on, err = get_user(on, arg);

    if (err)
        return err;
    if (!file->ops->async) /* what is off already may be turned off */
        return on ? -ENOTTY : 0;
    return file_set_async(file, fd, on);
}

static long ioctl_regular(struct file *file, unsigned int cmd, unsigned long arg)
{
    loff_t size = (loff_t)inode_size(file->inode);

    switch (cmd) {
    case FIONREAD:
        return put_user((int)(size - READ_ONCE(file->pos)), (int __user *)arg);
    case FIBMAP:
        return capable(CAP_SYS_RAWIO) ? -EINVAL : -EPERM; /* no file lies in blocks of a device */
    default:
        return -ENOTTY;
    }
}

/* ioctl_ficlonerange(2): no file system here shares blocks, which is what is left after all checks. */
static long clone_range(struct file *to, s64 from_nr)
{
    AUTO_FD from = fd_borrow((int)from_nr);

    if (!from.file)
        return -EBADF;
    if (inode_is(from.file->inode, S_IFDIR) || inode_is(to->inode, S_IFDIR))
        return -EISDIR;
    if (from.file->inode->super != to->inode->super)
        return -EXDEV;
    if (!inode_is(from.file->inode, S_IFREG) || !inode_is(to->inode, S_IFREG))
        return -EINVAL;
    if (!(from.file->mode & FILE_READ) || !(to->mode & FILE_WRITE) || (file_flags(to) & O_APPEND))
        return -EBADF;
    return -EOPNOTSUPP;
}

static long ioctl_clone_range(struct file *to, const struct file_clone_range __user *user)
{
    struct file_clone_range range;

    return copy_from_user(&range, user, sizeof(range)) ? -EFAULT : clone_range(to, range.src_fd);
}

/* FIOQSIZE: the bytes that it takes, not those that it has. */
static long put_space(struct inode *inode, loff_t __user *arg)
{
    struct kstat stat;
    int err = inode_getattr(inode, &stat);

    return err ? err : put_user((loff_t)(stat.blocks * 512), arg);
}

long sys_ioctl(int nr, unsigned int cmd, unsigned long arg)
{
    AUTO_FD fd = fd_borrow(nr);
    umode type;

    if (!fd.file)
        return -EBADF;
    type = fd.file->inode->mode & S_IFMT;
    switch (cmd) {
    case FIOCLEX:
    case FIONCLEX:
        return fd_set_cloexec(nr, cmd == FIOCLEX);
    case FIONBIO:
        return set_nonblocking(fd.file, (int __user *)arg);
    case FIOASYNC:
        return set_async(fd.file, nr, (int __user *)arg);
    case FIOQSIZE:
        if (type != S_IFREG && type != S_IFDIR && type != S_IFLNK)
            return -ENOTTY;
        return put_space(fd.file->inode, (loff_t __user *)arg);
    case FIGETBSZ:
        if (fd.file->mode & FILE_ANON)
            break;
        return put_user((int)fd.file->inode->super->block_size, (int __user *)arg);
    case FICLONE:
        return clone_range(fd.file, (int)arg);
    case FICLONERANGE:
        return ioctl_clone_range(fd.file, (const struct file_clone_range __user *)arg);
    case FS_IOC_FIEMAP:
        return -EOPNOTSUPP; /* as of file systems without extents of a device */
    }
    if (fd.file->ops->ioctl) {
        long result = fd.file->ops->ioctl(fd.file, cmd, arg);

        if (result != -ENOTTY || type != S_IFREG)
            return result;
    }
    return type == S_IFREG ? ioctl_regular(fd.file, cmd, arg) : -ENOTTY;
}

/* ---- close_range ---- */

long sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
    int err;

    if (first > last || (flags & ~(unsigned int)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
        return -EINVAL;
    if (flags & CLOSE_RANGE_UNSHARE) {
        err = files_unshare();
        if (err)
            return err;
    }
    last = MIN(last, READ_ONCE(self()->files->max) - 1);
    for (u64 fd = first; fd <= last; fd++) {
        if (flags & CLOSE_RANGE_CLOEXEC)
            fd_set_cloexec((int)fd, true);
        else
            fd_close((int)fd);
    }
    return 0;
}
