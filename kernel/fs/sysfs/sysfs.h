/* kernel/fs/sysfs/sysfs.h: the face of sysfs(5): processors, memory, and what programs look for beside them. */
#ifndef SYSFS_SYSFS_H
#define SYSFS_SYSFS_H

struct boot_info;

int sysfs_start(const struct boot_info *boot); /* registers the type */

#endif
