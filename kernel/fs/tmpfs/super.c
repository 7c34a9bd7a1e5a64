/* kernel/fs/tmpfs/super.c: tmpfs(5): mounting, options, limits, life of inodes. */
#include "base/parse.h"
#include "fs/tmpfs/internal.h"
#include "base/fmt.h"

#include <linux/fcntl.h>
#include <linux/magic.h>

static struct super *internal_super; /* constant after the start; for files without a name */

static bool number_before(const struct rb_node *a, const struct rb_node *b)
{
    return rb_entry((struct rb_node *)a, struct tmpfs_inode, all)->inode.ino <
           rb_entry((struct rb_node *)b, struct tmpfs_inode, all)->inode.ino;
}

static int number_compare(const void *key, const struct rb_node *node)
{
    ino_t ino = *(const ino_t *)key;
    const struct tmpfs_inode *inode = rb_entry((struct rb_node *)node, struct tmpfs_inode, all);

    return ino < inode->inode.ino ? -1 : ino > inode->inode.ino;
}

struct inode *tmpfs_inode_create(struct super *super, umode mode, dev_t rdev)
{
    struct tmpfs_super *fs = super->private;
    struct tmpfs_inode *inode;
    bool full;

    spin_lock(&fs->lock);
    full = fs->max_inodes && fs->inodes >= fs->max_inodes;
    fs->inodes += !full;
    spin_unlock(&fs->lock);
    if (full)
        return ERR_PTR(-ENOSPC);

    inode = kzalloc(sizeof(*inode));
    if (inode && S_ISREG(mode))
        inode->obj = memobj_create();
    if (!inode || (S_ISREG(mode) && !inode->obj)) {
        kfree(inode);
        spin_lock(&fs->lock);
        fs->inodes--;
        spin_unlock(&fs->lock);
        return ERR_PTR(-ENOMEM);
    }
    inode_init(&inode->inode, super, mode);
    inode->inode.ino = __atomic_add_fetch(&fs->next_ino, 1, __ATOMIC_RELAXED);
    inode->inode.rdev = rdev;
    spin_init(&inode->lock, OBJECT);
    list_init(&inode->xattrs);
    rb_tree_init(&inode->names, NULL);
    rb_tree_init(&inode->cookies, NULL);
    inode->next_cookie = COOKIE_FIRST;
    inode->seals = F_SEAL_SEAL; /* only memfd_create gives files that can be sealed */
    if (S_ISDIR(mode)) {
        inode->inode.ops = &tmpfs_dir_ops;
        inode->inode.fops = &tmpfs_dir_fops;
        inode->inode.nlink = 2;
    } else if (S_ISREG(mode)) {
        inode->inode.ops = &tmpfs_file_ops;
        inode->inode.fops = &tmpfs_file_fops;
    } else {
        inode->inode.ops = &tmpfs_node_ops;
    }
    spin_lock(&fs->lock);
    rb_insert(&fs->all, &inode->all, number_before);
    spin_unlock(&fs->lock);
    return &inode->inode;
}

static void tmpfs_inode_release(struct inode *vfs_inode)
{
    struct tmpfs_inode *inode = tmpfs_inode(vfs_inode);
    struct tmpfs_super *fs = tmpfs_super(vfs_inode);

    spin_lock(&fs->lock);
    rb_erase(&fs->all, &inode->all);
    fs->inodes--;
    fs->bytes -= inode->charged;
    fs->pledged -= inode->pledged;
    spin_unlock(&fs->lock);
    tmpfs_dir_clear(inode);
    tmpfs_xattr_clear(inode);
    if (inode->obj)
        memobj_put(inode->obj);
    kfree(inode->inode.link);
    kfree(inode);
}

