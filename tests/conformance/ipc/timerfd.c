/* timerfd.c: timerfd_create(2), timerfd_settime(2) and timerfd_gettime(2). */
#include "../lib/check.h"

#include <poll.h>
#include <sys/timerfd.h>

enum { MS = 1000000, SECOND = 1000000000 };

static int new_timer(int clock, int flags)
{
    return (int)must(syscall(SYS_timerfd_create, clock, flags));
}

static struct itimerspec spec(int64_t value_ns, int64_t interval_ns)
{
    return (struct itimerspec){
        .it_value = {value_ns / SECOND, value_ns % SECOND},
        .it_interval = {interval_ns / SECOND, interval_ns % SECOND},
    };
}

static void arm(int fd, int64_t value_ns, int64_t interval_ns)
{
    struct itimerspec its = spec(value_ns, interval_ns);

    must(timerfd_settime(fd, 0, &its, NULL));
}

static uint64_t expirations(int fd)
{
    uint64_t n = 0;

    assert_returns(read(fd, &n, sizeof n), sizeof n);
    return n;
}

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return must(poll(&p, 1, 0)) == 1 && p.revents == POLLIN;
}

/* covers: timerfd_create TFD_CLOEXEC TFD_NONBLOCK */
static void flags_are_set_when_asked(void **state)
{
    (void)state;
    uint64_t n;
    int a = new_timer(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    int b = new_timer(CLOCK_MONOTONIC, 0);

    assert_returns(fcntl(a, F_GETFD), FD_CLOEXEC);
    assert_returns(fcntl(a, F_GETFL), O_RDWR | O_NONBLOCK);
    assert_returns(fcntl(b, F_GETFD), 0);
    assert_errno(read(a, &n, sizeof n), EAGAIN);
    must(close(a));
    must(close(b));
}

/* covers: timerfd_create EINVAL */
static void clocks_that_are_known(void **state)
{
    (void)state;
    must(close(new_timer(CLOCK_REALTIME, 0)));
    must(close(new_timer(CLOCK_MONOTONIC, 0)));
    must(close(new_timer(CLOCK_BOOTTIME, 0)));
    assert_errno(syscall(SYS_timerfd_create, CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
    assert_errno(syscall(SYS_timerfd_create, CLOCK_MONOTONIC_RAW, 0), EINVAL);
    assert_errno(syscall(SYS_timerfd_create, 999, 0), EINVAL);
    assert_errno(syscall(SYS_timerfd_create, -1, 0), EINVAL);
}

/* covers: timerfd_create EPERM */
static void alarm_clocks_need_the_right(void **state)
{
    (void)state;
    as_nobody(assert_errno(syscall(SYS_timerfd_create, CLOCK_BOOTTIME_ALARM, 0), EPERM);
              assert_errno(syscall(SYS_timerfd_create, CLOCK_REALTIME_ALARM, 0), EPERM));
}

/* covers: timerfd_create EINVAL timerfd_settime EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    struct itimerspec its = spec(SECOND, 0);
    int fd = new_timer(CLOCK_MONOTONIC, 0);

    assert_errno(syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 1), EINVAL);
    assert_errno(timerfd_settime(fd, 0x80, &its, NULL), EINVAL);
    must(close(fd));
}

/* covers: timerfd_settime read */
static void read_waits_for_the_expiry(void **state)
{
    (void)state;
    int fd = new_timer(CLOCK_MONOTONIC, 0);
    int64_t start = now_ns();

    arm(fd, 20 * MS, 0);
    assert_int_equal(expirations(fd), 1);
    assert_true(now_ns() - start >= 20 * MS);
    must(close(fd));
}

/* covers: timerfd_settime read EAGAIN */
static void single_timer_expires_once(void **state)
{
    (void)state;
    uint64_t n;
    int fd = new_timer(CLOCK_MONOTONIC, TFD_NONBLOCK);

    arm(fd, 1, 0);
    assert_eventually(readable(fd));
    assert_int_equal(expirations(fd), 1);
    assert_errno(read(fd, &n, sizeof n), EAGAIN);
    struct itimerspec left;
    must(timerfd_gettime(fd, &left));
    assert_int_equal(left.it_value.tv_sec, 0);
    assert_int_equal(left.it_value.tv_nsec, 0);
    must(close(fd));
}

/* covers: timerfd_settime read */
static void repeating_timer_counts_what_was_not_read(void **state)
{
    (void)state;
    int fd = new_timer(CLOCK_MONOTONIC, 0);
    int64_t start = now_ns();

    arm(fd, MS, MS);
    assert_eventually(now_ns() - start > 20 * MS);
    uint64_t n = expirations(fd);
    int64_t passed = now_ns() - start;
    assert_true(n >= 19);
    assert_true((int64_t)n <= passed / MS);
    must(close(fd));
}

/* covers: timerfd_settime */
static void zero_disarms(void **state)
{
    (void)state;
    struct itimerspec left;
    int fd = new_timer(CLOCK_MONOTONIC, TFD_NONBLOCK);

    arm(fd, 1000ll * SECOND, 5ll * SECOND);
    arm(fd, 0, 5ll * SECOND);
    must(timerfd_gettime(fd, &left));
    assert_int_equal(left.it_value.tv_sec, 0);
    assert_int_equal(left.it_value.tv_nsec, 0);
    assert_false(readable(fd));
    must(close(fd));
}

/* covers: timerfd_settime */
static void setting_forgets_expirations_that_were_not_read(void **state)
{
    (void)state;
    int fd = new_timer(CLOCK_MONOTONIC, TFD_NONBLOCK);

    arm(fd, 1, 0);
    assert_eventually(readable(fd));
    arm(fd, 1000ll * SECOND, 0);
    assert_false(readable(fd));
    must(close(fd));
}

/* covers: timerfd_gettime */
static void remaining_time_and_interval_are_told(void **state)
{
    (void)state;
    struct itimerspec left;
    int fd = new_timer(CLOCK_MONOTONIC, 0);

    arm(fd, 100ll * SECOND, 7ll * SECOND + 5);
    must(timerfd_gettime(fd, &left));
    assert_true(left.it_value.tv_sec <= 100 && left.it_value.tv_sec >= 50);
    assert_int_equal(left.it_interval.tv_sec, 7);
    assert_int_equal(left.it_interval.tv_nsec, 5);
    must(close(fd));
}

/* covers: timerfd_settime */
static void former_setting_is_handed_back(void **state)
{
    (void)state;
    struct itimerspec its = spec(SECOND, 0), old;
    int fd = new_timer(CLOCK_MONOTONIC, 0);

    arm(fd, 100ll * SECOND, 3ll * SECOND);
    must(timerfd_settime(fd, 0, &its, &old));
    assert_true(old.it_value.tv_sec <= 100 && old.it_value.tv_sec >= 50);
    assert_int_equal(old.it_interval.tv_sec, 3);
    must(close(fd));
}

/* covers: timerfd_settime TFD_TIMER_ABSTIME */
static void absolute_time_in_the_past_expires_at_once(void **state)
{
    (void)state;
    struct itimerspec its = spec(1, 0);
    int fd = new_timer(CLOCK_MONOTONIC, 0);

    must(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
    assert_int_equal(expirations(fd), 1);
    must(close(fd));
}

/* covers: timerfd_settime TFD_TIMER_ABSTIME */
static void absolute_time_is_met(void **state)
{
    (void)state;
    struct timespec now;
    int fd = new_timer(CLOCK_REALTIME, 0);

    clock_gettime(CLOCK_REALTIME, &now);
    int64_t target = now.tv_sec * (int64_t)SECOND + now.tv_nsec + 20 * MS;
    struct itimerspec its = spec(target, 0);
    must(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
    assert_int_equal(expirations(fd), 1);
    clock_gettime(CLOCK_REALTIME, &now);
    assert_true(now.tv_sec * (int64_t)SECOND + now.tv_nsec >= target);
    must(close(fd));
}

/* covers: timerfd_settime TFD_TIMER_CANCEL_ON_SET */
static void cancel_flag_is_taken_for_absolute_real_time(void **state)
{
    (void)state;
    struct itimerspec its = spec(1, 0);
    int fd = new_timer(CLOCK_REALTIME, 0);

    must(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL));
    assert_int_equal(expirations(fd), 1);
    must(close(fd));
}

/* covers: timerfd_settime EINVAL */
static void times_must_be_valid(void **state)
{
    (void)state;
    struct itimerspec its = {.it_value.tv_nsec = SECOND};
    int fd = new_timer(CLOCK_MONOTONIC, 0);

    assert_errno(timerfd_settime(fd, 0, &its, NULL), EINVAL);
    its = (struct itimerspec){.it_value.tv_sec = -1};
    assert_errno(timerfd_settime(fd, 0, &its, NULL), EINVAL);
    its = (struct itimerspec){.it_value.tv_sec = 1, .it_interval.tv_nsec = -1};
    assert_errno(timerfd_settime(fd, 0, &its, NULL), EINVAL);
    must(close(fd));
}

/* covers: read EINVAL */
static void short_read_is_refused(void **state)
{
    (void)state;
    uint64_t n;
    int fd = new_timer(CLOCK_MONOTONIC, 0);

    arm(fd, 1, 0);
    assert_eventually(readable(fd));
    assert_errno(read(fd, &n, 7), EINVAL);
    assert_int_equal(expirations(fd), 1);
    must(close(fd));
}

/* covers: timerfd_settime EBADF EINVAL timerfd_gettime EBADF EINVAL */
static void other_descriptors_are_refused(void **state)
{
    (void)state;
    struct itimerspec its = spec(SECOND, 0);
    int fd = must(open("/dev/null", O_RDWR));

    assert_errno(timerfd_settime(-1, 0, &its, NULL), EBADF);
    assert_errno(timerfd_gettime(-1, &its), EBADF);
    assert_errno(timerfd_settime(fd, 0, &its, NULL), EINVAL);
    assert_errno(timerfd_gettime(fd, &its), EINVAL);
    must(close(fd));
}

/* covers: timerfd_settime EFAULT timerfd_gettime EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    struct itimerspec its = spec(SECOND, 0);
    int fd = new_timer(CLOCK_MONOTONIC, 0);

    assert_errno(syscall(SYS_timerfd_settime, fd, 0, BAD_PTR, NULL), EFAULT);
    assert_errno(syscall(SYS_timerfd_settime, fd, 0, &its, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_timerfd_gettime, fd, BAD_PTR), EFAULT);
    must(close(fd));
}

/* covers: write EINVAL */
static void write_is_refused(void **state)
{
    (void)state;
    uint64_t n = 1;
    int fd = new_timer(CLOCK_MONOTONIC, 0);

    assert_errno(write(fd, &n, sizeof n), EINVAL);
    must(close(fd));
}

/* covers: read EINTR */
static void waiting_read_is_interrupted(void **state)
{
    (void)state;
    uint64_t n;
    int fd = new_timer(CLOCK_MONOTONIC, 0);

    interrupts_start(0);
    assert_errno(read(fd, &n, sizeof n), EINTR);
    interrupts_stop();
    must(close(fd));
}

/* covers: timerfd_settime */
static void child_shares_the_timer(void **state)
{
    (void)state;
    int fd = new_timer(CLOCK_MONOTONIC, 0);

    in_child(arm(fd, MS, 0));
    assert_int_equal(expirations(fd), 1);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_set_when_asked),
        cmocka_unit_test(clocks_that_are_known),
        cmocka_unit_test(alarm_clocks_need_the_right),
        cmocka_unit_test(unknown_flag_is_refused),
        cmocka_unit_test(read_waits_for_the_expiry),
        cmocka_unit_test(single_timer_expires_once),
        cmocka_unit_test(repeating_timer_counts_what_was_not_read),
        cmocka_unit_test(zero_disarms),
        cmocka_unit_test(setting_forgets_expirations_that_were_not_read),
        cmocka_unit_test(remaining_time_and_interval_are_told),
        cmocka_unit_test(former_setting_is_handed_back),
        cmocka_unit_test(absolute_time_in_the_past_expires_at_once),
        cmocka_unit_test(absolute_time_is_met),
        cmocka_unit_test(cancel_flag_is_taken_for_absolute_real_time),
        cmocka_unit_test(times_must_be_valid),
        cmocka_unit_test(short_read_is_refused),
        cmocka_unit_test(other_descriptors_are_refused),
        cmocka_unit_test(bad_addresses_fault),
        cmocka_unit_test(write_is_refused),
        cmocka_unit_test(waiting_read_is_interrupted),
        cmocka_unit_test(child_shares_the_timer),
    };

    return cmocka_run_group_tests_name("ipc/timerfd", tests, NULL, NULL);
}
