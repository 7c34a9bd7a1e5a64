/* sigaltstack.c: sigaltstack(2), a stack for handlers. */
#include "../lib/child.h"

#include <sys/auxv.h>
#include <ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static char alternate[65536] __attribute__((aligned(4096)));
static volatile long result;
static volatile int inside, depth;
static stack_t seen;

static bool on_alternate(const void *at)
{
    return (const char *)at >= alternate && (const char *)at < alternate + sizeof alternate;
}

static long set_stack(void *at, int flags, size_t size)
{
    stack_t alt = {.ss_sp = at, .ss_flags = flags, .ss_size = size};

    return SYS(SYS_sigaltstack, &alt, NULL);
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | flags};

    need_eq(sigaction(sig, &act, NULL), 0);
}

static int teardown(void **state)
{
    (void)state;
    signal(SIGUSR1, SIG_DFL);
    return set_stack(NULL, SS_DISABLE, 0) == 0 ? 0 : -1;
}

/* covers: sigaltstack SS_DISABLE */
static void there_is_none_at_first(void **state)
{
    stack_t old;

    (void)state;
    memset(&old, 0xff, sizeof old);
    need_eq(SYS(SYS_sigaltstack, NULL, &old), 0);
    need_eq(old.ss_flags, SS_DISABLE);
}

/* covers: sigaltstack */
static void old_stack_is_what_was_set(void **state)
{
    stack_t alt = {.ss_sp = alternate, .ss_size = sizeof alternate}, old;

    (void)state;
    need_eq(SYS(SYS_sigaltstack, &alt, NULL), 0);
    alt.ss_size = 32768;
    need_eq(SYS(SYS_sigaltstack, &alt, &old), 0);
    need(old.ss_sp == alternate && old.ss_size == sizeof alternate);
    need_eq(old.ss_flags, 0);
    need_eq(SYS(SYS_sigaltstack, NULL, &old), 0);
    need_eq(old.ss_size, 32768);
}

/* covers: sigaltstack ENOMEM */
static void too_small_a_stack_is_enomem(void **state)
{
    unsigned long least = getauxval(AT_MINSIGSTKSZ);

    (void)state;
    need_eq(set_stack(alternate, 0, 0), -ENOMEM);
    need_eq(set_stack(alternate, 0, 2047), -ENOMEM);
    if (least >= 2048) {
        need_eq(set_stack(alternate, 0, least), 0);
    }
}

/* covers: sigaltstack EINVAL */
static void unknown_flag_is_einval(void **state)
{
    (void)state;
    need_eq(set_stack(alternate, 0x40, sizeof alternate), -EINVAL);
    need_eq(set_stack(alternate, 3, sizeof alternate), -EINVAL);
}

/* covers: sigaltstack SS_ONSTACK */
static void ss_onstack_as_a_request_is_accepted(void **state)
{
    (void)state;
    need_eq(set_stack(alternate, SS_ONSTACK, sizeof alternate), 0);
}

/* covers: sigaltstack EFAULT */
static void bad_pointers_are_efault(void **state)
{
    (void)state;
    need_eq(SYS(SYS_sigaltstack, BAD_PTR, NULL), -EFAULT);
    need_eq(SYS(SYS_sigaltstack, NULL, BAD_PTR), -EFAULT);
}

static void change_inside(int sig, siginfo_t *info, void *context)
{
    stack_t alt = {.ss_sp = alternate, .ss_size = 32768};

    (void)sig;
    (void)info;
    (void)context;
    inside = on_alternate(__builtin_frame_address(0));
    result = SYS(SYS_sigaltstack, &alt, NULL);
    SYS(SYS_sigaltstack, NULL, &seen);
}

/* covers: sigaltstack EPERM SS_ONSTACK */
static void change_while_on_the_stack_is_eperm(void **state)
{
    (void)state;
    need_eq(set_stack(alternate, 0, sizeof alternate), 0);
    handle(SIGUSR1, change_inside, 0);
    need_eq(raise(SIGUSR1), 0);
    need_eq(inside, 1);
    need_eq(result, -EPERM);
    need_eq(seen.ss_flags, SS_ONSTACK);
    need_eq(SYS(SYS_sigaltstack, NULL, &seen), 0);
    need_eq(seen.ss_flags, 0);
    need_eq(seen.ss_size, sizeof alternate);
}

static void disable_inside(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    (void)context;
    result = set_stack(NULL, SS_DISABLE, 0);
}

/* covers: sigaltstack EPERM SS_DISABLE */
static void disabling_while_on_the_stack_is_eperm(void **state)
{
    (void)state;
    need_eq(set_stack(alternate, 0, sizeof alternate), 0);
    handle(SIGUSR1, disable_inside, 0);
    need_eq(raise(SIGUSR1), 0);
    need_eq(result, -EPERM);
}

static void nested(int sig, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    inside += on_alternate(__builtin_frame_address(0));
    if (++depth < 4) {
        raise(sig);
    }
}

/* covers: sigaltstack SA_NODEFER */
static void nested_handlers_stay_on_the_stack(void **state)
{
    (void)state;
    inside = depth = 0;
    need_eq(set_stack(alternate, 0, sizeof alternate), 0);
    handle(SIGUSR1, nested, SA_NODEFER);
    need_eq(raise(SIGUSR1), 0);
    need_eq(inside, 4);
}

