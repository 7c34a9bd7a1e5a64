/* kernel/task/exit.c: _exit(2): the end of a thread, and of the process with its last thread. */
#include "task/internal.h"

#include "base/atomic.h"
#include "base/errno.h"
#include "host/thread.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "task/namespaces.h"
#include "vfs/files.h"
#include "vfs/fs_context.h"

/* --- what a thread gives back -------------------------------------------------------------------- */

/* set_tid_address(2): whoever joins the thread sleeps on that word. */
static void clear_tid(struct task *task)
{
    u32 __user *word = task->clear_child_tid;

    task->clear_child_tid = NULL;
    if (!word || refcount_read(&self()->mm->ref) < 2)
        return;
    /* Memory that is gone has nobody waiting in it. */
    if (put_user(0U, word) == 0 && task_hooks.futex_wake)
        task_hooks.futex_wake(word, 1);
}

struct mm *mm_switch(struct mm *to)
{
    struct task *task = task_self();
    struct mm *old = self()->mm;

    if (old) {
        if (task_hooks.mm_release)
            task_hooks.mm_release(task);
        clear_tid(task);
    }
    task->robust_list = NULL;
    __atomic_store_n(&task->left_futexes, !to, __ATOMIC_SEQ_CST);
    spin_lock(&tasks_lock);
    self()->mm = to;
    spin_unlock(&tasks_lock);
    vfork_release(task);
    return old;
}

static void release_mm(struct process *process)
{
    struct mm *old = mm_switch(NULL);

    if (!old)
        return;
    spin_lock(&tasks_lock);
    process->dead_threads.max_rss =
        MAX(process->dead_threads.max_rss, READ_ONCE(old->highest_vm) * (PAGE_SIZE / 1024));
    spin_unlock(&tasks_lock);
    mm_put(old);
}

static void release_shared(void)
{
    struct self *me = self();
    struct files *files = me->files;
    struct fs_context *fs = me->fs;

    /* Closing may look at credentials and working directory: those go last. */
    if (files) {
        spin_lock(&tasks_lock);
        me->files = NULL;
        spin_unlock(&tasks_lock);
        files_put(files);
    }
    if (fs) {
        spin_lock(&tasks_lock);
        me->fs = NULL;
        spin_unlock(&tasks_lock);
        fs_context_put(fs);
    }
}

/* --- reaping -------------------------------------------------------------------------------------- */

void process_reap_locked(struct process *process, struct list_head *dead)
{
    struct pid *number = process->number;

    process->state = PROCESS_REAPED;
    list_del(&process->sibling);
    process->parent = NULL;
    process_set_group_locked(process, NULL);
    number->process = NULL;
    number->task = NULL;
    process->number = NULL;
    process->leader->number = NULL;
    pid_release_locked(number);
    list_move_tail(&process->all, dead);
}

void processes_release(struct list_head *dead)
{
    struct process *process, *next;
    struct task *leader;

    list_for_each_entry_safe(process, next, dead, all) {
        list_del(&process->all);
        /* who looked the process up before it was reaped may ask for its leader now */
        spin_lock(&tasks_lock);
        leader = TAKE(process->leader);
        spin_unlock(&tasks_lock);
        task_put(leader);
        process_put(process);
    }
}

/* --- children of a thread or process that ends ------------------------------------------------------ */

static void parent_died_locked(struct process *child)
{
    struct task *task;

    for_each_thread(task, child) {
        siginfo_t info;

        if (!task->parent_death_signal)
            continue;
        siginfo_user(&info, task->parent_death_signal, SI_USER);
        signal_send_locked(child, NULL, &info);
    }
}

/* prctl(2), PR_SET_CHILD_SUBREAPER. */
static struct process *reaper_locked(struct process *process)
{
    struct process *at = process->parent;

    while (at != &init_process && (!at->subreaper || at->live == 0))
        at = at->parent;
    return at;
}

static void adopt_locked(struct process *child, struct process *parent, struct list_head *dead)
{
    struct process *old = child->parent;

    child->parent = parent;
    child->parent_thread = parent->leader;
    if (parent == old)
        return;
    list_move_tail(&child->sibling, &parent->children);
    child->exit_signal = SIGCHLD;
    if (child->state == PROCESS_ZOMBIE && parent_notify_end_locked(child))
        process_reap_locked(child, dead);
    orphaned_group_locked(child, old);
}

