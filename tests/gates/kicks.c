/*
 * tests/gates/kicks.c: no kick is lost. A thread is sent signals that queue, in batches of 1 to 32, each
 * batch only after the handlers of the one before have run, while it is in one of the places where a kick
 * can meet it. A lost one leaves the sender waiting: it says so after ten seconds.
 *
 * usage: kicks HOW COUNT, HOW: spin, calls, read, futex
 */
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 10 /* seconds */
#define BATCH    32

static atomic_long handled;
static int never; /* a futex word that nobody changes */
static int silent[2];

static void on_signal(int signo)
{
    handled++;
}

static void spin(void)
{
    for (volatile int i = 0; i < 1000; i++)
        ;
}

static void short_calls(void)
{
    syscall(SYS_getppid);
}

static void block_in_read(void)
{
    char byte;

    if (read(silent[0], &byte, 1) == 1)
        abort();
}

static void block_in_futex(void)
{
    syscall(SYS_futex, &never, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static const struct {
    const char *name;
    void (*run)(void);
} ways[] = {
    {"spin", spin}, {"calls", short_calls}, {"read", block_in_read}, {"futex", block_in_futex}};

static _Atomic pid_t target_tid;

static void *target(void *run)
{
    target_tid = (pid_t)syscall(SYS_gettid);
    for (;;)
        ((void (*)(void))run)();
    return NULL;
}

static int await_handler(long count)
{
    struct timespec now;
    time_t end = 0;

    for (long spins = 0; handled < count; spins++) {
        if (spins < 2000)
            continue;
        sched_yield();
        if (spins % 2000)
            continue;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (end == 0)
            end = now.tv_sec + PATIENCE;
        if (now.tv_sec > end)
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct sigaction act = {.sa_handler = on_signal}; /* no SA_RESTART: blocking calls come back */
    long count = argc == 3 ? atol(argv[2]) : 0;
    void (*run)(void) = NULL;
    long sent = 0;
    pthread_t thread;

    for (size_t i = 0; argc == 3 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, argv[1]) == 0)
            run = ways[i].run;
    if (!run || count <= 0 || pipe(silent) != 0)
        return 2;
    sigaction(SIGRTMIN, &act, NULL);
    pthread_create(&thread, NULL, target, (void *)run);
    while (!target_tid)
        sched_yield();
    while (sent < count) {
        long batch = 1 + random() % BATCH;

        for (long i = 0; i < batch && sent < count; i++, sent++)
            if (syscall(SYS_tgkill, getpid(), target_tid, SIGRTMIN) != 0)
                return 3;
        if (await_handler(sent) != 0) {
            printf("%s: a kick is lost: %ld sent, %ld handled\n", argv[1], sent, (long)handled);
            fflush(stdout);
            _exit(1);
        }
    }
    /* the target may block by now; the process ends with it */
    printf("%s: %ld sent, %ld handled\n", argv[1], sent, (long)handled);
    fflush(stdout);
    _exit(handled != count);
}
