/* kernel/task/pidfd.c: pidfd_open(2): descriptors that stand for processes and threads. */
#include "task/pidfd.h"

#include "abi/newer.h"
#include "base/errno.h"
#include "base/fmt.h"
#include "syscall_proto.h"
#include "task/internal.h"
#include "vfs/files.h"

#include <linux/pidfd.h>
#include <linux/poll.h>

static struct process *process_of(struct file *file)
{
    return file->private;
}

static u32 process_events(struct process *process)
{
    switch (__atomic_load_n(&process->state, __ATOMIC_ACQUIRE)) {
    case PROCESS_ALIVE:
        return 0;
    case PROCESS_ZOMBIE:
        return POLLIN | POLLRDNORM;
    default:
        return POLLIN | POLLRDNORM | POLLHUP;
    }
}

/* Readable once the process has ended, and for good. */
static u32 pidfd_poll(struct file *file, struct poll_table *table)
{
    struct process *process = process_of(file);

    poll_wait(file, &process->ended, table);
    return process_events(process);
}

static void pidfd_release(struct file *file)
{
    process_put(process_of(file));
}

static int pidfd_fdinfo(struct file *file, char *buf, size_t size)
{
    struct process *process = process_of(file);
    int pid = process->state == PROCESS_REAPED ? -1 : process->pid;

    return snprintf(buf, size, "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
}

static ssize_t pidfd_no_bytes(struct file *file, struct iter *it, loff_t *pos)
{
    (void)file, (void)it, (void)pos;
    return -EINVAL;
}

static const struct file_ops pidfd_ops = {
    .name = "[pidfd]",
    .read = pidfd_no_bytes,
    .write = pidfd_no_bytes,
    .poll = pidfd_poll,
    .release = pidfd_release,
    .fdinfo = pidfd_fdinfo,
};

/* ---- PIDFD_THREAD ------------------------------------------------------------------------------------------ */

static struct task *thread_of(struct file *file)
{
    return file->private;
}

/* A leader ends with its process. Any other is reaped by nobody: it hangs up at once. */
static u32 pidfd_thread_poll(struct file *file, struct poll_table *table)
{
    struct task *task = thread_of(file);
    bool leads, exited;

    poll_wait(file, &task->process->ended, table);
    spin_lock(&tasks_lock);
    leads = task->process->leader == task || task->process->state == PROCESS_REAPED;
    exited = task->exited;
    spin_unlock(&tasks_lock);
    if (leads)
        return process_events(task->process);
    return exited ? POLLIN | POLLRDNORM | POLLHUP : 0;
}

static void pidfd_thread_release(struct file *file)
{
    task_put(thread_of(file));
}

static int pidfd_thread_fdinfo(struct file *file, char *buf, size_t size)
{
    struct task *task = thread_of(file);
    int tid;

    spin_lock(&tasks_lock);
    tid = task->number ? task->tid : -1;
    spin_unlock(&tasks_lock);
    return snprintf(buf, size, "Pid:\t%d\nNSpid:\t%d\n", tid, tid);
}

static const struct file_ops pidfd_thread_ops = {
    .name = "[pidfd]",
    .read = pidfd_no_bytes,
    .write = pidfd_no_bytes,
    .poll = pidfd_thread_poll,
    .release = pidfd_thread_release,
    .fdinfo = pidfd_thread_fdinfo,
};

/* ---- making and finding ------------------------------------------------------------------------------------ */

struct file *pidfd_file(struct process *process, int flags)
{
    struct file *file;

    process_get(process);
    file = file_create_anon(&pidfd_ops, NULL, O_RDWR | flags, process);
    if (IS_ERR(file))
        process_put(process);
    return file;
}

struct file *pidfd_thread_file(struct task *task, int flags)
{
    struct file *file;

    task_get(task);
    file = file_create_anon(&pidfd_thread_ops, NULL, O_RDWR | flags, task);
    if (IS_ERR(file))
        task_put(task);
    else
        file->flags |= PIDFD_THREAD; /* as F_GETFL shows it */
    return file;
}

int pidfd_target(int fd, struct pidfd_target *target)
{
    AUTO_FD ref = fd_borrow(fd);
    bool thread = ref.file && ref.file->ops == &pidfd_thread_ops;

    if (!thread && (!ref.file || ref.file->ops != &pidfd_ops))
        return -EBADF;
    target->nonblocking = file_nonblocking(ref.file);
    target->thread = thread ? task_get(thread_of(ref.file)) : NULL;
    target->process = process_get(thread ? target->thread->process : process_of(ref.file));
    return 0;
}

void pidfd_target_put(struct pidfd_target *target)
{
    process_put(target->process);
    if (target->thread)
        task_put(target->thread);
}

struct process *pidfd_process(int fd)
{
    struct pidfd_target target;
    int err = pidfd_target(fd, &target);

    if (err)
        return ERR_PTR(err);
    if (target.thread)
        task_put(target.thread);
    return target.process;
}

long sys_pidfd_open(pid_t pid, u32 flags)
{
    AUTO(task_put) struct task *task = NULL;
    AUTO(process_put) struct process *process = NULL;
    struct file *file;

    if (flags & ~(u32)(PIDFD_NONBLOCK | PIDFD_THREAD) || pid <= 0)
        return -EINVAL;
    task = task_lookup(pid);
    process = process_lookup(pid);
    if (flags & PIDFD_THREAD)
        file = task ? pidfd_thread_file(task, (int)flags) : ERR_PTR(-ESRCH);
    else if (process)
        file = pidfd_file(process, (int)flags);
    else
        file = ERR_PTR(task ? -ENOENT : -ESRCH); /* of a thread that leads no group, or of nobody */
    return IS_ERR(file) ? PTR_ERR(file) : fd_create(file, O_CLOEXEC);
}
