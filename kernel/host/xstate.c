/* kernel/host/xstate.c: see xstate.h. The size was checked by the target against its own kernel stacks. */
#include "host/xstate.h"

size_t host_xstate_size(void)
{
    return target_xstate_size();
}

void *host_xstate(struct self *thread)
{
    return target_xstate(&thread->thread);
}

void host_xstate_reset(void)
{
    target_xstate_reset();
}
