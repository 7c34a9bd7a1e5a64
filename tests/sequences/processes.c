/* tests/sequences/processes.c: fork, threads, wait, exec, signals, credentials. */
#include "sequence.h"

#include <myst/boot.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

/* --- fork and wait -------------------------------------------------------------------------------------- */

static int exit_with_seven(void *arg)
{
    return 7;
}

static int forks(void *arg)
{
    long pid = must(mock_fork(exit_with_seven, NULL));

    expect_equal(mock_wait(pid), 7 << 8);
    expect_equal(mock_wait(pid), -ECHILD);
    pid = must(mock_vfork(exit_with_seven, NULL));
    expect_equal(mock_wait(-1), 7 << 8);
    return 0;
}

static void children_are_reaped(void **state)
{
    sequence(forks);
}

static int change_word(void *arg)
{
    mock_user word = *(mock_user *)arg;

    expect_equal(mock_get(int, word), 1);
    mock_store(word, &(int){2}, sizeof(int));
    return 0;
}

static int private_memory(void *arg)
{
    mock_user word = mock_room(sizeof(int));
    long pid;

    mock_store(word, &(int){1}, sizeof(int));
    pid = must(mock_fork(change_word, &word));
    expect_equal(mock_wait(pid), 0);
    expect_equal(mock_get(int, word), 1);
    pid = must(mock_vfork(change_word, &word));
    expect_equal(mock_wait(pid), 0);
    expect_equal(mock_get(int, word), 2);
    return 0;
}

static void fork_copies_memory_and_vfork_does_not(void **state)
{
    sequence(private_memory);
}

static int fork_deeper(void *arg)
{
    long depth = (long)arg;

    if (depth == 0)
        return 1;
    for (int i = 0; i < 2; i++)
        must(mock_fork(fork_deeper, (void *)(depth - 1)));
    for (int i = 0; i < 2; i++)
        expect(mock_wait(-1) >= 0);
    return 1;
}

static int tree(void *arg)
{
    fork_deeper((void *)4L);
    return 0;
}

static void a_tree_of_processes_comes_and_goes(void **state)
{
    sequence(tree);
}

/* An orphan goes to process 1, which reaps it. */
static int leave_child(void *arg)
{
    must(mock_fork(exit_with_seven, NULL));
    return 0;
}

static int orphans(void *arg)
{
    mock_user set = mock_room(sizeof(struct timespec));

    expect_equal(mock_call(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
    expect_equal(mock_wait(must(mock_fork(leave_child, NULL))), 0);
    expect_equal(mock_wait(-1), 7 << 8);
    expect_equal(mock_call(__NR_prctl, PR_SET_CHILD_SUBREAPER, 0), 0);
    (void)set;
    return 0;
}

static void orphans_are_adopted(void **state)
{
    sequence(orphans);
}

/* --- threads ------------------------------------------------------------------------------------------------ */

#define THREADS 4

static int bump(void *arg)
{
    mock_user words = *(mock_user *)arg;

    int seen = mock_get(int, words + 4);

    mock_store(words + 4, &(int){seen + 1}, sizeof(int));
    expect(must(mock_call(__NR_gettid)) > 0);
    return 0;
}

static int wait_for_thread(void *arg)
{
    mock_user words = *(mock_user *)arg;

    while (mock_get(int, words) == 0) {
        long result = mock_call(__NR_futex, words, 0 /* FUTEX_WAIT */, 0, 0);

        expect(result == 0 || result == -EAGAIN);
    }
    mock_store(words + 8, &(int){1}, sizeof(int));
    expect(mock_call(__NR_futex, words + 8, 1 /* FUTEX_WAKE */, 1) >= 0);
    return 0;
}

static int threads(void *arg)
{
    mock_user words = mock_room(16), ends = mock_room(4 * THREADS);
    uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                     CLONE_SYSVSEM | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID;

    for (int i = 0; i < THREADS; i++)
        must(mock_clone(flags, i ? bump : wait_for_thread, &words, ends + 4 * i, ends + 4 * i));
    mock_store(words, &(int){1}, sizeof(int));
    must(mock_call(__NR_futex, words, 1, 1));
    for (int i = 0; i < THREADS; i++) {
        int tid;

        while ((tid = mock_get(int, ends + 4 * i)))
            mock_call(__NR_futex, ends + 4 * i, 0, tid, 0); /* as pthread_join() */
    }
    expect_equal(mock_get(int, words + 8), 1);
    return 0;
}

static int threads_in_child(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(threads, NULL))), 0);
    return 0;
}

