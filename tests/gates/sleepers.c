/*
 * sleepers.c: three threads wait for standard input, and each for a pipe of its own: by poll, by epoll, and by an epoll
 * instance inside another one. The pipe ends the wait of the first; what comes on standard input ends those of the others.
 */
#include <err.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

static int pipes[3][2];

static int watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    int ep = epoll_create1(0);

    if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) != 0)
        err(1, "epoll");
    return ep;
}

static void *by_poll(void *arg)
{
    int mine = pipes[(long)arg][0];
    struct pollfd fds[2] = {{.fd = 0, .events = POLLIN}, {.fd = mine, .events = POLLIN}};

    if (poll(fds, 2, -1) != 1)
        err(1, "poll");
    return (void *)(long)(fds[0].revents ? 0 : mine);
}

static void *by_epoll(void *arg)
{
    int mine = pipes[(long)arg][0], ep = watch(mine);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = 0}, got;

    if (epoll_ctl(ep, EPOLL_CTL_ADD, 0, &event) != 0 || epoll_wait(ep, &got, 1, -1) != 1)
        err(1, "epoll_wait");
    return (void *)(long)got.data.fd;
}

static void *by_nested_epoll(void *arg)
{
    struct pollfd fd = {.fd = watch(watch(0)), .events = POLLIN};

    if (poll(&fd, 1, -1) != 1)
        err(1, "poll");
    return NULL;
}

int main(void)
{
    pthread_t threads[3];
    void *which;

    for (int i = 0; i < 3; i++)
        if (pipe(pipes[i]) != 0)
            err(1, "pipe");
    for (long round = 0; round < 2; round++) {
        pthread_create(&threads[0], NULL, round ? by_epoll : by_poll, (void *)0);
        pthread_create(&threads[1], NULL, round ? by_poll : by_epoll, (void *)1);
        pthread_create(&threads[2], NULL, by_nested_epoll, (void *)2);
        if (write(pipes[0][1], "x", 1) != 1 || pthread_join(threads[0], &which) || !which)
            errx(1, "the first waited for something else");
        puts("one has gone");
        fflush(stdout);
        for (int i = 1; i < 3; i++)
            if (pthread_join(threads[i], &which) || which)
                errx(1, "the others waited for something else");
        char c;
        if (read(pipes[0][0], &c, 1) != 1 || read(0, &c, 1) != 1)
            err(1, "read");
        puts("all have gone");
        fflush(stdout);
    }
    return 0;
}
