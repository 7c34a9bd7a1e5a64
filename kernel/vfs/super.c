/* kernel/vfs/super.c: file system types and superblocks. */
#include "vfs/internal.h"

static struct {
    struct spinlock lock; /* class FILES: types, next_minor */
    struct list_head list;
    u32 next_minor;
} types = {.lock = SPINLOCK(FILES), .list = LIST_HEAD_INIT(types.list), .next_minor = 1};

static struct fs_type *type_find_locked(const char *name)
{
    struct fs_type *type;

    list_for_each_entry(type, &types.list, list) {
        if (streq(type->name, name))
            return type;
    }
    return NULL;
}

int fs_type_register(struct fs_type *type)
{
    int err = 0;

    spin_lock(&types.lock);
    if (type_find_locked(type->name))
        err = -EEXIST;
    else
        list_add_tail(&type->list, &types.list);
    spin_unlock(&types.lock);
    return err;
}

struct fs_type *fs_type_find(const char *name)
{
    struct fs_type *type;

    spin_lock(&types.lock);
    type = type_find_locked(name);
    spin_unlock(&types.lock);
    return type;
}

struct fs_type *fs_type_next(const struct fs_type *after)
{
    const struct list_head *next;

    spin_lock(&types.lock);
    next = after ? after->list.next : types.list.next;
    spin_unlock(&types.lock);
    return next == &types.list ? NULL : list_entry((struct list_head *)next, struct fs_type, list);
}

struct super *super_create(const struct fs_type *type, const struct super_ops *ops, u64 magic)
{
    struct super *super = kzalloc(sizeof(*super));

    if (!super)
        return NULL;

    refcount_init(&super->ref, 1);
    refcount_init(&super->active, 1);
    super->type = type;
    super->ops = ops;
    super->magic = magic;
    super->name_max = NAME_MAX;
    super->block_size = PAGE_SIZE;
    super->max_size = INT64_MAX;
    mutex_init(&super->rename_lock, RENAME);
    spin_lock(&types.lock);
    super->dev = dev_make(0, types.next_minor++);
    spin_unlock(&types.lock);
    return super;
}

int super_set_root(struct super *super, struct inode *root)
{
    struct name name = {.text = "/", .len = 1};

    super->root = dentry_create(super, NULL, &name, root);
    if (super->root)
        return 0;
    inode_put(root);
    return -ENOMEM;
}

void super_put(struct super *super)
{
    if (!refcount_put(&super->ref))
        return;
    if (super->ops->release)
        super->ops->release(super);
    kfree(super);
}

void super_activate(struct super *super)
{
    refcount_get(&super->active);
}

void super_deactivate(struct super *super)
{
    if (!refcount_put(&super->active))
        return;

    /* Names hold inodes, and inodes the super: the names go first. */
    if (super->ops->sync)
        super->ops->sync(super);
    dentry_prune_super(super);
    if (super->ops->shutdown)
        super->ops->shutdown(super);
    if (super->root)
        dentry_put(super->root);
    super_put(super);
}

/* ---- mount options ---- */

int options_for_each(const char *options, int (*set)(void *arg, const char *key, const char *value),
                     void *arg)
{
    char *copy = kstrdup(options), *at = copy;
    int err = 0;

    if (!copy)
        return -ENOMEM;
    while (!err && at && *at) {
        char *next = strchr(at, ','), *value;

        if (next)
            *next++ = '\0';
        value = strchr(at, '=');
        if (value)
            *value++ = '\0';
        if (*at)
            err = set(arg, at, value);
        at = next;
    }
    kfree(copy);
    return err;
}
