/*
 * kernel/vfs/attr.c: changing attributes: chmod(2), chown(2), utimensat(2), truncate(2), fallocate(2),
 * umask(2).
 */
#include "abi/newer.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <asm/signal.h>
#include <linux/falloc.h>
#include <linux/inotify.h>
#include <linux/resource.h>
#include <linux/time.h>
#include <linux/utime.h>

#ifndef UTIME_NOW /* utimensat(2); no UAPI header exports them */
#define UTIME_NOW  ((1L << 30) - 1)
#define UTIME_OMIT ((1L << 30) - 2)
#endif

/* From here on by the file system; inode's lock held. */
static int setattr_locked(struct inode *inode, struct iattr *attr)
{
    attr->valid |= ATTR_CTIME;
    attr->ctime = inode_now();
    if (inode->ops->setattr)
        return inode->ops->setattr(inode, attr);
    if (attr->valid & ATTR_SIZE)
        return -EINVAL;
    inode_setattr(inode, attr);
    return 0;
}

/* What a file loses when its owner changes or somebody writes to it: inode(7). */
static umode mode_without_privileges(umode mode)
{
    mode &= (umode)~S_ISUID;
    return mode & S_IXGRP ? mode & (umode)~S_ISGID : mode;
}

int inode_remove_privileges(struct inode *inode)
{
    struct iattr attr = {.valid = ATTR_MODE};
    int err = 0;

    if (!S_ISREG(inode->mode) ||
        mode_without_privileges(READ_ONCE(inode->mode)) == READ_ONCE(inode->mode) ||
        capable(CAP_FSETID))
        return 0;
    inode_lock(inode);
    attr.mode = mode_without_privileges(inode->mode) & 07777;
    if (attr.mode != (inode->mode & 07777))
        err = setattr_locked(inode, &attr);
    inode_unlock(inode);
    return err;
}

static int may_chown(const struct inode *inode, const struct iattr *attr)
{
    const struct cred *cred = cred_current();
    bool owner = cred->fsuid == inode->uid;

    if (cred_capable(cred, CAP_CHOWN))
        return 0;
    if ((attr->valid & ATTR_UID) && !(owner && attr->uid == inode->uid))
        return -EPERM;
    if ((attr->valid & ATTR_GID) &&
        !(owner && (attr->gid == inode->gid || cred_in_group(cred, attr->gid))))
        return -EPERM;
    return 0;
}

static int change_locked(struct inode *inode, struct iattr *attr)
{
    int err = 0;

    if (attr->valid & (ATTR_UID | ATTR_GID)) {
        err = may_chown(inode, attr);
        if (!err && !S_ISDIR(inode->mode) && mode_without_privileges(inode->mode) != inode->mode) {
            attr->valid |= ATTR_MODE;
            attr->mode = mode_without_privileges(inode->mode) & 07777;
        }
    } else if (attr->valid & ATTR_MODE) {
        if (!inode_owner_or_capable(inode))
            return -EPERM;
        if (!S_ISDIR(inode->mode) && !cred_in_group(cred_current(), inode->gid) &&
            !capable(CAP_FSETID))
            attr->mode &= (umode)~S_ISGID;
    }
    return err ? err : setattr_locked(inode, attr);
}

int inode_change(const struct path *path, struct iattr *attr)
{
    struct inode *inode = path_inode(path);
    int err = mount_want_write(path->mount);

    if (err)
        return err;
    inode_lock(inode);
    err = inode->flags & INODE_IMMUTABLE ? -EPERM : change_locked(inode, attr);
    inode_unlock(inode);
    mount_drop_write(path->mount);
    if (!err && vfs_notify)
        vfs_notify(path->dentry, IN_ATTRIB, NULL, 0);
    return err;
}

/* ---- chmod ---- */

static long change_at(int dirfd, const char __user *pathname, int flags, struct iattr *attr)
{
    AUTO_PATH path = {0};
    u32 lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    int err = path_lookup_user(dirfd, pathname, lookup, &path);

    if (err)
        return err;
    /* A symbolic link's mode means nothing, and file systems refuse to change it. */
    if ((attr->valid & ATTR_MODE) && inode_is(path_inode(&path), S_IFLNK))
        return -EOPNOTSUPP;
    return inode_change(&path, attr);
}

