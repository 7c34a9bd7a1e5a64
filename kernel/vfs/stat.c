/* kernel/vfs/stat.c: stat(2), statx(2), readlink(2), access(2), statfs(2). */
#include "abi/newer.h"
#include "abi/unexported.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <asm/stat.h>
#include <asm/statfs.h>

/* ---- stat ---- */

/* What statx(2) tells of the mount besides. */
struct stat_mount {
    int id;
    u64 unique;
    bool root; /* the file is what the mount shows at its place */
};

/* One lookup for the whole family. An empty path with a descriptor is fstat(2), on O_PATH files too. */
static int stat_at(int dirfd, const char __user *pathname, int flags, struct kstat *out,
                   struct stat_mount *mount)
{
    AUTO_PATH path = {0};
    u32 lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0) |
                 (flags & AT_NO_AUTOMOUNT ? LOOKUP_NO_AUTOMOUNT : 0);
    int err = !pathname && (flags & AT_EMPTY_PATH)
                  ? path_lookup(dirfd, "", lookup, &path) /* since Linux 6.11 */
                  : path_lookup_user(dirfd, pathname, lookup, &path);

    if (err)
        return err;
    if (mount)
        *mount = (struct stat_mount){.id = path.mount->id,
                                     .unique = path.mount->unique,
                                     .root = path.dentry == path.mount->root};
    return inode_getattr(path_inode(&path), out);
}

static long sec_of(ktime t)
{
    return (long)(t / NSEC_PER_SEC - (t % NSEC_PER_SEC < 0));
}

static u32 nsec_of(ktime t)
{
    s64 rest = t % NSEC_PER_SEC;

    return (u32)(rest < 0 ? rest + NSEC_PER_SEC : rest);
}

static long stat_out(const struct kstat *from, struct stat __user *to)
{
    struct stat out = {
        .st_dev = from->dev,
        .st_ino = from->ino,
        .st_nlink = from->nlink,
        .st_mode = from->mode,
        .st_uid = from->uid,
        .st_gid = from->gid,
        .st_rdev = from->rdev,
        .st_size = (long)from->size,
        .st_blksize = from->blksize,
        .st_blocks = (long)from->blocks,
        .st_atime = (unsigned long)sec_of(from->atime),
        .st_atime_nsec = nsec_of(from->atime),
        .st_mtime = (unsigned long)sec_of(from->mtime),
        .st_mtime_nsec = nsec_of(from->mtime),
        .st_ctime = (unsigned long)sec_of(from->ctime),
        .st_ctime_nsec = nsec_of(from->ctime),
    };

    return copy_to_user(to, &out, sizeof(out));
}

long sys_newfstatat(int dirfd, const char __user *pathname, struct stat __user *statbuf, int flags)
{
    struct kstat stat;
    int err;

    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
        return -EINVAL;
    err = stat_at(dirfd, pathname, flags, &stat, NULL);
    return err ? err : stat_out(&stat, statbuf);
}

long sys_stat(const char __user *pathname, struct stat __user *statbuf)
{
    return sys_newfstatat(AT_FDCWD, pathname, statbuf, 0);
}

