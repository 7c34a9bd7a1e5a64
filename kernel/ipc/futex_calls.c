/* kernel/ipc/futex_calls.c: the operations of futex(2), and what happens to futexes when a thread ends. */
#include "base/errno.h"
#include "host/clock.h"
#include "ipc/futex_internal.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "signal/signal.h"
#include "syscall_proto.h"
#include "task/task.h"
#include "time/time.h"

#include <linux/futex.h>
#include <linux/time.h>

/* --- waiting -------------------------------------------------------------------------------------------- */

struct wait_args {
    u32 __user *word;
    bool is_private;
    u32 value;
    u32 bitset;
    ktime deadline;
};

/*
 * The waiter stands in the queue before the word is read, so no wake-up that follows a change is lost. One that it
 * got without having slept is handed on.
 */
static int futex_wait(const struct wait_args *args)
{
    struct futex_waiter waiter;
    struct futex_key key;
    u32 seen;
    int err = futex_key_get(args->word, args->is_private, &key);

    if (err)
        return err;
    futex_enqueue(&waiter, &key, args->bitset);
    err = get_user(seen, args->word);
    if (!err && seen != args->value)
        err = -EAGAIN;
    if (err) {
        if (futex_dequeue(&waiter))
            futex_wake_key(&key, 1, args->bitset);
        return err;
    }
    err = futex_sleep(&waiter, args->deadline);
    return futex_dequeue(&waiter) ? 0 : err;
}

static long futex_wait_resume(struct restart_block *block)
{
    struct wait_args args = {
        .word = (u32 __user *)block->args[0],
        .is_private = block->args[1],
        .value = (u32)block->args[2],
        .bitset = (u32)block->args[3],
        .deadline = (ktime)block->args[4],
    };
    int err = futex_wait(&args);

    return err == -EINTR ? signal_restart_with(futex_wait_resume, block->args) : err;
}

static long wait_call(const struct wait_args *args)
{
    int err = futex_wait(args);
    u64 again[6] = {(u64)args->word, args->is_private, args->value, args->bitset,
                    (u64)args->deadline};

    if (err != -EINTR)
        return err;
    /* a wait without time-out may begin anew; one with goes on until the same moment */
    return args->deadline == KTIME_FOREVER ? -ERESTARTSYS
                                           : signal_restart_with(futex_wait_resume, again);
}

/* FUTEX_WAIT's time is relative, FUTEX_WAIT_BITSET's absolute, by the monotonic or the real-time clock. */
static int deadline_get(int op, const void __user *timeout, ktime *deadline)
{
    struct timespec ts;

    *deadline = KTIME_FOREVER;
    if (!timeout)
        return 0;
    if (copy_from_user(&ts, timeout, sizeof(ts)))
        return -EFAULT;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    if ((op & FUTEX_CMD_MASK) == FUTEX_WAIT) {
        *deadline = host_deadline(ts.tv_sec, ts.tv_nsec);
        return 0;
    }
    *deadline = time_deadline(op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC,
                              ts.tv_sec, ts.tv_nsec);
    return 0;
}

/* --- FUTEX_WAKE_OP -------------------------------------------------------------------------------------- */

static int sign_extend(u32 value)
{
    return (int)(value << 20) >> 20; /* 12 bits */
}

static int op_apply(u32 op, u32 old, int arg, u32 *out)
{
    switch (op) {
    case FUTEX_OP_SET:
        *out = (u32)arg;
        return 0;
    case FUTEX_OP_ADD:
        *out = old + (u32)arg;
        return 0;
    case FUTEX_OP_OR:
        *out = old | (u32)arg;
        return 0;
    case FUTEX_OP_ANDN:
        *out = old & ~(u32)arg;
        return 0;
    case FUTEX_OP_XOR:
        *out = old ^ (u32)arg;
        return 0;
    default:
        return -ENOSYS;
    }
}

