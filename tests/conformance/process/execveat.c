/* execveat.c: execveat(2), a program by directory and path or by descriptor alone. */
#include "../lib/program.h"

#include <sys/auxv.h>

static char *no_env[] = {NULL};

static int print_execfn(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("%s", (char *)getauxval(AT_EXECFN));
    fflush(stdout);
    return 0;
}

static const struct role roles[] = {{"@execfn", print_execfn}, {NULL, NULL}};

struct target {
    int dir;
    const char *path;
    int flags;
};

/* In a child, so that an exec that wrongly succeeds does not replace the test. */
static long exec_at(int dir, const char *path, int flags)
{
    char *argv[] = {"x", "@execfn", NULL};

    return EXEC(SYS_execveat, dir, path, argv, no_env, flags);
}

static int exec_target(void *arg)
{
    struct target *target = arg;
    char *argv[] = {"x", "@execfn", NULL};
    long err = SYS(SYS_execveat, target->dir, target->path, argv, no_env, target->flags);

    dprintf(STDERR_FILENO, "execveat of %s: %ld\n", target->path, err);
    return 127;
}

static void runs(int dir, const char *path, int flags, const char *expected)
{
    struct target target = {dir, path, flags};
    struct run run;

    run_body(&run, exec_target, &target);
    need_eq(run.status, 0);
    assert_string_equal(run.out, expected);
}

static int setup(void **state)
{
    if (tempdir_setup(state) != 0) {
        return -1;
    }
    return mkdir("dir", 0755) == 0 && symlink(self_path(), "dir/prog") == 0 ? 0 : -1;
}

static int open_dir(void)
{
    int dir = open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    need(dir >= 0);
    return dir;
}

/* covers: execveat AT_FDCWD */
static void relative_path_starts_in_the_current_directory(void **state)
{
    (void)state;
    runs(AT_FDCWD, "dir/prog", 0, "dir/prog");
}

/* covers: execveat */
static void relative_path_starts_at_the_directory(void **state)
{
    int dir = open_dir();
    char expected[32];

    (void)state;
    snprintf(expected, sizeof expected, "/dev/fd/%d/prog", dir);
    runs(dir, "prog", 0, expected);
    close(dir);
}

/* covers: execveat */
static void absolute_path_ignores_the_directory(void **state)
{
    (void)state;
    runs(-1, self_path(), 0, self_path());
}

/* covers: execveat AT_EMPTY_PATH */
static void empty_path_runs_the_descriptor(void **state)
{
    int fd = open(self_path(), O_RDONLY | O_CLOEXEC);
    char expected[32];

    (void)state;
    snprintf(expected, sizeof expected, "/dev/fd/%d", fd);
    runs(fd, "", AT_EMPTY_PATH, expected);
    close(fd);
}

/* covers: execveat AT_EMPTY_PATH */
static void o_path_descriptor_can_be_run(void **state)
{
    int fd = open(self_path(), O_PATH | O_CLOEXEC);
    char expected[32];

    (void)state;
    snprintf(expected, sizeof expected, "/dev/fd/%d", fd);
    runs(fd, "", AT_EMPTY_PATH, expected);
    close(fd);
}

/* covers: execveat AT_EMPTY_PATH memfd_create MFD_CLOEXEC */
static void memory_file_can_be_run(void **state)
{
    static char block[65536];
    int in = open(self_path(), O_RDONLY | O_CLOEXEC), fd = memfd_create("program", MFD_CLOEXEC);
    char expected[32];
    ssize_t got;

    (void)state;
    need(in >= 0 && fd >= 0);
    while ((got = read(in, block, sizeof block)) > 0) {
        need_eq(write(fd, block, (size_t)got), got);
    }
    close(in);
    need_eq(fchmod(fd, 0755), 0);
    snprintf(expected, sizeof expected, "/dev/fd/%d", fd);
    runs(fd, "", AT_EMPTY_PATH, expected);
    close(fd);
}

/* covers: execveat ENOENT */
static void empty_path_without_the_flag_is_enoent(void **state)
{
    int fd = open(self_path(), O_RDONLY | O_CLOEXEC);

    (void)state;
    need_eq(exec_at(fd, "", 0), -ENOENT);
    need_eq(exec_at(AT_FDCWD, "", 0), -ENOENT);
    close(fd);
}

/* covers: execveat EACCES AT_EMPTY_PATH */
static void directory_descriptor_is_eacces(void **state)
{
    int dir = open_dir();

    (void)state;
    need_eq(exec_at(dir, "", AT_EMPTY_PATH), -EACCES);
    close(dir);
}

/* covers: execveat EACCES AT_EMPTY_PATH */
static void file_without_execute_permission_is_eacces(void **state)
{
    int fd;

    (void)state;
    make_file("plain", "#!/bin/sh\n");
    fd = open("plain", O_RDONLY | O_CLOEXEC);
    need_eq(exec_at(fd, "", AT_EMPTY_PATH), -EACCES);
    close(fd);
}

/* covers: execveat ELOOP AT_SYMLINK_NOFOLLOW */
static void symbolic_link_with_nofollow_is_eloop(void **state)
{
    (void)state;
    need_eq(exec_at(AT_FDCWD, "dir/prog", AT_SYMLINK_NOFOLLOW), -ELOOP);
}