static int tmpfs_inode_find(struct super *super, ino_t ino, struct inode **out)
{
    struct tmpfs_super *fs = super->private;
    struct tmpfs_inode *inode;
    bool found;

    spin_lock(&fs->lock);
    inode = rb_entry_or_null(rb_find(&fs->all, &ino, number_compare), struct tmpfs_inode, all);
    found = inode && refcount_get_unless_zero(&inode->inode.ref);
    spin_unlock(&fs->lock);
    if (!found)
        return -ESTALE;
    *out = &inode->inode;
    return 0;
}

struct tmpfs_inode *tmpfs_next_inode(struct tmpfs_super *fs, ino_t after)
{
    struct tmpfs_inode *inode;
    ino_t ino = after + 1;

    spin_lock(&fs->lock);
    inode = rb_entry_or_null(rb_find_from(&fs->all, &ino, number_compare), struct tmpfs_inode, all);
    while (inode && !refcount_get_unless_zero(&inode->inode.ref))
        inode = rb_next_entry(inode, all);
    spin_unlock(&fs->lock);
    return inode;
}

static int tmpfs_statfs(struct super *super, struct inode *inode, struct kstatfs *out)
{
    struct tmpfs_super *fs = super->private;

    *out = (struct kstatfs){
        .type = super->magic, .bsize = PAGE_SIZE, .frsize = PAGE_SIZE, .namelen = super->name_max};
    spin_lock(&fs->lock);
    if (fs->max_bytes) {
        out->blocks = fs->max_bytes / PAGE_SIZE;
        out->bfree = fs->max_bytes > fs->bytes ? (fs->max_bytes - fs->bytes) / PAGE_SIZE : 0;
        out->bavail = out->bfree;
    }
    if (fs->max_inodes) {
        out->files = fs->max_inodes;
        out->ffree = fs->max_inodes - MIN(fs->inodes, fs->max_inodes);
    }
    spin_unlock(&fs->lock);
    return 0;
}

/* All mounts are gone, so no file is open: the directories let go of what they hold. */
static void tmpfs_shutdown(struct super *super)
{
    struct tmpfs_super *fs = super->private;

    for (;;) {
        struct tmpfs_inode *at, *dir = NULL;

        spin_lock(&fs->lock);
        rb_for_each_entry(at, &fs->all, all) {
            if (!rb_empty(&at->names)) {
                dir = at;
                inode_get(&at->inode);
                break;
            }
        }
        spin_unlock(&fs->lock);
        if (!dir)
            return;
        tmpfs_dir_clear(dir);
        inode_put(&dir->inode);
    }
}

static void tmpfs_release(struct super *super)
{
    kfree(super->private);
}

/* ---- options: size=, nr_blocks=, nr_inodes=, mode=, uid=, gid= ---- */

static int set_number(u64 *field, const char *value)
{
    return strtosize(value, field) ? -EINVAL : 0;
}

static int set_option(void *arg, const char *key, const char *value)
{
    struct tmpfs_super *fs = arg;
    u64 number;
    int err;

    if (!value)
        return streq(key, "defaults") || streq(key, "rw") || streq(key, "ro") ? 0 : -EINVAL;
    if (streq(key, "size")) {
        err = set_number(&number, value);
        fs->max_bytes = err ? fs->max_bytes : ALIGN_UP(number, PAGE_SIZE);
    } else if (streq(key, "nr_blocks")) {
        err = set_number(&number, value);
        fs->max_bytes = err ? fs->max_bytes : number * PAGE_SIZE;
    } else if (streq(key, "nr_inodes")) {
        err = set_number(&fs->max_inodes, value);
    } else if (streq(key, "mode")) {
        err = strtou64(value, 8, &number) ? -EINVAL : 0;
        fs->root_mode = err ? fs->root_mode : (umode)number & 07777;
    } else if (streq(key, "uid")) {
        err = strtou32(value, 10, &fs->root_uid) ? -EINVAL : 0;
    } else if (streq(key, "gid")) {
        err = strtou32(value, 10, &fs->root_gid) ? -EINVAL : 0;
    } else {
        /* huge=, mpol= and inode32 say where pages come from; there is nothing to choose here. */
        err = streq(key, "huge") || streq(key, "mpol") ? 0 : -EINVAL;
    }
    return err;
}

