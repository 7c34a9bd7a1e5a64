/* kernel/fs/procfs/global.c: what /proc says of the machine and the instance. */
#include "arch/x86_64/cpuid.h"
#include "base/errno.h"
#include "base/fmt.h"
#include "base/string.h"
#include "fs/procfs/internal.h"
#include "fs/pseudo/table.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "task/namespaces.h"
#include "time/time.h"

#include <myst/boot.h>

/* --- links to the reader -------------------------------------------------------------------------------- */

static int self_link(const struct subject *s, char *buf, size_t size)
{
    return snprintf(buf, size, "%d", process_self()->pid);
}

static int thread_self_link(const struct subject *s, char *buf, size_t size)
{
    return snprintf(buf, size, "%d/task/%d", process_self()->pid, task_self()->tid);
}

static int mounts_link(const struct subject *s, char *buf, size_t size)
{
    return snprintf(buf, size, "self/mounts");
}

static int net_link(const struct subject *s, char *buf, size_t size)
{
    return snprintf(buf, size, "self/net");
}

/* --- time and load --------------------------------------------------------------------------------------- */

/* CPU time of all processes, the reaped ones too as far as their parents live. */
static ktime cpu_total(u32 *running, u32 *threads)
{
    struct process *process;
    ktime total = 0;

    *running = *threads = 0;
    spin_lock(&tasks_lock);
    for_each_process(process) {
        struct usage usage;
        struct task *task;

        process_usage_locked(process, &usage);
        total = ktime_add(total, ktime_add(usage.cpu, process->dead_children.cpu));
        for_each_thread(task, process) {
            *threads += 1;
            *running += task->self && !READ_ONCE(task->self->waiting_for) &&
                        READ_ONCE(task->self->thread.mode) != TARGET_IN_HOST;
        }
    }
    spin_unlock(&tasks_lock);
    return total;
}

#define TICK (NSEC_PER_SEC / 100) /* sysconf(3): what sysconf(_SC_CLK_TCK) says */

/* In ticks, of which as many as there are processors pass at a time. */
static u64 idle_ticks(ktime up, ktime used)
{
    u64 all = (u64)(up / TICK) * procfs_boot->cpus;

    return all > (u64)(used / TICK) ? all - (u64)(used / TICK) : 0;
}

static int proc_uptime(const struct subject *s, struct text *out)
{
    u32 running, threads;
    ktime used = cpu_total(&running, &threads), up = host_clock_read(HOST_CLOCK_BOOTTIME);
    u64 ticks = (u64)(up / TICK), idle = idle_ticks(up, used);

    text_print(out, "%llu.%02llu %llu.%02llu\n", ticks / 100, ticks % 100, idle / 100, idle % 100);
    return 0;
}

static int proc_loadavg(const struct subject *s, struct text *out)
{
    u32 running, threads;

    cpu_total(&running, &threads);
    /* the average over no time at all: how many run now */
    text_print(out, "%u.00 %u.00 %u.00 %u/%u %d\n", running, running, running, running, threads,
               process_self()->pid);
    return 0;
}

static int proc_machine_stat(const struct subject *s, struct text *out)
{
    u32 running, threads;
    ktime used = cpu_total(&running, &threads), up = host_clock_read(HOST_CLOCK_BOOTTIME);
    u64 user = (u64)(used / TICK), idle = idle_ticks(up, used);

    text_print(out, "cpu  %llu 0 0 %llu 0 0 0 0 0 0\n", user, idle);
    for (u32 i = 0; i < procfs_boot->cpus; i++)
        text_print(out, "cpu%u %llu 0 0 %llu 0 0 0 0 0 0\n", i, user / procfs_boot->cpus,
                   idle / procfs_boot->cpus);
    text_print(out, "intr 0\nctxt 0\nbtime %lld\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
               (long long)((time_realtime() - up) / NSEC_PER_SEC), threads, running);
    return 0;
}

/* --- memory --------------------------------------------------------------------------------------------- */

static int proc_meminfo(const struct subject *s, struct text *out)
{
    unsigned long long total = procfs_boot->memory_size >> 10, used = pages_used() >> 10;
    unsigned long long free_kib = total > used ? total - used : 0;
    unsigned long long slab = kmalloc_used() >> 10, cached = used > slab ? used - slab : 0;

    text_print(out,
               "MemTotal:       %8llu kB\nMemFree:        %8llu kB\nMemAvailable:   %8llu kB\n",
               total, free_kib, free_kib);
    /* what is no slab is the contents of files, which have no other place than memory */
    text_print(
        out, "Buffers:               0 kB\nCached:         %8llu kB\nSwapCached:            0 kB\n",
        cached);
    text_print(
        out, "SwapTotal:             0 kB\nSwapFree:              0 kB\nShmem:          %8llu kB\n",
        cached);
    text_print(out,
               "Slab:           %8llu kB\nSReclaimable:          0 kB\nSUnreclaim:     %8llu kB\n",
               slab, slab);
    text_print(out,
               "CommitLimit:    %8llu kB\nCommitted_AS:   %8llu kB\nVmallocTotal:          0 kB\n",
               total, used);
    text_print(out,
               "HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\n");
    return 0;
}

