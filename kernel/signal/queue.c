/* kernel/signal/queue.c: pending signals: sending, waking, taking (signal(7)). */
#include "base/errno.h"
#include "base/string.h"
#include "cred/cred.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "signal/internal.h"

#include <linux/resource.h>

struct signal_entry {
    struct list_head link;
    siginfo_t info;
};

void siginfo_init(siginfo_t *info, int signo, int code)
{
    memset(info, 0, sizeof(*info));
    info->si_signo = signo;
    info->si_code = code;
}

void siginfo_kernel(siginfo_t *info, int signo)
{
    siginfo_init(info, signo, SI_KERNEL);
}

void siginfo_user(siginfo_t *info, int signo, int code)
{
    siginfo_init(info, signo, code);
    info->si_pid = process_self()->pid;
    info->si_uid = self()->cred->uid;
}

void signal_queue_init(struct signal_queue *queue)
{
    queue->set = 0;
    list_init(&queue->entries);
}

/* Drops the pending signals of a set. Under sighand->lock. */
void signal_queue_flush(struct process *process, struct signal_queue *queue, u64 set)
{
    struct signal_entry *entry, *next;

    WRITE_ONCE(queue->set, queue->set & ~set);
    list_for_each_entry_safe(entry, next, &queue->entries, link) {
        if (!(set & SIGNAL_BIT(entry->info.si_signo)))
            continue;
        list_del(&entry->link);
        process->signals.queued--;
        kfree(entry);
    }
}

/*
 * A standard signal that is pending already is not queued twice. One without memory or above the limit still
 * becomes pending, but loses what came with it, unless it is a real-time signal that a program sent.
 */
static int queue_add(struct process *process, struct signal_queue *queue, const siginfo_t *info)
{
    int signo = info->si_signo;
    struct signal_entry *entry;

    if (signo < SIGRTMIN && (queue->set & SIGNAL_BIT(signo)))
        return 0;
    entry = process->signals.queued < READ_ONCE(process->limits[RLIMIT_SIGPENDING].rlim_cur) ||
                    (signo < SIGRTMIN && info->si_code >= 0)
                ? kmalloc(sizeof(*entry))
                : NULL;
    if (!entry && signo >= SIGRTMIN && info->si_code != SI_USER)
        return -EAGAIN;
    WRITE_ONCE(queue->set, queue->set | SIGNAL_BIT(signo));
    if (entry) {
        entry->info = *info;
        list_add_tail(&entry->link, &queue->entries);
        process->signals.queued++;
    }
    return 0;
}

/* Under sighand->lock. */
static bool action_ignores(const struct sighand *sighand, int signo)
{
    u64 handler = sighand->actions[signo - 1].handler;

    return handler == (u64)SIG_IGN ||
           (handler == (u64)SIG_DFL && signal_default(signo) == DEFAULT_IGNORE);
}

/* Does the thread act on it when it comes, by its action or by sigtimedwait(2)? */
static bool takes(const struct task *task, int signo)
{
    return (~task->signals.blocked | task->signals.awaited) & SIGNAL_BIT(signo);
}

static bool keeps(const struct task *task, int signo)
{
    return (task->signals.blocked | task->signals.awaited) & SIGNAL_BIT(signo);
}

/* Does sending it come to nothing? One that is blocked may be unblocked or waited for, so it stays. */
static bool is_discarded(struct process *process, const struct task *task, int signo)
{
    bool kept = true;

    if (!action_ignores(process->signals.sighand, signo))
        return false;
    if (task)
        return !keeps(task, signo);
    for_each_thread(task, process) {
        kept = kept && keeps(task, signo);
        if (task->signals.awaited & SIGNAL_BIT(signo))
            return false;
    }
    return !kept;
}

/* Makes a thread look at its signals. */
void signal_wake_task(struct task *task)
{
    if (task->self)
        task_mark(task, PENDING_SIGNAL);
}

static void wake_all(struct process *process)
{
    struct task *task;

    for_each_thread(task, process) {
        signal_wake_task(task);
    }
    waitq_wake(&process->signals.changed, 0);
}

/* A stop signal cancels what would continue, and the other way round: signal(7), "Signal numbering". */
static void cancel_opposites(struct process *process, int signo)
{
    u64 set = signo == SIGCONT ? STOP_SIGNALS : SIGNAL_BIT(SIGCONT);
    struct task *task;

    if (signo != SIGCONT && !(STOP_SIGNALS & SIGNAL_BIT(signo)))
        return;
    signal_queue_flush(process, &process->signals.pending, set);
    for_each_thread(task, process) {
        signal_queue_flush(process, &task->signals.pending, set);
    }
}

/* SIGCONT acts when it is sent, whatever becomes of it afterwards. True: the parent has to be told. */
static bool continue_process(struct process *process)
{
    bool had_stopped = process->signals.stop_signal && process->signals.stop_running == 0;

    if (process->signals.stop_signal) {
        WRITE_ONCE(process->signals.stop_signal, 0);
        process->signals.stop_running = 0;
        wake_all(process);
    }
    return had_stopped;
}

/* The signal of all threads: nothing else matters to them any more. tasks_lock held. */
static void kill_process(struct process *process)
{
    WRITE_ONCE(process->signals.stop_signal, 0);
    process_end_locked(process, SIGKILL);
    wake_all(process);
}

