/* unshare.c: unshare(2) and setns(2): parts of a process that leave what they were shared with. */
#include "../lib/child.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sys/utsname.h>

static long unshare_raw(unsigned long flags)
{
    return SYS(SYS_unshare, flags);
}

/* A child that shares the named parts with its parent and runs body. */
static int in_sharing_child(unsigned long shared, int (*body)(void *), void *arg)
{
    long pid;

    fflush(NULL);
    pid = SYS(SYS_clone, shared | SIGCHLD, 0, 0, 0, 0);
    need(pid >= 0);
    if (pid == 0) {
        _exit(body(arg));
    }
    return child_end((pid_t)pid);
}

static int close_own(void *arg)
{
    need_eq(unshare_raw(CLONE_FILES), 0);
    need_eq(close(*(int *)arg), 0);
    return 0;
}

/* covers: unshare CLONE_FILES */
static void unshared_descriptor_table_is_a_copy(void **state)
{
    int fd = open("/", O_RDONLY | O_CLOEXEC);

    (void)state;
    need_eq(in_sharing_child(CLONE_FILES, close_own, &fd), 0);
    need_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}

static int move_own(void *arg)
{
    (void)arg;
    need_eq(unshare_raw(CLONE_FS), 0);
    need_eq(chdir("/proc"), 0);
    umask(0);
    return 0;
}

/* covers: unshare CLONE_FS */
static void unshared_directory_and_umask_are_copies(void **state)
{
    char before[4096], after[4096];
    mode_t mask = umask(027);

    (void)state;
    need(getcwd(before, sizeof before));
    need_eq(in_sharing_child(CLONE_FS, move_own, NULL), 0);
    need(getcwd(after, sizeof after));
    need_eq(strcmp(before, after), 0);
    need_eq(umask(mask), 027);
}

static int nothing(void *arg)
{
    (void)arg;
    need_eq(unshare_raw(0), 0);
    need_eq(unshare_raw(CLONE_FILES | CLONE_FS), 0);
    need_eq(unshare_raw(CLONE_SYSVSEM), 0);
    /* Of a single thread these are shared with nobody. */
    need_eq(unshare_raw(CLONE_THREAD), 0);
    need_eq(unshare_raw(CLONE_SIGHAND), 0);
    need_eq(unshare_raw(CLONE_VM), 0);
    return 0;
}

/* covers: unshare CLONE_FILES CLONE_FS CLONE_SYSVSEM CLONE_THREAD CLONE_SIGHAND CLONE_VM */
static void what_nobody_shares_is_unshared_without_effect(void **state)
{
    (void)state;
    child_passes(nothing, NULL);
}

/* covers: unshare EINVAL */
static void unknown_flag_is_einval(void **state)
{
    (void)state;
    need_eq(unshare_raw(CLONE_VFORK), -EINVAL);
    need_eq(unshare_raw(CLONE_PARENT), -EINVAL);
    need_eq(unshare_raw(1UL << 40), -EINVAL);
}

static void *unshare_thread(void *arg)
{
    (void)arg;
    need_eq(unshare_raw(CLONE_VM), -EINVAL);
    need_eq(unshare_raw(CLONE_SIGHAND), -EINVAL);
    need_eq(unshare_raw(CLONE_THREAD), -EINVAL);
    need_eq(unshare_raw(CLONE_FILES), 0);
    need(close(*(int *)arg) == 0);
    return NULL;
}

static int threads_body(void *arg)
{
    int fd = open("/", O_RDONLY | O_CLOEXEC);
    pthread_t thread;

    (void)arg;
    need_eq(pthread_create(&thread, NULL, unshare_thread, &fd), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    return 0;
}

/* covers: unshare CLONE_FILES CLONE_VM CLONE_SIGHAND CLONE_THREAD EINVAL */
static void thread_may_leave_the_table_but_not_the_memory(void **state)
{
    (void)state;
    child_passes(threads_body, NULL);
}

static int without_right(void *arg)
{
    static const unsigned long kinds[] = {CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,
                                          CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWCGROUP};

    (void)arg;
    drop_privileges();
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        need_eq(unshare_raw(kinds[i]), -EPERM);
    }
    return 0;
}

