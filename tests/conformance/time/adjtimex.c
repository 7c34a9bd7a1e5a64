/* adjtimex.c: adjtimex(2) and clock_adjtime(2), as far as they only tell. */
#include "../lib/check.h"

#include <sys/timex.h>

/* covers: adjtimex clock_adjtime */
static void state_is_told_without_privileges(void **state)
{
    (void)state;
    as_nobody(struct timex tx = {.modes = 0}; long clock_state = must(syscall(SYS_adjtimex, &tx));
              assert_in_range(clock_state, TIME_OK, TIME_ERROR);
              assert_true(tx.tick >= 9000 && tx.tick <= 11000); tx = (struct timex){.modes = 0};
              assert_in_range(must(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &tx)), TIME_OK,
                              TIME_ERROR));
}

/* covers: adjtimex */
static void time_told_is_the_real_time(void **state)
{
    (void)state;
    struct timex tx = {.modes = 0};
    struct timespec before, after;

    must(clock_gettime(CLOCK_REALTIME_COARSE, &before));
    must(syscall(SYS_adjtimex, &tx));
    must(clock_gettime(CLOCK_REALTIME, &after));
    assert_true(tx.time.tv_sec >= before.tv_sec - 1 && tx.time.tv_sec <= after.tv_sec + 1);
}

/* covers: adjtimex */
static void offset_to_atomic_time_is_that_of_the_clock(void **state)
{
    (void)state;
    struct timex tx = {.modes = 0};
    struct timespec real, tai;

    must(syscall(SYS_adjtimex, &tx));
    must(clock_gettime(CLOCK_REALTIME, &real));
    must(clock_gettime(CLOCK_TAI, &tai));
    assert_true(labs(tai.tv_sec - real.tv_sec - tx.tai) <= 1);
}

/* covers: clock_adjtime EINVAL EOPNOTSUPP */
static void other_clocks_are_refused(void **state)
{
    (void)state;
    struct timex tx = {.modes = 0};

    assert_errno(syscall(SYS_clock_adjtime, 999, &tx), EINVAL);
    assert_errno(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &tx), EOPNOTSUPP);
}

/* covers: adjtimex EFAULT clock_adjtime EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_adjtimex, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_clock_adjtime, CLOCK_REALTIME, BAD_PTR), EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_is_told_without_privileges),
        cmocka_unit_test(time_told_is_the_real_time),
        cmocka_unit_test(offset_to_atomic_time_is_that_of_the_clock),
        cmocka_unit_test(other_clocks_are_refused),
        cmocka_unit_test(bad_address_faults),
    };

    return cmocka_run_group_tests_name("time/adjtimex", tests, NULL, NULL);
}