/* covers: execveat AT_SYMLINK_NOFOLLOW */
static void nofollow_runs_a_file_that_is_no_link(void **state)
{
    (void)state;
    runs(AT_FDCWD, self_path(), AT_SYMLINK_NOFOLLOW, self_path());
}

/* covers: execveat EBADF */
static void bad_directory_is_ebadf(void **state)
{
    (void)state;
    need_eq(exec_at(1000000, "prog", 0), -EBADF);
    need_eq(exec_at(1000000, "", AT_EMPTY_PATH), -EBADF);
}

/* covers: execveat ENOTDIR */
static void file_as_directory_is_enotdir(void **state)
{
    int fd = open(self_path(), O_RDONLY | O_CLOEXEC);

    (void)state;
    need_eq(exec_at(fd, "prog", 0), -ENOTDIR);
    close(fd);
}

/* covers: execveat EINVAL */
static void unknown_flag_is_einval(void **state)
{
    (void)state;
    need_eq(exec_at(AT_FDCWD, "dir/prog", 0x4), -EINVAL);
}

/* covers: execveat EFAULT */
static void bad_path_pointer_is_efault(void **state)
{
    (void)state;
    need_eq(exec_at(AT_FDCWD, BAD_PTR, 0), -EFAULT);
}

/* covers: execveat ENOENT AT_EMPTY_PATH */
static void script_by_a_close_on_exec_descriptor_is_enoent(void **state)
{
    int fd;

    (void)state;
    make_program("script", "#!/bin/sh\necho $0\n", 18);
    fd = open("script", O_RDONLY | O_CLOEXEC);
    need_eq(exec_at(fd, "", AT_EMPTY_PATH), -ENOENT);
    close(fd);
}

/* covers: execveat AT_EMPTY_PATH */
static void script_by_descriptor_is_named_through_dev_fd(void **state)
{
    char expected[32];
    int fd;

    (void)state;
    make_program("script", "#!/bin/sh\necho $0\n", 18);
    fd = open("script", O_RDONLY);
    snprintf(expected, sizeof expected, "/dev/fd/%d\n", fd);
    if (!path_exists("/dev/fd")) {
        skip_because("/dev/fd is missing");
    }
    runs(fd, "", AT_EMPTY_PATH, expected);
    close(fd);
}

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif

static long check_run(const char *path, char *const argv[], int flags)
{
    return SYS(SYS_execveat, AT_FDCWD, path, argv, NULL, flags | AT_EXECVE_CHECK);
}

/* covers: execveat AT_EXECVE_CHECK ENOENT EACCES E2BIG EFAULT */
static void check_tells_what_execution_would_but_runs_nothing(void **state)
{
    char *argv[] = {"none", NULL}, *far[] = {BAD_PTR, NULL};
    char *longest = malloc(1 << 18), *big[] = {longest, NULL};
    long result;

    (void)state;
    need(longest);
    memset(longest, 'x', (1 << 18) - 1);
    longest[(1 << 18) - 1] = '\0';
    make_file("text", "neither script nor program");
    result = check_run("text", argv, 0);
    if (result == -EINVAL) {
        free(longest);
        skip_because("AT_EXECVE_CHECK is not in the running kernel");
    }
    need_eq(result, -EACCES);
    need_eq(chmod("text", 0755), 0);
    need_eq(check_run("text", argv, 0), 0); /* not asked: whether anything could run it */
    need_eq(check_run("missing", argv, 0), -ENOENT);
    need_eq(check_run(".", argv, 0), -EACCES);
    need_eq(check_run("text", far, 0), -EFAULT);
    need_eq(check_run("text", big, 0), -E2BIG);
    need_eq(symlink("text", "link"), 0);
    need_eq(check_run("link", argv, AT_SYMLINK_NOFOLLOW), -ELOOP);
    need_eq(check_run("link", argv, 0), 0);
    free(longest);
}

int main(int argc, char **argv)
{
#define case_in_dir(f) cmocka_unit_test_setup_teardown(f, setup, tempdir_teardown)
    const struct CMUnitTest tests[] = {
        case_in_dir(relative_path_starts_in_the_current_directory),
        case_in_dir(relative_path_starts_at_the_directory),
        case_in_dir(absolute_path_ignores_the_directory),
        case_in_dir(empty_path_runs_the_descriptor),
        case_in_dir(o_path_descriptor_can_be_run),
        case_in_dir(memory_file_can_be_run),
        case_in_dir(empty_path_without_the_flag_is_enoent),
        case_in_dir(directory_descriptor_is_eacces),
        case_in_dir(file_without_execute_permission_is_eacces),
        case_in_dir(symbolic_link_with_nofollow_is_eloop),
        case_in_dir(nofollow_runs_a_file_that_is_no_link),
        case_in_dir(bad_directory_is_ebadf),
        case_in_dir(file_as_directory_is_enotdir),
        case_in_dir(unknown_flag_is_einval),
        case_in_dir(bad_path_pointer_is_efault),
        case_in_dir(script_by_a_close_on_exec_descriptor_is_enoent),
        case_in_dir(script_by_descriptor_is_named_through_dev_fd),
        case_in_dir(check_tells_what_execution_would_but_runs_nothing),
    };
    int result = program_role(roles, argc, argv);

    return result >= 0 ? result
                       : cmocka_run_group_tests_name("process/execveat", tests, NULL, NULL);
}
