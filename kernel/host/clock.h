/* kernel/host/clock.h: the host's clocks, checked: times lie in a plausible range, monotonic ones never step back. */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include "base/types.h"
#include "host/wait.h"

enum host_clock { HOST_CLOCK_MONOTONIC, HOST_CLOCK_REALTIME, HOST_CLOCK_BOOTTIME, HOST_CLOCKS };

ktime host_clock_read(enum host_clock clock);
ktime host_clock_resolution(enum host_clock clock); /* 1 ns to 1 s */

/* The absolute monotonic time that lies so far ahead; KTIME_FOREVER when that is beyond what can be told. */
ktime host_deadline(s64 sec, s64 nsec);

/* Where a program may read clocks without a call; 0: nowhere. A function like clock_gettime(2)'s vDSO one. */
u64 host_vdso_clock_gettime(void);

/* The service thread has to look at its timers again. */
void host_service_wake(void);

#endif