/* Whom a signal of the process wakes: the main thread if it takes it, else any that does. */
static void wake_taker(struct process *process, int signo)
{
    struct task *task;

    for_each_thread(task, process) {
        if (takes(task, signo) && !task->signals.stopped) {
            signal_wake_task(task);
            return;
        }
    }
}

/* tasks_lock and sighand->lock are held: the one for the threads, the other for the queues. */
static int send_locked(struct process *process, struct task *task, const siginfo_t *info,
                       bool *continued)
{
    int signo = info->si_signo;
    int err;

    cancel_opposites(process, signo);
    if (signo == SIGCONT)
        *continued = continue_process(process);
    if (signo == SIGKILL) {
        kill_process(process);
        return 0;
    }
    if (is_discarded(process, task, signo))
        return 0;
    err = queue_add(process, task ? &task->signals.pending : &process->signals.pending, info);
    if (err)
        return err;
    if (!task)
        wake_taker(process, signo);
    else if (takes(task, signo))
        signal_wake_task(task);
    waitq_wake(&process->signals.arrived, 0);
    return 0;
}

int signal_send_locked(struct process *process, struct task *task, const siginfo_t *info)
{
    struct sighand *sighand = process->signals.sighand;
    bool continued = false;
    int err;

    if (process->state != PROCESS_ALIVE || process->pid == PID_INIT)
        return 0;
    spin_lock(&sighand->lock);
    err = send_locked(process, task, info, &continued);
    spin_unlock(&sighand->lock);
    if (continued)
        process_continued_locked(process);
    return err;
}

int signal_send_task(struct task *task, const siginfo_t *info)
{
    int err = 0;

    spin_lock(&tasks_lock);
    if (!task->exited)
        err = signal_send_locked(task->process, task, info);
    spin_unlock(&tasks_lock);
    return err;
}

int signal_send_process(struct process *process, const siginfo_t *info)
{
    int err;

    spin_lock(&tasks_lock);
    err = signal_send_locked(process, NULL, info);
    spin_unlock(&tasks_lock);
    return err;
}

/* --- taking ---------------------------------------------------------------------------------------------- */

/* Faults come before what others sent; else the lowest number goes first. */
static int lowest(u64 set)
{
    if (set & SYNCHRONOUS_SIGNALS)
        set &= SYNCHRONOUS_SIGNALS;
    return set ? __builtin_ctzll(set) + 1 : 0;
}

static int queue_take(struct process *process, struct signal_queue *queue, u64 mask,
                      siginfo_t *info)
{
    struct signal_entry *entry, *found = NULL;
    int signo = lowest(queue->set & mask);
    bool more = false;

    if (!signo)
        return 0;
    list_for_each_entry(entry, &queue->entries, link) {
        if (entry->info.si_signo != signo)
            continue;
        more = found != NULL;
        if (more)
            break;
        found = entry;
    }
    if (!more)
        WRITE_ONCE(queue->set, queue->set & ~SIGNAL_BIT(signo));
    if (!found) { /* what came with it was lost for want of memory */
        siginfo_init(info, signo, SI_USER);
        return signo;
    }
    *info = found->info;
    list_del(&found->link);
    process->signals.queued--;
    kfree(found);
    return signo;
}

int signal_dequeue_locked(struct task *task, u64 set, siginfo_t *info)
{
    struct process *process = task->process;
    int signo = queue_take(process, &task->signals.pending, set, info);

    return signo ? signo : queue_take(process, &process->signals.pending, set, info);
}

int signal_dequeue(u64 set, siginfo_t *info)
{
    struct task *task = task_self();
    struct sighand *sighand = task->process->signals.sighand;
    int signo;

    spin_lock(&sighand->lock);
    signo = signal_dequeue_locked(task, set, info);
    spin_unlock(&sighand->lock);
    signal_taken(task->process, signo, info);
    return signo;
}

void signal_taken(struct process *process, int signo, siginfo_t *info)
{
    if (signo && info->si_code == SI_TIMER)
        info->si_overrun = posix_timer_taken(process, info->si_tid, info->si_overrun);
}

u64 signal_pending_set(void)
{
    struct task *task = task_self();

    return signal_queue_set(&task->signals.pending) |
           signal_queue_set(&task->process->signals.pending);
}

/* Signals that the calling thread would act on now. */
static u64 deliverable(const struct task *task)
{
    return signal_pending_set() & (~task->signals.blocked | task->signals.awaited);
}

bool signal_pending(bool fatal_only)
{
    struct task *task = task_self();

    if (!task)
        return false;
    if (task_is_leaving(task_self()))
        return true;
    if (fatal_only)
        return false;
    if (READ_ONCE(task->process->signals.stop_signal) && !READ_ONCE(task->signals.stopped))
        return true;
    return deliverable(task) != 0;
}

void signal_recalc(void)
{
    if (signal_pending(false))
        __atomic_fetch_or(&self()->thread.pending, PENDING_SIGNAL, __ATOMIC_SEQ_CST);
}

void signal_settle(void)
{
    __atomic_fetch_and(&self()->thread.pending, ~PENDING_SIGNAL, __ATOMIC_SEQ_CST);
    signal_recalc();
}
