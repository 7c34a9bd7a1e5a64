/*
 * kernel/task/process_madvise.c: process_madvise(2), process_mrelease(2): advice about the memory of another process,
 * and the wait for that of one that was killed.
 */
#include "base/errno.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"
#include "task/pidfd.h"

#include <linux/mman.h>

/* One that has not ended, counted, or NULL. */
static struct task *any_thread(struct process *process)
{
    struct task *task;

    spin_lock(&tasks_lock);
    task = list_first_entry(&process->threads, struct task, process_link);
    if (task)
        task_get(task);
    spin_unlock(&tasks_lock);
    return task;
}

/* The memory of what a descriptor stands for, counted. ERR_PTR: -EBADF, -ESRCH, -EACCES. */
static struct mm *pidfd_mm(int fd)
{
    AUTO(task_put) struct task *task = NULL;
    struct pidfd_target target;
    struct mm *mm;
    int err = pidfd_target(fd, &target);

    if (err)
        return ERR_PTR(err);
    task = target.thread ? task_get(target.thread) : any_thread(target.process);
    pidfd_target_put(&target);
    mm = task ? task_mm(task) : NULL;
    if (!mm)
        return ERR_PTR(-ESRCH);
    if (task->process == process_self() || task_may_inspect(task, false))
        return mm;
    mm_put(mm);
    return ERR_PTR(-EACCES);
}

/* process_madvise(2): all advice is for the caller itself, what changes no contents also for others. */
static int check_advice(const struct mm *mm, int advice)
{
    if (mm == self()->mm)
        return 0;
    if (advice != MADV_COLD && advice != MADV_PAGEOUT && advice != MADV_WILLNEED)
        return -EINVAL;
    return capable(CAP_SYS_NICE) ? 0 : -EPERM;
}

/* Bytes advised about, up to the first piece that goes wrong; or what is wrong with that one. */
static ssize_t advise_pieces(struct mm *mm, struct iter *it, int advice)
{
    ssize_t done = 0;
    int err = 0;

    while (iter_left(it) > 0) {
        size_t n;
        u64 at = (u64)iter_piece(it, &n);

        err = mm_advise(mm, at, n, advice);
        if (err)
            break;
        iter_advance(it, n);
        done += (ssize_t)n;
    }
    return done ? done : err;
}

long sys_process_madvise(int pidfd, const struct iovec __user *iovec, size_t vlen, int advice,
                         u32 flags)
{
    AUTO(mm_put) struct mm *mm = NULL;
    struct iter it;
    long result;

    if (flags)
        return -EINVAL;
    result = iter_init_vector(&it, true, iovec, vlen);
    if (result < 0)
        return result;
    mm = pidfd_mm(pidfd);
    result = IS_ERR(mm) ? PTR_ERR(mm) : check_advice(mm, advice);
    if (!result)
        result = advise_pieces(mm, &it, advice);
    iter_release(&it);
    return result;
}

/* Its threads end by themselves, and the last one gives the memory back: that is waited for. */
long sys_process_mrelease(int pidfd, u32 flags)
{
    AUTO(process_put) struct process *process = NULL;
    int err = 0;

    if (flags)
        return -EINVAL;
    process = pidfd_process(pidfd);
    if (IS_ERR(process))
        return PTR_ERR(process);
    spin_lock(&tasks_lock);
    if (process->state != PROCESS_ALIVE)
        err = -ESRCH;
    else if (!process->ending || process == process_self())
        err = -EINVAL;
    else
        err = wait_event_kind(&process->ended, &tasks_lock, process->state != PROCESS_ALIVE,
                              WAIT_KILLABLE, KTIME_FOREVER);
    spin_unlock(&tasks_lock);
    return err;
}
