/* prctl.c: prctl(2), what a thread or process says about itself. */
#include "../lib/child.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sys/prctl.h>

#include "../../../kernel/abi/newer.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA           0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static long pr(long option, long a, long b, long c, long d)
{
    return SYS(SYS_prctl, option, a, b, c, d);
}

/* covers: prctl EINVAL */
static void unknown_option_is_einval(void **state)
{
    (void)state;
    need_eq(pr(123456, 0, 0, 0, 0), -EINVAL);
    need_eq(pr(-1, 0, 0, 0, 0), -EINVAL);
    need_eq(pr(0, 0, 0, 0, 0), -EINVAL);
}

/* covers: prctl PR_SET_NAME PR_GET_NAME */
static void name_is_cut_to_fifteen_characters(void **state)
{
    char before[16], name[17];

    (void)state;
    memset(name, 'x', sizeof name);
    need_eq(pr(PR_GET_NAME, (long)before, 0, 0, 0), 0);
    need_eq(pr(PR_SET_NAME, (long)"a name of more than sixteen", 0, 0, 0), 0);
    need_eq(pr(PR_GET_NAME, (long)name, 0, 0, 0), 0);
    need_eq(memcmp(name, "a name of more \0x", 17), 0);
    need_eq(pr(PR_SET_NAME, (long)"", 0, 0, 0), 0);
    need_eq(pr(PR_GET_NAME, (long)name, 0, 0, 0), 0);
    need_eq(name[0], 0);
    need_eq(pr(PR_SET_NAME, (long)before, 0, 0, 0), 0);
}

/* covers: prctl EFAULT PR_SET_NAME PR_GET_NAME */
static void name_at_a_bad_address_is_efault(void **state)
{
    (void)state;
    need_eq(pr(PR_SET_NAME, (long)BAD_PTR, 0, 0, 0), -EFAULT);
    need_eq(pr(PR_GET_NAME, (long)BAD_PTR, 0, 0, 0), -EFAULT);
}

static void *name_thread(void *arg)
{
    char name[16] = "";

    need_eq(prctl(PR_GET_NAME, name), 0);
    need_eq(strcmp(name, arg), 0); /* inherited */
    need_eq(prctl(PR_SET_NAME, "thread"), 0);
    return NULL;
}

/* covers: prctl PR_SET_NAME PR_GET_NAME */
static void name_belongs_to_the_thread_and_is_inherited(void **state)
{
    char name[16];
    pthread_t thread;

    (void)state;
    need_eq(prctl(PR_GET_NAME, name), 0);
    need_eq(pthread_create(&thread, NULL, name_thread, name), 0);
    need_eq(pthread_join(thread, NULL), 0);
    char after[16];
    need_eq(prctl(PR_GET_NAME, after), 0);
    need_eq(strcmp(after, name), 0);
}

/* covers: prctl PR_SET_NAME */
static void name_stands_in_proc_comm(void **state)
{
    char before[16], text[32] = "";
    int fd;

    (void)state;
    need_eq(prctl(PR_GET_NAME, before), 0);
    need_eq(prctl(PR_SET_NAME, "conf name"), 0);
    fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        need_eq(read(fd, text, sizeof text - 1), 10);
        need_eq(strcmp(text, "conf name\n"), 0);
        close(fd);
    }
    need_eq(prctl(PR_SET_NAME, before), 0);
}

/* covers: prctl PR_SET_PDEATHSIG PR_GET_PDEATHSIG EINVAL EFAULT */
static void death_signal_is_kept_and_checked(void **state)
{
    int sig = -1;

    (void)state;
    need_eq(pr(PR_GET_PDEATHSIG, (long)&sig, 0, 0, 0), 0);
    need_eq(pr(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0), 0);
    need_eq(pr(PR_GET_PDEATHSIG, (long)&sig, 0, 0, 0), 0);
    need_eq(sig, SIGUSR1);
    need_eq(pr(PR_SET_PDEATHSIG, 65, 0, 0, 0), -EINVAL);
    need_eq(pr(PR_SET_PDEATHSIG, -1, 0, 0, 0), -EINVAL);
    need_eq(pr(PR_GET_PDEATHSIG, (long)BAD_PTR, 0, 0, 0), -EFAULT);
    need_eq(pr(PR_SET_PDEATHSIG, 0, 0, 0, 0), 0);
}

