/* kernel/signal/kill.c: kill(2), tkill(2), sigqueue(3): signals that programs send. */
#include "base/errno.h"
#include "cred/cred.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/internal.h"
#include "syscall_proto.h"

static bool signo_valid(int signo)
{
    return signo >= 0 && signo <= SIGNALS;
}

/* Under tasks_lock. Signal 0 only asks for permission. */
static int kill_one(struct process *process, const siginfo_t *info)
{
    if (!task_may_signal(process->leader, info->si_signo))
        return -EPERM;
    if (!info->si_signo)
        return 0;
    return signal_send_locked(process, NULL, info);
}

/* A group: success if any member took it, else the last error. */
static int kill_group(struct group *group, const siginfo_t *info)
{
    struct process *process;
    int result = -ESRCH;
    bool any = false;

    for_each_group_member(process, group) {
        int err = kill_one(process, info);

        if (!err)
            any = true;
        else
            result = err;
    }
    return any ? 0 : result;
}

/* kill(-1): everybody but init and the caller's own process. */
static int kill_all(const siginfo_t *info)
{
    struct process *process;
    int result = -ESRCH;
    bool any = false;

    for_each_process(process) {
        int err;

        if (process->pid == PID_INIT || process == process_self())
            continue;
        err = kill_one(process, info);
        if (!err)
            any = true;
        else if (!any)
            result = err;
    }
    return any ? 0 : result;
}

static int kill_target_locked(pid_t pid, const siginfo_t *info)
{
    struct process *process;
    struct group *group;

    if (pid == -1)
        return kill_all(info);
    if (pid > 0) {
        struct task *task = task_find_locked(pid);

        process = task ? task->process : process_find_locked(pid);
        return process ? kill_one(process, info) : -ESRCH;
    }
    if (pid == INT32_MIN)
        return -ESRCH;
    group = pid == 0 ? process_self()->group : group_find_locked(-pid);
    return group ? kill_group(group, info) : -ESRCH;
}

static int kill_target(pid_t pid, const siginfo_t *info)
{
    int err;

    spin_lock(&tasks_lock);
    err = kill_target_locked(pid, info);
    spin_unlock(&tasks_lock);
    return err;
}

long sys_kill(pid_t pid, int signo)
{
    siginfo_t info;

    if (!signo_valid(signo))
        return -EINVAL;
    siginfo_user(&info, signo, SI_USER);
    return kill_target(pid, &info);
}

/* A thread; tgid 0: of whichever process. */
static int kill_thread(pid_t tgid, pid_t tid, const siginfo_t *info)
{
    struct task *task;
    int err = 0;

    spin_lock(&tasks_lock);
    task = task_find_locked(tid);
    if (!task || (tgid && task->process->pid != tgid))
        err = -ESRCH;
    else if (!task_may_signal(task, info->si_signo))
        err = -EPERM;
    else if (info->si_signo && !task->exited)
        err = signal_send_locked(task->process, task, info);
    spin_unlock(&tasks_lock);
    return err;
}

long sys_tgkill(pid_t tgid, pid_t tid, int signo)
{
    siginfo_t info;

    if (tgid <= 0 || tid <= 0 || !signo_valid(signo))
        return -EINVAL;
    siginfo_user(&info, signo, SI_TKILL);
    return kill_thread(tgid, tid, &info);
}

long sys_tkill(pid_t tid, int signo)
{
    siginfo_t info;

    if (tid <= 0 || !signo_valid(signo))
        return -EINVAL;
    siginfo_user(&info, signo, SI_TKILL);
    return kill_thread(0, tid, &info);
}

/* What a program says came with the signal; it may not pretend to be kill(2) or the kernel to others. */
static int siginfo_from_user(siginfo_t *info, const siginfo_t __user *from, int signo, pid_t target)
{
    if (copy_from_user(info, from, sizeof(*info)))
        return -EFAULT;
    if ((info->si_code >= 0 || info->si_code == SI_TKILL) && process_self()->pid != target)
        return -EPERM;
    info->si_signo = signo;
    return signo_valid(signo) ? 0 : -EINVAL;
}

long sys_rt_sigqueueinfo(pid_t tgid, int signo, const siginfo_t __user *from)
{
    siginfo_t info;
    int err = siginfo_from_user(&info, from, signo, tgid);

    if (err)
        return err;
    return tgid > 0 ? kill_target(tgid, &info) : -ESRCH;
}

long sys_rt_tgsigqueueinfo(pid_t tgid, pid_t tid, int signo, const siginfo_t __user *from)
{
    siginfo_t info;
    int err = siginfo_from_user(&info, from, signo, tgid);

    if (err != -EFAULT && (tgid <= 0 || tid <= 0))
        return -EINVAL;
    return err ? err : kill_thread(tgid, tid, &info);
}
