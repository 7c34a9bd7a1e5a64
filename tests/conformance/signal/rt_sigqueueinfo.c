/* rt_sigqueueinfo.c: rt_sigqueueinfo(2), rt_tgsigqueueinfo(2), rt_sigtimedwait(2): values in order. */
#include "../lib/child.h"

#include <pthread.h>
#include <sys/resource.h>

static sigset_t all_rt, old_mask;

static int block_rt(void **state)
{
    (void)state;
    sigemptyset(&all_rt);
    for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++) {
        sigaddset(&all_rt, sig);
    }
    sigaddset(&all_rt, SIGUSR1);
    sigaddset(&all_rt, SIGUSR2);
    return sigprocmask(SIG_BLOCK, &all_rt, &old_mask);
}

static int unblock_rt(void **state)
{
    (void)state;
    while (sigtimedwait(&all_rt, NULL, &(struct timespec){0}) > 0) {
        continue;
    }
    return sigprocmask(SIG_SETMASK, &old_mask, NULL);
}

static int take(siginfo_t *info)
{
    memset(info, 0xee, sizeof *info);
    return sigtimedwait(&all_rt, info, &(struct timespec){.tv_sec = 20});
}

static void queue_self(int sig, int value)
{
    need_eq(sigqueue(getpid(), sig, (union sigval){.sival_int = value}), 0);
}

/* covers: rt_sigqueueinfo rt_sigtimedwait */
static void queued_value_arrives_with_sender(void **state)
{
    siginfo_t info;

    (void)state;
    queue_self(SIGRTMIN, 4711);
    need_eq(take(&info), SIGRTMIN);
    need_eq(info.si_signo, SIGRTMIN);
    need_eq(info.si_code, SI_QUEUE);
    need_eq(info.si_value.sival_int, 4711);
    need_eq(info.si_pid, getpid());
    need_eq(info.si_uid, getuid());
}

/* covers: rt_sigqueueinfo */
static void one_real_time_signal_queues_in_order(void **state)
{
    siginfo_t info;

    (void)state;
    for (int i = 0; i < 50; i++) {
        queue_self(SIGRTMIN + 1, i);
    }
    for (int i = 0; i < 50; i++) {
        need_eq(take(&info), SIGRTMIN + 1);
        need_eq(info.si_value.sival_int, i);
    }
    need_errno(sigtimedwait(&all_rt, &info, &(struct timespec){0}), EAGAIN);
}

/* covers: rt_sigqueueinfo */
static void lower_numbers_come_first(void **state)
{
    siginfo_t info;

    (void)state;
    queue_self(SIGRTMIN + 5, 5);
    queue_self(SIGRTMIN + 2, 2);
    queue_self(SIGRTMAX, 9);
    queue_self(SIGUSR1, 1);
    queue_self(SIGRTMIN + 2, 3);
    static const int order[] = {1, 2, 3, 5, 9};
    for (int i = 0; i < 5; i++) {
        need(take(&info) > 0);
        need_eq(info.si_value.sival_int, order[i]);
    }
}

/* covers: rt_sigqueueinfo */
static void standard_signal_keeps_only_the_first_value(void **state)
{
    siginfo_t info;

    (void)state;
    queue_self(SIGUSR1, 1);
    queue_self(SIGUSR1, 2);
    queue_self(SIGUSR1, 3);
    need_eq(take(&info), SIGUSR1);
    need_eq(info.si_value.sival_int, 1);
    need_errno(sigtimedwait(&all_rt, &info, &(struct timespec){0}), EAGAIN);
}

static volatile int order[8], at;

static void record(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    order[at++] = info->si_value.sival_int;
}

