/* kernel/fs/sysfs/node.c: /sys/devices/system/node: all memory and all processors are of one node. */
#include "base/fmt.h"
#include "fs/sysfs/internal.h"
#include "mm/alloc.h"

#include <myst/boot.h>

static int show_cpumap(const struct subject *s, struct text *out)
{
    sysfs_cpu_mask(out, 0, sysfs_boot->cpus);
    return 0;
}

static int show_cpulist(const struct subject *s, struct text *out)
{
    sysfs_cpu_list(out, 0, sysfs_boot->cpus);
    return 0;
}

static int show_meminfo(const struct subject *s, struct text *out)
{
    unsigned long long total = pages_limit() >> 10, used = MIN(pages_used() >> 10, total);

    text_print(out, "Node 0 MemTotal:       %8llu kB\nNode 0 MemFree:        %8llu kB\n", total,
               total - used);
    text_print(out, "Node 0 MemUsed:        %8llu kB\n", used);
    return 0;
}

NUMBER(node, 0)
NUMBER(distance, 10) /* to itself, as the ACPI specification's SLIT has it */

static const struct pseudo_entry node0_entries[] = {
    VALUE("cpulist", show_cpulist),
    VALUE("cpumap", show_cpumap),
    VALUE("distance", show_distance),
    VALUE("meminfo", show_meminfo),
    {0},
};
static const struct pseudo_dir node0_dir = {.entries = node0_entries};

static const struct pseudo_entry node_entries[] = {
    VALUE("has_cpu", show_node),
    VALUE("has_memory", show_node),
    VALUE("has_normal_memory", show_node),
    FOLDER("node0", node0_dir),
    VALUE("online", show_node),
    VALUE("possible", show_node),
    {0},
};
const struct pseudo_dir sysfs_node_dir = {.entries = node_entries};
