/* truncate.c: truncate(2) and ftruncate(2). */
#include "../lib/check.h"

#include <sys/resource.h>

static long do_truncate(const char *path, off_t length)
{
    return syscall(SYS_truncate, path, length);
}

static off_t size_of(const char *path)
{
    struct stat st;

    must(stat(path, &st));
    return st.st_size;
}

/* covers: truncate */
static void file_gets_shorter(void **state)
{
    (void)state;
    make_file("f", "abcdef");
    must(do_truncate("f", 2));
    assert_file_text("f", "ab");
    must(do_truncate("f", 0));
    assert_file_text("f", "");
}

/* covers: truncate ftruncate */
static void file_gets_longer_with_zeros(void **state)
{
    (void)state;
    char text[8];

    make_file("f", "ab");
    must(do_truncate("f", 5));
    int fd = must(open("f", O_RDWR));
    assert_returns(read(fd, text, sizeof text), 5);
    assert_memory_equal(text, "ab\0\0\0", 5);
    must(ftruncate(fd, 1 << 30));
    assert_int_equal(size_of("f"), 1 << 30);
    must(close(fd));
}

/* covers: ftruncate */
static void what_was_cut_off_does_not_come_back(void **state)
{
    (void)state;
    char text[8];

    make_file("f", "secret");
    int fd = must(open("f", O_RDWR));
    must(ftruncate(fd, 1));
    must(ftruncate(fd, 6));
    assert_returns(read(fd, text, sizeof text), 6);
    assert_memory_equal(text, "s\0\0\0\0\0", 6);
    must(close(fd));
}

/* covers: ftruncate */
static void offset_stays(void **state)
{
    (void)state;
    make_file("f", "abcdef");
    int fd = must(open("f", O_RDWR));
    must(lseek(fd, 4, SEEK_SET));
    must(ftruncate(fd, 2));
    assert_returns(lseek(fd, 0, SEEK_CUR), 4);
    assert_returns(write(fd, "Z", 1), 1);
    assert_int_equal(size_of("f"), 5);
    must(close(fd));
}

/* covers: truncate ftruncate */
static void times_move(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    struct stat st;

    make_file("f", "abcdef");
    must(utimensat(AT_FDCWD, "f", times, 0));
    must(do_truncate("f", 2));
    must(stat("f", &st));
    assert_true(st.st_mtim.tv_sec > 2000);
    assert_int_equal(st.st_atim.tv_sec, 1000);
}

/* covers: truncate */
static void symlink_is_followed(void **state)
{
    (void)state;
    make_file("f", "abcdef");
    must(symlink("f", "link"));
    must(do_truncate("link", 3));
    assert_file_text("f", "abc");
}

/* covers: truncate EINVAL ftruncate EINVAL */
static void negative_length_is_refused(void **state)
{
    (void)state;
    make_file("f", "abc");
    int fd = must(open("f", O_RDWR));
    assert_errno(do_truncate("f", -1), EINVAL);
    assert_errno(ftruncate(fd, -1), EINVAL);
    must(close(fd));
}

/* covers: truncate EISDIR ftruncate EINVAL */
static void folder_is_refused(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    assert_errno(do_truncate("d", 0), EISDIR);
    int fd = must(open("d", O_RDONLY));
    assert_errno(ftruncate(fd, 0), EINVAL);
    must(close(fd));
}

/* covers: truncate EINVAL ftruncate EINVAL */
static void pipe_and_fifo_are_refused(void **state)
{
    (void)state;
    int fds[2];

    must(pipe(fds));
    assert_errno(ftruncate(fds[1], 0), EINVAL);
    must(close(fds[0]));
    must(close(fds[1]));
    must(mkfifo("p", 0644));
    assert_errno(do_truncate("p", 0), EINVAL);
}

/* covers: ftruncate EINVAL */
static void read_only_descriptor_is_refused(void **state)
{
    (void)state;
    make_file("f", "abc");
    int fd = must(open("f", O_RDONLY));
    assert_errno(ftruncate(fd, 0), EINVAL);
    must(close(fd));
}

