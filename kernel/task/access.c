/* kernel/task/access.c: what a thread may do to another: kill(2), ptrace(2), "access mode checking". */
#include "base/errno.h"
#include "task/internal.h"

bool task_may_inspect(struct task *task, bool attach)
{
    const struct cred *me = cred_current();
    AUTO(cred_put) const struct cred *cred = NULL;

    (void)attach;
    if (task->process == process_self())
        return true;
    cred = task_cred(task);
    if (!cred)
        return false;
    if (cred_capable(me, CAP_SYS_PTRACE))
        return true;
    return me->fsuid == cred->euid && me->fsuid == cred->suid && me->fsuid == cred->uid &&
           me->fsgid == cred->egid && me->fsgid == cred->sgid && me->fsgid == cred->gid &&
           task->process->dumpable == 1 && !(cred->cap_permitted & ~me->cap_effective);
}

/* kill(2), "DESCRIPTION"; SIGCONT also goes to any process of the same session. tasks_lock is held. */
bool task_may_signal(struct task *task, int signo)
{
    const struct cred *me = cred_current();
    struct process *process = task->process, *mine = process_self();
    AUTO(cred_put) const struct cred *cred = NULL;

    if (process == mine || cred_capable(me, CAP_KILL))
        return true;
    if (task->self && !task->exited)
        cred = cred_of(task->self);
    if (!cred) /* it has ended; only whose it was is left of it */
        return me->uid == process->end_uid || me->euid == process->end_uid;
    if (me->euid == cred->suid || me->euid == cred->uid || me->uid == cred->suid ||
        me->uid == cred->uid)
        return true;
    return signo == SIGCONT && process->group && process->group->session == mine->group->session;
}
