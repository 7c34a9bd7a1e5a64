/* dup.c: dup(2), dup2(2) and dup3(2). */
/* tags: trap */
#include "../lib/check.h"

#include <sys/resource.h>

static int open_root(void)
{
    return must(open("/", O_RDONLY));
}

/* covers: dup */
static void dup_gives_the_lowest_free_number(void **state)
{
    (void)state;
    int a = open_root(), b = open_root(), c = open_root();

    must(close(a));
    assert_returns(dup(c), a);
    must(close(a));
    must(close(b));
    must(close(c));
}

/* covers: dup F_SETFL */
static void copies_share_offset_and_status_flags(void **state)
{
    (void)state;
    make_file("f", "abc");
    int fd = must(open("f", O_RDWR));
    int copy = must(dup(fd));
    must(lseek(fd, 2, SEEK_SET));
    assert_returns(lseek(copy, 0, SEEK_CUR), 2);
    must(fcntl(copy, F_SETFL, O_APPEND));
    assert_int_equal(fcntl(fd, F_GETFL) & O_APPEND, O_APPEND);
    must(close(fd));
    must(close(copy));
}

/* covers: dup dup2 */
static void copies_do_not_share_the_descriptor_flag(void **state)
{
    (void)state;
    int fd = must(open("/", O_RDONLY | O_CLOEXEC));
    int copy = must(dup(fd));

    assert_returns(fcntl(copy, F_GETFD), 0);
    assert_returns(dup2(fd, 70), 70);
    assert_returns(fcntl(70, F_GETFD), 0);
    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    must(close(fd));
    must(close(copy));
    must(close(70));
}

/* covers: dup2 */
static void dup2_takes_the_number_asked_for(void **state)
{
    (void)state;
    int fd = open_root();

    assert_returns(dup2(fd, 90), 90);
    must(fcntl(90, F_GETFD));
    must(close(90));
    must(close(fd));
}

/* covers: dup2 */
static void dup2_closes_what_was_there(void **state)
{
    (void)state;
    int fds[2], fd = open_root();
    char c;

    must(pipe(fds));
    assert_returns(dup2(fd, fds[1]), fds[1]);
    assert_returns(read(fds[0], &c, 1), 0);
    must(close(fds[0]));
    must(close(fds[1]));
    must(close(fd));
}

/* covers: dup2 EBADF */
static void dup2_to_itself_changes_nothing(void **state)
{
    (void)state;
    int fd = must(open("/", O_RDONLY | O_CLOEXEC));

    assert_returns(dup2(fd, fd), fd);
    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    must(close(fd));
    assert_errno(dup2(fd, fd), EBADF);
}

/* covers: dup2 EBADF */
static void dup2_of_a_bad_descriptor_keeps_the_target(void **state)
{
    (void)state;
    int fd = open_root();

    assert_errno(dup2(-1, fd), EBADF);
    assert_errno(dup2(100000, fd), EBADF);
    must(fcntl(fd, F_GETFD));
    must(close(fd));
}

/* covers: dup3 O_CLOEXEC */
static void dup3_sets_cloexec_when_asked(void **state)
{
    (void)state;
    int fd = open_root();

    assert_returns(dup3(fd, 91, O_CLOEXEC), 91);
    assert_returns(fcntl(91, F_GETFD), FD_CLOEXEC);
    assert_returns(dup3(fd, 91, 0), 91);
    assert_returns(fcntl(91, F_GETFD), 0);
    must(close(91));
    must(close(fd));
}

/* covers: dup3 EINVAL */
static void dup3_to_itself_is_refused(void **state)
{
    (void)state;
    int fd = open_root();

    assert_errno(dup3(fd, fd, 0), EINVAL);
    must(close(fd));
}

/* covers: dup3 EINVAL */
static void dup3_refuses_other_flags(void **state)
{
    (void)state;
    int fd = open_root();

    assert_errno(dup3(fd, 92, O_NONBLOCK), EINVAL);
    assert_errno(dup3(fd, 92, 1), EINVAL);
    must(close(fd));
}

