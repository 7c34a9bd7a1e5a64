/* kernel/mm/advise.c: madvise(2), mincore(2) and msync(2). */
#include "mm/vma.h"

#include "abi/newer.h"
#include "host/mem.h"
#include "mm/memobj.h"
#include "mm/uaccess.h"
#include "self/self.h"

#include "syscall_proto.h"

#include <linux/mman.h>
#include <myst/boot.h>

/* What one advice does to one mapping, or to the part of it that is meant. */
static u64 flags_after(u64 flags, int advice)
{
    switch (advice) {
    case MADV_NORMAL:
        return flags & ~(VM_RANDOM | VM_SEQUENTIAL);
    case MADV_RANDOM:
        return (flags & ~VM_SEQUENTIAL) | VM_RANDOM;
    case MADV_SEQUENTIAL:
        return (flags & ~VM_RANDOM) | VM_SEQUENTIAL;
    case MADV_DONTFORK:
        return flags | VM_DONTFORK;
    case MADV_DOFORK:
        return flags & ~VM_DONTFORK;
    case MADV_WIPEONFORK:
        return flags | VM_WIPEONFORK;
    case MADV_KEEPONFORK:
        return flags & ~VM_WIPEONFORK;
    case MADV_DONTDUMP:
        return flags | VM_DONTDUMP;
    case MADV_DODUMP:
        return flags & ~VM_DONTDUMP;
    case MADV_MERGEABLE:
        return flags | VM_MERGEABLE;
    case MADV_UNMERGEABLE:
        return flags & ~VM_MERGEABLE;
    case MADV_HUGEPAGE:
        return (flags & ~VM_NOHUGEPAGE) | VM_HUGEPAGE;
    case MADV_NOHUGEPAGE:
        return (flags & ~VM_HUGEPAGE) | VM_NOHUGEPAGE;
    case MADV_GUARD_INSTALL:
        return flags | VM_GUARD;
    case MADV_GUARD_REMOVE:
        return flags & ~VM_GUARD;
    default:
        return flags;
    }
}

static bool advice_known(int advice)
{
    switch (advice) {
    case MADV_NORMAL ... MADV_DONTNEED:
    case MADV_FREE ... MADV_DOFORK:
    case MADV_MERGEABLE ... MADV_KEEPONFORK:
    case MADV_COLD ... MADV_DONTNEED_LOCKED:
    case MADV_GUARD_INSTALL:
    case MADV_GUARD_REMOVE:
        return true;
    default:
        return false;
    }
}

/* mseal(2): what loses contents needs the right to write them. */
static bool seal_denies(const struct vma *vma, int advice)
{
    switch (advice) {
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
    case MADV_FREE:
    case MADV_REMOVE:
    case MADV_DONTFORK:
    case MADV_WIPEONFORK:
    case MADV_GUARD_INSTALL:
        return vma->flags & VM_SEALED && !(vma->flags & (VM_SHARED | VM_WRITE));
    default:
        return false;
    }
}

/* Is the advice one that this mapping can take? */
static int advice_check(const struct vma *vma, int advice)
{
    bool private_anon = vma->at.kind == VMA_ANON;

    if (seal_denies(vma, advice))
        return -EPERM;
    switch (advice) {
    case MADV_DONTNEED:
    case MADV_COLD:
    case MADV_PAGEOUT:
        return vma->flags & VM_LOCKED ? -EINVAL : 0;
    case MADV_GUARD_INSTALL:
        return vma->at.kind == VMA_KERNEL || vma->flags & VM_LOCKED ? -EINVAL : 0;
    case MADV_GUARD_REMOVE:
        return vma->at.kind == VMA_KERNEL ? -EINVAL : 0;
    case MADV_FREE:
        return private_anon && !(vma->flags & VM_LOCKED) ? 0 : -EINVAL;
    case MADV_WIPEONFORK:
        return private_anon ? 0 : -EINVAL;
    case MADV_DOFORK:
        return vma->at.kind == VMA_KERNEL ? -EINVAL : 0;
    case MADV_REMOVE:
        if ((vma->flags & VM_LOCKED) || !vma->at.obj)
            return -EINVAL;
        return (vma->flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE) ? 0 : -EACCES;
    default:
        return 0;
    }
}

