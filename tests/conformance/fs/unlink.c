/* unlink.c: unlink(2) and unlinkat(2). */
#include "../lib/check.h"

#include <sys/socket.h>
#include <sys/un.h>

static long do_unlink(const char *path)
{
    return syscall(SYS_unlink, path);
}

static long do_unlinkat(int dir, const char *path, int flags)
{
    return syscall(SYS_unlinkat, dir, path, flags);
}

/* covers: unlink */
static void name_is_gone(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(do_unlink("f"));
    assert_false(path_exists("f"));
    assert_errno(do_unlink("f"), ENOENT);
}

/* covers: unlink link */
static void other_names_of_the_file_stay(void **state)
{
    (void)state;
    struct stat st;

    make_file("f", "text");
    must(link("f", "g"));
    must(do_unlink("f"));
    assert_file_text("g", "text");
    must(stat("g", &st));
    assert_int_equal(st.st_nlink, 1);
}

/* covers: unlink */
static void symlink_goes_and_its_target_stays(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(symlink("f", "link"));
    must(do_unlink("link"));
    assert_false(path_exists("link"));
    assert_true(path_exists("f"));
}

/* covers: unlink */
static void dangling_symlink_can_go(void **state)
{
    (void)state;
    must(symlink("none", "link"));
    must(do_unlink("link"));
    assert_false(path_exists("link"));
}

/* covers: unlink */
static void fifo_and_socket_can_go(void **state)
{
    (void)state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "s"};
    int sock = must(socket(AF_UNIX, SOCK_STREAM, 0));

    must(bind(sock, (struct sockaddr *)&addr, sizeof addr));
    must(mkfifo("p", 0644));
    must(do_unlink("s"));
    must(do_unlink("p"));
    must(close(sock));
}

/* covers: unlink */
static void read_only_file_can_go(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(chmod("f", 0));
    must(do_unlink("f"));
}

/* covers: unlink */
static void change_time_of_a_linked_file_moves(void **state)
{
    (void)state;
    struct stat before, after;

    make_file("f", NULL);
    must(link("f", "g"));
    must(stat("g", &before));
    must(do_unlink("f"));
    must(stat("g", &after));
    assert_true(after.st_ctim.tv_sec > before.st_ctim.tv_sec ||
                (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
                 after.st_ctim.tv_nsec >= before.st_ctim.tv_nsec));
    assert_int_equal(after.st_nlink, 1);
}

/* covers: unlink ENOENT unlinkat ENOENT */
static void missing_file_is_refused(void **state)
{
    (void)state;
    assert_errno(do_unlink("none"), ENOENT);
    assert_errno(do_unlink("none/f"), ENOENT);
    assert_errno(do_unlink(""), ENOENT);
    assert_errno(do_unlinkat(AT_FDCWD, "", 0), ENOENT);
}

/* covers: unlink EISDIR unlinkat EISDIR */
static void folder_is_refused(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    assert_errno(do_unlink("d"), EISDIR);
    assert_errno(do_unlinkat(AT_FDCWD, "d", 0), EISDIR);
    assert_errno(do_unlink("."), EISDIR);
    assert_errno(do_unlink(".."), EISDIR);
    assert_errno(do_unlink("/"), EISDIR);
}

/* covers: unlink ENOTDIR EISDIR ENOENT */
static void trailing_slash_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(mkdir("d", 0755));
    must(symlink("d", "link"));
    assert_errno(do_unlink("f/"), ENOTDIR);
    assert_errno(do_unlink("d/"), EISDIR);
    assert_errno(do_unlink("link/"), ENOTDIR);
    assert_errno(do_unlink("none/"), ENOENT);
}

/* covers: unlink ENOTDIR unlinkat ENOTDIR */
static void file_in_the_path_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_unlink("f/x"), ENOTDIR);
    assert_errno(do_unlinkat(AT_FDCWD, "f/x", 0), ENOTDIR);
}

/* covers: unlink EACCES */
static void parent_must_be_writable_and_searchable(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(chmod("d/f", 0666));
    must(chmod("d", 0555));
    as_nobody(assert_errno(do_unlink("d/f"), EACCES));
    must(chmod("d", 0666));
    as_nobody(assert_errno(do_unlink("d/f"), EACCES));
}

/* covers: unlink EPERM */
static void sticky_folder_protects_what_others_own(void **state)
{
    (void)state;
    need_root();
    must(mkdir("d", 0777));
    must(chmod("d", 01777));
    make_file("d/f", NULL);
    must(chmod("d/f", 0666));
    as_nobody(assert_errno(do_unlink("d/f"), EPERM); make_file("d/mine", NULL);
              must(do_unlink("d/mine")));
}

/* covers: unlink */
static void owner_of_a_sticky_folder_may_remove_all(void **state)
{
    (void)state;
    need_root();
    must(mkdir("d", 0777));
    must(chown("d", NOBODY, NOBODY));
    must(chmod("d", 01777));
    make_file("d/f", NULL);
    as_nobody(must(do_unlink("d/f")));
}

