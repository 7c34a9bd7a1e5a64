/* kernel/vfs/vfs.h: the room's face: start-up. Its parts have headers of their own. */
#ifndef VFS_VFS_H
#define VFS_VFS_H

#include "vfs/file.h"
#include "vfs/files.h"
#include "vfs/fs_context.h"
#include "vfs/inode.h"
#include "vfs/mount.h"
#include "vfs/path.h"
#include "vfs/poll.h"

/* Tables, the anonymous inode's file system. Before any file system is registered. */
int vfs_start(void);

#endif
