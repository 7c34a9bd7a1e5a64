/* sendmsg.c: sendmsg(2), recvmsg(2), sendmmsg(2), recvmmsg(2), and what rides along: cmsg(3). */
#include "../lib/check.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static void open_pair(int fds[2], int type)
{
    must(socketpair(AF_UNIX, type, 0, fds));
}

static void close_pair(int fds[2])
{
    must(close(fds[0]));
    must(close(fds[1]));
}

union control {
    char bytes[CMSG_SPACE(sizeof(int) * 8) + CMSG_SPACE(sizeof(struct ucred))];
    struct cmsghdr align;
};

/* Sends one byte with so many descriptors. */
static ssize_t send_fds(int sock, const int *fds, unsigned count)
{
    union control control = {0};
    struct iovec iov = {"F", 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(sizeof(int) * count)};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * count);
    return sendmsg(sock, &msg, 0);
}

/* Receives a byte and up to 8 descriptors into fds; returns how many. */
static int take_fds(int sock, int *fds, size_t room, int flags, int *msg_flags)
{
    union control control = {0};
    char c;
    struct iovec iov = {&c, 1};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = room};

    must(recvmsg(sock, &msg, flags));
    *msg_flags = msg.msg_flags;
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    if (!cmsg)
        return 0;
    assert_int_equal(cmsg->cmsg_level, SOL_SOCKET);
    assert_int_equal(cmsg->cmsg_type, SCM_RIGHTS);
    size_t bytes = cmsg->cmsg_len - CMSG_LEN(0);
    memcpy(fds, CMSG_DATA(cmsg), bytes);
    return (int)(bytes / sizeof(int));
}

/* covers: sendmsg recvmsg */
static void buffers_are_gathered_and_scattered(void **state)
{
    (void)state;
    char a[3] = "", b[8] = "";
    struct iovec out[] = {{"ab", 2}, {"cde", 3}}, in[] = {{a, 2}, {b, sizeof b}};
    struct msghdr send = {.msg_iov = out, .msg_iovlen = 2};
    struct msghdr receive = {.msg_iov = in, .msg_iovlen = 2};
    int fds[2];

    open_pair(fds, SOCK_DGRAM);
    assert_returns(sendmsg(fds[0], &send, 0), 5);
    assert_returns(recvmsg(fds[1], &receive, 0), 5);
    assert_string_equal(a, "ab");
    assert_string_equal(b, "cde");
    assert_int_equal(receive.msg_flags, 0);
    assert_int_equal(receive.msg_controllen, 0);
    close_pair(fds);
}

/* covers: recvmsg MSG_TRUNC */
static void cut_message_is_marked(void **state)
{
    (void)state;
    char text[2];
    struct iovec iov = {text, sizeof text};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    int fds[2];

    open_pair(fds, SOCK_DGRAM);
    assert_returns(send(fds[0], "abc", 3, 0), 3);
    assert_returns(recvmsg(fds[1], &msg, 0), 2);
    assert_int_equal(msg.msg_flags, MSG_TRUNC);
    close_pair(fds);
}

/* covers: sendmsg SCM_RIGHTS recvmsg */
static void descriptor_is_passed(void **state)
{
    (void)state;
    int fds[2], pipe_fds[2], received[8], flags;
    char c;

    open_pair(fds, SOCK_STREAM);
    must(pipe(pipe_fds));
    assert_returns(send_fds(fds[0], &pipe_fds[1], 1), 1);
    must(close(pipe_fds[1])); /* lives in the message */
    assert_int_equal(take_fds(fds[1], received, CMSG_SPACE(sizeof(int)), 0, &flags), 1);
    assert_returns(write(received[0], "x", 1), 1);
    assert_returns(read(pipe_fds[0], &c, 1), 1);
    assert_returns(fcntl(received[0], F_GETFD), 0);
    must(close(received[0]));
    assert_returns(read(pipe_fds[0], &c, 1), 0);
    must(close(pipe_fds[0]));
    close_pair(fds);
}

/* covers: sendmsg SCM_RIGHTS lseek */
static void received_descriptor_shares_the_description(void **state)
{
    (void)state;
    int fds[2], received[8], flags;

    make_file("f", "abcdef");
    int fd = must(open("f", O_RDONLY));
    open_pair(fds, SOCK_DGRAM);
    assert_returns(send_fds(fds[0], &fd, 1), 1);
    assert_int_equal(take_fds(fds[1], received, CMSG_SPACE(sizeof(int)), 0, &flags), 1);
    must(lseek(received[0], 4, SEEK_SET));
    assert_returns(lseek(fd, 0, SEEK_CUR), 4);
    must(close(received[0]));
    must(close(fd));
    close_pair(fds);
}

