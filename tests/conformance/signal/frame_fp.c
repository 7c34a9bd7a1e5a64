/* frame_fp.c: the floating-point and vector state in a signal frame: kept, shown, changeable. */
/* tags: trap */
#include "../lib/child.h"

#include <cpuid.h>
#include <ucontext.h>

/* The software bytes of the legacy area tell where the extended state ends. */
struct sw_bytes {
    uint32_t magic1, extended_size;
    uint64_t xfeatures;
    uint32_t xstate_size, padding[7];
};

#define XSTATE_MAGIC1 0x46505853U
#define XSTATE_MAGIC2 0x46505845U
#define SW_BYTES_AT   464
#define YMM_HIGH_AT   576 /* in the standard form of XSAVE */

static void (*look)(ucontext_t *uc);
static volatile int handled;

/* Destroys every vector register that a compiler might use, then looks. */
static void handler(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    handled++;
    if (look) {
        look(context);
    }
    __asm__ volatile("fninit\n\t"
                     "pcmpeqd %%xmm0, %%xmm0\n\tmovaps %%xmm0, %%xmm1\n\t"
                     "movaps %%xmm0, %%xmm2\n\tmovaps %%xmm0, %%xmm3\n\t"
                     "movaps %%xmm0, %%xmm7\n\tmovaps %%xmm0, %%xmm8\n\t"
                     "movaps %%xmm0, %%xmm15" ::
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm7", "xmm8", "xmm15");
}

static void catch (void (*with)(ucontext_t *))
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

    look = with;
    handled = 0;
    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
}

static uint64_t pattern(int i)
{
    return 0x0101010101010101UL * (uint64_t)(i + 1);
}

/* Loads xmm0..xmm15, sends the signal to itself without a C call between, stores them. */
static void xmm_round(uint64_t (*in)[2], uint64_t (*out)[2])
{
    long result = SYS_kill;

    __asm__ volatile(
        "movups 0(%[in]), %%xmm0\n\tmovups 16(%[in]), %%xmm1\n\tmovups 32(%[in]), %%xmm2\n\t"
        "movups 48(%[in]), %%xmm3\n\tmovups 64(%[in]), %%xmm4\n\tmovups 80(%[in]), %%xmm5\n\t"
        "movups 96(%[in]), %%xmm6\n\tmovups 112(%[in]), %%xmm7\n\tmovups 128(%[in]), %%xmm8\n\t"
        "movups 144(%[in]), %%xmm9\n\tmovups 160(%[in]), %%xmm10\n\tmovups 176(%[in]), %%xmm11\n\t"
        "movups 192(%[in]), %%xmm12\n\tmovups 208(%[in]), %%xmm13\n\tmovups 224(%[in]), %%xmm14\n\t"
        "movups 240(%[in]), %%xmm15\n\t"
        "syscall\n\t"
        "movups %%xmm0, 0(%[out])\n\tmovups %%xmm1, 16(%[out])\n\tmovups %%xmm2, 32(%[out])\n\t"
        "movups %%xmm3, 48(%[out])\n\tmovups %%xmm4, 64(%[out])\n\tmovups %%xmm5, 80(%[out])\n\t"
        "movups %%xmm6, 96(%[out])\n\tmovups %%xmm7, 112(%[out])\n\tmovups %%xmm8, 128(%[out])\n\t"
        "movups %%xmm9, 144(%[out])\n\tmovups %%xmm10, 160(%[out])\n\tmovups %%xmm11, "
        "176(%[out])\n\t"
        "movups %%xmm12, 192(%[out])\n\tmovups %%xmm13, 208(%[out])\n\t"
        "movups %%xmm14, 224(%[out])\n\tmovups %%xmm15, 240(%[out])"
        : "+a"(result)
        : "D"((long)getpid()), "S"((long)SIGUSR1), [in] "r"(in), [out] "r"(out)
        : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
          "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    need_eq(result, 0);
}

static void fill(uint64_t (*regs)[2], int base)
{
    for (int i = 0; i < 16; i++) {
        regs[i][0] = pattern(base + i);
        regs[i][1] = ~pattern(base + i);
    }
}

/* covers: rt_sigreturn */
static void sse_registers_survive_a_handler(void **state)
{
    uint64_t in[16][2], out[16][2];

    (void)state;
    fill(in, 0);
    catch (NULL);
    xmm_round(in, out);
    need_eq(handled, 1);
    need_eq(memcmp(in, out, sizeof in), 0);
}

static uint64_t seen_xmm[16][2];

static void keep_xmm(ucontext_t *uc)
{
    memcpy(seen_xmm, uc->uc_mcontext.fpregs->_xmm, sizeof seen_xmm);
}

/* covers: rt_sigaction SA_SIGINFO */
static void frame_shows_the_sse_registers(void **state)
{
    uint64_t in[16][2], out[16][2];

    (void)state;
    fill(in, 20);
    catch (keep_xmm);
    xmm_round(in, out);
    need_eq(memcmp(in, seen_xmm, sizeof in), 0);
}

static void change_xmm(ucontext_t *uc)
{
    uint64_t *regs = (uint64_t *)uc->uc_mcontext.fpregs->_xmm;

    for (int i = 0; i < 32; i++) {
        regs[i] = 0xabc0000000000000UL + (uint64_t)i;
    }
}

/* covers: rt_sigreturn */
static void sse_registers_can_be_changed_in_the_frame(void **state)
{
    uint64_t in[16][2], out[16][2];

    (void)state;
    fill(in, 0);
    catch (change_xmm);
    xmm_round(in, out);
    for (int i = 0; i < 16; i++) {
        need_eq(out[i][0], 0xabc0000000000000UL + 2 * (uint64_t)i);
        need_eq(out[i][1], 0xabc0000000000000UL + 2 * (uint64_t)i + 1);
    }
}

static volatile unsigned mxcsr_inside;
static volatile unsigned short control_inside;

static void read_control(ucontext_t *uc)
{
    unsigned mxcsr;
    unsigned short control;

    (void)uc;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(control));
    mxcsr_inside = mxcsr;
    control_inside = control;
}

