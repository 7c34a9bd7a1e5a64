/* kernel/host/file.c: the file calls of the target, and the check of what it answers. */
#include "host/file.h"

#include "base/string.h"
#include "host/border.h"
#include "host/descriptors.h"

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

#define INTERRUPTED_MAX 1000 /* times that a call begins anew before the host is taken for mad */
#define BLKSIZE_MAX     (1U << 20)
#define NOBODY          65534U /* Linux's overflow uid and gid */
#define TIME_FURTHEST   (INT64_MAX / 2)

int host_file_open(int dir, const char *name, int flags, umode mode)
{
    int file = target_file_open(dir, name, flags, mode);

    if (file < 0)
        return BORDER_ERRNO(file_open_errno, file, open_errors);
    return BORDER_DESCRIPTOR(file_open_descriptor, file_open_twice, file);
}

void host_file_close(int file)
{
    if (descriptor_drop(file))
        target_file_close(file);
}

/* ---- attributes ---- */

static bool is_mode(u32 mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFLNK:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        return mode <= 0177777;
    default:
        return false;
    }
}

static bool is_block_size(u64 size)
{
    return IS_POW2(size) && size >= 512 && size <= BLKSIZE_MAX;
}

static ktime check_time(s64 time)
{
    return BORDER(file_stat_time, time >= -TIME_FURTHEST && time <= TIME_FURTHEST) ? time : 0;
}

int host_file_stat(int dir, const char *name, struct host_stat *out)
{
    struct target_stat st = {0};
    int err = BORDER_DONE(file_stat_result, target_file_stat(dir, name, &st), stat_errors);

    if (err)
        return err;
    if (!BORDER(file_stat_mode, is_mode(st.mode)) ||
        !BORDER(file_stat_size, st.size <= INT64_MAX) ||
        !BORDER(file_stat_blocks, st.blocks <= INT64_MAX / 512))
        return -EIO;
    *out = (struct host_stat){
        .ino = st.ino,
        .size = st.size,
        .blocks = st.blocks,
        .rdev = st.rdev,
        .dev = st.dev,
        .mode = st.mode,
        .nlink = st.nlink,
        .uid = BORDER(file_stat_uid, st.uid != (uid_t)-1) ? st.uid : NOBODY,
        .gid = BORDER(file_stat_gid, st.gid != (gid_t)-1) ? st.gid : NOBODY,
        .blksize = BORDER(file_stat_blksize, is_block_size(st.blksize)) ? st.blksize : PAGE_SIZE,
        .atime = check_time(st.atime),
        .mtime = check_time(st.mtime),
        .ctime = check_time(st.ctime),
        .btime = check_time(st.btime),
    };
    return 0;
}

/* ---- data ---- */

static s64 file_read(int file, void *to, size_t len, u64 offset)
{
    s64 got;
    int tries = 0;

    do {
        got = target_file_read(file, to, len, offset);
    } while (got == -EINTR && ++tries < INTERRUPTED_MAX);
    if (!BORDER(file_read_interrupted, got != -EINTR))
        return -EIO;
    return BORDER_COUNT(file_read_count, file_read_errno, got, len, data_errors);
}

s64 host_file_read(int file, void *to, size_t len, u64 offset)
{
    BORDER_CLEAR(file_read_cleared, to, len);
    return file_read(file, to, len, offset);
}

s64 host_file_read_user(int file, void *to, size_t len, u64 offset)
{
    return file_read(file, to, len, offset);
}

s64 host_file_write(int file, const void *from, size_t len, u64 offset)
{
    s64 put;
    int tries = 0;

    do {
        put = target_file_write(file, from, len, offset);
    } while (put == -EINTR && ++tries < INTERRUPTED_MAX);
    if (!BORDER(file_write_interrupted, put != -EINTR) ||
        !BORDER(file_write_progress, put != 0 || len == 0))
        return -EIO;
    return BORDER_COUNT(file_write_count, file_write_errno, put, len, data_errors);
}

s64 host_file_seek(int file, u64 offset, int whence)
{
    s64 reply = target_file_seek(file, offset, whence);

    if (reply < 0)
        return BORDER_ERRNO(file_seek_errno, reply, seek_errors);
    return BORDER(file_seek_forward, (u64)reply >= offset) ? reply : -EIO;
}

/* ---- directories ---- */

struct dirent_head {
    u64 ino;
    s64 off;
    u16 reclen;
    u8 type;
    char name[];
};

/* DT_UNKNOWN, or the type bits of a mode: readdir(3). */
static bool is_type(u8 type)
{
    return type == 0 || (type <= S_IFMT >> 12 && is_mode((u32)type << 12));
}

static bool is_name(const char *name, size_t room)
{
    const char *end = memchr(name, '\0', room);

    return end && end > name && end - name <= NAME_MAX && !memchr(name, '/', (size_t)(end - name));
}

