/* chmod.c: chmod(2), fchmod(2), fchmodat(2) and umask(2). */
#include "../lib/check.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* Linux 6.6 */
#endif

static long do_chmod(const char *path, mode_t mode)
{
    return syscall(SYS_chmod, path, mode);
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    must(lstat(path, &st));
    return st.st_mode & 07777;
}

/* covers: chmod */
static void every_mode_can_be_set(void **state)
{
    (void)state;
    make_file("f", NULL);
    for (mode_t mode = 0; mode <= 0777; mode++) {
        must(do_chmod("f", mode));
        assert_int_equal(mode_of("f"), mode);
    }
}

/* covers: chmod */
static void set_id_and_sticky_bits_can_be_set(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(chown("f", -1, getegid()));
    must(do_chmod("f", 07711));
    assert_int_equal(mode_of("f"), 07711);
    must(mkdir("d", 0755));
    must(do_chmod("d", 01777));
    assert_int_equal(mode_of("d"), 01777);
}

/* covers: chmod */
static void bits_beyond_07777_are_ignored(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", NULL);
    must(do_chmod("f", S_IFDIR | 0640));
    must(stat("f", &st));
    assert_int_equal(st.st_mode, S_IFREG | 0640);
}

/* covers: chmod */
static void change_time_moves_and_modification_time_stays(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    struct stat st;

    make_file("f", NULL);
    must(utimensat(AT_FDCWD, "f", times, 0));
    must(do_chmod("f", 0600));
    must(stat("f", &st));
    assert_int_equal(st.st_mtim.tv_sec, 2000);
    assert_true(st.st_ctim.tv_sec > 2000);
}

/* covers: chmod */
static void open_descriptors_keep_their_access(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_WRONLY));
    must(do_chmod("f", 0));
    assert_returns(write(fd, "x", 1), 1);
    must(close(fd));
}

/* covers: chmod */
static void symlink_is_followed(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(symlink("f", "link"));
    must(do_chmod("link", 0600));
    assert_int_equal(mode_of("f"), 0600);
    assert_int_equal(mode_of("link"), 0777);
}

/* covers: chmod EPERM fchmod EPERM fchmodat EPERM */
static void only_the_owner_may(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    must(do_chmod("f", 0666));
    as_nobody(assert_errno(do_chmod("f", 0777), EPERM); int fd = must(open("f", O_RDWR));
              assert_errno(syscall(SYS_fchmod, fd, 0777), EPERM);
              assert_errno(syscall(SYS_fchmodat, AT_FDCWD, "f", 0777), EPERM));
}

/* covers: chmod */
static void set_group_id_needs_membership(void **state)
{
    (void)state;
    /* chmod(2): the bit is silently dropped when the file's group is none of the caller's */
    need_root();
    make_file("f", NULL);
    must(chown("f", NOBODY, 0));
    as_nobody(must(do_chmod("f", 02755)));
    assert_int_equal(mode_of("f"), 0755);
}

/* covers: chmod ENOENT fchmodat ENOENT */
static void missing_file_is_refused(void **state)
{
    (void)state;
    assert_errno(do_chmod("none", 0644), ENOENT);
    assert_errno(do_chmod("", 0644), ENOENT);
    assert_errno(syscall(SYS_fchmodat, AT_FDCWD, "none", 0644), ENOENT);
    must(symlink("none", "link"));
    assert_errno(do_chmod("link", 0644), ENOENT);
}

/* covers: chmod ENOTDIR ELOOP ENAMETOOLONG EFAULT */
static void path_errors(void **state)
{
    (void)state;
    char name[257];

    make_file("f", NULL);
    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_chmod("f/x", 0644), ENOTDIR);
    assert_errno(do_chmod("a", 0644), ELOOP);
    assert_errno(do_chmod(name, 0644), ENAMETOOLONG);
    assert_errno(do_chmod(BAD_PTR, 0644), EFAULT);
}

/* covers: chmod EACCES */
static void search_right_is_needed(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(do_chmod("d", 0666));
    as_nobody(assert_errno(do_chmod("d/f", 0644), EACCES));
}

/* covers: fchmod */
static void descriptor_of_any_access_will_do(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    must(syscall(SYS_fchmod, fd, 0604));
    assert_int_equal(mode_of("f"), 0604);
    must(close(fd));
}

