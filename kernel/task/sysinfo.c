/* kernel/task/sysinfo.c: sysinfo(2). */
#include "base/string.h"
#include "host/clock.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"

#include <linux/sysinfo.h>

static u16 count_threads(void)
{
    struct process *process;
    u32 n = 0;

    spin_lock(&tasks_lock);
    for_each_process(process)
        n += process->nthreads;
    spin_unlock(&tasks_lock);
    return (u16)MIN(n, (u32)UINT16_MAX);
}

long sys_sysinfo(struct sysinfo __user *to)
{
    struct sysinfo info;

    memset(&info, 0, sizeof info);
    info.uptime = host_clock_read(HOST_CLOCK_BOOTTIME) / NSEC_PER_SEC;
    info.totalram = pages_limit();
    info.freeram = info.totalram - MIN((u64)info.totalram, pages_used());
    info.mem_unit = 1;
    info.procs = count_threads();
    return copy_to_user(to, &info, sizeof info);
}
