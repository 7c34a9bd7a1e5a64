/* timer_create.c: POSIX timers: timer_create(2), timer_settime(2) and their kin. */
#include "../lib/check.h"

static long create(clockid_t clock, struct sigevent *event, int *id)
{
    return syscall(SYS_timer_create, clock, event, id);
}

static long set(int id, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    return syscall(SYS_timer_settime, id, flags, value, old);
}

static long get(int id, struct itimerspec *value)
{
    return syscall(SYS_timer_gettime, id, value);
}

static void timer_end(int id)
{
    must(syscall(SYS_timer_delete, id));
}

static int new_silent(clockid_t clock)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    int id;

    must(create(clock, &event, &id));
    return id;
}

static volatile sig_atomic_t seen_code, seen_value, seen_timer, seen_count;

static void on_timer(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    seen_code = info->si_code;
    seen_value = info->si_value.sival_int;
    seen_timer = info->si_timerid;
    seen_count++;
}

static void watch(int sig)
{
    struct sigaction sa = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO};

    sigemptyset(&sa.sa_mask);
    must(sigaction(sig, &sa, NULL));
    seen_code = seen_value = seen_count = 0;
    seen_timer = -1;
}

static const struct itimerspec soon = {.it_value.tv_nsec = 1000000};
static const struct itimerspec far = {.it_value.tv_sec = 1000, .it_interval = {7, 5}};

/* covers: timer_create SIGEV_SIGNAL timer_settime */
static void expiry_sends_the_signal_with_its_value(void **state)
{
    (void)state;
    struct sigevent event = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 4711};
    int id;

    watch(SIGUSR1);
    must(create(CLOCK_MONOTONIC, &event, &id));
    must(set(id, 0, &soon, NULL));
    assert_eventually(seen_count == 1);
    assert_int_equal(seen_code, SI_TIMER);
    assert_int_equal(seen_value, 4711);
    timer_end(id);
    default_signal(SIGUSR1);
}

/* covers: timer_create */
static void without_event_it_is_alarm_with_the_timer_as_value(void **state)
{
    (void)state;
    int id;

    watch(SIGALRM);
    must(create(CLOCK_REALTIME, NULL, &id));
    must(set(id, 0, &soon, NULL));
    assert_eventually(seen_count == 1);
    assert_int_equal(seen_code, SI_TIMER);
    assert_int_equal(seen_value, id);
    timer_end(id);
    default_signal(SIGALRM);
}

/* covers: timer_create SIGEV_THREAD_ID */
static void signal_can_go_to_one_thread(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    int id;

    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    watch(SIGUSR1);
    must(create(CLOCK_MONOTONIC, &event, &id));
    must(set(id, 0, &soon, NULL));
    assert_eventually(seen_count == 1);
    timer_end(id);
    event._sigev_un._tid = 0x3fffffff;
    assert_errno(create(CLOCK_MONOTONIC, &event, &id), EINVAL);
    default_signal(SIGUSR1);
}

/* covers: timer_create SIGEV_NONE timer_gettime */
static void silent_timer_just_runs(void **state)
{
    (void)state;
    struct itimerspec left;
    int id = new_silent(CLOCK_MONOTONIC);

    must(set(id, 0, &soon, NULL));
    assert_eventually((must(get(id, &left)), left.it_value.tv_nsec == 0));
    timer_end(id);
}

/* covers: timer_create CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_BOOTTIME CLOCK_TAI */
/* covers: timer_create CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID */
static void clocks_that_are_known(void **state)
{
    (void)state;
    static const clockid_t clocks[] = {CLOCK_REALTIME,           CLOCK_MONOTONIC,
                                       CLOCK_BOOTTIME,           CLOCK_TAI,
                                       CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};

    for (size_t i = 0; i < ARRAY_LEN(clocks); i++)
        timer_end(new_silent(clocks[i]));
}

