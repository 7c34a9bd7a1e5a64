/*
 * kernel/signal/signal.h: signals: actions, queues, delivery (signal(7)).
 *
 * A process has one struct sighand, shared by its threads and by whoever was cloned with CLONE_SIGHAND. Its lock
 * protects the actions and the queues of the process and of all its threads.
 */
#ifndef SIGNAL_SIGNAL_H
#define SIGNAL_SIGNAL_H

#include "base/list.h"
#include "base/refcount.h"
#include "base/types.h"
#include "signal/timers.h"
#include "sync/sync.h"
#include "sync/waitq.h"

#include <linux/signal.h>

#define SIGNALS           64
#define SIGNAL_BIT(signo) (1ULL << ((signo)-1))

struct task;
struct file;
struct process;
struct self;
struct target_fault;

/* rt_sigaction(2)'s structure, as the ABI has it. */
struct signal_action {
    u64 handler; /* SIG_DFL, SIG_IGN, or an address */
    u64 flags;
    u64 restorer;
    u64 mask;
};

struct sighand {
    struct refcount count;
    struct spinlock lock;                  /* class SIGHAND */
    struct signal_action actions[SIGNALS]; /* lock */
};

/* Pending signals: a set, and what came with them, in order of arrival. */
struct signal_queue {
    u64 set;                  /* sighand->lock to write, in one piece; signal_queue_set() */
    struct list_head entries; /* sighand->lock; of struct signal_entry */
};

/* What is pending, without the lock: who sends a signal marks its thread after that, which then looks again. */
static inline u64 signal_queue_set(const struct signal_queue *queue)
{
    return READ_ONCE(queue->set);
}

struct altstack {
    u64 sp, size;
    u32 flags; /* SS_DISABLE, SS_AUTODISARM */
};

/* What restart_syscall(2) goes on with. */
struct restart_block {
    long (*resume)(struct restart_block *block); /* NULL: nothing, -EINTR */
    u64 args[6];
};

/* The part of a thread. Embedded in struct task. */
struct task_signals {
    struct signal_queue pending;  /* sighand->lock */
    u64 blocked;                  /* sighand->lock to write; the thread itself reads it freely */
    u64 saved_mask;               /* own thread: the mask to return to, when restore_mask */
    u64 awaited;                  /* as blocked: what sigtimedwait(2) waits for, though blocked */
    bool restore_mask;            /* own thread: a call changed the mask for its duration */
    bool stopped;                 /* sighand->lock: sleeps in a group stop */
    struct altstack altstack;     /* own thread */
    struct restart_block restart; /* own thread */
    u64 fault_trapno, fault_error, fault_address; /* own thread: of the last fault, for its frame */
};

/* The part of a process. Embedded in struct process. */
struct process_signals {
    struct sighand *sighand;     /* counted; replaced only by a process of one thread (exec) */
    struct signal_queue pending; /* sighand->lock */
    u32 queued;                  /* sighand->lock: entries of all queues, for RLIMIT_SIGPENDING */
    int stop_signal;             /* sighand->lock: not 0: the group stops or has stopped by it */
    u32 stop_running;            /* sighand->lock: threads that have yet to stop */
    struct waitq changed;        /* woken when stop_signal changes or the process ends */
    struct waitq arrived;        /* signalfd(2): woken when a signal is queued */
    struct process_timers timers;
};

struct boot_info;
/* Ties the room to those below it, and gives the main program what the launcher inherited. After task_start(). */
void signal_start(const struct boot_info *boot);

/* --- life cycle: the task room calls these ------------------------------------------------------------- */

struct sighand *sighand_create(void); /* all default; NULL: no memory */
void sighand_get(struct sighand *sighand);
void sighand_put(struct sighand *sighand);

