/* lease.c: fcntl(2)'s leases: F_SETLEASE, F_GETLEASE, and who breaks them. */
#include "../lib/check.h"

#include <poll.h>

static int open_file(int flags)
{
    return must(open("f", O_CREAT | flags, 0644));
}

static void ignore_signals(void)
{
    must(signal(SIGIO, SIG_IGN) == SIG_ERR ? -1 : 0);
}

/* covers: fcntl F_SETLEASE F_GETLEASE EAGAIN */
static void lease_is_taken_told_and_given_up(void **state)
{
    (void)state;
    int fd = open_file(O_RDONLY);

    assert_returns(fcntl(fd, F_GETLEASE), F_UNLCK);
    assert_errno(fcntl(fd, F_SETLEASE, F_UNLCK), EAGAIN);
    must(fcntl(fd, F_SETLEASE, F_RDLCK));
    assert_returns(fcntl(fd, F_GETLEASE), F_RDLCK);
    must(fcntl(fd, F_SETLEASE, F_WRLCK)); /* nobody else has it open */
    assert_returns(fcntl(fd, F_GETLEASE), F_WRLCK);
    must(fcntl(fd, F_SETLEASE, F_UNLCK));
    assert_returns(fcntl(fd, F_GETLEASE), F_UNLCK);
    must(close(fd));
}

/* covers: fcntl F_SETLEASE EAGAIN */
static void lease_needs_a_file_that_is_not_open_otherwise(void **state)
{
    (void)state;
    int writer = open_file(O_RDWR), reader = open_file(O_RDONLY);

    assert_errno(fcntl(writer, F_SETLEASE, F_RDLCK), EAGAIN);
    assert_errno(fcntl(reader, F_SETLEASE, F_RDLCK), EAGAIN);
    assert_errno(fcntl(reader, F_SETLEASE, F_WRLCK), EAGAIN);
    must(close(writer));
    must(fcntl(reader, F_SETLEASE, F_RDLCK));
    int another = open_file(O_RDONLY);
    must(fcntl(another, F_SETLEASE, F_RDLCK)); /* readers may be several */
    assert_errno(fcntl(another, F_SETLEASE, F_WRLCK), EAGAIN);
    must(close(another));
    must(close(reader));
}

/* covers: fcntl F_SETLEASE EINVAL EACCES EBADF */
static void arguments_are_checked(void **state)
{
    (void)state;
    int fd = open_file(O_RDONLY), dir = must(open(".", O_RDONLY)), place = must(open("f", O_PATH));
    int fds[2];

    must(pipe(fds));
    assert_errno(fcntl(fd, F_SETLEASE, 9), EINVAL);
    assert_errno(fcntl(dir, F_SETLEASE, F_RDLCK), EINVAL);
    assert_errno(fcntl(fds[0], F_SETLEASE, F_RDLCK), EINVAL);
    assert_errno(fcntl(place, F_SETLEASE, F_RDLCK), EBADF);
    if (geteuid() == 0)
        as_nobody(assert_errno(fcntl(fd, F_SETLEASE, F_RDLCK), EACCES));
    must(close(fd));
    must(close(dir));
    must(close(place));
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: fcntl F_SETLEASE */
static void lease_ends_with_its_file(void **state)
{
    (void)state;
    int fd = open_file(O_RDONLY), copy = must(dup(fd));

    must(fcntl(fd, F_SETLEASE, F_WRLCK));
    must(close(fd));
    assert_returns(fcntl(copy, F_GETLEASE), F_WRLCK);
    must(close(copy));
    must(close(must(open("f", O_RDWR | O_NONBLOCK))));
}

/* covers: openat O_NONBLOCK EWOULDBLOCK fcntl F_GETLEASE */
static void nonblocking_open_is_refused_and_breaks_the_lease(void **state)
{
    (void)state;
    int fd = open_file(O_RDONLY);

    catch_signal(SIGIO, 0);
    must(fcntl(fd, F_SETLEASE, F_RDLCK));
    must(close(must(open("f", O_RDONLY | O_NONBLOCK)))); /* reading does not disturb reading */
    assert_int_equal(caught[SIGIO], 0);
    assert_errno(open("f", O_WRONLY | O_NONBLOCK), EWOULDBLOCK);
    assert_eventually(caught[SIGIO] == 1);
    assert_returns(fcntl(fd, F_GETLEASE), F_UNLCK); /* what it is to become */
    int another = open_file(O_RDONLY);
    assert_errno(fcntl(another, F_SETLEASE, F_RDLCK), EAGAIN);
    must(fcntl(fd, F_SETLEASE, F_RDLCK)); /* its own can be taken anew, which does not help */
    assert_returns(fcntl(fd, F_GETLEASE), F_UNLCK);
    assert_errno(open("f", O_WRONLY | O_NONBLOCK), EWOULDBLOCK);
    assert_int_equal(caught[SIGIO], 1);
    must(fcntl(fd, F_SETLEASE, F_UNLCK));
    must(close(must(open("f", O_WRONLY | O_NONBLOCK))));
    must(close(another));
    must(close(fd));
    default_signal(SIGIO);
}

/* covers: openat fcntl F_SETLEASE */
static void reader_makes_a_lease_for_writing_one_for_reading(void **state)
{
    (void)state;
    int fd = open_file(O_RDONLY);

    ignore_signals();
    must(fcntl(fd, F_SETLEASE, F_WRLCK));
    assert_errno(open("f", O_RDONLY | O_NONBLOCK), EWOULDBLOCK);
    assert_returns(fcntl(fd, F_GETLEASE), F_RDLCK);
    must(fcntl(fd, F_SETLEASE, F_RDLCK));
    must(close(must(open("f", O_RDONLY | O_NONBLOCK))));
    must(close(fd));
    default_signal(SIGIO);
}

static siginfo_t told;

static void note(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    told = *info;
}

/* covers: fcntl F_SETLEASE F_SETSIG */
static void chosen_signal_names_the_descriptor(void **state)
{
    (void)state;
    int fd = open_file(O_RDONLY);
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};

    must(sigaction(SIGUSR1, &action, NULL));
    must(fcntl(fd, F_SETSIG, SIGUSR1));
    must(fcntl(fd, F_SETLEASE, F_RDLCK));
    assert_returns(fcntl(fd, F_GETOWN), getpid());
    assert_errno(open("f", O_RDWR | O_NONBLOCK), EWOULDBLOCK);
    assert_eventually(told.si_signo == SIGUSR1);
    assert_int_equal(told.si_fd, fd);
    assert_int_equal(told.si_code, POLL_MSG);
    must(close(fd));
    default_signal(SIGUSR1);
}

