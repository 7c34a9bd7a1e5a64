/* socket_options.c: getsockopt(2), setsockopt(2): options of socket(7) on sockets of AF_UNIX. */
#include "../lib/check.h"

#include <grp.h>
#include <linux/sock_diag.h>
#include <linux/time_types.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

static int fds[2];

static int stream_setup(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static int dgram_setup(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
}

static int teardown(void **state)
{
    (void)state;
    close(fds[0]);
    close(fds[1]);
    return 0;
}

static int set(int option, int value)
{
    return setsockopt(fds[0], SOL_SOCKET, option, &value, sizeof(value));
}

static int get(int option)
{
    int value = -1;
    socklen_t len = sizeof(value);

    must(getsockopt(fds[0], SOL_SOCKET, option, &value, &len));
    assert_int_equal(len, sizeof(value));
    return value;
}

static long tunable(const char *path)
{
    char text[32] = "";
    int fd = must(open(path, O_RDONLY));

    must(read(fd, text, sizeof(text) - 1));
    must(close(fd));
    return atol(text);
}

/* covers: setsockopt SO_DONTROUTE SO_OOBINLINE SO_TIMESTAMP SO_TIMESTAMPNS SO_PASSCRED SO_RXQ_OVFL SO_NO_CHECK getsockopt */
static void switches_are_kept(void **state)
{
    (void)state;
    const int options[] = {SO_DONTROUTE, SO_OOBINLINE, SO_TIMESTAMP, SO_TIMESTAMPNS,
                           SO_PASSCRED,  SO_RXQ_OVFL,  SO_NO_CHECK,  SO_BROADCAST};

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        assert_int_equal(get(options[i]), 0);
        must(set(options[i], 7));
        assert_int_equal(get(options[i]), 1);
        must(set(options[i], 0));
        assert_int_equal(get(options[i]), 0);
    }
}

/* covers: setsockopt SO_DEBUG EACCES */
static void debugging_needs_the_right(void **state)
{
    (void)state;
    as_nobody(assert_errno(set(SO_DEBUG, 1), EACCES); must(set(SO_DEBUG, 0)));
}

/* covers: setsockopt SO_SNDBUF SO_RCVBUF getsockopt */
static void buffers_have_limits(void **state)
{
    (void)state;
    long most = tunable("/proc/sys/net/core/wmem_max");

    assert_int_equal(get(SO_SNDBUF), tunable("/proc/sys/net/core/wmem_default"));
    assert_int_equal(get(SO_RCVBUF), tunable("/proc/sys/net/core/rmem_default"));
    must(set(SO_SNDBUF, 0x7fffffff));
    assert_int_equal(get(SO_SNDBUF), most * 2);
    must(set(SO_SNDBUF, 1));
    assert_int_equal(get(SO_SNDBUF), 4608);
    must(set(SO_RCVBUF, 1));
    assert_int_equal(get(SO_RCVBUF), 2304);
    must(set(SO_SNDBUF, -1));
    assert_int_equal(get(SO_SNDBUF), most * 2);
}

/* covers: setsockopt SO_SNDBUFFORCE SO_RCVBUFFORCE EPERM getsockopt */
static void limits_can_be_passed_with_the_right(void **state)
{
    (void)state;
    as_nobody(assert_errno(set(SO_SNDBUFFORCE, 10000), EPERM);
              assert_errno(set(SO_RCVBUFFORCE, 10000), EPERM));
    if (!has_capability(CAP_NET_ADMIN))
        return;
    must(set(SO_SNDBUFFORCE, 3000000));
    assert_int_equal(get(SO_SNDBUF), 6000000);
    must(set(SO_RCVBUFFORCE, 3000000));
    assert_int_equal(get(SO_RCVBUF), 6000000);
}

/* covers: setsockopt SO_PRIORITY SO_MARK EPERM getsockopt */
static void priority_and_mark_need_the_right(void **state)
{
    (void)state;
    must(set(SO_PRIORITY, 6));
    assert_int_equal(get(SO_PRIORITY), 6);
    as_nobody(assert_errno(set(SO_PRIORITY, 7), EPERM); assert_errno(set(SO_MARK, 1), EPERM);
              must(set(SO_PRIORITY, 2)));
    if (!has_capability(CAP_NET_ADMIN))
        return;
    must(set(SO_PRIORITY, 7));
    must(set(SO_MARK, 77));
    assert_int_equal(get(SO_MARK), 77);
}

