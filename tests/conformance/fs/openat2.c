/* openat2.c: openat2(2): strict flags, and limits on how a path may be followed. */
#include "../lib/check.h"

#include <linux/openat2.h>

static int open2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};

    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

/* Makes d/, d/f, f, d/up -> ../f, d/abs -> /, d/in -> f. */
static int open_tree(void)
{
    need_call(open2(AT_FDCWD, ".", O_RDONLY, 0, 0));
    must(mkdir("d", 0755));
    make_file("d/f", "inner");
    make_file("f", "outer");
    must(symlink("../f", "d/up"));
    must(symlink("/", "d/abs"));
    must(symlink("f", "d/in"));
    return must(open("d", O_RDONLY | O_DIRECTORY));
}

/* covers: openat2 O_CREAT */
static void opens_and_creates_like_openat(void **state)
{
    (void)state;
    int dir = open_tree();
    struct stat st;

    must(close(must(open2(dir, "f", O_RDONLY, 0, 0))));
    must(close(must(open2(dir, "new", O_CREAT | O_RDWR, 0666, 0))));
    must(stat("d/new", &st));
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_errno(open2(dir, "none", O_RDONLY, 0, 0), ENOENT);
    must(close(dir));
}

/* covers: openat2 EINVAL */
static void unknown_flags_are_refused(void **state)
{
    (void)state;
    int dir = open_tree();

    assert_errno(open2(dir, "f", O_RDONLY | 0x08000000, 0, 0), EINVAL);
    assert_errno(open2(dir, "f", 1ull << 40, 0, 0), EINVAL);
    assert_errno(open2(dir, "f", O_RDONLY, 0, 0x8000), EINVAL);
    must(close(dir));
}

/* covers: openat2 EINVAL */
static void mode_without_creation_is_refused(void **state)
{
    (void)state;
    int dir = open_tree();

    assert_errno(open2(dir, "f", O_RDONLY, 0600, 0), EINVAL);
    must(close(dir));
}

/* covers: openat2 EINVAL O_CREAT */
static void mode_with_other_bits_is_refused(void **state)
{
    (void)state;
    int dir = open_tree();

    assert_errno(open2(dir, "new", O_CREAT | O_RDWR, 0100644, 0), EINVAL);
    assert_errno(open2(dir, "new", O_CREAT | O_RDWR, 1ull << 33, 0), EINVAL);
    must(close(dir));
}

/* covers: openat2 EINVAL O_PATH */
static void path_flag_allows_few_others(void **state)
{
    (void)state;
    int dir = open_tree();

    must(close(must(open2(dir, "f", O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, 0))));
    assert_errno(open2(dir, "f", O_PATH | O_RDWR, 0, 0), EINVAL);
    assert_errno(open2(dir, "f", O_PATH | O_TRUNC, 0, 0), EINVAL);
    must(close(dir));
}

/* covers: openat2 EINVAL */
static void short_structure_is_refused(void **state)
{
    (void)state;
    struct open_how how = {0};
    int dir = open_tree();

    assert_errno(syscall(SYS_openat2, dir, "f", &how, sizeof how - 1), EINVAL);
    assert_errno(syscall(SYS_openat2, dir, "f", &how, 0), EINVAL);
    must(close(dir));
}

/* covers: openat2 E2BIG */
static void longer_structure_must_end_in_zeros(void **state)
{
    (void)state;
    struct {
        struct open_how how;
        uint64_t more;
    } longer = {0};
    int dir = open_tree();

    must(close((int)must(syscall(SYS_openat2, dir, "f", &longer, sizeof longer))));
    longer.more = 1;
    assert_errno(syscall(SYS_openat2, dir, "f", &longer, sizeof longer), E2BIG);
    must(close(dir));
}

/* covers: openat2 E2BIG */
static void huge_structure_is_refused(void **state)
{
    (void)state;
    struct open_how how = {0};
    int dir = open_tree();

    assert_errno(syscall(SYS_openat2, dir, "f", &how, 1 << 20), E2BIG);
    must(close(dir));
}

