/* kernel/vfs/io.c: read(2), write(2), pread(2), readv(2), preadv2(2), lseek(2) and their kin. */
#include "abi/newer.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <linux/fs.h>
#include <linux/uio.h>

#define SYNC_SUPERS 64 /* file systems that one sync(2) reaches */

static int borrow(int nr, bool write, struct fd_ref *fd)
{
    *fd = fd_borrow(nr);
    if (!fd->file)
        return -EBADF;
    return fd->file->mode & (write ? FILE_WRITE : FILE_READ) ? 0 : -EBADF;
}

long sys_read(int nr, void __user *buf, size_t count)
{
    AUTO_FD fd = {0};
    struct iter it;
    int err = borrow(nr, false, &fd);

    if (err)
        return err;
    if (!user_range_ok(buf, count))
        return -EFAULT;
    iter_init_user(&it, false, buf, count);
    return file_read(fd.file, &it, NULL);
}

long sys_write(int nr, const void __user *buf, size_t count)
{
    AUTO_FD fd = {0};
    struct iter it;
    int err = borrow(nr, true, &fd);

    if (err)
        return err;
    if (!user_range_ok(buf, count))
        return -EFAULT;
    iter_init_user(&it, true, (void __user *)buf, count);
    return file_write(fd.file, &it, NULL);
}

static int borrow_positioned(int nr, bool write, loff_t offset, struct fd_ref *fd)
{
    if (offset < 0)
        return -EINVAL;
    *fd = fd_borrow(nr);
    if (!fd->file)
        return -EBADF;
    if (fd->file->mode & FILE_STREAM)
        return -ESPIPE;
    return fd->file->mode & (write ? FILE_WRITE : FILE_READ) ? 0 : -EBADF;
}

long sys_pread64(int nr, void __user *buf, size_t count, loff_t offset)
{
    AUTO_FD fd = {0};
    struct iter it;
    int err = borrow_positioned(nr, false, offset, &fd);

    if (err)
        return err;
    if (!user_range_ok(buf, count))
        return -EFAULT;
    iter_init_user(&it, false, buf, count);
    return file_read(fd.file, &it, &offset);
}

long sys_pwrite64(int nr, const void __user *buf, size_t count, loff_t offset)
{
    AUTO_FD fd = {0};
    struct iter it;
    int err = borrow_positioned(nr, true, offset, &fd);

    if (err)
        return err;
    if (!user_range_ok(buf, count))
        return -EFAULT;
    iter_init_user(&it, true, (void __user *)buf, count);
    return file_write(fd.file, &it, &offset);
}

int rwf_check(const struct file *file, int rwf)
{
    if (rwf & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND))
        return -EOPNOTSUPP;
    /* No file system says whether a transfer would have to wait; streams do. */
    if ((rwf & RWF_NOWAIT) && !(file->mode & FILE_STREAM))
        return -EOPNOTSUPP;
    return (rwf & (RWF_APPEND | RWF_NOAPPEND)) == (RWF_APPEND | RWF_NOAPPEND) ? -EINVAL : 0;
}

ssize_t file_transfer(struct file *file, struct iter *it, loff_t *pos, int rwf)
{
    ssize_t done;

    it->flags = (rwf & RWF_APPEND ? ITER_APPEND : 0) | (rwf & RWF_NOAPPEND ? ITER_NOAPPEND : 0);
    self()->nowait = rwf & RWF_NOWAIT;
    done = it->source ? file_write(file, it, pos) : file_read(file, it, pos);
    self()->nowait = false;
    if (done > 0 && it->source && (rwf & (RWF_DSYNC | RWF_SYNC)) && file->ops->fsync) {
        int err = file->ops->fsync(file, 0, INT64_MAX, !(rwf & RWF_SYNC));

        if (err)
            return err;
    }
    return done;
}

/* A vector read or write; pos NULL: at the file's position. flags: RWF_, see preadv2(2). */
static long vector_io(struct file *file, bool write, const struct iovec __user *vec,
                      unsigned long n, loff_t *pos, int flags)
{
    struct iter it;
    long done;

    if (write ? !file->ops->write : !file->ops->read && !inode_is(file->inode, S_IFDIR))
        return -EINVAL;
    done = iter_init_vector(&it, write, vec, n);
    if (done)
        return done;
    /* Of no bytes at all everything is true: even a directory can be read, and with any flag. */
    if (iter_left(&it) > 0) {
        done = rwf_check(file, flags);
        if (!done)
            done = file_transfer(file, &it, pos, flags);
    }
    iter_release(&it);
    return done;
}

