/* Host signals: the way in from the program, faults of the kernel's own, and kicks. docs/entry.md. */
#include "frame.h"
#include "linux.h"

#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/audit.h>

/* Their order is that of struct target_thread; entry.S relies on it. */
_Static_assert(offsetof(struct target_thread, pending) == 216, "entry.S: THREAD_PENDING");
_Static_assert(offsetof(struct target_thread, mode) == 220, "entry.S: THREAD_MODE");
_Static_assert(offsetof(struct target_thread, wake) == 224, "entry.S: THREAD_WAKE");
_Static_assert(offsetof(struct target_thread, kicked) == 292, "entry.S: THREAD_KICKED");
_Static_assert(offsetof(struct target_thread, gone) == 228, "entry.S: THREAD_GONE");
_Static_assert(offsetof(struct target_thread, sp) == 248, "entry.S: THREAD_SP");
_Static_assert(offsetof(struct target_thread, frame) == 256, "entry.S: THREAD_FRAME");
_Static_assert(offsetof(struct target_thread, self) == 296, "entry.S: THREAD_SELF");
_Static_assert(offsetof(struct target_thread, gated) == 304, "entry.S: THREAD_GATED");
_Static_assert(offsetof(struct target_regs, rbx) == 40, "entry.S: RBX");
_Static_assert(offsetof(struct target_regs, rdi) == 112, "entry.S: RDI");
_Static_assert(offsetof(struct target_regs, rip) == 128, "entry.S: RIP");
_Static_assert(offsetof(struct target_regs, rsp) == 152, "entry.S: RSP");
_Static_assert(GATE_STACK_TOP == 40960, "entry.S: GATE_STACK");

extern char kernel_text_start[], kernel_text_end[];
extern char blocking_window_start[], blocking_window_end[], blocking_interrupted[];
extern char exit_window_end[];
extern char call_gate_found[], gate_exit[], gate_exit_end[], call_by_trap_end[], work_by_trap_end[];
extern const struct {
    uint64_t start, end, fixup;
} fault_table_start[], fault_table_end[];

#define USER_FLAGS                                                                                 \
    0x244dd5 /* the RFLAGS bits that belong to a program: CF PF AF ZF SF TF DF OF RF AC ID */
#define VSYSCALL_PAGE 0xffffffffff600000UL

/* Calls that need the host's frame of the program's state, or that leave the stack. entry.S looks here. */
#define CALLS_BY_TRAP_LIMIT 512
__attribute__((used)) const uint8_t calls_by_trap[CALLS_BY_TRAP_LIMIT] = {
    [__NR_rt_sigreturn] = 1, [__NR_clone] = 1,  [__NR_fork] = 1,       [__NR_vfork] = 1,
    [__NR_execve] = 1,       [__NR_exit] = 1,   [__NR_exit_group] = 1, [__NR_arch_prctl] = 1,
    [__NR_execveat] = 1,     [__NR_clone3] = 1,
};

#define FRAME_TEMPLATE_SIZE 16384
static char frame_template[FRAME_TEMPLATE_SIZE] __attribute__((aligned(64)));

static bool in_text(uint64_t rip)
{
    return rip >= (uint64_t)kernel_text_start && rip < (uint64_t)kernel_text_end;
}

static bool in_host_vdso(uint64_t rip)
{
    return rip >= shared.host_vdso && rip < shared.host_vdso_end;
}

static bool in_kernel_range(uint64_t address)
{
    return address >= MYST_RANGE_START && address < MYST_RANGE_END;
}

static bool interrupted_kernel(const struct host_ucontext *uc)
{
    return in_text(uc->mcontext.rip) ||
           (in_host_vdso(uc->mcontext.rip) && in_kernel_range(uc->mcontext.rsp));
}

static void regs_from_frame(struct target_regs *regs, const struct host_ucontext *uc)
{
    const struct sigcontext *m = &uc->mcontext;

    regs->r15 = m->r15, regs->r14 = m->r14, regs->r13 = m->r13, regs->r12 = m->r12;
    regs->r11 = m->r11, regs->r10 = m->r10, regs->r9 = m->r9, regs->r8 = m->r8;
    regs->rbp = m->rbp, regs->rbx = m->rbx, regs->rax = m->rax, regs->rcx = m->rcx;
    regs->rdx = m->rdx, regs->rsi = m->rsi, regs->rdi = m->rdi;
    regs->rip = m->rip, regs->rsp = m->rsp, regs->rflags = m->eflags;
    regs->cs = m->cs, regs->ss = m->ss, regs->fs = m->fs, regs->gs = m->gs;
}

