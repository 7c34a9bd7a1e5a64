/* kernel/task/usage.c: what tasks have used: getrusage(2), times(2). */
#include "base/errno.h"
#include "base/string.h"
#include "host/clock.h"
#include "host/thread.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"

#include <linux/times.h>

#define TICKS_PER_SECOND 100

void io_counts_add(struct io_counts *to, const struct io_counts *from)
{
    to->read_bytes += from->read_bytes;
    to->written_bytes += from->written_bytes;
    to->reads += from->reads;
    to->writes += from->writes;
}

void usage_add(struct usage *to, const struct usage *from)
{
    to->cpu = ktime_add(to->cpu, from->cpu);
    to->max_rss = MAX(to->max_rss, from->max_rss);
    to->switches += from->switches;
    to->minor_faults += from->minor_faults;
    to->major_faults += from->major_faults;
    io_counts_add(&to->io, &from->io);
}

/*
 * The host tells a single thread's time to its own process alone, but a process's to all. So another process's
 * time is that of its space, without what its threads had used of it before they began to count.
 */
static ktime process_cpu_locked(struct process *process)
{
    ktime counted = process->dead_threads.cpu, before = 0;
    struct self *far = NULL;
    struct task *task;

    for_each_thread(task, process) {
        counted = ktime_add(counted, task_cpu_time(task));
        before = ktime_add(before, task_cpu_before(task));
        if (task->self && !host_thread_is_near(task->self))
            far = task->self;
    }
    return far ? MAX(counted, host_space_cputime(far) - before) : counted;
}

void process_usage_locked(struct process *process, struct usage *out)
{
    struct task *task;

    *out = process->dead_threads;
    out->cpu = process_cpu_locked(process);
    for_each_thread(task, process) {
        struct mm *mm = task->self->mm;

        out->switches += READ_ONCE(task->self->sleeps);
        io_counts_add(&out->io, &task->self->io);
        if (mm)
            out->max_rss = MAX(out->max_rss, mm->highest_vm * (PAGE_SIZE / 1024));
    }
}

/* The host counts user and kernel time of a thread together, and nearly all of it is the program's. */
void usage_to_rusage(const struct usage *usage, struct rusage *out)
{
    memset(out, 0, sizeof *out);
    out->ru_utime.tv_sec = usage->cpu / NSEC_PER_SEC;
    out->ru_utime.tv_usec = usage->cpu % NSEC_PER_SEC / NSEC_PER_USEC;
    out->ru_maxrss = (long)usage->max_rss;
    out->ru_nvcsw = (long)usage->switches;
    out->ru_minflt = (long)usage->minor_faults;
    out->ru_majflt = (long)usage->major_faults;
}

long sys_getrusage(s32 who, struct rusage __user *to)
{
    struct process *process = process_self();
    struct usage usage = {0};
    struct rusage out;

    spin_lock(&tasks_lock);
    switch (who) {
    case RUSAGE_SELF:
        process_usage_locked(process, &usage);
        host_fault_counts(true, &usage.minor_faults, &usage.major_faults);
        break;
    case RUSAGE_CHILDREN:
        usage = process->dead_children;
        break;
    case RUSAGE_THREAD:
        usage.cpu = task_cpu_time(task_self());
        usage.switches = self()->sleeps;
        host_fault_counts(false, &usage.minor_faults, &usage.major_faults);
        break;
    default:
        spin_unlock(&tasks_lock);
        return -EINVAL;
    }
    spin_unlock(&tasks_lock);
    usage_to_rusage(&usage, &out);
    return copy_to_user(to, &out, sizeof out);
}

static long ticks(ktime time)
{
    return time / (NSEC_PER_SEC / TICKS_PER_SECOND);
}

long sys_times(struct tms __user *buf)
{
    struct process *process = process_self();
    struct tms out = {0};
    struct usage usage;

    spin_lock(&tasks_lock);
    process_usage_locked(process, &usage);
    out.tms_utime = ticks(usage.cpu);
    out.tms_cutime = ticks(process->dead_children.cpu);
    spin_unlock(&tasks_lock);
    if (buf && copy_to_user(buf, &out, sizeof out) != 0)
        return -EFAULT;
    return ticks(host_clock_read(HOST_CLOCK_BOOTTIME));
}
