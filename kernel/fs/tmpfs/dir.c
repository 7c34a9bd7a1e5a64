/* kernel/fs/tmpfs/dir.c: directories: their entries, and what changes them. */
#include "fs/tmpfs/internal.h"

#include <linux/fs.h>

static int name_compare(const void *key, const struct rb_node *node)
{
    const struct name *name = key;
    const struct tmpfs_entry *entry = rb_entry((struct rb_node *)node, struct tmpfs_entry, by_name);
    int order = memcmp(name->text, entry->name, MIN(name->len, entry->len));

    if (order)
        return order;
    return name->len < entry->len ? -1 : name->len > entry->len;
}

static bool name_before(const struct rb_node *a, const struct rb_node *b)
{
    const struct tmpfs_entry *entry = rb_entry((struct rb_node *)a, struct tmpfs_entry, by_name);
    struct name name = {.text = entry->name, .len = entry->len};

    return name_compare(&name, b) < 0;
}

static int cookie_compare(const void *key, const struct rb_node *node)
{
    u64 cookie = *(const u64 *)key;
    const struct tmpfs_entry *entry =
        rb_entry((struct rb_node *)node, struct tmpfs_entry, by_cookie);

    return cookie < entry->cookie ? -1 : cookie > entry->cookie;
}

static bool cookie_before(const struct rb_node *a, const struct rb_node *b)
{
    return rb_entry((struct rb_node *)a, struct tmpfs_entry, by_cookie)->cookie <
           rb_entry((struct rb_node *)b, struct tmpfs_entry, by_cookie)->cookie;
}

static struct tmpfs_entry *entry_find(struct inode *dir, const struct name *name)
{
    return rb_entry_or_null(rb_find(&tmpfs_inode(dir)->names, name, name_compare),
                            struct tmpfs_entry, by_name);
}

static struct tmpfs_entry *entry_alloc(const struct name *name)
{
    struct tmpfs_entry *entry = kzalloc(sizeof(*entry) + name->len);

    if (!entry)
        return NULL;
    entry->len = name->len;
    memcpy(entry->name, name->text, name->len);
    return entry;
}

/* Takes over a reference of inode. */
static void entry_link(struct inode *dir, struct tmpfs_entry *entry, struct inode *inode)
{
    struct tmpfs_inode *at = tmpfs_inode(dir);

    entry->inode = inode;
    entry->cookie = at->next_cookie++;
    rb_insert(&at->names, &entry->by_name, name_before);
    rb_insert(&at->cookies, &entry->by_cookie, cookie_before);
    if (inode_is(inode, S_IFDIR))
        tmpfs_inode(inode)->parent = dir;
    __atomic_add_fetch(&dir->size, 20, __ATOMIC_RELAXED); /* as Linux counts: du and ls show it */
    inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
}

/* The caller gets the entry's reference of the inode. */
static struct inode *entry_unlink(struct inode *dir, struct tmpfs_entry *entry)
{
    struct tmpfs_inode *at = tmpfs_inode(dir);
    struct inode *inode = entry->inode;

    rb_erase(&at->names, &entry->by_name);
    rb_erase(&at->cookies, &entry->by_cookie);
    kfree(entry);
    __atomic_sub_fetch(&dir->size, 20, __ATOMIC_RELAXED);
    inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
    return inode;
}

void tmpfs_dir_clear(struct tmpfs_inode *dir)
{
    struct tmpfs_entry *entry;

    while ((entry = rb_first_entry(&dir->names, struct tmpfs_entry, by_name)))
        inode_put(entry_unlink(&dir->inode, entry));
}

static void links_add(struct inode *inode, int n)
{
    __atomic_add_fetch(&inode->nlink, (u32)n, __ATOMIC_RELAXED);
}

static int tmpfs_lookup(struct inode *dir, const struct name *name, struct inode **out)
{
    struct tmpfs_entry *entry = entry_find(dir, name);

    if (!entry)
        return -ENOENT;
    *out = inode_get(entry->inode);
    return 0;
}

static int tmpfs_create(struct inode *dir, const struct name *name, umode mode, dev_t rdev,
                        struct inode **out)
{
    struct tmpfs_entry *entry = entry_alloc(name);
    struct inode *inode;

