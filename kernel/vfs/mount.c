/* kernel/vfs/mount.c: the tree of mounts, and which mount stands at which place. */
#include "base/hash.h"
#include "task/namespaces.h"
#include "vfs/internal.h"

#define BUCKETS 256

struct bucket {
    struct spinlock lock;   /* class MOUNT_HASH */
    struct list_head chain; /* lock */
};

struct mutex mount_lock;

static struct {
    struct bucket buckets[BUCKETS];
    struct list_head all; /* mount_lock */
    int next_id;          /* atomic */
    u64 next_unique;      /* atomic; above all that struct mount.id can be */
} mounts = {.all = LIST_HEAD_INIT(mounts.all), .next_id = 20, .next_unique = 1UL << 31};

int mount_start(void)
{
    mutex_init(&mount_lock, MOUNT);
    for (u32 i = 0; i < BUCKETS; i++) {
        spin_init(&mounts.buckets[i].lock, MOUNT_HASH);
        list_init(&mounts.buckets[i].chain);
    }
    return 0;
}

static struct bucket *bucket_of(const struct dentry *point)
{
    return &mounts.buckets[hash_u64((uintptr_t)point) % BUCKETS];
}

struct mount *mount_find(const struct path *point)
{
    struct bucket *bucket;
    struct mount *mount;

    if (!(__atomic_load_n(&point->dentry->flags, __ATOMIC_ACQUIRE) & DENTRY_MOUNTED))
        return NULL;

    bucket = bucket_of(point->dentry);
    spin_lock(&bucket->lock);
    list_for_each_entry(mount, &bucket->chain, hash) {
        if (mount->parent == point->mount && mount->point == point->dentry) {
            mount_get(mount);
            spin_unlock(&bucket->lock);
            return mount;
        }
    }
    spin_unlock(&bucket->lock);
    return NULL;
}

void path_mounted(struct path *path)
{
    struct mount *mount;

    while ((mount = mount_find(path))) {
        dentry_put(path->dentry);
        mount_put(path->mount);
        path->mount = mount;
        path->dentry = dentry_get(mount->root);
    }
}

bool path_up_mount(struct path *path)
{
    struct mount *mount = path->mount, *parent;
    struct dentry *point;

    /* parent and point change only with mount_lock held, and rarely: the lock is short. */
    mutex_lock(&mount_lock);
    if (!mount->attached || mount->parent == mount) {
        mutex_unlock(&mount_lock);
        return false;
    }
    parent = mount_get(mount->parent);
    point = dentry_get(mount->point);
    mutex_unlock(&mount_lock);

    path_put(path);
    path->mount = parent;
    path->dentry = point;
    return true;
}

void mount_put(struct mount *mount)
{
    if (!refcount_put(&mount->ref))
        return;
    dentry_put(mount->root);
    super_deactivate(mount->super);
    kfree(mount->source);
    kfree(mount);
}

/* Takes over one activation of super. */
static struct mount *mount_alloc(struct super *super, struct dentry *root, const char *source,
                                 u32 flags)
{
    struct mount *mount = kzalloc(sizeof(*mount));

    if (!mount)
        return NULL;
    mount->source = kstrdup(source && *source ? source : "none");
    if (!mount->source) {
        kfree(mount);
        return NULL;
    }
    refcount_init(&mount->ref, 1);
    mount->flags = flags;
    mount->id = __atomic_fetch_add(&mounts.next_id, 1, __ATOMIC_RELAXED);
    mount->unique = __atomic_fetch_add(&mounts.next_unique, 1, __ATOMIC_RELAXED);
    mount->super = super;
    mount->root = dentry_get(root);
    mount->parent = mount;
    list_init(&mount->hash);
    list_init(&mount->children);
    list_init(&mount->sibling);
    list_init(&mount->all);
    return mount;
}

int mount_create(const char *type_name, const char *source, const char *options, u32 flags,
                 struct mount **out)
{
    struct fs_type *type = fs_type_find(type_name);
    struct super *super;
    int err;

    if (!type)
        return -ENODEV;
    err = type->mount(type, source ? source : "", options ? options : "", &super);
    if (err)
        return err;

