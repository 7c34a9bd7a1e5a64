/* kernel/mm/policy.c: mbind(2), set_mempolicy_home_node(2), and what the other calls of numa(7) share. */
#include "mm/policy.h"

#include "abi/newer.h"
#include "cred/cred.h"
#include "host/mem.h"
#include "mm/uaccess.h"
#include "mm/vma.h"
#include "self/self.h"

#include "syscall_proto.h"

#include <linux/mempolicy.h>

#define MASK_BITS_MAX (PAGE_SIZE * 8)
#define WORD_BITS     64
#define MOVE_FLAGS    (MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)
#define USER_MASK                                                                                  \
    (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES) /* the mask is kept as it was given */

/* ---- masks --------------------------------------------------------------------------------------------- */

int nodes_from_user(u64 *nodes, const unsigned long __user *mask, unsigned long maxnode)
{
    unsigned long bits = maxnode - 1, word;

    *nodes = 0;
    if (bits == 0 || !mask)
        return 0;
    if (bits > MASK_BITS_MAX)
        return -EINVAL;
    for (unsigned long i = (bits - 1) / WORD_BITS + 1; i-- > 0;) {
        if (copy_from_user(&word, &mask[i], sizeof word) != 0)
            return -EFAULT;
        if (bits - i * WORD_BITS < WORD_BITS)
            word &= BIT(bits % WORD_BITS) - 1;
        if (i > 0 && word)
            return -EINVAL;
        *nodes = word;
    }
    return 0;
}

int nodes_to_user(unsigned long __user *mask, unsigned long maxnode, u64 nodes)
{
    size_t len = ALIGN_UP(maxnode - 1, WORD_BITS) / 8;

    if (len > PAGE_SIZE)
        return -EINVAL;
    if (len > sizeof nodes && clear_user(mask + 1, len - sizeof nodes) != 0)
        return -EFAULT;
    return copy_to_user(mask, &nodes, MIN(len, sizeof nodes));
}

/* ---- policies ------------------------------------------------------------------------------------------ */

int policy_read(struct policy_request *req, int mode, const unsigned long __user *mask,
                unsigned long maxnode)
{
    int flags = mode & MPOL_MODE_FLAGS;

    mode &= ~MPOL_MODE_FLAGS;
    if (mode < 0 || mode > MPOL_WEIGHTED_INTERLEAVE || (flags & USER_MASK) == USER_MASK)
        return -EINVAL;
    if (flags & MPOL_F_NUMA_BALANCING && mode != MPOL_BIND && mode != MPOL_PREFERRED_MANY)
        return -EINVAL;
    req->mode = mode;
    req->flags = flags;
    return nodes_from_user(&req->nodes, mask, maxnode);
}

int policy_make(struct mempolicy *policy, const struct policy_request *req)
{
    u64 there = req->nodes & NODES_ONLINE;

    if (req->mode == MPOL_DEFAULT) {
        *policy = (struct mempolicy){0};
        return req->nodes ? -EINVAL : 0;
    }
    if (req->mode == MPOL_LOCAL || (req->mode == MPOL_PREFERRED && !req->nodes)) {
        *policy = (struct mempolicy){.mode = MPOL_LOCAL};
        return req->nodes || req->flags & USER_MASK ? -EINVAL : 0;
    }
    /* Relative nodes are folded onto those that there are; of others some must be there. */
    if (!(req->flags & MPOL_F_RELATIVE_NODES ? req->nodes : there))
        return -EINVAL;
    *policy = (struct mempolicy){
        .mode = (u16)(req->mode | req->flags),
        .nodes = req->flags & USER_MASK ? req->nodes : there,
    };
    return 0;
}

/* ---- mappings ------------------------------------------------------------------------------------------ */

static bool range_is_whole(struct mm *mm, u64 start, u64 end)
{
    struct vma *vma = vma_from(mm, start);

    for (u64 at = start; at < end; at = vma->end, vma = vma_next(vma)) {
        if (!vma || vma->start > at)
            return false;
    }
    return true;
}

