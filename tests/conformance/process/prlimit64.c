/* prlimit64.c: prlimit64(2), getrlimit(2), setrlimit(2), getrusage(2), times(2). */
#include "../lib/child.h"

#include <sys/resource.h>
#include <sys/times.h>

static long limit(pid_t pid, int which, const struct rlimit *set, struct rlimit *old)
{
    return SYS(SYS_prlimit64, pid, which, set, old);
}

/* covers: prlimit64 getrlimit */
static void both_calls_read_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit one = {1, 2}, two = {3, 4};

        need_eq(limit(0, i, NULL, &one), 0);
        need_eq(SYS(SYS_getrlimit, i, &two), 0);
        need(one.rlim_cur == two.rlim_cur && one.rlim_max == two.rlim_max);
        need(one.rlim_cur <= one.rlim_max);
    }
}

static int set_and_read(void *arg)
{
    struct rlimit set = {30, 40}, old, now;

    (void)arg;
    need_eq(SYS(SYS_setrlimit, RLIMIT_NOFILE, &set), 0);
    need_eq(SYS(SYS_getrlimit, RLIMIT_NOFILE, &now), 0);
    need(now.rlim_cur == 30 && now.rlim_max == 40);
    set.rlim_cur = 40;
    need_eq(limit(0, RLIMIT_NOFILE, &set, &old), 0);
    need(old.rlim_cur == 30 && old.rlim_max == 40);
    need_eq(limit(getpid(), RLIMIT_NOFILE, NULL, &now), 0);
    need(now.rlim_cur == 40 && now.rlim_max == 40);
    return 0;
}

/* covers: prlimit64 setrlimit getrlimit */
static void limit_is_set_and_the_old_one_returned(void **state)
{
    (void)state;
    child_passes(set_and_read, NULL);
}

/* covers: prlimit64 EINVAL setrlimit EINVAL */
static void soft_above_hard_or_unknown_resource_is_einval(void **state)
{
    struct rlimit wrong = {50, 40}, old;

    (void)state;
    need_eq(SYS(SYS_setrlimit, RLIMIT_NOFILE, &wrong), -EINVAL);
    need_eq(limit(0, RLIMIT_NOFILE, &wrong, NULL), -EINVAL);
    need_eq(SYS(SYS_getrlimit, RLIM_NLIMITS, &old), -EINVAL);
    need_eq(limit(0, 99, NULL, &old), -EINVAL);
    need_eq(SYS(SYS_setrlimit, -1, &wrong), -EINVAL);
}

/* covers: prlimit64 EFAULT setrlimit EFAULT getrlimit EFAULT */
static void bad_pointers_are_efault(void **state)
{
    (void)state;
    need_eq(SYS(SYS_setrlimit, RLIMIT_NOFILE, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_getrlimit, RLIMIT_NOFILE, BAD_PTR), -EFAULT);
    need_eq(limit(0, RLIMIT_NOFILE, BAD_PTR, NULL), -EFAULT);
    need_eq(limit(0, RLIMIT_NOFILE, NULL, BAD_PTR), -EFAULT);
}

static int raise_hard(void *arg)
{
    struct rlimit set = {30, 30};

    (void)arg;
    drop_privileges();
    need_eq(SYS(SYS_setrlimit, RLIMIT_NOFILE, &set), 0);
    set.rlim_max = 31;
    need_eq(SYS(SYS_setrlimit, RLIMIT_NOFILE, &set), -EPERM);
    set.rlim_max = RLIM_INFINITY;
    need_eq(limit(0, RLIMIT_FSIZE, &(struct rlimit){100, 100}, NULL), 0);
    need_eq(limit(0, RLIMIT_FSIZE, &set, NULL), -EPERM);
    return 0;
}

/* covers: prlimit64 EPERM setrlimit EPERM */
static void raising_the_hard_limit_without_privilege_is_eperm(void **state)
{
    (void)state;
    child_passes(raise_hard, NULL);
}

/* covers: prlimit64 */
static void limit_of_a_child_can_be_set(void **state)
{
    struct rlimit now;
    pid_t pid = child_start(sleep_forever, NULL);

    (void)state;
    need_eq(limit(pid, RLIMIT_NOFILE, &(struct rlimit){17, 18}, NULL), 0);
    need_eq(limit(pid, RLIMIT_NOFILE, NULL, &now), 0);
    need(now.rlim_cur == 17 && now.rlim_max == 18);
    need_eq(SYS(SYS_getrlimit, RLIMIT_NOFILE, &now), 0);
    need(now.rlim_cur != 17);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

/* covers: prlimit64 ESRCH */
static void missing_process_is_esrch(void **state)
{
    struct rlimit now;

    (void)state;
    need_eq(limit(0x3ffffffe, RLIMIT_NOFILE, NULL, &now), -ESRCH);
    need_eq(limit(-1, RLIMIT_NOFILE, NULL, &now), -ESRCH);
}

static int look_at_root(void *arg)
{
    struct rlimit now;

    drop_privileges();
    need_eq(limit(*(pid_t *)arg, RLIMIT_NOFILE, NULL, &now), -EPERM);
    return 0;
}

/* covers: prlimit64 EPERM */
static void process_of_another_user_is_eperm(void **state)
{
    pid_t self = getpid();

    (void)state;
    need_root();
    child_passes(look_at_root, &self);
}

static int few_files(void *arg)
{
    int fd;

    (void)arg;
    need_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){10, 10}), 0);
    for (fd = 0; fd < 20; fd++) {
        if (dup(0) < 0) {
            break;
        }
    }
    need(fd < 10);
    need_eq(errno, EMFILE);
    need_errno(dup2(0, 10), EBADF);
    need_errno(fcntl(0, F_DUPFD, 10), EINVAL);
    return 0;
}

