/* kernel/fs/hostfs/dir.c: directories and symbolic links of the host. */
#include "fs/hostfs/internal.h"

#define RECORDS_SIZE 16384

struct dirent { /* getdents64(2) */
    u64 ino;
    s64 off;
    u16 reclen;
    u8 type;
    char name[];
};

static int hostfs_lookup(struct inode *dir, const struct name *name, struct inode **out)
{
    struct hostfs_name text;
    struct host_stat st;
    int err, file = hostfs_pin(dir);

    if (file < 0)
        return file;
    hostfs_name_set(&text, name);
    err = host_file_stat(file, text.text, &st);
    hostfs_unpin(dir);
    return err ? err : hostfs_inode_find(dir->super, hostfs_inode(dir), text.text, &st, out);
}

static int hostfs_dir_open(struct inode *inode, struct file *file)
{
    return hostfs_handle_open(inode, FILE_READ);
}

static void hostfs_dir_release(struct file *file)
{
    hostfs_handle_close(file->inode, FILE_READ);
}

/* Positions are the host's. */
static int emit_records(struct inode *inode, const char *records, size_t size,
                        struct dir_context *dir)
{
    for (size_t at = 0; at < size;) {
        const struct dirent *record = (const struct dirent *)(records + at);
        ino_t ino = hostfs_ino(hostfs_super(inode), hostfs_inode(inode)->dev, record->ino);

        if (!dir->emit(dir, record->name, strlen(record->name), ino, record->type))
            return 1;
        dir->pos = record->off;
        at += record->reclen;
    }
    return 0;
}

static int hostfs_iterate(struct file *file, struct dir_context *dir)
{
    char *records = kmalloc(RECORDS_SIZE);
    int full = 0;
    loff_t before;
    s64 got = 0;

    if (!records)
        return -ENOMEM;
    while (!full) {
        got = host_file_readdir(hostfs_handle_file(file->inode, FILE_READ), records, RECORDS_SIZE,
                                dir->pos);
        if (got <= 0)
            break;
        before = dir->pos;
        full = emit_records(file->inode, records, (size_t)got, dir);
        if (!full && dir->pos == before) { /* a host that leads us in a circle */
            got = -EIO;
            break;
        }
    }
    kfree(records);
    return got < 0 ? (int)got : 0;
}

static loff_t hostfs_dir_seek(struct file *file, loff_t offset, int whence)
{
    loff_t base = whence == SEEK_CUR ? file->pos : 0;

    if (whence != SEEK_SET && whence != SEEK_CUR)
        return -EINVAL;
    if (add_overflow(base, offset, &base) || base < 0)
        return -EINVAL;
    return base;
}

static int hostfs_readlink(struct inode *inode, char *buf, size_t size)
{
    struct hostfs_place place;
    s64 got;
    int err = hostfs_place_get(inode, &place);

    if (err)
        return err;
    got = host_file_readlink(place.file, place.name.text, buf, size);
    hostfs_place_put(&place);
    return (int)got;
}

static int hostfs_dir_fsync(struct file *file, loff_t start, loff_t end, bool data_only)
{
    if (!hostfs_super(file->inode)->writable)
        return 0;
    return host_file_sync(hostfs_handle_file(file->inode, FILE_READ), data_only);
}

const struct file_ops hostfs_dir_fops = {
    .fsync = hostfs_dir_fsync,
    .open = hostfs_dir_open,
    .iterate = hostfs_iterate,
    .seek = hostfs_dir_seek,
    .release = hostfs_dir_release,
};

const struct inode_ops hostfs_dir_ops = {
    .lookup = hostfs_lookup,
    .revalidate = hostfs_revalidate,
    .create = hostfs_create,
    .symlink = hostfs_symlink,
    .link = hostfs_link,
    .unlink = hostfs_unlink,
    .rmdir = hostfs_rmdir,
    .rename = hostfs_rename,
    .setattr = hostfs_setattr,
    .getattr = hostfs_getattr,
};

const struct inode_ops hostfs_link_ops = {
    .readlink = hostfs_readlink,
    .setattr = hostfs_setattr,
    .getattr = hostfs_getattr,
};
