/* kernel/fs/procfs/status.c: /proc/PID/stat, statm and status, proc_pid_stat(5) and its kin. */
#include "base/errno.h"
#include "base/fmt.h"
#include "base/string.h"
#include "cred/cred.h"
#include "dev/tty.h"
#include "fs/procfs/internal.h"
#include "mm/mm.h"
#include "mm/resident.h"
#include "signal/signal.h"

#include <myst/boot.h>

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
    /* init does nothing but wait */
    if (!task->self || READ_ONCE(task->self->waiting_for) ||
        READ_ONCE(task->self->thread.mode) == TARGET_IN_HOST) {
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

void proc_sizes_read(const struct subject *s, struct proc_sizes *z)
{
    struct mm *mm = task_mm(s->task);

    memset(z, 0, sizeof(*z));
    if (!mm)
        return;
    mm_lock(mm);
    *z = (struct proc_sizes){
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
        .start_data = mm->start_data,
        .end_data = mm->end_data,
        .start_brk = mm->start_brk,
    };
    mm_unlock(mm);
    mm_put(mm);
}

/* Zeros where nothing can be found out. */
static void resident_read(const struct subject *s, struct mm_resident *out)
{
    struct mm *mm = task_mm(s->task);

    *out = (struct mm_resident){0};
    if (!mm)
        return;
    mm_resident(mm, task_space(s->task), out);
    mm_put(mm);
}

/* --- stat, status, statm ------------------------------------------------------------------------------------ */

static long long ticks(ktime ns)
{
    return ns / NS_PER_TICK;
}

#define PF_FORKNOEXEC 0x40
#define PF_RANDOMIZE  0x400000

static void stat_head(const struct subject *s, const struct ids *ids, struct text *out)
{
    const char *word;
    char state = proc_state(s, &word);
    text_print(out, "%d (%s) %c %d %d %d %d %d %u ", s->task->tid, ids->comm, state, ids->parent,
               ids->group, ids->session, (int)ids->tty, ids->foreground,
               PF_RANDOMIZE | (s->process->has_exec ? 0 : PF_FORKNOEXEC));
    text_print(out, "%llu %llu %llu %llu ", (unsigned long long)ids->usage.minor_faults,
               (unsigned long long)ids->children.minor_faults,
               (unsigned long long)ids->usage.major_faults,
               (unsigned long long)ids->children.major_faults);
    /* the host counts a thread's time in the program and here together */
    text_print(out, "%lld 0 %lld 0 ", ticks(ids->usage.cpu), ticks(ids->children.cpu));
    text_print(out, "%d %d %u 0 %lld ", 20 + s->task->sched.nice, s->task->sched.nice, ids->threads,
               ticks(s->process->start_time));
}

/* Addresses of a program's parts are shown to those who may look into it alone. */
static u64 shown_address(bool may_look, u64 address)
{
    return may_look ? address : 0;
}

int proc_stat(const struct subject *s, struct text *out)
{
    bool look = !s->task->self || task_may_inspect(s->task, false);
    struct mm_resident resident;
    struct signal_sets sets;
    struct proc_sizes z;
    struct ids ids;

    ids_read(s, &ids);
    proc_sizes_read(s, &z);
    resident_read(s, &resident);
    signal_sets_read(s->task, &sets);
    stat_head(s, &ids, out);
#define ADDRESS(member) (unsigned long long)shown_address(look, z.member)
    text_print(out, "%llu %llu %llu ", (unsigned long long)z.total * PAGE_SIZE,
               (unsigned long long)mm_resident_sum(&resident),
               (unsigned long long)s->process->limits[RLIMIT_RSS].rlim_cur);
    text_print(out, "%llu %llu %llu 0 0 ", ADDRESS(start_code), ADDRESS(end_code),
               ADDRESS(start_stack));
    text_print(out, "%llu %llu %llu %llu ", (unsigned long long)(sets.pending & 0x7fffffff),
               (unsigned long long)(sets.blocked & 0x7fffffff),
               (unsigned long long)(sets.ignored & 0x7fffffff),
               (unsigned long long)(sets.caught & 0x7fffffff));
    text_print(out, "0 0 0 %d 0 %u %u 0 0 0 ", s->process->exit_signal, s->task->sched.priority,
               s->task->sched.policy);
    text_print(out, "%llu %llu %llu %llu %llu ", ADDRESS(start_data), ADDRESS(end_data),
               ADDRESS(start_brk), ADDRESS(arg_start), ADDRESS(arg_end));
    text_print(out, "%llu %llu %d\n", ADDRESS(env_start), ADDRESS(env_end),
               look && s->process->state != PROCESS_ALIVE ? s->process->exit_status : 0);
    return 0;
}

int proc_statm(const struct subject *s, struct text *out)
{
    struct mm_resident resident;
    struct proc_sizes z;

    proc_sizes_read(s, &z);
    resident_read(s, &resident);
    text_print(out, "%llu %llu %llu %llu 0 %llu 0\n", (unsigned long long)z.total,
               (unsigned long long)mm_resident_sum(&resident),
               (unsigned long long)(resident.file + resident.shmem), (unsigned long long)z.exec,
               (unsigned long long)(z.data + z.stack));
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
    struct mm_resident resident;
    u64 own; /* of the code: the program's, the rest are libraries */
    struct proc_sizes z;

    proc_sizes_read(s, &z);
    if (!z.total)
        return;
    resident_read(s, &resident);
    own = MIN((ALIGN_UP(z.end_code, PAGE_SIZE) - ALIGN_DOWN(z.start_code, PAGE_SIZE)) / PAGE_SIZE,
              z.exec);
#define KIB(pages) ((unsigned long long)(pages) * (PAGE_SIZE / 1024))
    text_print(out, "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t%8llu kB\nVmPin:\t       0 kB\n",
               KIB(z.peak), KIB(z.total), KIB(z.locked));
    text_print(out, "VmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\nRssAnon:\t%8llu kB\n", KIB(resident.peak),
               KIB(mm_resident_sum(&resident)), KIB(resident.anon));
    text_print(out, "RssFile:\t%8llu kB\nRssShmem:\t%8llu kB\n", KIB(resident.file),
               KIB(resident.shmem));
    text_print(out, "VmData:\t%8llu kB\nVmStk:\t%8llu kB\nVmExe:\t%8llu kB\n", KIB(z.data),
               KIB(z.stack), KIB(own));
    text_print(out, "VmLib:\t%8llu kB\n", KIB(z.exec - own));
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
    text_print(out, "NoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n", s->task->no_new_privs,
               READ_ONCE(s->task->seccomp_mode), READ_ONCE(s->task->seccomp_filters));
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

static bool may_run_on(const struct task *task, u32 cpu)
{
    return !task->affinity_set || (task->affinity[cpu / 64] >> cpu % 64 & 1);
}

/* Where it may run, as sched_getaffinity(2) tells it; the memory is of one node. */
static void status_processors(const struct subject *s, struct text *out)
{
    u32 cpus = procfs_boot->cpus, first = cpus, last = 0;
    bool any = false;

    text_print(out, "Cpus_allowed:\t");
    for (u32 word = DIV_ROUND_UP(cpus, 32U); word-- > 0;) {
        u32 bits = 0;

        for (u32 cpu = word * 32; cpu < MIN(cpus, (word + 1) * 32); cpu++)
            bits |= may_run_on(s->task, cpu) ? 1U << cpu % 32 : 0;
        text_print(out, "%x%s", bits, word ? "," : "\nCpus_allowed_list:\t");
    }
    for (u32 cpu = 0; cpu <= cpus; cpu++) {
        if (cpu < cpus && may_run_on(s->task, cpu)) {
            first = MIN(first, cpu);
            last = cpu;
            continue;
        }
        if (first < cpus) {
            text_print(out, first == last ? "%s%u" : "%s%u-%u", any ? "," : "", first, last);
            any = true;
        }
        first = cpus;
    }
    text_print(out, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

int proc_status(const struct subject *s, struct text *out)
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
    status_processors(s, out);
    text_print(out, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t0\n",
               (unsigned long long)ids.usage.switches);
    return 0;
}
