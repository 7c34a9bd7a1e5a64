/* kernel/task/limits.h: what getrlimit(2) says of the calling process, for the other rooms. */
#ifndef TASK_LIMITS_H
#define TASK_LIMITS_H

#include "base/types.h"

/* The soft limit RLIMIT_resource; RLIM64_INFINITY when there is none. */
u64 task_rlimit(int resource);

#endif
