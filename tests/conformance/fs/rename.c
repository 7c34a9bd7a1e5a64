/* rename.c: rename(2) and renameat(2). */
#include "../lib/check.h"

static long do_rename(const char *from, const char *to)
{
    return syscall(SYS_rename, from, to);
}

static ino_t inode_of(const char *path)
{
    struct stat st;

    must(lstat(path, &st));
    return st.st_ino;
}

/* covers: rename */
static void file_gets_its_new_name(void **state)
{
    (void)state;
    make_file("a", "text");
    ino_t inode = inode_of("a");
    must(do_rename("a", "b"));
    assert_false(path_exists("a"));
    assert_file_text("b", "text");
    assert_int_equal(inode_of("b"), inode);
}

/* covers: rename */
static void file_moves_to_another_folder(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("a", "text");
    must(do_rename("a", "d/b"));
    assert_false(path_exists("a"));
    assert_file_text("d/b", "text");
}

/* covers: rename */
static void existing_file_is_replaced(void **state)
{
    (void)state;
    make_file("a", "new");
    make_file("b", "old");
    int fd = must(open("b", O_RDONLY));
    char text[8] = "";
    must(do_rename("a", "b"));
    assert_false(path_exists("a"));
    assert_file_text("b", "new");
    assert_returns(read(fd, text, sizeof text), 3); /* the replaced file lives while open */
    assert_string_equal(text, "old");
    must(close(fd));
}

/* covers: rename */
static void hard_links_of_one_file_both_stay(void **state)
{
    (void)state;
    /* POSIX and rename(2): nothing happens when both names are the same file */
    make_file("a", "text");
    must(link("a", "b"));
    must(do_rename("a", "b"));
    assert_true(path_exists("a"));
    assert_true(path_exists("b"));
}

/* covers: rename */
static void same_name_changes_nothing(void **state)
{
    (void)state;
    make_file("a", "text");
    must(do_rename("a", "a"));
    must(do_rename("a", "./a"));
    assert_file_text("a", "text");
}

/* covers: rename */
static void symlink_itself_is_renamed(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(symlink("f", "link"));
    must(do_rename("link", "moved"));
    assert_false(path_exists("link"));
    struct stat st;
    must(lstat("moved", &st));
    assert_true(S_ISLNK(st.st_mode));
}

/* covers: rename */
static void symlink_itself_is_replaced(void **state)
{
    (void)state;
    make_file("f", "target");
    make_file("a", "new");
    must(symlink("f", "link"));
    must(do_rename("a", "link"));
    struct stat st;
    must(lstat("link", &st));
    assert_true(S_ISREG(st.st_mode));
    assert_file_text("f", "target");
}

/* covers: rename */
static void folder_gets_its_new_name_with_all_it_holds(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", "text");
    must(do_rename("d", "e"));
    assert_false(path_exists("d"));
    assert_file_text("e/f", "text");
}

/* covers: rename */
static void dot_dot_of_a_moved_folder_follows(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("p", 0755));
    must(do_rename("d", "p/d"));
    assert_int_equal(inode_of("p/d/.."), inode_of("p"));
}

/* covers: rename */
static void empty_folder_is_replaced_by_a_folder(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(mkdir("e", 0755));
    must(do_rename("d", "e"));
    assert_true(path_exists("e/f"));
    assert_false(path_exists("d"));
}

/* covers: rename */
static void trailing_slash_is_allowed_for_folders(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(do_rename("d/", "e/"));
    assert_true(path_exists("e"));
}

/* covers: rename ENOTDIR */
static void trailing_slash_is_refused_for_files(void **state)
{
    (void)state;
    make_file("a", NULL);
    assert_errno(do_rename("a/", "b"), ENOTDIR);
    assert_errno(do_rename("a", "b/"), ENOTDIR);
    assert_true(path_exists("a"));
}

/* covers: rename ENOTEMPTY */
static void filled_folder_is_not_replaced(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("e", 0755));
    make_file("e/f", NULL);
    errno = 0;
    assert_int_equal(do_rename("d", "e"), -1);
    assert_true(errno == ENOTEMPTY || errno == EEXIST);
    assert_true(path_exists("d"));
}

