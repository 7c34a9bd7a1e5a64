/* faults.c: the signals that the processor's exceptions become, with their codes and addresses. */
/* tags: trap */
#include "../lib/child.h"

#include <setjmp.h>
#include <ucontext.h>

#define EFLAGS_TF 0x100
#define PAGE      4096

static sigjmp_buf back;
static siginfo_t seen;
static volatile int seen_sig;
static volatile long seen_rip, seen_trapno, seen_err, seen_cr2;

static void catch (int sig, siginfo_t *info, void *context)
{
    const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

    seen_sig = sig;
    seen = *info;
    seen_rip = regs[REG_RIP];
    seen_trapno = regs[REG_TRAPNO];
    seen_err = regs[REG_ERR];
    seen_cr2 = regs[REG_CR2];
    siglongjmp(back, 1);
}

static const int caught_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

/* In the case itself: cmocka sets handlers of its own between a fixture and its case. */
static void catch_faults(void)
{
    struct sigaction act = {.sa_sigaction = catch, .sa_flags = SA_SIGINFO};

    memset(&seen, 0xee, sizeof seen);
    seen_sig = 0;
    for (size_t i = 0; i < ARRAY_LEN(caught_signals); i++) {
        need_eq(sigaction(caught_signals[i], &act, NULL), 0);
    }
}

/* Runs the statement, which must end in the handler. */
#define faults(statement)                                                                          \
    do {                                                                                           \
        catch_faults();                                                                            \
        if (sigsetjmp(back, 1) == 0) {                                                             \
            statement;                                                                             \
            need(!"no fault");                                                                     \
        }                                                                                          \
    } while (0)

static void need_fault(int sig, int code, const volatile void *address)
{
    need_eq(seen_sig, sig);
    need_eq(seen.si_signo, sig);
    need_eq(seen.si_code, code);
    need_eq(seen.si_errno, 0);
    need_eq((long)seen.si_addr, (long)address);
}

