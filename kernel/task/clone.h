/* kernel/task/clone.h: what the forms of clone(2) have in common. */
#ifndef TASK_CLONE_H
#define TASK_CLONE_H

#include "base/types.h"

struct clone_request {
    u64 flags; /* CLONE_, without the signal */
    int exit_signal;
    u64 stack; /* the stack pointer; 0: the parent's */
    u64 tls;
    pid_t set_tid; /* the number that it shall have; 0: the next */
    int __user *pidfd;
    u32 __user *parent_tid;
    u32 __user *child_tid;
};

/* The child's id in the parent, or an error; the flags have been checked. */
long task_clone(const struct clone_request *req);

#endif