static long vector_call(int nr, bool write, const struct iovec __user *vec, unsigned long n,
                        const loff_t *offset, int flags)
{
    AUTO_FD fd = {0};
    loff_t pos = offset ? *offset : 0;
    int err = offset ? borrow_positioned(nr, write, pos, &fd) : borrow(nr, write, &fd);

    return err ? err : vector_io(fd.file, write, vec, n, offset ? &pos : NULL, flags);
}

long sys_readv(int nr, const struct iovec __user *vec, unsigned long n)
{
    return vector_call(nr, false, vec, n, NULL, 0);
}

long sys_writev(int nr, const struct iovec __user *vec, unsigned long n)
{
    return vector_call(nr, true, vec, n, NULL, 0);
}

/* On a 64-bit machine the low word holds all of the offset. */
long sys_preadv(int nr, const struct iovec __user *vec, unsigned long n, unsigned long low,
                unsigned long high)
{
    loff_t offset = (loff_t)low;

    return vector_call(nr, false, vec, n, &offset, 0);
}

long sys_pwritev(int nr, const struct iovec __user *vec, unsigned long n, unsigned long low,
                 unsigned long high)
{
    loff_t offset = (loff_t)low;

    return vector_call(nr, true, vec, n, &offset, 0);
}

long sys_preadv2(int nr, const struct iovec __user *vec, unsigned long n, unsigned long low,
                 unsigned long high, int flags)
{
    loff_t offset = (loff_t)low;

    return vector_call(nr, false, vec, n, offset == -1 ? NULL : &offset, flags);
}

long sys_pwritev2(int nr, const struct iovec __user *vec, unsigned long n, unsigned long low,
                  unsigned long high, int flags)
{
    loff_t offset = (loff_t)low;

    return vector_call(nr, true, vec, n, offset == -1 ? NULL : &offset, flags);
}

long sys_lseek(int nr, loff_t offset, unsigned int whence)
{
    AUTO_FD fd = fd_borrow(nr);

    if (!fd.file)
        return -EBADF;
    return whence > SEEK_MAX ? -EINVAL : file_seek(fd.file, offset, (int)whence);
}

/* ---- writing back ---- */

static long sync_fd(int nr, bool data_only)
{
    AUTO_FD fd = fd_borrow(nr);

    if (!fd.file)
        return -EBADF;
    return fd.file->ops->fsync ? fd.file->ops->fsync(fd.file, 0, INT64_MAX, data_only) : -EINVAL;
}

long sys_fsync(int nr)
{
    return sync_fd(nr, false);
}

long sys_fdatasync(int nr)
{
    return sync_fd(nr, true);
}

long sys_syncfs(int nr)
{
    AUTO_FD fd = fd_borrow(nr);
    struct super *super;

    if (!fd.file)
        return -EBADF;
    super = fd.file->inode->super;
    return super->ops->sync ? super->ops->sync(super) : 0;
}

static int sync_mount(struct mount *mount, void *arg)
{
    struct super **supers = arg;

    /* The lock of the mounts is held: the supers are noted and synced afterwards. */
    for (u32 i = 0; i < SYNC_SUPERS; i++) {
        if (supers[i] == mount->super)
            return 0;
        if (!supers[i]) {
            supers[i] = super_get(mount->super);
            return 0;
        }
    }
    return 0;
}

long sys_sync(void)
{
    struct super *supers[SYNC_SUPERS] = {0};
    AUTO_PATH root = {0};

    fs_root(&root);
    mount_for_each(&root, sync_mount, supers)
        ;
    for (u32 i = 0; i < SYNC_SUPERS && supers[i]; i++) {
        if (supers[i]->ops->sync)
            supers[i]->ops->sync(supers[i]);
        super_put(supers[i]);
    }
    return 0;
}

long sys_sync_file_range(int nr, loff_t offset, loff_t len, unsigned int flags)
{
    AUTO_FD fd = fd_borrow(nr);
    umode type;

    if (!fd.file)
        return -EBADF;
    if (offset < 0 || len < 0 || offset + (u64)len > INT64_MAX ||
        (flags & ~(unsigned int)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                 SYNC_FILE_RANGE_WAIT_AFTER)))
        return -EINVAL;
    type = fd.file->inode->mode & S_IFMT;
    if (type != S_IFREG && type != S_IFBLK && type != S_IFDIR)
        return -ESPIPE;
    return fd.file->ops->fsync && flags
               ? fd.file->ops->fsync(fd.file, offset, len ? offset + len : INT64_MAX, true)
               : 0;
}
