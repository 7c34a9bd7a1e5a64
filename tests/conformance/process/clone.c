/* clone.c: clone(2), what a child shares with its parent, flag by flag. */
/* tags: trap */
#include "../lib/child.h"

#include <asm/prctl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>

extern int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);

#define STACK_SIZE 65536

static char *stack_top(void)
{
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    need(stack != MAP_FAILED);
    return stack + STACK_SIZE;
}

static void stack_free(char *top)
{
    need_eq(munmap(top - STACK_SIZE, STACK_SIZE), 0);
}

/* A child that goes on where its parent is, as after fork(). */
static pid_t clone_here(unsigned long flags, int *parent_tid, int *child_tid, void *tls)
{
    long pid = SYS(SYS_clone, flags, 0, parent_tid, child_tid, tls);

    need(pid >= 0);
    return (pid_t)pid;
}

static pid_t wait_any_kind(pid_t pid, int *status)
{
    return (pid_t)SYS(SYS_wait4, pid, status, __WALL, NULL);
}

static int write_through(void *arg)
{
    *(volatile int *)arg = 77;
    return 5;
}

/* covers: clone */
static void clone_with_only_an_exit_signal_is_fork(void **state)
{
    volatile int value = 1;
    pid_t pid;

    (void)state;
    pid = clone_here(SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        value = 2;
        _exit(value);
    }
    need_eq(child_end(pid), 2 << 8);
    need_eq(value, 1);
}

/* covers: clone CLONE_VM */
static void clone_vm_shares_memory(void **state)
{
    char *top = stack_top();
    volatile int value = 0;
    int status;
    pid_t pid;

    (void)state;
    pid = clone(write_through, top, CLONE_VM | SIGCHLD, (void *)&value);
    need(pid > 0);
    need_eq(waitpid(pid, &status, 0), pid);
    need_eq(status, 5 << 8);
    need_eq(value, 77);
    stack_free(top);
}

