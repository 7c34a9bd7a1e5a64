/*
 * kernel/fs/overlay/attr.c: attributes: shown from where the contents are, changed in the upper
 * layer.
 */
#include "fs/overlay/internal.h"

int overlay_getattr(struct inode *inode, struct kstat *stat)
{
    struct inode *real = overlay_real(inode);
    int err = inode_getattr(real, stat);

    if (err)
        return err;
    stat->ino = inode->ino;
    stat->dev = inode->super->dev;
    stat->atime = READ_ONCE(inode->atime);
    stat->nlink = READ_ONCE(inode->nlink);
    /* Of merged directories nobody has counted the subdirectories; 1 says so, find(1) knows it. */
    if (S_ISDIR(inode->mode) && overlay_inode(inode)->lower && overlay_upper(inode) && stat->nlink)
        stat->nlink = 1;
    return 0;
}

int overlay_setattr(struct inode *inode, const struct iattr *attr)
{
    bool emptied = (attr->valid & ATTR_SIZE) && attr->size == 0;
    struct inode *upper;
    int err = overlay_copy_up(inode, !emptied);

    if (err)
        return err;
    upper = overlay_upper(inode);
    mutex_lock(&upper->lock);
    err = upper->ops->setattr(upper, attr);
    mutex_unlock(&upper->lock);
    if (err)
        return err;
    inode_setattr(inode, attr);
    overlay_mirror(inode);
    if (attr->valid & ATTR_SIZE)
        inode->truncations++;
    return 0;
}

/* Of links whose text is not at hand. */
int overlay_readlink(struct inode *inode, char *buf, size_t size)
{
    struct inode *real = overlay_real(inode);
    size_t len;

    if (!real->link)
        return real->ops->readlink ? real->ops->readlink(real, buf, size) : -EINVAL;
    len = MIN(strlen(real->link), size);
    memcpy(buf, real->link, len);
    return (int)len;
}

ssize_t overlay_xattr_get(struct inode *inode, const char *name, void *value, size_t size)
{
    struct inode *real = overlay_real(inode);

    return real->ops->xattr_get ? real->ops->xattr_get(real, name, value, size) : -ENODATA;
}

int overlay_xattr_set(struct inode *inode, const char *name, const void *value, size_t size,
                      int flags)
{
    struct inode *upper;
    int err = overlay_copy_up(inode, true);

    if (err)
        return err;
    upper = overlay_upper(inode);
    return upper->ops->xattr_set(upper, name, value, size, flags);
}

int overlay_xattr_remove(struct inode *inode, const char *name)
{
    ssize_t size = overlay_xattr_get(inode, name, NULL, 0);
    struct inode *upper;
    int err = size < 0 ? (int)size : overlay_copy_up(inode, true);

    if (err)
        return err;
    upper = overlay_upper(inode);
    return upper->ops->xattr_remove(upper, name);
}

ssize_t overlay_xattr_list(struct inode *inode, char *names, size_t size)
{
    struct inode *real = overlay_real(inode);

    return real->ops->xattr_list ? real->ops->xattr_list(real, names, size) : 0;
}

const struct inode_ops overlay_file_ops = {
    .readlink = overlay_readlink,
    OVERLAY_ATTRIBUTE_OPS,
};