    *out = mount_alloc(super, super->root, source, flags);
    if (*out)
        return 0;
    super_deactivate(super);
    return -ENOMEM;
}

struct mount *mount_of_super(struct super *super, const char *source, u32 flags)
{
    struct mount *mount;

    super_activate(super);
    mount = mount_alloc(super, super->root, source, flags);
    if (!mount)
        super_deactivate(super);
    return mount;
}

struct mount *mount_clone(struct mount *from, struct dentry *root)
{
    struct mount *mount;

    super_activate(from->super);
    mount = mount_alloc(from->super, root, from->source, READ_ONCE(from->flags));
    if (!mount)
        super_deactivate(from->super);
    return mount;
}

void mount_attach_locked(struct mount *mount, const struct path *where)
{
    struct bucket *bucket = bucket_of(where->dentry);

    mount->parent = mount_get(where->mount);
    mount->point = dentry_get(where->dentry);
    mount->ns = where->mount->ns;
    mount->attached = true;
    list_add_tail(&mount->sibling, &where->mount->children);
    list_add_tail(&mount->all, &mounts.all);

    spin_lock(&bucket->lock);
    list_add(&mount->hash, &bucket->chain);
    __atomic_fetch_or(&where->dentry->flags, DENTRY_MOUNTED, __ATOMIC_RELEASE);
    spin_unlock(&bucket->lock);
}

/* One of the mounts at the dentry, of whatever parent. The bucket's lock or mount_lock is held. */
static struct mount *mount_at_locked(const struct bucket *bucket, const struct dentry *point)
{
    struct mount *mount;

    list_for_each_entry(mount, &bucket->chain, hash) {
        if (mount->point == point)
            return mount;
    }
    return NULL;
}

bool dentry_is_mount_point(const struct dentry *dentry)
{
    const struct namespaces *mine = self()->namespaces;
    struct bucket *bucket;
    struct mount *mount;
    bool found = false;

    if (!(__atomic_load_n(&dentry->flags, __ATOMIC_ACQUIRE) & DENTRY_MOUNTED))
        return false;

    bucket = bucket_of(dentry);
    spin_lock(&bucket->lock);
    list_for_each_entry(mount, &bucket->chain, hash) {
        if (mount->point == dentry && mount->ns == mine->mounts)
            found = true;
    }
    spin_unlock(&bucket->lock);
    return found;
}

void dentry_detach_mounts(const struct dentry *dentry)
{
    struct bucket *bucket = bucket_of(dentry);

    while (__atomic_load_n(&dentry->flags, __ATOMIC_ACQUIRE) & DENTRY_MOUNTED) {
        struct mount *mount;

        spin_lock(&bucket->lock);
        mount = mount_at_locked(bucket, dentry);
        if (mount)
            mount_get(mount);
        spin_unlock(&bucket->lock);
        if (!mount)
            return;
        mount_tree_detach(mount);
        mount_put(mount);
    }
}

/* The caller puts the reference that the tree had, after mount_lock is released, and the two of the place. */
void mount_detach_locked(struct mount *mount, struct path *place)
{
    struct bucket *bucket = bucket_of(mount->point);

    spin_lock(&bucket->lock);
    list_del(&mount->hash);
    if (!mount_at_locked(bucket, mount->point))
        __atomic_fetch_and(&mount->point->flags, ~(u32)DENTRY_MOUNTED, __ATOMIC_RELEASE);
    spin_unlock(&bucket->lock);
    list_del(&mount->sibling);
    list_del(&mount->all);
    *place = (struct path){.mount = mount->parent, .dentry = mount->point};
    mount->parent = mount;
    mount->point = NULL;
    mount->attached = false;
}

int mount_copy_children_locked(struct mount *from, struct dentry *root, struct mount *copy)
{
    struct mount *child;

    from->twin = copy;
    list_for_each_entry(child, &from->children, sibling) {
        struct path point = {.mount = copy, .dentry = child->point};
        struct mount *twin;
        int err;

        if (child == copy || !dentry_is_below(child->point, root))
            continue;
        twin = mount_clone(child, child->root);
        if (!twin)
            return -ENOMEM;
        mount_attach_locked(twin, &point);
        err = mount_copy_children_locked(child, child->root, twin);
        if (err)
            return err;
    }
    return 0;
}

