/* cloexec.c: what of a descriptor table lives through execve(2), and what does not. */
#include "../lib/check.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

/* This program runs itself with a question as first argument; exit code 0 is "yes". */
static int answer(const char *question, int fd)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (strcmp(question, "open") == 0)
        return fcntl(fd, F_GETFD) == -1;
    if (strcmp(question, "offset 3") == 0)
        return lseek(fd, 0, SEEK_CUR) != 3;
    if (strcmp(question, "nonblock") == 0)
        return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
    if (strcmp(question, "others locked out") == 0)
        return fcntl(fd, F_GETLK, &fl) != 0 || fl.l_type != F_UNLCK;
    return 2;
}

static void ask(const char *question, int fd)
{
    char number[16];

    snprintf(number, sizeof number, "%d", fd);
    execl("/proc/self/exe", "cloexec", question, number, NULL);
    _exit(99);
}

static int ask_in_child(const char *question, int fd)
{
    pid_t pid = child_fork();

    if (pid == 0)
        ask(question, fd);
    int status = child_wait(pid);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status) == 0;
}

static void assert_closed_by_exec(int fd)
{
    assert_int_equal(ask_in_child("open", fd), 0);
    must(close(fd));
}

static void assert_kept_by_exec(int fd)
{
    assert_int_equal(ask_in_child("open", fd), 1);
    must(close(fd));
}

/* covers: openat execve */
static void opened_file_is_kept(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_kept_by_exec(must(open("f", O_RDONLY)));
}

/* covers: openat O_CLOEXEC execve */
static void opened_file_is_closed_when_asked(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_closed_by_exec(must(open("f", O_RDONLY | O_CLOEXEC)));
}

/* covers: pipe2 O_CLOEXEC */
static void pipes_are_closed_when_asked(void **state)
{
    (void)state;
    int fds[2];

    must(pipe2(fds, O_CLOEXEC));
    assert_closed_by_exec(fds[0]);
    assert_closed_by_exec(fds[1]);
    must(pipe(fds));
    assert_kept_by_exec(fds[0]);
    assert_kept_by_exec(fds[1]);
}

/* covers: dup3 O_CLOEXEC fcntl F_DUPFD_CLOEXEC dup dup2 */
static void duplicates_are_closed_when_asked(void **state)
{
    (void)state;
    int fd = must(open("/", O_RDONLY | O_CLOEXEC));

    assert_closed_by_exec(must(dup3(fd, 100, O_CLOEXEC)));
    assert_closed_by_exec(must(fcntl(fd, F_DUPFD_CLOEXEC, 100)));
    assert_kept_by_exec(must(dup(fd)));
    assert_kept_by_exec(must(dup2(fd, 100)));
    assert_kept_by_exec(must(fcntl(fd, F_DUPFD, 100)));
    must(close(fd));
}

/* covers: eventfd2 EFD_CLOEXEC epoll_create1 EPOLL_CLOEXEC timerfd_create TFD_CLOEXEC signalfd4 SFD_CLOEXEC socket SOCK_CLOEXEC memfd_create MFD_CLOEXEC */
static void other_kinds_are_closed_when_asked(void **state)
{
    (void)state;
    sigset_t set;

    sigemptyset(&set);
    assert_closed_by_exec(must(eventfd(0, EFD_CLOEXEC)));
    assert_closed_by_exec(must(epoll_create1(EPOLL_CLOEXEC)));
    assert_closed_by_exec(must(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)));
    assert_closed_by_exec(must(signalfd(-1, &set, SFD_CLOEXEC)));
    assert_closed_by_exec(must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)));
    assert_closed_by_exec(must(memfd_create("x", MFD_CLOEXEC)));
    assert_kept_by_exec(must(eventfd(0, 0)));
    assert_kept_by_exec(must(epoll_create1(0)));
    assert_kept_by_exec(must(timerfd_create(CLOCK_MONOTONIC, 0)));
    assert_kept_by_exec(must(signalfd(-1, &set, 0)));
    assert_kept_by_exec(must(socket(AF_UNIX, SOCK_STREAM, 0)));
    assert_kept_by_exec(must(memfd_create("x", 0)));
}

