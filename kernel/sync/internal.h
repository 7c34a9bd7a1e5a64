/* kernel/sync/internal.h: what a thread holds and waits for, kept in struct self for checks and reports. */
#ifndef SYNC_INTERNAL_H
#define SYNC_INTERNAL_H

#include "base/types.h"
#include "self/self.h"

#ifdef MYST_DEBUG
void held_check(const void *lock, unsigned int lock_class, bool nested);
void held_trace(struct held_lock *held);
#else
static inline void held_check(const void *lock, unsigned int lock_class, bool nested)
{
    (void)lock, (void)lock_class, (void)nested;
}

static inline void held_trace(struct held_lock *held)
{
    (void)held;
}
#endif

void held_overflow(void);

/* Returns when the word is no longer what it was, or after a few microseconds, or at once: brief.c. */
void brief_look(const u32 *word, u32 unchanged);

static inline void held_push(const void *lock, unsigned int lock_class, const void *where)
{
    struct self *me = self();

    if (unlikely(me->nheld >= SELF_MAX_LOCKS))
        held_overflow();
    me->held[me->nheld] =
        (struct held_lock){.lock = lock, .lock_class = lock_class, .where = where};
    held_trace(&me->held[me->nheld]);
    me->nheld++;
}

/* Locks are mostly released in the reverse order; not always. */
static inline void held_pop(const void *lock)
{
    struct self *me = self();
    u32 i = me->nheld;

    while (i > 0 && me->held[i - 1].lock != lock)
        i--;
    if (unlikely(i == 0))
        held_overflow();
    for (; i < me->nheld; i++)
        me->held[i - 1] = me->held[i];
    me->nheld--;
}

static inline void waiting_begin(const void *what, const char *name)
{
    struct self *me = self();

    WRITE_ONCE(me->waiting_name, name);
    WRITE_ONCE(me->waiting_for, what);
}

static inline void waiting_end(void)
{
    WRITE_ONCE(self()->waiting_for, NULL);
}

#endif
