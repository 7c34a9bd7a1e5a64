/* host/wait: the wake-ups that sync/ stands on. Counts as a room of its own, below sync/. */
#ifndef HOST_WAIT_H
#define HOST_WAIT_H

#include "base/types.h"

struct self;

/* Sleeps while *word == expected, until an absolute monotonic deadline. 0 or -ETIMEDOUT; 0 also spuriously. */
int host_wait(u32 *word, u32 expected, ktime deadline);
void host_wake(u32 *word, u32 n);

/* Makes a thread notice its pending mark, which the caller has set, wherever it is. */
void host_kick(struct self *thread);

#define KTIME_FOREVER INT64_MAX

#endif
