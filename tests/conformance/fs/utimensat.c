/* utimensat.c: utimensat(2) and the older utime(2), utimes(2) and futimesat(2). */
#include "../lib/check.h"

#include <sys/time.h>
#include <utime.h>

static long do_utimensat(int dir, const char *path, const struct timespec *times, int flags)
{
    return syscall(SYS_utimensat, dir, path, times, flags);
}

static struct stat lstat_of(const char *path)
{
    struct stat st;

    must(lstat(path, &st));
    return st;
}

static const struct timespec some[2] = {{1000, 123456789}, {2000, 987654321}};

/* covers: utimensat */
static void both_times_are_set_to_the_nanosecond(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(do_utimensat(AT_FDCWD, "f", some, 0));
    struct stat st = lstat_of("f");
    assert_int_equal(st.st_atim.tv_sec, 1000);
    assert_int_equal(st.st_atim.tv_nsec, 123456789);
    assert_int_equal(st.st_mtim.tv_sec, 2000);
    assert_int_equal(st.st_mtim.tv_nsec, 987654321);
}

/* covers: utimensat */
static void change_time_becomes_now(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(do_utimensat(AT_FDCWD, "f", some, 0));
    assert_true(lstat_of("f").st_ctim.tv_sec > 1000000000);
}

/* covers: utimensat */
static void null_means_now(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(do_utimensat(AT_FDCWD, "f", some, 0));
    must(do_utimensat(AT_FDCWD, "f", NULL, 0));
    struct stat st = lstat_of("f");
    assert_true(st.st_atim.tv_sec > 1000000000);
    assert_true(st.st_mtim.tv_sec > 1000000000);
}

/* covers: utimensat UTIME_NOW */
static void utime_now_sets_one_to_now(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = 5}};

    make_file("f", NULL);
    must(do_utimensat(AT_FDCWD, "f", some, 0));
    must(do_utimensat(AT_FDCWD, "f", times, 0));
    assert_true(lstat_of("f").st_atim.tv_sec > 1000000000);
    assert_int_equal(lstat_of("f").st_mtim.tv_sec, 5);
}

/* covers: utimensat UTIME_OMIT */
static void utime_omit_leaves_one(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 5}};

    make_file("f", NULL);
    must(do_utimensat(AT_FDCWD, "f", some, 0));
    must(do_utimensat(AT_FDCWD, "f", times, 0));
    assert_int_equal(lstat_of("f").st_atim.tv_sec, 1000);
    assert_int_equal(lstat_of("f").st_mtim.tv_sec, 5);
}

/* covers: utimensat UTIME_OMIT */
static void two_omits_check_nothing(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}};

    must(do_utimensat(AT_FDCWD, "none", times, 0));
}

/* covers: utimensat AT_SYMLINK_NOFOLLOW */
static void symlink_is_followed_or_not(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(symlink("f", "link"));
    must(do_utimensat(AT_FDCWD, "link", some, AT_SYMLINK_NOFOLLOW));
    assert_int_equal(lstat_of("link").st_mtim.tv_sec, 2000);
    assert_true(lstat_of("f").st_mtim.tv_sec > 1000000000);
    must(do_utimensat(AT_FDCWD, "link", some, 0));
    assert_int_equal(lstat_of("f").st_mtim.tv_sec, 2000);
}

/* covers: utimensat */
static void null_path_means_the_descriptor(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    must(do_utimensat(fd, NULL, some, 0));
    assert_int_equal(lstat_of("f").st_mtim.tv_sec, 2000);
    must(close(fd));
}

/* covers: utimensat AT_EMPTY_PATH */
static void empty_path_flag_means_the_descriptor(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    if (do_utimensat(fd, "", some, AT_EMPTY_PATH) == -1 && errno == EINVAL)
        skip_because("the running kernel has no AT_EMPTY_PATH here");
    assert_int_equal(lstat_of("f").st_mtim.tv_sec, 2000);
    must(close(fd));
}

/* covers: utimensat EBADF ENOTDIR */
static void path_is_relative_to_the_folder_descriptor(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    make_file("f", NULL);
    int dir = must(open("d", O_RDONLY)), fd = must(open("f", O_RDONLY));
    must(do_utimensat(dir, "f", some, 0));
    assert_int_equal(lstat_of("d/f").st_mtim.tv_sec, 2000);
    assert_errno(do_utimensat(100000, "f", some, 0), EBADF);
    assert_errno(do_utimensat(100000, NULL, some, 0), EBADF);
    assert_errno(do_utimensat(fd, "x", some, 0), ENOTDIR);
    must(close(dir));
    must(close(fd));
}

/* covers: utimensat EINVAL */
static void nanoseconds_must_be_valid(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_nsec = 1000000000}, {0}};

    make_file("f", NULL);
    assert_errno(do_utimensat(AT_FDCWD, "f", times, 0), EINVAL);
    times[0].tv_nsec = -1;
    assert_errno(do_utimensat(AT_FDCWD, "f", times, 0), EINVAL);
}

/* covers: utimensat EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_utimensat(AT_FDCWD, "f", some, 1), EINVAL);
}

/* covers: utimensat EINVAL */
static void null_path_takes_no_flags(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    assert_errno(do_utimensat(fd, NULL, some, AT_SYMLINK_NOFOLLOW), EINVAL);
    must(close(fd));
}