static int op_compare(u32 cmp, int old, int arg)
{
    switch (cmp) {
    case FUTEX_OP_CMP_EQ:
        return old == arg;
    case FUTEX_OP_CMP_NE:
        return old != arg;
    case FUTEX_OP_CMP_LT:
        return old < arg;
    case FUTEX_OP_CMP_GE:
        return old >= arg;
    case FUTEX_OP_CMP_LE:
        return old <= arg;
    case FUTEX_OP_CMP_GT:
        return old > arg;
    default:
        return -ENOSYS;
    }
}

/* Changes the word as the encoded operation says; 1 or 0: what the comparison of its old value gives. */
static int op_run(u32 __user *word, u32 encoded)
{
    u32 op = encoded >> 28 & 7, cmp = encoded >> 24 & 15;
    int op_arg = sign_extend(encoded >> 12 & 0xfff), cmp_arg = sign_extend(encoded & 0xfff);
    u32 old, value, seen;
    int err;

    if ((encoded >> 28) & FUTEX_OP_OPARG_SHIFT)
        op_arg = (int)(1U << (op_arg & 31));
    if (get_user(old, word))
        return -EFAULT;
    for (;;) {
        err = op_apply(op, old, op_arg, &value);
        if (!err)
            err = user_cmpxchg(word, old, value, &seen);
        if (err)
            return err;
        if (seen == old)
            return op_compare(cmp, (int)old, cmp_arg);
        if (signal_pending(false)) /* who shares the word can change it for as long as he likes */
            return -ERESTARTNOINTR;
        old = seen;
    }
}

static long wake_op(u32 __user *word, u32 __user *word2, bool is_private, int n, int n2,
                    u32 encoded)
{
    struct futex_key key, key2;
    int err = futex_key_get(word, is_private, &key), woken, holds;

    if (!err)
        err = futex_key_get(word2, is_private, &key2);
    if (err)
        return err;
    holds = op_run(word2, encoded);
    if (holds < 0)
        return holds;
    woken = futex_wake_key(&key, n, FUTEX_BITSET_MATCH_ANY);
    if (holds)
        woken += futex_wake_key(&key2, n2, FUTEX_BITSET_MATCH_ANY);
    return woken;
}

static long requeue(u32 __user *word, u32 __user *word2, bool is_private, int n_wake, int n_move,
                    const u32 *expected)
{
    struct futex_key key, key2;
    int err = futex_key_get(word, is_private, &key);
    u32 seen;

    if (!err)
        err = futex_key_get(word2, is_private, &key2);
    if (err)
        return err;
    if (n_wake < 0 || n_move < 0)
        return -EINVAL;
    if (expected) {
        if (get_user(seen, word))
            return -EFAULT;
        if (seen != *expected)
            return -EAGAIN;
    }
    return futex_requeue_key(&key, &key2, n_wake, n_move);
}