/* covers: setsockopt SO_TYPE SO_DOMAIN SO_PROTOCOL SO_ERROR SO_ACCEPTCONN SO_PEERCRED ENOPROTOOPT */
static void what_a_socket_is_cannot_be_set(void **state)
{
    (void)state;
    const int options[] = {SO_TYPE,  SO_DOMAIN,     SO_PROTOCOL, SO_PEERCRED,
                           SO_ERROR, SO_ACCEPTCONN, SO_SNDLOWAT, SO_COOKIE};

    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        assert_errno(set(options[i], 1), ENOPROTOOPT);
    assert_int_equal(get(SO_SNDLOWAT), 1);
}

/* covers: setsockopt SO_RCVLOWAT getsockopt recvfrom */
static void receiver_waits_for_so_many_bytes(void **state)
{
    (void)state;
    char buf[8];

    assert_int_equal(get(SO_RCVLOWAT), 1);
    must(set(SO_RCVLOWAT, 0));
    assert_int_equal(get(SO_RCVLOWAT), 1);
    must(set(SO_RCVLOWAT, -1));
    assert_int_equal(get(SO_RCVLOWAT), INT32_MAX);
    must(set(SO_RCVLOWAT, 4));
    must(send(fds[1], "ab", 2, 0));
    pid_t child = child_fork();
    if (child == 0) {
        assert_returns(recv(fds[0], buf, sizeof(buf), 0), 4);
        _exit(0);
    }
    assert_eventually(process_state(child) == 'S');
    must(send(fds[1], "cd", 2, 0));
    assert_child_ok(child);
}

/* covers: setsockopt SO_PEEK_OFF getsockopt recvfrom MSG_PEEK */
static void peek_offset_moves_through_a_stream(void **state)
{
    (void)state;
    char buf[8];

    assert_int_equal(get(SO_PEEK_OFF), -1);
    must(send(fds[1], "abc", 3, 0));
    must(send(fds[1], "def", 3, 0));
    must(set(SO_PEEK_OFF, 1));
    assert_returns(recv(fds[0], buf, 1, MSG_PEEK), 1);
    assert_int_equal(buf[0], 'b');
    assert_int_equal(get(SO_PEEK_OFF), 2);
    assert_returns(recv(fds[0], buf, 3, MSG_PEEK), 3);
    assert_memory_equal(buf, "cde", 3);
    assert_returns(recv(fds[0], buf, 2, 0), 2);
    assert_memory_equal(buf, "ab", 2);
    assert_int_equal(get(SO_PEEK_OFF), 3);
    assert_returns(recv(fds[0], buf, 8, MSG_PEEK), 1);
    assert_int_equal(buf[0], 'f');
    assert_errno(recv(fds[0], buf, 8, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
}

/* covers: setsockopt SO_PEEK_OFF recvfrom MSG_PEEK */
static void peek_offset_moves_through_datagrams(void **state)
{
    (void)state;
    char buf[8];

    must(send(fds[1], "abc", 3, 0));
    must(send(fds[1], "de", 2, 0));
    must(set(SO_PEEK_OFF, 0));
    assert_returns(recv(fds[0], buf, 2, MSG_PEEK), 2);
    assert_returns(recv(fds[0], buf, 8, MSG_PEEK), 1);
    assert_int_equal(buf[0], 'c');
    assert_returns(recv(fds[0], buf, 8, MSG_PEEK), 2);
    assert_memory_equal(buf, "de", 2);
    assert_returns(recv(fds[0], buf, 8, 0), 3);
    assert_int_equal(get(SO_PEEK_OFF), 2);
}

/* covers: getsockopt SO_COOKIE EINVAL */
static void cookie_is_unique_and_stays(void **state)
{
    (void)state;
    uint64_t a = 0, b = 0, again = 0;
    socklen_t len = sizeof(a);

    must(getsockopt(fds[0], SOL_SOCKET, SO_COOKIE, &a, &len));
    must(getsockopt(fds[1], SOL_SOCKET, SO_COOKIE, &b, &len));
    must(getsockopt(fds[0], SOL_SOCKET, SO_COOKIE, &again, &len));
    assert_true(a != b && a != 0);
    assert_true(a == again);
    len = 4;
    assert_errno(getsockopt(fds[0], SOL_SOCKET, SO_COOKIE, &a, &len), EINVAL);
}

/* covers: getsockopt SO_PEERGROUPS ERANGE ENODATA */
static void groups_of_the_peer_are_told(void **state)
{
    (void)state;
    gid_t mine[64], told[64];
    int n = must(getgroups(64, mine)), dgram = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    socklen_t len = sizeof(told);

    must(getsockopt(fds[0], SOL_SOCKET, SO_PEERGROUPS, told, &len));
    assert_int_equal(len, (size_t)n * sizeof(gid_t));
    if (n) {
        len = 0;
        assert_errno(getsockopt(fds[0], SOL_SOCKET, SO_PEERGROUPS, told, &len), ERANGE);
        assert_int_equal(len, (size_t)n * sizeof(gid_t));
    }
    assert_errno(getsockopt(dgram, SOL_SOCKET, SO_PEERGROUPS, told, &len), ENODATA);
    must(close(dgram));
}

/* covers: getsockopt SO_PEERCRED */
static void socket_without_a_peer_has_nobodys_credentials(void **state)
{
    (void)state;
    int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
    struct ucred cred;
    socklen_t len = sizeof(cred);

    must(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len));
    assert_int_equal(cred.pid, 0);
    assert_true(cred.uid == (uid_t)-1);
    assert_true(cred.gid == (gid_t)-1);
    must(close(fd));
}

/* covers: getsockopt SO_PEERNAME EINVAL ENOTCONN */
static void name_of_the_peer_is_an_option(void **state)
{
    (void)state;
    char buf[128];
    socklen_t len = 2;
    int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));

    must(getsockopt(fds[0], SOL_SOCKET, 28 /* SO_PEERNAME */, buf, &len));
    assert_int_equal(len, 2);
    len = 64;
    assert_errno(getsockopt(fds[0], SOL_SOCKET, 28, buf, &len), EINVAL);
    assert_errno(getsockopt(fd, SOL_SOCKET, 28, buf, &len), ENOTCONN);
    must(close(fd));
}

