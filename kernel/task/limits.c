/* kernel/task/limits.c: getrlimit(2), setrlimit(2), prlimit64(2). */
#include "task/limits.h"

#include "base/errno.h"
#include "base/types.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"

#define NOFILE_MAX (1U << 20) /* /proc/sys/fs/nr_open */

u64 process_rlimit(const struct process *process, int resource)
{
    return __atomic_load_n(&process->limits[resource].rlim_cur, __ATOMIC_RELAXED);
}

u64 task_rlimit(int resource)
{
    struct task *task = task_self();

    return task ? process_rlimit(task->process, resource) : RLIM64_INFINITY;
}

static int change_limit(struct process *process, u32 resource, const struct rlimit64 *to,
                        struct rlimit64 *old)
{
    struct rlimit64 *limit = &process->limits[resource];
    int err = 0;

    if (to && to->rlim_cur > to->rlim_max)
        return -EINVAL;
    if (to && resource == RLIMIT_NOFILE && to->rlim_max > NOFILE_MAX)
        return -EPERM;
    spin_lock(&tasks_lock);
    *old = *limit;
    if (to && to->rlim_max > limit->rlim_max && !capable(CAP_SYS_RESOURCE))
        err = -EPERM;
    else if (to)
        *limit = *to;
    spin_unlock(&tasks_lock);
    if (to && !err && resource == RLIMIT_CPU)
        cpu_limit_changed(process);
    return err;
}

/* prlimit(2), EPERM: the same user in all three forms, or CAP_SYS_RESOURCE. */
static bool may_change_limits(struct task *task)
{
    const struct cred *me = cred_current();
    AUTO(cred_put) const struct cred *cred = task_cred(task);

    if (task->process == process_self() || !cred || cred_capable(me, CAP_SYS_RESOURCE))
        return true;
    return me->uid == cred->euid && me->uid == cred->suid && me->uid == cred->uid &&
           me->gid == cred->egid && me->gid == cred->sgid && me->gid == cred->gid;
}

long sys_prlimit64(pid_t pid, u32 resource, const struct rlimit64 __user *new_limit,
                   struct rlimit64 __user *old_limit)
{
    struct rlimit64 to, old;
    long err;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    if (new_limit && copy_from_user(&to, new_limit, sizeof to) != 0)
        return -EFAULT;

    AUTO(task_put) struct task *task = pid ? task_lookup(pid) : task_get(task_self());

    if (!task)
        return -ESRCH;
    if (!may_change_limits(task))
        return -EPERM;
    err = change_limit(task->process, resource, new_limit ? &to : NULL, &old);
    if (!err && old_limit)
        err = copy_to_user(old_limit, &old, sizeof old);
    return err;
}

long sys_getrlimit(u32 resource, struct rlimit __user *rlim)
{
    struct rlimit64 old;
    struct rlimit out;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    change_limit(process_self(), resource, NULL, &old);
    out.rlim_cur = old.rlim_cur;
    out.rlim_max = old.rlim_max;
    return copy_to_user(rlim, &out, sizeof out);
}

long sys_setrlimit(u32 resource, const struct rlimit __user *rlim)
{
    struct rlimit64 to, old;
    struct rlimit from;

    if (copy_from_user(&from, rlim, sizeof from) != 0)
        return -EFAULT;
    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    to.rlim_cur = from.rlim_cur;
    to.rlim_max = from.rlim_max;
    return change_limit(process_self(), resource, &to, &old);
}
