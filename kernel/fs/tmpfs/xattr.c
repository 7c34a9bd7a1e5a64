/* kernel/fs/tmpfs/xattr.c: extended attributes, xattr(7): a list in memory. */
#include "fs/tmpfs/internal.h"

#include <linux/xattr.h>

static struct tmpfs_xattr *xattr_find_locked(struct tmpfs_inode *inode, const char *name)
{
    struct tmpfs_xattr *xattr;

    list_for_each_entry(xattr, &inode->xattrs, list) {
        if (streq(xattr->name, name))
            return xattr;
    }
    return NULL;
}

static void xattr_free(struct tmpfs_xattr *xattr)
{
    if (xattr)
        kfree(xattr->value);
    kfree(xattr);
}

static struct tmpfs_xattr *xattr_alloc(const char *name, const void *value, size_t size)
{
    struct tmpfs_xattr *xattr = kzalloc(sizeof(*xattr) + strlen(name) + 1);

    if (!xattr)
        return NULL;
    xattr->value = kmalloc(size ? size : 1);
    if (!xattr->value) {
        kfree(xattr);
        return NULL;
    }
    memcpy(xattr->value, value, size);
    xattr->size = size;
    memcpy(xattr->name, name, strlen(name) + 1);
    return xattr;
}

ssize_t tmpfs_xattr_get(struct inode *inode, const char *name, void *value, size_t size)
{
    struct tmpfs_inode *own = tmpfs_inode(inode);
    struct tmpfs_xattr *xattr;
    ssize_t n = -ENODATA;

    spin_lock(&own->lock);
    xattr = xattr_find_locked(own, name);
    if (xattr) {
        n = (ssize_t)xattr->size;
        if (size > 0 && size < xattr->size)
            n = -ERANGE;
        else if (size > 0)
            memcpy(value, xattr->value, xattr->size);
    }
    spin_unlock(&own->lock);
    return n;
}

int tmpfs_xattr_set(struct inode *inode, const char *name, const void *value, size_t size,
                    int flags)
{
    struct tmpfs_inode *own = tmpfs_inode(inode);
    struct tmpfs_xattr *new = xattr_alloc(name, value, size), *old;
    int err = 0;

    if (!new)
        return -ENOSPC;
    spin_lock(&own->lock);
    old = xattr_find_locked(own, name);
    if (old && (flags & XATTR_CREATE))
        err = -EEXIST;
    else if (!old && (flags & XATTR_REPLACE))
        err = -ENODATA;
    if (err) {
        old = new;
    } else {
        if (old)
            list_del(&old->list);
        list_add_tail(&new->list, &own->xattrs);
    }
    spin_unlock(&own->lock);
    xattr_free(old);
    return err;
}

int tmpfs_xattr_remove(struct inode *inode, const char *name)
{
    struct tmpfs_inode *own = tmpfs_inode(inode);
    struct tmpfs_xattr *xattr;

    spin_lock(&own->lock);
    xattr = xattr_find_locked(own, name);
    if (xattr)
        list_del(&xattr->list);
    spin_unlock(&own->lock);
    xattr_free(xattr);
    return xattr ? 0 : -ENODATA;
}

ssize_t tmpfs_xattr_list(struct inode *inode, char *names, size_t size)
{
    struct tmpfs_inode *own = tmpfs_inode(inode);
    struct tmpfs_xattr *xattr;
    size_t n = 0;

    spin_lock(&own->lock);
    list_for_each_entry(xattr, &own->xattrs, list) {
        size_t len = strlen(xattr->name) + 1;

        if (size > 0 && n + len > size) {
            spin_unlock(&own->lock);
            return -ERANGE;
        }
        if (size > 0)
            memcpy(names + n, xattr->name, len);
        n += len;
    }
    spin_unlock(&own->lock);
    return (ssize_t)n;
}

void tmpfs_xattr_clear(struct tmpfs_inode *inode)
{
    struct tmpfs_xattr *xattr;

    while ((xattr = list_first_entry(&inode->xattrs, struct tmpfs_xattr, list))) {
        list_del(&xattr->list);
        xattr_free(xattr);
    }
}
