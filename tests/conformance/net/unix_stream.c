/* unix_stream.c: AF_UNIX stream sockets, unix(7): bind, listen, accept, connect, and the data. */
#include "../lib/check.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static struct sockaddr_un named(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    strcpy(addr.sun_path, path);
    return addr;
}

static int new_stream(void)
{
    return must(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int do_bind(int fd, const char *path)
{
    struct sockaddr_un addr = named(path);

    return bind(fd, (struct sockaddr *)&addr, sizeof addr);
}

static int do_connect(int fd, const char *path)
{
    struct sockaddr_un addr = named(path);

    return connect(fd, (struct sockaddr *)&addr, sizeof addr);
}

static int new_listener(const char *path, int backlog)
{
    int fd = new_stream();

    must(do_bind(fd, path));
    must(listen(fd, backlog));
    return fd;
}

/* A connection by way of the name "s". */
static void connect_pair(int fds[2])
{
    int listener = new_listener("s", 5);

    fds[0] = new_stream();
    must(do_connect(fds[0], "s"));
    fds[1] = must(accept(listener, NULL, NULL));
    must(close(listener));
    must(unlink("s"));
}

static void close_pair(int fds[2])
{
    must(close(fds[0]));
    must(close(fds[1]));
}

/* covers: connect accept sendto recvfrom */
static void bytes_go_both_ways(void **state)
{
    (void)state;
    int fds[2];
    char text[8] = "";

    connect_pair(fds);
    assert_returns(send(fds[0], "ping", 4, 0), 4);
    assert_returns(recv(fds[1], text, sizeof text, 0), 4);
    assert_memory_equal(text, "ping", 4);
    assert_returns(write(fds[1], "pong", 4), 4);
    assert_returns(read(fds[0], text, sizeof text), 4);
    assert_memory_equal(text, "pong", 4);
    close_pair(fds);
}

/* covers: bind umask */
static void bind_makes_a_socket_file(void **state)
{
    (void)state;
    struct stat st;
    int fd = new_stream();

    umask(027);
    must(do_bind(fd, "s"));
    must(stat("s", &st));
    assert_int_equal(st.st_mode, S_IFSOCK | 0750);
    must(close(fd));
    assert_true(path_exists("s")); /* it stays */
}

/* covers: bind EADDRINUSE EINVAL */
static void taken_name_is_refused(void **state)
{
    (void)state;
    int a = new_stream(), b = new_stream();

    must(do_bind(a, "s"));
    assert_errno(do_bind(b, "s"), EADDRINUSE);
    assert_errno(do_bind(a, "other"), EINVAL); /* has a name already */
    make_file("f", NULL);
    assert_errno(do_bind(b, "f"), EADDRINUSE);
    must(close(a));
    must(close(b));
}

/* covers: bind ENOENT ENOTDIR ELOOP EACCES */
static void path_errors_of_bind(void **state)
{
    (void)state;
    int fd = new_stream();

    make_file("f", NULL);
    must(symlink("a", "a"));
    must(mkdir("d", 0555));
    assert_errno(do_bind(fd, "none/s"), ENOENT);
    assert_errno(do_bind(fd, "f/s"), ENOTDIR);
    assert_errno(do_bind(fd, "a/s"), ELOOP);
    as_nobody(assert_errno(do_bind(fd, "d/s"), EACCES));
    must(close(fd));
}

/* covers: bind EINVAL EFAULT connect EINVAL */
static void address_sizes_are_checked(void **state)
{
    (void)state;
    struct sockaddr_un addr = named("s");
    char big[200] = {0};
    int fd = new_stream();

    assert_errno(bind(fd, (struct sockaddr *)&addr, 1), EINVAL);
    assert_errno(bind(fd, (struct sockaddr *)big, sizeof big), EINVAL);
    assert_errno(bind(fd, BAD_PTR, sizeof addr), EFAULT);
    assert_errno(connect(fd, (struct sockaddr *)&addr, 1), EINVAL);
    addr.sun_family = AF_INET;
    assert_errno(bind(fd, (struct sockaddr *)&addr, sizeof addr), EINVAL);
    assert_errno(connect(fd, (struct sockaddr *)&addr, sizeof addr), EINVAL);
    must(close(fd));
}

/* covers: bind connect */
static void abstract_name_needs_no_file(void **state)
{
    (void)state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int listener = new_stream(), client = new_stream(), other = new_stream();
    int n = snprintf(addr.sun_path + 1, 60, "conformance.%d.%lld", getpid(), (long long)now_ns());
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);

    must(bind(listener, (struct sockaddr *)&addr, size));
    assert_errno(bind(other, (struct sockaddr *)&addr, size), EADDRINUSE);
    must(listen(listener, 1));
    must(connect(client, (struct sockaddr *)&addr, size));
    must(close(listener));
    must(bind(other, (struct sockaddr *)&addr, size)); /* free again with the last close */
    must(close(client));
    must(close(other));
}

/* covers: bind getsockname */
static void kernel_chooses_a_name_when_there_is_none(void **state)
{
    (void)state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    socklen_t size = sizeof addr;
    int fd = new_stream();

    must(bind(fd, (struct sockaddr *)&addr, sizeof addr.sun_family));
    must(getsockname(fd, (struct sockaddr *)&addr, &size));
    assert_int_equal(size, sizeof addr.sun_family + 6);
    assert_int_equal(addr.sun_path[0], 0);
    must(close(fd));
}

/* covers: getsockname getpeername accept */
static void names_are_told(void **state)
{
    (void)state;
    struct sockaddr_un addr;
    socklen_t size = sizeof addr;
    int listener = new_listener("s", 5), client = new_stream();

    must(do_connect(client, "s"));
    int server = must(accept(listener, (struct sockaddr *)&addr, &size));
    assert_int_equal(size, sizeof addr.sun_family); /* the client has no name */
    size = sizeof addr;
    must(getpeername(client, (struct sockaddr *)&addr, &size));
    assert_string_equal(addr.sun_path, "s");
    assert_int_equal(size, offsetof(struct sockaddr_un, sun_path) + 2);
    size = sizeof addr;
    must(getsockname(server, (struct sockaddr *)&addr, &size));
    assert_string_equal(addr.sun_path, "s");
    must(close(server));
    must(close(client));
    must(close(listener));
}

/* covers: getsockname EINVAL EFAULT */
static void short_buffer_for_a_name_is_filled_as_far_as_it_goes(void **state)
{
    (void)state;
    struct sockaddr_un addr;
    socklen_t size = 3;
    int fd = new_stream();

    memset(&addr, 0x5a, sizeof addr);
    must(do_bind(fd, "name"));
    must(getsockname(fd, (struct sockaddr *)&addr, &size));
    assert_int_equal(size, offsetof(struct sockaddr_un, sun_path) + 5);
    assert_int_equal(addr.sun_path[0], 'n');
    assert_int_equal(addr.sun_path[1], 0x5a);
    size = (socklen_t)-1;
    assert_errno(getsockname(fd, (struct sockaddr *)&addr, &size), EINVAL);
    size = sizeof addr;
    assert_errno(getsockname(fd, BAD_PTR, &size), EFAULT);
    assert_errno(getsockname(fd, (struct sockaddr *)&addr, BAD_PTR), EFAULT);
    must(close(fd));
}

/* covers: connect ECONNREFUSED ENOENT EPROTOTYPE EACCES */
static void connecting_nowhere_is_refused(void **state)
{
    (void)state;
    int fd = new_stream(), quiet = new_stream(), gram = must(socket(AF_UNIX, SOCK_DGRAM, 0));

    make_file("f", NULL);
    must(do_bind(quiet, "quiet"));
    must(do_bind(gram, "gram"));
    assert_errno(do_connect(fd, "none"), ENOENT);
    assert_errno(do_connect(fd, "f"), ECONNREFUSED);
    assert_errno(do_connect(fd, "quiet"), ECONNREFUSED); /* does not listen */
    assert_errno(do_connect(fd, "gram"), EPROTOTYPE);
    must(chmod("quiet", 0));
    as_nobody(assert_errno(do_connect(fd, "quiet"), EACCES));
    must(close(quiet));
    must(close(gram));
    must(close(fd));
}

/* covers: connect EISCONN accept EINVAL listen EINVAL */
static void connected_socket_cannot_connect_again(void **state)
{
    (void)state;
    int fds[2];

    connect_pair(fds);
    int listener = new_listener("t", 1);
    assert_errno(do_connect(fds[0], "t"), EISCONN);
    assert_errno(accept(fds[0], NULL, NULL), EINVAL);
    assert_errno(listen(fds[0], 1), EINVAL);
    must(close(listener));
    close_pair(fds);
}

/* covers: getpeername ENOTCONN sendto ENOTCONN recvfrom EINVAL */
static void unconnected_socket_has_no_peer(void **state)
{
    (void)state;
    struct sockaddr_un addr;
    socklen_t size = sizeof addr;
    int fd = new_stream();
    char c;

    assert_errno(getpeername(fd, (struct sockaddr *)&addr, &size), ENOTCONN);
    assert_errno(send(fd, "x", 1, 0), ENOTCONN);
    assert_errno(recv(fd, &c, 1, 0), EINVAL);
    must(close(fd));
}

/* covers: connect EAGAIN */
static void full_backlog_would_block(void **state)
{
    (void)state;
    int listener = new_listener("s", 0), clients[4], refused = 0;

    for (int i = 0; i < 4; i++) {
        clients[i] = must(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
        if (do_connect(clients[i], "s") == -1) {
            assert_int_equal(errno, EAGAIN);
            refused++;
        }
    }
    assert_int_equal(refused, 3);
    for (int i = 0; i < 4; i++)
        must(close(clients[i]));
    must(close(listener));
}

/* covers: accept */
static void accept_waits_for_a_connection(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int listener = new_listener("s", 1);
    pid_t pid = child_fork();

    if (pid == 0) {
        gate_open(gate);
        must(accept(listener, NULL, NULL));
        _exit(0);
    }
    gate_wait_blocked(gate);
    int client = new_stream();
    must(do_connect(client, "s"));
    assert_child_ok(pid);
    must(close(client));
    must(close(listener));
}

/* covers: accept EAGAIN EINTR accept4 EINVAL */
static void accept_without_connections(void **state)
{
    (void)state;
    int listener = new_listener("s", 1);

    interrupts_start(0);
    assert_errno(accept(listener, NULL, NULL), EINTR);
    interrupts_stop();
    must(fcntl(listener, F_SETFL, O_NONBLOCK));
    assert_errno(accept(listener, NULL, NULL), EAGAIN);
    assert_errno(accept4(listener, NULL, NULL, 1), EINVAL);
    must(close(listener));
}

/* covers: accept4 SOCK_CLOEXEC SOCK_NONBLOCK accept */
static void accepted_socket_has_flags_of_its_own(void **state)
{
    (void)state;
    int listener = must(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)), a = new_stream();
    int b = new_stream();

    must(do_bind(listener, "s"));
    must(listen(listener, 2));
    must(do_connect(a, "s"));
    must(do_connect(b, "s"));
    int plain = must(accept(listener, NULL, NULL));
    assert_int_equal(fcntl(plain, F_GETFL) & O_NONBLOCK, 0);
    assert_returns(fcntl(plain, F_GETFD), 0);
    int flagged = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    assert_int_equal(fcntl(flagged, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    assert_returns(fcntl(flagged, F_GETFD), FD_CLOEXEC);
    must(close(plain));
    must(close(flagged));
    must(close(a));
    must(close(b));
    must(close(listener));
}

/* covers: recvfrom MSG_PEEK */
static void peek_leaves_the_data(void **state)
{
    (void)state;
    int fds[2];
    char text[8];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    assert_returns(send(fds[0], "abc", 3, 0), 3);
    assert_returns(recv(fds[1], text, sizeof text, MSG_PEEK), 3);
    assert_returns(recv(fds[1], text, sizeof text, 0), 3);
    close_pair(fds);
}

/* covers: recvfrom MSG_WAITALL MSG_DONTWAIT EAGAIN */
static void waitall_waits_for_everything(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int fds[2];
    char c;

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    assert_errno(recv(fds[1], &c, 1, MSG_DONTWAIT), EAGAIN);
    assert_returns(send(fds[0], "abc", 3, 0), 3);
    pid_t pid = child_fork();
    if (pid == 0) {
        char text[6];
        gate_open(gate);
        assert_returns(recv(fds[1], text, 6, MSG_WAITALL), 6);
        assert_memory_equal(text, "abcdef", 6);
        _exit(0);
    }
    gate_wait_blocked(gate);
    assert_returns(send(fds[0], "def", 3, 0), 3);
    assert_child_ok(pid);
    close_pair(fds);
}

/* covers: recvfrom sendto EPIPE ECONNRESET MSG_NOSIGNAL */
static void peer_that_closed_is_noticed(void **state)
{
    (void)state;
    int fds[2];
    char c;

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    must(close(fds[1]));
    assert_returns(recv(fds[0], &c, 1, 0), 0);
    assert_errno(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    catch_signal(SIGPIPE, 0);
    assert_errno(send(fds[0], "x", 1, 0), EPIPE);
    assert_int_equal(caught[SIGPIPE], 1);
    default_signal(SIGPIPE);
    must(close(fds[0]));

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    assert_returns(send(fds[0], "unread", 6, 0), 6);
    must(close(fds[1]));
    assert_errno(recv(fds[0], &c, 1, 0), ECONNRESET);
    must(close(fds[0]));
}

/* covers: sendto EAGAIN poll POLLOUT */
static void full_socket_would_block_until_it_is_read(void **state)
{
    (void)state;
    static char data[65536];
    int fds[2];
    ssize_t n;

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    while ((n = send(fds[0], data, sizeof data, 0)) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
    struct pollfd p = {.fd = fds[0], .events = POLLOUT};
    assert_returns(poll(&p, 1, 0), 0);
    while (recv(fds[1], data, sizeof data, 0) > 0)
        continue;
    assert_returns(poll(&p, 1, 0), 1);
    assert_int_equal(p.revents, POLLOUT);
    close_pair(fds);
}

/* covers: sendto recvfrom */
static void large_transfer_is_complete(void **state)
{
    (void)state;
    enum { SIZE = 1000003 };
    unsigned char *data = malloc(SIZE), *back = malloc(SIZE);
    int fds[2];
    size_t got = 0;

    for (size_t i = 0; i < SIZE; i++)
        data[i] = (unsigned char)(i * 11 + i / 999);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    pid_t pid = child_fork();
    if (pid == 0) {
        assert_returns(send(fds[0], data, SIZE, 0), SIZE);
        _exit(0);
    }
    while (got < SIZE)
        got += (size_t)must(recv(fds[1], back + got, SIZE - got, 0));
    assert_memory_equal(back, data, SIZE);
    assert_child_ok(pid);
    free(data);
    free(back);
    close_pair(fds);
}

/* covers: sendto EFAULT recvfrom EFAULT */
static void bad_addresses_fault(void **state)
{
    (void)state;
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    assert_errno(send(fds[0], BAD_PTR, 5, 0), EFAULT);
    assert_returns(send(fds[0], "hello", 5, 0), 5);
    assert_errno(recv(fds[1], BAD_PTR, 5, 0), EFAULT);
    close_pair(fds);
}

/* covers: sendto EISCONN EOPNOTSUPP */
static void address_given_to_a_stream_is_refused(void **state)
{
    (void)state;
    struct sockaddr_un addr = named("s");
    int fds[2], fd = new_stream();

    connect_pair(fds);
    assert_errno(sendto(fds[0], "x", 1, 0, (struct sockaddr *)&addr, sizeof addr), EISCONN);
    assert_errno(sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, sizeof addr), EOPNOTSUPP);
    must(close(fd));
    close_pair(fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(bytes_go_both_ways),
        tempdir_test(bind_makes_a_socket_file),
        tempdir_test(taken_name_is_refused),
        tempdir_test(path_errors_of_bind),
        tempdir_test(address_sizes_are_checked),
        tempdir_test(abstract_name_needs_no_file),
        tempdir_test(kernel_chooses_a_name_when_there_is_none),
        tempdir_test(names_are_told),
        tempdir_test(short_buffer_for_a_name_is_filled_as_far_as_it_goes),
        tempdir_test(connecting_nowhere_is_refused),
        tempdir_test(connected_socket_cannot_connect_again),
        tempdir_test(unconnected_socket_has_no_peer),
        tempdir_test(full_backlog_would_block),
        tempdir_test(accept_waits_for_a_connection),
        tempdir_test(accept_without_connections),
        tempdir_test(accepted_socket_has_flags_of_its_own),
        cmocka_unit_test(peek_leaves_the_data),
        cmocka_unit_test(waitall_waits_for_everything),
        cmocka_unit_test(peer_that_closed_is_noticed),
        cmocka_unit_test(full_socket_would_block_until_it_is_read),
        cmocka_unit_test(large_transfer_is_complete),
        cmocka_unit_test(bad_addresses_fault),
        tempdir_test(address_given_to_a_stream_is_refused),
    };

    return cmocka_run_group_tests_name("net/unix_stream", tests, NULL, NULL);
}
