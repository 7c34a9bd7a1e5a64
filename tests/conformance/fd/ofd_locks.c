/* ofd_locks.c: F_OFD_SETLK and its kin of fcntl(2): ranges that belong to an open description. */
#include "../lib/check.h"

static int open_file(void)
{
    return must(open("f", O_CREAT | O_RDWR, 0644));
}

static int lock(int fd, short type, off_t start, off_t length)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

    return fcntl(fd, F_OFD_SETLK, &fl);
}

/* covers: fcntl F_OFD_SETLK EAGAIN */
static void two_descriptions_of_one_process_conflict(void **state)
{
    (void)state;
    int a = open_file(), b = open_file();

    must(lock(a, F_WRLCK, 0, 10));
    assert_errno(lock(b, F_WRLCK, 5, 1), EAGAIN);
    assert_errno(lock(b, F_RDLCK, 5, 1), EAGAIN);
    must(lock(b, F_WRLCK, 10, 1));
    must(close(a));
    must(close(b));
}

/* covers: fcntl F_OFD_SETLK dup */
static void duplicates_share_their_locks(void **state)
{
    (void)state;
    int a = open_file(), copy = must(dup(a)), b = open_file();

    must(lock(a, F_WRLCK, 0, 10));
    must(lock(copy, F_WRLCK, 0, 10));
    must(close(a));
    assert_errno(lock(b, F_WRLCK, 0, 10), EAGAIN);
    must(close(copy));
    must(lock(b, F_WRLCK, 0, 10));
    must(close(b));
}

/* covers: fcntl F_OFD_SETLK close */
static void closing_another_descriptor_keeps_the_lock(void **state)
{
    (void)state;
    int a = open_file(), b = open_file(), c = open_file();

    must(lock(a, F_WRLCK, 0, 10));
    must(close(b));
    assert_errno(lock(c, F_WRLCK, 0, 10), EAGAIN);
    must(close(a));
    must(close(c));
}

/* covers: fcntl F_OFD_SETLK */
static void child_shares_the_lock(void **state)
{
    (void)state;
    int a = open_file(), b = open_file();

    must(lock(a, F_WRLCK, 0, 10));
    in_child(must(lock(a, F_WRLCK, 0, 10)); must(lock(a, F_UNLCK, 0, 5)));
    must(lock(b, F_WRLCK, 0, 5));
    assert_errno(lock(b, F_WRLCK, 5, 5), EAGAIN);
    must(close(a));
    must(close(b));
}

/* covers: fcntl F_OFD_SETLK F_SETLK */
static void they_conflict_with_locks_of_processes(void **state)
{
    (void)state;
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
    int a = open_file(), b = open_file();

    must(lock(a, F_WRLCK, 0, 10));
    assert_errno(fcntl(b, F_SETLK, &fl), EAGAIN);
    must(close(a));
    must(close(b));
}

/* covers: fcntl F_OFD_GETLK F_GETLK */
static void getlk_shows_minus_one_for_the_process(void **state)
{
    (void)state;
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int a = open_file(), b = open_file();

    must(lock(a, F_WRLCK, 3, 4));
    must(fcntl(b, F_OFD_GETLK, &fl));
    assert_int_equal(fl.l_type, F_WRLCK);
    assert_int_equal(fl.l_start, 3);
    assert_int_equal(fl.l_len, 4);
    assert_int_equal(fl.l_pid, -1);
    must(close(a));
    must(close(b));
}

/* covers: fcntl F_OFD_GETLK F_UNLCK */
static void getlk_ignores_its_own(void **state)
{
    (void)state;
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int a = open_file();

    must(lock(a, F_WRLCK, 3, 4));
    must(fcntl(a, F_OFD_GETLK, &fl));
    assert_int_equal(fl.l_type, F_UNLCK);
    must(close(a));
}

/* covers: fcntl F_OFD_SETLK EINVAL F_OFD_GETLK EINVAL */
static void pid_field_must_be_zero(void **state)
{
    (void)state;
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_pid = 1};
    int a = open_file();

    assert_errno(fcntl(a, F_OFD_SETLK, &fl), EINVAL);
    assert_errno(fcntl(a, F_OFD_GETLK, &fl), EINVAL);
    must(close(a));
}

/* covers: fcntl F_OFD_SETLKW */
static void setlkw_waits_for_the_release(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int a = open_file();

    must(lock(a, F_WRLCK, 0, 10));
    pid_t pid = child_fork();
    if (pid == 0) {
        struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int b = open_file();
        gate_open(gate);
        must(fcntl(b, F_OFD_SETLKW, &fl));
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(lock(a, F_UNLCK, 0, 10));
    assert_child_ok(pid);
    must(close(a));
}

/* covers: fcntl F_OFD_SETLKW EINTR */
static void setlkw_is_interrupted(void **state)
{
    (void)state;
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int a = open_file(), b = open_file();

    must(lock(a, F_WRLCK, 0, 10));
    interrupts_start(0);
    assert_errno(fcntl(b, F_OFD_SETLKW, &fl), EINTR);
    interrupts_stop();
    must(close(a));
    must(close(b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(two_descriptions_of_one_process_conflict),
        tempdir_test(duplicates_share_their_locks),
        tempdir_test(closing_another_descriptor_keeps_the_lock),
        tempdir_test(child_shares_the_lock),
        tempdir_test(they_conflict_with_locks_of_processes),
        tempdir_test(getlk_shows_minus_one_for_the_process),
        tempdir_test(getlk_ignores_its_own),
        tempdir_test(pid_field_must_be_zero),
        tempdir_test(setlkw_waits_for_the_release),
        tempdir_test(setlkw_is_interrupted),
    };

    return cmocka_run_group_tests_name("fd/ofd_locks", tests, NULL, NULL);
}
