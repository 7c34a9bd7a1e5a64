/* clone_flags.c: clone(2), combinations of flags that are refused, and new namespaces. */
#include "../lib/child.h"

#include <linux/sched.h>

/* A child that goes on where its parent is, as after fork(). */
static pid_t clone_here(unsigned long flags, int *parent_tid, int *child_tid, void *tls)
{
    long pid = SYS(SYS_clone, flags, 0, parent_tid, child_tid, tls);

    need(pid >= 0);
    return (pid_t)pid;
}

/* covers: clone EINVAL CLONE_PIDFD CLONE_DETACHED CLONE_PARENT_SETTID */
static void clone_pidfd_with_detached_or_parent_settid_is_einval(void **state)
{
    int tid;

    (void)state;
    need_eq(SYS(SYS_clone, CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, 0, &tid, 0, 0), -EINVAL);
    need_eq(SYS(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &tid, 0, 0), -EINVAL);
}

/* covers: clone EINVAL CLONE_SIGHAND */
static void sighand_without_vm_is_einval(void **state)
{
    (void)state;
    need_eq(SYS(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), -EINVAL);
}

/* covers: clone EINVAL CLONE_THREAD */
static void thread_without_sighand_is_einval(void **state)
{
    (void)state;
    need_eq(SYS(SYS_clone, CLONE_THREAD | CLONE_VM, 0, 0, 0, 0), -EINVAL);
    need_eq(SYS(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), -EINVAL);
}

/* covers: clone EINVAL CLONE_NEWNS CLONE_FS */
static void newns_with_fs_is_einval(void **state)
{
    (void)state;
    need_eq(SYS(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0), -EINVAL);
}

/* covers: clone EINVAL CLONE_NEWUSER CLONE_FS */
static void newuser_with_fs_is_einval(void **state)
{
    (void)state;
    need_eq(SYS(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0), -EINVAL);
}

/* covers: clone EINVAL CLONE_NEWPID CLONE_NEWUSER CLONE_THREAD */
static void newpid_or_newuser_with_thread_is_einval(void **state)
{
    unsigned long thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;

    (void)state;
    need_eq(SYS(SYS_clone, CLONE_NEWPID | thread, 0, 0, 0, 0), -EINVAL);
    need_eq(SYS(SYS_clone, CLONE_NEWUSER | thread, 0, 0, 0, 0), -EINVAL);
}

/* covers: clone EINVAL CLONE_NEWIPC CLONE_SYSVSEM */
static void newipc_with_sysvsem_is_einval(void **state)
{
    (void)state;
    if (!has_capability(21)) {
        need_eq(SYS(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, 0, 0, 0, 0), -EPERM);
        return;
    }
    need_eq(SYS(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, 0, 0, 0, 0), -EINVAL);
}

/* covers: clone EPERM CLONE_NEWUTS CLONE_NEWNS CLONE_NEWIPC CLONE_NEWNET CLONE_NEWPID */
static void new_namespaces_without_privilege_are_eperm(void **state)
{
    static const unsigned long kinds[] = {CLONE_NEWUTS, CLONE_NEWNS,  CLONE_NEWIPC,
                                          CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWCGROUP};
    pid_t pid;

    (void)state;
    pid = clone_here(SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        drop_privileges();
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
            need_eq(SYS(SYS_clone, kinds[i] | SIGCHLD, 0, 0, 0, 0), -EPERM);
        }
        _exit(0);
    }
    need_eq(child_end(pid), 0);
}

/* not yet inside: pid namespaces */
/* covers: clone CLONE_NEWPID */
static void child_of_a_new_pid_namespace_is_process_one(void **state)
{
    pid_t pid;

    (void)state;
    need_root();
    pid = (pid_t)SYS(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (pid == -EPERM) {
        skip_because("no privilege for pid namespaces");
    }
    if (pid == 0) {
        _exit(SYS(SYS_getpid) == 1 && SYS(SYS_getppid) == 0 ? 0 : 1);
    }
    need(pid > 1);
    need_eq(child_end(pid), 0);
}

/* covers: clone CLONE_IO CLONE_UNTRACED CLONE_DETACHED */
static void hints_and_ignored_flags_are_accepted(void **state)
{
    pid_t pid;

    (void)state;
    pid = clone_here(CLONE_IO | CLONE_UNTRACED | CLONE_DETACHED | SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        _exit(0);
    }
    need_eq(child_end(pid), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clone_pidfd_with_detached_or_parent_settid_is_einval),
        cmocka_unit_test(sighand_without_vm_is_einval),
        cmocka_unit_test(thread_without_sighand_is_einval),
        cmocka_unit_test(newns_with_fs_is_einval),
        cmocka_unit_test(newuser_with_fs_is_einval),
        cmocka_unit_test(newpid_or_newuser_with_thread_is_einval),
        cmocka_unit_test(newipc_with_sysvsem_is_einval),
        cmocka_unit_test(new_namespaces_without_privilege_are_eperm),
        cmocka_unit_test(child_of_a_new_pid_namespace_is_process_one),
        cmocka_unit_test(hints_and_ignored_flags_are_accepted),
    };

    return cmocka_run_group_tests_name("process/clone_flags", tests, NULL, NULL);
}
