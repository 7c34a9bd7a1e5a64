/* kernel/mm/vma.c: the tree of mappings: cutting, joining, and finding room. */
#include "mm/vma.h"

#include "base/string.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "mm/memobj.h"
#include "mm/text.h"

#include <myst/boot.h>

static struct slab *vma_slab; /* set once, by the first space */

struct vma *vma_create(void)
{
    struct slab *slab = __atomic_load_n(&vma_slab, __ATOMIC_ACQUIRE), *none = NULL;

    if (unlikely(!slab)) {
        slab = slab_create("vma", sizeof(struct vma), 0);
        if (!slab)
            return NULL;
        if (!__atomic_compare_exchange_n(&vma_slab, &none, slab, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE)) {
            kfree(slab);
            slab = none;
        }
    }

    struct vma *vma = slab_alloc(slab);

    if (vma) {
        rb_node_init(&vma->node);
        list_init(&vma->dead);
        list_init(&vma->mapping);
    }
    return vma;
}

void backing_get(const struct vma_backing *at)
{
    if (at->obj)
        memobj_get(at->obj);
    if (at->owner)
        at->ops->get(at->owner);
    if (at->text)
        text_image_get(at->text);
}

static bool writes_to_object(const struct vma *vma)
{
    return vma->at.obj && (vma->flags & VM_SHARED) && (vma->flags & VM_MAYWRITE);
}

void vma_hold(struct vma *vma)
{
    backing_get(&vma->at);
    if (writes_to_object(vma))
        memobj_count_writer(vma->at.obj, true);
}

static void vma_free(struct vma *vma)
{
    if (writes_to_object(vma))
        memobj_count_writer(vma->at.obj, false);
    if (vma->at.obj)
        memobj_put(vma->at.obj);
    text_image_put(vma->at.text);
    if (vma->at.owner)
        vma->at.ops->put(vma->at.owner);
    slab_free(vma_slab, vma);
}

void vma_release(struct list_head *dead)
{
    struct vma *vma, *next;

    list_for_each_entry_safe(vma, next, dead, dead)
        vma_free(vma);
    list_init(dead);
}

struct vma *vma_copy(const struct vma *vma)
{
    struct vma *copy = vma_create();

    if (!copy)
        return NULL;
    copy->start = vma->start;
    copy->end = vma->end;
    copy->flags = vma->flags;
    copy->filled = vma->filled;
    copy->at = vma->at;
    copy->policy = vma->policy;
    vma_hold(copy);
    return copy;
}

/* ---- the tree --------------------------------------------------------------------------------------- */

static int compare_end(const void *key, const struct rb_node *node)
{
    const struct vma *vma = rb_entry(node, struct vma, node);
    u64 addr = *(const u64 *)key;

    return addr < vma->start ? -1 : addr >= vma->end ? 1 : 0;
}

static bool vma_before(const struct rb_node *a, const struct rb_node *b)
{
    return rb_entry(a, struct vma, node)->start < rb_entry(b, struct vma, node)->start;
}

struct vma *vma_from(struct mm *mm, u64 addr)
{
    return vma_of(rb_find_from(&mm->vmas, &addr, compare_end));
}

struct vma *vma_find(struct mm *mm, u64 addr)
{
    return vma_of(rb_find(&mm->vmas, &addr, compare_end));
}

static u64 node_max_gap(struct rb_node *node)
{
    return node ? rb_entry(node, struct vma, node)->max_gap : 0;
}

static void vma_update(struct rb_node *node)
{
    struct vma *vma = rb_entry(node, struct vma, node);

    vma->max_gap = MAX(vma->gap, MAX(node_max_gap(node->left), node_max_gap(node->right)));
}

static void refresh_gap(struct mm *mm, struct vma *vma)
{
    struct vma *prev = vma ? vma_prev(vma) : NULL;

    if (!vma)
        return;
    vma->gap = vma->start - (prev ? prev->end : 0);
    rb_update(&mm->vmas, &vma->node);
}

