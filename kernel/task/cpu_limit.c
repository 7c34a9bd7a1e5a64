/* kernel/task/cpu_limit.c: RLIMIT_CPU, getrlimit(2): SIGXCPU each second past the soft limit. */
#include "task/internal.h"
#include "time/time.h"

#define CHECK_EVERY (100 * NSEC_PER_MSEC)

static struct {
    bool started; /* tasks_lock */
    struct timer timer;
} watch;

static bool is_limited(const struct process *process)
{
    return process->limits[RLIMIT_CPU].rlim_cur != RLIM64_INFINITY ||
           process->limits[RLIMIT_CPU].rlim_max != RLIM64_INFINITY;
}

/* The soft limit moves on by a second with each signal, as on Linux. */
static void check_locked(struct process *process)
{
    struct rlimit64 *limit = &process->limits[RLIMIT_CPU];
    struct usage usage;
    siginfo_t info;
    u64 seconds;

    process_usage_locked(process, &usage);
    seconds = (u64)usage.cpu / NSEC_PER_SEC;
    if (seconds >= MAX(limit->rlim_max, 1ULL)) {
        siginfo_kernel(&info, SIGKILL);
    } else if (seconds >= MAX(limit->rlim_cur, 1ULL)) {
        siginfo_kernel(&info, SIGXCPU);
        limit->rlim_cur = seconds + 1;
    } else {
        return;
    }
    signal_send_process(process, &info);
}

/* On the service thread, as long as there is somebody to watch. */
static void watch_run(struct timer *timer)
{
    struct process *process;
    bool any = false;

    spin_lock(&tasks_lock);
    for_each_process(process) {
        if (process->state != PROCESS_ALIVE || process == &init_process || !is_limited(process))
            continue;
        any = true;
        check_locked(process);
    }
    watch.started = any;
    spin_unlock(&tasks_lock);
    if (any)
        timer_set(timer, time_monotonic() + CHECK_EVERY);
}

void cpu_limit_start(void)
{
    timer_init(&watch.timer, watch_run);
}

void cpu_limit_changed(const struct process *process)
{
    bool start;

    spin_lock(&tasks_lock);
    start = is_limited(process) && !watch.started;
    watch.started |= start;
    spin_unlock(&tasks_lock);
    if (start)
        timer_set(&watch.timer, time_monotonic() + CHECK_EVERY);
}
