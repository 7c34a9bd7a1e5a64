/* execve_script.c: execve(2) of files that name their interpreter in a first line "#!". */
#include "../lib/program.h"

static char *no_env[] = {NULL};

static int dump(int argc, char **argv)
{
    printf("%d", argc);
    for (int i = 1; i < argc; i++) {
        printf("|%s", argv[i]);
    }
    fflush(stdout);
    return 0;
}

static const struct role roles[] = {{"@dump", dump}, {NULL, NULL}};

/* A link with a short name keeps the first lines short. */
static const char *interpreter(void)
{
    static char path[4096];
    char cwd[2048];

    need(getcwd(cwd, sizeof cwd));
    snprintf(path, sizeof path, "%s/i", cwd);
    if (!path_exists("i")) {
        need_eq(symlink(self_path(), "i"), 0);
    }
    return path;
}

static void make_script(const char *name, const char *format, ...)
{
    char text[8192];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    make_program(name, text, strlen(text));
}

static void runs(const char *script, const char *expected)
{
    char *argv[] = {"zero", "one", "two three", NULL};
    struct run run;

    run_program(&run, script, argv, no_env);
    need_eq(run.status, 0);
    assert_string_equal(run.out, expected);
}

static long exec_fails(const char *path)
{
    char *argv[] = {"x", NULL};

    return EXEC(SYS_execve, path, argv, no_env);
}

/* covers: execve */
static void script_path_replaces_argv_zero_after_the_optional_argument(void **state)
{
    (void)state;
    make_script("script", "#!%s @dump\nrest\n", interpreter());
    runs("./script", "5|@dump|./script|one|two three");
}

/* covers: execve */
static void rest_of_the_line_is_one_argument(void **state)
{
    (void)state;
    make_script("script", "#!%s @dump -a  -b\n", interpreter());
    runs("./script", "5|@dump -a  -b|./script|one|two three");
}

/* covers: execve */
static void blanks_around_the_interpreter_and_at_the_end_are_dropped(void **state)
{
    (void)state;
    make_script("script", "#! \t %s \t @dump x \t \n", interpreter());
    runs("./script", "5|@dump x|./script|one|two three");
}

/* covers: execve */
static void last_line_end_may_be_missing(void **state)
{
    (void)state;
    make_script("script", "#!%s @dump", interpreter());
    runs("./script", "5|@dump|./script|one|two three");
}

/* covers: execve */
static void without_an_argument_the_path_follows_the_interpreter(void **state)
{
    char *argv[] = {"zero", "one", NULL};
    struct run run;

    (void)state;
    make_script("@dump", "#!%s\n", interpreter());
    run_program(&run, "@dump", argv, no_env);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "3|@dump|one");
}

/* covers: execve */
static void argv_zero_of_the_interpreter_is_its_path(void **state)
{
    char *argv[] = {"zero", NULL};
    struct run run;

    (void)state;
    make_script("script", "#!/bin/sh\necho \"$0\"; tr '\\0' , </proc/$$/cmdline\n");
    run_program(&run, "./script", argv, no_env);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "./script\n/bin/sh,./script,");
}

/* covers: execve */
static void script_with_an_empty_argv_gets_its_path(void **state)
{
    char *argv[] = {NULL};
    struct run run;

    (void)state;
    make_script("script", "#!%s @dump\n", interpreter());
    run_program(&run, "./script", argv, no_env);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "3|@dump|./script");
}

static void make_chain(int length)
{
    char name[16], before[16] = "@dump";

    make_script("s1", "#!%s @dump\n", interpreter());
    for (int i = 2; i <= length; i++) {
        char cwd[2048];

        need(getcwd(cwd, sizeof cwd));
        snprintf(before, sizeof before, "s%d", i - 1);
        snprintf(name, sizeof name, "s%d", i);
        make_script(name, "#!%s/%s\n", cwd, before);
    }
}

/* covers: execve */
static void interpreter_may_itself_be_a_script_five_deep(void **state)
{
    char cwd[2048], expected[16384];

    (void)state;
    need(getcwd(cwd, sizeof cwd));
    make_chain(5);
    snprintf(expected, sizeof expected, "5|@dump|%s/s1|%s/s2|./s3", cwd, cwd);
    char *argv[] = {"zero", NULL};
    struct run run;

    run_program(&run, "./s3", argv, no_env);
    need_eq(run.status, 0);
    assert_string_equal(run.out, expected);
    run_program(&run, "./s5", argv, no_env);
    need_eq(run.status, 0);
}

/* covers: execve ELOOP */
static void six_scripts_deep_is_eloop(void **state)
{
    (void)state;
    make_chain(6);
    need_eq(exec_fails("./s6"), -ELOOP);
}

/* covers: execve ELOOP */
static void script_that_names_itself_is_eloop(void **state)
{
    char cwd[2048];

    (void)state;
    need(getcwd(cwd, sizeof cwd));
    make_script("self", "#!%s/self\n", cwd);
    need_eq(exec_fails("./self"), -ELOOP);
}