static void threads_are_joined(void **state)
{
    sequence(threads_in_child);
}

static int sleep_for_ever(void *arg)
{
    mock_call(__NR_pause);
    return 0;
}

static int leave_threads(void *arg)
{
    for (int i = 0; i < THREADS; i++)
        must(mock_thread(sleep_for_ever, NULL));
    return 5;
}

static int group_exit(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(leave_threads, NULL))), 5 << 8);
    return 0;
}

static void exit_group_ends_sleeping_threads(void **state)
{
    sequence(group_exit);
}

/* --- exec --------------------------------------------------------------------------------------------------- */

static int program(void *arg)
{
    /* argc and argv[1] lie on the stack */
    return arg ? *(int *)arg : 0;
}

static int program_status = 42;

static int execute(void *arg)
{
    const char *const argv[] = {"program", "argument", NULL};
    const char *const envp[] = {"A=B", NULL};

    must(mock_call(__NR_execve, mock_string("/bin/program"), mock_strings(argv),
                   mock_strings(envp)));
    return 1;
}

static int execs(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(execute, NULL))), 42 << 8);
    expect_equal(mock_wait(must(mock_vfork(execute, NULL))), 42 << 8);
    expect_equal(mock_call(__NR_execve, mock_string("/bin/nothing"), 0, 0), -ENOENT);
    expect_equal(mock_call(__NR_execve, mock_string("/proc/self/status"), 0, 0), -EACCES);
    return 0;
}

static void make_program(void)
{
    mock_host_program("/bin/program", program, &program_status);
}

static void programs_are_executed(void **state)
{
    sequence_with(execs, (struct mock_options){.setup = make_program});
}

static int execute_with_threads(void *arg)
{
    leave_threads(NULL);
    return execute(NULL);
}

static int exec_kills_threads(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(execute_with_threads, NULL))), 42 << 8);
    return 0;
}

static void exec_ends_the_other_threads(void **state)
{
    sequence_with(exec_kills_threads, (struct mock_options){.setup = make_program});
}

/* --- signals -------------------------------------------------------------------------------------------------- */

static __thread int handled;

static void note(int signo, mock_user info, mock_user context)
{
    expect_equal(mock_get(siginfo_t, info).si_signo, signo);
    handled = signo;
    expect(must(mock_call(__NR_getpid)) > 0); /* calls work in a handler */
}

static int handlers(void *arg)
{
    handled = 0;
    expect_equal(mock_handle(SIGUSR1, note, SA_SIGINFO), 0);
    expect_equal(mock_call(__NR_kill, must(mock_call(__NR_getpid)), SIGUSR1), 0);
    expect_equal(handled, SIGUSR1);
    expect_equal(mock_handle(SIGUSR1, NULL, 0), 0);
    return 0;
}

static void a_handler_runs_and_returns(void **state)
{
    sequence(handlers);
}

static int kill_parent(void *arg)
{
    let_others_run();
    must(mock_call(__NR_kill, must(mock_call(__NR_getppid)), SIGUSR1));
    return 0;
}

static int interruption(void *arg)
{
    mock_user pipe = mock_room(8), byte = mock_room(1);
    long pid;

    must(mock_call(__NR_pipe2, pipe, 0));
    expect_equal(mock_handle(SIGUSR1, note, SA_SIGINFO), 0);
    pid = must(mock_fork(kill_parent, NULL));
    expect_equal(mock_call(__NR_read, mock_get(int, pipe), byte, 1), -EINTR);
    expect_equal(mock_wait(pid), 0);
    expect_equal(mock_handle(SIGUSR1, NULL, 0), 0);
    must(mock_call(__NR_close, mock_get(int, pipe)));
    must(mock_call(__NR_close, mock_get(int, pipe + 4)));
    return 0;
}

static void a_signal_interrupts_a_sleeping_call(void **state)
{
    sequence(interruption);
}

static uint32_t looking; /* atomic: threads that still look */