static void regs_to_frame(const struct target_regs *regs, struct host_ucontext *uc)
{
    struct sigcontext *m = &uc->mcontext;

    m->r15 = regs->r15, m->r14 = regs->r14, m->r13 = regs->r13, m->r12 = regs->r12;
    m->r11 = regs->r11, m->r10 = regs->r10, m->r9 = regs->r9, m->r8 = regs->r8;
    m->rbp = regs->rbp, m->rbx = regs->rbx, m->rax = regs->rax, m->rcx = regs->rcx;
    m->rdx = regs->rdx, m->rsi = regs->rsi, m->rdi = regs->rdi;
    m->rip = regs->rip, m->rsp = regs->rsp;
    m->eflags = (regs->rflags & USER_FLAGS) | 0x202;
}

static void fault_from_frame(struct target_fault *fault, const struct host_siginfo *si,
                             const struct host_ucontext *uc)
{
    fault->signo = (uint32_t)si->signo;
    fault->code = si->code;
    fault->address = (uint64_t)si->fault.addr;
    fault->trapno = uc->mcontext.trapno;
    fault->error = uc->mcontext.err;
}

/* A system call of the program, as seccomp's trap describes it. */
static void user_call(struct target_thread *thread, const struct host_siginfo *si)
{
    uint64_t nr = (uint32_t)si->sys.syscall;

    thread->regs.orig_rax = nr;
    if (si->sys.arch != AUDIT_ARCH_X86_64)
        thread->regs.rax = (uint64_t)-ENOSYS; /* int $0x80 carries i386 numbers */
    else if ((uint64_t)si->sys.call_addr != thread->regs.rip)
        upcall_syscall(); /* the vsyscall page */
    else
        upcall_trapped(), upcall_syscall();
}

/* The hang report asks a thread where it is; rip 0: in the program. */
static void report_answer(struct target_thread *thread, uint64_t rip, uint64_t rbp)
{
    if (__atomic_load_n(&thread->report, __ATOMIC_ACQUIRE) != 1)
        return;
    thread->report_rip = rip;
    thread->report_rbp = rbp;
    __atomic_store_n(&thread->report, 2, __ATOMIC_RELEASE);
}

static void user_signal(struct target_thread *thread, int signo, const struct host_siginfo *si,
                        struct host_ucontext *uc)
{
    struct target_fault fault;

    regs_from_frame(&thread->regs, uc);
    thread->frame = uc;
    thread->gated = 0;
    thread->regs.orig_rax = (uint64_t)-1;
    switch (signo) {
    case SIGSYS:
        user_call(thread, si);
        break;
    case KICK_SIGNAL:
        report_answer(thread, 0, 0);
        break;
    default:
        fault_from_frame(&fault, si, uc);
        upcall_fault(&fault);
        break;
    }
    thread_return();
}

/* --- entries by the call gate ---------------------------------------------------------------------- */

uintptr_t target_call_gate(void)
{
    return 2 * shared.frame_size + GATE_HANDLER <= GATE_SIGNAL_ROOM ? (uintptr_t)call_gate : 0;
}

/* The gate was entered, but GS is not ours: a call like any other. rcx, r11: as the instruction leaves them. */
static void lost_gate(struct target_thread *thread, struct host_ucontext *uc)
{
    struct target_regs *regs = &thread->regs;

    regs_from_frame(regs, uc);
    thread->frame = uc;
    thread->gated = 0;
    regs->rip = regs->rcx;
    regs->r11 = regs->rflags;
    regs->orig_rax = (uint32_t)regs->rax;
    target_bases_read();
    thread_bases_load(thread); /* a selector that was loaded has cleared the base */
    upcall_syscall();
    thread_return();
}

/* Signals that are entries of the program's, though they interrupted kernel code. */
static void gate_signal(struct target_thread *thread, int signo, const struct host_siginfo *si,
                        struct host_ucontext *uc)
{
    uint64_t rip = uc->mcontext.rip;

    if (signo == SIGSYS &&
        (rip == (uint64_t)call_by_trap_end || rip == (uint64_t)work_by_trap_end)) {
        thread->frame = uc;
        thread->gated = 0;
        if (rip == (uint64_t)call_by_trap_end)
            upcall_syscall();
        thread_return();
    }
    if (signo != KICK_SIGNAL && rip >= (uint64_t)call_gate && rip < (uint64_t)call_gate_found) {
        __atomic_store_n(&thread->mode, TARGET_IN_KERNEL, __ATOMIC_RELAXED);
        lost_gate(thread, uc);
    }
}

