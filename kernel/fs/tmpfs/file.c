/* kernel/fs/tmpfs/file.c: regular files: their contents are a memory object. */
#include "fs/tmpfs/internal.h"

#include "abi/newer.h"

#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#define APPEND_CHUNK 262144UL /* bytes that go to the end of a file as one */

struct memobj *tmpfs_contents(struct inode *inode)
{
    return inode->ops == &tmpfs_file_ops ? tmpfs_inode(inode)->obj : NULL;
}

/* ---- reading and writing ---- */

static ssize_t tmpfs_read(struct file *file, struct iter *to, loff_t *pos)
{
    ssize_t n = memobj_read(tmpfs_inode(file->inode)->obj, to, (u64)*pos, iter_left(to));

    if (n > 0)
        *pos += n;
    return n;
}

static void wrote(struct inode *inode, u64 end)
{
    struct tmpfs_inode *own = tmpfs_inode(inode);

    if (end > inode_size(inode)) {
        inode_lock(inode);
        __atomic_store_n(&inode->size, memobj_size(own->obj), __ATOMIC_RELEASE);
        inode_unlock(inode);
    }
    tmpfs_charge(inode);
    inode_touch(inode, ATTR_MTIME | ATTR_CTIME);
}

static int seals_forbid(struct inode *inode, u64 end)
{
    unsigned int seals = READ_ONCE(tmpfs_inode(inode)->seals);

    if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EPERM;
    return (seals & F_SEAL_GROW) && end > inode_size(inode) ? -EPERM : 0;
}

/*
 * O_APPEND: nobody else writes between finding the end and writing there. User memory is not touched with
 * the lock held, so the bytes come by way of a buffer.
 */
static ssize_t append_piece(struct inode *inode, struct iter *from, char *buf, loff_t *pos)
{
    size_t n = MIN(iter_left(from), APPEND_CHUNK);
    struct iter kernel;
    ssize_t got = copy_from_iter(from, buf, n), done;

    if (got <= 0)
        return got;
    iter_init_kernel(&kernel, true, buf, (size_t)got);
    inode_lock(inode);
    *pos = (loff_t)inode_size(inode);
    done = seals_forbid(inode, (u64)*pos + (u64)got);
    if (!done)
        done = tmpfs_limit_write(inode, &kernel, (u64)*pos);
    if (!done)
        done = memobj_write(tmpfs_inode(inode)->obj, &kernel, (u64)*pos, iter_left(&kernel));
    if (done > 0)
        __atomic_store_n(&inode->size, (u64)*pos + (u64)done, __ATOMIC_RELEASE);
    inode_unlock(inode);
    if (done > 0)
        *pos += done;
    return done;
}

static ssize_t append(struct inode *inode, struct iter *from, loff_t *pos)
{
    char *buf = kmalloc(MIN(iter_left(from), APPEND_CHUNK));
    ssize_t done = 0, n;

    if (!buf)
        return -ENOMEM;
    do {
        size_t want = MIN(iter_left(from), APPEND_CHUNK);

        n = append_piece(inode, from, buf, pos);
        if (n > 0)
            done += n;
        if (n < (ssize_t)want)
            break;
    } while (iter_left(from) > 0);
    kfree(buf);
    wrote(inode, (u64)*pos);
    return done ? done : n;
}

static ssize_t tmpfs_write(struct file *file, struct iter *from, loff_t *pos)
{
    struct inode *inode = file->inode;
    ssize_t n;
    int err;

    if (iter_left(from) == 0)
        return 0;
    if (file_appends(file, from))
        return append(inode, from, pos);

    err = seals_forbid(inode, (u64)*pos + iter_left(from));
    if (!err)
        err = tmpfs_limit_write(inode, from, (u64)*pos);
    if (err)
        return err;
    n = memobj_write(tmpfs_inode(inode)->obj, from, (u64)*pos, iter_left(from));
    if (n > 0) {
        *pos += n;
        wrote(inode, (u64)*pos);
    }
    return n;
}

static loff_t tmpfs_seek(struct file *file, loff_t offset, int whence)
{
    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return file_seek_generic(file, offset, whence);
    if (offset < 0 || (u64)offset >= inode_size(file->inode))
        return -ENXIO;
    return memobj_seek(tmpfs_inode(file->inode)->obj, (u64)offset, whence);
}

