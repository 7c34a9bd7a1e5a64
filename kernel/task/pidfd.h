/* kernel/task/pidfd.h: descriptors that stand for processes and threads, pidfd_open(2). */
#ifndef TASK_PIDFD_H
#define TASK_PIDFD_H

#include "vfs/file.h"

struct process;
struct task;

/* A new open file for the process, or for a thread alone. flags: O_NONBLOCK or 0. ERR_PTR. */
struct file *pidfd_file(struct process *process, int flags);
struct file *pidfd_thread_file(struct task *task, int flags);

/* What a descriptor stands for. */
struct pidfd_target {
    struct process *process; /* counted */
    struct task *thread;     /* counted; NULL: the whole process */
    bool nonblocking;
};
/* 0, or -EBADF; then nothing is counted. */
int pidfd_target(int fd, struct pidfd_target *target);
void pidfd_target_put(struct pidfd_target *target);
/* The process alone, counted; ERR_PTR(-EBADF). */
struct process *pidfd_process(int fd);

#endif
