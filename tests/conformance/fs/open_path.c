/* open_path.c: O_PATH of open(2): a descriptor that only names a file. */
#include "../lib/check.h"

#include <sys/ioctl.h>
#include <sys/vfs.h>

static int open_path(const char *path, int flags)
{
    return must(open(path, O_PATH | flags));
}

/* covers: openat O_PATH read EBADF write EBADF pread64 EBADF lseek EBADF */
static void content_is_out_of_reach(void **state)
{
    (void)state;
    char c;

    make_file("f", "x");
    int fd = open_path("f", 0);
    assert_errno(read(fd, &c, 1), EBADF);
    assert_errno(write(fd, "y", 1), EBADF);
    assert_errno(pread(fd, &c, 1, 0), EBADF);
    assert_errno(lseek(fd, 0, SEEK_SET), EBADF);
    must(close(fd));
}

/* covers: fchmod EBADF fchown EBADF ftruncate EBADF ioctl EBADF fsync EBADF */
static void changes_are_out_of_reach(void **state)
{
    (void)state;
    int n;

    make_file("f", "x");
    int fd = open_path("f", 0);
    assert_errno(syscall(SYS_fchmod, fd, 0600), EBADF);
    assert_errno(fchown(fd, -1, -1), EBADF);
    assert_errno(ftruncate(fd, 0), EBADF);
    assert_errno(ioctl(fd, FIONREAD, &n), EBADF);
    assert_errno(fsync(fd), EBADF);
    assert_errno(syscall(SYS_fgetxattr, fd, "user.x", &n, sizeof n), EBADF);
    must(close(fd));
}

/* covers: mmap EBADF */
static void mapping_is_refused(void **state)
{
    (void)state;
    make_file("f", "x");
    int fd = open_path("f", 0);

    assert_errno(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), EBADF);
    must(close(fd));
}

/* covers: openat O_PATH */
static void no_right_on_the_file_itself_is_needed(void **state)
{
    (void)state;
    make_file("f", "x");
    must(chmod("f", 0));
    as_nobody(must(open("f", O_PATH)); assert_errno(open("f", O_RDONLY), EACCES));
}

/* covers: openat O_PATH EACCES */
static void search_right_on_the_folders_is_needed(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(chmod("d", 0));
    as_nobody(assert_errno(open("d/f", O_PATH), EACCES));
}

/* covers: openat O_PATH ENOENT */
static void missing_file_is_refused_even_with_creat(void **state)
{
    (void)state;
    assert_errno(open("none", O_PATH), ENOENT);
    assert_errno(open("none", O_PATH | O_CREAT, 0644), ENOENT);
}

/* covers: fstat fstatfs O_PATH */
static void fstat_and_fstatfs_work(void **state)
{
    (void)state;
    struct stat st;
    struct statfs fs;

    make_file("f", "four");
    int fd = open_path("f", 0);
    must(fstat(fd, &st));
    assert_int_equal(st.st_size, 4);
    must(fstatfs(fd, &fs));
    must(close(fd));
}