static char *map_pages(int pages, int prot)
{
    char *at = mmap(NULL, (size_t)pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    need(at != MAP_FAILED);
    return at;
}

/* covers: rt_sigaction SEGV_MAPERR */
static void unmapped_address_is_segv_maperr(void **state)
{
    volatile char *at = map_pages(1, PROT_READ);

    (void)state;
    need_eq(munmap((void *)at, PAGE), 0);
    faults((void)at[123]);
    need_fault(SIGSEGV, SEGV_MAPERR, at + 123);
    need_eq(seen_trapno, 14);
    need_eq(seen_err & 7, 4); /* not present, read, user */
    need_eq(seen_cr2, (long)(at + 123));
    faults(at[7] = 1);
    need_fault(SIGSEGV, SEGV_MAPERR, at + 7);
    need_eq(seen_err & 7, 6); /* not present, write, user */
}

/* covers: rt_sigaction SEGV_MAPERR */
static void null_pointer_is_segv_maperr_at_zero(void **state)
{
    volatile char *volatile at = NULL;

    (void)state;
    faults(*at = 1);
    need_fault(SIGSEGV, SEGV_MAPERR, NULL);
}

/* covers: rt_sigaction SEGV_ACCERR mprotect PROT_READ */
static void write_to_a_read_only_page_is_segv_accerr(void **state)
{
    volatile char *at = map_pages(1, PROT_READ | PROT_WRITE);

    (void)state;
    at[0] = 1;
    need_eq(mprotect((void *)at, PAGE, PROT_READ), 0);
    faults(at[55] = 1);
    need_fault(SIGSEGV, SEGV_ACCERR, at + 55);
    need_eq(seen_err & 7, 7); /* present, write, user */
    munmap((void *)at, PAGE);
}

/* covers: rt_sigaction SEGV_ACCERR mprotect PROT_NONE */
static void access_without_any_right_is_segv_accerr(void **state)
{
    volatile char *at = map_pages(1, PROT_NONE);

    (void)state;
    faults((void)at[9]);
    need_fault(SIGSEGV, SEGV_ACCERR, at + 9);
    munmap((void *)at, PAGE);
}

/* covers: rt_sigaction SEGV_ACCERR mprotect PROT_EXEC */
static void jump_to_a_page_without_execute_right_is_segv_accerr(void **state)
{
    char *at = map_pages(1, PROT_READ | PROT_WRITE);

    (void)state;
    at[0] = (char)0xc3;
    faults(((void (*)(void))(uintptr_t)at)());
    need_fault(SIGSEGV, SEGV_ACCERR, at);
    need_eq(seen_rip, (long)at);
    munmap(at, PAGE);
}

/* covers: rt_sigaction SEGV_MAPERR */
static void jump_to_an_unmapped_address_is_segv_maperr(void **state)
{
    char *at = map_pages(1, PROT_READ);

    (void)state;
    munmap(at, PAGE);
    faults(((void (*)(void))(uintptr_t)at)());
    need_fault(SIGSEGV, SEGV_MAPERR, at);
    need_eq(seen_rip, (long)at);
}

/* covers: rt_sigaction SI_KERNEL */
static void non_canonical_address_is_si_kernel_without_address(void **state)
{
    volatile char *volatile at = (volatile char *)0x8000000000000000UL;

    (void)state;
    faults((void)*at);
    need_fault(SIGSEGV, SI_KERNEL, NULL);
    need_eq(seen_trapno, 13);
}

/* covers: rt_sigaction SI_KERNEL */
static void privileged_instruction_is_sigsegv_si_kernel(void **state)
{
    (void)state;
    faults(__asm__ volatile("hlt"));
    need_fault(SIGSEGV, SI_KERNEL, NULL);
    need_eq(seen_trapno, 13);
}

/* covers: mmap MAP_SHARED rt_sigaction BUS_ADRERR */
static void page_past_the_end_of_a_file_is_bus_adrerr(void **state)
{
    int fd = memfd_create("short", MFD_CLOEXEC);
    volatile char *at;

    (void)state;
    need_eq(ftruncate(fd, 100), 0);
    at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    need(at != MAP_FAILED);
    need_eq(at[PAGE - 1], 0);
    faults((void)at[PAGE + 5]);
    need_fault(SIGBUS, BUS_ADRERR, at + PAGE + 5);
    faults(at[PAGE + 6] = 1);
    need_fault(SIGBUS, BUS_ADRERR, at + PAGE + 6);
    need_eq(ftruncate(fd, 2 * PAGE), 0);
    at[PAGE + 6] = 1;
    need_eq(ftruncate(fd, 0), 0);
    faults((void)at[0]);
    need_fault(SIGBUS, BUS_ADRERR, at);
    munmap((void *)at, 2 * PAGE);
    close(fd);
}

/* covers: mmap MAP_PRIVATE rt_sigaction BUS_ADRERR */
static void private_mapping_past_the_end_is_bus_adrerr_too(void **state)
{
    int fd = memfd_create("short", MFD_CLOEXEC);
    volatile char *at;

    (void)state;
    need_eq(ftruncate(fd, PAGE), 0);
    at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    need(at != MAP_FAILED);
    faults(at[PAGE] = 1);
    need_fault(SIGBUS, BUS_ADRERR, at + PAGE);
    munmap((void *)at, 2 * PAGE);
    close(fd);
}

/* covers: rt_sigaction FPE_INTDIV */
static void integer_division_by_zero_is_fpe_intdiv(void **state)
{
    (void)state;
    faults(__asm__ volatile("xor %%edx, %%edx\n\txor %%ecx, %%ecx\n\tmov $1, %%eax\n\t"
                            "div %%ecx" ::
                                : "eax", "ecx", "edx", "cc"));
    need_eq(seen_sig, SIGFPE);
    need_eq(seen.si_code, FPE_INTDIV);
    need_eq((long)seen.si_addr, seen_rip);
    need_eq(seen_trapno, 0);
}

/* covers: rt_sigaction FPE_FLTDIV */
static void unmasked_sse_division_by_zero_is_fpe_fltdiv(void **state)
{
    unsigned before = 0, unmasked;

    (void)state;
    __asm__ volatile("stmxcsr %0" : "=m"(before));
    unmasked = before & ~0x200u; /* division by zero */
    faults(__asm__ volatile("ldmxcsr %0\n\txorps %%xmm1, %%xmm1\n\t"
                            "mov $0x3f800000, %%eax\n\tmovd %%eax, %%xmm0\n\t"
                            "divss %%xmm1, %%xmm0" ::"m"(unmasked)
                            : "eax", "xmm0", "xmm1"));
    __asm__ volatile("ldmxcsr %0" ::"m"(before));
    need_eq(seen_sig, SIGFPE);
    need_eq(seen.si_code, FPE_FLTDIV);
    need_eq((long)seen.si_addr, seen_rip);
    need_eq(seen_trapno, 19);
}

/* covers: rt_sigaction ILL_ILLOPN */
static void undefined_instruction_is_ill_illopn(void **state)
{
    (void)state;
    faults(__asm__ volatile("ud2"));
    need_eq(seen_sig, SIGILL);
    need_eq(seen.si_code, ILL_ILLOPN);
    need_eq((long)seen.si_addr, seen_rip);
    need_eq(memcmp((void *)seen_rip, "\x0f\x0b", 2), 0);
    need_eq(seen_trapno, 6);
}

static volatile long traps, last_trap_code, trap_rip, trap_sig;

static void count_trap(int sig, siginfo_t *info, void *context)
{
    trap_sig = sig;
    traps++;
    last_trap_code = info->si_code;
    trap_rip = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

static void handle_traps(void)
{
    struct sigaction act = {.sa_sigaction = count_trap, .sa_flags = SA_SIGINFO};

    traps = last_trap_code = 0;
    need_eq(sigaction(SIGTRAP, &act, NULL), 0);
}

/* covers: rt_sigaction SI_KERNEL */
static void int3_is_sigtrap_behind_the_instruction(void **state)
{
    long at;

    (void)state;
    handle_traps();
    __asm__ volatile("lea 1f(%%rip), %0\n\tint3\n1:" : "=&r"(at));
    need_eq(traps, 1);
    need_eq(last_trap_code, SI_KERNEL);
    need_eq(trap_rip, at);
}

/* covers: rt_sigaction TRAP_TRACE */
static void trap_flag_raises_sigtrap_after_every_instruction(void **state)
{
    (void)state;
    handle_traps();
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop\n\tnop\n\t"
                     "pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq" ::
                         : "memory", "cc");
    need_eq(last_trap_code, TRAP_TRACE);
    need_eq(traps, 6);
}

static void step_over_call(int sig, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)sig;
    (void)info;
    traps++;
    regs[REG_EFL] &= ~EFLAGS_TF;
}

