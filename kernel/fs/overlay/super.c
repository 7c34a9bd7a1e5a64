/* kernel/fs/overlay/super.c: mounting an overlay, and the life of its inodes. */
#include "base/hash.h"
#include "fs/overlay/internal.h"

#include <linux/magic.h>

/* Numbers of the upper layer start at 1, as the lower layer's may: this keeps them apart. */
#define UPPER_INO BIT(51)

ino_t overlay_ino(const struct overlay_inode *inode)
{
    return inode->lower ? inode->lower->ino : inode->upper->ino | UPPER_INO;
}

/* ---- the table ---- */

static struct overlay_inode *find_by_upper_locked(struct overlay_super *fs, struct inode *upper)
{
    struct overlay_inode *inode;

    hashtable_for_each_in(inode, &fs->by_upper, hash_ptr(upper), by_upper) {
        if (inode->upper == upper && refcount_get_unless_zero(&inode->inode.ref))
            return inode;
    }
    return NULL;
}

static struct overlay_inode *find_by_lower_locked(struct overlay_super *fs, struct inode *lower)
{
    struct overlay_inode *inode;

    hashtable_for_each_in(inode, &fs->by_lower, hash_ptr(lower), by_lower) {
        if (inode->lower == lower && refcount_get_unless_zero(&inode->inode.ref))
            return inode;
    }
    return NULL;
}

ino_t overlay_upper_ino(struct overlay_super *fs, struct inode *upper)
{
    struct overlay_inode *inode;
    ino_t ino;

    spin_lock(&fs->table);
    inode = find_by_upper_locked(fs, upper);
    spin_unlock(&fs->table);
    if (!inode)
        return upper->ino | UPPER_INO;
    ino = inode->inode.ino;
    inode_put(&inode->inode);
    return ino;
}

static void table_add(struct overlay_super *fs, struct overlay_inode *inode)
{
    spin_lock(&fs->table);
    if (inode->lower)
        hashtable_add(&fs->by_lower, &inode->by_lower, hash_ptr(inode->lower));
    if (inode->upper)
        hashtable_add(&fs->by_upper, &inode->by_upper, hash_ptr(inode->upper));
    spin_unlock(&fs->table);
}

void overlay_pin(struct overlay_inode *inode)
{
    struct overlay_super *fs = overlay_super(&inode->inode);

    spin_lock(&fs->table);
    if (list_empty(&inode->pinned)) {
        inode_get(&inode->inode);
        list_add(&inode->pinned, &fs->pinned);
    }
    spin_unlock(&fs->table);
}

void overlay_unpin(struct overlay_inode *inode)
{
    struct overlay_super *fs = overlay_super(&inode->inode);
    bool pinned;

    spin_lock(&fs->table);
    pinned = !list_empty(&inode->pinned);
    list_del(&inode->pinned);
    spin_unlock(&fs->table);
    if (pinned)
        inode_put(&inode->inode);
}

void overlay_set_upper_locked(struct overlay_inode *inode, struct inode *upper)
{
    struct overlay_super *fs = overlay_super(&inode->inode);

    __atomic_store_n(&inode->upper, upper, __ATOMIC_RELEASE);
    spin_lock(&fs->table);
    hashtable_add(&fs->by_upper, &inode->by_upper, hash_ptr(upper));
    spin_unlock(&fs->table);
}

/* ---- what an inode needs, before it is needed ---- */

int overlay_spare_name(struct overlay_spare *spare, const struct name *name)
{
    spare->name = kstrndup(name->text, name->len);
    return spare->name ? 0 : -ENOMEM;
}

int overlay_spare_get(struct overlay_spare *spare, const struct name *name)
{
    spare->inode = kzalloc(sizeof(*spare->inode));
    return spare->inode ? overlay_spare_name(spare, name) : -ENOMEM;
}

void overlay_spare_put(struct overlay_spare *spare)
{
    kfree(spare->inode);
    kfree(spare->name);
}

/* ---- where an inode is ---- */

