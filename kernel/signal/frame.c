/* kernel/signal/frame.c: a handler's frame goes out to the program's stack and comes back: sigreturn(2). */
#include "arch/x86_64/frame.h"

#include "base/errno.h"
#include "base/string.h"
#include "host/xstate.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/internal.h"
#include "syscall_proto.h"

#include <asm/sigcontext.h>

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

/* Top of the stack that the handler gets, above the red zone or not. */
static u64 handler_stack(const struct signal_action *action, const struct altstack *alt, u64 sp)
{
    if ((action->flags & SA_ONSTACK) && altstack_state(alt, sp) == 0)
        return alt->sp + alt->size + 128; /* an empty stack has no red zone to spare */
    return sp;
}

/* Would the frame run over the end of the alternate stack that it is meant for? */
static bool overflows(const struct altstack *alt, u64 top, u64 sp, u64 frame)
{
    bool switched = top != sp;

    if (!switched && altstack_state(alt, sp) != SS_ONSTACK)
        return false;
    return frame < alt->sp || frame > alt->sp + alt->size;
}

static void stack_of_frame(stack_t *out, struct altstack *alt)
{
    *out = (stack_t){.ss_sp = (void *)alt->sp,
                     .ss_flags = alt->size ? (int)alt->flags : SS_DISABLE,
                     .ss_size = alt->size};
    if (alt->flags & SS_AUTODISARM)
        *alt = (struct altstack){.flags = SS_DISABLE};
}

static bool has_header(const void *xstate)
{
    return ((const struct _fpstate_64 *)xstate)->sw_reserved.magic1 == FP_XSTATE_MAGIC1;
}

int signal_frame_push(const struct signal_action *action, const siginfo_t *info, u64 mask)
{
    struct task_signals *s = &task_self()->signals;
    struct target_regs *regs = &self()->thread.regs;
    const void *xstate = host_xstate(self());
    u64 top = handler_stack(action, &s->altstack, regs->rsp);
    struct frame_place place = frame_place(top, host_xstate_size());
    struct frame_fault fault = {s->fault_trapno, s->fault_error, s->fault_address};
    struct rt_frame frame;

    if (!xstate || !(action->flags & SA_RESTORER) ||
        overflows(&s->altstack, top, regs->rsp, place.frame))
        return -EFAULT;
    frame_fill(&frame, regs, mask, &fault, place.xstate, has_header(xstate));
    frame.return_address = action->restorer;
    frame.info = *info;
    if (copy_to_user((void __user *)place.xstate, xstate, host_xstate_size()))
        return -EFAULT;
    stack_of_frame(&frame.uc.uc_stack, &s->altstack);
    if (copy_to_user((void __user *)place.frame, &frame, sizeof(frame)))
        return -EFAULT;
    host_xstate_reset(); /* a handler begins with the control words that the ABI promises */
    frame_enter(regs, action->handler, info->si_signo, place.frame);
    return 0;
}

/* --- rt_sigreturn ----------------------------------------------------------------------------------------- */

/* The fpsimd state a program left in its frame: checked on a copy of its head, then taken whole. */
static int xstate_restore(const void __user *from)
{
    struct _xstate *own = host_xstate(self());
    struct _fpx_sw_bytes sw;
    u8 head[XSTATE_HEAD] __aligned(16);
    int kind;

    if (!own)
        return -EFAULT;
    if (!from) {
        host_xstate_reset();
        return 0;
    }
    sw = own->fpstate.sw_reserved;
    if (copy_from_user(head, from, sizeof(struct _fpstate_64)))
        return -EFAULT;
    memset(head + sizeof(struct _fpstate_64), 0, sizeof(head) - sizeof(struct _fpstate_64));
    if (((struct _fpstate_64 *)head)->sw_reserved.magic1 == FP_XSTATE_MAGIC1 &&
        copy_from_user(head, from, sizeof(head)))
        return -EFAULT;
    kind = xstate_check(head, own);
    if (kind < 0)
        return -EFAULT;
    host_xstate_reset();
    if (kind == 0 && copy_from_user((u8 *)own + XSTATE_HEAD, (const u8 __user *)from + XSTATE_HEAD,
                                    sw.xstate_size - XSTATE_HEAD))
        return -EFAULT;
    memcpy(own, head, kind == 0 ? XSTATE_HEAD : sizeof(struct _fpstate_64));
    own->fpstate.sw_reserved = sw;
    if (kind && has_header(own))
        own->xstate_hdr.xfeatures = 3; /* the legacy part holds x87 and SSE */
    return 0;
}

long sys_rt_sigreturn(void)
{
    struct target_regs *regs = &self()->thread.regs;
    struct task_signals *s = &task_self()->signals;
    const struct rt_frame __user *frame = (const void __user *)(regs->rsp - sizeof(u64));
    struct ucontext uc;
    u64 mask;

    if (copy_from_user(&uc, &frame->uc, sizeof(uc)) ||
        xstate_restore((const void __user *)uc.uc_mcontext.fpstate)) {
        regs->orig_rax = (u64)-1;
        signal_force_fatal(SIGSEGV);
        return 0;
    }
    frame_restore(regs, &uc.uc_mcontext);
    regs->orig_rax = (u64)-1;
    memcpy(&mask, &uc.uc_sigmask, sizeof(mask));
    signal_mask_set(mask);
    /* errors of the alternate stack are not told: sigaltstack(2) has no say here */
    altstack_set(&s->altstack, &uc.uc_stack, regs->rsp);
    return (long)regs->rax;
}