static void kick_in_kernel(struct target_thread *thread, struct host_ucontext *uc)
{
    uint64_t rip = uc->mcontext.rip;

    if (rip >= (uint64_t)exit_to_user && rip < (uint64_t)exit_window_end)
        uc->mcontext.rip = (uint64_t)exit_to_user;
    else if (rip >= (uint64_t)gate_exit && rip < (uint64_t)gate_exit_end)
        uc->mcontext.rip = (uint64_t)gate_exit;
    else if (rip >= (uint64_t)blocking_window_start && rip < (uint64_t)blocking_window_end)
        uc->mcontext.rip = (uint64_t)blocking_interrupted;
    report_answer(thread, rip, uc->mcontext.rbp);
}

static bool fix_user_access(const struct target_fault *fault, struct host_ucontext *uc)
{
    uint64_t rip = uc->mcontext.rip;

    for (typeof(&fault_table_start[0]) e = fault_table_start; e < fault_table_end; e++) {
        if (rip < e->start || rip >= e->end)
            continue;
        if (in_kernel_range(fault->address) || !upcall_kernel_fault(fault))
            uc->mcontext.rip = e->fixup;
        return true;
    }
    return false;
}

static void kernel_signal(struct target_thread *thread, int signo, const struct host_siginfo *si,
                          struct host_ucontext *uc)
{
    struct sigcontext *m = &uc->mcontext;
    struct target_fault fault;

    if (signo == KICK_SIGNAL) {
        kick_in_kernel(thread, uc);
        return;
    }
    if (signo == SIGSYS && in_host_vdso(m->rip)) {
        /* the host's vDSO found no way to answer without a call */
        m->rax = (uint64_t)HOST3(si->sys.syscall, m->rdi, m->rsi, m->rdx);
        return;
    }
    fault_from_frame(&fault, si, uc);
    if ((signo == SIGSEGV || signo == SIGBUS) && fix_user_access(&fault, uc))
        return;
    thread->report_rip = m->rip;
    thread->report_rbp = m->rbp;
    upcall_broken(&fault, m->rip, m->rbp, m->rsp);
}

void signal_main(int signo, struct host_siginfo *si, struct host_ucontext *uc)
{
    struct target_thread *thread = thread_self();

    if (interrupted_kernel(uc)) {
        gate_signal(thread, signo, si, uc);
        kernel_signal(thread, signo, si, uc);
        return;
    }
    __atomic_store_n(&thread->mode, TARGET_IN_KERNEL, __ATOMIC_RELAXED);
    user_signal(thread, signo, si, uc);
}

/* Back to the program. Comes here again when a mark was set on the way. */
void thread_return(void)
{
    struct target_thread *thread = thread_self();

    while (__atomic_load_n(&thread->pending, __ATOMIC_ACQUIRE))
        upcall_exit_work();
    regs_to_frame(&thread->regs, thread->frame);
    exit_to_user();
}

/* --- contexts: the host frame at the top of a kernel stack ------------------------------------------- */

size_t target_xstate_size(void)
{
    return shared.xstate_size;
}

void *target_xstate(struct target_thread *thread)
{
    return ((struct host_ucontext *)thread->frame)->mcontext.fpstate;
}

/* Makes a copied frame true at its new place. */
void context_rebase(struct target_thread *to, const struct target_thread *from)
{
    struct host_ucontext *uc = to->frame;
    uintptr_t block = (uintptr_t)uc->mcontext.fpstate & ~(TARGET_STACK_SIZE - 1);

    uc->mcontext.fpstate = (void *)((uintptr_t)uc->mcontext.fpstate - block + (uintptr_t)to);
    uc->stack.sp = (char *)to + TARGET_THREAD_ROOM;
    uc->stack.size = TARGET_STACK_SIZE - TARGET_THREAD_ROOM;
    uc->stack.flags = (int)HOST_SS_AUTODISARM;
}

void target_thread_copy_context(struct target_thread *to)
{
    struct target_thread *from = thread_self();
    uintptr_t offset = (uintptr_t)from->frame - (uintptr_t)from;

    target_bases_read();
    to->regs = from->regs;
    to->frame = (char *)to + offset;
    __builtin_memcpy(to->frame, from->frame, TARGET_STACK_SIZE - offset);
    context_rebase(to, from);
}

/* The bytes of a frame that the host made, kept for threads that never came from a program. */
static void template_main(int signo, struct host_siginfo *si, struct host_ucontext *uc)
{
    struct target_thread *thread = thread_self();
    uintptr_t top = (uintptr_t)thread_stack_top(thread);
    size_t size = top - (uintptr_t)uc;
    struct _fpstate_64 *fp = (void *)uc->mcontext.fpstate;

    if (size > sizeof(frame_template))
        return; /* frame_size stays 0, which the zygote reports */
    __builtin_memcpy(frame_template, uc, size);
    shared.frame_size = size;
    shared.xstate_size = fp->sw_reserved.magic1 == FP_XSTATE_MAGIC1 ? fp->sw_reserved.extended_size
                                                                    : sizeof(struct _fpstate_64);
}

