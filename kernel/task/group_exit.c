/* kernel/task/group_exit.c: exit_group(2), deaths by signal, and threads that make way for an exec. */
#include "task/internal.h"

#include "base/atomic.h"
#include "base/errno.h"
#include "mm/mm.h"
#include "rewrite/rewrite.h"
#include "syscall_proto.h"
#include "vfs/file.h"

#define STATUS_CORE 0x80 /* wait(2), WCOREDUMP */

/* Tells the process's threads, all but one, that they have to go. */
static void end_threads_locked(struct process *process, const struct task *but)
{
    struct task *task;

    for_each_thread(task, process) {
        if (task == but)
            continue;
        atomic_store_release(&task->dying, true);
        task_mark(task, PENDING_FREEZE);
    }
}

static void end_locked(struct process *process, int status, const struct task *but)
{
    if (process->ending)
        return;
    WRITE_ONCE(process->ending, true);
    WRITE_ONCE(process->exit_status, status);
    end_threads_locked(process, but);
}

void process_end_locked(struct process *process, int status)
{
    end_locked(process, status, NULL);
}

void process_end(int status)
{
    spin_lock(&tasks_lock);
    end_locked(process_self(), status, NULL);
    spin_unlock(&tasks_lock);
}

void process_exit(int status)
{
    spin_lock(&tasks_lock);
    end_locked(process_self(), status, task_self());
    spin_unlock(&tasks_lock);
    task_exit(0);
}

void process_exit_by_signal(int signo, bool core)
{
    process_exit(signo | (core ? STATUS_CORE : 0));
}

void task_exit_killed(void)
{
    struct task *task = task_self();

    if (!task_is_leaving(task))
        process_exit_by_signal(SIGKILL, false);
    task_exit(0);
}

/* The oldest number stays: a thread other than the leader takes its place. */
static struct task *take_over_locked(struct task *task)
{
    struct process *process = task->process;
    struct task *old = process->leader;

    if (old == task)
        return NULL;
    task->number->task = NULL;
    pid_release_locked(task->number);
    old->number = NULL;
    task->number = process->number;
    task->number->task = task;
    task->tid = process->pid;
    process->leader = task_get(task);
    return old;
}

int process_single_thread(void)
{
    struct task *task = task_self(), *old = NULL;
    struct process *process = task->process;
    int err = 0;

    spin_lock(&tasks_lock);
    if (process->ending || process->exec || task_is_leaving(task)) {
        err = -EAGAIN;
    } else if (process->nthreads > 1 || process->leader != task) {
        process->exec = task;
        end_threads_locked(process, task);
        err = wait_event_kind(&process->ended, &tasks_lock, process->nthreads == 1, WAIT_KILLABLE,
                              KTIME_FOREVER);
        process->exec = NULL;
        if (err || process->ending)
            err = -EAGAIN;
        else
            old = take_over_locked(task);
    }
    spin_unlock(&tasks_lock);
    if (old)
        task_put(old);
    return err;
}

long sys_exit(s32 status)
{
    task_exit(status);
}

long sys_exit_group(s32 status)
{
    process_exit((status & 0xff) << 8);
}

/* A mark is set: the thread is on its way back to the program. */
void upcall_exit_work(void)
{
    struct self *me = self();

    if (!me->task) {
        __atomic_store_n(&me->thread.pending, 0, __ATOMIC_SEQ_CST);
        return;
    }
    u32 marks =
        atomic_fetch_and(&me->thread.pending, ~(u32)(PENDING_FREEZE | PENDING_WORK | PENDING_CPU));

    if ((marks & PENDING_FREEZE) && task_is_leaving(me->task))
        task_exit_killed();
    if (marks & PENDING_CPU) {
        task_clock_show();
        cpu_limit_check();
    }
    if (marks & PENDING_WORK)
        mm_catch_up();
    if (marks & PENDING_ASYNC)
        file_async_tell();
    if ((s64)me->thread.regs.orig_rax < 0)
        rewrite_settle(); /* it was interrupted anywhere */
    signal_deliver();
}
