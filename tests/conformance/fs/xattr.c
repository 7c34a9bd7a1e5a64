/* xattr.c: extended attributes: setxattr(2), getxattr(2), listxattr(2), removexattr(2) and kin. */
#include "../lib/check.h"

#include <linux/limits.h>
#include <sys/xattr.h>

/* Makes "f"; skips where the file system of the temporary folder has no user attributes. */
static void make_subject(void)
{
    make_file("f", NULL);
    if (setxattr("f", "user.probe", "", 0, 0) == -1 && errno == EOPNOTSUPP)
        skip_because("the file system has no user attributes");
    must(removexattr("f", "user.probe"));
}

static void assert_value(const char *path, const char *name, const char *value)
{
    char found[64] = "";

    assert_returns(getxattr(path, name, found, sizeof found), strlen(value));
    assert_memory_equal(found, value, strlen(value));
}

/* Whether a list of names, each ended by a zero, holds this one. */
static bool listed(const char *list, ssize_t length, const char *name)
{
    for (const char *at = list; at < list + length; at += strlen(at) + 1)
        if (strcmp(at, name) == 0)
            return true;
    return false;
}

/* covers: setxattr getxattr */
static void value_comes_back(void **state)
{
    (void)state;
    make_subject();
    must(setxattr("f", "user.one", "hello", 5, 0));
    assert_value("f", "user.one", "hello");
    must(setxattr("f", "user.one", "a\0b", 3, 0));
    char value[8];
    assert_returns(getxattr("f", "user.one", value, sizeof value), 3);
    assert_memory_equal(value, "a\0b", 3);
}

/* covers: setxattr getxattr */
static void value_may_be_empty(void **state)
{
    (void)state;
    make_subject();
    must(setxattr("f", "user.one", NULL, 0, 0));
    assert_value("f", "user.one", "");
}

/* covers: setxattr XATTR_CREATE EEXIST */
static void create_flag_refuses_what_is_there(void **state)
{
    (void)state;
    make_subject();
    must(setxattr("f", "user.one", "a", 1, XATTR_CREATE));
    assert_errno(setxattr("f", "user.one", "b", 1, XATTR_CREATE), EEXIST);
    assert_value("f", "user.one", "a");
}

/* covers: setxattr XATTR_REPLACE ENODATA */
static void replace_flag_refuses_what_is_not_there(void **state)
{
    (void)state;
    make_subject();
    assert_errno(setxattr("f", "user.one", "a", 1, XATTR_REPLACE), ENODATA);
    must(setxattr("f", "user.one", "a", 1, 0));
    must(setxattr("f", "user.one", "b", 1, XATTR_REPLACE));
    assert_value("f", "user.one", "b");
}

/* covers: setxattr EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    make_subject();
    assert_errno(setxattr("f", "user.one", "a", 1, 4), EINVAL);
}

/* covers: getxattr ENODATA removexattr ENODATA */
static void missing_attribute_is_refused(void **state)
{
    (void)state;
    char value[8];

    make_subject();
    assert_errno(getxattr("f", "user.none", value, sizeof value), ENODATA);
    assert_errno(removexattr("f", "user.none"), ENODATA);
}

/* covers: getxattr listxattr */
static void size_of_zero_asks_for_the_length(void **state)
{
    (void)state;
    make_subject();
    must(setxattr("f", "user.one", "hello", 5, 0));
    assert_returns(getxattr("f", "user.one", NULL, 0), 5);
    assert_true(must(listxattr("f", NULL, 0)) >= (ssize_t)sizeof "user.one");
}

/* covers: getxattr ERANGE listxattr ERANGE */
static void short_buffer_is_refused(void **state)
{
    (void)state;
    char value[4];

    make_subject();
    must(setxattr("f", "user.one", "hello", 5, 0));
    assert_errno(getxattr("f", "user.one", value, sizeof value), ERANGE);
    assert_errno(listxattr("f", value, sizeof value), ERANGE);
}

/* covers: listxattr removexattr */
static void names_are_listed_until_removed(void **state)
{
    (void)state;
    char list[256];

    make_subject();
    must(setxattr("f", "user.one", "1", 1, 0));
    must(setxattr("f", "user.two", "2", 1, 0));
    ssize_t n = must(listxattr("f", list, sizeof list));
    assert_true(listed(list, n, "user.one"));
    assert_true(listed(list, n, "user.two"));
    must(removexattr("f", "user.one"));
    n = must(listxattr("f", list, sizeof list));
    assert_false(listed(list, n, "user.one"));
    assert_true(listed(list, n, "user.two"));
}

