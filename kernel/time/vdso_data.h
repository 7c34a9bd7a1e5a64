/* kernel/time/vdso_data.h: the page that the kernel fills in and the vDSO reads. */
#ifndef TIME_VDSO_DATA_H
#define TIME_VDSO_DATA_H

#include "base/types.h"

struct vdso_data {
    u64 host_clock_gettime; /* constant; 0: none */
    u32 realtime_set;       /* atomic; 1: the real-time clock is not the host's any more */
};

#endif
