/* kernel/host/xstate.h: the program's vector and floating-point state, in the form of a Linux signal frame. */
#ifndef HOST_XSTATE_H
#define HOST_XSTATE_H

#include "base/types.h"
#include "self/self.h"

int host_xstate_start(void);   /* once; -EIO: the target's state has an impossible size */
size_t host_xstate_size(void); /* bytes, the closing magic number included */
/* Of a thread that is in the kernel; sizes in its head lie within the state's. NULL: the target's is not sane. */
void *host_xstate(struct self *thread);
void host_xstate_reset(void); /* the calling thread's: initial configuration */

#endif
