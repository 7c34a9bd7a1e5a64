/* kernel/mm/map.c: mmap(2), munmap(2) and mprotect(2) on the tree and on the caller's pages. */
#include "mm/vma.h"

#include "abi/newer.h"
#include "host/mem.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "mm/memobj.h"
#include "mm/text.h"
#include "self/self.h"

#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <myst/boot.h>

#define HUGE_PAGE      (2UL << 20)
#define MAP_32BIT_LOW  0x40000000UL
#define MAP_32BIT_HIGH 0x80000000UL

/* ---- pages --------------------------------------------------------------------------------------------- */

/* Pages of a memory object as far as it goes; what lies behind its end faults. */
static int install_object(struct vma *vma, u64 from, u64 to)
{
    bool shared = vma->flags & VM_SHARED;
    u64 size = ALIGN_UP(memobj_size(vma->at.obj), PAGE_SIZE);
    u64 offset = vma_offset(vma, from), end = vma_offset(vma, to);
    u64 filled = MAX(MIN(size, end), offset);
    int prot = (int)(vma->flags & VM_PROT), err = 0;

    if (vma_is_scarce(vma))
        memobj_count_stores(vma->at.obj);
    for (u64 at = offset; at < filled && !err;) {
        u64 window, run;

        err = memobj_map(vma->at.obj, at, filled - at, shared && (vma->flags & VM_MAYWRITE),
                         &window, &run);
        if (!err && window == PAGES_NONE)
            err = host_map_anon(from + (at - offset), run, HOST_PROT_NONE);
        else if (!err)
            err = host_map_pages(from + (at - offset), run, prot, window, shared);
        if (!err)
            at += run;
    }
    if (!err && filled < end)
        err = host_map_anon(from + (filled - offset), end - filled, HOST_PROT_NONE);
    if (!err)
        vma->filled = from + (filled - offset);
    return err;
}

/* A file of the host; as far as there is a copy with rewritten call sites, that one. */
static int install_file(struct vma *vma, u64 from, u64 to)
{
    const struct text_image *image = vma->at.text;
    int prot = (int)(vma->flags & VM_PROT), err = 0;
    u64 offset = vma_offset(vma, from), len = 0;

    if (image && offset >= image->offset && offset < image->offset + image->len) {
        len = MIN(to - from, image->offset + image->len - offset);
        err = host_map_pages(from, len, prot, image->window + (offset - image->offset), false);
    }
    if (!err && from + len < to)
        err = host_map_file(from + len, to - from - len, prot, vma->at.host_file, offset + len);
    return err;
}

int vma_install(struct vma *vma, u64 from, u64 to)
{
    int prot = (int)(vma->flags & VM_PROT);

    if (from >= to)
        return 0;
    if (vma->flags & VM_GUARD) {
        vma->filled = MIN(vma->filled, from);
        return host_map_anon(from, to - from, HOST_PROT_NONE);
    }
    switch (vma->at.kind) {
    case VMA_ANON:
        return host_map_anon(from, to - from, prot);
    case VMA_MEMOBJ:
        return install_object(vma, from, to);
    case VMA_HOST:
        return install_file(vma, from, to);
    case VMA_KERNEL:
        return host_map_pages(from, to - from, prot, vma_offset(vma, from), false);
    }
    return -EINVAL;
}

int vma_protect_pages(struct vma *vma)
{
    u64 end = vma->at.kind == VMA_MEMOBJ ? vma->filled : vma->end;

    if (vma->flags & VM_GUARD)
        return 0;
    if (vma_is_scarce(vma))
        return vma_install(vma, vma->start, vma->end);
    return end > vma->start
               ? host_protect(vma->start, end - vma->start, (int)(vma->flags & VM_PROT))
               : 0;
}

/* ---- mmap ---------------------------------------------------------------------------------------------- */

