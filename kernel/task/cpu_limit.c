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

/*
 * The host tells a thread's CPU time to its own process alone, so the process looks itself, when it
 * is on its way back to the program. The soft limit moves on with each signal, as on Linux.
 */
void cpu_limit_check(void)
{
    struct process *process = process_self();
    struct rlimit64 *limit = &process->limits[RLIMIT_CPU];
    struct usage usage;
    siginfo_t info;
    u64 seconds;
    int signo = 0;

    spin_lock(&tasks_lock);
    process_usage_locked(process, &usage);
    seconds = (u64)usage.cpu / NSEC_PER_SEC;
    if (seconds >= MAX(limit->rlim_max, 1ULL)) {
        signo = SIGKILL;
    } else if (seconds >= MAX(limit->rlim_cur, 1ULL)) {
        signo = SIGXCPU;
        limit->rlim_cur = seconds + 1;
    }
    spin_unlock(&tasks_lock);
    if (signo) {
        siginfo_kernel(&info, signo);
        signal_send_process(process, &info);
    }
}

/* Threads that run the program, and so consume time, are told to look. */
static void tell_runners_locked(struct process *process)
{
    struct task *task;

    for_each_thread(task, process) {
        if (__atomic_load_n(&task->self->thread.mode, __ATOMIC_RELAXED) == TARGET_IN_USER)
            task_mark(task, PENDING_CPU);
    }
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
        tell_runners_locked(process);
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
