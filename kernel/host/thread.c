/* kernel/host/thread.c: the thread and space calls of the target, and the check of what it answers. */
#include "host/thread.h"

#include "base/errno.h"
#include "base/string.h"
#include "host/border.h"
#include "sync/sync.h"

#include <myst/boot.h>
#include <myst/target.h>

#define TIME_LIMIT   (INT64_MAX / 2)
#define GOLDEN_RATIO 0x9e3779b97f4a7c15UL /* 2^64 divided by it: its multiples are spread evenly */

/* Linux's own answers to clone and fork; of a host that is out of order we may not ask again at once. */
static bool start_answered(int reply)
{
    return reply == 0 || reply == -ENOMEM || reply == -EAGAIN;
}

void host_thread_copy_context(struct self *to)
{
    target_thread_copy_context(&to->thread);
}

void host_context_reset(void)
{
    target_context_reset();
}

/*
 * A start has a number that no memory holds by chance: when the host says no, and the thread has run and ended, its block
 * may be anything by now.
 */
static uint64_t start_offer(struct self *thread)
{
    static u64 starts;
    uint64_t number = (__atomic_add_fetch(&starts, 1, __ATOMIC_RELAXED) << 1 | 1) * GOLDEN_RATIO;

    __atomic_store_n(&thread->thread.start, number, __ATOMIC_RELEASE);
    return number;
}

/* False: a host thread has taken it, whatever the host says. Else none will, and the block is free. */
static bool start_withdraw(struct self *thread, uint64_t number)
{
    uint64_t denied = TARGET_START_DENIED, *start = &thread->thread.start;

    if (!__atomic_compare_exchange_n(start, &number, 0, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE) &&
        !__atomic_compare_exchange_n(start, &denied, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return false;
    thread->thread.gone = 1;
    return true;
}

int host_thread_start(struct self *thread)
{
    uint64_t number = start_offer(thread);
    int reply = target_thread_start(&thread->thread);

    if (reply == 0 || !BORDER(thread_start_denied, start_withdraw(thread, number)))
        return 0;
    return BORDER(thread_start_result, start_answered(reply)) ? reply : -EAGAIN;
}

int host_space_fork(struct self *thread)
{
    uint64_t number = start_offer(thread);
    int reply = target_space_fork(&thread->thread);

    if (reply == 0 || !BORDER(space_fork_denied, start_withdraw(thread, number)))
        return 0;
    return BORDER(space_fork_result, start_answered(reply)) ? reply : -EAGAIN;
}

void host_thread_lend(struct self *thread)
{
    sync_assert_unlocked("lending the host thread");
    target_thread_lend(&thread->thread);
}

int host_space_blank(struct target_space **space)
{
    int reply;

    sync_assert_unlocked("waiting for a space");
    *space = NULL;
    reply = target_space_blank(space);
    if (!BORDER(space_blank_result, start_answered(reply)) ||
        (reply == 0 && !BORDER(space_blank_space, *space)))
        return -EAGAIN;
    return reply;
}

void host_space_discard(struct target_space *space)
{
    target_space_discard(space);
}

void host_thread_move(struct target_space *space)
{
    sync_assert_unlocked("moving to a space");
    target_thread_move(space);
    /* another host thread and another space: their times begin anew */
    __atomic_store_n(&self()->thread_time, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&self()->space_time, 0, __ATOMIC_RELAXED);
}

void host_thread_exit(void)
{
    sync_assert_unlocked("the end of a thread");
    target_thread_exit();
}

bool host_thread_gone(const struct self *thread)
{
    u32 gone = __atomic_load_n(&thread->thread.gone, __ATOMIC_ACQUIRE);

    return gone && BORDER(thread_gone, gone == 1);
}

void host_thread_probe(struct self *thread)
{
    target_thread_probe(&thread->thread);
}

/* Both values are taken as they are: whoever follows them checks each step. */
bool host_thread_where(const struct self *thread, u64 *rip, u64 *rbp)
{
    u32 report = __atomic_load_n(&thread->thread.report, __ATOMIC_ACQUIRE);

    if (!report || !BORDER(thread_report, report == 2))
        return false;
    *rip = thread->thread.report_rip;
    *rbp = thread->thread.report_rbp;
    return true;
}

u64 host_call_gate(void)
{
    u64 gate = target_call_gate();
    bool inside = gate >= MYST_RANGE_START && gate < MYST_RANGE_END;

    return BORDER(call_gate_place, !gate || inside) ? gate : 0;
}

void host_bases_read(void)
{
    target_bases_read();
}

void host_bases_write(void)
{
    target_bases_write();
}

static bool is_cputime(ktime time)
{
    return time >= 0 && time <= TIME_LIMIT;
}

ktime host_thread_cputime(struct self *thread)
{
    ktime time = target_thread_cputime(&thread->thread);

    if (!BORDER(thread_cputime_range, is_cputime(time)))
        time = 0;
    return BORDER_LATEST(thread_cputime_backwards, &thread->thread_time, time);
}

void host_fault_counts(bool whole_space, u64 *minor, u64 *major)
{
    uint64_t told[2] = {0, 0};

    target_fault_counts(whole_space, &told[0], &told[1]);
    *minor = BORDER(fault_counts_minor, told[0] <= UINT32_MAX) ? told[0] : UINT32_MAX;
    *major = BORDER(fault_counts_major, told[1] <= UINT32_MAX) ? told[1] : UINT32_MAX;
}

bool host_thread_is_near(const struct self *thread)
{
    return thread->thread.host_pid == self()->thread.host_pid;
}

ktime host_space_cputime(struct self *thread)
{
    ktime time = target_space_cputime(&thread->thread);

    if (!BORDER(space_cputime_range, is_cputime(time)))
        time = 0;
    return BORDER_LATEST(space_cputime_backwards, &thread->space_time, time);
}

static bool has_bit(const u8 *mask, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (mask[i])
            return true;
    return false;
}

size_t host_affinity(void *mask, size_t len)
{
    int n;

    memset(mask, 0, len);
    n = target_affinity_get(mask, len);
    if (BORDER(affinity_get_count, n > 0 && (size_t)n <= len) &&
        BORDER(affinity_get_mask, has_bit(mask, (size_t)n))) {
        memset((u8 *)mask + n, 0, len - (size_t)n);
        return (size_t)n;
    }
    memset(mask, 0, len);
    if (len > 0)
        *(u8 *)mask = 1;
    return MIN(len, sizeof(long));
}

void host_affinity_set(const struct self *thread, const void *mask, size_t len)
{
    (void)target_affinity_set(&thread->thread, mask, len);
}

int host_memory_barrier(bool all, bool instructions)
{
    int reply = target_memory_barrier(all, instructions);

    return BORDER(memory_barrier_result, reply == 0) ? reply : -ENOSYS;
}

/* The processor's own answer: Linux keeps the number in IA32_TSC_AUX, which RDPID and LSL show. */
u32 host_current_cpu(void)
{
    u32 value = 0;

    /* the segment limit of GDT entry 15 (selector 0x7b): number in the low 12 bits */
    __asm__("lsl %1, %0" : "+r"(value) : "r"(0x7b) : "cc");
    return value & 0xfff;
}

void host_exit(int status)
{
    target_exit(status);
}

void host_suspend(void)
{
    target_suspend();
}
