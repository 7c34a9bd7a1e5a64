/* child.c: conditions that hold in any process, raw calls, and turns between processes. */
#include "child.h"

#include <poll.h>
#include <sched.h>
#include <sys/resource.h>

static pid_t main_pid; /* constant once main() runs */

__attribute__((constructor)) static void remember_main(void)
{
    main_pid = (pid_t)SYS(SYS_getpid);
}

static void fail_here(const char *file, int line, const char *text)
{
    dprintf(STDERR_FILENO, "%s:%d: [%ld] %s\n", file, line, SYS(SYS_getpid), text);
    if (SYS(SYS_getpid) == main_pid && SYS(SYS_gettid) == main_pid) {
        _fail(file, line);
    }
    SYS(SYS_exit_group, CHILD_FAILED);
    __builtin_unreachable();
}

void need_failed(const char *file, int line, const char *what)
{
    char text[300];

    snprintf(text, sizeof text, "not so: %s (errno %d)", what, errno);
    fail_here(file, line, text);
}

void need_equal(const char *file, int line, const char *what, long got, long want)
{
    char text[300];

    if (got == want) {
        return;
    }
    snprintf(text, sizeof text, "not so: %s: %ld (0x%lx), not %ld (0x%lx); errno %d", what, got,
             (unsigned long)got, want, (unsigned long)want, errno);
    fail_here(file, line, text);
}

/* The signals that cmocka handles in the test's own process end a child as they should. */
static void plain_signals(void)
{
    static const int handled[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS};
    struct rlimit no_core = {0, 0};

    for (size_t i = 0; i < ARRAY_LEN(handled); i++) {
        signal(handled[i], SIG_DFL);
    }
    setrlimit(RLIMIT_CORE, &no_core);
}

pid_t child_start(int (*body)(void *), void *arg)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    need(pid >= 0);
    if (pid == 0) {
        plain_signals();
        _exit(body(arg));
    }
    return pid;
}

/* A child that does not end in time is killed, so that the cases that follow can still run. */
int child_end(pid_t pid)
{
    int64_t end = now_ms() + PATIENCE_MS;
    int status = -1, looks = 0;
    pid_t got;

    while ((got = waitpid(pid, &status, WNOHANG)) == 0 || (got == -1 && errno == EINTR)) {
        if (now_ms() > end) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            need(!"the child ended in time");
        }
        if (looks++ < 100) {
            sched_yield();
        } else {
            nap();
        }
    }
    need_eq(got, pid);
    return status;
}

int child_status(int (*body)(void *), void *arg)
{
    return child_end(child_start(body, arg));
}

void child_verdict(const char *file, int line, int (*body)(void *), void *arg)
{
    int status = child_status(body, arg);

    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPPED) {
        if (SYS(SYS_getpid) != main_pid) {
            _exit(CHILD_SKIPPED);
        }
        print_message("skipped: the child found nothing to test\n");
        skip();
    }
    need_equal(file, line, "wait status of the child", status, 0);
}

int exit_with(void *arg)
{
    return (int)(intptr_t)arg;
}

int sleep_forever(void *arg)
{
    (void)arg;
    while (pause() == -1) {
        continue;
    }
    return CHILD_FAILED;
}

char task_state(pid_t pid, pid_t tid)
{
    char path[64], text[512];
    ssize_t got;
    char *end;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0) {
        return 0;
    }
    text[got] = 0;
    end = strrchr(text, ')');
    return end && end[1] == ' ' ? end[2] : 0;
}

bool task_sleeps(pid_t pid, pid_t tid)
{
    return wait_until(task_state(pid, tid) != 'R' && task_state(pid, tid) != 'D');
}

void turn_init(struct turn *turn)
{
    need_eq(pipe2(turn->fd, O_CLOEXEC), 0);
}

void turn_give(struct turn *turn)
{
    need_eq(write(turn->fd[1], "", 1), 1);
}

void turn_await(struct turn *turn)
{
    struct pollfd ready = {.fd = turn->fd[0], .events = POLLIN};
    char byte;
    int got;

    do {
        got = poll(&ready, 1, PATIENCE_MS);
    } while (got == -1 && errno == EINTR);
    need_eq(got, 1);
    need_eq(read(turn->fd[0], &byte, 1), 1);
}

void turn_close(struct turn *turn)
{
    close(turn->fd[0]);
    close(turn->fd[1]);
}
