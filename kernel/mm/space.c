/* kernel/mm/space.c: address spaces: birth, fork, end; what exec puts into a new one. */
#include "mm/vma.h"

#include "abi/newer.h"
#include "base/string.h"
#include "host/host.h"
#include "host/mem.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "mm/memobj.h"
#include "self/self.h"

#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <myst/boot.h>

#define STACK_RANDOM  (1UL << 34) /* the stack's top lies up to 16 GiB below the end */
#define MMAP_RANDOM   (1UL << 40)
#define PIE_BASE      (MYST_USER_END / 3 * 2 & PAGE_MASK) /* as on Linux */
#define BRK_RANDOM    (32UL << 20)
#define STACK_GAP_MIN (128UL << 20)
#define STACK_GAP_MAX (MYST_USER_END / 6 * 5)
#define STACK_GUARD   (256 * PAGE_SIZE)
#define STACK_FIRST   (132UL << 10) /* mapped from the start */

u64 (*mm_rlimit)(int resource);
bool (*mm_read_implies_exec)(void);

u64 mm_limit(int resource)
{
    return mm_rlimit ? mm_rlimit(resource) : UINT64_MAX;
}

/* A page-aligned number below limit. Without entropy the layout is the same each time, and nothing else. */
static u64 random_offset(const struct mm *mm, u64 limit)
{
    u64 r;

    if (mm->fixed || random_bytes(&r, sizeof r) < 0)
        return 0;
    return r % limit & PAGE_MASK;
}

void mm_lock(struct mm *mm)
{
    mutex_lock(&mm->lock);
}

void mm_unlock(struct mm *mm)
{
    mutex_unlock(&mm->lock);
}

int mm_mdwe_set(u32 bits)
{
    struct mm *mm = self()->mm;
    int err = 0;

    mm_lock(mm);
    if (mm->mdwe && mm->mdwe != bits)
        err = -EPERM;
    else
        WRITE_ONCE(mm->mdwe, bits);
    mm_unlock(mm);
    return err;
}

u32 mm_mdwe_inherited(const struct mm *mm)
{
    return !mm || mm->mdwe & PR_MDWE_NO_INHERIT ? 0 : mm->mdwe;
}

struct mm *mm_create(bool fixed)
{
    struct mm *mm = kzalloc(sizeof *mm);
    u64 gap = mm_limit(RLIMIT_STACK);

    if (!mm)
        return NULL;
    refcount_init(&mm->ref, 1);
    mutex_init(&mm->lock, MM);
    vma_tree_init(mm);
    mm->fixed = fixed;
    gap = MIN(gap, STACK_GAP_MAX) + STACK_GUARD;
    gap = ALIGN_UP(MAX(gap, STACK_GAP_MIN), PAGE_SIZE) + (fixed ? 0 : STACK_RANDOM);
    mm->mmap_base = MYST_USER_END - gap - random_offset(mm, MMAP_RANDOM);
    return mm;
}

void mm_put(struct mm *mm)
{
    VMA_DEAD(dead);
    struct vma *vma, *next;

    if (!mm || !refcount_put(&mm->ref))
        return;
    rb_for_each_entry_safe(vma, next, &mm->vmas, node)
        vma_remove(mm, vma, &dead);
    vma_release(&dead);
    kfree(mm);
}

/* All but what others change without the lock. */
static struct mm *mm_copy_locked(const struct mm *old)
{
    struct mm *mm = kzalloc(sizeof *mm);

    if (!mm)
        return NULL;
    memcpy(&mm->vmas, &old->vmas, offsetof(struct mm, behind) - offsetof(struct mm, vmas));
    mm->behind = READ_ONCE(old->behind);
    return mm;
}

struct mm *mm_fork_locked(struct mm *old)
{
    struct mm *mm = mm_copy_locked(old);
    struct vma *vma;

