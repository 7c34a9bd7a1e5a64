/* chown.c: chown(2), lchown(2), fchown(2) and fchownat(2). */
#include "../lib/check.h"

static long do_chown(const char *path, uid_t uid, gid_t gid)
{
    return syscall(SYS_chown, path, uid, gid);
}

static void assert_owner(const char *path, uid_t uid, gid_t gid)
{
    struct stat st;

    must(lstat(path, &st));
    assert_int_equal(st.st_uid, uid);
    assert_int_equal(st.st_gid, gid);
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    must(lstat(path, &st));
    return st.st_mode & 07777;
}

/* covers: chown */
static void owner_and_group_are_set(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    must(do_chown("f", 1234, 5678));
    assert_owner("f", 1234, 5678);
    must(do_chown("f", 70000, 4000000000u));
    assert_owner("f", 70000, 4000000000u);
}

/* covers: chown */
static void minus_one_leaves_an_id(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    must(do_chown("f", 11, 22));
    must(do_chown("f", -1, 33));
    assert_owner("f", 11, 33);
    must(do_chown("f", 44, -1));
    assert_owner("f", 44, 33);
    must(do_chown("f", -1, -1));
    assert_owner("f", 44, 33);
}

/* covers: chown */
static void owner_may_name_what_is_already_so(void **state)
{
    (void)state;
    make_file("f", NULL);
    if (geteuid() == 0)
        must(do_chown("f", NOBODY, NOBODY));
    as_nobody(must(do_chown("f", geteuid(), getegid())); must(do_chown("f", -1, -1)));
}

/* covers: chown EPERM */
static void only_root_gives_a_file_away(void **state)
{
    (void)state;
    need_other_ids();
    make_file("f", NULL);
    if (geteuid() == 0)
        must(do_chown("f", NOBODY, NOBODY));
    as_nobody(assert_errno(do_chown("f", 1, -1), EPERM); assert_errno(do_chown("f", -1, 1), EPERM));
}

/* covers: chown EPERM fchown EPERM lchown EPERM fchownat EPERM */
static void file_of_another_user_is_refused(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    must(chmod("f", 0666));
    as_nobody(assert_errno(do_chown("f", NOBODY, NOBODY), EPERM);
              assert_errno(syscall(SYS_lchown, "f", NOBODY, NOBODY), EPERM);
              int fd = must(open("f", O_RDWR));
              assert_errno(syscall(SYS_fchown, fd, NOBODY, NOBODY), EPERM);
              assert_errno(syscall(SYS_fchownat, AT_FDCWD, "f", NOBODY, NOBODY, 0), EPERM));
}

/* covers: chown */
static void owner_may_choose_among_its_groups(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    must(do_chown("f", NOBODY, NOBODY));
    in_child(gid_t groups[] = {77, 88}; must(syscall(SYS_setgroups, 2, groups));
             must(setresgid(NOBODY, NOBODY, NOBODY)); must(setresuid(NOBODY, NOBODY, NOBODY));
             must(do_chown("f", -1, 77)); assert_errno(do_chown("f", -1, 99), EPERM));
    assert_owner("f", NOBODY, 77);
}

/* covers: chown */
static void set_id_bits_of_a_program_are_taken_away(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    must(do_chown("f", NOBODY, NOBODY));
    must(chmod("f", 06755));
    as_nobody(must(do_chown("f", NOBODY, NOBODY)));
    assert_int_equal(mode_of("f"), 0755);
}

/* covers: chown */
static void set_id_bits_go_for_root_too(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    must(chmod("f", 06755));
    must(do_chown("f", 5, 6));
    assert_int_equal(mode_of("f"), 0755);
}

/* covers: chown */
static void set_user_id_goes_without_execute_bits_too(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    must(chmod("f", 04644));
    must(do_chown("f", 5, 6));
    assert_int_equal(mode_of("f"), 0644);
}

/* covers: chown */
static void set_id_bits_of_a_folder_stay(void **state)
{
    (void)state;
    need_root();
    must(mkdir("d", 0755));
    must(chmod("d", 06755));
    must(do_chown("d", 5, 6));
    assert_int_equal(mode_of("d"), 06755);
}

/* covers: chown */
static void change_time_moves(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    struct stat st;

    make_file("f", NULL);
    must(utimensat(AT_FDCWD, "f", times, 0));
    must(do_chown("f", geteuid(), getegid()));
    must(stat("f", &st));
    assert_int_equal(st.st_mtim.tv_sec, 2000);
    assert_true(st.st_ctim.tv_sec > 2000);
}

