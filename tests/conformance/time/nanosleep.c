/* nanosleep.c: nanosleep(2), clock_nanosleep(2) and pause(2). */
/* tags: trap */
#include "../lib/check.h"

static long sleep_on(clockid_t clock, int flags, const struct timespec *ts, struct timespec *rem)
{
    return syscall(SYS_clock_nanosleep, clock, flags, ts, rem);
}

static int64_t ns(struct timespec ts)
{
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* covers: nanosleep clock_nanosleep */
static void sleep_is_not_cut_short(void **state)
{
    (void)state;
    struct timespec ts = {.tv_nsec = 20000000};
    int64_t start = now_ns();

    must(syscall(SYS_nanosleep, &ts, NULL));
    assert_true(now_ns() - start >= 20000000);
    start = now_ns();
    must(sleep_on(CLOCK_MONOTONIC, 0, &ts, NULL));
    assert_true(now_ns() - start >= 20000000);
}

/* covers: clock_nanosleep CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_BOOTTIME CLOCK_TAI */
static void clocks_that_can_be_slept_on(void **state)
{
    (void)state;
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};
    struct timespec ts = {.tv_nsec = 1000000};

    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        int64_t start = now_ns();
        must(sleep_on(clocks[i], 0, &ts, NULL));
        assert_true(now_ns() - start >= 1000000);
    }
}

/* covers: nanosleep clock_nanosleep */
static void zero_returns_at_once(void **state)
{
    (void)state;
    struct timespec ts = {0};

    must(syscall(SYS_nanosleep, &ts, NULL));
    must(sleep_on(CLOCK_MONOTONIC, 0, &ts, NULL));
}

/* covers: nanosleep EINTR clock_nanosleep EINTR */
static void remaining_time_is_left_on_interruption(void **state)
{
    (void)state;
    struct timespec ts = {.tv_sec = 100}, rem = {.tv_sec = -7};

    interrupts_start(0);
    assert_errno(syscall(SYS_nanosleep, &ts, &rem), EINTR);
    assert_true(ns(rem) > 0 && ns(rem) < ns(ts));
    assert_true(rem.tv_sec >= 50);
    rem.tv_sec = -7;
    assert_errno(sleep_on(CLOCK_REALTIME, 0, &ts, &rem), EINTR);
    assert_true(rem.tv_sec >= 50 && rem.tv_sec < 100);
    assert_errno(syscall(SYS_nanosleep, &ts, NULL), EINTR);
    interrupts_stop();
}

/* covers: nanosleep EINTR SA_RESTART */
static void handler_ends_the_sleep_whatever_the_restart_flag(void **state)
{
    (void)state;
    struct timespec ts = {.tv_sec = 100};

    interrupts_start(SA_RESTART);
    assert_errno(syscall(SYS_nanosleep, &ts, NULL), EINTR);
    interrupts_stop();
}

/* covers: nanosleep */
static void request_and_remainder_may_be_one(void **state)
{
    (void)state;
    struct timespec ts = {.tv_sec = 100};

    interrupts_start(0);
    assert_errno(syscall(SYS_nanosleep, &ts, &ts), EINTR);
    interrupts_stop();
    assert_true(ts.tv_sec < 100);
}

/* covers: clock_nanosleep TIMER_ABSTIME */
static void absolute_time_is_met(void **state)
{
    (void)state;
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};

    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        struct timespec until, now;
        must(clock_gettime(clocks[i], &until));
        int64_t target = ns(until) + 10000000;
        until = (struct timespec){target / 1000000000, target % 1000000000};
        must(sleep_on(clocks[i], TIMER_ABSTIME, &until, NULL));
        must(clock_gettime(clocks[i], &now));
        assert_true(ns(now) >= target);
    }
}

/* covers: clock_nanosleep TIMER_ABSTIME */
static void absolute_time_in_the_past_returns_at_once(void **state)
{
    (void)state;
    struct timespec past = {.tv_sec = 1};

    must(sleep_on(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL));
    past = (struct timespec){0};
    must(sleep_on(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL));
}

/* covers: clock_nanosleep TIMER_ABSTIME EINTR */
static void absolute_sleep_leaves_the_remainder_alone(void **state)
{
    (void)state;
    struct timespec until, rem = {.tv_sec = -7};

    must(clock_gettime(CLOCK_MONOTONIC, &until));
    until.tv_sec += 100;
    interrupts_start(0);
    assert_errno(sleep_on(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &rem), EINTR);
    interrupts_stop();
    assert_int_equal(rem.tv_sec, -7);
}

