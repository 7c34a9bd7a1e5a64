/* kernel/task/clone.c: clone(2), clone3(2), fork(2), vfork(2): a new thread, or a new process. */
#include "task/internal.h"

#include "base/atomic.h"
#include "base/errno.h"
#include "base/string.h"
#include "host/thread.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/clone.h"
#include "task/limits.h"
#include "task/namespaces.h"
#include "task/pidfd.h"
#include "vfs/files.h"
#include "vfs/fs_context.h"

#include <linux/sched.h>

/* --- what a child shares, and what it gets of its own ------------------------------------------- */

static int share_files(struct self *child, u64 flags)
{
    struct self *me = self();

    child->files = flags & CLONE_FILES ? files_get(me->files) : files_copy(me->files);
    if (!child->files)
        return -ENOMEM;
    child->fs = flags & CLONE_FS ? fs_context_get(me->fs) : fs_context_copy(me->fs);
    if (!child->fs)
        return -ENOMEM;
    child->cred = cred_get(me->cred);
    if (flags & NAMESPACES_OWN)
        return namespaces_copy(me->namespaces, flags, child->fs, &child->namespaces);
    child->namespaces = namespaces_get(me->namespaces);
    return 0;
}

static void inherit_task(struct task *child, const struct task *parent, u64 flags)
{
    strlcpy(child->comm, parent->comm, sizeof child->comm);
    child->no_new_privs = parent->no_new_privs;
    child->personality = parent->personality;
    child->timer_slack = child->default_timer_slack = parent->timer_slack;
    memcpy(child->affinity, parent->affinity, sizeof child->affinity);
    child->affinity_set = parent->affinity_set;
    child->sched = parent->sched;
    child->mempolicy = parent->mempolicy;
    child->ioprio = parent->ioprio;
    if (parent->sched.reset_on_fork) {
        memset(&child->sched, 0, sizeof child->sched);
        child->sched.nice = MAX(parent->sched.nice, 0);
    }
}

static void inherit_process(struct process *child, struct process *parent)
{
    memcpy(child->limits, parent->limits, sizeof child->limits);
    child->dumpable = parent->dumpable;
    child->oom_score_adj = parent->oom_score_adj;
    child->thp_disabled = parent->thp_disabled;
    child->barrier_intents = READ_ONCE(parent->barrier_intents);
    spin_lock(&tasks_lock);
    child->exe = parent->exe ? file_get(parent->exe) : NULL;
    spin_unlock(&tasks_lock);
}

/* An own process for a child that is no thread of its parent's. Counted; ERR_PTR. */
static struct process *process_for(const struct clone_request *req)
{
    struct process *parent = process_self(), *process;

    if (req->flags & CLONE_THREAD)
        return process_get(parent);
    process = process_alloc();
    if (!process)
        return ERR_PTR(-ENOMEM);
    if (signal_process_init(process, parent, req->flags & CLONE_SIGHAND)) {
        process_put(process);
        return ERR_PTR(-ENOMEM);
    }
    if (req->flags & CLONE_CLEAR_SIGHAND)
        signal_clear_handlers(process);
    inherit_process(process, parent);
    return process;
}

/* Gives back all that a child has which never ran. Its number too; it is in no list. */
static void child_discard(struct task *child)
{
    struct self *thread = child->self;
    struct pid *number;

    if (task_hooks.undo_release)
        task_hooks.undo_release(child);
    spin_lock(&tasks_lock);
    number = TAKE(child->number);
    if (number) {
        number->task = NULL;
        number->process = NULL;
        pid_release_locked(number);
    }
    spin_unlock(&tasks_lock);
    if (thread->files)
        files_put(thread->files);
    if (thread->fs)
        fs_context_put(thread->fs);
    if (thread->cred)
        cred_put(thread->cred);
    if (thread->namespaces)
        namespaces_put(thread->namespaces);
    if (thread->mm)
        mm_put(thread->mm);
    thread->thread.gone = 1; /* nobody ever stood there */
    task_put(child);
}

