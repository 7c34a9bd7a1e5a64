/* kernel/task/limits.h: what getrlimit(2) says, for the other rooms. */
#ifndef TASK_LIMITS_H
#define TASK_LIMITS_H

#include "base/types.h"

#include <linux/resource.h>

struct process;

/* The soft limit RLIMIT_resource of the calling process; RLIM64_INFINITY when there is none. */
u64 task_rlimit(int resource);
u64 process_rlimit(const struct process *process, int resource);

#endif
