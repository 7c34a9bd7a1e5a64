/* socket_errors.c: what the socket calls refuse whatever the family: descriptors, addresses, limits. */
#include "loopback.h"

#include <sys/resource.h>

/* No descriptor is free while the statements run, in a child. */
#define without_descriptors(...)                                                                   \
    in_child(struct rlimit none = {0}; must(setrlimit(RLIMIT_NOFILE, &none)); __VA_ARGS__)

/* covers: accept EMFILE accept4 EMFILE */
static void connection_waits_for_a_free_descriptor(void **state)
{
    (void)state;
    in_port_t port;
    int listener = listener4(5, &port), client = must(socket(AF_INET, SOCK_STREAM, 0)), server;

    must(try_connect4(client, INADDR_LOOPBACK, port));
    without_descriptors(assert_errno(accept(listener, NULL, NULL), EMFILE);
                        assert_errno(accept4(listener, NULL, NULL, SOCK_CLOEXEC), EMFILE));
    server = must(accept(listener, NULL, NULL));
    must(close(server));
    must(close(client));
    must(close(listener));
}

/* covers: socketpair EMFILE EFAULT EPROTONOSUPPORT EINVAL EOPNOTSUPP */
static void pairs_are_refused(void **state)
{
    (void)state;
    int fds[2];

    without_descriptors(assert_errno(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), EMFILE));
    assert_errno(socketpair(AF_UNIX, SOCK_STREAM, 77, fds), EPROTONOSUPPORT);
    assert_errno(socketpair(AF_UNIX, SOCK_STREAM | 0x100000, 0, fds), EINVAL);
    assert_errno(socketpair(AF_INET, SOCK_STREAM, 0, fds), EOPNOTSUPP);
    assert_errno(socketpair(AF_INET, SOCK_DGRAM, 0, fds), EOPNOTSUPP);
    assert_errno(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, BAD_PTR), EFAULT);
}

/* covers: getpeername EINVAL EFAULT getsockname EINVAL EFAULT */
static void lengths_of_names_are_checked(void **state)
{
    (void)state;
    struct sockaddr_storage name;
    socklen_t negative = (socklen_t)-1, size = sizeof name;
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    assert_errno(getpeername(fds[0], (struct sockaddr *)&name, &negative), EINVAL);
    assert_errno(getsockname(fds[0], (struct sockaddr *)&name, &negative), EINVAL);
    assert_errno(syscall(SYS_getpeername, fds[0], BAD_PTR, &size), EFAULT);
    assert_errno(syscall(SYS_getpeername, fds[0], &name, BAD_PTR), EFAULT);
    assert_errno(syscall(SYS_getsockname, fds[0], &name, BAD_PTR), EFAULT);
    size = 0; /* nothing is copied, the length is told */
    must(getpeername(fds[0], NULL, &size));
    assert_int_equal(size, sizeof(sa_family_t));
    close_both(fds);
}

/* covers: sendmmsg EBADF ENOTSOCK recvmmsg EBADF ENOTSOCK EINVAL */
static void several_messages_need_a_socket(void **state)
{
    (void)state;
    struct timespec bad = {.tv_nsec = 1000000000};
    struct mmsghdr one = {0};
    int fds[2];

    must(pipe(fds));
    assert_errno(sendmmsg(-1, &one, 1, 0), EBADF);
    assert_errno(recvmmsg(-1, &one, 1, 0, NULL), EBADF);
    assert_errno(sendmmsg(fds[1], &one, 1, 0), ENOTSOCK);
    assert_errno(recvmmsg(fds[0], &one, 1, 0, NULL), ENOTSOCK);
    close_both(fds);
    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    assert_errno(recvmmsg(fds[0], &one, 1, 0, &bad), EINVAL);
    assert_returns(sendmmsg(fds[0], &one, 0, 0), 0);
    assert_returns(recvmmsg(fds[0], &one, 0, MSG_DONTWAIT, NULL), 0);
    close_both(fds);
}

/* covers: recvmmsg EINTR recvmsg EINTR */
static void waiting_for_messages_is_interrupted(void **state)
{
    (void)state;
    char c;
    struct iovec data = {&c, 1};
    struct mmsghdr one = {.msg_hdr = {.msg_iov = &data, .msg_iovlen = 1}};
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    interrupts_start(0);
    assert_errno(recvmmsg(fds[0], &one, 1, 0, NULL), EINTR);
    assert_errno(recvmsg(fds[0], &one.msg_hdr, 0), EINTR);
    interrupts_stop();
    close_both(fds);
}

