/* kernel/host/wait.c: sleeping and waking; the replies that matter are two, and anything else means "look again". */
#include "host/wait.h"

#include "base/errno.h"
#include "self/self.h"

int host_wait(u32 *word, u32 expected, ktime deadline)
{
    return target_wait(word, expected, deadline) == -ETIMEDOUT ? -ETIMEDOUT : 0;
}

void host_wake(u32 *word, u32 n)
{
    target_wake(word, n);
}

void host_kick(struct self *thread)
{
    target_thread_kick(&thread->thread);
}
