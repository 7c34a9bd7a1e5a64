/* kernel/host/file.c: the file calls of the target, and the check of what it answers. */
#include "host/file.h"

#include "base/string.h"

#include <linux/limits.h>
#include <linux/stat.h>
#include <myst/target.h>

static_assert(HOST_OPEN_READ == TARGET_OPEN_READ && HOST_OPEN_WRITE == TARGET_OPEN_WRITE &&
                  HOST_OPEN_CREATE == TARGET_OPEN_CREATE && HOST_OPEN_PATH == TARGET_OPEN_PATH &&
                  HOST_OPEN_DIRECTORY == TARGET_OPEN_DIRECTORY,
              "open flags are handed through");

/* What each call may answer, by its man page; a list ends with 0. */
#define NAME_ERRORS EACCES, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, ENOMEM, EPERM, EIO
#define MAKE_ERRORS NAME_ERRORS, EEXIST, EROFS, ENOSPC, EDQUOT, EMLINK, EINVAL, EOPNOTSUPP

static const u8 open_errors[] = {NAME_ERRORS, EEXIST,    EROFS,      ENOSPC,  EDQUOT, EMFILE,
                                 ENFILE,      EISDIR,    EINVAL,     ENXIO,   ENODEV, EBUSY,
                                 EINTR,       EOVERFLOW, EOPNOTSUPP, ETXTBSY, 0};
static const u8 stat_errors[] = {NAME_ERRORS, 0};
static const u8 data_errors[] = {EFAULT, EINTR,  EAGAIN, EINVAL, EISDIR, EIO,
                                 ENOSPC, EDQUOT, EFBIG,  EPERM,  0};
static const u8 seek_errors[] = {ENXIO, EINVAL, EIO, 0};
static const u8 readdir_errors[] = {ENOENT, ENOTDIR, EINVAL, EIO, 0};
static const u8 readlink_errors[] = {NAME_ERRORS, EINVAL, 0};
static const u8 space_errors[] = {EACCES, EPERM,  EROFS,  EINTR, EINVAL,     EIO,    EISDIR,  EFBIG,
                                  ENOSPC, EDQUOT, ENODEV, ENXIO, EOPNOTSUPP, ESPIPE, ETXTBSY, 0};
static const u8 make_errors[] = {MAKE_ERRORS, 0};
static const u8 remove_errors[] = {NAME_ERRORS, EROFS, EBUSY, EISDIR, ENOTEMPTY, EEXIST, EINVAL, 0};
static const u8 rename_errors[] = {MAKE_ERRORS, EBUSY, EISDIR, ENOTEMPTY, EXDEV, 0};
static const u8 link_errors[] = {MAKE_ERRORS, EXDEV, 0};
static const u8 change_errors[] = {NAME_ERRORS, EROFS, EINVAL, EOPNOTSUPP, EDQUOT, ENOSPC, 0};
static const u8 statfs_errors[] = {EACCES, EINTR, EIO, ENOMEM, ENOSYS, EOVERFLOW, 0};

static int check_error(s64 reply, const u8 *list)
{
    for (; *list; list++)
        if (reply == -(s64)*list)
            return (int)reply;
    return -EIO;
}

/* Of a call that answers 0 or an error. */
static int check_done(s64 reply, const u8 *list)
{
    return reply == 0 ? 0 : check_error(reply, list);
}

static s64 check_count(s64 reply, size_t len, const u8 *list)
{
    if (reply >= 0)
        return (u64)reply <= len ? reply : -EIO;
    return check_error(reply, list);
}

int host_file_open(int dir, const char *name, int flags, umode mode)
{
    int file = target_file_open(dir, name, flags, mode);

    if (file < 0)
        return check_error(file, open_errors);
    /* The console's numbers: to close one of them later would cut the instance's own log off. */
    return file <= 2 ? -EIO : file;
}

void host_file_close(int file)
{
    target_file_close(file);
}

static bool stat_is_sane(const struct target_stat *st)
{
    switch (st->mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFLNK:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        return st->size <= INT64_MAX && st->blocks <= INT64_MAX && st->mode <= 0177777;
    default:
        return false;
    }
}

int host_file_stat(int dir, const char *name, struct host_stat *out)
{
    struct target_stat st;
    int err = check_done(target_file_stat(dir, name, &st), stat_errors);

    if (err)
        return err;
    if (!stat_is_sane(&st))
        return -EIO;
    *out = (struct host_stat){
        .ino = st.ino,
        .size = st.size,
        .blocks = st.blocks,
        .rdev = st.rdev,
        .dev = st.dev,
        .mode = st.mode,
        .nlink = st.nlink,
        .uid = st.uid,
        .gid = st.gid,
        .blksize = st.blksize,
        .atime = st.atime,
        .mtime = st.mtime,
        .ctime = st.ctime,
        .btime = st.btime,
    };
    if (!IS_POW2(st.blksize) || st.blksize < 512 || st.blksize > (1U << 20))
        out->blksize = PAGE_SIZE;
    return 0;
}

