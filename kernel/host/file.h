/*
 * kernel/host/file.h: files of the host. A file is a host descriptor; a name is one component, or
 * "" for the file itself, and is never followed when it is a symbolic link. Every reply is checked
 * here: an error that the call cannot have is -EIO, counts are at most what was asked, names in
 * directories are names.
 */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include "base/errno.h"
#include "base/types.h"

struct host_stat {
    u64 ino, size, blocks; /* size at most INT64_MAX, blocks of 512 bytes likewise */
    u64 rdev, dev;         /* major << 32 | minor */
    u32 mode;              /* of a type that exists */
    u32 nlink, uid, gid;
    u32 blksize; /* a power of two, 512 to 1 MiB */
    ktime atime, mtime, ctime, btime;
};

#define HOST_OPEN_READ      1
#define HOST_OPEN_WRITE     2
#define HOST_OPEN_CREATE    4 /* must not exist: exclusive */
#define HOST_OPEN_PATH      8 /* for use as a directory of the other calls, or for stat */
#define HOST_OPEN_DIRECTORY 16

int host_file_open(int dir, const char *name, int flags, umode mode); /* never 0, 1 or 2 */
void host_file_close(int file);
int host_file_stat(int dir, const char *name, struct host_stat *out);

/* Into kernel memory, which is all zero behind what was read; into the program's. Never -EINTR. */
s64 host_file_read(int file, void *to, size_t len, u64 offset);
s64 host_file_read_user(int file, void *to, size_t len, u64 offset);
/* From either: at least a byte. For the program's memory -EFAULT when the first byte cannot be reached. */
s64 host_file_write(int file, const void *from, size_t len, u64 offset);
s64 host_file_seek(int file, u64 offset, int whence); /* SEEK_DATA, SEEK_HOLE only; -ENXIO */

/*
 * struct linux_dirent64 records from *cursor on, 0 at first: bytes, 0 at the end. Every record is
 * whole, aligned, and has a name of 1 to 255 bytes without a slash, ended by a zero; d_off is not
 * negative, the type exists.
 */
s64 host_file_readdir(int dir, void *to, size_t len, s64 cursor);
s64 host_file_readlink(int dir, const char *name, char *to, size_t len); /* not ended */

int host_file_truncate(int file, u64 size);
int host_file_allocate(int file, int mode, u64 offset, u64 len);
int host_file_sync(int file, bool data_only);
int host_file_mkdir(int dir, const char *name, umode mode);
int host_file_mknod(int dir, const char *name, umode mode, u64 rdev);
int host_file_unlink(int dir, const char *name, bool directory);
int host_file_rename(int from_dir, const char *from, int to_dir, const char *to,
                     unsigned int flags);
int host_file_link(int from_dir, const char *from, int to_dir, const char *to);
int host_file_symlink(const char *text, int dir, const char *name);
int host_file_chmod(int dir, const char *name, umode mode);
int host_file_chown(int dir, const char *name, uid_t uid, gid_t gid);
#define HOST_TIME_LEAVE INT64_MIN
int host_file_utimes(int dir, const char *name, ktime atime, ktime mtime);

struct host_statfs {
    u64 type, bsize, blocks, bfree, bavail, files, ffree, namelen, frsize, flags;
};
int host_file_statfs(int file, struct host_statfs *out);

#endif
