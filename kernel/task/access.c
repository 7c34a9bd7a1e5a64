/* kernel/task/access.c: what one process may do to another. */
#include "cred/cred.h"
#include "self/self.h"
#include "task/task.h"

#include <linux/capability.h>
#include <linux/signal.h>

/* kill(2), "Permissions"; SIGCONT also goes to any process of the same session. tasks_lock held. */
bool task_may_signal(struct task *task, int signo)
{
    const struct cred *mine = self()->cred, *theirs = task->self ? task->self->cred : NULL;
    struct process *process = task->process;

    if (process == process_self() || !theirs)
        return true; /* of one that has ended only the number is left */
    if (mine->euid == theirs->suid || mine->euid == theirs->uid || mine->uid == theirs->suid ||
        mine->uid == theirs->uid || cred_capable(mine, CAP_KILL))
        return true;
    return signo == SIGCONT && process->group && process->group->session == process_self()->group->session;
}