/* covers: setsockopt SO_INCOMING_CPU getsockopt */
static void processor_is_kept(void **state)
{
    (void)state;
    must(set(SO_INCOMING_CPU, 0));
    assert_int_equal(get(SO_INCOMING_CPU), 0);
}

/* covers: getsockopt SO_MEMINFO */
static void memory_of_the_buffers_is_told(void **state)
{
    (void)state;
    uint32_t info[SK_MEMINFO_VARS];
    socklen_t len = sizeof(info);

    must(send(fds[0], "some bytes", 10, 0));
    must(getsockopt(fds[0], SOL_SOCKET, SO_MEMINFO, info, &len));
    assert_int_equal(len, sizeof(info));
    assert_int_equal(info[SK_MEMINFO_SNDBUF], get(SO_SNDBUF));
    assert_int_equal(info[SK_MEMINFO_RCVBUF], get(SO_RCVBUF));
    assert_true(info[SK_MEMINFO_WMEM_ALLOC] >= 10);
}

/* covers: setsockopt SO_RCVTIMEO SO_SNDTIMEO EINVAL EDOM getsockopt */
static void timeouts_are_checked_and_kept(void **state)
{
    (void)state;
    struct timeval tv = {.tv_sec = 3, .tv_usec = 250000}, got;
    const int options[] = {SO_RCVTIMEO, SO_SNDTIMEO, 66 /* SO_RCVTIMEO_NEW */, 67};
    socklen_t len;

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        len = sizeof(got);
        must(setsockopt(fds[0], SOL_SOCKET, options[i], &tv, sizeof(tv)));
        must(getsockopt(fds[0], SOL_SOCKET, options[i], &got, &len));
        assert_int_equal(got.tv_sec, 3);
        assert_true(got.tv_usec >= 250000 && got.tv_usec < 260000);
        assert_errno(setsockopt(fds[0], SOL_SOCKET, options[i], &tv, sizeof(tv) - 1), EINVAL);
        got.tv_usec = 1000000;
        assert_errno(setsockopt(fds[0], SOL_SOCKET, options[i], &got, sizeof(got)), EDOM);
        got.tv_usec = -1;
        assert_errno(setsockopt(fds[0], SOL_SOCKET, options[i], &got, sizeof(got)), EDOM);
    }
}