void overlay_set_place_locked(struct overlay_inode *inode, struct overlay_inode *parent,
                              struct overlay_spare *spare)
{
    struct overlay_inode *old = inode->parent;

    kfree(inode->name);
    inode->name = TAKE(spare->name);
    inode->parent = overlay_inode(inode_get(&parent->inode));
    if (old)
        inode_put(&old->inode);
}

void overlay_forget_place_locked(struct overlay_inode *inode, struct overlay_inode *parent,
                                 const struct name *name)
{
    if (inode->parent != parent || strlen(inode->name) != name->len ||
        memcmp(inode->name, name->text, name->len) != 0)
        return;
    inode->parent = NULL;
    inode_put(&parent->inode);
}

/* ---- making and freeing ---- */

void overlay_mirror(struct inode *inode)
{
    struct inode *real = overlay_real(inode);

    WRITE_ONCE(inode->mtime, READ_ONCE(real->mtime));
    WRITE_ONCE(inode->ctime, READ_ONCE(real->ctime));
    __atomic_store_n(&inode->size, inode_size(real), __ATOMIC_RELEASE);
}

static struct overlay_inode *inode_alloc(struct super *super, struct inode *lower,
                                         struct inode *upper, struct overlay_spare *spare)
{
    struct inode *real = upper ? upper : lower;
    struct overlay_inode *inode = TAKE(spare->inode);

    if (!inode)
        inode = kzalloc(sizeof(*inode));

    if (!inode)
        return NULL;
    inode_init(&inode->inode, super, real->mode);
    inode->lower = lower;
    inode->upper = upper;
    list_init(&inode->pinned);
    hash_node_init(&inode->by_lower);
    hash_node_init(&inode->by_upper);
    inode->inode.ino = overlay_ino(inode);
    inode->inode.rdev = real->rdev;
    inode->inode.uid = real->uid;
    inode->inode.gid = real->gid;
    inode->inode.nlink = real->nlink;
    inode->inode.atime = real->atime;
    inode->inode.btime = real->btime;
    inode->inode.link = real->link;
    overlay_mirror(&inode->inode);
    inode->inode.ops = S_ISDIR(real->mode) ? &overlay_dir_ops : &overlay_file_ops;
    if (S_ISDIR(real->mode))
        inode->inode.fops = &overlay_dir_fops;
    else if (S_ISREG(real->mode))
        inode->inode.fops = &overlay_file_fops;
    return inode;
}

int overlay_inode_find(struct super *super, struct overlay_inode *parent, const struct name *name,
                       struct inode *lower, struct inode *upper, struct overlay_spare *spare,
                       struct inode **out)
{
    struct overlay_super *fs = super->private;
    struct overlay_spare own = {0};
    struct overlay_inode *inode;
    int err = 0;

    if (!spare)
        spare = &own;

    spin_lock(&fs->table);
    inode = upper ? find_by_upper_locked(fs, upper) : find_by_lower_locked(fs, lower);
    spin_unlock(&fs->table);
    if (inode) {
        inode_put(upper ? upper : lower);
    } else {
        inode = inode_alloc(super, lower, upper, spare);
        if (!inode) {
            inode_put(upper ? upper : lower);
            return -ENOMEM;
        }
        table_add(fs, inode);
    }
    if (parent && !inode->parent) {
        err = spare->name ? 0 : overlay_spare_name(spare, name);
        if (!err)
            overlay_set_place_locked(inode, parent, spare);
    }
    if (err)
        inode_put(&inode->inode);
    else
        *out = &inode->inode;
    return err;
}

static void overlay_inode_release(struct inode *vfs_inode)
{
    struct overlay_inode *inode = overlay_inode(vfs_inode);
    struct overlay_super *fs = overlay_super(vfs_inode);

    spin_lock(&fs->table);
    hashtable_del(&inode->by_lower);
    hashtable_del(&inode->by_upper);
    spin_unlock(&fs->table);
    if (inode->parent)
        inode_put(&inode->parent->inode);
    if (inode->lower)
        inode_put(inode->lower);
    if (inode->upper)
        inode_put(inode->upper);
    kfree(inode->name);
    kfree(inode);
}