/* covers: fsetxattr EBADF EEXIST fgetxattr ENODATA EBADF flistxattr EBADF fremovexattr ENODATA EBADF */
static void descriptors_do_as_well(void **state)
{
    (void)state;
    char text[256];

    make_subject();
    int fd = must(open("f", O_RDONLY));
    must(fsetxattr(fd, "user.one", "hello", 5, 0));
    assert_errno(fsetxattr(fd, "user.one", "a", 1, XATTR_CREATE), EEXIST);
    assert_returns(fgetxattr(fd, "user.one", text, sizeof text), 5);
    ssize_t n = must(flistxattr(fd, text, sizeof text));
    assert_true(listed(text, n, "user.one"));
    must(fremovexattr(fd, "user.one"));
    assert_errno(fremovexattr(fd, "user.one"), ENODATA);
    assert_errno(fgetxattr(fd, "user.one", text, sizeof text), ENODATA);
    must(close(fd));
    assert_errno(fsetxattr(-1, "user.one", "a", 1, 0), EBADF);
    assert_errno(fgetxattr(-1, "user.one", text, 1), EBADF);
    assert_errno(flistxattr(-1, text, 1), EBADF);
    assert_errno(fremovexattr(-1, "user.one"), EBADF);
}

/* covers: setxattr getxattr */
static void symlinks_are_followed(void **state)
{
    (void)state;
    make_subject();
    must(symlink("f", "link"));
    must(setxattr("link", "user.one", "a", 1, 0));
    assert_value("f", "user.one", "a");
}

/* covers: lsetxattr EPERM lgetxattr ENODATA llistxattr lremovexattr EPERM */
static void symlinks_themselves_take_no_user_attributes(void **state)
{
    (void)state;
    char text[64];

    make_subject();
    must(setxattr("f", "user.one", "a", 1, 0));
    must(symlink("f", "link"));
    assert_errno(lsetxattr("link", "user.one", "a", 1, 0), EPERM);
    errno = 0;
    assert_int_equal(lgetxattr("link", "user.one", text, sizeof text), -1);
    assert_true(errno == ENODATA || errno == EPERM);
    ssize_t n = must(llistxattr("link", text, sizeof text));
    assert_false(listed(text, n, "user.one"));
    errno = 0;
    assert_int_equal(lremovexattr("link", "user.one"), -1);
    assert_true(errno == ENODATA || errno == EPERM);
}

/* covers: lsetxattr EEXIST lgetxattr ERANGE llistxattr ERANGE lremovexattr ENODATA */
static void symlinks_themselves_take_trusted_attributes(void **state)
{
    (void)state;
    char text[64];

    make_subject();
    need_capability(CAP_SYS_ADMIN);
    must(symlink("f", "link"));
    must(lsetxattr("link", "trusted.one", "abc", 3, XATTR_CREATE));
    assert_errno(lsetxattr("link", "trusted.one", "a", 1, XATTR_CREATE), EEXIST);
    assert_returns(lgetxattr("link", "trusted.one", text, sizeof text), 3);
    assert_errno(lgetxattr("link", "trusted.one", text, 2), ERANGE);
    assert_errno(getxattr("link", "trusted.one", text, sizeof text), ENODATA);
    ssize_t n = must(llistxattr("link", text, sizeof text));
    assert_true(listed(text, n, "trusted.one"));
    assert_errno(llistxattr("link", text, 2), ERANGE);
    must(lremovexattr("link", "trusted.one"));
    assert_errno(lremovexattr("link", "trusted.one"), ENODATA);
}

/* covers: lsetxattr ENOENT ENOTDIR lgetxattr ENOENT llistxattr ENOENT ENOTDIR lremovexattr ENOENT ENOTDIR */
static void the_way_to_a_symlink_must_be_there(void **state)
{
    (void)state;
    char text[8];

    make_subject();
    assert_errno(lsetxattr("none", "user.one", "a", 1, 0), ENOENT);
    assert_errno(lsetxattr("f/x", "user.one", "a", 1, 0), ENOTDIR);
    assert_errno(lgetxattr("none", "user.one", text, 1), ENOENT);
    assert_errno(llistxattr("none", text, 1), ENOENT);
    assert_errno(llistxattr("f/x", text, 1), ENOTDIR);
    assert_errno(lremovexattr("none", "user.one"), ENOENT);
    assert_errno(lremovexattr("f/x", "user.one"), ENOTDIR);
}