/* --- the processor -------------------------------------------------------------------------------------------- */

struct cpu_flag {
    u32 leaf, reg, bit;
    const char *name;
};

static const struct cpu_flag cpu_flags[] = {
    {1, 3, 0, "fpu"},          {1, 3, 4, "tsc"},
    {1, 3, 8, "cx8"},          {1, 3, 15, "cmov"},
    {1, 3, 19, "clflush"},     {1, 3, 23, "mmx"},
    {1, 3, 24, "fxsr"},        {1, 3, 25, "sse"},
    {1, 3, 26, "sse2"},        {1, 3, 28, "ht"},
    {1, 2, 0, "pni"},          {1, 2, 1, "pclmulqdq"},
    {1, 2, 9, "ssse3"},        {1, 2, 12, "fma"},
    {1, 2, 13, "cx16"},        {1, 2, 19, "sse4_1"},
    {1, 2, 20, "sse4_2"},      {1, 2, 22, "movbe"},
    {1, 2, 23, "popcnt"},      {1, 2, 25, "aes"},
    {1, 2, 26, "xsave"},       {1, 2, 28, "avx"},
    {1, 2, 29, "f16c"},        {1, 2, 30, "rdrand"},
    {1, 2, 31, "hypervisor"},  {7, 1, 3, "bmi1"},
    {7, 1, 5, "avx2"},         {7, 1, 8, "bmi2"},
    {7, 1, 9, "erms"},         {7, 1, 16, "avx512f"},
    {7, 1, 17, "avx512dq"},    {7, 1, 18, "rdseed"},
    {7, 1, 19, "adx"},         {7, 1, 28, "avx512cd"},
    {7, 1, 29, "sha_ni"},      {7, 1, 30, "avx512bw"},
    {7, 1, 31, "avx512vl"},    {0x80000001, 3, 11, "syscall"},
    {0x80000001, 3, 20, "nx"}, {0x80000001, 3, 27, "rdtscp"},
    {0x80000001, 3, 29, "lm"}, {0x80000001, 2, 0, "lahf_lm"},
    {0x80000001, 2, 5, "abm"},
};

static void cpu_describe(struct text *out, u32 number)
{
    u32 regs[4];
    char vendor[13] = "", model[49] = "";
    u32 family, version, stepping;

    cpuid(0, 0, regs);
    memcpy(vendor, &regs[1], 4);
    memcpy(vendor + 4, &regs[3], 4);
    memcpy(vendor + 8, &regs[2], 4);
    for (u32 i = 0; i < 3; i++) {
        cpuid(0x80000002 + i, 0, regs);
        memcpy(model + i * 16, regs, 16);
    }
    cpuid(1, 0, regs);
    family = (regs[0] >> 8 & 15) + (regs[0] >> 20 & 255);
    version = (regs[0] >> 4 & 15) | (regs[0] >> 12 & 0xf0);
    stepping = regs[0] & 15;
    text_print(out, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", number,
               vendor, family, version);
    text_print(out, "model name\t: %s\nstepping\t: %u\n", model, stepping);
    text_print(out, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
               procfs_boot->cpus, number, procfs_boot->cpus);
    text_print(out, "fpu\t\t: yes\nflags\t\t:");
    for (size_t i = 0; i < ARRAY_SIZE(cpu_flags); i++) {
        cpuid(cpu_flags[i].leaf, 0, regs);
        if (regs[cpu_flags[i].reg] >> cpu_flags[i].bit & 1)
            text_print(out, " %s", cpu_flags[i].name);
    }
    text_print(out, "\nclflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: 46 bits "
                    "physical, 48 bits virtual\n\n");
}

static int proc_cpuinfo(const struct subject *s, struct text *out)
{
    for (u32 i = 0; i < procfs_boot->cpus; i++)
        cpu_describe(out, i);
    return 0;
}

/* --- the kernel ------------------------------------------------------------------------------------------------- */

static int proc_filesystems(const struct subject *s, struct text *out)
{
    for (struct fs_type *type = fs_type_next(NULL); type; type = fs_type_next(type))
        text_print(out, "%s\t%s\n", type->flags & FS_NODEV ? "nodev" : "", type->name);
    return 0;
}

static int proc_version(const struct subject *s, struct text *out)
{
    struct new_utsname uts;

    namespaces_uts(&uts);
    text_print(out, "%s version %s (mystikos) %s\n", uts.sysname, uts.release, uts.version);
    return 0;
}

static int proc_kernel_cmdline(const struct subject *s, struct text *out)
{
    text_print(out, "%s\n", procfs_boot->program);
    return 0;
}

