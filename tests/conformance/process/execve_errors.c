/* execve_errors.c: execve(2), when there is no new program. */
#include "../lib/program.h"

#include <sys/mount.h>

static char *no_env[] = {NULL};

/* covers: execve E2BIG */
static void argument_of_128_kib_is_e2big(void **state)
{
    static char big[131073];
    char *argv[] = {"true", big, NULL}, *envp[] = {big, NULL}, *plain[] = {"true", NULL};

    (void)state;
    memset(big, 'x', sizeof big - 1);
    need_eq(EXEC(SYS_execve, "/bin/true", argv, no_env), -E2BIG);
    need_eq(EXEC(SYS_execve, "/bin/true", plain, envp), -E2BIG);
}

/* covers: execve E2BIG */
static void arguments_beyond_the_limit_are_e2big(void **state)
{
    static char piece[65536], *argv[200];

    (void)state;
    memset(piece, 'x', sizeof piece - 1);
    for (int i = 0; i < 199; i++) {
        argv[i] = piece;
    }
    need_eq(EXEC(SYS_execve, "/bin/true", argv, no_env), -E2BIG);
}

/* covers: execve ENOENT */
static void missing_file_or_empty_path_is_enoent(void **state)
{
    char *argv[] = {"x", NULL};

    (void)state;
    need_eq(EXEC(SYS_execve, "/nonexistent/x", argv, no_env), -ENOENT);
    need_eq(EXEC(SYS_execve, "missing", argv, no_env), -ENOENT);
    need_eq(EXEC(SYS_execve, "", argv, no_env), -ENOENT);
}

/* covers: execve ENOTDIR */
static void path_through_a_file_is_enotdir(void **state)
{
    char *argv[] = {"x", NULL};

    (void)state;
    make_program("file", "x", 1);
    need_eq(EXEC(SYS_execve, "file/x", argv, no_env), -ENOTDIR);
}

/* covers: execve EACCES */
static void file_without_execute_permission_is_eacces_also_for_root(void **state)
{
    char *argv[] = {"x", NULL};

    (void)state;
    make_program("file", "#!/bin/sh\n", 10);
    need_eq(chmod("file", 0666), 0);
    need_eq(EXEC(SYS_execve, "file", argv, no_env), -EACCES);
}

/* covers: execve EACCES */
static void directory_or_special_file_is_eacces(void **state)
{
    char *argv[] = {"x", NULL};

    (void)state;
    need_eq(EXEC(SYS_execve, "/", argv, no_env), -EACCES);
    need_eq(EXEC(SYS_execve, ".", argv, no_env), -EACCES);
    need_eq(mkfifo("fifo", 0777), 0);
    need_eq(chmod("fifo", 0777), 0);
    need_eq(EXEC(SYS_execve, "fifo", argv, no_env), -EACCES);
}

static int unsearchable(void *arg)
{
    char *argv[] = {"x", NULL};

    (void)arg;
    drop_privileges();
    need_eq(EXEC(SYS_execve, "closed/x", argv, no_env), -EACCES);
    return 0;
}

/* covers: execve EACCES */
static void directory_that_may_not_be_searched_is_eacces(void **state)
{
    (void)state;
    need_eq(mkdir("closed", 0755), 0);
    make_program("closed/x", "#!/bin/sh\n", 10);
    need_eq(chmod("closed", 0600), 0);
    child_passes(unsearchable, NULL);
}

/* covers: execve EACCES */
static void file_on_a_noexec_mount_is_eacces(void **state)
{
    char *argv[] = {"x", NULL};

    (void)state;
    need_root();
    need_eq(mkdir("mount", 0755), 0);
    if (mount("tmpfs", "mount", "tmpfs", MS_NOEXEC, NULL) != 0) {
        skip_because("may not mount");
    }
    make_program("mount/x", "#!/bin/sh\n", 10);
    long got = EXEC(SYS_execve, "mount/x", argv, no_env);
    need_eq(umount("mount"), 0);
    need_eq(got, -EACCES);
}

/* covers: execve ENAMETOOLONG */
static void overlong_path_is_enametoolong(void **state)
{
    static char path[5000];
    char *argv[] = {"x", NULL};

    (void)state;
    memset(path, 'x', 256);
    need_eq(EXEC(SYS_execve, path, argv, no_env), -ENAMETOOLONG);
    memset(path, '/', sizeof path - 1);
    need_eq(EXEC(SYS_execve, path, argv, no_env), -ENAMETOOLONG);
}

/* covers: execve ELOOP */
static void circle_of_symbolic_links_is_eloop(void **state)
{
    char *argv[] = {"x", NULL};

    (void)state;
    need_eq(symlink("b", "a"), 0);
    need_eq(symlink("a", "b"), 0);
    need_eq(EXEC(SYS_execve, "a", argv, no_env), -ELOOP);
}

/* covers: execve EFAULT */
static void bad_pointers_are_efault(void **state)
{
    char *argv[] = {"x", NULL}, *bad[] = {"x", BAD_PTR, NULL};

    (void)state;
    need_eq(EXEC(SYS_execve, BAD_PTR, argv, no_env), -EFAULT);
    need_eq(EXEC(SYS_execve, "/bin/true", BAD_PTR, no_env), -EFAULT);
    need_eq(EXEC(SYS_execve, "/bin/true", bad, no_env), -EFAULT);
    need_eq(EXEC(SYS_execve, "/bin/true", argv, BAD_PTR), -EFAULT);
    need_eq(EXEC(SYS_execve, "/bin/true", argv, bad), -EFAULT);
}

/* covers: execve ETXTBSY */
static void file_open_for_writing_is_etxtbsy(void **state)
{
    char *argv[] = {"x", NULL};
    int fd;

    (void)state;
    copy_self("copy", 0755);
    fd = open("copy", O_WRONLY | O_CLOEXEC);
    need(fd >= 0);
    need_eq(EXEC(SYS_execve, "copy", argv, no_env), -ETXTBSY);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(argument_of_128_kib_is_e2big),
        tempdir_test(arguments_beyond_the_limit_are_e2big),
        tempdir_test(missing_file_or_empty_path_is_enoent),
        tempdir_test(path_through_a_file_is_enotdir),
        tempdir_test(file_without_execute_permission_is_eacces_also_for_root),
        tempdir_test(directory_or_special_file_is_eacces),
        tempdir_test(directory_that_may_not_be_searched_is_eacces),
        tempdir_test(file_on_a_noexec_mount_is_eacces),
        tempdir_test(overlong_path_is_enametoolong),
        tempdir_test(circle_of_symbolic_links_is_eloop),
        tempdir_test(bad_pointers_are_efault),
        tempdir_test(file_open_for_writing_is_etxtbsy),
    };

    return cmocka_run_group_tests_name("process/execve_errors", tests, NULL, NULL);
}
