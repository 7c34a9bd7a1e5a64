/*
 * tests/table/arguments.c: what calls answer when one argument is wrong.
 *
 * For each row of the table it makes one call whose arguments are all plausible for their kinds, and
 * then calls in which one argument is replaced: a null, unmapped, or half mapped pointer, a path that
 * leads nowhere, a closed descriptor or one of another kind, flags that do not exist. It prints
 *     CALL WHAT: ERRNO, "ok", "signal N" or "waits"
 * and has no opinion: tests/run compares what it prints natively and inside. Each call is made by an
 * unprivileged process of its own in a folder of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/types.h"
#include "syscall/decode.h"

#define NOBODY   65534
#define WAIT_MS  500            /* a call that has not returned by then waits */
#define ARENA    8192           /* of zeros; a page that may not be touched follows */
#define SIZE     16             /* what a length says */
#define FAR      0x7ffffffff000 /* the page above the last of user space */
#define KERNEL   0xffff800000000000
#define PATH_FAR 4096
#define NAME_FAR 256

extern const u32 row_count;

enum { FILE_FD = 10, DIRECTORY_FD, PATH_FD, PIPE_FD, PIPE_END_FD, SOCKET_FD, CLOSED_FD = 100 };

static struct report {
    volatile long result;
    volatile int returned;
} * report;

static u8 *arena;
static char long_path[PATH_FAR + 1], long_name[NAME_FAR + 1];

/* Calls that end the machine or stop everything, whose answer depends on the host's settings, or
 * that could not tell: the process would be traced, or never go on. */
static const u16 left_out[] = {
    SYS_exit,   SYS_exit_group, SYS_rt_sigreturn, SYS_pause,           SYS_rt_sigsuspend,
    SYS_reboot, SYS_sync,       SYS_syncfs,       SYS_ptrace,          SYS_bpf,
    SYS_syslog, SYS_vhangup,    SYS_userfaultfd,  SYS_perf_event_open,
};

static bool is_left_out(u32 nr)
{
    for (u32 i = 0; i < ARRAY_SIZE(left_out); i++) {
        if (left_out[i] == nr)
            return true;
    }
    return false;
}

static void must(bool done, const char *what)
{
    if (done)
        return;
    perror(what);
    exit(1);
}

/* ---- one call ---- */

static long raw_call(u64 nr, const u64 a[6])
{
    register u64 r10 __asm__("r10") = a[3];
    register u64 r8 __asm__("r8") = a[4];
    register u64 r9 __asm__("r9") = a[5];
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void keep_as(int fd, int as)
{
    must(fd >= 0 && dup2(fd, as) == as, "open");
    if (fd != as)
        close(fd);
}

/* The folder and descriptors that paths and descriptors of the calls mean. */
static void furnish(void)
{
    char folder[] = "/tmp/arguments-XXXXXX";
    int pair[2];

    must(mkdtemp(folder) && chdir(folder) == 0, "folder");
    keep_as(open("f", O_RDWR | O_CREAT, 0644), FILE_FD);
    must(write(FILE_FD, folder, sizeof folder) == sizeof folder && lseek(FILE_FD, 0, SEEK_SET) == 0,
         "file");
    must(mkdir("d", 0755) == 0 && symlink("loop", "loop") == 0, "folder");
    keep_as(open("d", O_RDONLY | O_DIRECTORY), DIRECTORY_FD);
    keep_as(open("f", O_PATH), PATH_FD);
    must(pipe2(pair, O_NONBLOCK) == 0, "pipe");
    keep_as(pair[0], PIPE_FD);
    keep_as(pair[1], PIPE_END_FD);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd >= 0 || errno != ENOSYS) /* without sockets the rest can be told nevertheless */
        keep_as(fd, SOCKET_FD);
    close(CLOSED_FD);
}

static void make_call(u32 nr, const u64 a[6])
{
    static const u64 nothing[6];
    pid_t self = getpid();

    furnish();
    long result = raw_call(nr, a);
    if (raw_call(SYS_getpid, nothing) == self) {
        report->result = result;
        report->returned = 1;
    }
    for (;;) /* libc may have lost its thread's base by now */
        raw_call(SYS_exit_group, nothing);
}

/* Waits for the child and says how it came out. */
static void say_outcome(pid_t pid, char *text, size_t size)
{
    int status = 0;
    bool ended = false;

    for (int ms = 0; ms < WAIT_MS && !ended; ms++) {
        ended = waitpid(pid, &status, WNOHANG) == pid;
        if (!ended)
            usleep(1000);
    }
    if (!ended) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    const char *name = report->result < 0 ? strerrorname_np((int)-report->result) : NULL;
    if (report->returned && report->result >= -MAX_ERRNO && report->result < 0)
        snprintf(text, size, "%s", name ? name : "an error without a name");
    else if (report->returned)
        snprintf(text, size, "ok");
    else if (ended && WIFSIGNALED(status))
        snprintf(text, size, "signal %d", WTERMSIG(status));
    else
        snprintf(text, size, "%s", ended ? "ends" : "waits");
}

static void try_call(u32 nr, const u64 a[6], const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void try_call(u32 nr, const u64 a[6], const char *format, ...)
{
    char what[100], outcome[64];
    va_list args;

    report->returned = 0;
    report->result = 0;
    memset(arena, 0, ARENA);
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        make_call(nr, a);
    }
    say_outcome(pid, outcome, sizeof outcome);
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    printf("%s %s: %s\n", syscall_rows[nr].name, what, outcome);
    fflush(stdout);
}

/* ---- arguments ---- */

