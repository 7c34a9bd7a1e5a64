/* kernel/vfs/mount_calls.c: mount(2) and umount2(2). */
#include "abi/newer.h"
#include "abi/unexported.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <linux/mount.h>

#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

static u32 mount_flags(unsigned long flags)
{
    static const struct {
        unsigned long from;
        u32 to;
    } map[] = {
        {MS_RDONLY, MOUNT_RDONLY},
        {MS_NOSUID, MOUNT_NOSUID},
        {MS_NODEV, MOUNT_NODEV},
        {MS_NOEXEC, MOUNT_NOEXEC},
        {MS_NOATIME, MOUNT_NOATIME},
        {MS_NODIRATIME, MOUNT_NODIRATIME},
        {MS_STRICTATIME, MOUNT_STRICTATIME},
        {MS_NOSYMFOLLOW, MOUNT_NOSYMFOLLOW},
    };
    u32 out = 0;

    for (size_t i = 0; i < ARRAY_SIZE(map); i++)
        out |= flags & map[i].from ? map[i].to : 0;
    return out;
}

static bool is_mount_root(const struct path *path)
{
    return path->dentry == path->mount->root;
}

/* ---- bind ---- */

static int do_bind(const struct path *where, const char *source, bool recursive)
{
    AUTO_PATH from = {0};
    struct mount *copy;
    int err = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &from);

    if (err)
        return err;
    copy = mount_clone(from.mount, from.dentry);
    if (!copy)
        return -ENOMEM;
    if (recursive) {
        mutex_lock(&mount_lock);
        err = mount_copy_children_locked(from.mount, from.dentry, copy);
        mutex_unlock(&mount_lock);
    }
    if (!err) {
        mount_get(copy);
        err = mount_attach(copy, where);
    }
    if (err)
        mount_tree_detach(copy);
    mount_put(copy);
    return err;
}

/* ---- move ---- */

static bool mount_is_below(const struct mount *mount, const struct mount *ancestor)
{
    while (mount != ancestor && mount->parent != mount)
        mount = mount->parent;
    return mount == ancestor;
}

static int do_move(const struct path *where, const char *source)
{
    AUTO_PATH from = {0};
    struct path old = {0};
    int err = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &from);

    if (err)
        return err;
    if (!is_mount_root(&from))
        return -EINVAL;
    mutex_lock(&mount_lock);
    if (!from.mount->attached || from.mount->parent == from.mount || !where->mount->attached)
        err = -EINVAL;
    else if (inode_is(from.mount->root->inode, S_IFDIR) != inode_is(path_inode(where), S_IFDIR))
        err = -ENOTDIR;
    else if (mount_is_below(where->mount, from.mount))
        err = -ELOOP;
    if (!err) {
        mount_detach_locked(from.mount, &old);
        mount_attach_locked(from.mount, where);
    }
    mutex_unlock(&mount_lock);
    path_release(&old);
    return err;
}

/* ---- remount ---- */

static int do_remount(const struct path *where, unsigned long flags, const char *options)
{
    struct mount *mount = where->mount;
    struct super *super = mount->super;
    bool read_only = flags & MS_RDONLY;
    int err = 0;

    if (!is_mount_root(where))
        return -EINVAL;
    mutex_lock(&mount_lock);
    if (read_only && !mount_readonly(mount) && __atomic_load_n(&mount->writers, __ATOMIC_SEQ_CST))
        err = -EBUSY;
    mutex_unlock(&mount_lock);
    if (!err && !(flags & MS_BIND)) {
        if (super->ops->remount)
            err = super->ops->remount(super, options);
        if (!err && read_only)
            __atomic_fetch_or(&super->flags, SUPER_RDONLY, __ATOMIC_SEQ_CST);
        else if (!err)
            __atomic_fetch_and(&super->flags, ~(u32)SUPER_RDONLY, __ATOMIC_SEQ_CST);
    }
    if (!err)
        __atomic_store_n(&mount->flags, mount_flags(flags), __ATOMIC_SEQ_CST);
    return err;
}

/* ---- the call ---- */

static int do_new(const struct path *where, const char *type, const char *source,
                  const char *options, unsigned long flags)
{
    struct mount *mount;
    int err =
        type ? mount_create(type, source ? source : "none", options, mount_flags(flags), &mount)
             : -EINVAL;

    if (err)
        return err;
    return mount_attach(mount, where);
}