static struct task *child_create(const struct clone_request *req)
{
    bool own_stack = (req->flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM;
    struct process *process = process_for(req);
    struct pid *number;
    struct task *child;
    long err;

    if (IS_ERR(process))
        return ERR_PTR(PTR_ERR(process));
    child = task_alloc(process);
    process_put(process); /* the task has its own reference */
    if (!child)
        return ERR_PTR(-ENOMEM);

    signal_task_init(child, task_self(), !own_stack);
    inherit_task(child, task_self(), req->flags);
    err = share_files(child->self, req->flags);
    if (!err && task_hooks.fork)
        err = task_hooks.fork(child, req->flags);
    if (!err) {
        spin_lock(&tasks_lock);
        number = pid_alloc_locked(req->set_tid);
        spin_unlock(&tasks_lock);
        if (IS_ERR(number))
            err = PTR_ERR(number);
        else
            child->number = number;
    }
    if (err) {
        child_discard(child);
        return ERR_PTR(err);
    }
    child->tid = child->number->nr;
    return child;
}

static void child_set_context(struct task *child, const struct clone_request *req)
{
    struct self *thread = child->self;
    struct target_regs *regs = &thread->thread.regs;

    host_thread_copy_context(thread);
    regs->rax = 0;
    regs->orig_rax = (u64)-1;
    if (req->stack)
        regs->rsp = req->stack;
    if (req->flags & CLONE_SETTLS)
        regs->fs_base = req->tls;
    if (req->flags & CLONE_CHILD_SETTID)
        child->set_child_tid = req->child_tid;
    if (req->flags & CLONE_CHILD_CLEARTID)
        child->clear_child_tid = req->child_tid;
}

/* --- its place in the tree ------------------------------------------------------------------------ */

static void link_thread(struct task *child)
{
    struct process *process = child->process;
    struct spinlock *lock = &process->signals.sighand->lock;

    task_get(child);
    child->number->task = child;
    spin_lock(lock);
    list_add_tail(&child->process_link, &process->threads);
    process->nthreads++;
    atomic_add(&process->live, 1);
    spin_unlock(lock);
}

static void link_process(struct task *child, const struct clone_request *req)
{
    struct process *process = child->process, *creator = process_self();
    bool sibling = req->flags & CLONE_PARENT;

    process->pid = child->tid;
    process->number = child->number;
    process->number->process = process_get(process);
    process->leader = task_get(child);
    process->exit_signal = sibling ? creator->exit_signal : req->exit_signal;
    process->parent = sibling ? creator->parent : creator;
    process->parent_thread = sibling ? creator->parent_thread : task_self();
    list_add_tail(&process->sibling, &process->parent->children);
    refcount_get(&creator->group->ref);
    process_set_group_locked(process, creator->group);
    list_add_tail(&process->all, &all_processes);
}

/* From here on the child can be found. A signal that came meanwhile goes first: the call starts anew. */
static int child_link(struct task *child, const struct clone_request *req)
{
    int err = 0;

    spin_lock(&tasks_lock);
    if (signal_pending(false) || task_is_leaving(task_self())) {
        err = -ERESTARTNOINTR;
    } else {
        if (!(req->flags & CLONE_THREAD))
            link_process(child, req);
        link_thread(child);
        if (task_self()->seccomp_mode && task_hooks.seccomp_inherit)
            task_hooks.seccomp_inherit(child);
        child->vfork_wait = req->flags & CLONE_VFORK;
    }
    spin_unlock(&tasks_lock);
    return err;
}

/* Who has found it meanwhile sees a thread that has ended, and a parent that waited for it has no such child. */
static void child_unlink(struct task *child, const struct clone_request *req)
{
    struct process *process = child->process;
    struct spinlock *lock = &process->signals.sighand->lock;

    spin_lock(&tasks_lock);
    spin_lock(lock);
    list_del(&child->process_link);
    process->nthreads--;
    atomic_sub(&process->live, 1);
    spin_unlock(lock);
    child->exited = true;
    if (!(req->flags & CLONE_THREAD)) {
        list_del(&process->sibling);
        waitq_wake(&process->parent->child_events, 0);
        process->parent = NULL;
        list_del(&process->all);
        process_set_group_locked(process, NULL);
        process->state = PROCESS_REAPED;
        process->leader = NULL;
        process->number->process = NULL;
        process->number = NULL;
    }
    waitq_wake(&process->ended, 0);
    spin_unlock(&tasks_lock);
    if (!(req->flags & CLONE_THREAD)) {
        task_put(child);
        process_put(process);
    }
    task_put(child);
}

/* --- start ------------------------------------------------------------------------------------------- */

void vfork_release(struct task *task)
{
    if (!task->vfork_wait)
        return;
    spin_lock(&tasks_lock);
    task->vfork_wait = false;
    waitq_wake(&task->vfork_done, 0);
    spin_unlock(&tasks_lock);
}

/* Only a signal that kills ends the wait: the child then goes on alone. */
static void vfork_sleep(struct task *child)
{
    spin_lock(&tasks_lock);
    wait_event_kind(&child->vfork_done, &tasks_lock, !child->vfork_wait, WAIT_KILLABLE,
                    KTIME_FOREVER);
    spin_unlock(&tasks_lock);
}

static int start_in_copy(struct task *child)
{
    struct self *me = self();
    int err = -ENOMEM;

    child->new_space = true;
    mm_lock(me->mm);
    child->self->mm = mm_fork_locked(me->mm);
    if (child->self->mm)
        err = host_space_fork(child->self);
    mm_unlock(me->mm);
    return err;
}

static int child_start(struct task *child, u64 flags)
{
    child->self->thread.gone = 0;
    if (!(flags & CLONE_VM))
        return start_in_copy(child);

    child->self->mm = mm_get(self()->mm);
    if ((flags & (CLONE_VFORK | CLONE_THREAD)) == CLONE_VFORK) {
        task_clock_stop(task_self());
        host_thread_lend(child->self);
        task_clock_start(task_self());
        if (task_self()->affinity_set || child->affinity_set)
            affinity_apply(task_self()); /* the child has had its own on this host thread */
        return 0;
    }
    return host_thread_start(child->self);
}

/* On each new thread, in its own space, before its first step in the program. */
void upcall_thread_start(void)
{
    struct task *task = task_self();

    task_clock_start(task);
    if (task->new_space)
        mm_fork_child();
    /* A bad address is the program's affair: clone(2) says nothing of it. */
    if (task->set_child_tid && put_user((u32)task->tid, task->set_child_tid) != 0)
        task->set_child_tid = NULL;
}

static bool processes_exhausted(void)
{
    const struct cred *cred = cred_current();
    u64 limit = task_rlimit(RLIMIT_NPROC), used = 0;
    struct process *process;
    struct task *task;

    if (limit == RLIM64_INFINITY || cred->uid == 0 || cred_capable(cred, CAP_SYS_RESOURCE) ||
        cred_capable(cred, CAP_SYS_ADMIN))
        return false;
    spin_lock(&tasks_lock);
    for_each_process(process) {
        for_each_thread(task, process)
            used += task_uid_locked(task) == cred->uid;
    }
    spin_unlock(&tasks_lock);
    return used >= limit;
}

/* Tells the numbers that the caller wants to have in its own memory. */
static int tell_parent(const struct clone_request *req, struct task *child, int pidfd)
{
    if (req->flags & CLONE_PIDFD && put_user(pidfd, req->pidfd) != 0)
        return -EFAULT;
    if (req->flags & CLONE_PARENT_SETTID && put_user((u32)child->tid, req->parent_tid) != 0)
        return -EFAULT;
    return 0;
}

static void count_child(u64 flags)
{
    u32 *count = flags & CLONE_THREAD  ? &task_counts.threads
                 : flags & CLONE_VFORK ? &task_counts.vforks
                                       : &task_counts.forks;

    atomic_add(count, 1);
}

static long clone_run(const struct clone_request *req, struct task *child, struct file *pidfile,
                      int pidfd)
{
    pid_t tid = child->tid;
    int err = tell_parent(req, child, pidfd);

    if (err)
        return err;
    child_set_context(child, req);
    err = child_link(child, req);
    if (err)
        return err;
    task_get(child);
    err = child_start(child, req->flags);
    if (err) {
        child_unlink(child, req);
        task_put(child);
        return err;
    }
    count_child(req->flags);
    if (pidfile)
        fd_install(pidfd, file_get(pidfile));
    if (req->flags & CLONE_VFORK)
        vfork_sleep(child);
    task_put(child);
    return tid;
}

long task_clone(const struct clone_request *req)
{
    struct file *pidfile = NULL;
    struct task *child;
    int pidfd = -1;
    long result;

    if (processes_exhausted())
        return -EAGAIN;
    child = child_create(req);
    if (IS_ERR(child))
        return PTR_ERR(child);

    if (req->flags & CLONE_PIDFD) {
        pidfile =
            req->flags & CLONE_THREAD ? pidfd_thread_file(child, 0) : pidfd_file(child->process, 0);
        result = IS_ERR(pidfile) ? PTR_ERR(pidfile) : fd_reserve(0, true);
        if (result < 0) {
            if (!IS_ERR(pidfile))
                file_put(pidfile);
            child_discard(child);
            return result;
        }
        pidfd = (int)result;
    }

    result = clone_run(req, child, pidfile, pidfd);
    if (result < 0) {
        if (pidfd >= 0)
            fd_release(pidfd);
        child_discard(child);
    } else {
        task_put(child);
    }
    if (pidfile)
        file_put(pidfile);
    return result;
}
