/* fork.c: fork(2), a child that is a copy, and what is not copied. */
/* tags: trap */
#include "../lib/child.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>

static int global_value = 1;

static pid_t raw_fork(void)
{
    long pid = SYS(SYS_fork);

    need(pid >= 0);
    return (pid_t)pid;
}

/* covers: fork */
static void fork_returns_zero_in_the_child_and_its_pid_in_the_parent(void **state)
{
    int status;
    pid_t pid, self = getpid();

    (void)state;
    pid = raw_fork();
    if (pid == 0) {
        _exit(SYS(SYS_getppid) == self && SYS(SYS_getpid) != self ? 7 : 1);
    }
    need(pid > 0 && pid != self);
    need_eq(waitpid(pid, &status, 0), pid);
    need(WIFEXITED(status));
    need_eq(WEXITSTATUS(status), 7);
}

/* covers: fork */
static void child_of_fork_is_a_single_thread_with_tid_equal_to_pid(void **state)
{
    pid_t pid;

    (void)state;
    pid = raw_fork();
    if (pid == 0) {
        _exit(SYS(SYS_gettid) == SYS(SYS_getpid) ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
}

/* covers: fork */
static void memory_is_private_after_fork(void **state)
{
    int local = 1;
    char *heap = malloc(100000);
    volatile int *local_at = &local, *global_at = &global_value;
    pid_t pid;

    (void)state;
    need(heap);
    memset(heap, 'p', 100000);
    *global_at = 1;
    pid = raw_fork();
    if (pid == 0) {
        need(heap[99999] == 'p' && *local_at == 1 && *global_at == 1);
        *local_at = *global_at = 2;
        memset(heap, 'c', 100000);
        need(heap[0] == 'c' && *local_at == 2 && *global_at == 2);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need_eq(*local_at, 1);
    need_eq(*global_at, 1);
    need(heap[0] == 'p' && heap[99999] == 'p');
    free(heap);
}

/* covers: fork */
static void writes_of_the_parent_after_fork_are_unseen_by_the_child(void **state)
{
    struct turn go;
    volatile int *at = &global_value;
    pid_t pid;

    (void)state;
    turn_init(&go);
    *at = 10;
    pid = raw_fork();
    if (pid == 0) {
        turn_await(&go);
        _exit(*at == 10 ? 0 : 1);
    }
    *at = 20;
    turn_give(&go);
    need_eq(child_end(pid), 0);
    turn_close(&go);
}

/* covers: fork */
static void shared_anonymous_memory_stays_shared_after_fork(void **state)
{
    volatile int *page = shared_alloc(4096);
    pid_t pid;

    (void)state;
    pid = raw_fork();
    if (pid == 0) {
        page[0] = 42;
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need_eq(page[0], 42);
    munmap((void *)page, 4096);
}

/* covers: fork */
static void descriptors_share_the_file_offset_but_not_the_table(void **state)
{
    int fd = memfd_create("offset", MFD_CLOEXEC);
    pid_t pid;

    (void)state;
    need(fd >= 0);
    need_eq(write(fd, "0123456789", 10), 10);
    need_eq(lseek(fd, 2, SEEK_SET), 2);
    pid = raw_fork();
    if (pid == 0) {
        need_eq(lseek(fd, 5, SEEK_SET), 5);
        need_eq(close(fd), 0);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need_eq(lseek(fd, 0, SEEK_CUR), 5);
    need_eq(close(fd), 0);
}

/* covers: fork */
static void status_flags_are_shared_and_descriptor_flags_are_not(void **state)
{
    int fd[2];
    pid_t pid;

    (void)state;
    need_eq(pipe(fd), 0);
    pid = raw_fork();
    if (pid == 0) {
        need_eq(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
        need_eq(fcntl(fd[0], F_SETFD, FD_CLOEXEC), 0);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need(fcntl(fd[0], F_GETFL) & O_NONBLOCK);
    need_eq(fcntl(fd[0], F_GETFD), 0);
    close(fd[0]);
    close(fd[1]);
}

/* covers: fork */
static void pipe_reads_end_of_file_only_when_the_child_closed_its_copy(void **state)
{
    struct turn go;
    struct pollfd ready;
    int fd[2];
    char byte;
    pid_t pid;

    (void)state;
    turn_init(&go);
    need_eq(pipe2(fd, O_CLOEXEC), 0);
    pid = raw_fork();
    if (pid == 0) {
        turn_await(&go);
        _exit(0);
    }
    need_eq(close(fd[1]), 0);
    ready = (struct pollfd){.fd = fd[0], .events = POLLIN};
    need_eq(poll(&ready, 1, 0), 0);
    turn_give(&go);
    need_eq(read(fd[0], &byte, 1), 0);
    need_eq(child_end(pid), 0);
    close(fd[0]);
    turn_close(&go);
}

/* covers: fork */
static void pending_signals_are_not_inherited(void **state)
{
    sigset_t set, pending, old;
    pid_t pid;

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    need_eq(sigprocmask(SIG_BLOCK, &set, &old), 0);
    need_eq(kill(getpid(), SIGUSR1), 0);
    need_eq(sigpending(&pending), 0);
    need(sigismember(&pending, SIGUSR1));
    pid = raw_fork();
    if (pid == 0) {
        need_eq(sigpending(&pending), 0);
        _exit(sigismember(&pending, SIGUSR1));
    }
    need_eq(child_end(pid), 0);
    need_eq(sigpending(&pending), 0);
    need(sigismember(&pending, SIGUSR1));
    need_eq(sigtimedwait(&set, NULL, &(struct timespec){0}), SIGUSR1);
    need_eq(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

static void no_op(int sig)
{
    (void)sig;
}

/* covers: fork */
static void signal_mask_actions_and_alternate_stack_are_inherited(void **state)
{
    static char stack[65536];
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack}, seen;
    struct sigaction act = {.sa_handler = no_op, .sa_flags = SA_RESTART}, old_act, seen_act;
    sigset_t set, old, now;
    pid_t pid;

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigaddset(&act.sa_mask, SIGHUP);
    need_eq(sigprocmask(SIG_BLOCK, &set, &old), 0);
    need_eq(sigaction(SIGUSR1, &act, &old_act), 0);
    need_eq(sigaltstack(&alt, NULL), 0);
    pid = raw_fork();
    if (pid == 0) {
        need_eq(sigprocmask(SIG_SETMASK, NULL, &now), 0);
        need(sigismember(&now, SIGUSR2));
        need_eq(sigaction(SIGUSR1, NULL, &seen_act), 0);
        need(seen_act.sa_handler == no_op && (seen_act.sa_flags & SA_RESTART));
        need(sigismember(&seen_act.sa_mask, SIGHUP));
        need_eq(sigaltstack(NULL, &seen), 0);
        need(seen.ss_sp == stack && seen.ss_size == sizeof stack && seen.ss_flags == 0);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    alt.ss_flags = SS_DISABLE;
    need_eq(sigaltstack(&alt, NULL), 0);
    need_eq(sigaction(SIGUSR1, &old_act, NULL), 0);
    need_eq(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

static int changed_actions_body(void *arg)
{
    struct sigaction seen;
    pid_t pid;

    (void)arg;
    signal(SIGUSR1, SIG_DFL);
    pid = raw_fork();
    if (pid == 0) {
        signal(SIGUSR1, SIG_IGN);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need_eq(sigaction(SIGUSR1, NULL, &seen), 0);
    need(seen.sa_handler == SIG_DFL);
    return 0;
}

/* covers: fork */
static void actions_set_by_the_child_do_not_reach_the_parent(void **state)
{
    (void)state;
    child_passes(changed_actions_body, NULL);
}

/* covers: fork */
static void alarm_and_interval_timers_are_not_inherited(void **state)
{
    struct itimerval far = {.it_value = {.tv_sec = 1000}}, seen;
    pid_t pid;

    (void)state;
    alarm(0);
    need_eq(setitimer(ITIMER_REAL, &far, NULL), 0);
    need_eq(setitimer(ITIMER_VIRTUAL, &far, NULL), 0);
    pid = raw_fork();
    if (pid == 0) {
        need_eq(getitimer(ITIMER_REAL, &seen), 0);
        need(seen.it_value.tv_sec == 0 && seen.it_value.tv_usec == 0);
        need_eq(getitimer(ITIMER_VIRTUAL, &seen), 0);
        need(seen.it_value.tv_sec == 0 && seen.it_value.tv_usec == 0);
        need_eq(alarm(0), 0);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need(alarm(0) > 900);
    memset(&far, 0, sizeof far);
    need_eq(setitimer(ITIMER_VIRTUAL, &far, NULL), 0);
}

static int directory_body(void *arg)
{
    char mine[4096], after[4096];
    mode_t old = umask(027);
    pid_t pid;

    (void)arg;
    (void)old;
    need(getcwd(mine, sizeof mine));
    pid = raw_fork();
    if (pid == 0) {
        char seen[4096];

        need(getcwd(seen, sizeof seen) && strcmp(seen, mine) == 0);
        need_eq(umask(0), 027);
        need_eq(chdir("/"), 0);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need(getcwd(after, sizeof after) && strcmp(after, mine) == 0);
    need_eq(umask(022), 027);
    return 0;
}

/* covers: fork */
static void directory_and_umask_are_copied(void **state)
{
    (void)state;
    child_passes(directory_body, NULL);
}

/* covers: fork */
static void limits_nice_group_and_session_are_inherited(void **state)
{
    struct rlimit mine, seen;
    pid_t pid, group = getpgrp(), session = getsid(0);
    int nice_value;

    (void)state;
    errno = 0;
    nice_value = getpriority(PRIO_PROCESS, 0);
    need_eq(getrlimit(RLIMIT_NOFILE, &mine), 0);
    pid = raw_fork();
    if (pid == 0) {
        need_eq(getrlimit(RLIMIT_NOFILE, &seen), 0);
        need(seen.rlim_cur == mine.rlim_cur && seen.rlim_max == mine.rlim_max);
        need_eq(getpgrp(), group);
        need_eq(getsid(0), session);
        need_eq(getpriority(PRIO_PROCESS, 0), nice_value);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
}

static int cpu_time_body(void *arg)
{
    struct tms mine, seen;
    volatile unsigned long spin = 0;
    pid_t pid;

    (void)arg;
    do {
        for (int i = 0; i < 1000000; i++) {
            spin++;
        }
        need(times(&mine) != (clock_t)-1);
    } while (mine.tms_utime < 5);
    pid = raw_fork();
    if (pid == 0) {
        need(times(&seen) != (clock_t)-1);
        need(seen.tms_utime < mine.tms_utime);
        need_eq(seen.tms_cutime + seen.tms_cstime, 0);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: fork times */
static void cpu_time_of_the_child_starts_at_zero(void **state)
{
    (void)state;
    child_passes(cpu_time_body, NULL);
}

/* covers: fork madvise MADV_DONTFORK */
static void memory_advised_dontfork_is_missing_in_the_child(void **state)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd[2];
    pid_t pid;

    (void)state;
    need(page != MAP_FAILED);
    page[0] = 1;
    need_eq(madvise(page, 4096, MADV_DONTFORK), 0);
    need_eq(pipe(fd), 0);
    pid = raw_fork();
    if (pid == 0) {
        need_errno(write(fd[1], page, 1), EFAULT);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    need_eq(page[0], 1);
    munmap(page, 4096);
    close(fd[0]);
    close(fd[1]);
}

/* covers: fork madvise MADV_WIPEONFORK MADV_KEEPONFORK */
static void memory_advised_wipeonfork_is_zero_in_the_child(void **state)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    (void)state;
    need(pages != MAP_FAILED);
    pages[0] = pages[4096] = 1;
    need_eq(madvise(pages, 8192, MADV_WIPEONFORK), 0);
    need_eq(madvise(pages + 4096, 4096, MADV_KEEPONFORK), 0);
    pid = raw_fork();
    if (pid == 0) {
        _exit(pages[0] == 0 && pages[4096] == 1 ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
    need_eq(pages[0], 1);
    munmap(pages, 8192);
}

static void *wait_for_exit(void *turn)
{
    turn_await(turn);
    return NULL;
}

/* covers: fork */
static void only_the_calling_thread_exists_in_the_child(void **state)
{
    struct turn end;
    pthread_t thread;
    pid_t pid;

    (void)state;
    turn_init(&end);
    need_eq(pthread_create(&thread, NULL, wait_for_exit, &end), 0);
    pid = raw_fork();
    if (pid == 0) {
        DIR *tasks = opendir("/proc/self/task");
        int threads = 0;

        for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
            threads += entry->d_name[0] != '.';
        }
        need(!tasks || threads == 1);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
    turn_give(&end);
    need_eq(pthread_join(thread, NULL), 0);
    turn_close(&end);
}

static void *fork_in_thread(void *result)
{
    pid_t pid = raw_fork();

    if (pid == 0) {
        _exit(SYS(SYS_gettid) == SYS(SYS_getpid) && SYS(SYS_getppid) == SYS(SYS_getpid) ? 1 : 0);
    }
    *(int *)result = child_end(pid);
    return NULL;
}

/* covers: fork */
static void fork_from_a_second_thread_makes_an_ordinary_child(void **state)
{
    pthread_t thread;
    int status = -1;

    (void)state;
    need_eq(pthread_create(&thread, NULL, fork_in_thread, &status), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need_eq(status, 0);
}

/* covers: fork */
static void sixty_children_all_return_their_own_status(void **state)
{
    pid_t pid[60];
    int status;

    (void)state;
    for (int i = 0; i < 60; i++) {
        pid[i] = raw_fork();
        if (pid[i] == 0) {
            _exit(i);
        }
    }
    for (int i = 59; i >= 0; i--) {
        need_eq(waitpid(pid[i], &status, 0), pid[i]);
        need_eq(status, i << 8);
    }
}

static int nested_body(void *arg)
{
    intptr_t depth = (intptr_t)arg;

    if (depth == 0) {
        return 0;
    }
    return WEXITSTATUS(child_status(nested_body, (void *)(depth - 1))) + 1;
}

/* covers: fork */
static void children_fork_children_ten_deep(void **state)
{
    (void)state;
    need_eq(child_status(nested_body, (void *)10), 10 << 8);
}

/* covers: fork EAGAIN */
static void fork_beyond_the_process_limit_is_eagain(void **state)
{
    pid_t pid;

    (void)state;
    if (getuid() == 0) {
        pid = raw_fork();
        if (pid == 0) {
            need_eq(SYS(SYS_setresgid, 54321, 54321, 54321), 0);
            need_eq(SYS(SYS_setresuid, 54321, 54321, 54321), 0);
            need_eq(setrlimit(RLIMIT_NPROC, &(struct rlimit){1, 1}), 0);
            need_eq(SYS(SYS_fork), -EAGAIN);
            _exit(0);
        }
    } else {
        pid = raw_fork();
        if (pid == 0) {
            need_eq(setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0}), 0);
            need_eq(SYS(SYS_fork), -EAGAIN);
            _exit(0);
        }
    }
    need_eq(child_end(pid), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fork_returns_zero_in_the_child_and_its_pid_in_the_parent),
        cmocka_unit_test(child_of_fork_is_a_single_thread_with_tid_equal_to_pid),
        cmocka_unit_test(memory_is_private_after_fork),
        cmocka_unit_test(writes_of_the_parent_after_fork_are_unseen_by_the_child),
        cmocka_unit_test(shared_anonymous_memory_stays_shared_after_fork),
        cmocka_unit_test(descriptors_share_the_file_offset_but_not_the_table),
        cmocka_unit_test(status_flags_are_shared_and_descriptor_flags_are_not),
        cmocka_unit_test(pipe_reads_end_of_file_only_when_the_child_closed_its_copy),
        cmocka_unit_test(pending_signals_are_not_inherited),
        cmocka_unit_test(signal_mask_actions_and_alternate_stack_are_inherited),
        cmocka_unit_test(actions_set_by_the_child_do_not_reach_the_parent),
        cmocka_unit_test(alarm_and_interval_timers_are_not_inherited),
        cmocka_unit_test(directory_and_umask_are_copied),
        cmocka_unit_test(limits_nice_group_and_session_are_inherited),
        cmocka_unit_test(cpu_time_of_the_child_starts_at_zero),
        cmocka_unit_test(memory_advised_dontfork_is_missing_in_the_child),
        cmocka_unit_test(memory_advised_wipeonfork_is_zero_in_the_child),
        cmocka_unit_test(only_the_calling_thread_exists_in_the_child),
        cmocka_unit_test(fork_from_a_second_thread_makes_an_ordinary_child),
        cmocka_unit_test(sixty_children_all_return_their_own_status),
        cmocka_unit_test(children_fork_children_ten_deep),
        cmocka_unit_test(fork_beyond_the_process_limit_is_eagain),
    };

    return cmocka_run_group_tests_name("process/fork", tests, NULL, NULL);
}
