/* tests/unit/host_socket.c: what a host may answer about its sockets, and what is made of its lies. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "rename.h"

#include "base/string.h"
#include "host/descriptors.h"
#include "host/socket.h"

#include <myst/target.h>

#include "break.h"

/* ---- a host that answers what a test wants ---- */

static int64_t reply;
static struct target_address address_reply;
static int value_reply;
static int interruptions; /* calls that are interrupted before one is not */
static int closes;

static int64_t interrupted_or(int64_t answer)
{
    if (interruptions <= 0)
        return answer;
    interruptions--;
    return -EINTR;
}

void target_file_close(int file)
{
    closes++;
}
int target_socket_open(int family, int type)
{
    return (int)reply;
}
int target_socket_bind(int socket, const struct target_address *address)
{
    return (int)reply;
}
int target_socket_listen(int socket, int backlog)
{
    return (int)reply;
}
int target_socket_accept(int socket, struct target_address *peer)
{
    *peer = address_reply;
    return (int)interrupted_or(reply);
}
int target_socket_connect(int socket, const struct target_address *to)
{
    return (int)reply;
}
int target_socket_name(int socket, bool peer, struct target_address *out)
{
    *out = address_reply;
    return (int)reply;
}
int64_t target_socket_send(int socket, const void *from, size_t len, int flags,
                           const struct target_address *to)
{
    return interrupted_or(reply);
}
int64_t target_socket_receive(int socket, void *to, size_t len, int flags,
                              struct target_address *from)
{
    if (from)
        *from = address_reply;
    return interrupted_or(reply);
}
int target_socket_shutdown(int socket, int how)
{
    return (int)reply;
}
int target_socket_option(int socket, enum target_option option, bool set, int *value)
{
    *value = value_reply;
    return (int)reply;
}
int64_t target_socket_count(int socket, enum target_count what)
{
    return reply;
}

/* ---- results ---- */

static char room[64];
static struct target_address heard;

static int64_t call_open(void)
{
    return host_socket_open(AF_INET, SOCK_STREAM);
}
static int64_t call_bind(void)
{
    return host_socket_bind(9, &heard);
}
static int64_t call_listen(void)
{
    return host_socket_listen(9, 5);
}
static int64_t call_accept(void)
{
    return host_socket_accept(9, AF_INET, &heard);
}
static int64_t call_connect(void)
{
    return host_socket_connect(9, &heard);
}
static int64_t call_name(void)
{
    return host_socket_name(9, AF_INET, true, &heard);
}
static int64_t call_send(void)
{
    return host_socket_send(9, room, sizeof(room), 0, NULL);
}
static int64_t call_receive(void)
{
    return host_socket_receive(9, room, sizeof(room), 0);
}
static int64_t call_receive_from(void)
{
    return host_socket_receive_from(9, AF_INET, room, sizeof(room), 0, &heard);
}
static int64_t call_shutdown(void)
{
    return host_socket_shutdown(9, SHUT_WR);
}
static int64_t call_set(void)
{
    return host_socket_set(9, TARGET_OPTION_NODELAY, 1);
}
static int64_t call_get(void)
{
    int value;

    return host_socket_get(9, TARGET_OPTION_TTL, &value);
}
static int64_t call_count(void)
{
    return host_socket_count(9, TARGET_COUNT_IN);
}
static int64_t call_mark(void)
{
    return host_socket_count(9, TARGET_COUNT_MARK);
}

