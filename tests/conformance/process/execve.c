/* execve.c: execve(2), what the new program gets and what it keeps. */
/* tags: trap */
#include "../lib/program.h"

#include <pthread.h>
#include <sys/mount.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char *no_env[] = {NULL};

/* ---- the programs that the cases run ---- */

static int dump(int argc, char **argv)
{
    printf("%d", argc);
    for (int i = 0; i < argc; i++) {
        printf("|%s", argv[i]);
    }
    for (int i = 0; environ[i]; i++) {
        printf("&%s", environ[i]);
    }
    fflush(stdout);
    return 0;
}

/* Exits with 0 when the descriptors argv[2] and argv[3] are open and closed. */
static int descriptors(int argc, char **argv)
{
    need_eq(argc, 4);
    need(fcntl(atoi(argv[2]), F_GETFD) == 0);
    need_eq(lseek(atoi(argv[2]), 0, SEEK_CUR), 3);
    need_errno(fcntl(atoi(argv[3]), F_GETFD), EBADF);
    return 0;
}

static int signals(int argc, char **argv)
{
    struct sigaction seen;
    sigset_t set;
    stack_t alt;

    (void)argc;
    (void)argv;
    need_eq(sigaction(SIGUSR1, NULL, &seen), 0);
    need(seen.sa_handler == SIG_DFL);
    need_eq(sigaction(SIGUSR2, NULL, &seen), 0);
    need(seen.sa_handler == SIG_IGN);
    need_eq(sigprocmask(SIG_BLOCK, NULL, &set), 0);
    need(sigismember(&set, SIGHUP) && !sigismember(&set, SIGINT));
    need_eq(sigpending(&set), 0);
    need(sigismember(&set, SIGHUP));
    need_eq(sigaltstack(NULL, &alt), 0);
    need_eq(alt.ss_flags, SS_DISABLE);
    return 0;
}

static int identity(int argc, char **argv)
{
    char cwd[4096];
    struct rlimit limit;

    need_eq(argc, 6);
    need_eq(atoi(argv[2]), getpid());
    need_eq(atoi(argv[3]), getppid());
    need_eq(atoi(argv[4]), getpgrp());
    need(getcwd(cwd, sizeof cwd) && strcmp(cwd, argv[5]) == 0);
    need_eq(SYS(SYS_gettid), getpid());
    need_eq(umask(0), 031);
    need_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    need_eq(limit.rlim_cur, 77);
    need(alarm(0) > 900);
    need_eq(getpriority(PRIO_PROCESS, 0), 5);
    return 0;
}

static int mapped_at(int argc, char **argv)
{
    unsigned char core;
    void *at;

    need_eq(argc, 3);
    at = (void *)strtoul(argv[2], NULL, 0);
    need_errno(mincore(at, 4096, &core), ENOMEM);
    return 0;
}

static int own_name(int argc, char **argv)
{
    char name[17] = {0};

    (void)argc;
    (void)argv;
    need_eq(prctl(PR_GET_NAME, name), 0);
    printf("%s", name);
    fflush(stdout);
    return 0;
}

static int flags_of_prctl(int argc, char **argv)
{
    int sig = -1;

    (void)argc;
    (void)argv;
    need_eq(prctl(PR_GET_KEEPCAPS), 0);
    need_eq(prctl(PR_GET_PDEATHSIG, &sig), 0);
    need_eq(sig, SIGUSR1);
    need_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    need_eq(prctl(PR_GET_DUMPABLE), 1);
    return 0;
}

static int user_ids(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("%d %d %d %d secure=%lu", (int)getuid(), (int)geteuid(), (int)getgid(), (int)getegid(),
           getauxval(AT_SECURE));
    fflush(stdout);
    return 0;
}

static const struct role roles[] = {
    {"@dump", dump},
    {"@descriptors", descriptors},
    {"@signals", signals},
    {"@identity", identity},
    {"@mapped", mapped_at},
    {"@name", own_name},
    {"@prctl", flags_of_prctl},
    {"@ids", user_ids},
    {NULL, NULL},
};

/* ---- the cases ---- */

/* covers: execve */
static void arguments_and_environment_arrive_unchanged(void **state)
{
    char *argv[] = {"zero", "@dump", "", "two words", "tab\there", NULL};
    char *envp[] = {"A=1", "B=", "no equals sign", NULL};
    struct run run;

    (void)state;
    run_program(&run, self_path(), argv, envp);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "5|zero|@dump||two words|tab\there&A=1&B=&no equals sign");
}

