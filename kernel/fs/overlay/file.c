/*
 * kernel/fs/overlay/file.c: open files. Each has a file on the layer that holds the contents, and
 * what is read and written goes straight there. One that was opened before the file was copied up
 * changes over to the copy.
 */
#include "fs/overlay/internal.h"

#include <linux/fs.h>

struct overlay_file {
    struct file first;   /* on the layer that was current when it was opened */
    struct file *copied; /* set once, atomically: on the upper layer, when first is on the lower */
};

static int overlay_open(struct inode *inode, struct file *file)
{
    struct overlay_file *own;
    int err = 0;

    if (file->mode & FILE_WRITE)
        err = overlay_copy_up(inode, !(file->mode & FILE_EMPTIES));
    if (err)
        return err;
    own = kzalloc(sizeof(*own));
    if (!own)
        return -ENOMEM;
    err = layer_open(&own->first, overlay_real(inode),
                     file->mode & (FILE_READ | FILE_WRITE | FILE_EXEC), file->flags);
    if (err)
        kfree(own);
    else
        file->private = own;
    return err;
}

static void overlay_release(struct file *file)
{
    struct overlay_file *own = file->private;

    if (own->copied)
        layer_close(own->copied);
    kfree(own->copied);
    layer_close(&own->first);
    kfree(own);
}

static struct file *change_over(struct overlay_file *own, struct inode *upper)
{
    struct file *copied = kzalloc(sizeof(*copied)), *other = NULL;
    int err;

    if (!copied)
        return ERR_PTR(-ENOMEM);
    err = layer_open(copied, upper, own->first.mode, own->first.flags);
    if (err) {
        kfree(copied);
        return ERR_PTR(err);
    }
    if (__atomic_compare_exchange_n(&own->copied, &other, copied, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return copied;
    layer_close(copied);
    kfree(copied);
    return other;
}

/* The layer's file to use now. ERR_PTR. */
static struct file *real_file(struct file *file)
{
    struct overlay_file *own = file->private;
    struct file *real = &own->first;
    struct inode *upper = overlay_upper(file->inode);

    if (unlikely(upper && real->inode != upper)) {
        real = __atomic_load_n(&own->copied, __ATOMIC_ACQUIRE);
        if (!real)
            real = change_over(own, upper);
        if (IS_ERR(real))
            return real;
    }
    WRITE_ONCE(real->flags, file_flags(file)); /* F_SETFL may have changed O_APPEND */
    return real;
}

static ssize_t overlay_read(struct file *file, struct iter *to, loff_t *pos)
{
    struct file *real = real_file(file);

    return IS_ERR(real) ? PTR_ERR(real) : real->ops->read(real, to, pos);
}

static ssize_t overlay_write(struct file *file, struct iter *from, loff_t *pos)
{
    struct file *real = real_file(file);
    ssize_t n;

    if (IS_ERR(real))
        return PTR_ERR(real);
    n = real->ops->write(real, from, pos);
    if (n > 0)
        overlay_mirror(file->inode);
    return n;
}

static loff_t overlay_seek(struct file *file, loff_t offset, int whence)
{
    struct file *real = real_file(file);

    if (IS_ERR(real))
        return PTR_ERR(real);
    if ((whence == SEEK_DATA || whence == SEEK_HOLE) && real->ops->seek)
        return real->ops->seek(real, offset, whence);
    if (whence == SEEK_END) /* two writers may have brought their news in the wrong order */
        overlay_mirror(file->inode);
    return file_seek_generic(file, offset, whence);
}

static int overlay_mapping(struct file *file, bool shared, bool write, struct file_mapping *out)
{
    struct file *real = real_file(file);

    if (IS_ERR(real))
        return (int)PTR_ERR(real);
    return real->ops->mapping ? real->ops->mapping(real, shared, write, out) : -ENODEV;
}

static int overlay_fsync(struct file *file, loff_t start, loff_t end, bool data_only)
{
    struct file *real = real_file(file);

    if (IS_ERR(real))
        return (int)PTR_ERR(real);
    return real->ops->fsync ? real->ops->fsync(real, start, end, data_only) : 0;
}

static long overlay_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
    struct file *real = real_file(file);
    long err;

    if (IS_ERR(real))
        return PTR_ERR(real);
    err = real->ops->fallocate ? real->ops->fallocate(real, mode, offset, len) : -EOPNOTSUPP;
    if (!err)
        overlay_mirror(file->inode);
    return err;
}

static long overlay_fcntl(struct file *file, unsigned int cmd, unsigned long arg)
{
    struct file *real = real_file(file);

    if (IS_ERR(real))
        return PTR_ERR(real);
    return real->ops->fcntl ? real->ops->fcntl(real, cmd, arg) : -EINVAL;
}

const struct file_ops overlay_file_fops = {
    .open = overlay_open,
    .read = overlay_read,
    .write = overlay_write,
    .seek = overlay_seek,
    .mapping = overlay_mapping,
    .fsync = overlay_fsync,
    .fallocate = overlay_fallocate,
    .fcntl = overlay_fcntl,
    .release = overlay_release,
};
