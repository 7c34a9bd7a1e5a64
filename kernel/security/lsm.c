/*
 * kernel/security/lsm.c: lsm_list_modules(2), lsm_get_self_attr(2), lsm_set_self_attr(2). Capabilities are the one
 * security module that there is, and it has no attributes.
 */
#include "abi/newer.h"
#include "base/errno.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"

static const u64 modules[] = {LSM_ID_CAPABILITY};

long sys_lsm_list_modules(u64 __user *ids, u32 __user *size, u32 flags)
{
    u32 room, total = sizeof modules;

    if (flags)
        return -EINVAL;
    if (copy_from_user(&room, size, sizeof room) != 0 || put_user(total, size) != 0)
        return -EFAULT;
    if (room < total)
        return -E2BIG;
    return copy_to_user(ids, modules, sizeof modules) ? -EFAULT : (long)ARRAY_SIZE(modules);
}

/* LSM_FLAG_SINGLE: the attribute of one module, which the first bytes of the answer name. */
static int check_single(const struct lsm_ctx __user *ctx)
{
    u64 id;

    if (!ctx)
        return -EINVAL;
    if (copy_from_user(&id, &ctx->id, sizeof id) != 0)
        return -EFAULT;
    return id == LSM_ID_UNDEF ? -EINVAL : 0;
}

long sys_lsm_get_self_attr(u32 attr, struct lsm_ctx __user *ctx, u32 __user *size, u32 flags)
{
    u32 room;
    int err;

    if (attr == LSM_ATTR_UNDEF || !size)
        return -EINVAL;
    if (copy_from_user(&room, size, sizeof room) != 0)
        return -EFAULT;
    if (flags & ~(u32)LSM_FLAG_SINGLE)
        return -EINVAL;
    err = flags ? check_single(ctx) : 0;
    if (err)
        return err;
    return put_user(0U, size) ? -EFAULT : -EOPNOTSUPP;
}

/* The whole structure can be read. */
static int check_readable(const u8 __user *from, u32 size)
{
    u8 piece[256];

    for (u32 at = 0; at < size; at += sizeof piece) {
        if (copy_from_user(piece, from + at, MIN(size - at, (u32)sizeof piece)) != 0)
            return -EFAULT;
    }
    return 0;
}

long sys_lsm_set_self_attr(u32 attr, const struct lsm_ctx __user *ctx, u32 size, u32 flags)
{
    struct lsm_ctx head;
    u64 needed;

    (void)attr;
    if (flags || size < sizeof head)
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (check_readable((const u8 __user *)ctx, size) != 0 ||
        copy_from_user(&head, ctx, sizeof head) != 0)
        return -EFAULT;
    if (size < head.len || add_overflow((u64)sizeof head, head.ctx_len, &needed) ||
        head.len < needed)
        return -EINVAL;
    return -EOPNOTSUPP;
}
