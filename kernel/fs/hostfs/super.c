/* kernel/fs/hostfs/super.c: mounting a directory of the host, and the life of its inodes. */
#include "base/hash.h"
#include "fs/hostfs/internal.h"

#include "host/clock.h"

#define HOSTFS_MAGIC 0x00c0ffee /* statfs(2): what Linux calls a host file system */

static u64 key_of(u64 dev, u64 ino)
{
    return hash_u64(ino ^ hash_u64(dev));
}

/*
 * Numbers must be unique in a mount, though the host directory may hold several file systems. They
 * stay below 2^51: overlay has the bit above, and programs keep numbers in doubles.
 */
ino_t hostfs_ino(const struct hostfs_super *fs, u64 dev, u64 ino)
{
    return dev == fs->dev ? ino : ino ^ (hash_u64(dev) & 0x7fff) << 36;
}

/* A number may come to stand for another object once the old one is removed. */
bool hostfs_same(const struct hostfs_inode *inode, const struct host_stat *st)
{
    return inode->dev == st->dev && inode->ino == st->ino && inode->inode.btime == st->btime &&
           (inode->inode.mode & S_IFMT) == (st->mode & S_IFMT);
}

void hostfs_refresh(struct inode *inode, const struct host_stat *st)
{
    WRITE_ONCE(inode->mode, st->mode);
    WRITE_ONCE(inode->uid, st->uid);
    WRITE_ONCE(inode->gid, st->gid);
    WRITE_ONCE(inode->nlink, st->nlink);
    WRITE_ONCE(inode->atime, st->atime);
    WRITE_ONCE(inode->mtime, st->mtime);
    WRITE_ONCE(inode->ctime, st->ctime);
    __atomic_store_n(&inode->size, st->size, __ATOMIC_RELEASE);
    WRITE_ONCE(hostfs_inode(inode)->blocks, st->blocks);
    WRITE_ONCE(hostfs_inode(inode)->blksize, st->blksize);
    WRITE_ONCE(hostfs_inode(inode)->checked, host_clock_read(HOST_CLOCK_MONOTONIC));
}

static struct hostfs_inode *inode_alloc(struct super *super, const struct host_stat *st)
{
    struct hostfs_super *fs = super->private;
    struct hostfs_inode *inode = kzalloc(sizeof(*inode));

    if (!inode)
        return NULL;
    inode_init(&inode->inode, super, st->mode);
    inode->inode.ino = hostfs_ino(fs, st->dev, st->ino);
    inode->inode.btime = st->btime;
    inode->inode.rdev = dev_make((u32)(st->rdev >> 32), (u32)st->rdev);
    inode->inode.flags = INODE_NOATIME; /* the host does it, if anyone */
    inode->dev = st->dev;
    inode->ino = st->ino;
    inode->path_file = -1;
    list_init(&inode->lru);
    list_init(&inode->kept);
    list_init(&inode->idle);
    inode->entries_mtime = st->mtime;
    inode->entries_checked = host_clock_read(HOST_CLOCK_MONOTONIC);
    hash_node_init(&inode->node);
    switch (st->mode & S_IFMT) {
    case S_IFDIR:
        inode->inode.ops = &hostfs_dir_ops;
        inode->inode.fops = &hostfs_dir_fops;
        break;
    case S_IFLNK:
        inode->inode.ops = &hostfs_link_ops;
        break;
    case S_IFREG:
        inode->inode.ops = &hostfs_file_ops;
        inode->inode.fops = &hostfs_file_fops;
        break;
    default:
        /* Devices, sockets and FIFOs of the host are seen, and no more: ours are made inside. */
        inode->inode.ops = &hostfs_file_ops;
    }
    hostfs_refresh(&inode->inode, st);
    return inode;
}

static struct hostfs_inode *inode_find_locked(struct hostfs_super *fs, const struct host_stat *st)
{
    struct hostfs_inode *inode;

    hashtable_for_each_in(inode, &fs->inodes, key_of(st->dev, st->ino), node) {
        if (inode->dev != st->dev || inode->ino != st->ino)
            continue;
        if (hostfs_same(inode, st) && refcount_get_unless_zero(&inode->inode.ref))
            return inode;
    }
    return NULL;
}

int hostfs_inode_find(struct super *super, struct hostfs_inode *parent, const char *name,
                      const struct host_stat *st, struct inode **out)
{
    struct hostfs_super *fs = super->private;
    AUTO(inode_put) struct inode *old_parent = NULL;
    char *text = kstrdup(name);
    struct hostfs_inode *inode;

    if (!text)
        return -ENOMEM;
    mutex_lock(&hostfs_lock);
    inode = inode_find_locked(fs, st);
    if (inode) {
        hostfs_refresh(&inode->inode, st);
    } else {
        inode = inode_alloc(super, st);
        if (inode)
            hashtable_add(&fs->inodes, &inode->node, key_of(st->dev, st->ino));
    }
    /* The newest name is the one that is most likely still there. */
    if (inode && parent && inode != parent &&
        (inode->parent != parent || !inode->name || !streq(inode->name, text))) {
        char *old = inode->name;

        old_parent = inode->parent ? &inode->parent->inode : NULL;
        inode->parent = hostfs_inode(inode_get(&parent->inode));
        inode->name = text;
        text = old;
    }
    mutex_unlock(&hostfs_lock);
    kfree(text);
    if (!inode)
        return -ENOMEM;
    *out = &inode->inode;
    return 0;
}

