/*
 * kernel/fs/hostfs/file.c: the contents of host files. They go straight between the host and the
 * program's memory where that works; pages that we have not filled yet are unknown to the host, and
 * get theirs by a buffer.
 */
#include "fs/hostfs/internal.h"
#include "log/log.h"

#define BOUNCE_SIZE 65536UL
#define PIECE_MAX   (1UL << 30)

/* The way in which the file was opened on the host: file->private, with HOSTFS_MAPPED beside it. */
static u32 access_of(const struct file *file)
{
    return (u32)((uintptr_t)file->private & (FILE_READ | FILE_WRITE));
}

static int host_of(const struct file *file)
{
    return hostfs_handle_file(file->inode, access_of(file));
}

static int hostfs_open(struct inode *inode, struct file *file)
{
    u32 wanted = file->mode & (FILE_READ | FILE_WRITE);
    /* open(2): neither for reading nor for writing takes both permissions, and is for ioctl(2) alone */
    int access = hostfs_handle_for(inode, wanted ? wanted : FILE_READ);

    if (access < 0)
        return access;
    file->private = (void *)(uintptr_t)access;
    return 0;
}

static void hostfs_release(struct file *file)
{
    if ((uintptr_t)file->private & HOSTFS_MAPPED) {
        int err = hostfs_shared_close(file->inode);

        if (err)
            log_warn("hostfs", "what was stored in a mapped file did not reach the host: error %d",
                     -err);
    }
    hostfs_handle_close(file->inode, access_of(file));
}

/* ---- reading ---- */

static s64 read_bounced(int file, struct iter *to, size_t n, u64 offset)
{
    size_t size = MIN(n, BOUNCE_SIZE);
    void *buffer = kmalloc(size);
    s64 got;

    if (!buffer)
        return -ENOMEM;
    got = host_file_read(file, buffer, size, offset);
    if (got > 0)
        got = copy_to_iter(to, buffer, (size_t)got);
    kfree(buffer);
    return got;
}

/* The current piece. Bytes; the iter has moved past them. */
static s64 read_piece(int file, struct iter *to, u64 offset, bool *whole)
{
    size_t n;
    void *piece = iter_piece(to, &n);
    s64 got;

    n = MIN(n, PIECE_MAX);
    *whole = true;
    if (to->user && !user_range_ok((const void __user *)piece, n))
        return -EFAULT;
    got = to->user ? host_file_read_user(file, piece, n, offset)
                   : host_file_read(file, piece, n, offset);
    if (got == -EFAULT && to->user)
        got = read_bounced(file, to, n, offset);
    else if (got > 0)
        iter_advance(to, (size_t)got);
    *whole = got == (s64)n;
    return got;
}

static ssize_t hostfs_read(struct file *file, struct iter *to, loff_t *pos)
{
    AUTO(memobj_put) struct memobj *shared = hostfs_shared_get(file->inode);
    int host = host_of(file);
    ssize_t done = 0;

    if (shared) {
        done = memobj_read(shared, to, (u64)*pos, iter_left(to));
        *pos += done > 0 ? done : 0;
        return done;
    }

    while (iter_left(to) > 0) {
        bool whole;
        s64 got = read_piece(host, to, (u64)*pos, &whole);

        if (got < 0)
            return done ? done : got;
        *pos += got;
        done += got;
        /* Short at the end of the file, or at a page that was not there: then we go on. */
        if (got == 0 || (!whole && (u64)*pos >= inode_size(file->inode)))
            break;
    }
    return done;
}

/* ---- writing ---- */

/*
 * Bytes from the iter into a buffer, and from there. Nothing is taken from the iter that was not
 * written.
 */
static s64 write_bounced(int file, struct iter *from, void *buffer, size_t n, u64 offset)
{
    ssize_t have = copy_from_iter(from, buffer, n);
    s64 got;

    if (have <= 0)
        return have;
    got = host_file_write(file, buffer, (size_t)have, offset);
    iter_revert(from, (size_t)have - (got > 0 ? (size_t)got : 0));
    return got;
}

static s64 write_piece(int file, struct iter *from, u64 offset)
{
    size_t n;
    void *piece = iter_piece(from, &n), *buffer;
    s64 got;

    n = MIN(n, PIECE_MAX);
    if (from->user && !user_range_ok((const void __user *)piece, n))
        return -EFAULT;
    got = host_file_write(file, piece, n, offset);
    if (got > 0)
        iter_advance(from, (size_t)got);
    if (got != -EFAULT || !from->user)
        return got;
    n = MIN(n, BOUNCE_SIZE);
    buffer = kmalloc(n);
    if (!buffer)
        return -ENOMEM;
    got = write_bounced(file, from, buffer, n, offset);
    kfree(buffer);
    return got;
}

