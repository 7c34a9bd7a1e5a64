/* kernel/cred/cred.c: creation, counting and tests of credentials. */
#include "cred/cred.h"

#include "base/sort.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "sync/sync.h"

/* A thread's pointer to its credentials, against others that look: they take a reference under it. */
static struct spinlock shown_lock = SPINLOCK(CRED);

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

const struct cred *cred_of(const struct self *thread)
{
    const struct cred *cred;

    spin_lock(&shown_lock);
    cred = thread->cred ? cred_get(thread->cred) : NULL;
    spin_unlock(&shown_lock);
    return cred;
}

void cred_commit(struct cred *cred)
{
    struct self *me = self();
    const struct cred *old;

    spin_lock(&shown_lock);
    old = me->cred;
    me->cred = cred;
    spin_unlock(&shown_lock);
    if (old)
        cred_put(old);
}

static int gid_compare(const void *a, const void *b)
{
    gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;

    return x < y ? -1 : x > y;
}

int cred_set_groups(struct cred *cred, const gid_t *gids, u32 n)
{
    struct group_list *groups = NULL;

    if (n > 0) {
        groups = kmalloc(sizeof *groups + n * sizeof(gid_t));
        if (!groups)
            return -ENOMEM;
        refcount_init(&groups->ref, 1);
        groups->n = n;
        memcpy(groups->gids, gids, n * sizeof(gid_t));
        sort(groups->gids, n, sizeof(gid_t), gid_compare);
    }
    if (cred->groups && refcount_put(&cred->groups->ref))
        kfree(cred->groups);
    cred->groups = groups;
    return 0;
}
