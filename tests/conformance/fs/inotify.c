/* inotify.c: inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2), and how events are read. */
#include "../lib/check.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

static int new_inotify(int flags)
{
    return (int)must(syscall(SYS_inotify_init1, flags));
}

static int watch(int fd, const char *path, uint32_t mask)
{
    return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

/* Room for one event without a name. */
struct bare {
    struct inotify_event event;
};

/* covers: inotify_init1 IN_CLOEXEC IN_NONBLOCK EINVAL inotify_init */
static void flags_are_set_when_asked(void **state)
{
    (void)state;
    int fd = new_inotify(IN_CLOEXEC | IN_NONBLOCK);

    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    must(close(fd));
    fd = (int)must(syscall(SYS_inotify_init));
    assert_returns(fcntl(fd, F_GETFD), 0);
    assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY);
    must(close(fd));
    assert_errno(syscall(SYS_inotify_init1, 1), EINVAL);
}

/* covers: inotify_init EMFILE inotify_init1 EMFILE */
static void no_descriptor_is_left(void **state)
{
    (void)state;
    in_child({
        struct rlimit none = {3, 3};

        for (int fd = 3; fd < 64; fd++)
            close(fd);
        must(setrlimit(RLIMIT_NOFILE, &none));
        assert_errno(syscall(SYS_inotify_init), EMFILE);
        assert_errno(syscall(SYS_inotify_init1, IN_CLOEXEC), EMFILE);
    });
}

/* covers: inotify_add_watch */
static void each_path_gets_a_number_and_the_same_file_the_same(void **state)
{
    (void)state;
    int fd = new_inotify(0);

    make_file("f", NULL);
    make_file("g", NULL);
    must(link("f", "h"));
    int f = must(watch(fd, "f", IN_MODIFY)), g = must(watch(fd, "g", IN_MODIFY));
    assert_true(f >= 1);
    assert_true(g != f);
    assert_returns(watch(fd, "f", IN_ATTRIB), f);
    assert_returns(watch(fd, "h", IN_ATTRIB), f);
    must(close(fd));
}

/* covers: inotify_add_watch IN_MASK_ADD */
static void second_mask_replaces_the_first_or_adds_to_it(void **state)
{
    (void)state;
    struct bare seen;
    int fd = new_inotify(IN_NONBLOCK);

    make_file("f", NULL);
    int f = must(open("f", O_WRONLY));
    must(watch(fd, "f", IN_MODIFY));
    must(watch(fd, "f", IN_ATTRIB));
    assert_returns(write(f, "x", 1), 1);
    assert_errno(read(fd, &seen, sizeof seen), EAGAIN);
    must(watch(fd, "f", IN_MODIFY | IN_MASK_ADD));
    assert_returns(write(f, "x", 1), 1);
    assert_returns(read(fd, &seen, sizeof seen), sizeof seen);
    assert_int_equal(seen.event.mask, IN_MODIFY);
    must(fchmod(f, 0600));
    assert_returns(read(fd, &seen, sizeof seen), sizeof seen);
    assert_int_equal(seen.event.mask, IN_ATTRIB);
    must(close(f));
    must(close(fd));
}

/* covers: inotify_add_watch IN_MASK_CREATE EEXIST EINVAL */
static void create_flag_refuses_a_watch_that_is_there(void **state)
{
    (void)state;
    int fd = new_inotify(0);

    make_file("f", NULL);
    must(watch(fd, "f", IN_MODIFY | IN_MASK_CREATE));
    assert_errno(watch(fd, "f", IN_MODIFY | IN_MASK_CREATE), EEXIST);
    assert_errno(watch(fd, "f", IN_MODIFY | IN_MASK_CREATE | IN_MASK_ADD), EINVAL);
    must(close(fd));
}

/* covers: inotify_add_watch IN_ONLYDIR ENOTDIR */
static void onlydir_flag_refuses_other_files(void **state)
{
    (void)state;
    int fd = new_inotify(0);

    make_file("f", NULL);
    assert_errno(watch(fd, "f", IN_MODIFY | IN_ONLYDIR), ENOTDIR);
    must(watch(fd, ".", IN_MODIFY | IN_ONLYDIR));
    must(close(fd));
}

