/*
 * kernel/task/task.h: threads, processes, process groups and sessions; see credentials(7), setpgid(2).
 *
 * A task is a thread, a process a thread group. Both are counted: whoever looks one up holds a
 * reference until task_put or process_put, and may then find that it has ended meanwhile. One lock,
 * tasks_lock, guards the whole tree: who belongs to whom, who has ended, who has stopped.
 *
 * Process 1 is "init", which the kernel itself plays: it has no thread, orphans become its children,
 * and those that end are reaped at once. The program that was asked for is process 2, and when it
 * ends, the instance does.
 */
#ifndef TASK_TASK_H
#define TASK_TASK_H

#include "base/list.h"
#include "base/refcount.h"
#include "base/types.h"
#include "cred/cred.h"
#include "mm/mm.h"
#include "self/self.h"
#include "signal/signal.h"
#include "sync/waitq.h"

#include <linux/resource.h>

struct file;
struct pid;
struct seccomp_filter;
struct tty;

#define TASK_COMM_LEN 16
#define PID_INIT      1
#define PID_MAIN      2
#define PID_LIMIT     32768 /* the largest process id plus one, /proc/sys/kernel/pid_max */

extern struct spinlock tasks_lock; /* class TASKS */

/* A terminal's session, and what getsid(2) tells. */
struct session {
    struct refcount ref;
    pid_t id;                /* constant */
    struct process *leader;  /* tasks_lock; NULL once it has ended */
    struct list_head groups; /* tasks_lock; group->sibling */
    struct tty *tty;         /* tasks_lock; the controlling terminal; dev/ counts and knows it */
    pid_t lost_foreground;   /* tasks_lock; the terminal's group when it hung up; 0: none */
};

/* A process group. */
struct group {
    struct refcount ref;
    pid_t id;                 /* constant */
    struct session *session;  /* constant; counted */
    struct list_head members; /* tasks_lock; process->group_link; zombies too */
    struct list_head sibling; /* tasks_lock; session->groups */
};

enum process_state {
    PROCESS_ALIVE,
    PROCESS_ZOMBIE, /* all threads have ended; the status waits for the parent */
    PROCESS_REAPED,
};

/* What has been used, for getrusage(2) and its kin. */
struct usage {
    ktime cpu;                      /* user and system time together */
    u64 max_rss;                    /* KiB */
    u64 switches;                   /* voluntary ones: times that a thread slept */
    u64 minor_faults, major_faults; /* of threads that have ended */
    struct io_counts io;
};

struct process {
    struct refcount ref;
    pid_t pid;                /* constant */
    struct pid *number;       /* tasks_lock; NULL once reaped */
    struct list_head threads; /* task->process_link; those that have not ended. Changed with */
    u32 nthreads;             /*   tasks_lock and the sighand's lock, so either is enough to look */
    struct task
        *leader; /* tasks_lock; counted: whose tid is pid, be it ended or not; NULL once reaped */
    struct process *parent; /* tasks_lock; not counted: outlives its children; NULL once reaped */
    struct task
        *parent_thread;        /* tasks_lock; not counted: the thread that waits with __WNOTHREAD */
    struct list_head children; /* tasks_lock; child->sibling; zombies too */
    struct list_head sibling;  /* tasks_lock */
    struct group *group;       /* tasks_lock; counted; NULL once reaped */
    struct list_head group_link; /* tasks_lock */
    enum process_state state;    /* tasks_lock */
    struct list_head all;        /* tasks_lock; of all processes that are not reaped, by age */

    /* the end */
    u32 live;          /* atomic; threads that have not begun to end */
    bool ending;       /* tasks_lock, read without: exit_group, or a fatal signal */
    struct task *exec; /* tasks_lock; the thread that waits for all others to end, in execve */
    int exit_status;   /* tasks_lock; as wait(2) shows it; meaningful once ending or not alive */
    int exit_signal;   /* tasks_lock; to the parent at the end; 0: none */
    uid_t end_uid;     /* tasks_lock; the real user at the end */
    bool has_exec;     /* tasks_lock; execve succeeded since the process was made: setpgid(2) */

    /* stops: signal/ says when all threads have stopped or go on */
    bool stopped;       /* tasks_lock */
    int stop_signal;    /* tasks_lock */
    bool stop_unwaited; /* tasks_lock; no wait has seen it yet */
    bool continue_unwaited;

    struct waitq child_events; /* a child has ended, stopped or continued; waits hold tasks_lock */
    struct waitq ended;        /* POLLIN: the process has ended (pidfd); threads left (exec) */

    struct process_signals signals;

    struct rlimit64 limits[RLIM_NLIMITS]; /* tasks_lock; task_rlimit() reads one word without */
    struct usage dead_threads;            /* tasks_lock */
    struct usage dead_children;           /* tasks_lock; those that were waited for */
    ktime start_time;                     /* constant; monotonic */

