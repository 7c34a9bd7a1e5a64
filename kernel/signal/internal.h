/* kernel/signal/internal.h: what the files of signal/ share. */
#ifndef SIGNAL_INTERNAL_H
#define SIGNAL_INTERNAL_H

#include "signal/signal.h"
#include "task/task.h"

enum signal_default {
    DEFAULT_TERMINATE,
    DEFAULT_CORE,
    DEFAULT_IGNORE,
    DEFAULT_STOP,
    DEFAULT_CONTINUE
};
enum signal_default signal_default(int signo);

#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
#define STOP_SIGNALS                                                                               \
    (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#define SYNCHRONOUS_SIGNALS                                                                        \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) |         \
     SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS))

void signal_queue_init(struct signal_queue *queue);
void signal_queue_flush(struct process *process, struct signal_queue *queue, u64 set);
int signal_dequeue_locked(struct task *task, u64 set, siginfo_t *info);
/* After the lock is free: tells a timer that its signal was taken. */
void signal_taken(struct process *process, int signo, siginfo_t *info);
void signal_wake_task(struct task *task); /* tasks_lock held */

/* calls.c: what sigaltstack(2) says at a stack pointer, and sets. */
u32 altstack_state(const struct altstack *alt, u64 sp);
int altstack_set(struct altstack *alt, const stack_t *new_stack, u64 sp);

/* frame.c: lets the calling thread run a handler; -EFAULT when its stack cannot take the frame. */
int signal_frame_push(const struct signal_action *action, const siginfo_t *info, u64 mask);

#endif
