/* kernel/task/task.c: tasks and processes as objects; process 1; the first program's process. */
#include "task/internal.h"

#include "base/errno.h"
#include "base/string.h"
#include "host/clock.h"
#include "host/thread.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "task/limits.h"
#include "task/namespaces.h"
#include "vfs/file.h"

#include <linux/sched.h>
#include <myst/boot.h>

#define TIMER_SLACK_DEFAULT 50000 /* ns; prctl(2), PR_SET_TIMERSLACK */

struct task_hooks task_hooks;
struct task_counts task_counts;
struct list_head all_processes = LIST_HEAD_INIT(all_processes);
struct process init_process;
struct self ended_self;
static struct task init_task = {.comm = "init"};

/* --- objects ---------------------------------------------------------------------------------- */

static void process_prepare(struct process *process)
{
    refcount_init(&process->ref, 1);
    list_init(&process->threads);
    list_init(&process->children);
    list_init(&process->sibling);
    list_init(&process->group_link);
    list_init(&process->all);
    waitq_init(&process->child_events, "wait for a child");
    waitq_init(&process->ended, "end of a process");
    process->start_time = host_clock_read(HOST_CLOCK_BOOTTIME);
    process->dumpable = 1;
}

struct process *process_alloc(void)
{
    struct process *process = kzalloc(sizeof *process);

    if (process)
        process_prepare(process);
    return process;
}

void process_set_exe(struct process *process, struct file *file)
{
    struct file *old;

    spin_lock(&tasks_lock);
    old = process->exe;
    process->exe = file;
    spin_unlock(&tasks_lock);
    if (old)
        file_put(old);
}

void process_put(struct process *process)
{
    if (!refcount_put(&process->ref))
        return;
    process_set_exe(process, NULL);
    if (process->signals.sighand)
        signal_process_release(process);
    kfree(process);
}

static void task_prepare(struct task *task, struct process *process)
{
    refcount_init(&task->ref, 1);
    task->process = process_get(process);
    list_init(&task->process_link);
    waitq_init(&task->vfork_done, "vfork");
    task->cpu_mark = -1;
    task->start_time = host_clock_read(HOST_CLOCK_BOOTTIME);
    task->timer_slack = task->default_timer_slack = TIMER_SLACK_DEFAULT;
}

struct task *task_alloc(struct process *process)
{
    struct task *task = kzalloc(sizeof *task);

    if (!task)
        return NULL;
    task->self = stack_alloc();
    if (!task->self) {
        kfree(task);
        return NULL;
    }
    task->self->task = task;
    task_prepare(task, process);
    return task;
}

void task_put(struct task *task)
{
    if (!refcount_put(&task->ref))
        return;
    signal_task_release(task);
    if (task->seccomp)
        task_hooks.seccomp_release(task->seccomp);
    if (task->self != &ended_self)
        stack_free(task->self);
    process_put(task->process);
    kfree(task);
}

/* --- looking at another thread ----------------------------------------------------------------- */

const struct cred *task_cred(struct task *task)
{
    const struct cred *cred = NULL;

    spin_lock(&tasks_lock);
    if (task->self && !task->exited)
        cred = cred_of(task->self);
    spin_unlock(&tasks_lock);
    return cred;
}

struct mm *task_mm(struct task *task)
{
    struct mm *mm = NULL;

    spin_lock(&tasks_lock);
    if (task->self && !task->exited && task->self->mm)
        mm = mm_get(task->self->mm);
    spin_unlock(&tasks_lock);
    return mm;
}

struct target_space *task_space(struct task *task)
{
    struct target_space *space = NULL;

    spin_lock(&tasks_lock);
    if (task->self && !task->exited)
        space = task->self->thread.space;
    spin_unlock(&tasks_lock);
    return space;
}

void task_mark(struct task *task, u32 marks)
{
    struct self *thread = task->self;

    __atomic_fetch_or(&thread->thread.pending, marks, __ATOMIC_SEQ_CST);
    wait_wake_thread(thread);
    host_kick(thread);
}

/* What sync/ asks before it lets a thread sleep on, once a mark is set. */
static bool wait_is_over(bool fatal_only)
{
    struct task *task = task_self();

    if (!task)
        return false;
    return task_is_leaving(task) || signal_pending(fatal_only);
}

/* prctl(2), PR_SET_DUMPABLE and PR_SET_PDEATHSIG: both end with a change of rights. */
static void rights_changed(const struct cred *old, const struct cred *now)
{
    if (old->euid == now->euid && old->egid == now->egid && old->fsuid == now->fsuid &&
        old->fsgid == now->fsgid && !(now->cap_permitted & ~old->cap_permitted))
        return;
    process_self()->dumpable = 0;
    task_self()->parent_death_signal = 0;
}

/* --- CPU time ------------------------------------------------------------------------------------ */

void task_clock_start(struct task *task)
{
    __atomic_store_n(&task->cpu_mark, host_thread_cputime(task->self), __ATOMIC_RELEASE);
}

void task_clock_stop(struct task *task)
{
    ktime time = task_cpu_time(task);

    __atomic_store_n(&task->cpu_mark, -1, __ATOMIC_RELEASE);
    __atomic_store_n(&task->cpu_past, time, __ATOMIC_RELEASE);
}

/* On the thread itself, which was asked to tell it to other host processes. */
void task_clock_show(void)
{
    struct task *task = task_self();

    __atomic_store_n(&task->cpu_shown, task_cpu_time(task), __ATOMIC_RELEASE);
}