static void wrote(struct inode *inode, u64 end)
{
    u64 size = inode_size(inode);

    while (end > size && !__atomic_compare_exchange_n(&inode->size, &size, end, false,
                                                      __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
        ;
    inode_touch(inode, ATTR_MTIME | ATTR_CTIME);
}

/*
 * At the end as the host sees it now; the lock keeps our own writers apart. The bytes are in the
 * buffer.
 */
static s64 append_buffer(struct file *file, const char *buffer, size_t n, loff_t *pos)
{
    struct host_stat st;
    s64 done = 0, got = 0;
    int err;

    inode_lock(file->inode);
    err = host_file_stat(host_of(file), "", &st);
    while (!err && done < (s64)n) {
        got = host_file_write(host_of(file), buffer + done, n - (size_t)done, st.size + (u64)done);
        if (got <= 0)
            break;
        done += got;
    }
    inode_unlock(file->inode);
    if (err)
        return err;
    if (done > 0)
        *pos = (loff_t)st.size + done;
    return done ? done : got;
}

static ssize_t append(struct file *file, struct iter *from, loff_t *pos)
{
    char *buffer = kmalloc(MIN(iter_left(from), BOUNCE_SIZE));
    ssize_t done = 0, n = 0;

    if (!buffer)
        return -ENOMEM;
    while (iter_left(from) > 0) {
        ssize_t have = copy_from_iter(from, buffer, MIN(iter_left(from), BOUNCE_SIZE));

        n = have > 0 ? (ssize_t)append_buffer(file, buffer, (size_t)have, pos) : have;
        if (n > 0)
            done += n;
        if (n < have || n <= 0)
            break;
    }
    kfree(buffer);
    return done ? done : n;
}

static ssize_t write_pieces(struct file *file, struct iter *from, loff_t *pos)
{
    ssize_t done = 0;

    while (iter_left(from) > 0) {
        s64 got = write_piece(host_of(file), from, (u64)*pos);

        if (got < 0 && done == 0)
            return got;
        if (got <= 0)
            break;
        *pos += got;
        done += got;
    }
    return done;
}

static ssize_t hostfs_write(struct file *file, struct iter *from, loff_t *pos)
{
    ssize_t done;

    if (file_appends(file, from))
        done = append(file, from, pos);
    else
        done = write_pieces(file, from, pos);
    if (done > 0) {
        int err = hostfs_shared_wrote(file->inode, (u64)(*pos - done), (u64)*pos);

        wrote(file->inode, (u64)*pos);
        if (err)
            return err;
    }
    /* open(2): O_SYNC and O_DSYNC, which has a bit of its own. */
    if (done > 0 && (file_flags(file) & O_SYNC)) {
        int err = host_file_sync(host_of(file), (file_flags(file) & O_SYNC) != O_SYNC);

        if (err)
            return err;
    }
    return done;
}

/* ---- the rest ---- */

static loff_t hostfs_seek(struct file *file, loff_t offset, int whence)
{
    struct host_stat st;

    if (whence == SEEK_DATA || whence == SEEK_HOLE)
        return offset < 0 ? -ENXIO : host_file_seek(host_of(file), (u64)offset, whence);
    /* Others may have written to it. */
    if (whence == SEEK_END && hostfs_super(file->inode)->writable &&
        !host_file_stat(host_of(file), "", &st))
        hostfs_refresh(file->inode, &st);
    return file_seek_generic(file, offset, whence);
}

static int hostfs_mapping(struct file *file, bool shared, bool write, struct file_mapping *out)
{
    if (shared && write) {
        out->host_file = -1;
        return hostfs_shared_map(file, &out->obj);
    }
    /* Others see what is stored there, also those who will store only for themselves. */
    out->host_file = -1;
    out->obj = hostfs_shared_get(file->inode);
    if (out->obj)
        return 0;
    *out = (struct file_mapping){.host_file = host_of(file)};
    return 0;
}

static int hostfs_fsync(struct file *file, loff_t start, loff_t end, bool data_only)
{
    int err;

    if (!hostfs_super(file->inode)->writable)
        return 0;
    err = hostfs_shared_sync(file->inode, (u64)start, (u64)end + 1);
    return err ? err : host_file_sync(host_of(file), data_only);
}

static long hostfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
    struct inode *inode = file->inode;
    struct host_stat st;
    int err = hostfs_shared_sync(inode, 0, UINT64_MAX);

    if (!err)
        err = host_file_allocate(host_of(file), mode, (u64)offset, (u64)len);
    if (err || host_file_stat(host_of(file), "", &st))
        return err;
    hostfs_refresh(inode, &st);
    return hostfs_shared_wrote(inode, (u64)offset, MIN(st.size, (u64)offset + (u64)len));
}

const struct file_ops hostfs_file_fops = {
    .open = hostfs_open,
    .read = hostfs_read,
    .write = hostfs_write,
    .seek = hostfs_seek,
    .mapping = hostfs_mapping,
    .fsync = hostfs_fsync,
    .fallocate = hostfs_fallocate,
    .release = hostfs_release,
};

const struct inode_ops hostfs_file_ops = {
    .setattr = hostfs_setattr,
    .getattr = hostfs_getattr,
};
