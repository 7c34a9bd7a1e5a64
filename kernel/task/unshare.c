/* kernel/task/unshare.c: unshare(2), setns(2), kcmp(2): what threads share, and namespaces(7). */
#include "abi/newer.h"
#include "base/errno.h"
#include "mm/mm.h"
#include "syscall_proto.h"
#include "task/internal.h"
#include "task/namespaces.h"
#include "task/pidfd.h"
#include "vfs/files.h"
#include "vfs/fs_context.h"

#include <linux/kcmp.h>
#include <linux/sched.h>

#define UNSHARE_NAMESPACES                                                                         \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET | CLONE_NEWTIME)
#define UNSHARE_FLAGS                                                                              \
    (CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD |            \
     UNSHARE_NAMESPACES)

/* Threads, memory and actions cannot be made unshared by one of several that share them. */
static bool shares_process(void)
{
    return process_self()->nthreads > 1;
}

/* The reference is taken over. Others look under tasks_lock. */
static void enter_namespaces(struct namespaces *to)
{
    struct namespaces *old = self()->namespaces;

    spin_lock(&tasks_lock);
    self()->namespaces = to;
    spin_unlock(&tasks_lock);
    namespaces_put(old);
}

/* Semaphores of one namespace cannot be undone in another. */
static void leave_semaphores(void)
{
    if (task_hooks.undo_release)
        task_hooks.undo_release(task_self());
}

static int unshare_namespaces(unsigned long flags)
{
    struct namespaces *old = self()->namespaces, *own;
    int err = namespaces_copy(old, flags, self()->fs, &own);

    if (err)
        return err;
    if (flags & CLONE_NEWIPC)
        leave_semaphores();
    enter_namespaces(own);
    return 0;
}

long sys_unshare(unsigned long flags)
{
    int err = 0;

    if (flags & ~(unsigned long)UNSHARE_FLAGS)
        return -EINVAL;
    if (flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWUSER | CLONE_NEWPID) &&
        shares_process())
        return -EINVAL;
    if (flags & CLONE_VM && refcount_read(&self()->mm->ref) > 1)
        return -EINVAL;
    if (flags & UNSHARE_NAMESPACES && !(flags & CLONE_NEWUSER) && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (flags & UNSHARE_NAMESPACES & ~(unsigned long)NAMESPACES_OWN)
        return -EINVAL;
    /* A tree of mounts of one's own needs a root and a working directory of one's own. */
    if (flags & (CLONE_FS | CLONE_NEWNS))
        err = fs_context_unshare();
    if (!err && flags & NAMESPACES_OWN)
        err = unshare_namespaces(flags);
    if (!err && flags & CLONE_FILES)
        err = files_unshare();
    if (!err && flags & CLONE_SYSVSEM)
        leave_semaphores();
    return err;
}

/* Those of a process, counted; NULL once it has ended. */
struct namespaces *process_namespaces(struct process *process)
{
    struct namespaces *namespaces = NULL;
    struct task *task;

    spin_lock(&tasks_lock);
    task = list_first_entry(&process->threads, struct task, process_link);
    if (task && task->self->namespaces)
        namespaces = namespaces_get(task->self->namespaces);
    spin_unlock(&tasks_lock);
    return namespaces;
}

/* There is one of most kinds, and everybody is in it. Nobody can enter another's mounts. */
static int join(struct namespaces *to, int nstype)
{
    struct namespaces *mine = self()->namespaces, *own;
    int err;

    if (to == mine || !(nstype & NAMESPACES_OWN))
        return 0;
    if (nstype & CLONE_NEWNS && to->mounts != mine->mounts)
        return -EINVAL;
    err = namespaces_join(mine, to, (u64)nstype, &own);
    if (err)
        return err;
    if (nstype & CLONE_NEWIPC && to->ipc != mine->ipc)
        leave_semaphores();
    enter_namespaces(own);
    return 0;
}

/* What a descriptor leads to, counted: those of a process (pidfd), or one of them (ns/KIND). */
static struct namespaces *setns_target(int fd, struct file *file, int *nstype)
{
    AUTO(process_put) struct process *process = NULL;
    u64 flag;
    struct namespaces *ns = ns_of_file(file, &flag);