long sys_fchmodat2(int dirfd, const char __user *pathname, unsigned int mode, unsigned int flags)
{
    struct iattr attr = {.valid = ATTR_MODE, .mode = (umode)mode & 07777};

    if (flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return change_at(dirfd, pathname, (int)flags, &attr);
}

long sys_fchmodat(int dirfd, const char __user *pathname, unsigned int mode)
{
    return sys_fchmodat2(dirfd, pathname, mode, 0);
}

long sys_chmod(const char __user *pathname, unsigned int mode)
{
    return sys_fchmodat2(AT_FDCWD, pathname, mode, 0);
}

static long change_fd(int nr, struct iattr *attr)
{
    AUTO_FD fd = fd_borrow(nr);

    return fd.file ? inode_change(&fd.file->path, attr) : -EBADF;
}

long sys_fchmod(int nr, unsigned int mode)
{
    return change_fd(nr, &(struct iattr){.valid = ATTR_MODE, .mode = (umode)mode & 07777});
}

/* ---- chown; -1 leaves an identifier as it is ---- */

static struct iattr owner_attr(unsigned int owner, unsigned int group)
{
    return (struct iattr){
        .valid = (owner == UINT32_MAX ? 0 : ATTR_UID) | (group == UINT32_MAX ? 0 : ATTR_GID),
        .uid = owner,
        .gid = group,
    };
}

long sys_fchownat(int dirfd, const char __user *pathname, unsigned int owner, unsigned int group,
                  int flags)
{
    struct iattr attr = owner_attr(owner, group);

    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return change_at(dirfd, pathname, flags, &attr);
}

long sys_chown(const char __user *pathname, unsigned int owner, unsigned int group)
{
    return sys_fchownat(AT_FDCWD, pathname, owner, group, 0);
}

long sys_lchown(const char __user *pathname, unsigned int owner, unsigned int group)
{
    return sys_fchownat(AT_FDCWD, pathname, owner, group, AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(int nr, unsigned int owner, unsigned int group)
{
    struct iattr attr = owner_attr(owner, group);

    return change_fd(nr, &attr);
}

/* ---- times ---- */

/* times NULL: both become now. Each element is a time, UTIME_NOW or UTIME_OMIT. */
static int times_attr(const struct timespec *times, struct iattr *attr, bool *only_now)
{
    static const u32 bits[] = {ATTR_ATIME, ATTR_MTIME};
    ktime now = inode_now(), values[2] = {now, now};

    *attr = (struct iattr){0};
    *only_now = true;
    for (u32 i = 0; i < 2; i++) {
        long nsec = times ? times[i].tv_nsec : UTIME_NOW;

        if (nsec == UTIME_OMIT) {
            *only_now = false;
            continue;
        }
        attr->valid |= bits[i];
        if (nsec == UTIME_NOW)
            continue;
        if (nsec < 0 || nsec >= NSEC_PER_SEC)
            return -EINVAL;
        *only_now = false;
        if (mul_overflow(times[i].tv_sec, NSEC_PER_SEC, &values[i]) ||
            add_overflow(values[i], nsec, &values[i]))
            values[i] = times[i].tv_sec < 0 ? INT64_MIN + 1 : INT64_MAX;
    }
    attr->atime = values[0];
    attr->mtime = values[1];
    return 0;
}

/* utimensat(2): who may write the file may set the times to now; the owner may set any. */
static int set_times(const struct path *path, const struct timespec *times)
{
    struct inode *inode = path_inode(path);
    struct iattr attr;
    bool only_now;
    int err = times_attr(times, &attr, &only_now);

    if (err || !attr.valid)
        return err;
    if (!inode_owner_or_capable(inode)) {
        if (!only_now)
            return -EPERM;
        err = inode_permission(inode, MAY_WRITE);
        if (err)
            return err;
    }
    return inode_change(path, &attr);
}

static long times_at(int dirfd, const char __user *pathname, const struct timespec *times,
                     int flags)
{
    AUTO_PATH path = {0};
    u32 lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    int err;

    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (!pathname && dirfd != AT_FDCWD) {
        AUTO_FD fd = fd_borrow(dirfd);

        if (flags)
            return -EINVAL;
        return fd.file ? set_times(&fd.file->path, times) : -EBADF;
    }
    err = path_lookup_user(dirfd, pathname, lookup, &path);
    return err ? err : set_times(&path, times);
}

long sys_utimensat(int dirfd, const char __user *pathname, const struct timespec __user *user_times,
                   int flags)
{
    struct timespec times[2];

    if (!user_times)
        return times_at(dirfd, pathname, NULL, flags);
    if (copy_from_user(times, user_times, sizeof(times)))
        return -EFAULT;
    /* Nothing to change: not even the path is looked at. */
    if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
        return 0;
    return times_at(dirfd, pathname, times, flags);
}

long sys_futimesat(int dirfd, const char __user *pathname, const struct timeval __user *user_times)
{
    struct timeval given[2];
    struct timespec times[2];

    if (!user_times)
        return times_at(dirfd, pathname, NULL, 0);
    if (copy_from_user(given, user_times, sizeof(given)))
        return -EFAULT;
    for (u32 i = 0; i < 2; i++) {
        if (given[i].tv_usec < 0 || given[i].tv_usec >= USEC_PER_SEC)
            return -EINVAL;
        times[i] = (struct timespec){.tv_sec = given[i].tv_sec, .tv_nsec = given[i].tv_usec * 1000};
    }
    return times_at(dirfd, pathname, times, 0);
}

long sys_utimes(const char __user *pathname, const struct timeval __user *times)
{
    return sys_futimesat(AT_FDCWD, pathname, times);
}

long sys_utime(const char __user *pathname, const struct utimbuf __user *user_times)
{
    struct utimbuf given;
    struct timespec times[2];

    if (!user_times)
        return times_at(AT_FDCWD, pathname, NULL, 0);
    if (copy_from_user(&given, user_times, sizeof(given)))
        return -EFAULT;
    times[0] = (struct timespec){.tv_sec = given.actime};
    times[1] = (struct timespec){.tv_sec = given.modtime};
    return times_at(AT_FDCWD, pathname, times, 0);
}

/* ---- size ---- */

int inode_truncate(struct inode *inode, u64 size, struct file *file)
{
    ktime now = inode_now();
    struct iattr attr = {.valid = ATTR_SIZE | ATTR_MTIME, .size = size, .mtime = now};
    int err;

    if (size > inode->super->max_size)
        return -EFBIG;
    inode_lock(inode);
    if (mode_without_privileges(inode->mode) != inode->mode && !capable(CAP_FSETID)) {
        attr.valid |= ATTR_MODE;
        attr.mode = mode_without_privileges(inode->mode) & 07777;
    }
    err = setattr_locked(inode, &attr);
    inode_unlock(inode);
    return err;
}

static int truncate_limit(u64 size, const struct inode *inode)
{
    u64 limit = rlimit(RLIMIT_FSIZE);

    if (limit == RLIM64_INFINITY || size <= limit || size <= inode_size(inode))
        return 0;
    if (vfs_signal)
        vfs_signal(SIGXFSZ);
    return -EFBIG;
}

long sys_truncate(const char __user *pathname, long length)
{
    AUTO_PATH path = {0};
    struct inode *inode;
    int err;

    if (length < 0)
        return -EINVAL;
    err = path_lookup_user(AT_FDCWD, pathname, LOOKUP_FOLLOW, &path);
    if (err)
        return err;
    inode = path_inode(&path);
    if (!S_ISREG(inode->mode))
        return S_ISDIR(inode->mode) ? -EISDIR : -EINVAL;
    err = mount_want_write(path.mount);
    if (err)
        return err;
    err = inode_permission(inode, MAY_WRITE);
    if (!err)
        err = inode_want_writer(inode);
    if (!err) {
        err = lease_break(inode, true, false);
        if (!err)
            err = truncate_limit((u64)length, inode);
        if (!err)
            err = inode_truncate(inode, (u64)length, NULL);
        __atomic_fetch_sub(&inode->writers, 1, __ATOMIC_RELEASE);
    }
    mount_drop_write(path.mount);
    if (!err && vfs_notify)
        vfs_notify(path.dentry, IN_MODIFY, NULL, 0);
    return err;
}

long sys_ftruncate(int nr, long length)
{
    AUTO_FD fd = fd_borrow(nr);
    int err;

    if (length < 0)
        return -EINVAL;
    if (!fd.file)
        return -EBADF;
    if (!inode_is(fd.file->inode, S_IFREG) || !(fd.file->mode & FILE_WRITE))
        return -EINVAL;
    err = truncate_limit((u64)length, fd.file->inode);
    if (!err)
        err = inode_truncate(fd.file->inode, (u64)length, fd.file);
    if (!err && vfs_notify)
        vfs_notify(fd.file->path.dentry, IN_MODIFY, NULL, 0);
    return err;
}

long sys_fallocate(int nr, int mode, loff_t offset, loff_t len)
{
    AUTO_FD fd = fd_borrow(nr);
    int known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE |
                FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;
    struct inode *inode;
    loff_t end;
    int err;

    if (!fd.file)
        return -EBADF;
    if (offset < 0 || len <= 0)
        return -EINVAL;
    if ((mode & ~known) || ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE)) ||
        ((mode & FALLOC_FL_PUNCH_HOLE) && (mode & FALLOC_FL_ZERO_RANGE)))
        return -EOPNOTSUPP;
    if (!(fd.file->mode & FILE_WRITE))
        return -EBADF;
    inode = fd.file->inode;
    if (S_ISFIFO(inode->mode))
        return -ESPIPE;
    if (S_ISDIR(inode->mode))
        return -EISDIR;
    if (!S_ISREG(inode->mode) && !S_ISBLK(inode->mode))
        return -ENODEV;
    if (add_overflow(offset, len, &end) || (u64)end > inode->super->max_size)
        return -EFBIG;
    if (!fd.file->ops->fallocate)
        return -EOPNOTSUPP;
    err = mode & FALLOC_FL_KEEP_SIZE ? 0 : truncate_limit((u64)end, inode);
    return err ? err : fd.file->ops->fallocate(fd.file, mode, offset, len);
}

long sys_umask(unsigned int mask)
{
    return __atomic_exchange_n(&self()->fs->umask, (umode)mask & 0777, __ATOMIC_RELAXED);
}