/* covers: setrlimit RLIMIT_NOFILE dup EMFILE dup2 EBADF fcntl EINVAL */
static void limit_of_descriptors_is_kept(void **state)
{
    (void)state;
    child_passes(few_files, NULL);
}

static int small_files(void *arg)
{
    int fd = memfd_create("limited", MFD_CLOEXEC);
    char block[100] = {0};

    need(fd >= 0);
    need_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){150, 150}), 0);
    if (arg) {
        signal(SIGXFSZ, SIG_IGN);
    }
    need_eq(write(fd, block, 100), 100);
    need_eq(write(fd, block, 100), 50);
    need_errno(write(fd, block, 100), EFBIG);
    need_errno(ftruncate(fd, 200), EFBIG);
    return 0;
}

/* covers: setrlimit RLIMIT_FSIZE write EFBIG ftruncate EFBIG */
static void file_beyond_the_size_limit_is_efbig_or_kills_by_sigxfsz(void **state)
{
    (void)state;
    child_passes(small_files, (void *)1);
    need_eq(child_status(small_files, NULL) & 0x7f, SIGXFSZ);
}

static int little_time(void *arg)
{
    volatile unsigned long spin = 0;

    (void)arg;
    need_eq(setrlimit(RLIMIT_CPU, &(struct rlimit){1, 3}), 0);
    for (;;) {
        spin++;
    }
    return 0;
}

/* covers: setrlimit */
static void cpu_time_beyond_the_limit_kills_by_sigxcpu(void **state)
{
    (void)state;
    need_eq(child_status(little_time, NULL) & 0x7f, SIGXCPU);
}

/* covers: getrusage RUSAGE_SELF RUSAGE_THREAD RUSAGE_CHILDREN */
static void rusage_of_self_thread_and_children(void **state)
{
    static const int kinds[] = {RUSAGE_SELF, RUSAGE_THREAD, RUSAGE_CHILDREN};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct rusage usage;

        memset(&usage, 0xff, sizeof usage);
        need_eq(SYS(SYS_getrusage, kinds[i], &usage), 0);
        need(usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_usec < 1000000);
        need(usage.ru_stime.tv_sec >= 0 && usage.ru_minflt >= 0);
        need_eq(usage.ru_nswap, 0);
    }
    struct rusage self;
    need_eq(getrusage(RUSAGE_SELF, &self), 0);
    need(self.ru_maxrss > 100);
}

/* covers: getrusage EINVAL */
static void rusage_of_an_unknown_kind_is_einval(void **state)
{
    struct rusage usage;

    (void)state;
    need_eq(SYS(SYS_getrusage, 5, &usage), -EINVAL);
    need_eq(SYS(SYS_getrusage, -3, &usage), -EINVAL);
}

static int count_times(void *arg)
{
    struct tms now;
    volatile unsigned long spin = 0;
    long first = SYS(SYS_times, &now), later;

    (void)arg;
    need(now.tms_cutime == 0 && now.tms_cstime == 0);
    do {
        for (int i = 0; i < 1000000; i++) {
            spin++;
        }
        later = SYS(SYS_times, &now);
    } while (now.tms_utime < 3);
    need(later - first >= 2);
    need(SYS(SYS_times, NULL) >= later);
    return 0;
}

static int times_of_children(void *arg)
{
    struct tms now;

    (void)arg;
    need_eq(child_status(count_times, NULL), 0);
    need(SYS(SYS_times, &now) != -1);
    need(now.tms_cutime >= 3);
    return 0;
}

/* covers: times */
static void times_counts_ticks_of_self_and_reaped_children(void **state)
{
    (void)state;
    child_passes(count_times, NULL);
    child_passes(times_of_children, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_calls_read_the_same),
        cmocka_unit_test(limit_is_set_and_the_old_one_returned),
        cmocka_unit_test(soft_above_hard_or_unknown_resource_is_einval),
        cmocka_unit_test(bad_pointers_are_efault),
        cmocka_unit_test(raising_the_hard_limit_without_privilege_is_eperm),
        cmocka_unit_test(limit_of_a_child_can_be_set),
        cmocka_unit_test(missing_process_is_esrch),
        cmocka_unit_test(process_of_another_user_is_eperm),
        cmocka_unit_test(limit_of_descriptors_is_kept),
        cmocka_unit_test(file_beyond_the_size_limit_is_efbig_or_kills_by_sigxfsz),
        cmocka_unit_test(cpu_time_beyond_the_limit_kills_by_sigxcpu),
        cmocka_unit_test(rusage_of_self_thread_and_children),
        cmocka_unit_test(rusage_of_an_unknown_kind_is_einval),
        cmocka_unit_test(times_counts_ticks_of_self_and_reaped_children),
    };

    return cmocka_run_group_tests_name("process/prlimit64", tests, NULL, NULL);
}