/* ---- the file system ---- */

static int overlay_statfs(struct super *super, struct inode *inode, struct kstatfs *out)
{
    struct overlay_super *fs = super->private;
    int err = fs->upper->ops->statfs(fs->upper, fs->upper->root->inode, out);

    out->type = super->magic;
    return err;
}

static void overlay_shutdown(struct super *super)
{
    struct overlay_super *fs = super->private;

    while (fs) {
        struct overlay_inode *inode;

        spin_lock(&fs->table);
        inode = list_first_entry(&fs->pinned, struct overlay_inode, pinned);
        spin_unlock(&fs->table);
        if (!inode)
            return;
        overlay_unpin(inode);
    }
}

static void overlay_release(struct super *super)
{
    struct overlay_super *fs = super->private;

    if (!fs)
        return;
    if (fs->work)
        inode_put(fs->work);
    if (fs->upper)
        super_deactivate(fs->upper);
    super_deactivate(fs->lower);
    kfree(fs);
}

static const struct super_ops overlay_super_ops = {
    .inode_release = overlay_inode_release,
    .statfs = overlay_statfs,
    .shutdown = overlay_shutdown,
    .release = overlay_release,
};

static const struct fs_type overlay_type = {.name = "overlay", .flags = FS_NODEV};

/*
 * The upper layer holds two directories: what is shown, and where objects are made before they are.
 */
static int upper_create(struct overlay_super *fs, const char *options, struct inode **root)
{
    struct inode *lower_root = fs->lower->root->inode, *top;
    struct fs_type *tmpfs = fs_type_find("tmpfs");
    struct name work_name = name_of("work"), root_name = name_of("root");
    int err = tmpfs ? tmpfs->mount(tmpfs, "upper", options, &fs->upper) : -ENODEV;

    if (err)
        return err;
    top = fs->upper->root->inode;
    err = top->ops->create(top, &work_name, S_IFDIR | 0700, 0, &fs->work);
    if (!err)
        err = top->ops->create(top, &root_name, S_IFDIR | (lower_root->mode & 07777), 0, root);
    if (err)
        return err;
    overlay_adopt_upper(fs->work);
    overlay_adopt_upper(*root);
    (*root)->uid = lower_root->uid;
    (*root)->gid = lower_root->gid;
    (*root)->atime = lower_root->atime;
    (*root)->mtime = lower_root->mtime;
    (*root)->ctime = lower_root->ctime;
    return 0;
}

static int overlay_fill(struct super *super, const char *options)
{
    struct overlay_super *fs = super->private;
    struct overlay_inode *root;
    struct inode *upper;
    int err;

    mutex_init(&fs->lock, COPY_UP);
    spin_init(&fs->table, OBJECT);
    hashtable_init(&fs->by_lower, fs->lower_buckets, OVERLAY_BUCKETS);
    hashtable_init(&fs->by_upper, fs->upper_buckets, OVERLAY_BUCKETS);
    list_init(&fs->pinned);
    err = upper_create(fs, options, &upper);
    if (err)
        return err;
    root = inode_alloc(super, inode_get(fs->lower->root->inode), upper, &(struct overlay_spare){0});
    if (!root) {
        inode_put(fs->lower->root->inode);
        inode_put(upper);
        return -ENOMEM;
    }
    table_add(fs, root);
    super->name_max = MIN(fs->lower->name_max, fs->upper->name_max);
    super->max_size = fs->upper->max_size;
    return super_set_root(super, &root->inode);
}

int overlay_super_create(struct super *lower, const char *options, struct super **out)
{
    struct super *super = super_create(&overlay_type, &overlay_super_ops, OVERLAYFS_SUPER_MAGIC);
    struct overlay_super *fs = kzalloc(sizeof(*fs));
    int err = -ENOMEM;

    if (super && fs) {
        super_activate(lower);
        fs->lower = lower;
        super->private = fs;
        err = overlay_fill(super, options);
    } else {
        kfree(fs);
    }
    if (!err)
        *out = super;
    else if (super)
        super_deactivate(super);
    return err;
}
