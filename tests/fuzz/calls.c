/*
 * tests/fuzz/calls.c: random system calls, with arguments of the kinds that the table names.
 *
 * `calls SEED WORKERS` runs that many worker processes, one after the other. Each opens a few files
 * of different kinds and then makes random calls until it has made its share, dies, or no longer
 * moves. Between workers the parent sees whether the kernel still does its work. It ends with 0 when
 * all went well; a kernel that panics, hangs, or fails the parent's check is what the fuzzer looks
 * for. Worker N of seed S is worker 0 of seed S+N.
 *
 * It runs inside only (tests/fuzz/run): as root on a machine of value it would do damage.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/types.h"
#include "syscall/decode.h"

#define CALLS       300   /* of a worker */
#define STALL_MS    150   /* a worker that makes no call for so long is ended */
#define ARENA       65536 /* of memory that may be read and written; a page that may not follows */
#define FIRST_FILES 10

extern const u32 row_count; /* tests/table/table.c */

/* Shared by parent and worker. */
static struct progress {
    volatile u64 calls;
    volatile u32 nr;
    volatile u64 answered;     /* calls that did not fail, of all workers */
    volatile u8 missing[1024]; /* calls that answered ENOSYS: seldom tried again */
} * progress;

static u64 random_state;
static u8 *arena, *read_only;

static u64 random_u64(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dULL;
}

static u32 below(u32 limit)
{
    return (u32)(random_u64() >> 33) % limit;
}

static bool one_in(u32 n)
{
    return below(n) == 0;
}

/* ---- arguments ---- */

static u64 number(void)
{
    static const u64 edges[] = {
        0,          1,          2,       3,         4,         7,          8,
        16,         63,         64,      127,       255,       511,        512,
        4095,       4096,       4097,    65535,     65536,     0x7fffffff, 0x80000000,
        0xffffffff, 1ULL << 32, 1 << 20, INT64_MAX, INT64_MIN, UINT64_MAX, (u64)-4096,
    };

    if (one_in(8))
        return random_u64() >> below(64);
    if (one_in(2))
        return below(100);
    return edges[below(ARRAY_SIZE(edges))];
}

static u64 length(void)
{
    return one_in(6) ? number() : below(one_in(2) ? 64 : 8192);
}

static u64 descriptor(void)
{
    if (one_in(12))
        return one_in(2) ? (u64)-1 : number();
    return 3 + below(FIRST_FILES + 6);
}

/* Never another process: the parent must live, and process 1. */
static u64 process(void)
{
    static const u32 nobody[] = {0x3fffff, 0x7fffffff, 0x12345};

    if (one_in(3))
        return nobody[below(ARRAY_SIZE(nobody))];
    return one_in(3) ? 0 : (u64)getpid();
}

static u64 from_set(const struct decode_arg *arg)
{
    const struct decode_set *set = &decode_sets[arg->what];
    u64 value = 0;

    if (one_in(16))
        return number();
    if (arg->kind == KIND_enum)
        return set->names[below(set->count)].value;
    for (u32 n = below(4); n > 0; n--)
        value |= set->names[below(set->count)].value;
    return value;
}

static void *anywhere(void)
{
    return arena + (below(ARENA) & ~7u);
}

/* A pointer that a call must refuse, or that ends where memory does. */
static u64 bad_pointer(void)
{
    switch (below(6)) {
    case 0:
        return 0;
    case 1:
        return (u64)(arena + ARENA - below(64));
    case 2:
        return (u64)read_only + below(4096);
    case 3:
        return 0x7fffffffe000 + below(16384);
    case 4:
        return 0x650000000000 + (u64)below(1u << 30); /* the kernel's own range */
    default:
        return random_u64();
    }
}

static u64 path(void)
{
    static const char *const names[] = {
        "f",
        "g",
        "d",
        "d/f",
        "d/../f",
        "link",
        "loop",
        ".",
        "..",
        "/",
        "",
        "nothing/below",
        "f/sub",
        "fifo",
        "/dev/null",
        "/dev/zero",
        "/proc/self/maps",
        "/proc/self/fd",
        "/tmp",
        "sock",
        "d/deep",
        "/proc/self/status",
    };

    return (u64)names[below(ARRAY_SIZE(names))];
}

