/* kernel/task/pidfd.c: pidfd_open(2): descriptors that stand for processes. */
#include "task/pidfd.h"

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

/* Readable once the process has ended, and for good. */
static u32 pidfd_poll(struct file *file, struct poll_table *table)
{
    struct process *process = process_of(file);

    poll_wait(file, &process->ended, table);
    return __atomic_load_n(&process->state, __ATOMIC_ACQUIRE) == PROCESS_ALIVE
               ? 0
               : POLLIN | POLLRDNORM;
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

struct file *pidfd_file(struct process *process, int flags)
{
    struct file *file;

    process_get(process);
    file = file_create_anon(&pidfd_ops, NULL, O_RDWR | flags, process);
    if (IS_ERR(file))
        process_put(process);
    return file;
}

struct process *pidfd_process(int fd, bool *nonblocking)
{
    AUTO_FD ref = fd_borrow(fd);

    if (!ref.file || ref.file->ops != &pidfd_ops)
        return ERR_PTR(-EBADF);
    if (nonblocking)
        *nonblocking = file_nonblocking(ref.file);
    return process_get(process_of(ref.file));
}

long sys_pidfd_open(pid_t pid, u32 flags)
{
    AUTO(process_put) struct process *process = NULL;
    struct file *file;

    if (flags & ~(u32)PIDFD_NONBLOCK || pid <= 0)
        return -EINVAL;
    process = process_lookup(pid);
    if (!process) {
        AUTO(task_put) struct task *thread = task_lookup(pid);

        return thread ? -EINVAL : -ESRCH; /* a thread that leads no group */
    }
    file = pidfd_file(process, (int)flags);
    return IS_ERR(file) ? PTR_ERR(file) : fd_create(file, O_CLOEXEC);
}
