/* unix_rights.c: unix(7): descriptors and processes passed along: limits, cycles, what is not taken. */
#include "../lib/check.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

#define MOST 253 /* unix(7), SCM_MAX_FD */

static ssize_t send_many(int sock, const int *fds, size_t count)
{
    static char control[CMSG_SPACE(sizeof(int) * (MOST + 1))];
    struct iovec iov = {"F", 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = CMSG_SPACE(sizeof(int) * count)};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * count);
    return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Receives a message of one byte: the first control message, of so many bytes at most, or NULL. */
static struct cmsghdr *take(int sock, int flags, int *msg_flags)
{
    static char control[CMSG_SPACE(sizeof(int) * MOST) + 256] __attribute__((aligned(8)));
    static struct msghdr msg;
    static char c;
    static struct iovec iov = {&c, 1};

    msg = (struct msghdr){.msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof(control)};
    assert_returns(recvmsg(sock, &msg, flags), 1);
    if (msg_flags)
        *msg_flags = msg.msg_flags;
    return CMSG_FIRSTHDR(&msg);
}

static size_t count_of(const struct cmsghdr *cmsg)
{
    return (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

static bool all_closed(int pipe_end)
{
    struct pollfd pfd = {.fd = pipe_end, .events = POLLIN};

    return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP);
}

/* The same, looking for garbage first: each end of some socket does. */
static bool all_collected(int pipe_end)
{
    must(close(must(socket(AF_UNIX, SOCK_STREAM, 0))));
    return all_closed(pipe_end);
}

/* covers: sendmsg SCM_RIGHTS EINVAL recvmsg */
static void no_more_than_253_go_at_once(void **state)
{
    (void)state;
    int pair[2], fds[MOST + 1];
    struct cmsghdr *cmsg;

    for (int i = 0; i <= MOST; i++)
        fds[i] = STDIN_FILENO;
    must(fcntl(STDIN_FILENO, F_GETFD));
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    assert_errno(send_many(pair[0], fds, MOST + 1), EINVAL);
    assert_returns(send_many(pair[0], fds, MOST), 1);
    cmsg = take(pair[1], 0, NULL);
    assert_non_null(cmsg);
    assert_int_equal(count_of(cmsg), MOST);
    for (int i = 0; i < MOST; i++)
        must(close(((int *)CMSG_DATA(cmsg))[i]));
    must(close(pair[0]));
    must(close(pair[1]));
}

/* covers: recvmsg MSG_PEEK SCM_RIGHTS */
static void peek_gives_descriptors_too(void **state)
{
    (void)state;
    int pair[2], ends[2], first, second;
    char c;

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    must(pipe(ends));
    assert_returns(send_many(pair[0], &ends[1], 1), 1);
    must(close(ends[1]));
    first = *(int *)CMSG_DATA(take(pair[1], MSG_PEEK, NULL));
    second = *(int *)CMSG_DATA(take(pair[1], 0, NULL));
    assert_true(first != second);
    must(write(first, "1", 1));
    must(close(first));
    must(write(second, "2", 1));
    must(close(second));
    must(read(ends[0], &c, 1));
    must(read(ends[0], &c, 1));
    assert_returns(read(ends[0], &c, 1), 0);
    must(close(ends[0]));
    must(close(pair[0]));
    must(close(pair[1]));
}

/* covers: recvmsg EMFILE MSG_CTRUNC SCM_RIGHTS */
static void full_table_cuts_the_list(void **state)
{
    (void)state;
    in_child({
        int pair[2], ends[2], fds[3], flags;
        struct rlimit limit;
        struct cmsghdr *cmsg;

        must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        must(pipe(ends));
        for (int i = 0; i < 3; i++)
            fds[i] = ends[1];
        assert_returns(send_many(pair[0], fds, 3), 1);
        must(close(ends[1]));
        int lowest = must(dup(0));
        must(close(lowest));
        must(getrlimit(RLIMIT_NOFILE, &limit));
        limit.rlim_cur = (rlim_t)lowest + 1;
        must(setrlimit(RLIMIT_NOFILE, &limit));
        cmsg = take(pair[1], 0, &flags);
        assert_non_null(cmsg);
        assert_true(flags & MSG_CTRUNC);
        size_t n = count_of(cmsg);
        assert_true(n < 3);
        for (size_t i = 0; i < n; i++)
            must(close(((int *)CMSG_DATA(cmsg))[i]));
        assert_true(all_closed(ends[0]));
    });
}

/* covers: sendmsg SCM_RIGHTS close */
static void socket_sent_to_itself_is_collected(void **state)
{
    (void)state;
    int pair[2], ends[2], fds[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    must(pipe(ends));
    /* pair[1] lies in its own queue, with the pipe that tells when it is gone */
    fds[0] = pair[1];
    fds[1] = ends[1];
    assert_returns(send_many(pair[0], fds, 2), 1);
    must(close(ends[1]));
    must(close(pair[1]));
    assert_false(all_closed(ends[0]));
    must(close(pair[0]));
    assert_eventually(all_collected(ends[0]));
    must(close(ends[0]));
}

/* covers: sendmsg SCM_RIGHTS close */
static void cycle_of_two_is_collected(void **state)
{
    (void)state;
    int a[2], b[2], ends[2];

    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, a));
    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, b));
    must(pipe(ends));
    assert_returns(send_many(a[0], &b[1], 1), 1); /* b[1] lies in a[1] */
    assert_returns(send_many(b[0], &a[1], 1), 1); /* a[1] lies in b[1] */
    assert_returns(send_many(a[0], &ends[1], 1), 1);
    must(close(ends[1]));
    must(close(a[0]));
    must(close(b[0]));
    must(close(a[1]));
    assert_false(all_closed(ends[0]));
    must(close(b[1]));
    assert_eventually(all_collected(ends[0]));
    must(close(ends[0]));
}