long sys_futex(u32 __user *word, int op, u32 val, void __user *timeout, u32 __user *word2, u32 val3)
{
    bool is_private = op & FUTEX_PRIVATE_FLAG;
    int cmd = op & FUTEX_CMD_MASK;
    int n2 = (int)(u64)timeout; /* the same argument counts in the operations on two words */
    struct wait_args args = {word, is_private, val, FUTEX_BITSET_MATCH_ANY, KTIME_FOREVER};
    int err;

    if ((op & FUTEX_CLOCK_REALTIME) && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_WAIT &&
        cmd != FUTEX_LOCK_PI2)
        return -ENOSYS;
    switch (cmd) {
    case FUTEX_WAIT_BITSET:
        args.bitset = val3;
        fallthrough;
    case FUTEX_WAIT:
        if (!args.bitset)
            return -EINVAL;
        err = deadline_get(op, timeout, &args.deadline);
        return err ? err : wait_call(&args);
    case FUTEX_WAKE:
        return futex_wake(word, is_private, (int)val, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
        return val3 ? futex_wake(word, is_private, (int)val, val3) : -EINVAL;
    case FUTEX_REQUEUE:
        return requeue(word, word2, is_private, (int)val, n2, NULL);
    case FUTEX_CMP_REQUEUE:
        return requeue(word, word2, is_private, (int)val, n2, &val3);
    case FUTEX_WAKE_OP:
        return wake_op(word, word2, is_private, (int)val, n2, val3);
    case FUTEX_LOCK_PI:
        op |= FUTEX_CLOCK_REALTIME;
        fallthrough;
    case FUTEX_LOCK_PI2:
        err = deadline_get(op, timeout, &args.deadline);
        return err ? err : futex_pi_lock(word, is_private, args.deadline);
    case FUTEX_TRYLOCK_PI:
        return futex_pi_trylock(word);
    case FUTEX_UNLOCK_PI:
        return futex_pi_unlock(word, is_private);
    default:
        return -ENOSYS;
    }
}

/* --- the end of a thread: get_robust_list(2), "robust futex ABI" ------------------------------------------- */

#define ROBUST_LIMIT 2048

/* A lock whose owner has died: marked, and one waiter learns it. */
/* Who shares the word may change it under our eyes, but an end comes to an end. */
#define ROBUST_LOOKS 1000

static void robust_release(u32 __user *word, pid_t tid)
{
    u32 value, seen;

    if (get_user(value, word))
        return;
    for (int i = 0; i < ROBUST_LOOKS && (value & FUTEX_TID_MASK) == (u32)tid; i++) {
        u32 dead = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;

        if (user_cmpxchg(word, value, dead, &seen))
            return;
        if (seen == value) {
            if (value & FUTEX_WAITERS)
                futex_wake(word, false, 1, FUTEX_BITSET_MATCH_ANY);
            return;
        }
        value = seen;
    }
}

static void robust_walk(struct task *task)
{
    struct robust_list_head __user *user = task->robust_list;
    struct robust_list_head head;
    struct robust_list entry;
    u64 at;

    if (!user || copy_from_user(&head, user, sizeof(head)))
        return;
    at = (u64)head.list.next & ~1UL;
    for (int i = 0; i < ROBUST_LIMIT && at != (u64)&user->list; i++) {
        u64 next = 0;
        bool readable = copy_from_user(&entry, (const void __user *)at, sizeof(entry)) == 0;

        if (readable)
            next = (u64)entry.next & ~1UL;
        if (at != ((u64)head.list_op_pending & ~1UL))
            robust_release((u32 __user *)(at + (u64)head.futex_offset), task->tid);
        if (!readable)
            break;
        at = next;
    }
    at = (u64)head.list_op_pending & ~1UL;
    if (at)
        robust_release((u32 __user *)(at + (u64)head.futex_offset), task->tid);
}

long sys_set_robust_list(unsigned long head, size_t len)
{
    if (len != sizeof(struct robust_list_head))
        return -EINVAL;
    task_self()->robust_list = (void __user *)head;
    return 0;
}

long sys_get_robust_list(int pid, unsigned long __user *head_ptr, size_t __user *len_ptr)
{
    AUTO(task_put) struct task *task = pid ? task_lookup(pid) : task_get(task_self());

    if (!task)
        return -ESRCH;
    if (!task_may_inspect(task, false))
        return -EPERM;
    if (put_user(sizeof(struct robust_list_head), len_ptr))
        return -EFAULT;
    return put_user((unsigned long)READ_ONCE(task->robust_list), head_ptr);
}

static void words_leave(struct task *task)
{
    robust_walk(task);
    futex_pi_owner_gone(task);
}

static void clear_tid_wake(u32 __user *word, int n)
{
    futex_wake(word, false, n, FUTEX_BITSET_MATCH_ANY);
}

void futex_start(void)
{
    futex_table_init();
    task_hooks.futex_wake = clear_tid_wake;
    task_hooks.mm_release = words_leave;
}
