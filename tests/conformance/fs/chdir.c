/* chdir.c: getcwd(2), chdir(2), fchdir(2) and chroot(2). */
#include "../lib/check.h"

#include <sched.h>

static long do_getcwd(char *buffer, size_t size)
{
    return syscall(SYS_getcwd, buffer, size);
}

static long do_chroot(const char *path)
{
    return syscall(SYS_chroot, path);
}

static void assert_cwd(const char *expected)
{
    char text[4096];

    assert_returns(do_getcwd(text, sizeof text), strlen(expected) + 1);
    assert_string_equal(text, expected);
}

/* covers: chdir getcwd */
static void current_folder_changes(void **state)
{
    (void)state;
    char path[300];

    assert_cwd(*state);
    must(mkdir("d", 0755));
    must(chdir("d"));
    snprintf(path, sizeof path, "%s/d", (char *)*state);
    assert_cwd(path);
    must(chdir(".."));
    assert_cwd(*state);
    must(chdir("/"));
    assert_cwd("/");
}

/* covers: chdir getcwd */
static void symlinks_are_resolved(void **state)
{
    (void)state;
    char path[300];

    must(mkdir("d", 0755));
    must(symlink("d", "link"));
    must(chdir("link"));
    snprintf(path, sizeof path, "%s/d", (char *)*state);
    assert_cwd(path);
}

/* covers: getcwd ERANGE */
static void buffer_must_hold_all(void **state)
{
    (void)state;
    char text[300];
    size_t length = strlen(*state);

    assert_errno(do_getcwd(text, length), ERANGE);
    assert_errno(do_getcwd(text, 1), ERANGE);
    assert_errno(do_getcwd(text, 0), ERANGE);
    assert_returns(do_getcwd(text, length + 1), length + 1);
}

/* covers: getcwd ENOENT */
static void removed_folder_has_no_path(void **state)
{
    (void)state;
    char text[300];

    must(mkdir("d", 0755));
    must(chdir("d"));
    must(rmdir("../d"));
    assert_errno(do_getcwd(text, sizeof text), ENOENT);
    must(chdir(*state));
}

/* covers: getcwd rename */
static void renamed_folder_has_its_new_path(void **state)
{
    (void)state;
    char path[300];

    must(mkdir("d", 0755));
    must(chdir("d"));
    must(rename("../d", "../e"));
    snprintf(path, sizeof path, "%s/e", (char *)*state);
    assert_cwd(path);
}

/* covers: chdir */
static void removed_folder_can_still_be_left(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(chdir("d"));
    must(rmdir("../d"));
    must(chdir(".."));
    assert_cwd(*state);
}

/* covers: getcwd EFAULT chdir EFAULT chroot EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    assert_errno(do_getcwd(BAD_PTR, 4096), EFAULT);
    assert_errno(chdir(BAD_PTR), EFAULT);
    assert_errno(do_chroot(BAD_PTR), EFAULT);
}

/* covers: chdir ENOENT ENOTDIR ELOOP ENAMETOOLONG */
static void path_errors(void **state)
{
    (void)state;
    char name[257];

    make_file("f", NULL);
    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(chdir("none"), ENOENT);
    assert_errno(chdir(""), ENOENT);
    assert_errno(chdir("f"), ENOTDIR);
    assert_errno(chdir("f/x"), ENOTDIR);
    assert_errno(chdir("a"), ELOOP);
    assert_errno(chdir(name), ENAMETOOLONG);
    assert_cwd(*state);
}

/* covers: chdir EACCES fchdir EACCES */
static void search_right_is_needed(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("x", 0755));
    must(chmod("d", 0666));
    must(chmod("x", 0111));
    as_nobody(assert_errno(chdir("d"), EACCES); int fd = must(open("d", O_RDONLY));
              assert_errno(fchdir(fd), EACCES); must(chdir("x")));
}

/* covers: fchdir */
static void descriptor_becomes_the_current_folder(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    int home = must(open(".", O_RDONLY)), d = must(open("d", O_RDONLY));
    must(fchdir(d));
    make_file("inside", NULL);
    must(fchdir(home));
    assert_true(path_exists("d/inside"));
    must(close(home));
    must(close(d));
}

