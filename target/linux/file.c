/* Host files. Every name is one component, never followed; "" is the file itself. */
#include "faults.h"

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <linux/stat.h>
#include <asm/statfs.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>

static int name_flags(const char *name)
{
    return AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH);
}

/* An open file once more, by the link that the host's /proc has for it. */
static int open_again(int file, int flags)
{
    static const char prefix[] = "/proc/self/fd/";
    char path[sizeof(prefix) + 12], *end = path + sizeof(path);

    *--end = '\0';
    do {
        *--end = (char)('0' + file % 10);
        file /= 10;
    } while (file);
    for (size_t i = sizeof(prefix) - 1; i > 0; i--)
        *--end = prefix[i - 1];
    return (int)HOST4(__NR_openat, AT_FDCWD, end, flags & ~O_NOFOLLOW, 0);
}

int target_file_open(int dir, const char *name, int flags, unsigned int mode)
{
    struct open_how how = {.resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    bool reads = flags & TARGET_OPEN_READ, writes = flags & TARGET_OPEN_WRITE;

    FAULT(EACCES, ENOENT, EIO, ENOMEM, EMFILE, ENFILE, EINTR);
    how.flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_LARGEFILE;
    if (flags & TARGET_OPEN_PATH)
        how.flags = O_CLOEXEC | O_NOFOLLOW | O_PATH;
    else
        how.flags |= reads && writes ? O_RDWR : writes ? O_WRONLY : O_RDONLY;
    if (flags & TARGET_OPEN_DIRECTORY)
        how.flags |= O_DIRECTORY;
    if (flags & TARGET_OPEN_CREATE) {
        how.flags |= O_CREAT | O_EXCL;
        how.mode = mode;
    }
    if (!*name && !(flags & (TARGET_OPEN_DIRECTORY | TARGET_OPEN_PATH | TARGET_OPEN_CREATE)))
        return open_again(dir, (int)how.flags);
    return (int)HOST4(__NR_openat2, dir, *name ? name : ".", &how, sizeof(how));
}

void target_file_close(int file)
{
    HOST1(__NR_close, file);
}

int target_file_stat(int dir, const char *name, struct target_stat *out)
{
    struct statx sx;
    long err;

    FAULT(EACCES, ENOENT, EIO, ENOMEM);
    err = HOST5(__NR_statx, dir, name, name_flags(name), STATX_BASIC_STATS | STATX_BTIME, &sx);

    if (err < 0)
        return (int)err;
#define STAMP(t) ((t).tv_sec * 1000000000LL + (t).tv_nsec)
    *out = (struct target_stat){
        .ino = sx.stx_ino,
        .size = sx.stx_size,
        .blocks = sx.stx_blocks,
        .rdev = (uint64_t)sx.stx_rdev_major << 32 | sx.stx_rdev_minor,
        .dev = (uint64_t)sx.stx_dev_major << 32 | sx.stx_dev_minor,
        .mode = sx.stx_mode,
        .nlink = sx.stx_nlink,
        .uid = sx.stx_uid,
        .gid = sx.stx_gid,
        .blksize = sx.stx_blksize,
        .atime = STAMP(sx.stx_atime),
        .mtime = STAMP(sx.stx_mtime),
        .ctime = STAMP(sx.stx_ctime),
        .btime = STAMP(sx.stx_btime),
    };
    return 0;
}

int64_t target_file_read(int file, void *to, size_t len, uint64_t offset)
{
    FAULT(EIO, EINTR, EAGAIN);
    return HOST4(__NR_pread64, file, to, FAULT_SHORT(len), offset);
}

int64_t target_file_write(int file, const void *from, size_t len, uint64_t offset)
{
    FAULT(EIO, EINTR, ENOSPC, EDQUOT, EFBIG);
    return HOST4(__NR_pwrite64, file, from, FAULT_SHORT(len), offset);
}

int64_t target_file_seek(int file, uint64_t offset, int whence)
{
    FAULT(EIO, EINVAL);
    return HOST3(__NR_lseek, file, offset, whence);
}

#define RECORD_MAX 280 /* the longest record of a directory, a name of 255 bytes */

/* The position of a directory's descriptor is not used by anything else, but by all threads. */
int64_t target_file_readdir(int dir, void *to, size_t len, int64_t cursor)
{
    size_t enough = FAULT_SHORT(len);
    long err;

    FAULT(EIO);
    if (enough < RECORD_MAX)
        enough = len < RECORD_MAX ? len : RECORD_MAX;
    err = HOST3(__NR_lseek, dir, cursor, 0);
    return err < 0 ? err : HOST3(__NR_getdents64, dir, to, enough);
}

int64_t target_file_readlink(int dir, const char *name, char *to, size_t len)
{
    FAULT(EACCES, EIO, ENOMEM);
    return HOST4(__NR_readlinkat, dir, name, to, len);
}

int target_file_truncate(int file, uint64_t size)
{
    FAULT(EIO, EINTR, ENOSPC, EPERM);
    return (int)HOST2(__NR_ftruncate, file, size);
}

int target_file_allocate(int file, int mode, uint64_t offset, uint64_t len)
{
    FAULT(EIO, EINTR, ENOSPC, EOPNOTSUPP);
    return (int)HOST4(__NR_fallocate, file, mode, offset, len);
}

int target_file_sync(int file, bool data_only)
{
    FAULT(EIO, EINTR, ENOSPC, EDQUOT);
    return (int)HOST1(data_only ? __NR_fdatasync : __NR_fsync, file);
}

int target_file_mkdir(int dir, const char *name, unsigned int mode)
{
    FAULT(EACCES, EIO, ENOMEM, ENOSPC, EDQUOT);
    return (int)HOST3(__NR_mkdirat, dir, name, mode);
}

int target_file_mknod(int dir, const char *name, unsigned int mode, uint64_t rdev)
{
    FAULT(EACCES, EIO, ENOMEM, ENOSPC, EDQUOT, EPERM);
    return (int)HOST4(__NR_mknodat, dir, name, mode, rdev);
}

int target_file_unlink(int dir, const char *name, bool directory)
{
    FAULT(EACCES, EIO, ENOMEM, EBUSY);
    return (int)HOST3(__NR_unlinkat, dir, name, directory ? AT_REMOVEDIR : 0);
}

int target_file_rename(int from_dir, const char *from, int to_dir, const char *to,
                       unsigned int flags)
{
    FAULT(EACCES, EIO, ENOMEM, ENOSPC, EDQUOT, EXDEV);
    return (int)HOST5(__NR_renameat2, from_dir, from, to_dir, to, flags);
}

int target_file_link(int from_dir, const char *from, int to_dir, const char *to)
{
    FAULT(EACCES, EIO, ENOMEM, ENOSPC, EDQUOT, EMLINK, EXDEV);
    return (int)HOST5(__NR_linkat, from_dir, from, to_dir, to, 0);
}

int target_file_symlink(const char *text, int dir, const char *name)
{
    FAULT(EACCES, EIO, ENOMEM, ENOSPC, EDQUOT);
    return (int)HOST3(__NR_symlinkat, text, dir, name);
}

/*
 * fchmodat(2) follows links, and a descriptor of kind O_PATH takes no fchmod: the host's fchmodat2 does both
 * rightly; where it is missing the file has to be opened.
 */
int target_file_chmod(int dir, const char *name, unsigned int mode)
{
    long err;
    int file;

    FAULT(EPERM, EIO, EROFS);
    err = HOST4(452 /* fchmodat2 */, dir, name, mode, name_flags(name));
    if (err != -ENOSYS)
        return (int)err;
    if (!*name)
        return (int)HOST2(__NR_fchmod, dir, mode);
    file = target_file_open(dir, name, TARGET_OPEN_READ, 0);
    if (file < 0)
        return file;
    err = HOST2(__NR_fchmod, file, mode);
    target_file_close(file);
    return (int)err;
}

int target_file_chown(int dir, const char *name, uint32_t uid, uint32_t gid)
{
    FAULT(EPERM, EIO, EROFS);
    return (int)HOST5(__NR_fchownat, dir, name, uid, gid, name_flags(name));
}

int target_file_utimes(int dir, const char *name, int64_t atime, int64_t mtime)
{
    struct {
        int64_t sec, nsec;
    } times[2];
    const int64_t stamps[2] = {atime, mtime};

    FAULT(EPERM, EIO, EROFS);
    for (int i = 0; i < 2; i++) {
        int64_t sec = stamps[i] / 1000000000, nsec = stamps[i] % 1000000000;
        if (nsec < 0)
            sec--, nsec += 1000000000;
        times[i].sec = sec;
        times[i].nsec = stamps[i] == INT64_MIN ? ((1l << 30) - 2l) /* UTIME_OMIT */ : nsec;
    }
    return (int)HOST4(__NR_utimensat, dir, name, times, name_flags(name));
}

int target_file_statfs(int file, struct target_statfs *out)
{
    struct statfs fs;
    long err;

    FAULT(EIO, ENOMEM, ENOSYS);
    err = HOST2(__NR_fstatfs, file, &fs);
    if (err < 0)
        return (int)err;
    *out = (struct target_statfs){
        .type = (uint64_t)fs.f_type,
        .bsize = (uint64_t)fs.f_bsize,
        .blocks = (uint64_t)fs.f_blocks,
        .bfree = (uint64_t)fs.f_bfree,
        .bavail = (uint64_t)fs.f_bavail,
        .files = (uint64_t)fs.f_files,
        .ffree = (uint64_t)fs.f_ffree,
        .namelen = (uint64_t)fs.f_namelen,
        .frsize = (uint64_t)fs.f_frsize,
        .flags = (uint64_t)fs.f_flags,
    };
    return 0;
}
