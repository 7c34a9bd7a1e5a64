/* tools/myst/rootfs.h: what stands behind a host path, and the files of a root file system. */
#pragma once

#include "launch.h"

#include <stddef.h>

/* Opens a directory or an archive close-on-exec and tells which it is. Returns the descriptor, or -1
 * with the reason in reason. An archive has been read through: its form and names are right. */
int rootfs_open(const char *path, enum rootfs_kind *kind, char *reason, size_t size);

/* A file of the root file system, NUL-ended, symbolic links followed inside a directory. NULL with
 * errno set when it cannot be read. */
char *rootfs_read(int fd, enum rootfs_kind kind, const char *path);