static u64 plausible(const struct decode_arg *arg, u32 index)
{
    switch (arg->kind) {
    case KIND_fd:
        return FILE_FD;
    case KIND_dirfd:
        return (u64)AT_FDCWD;
    case KIND_mode:
        return 0644;
    case KIND_size:
        return SIZE;
    case KIND_addr:
        return (u64)arena;
    case KIND_enum:
        return decode_sets[arg->what].names[0].value;
    case KIND_path:
    case KIND_string:
        return (u64) "f";
    case KIND_strings:
    case KIND_ptr:
    case KIND_mem:
        return (u64)(arena + index * 1024);
    default:
        return 0;
    }
}

/* Where no kind tells what is plausible. */
static const struct {
    u32 nr, index;
    u64 value;
} chosen[] = {
    {SYS_name_to_handle_at, 4, 0x200 /* AT_HANDLE_FID: of any file system */},
};

struct variant {
    const char *what;
    u64 value;
};

static void try_variants(u32 nr, u64 a[6], u32 index, const struct variant *variants, size_t count)
{
    u64 kept = a[index];

    for (size_t i = 0; i < count; i++) {
        a[index] = variants[i].value;
        try_call(nr, a, "%s=%s", syscall_rows[nr].args[index].name, variants[i].what);
    }
    a[index] = kept;
}

#define TRY(...)                                                                                   \
    do {                                                                                           \
        const struct variant variants[] = {__VA_ARGS__};                                           \
        try_variants(nr, a, index, variants, ARRAY_SIZE(variants));                                \
    } while (0)

/* A flag that the table does not know, but that the kernel may. */
static u64 unknown_flag(const struct decode_arg *arg)
{
    const struct decode_set *set = &decode_sets[arg->what];
    u64 known = 0;

    for (u32 i = 0; i < set->count; i++)
        known |= set->names[i].value | set->names[i].mask;
    for (u32 bit = 0; bit < 32; bit++) {
        if (!(known & BIT(bit)))
            return BIT(bit);
    }
    return 0;
}

static void try_argument(u32 nr, u64 a[6], u32 index)
{
    const struct decode_arg *arg = &syscall_rows[nr].args[index];

    switch (arg->kind) {
    case KIND_fd:
    case KIND_dirfd:
        TRY({"-1", (u32)-1}, {"closed", CLOSED_FD}, {"huge", 0x7fffffff}, {"path-only", PATH_FD},
            {"directory", DIRECTORY_FD}, {"pipe", PIPE_FD}, {"socket", SOCKET_FD});
        break;
    case KIND_path:
        TRY({"empty", (u64) ""}, {"missing", (u64) "nothing"}, {"below-a-file", (u64) "f/x"},
            {"loop", (u64) "loop/x"}, {"directory", (u64) "d"}, {"slash", (u64) "f/"},
            {"too-long", (u64)long_path}, {"long-name", (u64)long_name});
        fallthrough;
    case KIND_string:
    case KIND_strings:
    case KIND_ptr:
    case KIND_mem:
        TRY({"null", 0}, {"unmapped", 8}, {"edge", (u64)(arena + ARENA - 1)}, {"far", FAR},
            {"kernel", KERNEL});
        break;
    case KIND_set:
        TRY({"all-bits", 0xffffffff}, {"unknown-bit", unknown_flag(arg)});
        break;
    case KIND_enum:
        TRY({"-1", (u64)-1}, {"9999", 9999});
        break;
    case KIND_signal:
        TRY({"-1", (u64)-1}, {"65", 65}, {"huge", 0x7fffffff});
        break;
    case KIND_pid:
        TRY({"nobody", 0x3fffff}, {"huge", 0x7fffffff});
        break;
    case KIND_size:
        TRY({"zero", 0}, {"huge", INT64_MAX}, {"all-bits", UINT64_MAX});
        break;
    case KIND_addr:
        TRY({"unaligned", (u64)arena + 1}, {"far", FAR}, {"kernel", KERNEL});
        break;
    case KIND_uid:
    case KIND_gid:
        TRY({"another", 12345}, {"-1", (u32)-1});
        break;
    default:
        TRY({"1", 1}, {"-1", (u64)-1}, {"huge", INT64_MAX});
        break;
    }
}

static void try_row(u32 nr)
{
    const struct syscall_row *row = &syscall_rows[nr];
    u64 a[6] = {0};

    for (u32 index = 0; index < row->nargs; index++)
        a[index] = plausible(&row->args[index], index);
    for (u32 i = 0; i < ARRAY_SIZE(chosen); i++) {
        if (chosen[i].nr == nr)
            a[chosen[i].index] = chosen[i].value;
    }
    try_call(nr, a, "plain");
    for (u32 index = 0; index < row->nargs; index++)
        try_argument(nr, a, index);
}

static void become_nobody(void)
{
    if (geteuid() != 0)
        return;
    must(setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
             setresuid(NOBODY, NOBODY, NOBODY) == 0,
         "nobody");
    must(prctl(PR_SET_DUMPABLE, 1) == 0, "dumpable");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: arguments CALL...\n");
        return 2;
    }
    become_nobody();
    umask(022);
    memset(long_path, 'a', PATH_FAR);
    for (int i = 100; i < PATH_FAR; i += 100)
        long_path[i] = '/';
    memset(long_name, 'n', NAME_FAR);
    arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    report = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(arena != MAP_FAILED && report != MAP_FAILED, "mmap");
    must(mprotect(arena + ARENA, 4096, PROT_NONE) == 0, "mprotect");

    for (u32 nr = 0; nr < row_count; nr++) {
        const struct syscall_row *row = &syscall_rows[nr];
        bool wanted = row->name && !is_left_out(nr) && strcmp(argv[1], "all") == 0;

        for (int i = 1; i < argc && row->name && !is_left_out(nr); i++)
            wanted |= strcmp(argv[i], row->name) == 0;
        if (wanted)
            try_row(nr);
    }
    return 0;
}
