/*
 * kernel/vfs/handle.c: name_to_handle_at(2) and open_by_handle_at(2): files by a number that a program may keep.
 *
 * A handle is the number of an inode, which its file system never gives to another one, and the number of the file
 * system, which no other one gets.
 */
#include "abi/newer.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <linux/fcntl.h>

#define HANDLE_MAX   128 /* MAX_HANDLE_SZ of libc's <fcntl.h>: longer ones are refused */
#define HANDLE_INODE 1   /* handle_type of ours */

/* open_by_handle_at(2); no UAPI header exports it. */
struct handle_head {
    u32 bytes; /* of what follows the head: room, or what is there */
    s32 type;
};

struct handle {
    struct handle_head head;
    u32 super;
    u32 ino[2]; /* low and high half */
};
#define HANDLE_BYTES ((u32)(sizeof(struct handle) - sizeof(struct handle_head)))
#define HANDLE_FLAGS                                                                               \
    (AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_FID | AT_HANDLE_MNT_ID_UNIQUE |                 \
     AT_HANDLE_CONNECTABLE)

/* ---- giving one ---- */

static int put_mount_id(void __user *to, const struct mount *mount, bool unique)
{
    return unique ? put_user(mount->unique, (u64 __user *)to)
                  : put_user(mount->id, (int __user *)to);
}

static long give(const struct path *path, void __user *user, void __user *mount_id, int flags)
{
    struct handle handle;
    int err = copy_from_user(&handle.head, user, sizeof(handle.head));

    if (err)
        return err;
    if (handle.head.bytes > HANDLE_MAX)
        return -EINVAL;

    bool fits = handle.head.bytes >= HANDLE_BYTES;

    const struct inode *inode = path_inode(path);

    handle = (struct handle){.head = {.bytes = HANDLE_BYTES, .type = HANDLE_INODE},
                             .super = dev_minor(inode->super->dev),
                             .ino = {(u32)inode->ino, (u32)(inode->ino >> 32)}};
    err = put_mount_id(mount_id, path->mount, flags & AT_HANDLE_MNT_ID_UNIQUE);
    if (!err)
        err = copy_to_user(user, &handle,
                           fits ? sizeof(handle.head) + HANDLE_BYTES : sizeof(handle.head));
    return err ? err : fits ? 0 : -EOVERFLOW;
}

long sys_name_to_handle_at(int dirfd, const char __user *pathname,
                           struct file_handle __user *handle, int __user *mount_id, int flags)
{
    AUTO_PATH path = {0};
    u32 lookup = (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) |
                 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    int err;

    if (flags & ~HANDLE_FLAGS)
        return -EINVAL;
    if ((flags & AT_HANDLE_CONNECTABLE) && (flags & (AT_HANDLE_FID | AT_EMPTY_PATH)))
        return -EINVAL;
    err = path_lookup_user(dirfd, pathname, lookup, &path);
    if (err)
        return err;
    /* A handle that only tells files apart all file systems have; none has one that tells a place. */
    if (!(flags & AT_HANDLE_FID) && !path_inode(&path)->super->ops->inode_find)
        return -EOPNOTSUPP;
    if (flags & AT_HANDLE_CONNECTABLE)
        return -EOPNOTSUPP;
    return give(&path, (void __user *)handle, mount_id, flags);
}

/* ---- opening ---- */

/* The name through which dir is reached from `above`, one of the directories over it. rename_lock is held. */
static int name_on_the_way_locked(struct inode *dir, const struct inode *above,
                                  char name[NAME_MAX + 1])
{
    AUTO(inode_put) struct inode *at = inode_get(dir);

    for (;;) {
        struct inode *parent;
        int err = at->super->ops->dir_name(at, &parent, name);

        if (err)
            return err;
        /* The root lies in itself: `above` is not over it any more. */
        if (parent == at) {
            inode_put(parent);
            return -ESTALE;
        }
        inode_put(at);
        at = parent;
        if (at == above)
            return 0;
    }
}

