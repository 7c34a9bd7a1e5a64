/* socket.c: socket(2), socketpair(2), shutdown(2), getsockopt(2) of every family alike. */
#include "../lib/check.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

static int get_int(int fd, int level, int option)
{
    int value = -77;
    socklen_t size = sizeof value;

    must(getsockopt(fd, level, option, &value, &size));
    assert_int_equal(size, sizeof value);
    return value;
}

static void close_pair(int fds[2])
{
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: socket SOCK_CLOEXEC SOCK_NONBLOCK socketpair SOCK_CLOEXEC SOCK_NONBLOCK */
static void flags_are_set_when_asked(void **state)
{
    (void)state;
    int fds[2], fd = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

    assert_returns(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_returns(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    must(close(fd));
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
    for (int i = 0; i < 2; i++) {
        assert_returns(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        assert_returns(fcntl(fds[i], F_GETFL), O_RDWR | O_NONBLOCK);
    }
    close_pair(fds);
    fd = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    assert_returns(fcntl(fd, F_GETFD), 0);
    assert_returns(fcntl(fd, F_GETFL), O_RDWR);
    must(close(fd));
}

/* covers: socket fstat */
static void is_a_socket_to_stat(void **state)
{
    (void)state;
    struct stat st;
    int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));

    must(fstat(fd, &st));
    assert_true(S_ISSOCK(st.st_mode));
    assert_errno(lseek(fd, 0, SEEK_SET), ESPIPE);
    must(close(fd));
}

/* covers: socket EAFNOSUPPORT EINVAL EPROTONOSUPPORT ESOCKTNOSUPPORT */
static void unknown_families_and_types_are_refused(void **state)
{
    (void)state;
    assert_errno(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
    assert_errno(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
    assert_errno(socket(AF_UNIX, 99, 0), EINVAL);
    assert_errno(socket(AF_UNIX, SOCK_STREAM | 0x100000, 0), EINVAL);
    assert_errno(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    assert_errno(socket(AF_UNIX, SOCK_STREAM, 99), EPROTONOSUPPORT);
    assert_errno(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
}

/* covers: socket EPERM */
static void raw_sockets_need_the_right(void **state)
{
    (void)state;
    as_nobody(assert_errno(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM));
}

/* covers: socketpair EOPNOTSUPP EFAULT EAFNOSUPPORT */
static void pairs_are_for_unix_only(void **state)
{
    (void)state;
    int fds[2];

    assert_errno(socketpair(AF_INET, SOCK_STREAM, 0, fds), EOPNOTSUPP);
    assert_errno(socketpair(99, SOCK_STREAM, 0, fds), EAFNOSUPPORT);
    assert_errno(socketpair(AF_UNIX, SOCK_STREAM, 0, BAD_PTR), EFAULT);
}

/* covers: bind ENOTSOCK listen ENOTSOCK accept ENOTSOCK connect ENOTSOCK getsockname ENOTSOCK getpeername ENOTSOCK sendto ENOTSOCK recvfrom ENOTSOCK getsockopt ENOTSOCK setsockopt ENOTSOCK shutdown ENOTSOCK sendmsg ENOTSOCK recvmsg ENOTSOCK */
static void other_files_are_refused(void **state)
{
    (void)state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    socklen_t size = sizeof addr;
    struct msghdr msg = {0};
    int fd = must(open("/dev/null", O_RDWR)), value = 0;
    char c = 0;

    assert_errno(bind(fd, (struct sockaddr *)&addr, size), ENOTSOCK);
    assert_errno(listen(fd, 1), ENOTSOCK);
    assert_errno(accept(fd, NULL, NULL), ENOTSOCK);
    assert_errno(connect(fd, (struct sockaddr *)&addr, size), ENOTSOCK);
    assert_errno(getsockname(fd, (struct sockaddr *)&addr, &size), ENOTSOCK);
    assert_errno(getpeername(fd, (struct sockaddr *)&addr, &size), ENOTSOCK);
    assert_errno(send(fd, &c, 1, 0), ENOTSOCK);
    assert_errno(recv(fd, &c, 1, 0), ENOTSOCK);
    assert_errno(sendmsg(fd, &msg, 0), ENOTSOCK);
    assert_errno(recvmsg(fd, &msg, 0), ENOTSOCK);
    size = sizeof value;
    assert_errno(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size), ENOTSOCK);
    assert_errno(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, size), ENOTSOCK);
    assert_errno(shutdown(fd, SHUT_RDWR), ENOTSOCK);
    must(close(fd));
}

/* covers: bind EBADF listen EBADF accept EBADF connect EBADF sendto EBADF recvfrom EBADF shutdown EBADF */
static void closed_descriptors_are_refused(void **state)
{
    (void)state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char c = 0;

    assert_errno(bind(-1, (struct sockaddr *)&addr, sizeof addr), EBADF);
    assert_errno(listen(-1, 1), EBADF);
    assert_errno(accept(-1, NULL, NULL), EBADF);
    assert_errno(connect(-1, (struct sockaddr *)&addr, sizeof addr), EBADF);
    assert_errno(send(-1, &c, 1, 0), EBADF);
    assert_errno(recv(-1, &c, 1, 0), EBADF);
    assert_errno(shutdown(-1, SHUT_RD), EBADF);
}

/* covers: getsockopt SO_TYPE SO_DOMAIN SO_PROTOCOL SO_ACCEPTCONN */
static void kind_of_a_socket_is_told(void **state)
{
    (void)state;
    int fd = must(socket(AF_INET, SOCK_STREAM, 0));

    assert_int_equal(get_int(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    assert_int_equal(get_int(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
    assert_int_equal(get_int(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    assert_int_equal(get_int(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
    assert_int_equal(get_int(fd, SOL_SOCKET, SO_ERROR), 0);
    must(close(fd));
    fd = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    assert_int_equal(get_int(fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    assert_int_equal(get_int(fd, SOL_SOCKET, SO_DOMAIN), AF_UNIX);
    must(close(fd));
}

/* covers: setsockopt SO_REUSEADDR SO_KEEPALIVE SO_BROADCAST SO_REUSEPORT TCP_NODELAY getsockopt */
static void switches_are_kept(void **state)
{
    (void)state;
    static const int options[] = {SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST, SO_REUSEPORT};
    int fd = must(socket(AF_INET, SOCK_STREAM, 0)), on = 1, off = 0;

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        assert_int_equal(get_int(fd, SOL_SOCKET, options[i]), 0);
        must(setsockopt(fd, SOL_SOCKET, options[i], &on, sizeof on));
        assert_int_equal(get_int(fd, SOL_SOCKET, options[i]), 1);
        must(setsockopt(fd, SOL_SOCKET, options[i], &off, sizeof off));
        assert_int_equal(get_int(fd, SOL_SOCKET, options[i]), 0);
    }
    must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    assert_int_equal(get_int(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    must(close(fd));
}

/* covers: setsockopt SO_SNDBUF SO_RCVBUF getsockopt */
static void buffer_sizes_are_doubled(void **state)
{
    (void)state;
    int fd = must(socket(AF_UNIX, SOCK_STREAM, 0)), size = 20000;

    must(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
    must(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
    assert_int_equal(get_int(fd, SOL_SOCKET, SO_SNDBUF), 40000);
    assert_int_equal(get_int(fd, SOL_SOCKET, SO_RCVBUF), 40000);
    must(close(fd));
}

/* covers: setsockopt SO_LINGER getsockopt */
static void linger_is_kept(void **state)
{
    (void)state;
    struct linger linger = {1, 7}, seen;
    socklen_t size = sizeof seen;
    int fd = must(socket(AF_INET, SOCK_STREAM, 0));

    must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    must(getsockopt(fd, SOL_SOCKET, SO_LINGER, &seen, &size));
    assert_int_equal(seen.l_onoff, 1);
    assert_int_equal(seen.l_linger, 7);
    must(close(fd));
}

/* covers: setsockopt SO_RCVTIMEO recvfrom EAGAIN EDOM */
static void receive_timeout_ends_the_wait(void **state)
{
    (void)state;
    struct timeval tv = {.tv_usec = 20000}, wrong = {.tv_usec = 1000000};
    int fds[2];
    char c;

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    must(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    int64_t start = now_ns();
    assert_errno(recv(fds[0], &c, 1, 0), EAGAIN);
    assert_true(now_ns() - start >= 19000000); /* counted in ticks of the kernel's choice */
    assert_errno(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &wrong, sizeof wrong), EDOM);
    close_pair(fds);
}

/* covers: getsockopt ENOPROTOOPT EINVAL EFAULT setsockopt ENOPROTOOPT EINVAL EFAULT */
static void options_are_checked(void **state)
{
    (void)state;
    int fd = must(socket(AF_UNIX, SOCK_STREAM, 0)), value = 0;
    socklen_t size = sizeof value;

    assert_errno(getsockopt(fd, SOL_SOCKET, 9999, &value, &size), ENOPROTOOPT);
    assert_errno(setsockopt(fd, SOL_SOCKET, 9999, &value, sizeof value), ENOPROTOOPT);
    assert_errno(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, 2), EINVAL);
    assert_errno(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, BAD_PTR, sizeof value), EFAULT);
    assert_errno(getsockopt(fd, SOL_SOCKET, SO_TYPE, BAD_PTR, &size), EFAULT);
    assert_errno(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, BAD_PTR), EFAULT);
    size = (socklen_t)-1;
    assert_errno(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size), EINVAL);
    assert_errno(setsockopt(fd, SOL_SOCKET, SO_TYPE, &value, sizeof value), ENOPROTOOPT);
    must(close(fd));
}

/* covers: getsockopt */
static void short_option_buffer_is_filled_as_far_as_it_goes(void **state)
{
    (void)state;
    int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
    unsigned char value[4] = {0xee, 0xee, 0xee, 0xee};
    socklen_t size = 1;

    must(getsockopt(fd, SOL_SOCKET, SO_TYPE, value, &size));
    assert_int_equal(size, 1);
    assert_int_equal(value[0], SOCK_STREAM);
    assert_int_equal(value[1], 0xee);
    must(close(fd));
}

/* covers: shutdown SHUT_WR SHUT_RD EPIPE */
static void half_close_ends_one_direction(void **state)
{
    (void)state;
    int fds[2];
    char text[4];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    assert_returns(send(fds[0], "ab", 2, 0), 2);
    must(shutdown(fds[0], SHUT_WR));
    assert_errno(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    assert_returns(recv(fds[1], text, sizeof text, 0), 2);
    assert_returns(recv(fds[1], text, sizeof text, 0), 0);
    assert_returns(send(fds[1], "back", 4, 0), 4);
    assert_returns(recv(fds[0], text, sizeof text, 0), 4);
    must(shutdown(fds[0], SHUT_RD));
    assert_returns(recv(fds[0], text, sizeof text, 0), 0);
    assert_errno(send(fds[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    close_pair(fds);
}

/* covers: shutdown EINVAL */
static void unknown_direction_is_refused(void **state)
{
    (void)state;
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    assert_errno(shutdown(fds[0], 3), EINVAL);
    assert_errno(shutdown(fds[0], -1), EINVAL);
    close_pair(fds);
}

/* covers: shutdown ENOTCONN */
static void unconnected_stream_cannot_be_shut_down(void **state)
{
    (void)state;
    int fd = must(socket(AF_INET, SOCK_STREAM, 0));

    assert_errno(shutdown(fd, SHUT_RDWR), ENOTCONN);
    must(close(fd));
}

/* covers: getsockopt EBADF setsockopt EBADF sendmsg EBADF recvmsg EBADF getsockname EBADF getpeername EBADF */
static void closed_descriptors_have_no_options(void **state)
{
    (void)state;
    struct sockaddr_un addr;
    struct msghdr msg = {0};
    int value = 0;
    socklen_t size = sizeof value;

    assert_errno(getsockopt(-1, SOL_SOCKET, SO_TYPE, &value, &size), EBADF);
    assert_errno(setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value), EBADF);
    assert_errno(sendmsg(-1, &msg, 0), EBADF);
    assert_errno(recvmsg(-1, &msg, 0), EBADF);
    size = sizeof addr;
    assert_errno(getsockname(-1, (struct sockaddr *)&addr, &size), EBADF);
    assert_errno(getpeername(-1, (struct sockaddr *)&addr, &size), EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_set_when_asked),
        cmocka_unit_test(is_a_socket_to_stat),
        cmocka_unit_test(unknown_families_and_types_are_refused),
        cmocka_unit_test(raw_sockets_need_the_right),
        cmocka_unit_test(pairs_are_for_unix_only),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(closed_descriptors_are_refused),
        cmocka_unit_test(kind_of_a_socket_is_told),
        cmocka_unit_test(switches_are_kept),
        cmocka_unit_test(buffer_sizes_are_doubled),
        cmocka_unit_test(linger_is_kept),
        cmocka_unit_test(receive_timeout_ends_the_wait),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(short_option_buffer_is_filled_as_far_as_it_goes),
        cmocka_unit_test(half_close_ends_one_direction),
        cmocka_unit_test(unknown_direction_is_refused),
        cmocka_unit_test(unconnected_stream_cannot_be_shut_down),
        cmocka_unit_test(closed_descriptors_have_no_options),
    };

    return cmocka_run_group_tests_name("net/socket", tests, NULL, NULL);
}
