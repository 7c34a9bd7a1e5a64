/* kernel/mm/remap.c: mremap(2). */
#include "mm/vma.h"

#include "host/mem.h"
#include "mm/alloc.h"
#include "mm/memobj.h"
#include "mm/text.h"
#include "self/self.h"

#include "syscall_proto.h"

#include <linux/mman.h>
#include <linux/resource.h>
#include <myst/boot.h>

struct remap {
    u64 old, old_len, new_len, new_addr;
    unsigned long flags;
};

/*
 * Moves pages as they are. What is one mapping to us may be several to the host, and it moves one at a time:
 * then halves are tried.
 */
static int move_pages_to(u64 from, u64 len, u64 to)
{
    int err = host_remap(from, len, to, len);

    if (err != -EFAULT || len == PAGE_SIZE)
        return err;

    u64 half = ALIGN_DOWN(len / 2, PAGE_SIZE);

    err = move_pages_to(from, half, to);
    return err ? err : move_pages_to(from + half, len - half, to + half);
}

/* Pages of a mapping of the same thing at another place. Shared ones need no move: they are just mapped. */
static int move_contents(struct vma *from, u64 start, u64 len, struct vma *to)
{
    int err;

    if (to->flags & VM_SHARED) {
        err = vma_install(to, to->start, to->end);
        return err ? err : host_unmap(start, len);
    }
    err = move_pages_to(start, len, to->start);
    if (err)
        return err;
    if (to->at.kind != VMA_MEMOBJ)
        return vma_install(to, to->start + len, to->end);
    to->filled = to->start + (MIN(MAX(from->filled, start), start + len) - start);
    if (to->filled == to->start + len)
        return vma_install(to, to->filled, to->end);
    /* The file had ended before: what was reserved behind it came along, and goes on. */
    return to->end > to->start + len
               ? host_map_anon(to->start + len, to->end - to->start - len, HOST_PROT_NONE)
               : 0;
}

/* A second mapping of shared pages (old_len 0), or the move of [old, old + old_len) to new_addr. */
static s64 move_vma(struct mm *mm, struct vma *vma, const struct remap *r, u64 new_addr,
                    struct list_head *dead)
{
    bool keep = r->flags & MREMAP_DONTUNMAP;
    u64 len = MIN(r->old_len, r->new_len);
    struct vma *to = vma_copy(vma);
    int err;

    if (!to)
        return -ENOMEM;
    if (to->at.kind != VMA_ANON)
        to->at.offset = vma_offset(vma, r->old);
    to->start = to->filled = new_addr;
    to->end = new_addr + r->new_len;
    vma_insert(mm, to);
    err = r->old_len ? move_contents(vma, r->old, len, to) : vma_install(to, to->start, to->end);
    if (err) {
        host_unmap(to->start, to->end - to->start);
        vma_remove(mm, to, dead);
        return err;
    }
    if (r->old_len && !keep) {
        err = unmap_locked(mm, r->old, r->old + r->old_len, dead);
    } else if (keep) {
        struct vma *old = vma_isolate(mm, r->old, r->old + r->old_len);

        if (IS_ERR_OR_NULL(old))
            return old ? PTR_ERR(old) : -EFAULT;
        vma_set_flags(mm, old, old->flags & ~(VM_LOCKED | VM_LOCKONFAULT));
        err = vma_install(old, old->start, old->end);
    }
    vma_merge(mm, to);
    return err ? err : (s64)new_addr;
}

static bool grow_in_place(struct mm *mm, struct vma *vma, const struct remap *r, s64 *result)
{
    u64 end = r->old + r->old_len, new_end = r->old + r->new_len;
    u64 filled = vma->filled;

    if (vma->end != end || !mm_range_ok(r->old, r->new_len) || !vma_range_free(mm, end, new_end))
        return false;
    *result = mm_check_limits(mm, new_end - end, vma->flags);
    if (*result)
        return true;
    vma_resize(mm, vma, vma->start, new_end);
    if (vma->at.kind == VMA_MEMOBJ && filled < end)
        *result = host_map_anon(end, new_end - end, HOST_PROT_NONE);
    else
        *result = vma_install(vma, end, new_end);
    if (*result) {
        host_unmap(end, new_end - end);
        vma_resize(mm, vma, vma->start, end);
        vma->filled = MIN(filled, end);
        return true;
    }
    vma_merge(mm, vma);
    *result = (s64)r->old;
    return true;
}

