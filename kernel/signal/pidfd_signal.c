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

long sys_pidfd_send_signal(int pidfd, int sig, const siginfo_t __user *from, u32 flags)
{
    AUTO(process_put) struct process *process = NULL;
    siginfo_t info;
    int err;

    /* One scope at most. */
    if (flags & ~(u32)PIDFD_SIGNAL_SCOPES || flags & (flags - 1))
        return -EINVAL;
    process = pidfd_process(pidfd, NULL);
    if (IS_ERR(process))
        return PTR_ERR(process);
    if (sig < 0 || sig > SIGNALS)
        return -EINVAL;
    err = read_info(&info, from, sig, process);
    if (err)
        return err;

    spin_lock(&tasks_lock);
    if (process->state == PROCESS_REAPED)
        err = -ESRCH;
    else if (flags & PIDFD_SIGNAL_PROCESS_GROUP)
        err = send_group_locked(process->group, &info);
    else if (flags & PIDFD_SIGNAL_THREAD && !task_may_signal(process->leader, sig))
        err = -EPERM;
    else if (flags & PIDFD_SIGNAL_THREAD)
        err = sig ? signal_send_locked(process, process->leader, &info) : 0;
    else
        err = send_locked(process, &info);
    spin_unlock(&tasks_lock);
    return err;
}