static int exec_null_env(void *arg)
{
    char *argv[] = {"x", "@dump", NULL};

    (void)arg;
    return (int)SYS(SYS_execve, self_path(), argv, NULL);
}

/* covers: execve */
static void null_environment_is_an_empty_one(void **state)
{
    struct run run;

    (void)state;
    run_body(&run, exec_null_env, NULL);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "2|x|@dump");
}

static int exec_null_argv(void *arg)
{
    char *empty[] = {NULL};

    SYS(SYS_execve, "show", arg ? empty : NULL, no_env);
    return 127;
}

/* covers: execve */
static void empty_argv_becomes_one_empty_string(void **state)
{
    static const char script[] = "#!/bin/sh\nprintf '%s' $#\n";
    struct run run;

    (void)state;
    make_program("show", script, sizeof script - 1);
    run_body(&run, exec_null_argv, (void *)1);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "0");
    run_body(&run, exec_null_argv, NULL);
    need_eq(run.status, 0);
}

/* covers: execve */
static void one_thousand_arguments_arrive(void **state)
{
    static char *argv[1003], text[1000][8];
    struct run run;

    (void)state;
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = "echo $# ${600}";
    for (int i = 3; i < 1002; i++) {
        snprintf(text[i - 3], sizeof text[0], "%d", i - 3);
        argv[i] = text[i - 3];
    }
    run_program(&run, "/bin/sh", argv, no_env);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "998 600\n");
}

/* covers: execve */
static void argument_of_just_under_128_kib_arrives(void **state)
{
    static char big[131072];
    char *argv[] = {"sh", "-c", "echo ${#1}", "sh", big, NULL};
    struct run run;

    (void)state;
    memset(big, 'x', sizeof big - 1);
    run_program(&run, "/bin/sh", argv, no_env);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "131071\n");
}

/* covers: execve */
static void close_on_exec_descriptors_close_and_others_keep_their_offset(void **state)
{
    char keep[12], drop[12];
    char *argv[] = {"x", "@descriptors", keep, drop, NULL};
    int kept = memfd_create("kept", 0), dropped = memfd_create("dropped", MFD_CLOEXEC);
    struct run run;

    (void)state;
    need(kept >= 0 && dropped >= 0);
    need_eq(write(kept, "abc", 3), 3);
    snprintf(keep, sizeof keep, "%d", kept);
    snprintf(drop, sizeof drop, "%d", dropped);
    run_program(&run, self_path(), argv, no_env);
    need_eq(run.status, 0);
    close(kept);
    close(dropped);
}

static void handler(int sig)
{
    (void)sig;
}

static int exec_signals(void *arg)
{
    static char stack[65536];
    char *argv[] = {"x", "@signals", NULL};
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack};
    sigset_t set;

    (void)arg;
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    need_eq(sigprocmask(SIG_SETMASK, &set, NULL), 0);
    need_eq(kill(getpid(), SIGHUP), 0);
    need_eq(sigaltstack(&alt, NULL), 0);
    execve(self_path(), argv, no_env);
    return 127;
}

/* covers: execve */
static void handlers_are_reset_and_ignored_mask_and_pending_are_kept(void **state)
{
    (void)state;
    child_passes(exec_signals, NULL);
}

static int exec_identity(void *arg)
{
    char pid[12], parent[12], group[12], cwd[4096];
    char *argv[] = {"x", "@identity", pid, parent, group, cwd, NULL};

    (void)arg;
    snprintf(pid, sizeof pid, "%d", getpid());
    snprintf(parent, sizeof parent, "%d", getppid());
    snprintf(group, sizeof group, "%d", getpgrp());
    need(getcwd(cwd, sizeof cwd));
    umask(031);
    need_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){77, 77}), 0);
    need_eq(setpriority(PRIO_PROCESS, 0, 5), 0);
    alarm(1000);
    execve(self_path(), argv, no_env);
    return 127;
}

/* covers: execve */
static void pid_directory_umask_limits_nice_and_alarm_are_kept(void **state)
{
    (void)state;
    child_passes(exec_identity, NULL);
}

static void *exec_from_thread(void *arg)
{
    exec_identity(arg);
    return NULL;
}

static void *never_ends(void *arg)
{
    sleep_forever(arg);
    return NULL;
}

static int threaded_exec(void *arg)
{
    pthread_t thread;

    for (int i = 0; i < 3; i++) {
        need_eq(pthread_create(&thread, NULL, never_ends, NULL), 0);
    }
    need_eq(pthread_create(&thread, NULL, exec_from_thread, arg), 0);
    return sleep_forever(NULL);
}

