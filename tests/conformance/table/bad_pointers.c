/*
 * bad_pointers.c: every call of the table answers EFAULT when one of its pointers points to where
 * nothing is: to an address that is never mapped, and so close to the end of the last mapped page
 * that only its first byte can be reached.
 *
 * The rows come from kernel/syscall/syscalls.tbl; plausible.tbl has the arguments that a kind alone
 * does not tell. A call that the running kernel lacks is skipped.
 */
#include "../lib/child.h"

#include <linux/aio_abi.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>

#define ARGS       6
#define PAGE       4096
#define PATIENCE_S 5   /* a try that waits is wrong */
#define SUCCESS    200 /* exit status of a try that succeeded; the errno when it failed */
#define BROKEN     201 /* ... of a try that could not be made */
#define TRY_WILD   1
#define TRY_EDGE   2

enum value_kind {
    VALUE_NUMBER,
    VALUE_FIXTURE,
    VALUE_MEMORY,
    VALUE_LENGTH,
    VALUE_PATH,
    VALUE_STRINGS
};

struct value {
    enum value_kind kind;
    long number; /* or enum fixture */
};

struct call {
    const char *name;
    long nr;
    struct value values[ARGS];
    int tries[ARGS];
    const char *names[ARGS];
};

#include "bad_pointers.h"

struct attempt {
    const struct call *call;
    int arg;
    long bad;
};

static char memory[ARGS][PAGE] __attribute__((aligned(PAGE)));
static char *last_page; /* what lies behind it cannot be touched */
static void *folder;    /* cmocka hands a group's state to no test that has one of its own */

/* In a child: what a call needs is made, or the try ends with the errno that skips it. */
static long made_or_end(long result, const char *what)
{
    if (result == -1 && (errno == ENOSYS || errno == EPERM))
        _exit(errno);
    if (result == -1) {
        dprintf(STDERR_FILENO, "%s: %s\n", what, errno_name(errno));
        _exit(BROKEN);
    }
    return result;
}

#define made(call) made_or_end((long)(call), #call)

static int listening_socket(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t length = sizeof at;
    int fd = made(socket(AF_UNIX, SOCK_STREAM, 0));
    int client = made(socket(AF_UNIX, SOCK_STREAM, 0));

    made(bind(fd, (struct sockaddr *)&at, sizeof at.sun_family));
    made(listen(fd, 1));
    made(getsockname(fd, (struct sockaddr *)&at, &length));
    made(connect(client, (struct sockaddr *)&at, length));
    return fd;
}

static int connected_socket(void)
{
    int pair[2];

    made(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    made(write(pair[1], memory, 100));
    return pair[0];
}

/* Connected to itself, with a datagram waiting. */
static int datagram_socket(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = made(socket(AF_INET, SOCK_DGRAM, 0));

    made(bind(fd, (struct sockaddr *)&at, sizeof at));
    made(getsockname(fd, (struct sockaddr *)&at, &length));
    made(connect(fd, (struct sockaddr *)&at, length));
    made(send(fd, memory[0], 10, 0));
    return fd;
}

static int pipe_end(int end)
{
    int ends[2];

    made(pipe(ends));
    made(write(ends[1], memory, 100));
    return ends[end];
}

static int message_queue(void)
{
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 64};
    int fd = made(mq_open("/bad_pointers", O_RDWR | O_CREAT, 0600, &attr));

    made(mq_unlink("/bad_pointers"));
    made(mq_send(fd, memory[0], 10, 0));
    return fd;
}

static int messages(void)
{
    struct {
        long type;
        char text[8];
    } message = {1, "text"};
    int id = made(msgget(IPC_PRIVATE, 0600));

    made(msgsnd(id, &message, sizeof message.text, 0));
    return id;
}