/* covers: dup EBADF dup3 EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    assert_errno(dup(-1), EBADF);
    assert_errno(dup(100000), EBADF);
    assert_errno(dup3(-1, 93, 0), EBADF);
}

/* covers: dup2 EBADF dup3 EBADF RLIMIT_NOFILE */
static void number_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct rlimit limit;
    int fd = open_root();

    must(getrlimit(RLIMIT_NOFILE, &limit));
    assert_errno(dup2(fd, (int)limit.rlim_cur), EBADF);
    assert_errno(dup3(fd, (int)limit.rlim_cur, 0), EBADF);
    assert_errno(dup2(fd, -1), EBADF);
    must(close(fd));
}

static void fill_table(void)
{
    struct rlimit limit;

    must(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 30;
    must(setrlimit(RLIMIT_NOFILE, &limit));
    while (dup(0) >= 0)
        continue;
    assert_int_equal(errno, EMFILE);
}

/* covers: dup EMFILE openat EMFILE pipe EMFILE pipe2 EMFILE eventfd2 EMFILE */
/* covers: socket EMFILE epoll_create1 EMFILE timerfd_create EMFILE memfd_create EMFILE */
/* covers: fcntl F_DUPFD EMFILE */
static void full_table_is_reported(void **state)
{
    (void)state;
    in_child(int fds[2]; fill_table(); assert_errno(dup(0), EMFILE);
             assert_errno(open("/", O_RDONLY), EMFILE);
             assert_errno(openat(AT_FDCWD, "/", O_RDONLY), EMFILE);
             assert_errno(syscall(SYS_pipe, fds), EMFILE);
             assert_errno(syscall(SYS_pipe2, fds, 0), EMFILE);
             assert_errno(syscall(SYS_eventfd2, 0, 0), EMFILE);
             assert_errno(syscall(SYS_epoll_create1, 0), EMFILE);
             assert_errno(syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0), EMFILE);
             assert_errno(syscall(SYS_memfd_create, "x", 0), EMFILE);
             assert_errno(syscall(SYS_socket, 1, 1, 0), EMFILE);
             assert_errno(syscall(SYS_fcntl, 0, F_DUPFD, 0), EMFILE));
}

/* covers: pipe2 EMFILE */
static void pipe_needs_two_free_numbers(void **state)
{
    (void)state;
    in_child(int fds[2] = {-7, -7}; fill_table(); must(close(29));
             assert_errno(syscall(SYS_pipe2, fds, 0), EMFILE); assert_int_equal(fds[0], -7);
             assert_returns(dup(0), 29));
}

/* covers: dup2 */
static void target_that_is_open_needs_no_free_number(void **state)
{
    (void)state;
    in_child(fill_table(); assert_returns(dup2(0, 29), 29));
}

/* covers: setrlimit RLIMIT_NOFILE */
static void lower_limit_keeps_higher_descriptors_open(void **state)
{
    (void)state;
    in_child(struct rlimit limit; int fd = open_root(); assert_returns(dup2(fd, 60), 60);
             must(getrlimit(RLIMIT_NOFILE, &limit)); limit.rlim_cur = 20;
             must(setrlimit(RLIMIT_NOFILE, &limit)); must(fcntl(60, F_GETFD)); must(close(60));
             assert_errno(dup2(fd, 60), EBADF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dup_gives_the_lowest_free_number),
        tempdir_test(copies_share_offset_and_status_flags),
        cmocka_unit_test(copies_do_not_share_the_descriptor_flag),
        cmocka_unit_test(dup2_takes_the_number_asked_for),
        cmocka_unit_test(dup2_closes_what_was_there),
        cmocka_unit_test(dup2_to_itself_changes_nothing),
        cmocka_unit_test(dup2_of_a_bad_descriptor_keeps_the_target),
        cmocka_unit_test(dup3_sets_cloexec_when_asked),
        cmocka_unit_test(dup3_to_itself_is_refused),
        cmocka_unit_test(dup3_refuses_other_flags),
        cmocka_unit_test(bad_descriptor_is_refused),
        cmocka_unit_test(number_beyond_the_limit_is_refused),
        cmocka_unit_test(full_table_is_reported),
        cmocka_unit_test(pipe_needs_two_free_numbers),
        cmocka_unit_test(target_that_is_open_needs_no_free_number),
        cmocka_unit_test(lower_limit_keeps_higher_descriptors_open),
    };

    return cmocka_run_group_tests_name("fd/dup", tests, NULL, NULL);
}