/* A reader's lease, and a child that waits in what breaks it. */
static pid_t breaker(int fd, void (*breaks)(void))
{
    struct gate *gate = gate_new();

    ignore_signals();
    must(fcntl(fd, F_SETLEASE, F_RDLCK));
    pid_t pid = child_fork();
    if (pid == 0) {
        must(close(fd));
        gate_open(gate);
        breaks();
        _exit(0);
    }
    gate_wait_blocked(gate);
    return pid;
}

static void open_to_write(void)
{
    must(open("f", O_WRONLY));
}

static void cut_short(void)
{
    must(truncate("f", 10));
}

/* covers: openat fcntl F_SETLEASE */
static void open_waits_until_the_lease_is_given_up(void **state)
{
    (void)state;
    int fd = open_file(O_RDONLY);
    pid_t pid = breaker(fd, open_to_write);

    must(fcntl(fd, F_SETLEASE, F_UNLCK));
    assert_child_ok(pid);
    must(close(fd));
    default_signal(SIGIO);
}

/* covers: truncate fcntl F_SETLEASE */
static void truncation_waits_too(void **state)
{
    (void)state;
    int fd = open_file(O_RDONLY);
    pid_t pid = breaker(fd, cut_short);

    must(close(fd));
    assert_child_ok(pid);
    default_signal(SIGIO);
}

/* covers: openat EINTR */
static void waiting_open_is_interrupted(void **state)
{
    (void)state;
    int fd = open_file(O_RDONLY);

    ignore_signals();
    must(fcntl(fd, F_SETLEASE, F_RDLCK));
    interrupts_start(0);
    assert_errno(open("f", O_WRONLY), EINTR);
    interrupts_stop();
    must(close(fd));
    default_signal(SIGIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(lease_is_taken_told_and_given_up),
        tempdir_test(lease_needs_a_file_that_is_not_open_otherwise),
        tempdir_test(arguments_are_checked),
        tempdir_test(lease_ends_with_its_file),
        tempdir_test(nonblocking_open_is_refused_and_breaks_the_lease),
        tempdir_test(reader_makes_a_lease_for_writing_one_for_reading),
        tempdir_test(chosen_signal_names_the_descriptor),
        tempdir_test(open_waits_until_the_lease_is_given_up),
        tempdir_test(truncation_waits_too),
        tempdir_test(waiting_open_is_interrupted),
    };

    return cmocka_run_group_tests_name("fd/lease", tests, NULL, NULL);
}