/* covers: unlink ELOOP ENAMETOOLONG */
static void loops_and_long_names_are_refused(void **state)
{
    (void)state;
    char name[257];

    must(symlink("a", "a"));
    memset(name, 'n', 256);
    name[256] = 0;
    assert_errno(do_unlink("a/f"), ELOOP);
    assert_errno(do_unlink(name), ENAMETOOLONG);
}

/* covers: unlink EFAULT unlinkat EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    assert_errno(do_unlink(BAD_PTR), EFAULT);
    assert_errno(do_unlinkat(AT_FDCWD, BAD_PTR, 0), EFAULT);
}

/* covers: unlinkat EBADF ENOTDIR */
static void at_call_is_relative_to_its_descriptor(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    make_file("f", NULL);
    int dir = must(open("d", O_RDONLY)), fd = must(open("f", O_RDONLY));
    must(do_unlinkat(dir, "f", 0));
    assert_false(path_exists("d/f"));
    assert_true(path_exists("f"));
    assert_errno(do_unlinkat(100000, "f", 0), EBADF);
    assert_errno(do_unlinkat(fd, "x", 0), ENOTDIR);
    must(close(dir));
    must(close(fd));
}

/* covers: unlinkat AT_REMOVEDIR ENOTDIR ENOTEMPTY EINVAL */
static void removedir_flag_removes_folders_only(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    assert_errno(do_unlinkat(AT_FDCWD, "f", AT_REMOVEDIR), ENOTDIR);
    assert_errno(do_unlinkat(AT_FDCWD, "d", AT_REMOVEDIR), ENOTEMPTY);
    assert_errno(do_unlinkat(AT_FDCWD, "d/.", AT_REMOVEDIR), EINVAL);
    must(do_unlink("d/f"));
    must(do_unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
    assert_false(path_exists("d"));
}

/* covers: unlinkat EINVAL */
static void unknown_flag_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_unlinkat(AT_FDCWD, "f", 1), EINVAL);
    assert_errno(do_unlinkat(AT_FDCWD, "f", AT_SYMLINK_NOFOLLOW), EINVAL);
    assert_true(path_exists("f"));
}

/* covers: unlinkat ELOOP ENAMETOOLONG EACCES */
static void at_call_has_the_same_path_errors(void **state)
{
    (void)state;
    char name[257];

    memset(name, 'n', 256);
    name[256] = 0;
    must(symlink("a", "a"));
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(mkdir("d/e", 0755));
    must(chmod("d", 0555));
    assert_errno(do_unlinkat(AT_FDCWD, "a/f", 0), ELOOP);
    assert_errno(do_unlinkat(AT_FDCWD, name, 0), ENAMETOOLONG);
    assert_errno(do_unlinkat(AT_FDCWD, name, AT_REMOVEDIR), ENAMETOOLONG);
    as_nobody(assert_errno(do_unlinkat(AT_FDCWD, "d/f", 0), EACCES);
              assert_errno(do_unlinkat(AT_FDCWD, "d/e", AT_REMOVEDIR), EACCES));
}

/* covers: unlinkat AT_REMOVEDIR EBUSY */
static void mount_point_and_root_are_busy(void **state)
{
    (void)state;
    need_root();
    assert_errno(do_unlinkat(AT_FDCWD, "/proc", AT_REMOVEDIR), EBUSY);
    assert_errno(do_unlinkat(AT_FDCWD, "/", AT_REMOVEDIR), EBUSY);
}

/* covers: unlinkat EPERM */
static void sticky_folder_counts_for_the_at_call_too(void **state)
{
    (void)state;
    need_root();
    must(mkdir("d", 0777));
    must(chmod("d", 01777));
    make_file("d/f", NULL);
    must(mkdir("d/e", 0777));
    as_nobody(assert_errno(do_unlinkat(AT_FDCWD, "d/f", 0), EPERM);
              assert_errno(do_unlinkat(AT_FDCWD, "d/e", AT_REMOVEDIR), EPERM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(name_is_gone),
        tempdir_test(other_names_of_the_file_stay),
        tempdir_test(symlink_goes_and_its_target_stays),
        tempdir_test(dangling_symlink_can_go),
        tempdir_test(fifo_and_socket_can_go),
        tempdir_test(read_only_file_can_go),
        tempdir_test(change_time_of_a_linked_file_moves),
        tempdir_test(missing_file_is_refused),
        tempdir_test(folder_is_refused),
        tempdir_test(trailing_slash_is_refused),
        tempdir_test(file_in_the_path_is_refused),
        tempdir_test(parent_must_be_writable_and_searchable),
        tempdir_test(sticky_folder_protects_what_others_own),
        tempdir_test(owner_of_a_sticky_folder_may_remove_all),
        tempdir_test(loops_and_long_names_are_refused),
        cmocka_unit_test(bad_address_faults),
        tempdir_test(at_call_is_relative_to_its_descriptor),
        tempdir_test(removedir_flag_removes_folders_only),
        tempdir_test(unknown_flag_is_refused),
        tempdir_test(at_call_has_the_same_path_errors),
        cmocka_unit_test(mount_point_and_root_are_busy),
        tempdir_test(sticky_folder_counts_for_the_at_call_too),
    };

    return cmocka_run_group_tests_name("fs/unlink", tests, NULL, NULL);
}
