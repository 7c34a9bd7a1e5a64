/* kernel/debug/misbehave.c: debug builds only: what the kernel must never do, so that its report can be tested. */
#include "debug/debug.h"

#ifdef MYST_DEBUG
#include "base/errno.h"
#include "host/console.h"
#include "host/wait.h"
#include "log/log.h"
#include "mm/uaccess.h"
#include "sync/sync.h"
#include "sync/waitq.h"

#include <asm/ioctls.h>

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

static struct spinlock inner_lock = SPINLOCK(LOG);
static struct spinlock outer_lock = SPINLOCK(EXEC);

/* The report has to tell the two apart by their callers. */
static __attribute__((noinline)) void take_inner(void)
{
    spin_lock(&inner_lock);
}

static __attribute__((noinline)) void take_outer(void)
{
    spin_lock(&outer_lock);
}

static __attribute__((noinline)) long wrong_order(void)
{
    take_inner();
    take_outer();
    panic("the checker of lock orders is asleep");
}

/* Sleeping, the program's memory, and host calls that can block want no lock held. */
static __attribute__((noinline)) long careless(void (*act)(void))
{
    spin_lock(&first_lock);
    act();
    panic("nobody noticed the lock");
}

static void touch_memory(void)
{
    char c;

    (void)copy_from_user(&c, (const void __user *)PAGE_SIZE, 1);
}

static void ask_terminal(void)
{
    host_console_ioctl(0, TCSBRK, NULL, 0);
}

static void sleep_now(void)
{
    wait_arm("nothing");
    wait_sleep(WAIT_UNINTERRUPTIBLE, 0);
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
    case DEBUG_LOCKED_UACCESS:
        return careless(touch_memory);
    case DEBUG_LOCKED_HOST:
        return careless(ask_terminal);
    case DEBUG_LOCKED_SLEEP:
        return careless(sleep_now);
    default:
        return -EINVAL;
    }
}
#endif
