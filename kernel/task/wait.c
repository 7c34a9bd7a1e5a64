/* kernel/task/wait.c: wait4(2), waitid(2). */
#include "base/errno.h"
#include "base/string.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"
#include "task/pidfd.h"

#include <linux/wait.h>

#define STATUS_STOPPED   0x7f /* wait(2): low byte of a stop's status */
#define STATUS_CONTINUED 0xffff

struct wait_request {
    int type; /* P_ALL, P_PID, P_PGID; P_PIDFD is P_PID by then */
    pid_t id;
    u32 options;
    /* what was found */
    pid_t pid; /* 0: nothing */
    uid_t uid;
    int status; /* wait4's */
    int code;   /* CLD_ */
    int value;  /* si_status */
    struct usage usage;
};

/* wait(2), "__WCLONE": children that do not tell their end by SIGCHLD count as clones. */
static bool is_meant_locked(const struct wait_request *req, const struct process *child)
{
    bool clone = child->exit_signal != SIGCHLD;

    if (req->type == P_PID && child->pid != req->id)
        return false;
    if (req->type == P_PGID && process_group_id(child) != req->id)
        return false;
    if (req->options & __WNOTHREAD && child->parent_thread != task_self())
        return false;
    return req->options & __WALL || clone == !!(req->options & __WCLONE);
}

static void found_locked(struct wait_request *req, struct process *child, int code)
{
    req->pid = child->pid;
    req->uid = process_uid_locked(child);
    req->code = code;
    process_usage_locked(child, &req->usage);
    usage_add(&req->usage, &child->dead_children);
}

static bool take_end_locked(struct wait_request *req, struct process *child, struct list_head *dead)
{
    if (child->state != PROCESS_ZOMBIE || !(req->options & WEXITED))
        return false;
    req->status = child->exit_status;
    found_locked(req, child, process_end_code(child));
    req->value = req->code == CLD_EXITED ? req->status >> 8 & 0xff : req->status & 0x7f;
    if (!(req->options & WNOWAIT)) {
        usage_add(&process_self()->dead_children, &req->usage);
        process_reap_locked(child, dead);
    }
    return true;
}

static bool take_stop_locked(struct wait_request *req, struct process *child)
{
    if (!child->stopped || !child->stop_unwaited || !(req->options & WSTOPPED))
        return false;
    req->status = child->stop_signal << 8 | STATUS_STOPPED;
    req->value = child->stop_signal;
    found_locked(req, child, CLD_STOPPED);
    if (!(req->options & WNOWAIT))
        child->stop_unwaited = false;
    return true;
}

static bool take_continue_locked(struct wait_request *req, struct process *child)
{
    if (!child->continue_unwaited || !(req->options & WCONTINUED))
        return false;
    req->status = STATUS_CONTINUED;
    req->value = SIGCONT;
    found_locked(req, child, CLD_CONTINUED);
    if (!(req->options & WNOWAIT))
        child->continue_unwaited = false;
    return true;
}

/* 1: found; 0: none has anything to tell; -ECHILD: there is none. */
static int scan_locked(struct wait_request *req, struct list_head *dead)
{
    struct process *child;
    int result = -ECHILD;

    list_for_each_entry(child, &process_self()->children, sibling) {
        if (!is_meant_locked(req, child))
            continue;
        if (take_end_locked(req, child, dead))
            return 1;
        if (child->state != PROCESS_ALIVE) /* will never tell anything else */
            continue;
        if (take_stop_locked(req, child) || take_continue_locked(req, child))
            return 1;
        result = 0;
    }
    return result;
}

static int wait_run(struct wait_request *req)
{
    struct list_head dead = LIST_HEAD_INIT(dead);
    struct process *process = process_self();
    int found, err = 0;

    spin_lock(&tasks_lock);
    found = scan_locked(req, &dead);
    if (found == 0 && !(req->options & WNOHANG)) /* the condition is looked at again at the end */
        err = wait_event(&process->child_events, &tasks_lock,
                         found || (found = scan_locked(req, &dead)), KTIME_FOREVER);
    spin_unlock(&tasks_lock);
    processes_release(&dead);
    if (found)
        return found < 0 ? found : 0;
    return err ? -ERESTARTSYS : 0;
}

long sys_wait4(pid_t pid, int __user *wstatus, int options, struct rusage __user *rusage)
{
    struct wait_request req = {.options = (u32)options | WEXITED, .type = P_ALL};
    struct rusage usage;
    int err;

    if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
        return -EINVAL;
    if (pid == INT32_MIN)
        return -ESRCH;
    if (pid > 0)
        req.type = P_PID;
    else if (pid != -1)
        req.type = P_PGID;
    req.id = pid > 0 ? pid : pid ? -pid : (pid_t)sys_getpgrp();

    err = wait_run(&req);
    if (err || !req.pid)
        return err;
    usage_to_rusage(&req.usage, &usage);
    if (wstatus && put_user(req.status, wstatus) != 0)
        return -EFAULT;
    if (rusage && copy_to_user(rusage, &usage, sizeof usage) != 0)
        return -EFAULT;
    return req.pid;
}

/* The fields that waitid(2) names; the others keep what stood there. */
static int put_info(siginfo_t __user *info, const struct wait_request *req)
{
    bool found = req->pid != 0;

    if (put_user(found ? SIGCHLD : 0, &info->si_signo) || put_user(0, &info->si_errno) ||
        put_user(found ? req->code : 0, &info->si_code) || put_user(req->pid, &info->si_pid) ||
        put_user(req->uid, &info->si_uid) || put_user(found ? req->value : 0, &info->si_status))
        return -EFAULT;
    return 0;
}

/* Turns the caller's idtype and id into a request. */
static int waitid_who(int idtype, pid_t id, struct wait_request *req)
{
    struct pidfd_target target;
    int err;

    req->type = idtype;
    req->id = id;
    switch (idtype) {
    case P_ALL:
        return 0;
    case P_PID:
        return id > 0 ? 0 : -EINVAL;
    case P_PGID:
        if (id == 0)
            req->id = (pid_t)sys_getpgrp();
        return id >= 0 ? 0 : -EINVAL;
    case P_PIDFD:
        if (id < 0)
            return -EINVAL;
        err = pidfd_target(id, &target);
        if (err)
            return err;
        req->type = P_PID; /* of a thread that leads no process: nobody waits for that */
        req->id = target.thread ? READ_ONCE(target.thread->tid) : target.process->pid;
        pidfd_target_put(&target);
        return target.nonblocking ? 1 : 0;
    default:
        return -EINVAL;
    }
}

long sys_waitid(int idtype, pid_t id, siginfo_t __user *infop, int options,
                struct rusage __user *rusage)
{
    struct wait_request req = {.options = (u32)options};
    bool poll = false;
    long err = 0;

    if (options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE |
                    __WALL) ||
        !(options & (WEXITED | WSTOPPED | WCONTINUED)))
        err = -EINVAL;
    if (!err)
        err = waitid_who(idtype, id, &req);
    if (err > 0) { /* PIDFD_NONBLOCK: pidfd_open(2) */
        poll = !(options & WNOHANG);
        req.options |= WNOHANG;
        err = 0;
    }
    if (!err)
        err = wait_run(&req);
    if (!err && !req.pid && poll)
        err = -EAGAIN;
    if (req.pid && rusage) {
        struct rusage usage;

        usage_to_rusage(&req.usage, &usage);
        if (copy_to_user(rusage, &usage, sizeof usage) != 0)
            return -EFAULT;
    }
    if (infop && put_info(infop, &req) != 0)
        return -EFAULT;
    return err;
}
