/*
 * kernel/mm/policy.h: NUMA memory policies, numa(7), on a machine with one node. A policy is kept and told, as
 * get_mempolicy(2) has it; all memory is of node 0, so it is also obeyed.
 */
#ifndef MM_POLICY_H
#define MM_POLICY_H

#include "mm/mm.h"

struct target_space;

/* Of 64 nodes that there could be. */
#define NODES_ONLINE 1UL

/* Reads a node mask of set_mempolicy(2) and its kin. -EFAULT; -EINVAL: too long, or a node that cannot be. */
int nodes_from_user(u64 *nodes, const unsigned long __user *mask, unsigned long maxnode);
int nodes_to_user(unsigned long __user *mask, unsigned long maxnode, u64 nodes);

/* What a call was given, and the policy that it stands for: first -EINVAL (mode), -EFAULT; then -EINVAL. */
struct policy_request {
    int mode, flags;
    u64 nodes;
};
int policy_read(struct policy_request *req, int mode, const unsigned long __user *mask,
                unsigned long maxnode);
int policy_make(struct mempolicy *policy, const struct policy_request *req);

/* Of the mapping at an address of the caller's space. -EFAULT: there is none. */
int mm_policy_at(u64 addr, struct mempolicy *policy);

/*
 * move_pages(2): where a page is. A node, or what the call tells of one page: -ENOENT (no page yet), -EFAULT (no
 * mapping). space: where the threads of mm stand.
 */
int mm_page_node(struct mm *mm, struct target_space *space, u64 addr);

#endif
