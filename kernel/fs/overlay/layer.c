/* kernel/fs/overlay/layer.c: looking up, opening and listing in the layers below. */
#include "fs/overlay/internal.h"

/* The overlay directory's lock is held; the lower one may be somebody else's too. */
int layer_lookup_lower(struct inode *dir, const struct name *name, struct inode **out)
{
    int err;

    mutex_lock_nested(&dir->lock);
    err = dir->ops->lookup(dir, name, out);
    mutex_unlock(&dir->lock);
    return err;
}

int layer_lookup_upper(struct inode *dir, const struct name *name, struct inode **out)
{
    return dir->ops->lookup(dir, name, out);
}

int layer_open(struct file *file, struct inode *inode, u32 mode, u32 flags)
{
    int err;

    *file = (struct file){.mode = mode, .flags = flags, .ops = inode->fops, .inode = inode};
    refcount_init(&file->ref, 1);
    err = file->ops ? 0 : -ENXIO;
    if (!err && file->ops->open)
        err = file->ops->open(inode, file);
    if (!err)
        inode_get(inode);
    return err;
}

void layer_close(struct file *file)
{
    struct inode *inode = file->inode;

    if (file->ops->release)
        file->ops->release(file);
    inode_put(inode);
}

int layer_iterate(struct inode *dir, struct dir_context *context)
{
    struct file file;
    int err = layer_open(&file, dir, FILE_READ, O_RDONLY);

    if (err)
        return err;
    err = file.ops->iterate(&file, context);
    layer_close(&file);
    return err;
}
