/* frame.c: the frame that a handler gets and rt_sigreturn(2) takes back: registers, flags, mask. */
/* tags: trap */
#include "../lib/child.h"

#include <ucontext.h>

struct regs {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, flags;
};

/* Loads every register from *in, meets an undefined instruction, stores every register in *out. */
void probe_fault(const struct regs *in, struct regs *out);
/* The same around the system call in in->rax. */
void probe_call(const struct regs *in, struct regs *out);
/* 1 when the 128 bytes below the stack pointer are the same after a handler. */
int probe_red_zone(void);
extern char probe_fault_at[];
extern char probe_call_after[];

#define LOAD_ALL                                                                                   \
    "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %rsi\n"          \
    "pushq 120(%rdi)\n popfq\n"                                                                    \
    "mov 0(%rdi), %rax\n mov 8(%rdi), %rbx\n mov 16(%rdi), %rcx\n mov 24(%rdi), %rdx\n"            \
    "mov 32(%rdi), %rsi\n mov 48(%rdi), %rbp\n mov 56(%rdi), %r8\n mov 64(%rdi), %r9\n"            \
    "mov 72(%rdi), %r10\n mov 80(%rdi), %r11\n mov 88(%rdi), %r12\n mov 96(%rdi), %r13\n"          \
    "mov 104(%rdi), %r14\n mov 112(%rdi), %r15\n mov 40(%rdi), %rdi\n"
#define STORE_ALL                                                                                  \
    "pushfq\n push %rdi\n mov 16(%rsp), %rdi\n"                                                    \
    "mov %rax, 0(%rdi)\n mov %rbx, 8(%rdi)\n mov %rcx, 16(%rdi)\n mov %rdx, 24(%rdi)\n"            \
    "mov %rsi, 32(%rdi)\n mov %rbp, 48(%rdi)\n mov %r8, 56(%rdi)\n mov %r9, 64(%rdi)\n"            \
    "mov %r10, 72(%rdi)\n mov %r11, 80(%rdi)\n mov %r12, 88(%rdi)\n mov %r13, 96(%rdi)\n"          \
    "mov %r14, 104(%rdi)\n mov %r15, 112(%rdi)\n popq 40(%rdi)\n popq 120(%rdi)\n cld\n"           \
    "pop %rsi\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"

__asm__(".text\n"
        ".globl probe_fault\n.globl probe_fault_at\n"
        "probe_fault:\n" LOAD_ALL "probe_fault_at: ud2\n" STORE_ALL
        ".globl probe_call\n.globl probe_call_after\n"
        "probe_call:\n" LOAD_ALL "syscall\nprobe_call_after:\n" STORE_ALL ".globl probe_red_zone\n"
        "probe_red_zone:\n"
        "lea -128(%rsp), %rdi\n mov $16, %ecx\n movabs $0x5a5a1234a5a5fedc, %rax\n rep stosq\n"
        "ud2\n"
        "lea -128(%rsp), %rdi\n mov $16, %ecx\n repe scasq\n sete %al\n movzbl %al, %eax\n ret\n");

static struct regs numbered(void)
{
    struct regs regs;
    uint64_t *word = (uint64_t *)&regs;

    for (int i = 0; i < 15; i++) {
        word[i] = 0x1111111100000001UL * (uint64_t)(i + 1);
    }
    regs.flags = 0x202 | 0x8d5; /* IF, and OF SF ZF AF PF CF */
    return regs;
}

static struct regs in_frame;
static ucontext_t seen;
static volatile unsigned long flags_inside, frame_at;
static volatile int handled;
static void (*edit)(ucontext_t *uc);

static void keep_regs(const greg_t *g)
{
    in_frame = (struct regs){.rax = (uint64_t)g[REG_RAX],
                             .rbx = (uint64_t)g[REG_RBX],
                             .rcx = (uint64_t)g[REG_RCX],
                             .rdx = (uint64_t)g[REG_RDX],
                             .rsi = (uint64_t)g[REG_RSI],
                             .rdi = (uint64_t)g[REG_RDI],
                             .rbp = (uint64_t)g[REG_RBP],
                             .r8 = (uint64_t)g[REG_R8],
                             .r9 = (uint64_t)g[REG_R9],
                             .r10 = (uint64_t)g[REG_R10],
                             .r11 = (uint64_t)g[REG_R11],
                             .r12 = (uint64_t)g[REG_R12],
                             .r13 = (uint64_t)g[REG_R13],
                             .r14 = (uint64_t)g[REG_R14],
                             .r15 = (uint64_t)g[REG_R15],
                             .flags = (uint64_t)g[REG_EFL]};
}