__attribute__((naked)) static void template_entry(void)
{
    __asm__("push %rbp; mov %rsp, %rbp; and $-16, %rsp; call template_main_; mov %rbp, %rsp; pop "
            "%rbp; ret");
}

__attribute__((used)) void template_main_(int signo, struct host_siginfo *si,
                                          struct host_ucontext *uc);
void template_main_(int signo, struct host_siginfo *si, struct host_ucontext *uc)
{
    template_main(signo, si, uc);
}

static void signal_handle(int signo, void (*handler)(void))
{
    struct host_sigaction action = {
        .handler = handler,
        .flags = HOST_SA_SIGINFO | HOST_SA_NODEFER | HOST_SA_ONSTACK | HOST_SA_RESTORER,
        .restorer = signal_restorer,
    };

    HOST4(__NR_rt_sigaction, signo, &action, 0, 8);
}

static void altstack_arm(struct target_thread *thread)
{
    struct host_stack stack = {
        .sp = (char *)thread + TARGET_THREAD_ROOM,
        .flags = (int)HOST_SS_AUTODISARM,
        .size = TARGET_STACK_SIZE - TARGET_THREAD_ROOM,
    };

    HOST2(__NR_sigaltstack, &stack, 0);
}

void altstack_disarm(void)
{
    struct host_stack stack = {.flags = 2 /* SS_DISABLE */};

    HOST2(__NR_sigaltstack, &stack, 0);
}

/*
 * Run on a scratch stack that is no kernel stack block, with the block of `thread` armed as signal stack, so
 * that the frame lands where a program's frame will.
 */
struct template_args {
    struct target_thread *thread, *back;
};

static void template_run(void *arg)
{
    struct template_args *args = arg;

    altstack_arm(args->thread);
    HOST3(__NR_tgkill, shared.zygote_pid, shared.zygote_pid, KICK_SIGNAL);
    altstack_disarm();
    thread_resume(args->back, NULL);
}

static char scratch_stack[8192] __attribute__((aligned(64)));
static char template_block[TARGET_STACK_SIZE] __attribute__((aligned(TARGET_STACK_SIZE)));

void trap_capture_template(void)
{
    struct template_args args = {(void *)template_block, thread_self()};

    signal_handle(KICK_SIGNAL, template_entry);
    thread_switch_call(thread_self(), scratch_stack + sizeof(scratch_stack), template_run, &args);
}

void thread_signals_install(void)
{
    static const int taken[] = {SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, KICK_SIGNAL};

    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        signal_handle(taken[i], signal_entry);
}

/* Clears the extended state of a frame: all components in their initial configuration. */
static void xstate_reset(struct host_ucontext *uc)
{
    struct _xstate *xstate = (void *)uc->mcontext.fpstate;
    struct _fpx_sw_bytes sw = xstate->fpstate.sw_reserved;
    uint32_t mxcsr_mask = xstate->fpstate.mxcsr_mask; /* the processor's, not the program's */

    __builtin_memset(&xstate->fpstate, 0, sizeof(xstate->fpstate));
    xstate->fpstate.cwd = 0x37f;
    xstate->fpstate.mxcsr = 0x1f80;
    xstate->fpstate.mxcsr_mask = mxcsr_mask;
    xstate->fpstate.sw_reserved = sw;
    if (sw.magic1 == FP_XSTATE_MAGIC1)
        __builtin_memset(&xstate->xstate_hdr, 0, sizeof(xstate->xstate_hdr));
}

void target_xstate_reset(void)
{
    xstate_reset(thread_self()->frame);
}

void context_from_template(struct target_thread *thread)
{
    thread->frame = (char *)thread_stack_top(thread) - shared.frame_size;
    __builtin_memcpy(thread->frame, frame_template, shared.frame_size);
    context_rebase(thread, NULL);
    struct host_ucontext *uc = thread->frame;
    uc->sigmask = HOST_SIGNALS_BLOCKED;
    xstate_reset(uc);
}

void target_context_reset(void)
{
    struct target_thread *thread = thread_self();
    struct target_regs *regs = &thread->regs;

    __builtin_memset(regs, 0, sizeof(*regs));
    regs->cs = 0x33;
    regs->ss = 0x2b;
    regs->rflags = 0x202;
    regs->orig_rax = (uint64_t)-1;
    xstate_reset(thread->frame);
}
