/* kernel/vfs/inode.c: life, permissions and attributes of inodes. */
#include "vfs/internal.h"

#include "host/clock.h"
#include "rewrite/rewrite.h"

ktime inode_now(void)
{
    return host_clock_read(HOST_CLOCK_REALTIME);
}

void inode_init(struct inode *inode, struct super *super, umode mode)
{
    ktime now = inode_now();

    refcount_init(&inode->ref, 1);
    mutex_init(&inode->lock, INODE);
    inode->super = super_get(super);
    inode->mode = mode;
    inode->nlink = 1;
    inode->atime = inode->mtime = inode->ctime = inode->btime = now;
}

void inode_put(struct inode *inode)
{
    struct super *super;

    if (!refcount_put(&inode->ref))
        return;
    super = inode->super;
    locks_inode_release(inode);
    rewrite_forget(inode);
    super->ops->inode_release(inode);
    super_put(super);
}

void inode_lock(struct inode *inode)
{
    mutex_lock(&inode->lock);
}

void inode_unlock(struct inode *inode)
{
    mutex_unlock(&inode->lock);
}

void inode_init_owner(struct inode *inode, const struct inode *dir)
{
    const struct cred *cred = cred_current();

    inode->uid = cred->fsuid;
    inode->gid = cred->fsgid;
    if (!(dir->mode & S_ISGID))
        return;

    /* inode(7): in a set-group-id directory the group is the directory's, and so is the bit. */
    inode->gid = dir->gid;
    if (S_ISDIR(inode->mode))
        inode->mode |= S_ISGID;
    else if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
             !cred_in_group(cred, inode->gid) && !cred_capable(cred, CAP_FSETID))
        inode->mode &= (umode)~S_ISGID;
}

int inode_permission_generic(struct inode *inode, int mask)
{
    const struct cred *cred = cred_current();
    umode mode = READ_ONCE(inode->mode);
    umode bits = mode;

    if (cred->fsuid == READ_ONCE(inode->uid))
        bits = mode >> 6;
    else if (cred_in_group(cred, READ_ONCE(inode->gid)))
        bits = mode >> 3;
    if (((umode)mask & ~bits & 7) == 0)
        return 0;

    /* capabilities(7): reading and searching; all, but executing what nobody may execute. */
    if (S_ISDIR(mode)) {
        if (!(mask & MAY_WRITE) && cred_capable(cred, CAP_DAC_READ_SEARCH))
            return 0;
        return cred_capable(cred, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
    }
    if (mask == MAY_READ && cred_capable(cred, CAP_DAC_READ_SEARCH))
        return 0;
    if ((!(mask & MAY_EXEC) || (mode & 0111)) && cred_capable(cred, CAP_DAC_OVERRIDE))
        return 0;
    return -EACCES;
}

int inode_permission(struct inode *inode, int mask)
{
    if (inode->ops->permission)
        return inode->ops->permission(inode, mask);
    return inode_permission_generic(inode, mask);
}

bool inode_owner_or_capable(const struct inode *inode)
{
    return cred_current()->fsuid == READ_ONCE(inode->uid) || capable(CAP_FOWNER);
}

void inode_stat(struct inode *inode, struct kstat *stat)
{
    *stat = (struct kstat){
        .ino = inode->ino,
        .dev = inode->super->dev,
        .rdev = inode->rdev,
        .mode = READ_ONCE(inode->mode),
        .nlink = READ_ONCE(inode->nlink),
        .uid = READ_ONCE(inode->uid),
        .gid = READ_ONCE(inode->gid),
        .size = inode_size(inode),
        .blksize = inode->super->block_size,
        .atime = READ_ONCE(inode->atime),
        .mtime = READ_ONCE(inode->mtime),
        .ctime = READ_ONCE(inode->ctime),
        .btime = inode->btime,
    };
    stat->blocks = DIV_ROUND_UP(stat->size, 512);
}

int inode_getattr(struct inode *inode, struct kstat *stat)
{
    if (inode->ops->getattr)
        return inode->ops->getattr(inode, stat);
    inode_stat(inode, stat);
    return 0;
}

void inode_setattr(struct inode *inode, const struct iattr *attr)
{
    if (attr->valid & ATTR_MODE)
        WRITE_ONCE(inode->mode, (inode->mode & S_IFMT) | (attr->mode & 07777));
    if (attr->valid & ATTR_UID)
        WRITE_ONCE(inode->uid, attr->uid);
    if (attr->valid & ATTR_GID)
        WRITE_ONCE(inode->gid, attr->gid);
    if (attr->valid & ATTR_ATIME)
        WRITE_ONCE(inode->atime, attr->atime);
    if (attr->valid & ATTR_MTIME)
        WRITE_ONCE(inode->mtime, attr->mtime);
    if (attr->valid & ATTR_CTIME)
        WRITE_ONCE(inode->ctime, attr->ctime);
}

void inode_touch(struct inode *inode, u32 which)
{
    ktime now = inode_now();

    if (which & ATTR_ATIME)
        WRITE_ONCE(inode->atime, now);
    if (which & ATTR_MTIME)
        WRITE_ONCE(inode->mtime, now);
    if (which & ATTR_CTIME)
        WRITE_ONCE(inode->ctime, now);
}
