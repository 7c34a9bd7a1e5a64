/* setitimer.c: setitimer(2), getitimer(2) and alarm(2). */
#include "../lib/check.h"

#include <sys/time.h>

static long set(int which, const struct itimerval *value, struct itimerval *old)
{
    return syscall(SYS_setitimer, which, value, old);
}

static long get(int which, struct itimerval *value)
{
    return syscall(SYS_getitimer, which, value);
}

static void disarm(int which)
{
    struct itimerval zero = {0};

    must(set(which, &zero, NULL));
}

static const int kinds[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};

/* covers: setitimer ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF */
static void each_kind_sends_its_signal(void **state)
{
    (void)state;
    static const int signals[] = {SIGALRM, SIGVTALRM, SIGPROF};
    struct itimerval soon = {.it_value.tv_usec = 1000};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        int64_t end = now_ms() + PATIENCE_MS;
        catch_signal(signals[i], 0);
        must(set(kinds[i], &soon, NULL));
        while (caught[signals[i]] == 0 && now_ms() < end)
            continue; /* the other two need CPU time to pass */
        assert_int_equal(caught[signals[i]], 1);
        default_signal(signals[i]);
    }
}

/* covers: setitimer getitimer */
static void single_timer_is_disarmed_after_its_signal(void **state)
{
    (void)state;
    struct itimerval soon = {.it_value.tv_usec = 1000}, left;

    catch_signal(SIGALRM, 0);
    must(set(ITIMER_REAL, &soon, NULL));
    assert_eventually(caught[SIGALRM] == 1);
    must(get(ITIMER_REAL, &left));
    assert_int_equal(left.it_value.tv_sec, 0);
    assert_int_equal(left.it_value.tv_usec, 0);
    default_signal(SIGALRM);
}

/* covers: setitimer */
static void interval_repeats(void **state)
{
    (void)state;
    struct itimerval every = {.it_value.tv_usec = 2000, .it_interval.tv_usec = 2000};

    catch_signal(SIGALRM, 0);
    must(set(ITIMER_REAL, &every, NULL));
    assert_eventually(caught[SIGALRM] >= 5);
    disarm(ITIMER_REAL);
    default_signal(SIGALRM);
}

/* covers: setitimer */
static void signal_does_not_come_too_early(void **state)
{
    (void)state;
    struct itimerval soon = {.it_value.tv_usec = 20000};
    int64_t start = now_ns();

    catch_signal(SIGALRM, 0);
    must(set(ITIMER_REAL, &soon, NULL));
    assert_eventually(caught[SIGALRM] == 1);
    assert_true(now_ns() - start >= 20000000);
    default_signal(SIGALRM);
}

/* covers: getitimer setitimer */
static void remaining_time_and_interval_are_told(void **state)
{
    (void)state;
    struct itimerval far = {.it_value.tv_sec = 1000, .it_interval = {7, 500000}}, seen;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        must(set(kinds[i], &far, NULL));
        must(get(kinds[i], &seen));
        assert_true(seen.it_value.tv_sec <= 1000 && seen.it_value.tv_sec >= 900);
        assert_int_equal(seen.it_interval.tv_sec, 7);
        assert_int_equal(seen.it_interval.tv_usec, 500000);
        struct itimerval zero = {0}, old;
        must(set(kinds[i], &zero, &old));
        assert_true(old.it_value.tv_sec >= 900);
        must(get(kinds[i], &seen));
        assert_int_equal(seen.it_value.tv_sec, 0);
        assert_int_equal(seen.it_value.tv_usec, 0);
    }
}

/* covers: setitimer fork */
static void child_does_not_inherit(void **state)
{
    (void)state;
    struct itimerval far = {.it_value.tv_sec = 1000};

    must(set(ITIMER_REAL, &far, NULL));
    in_child(struct itimerval seen; must(get(ITIMER_REAL, &seen));
             assert_int_equal(seen.it_value.tv_sec, 0); assert_int_equal(seen.it_value.tv_usec, 0));
    disarm(ITIMER_REAL);
}

/* covers: setitimer */
static void unhandled_alarm_ends_the_process(void **state)
{
    (void)state;
    pid_t pid = child_fork();

    if (pid == 0) {
        struct itimerval soon = {.it_value.tv_usec = 1000};
        signal(SIGALRM, SIG_DFL);
        must(set(ITIMER_REAL, &soon, NULL));
        for (;;)
            pause();
    }
    assert_killed_by(child_wait(pid), SIGALRM);
}

/* covers: setitimer EINVAL getitimer EINVAL */
static void unknown_kind_is_refused(void **state)
{
    (void)state;
    struct itimerval value = {0};

    assert_errno(set(3, &value, NULL), EINVAL);
    assert_errno(set(-1, &value, NULL), EINVAL);
    assert_errno(get(3, &value), EINVAL);
}

