/* ioctl.c: ioctl(2): requests that every file knows, and those of terminals on what is none. */
#include "../lib/check.h"

#include <linux/fs.h>
#include <linux/fiemap.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

/* covers: ioctl EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    int n = 0;

    assert_errno(ioctl(-1, FIONREAD, &n), EBADF);
    assert_errno(ioctl(100000, FIONREAD, &n), EBADF);
}

/* covers: ioctl ENOTTY */
static void unknown_request_is_refused(void **state)
{
    (void)state;
    int fds[2], n = 0;

    make_file("f", NULL);
    int fd = must(open("f", O_RDWR)), dir = must(open(".", O_RDONLY));
    must(pipe(fds));
    assert_errno(ioctl(fd, 0x12345678, &n), ENOTTY);
    assert_errno(ioctl(dir, 0x12345678, &n), ENOTTY);
    assert_errno(ioctl(fds[0], 0x12345678, &n), ENOTTY);
    must(close(fd));
    must(close(dir));
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: ioctl TCGETS TIOCGWINSZ TIOCGPGRP ENOTTY */
static void terminal_requests_are_refused_elsewhere(void **state)
{
    (void)state;
    struct termios termios;
    struct winsize size;
    int fds[2], sockets[2], pgrp;

    make_file("f", NULL);
    must(pipe(fds));
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    int list[] = {must(open("f", O_RDWR)), must(open("/dev/null", O_RDWR)), fds[0], sockets[0]};
    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        assert_errno(ioctl(list[i], TCGETS, &termios), ENOTTY);
        assert_errno(ioctl(list[i], TIOCGWINSZ, &size), ENOTTY);
        assert_errno(ioctl(list[i], TIOCGPGRP, &pgrp), ENOTTY);
        assert_int_equal(isatty(list[i]), 0);
        assert_int_equal(errno, ENOTTY);
        must(close(list[i]));
    }
    must(close(fds[1]));
    must(close(sockets[1]));
}

/* covers: ioctl TCGETS TIOCGWINSZ TIOCSWINSZ */
static void pseudo_terminal_is_a_terminal(void **state)
{
    (void)state;
    struct winsize size = {.ws_row = 33, .ws_col = 77}, seen;
    struct termios termios;
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    if (master < 0)
        skip_because("no pseudo-terminal: %s", errno_name(errno));
    assert_int_equal(isatty(master), 1);
    must(ioctl(master, TCGETS, &termios));
    must(ioctl(master, TIOCSWINSZ, &size));
    must(ioctl(master, TIOCGWINSZ, &seen));
    assert_int_equal(seen.ws_row, 33);
    assert_int_equal(seen.ws_col, 77);
    assert_errno(ioctl(master, TIOCSWINSZ, BAD_PTR), EFAULT);
    must(close(master));
}

/* covers: ioctl FIOCLEX FIONCLEX */
static void cloexec_requests_change_the_descriptor(void **state)
{
    (void)state;
    int fd = must(open("/", O_RDONLY));

    must(ioctl(fd, FIOCLEX));
    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    must(ioctl(fd, FIONCLEX));
    assert_returns(fcntl(fd, F_GETFD), 0);
    must(close(fd));
}