static pid_t zombie(void)
{
    pid_t pid = made(fork());
    siginfo_t info;

    if (pid == 0)
        _exit(0);
    made(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
    return pid;
}

static long fixture_make(enum fixture fixture)
{
    aio_context_t context = 0;
    struct io_uring_params params = {0};
    struct landlock_ruleset_attr rules = {.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE};
    static struct __user_cap_header_struct capabilities = {_LINUX_CAPABILITY_VERSION_3, 0};
    static struct iovec vector = {memory[0], 64};
    int timer;

    switch (fixture) {
    case FIXTURE_FILE:
        return made(open("file", O_RDWR));
    case FIXTURE_DIR:
        return made(open(".", O_RDONLY | O_DIRECTORY));
    case FIXTURE_PIPE_READ:
        return pipe_end(0);
    case FIXTURE_PIPE_WRITE:
        return pipe_end(1);
    case FIXTURE_EPOLL: {
        int fd = made(epoll_create1(0));
        struct epoll_event event = {.events = EPOLLIN};

        made(epoll_ctl(fd, EPOLL_CTL_ADD, pipe_end(0), &event));
        return fd;
    }
    case FIXTURE_EVENT:
        return made(eventfd(0, 0));
    case FIXTURE_SOCKET:
        return connected_socket();
    case FIXTURE_UNCONNECTED:
        return made(socket(AF_UNIX, SOCK_DGRAM, 0));
    case FIXTURE_LISTENING:
        return listening_socket();
    case FIXTURE_INOTIFY:
        return made(inotify_init());
    case FIXTURE_FANOTIFY:
        return made(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
    case FIXTURE_TIMERFD:
        return made(timerfd_create(CLOCK_MONOTONIC, 0));
    case FIXTURE_TIMER:
        made(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &timer));
        return timer;
    case FIXTURE_QUEUE:
        return message_queue();
    case FIXTURE_PIDFD:
        return made(syscall(SYS_pidfd_open, getpid(), 0));
    case FIXTURE_SHARED:
        return made(shmget(IPC_PRIVATE, PAGE, 0600));
    case FIXTURE_SEMAPHORES:
        return made(semget(IPC_PRIVATE, 1, 0600));
    case FIXTURE_MESSAGES:
        return messages();
    case FIXTURE_AIO:
        made(syscall(SYS_io_setup, 1, &context));
        return (long)context;
    case FIXTURE_URING:
        return made(syscall(SYS_io_uring_setup, 1, &params));
    case FIXTURE_ZOMBIE:
        return zombie();
    case FIXTURE_SELF:
        return getpid();
    case FIXTURE_TERMINAL:
        return made(posix_openpt(O_RDWR | O_NOCTTY));
    case FIXTURE_LANDLOCK:
        return made(syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0));
    case FIXTURE_FILESYSTEM:
        return made(syscall(SYS_fsopen, "tmpfs", 0));
    case FIXTURE_LINK:
        return (long)"link";
    case FIXTURE_HERE:
        return (long)".";
    case FIXTURE_VECTOR:
        return (long)&vector;
    case FIXTURE_CAPABILITIES:
        return (long)&capabilities;
    case FIXTURE_DATAGRAM:
        return datagram_socket();
    }
    return -1;
}

static long value_make(const struct value *value, int index)
{
    static const char *const strings[] = {"file", NULL};

    switch (value->kind) {
    case VALUE_NUMBER:
        return value->number;
    case VALUE_FIXTURE:
        return fixture_make((enum fixture)value->number);
    case VALUE_MEMORY:
        return (long)memory[index];
    case VALUE_LENGTH:
        *(int *)memory[index] = 64;
        return (long)memory[index];
    case VALUE_PATH:
        return (long)"file";
    case VALUE_STRINGS:
        return (long)strings;
    }
    return 0;
}

/* In a child: the call with one bad pointer; the errno is the exit status. */
static int attempt_run(void *arg)
{
    const struct attempt *attempt = arg;
    long args[ARGS];

    alarm(PATIENCE_S);
    for (int i = 0; i < ARGS; i++)
        args[i] = i == attempt->arg ? attempt->bad : value_make(&attempt->call->values[i], i);

    long result = SYS(attempt->call->nr, args[0], args[1], args[2], args[3], args[4], args[5]);

    return result < 0 ? (int)-result : SUCCESS;
}

static const char *outcome_name(int outcome)
{
    return outcome == SUCCESS ? "success" : outcome == BROKEN ? "not made" : errno_name(outcome);
}

static bool answers_efault(const struct call *call, int arg, long bad, const char *how)
{
    struct attempt attempt = {call, arg, bad};
    int status = child_status(attempt_run, &attempt);

    if (WIFEXITED(status) && WEXITSTATUS(status) == ENOSYS)
        skip_because("%s is not in the running kernel", call->name);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EPERM && geteuid() != 0)
        skip_because("%s needs root", call->name);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EFAULT)
        return true;
    if (!WIFEXITED(status))
        print_error("%s of %s is %s: wait status %#x\n", call->names[arg], call->name, how,
                    (unsigned)status);
    else
        print_error("%s of %s is %s: %s, not EFAULT\n", call->names[arg], call->name, how,
                    outcome_name(WEXITSTATUS(status)));
    return false;
}

static void bad_pointers_fault(void **state)
{
    const struct call *call = *state;
    bool good = true;

    assert_non_null(call);
    for (int i = 0; i < ARGS; i++) {
        if (call->tries[i] & TRY_WILD)
            good &= answers_efault(call, i, (long)BAD_PTR, "wild");
        if (call->tries[i] & TRY_EDGE)
            good &= answers_efault(call, i, (long)last_page + PAGE - 1, "cut off");
    }
    assert_true(good);
}

static int group_setup(void **state)
{
    char *pages =
        must(mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    must(mprotect(pages + PAGE, PAGE, PROT_NONE));
    last_page = pages;
    memset(last_page, 'a', PAGE);
    if (tempdir_setup(&folder))
        return -1;
    make_file("file", "a file with some text\n");
    must(chmod("file", 0755));
    must(symlink("file", "link"));
    return 0;
}

static int group_teardown(void **state)
{
    return tempdir_teardown(&folder);
}

int main(void)
{
    static struct CMUnitTest tests[ARRAY_LEN(calls)];

    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        tests[i] = (struct CMUnitTest){.name = calls[i].name,
                                       .test_func = bad_pointers_fault,
                                       .initial_state = (void *)&calls[i]};
    }
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