/* covers: execve */
static void exec_from_a_thread_ends_the_others_and_keeps_the_pid(void **state)
{
    (void)state;
    child_passes(threaded_exec, NULL);
}

static int exec_mapped(void *arg)
{
    char *argv[] = {"x", "@mapped", "0x10000000", NULL};
    void *at =
        mmap((void *)0x10000000, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    (void)arg;
    need(at != MAP_FAILED);
    execve(self_path(), argv, no_env);
    return 127;
}

/* covers: execve */
static void mappings_are_gone(void **state)
{
    (void)state;
    child_passes(exec_mapped, NULL);
}

/* covers: execve prctl PR_GET_NAME */
static void name_of_the_thread_is_the_file_name_cut_to_fifteen(void **state)
{
    char *argv[] = {"other", "@name", NULL};
    struct run run;

    (void)state;
    need_eq(symlink(self_path(), "a-rather-long-name"), 0);
    run_program(&run, "./a-rather-long-name", argv, no_env);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "a-rather-long-n");
}

static int exec_prctl(void *arg)
{
    char *argv[] = {"x", "@prctl", NULL};

    (void)arg;
    need_eq(prctl(PR_SET_KEEPCAPS, 1), 0);
    need_eq(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
    need_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    need_eq(prctl(PR_SET_DUMPABLE, 0), 0);
    execve(self_path(), argv, no_env);
    return 127;
}

/* covers: execve prctl PR_SET_KEEPCAPS PR_SET_PDEATHSIG PR_SET_NO_NEW_PRIVS PR_SET_DUMPABLE */
static void keepcaps_and_dumpable_are_reset_and_the_death_signal_is_kept(void **state)
{
    (void)state;
    child_passes(exec_prctl, NULL);
}

static int exec_as_nobody(void *arg)
{
    char *argv[] = {"x", "@ids", NULL};

    if (arg) {
        need_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    }
    drop_privileges();
    execve("./setid", argv, no_env);
    return 127;
}

/* covers: execve AT_SECURE prctl PR_SET_NO_NEW_PRIVS */
static void set_id_bits_change_the_effective_ids_unless_no_new_privs(void **state)
{
    struct run run;

    (void)state;
    need_root();
    copy_self("setid", 0755);
    need_eq(chown("setid", 1234, 2345), 0);
    need_eq(chmod("setid", 06755), 0);
    run_body(&run, exec_as_nobody, NULL);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "65534 1234 65534 2345 secure=1");
    run_body(&run, exec_as_nobody, (void *)1);
    need_eq(run.status, 0);
    assert_string_equal(run.out, "65534 65534 65534 65534 secure=0");
}

/* covers: execve */
static void failed_exec_leaves_the_process_as_it_was(void **state)
{
    char *argv[] = {"x", NULL};
    int fd = memfd_create("stays", MFD_CLOEXEC);

    (void)state;
    signal(SIGUSR1, handler);
    need_eq(EXEC(SYS_execve, "/nonexistent", argv, no_env), -ENOENT);
    make_program("empty", "", 0);
    need_eq(EXEC(SYS_execve, "empty", argv, no_env), -ENOEXEC);
    need_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    need(signal(SIGUSR1, SIG_DFL) == handler);
    close(fd);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(arguments_and_environment_arrive_unchanged),
        tempdir_test(null_environment_is_an_empty_one),
        tempdir_test(empty_argv_becomes_one_empty_string),
        tempdir_test(one_thousand_arguments_arrive),
        tempdir_test(argument_of_just_under_128_kib_arrives),
        tempdir_test(close_on_exec_descriptors_close_and_others_keep_their_offset),
        tempdir_test(handlers_are_reset_and_ignored_mask_and_pending_are_kept),
        tempdir_test(pid_directory_umask_limits_nice_and_alarm_are_kept),
        tempdir_test(exec_from_a_thread_ends_the_others_and_keeps_the_pid),
        tempdir_test(mappings_are_gone),
        tempdir_test(name_of_the_thread_is_the_file_name_cut_to_fifteen),
        tempdir_test(keepcaps_and_dumpable_are_reset_and_the_death_signal_is_kept),
        tempdir_test(set_id_bits_change_the_effective_ids_unless_no_new_privs),
        tempdir_test(failed_exec_leaves_the_process_as_it_was),
    };
    int result = program_role(roles, argc, argv);

    return result >= 0 ? result : cmocka_run_group_tests_name("process/execve", tests, NULL, NULL);
}
