/*
 * kernel/time/vdso/vdso.c: vdso(7): clocks that are read without a call. A shared object of its own, mapped into every
 * program. It asks the host's vDSO, which stands in the kernel's range of every space; what that cannot
 * answer, and a real-time clock that was set inside, goes to the kernel.
 */
#include "time/vdso_data.h"

#include <asm/unistd_64.h>
#include <linux/time.h>

#ifndef CLOCK_TAI
#define CLOCK_TAI 11
#endif

/* The page below the image (vdso.ld). */
extern const struct vdso_data vdso_data __attribute__((visibility("hidden")));

#define EXPORT(name, plain) __typeof__(name) plain __attribute__((weak, alias(#name)))

typedef long (*host_clock)(int clock, struct timespec *ts);

static long call2(long nr, long a, void *b)
{
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}

/* Does the host's clock of this number say what the program is to see? */
static bool host_answers(int clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        return vdso_data.host_clock_gettime &&
               !__atomic_load_n(&vdso_data.realtime_set, __ATOMIC_RELAXED);
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
        return vdso_data.host_clock_gettime;
    default:
        return false;
    }
}

int __vdso_clock_gettime(int clock, struct timespec *ts)
{
    if (host_answers(clock))
        return (int)((host_clock)vdso_data.host_clock_gettime)(clock, ts);
    return (int)call2(__NR_clock_gettime, clock, ts);
}

int __vdso_clock_getres(int clock, struct timespec *ts)
{
    return (int)call2(__NR_clock_getres, clock, ts);
}

int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz)
{
    struct timespec ts;
    int err = 0;

    if (tv) {
        err = __vdso_clock_gettime(CLOCK_REALTIME, &ts);
        tv->tv_sec = ts.tv_sec;
        tv->tv_usec = ts.tv_nsec / 1000;
    }
    if (tz)
        *tz = (struct timezone){0, 0};
    return err;
}

long __vdso_time(long *t)
{
    struct timespec ts;

    __vdso_clock_gettime(CLOCK_REALTIME, &ts);
    if (t)
        *t = ts.tv_sec;
    return ts.tv_sec;
}

/* The host keeps processor and node in the limit of a descriptor (the x86-64 ABI's per-processor segment). */
#define CPU_SEGMENT 0x7b

long __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
    unsigned int p;

    (void)unused;
    __asm__("lsl %1, %0" : "=r"(p) : "r"(CPU_SEGMENT));
    if (cpu)
        *cpu = p & 0xfff;
    if (node)
        *node = p >> 12;
    return 0;
}

EXPORT(__vdso_clock_gettime, clock_gettime);
EXPORT(__vdso_clock_getres, clock_getres);
EXPORT(__vdso_gettimeofday, gettimeofday);
EXPORT(__vdso_time, time);
EXPORT(__vdso_getcpu, getcpu);
