/* record_locks.c: F_SETLK and its kin of fcntl(2): locks on ranges that belong to a process. */
#include "../lib/check.h"

static int open_file(void)
{
    return must(open("f", O_CREAT | O_RDWR, 0644));
}

static struct flock range(short type, off_t start, off_t length)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
}

static int lock(int fd, short type, off_t start, off_t length)
{
    struct flock fl = range(type, start, length);

    return fcntl(fd, F_SETLK, &fl);
}

/* What F_GETLK answers in another process about a write lock there. */
static struct flock seen_by_another(off_t start, off_t length)
{
    struct flock *answer = shared_alloc(sizeof *answer);

    *answer = range(F_WRLCK, start, length);
    in_child(must(fcntl(open_file(), F_GETLK, answer)));
    return *answer;
}

/* covers: fcntl F_SETLK F_WRLCK F_RDLCK EAGAIN */
static void write_lock_excludes_another_process(void **state)
{
    (void)state;
    int fd = open_file();

    must(lock(fd, F_WRLCK, 0, 10));
    in_child(int mine = open_file(); errno = 0; assert_int_equal(lock(mine, F_WRLCK, 5, 1), -1);
             assert_true(errno == EAGAIN || errno == EACCES);
             assert_int_equal(lock(mine, F_RDLCK, 0, 1), -1));
    must(close(fd));
}

/* covers: fcntl F_SETLK */
static void ranges_that_do_not_touch_go_together(void **state)
{
    (void)state;
    int fd = open_file();

    must(lock(fd, F_WRLCK, 0, 10));
    in_child(int mine = open_file(); must(lock(mine, F_WRLCK, 10, 10));
             assert_errno(lock(mine, F_WRLCK, 9, 2), EAGAIN));
    must(close(fd));
}

/* covers: fcntl F_SETLK F_RDLCK */
static void read_locks_go_together(void **state)
{
    (void)state;
    int fd = open_file();

    must(lock(fd, F_RDLCK, 0, 10));
    in_child(int mine = open_file(); must(lock(mine, F_RDLCK, 0, 10));
             assert_errno(lock(mine, F_WRLCK, 0, 10), EAGAIN));
    must(close(fd));
}

/* covers: fcntl F_SETLK F_GETLK F_UNLCK */
static void own_locks_never_conflict(void **state)
{
    (void)state;
    int a = open_file(), b = open_file();
    struct flock fl = range(F_WRLCK, 0, 10);

    must(lock(a, F_WRLCK, 0, 10));
    must(lock(b, F_WRLCK, 0, 10));
    must(fcntl(b, F_GETLK, &fl));
    assert_int_equal(fl.l_type, F_UNLCK);
    must(close(a));
    must(close(b));
}

/* covers: fcntl F_GETLK */
static void getlk_describes_the_lock_in_the_way(void **state)
{
    (void)state;
    int fd = open_file();

    must(lock(fd, F_RDLCK, 3, 4));
    struct flock fl = seen_by_another(0, 100);
    assert_int_equal(fl.l_type, F_RDLCK);
    assert_int_equal(fl.l_whence, SEEK_SET);
    assert_int_equal(fl.l_start, 3);
    assert_int_equal(fl.l_len, 4);
    assert_int_equal(fl.l_pid, getpid());
    must(close(fd));
}

/* covers: fcntl F_GETLK F_UNLCK */
static void getlk_changes_only_the_type_when_nothing_is_in_the_way(void **state)
{
    (void)state;
    struct flock fl = seen_by_another(7, 9);

    assert_int_equal(fl.l_type, F_UNLCK);
    assert_int_equal(fl.l_start, 7);
    assert_int_equal(fl.l_len, 9);
}

/* covers: fcntl F_SETLK F_UNLCK */
static void unlocking_the_middle_leaves_two_locks(void **state)
{
    (void)state;
    int fd = open_file();

    must(lock(fd, F_WRLCK, 0, 30));
    must(lock(fd, F_UNLCK, 10, 10));
    struct flock fl = seen_by_another(0, 30);
    assert_int_equal(fl.l_start, 0);
    assert_int_equal(fl.l_len, 10);
    fl = seen_by_another(10, 10);
    assert_int_equal(fl.l_type, F_UNLCK);
    fl = seen_by_another(20, 10);
    assert_int_equal(fl.l_start, 20);
    assert_int_equal(fl.l_len, 10);
    must(close(fd));
}