static void handler(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)info;
    __asm__ volatile("pushfq\n\tpop %0" : "=r"(flags_inside));
    frame_at = (unsigned long)__builtin_frame_address(0);
    handled++;
    keep_regs(uc->uc_mcontext.gregs);
    memcpy(&seen, uc, offsetof(ucontext_t, uc_sigmask) + 8);
    if (sig == SIGILL) {
        uc->uc_mcontext.gregs[REG_RIP] += 2; /* past ud2 */
    }
    if (edit) {
        edit(uc);
    }
}

static void catch (int sig)
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

    handled = 0;
    edit = NULL;
    need_eq(sigaction(sig, &act, NULL), 0);
}

static void need_same(const struct regs *got, const struct regs *want)
{
    const uint64_t *a = (const uint64_t *)got, *b = (const uint64_t *)want;

    for (int i = 0; i < 15; i++) {
        need_eq(a[i], b[i]);
    }
}

#define STATUS_FLAGS 0x8d5UL

/* covers: rt_sigreturn */
static void fault_frame_holds_every_register(void **state)
{
    struct regs in = numbered(), out;

    (void)state;
    catch (SIGILL);
    probe_fault(&in, &out);
    need_eq(handled, 1);
    need_same(&in_frame, &in);
    need_eq(in_frame.flags & STATUS_FLAGS, in.flags & STATUS_FLAGS);
    need_eq(seen.uc_mcontext.gregs[REG_RIP], (long)probe_fault_at);
}

/* covers: rt_sigreturn */
static void every_register_is_restored_after_a_fault(void **state)
{
    struct regs in = numbered(), out;

    (void)state;
    catch (SIGILL);
    memset(&out, 0, sizeof out);
    probe_fault(&in, &out);
    need_same(&out, &in);
    need_eq(out.flags & STATUS_FLAGS, in.flags & STATUS_FLAGS);
}

/* covers: rt_sigreturn kill */
static void call_frame_holds_the_registers_and_the_result(void **state)
{
    struct regs in = numbered(), out;

    (void)state;
    catch (SIGUSR1);
    in.rax = SYS_kill;
    in.rdi = (uint64_t)getpid();
    in.rsi = SIGUSR1;
    probe_call(&in, &out);
    need_eq(handled, 1);
    need_eq(in_frame.rax, 0);
    need_eq(seen.uc_mcontext.gregs[REG_RIP], (long)probe_call_after);
    in.rax = 0;
    /* rcx and r11 are the call instruction's own. */
    in.rcx = in_frame.rcx;
    in.r11 = in_frame.r11;
    need_same(&in_frame, &in);
    in.rcx = out.rcx;
    in.r11 = out.r11;
    need_same(&out, &in);
    need_eq(out.flags & STATUS_FLAGS, in.flags & STATUS_FLAGS);
}

static void edit_all(ucontext_t *uc)
{
    static const int order[] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI,
                                REG_RDI, REG_RBP, REG_R8,  REG_R9,  REG_R10,
                                REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        uc->uc_mcontext.gregs[order[i]] = 0x7000 + (greg_t)i;
    }
    uc->uc_mcontext.gregs[REG_EFL] ^= 1; /* carry */
}

/* covers: rt_sigreturn */
static void every_register_can_be_changed_in_the_frame(void **state)
{
    struct regs in = numbered(), out;
    const uint64_t *word = (const uint64_t *)&out;

    (void)state;
    catch (SIGILL);
    edit = edit_all;
    probe_fault(&in, &out);
    for (int i = 0; i < 15; i++) {
        need_eq(word[i], 0x7000 + i);
    }
    need_eq(out.flags & STATUS_FLAGS, (in.flags & STATUS_FLAGS) ^ 1);
}