long sys_lstat(const char __user *pathname, struct stat __user *statbuf)
{
    return sys_newfstatat(AT_FDCWD, pathname, statbuf, AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(int nr, struct stat __user *statbuf)
{
    AUTO_FD fd = fd_borrow_any(nr);
    struct kstat stat;
    int err;

    if (!fd.file)
        return -EBADF;
    err = inode_getattr(fd.file->inode, &stat);
    return err ? err : stat_out(&stat, statbuf);
}

static struct statx_timestamp stamp(ktime t)
{
    return (struct statx_timestamp){.tv_sec = sec_of(t), .tv_nsec = nsec_of(t)};
}

long sys_statx(int dirfd, const char __user *pathname, unsigned int flags, unsigned int mask,
               struct statx __user *statxbuf)
{
    struct kstat stat;
    struct stat_mount mount;
    struct statx out;
    int err;

    if (mask & STATX__RESERVED)
        return -EINVAL;
    if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
        (flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH |
                                 AT_STATX_SYNC_TYPE)))
        return -EINVAL;
    err = stat_at(dirfd, pathname, (int)flags, &stat, &mount);
    if (err)
        return err;

    memset(&out, 0, sizeof(out));
    out.stx_mask = STATX_BASIC_STATS | (stat.btime ? STATX_BTIME : 0) |
                   (mask & STATX_MNT_ID_UNIQUE ? STATX_MNT_ID_UNIQUE : STATX_MNT_ID);
    out.stx_blksize = stat.blksize;
    out.stx_attributes = stat.attributes | (mount.root ? STATX_ATTR_MOUNT_ROOT : 0);
    out.stx_attributes_mask = stat.attributes_mask | STATX_ATTR_MOUNT_ROOT;
    out.stx_nlink = stat.nlink;
    out.stx_uid = stat.uid;
    out.stx_gid = stat.gid;
    out.stx_mode = stat.mode;
    out.stx_ino = stat.ino;
    out.stx_size = stat.size;
    out.stx_blocks = stat.blocks;
    out.stx_atime = stamp(stat.atime);
    out.stx_mtime = stamp(stat.mtime);
    out.stx_ctime = stamp(stat.ctime);
    if (stat.btime)
        out.stx_btime = stamp(stat.btime);
    out.stx_dev_major = dev_major(stat.dev);
    out.stx_dev_minor = dev_minor(stat.dev);
    out.stx_rdev_major = dev_major(stat.rdev);
    out.stx_rdev_minor = dev_minor(stat.rdev);
    out.stx_mnt_id = mask & STATX_MNT_ID_UNIQUE ? mount.unique : (u64)mount.id;
    return copy_to_user(statxbuf, &out, sizeof(out));
}

/* ---- readlink ---- */

/* A link of /proc leads to an object: what it shows is that object's name. */
static int read_magic_link(struct inode *link, char *buf, size_t size)
{
    return link->ops->readlink ? link->ops->readlink(link, buf, size) : -EINVAL;
}

int path_readlink(const struct path *path, char *buf, size_t size)
{
    struct inode *inode = path_inode(path);
    size_t len;

    path_accessed(path);
    if (!inode->link)
        return read_magic_link(inode, buf, size);
    len = MIN(strlen(inode->link), size);
    memcpy(buf, inode->link, len);
    return (int)len;
}

long sys_readlinkat(int dirfd, const char __user *pathname, void __user *buf, int bufsiz)
{
    AUTO_PATHNAME name = {.text = name.buf};
    AUTO_PATH path = {0};
    int len, err = pathname_get(&name, pathname);
    char *text;

    if (bufsiz <= 0)
        return -EINVAL;
    if (!err)
        err = path_lookup(dirfd, name.text, LOOKUP_EMPTY, &path);
    if (err)
        return err;
    /* readlink(2): the empty name of what is no link is ENOENT. */
    if (!inode_is(path_inode(&path), S_IFLNK))
        return name.len ? -EINVAL : -ENOENT;
    text = kmalloc(PATH_MAX);
    if (!text)
        return -ENOMEM;
    len = path_readlink(&path, text, MIN((size_t)bufsiz, (size_t)PATH_MAX));
    if (len > 0 && copy_to_user(buf, text, (size_t)len))
        len = -EFAULT;
    kfree(text);
    return len;
}

long sys_readlink(const char __user *pathname, void __user *buf, int bufsiz)
{
    return sys_readlinkat(AT_FDCWD, pathname, buf, bufsiz);
}

/* ---- access ---- */

/* access(2) asks for the real identifiers: with the capabilities that a program started by them has. */
static const struct cred *real_cred(void)
{
    const struct cred *current = cred_current();
    struct cred *real;

    if (current->fsuid == current->uid && current->fsgid == current->gid &&
        current->cap_effective == (current->uid ? 0 : current->cap_permitted))
        return cred_get(current);
    real = cred_copy(current);
    if (!real)
        return NULL;
    real->fsuid = real->uid;
    real->fsgid = real->gid;
    real->cap_effective = real->uid ? 0 : real->cap_permitted;
    return real;
}

