/*
 * watched.c: processes that others look at while they end: what /proc, pidfds and clocks tell of them
 * may be old, but asking is never fatal to anybody. The moments follow from a seed; what they meet does not.
 */
#include "../lib/child.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/uio.h>

#define WATCHERS 2
#define BREEDERS 2
#define LIVES    600 /* of a breeder */
#define KEPT     8   /* children that a breeder has at a time */

static unsigned int seed;

static unsigned int below(unsigned int n)
{
    return (unsigned int)rand_r(&seed) % n;
}

static void pause_us(unsigned int us)
{
    struct timespec span = {.tv_nsec = (long)us * 1000};

    nanosleep(&span, NULL);
}

/* ---- those who look ---- */

static const char *const files[] = {
    "stat",    "status", "statm",  "maps",      "smaps",     "cmdline", "environ",
    "comm",    "limits", "mounts", "mountinfo", "wchan",     "cgroup",  "io",
    "syscall", "auxv",   "sched",  "stack",     "oom_score", "timers",  "personality",
};

static void read_file(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_NONBLOCK);
    char text[4096];

    if (fd < 0) {
        return;
    }
    for (int i = 0; i < 8 && read(fd, text, sizeof text) > 0; i++) {
    }
    lseek(fd, 0, SEEK_SET);
    (void)!read(fd, text, 100);
    close(fd);
}

static void read_folder(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    char link[256];

    while (folder && (entry = readdir(folder))) {
        char path[300];

        snprintf(path, sizeof path, "%s/%s", entry->d_name, files[below(ARRAY_LEN(files))]);
        (void)!readlinkat(fd, entry->d_name, link, sizeof link);
        read_file(fd, entry->d_name);
        read_file(fd, path);
    }
    if (folder) {
        closedir(folder);
    }
}

static void ask_the_kernel(pid_t pid)
{
    char text[64];
    struct iovec local = {text, sizeof text}, remote = {&seed, sizeof seed};
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct timespec time;
    clockid_t clock;
    siginfo_t info;

    process_vm_readv(pid, &local, 1, &remote, 1, 0);
    sched_getscheduler(pid);
    getpgid(pid);
    getsid(pid);
    getpriority(PRIO_PROCESS, (id_t)pid);
    if (clock_getcpuclockid(pid, &clock) == 0) {
        clock_gettime(clock, &time);
    }
    if (pidfd >= 0) {
        pause_us(below(1000));
        waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT);
        syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0);
        close(pidfd);
    }
}

static void look_at(pid_t pid)
{
    char path[64], link[256];
    int dir;

    snprintf(path, sizeof path, "/proc/%d", pid);
    dir = open(path, O_RDONLY | O_DIRECTORY);
    if (dir < 0) {
        return;
    }
    pause_us(below(3) ? 0 : below(2000));
    for (int i = 0; i < 6; i++) {
        read_file(dir, files[below(ARRAY_LEN(files))]);
    }
    (void)!readlinkat(dir, "exe", link, sizeof link);
    (void)!readlinkat(dir, "cwd", link, sizeof link);
    read_folder(dir, "fd");
    read_folder(dir, "fdinfo");
    read_folder(dir, "task");
    if (below(2)) {
        ask_the_kernel(pid);
    }
    close(dir);
}

static int watch(void *arg)
{
    seed = (unsigned int)(intptr_t)arg;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        DIR *proc = opendir("/proc");
        struct dirent *entry;

        need(proc);
        while ((entry = readdir(proc))) {
            if (atoi(entry->d_name) > 2) {
                look_at(atoi(entry->d_name));
            }
        }
        closedir(proc);
    }
    return CHILD_FAILED;
}

/* ---- those who are looked at ---- */

static void become_true(void)
{
    execl("/bin/true", "true", NULL);
    _exit(1);
}

static void *make_pipes(void *arg)
{
    for (int i = 0; i < 5; i++) {
        int end[2];

        if (pipe(end) == 0) {
            close(end[0]);
            close(end[1]);
        }
    }
    if (below(8) == 0 && fork() == 0) {
        _exit(0);
    }
    return arg;
}

static void live_with_threads(void)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++) {
        need_eq(pthread_create(&threads[i], NULL, make_pipes, NULL), 0);
    }
    if (below(2)) {
        become_true();
    }
    if (below(2)) {
        pthread_join(threads[0], NULL);
    }
}

static void live_as_leader(void)
{
    setsid();
    if (fork() == 0) {
        setpgid(0, 0);
        raise(SIGSTOP);
        _exit(0);
    }
    pause_us(below(1000));
}

static void live_with_a_borrower(void)
{
    pid_t pid = vfork();

    if (pid == 0) {
        if (getpid() & 1) {
            _exit(0);
        }
        become_true();
    }
    if (below(2)) {
        waitpid(pid, NULL, 0);
    }
}

static void live_by_timers(void)
{
    static const clockid_t clocks[] = {CLOCK_THREAD_CPUTIME_ID, CLOCK_PROCESS_CPUTIME_ID,
                                       CLOCK_MONOTONIC};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec spec = {{0, 300000}, {0, 100000}};
    struct itimerval interval = {{0, 500}, {0, 500}};

    signal(SIGUSR1, SIG_IGN);
    signal(SIGVTALRM, SIG_IGN);
    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        timer_t timer;

        if (timer_create(clocks[i], &event, &timer) == 0) {
            timer_settime(timer, 0, &spec, NULL);
        }
    }
    setitimer(ITIMER_VIRTUAL, &interval, NULL);
    for (volatile int i = 0; i < 1000000; i++) {
    }
    if (below(2)) {
        become_true();
    }
}

static void live(void)
{
    static void (*const lives[])(void) = {live_with_threads, live_as_leader, live_with_a_borrower,
                                          live_by_timers,    become_true,    abort};

    if (below(5)) {
        lives[below(ARRAY_LEN(lives))]();
    }
    if (below(4) == 0 && fork() == 0) {
        pause_us(below(3000));
    }
    _exit(0);
}

static int breed(void *arg)
{
    pid_t kept[KEPT] = {0};

    seed = (unsigned int)(intptr_t)arg;
    for (unsigned int i = 0; i < LIVES; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            seed += i;
            live();
        }
        need(pid > 0);
        if (kept[i % KEPT]) {
            pause_us(below(2) ? 0 : below(1000));
            need_eq(kill(kept[i % KEPT], SIGKILL), 0);
            child_end(kept[i % KEPT]);
        }
        kept[i % KEPT] = pid;
    }
    return 0;
}

static int all(void *arg)
{
    pid_t watchers[WATCHERS], breeders[BREEDERS];

    (void)arg;
    for (intptr_t i = 0; i < WATCHERS; i++) {
        watchers[i] = child_start(watch, (void *)(i + 1));
    }
    for (intptr_t i = 0; i < BREEDERS; i++) {
        breeders[i] = child_start(breed, (void *)(i + 100));
    }
    for (int i = 0; i < BREEDERS; i++) {
        need_eq(child_end(breeders[i]), 0);
    }
    for (int i = 0; i < WATCHERS; i++) {
        need_eq(kill(watchers[i], SIGKILL), 0);
        need_eq(child_end(watchers[i]), SIGKILL);
    }
    return 0;
}

/* covers: clone vfork execve exit_group wait4 pidfd_open process_vm_readv */
static void processes_can_be_looked_at_while_they_end(void **state)
{
    (void)state;
    child_passes(all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_can_be_looked_at_while_they_end),
    };

    return cmocka_run_group_tests_name("process/watched", tests, NULL, NULL);
}
