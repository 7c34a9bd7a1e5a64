/* kernel/fs/procfs/super.c: the type of proc(5). */
#include "fs/procfs/internal.h"

#include <linux/magic.h>

const struct boot_info *procfs_boot;

static const struct pseudo_entry root_entry = {
    .name = "/", .mode = S_IFDIR | 0555, .dir = &proc_root_dir};

static int proc_mount(const struct fs_type *type, const char *source, const char *options,
                      struct super **out)
{
    return pseudo_mount(type, PROC_SUPER_MAGIC, &root_entry, out);
}

static struct fs_type proc_type = {.name = "proc", .mount = proc_mount, .flags = FS_NODEV};

int procfs_start(const struct boot_info *boot)
{
    procfs_boot = boot;
    return fs_type_register(&proc_type);
}
