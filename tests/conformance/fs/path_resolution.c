/* path_resolution.c: the rules of path_resolution(7), seen through stat(2) and open(2). */
#include "../lib/check.h"

#include <linux/limits.h>

static int do_stat(const char *path)
{
    struct stat st;
    return (int)syscall(SYS_stat, path, &st);
}

static bool same_file(const char *a, const char *b)
{
    struct stat sa, sb;

    must(stat(a, &sa));
    must(stat(b, &sb));
    return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* Makes link1 -> target, link2 -> link1, ... and returns the last name. */
static const char *chain(const char *target, int length)
{
    static char name[32];
    char before[64];

    snprintf(before, sizeof before, "%s", target);
    for (int i = 1; i <= length; i++) {
        snprintf(name, sizeof name, "link%d", i);
        must(symlink(before, name));
        snprintf(before, sizeof before, "%s", name);
    }
    return name;
}

/* "./././...": a path of exactly this length that names the current folder. */
static char *long_path(size_t length)
{
    char *path = malloc(length + 1);

    assert_non_null(path);
    for (size_t i = 0; i < length; i++)
        path[i] = i % 2 ? '/' : '.';
    path[length] = 0;
    return path;
}

/* covers: stat */
static void forty_symlinks_are_followed(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(do_stat(chain("f", 40)));
}

/* covers: stat ELOOP */
static void forty_one_symlinks_are_too_many(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_stat(chain("f", 41)), ELOOP);
}

/* covers: stat ELOOP */
static void symlinks_of_all_names_in_a_path_are_counted(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(symlink(".", "d/again"));
    char path[512] = "d";
    for (int i = 0; i < 40; i++)
        strcat(path, "/again");
    must(do_stat(path));
    strcat(path, "/again");
    assert_errno(do_stat(path), ELOOP);
}

/* covers: stat ELOOP openat ELOOP */
static void loop_of_symlinks_is_refused(void **state)
{
    (void)state;
    must(symlink("b", "a"));
    must(symlink("a", "b"));
    must(symlink("self", "self"));
    assert_errno(do_stat("a"), ELOOP);
    assert_errno(do_stat("self"), ELOOP);
    assert_errno(do_stat("self/x"), ELOOP);
    assert_errno(open("a", O_RDONLY), ELOOP);
}

/* covers: mkdir ENAMETOOLONG stat ENAMETOOLONG */
static void name_of_255_bytes_is_the_longest(void **state)
{
    (void)state;
    char name[NAME_MAX + 2];

    memset(name, 'n', sizeof name);
    name[NAME_MAX] = 0;
    must(mkdir(name, 0755));
    must(do_stat(name));
    name[NAME_MAX] = 'n';
    name[NAME_MAX + 1] = 0;
    assert_errno(do_stat(name), ENAMETOOLONG);
    assert_errno(mkdir(name, 0755), ENAMETOOLONG);
}

/* covers: stat ENAMETOOLONG */
static void long_name_in_the_middle_is_refused(void **state)
{
    (void)state;
    char path[NAME_MAX + 8];

    memset(path, 'n', sizeof path);
    strcpy(path + NAME_MAX + 1, "/x");
    assert_errno(do_stat(path), ENAMETOOLONG);
}

/* covers: stat ENAMETOOLONG */
static void path_of_4095_bytes_is_the_longest(void **state)
{
    (void)state;
    char *path = long_path(PATH_MAX - 1);
    must(do_stat(path));
    free(path);
    path = long_path(PATH_MAX);
    assert_errno(do_stat(path), ENAMETOOLONG);
    assert_errno(open(path, O_RDONLY), ENAMETOOLONG);
    free(path);
}

/* covers: stat EFAULT */
static void path_that_runs_into_unmapped_memory_faults(void **state)
{
    (void)state;
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct stat st;

    assert_ptr_not_equal(page, MAP_FAILED);
    must(munmap(page + 4096, 4096));
    memset(page, '/', 4096);
    assert_errno(syscall(SYS_stat, page + 4000, &st), EFAULT);
    memcpy(page + 4094, "/", 2); /* ends with the page */
    must(syscall(SYS_stat, page + 4094, &st));
    must(munmap(page, 4096));
}