/* MADV_REMOVE: a hole in the file. The lock is given up meanwhile; the reference keeps the object. */
static int remove_pages(struct mm *mm, struct vma *vma, u64 start, u64 end)
{
    struct vma_backing at = vma->at;
    u64 offset = vma_offset(vma, start);
    int err = 0;

    backing_get(&at);
    mm_unlock(mm);
    if (at.owner && at.ops->punch)
        err = at.ops->punch(at.owner, offset, end - start);
    else
        memobj_punch(at.obj, offset, end - start);
    memobj_put(at.obj);
    if (at.owner)
        at.ops->put(at.owner);
    mm_lock(mm);
    return err;
}

static int advise_pages(struct vma *vma, u64 start, u64 end, int advice)
{
    switch (advice) {
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
    case MADV_FREE:
        if (vma->flags & (VM_SHARED | VM_GUARD))
            return 0;
        if (vma->at.kind == VMA_MEMOBJ)
            end = MIN(end, vma->filled);
        return end > start ? host_discard(start, end - start) : 0;
    default:
        return 0;
    }
}

/* Guards appear in place of the pages, whose contents are lost; they leave fresh pages. */
static int set_guard(struct mm *mm, struct vma *vma, u64 flags)
{
    u64 old = vma->flags;
    int err;

    vma_set_flags(mm, vma, flags);
    err = vma_install(vma, vma->start, vma->end);
    if (err)
        vma_set_flags(mm, vma, old);
    return err;
}

/* One mapping's part [start, end). */
static int advise_vma(struct mm *mm, struct vma *vma, u64 start, u64 end, int advice)
{
    u64 flags = flags_after(vma->flags, advice);
    int err = advice_check(vma, advice);

    if (err)
        return err;
    if (advice == MADV_REMOVE)
        return remove_pages(mm, vma, start, end);
    if (flags == vma->flags)
        return advise_pages(vma, start, end, advice);
    vma = vma_isolate(mm, start, end);
    if (IS_ERR(vma))
        return -EAGAIN;
    if ((vma->flags ^ flags) & VM_GUARD)
        err = set_guard(mm, vma, flags);
    else
        vma_set_flags(mm, vma, flags);
    vma_merge(mm, vma);
    return err;
}

static int advise_locked(struct mm *mm, u64 start, u64 end, int advice)
{
    bool gap = false;
    int err = 0;

    while (start < end && !err) {
        struct vma *vma = vma_from(mm, start);

        if (!vma || vma->start >= end)
            return -ENOMEM;
        if (vma->start > start) {
            gap = true;
            start = vma->start;
        }
        u64 next = MIN(end, vma->end);

        err = advise_vma(mm, vma, start, next, advice);
        start = next;
    }
    return err ? err : gap ? -ENOMEM : 0;
}

int mm_advise(struct mm *mm, u64 addr, u64 len, int advice)
{
    u64 pages = ALIGN_UP(len, PAGE_SIZE), end;

    if (!advice_known(advice) || !IS_ALIGNED(addr, PAGE_SIZE) || (len && !pages))
        return -EINVAL;
    if (add_overflow(addr, pages, &end))
        return -EINVAL;
    if (pages == 0)
        return 0;
    if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
        return mm_populate(addr, end,
                           advice == MADV_POPULATE_WRITE ? POPULATE_WRITE : POPULATE_READ);
    mm_lock(mm);
    int err = advise_locked(mm, addr, end, advice);
    mm_unlock(mm);
    return err;
}

