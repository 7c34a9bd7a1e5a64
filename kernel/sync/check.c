/* kernel/sync/check.c: the order of locks, and the places where none may be held. */
#include "log/log.h"
#include "sync/internal.h"
#include "sync/sync.h"

static const char *const class_names[] = {
#define X(name) #name,
    LOCK_CLASSES(X)
#undef X
};

const char *lock_class_name(unsigned int lock_class)
{
    return lock_class < LOCK_CLASS_COUNT ? class_names[lock_class] : "?";
}

void held_overflow(void)
{
    panic("the list of held locks is broken: more than %d, or one released that is not held",
          SELF_MAX_LOCKS);
}

#ifdef MYST_DEBUG
void held_check(const void *lock, unsigned int lock_class, bool nested)
{
    struct self *me = self();

    for (u32 i = 0; i < me->nheld; i++) {
        const struct held_lock *held = &me->held[i];

        if (held->lock == lock)
            panic("lock %s at %p is taken twice", lock_class_name(lock_class), lock);
        if (held->lock_class > lock_class || (held->lock_class == lock_class && !nested))
            panic("lock order: %s is taken while %s is held", lock_class_name(lock_class),
                  lock_class_name((unsigned int)held->lock_class));
    }
}

#ifdef MYST_MOCK
void held_trace(struct held_lock *held)
{
    (void)held; /* frames of a host's thread have no known end */
}
#else
/* Frames lie in the thread's own block, each above the one that it called. */
void held_trace(struct held_lock *held)
{
    u64 low = (u64)self() + TARGET_THREAD_ROOM, end = (u64)self() + TARGET_STACK_SIZE;
    u64 rbp = (u64)__builtin_frame_address(0);
    u32 n = 0;

    while (rbp >= low && rbp <= end - 2 * sizeof(u64) && n < SELF_LOCK_FRAMES) {
        const u64 *frame = (const u64 *)rbp;

        if (n || frame[1] == (u64)held->where)
            held->stack[n++] = frame[1];
        low = rbp + sizeof(u64);
        rbp = frame[0];
    }
}
#endif
#endif

void sync_assert_unlocked(const char *what)
{
    const struct self *me = self();

    if (unlikely(me->nheld))
        panic("%s with lock %s held", what,
              lock_class_name((unsigned int)me->held[me->nheld - 1].lock_class));
}