/* covers: fsetxattr EBADF fgetxattr EBADF flistxattr EBADF fremovexattr EBADF */
static void descriptor_that_only_names_a_place_is_no_good(void **state)
{
    (void)state;
    char text[8];

    make_subject();
    int fd = must(open("f", O_PATH));
    assert_errno(fsetxattr(fd, "user.one", "a", 1, 0), EBADF);
    assert_errno(fgetxattr(fd, "user.one", text, 1), EBADF);
    assert_errno(flistxattr(fd, text, 1), EBADF);
    assert_errno(fremovexattr(fd, "user.one"), EBADF);
    must(close(fd));
}

/* covers: removexattr ERANGE EOPNOTSUPP EACCES EPERM getxattr ERANGE */
static void names_of_all_calls_have_limits(void **state)
{
    (void)state;
    char name[XATTR_NAME_MAX + 2], text[8];

    need_root();
    make_subject();
    memset(name, 'n', sizeof name);
    memcpy(name, "user.", 5);
    name[XATTR_NAME_MAX + 1] = 0;
    assert_errno(removexattr("f", name), ERANGE);
    assert_errno(getxattr("f", name, text, 1), ERANGE);
    assert_errno(removexattr("f", ""), ERANGE);
    assert_errno(getxattr("f", "", text, 1), ERANGE);
    assert_errno(removexattr("f", "nowhere.one"), EOPNOTSUPP);
    as_nobody(assert_errno(removexattr("f", "trusted.one"), EPERM);
              assert_errno(removexattr("f", "user.one"), EACCES));
}

/* covers: setxattr EPERM */
static void user_attributes_of_a_sticky_folder_are_its_owners(void **state)
{
    (void)state;
    make_subject();
    must(mkdir("d", 0777));
    must(chmod("d", 01777));
    must(setxattr("d", "user.one", "a", 1, 0));
    need_root();
    as_nobody(assert_errno(setxattr("d", "user.two", "a", 1, 0), EPERM);
              assert_errno(removexattr("d", "user.one"), EPERM);
              assert_value("d", "user.one", "a"));
}

/* covers: setxattr EPERM */
static void devices_and_fifos_take_no_user_attributes(void **state)
{
    (void)state;
    make_subject();
    must(mkfifo("p", 0666));
    assert_errno(setxattr("p", "user.one", "a", 1, 0), EPERM);
}

/* covers: setxattr EOPNOTSUPP getxattr EOPNOTSUPP */
static void name_needs_a_known_prefix(void **state)
{
    (void)state;
    char text[8];

    make_subject();
    assert_errno(setxattr("f", "nowhere.one", "a", 1, 0), EOPNOTSUPP);
    assert_errno(getxattr("f", "nowhere.one", text, sizeof text), EOPNOTSUPP);
    assert_errno(setxattr("f", "noprefix", "a", 1, 0), EOPNOTSUPP);
}

/* covers: setxattr ERANGE EINVAL */
static void name_has_limits(void **state)
{
    (void)state;
    char name[XATTR_NAME_MAX + 2];

    make_subject();
    memset(name, 'n', sizeof name);
    memcpy(name, "user.", 5);
    name[XATTR_NAME_MAX + 1] = 0;
    assert_errno(setxattr("f", name, "a", 1, 0), ERANGE);
    assert_errno(setxattr("f", "", "a", 1, 0), ERANGE);
    assert_errno(setxattr("f", "user.", "a", 1, 0), EINVAL);
    name[XATTR_NAME_MAX] = 0;
    must(setxattr("f", name, "a", 1, 0));
}

/* covers: setxattr E2BIG */
static void value_has_a_limit(void **state)
{
    (void)state;
    char *value = calloc(1, XATTR_SIZE_MAX + 1);

    make_subject();
    assert_errno(setxattr("f", "user.one", value, XATTR_SIZE_MAX + 1, 0), E2BIG);
    free(value);
}

/* covers: setxattr EFAULT getxattr EFAULT listxattr EFAULT removexattr EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    make_subject();
    must(setxattr("f", "user.one", "abc", 3, 0));
    assert_errno(syscall(SYS_setxattr, BAD_PTR, "user.one", "a", 1ul, 0), EFAULT);
    assert_errno(syscall(SYS_setxattr, "f", BAD_PTR, "a", 1ul, 0), EFAULT);
    assert_errno(syscall(SYS_setxattr, "f", "user.one", BAD_PTR, 1ul, 0), EFAULT);
    assert_errno(syscall(SYS_getxattr, "f", "user.one", BAD_PTR, 8ul), EFAULT);
    assert_errno(syscall(SYS_listxattr, "f", BAD_PTR, 64ul), EFAULT);
    assert_errno(syscall(SYS_removexattr, "f", BAD_PTR), EFAULT);
    assert_value("f", "user.one", "abc");
}

/* covers: setxattr ENOENT ENOTDIR ELOOP getxattr ENOENT listxattr ENOENT removexattr ENOENT */
static void path_errors(void **state)
{
    (void)state;
    char text[8];

    make_subject();
    must(symlink("a", "a"));
    assert_errno(setxattr("none", "user.one", "a", 1, 0), ENOENT);
    assert_errno(setxattr("f/x", "user.one", "a", 1, 0), ENOTDIR);
    assert_errno(setxattr("a", "user.one", "a", 1, 0), ELOOP);
    assert_errno(getxattr("none", "user.one", text, 1), ENOENT);
    assert_errno(listxattr("none", text, 1), ENOENT);
    assert_errno(removexattr("none", "user.one"), ENOENT);
}