void mount_top_add_locked(struct mount *mount)
{
    mount->attached = true;
    list_add_tail(&mount->all, &mounts.all);
}

void mount_top_remove_locked(struct mount *mount)
{
    mount->attached = false;
    list_del(&mount->all);
}

void mount_tree_detach(struct mount *mount)
{
    for (;;) {
        struct mount *last = mount;
        struct path place = {0};
        bool done = true;

        /* The innermost first; what it held is put when the lock is released. */
        mutex_lock(&mount_lock);
        while (!list_empty(&last->children))
            last = list_first_entry(&last->children, struct mount, sibling);
        if (last->attached && last->parent != last) {
            mount_detach_locked(last, &place);
            done = last == mount;
        }
        mutex_unlock(&mount_lock);
        if (place.mount) {
            path_put(&place);
            mount_put(last);
        }
        if (done)
            return;
    }
}

int mount_attach(struct mount *mount, const struct path *where)
{
    struct path place = *where;
    int err = 0;

    path_get(&place);
    path_mounted(&place);
    mutex_lock(&mount_lock);
    if (S_ISDIR(path_inode(&place)->mode) != S_ISDIR(mount->root->inode->mode))
        err = -ENOTDIR;
    else if (dentry_unhashed(place.dentry) && place.dentry != place.mount->root)
        err = -ENOENT;
    else
        mount_attach_locked(mount, &place);
    mutex_unlock(&mount_lock);
    path_put(&place);
    if (err)
        mount_put(mount);
    return err;
}

int vfs_mount(const char *type, const char *source, const char *target, const char *options,
              u32 flags)
{
    AUTO_PATH where = {0};
    struct mount *mount;
    int err = path_lookup(AT_FDCWD, target, LOOKUP_FOLLOW, &where);

    if (!err)
        err = mount_create(type, source, options, flags, &mount);
    return err ? err : mount_attach(mount, &where);
}

int mount_as_root(struct mount *mount)
{
    struct path root = {.mount = mount, .dentry = mount->root};

    mutex_lock(&mount_lock);
    mount_top_add_locked(mount);
    mutex_unlock(&mount_lock);

    self()->fs = fs_context_create(&root, 022);
    return self()->fs ? 0 : -ENOMEM;
}

int vfs_mount_root(const char *type, const char *source, const char *options, u32 flags)
{
    struct mount *mount;
    int err = mount_create(type, source, options, flags, &mount);

    return err ? err : mount_as_root(mount);
}

/* Is the mount, or what it stands on, inside the part of the tree that root shows? */
static bool mount_visible(struct mount *mount, const struct path *root)
{
    while (mount != root->mount) {
        if (mount->parent == mount)
            return false;
        if (mount->parent == root->mount)
            return dentry_is_below(mount->point, root->dentry);
        mount = mount->parent;
    }
    return true;
}

int mount_for_each(const struct path *root, int (*func)(struct mount *mount, void *arg), void *arg)
{
    struct mount *mount;
    int err = 0;

    mutex_lock(&mount_lock);
    list_for_each_entry(mount, &mounts.all, all) {
        if (mount_visible(mount, root))
            err = func(mount, arg);
        if (err)
            break;
    }
    mutex_unlock(&mount_lock);
    return err;
}

bool mount_readonly(const struct mount *mount)
{
    return (READ_ONCE(mount->flags) & MOUNT_RDONLY) ||
           (READ_ONCE(mount->super->flags) & SUPER_RDONLY);
}

int mount_want_write(struct mount *mount)
{
    __atomic_fetch_add(&mount->writers, 1, __ATOMIC_SEQ_CST);
    if (!mount_readonly(mount))
        return 0;
    mount_drop_write(mount);
    return -EROFS;
}

void mount_drop_write(struct mount *mount)
{
    __atomic_fetch_sub(&mount->writers, 1, __ATOMIC_RELEASE);
}
