/* rt_sigaction.c: rt_sigaction(2), how a signal is handled, flag by flag. */
/* tags: trap */
#include "../lib/child.h"

#include <ucontext.h>

/* The kernel's own structure, with the return trampoline that libc hides. */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif
#ifndef SA_UNSUPPORTED
#define SA_UNSUPPORTED 0x00000400
#endif
#ifndef SA_EXPOSE_TAGBITS
#define SA_EXPOSE_TAGBITS 0x00000800
#endif

static volatile sig_atomic_t count, depth, deepest, last_sig;

static void reset_counters(void)
{
    count = depth = deepest = last_sig = 0;
}

static void counting(int sig)
{
    last_sig = sig;
    count++;
}

static void set_action(int sig, void (*handler)(int), int flags)
{
    struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

    need_eq(sigaction(sig, &act, NULL), 0);
}

static long raw_action(int sig, const void *act, void *old, size_t size)
{
    return SYS(SYS_rt_sigaction, sig, act, old, size);
}

/* covers: rt_sigaction EINVAL */
static void signal_number_out_of_range_is_einval(void **state)
{
    struct kernel_action act = {.handler = SIG_IGN}, old;

    (void)state;
    need_eq(raw_action(0, &act, NULL, 8), -EINVAL);
    need_eq(raw_action(-1, &act, NULL, 8), -EINVAL);
    need_eq(raw_action(65, &act, NULL, 8), -EINVAL);
    need_eq(raw_action(65, NULL, &old, 8), -EINVAL);
}

/* covers: rt_sigaction EINVAL */
static void sigkill_and_sigstop_cannot_be_changed_but_read(void **state)
{
    struct kernel_action act = {.handler = SIG_IGN}, old;

    (void)state;
    need_eq(raw_action(SIGKILL, &act, NULL, 8), -EINVAL);
    need_eq(raw_action(SIGSTOP, &act, NULL, 8), -EINVAL);
    act.handler = SIG_DFL;
    need_eq(raw_action(SIGKILL, &act, NULL, 8), -EINVAL);
    need_eq(raw_action(SIGKILL, NULL, &old, 8), 0);
    need(old.handler == SIG_DFL);
    need_eq(raw_action(SIGSTOP, NULL, &old, 8), 0);
}

/* covers: rt_sigaction EINVAL */
static void size_of_the_set_must_be_eight(void **state)
{
    struct kernel_action old;

    (void)state;
    need_eq(raw_action(SIGUSR1, NULL, &old, 4), -EINVAL);
    need_eq(raw_action(SIGUSR1, NULL, &old, 16), -EINVAL);
    need_eq(raw_action(SIGUSR1, NULL, &old, 128), -EINVAL);
}

/* covers: rt_sigaction EFAULT */
static void bad_pointers_are_efault(void **state)
{
    (void)state;
    need_eq(raw_action(SIGUSR1, BAD_PTR, NULL, 8), -EFAULT);
    need_eq(raw_action(SIGUSR1, NULL, BAD_PTR, 8), -EFAULT);
}

/* covers: rt_sigaction */
static void old_action_is_what_was_set(void **state)
{
    struct sigaction act = {.sa_handler = counting, .sa_flags = SA_RESTART | SA_NODEFER}, old;

    (void)state;
    sigaddset(&act.sa_mask, SIGUSR2);
    sigaddset(&act.sa_mask, SIGRTMAX);
    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
    memset(&old, 0xff, sizeof old);
    need_eq(sigaction(SIGUSR1, NULL, &old), 0);
    need(old.sa_handler == counting);
    need_eq(old.sa_flags & (SA_RESTART | SA_NODEFER | SA_SIGINFO | SA_ONSTACK),
            SA_RESTART | SA_NODEFER);
    need(sigismember(&old.sa_mask, SIGUSR2) && sigismember(&old.sa_mask, SIGRTMAX));
    need(!sigismember(&old.sa_mask, SIGUSR1));
    set_action(SIGUSR1, SIG_DFL, 0);
}

/* covers: rt_sigaction */
static void sigkill_and_sigstop_are_dropped_from_the_mask(void **state)
{
    struct kernel_action act = {.handler = SIG_IGN, .mask = ~0UL}, old;

    (void)state;
    need_eq(raw_action(SIGUSR1, &act, NULL, 8), 0);
    need_eq(raw_action(SIGUSR1, NULL, &old, 8), 0);
    need_eq(old.mask, ~(1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1)));
    set_action(SIGUSR1, SIG_DFL, 0);
}

