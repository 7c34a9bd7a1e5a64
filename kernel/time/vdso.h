/* kernel/time/vdso.h: the shared object that every program gets, vdso(7). */
#ifndef TIME_VDSO_H
#define TIME_VDSO_H

#include "base/types.h"

int vdso_start(void);

/* Maps it into the caller's space: its address for AT_SYSINFO_EHDR, or a negative errno. For exec. */
s64 vdso_map(void);

/* The real-time clock has been set inside: programs ask the kernel from now on. */
void vdso_realtime_set(void);

#endif
