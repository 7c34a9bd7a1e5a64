/* kernel/vfs/xattr.c: extended attributes: setxattr(2), getxattr(2), listxattr(2), removexattr(2). */
#include "abi/newer.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <linux/inotify.h>
#include <linux/limits.h>
#include <linux/xattr.h>

/* What a call is about. text: of the path, when there is one. */
struct xattr_name {
    char text[XATTR_NAME_MAX + 1];
};

static int name_get(struct xattr_name *name, const char __user *user)
{
    ssize_t len = strncpy_from_user(name->text, user, sizeof(name->text));

    if (len < 0)
        return (int)len;
    return len == 0 || (size_t)len == sizeof(name->text) ? -ERANGE : 0;
}

/* xattr(7): who may see and change which class of names. */
static int may_access(const struct path *path, const char *name, bool write)
{
    struct inode *inode = path_inode(path);
    umode type = inode->mode & S_IFMT;

    if (write && (inode->flags & INODE_IMMUTABLE))
        return -EPERM;
    if (str_has_prefix(name, XATTR_SECURITY_PREFIX)) {
        if (!write)
            return 0;
        if (streq(name, XATTR_NAME_CAPS))
            return capable(CAP_SETFCAP) ? 0 : -EPERM;
        return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
    }
    if (str_has_prefix(name, XATTR_TRUSTED_PREFIX))
        return capable(CAP_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
    /* Where none can be set, the object knows which it has (a socket its protocol's name). */
    if (!write && str_has_prefix(name, XATTR_SYSTEM_PREFIX) && !inode->ops->xattr_set)
        return 0;
    if (!str_has_prefix(name, XATTR_USER_PREFIX))
        return -EOPNOTSUPP;
    if (!name[XATTR_USER_PREFIX_LEN])
        return -EINVAL;
    if (type != S_IFREG && type != S_IFDIR)
        return write ? -EPERM : -ENODATA;
    if (write && type == S_IFDIR && (inode->mode & S_ISVTX) && !inode_owner_or_capable(inode))
        return -EPERM;
    return inode_permission(inode, write ? MAY_WRITE : MAY_READ);
}

/* ---- the four operations on an object ---- */

static long xattr_set(const struct path *path, const char __user *user_name,
                      const void __user *user_value, size_t size, int flags)
{
    struct inode *inode = path_inode(path);
    struct xattr_name name;
    void *value = NULL;
    int err;

    if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
        return -EINVAL;
    err = name_get(&name, user_name);
    if (err)
        return err;
    if (size > XATTR_SIZE_MAX)
        return -E2BIG;
    if (size > 0) {
        value = kmalloc(size);
        if (!value)
            return -ENOMEM;
        err = copy_from_user(value, user_value, size);
    }
    if (!err)
        err = mount_want_write(path->mount);
    if (!err) {
        err = may_access(path, name.text, true);
        if (!err)
            err = inode->ops->xattr_set
                      ? inode->ops->xattr_set(inode, name.text, value, size, flags)
                      : -EOPNOTSUPP;
        if (!err)
            inode_touch(inode, ATTR_CTIME);
        mount_drop_write(path->mount);
    }
    kfree(value);
    if (!err && vfs_notify)
        vfs_notify(path->dentry, IN_ATTRIB, NULL, 0);
    return err;
}

static long xattr_get(const struct path *path, const char __user *user_name,
                      void __user *user_value, size_t size)
{
    struct inode *inode = path_inode(path);
    struct xattr_name name;
    void *value = NULL;
    ssize_t n = name_get(&name, user_name);

    if (!n)
        n = may_access(path, name.text, false);
    if (!n && !inode->ops->xattr_get)
        n = -EOPNOTSUPP;
    if (n)
        return n;
    size = MIN(size, (size_t)XATTR_SIZE_MAX);
    if (size > 0) {
        value = kmalloc(size);
        if (!value)
            return -ENOMEM;
    }
    n = inode->ops->xattr_get(inode, name.text, value, size);
    if (n > 0 && size > 0 && copy_to_user(user_value, value, (size_t)n))
        n = -EFAULT;
    kfree(value);
    return n;
}

/* Names that the caller may not read are not shown. */
static ssize_t hide_trusted(char *names, ssize_t n)
{
    ssize_t kept = 0;

    for (ssize_t at = 0; at < n;) {
        size_t len = strlen(names + at) + 1;

        if (!str_has_prefix(names + at, XATTR_TRUSTED_PREFIX)) {
            memmove(names + kept, names + at, len);
            kept += (ssize_t)len;
        }
        at += (ssize_t)len;
    }
    return kept;
}

static long xattr_list(const struct path *path, char __user *user_names, size_t size)
{
    struct inode *inode = path_inode(path);
    char *names;
    ssize_t n;

    if (!inode->ops->xattr_list)
        return 0;
    names = kmalloc(XATTR_LIST_MAX);
    if (!names)
        return -ENOMEM;
    n = inode->ops->xattr_list(inode, names, XATTR_LIST_MAX);
    if (n == -ERANGE)
        n = -E2BIG;
    if (n > 0 && !capable(CAP_SYS_ADMIN))
        n = hide_trusted(names, n);
    if (n > 0 && size > 0) {
        if ((size_t)n > size)
            n = -ERANGE;
        else if (copy_to_user(user_names, names, (size_t)n))
            n = -EFAULT;
    }
    kfree(names);
    return n;
}

static long xattr_remove(const struct path *path, const char __user *user_name)
{
    struct inode *inode = path_inode(path);
    struct xattr_name name;
    int err = name_get(&name, user_name);

    if (!err)
        err = mount_want_write(path->mount);
    if (err)
        return err;
    err = may_access(path, name.text, true);
    if (!err)
        err = inode->ops->xattr_remove ? inode->ops->xattr_remove(inode, name.text) : -EOPNOTSUPP;
    if (!err)
        inode_touch(inode, ATTR_CTIME);
    mount_drop_write(path->mount);
    if (!err && vfs_notify)
        vfs_notify(path->dentry, IN_ATTRIB, NULL, 0);
    return err;
}

/* ---- the calls: by path, by path without following, by descriptor ---- */

#define BY_PATH(path, user_text, flags)                                                            \
    AUTO_PATH path = {0};                                                                          \
    int path_err_ = path_lookup_user(AT_FDCWD, user_text, flags, &path);                           \
    if (path_err_)                                                                                 \
    return path_err_

long sys_setxattr(const char __user *text, const char __user *name, const void __user *value,
                  size_t size, int flags)
{
    BY_PATH(path, text, LOOKUP_FOLLOW);
    return xattr_set(&path, name, value, size, flags);
}

long sys_lsetxattr(const char __user *text, const char __user *name, const void __user *value,
                   size_t size, int flags)
{
    BY_PATH(path, text, 0);
    return xattr_set(&path, name, value, size, flags);
}

long sys_fsetxattr(int nr, const char __user *name, const void __user *value, size_t size,
                   int flags)
{
    AUTO_FD fd = fd_borrow(nr);

    return fd.file ? xattr_set(&fd.file->path, name, value, size, flags) : -EBADF;
}

long sys_getxattr(const char __user *text, const char __user *name, void __user *value, size_t size)
{
    BY_PATH(path, text, LOOKUP_FOLLOW);
    return xattr_get(&path, name, value, size);
}

long sys_lgetxattr(const char __user *text, const char __user *name, void __user *value,
                   size_t size)
{
    BY_PATH(path, text, 0);
    return xattr_get(&path, name, value, size);
}

long sys_fgetxattr(int nr, const char __user *name, void __user *value, size_t size)
{
    AUTO_FD fd = fd_borrow(nr);

    return fd.file ? xattr_get(&fd.file->path, name, value, size) : -EBADF;
}

long sys_listxattr(const char __user *text, void __user *names, size_t size)
{
    BY_PATH(path, text, LOOKUP_FOLLOW);
    return xattr_list(&path, names, size);
}

long sys_llistxattr(const char __user *text, void __user *names, size_t size)
{
    BY_PATH(path, text, 0);
    return xattr_list(&path, names, size);
}

long sys_flistxattr(int nr, void __user *names, size_t size)
{
    AUTO_FD fd = fd_borrow(nr);

    return fd.file ? xattr_list(&fd.file->path, names, size) : -EBADF;
}

long sys_removexattr(const char __user *text, const char __user *name)
{
    BY_PATH(path, text, LOOKUP_FOLLOW);
    return xattr_remove(&path, name);
}

long sys_lremovexattr(const char __user *text, const char __user *name)
{
    BY_PATH(path, text, 0);
    return xattr_remove(&path, name);
}

long sys_fremovexattr(int nr, const char __user *name)
{
    AUTO_FD fd = fd_borrow(nr);

    return fd.file ? xattr_remove(&fd.file->path, name) : -EBADF;
}

/* ---- the calls relative to a directory ---- */

static int lookup_at(int dirfd, const char __user *text, unsigned int flags, struct path *out)
{
    u32 lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);

    if (flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (!text && (flags & AT_EMPTY_PATH))
        return path_lookup(dirfd, "", lookup, out);
    return path_lookup_user(dirfd, text, lookup, out);
}

#define ARGS_FIRST 16 /* size of the first version of struct xattr_args */

static int args_get(struct xattr_args *args, const struct xattr_args __user *user, size_t size)
{
    if (size < ARGS_FIRST)
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    return copy_struct_from_user(args, sizeof(*args), user, size);
}

long sys_setxattrat(int dirfd, const char __user *text, unsigned int flags, const char __user *name,
                    const struct xattr_args __user *user, size_t size)
{
    AUTO_PATH path = {0};
    struct xattr_args args;
    int err = args_get(&args, user, size);

    if (!err)
        err = lookup_at(dirfd, text, flags, &path);
    return err ? err
               : xattr_set(&path, name, (const void __user *)args.value, args.size,
                           (int)args.flags);
}

long sys_getxattrat(int dirfd, const char __user *text, unsigned int flags, const char __user *name,
                    const struct xattr_args __user *user, size_t size)
{
    AUTO_PATH path = {0};
    struct xattr_args args;
    int err = args_get(&args, user, size);

    if (!err && args.flags)
        err = -EINVAL;
    if (!err)
        err = lookup_at(dirfd, text, flags, &path);
    return err ? err : xattr_get(&path, name, (void __user *)args.value, args.size);
}

long sys_listxattrat(int dirfd, const char __user *text, unsigned int flags, void __user *names,
                     size_t size)
{
    AUTO_PATH path = {0};
    int err = lookup_at(dirfd, text, flags, &path);

    return err ? err : xattr_list(&path, names, size);
}

long sys_removexattrat(int dirfd, const char __user *text, unsigned int flags,
                       const char __user *name)
{
    AUTO_PATH path = {0};
    int err = lookup_at(dirfd, text, flags, &path);

    return err ? err : xattr_remove(&path, name);
}
