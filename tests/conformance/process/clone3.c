/* clone3.c: clone3(2), clone with a structure that may grow. */
#include "../lib/child.h"

#include <linux/sched.h>
#include <poll.h>

#define SIZE_0 CLONE_ARGS_SIZE_VER0
#define SIZE_2 CLONE_ARGS_SIZE_VER2

static long clone3_raw(struct clone_args *args, size_t size)
{
    long pid = SYS(SYS_clone3, args, size);

    if (pid == -ENOSYS) {
        skip_because("clone3 is not in the running kernel");
    }
    return pid;
}

/* The call with these arguments makes no child and fails with err. */
static void refuses(struct clone_args args, int err)
{
    long pid = clone3_raw(&args, sizeof args);

    if (pid == 0) {
        _exit(CHILD_FAILED);
    }
    if (pid > 0) {
        child_end((pid_t)pid);
    }
    need_eq(pid, -err);
}

/* A child with a stack of its own runs body(arg) and exits with the result. */
static long clone3_call(struct clone_args *args, int (*body)(void *), void *arg)
{
    register int (*fn)(void *) __asm__("r12") = body;
    register void *value __asm__("r13") = arg;
    long result;

    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r13, %%rdi\n\t"
                     "call *%%r12\n\t"
                     "mov %%eax, %%edi\n\t"
                     "mov $60, %%eax\n\t"
                     "syscall\n"
                     "1:"
                     : "=a"(result)
                     : "a"(SYS_clone3), "D"(args), "S"(sizeof *args), "r"(fn), "r"(value)
                     : "rcx", "r11", "memory");
    return result;
}

/* covers: clone3 */
static void clone3_with_an_exit_signal_is_fork(void **state)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    volatile int value = 1;
    long pid;

    (void)state;
    pid = clone3_raw(&args, sizeof args);
    if (pid == 0) {
        value = 2;
        _exit(9);
    }
    need(pid > 0);
    need_eq(child_end((pid_t)pid), 9 << 8);
    need_eq(value, 1);
}

/* covers: clone3 */
static void first_and_second_published_sizes_are_accepted(void **state)
{
    static const size_t sizes[] = {CLONE_ARGS_SIZE_VER0, CLONE_ARGS_SIZE_VER1,
                                   CLONE_ARGS_SIZE_VER2};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct clone_args args = {.exit_signal = SIGCHLD};
        long pid = clone3_raw(&args, sizes[i]);

        if (pid == 0) {
            _exit(0);
        }
        need(pid > 0);
        need_eq(child_end((pid_t)pid), 0);
    }
}

/* covers: clone3 EINVAL */
static void structure_smaller_than_the_first_version_is_einval(void **state)
{
    struct clone_args args = {.exit_signal = SIGCHLD};

    (void)state;
    need_eq(clone3_raw(&args, SIZE_0 - 1), -EINVAL);
    need_eq(clone3_raw(&args, 0), -EINVAL);
}

/* covers: clone3 E2BIG */
static void structure_larger_than_a_page_is_e2big(void **state)
{
    static struct clone_args args[100] = {{.exit_signal = SIGCHLD}};

    (void)state;
    need_eq(clone3_raw(args, 4097), -E2BIG);
}

/* covers: clone3 E2BIG */
static void unknown_tail_must_be_zero(void **state)
{
    struct {
        struct clone_args known;
        uint64_t unknown[8];
    } args = {.known = {.exit_signal = SIGCHLD}};
    long pid;

    (void)state;
    pid = clone3_raw(&args.known, sizeof args);
    if (pid == 0) {
        _exit(0);
    }
    need(pid > 0);
    need_eq(child_end((pid_t)pid), 0);
    args.unknown[7] = 1;
    need_eq(clone3_raw(&args.known, sizeof args), -E2BIG);
}

