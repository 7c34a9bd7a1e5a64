/*
 * kernel/arch/x86_64/frame.h: the signal frame of Linux on x86-64, bit for bit (sigreturn(2), the psABI, and the UAPI
 * headers). Layout and registers only: copying to and from user memory is signal/'s.
 */
#ifndef ARCH_X86_64_FRAME_H
#define ARCH_X86_64_FRAME_H

#include "base/types.h"
#include "self/self.h"

#include <linux/signal.h>

#include <asm/sigcontext.h>
#include <asm/ucontext.h>

struct rt_frame {
    u64 return_address; /* the restorer */
    struct ucontext uc;
    siginfo_t info;
};

struct frame_place {
    u64 frame;  /* where struct rt_frame goes: the handler's stack pointer */
    u64 xstate; /* where the extended state goes */
};

/* Places a frame below a stack pointer. xstate_size: host_xstate_size(). */
struct frame_place frame_place(u64 sp, size_t xstate_size);

struct frame_fault {
    u64 trapno, error, address;
};

/* Fills in everything but uc_stack and info. */
void frame_fill(struct rt_frame *frame, const struct target_regs *regs, u64 mask,
                const struct frame_fault *fault, u64 xstate_address, bool has_xstate_header);

/* Registers for the handler: handler(signo, info, uc). */
void frame_enter(struct target_regs *regs, u64 handler, int signo, u64 frame_address);

/* Registers back from a frame that a program may have changed. */
void frame_restore(struct target_regs *regs, const struct sigcontext *context);

/*
 * The first 576 bytes of an extended state: is it one that this machine's XRSTOR would take? `own` is the thread's
 * current state. 0: whole; 1: only its legacy part; -EINVAL: no.
 */
#define XSTATE_HEAD 576
int xstate_check(const void *head, const void *own);

#endif