    struct file *exe;    /* tasks_lock; counted, nobody may write it; the program, NULL for init */
    u32 dumpable;        /* prctl(2): 0, 1 or 2; read without a lock */
    bool subreaper;      /* tasks_lock */
    s16 oom_score_adj;   /* /proc/PID/oom_score_adj */
    bool thp_disabled;   /* prctl(2), PR_SET_THP_DISABLE */
    u32 barrier_intents; /* atomic; membarrier(2): MEMBARRIER_CMD_REGISTER_ */
};

/* Scheduling: kept and shown; the host decides. */
struct sched_state {
    u32 policy; /* SCHED_ */
    bool reset_on_fork;
    u32 priority; /* of SCHED_FIFO and SCHED_RR */
    s32 nice;
    u64 runtime, deadline, period; /* SCHED_DEADLINE, ns */
};

#define TASK_CPU_WORDS 16 /* affinity: 1024 processors */

struct task {
    struct refcount ref;
    pid_t tid;          /* tasks_lock; execve gives a thread its leader's */
    struct pid *number; /* tasks_lock; NULL once the id is given back */
    struct self *self;  /* tasks_lock; of one that has ended: a block of zeros. NULL: of init */
    struct process *process;       /* constant; counted */
    struct list_head process_link; /* tasks_lock and sighand's lock; process->threads */
    char comm[TASK_COMM_LEN];      /* tasks_lock; written by threads of the process */

    bool dying;  /* atomic; this thread is to end: exit_group, exec of another */
    bool exited; /* tasks_lock */

    struct task_signals signals;
    int parent_death_signal;                /* tasks_lock; prctl(2) */
    bool no_new_privs;                      /* own; seccomp(2) of another thread may set it */
    u32 personality;                        /* own; read without a lock */
    u64 timer_slack, default_timer_slack;   /* ns; own */
    struct mempolicy mempolicy;             /* own; set_mempolicy(2) */
    int ioprio;                             /* tasks_lock; ioprio_set(2) */
    struct sched_state sched;               /* tasks_lock */
    unsigned long affinity[TASK_CPU_WORDS]; /* tasks_lock */
    bool affinity_set;                      /* tasks_lock; else whatever the host has */

    u32 __user *clear_child_tid; /* own; set_tid_address(2) */
    void __user *robust_list;    /* own; set_robust_list(2) */
    struct seccomp_filter
        *seccomp; /* security/ counts and knows it; as the next two: tasks_lock to change, by */
    u32 seccomp_filters; /*   its own thread or another of the process; own to look */
    u8 seccomp_mode;     /* SECCOMP_MODE_ */
    void *undo_list;     /* ipc/ counts and knows it: SEM_UNDO; own; tasks_lock to look */
    bool left_futexes;   /* atomic; that was walked, and the thread owns no word any more */

    /* vfork: the parent waits until this thread no longer uses its memory */
    bool vfork_wait;         /* tasks_lock */
    struct waitq vfork_done; /* waits hold tasks_lock */

    /* CPU time: what is past, and since when the host's clock of the thread counts */
    ktime cpu_past;  /* atomic */
    ktime cpu_mark;  /* atomic; -1: the thread is not running */
    ktime cpu_shown; /* atomic; when it was last asked by PENDING_CPU: for other host processes */
    ktime start_time;

    /* between clone and the thread's first step */
    u32 __user *set_child_tid;
    bool new_space; /* it begins in a copy of its parent's space */
};

static inline struct task *task_self(void)
{
    return self()->task;
}
static inline struct process *process_self(void)
{
    return self()->task->process;
}
/* A thread of the kernel's own (the service thread) has no task. */
static inline bool self_is_task(void)
{
    return self()->task != NULL;
}

static inline struct task *task_get(struct task *task)
{
    refcount_get(&task->ref);
    return task;
}
void task_put(struct task *task);
DEFINE_AUTO(task_put, struct task *)

static inline struct process *process_get(struct process *process)
{
    refcount_get(&process->ref);
    return process;
}
void process_put(struct process *process);
DEFINE_AUTO(process_put, struct process *)

void session_put(struct session *session);
void group_put(struct group *group);

/* ---- by number: counted, NULL when there is none. _locked: not counted, tasks_lock is held ---- */

struct task *task_lookup(pid_t tid);           /* a thread, by its id */
struct process *process_lookup(pid_t pid);     /* not reaped; by its own id only */
struct process *process_lookup_any(pid_t tid); /* by the id of any of its threads */
struct task *task_find_locked(pid_t tid);
struct process *process_find_locked(pid_t pid);
struct group *group_find_locked(pid_t id);
struct session *session_find_locked(pid_t id);

/* ---- walks, with tasks_lock held ---- */