/* covers: rt_sigprocmask rt_sigqueueinfo SI_QUEUE */
static void handlers_get_queued_values_in_order(void **state)
{
    struct sigaction act = {.sa_sigaction = record, .sa_flags = SA_SIGINFO}, old;
    sigset_t set;

    (void)state;
    at = 0;
    need_eq(sigaction(SIGRTMIN + 3, &act, &old), 0);
    for (int i = 0; i < 5; i++) {
        queue_self(SIGRTMIN + 3, 10 + i);
    }
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 3);
    need_eq(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
    need_eq(at, 5);
    for (int i = 0; i < 5; i++) {
        need_eq(order[i], 10 + i);
    }
    need_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    need_eq(sigaction(SIGRTMIN + 3, &old, NULL), 0);
}

/* covers: rt_sigqueueinfo rt_sigtimedwait */
static void pointer_value_arrives_whole(void **state)
{
    siginfo_t info;

    (void)state;
    need_eq(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_ptr = (void *)0x123456789abcdef0}),
            0);
    need_eq(take(&info), SIGRTMIN);
    need_eq((long)info.si_value.sival_ptr, 0x123456789abcdef0);
}

/* covers: rt_sigqueueinfo EPERM */
static void codes_of_the_kernel_are_eperm_for_another_process(void **state)
{
    siginfo_t info = {.si_signo = SIGRTMIN};
    pid_t pid = child_start(sleep_forever, NULL);

    (void)state;
    info.si_code = SI_USER;
    need_eq(SYS(SYS_rt_sigqueueinfo, pid, SIGRTMIN, &info), -EPERM);
    info.si_code = SI_KERNEL;
    need_eq(SYS(SYS_rt_sigqueueinfo, pid, SIGRTMIN, &info), -EPERM);
    info.si_code = SI_TKILL;
    need_eq(SYS(SYS_rt_sigqueueinfo, pid, SIGRTMIN, &info), -EPERM);
    need_eq(SYS(SYS_rt_tgsigqueueinfo, pid, pid, SIGRTMIN, &info), -EPERM);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

/* covers: rt_sigqueueinfo */
static void process_may_send_itself_any_code(void **state)
{
    siginfo_t info = {.si_signo = SIGRTMIN}, got;

    (void)state;
    info.si_code = SI_KERNEL;
    info.si_pid = 77;
    need_eq(SYS(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, &info), 0);
    need_eq(take(&got), SIGRTMIN);
    need_eq(got.si_code, SI_KERNEL);
    need_eq(got.si_pid, 77);
}

/* covers: rt_sigqueueinfo */
static void negative_code_and_forged_sender_are_delivered(void **state)
{
    siginfo_t info = {.si_signo = SIGRTMIN}, got;

    (void)state;
    info.si_code = -77;
    info.si_pid = 12345;
    info.si_uid = 54321;
    info.si_value.sival_int = 6;
    need_eq(SYS(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, &info), 0);
    need_eq(take(&got), SIGRTMIN);
    need_eq(got.si_code, -77);
    need_eq(got.si_pid, 12345);
    need_eq(got.si_uid, 54321);
    need_eq(got.si_value.sival_int, 6);
}

/* covers: rt_sigqueueinfo EINVAL ESRCH EFAULT */
static void queueinfo_checks_signal_process_and_pointer(void **state)
{
    siginfo_t info = {.si_code = SI_QUEUE};

    (void)state;
    need_eq(SYS(SYS_rt_sigqueueinfo, getpid(), 65, &info), -EINVAL);
    need_eq(SYS(SYS_rt_sigqueueinfo, getpid(), -1, &info), -EINVAL);
    need_eq(SYS(SYS_rt_sigqueueinfo, 0x3ffffffe, SIGRTMIN, &info), -ESRCH);
    need_eq(SYS(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_rt_sigqueueinfo, getpid(), 0, &info), 0);
}

static int over_limit(void *arg)
{
    int sent = 0;

    (void)arg;
    need_eq(setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){5, 5}), 0);
    while (sent < 100000 && sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = sent}) == 0) {
        sent++;
    }
    need_eq(errno, EAGAIN);
    need(sent <= 5);
    return 0;
}