/* covers: execve ENOENT */
static void missing_interpreter_is_enoent(void **state)
{
    (void)state;
    make_script("script", "#!/nonexistent/interpreter\n");
    need_eq(exec_fails("./script"), -ENOENT);
}

/* covers: execve EACCES */
static void interpreter_without_execute_permission_is_eacces(void **state)
{
    char cwd[2048];

    (void)state;
    need(getcwd(cwd, sizeof cwd));
    make_script("plain", "x\n");
    need_eq(chmod("plain", 0644), 0);
    make_script("script", "#!%s/plain\n", cwd);
    need_eq(exec_fails("./script"), -EACCES);
    make_script("script2", "#!/\n");
    need_eq(exec_fails("./script2"), -EACCES);
}

/* covers: execve ENOEXEC */
static void first_line_without_an_interpreter_is_enoexec(void **state)
{
    (void)state;
    make_script("empty", "#!\n/bin/sh\n");
    need_eq(exec_fails("./empty"), -ENOEXEC);
    make_script("blank", "#!  \t \n/bin/sh\n");
    need_eq(exec_fails("./blank"), -ENOEXEC);
}

/* covers: execve ENOEXEC */
static void interpreter_path_beyond_the_first_256_bytes_is_enoexec(void **state)
{
    char longest[400];

    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = 0;
    make_script("script", "#!/%s\n", longest);
    need_eq(exec_fails("./script"), -ENOEXEC);
}

/* covers: execve */
static void argument_beyond_the_first_255_bytes_is_cut(void **state)
{
    char *argv[] = {"zero", NULL}, longest[400];
    struct run run;

    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = 0;
    make_script("script", "#!%s @dump%s\n", interpreter(), longest);
    run_program(&run, "./script", argv, no_env);
    need_eq(run.status, 0);
    /* The first 255 bytes of the file, without "#!", the interpreter, and one blank. */
    size_t kept = 255 - 2 - strlen(interpreter()) - 1;
    need_eq(strlen(run.out), strlen("3|") + kept + strlen("|./script"));
}

/* covers: execve ENOEXEC */
static void file_that_is_no_program_is_enoexec(void **state)
{
    (void)state;
    make_script("text", "echo no first line\n");
    need_eq(exec_fails("./text"), -ENOEXEC);
    make_script("empty", "%s", "");
    need_eq(exec_fails("./empty"), -ENOEXEC);
    make_script("short", "\177EL");
    need_eq(exec_fails("./short"), -ENOEXEC);
}

/* covers: execve ENOEXEC */
static void shell_runs_a_text_without_first_line(void **state)
{
    char *argv[] = {"sh", "-c", "./text", NULL};
    struct run run;

    (void)state;
    make_script("text", "echo as a script\n");
    run_program(&run, "/bin/sh", argv, no_env);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "as a script\n");
}

/* covers: execve EACCES */
static void script_without_execute_permission_is_eacces(void **state)
{
    (void)state;
    make_script("script", "#!/bin/sh\n");
    need_eq(chmod("script", 0644), 0);
    need_eq(exec_fails("./script"), -EACCES);
}

static int exec_set_id(void *arg)
{
    char *argv[] = {"x", NULL};

    (void)arg;
    drop_privileges();
    execve("./script", argv, no_env);
    return 127;
}

/* covers: execve */
static void set_id_bits_of_a_script_have_no_effect(void **state)
{
    struct run run;

    (void)state;
    need_root();
    make_script("script", "#!/bin/sh\nid -u\n");
    need_eq(chown("script", 1234, 1234), 0);
    need_eq(chmod("script", 06755), 0);
    run_body(&run, exec_set_id, NULL);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "65534\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(script_path_replaces_argv_zero_after_the_optional_argument),
        tempdir_test(rest_of_the_line_is_one_argument),
        tempdir_test(blanks_around_the_interpreter_and_at_the_end_are_dropped),
        tempdir_test(last_line_end_may_be_missing),
        tempdir_test(without_an_argument_the_path_follows_the_interpreter),
        tempdir_test(argv_zero_of_the_interpreter_is_its_path),
        tempdir_test(script_with_an_empty_argv_gets_its_path),
        tempdir_test(interpreter_may_itself_be_a_script_five_deep),
        tempdir_test(six_scripts_deep_is_eloop),
        tempdir_test(script_that_names_itself_is_eloop),
        tempdir_test(missing_interpreter_is_enoent),
        tempdir_test(interpreter_without_execute_permission_is_eacces),
        tempdir_test(first_line_without_an_interpreter_is_enoexec),
        tempdir_test(interpreter_path_beyond_the_first_256_bytes_is_enoexec),
        tempdir_test(argument_beyond_the_first_255_bytes_is_cut),
        tempdir_test(file_that_is_no_program_is_enoexec),
        tempdir_test(shell_runs_a_text_without_first_line),
        tempdir_test(script_without_execute_permission_is_eacces),
        tempdir_test(set_id_bits_of_a_script_have_no_effect),
    };
    int result = program_role(roles, argc, argv);

    return result >= 0 ? result
                       : cmocka_run_group_tests_name("process/execve_script", tests, NULL, NULL);
}
