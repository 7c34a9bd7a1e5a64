/* kernel/task/mempolicy.c: set_mempolicy(2), get_mempolicy(2), migrate_pages(2), move_pages(2): see mm/policy.h. */
#include "abi/newer.h"
#include "base/errno.h"
#include "mm/policy.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"

#include <linux/mempolicy.h>

long sys_set_mempolicy(int mode, const unsigned long __user *nodemask, unsigned long maxnode)
{
    struct mempolicy policy;
    struct policy_request req;
    int err = policy_read(&req, mode, nodemask, maxnode);

    if (!err)
        err = policy_make(&policy, &req);
    if (!err)
        task_self()->mempolicy = policy;
    return err;
}

static bool takes_turns(const struct mempolicy *policy)
{
    int mode = policy->mode & ~MPOL_MODE_FLAGS;

    return mode == MPOL_INTERLEAVE || mode == MPOL_WEIGHTED_INTERLEAVE;
}

/* MPOL_F_NODE: where the page at an address is, which is made for it, or where the next one will be. */
static int node_asked_for(unsigned long addr, bool of_address, const struct mempolicy *policy)
{
    u8 byte;

    if (of_address)
        return copy_from_user(&byte, (const void __user *)addr, 1) ? -EFAULT : 0;
    return takes_turns(policy) ? 0 : -EINVAL;
}

long sys_get_mempolicy(int __user *mode, unsigned long __user *nodemask, unsigned long maxnode,
                       unsigned long addr, unsigned long flags)
{
    struct mempolicy policy = task_self()->mempolicy;
    int told, err = 0;

    if ((nodemask && !maxnode) ||
        flags & ~(unsigned long)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
        return -EINVAL;
    if (flags & MPOL_F_MEMS_ALLOWED) {
        if (flags & (MPOL_F_NODE | MPOL_F_ADDR))
            return -EINVAL;
        policy = (struct mempolicy){.nodes = NODES_ONLINE};
    } else if (flags & MPOL_F_ADDR) {
        err = mm_policy_at(addr, &policy);
    } else if (addr) {
        err = -EINVAL;
    }
    told = policy.mode;
    if (!err && flags & MPOL_F_NODE)
        told = err = node_asked_for(addr, flags & MPOL_F_ADDR, &policy);
    if (err < 0)
        return err;
    if (mode && put_user(told, mode) != 0)
        return -EFAULT;
    return nodemask ? nodes_to_user(nodemask, maxnode, policy.nodes) : 0;
}

/* The process that a call is about: 0 is the caller's. ERR_PTR: -ESRCH, -EPERM. */
static struct task *task_for_pages(pid_t pid)
{
    struct task *task = pid ? task_lookup(pid) : task_get(task_self());

    if (!task)
        return ERR_PTR(-ESRCH);
    if (!task_may_inspect(task, false)) {
        int err = task->exited ? -ESRCH : -EPERM;

        task_put(task);
        return ERR_PTR(err);
    }
    return task;
}

/* There is one node, so that no page is on another: none is left where it was. */
long sys_migrate_pages(pid_t pid, unsigned long maxnode, const unsigned long __user *old_nodes,
                       const unsigned long __user *new_nodes)
{
    AUTO(task_put) struct task *task = NULL;
    u64 from, to;
    int err = nodes_from_user(&from, old_nodes, maxnode);

    if (!err)
        err = nodes_from_user(&to, new_nodes, maxnode);
    if (err)
        return err;
    task = task_for_pages(pid);
    if (IS_ERR(task))
        return PTR_ERR(task);
    if (to & ~NODES_ONLINE && !capable(CAP_SYS_NICE))
        return -EPERM;
    return to & NODES_ONLINE ? 0 : -EINVAL;
}

/* One page of move_pages(2): asks where it is to go, if it is to move, and tells where it is. */
static int move_page(struct mm *mm, struct target_space *space, unsigned long i,
                     const unsigned long __user *pages, const int __user *nodes, int __user *status)
{
    int node = 0;
    unsigned long page;

    if (copy_from_user(&page, &pages[i], sizeof page) != 0)
        return -EFAULT;
    if (nodes && copy_from_user(&node, &nodes[i], sizeof node) != 0)
        return -EFAULT;
    if (node != 0)
        return -ENODEV;
    return put_user(mm_page_node(mm, space, page), &status[i]);
}

long sys_move_pages(pid_t pid, unsigned long count, const unsigned long __user *pages,
                    const int __user *nodes, int __user *status, int flags)
{
    AUTO(task_put) struct task *task = NULL;
    AUTO(mm_put) struct mm *mm = NULL;
    struct target_space *space;
    int err = 0;

    if (flags & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
        return -EINVAL;
    if (flags & MPOL_MF_MOVE_ALL && !capable(CAP_SYS_NICE))
        return -EPERM;
    task = task_for_pages(pid);
    if (IS_ERR(task))
        return PTR_ERR(task);
    mm = task_mm(task);
    space = task_space(task);
    if (!mm || !space)
        return -EINVAL;
    for (unsigned long i = 0; i < count && !err; i++) {
        err = move_page(mm, space, i, pages, nodes, status);
        if (!err && task_is_leaving(task_self()))
            err = -EINTR;
    }
    return err;
}