/* covers: openat2 EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    struct open_how how = {0};
    int dir = open_tree();

    assert_errno(syscall(SYS_openat2, dir, BAD_PTR, &how, sizeof how), EFAULT);
    assert_errno(syscall(SYS_openat2, dir, "f", BAD_PTR, sizeof how), EFAULT);
    must(close(dir));
}

/* covers: openat2 RESOLVE_BENEATH EXDEV */
static void beneath_refuses_to_leave_the_folder(void **state)
{
    (void)state;
    int dir = open_tree();

    assert_errno(open2(dir, "../f", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    assert_errno(open2(dir, "..", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    assert_errno(open2(dir, "up", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    assert_errno(open2(dir, "/", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    assert_errno(open2(dir, "abs", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    must(close(dir));
}

/* covers: openat2 RESOLVE_BENEATH */
static void beneath_allows_what_stays_inside(void **state)
{
    (void)state;
    int dir = open_tree();

    must(mkdir("d/sub", 0755));
    must(close(must(open2(dir, "f", O_RDONLY, 0, RESOLVE_BENEATH))));
    must(close(must(open2(dir, "in", O_RDONLY, 0, RESOLVE_BENEATH))));
    must(close(must(open2(dir, "sub/../f", O_RDONLY, 0, RESOLVE_BENEATH))));
    must(close(dir));
}

/* covers: openat2 RESOLVE_IN_ROOT */
static void in_root_takes_the_folder_as_root(void **state)
{
    (void)state;
    int dir = open_tree();
    char text[8] = "";

    int fd = must(open2(dir, "/f", O_RDONLY, 0, RESOLVE_IN_ROOT));
    assert_returns(read(fd, text, sizeof text), 5);
    assert_string_equal(text, "inner");
    must(close(fd));

    fd = must(open2(dir, "../../f", O_RDONLY, 0, RESOLVE_IN_ROOT));
    assert_returns(pread(fd, text, sizeof text, 0), 5);
    assert_string_equal(text, "inner");
    must(close(fd));

    fd = must(open2(dir, "up", O_RDONLY, 0, RESOLVE_IN_ROOT));
    assert_returns(pread(fd, text, sizeof text, 0), 5);
    assert_string_equal(text, "inner");
    must(close(fd));

    fd = must(open2(dir, "abs/f", O_RDONLY, 0, RESOLVE_IN_ROOT));
    assert_returns(pread(fd, text, sizeof text, 0), 5);
    assert_string_equal(text, "inner");
    must(close(fd));
    must(close(dir));
}

/* covers: openat2 EINVAL RESOLVE_BENEATH RESOLVE_IN_ROOT */
static void beneath_and_in_root_exclude_each_other(void **state)
{
    (void)state;
    int dir = open_tree();

    assert_errno(open2(dir, "f", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
    must(close(dir));
}

/* covers: openat2 RESOLVE_NO_SYMLINKS ELOOP */
static void no_symlinks_refuses_any_symlink(void **state)
{
    (void)state;
    int dir = open_tree();

    must(symlink("d", "link"));
    assert_errno(open2(dir, "in", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
    assert_errno(open2(AT_FDCWD, "link/f", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
    must(close(must(open2(dir, "f", O_RDONLY, 0, RESOLVE_NO_SYMLINKS))));
    must(close(must(open2(dir, "in", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS))));
    must(close(dir));
}

/* covers: openat2 RESOLVE_NO_MAGICLINKS ELOOP */
static void no_magiclinks_refuses_links_of_proc(void **state)
{
    (void)state;
    int dir = open_tree();
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    assert_errno(open2(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), ELOOP);
    must(close(must(open2(AT_FDCWD, path, O_RDONLY, 0, 0))));
    must(close(must(open2(dir, "in", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS))));
    must(close(dir));
}

/* covers: openat2 RESOLVE_NO_XDEV EXDEV */
static void no_xdev_refuses_to_cross_a_mount(void **state)
{
    (void)state;
    int dir = open_tree();
    int root = must(open("/", O_RDONLY | O_DIRECTORY));

    assert_errno(open2(root, "proc/self", O_RDONLY, 0, RESOLVE_NO_XDEV), EXDEV);
    must(close(must(open2(dir, "f", O_RDONLY, 0, RESOLVE_NO_XDEV))));
    must(close(root));
    must(close(dir));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(opens_and_creates_like_openat),
        tempdir_test(unknown_flags_are_refused),
        tempdir_test(mode_without_creation_is_refused),
        tempdir_test(mode_with_other_bits_is_refused),
        tempdir_test(path_flag_allows_few_others),
        tempdir_test(short_structure_is_refused),
        tempdir_test(longer_structure_must_end_in_zeros),
        tempdir_test(huge_structure_is_refused),
        tempdir_test(bad_addresses_fault),
        tempdir_test(beneath_refuses_to_leave_the_folder),
        tempdir_test(beneath_allows_what_stays_inside),
        tempdir_test(in_root_takes_the_folder_as_root),
        tempdir_test(beneath_and_in_root_exclude_each_other),
        tempdir_test(no_symlinks_refuses_any_symlink),
        tempdir_test(no_magiclinks_refuses_links_of_proc),
        tempdir_test(no_xdev_refuses_to_cross_a_mount),
    };

    return cmocka_run_group_tests_name("fs/openat2", tests, NULL, NULL);
}
