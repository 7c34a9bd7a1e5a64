/* kernel/vfs/locks.h: record locks, for fcntl(2). */
#ifndef VFS_LOCKS_H
#define VFS_LOCKS_H

#include "vfs/file.h"

struct flock;

long fcntl_setlk(struct file *file, const struct flock __user *user, bool ofd, bool wait);
long fcntl_getlk(struct file *file, struct flock __user *user, bool ofd);

#endif