/* covers: sendmsg SCM_RIGHTS close */
static void reachable_socket_is_not_collected(void **state)
{
    (void)state;
    int outer[2], inner[2], got;
    char c;

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, outer));
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, inner));
    must(write(inner[0], "kept", 4));
    assert_returns(send_many(inner[0], &inner[0], 1), 1); /* reached through inner[1] only */
    assert_returns(send_many(outer[0], &inner[1], 1), 1);
    must(close(inner[0]));
    must(close(inner[1]));
    for (int i = 0; i < 3; i++)
        must(close(must(socket(AF_UNIX, SOCK_STREAM, 0)))); /* looks for garbage */
    got = *(int *)CMSG_DATA(take(outer[1], 0, NULL));
    for (int i = 0; i < 4; i++)
        assert_returns(read(got, &c, 1), 1);
    assert_int_equal(c, 't');
    must(close(got));
    must(close(outer[0]));
    must(close(outer[1]));
}

/* covers: close SCM_RIGHTS accept */
static void cycle_through_a_listening_socket_is_collected(void **state)
{
    (void)state;
    struct sockaddr name = {.sa_family = AF_UNIX, .sa_data = "\0myst-cycle"};
    int server = must(socket(AF_UNIX, SOCK_STREAM, 0));
    int client = must(socket(AF_UNIX, SOCK_STREAM, 0));
    int ends[2], fds[2];

    must(pipe(ends));
    must(bind(server, &name, sizeof(name)));
    must(listen(server, 1));
    must(connect(client, &name, sizeof(name)));
    fds[0] = server;
    fds[1] = ends[1];
    assert_returns(send_many(client, fds, 2), 1); /* in the connection that the server holds */
    must(close(ends[1]));
    must(close(client));
    assert_false(all_closed(ends[0]));
    must(close(server));
    assert_eventually(all_collected(ends[0]));
    must(close(ends[0]));
}

/* covers: close SCM_RIGHTS */
static void long_chain_is_closed(void **state)
{
    (void)state;
    int ends[2], carried, pair[2];

    must(pipe(ends));
    carried = ends[1];
    for (int i = 0; i < 4000; i++) {
        must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
        if (send_many(pair[0], &carried, 1) != 1) {
            /* Linux before 6.10 lets only a few sockets lie in each other. */
            assert_int_equal(errno, ETOOMANYREFS);
            must(close(pair[0]));
            must(close(pair[1]));
            break;
        }
        must(close(carried));
        must(close(pair[0]));
        carried = pair[1];
    }
    assert_false(all_closed(ends[0]));
    must(close(carried));
    assert_eventually(all_closed(ends[0]));
    must(close(ends[0]));
}

/* covers: sendmsg ETOOMANYREFS */
static void user_may_have_so_many_on_their_way(void **state)
{
    (void)state;
    as_nobody({
        struct rlimit limit = {.rlim_cur = 40, .rlim_max = 40};
        int pair[2], n = 0;

        must(setrlimit(RLIMIT_NOFILE, &limit));
        must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        if (has_capability(CAP_SYS_RESOURCE) || has_capability(CAP_SYS_ADMIN))
            skip_because("it has the right to have more");
        while (n < 100 && send_many(pair[0], &pair[0], 1) == 1)
            n++;
        assert_int_equal(errno, ETOOMANYREFS);
        assert_true(n > 40 - 1 && n < 100);
    });
}

/* covers: sendmsg SCM_RIGHTS */
static void path_descriptor_can_be_passed(void **state)
{
    (void)state;
    int pair[2], fd = must(open("/", O_PATH)), got;

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    assert_returns(send_many(pair[0], &fd, 1), 1);
    got = *(int *)CMSG_DATA(take(pair[1], 0, NULL));
    assert_true(fcntl(got, F_GETFL) & O_PATH);
    must(close(got));
    must(close(fd));
    must(close(pair[0]));
    must(close(pair[1]));
}

