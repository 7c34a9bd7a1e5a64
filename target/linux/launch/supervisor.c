/* target/linux/launch/supervisor.c: see supervisor.h. */
#include "supervisor.h"

#include "image.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static struct {
    struct target_shared *shared;
    struct termios modes; /* of the terminal on descriptor tty, as we found it */
    int tty;              /* -1: none */
} supervisor;

/* --- the terminal ------------------------------------------------------------------------------------- */

static void terminal_remember(void)
{
    supervisor.tty = -1;
    for (int fd = 0; fd < 3; fd++)
        if (tcgetattr(fd, &supervisor.modes) == 0) {
            supervisor.tty = fd;
            return;
        }
}

static void terminal_restore(void)
{
    if (supervisor.tty >= 0 && tcgetpgrp(supervisor.tty) == getpgrp())
        tcsetattr(supervisor.tty, TCSADRAIN, &supervisor.modes);
}

/* --- host processes ------------------------------------------------------------------------------------- */

static void each_process(int signo)
{
    for (int i = 0; i < MAX_SPACES; i++) {
        struct target_space *space = &supervisor.shared->spaces[i];
        pid_t pid = __atomic_load_n(&space->host_pid, __ATOMIC_ACQUIRE);

        if (__atomic_load_n(&space->state, __ATOMIC_ACQUIRE) != SPACE_FREE && pid > 0)
            kill(pid, signo);
    }
}

static struct target_space *space_of(pid_t pid)
{
    for (int i = 0; i < MAX_SPACES; i++) {
        struct target_space *space = &supervisor.shared->spaces[i];
        if (__atomic_load_n(&space->state, __ATOMIC_ACQUIRE) != SPACE_FREE &&
            space->host_pid == pid)
            return space;
    }
    return NULL;
}

/* Ends every host process and waits for it; new ones cannot appear once the zygote is gone and all got the signal. */
static void end_all(void)
{
    kill(supervisor.shared->zygote_pid, SIGKILL);
    for (;;) {
        pid_t pid;

        each_process(SIGKILL);
        while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
            ;
        if (pid < 0)
            return;
        struct timespec moment = {0, 500000};
        sigset_t chld;
        sigemptyset(&chld);
        sigaddset(&chld, SIGCHLD);
        sigtimedwait(&chld, NULL, &moment);
    }
}

static void post_event(uint32_t event)
{
    struct target_shared *shared = supervisor.shared;
    uint32_t head = shared->event_head;

    if (head - __atomic_load_n(&shared->event_tail, __ATOMIC_ACQUIRE) >= EVENT_RING)
        return; /* signals that nobody takes: as with Linux, equal ones merge */
    shared->events[head % EVENT_RING] = event;
    __atomic_store_n(&shared->event_head, head + 1, __ATOMIC_RELEASE);
    __atomic_fetch_add(&shared->service_word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &shared->service_word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* A host process that ends without having said so takes the instance with it. True: the instance is over. */
static bool reap(int *status_out)
{
    struct target_shared *shared = supervisor.shared;
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        struct target_space *space = space_of(pid);

        if (__atomic_load_n(&shared->ended, __ATOMIC_SEQ_CST))
            break;
        if (space && __atomic_load_n(&space->state, __ATOMIC_ACQUIRE) == SPACE_LEAVING) {
            space->host_pid = 0;
            __atomic_store_n(&space->state, SPACE_FREE, __ATOMIC_RELEASE);
            continue;
        }
        if (pid == shared->zygote_pid && WIFEXITED(status) && WEXITSTATUS(status) == 125) {
            *status_out = 125; /* it has said why */
            return true;
        }
        if (WIFSIGNALED(status))
            launch_complain("a process of this instance (host pid %d%s) was killed from outside by "
                            "signal %d (%s); the instance ends",
                            pid, pid == shared->zygote_pid ? ", the zygote" : "", WTERMSIG(status),
                            strsignal(WTERMSIG(status)));
        else
            launch_complain(
                "a process of this instance (host pid %d) ended unexpectedly with status "
                "%d; the instance ends",
                pid, WEXITSTATUS(status));
        *status_out = 125;
        return true;
    }
    return __atomic_load_n(&shared->ended, __ATOMIC_SEQ_CST);
}

/* --- stop and continue ----------------------------------------------------------------------------------- */

/* The main program has stopped: to whoever started us it is this process that stops. */
static void suspend(void)
{
    struct termios now;
    bool have = supervisor.tty >= 0 && tcgetattr(supervisor.tty, &now) == 0;

    each_process(SIGSTOP);
    terminal_restore();
    raise(SIGSTOP); /* SIGCONT brings us back here */
    if (have)
        tcsetattr(supervisor.tty, TCSADRAIN, &now);
    each_process(SIGCONT);
}

/* --- signals ---------------------------------------------------------------------------------------------- */

static bool from_terminal(const siginfo_t *info)
{
    return info->si_code == SI_KERNEL;
}

void call_on_stack(void *stack_top, void (*fn)(void));

/* The kernel's own report, in this process and on a kernel stack that is kept for it. */
static void report(struct target_shared *shared)
{
    struct target_thread *thread = (void *)(shared->report_stack - TARGET_STACK_SIZE);

    thread->host_pid = shared->supervisor_pid;
    thread->host_tid = shared->supervisor_pid;
    call_on_stack((void *)shared->report_stack, (void (*)(void))shared->report_entry);
}

static void forward(const siginfo_t *info)
{
    int signo = info->si_signo;

    if (signo == SIGQUIT && !from_terminal(info)) {
        report(supervisor.shared);
        return;
    }
    post_event(
        (from_terminal(info) && signo != SIGHUP ? TARGET_EVENT_TTY_SIGNAL : TARGET_EVENT_SIGNAL) +
        (uint32_t)signo);
}

void supervisor_prepare(struct target_shared *shared)
{
    supervisor.shared = shared;
    terminal_remember();
}

static int exit_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int supervisor_run(struct target_shared *shared)
{
    int status = 0;
    sigset_t all;

    sigfillset(&all);
    for (;;) {
        siginfo_t info;

        if (reap(&status))
            break;
        if (__atomic_exchange_n(&shared->suspend, 0, __ATOMIC_SEQ_CST))
            suspend();
        if (sigwaitinfo(&all, &info) < 0)
            continue;
        switch (info.si_signo) {
        case SIGCHLD:
        case SIGURG:
            break;
        default:
            forward(&info);
        }
    }
    if (shared->panicked)
        status = 125;
    else if (shared->ended)
        status = exit_status(shared->exit_status);
    end_all();
    terminal_restore();
    return status;
}
