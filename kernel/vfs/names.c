/*
 * kernel/vfs/names.c: making and removing names: mkdir(2), mknod(2), symlink(2), link(2), unlink(2),
 * rmdir(2).
 */
#include "abi/newer.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <linux/inotify.h>

int may_create(struct dentry *dir)
{
    if ((READ_ONCE(dir->flags) & DENTRY_DEAD) || (dir->inode->flags & INODE_FIXED))
        return -ENOENT;
    return inode_permission(dir->inode, MAY_WRITE | MAY_EXEC);
}

/* inode(7): in a sticky directory only the owners of file or directory remove the file. */
static bool sticky_forbids(const struct inode *dir, const struct inode *victim)
{
    uid_t uid = cred_current()->fsuid;

    return (dir->mode & S_ISVTX) && uid != victim->uid && uid != dir->uid && !capable(CAP_FOWNER);
}

int may_delete(struct dentry *dir, struct inode *victim, bool is_dir)
{
    int err = inode_permission(dir->inode, MAY_WRITE | MAY_EXEC);

    if (err)
        return err;
    if (sticky_forbids(dir->inode, victim))
        return -EPERM;
    if (is_dir != S_ISDIR(victim->mode))
        return is_dir ? -ENOTDIR : -EISDIR;
    return 0;
}

int name_create_locked(const struct path *dir, struct dentry *child, umode mode, dev_t rdev)
{
    struct inode *at = path_inode(dir), *inode = NULL;
    int err = may_create(dir->dentry);

    if (err)
        return err;
    if (!at->ops->create)
        return S_ISREG(mode) ? -EACCES : -EPERM;
    err = at->ops->create(at, &child->name, mode, rdev, &inode);
    if (err)
        return err;
    dentry_instantiate(child, inode);
    if (vfs_notify)
        vfs_notify(dir->dentry, IN_CREATE | (S_ISDIR(mode) ? IN_ISDIR : 0), &child->name, 0);
    return 0;
}

/* ---- the directory and the name at the end of a path ---- */

struct target {
    struct walk walk;     /* walk.path is the directory, walk.last the name */
    struct dentry *child; /* counted, once looked up */
    bool writing;         /* mount_want_write was answered */
};

static void target_end(struct target *target)
{
    if (target->child)
        dentry_put(target->child);
    if (target->writing)
        mount_drop_write(target->walk.path.mount);
    walk_end(&target->walk);
}

static int target_start(struct target *target, int dirfd, const char *text)
{
    int err = walk_start(&target->walk, dirfd, text, 0);

    target->child = NULL;
    target->writing = false;
    return err ? err : walk_parent(&target->walk);
}

static bool target_is_special(const struct target *target)
{
    const struct name *last = &target->walk.last;

    return last->len == 0 || name_is_dot(last) || name_is_dotdot(last);
}

/* The name must be free. Leaves the directory locked when it succeeds: target_unlock(). */
static int target_for_create(struct target *target, bool dir_wanted)
{
    struct walk *walk = &target->walk;
    struct dentry *dir = walk->path.dentry, *child;
    int writable, err = 0;

    if (target_is_special(target))
        return -EEXIST;
    if (walk->last.len > dir->super->name_max)
        return -ENAMETOOLONG;
    child = dir_lookup(dir, &walk->last);
    if (IS_ERR(child))
        return (int)PTR_ERR(child);
    writable = mount_want_write(walk->path.mount);
    target->writing = !writable;

    inode_lock(dir->inode);
    if (dentry_unhashed(child)) {
        dentry_put(child);
        child = dir_lookup_locked(dir, &walk->last);
        if (IS_ERR(child)) {
            inode_unlock(dir->inode);
            return (int)PTR_ERR(child);
        }
    }
    target->child = child;
    if (dentry_inode(child))
        err = -EEXIST;
    else if (walk->must_be_dir && !dir_wanted)
        err = -ENOENT;
    else if (writable)
        err = writable;
    if (err)
        inode_unlock(dir->inode);
    return err;
}

static void target_unlock(struct target *target)
{
    inode_unlock(target->walk.path.dentry->inode);
    dentry_prune();
}

/* ---- mkdir, mknod ---- */

static int node_type_check(umode mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
    case 0:
    case S_IFIFO:
    case S_IFSOCK:
        return 0;
    case S_IFCHR:
    case S_IFBLK:
        return capable(CAP_MKNOD) ? 0 : -EPERM;
    case S_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
}

