/* kernel/cred/cred.c: creation, counting and tests of credentials. */
#include "cred/cred.h"

#include "mm/alloc.h"

struct cred *cred_create(uid_t uid, gid_t gid)
{
    struct cred *cred = kzalloc(sizeof(*cred));

    if (!cred)
        return NULL;

    refcount_init(&cred->ref, 1);
    cred->uid = cred->euid = cred->suid = cred->fsuid = uid;
    cred->gid = cred->egid = cred->sgid = cred->fsgid = gid;
    cred->cap_bounding = CAP_FULL_SET;
    if (uid == 0)
        cred->cap_effective = cred->cap_permitted = CAP_FULL_SET;
    return cred;
}

struct cred *cred_copy(const struct cred *from)
{
    struct cred *cred = kmalloc(sizeof(*cred));

    if (!cred)
        return NULL;

    *cred = *from;
    refcount_init(&cred->ref, 1);
    if (cred->groups)
        refcount_get(&cred->groups->ref);
    return cred;
}

void cred_put(const struct cred *cred)
{
    if (!refcount_put(&((struct cred *)cred)->ref))
        return;
    if (cred->groups && refcount_put(&cred->groups->ref))
        kfree(cred->groups);
    kfree(cred);
}

bool cred_in_group(const struct cred *cred, gid_t gid)
{
    const struct group_list *groups = cred->groups;
    u32 low = 0, high = groups ? groups->n : 0;

    if (gid == cred->fsgid)
        return true;
    while (low < high) {
        u32 mid = low + (high - low) / 2;

        if (groups->gids[mid] == gid)
            return true;
        if (groups->gids[mid] < gid)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}