/* --- terminals ------------------------------------------------------------------------------------------------- */

static int proc_tty_drivers(const struct subject *s, struct text *out)
{
    text_print(out, "%-20s %-12s %3d %7s system:/dev/tty\n", "/dev/tty", "/dev/tty", 5, "0");
    text_print(out, "%-20s %-12s %3d %7s system:console\n", "/dev/console", "/dev/console", 5, "1");
    text_print(out, "%-20s %-12s %3d %7s system\n", "/dev/ptmx", "/dev/ptmx", 5, "2");
    text_print(out, "%-20s %-12s %3d %s pty:slave\n", "pty_slave", "/dev/pts", 136, "0-1048575");
    return 0;
}

static int proc_tty_ldiscs(const struct subject *s, struct text *out)
{
    text_print(out, "n_tty       0\n");
    return 0;
}

static const struct pseudo_entry tty_entries[] = {
    {.name = "drivers", .mode = S_IFREG | 0444, .show = proc_tty_drivers},
    {.name = "ldiscs", .mode = S_IFREG | 0444, .show = proc_tty_ldiscs},
    {0},
};
static const struct pseudo_dir tty_dir = {.entries = tty_entries};

static int proc_devices(const struct subject *s, struct text *out)
{
    const char *name;
    u32 major = 0;

    for (int block = 0; block < 2; block++) {
        text_print(out, block ? "\nBlock devices:\n" : "Character devices:\n");
        for (u32 i = 0; (name = dev_at(block, i, &major)); i++)
            text_print(out, "%3u %s\n", major, name);
    }
    return 0;
}

/* ---- what the instance has none of: empty, or a heading alone ------------------------------------------------- */

TEXT(swaps, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority")

static int show_nothing(const struct subject *s, struct text *out)
{
    return 0;
}

static int show_partitions(const struct subject *s, struct text *out)
{
    text_print(out, "major minor  #blocks  name\n\n");
    return 0;
}

static int show_interrupts(const struct subject *s, struct text *out)
{
    text_print(out, "           ");
    for (u32 i = 0; i < procfs_boot->cpus; i++)
        text_print(out, "CPU%-8u", i);
    text_print(out, "\n");
    return 0;
}

/* The counters of proc(5) that have a meaning here; vmstat(8) sums up some of them. */
static int proc_vmstat(const struct subject *s, struct text *out)
{
    u64 used = pages_used() >> PAGE_SHIFT, slab = kmalloc_used() >> PAGE_SHIFT;
    u64 total = procfs_boot->memory_size >> PAGE_SHIFT, cached = used > slab ? used - slab : 0;
    unsigned long long minor = 0, major = 0;
    struct process *process;

    spin_lock(&tasks_lock);
    for_each_process(process) {
        minor += process->dead_threads.minor_faults + process->dead_children.minor_faults;
        major += process->dead_threads.major_faults + process->dead_children.major_faults;
    }
    spin_unlock(&tasks_lock);
    text_print(out, "nr_free_pages %llu\nnr_file_pages %llu\nnr_shmem %llu\n",
               (unsigned long long)(total > used ? total - used : 0), (unsigned long long)cached,
               (unsigned long long)cached);
    text_print(out, "nr_slab_reclaimable 0\nnr_slab_unreclaimable %llu\n",
               (unsigned long long)slab);
    text_print(out, "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault %llu\npgmajfault %llu\n",
               minor + major, major);
    return 0;
}

const struct pseudo_entry proc_global_entries[] = {
    VALUE("cmdline", proc_kernel_cmdline),
    VALUE("cpuinfo", proc_cpuinfo),
    VALUE("devices", proc_devices),
    VALUE("diskstats", show_nothing),
    VALUE("filesystems", proc_filesystems),
    VALUE("interrupts", show_interrupts),
    VALUE("loadavg", proc_loadavg),
    VALUE("meminfo", proc_meminfo),
    VALUE("modules", show_nothing),
    {.name = "mounts", .mode = S_IFLNK | 0777, .link = mounts_link},
    {.name = "net", .mode = S_IFLNK | 0777, .link = net_link},
    VALUE("partitions", show_partitions),
    {.name = "self", .mode = S_IFLNK | 0777, .link = self_link},
    VALUE("stat", proc_machine_stat),
    VALUE("swaps", show_swaps),
    {.name = "sys", .mode = S_IFDIR | 0555, .dir = &proc_sys_dir},
    {.name = "sysvipc", .mode = S_IFDIR | 0555, .dir = &proc_sysvipc_dir},
    {.name = "thread-self", .mode = S_IFLNK | 0777, .link = thread_self_link},
    {.name = "tty", .mode = S_IFDIR | 0555, .dir = &tty_dir},
    VALUE("uptime", proc_uptime),
    VALUE("version", proc_version),
    VALUE("vmstat", proc_vmstat),
    {0},
};