static int bind_locked(struct mm *mm, u64 start, u64 end, const struct mempolicy *policy)
{
    struct vma *vma = vma_isolate(mm, start, end);

    if (IS_ERR_OR_NULL(vma))
        return vma ? (int)PTR_ERR(vma) : -EFAULT;
    for (; vma && vma->start < end; vma = vma_next(vma)) {
        vma->policy = *policy;
        vma = vma_merge(mm, vma);
    }
    return 0;
}

long sys_mbind(unsigned long addr, unsigned long len, unsigned long mode,
               const unsigned long __user *nodemask, unsigned long maxnode, u32 flags)
{
    u64 end = addr + ALIGN_UP(len, PAGE_SIZE);
    struct mm *mm = self()->mm;
    struct policy_request req;
    struct mempolicy policy;
    int err = policy_read(&req, (int)mode, nodemask, maxnode);

    if (err)
        return err;
    if (flags & ~(u32)MOVE_FLAGS)
        return -EINVAL;
    if (flags & MPOL_MF_MOVE_ALL && !capable(CAP_SYS_NICE))
        return -EPERM;
    if (!IS_ALIGNED(addr, PAGE_SIZE) || end < addr)
        return -EINVAL;
    err = end == addr ? 0 : policy_make(&policy, &req);
    if (err || end == addr)
        return err;
    mm_lock(mm);
    if (policy.mode != MPOL_DEFAULT && !range_is_whole(mm, addr, end))
        err = -EFAULT;
    else
        err = bind_locked(mm, addr, end, &policy);
    mm_unlock(mm);
    return err;
}

/* Mappings without a policy are passed over; the last one with one decides. */
static int set_home_locked(struct mm *mm, u64 start, u64 end)
{
    int result = -ENOENT;

    for (struct vma *vma = vma_from(mm, start); vma && vma->start < end; vma = vma_next(vma)) {
        int mode = vma->policy.mode & ~MPOL_MODE_FLAGS;
        struct mempolicy policy = vma->policy;

        if (mode == MPOL_DEFAULT)
            continue;
        if (mode != MPOL_BIND && mode != MPOL_PREFERRED_MANY)
            return -EOPNOTSUPP;
        policy.home = true;
        u64 next = MIN(end, vma->end);

        result = bind_locked(mm, MAX(start, vma->start), next, &policy);
        vma = vma_find(mm, next - 1);
        if (result)
            break;
    }
    return result;
}

long sys_set_mempolicy_home_node(unsigned long start, unsigned long len, unsigned long home_node,
                                 unsigned long flags)
{
    u64 end = start + ALIGN_UP(len, PAGE_SIZE);
    struct mm *mm = self()->mm;

    if (!IS_ALIGNED(start, PAGE_SIZE) || flags || home_node != 0 || end < start)
        return -EINVAL;
    if (end == start)
        return 0;
    mm_lock(mm);
    int err = set_home_locked(mm, start, end);
    mm_unlock(mm);
    return err;
}

int mm_policy_at(u64 addr, struct mempolicy *policy)
{
    struct mm *mm = self()->mm;

    mm_lock(mm);
    const struct vma *vma = vma_find(mm, addr);

    if (vma)
        *policy = vma->policy;
    mm_unlock(mm);
    return vma ? 0 : -EFAULT;
}

int mm_page_node(struct mm *mm, struct target_space *space, u64 addr)
{
    struct host_residence range = {.addr = ALIGN_DOWN(addr, PAGE_SIZE), .len = PAGE_SIZE};
    int err;

    mm_lock(mm);
    bool mapped = vma_find(mm, addr) != NULL;
    mm_unlock(mm);
    if (!mapped)
        return -EFAULT;
    err = host_space_resident(space, &range, 1);
    if (err)
        return err;
    return range.own || range.shared ? 0 : -ENOENT;
}
