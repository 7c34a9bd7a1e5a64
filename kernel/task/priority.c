/* kernel/task/priority.c: getpriority(2), setpriority(2): nice values; ioprio_get(2), ioprio_set(2). */
#include "base/errno.h"
#include "syscall_proto.h"
#include "task/internal.h"
#include "task/limits.h"

#include <linux/ioprio.h>
#include <linux/resource.h>
#include <myst/boot.h>

/* Which threads a call is about, and what it does with each. */
struct priority_walk {
    int which, who;
    uid_t uid;
    int (*visit)(struct task *task, void *arg); /* tasks_lock held */
    void *arg;
};

static bool is_meant(const struct priority_walk *walk, struct task *task)
{
    switch (walk->which) {
    case PRIO_PROCESS:
        return task->tid == walk->who;
    case PRIO_PGRP:
        return process_group_id(task->process) == walk->who;
    default:
        return task_uid_locked(task) == walk->uid;
    }
}

static void walk_visit(const struct priority_walk *walk, struct task *task, int *result)
{
    int err;

    if (!is_meant(walk, task))
        return;
    err = walk->visit(task, walk->arg);
    if (err || *result == -ESRCH)
        *result = err;
}

/* The last error, 0, or -ESRCH when nobody was meant. */
static int walk_run(struct priority_walk *walk)
{
    struct process *process;
    struct task *task;
    int result = -ESRCH;

    if (walk->which == PRIO_PROCESS && walk->who == 0)
        walk->who = task_self()->tid;
    walk->uid = walk->who ? (uid_t)walk->who : cred_current()->uid;
    spin_lock(&tasks_lock);
    if (walk->which == PRIO_PGRP && walk->who == 0)
        walk->who = process_group_id(process_self());
    walk_visit(walk, init_process.leader, &result);
    for_each_process(process) {
        for_each_thread(task, process)
            walk_visit(walk, task, &result);
    }
    spin_unlock(&tasks_lock);
    return result;
}

static int get_best(struct task *task, void *arg)
{
    int *best = arg;

    *best = MIN(*best, task->sched.nice);
    return 0;
}

long sys_getpriority(int which, int who)
{
    int best = NICE_MAX;
    struct priority_walk walk = {.which = which, .who = who, .visit = get_best, .arg = &best};
    int err;

    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    err = walk_run(&walk);
    return err ? err : 20 - best; /* 40 to 1, so that no result looks like an error */
}

static int set_nice(struct task *task, void *arg)
{
    const struct cred *me = cred_current();
    AUTO(cred_put) const struct cred *cred = task->self ? cred_of(task->self) : NULL;
    int nice = *(int *)arg;

    if (!cred_capable(me, CAP_SYS_NICE) &&
        (!cred || (me->euid != cred->uid && me->euid != cred->euid)))
        return -EPERM;
    if (nice < task->sched.nice && !cred_capable(me, CAP_SYS_NICE) &&
        (u64)(20 - nice) > process_rlimit(task->process, RLIMIT_NICE))
        return -EACCES;
    task->sched.nice = nice;
    return 0;
}

long sys_setpriority(int which, int who, int prio)
{
    int nice = MAX(MIN(prio, NICE_MAX), NICE_MIN);
    struct priority_walk walk = {.which = which, .who = who, .visit = set_nice, .arg = &nice};

    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    return walk_run(&walk);
}

/* --- input and output priorities: kept and shown; there is no queue of requests to sort ------------- */

#define IOPRIO_LEVELS 8

int ioprio_check(int ioprio)
{
    switch (IOPRIO_PRIO_CLASS(ioprio)) {
    case IOPRIO_CLASS_RT:
        if (!capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
            return -EPERM;
        return IOPRIO_PRIO_DATA(ioprio) < IOPRIO_LEVELS ? 0 : -EINVAL;
    case IOPRIO_CLASS_BE:
        return IOPRIO_PRIO_DATA(ioprio) < IOPRIO_LEVELS ? 0 : -EINVAL;
    case IOPRIO_CLASS_IDLE:
        return 0;
    case IOPRIO_CLASS_NONE:
        return IOPRIO_PRIO_DATA(ioprio) ? -EINVAL : 0;
    default:
        return -EINVAL;
    }
}

/* The walk's classes of targets are numbered from another start here. */
static bool ioprio_which(int which, struct priority_walk *walk)
{
    walk->which = which - IOPRIO_WHO_PROCESS + PRIO_PROCESS;
    return which >= IOPRIO_WHO_PROCESS && which <= IOPRIO_WHO_USER;
}

static int set_ioprio(struct task *task, void *arg)
{
    const struct cred *me = cred_current();
    uid_t uid = task_uid_locked(task);

    if (me->uid != uid && me->euid != uid && !cred_capable(me, CAP_SYS_NICE))
        return -EPERM;
    task->ioprio = *(int *)arg;
    return 0;
}

long sys_ioprio_set(int which, int who, u32 value)
{
    int ioprio = (int)value;
    struct priority_walk walk = {.who = who, .visit = set_ioprio, .arg = &ioprio};
    int err = ioprio_check(ioprio);

    if (err)
        return err;
    return ioprio_which(which, &walk) ? walk_run(&walk) : -EINVAL;
}

/* ioprio_get(2): of several the highest, and no class counts as best effort. */
static int best_ioprio(struct task *task, void *arg)
{
    int *best = arg, ioprio = task->ioprio;

    if (*best < 0 || IOPRIO_PRIO_CLASS(*best) == IOPRIO_CLASS_NONE)
        *best = ioprio;
    else if (IOPRIO_PRIO_CLASS(ioprio) != IOPRIO_CLASS_NONE)
        *best = MIN(*best, ioprio);
    return 0;
}

long sys_ioprio_get(int which, int who)
{
    int best = -1;
    struct priority_walk walk = {.who = who, .visit = best_ioprio, .arg = &best};
    int err;

    if (!ioprio_which(which, &walk))
        return -EINVAL;
    err = walk_run(&walk);
    return err ? err : best;
}
