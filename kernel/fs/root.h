/* kernel/fs/root.h: the file systems' start, and the tree that the first program sees. */
#ifndef FS_ROOT_H
#define FS_ROOT_H

struct boot_info;

/*
 * Mounts the root file system, what belongs on top of it, and the mounts that the user asked for. The caller
 * gets a root and working directory of its own. An error was told on the log.
 */
int root_mount(const struct boot_info *boot);

#endif