/*
 * There is one tree of mounts, and no mount has peers: private and slave are what all of them are, and
 * sharing cannot be had.
 */
static int do_propagation(const struct path *where, unsigned long flags)
{
    unsigned long kind = flags & PROPAGATION;

    if (!is_mount_root(where) || (flags & ~(PROPAGATION | MS_REC | MS_SILENT)) ||
        (kind & (kind - 1)))
        return -EINVAL;
    return kind == MS_PRIVATE || kind == MS_SLAVE ? 0 : -EINVAL;
}

/* The last argument is a page at most, with text for all types that we have. */
static char *copy_options(const void __user *data)
{
    char *page = kzalloc(PAGE_SIZE);
    ssize_t len;

    if (!page)
        return ERR_PTR(-ENOMEM);
    len = data ? strncpy_from_user(page, data, PAGE_SIZE - 1) : 0;
    if (len >= 0)
        return page;
    kfree(page);
    return ERR_PTR(len);
}

static int mount_at(const struct path *where, const char *source, const char *type,
                    unsigned long flags, const char *options)
{
    if ((flags & (MS_REMOUNT | MS_BIND)) == (MS_REMOUNT | MS_BIND) || (flags & MS_REMOUNT))
        return do_remount(where, flags, options);
    if (flags & MS_BIND)
        return source ? do_bind(where, source, flags & MS_REC) : -EINVAL;
    if (flags & PROPAGATION)
        return do_propagation(where, flags);
    if (flags & MS_MOVE)
        return source ? do_move(where, source) : -EINVAL;
    return do_new(where, type, source, options, flags);
}

/* Source and type: any text, or none. */
static int copy_text(struct pathname *name, const char __user *text)
{
    int err = text ? pathname_get(name, text) : 0;

    return err == -ENAMETOOLONG ? -EINVAL : err;
}

long sys_mount(const char __user *source, const char __user *target, const char __user *type,
               unsigned long flags, void __user *data)
{
    AUTO_PATHNAME type_name = {.text = type_name.buf};
    AUTO_PATHNAME name = {.text = name.buf};
    AUTO_PATH where = {0};
    char *options;
    int err = copy_text(&type_name, type);

    if (!err)
        err = copy_text(&name, source);
    if (err)
        return err;
    if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
        flags &= ~(unsigned long)MS_MGC_MSK;
    options = copy_options(data);
    if (IS_ERR(options))
        return PTR_ERR(options);
    err = path_lookup_user(AT_FDCWD, target, LOOKUP_FOLLOW, &where);
    if (!err && (flags & BIT(31))) /* MS_NOUSER, which linux/mount.h shifts out of an int */
        err = -EINVAL;             /* the kernel's own mounts */
    if (!err && !capable(CAP_SYS_ADMIN))
        err = -EPERM;
    if (!err)
        err = mount_at(&where, source ? name.text : NULL, type ? type_name.text : NULL, flags,
                       options);
    kfree(options);
    return err;
}

/* ---- umount ---- */

/* The tree holds one reference, the caller's path another: any more, and something in it is in use. */
static bool busy_locked(struct mount *mount)
{
    return !list_empty(&mount->children) || refcount_read(&mount->ref) > 2;
}

static int umount_path(const struct path *path, int flags)
{
    struct mount *mount = path->mount;
    int err = 0;

    if (!is_mount_root(path))
        return -EINVAL;
    mutex_lock(&mount_lock);
    if (!mount->attached || mount->parent == mount)
        err = -EINVAL;
    else if (!(flags & MNT_DETACH) && busy_locked(mount))
        err = -EBUSY;
    else if ((flags & MNT_EXPIRE) &&
             !(__atomic_fetch_or(&mount->flags, MOUNT_EXPIRING, __ATOMIC_RELAXED) & MOUNT_EXPIRING))
        err = -EAGAIN;
    mutex_unlock(&mount_lock);
    if (!err)
        mount_tree_detach(mount);
    return err;
}

long sys_umount2(const char __user *target, int flags)
{
    AUTO_PATH path = {0};
    u32 lookup = flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
    int err;

    if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
        return -EINVAL;
    err = path_lookup_user(AT_FDCWD, target, lookup, &path);
    if (err)
        return err;
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if ((flags & MNT_EXPIRE) && (flags & (MNT_FORCE | MNT_DETACH)))
        return -EINVAL;
    return umount_path(&path, flags);
}
