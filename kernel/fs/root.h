/* kernel/fs/root.h: the file systems' start, and the tree that the first program sees. */
#ifndef FS_ROOT_H
#define FS_ROOT_H

struct boot_info;

/*
 * Starts the file systems that a root is made of (the others must be registered before: those that are get
 * their place, procfs on /proc and so on), mounts the root file system, what belongs on top of it, and the mounts that the user asked for. The caller
 * gets self()->fs, with the user's umask. An error was told on the log.
 */
int root_mount(const struct boot_info *boot);

#endif