/* covers: unshare EPERM CLONE_NEWNS CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWNET CLONE_NEWPID */
static void new_namespaces_without_privilege_are_eperm(void **state)
{
    (void)state;
    child_passes(without_right, NULL);
}

static int rename_host(void *arg)
{
    struct utsname name;

    (void)arg;
    need_eq(unshare_raw(CLONE_NEWUTS), 0);
    need_eq(sethostname("unshared", 8), 0);
    need_eq(uname(&name), 0);
    need_eq(strcmp(name.nodename, "unshared"), 0);
    return 0;
}

/* covers: unshare CLONE_NEWUTS sethostname */
static void host_name_of_a_new_namespace_is_its_own(void **state)
{
    struct utsname before, after;

    (void)state;
    need_capability(CAP_SYS_ADMIN);
    need_eq(uname(&before), 0);
    child_passes(rename_host, NULL);
    need_eq(uname(&after), 0);
    need_eq(strcmp(before.nodename, after.nodename), 0);
}

static int new_pids(void *arg)
{
    pid_t pid, self = getpid();

    (void)arg;
    need_eq(unshare_raw(CLONE_NEWPID), 0);
    need_eq(SYS(SYS_getpid), self); /* only the children are inside */
    pid = fork();
    need(pid >= 0);
    if (pid == 0) {
        _exit(SYS(SYS_getpid) == 1 ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
    /* Process 1 has gone, and with it the namespace. */
    need_eq(SYS(SYS_fork), -ENOMEM);
    return 0;
}

/* not yet inside: pid namespaces */
/* covers: unshare CLONE_NEWPID fork ENOMEM */
static void children_are_born_into_a_new_pid_namespace(void **state)
{
    (void)state;
    need_capability(CAP_SYS_ADMIN);
    child_passes(new_pids, NULL);
}

/* covers: setns EBADF EINVAL */
static void setns_of_what_is_no_namespace_is_an_error(void **state)
{
    int fd = open("/", O_RDONLY | O_CLOEXEC);

    (void)state;
    need_eq(SYS(SYS_setns, 1000000, 0), -EBADF);
    need_eq(SYS(SYS_setns, fd, 0), -EINVAL);
    close(fd);
}

static int enter(void *arg)
{
    struct utsname name;

    need_eq(SYS(SYS_setns, *(int *)arg, CLONE_NEWIPC), -EINVAL);
    need_eq(SYS(SYS_setns, *(int *)arg, CLONE_NEWUTS), 0);
    need_eq(uname(&name), 0);
    need_eq(strcmp(name.nodename, "entered"), 0);
    return 0;
}

static int own_name(void *ready)
{
    need_eq(unshare_raw(CLONE_NEWUTS), 0);
    need_eq(sethostname("entered", 7), 0);
    turn_give(ready);
    return sleep_forever(NULL);
}

/* not yet inside: /proc/PID/ns */
/* covers: setns EINVAL CLONE_NEWUTS unshare CLONE_NEWUTS */
static void setns_enters_the_namespace_of_another_process(void **state)
{
    struct turn ready;
    char path[64];
    pid_t pid;
    int fd;

    (void)state;
    need_capability(CAP_SYS_ADMIN);
    turn_init(&ready);
    pid = child_start(own_name, &ready);
    turn_await(&ready);
    snprintf(path, sizeof path, "/proc/%d/ns/uts", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    need(fd >= 0);
    child_passes(enter, &fd);
    close(fd);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
    turn_close(&ready);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unshared_descriptor_table_is_a_copy),
        cmocka_unit_test(unshared_directory_and_umask_are_copies),
        cmocka_unit_test(what_nobody_shares_is_unshared_without_effect),
        cmocka_unit_test(unknown_flag_is_einval),
        cmocka_unit_test(thread_may_leave_the_table_but_not_the_memory),
        cmocka_unit_test(new_namespaces_without_privilege_are_eperm),
        cmocka_unit_test(host_name_of_a_new_namespace_is_its_own),
        cmocka_unit_test(children_are_born_into_a_new_pid_namespace),
        cmocka_unit_test(setns_of_what_is_no_namespace_is_an_error),
        cmocka_unit_test(setns_enters_the_namespace_of_another_process),
    };

    return cmocka_run_group_tests_name("process/unshare", tests, NULL, NULL);
}
