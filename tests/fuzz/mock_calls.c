/*
 * tests/fuzz/mock_calls.c: sequences of system calls from libFuzzer's bytes, on the mock target.
 *
 * An input is a program: a byte chooses a step, which takes its arguments from the bytes that follow. Most steps are
 * one call with arguments of the kinds that the table names; the others make what such calls need to get
 * anywhere (pairs of sockets, queues, children, threads). A child runs a part of its parent's bytes, so every
 * program ends. Findings are what sanitizers see, panics, programs that cannot be killed, and objects, pages
 * and host descriptors that are more after each repetition.
 */
#include "arguments.h"
#include "mock_fuzz.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#define CALLS_MAX    400 /* of an input */
#define PROGRAMS_MAX 24  /* children and threads of an input */
#define HANDLED_MAX  60  /* signals of an input, for one whose cause stays */
#define GROWTHS      5   /* repetitions that must all leave more behind than the one before */

static struct part parts[PROGRAMS_MAX + 1];
static u32 parts_used;          /* atomic */
static u32 calls_made, handled; /* atomic */
static struct part *exec_part;  /* atomic; what the next program that is executed runs */
static const u8 *input;         /* of this run */
static size_t input_size;
static bool verbose; /* constant: each call is printed */

void on_signal(int signo, mock_user info, mock_user context)
{
    if (__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED) > HANDLED_MAX)
        mock_call(__NR_exit_group, 1);
}

/* --- a call --------------------------------------------------------------------------------------------------- */

static long call(u32 nr, const u64 a[6])
{
    long result;

    if (__atomic_add_fetch(&calls_made, 1, __ATOMIC_RELAXED) > CALLS_MAX)
        mock_call(__NR_exit_group, 0);
    if (verbose)
        fprintf(stderr, "%s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)\n", syscall_rows[nr].name,
                (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5]);
    result = mock_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (verbose)
        fprintf(stderr, "    %s = %ld\n", syscall_rows[nr].name, result);
    return result;
}
#define CALL_(name, a0, a1, a2, a3, a4, a5, ...)                                                   \
    call(__NR_##name,                                                                              \
         (const u64[6]){(u64)(a0), (u64)(a1), (u64)(a2), (u64)(a3), (u64)(a4), (u64)(a5)})
#define CALL(...) CALL_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

static int run_part(void *arg);

/* The next bytes become another program's; NULL: there are enough. */
static struct part *part_split(void)
{
    size_t size = below(256), left = (size_t)(bytes->end - bytes->at);
    u32 i = __atomic_fetch_add(&parts_used, 1, __ATOMIC_RELAXED);

    if (i >= ARRAY_SIZE(parts))
        return NULL;
    size = size < left ? size : left;
    parts[i] = (struct part){bytes->at, bytes->at + size};
    bytes->at += size;
    return &parts[i];
}

/* Calls that make threads run a part; those that end the program or the instance are rare. */
static bool prepare(u32 nr)
{
    struct part *child;

    switch (nr) {
    case __NR_clone:
    case __NR_clone3:
    case __NR_fork:
    case __NR_vfork:
        child = part_split();
        mock_child(run_part, child);
        return child != NULL;
    case __NR_execve:
    case __NR_execveat:
        if (next_u8() & 1)
            __atomic_store_n(&exec_part, part_split(), __ATOMIC_SEQ_CST);
        return true;
    case __NR_exit:
    case __NR_exit_group:
    case __NR_reboot:
        return next_u8() > 200;
    default:
        return true;
    }
}

static void one_call(void)
{
    static u16 numbers[SYSCALL_LIMIT];
    static u32 count;
    const struct syscall_row *row;
    u64 a[6] = {0};
    u32 nr;

    if (!__atomic_load_n(&count, __ATOMIC_ACQUIRE)) {
        u32 n = 0;
        for (u32 i = 0; i < SYSCALL_LIMIT; i++)
            if (syscall_rows[i].name)
                numbers[n++] = (u16)i;
        __atomic_store_n(&count, n, __ATOMIC_RELEASE);
    }
    nr = numbers[next_u16() % count];
    row = &syscall_rows[nr];
    if (!prepare(nr))
        return;
    for (u32 i = 0; i < row->nargs; i++)
        a[i] = argument(&row->args[i]);
    call(nr, a);
}

