/* kernel/syscall/syscall.h: from a call's number and registers to its handler. */
#ifndef SYSCALL_SYSCALL_H
#define SYSCALL_SYSCALL_H

#include "base/types.h"

/*
 * Runs call nr for the calling thread and returns the handler's result as it is: a value, a negative
 * errno, or one of the -ERESTART family, which the signal room resolves. -ENOSYS for what has no
 * handler.
 */
long syscall_dispatch(unsigned long nr, const u64 args[6]);

/* Name of a call, NULL when there is none of that number. */
const char *syscall_name(unsigned long nr);

/*
 * Turns --strace on: the calls to print are names, numbers or "all", separated by commas; one with
 * a ! before it is left out, and a list that begins so starts from all. The empty list is all.
 * -EINVAL for a name that does not exist, and nothing changes then. Called before programs run.
 */
int strace_set_filter(const char *filter);

/* --stats: how often each call was made, by its number; counted once syscall_counting is set. */
extern bool syscall_counting; /* constant once programs run */
extern u64 syscall_gated;     /* atomic; of all calls those that came in by the call gate alone */
extern u64 syscall_counts[];  /* atomic */

/* What the generated dispatcher supplies: unpacks the registers and calls the handler. */
typedef long (*syscall_thunk)(const u64 args[6]);
extern const syscall_thunk syscall_thunks[];

#endif
