/* target/mock/change.c: the host's calls that change the tree: names that come, go and move, and attributes. */
#include "node.h"

#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>

static int make(int dir, const char *name, uint32_t mode, uint64_t rdev, const char *text)
{
    struct node *node;
    int err;

    files_lock();
    err = file_create(dir, name, mode, &node);
    if (!err && text) {
        node->text = strdup(text);
        node->stat.size = strlen(text);
    }
    if (!err)
        node->stat.rdev = rdev;
    files_unlock();
    return err;
}

int target_file_mkdir(int dir, const char *name, unsigned int mode)
{
    RESULT(file_mkdir, make(dir, name, S_IFDIR | (mode & 07777), 0, NULL));
}

int target_file_mknod(int dir, const char *name, unsigned int mode, uint64_t rdev)
{
    RESULT(file_mknod, make(dir, name, mode & S_IFMT ? mode : mode | S_IFREG, rdev, NULL));
}

int target_file_symlink(const char *text, int dir, const char *name)
{
    sent_show(text, strlen(text));
    RESULT(file_symlink, make(dir, name, S_IFLNK | 0777, 0, text));
}

static int remove_locked(struct node *dir, struct entry **at, bool directory)
{
    const struct node *node = (*at)->node;

    if (directory && !S_ISDIR(node->stat.mode))
        return -ENOTDIR;
    if (!directory && S_ISDIR(node->stat.mode))
        return -EISDIR;
    if (node->entries)
        return -ENOTEMPTY;
    dir_remove(dir, at);
    return 0;
}

int target_file_unlink(int dir, const char *name, bool directory)
{
    struct node *parent, *node;
    int err;

    files_lock();
    err = file_dir(dir, &parent);
    if (!err)
        err = *name ? file_find(dir, name, &node) : -ENOENT;
    if (!err)
        err = remove_locked(parent, dir_find(parent, name), directory);
    files_unlock();
    RESULT(file_unlink, err);
}

int target_file_link(int from_dir, const char *from, int to_dir, const char *to)
{
    struct node *node, *parent;
    int err;

    files_lock();
    err = file_find(from_dir, from, &node);
    if (!err)
        err = file_find_free(to_dir, to, &parent);
    if (!err && S_ISDIR(node->stat.mode))
        err = -EPERM;
    if (!err)
        dir_add(parent, to, node);
    files_unlock();
    RESULT(file_link, err);
}

static bool is_below(const struct node *node, const struct node *dir)
{
    for (; node; node = node->parent)
        if (node == dir)
            return true;
    return false;
}

/* Makes way for what is moved there. */
static int replace_locked(struct node *dir, struct entry **at, const struct node *by)
{
    const struct node *old = (*at)->node;

    if (S_ISDIR(by->stat.mode) && !S_ISDIR(old->stat.mode))
        return -ENOTDIR;
    return remove_locked(dir, at, S_ISDIR(by->stat.mode));
}

static void exchange_locked(struct node *from_dir, struct entry *a, struct node *to_dir,
                            struct entry *b)
{
    struct node *node = a->node;

    a->node = b->node;
    b->node = node;
    if (S_ISDIR(a->node->stat.mode))
        a->node->parent = from_dir;
    if (S_ISDIR(b->node->stat.mode))
        b->node->parent = to_dir;
    if (S_ISDIR(a->node->stat.mode) != S_ISDIR(b->node->stat.mode)) {
        from_dir->stat.nlink += S_ISDIR(a->node->stat.mode) ? 1 : -1U;
        to_dir->stat.nlink += S_ISDIR(b->node->stat.mode) ? 1 : -1U;
    }
    node_touch(from_dir);
    node_touch(to_dir);
}

static int rename_locked(struct node *from_dir, const char *from, struct node *to_dir,
                         const char *to, unsigned int flags)
{
    struct entry **source = dir_find(from_dir, from), **target = dir_find(to_dir, to);
    struct node *node;
    int err;

    if (!*source || (flags & RENAME_EXCHANGE && !*target))
        return -ENOENT;
    node = (*source)->node;
    if (S_ISDIR(node->stat.mode) && is_below(to_dir, node))
        return -EINVAL;
    if (flags & RENAME_EXCHANGE) {
        exchange_locked(from_dir, *source, to_dir, *target);
        return 0;
    }
    if (to_dir->removed)
        return -ENOENT;
    if (*target && flags & RENAME_NOREPLACE)
        return -EEXIST;
    if (*target && (*target)->node == node)
        return 0;
    if (*target) {
        err = replace_locked(to_dir, target, node);
        if (err)
            return err;
    }
    node->refs++;
    dir_remove(from_dir, dir_find(from_dir, from));
    node->removed = false;
    dir_add(to_dir, to, node);
    node_put_locked(node);
    if (flags & RENAME_WHITEOUT) {
        struct node *whiteout = node_new(S_IFCHR);

        dir_add(from_dir, from, whiteout);
        whiteout->refs--;
    }
    return 0;
}

int target_file_rename(int from_dir, const char *from, int to_dir, const char *to,
                       unsigned int flags)
{
    struct node *source, *target;
    int err;

    files_lock();
    err = file_dir(from_dir, &source);
    if (!err)
        err = file_dir(to_dir, &target);
    if (!err)
        err = file_name_check(from);
    if (!err)
        err = file_name_check(to);
    if (!err)
        err = *from && *to ? rename_locked(source, from, target, to, flags) : -ENOENT;
    files_unlock();
    RESULT(file_rename, err);
}

int target_file_chmod(int dir, const char *name, unsigned int mode)
{
    struct node *node;
    int err;

    files_lock();
    err = file_find(dir, name, &node);
    if (!err && S_ISLNK(node->stat.mode))
        err = -EOPNOTSUPP;
    if (!err) {
        node->stat.mode = (node->stat.mode & S_IFMT) | (mode & 07777);
        node->stat.ctime = sched_now() + MOCK_EPOCH;
    }
    files_unlock();
    RESULT(file_chmod, err);
}

int target_file_chown(int dir, const char *name, uint32_t uid, uint32_t gid)
{
    struct node *node;
    int err;

    files_lock();
    err = file_find(dir, name, &node);
    if (!err && uid != UINT32_MAX)
        node->stat.uid = uid;
    if (!err && gid != UINT32_MAX)
        node->stat.gid = gid;
    files_unlock();
    RESULT(file_chown, err);
}

int target_file_utimes(int dir, const char *name, int64_t atime, int64_t mtime)
{
    struct node *node;
    int err;

    files_lock();
    err = file_find(dir, name, &node);
    if (!err && atime != INT64_MIN)
        node->stat.atime = atime;
    if (!err && mtime != INT64_MIN)
        node->stat.mtime = mtime;
    files_unlock();
    RESULT(file_utimes, err);
}