/* The pages of a mapping appear in, or vanish from, the counters that /proc shows. */
static void count(struct mm *mm, const struct vma *vma, bool add)
{
    s64 pages = (s64)((vma->end - vma->start) >> PAGE_SHIFT);
    u64 flags = vma->flags;

    if (!add)
        pages = -pages;
    mm->total_vm += (u64)pages;
    WRITE_ONCE(mm->highest_vm, MAX(mm->highest_vm, mm->total_vm));
    if (flags & VM_LOCKED)
        mm->locked_vm += (u64)pages;
    if (flags & VM_SHARED)
        mm->shared_vm += (u64)pages;
    if (flags & VM_GROWSDOWN)
        mm->stack_vm += (u64)pages;
    else if ((flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
        mm->data_vm += (u64)pages;
    else if ((flags & (VM_EXEC | VM_WRITE)) == VM_EXEC)
        mm->exec_vm += (u64)pages;
}

void vma_tree_init(struct mm *mm)
{
    rb_tree_init(&mm->vmas, vma_update);
}

void vma_insert(struct mm *mm, struct vma *vma)
{
    rb_insert(&mm->vmas, &vma->node, vma_before);
    mm->map_count++;
    vma->mm = mm;
    if (vma->at.obj)
        memobj_link(vma->at.obj, &vma->mapping);
    count(mm, vma, true);
    refresh_gap(mm, vma);
    refresh_gap(mm, vma_next(vma));
}

void vma_remove(struct mm *mm, struct vma *vma, struct list_head *dead)
{
    struct vma *next = vma_next(vma);

    count(mm, vma, false);
    if (vma->at.obj)
        memobj_unlink(vma->at.obj, &vma->mapping);
    mm->map_count--;
    rb_erase(&mm->vmas, &vma->node);
    refresh_gap(mm, next);
    list_add_tail(&vma->dead, dead);
}

void vma_resize(struct mm *mm, struct vma *vma, u64 start, u64 end)
{
    count(mm, vma, false);
    if (vma->at.kind != VMA_ANON)
        vma->at.offset += start - vma->start;
    vma->start = start;
    vma->end = end;
    count(mm, vma, true);
    refresh_gap(mm, vma);
    refresh_gap(mm, vma_next(vma));
}

void vma_set_flags(struct mm *mm, struct vma *vma, u64 flags)
{
    count(mm, vma, false);
    vma->flags = flags;
    count(mm, vma, true);
}

/* ---- cutting and joining ----------------------------------------------------------------------------- */

int vma_split(struct mm *mm, struct vma *vma, u64 addr)
{
    ASSERT(addr > vma->start && addr < vma->end);
    struct vma *upper = vma_restore_text(vma) ? NULL : vma_copy(vma);

    if (!upper)
        return -ENOMEM;
    upper->start = addr;
    if (upper->at.kind != VMA_ANON)
        upper->at.offset += addr - vma->start;
    upper->filled = MAX(vma->filled, addr);
    vma_resize(mm, vma, vma->start, addr);
    vma->filled = MIN(vma->filled, addr);
    vma_insert(mm, upper);
    return 0;
}

static bool can_merge(const struct vma *a, const struct vma *b)
{
    if (a->end != b->start || a->flags != b->flags || a->at.kind != b->at.kind)
        return false;
    if (a->policy.mode != b->policy.mode || a->policy.home != b->policy.home ||
        a->policy.nodes != b->policy.nodes)
        return false;
    if (a->at.owner != b->at.owner || a->at.obj != b->at.obj || a->at.text != b->at.text ||
        a->at.kind == VMA_KERNEL)
        return false;
    if (a->at.kind == VMA_ANON)
        return true;
    if (a->at.host_file != b->at.host_file || vma_offset(a, a->end) != b->at.offset)
        return false;
    /* The pages up to the end of the file stand in front, all of them. */
    return a->at.kind != VMA_MEMOBJ || a->filled == a->end || b->filled == b->start;
}

/* a takes b over. The reference that goes is not the last one: a holds the same. */
static void join(struct mm *mm, struct vma *a, struct vma *b)
{
    VMA_DEAD(dead);
    u64 end = b->end;

    if (a->filled == a->end)
        a->filled = b->filled;
    vma_remove(mm, b, &dead);
    vma_resize(mm, a, a->start, end);
    vma_release(&dead);
}

struct vma *vma_merge(struct mm *mm, struct vma *vma)
{
    struct vma *prev = vma_prev(vma), *next = vma_next(vma);

    if (next && can_merge(vma, next))
        join(mm, vma, next);
    if (prev && can_merge(prev, vma)) {
        join(mm, prev, vma);
        return prev;
    }
    return vma;
}

struct vma *vma_isolate(struct mm *mm, u64 start, u64 end)
{
    struct vma *vma = vma_from(mm, start);
    int err;

    if (vma && vma->start < start && start < vma->end) {
        err = vma_split(mm, vma, start);
        if (err)
            return ERR_PTR(err);
        vma = vma_next(vma);
    }
    if (!vma || vma->start >= end)
        return NULL;

    struct vma *last = vma_from(mm, end - 1);

    if (last && last->start < end && last->end > end) {
        err = vma_split(mm, last, end);
        if (err)
            return ERR_PTR(err);
    }
    return vma;
}

/* ---- room -------------------------------------------------------------------------------------------- */

bool mm_range_ok(u64 start, u64 len)
{
    u64 end;

    if (add_overflow(start, len, &end) || end > MYST_USER_END)
        return false;
    return end <= MYST_RANGE_START || start >= MYST_RANGE_END;
}

bool vma_range_free(struct mm *mm, u64 start, u64 end)
{
    const struct vma *vma = vma_from(mm, start);

    return !vma || vma->start >= end;
}

bool vma_range_sealed(struct mm *mm, u64 start, u64 end)
{
    for (struct vma *vma = vma_from(mm, start); vma && vma->start < end; vma = vma_next(vma)) {
        if (vma->flags & VM_SEALED)
            return true;
    }
    return false;
}

static u64 fit(u64 gap_start, u64 gap_end, u64 len, u64 low, u64 high)
{
    u64 start = MAX(gap_start, low), end = MIN(gap_end, high);

    return end > start && end - start >= len ? end - len : 0;
}

/* The highest fitting gap in front of a mapping of the subtree. As deep as the tree: its logarithm. */
static u64 search(const struct rb_node *node, u64 len, u64 low, u64 high)
{
    u64 found = 0;

    if (!node)
        return 0;

    const struct vma *vma = rb_entry(node, struct vma, node);

    if (vma->max_gap < len)
        return 0;
    if (vma->end < high)
        found = search(node->right, len, low, high);
    if (!found)
        found = fit(vma->start - vma->gap, vma->start, len, low, high);
    if (!found && vma->start - vma->gap > low)
        found = search(node->left, len, low, high);
    return found;
}

static u64 find_gap_in(struct mm *mm, u64 len, u64 low, u64 high)
{
    struct vma *last = rb_last_entry(&mm->vmas, struct vma, node);
    u64 found;

    if (low >= high)
        return 0;
    found = fit(last ? last->end : 0, UINT64_MAX, len, low, high);
    return found ? found : search(mm->vmas.root, len, low, high);
}

u64 vma_find_gap(struct mm *mm, u64 len, u64 low, u64 high)
{
    u64 found = find_gap_in(mm, len, MAX(low, MYST_RANGE_END), high);

    return found ? found : find_gap_in(mm, len, low, MIN(high, MYST_RANGE_START));
}
