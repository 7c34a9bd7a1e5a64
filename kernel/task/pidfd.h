/* kernel/task/pidfd.h: descriptors that stand for processes, pidfd_open(2). */
#ifndef TASK_PIDFD_H
#define TASK_PIDFD_H

#include "vfs/file.h"

struct process;

/* A new open file for the process. flags: O_NONBLOCK or 0. ERR_PTR. */
struct file *pidfd_file(struct process *process, int flags);
/* The process of a descriptor, counted; ERR_PTR(-EBADF) when it stands for none. */
struct process *pidfd_process(int fd, bool *nonblocking);

#endif
