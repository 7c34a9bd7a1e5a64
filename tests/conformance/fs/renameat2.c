/* renameat2.c: renameat2(2): refuse to replace, or exchange. */
#include "../lib/check.h"

#include <linux/fs.h>

static long rename2(const char *from, const char *to, unsigned flags)
{
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static bool is_folder(const char *path)
{
    struct stat st;

    must(lstat(path, &st));
    return S_ISDIR(st.st_mode);
}

/* covers: renameat2 */
static void without_flags_it_is_rename(void **state)
{
    (void)state;
    make_file("a", "new");
    make_file("b", "old");
    must(rename2("a", "b", 0));
    assert_file_text("b", "new");
    assert_errno(rename2("a", "b", 0), ENOENT);
}

/* covers: renameat2 RENAME_NOREPLACE */
static void noreplace_moves_to_a_free_name(void **state)
{
    (void)state;
    make_file("a", "text");
    must(rename2("a", "b", RENAME_NOREPLACE));
    assert_file_text("b", "text");
    assert_false(path_exists("a"));
}

/* covers: renameat2 RENAME_NOREPLACE EEXIST */
static void noreplace_keeps_what_is_there(void **state)
{
    (void)state;
    make_file("a", "new");
    make_file("b", "old");
    must(symlink("none", "dangling"));
    must(mkdir("d", 0755));
    assert_errno(rename2("a", "b", RENAME_NOREPLACE), EEXIST);
    assert_errno(rename2("a", "dangling", RENAME_NOREPLACE), EEXIST);
    assert_errno(rename2("a", "d", RENAME_NOREPLACE), EEXIST);
    assert_errno(rename2("a", "a", RENAME_NOREPLACE), EEXIST);
    assert_errno(rename2("a", ".", RENAME_NOREPLACE), EEXIST);
    assert_file_text("b", "old");
}

/* covers: renameat2 RENAME_NOREPLACE ENOENT */
static void noreplace_of_a_missing_file_is_refused(void **state)
{
    (void)state;
    make_file("b", NULL);
    assert_errno(rename2("none", "c", RENAME_NOREPLACE), ENOENT);
}

/* covers: renameat2 RENAME_EXCHANGE */
static void exchange_swaps_two_files(void **state)
{
    (void)state;
    make_file("a", "A");
    make_file("b", "B");
    must(rename2("a", "b", RENAME_EXCHANGE));
    assert_file_text("a", "B");
    assert_file_text("b", "A");
}

/* covers: renameat2 RENAME_EXCHANGE */
static void exchange_swaps_different_types(void **state)
{
    (void)state;
    make_file("f", "text");
    must(mkdir("d", 0755));
    make_file("d/inside", NULL);
    must(rename2("f", "d", RENAME_EXCHANGE));
    assert_true(is_folder("f"));
    assert_true(path_exists("f/inside"));
    assert_file_text("d", "text");
    must(symlink("x", "link"));
    must(rename2("link", "f", RENAME_EXCHANGE));
    assert_true(is_folder("link"));
}

/* covers: renameat2 RENAME_EXCHANGE */
static void exchange_swaps_filled_folders_of_different_parents(void **state)
{
    (void)state;
    struct stat p, up;

    must(mkdir("p", 0755));
    must(mkdir("p/d", 0755));
    make_file("p/d/one", NULL);
    must(mkdir("e", 0755));
    make_file("e/two", NULL);
    must(rename2("p/d", "e", RENAME_EXCHANGE));
    assert_true(path_exists("e/one"));
    assert_true(path_exists("p/d/two"));
    must(stat("p", &p));
    must(stat("p/d/..", &up));
    assert_int_equal(p.st_ino, up.st_ino);
}

/* covers: renameat2 RENAME_EXCHANGE ENOENT */
static void exchange_needs_both_names(void **state)
{
    (void)state;
    make_file("a", NULL);
    assert_errno(rename2("a", "none", RENAME_EXCHANGE), ENOENT);
    assert_errno(rename2("none", "a", RENAME_EXCHANGE), ENOENT);
    assert_true(path_exists("a"));
}

/* covers: renameat2 RENAME_EXCHANGE */
static void exchange_with_itself_changes_nothing(void **state)
{
    (void)state;
    make_file("a", "text");
    must(rename2("a", "a", RENAME_EXCHANGE));
    assert_file_text("a", "text");
}

/* covers: renameat2 RENAME_EXCHANGE EINVAL */
static void exchange_of_a_folder_with_its_parent_is_refused(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("d/e", 0755));
    must(mkdir("d/e/f", 0755));
    assert_errno(rename2("d", "d/e", RENAME_EXCHANGE), EINVAL);
    assert_errno(rename2("d/e", "d", RENAME_EXCHANGE), EINVAL);
    assert_errno(rename2("d/e/f", "d", RENAME_EXCHANGE), EINVAL);
}

/* covers: renameat2 RENAME_EXCHANGE EACCES */
static void exchange_needs_write_right_on_both_folders(void **state)
{
    (void)state;
    must(mkdir("ro", 0755));
    must(mkdir("rw", 0777));
    must(chmod("rw", 0777));
    make_file("ro/f", NULL);
    make_file("rw/f", NULL);
    must(chmod("ro", 0555));
    as_nobody(assert_errno(rename2("ro/f", "rw/f", RENAME_EXCHANGE), EACCES));
}

