/* kernel/arch/x86_64/frame.c: see frame.h. */
#include "arch/x86_64/frame.h"

#include "base/errno.h"
#include "base/string.h"

#include <asm/sigcontext.h>

#define RED_ZONE       128
#define FLAG_TRAP      BIT(8)
#define FLAG_DIRECTION BIT(10)
#define FLAG_RESUME    BIT(16)
/* What a program may set: CF PF AF ZF SF TF DF OF RF NT? no; AC. */
#define FLAGS_RESTORED 0x50dd5UL

struct frame_place frame_place(u64 sp, size_t xstate_size)
{
    struct frame_place place;

    sp -= RED_ZONE;
    place.xstate = ALIGN_DOWN(sp - xstate_size, 64UL);
    /* as after a call: 8 above a multiple of 16 */
    place.frame = ALIGN_DOWN(place.xstate - sizeof(struct rt_frame), 16UL) - 8;
    return place;
}

void frame_fill(struct rt_frame *frame, const struct target_regs *regs, u64 mask,
                const struct frame_fault *fault, u64 xstate_address, bool has_xstate_header)
{
    struct sigcontext *m = &frame->uc.uc_mcontext;

    memset(&frame->uc, 0, sizeof(frame->uc));
    frame->uc.uc_flags =
        UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (has_xstate_header ? UC_FP_XSTATE : 0);
    m->r8 = regs->r8, m->r9 = regs->r9, m->r10 = regs->r10, m->r11 = regs->r11;
    m->r12 = regs->r12, m->r13 = regs->r13, m->r14 = regs->r14, m->r15 = regs->r15;
    m->rdi = regs->rdi, m->rsi = regs->rsi, m->rbp = regs->rbp, m->rbx = regs->rbx;
    m->rdx = regs->rdx, m->rax = regs->rax, m->rcx = regs->rcx, m->rsp = regs->rsp;
    m->rip = regs->rip, m->eflags = regs->rflags;
    m->cs = (u16)regs->cs, m->ss = (u16)regs->ss;
    m->trapno = fault->trapno, m->err = fault->error, m->cr2 = fault->address;
    m->oldmask = mask;
    m->fpstate = (void *)xstate_address;
    memcpy(&frame->uc.uc_sigmask, &mask, sizeof(mask));
}

void frame_enter(struct target_regs *regs, u64 handler, int signo, u64 frame_address)
{
    regs->rdi = (u64)signo;
    regs->rsi = frame_address + offsetof(struct rt_frame, info);
    regs->rdx = frame_address + offsetof(struct rt_frame, uc);
    regs->rax = 0;
    regs->rip = handler;
    regs->rsp = frame_address;
    regs->rflags &= ~(FLAG_TRAP | FLAG_DIRECTION | FLAG_RESUME);
}

void frame_restore(struct target_regs *regs, const struct sigcontext *m)
{
    regs->r8 = m->r8, regs->r9 = m->r9, regs->r10 = m->r10, regs->r11 = m->r11;
    regs->r12 = m->r12, regs->r13 = m->r13, regs->r14 = m->r14, regs->r15 = m->r15;
    regs->rdi = m->rdi, regs->rsi = m->rsi, regs->rbp = m->rbp, regs->rbx = m->rbx;
    regs->rdx = m->rdx, regs->rax = m->rax, regs->rcx = m->rcx, regs->rsp = m->rsp;
    regs->rip = m->rip;
    regs->rflags = (regs->rflags & ~FLAGS_RESTORED) | (m->eflags & FLAGS_RESTORED);
}

/* Intel SDM vol. 1, 13.4.2 "XSAVE Header": what XRSTOR takes in its standard form. */
int xstate_check(const void *head, const void *own)
{
    const struct _xstate *theirs = head, *ours = own;
    u32 mask = ours->fpstate.mxcsr_mask ? ours->fpstate.mxcsr_mask : 0xffbf;
    u64 features = ours->fpstate.sw_reserved.xfeatures;
    u64 zero = 0;

    if (theirs->fpstate.mxcsr & ~mask)
        return -EINVAL;
    if (theirs->fpstate.sw_reserved.magic1 != FP_XSTATE_MAGIC1 ||
        ours->fpstate.sw_reserved.magic1 != FP_XSTATE_MAGIC1 ||
        theirs->fpstate.sw_reserved.xstate_size > ours->fpstate.sw_reserved.xstate_size)
        return 1;
    for (size_t i = 0; i < ARRAY_SIZE(theirs->xstate_hdr.reserved1); i++)
        zero |= theirs->xstate_hdr.reserved1[i]; /* the compaction word first */
    for (size_t i = 0; i < ARRAY_SIZE(theirs->xstate_hdr.reserved2); i++)
        zero |= theirs->xstate_hdr.reserved2[i];
    if (zero || (theirs->xstate_hdr.xfeatures & ~features))
        return -EINVAL;
    return 0;
}
