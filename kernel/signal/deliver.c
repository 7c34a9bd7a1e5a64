/* kernel/signal/deliver.c: what a thread does about its signals on the way back to the program. */
#include "base/errno.h"
#include "self/self.h"
#include "signal/internal.h"

enum signal_default signal_default(int signo)
{
    switch (signo) {
    case SIGCHLD:
    case SIGURG:
    case SIGWINCH:
        return DEFAULT_IGNORE;
    case SIGCONT:
        return DEFAULT_CONTINUE;
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return DEFAULT_STOP;
    case SIGQUIT:
    case SIGILL:
    case SIGTRAP:
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
    case SIGXCPU:
    case SIGXFSZ:
    case SIGSYS:
        return DEFAULT_CORE;
    default:
        return DEFAULT_TERMINATE;
    }
}

/* --- interrupted calls: signal(7), "Interruption of system calls and library functions" ------------------ */

static bool was_call(const struct target_regs *regs)
{
    return (s64)regs->orig_rax >= 0;
}

static void call_again(struct target_regs *regs, u64 nr)
{
    regs->rax = nr;
    regs->rip -= 2; /* the syscall instruction */
    regs->orig_rax = (u64)-1;
}

/* With a handler about to run. */
static void restart_for_handler(struct target_regs *regs, const struct signal_action *action)
{
    if (!was_call(regs))
        return;
    switch ((s64)regs->rax) {
    case -ERESTARTNOINTR:
        call_again(regs, regs->orig_rax);
        break;
    case -ERESTARTSYS:
        if (action->flags & SA_RESTART)
            call_again(regs, regs->orig_rax);
        else
            regs->rax = (u64)-EINTR;
        break;
    case -ERESTARTNOHAND:
    case -ERESTART_RESTARTBLOCK:
        regs->rax = (u64)-EINTR;
        break;
    }
}

#define NR_restart_syscall 219

/* With no handler. */
static void restart_plain(struct target_regs *regs)
{
    if (!was_call(regs))
        return;
    switch ((s64)regs->rax) {
    case -ERESTARTNOINTR:
    case -ERESTARTSYS:
    case -ERESTARTNOHAND:
        call_again(regs, regs->orig_rax);
        break;
    case -ERESTART_RESTARTBLOCK:
        call_again(regs, NR_restart_syscall);
        break;
    }
}

long signal_restart_with(long (*resume)(struct restart_block *), const u64 args[6])
{
    struct restart_block *block = &task_self()->signals.restart;

    block->resume = resume;
    for (int i = 0; i < 6; i++)
        block->args[i] = args[i];
    return -ERESTART_RESTARTBLOCK;
}

/* --- stops -------------------------------------------------------------------------------------------------- */

/* The calling thread begins a stop of its whole process. */
static void stop_begin(struct process *process, struct sighand *sighand, int signo)
{
    struct task *task;

    spin_lock(&tasks_lock);
    spin_lock(&sighand->lock);
    /* a SIGCONT or SIGKILL may have come in between; the first also took pending stop signals away */
    if (!process->signals.stop_signal && !process->ending) {
        WRITE_ONCE(process->signals.stop_signal, signo);
        process->signals.stop_running = 0;
        for_each_thread(task, process) {
            process->signals.stop_running++;
            signal_wake_task(task);
        }
    }
    spin_unlock(&sighand->lock);
    spin_unlock(&tasks_lock);
}

/* One thread less that has yet to stop: the last one's parent is told. tasks_lock and sighand->lock are held. */
static int stop_count(struct process_signals *s)
{
    return s->stop_signal && s->stop_running > 0 && --s->stop_running == 0 ? s->stop_signal : 0;
}

/* Takes part in a stop that is under way: sleeps until it is over. */
static void stop_take_part(struct task *task, struct sighand *sighand)
{
    struct process_signals *s = &task->process->signals;
    int last;

    spin_lock(&tasks_lock);
    spin_lock(&sighand->lock);
    last = stop_count(s);
    task->signals.stopped = true;
    spin_unlock(&sighand->lock);
    if (last)
        process_stopped_locked(task->process, last);
    spin_unlock(&tasks_lock);

    spin_lock(&sighand->lock);
    wait_event_kind(&s->changed, &sighand->lock, !s->stop_signal || task_is_leaving(task),
                    WAIT_UNINTERRUPTIBLE, KTIME_FOREVER);
    task->signals.stopped = false;
    spin_unlock(&sighand->lock);
}

/* A thread ends while its process stops: the others need not wait for it. tasks_lock is held. */
void signal_thread_left_locked(struct process *process)
{
    struct process_signals *s = &process->signals;
    int last;

    spin_lock(&s->sighand->lock);
    last = stop_count(s);
    spin_unlock(&s->sighand->lock);
    if (last)
        process_stopped_locked(process, last);
}