/* covers: mkdir chdir */
static void path_may_be_deeper_than_the_longest_path(void **state)
{
    (void)state;
    char name[201];
    int depth = 0;

    memset(name, 'd', 200);
    name[200] = 0;
    for (; depth < 25; depth++) {
        must(mkdir(name, 0755));
        must(chdir(name));
    }
    make_file("bottom", "x");
    must(do_stat("bottom"));
    must(unlink("bottom"));
    for (; depth > 0; depth--) {
        must(chdir(".."));
        must(rmdir(name));
    }
}

/* covers: stat ENOENT */
static void empty_path_is_refused(void **state)
{
    (void)state;
    assert_errno(do_stat(""), ENOENT);
}

/* covers: stat */
static void repeated_slashes_count_as_one(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    assert_true(same_file("d////f", "d/f"));
    assert_true(same_file("///", "/"));
}

/* covers: stat */
static void dot_names_the_folder_itself(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    assert_true(same_file("d/.", "d"));
    assert_true(same_file("./././d", "d"));
}

/* covers: stat */
static void dot_dot_names_the_parent(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("d/e", 0755));
    assert_true(same_file("d/e/..", "d"));
    assert_true(same_file("d/e/../..", "."));
}

/* covers: stat */
static void dot_dot_above_the_root_is_the_root(void **state)
{
    (void)state;
    assert_true(same_file("/..", "/"));
    assert_true(same_file("/../../..", "/"));
}

/* covers: stat ENOENT ENOTDIR */
static void dot_dot_needs_the_folder_before_it(void **state)
{
    (void)state;
    make_file("f", NULL);
    assert_errno(do_stat("none/.."), ENOENT);
    assert_errno(do_stat("f/.."), ENOTDIR);
}

/* covers: stat */
static void dot_dot_after_a_symlink_is_the_parent_of_its_target(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("d/e", 0755));
    must(symlink("d/e", "link"));
    assert_true(same_file("link/..", "d"));
}

/* covers: mkdir stat */
static void three_dots_are_an_ordinary_name(void **state)
{
    (void)state;
    must(mkdir("...", 0755));
    must(do_stat("..."));
    assert_false(same_file("...", "."));
}

/* covers: mkdir stat */
static void name_may_hold_any_byte_but_slash_and_nul(void **state)
{
    (void)state;
    char name[256];
    int n = 0;

    for (int c = 1; c < 256; c++)
        if (c != '/')
            name[n++] = (char)c;
    name[n] = 0;
    must(mkdir(name, 0755));
    must(do_stat(name));
}

/* covers: mkdir stat ENOENT */
static void names_differ_by_case(void **state)
{
    (void)state;
    must(mkdir("Name", 0755));
    assert_errno(do_stat("name"), ENOENT);
    must(mkdir("name", 0755));
}

/* covers: stat ENOTDIR ENOENT */
static void trailing_slash_demands_a_folder(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(mkdir("d", 0755));
    must(do_stat("d/"));
    must(do_stat("d///"));
    assert_errno(do_stat("f/"), ENOTDIR);
    assert_errno(do_stat("none/"), ENOENT);
}

/* covers: lstat ENOTDIR ENOENT */
static void trailing_slash_follows_the_last_symlink(void **state)
{
    (void)state;
    struct stat st;

    must(mkdir("d", 0755));
    make_file("f", NULL);
    must(symlink("d", "to_folder"));
    must(symlink("f", "to_file"));
    must(symlink("none", "dangling"));
    must(lstat("to_folder", &st));
    assert_true(S_ISLNK(st.st_mode));
    must(lstat("to_folder/", &st));
    assert_true(S_ISDIR(st.st_mode));
    assert_errno(lstat("to_file/", &st), ENOTDIR);
    assert_errno(lstat("dangling/", &st), ENOENT);
}

/* covers: stat ENOTDIR */
static void file_before_the_last_name_is_refused(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(symlink("f", "link"));
    assert_errno(do_stat("f/x"), ENOTDIR);
    assert_errno(do_stat("f/."), ENOTDIR);
    assert_errno(do_stat("link/x"), ENOTDIR);
}

