/* open_flags.c: the flags of open(2) that shape the open file description. */
#include "../lib/check.h"

/* covers: openat O_RDONLY O_WRONLY O_RDWR read EBADF write EBADF */
static void access_mode_limits_reading_and_writing(void **state)
{
    (void)state;
    char c;

    make_file("f", "x");
    int r = must(open("f", O_RDONLY));
    int w = must(open("f", O_WRONLY));
    assert_errno(write(r, "y", 1), EBADF);
    assert_errno(read(w, &c, 1), EBADF);
    must(close(r));
    must(close(w));
    int rw = must(open("f", O_RDWR));
    assert_returns(read(rw, &c, 1), 1);
    assert_returns(write(rw, "y", 1), 1);
    must(close(rw));
}

/* covers: openat O_ACCMODE EACCES */
static void access_mode_three_allows_neither_but_checks_both(void **state)
{
    (void)state;
    char c;

    make_file("f", "x");
    int fd = must(open("f", O_ACCMODE));
    assert_errno(read(fd, &c, 1), EBADF);
    assert_errno(write(fd, "y", 1), EBADF);
    must(close(fd));
    must(chmod("f", 0444));
    as_nobody(assert_errno(open("f", O_ACCMODE), EACCES));
}

/* covers: openat O_TRUNC */
static void trunc_empties_the_file(void **state)
{
    (void)state;
    make_file("f", "something");
    must(close(must(open("f", O_WRONLY | O_TRUNC))));
    assert_file_text("f", "");
}

/* covers: openat O_APPEND */
static void append_writes_at_the_end_whatever_the_offset(void **state)
{
    (void)state;
    make_file("f", "one");
    int fd = must(open("f", O_WRONLY | O_APPEND));

    must(lseek(fd, 0, SEEK_SET));
    assert_returns(write(fd, "two", 3), 3);
    assert_returns(lseek(fd, 0, SEEK_CUR), 6);
    must(close(fd));
    assert_file_text("f", "onetwo");
}

/* covers: openat O_APPEND */
static void append_reads_from_the_offset(void **state)
{
    (void)state;
    char text[4] = "";

    make_file("f", "one");
    int fd = must(open("f", O_RDWR | O_APPEND));
    assert_returns(read(fd, text, 3), 3);
    assert_string_equal(text, "one");
    must(close(fd));
}

/* covers: openat O_APPEND */
static void append_writers_do_not_overwrite_each_other(void **state)
{
    (void)state;
    enum { WRITERS = 4, LINES = 200 };
    pid_t pids[WRITERS];

    make_file("f", NULL);
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = child_fork();
        if (pids[i] == 0) {
            int fd = must(open("f", O_WRONLY | O_APPEND));
            for (int n = 0; n < LINES; n++)
                assert_returns(write(fd, "0123456789", 10), 10);
            _exit(0);
        }
    }
    for (int i = 0; i < WRITERS; i++)
        assert_child_ok(pids[i]);

    struct stat st;
    must(stat("f", &st));
    assert_int_equal(st.st_size, WRITERS * LINES * 10);
}

/* covers: openat O_CLOEXEC fcntl F_GETFD */
static void cloexec_sets_the_descriptor_flag(void **state)
{
    (void)state;
    make_file("f", NULL);
    int with = must(open("f", O_RDONLY | O_CLOEXEC));
    int without = must(open("f", O_RDONLY));

    assert_returns(fcntl(with, F_GETFD), FD_CLOEXEC);
    assert_returns(fcntl(without, F_GETFD), 0);
    must(close(with));
    must(close(without));
}

/* covers: openat O_DIRECTORY */
static void directory_flag_opens_a_folder(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(close(must(open("d", O_RDONLY | O_DIRECTORY))));
    must(close(must(open("d/", O_RDONLY | O_DIRECTORY))));
}