static int check_remap(const struct remap *r)
{
    if (r->flags & ~(unsigned long)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
        return -EINVAL;
    if ((r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(r->flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if ((r->flags & MREMAP_DONTUNMAP) && r->old_len != r->new_len)
        return -EINVAL;
    if (!IS_ALIGNED(r->old, PAGE_SIZE) || r->new_len == 0 || r->new_len > MYST_USER_END)
        return -EINVAL;
    if (!(r->flags & MREMAP_FIXED))
        return 0;
    if (!IS_ALIGNED(r->new_addr, PAGE_SIZE) || !mm_range_ok(r->new_addr, r->new_len))
        return -EINVAL;
    if (r->new_addr < r->old + r->old_len && r->old < r->new_addr + r->new_len)
        return -EINVAL;
    return r->new_addr < MM_MIN_ADDRESS ? -EPERM : 0;
}

static bool only_shrinks(const struct remap *r)
{
    return !(r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && r->old_len &&
           r->new_len <= r->old_len;
}

/* A range of one mapping that may be moved or grown; what is only cut off may be of several, or of none. */
static int check_source(struct mm *mm, const struct remap *r, const struct vma *vma)
{
    if (!vma)
        return -EFAULT;
    if (vma->flags & VM_SEALED)
        return -EPERM;
    if (r->old_len == 0 && (!(vma->flags & VM_SHARED) || (r->flags & MREMAP_DONTUNMAP)))
        return -EINVAL;
    if ((r->flags & MREMAP_DONTUNMAP) && vma->at.kind == VMA_KERNEL)
        return -EINVAL;
    if (only_shrinks(r))
        return mm_range_ok(r->old, r->old_len) ? 0 : -EINVAL;
    if (r->old_len > vma->end - r->old)
        return -EFAULT;
    if (r->new_len > r->old_len && vma->at.kind == VMA_KERNEL)
        return -EFAULT;
    if (r->new_len > r->old_len && (vma->flags & VM_LOCKED) &&
        (mm->locked_vm << PAGE_SHIFT) + (r->new_len - r->old_len) > mm_limit(RLIMIT_MEMLOCK))
        return -EAGAIN;
    return 0;
}

static s64 remap_locked(struct mm *mm, const struct remap *r, struct list_head *dead)
{
    struct vma *vma = vma_find(mm, r->old);
    s64 result = check_source(mm, r, vma);
    u64 to = r->new_addr;
    bool moves = r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);

    if (result)
        return result;
    if (only_shrinks(r)) {
        if (r->new_len < r->old_len)
            result = unmap_locked(mm, r->old + r->new_len, r->old + r->old_len, dead);
        return result ? result : (s64)r->old;
    }
    result = vma_restore_text(vma);
    if (result)
        return result;
    if (!moves && r->old_len && grow_in_place(mm, vma, r, &result))
        return result;
    if (!(r->flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    if (mm->map_count >= MM_MAX_MAPS - 3)
        return -ENOMEM;
    result = mm_check_limits(
        mm, r->flags & MREMAP_DONTUNMAP ? r->new_len : r->new_len - MIN(r->old_len, r->new_len),
        vma->flags);
    if (result)
        return result;
    if (r->flags & MREMAP_FIXED) {
        result = unmap_locked(mm, to, to + r->new_len, dead);
        /* Cutting may have left another mapping at the old place. */
        vma = vma_find(mm, r->old);
        if (result || !vma)
            return result ? result : -EFAULT;
    } else {
        to = vma_find_gap(mm, r->new_len, MM_MIN_ADDRESS, mm->mmap_base);
        if (!to)
            return -ENOMEM;
    }
    return move_vma(mm, vma, r, to, dead);
}

long sys_mremap(unsigned long old_address, size_t old_size, size_t new_size, unsigned long flags,
                unsigned long new_address)
{
    struct mm *mm = self()->mm;
    VMA_DEAD(dead);
    struct remap r = {
        .old = old_address,
        .old_len = ALIGN_UP(old_size, PAGE_SIZE),
        .new_len = ALIGN_UP(new_size, PAGE_SIZE),
        .new_addr = new_address,
        .flags = flags,
    };
    s64 result = check_remap(&r);

    if (result)
        return result;
    mm_lock(mm);
    result = remap_locked(mm, &r, &dead);
    mm_unlock(mm);
    vma_release(&dead);
    return result;
}
