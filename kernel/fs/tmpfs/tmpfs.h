/* kernel/fs/tmpfs/tmpfs.h: the face of tmpfs(5). */
#ifndef TMPFS_TMPFS_H
#define TMPFS_TMPFS_H

#include "base/types.h"

struct inode;
struct memobj;
struct super;

int tmpfs_start(void); /* registers the type */

/* The contents of a regular file of tmpfs; NULL for any other inode. Not counted. */
struct memobj *tmpfs_contents(struct inode *inode);

#endif
