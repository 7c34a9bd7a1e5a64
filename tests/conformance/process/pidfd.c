/* pidfd.c: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2): a descriptor for a process. */
#include "../lib/child.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static int pidfd(pid_t pid, unsigned flags)
{
    long fd = SYS(SYS_pidfd_open, pid, flags);

    if (fd == -ENOSYS) {
        skip_because("pidfd_open is not in the running kernel");
    }
    need(fd >= 0);
    return (int)fd;
}

static void kill_and_reap(pid_t pid)
{
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

/* covers: pidfd_open */
static void descriptor_is_close_on_exec(void **state)
{
    int fd = pidfd(getpid(), 0);

    (void)state;
    need_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    need_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    close(fd);
}

/* covers: pidfd_open PIDFD_NONBLOCK */
static void nonblock_flag_is_kept(void **state)
{
    int fd = pidfd(getpid(), O_NONBLOCK);

    (void)state;
    need_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    close(fd);
}

/* covers: pidfd_open EINVAL ESRCH */
static void open_checks_pid_and_flags(void **state)
{
    (void)state;
    close(pidfd(getpid(), 0));
    need_eq(SYS(SYS_pidfd_open, 0, 0), -EINVAL);
    need_eq(SYS(SYS_pidfd_open, -1, 0), -EINVAL);
    need_eq(SYS(SYS_pidfd_open, getpid(), 1), -EINVAL);
    need_eq(SYS(SYS_pidfd_open, 0x3ffffffe, 0), -ESRCH);
}

/* covers: pidfd_open poll */
static void descriptor_is_readable_when_the_process_has_ended(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int fd = pidfd(pid, 0);
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    (void)state;
    need_eq(poll(&ready, 1, 0), 0);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(poll(&ready, 1, PATIENCE_MS), 1);
    need(ready.revents & POLLIN);
    need_eq(child_end(pid), SIGKILL);
    need_eq(poll(&ready, 1, 0), 1);
    close(fd);
}

/* covers: pidfd_open */
static void read_and_write_are_refused(void **state)
{
    int fd = pidfd(getpid(), 0);
    char byte = 0;

    (void)state;
    need_eq(SYS(SYS_read, fd, &byte, 1), -EINVAL);
    need_eq(SYS(SYS_write, fd, &byte, 1), -EINVAL);
    close(fd);
}

/* covers: pidfd_open */
static void zombie_can_be_opened_and_reaped_process_cannot(void **state)
{
    pid_t pid = child_start(exit_with, NULL);
    int fd;

    (void)state;
    need_eq(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
    fd = pidfd(pid, 0);
    need_eq(child_end(pid), 0);
    need_eq(SYS(SYS_pidfd_open, pid, 0), -ESRCH);
    close(fd);
}

/* covers: pidfd_send_signal */
static void signal_reaches_the_process(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int fd = pidfd(pid, 0);

    (void)state;
    need_eq(SYS(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), 0);
    need_eq(child_end(pid), SIGTERM);
    close(fd);
}

/* covers: pidfd_send_signal ESRCH */
static void signal_for_a_reaped_process_is_esrch(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int fd = pidfd(pid, 0);

    (void)state;
    kill_and_reap(pid);
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), -ESRCH);
    need_eq(SYS(SYS_pidfd_send_signal, fd, 0, NULL, 0), -ESRCH);
    close(fd);
}

/* covers: pidfd_send_signal EBADF EINVAL */
static void send_checks_descriptor_signal_and_flags(void **state)
{
    int fd = pidfd(getpid(), 0), file = open("/", O_RDONLY | O_CLOEXEC);
    siginfo_t info = {.si_signo = SIGUSR2, .si_code = SI_QUEUE};

    (void)state;
    need_eq(SYS(SYS_pidfd_send_signal, 1000000, 0, NULL, 0), -EBADF);
    need_eq(SYS(SYS_pidfd_send_signal, file, 0, NULL, 0), -EBADF);
    need_eq(SYS(SYS_pidfd_send_signal, fd, 65, NULL, 0), -EINVAL);
    need_eq(SYS(SYS_pidfd_send_signal, fd, 0, NULL, 1U << 20), -EINVAL);
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0), -EINVAL); /* another number */
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGUSR1, BAD_PTR, 0), -EFAULT);
    close(fd);
    close(file);
}