/* covers: chown lchown fchownat AT_SYMLINK_NOFOLLOW */
static void symlink_is_followed_or_not(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    must(symlink("f", "link"));
    must(do_chown("link", 11, 12));
    assert_owner("f", 11, 12);
    assert_owner("link", 0, 0);
    must(syscall(SYS_lchown, "link", 13, 14));
    assert_owner("f", 11, 12);
    assert_owner("link", 13, 14);
    must(syscall(SYS_fchownat, AT_FDCWD, "link", 15, 16, AT_SYMLINK_NOFOLLOW));
    assert_owner("link", 15, 16);
    must(syscall(SYS_fchownat, AT_FDCWD, "link", 17, 18, 0));
    assert_owner("f", 17, 18);
}

/* covers: fchown fchownat AT_EMPTY_PATH */
static void descriptor_is_changed(void **state)
{
    (void)state;
    need_root();
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    must(syscall(SYS_fchown, fd, 21, 22));
    assert_owner("f", 21, 22);
    must(syscall(SYS_fchownat, fd, "", 23, 24, AT_EMPTY_PATH));
    assert_owner("f", 23, 24);
    assert_errno(syscall(SYS_fchownat, fd, "", 23, 24, 0), ENOENT);
    must(close(fd));
}

/* covers: chown ENOENT lchown ENOENT fchownat ENOENT */
static void missing_file_is_refused(void **state)
{
    (void)state;
    assert_errno(do_chown("none", -1, -1), ENOENT);
    assert_errno(do_chown("", -1, -1), ENOENT);
    assert_errno(syscall(SYS_lchown, "none", -1, -1), ENOENT);
    assert_errno(syscall(SYS_fchownat, AT_FDCWD, "none", -1, -1, 0), ENOENT);
}

/* covers: chown ENOTDIR ELOOP ENAMETOOLONG EFAULT */
static void path_errors(void **state)
{
    (void)state;
    char name[257];

    make_file("f", NULL);
    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_chown("f/x", -1, -1), ENOTDIR);
    assert_errno(do_chown("a", -1, -1), ELOOP);
    assert_errno(do_chown(name, -1, -1), ENAMETOOLONG);
    assert_errno(do_chown(BAD_PTR, -1, -1), EFAULT);
}

/* covers: fchown EBADF fchownat EBADF ENOTDIR */
static void bad_descriptors_are_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    assert_errno(syscall(SYS_fchown, -1, -1, -1), EBADF);
    assert_errno(syscall(SYS_fchownat, 100000, "f", -1, -1, 0), EBADF);
    assert_errno(syscall(SYS_fchownat, fd, "x", -1, -1, 0), ENOTDIR);
    must(close(fd));
}

/* covers: fchownat EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(syscall(SYS_fchownat, AT_FDCWD, "f", -1, -1, 1), EINVAL);
}

/* covers: chown EACCES */
static void search_right_is_needed(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(chmod("d", 0666));
    as_nobody(assert_errno(do_chown("d/f", -1, -1), EACCES));
}

/* covers: openat mkdir */
static void new_file_takes_the_group_of_a_set_group_id_folder(void **state)
{
    (void)state;
    need_root();
    must(mkdir("d", 0777));
    must(do_chown("d", 0, 4242));
    must(chmod("d", 02777));
    make_file("d/f", NULL);
    must(mkdir("d/e", 0755));
    assert_owner("d/f", 0, 4242);
    assert_owner("d/e", 0, 4242);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(owner_and_group_are_set),
        tempdir_test(minus_one_leaves_an_id),
        tempdir_test(owner_may_name_what_is_already_so),
        tempdir_test(only_root_gives_a_file_away),
        tempdir_test(file_of_another_user_is_refused),
        tempdir_test(owner_may_choose_among_its_groups),
        tempdir_test(set_id_bits_of_a_program_are_taken_away),
        tempdir_test(set_id_bits_go_for_root_too),
        tempdir_test(set_user_id_goes_without_execute_bits_too),
        tempdir_test(set_id_bits_of_a_folder_stay),
        tempdir_test(change_time_moves),
        tempdir_test(symlink_is_followed_or_not),
        tempdir_test(descriptor_is_changed),
        tempdir_test(missing_file_is_refused),
        tempdir_test(path_errors),
        tempdir_test(bad_descriptors_are_refused),
        tempdir_test(unknown_flag_is_refused),
        tempdir_test(search_right_is_needed),
        tempdir_test(new_file_takes_the_group_of_a_set_group_id_folder),
    };

    return cmocka_run_group_tests_name("fs/chown", tests, NULL, NULL);
}
