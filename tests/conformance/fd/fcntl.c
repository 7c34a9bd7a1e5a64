/* fcntl.c: fcntl(2): duplicates, descriptor flags, status flags, owners of signals. */
#include "../lib/check.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

static int open_root(void)
{
    return must(open("/", O_RDONLY));
}

/* covers: fcntl F_DUPFD */
static void dupfd_gives_the_lowest_number_from_the_one_given(void **state)
{
    (void)state;
    int fd = open_root();

    assert_returns(fcntl(fd, F_DUPFD, 80), 80);
    assert_returns(fcntl(fd, F_DUPFD, 80), 81);
    must(close(80));
    assert_returns(fcntl(fd, F_DUPFD, 79), 79);
    assert_returns(fcntl(fd, F_DUPFD, 79), 80);
    for (int i = 79; i <= 81; i++)
        must(close(i));
    must(close(fd));
}

/* covers: fcntl F_DUPFD_CLOEXEC F_DUPFD */
static void dupfd_cloexec_sets_the_flag(void **state)
{
    (void)state;
    int fd = must(open("/", O_RDONLY | O_CLOEXEC));
    int a = must(fcntl(fd, F_DUPFD_CLOEXEC, 0)), b = must(fcntl(fd, F_DUPFD, 0));

    assert_returns(fcntl(a, F_GETFD), FD_CLOEXEC);
    assert_returns(fcntl(b, F_GETFD), 0);
    must(close(a));
    must(close(b));
    must(close(fd));
}

/* covers: fcntl F_DUPFD EINVAL RLIMIT_NOFILE */
static void dupfd_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct rlimit limit;
    int fd = open_root();

    must(getrlimit(RLIMIT_NOFILE, &limit));
    assert_errno(fcntl(fd, F_DUPFD, (int)limit.rlim_cur), EINVAL);
    assert_errno(fcntl(fd, F_DUPFD, -1), EINVAL);
    assert_errno(fcntl(fd, F_DUPFD_CLOEXEC, -1), EINVAL);
    must(close(fd));
}

/* covers: fcntl F_SETFD F_GETFD */
static void setfd_sets_and_clears_cloexec(void **state)
{
    (void)state;
    int fd = open_root();

    must(fcntl(fd, F_SETFD, FD_CLOEXEC));
    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    must(fcntl(fd, F_SETFD, 0));
    assert_returns(fcntl(fd, F_GETFD), 0);
    must(fcntl(fd, F_SETFD, ~0)); /* other bits are ignored */
    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    must(close(fd));
}

/* Runs a shell in a child that says whether the descriptor is open there. */
static int open_after_exec(int fd)
{
    char path[64];

    snprintf(path, sizeof path, "test -e /proc/self/fd/%d", fd);
    pid_t pid = child_fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", path, NULL);
        _exit(99);
    }
    int status = child_wait(pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* covers: fcntl F_SETFD execve */
static void exec_closes_what_is_marked(void **state)
{
    (void)state;
    if (access("/bin/sh", X_OK) != 0)
        skip_because("no /bin/sh");
    int fd = open_root();
    assert_int_equal(open_after_exec(fd), 0);
    must(fcntl(fd, F_SETFD, FD_CLOEXEC));
    assert_int_equal(open_after_exec(fd), 1);
    must(fcntl(fd, F_GETFD)); /* still open here */
    must(close(fd));
}

/* covers: fcntl F_SETFL F_GETFL O_APPEND O_NONBLOCK O_NOATIME */
static void setfl_changes_append_nonblock_and_noatime(void **state)
{
    (void)state;
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));
    int before = must(fcntl(fd, F_GETFL));

    must(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_NOATIME));
    assert_returns(fcntl(fd, F_GETFL), before | O_APPEND | O_NONBLOCK | O_NOATIME);
    must(fcntl(fd, F_SETFL, 0));
    assert_returns(fcntl(fd, F_GETFL), before);
    must(close(fd));
}

/* covers: fcntl F_SETFL */
static void setfl_ignores_access_mode_and_creation_flags(void **state)
{
    (void)state;
    int fd = must(open("f", O_CREAT | O_RDWR, 0644));
    int before = must(fcntl(fd, F_GETFL));

    assert_returns(write(fd, "abc", 3), 3);
    must(fcntl(fd, F_SETFL, O_WRONLY | O_CREAT | O_EXCL | O_TRUNC | O_SYNC | O_DIRECTORY));
    assert_returns(fcntl(fd, F_GETFL), before);
    assert_file_text("f", "abc");
    must(close(fd));
}

