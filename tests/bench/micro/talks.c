/* tests/bench/micro/talks.c: two processes that talk: round trips of a byte, and streams. */
#include "micro.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* The two ends of a talk. A pair of pipes is told from a socket by its second descriptors. */
struct talk {
    int here[2], there[2]; /* each: what to read from, what to write to */
};

static void hang_up(const int end[2])
{
    close(end[0]);
    if (end[1] != end[0])
        close(end[1]);
}

static void over_pipes(struct talk *talk)
{
    int to[2], back[2];

    must(pipe(to), "pipe");
    must(pipe(back), "pipe");
    *talk = (struct talk){{back[0], to[1]}, {to[0], back[1]}};
}

static void over_unix(struct talk *talk)
{
    int pair[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
    *talk = (struct talk){{pair[0], pair[0]}, {pair[1], pair[1]}};
}

static void over_tcp(struct talk *talk)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket"), one = 1;

    must(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
    must(listen(listener, 1), "listen");
    must(getsockname(listener, (struct sockaddr *)&address, &length), "getsockname");
    int here = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    must(connect(here, (struct sockaddr *)&address, sizeof address), "connect");
    int there = (int)must(accept(listener, NULL, NULL), "accept");
    close(listener);
    must(setsockopt(here, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "TCP_NODELAY");
    must(setsockopt(there, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "TCP_NODELAY");
    *talk = (struct talk){{here, here}, {there, there}};
}

static void answer(const int end[2], long n)
{
    char byte;

    while (n--) {
        must(read(end[0], &byte, 1), "read");
        must(write(end[1], &byte, 1), "write");
    }
}

static void ask(const int end[2], long n)
{
    char byte = 0;

    while (n--) {
        must(write(end[1], &byte, 1), "write");
        must(read(end[0], &byte, 1), "read");
    }
}

static char block[65536];

static void swallow(const int end[2], long n)
{
    for (long left = n * (long)sizeof block; left > 0;)
        left -= must(read(end[0], block, sizeof block), "read");
    must(write(end[1], block, 1), "write");
}

static void pour(const int end[2], long n)
{
    for (long left = n * (long)sizeof block; left > 0;)
        left -= must(write(end[1], block, left < (long)sizeof block ? (size_t)left : sizeof block),
                     "write");
    must(read(end[0], block, 1), "read");
}

static void talk_about(long n, void (*connect_both)(struct talk *),
                       void (*here)(const int[2], long), void (*there)(const int[2], long))
{
    struct talk talk;
    int status;

    connect_both(&talk);
    pid_t pid = (pid_t)must(fork(), "fork");
    if (pid == 0) {
        hang_up(talk.here);
        there(talk.there, n);
        _exit(0);
    }
    hang_up(talk.there);
    timing_starts();
    here(talk.here, n);
    timing_ends();
    must(waitpid(pid, &status, 0), "waitpid");
    hang_up(talk.here);
    if (status)
        exit(1);
}

static void pipe_round(long n, long size)
{
    talk_about(n, over_pipes, ask, answer);
}

static void unix_round(long n, long size)
{
    talk_about(n, over_unix, ask, answer);
}

static void tcp_round(long n, long size)
{
    talk_about(n, over_tcp, ask, answer);
}

static void pipe_stream(long n, long size)
{
    talk_about(n, over_pipes, pour, swallow);
}

static void unix_stream(long n, long size)
{
    talk_about(n, over_unix, pour, swallow);
}

static void tcp_stream(long n, long size)
{
    talk_about(n, over_tcp, pour, swallow);
}

const struct bench bench_talks[] = {
    {"pipe_round_trip", pipe_round, 0, 0},
    {"unix_round_trip", unix_round, 0, 0},
    {"tcp_round_trip", tcp_round, 0, 0},
    {"pipe_64k", pipe_stream, 0, 0},
    {"unix_64k", unix_stream, 0, 0},
    {"tcp_64k", tcp_stream, 0, 0},
    {0},
};
