/* kernel/vfs/rename.c: rename(2), renameat(2), renameat2(2). */
#include "abi/newer.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <linux/fs.h>
#include <linux/inotify.h>

struct rename {
    struct walk from, to;     /* each: path is the directory, last the name */
    struct dentry *old, *new; /* counted once looked up */
    bool cross;               /* two directories, so that the super's rename_lock is held */
    bool writing;
    unsigned int flags;
};

static bool special(const struct name *last)
{
    return last->len == 0 || name_is_dot(last) || name_is_dotdot(last);
}

/*
 * Two directories are locked the outer first, so that no two renames lock in opposite order: with the
 * super's rename_lock held, who is inside whom does not change. The names are then looked up.
 */
static int rename_lock(struct rename *ren)
{
    struct dentry *a = ren->from.path.dentry, *b = ren->to.path.dentry;

    ren->cross = a != b;
    if (!ren->cross) {
        inode_lock(a->inode);
    } else {
        bool b_outer;

        mutex_lock(&a->super->rename_lock);
        b_outer = dentry_is_below(a, b) || (!dentry_is_below(b, a) && b->inode < a->inode);
        inode_lock(b_outer ? b->inode : a->inode);
        inode_lock_child(b_outer ? a->inode : b->inode);
    }
    ren->old = dir_lookup_locked(a, &ren->from.last);
    if (IS_ERR(ren->old))
        return (int)PTR_ERR(ren->old);
    ren->new = dir_lookup_locked(b, &ren->to.last);
    return IS_ERR(ren->new) ? (int)PTR_ERR(ren->new) : 0;
}

static void rename_unlock(struct rename *ren)
{
    inode_unlock(ren->from.path.dentry->inode);
    if (ren->cross) {
        inode_unlock(ren->to.path.dentry->inode);
        mutex_unlock(&ren->from.path.dentry->super->rename_lock);
    }
}

/* The checks that need both names; the directories are locked. 1: nothing to do. */
static int rename_check(struct rename *ren)
{
    struct dentry *from_dir = ren->from.path.dentry, *to_dir = ren->to.path.dentry;
    struct inode *inode = dentry_inode(ren->old), *target = dentry_inode(ren->new);
    bool exchange = ren->flags & RENAME_EXCHANGE;
    bool is_dir;
    int err;

    if (!inode)
        return -ENOENT;
    if ((ren->flags & RENAME_NOREPLACE) && target)
        return -EEXIST;
    if (exchange && !target)
        return -ENOENT;
    is_dir = S_ISDIR(inode->mode);
    if (!is_dir && (ren->from.must_be_dir || (!exchange && ren->to.must_be_dir)))
        return -ENOTDIR;
    if (exchange && ren->to.must_be_dir && !S_ISDIR(target->mode))
        return -ENOTDIR;
    if (dentry_is_below(to_dir, ren->old))
        return -EINVAL;
    if (dentry_is_below(from_dir, ren->new))
        return exchange ? -EINVAL : -ENOTEMPTY;
    if (inode == target)
        return 1;

    err = may_delete(from_dir, inode, is_dir);
    if (!err && !target)
        err = may_create(to_dir);
    if (!err && target)
        err = may_delete(to_dir, target, exchange ? S_ISDIR(target->mode) : is_dir);
    /* A directory's ".." changes: that is writing it. */
    if (!err && ren->cross && is_dir)
        err = inode_permission(inode, MAY_WRITE);
    if (!err && ren->cross && exchange && S_ISDIR(target->mode))
        err = inode_permission(target, MAY_WRITE);
    if (err)
        return err;
    if (dentry_is_mount_point(ren->old) || dentry_is_mount_point(ren->new))
        return -EBUSY;
    if (from_dir->inode->ops->rename != to_dir->inode->ops->rename)
        return -EXDEV;
    return from_dir->inode->ops->rename ? 0 : -EPERM;
}

/* The file system has done it: the name table follows. */
static void rename_dentries(struct rename *ren, char *new_text)
{
    if (ren->flags & RENAME_EXCHANGE) {
        dentry_exchange(ren->old, ren->new);
        return;
    }
    if (dentry_inode(ren->new) && S_ISDIR(ren->new->inode->mode))
        __atomic_fetch_or(&ren->new->flags, DENTRY_DEAD, __ATOMIC_RELEASE);
    dentry_unhash(ren->new);
    dentry_prune_children(ren->new);
    dentry_move(ren->old, ren->new, new_text);
}

