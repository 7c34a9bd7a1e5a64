/* flock.c: flock(2): advisory locks on open file descriptions. */
#include "../lib/check.h"

#include <sys/file.h>

static int open_file(void)
{
    return must(open("f", O_CREAT | O_RDWR, 0644));
}

/* covers: flock LOCK_EX LOCK_SH LOCK_NB EWOULDBLOCK */
static void exclusive_lock_excludes_all_others(void **state)
{
    (void)state;
    int a = open_file(), b = open_file();

    must(flock(a, LOCK_EX));
    assert_errno(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    assert_errno(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    must(flock(a, LOCK_UN));
    must(flock(b, LOCK_EX | LOCK_NB));
    must(close(a));
    must(close(b));
}

/* covers: flock LOCK_SH */
static void shared_locks_go_together(void **state)
{
    (void)state;
    int a = open_file(), b = open_file(), c = open_file();

    must(flock(a, LOCK_SH));
    must(flock(b, LOCK_SH | LOCK_NB));
    assert_errno(flock(c, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    must(flock(a, LOCK_UN));
    assert_errno(flock(c, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    must(flock(b, LOCK_UN));
    must(flock(c, LOCK_EX | LOCK_NB));
    must(close(a));
    must(close(b));
    must(close(c));
}

/* covers: flock */
static void lock_can_be_converted(void **state)
{
    (void)state;
    int a = open_file(), b = open_file();

    must(flock(a, LOCK_EX));
    must(flock(a, LOCK_SH));
    must(flock(b, LOCK_SH | LOCK_NB));
    assert_errno(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    must(flock(b, LOCK_UN));
    must(flock(a, LOCK_EX | LOCK_NB));
    assert_errno(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    must(close(a));
    must(close(b));
}

/* covers: flock dup */
static void duplicates_share_the_lock(void **state)
{
    (void)state;
    int a = open_file(), copy = must(dup(a)), b = open_file();

    must(flock(a, LOCK_EX));
    must(flock(copy, LOCK_EX | LOCK_NB));
    must(close(a));
    assert_errno(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    must(flock(copy, LOCK_UN));
    must(flock(b, LOCK_EX | LOCK_NB));
    must(close(copy));
    must(close(b));
}

/* covers: flock close */
static void last_close_releases(void **state)
{
    (void)state;
    int a = open_file(), b = open_file();

    must(flock(a, LOCK_EX));
    must(close(a));
    must(flock(b, LOCK_EX | LOCK_NB));
    must(close(b));
}

/* covers: flock */
static void child_shares_and_can_release(void **state)
{
    (void)state;
    int a = open_file(), b = open_file();

    must(flock(a, LOCK_EX));
    in_child(assert_errno(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK); must(flock(a, LOCK_UN)));
    must(flock(b, LOCK_EX | LOCK_NB));
    must(close(a));
    must(close(b));
}

/* covers: flock */
static void waiter_gets_the_lock_when_it_is_released(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int a = open_file();

    must(flock(a, LOCK_EX));
    pid_t pid = child_fork();
    if (pid == 0) {
        int b = open_file();
        gate_open(gate);
        must(flock(b, LOCK_EX));
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(flock(a, LOCK_UN));
    assert_child_ok(pid);
    must(close(a));
}

/* covers: flock */
static void waiter_gets_the_lock_when_the_holder_dies(void **state)
{
    (void)state;
    struct gate *held = gate_new(), *gate = gate_new();
    pid_t holder = child_fork();

    if (holder == 0) {
        must(flock(open_file(), LOCK_EX));
        gate_open(held);
        for (;;)
            pause();
    }
    gate_wait(held);
    pid_t pid = child_fork();
    if (pid == 0) {
        int b = open_file();
        gate_open(gate);
        must(flock(b, LOCK_SH));
        _exit(0);
    }
    gate_wait_blocked(gate);
    child_kill(holder);
    assert_child_ok(pid);
}

/* covers: flock EINTR */
static void wait_is_interrupted(void **state)
{
    (void)state;
    int a = open_file(), b = open_file();

    must(flock(a, LOCK_EX));
    interrupts_start(0);
    assert_errno(flock(b, LOCK_EX), EINTR);
    interrupts_stop();
    must(close(a));
    must(close(b));
}

/* covers: flock */
static void access_mode_does_not_matter(void **state)
{
    (void)state;
    int a = open_file(), r = must(open("f", O_RDONLY));

    must(flock(r, LOCK_EX));
    assert_errno(flock(a, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    must(close(r));
    must(close(a));
}

/* covers: flock */
static void folder_can_be_locked(void **state)
{
    (void)state;
    int a = must(open(".", O_RDONLY)), b = must(open(".", O_RDONLY));

    must(flock(a, LOCK_EX));
    assert_errno(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    must(close(a));
    must(close(b));
}

/* covers: flock fcntl F_SETLK */
static void record_locks_are_another_kind(void **state)
{
    (void)state;
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int a = open_file();

    must(flock(a, LOCK_EX));
    in_child(int b = open_file(); must(fcntl(b, F_SETLK, &all)));
    must(close(a));
}

/* covers: flock LOCK_UN */
static void unlocking_what_is_not_locked_succeeds(void **state)
{
    (void)state;
    int a = open_file();

    must(flock(a, LOCK_UN));
    must(close(a));
}

/* covers: flock EINVAL */
static void unknown_operation_is_refused(void **state)
{
    (void)state;
    int a = open_file();

    assert_errno(flock(a, 0), EINVAL);
    assert_errno(flock(a, LOCK_SH | LOCK_EX), EINVAL);
    assert_errno(flock(a, 64), EINVAL);
    must(close(a));
}

/* covers: flock EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    assert_errno(flock(-1, LOCK_EX), EBADF);
    assert_errno(flock(100000, LOCK_EX), EBADF);
    int fd = must(open("/", O_PATH));
    assert_errno(flock(fd, LOCK_SH), EBADF);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(exclusive_lock_excludes_all_others),
        tempdir_test(shared_locks_go_together),
        tempdir_test(lock_can_be_converted),
        tempdir_test(duplicates_share_the_lock),
        tempdir_test(last_close_releases),
        tempdir_test(child_shares_and_can_release),
        tempdir_test(waiter_gets_the_lock_when_it_is_released),
        tempdir_test(waiter_gets_the_lock_when_the_holder_dies),
        tempdir_test(wait_is_interrupted),
        tempdir_test(access_mode_does_not_matter),
        tempdir_test(folder_can_be_locked),
        tempdir_test(record_locks_are_another_kind),
        tempdir_test(unlocking_what_is_not_locked_succeeds),
        tempdir_test(unknown_operation_is_refused),
        cmocka_unit_test(bad_descriptor_is_refused),
    };

    return cmocka_run_group_tests_name("fd/flock", tests, NULL, NULL);
}
