/* unix_names.c: unix(7): bind(2), connect(2), listen(2) and the names of sockets: rights, ends, waiting. */
#include "../lib/check.h"

#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t name_of(struct sockaddr_un *addr, const char *path)
{
    memset(addr, 0, sizeof(*addr));
    addr->sun_family = AF_UNIX;
    strcpy(addr->sun_path, path);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
}

static int bound(int type, const char *path)
{
    struct sockaddr_un addr;
    socklen_t len = name_of(&addr, path);
    int fd = must(socket(AF_UNIX, type, 0));

    must(bind(fd, (struct sockaddr *)&addr, len));
    return fd;
}

static int connect_to(int fd, const char *path)
{
    struct sockaddr_un addr;
    socklen_t len = name_of(&addr, path);

    return connect(fd, (struct sockaddr *)&addr, len);
}

/* covers: bind umask */
static void mode_of_the_file_goes_by_the_mask(void **state)
{
    (void)state;
    struct stat st;
    mode_t old = umask(0027);
    int fd = bound(SOCK_STREAM, "sock");

    umask(old);
    must(stat("sock", &st));
    assert_int_equal(st.st_mode, S_IFSOCK | 0750);
    assert_int_equal(st.st_uid, geteuid());
    must(close(fd));
    must(stat("sock", &st)); /* the name outlives the socket */
}

/* covers: bind fchmod */
static void mode_of_the_socket_is_passed_to_the_file(void **state)
{
    (void)state;
    struct sockaddr_un addr;
    socklen_t len = name_of(&addr, "sock");
    struct stat st;
    int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));

    must(fchmod(fd, 0700));
    must(bind(fd, (struct sockaddr *)&addr, len));
    must(stat("sock", &st));
    assert_int_equal(st.st_mode, S_IFSOCK | 0700);
    must(close(fd));
}

/* covers: bind EACCES EROFS ENOENT ENOTDIR ELOOP EINVAL */
static void directory_must_take_the_name(void **state)
{
    (void)state;
    struct sockaddr_un addr;
    int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));

    make_file("file", NULL);
    must(symlink("loop", "loop"));
    assert_errno(bind(fd, (struct sockaddr *)&addr, name_of(&addr, "none/sock")), ENOENT);
    assert_errno(bind(fd, (struct sockaddr *)&addr, name_of(&addr, "file/sock")), ENOTDIR);
    assert_errno(bind(fd, (struct sockaddr *)&addr, name_of(&addr, "loop/sock")), ELOOP);
    must(chmod(".", 0555));
    as_nobody(assert_errno(bind(fd, (struct sockaddr *)&addr, name_of(&addr, "sock")), EACCES));
    must(chmod(".", 0755));
    must(bind(fd, (struct sockaddr *)&addr, name_of(&addr, "sock")));
    assert_errno(bind(fd, (struct sockaddr *)&addr, name_of(&addr, "other")), EINVAL);
    must(close(fd));
}

/* covers: bind EADDRINUSE */
static void any_file_takes_the_name(void **state)
{
    (void)state;
    struct sockaddr_un addr;
    int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));

    make_file("file", NULL);
    must(symlink("nowhere", "link"));
    assert_errno(bind(fd, (struct sockaddr *)&addr, name_of(&addr, "file")), EADDRINUSE);
    assert_errno(bind(fd, (struct sockaddr *)&addr, name_of(&addr, "link")), EADDRINUSE);
    assert_errno(bind(fd, (struct sockaddr *)&addr, name_of(&addr, ".")), EADDRINUSE);
    must(close(fd));
}

/* covers: bind getsockname */
static void path_of_full_length_needs_no_zero(void **state)
{
    (void)state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct {
        struct sockaddr_un addr;
        char more[8];
    } told = {0};
    socklen_t len = sizeof(told);
    char text[109] = "";
    struct stat st;
    int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));

    memset(addr.sun_path, 'x', sizeof(addr.sun_path));
    memset(text, 'x', 108);
    must(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
    must(stat(text, &st));
    must(getsockname(fd, (struct sockaddr *)&told, &len));
    assert_int_equal(len, sizeof(addr) + 1);
    assert_memory_equal(&told, &addr, sizeof(addr));
    must(close(fd));
}

