/* openat.c: open(2) and openat(2): which file is meant, and why it is refused. */
/* tags: trap */
#include "../lib/check.h"

#include <sys/socket.h>
#include <sys/sendfile.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static mode_t mode_of(const char *path)
{
    struct stat st;

    must(lstat(path, &st));
    return st.st_mode & 07777;
}

/* covers: openat O_CREAT */
static void creates_empty_file_when_asked(void **state)
{
    (void)state;
    int fd = must(openat(AT_FDCWD, "new", O_CREAT | O_RDWR, 0640));
    struct stat st;

    must(fstat(fd, &st));
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_size, 0);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(st.st_uid, geteuid());
    must(close(fd));
}

/* covers: openat O_CREAT umask */
static void mode_of_new_file_is_masked_by_umask(void **state)
{
    (void)state;
    umask(027);
    must(close(must(openat(AT_FDCWD, "new", O_CREAT | O_WRONLY, 0666))));
    assert_int_equal(mode_of("new"), 0640);
}

/* covers: openat O_CREAT */
static void mode_of_new_file_may_have_set_id_and_sticky_bits(void **state)
{
    (void)state;
    umask(0);
    must(close(must(openat(AT_FDCWD, "new", O_CREAT | O_WRONLY, 05711))));
    assert_int_equal(mode_of("new"), 05711);
}

/* covers: openat O_CREAT */
static void new_file_without_write_right_can_be_written_through_its_descriptor(void **state)
{
    (void)state;
    int fd = must(openat(AT_FDCWD, "new", O_CREAT | O_RDWR, 0));

    assert_returns(write(fd, "abc", 3), 3);
    must(close(fd));
}

/* covers: openat O_CREAT */
static void mode_of_existing_file_is_kept(void **state)
{
    (void)state;
    make_file("old", "text");
    must(chmod("old", 0600));
    must(close(must(openat(AT_FDCWD, "old", O_CREAT | O_WRONLY, 0644))));
    assert_int_equal(mode_of("old"), 0600);
    assert_file_text("old", "text");
}

/* covers: openat */
static void gives_the_lowest_free_descriptor(void **state)
{
    (void)state;
    make_file("f", NULL);
    int a = must(openat(AT_FDCWD, "f", O_RDONLY));
    int b = must(openat(AT_FDCWD, "f", O_RDONLY));
    int c = must(openat(AT_FDCWD, "f", O_RDONLY));

    must(close(a));
    must(close(b));
    assert_returns(openat(AT_FDCWD, "f", O_RDONLY), a);
    assert_returns(openat(AT_FDCWD, "f", O_RDONLY), b);
    must(close(a));
    must(close(b));
    must(close(c));
}

/* covers: openat */
static void each_open_has_its_own_offset(void **state)
{
    (void)state;
    char c[2];

    make_file("f", "xyz");
    int a = must(openat(AT_FDCWD, "f", O_RDONLY));
    int b = must(openat(AT_FDCWD, "f", O_RDONLY));
    assert_returns(read(a, c, 1), 1);
    assert_returns(lseek(b, 0, SEEK_CUR), 0);
    assert_returns(lseek(a, 0, SEEK_CUR), 1);
    must(close(a));
    must(close(b));
}

/* covers: openat ENOENT */
static void missing_file_is_refused(void **state)
{
    (void)state;
    assert_errno(openat(AT_FDCWD, "none", O_RDONLY), ENOENT);
    assert_errno(openat(AT_FDCWD, "none", O_RDWR | O_TRUNC), ENOENT);
}

/* covers: openat ENOENT O_CREAT */
static void missing_folder_in_the_path_is_refused(void **state)
{
    (void)state;
    assert_errno(openat(AT_FDCWD, "none/f", O_CREAT | O_RDWR, 0644), ENOENT);
}

/* covers: openat ENOENT */
static void empty_path_is_refused(void **state)
{
    (void)state;
    assert_errno(openat(AT_FDCWD, "", O_RDONLY), ENOENT);
    assert_errno(openat(AT_FDCWD, "", O_CREAT | O_RDWR, 0644), ENOENT);
}

