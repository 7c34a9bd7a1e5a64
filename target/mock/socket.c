/*
 * target/mock/socket.c: the host's network. Everybody there answers alike: port 7 sends back what it gets, port 9 takes its
 * time to connect and then does the same, and at any other port nobody listens. Who connects to a published port sends a
 * text first, and then back what it gets.
 */
#include "internal.h"

#include <arpa/inet.h>
#include <linux/poll.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FIRST   4096 /* descriptors of sockets; those of files lie below */
#define SOCKETS 64
#define ROOM    4096 /* bytes that one holds for its reader */
#define ECHO    7
#define SLOW    9

struct mock_socket {
    bool used, listening, connected, connecting, ended;
    int waits_at; /* the listening socket that has not accepted this one; 0: none */
    int family, type, error;
    struct target_address local, peer;
    uint32_t n; /* bytes of a stream, or of the one datagram that waits */
    bool full;  /* a datagram waits */
    char data[ROOM];
};

static struct {
    pthread_mutex_t lock; /* all below */
    struct mock_socket at[SOCKETS];
} sockets = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void lock(void)
{
    pthread_mutex_lock(&sockets.lock);
}

static void unlock(void)
{
    pthread_mutex_unlock(&sockets.lock);
}

static struct mock_socket *socket_at(int file)
{
    struct mock_socket *s =
        file >= FIRST && file < FIRST + SOCKETS ? &sockets.at[file - FIRST] : NULL;

    return s && s->used ? s : NULL;
}

void sockets_reset(void)
{
    memset(sockets.at, 0, sizeof(sockets.at));
}

bool socket_close(int file)
{
    struct mock_socket *s;

    lock();
    s = socket_at(file);
    if (s)
        s->used = false;
    unlock();
    return s;
}

/* The first connection that has come there; NULL: none. */
static struct mock_socket *waiting_locked(int file)
{
    for (int i = 0; i < SOCKETS; i++)
        if (sockets.at[i].used && sockets.at[i].waits_at == file)
            return &sockets.at[i];
    return NULL;
}

int socket_ready(int file)
{
    struct mock_socket *s;
    int bits = POLLNVAL;

    lock();
    s = socket_at(file);
    if (s)
        bits = (s->n || s->full || s->ended || waiting_locked(file) ? POLLIN : 0) |
               (s->error ? POLLERR : 0) | (s->connecting || s->listening ? 0 : POLLOUT);
    unlock();
    return bits;
}

uint64_t sockets_open_count(void)
{
    uint64_t count = 0;

    lock();
    for (int i = 0; i < SOCKETS; i++)
        count += sockets.at[i].used && !sockets.at[i].waits_at;
    unlock();
    return count;
}

static int create_locked(int family, int type)
{
    for (int i = 0; i < SOCKETS; i++) {
        if (!sockets.at[i].used) {
            sockets.at[i] = (struct mock_socket){.used = true, .family = family, .type = type};
            sockets.at[i].local.family = (uint16_t)family;
            return FIRST + i;
        }
    }
    return -EMFILE;
}

static int create(int family, int type)
{
    int file;

    if (family != AF_INET && family != AF_INET6)
        return -EAFNOSUPPORT;
    lock();
    file = create_locked(family, type);
    unlock();
    return file;
}

int target_socket_open(int family, int type)
{
    RESULT(socket_open, request_fails("socket", ASKER) ? -ENFILE : create(family, type));
}

int target_socket_bind(int file, const struct target_address *address)
{
    struct mock_socket *s;
    int err = -EBADF;

    sent_show(address, sizeof(*address));
    lock();
    s = socket_at(file);
    if (s) {
        s->local = *address;
        err = 0;
    }
    unlock();
    RESULT(socket_bind, err);
}

/* --- connections from outside ---------------------------------------------------------------------------- */

int socket_publish(uint16_t port)
{
    int file = create(AF_INET, SOCK_STREAM);

    if (file < 0)
        abort();
    sockets.at[file - FIRST].local =
        (struct target_address){.family = AF_INET, .port = port, .ip = {192, 0, 2, 2}};
    return file;
}

