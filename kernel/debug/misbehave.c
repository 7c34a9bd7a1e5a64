/* kernel/debug/misbehave.c: debug builds only: what the kernel must never do, so that its report can be tested. */
#include "debug/debug.h"

#ifdef MYST_DEBUG
#include "base/errno.h"
#include "host/wait.h"
#include "log/log.h"
#include "sync/sync.h"

/* One class: an order between two of it is what the checker leaves to addresses. */
static struct spinlock first_lock = SPINLOCK(OBJECT);
static struct spinlock second_lock = SPINLOCK(OBJECT);
static u64 *volatile nowhere = (u64 *)8;
static u32 callers; /* atomic; a futex word: those that hold their first lock */

/* The second caller's arrival proves that both hold one lock before either wants the other. */
static long deadlock(struct spinlock *mine, struct spinlock *other)
{
    u32 seen;

    spin_lock(mine);
    __atomic_add_fetch(&callers, 1, __ATOMIC_SEQ_CST);
    host_wake(&callers, 1);
    while ((seen = __atomic_load_n(&callers, __ATOMIC_SEQ_CST)) < 2)
        host_wait(&callers, seen, KTIME_FOREVER);
    spin_lock_nested(other);
    panic("two threads hold the same lock");
}

static long wrong_order(void)
{
    struct spinlock inner = SPINLOCK(LOG), outer = SPINLOCK(EXEC);

    spin_lock(&inner);
    spin_lock(&outer);
    panic("the checker of lock orders is asleep");
}

long debug_call(const u64 args[6])
{
    switch (args[0]) {
    case DEBUG_DEADLOCK:
        return args[1] == 0 ? deadlock(&first_lock, &second_lock)
                            : deadlock(&second_lock, &first_lock);
    case DEBUG_FAULT:
        return (long)*nowhere;
    case DEBUG_ORDER:
        return wrong_order();
    default:
        return -EINVAL;
    }
}
#endif