/* covers: recvmsg ENOTCONN ECONNREFUSED sendmsg ENOTCONN EPIPE EDESTADDRREQ EAGAIN EOPNOTSUPP */
static void messages_meet_the_states_of_their_sockets(void **state)
{
    (void)state;
    char c = 0, big[65536];
    struct iovec data = {&c, 1};
    struct msghdr msg = {.msg_iov = &data, .msg_iovlen = 1};
    int fd = must(socket(AF_INET, SOCK_STREAM, 0)), fds[2];
    in_port_t port;

    assert_errno(recvmsg(fd, &msg, 0), ENOTCONN);
    assert_errno(sendmsg(fd, &msg, MSG_NOSIGNAL), EPIPE);
    must(close(fd));
    fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
    assert_errno(sendmsg(fd, &msg, 0), ENOTCONN);
    must(close(fd));
    fd = must(socket(AF_INET, SOCK_DGRAM, 0));
    assert_errno(sendmsg(fd, &msg, 0), EDESTADDRREQ);
    assert_errno(sendmsg(fd, &msg, MSG_OOB), EOPNOTSUPP);
    must(close(udp_bound(&port)));
    must(try_connect4(fd, INADDR_LOOPBACK, port));
    assert_returns(sendmsg(fd, &msg, 0), 1);
    poll_until(fd, POLLERR);
    assert_errno(recvmsg(fd, &msg, 0), ECONNREFUSED);
    must(close(fd));
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    memset(big, 0, sizeof big);
    while (send(fds[0], big, sizeof big, MSG_DONTWAIT) > 0)
        ;
    assert_errno(sendmsg(fds[0], &msg, MSG_DONTWAIT), EAGAIN);
    close_both(fds);
}

/* covers: shutdown SHUT_RD SHUT_WR SHUT_RDWR */
static void both_directions_are_shut_at_once(void **state)
{
    (void)state;
    char c;
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    must(shutdown(fds[0], SHUT_RDWR));
    assert_returns(recv(fds[0], &c, 1, 0), 0);
    assert_returns(recv(fds[1], &c, 1, 0), 0);
    assert_errno(send(fds[0], &c, 1, MSG_NOSIGNAL), EPIPE);
    assert_errno(send(fds[1], &c, 1, MSG_NOSIGNAL), EPIPE);
    close_both(fds);
}

/* covers: bind EINVAL EACCES EADDRINUSE connect EINVAL EAFNOSUPPORT */
static void addresses_are_checked_by_family_and_length(void **state)
{
    (void)state;
    struct sockaddr_in addr = v4(INADDR_LOOPBACK, 0);
    int fd = must(socket(AF_INET, SOCK_STREAM, 0));

    loopback_needed();
    assert_errno(bind(fd, (struct sockaddr *)&addr, sizeof addr - 1), EINVAL);
    assert_errno(bind(fd, (struct sockaddr *)&addr, (socklen_t)-1), EINVAL);
    assert_errno(bind(fd, (struct sockaddr *)&addr, 129), EINVAL);
    assert_errno(connect(fd, (struct sockaddr *)&addr, sizeof addr - 1), EINVAL);
    assert_errno(connect(fd, (struct sockaddr *)&addr, (socklen_t)-1), EINVAL);
    addr.sin_family = AF_UNIX;
    assert_errno(connect(fd, (struct sockaddr *)&addr, sizeof addr), EAFNOSUPPORT);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_waits_for_a_free_descriptor),
        cmocka_unit_test(pairs_are_refused),
        cmocka_unit_test(lengths_of_names_are_checked),
        cmocka_unit_test(several_messages_need_a_socket),
        cmocka_unit_test(waiting_for_messages_is_interrupted),
        cmocka_unit_test(messages_meet_the_states_of_their_sockets),
        cmocka_unit_test(both_directions_are_shut_at_once),
        cmocka_unit_test(addresses_are_checked_by_family_and_length),
    };

    return cmocka_run_group_tests_name("net/socket_errors", tests, NULL, NULL);
}
