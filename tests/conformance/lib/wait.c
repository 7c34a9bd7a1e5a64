/* wait.c: the helpers of check.h that concern time, sleepers and signals. */
#include "check.h"

#include <sys/time.h>

int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t now_ms(void)
{
    return now_ns() / 1000000;
}

void nap(void)
{
    struct timespec ts = {.tv_nsec = 1000000};

    nanosleep(&ts, NULL);
}

/* The letter follows the name in parentheses, which may itself hold any character. */
static char state_in(const char *path)
{
    char text[512];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = 0;
    char *end = strrchr(text, ')');
    return end && end[1] == ' ' ? end[2] : 0;
}

char process_state(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    return state_in(path);
}

char thread_state(pid_t tid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    return state_in(path);
}

/* ---- gates ---- */

struct gate *gate_new(void)
{
    return shared_alloc(sizeof(struct gate));
}

void gate_open(struct gate *gate)
{
    __atomic_store_n(&gate->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
}

static bool gate_opened(struct gate *gate)
{
    return __atomic_load_n(&gate->tid, __ATOMIC_SEQ_CST) != 0;
}

/* A child that ended badly will not come: no reason to wait longer than it lived. */
void gate_wait(struct gate *gate)
{
    assert_eventually(gate_opened(gate) || children_failed());
    if (!gate_opened(gate))
        check_failed("gate_wait", __FILE__, __LINE__, "the child ended before its gate");
}

void gate_wait_blocked(struct gate *gate)
{
    gate_wait(gate);
    /* /proc/TID/stat is there for threads too, although a listing of /proc leaves them out */
    assert_eventually(process_state(gate->tid) == 'S' || children_failed());
}

/* ---- signals ---- */

volatile sig_atomic_t caught[65];

static void count_signal(int sig)
{
    caught[sig]++;
}

void catch_signal(int sig, int sa_flags)
{
    struct sigaction sa = {.sa_handler = count_signal, .sa_flags = sa_flags};

    sigemptyset(&sa.sa_mask);
    must(sigaction(sig, &sa, NULL));
    caught[sig] = 0;
}

void default_signal(int sig)
{
    struct sigaction sa = {.sa_handler = SIG_DFL};

    sigemptyset(&sa.sa_mask);
    must(sigaction(sig, &sa, NULL));
}

static bool interrupting;

void interrupts_start(int sa_flags)
{
    struct itimerval every = {.it_interval.tv_usec = 5000, .it_value.tv_usec = 5000};

    catch_signal(SIGALRM, sa_flags);
    must(setitimer(ITIMER_REAL, &every, NULL));
    interrupting = true;
}

void interrupts_stop(void)
{
    struct itimerval never = {0};

    interrupting = false;
    must(setitimer(ITIMER_REAL, &never, NULL));
    default_signal(SIGALRM);
}

void interrupts_abandon(void)
{
    if (interrupting)
        interrupts_stop();
}