static const struct {
    const char *name;
    int64_t (*call)(void);
    int64_t answered, expected;
} results[] = {
    {"no more descriptors", call_open, -EMFILE, -EMFILE},
    {"an error that socket has not", call_open, -EEXIST, -EIO},
    {"the console's descriptor", call_open, 1, -EIO},
    {"a descriptor beyond all", call_open, 1 << 30, -EIO},
    {"bound", call_bind, 0, 0},
    {"in use", call_bind, -EADDRINUSE, -EADDRINUSE},
    {"a count from bind", call_bind, 1, -EIO},
    {"an error that bind has not", call_bind, -EPIPE, -EIO},
    {"listens", call_listen, 0, 0},
    {"a count from listen", call_listen, 5, -EIO},
    {"nobody there", call_accept, -EAGAIN, -EAGAIN},
    {"an error that accept has not", call_accept, -ENOENT, -EIO},
    {"an accepted console", call_accept, 2, -EIO},
    {"under way", call_connect, -EINPROGRESS, -EINPROGRESS},
    {"refused", call_connect, -ECONNREFUSED, -ECONNREFUSED},
    {"a count from connect", call_connect, 1, -EIO},
    {"an error that connect has not", call_connect, -ENOENT, -EIO},
    {"no peer", call_name, -ENOTCONN, -ENOTCONN},
    {"a count from getpeername", call_name, 16, -EIO},
    {"all was sent", call_send, sizeof(room), sizeof(room)},
    {"more than there was", call_send, sizeof(room) + 1, -EIO},
    {"nothing was sent", call_send, 0, -EIO},
    {"sending to nobody", call_send, -EPIPE, -EPIPE},
    {"an error that send has not", call_send, -EEXIST, -EIO},
    {"all there is room for", call_receive, sizeof(room), sizeof(room)},
    {"more than there is room for", call_receive, sizeof(room) + 1, -EIO},
    {"the end", call_receive, 0, 0},
    {"reset", call_receive, -ECONNRESET, -ECONNRESET},
    {"an error that recv has not", call_receive, -EEXIST, -EIO},
    {"a restart", call_receive, -512, -EIO},
    {"a long datagram", call_receive_from, 65535, 65535},
    {"a longer one than there can be", call_receive_from, 65536, -EIO},
    {"nothing came", call_receive_from, -EAGAIN, -EAGAIN},
    {"an error that recvfrom has not", call_receive_from, -EEXIST, -EIO},
    {"shut", call_shutdown, 0, 0},
    {"not connected", call_shutdown, -ENOTCONN, -ENOTCONN},
    {"a count from shutdown", call_shutdown, 1, -EIO},
    {"set", call_set, 0, 0},
    {"no such option", call_set, -ENOPROTOOPT, -ENOPROTOOPT},
    {"a count from setsockopt", call_set, 4, -EIO},
    {"an error that getsockopt has not", call_get, -EAGAIN, -EIO},
    {"bytes to read", call_count, 1000, 1000},
    {"negative bytes", call_count, -1, -EIO},
    {"more bytes than memory", call_count, 1LL << 40, -EIO},
    {"no count", call_count, -ENOTTY, -ENOTTY},
    {"at the mark", call_mark, 1, 1},
    {"more than at the mark", call_mark, 2, -EIO},
};

static int setup(void **state)
{
    address_reply = (struct target_address){.family = AF_INET, .port = 80, .ip = {192, 0, 2, 1}};
    value_reply = 0;
    interruptions = 0;
    return 0;
}

/*
 * breaks: socket_open_errno socket_open_descriptor socket_bind_result socket_listen_result
 * socket_accept_errno socket_accept_descriptor socket_connect_result socket_name_result
 * socket_send_count socket_send_progress socket_send_errno socket_receive_count socket_receive_errno
 * socket_datagram_count socket_datagram_errno socket_shutdown_result socket_set_result
 * socket_get_result socket_count_range socket_count_errno
 */
static void results_are_of_the_call_or_eio(void **state)
{
    for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
        int64_t got;

        reply = results[i].answered;
        got = results[i].call();
        if (got != results[i].expected)
            fail_msg("%s: %lld, expected %lld", results[i].name, (long long)got,
                     (long long)results[i].expected);
    }
}

/* breaks: socket_open_twice socket_accept_twice */
static void descriptor_is_taken_once(void **state)
{
    reply = 20;
    assert_int_equal(host_socket_open(AF_INET, SOCK_STREAM), 20);
    assert_int_equal(host_socket_open(AF_INET, SOCK_STREAM), -EIO);
    assert_int_equal(call_accept(), -EIO);
    host_socket_close(20);
    assert_int_equal(call_accept(), 20);
    host_socket_close(20);
}

