/*
 * struct self: what a kernel thread is, for every room. One block a thread, at the bottom of its kernel
 * stack. The typed pointers belong to the rooms they are named after; others only carry them.
 */
#ifndef SELF_SELF_H
#define SELF_SELF_H

#include "base/list.h"
#include "base/types.h"

#include <myst/target.h>

struct task;
struct mm;
struct cred;
struct files;
struct fs_context;
struct namespaces;

/* Marks in target_thread.pending. The thread handles all before it returns to the program. */
#define PENDING_SIGNAL (1U << 0) /* signal: a signal may be deliverable, or a stop or exit is due */
#define PENDING_FREEZE (1U << 1) /* task: exec or exit wants this thread gone */
#define PENDING_WORK   (1U << 2) /* mm: mm_catch_up() */
#define PENDING_TRACE  (1U << 3) /* task: ptrace */
#define PENDING_CPU    (1U << 4) /* task: compare the CPU time with its limit */
#define PENDING_ASYNC  (1U << 5) /* vfs: file_async_tell() */

#define SELF_MAX_LOCKS    12
#define SELF_CALL_HISTORY 64
#define SELF_LOCK_FRAMES  16

/* struct self.wait_host */
#define WAIT_ALONE      0
#define WAIT_HOST       1
#define WAIT_TAKES_OVER 2 /* it slept while another one watched the host, who has gone */

struct held_lock {
    const void *lock;
    u64 lock_class;    /* enum lock_class */
    const void *where; /* the caller's address */
#ifdef MYST_DEBUG
    u64 stack[SELF_LOCK_FRAMES]; /* from `where` on, the callers; ends with 0 unless full */
#endif
};

struct call_record {
    u32 nr;
    s32 result;
    u64 arg0;
    u64 began; /* tsc_read(): a clock would cost more than most calls */
};

/* What a thread read and wrote by calls, as /proc/PID/io counts it. */
struct io_counts {
    u64 read_bytes, written_bytes, reads, writes;
};

struct self {
    struct target_thread thread; /* first: the target knows only this */

    struct task *task;       /* constant */
    struct mm *mm;           /* changed by the thread itself, at exec */
    const struct cred *cred; /* changed by the thread itself; counted */
    struct files *files;
    struct fs_context *fs;
    struct namespaces *namespaces;

    u64 args[6];     /* the current call's arguments, as passed */
    long current_nr; /* the current call, or -1 */

    /* sync: what this thread holds and waits for; written by itself, read by reports */
    struct held_lock held[SELF_MAX_LOCKS];
    u32 nheld;
    const void *waiting_for; /* a lock or a wait queue */
    const char *waiting_name;
    u64 sleeps; /* times that it slept; written by itself */
    u32 wait_trust,
        wait_doubts;        /* sync/brief.c: whether its wake-ups come soon; written by itself */
    struct list_head waits; /* wait queue entries of this thread, own use */
    u32 wait_host;          /* atomic; WAIT_: does what it waits for come from the host? */
    struct list_head wait_heir; /* host/ready's lock; who watches the host when its watcher goes */
    struct io_counts io;        /* vfs: written by itself */
    bool nowait; /* vfs: for the time of one transfer, all files are as with O_NONBLOCK */

    s64 thread_time, space_time; /* host/: the latest CPU times that the target told; atomic */

    u32 uaccess_off; /* not 0: user access is a bug now */

    struct call_record history[SELF_CALL_HISTORY]; /* the last calls, a ring */
    u32 history_next;

    struct list_head all; /* of all threads; lock: self/threads lock, kept by task/ */
};

_Static_assert(sizeof(struct self) <= TARGET_THREAD_ROOM, "struct self outgrew its room");

/* The calling kernel thread. On the hosted target the block is found by the stack pointer. */
#ifdef MYST_MOCK
struct self *self(void);
#else
static inline __attribute__((const)) struct self *self(void)
{
    uintptr_t sp;

    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct self *)(sp & ~(TARGET_STACK_SIZE - 1));
}
#endif

static inline bool self_pending(void)
{
    return __atomic_load_n(&self()->thread.pending, __ATOMIC_ACQUIRE) != 0;
}

#endif