/* covers: pidfd_send_signal */
static void info_is_passed_on(void **state)
{
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE}, got;
    int fd = pidfd(getpid(), 0);
    sigset_t set, old;

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    need_eq(sigprocmask(SIG_BLOCK, &set, &old), 0);
    info.si_value.sival_int = 99;
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0), 0);
    need_eq(sigtimedwait(&set, &got, &(struct timespec){0}), SIGUSR1);
    need_eq(got.si_code, SI_QUEUE);
    need_eq(got.si_value.sival_int, 99);
    need_eq(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    close(fd);
}

static int send_as_nobody(void *arg)
{
    drop_privileges();
    need_eq(SYS(SYS_pidfd_send_signal, *(int *)arg, SIGTERM, NULL, 0), -EPERM);
    return 0;
}

/* covers: pidfd_send_signal EPERM */
static void signal_for_another_user_is_eperm(void **state)
{
    int fd;

    (void)state;
    need_root();
    fd = pidfd(getpid(), 0);
    child_passes(send_as_nobody, &fd);
    close(fd);
}

struct file_owner {
    volatile int fd;
};

static int own_a_file(void *arg)
{
    struct file_owner *owner = arg;
    int fd = memfd_create("owned", 0);

    need_eq(write(fd, "from the child", 14), 14);
    owner->fd = fd;
    return sleep_forever(NULL);
}

/* covers: pidfd_getfd */
static void descriptor_of_another_process_is_fetched(void **state)
{
    struct file_owner *owner = shared_alloc(4096);
    pid_t pid;
    int fd, got;
    char text[15] = "";

    (void)state;
    owner->fd = -1;
    pid = child_start(own_a_file, owner);
    need(wait_until(owner->fd >= 0));
    fd = pidfd(pid, 0);
    got = (int)SYS(SYS_pidfd_getfd, fd, owner->fd, 0);
    if (got == -EPERM) {
        kill_and_reap(pid);
        skip_because("no privilege to look into another process");
    }
    need(got >= 0);
    need_eq(fcntl(got, F_GETFD), FD_CLOEXEC);
    need_eq(lseek(got, 0, SEEK_CUR), 14);
    need_eq(pread(got, text, 14, 0), 14);
    need_eq(strcmp(text, "from the child"), 0);
    close(got);
    close(fd);
    kill_and_reap(pid);
}

/* covers: pidfd_getfd EBADF EINVAL */
static void getfd_checks_its_arguments(void **state)
{
    int fd = pidfd(getpid(), 0);

    (void)state;
    need_eq(SYS(SYS_pidfd_getfd, 1000000, 0, 0), -EBADF);
    need_eq(SYS(SYS_pidfd_getfd, fd, 1000000, 0), -EBADF);
    need_eq(SYS(SYS_pidfd_getfd, fd, 0, 1), -EINVAL);
    close(fd);
}

/* covers: pidfd_getfd ESRCH */
static void getfd_of_a_reaped_process_is_esrch(void **state)
{
    pid_t pid = child_start(sleep_forever, NULL);
    int fd = pidfd(pid, 0);

    (void)state;
    kill_and_reap(pid);
    need_eq(SYS(SYS_pidfd_getfd, fd, 0, 0), -ESRCH);
    close(fd);
}

/* ---- PIDFD_THREAD ---- */

struct thread {
    pthread_t handle;
    volatile pid_t tid;
    volatile int end;
};

static volatile pid_t taken_by; /* the thread that handled the last signal */

static void note_thread(int sig)
{
    (void)sig;
    taken_by = gettid();
}

static void *run_thread(void *arg)
{
    struct thread *thread = arg;

    thread->tid = gettid();
    while (!thread->end) {
        nap();
    }
    return NULL;
}

