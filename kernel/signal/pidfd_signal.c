/* kernel/signal/pidfd_signal.c: pidfd_send_signal(2). */
#include "abi/newer.h"
#include "base/errno.h"
#include "mm/uaccess.h"
#include "signal/internal.h"
#include "syscall_proto.h"
#include "task/pidfd.h"

#define PIDFD_SIGNAL_SCOPES                                                                        \
    (PIDFD_SIGNAL_THREAD | PIDFD_SIGNAL_THREAD_GROUP | PIDFD_SIGNAL_PROCESS_GROUP)

/* What comes with the signal: the caller's word, within the rules, or what kill(2) would send. */
static int read_info(siginfo_t *info, const siginfo_t __user *from, int signo,
                     const struct process *target)
{
    if (!from) {
        siginfo_user(info, signo, SI_USER);
        return 0;
    }
    if (copy_from_user(info, from, sizeof *info) != 0)
        return -EFAULT;
    if (info->si_signo != signo)
        return -EINVAL;
    if ((info->si_code >= 0 || info->si_code == SI_TKILL) && target != process_self())
        return -EPERM;
    return 0;
}

static int send_locked(struct process *process, const siginfo_t *info)
{
    if (!task_may_signal(process->leader, info->si_signo))
        return -EPERM;
    return info->si_signo ? signal_send_locked(process, NULL, info) : 0;
}

/* As kill(2) of a group: success if any member took it. */
static int send_group_locked(struct group *group, const siginfo_t *info)
{
    struct process *member;
    int result = -ESRCH;

    for_each_group_member(member, group) {
        int err = send_locked(member, info);

        if (result)
            result = err;
    }
    return result;
}

static int send_thread_locked(struct task *task, const siginfo_t *info)
{
    if (!task)
        return -ESRCH;
    if (!task_may_signal(task, info->si_signo))
        return -EPERM;
    return info->si_signo && !task->exited ? signal_send_locked(task->process, task, info) : 0;
}

/* Without a scope in flags it is that of the descriptor. */
static int send_scope_locked(const struct pidfd_target *target, const siginfo_t *info, u32 flags)
{
    struct process *process = target->process;
    struct task *thread = target->thread;

    if (process->state == PROCESS_REAPED || (thread && !thread->number))
        return -ESRCH;
    if (flags & PIDFD_SIGNAL_PROCESS_GROUP) /* the number of other threads is no group's */
        return thread && thread != process->leader ? -ESRCH
                                                   : send_group_locked(process->group, info);
    if (flags & PIDFD_SIGNAL_THREAD || (!flags && thread))
        return send_thread_locked(thread ? thread : process->leader, info);
    return send_locked(process, info);
}

long sys_pidfd_send_signal(int pidfd, int sig, const siginfo_t __user *from, u32 flags)
{
    struct pidfd_target target;
    siginfo_t info;
    int err;

    /* One scope at most. */
    if (flags & ~(u32)PIDFD_SIGNAL_SCOPES || flags & (flags - 1))
        return -EINVAL;
    err = pidfd_target(pidfd, &target);
    if (err)
        return err;
    err = sig < 0 || sig > SIGNALS ? -EINVAL : read_info(&info, from, sig, target.process);
    if (!err) {
        spin_lock(&tasks_lock);
        err = send_scope_locked(&target, &info, flags);
        spin_unlock(&tasks_lock);
    }
    pidfd_target_put(&target);
    return err;
}