/* made: NULL, or what it is then, counted. */
static int make_node(int dirfd, const char *text, umode mode, dev_t rdev, struct path *made)
{
    struct target target;
    int err = target_start(&target, dirfd, text);

    if (!err)
        err = target_for_create(&target, S_ISDIR(mode));
    if (!err) {
        umode masked =
            (mode & S_IFMT) | (mode & (S_ISDIR(mode) ? 01777 : 07777) & (umode)~self()->fs->umask);

        err = name_create_locked(&target.walk.path, target.child, masked, rdev);
        if (!err && made)
            *made = (struct path){.mount = mount_get(target.walk.path.mount),
                                  .dentry = dentry_get(target.child)};
        target_unlock(&target);
    }
    target_end(&target);
    return err;
}

int vfs_mkdir(const char *path, umode mode)
{
    return make_node(AT_FDCWD, path, S_IFDIR | (mode & 07777), 0, NULL);
}

int vfs_mknod(const char *path, umode mode, dev_t rdev)
{
    return make_node(AT_FDCWD, path, mode, rdev, NULL);
}

int vfs_mknod_path(const char *path, umode mode, struct path *out)
{
    return make_node(AT_FDCWD, path, mode, 0, out);
}

long sys_mkdirat(int dirfd, const char __user *pathname, unsigned int mode)
{
    AUTO_PATHNAME name;
    int err = pathname_get(&name, pathname);

    return err ? err : make_node(dirfd, name.text, S_IFDIR | ((umode)mode & 07777), 0, NULL);
}

long sys_mkdir(const char __user *pathname, unsigned int mode)
{
    return sys_mkdirat(AT_FDCWD, pathname, mode);
}

long sys_mknodat(int dirfd, const char __user *pathname, unsigned int mode, unsigned int dev)
{
    AUTO_PATHNAME name;
    umode type = (umode)mode & S_IFMT;
    int err = pathname_get(&name, pathname);

    if (!err)
        err = node_type_check((umode)mode);
    if (err)
        return err;
    return make_node(dirfd, name.text, (type ? type : S_IFREG) | ((umode)mode & 07777),
                     type == S_IFCHR || type == S_IFBLK ? dev : 0, NULL);
}

long sys_mknod(const char __user *pathname, unsigned int mode, unsigned int dev)
{
    return sys_mknodat(AT_FDCWD, pathname, mode, dev);
}

/* ---- symlink ---- */

static int symlink_locked(const struct path *dir, struct dentry *child, const char *text)
{
    struct inode *at = path_inode(dir), *inode = NULL;
    int err = may_create(dir->dentry);

    if (err)
        return err;
    if (!at->ops->symlink)
        return -EPERM;
    err = at->ops->symlink(at, &child->name, text, &inode);
    if (err)
        return err;
    dentry_instantiate(child, inode);
    if (vfs_notify)
        vfs_notify(dir->dentry, IN_CREATE, &child->name, 0);
    return 0;
}

static int make_symlink(const char *text, int dirfd, const char *path)
{
    struct target target;
    int err;

    if (!*text)
        return -ENOENT;
    err = target_start(&target, dirfd, path);
    if (!err)
        err = target_for_create(&target, false);
    if (!err) {
        err = symlink_locked(&target.walk.path, target.child, text);
        target_unlock(&target);
    }
    target_end(&target);
    return err;
}

int vfs_symlink(const char *text, const char *path)
{
    return make_symlink(text, AT_FDCWD, path);
}

long sys_symlinkat(const char __user *text, int newdirfd, const char __user *linkpath)
{
    AUTO_PATHNAME content = {.text = content.buf}, name = {.text = name.buf};
    int err = pathname_get(&content, text);

    if (!err)
        err = pathname_get(&name, linkpath);
    return err ? err : make_symlink(content.text, newdirfd, name.text);
}

long sys_symlink(const char __user *text, const char __user *linkpath)
{
    return sys_symlinkat(text, AT_FDCWD, linkpath);
}

/* One name in a directory that the caller holds: for loaders of archives. */
static struct dentry *child_of(const struct path *dir, const char *text)
{
    struct name name = {.text = text, .len = (u32)strlen(text)};

    name_hash(&name);
    if (!inode_is(path_inode(dir), S_IFDIR))
        return ERR_PTR(-ENOTDIR);
    return dir_lookup(dir->dentry, &name);
}

int vfs_create_at(const struct path *dir, const char *name, umode mode, dev_t rdev,
                  struct path *out)
{
    AUTO(dentry_put) struct dentry *child = child_of(dir, name);
    int err;

    if (IS_ERR(child))
        return (int)PTR_ERR(child);
    inode_lock(path_inode(dir));
    err = dentry_inode(child) ? -EEXIST : name_create_locked(dir, child, mode, rdev);
    inode_unlock(path_inode(dir));
    if (!err && out)
        *out = (struct path){.mount = mount_get(dir->mount), .dentry = TAKE(child)};
    return err;
}

