/* kernel/cred/setid.c: setuid(2), setresuid(2), setgroups(2) and their kin; credentials(7). */
#include "base/errno.h"
#include "cred/cred.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"

#include <linux/limits.h>
#include <linux/securebits.h>

#define KEEP       ((u32)-1) /* an argument that leaves the id as it is */
#define GROUPS_MAX NGROUPS_MAX

/* What a file system's checks ask for: goes and comes with fsuid 0. */
#define CAP_FILES                                                                                  \
    (BIT(CAP_CHOWN) | BIT(CAP_MKNOD) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) |          \
     BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MAC_OVERRIDE))

void (*cred_changed)(const struct cred *old, const struct cred *new);

static bool any_root(const struct cred *cred)
{
    return cred->uid == 0 || cred->euid == 0 || cred->suid == 0;
}

/* capabilities(7), "Effect of user ID changes on capabilities". */
static void fix_capabilities(struct cred *new, const struct cred *old)
{
    if (old->securebits & issecure_mask(SECURE_NO_SETUID_FIXUP))
        return;
    if (any_root(old) && !any_root(new)) {
        if (!(old->securebits & issecure_mask(SECURE_KEEP_CAPS))) {
            new->cap_permitted = 0;
            new->cap_effective = 0;
        }
        new->cap_ambient = 0;
    }
    if (old->euid == 0 && new->euid != 0)
        new->cap_effective = 0;
    if (old->euid != 0 && new->euid == 0)
        new->cap_effective = new->cap_permitted;
}

static void fix_file_capabilities(struct cred *new, const struct cred *old)
{
    if (old->securebits & issecure_mask(SECURE_NO_SETUID_FIXUP))
        return;
    if (old->fsuid == 0 && new->fsuid != 0)
        new->cap_effective &= ~CAP_FILES;
    if (old->fsuid != 0 && new->fsuid == 0)
        new->cap_effective |= new->cap_permitted &CAP_FILES;
}

void cred_apply(struct cred *new)
{
    const struct cred *old = cred_get(cred_current());

    cred_commit(new);
    if (cred_changed)
        cred_changed(old, cred_current());
    cred_put(old);
}

/* --- user ids ------------------------------------------------------------------------------------ */

static bool is_own_uid(const struct cred *cred, uid_t uid)
{
    return uid == KEEP || uid == cred->uid || uid == cred->euid || uid == cred->suid;
}

static long apply_uids(uid_t ruid, uid_t euid, uid_t suid)
{
    const struct cred *old = cred_current();
    struct cred *new = cred_copy(old);

    if (!new)
        return -ENOMEM;
    if (ruid != KEEP)
        new->uid = ruid;
    if (euid != KEEP)
        new->euid = euid;
    if (suid != KEEP)
        new->suid = suid;
    new->fsuid = new->euid;
    fix_capabilities(new, old);
    cred_apply(new);
    return 0;
}

long sys_setuid(uid_t uid)
{
    const struct cred *old = cred_current();

    if (uid == KEEP)
        return -EINVAL;
    if (cred_capable(old, CAP_SETUID))
        return apply_uids(uid, uid, uid);
    if (uid != old->uid && uid != old->suid)
        return -EPERM;
    return apply_uids(KEEP, uid, KEEP);
}

long sys_setreuid(uid_t ruid, uid_t euid)
{
    const struct cred *old = cred_current();
    bool save = ruid != KEEP || (euid != KEEP && euid != old->uid);

    if (!cred_capable(old, CAP_SETUID)) {
        if (ruid != KEEP && ruid != old->uid && ruid != old->euid)
            return -EPERM;
        if (!is_own_uid(old, euid))
            return -EPERM;
    }
    return apply_uids(ruid, euid, !save ? KEEP : euid != KEEP ? euid : old->euid);
}

long sys_setresuid(uid_t ruid, uid_t euid, uid_t suid)
{
    const struct cred *old = cred_current();

    if (!cred_capable(old, CAP_SETUID) &&
        !(is_own_uid(old, ruid) && is_own_uid(old, euid) && is_own_uid(old, suid)))
        return -EPERM;
    return apply_uids(ruid, euid, suid);
}

long sys_setfsuid(uid_t fsuid)
{
    const struct cred *old = cred_current();
    uid_t before = old->fsuid;
    struct cred *new;

    /* There is no error: whoever wants to know asks again. */
    if (fsuid == KEEP || fsuid == before)
        return before;
    if (!is_own_uid(old, fsuid) && !cred_capable(old, CAP_SETUID))
        return before;
    new = cred_copy(old);
    if (!new)
        return before;
    new->fsuid = fsuid;
    fix_file_capabilities(new, old);
    cred_apply(new);
    return before;
}

long sys_getuid(void)
{
    return cred_current()->uid;
}

