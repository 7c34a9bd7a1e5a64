/*
 * kernel/mm/fault.c: page faults that the host did not resolve: the stack grows, a mapping follows its file,
 * or the program gets SIGSEGV or SIGBUS.
 */
#include "mm/vma.h"

#include "host/mem.h"
#include "log/log.h"
#include "mm/memobj.h"
#include "mm/uaccess.h"
#include "self/self.h"

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/resource.h>

#define STACK_GUARD (256 * PAGE_SIZE) /* stays free below a growing area, as on Linux */
#define STACK_STEP  (128UL << 10)     /* grown at a time, where there is room */
#define REPEATS_MAX 1000

/* Lets a growing area reach down to addr. */
static int grow_down(struct mm *mm, struct vma *vma, u64 addr)
{
    struct vma *prev = vma_prev(vma);
    u64 floor = MM_MIN_ADDRESS, limit = mm_limit(RLIMIT_STACK), start;

    if (prev) {
        /* Its own kind may touch it: part of one area whose protection was changed. */
        bool same = prev->flags & VM_GROWSDOWN;

        floor = MAX(floor, prev->end + (same || !(prev->flags & VM_PROT) ? 0 : STACK_GUARD));
    }
    if (limit < vma->end && vma->end - limit > floor)
        floor = ALIGN_UP(vma->end - limit, PAGE_SIZE);
    start = ALIGN_DOWN(addr, PAGE_SIZE);
    if (start < floor || !mm_range_ok(start, vma->end - start))
        return -ENOMEM;
    start = MAX(MIN(start, ALIGN_DOWN(start, STACK_STEP)), floor);
    if (mm_check_limits(mm, vma->start - start, vma->flags) < 0)
        return -ENOMEM;
    if (host_map_anon(start, vma->start - start, (int)(vma->flags & VM_PROT)) < 0)
        return -ENOMEM;
    vma_resize(mm, vma, start, vma->end);
    return 0;
}

static bool access_allowed(const struct vma *vma, u64 error)
{
    if (error & MM_FAULT_FETCH)
        return vma->flags & VM_EXEC;
    if (error & MM_FAULT_WRITE)
        return vma->flags & VM_WRITE;
    return vma->flags & VM_PROT; /* the processor cannot refuse reading alone */
}

/* Maps what the file has grown by. True: something was mapped, or what the host refused is its error. */
static int follow_file(struct vma *vma, u64 addr)
{
    u64 size = memobj_size(vma->at.obj);

    if (vma_offset(vma, ALIGN_DOWN(addr, PAGE_SIZE)) >= size)
        return -EFAULT;
    return vma_install(vma, vma->filled, vma->end);
}

/* The tree says that the access is fine: another thread has changed it meanwhile, or we and the host differ. */
static bool try_again(struct mm *mm, struct vma *vma, u64 page)
{
    if (mm->fault_address != page) {
        mm->fault_address = page;
        mm->fault_repeats = 0;
    }
    if (mm->fault_repeats++ > REPEATS_MAX)
        return false;
    return host_protect(page, PAGE_SIZE, (int)(vma->flags & VM_PROT)) == 0;
}

static int fault_locked(struct mm *mm, u64 address, u64 error, int host_signo, int *signo,
                        int *code)
{
    struct vma *vma = vma_from(mm, address);

    *signo = SIGSEGV;
    *code = SEGV_MAPERR;
    if (!vma)
        return -EFAULT;
    if (address < vma->start) {
        if (!(vma->flags & VM_GROWSDOWN) || grow_down(mm, vma, address) < 0)
            return -EFAULT;
        return 0;
    }
    if (vma->flags & VM_GUARD)
        return -EFAULT;
    if (!access_allowed(vma, error)) {
        *code = SEGV_ACCERR;
        return -EFAULT;
    }
    if (vma->at.kind == VMA_MEMOBJ && address >= vma->filled) {
        if (follow_file(vma, address) == 0)
            return 0;
        host_signo = SIGBUS;
    }
    if (host_signo != SIGBUS && vma_is_scarce(vma)) {
        int err = vma_touch_scarce(mm, vma, ALIGN_DOWN(address, PAGE_SIZE));

        if (err == 0 || err == -EAGAIN)
            return 0;
        *signo = SIGBUS;
        *code = BUS_ADRERR;
        return -EFAULT;
    }
    if (host_signo == SIGBUS || !try_again(mm, vma, ALIGN_DOWN(address, PAGE_SIZE))) {
        *signo = SIGBUS;
        *code = BUS_ADRERR;
        return -EFAULT;
    }
    return 0;
}

int mm_fault(u64 address, u64 error, int host_signo, int *signo, int *code)
{
    struct mm *mm = self()->mm;

    *signo = SIGSEGV;
    *code = SEGV_MAPERR;
    if (!mm || !mm_range_ok(address, 1))
        return -EFAULT;
    mm_lock(mm);
    int err = fault_locked(mm, address, error, host_signo, signo, code);
    mm_unlock(mm);
    return err;
}

