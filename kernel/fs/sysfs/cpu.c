/*
 * kernel/fs/sysfs/cpu.c: /sys/devices/system/cpu: how many processors there are, which belong together, and
 * what caches they have. All are cores of one package, as /proc/cpuinfo has it.
 */
#include "arch/x86_64/cpuid.h"
#include "base/errno.h"
#include "base/fmt.h"
#include "base/string.h"
#include "fs/sysfs/internal.h"

#include <myst/boot.h>

#define MASK_BITS 32 /* in a group of a mask */

void sysfs_cpu_mask(struct text *out, u32 first, u32 n)
{
    u32 groups = DIV_ROUND_UP(sysfs_boot->cpus, MASK_BITS);
    /* as wide as the machine: one group has as many digits as its processors need */
    int digits = groups > 1 ? MASK_BITS / 4 : (int)DIV_ROUND_UP(sysfs_boot->cpus, 4U);

    for (u32 group = groups; group-- > 0;) {
        u32 bits = 0;

        for (u32 cpu = first; cpu < first + n; cpu++)
            bits |= cpu / MASK_BITS == group ? 1U << cpu % MASK_BITS : 0;
        text_print(out, "%0*x%s", digits, bits, group ? "," : "\n");
    }
}

void sysfs_cpu_list(struct text *out, u32 first, u32 n)
{
    if (n == 1)
        text_print(out, "%u\n", first);
    else
        text_print(out, "%u-%u\n", first, first + n - 1);
}

static u32 cpu_of(const struct subject *s)
{
    return (u32)s->number & 0xffff;
}

static int show_all_mask(const struct subject *s, struct text *out)
{
    sysfs_cpu_mask(out, 0, sysfs_boot->cpus);
    return 0;
}

static int show_all_list(const struct subject *s, struct text *out)
{
    sysfs_cpu_list(out, 0, sysfs_boot->cpus);
    return 0;
}

static int show_one_mask(const struct subject *s, struct text *out)
{
    sysfs_cpu_mask(out, cpu_of(s), 1);
    return 0;
}

static int show_one_list(const struct subject *s, struct text *out)
{
    sysfs_cpu_list(out, cpu_of(s), 1);
    return 0;
}

/* ---- topology/ --------------------------------------------------------------------------------------- */

NUMBER(core_id, cpu_of(s))
NUMBER(zero, 0)

static const struct pseudo_entry topology_entries[] = {
    VALUE("core_cpus", show_one_mask),
    VALUE("core_cpus_list", show_one_list),
    VALUE("core_id", show_core_id),
    VALUE("core_siblings", show_all_mask),
    VALUE("core_siblings_list", show_all_list),
    VALUE("die_cpus", show_all_mask),
    VALUE("die_cpus_list", show_all_list),
    VALUE("die_id", show_zero),
    VALUE("package_cpus", show_all_mask),
    VALUE("package_cpus_list", show_all_list),
    VALUE("physical_package_id", show_zero),
    VALUE("thread_siblings", show_one_mask),
    VALUE("thread_siblings_list", show_one_list),
    {0},
};
static const struct pseudo_dir topology_dir = {.entries = topology_entries};

/* ---- cache/ -------------------------------------------------------------------------------------------- */

/* A cache by the processor's own description: leaf 4 of cpuid (Intel), 0x8000001d (AMD). */
struct cache {
    u32 type, level, ways, partitions, line, sets;
};

#define CACHE_LIMIT   8
#define CACHE_NONE    0 /* struct cache's type */
#define CACHE_UNIFIED 3

static u32 cache_leaf(void)
{
    u32 regs[4];

    cpuid(0x80000000, 0, regs);
    if (regs[0] >= 0x8000001d) {
        cpuid(0x80000001, 0, regs);
        if (regs[2] >> 22 & 1) /* topology extensions */
            return 0x8000001d;
    }
    cpuid(0, 0, regs);
    return regs[0] >= 4 ? 4 : 0;
}

static bool cache_describe(u32 index, struct cache *out)
{
    u32 leaf = cache_leaf(), regs[4];

    if (!leaf || index >= CACHE_LIMIT)
        return false;
    cpuid(leaf, index, regs);
    *out = (struct cache){
        .type = regs[0] & 31,
        .level = regs[0] >> 5 & 7,
        .ways = (regs[1] >> 22) + 1,
        .partitions = (regs[1] >> 12 & 0x3ff) + 1,
        .line = (regs[1] & 0xfff) + 1,
        .sets = regs[2] + 1,
    };
    return out->type != CACHE_NONE && out->type <= CACHE_UNIFIED;
}

/* An index of a processor's cache directory is told apart from the processor itself by the upper half. */
#define CACHE_NUMBER(cpu, index) ((int)((cpu) | ((index) + 1) << 16))

