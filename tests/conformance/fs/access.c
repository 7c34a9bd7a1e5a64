/* access.c: access(2), faccessat(2) and faccessat2(2): what this user may do with a file. */
#include "../lib/check.h"

static long do_access(const char *path, int mode)
{
    return syscall(SYS_access, path, mode);
}

static long access2(int dir, const char *path, int mode, int flags)
{
    return syscall(SYS_faccessat2, dir, path, mode, flags);
}

static void make_with_mode(const char *path, mode_t mode)
{
    make_file(path, NULL);
    must(chmod(path, mode));
}

/* covers: access F_OK */
static void existence_needs_no_right_on_the_file(void **state)
{
    (void)state;
    make_with_mode("f", 0);
    must(do_access("f", F_OK));
    as_nobody(must(do_access("f", F_OK)));
}

/* covers: access R_OK W_OK X_OK EACCES */
static void each_right_is_looked_up(void **state)
{
    (void)state;
    /* owner and others alike, so that it holds for the owner and after privileges are dropped */
    make_with_mode("r", 0444);
    make_with_mode("w", 0222);
    make_with_mode("x", 0111);
    as_nobody(must(do_access("r", R_OK)); assert_errno(do_access("r", W_OK), EACCES);
              assert_errno(do_access("r", X_OK), EACCES); must(do_access("w", W_OK));
              assert_errno(do_access("w", R_OK), EACCES); must(do_access("x", X_OK));
              assert_errno(do_access("x", R_OK), EACCES));
}

/* covers: access EACCES */
static void all_rights_asked_for_are_needed(void **state)
{
    (void)state;
    make_with_mode("f", 0666);
    as_nobody(must(do_access("f", R_OK | W_OK));
              assert_errno(do_access("f", R_OK | W_OK | X_OK), EACCES));
}

/* covers: access X_OK EACCES */
static void root_may_execute_only_what_has_an_execute_bit(void **state)
{
    (void)state;
    need_root();
    make_with_mode("f", 0);
    must(do_access("f", R_OK | W_OK));
    assert_errno(do_access("f", X_OK), EACCES);
    must(chmod("f", 0010));
    must(do_access("f", X_OK));
    must(mkdir("d", 0));
    must(do_access("d", X_OK));
}

/* covers: access setresuid */
static void real_ids_count(void **state)
{
    (void)state;
    need_root();
    make_with_mode("f", 0600);
    in_child(must(do_access("f", R_OK)); must(setresuid(NOBODY, 0, 0));
             assert_errno(do_access("f", R_OK), EACCES); must(open("f", O_RDONLY)));
}

/* covers: faccessat2 AT_EACCESS */
static void eaccess_flag_lets_effective_ids_count(void **state)
{
    (void)state;
    need_root();
    need_call(access2(AT_FDCWD, ".", F_OK, 0));
    make_with_mode("f", 0600);
    in_child(must(setresuid(NOBODY, 0, 0)); assert_errno(access2(AT_FDCWD, "f", R_OK, 0), EACCES);
             must(access2(AT_FDCWD, "f", R_OK, AT_EACCESS)));
}

/* covers: access ENOENT faccessat ENOENT */
static void missing_file_is_refused(void **state)
{
    (void)state;
    assert_errno(do_access("none", F_OK), ENOENT);
    assert_errno(do_access("", F_OK), ENOENT);
    assert_errno(syscall(SYS_faccessat, AT_FDCWD, "none", F_OK), ENOENT);
}

/* covers: access ENOENT */
static void symlink_is_followed(void **state)
{
    (void)state;
    must(symlink("none", "link"));
    assert_errno(do_access("link", F_OK), ENOENT);
    make_file("none", NULL);
    must(do_access("link", F_OK));
}

/* covers: faccessat2 AT_SYMLINK_NOFOLLOW */
static void nofollow_flag_looks_at_the_symlink(void **state)
{
    (void)state;
    need_call(access2(AT_FDCWD, ".", F_OK, 0));
    must(symlink("none", "link"));
    assert_errno(access2(AT_FDCWD, "link", F_OK, 0), ENOENT);
    must(access2(AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW));
}

/* covers: faccessat2 AT_EMPTY_PATH ENOENT */
static void empty_path_flag_means_the_descriptor(void **state)
{
    (void)state;
    need_call(access2(AT_FDCWD, ".", F_OK, 0));
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    must(access2(fd, "", R_OK, AT_EMPTY_PATH));
    assert_errno(access2(fd, "", R_OK, 0), ENOENT);
    must(close(fd));
}

/* covers: faccessat faccessat2 */
static void path_is_relative_to_the_folder_descriptor(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    int dir = must(open("d", O_RDONLY));
    must(syscall(SYS_faccessat, dir, "f", R_OK));
    must(access2(dir, "f", R_OK, 0));
    assert_errno(access2(dir, "none", R_OK, 0), ENOENT);
    must(close(dir));
}

