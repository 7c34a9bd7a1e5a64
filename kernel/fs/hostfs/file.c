/* kernel/fs/hostfs/file.c: the contents of host files. */
#include "fs/hostfs/internal.h"

#define BOUNCE_SIZE 65536UL
#define PIECE_MAX   (1UL << 30)

static u32 access_of(const struct file *file)
{
    return file->mode & (FILE_READ | FILE_WRITE);
}

static int hostfs_open(struct inode *inode, struct file *file)
{
    return hostfs_handle_open(inode, access_of(file));
}

static void hostfs_release(struct file *file)
{
    hostfs_handle_close(file->inode, access_of(file));
}

/* By way of kernel memory, for user pages that the host cannot reach until we have filled them. */
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

/* The current piece of to, straight from the host where that works. Bytes; the iter has moved past them. */
static s64 read_piece(int file, struct iter *to, u64 offset, bool *whole)
{
    size_t n;
    void *piece = iter_piece(to, &n);
    s64 got;

    n = MIN(n, PIECE_MAX);
    *whole = true;
    if (to->user && !user_range_ok((const void __user *)piece, n))
        return -EFAULT;
    do {
        got = host_file_read(file, piece, n, offset);
    } while (got == -EINTR);
    if (got == -EFAULT && to->user)
        got = read_bounced(file, to, n, offset);
    else if (got > 0)
        iter_advance(to, (size_t)got);
    *whole = got == (s64)n;
    return got;
}

static ssize_t hostfs_read(struct file *file, struct iter *to, loff_t *pos)
{
    int host = hostfs_handle_file(file->inode, access_of(file));
    ssize_t done = 0;

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

static loff_t hostfs_seek(struct file *file, loff_t offset, int whence)
{
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        if (offset < 0)
            return -ENXIO;
        return host_file_seek(hostfs_handle_file(file->inode, access_of(file)), (u64)offset, whence);
    }
    return file_seek_generic(file, offset, whence);
}

static int hostfs_mapping(struct file *file, bool shared, bool write, struct file_mapping *out)
{
    if (shared && write)
        return -ENODEV;
    *out = (struct file_mapping){.host_file = hostfs_handle_file(file->inode, access_of(file))};
    return 0;
}

static int hostfs_fsync(struct file *file, loff_t start, loff_t end, bool data_only)
{
    if (!hostfs_super(file->inode)->writable)
        return 0;
    return host_file_sync(hostfs_handle_file(file->inode, access_of(file)), data_only);
}

const struct file_ops hostfs_file_fops = {
    .open = hostfs_open,
    .read = hostfs_read,
    .seek = hostfs_seek,
    .mapping = hostfs_mapping,
    .fsync = hostfs_fsync,
    .release = hostfs_release,
};

const struct inode_ops hostfs_file_ops = {
    .getattr = hostfs_getattr,
};