/* covers: rename ENOTDIR */
static void folder_does_not_replace_a_file(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("f", NULL);
    assert_errno(do_rename("d", "f"), ENOTDIR);
}

/* covers: rename EISDIR */
static void file_does_not_replace_a_folder(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("f", NULL);
    assert_errno(do_rename("f", "d"), EISDIR);
}

/* covers: rename EINVAL */
static void folder_cannot_move_into_itself(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("d/e", 0755));
    assert_errno(do_rename("d", "d/x"), EINVAL);
    assert_errno(do_rename("d", "d/e/x"), EINVAL);
    assert_errno(do_rename("d", "d/e"), EINVAL);
}

/* covers: rename ENOTEMPTY */
static void folder_cannot_replace_its_own_parent(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("d/e", 0755));
    must(mkdir("d/e/f", 0755));
    assert_errno(do_rename("d/e", "d"), ENOTEMPTY);
    assert_errno(do_rename("d/e/f", "d"), ENOTEMPTY);
}

/* covers: rename EBUSY */
static void dot_names_are_busy(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    assert_errno(do_rename(".", "x"), EBUSY);
    assert_errno(do_rename("d/.", "x"), EBUSY);
    assert_errno(do_rename("d/..", "x"), EBUSY);
    assert_errno(do_rename("d", "."), EBUSY);
    assert_errno(do_rename("d", "d/.."), EBUSY);
}

/* covers: rename ENOENT */
static void missing_names_are_refused(void **state)
{
    (void)state;
    make_file("a", NULL);
    assert_errno(do_rename("none", "b"), ENOENT);
    assert_errno(do_rename("a", "none/b"), ENOENT);
    assert_errno(do_rename("", "b"), ENOENT);
    assert_errno(do_rename("a", ""), ENOENT);
}

/* covers: rename ENOTDIR */
static void file_in_the_path_is_refused(void **state)
{
    (void)state;
    make_file("a", NULL);
    make_file("f", NULL);
    assert_errno(do_rename("f/x", "b"), ENOTDIR);
    assert_errno(do_rename("a", "f/x"), ENOTDIR);
}

/* covers: rename EACCES */
static void both_folders_must_be_writable(void **state)
{
    (void)state;
    must(mkdir("ro", 0755));
    must(mkdir("rw", 0777));
    must(chmod("rw", 0777));
    make_file("ro/f", NULL);
    make_file("rw/f", NULL);
    must(chmod("ro", 0555));
    as_nobody(assert_errno(do_rename("ro/f", "rw/g"), EACCES);
              assert_errno(do_rename("rw/f", "ro/g"), EACCES); must(do_rename("rw/f", "rw/g")));
}

/* covers: rename EACCES */
static void folder_that_changes_parent_must_be_writable(void **state)
{
    (void)state;
    /* its ".." is to change */
    need_root();
    must(mkdir("rw", 0777));
    must(chmod("rw", 0777));
    must(mkdir("rw/d", 0755));
    must(mkdir("rw/e", 0777));
    must(chmod("rw/e", 0777));
    as_nobody(assert_errno(do_rename("rw/d", "rw/e/d"), EACCES); must(do_rename("rw/d", "rw/d2")));
}

/* covers: rename EPERM */
static void sticky_folder_protects_what_others_own(void **state)
{
    (void)state;
    need_root();
    must(mkdir("d", 0777));
    must(chmod("d", 01777));
    make_file("d/f", NULL);
    as_nobody(make_file("d/mine", NULL); assert_errno(do_rename("d/f", "d/g"), EPERM);
              assert_errno(do_rename("d/mine", "d/f"), EPERM);
              must(do_rename("d/mine", "d/still_mine")));
}

/* covers: rename ELOOP ENAMETOOLONG */
static void loops_and_long_names_are_refused(void **state)
{
    (void)state;
    char name[257];

    make_file("f", NULL);
    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_rename("a/f", "b"), ELOOP);
    assert_errno(do_rename("f", "a/f"), ELOOP);
    assert_errno(do_rename("f", name), ENAMETOOLONG);
    assert_errno(do_rename(name, "g"), ENAMETOOLONG);
}