/* covers: openat ENOENT */
static void dangling_symlink_is_refused_without_creat(void **state)
{
    (void)state;
    must(symlink("target", "link"));
    assert_errno(openat(AT_FDCWD, "link", O_RDONLY), ENOENT);
}

/* covers: openat O_CREAT */
static void creat_through_dangling_symlink_makes_its_target(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(symlink("d/target", "link"));
    must(close(must(openat(AT_FDCWD, "link", O_CREAT | O_WRONLY, 0644))));
    assert_true(path_exists("d/target"));
}

/* covers: openat EEXIST O_EXCL */
static void excl_refuses_existing_file(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(openat(AT_FDCWD, "f", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
}

/* covers: openat EEXIST O_EXCL */
static void excl_refuses_existing_folder(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    assert_errno(openat(AT_FDCWD, "d", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
}

/* covers: openat EEXIST O_EXCL */
static void excl_does_not_follow_dangling_symlink(void **state)
{
    (void)state;
    must(symlink("target", "link"));
    assert_errno(openat(AT_FDCWD, "link", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
    assert_false(path_exists("target"));
}

/* covers: openat O_CREAT O_EXCL */
static void excl_makes_a_new_file(void **state)
{
    (void)state;
    must(close(must(openat(AT_FDCWD, "f", O_CREAT | O_EXCL | O_RDWR, 0644))));
    assert_true(path_exists("f"));
}

/* covers: openat ENOTDIR */
static void file_in_the_middle_of_a_path_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(openat(AT_FDCWD, "f/x", O_RDONLY), ENOTDIR);
    assert_errno(openat(AT_FDCWD, "f/x", O_CREAT | O_RDWR, 0644), ENOTDIR);
    assert_errno(openat(AT_FDCWD, "f/", O_RDONLY), ENOTDIR);
    assert_errno(openat(AT_FDCWD, "f/.", O_RDONLY), ENOTDIR);
}

/* covers: openat EISDIR */
static void writing_a_folder_is_refused(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    assert_errno(openat(AT_FDCWD, "d", O_WRONLY), EISDIR);
    assert_errno(openat(AT_FDCWD, "d", O_RDWR), EISDIR);
    assert_errno(openat(AT_FDCWD, ".", O_WRONLY), EISDIR);
}

/* covers: openat EISDIR O_TRUNC */
static void truncating_a_folder_is_refused(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    assert_errno(openat(AT_FDCWD, "d", O_RDONLY | O_TRUNC), EISDIR);
}

/* covers: openat EISDIR O_CREAT */
static void creat_of_existing_folder_is_refused(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    assert_errno(openat(AT_FDCWD, "d", O_CREAT | O_RDONLY, 0644), EISDIR);
}

/* covers: openat EISDIR O_CREAT */
static void creat_of_name_with_trailing_slash_is_refused(void **state)
{
    (void)state;
    assert_errno(openat(AT_FDCWD, "new/", O_CREAT | O_RDWR, 0644), EISDIR);
    assert_false(path_exists("new"));
}

/* covers: openat */
static void path_is_relative_to_the_folder_descriptor(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", "inside");
    int dir = must(open("d", O_RDONLY | O_DIRECTORY));
    int fd = must(openat(dir, "f", O_RDONLY));
    char text[8];

    assert_returns(read(fd, text, sizeof text), 6);
    must(close(fd));
    must(close(dir));
}

/* covers: openat */
static void absolute_path_ignores_the_folder_descriptor(void **state)
{
    (void)state;
    must(close(must(openat(-1, "/", O_RDONLY))));
    must(close(must(openat(12345, *state, O_RDONLY))));
}

/* covers: openat EBADF */
static void relative_path_needs_a_valid_descriptor(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(openat(-1, "f", O_RDONLY), EBADF);
    assert_errno(openat(12345, "f", O_RDONLY), EBADF);
}

/* covers: openat ENOTDIR */
static void relative_path_needs_a_folder_descriptor(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));

    assert_errno(openat(fd, "f", O_RDONLY), ENOTDIR);
    must(close(fd));
}

/* covers: openat EFAULT */
static void bad_path_address_faults(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_openat, AT_FDCWD, BAD_PTR, O_RDONLY), EFAULT);
    assert_errno(syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY), EFAULT);
    assert_errno(syscall(SYS_open, BAD_PTR, O_RDONLY), EFAULT);
}