static int orphan_dies(void *arg)
{
    volatile pid_t *pids = arg;
    pid_t middle;
    int status;

    need_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    middle = fork();
    if (middle == 0) {
        if (fork() == 0) {
            int sig = -1;

            need_eq(prctl(PR_GET_PDEATHSIG, &sig), 0);
            need_eq(sig, 0);
            need_eq(prctl(PR_SET_PDEATHSIG, SIGTERM), 0);
            pids[0] = getpid();
            sleep_forever(NULL);
        }
        need(wait_until(pids[0] != 0));
        _exit(0);
    }
    need_eq(child_end(middle), 0);
    need_eq(waitpid(pids[0], &status, 0), pids[0]);
    need_eq(status, SIGTERM);
    return 0;
}

/* covers: prctl PR_SET_PDEATHSIG PR_GET_PDEATHSIG */
static void death_of_the_parent_sends_the_signal(void **state)
{
    volatile pid_t *pids = shared_alloc(4096);

    (void)state;
    child_passes(orphan_dies, (void *)pids);
}

/* covers: prctl PR_SET_CHILD_SUBREAPER PR_GET_CHILD_SUBREAPER */
static void subreaper_is_set_and_not_inherited(void **state)
{
    int on = -1;
    pid_t pid;

    (void)state;
    pid = child_fork();
    if (pid == 0) {
        need_eq(pr(PR_GET_CHILD_SUBREAPER, (long)&on, 0, 0, 0), 0);
        need_eq(on, 0);
        need_eq(pr(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
        need_eq(pr(PR_GET_CHILD_SUBREAPER, (long)&on, 0, 0, 0), 0);
        need_eq(on, 1);
        pid = fork();
        if (pid == 0) {
            need_eq(pr(PR_GET_CHILD_SUBREAPER, (long)&on, 0, 0, 0), 0);
            _exit(on);
        }
        need_eq(child_end(pid), 0);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
}

/* covers: prctl PR_SET_DUMPABLE PR_GET_DUMPABLE EINVAL */
static void dumpable_is_zero_or_one(void **state)
{
    (void)state;
    long before = pr(PR_GET_DUMPABLE, 0, 0, 0, 0);
    need_eq(pr(PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
    need_eq(pr(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    need_eq(pr(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    need_eq(pr(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
    need_eq(pr(PR_SET_DUMPABLE, 2, 0, 0, 0), -EINVAL);
    need_eq(pr(PR_SET_DUMPABLE, 77, 0, 0, 0), -EINVAL);
    if (before == 0) {
        need_eq(pr(PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
    }
}

static int no_new_privs_body(void *arg)
{
    pid_t pid;

    (void)arg;
    need_eq(pr(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    need_eq(pr(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), -EINVAL);
    need_eq(pr(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0), -EINVAL);
    need_eq(pr(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), -EINVAL);
    need_eq(pr(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), -EINVAL);
    need_eq(pr(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    need_eq(pr(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    need_eq(pr(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), -EINVAL);
    pid = fork();
    if (pid == 0) {
        _exit((int)pr(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    }
    need_eq(child_end(pid), 1 << 8);
    return 0;
}

/* covers: prctl PR_SET_NO_NEW_PRIVS PR_GET_NO_NEW_PRIVS EINVAL */
static void no_new_privs_cannot_be_taken_back_and_is_inherited(void **state)
{
    (void)state;
    child_passes(no_new_privs_body, NULL);
}

/* covers: prctl PR_SET_KEEPCAPS PR_GET_KEEPCAPS EINVAL */
static void keepcaps_is_zero_or_one(void **state)
{
    (void)state;
    need_eq(pr(PR_GET_KEEPCAPS, 0, 0, 0, 0), 0);
    need_eq(pr(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
    need_eq(pr(PR_GET_KEEPCAPS, 0, 0, 0, 0), 1);
    need_eq(pr(PR_SET_KEEPCAPS, 2, 0, 0, 0), -EINVAL);
    need_eq(pr(PR_SET_KEEPCAPS, 0, 0, 0, 0), 0);
}

static int slack_body(void *arg)
{
    long first = pr(PR_GET_TIMERSLACK, 0, 0, 0, 0);
    pid_t pid;

    (void)arg;
    need(first > 0);
    need_eq(pr(PR_SET_TIMERSLACK, 123456, 0, 0, 0), 0);
    need_eq(pr(PR_GET_TIMERSLACK, 0, 0, 0, 0), 123456);
    pid = fork();
    if (pid == 0) {
        need_eq(pr(PR_GET_TIMERSLACK, 0, 0, 0, 0), 123456);
        need_eq(pr(PR_SET_TIMERSLACK, 1, 0, 0, 0), 0);
        /* Zero is back to the default, which is what the creator had. */
        need_eq(pr(PR_SET_TIMERSLACK, 0, 0, 0, 0), 0);
        need_eq(pr(PR_GET_TIMERSLACK, 0, 0, 0, 0), 123456);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: prctl PR_SET_TIMERSLACK PR_GET_TIMERSLACK */
static void timer_slack_is_set_inherited_and_reset(void **state)
{
    (void)state;
    child_passes(slack_body, NULL);
}

/* covers: prctl PR_CAPBSET_READ EINVAL */
static void bounding_set_is_read(void **state)
{
    long got = pr(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0);

    (void)state;
    need(got == 0 || got == 1);
    need_eq(pr(PR_CAPBSET_READ, 200, 0, 0, 0), -EINVAL);
}

static int drop_bounding(void *arg)
{
    (void)arg;
    need_eq(pr(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0), 0);
    need_eq(pr(PR_CAPBSET_READ, CAP_NET_RAW, 0, 0, 0), 0);
    need_eq(pr(PR_CAPBSET_DROP, 200, 0, 0, 0), -EINVAL);
    drop_privileges();
    need_eq(pr(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0), -EPERM);
    return 0;
}

/* covers: prctl PR_CAPBSET_DROP EPERM EINVAL */
static void bounding_set_is_dropped_with_privilege_only(void **state)
{
    (void)state;
    need_capability(CAP_SETPCAP);
    child_passes(drop_bounding, NULL);
}

/* covers: prctl PR_GET_SECUREBITS */
static void securebits_are_read(void **state)
{
    (void)state;
    need(pr(PR_GET_SECUREBITS, 0, 0, 0, 0) >= 0);
}

static int tsc_and_thp(void *arg)
{
    int mode = 0;

    (void)arg;
    need_eq(pr(PR_GET_TSC, (long)&mode, 0, 0, 0), 0);
    need_eq(mode, PR_TSC_ENABLE);
    need_eq(pr(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
    need_eq(pr(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
    need_eq(pr(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
    need_eq(pr(PR_GET_THP_DISABLE, 1, 0, 0, 0), -EINVAL);
    return 0;
}

/* covers: prctl PR_GET_TSC PR_SET_THP_DISABLE PR_GET_THP_DISABLE EINVAL */
static void time_stamp_counter_and_huge_pages_are_asked_about(void **state)
{
    (void)state;
    child_passes(tsc_and_thp, NULL);
}

/* covers: prctl PR_SET_SECCOMP EINVAL PR_GET_SECCOMP */
static void seccomp_is_off_and_unknown_modes_are_einval(void **state)
{
    (void)state;
    need_eq(pr(PR_SET_SECCOMP, 77, 0, 0, 0), -EINVAL);
    long mode = pr(PR_GET_SECCOMP, 0, 0, 0, 0);
    need(mode == 0 || mode == 2 || mode == -EINVAL);
}

static int deny_code(void *arg)
{
    char *argv[] = {"true", NULL}, *envp[] = {NULL};
    char *data, *code;

    (void)arg;
    data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(data != MAP_FAILED && code != MAP_FAILED);
    need_eq(pr(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0), 0);
    need_errno(mprotect(data, 4096, PROT_READ | PROT_EXEC), EACCES);
    need_errno(mprotect(code, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), EACCES);
    need_eq(SYS(SYS_pkey_mprotect, data, 4096, PROT_EXEC, -1), -EACCES);
    need_eq(mprotect(code, 4096, PROT_READ | PROT_EXEC), 0);
    need_eq(mprotect(code, 4096, PROT_READ), 0);
    need_errno(mprotect(code, 4096, PROT_READ | PROT_EXEC), EACCES); /* once given up, it is gone */
    need_errno(
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        EACCES);
    need(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    need_eq(pr(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0), 0);
    need_eq(pr(PR_SET_MDWE, 0, 0, 0, 0), -EPERM);
    need_eq(pr(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT, 0, 0, 0), -EPERM);
    in_child(need_eq(pr(PR_GET_MDWE, 0, 0, 0, 0), PR_MDWE_REFUSE_EXEC_GAIN));
    execve("/bin/true", argv, envp); /* programs still load */
    return CHILD_FAILED;
}

static void need_mdwe(void)
{
    if (pr(PR_GET_MDWE, 0, 0, 0, 0) == -EINVAL) {
        skip_because("PR_SET_MDWE is not in the running kernel");
    }
}

/* covers: prctl PR_SET_MDWE PR_GET_MDWE EPERM mprotect EACCES mmap EACCES pkey_mprotect EACCES */
static void no_memory_becomes_code_any_more(void **state)
{
    (void)state;
    need_mdwe();
    child_passes(deny_code, NULL);
}

/* covers: prctl PR_SET_MDWE */
static void denial_may_be_kept_from_children(void **state)
{
    (void)state;
    need_mdwe();
    in_child({
        need_eq(pr(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT, 0, 0, 0), 0);
        need_eq(pr(PR_GET_MDWE, 0, 0, 0, 0), PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT);
        in_child(need_eq(pr(PR_GET_MDWE, 0, 0, 0, 0), 0));
    });
}

/* covers: prctl PR_SET_MDWE PR_GET_MDWE EINVAL */
static void arguments_about_code_are_checked(void **state)
{
    (void)state;
    need_mdwe();
    need_eq(pr(PR_SET_MDWE, PR_MDWE_NO_INHERIT, 0, 0, 0), -EINVAL);
    need_eq(pr(PR_SET_MDWE, 4, 0, 0, 0), -EINVAL);
    need_eq(pr(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 1, 0, 0), -EINVAL);
    need_eq(pr(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 1), -EINVAL);
    need_eq(pr(PR_GET_MDWE, 1, 0, 0, 0), -EINVAL);
    need_eq(pr(PR_GET_MDWE, 0, 0, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_option_is_einval),
        cmocka_unit_test(name_is_cut_to_fifteen_characters),
        cmocka_unit_test(name_at_a_bad_address_is_efault),
        cmocka_unit_test(name_belongs_to_the_thread_and_is_inherited),
        cmocka_unit_test(name_stands_in_proc_comm),
        cmocka_unit_test(death_signal_is_kept_and_checked),
        cmocka_unit_test(death_of_the_parent_sends_the_signal),
        cmocka_unit_test(subreaper_is_set_and_not_inherited),
        cmocka_unit_test(dumpable_is_zero_or_one),
        cmocka_unit_test(no_new_privs_cannot_be_taken_back_and_is_inherited),
        cmocka_unit_test(keepcaps_is_zero_or_one),
        cmocka_unit_test(timer_slack_is_set_inherited_and_reset),
        cmocka_unit_test(bounding_set_is_read),
        cmocka_unit_test(bounding_set_is_dropped_with_privilege_only),
        cmocka_unit_test(securebits_are_read),
        cmocka_unit_test(time_stamp_counter_and_huge_pages_are_asked_about),
        cmocka_unit_test(seccomp_is_off_and_unknown_modes_are_einval),
        cmocka_unit_test(no_memory_becomes_code_any_more),
        cmocka_unit_test(denial_may_be_kept_from_children),
        cmocka_unit_test(arguments_about_code_are_checked),
    };

    return cmocka_run_group_tests_name("process/prctl", tests, NULL, NULL);
}
