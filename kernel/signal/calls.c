/* kernel/signal/calls.c: the calls about actions, masks, alternate stacks and waiting for signals. */
#include "base/errno.h"
#include "host/clock.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/internal.h"
#include "syscall_proto.h"

#include <linux/time.h>

static bool signal_valid(int signo)
{
    return signo >= 1 && signo <= SIGNALS;
}

/* --- rt_sigaction(2) -------------------------------------------------------------------------------------- */

#define KNOWN_FLAGS                                                                                \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |             \
     SA_RESETHAND | SA_EXPOSE_TAGBITS | 0x04000000 /* SA_RESTORER */)

/* An action that ignores also drops what is pending: sigaction(2) and POSIX. */
static void drop_ignored(struct process *process, int signo)
{
    struct task *task;

    signal_queue_flush(process, &process->signals.pending, SIGNAL_BIT(signo));
    for_each_thread(task, process) {
        signal_queue_flush(process, &task->signals.pending, SIGNAL_BIT(signo));
    }
}

static bool comes_to_nothing(const struct signal_action *action, int signo)
{
    return action->handler == (u64)SIG_IGN ||
           (action->handler == (u64)SIG_DFL && signal_default(signo) == DEFAULT_IGNORE);
}

static void action_replace(int signo, const struct signal_action *action, struct signal_action *old)
{
    struct process *process = process_self();
    struct sighand *sighand = process->signals.sighand;
    bool drops = action && comes_to_nothing(action, signo);

    if (drops)
        spin_lock(&tasks_lock);
    spin_lock(&sighand->lock);
    *old = sighand->actions[signo - 1];
    if (action) {
        sighand->actions[signo - 1] = *action;
        sighand->actions[signo - 1].mask &= ~UNBLOCKABLE;
        sighand->actions[signo - 1].flags &= KNOWN_FLAGS;
    }
    if (drops)
        drop_ignored(process, signo);
    spin_unlock(&sighand->lock);
    if (drops)
        spin_unlock(&tasks_lock);
}

long sys_rt_sigaction(int signo, const struct sigaction __user *act,
                      struct sigaction __user *oldact, size_t size)
{
    struct signal_action new_action, old;

    if (size != sizeof(u64))
        return -EINVAL;
    if (!signal_valid(signo))
        return -EINVAL;
    if (act && copy_from_user(&new_action, act, sizeof(new_action)))
        return -EFAULT;
    if (act && (UNBLOCKABLE & SIGNAL_BIT(signo)))
        return -EINVAL;
    action_replace(signo, act ? &new_action : NULL, &old);
    if (oldact && copy_to_user(oldact, &old, sizeof(old)))
        return -EFAULT;
    return 0;
}

/* --- masks --------------------------------------------------------------------------------------------------- */

long sys_rt_sigprocmask(int how, const sigset_t __user *set, sigset_t __user *oldset, size_t size)
{
    u64 old = task_self()->signals.blocked;
    u64 mask;

    if (size != sizeof(u64))
        return -EINVAL;
    if (set) {
        if (copy_from_user(&mask, set, sizeof(mask)))
            return -EFAULT;
        switch (how) {
        case SIG_BLOCK:
            signal_mask_set(old | mask);
            break;
        case SIG_UNBLOCK:
            signal_mask_set(old & ~mask);
            break;
        case SIG_SETMASK:
            signal_mask_set(mask);
            break;
        default:
            return -EINVAL;
        }
    }
    if (oldset && copy_to_user(oldset, &old, sizeof(old)))
        return -EFAULT;
    return 0;
}

long sys_rt_sigpending(sigset_t __user *set, size_t size)
{
    u64 pending = signal_pending_set() & task_self()->signals.blocked;

    if (size > sizeof(u64))
        return -EINVAL;
    return copy_to_user(set, &pending, size);
}

/* Sleeps until a signal has to be acted on. */
static long wait_for_signal(void)
{
    struct process_signals *s = &process_self()->signals;

    spin_lock(&s->sighand->lock);
    wait_event(&s->changed, &s->sighand->lock, signal_pending(false), KTIME_FOREVER);
    spin_unlock(&s->sighand->lock);
    return -ERESTARTNOHAND;
}

long sys_pause(void)
{
    return wait_for_signal();
}

long sys_rt_sigsuspend(const sigset_t __user *mask, size_t size)
{
    int err;

    if (size != sizeof(u64))
        return -EINVAL;
    if (!mask)
        return -EFAULT;
    err = signal_mask_temporary(mask, size);
    return err ? err : wait_for_signal();
}

