/* kernel/syscall/dispatch.c: from a call's number to its handler. */
#include "base/errno.h"
#include "debug/debug.h"
#include "log/log.h"
#include "security/seccomp.h"
#include "self/self.h"
#include "syscall/internal.h"
#include "syscall/syscall.h"
#include "syscall_types.h"

static u8 missing_logged[SYSCALL_LIMIT]; /* atomic: the log has named this call as missing */

bool syscall_counting;
u64 syscall_gated;
u64 syscall_counts[SYSCALL_LIMIT];

const char *syscall_name(unsigned long nr)
{
    return nr < SYSCALL_LIMIT ? syscall_rows[nr].name : NULL;
}

static __cold long syscall_missing(unsigned long nr, const u64 args[6])
{
#ifdef MYST_DEBUG
    if (nr == DEBUG_CALL)
        return debug_call(args);
#endif
    const char *name = syscall_name(nr);

    if (name && !__atomic_exchange_n(&missing_logged[nr], 1, __ATOMIC_RELAXED))
        log_info("syscall", "%s (%lu) is not implemented", name, nr);
    return -ENOSYS;
}

static long syscall_run(unsigned long nr, const u64 args[6])
{
    long result;

    if (unlikely(READ_ONCE(seccomp_used)) && !seccomp_permits(nr, args, &result))
        return result;
    if (unlikely(nr >= SYSCALL_LIMIT || !syscall_thunks[nr]))
        return syscall_missing(nr, args);
    return syscall_thunks[nr](args);
}

static __cold __noinline long syscall_traced(unsigned long nr, const u64 args[6])
{
    struct decoding decoding;
    long result;

    strace_enter(&decoding, nr, args);
    result = syscall_run(nr, args);
    strace_leave(&decoding, nr, args, result);
    return result;
}

long syscall_dispatch(unsigned long nr, const u64 args[6])
{
    if (unlikely(syscall_counting) && nr < SYSCALL_LIMIT) {
        __atomic_fetch_add(&syscall_counts[nr], 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&syscall_gated, self()->thread.gated != 0, __ATOMIC_RELAXED);
    }
    if (unlikely(strace_on) && strace_wants(nr))
        return syscall_traced(nr, args);
    return syscall_run(nr, args);
}