/* A record at the start of `left` bytes: made good in place. Its length; 0: it is none. */
static size_t check_record(struct dirent_head *record, size_t left)
{
    const size_t head = offsetof(struct dirent_head, name);
    bool whole = left >= head + 2 && record->reclen >= head + 2 && record->reclen <= left &&
                 IS_ALIGNED(record->reclen, 8);

    if (!BORDER(file_readdir_record, whole))
        return 0;
    if (!BORDER(file_readdir_name, is_name(record->name, record->reclen - head)) ||
        !BORDER(file_readdir_cursor, record->off >= 0))
        return 0;
    if (!BORDER(file_readdir_type, is_type(record->type)))
        record->type = 0;
    return record->reclen;
}

s64 host_file_readdir(int dir, void *to, size_t len, s64 cursor)
{
    s64 got;

    BORDER_CLEAR(file_readdir_cleared, to, len);
    got = BORDER_COUNT(file_readdir_count, file_readdir_errno,
                       target_file_readdir(dir, to, len, cursor), len, readdir_errors);
    for (size_t at = 0; got > 0 && at < (size_t)got;) {
        size_t record = check_record((struct dirent_head *)((char *)to + at), (size_t)got - at);

        if (!record)
            return -EIO;
        at += record;
    }
    return got;
}

s64 host_file_readlink(int dir, const char *name, char *to, size_t len)
{
    s64 got;

    BORDER_CLEAR(file_readlink_cleared, to, len);
    got = BORDER_COUNT(file_readlink_count, file_readlink_errno,
                       target_file_readlink(dir, name, to, len), len, readlink_errors);
    if (got > 0 && !BORDER(file_readlink_text, !memchr(to, '\0', (size_t)got)))
        return -EIO;
    return got;
}

/* ---- changes ---- */

int host_file_truncate(int file, u64 size)
{
    return BORDER_DONE(file_truncate_result, target_file_truncate(file, size), space_errors);
}

int host_file_allocate(int file, int mode, u64 offset, u64 len)
{
    return BORDER_DONE(file_allocate_result, target_file_allocate(file, mode, offset, len),
                       space_errors);
}

int host_file_sync(int file, bool data_only)
{
    return BORDER_DONE(file_sync_result, target_file_sync(file, data_only), space_errors);
}

int host_file_mkdir(int dir, const char *name, umode mode)
{
    return BORDER_DONE(file_mkdir_result, target_file_mkdir(dir, name, mode), make_errors);
}

int host_file_mknod(int dir, const char *name, umode mode, u64 rdev)
{
    return BORDER_DONE(file_mknod_result, target_file_mknod(dir, name, mode, rdev), make_errors);
}

int host_file_unlink(int dir, const char *name, bool directory)
{
    return BORDER_DONE(file_unlink_result, target_file_unlink(dir, name, directory), remove_errors);
}

int host_file_rename(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
    return BORDER_DONE(file_rename_result, target_file_rename(from_dir, from, to_dir, to, flags),
                       rename_errors);
}

int host_file_link(int from_dir, const char *from, int to_dir, const char *to)
{
    return BORDER_DONE(file_link_result, target_file_link(from_dir, from, to_dir, to), link_errors);
}

int host_file_symlink(const char *text, int dir, const char *name)
{
    return BORDER_DONE(file_symlink_result, target_file_symlink(text, dir, name), make_errors);
}

int host_file_chmod(int dir, const char *name, umode mode)
{
    return BORDER_DONE(file_chmod_result, target_file_chmod(dir, name, mode), change_errors);
}

int host_file_chown(int dir, const char *name, uid_t uid, gid_t gid)
{
    return BORDER_DONE(file_chown_result, target_file_chown(dir, name, uid, gid), change_errors);
}

int host_file_utimes(int dir, const char *name, ktime atime, ktime mtime)
{
    return BORDER_DONE(file_utimes_result, target_file_utimes(dir, name, atime, mtime),
                       change_errors);
}

int host_file_statfs(int file, struct host_statfs *out)
{
    struct target_statfs fs = {0};
    int err = BORDER_DONE(file_statfs_result, target_file_statfs(file, &fs), statfs_errors);
    u64 blocks, files;

    if (err)
        return err;
    blocks = BORDER(file_statfs_blocks, fs.blocks <= INT64_MAX / BLKSIZE_MAX) ? fs.blocks : 0;
    files = BORDER(file_statfs_files, fs.files <= INT64_MAX) ? fs.files : 0;
    *out = (struct host_statfs){
        .type = fs.type,
        .bsize = BORDER(file_statfs_bsize, is_block_size(fs.bsize)) ? fs.bsize : PAGE_SIZE,
        .blocks = blocks,
        .bfree = BORDER(file_statfs_bfree, fs.bfree <= blocks) ? fs.bfree : blocks,
        .bavail = BORDER(file_statfs_bavail, fs.bavail <= blocks) ? fs.bavail : blocks,
        .files = files,
        .ffree = BORDER(file_statfs_ffree, fs.ffree <= files) ? fs.ffree : files,
        .namelen = BORDER(file_statfs_namelen, fs.namelen > 0 && fs.namelen <= NAME_MAX)
                       ? fs.namelen
                       : NAME_MAX,
        .frsize = BORDER(file_statfs_frsize, is_block_size(fs.frsize)) ? fs.frsize : PAGE_SIZE,
        .flags = fs.flags,
    };
    return 0;
}
