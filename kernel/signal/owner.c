/* kernel/signal/owner.c: a signal to whom a file was given by F_SETOWN, fcntl(2). */
#include "base/errno.h"
#include "cred/cred.h"
#include "signal/internal.h"
#include "vfs/file.h"

#include <linux/fcntl.h>

/* The one who set the owner could have sent it. tasks_lock held. */
static bool owner_may_signal(const struct file_owner *owner, const struct task *task)
{
    const struct cred *cred;
    bool may;

    if (owner->euid == 0)
        return true;
    if (!task->self)
        return false;
    cred = cred_of(task->self);
    may = owner->euid == cred->suid || owner->euid == cred->uid || owner->uid == cred->suid ||
          owner->uid == cred->uid;
    cred_put(cred);
    return may;
}

/* fcntl(2) F_SETSIG: SIGIO tells, too, that a real-time signal could not be queued. tasks_lock held. */
static void send_locked(struct process *process, struct task *task, const siginfo_t *info)
{
    siginfo_t plain;

    if (signal_send_locked(process, task, info) != -EAGAIN)
        return;
    siginfo_kernel(&plain, SIGIO);
    (void)signal_send_locked(process, task, &plain); /* it does not need to be queued */
}

static void send_process(const struct file_owner *owner, struct process *process,
                         const siginfo_t *info)
{
    if (process && owner_may_signal(owner, process->leader))
        send_locked(process, NULL, info);
}

void signal_owner(const struct file_owner *owner, const siginfo_t *info)
{
    struct process *process;
    struct group *group;
    struct task *task;

    if (!owner->id)
        return;
    spin_lock(&tasks_lock);
    switch (owner->type) {
    case F_OWNER_PGRP:
        group = group_find_locked(owner->id);
        if (group) {
            for_each_group_member(process, group)
                send_process(owner, process, info);
        }
        break;
    case F_OWNER_TID:
        task = task_find_locked(owner->id);
        if (task && !task->exited && owner_may_signal(owner, task))
            send_locked(task->process, task, info);
        break;
    default:
        send_process(owner, process_find_locked(owner->id), info);
    }
    spin_unlock(&tasks_lock);
}

void signal_file_owner(struct file *file, const siginfo_t *info)
{
    struct file_owner owner;

    file_owner_get(file, &owner);
    signal_owner(&owner, info);
}
