/*
 * kernel/host/thread.h: kernel threads on host threads, address spaces as places to run, and the
 * program's registers. Every reply is checked here.
 */
#ifndef HOST_THREAD_H
#define HOST_THREAD_H

#include "base/errno.h"
#include "base/types.h"
#include "self/self.h"

struct target_space;

/* Copies registers and extended state of the caller's program to a new thread. */
void host_thread_copy_context(struct self *to);
/* Cleared registers and the initial extended state, for exec; the caller's own. */
void host_context_reset(void);

/* A new thread in the caller's space; in a copy of it. 0, -EAGAIN, -ENOMEM. */
int host_thread_start(struct self *thread);
int host_space_fork(struct self *thread);
/* Runs a thread on the caller's host thread until it has ended or moved away. */
void host_thread_lend(struct self *thread);

/* An empty space, the move there, and giving it back unused. 0, -EAGAIN, -ENOMEM. May block. */
int host_space_blank(struct target_space **space);
void host_space_discard(struct target_space *space);
void host_thread_move(struct target_space *space);

/* Ends the calling thread; its block may be reused once host_thread_gone() says so. */
void host_thread_exit(void) __attribute__((noreturn));
bool host_thread_gone(const struct self *thread);

/*
 * Asks a thread where it is, for reports: it answers when it gets to run. rip 0: in the program. False:
 * no answer (yet).
 */
void host_thread_probe(struct self *thread);
bool host_thread_where(const struct self *thread, u64 *rip, u64 *rbp);

/* FS and GS base: from the processor into the caller's registers, and back. */
u64 host_call_gate(void); /* where rewritten call sites jump to, or 0 */
void host_bases_read(void);
void host_bases_write(void);

/* CPU time of the host thread that runs this one, ns; it never goes backwards until the thread moves. */
ktime host_thread_cputime(struct self *thread);
/* Does it run in the caller's host process? Only then the former can be told. */
bool host_thread_is_near(const struct self *thread);
/* CPU time of all threads, past ones too, of the host process that it runs in. */
ktime host_space_cputime(struct self *thread);

/* Page faults of the caller, or of all threads of its host process. */
void host_fault_counts(bool whole_space, u64 *minor, u64 *major);

/* The processors on which the host lets the caller run: bytes written, at most len. Bits, lowest first. */
size_t host_affinity(void *mask, size_t len);
/* Where a thread may run; a host that refuses leaves it where it is. */
void host_affinity_set(const struct self *thread, const void *mask, size_t len);
/*
 * Makes all other threads of the caller's space, or with all those of every space, pass a memory barrier, with
 * instructions also one of the instruction stream. -ENOSYS: the host does not do it. May block.
 */
int host_memory_barrier(bool all, bool instructions);
/* The processor that the caller runs on now. */
u32 host_current_cpu(void);

/* The instance: its end with a wait(2) status, its stop. */
void host_exit(int status) __attribute__((noreturn));
void host_suspend(void);

#endif
