/* kernel/vfs/path.c: the text of a path, as getcwd(2) and /proc show it. */
#include "base/fmt.h"
#include "vfs/internal.h"

/* Text that grows towards the front of a buffer. */
struct backward {
    char *start, *at;
};

static bool prepend(struct backward *text, const char *part, size_t len)
{
    if ((size_t)(text->at - text->start) < len)
        return false;
    text->at -= len;
    memcpy(text->at, part, len);
    return true;
}

/* "/" and the dentry's name in front. */
static bool prepend_name(struct backward *text, struct dentry *dentry)
{
    bool fits;

    spin_lock(&dentry->lock);
    fits = prepend(text, dentry->name.text, dentry->name.len);
    spin_unlock(&dentry->lock);
    return fits && prepend(text, "/", 1);
}

/* All names from root (or the top) to the path. 0, -ENAMETOOLONG, or 1: root was not met. */
static int prepend_path(struct backward *text, const struct path *path, const struct path *root)
{
    AUTO_PATH at = *path;

    path_get(&at);
    while (!path_equal(&at, root)) {
        struct dentry *parent;

        if (at.dentry == at.mount->root) {
            if (path_up_mount(&at))
                continue;
            return 1;
        }
        parent = dentry_parent(at.dentry);
        if (parent == at.dentry) {
            dentry_put(parent);
            return 1;
        }
        if (!prepend_name(text, at.dentry)) {
            dentry_put(parent);
            return -ENAMETOOLONG;
        }
        dentry_put(at.dentry);
        at.dentry = parent;
    }
    return 0;
}

char *path_text(const struct path *path, const struct path *root, char *buf, size_t size)
{
    struct backward text = {.start = buf, .at = buf + size};
    bool deleted = dentry_unhashed(path->dentry) && path->dentry != path->mount->root;
    char *names_end;
    int err;

    if (!prepend(&text, "", 1) || (deleted && !prepend(&text, " (deleted)", 10)))
        return ERR_PTR(-ENAMETOOLONG);
    names_end = text.at;
    /* A root that is in no table: a file of memory, shown as "/memfd:x (deleted)". */
    if (path->dentry->parent == path->dentry && path->dentry != path->mount->root)
        return prepend_name(&text, path->dentry) ? text.at : ERR_PTR(-ENAMETOOLONG);

    err = prepend_path(&text, path, root);
    if (err < 0)
        return ERR_PTR(err);
    if (text.at == names_end && !prepend(&text, "/", 1))
        return ERR_PTR(-ENAMETOOLONG);
    if (err > 0 && !prepend(&text, "(unreachable)", 13))
        return ERR_PTR(-ENAMETOOLONG);
    return text.at;
}

char *dentry_text(struct dentry *dentry, char *buf, size_t size)
{
    struct backward text = {.start = buf, .at = buf + size};
    AUTO(dentry_put) struct dentry *at = dentry_get(dentry);

    if (!prepend(&text, "", 1))
        return ERR_PTR(-ENAMETOOLONG);
    for (;;) {
        struct dentry *parent = dentry_parent(at);
        bool fits = parent == at || prepend_name(&text, at);
        bool top = parent == at;

        dentry_put(at);
        at = parent;
        if (!fits)
            return ERR_PTR(-ENAMETOOLONG);
        if (top)
            break;
    }
    if (*text.at == '\0' && !prepend(&text, "/", 1))
        return ERR_PTR(-ENAMETOOLONG);
    return text.at;
}

char *file_text(struct file *file, const struct path *root, char *buf, size_t size)
{
    int len;

    if (!file->ops->name || !path_is_anon(&file->path))
        return path_text(&file->path, root, buf, size);
    if (file->mode & FILE_ANON)
        len = snprintf(buf, size, "anon_inode:%s", file->ops->name);
    else
        len = snprintf(buf, size, "%s:[%lu]", file->ops->name, (unsigned long)file->inode->ino);
    return (size_t)len < size ? buf : ERR_PTR(-ENAMETOOLONG);
}
