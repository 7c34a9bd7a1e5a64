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
            panic("lock %s at %p is taken twice; first by %p", lock_class_name(lock_class), lock,
                  held->where);
        if (held->lock_class > lock_class || (held->lock_class == lock_class && !nested))
            panic("lock order: %s is taken while %s is held since %p", lock_class_name(lock_class),
                  lock_class_name((unsigned int)held->lock_class), held->where);
    }
}
#endif

void sync_assert_unlocked(const char *what)
{
    const struct self *me = self();

    if (unlikely(me->nheld))
        panic("%s with lock %s held since %p", what,
              lock_class_name((unsigned int)me->held[me->nheld - 1].lock_class),
              me->held[me->nheld - 1].where);
}
