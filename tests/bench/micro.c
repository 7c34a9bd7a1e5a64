/*
 * tests/bench/micro.c: times single operations of the kernel that it runs on.
 *
 * `micro` prints a line NAME NANOSECONDS for each; `micro NAME…` only these. An operation is repeated
 * until the clock has something to measure; the best of a few rounds counts, since everything else on
 * the machine only ever adds.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS   5
#define ROUND_NS 20000000 /* a round lasts at least this long */

extern char **environ;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static long must(long result, const char *what)
{
    if (result == -1)
        die(what);
    return result;
}

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- calls ---- */

static void bench_getppid(long n)
{
    while (n--)
        syscall(SYS_getppid);
}

static void bench_clock(long n)
{
    struct timespec t;

    while (n--)
        clock_gettime(CLOCK_MONOTONIC, &t);
}

static void read_file(long n, size_t size)
{
    static char buffer[65536];
    char path[] = "/tmp/bench-XXXXXX";
    int fd = (int)must(mkstemp(path), "mkstemp");

    must(unlink(path), "unlink");
    must(write(fd, buffer, size), "write");
    while (n--)
        must(pread(fd, buffer, size, 0), "pread");
    close(fd);
}

static void bench_read_1(long n)
{
    read_file(n, 1);
}

static void bench_read_64k(long n)
{
    read_file(n, 65536);
}

static void bench_open_close(long n)
{
    while (n--)
        close((int)must(open("/etc/passwd", O_RDONLY), "open"));
}

static void bench_stat(long n)
{
    struct stat st;

    while (n--)
        must(stat("/usr/bin/env", &st), "stat");
}

static void bench_create_unlink(long n)
{
    while (n--) {
        close((int)must(open("/tmp/bench-file", O_CREAT | O_RDWR, 0600), "open"));
        must(unlink("/tmp/bench-file"), "unlink");
    }
}

/* ---- two that talk ---- */

static void ping_pong(long n, int to[2], int back[2])
{
    char byte = 0;
    pid_t pid = (pid_t)must(fork(), "fork");

    if (pid == 0) {
        for (long i = 0; i < n; i++) {
            must(read(to[0], &byte, 1), "read");
            must(write(back[1], &byte, 1), "write");
        }
        _exit(0);
    }
    for (long i = 0; i < n; i++) {
        must(write(to[1], &byte, 1), "write");
        must(read(back[0], &byte, 1), "read");
    }
    must(waitpid(pid, NULL, 0), "waitpid");
}

static void bench_pipe(long n)
{
    int to[2], back[2];

    must(pipe(to), "pipe");
    must(pipe(back), "pipe");
    ping_pong(n, to, back);
    for (int i = 0; i < 2; i++) {
        close(to[i]);
        close(back[i]);
    }
}

static void bench_unix(long n)
{
    int pair[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
    int to[2] = {pair[0], pair[1]}, back[2] = {pair[1], pair[0]};
    ping_pong(n, to, back);
    close(pair[0]);
    close(pair[1]);
}

struct turns {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long turn;
    long count;
};

static void take_turns(struct turns *turns, int me)
{
    pthread_mutex_lock(&turns->lock);
    for (long i = 0; i < turns->count; i++) {
        while (turns->turn % 2 != me)
            pthread_cond_wait(&turns->changed, &turns->lock);
        turns->turn++;
        pthread_cond_signal(&turns->changed);
    }
    pthread_mutex_unlock(&turns->lock);
}

static void *second(void *turns)
{
    take_turns(turns, 1);
    return NULL;
}

static void bench_futex(long n)
{
    struct turns turns = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, n};
    pthread_t thread;

    if (pthread_create(&thread, NULL, second, &turns) != 0)
        die("pthread_create");
    take_turns(&turns, 0);
    pthread_join(thread, NULL);
}

static void bench_epoll(long n)
{
    int epoll = (int)must(epoll_create1(0), "epoll_create1");
    int event = (int)must(eventfd(1, 0), "eventfd");
    struct epoll_event e = {.events = EPOLLIN};

    must(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &e), "epoll_ctl");
    while (n--)
        must(epoll_wait(epoll, &e, 1, -1), "epoll_wait");
    close(event);
    close(epoll);
}

/* ---- processes and threads ---- */

static void bench_fork(long n)
{
    while (n--) {
        pid_t pid = (pid_t)must(fork(), "fork");
        if (pid == 0)
            _exit(0);
        must(waitpid(pid, NULL, 0), "waitpid");
    }
}

static void bench_spawn(long n)
{
    char *argv[] = {"/bin/true", NULL};

    while (n--) {
        pid_t pid;

        if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0)
            die("posix_spawn");
        must(waitpid(pid, NULL, 0), "waitpid");
    }
}

static void *nothing(void *arg)
{
    return arg;
}

static void bench_thread(long n)
{
    while (n--) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, nothing, NULL) != 0)
            die("pthread_create");
        pthread_join(thread, NULL);
    }
}

static void on_signal(int sig)
{
}

static void bench_signal(long n)
{
    signal(SIGUSR1, on_signal);
    while (n--)
        must(raise(SIGUSR1), "raise");
}

/* ---- memory ---- */

static void bench_touch(long n)
{
    size_t size = (size_t)n * 4096;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        die("mmap");
    for (size_t at = 0; at < size; at += 4096)
        memory[at] = 1;
    munmap(memory, size);
}

static void bench_mmap(long n)
{
    while (n--) {
        void *memory =
            mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
            die("mmap");
        munmap(memory, 65536);
    }
}

static const struct bench {
    const char *name;
    void (*run)(long n);
    long most; /* operations in a round, 0: any number */
} benches[] = {
    {"getppid", bench_getppid, 0},
    {"clock_gettime", bench_clock, 0},
    {"pread_1", bench_read_1, 0},
    {"pread_64k", bench_read_64k, 0},
    {"open_close", bench_open_close, 0},
    {"stat", bench_stat, 0},
    {"create_unlink", bench_create_unlink, 0},
    {"epoll_wait_ready", bench_epoll, 0},
    {"signal_self", bench_signal, 0},
    {"mmap_munmap", bench_mmap, 0},
    {"first_touch_page", bench_touch, 16384},
    {"pipe_round_trip", bench_pipe, 0},
    {"unix_round_trip", bench_unix, 0},
    {"condvar_round_trip", bench_futex, 0},
    {"thread_create_join", bench_thread, 0},
    {"fork_exit_wait", bench_fork, 0},
    {"spawn_true", bench_spawn, 0},
};

static double measure(const struct bench *bench)
{
    double best = 0;
    long n = 1;

    for (int round = 0; round < ROUNDS;) {
        uint64_t start = now();
        bench->run(n);
        uint64_t spent = now() - start;

        if (spent < ROUND_NS && (!bench->most || n < bench->most)) {
            n *= spent > ROUND_NS / 8 ? 2 : 4;
            if (bench->most && n > bench->most)
                n = bench->most;
            continue;
        }
        double each = (double)spent / (double)n;
        if (round++ == 0 || each < best)
            best = each;
    }
    return best;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++) {
        bool wanted = argc == 1;

        for (int arg = 1; arg < argc; arg++)
            wanted |= strcmp(argv[arg], benches[i].name) == 0;
        if (!wanted)
            continue;
        /* A child of its own for each: what one does to the process must not slow the next. */
        pid_t pid = (pid_t)must(fork(), "fork");
        if (pid == 0) {
            printf("%s %.1f\n", benches[i].name, measure(&benches[i]));
            fflush(stdout);
            _exit(0);
        }
        must(waitpid(pid, NULL, 0), "waitpid");
    }
    return 0;
}