/* covers: rt_sigreturn rt_sigaction */
static void control_words_are_default_in_the_handler_and_restored(void **state)
{
    unsigned before, after, changed;
    unsigned short cw_before, cw_after, cw_changed;

    (void)state;
    catch (read_control);
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(before), "=m"(cw_before));
    changed = before | 0x6000;       /* round toward zero */
    cw_changed = cw_before | 0x0c00; /* likewise */
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(changed), "m"(cw_changed));
    SYS(SYS_kill, getpid(), SIGUSR1);
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(after), "=m"(cw_after));
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(before), "m"(cw_before));
    need_eq(after, changed);
    need_eq(cw_after, cw_changed);
    need_eq(mxcsr_inside, 0x1f80);
    need_eq(control_inside, 0x37f);
}

/* covers: rt_sigreturn */
static void x87_stack_survives_a_handler(void **state)
{
    unsigned char got[16] = {0}, want[16] = {0};
    long result = SYS_kill;

    (void)state;
    catch (NULL);
    __asm__ volatile("fldpi\n\tfstpt %0" : "=m"(want));
    __asm__ volatile("fldpi\n\tsyscall\n\tfstpt %1"
                     : "+a"(result), "=m"(got)
                     : "D"((long)getpid()), "S"((long)SIGUSR1)
                     : "rcx", "r11", "memory");
    need_eq(result, 0);
    need_eq(handled, 1);
    need_eq(memcmp(got, want, 10), 0);
}

static void change_mxcsr(ucontext_t *uc)
{
    uc->uc_mcontext.fpregs->mxcsr |= 0x6000;
    uc->uc_mcontext.fpregs->cwd |= 0x0c00;
}

/* covers: rt_sigreturn */
static void control_words_can_be_changed_in_the_frame(void **state)
{
    unsigned before, after;
    unsigned short cw_before, cw_after;

    (void)state;
    catch (change_mxcsr);
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(before), "=m"(cw_before));
    SYS(SYS_kill, getpid(), SIGUSR1);
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(after), "=m"(cw_after));
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(before), "m"(cw_before));
    need_eq(after & 0x6000, 0x6000);
    need_eq(cw_after & 0x0c00, 0x0c00);
}

