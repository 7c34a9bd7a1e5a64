/* kernel/fs/root.h: the tree of mounts that the first program sees. */
#ifndef FS_ROOT_H
#define FS_ROOT_H

struct boot_info;

/*
 * After vfs_start(): starts the file systems that a root is made of, mounts the root, on it procfs,
 * devfs and so on as far as they are registered by now, and what the user asked for. The caller
 * needs credentials, and gets self()->fs with the user's umask. An error was told on the log: the
 * instance ends with status 125.
 */
int root_mount(const struct boot_info *boot);

#endif