/* The dentry of a directory: there is just one, which is found from the root down. Counted; ERR_PTR. */
static struct dentry *dentry_of_dir(struct inode *dir)
{
    AUTO(dentry_put) struct dentry *at = dentry_get(dir->super->root);
    char *text = kmalloc(NAME_MAX + 1);
    int err = text ? 0 : -ENOMEM;

    while (!err && dentry_inode(at) != dir) {
        struct name name = {.text = text};
        struct dentry *child;

        mutex_lock(&dir->super->rename_lock);
        err = name_on_the_way_locked(dir, dentry_inode(at), text);
        mutex_unlock(&dir->super->rename_lock);
        if (err)
            break;
        name.len = (u32)strlen(text);
        name_hash(&name);
        child = dir_lookup(at, &name);
        err = IS_ERR(child) ? (int)PTR_ERR(child) : 0;
        if (err)
            break;
        dentry_put(at);
        at = child;
        /* Somebody has renamed it meanwhile. */
        if (!dentry_inode(at) || !inode_is(dentry_inode(at), S_IFDIR))
            err = -ESTALE;
    }
    kfree(text);
    return err ? ERR_PTR(err) : TAKE(at);
}

/* Any other file by a name that is known, or by none, as one that was made by O_TMPFILE. */
static struct dentry *dentry_of(struct inode *inode)
{
    struct name name = {.text = "#handle", .len = 7};
    struct dentry *dentry;

    if (inode_is(inode, S_IFDIR))
        return dentry_of_dir(inode);
    dentry = dentry_find_inode(inode);
    if (dentry)
        return dentry;
    dentry = dentry_create(inode->super, inode->super->root, &name, inode_get(inode));
    if (dentry)
        return dentry;
    inode_put(inode);
    return ERR_PTR(-ENOMEM);
}

/* The mount that a descriptor, or AT_FDCWD, stands in. */
static int mount_of_fd(int nr, struct path *out)
{
    if (nr == AT_FDCWD)
        return path_lookup(AT_FDCWD, ".", 0, out);

    AUTO_FD fd = fd_borrow(nr);

    if (!fd.file)
        return -EBADF;
    *out = fd.file->path;
    path_get(out);
    return 0;
}

static int handle_get(struct handle *handle, const void __user *user)
{
    int err = copy_from_user(handle, user, sizeof(handle->head));

    if (err)
        return err;
    if (handle->head.bytes > HANDLE_MAX || handle->head.bytes == 0 || handle->head.type < 0)
        return -EINVAL;
    return copy_from_user(handle, user,
                          sizeof(handle->head) + MIN(handle->head.bytes, HANDLE_BYTES));
}

static struct file *open_handle(const struct path *within, const struct handle *handle, int flags)
{
    struct super *super = within->mount->super;
    AUTO(inode_put) struct inode *inode = NULL;
    AUTO(dentry_put) struct dentry *dentry = NULL;
    ino_t ino = handle->ino[0] | (u64)handle->ino[1] << 32;
    int err = -ESTALE;

    if (super->ops->inode_find && handle->head.bytes == HANDLE_BYTES &&
        handle->super == dev_minor(super->dev))
        err = super->ops->inode_find(super, ino, &inode);
    if (err)
        return ERR_PTR(err);
    dentry = dentry_of(inode);
    if (IS_ERR(dentry))
        return (struct file *)TAKE(dentry);

    struct path path = {.mount = within->mount, .dentry = dentry};

    if ((flags & O_DIRECTORY) && !inode_is(inode, S_IFDIR))
        return ERR_PTR(-ENOTDIR);
    return file_open_path(&path, flags | O_LARGEFILE);
}

long sys_open_by_handle_at(int mount_fd, const struct file_handle __user *user, int flags)
{
    AUTO_PATH within = {0};
    struct handle handle;
    struct file *file;
    int err;

    err = handle_get(&handle, (const void __user *)user);
    if (!err)
        err = mount_of_fd(mount_fd, &within);
    if (!err && !capable(CAP_DAC_READ_SEARCH))
        err = -EPERM;
    if (err)
        return err;
    file = open_handle(&within, &handle, flags & ~(O_CREAT | O_EXCL | O_NOCTTY));
    if (IS_ERR(file))
        return PTR_ERR(file);
    return fd_create(file, flags & O_CLOEXEC);
}
