/* tests/unit/syscall_decode.c: calls printed as strace prints them, from a fake user memory. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rename.h"

#include "abi/names.h"
#include "base/errno.h"
#include "base/fmt.h"
#include "base/string.h"
#include "mm/uaccess.h"
#include "syscall/decode.h"

/* Never mapped. */
#define BAD 0x10

/* The program's memory is the test's own, and a fault is an error. */
int copy_from_user(void *to, const void __user *from, size_t n)
{
    struct iovec local = {to, n}, remote = {(void *)from, n};

    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)n ? 0 : -EFAULT;
}

ssize_t strncpy_from_user(char *to, const char __user *from, size_t max)
{
    for (size_t len = 0; len < max; len++) {
        if (copy_from_user(to + len, from + len, 1))
            return -EFAULT;
        if (!to[len])
            return (ssize_t)len;
    }
    return (ssize_t)max;
}

#define CHECK(expected, result, nr, ...)                                                           \
    do {                                                                                           \
        u64 args_[6] = {__VA_ARGS__};                                                              \
        check(expected "\n", nr, args_, result);                                                   \
    } while (0)
#define P(pointer) ((u64)(uintptr_t)(pointer))

static void check(const char *expected, unsigned long nr, const u64 args[6], long result)
{
    struct decoding d;

    decode_begin(&d);
    decode_enter(&d, nr, args);
    decode_leave(&d, nr, args, result);
    assert_int_equal(d.len, strlen(d.text));
    assert_string_equal(d.text, expected);
}

