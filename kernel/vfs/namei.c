/*
 * kernel/vfs/namei.c: the path walk, path_resolution(7) and symlink(7).
 *
 * The walk holds one path, where it is, and moves it component by component. A symbolic link's text
 * is walked from a frame of its own; what is left of the outer text waits in the frame.
 */
#include "vfs/internal.h"

#include "abi/newer.h"

void path_get(const struct path *path)
{
    mount_get(path->mount);
    dentry_get(path->dentry);
}

void path_put(const struct path *path)
{
    dentry_put(path->dentry);
    mount_put(path->mount);
}

int pathname_get(struct pathname *name, const char __user *text)
{
    ssize_t len = strncpy_from_user(name->buf, text, sizeof(name->buf));

    name->text = name->buf;
    if (len < 0)
        return (int)len;
    name->len = (size_t)len;
    if (name->len < sizeof(name->buf))
        return 0;

    name->text = kmalloc(PATH_MAX);
    if (!name->text) {
        name->text = name->buf;
        return -ENOMEM;
    }
    len = strncpy_from_user(name->text, text, PATH_MAX);
    name->len = (size_t)len;
    if (len >= 0 && len < PATH_MAX)
        return 0;
    pathname_put(name);
    name->text = name->buf;
    return len < 0 ? (int)len : -ENAMETOOLONG;
}

void pathname_put(struct pathname *name)
{
    if (name->text != name->buf)
        kfree(name->text);
}

/* ---- looking up one name in a directory ---- */

struct dentry *dir_lookup_locked(struct dentry *dir, const struct name *name)
{
    struct inode *inode = NULL;
    struct dentry *dentry = dentry_find(dir, name);
    int err;

    if (dentry)
        return dentry;
    if (READ_ONCE(dir->flags) & DENTRY_DEAD)
        return ERR_PTR(-ENOENT);

    err = dir->inode->ops->lookup(dir->inode, name, &inode);
    if (err && err != -ENOENT)
        return ERR_PTR(err);
    dentry = dentry_create(dir->super, dir, name, err ? NULL : inode);
    if (!dentry) {
        if (!err)
            inode_put(inode);
        return ERR_PTR(-ENOMEM);
    }
    dentry_hash(dentry);
    return dentry;
}

/* NULL when the name is not in the table, or stands there for something that is no longer so. */
static struct dentry *dir_lookup_cached(struct dentry *dir, const struct name *name)
{
    const struct inode_ops *ops = dir->inode->ops;
    struct dentry *dentry = dentry_find(dir, name);

    if (!dentry || !ops->revalidate || ops->revalidate(dir->inode, name, dentry_inode(dentry)))
        return dentry;
    dentry_unhash(dentry);
    dentry_put(dentry);
    return NULL;
}

struct dentry *dir_lookup(struct dentry *dir, const struct name *name)
{
    struct dentry *dentry;

    if (name->len > dir->super->name_max)
        return ERR_PTR(-ENAMETOOLONG);
    dentry = dir_lookup_cached(dir, name);
    if (dentry)
        return dentry;
    if (!dir->inode->ops->lookup)
        return ERR_PTR(-ENOTDIR);

    inode_lock(dir->inode);
    dentry = dir_lookup_locked(dir, name);
    inode_unlock(dir->inode);
    dentry_prune();
    return dentry;
}

/* ---- the walk ---- */

static void walk_root(struct walk *walk)
{
    if (!walk->root.dentry)
        fs_root(&walk->root);
}

static void walk_to(struct walk *walk, const struct path *path)
{
    struct path old = walk->path;

    path_get(path);
    walk->path = *path;
    if (old.dentry)
        path_put(&old);
}

static int walk_to_root(struct walk *walk)
{
    if (walk->flags & LOOKUP_BENEATH)
        return -EXDEV;
    walk_root(walk);
    if ((walk->flags & LOOKUP_NO_XDEV) && walk->path.dentry && walk->path.mount != walk->root.mount)
        return -EXDEV;
    walk_to(walk, &walk->root);
    return 0;
}

