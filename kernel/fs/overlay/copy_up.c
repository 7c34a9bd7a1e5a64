/*
 * kernel/fs/overlay/copy_up.c: taking an object of the lower layer to the upper one, before it
 * changes.
 *
 * The copy is made in the work directory and moved to its place when it is complete. Missing
 * directories above it are copied first, one by one: a loop, for the tree may be deep.
 */
#include "base/fmt.h"
#include "fs/overlay/internal.h"

#include <linux/fs.h>
#include <linux/xattr.h>

#define COPY_CHUNK 262144UL

void overlay_adopt_upper(struct inode *upper)
{
    mutex_init(&upper->lock, OVERLAY_UPPER);
}

void overlay_temporary(struct overlay_super *fs, struct temporary *name)
{
    scnprintf(name->text, sizeof(name->text), "#%llu", (unsigned long long)++fs->next_temporary);
    name->name = name_of(name->text);
}

/* ---- contents ---- */

static int copy_piece(struct file *from, struct file *to, char *buf, loff_t *pos, loff_t end)
{
    size_t want = (size_t)MIN((u64)(end - *pos), COPY_CHUNK);
    loff_t read_at = *pos;
    struct iter it;
    ssize_t n;

    iter_init_kernel(&it, false, buf, want);
    n = from->ops->read(from, &it, &read_at);
    if (n <= 0)
        return n < 0 ? (int)n : -EIO;
    iter_init_kernel(&it, true, buf, (size_t)n);
    n = to->ops->write(to, &it, pos);
    if (n > 0 && *pos < read_at)
        n = -ENOSPC;
    return n < 0 ? (int)n : 0;
}

/* The next run of data from *pos on. False: only a hole is left. */
static bool next_data(struct file *from, loff_t *pos, loff_t *end, loff_t size)
{
    loff_t data = *pos;

    *end = size;
    if (from->ops->seek) {
        data = from->ops->seek(from, *pos, SEEK_DATA);
        if (data == -ENXIO)
            return false;
        if (data < 0) /* cannot tell */
            data = *pos;
        *end = from->ops->seek(from, data, SEEK_HOLE);
        if (*end <= data || *end > size)
            *end = size;
    }
    *pos = data;
    return data < size;
}

static int copy_runs(struct file *from, struct file *to, loff_t size)
{
    char *buf = kmalloc(COPY_CHUNK);
    loff_t pos = 0, end;
    int err = buf ? 0 : -ENOMEM;

    while (!err && pos < size && next_data(from, &pos, &end, size))
        while (!err && pos < end)
            err = copy_piece(from, to, buf, &pos, end);
    kfree(buf);
    return err;
}

static int copy_data(struct inode *lower, struct inode *upper)
{
    struct iattr attr = {.valid = ATTR_SIZE};
    struct file from, to;
    int err = layer_open(&from, lower, FILE_READ, O_RDONLY | O_LARGEFILE);

    if (err)
        return err;
    err = layer_open(&to, upper, FILE_WRITE, O_WRONLY | O_LARGEFILE);
    if (!err) {
        attr.size = inode_size(lower);
        err = copy_runs(&from, &to, (loff_t)attr.size);
        layer_close(&to);
    }
    layer_close(&from);
    if (err)
        return err;
    mutex_lock(&upper->lock);
    err = upper->ops->setattr(upper, &attr); /* a hole at the end */
    mutex_unlock(&upper->lock);
    return err;
}

/* ---- attributes ---- */

static int copy_xattr(struct inode *lower, struct inode *upper, const char *name)
{
    ssize_t size = lower->ops->xattr_get(lower, name, NULL, 0);
    char *value;
    int err;

    if (size < 0)
        return size == -ENODATA ? 0 : (int)size;
    value = kmalloc((size_t)size + 1);
    if (!value)
        return -ENOMEM;
    size = lower->ops->xattr_get(lower, name, value, (size_t)size);
    err = size < 0 ? (int)size : upper->ops->xattr_set(upper, name, value, (size_t)size, 0);
    kfree(value);
    return err;
}

static int copy_xattrs(struct inode *lower, struct inode *upper)
{
    char *names;
    ssize_t size;
    int err = 0;

    if (!lower->ops->xattr_list || !lower->ops->xattr_get)
        return 0;
    size = lower->ops->xattr_list(lower, NULL, 0);
    if (size <= 0)
        return (int)size;
    names = kmalloc((size_t)size);
    if (!names)
        return -ENOMEM;
    size = lower->ops->xattr_list(lower, names, (size_t)size);
    for (ssize_t at = 0; !err && at < size; at += (ssize_t)strlen(names + at) + 1)
        err = copy_xattr(lower, upper, names + at);
    kfree(names);
    return size < 0 ? (int)size : err;
}

