/*
 * Locks. All are futex words in shared kernel memory: free of host calls when nobody waits, they spin briefly and
 * then sleep. None may be held across user access, or where a thread may sleep or block in the host: that is
 * asserted there.
 */
#ifndef SYNC_SYNC_H
#define SYNC_SYNC_H

#include "base/types.h"
#include "sync/lock_classes.h"

/* --- spinlock: short sections; 0 free, 1 held, 2 held and waited for */
struct spinlock {
    u32 word;
    u16 lock_class; /* enum lock_class */
};

#define SPINLOCK(cls)        ((struct spinlock){.word = 0, .lock_class = LOCK_##cls})
#define spin_init(lock, cls) (*(lock) = SPINLOCK(cls))
void spin_lock(struct spinlock *lock);
void spin_lock_nested(
    struct spinlock *lock); /* a second lock of the same class, in address order */
bool spin_trylock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);

/* --- mutex: longer sections, also across host calls that do not block */
struct mutex {
    struct spinlock lock;
};

#define MUTEX(cls)         ((struct mutex){.lock = SPINLOCK(cls)})
#define mutex_init(m, cls) (*(m) = MUTEX(cls))
void mutex_lock(struct mutex *m);
void mutex_lock_nested(struct mutex *m);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);

/* --- rwlock: many readers or one writer; writers have precedence */
struct rwlock {
    u32 state;   /* number of readers; RW_WRITER */
    u32 writers; /* writers that wait or hold */
    u16 lock_class;
};

#define RWLOCK(cls)      ((struct rwlock){.lock_class = LOCK_##cls})
#define rw_init(rw, cls) (*(rw) = RWLOCK(cls))
void read_lock(struct rwlock *rw);
void read_unlock(struct rwlock *rw);
void write_lock(struct rwlock *rw);
void write_unlock(struct rwlock *rw);

/* --- sequence count: writers hold a lock of their own; readers retry */
struct seqcount {
    u32 seq;
};

static inline u32 seq_read_begin(const struct seqcount *s)
{
    u32 seq;

    while ((seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE)) & 1)
        __builtin_ia32_pause();
    return seq;
}

static inline bool seq_read_retry(const struct seqcount *s, u32 seq)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&s->seq, __ATOMIC_RELAXED) != seq;
}

static inline void seq_write_begin(struct seqcount *s)
{
    __atomic_store_n(&s->seq, s->seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void seq_write_end(struct seqcount *s)
{
    __atomic_store_n(&s->seq, s->seq + 1, __ATOMIC_RELEASE);
}

/* Asserts, for uaccess and blocking host calls, that the calling thread holds no lock. */
void sync_assert_unlocked(const char *what);
const char *lock_class_name(unsigned int lock_class);

#endif