/* covers: fcntl F_SETLK */
static void neighbouring_locks_become_one(void **state)
{
    (void)state;
    int fd = open_file();

    must(lock(fd, F_WRLCK, 0, 10));
    must(lock(fd, F_WRLCK, 20, 10));
    must(lock(fd, F_WRLCK, 10, 10));
    struct flock fl = seen_by_another(0, 30);
    assert_int_equal(fl.l_start, 0);
    assert_int_equal(fl.l_len, 30);
    must(close(fd));
}

/* covers: fcntl F_SETLK */
static void changing_the_type_of_a_part_splits(void **state)
{
    (void)state;
    int fd = open_file();

    must(lock(fd, F_WRLCK, 0, 30));
    must(lock(fd, F_RDLCK, 10, 10));
    struct flock fl = seen_by_another(10, 5);
    assert_int_equal(fl.l_type, F_RDLCK);
    assert_int_equal(fl.l_start, 10);
    assert_int_equal(fl.l_len, 10);
    must(close(fd));
}

/* covers: fcntl F_SETLK */
static void length_of_zero_reaches_to_the_end_however_far(void **state)
{
    (void)state;
    int fd = open_file();

    must(lock(fd, F_WRLCK, 100, 0));
    struct flock fl = seen_by_another(1ll << 40, 1);
    assert_int_equal(fl.l_type, F_WRLCK);
    assert_int_equal(fl.l_start, 100);
    assert_int_equal(fl.l_len, 0);
    must(close(fd));
}

/* covers: fcntl F_SETLK */
static void negative_length_lies_before_the_start(void **state)
{
    (void)state;
    int fd = open_file();

    must(lock(fd, F_WRLCK, 20, -5));
    struct flock fl = seen_by_another(0, 100);
    assert_int_equal(fl.l_start, 15);
    assert_int_equal(fl.l_len, 5);
    must(close(fd));
}

/* covers: fcntl F_SETLK SEEK_CUR SEEK_END */
static void start_may_count_from_offset_or_end(void **state)
{
    (void)state;
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 2, .l_len = 1};

    make_file("f", "0123456789");
    int fd = open_file();
    must(lseek(fd, 4, SEEK_SET));
    must(fcntl(fd, F_SETLK, &fl));
    fl.l_whence = SEEK_END;
    fl.l_start = -1;
    must(fcntl(fd, F_SETLK, &fl));
    struct flock seen = seen_by_another(0, 8);
    assert_int_equal(seen.l_start, 6);
    seen = seen_by_another(8, 8);
    assert_int_equal(seen.l_start, 9);
    must(close(fd));
}

/* covers: close fcntl F_SETLK */
static void closing_any_descriptor_of_the_file_releases_all(void **state)
{
    (void)state;
    int a = open_file(), b = open_file();

    must(lock(a, F_WRLCK, 0, 10));
    must(close(b));
    struct flock fl = seen_by_another(0, 10);
    assert_int_equal(fl.l_type, F_UNLCK);
    must(close(a));
}

/* covers: fcntl F_SETLK */
static void child_does_not_inherit(void **state)
{
    (void)state;
    int fd = open_file();

    must(lock(fd, F_WRLCK, 0, 10));
    in_child(assert_errno(lock(fd, F_WRLCK, 0, 10), EAGAIN); must(close(fd)));
    struct flock fl = seen_by_another(0, 10);
    assert_int_equal(fl.l_type, F_WRLCK); /* the child's close released only its own */
    must(close(fd));
}

/* covers: exit_group fcntl F_SETLK */
static void exit_releases(void **state)
{
    (void)state;
    in_child(must(lock(open_file(), F_WRLCK, 0, 10)));
    struct flock fl = seen_by_another(0, 10);
    assert_int_equal(fl.l_type, F_UNLCK);
}