/* covers: execve lseek */
static void offset_is_kept(void **state)
{
    (void)state;
    make_file("f", "abcdef");
    int fd = must(open("f", O_RDONLY));
    must(lseek(fd, 3, SEEK_SET));
    assert_int_equal(ask_in_child("offset 3", fd), 1);
    must(close(fd));
}

/* covers: execve fcntl F_SETFL */
static void status_flags_are_kept(void **state)
{
    (void)state;
    int fds[2];

    must(pipe2(fds, O_NONBLOCK));
    assert_int_equal(ask_in_child("nonblock", fds[0]), 1);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: execve close */
static void closing_by_exec_is_a_close_like_any_other(void **state)
{
    (void)state;
    int fds[2];
    char c;

    must(pipe2(fds, O_CLOEXEC));
    pid_t pid = child_fork();
    if (pid == 0) {
        must(close(fds[0]));
        ask("open", 0);
    }
    must(close(fds[1]));
    assert_returns(read(fds[0], &c, 1), 0); /* the end comes with the exec at the latest */
    child_wait(pid);
    must(close(fds[0]));
}

/* covers: execve ENOENT */
static void failed_exec_closes_nothing(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY | O_CLOEXEC));
    assert_errno(execl("./none", "none", NULL), ENOENT);
    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    must(close(fd));
}

/* covers: execve fcntl F_SETLK */
static void record_locks_are_kept(void **state)
{
    (void)state;
    /* the child asks after the exec about its own lock, which is never in its own way */
    make_file("f", NULL);
    int fd = must(open("f", O_RDWR));
    pid_t pid = child_fork();
    if (pid == 0) {
        struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        must(fcntl(fd, F_SETLK, &fl));
        ask("others locked out", fd);
    }
    assert_exited(child_wait(pid), 0);
    must(close(fd));
}

/* covers: execve flock LOCK_EX */
static void flock_of_a_kept_descriptor_is_kept(void **state)
{
    (void)state;
    make_file("f", NULL);
    int a = must(open("f", O_RDWR)), b = must(open("f", O_RDWR | O_CLOEXEC));
    must(flock(a, LOCK_EX));
    assert_int_equal(ask_in_child("open", a), 1);
    assert_errno(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    must(close(a));
    must(flock(b, LOCK_EX | LOCK_NB));
    must(close(b));
}

static int exec_with_shared_table(void *arg)
{
    ask("open", *(int *)arg);
    return 98;
}

/* covers: execve clone CLONE_FILES */
static void shared_table_is_left_by_exec(void **state)
{
    (void)state;
    static char stack[65536];

    /* the child's exec closes the descriptor in a table of its own; the parent keeps it */
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY | O_CLOEXEC));
    pid_t pid =
        must(clone(exec_with_shared_table, stack + sizeof stack, CLONE_FILES | SIGCHLD, &fd));
    assert_exited(child_wait(pid), 1);
    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    must(close(fd));
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return answer(argv[1], atoi(argv[2]));

    const struct CMUnitTest tests[] = {
        tempdir_test(opened_file_is_kept),
        tempdir_test(opened_file_is_closed_when_asked),
        cmocka_unit_test(pipes_are_closed_when_asked),
        cmocka_unit_test(duplicates_are_closed_when_asked),
        cmocka_unit_test(other_kinds_are_closed_when_asked),
        tempdir_test(offset_is_kept),
        cmocka_unit_test(status_flags_are_kept),
        tempdir_test(closing_by_exec_is_a_close_like_any_other),
        tempdir_test(failed_exec_closes_nothing),
        tempdir_test(record_locks_are_kept),
        tempdir_test(flock_of_a_kept_descriptor_is_kept),
        tempdir_test(shared_table_is_left_by_exec),
    };

    return cmocka_run_group_tests_name("fd/cloexec", tests, NULL, NULL);
}
