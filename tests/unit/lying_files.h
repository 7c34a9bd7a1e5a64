/*
 * tests/unit/lying_files.h: a target whose file calls answer what a test wants. Included once, by the
 * test, behind the kernel's headers.
 */
#ifndef UNIT_LYING_FILES_H
#define UNIT_LYING_FILES_H

#include "base/string.h"

#include <myst/target.h>

static int64_t reply;
static struct target_stat stat_reply;
static struct target_statfs statfs_reply;
static char data_reply[512];
static size_t data_size;
static int interruptions; /* calls that are interrupted before one is not */
static int closes;

static int64_t interrupted_or(int64_t answer)
{
    if (interruptions <= 0)
        return answer;
    interruptions--;
    return -EINTR;
}

static int64_t reply_data(void *to)
{
    memcpy(to, data_reply, data_size);
    return reply;
}

int target_file_open(int dir, const char *name, int flags, unsigned int mode)
{
    return (int)reply;
}
void target_file_close(int file)
{
    closes++;
}
int target_file_stat(int dir, const char *name, struct target_stat *out)
{
    *out = stat_reply;
    return (int)reply;
}
int64_t target_file_read(int file, void *to, size_t len, uint64_t offset)
{
    return interrupted_or(reply);
}
int64_t target_file_write(int file, const void *from, size_t len, uint64_t offset)
{
    return interrupted_or(reply);
}
int64_t target_file_seek(int file, uint64_t offset, int whence)
{
    return reply;
}
int64_t target_file_readdir(int dir, void *to, size_t len, int64_t cursor)
{
    return reply_data(to);
}
int64_t target_file_readlink(int dir, const char *name, char *to, size_t len)
{
    return reply_data(to);
}
int target_file_truncate(int file, uint64_t size)
{
    return (int)reply;
}
int target_file_allocate(int file, int mode, uint64_t offset, uint64_t len)
{
    return (int)reply;
}
int target_file_sync(int file, bool data_only)
{
    return (int)reply;
}
int target_file_mkdir(int dir, const char *name, unsigned int mode)
{
    return (int)reply;
}
int target_file_mknod(int dir, const char *name, unsigned int mode, uint64_t rdev)
{
    return (int)reply;
}
int target_file_unlink(int dir, const char *name, bool directory)
{
    return (int)reply;
}
int target_file_rename(int from_dir, const char *from, int to_dir, const char *to,
                       unsigned int flags)
{
    return (int)reply;
}
int target_file_link(int from_dir, const char *from, int to_dir, const char *to)
{
    return (int)reply;
}
int target_file_symlink(const char *text, int dir, const char *name)
{
    return (int)reply;
}
int target_file_chmod(int dir, const char *name, unsigned int mode)
{
    return (int)reply;
}
int target_file_chown(int dir, const char *name, uint32_t uid, uint32_t gid)
{
    return (int)reply;
}
int target_file_utimes(int dir, const char *name, int64_t atime, int64_t mtime)
{
    return (int)reply;
}
int target_file_statfs(int file, struct target_statfs *out)
{
    *out = statfs_reply;
    return (int)reply;
}

#endif
