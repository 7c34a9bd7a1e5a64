/*
 * kernel/task/sched.c: sched_setscheduler(2) and its kin, sched(7). Policies are kept and shown with
 * Linux's rules; which thread runs when is for the host to decide.
 */
#include "base/errno.h"
#include "base/string.h"
#include "host/thread.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"
#include "task/limits.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/time.h>
#include <myst/boot.h>

#define PRIORITY_MAX 99                    /* of SCHED_FIFO and SCHED_RR */
#define RR_SLICE     (100 * NSEC_PER_MSEC) /* /proc/sys/kernel/sched_rr_timeslice_ms */
#define ATTR_SIZE_0  48                    /* of the first struct sched_attr */
#define ATTR_FLAGS                                                                                 \
    (SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN |                       \
     SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS)

static bool is_realtime(u32 policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool is_known(u32 policy)
{
    return is_realtime(policy) || policy == SCHED_NORMAL || policy == SCHED_BATCH ||
           policy == SCHED_IDLE || policy == SCHED_DEADLINE;
}

/* The thread of a pid argument, counted; ERR_PTR. */
static struct task *sched_task(pid_t pid)
{
    struct task *task;

    if (pid < 0)
        return ERR_PTR(-EINVAL);
    task = pid ? task_lookup(pid) : task_get(task_self());
    return task ? task : ERR_PTR(-ESRCH);
}

/* --- rules ------------------------------------------------------------------------------------------ */

static bool owns(struct task *task)
{
    const struct cred *me = cred_current();
    AUTO(cred_put) const struct cred *cred = task_cred(task);

    return cred && (me->euid == cred->uid || me->euid == cred->euid);
}

/* What getrlimit(2) says of RLIMIT_NICE: 20 - limit is the best nice value. */
static bool nice_is_allowed(const struct task *task, int nice)
{
    return (u64)(20 - nice) <= process_rlimit(task->process, RLIMIT_NICE);
}

/* sched(7), "Privileges and resource limits". */
static int may_change(struct task *task, const struct sched_state *to)
{
    const struct sched_state *old = &task->sched;
    u64 limit = process_rlimit(task->process, RLIMIT_RTPRIO);

    if (capable(CAP_SYS_NICE))
        return 0;
    if (to->policy == SCHED_DEADLINE || !owns(task))
        return -EPERM;
    if (is_realtime(to->policy)) {
        if (to->policy != old->policy && limit == 0)
            return -EPERM;
        if (to->priority > old->priority && to->priority > limit)
            return -EPERM;
    } else if (to->nice < old->nice && !nice_is_allowed(task, to->nice)) {
        return -EPERM;
    }
    if (old->policy == SCHED_IDLE && to->policy != SCHED_IDLE && !nice_is_allowed(task, old->nice))
        return -EPERM;
    return old->reset_on_fork && !to->reset_on_fork ? -EPERM : 0;
}

/* sched_setattr(2): 1024 ns at least, and runtime <= deadline <= period. */
static bool deadline_is_sound(const struct sched_state *to)
{
    u64 period = to->period ? to->period : to->deadline;

    return to->deadline && to->runtime >= 1024 && !((to->deadline | to->period) >> 63) &&
           to->runtime <= to->deadline && to->deadline <= period;
}

static int change(struct task *task, const struct sched_state *to)
{
    int err;

    if (!is_known(to->policy))
        return -EINVAL;
    if (is_realtime(to->policy) ? to->priority < 1 || to->priority > PRIORITY_MAX
                                : to->priority != 0)
        return -EINVAL;
    if (to->policy == SCHED_DEADLINE && !deadline_is_sound(to))
        return -EINVAL;
    err = may_change(task, to);
    if (err)
        return err;
    spin_lock(&tasks_lock);
    task->sched = *to;
    spin_unlock(&tasks_lock);
    return 0;
}

/* --- policy and priority ------------------------------------------------------------------------------- */

static long set_policy(pid_t pid, int policy, const struct sched_param __user *param)
{
    AUTO(task_put) struct task *task = NULL;
    struct sched_param from;
    struct sched_state to;

    if (!param || pid < 0)
        return -EINVAL;
    if (copy_from_user(&from, param, sizeof from) != 0)
        return -EFAULT;
    task = sched_task(pid);
    if (IS_ERR(task))
        return PTR_ERR(task);
    to = task->sched;
    if (policy >= 0) {
        to.policy = (u32)policy & ~(u32)SCHED_RESET_ON_FORK;
        to.reset_on_fork = policy & SCHED_RESET_ON_FORK;
    }
    to.priority = (u32)from.sched_priority;
    return change(task, &to);
}

long sys_sched_setscheduler(pid_t pid, int policy, const struct sched_param __user *param)
{
    return policy < 0 ? -EINVAL : set_policy(pid, policy, param);
}

long sys_sched_setparam(pid_t pid, const struct sched_param __user *param)
{
    return set_policy(pid, -1, param);
}

long sys_sched_getscheduler(pid_t pid)
{
    AUTO(task_put) struct task *task = sched_task(pid);

    if (IS_ERR(task))
        return PTR_ERR(task);
    return task->sched.policy | (task->sched.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

long sys_sched_getparam(pid_t pid, struct sched_param __user *param)
{
    AUTO(task_put) struct task *task = NULL;
    struct sched_param out;

    if (!param)
        return -EINVAL;
    task = sched_task(pid);
    if (IS_ERR(task))
        return PTR_ERR(task);
    out.sched_priority = (int)task->sched.priority;
    return copy_to_user(param, &out, sizeof out);
}

static int priority_bound(u32 policy, int realtime)
{
    if (!is_known(policy))
        return -EINVAL;
    return is_realtime(policy) ? realtime : 0;
}

long sys_sched_get_priority_max(int policy)
{
    return priority_bound((u32)policy, PRIORITY_MAX);
}

long sys_sched_get_priority_min(int policy)
{
    return priority_bound((u32)policy, 1);
}

long sys_sched_rr_get_interval(pid_t pid, struct timespec __user *tp)
{
    AUTO(task_put) struct task *task = sched_task(pid);
    struct timespec out = {0};

    if (IS_ERR(task))
        return PTR_ERR(task);
    if (task->sched.policy == SCHED_RR)
        out.tv_nsec = RR_SLICE;
    else if (!is_realtime(task->sched.policy))
        out.tv_nsec = 4 * NSEC_PER_MSEC;
    return copy_to_user(tp, &out, sizeof out);
}

/* --- sched_attr --------------------------------------------------------------------------------------- */

static int read_attr(const struct sched_attr __user *uattr, struct sched_attr *attr)
{
    u32 size;
    int err;

    memset(attr, 0, sizeof *attr);
    if (copy_from_user(&size, &uattr->size, sizeof size) != 0)
        return -EFAULT;
    if (size == 0)
        size = ATTR_SIZE_0;
    err = size < ATTR_SIZE_0 || size > PAGE_SIZE
              ? -E2BIG
              : copy_struct_from_user(attr, sizeof *attr, uattr, size);
    if (err == -E2BIG) {
        u32 known = sizeof *attr;

        if (copy_to_user((void __user *)&uattr->size, &known, sizeof known) != 0)
            return -EFAULT;
    }
    return err;
}

long sys_sched_setattr(pid_t pid, const struct sched_attr __user *uattr, u32 flags)
{
    AUTO(task_put) struct task *task = NULL;
    struct sched_state to;
    struct sched_attr attr;
    int err;

    if (!uattr || pid < 0 || flags)
        return -EINVAL;
    err = read_attr(uattr, &attr);
    if (err)
        return err;
    if (attr.sched_flags & ~(u64)(ATTR_FLAGS | SCHED_FLAG_UTIL_CLAMP))
        return -EINVAL;
    if (attr.sched_flags & SCHED_FLAG_UTIL_CLAMP)
        return -EOPNOTSUPP;
    task = sched_task(pid);
    if (IS_ERR(task))
        return PTR_ERR(task);
    to = task->sched;
    to.reset_on_fork = attr.sched_flags & SCHED_FLAG_RESET_ON_FORK;
    if (!(attr.sched_flags & SCHED_FLAG_KEEP_POLICY))
        to.policy = attr.sched_policy;
    if (!(attr.sched_flags & SCHED_FLAG_KEEP_PARAMS)) {
        to.priority = attr.sched_priority;
        if (!is_realtime(to.policy) && to.policy != SCHED_DEADLINE)
            to.nice = MAX(MIN(attr.sched_nice, NICE_MAX), NICE_MIN);
        to.runtime = attr.sched_runtime;
        to.deadline = attr.sched_deadline;
        to.period = attr.sched_period;
    }
    return change(task, &to);
}

long sys_sched_getattr(pid_t pid, struct sched_attr __user *uattr, u32 size, u32 flags)
{
    AUTO(task_put) struct task *task = NULL;
    struct sched_attr attr = {0};

    if (!uattr || pid < 0 || size > PAGE_SIZE || size < ATTR_SIZE_0 || flags)
        return -EINVAL;
    task = sched_task(pid);
    if (IS_ERR(task))
        return PTR_ERR(task);
    attr.size = MIN(size, (u32)sizeof attr);
    attr.sched_policy = task->sched.policy;
    attr.sched_flags = task->sched.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
    if (task->sched.policy == SCHED_DEADLINE) {
        attr.sched_runtime = task->sched.runtime;
        attr.sched_deadline = task->sched.deadline;
        attr.sched_period = task->sched.period;
    } else if (is_realtime(task->sched.policy)) {
        attr.sched_priority = task->sched.priority;
    } else {
        attr.sched_nice = task->sched.nice;
    }
    return copy_to_user(uattr, &attr, attr.size);
}

/* --- processors ----------------------------------------------------------------------------------------- */

/* What the host allows the instance, and how many bytes of it mean something; constant. */
static struct {
    unsigned long mask[TASK_CPU_WORDS];
    size_t len;
} cpus;

void sched_start(void)
{
    cpus.len = ALIGN_UP(host_affinity(cpus.mask, sizeof cpus.mask), sizeof(long));
}

void affinity_apply(struct task *task)
{
    host_affinity_set(task->self, task->affinity_set ? task->affinity : cpus.mask, cpus.len);
}

long sys_sched_getaffinity(pid_t pid, u32 cpusetsize, void __user *mask)
{
    AUTO(task_put) struct task *task = NULL;
    size_t len = MIN(cpus.len, (size_t)cpusetsize);

    if (cpusetsize < cpus.len || cpusetsize % sizeof(long))
        return -EINVAL;
    task = sched_task(pid);
    if (IS_ERR(task))
        return pid < 0 ? -ESRCH : PTR_ERR(task);
    return copy_to_user(mask, task->affinity_set ? task->affinity : cpus.mask, len) ? -EFAULT
                                                                                    : (long)len;
}

long sys_sched_setaffinity(pid_t pid, u32 cpusetsize, const void __user *mask)
{
    unsigned long wanted[TASK_CPU_WORDS] = {0}, any = 0;
    AUTO(task_put) struct task *task = NULL;

    if (copy_from_user(wanted, mask, MIN((size_t)cpusetsize, sizeof wanted)) != 0)
        return -EFAULT;
    task = sched_task(pid);
    if (IS_ERR(task))
        return pid < 0 ? -ESRCH : PTR_ERR(task);
    if (!owns(task) && !capable(CAP_SYS_NICE))
        return -EPERM;
    for (size_t i = 0; i < TASK_CPU_WORDS; i++)
        any |= wanted[i] &= cpus.mask[i];
    if (!any)
        return -EINVAL;
    spin_lock(&tasks_lock);
    memcpy(task->affinity, wanted, sizeof wanted);
    task->affinity_set = true;
    affinity_apply(task);
    spin_unlock(&tasks_lock);
    return 0;
}

long sys_getcpu(u32 __user *cpu, u32 __user *node, void __user *tcache)
{
    (void)tcache;
    if (cpu && put_user(host_current_cpu(), cpu) != 0)
        return -EFAULT;
    if (node && put_user(0U, node) != 0)
        return -EFAULT;
    return 0;
}

/* Every thread has a host thread of its own: the host shares its processors out among them. */
long sys_sched_yield(void)
{
    return 0;
}
