/* kernel/task/caps.h: prctl(2)'s calls about capabilities(7). Results as prctl gives them. */
#ifndef TASK_CAPS_H
#define TASK_CAPS_H

#include "base/types.h"

long caps_bounding_read(u64 cap);
long caps_bounding_drop(u64 cap);
long caps_securebits_set(u64 bits);
long caps_keep_set(u64 keep);
long caps_ambient(u64 op, u64 cap);

#endif