long sys_geteuid(void)
{
    return cred_current()->euid;
}

long sys_getresuid(uid_t __user *ruid, uid_t __user *euid, uid_t __user *suid)
{
    const struct cred *cred = cred_current();

    if (put_user(cred->uid, ruid) || put_user(cred->euid, euid) || put_user(cred->suid, suid))
        return -EFAULT;
    return 0;
}

/* --- group ids ----------------------------------------------------------------------------------- */

static bool is_own_gid(const struct cred *cred, gid_t gid)
{
    return gid == KEEP || gid == cred->gid || gid == cred->egid || gid == cred->sgid;
}

static long apply_gids(gid_t rgid, gid_t egid, gid_t sgid)
{
    struct cred *new = cred_copy(cred_current());

    if (!new)
        return -ENOMEM;
    if (rgid != KEEP)
        new->gid = rgid;
    if (egid != KEEP)
        new->egid = egid;
    if (sgid != KEEP)
        new->sgid = sgid;
    new->fsgid = new->egid;
    cred_apply(new);
    return 0;
}

long sys_setgid(gid_t gid)
{
    const struct cred *old = cred_current();

    if (gid == KEEP)
        return -EINVAL;
    if (cred_capable(old, CAP_SETGID))
        return apply_gids(gid, gid, gid);
    if (gid != old->gid && gid != old->sgid)
        return -EPERM;
    return apply_gids(KEEP, gid, KEEP);
}

long sys_setregid(gid_t rgid, gid_t egid)
{
    const struct cred *old = cred_current();
    bool save = rgid != KEEP || (egid != KEEP && egid != old->gid);

    if (!cred_capable(old, CAP_SETGID)) {
        if (rgid != KEEP && rgid != old->gid && rgid != old->egid)
            return -EPERM;
        if (!is_own_gid(old, egid))
            return -EPERM;
    }
    return apply_gids(rgid, egid, !save ? KEEP : egid != KEEP ? egid : old->egid);
}

long sys_setresgid(gid_t rgid, gid_t egid, gid_t sgid)
{
    const struct cred *old = cred_current();

    if (!cred_capable(old, CAP_SETGID) &&
        !(is_own_gid(old, rgid) && is_own_gid(old, egid) && is_own_gid(old, sgid)))
        return -EPERM;
    return apply_gids(rgid, egid, sgid);
}

long sys_setfsgid(gid_t fsgid)
{
    const struct cred *old = cred_current();
    gid_t before = old->fsgid;
    struct cred *new;

    if (fsgid == KEEP || fsgid == before)
        return before;
    if (!is_own_gid(old, fsgid) && !cred_capable(old, CAP_SETGID))
        return before;
    new = cred_copy(old);
    if (!new)
        return before;
    new->fsgid = fsgid;
    cred_apply(new);
    return before;
}

long sys_getgid(void)
{
    return cred_current()->gid;
}

long sys_getegid(void)
{
    return cred_current()->egid;
}

long sys_getresgid(gid_t __user *rgid, gid_t __user *egid, gid_t __user *sgid)
{
    const struct cred *cred = cred_current();

    if (put_user(cred->gid, rgid) || put_user(cred->egid, egid) || put_user(cred->sgid, sgid))
        return -EFAULT;
    return 0;
}

/* --- supplementary groups ---------------------------------------------------------------------------- */

long sys_getgroups(int size, gid_t __user *list)
{
    const struct group_list *groups = cred_current()->groups;
    u32 n = groups ? groups->n : 0;

    if (size < 0)
        return -EINVAL;
    if (size == 0 || n == 0)
        return n;
    if ((u32)size < n)
        return -EINVAL;
    return copy_to_user(list, groups->gids, n * sizeof(gid_t)) ? -EFAULT : (long)n;
}

static long apply_groups(const gid_t *gids, u32 n)
{
    struct cred *new = cred_copy(cred_current());
    int err = new ? cred_set_groups(new, gids, n) : -ENOMEM;

    if (!err)
        cred_apply(new);
    else if (new)
        cred_put(new);
    return err;
}

long sys_setgroups(int size, const gid_t __user *list)
{
    gid_t *gids;
    long err;

    if (!capable(CAP_SETGID))
        return -EPERM;
    if (size < 0 || size > GROUPS_MAX)
        return -EINVAL;
    if (size == 0)
        return apply_groups(NULL, 0);

    gids = kcalloc((size_t)size, sizeof *gids);
    if (!gids)
        return -ENOMEM;
    err = copy_from_user(gids, list, (size_t)size * sizeof *gids);
    for (int i = 0; i < size && !err; i++)
        err = gids[i] == KEEP ? -EINVAL : 0;
    if (!err)
        err = apply_groups(gids, (u32)size);
    kfree(gids);
    return err;
}