static int rename_do(struct rename *ren)
{
    struct inode *from_dir = path_inode(&ren->from.path), *to_dir = path_inode(&ren->to.path);
    char *new_text = NULL;
    int err = 0;

    if (!(ren->flags & RENAME_EXCHANGE))
        err = dentry_move_prepare(ren->new, &new_text);
    if (!err)
        err = from_dir->ops->rename(from_dir, &ren->old->name, ren->old->inode, to_dir,
                                    &ren->new->name, dentry_inode(ren->new), ren->flags);
    if (err)
        kfree(new_text);
    else
        rename_dentries(ren, new_text);
    return err;
}

static u32 last_cookie; /* atomic: of inotify(7)'s pairs of events */

static void rename_notify(struct rename *ren, struct name *old_name)
{
    u32 dir = S_ISDIR(ren->old->inode->mode) ? IN_ISDIR : 0;

    u32 cookie = __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED);

    vfs_notify(ren->from.path.dentry, IN_MOVED_FROM | dir, old_name, cookie);
    vfs_notify(ren->to.path.dentry, IN_MOVED_TO | dir, &ren->to.last, cookie);
    vfs_notify(ren->old, IN_MOVE_SELF, NULL, 0);
}

static int rename_locked(struct rename *ren)
{
    int err = rename_lock(ren);

    if (!err)
        err = rename_check(ren);
    if (!err)
        err = rename_do(ren);
    rename_unlock(ren);
    if (!err && !(ren->flags & RENAME_EXCHANGE))
        dentry_detach_mounts(ren->new);
    if (!err && vfs_notify)
        rename_notify(ren, &ren->from.last);
    return err > 0 ? 0 : err;
}

static int rename_walked(struct rename *ren)
{
    struct walk *from = &ren->from, *to = &ren->to;
    int err;

    if (from->path.mount != to->path.mount)
        return -EXDEV;
    if (special(&from->last))
        return -EBUSY;
    if (special(&to->last))
        return ren->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    if (to->last.len > to->path.dentry->super->name_max ||
        from->last.len > from->path.dentry->super->name_max)
        return -ENAMETOOLONG;
    err = mount_want_write(from->path.mount);
    if (err)
        return err;
    err = rename_locked(ren);
    mount_drop_write(from->path.mount);
    dentry_prune();
    return err;
}

static int rename_at(int olddirfd, const char *old, int newdirfd, const char *new,
                     unsigned int flags)
{
    /* Two walks are large for the kernel stack. */
    struct rename *ren = kmalloc(sizeof(*ren));
    int err;

    if (!ren)
        return -ENOMEM;
    ren->old = ren->new = NULL;
    ren->flags = flags;
    err = walk_start(&ren->from, olddirfd, old, 0);
    if (!err)
        err = walk_parent(&ren->from);
    if (!err) {
        err = walk_start(&ren->to, newdirfd, new, 0);
        if (!err)
            err = walk_parent(&ren->to);
        if (!err)
            err = rename_walked(ren);
        walk_end(&ren->to);
    }
    if (!IS_ERR_OR_NULL(ren->old))
        dentry_put(ren->old);
    if (!IS_ERR_OR_NULL(ren->new))
        dentry_put(ren->new);
    walk_end(&ren->from);
    kfree(ren);
    return err;
}

long sys_renameat2(int olddirfd, const char __user *oldpath, int newdirfd,
                   const char __user *newpath, unsigned int flags)
{
    AUTO_PATHNAME old = {.text = old.buf}, new = {.text = new.buf};
    int err;

    if (flags & ~(unsigned int)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
        return -EINVAL;
    if ((flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) && (flags & RENAME_EXCHANGE))
        return -EINVAL;
    if ((flags & RENAME_WHITEOUT) && !capable(CAP_MKNOD))
        return -EPERM;
    err = pathname_get(&old, oldpath);
    if (!err)
        err = pathname_get(&new, newpath);
    return err ? err : rename_at(olddirfd, old.text, newdirfd, new.text, flags);
}

long sys_renameat(int olddirfd, const char __user *oldpath, int newdirfd,
                  const char __user *newpath)
{
    return sys_renameat2(olddirfd, oldpath, newdirfd, newpath, 0);
}

long sys_rename(const char __user *oldpath, const char __user *newpath)
{
    return sys_renameat2(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}