/* covers: timer_create CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID */
static void cpu_clock_fires_after_use(void **state)
{
    (void)state;
    static const clockid_t clocks[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        int64_t end = now_ms() + PATIENCE_MS;
        int id;
        watch(SIGUSR1);
        must(create(clocks[i], &event, &id));
        must(set(id, 0, &soon, NULL));
        while (seen_count == 0 && now_ms() < end)
            continue;
        assert_int_equal(seen_count, 1);
        timer_end(id);
    }
    default_signal(SIGUSR1);
}

/* covers: timer_gettime timer_settime */
static void remaining_time_and_interval_are_told(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec left, old;
    int id;

    must(create(CLOCK_MONOTONIC, &event, &id));
    must(get(id, &left));
    assert_int_equal(left.it_value.tv_sec, 0);
    assert_int_equal(left.it_value.tv_nsec, 0);
    must(set(id, 0, &far, NULL));
    must(get(id, &left));
    assert_true(left.it_value.tv_sec >= 900 && left.it_value.tv_sec <= 1000);
    assert_int_equal(left.it_interval.tv_sec, 7);
    assert_int_equal(left.it_interval.tv_nsec, 5);
    struct itimerspec zero = {0};
    must(set(id, 0, &zero, &old));
    assert_true(old.it_value.tv_sec >= 900);
    must(get(id, &left));
    assert_int_equal(left.it_value.tv_sec, 0);
    timer_end(id);
}

/* covers: timer_settime TIMER_ABSTIME */
static void absolute_time_is_met(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct timespec now;
    int id;

    watch(SIGUSR1);
    must(create(CLOCK_MONOTONIC, &event, &id));
    must(clock_gettime(CLOCK_MONOTONIC, &now));
    int64_t target = now.tv_sec * 1000000000ll + now.tv_nsec + 10000000;
    struct itimerspec its = {.it_value = {target / 1000000000, target % 1000000000}};
    must(set(id, TIMER_ABSTIME, &its, NULL));
    assert_eventually(seen_count == 1);
    assert_true(now_ns() >= target);
    its.it_value = (struct timespec){.tv_nsec = 1}; /* long ago */
    must(set(id, TIMER_ABSTIME, &its, NULL));
    assert_eventually(seen_count == 2);
    timer_end(id);
    default_signal(SIGUSR1);
}

/* covers: timer_getoverrun */
static void expirations_while_the_signal_is_pending_are_overruns(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec every = {.it_value.tv_nsec = 1000000, .it_interval.tv_nsec = 1000000};
    sigset_t blocked;
    siginfo_t info;
    int id;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    must(sigprocmask(SIG_BLOCK, &blocked, NULL));
    must(create(CLOCK_MONOTONIC, &event, &id));
    int64_t start = now_ns();
    must(set(id, 0, &every, NULL));
    assert_eventually(now_ns() - start > 20000000);
    assert_returns(sigwaitinfo(&blocked, &info), SIGUSR1);
    int overrun = (int)must(syscall(SYS_timer_getoverrun, id));
    assert_int_equal(info.si_overrun, overrun);
    assert_true(overrun >= 18);
    timer_end(id); /* takes a pending signal with it or leaves it: both are seen */
    struct timespec zero = {0};
    while (sigtimedwait(&blocked, NULL, &zero) > 0)
        continue;
    must(sigprocmask(SIG_UNBLOCK, &blocked, NULL));
}

/* covers: timer_create fork */
static void child_does_not_inherit(void **state)
{
    (void)state;
    int id = new_silent(CLOCK_MONOTONIC);

    in_child(struct itimerspec left; assert_errno(get(id, &left), EINVAL));
    timer_end(id);
}

/* covers: timer_delete EINVAL timer_settime EINVAL timer_gettime EINVAL timer_getoverrun EINVAL */
static void deleted_timer_is_gone(void **state)
{
    (void)state;
    struct itimerspec left;
    int id = new_silent(CLOCK_MONOTONIC);

    timer_end(id);
    assert_errno(syscall(SYS_timer_delete, id), EINVAL);
    assert_errno(set(id, 0, &soon, NULL), EINVAL);
    assert_errno(get(id, &left), EINVAL);
    assert_errno(syscall(SYS_timer_getoverrun, id), EINVAL);
    assert_errno(get(-1, &left), EINVAL);
}

