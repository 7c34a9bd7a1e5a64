/* kernel/task/process_vm.c: process_vm_readv(2), process_vm_writev(2): memory of another process. */
#include "base/errno.h"
#include "host/mem.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"

#include <linux/uio.h>

#define BUFFER 65536

/* Up to n bytes between the caller's iovecs and an address there. Bytes done, or an error if none. */
static ssize_t move_piece(struct task *task, struct iter *local, u64 remote, size_t n, char *buffer,
                          bool write)
{
    struct target_space *space = task_space(task);
    ssize_t done = write ? copy_from_iter(local, buffer, n) : 0;
    s64 moved;

    if (done < 0)
        return done;
    moved = write ? host_space_poke(space, remote, buffer, (size_t)done)
                  : host_space_peek(space, buffer, remote, n);
    if (moved <= 0)
        return moved == 0 || moved == -EIO ? -EFAULT : (ssize_t)moved;
    return write ? (ssize_t)moved : copy_to_iter(local, buffer, (size_t)moved);
}

static ssize_t move_all(struct task *task, struct iter *local, struct iter *remote, bool write)
{
    char *buffer = kmalloc(BUFFER);
    ssize_t total = 0, done = 0;
    size_t n;

    if (!buffer)
        return -ENOMEM;
    while (iter_left(local) > 0 && iter_left(remote) > 0) {
        u64 at = (u64)iter_piece(remote, &n);

        n = MIN(MIN(n, iter_left(local)), (size_t)BUFFER);
        done = move_piece(task, local, at, n, buffer, write);
        if (done > 0) {
            total += done;
            iter_advance(remote, (size_t)done);
        }
        if (done < (ssize_t)n)
            break;
    }
    kfree(buffer);
    return total ? total : done;
}

static long process_vm(pid_t pid, const struct iovec __user *liov, unsigned long liovcnt,
                       const struct iovec __user *riov, unsigned long riovcnt, unsigned long flags,
                       bool write)
{
    AUTO(task_put) struct task *task = NULL;
    struct iter local, remote;
    long result;

    if (flags)
        return -EINVAL;
    result = iter_init_vector(&local, write, liov, liovcnt);
    if (result < 0)
        return result;
    /* Who has nothing to move learns nothing about the process either. */
    if (iter_left(&local))
        result = iter_init_vector(&remote, !write, riov, riovcnt);
    if (iter_left(&local) && result == 0) {
        task = iter_left(&remote) ? task_lookup(pid) : NULL;
        if (iter_left(&remote) && !task)
            result = -ESRCH;
        else if (task && !task_may_inspect(task, true))
            result = task->exited ? -ESRCH : -EPERM;
        else if (task)
            result = move_all(task, &local, &remote, write);
        iter_release(&remote);
    }
    iter_release(&local);
    return result;
}

long sys_process_vm_readv(pid_t pid, const struct iovec __user *local_iov, unsigned long liovcnt,
                          const struct iovec __user *remote_iov, unsigned long riovcnt,
                          unsigned long flags)
{
    return process_vm(pid, local_iov, liovcnt, remote_iov, riovcnt, flags, false);
}

long sys_process_vm_writev(pid_t pid, const struct iovec __user *local_iov, unsigned long liovcnt,
                           const struct iovec __user *remote_iov, unsigned long riovcnt,
                           unsigned long flags)
{
    return process_vm(pid, local_iov, liovcnt, remote_iov, riovcnt, flags, true);
}
