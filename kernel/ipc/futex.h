/* kernel/ipc/futex.h: futex(2): waiting on words of user memory. */
#ifndef IPC_FUTEX_H
#define IPC_FUTEX_H

#include "base/types.h"

/* Fills in task/'s hooks: CHILD_CLEARTID and robust lists. */
void futex_start(void);

/* Wakes up to n waiters of a word of the caller's space that have a bit of the set. Number, or -EFAULT, -EINVAL. */
int futex_wake(u32 __user *word, bool is_private, int n, u32 bitset);

#endif
