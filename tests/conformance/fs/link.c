/* link.c: link(2) and linkat(2). */
#include "../lib/check.h"

static long do_link(const char *from, const char *to)
{
    return syscall(SYS_link, from, to);
}

static long do_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

static struct stat lstat_of(const char *path)
{
    struct stat st;

    must(lstat(path, &st));
    return st;
}

/* covers: link */
static void both_names_are_the_same_file(void **state)
{
    (void)state;
    make_file("a", "text");
    must(do_link("a", "b"));
    assert_int_equal(lstat_of("a").st_ino, lstat_of("b").st_ino);
    assert_int_equal(lstat_of("a").st_nlink, 2);
    int fd = must(open("b", O_WRONLY | O_APPEND));
    assert_returns(write(fd, "!", 1), 1);
    must(close(fd));
    assert_file_text("a", "text!");
}

/* covers: link */
static void symlink_itself_is_linked(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(symlink("f", "link"));
    must(do_link("link", "copy"));
    assert_true(S_ISLNK(lstat_of("copy").st_mode));
    assert_int_equal(lstat_of("copy").st_ino, lstat_of("link").st_ino);
}

/* covers: linkat AT_SYMLINK_FOLLOW */
static void follow_flag_links_the_target(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(symlink("f", "link"));
    must(do_linkat(AT_FDCWD, "link", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
    assert_int_equal(lstat_of("followed").st_ino, lstat_of("f").st_ino);
    must(do_linkat(AT_FDCWD, "link", AT_FDCWD, "kept", 0));
    assert_true(S_ISLNK(lstat_of("kept").st_mode));
}

/* covers: link EEXIST */
static void existing_name_is_refused(void **state)
{
    (void)state;
    make_file("a", NULL);
    make_file("b", NULL);
    must(mkdir("d", 0755));
    must(symlink("none", "dangling"));
    assert_errno(do_link("a", "b"), EEXIST);
    assert_errno(do_link("a", "d"), EEXIST);
    assert_errno(do_link("a", "dangling"), EEXIST);
    assert_errno(do_link("a", "a"), EEXIST);
    assert_errno(do_link("a", "."), EEXIST);
}

/* covers: link ENOENT */
static void missing_names_are_refused(void **state)
{
    (void)state;
    make_file("a", NULL);
    assert_errno(do_link("none", "b"), ENOENT);
    assert_errno(do_link("a", "none/b"), ENOENT);
    assert_errno(do_link("", "b"), ENOENT);
    assert_errno(do_link("a", ""), ENOENT);
}

/* covers: link EPERM */
static void folder_is_refused(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    assert_errno(do_link("d", "e"), EPERM);
}

/* covers: link ENOTDIR */
static void file_in_the_path_is_refused(void **state)
{
    (void)state;
    make_file("a", NULL);
    make_file("f", NULL);
    assert_errno(do_link("f/x", "b"), ENOTDIR);
    assert_errno(do_link("a", "f/x"), ENOTDIR);
    assert_errno(do_link("a/", "b"), ENOTDIR);
}

/* covers: link ENOENT */
static void new_name_with_trailing_slash_is_refused(void **state)
{
    (void)state;
    make_file("a", NULL);
    assert_errno(do_link("a", "b/"), ENOENT);
}

/* covers: link EACCES */
static void parent_must_be_writable(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("f", NULL);
    must(chmod("f", 0666));
    must(chmod("d", 0555));
    as_nobody(assert_errno(do_link("f", "d/g"), EACCES));
}

/* covers: link EACCES */
static void search_right_on_the_old_folder_is_needed(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("rw", 0777));
    make_file("d/f", NULL);
    must(chmod("d", 0666));
    as_nobody(assert_errno(do_link("d/f", "rw/g"), EACCES));
}

/* covers: link ELOOP ENAMETOOLONG */
static void loops_and_long_names_are_refused(void **state)
{
    (void)state;
    char name[257];

    make_file("f", NULL);
    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_link("a/f", "b"), ELOOP);
    assert_errno(do_link("f", "a/f"), ELOOP);
    assert_errno(do_link("f", name), ENAMETOOLONG);
    assert_errno(do_link(name, "b"), ENAMETOOLONG);
}

/* covers: link EXDEV */
static void other_file_system_is_refused(void **state)
{
    (void)state;
    struct stat here, shm;

    must(stat(".", &here));
    if (stat("/dev/shm", &shm) != 0 || access("/dev/shm", W_OK) != 0 || here.st_dev == shm.st_dev)
        skip_because("no second writable file system at /dev/shm");
    make_file("f", NULL);
    assert_errno(do_link("f", "/dev/shm/conformance.link"), EXDEV);
}

/* covers: link EFAULT linkat EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_link(BAD_PTR, "g"), EFAULT);
    assert_errno(do_link("f", BAD_PTR), EFAULT);
    assert_errno(do_linkat(AT_FDCWD, BAD_PTR, AT_FDCWD, "g", 0), EFAULT);
}

/* covers: linkat EBADF ENOTDIR */
static void at_call_is_relative_to_both_descriptors(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("e", 0755));
    make_file("d/f", "text");
    make_file("f", NULL);
    int d = must(open("d", O_RDONLY)), e = must(open("e", O_RDONLY)), f = must(open("f", O_RDONLY));
    must(do_linkat(d, "f", e, "g", 0));
    assert_file_text("e/g", "text");
    assert_errno(do_linkat(100000, "f", e, "h", 0), EBADF);
    assert_errno(do_linkat(d, "f", 100000, "h", 0), EBADF);
    assert_errno(do_linkat(f, "f", e, "h", 0), ENOTDIR);
    assert_errno(do_linkat(d, "f", f, "h", 0), ENOTDIR);
    must(close(d));
    must(close(e));
    must(close(f));
}