/* covers: renameat2 EINVAL RENAME_NOREPLACE RENAME_EXCHANGE */
static void noreplace_and_exchange_exclude_each_other(void **state)
{
    (void)state;
    make_file("a", NULL);
    make_file("b", NULL);
    assert_errno(rename2("a", "b", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
}

/* covers: renameat2 EINVAL RENAME_WHITEOUT */
static void whiteout_and_exchange_exclude_each_other(void **state)
{
    (void)state;
    make_file("a", NULL);
    make_file("b", NULL);
    assert_errno(rename2("a", "b", RENAME_WHITEOUT | RENAME_EXCHANGE), EINVAL);
}

/* covers: renameat2 EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    make_file("a", NULL);
    assert_errno(rename2("a", "b", 8), EINVAL);
    assert_errno(rename2("a", "b", 1u << 31), EINVAL);
    assert_true(path_exists("a"));
}

/* covers: renameat2 EBADF ENOTDIR EFAULT */
static void descriptors_and_addresses_are_checked(void **state)
{
    (void)state;
    make_file("a", NULL);
    int fd = must(open("a", O_RDONLY));
    assert_errno(syscall(SYS_renameat2, 100000, "a", AT_FDCWD, "b", 0), EBADF);
    assert_errno(syscall(SYS_renameat2, AT_FDCWD, "a", 100000, "b", 0), EBADF);
    assert_errno(syscall(SYS_renameat2, fd, "a", AT_FDCWD, "b", 0), ENOTDIR);
    assert_errno(syscall(SYS_renameat2, AT_FDCWD, BAD_PTR, AT_FDCWD, "b", 0), EFAULT);
    assert_errno(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, BAD_PTR, 0), EFAULT);
    must(close(fd));
}

/* covers: renameat2 ENOTEMPTY EISDIR ENOTDIR ELOOP ENAMETOOLONG EBUSY EINVAL */
static void errors_are_those_of_rename(void **state)
{
    (void)state;
    char name[257];

    memset(name, 'n', 256);
    name[256] = 0;
    make_file("f", NULL);
    must(symlink("a", "a"));
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(mkdir("e", 0755));
    assert_errno(rename2("e", "d", 0), ENOTEMPTY);
    assert_errno(rename2("f", "d", 0), EISDIR);
    assert_errno(rename2("d", "f", 0), ENOTDIR);
    assert_errno(rename2("a/x", "y", 0), ELOOP);
    assert_errno(rename2("f", name, 0), ENAMETOOLONG);
    assert_errno(rename2("f", name, RENAME_NOREPLACE), ENAMETOOLONG);
    assert_errno(rename2("d", ".", 0), EBUSY);
    assert_errno(rename2("d/..", "x", RENAME_EXCHANGE), EBUSY);
    assert_errno(rename2("d", "d/x", 0), EINVAL);
    assert_errno(rename2("d", "d/x", RENAME_NOREPLACE), EINVAL);
}

/* covers: renameat2 EPERM RENAME_NOREPLACE RENAME_EXCHANGE */
static void sticky_folder_counts_for_every_flag(void **state)
{
    (void)state;
    need_root();
    must(mkdir("d", 0777));
    must(chmod("d", 01777));
    make_file("d/f", NULL);
    as_nobody(make_file("d/mine", NULL); assert_errno(rename2("d/f", "d/g", 0), EPERM);
              assert_errno(rename2("d/f", "d/g", RENAME_NOREPLACE), EPERM);
              assert_errno(rename2("d/mine", "d/f", RENAME_EXCHANGE), EPERM));
}

/* covers: renameat2 EXDEV RENAME_NOREPLACE */
static void other_file_system_is_refused(void **state)
{
    (void)state;
    struct stat here, shm;

    must(stat(".", &here));
    if (stat("/dev/shm", &shm) != 0 || access("/dev/shm", W_OK) != 0 || here.st_dev == shm.st_dev)
        skip_because("no second writable file system at /dev/shm");
    make_file("f", NULL);
    assert_errno(rename2("f", "/dev/shm/conformance.rename2", RENAME_NOREPLACE), EXDEV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(without_flags_it_is_rename),
        tempdir_test(noreplace_moves_to_a_free_name),
        tempdir_test(noreplace_keeps_what_is_there),
        tempdir_test(noreplace_of_a_missing_file_is_refused),
        tempdir_test(exchange_swaps_two_files),
        tempdir_test(exchange_swaps_different_types),
        tempdir_test(exchange_swaps_filled_folders_of_different_parents),
        tempdir_test(exchange_needs_both_names),
        tempdir_test(exchange_with_itself_changes_nothing),
        tempdir_test(exchange_of_a_folder_with_its_parent_is_refused),
        tempdir_test(exchange_needs_write_right_on_both_folders),
        tempdir_test(noreplace_and_exchange_exclude_each_other),
        tempdir_test(whiteout_and_exchange_exclude_each_other),
        tempdir_test(unknown_flag_is_refused),
        tempdir_test(descriptors_and_addresses_are_checked),
        tempdir_test(errors_are_those_of_rename),
        tempdir_test(sticky_folder_counts_for_every_flag),
        tempdir_test(other_file_system_is_refused),
    };

    return cmocka_run_group_tests_name("fs/renameat2", tests, NULL, NULL);
}