int walk_start(struct walk *walk, int dirfd, const char *text, u32 flags)
{
    walk->path = walk->root = (struct path){0};
    walk->flags = flags;
    walk->links = walk->unfinished = 0;
    walk->must_be_dir = walk->jumped = false;
    walk->rest = text;
    walk->last = (struct name){.text = text};

    if (!*text && !(flags & LOOKUP_EMPTY))
        return -ENOENT;
    if (*text == '/' && !(flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)))
        return walk_to_root(walk);
    if (*text == '/' && (flags & LOOKUP_BENEATH))
        return -EXDEV;

    if (dirfd == AT_FDCWD) {
        fs_cwd(&walk->path);
    } else {
        AUTO_FD fd = fd_borrow_any(dirfd);

        if (!fd.file)
            return -EBADF;
        if (*text && (!fd.file->path.dentry || !inode_is(fd.file->inode, S_IFDIR)))
            return -ENOTDIR;
        if (!fd.file->path.dentry)
            return -EBADF;
        walk->path = fd.file->path;
        path_get(&walk->path);
    }
    if (flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) {
        walk->root = walk->path;
        path_get(&walk->root);
    }
    return 0;
}

void walk_end(struct walk *walk)
{
    while (walk->links > 0) {
        struct walk_frame *frame = &walk->frames[--walk->links];

        kfree(frame->text);
        dentry_put(frame->link);
    }
    path_release(&walk->path);
    path_release(&walk->root);
}

/* "..": never above the caller's root; from a mount's root to what it covers. */
static int walk_up(struct walk *walk)
{
    struct path *path = &walk->path;

    walk_root(walk);
    for (;;) {
        if (path_equal(path, &walk->root))
            return walk->flags & LOOKUP_BENEATH ? -EXDEV : 0;
        if (path->dentry != path->mount->root) {
            struct dentry *parent = dentry_parent(path->dentry);

            dentry_put(path->dentry);
            path->dentry = parent;
            break;
        }
        if ((walk->flags & LOOKUP_NO_XDEV) && path->mount->parent != path->mount)
            return -EXDEV;
        if (!path_up_mount(path))
            return 0;
    }
    path_mounted(path);
    return 0;
}

/*
 * proc(5), protected_symlinks = 1: in a sticky directory that everybody may write, only links of the
 * caller's own or of the directory's owner are followed at the end of a path.
 */
static bool may_follow(const struct inode *dir, const struct inode *link)
{
    umode both = S_ISVTX | S_IWOTH;

    return (READ_ONCE(dir->mode) & both) != both || READ_ONCE(dir->uid) == READ_ONCE(link->uid) ||
           cred_current()->fsuid == READ_ONCE(link->uid);
}

static int walk_magic_link(struct walk *walk, struct inode *link)
{
    struct path to;
    int err;

    if (walk->flags & LOOKUP_NO_MAGICLINKS)
        return -ELOOP;
    if (walk->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT))
        return -EXDEV;
    err = link->ops->follow(link, &to);
    if (err)
        return err;
    if ((walk->flags & LOOKUP_NO_XDEV) && to.mount != walk->path.mount) {
        path_put(&to);
        return -EXDEV;
    }
    path_put(&walk->path);
    walk->path = to;
    walk->jumped = true;
    return 0;
}

/* The link's text, allocated in *allocated when the inode does not have it at hand. */
static const char *link_text(struct inode *link, char **allocated)
{
    int len;

    *allocated = NULL;
    if (link->link)
        return link->link;
    *allocated = kmalloc(PATH_MAX);
    if (!*allocated)
        return ERR_PTR(-ENOMEM);
    len = link->ops->readlink ? link->ops->readlink(link, *allocated, PATH_MAX - 1) : -EINVAL;
    if (len < 0) {
        kfree(*allocated);
        *allocated = NULL;
        return ERR_PTR(len);
    }
    (*allocated)[len] = '\0';
    return *allocated;
}

/* Follows a link that stands in walk->path; takes over its dentry. */
static int walk_link(struct walk *walk, struct dentry *child, bool trailing)
{
    AUTO(dentry_put) struct dentry *held = child;
    struct inode *link = child->inode;
    struct walk_frame *frame;
    const char *text;
    char *allocated;

    if (walk->links == WALK_LINKS || (walk->flags & LOOKUP_NO_SYMLINKS) ||
        (READ_ONCE(walk->path.mount->flags) & MOUNT_NOSYMFOLLOW))
        return -ELOOP;
    if (trailing && !may_follow(walk->path.dentry->inode, link))
        return -EACCES;
    if (link->ops->follow)
        return walk_magic_link(walk, link);

    text = link_text(link, &allocated);
    if (IS_ERR(text))
        return (int)PTR_ERR(text);

    frame = &walk->frames[walk->links++];
    *frame = (struct walk_frame){.rest = walk->rest, .text = allocated, .link = TAKE(held)};
    if (*walk->rest)
        walk->unfinished++;
    walk->rest = text;
    if (!*text)
        return -ENOENT;
    if (*text == '/') {
        int err = walk_to_root(walk);

        if (err)
            return err;
    }
    return 1;
}