/* covers: linkat EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_linkat(AT_FDCWD, "f", AT_FDCWD, "g", 1), EINVAL);
    assert_errno(do_linkat(AT_FDCWD, "f", AT_FDCWD, "g", AT_SYMLINK_NOFOLLOW), EINVAL);
}

/* covers: linkat AT_EMPTY_PATH */
static void empty_path_links_the_descriptor(void **state)
{
    (void)state;
    need_capability(CAP_DAC_READ_SEARCH);
    make_file("f", "text");
    int fd = must(open("f", O_RDONLY));
    must(do_linkat(fd, "", AT_FDCWD, "g", AT_EMPTY_PATH));
    assert_file_text("g", "text");
    must(close(fd));
}

/* covers: linkat AT_EMPTY_PATH ENOENT EPERM */
static void who_has_opened_a_file_may_give_it_a_name(void **state)
{
    (void)state;
    make_file("f", "text");
    must(chmod(".", 0777));
    int others = must(open("f", O_RDONLY));
    need_root();
    as_nobody(int fd = must(open(".", O_TMPFILE | O_RDWR, 0600));
              assert_errno(do_linkat(others, "", AT_FDCWD, "g", AT_EMPTY_PATH), ENOENT);
              if (do_linkat(fd, "", AT_FDCWD, "h", AT_EMPTY_PATH) == -1 && errno == ENOENT)
                  skip_because("only the privileged may before Linux 6.10");
              must(access("h", F_OK));
              assert_errno(do_linkat(AT_FDCWD, "", AT_FDCWD, "g", AT_EMPTY_PATH), EPERM);
              must(do_linkat(AT_FDCWD, "h", AT_FDCWD, "i", AT_EMPTY_PATH)));
    must(close(others));
}

/* covers: linkat ENOENT */
static void empty_path_without_the_flag_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    assert_errno(do_linkat(fd, "", AT_FDCWD, "g", 0), ENOENT);
    must(close(fd));
}

/* covers: linkat ENOENT */
static void removed_file_cannot_be_linked_again(void **state)
{
    (void)state;
    char path[64];

    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    must(unlink("f"));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    assert_errno(do_linkat(AT_FDCWD, path, AT_FDCWD, "g", AT_SYMLINK_FOLLOW), ENOENT);
    must(close(fd));
}

/* covers: linkat EEXIST EPERM ELOOP ENAMETOOLONG EACCES */
static void at_call_has_the_same_errors(void **state)
{
    (void)state;
    char name[257];

    memset(name, 'n', 256);
    name[256] = 0;
    make_file("f", NULL);
    must(chmod("f", 0666));
    must(symlink("a", "a"));
    must(mkdir("d", 0555));
    assert_errno(do_linkat(AT_FDCWD, "f", AT_FDCWD, "d", 0), EEXIST);
    assert_errno(do_linkat(AT_FDCWD, "d", AT_FDCWD, "x", 0), EPERM);
    assert_errno(do_linkat(AT_FDCWD, "a", AT_FDCWD, "x", AT_SYMLINK_FOLLOW), ELOOP);
    assert_errno(do_linkat(AT_FDCWD, "f", AT_FDCWD, name, 0), ENAMETOOLONG);
    as_nobody(assert_errno(do_linkat(AT_FDCWD, "f", AT_FDCWD, "d/x", 0), EACCES));
}

/* covers: linkat EXDEV link EXDEV */
static void link_to_proc_is_another_file_system(void **state)
{
    (void)state;
    assert_errno(do_link("/proc/self/status", "/conformance.link"), EXDEV);
    assert_errno(do_linkat(AT_FDCWD, "/proc/self/status", AT_FDCWD, "/conformance.link", 0), EXDEV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(both_names_are_the_same_file),
        tempdir_test(symlink_itself_is_linked),
        tempdir_test(follow_flag_links_the_target),
        tempdir_test(existing_name_is_refused),
        tempdir_test(missing_names_are_refused),
        tempdir_test(folder_is_refused),
        tempdir_test(file_in_the_path_is_refused),
        tempdir_test(new_name_with_trailing_slash_is_refused),
        tempdir_test(parent_must_be_writable),
        tempdir_test(search_right_on_the_old_folder_is_needed),
        tempdir_test(loops_and_long_names_are_refused),
        tempdir_test(other_file_system_is_refused),
        tempdir_test(bad_addresses_fault),
        tempdir_test(at_call_is_relative_to_both_descriptors),
        tempdir_test(unknown_flag_is_refused),
        tempdir_test(empty_path_links_the_descriptor),
        tempdir_test(who_has_opened_a_file_may_give_it_a_name),
        tempdir_test(empty_path_without_the_flag_is_refused),
        tempdir_test(removed_file_cannot_be_linked_again),
        tempdir_test(at_call_has_the_same_errors),
        cmocka_unit_test(link_to_proc_is_another_file_system),
    };

    return cmocka_run_group_tests_name("fs/link", tests, NULL, NULL);
}