long sys_madvise(unsigned long addr, size_t length, int advice)
{
    return mm_advise(self()->mm, addr, length, advice);
}

/* ---- mincore ------------------------------------------------------------------------------------------- */

#define MINCORE_PAGES 512UL

static int resident_locked(struct mm *mm, u64 start, u64 end, u8 *out)
{
    while (start < end) {
        struct vma *vma = vma_find(mm, start);

        if (!vma)
            return -ENOMEM;
        u64 next = MIN(end, vma->end);
        int err = host_resident(start, next - start, out);

        if (err)
            return err == -ENOMEM ? -EAGAIN : err;
        out += (next - start) >> PAGE_SHIFT;
        start = next;
    }
    return 0;
}

long sys_mincore(unsigned long addr, size_t length, void __user *vec)
{
    struct mm *mm = self()->mm;
    u8 pages[MINCORE_PAGES];
    u64 end;

    if (!IS_ALIGNED(addr, PAGE_SIZE))
        return -EINVAL;
    if (add_overflow(addr, length, &end) || end > MYST_USER_END || !mm_range_ok(addr, length))
        return -ENOMEM;
    end = ALIGN_UP(end, PAGE_SIZE);
    if (!user_range_ok(vec, (end - addr) >> PAGE_SHIFT))
        return -EFAULT;
    for (u64 at = addr; at < end;) {
        u64 next = MIN(end, at + MINCORE_PAGES * PAGE_SIZE);

        mm_lock(mm);
        int err = resident_locked(mm, at, next, pages);
        mm_unlock(mm);
        if (err)
            return err;
        if (copy_to_user((u8 __user *)vec + ((at - addr) >> PAGE_SHIFT), pages,
                         (next - at) >> PAGE_SHIFT) < 0)
            return -EFAULT;
        at = next;
    }
    return 0;
}

/* ---- msync --------------------------------------------------------------------------------------------- */

/* Writes the file behind one mapping back. The lock is given up meanwhile. */
static int sync_vma(struct mm *mm, struct vma *vma, u64 start, u64 end)
{
    struct vma_backing at = vma->at;
    u64 offset = vma_offset(vma, start);

    if (!(vma->flags & VM_SHARED) || !at.owner || !at.ops->sync)
        return 0;
    at.ops->get(at.owner);
    mm_unlock(mm);
    int err = at.ops->sync(at.owner, offset, end - start);

    at.ops->put(at.owner);
    mm_lock(mm);
    return err;
}

static int msync_locked(struct mm *mm, u64 start, u64 end, int flags)
{
    bool gap = false;
    int err = 0;

    while (start < end && !err) {
        struct vma *vma = vma_from(mm, start);

        if (!vma || vma->start >= end)
            return -ENOMEM;
        if (vma->start > start) {
            /* MS_ASYNC has nothing to do but to look for gaps. */
            if (flags == MS_ASYNC)
                return -ENOMEM;
            gap = true;
            start = vma->start;
        }
        u64 next = MIN(end, vma->end);

        if ((flags & MS_INVALIDATE) && (vma->flags & VM_LOCKED))
            return -EBUSY;
        if (flags & MS_SYNC)
            err = sync_vma(mm, vma, start, next);
        start = next;
    }
    return err ? err : gap ? -ENOMEM : 0;
}

long sys_msync(unsigned long addr, size_t length, int flags)
{
    struct mm *mm = self()->mm;
    u64 len = ALIGN_UP(length, PAGE_SIZE), end;

    if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || !IS_ALIGNED(addr, PAGE_SIZE))
        return -EINVAL;
    if ((flags & MS_ASYNC) && (flags & MS_SYNC))
        return -EINVAL;
    if (add_overflow(addr, len, &end))
        return -ENOMEM;
    if (len == 0)
        return 0; /* also of the longest length, which wraps */
    mm_lock(mm);
    long err = msync_locked(mm, addr, end, flags);
    mm_unlock(mm);
    return err;
}
