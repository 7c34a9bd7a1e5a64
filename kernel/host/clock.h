/* kernel/host/clock.h: the host's clocks. */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include "base/types.h"

enum host_clock { HOST_CLOCK_MONOTONIC, HOST_CLOCK_REALTIME, HOST_CLOCK_BOOTTIME };

/* Nanoseconds; never negative. Monotonic and boot time never step back, whatever the host says. */
ktime host_clock_read(enum host_clock clock);
ktime host_clock_resolution(enum host_clock clock);

#endif
