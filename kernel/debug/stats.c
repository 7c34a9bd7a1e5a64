/* kernel/debug/stats.c: see stats.h. */
#include "debug/stats.h"

#include "base/atomic.h"
#include "base/fmt.h"
#include "host/clock.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "rewrite/hot.h"
#include "syscall/syscall.h"
#include "syscall_types.h"
#include "task/task.h"

#include <myst/boot.h>

#define TOP_CALLS 20
#define TOP_SITES 10

static ktime started; /* constant after start-up */

static void __printf(1, 2) print(const char *fmt, ...)
{
    char line[160];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vscnprintf(line, sizeof line, fmt, args);
    va_end(args);
    log_raw(line, (size_t)len);
}

/* The number of the call made most often among those not printed yet. */
static u32 busiest(const u64 *counts, u64 limit, u32 after)
{
    u32 best = SYSCALL_LIMIT;

    for (u32 nr = 0; nr < SYSCALL_LIMIT; nr++) {
        bool printed = counts[nr] > limit || (counts[nr] == limit && nr <= after);

        if (!printed && counts[nr] && (best == SYSCALL_LIMIT || counts[nr] > counts[best]))
            best = nr;
    }
    return best;
}

static void print_calls(const u64 *counts)
{
    u64 total = 0, limit = ~0ULL;
    u32 nr = 0;

    for (u32 i = 0; i < SYSCALL_LIMIT; i++)
        total += READ_ONCE(counts[i]);
    print("myst: stats: %llu calls of the program, %llu of them by a trap\n",
          (unsigned long long)total, (unsigned long long)(total - READ_ONCE(syscall_gated)));
    for (int i = 0; i < TOP_CALLS; i++) {
        nr = busiest(counts, limit, nr);
        if (nr == SYSCALL_LIMIT)
            return;
        limit = counts[nr];
        const char *name = syscall_name(nr);
        print("myst: stats: %10llu %s\n", (unsigned long long)limit, name ? name : "?");
    }
}

static void print_sites(void)
{
    static struct hot_site sites[TOP_SITES];
    u32 n = hot_top(sites, TOP_SITES);

    for (u32 i = 0; i < n; i++) {
        const char *name = syscall_name(sites[i].nr);

        print("myst: stats: %10llu traps at %s+0x%llx, %s\n", (unsigned long long)sites[i].count,
              sites[i].name, (unsigned long long)sites[i].offset, name ? name : "?");
    }
}

static void stats_print(void)
{
    ktime ran = host_clock_read(HOST_CLOCK_MONOTONIC) - started;

    print("myst: stats: ran for %lld.%03lld s\n", (long long)ran / 1000000000,
          (long long)ran / 1000000 % 1000);
    print("myst: stats: created %u processes by fork, %u by vfork, %u threads; %u execs\n",
          READ_ONCE(task_counts.forks), READ_ONCE(task_counts.vforks),
          READ_ONCE(task_counts.threads), READ_ONCE(task_counts.execs));
    print("myst: stats: kernel memory %llu KiB at most, %llu KiB now, of it %zu KiB in objects\n",
          (unsigned long long)pages_peak() >> 10, (unsigned long long)pages_used() >> 10,
          kmalloc_used() >> 10);
    print_calls(syscall_counts);
    print_sites();
}

void stats_start(const struct boot_info *boot)
{
    started = host_clock_read(HOST_CLOCK_MONOTONIC);
    if (!boot->stats)
        return;
    syscall_counting = true;
    hot_counting = true;
    task_hooks.instance_end = stats_print;
}
