/* kernel/task/ids.c: numbers: getpid(2), setpgid(2), setsid(2), set_tid_address(2) and their kin. */
#include "base/errno.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"

long sys_getpid(void)
{
    return process_self()->pid;
}

long sys_gettid(void)
{
    return task_self()->tid;
}

long sys_getppid(void)
{
    long pid;

    spin_lock(&tasks_lock);
    pid = process_parent_id(process_self());
    spin_unlock(&tasks_lock);
    return pid;
}

long sys_set_tid_address(unsigned long tidptr)
{
    task_self()->clear_child_tid = (u32 __user *)tidptr;
    return task_self()->tid;
}

/* --- groups and sessions ----------------------------------------------------------------------- */

static struct process *named_locked(pid_t pid)
{
    return pid ? process_find_locked(pid) : process_self();
}

long sys_getpgid(pid_t pid)
{
    struct process *process;
    long id = -ESRCH;

    spin_lock(&tasks_lock);
    process = named_locked(pid);
    if (process)
        id = process_group_id(process);
    spin_unlock(&tasks_lock);
    return id;
}

long sys_getpgrp(void)
{
    return sys_getpgid(0);
}

long sys_getsid(pid_t pid)
{
    struct process *process;
    long id = -ESRCH;

    spin_lock(&tasks_lock);
    process = named_locked(pid);
    if (process)
        id = process_session_id(process);
    spin_unlock(&tasks_lock);
    return id;
}

/* setpgid(2), "ERRORS". */
static int may_set_group_locked(struct process *process)
{
    struct process *me = process_self();

    if (!process || (process != me && process->parent != me))
        return -ESRCH;
    if (process->state != PROCESS_ALIVE && process != me)
        return -ESRCH;
    if (process != me) {
        if (process->group->session != me->group->session)
            return -EPERM;
        if (process->has_exec)
            return -EACCES;
    }
    return process->group->session->leader == process ? -EPERM : 0;
}

static int set_group_locked(pid_t pid, pid_t id)
{
    struct process *process = pid ? process_find_locked(pid) : process_self();
    struct session *session;
    struct group *group;
    int err = may_set_group_locked(process);

    if (err)
        return err;
    session = process->group->session;
    group = group_find_locked(id ? id : process->pid);
    if (group && group == process->group)
        return 0;
    if (group && group->session != session)
        return -EPERM;
    if (group) {
        refcount_get(&group->ref);
    } else {
        if (id && id != process->pid)
            return -EPERM;
        group = group_create_locked(process->number, session);
        if (!group)
            return -ENOMEM;
    }
    process_set_group_locked(process, group);
    return 0;
}

long sys_setpgid(pid_t pid, pid_t pgid)
{
    long err;

    if (pgid < 0)
        return -EINVAL;
    spin_lock(&tasks_lock);
    err = set_group_locked(pid, pgid);
    spin_unlock(&tasks_lock);
    return err;
}

long sys_setsid(void)
{
    struct process *process = process_self();
    struct session *session = NULL;
    struct group *group = NULL;
    long result;

    spin_lock(&tasks_lock);
    if (process->group->session->leader == process || group_find_locked(process->pid)) {
        result = -EPERM;
    } else {
        session = session_create_locked(process->number, process);
        group = session ? group_create_locked(process->number, session) : NULL;
        result = group ? process->pid : -ENOMEM;
    }
    if (group)
        process_set_group_locked(process, group);
    else if (session)
        process->number->session = NULL;
    if (session)
        session_put(session);
    spin_unlock(&tasks_lock);
    return result;
}