    if (ns) {
        if (*nstype && *nstype != (int)flag)
            return ERR_PTR(-EINVAL);
        *nstype = (int)flag;
        /* Nobody may enter the user namespace that he is in already. */
        return flag == CLONE_NEWUSER ? ERR_PTR(-EINVAL) : namespaces_get(ns);
    }
    process = pidfd_process(fd);
    if (IS_ERR(process) || !*nstype || *nstype & (~UNSHARE_NAMESPACES | CLONE_NEWUSER))
        return ERR_PTR(-EINVAL);
    ns = process_namespaces(process);
    return ns ? ns : ERR_PTR(-ESRCH);
}

long sys_setns(int fd, int nstype)
{
    AUTO_FD ref = fd_borrow(fd);
    struct namespaces *to;
    long err;

    if (!ref.file)
        return -EBADF;
    to = setns_target(fd, ref.file, &nstype);
    if (IS_ERR(to))
        return PTR_ERR(to);
    err = capable(CAP_SYS_ADMIN) ? join(to, nstype) : -EPERM;
    namespaces_put(to);
    return err;
}

/* --- kcmp --------------------------------------------------------------------------------------------- */

static int order(const void *a, const void *b)
{
    return a == b ? 0 : a < b ? 1 : 2;
}

/* What the two threads have in common; tasks_lock is held, so none of it goes away. */
static long compare_locked(struct task *a, struct task *b, int type)
{
    if (a->exited || b->exited)
        return -ESRCH;
    switch (type) {
    case KCMP_VM:
        return order(a->self->mm, b->self->mm);
    case KCMP_FILES:
        return order(a->self->files, b->self->files);
    case KCMP_FS:
        return order(a->self->fs, b->self->fs);
    case KCMP_SIGHAND:
        return order(a->process->signals.sighand, b->process->signals.sighand);
    case KCMP_IO:
        return order(a->process, b->process);
    case KCMP_SYSVSEM:
        return order(a->undo_list, b->undo_list);
    default:
        return -EINVAL;
    }
}

/* A thread's descriptor table, counted; NULL once it has ended. */
static struct files *task_files(struct task *task)
{
    struct files *files = NULL;

    spin_lock(&tasks_lock);
    if (!task->exited && task->self->files)
        files = files_get(task->self->files);
    spin_unlock(&tasks_lock);
    return files;
}

static struct file *task_file(struct task *task, unsigned long fd)
{
    AUTO(files_put) struct files *files = task_files(task);

    return files && fd <= INT32_MAX ? files_lookup(files, (int)fd) : NULL;
}

static long compare_files(struct task *a, unsigned long fd_a, struct task *b, unsigned long fd_b)
{
    AUTO(file_put) struct file *x = task_file(a, fd_a);
    AUTO(file_put) struct file *y = task_file(b, fd_b);

    return x && y ? order(x, y) : -EBADF;
}

long sys_kcmp(pid_t pid1, pid_t pid2, int type, unsigned long idx1, unsigned long idx2)
{
    AUTO(task_put) struct task *a = task_lookup(pid1);
    AUTO(task_put) struct task *b = task_lookup(pid2);
    long result;

    if (!a || !b)
        return -ESRCH;
    if (!task_may_inspect(a, false) || !task_may_inspect(b, false))
        return -EPERM;
    if (type == KCMP_FILE)
        return compare_files(a, idx1, b, idx2);
    if (type == KCMP_EPOLL_TFD)
        return -EOPNOTSUPP;
    spin_lock(&tasks_lock);
    result = compare_locked(a, b, type);
    spin_unlock(&tasks_lock);
    return result;
}

/* The thread whose descriptors are meant, counted: of a process its leader. NULL: it is gone. */
static struct task *getfd_thread(const struct pidfd_target *target)
{
    struct task *task = target->thread;

    if (task)
        return READ_ONCE(task->number) ? task_get(task) : NULL;
    task = task_lookup(target->process->pid);
    if (task && task->process != target->process) {
        task_put(task);
        task = NULL;
    }
    return task;
}

/* pidfd_getfd(2) */
long sys_pidfd_getfd(int pidfd, int targetfd, u32 flags)
{
    AUTO(task_put) struct task *task = NULL;
    struct pidfd_target target;
    struct file *file;
    int err;

    if (flags)
        return -EINVAL;
    err = pidfd_target(pidfd, &target);
    if (err)
        return err;
    task = getfd_thread(&target);
    pidfd_target_put(&target);
    if (!task)
        return -ESRCH;
    if (!task_may_inspect(task, true))
        return task->exited ? -ESRCH : -EPERM;
    file = targetfd < 0 ? NULL : task_file(task, (unsigned long)targetfd);
    return file ? fd_create(file, O_CLOEXEC) : -EBADF;
}