static struct sw_bytes seen_sw;
static volatile unsigned seen_magic2;
static volatile unsigned long seen_uc_flags, seen_alignment;
static unsigned char seen_high[16][16];

static void keep_extended(ucontext_t *uc)
{
    const char *area = (const char *)uc->uc_mcontext.fpregs;

    seen_uc_flags = uc->uc_flags;
    seen_alignment = (unsigned long)area % 64;
    memcpy(&seen_sw, area + SW_BYTES_AT, sizeof seen_sw);
    if (seen_sw.magic1 == XSTATE_MAGIC1) {
        unsigned magic2;

        memcpy(&magic2, area + seen_sw.extended_size - 4, 4);
        seen_magic2 = magic2;
        if (seen_sw.xfeatures & 4) {
            memcpy(seen_high, area + YMM_HIGH_AT, sizeof seen_high);
        }
    }
}

static bool have_xsave(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE);
}

/* covers: rt_sigaction SA_SIGINFO */
static void extended_state_is_marked_by_two_magic_numbers(void **state)
{
    (void)state;
    if (!have_xsave()) {
        skip_because("the processor has no XSAVE");
    }
    catch (keep_extended);
    SYS(SYS_kill, getpid(), SIGUSR1);
    need_eq(seen_uc_flags & 1, 1); /* UC_FP_XSTATE */
    need_eq(seen_alignment, 0);
    need_eq(seen_sw.magic1, XSTATE_MAGIC1);
    need_eq(seen_sw.xfeatures & 3, 3);
    need(seen_sw.xstate_size >= 576 && seen_sw.extended_size == seen_sw.xstate_size + 4);
    need_eq(seen_magic2, XSTATE_MAGIC2);
}

/* Loads ymm0..ymm3, sends the signal to itself, stores them. */
static void ymm_round(uint64_t (*in)[4], uint64_t (*out)[4])
{
    long result = SYS_kill;

    __asm__ volatile("vmovdqu 0(%[in]), %%ymm0\n\tvmovdqu 32(%[in]), %%ymm1\n\t"
                     "vmovdqu 64(%[in]), %%ymm2\n\tvmovdqu 96(%[in]), %%ymm3\n\t"
                     "syscall\n\t"
                     "vmovdqu %%ymm0, 0(%[out])\n\tvmovdqu %%ymm1, 32(%[out])\n\t"
                     "vmovdqu %%ymm2, 64(%[out])\n\tvmovdqu %%ymm3, 96(%[out])\n\tvzeroupper"
                     : "+a"(result)
                     : "D"((long)getpid()), "S"((long)SIGUSR1), [in] "r"(in), [out] "r"(out)
                     : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3");
    need_eq(result, 0);
}

static void fill_ymm(uint64_t (*regs)[4])
{
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            regs[i][j] = pattern(i * 4 + j + 3);
        }
    }
}

/* covers: rt_sigreturn */
static void avx_registers_survive_a_handler_and_stand_in_the_frame(void **state)
{
    uint64_t in[4][4], out[4][4];

    (void)state;
    if (!__builtin_cpu_supports("avx")) {
        skip_because("the processor has no AVX");
    }
    fill_ymm(in);
    catch (keep_extended);
    ymm_round(in, out);
    need_eq(memcmp(in, out, sizeof in), 0);
    need_eq(seen_sw.xfeatures & 4, 4);
    for (int i = 0; i < 4; i++) {
        need_eq(memcmp(seen_high[i], &in[i][2], 16), 0);
    }
}

static void change_high(ucontext_t *uc)
{
    memset((char *)uc->uc_mcontext.fpregs + YMM_HIGH_AT, 0x77, 4 * 16);
}

