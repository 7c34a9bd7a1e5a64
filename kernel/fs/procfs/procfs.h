/* kernel/fs/procfs/procfs.h: the face of proc(5). */
#ifndef PROCFS_PROCFS_H
#define PROCFS_PROCFS_H

struct boot_info;

int procfs_start(const struct boot_info *boot); /* registers the type */

#endif