/* covers: sendmsg SCM_RIGHTS recvmsg */
static void descriptor_is_passed_to_another_process(void **state)
{
    (void)state;
    int fds[2], pipe_fds[2];
    char text[4];

    open_pair(fds, SOCK_STREAM);
    pid_t pid = child_fork();
    if (pid == 0) {
        int received[8], flags;
        assert_int_equal(take_fds(fds[1], received, CMSG_SPACE(sizeof(int)), 0, &flags), 1);
        assert_returns(write(received[0], "hey", 3), 3);
        _exit(0);
    }
    must(pipe(pipe_fds));
    assert_returns(send_fds(fds[0], &pipe_fds[1], 1), 1);
    assert_child_ok(pid);
    assert_returns(read(pipe_fds[0], text, sizeof text), 3);
    close_pair(pipe_fds);
    close_pair(fds);
}

/* covers: recvmsg MSG_CMSG_CLOEXEC */
static void cloexec_is_set_when_asked(void **state)
{
    (void)state;
    int fds[2], received[8], flags, null = must(open("/dev/null", O_RDONLY));

    open_pair(fds, SOCK_STREAM);
    assert_returns(send_fds(fds[0], &null, 1), 1);
    assert_int_equal(take_fds(fds[1], received, CMSG_SPACE(sizeof(int)), MSG_CMSG_CLOEXEC, &flags),
                     1);
    assert_returns(fcntl(received[0], F_GETFD), FD_CLOEXEC);
    must(close(received[0]));
    must(close(null));
    close_pair(fds);
}

/* covers: recvmsg MSG_CTRUNC SCM_RIGHTS */
static void descriptors_without_room_are_closed_and_marked(void **state)
{
    (void)state;
    int fds[2], pipe_fds[2], received[8], flags;
    char c;

    open_pair(fds, SOCK_STREAM);
    must(pipe(pipe_fds));
    int many[3] = {pipe_fds[1], pipe_fds[1], pipe_fds[1]};
    assert_returns(send_fds(fds[0], many, 3), 1);
    must(close(pipe_fds[1]));
    assert_int_equal(take_fds(fds[1], received, CMSG_LEN(sizeof(int)), 0, &flags), 1);
    assert_int_equal(flags & MSG_CTRUNC, MSG_CTRUNC);
    must(close(received[0]));
    assert_returns(read(pipe_fds[0], &c, 1), 0); /* the other two are closed */
    must(close(pipe_fds[0]));
    close_pair(fds);
}

/* covers: close SCM_RIGHTS */
static void message_with_descriptors_that_is_dropped_closes_them(void **state)
{
    (void)state;
    int fds[2], pipe_fds[2];
    char c;

    open_pair(fds, SOCK_STREAM);
    must(pipe(pipe_fds));
    assert_returns(send_fds(fds[0], &pipe_fds[1], 1), 1);
    must(close(pipe_fds[1]));
    close_pair(fds);
    assert_returns(read(pipe_fds[0], &c, 1), 0);
    must(close(pipe_fds[0]));
}

/* covers: recvmsg SCM_RIGHTS */
static void descriptors_are_a_barrier_for_the_data(void **state)
{
    (void)state;
    int fds[2], received[8], null = must(open("/dev/null", O_RDONLY));
    union control control = {0};
    char text[8];
    struct iovec iov = {text, sizeof text};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(sizeof(int))};

    /* unix(7): one receive takes what comes up to the descriptors and with them, no more */
    open_pair(fds, SOCK_STREAM);
    assert_returns(send(fds[0], "ab", 2, 0), 2);
    assert_returns(send_fds(fds[0], &null, 1), 1);
    assert_returns(send(fds[0], "cd", 2, 0), 2);
    assert_returns(recvmsg(fds[1], &msg, 0), 3);
    assert_memory_equal(text, "abF", 3);
    assert_non_null(CMSG_FIRSTHDR(&msg));
    memcpy(received, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
    assert_returns(recv(fds[1], text, sizeof text, 0), 2);
    must(close(received[0]));
    must(close(null));
    close_pair(fds);
}

