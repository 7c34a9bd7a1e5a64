/* kernel/fs/procfs/process.c: the files of /proc/PID and /proc/PID/task/TID, proc(5). */
#include "base/errno.h"
#include "base/fmt.h"
#include "base/parse.h"
#include "base/string.h"
#include "cred/cred.h"
#include "dev/tty.h"
#include "fs/procfs/internal.h"
#include "host/mem.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "self/self.h"
#include "signal/signal.h"

#define TICKS       100 /* USER_HZ: what sysconf(_SC_CLK_TCK) says */
#define NS_PER_TICK (NSEC_PER_SEC / TICKS)

/* --- state ----------------------------------------------------------------------------------------------- */

char proc_state(const struct subject *s, const char **word)
{
    const struct task *task = s->task;

    if (READ_ONCE(s->process->state) != PROCESS_ALIVE || task->exited) {
        *word = "zombie";
        return 'Z';
    }
    if (READ_ONCE(task->signals.stopped)) {
        *word = "stopped";
        return 'T';
    }
    if (task->self && (READ_ONCE(task->self->waiting_for) ||
                       READ_ONCE(task->self->thread.mode) == TARGET_IN_HOST)) {
        *word = "sleeping";
        return 'S';
    }
    *word = "running";
    return 'R';
}

struct ids {
    pid_t parent, group, session, tgid, foreground;
    dev_t tty;
    u32 threads;
    char comm[TASK_COMM_LEN];
    struct usage usage, children;
};

static void ids_read(const struct subject *s, struct ids *ids)
{
    memset(ids, 0, sizeof(*ids));
    spin_lock(&tasks_lock);
    ids->parent = process_parent_id(s->process);
    ids->group = process_group_id(s->process);
    ids->session = process_session_id(s->process);
    ids->foreground = -1;
    if (s->process->group)
        tty_of_session_locked(s->process->group->session, &ids->tty, &ids->foreground);
    ids->tgid = s->process->pid;
    ids->threads = s->process->nthreads;
    memcpy(ids->comm, s->task->comm, TASK_COMM_LEN);
    process_usage_locked(s->process, &ids->usage);
    ids->children = s->process->dead_children;
    spin_unlock(&tasks_lock);
}

struct sizes {
    u64 total, data, exec, stack, shared, locked, peak; /* pages */
    u64 start_code, end_code, start_stack, arg_start, arg_end, env_start, env_end, start_brk;
};

static void sizes_read(const struct subject *s, struct sizes *z)
{
    struct mm *mm = task_mm(s->task);

    memset(z, 0, sizeof(*z));
    if (!mm)
        return;
    mm_lock(mm);
    *z = (struct sizes){
        .total = mm->total_vm,
        .data = mm->data_vm,
        .exec = mm->exec_vm,
        .stack = mm->stack_vm,
        .shared = mm->shared_vm,
        .locked = mm->locked_vm,
        .peak = mm->highest_vm,
        .start_code = mm->start_code,
        .end_code = mm->end_code,
        .start_stack = mm->start_stack,
        .arg_start = mm->arg_start,
        .arg_end = mm->arg_end,
        .env_start = mm->env_start,
        .env_end = mm->env_end,
        .start_brk = mm->start_brk,
    };
    mm_unlock(mm);
    mm_put(mm);
}

/* --- stat, status, statm ------------------------------------------------------------------------------------ */

static long long ticks(ktime ns)
{
    return ns / NS_PER_TICK;
}

static void stat_head(const struct subject *s, const struct ids *ids, struct text *out)
{
    const char *word;
    char state = proc_state(s, &word);

    text_print(out, "%d (%s) %c %d %d %d %d %d %u 0 0 0 0 ", s->task->tid, ids->comm, state,
               ids->parent, ids->group, ids->session, (int)ids->tty, ids->foreground, 0x400000U);
    text_print(out, "%lld 0 %lld 0 ", ticks(ids->usage.cpu), ticks(ids->children.cpu));
    text_print(out, "%d %d %u 0 %lld ", 20 + s->task->sched.nice, s->task->sched.nice, ids->threads,
               ticks(s->process->start_time));
}

