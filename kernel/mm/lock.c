/*
 * kernel/mm/lock.c: mlock(2) and its kin. Locking is accounted and shown, and never passed to the host: there
 * is no swap inside, and the host's limits are not the program's.
 */
#include "mm/vma.h"

#include "cred/cred.h"
#include "self/self.h"

#include "syscall_proto.h"

#include <linux/mman.h>
#include <linux/resource.h>

#define LOCK_FLAGS (VM_LOCKED | VM_LOCKONFAULT)

/* Pages of the range that are locked already: they are not counted twice. */
static u64 locked_in(struct mm *mm, u64 start, u64 end)
{
    u64 pages = 0;

    for (struct vma *vma = vma_from(mm, start); vma && vma->start < end; vma = vma_next(vma)) {
        if (vma->flags & VM_LOCKED)
            pages += (MIN(end, vma->end) - MAX(start, vma->start)) >> PAGE_SHIFT;
    }
    return pages;
}

/* Gives all of the range these flags; -ENOMEM at the first gap. */
static int set_locked(struct mm *mm, u64 start, u64 end, u64 flags)
{
    while (start < end) {
        struct vma *vma = vma_find(mm, start);

        if (!vma)
            return -ENOMEM;
        u64 next = MIN(end, vma->end);

        if ((vma->flags & LOCK_FLAGS) != flags && vma->at.kind != VMA_KERNEL) {
            vma = vma_isolate(mm, start, next);
            if (IS_ERR(vma))
                return -ENOMEM;
            vma_set_flags(mm, vma, (vma->flags & ~LOCK_FLAGS) | flags);
            vma_merge(mm, vma);
        }
        start = next;
    }
    return 0;
}

/* The pages that an mlock of these bytes covers. */
static bool page_range(u64 addr, u64 len, u64 *start, u64 *end)
{
    /* The last page of all numbers wraps: then the range is empty, which is no error. */
    len = ALIGN_UP(len + (addr & ~PAGE_MASK), PAGE_SIZE);
    *start = ALIGN_DOWN(addr, PAGE_SIZE);
    return !add_overflow(*start, len, end);
}

static long do_mlock(unsigned long addr, size_t len, u64 flags)
{
    struct mm *mm = self()->mm;
    u64 limit = mm_limit(RLIMIT_MEMLOCK), start, end;
    bool may = capable(CAP_IPC_LOCK);
    int err = -ENOMEM;

    if (!limit && !may)
        return -EPERM;
    if (!page_range(addr, len, &start, &end))
        return -EINVAL;
    if (start == end)
        return 0;
    mm_lock(mm);
    u64 total = mm->locked_vm + ((end - start) >> PAGE_SHIFT) - locked_in(mm, start, end);

    if (may || total <= limit >> PAGE_SHIFT)
        err = set_locked(mm, start, end, flags);
    mm_unlock(mm);
    /* mlock(2): locked they are, but there is no page where nothing may be touched. */
    if (!err && !(flags & VM_LOCKONFAULT) && mm_populate(start, end, POPULATE_LIKELY) < 0)
        err = -ENOMEM;
    return err;
}

long sys_mlock(unsigned long addr, size_t len)
{
    return do_mlock(addr, len, VM_LOCKED);
}

long sys_mlock2(unsigned long addr, size_t len, int flags)
{
    if (flags & ~MLOCK_ONFAULT)
        return -EINVAL;
    return do_mlock(addr, len, flags ? LOCK_FLAGS : VM_LOCKED);
}

long sys_munlock(unsigned long addr, size_t len)
{
    struct mm *mm = self()->mm;
    u64 start, end;

    if (!page_range(addr, len, &start, &end))
        return -EINVAL;
    mm_lock(mm);
    int err = set_locked(mm, start, end, 0);
    mm_unlock(mm);
    return err;
}

static void set_all_locked(struct mm *mm, u64 flags)
{
    struct vma *vma;

    rb_for_each_entry(vma, &mm->vmas, node) {
        if (vma->at.kind != VMA_KERNEL)
            vma_set_flags(mm, vma, (vma->flags & ~LOCK_FLAGS) | flags);
    }
}

long sys_mlockall(int flags)
{
    struct mm *mm = self()->mm;
    u64 limit = mm_limit(RLIMIT_MEMLOCK);
    bool may = capable(CAP_IPC_LOCK);
    u64 bits = flags & MCL_ONFAULT ? LOCK_FLAGS : VM_LOCKED;
    int err = 0;

    if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
        return -EINVAL;
    if (!limit && !may)
        return -EPERM;
    mm_lock(mm);
    if ((flags & MCL_CURRENT) && !may && mm->total_vm > limit >> PAGE_SHIFT) {
        err = -ENOMEM;
    } else {
        mm->def_flags = flags & MCL_FUTURE ? (u32)bits : 0;
        if (flags & MCL_CURRENT)
            set_all_locked(mm, bits);
    }
    mm_unlock(mm);
    return err;
}

long sys_munlockall(void)
{
    struct mm *mm = self()->mm;

    mm_lock(mm);
    mm->def_flags = 0;
    set_all_locked(mm, 0);
    mm_unlock(mm);
    return 0;
}
