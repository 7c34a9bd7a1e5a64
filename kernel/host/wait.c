/* kernel/host/wait.c: sleeping and waking; the replies that matter are two, and anything else means "look again". */
#include "host/wait.h"

#include "base/errno.h"
#include "host/border.h"
#include "host/clock.h"
#include "self/self.h"

/* Whoever waits without a deadline relies on being woken, and others do on their deadline. */
static bool is_over(ktime deadline)
{
    return deadline != KTIME_FOREVER && host_clock_read(HOST_CLOCK_MONOTONIC) >= deadline;
}

int host_wait(u32 *word, u32 expected, ktime deadline)
{
    int reply = target_wait(word, expected, deadline);

    if (reply == 0 || !BORDER(wait_result, reply == -ETIMEDOUT))
        return 0;
    return BORDER(wait_early, is_over(deadline)) ? reply : 0;
}

void host_wake(u32 *word, u32 n)
{
    target_wake(word, n);
}

void host_kick(struct self *thread)
{
    target_thread_kick(&thread->thread);
}