static void paths_flags_and_modes(void **state)
{
    CHECK("openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3", 3, __NR_openat,
          (u64)AT_FDCWD, P("/etc/passwd"), O_RDONLY | O_CLOEXEC, 0777);
    CHECK("openat(AT_FDCWD, \"f\", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 3", 3, __NR_openat, 0xffffff9c,
          P("f"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK("openat(5, \".\", O_RDWR|O_TMPFILE, 0600) = 3", 3, __NR_openat, 5, P("."),
          O_RDWR | O_TMPFILE, 0600);
    CHECK("open(\"d\", O_RDONLY|O_DIRECTORY) = 4", 4, __NR_open, P("d"), O_DIRECTORY, 0);
    CHECK("open(\"d\", O_ACCMODE|0x40000000) = 4", 4, __NR_open, P("d"), 0x40000003, 0);
    CHECK("access(\"/\", F_OK) = 0", 0, __NR_access, P("/"), 0);
    CHECK("access(\"/\", R_OK|X_OK) = 0", 0, __NR_access, P("/"), 5);
    CHECK("mkdir(\"d\", 000) = 0", 0, __NR_mkdir, P("d"), 0);
    CHECK("umask(022) = 077", 077, __NR_umask, 022);
    CHECK("lseek(3, -1, SEEK_END) = 9", 9, __NR_lseek, 3, (u64)-1, 2);
    CHECK("lseek(3, 0, 0x63) = -1 EINVAL (Invalid argument)", -EINVAL, __NR_lseek, 3, 0, 99);
    CHECK("eventfd2(5, EFD_CLOEXEC|EFD_SEMAPHORE) = 6", 6, __NR_eventfd2, 5, 02000001);
    CHECK("eventfd2(5, 0) = 6", 6, __NR_eventfd2, 5, 0);
    CHECK("chown(\"f\", -1, 4294967294) = 0", 0, __NR_chown, P("f"), (u32)-1, (u32)-2);
    CHECK("close(-1) = -1 EBADF (Bad file descriptor)", -EBADF, __NR_close, (u32)-1);
}

static void fcntl_arguments(void **state)
{
    CHECK("fcntl(3, F_GETFL) = 32768", 32768, __NR_fcntl, 3, F_GETFL, 9);
    CHECK("fcntl(3, F_SETFD, FD_CLOEXEC) = 0", 0, __NR_fcntl, 3, F_SETFD, FD_CLOEXEC);
    CHECK("fcntl(3, F_SETFL, O_WRONLY|O_APPEND|O_NONBLOCK) = 0", 0, __NR_fcntl, 3, F_SETFL,
          O_WRONLY | O_APPEND | O_NONBLOCK);
    CHECK("fcntl(3, F_DUPFD_CLOEXEC, 10) = 10", 10, __NR_fcntl, 3, F_DUPFD_CLOEXEC, 10);
    CHECK("fcntl(3, F_SETLK, 0x1000) = 0", 0, __NR_fcntl, 3, F_SETLK, 0x1000);
    CHECK("fcntl(3, 0x63, 0x7) = -1 EINVAL (Invalid argument)", -EINVAL, __NR_fcntl, 3, 99, 7);
}

static void buffers(void **state)
{
    CHECK("read(3, \"root:x:0\", 4096) = 8", 8, __NR_read, 3, P("root:x:0:rest"), 4096);
    CHECK("read(3, \"\", 4096) = 0", 0, __NR_read, 3, P("rest"), 4096);
    CHECK("read(3, \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"..., 4096) = 40", 40, __NR_read, 3,
          P("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 4096);
    CHECK("read(3, 0x10, 7) = -1 EFAULT (Bad address)", -EFAULT, __NR_read, 3, BAD, 7);
    CHECK("read(3, NULL, 7) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)", -ERESTARTSYS,
          __NR_read, 3, 0, 7);
    CHECK("write(1, \"a\\\"\\\\\\n\\t\\0\\0011\\377\", 9) = 9", 9, __NR_write, 1,
          P("a\"\\\n\t\0\0011\377"), 9);
    CHECK("write(1, 0x10, 9) = -1 EFAULT (Bad address)", -EFAULT, __NR_write, 1, BAD, 9);
    CHECK("unlink(0x10) = -1 EFAULT (Bad address)", -EFAULT, __NR_unlink, BAD);
    CHECK("unlink(NULL) = -1 EFAULT (Bad address)", -EFAULT, __NR_unlink, 0);
    CHECK("getcwd(\"/root\\0\", 100) = 6", 6, __NR_getcwd, P("/root"), 100);
}

static void structures(void **state)
{
    struct {
        long sec, nsec;
    } ts[2] = {{1, 500}, {0, 7}};
    struct pollfd fds[2] = {{3, POLLIN | POLLOUT, POLLIN}, {-1, 0, 0}};
    struct rlimit limit = {8192 * 1024, RLIM_INFINITY};
    int pipefd[2] = {3, 4};
    u32 word = 2;

    CHECK("nanosleep({tv_sec=1, tv_nsec=500}, {tv_sec=0, tv_nsec=7}) = 0", 0, __NR_nanosleep,
          P(&ts[0]), P(&ts[1]));
    CHECK("utimensat(AT_FDCWD, \"f\", [{tv_sec=1, tv_nsec=500}, {tv_sec=0, tv_nsec=7}], "
          "AT_SYMLINK_NOFOLLOW) = 0",
          0, __NR_utimensat, (u64)AT_FDCWD, P("f"), P(ts), 0x100);
    CHECK("poll([{fd=3, events=POLLIN|POLLOUT}, {fd=-1, events=0}], 2, -1) = 1 "
          "([{fd=3, revents=POLLIN}])",
          1, __NR_poll, P(fds), 2, (u32)-1);
    CHECK("poll([{fd=3, events=POLLIN|POLLOUT}], 1, 0) = 0 (Timeout)", 0, __NR_poll, P(fds), 1, 0);
    CHECK("setrlimit(RLIMIT_STACK, {rlim_cur=8192*1024, rlim_max=RLIM_INFINITY}) = 0", 0,
          __NR_setrlimit, RLIMIT_STACK, P(&limit));
    CHECK("pipe2([3, 4], O_CLOEXEC) = 0", 0, __NR_pipe2, P(pipefd), O_CLOEXEC);
    CHECK("pipe2(0x10, 0) = -1 EFAULT (Bad address)", -EFAULT, __NR_pipe2, BAD, 0);
    check("gettimeofday(NULL, NULL) = 0\n", __NR_gettimeofday, (u64[6]){0}, 0);

    char text[200];

    snprintf(text, sizeof text,
             "futex(%#lx, FUTEX_WAIT|FUTEX_PRIVATE_FLAG, 2, NULL, NULL, 0) = "
             "-1 EAGAIN (Resource temporarily unavailable)\n",
             (unsigned long)&word);
    check(text, __NR_futex, (u64[6]){P(&word), FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2}, -EAGAIN);
}

static void iovecs_and_string_arrays(void **state)
{
    const char *argv[] = {"ls", "-l", NULL}, *many[20];
    char text[200];
    struct iovec iov[2] = {{(void *)0x1000, 5}, {NULL, 0}};

    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = i + 1 < ARRAY_SIZE(many) ? "x" : NULL;
    CHECK("execve(\"/bin/ls\", [\"ls\", \"-l\"], NULL) = -1 ENOENT (No such file or directory)",
          -ENOENT, __NR_execve, P("/bin/ls"), P(argv), 0);
    CHECK("execve(\"p\", [\"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", \"x\", "
          "\"x\", \"x\", \"x\", \"x\", \"x\", \"x\", ...], NULL) = 0",
          0, __NR_execve, P("p"), P(many), 0);
    snprintf(text, sizeof(text), "execve(\"p\", [\"ls\", \"-l\"], %#lx /* 2 vars */) = 0\n",
             (unsigned long)argv);
    check(text, SYS_execve, (u64[6]){P("p"), P(argv), P(argv)}, 0);
    CHECK("writev(1, [{iov_base=0x1000, iov_len=5}, {iov_base=NULL, iov_len=0}], 2) = 5", 5,
          __NR_writev, 1, P(iov), 2);
}

static void signals(void **state)
{
    u64 set = 1ULL << (SIGINT - 1) | 1ULL << (SIGCHLD - 1) | 1ULL << 33, most = ~set;
    struct {
        void (*handler)(int);
        u64 flags, restorer, mask;
    } ignore = {SIG_IGN, SA_RESTART, 0, 0};

    CHECK("kill(7, SIGTERM) = 0", 0, __NR_kill, 7, SIGTERM);
    CHECK("kill(-1, SIGRT_2) = 0", 0, __NR_kill, (u32)-1, 34);
    CHECK("kill(7, SIGRTMIN) = 0", 0, __NR_kill, 7, 32);
    CHECK("kill(7, 0) = -1 ESRCH (No such process)", -ESRCH, __NR_kill, 7, 0);
    CHECK("rt_sigprocmask(SIG_BLOCK, [INT CHLD RT_2], NULL, 8) = 0", 0, __NR_rt_sigprocmask,
          SIG_BLOCK, P(&set), 0, 8);
    CHECK("rt_sigprocmask(SIG_SETMASK, NULL, ~[INT CHLD RT_2], 8) = 0", 0, __NR_rt_sigprocmask,
          SIG_SETMASK, 0, P(&most), 8);
    CHECK("rt_sigaction(SIGPIPE, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=SA_RESTART}, NULL, 8) "
          "= 0",
          0, __NR_rt_sigaction, SIGPIPE, P(&ignore), 0, 8);
    CHECK("rt_sigtimedwait([INT CHLD RT_2], NULL, NULL, 8) = 17 (SIGCHLD)", 17,
          __NR_rt_sigtimedwait, P(&set), 0, 0, 8);
}

static void processes(void **state)
{
    int exited = 3 << 8, killed = SIGSEGV | 0x80, stopped = SIGSTOP << 8 | 0x7f;

    CHECK("clone(CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, NULL, NULL, 0x1000, NULL) = 9", 9,
          __NR_clone, CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD, 0, 0, 0x1000, 0);
    CHECK("wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL) = 9", 9, __NR_wait4,
          (u32)-1, P(&exited), 1, 0);
    CHECK("wait4(9, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}], 0, NULL) = 9", 9,
          __NR_wait4, 9, P(&killed), 0, 0);
    CHECK("wait4(9, [{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}], WUNTRACED, NULL) = 9", 9,
          __NR_wait4, 9, P(&stopped), 2, 0);
    CHECK("mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000",
          0x7f0000, __NR_mmap, 0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, (u32)-1, 0);
    CHECK("mprotect(0x1000, 4096, PROT_NONE) = 0", 0, __NR_mprotect, 0x1000, 4096, 0);
    CHECK("getpid() = 1", 1, __NR_getpid, 0);
}

static void sockets(void **state)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(80), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct {
        u16 family;
        char path[108];
    } un = {AF_UNIX, "/run/s"}, hidden = {AF_UNIX, "\0abc"};
    int length = sizeof in;

    CHECK("socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3", 3, __NR_socket, AF_INET,
          SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK("bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}, 16) "
          "= 0",
          0, __NR_bind, 3, P(&in), 16);
    CHECK("connect(3, {sa_family=AF_UNIX, sun_path=\"/run/s\"}, 110) = 0", 0, __NR_connect, 3,
          P(&un), sizeof un);
    CHECK("connect(3, {sa_family=AF_UNIX, sun_path=@\"abc\"}, 6) = 0", 0, __NR_connect, 3,
          P(&hidden), 6);
    CHECK("accept(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}, "
          "[16]) = 4",
          4, __NR_accept, 3, P(&in), P(&length));
    CHECK("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, \"\\1\", 1) = 0", 0, __NR_setsockopt, 3,
          SOL_SOCKET, SO_REUSEADDR, P("\1"), 1);
    CHECK("setsockopt(3, SOL_TCP, TCP_NODELAY, \"\\1\", 1) = 0", 0, __NR_setsockopt, 3, IPPROTO_TCP,
          1, P("\1"), 1);
    CHECK("setsockopt(3, SOL_UDP, 1, NULL, 0) = 0", 0, __NR_setsockopt, 3, IPPROTO_UDP, 1, 0, 0);
    CHECK("accept(3, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)", -EAGAIN,
          __NR_accept, 3, 0, 0);
}

static void select_shows_its_sets_before_and_after(void **state)
{
    u64 read_set[2] = {1ULL << 3 | 1ULL << 40, 1}, write_set[2] = {1, 0};
    u64 args[6] = {65, P(read_set), P(write_set)};
    struct decoding d;

    decode_begin(&d);
    decode_enter(&d, __NR_select, args);
    assert_string_equal(d.text, "select(65, [3 40 64], [0], NULL, NULL");
    read_set[0] = 1ULL << 40;
    read_set[1] = write_set[0] = 0;
    decode_leave(&d, __NR_select, args, 1);
    assert_string_equal(d.text, "select(65, [3 40 64], [0], NULL, NULL) = 1 (in [40], out [])\n");
}

static void numbers_that_a_call_changes_show_both_values(void **state)
{
    u64 offset = 100;
    u64 args[6] = {1, 2, P(&offset), 50};
    struct decoding d;

    decode_begin(&d);
    decode_enter(&d, __NR_sendfile, args);
    offset = 120;
    decode_leave(&d, __NR_sendfile, args, 20);
    assert_string_equal(d.text, "sendfile(1, 2, [100 => 120], 50) = 20\n");
    CHECK("sendfile(1, 2, [120], 50) = -1 EAGAIN (Resource temporarily unavailable)", -EAGAIN,
          __NR_sendfile, 1, 2, P(&offset), 50);
    CHECK("sendfile(1, 2, 0x10, 50) = -1 EFAULT (Bad address)", -EFAULT, __NR_sendfile, 1, 2, BAD,
          50);
}

static void nested_structures(void **state)
{
    u64 set = 1ULL << (SIGALRM - 1), pack[2] = {P(&set), 8};
    struct {
        u32 events;
        u64 data;
    } __packed event = {EPOLLIN | EPOLLET, 0x100000005};
    u64 clone_args[8] = {CLONE_VM | CLONE_VFORK, 0, 0, 0, SIGCHLD, 0x1000, 0x2000, 0};
    struct sched_param param = {7};

    CHECK("pselect6(0, NULL, NULL, NULL, NULL, {sigmask=[ALRM], sigsetsize=8}) = 0 (Timeout)", 0,
          __NR_pselect6, 0, 0, 0, 0, 0, P(pack));
    CHECK("epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLET, data={u32=5, u64=4294967301}}) "
          "= 0",
          0, __NR_epoll_ctl, 3, 1, 4, P(&event));
    CHECK("epoll_ctl(3, EPOLL_CTL_DEL, 4, NULL) = 0", 0, __NR_epoll_ctl, 3, 2, 4, 0);
    CHECK("clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x1000, "
          "stack_size=0x2000}, 64) = 9",
          9, __NR_clone3, P(clone_args), 64);
    CHECK("sched_setparam(0, [7]) = 0", 0, __NR_sched_setparam, 0, P(&param));
}

static void arguments_that_are_read_print_before_the_call(void **state)
{
    char path[] = "/first";
    u64 args[6] = {P(path), P("target"), 100};
    struct decoding d;

    decode_begin(&d);
    decode_enter(&d, __NR_readlink, args);
    assert_string_equal(d.text, "readlink(\"/first\"");
    path[1] = 'X';
    decode_leave(&d, __NR_readlink, args, 3);
    assert_string_equal(d.text, "readlink(\"/first\", \"tar\", 100) = 3\n");
}

static void a_call_that_does_not_return_prints_all(void **state)
{
    CHECK("exit_group(1) = ?", 0, __NR_exit_group, 1);
}

static void unknown_numbers_print_raw(void **state)
{
    CHECK("syscall_0x3e7(0x1, 0, 0, 0, 0, 0x6) = -1 ENOSYS (Function not implemented)", -ENOSYS,
          999, 1, 0, 0, 0, 0, 6);
}

/* Every row, with hostile arguments: the line ends, whatever they are. */
static void any_arguments_fit_the_line(void **state)
{
    static const u64 values[] = {0, BAD, 1, 0x7fffffff, (u64)-1, 1ULL << 63};
    static char zeros[4 * PAGE_SIZE];

    random_start();
    for (unsigned long nr = 0; nr < 480; nr++) {
        for (u32 round = 0; round < 30; round++) {
            struct decoding d;
            u64 args[6];

            for (u32 i = 0; i < 6; i++)
                args[i] = random_below(3) ? values[random_below(ARRAY_SIZE(values) - 2)] : P(zeros);
            decode_begin(&d);
            decode_enter(&d, nr, args);
            decode_leave(&d, nr, args, (long)random_below(3) - 1);
            assert_true(d.len < DECODE_MAX);
            assert_int_equal(d.text[d.len - 1], '\n');
        }
    }
}

static void a_long_path_leaves_room_for_the_result(void **state)
{
    static char path[5000];
    struct decoding d;
    u64 args[6] = {(u64)AT_FDCWD, P(path), (u64)AT_FDCWD, P(path), 0};

    memset(path, '\1', sizeof path - 1);
    decode_begin(&d);
    decode_enter(&d, __NR_renameat2, args);
    decode_leave(&d, __NR_renameat2, args, -ENAMETOOLONG);
    assert_non_null(strstr(d.text, ") = -1 ENAMETOOLONG (File name too long)\n"));
}

static void names_of_errors_and_signals(void **state)
{
    assert_string_equal(errno_name(EAGAIN), "EAGAIN");
    assert_string_equal(errno_message(ENOENT), "No such file or directory");
    assert_null(errno_name(0));
    assert_null(errno_name(-1));
    assert_null(errno_name(41));
    assert_null(errno_name(600));
    for (int err = 1; err <= EHWPOISON; err++) {
        const char *theirs = strerrorname_np(err);

        if (theirs && !streq(theirs, "ENOTSUP"))
            assert_string_equal(errno_name(err), theirs);
        if (theirs)
            assert_string_equal(errno_message(err), strerror(err));
    }
    assert_null(signal_name(0));
    assert_null(signal_name(34));
    for (int sig = 1; sig < 32; sig++)
        assert_string_equal(signal_name(sig) + 3, sig == SIGIO ? "IO" : sigabbrev_np(sig));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_flags_and_modes),
        cmocka_unit_test(fcntl_arguments),
        cmocka_unit_test(buffers),
        cmocka_unit_test(structures),
        cmocka_unit_test(iovecs_and_string_arrays),
        cmocka_unit_test(signals),
        cmocka_unit_test(processes),
        cmocka_unit_test(sockets),
        cmocka_unit_test(select_shows_its_sets_before_and_after),
        cmocka_unit_test(numbers_that_a_call_changes_show_both_values),
        cmocka_unit_test(nested_structures),
        cmocka_unit_test(arguments_that_are_read_print_before_the_call),
        cmocka_unit_test(a_call_that_does_not_return_prints_all),
        cmocka_unit_test(unknown_numbers_print_raw),
        cmocka_unit_test(any_arguments_fit_the_line),
        cmocka_unit_test(a_long_path_leaves_room_for_the_result),
        cmocka_unit_test(names_of_errors_and_signals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
