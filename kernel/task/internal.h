/* kernel/task/internal.h: what the files of this room share. */
#ifndef TASK_INTERNAL_H
#define TASK_INTERNAL_H

#include "task/task.h"

struct mm;
struct namespaces;

/* ---- pid.c: a number, and all that goes by it. Taken as long as any of the four is there ---- */

struct pid {
    pid_t nr;                /* constant */
    struct task *task;       /* tasks_lock, as the rest */
    struct process *process; /* not reaped */
    struct group *group;
    struct session *session;
};

int pid_start(void);
/* wanted 0: the next free one. ERR_PTR: -EAGAIN, -EEXIST, -ENOMEM. */
struct pid *pid_alloc_locked(pid_t wanted);
void pid_release_locked(struct pid *pid); /* gives the number back when nothing goes by it */
struct pid *pid_find_locked(pid_t nr);
pid_t pid_last(void); /* the newest number, /proc/loadavg */

/* A new group or session of a number; the caller's is the one reference. NULL: no memory. */
struct group *group_create_locked(struct pid *pid, struct session *session);
struct session *session_create_locked(struct pid *pid, struct process *leader);
/* Leaves the old group, enters the new one, whose reference is taken over. */
void process_set_group_locked(struct process *process, struct group *group);

/* ---- stack.c ---- */

struct self *stack_alloc(void);      /* the head is zeroed; NULL: no memory */
void stack_free(struct self *block); /* reused once no host thread stands on it any more */

/* ---- task.c ---- */

struct task *task_alloc(struct process *process); /* with a stack block; the process is counted */
struct process *process_alloc(void);
/* The program that it runs: a counted file whose writing is denied, or NULL. No lock may be held. */
void process_set_exe(struct process *process, struct file *file);
extern struct process init_process;
/* What the self of a thread that has ended points to: nothing of anybody's, for late readers. */
extern struct self ended_self;

/* The caller's host thread begins, or stops, to work for the task. */
void task_clock_start(struct task *task);
void task_clock_stop(struct task *task);
/* What the host's clock of its thread showed more than the task had used when it began to count. */
ktime task_cpu_before(struct task *task);
void task_clock_show(void);

void task_publish_comm(struct task *task, const char *name);

/* ---- clone.c ---- */

/* The thread no longer uses its parent's memory: vfork(2) returns. */
void vfork_release(struct task *task);

/* ---- exit.c ---- */

/*
 * The parent has seen the end, or does not care: the process leaves the tree. What it held is
 * released by processes_release(), without the lock.
 */
void process_reap_locked(struct process *process, struct list_head *dead);
void processes_release(struct list_head *dead);

/*
 * The caller's memory is another from now on, or none: whoever waits in the old one, or for it, is
 * told. Returns the old one, whose reference is the caller's.
 */
struct mm *mm_switch(struct mm *to);

/* Ends the instance with a wait(2) status; no lock is held. */
void instance_exit(int status) __attribute__((noreturn));

/* ---- group_exit.c ---- */

/* Ends all threads but the caller's; it then goes by the process's id. 0, or -EAGAIN: it ends too. */
int process_single_thread(void);

/* ---- notify.c ---- */

uid_t task_uid_locked(struct task *task);            /* the real user of a thread */
uid_t process_uid_locked(struct process *child);     /* the real user, also of one that has ended */
int process_end_code(const struct process *process); /* CLD_EXITED, CLD_KILLED, CLD_DUMPED */

/* Tells the parent that the child has ended, stopped or continued: a CLD_ code. Wakes who waits. */
void parent_notify_locked(struct process *child, int code);
/* The same for a zombie; true when the parent does not care to wait for it. */
bool parent_notify_end_locked(struct process *child);
/* Groups that lose their last tie to the session: those who are stopped get SIGHUP and SIGCONT. */
void orphaned_group_locked(struct process *process, struct process *parent);

/* ---- sched.c ---- */

void sched_start(void);
void affinity_apply(struct task *task); /* to the host thread that runs it now */

/* ---- cpu_limit.c ---- */

void cpu_limit_start(void);
void cpu_limit_check(void);                            /* the caller's process; PENDING_CPU */
void cpu_limit_changed(const struct process *process); /* RLIMIT_CPU may be another */

/* ---- usage.c ---- */

void usage_add(struct usage *to, const struct usage *from);
void usage_to_rusage(const struct usage *usage, struct rusage *out);

/* ---- prctl.c ---- */

bool task_read_implies_exec(void); /* of the caller's personality(2) */

#endif