/* covers: rt_sigreturn */
static void every_register_can_be_changed_in_the_frame_of_a_call(void **state)
{
    struct regs in = numbered(), out;
    const uint64_t *word = (const uint64_t *)&out;

    (void)state;
    catch (SIGUSR1);
    edit = edit_all;
    in.rax = SYS_kill;
    in.rdi = (uint64_t)getpid();
    in.rsi = SIGUSR1;
    probe_call(&in, &out);
    for (int i = 0; i < 15; i++) {
        need_eq(word[i], 0x7000 + i);
    }
}

static void edit_privileged_flags(ucontext_t *uc)
{
    uc->uc_mcontext.gregs[REG_EFL] |= 0x3000; /* I/O privilege level */
    uc->uc_mcontext.gregs[REG_EFL] &= ~0x200; /* interrupts */
}

/* covers: rt_sigreturn */
static void privileged_flags_cannot_be_changed(void **state)
{
    struct regs in = numbered(), out;

    (void)state;
    catch (SIGILL);
    edit = edit_privileged_flags;
    probe_fault(&in, &out);
    need_eq(out.flags & 0x3200, 0x200);
}

/* covers: rt_sigaction */
static void direction_flag_is_clear_in_the_handler_and_set_again_after(void **state)
{
    struct regs in = numbered(), out;

    (void)state;
    catch (SIGILL);
    in.flags |= 0x400;
    probe_fault(&in, &out);
    need_eq(flags_inside & 0x400, 0);
    need_eq(in_frame.flags & 0x400, 0x400);
    need_eq(out.flags & 0x400, 0x400);
}

/* covers: rt_sigaction */
static void direction_flag_survives_a_system_call(void **state)
{
    struct regs in = numbered(), out;

    (void)state;
    in.rax = SYS_getpid;
    in.flags |= 0x400;
    probe_call(&in, &out);
    need_eq(out.rax, getpid());
    need_eq(out.flags & 0x400, 0x400);
    need_eq(out.flags & STATUS_FLAGS, in.flags & STATUS_FLAGS);
    in.rax = out.rax;
    in.rcx = out.rcx;
    in.r11 = out.r11;
    need_same(&out, &in);
}

/* covers: rt_sigaction */
static void red_zone_is_left_alone(void **state)
{
    (void)state;
    catch (SIGILL);
    need_eq(probe_red_zone(), 1);
    need_eq(handled, 1);
}

/* covers: rt_sigaction */
static void stack_of_the_handler_is_aligned(void **state)
{
    (void)state;
    catch (SIGUSR1);
    need_eq(raise(SIGUSR1), 0);
    need_eq(frame_at % 16, 0);
}

static volatile int jumped;

static void landing(void)
{
    jumped = 1;
}

static void edit_rip_to_landing(ucontext_t *uc)
{
    greg_t *regs = uc->uc_mcontext.gregs;

    /* As a call: the return address is the instruction after ud2. */
    regs[REG_RSP] -= 8 + 128;
    *(uint64_t *)regs[REG_RSP] = (uint64_t)regs[REG_RIP];
    regs[REG_RIP] = (greg_t)(uintptr_t)landing;
}

/* covers: rt_sigreturn */
static void rip_and_rsp_can_be_changed(void **state)
{
    (void)state;
    jumped = 0;
    catch (SIGILL);
    edit = edit_rip_to_landing;
    __asm__ volatile("mov %%rsp, %%rbx\n\tud2\n\tmov %%rbx, %%rsp" ::
                         : "rbx", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
                           "memory", "cc");
    need_eq(jumped, 1);
}

/* covers: rt_sigaction */
static void segments_link_and_flags_of_the_frame_are_as_on_linux(void **state)
{
    unsigned long segments;

    (void)state;
    catch (SIGUSR1);
    need_eq(raise(SIGUSR1), 0);
    segments = (unsigned long)seen.uc_mcontext.gregs[REG_CSGSFS];
    need_eq(segments & 0xffff, 0x33);
    need_eq(segments >> 48, 0x2b);
    need(seen.uc_link == NULL);
    need_eq(seen.uc_flags & 6, 6); /* UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS */
    need(seen.uc_stack.ss_sp == NULL && seen.uc_stack.ss_size == 0);
}

#define BIT(sig) (1UL << ((sig)-1))

