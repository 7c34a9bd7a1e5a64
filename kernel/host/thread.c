/* kernel/host/thread.c: the thread and space calls of the target, and the check of what it answers. */
#include "host/thread.h"

#include "base/errno.h"
#include "base/string.h"
#include "sync/sync.h"

#include <myst/target.h>

/* Linux's own answers to clone and fork; anything else is a host that is out of order. */
static int check_start(int reply)
{
    switch (reply) {
    case 0:
    case -ENOMEM:
        return reply;
    default:
        return -EAGAIN;
    }
}

void host_thread_copy_context(struct self *to)
{
    target_thread_copy_context(&to->thread);
}

void host_context_reset(void)
{
    target_context_reset();
}

int host_thread_start(struct self *thread)
{
    return check_start(target_thread_start(&thread->thread));
}

int host_space_fork(struct self *thread)
{
    return check_start(target_space_fork(&thread->thread));
}

void host_thread_lend(struct self *thread)
{
    sync_assert_unlocked("lending the host thread");
    target_thread_lend(&thread->thread);
}

int host_space_blank(struct target_space **space)
{
    int err;

    sync_assert_unlocked("waiting for a space");
    err = check_start(target_space_blank(space));
    if (err == 0 && !*space)
        return -EAGAIN;
    return err;
}

void host_space_discard(struct target_space *space)
{
    target_space_discard(space);
}

void host_thread_move(struct target_space *space)
{
    sync_assert_unlocked("moving to a space");
    target_thread_move(space);
}

void host_thread_exit(void)
{
    sync_assert_unlocked("the end of a thread");
    target_thread_exit();
}

bool host_thread_gone(const struct self *thread)
{
    return __atomic_load_n(&thread->thread.gone, __ATOMIC_ACQUIRE) == 1;
}

void host_thread_probe(struct self *thread)
{
    target_thread_probe(&thread->thread);
}

/* Both values are taken as they are: whoever follows them checks each step. */
bool host_thread_where(const struct self *thread, u64 *rip, u64 *rbp)
{
    if (__atomic_load_n(&thread->thread.report, __ATOMIC_ACQUIRE) != 2)
        return false;
    *rip = thread->thread.report_rip;
    *rbp = thread->thread.report_rbp;
    return true;
}

void host_bases_read(void)
{
    target_bases_read();
}

void host_bases_write(void)
{
    target_bases_write();
}

ktime host_thread_cputime(const struct self *thread)
{
    ktime time = target_thread_cputime(&thread->thread);

    return time < 0 ? 0 : time;
}

void host_fault_counts(bool whole_space, u64 *minor, u64 *major)
{
    uint64_t counts[2];

    target_fault_counts(whole_space, &counts[0], &counts[1]);
    *minor = MIN((u64)counts[0], (u64)UINT32_MAX); /* sums stay positive */
    *major = MIN((u64)counts[1], (u64)UINT32_MAX);
}

bool host_thread_is_near(const struct self *thread)
{
    return thread->thread.host_pid == self()->thread.host_pid;
}

ktime host_space_cputime(const struct self *thread)
{
    ktime time = target_space_cputime(&thread->thread);

    return time < 0 ? 0 : time;
}

size_t host_affinity(void *mask, size_t len)
{
    int n;

    memset(mask, 0, len);
    n = target_affinity_get(mask, len);
    if (n <= 0 || (size_t)n > len) {
        memset(mask, 0, len);
        if (len > 0)
            *(u8 *)mask = 1;
        return len < sizeof(long) ? len : sizeof(long);
    }
    return (size_t)n;
}

void host_affinity_set(const struct self *thread, const void *mask, size_t len)
{
    (void)target_affinity_set(&thread->thread, mask, len);
}

int host_memory_barrier(bool all, bool instructions)
{
    return target_memory_barrier(all, instructions) ? -ENOSYS : 0;
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