/* covers: nanosleep */
static void stop_and_continue_do_not_end_the_sleep(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    pid_t pid = child_fork();

    if (pid == 0) {
        struct timespec ts = {.tv_nsec = 200000000};
        int64_t start = now_ns();
        gate_open(gate);
        must(syscall(SYS_nanosleep, &ts, NULL));
        assert_true(now_ns() - start >= 200000000);
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(kill(pid, SIGSTOP));
    assert_eventually(process_state(pid) == 'T');
    must(kill(pid, SIGCONT));
    assert_child_ok(pid);
}

/* covers: nanosleep EINVAL clock_nanosleep EINVAL */
static void times_must_be_valid(void **state)
{
    (void)state;
    struct timespec ts = {.tv_nsec = 1000000000};

    assert_errno(syscall(SYS_nanosleep, &ts, NULL), EINVAL);
    assert_errno(sleep_on(CLOCK_MONOTONIC, 0, &ts, NULL), EINVAL);
    ts = (struct timespec){.tv_sec = -1};
    assert_errno(syscall(SYS_nanosleep, &ts, NULL), EINVAL);
    assert_errno(sleep_on(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), EINVAL);
    ts = (struct timespec){.tv_nsec = -1};
    assert_errno(syscall(SYS_nanosleep, &ts, NULL), EINVAL);
}

/* covers: clock_nanosleep EINVAL EOPNOTSUPP */
static void clock_must_be_fit(void **state)
{
    (void)state;
    struct timespec ts = {.tv_nsec = 1};

    assert_errno(sleep_on(999, 0, &ts, NULL), EINVAL);
    /* the C library alone makes EINVAL of it */
    assert_errno(sleep_on(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL), EOPNOTSUPP);
    assert_errno(sleep_on(CLOCK_MONOTONIC_RAW, 0, &ts, NULL), EOPNOTSUPP);
    assert_errno(sleep_on(CLOCK_MONOTONIC_COARSE, 0, &ts, NULL), EOPNOTSUPP);
}

/* covers: nanosleep EFAULT clock_nanosleep EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    struct timespec ts = {.tv_sec = 100};

    assert_errno(syscall(SYS_nanosleep, BAD_PTR, NULL), EFAULT);
    assert_errno(sleep_on(CLOCK_MONOTONIC, 0, BAD_PTR, NULL), EFAULT);
    interrupts_start(0);
    assert_errno(syscall(SYS_nanosleep, &ts, BAD_PTR), EFAULT);
    interrupts_stop();
}

/* covers: pause EINTR */
static void pause_ends_with_a_handled_signal(void **state)
{
    (void)state;
    interrupts_start(0);
    assert_errno(syscall(SYS_pause), EINTR);
    interrupts_stop();
    interrupts_start(SA_RESTART);
    assert_errno(syscall(SYS_pause), EINTR);
    interrupts_stop();
}

/* covers: clock_nanosleep */
static void sleep_on_cpu_time_waits_for_the_process_to_run(void **state)
{
    (void)state;
    /* the sleeper itself uses no time, so it sleeps on the clock of a child that does */
    struct gate *gate = gate_new();
    pid_t pid = child_fork();

    if (pid == 0) {
        gate_open(gate);
        for (volatile unsigned long i = 0;; i++)
            continue;
    }
    clockid_t clock;
    struct timespec ts = {.tv_nsec = 20000000}, before, after;
    gate_wait(gate);
    assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
    must(clock_gettime(clock, &before));
    must(sleep_on(clock, 0, &ts, NULL));
    must(clock_gettime(clock, &after));
    assert_true(ns(after) - ns(before) >= 20000000);
    child_kill(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleep_is_not_cut_short),
        cmocka_unit_test(clocks_that_can_be_slept_on),
        cmocka_unit_test(zero_returns_at_once),
        cmocka_unit_test(remaining_time_is_left_on_interruption),
        cmocka_unit_test(handler_ends_the_sleep_whatever_the_restart_flag),
        cmocka_unit_test(request_and_remainder_may_be_one),
        cmocka_unit_test(absolute_time_is_met),
        cmocka_unit_test(absolute_time_in_the_past_returns_at_once),
        cmocka_unit_test(absolute_sleep_leaves_the_remainder_alone),
        cmocka_unit_test(stop_and_continue_do_not_end_the_sleep),
        cmocka_unit_test(times_must_be_valid),
        cmocka_unit_test(clock_must_be_fit),
        cmocka_unit_test(bad_addresses_fault),
        cmocka_unit_test(pause_ends_with_a_handled_signal),
        cmocka_unit_test(sleep_on_cpu_time_waits_for_the_process_to_run),
    };

    return cmocka_run_group_tests_name("time/nanosleep", tests, NULL, NULL);
}
