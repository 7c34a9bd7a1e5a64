/* kernel/task/pid.c: numbers of tasks, processes, groups and sessions. */
#include "task/internal.h"

#include "base/errno.h"
#include "base/idtable.h"
#include "mm/alloc.h"

/* Linux starts over here when the numbers are used up, and leaves the low ones to early processes. */
#define PID_WRAP 300

struct spinlock tasks_lock = SPINLOCK(TASKS);

static void numbers_free(void *mem, size_t size)
{
    (void)size;
    kfree(mem);
}

static void *numbers_alloc(size_t size)
{
    return kmalloc(size);
}

static const struct idtable_memory numbers_memory = {numbers_alloc, numbers_free};

static struct {
    struct idtable table; /* tasks_lock; of struct pid */
    u32 last;             /* tasks_lock */
} numbers;

int pid_start(void)
{
    idtable_init(&numbers.table, &numbers_memory);
    return 0;
}

static s64 next_number(struct pid *pid)
{
    s64 nr = -ENOSPC;

    if (numbers.last + 1 < PID_LIMIT)
        nr = idtable_alloc(&numbers.table, pid, numbers.last + 1, PID_LIMIT - 1);
    if (nr == -ENOSPC)
        nr = idtable_alloc(&numbers.table, pid, PID_WRAP, PID_LIMIT - 1);
    if (nr >= 0)
        numbers.last = (u32)nr;
    return nr == -ENOSPC ? -EAGAIN : nr;
}

struct pid *pid_alloc_locked(pid_t wanted)
{
    struct pid *pid = kzalloc(sizeof *pid);
    s64 nr;

    if (!pid)
        return ERR_PTR(-ENOMEM);
    if (wanted) {
        nr = idtable_insert(&numbers.table, (u32)wanted, pid);
        nr = nr ? nr : wanted;
    } else {
        nr = next_number(pid);
    }
    if (nr < 0) {
        kfree(pid);
        return ERR_PTR(nr);
    }
    pid->nr = (pid_t)nr;
    return pid;
}

void pid_release_locked(struct pid *pid)
{
    if (pid->task || pid->process || pid->group || pid->session)
        return;
    idtable_remove(&numbers.table, (u32)pid->nr);
    kfree(pid);
}

struct pid *pid_find_locked(pid_t nr)
{
    return nr > 0 ? idtable_find(&numbers.table, (u32)nr) : NULL;
}

pid_t pid_last(void)
{
    return (pid_t)__atomic_load_n(&numbers.last, __ATOMIC_RELAXED);
}

struct task *task_find_locked(pid_t tid)
{
    struct pid *pid = pid_find_locked(tid);

    return pid ? pid->task : NULL;
}

struct process *process_find_locked(pid_t nr)
{
    struct pid *pid = pid_find_locked(nr);

    return pid ? pid->process : NULL;
}

struct group *group_find_locked(pid_t id)
{
    struct pid *pid = pid_find_locked(id);

    return pid ? pid->group : NULL;
}

struct session *session_find_locked(pid_t id)
{
    struct pid *pid = pid_find_locked(id);

    return pid ? pid->session : NULL;
}

struct task *task_lookup(pid_t tid)
{
    struct task *task;

    spin_lock(&tasks_lock);
    task = task_find_locked(tid);
    if (task)
        task_get(task);
    spin_unlock(&tasks_lock);
    return task;
}

struct process *process_lookup(pid_t pid)
{
    struct process *process;

    spin_lock(&tasks_lock);
    process = process_find_locked(pid);
    if (process)
        process_get(process);
    spin_unlock(&tasks_lock);
    return process;
}

struct process *process_lookup_any(pid_t tid)
{
    struct process *process;
    struct pid *pid;

    spin_lock(&tasks_lock);
    pid = pid_find_locked(tid);
    process = pid ? pid->process : NULL;
    if (!process && pid && pid->task)
        process = pid->task->process;
    if (process)
        process_get(process);
    spin_unlock(&tasks_lock);
    return process;
}

/* --- groups and sessions ---------------------------------------------------------------------- */

struct session *session_create_locked(struct pid *pid, struct process *leader)
{
    struct session *session = kzalloc(sizeof *session);

    if (!session)
        return NULL;
    refcount_init(&session->ref, 1);
    session->id = pid->nr;
    session->leader = leader;
    list_init(&session->groups);
    pid->session = session;
    return session;
}

struct group *group_create_locked(struct pid *pid, struct session *session)
{
    struct group *group = kzalloc(sizeof *group);

    if (!group)
        return NULL;
    refcount_init(&group->ref, 1);
    refcount_get(&session->ref);
    group->id = pid->nr;
    group->session = session;
    list_init(&group->members);
    list_add_tail(&group->sibling, &session->groups);
    pid->group = group;
    return group;
}

void process_set_group_locked(struct process *process, struct group *group)
{
    struct group *old = process->group;

    if (old)
        list_del(&process->group_link);
    process->group = group;
    if (group)
        list_add_tail(&process->group_link, &group->members);
    if (!old)
        return;

    struct session *session = old->session;

    /* Its members alone keep a group's number, and its groups a session's. */
    if (list_empty(&old->members)) {
        struct pid *pid = pid_find_locked(old->id);

        list_del(&old->sibling);
        pid->group = NULL;
        pid_release_locked(pid);
        if (list_empty(&session->groups)) {
            pid = pid_find_locked(session->id);
            pid->session = NULL;
            pid_release_locked(pid);
        }
    }
    group_put(old);
}

void session_put(struct session *session)
{
    if (refcount_put(&session->ref))
        kfree(session);
}

void group_put(struct group *group)
{
    if (!refcount_put(&group->ref))
        return;
    session_put(group->session);
    kfree(group);
}