ktime task_cpu_time(struct task *task)
{
    ktime past = __atomic_load_n(&task->cpu_past, __ATOMIC_ACQUIRE);
    ktime mark = __atomic_load_n(&task->cpu_mark, __ATOMIC_ACQUIRE);

    if (mark < 0 || !task->self)
        return past;
    if (!host_thread_is_near(task->self))
        return MAX(past, __atomic_load_n(&task->cpu_shown, __ATOMIC_ACQUIRE));
    return ktime_add(past, MAX(host_thread_cputime(task->self) - mark, (ktime)0));
}

ktime task_cpu_before(struct task *task)
{
    ktime mark = __atomic_load_n(&task->cpu_mark, __ATOMIC_ACQUIRE);

    return mark < 0 ? 0 : mark - __atomic_load_n(&task->cpu_past, __ATOMIC_ACQUIRE);
}

void task_publish_comm(struct task *task, const char *name)
{
    spin_lock(&tasks_lock);
    memset(task->comm, 0, sizeof task->comm);
    strlcpy(task->comm, name, sizeof task->comm);
    spin_unlock(&tasks_lock);
}

/* --- start ---------------------------------------------------------------------------------------- */

static void limits_from_boot(struct process *process, const struct boot_info *boot)
{
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        process->limits[i].rlim_cur = boot->rlimits[i][0];
        process->limits[i].rlim_max = boot->rlimits[i][1];
    }
}

/* A process gets its number, its session and its group; for those that no clone makes. */
static int process_enlist(struct process *process, struct task *leader)
{
    struct session *session;
    struct group *group;
    struct pid *pid;
    int err = -ENOMEM;

    spin_lock(&tasks_lock);
    pid = pid_alloc_locked(0);
    session = !IS_ERR(pid) ? session_create_locked(pid, process) : NULL;
    group = session ? group_create_locked(pid, session) : NULL;
    if (group) {
        session_put(session); /* the group has its own */
        pid->process = process;
        pid->task = leader;
        process->pid = leader->tid = pid->nr;
        process->number = leader->number = pid;
        process->leader = task_get(leader);
        process_set_group_locked(process, group);
        list_add_tail(&process->all, &all_processes);
        err = 0;
    }
    spin_unlock(&tasks_lock);
    return err;
}

static int init_start(const struct boot_info *boot)
{
    int err;

    process_prepare(&init_process);
    task_prepare(&init_task, &init_process);
    limits_from_boot(&init_process, boot);
    init_process.subreaper = true;
    err = signal_process_init(&init_process, NULL, false);
    return err ? err : process_enlist(&init_process, &init_task);
}

static int main_start(const struct boot_info *boot)
{
    struct process *process = process_alloc();
    struct task *task = kzalloc(sizeof *task);
    int err;

    if (!process || !task)
        return -ENOMEM;
    task_prepare(task, process);
    task->self = self();
    task->sched.nice = boot->nice;
    limits_from_boot(process, boot);
    process->exit_signal = SIGCHLD;
    err = signal_process_init(process, NULL, false);
    if (!err)
        err = process_enlist(process, task);
    if (err)
        return err;

    spin_lock(&tasks_lock);
    process->parent = &init_process;
    list_add_tail(&process->sibling, &init_process.children);
    list_add_tail(&task->process_link, &process->threads);
    process->nthreads = 1;
    process->live = 1;
    spin_unlock(&tasks_lock);
    signal_task_init(task, NULL, false);
    task_clock_start(task);
    cpu_limit_changed(process);
    self()->task = task;
    self()->current_nr = -1;
    return process->pid == PID_MAIN ? 0 : -EINVAL;
}

static int credentials_start(const struct boot_info *boot)
{
    struct cred *cred = cred_create(boot->uid, boot->gid);
    int err;

    if (!cred)
        return -ENOMEM;
    err = cred_set_groups(cred, boot->groups, boot->ngroups);
    if (err)
        return err;
    self()->cred = cred;
    return 0;
}

/* mm/ wants the threads of a space to look after it before they go on in the program. */
static void notify_space(struct mm *mm)
{
    struct process *process;
    struct task *task;

    spin_lock(&tasks_lock);
    list_for_each_entry(process, &all_processes, all) {
        list_for_each_entry(task, &process->threads, process_link) {
            if (task->self && task->self->mm == mm)
                task_mark(task, PENDING_WORK);
        }
    }
    spin_unlock(&tasks_lock);
}

/* fcntl(2)'s F_SETOWN refuses what does not exist. */
static bool owner_exists(int type, int id)
{
    bool found;

    spin_lock(&tasks_lock);
    if (type == F_OWNER_PGRP)
        found = group_find_locked(id);
    else
        found = task_find_locked(id) && (type == F_OWNER_TID || process_find_locked(id));
    spin_unlock(&tasks_lock);
    return found;
}

int task_start(const struct boot_info *boot)
{
    int err = pid_start();

    wait_signal_pending = wait_is_over;
    vfs_owner_exists = owner_exists;
    mm_rlimit = task_rlimit;
    mm_read_implies_exec = task_read_implies_exec;
    mm_notify = notify_space;
    cred_changed = rights_changed;
    cpu_limit_start();
    sched_start();
    if (!err)
        err = credentials_start(boot);
    if (!err)
        err = namespaces_start(boot->hostname);
    if (!err)
        err = init_start(boot);
    if (!err)
        err = main_start(boot);
    return err;
}
