/* kernel/fs/overlay/dir.c: looking names up in both layers, making and removing them. */
#include "fs/overlay/internal.h"

#include <linux/fs.h>

static int overlay_lookup(struct inode *dir, const struct name *name, struct inode **out)
{
    struct overlay_super *fs = overlay_super(dir);
    struct overlay_inode *at = overlay_inode(dir);
    struct inode *upper = NULL, *lower = NULL;
    int err = -ENOENT, lower_err = -ENOENT;

    /* What copies something up meanwhile does not change what the name stands for. */
    if (at->lower) {
        lower_err = layer_lookup_lower(at->lower, name, &lower);
        if (lower_err && lower_err != -ENOENT)
            return lower_err;
    }
    mutex_lock(&fs->lock);
    if (at->upper)
        err = layer_lookup_upper(at->upper, name, &upper);
    if (!err && is_whiteout(upper)) {
        inode_put(upper);
        err = -ENOENT;
    } else if (!err) {
        err = overlay_inode_find(dir->super, at, name, NULL, upper, NULL, out);
    } else if (err == -ENOENT && !lower_err) {
        err = overlay_inode_find(dir->super, at, name, TAKE(lower), NULL, NULL, out);
    }
    mutex_unlock(&fs->lock);
    if (lower)
        inode_put(lower);
    return err;
}

static bool overlay_revalidate(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct inode *lower_dir = overlay_inode(dir)->lower, *lower = NULL;

    if (!lower_dir || !lower_dir->ops->revalidate || (inode && overlay_upper(inode)))
        return true;
    /* Nothing, also for a name that a whiteout covers: looking it up again finds the whiteout. */
    if (inode)
        lower = overlay_inode(inode)->lower;
    return lower_dir->ops->revalidate(lower_dir, name, lower);
}

int overlay_lower_has(struct inode *dir, const struct name *name)
{
    struct inode *lower_dir = overlay_inode(dir)->lower, *lower;
    int err = lower_dir ? layer_lookup_lower(lower_dir, name, &lower) : -ENOENT;

    if (err)
        return err == -ENOENT ? 0 : err;
    inode_put(lower);
    return 1;
}

/* ---- making ---- */

/* What is to be made: an object, a symbolic link, or another name for inode. */
struct making {
    umode mode;
    dev_t rdev;
    const char *target;
    struct inode *inode;
};

static int make_upper(const struct making *making, struct inode *at, const struct name *name,
                      struct inode **out)
{
    int err;

    if (making->inode) {
        err = at->ops->link(making->inode, at, name);
        *out = err ? NULL : inode_get(making->inode);
        return err;
    }
    if (making->target)
        err = at->ops->symlink(at, name, making->target, out);
    else
        err = at->ops->create(at, name, making->mode, making->rdev, out);
    if (!err)
        overlay_adopt_upper(*out);
    return err;
}

/*
 * In the place of a whiteout: made elsewhere, then exchanged with it, so that a failure changes
 * nothing.
 */
static int make_over_locked(struct inode *dir, const struct name *name, const struct making *making,
                            struct inode *whiteout, struct inode **out)
{
    struct overlay_super *fs = overlay_super(dir);
    struct inode *work = fs->work, *at = overlay_inode(dir)->upper;
    struct temporary temporary;
    int err;

    overlay_temporary(fs, &temporary);
    err = make_upper(making, work, &temporary.name, out);
    if (err)
        return err;
    if (!making->inode)
        inode_init_owner(*out, at);
    work->ops->rename(work, &temporary.name, *out, at, name, whiteout, RENAME_EXCHANGE);
    work->ops->unlink(work, &temporary.name, whiteout);
    return 0;
}

static int make_locked(struct inode *dir, const struct name *name, const struct making *making,
                       struct inode **out)
{
    struct inode *at, *whiteout;
    int err = overlay_copy_up_locked(overlay_inode(dir), true);

    if (err)
        return err;
    at = overlay_inode(dir)->upper;
    err = layer_lookup_upper(at, name, &whiteout);
    if (err == -ENOENT)
        return make_upper(making, at, name, out);
    if (err)
        return err;
    err = is_whiteout(whiteout) ? make_over_locked(dir, name, making, whiteout, out) : -EEXIST;
    inode_put(whiteout);
    return err;
}

static int make(struct inode *dir, const struct name *name, const struct making *making,
                struct inode **out)
{
    struct overlay_super *fs = overlay_super(dir);
    struct overlay_spare spare = {0};
    struct inode *upper;
    int err;

    mutex_lock(&fs->lock);
    err = overlay_spare_get(&spare, name);
    if (!err)
        err = make_locked(dir, name, making, &upper);
    if (!err)
        err = overlay_inode_find(dir->super, overlay_inode(dir), name, NULL, upper, &spare, out);
    mutex_unlock(&fs->lock);
    overlay_spare_put(&spare);
    if (!err) {
        overlay_mirror(dir);
        if (S_ISDIR((*out)->mode) && !overlay_inode(dir)->lower)
            WRITE_ONCE(dir->nlink, overlay_upper(dir)->nlink);
    }
    return err;
}

static int overlay_create(struct inode *dir, const struct name *name, umode mode, dev_t rdev,
                          struct inode **out)
{
    /* Such a device would be taken for a whiteout. */
    if (S_ISCHR(mode) && rdev == 0)
        return -EPERM;
    return make(dir, name, &(struct making){.mode = mode, .rdev = rdev}, out);
}