/* covers: open ENXIO */
static void socket_file_cannot_be_opened(void **state)
{
    (void)state;
    int fd = bound(SOCK_STREAM, "sock");

    assert_errno(open("sock", O_RDWR), ENXIO);
    must(close(must(open("sock", O_PATH))));
    must(close(fd));
}

/* covers: connect EACCES */
static void connecting_needs_the_right_to_write(void **state)
{
    (void)state;
    need_root(); /* to be somebody else than the owner */
    int fd = bound(SOCK_STREAM, "sock"), client = must(socket(AF_UNIX, SOCK_STREAM, 0));

    must(listen(fd, 1));
    must(chmod("sock", 0555));
    as_nobody(assert_errno(connect_to(client, "sock"), EACCES));
    must(chmod("sock", 0777));
    must(mkdir("dir", 0700));
    must(rename("sock", "dir/sock"));
    as_nobody(assert_errno(connect_to(client, "dir/sock"), EACCES));
    must(connect_to(client, "dir/sock"));
    must(close(client));
    must(close(fd));
}

/* covers: connect link rename unlink */
static void other_names_lead_to_the_same_socket(void **state)
{
    (void)state;
    int fd = bound(SOCK_STREAM, "sock"), clients[3];

    must(listen(fd, 8));
    for (int i = 0; i < 3; i++)
        clients[i] = must(socket(AF_UNIX, SOCK_STREAM, 0));
    must(link("sock", "hard"));
    must(symlink("hard", "soft"));
    must(unlink("sock"));
    must(connect_to(clients[0], "hard"));
    must(connect_to(clients[1], "soft"));
    must(unlink("hard"));
    assert_errno(connect_to(clients[2], "soft"), ENOENT);
    for (int i = 0; i < 3; i++)
        must(close(clients[i]));
    must(close(fd));
}

/* covers: connect ECONNREFUSED EPROTOTYPE */
static void nobody_behind_the_name_refuses(void **state)
{
    (void)state;
    int fd = bound(SOCK_STREAM, "sock"), client = must(socket(AF_UNIX, SOCK_STREAM, 0));
    int dgram = must(socket(AF_UNIX, SOCK_DGRAM, 0));

    assert_errno(connect_to(client, "sock"), ECONNREFUSED);
    assert_errno(connect_to(dgram, "sock"), EPROTOTYPE);
    must(close(fd));
    assert_errno(connect_to(client, "sock"), ECONNREFUSED);
    make_file("file", NULL);
    assert_errno(connect_to(client, "file"), ECONNREFUSED);
    must(close(dgram));
    must(close(client));
}

/* covers: bind */
static void abstract_name_is_free_when_its_socket_is_closed(void **state)
{
    (void)state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "\0myst-name"};
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + 10;
    int a = must(socket(AF_UNIX, SOCK_STREAM, 0)), b = must(socket(AF_UNIX, SOCK_STREAM, 0));
    int c = must(socket(AF_UNIX, SOCK_DGRAM, 0));

    must(bind(a, (struct sockaddr *)&addr, len));
    assert_errno(bind(b, (struct sockaddr *)&addr, len), EADDRINUSE);
    must(bind(c, (struct sockaddr *)&addr, len)); /* of another type it is another name */
    must(close(a));
    must(bind(b, (struct sockaddr *)&addr, len));
    must(close(b));
    must(close(c));
}