/* covers: rt_sigqueueinfo EAGAIN */
static void queue_beyond_the_limit_is_eagain(void **state)
{
    (void)state;
    child_passes(over_limit, NULL);
}

struct thread_take {
    volatile pid_t tid;
    siginfo_t info;
    int sig;
};

static void *take_in_thread(void *arg)
{
    struct thread_take *job = arg;

    job->tid = (pid_t)SYS(SYS_gettid);
    job->sig = take(&job->info);
    return NULL;
}

/* covers: rt_tgsigqueueinfo */
static void tgsigqueueinfo_reaches_one_thread(void **state)
{
    struct thread_take job = {0};
    siginfo_t info = {.si_signo = SIGRTMIN, .si_code = SI_QUEUE};
    pthread_t thread;

    (void)state;
    need_eq(pthread_create(&thread, NULL, take_in_thread, &job), 0);
    need(wait_until(job.tid != 0));
    info.si_value.sival_int = 31;
    need_eq(SYS(SYS_rt_tgsigqueueinfo, getpid(), job.tid, SIGRTMIN, &info), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(job.sig, SIGRTMIN);
    need_eq(job.info.si_value.sival_int, 31);
    need_eq(job.info.si_code, SI_QUEUE);
}

/* covers: rt_tgsigqueueinfo EINVAL ESRCH EFAULT */
static void tgsigqueueinfo_checks_its_arguments(void **state)
{
    siginfo_t info = {.si_code = SI_QUEUE};
    pid_t self = getpid();

    (void)state;
    need_eq(SYS(SYS_rt_tgsigqueueinfo, 0, self, SIGRTMIN, &info), -EINVAL);
    need_eq(SYS(SYS_rt_tgsigqueueinfo, self, 0, SIGRTMIN, &info), -EINVAL);
    need_eq(SYS(SYS_rt_tgsigqueueinfo, -1, self, SIGRTMIN, &info), -EINVAL);
    need_eq(SYS(SYS_rt_tgsigqueueinfo, self, self, 65, &info), -EINVAL);
    need_eq(SYS(SYS_rt_tgsigqueueinfo, self, 0x3ffffffe, SIGRTMIN, &info), -ESRCH);
    need_eq(SYS(SYS_rt_tgsigqueueinfo, 0x3ffffffe, self, SIGRTMIN, &info), -ESRCH);
    need_eq(SYS(SYS_rt_tgsigqueueinfo, self, self, SIGRTMIN, BAD_PTR), -EFAULT);
}

/* covers: rt_sigtimedwait EAGAIN */
static void zero_timeout_polls(void **state)
{
    siginfo_t info;

    (void)state;
    need_errno(sigtimedwait(&all_rt, &info, &(struct timespec){0}), EAGAIN);
    queue_self(SIGRTMIN, 1);
    need_eq(sigtimedwait(&all_rt, &info, &(struct timespec){0}), SIGRTMIN);
}

/* covers: rt_sigtimedwait EAGAIN */
static void timeout_is_waited_for(void **state)
{
    int64_t start = now_ms();

    (void)state;
    need_errno(sigtimedwait(&all_rt, NULL, &(struct timespec){.tv_nsec = 30000000}), EAGAIN);
    need(now_ms() - start >= 29);
}

/* covers: rt_sigtimedwait EINVAL EFAULT */
static void timedwait_checks_its_arguments(void **state)
{
    unsigned long set = 1UL << (SIGRTMIN - 1);
    struct timespec wrong = {.tv_nsec = 1000000000}, negative = {.tv_sec = -1}, zero = {0};

    (void)state;
    need_eq(SYS(SYS_rt_sigtimedwait, &set, NULL, &wrong, 8), -EINVAL);
    need_eq(SYS(SYS_rt_sigtimedwait, &set, NULL, &negative, 8), -EINVAL);
    need_eq(SYS(SYS_rt_sigtimedwait, &set, NULL, &zero, 4), -EINVAL);
    need_eq(SYS(SYS_rt_sigtimedwait, BAD_PTR, NULL, &zero, 8), -EFAULT);
    need_eq(SYS(SYS_rt_sigtimedwait, &set, NULL, BAD_PTR, 8), -EFAULT);
    queue_self(SIGRTMIN, 1);
    need_eq(SYS(SYS_rt_sigtimedwait, &set, BAD_PTR, &zero, 8), -EFAULT);
}

/* covers: rt_sigtimedwait */
static void only_signals_of_the_set_are_taken(void **state)
{
    sigset_t one;
    siginfo_t info;

    (void)state;
    sigemptyset(&one);
    sigaddset(&one, SIGRTMIN + 4);
    queue_self(SIGRTMIN + 3, 3);
    queue_self(SIGRTMIN + 4, 4);
    need_eq(sigtimedwait(&one, &info, &(struct timespec){.tv_sec = 20}), SIGRTMIN + 4);
    need_errno(sigtimedwait(&one, &info, &(struct timespec){0}), EAGAIN);
    need_eq(take(&info), SIGRTMIN + 3);
}

static void no_op(int sig)
{
    (void)sig;
}

static int interrupt_parent(void *arg)
{
    pid_t parent = getppid();

    need(wait_until(task_state(parent, parent) == 'S'));
    need_eq(kill(parent, (int)(intptr_t)arg), 0);
    return 0;
}

static int interrupted_wait(void *arg)
{
    struct sigaction act = {.sa_handler = no_op, .sa_flags = SA_RESTART};
    pid_t pid;

    (void)arg;
    need_eq(sigaction(SIGHUP, &act, NULL), 0);
    pid = child_start(interrupt_parent, (void *)SIGHUP);
    need_errno(sigtimedwait(&all_rt, NULL, &(struct timespec){.tv_sec = 30}), EINTR);
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: rt_sigtimedwait EINTR */
static void other_handled_signal_ends_the_wait_with_eintr(void **state)
{
    (void)state;
    child_passes(interrupted_wait, NULL);
}

static int sent_by_child(void *arg)
{
    siginfo_t info;
    pid_t pid;

    (void)arg;
    pid = child_start(interrupt_parent, (void *)(intptr_t)SIGUSR2);
    need_eq(sigwaitinfo(&all_rt, &info), SIGUSR2);
    need_eq(info.si_code, SI_USER);
    need_eq(info.si_pid, pid);
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: rt_sigtimedwait kill */
static void sleeping_wait_takes_a_signal_of_another_process(void **state)
{
    (void)state;
    child_passes(sent_by_child, NULL);
}

int main(void)
{
#define with_rt(f) cmocka_unit_test_setup_teardown(f, block_rt, unblock_rt)
    const struct CMUnitTest tests[] = {
        with_rt(queued_value_arrives_with_sender),
        with_rt(one_real_time_signal_queues_in_order),
        with_rt(lower_numbers_come_first),
        with_rt(standard_signal_keeps_only_the_first_value),
        with_rt(handlers_get_queued_values_in_order),
        with_rt(pointer_value_arrives_whole),
        with_rt(codes_of_the_kernel_are_eperm_for_another_process),
        with_rt(process_may_send_itself_any_code),
        with_rt(negative_code_and_forged_sender_are_delivered),
        with_rt(queueinfo_checks_signal_process_and_pointer),
        with_rt(queue_beyond_the_limit_is_eagain),
        with_rt(tgsigqueueinfo_reaches_one_thread),
        with_rt(tgsigqueueinfo_checks_its_arguments),
        with_rt(zero_timeout_polls),
        with_rt(timeout_is_waited_for),
        with_rt(timedwait_checks_its_arguments),
        with_rt(only_signals_of_the_set_are_taken),
        with_rt(other_handled_signal_ends_the_wait_with_eintr),
        with_rt(sleeping_wait_takes_a_signal_of_another_process),
    };

    return cmocka_run_group_tests_name("signal/rt_sigqueueinfo", tests, NULL, NULL);
}