static int overlay_symlink(struct inode *dir, const struct name *name, const char *target,
                           struct inode **out)
{
    return make(dir, name, &(struct making){.target = target}, out);
}

static int overlay_link(struct inode *inode, struct inode *dir, const struct name *name)
{
    struct inode *linked;
    int err = overlay_copy_up(inode, true);

    if (!err)
        err = make(dir, name, &(struct making){.inode = overlay_upper(inode)}, &linked);
    if (err)
        return err;
    inode_put(linked);
    WRITE_ONCE(inode->nlink, inode->nlink + 1);
    overlay_mirror(inode);
    if (overlay_inode(inode)->lower)
        overlay_pin(overlay_inode(inode));
    return 0;
}

static int overlay_tmpfile(struct inode *dir, umode mode, struct inode **out)
{
    struct overlay_super *fs = overlay_super(dir);
    struct inode *upper;
    int err = overlay_copy_up(dir, true);

    if (err)
        return err;
    mutex_lock(&fs->lock);
    err = fs->work->ops->tmpfile(overlay_inode(dir)->upper, mode, &upper);
    if (!err) {
        overlay_adopt_upper(upper);
        err = overlay_inode_find(dir->super, NULL, NULL, NULL, upper, NULL, out);
    }
    mutex_unlock(&fs->lock);
    return err;
}

/* ---- removing ---- */

void overlay_unlinked(struct inode *inode)
{
    struct overlay_inode *own = overlay_inode(inode);

    WRITE_ONCE(inode->nlink, S_ISDIR(inode->mode) || inode->nlink == 0 ? 0 : inode->nlink - 1);
    if (!own->upper || S_ISDIR(inode->mode))
        WRITE_ONCE(inode->ctime, inode_now());
    else
        overlay_mirror(inode);
    /* The lower layer goes on counting names that are covered: this inode knows better. */
    if (inode->nlink == 0)
        overlay_unpin(own);
    else if (own->lower)
        overlay_pin(own);
}

static int cover_locked(struct inode *at, const struct name *name)
{
    struct inode *whiteout;
    int err = at->ops->create(at, name, S_IFCHR, 0, &whiteout);

    if (!err)
        inode_put(whiteout);
    return err;
}

/*
 * Takes the upper name away; cover: a whiteout stands there afterwards. All that can fail comes
 * first.
 */
static int remove_upper_locked(struct inode *dir, const struct name *name, struct inode *upper,
                               bool cover)
{
    struct overlay_super *fs = overlay_super(dir);
    struct inode *at = overlay_inode(dir)->upper, *work = fs->work;
    struct temporary temporary;
    int err;

    if (!cover)
        return S_ISDIR(upper->mode) ? at->ops->rmdir(at, name, upper)
                                    : at->ops->unlink(at, name, upper);

    overlay_temporary(fs, &temporary);
    err = at->ops->rename(at, name, upper, work, &temporary.name, NULL, RENAME_WHITEOUT);
    if (err)
        return err;
    if (S_ISDIR(upper->mode))
        work->ops->rmdir(work, &temporary.name, upper);
    else
        work->ops->unlink(work, &temporary.name, upper);
    return 0;
}

static int remove_locked(struct inode *dir, const struct name *name, bool cover)
{
    struct inode *upper = NULL;
    int err = cover ? overlay_copy_up_locked(overlay_inode(dir), true) : 0;

    if (err)
        return err;
    err = -ENOENT;
    if (overlay_inode(dir)->upper)
        err = layer_lookup_upper(overlay_inode(dir)->upper, name, &upper);
    if (err == -ENOENT)
        return cover ? cover_locked(overlay_inode(dir)->upper, name) : -ENOENT;
    if (err)
        return err;
    err = remove_upper_locked(dir, name, upper, cover);
    inode_put(upper);
    return err;
}

static int overlay_unlink(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct overlay_super *fs = overlay_super(dir);
    int cover = overlay_lower_has(dir, name);
    int err;

    if (cover < 0)
        return cover;
    mutex_lock(&fs->lock);
    err = remove_locked(dir, name, cover);
    if (!err)
        overlay_forget_place_locked(overlay_inode(inode), overlay_inode(dir), name);
    mutex_unlock(&fs->lock);
    if (err)
        return err;
    overlay_unlinked(inode);
    overlay_mirror(dir);
    if (S_ISDIR(inode->mode) && !overlay_inode(dir)->lower)
        WRITE_ONCE(dir->nlink, overlay_upper(dir)->nlink);
    return 0;
}

static int overlay_rmdir(struct inode *dir, const struct name *name, struct inode *inode)
{
    int err = overlay_make_empty(inode);

    return err ? err : overlay_unlink(dir, name, inode);
}

const struct inode_ops overlay_dir_ops = {
    .lookup = overlay_lookup,
    .revalidate = overlay_revalidate,
    .create = overlay_create,
    .symlink = overlay_symlink,
    .link = overlay_link,
    .unlink = overlay_unlink,
    .rmdir = overlay_rmdir,
    .rename = overlay_rename,
    .tmpfile = overlay_tmpfile,
    OVERLAY_ATTRIBUTE_OPS,
};