/* covers: rt_sigaction SA_UNSUPPORTED SA_EXPOSE_TAGBITS */
static void unsupported_flag_bits_read_back_as_zero(void **state)
{
    struct kernel_action act = {.handler = SIG_IGN,
                                .flags = SA_UNSUPPORTED | 0x00001000 | SA_EXPOSE_TAGBITS},
                         old;

    (void)state;
    need_eq(raw_action(SIGUSR1, &act, NULL, 8), 0);
    need_eq(raw_action(SIGUSR1, NULL, &old, 8), 0);
    need_eq(old.flags & SA_UNSUPPORTED, 0);
    set_action(SIGUSR1, SIG_DFL, 0);
}

/* covers: rt_sigaction */
static void handler_runs_before_kill_to_self_returns(void **state)
{
    (void)state;
    reset_counters();
    set_action(SIGUSR1, counting, 0);
    for (int i = 1; i <= 100; i++) {
        need_eq(SYS(SYS_kill, getpid(), SIGUSR1), 0);
        need_eq(count, i);
    }
    need_eq(last_sig, SIGUSR1);
    set_action(SIGUSR1, SIG_DFL, 0);
}

/* covers: rt_sigaction */
static void every_signal_but_two_can_be_caught(void **state)
{
    (void)state;
    for (int sig = 1; sig <= 64; sig++) {
        struct sigaction old;
        struct kernel_action raw;

        if (sig == SIGKILL || sig == SIGSTOP || sig == 32 || sig == 33) {
            continue; /* 32 and 33 are libc's own */
        }
        need_eq(sigaction(sig, NULL, &old), 0);
        reset_counters();
        set_action(sig, counting, 0);
        need_eq(SYS(SYS_tgkill, getpid(), SYS(SYS_gettid), sig), 0);
        need_eq(count, 1);
        need_eq(last_sig, sig);
        need_eq(raw_action(sig, NULL, &raw, 8), 0);
        need(raw.handler == counting);
        need_eq(sigaction(sig, &old, NULL), 0);
    }
}

static void nesting(int sig)
{
    depth++;
    count++;
    if (depth > deepest) {
        deepest = depth;
    }
    if (count < 3) {
        raise(sig);
    }
    depth--;
}

/* covers: rt_sigaction */
static void signal_is_blocked_in_its_own_handler(void **state)
{
    (void)state;
    reset_counters();
    set_action(SIGUSR1, nesting, 0);
    need_eq(raise(SIGUSR1), 0);
    need_eq(count, 3);
    need_eq(deepest, 1);
    set_action(SIGUSR1, SIG_DFL, 0);
}

/* covers: rt_sigaction SA_NODEFER */
static void sa_nodefer_lets_the_handler_nest(void **state)
{
    (void)state;
    reset_counters();
    set_action(SIGUSR1, nesting, SA_NODEFER);
    need_eq(raise(SIGUSR1), 0);
    need_eq(count, 3);
    need_eq(deepest, 3);
    set_action(SIGUSR1, SIG_DFL, 0);
}

static volatile unsigned long mask_in_handler;