/* covers: stat ENOENT */
static void dangling_symlink_before_the_last_name_is_refused(void **state)
{
    (void)state;
    must(symlink("none", "link"));
    assert_errno(do_stat("link/x"), ENOENT);
}

/* covers: stat */
static void symlink_target_is_relative_to_its_own_folder(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", "in d");
    must(symlink("f", "d/link"));
    assert_file_text("d/link", "in d");
}

/* covers: stat */
static void absolute_symlink_starts_at_the_root(void **state)
{
    (void)state;
    char target[256];

    make_file("f", "text");
    snprintf(target, sizeof target, "%s/f", (char *)*state);
    must(mkdir("d", 0755));
    must(symlink(target, "d/link"));
    assert_file_text("d/link", "text");
}

/* covers: stat ENOTDIR */
static void symlink_with_trailing_slash_in_its_target_demands_a_folder(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(symlink("f/", "link"));
    assert_errno(do_stat("link"), ENOTDIR);
}

/* covers: stat EACCES */
static void every_folder_needs_the_search_right(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(mkdir("d/e", 0755));
    make_file("d/e/f", NULL);
    must(chmod("d/e", 0644));
    as_nobody(must(do_stat("d/e")); assert_errno(do_stat("d/e/f"), EACCES);
              assert_errno(do_stat("d/e/none"), EACCES); assert_errno(do_stat("d/e/."), EACCES);
              assert_errno(do_stat("d/e/.."), EACCES));
}

/* covers: stat */
static void search_right_suffices_without_the_read_right(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    make_file("d/f", NULL);
    must(chmod("d", 0111));
    as_nobody(must(do_stat("d/f")); assert_errno(open("d", O_RDONLY), EACCES));
}

/* covers: stat ENOENT mkdir ENOENT */
static void removed_folder_has_no_entries(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    must(chdir("d"));
    must(rmdir("../d"));
    must(do_stat("."));
    assert_errno(do_stat("none"), ENOENT);
    assert_errno(mkdir("x", 0755), ENOENT);
    assert_errno(open("f", O_CREAT | O_RDWR, 0644), ENOENT);
    must(chdir(*state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(forty_symlinks_are_followed),
        tempdir_test(forty_one_symlinks_are_too_many),
        tempdir_test(symlinks_of_all_names_in_a_path_are_counted),
        tempdir_test(loop_of_symlinks_is_refused),
        tempdir_test(name_of_255_bytes_is_the_longest),
        tempdir_test(long_name_in_the_middle_is_refused),
        tempdir_test(path_of_4095_bytes_is_the_longest),
        tempdir_test(path_that_runs_into_unmapped_memory_faults),
        tempdir_test(path_may_be_deeper_than_the_longest_path),
        tempdir_test(empty_path_is_refused),
        tempdir_test(repeated_slashes_count_as_one),
        tempdir_test(dot_names_the_folder_itself),
        tempdir_test(dot_dot_names_the_parent),
        tempdir_test(dot_dot_above_the_root_is_the_root),
        tempdir_test(dot_dot_needs_the_folder_before_it),
        tempdir_test(dot_dot_after_a_symlink_is_the_parent_of_its_target),
        tempdir_test(three_dots_are_an_ordinary_name),
        tempdir_test(name_may_hold_any_byte_but_slash_and_nul),
        tempdir_test(names_differ_by_case),
        tempdir_test(trailing_slash_demands_a_folder),
        tempdir_test(trailing_slash_follows_the_last_symlink),
        tempdir_test(file_before_the_last_name_is_refused),
        tempdir_test(dangling_symlink_before_the_last_name_is_refused),
        tempdir_test(symlink_target_is_relative_to_its_own_folder),
        tempdir_test(absolute_symlink_starts_at_the_root),
        tempdir_test(symlink_with_trailing_slash_in_its_target_demands_a_folder),
        tempdir_test(every_folder_needs_the_search_right),
        tempdir_test(search_right_suffices_without_the_read_right),
        tempdir_test(removed_folder_has_no_entries),
    };

    return cmocka_run_group_tests_name("fs/path_resolution", tests, NULL, NULL);
}