/* covers: clone3 EFAULT */
static void structure_at_a_bad_address_is_efault(void **state)
{
    (void)state;
    need_eq(clone3_raw(BAD_PTR, SIZE_2), -EFAULT);
    need_eq(clone3_raw(NULL, SIZE_2), -EFAULT);
}

/* covers: clone3 EINVAL */
static void unknown_flag_is_einval(void **state)
{
    (void)state;
    refuses((struct clone_args){.flags = 1ULL << 40, .exit_signal = SIGCHLD}, EINVAL);
}

/* covers: clone3 EINVAL CLONE_DETACHED */
static void signal_bits_in_flags_and_detached_are_einval(void **state)
{
    (void)state;
    refuses((struct clone_args){.flags = SIGCHLD}, EINVAL);
    refuses((struct clone_args){.flags = CLONE_DETACHED, .exit_signal = SIGCHLD}, EINVAL);
}

/* covers: clone3 EINVAL */
static void exit_signal_beyond_the_last_is_einval(void **state)
{
    (void)state;
    refuses((struct clone_args){.exit_signal = 65}, EINVAL);
    refuses((struct clone_args){.exit_signal = 1ULL << 32 | SIGCHLD}, EINVAL);
}

/* covers: clone3 EINVAL CLONE_THREAD CLONE_PARENT */
static void exit_signal_with_thread_or_parent_is_einval(void **state)
{
    (void)state;
    refuses((struct clone_args){.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM,
                                .exit_signal = SIGCHLD},
            EINVAL);
    refuses((struct clone_args){.flags = CLONE_PARENT, .exit_signal = SIGCHLD}, EINVAL);
}

/* covers: clone3 EINVAL */
static void stack_and_stack_size_come_together(void **state)
{
    static char stack[8192] __attribute__((aligned(16)));

    (void)state;
    refuses((struct clone_args){.exit_signal = SIGCHLD, .stack = (uintptr_t)stack}, EINVAL);
    refuses((struct clone_args){.exit_signal = SIGCHLD, .stack_size = sizeof stack}, EINVAL);
}

/* covers: clone3 EINVAL */
static void stack_outside_user_space_is_einval(void **state)
{
    (void)state;
    refuses((struct clone_args){.exit_signal = SIGCHLD,
                                .stack = 0xffff800000000000UL,
                                .stack_size = 4096},
            EINVAL);
}

/* covers: clone3 EINVAL CLONE_CLEAR_SIGHAND CLONE_SIGHAND */
static void clear_sighand_with_sighand_is_einval(void **state)
{
    (void)state;
    refuses((struct clone_args){.flags = CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM}, EINVAL);
}

/* covers: clone3 EINVAL CLONE_SIGHAND CLONE_THREAD CLONE_NEWNS CLONE_FS */
static void combinations_that_clone_refuses_are_einval(void **state)
{
    (void)state;
    refuses((struct clone_args){.flags = CLONE_SIGHAND, .exit_signal = SIGCHLD}, EINVAL);
    refuses((struct clone_args){.flags = CLONE_THREAD | CLONE_VM}, EINVAL);
    refuses((struct clone_args){.flags = CLONE_NEWNS | CLONE_FS, .exit_signal = SIGCHLD}, EINVAL);
}

/* covers: clone3 EINVAL CLONE_INTO_CGROUP */
static void cgroup_descriptor_out_of_range_is_einval(void **state)
{
    (void)state;
    refuses((struct clone_args){.flags = CLONE_INTO_CGROUP,
                                .exit_signal = SIGCHLD,
                                .cgroup = 1ULL << 31},
            EINVAL);
}

/* covers: clone3 EINVAL */
static void set_tid_and_its_size_come_together(void **state)
{
    pid_t tid[40] = {0};

    (void)state;
    refuses((struct clone_args){.exit_signal = SIGCHLD, .set_tid_size = 1}, EINVAL);
    refuses((struct clone_args){.exit_signal = SIGCHLD, .set_tid = (uintptr_t)tid}, EINVAL);
    refuses(
        (struct clone_args){.exit_signal = SIGCHLD, .set_tid = (uintptr_t)tid, .set_tid_size = 33},
        EINVAL);
}