static int check_access(const struct path *path, int mode)
{
    struct inode *inode = path_inode(path);
    int err;

    if ((mode & X_OK) && S_ISREG(inode->mode) && (READ_ONCE(path->mount->flags) & MOUNT_NOEXEC))
        return -EACCES;
    err = mode ? inode_permission(inode, mode) : 0;
    if (!err && (mode & W_OK) &&
        (S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode)) &&
        mount_readonly(path->mount))
        err = -EROFS;
    return err;
}

long sys_faccessat2(int dirfd, const char __user *pathname, int mode, int flags)
{
    const struct cred *current = cred_current(), *real = NULL;
    AUTO_PATH path = {0};
    u32 lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    int err;

    if ((mode & ~(R_OK | W_OK | X_OK)) ||
        (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
        return -EINVAL;
    if (!(flags & AT_EACCESS)) {
        real = real_cred();
        if (!real)
            return -ENOMEM;
        self()->cred = real;
    }
    err = path_lookup_user(dirfd, pathname, lookup, &path);
    if (!err)
        err = check_access(&path, mode);
    if (real) {
        self()->cred = current;
        cred_put(real);
    }
    return err;
}

long sys_faccessat(int dirfd, const char __user *pathname, int mode)
{
    return sys_faccessat2(dirfd, pathname, mode, 0);
}

long sys_access(const char __user *pathname, int mode)
{
    return sys_faccessat2(AT_FDCWD, pathname, mode, 0);
}

/* ---- statfs ---- */

#define ST_VALID 0x20 /* the flags of the mount are shown */

static u64 mount_statfs_flags(const struct mount *mount)
{
    static const struct {
        u32 mount;
        u64 shown;
    } map[] = {
        {MOUNT_NOSUID, 2},      {MOUNT_NODEV, 4},          {MOUNT_NOEXEC, 8},
        {MOUNT_NOATIME, 0x400}, {MOUNT_NODIRATIME, 0x800}, {MOUNT_NOSYMFOLLOW, 0x2000},
    };
    u32 flags = READ_ONCE(mount->flags);
    u64 shown = ST_VALID | (mount_readonly(mount) ? 1 : 0);

    for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
        if (flags & map[i].mount)
            shown |= map[i].shown;
    }
    if (!(flags & (MOUNT_NOATIME | MOUNT_STRICTATIME)))
        shown |= 0x1000; /* relatime */
    return shown;
}

static long statfs_out(const struct path *path, struct statfs __user *buf)
{
    struct super *super = path_inode(path)->super;
    struct kstatfs stat = {.type = super->magic,
                           .bsize = super->block_size,
                           .frsize = super->block_size,
                           .namelen = super->name_max,
                           .fsid = super->dev};
    int err = super->ops->statfs ? super->ops->statfs(super, path_inode(path), &stat) : 0;
    struct statfs out;

    if (err)
        return err;
    memset(&out, 0, sizeof(out));
    out.f_type = (long)stat.type;
    out.f_bsize = (long)stat.bsize;
    out.f_blocks = (long)stat.blocks;
    out.f_bfree = (long)stat.bfree;
    out.f_bavail = (long)stat.bavail;
    out.f_files = (long)stat.files;
    out.f_ffree = (long)stat.ffree;
    out.f_fsid.val[0] = (int)stat.fsid;
    out.f_fsid.val[1] = (int)(stat.fsid >> 32);
    out.f_namelen = (long)stat.namelen;
    out.f_frsize = (long)stat.frsize;
    out.f_flags = (long)(mount_statfs_flags(path->mount) | stat.flags);
    return copy_to_user(buf, &out, sizeof(out));
}

long sys_statfs(const char __user *pathname, struct statfs __user *buf)
{
    AUTO_PATH path = {0};
    int err = path_lookup_user(AT_FDCWD, pathname, LOOKUP_FOLLOW, &path);

    return err ? err : statfs_out(&path, buf);
}

long sys_fstatfs(int nr, struct statfs __user *buf)
{
    AUTO_FD fd = fd_borrow_any(nr);

    return fd.file ? statfs_out(&fd.file->path, buf) : -EBADF;
}