static int map_a_page(void *arg)
{
    long at = SYS(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *(volatile long *)at = 1234;
    *(long *)arg = at;
    return 0;
}

/* covers: clone CLONE_VM */
static void mapping_made_by_a_clone_vm_child_is_the_parents_too(void **state)
{
    char *top = stack_top();
    long at = 0;
    pid_t pid;

    (void)state;
    pid = clone(map_a_page, top, CLONE_VM | SIGCHLD, &at);
    need(pid > 0);
    need_eq(child_end(pid), 0);
    need_eq(*(long *)at, 1234);
    need_eq(munmap((void *)at, 4096), 0);
    stack_free(top);
}

static volatile int steps;

static int slow_steps(void *arg)
{
    struct timespec step = {.tv_nsec = 2000000};

    (void)arg;
    for (int i = 0; i < 10; i++) {
        SYS(SYS_nanosleep, &step, NULL);
        steps++;
    }
    return 0;
}

/* covers: clone CLONE_VM CLONE_VFORK */
static void clone_vfork_suspends_the_parent_until_the_child_ends(void **state)
{
    char *top = stack_top();
    pid_t pid;

    (void)state;
    steps = 0;
    pid = clone(slow_steps, top, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    need_eq(steps, 10);
    need_eq(child_end(pid), 0);
    stack_free(top);
}

/* covers: clone CLONE_VFORK */
static void clone_vfork_without_vm_suspends_but_copies(void **state)
{
    struct timespec step = {.tv_nsec = 20000000};
    volatile int *shared = shared_alloc(4096);
    volatile int local = 1;
    pid_t pid;

    (void)state;
    pid = clone_here(CLONE_VFORK | SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        SYS(SYS_nanosleep, &step, NULL);
        local = 2;
        *shared = 3;
        _exit(0);
    }
    need_eq(*shared, 3);
    need_eq(local, 1);
    need_eq(child_end(pid), 0);
}

/* covers: clone CLONE_FILES */
static void clone_files_shares_the_descriptor_table(void **state)
{
    volatile int *fd = shared_alloc(4096);
    pid_t pid;

    (void)state;
    fd[1] = open("/", O_RDONLY);
    need(fd[1] >= 0);
    pid = clone_here(CLONE_FILES | SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        fd[0] = memfd_create("shared", 0);
        need(fd[0] >= 0);
        need_eq(close(fd[1]), 0);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need_eq(fcntl(fd[0], F_GETFD), 0);
    need_eq(close(fd[0]), 0);
    need_errno(fcntl(fd[1], F_GETFD), EBADF);
}

/* covers: clone CLONE_FILES execve */
static void exec_in_a_clone_files_child_leaves_the_parents_table_alone(void **state)
{
    char *argv[] = {"true", NULL}, *envp[] = {NULL};
    int fd = open("/", O_RDONLY | O_CLOEXEC);
    pid_t pid;

    (void)state;
    need(fd >= 0);
    pid = clone_here(CLONE_FILES | SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        execve("/bin/true", argv, envp);
        _exit(127);
    }
    need_eq(child_end(pid), 0);
    need_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    need_eq(close(fd), 0);
}

static int share_directory(void *arg)
{
    char cwd[4096];
    pid_t pid;

    (void)arg;
    umask(022);
    need_eq(chdir("/tmp"), 0);
    pid = clone_here(CLONE_FS | SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        need_eq(chdir("/"), 0);
        umask(077);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need(getcwd(cwd, sizeof cwd));
    need_eq(strcmp(cwd, "/"), 0);
    need_eq(umask(022), 077);
    return 0;
}

/* covers: clone CLONE_FS */
static void clone_fs_shares_directory_and_umask(void **state)
{
    (void)state;
    child_passes(share_directory, NULL);
}

static int ignore_usr1(void *arg)
{
    sigset_t set;

    (void)arg;
    signal(SIGUSR1, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return 0;
}

static int sighand_body(void *arg)
{
    struct sigaction seen;
    char *top = stack_top();
    sigset_t mask;
    pid_t pid;

    (void)arg;
    signal(SIGUSR1, SIG_DFL);
    pid = clone(ignore_usr1, top, CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL);
    need(pid > 0);
    need_eq(child_end(pid), 0);
    need_eq(sigaction(SIGUSR1, NULL, &seen), 0);
    need(seen.sa_handler == SIG_IGN);
    need_eq(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    need(!sigismember(&mask, SIGUSR2));
    return 0;
}

/* covers: clone CLONE_SIGHAND CLONE_VM */
static void clone_sighand_shares_actions_but_not_masks(void **state)
{
    (void)state;
    child_passes(sighand_body, NULL);
}

/* covers: clone CLONE_SETTLS */
static void clone_settls_sets_the_fs_base_of_the_child(void **state)
{
    static char area[4096] __attribute__((aligned(64)));
    unsigned long mine, after;
    pid_t pid;

    (void)state;
    need_eq(SYS(SYS_arch_prctl, ARCH_GET_FS, &mine), 0);
    pid = (pid_t)SYS(SYS_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 0, area);
    if (pid == 0) {
        unsigned long base = 0;

        SYS(SYS_arch_prctl, ARCH_GET_FS, &base);
        SYS(SYS_exit_group, base == (unsigned long)area ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
    need_eq(SYS(SYS_arch_prctl, ARCH_GET_FS, &after), 0);
    need_eq(mine, after);
}

/* covers: clone CLONE_SETTLS EPERM */
static void clone_settls_outside_user_space_is_eperm(void **state)
{
    (void)state;
    need_eq(SYS(SYS_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 0, 0xffff800000000000UL), -EPERM);
}

/* covers: clone CLONE_PARENT_SETTID */
static void parent_settid_stores_the_tid_in_the_parent(void **state)
{
    int tid = -1;
    pid_t pid;

    (void)state;
    pid = clone_here(CLONE_PARENT_SETTID | SIGCHLD, &tid, NULL, NULL);
    if (pid == 0) {
        _exit(0);
    }
    need_eq(tid, pid);
    need_eq(child_end(pid), 0);
}

/* covers: clone CLONE_CHILD_SETTID */
static void child_settid_stores_the_tid_in_the_child_only(void **state)
{
    volatile int tid = -1;
    pid_t pid;

    (void)state;
    pid = clone_here(CLONE_CHILD_SETTID | SIGCHLD, NULL, (int *)&tid, NULL);
    if (pid == 0) {
        _exit(tid == SYS(SYS_gettid) ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
    need_eq(tid, -1);
}

static int return_zero(void *arg)
{
    (void)arg;
    return 0;
}

/* covers: clone CLONE_CHILD_CLEARTID CLONE_VM futex */
static void child_cleartid_zeroes_the_word_and_wakes_a_waiter(void **state)
{
    char *top = stack_top();
    volatile int word = 1;
    long got = 0;
    pid_t pid;

    (void)state;
    pid =
        clone(return_zero, top, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL, &word);
    need(pid > 0);
    while (word == 1 && got == 0) {
        got = SYS(SYS_futex, &word, FUTEX_WAIT, 1, &(struct timespec){.tv_sec = 20}, 0, 0);
    }
    need(got == 0 || got == -EAGAIN);
    need_eq(word, 0);
    need_eq(child_end(pid), 0);
    stack_free(top);
}

/* covers: clone CLONE_PARENT_SETTID CLONE_CHILD_CLEARTID CLONE_THREAD CLONE_SIGHAND
 * CLONE_SYSVSEM */
static void clone_thread_makes_a_thread_of_the_same_process(void **state)
{
    char *top = stack_top();
    volatile int tid = -1;
    pid_t pid;

    (void)state;
    pid = clone(return_zero, top,
                CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
                NULL, &tid, NULL, &tid);
    need(pid > 0 && pid != getpid());
    need(wait_until(tid == 0));
    need_eq(SYS(SYS_wait4, pid, NULL, __WALL, NULL), -ECHILD);
    need(wait_until(SYS(SYS_tgkill, getpid(), pid, 0) == -ESRCH));
    stack_free(top);
}

struct ids {
    volatile int pid, tid, parent, done;
};

static int record_ids(void *arg)
{
    struct ids *ids = arg;

    ids->pid = (int)SYS(SYS_getpid);
    ids->tid = (int)SYS(SYS_gettid);
    ids->parent = (int)SYS(SYS_getppid);
    return 0;
}

/* covers: clone CLONE_THREAD getpid gettid getppid */
static void thread_has_the_process_pid_and_parent_and_its_own_tid(void **state)
{
    struct ids ids = {.done = 1};
    char *top = stack_top();
    pid_t pid;

    (void)state;
    pid = clone(record_ids, top, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID,
                &ids, NULL, NULL, &ids.done);
    need(pid > 0);
    need(wait_until(ids.done == 0));
    need_eq(ids.pid, getpid());
    need_eq(ids.tid, pid);
    need_eq(ids.parent, getppid());
    stack_free(top);
}

static int sibling_body(void *arg)
{
    volatile int *sibling = arg;
    pid_t parent = getppid();
    pid_t pid = clone_here(CLONE_PARENT | SIGCHLD, NULL, NULL, NULL);

    if (pid == 0) {
        _exit(SYS(SYS_getppid) == parent ? 4 : 1);
    }
    *sibling = pid;
    need_errno(waitpid(pid, NULL, __WALL), ECHILD);
    return 0;
}

/* covers: clone CLONE_PARENT */
static void clone_parent_makes_a_sibling(void **state)
{
    volatile int *sibling = shared_alloc(4096);

    (void)state;
    need_eq(child_status(sibling_body, (void *)sibling), 0);
    need_eq(child_end(*sibling), 4 << 8);
}

/* covers: clone CLONE_PARENT EINVAL */
static void clone_parent_by_the_init_of_a_namespace_is_einval(void **state)
{
    (void)state;
    if (getpid() != 1) {
        skip_because("not process 1 of a namespace");
    }
    need_eq(SYS(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0), -EINVAL);
}

static volatile sig_atomic_t got_signal;

static void on_signal(int sig)
{
    got_signal = sig;
}

static int exit_signal_body(void *arg)
{
    pid_t pid;
    int status;

    (void)arg;
    signal(SIGUSR1, on_signal);
    signal(SIGCHLD, on_signal);
    pid = clone_here(SIGUSR1, NULL, NULL, NULL);
    if (pid == 0) {
        _exit(3);
    }
    need(wait_until(got_signal != 0));
    need_eq(got_signal, SIGUSR1);
    need_errno(waitpid(pid, &status, 0), ECHILD);
    need_eq(SYS(SYS_wait4, pid, &status, __WCLONE, NULL), pid);
    need_eq(status, 3 << 8);
    return 0;
}

/* covers: clone wait4 __WCLONE ECHILD */
static void other_exit_signal_is_sent_and_such_a_child_needs_wclone(void **state)
{
    (void)state;
    child_passes(exit_signal_body, NULL);
}

static int no_signal_body(void *arg)
{
    int status;
    pid_t pid;

    (void)arg;
    signal(SIGCHLD, on_signal);
    pid = clone_here(0, NULL, NULL, NULL);
    if (pid == 0) {
        _exit(0);
    }
    need_eq(wait_any_kind(pid, &status), pid);
    need_eq(status, 0);
    need_eq(got_signal, 0);
    return 0;
}

/* covers: clone wait4 __WALL */
static void exit_signal_zero_sends_nothing(void **state)
{
    (void)state;
    child_passes(no_signal_body, NULL);
}

/* covers: clone CLONE_PIDFD */
static void clone_pidfd_gives_a_descriptor_that_polls_readable_at_the_end(void **state)
{
    struct pollfd ready;
    struct turn go;
    int fd = -1;
    pid_t pid;

    (void)state;
    turn_init(&go);
    pid = clone_here(CLONE_PIDFD | SIGCHLD, &fd, NULL, NULL);
    if (pid == 0) {
        turn_await(&go);
        _exit(0);
    }
    need(fd >= 0);
    need_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ready = (struct pollfd){.fd = fd, .events = POLLIN};
    need_eq(poll(&ready, 1, 0), 0);
    turn_give(&go);
    need_eq(poll(&ready, 1, 20000), 1);
    need(ready.revents & POLLIN);
    need_eq(child_end(pid), 0);
    close(fd);
    turn_close(&go);
}

/* covers: clone CLONE_PIDFD EFAULT */
static void clone_pidfd_to_a_bad_address_is_efault_and_makes_no_child(void **state)
{
    (void)state;
    need_eq(SYS(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, BAD_PTR, 0, 0), -EFAULT);
    need_eq(SYS(SYS_wait4, -1, NULL, __WALL | WNOHANG, NULL), -ECHILD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clone_with_only_an_exit_signal_is_fork),
        cmocka_unit_test(clone_vm_shares_memory),
        cmocka_unit_test(mapping_made_by_a_clone_vm_child_is_the_parents_too),
        cmocka_unit_test(clone_vfork_suspends_the_parent_until_the_child_ends),
        cmocka_unit_test(clone_vfork_without_vm_suspends_but_copies),
        cmocka_unit_test(clone_files_shares_the_descriptor_table),
        cmocka_unit_test(exec_in_a_clone_files_child_leaves_the_parents_table_alone),
        cmocka_unit_test(clone_fs_shares_directory_and_umask),
        cmocka_unit_test(clone_sighand_shares_actions_but_not_masks),
        cmocka_unit_test(clone_settls_sets_the_fs_base_of_the_child),
        cmocka_unit_test(clone_settls_outside_user_space_is_eperm),
        cmocka_unit_test(parent_settid_stores_the_tid_in_the_parent),
        cmocka_unit_test(child_settid_stores_the_tid_in_the_child_only),
        cmocka_unit_test(child_cleartid_zeroes_the_word_and_wakes_a_waiter),
        cmocka_unit_test(clone_thread_makes_a_thread_of_the_same_process),
        cmocka_unit_test(thread_has_the_process_pid_and_parent_and_its_own_tid),
        cmocka_unit_test(clone_parent_makes_a_sibling),
        cmocka_unit_test(clone_parent_by_the_init_of_a_namespace_is_einval),
        cmocka_unit_test(other_exit_signal_is_sent_and_such_a_child_needs_wclone),
        cmocka_unit_test(exit_signal_zero_sends_nothing),
        cmocka_unit_test(clone_pidfd_gives_a_descriptor_that_polls_readable_at_the_end),
        cmocka_unit_test(clone_pidfd_to_a_bad_address_is_efault_and_makes_no_child),
    };

    return cmocka_run_group_tests_name("process/clone", tests, NULL, NULL);
}