extern struct list_head all_processes;
#define for_each_process(p)         list_for_each_entry(p, &all_processes, all)
#define for_each_thread(t, p)       list_for_each_entry(t, &(p)->threads, process_link)
#define for_each_group_member(p, g) list_for_each_entry(p, &(g)->members, group_link)

static inline pid_t process_group_id(const struct process *process)
{
    return process->group ? process->group->id : 0;
}
static inline pid_t process_session_id(const struct process *process)
{
    return process->group ? process->group->session->id : 0;
}
static inline pid_t process_parent_id(const struct process *process)
{
    return process->parent ? process->parent->pid : 0;
}

/* No member has a parent in the same session but another group; setpgid(2), "orphaned". */
bool group_is_orphaned_locked(struct group *group, const struct process *without);

/* ---- ends and stops ---- */

/* Ends the calling thread; the code of the last one becomes the process's status. */
void task_exit(int code) __attribute__((noreturn));
/* Ends the whole process: the caller at once, its other threads when they notice. status: wait(2)'s. */
void process_exit(int status) __attribute__((noreturn));
void process_exit_by_signal(int signo, bool core) __attribute__((noreturn));
/* The same when the caller has something to give back first: it ends on its way back to the program. */
void process_end(int status);
/* For a thread that finds that it has to go: its process was ended, or another thread execs. */
void task_exit_killed(void) __attribute__((noreturn));
/* The same from outside: all threads are told. tasks_lock held. */
void process_end_locked(struct process *process, int status);

/* signal/ says that the last thread has stopped, or that the process goes on: the parent learns it. tasks_lock held. */
void process_stopped_locked(struct process *process, int signo);
void process_continued_locked(struct process *process);

/* Sets marks of a thread's pending word and makes it look. tasks_lock or its sighand's lock is held. */
void task_mark(struct task *task, u32 marks);

/* Is the thread to end, whatever it does? */
static inline bool task_is_leaving(const struct task *task)
{
    return __atomic_load_n(&task->dying, __ATOMIC_ACQUIRE);
}

/* ---- what others may do to it ---- */

const struct cred *task_cred(struct task *task);    /* counted; NULL once the thread has ended */
struct mm *task_mm(struct task *task);              /* counted; NULL once the thread has ended */
struct target_space *task_space(struct task *task); /* where it runs; NULL once it has ended */
/* ptrace(2), "access mode checks": may the caller look into the process? attach: also change it. */
bool task_may_inspect(struct task *task, bool attach);
/* kill(2)'s permission rule. tasks_lock held. */
bool task_may_signal(struct task *task, int signo);

/* ---- usage ---- */

/* Of another host process's thread: what it told when task_mark(PENDING_CPU) last found it running. */
ktime task_cpu_time(struct task *task);
/* All clocks of clock_gettime(2), CPU time included. -EINVAL: there is no such clock. */
int clock_read(clockid_t clock, ktime *now);
void io_counts_add(struct io_counts *to, const struct io_counts *from);
void process_usage_locked(struct process *process,
                          struct usage *out); /* all threads, dead ones too */

int ioprio_check(int ioprio); /* may the caller have it? -EINVAL, -EPERM; ioprio_set(2) */

/* ---- hooks that rooms above fill in at start; NULL: not there ---- */

struct task_hooks {
    void (*futex_wake)(u32 __user *word, int n);   /* CHILD_CLEARTID */
    void (*mm_release)(struct task *task);         /* the thread leaves its memory: robust list */
    void (*undo_release)(struct task *task);       /* it ends or leaves CLONE_SYSVSEM: SEM_UNDO */
    void (*process_exit)(struct process *process); /* the last thread leaves; not in exec */
    void (*exec)(struct process *process);         /* past the point of no return */
    void (*session_ends)(struct session *session); /* its leader exits: the terminal is let go */
    long (*fork)(struct task *child, u64 flags);   /* CLONE_SYSVSEM; < 0 fails the call */
    long (*seccomp_set)(u32 operation, u32 flags, void __user *args); /* prctl PR_SET_SECCOMP */
    void (*seccomp_inherit)(struct task *child);                      /* clone; tasks_lock held */
    void (*seccomp_release)(struct seccomp_filter *filter);
    void (*trace_exit)(int status); /* --strace: the calling thread ends */
    void (*instance_end)(void);     /* --stats: the main program has ended */
};
extern struct task_hooks task_hooks;

/* What was created, for --stats. */
struct task_counts {
    u32 forks, vforks, threads, execs; /* atomic */
};
extern struct task_counts task_counts;

/* ---- start ---- */

struct boot_info;
int task_start(const struct boot_info *boot); /* tables, init, and the caller as process 2 */

/* Becomes the program of boot->program; ends the instance with 126 or 127 when that fails. */
void task_run_program(const struct boot_info *boot);

#endif