/* covers: fcntl F_SETFL O_APPEND */
static void append_takes_effect_at_once(void **state)
{
    (void)state;
    make_file("f", "abc");
    int fd = must(open("f", O_WRONLY));
    must(fcntl(fd, F_SETFL, O_APPEND));
    assert_returns(write(fd, "d", 1), 1);
    must(close(fd));
    assert_file_text("f", "abcd");
}

/* covers: fcntl F_SETFL O_NONBLOCK */
static void nonblock_takes_effect_at_once(void **state)
{
    (void)state;
    int fds[2];
    char c;

    must(pipe(fds));
    must(fcntl(fds[0], F_SETFL, O_NONBLOCK));
    assert_errno(read(fds[0], &c, 1), EAGAIN);
    assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: fcntl F_SETFL EPERM */
static void noatime_is_for_the_owner(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    as_nobody(int fd = must(open("f", O_RDONLY));
              assert_errno(fcntl(fd, F_SETFL, O_NOATIME), EPERM));
}

/* covers: fcntl EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    assert_errno(fcntl(-1, F_GETFD), EBADF);
    assert_errno(fcntl(100000, F_GETFL), EBADF);
    assert_errno(fcntl(-1, F_DUPFD, 0), EBADF);
    assert_errno(fcntl(-1, 9999), EBADF);
}

/* covers: fcntl EINVAL */
static void unknown_command_is_refused(void **state)
{
    (void)state;
    int fd = open_root();

    assert_errno(syscall(SYS_fcntl, fd, 9999, 0), EINVAL);
    must(close(fd));
}

/* covers: fcntl F_SETOWN F_GETOWN */
static void owner_of_signals_is_kept(void **state)
{
    (void)state;
    int fds[2];

    must(pipe(fds));
    assert_returns(syscall(SYS_fcntl, fds[0], F_GETOWN, 0), 0);
    must(fcntl(fds[0], F_SETOWN, getpid()));
    assert_returns(fcntl(fds[0], F_GETOWN), getpid());
    must(fcntl(fds[0], F_SETOWN, 0));
    assert_returns(fcntl(fds[0], F_GETOWN), 0);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: fcntl F_SETOWN_EX F_GETOWN_EX EINVAL */
static void owner_may_be_thread_process_or_group(void **state)
{
    (void)state;
    struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = getpid()}, seen;
    int fds[2];

    must(pipe(fds));
    must(fcntl(fds[0], F_SETOWN_EX, &owner));
    must(fcntl(fds[0], F_GETOWN_EX, &seen));
    assert_int_equal(seen.type, F_OWNER_TID);
    assert_int_equal(seen.pid, getpid());
    owner.type = F_OWNER_PID;
    must(fcntl(fds[0], F_SETOWN_EX, &owner));
    must(fcntl(fds[0], F_GETOWN_EX, &seen));
    assert_int_equal(seen.type, F_OWNER_PID);
    owner.type = 77;
    assert_errno(fcntl(fds[0], F_SETOWN_EX, &owner), EINVAL);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: fcntl F_SETOWN ESRCH */
static void owner_that_is_no_process_is_refused(void **state)
{
    (void)state;
    int fds[2];

    must(pipe(fds));
    assert_errno(fcntl(fds[0], F_SETOWN, 0x3fffffff), ESRCH);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: fcntl F_SETSIG F_GETSIG EINVAL */
static void signal_of_readiness_is_kept(void **state)
{
    (void)state;
    int fds[2];

    must(pipe(fds));
    assert_returns(fcntl(fds[0], F_GETSIG), 0);
    must(fcntl(fds[0], F_SETSIG, SIGUSR1));
    assert_returns(fcntl(fds[0], F_GETSIG), SIGUSR1);
    assert_errno(fcntl(fds[0], F_SETSIG, 65), EINVAL);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: fcntl F_SETFL O_ASYNC F_SETOWN F_SETSIG */
static void async_flag_sends_a_signal_when_data_arrives(void **state)
{
    (void)state;
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    catch_signal(SIGIO, 0);
    catch_signal(SIGUSR2, 0);
    must(fcntl(fds[0], F_SETOWN, getpid()));
    must(fcntl(fds[0], F_SETFL, O_ASYNC | O_NONBLOCK));
    assert_returns(write(fds[1], "x", 1), 1);
    assert_eventually(caught[SIGIO] == 1);
    must(fcntl(fds[0], F_SETSIG, SIGUSR2));
    assert_returns(write(fds[1], "x", 1), 1);
    assert_eventually(caught[SIGUSR2] == 1);
    must(fcntl(fds[0], F_SETFL, 0));
    default_signal(SIGIO);
    default_signal(SIGUSR2);
    must(close(fds[0]));
    must(close(fds[1]));
}

static volatile sig_atomic_t told, told_code, told_fd;
static volatile long told_band;

static void note_reason(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    told_code = info->si_code;
    told_fd = info->si_fd;
    told_band = info->si_band;
    told++;
}

static void catch_reason(int signo)
{
    struct sigaction action = {.sa_sigaction = note_reason, .sa_flags = SA_SIGINFO};

    told = 0;
    must(sigaction(signo, &action, NULL));
}

/* covers: fcntl F_SETFL O_ASYNC F_SETSIG */
static void chosen_signal_says_which_file_and_why(void **state)
{
    (void)state;
    int fds[2];

    must(pipe(fds));
    catch_reason(SIGRTMIN);
    must(fcntl(fds[0], F_SETOWN, getpid()));
    must(fcntl(fds[0], F_SETSIG, SIGRTMIN));
    must(fcntl(fds[0], F_SETFL, O_ASYNC));
    assert_returns(write(fds[1], "x", 1), 1);
    assert_int_equal(told, 1);
    assert_int_equal(told_code, POLL_IN);
    assert_int_equal(told_fd, fds[0]);
    assert_int_equal(told_band, POLLIN | POLLRDNORM);
    must(close(fds[1]));
    assert_int_equal(told, 2);
    default_signal(SIGRTMIN);
    must(close(fds[0]));
}

/* covers: fcntl F_SETFL O_ASYNC */
static void plain_signal_comes_from_the_kernel(void **state)
{
    (void)state;
    int fds[2];

    must(pipe(fds));
    catch_reason(SIGIO);
    must(fcntl(fds[0], F_SETOWN, getpid()));
    must(fcntl(fds[0], F_SETFL, O_ASYNC));
    assert_returns(write(fds[1], "x", 1), 1);
    assert_int_equal(told, 1);
    assert_int_equal(told_code, SI_KERNEL);
    must(fcntl(fds[0], F_SETFL, 0));
    assert_int_equal(fcntl(fds[0], F_GETFL) & O_ASYNC, 0);
    assert_returns(write(fds[1], "x", 1), 1);
    assert_int_equal(told, 1);
    default_signal(SIGIO);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: fcntl F_SETFL O_ASYNC F_SETOWN */
static void without_an_owner_nobody_is_told(void **state)
{
    (void)state;
    int fds[2];

    must(pipe(fds));
    catch_reason(SIGIO);
    must(fcntl(fds[0], F_SETFL, O_ASYNC));
    assert_returns(write(fds[1], "x", 1), 1);
    must(fcntl(fds[0], F_SETOWN, getpid()));
    assert_returns(write(fds[1], "x", 1), 1);
    assert_int_equal(told, 1);
    must(fcntl(fds[0], F_SETOWN, 0));
    assert_returns(write(fds[1], "x", 1), 1);
    assert_int_equal(told, 1);
    default_signal(SIGIO);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: fcntl F_SETFL O_ASYNC F_SETOWN */
static void writer_is_told_of_room(void **state)
{
    (void)state;
    static char buffer[1 << 16];
    int fds[2];

    must(pipe2(fds, O_NONBLOCK));
    catch_reason(SIGIO);
    must(fcntl(fds[1], F_SETOWN, getpid()));
    while (write(fds[1], buffer, sizeof buffer) > 0)
        ;
    must(fcntl(fds[1], F_SETFL, O_ASYNC | O_NONBLOCK));
    assert_returns(read(fds[0], buffer, sizeof buffer), sizeof buffer);
    assert_int_equal(told, 1);
    must(close(fds[0]));
    assert_int_equal(told, 2);
    default_signal(SIGIO);
    must(close(fds[1]));
}

/* covers: fcntl F_SETFL O_ASYNC F_SETOWN */
static void sleeping_writer_has_told_the_reader(void **state)
{
    (void)state;
    static char buffer[1 << 18]; /* more than a pipe takes */
    int fds[2];
    char c;

    must(pipe(fds));
    must(fcntl(fds[0], F_SETOWN, getpid()));
    must(fcntl(fds[0], F_SETFL, O_ASYNC));
    catch_signal(SIGIO, 0);
    pid_t pid = child_fork();
    if (pid == 0) {
        close(fds[0]);
        _exit(write(fds[1], buffer, sizeof buffer) != sizeof buffer);
    }
    must(close(fds[1]));
    assert_eventually(caught[SIGIO] >= 1);
    must(fcntl(fds[0], F_SETFL, 0));
    while (read(fds[0], buffer, sizeof buffer) > 0)
        ;
    assert_returns(read(fds[0], &c, 1), 0);
    assert_exited(child_wait(pid), 0);
    default_signal(SIGIO);
    must(close(fds[0]));
}

/* covers: fcntl F_SETFL O_ASYNC F_SETOWN_EX F_OWNER_TID F_OWNER_PGRP */
static void thread_or_group_can_be_the_owner(void **state)
{
    (void)state;
    int fds[2];
    struct f_owner_ex thread = {.type = F_OWNER_TID, .pid = (pid_t)syscall(SYS_gettid)};
    struct f_owner_ex group = {.type = F_OWNER_PGRP};

    must(pipe(fds));
    catch_reason(SIGIO);
    must(fcntl(fds[0], F_SETOWN_EX, &thread));
    must(fcntl(fds[0], F_SETFL, O_ASYNC));
    assert_returns(write(fds[1], "x", 1), 1);
    assert_int_equal(told, 1);
    in_child(must(setpgid(0, 0)); group.pid = getpid(); must(fcntl(fds[0], F_SETOWN_EX, &group));
             told = 0; assert_returns(write(fds[1], "x", 1), 1); assert_int_equal(told, 1));
    assert_int_equal(told, 1);
    default_signal(SIGIO);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: fcntl F_SETFL O_ASYNC */
static void duplicate_that_stays_open_still_tells(void **state)
{
    (void)state;
    int fds[2], other;

    must(pipe(fds));
    catch_reason(SIGIO);
    must(fcntl(fds[0], F_SETOWN, getpid()));
    must(fcntl(fds[0], F_SETFL, O_ASYNC));
    other = must(dup(fds[0]));
    must(close(fds[0]));
    assert_int_equal(fcntl(other, F_GETFL) & O_ASYNC, O_ASYNC);
    assert_returns(write(fds[1], "x", 1), 1);
    assert_int_equal(told, 1);
    must(close(other));
    signal(SIGPIPE, SIG_IGN);
    assert_errno(write(fds[1], "x", 1), EPIPE);
    assert_int_equal(told, 1);
    signal(SIGPIPE, SIG_DFL);
    default_signal(SIGIO);
    must(close(fds[1]));
}

/* covers: fcntl F_SETFL O_ASYNC ioctl FIOASYNC ENOTTY */
static void regular_file_does_not_take_the_flag(void **state)
{
    (void)state;
    int fd = must(open("f", O_CREAT | O_RDWR, 0644)), on = 1, off = 0;

    must(fcntl(fd, F_SETFL, O_ASYNC));
    assert_int_equal(fcntl(fd, F_GETFL) & O_ASYNC, 0);
    assert_errno(ioctl(fd, FIOASYNC, &on), ENOTTY);
    must(ioctl(fd, FIOASYNC, &off));
    must(close(fd));
}

/* covers: fcntl F_SETFL O_ASYNC */
static void closed_peer_of_a_socket_is_told(void **state)
{
    (void)state;
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    catch_reason(SIGRTMIN);
    must(fcntl(fds[0], F_SETOWN, getpid()));
    must(fcntl(fds[0], F_SETSIG, SIGRTMIN));
    must(fcntl(fds[0], F_SETFL, O_ASYNC));
    must(close(fds[1]));
    assert_true(told >= 1);
    assert_int_equal(told_fd, fds[0]);
    default_signal(SIGRTMIN);
    must(close(fds[0]));
}

/* covers: fcntl F_GET_RW_HINT F_SET_RW_HINT EINVAL EFAULT EPERM */
static void life_of_what_is_written_is_kept(void **state)
{
    (void)state;
    uint64_t hint = 9;
    int fd = must(open("f", O_CREAT | O_RDWR, 0644)), again = must(open("f", O_RDONLY));

    must(fcntl(fd, F_GET_RW_HINT, &hint));
    assert_int_equal(hint, RWH_WRITE_LIFE_NOT_SET);
    hint = RWH_WRITE_LIFE_LONG;
    must(fcntl(fd, F_SET_RW_HINT, &hint));
    hint = 0;
    must(fcntl(again, F_GET_RW_HINT, &hint)); /* it is the file's */
    assert_int_equal(hint, RWH_WRITE_LIFE_LONG);
    hint = RWH_WRITE_LIFE_EXTREME + 1;
    assert_errno(fcntl(fd, F_SET_RW_HINT, &hint), EINVAL);
    assert_errno(fcntl(fd, F_SET_RW_HINT, BAD_PTR), EFAULT);
    assert_errno(fcntl(fd, F_GET_RW_HINT, BAD_PTR), EFAULT);
    if (geteuid() == 0)
        as_nobody(hint = 0; assert_errno(fcntl(again, F_SET_RW_HINT, &hint), EPERM));
    must(close(fd));
    must(close(again));
}

/* covers: fcntl F_GETPIPE_SZ F_SETPIPE_SZ EBADF F_ADD_SEALS F_GET_SEALS EINVAL */
static void commands_of_other_kinds_are_refused(void **state)
{
    (void)state;
    int fds[2], fd = must(open("f", O_CREAT | O_RDWR, 0644)), place = must(open("f", O_PATH));

    must(pipe(fds));
    assert_errno(fcntl(fd, F_GETPIPE_SZ), EBADF);
    assert_errno(fcntl(fd, F_SETPIPE_SZ, 4096), EBADF);
    assert_errno(fcntl(fds[0], F_GET_SEALS), EINVAL);
    assert_errno(fcntl(fds[1], F_ADD_SEALS, F_SEAL_GROW), EINVAL);
    assert_errno(fcntl(fds[0], F_ADD_SEALS, F_SEAL_GROW), EPERM); /* not open for writing */
    assert_errno(fcntl(place, F_SETFL, 0), EBADF);
    assert_errno(fcntl(place, F_GETOWN), EBADF);
    assert_int_equal(must(fcntl(place, F_GETFL)) & O_PATH, O_PATH);
    must(close(fd));
    must(close(place));
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: fcntl F_NOTIFY DN_CREATE */
static void new_name_in_a_watched_folder_is_signalled(void **state)
{
    (void)state;
    int fd = must(open(".", O_RDONLY | O_DIRECTORY));

    if (fcntl(fd, F_NOTIFY, DN_CREATE) < 0)
        skip_because("dnotify is not there yet");
    must(fcntl(fd, F_NOTIFY, 0));
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dupfd_gives_the_lowest_number_from_the_one_given),
        cmocka_unit_test(dupfd_cloexec_sets_the_flag),
        cmocka_unit_test(dupfd_beyond_the_limit_is_refused),
        cmocka_unit_test(setfd_sets_and_clears_cloexec),
        cmocka_unit_test(exec_closes_what_is_marked),
        tempdir_test(setfl_changes_append_nonblock_and_noatime),
        tempdir_test(setfl_ignores_access_mode_and_creation_flags),
        tempdir_test(append_takes_effect_at_once),
        cmocka_unit_test(nonblock_takes_effect_at_once),
        tempdir_test(noatime_is_for_the_owner),
        cmocka_unit_test(bad_descriptor_is_refused),
        cmocka_unit_test(unknown_command_is_refused),
        cmocka_unit_test(owner_of_signals_is_kept),
        cmocka_unit_test(owner_may_be_thread_process_or_group),
        cmocka_unit_test(owner_that_is_no_process_is_refused),
        cmocka_unit_test(signal_of_readiness_is_kept),
        cmocka_unit_test(async_flag_sends_a_signal_when_data_arrives),
        cmocka_unit_test(chosen_signal_says_which_file_and_why),
        cmocka_unit_test(plain_signal_comes_from_the_kernel),
        cmocka_unit_test(without_an_owner_nobody_is_told),
        cmocka_unit_test(writer_is_told_of_room),
        cmocka_unit_test(sleeping_writer_has_told_the_reader),
        cmocka_unit_test(thread_or_group_can_be_the_owner),
        cmocka_unit_test(duplicate_that_stays_open_still_tells),
        cmocka_unit_test(closed_peer_of_a_socket_is_told),
        cmocka_unit_test(new_name_in_a_watched_folder_is_signalled),
        tempdir_test(regular_file_does_not_take_the_flag),
        tempdir_test(life_of_what_is_written_is_kept),
        tempdir_test(commands_of_other_kinds_are_refused),
    };

    return cmocka_run_group_tests_name("fd/fcntl", tests, NULL, NULL);
}
