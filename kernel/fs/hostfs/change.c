/* kernel/fs/hostfs/change.c: making, moving and removing names on the host. */
#include "cred/cred.h"
#include "fs/hostfs/internal.h"

/*
 * The host makes objects as its own user, and by a umask of its own. What was asked for is set
 * right where the host lets us; who owns the object otherwise is the host's say, and is shown as it
 * is.
 */
static void set_owner_and_mode(struct inode *dir, int file, const char *name, umode mode,
                               struct host_stat *st)
{
    const struct cred *cred = cred_current();
    gid_t gid = dir->mode & S_ISGID ? st->gid : cred->fsgid;

    if ((st->uid != cred->fsuid || st->gid != gid) &&
        !host_file_chown(file, name, cred->fsuid, gid)) {
        st->uid = cred->fsuid;
        st->gid = gid;
    }
    if (S_ISDIR(mode))
        mode |= st->mode & S_ISGID; /* from the directory above */
    if (!S_ISLNK(mode) && (st->mode & 07777) != (mode & 07777) &&
        !host_file_chmod(file, name, mode & 07777))
        st->mode = (st->mode & S_IFMT) | (mode & 07777);
}

static int create_node(int file, const char *name, umode mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return host_file_mkdir(file, name, mode & 07777);
    case S_IFIFO:
    case S_IFSOCK:
        return host_file_mknod(file, name, mode, 0);
    default:
        return -EPERM; /* the host's devices are not ours to name */
    }
}

/*
 * What was just made under a name, as an inode. Without memory for one the name goes again; not that of a regular
 * file, which the host's other programs may have made first.
 */
static int adopt_new(struct inode *dir, int file, const char *name, umode mode, struct inode **out)
{
    struct host_stat st;
    int err = host_file_stat(file, name, &st);

    if (err)
        return err;
    if ((st.mode & S_IFMT) != (mode & S_IFMT))
        return -EIO;
    set_owner_and_mode(dir, file, name, mode, &st);
    err = hostfs_inode_find(dir->super, hostfs_inode(dir), name, &st, out);
    if (err == -ENOMEM && !S_ISREG(mode))
        host_file_unlink(file, name, S_ISDIR(mode));
    return err;
}

int hostfs_create(struct inode *dir, const struct name *name, umode mode, dev_t rdev,
                  struct inode **out)
{
    struct hostfs_name text;
    int err, opened = -1, file = hostfs_pin(dir);

    if (file < 0)
        return file;
    hostfs_name_set(&text, name);
    if (S_ISREG(mode)) {
        opened = hostfs_host_open(
            file, text.text, HOST_OPEN_READ | HOST_OPEN_WRITE | HOST_OPEN_CREATE, mode & 07777);
        err = opened < 0 ? opened : 0;
    } else {
        err = create_node(file, text.text, mode);
    }
    if (!err)
        err = adopt_new(dir, file, text.text, mode, out);
    hostfs_unpin(dir);
    if (!err && opened >= 0)
        hostfs_handle_keep(*out, opened);
    else if (opened >= 0)
        host_file_close(opened);
    return err;
}

int hostfs_symlink(struct inode *dir, const struct name *name, const char *target,
                   struct inode **out)
{
    struct hostfs_name text;
    int err, file = hostfs_pin(dir);

    if (file < 0)
        return file;
    hostfs_name_set(&text, name);
    err = host_file_symlink(target, file, text.text);
    if (!err)
        err = adopt_new(dir, file, text.text, S_IFLNK | 0777, out);
    hostfs_unpin(dir);
    return err;
}

/* The count and time of change, which a change of a name has moved. */
static void look_again(struct inode *inode)
{
    struct host_stat st;

    if (!hostfs_stat(inode, &st))
        hostfs_refresh(inode, &st);
}

int hostfs_link(struct inode *inode, struct inode *dir, const struct name *name)
{
    struct hostfs_place place;
    struct hostfs_name text;
    int err, file = hostfs_pin(dir);

    if (file < 0)
        return file;
    hostfs_name_set(&text, name);
    err = hostfs_place_get(inode, &place);
    if (!err) {
        err = host_file_link(place.file, place.name.text, file, text.text);
        hostfs_place_put(&place);
    }
    hostfs_unpin(dir);
    if (!err)
        look_again(inode);
    return err;
}

static void name_gone(struct inode *dir, const struct name *name, struct inode *inode)
{
    hostfs_forget_place(inode, dir, name);
    if (S_ISDIR(inode->mode) || inode->nlink == 0)
        WRITE_ONCE(inode->nlink, 0);
    else
        WRITE_ONCE(inode->nlink, inode->nlink - 1);
    inode_touch(inode, ATTR_CTIME);
}

static int remove_name(struct inode *dir, const struct name *name, struct inode *inode,
                       bool directory)
{
    struct hostfs_name text;
    int err, file = hostfs_pin(dir);

    if (file < 0)
        return file;
    hostfs_name_set(&text, name);
    err = host_file_unlink(file, text.text, directory);
    hostfs_unpin(dir);
    if (err)
        return err;
    name_gone(dir, name, inode);
    look_again(dir);
    return 0;
}

int hostfs_unlink(struct inode *dir, const struct name *name, struct inode *inode)
{
    return remove_name(dir, name, inode, false);
}

int hostfs_rmdir(struct inode *dir, const struct name *name, struct inode *inode)
{
    return remove_name(dir, name, inode, true);
}

static int host_rename(struct inode *old_dir, const char *old_text, struct inode *new_dir,
                       const char *new_text, unsigned int flags)
{
    int err, from = hostfs_pin(old_dir), to;

    if (from < 0)
        return from;
    to = hostfs_pin(new_dir);
    err = to < 0 ? to : host_file_rename(from, old_text, to, new_text, flags);
    if (to >= 0)
        hostfs_unpin(new_dir);
    hostfs_unpin(old_dir);
    return err;
}

int hostfs_rename(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                  struct inode *new_dir, const struct name *new_name, struct inode *target,
                  unsigned int flags)
{
    bool exchange = flags & RENAME_EXCHANGE;
    char *old_text, *new_text;
    int err;

    if (flags & RENAME_WHITEOUT)
        return -EINVAL;
    old_text = kstrndup(old_name->text, old_name->len);
    new_text = kstrndup(new_name->text, new_name->len);
    err = old_text && new_text ? host_rename(old_dir, old_text, new_dir, new_text, flags) : -ENOMEM;
    if (err) {
        kfree(old_text);
        kfree(new_text);
        return err;
    }
    hostfs_set_place(inode, new_dir, new_text);
    if (exchange)
        hostfs_set_place(target, old_dir, old_text);
    else
        kfree(old_text);
    if (target && !exchange)
        name_gone(new_dir, new_name, target);
    inode_touch(inode, ATTR_CTIME);
    look_again(old_dir);
    if (new_dir != old_dir)
        look_again(new_dir);
    return 0;
}