/* Memory for a structure or an array: what lay there before, random bytes, small numbers, or words
 * that are pointers and lengths themselves, as in an iovec. */
static u64 memory(void)
{
    u64 *words = anywhere();
    u32 count = 1 + below(24);

    if ((u8 *)(words + count) > arena + ARENA)
        count = 1;
    switch (below(5)) {
    case 0:
        break;
    case 1:
        for (u32 i = 0; i < count; i++)
            words[i] = random_u64();
        break;
    case 2:
        for (u32 i = 0; i < count; i++)
            words[i] = number();
        break;
    case 3:
        for (u32 i = 0; i < count; i++)
            ((u32 *)words)[i] = one_in(2) ? (u32)descriptor() : (u32)number();
        break;
    default:
        for (u32 i = 0; i < count; i++)
            words[i] = i % 2 ? length() : one_in(10) ? bad_pointer() : (u64)anywhere();
        break;
    }
    return (u64)words;
}

static u64 strings(void)
{
    u64 *array = (u64 *)arena;

    array[0] = path();
    array[1] = one_in(8) ? bad_pointer() : path();
    array[2] = 0;
    return (u64)array;
}

static u64 argument(const struct decode_arg *arg)
{
    bool pointer = arg->kind >= KIND_path;

    if (pointer && one_in(6))
        return bad_pointer();
    switch (arg->kind) {
    case KIND_fd:
    case KIND_dirfd:
        return arg->kind == KIND_dirfd && one_in(2) ? (u64)AT_FDCWD : descriptor();
    case KIND_pid:
        return process();
    case KIND_set:
    case KIND_enum:
        return from_set(arg);
    case KIND_signal:
        return one_in(4) ? number() : below(65);
    case KIND_mode:
        return one_in(4) ? number() : below(010000);
    case KIND_size:
        return length();
    case KIND_addr:
        return one_in(3) ? number() : (u64)anywhere() & ~4095ULL;
    case KIND_path:
    case KIND_string:
        return path();
    case KIND_strings:
        return strings();
    case KIND_ptr:
    case KIND_mem:
        return memory();
    default:
        return number();
    }
}

/* ---- the worker ---- */

/* Calls that would end the worker, or the instance, without showing anything. */
static bool left_out(u32 nr)
{
    static const u16 never[] = {
        SYS_exit,  SYS_exit_group, SYS_vfork,         SYS_clone,      SYS_clone3, SYS_rt_sigreturn,
        SYS_pause, SYS_reboot,     SYS_rt_sigsuspend, SYS_kexec_load, SYS_execve, SYS_execveat,
    };

    for (u32 i = 0; i < ARRAY_SIZE(never); i++) {
        if (never[i] == nr)
            return true;
    }
    return progress->missing[nr % sizeof progress->missing] && !one_in(64);
}

static void open_files(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int pair[2];

    close_range(3, ~0u, 0);
    open("f", O_RDWR | O_CREAT, 0644);
    open("d", O_RDONLY | O_DIRECTORY);
    if (pipe2(pair, O_NONBLOCK) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return;
    eventfd(1, EFD_NONBLOCK);
    epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, pair[0], &event);
    memfd_create("fuzz", MFD_ALLOW_SEALING);
    timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
}

static void prepare_memory(void)
{
    arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (arena == MAP_FAILED || read_only == MAP_FAILED || mprotect(arena + ARENA, 4096, PROT_NONE))
        _exit(2);
}

static void worker(u64 seed, bool verbose)
{
    struct rlimit files = {1 << 20, 1 << 20}, space = {1 << 30, 1 << 30};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    setrlimit(RLIMIT_FSIZE, &files);
    setrlimit(RLIMIT_AS, &space);
    signal(SIGXFSZ, SIG_IGN);
    random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
    prepare_memory();
    open_files();
    for (u32 i = 0; i < CALLS;) {
        u32 nr = below(row_count);
        const struct syscall_row *row = &syscall_rows[nr];
        u64 a[6] = {0};

        if (!row->name || left_out(nr))
            continue;
        for (u32 n = 0; n < row->nargs; n++)
            a[n] = argument(&row->args[n]);
        progress->nr = nr;
        if (verbose)
            dprintf(2, "%s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)\n", row->name, (long)a[0],
                    (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5]);
        long result = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (nr == SYS_fork && result == 0)
            _exit(0);
        if (result != -1)
            progress->answered++;
        else if (errno == ENOSYS)
            progress->missing[nr % sizeof progress->missing] = 1;
        progress->calls++;
        i++;
    }
    _exit(0);
}

