/* exec_threads.c: threads that are created, run, and ended by execve(2) in whatever they do. */
#include "../lib/program.h"

#include <linux/futex.h>
#include <pthread.h>

static char *no_env[] = {NULL};

static int check_alone(int argc, char **argv)
{
    need_eq(argc, 3);
    need_eq(atoi(argv[2]), getpid());
    need_eq(SYS(SYS_gettid), getpid());
    return 0;
}

static const struct role roles[] = {{"@alone", check_alone}, {NULL, NULL}};

static void exec_self(void)
{
    char pid[16], *argv[] = {"x", "@alone", pid, NULL};

    snprintf(pid, sizeof pid, "%d", getpid());
    execve(self_path(), argv, no_env);
    _exit(127);
}

static volatile int word, running;
static int pipe_ends[2];

static void *spin(void *arg)
{
    (void)arg;
    __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        word = 0;
    }
    return NULL;
}

static void *block_in_read(void *arg)
{
    char byte;

    (void)arg;
    __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
    (void)!read(pipe_ends[0], &byte, 1);
    return NULL;
}

static void *block_in_futex(void *arg)
{
    (void)arg;
    __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        SYS(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    }
    return NULL;
}

static void *call_again_and_again(void *arg)
{
    (void)arg;
    __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        SYS(SYS_sched_yield);
    }
    return NULL;
}

static void *fork_again_and_again(void *arg)
{
    (void)arg;
    __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        pid_t pid = (pid_t)SYS(SYS_fork);

        if (pid == 0) {
            SYS(SYS_exit_group, 0);
        }
        SYS(SYS_wait4, pid, NULL, 0, NULL);
    }
    return NULL;
}

static void *exec_here(void *arg)
{
    (void)arg;
    exec_self();
    return NULL;
}

static int exec_amid(void *arg)
{
    void *(*kind)(void *) = (void *(*)(void *))(uintptr_t)arg;
    pthread_t thread;

    running = 0;
    need_eq(pipe(pipe_ends), 0);
    for (int i = 0; i < 4; i++) {
        need_eq(pthread_create(&thread, NULL, kind, NULL), 0);
    }
    need(wait_until(running == 4));
    need_eq(pthread_create(&thread, NULL, exec_here, NULL), 0);
    return sleep_forever(NULL);
}

static void exec_ends(void *(*kind)(void *))
{
    for (int i = 0; i < 5; i++) {
        child_passes(exec_amid, (void *)(uintptr_t)kind);
    }
}

/* covers: execve */
static void exec_ends_spinning_threads(void **state)
{
    (void)state;
    exec_ends(spin);
}

/* covers: execve */
static void exec_ends_threads_in_blocking_calls(void **state)
{
    (void)state;
    exec_ends(block_in_read);
    exec_ends(block_in_futex);
}

/* covers: execve */
static void exec_ends_threads_that_make_calls(void **state)
{
    (void)state;
    exec_ends(call_again_and_again);
    exec_ends(fork_again_and_again);
}

static int exec_race(void *arg)
{
    pthread_t thread;

    (void)arg;
    for (int i = 0; i < 4; i++) {
        if (pthread_create(&thread, NULL, exec_here, NULL) != 0) {
            break;
        }
    }
    exec_self();
    return 127;
}

/* covers: execve */
static void of_several_threads_that_exec_at_once_one_wins(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        child_passes(exec_race, NULL);
    }
}

static void *vfork_and_exec(void *arg)
{
    char *argv[] = {"true", NULL};

    for (int i = 0; i < 20; i++) {
        pid_t pid = vfork();

        if (pid == 0) {
            execve("/bin/true", argv, no_env);
            _exit(127);
        }
        need_eq(child_end(pid), 0);
        (*(volatile int *)arg)++;
    }
    return NULL;
}