int walk_into(struct walk *walk, struct dentry *child, bool follow, bool trailing)
{
    struct inode *inode = dentry_inode(child);
    struct path to = {.mount = walk->path.mount, .dentry = child};

    if (!inode) {
        dentry_put(child);
        return -ENOENT;
    }
    if (S_ISLNK(inode->mode) && follow)
        return walk_link(walk, child, trailing);

    mount_get(to.mount);
    path_mounted(&to);
    if ((walk->flags & LOOKUP_NO_XDEV) && to.mount != walk->path.mount) {
        path_put(&to);
        return -EXDEV;
    }
    path_put(&walk->path);
    walk->path = to;
    return 0;
}

int walk_step(struct walk *walk, const struct name *name, bool follow, bool trailing)
{
    struct dentry *child;

    walk->jumped = false;
    if (name_is_dot(name))
        return 0;
    if (name_is_dotdot(name))
        return walk_up(walk);
    child = dir_lookup(walk->path.dentry, name);
    if (IS_ERR(child))
        return (int)PTR_ERR(child);
    return walk_into(walk, child, follow, trailing);
}

static int may_search(const struct path *dir)
{
    struct inode *inode = path_inode(dir);

    return S_ISDIR(inode->mode) ? inode_permission(inode, MAY_EXEC) : -ENOTDIR;
}

/* Cuts the next component off walk->rest. len 0 when there is none. */
static struct name next_component(struct walk *walk)
{
    struct name name;

    while (*walk->rest == '/')
        walk->rest++;
    name.text = walk->rest;
    while (*walk->rest && *walk->rest != '/')
        walk->rest++;
    name.len = (u32)(walk->rest - name.text);
    name.hash = 0;
    return name;
}

/* The text that a link interrupted goes on: that of the innermost frame with something left. */
static void walk_resume(struct walk *walk)
{
    struct walk_frame *frame = &walk->frames[walk->links - 1];

    while (!*frame->rest)
        frame--;
    walk->rest = frame->rest;
    frame->rest = "";
    walk->unfinished--;
}

int walk_parent(struct walk *walk)
{
    for (;;) {
        struct name name = next_component(walk);
        bool slash = *walk->rest == '/';
        int err;

        if (name.len == 0 && walk->unfinished > 0) {
            walk_resume(walk);
            continue;
        }
        if (name.len == 0) {
            walk->last = name;
            return 0;
        }
        err = may_search(&walk->path);
        if (err)
            return err;
        name_hash(&name);

        while (*walk->rest == '/')
            walk->rest++;
        if (!*walk->rest && walk->unfinished == 0) {
            walk->must_be_dir |= slash;
            walk->last = name;
            return 0;
        }
        err = walk_step(walk, &name, true, false);
        if (err < 0)
            return err;
    }
}

static int walk_all(struct walk *walk)
{
    for (;;) {
        int err = walk_parent(walk);

        if (err || walk->last.len == 0)
            return err;
        err =
            walk_step(walk, &walk->last, (walk->flags & LOOKUP_FOLLOW) || walk->must_be_dir, true);
        if (err <= 0)
            return err;
    }
}

static int lookup_finish(struct walk *walk, int err, struct path *out)
{
    bool want_dir = (walk->flags & LOOKUP_DIRECTORY) || walk->must_be_dir;

    if (!err && want_dir && !S_ISDIR(path_inode(&walk->path)->mode))
        err = -ENOTDIR;
    if (!err) {
        *out = walk->path;
        walk->path = (struct path){0};
    }
    walk_end(walk);
    return err;
}

int path_lookup(int dirfd, const char *text, u32 flags, struct path *out)
{
    struct walk walk;
    int err = walk_start(&walk, dirfd, text, flags);

    if (!err)
        err = walk_all(&walk);
    return lookup_finish(&walk, err, out);
}

int path_lookup_at(const struct path *start, const char *text, u32 flags, struct path *out)
{
    struct walk walk;
    int err = walk_start(&walk, AT_FDCWD, text, flags & ~(u32)(LOOKUP_BENEATH | LOOKUP_IN_ROOT));

    if (!err && *text != '/')
        walk_to(&walk, start);
    if (!err)
        err = walk_all(&walk);
    return lookup_finish(&walk, err, out);
}

int path_lookup_user(int dirfd, const char __user *text, u32 flags, struct path *out)
{
    AUTO_PATHNAME name;
    int err = pathname_get(&name, text);

    return err ? err : path_lookup(dirfd, name.text, flags, out);
}