/* ---- the parent ---- */

static void fail(const char *what)
{
    dprintf(2, "fuzz: %s: %s (last call: %s)\n", what, strerror(errno),
            syscall_rows[progress->nr].name);
    exit(1);
}

/* Waits until the worker ends; one that makes no call for a while is ended. */
static void wait_for(pid_t pid)
{
    struct timespec tick = {.tv_nsec = 2000000};
    u64 seen = progress->calls;
    int still = 0;

    for (;;) {
        pid_t ended = waitpid(pid, NULL, WNOHANG);
        if (ended == pid)
            return;
        if (ended < 0 && errno != EINTR)
            fail("waitpid");
        nanosleep(&tick, NULL);
        if (progress->calls != seen) {
            seen = progress->calls;
            still = 0;
        } else if (++still == STALL_MS / 2 && kill(pid, SIGKILL) != 0) {
            fail("kill");
        }
    }
}

/*
 * Where the folders are made. Workers know it by no name, and it is reached by none: one of them may move /tmp away, which
 * root may do.
 */
static int home;

static void home_make(void)
{
    char folder[] = "/tmp/home-XXXXXX";

    if (!mkdtemp(folder) || (home = open(folder, O_RDONLY | O_DIRECTORY)) < 0)
        fail(folder);
}

/* What any kernel can do that is in its right mind, in a folder that no worker knows by name. */
static void check_kernel(void)
{
    static const char text[] = "still alive";
    char folder[] = "check-XXXXXX";
    char back[sizeof text];
    int fds[2], status;

    if (fchdir(home) != 0 || !mkdtemp(folder) || chdir(folder) != 0)
        fail(folder);
    int fd = open("check", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, text, sizeof text) != sizeof text ||
        pread(fd, back, sizeof back, 0) != sizeof back || memcmp(text, back, sizeof text) != 0)
        fail("a file does not keep what is written");
    if (close(fd) != 0 || unlink("check") != 0 || fchdir(home) != 0 || rmdir(folder) != 0)
        fail("a file cannot be removed");
    if (pipe(fds) != 0)
        fail("pipe");
    pid_t pid = fork();
    if (pid == 0)
        _exit(write(fds[1], text, sizeof text) == sizeof text ? 7 : 1);
    if (pid < 0 || read(fds[0], back, sizeof back) != sizeof back ||
        waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
        fail("a child does not write, or does not end");
    close(fds[0]);
    close(fds[1]);
}

static void prepare_folder(void)
{
    char folder[] = "fuzz-XXXXXX";

    if (fchdir(home) != 0 || !mkdtemp(folder) || chdir(folder) != 0)
        fail(folder);
    mkdir("d", 0755);
    mkdir("d/deep", 0755);
    mkfifo("fifo", 0644);
    if (symlink("f", "link") != 0 || symlink("loop", "loop") != 0)
        fail("symlink");
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: calls SEED WORKERS [verbose]\n");
        return 2;
    }
    u64 seed = strtoull(argv[1], NULL, 0), workers = strtoull(argv[2], NULL, 0);

    progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED)
        return 2;
    for (int sig = 1; sig < 65; sig++) {
        if (sig != SIGCHLD)
            signal(sig, SIG_IGN);
    }
    home_make();
    for (u64 n = 0; n < workers; n++) {
        prepare_folder();
        pid_t pid = fork();
        if (pid < 0)
            fail("fork");
        if (pid == 0 && close(home) == 0)
            worker(seed + n, argc > 3);
        wait_for(pid);
        check_kernel();
    }
    printf("%llu calls, %llu of them answered\n", (unsigned long long)progress->calls,
           (unsigned long long)progress->answered);
    return 0;
}