/* covers: open O_CREAT O_EXCL ENOENT EEXIST */
static void old_open_call_works_like_openat_at_cwd(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_open, "f", O_RDWR), ENOENT);
    int fd = (int)must(syscall(SYS_open, "f", O_CREAT | O_EXCL | O_RDWR, 0600));
    assert_int_equal(mode_of("f"), 0600);
    assert_errno(syscall(SYS_open, "f", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
    must(close(fd));
}

/* covers: openat EACCES */
static void reading_needs_the_read_right(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(chmod("f", 0222));
    as_nobody(assert_errno(open("f", O_RDONLY), EACCES));
}

/* covers: openat EACCES */
static void writing_needs_the_write_right(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(chmod("f", 0444));
    as_nobody(must(open("f", O_RDONLY)); assert_errno(open("f", O_WRONLY), EACCES);
              assert_errno(open("f", O_RDWR), EACCES));
}

/* covers: openat EACCES O_TRUNC */
static void truncating_needs_the_write_right(void **state)
{
    (void)state;
    make_file("f", "keep");
    must(chmod("f", 0444));
    as_nobody(assert_errno(open("f", O_RDONLY | O_TRUNC), EACCES));
    assert_file_text("f", "keep");
}

/* covers: openat EACCES O_CREAT */
static void creating_needs_the_write_right_on_the_folder(void **state)
{
    (void)state;
    must(mkdir("d", 0555));
    as_nobody(assert_errno(open("d/f", O_CREAT | O_RDWR, 0644), EACCES));
}

/* covers: openat EACCES */
static void every_folder_of_the_path_needs_the_search_right(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("d/e", 0755));
    make_file("d/e/f", NULL);
    must(chmod("d", 0666));
    as_nobody(assert_errno(open("d/e/f", O_RDONLY), EACCES));
    must(chmod("d", 0755));
}

/* covers: openat */
static void root_reads_and_writes_whatever_the_mode(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    must(chmod("f", 0));
    must(close(must(open("f", O_RDWR))));
}

/* covers: openat ENXIO O_NONBLOCK */
static void fifo_without_reader_refuses_nonblocking_writer(void **state)
{
    (void)state;
    must(mkfifo("p", 0644));
    assert_errno(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
}

/* covers: openat ENXIO */
static void socket_file_cannot_be_opened(void **state)
{
    (void)state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "s"};
    int sock = must(socket(AF_UNIX, SOCK_STREAM, 0));

    must(bind(sock, (struct sockaddr *)&addr, sizeof addr));
    assert_errno(open("s", O_RDWR), ENXIO);
    must(close(sock));
}

/* covers: openat ENXIO */
static void device_file_without_driver_is_refused(void **state)
{
    (void)state;
    need_capability(CAP_MKNOD);
    if (mknod("dev", S_IFCHR | 0600, makedev(507, 3)) != 0)
        skip_because("the folder takes no device files");
    int fd = open("dev", O_RDONLY);
    int err = errno;
    if (fd == -1 && err == EACCES)
        skip_because("the folder is mounted nodev");
    assert_int_equal(fd, -1);
    assert_int_equal(err, ENXIO);
}

