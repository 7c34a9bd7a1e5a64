/*
 * tests/runner/isolate.c: `isolate PROGRAM ARGS…` runs a program natively in namespaces of its own.
 *
 * It is what a native test run starts in: fresh process, mount, IPC, host-name and network
 * namespaces with an empty /tmp and /dev/shm, loopback up, and a process 1 that reaps. Where the
 * host refuses, it asks for less, down to a plain run, so that tests also run in a container or as
 * an ordinary user (who keeps his user id, in a user namespace). The exit status is the program's,
 * or 128+n after signal n.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSED 125 /* a level's process 1 ends so when the host refused its set-up */

static const int levels[] = {
    CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET,
    CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET,
    0,
};

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

/* Namespaces of the level; an ordinary user gets them through a user namespace that keeps his ids. */
static bool enter(int level)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    char map[64];

    if (unshare(level) == 0)
        return true;
    if (uid == 0 || unshare(CLONE_NEWUSER | level) != 0)
        return false;
    snprintf(map, sizeof map, "%u %u 1", uid, uid);
    if (!write_file("/proc/self/uid_map", map) || !write_file("/proc/self/setgroups", "deny"))
        return false;
    snprintf(map, sizeof map, "%u %u 1", gid, gid);
    return write_file("/proc/self/gid_map", map);
}

static void loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
        request.ifr_flags |= IFF_UP | IFF_RUNNING;
        ioctl(fd, SIOCSIFFLAGS, &request);
    }
    close(fd);
}

static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        bool made = mkdir(path, 0755) == 0 || errno == EEXIST;
        if (slash)
            *slash = '/';
        if (!made || !slash)
            return made;
    }
}

/* An empty /tmp, unless the program or its arguments lie there. The current folder keeps its name. */
static bool fresh_tmp(char **argv)
{
    char cwd[4096];

    for (char **arg = argv; *arg; arg++) {
        if (strncmp(*arg, "/tmp/", 5) == 0)
            return true;
    }
    if (!getcwd(cwd, sizeof cwd) || mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") != 0)
        return false;
    return strncmp(cwd, "/tmp/", 5) != 0 || (make_folders(cwd) && chdir(cwd) == 0);
}

static bool furnish(int level, char **argv)
{
    if (!(level & CLONE_NEWNS))
        return true;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return false;
    if ((level & CLONE_NEWPID) && mount("proc", "/proc", "proc", 0, NULL) != 0)
        return false;
    if (!fresh_tmp(argv))
        return false;
    if (access("/dev/shm", F_OK) == 0)
        mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777");
    if (access("/dev/mqueue", F_OK) == 0)
        mount("mqueue", "/dev/mqueue", "mqueue", 0, NULL);
    loopback_up();
    return true;
}

static int status_of(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static volatile pid_t program;

static void end_program(int sig)
{
    kill(-program, SIGKILL);
}

/* Process 1: starts the program in a session of its own, so that what it does to its process group
 * ends there, and reaps until it is gone. SIGTERM, which the others ignore, ends the program. */
static int supervise(char **argv)
{
    program = fork();
    if (program < 0) {
        perror("isolate: fork");
        return 126;
    }
    if (program == 0) {
        setsid();
        signal(SIGTERM, SIG_DFL);
        execvp(argv[0], argv);
        fprintf(stderr, "isolate: %s: %s\n", argv[0], strerror(errno));
        _exit(errno == ENOENT ? 127 : 126);
    }
    signal(SIGTERM, end_program);
    for (;;) {
        int status;
        pid_t ended = wait(&status);

        if (ended == program)
            return status_of(status);
        if (ended < 0 && errno != EINTR)
            return 126;
    }
}

/* Runs the program at one level; false when the host refuses the level before the program starts. */
static bool run_at(int level, char **argv, int *status)
{
    int started[2];
    char mark;

    if (pipe2(started, O_CLOEXEC) != 0)
        return false;
    pid_t outer = fork();
    if (outer < 0)
        return false;
    if (outer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (level && !enter(level))
            _exit(REFUSED);
        pid_t init = fork();
        if (init < 0)
            _exit(REFUSED);
        if (init == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (!furnish(level, argv))
                _exit(REFUSED);
            if (write(started[1], "s", 1) != 1)
                _exit(REFUSED);
            close(started[0]);
            close(started[1]);
            _exit(supervise(argv));
        }
        int inner;
        while (waitpid(init, &inner, 0) < 0 && errno == EINTR)
            ;
        _exit(status_of(inner));
    }
    close(started[1]);
    bool ran = read(started[0], &mark, 1) == 1;
    close(started[0]);
    int wait_status;
    while (waitpid(outer, &wait_status, 0) < 0 && errno == EINTR)
        ;
    *status = status_of(wait_status);
    return ran;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: isolate PROGRAM ARGS...\n");
        return 2;
    }
    signal(SIGTERM, SIG_IGN);
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        int status;

        if (run_at(levels[i], argv + 1, &status))
            return status;
    }
    fprintf(stderr, "isolate: could not start %s\n", argv[1]);
    return REFUSED;
}