static void edit_mask(ucontext_t *uc)
{
    unsigned long mask = BIT(SIGUSR2) | BIT(SIGKILL);

    memcpy(&uc->uc_sigmask, &mask, sizeof mask);
}

/* covers: rt_sigreturn */
static void mask_of_the_frame_is_the_old_one_and_takes_effect(void **state)
{
    unsigned long set = BIT(SIGHUP), first, now, in_mask;

    (void)state;
    need_eq(SYS(SYS_rt_sigprocmask, SIG_SETMASK, &set, &first, 8), 0);
    catch (SIGUSR1);
    edit = edit_mask;
    need_eq(SYS(SYS_kill, getpid(), SIGUSR1), 0);
    memcpy(&in_mask, &seen.uc_sigmask, sizeof in_mask);
    need_eq(SYS(SYS_rt_sigprocmask, SIG_SETMASK, &first, &now, 8), 0);
    need_eq(in_mask, BIT(SIGHUP));
    need_eq(now, BIT(SIGUSR2));
}

static void edit_to_non_canonical(ucontext_t *uc)
{
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)0x8000000000000000UL;
}

static int return_nowhere(void *arg)
{
    (void)arg;
    catch (SIGUSR1);
    edit = edit_to_non_canonical;
    SYS(SYS_kill, getpid(), SIGUSR1);
    return 0;
}

/* covers: rt_sigreturn SIGSEGV */
static void return_to_a_non_canonical_address_is_sigsegv(void **state)
{
    (void)state;
    need_eq(child_status(return_nowhere, NULL) & 0x7f, SIGSEGV);
}

static int sigreturn_without_frame(void *arg)
{
    (void)arg;
    __asm__ volatile("mov $8, %%esp\n\tmov $15, %%eax\n\tsyscall" ::: "rax", "rcx", "r11");
    return 0;
}

/* covers: rt_sigreturn SIGSEGV */
static void rt_sigreturn_without_a_readable_frame_is_sigsegv(void **state)
{
    (void)state;
    need_eq(child_status(sigreturn_without_frame, NULL) & 0x7f, SIGSEGV);
}

/* covers: rt_sigreturn setitimer */
static void many_interruptions_leave_a_computation_correct(void **state)
{
    static const uint64_t rounds = 200000;
    uint64_t expected = 0, sum = 0;
    int64_t start = now_ms();

    (void)state;
    for (uint64_t i = 0; i < rounds; i++) {
        expected = expected * 6364136223846793005UL + i;
    }
    interrupts_start(SA_RESTART);
    do {
        sum = 0;
        for (uint64_t i = 0; i < rounds; i++) {
            sum = sum * 6364136223846793005UL + i;
        }
        need_eq(sum, expected);
    } while (caught[SIGALRM] < 20 && now_ms() - start < PATIENCE_MS);
    need(caught[SIGALRM] >= 20);
    interrupts_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_frame_holds_every_register),
        cmocka_unit_test(every_register_is_restored_after_a_fault),
        cmocka_unit_test(call_frame_holds_the_registers_and_the_result),
        cmocka_unit_test(every_register_can_be_changed_in_the_frame),
        cmocka_unit_test(every_register_can_be_changed_in_the_frame_of_a_call),
        cmocka_unit_test(privileged_flags_cannot_be_changed),
        cmocka_unit_test(direction_flag_is_clear_in_the_handler_and_set_again_after),
        cmocka_unit_test(direction_flag_survives_a_system_call),
        cmocka_unit_test(red_zone_is_left_alone),
        cmocka_unit_test(stack_of_the_handler_is_aligned),
        cmocka_unit_test(rip_and_rsp_can_be_changed),
        cmocka_unit_test(segments_link_and_flags_of_the_frame_are_as_on_linux),
        cmocka_unit_test(mask_of_the_frame_is_the_old_one_and_takes_effect),
        cmocka_unit_test(return_to_a_non_canonical_address_is_sigsegv),
        cmocka_unit_test(rt_sigreturn_without_a_readable_frame_is_sigsegv),
        cmocka_unit_test(many_interruptions_leave_a_computation_correct),
    };

    return cmocka_run_group_tests_name("signal/frame", tests, NULL, NULL);
}