int target_socket_listen(int file, int backlog)
{
    struct mock_socket *s;

    lock();
    s = socket_at(file);
    if (s)
        s->listening = true;
    unlock();
    RESULT(socket_listen, s ? 0 : -EBADF);
}

static int listener_locked(uint16_t port)
{
    for (int i = 0; i < SOCKETS; i++)
        if (sockets.at[i].used && sockets.at[i].listening && sockets.at[i].local.port == port)
            return FIRST + i;
    return -ECONNREFUSED;
}

int mock_host_connect(uint16_t port, const char *text)
{
    int listener, file;

    lock();
    listener = listener_locked(port);
    file = listener < 0 ? listener : create_locked(AF_INET, SOCK_STREAM);
    if (file >= 0) {
        struct mock_socket *s = &sockets.at[file - FIRST];

        s->connected = true;
        s->waits_at = listener;
        s->local = sockets.at[listener - FIRST].local;
        s->peer = (struct target_address){
            .family = AF_INET, .port = (uint16_t)(50000 + file - FIRST), .ip = {203, 0, 113, 1}};
        s->n = (uint32_t)strnlen(text, ROOM);
        memcpy(s->data, text, s->n);
    }
    unlock();
    if (file < 0)
        return file;
    ready_news(listener);
    return 0;
}

int target_socket_accept(int file, struct target_address *peer)
{
    struct mock_socket *s;
    int got = -EAGAIN;

    lock();
    s = waiting_locked(file);
    if (s) {
        s->waits_at = 0;
        *peer = s->peer;
        got = FIRST + (int)(s - sockets.at);
    }
    unlock();
    if (got >= 0) {
        OFFER(socket_accept, family, peer->family);
        OFFER(socket_accept, port, peer->port);
        OFFER(socket_accept, scope, peer->scope);
        OFFER(socket_accept, ip, peer->ip);
    }
    RESULT(socket_accept, got);
}

/* --- and to it -------------------------------------------------------------------------------------------- */

static int connect_to(struct mock_socket *s, const struct target_address *to)
{
    s->peer = *to;
    if (s->type == SOCK_DGRAM) {
        s->connected = to->family != 0;
        return 0;
    }
    if (s->connecting) {
        s->connecting = false;
        s->connected = true;
        return 0;
    }
    if (s->connected)
        return -EISCONN;
    s->connected = to->port == ECHO;
    s->connecting = to->port == SLOW;
    return s->connected ? 0 : s->connecting ? -EINPROGRESS : -ECONNREFUSED;
}

int target_socket_connect(int file, const struct target_address *to)
{
    struct mock_socket *s;
    int err = -EBADF;

    sent_show(to, sizeof(*to));
    lock();
    s = socket_at(file);
    if (s) {
        err = connect_to(s, to);
        if (err == -EINPROGRESS) { /* and as soon as anybody looks it is there */
            s->connecting = false;
            s->connected = true;
        }
    }
    unlock();
    if (s)
        ready_news(file);
    RESULT(socket_connect, err);
}

int target_socket_name(int file, bool peer, struct target_address *out)
{
    struct mock_socket *s;
    int err = -EBADF;

    lock();
    s = socket_at(file);
    if (s) {
        *out = peer ? s->peer : s->local;
        out->family = (uint16_t)s->family;
        if (!peer && !out->port)
            out->port = (uint16_t)(40000 + file - FIRST);
        err = peer && !s->connected ? -ENOTCONN : 0;
    }
    unlock();
    if (!err) {
        OFFER(socket_name, family, out->family);
        OFFER(socket_name, port, out->port);
        OFFER(socket_name, scope, out->scope);
        OFFER(socket_name, ip, out->ip);
    }
    RESULT(socket_name, err);
}