int mm_check_limits(struct mm *mm, u64 len, u64 flags)
{
    u64 limit = mm_limit(RLIMIT_AS);

    if ((mm->total_vm << PAGE_SHIFT) + len > limit)
        return -ENOMEM;
    if ((flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE) {
        if ((mm->data_vm << PAGE_SHIFT) + len > mm_limit(RLIMIT_DATA))
            return -ENOMEM;
        /* Obvious overcommit is refused, as by vm.overcommit_memory 0. */
        if (!(flags & VM_NORESERVE) && len > pages_limit())
            return -ENOMEM;
    }
    return 0;
}

/* personality(2), READ_IMPLIES_EXEC: what may be read is code, too, unless its file cannot be. */
static u32 implied_prot(u32 prot, u64 may)
{
    bool implied =
        prot & VM_READ && may & VM_MAYEXEC && mm_read_implies_exec && mm_read_implies_exec();

    return implied ? prot | VM_EXEC : prot;
}

static u64 flags_of(const struct mm *mm, const struct map_request *req)
{
    u64 flags = implied_prot(req->prot & VM_PROT, req->may) | req->may | mm->def_flags;

    if (req->flags & MAP_SHARED)
        flags |= VM_SHARED;
    if (req->flags & MAP_GROWSDOWN)
        flags |= VM_GROWSDOWN;
    if (req->flags & MAP_NORESERVE)
        flags |= VM_NORESERVE;
    if (req->flags & MAP_LOCKED)
        flags |= VM_LOCKED;
    if ((req->prot & VM_WRITE) && req->at.kind == VMA_HOST)
        flags |= VM_ALTERED;
    return flags;
}

/* prctl(2), PR_SET_MDWE: code is not writable, and becomes code only when it is mapped. */
static bool mdwe_denies(const struct mm *mm, u64 old, u64 new)
{
    if (!(mm->mdwe & PR_MDWE_REFUSE_EXEC_GAIN) || !(new &VM_EXEC))
        return false;
    return new &VM_WRITE || !(old & VM_EXEC);
}

/* Where the new mapping goes: an address or an error. */
static s64 choose_address(struct mm *mm, const struct map_request *req)
{
    u64 addr = req->addr, len = req->len;

    if (req->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (!IS_ALIGNED(addr, PAGE_SIZE))
            return -EINVAL;
        if (!mm_range_ok(addr, len))
            return -ENOMEM;
        if (addr < MM_MIN_ADDRESS)
            return -EPERM;
        if ((req->flags & MAP_FIXED_NOREPLACE) && !vma_range_free(mm, addr, addr + len))
            return -EEXIST;
        return (s64)addr;
    }
    if (len > MYST_USER_END)
        return -ENOMEM;
    if (addr) {
        addr = MAX(ALIGN_DOWN(addr, PAGE_SIZE), MM_MIN_ADDRESS);
        if (mm_range_ok(addr, len) && vma_range_free(mm, addr, addr + len) &&
            (!(req->flags & MAP_32BIT) || addr + len <= MAP_32BIT_HIGH))
            return (s64)addr;
    }
    if (req->flags & MAP_32BIT) {
        addr = vma_find_gap(mm, len, MAP_32BIT_LOW, MAP_32BIT_HIGH);
        return addr ? (s64)addr : -ENOMEM;
    }
    addr = 0;
    if (req->at.kind == VMA_ANON && IS_ALIGNED(len, HUGE_PAGE)) {
        /* Large areas begin where a huge page can, if there is room for it. */
        addr = vma_find_gap(mm, len + HUGE_PAGE - PAGE_SIZE, MM_MIN_ADDRESS, mm->mmap_base);
        addr = ALIGN_UP(addr, HUGE_PAGE);
    }
    if (!addr)
        addr = vma_find_gap(mm, len, MM_MIN_ADDRESS, mm->mmap_base);
    if (!addr)
        addr = vma_find_gap(mm, len, mm->mmap_base, MYST_USER_END);
    return addr ? (s64)addr : -ENOMEM;
}

s64 mm_find_free(u64 len)
{
    struct mm *mm = self()->mm;
    struct map_request req = {.len = len};

    mm_lock(mm);
    s64 addr = choose_address(mm, &req);
    mm_unlock(mm);
    return addr;
}

/* Takes mappings out of the tree alone, for a caller that replaces or unmaps the pages. */
static int forget_locked(struct mm *mm, u64 start, u64 end, struct list_head *dead)
{
    struct vma *vma = vma_isolate(mm, start, end);

    if (IS_ERR(vma))
        return (int)PTR_ERR(vma);
    while (vma && vma->start < end) {
        struct vma *next = vma_next(vma);

        vma_remove(mm, vma, dead);
        vma = next;
    }
    return 0;
}

static s64 map_locked(struct mm *mm, const struct map_request *req, struct vma *vma,
                      struct list_head *dead)
{
    s64 addr = choose_address(mm, req);
    u64 flags = flags_of(mm, req);
    int err;

    if (addr < 0)
        return addr;
    if (mm->map_count >= MM_MAX_MAPS)
        return -ENOMEM;
    if (mdwe_denies(mm, flags, flags))
        return -EACCES;
    err = mm_check_limits(mm, req->len, flags);
    if (!err)
        err = mm_check_lock(mm, req->len, flags);
    if (err)
        return err;
    if (req->flags & MAP_FIXED) {
        if (vma_range_sealed(mm, (u64)addr, (u64)addr + req->len))
            return -EPERM;
        err = forget_locked(mm, (u64)addr, (u64)addr + req->len, dead);
        if (err)
            return err;
    }
    vma->start = vma->filled = (u64)addr;
    vma->end = (u64)addr + req->len;
    vma->flags = flags;
    vma->at = req->at;
    vma_hold(vma);
    vma_insert(mm, vma);
    err = vma_install(vma, vma->start, vma->end);
    if (err) {
        host_unmap(vma->start, vma->end - vma->start);
        vma_remove(mm, vma, dead);
        return err;
    }
    vma_merge(mm, vma);
    return addr;
}

s64 mm_map(const struct map_request *req)
{
    struct mm *mm = self()->mm;
    struct vma *vma = vma_create();
    VMA_DEAD(dead);

    if (!vma)
        return -ENOMEM;
    mm_lock(mm);
    s64 addr = map_locked(mm, req, vma, &dead);
    mm_unlock(mm);
    /* Not in the tree and not among the dead: it was never used. */
    if (addr < 0 && list_empty(&vma->dead))
        list_add(&vma->dead, &dead);
    vma_release(&dead);
    return addr;
}

/* ---- munmap -------------------------------------------------------------------------------------------- */

int unmap_locked(struct mm *mm, u64 start, u64 end, struct list_head *dead)
{
    struct vma *vma = vma_from(mm, start);
    int err;

    if (!vma || vma->start >= end)
        return 0;
    if (vma->start < start && vma->end > end && mm->map_count >= MM_MAX_MAPS)
        return -ENOMEM;
    if (vma_range_sealed(mm, start, end))
        return -EPERM;
    vma = vma_isolate(mm, start, end);
    if (IS_ERR(vma))
        return (int)PTR_ERR(vma);
    err = host_unmap(start, end - start);
    if (err)
        return err;
    return forget_locked(mm, start, end, dead);
}

int mm_unmap(u64 addr, u64 len)
{
    struct mm *mm = self()->mm;
    VMA_DEAD(dead);
    u64 end;

    if (!IS_ALIGNED(addr, PAGE_SIZE) || len == 0 || len > MYST_USER_END)
        return -EINVAL;
    len = ALIGN_UP(len, PAGE_SIZE);
    if (add_overflow(addr, len, &end) || end > MYST_USER_END)
        return -EINVAL;
    if (!mm_range_ok(addr, len))
        return 0;
    mm_lock(mm);
    int err = unmap_locked(mm, addr, end, &dead);
    mm_unlock(mm);
    vma_release(&dead);
    return err;
}

/* ---- mprotect ------------------------------------------------------------------------------------------ */

/* One mapping, or the part of it that lies in [start, end). *vma: what it has become. */
static int protect_vma(struct mm *mm, struct vma **vma, u64 start, u64 end, u32 prot)
{
    struct vma *v = *vma;
    u64 old = v->flags, flags;
    int err;

    prot = implied_prot(prot, old);
    flags = (old & ~VM_PROT) | prot;
    if (VM_MAY(prot) & ~old || mdwe_denies(mm, old, flags))
        return -EACCES;
    if (old & VM_SEALED)
        return -EPERM;
    if (flags == old)
        return 0;
    if ((prot & VM_WRITE) && !(old & (VM_WRITE | VM_SHARED))) {
        err = mm_check_limits(mm, 0, flags);
        if (!err && (mm->data_vm << PAGE_SHIFT) + (MIN(end, v->end) - MAX(start, v->start)) >
                        mm_limit(RLIMIT_DATA))
            err = -ENOMEM;
        if (err)
            return err;
    }
    if ((prot & VM_WRITE) && v->at.kind == VMA_HOST) {
        err = vma_restore_text(v);
        if (err)
            return err;
        flags |= VM_ALTERED;
        old = v->flags;
    }
    v = vma_isolate(mm, MAX(start, v->start), MIN(end, v->end));
    if (IS_ERR(v))
        return (int)PTR_ERR(v);
    vma_set_flags(mm, v, flags);
    err = vma_protect_pages(v);
    if (err)
        vma_set_flags(mm, v, old);
    *vma = vma_merge(mm, v);
    return err;
}

static int protect_locked(struct mm *mm, u64 start, u64 end, u32 prot, bool grows_down)
{
    struct vma *vma = vma_from(mm, start);
    int err = 0;

    if (grows_down) {
        if (!vma || vma->start >= end)
            return -ENOMEM;
        if (!(vma->flags & VM_GROWSDOWN))
            return -EINVAL;
        start = vma->start;
    }
    while (start < end && !err) {
        if (!vma || vma->start > start)
            return -ENOMEM;
        u64 next = vma->end;

        err = protect_vma(mm, &vma, start, end, prot);
        start = next;
        vma = vma_from(mm, start);
    }
    return err;
}

int mm_protect(u64 addr, u64 len, u32 prot, bool grows_down)
{
    struct mm *mm = self()->mm;
    u64 end;

    if (!IS_ALIGNED(addr, PAGE_SIZE))
        return -EINVAL;
    if (len == 0)
        return 0;
    len = ALIGN_UP(len, PAGE_SIZE);
    if (len == 0 || add_overflow(addr, len, &end))
        return -ENOMEM;
    mm_lock(mm);
    int err = protect_locked(mm, addr, end, prot, grows_down);
    mm_unlock(mm);
    return err;
}