/* covers: fcntl F_GETFL openat O_PATH O_DIRECTORY O_NOFOLLOW */
static void getfl_shows_only_path_flags(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = open_path("f", O_RDWR | O_APPEND | O_TRUNC);
    assert_returns(fcntl(fd, F_GETFL), O_PATH);
    must(close(fd));

    fd = open_path(".", O_DIRECTORY | O_NOFOLLOW);
    assert_returns(fcntl(fd, F_GETFL), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    must(close(fd));
}

/* covers: fcntl F_SETFD F_GETFD F_DUPFD dup O_PATH */
static void descriptor_flags_and_duplicates_work(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = open_path("f", O_CLOEXEC);

    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    must(fcntl(fd, F_SETFD, 0));
    assert_returns(fcntl(fd, F_GETFD), 0);
    int copy = must(dup(fd));
    assert_returns(fcntl(copy, F_GETFL), O_PATH);
    must(close(copy));
    copy = must(fcntl(fd, F_DUPFD, 50));
    must(close(copy));
    must(close(fd));
}

/* covers: fcntl F_SETFL EBADF */
static void status_flags_cannot_be_set(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = open_path("f", 0);

    assert_errno(fcntl(fd, F_SETFL, O_NONBLOCK), EBADF);
    must(close(fd));
}

/* covers: openat O_PATH */
static void serves_as_folder_of_at_calls(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", "in");
    int dir = open_path("d", O_DIRECTORY);
    int fd = must(openat(dir, "f", O_RDONLY));
    struct stat st;

    must(fstatat(dir, "f", &st, 0));
    must(close(fd));
    must(close(dir));
}

/* covers: fchdir openat O_PATH */
static void serves_as_folder_of_fchdir(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    int dir = open_path("d", 0);

    must(fchdir(dir));
    assert_true(path_exists("f"));
    must(close(dir));
    must(chdir(*state));
}

/* covers: openat O_PATH ENOTDIR */
static void file_opened_by_path_is_no_folder(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = open_path("f", 0);

    assert_errno(openat(fd, "x", O_RDONLY), ENOTDIR);
    assert_errno(fchdir(fd), ENOTDIR);
    must(close(fd));
}

/* covers: openat O_PATH O_NOFOLLOW readlinkat newfstatat AT_EMPTY_PATH */
static void nofollow_gives_the_symlink_itself(void **state)
{
    (void)state;
    char text[16];
    struct stat st;

    must(symlink("target", "link"));
    int fd = open_path("link", O_NOFOLLOW);
    must(fstat(fd, &st));
    assert_true(S_ISLNK(st.st_mode));
    assert_returns(readlinkat(fd, "", text, sizeof text), 6);
    assert_memory_equal(text, "target", 6);
    must(fstatat(fd, "", &st, AT_EMPTY_PATH));
    assert_true(S_ISLNK(st.st_mode));
    must(close(fd));
}

/* covers: openat O_PATH O_NOFOLLOW O_DIRECTORY ENOTDIR */
static void nofollow_with_directory_refuses_the_symlink(void **state)
{
    (void)state;
    must(symlink(".", "link"));
    assert_errno(open("link", O_PATH | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
}

/* covers: openat O_PATH */
static void file_can_be_opened_again_through_proc(void **state)
{
    (void)state;
    char path[64];

    make_file("f", "text");
    int fd = open_path("f", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    assert_file_text(path, "text");
    must(close(fd));
}

/* covers: openat O_PATH */
static void fifo_opens_at_once(void **state)
{
    (void)state;
    must(mkfifo("p", 0644));
    must(close(open_path("p", 0)));
}

/* covers: linkat AT_SYMLINK_FOLLOW openat O_PATH */
static void file_can_be_linked_through_proc(void **state)
{
    (void)state;
    char path[64];

    make_file("f", "text");
    int fd = open_path("f", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    must(linkat(AT_FDCWD, path, AT_FDCWD, "g", AT_SYMLINK_FOLLOW));
    assert_file_text("g", "text");
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(content_is_out_of_reach),
        tempdir_test(changes_are_out_of_reach),
        tempdir_test(mapping_is_refused),
        tempdir_test(no_right_on_the_file_itself_is_needed),
        tempdir_test(search_right_on_the_folders_is_needed),
        tempdir_test(missing_file_is_refused_even_with_creat),
        tempdir_test(fstat_and_fstatfs_work),
        tempdir_test(getfl_shows_only_path_flags),
        tempdir_test(descriptor_flags_and_duplicates_work),
        tempdir_test(status_flags_cannot_be_set),
        tempdir_test(serves_as_folder_of_at_calls),
        tempdir_test(serves_as_folder_of_fchdir),
        tempdir_test(file_opened_by_path_is_no_folder),
        tempdir_test(nofollow_gives_the_symlink_itself),
        tempdir_test(nofollow_with_directory_refuses_the_symlink),
        tempdir_test(file_can_be_opened_again_through_proc),
        tempdir_test(fifo_opens_at_once),
        tempdir_test(file_can_be_linked_through_proc),
    };

    return cmocka_run_group_tests_name("fs/open_path", tests, NULL, NULL);
}
