/*
 * tests/gates/signal_frame.c: a signal frame, byte for byte. The handler sees in its ucontext the registers
 * and vector registers that stood there when the signal came, and what it changes there is what the
 * interrupted code finds. The frame's own description (sizes, magic numbers) is the one of Linux.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define MAGIC1 0x46505853U /* asm/sigcontext.h: FP_XSTATE_MAGIC1, at the end of the legacy area */
#define MAGIC2 0x46505845U

static int faults;
static unsigned char xmm_in[256], xmm_out[256], ymm_in[256], ymm_out[256];
static uint64_t regs_out[8];
static int have_avx, handled;

static void expect(int ok, const char *what)
{
    if (ok)
        return;
    printf("%s\n", what);
    faults++;
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    handled++;
    greg_t *g = uc->uc_mcontext.gregs;
    unsigned char *fp = (unsigned char *)uc->uc_mcontext.fpregs;
    uint32_t *sw = (uint32_t *)(fp + 464); /* struct _fpx_sw_bytes */

    expect(signo == SIGUSR1 && info->si_signo == SIGUSR1, "signal number");
    expect(info->si_code == SI_TKILL && info->si_pid == getpid(), "siginfo of tgkill");
    expect(g[REG_RBX] == 0x1111 && g[REG_R12] == 0x2222 && g[REG_R13] == 0x3333 &&
               g[REG_R14] == 0x4444 && g[REG_R15] == 0x5555,
           "callee-saved registers in the frame");
    expect(g[REG_RDI] == getpid() && g[REG_RDX] == SIGUSR1, "arguments of the call");
    expect(g[REG_RAX] == 0, "the call's result");
    expect((uintptr_t)fp % 64 == 0, "alignment of the extended state");
    expect(memcmp(fp + 160, xmm_in, 256) == 0, "XMM0 to XMM15 in the frame");
    if (have_avx) {
        expect(sw[0] == MAGIC1, "magic number of the extended state");
        uint32_t extended = sw[1], size = sw[4];
        expect(size >= 832 && extended == size + 4, "sizes of the extended state");
        expect(memcmp(fp + size, &(uint32_t){MAGIC2}, 4) == 0, "magic number after the state");
        expect(memcmp(fp + 576, ymm_in, 256) == 0, "upper halves of YMM0 to YMM15 in the frame");
    }

    for (int i = 0; i < 256; i++) {
        fp[160 + i] ^= 0xff;
        if (have_avx)
            fp[576 + i] ^= 0x5a;
    }
    g[REG_RBX] = 0x6666;
    g[REG_R15] = 0x7777;
    g[REG_RAX] = 42;
    /* what runs here must not show there */
    __asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm15, %%xmm15" ::: "xmm0", "xmm15");
}

#define EACH(X)                                                                                    \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

/* Loads everything, sends the signal to itself, stores everything. */
static void interrupted(void)
{
    uint64_t frame[6] = {(uint64_t)xmm_in,  (uint64_t)xmm_out,  (uint64_t)ymm_in,
                         (uint64_t)ymm_out, (uint64_t)regs_out, (uint64_t)have_avx};
    long own_pid = getpid(),
         own_tid = syscall(SYS_gettid); /* calls would spoil the registers below */
    register long result __asm__("rax") = SYS_tgkill;
    register long pid __asm__("rdi") = own_pid;
    register long tid __asm__("rsi") = own_tid;
    register long signo __asm__("rdx") = SIGUSR1;
    register uint64_t *at __asm__("r9") = frame;

#define BODY(load, store)                                                                          \
    __asm__ volatile(                                                                              \
        "push %%rbx\n push %%r12\n push %%r13\n push %%r14\n push %%r15\n push %%rbp\n"            \
        "mov (%%r9), %%r10\n mov 16(%%r9), %%r8\n" load                                            \
        "mov $0x1111, %%ebx\n mov $0x2222, %%r12d\n mov $0x3333, %%r13d\n"                         \
        "mov $0x4444, %%r14d\n mov $0x5555, %%r15d\n syscall\n"                                    \
        "mov 8(%%r9), %%r10\n mov 24(%%r9), %%r8\n" store                                          \
        "mov 32(%%r9), %%r10\n mov %%rbx, (%%r10)\n mov %%r12, 8(%%r10)\n"                         \
        "mov %%r13, 16(%%r10)\n mov %%r14, 24(%%r10)\n mov %%r15, 32(%%r10)\n"                     \
        "pop %%rbp\n pop %%r15\n pop %%r14\n pop %%r13\n pop %%r12\n pop %%rbx\n"                  \
        : "+r"(result)                                                                             \
        : "r"(pid), "r"(tid), "r"(signo), "r"(at)                                                  \
        : "rcx", "r8", "r10", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",     \
          "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")
#define XLOAD(n)  "movdqu " #n "*16(%%r10), %%xmm" #n "\n"
#define XSTORE(n) "movdqu %%xmm" #n ", " #n "*16(%%r10)\n"
#define YLOAD(n)  XLOAD(n) "vinsertf128 $1, " #n "*16(%%r8), %%ymm" #n ", %%ymm" #n "\n"
#define YSTORE(n) XSTORE(n) "vextractf128 $1, %%ymm" #n ", " #n "*16(%%r8)\n"
    if (have_avx)
        BODY(EACH(YLOAD), EACH(YSTORE));
    else
        BODY(EACH(XLOAD), EACH(XSTORE));
    long answered = result;

    expect(handled == 1, "the handler did not run once");
    expect(answered == 42, "the result that the handler wrote");
}

int main(void)
{
    struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

    have_avx = __builtin_cpu_supports("avx");
    for (int i = 0; i < 256; i++) {
        xmm_in[i] = (unsigned char)(i * 7 + 3);
        ymm_in[i] = (unsigned char)(i * 13 + 5);
    }
    sigaction(SIGUSR1, &act, NULL);
    interrupted();
    expect(regs_out[0] == 0x6666 && regs_out[4] == 0x7777, "registers that the handler changed");
    expect(regs_out[1] == 0x2222 && regs_out[2] == 0x3333 && regs_out[3] == 0x4444,
           "registers that it left");
    for (int i = 0; i < 256; i++) {
        xmm_in[i] ^= 0xff;
        ymm_in[i] ^= 0x5a;
    }
    expect(memcmp(xmm_out, xmm_in, 256) == 0, "XMM registers that the handler changed");
    expect(!have_avx || memcmp(ymm_out, ymm_in, 256) == 0, "YMM halves that the handler changed");
    if (!faults)
        printf("the frame is read back byte for byte\n");
    return faults != 0;
}
