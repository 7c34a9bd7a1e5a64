/* kernel/signal/action.c: struct sighand and the parts of tasks and processes: made, copied, reset, released. */
#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/internal.h"
#include "vfs/file.h"

#include <myst/boot.h>

static void signal_self(int signo)
{
    siginfo_t info;

    siginfo_user(&info, signo, SI_USER);
    signal_send_task(task_self(), &info);
}

/* Who sleeps tells first what its call has caused so far: the owner may have to act for the sleep to end. */
static bool sleep_is_over(bool fatal_only)
{
    if (file_async_due())
        file_async_tell();
    return signal_pending(fatal_only);
}

void signal_start(const struct boot_info *boot)
{
    struct task *task = task_self();

    wait_signal_pending = sleep_is_over;
    timers_start();
    vfs_signal = signal_self;
    vfs_signal_owner = signal_owner;
    task->signals.blocked = boot->blocked_signals & ~UNBLOCKABLE;
    for (int i = 0; i < SIGNALS; i++) {
        if (boot->ignored_signals & SIGNAL_BIT(i + 1) & ~UNBLOCKABLE)
            task->process->signals.sighand->actions[i].handler = (u64)SIG_IGN;
    }
}

struct sighand *sighand_create(void)
{
    struct sighand *sighand = kzalloc(sizeof(*sighand));

    if (!sighand)
        return NULL;
    refcount_init(&sighand->count, 1);
    spin_init(&sighand->lock, SIGHAND);
    return sighand;
}

void sighand_get(struct sighand *sighand)
{
    refcount_get(&sighand->count);
}

void sighand_put(struct sighand *sighand)
{
    if (sighand && refcount_put(&sighand->count))
        kfree(sighand);
}

static struct sighand *sighand_copy(struct sighand *from)
{
    struct sighand *sighand = sighand_create();

    if (!sighand)
        return NULL;
    spin_lock(&from->lock);
    memcpy(sighand->actions, from->actions, sizeof(sighand->actions));
    spin_unlock(&from->lock);
    return sighand;
}

int signal_process_init(struct process *process, const struct process *parent, bool share)
{
    struct process_signals *s = &process->signals;

    signal_queue_init(&s->pending);
    s->queued = 0;
    s->stop_signal = 0;
    s->stop_running = 0;
    waitq_init(&s->changed, "signals");
    waitq_init(&s->arrived, "signal arrival");
    process_timers_init(process);
    if (!parent) {
        s->sighand = sighand_create();
    } else if (share) {
        s->sighand = parent->signals.sighand;
        sighand_get(s->sighand);
    } else {
        s->sighand = sighand_copy(parent->signals.sighand);
    }
    return s->sighand ? 0 : -ENOMEM;
}

static void queue_release(struct process *process, struct signal_queue *queue)
{
    struct sighand *sighand = process->signals.sighand;

    spin_lock(&sighand->lock);
    signal_queue_flush(process, queue, ~0ULL);
    spin_unlock(&sighand->lock);
}

void signal_process_release(struct process *process)
{
    if (!process->signals.sighand)
        return;
    queue_release(process, &process->signals.pending);
    sighand_put(process->signals.sighand);
    process->signals.sighand = NULL;
}

void signal_task_init(struct task *task, const struct task *parent, bool keep_altstack)
{
    struct task_signals *s = &task->signals;

    memset(s, 0, sizeof(*s));
    signal_queue_init(&s->pending);
    s->altstack.flags = SS_DISABLE;
    if (!parent)
        return;
    s->blocked = parent->signals.blocked;
    if (keep_altstack)
        s->altstack = parent->signals.altstack;
}

void signal_task_release(struct task *task)
{
    queue_release(task->process, &task->signals.pending);
}

int signal_exec_unshare(struct process *process)
{
    struct sighand *old = process->signals.sighand, *own;

    if (refcount_read(&old->count) == 1)
        return 0;
    own = sighand_copy(old);
    if (!own)
        return -ENOMEM;
    process->signals.sighand = own;
    sighand_put(old);
    return 0;
}

static void handlers_reset(struct sighand *sighand)
{
    spin_lock(&sighand->lock);
    for (int i = 0; i < SIGNALS; i++) {
        struct signal_action *action = &sighand->actions[i];

        if (action->handler != (u64)SIG_IGN)
            action->handler = (u64)SIG_DFL;
        action->flags = 0;
        action->restorer = 0;
        action->mask = 0;
    }
    spin_unlock(&sighand->lock);
}

void signal_exec_reset(struct task *task)
{
    handlers_reset(task->process->signals.sighand);
    task->signals.altstack = (struct altstack){.flags = SS_DISABLE};
    task->signals.restart.resume = NULL;
    task->signals.restore_mask = false;
}

void signal_clear_handlers(struct process *process)
{
    handlers_reset(process->signals.sighand);
}

bool signal_is_ignored(struct process *process, int signo)
{
    return READ_ONCE(process->signals.sighand->actions[signo - 1].handler) == (u64)SIG_IGN;
}

u64 signal_action_flags(struct process *process, int signo)
{
    return READ_ONCE(process->signals.sighand->actions[signo - 1].flags);
}

void signal_sets_read(struct task *task, struct signal_sets *out)
{
    struct sighand *sighand = task->process->signals.sighand;

    memset(out, 0, sizeof(*out));
    if (!sighand)
        return;
    spin_lock(&sighand->lock);
    out->pending = task->signals.pending.set;
    out->shared_pending = task->process->signals.pending.set;
    out->blocked = task->signals.blocked;
    for (int i = 0; i < SIGNALS; i++) {
        u64 handler = sighand->actions[i].handler;

        if (handler == (u64)SIG_IGN)
            out->ignored |= SIGNAL_BIT(i + 1);
        else if (handler != (u64)SIG_DFL)
            out->caught |= SIGNAL_BIT(i + 1);
    }
    spin_unlock(&sighand->lock);
}

/* --- the mask ------------------------------------------------------------------------------------------- */

u64 signal_mask_set(u64 mask)
{
    struct task *task = task_self();
    struct sighand *sighand = task->process->signals.sighand;
    u64 old = task->signals.blocked;

    spin_lock(&sighand->lock);
    task->signals.blocked = mask & ~UNBLOCKABLE;
    spin_unlock(&sighand->lock);
    signal_recalc();
    return old;
}

int signal_mask_temporary(const void __user *mask, size_t size)
{
    struct task_signals *s = &task_self()->signals;
    u64 set;

    if (!mask)
        return 0;
    if (size != sizeof(set))
        return -EINVAL;
    if (copy_from_user(&set, mask, sizeof(set)))
        return -EFAULT;
    s->saved_mask = signal_mask_set(set);
    s->restore_mask = true;
    return 0;
}

void signal_mask_restore(void)
{
    struct task_signals *s = &task_self()->signals;

    if (!s->restore_mask)
        return;
    s->restore_mask = false;
    signal_mask_set(s->saved_mask);
}