static int copy_attributes(struct overlay_inode *inode, struct inode *upper)
{
    struct inode *shown = &inode->inode;
    struct iattr attr = {
        .valid = ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME | ATTR_CTIME,
        .mode = shown->mode & 07777,
        .uid = shown->uid,
        .gid = shown->gid,
        .atime = shown->atime,
        .mtime = inode->lower->mtime,
        .ctime = inode->lower->ctime,
    };
    int err = copy_xattrs(inode->lower, upper);

    if (err)
        return err;
    mutex_lock(&upper->lock);
    err = upper->ops->setattr(upper, &attr);
    mutex_unlock(&upper->lock);
    return err;
}

/* ---- one object ---- */

static int make_link_copy(struct overlay_inode *inode, struct inode *work, const struct name *name,
                          struct inode **out)
{
    char *text = kmalloc(PATH_MAX);
    int len, err;

    if (!text)
        return -ENOMEM;
    len = overlay_readlink(&inode->inode, text, PATH_MAX - 1);
    err = len;
    if (len >= 0) {
        text[len] = '\0';
        err = work->ops->symlink(work, name, text, out);
    }
    kfree(text);
    return err;
}

static int make_copy(struct overlay_inode *inode, const struct name *name, bool with_data,
                     struct inode **out)
{
    struct inode *work = overlay_super(&inode->inode)->work, *lower = inode->lower;
    int err;

    if (S_ISLNK(lower->mode))
        err = make_link_copy(inode, work, name, out);
    else
        err = work->ops->create(work, name, lower->mode, lower->rdev, out);
    if (err)
        return err;
    overlay_adopt_upper(*out);
    if (S_ISREG(lower->mode) && with_data)
        err = copy_data(lower, *out);
    if (!err)
        err = copy_attributes(inode, *out);
    return err;
}

static void discard(struct inode *work, const struct name *name, struct inode *upper)
{
    if (S_ISDIR(upper->mode))
        work->ops->rmdir(work, name, upper);
    else
        work->ops->unlink(work, name, upper);
}

/* The directory above has its copy already, and its times do not show that something was copied. */
static int move_in_place(struct overlay_inode *inode, const struct name *temporary,
                         struct inode *upper)
{
    struct inode *work = overlay_super(&inode->inode)->work, *dir = inode->parent->upper;
    ktime mtime = dir->mtime, ctime = dir->ctime;
    struct name name = name_of(inode->name);
    int err = dir->ops->rename(work, temporary, upper, dir, &name, NULL, 0);

    WRITE_ONCE(dir->mtime, mtime);
    WRITE_ONCE(dir->ctime, ctime);
    return err;
}

static int copy_one_locked(struct overlay_inode *inode, bool with_data)
{
    struct overlay_super *fs = overlay_super(&inode->inode);
    struct inode *upper = NULL;
    struct temporary temporary;
    int err;

    overlay_temporary(fs, &temporary);
    err = make_copy(inode, &temporary.name, with_data, &upper);
    if (!err && inode->parent)
        err = move_in_place(inode, &temporary.name, upper);
    if (upper && (err || !inode->parent))
        discard(fs->work, &temporary.name, upper);
    if (err) {
        if (upper)
            inode_put(upper);
        return err;
    }
    overlay_set_upper_locked(inode, upper);
    if (inode->parent)
        overlay_pin(inode);
    if (!S_ISDIR(upper->mode))
        overlay_mirror(&inode->inode);
    return 0;
}

int overlay_copy_up_locked(struct overlay_inode *inode, bool with_data)
{
    while (!inode->upper) {
        struct overlay_inode *at = inode;
        int err;

        while (at->parent && !at->parent->upper)
            at = at->parent;
        err = copy_one_locked(at, with_data || at != inode);
        if (err)
            return err;
    }
    return 0;
}

int overlay_copy_up(struct inode *inode, bool with_data)
{
    struct overlay_super *fs = overlay_super(inode);
    int err;

    if (overlay_upper(inode))
        return 0;
    mutex_lock(&fs->lock);
    err = overlay_copy_up_locked(overlay_inode(inode), with_data);
    mutex_unlock(&fs->lock);
    return err;
}
