/* kernel/vfs/fs_context.c: root, working directory and umask of a thread. */
#include "task/task.h"
#include "vfs/internal.h"

struct fs_context *fs_context_create(const struct path *root, umode umask)
{
    struct fs_context *fs = kzalloc(sizeof(*fs));

    if (!fs)
        return NULL;
    refcount_init(&fs->ref, 1);
    spin_init(&fs->lock, FS_CONTEXT);
    fs->root = fs->cwd = *root;
    path_get(root);
    path_get(root);
    fs->umask = umask;
    return fs;
}

struct fs_context *fs_context_copy(struct fs_context *from)
{
    struct fs_context *fs = kzalloc(sizeof(*fs));

    if (!fs)
        return NULL;
    refcount_init(&fs->ref, 1);
    spin_init(&fs->lock, FS_CONTEXT);
    spin_lock(&from->lock);
    fs->root = from->root;
    fs->cwd = from->cwd;
    fs->umask = from->umask;
    path_get(&fs->root);
    path_get(&fs->cwd);
    spin_unlock(&from->lock);
    return fs;
}

void fs_context_put(struct fs_context *fs)
{
    if (!refcount_put(&fs->ref))
        return;
    path_put(&fs->root);
    path_put(&fs->cwd);
    kfree(fs);
}

int fs_context_unshare(void)
{
    struct fs_context *fs = self()->fs, *own;

    if (refcount_read(&fs->ref) == 1)
        return 0;
    own = fs_context_copy(fs);
    if (!own)
        return -ENOMEM;
    spin_lock(&tasks_lock); /* /proc may be looking */
    self()->fs = own;
    spin_unlock(&tasks_lock);
    fs_context_put(fs);
    return 0;
}

void fs_root(struct path *out)
{
    struct fs_context *fs = self()->fs;

    spin_lock(&fs->lock);
    *out = fs->root;
    path_get(out);
    spin_unlock(&fs->lock);
}

void fs_cwd(struct path *out)
{
    struct fs_context *fs = self()->fs;

    spin_lock(&fs->lock);
    *out = fs->cwd;
    path_get(out);
    spin_unlock(&fs->lock);
}

static void fs_set(struct fs_context *fs, struct path *place, const struct path *path)
{
    struct path old;

    path_get(path);
    spin_lock(&fs->lock);
    old = *place;
    *place = *path;
    spin_unlock(&fs->lock);
    path_put(&old);
}

void fs_set_root(struct fs_context *fs, const struct path *root)
{
    fs_set(fs, &fs->root, root);
}

void fs_set_cwd(struct fs_context *fs, const struct path *cwd)
{
    fs_set(fs, &fs->cwd, cwd);
}
