/* kernel/host/xstate.h: the program's vector and floating-point state, in the form of a Linux signal frame. */
#ifndef HOST_XSTATE_H
#define HOST_XSTATE_H

#include "base/types.h"
#include "self/self.h"

size_t host_xstate_size(void);          /* bytes, the closing magic number included */
void *host_xstate(struct self *thread); /* of a thread that is in the kernel */
void host_xstate_reset(void);           /* the calling thread's: initial configuration */

#endif