static int proc_stat(const struct subject *s, struct text *out)
{
    struct signal_sets sets;
    struct sizes z;
    struct ids ids;

    ids_read(s, &ids);
    sizes_read(s, &z);
    signal_sets_read(s->task, &sets);
    stat_head(s, &ids, out);
    text_print(out, "%llu %llu %llu ", (unsigned long long)z.total * PAGE_SIZE,
               (unsigned long long)z.total,
               (unsigned long long)s->process->limits[RLIMIT_RSS].rlim_cur);
    text_print(out, "%llu %llu %llu 0 0 ", (unsigned long long)z.start_code,
               (unsigned long long)z.end_code, (unsigned long long)z.start_stack);
    text_print(out, "%llu %llu %llu %llu ", (unsigned long long)(sets.pending & 0x7fffffff),
               (unsigned long long)(sets.blocked & 0x7fffffff),
               (unsigned long long)(sets.ignored & 0x7fffffff),
               (unsigned long long)(sets.caught & 0x7fffffff));
    text_print(out, "0 0 0 %d 0 %u %u 0 0 0 ", s->process->exit_signal, s->task->sched.priority,
               s->task->sched.policy);
    text_print(out, "0 0 %llu %llu %llu %llu %llu %d\n", (unsigned long long)z.start_brk,
               (unsigned long long)z.arg_start, (unsigned long long)z.arg_end,
               (unsigned long long)z.env_start, (unsigned long long)z.env_end,
               s->process->state == PROCESS_ALIVE ? 0 : s->process->exit_status);
    return 0;
}

static int proc_statm(const struct subject *s, struct text *out)
{
    struct sizes z;

    sizes_read(s, &z);
    text_print(out, "%llu %llu %llu %llu 0 %llu 0\n", (unsigned long long)z.total,
               (unsigned long long)z.total, (unsigned long long)z.shared,
               (unsigned long long)z.exec, (unsigned long long)(z.data + z.stack));
    return 0;
}

static void status_ids(const struct subject *s, struct text *out)
{
    const struct cred *cred = task_cred(s->task);

    if (!cred)
        return;
    text_print(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", cred->uid, cred->euid,
               cred->suid, cred->fsuid, cred->gid, cred->egid, cred->sgid, cred->fsgid);
    cred_put(cred);
}

static void status_groups(const struct subject *s, struct text *out)
{
    const struct cred *cred = task_cred(s->task);

    text_print(out, "FDSize:\t%u\nGroups:\t", proc_fd_size(s));
    if (cred && cred->groups)
        for (u32 i = 0; i < cred->groups->n; i++)
            text_print(out, "%u ", cred->groups->gids[i]);
    text_print(out, "\n");
    if (cred)
        cred_put(cred);
}

static void status_memory(const struct subject *s, struct text *out)
{
    struct sizes z;

    sizes_read(s, &z);
    if (!z.total)
        return;
#define KIB(pages) ((unsigned long long)(pages) * (PAGE_SIZE / 1024))
    text_print(out, "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t%8llu kB\nVmPin:\t       0 kB\n",
               KIB(z.peak), KIB(z.total), KIB(z.locked));
    text_print(out, "VmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\n", KIB(z.total), KIB(z.total));
    text_print(out, "VmData:\t%8llu kB\nVmStk:\t%8llu kB\nVmExe:\t%8llu kB\nVmLib:\t       0 kB\n",
               KIB(z.data), KIB(z.stack), KIB(z.exec));
    text_print(out, "VmPTE:\t       0 kB\nVmSwap:\t       0 kB\n");
}