static bool group_orphaned(struct process *process)
{
    bool orphaned;

    spin_lock(&tasks_lock);
    orphaned = group_is_orphaned_locked(process->group, NULL);
    spin_unlock(&tasks_lock);
    return orphaned;
}

/* No lock is held. */
static void act_default(struct task *task, struct sighand *sighand, int signo)
{
    struct process *process = task->process;

    switch (signal_default(signo)) {
    case DEFAULT_IGNORE:
    case DEFAULT_CONTINUE:
        return;
    case DEFAULT_STOP:
        /* nobody could continue it: setpgid(2), "orphaned process group" */
        if (signo == SIGSTOP || !group_orphaned(process))
            stop_begin(process, sighand, signo);
        return;
    case DEFAULT_TERMINATE:
    case DEFAULT_CORE:
        process_exit_by_signal(signo, false);
    }
}

static void run_handler(struct task *task, const struct signal_action *action,
                        const siginfo_t *info)
{
    struct task_signals *s = &task->signals;
    u64 return_mask = s->restore_mask ? s->saved_mask : s->blocked;
    u64 mask = s->blocked | action->mask;

    restart_for_handler(&self()->thread.regs, action);
    s->restore_mask = false;
    if (!(action->flags & SA_NODEFER))
        mask |= SIGNAL_BIT(info->si_signo);
    if (signal_frame_push(action, info, return_mask)) {
        signal_force_fatal(SIGSEGV);
        return;
    }
    signal_mask_set(mask);
}

/* Takes the next signal that is not ignored, with its action. 0: none. */
static int next_signal(struct task *task, struct sighand *sighand, struct signal_action *action,
                       siginfo_t *info)
{
    int signo;

    spin_lock(&sighand->lock);
    do {
        signo = signal_dequeue_locked(task, ~task->signals.blocked, info);
        if (signo)
            *action = sighand->actions[signo - 1];
    } while (signo && action->handler == (u64)SIG_IGN);
    if (signo && action->handler != (u64)SIG_DFL && (action->flags & SA_RESETHAND))
        sighand->actions[signo - 1].handler = (u64)SIG_DFL;
    spin_unlock(&sighand->lock);
    signal_taken(task->process, signo, info);
    return signo;
}

/* Stops, dies, or finds a handler to run: false when there is nothing left to do. */
void (*signal_trace)(const siginfo_t *info);

static bool next_handler(struct task *task, struct signal_action *action, siginfo_t *info)
{
    struct process *process = task->process;
    struct sighand *sighand = process->signals.sighand;
    int signo;

    for (;;) {
        if (task_is_leaving(task_self()))
            return false; /* the task room ends it */
        if (READ_ONCE(process->signals.stop_signal)) {
            stop_take_part(task, sighand);
            continue;
        }
        signo = next_signal(task, sighand, action, info);
        if (signo && unlikely(signal_trace))
            signal_trace(info);
        if (!signo || action->handler != (u64)SIG_DFL)
            return signo != 0;
        act_default(task, sighand, signo);
    }
}

void signal_deliver(void)
{
    struct task *task = task_self();
    struct signal_action action;
    siginfo_t info;

    __atomic_fetch_and(&self()->thread.pending, ~(u32)PENDING_SIGNAL, __ATOMIC_SEQ_CST);
    if (next_handler(task, &action, &info)) {
        run_handler(task, &action, &info);
        self()->thread.regs.orig_rax = (u64)-1;
        signal_recalc(); /* the next one is stacked on top, as Linux does */
        return;
    }
    restart_plain(&self()->thread.regs);
    signal_mask_restore();
}

/* --- forced signals ------------------------------------------------------------------------------------------- */

void signal_force(const siginfo_t *info)
{
    struct task *task = task_self();
    struct sighand *sighand = task->process->signals.sighand;
    u64 bit = SIGNAL_BIT(info->si_signo);
    struct signal_action *action = &sighand->actions[info->si_signo - 1];

    spin_lock(&sighand->lock);
    if (action->handler == (u64)SIG_IGN || (task->signals.blocked & bit)) {
        action->handler = (u64)SIG_DFL;
        task->signals.blocked &= ~bit;
    }
    spin_unlock(&sighand->lock);
    signal_send_task(task, info);
    signal_recalc();
}

void signal_force_fatal(int signo)
{
    struct task *task = task_self();
    struct sighand *sighand = task->process->signals.sighand;
    siginfo_t info;

    spin_lock(&sighand->lock);
    sighand->actions[signo - 1].handler = (u64)SIG_DFL;
    spin_unlock(&sighand->lock);
    siginfo_kernel(&info, signo);
    signal_force(&info);
}