/* covers: faccessat */
static void faccessat_call_has_no_flags(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(syscall(SYS_faccessat, AT_FDCWD, "f", R_OK, 0xffff)); /* a fourth argument is not read */
}

/* covers: access EINVAL faccessat2 EINVAL */
static void unknown_mode_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_access("f", 8), EINVAL);
    assert_errno(do_access("f", -1), EINVAL);
    assert_errno(access2(AT_FDCWD, "f", 0x100, 0), EINVAL);
}

/* covers: faccessat2 EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    need_call(access2(AT_FDCWD, ".", F_OK, 0));
    make_file("f", NULL);
    assert_errno(access2(AT_FDCWD, "f", R_OK, 0x40000000), EINVAL);
}

/* covers: access ENOTDIR */
static void file_in_the_path_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_access("f/x", F_OK), ENOTDIR);
    assert_errno(do_access("f/", F_OK), ENOTDIR);
}

/* covers: faccessat EBADF ENOTDIR faccessat2 EBADF ENOTDIR */
static void folder_descriptor_must_be_valid(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    assert_errno(syscall(SYS_faccessat, 100000, "f", F_OK), EBADF);
    assert_errno(access2(100000, "f", F_OK, 0), EBADF);
    assert_errno(syscall(SYS_faccessat, fd, "x", F_OK), ENOTDIR);
    assert_errno(access2(fd, "x", F_OK, 0), ENOTDIR);
    must(close(fd));
}

/* covers: access ELOOP ENAMETOOLONG */
static void loops_and_long_names_are_refused(void **state)
{
    (void)state;
    char name[257];

    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_access("a", F_OK), ELOOP);
    assert_errno(do_access(name, F_OK), ENAMETOOLONG);
}

/* covers: access EFAULT faccessat EFAULT faccessat2 EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    assert_errno(do_access(BAD_PTR, F_OK), EFAULT);
    assert_errno(syscall(SYS_faccessat, AT_FDCWD, BAD_PTR, F_OK), EFAULT);
    assert_errno(access2(AT_FDCWD, BAD_PTR, F_OK, 0), EFAULT);
}

/* covers: access EACCES */
static void search_right_is_needed(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(chmod("d", 0666));
    as_nobody(assert_errno(do_access("d/f", F_OK), EACCES));
    must(chmod("d", 0755));
}

/* covers: faccessat ELOOP ENAMETOOLONG EACCES faccessat2 ELOOP ENAMETOOLONG EACCES ENOTDIR */
static void at_calls_have_the_same_path_errors(void **state)
{
    (void)state;
    char name[257];

    need_call(access2(AT_FDCWD, ".", F_OK, 0));
    memset(name, 'n', 256);
    name[256] = 0;
    make_file("f", NULL);
    must(symlink("a", "a"));
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(chmod("d", 0));
    assert_errno(syscall(SYS_faccessat, AT_FDCWD, "a", F_OK), ELOOP);
    assert_errno(access2(AT_FDCWD, "a", F_OK, 0), ELOOP);
    assert_errno(syscall(SYS_faccessat, AT_FDCWD, name, F_OK), ENAMETOOLONG);
    assert_errno(access2(AT_FDCWD, name, F_OK, 0), ENAMETOOLONG);
    assert_errno(access2(AT_FDCWD, "f/x", F_OK, 0), ENOTDIR);
    as_nobody(assert_errno(syscall(SYS_faccessat, AT_FDCWD, "d/f", F_OK), EACCES);
              assert_errno(access2(AT_FDCWD, "d/f", F_OK, 0), EACCES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(existence_needs_no_right_on_the_file),
        tempdir_test(each_right_is_looked_up),
        tempdir_test(all_rights_asked_for_are_needed),
        tempdir_test(root_may_execute_only_what_has_an_execute_bit),
        tempdir_test(real_ids_count),
        tempdir_test(eaccess_flag_lets_effective_ids_count),
        tempdir_test(missing_file_is_refused),
        tempdir_test(symlink_is_followed),
        tempdir_test(nofollow_flag_looks_at_the_symlink),
        tempdir_test(empty_path_flag_means_the_descriptor),
        tempdir_test(path_is_relative_to_the_folder_descriptor),
        tempdir_test(faccessat_call_has_no_flags),
        tempdir_test(unknown_mode_is_refused),
        tempdir_test(unknown_flag_is_refused),
        tempdir_test(file_in_the_path_is_refused),
        tempdir_test(folder_descriptor_must_be_valid),
        tempdir_test(loops_and_long_names_are_refused),
        cmocka_unit_test(bad_address_faults),
        tempdir_test(search_right_is_needed),
        tempdir_test(at_calls_have_the_same_path_errors),
    };

    return cmocka_run_group_tests_name("fs/access", tests, NULL, NULL);
}
