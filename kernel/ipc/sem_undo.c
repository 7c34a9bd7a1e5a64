/*
 * kernel/ipc/sem_undo.c: SEM_UNDO of semop(2): what a process did to semaphores is taken back when it ends.
 *
 * The list belongs to the threads that share it by CLONE_SYSVSEM; the last one that leaves takes everything back.
 * A thread's list is made when it is first needed, by the thread itself or when it makes one that shares it.
 */
#include "base/string.h"
#include "ipc/sysv_internal.h"
#include "mm/alloc.h"
#include "task/task.h"

#include <linux/sched.h>
#include <linux/sem.h>

struct sem_undo_list {
    struct refcount ref;    /* threads */
    struct spinlock lock;   /* class UNDO_LIST, taken before a set's */
    struct list_head undos; /* lock; undo->of_list */
};

/* The caller's, or NULL. */
static struct sem_undo_list *list_of_self(void)
{
    struct task *task = task_self();
    struct sem_undo_list *list = task->undo_list;

    if (list)
        return list;
    list = kzalloc(sizeof(*list));
    if (!list)
        return NULL;
    refcount_init(&list->ref, 1);
    spin_init(&list->lock, UNDO_LIST);
    list_init(&list->undos);
    spin_lock(&tasks_lock);
    task->undo_list = list;
    spin_unlock(&tasks_lock);
    return list;
}

static void undo_free(struct sem_undo *undo)
{
    list_del(&undo->of_list);
    ipc_put(&undo->set->object);
    kfree(undo);
}

/* Also forgets those of sets that have been removed meanwhile. */
static struct sem_undo *find_locked(struct sem_undo_list *list, const struct sem_set *set)
{
    struct sem_undo *undo, *next, *found = NULL;

    list_for_each_entry_safe(undo, next, &list->undos, of_list) {
        if (undo->set == set)
            found = undo;
        else if (ipc_lock(&undo->set->object) == 0)
            ipc_unlock(&undo->set->object);
        else
            undo_free(undo);
    }
    return found;
}

static struct sem_undo *undo_create(struct sem_set *set)
{
    struct sem_undo *undo = kzalloc(sizeof(*undo) + set->n * sizeof(undo->adjust[0]));

    if (!undo)
        return NULL;
    ipc_get(&set->object);
    undo->set = set;
    list_init(&undo->of_list);
    list_init(&undo->of_set);
    return undo;
}

struct sem_undo *sem_undo_get(struct sem_set *set)
{
    struct sem_undo_list *list = list_of_self();
    struct sem_undo *undo, *fresh;
    int err = 0;

    if (!list)
        return ERR_PTR(-ENOMEM);
    spin_lock(&list->lock);
    undo = find_locked(list, set);
    spin_unlock(&list->lock);
    if (undo)
        return undo;

    fresh = undo_create(set);
    if (!fresh)
        return ERR_PTR(-ENOMEM);
    spin_lock(&list->lock);
    undo = find_locked(list, set);
    if (!undo)
        err = ipc_lock(&set->object);
    if (!undo && !err) {
        undo = TAKE(fresh);
        list_add_tail(&undo->of_list, &list->undos);
        list_add_tail(&undo->of_set, &set->undos);
        ipc_unlock(&set->object);
    }
    spin_unlock(&list->lock);
    if (fresh)
        undo_free(fresh);
    return err ? ERR_PTR(err) : undo;
}

void sem_undo_forget(struct sem_set *set, u32 semaphore)
{
    struct sem_undo *undo;

    list_for_each_entry(undo, &set->undos, of_set)
        undo->adjust[semaphore] = 0;
}

/* A value that cannot be reached is approached as far as it goes. */
static void undo_apply(struct sem_undo *undo)
{
    struct sem_set *set = undo->set;

    for (u32 i = 0; i < set->n; i++) {
        struct sem *sem = &set->sems[i];

        if (!undo->adjust[i])
            continue;
        sem->value = MIN(MAX(sem->value + undo->adjust[i], 0), SEMVMX);
        sem->pid = process_self()->pid;
        set->otime = ipc_now();
    }
    list_del(&undo->of_set);
    sem_serve_waiters(set);
}

static void release(struct task *task)
{
    struct sem_undo_list *list = task->undo_list;
    struct sem_undo *undo, *next;

    if (!list)
        return;
    spin_lock(&tasks_lock);
    task->undo_list = NULL;
    spin_unlock(&tasks_lock);
    if (!refcount_put(&list->ref))
        return;
    list_for_each_entry_safe(undo, next, &list->undos, of_list) {
        if (ipc_lock(&undo->set->object) == 0) {
            undo_apply(undo);
            ipc_unlock(&undo->set->object);
        }
        undo_free(undo);
    }
    kfree(list);
}

static long inherit(struct task *child, u64 flags)
{
    struct sem_undo_list *list;

    if (!(flags & CLONE_SYSVSEM))
        return 0;
    list = list_of_self();
    if (!list)
        return -ENOMEM;
    refcount_get(&list->ref);
    child->undo_list = list;
    return 0;
}

void sem_undo_start(void)
{
    task_hooks.undo_release = release;
    task_hooks.fork = inherit;
}