/* For a new process: an own copy of the caller's actions, or with share the same. -ENOMEM. */
int signal_process_init(struct process *process, const struct process *parent, bool share);
void signal_process_release(struct process *process); /* drops the queue and the sighand */
/* For a new thread: the caller's mask, empty queue; altstack kept only without CLONE_VM or with CLONE_VFORK. */
void signal_task_init(struct task *task, const struct task *parent, bool keep_altstack);
void signal_task_release(struct task *task);
/* execve(2): handlers become default, ignored ones stay; the altstack goes; the sighand is made unshared. -ENOMEM */
int signal_exec_unshare(struct process *process);
void signal_exec_reset(struct task *task);
/* CLONE_CLEAR_SIGHAND. */
void signal_clear_handlers(struct process *process);

/* --- sending ------------------------------------------------------------------------------------------------ */

void siginfo_init(siginfo_t *info, int signo, int code);
void siginfo_kernel(siginfo_t *info, int signo); /* SI_KERNEL */
void siginfo_user(siginfo_t *info, int signo,
                  int code); /* SI_USER, SI_TKILL ...: pid and uid of the caller */

/*
 * Queue a signal and wake who has to act. No permission check. The process must not be released meanwhile (hold a
 * reference or TASKS). -EAGAIN when RLIMIT_SIGPENDING forbids a real-time signal that must be queued.
 */
int signal_send_task(struct task *task, const siginfo_t *info);
int signal_send_process(struct process *process, const siginfo_t *info);
/* For the calling thread, for a fault: it cannot be blocked or ignored. */
void signal_force(const siginfo_t *info);
void signal_force_fatal(int signo); /* as a fault whose handler cannot run: kills */
/* The same with tasks_lock held; task NULL: to the process. */
int signal_send_locked(struct process *process, struct task *task, const siginfo_t *info);
/* To whoever a file was given by F_SETOWN, if its giver might signal them; to nobody when it was not. */
struct file_owner;
void signal_owner(const struct file_owner *owner, const siginfo_t *info);
void signal_file_owner(struct file *file, const siginfo_t *info);

/* The task room tells that a thread has ended. tasks_lock held. */
void signal_thread_left_locked(struct process *process);

/* --- receiving ----------------------------------------------------------------------------------------------- */

/* Has the calling thread a signal to act on (fatal_only: one that kills it)? */
bool signal_pending(bool fatal_only);
/* On the way back to the program: stops, default actions, handlers, call restarts. May not return. */
void signal_deliver(void);
/* Recomputes PENDING_SIGNAL of the calling thread; call with sighand->lock not held. */
void signal_recalc(void);
/* Takes back a mark that has nothing behind it any more, before a blocking host call that a mark ends. */
void signal_settle(void);
/* The calling thread's mask: set it; the old one is returned. SIGKILL and SIGSTOP stay out. */
u64 signal_mask_set(u64 mask);
/* For ppoll, pselect, epoll_pwait, sigsuspend: a mask until the return to the program. NULL: none given. */
int signal_mask_temporary(const void __user *mask, size_t size);
/* Call at the end of such a call when no signal interrupted it. */
void signal_mask_restore(void);
/* Takes the next pending signal that is in the set, of the thread or its process: its number, or 0. */
int signal_dequeue(u64 set, siginfo_t *info);
/* Which of the set are pending for the calling thread (poll of a signalfd). */
u64 signal_pending_set(void);
/* SIGCHLD's, when a child ends. */
bool signal_is_ignored(struct process *process, int signo);
u64 signal_action_flags(struct process *process, int signo);

/* What a call returns so that restart_syscall(2) continues it with resume(args) once the signals are dealt with. */
long signal_restart_with(long (*resume)(struct restart_block *), const u64 args[6]);

/* For /proc/PID/status. */
struct signal_sets {
    u64 pending, shared_pending, blocked, ignored, caught;
};
void signal_sets_read(struct task *task, struct signal_sets *out);

int siginfo_to_user(void __user *to, const siginfo_t *info);

/* --strace: NULL, or what is told of each signal that the calling thread takes. */
extern void (*signal_trace)(const siginfo_t *info);

#endif