/* covers: listen EINVAL EOPNOTSUPP */
static void only_named_streams_listen(void **state)
{
    (void)state;
    int pair[2], fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
    int dgram = must(socket(AF_UNIX, SOCK_DGRAM, 0));

    assert_errno(listen(fd, 1), EINVAL);
    assert_errno(listen(dgram, 1), EOPNOTSUPP);
    assert_errno(accept(dgram, NULL, NULL), EOPNOTSUPP);
    assert_errno(accept(fd, NULL, NULL), EINVAL);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    assert_errno(listen(pair[0], 1), EINVAL);
    must(close(fd));
    must(close(dgram));
    must(close(pair[0]));
    must(close(pair[1]));
}

/* covers: connect listen accept */
static void connecting_waits_for_a_place_in_the_queue(void **state)
{
    (void)state;
    int fd = bound(SOCK_STREAM, "sock"), first = must(socket(AF_UNIX, SOCK_STREAM, 0)), nb;

    must(listen(fd, 0));
    must(connect_to(first, "sock"));
    nb = must(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    assert_errno(connect_to(nb, "sock"), EAGAIN);
    pid_t child = child_fork();
    if (child == 0) {
        int second = must(socket(AF_UNIX, SOCK_STREAM, 0));

        must(connect_to(second, "sock"));
        _exit(0);
    }
    assert_eventually(process_state(child) == 'S');
    must(close(must(accept(fd, NULL, NULL))));
    assert_child_ok(child);
    must(close(nb));
    must(close(first));
    must(close(fd));
}

/* covers: connect ECONNREFUSED close */
static void waiting_connection_learns_that_the_listener_is_gone(void **state)
{
    (void)state;
    int fd = bound(SOCK_STREAM, "sock"), first = must(socket(AF_UNIX, SOCK_STREAM, 0));
    char c;

    must(listen(fd, 0));
    must(connect_to(first, "sock"));
    pid_t child = child_fork();
    if (child == 0) {
        int second = must(socket(AF_UNIX, SOCK_STREAM, 0));

        must(close(fd));
        assert_errno(connect_to(second, "sock"), ECONNREFUSED);
        _exit(0);
    }
    assert_eventually(process_state(child) == 'S');
    must(close(fd));
    assert_child_ok(child);
    assert_errno(recv(first, &c, 1, 0), ECONNRESET);
    must(close(first));
}

/* covers: shutdown accept EINVAL */
static void listener_that_is_shut_down_accepts_no_more(void **state)
{
    (void)state;
    int fd = bound(SOCK_STREAM, "sock"), client = must(socket(AF_UNIX, SOCK_STREAM, 0));

    must(listen(fd, 4));
    must(shutdown(fd, SHUT_RD));
    assert_errno(accept(fd, NULL, NULL), EINVAL);
    assert_errno(connect_to(client, "sock"), ECONNREFUSED);
    must(close(client));
    must(close(fd));
}

/* covers: connect getsockopt SO_PEERCRED SO_ACCEPTCONN */
static void client_sees_who_listens(void **state)
{
    (void)state;
    int fd = bound(SOCK_STREAM, "sock"), value;
    socklen_t len = sizeof(value);

    must(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
    assert_int_equal(value, 0);
    must(listen(fd, 4));
    must(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
    assert_int_equal(value, 1);
    pid_t parent = getpid();
    in_child({
        int client = must(socket(AF_UNIX, SOCK_STREAM, 0));
        struct ucred cred;
        socklen_t size = sizeof(cred);

        must(connect_to(client, "sock"));
        must(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &cred, &size));
        assert_int_equal(cred.pid, parent);
        assert_int_equal(cred.uid, geteuid());
    });
    must(close(fd));
}

/* covers: recvfrom getpeername accept */
static void accepted_connection_has_the_listeners_name(void **state)
{
    (void)state;
    struct sockaddr_un addr = {0};
    socklen_t len = sizeof(addr);
    char c;
    int fd = bound(SOCK_STREAM, "sock"), client = must(socket(AF_UNIX, SOCK_STREAM, 0)), end;

    must(listen(fd, 4));
    must(connect_to(client, "sock"));
    end = must(accept(fd, (struct sockaddr *)&addr, &len));
    assert_int_equal(len, 2); /* the client has none */
    len = sizeof(addr);
    must(getsockname(end, (struct sockaddr *)&addr, &len));
    assert_string_equal(addr.sun_path, "sock");
    len = sizeof(addr);
    must(getpeername(client, (struct sockaddr *)&addr, &len));
    assert_string_equal(addr.sun_path, "sock");
    must(send(end, "x", 1, 0));
    len = sizeof(addr);
    memset(&addr, 0, sizeof(addr));
    assert_returns(recvfrom(client, &c, 1, 0, (struct sockaddr *)&addr, &len), 1);
    assert_string_equal(addr.sun_path, "sock");
    must(close(end));
    must(close(client));
    must(close(fd));
}

/* covers: poll POLLOUT POLLHUP POLLIN */
static void poll_follows_the_state(void **state)
{
    (void)state;
    int fd = bound(SOCK_STREAM, "sock"), client = must(socket(AF_UNIX, SOCK_STREAM, 0));
    struct pollfd pfd = {.fd = client, .events = POLLIN | POLLOUT};

    assert_returns(poll(&pfd, 1, 0), 1);
    assert_int_equal(pfd.revents, POLLOUT | POLLHUP);
    must(listen(fd, 4));
    pfd.fd = fd;
    assert_returns(poll(&pfd, 1, 0), 0);
    must(connect_to(client, "sock"));
    assert_returns(poll(&pfd, 1, 0), 1);
    assert_int_equal(pfd.revents, POLLIN);
    pfd.fd = client;
    assert_returns(poll(&pfd, 1, 0), 1);
    assert_int_equal(pfd.revents, POLLOUT);
    must(close(client));
    must(close(fd));
}

/* covers: sendto connect poll POLLOUT */
static void poll_tells_when_a_datagram_receiver_has_room(void **state)
{
    (void)state;
    int server = bound(SOCK_DGRAM, "sock"), client = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    struct pollfd pfd = {.fd = client, .events = POLLOUT};
    char c;

    must(connect_to(client, "sock"));
    while (send(client, "x", 1, MSG_DONTWAIT) == 1)
        ;
    assert_int_equal(errno, EAGAIN);
    assert_returns(poll(&pfd, 1, 0), 0);
    pid_t child = child_fork();
    if (child == 0) {
        assert_returns(poll(&pfd, 1, PATIENCE_MS), 1);
        must(send(client, "y", 1, MSG_DONTWAIT));
        _exit(0);
    }
    assert_eventually(process_state(child) == 'S');
    must(recv(server, &c, 1, 0));
    assert_child_ok(child);
    must(close(client));
    must(close(server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(mode_of_the_file_goes_by_the_mask),
        tempdir_test(mode_of_the_socket_is_passed_to_the_file),
        tempdir_test(directory_must_take_the_name),
        tempdir_test(any_file_takes_the_name),
        tempdir_test(path_of_full_length_needs_no_zero),
        tempdir_test(socket_file_cannot_be_opened),
        tempdir_test(connecting_needs_the_right_to_write),
        tempdir_test(other_names_lead_to_the_same_socket),
        tempdir_test(nobody_behind_the_name_refuses),
        cmocka_unit_test(abstract_name_is_free_when_its_socket_is_closed),
        cmocka_unit_test(only_named_streams_listen),
        tempdir_test(connecting_waits_for_a_place_in_the_queue),
        tempdir_test(waiting_connection_learns_that_the_listener_is_gone),
        tempdir_test(listener_that_is_shut_down_accepts_no_more),
        tempdir_test(client_sees_who_listens),
        tempdir_test(accepted_connection_has_the_listeners_name),
        tempdir_test(poll_follows_the_state),
        tempdir_test(poll_tells_when_a_datagram_receiver_has_room),
    };

    return cmocka_run_group_tests_name("net/unix_names", tests, NULL, NULL);
}
