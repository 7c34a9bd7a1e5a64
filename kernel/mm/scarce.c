/*
 * kernel/mm/scarce.c: shared mappings of a file whose file system has no room for all that programs could store in it.
 *
 * As long as there is room for every hole, holes are mapped like the rest and their pages are counted afterwards. From
 * then on, holes are not mapped: the fault that touches one asks the file for the room of a page first.
 */
#include "mm/vma.h"

#include "host/mem.h"
#include "mm/alloc.h"
#include "mm/memobj.h"

bool vma_is_scarce(const struct vma *vma)
{
    return vma->at.kind == VMA_MEMOBJ &&
           (vma->flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE) &&
           memobj_is_scarce(vma->at.obj);
}

/* Room for the page at addr, from the file. The lock is given up meanwhile. */
static int page_fill(struct mm *mm, struct vma *vma, u64 addr)
{
    struct vma_backing at = vma->at;
    u64 offset = vma_offset(vma, addr);
    int err = -ENOSPC;

    backing_get(&at);
    mm_unlock(mm);
    if (at.owner && at.ops->fill)
        err = at.ops->fill(at.owner, offset, PAGE_SIZE);
    memobj_put(at.obj);
    if (at.owner)
        at.ops->put(at.owner);
    mm_lock(mm);
    return err;
}

int vma_touch_scarce(struct mm *mm, struct vma *vma, u64 addr)
{
    u64 window, run;
    int err = memobj_map(vma->at.obj, vma_offset(vma, addr), PAGE_SIZE, true, &window, &run);

    if (err)
        return err;
    if (window != PAGES_NONE)
        return host_map_pages(addr, PAGE_SIZE, (int)(vma->flags & VM_PROT), window, true);
    err = page_fill(mm, vma, addr);
    return err ? err : -EAGAIN;
}