/* covers: utimensat EFAULT */
static void null_path_at_cwd_faults(void **state)
{
    (void)state;
    assert_errno(do_utimensat(AT_FDCWD, NULL, some, 0), EFAULT);
}

/* covers: utimensat EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_utimensat(AT_FDCWD, BAD_PTR, some, 0), EFAULT);
    assert_errno(do_utimensat(AT_FDCWD, "f", BAD_PTR, 0), EFAULT);
}

/* covers: utimensat ENOENT ENOTDIR ELOOP ENAMETOOLONG */
static void path_errors(void **state)
{
    (void)state;
    char name[257];

    make_file("f", NULL);
    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_utimensat(AT_FDCWD, "none", some, 0), ENOENT);
    assert_errno(do_utimensat(AT_FDCWD, "", some, 0), ENOENT);
    assert_errno(do_utimensat(AT_FDCWD, "f/x", some, 0), ENOTDIR);
    assert_errno(do_utimensat(AT_FDCWD, "a", some, 0), ELOOP);
    assert_errno(do_utimensat(AT_FDCWD, name, some, 0), ENAMETOOLONG);
}

/* covers: utimensat EPERM EACCES */
static void setting_needs_the_owner_and_now_needs_write_right(void **state)
{
    (void)state;
    need_root();
    make_file("w", NULL);
    make_file("r", NULL);
    must(chmod("w", 0666));
    as_nobody(assert_errno(do_utimensat(AT_FDCWD, "w", some, 0), EPERM);
              must(do_utimensat(AT_FDCWD, "w", NULL, 0));
              assert_errno(do_utimensat(AT_FDCWD, "r", NULL, 0), EACCES);
              assert_errno(do_utimensat(AT_FDCWD, "r", some, 0), EPERM));
}

/* covers: utimensat EPERM UTIME_NOW UTIME_OMIT */
static void now_for_one_and_omit_for_the_other_needs_the_owner(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};

    need_root();
    make_file("w", NULL);
    must(chmod("w", 0666));
    as_nobody(assert_errno(do_utimensat(AT_FDCWD, "w", times, 0), EPERM));
}

/* covers: utime ENOENT EFAULT */
static void utime_sets_seconds(void **state)
{
    (void)state;
    struct utimbuf times = {.actime = 11, .modtime = 22};

    make_file("f", NULL);
    must(syscall(SYS_utime, "f", &times));
    assert_int_equal(lstat_of("f").st_atim.tv_sec, 11);
    assert_int_equal(lstat_of("f").st_mtim.tv_sec, 22);
    must(syscall(SYS_utime, "f", NULL));
    assert_true(lstat_of("f").st_mtim.tv_sec > 1000000000);
    assert_errno(syscall(SYS_utime, "none", &times), ENOENT);
    assert_errno(syscall(SYS_utime, "f", BAD_PTR), EFAULT);
}

/* covers: utimes EINVAL ENOENT */
static void utimes_sets_microseconds(void **state)
{
    (void)state;
    struct timeval times[2] = {{11, 250000}, {22, 999999}};

    make_file("f", NULL);
    must(syscall(SYS_utimes, "f", times));
    assert_int_equal(lstat_of("f").st_atim.tv_nsec, 250000000);
    assert_int_equal(lstat_of("f").st_mtim.tv_sec, 22);
    assert_int_equal(lstat_of("f").st_mtim.tv_nsec, 999999000);
    times[0].tv_usec = 1000000;
    assert_errno(syscall(SYS_utimes, "f", times), EINVAL);
    times[0].tv_usec = -1;
    assert_errno(syscall(SYS_utimes, "f", times), EINVAL);
    assert_errno(syscall(SYS_utimes, "none", NULL), ENOENT);
}

/* covers: futimesat EBADF */
static void futimesat_is_relative_to_its_descriptor(void **state)
{
    (void)state;
    struct timeval times[2] = {{11, 0}, {22, 0}};

    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    int dir = must(open("d", O_RDONLY));
    must(syscall(SYS_futimesat, dir, "f", times));
    assert_int_equal(lstat_of("d/f").st_mtim.tv_sec, 22);
    assert_errno(syscall(SYS_futimesat, 100000, "f", times), EBADF);
    must(close(dir));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(both_times_are_set_to_the_nanosecond),
        tempdir_test(change_time_becomes_now),
        tempdir_test(null_means_now),
        tempdir_test(utime_now_sets_one_to_now),
        tempdir_test(utime_omit_leaves_one),
        tempdir_test(two_omits_check_nothing),
        tempdir_test(symlink_is_followed_or_not),
        tempdir_test(null_path_means_the_descriptor),
        tempdir_test(empty_path_flag_means_the_descriptor),
        tempdir_test(path_is_relative_to_the_folder_descriptor),
        tempdir_test(nanoseconds_must_be_valid),
        tempdir_test(unknown_flag_is_refused),
        tempdir_test(null_path_takes_no_flags),
        tempdir_test(null_path_at_cwd_faults),
        tempdir_test(bad_addresses_fault),
        tempdir_test(path_errors),
        tempdir_test(setting_needs_the_owner_and_now_needs_write_right),
        tempdir_test(now_for_one_and_omit_for_the_other_needs_the_owner),
        tempdir_test(utime_sets_seconds),
        tempdir_test(utimes_sets_microseconds),
        tempdir_test(futimesat_is_relative_to_its_descriptor),
    };

    return cmocka_run_group_tests_name("fs/utimensat", tests, NULL, NULL);
}
