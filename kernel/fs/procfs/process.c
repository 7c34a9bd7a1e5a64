/* kernel/fs/procfs/process.c: the files of /proc/PID and /proc/PID/task/TID, proc(5). */
#include "base/errno.h"
#include "base/fmt.h"
#include "base/parse.h"
#include "base/string.h"
#include "cred/cred.h"
#include "fs/procfs/internal.h"
#include "fs/pseudo/table.h"
#include "host/mem.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "self/self.h"

/* --- strings of the program: read where it keeps them -------------------------------------------------------- */

#define STRINGS_MAX (1UL << 21)

static int peek_range(const struct subject *s, u64 start, u64 end, struct text *out)
{
    char *piece = kmalloc(PAGE_SIZE);

    if (!piece)
        return -ENOMEM;
    if (end - start > STRINGS_MAX)
        end = start + STRINGS_MAX;
    while (start < end) {
        size_t n = MIN(PAGE_SIZE - start % PAGE_SIZE, end - start);
        s64 got = host_space_peek(task_space(s->task), piece, start, n);

        if (got <= 0)
            break;
        text_add(out, piece, (size_t)got);
        start += (u64)got;
    }
    kfree(piece);
    return 0;
}

static int proc_cmdline(const struct subject *s, struct text *out)
{
    struct proc_sizes z;

    proc_sizes_read(s, &z);
    return z.arg_end > z.arg_start ? peek_range(s, z.arg_start, z.arg_end, out) : 0;
}

static int proc_environ(const struct subject *s, struct text *out)
{
    struct proc_sizes z;

    proc_sizes_read(s, &z);
    return z.env_end > z.env_start ? peek_range(s, z.env_start, z.env_end, out) : 0;
}

static int proc_auxv(const struct subject *s, struct text *out)
{
    struct mm *mm = task_mm(s->task);
    size_t n = 0;

    if (!mm)
        return 0;
    while (n + 2 <= MM_AUXV_WORDS && (mm->auxv[n] || n == 0))
        n += 2;
    text_add(out, mm->auxv, MIN(n + 2, (size_t)MM_AUXV_WORDS) * sizeof(u64));
    mm_put(mm);
    return 0;
}

/* --- smaller ones ------------------------------------------------------------------------------------------------ */

static int proc_comm(const struct subject *s, struct text *out)
{
    char comm[TASK_COMM_LEN];

    spin_lock(&tasks_lock);
    memcpy(comm, s->task->comm, sizeof(comm));
    spin_unlock(&tasks_lock);
    text_print(out, "%s\n", comm);
    return 0;
}

static ssize_t proc_comm_set(const struct subject *s, char *text, size_t len)
{
    if (s->process != process_self())
        return -EINVAL;
    if (len && text[len - 1] == '\n')
        text[len - 1] = '\0';
    spin_lock(&tasks_lock);
    memset(s->task->comm, 0, TASK_COMM_LEN);
    strlcpy(s->task->comm, text, TASK_COMM_LEN);
    spin_unlock(&tasks_lock);
    return (ssize_t)len;
}