/* covers: openat O_DIRECTORY ENOTDIR */
static void directory_flag_refuses_other_files(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(mkfifo("p", 0644));
    assert_errno(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    assert_errno(open("p", O_RDONLY | O_DIRECTORY | O_NONBLOCK), ENOTDIR);
}

/* covers: openat O_DIRECTORY */
static void directory_flag_follows_a_symlink_to_a_folder(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(symlink("d", "link"));
    must(close(must(open("link", O_RDONLY | O_DIRECTORY))));
}

/* covers: openat read EISDIR */
static void folder_cannot_be_read_as_a_file(void **state)
{
    (void)state;
    char c;
    int fd = must(open(".", O_RDONLY));

    assert_errno(read(fd, &c, 1), EISDIR);
    assert_errno(write(fd, "x", 1), EBADF);
    must(close(fd));
}

/* covers: openat O_NOFOLLOW ELOOP */
static void nofollow_refuses_a_last_symlink(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(symlink("f", "link"));
    assert_errno(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    assert_errno(open("link", O_CREAT | O_WRONLY | O_NOFOLLOW, 0644), ELOOP);
}

/* covers: openat O_NOFOLLOW O_DIRECTORY ENOTDIR */
static void nofollow_with_directory_refuses_a_symlink_to_a_folder(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(symlink("d", "link"));
    assert_errno(open("link", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
}

/* covers: openat O_NOFOLLOW */
static void nofollow_follows_symlinks_before_the_last_name(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(symlink("d", "link"));
    must(close(must(open("link/f", O_RDONLY | O_NOFOLLOW))));
}

/* covers: openat O_APPEND O_NONBLOCK O_NOATIME O_SYNC O_DSYNC fcntl F_GETFL */
static void getfl_shows_access_mode_and_status_flags(void **state)
{
    (void)state;
    static const int flags[] = {O_RDONLY,   O_WRONLY, O_RDWR,  O_APPEND | O_WRONLY,
                                O_NONBLOCK, O_SYNC,   O_DSYNC, O_NOATIME};

    make_file("f", NULL);
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        int fd = must(open("f", flags[i]));
        /* open of a 64-bit program shows O_LARGEFILE, which glibc defines as 0 */
        assert_int_equal(fcntl(fd, F_GETFL) & ~0100000, flags[i]);
        must(close(fd));
    }
}

/* covers: openat O_LARGEFILE fcntl F_GETFL */
static void getfl_shows_largefile_of_64_bit_programs(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));

    assert_int_equal(fcntl(fd, F_GETFL) & 0100000, 0100000);
    must(close(fd));
}

/* covers: openat O_CREAT O_EXCL O_TRUNC O_NOCTTY fcntl F_GETFL */
static void getfl_hides_the_flags_of_creation(void **state)
{
    (void)state;
    int fd = must(open("f", O_RDWR | O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY, 0644));

    assert_int_equal(fcntl(fd, F_GETFL) & ~0100000, O_RDWR);
    must(close(fd));
}

/* covers: openat O_DIRECTORY O_NOFOLLOW fcntl F_GETFL */
static void getfl_shows_directory_and_nofollow(void **state)
{
    (void)state;
    int fd = must(open(".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));

    assert_int_equal(fcntl(fd, F_GETFL) & ~0100000, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    must(close(fd));
}

/* covers: openat */
static void unknown_flags_are_ignored(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = (int)must(syscall(SYS_openat, AT_FDCWD, "f", O_RDONLY | 0x08000000));

    assert_int_equal(fcntl(fd, F_GETFL) & ~0100000, O_RDONLY);
    must(close(fd));
}

/* covers: openat O_NOATIME EPERM */
static void noatime_is_for_the_owner(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    as_nobody(assert_errno(open("f", O_RDONLY | O_NOATIME), EPERM); must(open("f", O_RDONLY)));
    must(close(must(open("f", O_RDONLY | O_NOATIME))));
}

/* covers: openat O_NOATIME */
static void noatime_read_leaves_the_access_time(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 500}};
    struct stat st;
    char c;

    make_file("f", "x");
    must(utimensat(AT_FDCWD, "f", times, 0));
    int fd = must(open("f", O_RDONLY | O_NOATIME));
    assert_returns(read(fd, &c, 1), 1);
    must(close(fd));
    must(stat("f", &st));
    assert_int_equal(st.st_atim.tv_sec, 1000);
}

/* covers: openat O_SYNC O_DSYNC */
static void sync_writes_can_be_read_back(void **state)
{
    (void)state;
    int fd = must(open("f", O_CREAT | O_WRONLY | O_SYNC, 0644));
    assert_returns(write(fd, "ab", 2), 2);
    must(close(fd));
    fd = must(open("f", O_WRONLY | O_DSYNC | O_APPEND));
    assert_returns(write(fd, "cd", 2), 2);
    must(close(fd));
    assert_file_text("f", "abcd");
}

/* covers: openat O_NONBLOCK */
static void nonblock_does_not_disturb_a_regular_file(void **state)
{
    (void)state;
    char text[4];

    make_file("f", "abc");
    int fd = must(open("f", O_RDWR | O_NONBLOCK));
    assert_returns(read(fd, text, sizeof text), 3);
    assert_returns(read(fd, text, sizeof text), 0);
    must(close(fd));
}

/* covers: openat O_NONBLOCK */
static void fifo_reader_opens_at_once_when_nonblocking(void **state)
{
    (void)state;
    char c;

    must(mkfifo("p", 0644));
    int fd = must(open("p", O_RDONLY | O_NONBLOCK));
    assert_returns(read(fd, &c, 1), 0);
    must(close(fd));
}

/* covers: openat */
static void fifo_reader_waits_for_a_writer(void **state)
{
    (void)state;
    struct gate *gate = gate_new();

    must(mkfifo("p", 0644));
    pid_t pid = child_fork();
    if (pid == 0) {
        char c;
        gate_open(gate);
        int fd = must(open("p", O_RDONLY));
        assert_returns(read(fd, &c, 1), 1);
        assert_int_equal(c, 'w');
        _exit(0);
    }
    gate_wait_blocked(gate);
    int fd = must(open("p", O_WRONLY));
    assert_returns(write(fd, "w", 1), 1);
    assert_child_ok(pid);
    must(close(fd));
}

/* covers: openat */
static void fifo_writer_waits_for_a_reader(void **state)
{
    (void)state;
    struct gate *gate = gate_new();

    must(mkfifo("p", 0644));
    pid_t pid = child_fork();
    if (pid == 0) {
        gate_open(gate);
        int fd = must(open("p", O_WRONLY));
        assert_returns(write(fd, "w", 1), 1);
        _exit(0);
    }
    gate_wait_blocked(gate);
    char c;
    int fd = must(open("p", O_RDONLY));
    assert_returns(read(fd, &c, 1), 1);
    assert_child_ok(pid);
    must(close(fd));
}

/* covers: openat O_RDWR */
static void fifo_opened_for_both_does_not_wait(void **state)
{
    (void)state;
    char c;

    must(mkfifo("p", 0644));
    int fd = must(open("p", O_RDWR));
    assert_returns(write(fd, "a", 1), 1);
    assert_returns(read(fd, &c, 1), 1);
    must(close(fd));
}

/* covers: openat EINTR */
static void wait_in_fifo_open_is_interrupted(void **state)
{
    (void)state;
    must(mkfifo("p", 0644));
    interrupts_start(0);
    assert_errno(open("p", O_RDONLY), EINTR);
    interrupts_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(access_mode_limits_reading_and_writing),
        tempdir_test(access_mode_three_allows_neither_but_checks_both),
        tempdir_test(trunc_empties_the_file),
        tempdir_test(append_writes_at_the_end_whatever_the_offset),
        tempdir_test(append_reads_from_the_offset),
        tempdir_test(append_writers_do_not_overwrite_each_other),
        tempdir_test(cloexec_sets_the_descriptor_flag),
        tempdir_test(directory_flag_opens_a_folder),
        tempdir_test(directory_flag_refuses_other_files),
        tempdir_test(directory_flag_follows_a_symlink_to_a_folder),
        tempdir_test(folder_cannot_be_read_as_a_file),
        tempdir_test(nofollow_refuses_a_last_symlink),
        tempdir_test(nofollow_with_directory_refuses_a_symlink_to_a_folder),
        tempdir_test(nofollow_follows_symlinks_before_the_last_name),
        tempdir_test(getfl_shows_access_mode_and_status_flags),
        tempdir_test(getfl_shows_largefile_of_64_bit_programs),
        tempdir_test(getfl_hides_the_flags_of_creation),
        tempdir_test(getfl_shows_directory_and_nofollow),
        tempdir_test(unknown_flags_are_ignored),
        tempdir_test(noatime_is_for_the_owner),
        tempdir_test(noatime_read_leaves_the_access_time),
        tempdir_test(sync_writes_can_be_read_back),
        tempdir_test(nonblock_does_not_disturb_a_regular_file),
        tempdir_test(fifo_reader_opens_at_once_when_nonblocking),
        tempdir_test(fifo_reader_waits_for_a_writer),
        tempdir_test(fifo_writer_waits_for_a_reader),
        tempdir_test(fifo_opened_for_both_does_not_wait),
        tempdir_test(wait_in_fifo_open_is_interrupted),
    };

    return cmocka_run_group_tests_name("fs/open_flags", tests, NULL, NULL);
}
