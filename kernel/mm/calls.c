/* kernel/mm/calls.c: munmap(2), mprotect(2), mseal(2) and brk(2). */
#include "mm/vma.h"

#include "cred/cred.h"
#include "self/self.h"

#include "syscall_proto.h"

#include <linux/mman.h>
#include <linux/resource.h>

long sys_munmap(unsigned long addr, size_t length)
{
    return mm_unmap(addr, length);
}

/* What the other arguments are wrong in comes after what is wrong with the range, and no range has no faults. */
static int refuse(u64 addr, u64 len)
{
    u64 end;

    if (!IS_ALIGNED(addr, PAGE_SIZE))
        return -EINVAL;
    if (len == 0)
        return 0;
    return add_overflow(addr, ALIGN_UP(len, PAGE_SIZE), &end) || end <= addr ? -ENOMEM : -EINVAL;
}

long sys_mprotect(unsigned long addr, size_t len, unsigned long prot)
{
    unsigned long grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);

    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP))
        return -EINVAL;
    prot &= ~(unsigned long)(PROT_GROWSDOWN | PROT_GROWSUP);
    if (prot & ~(unsigned long)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return refuse(addr, len);
    if (grows & PROT_GROWSUP)
        return len && IS_ALIGNED(addr, PAGE_SIZE) ? -EINVAL : mm_protect(addr, len, 0, false);
    return mm_protect(addr, len, (u32)prot & VM_PROT, grows != 0);
}

/* All of the range is mapped, or nothing is sealed. */
static int seal_locked(struct mm *mm, u64 start, u64 end)
{
    u64 at = start;

    for (struct vma *vma = vma_from(mm, start); at < end; at = vma->end, vma = vma_next(vma)) {
        if (!vma || vma->start > at)
            return -ENOMEM;
    }
    struct vma *vma = vma_isolate(mm, start, end);

    if (IS_ERR(vma))
        return (int)PTR_ERR(vma);
    for (; vma && vma->start < end; vma = vma_next(vma)) {
        vma_set_flags(mm, vma, vma->flags | VM_SEALED);
        vma = vma_merge(mm, vma);
    }
    return 0;
}

long sys_mseal(unsigned long addr, size_t len, unsigned long flags)
{
    struct mm *mm = self()->mm;
    u64 pages = ALIGN_UP(len, PAGE_SIZE), end;

    if (flags || !IS_ALIGNED(addr, PAGE_SIZE) || (len && !pages) || add_overflow(addr, pages, &end))
        return -EINVAL;
    if (addr == end)
        return 0;
    mm_lock(mm);
    int err = seal_locked(mm, addr, end);
    mm_unlock(mm);
    return err;
}

int mm_check_lock(struct mm *mm, u64 len, u64 flags)
{
    u64 limit = mm_limit(RLIMIT_MEMLOCK);

    if (!(flags & VM_LOCKED) || capable(CAP_IPC_LOCK))
        return 0;
    return (mm->locked_vm << PAGE_SHIFT) + len > limit ? -EAGAIN : 0;
}

/* The break moves up: like an anonymous mapping at a fixed address that must be free. */
static int grow_brk(struct mm *mm, u64 from, u64 to)
{
    u64 flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | mm->def_flags;
    struct vma *next = vma_from(mm, from), *vma;
    u64 guard = next && next->flags & VM_GROWSDOWN ? 256 * PAGE_SIZE : 0;
    VMA_DEAD(dead);
    int err;

    if (!mm_range_ok(from, to - from) || (next && next->start < to + guard))
        return -ENOMEM;
    if (to - mm->start_brk + (mm->end_data - mm->start_data) > mm_limit(RLIMIT_DATA))
        return -ENOMEM;
    if (mm->map_count >= MM_MAX_MAPS || mm_check_limits(mm, to - from, flags) < 0 ||
        mm_check_lock(mm, to - from, flags) < 0)
        return -ENOMEM;
    vma = vma_create();
    if (!vma)
        return -ENOMEM;
    vma->start = vma->filled = from;
    vma->end = to;
    vma->flags = flags;
    vma_insert(mm, vma);
    err = vma_install(vma, from, to);
    if (err) {
        vma_remove(mm, vma, &dead);
        vma_release(&dead);
        return err;
    }
    vma_merge(mm, vma);
    return 0;
}

long sys_brk(unsigned long addr)
{
    struct mm *mm = self()->mm;
    VMA_DEAD(dead);
    int err = 0;

    mm_lock(mm);
    u64 old = ALIGN_UP(mm->brk, PAGE_SIZE), new = ALIGN_UP(addr, PAGE_SIZE);

    if (addr >= mm->start_brk && new >= addr) {
        if (new < old)
            err = unmap_locked(mm, new, old, &dead);
        else if (new > old)
            err = grow_brk(mm, old, new);
        if (!err)
            mm->brk = addr;
    }
    long result = (long)mm->brk;

    mm_unlock(mm);
    vma_release(&dead);
    return result;
}

/* ---- protection keys, pkeys(7): as on a processor that has none ---------------------------------------- */

long sys_pkey_alloc(unsigned long flags, unsigned long access_rights)
{
    return -EINVAL; /* not ENOSPC: the one key there seems to be has no rights to set */
}

long sys_pkey_free(int pkey)
{
    return -EINVAL;
}

long sys_pkey_mprotect(unsigned long addr, size_t len, unsigned long prot, int pkey)
{
    if (pkey == -1)
        return sys_mprotect(addr, len, prot);
    /* No other key was ever given out; but what is wrong with the range comes first. */
    return refuse(addr, len);
}