/* covers: setsockopt SO_SNDTIMEO sendto EAGAIN */
static void send_timeout_ends_the_wait(void **state)
{
    (void)state;
    struct timeval tv = {.tv_usec = 20000};
    char buf[4096] = {0};

    must(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
    while (send(fds[0], buf, sizeof(buf), 0) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
}

static void on_alarm(int signo)
{
    (void)signo;
}

/* covers: recvfrom EINTR SO_RCVTIMEO */
static void wait_with_a_timeout_is_not_restarted(void **state)
{
    (void)state;
    in_child({
        struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
        struct timeval tv = {.tv_sec = 60};
        struct itimerval timer = {.it_value.tv_usec = 20000};
        char c;

        must(sigaction(SIGALRM, &act, NULL));
        must(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
        must(setitimer(ITIMER_REAL, &timer, NULL));
        assert_errno(recv(fds[0], &c, 1, 0), EINTR);
    });
}

/* covers: sendto EPIPE MSG_NOSIGNAL write EPIPE */
static void broken_stream_signals_unless_told_not_to(void **state)
{
    (void)state;
    must(shutdown(fds[0], SHUT_WR));
    assert_errno(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    pid_t child = child_fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        write(fds[0], "x", 1);
        _exit(0);
    }
    assert_killed_by(child_wait(child), SIGPIPE);
}

/* covers: setsockopt SO_TIMESTAMP SO_TIMESTAMPNS recvmsg */
static void time_of_a_message_is_told(void **state)
{
    (void)state;
    char control[128] __attribute__((aligned(8))), c;
    struct iovec iov = {&c, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    struct cmsghdr *cmsg;
    struct timespec before, after, told;

    must(set(SO_TIMESTAMPNS, 1));
    must(clock_gettime(CLOCK_REALTIME, &before));
    must(send(fds[1], "x", 1, 0));
    must(clock_gettime(CLOCK_REALTIME, &after));
    assert_returns(recvmsg(fds[0], &msg, 0), 1);
    cmsg = CMSG_FIRSTHDR(&msg);
    if (!cmsg)
        skip_because("AF_UNIX has no time stamps in the running kernel");
    assert_int_equal(cmsg->cmsg_type, SO_TIMESTAMPNS);
    memcpy(&told, CMSG_DATA(cmsg), sizeof(told));
    assert_true(told.tv_sec >= before.tv_sec && told.tv_sec <= after.tv_sec);
}

/* covers: getsockopt EOPNOTSUPP setsockopt EOPNOTSUPP ENOPROTOOPT */
static void other_levels_are_refused(void **state)
{
    (void)state;
    int value = 1;
    socklen_t len = sizeof(value);

    assert_errno(setsockopt(fds[0], 6 /* SOL_TCP */, 1, &value, sizeof(value)), EOPNOTSUPP);
    assert_errno(getsockopt(fds[0], 6, 1, &value, &len), EOPNOTSUPP);
    assert_errno(setsockopt(fds[0], SOL_SOCKET, 9999, &value, sizeof(value)), ENOPROTOOPT);
    assert_errno(getsockopt(fds[0], SOL_SOCKET, 9999, &value, &len), ENOPROTOOPT);
    assert_errno(setsockopt(fds[0], SOL_SOCKET, SO_REUSEADDR, &value, 3), EINVAL);
    assert_errno(setsockopt(fds[0], SOL_SOCKET, SO_DETACH_FILTER, &value, len), ENOENT);
    assert_errno(set(SO_ZEROCOPY, 1), EOPNOTSUPP);
    assert_errno(set(SO_REUSEPORT, 1), EOPNOTSUPP);
}

#define stream_test(f) cmocka_unit_test_setup_teardown(f, stream_setup, teardown)
#define dgram_test(f)  cmocka_unit_test_setup_teardown(f, dgram_setup, teardown)

/* Names that older headers lack. */
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

/* covers: setsockopt SO_LOCK_FILTER SO_SELECT_ERR_QUEUE SO_NOFCS SO_WIFI_STATUS getsockopt SO_INCOMING_NAPI_ID */
static void switches_of_devices_are_kept(void **state)
{
    (void)state;
    static const int options[] = {SO_SELECT_ERR_QUEUE, SO_NOFCS, SO_WIFI_STATUS};

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        assert_int_equal(get(options[i]), 0);
        must(set(options[i], -1));
        assert_int_equal(get(options[i]), 1);
        must(set(options[i], 0));
        assert_int_equal(get(options[i]), 0);
    }
    assert_int_equal(get(SO_INCOMING_NAPI_ID), 0);
    assert_errno(set(SO_INCOMING_NAPI_ID, 1), ENOPROTOOPT);
}

/* covers: setsockopt SO_BUSY_POLL EINVAL getsockopt SO_BUSY_POLL */
static void time_of_busy_polling_is_kept(void **state)
{
    (void)state;
    assert_int_equal(get(SO_BUSY_POLL), 0);
    assert_errno(set(SO_BUSY_POLL, -1), EINVAL);
    must(set(SO_BUSY_POLL, 50));
    assert_int_equal(get(SO_BUSY_POLL), 50);
}

static int set_device(const char *name, socklen_t len)
{
    return setsockopt(fds[0], SOL_SOCKET, SO_BINDTODEVICE, name, len);
}

/* covers: setsockopt SO_BINDTODEVICE ENODEV EPERM SO_BINDTOIFINDEX EINVAL getsockopt SO_BINDTODEVICE EINVAL */
static void socket_is_bound_to_a_device(void **state)
{
    (void)state;
    char name[16] = "x";
    socklen_t len = sizeof name;

    must(getsockopt(fds[0], SOL_SOCKET, SO_BINDTODEVICE, name, &len));
    assert_int_equal(len, 0);
    assert_errno(set_device("none0", 5), ENODEV);
    must(set_device("lo", 2));
    len = sizeof name;
    must(getsockopt(fds[0], SOL_SOCKET, SO_BINDTODEVICE, name, &len));
    assert_int_equal(len, 3);
    assert_string_equal(name, "lo");
    len = 15;
    assert_errno(getsockopt(fds[0], SOL_SOCKET, SO_BINDTODEVICE, name, &len), EINVAL);
    assert_int_equal(get(SO_BINDTOIFINDEX), 1);
    as_nobody(assert_errno(set_device("", 0), EPERM); assert_errno(set_device("lo", 3), EPERM));
    if (has_capability(CAP_NET_RAW)) {
        must(set_device("", 0));
        assert_int_equal(get(SO_BINDTOIFINDEX), 0);
        must(set(SO_BINDTOIFINDEX, 1));
        assert_errno(set(SO_BINDTOIFINDEX, -1), EINVAL);
    }
}

/* covers: setsockopt SO_TIMESTAMP_NEW SO_TIMESTAMPNS_NEW recvmsg */
static void stamps_of_the_new_kind_have_their_own_type(void **state)
{
    (void)state;
    static const int options[] = {SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW};

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        char control[128], c;
        struct iovec data = {&c, 1};
        struct msghdr msg = {
            .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 128};

        must(set(options[i], 1));
        assert_int_equal(get(options[i]), 1);
        assert_returns(send(fds[1], "x", 1, 0), 1);
        assert_returns(recvmsg(fds[0], &msg, 0), 1);
        assert_non_null(CMSG_FIRSTHDR(&msg));
        assert_int_equal(CMSG_FIRSTHDR(&msg)->cmsg_type, options[i]);
        assert_int_equal(CMSG_FIRSTHDR(&msg)->cmsg_len, CMSG_LEN(16));
    }
    must(set(SO_TIMESTAMP, 0)); /* none of one kind is none of any */
    assert_int_equal(get(SO_TIMESTAMPNS_NEW), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stream_test(switches_are_kept),
        stream_test(debugging_needs_the_right),
        stream_test(buffers_have_limits),
        stream_test(limits_can_be_passed_with_the_right),
        stream_test(priority_and_mark_need_the_right),
        stream_test(what_a_socket_is_cannot_be_set),
        stream_test(receiver_waits_for_so_many_bytes),
        stream_test(peek_offset_moves_through_a_stream),
        dgram_test(peek_offset_moves_through_datagrams),
        stream_test(cookie_is_unique_and_stays),
        stream_test(groups_of_the_peer_are_told),
        stream_test(socket_without_a_peer_has_nobodys_credentials),
        stream_test(name_of_the_peer_is_an_option),
        stream_test(processor_is_kept),
        stream_test(memory_of_the_buffers_is_told),
        stream_test(timeouts_are_checked_and_kept),
        stream_test(send_timeout_ends_the_wait),
        stream_test(wait_with_a_timeout_is_not_restarted),
        stream_test(broken_stream_signals_unless_told_not_to),
        dgram_test(time_of_a_message_is_told),
        stream_test(other_levels_are_refused),
        dgram_test(switches_of_devices_are_kept),
        dgram_test(time_of_busy_polling_is_kept),
        dgram_test(socket_is_bound_to_a_device),
        dgram_test(stamps_of_the_new_kind_have_their_own_type),
    };

    return cmocka_run_group_tests_name("net/socket_options", tests, NULL, NULL);
}