/* covers: setsockopt SO_PASSPIDFD recvmsg SCM_PIDFD */
static void process_of_the_sender_is_told_when_asked(void **state)
{
    (void)state;
    int pair[2], on = 1;
    struct cmsghdr *cmsg;
    struct pollfd pfd = {.events = POLLIN};

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    if (setsockopt(pair[1], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)) && errno == ENOPROTOOPT)
        skip_because("SO_PASSPIDFD is not in the running kernel");
    pid_t child = child_fork();
    if (child == 0) {
        must(send(pair[0], "x", 1, 0));
        pause();
        _exit(0);
    }
    cmsg = take(pair[1], 0, NULL);
    assert_non_null(cmsg);
    assert_int_equal(cmsg->cmsg_type, SCM_PIDFD);
    pfd.fd = *(int *)CMSG_DATA(cmsg);
    assert_true(fcntl(pfd.fd, F_GETFD) & FD_CLOEXEC);
    assert_returns(poll(&pfd, 1, 0), 0);
    child_kill(child);
    assert_returns(poll(&pfd, 1, PATIENCE_MS), 1);
    must(close(pfd.fd));
    must(close(pair[0]));
    must(close(pair[1]));
}

/* covers: getsockopt SO_PEERPIDFD */
static void process_of_the_peer_is_told(void **state)
{
    (void)state;
    int pair[2], fd, dgram = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    socklen_t len = sizeof(fd);
    char path[64], line[256];
    bool found = false;

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    if (getsockopt(pair[0], SOL_SOCKET, SO_PEERPIDFD, &fd, &len) && errno == ENOPROTOOPT)
        skip_because("SO_PEERPIDFD is not in the running kernel");
    assert_int_equal(len, sizeof(fd));
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    FILE *info = fopen(path, "r");
    assert_non_null(info);
    while (fgets(line, sizeof(line), info)) {
        int pid;

        if (sscanf(line, "Pid:%d", &pid) == 1)
            found = pid == getpid();
    }
    fclose(info);
    assert_true(found);
    must(close(fd));
    assert_errno(getsockopt(dgram, SOL_SOCKET, SO_PEERPIDFD, &fd, &len), ENODATA);
    must(close(dgram));
    must(close(pair[0]));
    must(close(pair[1]));
}

/* covers: setsockopt SO_PASSRIGHTS sendmsg EPERM */
static void receiver_may_refuse_descriptors(void **state)
{
    (void)state;
    int pair[2], off = 0;

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    if (setsockopt(pair[1], SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off)) && errno == ENOPROTOOPT)
        skip_because("SO_PASSRIGHTS is not in the running kernel");
    assert_errno(send_many(pair[0], &pair[0], 1), EPERM);
    assert_returns(send(pair[0], "x", 1, 0), 1);
    must(close(pair[0]));
    must(close(pair[1]));
}

/* covers: setsockopt SO_PASSCRED recvmsg SCM_CREDENTIALS */
static void data_of_two_senders_does_not_mix(void **state)
{
    (void)state;
    int pair[2], on = 1;
    char buf[8], control[CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(8)));
    struct iovec iov = {buf, sizeof(buf)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    must(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
    must(send(pair[0], "par", 3, 0));
    in_child(must(send(pair[0], "ch", 2, 0)));
    assert_returns(recvmsg(pair[1], &msg, 0), 3);
    assert_int_equal(((struct ucred *)CMSG_DATA(CMSG_FIRSTHDR(&msg)))->pid, getpid());
    msg.msg_controllen = sizeof(control);
    assert_returns(recvmsg(pair[1], &msg, 0), 2);
    assert_true(((struct ucred *)CMSG_DATA(CMSG_FIRSTHDR(&msg)))->pid != getpid());
    must(close(pair[0]));
    must(close(pair[1]));
}

/* covers: sendmsg SCM_CREDENTIALS ESRCH */
static void process_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    int pair[2];
    char control[CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(8)));
    struct iovec iov = {"x", 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    struct ucred cred = {.pid = 4000000, .uid = getuid(), .gid = getgid()};

    need_capability(CAP_SYS_ADMIN);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
    CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_CREDENTIALS;
    CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(sizeof(cred));
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &cred, sizeof(cred));
    assert_errno(sendmsg(pair[0], &msg, 0), ESRCH);
    must(close(pair[0]));
    must(close(pair[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_than_253_go_at_once),
        cmocka_unit_test(peek_gives_descriptors_too),
        cmocka_unit_test(full_table_cuts_the_list),
        cmocka_unit_test(socket_sent_to_itself_is_collected),
        cmocka_unit_test(cycle_of_two_is_collected),
        cmocka_unit_test(reachable_socket_is_not_collected),
        cmocka_unit_test(cycle_through_a_listening_socket_is_collected),
        cmocka_unit_test(long_chain_is_closed),
        cmocka_unit_test(user_may_have_so_many_on_their_way),
        cmocka_unit_test(path_descriptor_can_be_passed),
        cmocka_unit_test(process_of_the_sender_is_told_when_asked),
        cmocka_unit_test(process_of_the_peer_is_told),
        cmocka_unit_test(receiver_may_refuse_descriptors),
        cmocka_unit_test(data_of_two_senders_does_not_mix),
        cmocka_unit_test(process_that_does_not_exist_is_refused),
    };

    return cmocka_run_group_tests_name("net/unix_rights", tests, NULL, NULL);
}