/* covers: inotify_add_watch IN_DONT_FOLLOW */
static void dont_follow_flag_watches_the_symlink(void **state)
{
    (void)state;
    int fd = new_inotify(0);

    make_file("f", NULL);
    must(symlink("f", "link"));
    int file = must(watch(fd, "f", IN_ATTRIB));
    assert_returns(watch(fd, "link", IN_ATTRIB), file);
    assert_true(must(watch(fd, "link", IN_ATTRIB | IN_DONT_FOLLOW)) != file);
    must(close(fd));
}

/* covers: inotify_add_watch IN_ONESHOT IN_IGNORED */
static void oneshot_flag_ends_the_watch_with_its_event(void **state)
{
    (void)state;
    struct bare seen;
    int fd = new_inotify(IN_NONBLOCK);

    make_file("f", NULL);
    int f = must(open("f", O_WRONLY)), wd = must(watch(fd, "f", IN_MODIFY | IN_ONESHOT));
    assert_returns(write(f, "x", 1), 1);
    assert_returns(read(fd, &seen, sizeof seen), sizeof seen);
    assert_int_equal(seen.event.mask, IN_MODIFY);
    assert_returns(read(fd, &seen, sizeof seen), sizeof seen);
    assert_int_equal(seen.event.mask, IN_IGNORED);
    assert_int_equal(seen.event.wd, wd);
    assert_returns(write(f, "x", 1), 1);
    assert_errno(read(fd, &seen, sizeof seen), EAGAIN);
    assert_errno(inotify_rm_watch(fd, wd), EINVAL);
    must(close(f));
    must(close(fd));
}

/* covers: inotify_rm_watch IN_IGNORED */
static void removed_watch_says_so(void **state)
{
    (void)state;
    struct bare seen;
    int fd = new_inotify(IN_NONBLOCK);

    make_file("f", NULL);
    int wd = must(watch(fd, "f", IN_ALL_EVENTS));
    must(inotify_rm_watch(fd, wd));
    assert_returns(read(fd, &seen, sizeof seen), sizeof seen);
    assert_int_equal(seen.event.mask, IN_IGNORED);
    assert_int_equal(seen.event.wd, wd);
    must(chmod("f", 0600));
    assert_errno(read(fd, &seen, sizeof seen), EAGAIN);
    must(close(fd));
}

/* covers: inotify_add_watch EINVAL EBADF EFAULT ENOENT inotify_rm_watch EINVAL EBADF */
static void arguments_are_checked(void **state)
{
    (void)state;
    int fd = new_inotify(0), null = must(open("/dev/null", O_RDONLY));

    make_file("f", NULL);
    assert_errno(watch(fd, "f", 0), EINVAL);
    assert_errno(watch(fd, "none", IN_MODIFY), ENOENT);
    assert_errno(watch(fd, "", IN_MODIFY), ENOENT);
    assert_errno(watch(fd, BAD_PTR, IN_MODIFY), EFAULT);
    assert_errno(watch(-1, "f", IN_MODIFY), EBADF);
    assert_errno(watch(null, "f", IN_MODIFY), EINVAL);
    assert_errno(inotify_rm_watch(fd, 999), EINVAL);
    assert_errno(inotify_rm_watch(-1, 1), EBADF);
    assert_errno(inotify_rm_watch(null, 1), EINVAL);
    must(close(null));
    must(close(fd));
}

/* covers: inotify_add_watch EACCES */
static void read_right_is_needed(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(chmod("f", 0222));
    as_nobody(int fd = new_inotify(0); assert_errno(watch(fd, "f", IN_MODIFY), EACCES));
}

/* covers: read EINVAL */
static void read_takes_whole_events(void **state)
{
    (void)state;
    char small[sizeof(struct inotify_event) - 1], buffer[256];
    int fd = new_inotify(IN_NONBLOCK);

    must(watch(fd, ".", IN_CREATE));
    make_file("name", NULL);
    assert_errno(read(fd, small, sizeof small), EINVAL);
    assert_errno(read(fd, buffer, sizeof(struct inotify_event)), EINVAL); /* has a name */
    assert_true(must(read(fd, buffer, sizeof buffer)) > (ssize_t)sizeof(struct inotify_event));
    must(close(fd));
}

