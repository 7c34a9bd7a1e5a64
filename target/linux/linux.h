/* The hosted target's own face to itself: host calls, the shared block, the rooms of this folder. */
#ifndef LINUX_LINUX_H
#define LINUX_LINUX_H

#include "shared.h"

#include <asm/unistd_64.h>

#define KICK_SIGNAL                                                                                \
    23 /* SIGURG: ignored by default everywhere, and standard signals never queue up */

extern struct target_shared shared;

/* entry.S */
long host_call(long nr, ...);
long host_call_blocking(struct target_thread *thread, long nr, ...);
long host_clone_started(unsigned long flags, void *stack, void (*fn)(void *), void *thread,
                        uint64_t *start);
long host_clone(unsigned long flags, void *stack, int32_t *child_tid, void (*fn)(void *),
                void *arg);
void host_thread_leave(uint32_t *word) __attribute__((noreturn));
void host_thread_publish_and_leave(struct target_thread **job, struct target_thread *thread,
                                   uint32_t *word) __attribute__((noreturn));
void exit_to_user(void) __attribute__((noreturn));
void call_gate(void);
void signal_restorer(void);
void signal_entry(void);
void stack_call(void *stack, void (*fn)(void *), void *arg) __attribute__((noreturn));
/* Where a continuation at thread->sp keeps them, in words: what entry.S pushes. */
#define SWITCH_RBP 6
#define SWITCH_RIP 7
void thread_switch_call(struct target_thread *from, void *stack, void (*fn)(void *), void *arg);
void thread_resume(struct target_thread *thread, uint32_t *mark) __attribute__((noreturn));

/* The variadic forms pass every argument as a full register. */
#define ARG_(x)                  ((long)(x))
#define HOST1(nr, a)             host_call(nr, ARG_(a), 0L, 0L, 0L, 0L, 0L)
#define HOST2(nr, a, b)          host_call(nr, ARG_(a), ARG_(b), 0L, 0L, 0L, 0L)
#define HOST3(nr, a, b, c)       host_call(nr, ARG_(a), ARG_(b), ARG_(c), 0L, 0L, 0L)
#define HOST4(nr, a, b, c, d)    host_call(nr, ARG_(a), ARG_(b), ARG_(c), ARG_(d), 0L, 0L)
#define HOST5(nr, a, b, c, d, e) host_call(nr, ARG_(a), ARG_(b), ARG_(c), ARG_(d), ARG_(e), 0L)
#define HOST6(nr, a, b, c, d, e, f)                                                                \
    host_call(nr, ARG_(a), ARG_(b), ARG_(c), ARG_(d), ARG_(e), ARG_(f))
#define HOST_BLOCKING4(t, nr, a, b, c, d)                                                          \
    host_call_blocking(t, nr, ARG_(a), ARG_(b), ARG_(c), ARG_(d), 0L, 0L)
#define HOST_BLOCKING5(t, nr, a, b, c, d, e)                                                       \
    host_call_blocking(t, nr, ARG_(a), ARG_(b), ARG_(c), ARG_(d), ARG_(e), 0L)

static inline struct target_thread *thread_self(void)
{
    uintptr_t sp;

    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct target_thread *)(sp & ~(TARGET_STACK_SIZE - 1));
}

static inline void *thread_stack_top(struct target_thread *thread)
{
    return (char *)thread + TARGET_STACK_SIZE;
}

/* thread.c */
void thread_return(void) __attribute__((noreturn));
void thread_signals_install(void);
void thread_signals_block(void);
void thread_signals_open(void);
void thread_bases_load(struct target_thread *thread);
void thread_first_entry(void *thread) __attribute__((noreturn));
void host_process_init(void);

/* trap.c */
void trap_capture_template(void);
void context_from_template(struct target_thread *thread);
void context_rebase(struct target_thread *to, const struct target_thread *from);
extern bool has_fsgsbase;
void altstack_disarm(void);

/* space.c */
void space_enter(struct target_space *space, struct target_thread *thread);
void space_leave(struct target_space *space);
bool blanks_refill(void);
struct target_space *space_new(enum space_state state);
void space_free(struct target_space *space);

/* zygote.c */
void zygote_start(void);

#endif