/* covers: rt_sigreturn */
static void high_halves_of_avx_registers_can_be_changed_in_the_frame(void **state)
{
    uint64_t in[4][4], out[4][4];

    (void)state;
    if (!__builtin_cpu_supports("avx")) {
        skip_because("the processor has no AVX");
    }
    fill_ymm(in);
    catch (change_high);
    ymm_round(in, out);
    for (int i = 0; i < 4; i++) {
        need_eq(out[i][0], in[i][0]);
        need_eq(out[i][2], 0x7777777777777777);
        need_eq(out[i][3], 0x7777777777777777);
    }
}

/* covers: rt_sigreturn */
static void avx512_registers_and_masks_survive_a_handler(void **state)
{
    uint64_t in[8], out[8], mask_out = 0;
    long result = SYS_kill;

    (void)state;
    if (!__builtin_cpu_supports("avx512f")) {
        skip_because("the processor has no AVX-512");
    }
    for (int i = 0; i < 8; i++) {
        in[i] = pattern(i + 7);
    }
    catch (NULL);
    __asm__ volatile("mov $0xa5c3, %%ecx\n\tkmovw %%ecx, %%k1\n\tvmovdqu64 (%[in]), %%zmm20\n\t"
                     "syscall\n\t"
                     "vmovdqu64 %%zmm20, (%[out])\n\tkmovw %%k1, %%ecx\n\tmov %%rcx, %[mask]\n\t"
                     "vzeroupper"
                     : "+a"(result), [mask] "=m"(mask_out)
                     : "D"((long)getpid()), "S"((long)SIGUSR1), [in] "r"(in), [out] "r"(out)
                     : "rcx", "r11", "memory");
    need_eq(result, 0);
    need_eq(memcmp(in, out, sizeof in), 0);
    need_eq(mask_out & 0xffff, 0xa5c3);
}

/* covers: fork */
static void vector_registers_are_inherited_over_fork_and_survive_calls(void **state)
{
    uint64_t in[2] = {pattern(1), pattern(2)}, out[2] = {0, 0};
    long pid = SYS_fork;

    (void)state;
    __asm__ volatile("movups (%[in]), %%xmm13\n\tsyscall\n\tmovups %%xmm13, (%[out])"
                     : "+a"(pid)
                     : [in] "r"(in), [out] "r"(out)
                     : "rcx", "r11", "memory", "xmm13");
    if (pid == 0) {
        _exit(memcmp(in, out, sizeof in) == 0 ? 0 : 1);
    }
    need(pid > 0);
    need_eq(memcmp(in, out, sizeof in), 0);
    need_eq(child_end((pid_t)pid), 0);
}

static void drop_fpregs(ucontext_t *uc)
{
    uc->uc_mcontext.fpregs = NULL;
}

/* covers: rt_sigreturn */
static void frame_without_state_pointer_returns_with_initial_state(void **state)
{
    uint64_t in[16][2], out[16][2];

    (void)state;
    fill(in, 0);
    catch (drop_fpregs);
    xmm_round(in, out);
    for (int i = 0; i < 16; i++) {
        need(out[i][0] == 0 && out[i][1] == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sse_registers_survive_a_handler),
        cmocka_unit_test(frame_shows_the_sse_registers),
        cmocka_unit_test(sse_registers_can_be_changed_in_the_frame),
        cmocka_unit_test(control_words_are_default_in_the_handler_and_restored),
        cmocka_unit_test(x87_stack_survives_a_handler),
        cmocka_unit_test(control_words_can_be_changed_in_the_frame),
        cmocka_unit_test(extended_state_is_marked_by_two_magic_numbers),
        cmocka_unit_test(avx_registers_survive_a_handler_and_stand_in_the_frame),
        cmocka_unit_test(high_halves_of_avx_registers_can_be_changed_in_the_frame),
        cmocka_unit_test(avx512_registers_and_masks_survive_a_handler),
        cmocka_unit_test(vector_registers_are_inherited_over_fork_and_survive_calls),
        cmocka_unit_test(frame_without_state_pointer_returns_with_initial_state),
    };

    return cmocka_run_group_tests_name("signal/frame_fp", tests, NULL, NULL);
}
