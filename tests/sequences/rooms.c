/* tests/sequences/rooms.c: what has no other place: sockets, /proc and /sys, and one of each kind of object. */
#include "sequence.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static void close_files(int first, int last)
{
    expect_equal(mock_call(__NR_close_range, first, last, 0), 0);
}

/* --- sockets -------------------------------------------------------------------------------------------- */

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/shm/socket"};

static int client(void *arg)
{
    int fd = (int)must(mock_call(__NR_socket, AF_UNIX, SOCK_STREAM, 0));

    must(mock_call(__NR_connect, fd, mock_put(&address, sizeof(address)), sizeof(address)));
    expect_equal(mock_call(__NR_sendto, fd, mock_string("question"), 8, 0, 0, 0), 8);
    expect_equal(mock_call(__NR_recvfrom, fd, mock_room(16), 16, 0, 0, 0), 6);
    return 0;
}

static int serve(void *arg)
{
    int fd = (int)must(mock_call(__NR_socket, AF_UNIX, SOCK_STREAM, 0)), peer;
    mock_user buffer = mock_room(64);
    long pid;

    must(mock_call(__NR_bind, fd, mock_put(&address, sizeof(address)), sizeof(address)));
    must(mock_call(__NR_listen, fd, 1));
    pid = must(mock_fork(client, NULL));
    peer = (int)must(mock_call(__NR_accept4, fd, 0, 0, 0));
    expect_equal(mock_call(__NR_read, peer, buffer, 64), 8);
    expect_equal(mock_call(__NR_write, peer, mock_string("answer"), 6), 6);
    expect_equal(mock_call(__NR_read, peer, buffer, 64), 0);
    expect_equal(mock_wait(pid), 0);
    close_files(fd, peer);
    must(mock_call(__NR_unlink, mock_string(address.sun_path)));
    return 0;
}

static void a_stream_connects_two_processes(void **state)
{
    sequence(serve);
}

/* A descriptor goes into a socket whose other end nobody reads: closing must find it. */
static int pass_descriptor(void *arg)
{
    mock_user pair = mock_room(8), control = mock_room(64), header = mock_room(64);
    mock_user vector = mock_put((uint64_t[]){mock_room(1), 1}, 16);
    struct cmsghdr head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    struct msghdr message = {.msg_iov = (void *)vector,
                             .msg_iovlen = 1,
                             .msg_control = (void *)control,
                             .msg_controllen = CMSG_SPACE(sizeof(int))};
    int a, b;

    must(mock_call(__NR_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair));
    a = mock_get(int, pair);
    b = mock_get(int, pair + 4);
    mock_store(control, &head, sizeof(head));
    mock_store(control + sizeof(head), &b, sizeof(b));
    mock_store(header, &message, sizeof(message));
    expect_equal(mock_call(__NR_sendmsg, a, header, 0), 1); /* b lies in its own queue */
    expect_equal(mock_call(__NR_sendmsg, a, header, 0), 1);
    expect_equal(mock_call(__NR_recvmsg, b, header, 0), 1);
    close_files(a, b + 1);
    return 0;
}

static void descriptors_in_flight_are_found(void **state)
{
    sequence(pass_descriptor);
}

static int datagrams(void *arg)
{
    mock_user pair = mock_room(8), buffer = mock_room(1024);
    int a, b;

    must(mock_call(__NR_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair));
    a = mock_get(int, pair);
    b = mock_get(int, pair + 4);
    while (mock_call(__NR_write, a, buffer, 1024) == 1024)
        ;
    expect_equal(mock_call(__NR_read, b, buffer, 10), 10);
    expect_equal(mock_call(__NR_shutdown, b, SHUT_RDWR), 0);
    expect_equal(mock_call(__NR_sendto, a, buffer, 1, MSG_NOSIGNAL, 0, 0), -EPIPE);
    close_files(a, b);
    return 0;
}

static void full_queues_are_given_back(void **state)
{
    sequence(datagrams);
}

/* --- /proc and /sys ---------------------------------------------------------------------------------------- */

#define TEXT 4096

static void read_file(const char *path)
{
    long fd = mock_call(__NR_open, mock_string(path), O_RDONLY | O_NONBLOCK, 0);
    mock_user buffer = mock_room(TEXT);

    if (fd < 0)
        return; /* written only, or gone */
    for (int i = 0; i < 64 && mock_call(__NR_read, fd, buffer, TEXT) > 0; i++)
        ;
    must(mock_call(__NR_close, fd));
}

static void read_tree(const char *path, int depth)
{
    long fd = mock_call(__NR_open, mock_string(path), O_RDONLY | O_DIRECTORY, 0), n;
    char *bytes = malloc(TEXT), *name = malloc(TEXT);

    while (fd >= 0) {
        mock_user at = mock_room(TEXT);

        n = must(mock_call(__NR_getdents64, fd, at, TEXT));
        if (!n)
            break;
        mock_load(bytes, at, (size_t)n);
        for (struct dirent64 *d = (void *)bytes; (char *)d < bytes + n;
             d = (void *)((char *)d + d->d_reclen)) {
            snprintf(name, TEXT, "%s/%s", path, d->d_name);
            if (d->d_type == DT_DIR && d->d_name[0] != '.' && depth)
                read_tree(name, depth - 1);
            else if (d->d_type == DT_LNK)
                mock_call(__NR_readlink, mock_string(name), mock_room(256), 256);
            else if (d->d_type == DT_REG)
                read_file(name);
        }
    }
    if (fd >= 0)
        must(mock_call(__NR_close, fd));
    free(bytes);
    free(name);
}

static int sleep_for_ever(void *arg)
{
    mock_call(__NR_pause);
    return 0;
}