    if (!entry)
        return -ENOSPC;
    inode = tmpfs_inode_create(dir->super, mode, rdev);
    if (IS_ERR(inode)) {
        kfree(entry);
        return (int)PTR_ERR(inode);
    }
    inode_init_owner(inode, dir);
    if (S_ISDIR(mode))
        links_add(dir, 1);
    entry_link(dir, entry, inode);
    *out = inode_get(inode);
    return 0;
}

static int tmpfs_symlink(struct inode *dir, const struct name *name, const char *target,
                         struct inode **out)
{
    char *text = kstrdup(target);
    struct inode *inode;
    int err = text ? tmpfs_create(dir, name, S_IFLNK | 0777, 0, &inode) : -ENOSPC;

    if (err) {
        kfree(text);
        return err;
    }
    inode->size = strlen(text);
    inode->link = text;
    *out = inode;
    return 0;
}

static int tmpfs_link(struct inode *inode, struct inode *dir, const struct name *name)
{
    struct tmpfs_entry *entry = entry_alloc(name);

    if (!entry)
        return -ENOSPC;
    links_add(inode, 1);
    inode_touch(inode, ATTR_CTIME);
    entry_link(dir, entry, inode_get(inode));
    return 0;
}

static int tmpfs_unlink(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct tmpfs_entry *entry = entry_find(dir, name);

    if (!entry)
        return -ENOENT;
    links_add(inode, -1);
    inode_touch(inode, ATTR_CTIME);
    inode_put(entry_unlink(dir, entry));
    return 0;
}

static int tmpfs_rmdir(struct inode *dir, const struct name *name, struct inode *inode)
{
    if (!rb_empty(&tmpfs_inode(inode)->names))
        return -ENOTEMPTY;
    links_add(inode, -1);
    links_add(dir, -1);
    return tmpfs_unlink(dir, name, inode);
}

static int tmpfs_exchange(struct inode *old_dir, struct tmpfs_entry *old, struct inode *new_dir,
                          struct tmpfs_entry *new)
{
    struct inode *inode = old->inode;
    int old_is_dir = inode_is(old->inode, S_IFDIR), new_is_dir = inode_is(new->inode, S_IFDIR);

    old->inode = new->inode;
    new->inode = inode;
    if (old_is_dir)
        tmpfs_inode(new->inode)->parent = new_dir;
    if (new_is_dir)
        tmpfs_inode(old->inode)->parent = old_dir;
    links_add(old_dir, new_is_dir - old_is_dir);
    links_add(new_dir, old_is_dir - new_is_dir);
    inode_touch(old_dir, ATTR_MTIME | ATTR_CTIME);
    inode_touch(new_dir, ATTR_MTIME | ATTR_CTIME);
    inode_touch(old->inode, ATTR_CTIME);
    inode_touch(new->inode, ATTR_CTIME);
    return 0;
}

/* What the old name leaves behind for overlay file systems: a character device 0/0. */
static struct inode *whiteout_create(struct inode *dir)
{
    struct inode *inode = tmpfs_inode_create(dir->super, S_IFCHR, 0);

    if (!IS_ERR(inode))
        inode_init_owner(inode, dir);
    return inode;
}

static int tmpfs_rename(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                        struct inode *new_dir, const struct name *new_name, struct inode *target,
                        unsigned int flags)
{
    struct tmpfs_entry *old = entry_find(old_dir, old_name), *new = entry_find(new_dir, new_name);
    struct tmpfs_entry *entry, *white_entry = NULL;
    AUTO(inode_put) struct inode *white = NULL;
    bool is_dir = inode_is(inode, S_IFDIR);

    if (!old)
        return -ENOENT;
    if ((flags & RENAME_EXCHANGE) && new)
        return tmpfs_exchange(old_dir, old, new_dir, new);
    if (target && is_dir && !rb_empty(&tmpfs_inode(target)->names))
        return -ENOTEMPTY;

    /* All that can fail comes first. */
    if (flags & RENAME_WHITEOUT) {
        white = whiteout_create(old_dir);
        if (IS_ERR(white))
            return (int)PTR_ERR(white);
        white_entry = entry_alloc(old_name);
        if (!white_entry)
            return -ENOSPC;
    }
    entry = entry_alloc(new_name);
    if (!entry) {
        kfree(white_entry);
        return -ENOSPC;
    }

    entry_unlink(old_dir, old);
    if (white)
        entry_link(old_dir, white_entry, TAKE(white));
    if (new &&is_dir)
        tmpfs_rmdir(new_dir, new_name, target);
    else if (new)
        tmpfs_unlink(new_dir, new_name, target);
    if (is_dir && old_dir != new_dir) {
        links_add(old_dir, -1);
        links_add(new_dir, 1);
    }
    entry_link(new_dir, entry, inode);
    inode_touch(inode, ATTR_CTIME);
    return 0;
}