int vfs_symlink_at(const struct path *dir, const char *name, const char *text)
{
    AUTO(dentry_put) struct dentry *child = child_of(dir, name);
    int err;

    if (IS_ERR(child))
        return (int)PTR_ERR(child);
    inode_lock(path_inode(dir));
    err = dentry_inode(child) ? -EEXIST : symlink_locked(dir, child, text);
    inode_unlock(path_inode(dir));
    return err;
}

/* The same with the directory locked, which it stays: the caller unlocks it. */
static struct dentry *child_lock(const struct path *dir, const char *text)
{
    struct name name = {.text = text, .len = (u32)strlen(text)};

    name_hash(&name);
    inode_lock(path_inode(dir));
    return dir_lookup_locked(dir->dentry, &name);
}

int vfs_link_at(const struct path *dir, const char *name, struct inode *inode, struct path *out)
{
    AUTO(dentry_put) struct dentry *child = child_lock(dir, name);
    int err = IS_ERR(child) ? (int)PTR_ERR(child) : dentry_inode(child) ? -EEXIST : 0;

    if (!err)
        err = may_create(dir->dentry);
    if (!err)
        err = path_inode(dir)->ops->link(inode, path_inode(dir), &child->name);
    if (!err) {
        dentry_instantiate(child, inode_get(inode));
        if (vfs_notify)
            vfs_notify(dir->dentry, IN_CREATE, &child->name, 0);
    }
    inode_unlock(path_inode(dir));
    if (!err)
        *out = (struct path){.mount = mount_get(dir->mount), .dentry = TAKE(child)};
    return err;
}

/* ---- link ---- */

/* proc(5), protected_hardlinks = 1: only to what one owns, or a plain file one may read and write. */
static bool may_link(struct inode *inode)
{
    umode mode = inode->mode;

    if (inode_owner_or_capable(inode))
        return true;
    return S_ISREG(mode) && !(mode & S_ISUID) &&
           (mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP) &&
           !inode_permission(inode, MAY_READ | MAY_WRITE);
}

static int link_locked(const struct path *old, const struct path *dir, struct dentry *child)
{
    struct inode *inode = path_inode(old), *at = path_inode(dir);
    int err = may_create(dir->dentry);

    if (err)
        return err;
    if (old->mount->super != dir->mount->super)
        return -EXDEV;
    if (S_ISDIR(inode->mode) || !at->ops->link)
        return -EPERM;
    if (READ_ONCE(inode->nlink) == 0 && !(inode->flags & INODE_LINKABLE))
        return -ENOENT;
    err = at->ops->link(inode, at, &child->name);
    if (err)
        return err;
    dentry_instantiate(child, inode_get(inode));
    if (vfs_notify) {
        vfs_notify(child, IN_ATTRIB | NOTIFY_INODE_ALONE, NULL, 0);
        vfs_notify(dir->dentry, IN_CREATE, &child->name, 0);
    }
    return 0;
}

static int make_link(int olddirfd, const char *old_text, int newdirfd, const char *new_text,
                     int flags)
{
    AUTO_PATH old = {0};
    struct target target;
    u32 lookup = (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) |
                 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    int err = path_lookup(olddirfd, old_text, lookup, &old);

    if (err)
        return err;
    err = target_start(&target, newdirfd, new_text);
    if (!err)
        err = target_for_create(&target, false);
    if (!err) {
        if (old.mount != target.walk.path.mount)
            err = -EXDEV;
        else if (!may_link(path_inode(&old)))
            err = -EPERM;
        else
            err = link_locked(&old, &target.walk.path, target.child);
        target_unlock(&target);
    }
    target_end(&target);
    return err;
}

/* linkat(2), AT_EMPTY_PATH: a file that the caller has opened himself, since Linux 6.10; or any, with the privilege. */
static bool may_link_open(int nr)
{
    if (capable(CAP_DAC_READ_SEARCH) || nr == AT_FDCWD)
        return true;

    AUTO_FD fd = fd_borrow_any(nr);

    return !fd.file || fd.file->cred == cred_current();
}

long sys_linkat(int olddirfd, const char __user *oldpath, int newdirfd, const char __user *newpath,
                int flags)
{
    AUTO_PATHNAME old = {.text = old.buf}, new = {.text = new.buf};
    int err;

    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    err = pathname_get(&old, oldpath);
    if (!err && (flags & AT_EMPTY_PATH) && old.len == 0 && !may_link_open(olddirfd))
        err = -ENOENT;
    if (!err)
        err = pathname_get(&new, newpath);
    return err ? err : make_link(olddirfd, old.text, newdirfd, new.text, flags);
}

