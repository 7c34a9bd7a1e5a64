/* seccomp.c: seccomp(2), a process that gives up system calls. */
#include "../lib/child.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#define LOAD(field)   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define IF_EQUAL(value, then, otherwise)                                                           \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), then, otherwise)

/* For the call nr this action, for every other: allow. */
static long install(unsigned nr, unsigned action, unsigned flags)
{
    struct sock_filter code[] = {LOAD(nr), IF_EQUAL(nr, 0, 1), RETURN(action),
                                 RETURN(SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {ARRAY_LEN(code), code};

    return SYS(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void no_new_privs(void)
{
    need_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
}

static int strict(void *arg)
{
    int fd = (int)(intptr_t)arg;
    long err = SYS(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);

    if (err != 0) {
        return 1;
    }
    SYS(SYS_write, fd, "s", 1);
    SYS(SYS_exit, 30);
    return 0;
}

static int strict_and_other(void *arg)
{
    (void)arg;
    SYS(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
    SYS(SYS_getpid);
    return 0;
}

/* covers: seccomp SECCOMP_SET_MODE_STRICT */
static void strict_mode_leaves_read_write_and_exit(void **state)
{
    char byte = 0;
    int ends[2];

    (void)state;
    need_eq(pipe(ends), 0);
    need_eq(child_status(strict, (void *)(intptr_t)ends[1]), 30 << 8);
    need_eq(read(ends[0], &byte, 1), 1);
    need_eq(byte, 's');
    need_eq(child_status(strict_and_other, NULL) & 0x7f, SIGKILL);
    close(ends[0]);
    close(ends[1]);
}

static int filter_errno(void *arg)
{
    (void)arg;
    no_new_privs();
    need_eq(install(SYS_getppid, SECCOMP_RET_ERRNO | 77, 0), 0);
    need_eq(SYS(SYS_getppid), -77);
    need_eq(SYS(SYS_getpid), getpid());
    need_eq(prctl(PR_GET_SECCOMP), 2);
    return 0;
}

/* covers: seccomp SECCOMP_SET_MODE_FILTER SECCOMP_RET_ERRNO prctl PR_GET_SECCOMP */
static void filter_answers_with_an_errno(void **state)
{
    (void)state;
    child_passes(filter_errno, NULL);
}

static int filter_kills(void *arg)
{
    no_new_privs();
    need_eq(install(SYS_getppid, (unsigned)(uintptr_t)arg, 0), 0);
    SYS(SYS_getppid);
    return 0;
}

/* covers: seccomp SECCOMP_RET_KILL_PROCESS SECCOMP_RET_KILL_THREAD */
static void filter_kills_by_sigsys(void **state)
{
    (void)state;
    need_eq(child_status(filter_kills, (void *)(uintptr_t)SECCOMP_RET_KILL_PROCESS) & 0x7f, SIGSYS);
    need_eq(child_status(filter_kills, (void *)(uintptr_t)SECCOMP_RET_KILL_THREAD) & 0x7f, SIGSYS);
}

static siginfo_t trapped;

static void on_trap(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    trapped = *info;
}

static int filter_traps(void *arg)
{
    struct sigaction act = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

    (void)arg;
    need_eq(sigaction(SIGSYS, &act, NULL), 0);
    no_new_privs();
    need_eq(install(SYS_getppid, SECCOMP_RET_TRAP | 55, 0), 0);
    SYS(SYS_getppid);
    need_eq(trapped.si_signo, SIGSYS);
    need_eq(trapped.si_code, 1); /* SYS_SECCOMP */
    need_eq(trapped.si_errno, 55);
    need_eq(trapped.si_syscall, SYS_getppid);
    need_eq(trapped.si_arch, AUDIT_ARCH_X86_64);
    return 0;
}

/* covers: seccomp SECCOMP_RET_TRAP rt_sigaction SYS_SECCOMP */
static void filter_traps_into_a_handler(void **state)
{
    (void)state;
    child_passes(filter_traps, NULL);
}

static int filter_inherited(void *arg)
{
    char *argv[] = {"true", NULL}, *envp[] = {NULL};
    pid_t pid;

    (void)arg;
    no_new_privs();
    need_eq(install(SYS_execve, SECCOMP_RET_ERRNO | 99, 0), 0);
    pid = fork();
    if (pid == 0) {
        _exit(SYS(SYS_execve, "/bin/true", argv, envp) == -99 ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: seccomp SECCOMP_SET_MODE_FILTER fork */
static void filter_is_inherited(void **state)
{
    (void)state;
    child_passes(filter_inherited, NULL);
}

static int two_filters(void *arg)
{
    (void)arg;
    no_new_privs();
    need_eq(install(SYS_getppid, SECCOMP_RET_ERRNO | 11, 0), 0);
    need_eq(install(SYS_getpgrp, SECCOMP_RET_ERRNO | 12, 0), 0);
    need_eq(SYS(SYS_getppid), -11);
    need_eq(SYS(SYS_getpgrp), -12);
    /* Of equal actions the newest filter's value counts; a stronger action wins. */
    need_eq(install(SYS_getppid, SECCOMP_RET_ERRNO | 13, 0), 0);
    need_eq(SYS(SYS_getppid), -13);
    need_eq(install(SYS_getppid, SECCOMP_RET_LOG, 0), 0);
    need_eq(SYS(SYS_getppid), -13);
    return 0;
}

/* covers: seccomp SECCOMP_SET_MODE_FILTER SECCOMP_RET_ERRNO SECCOMP_RET_LOG */
static void filters_add_up_and_the_strongest_counts(void **state)
{
    (void)state;
    child_passes(two_filters, NULL);
}

static int look_at_arguments(void *arg)
{
    struct sock_filter code[] = {LOAD(arch),
                                 IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0),
                                 RETURN(SECCOMP_RET_KILL_PROCESS),
                                 LOAD(nr),
                                 IF_EQUAL(SYS_dup, 1, 0),
                                 RETURN(SECCOMP_RET_ALLOW),
                                 LOAD(args[0]),
                                 IF_EQUAL(1234, 0, 1),
                                 RETURN(SECCOMP_RET_ERRNO | 44),
                                 RETURN(SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {ARRAY_LEN(code), code};

    (void)arg;
    no_new_privs();
    need_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    need_eq(SYS(SYS_dup, 1234), -44);
    need_eq(SYS(SYS_dup, 1235), -EBADF);
    return 0;
}

/* covers: seccomp SECCOMP_SET_MODE_FILTER prctl PR_SET_SECCOMP */
static void filter_sees_architecture_and_arguments(void **state)
{
    (void)state;
    child_passes(look_at_arguments, NULL);
}

static int without_right(void *arg)
{
    (void)arg;
    drop_privileges();
    need_eq(install(SYS_getppid, SECCOMP_RET_ALLOW, 0), -EACCES);
    return 0;
}

/* covers: seccomp EACCES SECCOMP_SET_MODE_FILTER */
static void filter_without_no_new_privs_is_eacces(void **state)
{
    (void)state;
    child_passes(without_right, NULL);
}

static int arguments(void *arg)
{
    struct sock_filter good[] = {RETURN(SECCOMP_RET_ALLOW)};
    struct sock_filter bad[] = {{0xffff, 0, 0, 0}}, endless[] = {LOAD(nr)};
    struct sock_filter outside[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4096),
                                    RETURN(SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {1, good};

    (void)arg;
    no_new_privs();
    need_eq(SYS(SYS_seccomp, 99, 0, NULL), -EINVAL);
    need_eq(SYS(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), -EINVAL);
    need_eq(SYS(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1U << 30, &program), -EINVAL);
    need_eq(SYS(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, BAD_PTR), -EFAULT);
    program.len = 0;
    need_eq(SYS(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), -EINVAL);
    program = (struct sock_fprog){1, bad};
    need_eq(SYS(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), -EINVAL);
    program = (struct sock_fprog){1, endless};
    need_eq(SYS(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), -EINVAL);
    program = (struct sock_fprog){2, outside};
    need_eq(SYS(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), -EINVAL);
    return 0;
}

/* covers: seccomp EINVAL EFAULT */
static void operation_flags_and_program_are_checked(void **state)
{
    (void)state;
    child_passes(arguments, NULL);
}

/* covers: seccomp SECCOMP_GET_ACTION_AVAIL EOPNOTSUPP */
static void available_actions_are_told(void **state)
{
    static const unsigned actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
                                       SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW};
    unsigned unknown = 0x12340000;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        need_eq(SYS(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i]), 0);
    }
    need_eq(SYS(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &unknown), -EOPNOTSUPP);
    need_eq(SYS(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &unknown), -EINVAL);
}

static volatile int installed, running;
static volatile long seen_in_thread;

static void *call_when_installed(void *arg)
{
    (void)arg;
    running = 1;
    while (!installed) {
        sched_yield();
    }
    seen_in_thread = SYS(SYS_getppid);
    return NULL;
}

static int thread_filter(void *arg)
{
    pid_t parent = getppid();
    pthread_t thread;

    need_eq(pthread_create(&thread, NULL, call_when_installed, NULL), 0);
    need(wait_until(running));
    no_new_privs();
    need_eq(install(SYS_getppid, SECCOMP_RET_ERRNO | 66, arg ? SECCOMP_FILTER_FLAG_TSYNC : 0), 0);
    installed = 1;
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(seen_in_thread, arg ? -66 : parent);
    return 0;
}

/* covers: seccomp SECCOMP_FILTER_FLAG_TSYNC */
static void filter_concerns_one_thread_unless_tsync(void **state)
{
    (void)state;
    child_passes(thread_filter, NULL);
    child_passes(thread_filter, (void *)1);
}

static int trace_without_tracer(void *arg)
{
    (void)arg;
    no_new_privs();
    need_eq(install(SYS_getppid, SECCOMP_RET_TRACE | 5, 0), 0);
    need_eq(SYS(SYS_getppid), -ENOSYS);
    return 0;
}

/* covers: seccomp SECCOMP_RET_TRACE */
static void call_for_a_tracer_is_enosys_without_one(void **state)
{
    (void)state;
    child_passes(trace_without_tracer, NULL);
}

static int unknown_action(void *arg)
{
    (void)arg;
    no_new_privs();
    need_eq(install(SYS_getppid, 0x12340000, 0), 0);
    SYS(SYS_getppid);
    return 0;
}

/* covers: seccomp SECCOMP_RET_KILL_PROCESS */
static void unknown_action_kills(void **state)
{
    (void)state;
    need_eq(child_status(unknown_action, NULL) & 0x7f, SIGSYS);
}

static int largest_errno(void *arg)
{
    (void)arg;
    no_new_privs();
    need_eq(install(SYS_getppid, SECCOMP_RET_ERRNO | 0xffff, 0), 0);
    need_eq(SYS(SYS_getppid), -4095);
    need_eq(install(SYS_getpgrp, SECCOMP_RET_ERRNO, 0), 0);
    need_eq(SYS(SYS_getpgrp), 0);
    return 0;
}

/* covers: seccomp SECCOMP_RET_ERRNO */
static void errno_of_a_filter_is_cut(void **state)
{
    (void)state;
    child_passes(largest_errno, NULL);
}

static int fill_up(void *arg)
{
    static struct sock_filter code[4096];
    struct sock_fprog program = {ARRAY_LEN(code), code};
    long result = 0;
    int count = 0;

    (void)arg;
    no_new_privs();
    for (size_t i = 0; i < ARRAY_LEN(code); i++) {
        code[i] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    }
    while (count < 100 && result == 0) {
        result = SYS(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
        count += result == 0;
    }
    need_eq(result, -ENOMEM);
    need(count > 0 && count < 8); /* of 32768 instructions, as the kernel counts them */
    return 0;
}

/* covers: seccomp ENOMEM */
static void chain_of_filters_has_a_limit(void **state)
{
    (void)state;
    child_passes(fill_up, NULL);
}

static int strict_and_filter(void *arg)
{
    (void)arg;
    no_new_privs();
    need_eq(install(SYS_getppid, SECCOMP_RET_ALLOW, 0), 0);
    need_eq(SYS(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL), -EINVAL);
    need_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), -1);
    need_eq(errno, EINVAL);
    need_eq(prctl(PR_GET_SECCOMP), SECCOMP_MODE_FILTER);
    return 0;
}

/* covers: seccomp SECCOMP_SET_MODE_STRICT EINVAL prctl PR_SET_SECCOMP EINVAL PR_GET_SECCOMP */
static void mode_cannot_be_changed(void **state)
{
    (void)state;
    child_passes(strict_and_filter, NULL);
}

static volatile int own_filter, may_end;

static void *install_own(void *arg)
{
    (void)arg;
    need_eq(install(SYS_getpgrp, SECCOMP_RET_ERRNO | 1, 0), 0);
    own_filter = (int)gettid();
    while (!may_end) {
        sched_yield();
    }
    return NULL;
}

static int diverged(void *arg)
{
    pthread_t thread;

    (void)arg;
    no_new_privs();
    need_eq(pthread_create(&thread, NULL, install_own, NULL), 0);
    need(wait_until(own_filter));
    need_eq(install(SYS_getppid, SECCOMP_RET_ERRNO | 2, SECCOMP_FILTER_FLAG_TSYNC), own_filter);
    need_eq(install(SYS_getppid, SECCOMP_RET_ERRNO | 2,
                    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH),
            -ESRCH);
    need(SYS(SYS_getppid) > 0); /* nothing was installed */
    may_end = 1;
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(install(SYS_getppid, SECCOMP_RET_ERRNO | 2, SECCOMP_FILTER_FLAG_TSYNC), 0);
    need_eq(SYS(SYS_getppid), -2);
    return 0;
}

/* covers: seccomp SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_TSYNC_ESRCH ESRCH */
static void thread_that_went_its_own_way_is_told(void **state)
{
    (void)state;
    child_passes(diverged, NULL);
}

static void *call_forbidden(void *arg)
{
    SYS(SYS_getppid);
    *(volatile int *)arg = 1;
    return NULL;
}

static int only_thread_dies(void *arg)
{
    volatile int survived = 0;
    pthread_t thread;

    (void)arg;
    no_new_privs();
    need_eq(install(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0), 0);
    need_eq(pthread_create(&thread, NULL, call_forbidden, (void *)&survived), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(survived, 0);
    return 0;
}

/* covers: seccomp SECCOMP_RET_KILL_THREAD */
static void one_thread_of_several_dies_alone(void **state)
{
    (void)state;
    child_passes(only_thread_dies, NULL);
}

static int show_in_proc(void *arg)
{
    char line[128];
    int mode = -1, filters = -1;
    FILE *file;

    (void)arg;
    no_new_privs();
    need_eq(install(SYS_getppid, SECCOMP_RET_ALLOW, 0), 0);
    need_eq(install(SYS_getppid, SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_LOG), 0);
    file = fopen("/proc/self/status", "re");
    need(file);
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "Seccomp: %d", &mode);
        sscanf(line, "Seccomp_filters: %d", &filters);
    }
    fclose(file);
    need_eq(mode, 2);
    need(filters == 2 || filters == -1);
    return 0;
}

/* covers: seccomp SECCOMP_SET_MODE_FILTER SECCOMP_FILTER_FLAG_LOG */
static void mode_and_number_of_filters_stand_in_proc(void **state)
{
    (void)state;
    child_passes(show_in_proc, NULL);
}

/* covers: seccomp SECCOMP_GET_NOTIF_SIZES SECCOMP_FILTER_FLAG_NEW_LISTENER SECCOMP_RET_USER_NOTIF */
static void listener_hears_of_a_call(void **state)
{
    (void)state;
    struct seccomp_notif_sizes sizes;

    if (SYS(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
        skip_because("user notification is not there yet");
    assert_true(sizes.seccomp_notif >= sizeof(struct seccomp_notif));
    in_child({
        no_new_privs();
        need(install(SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER) >= 0);
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_mode_leaves_read_write_and_exit),
        cmocka_unit_test(filter_answers_with_an_errno),
        cmocka_unit_test(filter_kills_by_sigsys),
        cmocka_unit_test(filter_traps_into_a_handler),
        cmocka_unit_test(filter_is_inherited),
        cmocka_unit_test(filters_add_up_and_the_strongest_counts),
        cmocka_unit_test(filter_sees_architecture_and_arguments),
        cmocka_unit_test(filter_without_no_new_privs_is_eacces),
        cmocka_unit_test(operation_flags_and_program_are_checked),
        cmocka_unit_test(available_actions_are_told),
        cmocka_unit_test(filter_concerns_one_thread_unless_tsync),
        cmocka_unit_test(call_for_a_tracer_is_enosys_without_one),
        cmocka_unit_test(unknown_action_kills),
        cmocka_unit_test(errno_of_a_filter_is_cut),
        cmocka_unit_test(chain_of_filters_has_a_limit),
        cmocka_unit_test(mode_cannot_be_changed),
        cmocka_unit_test(thread_that_went_its_own_way_is_told),
        cmocka_unit_test(one_thread_of_several_dies_alone),
        cmocka_unit_test(mode_and_number_of_filters_stand_in_proc),
        cmocka_unit_test(listener_hears_of_a_call),
    };

    return cmocka_run_group_tests_name("process/seccomp", tests, NULL, NULL);
}
