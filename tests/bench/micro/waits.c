/* tests/bench/micro/waits.c: poll, epoll, futexes and the locks that are made of them. */
#include "micro.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#define THREADS_MAX 32

static void need_descriptors(long n)
{
    struct rlimit limit;

    must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    if (limit.rlim_cur < (rlim_t)n + 16) {
        limit.rlim_cur = limit.rlim_max;
        must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    }
}

static void poll_idle(long n, long size)
{
    struct pollfd *fds = calloc((size_t)size, sizeof *fds);

    need_descriptors(size);
    for (long i = 0; i < size; i++)
        fds[i] = (struct pollfd){.fd = (int)must(eventfd(0, 0), "eventfd"), .events = POLLIN};
    timing_starts();
    while (n--)
        must(poll(fds, (nfds_t)size, 0), "poll");
    timing_ends();
    for (long i = 0; i < size; i++)
        close(fds[i].fd);
    free(fds);
}

/* One that is ready among so many that are not. */
static void epoll_one(long n, long size)
{
    int *idle = calloc((size_t)size, sizeof *idle);
    int epoll = (int)must(epoll_create1(0), "epoll_create1");
    struct epoll_event event = {.events = EPOLLIN};

    need_descriptors(size);
    for (long i = 0; i < size; i++) {
        idle[i] = (int)must(eventfd(0, 0), "eventfd");
        must(epoll_ctl(epoll, EPOLL_CTL_ADD, idle[i], &event), "epoll_ctl");
    }
    int ready = (int)must(eventfd(1, 0), "eventfd");
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, ready, &event), "epoll_ctl");
    timing_starts();
    while (n--)
        must(epoll_wait(epoll, &event, 1, -1), "epoll_wait");
    timing_ends();
    for (long i = 0; i < size; i++)
        close(idle[i]);
    close(ready);
    close(epoll);
    free(idle);
}

/* ---- futexes ---- */

struct turns {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long turn, count;
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

static void start(pthread_t *thread, void *(*body)(void *), void *arg)
{
    if (pthread_create(thread, NULL, body, arg) != 0) {
        fputs("pthread_create\n", stderr);
        exit(1);
    }
}

static void condvar_round(long n, long size)
{
    struct turns turns = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, n};
    pthread_t thread;

    timing_starts();
    start(&thread, second, &turns);
    take_turns(&turns, 0);
    pthread_join(thread, NULL);
    timing_ends();
}

struct counter {
    pthread_mutex_t lock;
    long left;
    volatile long spent; /* what the lock protects takes a moment */
};

static void *count_down(void *arg)
{
    struct counter *counter = arg;
    long left;

    do {
        pthread_mutex_lock(&counter->lock);
        left = counter->left--;
        counter->spent++;
        pthread_mutex_unlock(&counter->lock);
    } while (left > 0);
    return NULL;
}

static void contended_mutex(long n, long size)
{
    struct counter counter = {PTHREAD_MUTEX_INITIALIZER, n, 0};
    pthread_t threads[THREADS_MAX];

    timing_starts();
    for (long i = 0; i < size; i++)
        start(&threads[i], count_down, &counter);
    for (long i = 0; i < size; i++)
        pthread_join(threads[i], NULL);
    timing_ends();
}

const struct bench bench_waits[] = {
    {"poll_10", poll_idle, 10, 0},
    {"poll_1000", poll_idle, 1000, 0},
    {"epoll_10", epoll_one, 10, 0},
    {"epoll_10000", epoll_one, 10000, 0},
    {"condvar_round_trip", condvar_round, 0, 0},
    {"mutex_2_threads", contended_mutex, 2, 0},
    {"mutex_4_threads", contended_mutex, 4, 0},
    {"mutex_8_threads", contended_mutex, 8, 0},
    {"mutex_16_threads", contended_mutex, 16, 0},
    {"mutex_32_threads", contended_mutex, THREADS_MAX, 0},
    {0},
};
