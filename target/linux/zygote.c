/*
 * The zygote: the supervisor's first child. It sheds everything that was libc's, keeps the kernel's range, and from then on
 * makes blanks and runs the service thread.
 */
#include "frame.h"
#include "linux.h"

#include <asm/errno.h>
#include <linux/mman.h>
#include <asm/signal.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

extern char host_calls_start[], host_calls_end[];

static char zygote_block[TARGET_STACK_SIZE] __attribute__((aligned(TARGET_STACK_SIZE)));
static char report_block[TARGET_STACK_SIZE] __attribute__((aligned(TARGET_STACK_SIZE)));
static char first_block[TARGET_STACK_SIZE] __attribute__((aligned(TARGET_STACK_SIZE)));

struct target_shared shared __attribute__((section(".shared"))) = {
    .magic = SHARED_MAGIC,
    .report_entry = (uint64_t)upcall_report,
    .report_stack = (uint64_t)(report_block + sizeof(report_block)),
};

static void fail(const char *what)
{
    target_log(what, __builtin_strlen(what));
    HOST1(__NR_exit_group, 125);
    __builtin_unreachable();
}

/* --- shedding --------------------------------------------------------------------------------------------- */

static void shed_libc(void)
{
    if (shared.rseq_size)
        HOST4(__NR_rseq, shared.unmap_from_rseq, shared.rseq_size, 1 /* RSEQ_FLAG_UNREGISTER */,
              shared.rseq_signature);
    HOST2(__NR_set_robust_list, 0, 24);
    HOST1(__NR_set_tid_address, 0);
    HOST2(__NR_arch_prctl, 0x1002 /* ARCH_SET_FS */, 0);
    for (int i = 0; shared.vdso_ranges[i][1]; i++) {
        uint64_t *range = shared.vdso_ranges[i];
        long to = HOST5(__NR_mremap, range[0], range[1], range[1],
                        3 /* MREMAP_MAYMOVE | MREMAP_FIXED */, range[2]);
        if (to < 0)
            shared.host_clock_gettime = 0; /* then clocks are read by calls */
    }
    HOST2(__NR_munmap, 0, MYST_RANGE_START);
    HOST2(__NR_munmap, MYST_RANGE_END, MYST_USER_END - MYST_RANGE_END);
}

/* Every call whose instruction lies outside of entry.S's section traps. */
static void filter_install(void)
{
    uint64_t start = (uint64_t)host_calls_start, end = (uint64_t)host_calls_end;
    uint32_t high = (uint32_t)(start >> 32);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)start, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)end, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

    if (HOST5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail("myst: the host refuses no_new_privs\n");
    if (HOST3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        fail("myst: the host refuses a seccomp filter\n");
}

/* --- the first thread of the instance ------------------------------------------------------------------------ */

static void first_main(void *arg)
{
    struct target_thread *thread = arg;

    upcall_main(&shared.boot);
    thread_bases_load(thread);
    thread_return();
}

/* It starts as if it had been switched out: by a blank that takes it over. */
static void first_prepare(void *arg)
{
    struct target_thread *thread = (void *)first_block;

    thread_switch_call(thread, zygote_block + sizeof(zygote_block) - 4096, arg, thread);
    /* here the first thread continues, in its space */
    thread_signals_open();
    first_main(thread);
}

/* What the supervisor has seen since the last look. */
static void events_hand_out(void)
{
    uint32_t tail = shared.event_tail;

    while (tail != __atomic_load_n(&shared.event_head, __ATOMIC_ACQUIRE)) {
        int event = (int)shared.events[tail % EVENT_RING];
        __atomic_store_n(&shared.event_tail, ++tail, __ATOMIC_RELEASE);
        upcall_event(event);
    }
}

static void service_loop(void)
{
    for (;;) {
        uint32_t seen = __atomic_load_n(&shared.service_word, __ATOMIC_ACQUIRE);
        int64_t deadline;
        struct {
            int64_t sec, nsec;
        } until;

        events_hand_out();
        deadline = upcall_service();
        until.sec = deadline / 1000000000;
        until.nsec = deadline % 1000000000;
        while (blanks_refill())
            ;
        HOST6(__NR_futex, &shared.service_word, FUTEX_WAIT_BITSET, seen,
              deadline == TARGET_FOREVER ? NULL : &until, 0, FUTEX_BITSET_MATCH_ANY);
    }
}

static void first_start(void *arg)
{
    struct target_space *space;

    (void)arg;
    while (!(space = NULL, blanks_refill()))
        if (shared.blank_errno)
            fail("myst: the host refuses to make a process\n");
    if (target_space_blank(&space))
        fail("myst: the host refuses to make a process\n");
    space->job = (void *)first_block;
    __atomic_store_n(&space->job_word, 1, __ATOMIC_RELEASE);
    HOST3(__NR_futex, &space->job_word, FUTEX_WAKE, 1);

    service_loop();
}

void target_service_wake(void)
{
    __atomic_fetch_add(&shared.service_word, 1, __ATOMIC_SEQ_CST);
    HOST3(__NR_futex, &shared.service_word, FUTEX_WAKE, 1);
}

static void zygote_main(void *arg)
{
    struct target_thread *thread = (void *)zygote_block;
    struct target_thread *first = (void *)first_block;

    (void)arg;
    shared.zygote_pid = (int32_t)HOST1(__NR_getpid, 0);
    host_process_init();
    thread->host_tid = thread->host_pid = shared.zygote_pid;
    has_fsgsbase = shared.boot.hwcap2 & (1 << 1);
    shed_libc();
    thread_signals_open();
    trap_capture_template();
    if (!shared.frame_size)
        fail("myst: the host's signal frames are larger than this build allows for\n");
    thread_signals_install();
    filter_install();
    context_from_template(first);
    stack_call((char *)first->frame - 256, first_prepare, first_start);
}

/* e_entry of the image: the launcher's child jumps here on a stack of libc's. */
__attribute__((used)) void zygote_start(void)
{
    stack_call(zygote_block + sizeof(zygote_block), zygote_main, NULL);
}

__attribute__((naked, used)) void zygote_entry(void)
{
    __asm__("jmp zygote_start");
}