/* covers: clone3 EINVAL */
static void set_tid_of_zero_or_less_is_einval(void **state)
{
    pid_t tid = 0;

    (void)state;
    refuses(
        (struct clone_args){.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 1},
        EINVAL);
    tid = -1;
    refuses(
        (struct clone_args){.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 1},
        EINVAL);
}

/* covers: clone3 EFAULT */
static void set_tid_at_a_bad_address_is_efault(void **state)
{
    (void)state;
    refuses((struct clone_args){.exit_signal = SIGCHLD,
                                .set_tid = (uintptr_t)BAD_PTR,
                                .set_tid_size = 1},
            EFAULT);
}

/* covers: clone3 EEXIST */
static void set_tid_that_is_taken_is_eexist(void **state)
{
    pid_t tid = getpid();

    (void)state;
    need_root();
    refuses(
        (struct clone_args){.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 1},
        EEXIST);
}

/* covers: clone3 EPERM */
static void set_tid_without_privilege_is_eperm(void **state)
{
    pid_t tid = 31000;
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 1};
    pid_t pid;

    (void)state;
    pid = child_fork();
    if (pid == 0) {
        drop_privileges();
        need_eq(SYS(SYS_clone3, &args, sizeof args), -EPERM);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
}

/* covers: clone3 */
static void set_tid_chooses_the_pid(void **state)
{
    pid_t tid = 31000;
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 1};
    long pid;

    (void)state;
    need_root();
    pid = clone3_raw(&args, sizeof args);
    if (pid == 0) {
        _exit(SYS(SYS_getpid) == 31000 ? 0 : 1);
    }
    if (pid == -EEXIST) {
        skip_because("pid 31000 is taken");
    }
    need_eq(pid, 31000);
    need_eq(child_end(31000), 0);
}

static void on_signal(int sig)
{
    (void)sig;
}

static int clear_sighand_body(void *arg)
{
    struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
    struct sigaction seen;
    long pid;

    (void)arg;
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, SIG_IGN);
    pid = clone3_raw(&args, sizeof args);
    if (pid == 0) {
        need_eq(sigaction(SIGUSR1, NULL, &seen), 0);
        need(seen.sa_handler == SIG_DFL);
        need_eq(sigaction(SIGUSR2, NULL, &seen), 0);
        need(seen.sa_handler == SIG_IGN);
        _exit(0);
    }
    need(pid > 0);
    need_eq(child_end((pid_t)pid), 0);
    need_eq(sigaction(SIGUSR1, NULL, &seen), 0);
    need(seen.sa_handler == on_signal);
    return 0;
}

/* covers: clone3 CLONE_CLEAR_SIGHAND */
static void clear_sighand_resets_handlers_but_keeps_ignored(void **state)
{
    (void)state;
    child_passes(clear_sighand_body, NULL);
}

/* covers: clone3 CLONE_PIDFD CLONE_PARENT_SETTID CLONE_CHILD_SETTID */
static void pidfd_parent_tid_and_child_tid_have_their_own_fields(void **state)
{
    volatile int pidfd = -1, parent_tid = -1, child_tid = -1;
    struct clone_args args = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
                              .exit_signal = SIGCHLD,
                              .pidfd = (uintptr_t)&pidfd,
                              .parent_tid = (uintptr_t)&parent_tid,
                              .child_tid = (uintptr_t)&child_tid};
    struct pollfd ready;
    long pid;

    (void)state;
    pid = clone3_raw(&args, sizeof args);
    if (pid == 0) {
        _exit(child_tid == SYS(SYS_gettid) ? 0 : 1);
    }
    need(pid > 0 && pidfd >= 0);
    need_eq(parent_tid, pid);
    need_eq(child_tid, -1);
    ready = (struct pollfd){.fd = pidfd, .events = POLLIN};
    need_eq(poll(&ready, 1, 20000), 1);
    need_eq(child_end((pid_t)pid), 0);
    close(pidfd);
}