long sys_link(const char __user *oldpath, const char __user *newpath)
{
    return sys_linkat(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

/* ---- unlink, rmdir ---- */

/* Locks the directory and looks the existing name up: -ENOENT. Leaves it locked when it succeeds. */
static int target_for_remove(struct target *target)
{
    struct walk *walk = &target->walk;
    struct dentry *dir = walk->path.dentry, *child;
    int err = mount_want_write(walk->path.mount);

    if (err)
        return err;
    target->writing = true;
    child = dir_lookup(dir, &walk->last);
    if (IS_ERR(child))
        return (int)PTR_ERR(child);
    inode_lock(dir->inode);
    if (dentry_unhashed(child)) {
        dentry_put(child);
        child = dir_lookup_locked(dir, &walk->last);
        if (IS_ERR(child)) {
            inode_unlock(dir->inode);
            return (int)PTR_ERR(child);
        }
    }
    target->child = child;
    if (dentry_inode(child))
        return 0;
    inode_unlock(dir->inode);
    return -ENOENT;
}

static int name_unlink_locked(struct dentry *dir, struct dentry *child)
{
    struct inode *at = dir->inode, *victim = child->inode;
    int err = may_delete(dir, victim, false);

    if (err)
        return err;
    if (dentry_is_mount_point(child))
        return -EBUSY;
    if (!at->ops->unlink)
        return -EPERM;
    err = at->ops->unlink(at, &child->name, victim);
    if (!err)
        dentry_unhash(child);
    return err;
}

static int unlink_locked(struct target *target)
{
    if (target->walk.must_be_dir)
        return S_ISDIR(target->child->inode->mode) ? -EISDIR : -ENOTDIR;
    return name_unlink_locked(target->walk.path.dentry, target->child);
}

static int rmdir_locked(struct target *target)
{
    struct dentry *dir = target->walk.path.dentry, *child = target->child;
    struct inode *at = dir->inode, *victim = child->inode;
    int err = may_delete(dir, victim, true);

    if (err)
        return err;
    if (dentry_is_mount_point(child))
        return -EBUSY;
    if (!at->ops->rmdir)
        return -EPERM;
    inode_lock_child(victim);
    err = at->ops->rmdir(at, &child->name, victim);
    if (!err)
        __atomic_fetch_or(&child->flags, DENTRY_DEAD, __ATOMIC_RELEASE);
    inode_unlock(victim);
    if (!err) {
        dentry_unhash(child);
        dentry_prune_children(child);
    }
    return err;
}

/* What those who watch the object and its directory are told. */
static void removed(const struct path *dir, struct dentry *child, bool is_dir)
{
    if (!vfs_notify)
        return;
    if (!is_dir)
        vfs_notify(child, IN_ATTRIB | NOTIFY_INODE_ALONE, NULL, 0);
    if (refcount_read(&child->ref) == 1 && READ_ONCE(child->inode->nlink) == 0)
        inotify_inode_gone(child->inode);
    vfs_notify(dir->dentry, IN_DELETE | (is_dir ? IN_ISDIR : 0), &child->name, 0);
}

int vfs_unlink_at(const struct path *dir, const char *name)
{
    AUTO(dentry_put) struct dentry *child = child_lock(dir, name);
    int err = IS_ERR(child) ? (int)PTR_ERR(child) : dentry_inode(child) ? 0 : -ENOENT;

    if (!err)
        err = name_unlink_locked(dir->dentry, child);
    inode_unlock(path_inode(dir));
    if (!err)
        removed(dir, child, false);
    return err;
}

static int remove_name(int dirfd, const char *text, bool is_dir)
{
    struct target target;
    int err = target_start(&target, dirfd, text);

    if (!err && target_is_special(&target)) {
        if (!is_dir)
            err = -EISDIR;
        else if (target.walk.last.len == 0)
            err = -EBUSY;
        else
            err = name_is_dot(&target.walk.last) ? -EINVAL : -ENOTEMPTY;
    }
    if (!err)
        err = target_for_remove(&target);
    if (!err) {
        err = is_dir ? rmdir_locked(&target) : unlink_locked(&target);
        target_unlock(&target);
        if (!err)
            dentry_detach_mounts(target.child);
        if (!err)
            removed(&target.walk.path, target.child, is_dir);
    }
    target_end(&target);
    return err;
}

long sys_unlinkat(int dirfd, const char __user *pathname, int flags)
{
    AUTO_PATHNAME name;
    int err = pathname_get(&name, pathname);

    if (flags & ~AT_REMOVEDIR)
        return -EINVAL;
    return err ? err : remove_name(dirfd, name.text, flags & AT_REMOVEDIR);
}

long sys_unlink(const char __user *pathname)
{
    return sys_unlinkat(AT_FDCWD, pathname, 0);
}

long sys_rmdir(const char __user *pathname)
{
    return sys_unlinkat(AT_FDCWD, pathname, AT_REMOVEDIR);
}
