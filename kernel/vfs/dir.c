/* kernel/vfs/dir.c: reading directories, getdents(2), and the working directory: chdir(2), getcwd(2). */
#include "abi/newer.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#define GETDENTS_BUFFER 32768U /* what one call fills at most */

struct getdents {
    struct dir_context dir;
    bool old; /* getdents(2)'s records, not getdents64(2)'s */
    char *buf;
    size_t size, used;
    bool full;  /* an entry did not fit */
    char *last; /* the record whose d_off the next entry's position becomes */
};

static void set_offset(struct getdents *out, loff_t pos)
{
    if (out->last)
        memcpy(out->last + sizeof(u64), &pos, sizeof(pos));
}

/* Both kinds of record begin with inode, offset and length; the type is behind the length, or last. */
static bool emit_dirent(struct dir_context *dir, const char *name, size_t len, ino_t ino, u8 type)
{
    struct getdents *out = container_of(dir, struct getdents, dir);
    size_t head = 2 * sizeof(u64) + sizeof(u16);
    size_t record = ALIGN_UP(head + len + 2, sizeof(u64));
    u64 number = ino;
    u16 reclen = (u16)record;
    char *at = out->buf + out->used;

    if (record > out->size - out->used) {
        out->full = true;
        return false;
    }
    set_offset(out, dir->pos);
    memset(at, 0, record);
    memcpy(at, &number, sizeof(number));
    memcpy(at + 2 * sizeof(u64), &reclen, sizeof(reclen));
    if (out->old) {
        memcpy(at + head, name, len);
        at[record - 1] = (char)type;
    } else {
        at[head] = (char)type;
        memcpy(at + head + 1, name, len);
    }
    out->last = at;
    out->used += record;
    return true;
}

static int iterate(struct file *file, struct getdents *out)
{
    struct inode *inode = file->inode;
    int err = file_pos_lock(file);

    if (err)
        return err;
    out->dir.pos = file->pos;
    inode_lock(inode);
    err = READ_ONCE(file->path.dentry->flags) & DENTRY_DEAD ? -ENOENT
                                                            : file->ops->iterate(file, &out->dir);
    inode_unlock(inode);
    if (!err) {
        set_offset(out, out->dir.pos);
        file->pos = out->dir.pos;
        file_accessed(file);
    }
    file_pos_unlock(file);
    return err;
}

static long read_dir(int nr, void __user *dirp, unsigned int count, bool old)
{
    AUTO_FD fd = fd_borrow(nr);
    struct getdents out = {
        .dir.emit = emit_dirent, .old = old, .size = MIN(count, GETDENTS_BUFFER)};
    loff_t before;
    long err;

    if (!fd.file)
        return -EBADF;
    if (!fd.file->ops->iterate)
        return -ENOTDIR;
    out.buf = kmalloc(out.size ? out.size : 1);
    if (!out.buf)
        return -ENOMEM;
    before = fd.file->pos;
    err = iterate(fd.file, &out);
    if (!err && out.used == 0 && out.full)
        err = -EINVAL;
    if (!err && copy_to_user(dirp, out.buf, out.used)) {
        fd.file->pos = before;
        err = -EFAULT;
    }
    kfree(out.buf);
    return err ? err : (long)out.used;
}

long sys_getdents64(int nr, void __user *dirp, unsigned int count)
{
    return read_dir(nr, dirp, count, false);
}

long sys_getdents(int nr, void __user *dirp, unsigned int count)
{
    return read_dir(nr, dirp, count, true);
}

/* ---- the working directory ---- */

static int may_enter(const struct path *path)
{
    if (!inode_is(path_inode(path), S_IFDIR))
        return -ENOTDIR;
    return inode_permission(path_inode(path), MAY_EXEC);
}

long sys_chdir(const char __user *pathname)
{
    AUTO_PATH path = {0};
    int err = path_lookup_user(AT_FDCWD, pathname, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

    if (!err)
        err = may_enter(&path);
    if (!err)
        fs_set_cwd(self()->fs, &path);
    return err;
}

long sys_fchdir(int nr)
{
    AUTO_FD fd = fd_borrow_any(nr);
    int err;

    if (!fd.file)
        return -EBADF;
    err = may_enter(&fd.file->path);
    if (!err)
        fs_set_cwd(self()->fs, &fd.file->path);
    return err;
}

long sys_chroot(const char __user *pathname)
{
    AUTO_PATH path = {0};
    int err = path_lookup_user(AT_FDCWD, pathname, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

    if (!err)
        err = may_enter(&path);
    if (!err && !capable(CAP_SYS_CHROOT))
        err = -EPERM;
    if (!err)
        fs_set_root(self()->fs, &path);
    return err;
}

long sys_getcwd(void __user *buf, size_t size)
{
    AUTO_PATH root = {0}, cwd = {0};
    char *page = kmalloc(PATH_MAX), *text;
    long len;

    if (!page)
        return -ENOMEM;
    fs_root(&root);
    fs_cwd(&cwd);
    if (dentry_unhashed(cwd.dentry) && cwd.dentry != cwd.mount->root) {
        kfree(page);
        return -ENOENT;
    }
    text = path_text(&cwd, &root, page, PATH_MAX);
    len = IS_ERR(text) ? PTR_ERR(text) : (long)strlen(text) + 1;
    if (len > 0 && (size_t)len > size)
        len = -ERANGE;
    if (len > 0 && copy_to_user(buf, text, (size_t)len))
        len = -EFAULT;
    kfree(page);
    return len;
}