/* covers: ftruncate EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    assert_errno(ftruncate(-1, 0), EBADF);
    assert_errno(ftruncate(100000, 0), EBADF);
}

/* covers: truncate EACCES */
static void write_right_is_needed(void **state)
{
    (void)state;
    make_file("f", "abc");
    must(chmod("f", 0444));
    as_nobody(assert_errno(do_truncate("f", 0), EACCES));
    must(mkdir("d", 0755));
    make_file("d/f", "abc");
    must(chmod("d/f", 0666));
    must(chmod("d", 0666));
    as_nobody(assert_errno(do_truncate("d/f", 0), EACCES));
}

/* covers: truncate ENOENT ENOTDIR ELOOP ENAMETOOLONG EFAULT */
static void path_errors(void **state)
{
    (void)state;
    char name[257];

    make_file("f", NULL);
    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_truncate("none", 0), ENOENT);
    assert_errno(do_truncate("", 0), ENOENT);
    assert_errno(do_truncate("f/x", 0), ENOTDIR);
    assert_errno(do_truncate("a", 0), ELOOP);
    assert_errno(do_truncate(name, 0), ENAMETOOLONG);
    assert_errno(do_truncate(BAD_PTR, 0), EFAULT);
}

/* covers: truncate EFBIG ftruncate EFBIG setrlimit RLIMIT_FSIZE */
static void file_size_limit_is_respected(void **state)
{
    (void)state;
    make_file("f", "abc");
    in_child(struct rlimit limit; signal(SIGXFSZ, SIG_IGN); must(getrlimit(RLIMIT_FSIZE, &limit));
             limit.rlim_cur = 100; must(setrlimit(RLIMIT_FSIZE, &limit));
             must(do_truncate("f", 100)); assert_errno(do_truncate("f", 101), EFBIG);
             int fd = must(open("f", O_RDWR)); assert_errno(ftruncate(fd, 101), EFBIG);
             must(ftruncate(fd, 1)));
    assert_int_equal(size_of("f"), 1);
}

/* covers: ftruncate */
static void set_id_bits_are_taken_away(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", "abc");
    must(chmod("f", 06777));
    as_nobody(int fd = must(open("f", O_WRONLY)); must(ftruncate(fd, 1)));
    must(stat("f", &st));
    assert_int_equal(st.st_mode & 07777, 0777);
}

/* covers: ftruncate mmap */
static void mapping_beyond_the_new_end_faults(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDWR));
    must(ftruncate(fd, 8192));
    volatile char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    map[0] = 'a';
    map[4096] = 'b';
    must(ftruncate(fd, 100));
    assert_int_equal(map[0], 'a');
    pid_t pid = child_fork();
    if (pid == 0) {
        map[4096] = 'c';
        _exit(0);
    }
    assert_killed_by(child_wait(pid), SIGBUS);
    must(ftruncate(fd, 8192));
    assert_int_equal(map[4096], 0);
    must(munmap((void *)map, 8192));
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(file_gets_shorter),
        tempdir_test(file_gets_longer_with_zeros),
        tempdir_test(what_was_cut_off_does_not_come_back),
        tempdir_test(offset_stays),
        tempdir_test(times_move),
        tempdir_test(symlink_is_followed),
        tempdir_test(negative_length_is_refused),
        tempdir_test(folder_is_refused),
        tempdir_test(pipe_and_fifo_are_refused),
        tempdir_test(read_only_descriptor_is_refused),
        cmocka_unit_test(bad_descriptor_is_refused),
        tempdir_test(write_right_is_needed),
        tempdir_test(path_errors),
        tempdir_test(file_size_limit_is_respected),
        tempdir_test(set_id_bits_are_taken_away),
        tempdir_test(mapping_beyond_the_new_end_faults),
    };

    return cmocka_run_group_tests_name("fs/truncate", tests, NULL, NULL);
}