/* The thread's children go to another thread, or with the last one to the reaper. */
static void orphan_children_locked(struct task *task, bool last, struct list_head *dead)
{
    struct process *process = task->process, *child, *next;
    struct task *heir =
        last ? NULL : list_first_entry(&process->threads, struct task, process_link);

    list_for_each_entry_safe(child, next, &process->children, sibling) {
        if (child->parent_thread == task || last)
            parent_died_locked(child);
        if (last)
            adopt_locked(child, reaper_locked(process), dead);
        else if (child->parent_thread == task)
            child->parent_thread = heir;
    }
}

/* --- the end ---------------------------------------------------------------------------------------- */

/* Signals that the thread was woken for are taken by the others. */
static void wake_others_locked(struct process *process)
{
    struct task *other;

    if (!signal_queue_set(&process->signals.pending))
        return;
    for_each_thread(other, process)
        task_mark(other, PENDING_SIGNAL);
}

static void unlink_thread_locked(struct task *task)
{
    struct process *process = task->process;
    struct spinlock *lock = &process->signals.sighand->lock;
    u64 minor, major;

    spin_lock(lock);
    list_del(&task->process_link);
    process->nthreads--;
    spin_unlock(lock);

    task_clock_stop(task);
    process->dead_threads.cpu = ktime_add(process->dead_threads.cpu, task->cpu_past);
    process->dead_threads.switches += READ_ONCE(task->self->sleeps);
    io_counts_add(&process->dead_threads.io, &task->self->io);
    host_fault_counts(false, &minor, &major);
    process->dead_threads.minor_faults += minor;
    process->dead_threads.major_faults += major;
    process->end_uid = self()->cred->uid;
    task->exited = true;
    if (task != process->leader) {
        task->number->task = NULL;
        pid_release_locked(task->number);
        task->number = NULL;
    }
    wake_others_locked(process);
}

static void end_process_locked(struct process *process, struct list_head *dead)
{
    struct session *session = process->group->session;

    process->state = PROCESS_ZOMBIE;
    if (session->leader == process)
        session->leader = NULL;
    orphaned_group_locked(process, NULL);
    waitq_wake(&process->ended, 0);
    if (parent_notify_end_locked(process))
        process_reap_locked(process, dead);
}

/* Gives up what the thread is to others, and ends its host thread. */
static void __attribute__((noreturn)) leave(struct task *task)
{
    struct self *me = self();
    const struct cred *cred = me->cred;

    spin_lock(&tasks_lock);
    me->cred = NULL;
    task->self = &ended_self; /* a zombie needs no stack */
    spin_unlock(&tasks_lock);
    cred_put(cred);
    namespaces_put(me->namespaces);
    me->namespaces = NULL;
    me->task = NULL;
    task_put(task);
    stack_free(me);
    host_thread_exit();
}

/* A session leader's group and session are its own until it has ended: setpgid(2), setsid(2). */
static void end_session(struct process *process)
{
    struct session *session;

    spin_lock(&tasks_lock);
    session = process->group->session;
    if (session->leader != process)
        session = NULL;
    spin_unlock(&tasks_lock);
    if (session && task_hooks.session_ends)
        task_hooks.session_ends(session);
}

void instance_exit(int status)
{
    if (task_hooks.instance_end)
        task_hooks.instance_end();
    host_exit(status);
}

void task_exit(int code)
{
    struct task *task = task_self();
    struct process *process = task->process;
    struct list_head dead = LIST_HEAD_INIT(dead);
    bool last = atomic_sub_return(&process->live, 1) == 0, ended;

    atomic_store_release(&task->dying, true);
    if (task_hooks.trace_exit)
        task_hooks.trace_exit(READ_ONCE(process->ending) ? READ_ONCE(process->exit_status)
                                                         : (code & 0xff) << 8);
    if (task_hooks.undo_release)
        task_hooks.undo_release(task);
    if (last && task_hooks.process_exit)
        task_hooks.process_exit(process);
    release_mm(process);
    release_shared();
    if (last)
        process_set_exe(process, NULL);

    if (last)
        end_session(process);

    spin_lock(&tasks_lock);
    if (!process->ending && last)
        WRITE_ONCE(process->exit_status, (code & 0xff) << 8);
    unlink_thread_locked(task);
    /* others that began to end before the last one may still be on their way here */
    ended = process->nthreads == 0;
    orphan_children_locked(task, ended, &dead);
    if (ended && process->pid == PID_MAIN) {
        int status = process->exit_status;

        spin_unlock(&tasks_lock);
        instance_exit(status);
    }
    if (ended)
        end_process_locked(process, &dead);
    else
        waitq_wake(&process->ended, 0);
    spin_unlock(&tasks_lock);

    processes_release(&dead);
    leave(task);
}