static int vfork_in_threads(void *arg)
{
    static volatile int done[3];
    pthread_t threads[3];

    (void)arg;
    for (int i = 0; i < 3; i++) {
        need_eq(pthread_create(&threads[i], NULL, vfork_and_exec, (void *)&done[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        need_eq(pthread_join(threads[i], NULL), 0);
        need_eq(done[i], 20);
    }
    return 0;
}

/* covers: vfork execve */
static void threads_vfork_and_exec_side_by_side(void **state)
{
    (void)state;
    child_passes(vfork_in_threads, NULL);
}

static void *return_argument(void *arg)
{
    return arg;
}

/* covers: clone CLONE_THREAD exit */
static void one_thousand_threads_come_and_go(void **state)
{
    (void)state;
    for (long i = 0; i < 1000; i++) {
        pthread_t thread;
        void *result = NULL;

        need_eq(pthread_create(&thread, NULL, return_argument, (void *)i), 0);
        need_eq(pthread_join(thread, &result), 0);
        need_eq((long)result, i);
    }
}

static __thread long own = 5;
static pthread_barrier_t barrier;

static void *use_own(void *arg)
{
    need_eq(own, 5);
    own = (long)arg;
    pthread_barrier_wait(&barrier);
    need_eq(own, (long)arg);
    return &own;
}

/* covers: clone CLONE_SETTLS CLONE_THREAD */
static void sixty_four_threads_at_once_have_their_own_storage(void **state)
{
    pthread_t threads[64];

    (void)state;
    need_eq(pthread_barrier_init(&barrier, NULL, 64), 0);
    for (long i = 0; i < 64; i++) {
        need_eq(pthread_create(&threads[i], NULL, use_own, (void *)i), 0);
    }
    for (int i = 0; i < 64; i++) {
        need_eq(pthread_join(threads[i], NULL), 0);
    }
    need_eq(own, 5);
    pthread_barrier_destroy(&barrier);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *add_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

/* covers: futex FUTEX_WAIT FUTEX_WAKE */
static void contended_mutex_loses_no_count(void **state)
{
    pthread_t threads[4];

    (void)state;
    counter = 0;
    for (int i = 0; i < 4; i++) {
        need_eq(pthread_create(&threads[i], NULL, add_up, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        need_eq(pthread_join(threads[i], NULL), 0);
    }
    need_eq(counter, 80000);
}

static void *cancelled(void *arg)
{
    (void)arg;
    __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
    sleep_forever(NULL);
    return NULL;
}

/* covers: tgkill rt_sigreturn */
static void sleeping_thread_is_cancelled(void **state)
{
    pthread_t thread;
    void *result = NULL;

    (void)state;
    running = 0;
    need_eq(pthread_create(&thread, NULL, cancelled, NULL), 0);
    need(wait_until(running == 1));
    need_eq(pthread_cancel(thread), 0);
    need_eq(pthread_join(thread, &result), 0);
    need(result == PTHREAD_CANCELED);
}

static void *fork_in_thread(void *arg)
{
    for (int i = 0; i < 10; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            _exit((int)(long)arg);
        }
        need_eq(child_end(pid), (int)(long)arg << 8);
    }
    return NULL;
}

/* covers: fork wait4 */
static void threads_fork_side_by_side(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (long i = 0; i < 4; i++) {
        need_eq(pthread_create(&threads[i], NULL, fork_in_thread, (void *)i), 0);
    }
    for (int i = 0; i < 4; i++) {
        need_eq(pthread_join(threads[i], NULL), 0);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exec_ends_spinning_threads),
        cmocka_unit_test(exec_ends_threads_in_blocking_calls),
        cmocka_unit_test(exec_ends_threads_that_make_calls),
        cmocka_unit_test(of_several_threads_that_exec_at_once_one_wins),
        cmocka_unit_test(threads_vfork_and_exec_side_by_side),
        cmocka_unit_test(one_thousand_threads_come_and_go),
        cmocka_unit_test(sixty_four_threads_at_once_have_their_own_storage),
        cmocka_unit_test(contended_mutex_loses_no_count),
        cmocka_unit_test(sleeping_thread_is_cancelled),
        cmocka_unit_test(threads_fork_side_by_side),
    };
    int result = program_role(roles, argc, argv);

    return result >= 0 ? result
                       : cmocka_run_group_tests_name("process/exec_threads", tests, NULL, NULL);
}
