/* kernel/arch/x86_64/tsc.h: the processor's time stamp counter: Intel SDM vol. 3, 18.17. */
#ifndef ARCH_X86_64_TSC_H
#define ARCH_X86_64_TSC_H

#include "base/types.h"

/* Ticks at a rate that only a clock can tell; for differences on one machine, in reports. */
static inline u64 tsc_read(void)
{
    u32 low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}

#endif