/* covers: fcntl F_SETLKW */
static void setlkw_waits_for_the_release(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int fd = open_file();

    must(lock(fd, F_WRLCK, 0, 10));
    pid_t pid = child_fork();
    if (pid == 0) {
        struct flock fl = range(F_WRLCK, 5, 10);
        int mine = open_file();
        gate_open(gate);
        must(fcntl(mine, F_SETLKW, &fl));
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(lock(fd, F_UNLCK, 0, 10));
    assert_child_ok(pid);
    must(close(fd));
}

/* covers: fcntl F_SETLKW EINTR */
static void setlkw_is_interrupted(void **state)
{
    (void)state;
    struct gate *held = gate_new();
    struct flock fl = range(F_WRLCK, 0, 10);
    pid_t pid = child_fork();

    if (pid == 0) {
        must(lock(open_file(), F_WRLCK, 0, 10));
        gate_open(held);
        for (;;)
            pause();
    }
    gate_wait(held);
    int fd = open_file();
    interrupts_start(0);
    assert_errno(fcntl(fd, F_SETLKW, &fl), EINTR);
    interrupts_stop();
    child_kill(pid);
    must(close(fd));
}

/* covers: fcntl F_SETLKW EDEADLK */
static void deadlock_of_two_processes_is_noticed(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    struct flock first = range(F_WRLCK, 0, 1), second = range(F_WRLCK, 1, 1);
    int fd = open_file();

    must(fcntl(fd, F_SETLK, &first));
    pid_t pid = child_fork();
    if (pid == 0) {
        int mine = open_file();
        must(fcntl(mine, F_SETLK, &second));
        gate_open(gate);
        must(fcntl(mine, F_SETLKW, &first));
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_errno(fcntl(fd, F_SETLKW, &second), EDEADLK);
    first.l_type = F_UNLCK;
    must(fcntl(fd, F_SETLK, &first));
    assert_child_ok(pid);
    must(close(fd));
}

/* covers: fcntl F_SETLK EBADF */
static void access_mode_must_fit_the_lock(void **state)
{
    (void)state;
    make_file("f", NULL);
    int r = must(open("f", O_RDONLY)), w = must(open("f", O_WRONLY));

    must(lock(r, F_RDLCK, 0, 1));
    assert_errno(lock(r, F_WRLCK, 0, 1), EBADF);
    must(lock(w, F_WRLCK, 0, 1));
    assert_errno(lock(w, F_RDLCK, 0, 1), EBADF);
    must(close(r));
    must(close(w));
}

/* covers: fcntl F_SETLK EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    assert_errno(lock(-1, F_RDLCK, 0, 1), EBADF);
}

/* covers: fcntl F_SETLK EINVAL EOVERFLOW */
static void bad_range_is_refused(void **state)
{
    (void)state;
    struct flock fl = range(F_WRLCK, 0, 1);
    int fd = open_file();

    assert_errno(lock(fd, 77, 0, 1), EINVAL);
    assert_errno(lock(fd, F_WRLCK, -1, 1), EINVAL);
    assert_errno(lock(fd, F_WRLCK, 3, -4), EINVAL);
    assert_errno(lock(fd, F_WRLCK, INT64_MAX, 2), EOVERFLOW);
    fl.l_whence = 9;
    assert_errno(fcntl(fd, F_SETLK, &fl), EINVAL);
    must(close(fd));
}

/* covers: fcntl F_GETLK EINVAL */
static void getlk_of_an_unlock_is_refused(void **state)
{
    (void)state;
    struct flock fl = range(F_UNLCK, 0, 1);
    int fd = open_file();

    assert_errno(fcntl(fd, F_GETLK, &fl), EINVAL);
    must(close(fd));
}

/* covers: fcntl F_SETLK EFAULT F_GETLK EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    int fd = open_file();

    assert_errno(syscall(SYS_fcntl, fd, F_SETLK, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_fcntl, fd, F_SETLKW, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_fcntl, fd, F_GETLK, BAD_PTR), EFAULT);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(write_lock_excludes_another_process),
        tempdir_test(ranges_that_do_not_touch_go_together),
        tempdir_test(read_locks_go_together),
        tempdir_test(own_locks_never_conflict),
        tempdir_test(getlk_describes_the_lock_in_the_way),
        tempdir_test(getlk_changes_only_the_type_when_nothing_is_in_the_way),
        tempdir_test(unlocking_the_middle_leaves_two_locks),
        tempdir_test(neighbouring_locks_become_one),
        tempdir_test(changing_the_type_of_a_part_splits),
        tempdir_test(length_of_zero_reaches_to_the_end_however_far),
        tempdir_test(negative_length_lies_before_the_start),
        tempdir_test(start_may_count_from_offset_or_end),
        tempdir_test(closing_any_descriptor_of_the_file_releases_all),
        tempdir_test(child_does_not_inherit),
        tempdir_test(exit_releases),
        tempdir_test(setlkw_waits_for_the_release),
        tempdir_test(setlkw_is_interrupted),
        tempdir_test(deadlock_of_two_processes_is_noticed),
        tempdir_test(access_mode_must_fit_the_lock),
        tempdir_test(bad_descriptor_is_refused),
        tempdir_test(bad_range_is_refused),
        tempdir_test(getlk_of_an_unlock_is_refused),
        tempdir_test(bad_address_faults),
    };

    return cmocka_run_group_tests_name("fd/record_locks", tests, NULL, NULL);
}
