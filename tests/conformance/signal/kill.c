/* kill.c: kill(2), tkill(2), tgkill(2): whom a signal reaches, and who may send it. */
#include "../lib/child.h"

#include <pthread.h>
#include <linux/sched.h>

static volatile sig_atomic_t count;

static void counting(int sig)
{
    (void)sig;
    count++;
}

/* covers: kill */
static void signal_zero_only_checks(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);

    (void)state;
    need_eq(SYS(SYS_kill, pid, 0), 0);
    need_eq(waitpid(pid, NULL, WNOHANG), 0);
    need_eq(SYS(SYS_kill, pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
    need_eq(SYS(SYS_kill, pid, 0), -ESRCH);
}

/* covers: kill EINVAL */
static void signal_out_of_range_is_einval(void **state)
{
    (void)state;
    need_eq(SYS(SYS_kill, getpid(), 65), -EINVAL);
    need_eq(SYS(SYS_kill, getpid(), -1), -EINVAL);
}

/* covers: kill ESRCH */
static void missing_process_or_group_is_esrch(void **state)
{
    (void)state;
    need_eq(SYS(SYS_kill, 0x3ffffffe, SIGTERM), -ESRCH);
    need_eq(SYS(SYS_kill, -0x3ffffffe, SIGTERM), -ESRCH);
    need_eq(SYS(SYS_kill, (pid_t)0x80000000, 0), -ESRCH);
}

static int counts_one(void *arg)
{
    struct turn *ready = arg;
    sigset_t set;
    int sig;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    turn_give(ready);
    need_eq(sigwait(&set, &sig), 0);
    return sig;
}

static int group_body(void *arg)
{
    struct turn ready;
    pid_t member[3], outside;
    sigset_t set;

    (void)arg;
    turn_init(&ready);
    need_eq(setpgid(0, 0), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    need_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    for (int i = 0; i < 3; i++) {
        member[i] = child_start(counts_one, &ready);
        turn_await(&ready);
    }
    outside = child_start(counts_one, &ready);
    turn_await(&ready);
    need_eq(setpgid(outside, outside), 0);
    need_eq(SYS(SYS_kill, arg ? -getpid() : 0, SIGUSR1), 0);
    for (int i = 0; i < 3; i++) {
        need_eq(child_end(member[i]), SIGUSR1 << 8);
    }
    need_eq(sigtimedwait(&set, NULL, &(struct timespec){0}), SIGUSR1);
    need_eq(waitpid(outside, NULL, WNOHANG), 0);
    need_eq(SYS(SYS_kill, -outside, SIGKILL), 0);
    need_eq(child_end(outside), SIGKILL);
    return 0;
}

/* covers: kill */
static void pid_zero_is_the_callers_group(void **state)
{
    (void)state;
    child_passes(group_body, NULL);
}

/* covers: kill */
static void negative_pid_is_a_group(void **state)
{
    (void)state;
    child_passes(group_body, (void *)1);
}

/* covers: kill CLONE_NEWPID */
static void pid_minus_one_is_everybody_but_the_caller_and_process_one(void **state)
{
    long pid;

    (void)state;
    need_root();
    pid = SYS(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (pid == -EPERM || pid == -EINVAL) {
        skip_because("no pid namespaces here");
    }
    need(pid >= 0);
    if (pid == 0) {
        struct turn ready;
        pid_t one, two, sender;

        turn_init(&ready);
        signal(SIGUSR1, counting);
        one = child_start(counts_one, &ready);
        turn_await(&ready);
        two = child_start(counts_one, &ready);
        turn_await(&ready);
        sender = fork();
        if (sender == 0) {
            signal(SIGUSR1, counting);
            need_eq(SYS(SYS_kill, -1, SIGUSR1), 0);
            _exit(count);
        }
        need_eq(child_end(one), SIGUSR1 << 8);
        need_eq(child_end(two), SIGUSR1 << 8);
        need_eq(child_end(sender), 0);
        need_eq(count, 0);
        _exit(0);
    }
    need_eq(child_end((pid_t)pid), 0);
}

static int send_as_nobody(void *arg)
{
    pid_t target = *(pid_t *)arg;

    if (geteuid() == 0) {
        drop_privileges();
    }
    need_eq(SYS(SYS_kill, target, SIGTERM), -EPERM);
    need_eq(SYS(SYS_kill, target, 0), -EPERM);
    need_eq(SYS(SYS_tkill, target, SIGTERM), -EPERM);
    need_eq(SYS(SYS_tgkill, target, target, SIGTERM), -EPERM);
    need_eq(SYS(SYS_kill, target, SIGCONT), -EPERM);
    return 0;
}

static int leave_session(void *ready)
{
    need(setsid() > 0);
    turn_give(ready);
    return sleep_forever(NULL);
}

/* covers: kill EPERM tkill EPERM tgkill EPERM */
static void signal_for_another_user_is_eperm(void **state)
{
    struct turn ready;
    pid_t target;

    (void)state;
    need_root();
    turn_init(&ready);
    target = child_start(leave_session, &ready);
    turn_await(&ready);
    child_passes(send_as_nobody, &target);
    need_eq(kill(target, SIGKILL), 0);
    need_eq(child_end(target), SIGKILL);
    turn_close(&ready);
}

static int cont_as_nobody(void *arg)
{
    pid_t target = *(pid_t *)arg;

    drop_privileges();
    need_eq(SYS(SYS_kill, target, SIGCONT), 0);
    need_eq(SYS(SYS_kill, target, SIGTERM), -EPERM);
    return 0;
}

/* covers: kill EPERM */
static void sigcont_is_allowed_within_the_session(void **state)
{
    pid_t target;

    (void)state;
    need_root();
    target = child_start(sleep_forever, NULL);
    child_passes(cont_as_nobody, &target);
    need_eq(kill(target, SIGKILL), 0);
    need_eq(child_end(target), SIGKILL);
}

static int mixed_group(void *arg)
{
    pid_t pid;

    (void)arg;
    need_eq(setpgid(0, 0), 0);
    pid = fork();
    if (pid == 0) {
        drop_privileges();
        /* One member may be reached: itself. */
        signal(SIGUSR1, counting);
        need_eq(SYS(SYS_kill, 0, SIGUSR1), 0);
        _exit(count == 1 ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: kill */
static void group_signal_succeeds_when_one_member_may_be_reached(void **state)
{
    (void)state;
    need_root();
    child_passes(mixed_group, NULL);
}

static int saved_uid_target(void *ready)
{
    /* Real and saved user 7777, effective 8888. */
    need_eq(SYS(SYS_setresuid, 7777, 8888, 7777), 0);
    turn_give(ready);
    return sleep_forever(NULL);
}

static int send_as_real_user(void *arg)
{
    need_eq(SYS(SYS_setresuid, 7777, 7777, 7777), 0);
    need_eq(SYS(SYS_kill, *(pid_t *)arg, 0), 0);
    return 0;
}

static int send_as_effective_user(void *arg)
{
    need_eq(SYS(SYS_setresuid, 8888, 8888, 8888), 0);
    need_eq(SYS(SYS_kill, *(pid_t *)arg, 0), -EPERM);
    return 0;
}

/* covers: kill EPERM */
static void senders_ids_are_compared_with_real_and_saved_uid(void **state)
{
    struct turn ready;
    pid_t target;

    (void)state;
    need_root();
    turn_init(&ready);
    target = child_start(saved_uid_target, &ready);
    turn_await(&ready);
    child_passes(send_as_real_user, &target);
    child_passes(send_as_effective_user, &target);
    need_eq(kill(target, SIGKILL), 0);
    need_eq(child_end(target), SIGKILL);
    turn_close(&ready);
}

/* covers: tgkill EINVAL tkill EINVAL */
static void tgkill_and_tkill_of_zero_or_less_is_einval(void **state)
{
    pid_t self = getpid();

    (void)state;
    need_eq(SYS(SYS_tgkill, 0, self, 0), -EINVAL);
    need_eq(SYS(SYS_tgkill, self, 0, 0), -EINVAL);
    need_eq(SYS(SYS_tgkill, self, -1, 0), -EINVAL);
    need_eq(SYS(SYS_tkill, 0, 0), -EINVAL);
    need_eq(SYS(SYS_tkill, -5, 0), -EINVAL);
    need_eq(SYS(SYS_tkill, self, 65), -EINVAL);
    need_eq(SYS(SYS_tgkill, self, self, 65), -EINVAL);
}

/* covers: tgkill ESRCH tkill ESRCH */
static void tgkill_of_a_thread_of_another_process_is_esrch(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);

    (void)state;
    need_eq(SYS(SYS_tgkill, getpid(), pid, 0), -ESRCH);
    need_eq(SYS(SYS_tgkill, pid, getpid(), 0), -ESRCH);
    need_eq(SYS(SYS_tgkill, pid, pid, 0), 0);
    need_eq(SYS(SYS_tkill, 0x3ffffffe, 0), -ESRCH);
    need_eq(SYS(SYS_tkill, pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

struct thread_state {
    volatile pid_t tid;
    volatile pid_t handled_by;
};

static struct thread_state victim;

static void note_thread(int sig)
{
    (void)sig;
    victim.handled_by = (pid_t)SYS(SYS_gettid);
}

static void *wait_for_handler(void *arg)
{
    (void)arg;
    victim.tid = (pid_t)SYS(SYS_gettid);
    need(wait_until(victim.handled_by != 0));
    return NULL;
}

/* covers: tgkill tkill */
static void tgkill_and_tkill_run_the_handler_in_that_thread(void **state)
{
    pthread_t thread;

    (void)state;
    signal(SIGUSR1, note_thread);
    for (int i = 0; i < 2; i++) {
        victim = (struct thread_state){0};
        need_eq(pthread_create(&thread, NULL, wait_for_handler, NULL), 0);
        need(wait_until(victim.tid != 0));
        if (i == 0) {
            need_eq(SYS(SYS_tgkill, getpid(), victim.tid, SIGUSR1), 0);
        } else {
            need_eq(SYS(SYS_tkill, victim.tid, SIGUSR1), 0);
        }
        need_eq(pthread_join(thread, NULL), 0);
        need_eq(victim.handled_by, victim.tid);
    }
    signal(SIGUSR1, SIG_DFL);
}

static void *send_to_process(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_kill, getpid(), SIGUSR1), 0);
    /* Blocked everywhere but in the first thread, which may take its time. */
    need(wait_until(victim.handled_by != 0));
    return NULL;
}

/* covers: kill */
static void process_signal_goes_to_the_thread_that_does_not_block_it(void **state)
{
    pthread_t thread;
    sigset_t set;

    (void)state;
    victim = (struct thread_state){0};
    signal(SIGUSR1, note_thread);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    need_eq(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    need_eq(pthread_create(&thread, NULL, send_to_process, NULL), 0);
    need_eq(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(victim.handled_by, getpid());
    signal(SIGUSR1, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signal_zero_only_checks),
        cmocka_unit_test(signal_out_of_range_is_einval),
        cmocka_unit_test(missing_process_or_group_is_esrch),
        cmocka_unit_test(pid_zero_is_the_callers_group),
        cmocka_unit_test(negative_pid_is_a_group),
        cmocka_unit_test(pid_minus_one_is_everybody_but_the_caller_and_process_one),
        cmocka_unit_test(signal_for_another_user_is_eperm),
        cmocka_unit_test(sigcont_is_allowed_within_the_session),
        cmocka_unit_test(group_signal_succeeds_when_one_member_may_be_reached),
        cmocka_unit_test(senders_ids_are_compared_with_real_and_saved_uid),
        cmocka_unit_test(tgkill_and_tkill_of_zero_or_less_is_einval),
        cmocka_unit_test(tgkill_of_a_thread_of_another_process_is_esrch),
        cmocka_unit_test(tgkill_and_tkill_run_the_handler_in_that_thread),
        cmocka_unit_test(process_signal_goes_to_the_thread_that_does_not_block_it),
    };

    return cmocka_run_group_tests_name("signal/kill", tests, NULL, NULL);
}
