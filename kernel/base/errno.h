/* kernel/base/errno.h: Linux's error numbers, and those that never leave the kernel. */
#ifndef BASE_ERRNO_H
#define BASE_ERRNO_H

#include <asm/errno.h>

/*
 * What an interrupted call returns so that the signal room can decide whether it restarts. A tracer
 * sees these numbers at a system-call stop, so they are Linux's (strace(1) names them).
 */
#define ERESTARTSYS           512 /* restart if SA_RESTART, else EINTR */
#define ERESTARTNOINTR        513 /* restart always */
#define ERESTARTNOHAND        514 /* restart only if no handler runs, else EINTR */
#define ERESTART_RESTARTBLOCK 516 /* go on by restart_syscall(2), else EINTR if a handler runs */

#endif
