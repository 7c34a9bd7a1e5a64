/*
 * kernel/vfs/copy.c: sendfile(2), copy_file_range(2), and the calls about what is cached: posix_fadvise(2),
 * readahead(2), cachestat(2).
 */
#include "abi/newer.h"
#include "mm/memobj.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <linux/fadvise.h>

#define CHUNK    65536UL
#define COPY_MAX (INT32_MAX & (size_t)PAGE_MASK)

/* One chunk by way of a buffer. What could not be written is as if it had not been read. */
static ssize_t copy_chunk(struct file *in, loff_t *in_pos, struct file *out, loff_t *out_pos,
                          char *buf, size_t n)
{
    struct iter it;
    loff_t at = *in_pos;
    ssize_t got, done;

    iter_init_kernel(&it, false, buf, n);
    got = file_read(in, &it, &at);
    if (got <= 0)
        return got;
    iter_init_kernel(&it, true, buf, (size_t)got);
    done = file_write(out, &it, out_pos);
    if (done > 0)
        *in_pos += done;
    return done;
}

static ssize_t copy_bytes(struct file *in, loff_t *in_pos, struct file *out, loff_t *out_pos,
                          size_t n)
{
    char *buf = kmalloc(MIN(n, CHUNK));
    ssize_t done = 0, moved = 0;

    if (!buf)
        return -ENOMEM;
    while ((size_t)done < n) {
        size_t want = MIN(n - (size_t)done, CHUNK);

        moved = copy_chunk(in, in_pos, out, out_pos, buf, want);
        if (moved > 0)
            done += moved;
        if (moved < (ssize_t)want)
            break;
    }
    kfree(buf);
    return done ? done : moved;
}

/* Where to start: what the program says, or the file's own position. */
static int position_get(struct file *file, loff_t __user *user, loff_t *pos)
{
    int err;

    if (user) {
        err = get_user(*pos, user);
        return err;
    }
    err = file_pos_lock(file);
    if (err)
        return err;
    *pos = file->pos;
    file_pos_unlock(file);
    return 0;
}

static int position_put(struct file *file, loff_t __user *user, loff_t pos)
{
    int err;

    if (user)
        return put_user(pos, user);
    err = file_pos_lock(file);
    if (err)
        return err;
    file->pos = pos;
    file_pos_unlock(file);
    return 0;
}

long sys_sendfile(int out_nr, int in_nr, loff_t __user *offset, size_t count)
{
    AUTO_FD in = fd_borrow(in_nr);
    AUTO_FD out = fd_borrow(out_nr);
    loff_t pos, end;
    ssize_t n;
    int err;

    if (!in.file || !(in.file->mode & FILE_READ))
        return -EBADF;
    if (offset && (in.file->mode & FILE_STREAM))
        return -ESPIPE;
    if ((ssize_t)count < 0)
        return -EINVAL;
    if (!out.file || !(out.file->mode & FILE_WRITE))
        return -EBADF;
    if (in.file->mode & FILE_STREAM)
        return -EINVAL;
    if (!file_splices(in.file) || !file_splices(out.file))
        return -EINVAL;
    if (file_flags(out.file) & O_APPEND)
        return -EINVAL;
    err = position_get(in.file, offset, &pos);
    if (!err && pos < 0)
        err = -EINVAL;
    if (err || count == 0)
        return err;
    if (add_overflow(pos, (loff_t)count, &end))
        return -EINVAL;
    n = copy_bytes(in.file, &pos, out.file, NULL, MIN(count, COPY_MAX));
    err = n >= 0 ? position_put(in.file, offset, pos) : 0;
    return err ? err : n;
}

static int may_copy_range(struct file *in, struct file *out)
{
    umode in_type = in->inode->mode & S_IFMT, out_type = out->inode->mode & S_IFMT;

    if (in_type == S_IFDIR || out_type == S_IFDIR)
        return -EISDIR;
    if (in_type != S_IFREG || out_type != S_IFREG)
        return -EINVAL;
    if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE) || (file_flags(out) & O_APPEND))
        return -EBADF;
    /* Since Linux 5.19 from one mount to another, but not to another type of file system. */
    return in->inode->super != out->inode->super &&
                   in->inode->super->type != out->inode->super->type
               ? -EXDEV
               : 0;
}