/* ---- addresses ---- */

/* breaks: socket_accept_peer */
static void accepted_peer_is_of_the_family(void **state)
{
    reply = 21;
    address_reply.family = AF_INET6;
    closes = 0;
    assert_int_equal(call_accept(), -EIO);
    assert_int_equal(closes, 1);
    address_reply.family = 0;
    assert_int_equal(call_accept(), -EIO);
    address_reply.family = AF_INET;
    assert_int_equal(call_accept(), 21);
    host_socket_close(21);
}

/* breaks: socket_name_family */
static void name_is_of_the_family(void **state)
{
    reply = 0;
    address_reply.family = AF_UNIX;
    assert_int_equal(call_name(), -EIO);
    address_reply.family = AF_INET;
    memset(address_reply.ip, 0xaa, sizeof(address_reply.ip));
    address_reply.scope = 0xbb;
    assert_int_equal(call_name(), 0);
    assert_int_equal(heard.ip[3], 0xaa);
    assert_int_equal(heard.ip[4], 0); /* IPv4 has no more */
    assert_int_equal(heard.scope, 0);
}

/* breaks: socket_datagram_sender */
static void sender_is_of_the_family(void **state)
{
    reply = 3;
    address_reply.family = AF_INET6;
    assert_int_equal(call_receive_from(), -EIO);
    address_reply.family = AF_INET;
    assert_int_equal(call_receive_from(), 3);
    assert_int_equal(heard.port, 80);
}

/* ---- data ---- */

/* breaks: socket_receive_cleared */
static void what_the_host_leaves_out_is_zero(void **state)
{
    memset(room, 's', sizeof(room));
    reply = sizeof(room);
    assert_int_equal(call_receive(), sizeof(room));
    for (size_t i = 0; i < sizeof(room); i++)
        assert_int_equal(room[i], 0);
}

static void interrupted_call_begins_anew(void **state)
{
    reply = 5;
    interruptions = 3;
    assert_int_equal(call_receive(), 5);
    interruptions = 3;
    assert_int_equal(call_send(), 5);
    interruptions = 1 << 20;
    assert_int_equal(call_receive(), -EIO);
    interruptions = 1 << 20;
    assert_int_equal(call_send(), -EIO);
    interruptions = 1 << 20;
    assert_int_equal(call_accept(), -EIO);
}

/* ---- options ---- */

/* breaks: socket_get_value */
static void values_are_bounded(void **state)
{
    int value = 77;

    reply = 0;
    value_reply = -2;
    assert_int_equal(host_socket_get(9, TARGET_OPTION_TTL, &value), -EIO);
    value_reply = INT32_MAX;
    assert_int_equal(host_socket_get(9, TARGET_OPTION_TTL, &value), -EIO);
    assert_int_equal(value, 77);
    value_reply = 64;
    assert_int_equal(host_socket_get(9, TARGET_OPTION_TTL, &value), 0);
    assert_int_equal(value, 64);
}

/* breaks: socket_error_errno */
static void pending_error_is_one_that_can_be(void **state)
{
    reply = 0;
    assert_int_equal(host_socket_error(9), 0);
    value_reply = ECONNREFUSED;
    assert_int_equal(host_socket_error(9), -ECONNREFUSED);
    value_reply = 512; /* a restart */
    assert_int_equal(host_socket_error(9), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(results_are_of_the_call_or_eio, setup),
        cmocka_unit_test_setup(descriptor_is_taken_once, setup),
        cmocka_unit_test_setup(accepted_peer_is_of_the_family, setup),
        cmocka_unit_test_setup(name_is_of_the_family, setup),
        cmocka_unit_test_setup(sender_is_of_the_family, setup),
        cmocka_unit_test_setup(what_the_host_leaves_out_is_zero, setup),
        cmocka_unit_test_setup(interrupted_call_begins_anew, setup),
        cmocka_unit_test_setup(values_are_bounded, setup),
        cmocka_unit_test_setup(pending_error_is_one_that_can_be, setup),
    };

    return cmocka_run_group_tests_name("host_socket", tests, NULL, NULL);
}