static struct cache cache_of(const struct subject *s)
{
    struct cache cache = {0};

    cache_describe(((u32)s->number >> 16) - 1, &cache);
    return cache;
}

static int show_cache_type(const struct subject *s, struct text *out)
{
    static const char *const names[] = {"", "Data", "Instruction", "Unified"};

    text_print(out, "%s\n", names[cache_of(s).type & 3]);
    return 0;
}

static int show_cache_size(const struct subject *s, struct text *out)
{
    struct cache c = cache_of(s);

    text_print(out, "%lluK\n", (unsigned long long)c.ways * c.partitions * c.line * c.sets / 1024);
    return 0;
}

NUMBER(cache_level, cache_of(s).level)
NUMBER(cache_line, cache_of(s).line)
NUMBER(cache_sets, cache_of(s).sets)
NUMBER(cache_ways, cache_of(s).ways)
NUMBER(cache_partitions, cache_of(s).partitions)

/* The first two levels are a core's own; the last one the package's. */
static bool cache_is_own(const struct subject *s)
{
    return cache_of(s).level < 3;
}

static int show_cache_mask(const struct subject *s, struct text *out)
{
    return cache_is_own(s) ? show_one_mask(s, out) : show_all_mask(s, out);
}

static int show_cache_list(const struct subject *s, struct text *out)
{
    return cache_is_own(s) ? show_one_list(s, out) : show_all_list(s, out);
}

NUMBER(cache_id, cache_is_own(s) ? cpu_of(s) : 0)

static const struct pseudo_entry one_cache_entries[] = {
    VALUE("coherency_line_size", show_cache_line),
    VALUE("id", show_cache_id),
    VALUE("level", show_cache_level),
    VALUE("number_of_sets", show_cache_sets),
    VALUE("physical_line_partition", show_cache_partitions),
    VALUE("shared_cpu_list", show_cache_list),
    VALUE("shared_cpu_map", show_cache_mask),
    VALUE("size", show_cache_size),
    VALUE("type", show_cache_type),
    VALUE("ways_of_associativity", show_cache_ways),
    {0},
};
static const struct pseudo_dir one_cache_dir = {.entries = one_cache_entries};
static const struct pseudo_entry one_cache = FOLDER("index", one_cache_dir);

static int cache_lookup(const struct subject *s, const char *name,
                        const struct pseudo_entry **entry, struct subject *out)
{
    struct cache cache;
    u32 index;

    if (!sysfs_number(name, "index", CACHE_LIMIT, &index) || !cache_describe(index, &cache))
        return -ENOENT;
    *entry = &one_cache;
    *out = (struct subject){.number = CACHE_NUMBER(cpu_of(s), index)};
    return 0;
}

static bool cache_next(const struct subject *s, u32 *from)
{
    struct cache cache;

    return cache_describe(*from, &cache);
}

static const struct pseudo_entry *cache_numbered(void)
{
    return &one_cache;
}

static const struct pseudo_dir cache_dir = {
    .lookup = cache_lookup, .next = cache_next, .numbered = cache_numbered, .prefix = "index"};

/* ---- cpuN/ ---------------------------------------------------------------------------------------------- */

static const struct pseudo_entry one_cpu_entries[] = {
    FOLDER("cache", cache_dir), FOLDER("topology", topology_dir), {0}};
static const struct pseudo_dir one_cpu_dir = {.entries = one_cpu_entries};
static const struct pseudo_entry one_cpu = FOLDER("cpu", one_cpu_dir);

static int cpu_lookup(const struct subject *s, const char *name, const struct pseudo_entry **entry,
                      struct subject *out)
{
    u32 cpu;

    if (!sysfs_number(name, "cpu", sysfs_boot->cpus, &cpu))
        return -ENOENT;
    *entry = &one_cpu;
    *out = (struct subject){.number = (int)cpu};
    return 0;
}

static bool cpu_next(const struct subject *s, u32 *from)
{
    return *from < sysfs_boot->cpus;
}

static const struct pseudo_entry *cpu_numbered(void)
{
    return &one_cpu;
}

TEXT(nothing, "")
NUMBER(kernel_max, TASK_CPU_WORDS * 64 - 1)

static const struct pseudo_entry cpu_entries[] = {
    VALUE("isolated", show_nothing),
    VALUE("kernel_max", show_kernel_max),
    VALUE("offline", show_nothing),
    VALUE("online", show_all_list),
    VALUE("possible", show_all_list),
    VALUE("present", show_all_list),
    {0},
};
const struct pseudo_dir sysfs_cpu_dir = {
    .entries = cpu_entries,
    .lookup = cpu_lookup,
    .next = cpu_next,
    .numbered = cpu_numbered,
    .prefix = "cpu",
};