static int tmpfs_mapping(struct file *file, bool shared, bool write, struct file_mapping *out)
{
    struct tmpfs_inode *inode = tmpfs_inode(file->inode);

    if (shared && write && (READ_ONCE(inode->seals) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
        return -EPERM;
    if (shared && write)
        tmpfs_map(file->inode);
    out->obj = memobj_get(inode->obj);
    out->host_file = -1;
    return 0;
}

static int tmpfs_fsync(struct file *file, loff_t start, loff_t end, bool data_only)
{
    return 0; /* there is nothing behind the memory */
}

/* ---- size and space ---- */

static int resize_locked(struct inode *inode, u64 size)
{
    struct tmpfs_inode *own = tmpfs_inode(inode);
    u64 old = inode->size;
    int err;

    if ((size < old && (own->seals & F_SEAL_SHRINK)) || (size > old && (own->seals & F_SEAL_GROW)))
        return -EPERM;
    err = memobj_truncate(own->obj, size);
    if (err)
        return err;
    __atomic_store_n(&inode->size, size, __ATOMIC_RELEASE);
    inode->truncations++;
    tmpfs_charge(inode);
    return 0;
}

static long punch_locked(struct inode *inode, u64 offset, u64 len)
{
    struct tmpfs_inode *own = tmpfs_inode(inode);

    if (own->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EPERM;
    memobj_punch(own->obj, offset, len);
    return 0;
}

static long allocate_locked(struct inode *inode, int mode, u64 offset, u64 len)
{
    struct tmpfs_inode *own = tmpfs_inode(inode);
    u64 end = offset + len;
    int err;

    if ((own->seals & F_SEAL_GROW) && end > inode->size)
        return -EPERM;
    u64 room = tmpfs_room(inode);

    if (room < len && room < tmpfs_missing(inode, offset, end))
        return -ENOSPC;
    if (mode & FALLOC_FL_ZERO_RANGE)
        memobj_punch(own->obj, offset, len);
    err = memobj_reserve(own->obj, offset, len);
    if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && end > inode->size)
        err = resize_locked(inode, end);
    return err;
}

static long tmpfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
    struct inode *inode = file->inode;
    long err;

    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
        return -EOPNOTSUPP;
    inode_lock(inode);
    if (mode & FALLOC_FL_PUNCH_HOLE)
        err = punch_locked(inode, (u64)offset, (u64)len);
    else
        err = allocate_locked(inode, mode, (u64)offset, (u64)len);
    inode_unlock(inode);
    tmpfs_charge(inode);
    if (!err)
        inode_touch(inode, ATTR_MTIME | ATTR_CTIME);
    return err;
}

int tmpfs_setattr(struct inode *inode, const struct iattr *attr)
{
    if ((attr->valid & ATTR_MODE) && (tmpfs_inode(inode)->seals & F_SEAL_EXEC) &&
        ((attr->mode ^ inode->mode) & 0111))
        return -EPERM;
    if (attr->valid & ATTR_SIZE) {
        int err = inode_is(inode, S_IFREG) ? resize_locked(inode, attr->size) : -EINVAL;

        if (err)
            return err;
    }
    inode_setattr(inode, attr);
    return 0;
}

int tmpfs_getattr(struct inode *inode, struct kstat *stat)
{
    struct tmpfs_inode *own = tmpfs_inode(inode);

    inode_stat(inode, stat);
    if (own->obj) {
        memobj_count_stores(own->obj);
        tmpfs_charge(inode);
        stat->blocks = memobj_bytes(own->obj) / 512;
    }
    return 0;
}

/* ---- seals, fcntl(2) ---- */

static int tmpfs_get_seals(struct inode *inode)
{
    return inode->ops == &tmpfs_file_ops ? (int)READ_ONCE(tmpfs_inode(inode)->seals) : -EINVAL;
}

static int tmpfs_add_seals(struct inode *inode, unsigned int seals)
{
    struct tmpfs_inode *own = tmpfs_inode(inode);
    int err = 0;

    if (inode->ops != &tmpfs_file_ops ||
        (seals & ~(unsigned int)(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
                                 F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)))
        return -EINVAL;
    inode_lock(inode);
    /* A program that may be executed and stays so must not change either. */
    if ((seals & F_SEAL_EXEC) && (inode->mode & 0111))
        seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
    if (own->seals & F_SEAL_SEAL)
        err = -EPERM;
    else if ((seals & F_SEAL_WRITE) && !(own->seals & F_SEAL_WRITE) && memobj_writers(own->obj))
        err = -EBUSY;
    else
        WRITE_ONCE(own->seals, own->seals | seals);
    inode_unlock(inode);
    return err;
}

static long tmpfs_fcntl(struct file *file, unsigned int cmd, unsigned long arg)
{
    switch (cmd) {
    case F_ADD_SEALS:
        return tmpfs_add_seals(file->inode, (unsigned int)arg);
    case F_GET_SEALS:
        return tmpfs_get_seals(file->inode);
    default:
        return -EINVAL;
    }
}

const struct file_ops tmpfs_file_fops = {
    .fcntl = tmpfs_fcntl,
    .read = tmpfs_read,
    .write = tmpfs_write,
    .seek = tmpfs_seek,
    .mapping = tmpfs_mapping,
    .fsync = tmpfs_fsync,
    .fallocate = tmpfs_fallocate,
};

#define TMPFS_ATTRIBUTE_OPS                                                                        \
    .setattr = tmpfs_setattr, .getattr = tmpfs_getattr, .xattr_get = tmpfs_xattr_get,              \
    .xattr_set = tmpfs_xattr_set, .xattr_remove = tmpfs_xattr_remove,                              \
    .xattr_list = tmpfs_xattr_list

const struct inode_ops tmpfs_file_ops = {TMPFS_ATTRIBUTE_OPS};
const struct inode_ops tmpfs_node_ops = {TMPFS_ATTRIBUTE_OPS};