void hostfs_set_place(struct inode *inode, struct inode *parent, char *name)
{
    struct hostfs_inode *own = hostfs_inode(inode), *old_parent;
    char *old_name;

    mutex_lock(&hostfs_lock);
    old_parent = own->parent;
    old_name = own->name;
    own->parent = hostfs_inode(inode_get(parent));
    own->name = name;
    mutex_unlock(&hostfs_lock);
    if (old_parent)
        inode_put(&old_parent->inode);
    kfree(old_name);
}

void hostfs_need_place(struct inode *inode, struct inode *parent, const struct name *name)
{
    char *text;

    if (READ_ONCE(hostfs_inode(inode)->parent))
        return;
    text = kstrndup(name->text, name->len);
    if (text)
        hostfs_set_place(inode, parent, text);
}

void hostfs_forget_place(struct inode *inode, struct inode *parent, const struct name *name)
{
    struct hostfs_inode *own = hostfs_inode(inode);
    bool forget;

    mutex_lock(&hostfs_lock);
    forget = own->parent == hostfs_inode(parent) && strlen(own->name) == name->len &&
             memcmp(own->name, name->text, name->len) == 0;
    if (forget)
        own->parent = NULL;
    mutex_unlock(&hostfs_lock);
    if (forget)
        inode_put(parent);
}

static void hostfs_inode_release(struct inode *vfs_inode)
{
    struct hostfs_inode *inode = hostfs_inode(vfs_inode);

    mutex_lock(&hostfs_lock);
    hashtable_del(&inode->node);
    mutex_unlock(&hostfs_lock);
    hostfs_descriptors_release(inode);
    if (inode->parent)
        inode_put(&inode->parent->inode);
    kfree(inode->name);
    kfree(inode->inode.link);
    kfree(inode);
}

static int hostfs_statfs(struct super *super, struct inode *inode, struct kstatfs *out)
{
    struct host_statfs fs;
    int file = hostfs_pin(super->root->inode);
    int err;

    if (file < 0)
        return file;
    err = host_file_statfs(file, &fs);
    hostfs_unpin(super->root->inode);
    if (err)
        return err;
    *out = (struct kstatfs){
        .type = fs.type,
        .bsize = fs.bsize,
        .blocks = fs.blocks,
        .bfree = fs.bfree,
        .bavail = fs.bavail,
        .files = fs.files,
        .ffree = fs.ffree,
        .namelen = fs.namelen,
        .frsize = fs.frsize,
    };
    return 0;
}

static void hostfs_release(struct super *super)
{
    kfree(super->private);
}

static const struct super_ops hostfs_super_ops = {
    .inode_release = hostfs_inode_release,
    .statfs = hostfs_statfs,
    .release = hostfs_release,
};

/* mount(2) by a program: it has no descriptor of the host's to give. */
static int hostfs_mount(const struct fs_type *type, const char *source, const char *options,
                        struct super **out)
{
    return -EPERM;
}

static struct fs_type hostfs_type = {.name = "hostfs", .mount = hostfs_mount, .flags = FS_NODEV};

static int hostfs_fill(struct super *super, int file, bool writable)
{
    struct hostfs_super *fs = super->private;
    struct host_stat st;
    struct inode *root;
    int err = host_file_stat(file, "", &st);

    if (err)
        return err;
    if (!S_ISDIR(st.mode))
        return -ENOTDIR;
    hashtable_init(&fs->inodes, fs->buckets, HOSTFS_BUCKETS);
    fs->super = super;
    fs->writable = writable;
    fs->dev = st.dev;
    if (!writable)
        super->flags |= SUPER_RDONLY;
    super->flags |= SUPER_NODEV;
    err = hostfs_inode_find(super, NULL, "", &st, &root);
    if (err)
        return err;
    hostfs_inode(root)->path_file = file;
    err = super_set_root(super, root);
    return err;
}

int hostfs_super_create(int file, bool writable, struct super **out)
{
    struct super *super = super_create(&hostfs_type, &hostfs_super_ops, HOSTFS_MAGIC);
    int err = super ? 0 : -ENOMEM;

    if (!err) {
        super->private = kzalloc(sizeof(struct hostfs_super));
        err = super->private ? hostfs_fill(super, file, writable) : -ENOMEM;
    }
    if (!err) {
        *out = super;
        return 0;
    }
    if (super)
        super_put(super);
    host_file_close(file);
    return err;
}

int hostfs_start(u64 descriptors)
{
    hostfs_descriptors_start(descriptors);
    return fs_type_register(&hostfs_type);
}