static void read_mask(int sig)
{
    unsigned long mask = 0;

    (void)sig;
    SYS(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
    mask_in_handler = mask;
}

#define BIT(sig) (1UL << ((sig)-1))

/* covers: rt_sigaction */
static void mask_of_the_action_is_added_in_the_handler_and_restored(void **state)
{
    struct sigaction act = {.sa_handler = read_mask};
    unsigned long before = 0, after = 0;
    sigset_t set, old;

    (void)state;
    sigaddset(&act.sa_mask, SIGUSR2);
    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    need_eq(sigprocmask(SIG_BLOCK, &set, &old), 0);
    SYS(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &before, 8);
    need_eq(raise(SIGUSR1), 0);
    SYS(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &after, 8);
    need_eq(mask_in_handler, before | BIT(SIGUSR1) | BIT(SIGUSR2));
    need_eq(after, before);
    act.sa_flags = SA_NODEFER;
    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
    need_eq(raise(SIGUSR1), 0);
    need_eq(mask_in_handler, before | BIT(SIGUSR2));
    need_eq(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    set_action(SIGUSR1, SIG_DFL, 0);
}

/* covers: rt_sigaction SA_RESETHAND */
static void sa_resethand_handles_once(void **state)
{
    struct sigaction seen;

    (void)state;
    reset_counters();
    set_action(SIGUSR1, counting, SA_RESETHAND);
    need_eq(raise(SIGUSR1), 0);
    need_eq(count, 1);
    need_eq(sigaction(SIGUSR1, NULL, &seen), 0);
    need(seen.sa_handler == SIG_DFL);
}

static siginfo_t seen_info;
static volatile int context_was_given;

static void with_info(int sig, siginfo_t *info, void *context)
{
    last_sig = sig;
    seen_info = *info;
    context_was_given = context != NULL && ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] != 0;
}

/* covers: rt_sigaction SA_SIGINFO */
static void sa_siginfo_gives_sender_and_context(void **state)
{
    struct sigaction act = {.sa_sigaction = with_info, .sa_flags = SA_SIGINFO};

    (void)state;
    memset(&seen_info, 0xff, sizeof seen_info);
    context_was_given = 0;
    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
    need_eq(SYS(SYS_kill, getpid(), SIGUSR1), 0);
    need_eq(seen_info.si_signo, SIGUSR1);
    need_eq(seen_info.si_code, SI_USER);
    need_eq(seen_info.si_errno, 0);
    need_eq(seen_info.si_pid, getpid());
    need_eq(seen_info.si_uid, getuid());
    need(context_was_given);
    need_eq(SYS(SYS_tgkill, getpid(), SYS(SYS_gettid), SIGUSR1), 0);
    need_eq(seen_info.si_code, SI_TKILL);
    need_eq(seen_info.si_pid, getpid());
    set_action(SIGUSR1, SIG_DFL, 0);
}

static char alternate[65536] __attribute__((aligned(16)));
static volatile int on_alternate;

static void where(int sig)
{
    char *here = __builtin_frame_address(0);

    (void)sig;
    on_alternate = here >= alternate && here < alternate + sizeof alternate;
}

/* covers: rt_sigaction SA_ONSTACK sigaltstack */
static void sa_onstack_runs_on_the_alternate_stack(void **state)
{
    stack_t alt = {.ss_sp = alternate, .ss_size = sizeof alternate};

    (void)state;
    need_eq(sigaltstack(&alt, NULL), 0);
    set_action(SIGUSR1, where, SA_ONSTACK);
    on_alternate = -1;
    need_eq(raise(SIGUSR1), 0);
    need_eq(on_alternate, 1);
    set_action(SIGUSR1, where, 0);
    need_eq(raise(SIGUSR1), 0);
    need_eq(on_alternate, 0);
    alt.ss_flags = SS_DISABLE;
    need_eq(sigaltstack(&alt, NULL), 0);
    set_action(SIGUSR1, where, SA_ONSTACK);
    on_alternate = -1;
    need_eq(raise(SIGUSR1), 0);
    need_eq(on_alternate, 0);
    set_action(SIGUSR1, SIG_DFL, 0);
}

static int no_child_stop(void *arg)
{
    pid_t pid;
    int status;

    reset_counters();
    set_action(SIGCHLD, counting, SA_RESTART | (arg ? SA_NOCLDSTOP : 0));
    pid = child_start(sleep_forever, NULL);
    need_eq(kill(pid, SIGSTOP), 0);
    need_eq(waitpid(pid, &status, WUNTRACED), pid);
    need_eq(kill(pid, SIGCONT), 0);
    need_eq(waitpid(pid, &status, WCONTINUED), pid);
    if (arg) {
        need_eq(count, 0);
    } else {
        need(wait_until(count >= 2));
    }
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
    need(wait_until(count == (arg ? 1 : 3)));
    return 0;
}

/* covers: rt_sigaction SA_NOCLDSTOP */
static void sa_nocldstop_signals_only_the_end_of_a_child(void **state)
{
    (void)state;
    child_passes(no_child_stop, (void *)1);
    child_passes(no_child_stop, NULL);
}

/* covers: rt_sigaction */
static void ignoring_a_pending_signal_discards_it(void **state)
{
    sigset_t set, pending, old;

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    need_eq(sigprocmask(SIG_BLOCK, &set, &old), 0);
    set_action(SIGUSR1, SIG_DFL, 0);
    need_eq(raise(SIGUSR1), 0);
    need_eq(sigpending(&pending), 0);
    need(sigismember(&pending, SIGUSR1));
    set_action(SIGUSR1, SIG_IGN, 0);
    need_eq(sigpending(&pending), 0);
    need(!sigismember(&pending, SIGUSR1));
    set_action(SIGUSR1, SIG_DFL, 0);
    need_eq(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

/* covers: rt_sigaction */
static void default_action_of_an_ignored_kind_discards_a_pending_signal(void **state)
{
    sigset_t set, pending, old;

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGURG);
    need_eq(sigprocmask(SIG_BLOCK, &set, &old), 0);
    set_action(SIGURG, counting, 0);
    need_eq(raise(SIGURG), 0);
    need_eq(sigpending(&pending), 0);
    need(sigismember(&pending, SIGURG));
    set_action(SIGURG, SIG_DFL, 0);
    need_eq(sigpending(&pending), 0);
    need(!sigismember(&pending, SIGURG));
    need_eq(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

static int without_restorer(void *arg)
{
    struct kernel_action act = {.handler = counting};

    (void)arg;
    need_eq(raw_action(SIGUSR1, &act, NULL, 8), 0);
    SYS(SYS_kill, getpid(), SIGUSR1);
    return 0;
}

/* covers: rt_sigaction SA_RESTORER */
static void handler_without_a_restorer_is_a_segmentation_fault(void **state)
{
    (void)state;
    need_eq(child_status(without_restorer, NULL) & 0x7f, SIGSEGV);
}

static volatile int inner_ran_first;

static void inner(int sig)
{
    (void)sig;
    inner_ran_first = count == 0;
}

/* covers: rt_sigaction */
static void two_pending_signals_nest_the_lower_one_last_out(void **state)
{
    sigset_t set, old;

    (void)state;
    reset_counters();
    inner_ran_first = -1;
    set_action(SIGUSR1, counting, 0);
    set_action(SIGUSR2, inner, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    need_eq(sigprocmask(SIG_BLOCK, &set, &old), 0);
    need_eq(raise(SIGUSR1), 0);
    need_eq(raise(SIGUSR2), 0);
    /* The frame of the lower number is made first, so the higher one's handler runs first. */
    need_eq(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    need_eq(inner_ran_first, 1);
    need_eq(count, 1);
    set_action(SIGUSR1, SIG_DFL, 0);
    set_action(SIGUSR2, SIG_DFL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signal_number_out_of_range_is_einval),
        cmocka_unit_test(sigkill_and_sigstop_cannot_be_changed_but_read),
        cmocka_unit_test(size_of_the_set_must_be_eight),
        cmocka_unit_test(bad_pointers_are_efault),
        cmocka_unit_test(old_action_is_what_was_set),
        cmocka_unit_test(sigkill_and_sigstop_are_dropped_from_the_mask),
        cmocka_unit_test(unsupported_flag_bits_read_back_as_zero),
        cmocka_unit_test(handler_runs_before_kill_to_self_returns),
        cmocka_unit_test(every_signal_but_two_can_be_caught),
        cmocka_unit_test(signal_is_blocked_in_its_own_handler),
        cmocka_unit_test(sa_nodefer_lets_the_handler_nest),
        cmocka_unit_test(mask_of_the_action_is_added_in_the_handler_and_restored),
        cmocka_unit_test(sa_resethand_handles_once),
        cmocka_unit_test(sa_siginfo_gives_sender_and_context),
        cmocka_unit_test(sa_onstack_runs_on_the_alternate_stack),
        cmocka_unit_test(sa_nocldstop_signals_only_the_end_of_a_child),
        cmocka_unit_test(ignoring_a_pending_signal_discards_it),
        cmocka_unit_test(default_action_of_an_ignored_kind_discards_a_pending_signal),
        cmocka_unit_test(handler_without_a_restorer_is_a_segmentation_fault),
        cmocka_unit_test(two_pending_signals_nest_the_lower_one_last_out),
    };

    return cmocka_run_group_tests_name("signal/rt_sigaction", tests, NULL, NULL);
}
