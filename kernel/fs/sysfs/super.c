/* kernel/fs/sysfs/super.c: the type of sysfs(5), and the upper parts of its tree. */
#include "base/fmt.h"
#include "base/parse.h"
#include "base/string.h"
#include "fs/sysfs/internal.h"

#include <linux/magic.h>

const struct boot_info *sysfs_boot;

bool sysfs_number(const char *name, const char *prefix, u32 limit, u32 *number)
{
    size_t n = strlen(prefix);

    if (strncmp(name, prefix, n) != 0 || (name[n] == '0' && name[n + 1]))
        return false;
    return strtou32(name + n, 10, number) == 0 && *number < limit;
}

static const struct pseudo_dir empty_dir; /* what an instance has none of */

static const struct pseudo_entry cgroup_entries[] = {FOLDER("cgroup", empty_dir), {0}};
static const struct pseudo_dir fs_dir = {.entries = cgroup_entries};

static const struct pseudo_entry kernel_entries[] = {FOLDER("mm", sysfs_mm_dir), {0}};
static const struct pseudo_dir kernel_dir = {.entries = kernel_entries};

static const struct pseudo_entry system_entries[] = {
    FOLDER("cpu", sysfs_cpu_dir), FOLDER("node", sysfs_node_dir), {0}};
static const struct pseudo_dir system_dir = {.entries = system_entries};

static const struct pseudo_entry virtual_net_entries[] = {FOLDER("lo", sysfs_lo_dir), {0}};
static const struct pseudo_dir virtual_net_dir = {.entries = virtual_net_entries};
static const struct pseudo_entry virtual_entries[] = {FOLDER("net", virtual_net_dir), {0}};
static const struct pseudo_dir virtual_dir = {.entries = virtual_entries};

static const struct pseudo_entry devices_entries[] = {
    FOLDER("system", system_dir), FOLDER("virtual", virtual_dir), {0}};
static const struct pseudo_dir devices_dir = {.entries = devices_entries};

static int lo_link(const struct subject *s, char *buf, size_t size)
{
    return snprintf(buf, size, "../../devices/virtual/net/lo");
}

static const struct pseudo_entry net_entries[] = {
    {.name = "lo", .mode = S_IFLNK | 0777, .link = lo_link}, {0}};
static const struct pseudo_dir net_dir = {.entries = net_entries};
static const struct pseudo_entry class_entries[] = {
    FOLDER("block", empty_dir), FOLDER("net", net_dir), {0}};
static const struct pseudo_dir class_dir = {.entries = class_entries};

static const struct pseudo_entry dev_entries[] = {
    FOLDER("block", empty_dir), FOLDER("char", empty_dir), {0}};
static const struct pseudo_dir dev_dir = {.entries = dev_entries};

static const struct pseudo_entry top_entries[] = {
    FOLDER("block", empty_dir),
    FOLDER("bus", empty_dir),
    FOLDER("class", class_dir),
    FOLDER("dev", dev_dir),
    FOLDER("devices", devices_dir),
    FOLDER("firmware", empty_dir),
    FOLDER("fs", fs_dir),
    FOLDER("kernel", kernel_dir),
    FOLDER("module", empty_dir),
    FOLDER("power", empty_dir),
    {0},
};
static const struct pseudo_dir top_dir = {.entries = top_entries};
static const struct pseudo_entry top = {.name = "/", .mode = S_IFDIR | 0555, .dir = &top_dir};

static int sysfs_mount(const struct fs_type *type, const char *source, const char *options,
                       struct super **out)
{
    return pseudo_mount(type, SYSFS_MAGIC, &top, out);
}

static struct fs_type sysfs_type = {.name = "sysfs", .mount = sysfs_mount, .flags = FS_NODEV};

int sysfs_start(const struct boot_info *boot)
{
    sysfs_boot = boot;
    return fs_type_register(&sysfs_type);
}