/* covers: ioctl FIONBIO EFAULT */
static void nonblock_request_changes_the_file(void **state)
{
    (void)state;
    int fds[2], on = 1, off = 0;

    must(pipe(fds));
    must(ioctl(fds[0], FIONBIO, &on));
    assert_returns(fcntl(fds[0], F_GETFL), O_RDONLY | O_NONBLOCK);
    must(ioctl(fds[0], FIONBIO, &off));
    assert_returns(fcntl(fds[0], F_GETFL), O_RDONLY);
    assert_errno(ioctl(fds[0], FIONBIO, BAD_PTR), EFAULT);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: ioctl FIOASYNC */
static void async_request_changes_the_file(void **state)
{
    (void)state;
    int fds[2], on = 1, off = 0;

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    must(ioctl(fds[0], FIOASYNC, &on));
    assert_int_equal(fcntl(fds[0], F_GETFL) & O_ASYNC, O_ASYNC);
    must(ioctl(fds[0], FIOASYNC, &off));
    assert_int_equal(fcntl(fds[0], F_GETFL) & O_ASYNC, 0);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: ioctl FIONREAD */
static void readable_bytes_of_a_file_are_those_left(void **state)
{
    (void)state;
    int n = -1;

    make_file("f", "abcdef");
    int fd = must(open("f", O_RDONLY));
    must(lseek(fd, 2, SEEK_SET));
    must(ioctl(fd, FIONREAD, &n));
    assert_int_equal(n, 4);
    must(close(fd));
}

/* covers: ioctl FIONREAD */
static void readable_bytes_of_a_socket_are_those_queued(void **state)
{
    (void)state;
    int fds[2], n = -1;

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    assert_returns(write(fds[1], "abc", 3), 3);
    must(ioctl(fds[0], FIONREAD, &n));
    assert_int_equal(n, 3);
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: ioctl FIGETBSZ FIBMAP FIOQSIZE EFAULT ENOTTY */
static void block_size_is_told_of_what_has_one(void **state)
{
    (void)state;
    int fds[2], size = 0;
    int64_t bytes = 0;
    struct stat st;

    make_file("f", "abc");
    int fd = must(open("f", O_RDWR)), dir = must(open(".", O_RDONLY));
    must(pipe(fds));
    must(ioctl(fd, FIGETBSZ, &size));
    assert_true(size >= 512);
    must(ioctl(dir, FIGETBSZ, &size));
    assert_errno(ioctl(fd, FIGETBSZ, BAD_PTR), EFAULT);
    must(ioctl(fd, FIOQSIZE, &bytes));
    must(fstat(fd, &st));
    assert_int_equal(bytes, st.st_blocks * 512);
    assert_errno(ioctl(fds[0], FIOQSIZE, &bytes), ENOTTY);
    assert_errno(ioctl(fd, FIOQSIZE, BAD_PTR), EFAULT);
    assert_errno(ioctl(fds[0], FIBMAP, &size), ENOTTY);
    as_nobody(assert_errno(ioctl(fd, FIBMAP, &size), EPERM));
    must(close(fd));
    must(close(dir));
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: ioctl FICLONE FICLONERANGE EBADF EISDIR EXDEV EINVAL EFAULT */
static void clones_are_checked(void **state)
{
    (void)state;
    int fds[2];

    make_file("from", "abc");
    make_file("to", NULL);
    int from = must(open("from", O_RDONLY)), to = must(open("to", O_RDWR));
    int dir = must(open(".", O_RDONLY)), append = must(open("to", O_WRONLY | O_APPEND));
    must(pipe(fds));
    assert_errno(ioctl(to, FICLONE, -1), EBADF);
    assert_errno(ioctl(from, FICLONE, from), EBADF); /* not open for writing */
    assert_errno(ioctl(append, FICLONE, from), EBADF);
    assert_errno(ioctl(to, FICLONE, dir), EISDIR);
    assert_errno(ioctl(dir, FICLONE, from), EISDIR);
    assert_errno(ioctl(fds[1], FICLONE, from), EXDEV);
    assert_errno(ioctl(fds[1], FICLONE, fds[0]), EINVAL);
    assert_errno(ioctl(to, FICLONERANGE, BAD_PTR), EFAULT);
    struct file_clone_range range = {.src_fd = 100000};
    assert_errno(ioctl(to, FICLONERANGE, &range), EBADF);
    must(close(from));
    must(close(to));
    must(close(dir));
    must(close(append));
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: ioctl FICLONE EOPNOTSUPP FS_IOC_FIEMAP EOPNOTSUPP */
static void file_systems_in_memory_have_no_clones_and_extents(void **state)
{
    (void)state;
    struct fiemap map = {.fm_length = 4096};

    make_file("from", "abc");
    make_file("to", NULL);
    int from = must(open("from", O_RDONLY)), to = must(open("to", O_RDWR));
    if (ioctl(from, FS_IOC_FIEMAP, &map) == 0)
        skip_because("the file system has extents");
    assert_errno(ioctl(from, FS_IOC_FIEMAP, &map), EOPNOTSUPP);
    assert_errno(ioctl(to, FICLONE, from), EOPNOTSUPP);
    must(close(from));
    must(close(to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_descriptor_is_refused),
        tempdir_test(unknown_request_is_refused),
        tempdir_test(terminal_requests_are_refused_elsewhere),
        cmocka_unit_test(pseudo_terminal_is_a_terminal),
        cmocka_unit_test(cloexec_requests_change_the_descriptor),
        cmocka_unit_test(nonblock_request_changes_the_file),
        cmocka_unit_test(async_request_changes_the_file),
        tempdir_test(readable_bytes_of_a_file_are_those_left),
        cmocka_unit_test(readable_bytes_of_a_socket_are_those_queued),
        tempdir_test(block_size_is_told_of_what_has_one),
        tempdir_test(clones_are_checked),
        tempdir_test(file_systems_in_memory_have_no_clones_and_extents),
    };

    return cmocka_run_group_tests_name("misc/ioctl", tests, NULL, NULL);
}
