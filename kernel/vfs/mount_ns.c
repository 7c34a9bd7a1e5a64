/* kernel/vfs/mount_ns.c: mount_namespaces(7), and pivot_root(2). */
#include "task/namespaces.h"
#include "task/task.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

static struct mount *top_of_locked(struct mount *mount)
{
    while (mount->parent != mount)
        mount = mount->parent;
    return mount;
}

/* The same place in the copied tree, counted. A mount that was outside of the tree has no twin. */
static struct path twin_of(const struct path *path)
{
    struct path twin = {.mount = path->mount->twin ? path->mount->twin : path->mount,
                        .dentry = path->dentry};

    path_get(&twin);
    return twin;
}

static void forget_twins(struct mount *mount)
{
    struct mount *child;

    mount->twin = NULL;
    list_for_each_entry(child, &mount->children, sibling)
        forget_twins(child);
}

int mount_ns_copy(struct fs_context *fs, struct mount_ns **out)
{
    struct mount_ns *ns = kzalloc(sizeof(*ns));
    struct path root, cwd;
    struct mount *top;
    int err;

    if (!ns)
        return -ENOMEM;
    refcount_init(&ns->ref, 1);

    mutex_lock(&mount_lock);
    top = top_of_locked(fs->root.mount);
    ns->top = mount_clone(top, top->root);
    if (ns->top)
        ns->top->ns = ns;
    err = ns->top ? mount_copy_children_locked(top, top->root, ns->top) : -ENOMEM;
    if (!err)
        mount_top_add_locked(ns->top);
    root = twin_of(&fs->root);
    cwd = twin_of(&fs->cwd);
    forget_twins(top);
    mutex_unlock(&mount_lock);

    if (!err) {
        fs_set_root(fs, &root);
        fs_set_cwd(fs, &cwd);
        *out = ns;
    } else {
        if (ns->top) {
            mount_tree_detach(ns->top);
            mount_put(ns->top);
        }
        kfree(ns);
    }
    path_put(&root);
    path_put(&cwd);
    return err;
}

void mount_ns_put(struct mount_ns *ns)
{
    if (!refcount_put(&ns->ref))
        return;
    mount_tree_detach(ns->top);
    mutex_lock(&mount_lock);
    mount_top_remove_locked(ns->top);
    mutex_unlock(&mount_lock);
    mount_put(ns->top);
    kfree(ns);
}

/* ---- pivot_root ---- */

/* All threads whose root or working directory was the old root go to the new one. Returns how many did. */
static u32 move_threads(const struct path *old, const struct path *new)
{
    struct process *process;
    struct task *task;
    u32 moved = 0;

    spin_lock(&tasks_lock);
    for_each_process(process) {
        for_each_thread(task, process) {
            struct fs_context *fs = task->self ? task->self->fs : NULL;

            if (!fs)
                continue;
            spin_lock(&fs->lock);
            for (struct path *at = &fs->root; at; at = at == &fs->root ? &fs->cwd : NULL) {
                if (!path_equal(at, old))
                    continue;
                *at = *new;
                path_get(new);
                moved++;
            }
            spin_unlock(&fs->lock);
        }
    }
    spin_unlock(&tasks_lock);
    return moved;
}

static bool is_mount_root(const struct path *path)
{
    return path->dentry == path->mount->root;
}

/* put lies in new's tree, at or below new itself. */
static bool is_inside(const struct path *put, const struct path *new)
{
    struct mount *mount = put->mount;
    struct dentry *dentry = put->dentry;

    while (mount != new->mount) {
        if (mount->parent == mount)
            return false;
        dentry = mount->point;
        mount = mount->parent;
    }
    return dentry_is_below(dentry, new->dentry);
}

static int pivot_check_locked(const struct path *root, const struct path *new,
                              const struct path *put)
{
    if (root->mount == new->mount || root->mount == put->mount)
        return -EBUSY;
    if (!is_mount_root(root) || !is_mount_root(new) || !root->mount->attached ||
        !new->mount->attached || new->mount->parent == new->mount)
        return -EINVAL;
    if (!is_inside(put, new) || !is_inside(new, root))
        return -EINVAL;
    return dentry_unhashed(put->dentry) && !is_mount_root(put) ? -ENOENT : 0;
}

/* The new root takes the old one's place, and the old one is mounted at put. *gone: places to be put. */
static void pivot_locked(const struct path *root, const struct path *new, const struct path *put,
                         struct path gone[2])
{
    struct mount_ns *ns = self()->namespaces->mounts;

    mount_detach_locked(new->mount, &gone[0]);
    if (root->mount->parent != root->mount) {
        mount_detach_locked(root->mount, &gone[1]);
        mount_attach_locked(new->mount, &gone[1]);
    } else {
        mount_top_remove_locked(root->mount);
        mount_top_add_locked(new->mount);
        if (ns && ns->top == root->mount)
            ns->top = new->mount;
    }
    mount_attach_locked(root->mount, put);
}

static int pivot(const struct path *new, const struct path *put)
{
    AUTO_PATH root = {0};
    struct path gone[2] = {0};
    u32 moved = 0;
    int err;

    fs_root(&root);
    mutex_lock(&mount_lock);
    err = pivot_check_locked(&root, new, put);
    if (!err) {
        pivot_locked(&root, new, put, gone);
        moved = move_threads(&root, new);
    }
    mutex_unlock(&mount_lock);
    for (; moved > 0; moved--)
        path_put(&root);
    path_release(&gone[0]);
    path_release(&gone[1]);
    return err;
}

long sys_pivot_root(const char __user *new_root, const char __user *put_old)
{
    AUTO_PATH new = {0}, put = {0};
    int err;

    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    err = path_lookup_user(AT_FDCWD, new_root, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new);
    if (!err)
        err = path_lookup_user(AT_FDCWD, put_old, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &put);
    return err ? err : pivot(&new, &put);
}