/* An ignored interval timer sets itself anew while it expires. */
/* covers: timer_delete */
static void timer_can_be_deleted_while_it_expires(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec at_once = {.it_value = {0, 1}, .it_interval = {0, 1}};
    int ids[4];

    signal(SIGUSR1, SIG_IGN);
    for (int round = 0; round < 5000; round++) {
        for (int i = 0; i < 4; i++) {
            must(create(CLOCK_MONOTONIC, &event, &ids[i]));
            must(set(ids[i], 0, &at_once, NULL));
        }
        for (int i = 0; i < 4; i++) {
            timer_end(ids[i]);
        }
    }
}

/* covers: timer_create EINVAL */
static void bad_events_are_refused(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
    int id;

    assert_errno(create(CLOCK_MONOTONIC, &event, &id), EINVAL);
    event = (struct sigevent){.sigev_notify = 77, .sigev_signo = SIGUSR1};
    assert_errno(create(CLOCK_MONOTONIC, &event, &id), EINVAL);
}

/* covers: timer_create EINVAL EOPNOTSUPP */
static void unknown_clock_is_refused(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    int id;

    assert_errno(create(999, &event, &id), EINVAL);
    assert_errno(create(CLOCK_MONOTONIC_RAW, &event, &id), EOPNOTSUPP);
}

/* covers: timer_create EPERM */
static void alarm_clocks_need_the_right(void **state)
{
    (void)state;
    as_nobody(struct sigevent event = {.sigev_notify = SIGEV_NONE}; int id; errno = 0;
              assert_int_equal(create(CLOCK_BOOTTIME_ALARM, &event, &id), -1);
              assert_true(errno == EPERM || errno == EOPNOTSUPP)); /* no clock chip, no alarm */
}

/* covers: timer_settime EINVAL */
static void times_must_be_valid(void **state)
{
    (void)state;
    struct itimerspec its = {.it_value.tv_nsec = 1000000000};
    int id = new_silent(CLOCK_MONOTONIC);

    assert_errno(set(id, 0, &its, NULL), EINVAL);
    its = (struct itimerspec){.it_value.tv_sec = -1};
    assert_errno(set(id, 0, &its, NULL), EINVAL);
    assert_errno(set(id, 0, NULL, NULL), EINVAL);
    timer_end(id);
}

/* covers: timer_create EFAULT timer_settime EFAULT timer_gettime EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    int id = new_silent(CLOCK_MONOTONIC);

    assert_errno(create(CLOCK_MONOTONIC, &event, BAD_PTR), EFAULT);
    assert_errno(create(CLOCK_MONOTONIC, BAD_PTR, &id), EFAULT);
    assert_errno(set(id, 0, BAD_PTR, NULL), EFAULT);
    assert_errno(set(id, 0, &far, BAD_PTR), EFAULT);
    assert_errno(get(id, BAD_PTR), EFAULT);
    timer_end(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expiry_sends_the_signal_with_its_value),
        cmocka_unit_test(without_event_it_is_alarm_with_the_timer_as_value),
        cmocka_unit_test(signal_can_go_to_one_thread),
        cmocka_unit_test(silent_timer_just_runs),
        cmocka_unit_test(clocks_that_are_known),
        cmocka_unit_test(cpu_clock_fires_after_use),
        cmocka_unit_test(remaining_time_and_interval_are_told),
        cmocka_unit_test(absolute_time_is_met),
        cmocka_unit_test(expirations_while_the_signal_is_pending_are_overruns),
        cmocka_unit_test(child_does_not_inherit),
        cmocka_unit_test(deleted_timer_is_gone),
        cmocka_unit_test(timer_can_be_deleted_while_it_expires),
        cmocka_unit_test(bad_events_are_refused),
        cmocka_unit_test(unknown_clock_is_refused),
        cmocka_unit_test(alarm_clocks_need_the_right),
        cmocka_unit_test(times_must_be_valid),
        cmocka_unit_test(bad_addresses_fault),
    };

    return cmocka_run_group_tests_name("time/timer_create", tests, NULL, NULL);
}