static int read_everything(void *arg)
{
    long pid = must(mock_fork(sleep_for_ever, NULL));

    read_tree(arg ? arg : "/proc", 6);
    must(mock_call(__NR_kill, pid, SIGKILL));
    expect_equal(mock_wait(pid), SIGKILL);
    return 0;
}

static int read_sys(void *arg)
{
    return read_everything("/sys");
}

static void everything_in_proc_can_be_read(void **state)
{
    sequence(read_everything);
}

static void everything_in_sys_can_be_read(void **state)
{
    sequence(read_sys);
}

/* --- one of each kind ---------------------------------------------------------------------------------------- */

static int objects(void *arg)
{
    mock_user set = mock_put(&(uint64_t){1UL << (SIGUSR1 - 1)}, 8), room = mock_room(256);
    mock_user timer = mock_room(4);
    int first, last;

    must(mock_call(__NR_rt_sigprocmask, SIG_BLOCK, set, 0, 8));
    first = (int)must(mock_call(__NR_signalfd4, -1, set, 8, 0));
    must(mock_call(__NR_kill, must(mock_call(__NR_getpid)), SIGUSR1));
    expect_equal(mock_call(__NR_read, first, room, 256), 128);
    must(mock_call(__NR_rt_sigprocmask, SIG_UNBLOCK, set, 0, 8));

    must(mock_call(__NR_memfd_create, mock_string("name"), 0));
    must(mock_call(__NR_pidfd_open, must(mock_call(__NR_getpid)), 0));
    must(mock_call(__NR_pidfd_open, must(mock_call(__NR_getpid)), 0x80 /* PIDFD_THREAD */));
    last = (int)must(mock_call(__NR_inotify_init1, O_NONBLOCK));
    must(mock_call(__NR_inotify_add_watch, last, mock_string("/dev/shm"), IN_CREATE | IN_DELETE));
    must(mock_call(__NR_mkdir, mock_string("/dev/shm/d"), 0700));
    must(mock_call(__NR_rmdir, mock_string("/dev/shm/d")));
    expect(must(mock_call(__NR_read, last, room, 256)) > 0);
    must(mock_call(__NR_getrandom, room, 256, 0));
    must(mock_call(__NR_timer_create, CLOCK_MONOTONIC, 0, timer));
    must(mock_call(__NR_timer_settime, mock_get(int, timer), 0,
                   mock_put((uint64_t[]){0, 0, 100, 0}, 32), 0));
    must(mock_call(__NR_timer_delete, mock_get(int, timer)));
    must(mock_call(__NR_flock, first + 1, 2 /* LOCK_EX */));
    close_files(first, last);
    return 0;
}

static int refused_getppid(void *arg)
{
    expect_equal(mock_call(__NR_getppid), -77);
    return 0;
}

/* A filter on a filter, which a child inherits. */
static int restricted(void *arg)
{
    static const struct {
        uint16_t code;
        uint8_t jt, jf;
        uint32_t k;
    } code[] = {{0x20, 0, 0, 0}, /* the call's number */
                {0x15, 0, 1, __NR_getppid},
                {6, 0, 0, 0x50000 | 77 /* ERRNO */}, /* and what for it */
                {6, 0, 0, 0x7fff0000 /* ALLOW */}};
    struct {
        uint64_t len, filter;
    } program = {4, mock_put(code, sizeof code)};
    mock_user at = mock_put(&program, sizeof program);

    must(mock_call(__NR_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0));
    must(mock_call(__NR_seccomp, 1 /* SET_MODE_FILTER */, 0, at));
    must(mock_call(__NR_seccomp, 1, 1 /* TSYNC */, at));
    expect_equal(mock_call(__NR_getppid), -77);
    expect_equal(mock_wait(must(mock_fork(refused_getppid, NULL))), 0);
    return 0;
}

static int restrict_child(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(restricted, NULL))), 0);
    return 0;
}

static void filters_of_calls_are_given_back(void **state)
{
    sequence(restrict_child);
}

static void objects_of_every_kind_are_given_back(void **state)
{
    sequence(objects);
}

static int terminals(void *arg)
{
    int master = (int)must(mock_call(__NR_open, mock_string("/dev/ptmx"), O_RDWR | O_NOCTTY, 0));
    mock_user number = mock_room(4), buffer = mock_room(64);
    char name[32];
    int slave;

    must(mock_call(__NR_ioctl, master, 0x40045431 /* TIOCSPTLCK */, mock_room(4)));
    must(mock_call(__NR_ioctl, master, 0x80045430 /* TIOCGPTN */, number));
    snprintf(name, sizeof(name), "/dev/pts/%d", mock_get(int, number));
    slave = (int)must(mock_call(__NR_open, mock_string(name), O_RDWR | O_NOCTTY, 0));
    expect_equal(mock_call(__NR_write, master, mock_string("line\n"), 5), 5);
    expect_equal(mock_call(__NR_read, slave, buffer, 64), 5);
    expect_equal(mock_call(__NR_read, master, buffer, 64), 6); /* its echo */
    close_files(master, slave);
    return 0;
}

static void terminals_come_and_go(void **state)
{
    sequence(terminals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_connects_two_processes),
        cmocka_unit_test(descriptors_in_flight_are_found),
        cmocka_unit_test(full_queues_are_given_back),
        cmocka_unit_test(everything_in_proc_can_be_read),
        cmocka_unit_test(everything_in_sys_can_be_read),
        cmocka_unit_test(objects_of_every_kind_are_given_back),
        cmocka_unit_test(filters_of_calls_are_given_back),
        cmocka_unit_test(terminals_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