/* covers: fchmod EBADF fchmodat EBADF */
static void bad_descriptor_is_refused(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_fchmod, -1, 0644), EBADF);
    assert_errno(syscall(SYS_fchmod, 100000, 0644), EBADF);
    assert_errno(syscall(SYS_fchmodat, 100000, "f", 0644), EBADF);
}

/* covers: fchmodat ENOTDIR */
static void at_call_is_relative_to_its_descriptor(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    make_file("f", NULL);
    int dir = must(open("d", O_RDONLY)), fd = must(open("f", O_RDONLY));
    must(syscall(SYS_fchmodat, dir, "f", 0611));
    assert_int_equal(mode_of("d/f"), 0611);
    assert_int_equal(mode_of("f"), 0644);
    assert_errno(syscall(SYS_fchmodat, fd, "x", 0644), ENOTDIR);
    must(close(dir));
    must(close(fd));
}

/* covers: fchmodat2 AT_EMPTY_PATH AT_SYMLINK_NOFOLLOW EINVAL */
static void newer_call_takes_flags(void **state)
{
    (void)state;
    need_call(syscall(SYS_fchmodat2, AT_FDCWD, ".", 0755, 0));
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    must(syscall(SYS_fchmodat2, AT_FDCWD, "f", 0601, AT_SYMLINK_NOFOLLOW));
    assert_int_equal(mode_of("f"), 0601);
    must(syscall(SYS_fchmodat2, fd, "", 0602, AT_EMPTY_PATH));
    assert_int_equal(mode_of("f"), 0602);
    assert_errno(syscall(SYS_fchmodat2, AT_FDCWD, "f", 0601, 1), EINVAL);
    must(close(fd));
}

/* covers: fchmodat2 EOPNOTSUPP */
static void newer_call_cannot_change_a_symlink(void **state)
{
    (void)state;
    need_call(syscall(SYS_fchmodat2, AT_FDCWD, ".", 0755, 0));
    make_file("f", NULL);
    must(symlink("f", "link"));
    assert_errno(syscall(SYS_fchmodat2, AT_FDCWD, "link", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    assert_int_equal(mode_of("f"), 0644);
}

/* covers: umask NEVER_FAILS */
static void umask_returns_the_one_before(void **state)
{
    (void)state;
    mode_t before = umask(077);
    assert_int_equal(umask(0123), 077);
    assert_int_equal(umask(before), 0123);
}

/* covers: umask */
static void umask_keeps_only_permission_bits(void **state)
{
    (void)state;
    mode_t before = umask(07777);
    assert_int_equal(umask(before), 0777);
}

/* covers: umask openat mkdir mknod */
static void umask_applies_to_all_that_is_made(void **state)
{
    (void)state;
    umask(0246);
    must(close(must(open("f", O_CREAT | O_WRONLY, 0777))));
    must(mkdir("d", 0777));
    must(mkfifo("p", 0777));
    assert_int_equal(mode_of("f"), 0531);
    assert_int_equal(mode_of("d"), 0531);
    assert_int_equal(mode_of("p"), 0531);
    umask(022);
}

/* covers: umask */
static void umask_is_inherited_and_private(void **state)
{
    (void)state;
    mode_t before = umask(031);
    in_child(assert_int_equal(umask(0), 031));
    assert_int_equal(umask(before), 031);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(every_mode_can_be_set),
        tempdir_test(set_id_and_sticky_bits_can_be_set),
        tempdir_test(bits_beyond_07777_are_ignored),
        tempdir_test(change_time_moves_and_modification_time_stays),
        tempdir_test(open_descriptors_keep_their_access),
        tempdir_test(symlink_is_followed),
        tempdir_test(only_the_owner_may),
        tempdir_test(set_group_id_needs_membership),
        tempdir_test(missing_file_is_refused),
        tempdir_test(path_errors),
        tempdir_test(search_right_is_needed),
        tempdir_test(descriptor_of_any_access_will_do),
        cmocka_unit_test(bad_descriptor_is_refused),
        tempdir_test(at_call_is_relative_to_its_descriptor),
        tempdir_test(newer_call_takes_flags),
        tempdir_test(newer_call_cannot_change_a_symlink),
        cmocka_unit_test(umask_returns_the_one_before),
        cmocka_unit_test(umask_keeps_only_permission_bits),
        tempdir_test(umask_applies_to_all_that_is_made),
        cmocka_unit_test(umask_is_inherited_and_private),
    };

    return cmocka_run_group_tests_name("fs/chmod", tests, NULL, NULL);
}