/* What is sent comes back, as far as there is room. */
static int64_t echo(struct mock_socket *s, const void *from, size_t len,
                    const struct target_address *to)
{
    uint16_t port = to ? to->port : s->peer.port;

    if (s->type == SOCK_STREAM) {
        if (!s->connected)
            return -ENOTCONN;
        if (s->ended)
            return -EPIPE;
        if (s->n == ROOM)
            return -EAGAIN;
        len = len < ROOM - s->n ? len : ROOM - s->n;
        memcpy(s->data + s->n, from, len);
        s->n += (uint32_t)len;
        return (int64_t)len;
    }
    if (!to && !s->connected)
        return -EDESTADDRREQ;
    if (port == ECHO && !s->full && len <= ROOM) {
        memcpy(s->data, from, len);
        s->n = (uint32_t)len;
        s->full = true;
        if (to)
            s->peer = *to;
    }
    return (int64_t)len;
}

int64_t target_socket_send(int file, const void *from, size_t len, int flags,
                           const struct target_address *to)
{
    struct mock_socket *s;
    int64_t put = -EBADF;

    sent_show(from, len);
    if (to)
        sent_show(to, sizeof(*to));
    lock();
    s = socket_at(file);
    if (s)
        put = echo(s, from, len, to);
    unlock();
    if (put >= 0)
        ready_news(file);
    RESULT(socket_send, put);
}

static int64_t receive(struct mock_socket *s, void *to, size_t len, bool peek)
{
    int64_t got = s->n;
    size_t n = len < s->n ? len : s->n;

    if (s->type == SOCK_STREAM ? !s->n : !s->full)
        return s->ended ? 0 : -EAGAIN;
    memcpy(to, s->data, n);
    if (s->type == SOCK_STREAM)
        got = (int64_t)n;
    if (peek)
        return got;
    if (s->type == SOCK_STREAM)
        memmove(s->data, s->data + n, s->n - n);
    s->n = s->type == SOCK_STREAM ? s->n - (uint32_t)n : 0;
    s->full = false;
    return got;
}

int64_t target_socket_receive(int file, void *to, size_t len, int flags,
                              struct target_address *from)
{
    struct mock_socket *s;
    int64_t got = -EBADF;

    lock();
    s = socket_at(file);
    if (s) {
        got = receive(s, to, len, flags & TARGET_MESSAGE_PEEK);
        if (from) {
            *from = s->peer;
            from->family = (uint16_t)s->family;
        }
    }
    unlock();
    if (got > 0)
        OFFER_BYTES(socket_receive, data, to, (size_t)got < len ? (size_t)got : len);
    if (got >= 0 && from) {
        OFFER(socket_receive, family, from->family);
        OFFER(socket_receive, port, from->port);
        OFFER(socket_receive, scope, from->scope);
        OFFER(socket_receive, ip, from->ip);
    }
    RESULT(socket_receive, got);
}

int target_socket_shutdown(int file, int how)
{
    struct mock_socket *s;
    int err = -EBADF;

    lock();
    s = socket_at(file);
    if (s) {
        err = s->connected ? 0 : -ENOTCONN;
        s->ended |= s->connected && how != SHUT_RD; /* the other end does likewise */
    }
    unlock();
    ready_news(file);
    RESULT(socket_shutdown, err);
}

int target_socket_option(int file, enum target_option option, bool set, int *value)
{
    struct mock_socket *s;
    int err = -EBADF;

    if (set)
        sent_show(value, sizeof(*value));
    lock();
    s = socket_at(file);
    if (s) {
        err = 0;
        if (!set && option == TARGET_OPTION_ERROR) {
            *value = s->error;
            s->error = 0;
        } else if (!set) {
            *value = 0;
        }
    }
    unlock();
    if (!err && !set)
        OFFER(socket_option, value, *value);
    RESULT(socket_option, err);
}

int64_t target_socket_count(int file, enum target_count what)
{
    struct mock_socket *s;
    int64_t n = -EINVAL;

    lock();
    s = socket_at(file);
    if (s)
        n = what == TARGET_COUNT_IN ? s->n : 0;
    unlock();
    RESULT(socket_count, n);
}