static int where_is_my_stack(void *arg)
{
    *(char **)arg = __builtin_frame_address(0);
    return 6;
}

/* covers: clone3 CLONE_VM CLONE_VFORK */
static void child_starts_at_the_top_of_its_stack(void **state)
{
    static char stack[65536] __attribute__((aligned(16)));
    static char *seen;
    struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK,
                              .exit_signal = SIGCHLD,
                              .stack = (uintptr_t)stack,
                              .stack_size = sizeof stack};
    struct clone_args probe = {0};
    long pid;

    (void)state;
    need_eq(clone3_raw(&probe, 0), -EINVAL);
    pid = clone3_call(&args, where_is_my_stack, &seen);
    need(pid > 0);
    need_eq(child_end((pid_t)pid), 6 << 8);
    need(seen < stack + sizeof stack && seen > stack + sizeof stack - 256);
}

/* covers: clone3 CLONE_THREAD CLONE_CHILD_CLEARTID */
static void thread_ends_and_clears_its_word(void **state)
{
    static char stack[65536] __attribute__((aligned(16)));
    static char *seen;
    volatile int word = 1;
    struct clone_args args = {.flags =
                                  CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID,
                              .child_tid = (uintptr_t)&word,
                              .stack = (uintptr_t)stack,
                              .stack_size = sizeof stack};
    struct clone_args probe = {0};

    (void)state;
    need_eq(clone3_raw(&probe, 0), -EINVAL);
    need(clone3_call(&args, where_is_my_stack, &seen) > 0);
    need(wait_until(word == 0));
    need(seen > stack && seen < stack + sizeof stack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clone3_with_an_exit_signal_is_fork),
        cmocka_unit_test(first_and_second_published_sizes_are_accepted),
        cmocka_unit_test(structure_smaller_than_the_first_version_is_einval),
        cmocka_unit_test(structure_larger_than_a_page_is_e2big),
        cmocka_unit_test(unknown_tail_must_be_zero),
        cmocka_unit_test(structure_at_a_bad_address_is_efault),
        cmocka_unit_test(unknown_flag_is_einval),
        cmocka_unit_test(signal_bits_in_flags_and_detached_are_einval),
        cmocka_unit_test(exit_signal_beyond_the_last_is_einval),
        cmocka_unit_test(exit_signal_with_thread_or_parent_is_einval),
        cmocka_unit_test(stack_and_stack_size_come_together),
        cmocka_unit_test(stack_outside_user_space_is_einval),
        cmocka_unit_test(clear_sighand_with_sighand_is_einval),
        cmocka_unit_test(combinations_that_clone_refuses_are_einval),
        cmocka_unit_test(cgroup_descriptor_out_of_range_is_einval),
        cmocka_unit_test(set_tid_and_its_size_come_together),
        cmocka_unit_test(set_tid_of_zero_or_less_is_einval),
        cmocka_unit_test(set_tid_at_a_bad_address_is_efault),
        cmocka_unit_test(set_tid_that_is_taken_is_eexist),
        cmocka_unit_test(set_tid_without_privilege_is_eperm),
        cmocka_unit_test(set_tid_chooses_the_pid),
        cmocka_unit_test(clear_sighand_resets_handlers_but_keeps_ignored),
        cmocka_unit_test(pidfd_parent_tid_and_child_tid_have_their_own_fields),
        cmocka_unit_test(child_starts_at_the_top_of_its_stack),
        cmocka_unit_test(thread_ends_and_clears_its_word),
    };

    return cmocka_run_group_tests_name("process/clone3", tests, NULL, NULL);
}