/* covers: fchdir EBADF ENOTDIR */
static void bad_descriptors_are_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    int fd = must(open("f", O_RDONLY));
    assert_errno(fchdir(fd), ENOTDIR);
    assert_errno(fchdir(-1), EBADF);
    assert_errno(fchdir(100000), EBADF);
    must(close(fd));
}

/* covers: chdir */
static void child_inherits_and_changes_its_own(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    in_child(assert_cwd(*state); must(chdir("d")));
    assert_cwd(*state);
}

static int change_folder(void *arg)
{
    return chdir(arg) != 0;
}

/* covers: chdir clone CLONE_FS */
static void clone_fs_shares_the_current_folder(void **state)
{
    (void)state;
    static char stack[65536];
    char path[300];

    must(mkdir("d", 0755));
    pid_t pid = must(clone(change_folder, stack + sizeof stack, CLONE_FS | SIGCHLD, "d"));
    assert_child_ok(pid);
    snprintf(path, sizeof path, "%s/d", (char *)*state);
    assert_cwd(path);
}

/* covers: chroot getcwd */
static void new_root_is_the_start_of_absolute_paths(void **state)
{
    (void)state;
    need_capability(CAP_SYS_CHROOT);
    must(mkdir("d", 0755));
    make_file("d/f", "inside");
    in_child(must(do_chroot("d")); assert_file_text("/f", "inside"); must(chdir("/"));
             assert_cwd("/"); assert_file_text("../../f", "inside"));
    assert_false(path_exists("/f"));
}

/* covers: chroot getcwd */
static void current_folder_outside_the_root_is_unreachable(void **state)
{
    (void)state;
    need_capability(CAP_SYS_CHROOT);
    must(mkdir("d", 0755));
    make_file("here", NULL);
    in_child(char text[400]; must(do_chroot("d")); must(do_getcwd(text, sizeof text));
             assert_memory_equal(text, "(unreachable)", 13); assert_true(path_exists("here")));
}

/* covers: chroot */
static void absolute_symlinks_stay_inside_the_root(void **state)
{
    (void)state;
    need_capability(CAP_SYS_CHROOT);
    must(mkdir("d", 0755));
    make_file("d/f", "inside");
    must(symlink("/f", "d/link"));
    in_child(must(do_chroot("d")); must(chdir("/")); assert_file_text("link", "inside"));
}

/* covers: chroot EPERM */
static void unprivileged_process_is_refused(void **state)
{
    (void)state;
    as_nobody(assert_errno(do_chroot("/"), EPERM));
}

/* covers: chroot ENOENT ENOTDIR ELOOP ENAMETOOLONG */
static void errors_of_the_new_root(void **state)
{
    (void)state;
    char name[257];

    make_file("f", NULL);
    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_chroot("none"), ENOENT);
    assert_errno(do_chroot(""), ENOENT);
    assert_errno(do_chroot("f"), ENOTDIR);
    assert_errno(do_chroot("a"), ELOOP);
    assert_errno(do_chroot(name), ENAMETOOLONG);
}

/* covers: chroot EACCES */
static void new_root_needs_the_search_right(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(chmod("d", 0));
    as_nobody(assert_errno(do_chroot("d"), EACCES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(current_folder_changes),
        tempdir_test(symlinks_are_resolved),
        tempdir_test(buffer_must_hold_all),
        tempdir_test(removed_folder_has_no_path),
        tempdir_test(renamed_folder_has_its_new_path),
        tempdir_test(removed_folder_can_still_be_left),
        cmocka_unit_test(bad_address_faults),
        tempdir_test(path_errors),
        tempdir_test(search_right_is_needed),
        tempdir_test(descriptor_becomes_the_current_folder),
        tempdir_test(bad_descriptors_are_refused),
        tempdir_test(child_inherits_and_changes_its_own),
        tempdir_test(clone_fs_shares_the_current_folder),
        tempdir_test(new_root_is_the_start_of_absolute_paths),
        tempdir_test(current_folder_outside_the_root_is_unreachable),
        tempdir_test(absolute_symlinks_stay_inside_the_root),
        cmocka_unit_test(unprivileged_process_is_refused),
        tempdir_test(errors_of_the_new_root),
        tempdir_test(new_root_needs_the_search_right),
    };

    return cmocka_run_group_tests_name("fs/chdir", tests, NULL, NULL);
}