/* covers: rename EXDEV */
static void other_file_system_is_refused(void **state)
{
    (void)state;
    struct stat here, shm;

    must(stat(".", &here));
    if (stat("/dev/shm", &shm) != 0 || access("/dev/shm", W_OK) != 0 || here.st_dev == shm.st_dev)
        skip_because("no second writable file system at /dev/shm");
    make_file("f", NULL);
    assert_errno(do_rename("f", "/dev/shm/conformance.rename"), EXDEV);
    assert_true(path_exists("f"));
}

/* covers: rename EFAULT renameat EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_rename(BAD_PTR, "g"), EFAULT);
    assert_errno(do_rename("f", BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_renameat, AT_FDCWD, BAD_PTR, AT_FDCWD, "g"), EFAULT);
}

/* covers: renameat EBADF ENOTDIR */
static void at_call_is_relative_to_both_descriptors(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("e", 0755));
    make_file("d/f", "text");
    make_file("f", NULL);
    int d = must(open("d", O_RDONLY)), e = must(open("e", O_RDONLY)), f = must(open("f", O_RDONLY));
    must(syscall(SYS_renameat, d, "f", e, "g"));
    assert_file_text("e/g", "text");
    assert_errno(syscall(SYS_renameat, 100000, "f", e, "g"), EBADF);
    assert_errno(syscall(SYS_renameat, d, "f", 100000, "g"), EBADF);
    assert_errno(syscall(SYS_renameat, f, "f", e, "g"), ENOTDIR);
    assert_errno(syscall(SYS_renameat, e, "g", f, "g"), ENOTDIR);
    must(close(d));
    must(close(e));
    must(close(f));
}

/* covers: rename */
static void replacing_is_never_seen_half_done(void **state)
{
    (void)state;
    /* a reader that opens the name again and again always finds one of the two files */
    struct gate *done = gate_new();

    make_file("f", "v");
    pid_t pid = child_fork();
    if (pid == 0) {
        while (!done->tid) {
            int fd = must(open("f", O_RDONLY));
            char c;
            assert_returns(read(fd, &c, 1), 1);
            must(close(fd));
        }
        _exit(0);
    }
    for (int i = 0; i < 500; i++) {
        make_file("tmp", "w");
        must(do_rename("tmp", "f"));
    }
    gate_open(done);
    assert_child_ok(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(file_gets_its_new_name),
        tempdir_test(file_moves_to_another_folder),
        tempdir_test(existing_file_is_replaced),
        tempdir_test(hard_links_of_one_file_both_stay),
        tempdir_test(same_name_changes_nothing),
        tempdir_test(symlink_itself_is_renamed),
        tempdir_test(symlink_itself_is_replaced),
        tempdir_test(folder_gets_its_new_name_with_all_it_holds),
        tempdir_test(dot_dot_of_a_moved_folder_follows),
        tempdir_test(empty_folder_is_replaced_by_a_folder),
        tempdir_test(trailing_slash_is_allowed_for_folders),
        tempdir_test(trailing_slash_is_refused_for_files),
        tempdir_test(filled_folder_is_not_replaced),
        tempdir_test(folder_does_not_replace_a_file),
        tempdir_test(file_does_not_replace_a_folder),
        tempdir_test(folder_cannot_move_into_itself),
        tempdir_test(folder_cannot_replace_its_own_parent),
        tempdir_test(dot_names_are_busy),
        tempdir_test(missing_names_are_refused),
        tempdir_test(file_in_the_path_is_refused),
        tempdir_test(both_folders_must_be_writable),
        tempdir_test(folder_that_changes_parent_must_be_writable),
        tempdir_test(sticky_folder_protects_what_others_own),
        tempdir_test(loops_and_long_names_are_refused),
        tempdir_test(other_file_system_is_refused),
        tempdir_test(bad_addresses_fault),
        tempdir_test(at_call_is_relative_to_both_descriptors),
        tempdir_test(replacing_is_never_seen_half_done),
    };

    return cmocka_run_group_tests_name("fs/rename", tests, NULL, NULL);
}
