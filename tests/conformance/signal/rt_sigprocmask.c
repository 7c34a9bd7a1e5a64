/* rt_sigprocmask.c: rt_sigprocmask(2), rt_sigpending(2), rt_sigsuspend(2), pause(2). */
#include "../lib/child.h"

#include <pthread.h>

#define BIT(sig) (1UL << ((sig)-1))

static long mask_raw(int how, unsigned long *set, unsigned long *old)
{
    return SYS(SYS_rt_sigprocmask, how, set, old, 8);
}

static unsigned long mask_now(void)
{
    unsigned long mask = 0;

    need_eq(mask_raw(SIG_BLOCK, NULL, &mask), 0);
    return mask;
}

static unsigned long pending_now(void)
{
    unsigned long mask = 0;

    need_eq(SYS(SYS_rt_sigpending, &mask, 8), 0);
    return mask;
}

static volatile sig_atomic_t count, last_sig;
static volatile unsigned long mask_in_handler;

static void counting(int sig)
{
    unsigned long mask = 0;

    SYS(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
    mask_in_handler = mask;
    last_sig = sig;
    count++;
}

static void catch_usr1(void)
{
    struct sigaction act = {.sa_handler = counting};

    count = 0;
    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
    need_eq(sigaction(SIGUSR2, &act, NULL), 0);
}

/* covers: rt_sigprocmask SIG_BLOCK SIG_UNBLOCK SIG_SETMASK */
static void block_adds_unblock_removes_setmask_replaces(void **state)
{
    unsigned long set, old, first = mask_now();

    (void)state;
    set = BIT(SIGUSR1);
    need_eq(mask_raw(SIG_SETMASK, &set, &old), 0);
    need_eq(old, first);
    set = BIT(SIGUSR2);
    need_eq(mask_raw(SIG_BLOCK, &set, &old), 0);
    need_eq(old, BIT(SIGUSR1));
    need_eq(mask_now(), BIT(SIGUSR1) | BIT(SIGUSR2));
    set = BIT(SIGUSR1) | BIT(SIGHUP);
    need_eq(mask_raw(SIG_UNBLOCK, &set, NULL), 0);
    need_eq(mask_now(), BIT(SIGUSR2));
    need_eq(mask_raw(SIG_SETMASK, &first, NULL), 0);
}

/* covers: rt_sigprocmask SIG_SETMASK */
static void sigkill_and_sigstop_are_never_blocked(void **state)
{
    unsigned long set = ~0UL, first = mask_now();

    (void)state;
    need_eq(mask_raw(SIG_SETMASK, &set, NULL), 0);
    need_eq(mask_now(), ~(BIT(SIGKILL) | BIT(SIGSTOP)));
    need_eq(mask_raw(SIG_SETMASK, &first, NULL), 0);
}

/* covers: rt_sigprocmask EINVAL */
static void unknown_how_is_einval_only_with_a_set(void **state)
{
    unsigned long set = 0, old;

    (void)state;
    need_eq(mask_raw(3, &set, NULL), -EINVAL);
    need_eq(mask_raw(-1, &set, NULL), -EINVAL);
    need_eq(mask_raw(77, NULL, &old), 0);
}

/* covers: rt_sigprocmask EINVAL rt_sigpending EINVAL */
static void wrong_size_is_einval(void **state)
{
    unsigned long set[2] = {0};

    (void)state;
    need_eq(SYS(SYS_rt_sigprocmask, SIG_BLOCK, set, NULL, 4), -EINVAL);
    need_eq(SYS(SYS_rt_sigprocmask, SIG_BLOCK, set, NULL, 16), -EINVAL);
    need_eq(SYS(SYS_rt_sigpending, set, 16), -EINVAL);
}

/* covers: rt_sigprocmask EFAULT rt_sigpending EFAULT */
static void bad_pointers_are_efault(void **state)
{
    (void)state;
    need_eq(mask_raw(SIG_BLOCK, BAD_PTR, NULL), -EFAULT);
    need_eq(mask_raw(SIG_BLOCK, NULL, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_rt_sigpending, BAD_PTR, 8), -EFAULT);
}

/* covers: rt_sigpending rt_sigprocmask SIG_BLOCK SIG_UNBLOCK */
static void blocked_signal_is_pending_once_and_comes_when_unblocked(void **state)
{
    unsigned long set = BIT(SIGUSR1);

    (void)state;
    catch_usr1();
    need_eq(mask_raw(SIG_BLOCK, &set, NULL), 0);
    need_eq(pending_now() & BIT(SIGUSR1), 0);
    for (int i = 0; i < 5; i++) {
        need_eq(SYS(SYS_kill, getpid(), SIGUSR1), 0);
    }
    need_eq(count, 0);
    need_eq(pending_now() & BIT(SIGUSR1), BIT(SIGUSR1));
    need_eq(mask_raw(SIG_UNBLOCK, &set, NULL), 0);
    need_eq(count, 1);
    need_eq(pending_now() & BIT(SIGUSR1), 0);
}

static void *mask_in_thread(void *arg)
{
    unsigned long set = BIT(SIGUSR2), *seen = arg;

    *seen = mask_now();
    need_eq(mask_raw(SIG_SETMASK, &set, NULL), 0);
    return NULL;
}

/* covers: rt_sigprocmask */
static void threads_inherit_the_mask_and_change_only_their_own(void **state)
{
    unsigned long set = BIT(SIGHUP), first = mask_now(), seen = 0;
    pthread_t thread;

    (void)state;
    need_eq(mask_raw(SIG_SETMASK, &set, NULL), 0);
    need_eq(pthread_create(&thread, NULL, mask_in_thread, &seen), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(seen, BIT(SIGHUP));
    need_eq(mask_now(), BIT(SIGHUP));
    need_eq(mask_raw(SIG_SETMASK, &first, NULL), 0);
}

static void *take_signal(void *arg)
{
    sigset_t set;
    int sig = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    need_eq(sigwait(&set, &sig), 0);
    *(int *)arg = sig;
    return NULL;
}

/* covers: rt_sigprocmask kill */
static void signal_for_the_process_goes_to_a_thread_that_takes_it(void **state)
{
    unsigned long set = BIT(SIGUSR1), first = mask_now();
    pthread_t thread;
    int taken = 0;

    (void)state;
    need_eq(mask_raw(SIG_BLOCK, &set, NULL), 0);
    need_eq(pthread_create(&thread, NULL, take_signal, &taken), 0);
    need_eq(kill(getpid(), SIGUSR1), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(taken, SIGUSR1);
    need_eq(mask_raw(SIG_SETMASK, &first, NULL), 0);
}

static void *pending_in_thread(void *arg)
{
    *(unsigned long *)arg = pending_now();
    return NULL;
}

/* covers: rt_sigpending tgkill kill */
static void pending_is_the_sum_of_thread_and_process(void **state)
{
    unsigned long set = BIT(SIGUSR1) | BIT(SIGUSR2), first = mask_now(), seen = 0;
    sigset_t drain;
    pthread_t thread;

    (void)state;
    need_eq(mask_raw(SIG_BLOCK, &set, NULL), 0);
    need_eq(SYS(SYS_tgkill, getpid(), SYS(SYS_gettid), SIGUSR1), 0);
    need_eq(SYS(SYS_kill, getpid(), SIGUSR2), 0);
    need_eq(pending_now() & set, set);
    need_eq(pthread_create(&thread, NULL, pending_in_thread, &seen), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(seen & set, BIT(SIGUSR2));
    sigemptyset(&drain);
    sigaddset(&drain, SIGUSR1);
    sigaddset(&drain, SIGUSR2);
    need(sigtimedwait(&drain, NULL, &(struct timespec){0}) > 0);
    need(sigtimedwait(&drain, NULL, &(struct timespec){0}) > 0);
    need_eq(mask_raw(SIG_SETMASK, &first, NULL), 0);
}

/* covers: rt_sigsuspend EINTR */
static void sigsuspend_waits_with_its_mask_and_restores_the_old(void **state)
{
    unsigned long set = BIT(SIGUSR1) | BIT(SIGUSR2), first = mask_now(), other = BIT(SIGHUP);

    (void)state;
    catch_usr1();
    need_eq(mask_raw(SIG_BLOCK, &set, NULL), 0);
    need_eq(SYS(SYS_kill, getpid(), SIGUSR1), 0);
    need_eq(count, 0);
    need_eq(SYS(SYS_rt_sigsuspend, &other, 8), -EINTR);
    need_eq(count, 1);
    need_eq(mask_in_handler, BIT(SIGHUP) | BIT(SIGUSR1));
    need_eq(mask_now(), first | set);
    need_eq(mask_raw(SIG_SETMASK, &first, NULL), 0);
}

static int wake_parent(void *arg)
{
    pid_t parent = getppid();

    (void)arg;
    need(wait_until(task_state(parent, parent) == 'S'));
    need_eq(kill(parent, SIGUSR2), 0);
    need_eq(kill(parent, SIGUSR1), 0);
    return 0;
}

static int suspend_until_child(void *arg)
{
    unsigned long set = BIT(SIGUSR1) | BIT(SIGUSR2), only_usr1 = ~BIT(SIGUSR1);
    pid_t pid;

    (void)arg;
    catch_usr1();
    need_eq(mask_raw(SIG_BLOCK, &set, NULL), 0);
    pid = child_start(wake_parent, NULL);
    need_eq(SYS(SYS_rt_sigsuspend, &only_usr1, 8), -EINTR);
    need_eq(count, 1);
    need_eq(last_sig, SIGUSR1);
    need_eq(pending_now() & BIT(SIGUSR2), BIT(SIGUSR2));
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: rt_sigsuspend EINTR */
static void sigsuspend_sleeps_until_an_unblocked_signal_comes(void **state)
{
    (void)state;
    child_passes(suspend_until_child, NULL);
}

static int suspend_and_die(void *arg)
{
    unsigned long none = 0;

    SYS(arg ? SYS_pause : SYS_rt_sigsuspend, &none, 8);
    return CHILD_FAILED;
}

/* covers: rt_sigsuspend pause */
static void fatal_signal_ends_a_process_in_sigsuspend_and_pause(void **state)
{
    (void)state;
    for (intptr_t i = 0; i < 2; i++) {
        pid_t pid = child_start(suspend_and_die, (void *)i);

        need(wait_until(task_state(pid, pid) == 'S'));
        need_eq(kill(pid, SIGTERM), 0);
        need_eq(child_end(pid), SIGTERM);
    }
}

/* covers: rt_sigsuspend EINVAL EFAULT */
static void sigsuspend_checks_size_and_pointer(void **state)
{
    unsigned long none = 0;

    (void)state;
    need_eq(SYS(SYS_rt_sigsuspend, &none, 4), -EINVAL);
    need_eq(SYS(SYS_rt_sigsuspend, BAD_PTR, 8), -EFAULT);
}

static int pause_until_child(void *arg)
{
    struct sigaction act = {.sa_handler = counting, .sa_flags = SA_RESTART};
    pid_t pid;

    (void)arg;
    count = 0;
    need_eq(sigaction(SIGUSR1, &act, NULL), 0);
    signal(SIGUSR2, SIG_IGN);
    pid = child_start(wake_parent, NULL);
    need_eq(SYS(SYS_pause), -EINTR);
    need_eq(count, 1);
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: pause EINTR SA_RESTART */
static void pause_ends_with_eintr_also_with_sa_restart(void **state)
{
    (void)state;
    child_passes(pause_until_child, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_adds_unblock_removes_setmask_replaces),
        cmocka_unit_test(sigkill_and_sigstop_are_never_blocked),
        cmocka_unit_test(unknown_how_is_einval_only_with_a_set),
        cmocka_unit_test(wrong_size_is_einval),
        cmocka_unit_test(bad_pointers_are_efault),
        cmocka_unit_test(blocked_signal_is_pending_once_and_comes_when_unblocked),
        cmocka_unit_test(threads_inherit_the_mask_and_change_only_their_own),
        cmocka_unit_test(signal_for_the_process_goes_to_a_thread_that_takes_it),
        cmocka_unit_test(pending_is_the_sum_of_thread_and_process),
        cmocka_unit_test(sigsuspend_waits_with_its_mask_and_restores_the_old),
        cmocka_unit_test(sigsuspend_sleeps_until_an_unblocked_signal_comes),
        cmocka_unit_test(fatal_signal_ends_a_process_in_sigsuspend_and_pause),
        cmocka_unit_test(sigsuspend_checks_size_and_pointer),
        cmocka_unit_test(pause_ends_with_eintr_also_with_sa_restart),
    };

    return cmocka_run_group_tests_name("signal/rt_sigprocmask", tests, NULL, NULL);
}