static int tmpfs_tmpfile(struct inode *dir, umode mode, struct inode **out)
{
    struct inode *inode = tmpfs_inode_create(dir->super, mode, 0);

    if (IS_ERR(inode))
        return (int)PTR_ERR(inode);
    inode_init_owner(inode, dir);
    inode->nlink = 0;
    *out = inode;
    return 0;
}

static u8 dirent_type(const struct inode *inode)
{
    return (u8)((inode->mode & S_IFMT) >> 12); /* readdir(3): DT_ numbers are the mode's */
}

static int tmpfs_iterate(struct file *file, struct dir_context *dir)
{
    struct tmpfs_inode *at = tmpfs_inode(file->inode);
    struct tmpfs_entry *entry;
    u64 cookie;

    if (dir->pos == 0) {
        if (!dir->emit(dir, ".", 1, file->inode->ino, S_IFDIR >> 12))
            return 0;
        dir->pos = 1;
    }
    if (dir->pos == 1) {
        if (!dir->emit(dir, "..", 2, at->parent->ino, S_IFDIR >> 12))
            return 0;
        dir->pos = COOKIE_FIRST;
    }
    cookie = (u64)dir->pos;
    entry = rb_entry_or_null(rb_find_from(&at->cookies, &cookie, cookie_compare),
                             struct tmpfs_entry, by_cookie);
    for (; entry; entry = rb_next_entry(entry, by_cookie)) {
        dir->pos = (loff_t)entry->cookie;
        if (!dir->emit(dir, entry->name, entry->len, entry->inode->ino, dirent_type(entry->inode)))
            return 0;
        dir->pos = (loff_t)entry->cookie + 1;
    }
    return 0;
}

static loff_t tmpfs_dir_seek(struct file *file, loff_t offset, int whence)
{
    loff_t base = whence == SEEK_CUR ? file->pos : 0;

    if (whence != SEEK_SET && whence != SEEK_CUR)
        return -EINVAL;
    if (add_overflow(base, offset, &base) || base < 0)
        return -EINVAL;
    return base;
}

int tmpfs_dir_name(struct inode *dir, struct inode **parent, char name[NAME_MAX + 1])
{
    struct tmpfs_entry *entry;
    struct inode *above;
    int err = -ESTALE;

    inode_lock(dir);
    /* Neither removed nor, since its number can be known before it has a name, just being made. */
    above = dir->nlink ? READ_ONCE(tmpfs_inode(dir)->parent) : NULL;
    if (above)
        inode_get(above);
    inode_unlock(dir);
    if (!above)
        return -ESTALE;
    inode_lock(above);
    rb_for_each_entry(entry, &tmpfs_inode(above)->names, by_name) {
        if (entry->inode == dir) {
            memcpy(name, entry->name, entry->len);
            name[entry->len] = '\0';
            err = 0;
            break;
        }
    }
    inode_unlock(above);
    if (err)
        inode_put(above);
    else
        *parent = above;
    return err;
}

static int tmpfs_dir_fsync(struct file *file, loff_t start, loff_t end, bool data_only)
{
    return 0; /* there is nothing behind the memory */
}

const struct file_ops tmpfs_dir_fops = {
    .iterate = tmpfs_iterate,
    .seek = tmpfs_dir_seek,
    .fsync = tmpfs_dir_fsync,
};

const struct inode_ops tmpfs_dir_ops = {
    .lookup = tmpfs_lookup,
    .create = tmpfs_create,
    .symlink = tmpfs_symlink,
    .link = tmpfs_link,
    .unlink = tmpfs_unlink,
    .rmdir = tmpfs_rmdir,
    .rename = tmpfs_rename,
    .tmpfile = tmpfs_tmpfile,
    .setattr = tmpfs_setattr,
    .getattr = tmpfs_getattr,
    .xattr_get = tmpfs_xattr_get,
    .xattr_set = tmpfs_xattr_set,
    .xattr_remove = tmpfs_xattr_remove,
    .xattr_list = tmpfs_xattr_list,
};