/* Looks at its signals at each call. */
static int look_for_signals(void *arg)
{
    for (int i = 0; i < 300; i++)
        must(mock_call(__NR_rt_sigprocmask, SIG_SETMASK, mock_put((uint64_t[]){0}, 8), 0, 8));
    __atomic_sub_fetch(&looking, 1, __ATOMIC_SEQ_CST);
    return 0;
}

/* Signals come while the threads whose they may become look. */
static int many_signals(void *arg)
{
    uint64_t pid = (uint64_t)must(mock_call(__NR_getpid));

    looking = 2;
    expect_equal(mock_handle(SIGUSR1, note, SA_SIGINFO), 0);
    for (int i = 0; i < 2; i++)
        must(mock_thread(look_for_signals, NULL));
    for (int i = 0; i < 10000 && __atomic_load_n(&looking, __ATOMIC_SEQ_CST); i++)
        must(mock_call(__NR_kill, pid, SIGUSR1));
    return 0;
}

static int signal_busy_threads(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(many_signals, NULL))), 0);
    return 0;
}

static void signals_come_while_threads_look(void **state)
{
    sequence(signal_busy_threads);
}

static int touch_nothing(void *arg)
{
    return mock_get(int, 0x1000);
}

static int fatal(void *arg)
{
    long pid;

    expect_equal(mock_wait(must(mock_fork(touch_nothing, NULL))) & 0x7f, SIGSEGV);
    pid = must(mock_fork(sleep_for_ever, NULL));
    expect_equal(mock_call(__NR_kill, pid, SIGTERM), 0);
    expect_equal(mock_wait(pid), SIGTERM);
    pid = must(mock_fork(leave_threads, NULL));
    expect_equal(mock_call(__NR_kill, pid, SIGKILL), 0);
    expect(mock_wait(pid) >= 0);
    return 0;
}

static void default_actions_end_processes(void **state)
{
    sequence(fatal);
}

static int stop_and_go(void *arg)
{
    long pid = must(mock_fork(sleep_for_ever, NULL));
    mock_user status = mock_room(4);

    expect_equal(mock_call(__NR_kill, pid, SIGSTOP), 0);
    expect_equal(mock_call(__NR_wait4, pid, status, WUNTRACED, 0), pid);
    expect(WIFSTOPPED(mock_get(int, status)));
    expect_equal(mock_call(__NR_kill, pid, SIGCONT), 0);
    expect_equal(mock_call(__NR_wait4, pid, status, WCONTINUED, 0), pid);
    expect_equal(mock_call(__NR_kill, pid, SIGKILL), 0);
    expect_equal(mock_wait(pid), SIGKILL);
    return 0;
}

static void stopped_processes_continue(void **state)
{
    sequence(stop_and_go);
}

static int signal_wait(void *arg)
{
    mock_user set = mock_put(&(uint64_t){1UL << (SIGUSR2 - 1)}, 8), info = mock_room(128);
    mock_user timeout = mock_put(&(struct timespec){1, 0}, sizeof(struct timespec));
    mock_user queued;

    must(mock_call(__NR_rt_sigprocmask, SIG_BLOCK, set, 0, 8));
    expect_equal(mock_call(__NR_rt_sigtimedwait, set, info, timeout, 8), -EAGAIN);
    queued = mock_put(&(siginfo_t){.si_signo = SIGUSR2, .si_code = SI_QUEUE}, sizeof(siginfo_t));
    for (int i = 0; i < 3; i++)
        must(mock_call(__NR_rt_sigqueueinfo, must(mock_call(__NR_getpid)), SIGUSR2, queued));
    expect_equal(mock_call(__NR_rt_sigtimedwait, set, info, timeout, 8), SIGUSR2);
    must(mock_call(__NR_rt_sigprocmask, SIG_UNBLOCK, set, 0, 8));
    return 0;
}

static void signals_are_waited_for(void **state)
{
    sequence(signal_wait);
}

/* --- credentials and what else a process has -------------------------------------------------------------------- */

static int drop_rights(void *arg)
{
    mock_user groups = mock_put((uint32_t[]){1, 2, 3}, 12);

    must(mock_call(__NR_setgroups, 3, groups));
    must(mock_call(__NR_setresgid, 100, 100, 100));
    must(mock_call(__NR_setresuid, 100, 100, 100));
    expect_equal(mock_call(__NR_setuid, 0), -EPERM);
    expect_equal(mock_call(__NR_kill, 1, SIGTERM), -EPERM);
    must(mock_call(__NR_unshare, CLONE_FILES | CLONE_FS));
    return 0;
}

