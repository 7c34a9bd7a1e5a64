/* times.c: times(2), getrusage(2) and what clock(3) rests on: the time that processes use. */
#include "../lib/check.h"

#include <sys/resource.h>
#include <sys/times.h>

static int64_t cpu_ns(void)
{
    struct timespec ts;

    must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts));
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int64_t usec(struct timeval tv)
{
    return tv.tv_sec * 1000000ll + tv.tv_usec;
}

static void burn(int64_t ns)
{
    int64_t end = cpu_ns() + ns;

    while (cpu_ns() < end)
        continue;
}

/* covers: times */
static void ticks_grow_with_use_and_with_time(void **state)
{
    (void)state;
    struct tms before, after;
    long start = must(syscall(SYS_times, &before));

    burn(60000000);
    long end = must(syscall(SYS_times, &after));
    assert_true(end - start >= 5); /* 100 a second */
    assert_true(after.tms_utime + after.tms_stime - before.tms_utime - before.tms_stime >= 4);
}

/* covers: times wait4 */
static void children_count_when_they_were_waited_for(void **state)
{
    (void)state;
    struct tms before, during, after;

    must(syscall(SYS_times, &before));
    struct gate *gate = gate_new();
    pid_t pid = child_fork();
    if (pid == 0) {
        burn(60000000);
        gate_open(gate);
        _exit(0);
    }
    gate_wait(gate);
    must(syscall(SYS_times, &during));
    assert_int_equal(during.tms_cutime + during.tms_cstime, before.tms_cutime + before.tms_cstime);
    assert_child_ok(pid);
    must(syscall(SYS_times, &after));
    assert_true(after.tms_cutime + after.tms_cstime - before.tms_cutime - before.tms_cstime >= 4);
}

/* covers: times */
static void null_gives_the_ticks_alone(void **state)
{
    (void)state;
    assert_true(must(syscall(SYS_times, NULL)) > 0);
}

/* covers: times EFAULT getrusage EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_times, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_getrusage, RUSAGE_SELF, BAD_PTR), EFAULT);
}

/* covers: getrusage RUSAGE_SELF */
static void usage_of_self_grows(void **state)
{
    (void)state;
    struct rusage before, after;

    must(getrusage(RUSAGE_SELF, &before));
    burn(30000000);
    must(getrusage(RUSAGE_SELF, &after));
    int64_t used =
        usec(after.ru_utime) + usec(after.ru_stime) - usec(before.ru_utime) - usec(before.ru_stime);
    assert_true(used >= 20000);
    assert_true(after.ru_utime.tv_usec < 1000000 && after.ru_stime.tv_usec < 1000000);
}

/* covers: getrusage RUSAGE_THREAD RUSAGE_SELF */
static void usage_of_one_thread_is_at_most_that_of_the_process(void **state)
{
    (void)state;
    struct rusage thread, process;

    burn(10000000);
    must(getrusage(RUSAGE_THREAD, &thread));
    must(getrusage(RUSAGE_SELF, &process));
    assert_true(usec(thread.ru_utime) + usec(thread.ru_stime) > 0);
    assert_true(usec(thread.ru_utime) + usec(thread.ru_stime) <=
                usec(process.ru_utime) + usec(process.ru_stime));
}

/* covers: getrusage RUSAGE_CHILDREN */
static void usage_of_children_counts_those_waited_for(void **state)
{
    (void)state;
    struct rusage before, after;

    must(getrusage(RUSAGE_CHILDREN, &before));
    in_child(burn(30000000));
    must(getrusage(RUSAGE_CHILDREN, &after));
    assert_true(usec(after.ru_utime) + usec(after.ru_stime) - usec(before.ru_utime) -
                    usec(before.ru_stime) >=
                20000);
    assert_true(after.ru_maxrss > 0);
}

/* covers: getrusage */
static void largest_size_follows_what_is_touched(void **state)
{
    (void)state;
    in_child(struct rusage before; struct rusage after; size_t size = 32 << 20;
             must(getrusage(RUSAGE_SELF, &before)); char *memory = malloc(size);
             assert_non_null(memory); memset(memory, 1, size); must(getrusage(RUSAGE_SELF, &after));
             assert_true(after.ru_maxrss - before.ru_maxrss >= 30 << 10));
}

/* covers: getrusage */
static void faults_are_counted(void **state)
{
    (void)state;
    struct rusage before, after;
    size_t pages = 200;

    must(getrusage(RUSAGE_SELF, &before));
    volatile char *memory =
        mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    for (size_t i = 0; i < pages; i++)
        memory[i * 4096] = 1;
    must(getrusage(RUSAGE_SELF, &after));
    assert_true(after.ru_minflt > before.ru_minflt);
    must(munmap((void *)memory, pages * 4096));
}

/* covers: getrusage */
static void sleeping_is_a_voluntary_switch(void **state)
{
    (void)state;
    struct rusage before, after;

    must(getrusage(RUSAGE_SELF, &before));
    for (int i = 0; i < 5; i++)
        nap();
    must(getrusage(RUSAGE_SELF, &after));
    assert_true(after.ru_nvcsw - before.ru_nvcsw >= 5);
}

/* covers: getrusage EINVAL */
static void unknown_subject_is_refused(void **state)
{
    (void)state;
    struct rusage usage;

    assert_errno(getrusage(77, &usage), EINVAL);
    assert_errno(getrusage(-2, &usage), EINVAL);
}

/* covers: wait4 */
static void wait4_reports_the_usage_of_the_child(void **state)
{
    (void)state;
    struct rusage usage;
    int status;
    pid_t pid = child_fork();

    if (pid == 0) {
        burn(30000000);
        _exit(0);
    }
    assert_returns(wait4(pid, &status, 0, &usage), pid);
    assert_exited(status, 0);
    assert_true(usec(usage.ru_utime) + usec(usage.ru_stime) >= 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_grow_with_use_and_with_time),
        cmocka_unit_test(children_count_when_they_were_waited_for),
        cmocka_unit_test(null_gives_the_ticks_alone),
        cmocka_unit_test(bad_addresses_fault),
        cmocka_unit_test(usage_of_self_grows),
        cmocka_unit_test(usage_of_one_thread_is_at_most_that_of_the_process),
        cmocka_unit_test(usage_of_children_counts_those_waited_for),
        cmocka_unit_test(largest_size_follows_what_is_touched),
        cmocka_unit_test(faults_are_counted),
        cmocka_unit_test(sleeping_is_a_voluntary_switch),
        cmocka_unit_test(unknown_subject_is_refused),
        cmocka_unit_test(wait4_reports_the_usage_of_the_child),
    };

    return cmocka_run_group_tests_name("time/times", tests, NULL, NULL);
}