/* covers: sendmsg SCM_RIGHTS EBADF */
static void bad_descriptors_are_not_sent(void **state)
{
    (void)state;
    int fds[2], bad = 100000;

    open_pair(fds, SOCK_STREAM);
    assert_errno(send_fds(fds[0], &bad, 1), EBADF);
    close_pair(fds);
}

/* covers: sendmsg EINVAL */
static void malformed_control_data_is_refused(void **state)
{
    (void)state;
    union control control = {0};
    struct iovec iov = {"x", 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(sizeof(int))};
    int fds[2];

    open_pair(fds, SOCK_STREAM);
    control.align =
        (struct cmsghdr){.cmsg_len = 3, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    assert_errno(sendmsg(fds[0], &msg, 0), EINVAL);
    control.align.cmsg_len = CMSG_LEN(1000);
    assert_errno(sendmsg(fds[0], &msg, 0), EINVAL);
    control.align.cmsg_len = CMSG_LEN(sizeof(int));
    control.align.cmsg_type = 77;
    assert_errno(sendmsg(fds[0], &msg, 0), EINVAL);
    close_pair(fds);
}

/* covers: setsockopt SO_PASSCRED recvmsg SCM_CREDENTIALS */
static void credentials_of_the_sender_are_told_when_asked(void **state)
{
    (void)state;
    union control control = {0};
    char c;
    struct iovec iov = {&c, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    struct ucred cred;
    int fds[2], on = 1;

    open_pair(fds, SOCK_DGRAM);
    must(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    assert_returns(send(fds[0], "x", 1, 0), 1);
    assert_returns(recvmsg(fds[1], &msg, 0), 1);
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    assert_non_null(cmsg);
    assert_int_equal(cmsg->cmsg_type, SCM_CREDENTIALS);
    memcpy(&cred, CMSG_DATA(cmsg), sizeof cred);
    assert_int_equal(cred.pid, getpid());
    assert_int_equal(cred.uid, getuid());
    assert_int_equal(cred.gid, getgid());
    close_pair(fds);
}

/* covers: sendmsg SCM_CREDENTIALS EPERM */
static void false_credentials_need_the_right(void **state)
{
    (void)state;
    need_other_ids();
    as_nobody(union control control = {0}; struct iovec iov = {"x", 1}; struct msghdr msg = {0};
              struct ucred cred = {getpid(), 0, 0}; int fds[2]; open_pair(fds, SOCK_DGRAM);
              msg.msg_iov = &iov; msg.msg_iovlen = 1; msg.msg_control = control.bytes;
              msg.msg_controllen = CMSG_SPACE(sizeof cred);
              control.align = (struct cmsghdr){CMSG_LEN(sizeof cred), SOL_SOCKET, SCM_CREDENTIALS};
              memcpy(CMSG_DATA(&control.align), &cred, sizeof cred);
              assert_errno(sendmsg(fds[0], &msg, 0), EPERM); cred.uid = getuid();
              cred.gid = getgid(); memcpy(CMSG_DATA(&control.align), &cred, sizeof cred);
              assert_returns(sendmsg(fds[0], &msg, 0), 1));
}

/* covers: getsockopt SO_PEERCRED */
static void peer_credentials_are_those_of_the_making(void **state)
{
    (void)state;
    struct ucred cred;
    socklen_t size = sizeof cred;
    int fds[2];

    open_pair(fds, SOCK_STREAM);
    must(getsockopt(fds[0], SOL_SOCKET, SO_PEERCRED, &cred, &size));
    assert_int_equal(cred.pid, getpid());
    assert_int_equal(cred.uid, geteuid());
    assert_int_equal(cred.gid, getegid());
    close_pair(fds);
}

/* covers: sendmmsg recvmmsg */
static void several_messages_go_in_one_call(void **state)
{
    (void)state;
    char a[8], b[8], c[8];
    struct iovec out[] = {{"one", 3}, {"three", 5}}, in[] = {{a, 8}, {b, 8}, {c, 8}};
    struct mmsghdr send[2] = {0}, receive[3] = {0};
    int fds[2];

    for (int i = 0; i < 2; i++)
        send[i].msg_hdr = (struct msghdr){.msg_iov = &out[i], .msg_iovlen = 1};
    for (int i = 0; i < 3; i++)
        receive[i].msg_hdr = (struct msghdr){.msg_iov = &in[i], .msg_iovlen = 1};
    open_pair(fds, SOCK_DGRAM);
    assert_returns(sendmmsg(fds[0], send, 2, 0), 2);
    assert_int_equal(send[1].msg_len, 5);
    assert_returns(recvmmsg(fds[1], receive, 3, MSG_DONTWAIT, NULL), 2);
    assert_int_equal(receive[0].msg_len, 3);
    assert_int_equal(receive[1].msg_len, 5);
    assert_memory_equal(b, "three", 5);
    assert_errno(recvmmsg(fds[1], receive, 3, MSG_DONTWAIT, NULL), EAGAIN);
    close_pair(fds);
}

/* covers: recvmmsg MSG_WAITFORONE */
static void waitforone_takes_what_is_there(void **state)
{
    (void)state;
    char a[8], b[8];
    struct iovec in[] = {{a, 8}, {b, 8}};
    struct mmsghdr receive[2] = {0};
    int fds[2];

    for (int i = 0; i < 2; i++)
        receive[i].msg_hdr = (struct msghdr){.msg_iov = &in[i], .msg_iovlen = 1};
    open_pair(fds, SOCK_DGRAM);
    assert_returns(send(fds[0], "x", 1, 0), 1);
    assert_returns(recvmmsg(fds[1], receive, 2, MSG_WAITFORONE, NULL), 1);
    close_pair(fds);
}

/* covers: sendmsg EFAULT recvmsg EFAULT sendmmsg EFAULT recvmmsg EFAULT EINVAL */
static void bad_addresses_fault(void **state)
{
    (void)state;
    struct iovec iov = {BAD_PTR, 1};
    struct msghdr msg = {.msg_iov = BAD_PTR, .msg_iovlen = 1};
    struct timespec wrong = {.tv_nsec = 1000000000};
    struct mmsghdr many = {0};
    int fds[2];

    open_pair(fds, SOCK_DGRAM);
    assert_errno(sendmsg(fds[0], BAD_PTR, 0), EFAULT);
    assert_errno(sendmsg(fds[0], &msg, 0), EFAULT);
    assert_errno(recvmsg(fds[1], BAD_PTR, MSG_DONTWAIT), EFAULT);
    msg.msg_iov = &iov;
    assert_errno(sendmsg(fds[0], &msg, 0), EFAULT);
    assert_errno(syscall(SYS_sendmmsg, fds[0], BAD_PTR, 1, 0), EFAULT);
    assert_errno(syscall(SYS_recvmmsg, fds[1], BAD_PTR, 1, MSG_DONTWAIT, NULL), EFAULT);
    assert_errno(recvmmsg(fds[1], &many, 1, MSG_DONTWAIT, &wrong), EINVAL);
    close_pair(fds);
}

/* covers: sendmsg EMSGSIZE recvmsg EMSGSIZE */
static void too_many_buffers_are_refused(void **state)
{
    (void)state;
    static struct iovec iov[1025];
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 1025};
    int fds[2];

    open_pair(fds, SOCK_DGRAM);
    assert_errno(sendmsg(fds[0], &msg, 0), EMSGSIZE);
    assert_errno(recvmsg(fds[1], &msg, MSG_DONTWAIT), EMSGSIZE);
    close_pair(fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_are_gathered_and_scattered),
        cmocka_unit_test(cut_message_is_marked),
        cmocka_unit_test(descriptor_is_passed),
        tempdir_test(received_descriptor_shares_the_description),
        cmocka_unit_test(descriptor_is_passed_to_another_process),
        cmocka_unit_test(cloexec_is_set_when_asked),
        cmocka_unit_test(descriptors_without_room_are_closed_and_marked),
        cmocka_unit_test(message_with_descriptors_that_is_dropped_closes_them),
        cmocka_unit_test(descriptors_are_a_barrier_for_the_data),
        cmocka_unit_test(bad_descriptors_are_not_sent),
        cmocka_unit_test(malformed_control_data_is_refused),
        cmocka_unit_test(credentials_of_the_sender_are_told_when_asked),
        cmocka_unit_test(false_credentials_need_the_right),
        cmocka_unit_test(peer_credentials_are_those_of_the_making),
        cmocka_unit_test(several_messages_go_in_one_call),
        cmocka_unit_test(waitforone_takes_what_is_there),
        cmocka_unit_test(bad_addresses_fault),
        cmocka_unit_test(too_many_buffers_are_refused),
    };

    return cmocka_run_group_tests_name("net/sendmsg", tests, NULL, NULL);
}
