/* kernel/task/clocks.c: clock_gettime(2) and its kin, with the CPU-time clocks of processes and threads. */
#include "base/errno.h"
#include "cred/cred.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "syscall_proto.h"
#include "task/task.h"
#include "time/time.h"

#include <linux/capability.h>

/*
 * A clock id below zero names a process's or thread's CPU clock: the inverted id in the upper bits, the kind in the
 * lowest three (clock_getcpuclockid(3), pthread_getcpuclockid(3)).
 */
#define CPU_CLOCK_THREAD 4
#define CPU_CLOCK_KIND   3 /* profile, virtual, scheduler; 3 is a descriptor's */

static ktime process_cpu_time(struct process *process)
{
    struct usage usage;

    spin_lock(&tasks_lock);
    process_usage_locked(process, &usage);
    spin_unlock(&tasks_lock);
    return usage.cpu;
}

static int cpu_clock_read(clockid_t clock, ktime *now)
{
    pid_t id = (pid_t) ~(clock >> 3);
    int err = -EINVAL;

    if ((clock & CPU_CLOCK_KIND) == 3)
        return -EINVAL;
    if (clock & CPU_CLOCK_THREAD) {
        AUTO(task_put) struct task *task = id ? task_lookup(id) : task_get(task_self());

        if (task && task->process == process_self()) {
            *now = task_cpu_time(task);
            err = 0;
        }
    } else {
        AUTO(process_put)
        struct process *process = id ? process_lookup(id) : process_get(process_self());

        if (process) {
            *now = process_cpu_time(process);
            err = 0;
        }
    }
    return err;
}

int clock_read(clockid_t clock, ktime *now)
{
    if (clock < 0)
        return cpu_clock_read(clock, now);
    if (clock == CLOCK_PROCESS_CPUTIME_ID) {
        *now = process_cpu_time(process_self());
        return 0;
    }
    if (clock == CLOCK_THREAD_CPUTIME_ID) {
        *now = task_cpu_time(task_self());
        return 0;
    }
    return time_read(clock, now);
}

static int timespec_put(struct timespec __user *to, ktime ns)
{
    struct timespec ts = timespec_of(ns);

    return copy_to_user(to, &ts, sizeof(ts));
}

long sys_clock_gettime(clockid_t clock, struct timespec __user *tp)
{
    ktime now;
    int err = clock_read(clock, &now);

    return err ? err : timespec_put(tp, now);
}

long sys_clock_getres(clockid_t clock, struct timespec __user *res)
{
    ktime ns = 1, now;
    int err = clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID
                  ? clock_read(clock, &now)
                  : time_resolution(clock, &ns);

    if (err)
        return err;
    return res ? timespec_put(res, ns) : 0;
}

long sys_clock_settime(clockid_t clock, const struct timespec __user *tp)
{
    struct timespec ts;

    if (clock != CLOCK_REALTIME)
        return -EINVAL;
    if (copy_from_user(&ts, tp, sizeof(ts)))
        return -EFAULT;
    if (!timespec_valid(&ts))
        return -EINVAL;
    if (!cred_capable(self()->cred, CAP_SYS_TIME))
        return -EPERM;
    time_set_realtime(ktime_of(ts.tv_sec, ts.tv_nsec));
    return 0;
}

/* --- the old forms ----------------------------------------------------------------------------------------- */

long sys_gettimeofday(struct timeval __user *tv, struct timezone __user *tz)
{
    ktime now = time_realtime();
    struct timeval value = {.tv_sec = now / NSEC_PER_SEC,
                            .tv_usec = now % NSEC_PER_SEC / NSEC_PER_USEC};
    struct timezone utc = {0, 0};

    if (tv && copy_to_user(tv, &value, sizeof(value)))
        return -EFAULT;
    if (tz && copy_to_user(tz, &utc, sizeof(utc)))
        return -EFAULT;
    return 0;
}

long sys_time(long __user *tloc)
{
    long now = time_realtime() / NSEC_PER_SEC;

    if (tloc && put_user(now, tloc))
        return -EFAULT;
    return now;
}
