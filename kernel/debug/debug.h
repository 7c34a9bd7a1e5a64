/* kernel/debug/debug.h: the hang report, the figures of --stats, and what only debug builds have. */
#ifndef DEBUG_DEBUG_H
#define DEBUG_DEBUG_H

#include "base/types.h"

struct boot_info;

/* From here on a panic prints the hang report, and --stats its figures at the end. */
void debug_start(const struct boot_info *boot);

/*
 * Debug builds have one call more, which no program makes by accident: it makes the kernel misbehave,
 * so that tests see what a report says. args[0] is what to do; any argument it does not know: -EINVAL.
 */
#define DEBUG_CALL 0x6d797374UL

enum debug_call {
    DEBUG_DEADLOCK = 1, /* two callers, args[1] 0 and 1, take two locks in opposite order */
    DEBUG_FAULT = 2,    /* the kernel reads address 8 */
    DEBUG_ORDER = 3,    /* one caller takes two locks in the wrong order, which the checker sees */
    DEBUG_LOCKED_UACCESS = 4, /* one holds a lock while it reads the program's memory, */
    DEBUG_LOCKED_HOST = 5,    /*   asks the terminal, which may block in the host, */
    DEBUG_LOCKED_SLEEP = 6,   /*   or sleeps */
};

#ifdef MYST_DEBUG
long debug_call(const u64 args[6]);
#endif

#endif