static void status_rights(const struct subject *s, struct text *out)
{
    const struct cred *cred = task_cred(s->task);

    if (cred) {
        text_print(out, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\n",
                   (unsigned long long)cred->cap_inheritable,
                   (unsigned long long)cred->cap_permitted,
                   (unsigned long long)cred->cap_effective);
        text_print(out, "CapBnd:\t%016llx\nCapAmb:\t%016llx\n",
                   (unsigned long long)cred->cap_bounding, (unsigned long long)cred->cap_ambient);
        cred_put(cred);
    }
    text_print(out, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", s->task->no_new_privs);
}

static void status_signals(const struct subject *s, struct text *out)
{
    struct signal_sets sets;

    signal_sets_read(s->task, &sets);
    text_print(out, "SigQ:\t%u/%llu\n", READ_ONCE(s->process->signals.queued),
               (unsigned long long)s->process->limits[RLIMIT_SIGPENDING].rlim_cur);
    text_print(out,
               "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%"
               "016llx\n",
               (unsigned long long)sets.pending, (unsigned long long)sets.shared_pending,
               (unsigned long long)sets.blocked, (unsigned long long)sets.ignored,
               (unsigned long long)sets.caught);
}

static int proc_status(const struct subject *s, struct text *out)
{
    const char *word;
    char state = proc_state(s, &word);
    struct ids ids;

    ids_read(s, &ids);
    text_print(out, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\n", ids.comm, proc_umask(s), state,
               word);
    text_print(out, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", ids.tgid,
               s->task->tid, ids.parent);
    status_ids(s, out);
    status_groups(s, out);
    text_print(out, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", ids.tgid, s->task->tid,
               ids.group, ids.session);
    status_memory(s, out);
    text_print(out, "Threads:\t%u\n", ids.threads);
    status_signals(s, out);
    status_rights(s, out);
    text_print(out, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t0\n",
               (unsigned long long)ids.usage.switches);
    return 0;
}

/* --- strings of the program: read where it keeps them -------------------------------------------------------- */

/* Where the thread stands; NULL when it has ended. */
static struct target_space *space_of(const struct subject *s)
{
    struct target_space *space;

    spin_lock(&tasks_lock);
    space = s->task->exited || !s->task->self ? NULL : s->task->self->thread.space;
    spin_unlock(&tasks_lock);
    return space;
}

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
        s64 got = host_space_peek(space_of(s), piece, start, n);

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
    struct sizes z;

    sizes_read(s, &z);
    return z.arg_end > z.arg_start ? peek_range(s, z.arg_start, z.arg_end, out) : 0;
}

static int proc_environ(const struct subject *s, struct text *out)
{
    struct sizes z;

    sizes_read(s, &z);
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
    text_print(out, "%s",
               s->task->self && READ_ONCE(s->task->self->waiting_for) ? s->task->self->waiting_name
                                                                      : "0");
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
#define COMMON_ENTRIES                                                                             \
    GUARDED_ENTRY("auxv", 0400, proc_auxv), FILE_ENTRY("cgroup", 0444, proc_cgroup),               \
        FILE_ENTRY("cmdline", 0444, proc_cmdline),                                                 \
        {.name = "comm", .mode = S_IFREG | 0644, .show = proc_comm, .store = proc_comm_set},       \
        LINK_ENTRY(cwd), GUARDED_ENTRY("environ", 0400, proc_environ), LINK_ENTRY(exe),            \
        DIR_ENTRY("fd", 0500, proc_fd_dir), DIR_ENTRY("fdinfo", 0500, proc_fdinfo_dir),            \
        FILE_ENTRY("limits", 0444, proc_limits), FILE_ENTRY("loginuid", 0644, proc_no_id),         \
        GUARDED_ENTRY("maps", 0444, proc_maps), FILE_ENTRY("mountinfo", 0444, proc_mountinfo),     \
        FILE_ENTRY("mounts", 0444, proc_mounts), FILE_ENTRY("oom_score", 0444, proc_oom_score),    \
        {.name = "oom_score_adj",                                                                  \
         .mode = S_IFREG | 0644,                                                                   \
         .show = proc_oom_adj,                                                                     \
         .store = proc_oom_adj_set},                                                               \
        FILE_ENTRY("personality", 0400, proc_personality), LINK_ENTRY(root),                       \
        FILE_ENTRY("sessionid", 0444, proc_no_id), GUARDED_ENTRY("smaps", 0444, proc_smaps),       \
        FILE_ENTRY("stat", 0444, proc_stat), FILE_ENTRY("statm", 0444, proc_statm),                \
        FILE_ENTRY("status", 0444, proc_status), FILE_ENTRY("wchan", 0444, proc_wchan)

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
