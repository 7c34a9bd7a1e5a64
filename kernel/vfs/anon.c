/*
 * kernel/vfs/anon.c: files without a place in the tree: the anonymous inode (eventfd, epoll ...), and
 * the inodes of pipes, sockets and memory files.
 */
#include "vfs/internal.h"

#include <linux/magic.h>

enum anon_kind { ANON_SHARED, ANON_PIPE, ANON_SOCKET, ANON_KINDS };

static struct {
    struct mount *mounts[ANON_KINDS]; /* constant after the start; internal file systems */
    struct dentry *shared; /* constant after the start; the inode of all kinds without their own */
    u64 next_ino;          /* atomic */
} anon = {.next_ino = 1};

static void anon_inode_release(struct inode *inode)
{
    if (inode->ops->release)
        inode->ops->release(inode);
    kfree(inode);
}

static const struct super_ops anon_super_ops = {.inode_release = anon_inode_release};
static const struct inode_ops anon_inode_ops;

static const struct fs_type anon_types[ANON_KINDS] = {
    [ANON_SHARED] = {.name = "anon_inodefs", .flags = FS_NODEV},
    [ANON_PIPE] = {.name = "pipefs", .flags = FS_NODEV},
    [ANON_SOCKET] = {.name = "sockfs", .flags = FS_NODEV},
};

static const u64 anon_magic[ANON_KINDS] = {ANON_INODE_FS_MAGIC, PIPEFS_MAGIC, SOCKFS_MAGIC};

static enum anon_kind kind_of(umode mode)
{
    return S_ISFIFO(mode) ? ANON_PIPE : S_ISSOCK(mode) ? ANON_SOCKET : ANON_SHARED;
}

struct inode *inode_create_anon(umode mode, const struct file_ops *fops)
{
    struct inode *inode = kzalloc(sizeof(*inode));

    if (!inode)
        return NULL;
    inode_init(inode, anon.mounts[kind_of(mode)]->super, mode);
    inode->ops = &anon_inode_ops;
    inode->fops = fops;
    inode->uid = cred_current()->fsuid;
    inode->gid = cred_current()->fsgid;
    inode->ino = __atomic_add_fetch(&anon.next_ino, 1, __ATOMIC_RELAXED);
    return inode;
}

static int start_kind(enum anon_kind kind)
{
    struct super *super = super_create(&anon_types[kind], &anon_super_ops, anon_magic[kind]);
    struct inode *root = kzalloc(sizeof(*root));

    if (!super || !root)
        return -ENOMEM;
    inode_init(root, super, 0600);
    root->ops = &anon_inode_ops;
    root->ino = 1;
    if (super_set_root(super, root))
        return -ENOMEM;
    anon.mounts[kind] = mount_of_super(super, anon_types[kind].name, 0);
    return anon.mounts[kind] ? 0 : -ENOMEM;
}

int anon_start(void)
{
    for (enum anon_kind kind = 0; kind < ANON_KINDS; kind++) {
        int err = start_kind(kind);

        if (err)
            return err;
    }
    anon.shared = anon.mounts[ANON_SHARED]->root;
    return 0;
}

int path_create_anon(const struct file_ops *ops, struct inode *inode, struct path *out)
{
    enum anon_kind kind = ANON_SHARED;
    struct dentry *dentry;

    if (inode) {
        struct name name = {.text = ops->name ? ops->name : ""};

        name.len = (u32)strlen(name.text);
        kind = kind_of(inode->mode);
        dentry = dentry_create(inode->super, NULL, &name, inode);
        if (!dentry) {
            inode_put(inode);
            return -ENOMEM;
        }
    } else {
        dentry = dentry_get(anon.shared);
    }
    *out = (struct path){.mount = mount_get(anon.mounts[kind]), .dentry = dentry};
    return 0;
}

static void anon_bind(struct file *file, const struct file_ops *ops, const struct path *path,
                      bool shared, int flags)
{
    u32 access = ((u32)flags + 1) & O_ACCMODE; /* O_RDONLY ... are 0, 1, 2: the bits are one more */

    file->mode |= FILE_STREAM | FILE_NOPOSLOCK | (shared ? FILE_ANON : 0);
    if (access & 1)
        file->mode |= FILE_READ;
    if (access & 2)
        file->mode |= FILE_WRITE;
    file->flags = (u32)flags & ~(u32)(O_CLOEXEC | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
    file->ops = ops;
    file->path = *path;
    file->inode = path->dentry->inode;
}

int file_init(struct file *file, const struct file_ops *ops, struct inode *inode, int flags)
{
    struct path path;
    int err = path_create_anon(ops, inode, &path);

    if (err)
        return err;
    file_prepare(file);
    file->mode = 0;
    anon_bind(file, ops, &path, !inode, flags);
    return 0;
}

struct file *file_create_anon(const struct file_ops *ops, struct inode *inode, int flags,
                              void *private)
{
    struct path path;
    struct file *file;
    int err = path_create_anon(ops, inode, &path);

    if (err)
        return ERR_PTR(err);
    file = file_alloc();
    if (!file) {
        path_put(&path);
        return ERR_PTR(-ENOMEM);
    }
    anon_bind(file, ops, &path, !inode, flags);
    file->private = private;
    return file;
}

int (*vfs_memory_inode)(umode mode, unsigned int seals, struct inode **out);

struct file *file_create_memory(const char *text, umode mode, int flags, unsigned int seals)
{
    struct name name = {.text = text, .len = (u32)strlen(text)};
    struct inode *inode;
    struct file *file;
    int err = vfs_memory_inode ? vfs_memory_inode(mode, seals, &inode) : -ENODEV;

    if (err)
        return ERR_PTR(err);
    file = file_alloc();
    if (!file) {
        inode_put(inode);
        return ERR_PTR(-ENFILE);
    }
    file->path.dentry = dentry_create(inode->super, NULL, &name, inode);
    if (!file->path.dentry) {
        inode_put(inode);
        file_put(file);
        return ERR_PTR(-ENOMEM);
    }
    file->path.mount = mount_get(anon.mounts[ANON_SHARED]);
    file->inode = inode;
    file->ops = inode->fops;
    file->flags = ((u32)flags & ~(u32)O_ACCMODE) | O_RDWR | O_LARGEFILE;
    file->mode |= FILE_READ | FILE_WRITE;
    return file;
}

bool path_is_anon(const struct path *path)
{
    for (enum anon_kind kind = 0; kind < ANON_KINDS; kind++) {
        if (path->mount == anon.mounts[kind])
            return true;
    }
    return false;
}

int vfs_start(void)
{
    int err = dentry_start();

    if (!err)
        err = mount_start();
    if (!err)
        err = file_start();
    return err ? err : anon_start();
}