/* --- steps that lead somewhere ---------------------------------------------------------------------------- */

static void step_pipe(void)
{
    CALL(pipe2, place(8), next_u8() & 1 ? O_NONBLOCK : 0);
}

static void step_socketpair(void)
{
    static const u64 types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

    CALL(socketpair, AF_UNIX, types[below(ARRAY_SIZE(types))], 0, place(8));
}

static void step_connection(void)
{
    u8 address[128] = {0};
    size_t size = fill_sockaddr(address);
    u64 at = stored(address, sizeof(address)), type = next_u8() < 160 ? SOCK_STREAM : SOCK_DGRAM;
    u64 family = *(sa_family_t *)address;
    long a = CALL(socket, family, type, 0), b = CALL(socket, family, type | SOCK_NONBLOCK, 0);

    CALL(bind, a, at, size);
    CALL(listen, a, below(4));
    CALL(connect, b, at, size);
    if (next_u8() & 1)
        CALL(accept4, a, 0, 0, SOCK_NONBLOCK);
}

static void step_netlink(void)
{
    long fd = CALL(socket, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
    struct {
        struct nlmsghdr header;
        u8 body[32];
    } message = {.header = {.nlmsg_len = sizeof(message)}};

    message.header.nlmsg_type = (u16)(RTM_BASE + below(32));
    message.header.nlmsg_flags = (u16)(NLM_F_REQUEST | (next_u8() & 1 ? NLM_F_DUMP : next_u16()));
    if (next_u8() > 200)
        message.header.nlmsg_len = (u32)number();
    for (u32 i = 0; i < sizeof(message.body) && next_u8() < 128; i++)
        message.body[i] = next_u8();
    CALL(sendto, fd, stored(&message, sizeof(message)), sizeof(message), 0, 0, 0);
    CALL(recvfrom, fd, place(4096), length(), 0, 0, 0);
}

static void step_epoll(void)
{
    long ep = CALL(epoll_create1, 0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | (u32)next_u8() << 24};

    CALL(epoll_ctl, ep, EPOLL_CTL_ADD, descriptor(), stored(&event, sizeof(event)));
    CALL(epoll_wait, ep, place(256), 8, below(100));
}

static void step_file(void)
{
    long fd = CALL(openat, AT_FDCWD, path(), (next_u8() & 3) | (next_u8() & 1 ? O_CREAT : 0), 0644);

    if (next_u8() & 1)
        CALL(write, fd, place(2048), length());
    if (next_u8() & 1)
        CALL(pread64, fd, place(2048), length(), number());
    if (next_u8() & 1)
        CALL(getdents64, fd, place(2048), length());
}

static void step_mapping(void)
{
    u64 at = ARENA + 0x20000 + below(8) * 8192UL;

    CALL(mmap, at, (1 + below(4)) * 4096, next_u8() & 7,
         MAP_FIXED | (next_u8() & 1 ? MAP_SHARED : MAP_PRIVATE) |
             (next_u8() & 1 ? MAP_ANONYMOUS : 0),
         descriptor(), below(4) * 4096);
    mock_store(ARENA + 0x20000, "touched", next_u8() & 1 ? 7 : 0);
    if (next_u8() & 1)
        CALL(read, descriptor(), at, length());
}

static void step_terminal(void)
{
    long master = CALL(openat, AT_FDCWD, stored("/dev/ptmx", 10), O_RDWR | O_NONBLOCK);
    u32 zero = 0;

    CALL(ioctl, master, TIOCSPTLCK, stored(&zero, 4));
    CALL(openat, AT_FDCWD, stored("/dev/pts/0", 11),
         O_RDWR | O_NONBLOCK | (next_u8() & 1 ? O_NOCTTY : 0));
    CALL(write, master, place(64), length());
}

static void step_queue(void)
{
    struct mq_attr attr = {.mq_maxmsg = 1 + below(4), .mq_msgsize = 1 + below(64)};
    long fd = CALL(mq_open, stored("mq", 3), O_CREAT | O_RDWR | O_NONBLOCK, 0600,
                   stored(&attr, sizeof(attr)));

    CALL(mq_timedsend, fd, place(64), below(64), below(4), 0);
    if (next_u8() & 1)
        CALL(mq_unlink, stored("mq", 3));
}

static void step_ipc(void)
{
    u64 key = below(3), flags = 0600 | (next_u8() & 1 ? 01000 : 0);

    switch (below(3)) {
    case 0:
        CALL(shmat, CALL(shmget, key, length(), flags), 0, below(2) * 010000);
        break;
    case 1:
        CALL(semget, key, below(8), flags);
        break;
    default:
        CALL(msgsnd, CALL(msgget, key, flags), place(64), below(64), 04000);
        break;
    }
}

static void step_child(void)
{
    static const u64 kinds[] = {
        SIGCHLD,
        CLONE_VM | CLONE_VFORK | SIGCHLD,
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
        CLONE_VM | CLONE_FILES | SIGUSR1,
        CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD,
        CLONE_PARENT | SIGCHLD,
    };
    struct part *child = part_split();

    if (child)
        mock_clone(kinds[below(ARRAY_SIZE(kinds))], run_part, child, ARENA, ARENA + 8);
}

static void step_exec(void)
{
    u64 arguments[] = {ARENA, 0};

    __atomic_store_n(&exec_part, part_split(), __ATOMIC_SEQ_CST);
    CALL(execve, stored("/bin/prog", 10), stored(arguments, sizeof(arguments)), 0);
}

static void step_mount(void)
{
    static const char *const types[] = {"tmpfs",  "proc",    "sysfs", "mqueue",
                                        "devpts", "overlay", "none"};
    const char *type = types[below(ARRAY_SIZE(types))];

    CALL(mount, stored(type, strlen(type) + 1), path(), stored(type, strlen(type) + 1),
         next_u8() & 1 ? 0 : next_u16(), next_u8() & 1 ? 0 : path());
}

static void step_timer(void)
{
    u64 spec[4] = {0, below(2) * 1000, 0, number()};
    long fd = CALL(timerfd_create, CLOCK_MONOTONIC, 0);

    CALL(timerfd_settime, fd, 0, stored(spec, sizeof(spec)), 0);
    if (next_u8() & 1)
        CALL(setitimer, below(3), stored(spec, sizeof(spec)), 0);
}

static void step_handler(void)
{
    u64 action[4];

    fill_action(action);
    CALL(rt_sigaction, 1 + below(64), stored(action, sizeof(action)), 0, 8);
}

static void step_pass_descriptor(void)
{
    struct msghdr message = {0};
    u8 control[64] = {0};
    u64 vector[2] = {ARENA, 1};

    message.msg_iov = (void *)stored(vector, sizeof(vector));
    message.msg_iovlen = 1;
    message.msg_controllen = fill_control(control);
    message.msg_control = (void *)stored(control, sizeof(control));
    CALL(sendmsg, descriptor(), stored(&message, sizeof(message)), MSG_DONTWAIT);
    if (next_u8() & 1)
        CALL(recvmsg, descriptor(), stored(&message, sizeof(message)), MSG_DONTWAIT);
}

static void step_touch(void)
{
    u64 word;

    mock_load(&word, bad_pointer(), 8);
}

typedef void step(void);
static step *const steps[] = {
    step_pipe,    step_socketpair, step_connection, step_netlink, step_epoll,           step_file,
    step_mapping, step_terminal,   step_queue,      step_ipc,     step_child,           step_child,
    step_exec,    step_mount,      step_timer,      step_handler, step_pass_descriptor, step_touch,
};

/* --- programs ------------------------------------------------------------------------------------------------- */

static void prepare_memory(void)
{
    mock_call(__NR_mmap, ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    mock_call(__NR_mmap, READ_ONLY, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
              0);
}

static int run_part(void *arg)
{
    bytes = arg;
    while (bytes && bytes->at < bytes->end) {
        u8 choice = next_u8();

        if (choice < 96)
            steps[choice % ARRAY_SIZE(steps)]();
        else
            one_call();
    }
    return 0;
}

/* What execve(2) leads to. */
static int run_program(void *arg)
{
    prepare_memory();
    return run_part(__atomic_exchange_n(&exec_part, NULL, __ATOMIC_SEQ_CST));
}

/* Mounts, names, IPC objects and files go with the program, so that what is left afterwards is lost. */
static void prepare_world(void)
{
    static const u64 limits[][3] = {{1, 1 << 20, 1 << 20}, {9, 256UL << 20, 256UL << 20}};

    mock_call(__NR_setsid);
    mock_call(__NR_unshare, CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS);
    mock_call(__NR_mount, mock_string("tmpfs"), mock_string("/tmp"), mock_string("tmpfs"), 0, 0);
    mock_call(__NR_chdir, mock_string("/tmp"));
    mock_call(__NR_mkdir, mock_string("d"), 0755);
    mock_call(__NR_mkdir, mock_string("d/deep"), 0755);
    mock_call(__NR_mkdir, mock_string("tmp"), 0777);
    mock_call(__NR_mknod, mock_string("fifo"), S_IFIFO | 0644, 0);
    mock_call(__NR_symlink, mock_string("f"), mock_string("link"));
    mock_call(__NR_symlink, mock_string("loop"), mock_string("loop"));
    mock_call(__NR_close, mock_call(__NR_open, mock_string("f"), O_CREAT | O_RDWR, 0644));
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
        mock_call(__NR_setrlimit, limits[i][0], mock_put(&limits[i][1], 16));
    mock_handle(SIGUSR1, on_signal, 0);
    mock_call(__NR_rt_sigprocmask, SIG_SETMASK, mock_put((u64[]){0}, 8), 0, 8);
}

static int run_input(void *arg)
{
    prepare_world();
    prepare_memory();
    return run_part(&parts[0]);
}

static bool repeat(bool empty, struct mock_usage *after)
{
    parts[0] = (struct part){input, input + (empty ? 0 : input_size)};
    parts_used = 1;
    calls_made = handled = 0;
    exec_part = NULL;
    if (mock_fork(run_input, NULL) < 0)
        return false;
    attend(&(struct patience){.nap_ns = 50000000, .kicks = 6, .kill_after = 8});
    return usage_take(after);
}

static bool has_grown(const struct mock_usage *from, const struct mock_usage *to)
{
    return to->objects > from->objects || to->runs > from->runs ||
           to->host_files > from->host_files;
}

static int run_main(void *arg)
{
    struct mock_usage now, before;

    if (!become_main())
        return run_program(NULL);
    if (!repeat(true, &before))
        return 1;
    for (int i = 0; i <= GROWTHS; i++) {
        if (!repeat(false, &now) || !has_grown(&before, &now))
            return 0;
        if (i == GROWTHS)
            break;
        before = now;
    }
    mock_usage_print(&before);
    finding("each repetition leaves more behind: %lu objects, %lu runs of pages, %lu host files",
            now.objects - before.objects, now.runs - before.runs,
            now.host_files - before.host_files);
}

static void make_files(void)
{
    mock_host_program("/bin/prog", run_program, NULL);
    mock_host_dir("/tmp", 01777);
    mock_host_dir("/host/d", 0755);
    mock_host_file("/host/f", 0644, "from the host\n", 14);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mock_options options = {
        .main = run_main,
        .setup = make_files,
        .input = "typed\n",
        .memory_size = 64UL << 20,
    };

    verbose = getenv("FUZZ_VERBOSE") != NULL;
    input = data;
    input_size = size;
    instance_run(&options);
    return 0;
}