/* covers: openat ETXTBSY truncate ETXTBSY */
static void running_program_cannot_be_written(void **state)
{
    (void)state;
    int in = open("/bin/sleep", O_RDONLY);
    if (in < 0)
        skip_because("no /bin/sleep");
    int out = must(open("prog", O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
    while (sendfile(out, in, NULL, 1 << 20) > 0)
        continue;
    must(close(in));
    must(close(out));

    int pipefd[2];
    must(pipe2(pipefd, O_CLOEXEC));
    pid_t pid = child_fork();
    if (pid == 0) {
        execl("./prog", "prog", "1000", NULL);
        _exit(1);
    }
    must(close(pipefd[1]));
    char c;
    assert_returns(read(pipefd[0], &c, 1), 0); /* closed by the exec */
    assert_errno(open("prog", O_WRONLY), ETXTBSY);
    assert_errno(open("prog", O_RDWR), ETXTBSY);
    assert_errno(truncate("prog", 0), ETXTBSY);
    must(close(must(open("prog", O_RDONLY))));
    child_kill(pid);
    must(close(pipefd[0]));
    must(close(must(open("prog", O_WRONLY))));
}

/* covers: openat ENAMETOOLONG open ENAMETOOLONG */
static void long_name_is_refused(void **state)
{
    (void)state;
    char name[257];

    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(openat(AT_FDCWD, name, O_RDONLY), ENAMETOOLONG);
    assert_errno(openat(AT_FDCWD, name, O_CREAT | O_RDWR, 0644), ENAMETOOLONG);
    assert_errno(syscall(SYS_open, name, O_RDONLY), ENAMETOOLONG);
}

/* covers: openat ELOOP */
static void loop_of_symlinks_is_refused(void **state)
{
    (void)state;
    must(symlink("b", "a"));
    must(symlink("a", "b"));
    assert_errno(openat(AT_FDCWD, "a", O_RDONLY), ELOOP);
    assert_errno(openat(AT_FDCWD, "a", O_CREAT | O_RDWR, 0644), ELOOP);
    assert_errno(openat(AT_FDCWD, "a/f", O_RDONLY), ELOOP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(creates_empty_file_when_asked),
        tempdir_test(mode_of_new_file_is_masked_by_umask),
        tempdir_test(mode_of_new_file_may_have_set_id_and_sticky_bits),
        tempdir_test(new_file_without_write_right_can_be_written_through_its_descriptor),
        tempdir_test(mode_of_existing_file_is_kept),
        tempdir_test(gives_the_lowest_free_descriptor),
        tempdir_test(each_open_has_its_own_offset),
        tempdir_test(missing_file_is_refused),
        tempdir_test(missing_folder_in_the_path_is_refused),
        tempdir_test(empty_path_is_refused),
        tempdir_test(dangling_symlink_is_refused_without_creat),
        tempdir_test(creat_through_dangling_symlink_makes_its_target),
        tempdir_test(excl_refuses_existing_file),
        tempdir_test(excl_refuses_existing_folder),
        tempdir_test(excl_does_not_follow_dangling_symlink),
        tempdir_test(excl_makes_a_new_file),
        tempdir_test(file_in_the_middle_of_a_path_is_refused),
        tempdir_test(writing_a_folder_is_refused),
        tempdir_test(truncating_a_folder_is_refused),
        tempdir_test(creat_of_existing_folder_is_refused),
        tempdir_test(creat_of_name_with_trailing_slash_is_refused),
        tempdir_test(path_is_relative_to_the_folder_descriptor),
        tempdir_test(absolute_path_ignores_the_folder_descriptor),
        tempdir_test(relative_path_needs_a_valid_descriptor),
        tempdir_test(relative_path_needs_a_folder_descriptor),
        tempdir_test(bad_path_address_faults),
        tempdir_test(old_open_call_works_like_openat_at_cwd),
        tempdir_test(reading_needs_the_read_right),
        tempdir_test(writing_needs_the_write_right),
        tempdir_test(truncating_needs_the_write_right),
        tempdir_test(creating_needs_the_write_right_on_the_folder),
        tempdir_test(every_folder_of_the_path_needs_the_search_right),
        tempdir_test(root_reads_and_writes_whatever_the_mode),
        tempdir_test(fifo_without_reader_refuses_nonblocking_writer),
        tempdir_test(socket_file_cannot_be_opened),
        tempdir_test(device_file_without_driver_is_refused),
        tempdir_test(running_program_cannot_be_written),
        tempdir_test(long_name_is_refused),
        tempdir_test(loop_of_symlinks_is_refused),
    };

    return cmocka_run_group_tests_name("fs/openat", tests, NULL, NULL);
}