    if (!mm)
        return NULL;
    refcount_init(&mm->ref, 1);
    mutex_init(&mm->lock, MM);
    vma_tree_init(mm);
    mm->map_count = 0;
    mm->def_flags = 0;
    mm->mdwe = mm_mdwe_inherited(old);
    mm->total_vm = mm->data_vm = mm->exec_vm = mm->stack_vm = mm->shared_vm = mm->locked_vm = 0;
    mm->highest_vm = mm->highest_rss = 0;
    rb_for_each_entry(vma, &old->vmas, node) {
        struct vma *copy = vma_copy(vma);

        if (!copy) {
            mm_put(mm);
            return NULL;
        }
        copy->flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
        vma_insert(mm, copy);
    }
    return mm;
}

/* The host has copied all pages: those that the parent wanted to keep for itself go, or are wiped. */
void mm_fork_child(void)
{
    struct mm *mm = self()->mm;
    struct vma *vma, *next;
    VMA_DEAD(dead);

    mm_lock(mm);
    rb_for_each_entry_safe(vma, next, &mm->vmas, node) {
        int err = 0;

        if (vma->flags & VM_DONTFORK) {
            err = host_unmap(vma->start, vma->end - vma->start);
            vma_remove(mm, vma, &dead);
        } else if (vma->flags & VM_WIPEONFORK) {
            err = vma_install(vma, vma->start, vma->end);
        }
        if (err)
            log_warn("mm", "fork: a mapping of the parent stays in the child: error %d", -err);
    }
    mm_unlock(mm);
    vma_release(&dead);
    mm_catch_up();
}

/* ---- exec -------------------------------------------------------------------------------------------- */

u64 mm_pie_base(void)
{
    return PIE_BASE + random_offset(self()->mm, MMAP_RANDOM);
}

void mm_set_brk(u64 end_of_image)
{
    struct mm *mm = self()->mm;

    mm_lock(mm);
    mm->start_brk = mm->brk = ALIGN_UP(end_of_image, PAGE_SIZE) + random_offset(mm, BRK_RANDOM);
    mm_unlock(mm);
}

s64 mm_map_kernel_pages(u64 addr, u64 len, u32 prot, u64 window_offset, const char *name)
{
    struct map_request req = {
        .addr = addr,
        .len = len,
        .prot = prot,
        .flags = MAP_PRIVATE | MAP_FIXED,
        .may = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC,
        .at = {.kind = VMA_KERNEL, .offset = window_offset, .name = name},
    };

    return mm_map(&req);
}

s64 mm_map_anon_fixed(u64 addr, u64 len, u32 prot)
{
    struct map_request req = {
        .addr = addr,
        .len = len,
        .prot = prot,
        .flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS,
        .may = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC,
        .at = {.kind = VMA_ANON},
    };

    return len ? mm_map(&req) : (s64)addr;
}

s64 mm_map_stack(bool executable)
{
    struct mm *mm = self()->mm;
    u64 top = MYST_USER_END - random_offset(mm, STACK_RANDOM);
    u64 size = MIN(ALIGN_DOWN(mm_limit(RLIMIT_STACK), PAGE_SIZE), STACK_FIRST);
    struct map_request req = {
        .addr = top - MAX(size, PAGE_SIZE),
        .len = MAX(size, PAGE_SIZE),
        .prot = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0),
        .flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN,
        .may = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC,
        .at = {.kind = VMA_ANON},
    };
    s64 addr = mm_map(&req);

    if (addr < 0)
        return addr;
    mm->start_stack = top;
    return (s64)top;
}

int mm_for_each_vma(struct mm *mm, int (*visit)(const struct vma *vma, void *arg), void *arg)
{
    struct vma *vma;
    int result = 0;

    mm_lock(mm);
    rb_for_each_entry(vma, &mm->vmas, node) {
        result = visit(vma, arg);
        if (result)
            break;
    }
    mm_unlock(mm);
    return result;
}