static int thread_pidfd(pid_t tid)
{
    long fd = SYS(SYS_pidfd_open, tid, PIDFD_THREAD);

    if (fd == -EINVAL || fd == -ENOSYS) {
        skip_because("PIDFD_THREAD is not in the running kernel");
    }
    need(fd >= 0);
    return (int)fd;
}

static void thread_start(struct thread *thread)
{
    close(thread_pidfd(getpid()));
    thread->tid = 0;
    thread->end = 0;
    need_eq(pthread_create(&thread->handle, NULL, run_thread, thread), 0);
    need(wait_until(thread->tid));
}

static void thread_end(struct thread *thread)
{
    thread->end = 1;
    need_eq(pthread_join(thread->handle, NULL), 0);
}

/* covers: pidfd_open PIDFD_THREAD ENOENT ESRCH */
static void thread_needs_the_flag_of_threads(void **state)
{
    struct thread thread;
    long result;
    int fd;

    (void)state;
    thread_start(&thread);
    result = SYS(SYS_pidfd_open, thread.tid, 0);
    need(result == -ENOENT || result == -EINVAL); /* EINVAL before Linux 6.16 */
    fd = thread_pidfd(thread.tid);
    need_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    need_eq(fcntl(fd, F_GETFL) & ~O_LARGEFILE, O_RDWR | PIDFD_THREAD);
    close(fd);
    thread_end(&thread);
    need_eq(SYS(SYS_pidfd_open, 0x3ffffffe, PIDFD_THREAD), -ESRCH);
}

/* covers: pidfd_open PIDFD_THREAD poll */
static void descriptor_of_a_thread_is_readable_when_that_has_ended(void **state)
{
    struct pollfd ready = {.events = POLLIN};
    struct thread thread;

    (void)state;
    thread_start(&thread);
    ready.fd = thread_pidfd(thread.tid);
    need_eq(poll(&ready, 1, 0), 0);
    thread_end(&thread);
    need_eq(poll(&ready, 1, PATIENCE_MS), 1);
    need(ready.revents & POLLIN);
    need_eq(SYS(SYS_pidfd_send_signal, ready.fd, 0, NULL, 0), -ESRCH);
    need_eq(SYS(SYS_pidfd_getfd, ready.fd, 0, 0), -ESRCH);
    close(ready.fd);
}

/* covers: pidfd_send_signal PIDFD_SIGNAL_THREAD */
static void signal_of_a_thread_is_taken_by_it(void **state)
{
    struct thread thread;
    int fd, leader;

    (void)state;
    thread_start(&thread);
    fd = thread_pidfd(thread.tid);
    leader = pidfd(getpid(), 0);
    signal(SIGUSR1, note_thread);
    for (unsigned scope = 0; scope < 2; scope++) { /* the descriptor's own, then told */
        taken_by = 0;
        need_eq(SYS(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, scope), 0);
        need(wait_until(taken_by));
        need_eq(taken_by, thread.tid);
    }
    taken_by = 0;
    need_eq(SYS(SYS_pidfd_send_signal, leader, SIGUSR1, NULL, 1), 0);
    need(wait_until(taken_by));
    need_eq(taken_by, getpid());
    signal(SIGUSR1, SIG_DFL);
    close(fd);
    close(leader);
    thread_end(&thread);
}

/* covers: pidfd_send_signal PIDFD_SIGNAL_THREAD_GROUP PIDFD_SIGNAL_PROCESS_GROUP ESRCH EINVAL */
static void scope_may_be_another_than_the_descriptors(void **state)
{
    struct thread thread;
    int fd, leader;

    (void)state;
    thread_start(&thread);
    fd = thread_pidfd(thread.tid);
    leader = thread_pidfd(getpid());
    signal(SIGUSR1, note_thread);
    taken_by = 0;
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 2), 0);
    need(wait_until(taken_by == thread.tid || taken_by == getpid()));
    signal(SIGUSR1, SIG_DFL);
    need_eq(SYS(SYS_pidfd_send_signal, fd, 0, NULL, 4), -ESRCH); /* no group has its number */
    need_eq(SYS(SYS_pidfd_send_signal, fd, 0, NULL, 3), -EINVAL);
    need_eq(SYS(SYS_pidfd_send_signal, fd, 0, NULL, 8), -EINVAL);
    close(fd);
    close(leader);
    thread_end(&thread);
}