/* covers: read EINTR */
static void read_waits_for_an_event(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    struct bare seen;
    int fd = new_inotify(0);

    make_file("f", NULL);
    must(watch(fd, "f", IN_ATTRIB));
    interrupts_start(0);
    assert_errno(read(fd, &seen, sizeof seen), EINTR);
    interrupts_stop();
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        assert_returns(read(fd, &seen, sizeof seen), sizeof seen);
        assert_int_equal(seen.event.mask, IN_ATTRIB);
        _exit(0);
    }
    gate_wait_blocked(gate);
    must(chmod("f", 0600));
    assert_child_ok(pid);
    must(close(fd));
}

/* covers: poll ioctl FIONREAD */
static void poll_and_fionread_follow_the_queue(void **state)
{
    (void)state;
    struct bare seen;
    int fd = new_inotify(0), n = -1;
    struct pollfd p = {.fd = fd, .events = POLLIN};

    make_file("f", NULL);
    must(watch(fd, "f", IN_ATTRIB));
    assert_returns(poll(&p, 1, 0), 0);
    must(chmod("f", 0600));
    assert_returns(poll(&p, 1, 0), 1);
    assert_int_equal(p.revents, POLLIN);
    must(ioctl(fd, FIONREAD, &n));
    assert_int_equal(n, sizeof seen);
    assert_returns(read(fd, &seen, sizeof seen), sizeof seen);
    assert_returns(poll(&p, 1, 0), 0);
    must(close(fd));
}

/* covers: read */
static void equal_events_in_a_row_are_one(void **state)
{
    (void)state;
    struct bare seen[4];
    int fd = new_inotify(IN_NONBLOCK);

    make_file("f", NULL);
    int f = must(open("f", O_WRONLY));
    must(watch(fd, "f", IN_MODIFY | IN_ATTRIB));
    for (int i = 0; i < 3; i++)
        assert_returns(write(f, "x", 1), 1);
    must(fchmod(f, 0600));
    assert_returns(write(f, "x", 1), 1);
    assert_returns(read(fd, seen, sizeof seen), 3 * sizeof seen[0]);
    assert_int_equal(seen[0].event.mask, IN_MODIFY);
    assert_int_equal(seen[1].event.mask, IN_ATTRIB);
    assert_int_equal(seen[2].event.mask, IN_MODIFY);
    must(close(f));
    must(close(fd));
}

/* covers: inotify_add_watch IN_ISDIR EINVAL */
static void mask_of_what_nobody_asks_for_is_good(void **state)
{
    (void)state;
    int fd = new_inotify(IN_NONBLOCK);
    char buf[64];

    make_file("f", "abc");
    must(watch(fd, "f", IN_ISDIR));
    assert_file_text("f", "abc");
    assert_errno(read(fd, buf, sizeof buf), EAGAIN);
    assert_errno(watch(fd, "f", 0), EINVAL);
    assert_errno(watch(fd, "f", 0x00100000), EINVAL); /* a bit that means nothing */
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_set_when_asked),
        cmocka_unit_test(no_descriptor_is_left),
        tempdir_test(each_path_gets_a_number_and_the_same_file_the_same),
        tempdir_test(second_mask_replaces_the_first_or_adds_to_it),
        tempdir_test(create_flag_refuses_a_watch_that_is_there),
        tempdir_test(onlydir_flag_refuses_other_files),
        tempdir_test(dont_follow_flag_watches_the_symlink),
        tempdir_test(oneshot_flag_ends_the_watch_with_its_event),
        tempdir_test(removed_watch_says_so),
        tempdir_test(arguments_are_checked),
        tempdir_test(read_right_is_needed),
        tempdir_test(read_takes_whole_events),
        tempdir_test(read_waits_for_an_event),
        tempdir_test(poll_and_fionread_follow_the_queue),
        tempdir_test(equal_events_in_a_row_are_one),
        tempdir_test(mask_of_what_nobody_asks_for_is_good),
    };

    return cmocka_run_group_tests_name("fs/inotify", tests, NULL, NULL);
}