/* covers: sigaltstack SS_AUTODISARM */
static void ss_autodisarm_frees_the_stack_during_the_handler(void **state)
{
    (void)state;
    result = -1;
    need_eq(set_stack(alternate, (int)SS_AUTODISARM, sizeof alternate), 0);
    need_eq(SYS(SYS_sigaltstack, NULL, &seen), 0);
    need_eq((unsigned)seen.ss_flags, SS_AUTODISARM);
    handle(SIGUSR1, disable_inside, 0);
    need_eq(raise(SIGUSR1), 0);
    need_eq(result, 0);
    need_eq(SYS(SYS_sigaltstack, NULL, &seen), 0);
    need_eq((unsigned)seen.ss_flags, SS_AUTODISARM);
    need(seen.ss_sp == alternate && seen.ss_size == sizeof alternate);
}

static void read_inside(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    (void)context;
    inside = on_alternate(__builtin_frame_address(0));
    SYS(SYS_sigaltstack, NULL, &seen);
}

/* covers: sigaltstack SS_AUTODISARM SS_DISABLE */
static void disarmed_stack_reads_as_disabled_in_the_handler(void **state)
{
    (void)state;
    need_eq(set_stack(alternate, (int)SS_AUTODISARM, sizeof alternate), 0);
    handle(SIGUSR1, read_inside, 0);
    need_eq(raise(SIGUSR1), 0);
    need_eq(inside, 1);
    need_eq(seen.ss_flags, SS_DISABLE);
}

static volatile int saved_ok;

static void look_at_uc_stack(int sig, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;

    (void)sig;
    (void)info;
    saved_ok = uc->uc_stack.ss_sp == alternate && uc->uc_stack.ss_size == sizeof alternate;
}

/* covers: sigaltstack rt_sigreturn */
static void frame_tells_the_stack_that_was_set(void **state)
{
    (void)state;
    saved_ok = 0;
    need_eq(set_stack(alternate, 0, sizeof alternate), 0);
    handle(SIGUSR1, look_at_uc_stack, 0);
    need_eq(raise(SIGUSR1), 0);
    need_eq(saved_ok, 1);
}

/* Deeper than any stack is large. */
static long overflow(long levels)
{
    volatile char block[4096];

    block[0] = (char)levels;
    return levels == 0 ? 0 : overflow(levels - 1) + block[0];
}

static void exit_with_place(int sig, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    _exit(sig == SIGSEGV && on_alternate(__builtin_frame_address(0)) ? 44 : 45);
}

static int overflow_stack(void *arg)
{
    (void)arg;
    need_eq(set_stack(alternate, 0, sizeof alternate), 0);
    handle(SIGSEGV, exit_with_place, 0);
    return overflow(1L << 40) != 0;
}

/* covers: sigaltstack SA_ONSTACK */
static void stack_overflow_is_handled_on_the_alternate_stack(void **state)
{
    (void)state;
    need_eq(child_status(overflow_stack, NULL), 44 << 8);
}

static int overflow_without_alternate(void *arg)
{
    (void)arg;
    set_stack(NULL, SS_DISABLE, 0);
    handle(SIGSEGV, exit_with_place, 0);
    return overflow(1L << 40) != 0;
}

/* covers: rt_sigaction */
static void stack_overflow_without_one_kills_by_sigsegv(void **state)
{
    (void)state;
    need_eq(child_status(overflow_without_alternate, NULL) & 0x7f, SIGSEGV);
}

static int unwritable_stack(void *arg)
{
    (void)arg;
    need_eq(mprotect(alternate, sizeof alternate, PROT_READ), 0);
    need_eq(set_stack(alternate, 0, sizeof alternate), 0);
    handle(SIGUSR1, read_inside, 0);
    raise(SIGUSR1);
    return 0;
}

/* covers: sigaltstack */
static void stack_that_cannot_be_written_kills_by_sigsegv(void **state)
{
    (void)state;
    need_eq(child_status(unwritable_stack, NULL) & 0x7f, SIGSEGV);
}

int main(void)
{
#define with_stack(f) cmocka_unit_test_setup_teardown(f, NULL, teardown)
    const struct CMUnitTest tests[] = {
        with_stack(there_is_none_at_first),
        with_stack(old_stack_is_what_was_set),
        with_stack(too_small_a_stack_is_enomem),
        with_stack(unknown_flag_is_einval),
        with_stack(ss_onstack_as_a_request_is_accepted),
        with_stack(bad_pointers_are_efault),
        with_stack(change_while_on_the_stack_is_eperm),
        with_stack(disabling_while_on_the_stack_is_eperm),
        with_stack(nested_handlers_stay_on_the_stack),
        with_stack(ss_autodisarm_frees_the_stack_during_the_handler),
        with_stack(disarmed_stack_reads_as_disabled_in_the_handler),
        with_stack(frame_tells_the_stack_that_was_set),
        with_stack(stack_overflow_is_handled_on_the_alternate_stack),
        with_stack(stack_overflow_without_one_kills_by_sigsegv),
        with_stack(stack_that_cannot_be_written_kills_by_sigsegv),
    };

    return cmocka_run_group_tests_name("signal/sigaltstack", tests, NULL, NULL);
}
