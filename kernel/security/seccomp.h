/* kernel/security/seccomp.h: what seccomp(2) leaves a thread of the system calls. */
#ifndef SECURITY_SECCOMP_H
#define SECURITY_SECCOMP_H

#include "base/types.h"

extern bool seccomp_used; /* some thread of the instance is restricted; set once */

/* Of the calling thread. False: the call is not to be made, and *result is its result. May not return. */
bool seccomp_permits(unsigned long nr, const u64 args[6], long *result);

void seccomp_start(void);

#endif