/* covers: setitimer EINVAL */
static void microseconds_must_be_valid(void **state)
{
    (void)state;
    struct itimerval value = {.it_value.tv_usec = 1000000};

    assert_errno(set(ITIMER_REAL, &value, NULL), EINVAL);
    value = (struct itimerval){.it_value.tv_usec = -1};
    assert_errno(set(ITIMER_REAL, &value, NULL), EINVAL);
    value = (struct itimerval){.it_value.tv_sec = -1};
    assert_errno(set(ITIMER_REAL, &value, NULL), EINVAL);
}

/* covers: setitimer EFAULT getitimer EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    struct itimerval value = {0};

    assert_errno(set(ITIMER_REAL, BAD_PTR, NULL), EFAULT);
    assert_errno(set(ITIMER_REAL, &value, BAD_PTR), EFAULT);
    assert_errno(get(ITIMER_REAL, BAD_PTR), EFAULT);
}

/* covers: alarm NEVER_FAILS */
static void alarm_counts_seconds_and_tells_the_rest(void **state)
{
    (void)state;
    struct itimerval seen;

    assert_returns(syscall(SYS_alarm, 0), 0);
    assert_returns(syscall(SYS_alarm, 1000), 0);
    must(get(ITIMER_REAL, &seen)); /* the same timer */
    assert_true(seen.it_value.tv_sec >= 900 && seen.it_value.tv_sec <= 1000);
    assert_int_equal(seen.it_interval.tv_sec, 0);
    long left = syscall(SYS_alarm, 50);
    assert_true(left >= 900 && left <= 1000);
    left = syscall(SYS_alarm, 0);
    assert_true(left >= 40 && left <= 50);
    assert_returns(syscall(SYS_alarm, 0), 0);
}

/* covers: alarm */
static void alarm_sends_its_signal(void **state)
{
    (void)state;
    int64_t start = now_ms();

    catch_signal(SIGALRM, 0);
    must(syscall(SYS_alarm, 1));
    assert_eventually(caught[SIGALRM] == 1);
    assert_true(now_ms() - start >= 999);
    default_signal(SIGALRM);
}

/* covers: alarm NEVER_FAILS */
static void any_number_of_seconds_is_taken(void **state)
{
    (void)state;
    assert_returns(syscall(SYS_alarm, -1), 0);
    long left = syscall(SYS_alarm, 0);
    assert_true(left > 0x7fffff00 && left <= 0xffffffffL); /* as many as an unsigned int has */
    assert_returns(syscall(SYS_alarm, 1UL << 32), 0);
    assert_returns(syscall(SYS_alarm, 0), 0); /* the upper half of the register is ignored */
}

/* covers: alarm NEVER_FAILS setitimer ITIMER_REAL */
static void rest_is_rounded_but_never_to_nothing(void **state)
{
    (void)state;
    struct itimerval value = {.it_value = {.tv_usec = 400000}};

    must(set(ITIMER_REAL, &value, NULL));
    assert_returns(syscall(SYS_alarm, 0), 1);
    value.it_value = (struct timeval){.tv_sec = 100, .tv_usec = 900000};
    must(set(ITIMER_REAL, &value, NULL));
    assert_returns(syscall(SYS_alarm, 0), 101);
    value = (struct itimerval){.it_value = {.tv_sec = 100}, .it_interval = {.tv_sec = 7}};
    must(set(ITIMER_REAL, &value, NULL));
    long left = syscall(SYS_alarm, 200); /* and the interval is gone */
    assert_true(left >= 90 && left <= 100);
    must(get(ITIMER_REAL, &value));
    assert_int_equal(value.it_interval.tv_sec, 0);
    must(syscall(SYS_alarm, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_sends_its_signal),
        cmocka_unit_test(single_timer_is_disarmed_after_its_signal),
        cmocka_unit_test(interval_repeats),
        cmocka_unit_test(signal_does_not_come_too_early),
        cmocka_unit_test(remaining_time_and_interval_are_told),
        cmocka_unit_test(child_does_not_inherit),
        cmocka_unit_test(unhandled_alarm_ends_the_process),
        cmocka_unit_test(unknown_kind_is_refused),
        cmocka_unit_test(microseconds_must_be_valid),
        cmocka_unit_test(bad_addresses_fault),
        cmocka_unit_test(alarm_counts_seconds_and_tells_the_rest),
        cmocka_unit_test(alarm_sends_its_signal),
        cmocka_unit_test(any_number_of_seconds_is_taken),
        cmocka_unit_test(rest_is_rounded_but_never_to_nothing),
    };

    return cmocka_run_group_tests_name("time/setitimer", tests, NULL, NULL);
}