s64 host_file_read(int file, void *to, size_t len, u64 offset)
{
    return check_count(target_file_read(file, to, len, offset), len, data_errors);
}

s64 host_file_write(int file, const void *from, size_t len, u64 offset)
{
    return check_count(target_file_write(file, from, len, offset), len, data_errors);
}

s64 host_file_seek(int file, u64 offset, int whence)
{
    s64 reply = target_file_seek(file, offset, whence);

    if (reply >= 0)
        return (u64)reply >= offset ? reply : -EIO;
    return check_error(reply, seek_errors);
}

struct dirent_head {
    u64 ino;
    s64 off;
    u16 reclen;
    u8 type;
    char name[];
};

/* The length of the record at the start of left bytes; 0: it is not one. */
static size_t check_record(const struct dirent_head *record, size_t left)
{
    const size_t head = offsetof(struct dirent_head, name);
    const char *end;
    size_t len;

    if (left < head + 2 || record->reclen < head + 2 || record->reclen > left ||
        !IS_ALIGNED(record->reclen, 8))
        return 0;
    end = memchr(record->name, '\0', record->reclen - head);
    if (!end || record->off < 0)
        return 0;
    len = (size_t)(end - record->name);
    if (len == 0 || len > NAME_MAX || memchr(record->name, '/', len))
        return 0;
    return record->reclen;
}

s64 host_file_readdir(int dir, void *to, size_t len, s64 cursor)
{
    s64 got = check_count(target_file_readdir(dir, to, len, cursor), len, readdir_errors);
    size_t at = 0;

    while (got > 0 && at < (size_t)got) {
        size_t record =
            check_record((const struct dirent_head *)((const char *)to + at), (size_t)got - at);

        if (!record)
            return -EIO;
        at += record;
    }
    return got;
}

s64 host_file_readlink(int dir, const char *name, char *to, size_t len)
{
    s64 got = check_count(target_file_readlink(dir, name, to, len), len, readlink_errors);

    /* A link's text is a string; a zero in it would make the length a lie. */
    return got > 0 && memchr(to, '\0', (size_t)got) ? -EIO : got;
}

int host_file_truncate(int file, u64 size)
{
    return check_done(target_file_truncate(file, size), space_errors);
}

int host_file_allocate(int file, int mode, u64 offset, u64 len)
{
    return check_done(target_file_allocate(file, mode, offset, len), space_errors);
}

int host_file_sync(int file, bool data_only)
{
    return check_done(target_file_sync(file, data_only), space_errors);
}

int host_file_mkdir(int dir, const char *name, umode mode)
{
    return check_done(target_file_mkdir(dir, name, mode), make_errors);
}

int host_file_mknod(int dir, const char *name, umode mode, u64 rdev)
{
    return check_done(target_file_mknod(dir, name, mode, rdev), make_errors);
}

int host_file_unlink(int dir, const char *name, bool directory)
{
    return check_done(target_file_unlink(dir, name, directory), remove_errors);
}

int host_file_rename(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
    return check_done(target_file_rename(from_dir, from, to_dir, to, flags), rename_errors);
}

int host_file_link(int from_dir, const char *from, int to_dir, const char *to)
{
    return check_done(target_file_link(from_dir, from, to_dir, to), link_errors);
}

int host_file_symlink(const char *text, int dir, const char *name)
{
    return check_done(target_file_symlink(text, dir, name), make_errors);
}

int host_file_chmod(int dir, const char *name, umode mode)
{
    return check_done(target_file_chmod(dir, name, mode), change_errors);
}

int host_file_chown(int dir, const char *name, uid_t uid, gid_t gid)
{
    return check_done(target_file_chown(dir, name, uid, gid), change_errors);
}

int host_file_utimes(int dir, const char *name, ktime atime, ktime mtime)
{
    return check_done(target_file_utimes(dir, name, atime, mtime), change_errors);
}

int host_file_statfs(int file, struct host_statfs *out)
{
    struct target_statfs fs;
    int err = check_done(target_file_statfs(file, &fs), statfs_errors);

    if (err)
        return err;
    *out = (struct host_statfs){
        .type = fs.type,
        .bsize = fs.bsize,
        .blocks = fs.blocks,
        .bfree = MIN(fs.bfree, fs.blocks),
        .bavail = MIN(fs.bavail, fs.blocks),
        .files = fs.files,
        .ffree = MIN(fs.ffree, fs.files),
        .namelen = fs.namelen > 0 && fs.namelen < NAME_MAX ? fs.namelen : NAME_MAX,
        .frsize = fs.frsize,
        .flags = fs.flags,
    };
    return 0;
}