long sys_restart_syscall(void)
{
    struct restart_block *block = &task_self()->signals.restart;

    return block->resume ? block->resume(block) : -EINTR;
}

/* --- sigtimedwait(2) --------------------------------------------------------------------------------------- */

/* What is awaited wakes this thread though it is blocked, and is not discarded though it is ignored. */
static int take_or_wait(struct task *task, u64 set, ktime deadline, siginfo_t *info)
{
    struct process_signals *s = &task->process->signals;
    int signo, err = 0;

    spin_lock(&s->sighand->lock);
    signo = signal_dequeue_locked(task, set, info);
    if (!signo && deadline) {
        task->signals.awaited = set;
        err = wait_event(&s->changed, &s->sighand->lock, signal_pending(false), deadline);
        task->signals.awaited = 0;
        signo = signal_dequeue_locked(task, set, info);
    }
    spin_unlock(&s->sighand->lock);
    signal_taken(task->process, signo, info);
    signal_recalc();
    if (signo)
        return signo;
    return err == -ETIMEDOUT || !deadline ? -EAGAIN : -EINTR;
}

long sys_rt_sigtimedwait(const sigset_t __user *set, siginfo_t __user *info,
                         const struct timespec __user *timeout, size_t size)
{
    struct timespec ts;
    ktime deadline = KTIME_FOREVER;
    siginfo_t taken;
    u64 mask;
    int signo;

    if (size != sizeof(mask))
        return -EINVAL;
    if (copy_from_user(&mask, set, sizeof(mask)))
        return -EFAULT;
    if (timeout) {
        if (copy_from_user(&ts, timeout, sizeof(ts)))
            return -EFAULT;
        if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
            return -EINVAL;
        deadline = ts.tv_sec || ts.tv_nsec ? host_deadline(ts.tv_sec, ts.tv_nsec) : 0;
    }
    signo = take_or_wait(task_self(), mask & ~UNBLOCKABLE, deadline, &taken);
    if (signo > 0 && info && siginfo_to_user(info, &taken))
        return -EFAULT;
    return signo;
}

/* --- sigaltstack(2) ------------------------------------------------------------------------------------------ */

static bool on_altstack(const struct altstack *alt, u64 sp)
{
    return !(alt->flags & SS_AUTODISARM) && sp > alt->sp && sp - alt->sp <= alt->size;
}

u32 altstack_state(const struct altstack *alt, u64 sp)
{
    if (!alt->size)
        return SS_DISABLE;
    return on_altstack(alt, sp) ? SS_ONSTACK : 0;
}

int altstack_set(struct altstack *alt, const stack_t *new_stack, u64 sp)
{
    u32 mode = (u32)new_stack->ss_flags & ~SS_AUTODISARM;

    if (on_altstack(alt, sp))
        return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode == SS_DISABLE) {
        *alt = (struct altstack){.flags = (u32)new_stack->ss_flags};
        return 0;
    }
    if (new_stack->ss_size < MINSIGSTKSZ)
        return -ENOMEM;
    alt->sp = (u64)new_stack->ss_sp;
    alt->size = new_stack->ss_size;
    alt->flags = (u32)new_stack->ss_flags;
    return 0;
}

void altstack_get(const struct altstack *alt, stack_t *out, u64 sp)
{
    *out = (stack_t){
        .ss_sp = (void *)alt->sp,
        .ss_flags = (int)(altstack_state(alt, sp) | (alt->flags & SS_AUTODISARM)),
        .ss_size = alt->size,
    };
}

long sys_sigaltstack(const stack_t __user *ss, stack_t __user *old_ss)
{
    struct altstack *alt = &task_self()->signals.altstack;
    u64 sp = self()->thread.regs.rsp;
    stack_t new_stack, old;
    int err;

    altstack_get(alt, &old, sp);
    if (ss) {
        if (copy_from_user(&new_stack, ss, sizeof(new_stack)))
            return -EFAULT;
        err = altstack_set(alt, &new_stack, sp);
        if (err)
            return err;
    }
    if (old_ss && copy_to_user(old_ss, &old, sizeof(old)))
        return -EFAULT;
    return 0;
}

int siginfo_to_user(void __user *to, const siginfo_t *info)
{
    return copy_to_user(to, info, sizeof(*info));
}