/* covers: setxattr EACCES getxattr EACCES */
static void user_attributes_follow_the_file_mode(void **state)
{
    (void)state;
    make_subject();
    must(setxattr("f", "user.one", "a", 1, 0));
    must(chmod("f", 0444));
    as_nobody(assert_errno(setxattr("f", "user.two", "a", 1, 0), EACCES);
              assert_errno(removexattr("f", "user.one"), EACCES);
              assert_value("f", "user.one", "a"));
    must(chmod("f", 0222));
    as_nobody(char text[8]; assert_errno(getxattr("f", "user.one", text, 8), EACCES));
}

/* covers: setxattr EPERM getxattr ENODATA */
static void trusted_attributes_are_for_root(void **state)
{
    (void)state;
    char text[8];

    make_subject();
    as_nobody(char seen[8]; assert_errno(setxattr("f", "trusted.one", "a", 1, 0), EPERM);
              assert_errno(getxattr("f", "trusted.one", seen, 8), ENODATA));
    need_capability(CAP_SYS_ADMIN);
    must(setxattr("f", "trusted.one", "a", 1, 0));
    assert_returns(getxattr("f", "trusted.one", text, sizeof text), 1);
}

/* covers: setxattr rename */
static void attributes_move_with_the_file_and_are_not_inherited(void **state)
{
    (void)state;
    char text[8];

    make_subject();
    must(setxattr("f", "user.one", "a", 1, 0));
    must(rename("f", "g"));
    assert_value("g", "user.one", "a");
    must(link("g", "h"));
    assert_value("h", "user.one", "a");
    make_file("f", NULL);
    assert_errno(getxattr("f", "user.one", text, sizeof text), ENODATA);
}

/* covers: setxattr */
static void setting_moves_the_change_time_only(void **state)
{
    (void)state;
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    struct stat st;

    make_subject();
    must(utimensat(AT_FDCWD, "f", times, 0));
    must(setxattr("f", "user.one", "a", 1, 0));
    must(stat("f", &st));
    assert_int_equal(st.st_mtim.tv_sec, 2000);
    assert_true(st.st_ctim.tv_sec > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(value_comes_back),
        tempdir_test(value_may_be_empty),
        tempdir_test(create_flag_refuses_what_is_there),
        tempdir_test(replace_flag_refuses_what_is_not_there),
        tempdir_test(unknown_flag_is_refused),
        tempdir_test(missing_attribute_is_refused),
        tempdir_test(size_of_zero_asks_for_the_length),
        tempdir_test(short_buffer_is_refused),
        tempdir_test(names_are_listed_until_removed),
        tempdir_test(descriptors_do_as_well),
        tempdir_test(symlinks_are_followed),
        tempdir_test(symlinks_themselves_take_no_user_attributes),
        tempdir_test(symlinks_themselves_take_trusted_attributes),
        tempdir_test(the_way_to_a_symlink_must_be_there),
        tempdir_test(descriptor_that_only_names_a_place_is_no_good),
        tempdir_test(names_of_all_calls_have_limits),
        tempdir_test(user_attributes_of_a_sticky_folder_are_its_owners),
        tempdir_test(devices_and_fifos_take_no_user_attributes),
        tempdir_test(name_needs_a_known_prefix),
        tempdir_test(name_has_limits),
        tempdir_test(value_has_a_limit),
        tempdir_test(bad_addresses_fault),
        tempdir_test(path_errors),
        tempdir_test(user_attributes_follow_the_file_mode),
        tempdir_test(trusted_attributes_are_for_root),
        tempdir_test(attributes_move_with_the_file_and_are_not_inherited),
        tempdir_test(setting_moves_the_change_time_only),
    };

    return cmocka_run_group_tests_name("fs/xattr", tests, NULL, NULL);
}