static ssize_t copy_range(struct file *in, loff_t *in_pos, struct file *out, loff_t *out_pos,
                          size_t n)
{
    u64 in_end, out_end, size = inode_size(in->inode), max = out->inode->super->max_size;

    if (add_overflow((u64)*in_pos, n, &in_end) || add_overflow((u64)*out_pos, n, &out_end))
        return -EOVERFLOW;
    if (*in_pos < 0 || *out_pos < 0)
        return -EINVAL;
    if ((u64)*in_pos >= size)
        return 0;
    if ((u64)*out_pos >= max)
        return -EFBIG;
    n = MIN(n, MIN(size - (u64)*in_pos, max - (u64)*out_pos));
    if (in->inode == out->inode && *in_pos < *out_pos + (loff_t)n && *out_pos < *in_pos + (loff_t)n)
        return -EINVAL;
    return copy_bytes(in, in_pos, out, out_pos, MIN(n, COPY_MAX));
}

long sys_copy_file_range(int in_nr, loff_t __user *in_offset, int out_nr, loff_t __user *out_offset,
                         size_t len, unsigned int flags)
{
    AUTO_FD in = fd_borrow(in_nr);
    AUTO_FD out = fd_borrow(out_nr);
    loff_t in_pos, out_pos;
    ssize_t n;
    int err;

    if (!in.file || !out.file)
        return -EBADF;
    err = position_get(in.file, in_offset, &in_pos);
    if (!err)
        err = position_get(out.file, out_offset, &out_pos);
    if (!err && flags)
        err = -EINVAL;
    if (!err)
        err = may_copy_range(in.file, out.file);
    if (err || len == 0)
        return err;
    n = copy_range(in.file, &in_pos, out.file, &out_pos, len);
    if (n > 0) {
        err = position_put(in.file, in_offset, in_pos);
        if (!err)
            err = position_put(out.file, out_offset, out_pos);
    }
    return err ? err : n;
}

/* ---- what is cached ---- */

/* Nothing is written later than by the call that writes, and nothing is evicted: these counts stay 0. */
static void count_cached(struct file *file, const struct cachestat_range *range,
                         struct cachestat *out)
{
    struct file_mapping mapping = {.host_file = -1};
    u64 first = range->off >> PAGE_SHIFT;
    u64 last = range->len ? (range->off + range->len - 1) >> PAGE_SHIFT : UINT64_MAX >> PAGE_SHIFT;

    *out = (struct cachestat){0};
    if (!file->ops->mapping || file->ops->mapping(file, false, false, &mapping) < 0 || !mapping.obj)
        return; /* contents that are not kept, or that the host keeps */
    if (first <= last)
        out->nr_cache = memobj_pages(mapping.obj, first, last);
    memobj_put(mapping.obj);
}

long sys_cachestat(int nr, const struct cachestat_range __user *user, struct cachestat __user *out,
                   unsigned int flags)
{
    AUTO_FD fd = fd_borrow(nr);
    struct cachestat_range range;
    struct cachestat counts;
    int err;

    if (!fd.file)
        return -EBADF;
    err = copy_from_user(&range, user, sizeof(range));
    if (!err && flags)
        err = -EINVAL;
    if (err)
        return err;
    count_cached(fd.file, &range, &counts);
    return copy_to_user(out, &counts, sizeof(counts));
}

/* ---- advice: contents are in memory already, or cached by the host as it sees fit ---- */

long sys_fadvise64(int nr, loff_t offset, size_t len, int advice)
{
    AUTO_FD fd = fd_borrow(nr);

    if (!fd.file)
        return -EBADF;
    if (inode_is(fd.file->inode, S_IFIFO))
        return -ESPIPE;
    return (ssize_t)len < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE ? -EINVAL
                                                                                         : 0;
}

long sys_readahead(int nr, loff_t offset, size_t count)
{
    AUTO_FD fd = fd_borrow(nr);

    if (!fd.file || !(fd.file->mode & FILE_READ))
        return -EBADF;
    if (!inode_is(fd.file->inode, S_IFREG) && !inode_is(fd.file->inode, S_IFBLK))
        return -EINVAL;
    return (ssize_t)count < 0 ? -EINVAL : 0;
}
