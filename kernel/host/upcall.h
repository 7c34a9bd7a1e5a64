/* kernel/host/upcall.h: what a target hands to an up-call, checked. The up-call's first step. */
#ifndef HOST_UPCALL_H
#define HOST_UPCALL_H

#include "base/types.h"
#include "self/self.h"

/*
 * A fault of the program: a signal that a fault can be, a code that the kernel alone gives (1 to SI_KERNEL), an
 * exception that exists. The address and the error code are whatever the target says.
 */
struct target_fault host_fault(const struct target_fault *told);

/* A signal from outside, 1 to 64, or 0: no event that there is. terminal: it came from a key. */
int host_event_signal(int event, bool *terminal);

#endif
