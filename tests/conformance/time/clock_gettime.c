/* clock_gettime.c: the clocks: clock_gettime(2), clock_getres(2), gettimeofday(2), time(2). */
#include "../lib/check.h"

#include <sys/resource.h>
#include <sys/time.h>

/* By the call itself: clock_gettime() of the C library may be answered without one. */
static long get(clockid_t clock, struct timespec *ts)
{
    return syscall(SYS_clock_gettime, clock, ts);
}

static int64_t read_ns(clockid_t clock)
{
    struct timespec ts;

    must(get(clock, &ts));
    assert_true(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* Uses CPU time until the process has used so much more. */
static void burn(int64_t ns)
{
    int64_t end = read_ns(CLOCK_PROCESS_CPUTIME_ID) + ns;

    while (read_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
        continue;
}

static const clockid_t clocks[] = {
    CLOCK_REALTIME,          CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
    CLOCK_MONOTONIC_COARSE,  CLOCK_BOOTTIME,      CLOCK_TAI,
};

/* covers: clock_gettime CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID */
/* covers: clock_gettime CLOCK_THREAD_CPUTIME_ID CLOCK_MONOTONIC_RAW CLOCK_REALTIME_COARSE */
/* covers: clock_gettime CLOCK_MONOTONIC_COARSE CLOCK_BOOTTIME CLOCK_TAI clock_getres */
static void every_clock_can_be_read_and_has_a_resolution(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        struct timespec res;
        assert_true(read_ns(clocks[i]) > 0);
        must(syscall(SYS_clock_getres, clocks[i], &res));
        assert_int_equal(res.tv_sec, 0);
        assert_true(res.tv_nsec >= 1 && res.tv_nsec <= 10000000);
        must(syscall(SYS_clock_getres, clocks[i], NULL));
    }
}

/* covers: clock_gettime */
static void clocks_that_cannot_be_set_never_step_back(void **state)
{
    (void)state;
    static const clockid_t steady[] = {CLOCK_MONOTONIC,          CLOCK_MONOTONIC_RAW,
                                       CLOCK_BOOTTIME,           CLOCK_MONOTONIC_COARSE,
                                       CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};

    for (size_t i = 0; i < ARRAY_LEN(steady); i++) {
        int64_t last = read_ns(steady[i]);
        for (int n = 0; n < 2000; n++) {
            int64_t now = read_ns(steady[i]);
            assert_true(now >= last);
            last = now;
        }
    }
}

/* covers: clock_gettime */
static void call_and_c_library_agree(void **state)
{
    (void)state;
    static const clockid_t both[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};

    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        struct timespec lib;
        int64_t before = read_ns(both[i]);
        must(clock_gettime(both[i], &lib));
        int64_t after = read_ns(both[i]), between = lib.tv_sec * 1000000000ll + lib.tv_nsec;
        assert_true(before <= between && between <= after);
    }
}

/* covers: clock_gettime CLOCK_MONOTONIC CLOCK_REALTIME CLOCK_BOOTTIME */
static void monotonic_advances(void **state)
{
    (void)state;
    static const clockid_t running[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME,
                                        CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE};

    for (size_t i = 0; i < ARRAY_LEN(running); i++) {
        int64_t start = read_ns(running[i]);
        assert_eventually(read_ns(running[i]) > start);
    }
}

/* covers: clock_gettime CLOCK_MONOTONIC_COARSE CLOCK_REALTIME_COARSE */
static void coarse_clocks_lag_by_little(void **state)
{
    (void)state;
    int64_t coarse = read_ns(CLOCK_MONOTONIC_COARSE), fine = read_ns(CLOCK_MONOTONIC);
    assert_true(coarse <= fine);
    fine = read_ns(CLOCK_MONOTONIC);
    coarse = read_ns(CLOCK_MONOTONIC_COARSE);
    assert_true(fine - coarse < 1000000000);
    coarse = read_ns(CLOCK_REALTIME_COARSE);
    assert_true(coarse <= read_ns(CLOCK_REALTIME));
}

/* covers: clock_gettime CLOCK_BOOTTIME */
static void boottime_is_not_behind_monotonic(void **state)
{
    (void)state;
    int64_t monotonic = read_ns(CLOCK_MONOTONIC);

    assert_true(read_ns(CLOCK_BOOTTIME) >= monotonic);
}

/* covers: clock_gettime CLOCK_TAI */
static void tai_is_real_time_plus_whole_seconds(void **state)
{
    (void)state;
    int64_t before = read_ns(CLOCK_REALTIME), tai = read_ns(CLOCK_TAI);
    int64_t after = read_ns(CLOCK_REALTIME);
    int64_t leap = (tai - before + 500000000) / 1000000000;

    assert_in_range(leap, 0, 100);
    assert_true(tai - leap * 1000000000 >= before && tai - leap * 1000000000 <= after);
}

/* covers: clock_gettime CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID */
static void process_clock_counts_all_threads_and_thread_clock_its_own(void **state)
{
    (void)state;
    int64_t process = read_ns(CLOCK_PROCESS_CPUTIME_ID), thread = read_ns(CLOCK_THREAD_CPUTIME_ID);

    burn(5000000);
    assert_true(read_ns(CLOCK_PROCESS_CPUTIME_ID) - process >= 5000000);
    assert_true(read_ns(CLOCK_THREAD_CPUTIME_ID) > thread);
    thread = read_ns(CLOCK_THREAD_CPUTIME_ID);
    assert_true(thread <= read_ns(CLOCK_PROCESS_CPUTIME_ID));
}

/* covers: clock_gettime CLOCK_PROCESS_CPUTIME_ID */
static void cpu_clock_stands_still_in_sleep(void **state)
{
    (void)state;
    struct timespec ts = {.tv_nsec = 100000000};
    int64_t cpu = read_ns(CLOCK_PROCESS_CPUTIME_ID), wall = read_ns(CLOCK_MONOTONIC);

    must(nanosleep(&ts, NULL));
    cpu = read_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    wall = read_ns(CLOCK_MONOTONIC) - wall;
    assert_true(cpu < wall / 2);
}

/* covers: clock_gettime */
static void clock_of_another_process_can_be_read(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    pid_t pid = child_fork();

    if (pid == 0) {
        burn(5000000);
        gate_open(gate);
        for (;;)
            pause();
    }
    clockid_t clock;
    gate_wait_blocked(gate);
    assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
    assert_true(read_ns(clock) >= 5000000);
    child_kill(pid);
    struct timespec ts;
    assert_errno(get(clock, &ts), EINVAL);
}

/* covers: clock_gettime EINVAL clock_getres EINVAL */
static void unknown_clock_is_refused(void **state)
{
    (void)state;
    struct timespec ts;

    assert_errno(get(999, &ts), EINVAL);
    assert_errno(syscall(SYS_clock_getres, 999, &ts), EINVAL);
    assert_errno(get(10, &ts), EINVAL); /* a number that was given back */
}

/* covers: clock_gettime EFAULT clock_getres EFAULT gettimeofday EFAULT time EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    assert_errno(get(CLOCK_MONOTONIC, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_clock_getres, CLOCK_MONOTONIC, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_gettimeofday, BAD_PTR, NULL), EFAULT);
    assert_errno(syscall(SYS_time, BAD_PTR), EFAULT);
}

/* covers: gettimeofday */
static void gettimeofday_shows_real_time(void **state)
{
    (void)state;
    struct timeval tv;
    struct timezone tz = {77, 77};
    int64_t before = read_ns(CLOCK_REALTIME) / 1000;

    must(syscall(SYS_gettimeofday, &tv, &tz));
    int64_t now = tv.tv_sec * 1000000ll + tv.tv_usec;
    assert_true(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
    assert_true(before <= now && now <= read_ns(CLOCK_REALTIME) / 1000);
    assert_true(tz.tz_minuteswest != 77);
    must(syscall(SYS_gettimeofday, NULL, NULL));
    must(gettimeofday(&tv, NULL));
    assert_true(tv.tv_sec * 1000000ll + tv.tv_usec >= now);
}

/* covers: time */
static void time_shows_real_seconds(void **state)
{
    (void)state;
    time_t stored = 0;
    int64_t before = read_ns(CLOCK_REALTIME_COARSE) / 1000000000;
    long now = must(syscall(SYS_time, &stored));

    assert_int_equal(stored, now);
    assert_true(before <= now && now <= read_ns(CLOCK_REALTIME) / 1000000000);
    assert_true(must(syscall(SYS_time, NULL)) >= now);
    assert_true(time(NULL) >= now);
}

/* covers: clock_settime EPERM settimeofday EPERM */
static void setting_a_clock_needs_the_right(void **state)
{
    (void)state;
    as_nobody(struct timespec ts; struct timeval tv; must(get(CLOCK_REALTIME, &ts));
              assert_errno(syscall(SYS_clock_settime, CLOCK_REALTIME, &ts), EPERM);
              must(gettimeofday(&tv, NULL));
              assert_errno(syscall(SYS_settimeofday, &tv, NULL), EPERM));
}

/* covers: clock_settime EINVAL */
static void clocks_that_cannot_be_set_refuse(void **state)
{
    (void)state;
    struct timespec ts = {.tv_sec = 1};

    assert_errno(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &ts), EINVAL);
    assert_errno(syscall(SYS_clock_settime, CLOCK_BOOTTIME, &ts), EINVAL);
    assert_errno(syscall(SYS_clock_settime, 999, &ts), EINVAL);
    assert_errno(syscall(SYS_clock_settime, CLOCK_REALTIME, BAD_PTR), EFAULT);
    ts = (struct timespec){.tv_sec = 1, .tv_nsec = 1000000000};
    assert_errno(syscall(SYS_clock_settime, CLOCK_REALTIME, &ts), EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_clock_can_be_read_and_has_a_resolution),
        cmocka_unit_test(clocks_that_cannot_be_set_never_step_back),
        cmocka_unit_test(call_and_c_library_agree),
        cmocka_unit_test(monotonic_advances),
        cmocka_unit_test(coarse_clocks_lag_by_little),
        cmocka_unit_test(boottime_is_not_behind_monotonic),
        cmocka_unit_test(tai_is_real_time_plus_whole_seconds),
        cmocka_unit_test(process_clock_counts_all_threads_and_thread_clock_its_own),
        cmocka_unit_test(cpu_clock_stands_still_in_sleep),
        cmocka_unit_test(clock_of_another_process_can_be_read),
        cmocka_unit_test(unknown_clock_is_refused),
        cmocka_unit_test(bad_address_faults),
        cmocka_unit_test(gettimeofday_shows_real_time),
        cmocka_unit_test(time_shows_real_seconds),
        cmocka_unit_test(setting_a_clock_needs_the_right),
        cmocka_unit_test(clocks_that_cannot_be_set_refuse),
    };

    return cmocka_run_group_tests_name("time/clock_gettime", tests, NULL, NULL);
}