/* covers: rt_sigreturn */
static void handler_may_clear_the_trap_flag_in_the_frame(void **state)
{
    struct sigaction act = {.sa_sigaction = step_over_call, .sa_flags = SA_SIGINFO};

    (void)state;
    traps = 0;
    need_eq(sigaction(SIGTRAP, &act, NULL), 0);
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop\n\tnop" ::
                         : "memory", "cc");
    need_eq(traps, 1);
}

static int fault_while_blocked(void *arg)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    need_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    catch_faults();
    if (arg) {
        signal(SIGSEGV, SIG_IGN);
    }
    *(volatile char *)BAD_PTR = 1;
    return 0;
}

/* covers: rt_sigprocmask */
static void fault_whose_signal_is_blocked_or_ignored_kills(void **state)
{
    (void)state;
    need_eq(child_status(fault_while_blocked, NULL) & 0x7f, SIGSEGV);
    need_eq(child_status(fault_while_blocked, (void *)1) & 0x7f, SIGSEGV);
}

static int fault_by_default(void *arg)
{
    int which = (int)(intptr_t)arg;

    for (size_t i = 0; i < ARRAY_LEN(caught_signals); i++) {
        signal(caught_signals[i], SIG_DFL);
    }
    if (which == SIGSEGV) {
        *(volatile char *)BAD_PTR = 1;
    } else if (which == SIGILL) {
        __asm__ volatile("ud2");
    } else if (which == SIGTRAP) {
        __asm__ volatile("int3");
    } else if (which == SIGFPE) {
        __asm__ volatile("xor %%edx, %%edx\n\txor %%ecx, %%ecx\n\tdiv %%ecx" ::
                             : "eax", "ecx", "edx", "cc");
    }
    return 0;
}

/* covers: wait4 */
static void unhandled_faults_kill_with_their_signal(void **state)
{
    static const int kinds[] = {SIGSEGV, SIGILL, SIGTRAP, SIGFPE};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        need_eq(child_status(fault_by_default, (void *)(intptr_t)kinds[i]) & 0x7f, kinds[i]);
    }
}

static char *repair_page;

static void repair(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    (void)context;
    traps++;
    mprotect(repair_page, PAGE, PROT_READ | PROT_WRITE);
}

/* covers: rt_sigreturn mprotect */
static void access_is_repeated_after_the_handler_repaired_it(void **state)
{
    struct sigaction act = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};

    (void)state;
    traps = 0;
    repair_page = map_pages(1, PROT_NONE);
    need_eq(sigaction(SIGSEGV, &act, NULL), 0);
    *(volatile char *)(repair_page + 77) = 5;
    need_eq(traps, 1);
    need_eq(repair_page[77], 5);
    munmap(repair_page, PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unmapped_address_is_segv_maperr),
        cmocka_unit_test(null_pointer_is_segv_maperr_at_zero),
        cmocka_unit_test(write_to_a_read_only_page_is_segv_accerr),
        cmocka_unit_test(access_without_any_right_is_segv_accerr),
        cmocka_unit_test(jump_to_a_page_without_execute_right_is_segv_accerr),
        cmocka_unit_test(jump_to_an_unmapped_address_is_segv_maperr),
        cmocka_unit_test(non_canonical_address_is_si_kernel_without_address),
        cmocka_unit_test(privileged_instruction_is_sigsegv_si_kernel),
        cmocka_unit_test(page_past_the_end_of_a_file_is_bus_adrerr),
        cmocka_unit_test(private_mapping_past_the_end_is_bus_adrerr_too),
        cmocka_unit_test(integer_division_by_zero_is_fpe_intdiv),
        cmocka_unit_test(unmasked_sse_division_by_zero_is_fpe_fltdiv),
        cmocka_unit_test(undefined_instruction_is_ill_illopn),
        cmocka_unit_test(int3_is_sigtrap_behind_the_instruction),
        cmocka_unit_test(trap_flag_raises_sigtrap_after_every_instruction),
        cmocka_unit_test(handler_may_clear_the_trap_flag_in_the_frame),
        cmocka_unit_test(fault_whose_signal_is_blocked_or_ignored_kills),
        cmocka_unit_test(unhandled_faults_kill_with_their_signal),
        cmocka_unit_test(access_is_repeated_after_the_handler_repaired_it),
    };

    return cmocka_run_group_tests_name("signal/faults", tests, NULL, NULL);
}