static int credentials(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(drop_rights, NULL))), 0);
    return 0;
}

static void credentials_are_given_back(void **state)
{
    sequence(credentials);
}

static int session(void *arg)
{
    must(mock_call(__NR_setsid));
    must(mock_call(__NR_prctl, PR_SET_NAME, mock_string("another")));
    must(mock_call(__NR_getcpu, mock_room(4), mock_room(4), 0));
    must(mock_call(__NR_getrusage, 0, mock_room(256)));
    must(mock_call(__NR_sched_getaffinity, 0, 128, mock_room(128)));
    must(mock_call(__NR_membarrier, 0, 0, 0));
    return 0;
}

static int sessions(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(session, NULL))), 0);
    return 0;
}

static void sessions_are_given_back(void **state)
{
    sequence(sessions);
}

/* --- extremes ------------------------------------------------------------------------------------------- */

#define FIRST_ADDRESS 0x10000UL /* of what programs may map */

static int give_up_all_memory(void *arg)
{
    /* the kernel's range lies between the program's two, or behind them */
    uint64_t gap = MYST_RANGE_START < MYST_USER_END ? MYST_RANGE_START : MYST_USER_END;

    must(mock_call(__NR_munmap, FIRST_ADDRESS, gap - FIRST_ADDRESS));
    if (MYST_RANGE_END < MYST_USER_END)
        must(mock_call(__NR_munmap, MYST_RANGE_END, MYST_USER_END - MYST_RANGE_END));
    mock_call(__NR_pause);
    return 0;
}

static int without_memory(void *arg)
{
    static const char *const files[] = {"maps", "smaps", "smaps_rollup", "status", "cmdline"};
    long pid = must(mock_fork(give_up_all_memory, NULL));
    char name[64];

    let_others_run();
    for (size_t i = 0; i < 5; i++) {
        mock_user room = mock_room(4096);
        long fd;

        snprintf(name, sizeof(name), "/proc/%ld/%s", pid, files[i]);
        fd = must(mock_call(__NR_open, mock_string(name), O_RDONLY));
        expect(i > 0 || mock_call(__NR_read, fd, room, 4096) == 0);
        must(mock_call(__NR_read, fd, room, 4096));
        must(mock_call(__NR_close, fd));
    }
    must(mock_call(__NR_kill, pid, SIGKILL));
    expect_equal(mock_wait(pid), SIGKILL);
    return 0;
}

static void a_process_needs_no_memory(void **state)
{
    sequence(without_memory);
}

#define MANY (300UL << 10) /* descriptors: their table takes more than 2 MiB, a run of its own */

static int use_many_descriptors(void *arg)
{
    struct rlimit limit = {2 * MANY, 2 * MANY};

    must(mock_call(__NR_setrlimit, RLIMIT_NOFILE, mock_put(&limit, sizeof(limit))));
    expect_equal(mock_call(__NR_dup2, 0, MANY), MANY);
    must(mock_call(__NR_close, MANY));
    return 0;
}

static int many_descriptors(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(use_many_descriptors, NULL))), 0);
    return 0;
}

static void a_large_table_is_given_back(void **state)
{
    sequence(many_descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_are_reaped),
        cmocka_unit_test(fork_copies_memory_and_vfork_does_not),
        cmocka_unit_test(a_tree_of_processes_comes_and_goes),
        cmocka_unit_test(orphans_are_adopted),
        cmocka_unit_test(threads_are_joined),
        cmocka_unit_test(exit_group_ends_sleeping_threads),
        cmocka_unit_test(programs_are_executed),
        cmocka_unit_test(exec_ends_the_other_threads),
        cmocka_unit_test(a_handler_runs_and_returns),
        cmocka_unit_test(a_signal_interrupts_a_sleeping_call),
        cmocka_unit_test(signals_come_while_threads_look),
        cmocka_unit_test(default_actions_end_processes),
        cmocka_unit_test(stopped_processes_continue),
        cmocka_unit_test(signals_are_waited_for),
        cmocka_unit_test(credentials_are_given_back),
        cmocka_unit_test(sessions_are_given_back),
        cmocka_unit_test(a_process_needs_no_memory),
        cmocka_unit_test(a_large_table_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