static int tmpfs_remount(struct super *super, const char *options)
{
    struct tmpfs_super *fs = super->private;
    struct tmpfs_super wanted = *fs;
    int err = options_for_each(options, set_option, &wanted);

    if (err)
        return err;
    spin_lock(&fs->lock);
    if ((wanted.max_bytes && wanted.max_bytes < fs->bytes) ||
        (wanted.max_inodes && wanted.max_inodes < fs->inodes)) {
        err = -EINVAL;
    } else {
        fs->max_bytes = wanted.max_bytes;
        fs->max_inodes = wanted.max_inodes;
    }
    spin_unlock(&fs->lock);
    if (!err)
        tmpfs_recheck(fs);
    return err;
}

static int tmpfs_show_options(struct super *super, char *buf, size_t size)
{
    struct tmpfs_super *fs = super->private;
    int len = 0;

    if (size > 0)
        *buf = '\0';
    if (fs->max_bytes)
        len += scnprintf(buf + len, size - (size_t)len, ",size=%lluk", fs->max_bytes / 1024);
    if (fs->max_inodes)
        len += scnprintf(buf + len, size - (size_t)len, ",nr_inodes=%llu", fs->max_inodes);
    if (fs->root_mode != 01777)
        len += scnprintf(buf + len, size - (size_t)len, ",mode=%o", fs->root_mode);
    return len;
}

static const struct super_ops tmpfs_super_ops = {
    .inode_release = tmpfs_inode_release,
    .statfs = tmpfs_statfs,
    .show_options = tmpfs_show_options,
    .remount = tmpfs_remount,
    .inode_find = tmpfs_inode_find,
    .dir_name = tmpfs_dir_name,
    .shutdown = tmpfs_shutdown,
    .release = tmpfs_release,
};

static int tmpfs_fill(struct super *super, const char *options)
{
    struct tmpfs_super *fs = super->private;
    struct inode *root;
    int err;

    spin_init(&fs->lock, OBJECT);
    rb_tree_init(&fs->all, NULL);
    fs->super = super;
    fs->root_mode = 01777;
    err = options_for_each(options, set_option, fs);
    if (err)
        return err;
    root = tmpfs_inode_create(super, S_IFDIR | fs->root_mode, 0);
    if (IS_ERR(root))
        return (int)PTR_ERR(root);
    root->uid = fs->root_uid;
    root->gid = fs->root_gid;
    tmpfs_inode(root)->parent = root;
    return super_set_root(super, root);
}

static int tmpfs_mount(const struct fs_type *type, const char *source, const char *options,
                       struct super **out)
{
    struct super *super = super_create(type, &tmpfs_super_ops, TMPFS_MAGIC);
    int err;

    if (!super)
        return -ENOMEM;
    super->private = kzalloc(sizeof(struct tmpfs_super));
    err = super->private ? tmpfs_fill(super, options) : -ENOMEM;
    if (err)
        super_put(super);
    else
        *out = super;
    return err;
}

static struct fs_type tmpfs_type = {.name = "tmpfs", .mount = tmpfs_mount, .flags = FS_NODEV};

/* For memfd_create and shared memory: a file without a name, in an instance of its own without limits. */
static int create_memory_inode(umode mode, unsigned int seals, struct inode **out)
{
    struct inode *inode = tmpfs_inode_create(internal_super, S_IFREG | (mode & 07777), 0);

    if (IS_ERR(inode))
        return (int)PTR_ERR(inode);
    inode->nlink = 0;
    inode_init_owner(inode, internal_super->root->inode);
    tmpfs_inode(inode)->seals = seals;
    *out = inode;
    return 0;
}

int tmpfs_start(void)
{
    int err = fs_type_register(&tmpfs_type);

    if (!err)
        err = tmpfs_mount(&tmpfs_type, "tmpfs", "", &internal_super);
    if (!err)
        vfs_memory_inode = create_memory_inode;
    return err;
}
