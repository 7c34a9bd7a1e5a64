/* tcp_storm.c: many connections that end in every way while others begin; tcp(7). */
/* tags: trap */
#include "loopback.h"

#include <pthread.h>
#include <signal.h>

enum { CLIENTS = 4, ROUNDS = 150 };

static in_port_t port;

/* Whole messages or an end: what a server may see of a client that can vanish at any moment. */
static void *serve(void *arg)
{
    int listener = *(int *)arg;
    long echoed = 0;

    for (;;) {
        int fd = accept(listener, NULL, NULL);
        char text[3000];
        ssize_t n;

        if (fd < 0)
            return (void *)echoed;
        while ((n = recv(fd, text, sizeof text, 0)) > 0) {
            for (ssize_t i = 0; i < n; i++)
                if (text[i] != 'x')
                    return (void *)-1L;
            if (send(fd, text, (size_t)n, MSG_NOSIGNAL) < 0)
                break;
            echoed += n;
        }
        close(fd);
    }
}

static int echo_all(int fd)
{
    char text[5000], back[5000];

    memset(text, 'x', sizeof text);
    if (send(fd, text, sizeof text, MSG_NOSIGNAL) != sizeof text)
        return -1;
    return recv(fd, back, sizeof back, MSG_WAITALL) == sizeof back &&
                   !memcmp(text, back, sizeof back)
               ? 0
               : -1;
}

static void end_somehow(int fd, int how)
{
    struct linger now = {1, 0};
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    char c;

    switch (how % 6) {
    case 0:
        send(fd, "xx", 2, MSG_NOSIGNAL); /* its echo stays unread */
        break;
    case 1:
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        break;
    case 2:
        shutdown(fd, SHUT_WR);
        recv(fd, &c, 1, 0);
        break;
    case 3:
        connect(fd, &none, sizeof none);
        break;
    case 4:
        shutdown(fd, SHUT_RDWR);
        break;
    default:
        break;
    }
    close(fd);
}

static void *ask(void *arg)
{
    long failed = 0;

    for (int i = 0; i < ROUNDS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (fd < 0 || try_connect4(fd, INADDR_LOOPBACK, port) != 0 || echo_all(fd) != 0)
            failed++;
        end_somehow(fd, i + (int)(long)arg);
    }
    return (void *)failed;
}

/* covers: connect accept sendto recvfrom shutdown close */
static void connections_that_end_in_every_way_disturb_no_other(void **state)
{
    (void)state;
    int listener = listener4(2, &port);
    pthread_t servers[2], clients[CLIENTS];

    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&servers[i], NULL, serve, &listener), 0);
    for (long i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&clients[i], NULL, ask, (void *)i), 0);
    for (int i = 0; i < CLIENTS; i++) {
        void *failed;

        pthread_join(clients[i], &failed);
        assert_int_equal((long)failed, 0);
    }
    must(shutdown(listener, SHUT_RD));
    for (int i = 0; i < 2; i++) {
        void *echoed;

        pthread_join(servers[i], &echoed);
        assert_true((long)echoed > 0);
    }
    must(close(listener));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_that_end_in_every_way_disturb_no_other),
    };

    return cmocka_run_group_tests_name("net/tcp_storm", tests, NULL, NULL);
}
