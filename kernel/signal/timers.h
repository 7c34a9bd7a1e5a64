/* kernel/signal/timers.h: timers that signal: interval timers (getitimer(2)) and POSIX timers (timer_create(2)). */
#ifndef SIGNAL_TIMERS_H
#define SIGNAL_TIMERS_H

#include "base/list.h"
#include "base/types.h"
#include "sync/sync.h"
#include "time/time.h"

struct process;

/* One of getitimer(2)'s three. lock: process_timers.lock. */
struct interval_timer {
    struct timer timer;
    struct process *process; /* constant */
    bool armed;
    ktime when;     /* of its clock: monotonic, or CPU time of the process */
    ktime interval; /* 0: once */
};

/* Embedded in struct process_signals. */
struct process_timers {
    struct spinlock lock; /* class OBJECT */
    struct interval_timer intervals[3];
    struct list_head posix; /* lock; of struct posix_timer */
    int next_id;            /* lock */
};

void timers_start(void);
void process_timers_init(struct process *process);
/* A timer's signal has been taken from its queue: it goes on. Its overruns. */
int posix_timer_taken(struct process *process, int id, int overrun);

#endif
