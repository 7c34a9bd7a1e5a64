/* check.c: the helpers of check.h that concern results, folders and children. */
#include "check.h"

#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/*
 * With one argument, a test runs only the cases whose name matches it (* and ? stand for others),
 * or with a leading '-' leaves out the one that does. glibc hands main's arguments to constructors.
 */
__attribute__((constructor)) static void choose_cases(int argc, char **argv)
{
    if (argc == 2 && argv[1][0] == '-')
        cmocka_set_skip_filter(argv[1] + 1);
    else if (argc == 2)
        cmocka_set_test_filter(argv[1]);
}

const char *errno_name(int err)
{
    static char unknown[2][24];
    static unsigned turn;
    const char *name = strerrorname_np(err);

    if (err == 0)
        return "no errno";
    if (name)
        return name;
    char *text = unknown[turn++ % 2];
    snprintf(text, sizeof unknown[0], "errno %d", err);
    return text;
}

/* Children that were not waited for yet; a failed case leaves none behind for the next ones. */
static pid_t children[64];

static void child_note(pid_t from, pid_t to)
{
    for (size_t i = 0; i < ARRAY_LEN(children); i++) {
        if (children[i] == from) {
            children[i] = to;
            return;
        }
    }
}

static void children_end(void)
{
    int status;

    for (size_t i = 0; i < ARRAY_LEN(children); i++) {
        pid_t pid = children[i];
        children[i] = 0;
        if (pid != 0 && waitpid(pid, &status, WNOHANG | __WALL) == 0)
            kill(pid, SIGKILL); /* still ours, so the number is not another's */
    }
}

bool children_failed(void)
{
    for (size_t i = 0; i < ARRAY_LEN(children); i++) {
        siginfo_t info = {0};
        if (children[i] != 0 &&
            waitid(P_PID, (id_t)children[i], &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid != 0 && (info.si_code != CLD_EXITED || info.si_status != 0))
            return true;
    }
    return false;
}

void check_failed(const char *expr, const char *file, int line, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_error("%s: %s\n", expr, text);
    interrupts_abandon();
    children_end();
    _fail(file, line);
}

bool has_capability(int cap)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};

    if (syscall(SYS_capget, &header, data) != 0)
        return false;
    return data[cap / 32].effective >> (cap % 32) & 1;
}

void drop_privileges(void)
{
    if (geteuid() != 0)
        return;
    must(setgroups(0, NULL));
    must(setresgid(NOBODY, NOBODY, NOBODY));
    must(setresuid(NOBODY, NOBODY, NOBODY));
}

/* ---- a folder for each case ---- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static dev_t removed_dev; /* of the folder that is being removed */

/*
 * Takes away what a case left mounted, and gives back the search right that it took, so that the
 * walk that removes can enter.
 */
static int open_folder(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    if (st->st_dev != removed_dev && type != FTW_NS)
        (void)umount2(path, MNT_DETACH);
    if ((type == FTW_D || type == FTW_DNR || type == FTW_NS) && !S_ISLNK(st->st_mode))
        (void)chmod(path, 0700); /* what cannot be entered shows when it cannot be removed */
    return 0;
}

int tempdir_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    char *path;

    if (asprintf(&path, "%s/conformance.XXXXXX", base && *base ? base : "/tmp") < 0)
        return -1;
    if (!mkdtemp(path) || chmod(path, 0755) != 0 || chdir(path) != 0) {
        print_error("cannot make %s: %s\n", path, errno_name(errno));
        free(path);
        return -1;
    }
    umask(022);
    *state = path;
    return 0;
}

void need_other_ids(void)
{
    unsigned int from = 1, to = 1, n = 0;
    FILE *map = fopen("/proc/self/uid_map", "re");

    if (map) {
        if (fscanf(map, "%u %u %u", &from, &to, &n) != 3)
            n = 0;
        fclose(map);
    }
    if (from != 0 || n < 65536)
        skip_because("other ids do not exist in this user namespace");
}

int tempdir_teardown(void **state)
{
    char *path = *state;
    struct stat st;
    int err;

    if (chdir("/") != 0)
        return -1;
    if (stat(path, &st) != 0) {
        print_error("%s is gone\n", path);
        free(path);
        return -1;
    }
    removed_dev = st.st_dev;
    nftw(path, open_folder, 16, FTW_PHYS);
    err = nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (err)
        print_error("cannot remove %s: %s\n", path, errno_name(errno));
    free(path);
    return err;
}

bool own_mounts(void)
{
    if (unshare(CLONE_NEWNS) == 0)
        return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    return errno == ENOSYS || errno == EINVAL;
}

void make_file(const char *path, const char *text)
{
    int fd = must(open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644));

    if (text)
        assert_returns(write(fd, text, strlen(text)), strlen(text));
    must(close(fd));
}

void assert_file_text(const char *path, const char *text)
{
    size_t length = strlen(text);
    char *found = calloc(1, length + 2);
    int fd = must(open(path, O_RDONLY | O_CLOEXEC));

    assert_non_null(found);
    assert_returns(read(fd, found, length + 1), length);
    assert_string_equal(found, text);
    must(close(fd));
    free(found);
}

bool path_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* ---- children ---- */

static bool in_forked_child;

void child_skips(void)
{
    if (in_forked_child) {
        fflush(NULL);
        _exit(SKIPPED_IN_CHILD);
    }
}

pid_t child_fork(void)
{
    static const int handled[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS}; /* by cmocka */
    struct rlimit no_core = {0, 0};

    fflush(NULL);
    pid_t pid = must(fork());
    if (pid != 0) {
        child_note(0, pid);
        return pid;
    }

    in_forked_child = true;
    memset(children, 0, sizeof children);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* where it is missing, the runner ends what is left */
    setrlimit(RLIMIT_CORE, &no_core);
    setenv("CMOCKA_TEST_ABORT", "1", 1); /* cmocka aborts instead of leaving by longjmp */
    for (size_t i = 0; i < ARRAY_LEN(handled); i++)
        signal(handled[i], SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    return 0;
}

int child_wait(pid_t pid)
{
    int status = -1;
    int64_t end = now_ms() + PATIENCE_MS;

    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG | __WALL);
        if (got == pid) {
            child_note(pid, 0);
            return status;
        }
        if (got == -1 && errno != EINTR)
            check_failed("waitpid", __FILE__, __LINE__, "failed with %s", errno_name(errno));
        if (now_ms() > end) {
            child_kill(pid);
            check_failed("child_wait", __FILE__, __LINE__, "child %d did not end in time", pid);
        }
        nap();
    }
}

/* Bounded too: a child that cannot be killed must fail one case, not hold up all that follow. */
void child_kill(pid_t pid)
{
    int status;
    int64_t end = now_ms() + PATIENCE_MS;

    kill(pid, SIGKILL);
    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG | __WALL);
        if (got == pid || (got == -1 && errno != EINTR)) {
            child_note(pid, 0);
            return;
        }
        if (now_ms() > end)
            check_failed("child_kill", __FILE__, __LINE__, "child %d survives SIGKILL", pid);
        nap();
    }
}

int run_in_child(void (*body)(void *arg), void *arg)
{
    pid_t pid = child_fork();

    if (pid == 0) {
        body(arg);
        fflush(NULL);
        _exit(0);
    }
    return child_wait(pid);
}

void *shared_alloc(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}
