/* kernel/fs/sysfs/internal.h: the tables of sysfs(5). */
#ifndef SYSFS_INTERNAL_H
#define SYSFS_INTERNAL_H

#include "fs/pseudo/table.h"
#include "fs/sysfs/sysfs.h"

extern const struct boot_info *sysfs_boot; /* constant after the start */

extern const struct pseudo_dir sysfs_cpu_dir, sysfs_node_dir; /* cpu.c, node.c */
extern const struct pseudo_dir sysfs_lo_dir;                  /* net.c */
extern const struct pseudo_dir sysfs_mm_dir;                  /* mm.c */

/* The number behind a prefix ("cpu3"), if it is below the limit. */
bool sysfs_number(const char *name, const char *prefix, u32 limit, u32 *number);

/* Sets of processors as cpuset(7) writes them: a mask ("3"), a list ("0-1"). [first, first + n) */
void sysfs_cpu_mask(struct text *out, u32 first, u32 n);
void sysfs_cpu_list(struct text *out, u32 first, u32 n);

#endif
