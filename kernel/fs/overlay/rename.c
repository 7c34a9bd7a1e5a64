/*
 * kernel/fs/overlay/rename.c: moving names. What is moved is in the upper layer first; directories
 * too, since an upper directory knows its lower half wherever it goes.
 */
#include "fs/overlay/internal.h"

#include <linux/fs.h>

/*
 * A hard link that still stands in the lower layer only, of a file that was copied up by another
 * name.
 */
static int name_copy_up_locked(struct inode *dir, const struct name *name, struct inode *upper)
{
    struct inode *at = overlay_inode(dir)->upper, *found;
    ktime mtime = at->mtime, ctime = at->ctime;
    int err = layer_lookup_upper(at, name, &found);

    if (!err)
        inode_put(found);
    if (err != -ENOENT)
        return err;
    err = at->ops->link(upper, at, name);
    WRITE_ONCE(at->mtime, mtime);
    WRITE_ONCE(at->ctime, ctime);
    return err;
}

static int prepare_locked(struct inode *dir, const struct name *name, struct inode *inode)
{
    int err = overlay_copy_up_locked(overlay_inode(dir), true);

    if (!err)
        err = overlay_copy_up_locked(overlay_inode(inode), true);
    return err ? err : name_copy_up_locked(dir, name, overlay_inode(inode)->upper);
}

/* The names that the two will have: memory for them, while nothing is changed yet. */
struct renaming {
    struct overlay_spare inode, target;
};

static int exchange_locked(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                           struct inode *new_dir, const struct name *new_name, struct inode *target,
                           struct renaming *names)
{
    struct inode *from = overlay_inode(old_dir)->upper, *to;
    int err = prepare_locked(new_dir, new_name, target);

    if (!err)
        err = overlay_spare_name(&names->target, old_name);
    if (err)
        return err;
    to = overlay_inode(new_dir)->upper;
    err = from->ops->rename(from, old_name, overlay_inode(inode)->upper, to, new_name,
                            overlay_inode(target)->upper, RENAME_EXCHANGE);
    if (err)
        return err;
    overlay_set_place_locked(overlay_inode(inode), overlay_inode(new_dir), &names->inode);
    overlay_set_place_locked(overlay_inode(target), overlay_inode(old_dir), &names->target);
    return 0;
}

/*
 * The new name has a whiteout, or is a directory that was made empty: the two change places first.
 */
static int move_over_locked(struct inode *from, const struct name *old_name, struct inode *upper,
                            struct inode *to, const struct name *new_name, struct inode *covered,
                            bool cover)
{
    int err = from->ops->rename(from, old_name, upper, to, new_name, covered, RENAME_EXCHANGE);

    if (err || (cover && is_whiteout(covered)))
        return err;
    return from->ops->unlink(from, old_name, covered);
}

static int move_locked(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                       struct inode *new_dir, const struct name *new_name, bool cover)
{
    struct inode *from = overlay_inode(old_dir)->upper, *to, *upper = overlay_inode(inode)->upper;
    struct inode *there = NULL;
    int err = overlay_copy_up_locked(overlay_inode(new_dir), true);

    if (err)
        return err;
    to = overlay_inode(new_dir)->upper;
    err = layer_lookup_upper(to, new_name, &there);
    if (err && err != -ENOENT)
        return err;
    if (!err && is_whiteout(there))
        err = move_over_locked(from, old_name, upper, to, new_name, there, cover);
    else
        err = from->ops->rename(from, old_name, upper, to, new_name, err ? NULL : there,
                                cover ? RENAME_WHITEOUT : 0);
    if (there)
        inode_put(there);
    return err;
}

static int rename_locked(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                         struct inode *new_dir, const struct name *new_name, struct inode *target,
                         unsigned int flags, bool cover, struct renaming *names)
{
    int err = prepare_locked(old_dir, old_name, inode);

    if (!err)
        err = overlay_spare_name(&names->inode, new_name);
    if (err)
        return err;
    if (flags & RENAME_EXCHANGE)
        return exchange_locked(old_dir, old_name, inode, new_dir, new_name, target, names);
    err = move_locked(old_dir, old_name, inode, new_dir, new_name, cover);
    if (err)
        return err;
    if (target)
        overlay_forget_place_locked(overlay_inode(target), overlay_inode(new_dir), new_name);
    overlay_set_place_locked(overlay_inode(inode), overlay_inode(new_dir), &names->inode);
    return 0;
}

static void renamed(struct inode *dir)
{
    overlay_mirror(dir);
    if (!overlay_inode(dir)->lower)
        WRITE_ONCE(dir->nlink, overlay_upper(dir)->nlink);
}

int overlay_rename(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                   struct inode *new_dir, const struct name *new_name, struct inode *target,
                   unsigned int flags)
{
    struct overlay_super *fs = overlay_super(old_dir);
    struct renaming names = {0};
    bool exchange = flags & RENAME_EXCHANGE;
    int cover, err;

    if (flags & RENAME_WHITEOUT)
        return -EINVAL;
    if (target && !exchange && S_ISDIR(target->mode)) {
        err = overlay_make_empty(target);
        if (err)
            return err;
    }
    cover = overlay_lower_has(old_dir, old_name);
    if (cover < 0)
        return cover;
    mutex_lock(&fs->lock);
    err = rename_locked(old_dir, old_name, inode, new_dir, new_name, target, flags, cover, &names);
    mutex_unlock(&fs->lock);
    overlay_spare_put(&names.inode);
    overlay_spare_put(&names.target);
    if (err)
        return err;
    if (target && !exchange)
        overlay_unlinked(target);
    renamed(old_dir);
    renamed(new_dir);
    overlay_mirror(inode);
    return 0;
}
