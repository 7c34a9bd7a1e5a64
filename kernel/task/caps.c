/* kernel/task/caps.c: capget(2), capset(2), and prctl(2)'s calls about capabilities(7). */
#include "task/caps.h"

#include "base/errno.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"

#include <linux/prctl.h>
#include <linux/securebits.h>

#define LAST_CAP CAP_LAST_CAP

/* How many 32-bit words a version of the interface has; 0: there is no such version. */
static u32 version_words(u32 version)
{
    switch (version) {
    case _LINUX_CAPABILITY_VERSION_1:
        return _LINUX_CAPABILITY_U32S_1;
    case _LINUX_CAPABILITY_VERSION_2:
    case _LINUX_CAPABILITY_VERSION_3:
        return _LINUX_CAPABILITY_U32S_3;
    default:
        return 0;
    }
}

/* An unknown version is answered by the newest: 0, words in *words, or -EINVAL. */
static int read_header(struct __user_cap_header_struct __user *hdrp,
                       struct __user_cap_header_struct *header, u32 *words)
{
    if (copy_from_user(header, hdrp, sizeof *header) != 0)
        return -EFAULT;
    *words = version_words(header->version);
    if (*words)
        return 0;
    if (put_user((u32)_LINUX_CAPABILITY_VERSION_3, &hdrp->version) != 0)
        return -EFAULT;
    return -EINVAL;
}

long sys_capget(struct __user_cap_header_struct __user *hdrp,
                struct __user_cap_data_struct __user *datap)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    u32 words;
    int err = read_header(hdrp, &header, &words);

    if (err)
        return err == -EINVAL && !datap ? 0 : err;
    if (header.pid < 0)
        return -EINVAL;

    AUTO(task_put) struct task *task = header.pid ? task_lookup(header.pid) : task_get(task_self());

    if (!task)
        return -ESRCH;
    AUTO(cred_put) const struct cred *cred = task_cred(task);

    for (u32 i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].effective = cred ? (u32)(cred->cap_effective >> (32 * i)) : 0;
        data[i].permitted = cred ? (u32)(cred->cap_permitted >> (32 * i)) : 0;
        data[i].inheritable = cred ? (u32)(cred->cap_inheritable >> (32 * i)) : 0;
    }
    return datap ? copy_to_user(datap, data, words * sizeof data[0]) : 0;
}

static bool is_subset(u64 part, u64 whole)
{
    return (part & ~whole) == 0;
}

static long apply_caps(u64 effective, u64 permitted, u64 inheritable)
{
    const struct cred *old = cred_current();
    struct cred *new;

    if (!is_subset(permitted, old->cap_permitted) || !is_subset(effective, permitted))
        return -EPERM;
    if (!cred_capable(old, CAP_SETPCAP) &&
        !is_subset(inheritable, old->cap_inheritable | old->cap_permitted))
        return -EPERM;
    if (!is_subset(inheritable, old->cap_inheritable | old->cap_bounding))
        return -EPERM;
    new = cred_copy(old);
    if (!new)
        return -ENOMEM;
    new->cap_effective = effective;
    new->cap_permitted = permitted;
    new->cap_inheritable = inheritable;
    new->cap_ambient &= permitted &inheritable;
    cred_apply(new);
    return 0;
}

long sys_capset(struct __user_cap_header_struct __user *hdrp,
                const struct __user_cap_data_struct __user *datap)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    u64 effective, permitted, inheritable;
    u32 words;
    int err = read_header(hdrp, &header, &words);

    if (err)
        return err;
    if (header.pid && header.pid != task_self()->tid)
        return -EPERM;
    if (copy_from_user(data, datap, words * sizeof data[0]) != 0)
        return -EFAULT;
    effective = (u64)data[1].effective << 32 | data[0].effective;
    permitted = (u64)data[1].permitted << 32 | data[0].permitted;
    inheritable = (u64)data[1].inheritable << 32 | data[0].inheritable;
    return apply_caps(effective & CAP_FULL_SET, permitted & CAP_FULL_SET,
                      inheritable & CAP_FULL_SET);
}

/* --- prctl ---------------------------------------------------------------------------------------- */

long caps_bounding_read(u64 cap)
{
    return cap > LAST_CAP ? -EINVAL : (long)(cred_current()->cap_bounding >> cap & 1);
}

long caps_bounding_drop(u64 cap)
{
    struct cred *new;

    if (!capable(CAP_SETPCAP))
        return -EPERM;
    if (cap > LAST_CAP)
        return -EINVAL;
    new = cred_copy(cred_current());
    if (!new)
        return -ENOMEM;
    new->cap_bounding &= ~(1ULL << cap);
    cred_commit(new);
    return 0;
}

static long set_securebits(u32 bits)
{
    struct cred *new = cred_copy(cred_current());

    if (!new)
        return -ENOMEM;
    new->securebits = bits;
    cred_commit(new);
    return 0;
}

/* capabilities(7), "The securebits flags": a locked flag stays, and a lock too. */
long caps_securebits_set(u64 bits)
{
    u32 old = cred_current()->securebits;

    if (bits & ~(u64)(SECURE_ALL_LOCKS | SECURE_ALL_BITS))
        return -EPERM;
    if (((old & SECURE_ALL_LOCKS) >> 1) & (old ^ (u32)bits) || old & SECURE_ALL_LOCKS & ~(u32)bits)
        return -EPERM;
    if (!capable(CAP_SETPCAP))
        return -EPERM;
    return set_securebits((u32)bits);
}

long caps_keep_set(u64 keep)
{
    u32 bits = cred_current()->securebits & ~(u32)issecure_mask(SECURE_KEEP_CAPS);

    if (keep > 1)
        return -EINVAL;
    if (cred_current()->securebits & issecure_mask(SECURE_KEEP_CAPS_LOCKED))
        return -EPERM;
    return set_securebits(keep ? bits | issecure_mask(SECURE_KEEP_CAPS) : bits);
}

static long set_ambient(u64 set)
{
    struct cred *new = cred_copy(cred_current());

    if (!new)
        return -ENOMEM;
    new->cap_ambient = set;
    cred_commit(new);
    return 0;
}

long caps_ambient(u64 op, u64 cap)
{
    const struct cred *cred = cred_current();
    u64 bit;

    if (op == PR_CAP_AMBIENT_CLEAR_ALL)
        return cap ? -EINVAL : set_ambient(0);
    if (cap > LAST_CAP)
        return -EINVAL;
    bit = 1ULL << cap;
    switch (op) {
    case PR_CAP_AMBIENT_IS_SET:
        return cred->cap_ambient & bit ? 1 : 0;
    case PR_CAP_AMBIENT_RAISE:
        if (!(cred->cap_permitted & cred->cap_inheritable & bit) ||
            cred->securebits & issecure_mask(SECURE_NO_CAP_AMBIENT_RAISE))
            return -EPERM;
        return set_ambient(cred->cap_ambient | bit);
    case PR_CAP_AMBIENT_LOWER:
        return set_ambient(cred->cap_ambient & ~bit);
    default:
        return -EINVAL;
    }
}
