/* sched.c: priorities, scheduling policies and processors of a thread: get, set, and errors. */
#include "../lib/child.h"

#include <sched.h>
#include <sys/resource.h>

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

/* The kernel's getpriority() answers 20 - nice, so that a success is never negative. */
static long nice_of(int which, long who)
{
    return 20 - SYS(SYS_getpriority, which, who);
}

/* covers: getpriority PRIO_PROCESS setpriority PRIO_PROCESS */
static void raw_getpriority_returns_twenty_minus_nice(void **state)
{
    pid_t pid;

    (void)state;
    pid = child_fork();
    if (pid == 0) {
        need_eq(SYS(SYS_setpriority, PRIO_PROCESS, 0, 7), 0);
        need_eq(SYS(SYS_getpriority, PRIO_PROCESS, 0), 13);
        need_eq(SYS(SYS_getpriority, PRIO_PROCESS, getpid()), 13);
        need_eq(SYS(SYS_setpriority, PRIO_PROCESS, getpid(), 1000), 0);
        need_eq(SYS(SYS_getpriority, PRIO_PROCESS, 0), 1);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
}

static int groups_and_users(void *arg)
{
    pid_t pid;

    (void)arg;
    need_eq(setpgid(0, 0), 0);
    pid = child_start(sleep_forever, NULL);
    need_eq(SYS(SYS_setpriority, PRIO_PGRP, 0, 3), 0);
    need_eq(nice_of(PRIO_PROCESS, pid), 3);
    need_eq(nice_of(PRIO_PROCESS, 0), 3);
    need_eq(SYS(SYS_setpriority, PRIO_PROCESS, pid, 6), 0);
    /* The most favourable of the group. */
    need_eq(nice_of(PRIO_PGRP, getpid()), 3);
    need_eq(kill(pid, SIGKILL), 0);
    child_end(pid);
    return 0;
}

/* covers: getpriority PRIO_PGRP setpriority PRIO_PGRP */
static void group_is_set_as_one_and_answers_with_its_best(void **state)
{
    (void)state;
    child_passes(groups_and_users, NULL);
}

static int by_user(void *arg)
{
    (void)arg;
    need_eq(SYS(SYS_setresuid, 31337, 31337, 31337), 0);
    need_eq(SYS(SYS_setpriority, PRIO_USER, 31337, 4), 0);
    need_eq(nice_of(PRIO_PROCESS, 0), 4);
    need_eq(nice_of(PRIO_USER, 0), 4);
    return 0;
}

/* covers: getpriority PRIO_USER setpriority PRIO_USER */
static void user_selects_all_its_processes(void **state)
{
    (void)state;
    need_root();
    child_passes(by_user, NULL);
}

/* covers: getpriority EINVAL ESRCH setpriority EINVAL ESRCH */
static void unknown_kind_is_einval_and_nobody_is_esrch(void **state)
{
    (void)state;
    need_eq(SYS(SYS_getpriority, 9, 0), -EINVAL);
    need_eq(SYS(SYS_setpriority, -1, 0, 0), -EINVAL);
    need_eq(SYS(SYS_getpriority, PRIO_PROCESS, 0x3ffffffe), -ESRCH);
    need_eq(SYS(SYS_setpriority, PRIO_PROCESS, 0x3ffffffe, 1), -ESRCH);
    need_eq(SYS(SYS_getpriority, PRIO_PGRP, 0x3ffffffe), -ESRCH);
    need_eq(SYS(SYS_getpriority, PRIO_USER, 77777777), -ESRCH);
}

static int better_priority(void *arg)
{
    pid_t parent = *(pid_t *)arg;

    need_eq(setrlimit(RLIMIT_NICE, &(struct rlimit){0, 0}), 0);
    drop_privileges();
    need_eq(SYS(SYS_setpriority, PRIO_PROCESS, 0, 5), 0);
    need_eq(SYS(SYS_setpriority, PRIO_PROCESS, 0, 4), -EACCES);
    need_eq(SYS(SYS_setpriority, PRIO_PROCESS, 0, 5), 0);
    if (parent) {
        need_eq(SYS(SYS_setpriority, PRIO_PROCESS, parent, 10), -EPERM);
    }
    return 0;
}

/* covers: setpriority EACCES EPERM */
static void better_priority_is_eacces_and_another_user_is_eperm(void **state)
{
    pid_t self = getuid() == 0 ? getpid() : 0;

    (void)state;
    child_passes(better_priority, &self);
}

/* covers: sched_getscheduler sched_getparam */
static void ordinary_process_is_sched_other_with_priority_zero(void **state)
{
    struct sched_param param = {77};

    (void)state;
    need_eq(SYS(SYS_sched_getscheduler, 0), SCHED_OTHER);
    need_eq(SYS(SYS_sched_getparam, 0, &param), 0);
    need_eq(param.sched_priority, 0);
    need_eq(SYS(SYS_sched_setparam, 0, &param), 0);
}

static int batch(void *arg)
{
    struct sched_param zero = {0}, one = {1};
    pid_t pid;

    (void)arg;
    need_eq(SYS(SYS_sched_setscheduler, 0, SCHED_BATCH, &zero), 0);
    need_eq(SYS(SYS_sched_getscheduler, 0), SCHED_BATCH);
    pid = fork();
    if (pid == 0) {
        _exit(SYS(SYS_sched_getscheduler, 0) == SCHED_BATCH ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
    need_eq(SYS(SYS_sched_setscheduler, 0, SCHED_IDLE, &zero), 0);
    need_eq(SYS(SYS_sched_getscheduler, 0), SCHED_IDLE);
    need_eq(SYS(SYS_sched_setscheduler, 0, SCHED_OTHER, &one), -EINVAL);
    need_eq(SYS(SYS_sched_setparam, 0, &one), -EINVAL);
    return 0;
}

/* covers: sched_setscheduler EINVAL sched_setparam EINVAL */
static void batch_and_idle_can_be_chosen_and_are_inherited(void **state)
{
    (void)state;
    child_passes(batch, NULL);
}

/* covers: sched_setscheduler EINVAL ESRCH sched_getscheduler EINVAL ESRCH sched_setparam EINVAL
 * ESRCH sched_getparam EINVAL ESRCH */
static void scheduler_calls_check_their_arguments(void **state)
{
    struct sched_param param = {0};

    (void)state;
    need_eq(SYS(SYS_sched_setscheduler, 0, 99, &param), -EINVAL);
    need_eq(SYS(SYS_sched_setscheduler, 0, -1, &param), -EINVAL);
    need_eq(SYS(SYS_sched_setscheduler, -1, SCHED_OTHER, &param), -EINVAL);
    need_eq(SYS(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL), -EINVAL);
    need_eq(SYS(SYS_sched_setscheduler, 0x3ffffffe, SCHED_OTHER, &param), -ESRCH);
    need_eq(SYS(SYS_sched_getscheduler, 0x3ffffffe), -ESRCH);
    need_eq(SYS(SYS_sched_getscheduler, -1), -EINVAL);
    need_eq(SYS(SYS_sched_getparam, 0, NULL), -EINVAL);
    need_eq(SYS(SYS_sched_getparam, 0x3ffffffe, &param), -ESRCH);
    need_eq(SYS(SYS_sched_setparam, 0, NULL), -EINVAL);
    need_eq(SYS(SYS_sched_getparam, 0, BAD_PTR), -EFAULT);
}

static int realtime(void *arg)
{
    struct sched_param one = {1}, zero = {0};

    (void)arg;
    need_eq(setrlimit(RLIMIT_RTPRIO, &(struct rlimit){0, 0}), 0);
    drop_privileges();
    need_eq(SYS(SYS_sched_setscheduler, 0, SCHED_FIFO, &one), -EPERM);
    need_eq(SYS(SYS_sched_setscheduler, 0, SCHED_RR, &one), -EPERM);
    need_eq(SYS(SYS_sched_setscheduler, 0, SCHED_FIFO, &zero), -EINVAL);
    return 0;
}

/* covers: sched_setscheduler EPERM EINVAL */
static void real_time_without_privilege_is_eperm(void **state)
{
    (void)state;
    child_passes(realtime, NULL);
}

/* covers: sched_get_priority_max EINVAL sched_get_priority_min EINVAL */
static void ranges_of_priorities(void **state)
{
    (void)state;
    need_eq(SYS(SYS_sched_get_priority_max, SCHED_FIFO), 99);
    need_eq(SYS(SYS_sched_get_priority_min, SCHED_FIFO), 1);
    need_eq(SYS(SYS_sched_get_priority_max, SCHED_RR), 99);
    need_eq(SYS(SYS_sched_get_priority_max, SCHED_OTHER), 0);
    need_eq(SYS(SYS_sched_get_priority_min, SCHED_BATCH), 0);
    need_eq(SYS(SYS_sched_get_priority_max, 99), -EINVAL);
    need_eq(SYS(SYS_sched_get_priority_min, -1), -EINVAL);
}

/* covers: sched_rr_get_interval EINVAL ESRCH EFAULT */
static void interval_of_a_thread_is_told(void **state)
{
    struct timespec span = {-1, -1};

    (void)state;
    need_eq(SYS(SYS_sched_rr_get_interval, 0, &span), 0);
    need(span.tv_sec >= 0 && span.tv_nsec >= 0 && span.tv_nsec < 1000000000);
    need_eq(SYS(SYS_sched_rr_get_interval, -1, &span), -EINVAL);
    need_eq(SYS(SYS_sched_rr_get_interval, 0x3ffffffe, &span), -ESRCH);
    need_eq(SYS(SYS_sched_rr_get_interval, 0, BAD_PTR), -EFAULT);
}

/* covers: sched_yield NEVER_FAILS */
static void yield_succeeds(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        need_eq(SYS(SYS_sched_yield), 0);
    }
}

struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};

/* covers: sched_getattr EINVAL ESRCH sched_setattr EINVAL E2BIG */
static void attributes_are_read_and_written(void **state)
{
    struct attr attr;
    pid_t pid;

    (void)state;
    memset(&attr, 0xff, sizeof attr);
    need_eq(SYS(SYS_sched_getattr, 0, &attr, 48, 0), 0);
    need_eq(attr.size, 48);
    need_eq(attr.policy, SCHED_OTHER);
    need_eq(attr.priority, 0);
    need_eq(SYS(SYS_sched_getattr, 0, &attr, 47, 0), -EINVAL);
    need_eq(SYS(SYS_sched_getattr, 0, &attr, 48, 1), -EINVAL);
    need_eq(SYS(SYS_sched_getattr, 0x3ffffffe, &attr, 48, 0), -ESRCH);
    pid = child_fork();
    if (pid == 0) {
        attr = (struct attr){.size = 48, .policy = SCHED_BATCH, .nice = 9};
        need_eq(SYS(SYS_sched_setattr, 0, &attr, 0), 0);
        need_eq(SYS(SYS_sched_getscheduler, 0), SCHED_BATCH);
        need_eq(nice_of(PRIO_PROCESS, 0), 9);
        need_eq(SYS(SYS_sched_setattr, 0, &attr, 1), -EINVAL);
        attr.policy = 77;
        need_eq(SYS(SYS_sched_setattr, 0, &attr, 0), -EINVAL);
        attr.size = 40;
        need_eq(SYS(SYS_sched_setattr, 0, &attr, 0), -E2BIG);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
}

/* ---- processors ---- */

#define MASK_WORDS 128

static long mask_size(unsigned long *mask)
{
    memset(mask, 0, MASK_WORDS * sizeof *mask);
    return SYS(SYS_sched_getaffinity, 0, MASK_WORDS * sizeof *mask, mask);
}

static int lowest(const unsigned long *mask)
{
    for (int i = 0; i < MASK_WORDS; i++) {
        if (mask[i]) {
            return i * 64 + __builtin_ctzl(mask[i]);
        }
    }
    return -1;
}

/* covers: sched_getaffinity */
static void affinity_returns_the_size_in_bytes(void **state)
{
    unsigned long mask[MASK_WORDS];
    long size = mask_size(mask);

    (void)state;
    need(size > 0 && size % 8 == 0);
    need(lowest(mask) >= 0);
}

/* covers: sched_getaffinity EINVAL ESRCH EFAULT */
static void getaffinity_checks_its_arguments(void **state)
{
    unsigned long mask[MASK_WORDS];

    (void)state;
    need_eq(SYS(SYS_sched_getaffinity, 0, 0, mask), -EINVAL);
    need_eq(SYS(SYS_sched_getaffinity, 0, 9, mask), -EINVAL);
    need_eq(SYS(SYS_sched_getaffinity, 0x3ffffffe, sizeof mask, mask), -ESRCH);
    need_eq(SYS(SYS_sched_getaffinity, 0, sizeof mask, BAD_PTR), -EFAULT);
}

static int pin(void *arg)
{
    unsigned long all[MASK_WORDS], one[MASK_WORDS] = {0}, seen[MASK_WORDS];
    unsigned cpu = 9999;
    long size = mask_size(all);
    int first = lowest(all);
    pid_t pid;

    (void)arg;
    one[first / 64] = 1UL << first % 64;
    need_eq(SYS(SYS_sched_setaffinity, 0, size, one), 0);
    mask_size(seen);
    need_eq(memcmp(seen, one, sizeof one), 0);
    need_eq(SYS(SYS_getcpu, &cpu, NULL, NULL), 0);
    need_eq(cpu, first);
    pid = fork();
    if (pid == 0) {
        mask_size(seen);
        _exit(memcmp(seen, one, sizeof one) == 0 ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
    need_eq(SYS(SYS_sched_setaffinity, 0, size, all), 0);
    return 0;
}

/* covers: sched_setaffinity sched_getaffinity getcpu */
static void affinity_is_set_obeyed_and_inherited(void **state)
{
    (void)state;
    child_passes(pin, NULL);
}

static int pin_elsewhere(void *arg)
{
    pid_t target = *(pid_t *)arg;
    unsigned long mask[MASK_WORDS];
    long size = mask_size(mask);

    drop_privileges();
    need_eq(SYS(SYS_sched_setaffinity, target, size, mask), -EPERM);
    return 0;
}

/* covers: sched_setaffinity EPERM */
static void processors_of_another_user_are_eperm(void **state)
{
    pid_t self = getpid();

    (void)state;
    need_root();
    child_passes(pin_elsewhere, &self);
}

/* covers: sched_setaffinity EINVAL ESRCH EFAULT */
static void setaffinity_checks_its_arguments(void **state)
{
    unsigned long none[MASK_WORDS] = {0};

    (void)state;
    need_eq(SYS(SYS_sched_setaffinity, 0, sizeof none, none), -EINVAL);
    need_eq(SYS(SYS_sched_setaffinity, 0, 8, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_sched_setaffinity, 0x3ffffffe, 8, none), -ESRCH);
}

/* covers: getcpu EFAULT */
static void getcpu_tells_processor_and_node(void **state)
{
    unsigned cpu = 9999, node = 9999;

    (void)state;
    need_eq(SYS(SYS_getcpu, &cpu, &node, NULL), 0);
    need(cpu < 8192 && node < 1024);
    need_eq(SYS(SYS_getcpu, NULL, NULL, NULL), 0);
    need_eq(SYS(SYS_getcpu, BAD_PTR, NULL, NULL), -EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_getpriority_returns_twenty_minus_nice),
        cmocka_unit_test(group_is_set_as_one_and_answers_with_its_best),
        cmocka_unit_test(user_selects_all_its_processes),
        cmocka_unit_test(unknown_kind_is_einval_and_nobody_is_esrch),
        cmocka_unit_test(better_priority_is_eacces_and_another_user_is_eperm),
        cmocka_unit_test(ordinary_process_is_sched_other_with_priority_zero),
        cmocka_unit_test(batch_and_idle_can_be_chosen_and_are_inherited),
        cmocka_unit_test(scheduler_calls_check_their_arguments),
        cmocka_unit_test(real_time_without_privilege_is_eperm),
        cmocka_unit_test(ranges_of_priorities),
        cmocka_unit_test(interval_of_a_thread_is_told),
        cmocka_unit_test(yield_succeeds),
        cmocka_unit_test(attributes_are_read_and_written),
        cmocka_unit_test(affinity_returns_the_size_in_bytes),
        cmocka_unit_test(getaffinity_checks_its_arguments),
        cmocka_unit_test(affinity_is_set_obeyed_and_inherited),
        cmocka_unit_test(processors_of_another_user_are_eperm),
        cmocka_unit_test(setaffinity_checks_its_arguments),
        cmocka_unit_test(getcpu_tells_processor_and_node),
    };

    return cmocka_run_group_tests_name("process/sched", tests, NULL, NULL);
}