static int wait_in_group(void *arg)
{
    need_eq(setpgid(0, 0), 0);
    *(volatile int *)arg = 1;
    return sleep_forever(NULL);
}

/* covers: pidfd_send_signal PIDFD_SIGNAL_PROCESS_GROUP */
static void signal_reaches_the_whole_group(void **state)
{
    volatile int *leads = shared_alloc(4096);
    pid_t pid, other;
    int fd;

    (void)state;
    close(thread_pidfd(getpid()));
    pid = child_start(wait_in_group, (void *)leads);
    need(wait_until(*leads));
    other = child_start(sleep_forever, NULL);
    need_eq(setpgid(other, pid), 0);
    fd = pidfd(pid, 0);
    need_eq(SYS(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 4), 0);
    need_eq(child_end(pid), SIGTERM);
    need_eq(child_end(other), SIGTERM);
    close(fd);
}

/* covers: waitid P_PIDFD ECHILD pidfd_getfd pidfd_open PIDFD_THREAD */
static void thread_is_not_waited_for_but_has_descriptors(void **state)
{
    struct thread thread;
    siginfo_t info;
    int fd, copy;

    (void)state;
    thread_start(&thread);
    fd = thread_pidfd(thread.tid);
    need_errno(waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG), ECHILD);
    copy = (int)SYS(SYS_pidfd_getfd, fd, fd, 0);
    need(copy >= 0);
    close(copy);
    close(fd);
    thread_end(&thread);
}

static int end_at_once(void *arg)
{
    (void)arg;
    return 0;
}

static int clone_thread(void *arg)
{
    static char stack[65536] __attribute__((aligned(16)));
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    struct pollfd ready = {.fd = -1, .events = POLLIN};

    (void)arg;
    if (clone(end_at_once, stack + sizeof stack, flags | CLONE_PIDFD, NULL, &ready.fd) == -1) {
        return CHILD_SKIPPED; /* EINVAL before Linux 6.9 */
    }
    need_eq(fcntl(ready.fd, F_GETFL) & PIDFD_THREAD, PIDFD_THREAD);
    need_eq(poll(&ready, 1, PATIENCE_MS), 1);
    return 0;
}

/* covers: clone CLONE_PIDFD CLONE_THREAD */
static void new_thread_comes_with_its_descriptor(void **state)
{
    (void)state;
    child_passes(clone_thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptor_is_close_on_exec),
        cmocka_unit_test(nonblock_flag_is_kept),
        cmocka_unit_test(open_checks_pid_and_flags),
        cmocka_unit_test(descriptor_is_readable_when_the_process_has_ended),
        cmocka_unit_test(read_and_write_are_refused),
        cmocka_unit_test(zombie_can_be_opened_and_reaped_process_cannot),
        cmocka_unit_test(signal_reaches_the_process),
        cmocka_unit_test(signal_for_a_reaped_process_is_esrch),
        cmocka_unit_test(send_checks_descriptor_signal_and_flags),
        cmocka_unit_test(info_is_passed_on),
        cmocka_unit_test(signal_for_another_user_is_eperm),
        cmocka_unit_test(descriptor_of_another_process_is_fetched),
        cmocka_unit_test(getfd_checks_its_arguments),
        cmocka_unit_test(getfd_of_a_reaped_process_is_esrch),
        cmocka_unit_test(thread_needs_the_flag_of_threads),
        cmocka_unit_test(descriptor_of_a_thread_is_readable_when_that_has_ended),
        cmocka_unit_test(signal_of_a_thread_is_taken_by_it),
        cmocka_unit_test(scope_may_be_another_than_the_descriptors),
        cmocka_unit_test(signal_reaches_the_whole_group),
        cmocka_unit_test(thread_is_not_waited_for_but_has_descriptors),
        cmocka_unit_test(new_thread_comes_with_its_descriptor),
    };

    return cmocka_run_group_tests_name("process/pidfd", tests, NULL, NULL);
}