/* 0, -EFAULT, or -EAGAIN: the lock was given up meanwhile. */
static int prefault_scarce(struct mm *mm, struct vma *vma, u64 addr, u64 end)
{
    int err = 0;

    for (addr = ALIGN_DOWN(addr, PAGE_SIZE); addr < end && !err; addr += PAGE_SIZE)
        err = vma_touch_scarce(mm, vma, addr);
    return err && err != -EAGAIN ? -EFAULT : err;
}

static int prefault_locked(struct mm *mm, u64 addr, u64 end, bool write)
{
    while (addr < end) {
        struct vma *vma = vma_from(mm, addr);

        if (!vma)
            return -EFAULT;
        if (addr < vma->start && (!(vma->flags & VM_GROWSDOWN) || grow_down(mm, vma, addr) < 0))
            return -EFAULT;
        if (vma->flags & VM_GUARD || !access_allowed(vma, write ? MM_FAULT_WRITE : 0))
            return -EFAULT;
        u64 last = MIN(end, vma->end) - 1;

        if (vma->at.kind == VMA_MEMOBJ && last >= vma->filled && follow_file(vma, last) < 0)
            return -EFAULT;
        if (vma_is_scarce(vma)) {
            int err = prefault_scarce(mm, vma, addr, MIN(end, vma->end));

            if (err)
                return err;
        }
        addr = vma->end;
    }
    return 0;
}

int mm_prefault(u64 addr, u64 len, bool write)
{
    struct mm *mm = self()->mm;

    if (!mm_range_ok(addr, len))
        return -EFAULT;
    int err;

    mm_lock(mm);
    do {
        err = prefault_locked(mm, addr, addr + len, write);
    } while (err == -EAGAIN);
    mm_unlock(mm);
    return err;
}

/* One page, from the program's side: by its own page tables, and with all that its faults do. */
static int touch(u64 page, bool write)
{
    u32 seen;
    u8 byte;

    if (!write)
        return copy_from_user(&byte, (const void __user *)page, 1);
    /* Writes what stands there: an exchange that fails writes as well, but changes nothing. */
    return user_cmpxchg((u32 __user *)page, 0, 0, &seen);
}

/* How far the mapping at start goes, and how it is to be touched: 0, 1 (write), or an error. */
static int populate_how(struct mm *mm, u64 start, u64 *end, enum populate how)
{
    int result;

    mm_lock(mm);
    const struct vma *vma = vma_find(mm, start);

    if (!vma)
        result = -ENOMEM;
    else if (how == POPULATE_LIKELY)
        result = vma->flags & VM_PROT ? (vma->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE : -EINVAL;
    else if (how == POPULATE_WRITE)
        result = vma->flags & VM_WRITE ? 1 : -EINVAL;
    else
        result = vma->flags & VM_PROT ? 0 : -EINVAL;
    if (vma)
        *end = MIN(*end, vma->end);
    mm_unlock(mm);
    return result;
}

int mm_populate(u64 start, u64 end, enum populate how)
{
    int result = 0;

    while (start < end) {
        u64 next = end;
        int write = populate_how(self()->mm, start, &next, how);

        if (write == -ENOMEM || (write < 0 && how != POPULATE_LIKELY))
            return write;
        if (write < 0)
            result = -EFAULT;
        for (u64 page = start; write >= 0 && page < next; page += PAGE_SIZE) {
            if (touch(page, write) < 0) {
                if (how != POPULATE_LIKELY)
                    return -EFAULT;
                result = -EFAULT;
                break;
            }
            if (self_pending())
                return how == POPULATE_LIKELY ? 0 : -EINTR;
        }
        start = next;
    }
    return result;
}

/* What lies behind the end of its object faults from now on. */
static void cut_to_object(struct vma *vma)
{
    u64 size = ALIGN_UP(memobj_size(vma->at.obj), PAGE_SIZE);
    u64 left = size > vma->at.offset ? MIN(size - vma->at.offset, vma->end - vma->start) : 0;
    u64 filled = vma->start + left;

    if (filled >= vma->filled)
        return;
    if (host_map_anon(filled, vma->filled - filled, HOST_PROT_NONE) < 0)
        log_warn("mm", "pages behind the end of a file stay mapped");
    else
        vma->filled = filled;
}

void mm_catch_up(void)
{
    struct mm *mm = self()->mm;
    struct vma *vma;

    if (!mm || !__atomic_exchange_n(&mm->behind, false, __ATOMIC_ACQ_REL))
        return;
    mm_lock(mm);
    rb_for_each_entry(vma, &mm->vmas, node) {
        if (vma->at.kind == VMA_MEMOBJ)
            cut_to_object(vma);
        if (vma_is_scarce(vma) && vma_install(vma, vma->start, vma->end) < 0)
            log_warn("mm", "holes of a file without room stay mapped");
    }
    mm_unlock(mm);
}