static const struct {
    const char *name, *unit;
} limits[RLIM_NLIMITS] = {
    [RLIMIT_CPU] = {"Max cpu time", "seconds"},
    [RLIMIT_FSIZE] = {"Max file size", "bytes"},
    [RLIMIT_DATA] = {"Max data size", "bytes"},
    [RLIMIT_STACK] = {"Max stack size", "bytes"},
    [RLIMIT_CORE] = {"Max core file size", "bytes"},
    [RLIMIT_RSS] = {"Max resident set", "bytes"},
    [RLIMIT_NPROC] = {"Max processes", "processes"},
    [RLIMIT_NOFILE] = {"Max open files", "files"},
    [RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
    [RLIMIT_AS] = {"Max address space", "bytes"},
    [RLIMIT_LOCKS] = {"Max file locks", "locks"},
    [RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
    [RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
    [RLIMIT_NICE] = {"Max nice priority", ""},
    [RLIMIT_RTPRIO] = {"Max realtime priority", ""},
    [RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
};

static void limit_print(struct text *out, u64 value)
{
    if (value == RLIM64_INFINITY)
        text_print(out, "%-20s ", "unlimited");
    else
        text_print(out, "%-20llu ", (unsigned long long)value);
}

static int proc_limits(const struct subject *s, struct text *out)
{
    struct rlimit64 copy[RLIM_NLIMITS];

    spin_lock(&tasks_lock);
    memcpy(copy, s->process->limits, sizeof(copy));
    spin_unlock(&tasks_lock);
    text_print(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        text_print(out, "%-25s ", limits[i].name);
        limit_print(out, copy[i].rlim_cur);
        limit_print(out, copy[i].rlim_max);
        text_print(out, "%-10s\n", limits[i].unit);
    }
    return 0;
}

static int proc_oom_adj(const struct subject *s, struct text *out)
{
    text_print(out, "%d\n", s->process->oom_score_adj);
    return 0;
}

static ssize_t proc_oom_adj_set(const struct subject *s, char *text, size_t len)
{
    bool negative = text[0] == '-';
    u64 value;
    char *end = strchr(text, '\n');

    if (end)
        *end = '\0';
    if (strtou64(text + negative, 10, &value) || value > 1000)
        return -EINVAL;
    if (negative && -(int)value < s->process->oom_score_adj &&
        !cred_capable(self()->cred, CAP_SYS_RESOURCE))
        return -EACCES;
    s->process->oom_score_adj = (s16)(negative ? -(int)value : (int)value);
    return (ssize_t)len;
}

static int proc_oom_score(const struct subject *s, struct text *out)
{
    text_print(out, "%d\n", MAX(s->process->oom_score_adj + 666, 0));
    return 0;
}

static int proc_wchan(const struct subject *s, struct text *out)
{
    const char *name = "0";

    spin_lock(&tasks_lock); /* which keeps the thread's block; the name itself is constant */
    if (s->task->self && READ_ONCE(s->task->self->waiting_for))
        name = READ_ONCE(s->task->self->waiting_name);
    spin_unlock(&tasks_lock);
    text_print(out, "%s", name);
    return 0;
}

static int proc_cgroup(const struct subject *s, struct text *out)
{
    text_print(out, "0::/\n");
    return 0;
}

static int proc_personality(const struct subject *s, struct text *out)
{
    text_print(out, "%08x\n", READ_ONCE(s->task->personality));
    return 0;
}

static int proc_io(const struct subject *s, struct text *out)
{
    struct usage usage;

    spin_lock(&tasks_lock);
    process_usage_locked(s->process, &usage);
    spin_unlock(&tasks_lock);
    text_print(out, "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\n",
               (unsigned long long)usage.io.read_bytes, (unsigned long long)usage.io.written_bytes,
               (unsigned long long)usage.io.reads, (unsigned long long)usage.io.writes);
    /* files are memory here: there is no storage to count */
    text_print(out, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
    return 0;
}

/* Time on a processor, time that it waited for one, and how often it ran: the host decides on the latter two. */
static int proc_schedstat(const struct subject *s, struct text *out)
{
    ktime used;
    u64 sleeps;

    spin_lock(&tasks_lock);
    used = task_cpu_time(s->task);
    sleeps = s->task->self && !s->task->exited ? READ_ONCE(s->task->self->sleeps) : 0;
    spin_unlock(&tasks_lock);
    text_print(out, "%lld 0 %llu\n", (long long)used, (unsigned long long)sleeps + 1);
    return 0;
}

static int proc_sched(const struct subject *s, struct text *out)
{
    char comm[TASK_COMM_LEN];
    u32 threads;
    u64 sleeps;
    ktime used;
    int nice;

    spin_lock(&tasks_lock);
    memcpy(comm, s->task->comm, sizeof(comm));
    threads = s->process->nthreads;
    used = task_cpu_time(s->task);
    sleeps = s->task->self && !s->task->exited ? READ_ONCE(s->task->self->sleeps) : 0;
    nice = s->task->sched.nice;
    spin_unlock(&tasks_lock);
    text_print(out, "%s (%d, #threads: %u)\n", comm, s->task->tid, threads);
    text_print(out, "-------------------------------------------------------------------\n");
    text_print(out, "%-45s:%14lld.%06lld\n", "se.sum_exec_runtime", (long long)used / 1000000,
               (long long)used % 1000000);
    text_print(out, "%-45s:%21llu\n%-45s:%21llu\n%-45s:%21u\n", "nr_switches",
               (unsigned long long)sleeps, "nr_voluntary_switches", (unsigned long long)sleeps,
               "nr_involuntary_switches", 0);
    text_print(out, "%-45s:%21u\n%-45s:%21d\n", "policy", s->task->sched.policy, "prio",
               120 + nice);
    return 0;
}

/* The kernel's own stack is nobody's business: proc_pid_stack(5) wants CAP_SYS_ADMIN of the first namespace. */
static int proc_stack(const struct subject *s, struct text *out)
{
    return -EACCES;
}

/* user_namespaces(7): all are in the first one. */
static int proc_id_map(const struct subject *s, struct text *out)
{
    text_print(out, "%10u %10u %10u\n", 0, 0, UINT32_MAX);
    return 0;
}

static int proc_setgroups(const struct subject *s, struct text *out)
{
    text_print(out, "allow\n");
    return 0;
}

static int proc_cpuset(const struct subject *s, struct text *out)
{
    text_print(out, "/\n");
    return 0;
}

static int proc_timerslack(const struct subject *s, struct text *out)
{
    text_print(out, "%llu\n", (unsigned long long)READ_ONCE(s->task->timer_slack));
    return 0;
}

/* What waits: the call's number, its arguments, stack and instruction pointer (proc_pid_syscall(5)). */
static int proc_syscall(const struct subject *s, struct text *out)
{
    unsigned long long a[6], sp = 0, ip = 0;
    const struct self *self;
    long nr = -1;

    spin_lock(&tasks_lock);
    self = s->task->exited ? NULL : s->task->self;
    if (self && (READ_ONCE(self->waiting_for) || READ_ONCE(self->thread.mode) == TARGET_IN_HOST ||
                 s->task == task_self())) {
        nr = self->current_nr;
        for (int i = 0; i < 6; i++)
            a[i] = self->args[i];
        sp = self->thread.regs.rsp;
        ip = self->thread.regs.rip;
    }
    spin_unlock(&tasks_lock);
    if (nr < 0)
        text_print(out, "running\n");
    else
        text_print(out, "%ld 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx\n", nr, a[0],
                   a[1], a[2], a[3], a[4], a[5], sp, ip);
    return 0;
}

static int proc_no_id(const struct subject *s, struct text *out)
{
    text_print(out, "%u", UINT32_MAX); /* not set */
    return 0;
}

static int task_show_children(const struct subject *s, struct text *out)
{
    struct process *child;
    pid_t *pids = NULL;
    size_t n = 0, room = 0;

    /* the list is copied under the lock, memory is got without it */
    do {
        kfree(pids);
        room = n + 16;
        pids = kmalloc(room * sizeof(*pids));
        if (!pids)
            return -ENOMEM;
        n = 0;
        spin_lock(&tasks_lock);
        list_for_each_entry(child, &s->process->children, sibling) {
            if (n < room)
                pids[n] = child->pid;
            n++;
        }
        spin_unlock(&tasks_lock);
    } while (n > room);
    for (size_t i = 0; i < n; i++)
        text_print(out, "%d ", pids[i]);
    kfree(pids);
    return 0;
}

/* --- the tables ---------------------------------------------------------------------------------------------------- */

#define FILE_ENTRY(n, m, f)                                                                        \
    {                                                                                              \
        .name = (n), .mode = S_IFREG | (m), .show = (f)                                            \
    }
#define GUARDED_ENTRY(n, m, f)                                                                     \
    {                                                                                              \
        .name = (n), .mode = S_IFREG | (m), .show = (f), .guarded = true                           \
    }
#define LINK_ENTRY(n)                                                                              \
    {                                                                                              \
        .name = #n, .mode = S_IFLNK | 0777, .link = proc_##n##_link, .follow = proc_##n##_follow,  \
        .guarded = true                                                                            \
    }
#define DIR_ENTRY(n, m, d)                                                                         \
    {                                                                                              \
        .name = (n), .mode = S_IFDIR | (m), .dir = &(d)                                            \
    }
#define MEMORY_ENTRY(n)                                                                            \
    {                                                                                              \
        .name = (n), .mode = S_IFREG | 0600, .fops = &proc_mem_ops, .guarded = true                \
    }
/* clang-format off */
#define COMMON_ENTRIES \
    GUARDED_ENTRY("auxv", 0400, proc_auxv), \
    FILE_ENTRY("cgroup", 0444, proc_cgroup), \
    FILE_ENTRY("cmdline", 0444, proc_cmdline), \
    SETTING("comm", proc_comm, proc_comm_set), \
    FILE_ENTRY("cpuset", 0444, proc_cpuset), \
    LINK_ENTRY(cwd), \
    GUARDED_ENTRY("environ", 0400, proc_environ), \
    LINK_ENTRY(exe), \
    DIR_ENTRY("fd", 0500, proc_fd_dir), \
    DIR_ENTRY("fdinfo", 0500, proc_fdinfo_dir), \
    FILE_ENTRY("gid_map", 0444, proc_id_map), \
    GUARDED_ENTRY("io", 0400, proc_io), \
    FILE_ENTRY("limits", 0444, proc_limits), \
    FILE_ENTRY("loginuid", 0444, proc_no_id), \
    GUARDED_ENTRY("maps", 0444, proc_maps), \
    MEMORY_ENTRY("mem"), \
    FILE_ENTRY("mountinfo", 0444, proc_mountinfo), \
    FILE_ENTRY("mounts", 0444, proc_mounts), \
    DIR_ENTRY("net", 0555, proc_net_dir), \
    DIR_ENTRY("ns", 0511, proc_ns_dir), \
    FILE_ENTRY("oom_score", 0444, proc_oom_score), \
    SETTING("oom_score_adj", proc_oom_adj, proc_oom_adj_set), \
    GUARDED_ENTRY("personality", 0400, proc_personality), \
    FILE_ENTRY("projid_map", 0444, proc_id_map), \
    LINK_ENTRY(root), \
    FILE_ENTRY("sched", 0444, proc_sched), \
    FILE_ENTRY("schedstat", 0444, proc_schedstat), \
    FILE_ENTRY("sessionid", 0444, proc_no_id), \
    FILE_ENTRY("setgroups", 0444, proc_setgroups), \
    GUARDED_ENTRY("smaps", 0444, proc_smaps), \
    GUARDED_ENTRY("smaps_rollup", 0444, proc_smaps_rollup), \
    GUARDED_ENTRY("stack", 0400, proc_stack), \
    FILE_ENTRY("stat", 0444, proc_stat), \
    FILE_ENTRY("statm", 0444, proc_statm), \
    FILE_ENTRY("status", 0444, proc_status), \
    GUARDED_ENTRY("syscall", 0400, proc_syscall), \
    FILE_ENTRY("timerslack_ns", 0444, proc_timerslack), \
    FILE_ENTRY("uid_map", 0444, proc_id_map), \
    FILE_ENTRY("wchan", 0444, proc_wchan)
/* clang-format on */

static const struct pseudo_entry task_entries[] = {
    COMMON_ENTRIES,
    FILE_ENTRY("children", 0444, task_show_children),
    {0},
};
static const struct pseudo_dir one_task_dir = {.entries = task_entries};
static const struct pseudo_entry one_task = DIR_ENTRY("task", 0555, one_task_dir);

static int task_lookup_name(const struct subject *s, const char *name,
                            const struct pseudo_entry **entry, struct subject *out)
{
    struct task *task;
    u32 tid;

    if (strtou32(name, 10, &tid) || tid > INT32_MAX)
        return -ENOENT;
    task = task_lookup((pid_t)tid);
    if (!task)
        return -ENOENT;
    if (task->process != s->process) {
        task_put(task);
        return -ENOENT;
    }
    *entry = &one_task;
    *out = (struct subject){process_get(task->process), task, 0};
    return 0;
}

static bool task_next(const struct subject *s, u32 *from)
{
    u32 best = UINT32_MAX;
    struct task *task;

    spin_lock(&tasks_lock);
    for_each_thread(task, s->process) {
        if ((u32)task->tid >= *from && (u32)task->tid < best)
            best = (u32)task->tid;
    }
    spin_unlock(&tasks_lock);
    *from = best;
    return best != UINT32_MAX;
}

static const struct pseudo_entry *task_numbered(void)
{
    return &one_task;
}

const struct pseudo_dir proc_task_dir = {
    .lookup = task_lookup_name, .next = task_next, .numbered = task_numbered};

static const struct pseudo_entry process_entries[] = {
    COMMON_ENTRIES,
    DIR_ENTRY("task", 0555, proc_task_dir),
    {0},
};
const struct pseudo_dir proc_process_dir = {.entries = process_entries};

/* --- the top ---------------------------------------------------------------------------------------------------------- */

static const struct pseudo_entry one_process = DIR_ENTRY("process", 0555, proc_process_dir);

static int process_lookup_name(const struct subject *s, const char *name,
                               const struct pseudo_entry **entry, struct subject *out)
{
    struct process *process;
    struct task *leader = NULL;
    u32 pid;

    if (strtou32(name, 10, &pid) || pid > INT32_MAX || name[0] == '0')
        return -ENOENT;
    process = process_lookup_any((pid_t)pid);
    if (!process)
        return -ENOENT;
    spin_lock(&tasks_lock);
    if (process->leader)
        leader = task_get(process->leader);
    spin_unlock(&tasks_lock);
    if (!leader) {
        process_put(process);
        return -ENOENT;
    }
    *entry = &one_process;
    *out = (struct subject){process, leader, 0};
    return 0;
}

static bool process_next(const struct subject *s, u32 *from)
{
    u32 best = UINT32_MAX;
    struct process *process;

    spin_lock(&tasks_lock);
    for_each_process(process) {
        if ((u32)process->pid >= *from && (u32)process->pid < best && process->leader)
            best = (u32)process->pid;
    }
    spin_unlock(&tasks_lock);
    *from = best;
    return best != UINT32_MAX;
}

static const struct pseudo_entry *process_numbered(void)
{
    return &one_process;
}

const struct pseudo_dir proc_root_dir = {
    .entries = proc_global_entries,
    .lookup = process_lookup_name,
    .next = process_next,
    .numbered = process_numbered,
};
