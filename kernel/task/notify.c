/* kernel/task/notify.c: what parents and groups are told: SIGCHLD, and SIGHUP to orphans. */
#include "task/internal.h"

#include "base/errno.h"
#include "host/thread.h"

#define TICKS_PER_SECOND 100 /* siginfo's and times(2)'s unit, sysconf(_SC_CLK_TCK) */

uid_t task_uid_locked(struct task *task)
{
    AUTO(cred_put)
    const struct cred *cred = task->self && !task->exited ? cred_of(task->self) : NULL;

    return cred ? cred->uid : task->process->end_uid;
}

uid_t process_uid_locked(struct process *child)
{
    return task_uid_locked(child->leader);
}

int process_end_code(const struct process *process)
{
    int status = process->exit_status;

    if ((status & 0x7f) == 0)
        return CLD_EXITED;
    return status & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

/* sigaction(2), si_status: an exit code, or a signal's number. */
static int code_status(const struct process *child, int code)
{
    switch (code) {
    case CLD_EXITED:
        return child->exit_status >> 8 & 0xff;
    case CLD_KILLED:
    case CLD_DUMPED:
        return child->exit_status & 0x7f;
    case CLD_STOPPED:
        return child->stop_signal;
    default:
        return SIGCONT;
    }
}

static void send_locked(struct process *child, int signo, int code)
{
    struct usage usage;
    siginfo_t info;

    process_usage_locked(child, &usage);
    siginfo_init(&info, signo, code);
    info.si_pid = child->pid;
    info.si_uid = process_uid_locked(child);
    info.si_status = code_status(child, code);
    info.si_utime = usage.cpu / (NSEC_PER_SEC / TICKS_PER_SECOND);
    info.si_stime = 0;
    signal_send_locked(child->parent, NULL, &info);
}

static struct signal_action parent_action(struct process *parent)
{
    struct sighand *sighand = parent->signals.sighand;
    struct signal_action action;

    spin_lock(&sighand->lock);
    action = sighand->actions[SIGCHLD - 1];
    spin_unlock(&sighand->lock);
    return action;
}

void parent_notify_locked(struct process *child, int code)
{
    struct process *parent = child->parent;

    if (parent == &init_process)
        return;

    struct signal_action action = parent_action(parent);

    if (action.handler != (u64)SIG_IGN && !(action.flags & SA_NOCLDSTOP))
        send_locked(child, SIGCHLD, code);
    waitq_wake(&parent->child_events, 0);
}

/* wait(2), "NOTES": a parent that ignores SIGCHLD, or set SA_NOCLDWAIT, leaves no zombies. */
bool parent_notify_end_locked(struct process *child)
{
    struct process *parent = child->parent;
    int signo = child->exit_signal;
    bool unwanted = false;

    if (parent == &init_process)
        return true;
    if (signo == SIGCHLD) {
        struct signal_action action = parent_action(parent);

        unwanted = action.handler == (u64)SIG_IGN || action.flags & SA_NOCLDWAIT;
        if (action.handler == (u64)SIG_IGN)
            signo = 0;
    }
    if (signo > 0 && signo <= SIGNALS)
        send_locked(child, signo, process_end_code(child));
    waitq_wake(&parent->child_events, 0);
    return unwanted;
}

/* --- stops -------------------------------------------------------------------------------------- */

void process_stopped_locked(struct process *process, int signo)
{
    process->stopped = true;
    process->stop_signal = signo;
    process->stop_unwaited = true;
    process->continue_unwaited = false;
    parent_notify_locked(process, CLD_STOPPED);
    /* Its parent is whoever started the instance: to them, the instance is the program. */
    if (process->pid == PID_MAIN)
        host_suspend();
}

void process_continued_locked(struct process *process)
{
    process->stopped = false;
    process->stop_unwaited = false;
    process->continue_unwaited = true;
    parent_notify_locked(process, CLD_CONTINUED);
}

/* --- orphaned groups ------------------------------------------------------------------------------ */

bool group_is_orphaned_locked(struct group *group, const struct process *without)
{
    struct process *member;

    /* The program's own shell, outside of the instance, is a parent that can continue it. */
    if (group->id == PID_MAIN)
        return false;
    for_each_group_member(member, group) {
        struct group *parents = member->parent ? member->parent->group : NULL;

        if (member == without || member->state != PROCESS_ALIVE ||
            member->parent == &init_process || !parents)
            continue;
        if (parents != group && parents->session == group->session)
            return false;
    }
    return true;
}

static bool has_stopped_locked(struct group *group)
{
    struct process *member;

    for_each_group_member(member, group) {
        if (member->stopped && member->state == PROCESS_ALIVE)
            return true;
    }
    return false;
}

static void group_send_locked(struct group *group, int signo)
{
    struct process *member;
    siginfo_t info;

    siginfo_kernel(&info, signo);
    for_each_group_member(member, group)
        signal_send_locked(member, NULL, &info);
}

/*
 * setpgid(2): `process` has lost its parent (then `parent` is who that was), or ends itself (NULL).
 * If its group was tied to the session by that alone, it is an orphan now.
 */
void orphaned_group_locked(struct process *process, struct process *parent)
{
    struct group *group = process->group;
    struct process *tie = parent ? parent : process->parent;

    if (!group || !tie->group || tie->group == group || tie->group->session != group->session)
        return;
    if (!group_is_orphaned_locked(group, parent ? NULL : process) || !has_stopped_locked(group))
        return;
    group_send_locked(group, SIGHUP);
    group_send_locked(group, SIGCONT);
}
