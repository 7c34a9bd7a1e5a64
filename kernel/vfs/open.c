/* kernel/vfs/open.c: open(2), openat(2), openat2(2), creat(2), and opening for the kernel itself. */
#include "abi/newer.h"
#include "vfs/internal.h"
#include "syscall_proto.h"

#include <linux/inotify.h>
#include <linux/openat2.h>

#define OPEN_HOW_FIRST 24 /* size of the first version of struct open_how */

/* What stays of the flags once the file is open: F_GETFL shows it. */
#define FLAGS_GONE (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)
#define FLAGS_VALID                                                                                \
    (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | FASYNC | \
     O_DIRECT | O_LARGEFILE | O_TMPFILE | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH)
#define FLAGS_OF_PATH (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define TMPFILE_BIT   (O_TMPFILE & ~O_DIRECTORY)

struct open_request {
    int flags;
    umode mode;
    int access;   /* MAY_, checked on the file */
    u32 resolve;  /* LOOKUP_, of openat2 */
    bool created; /* by this call: its permissions do not bind it */
};

static int access_of(int flags)
{
    static const u8 access[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE};

    return access[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

/* open(2)'s checks that depend on what is opened. */
static int may_open(const struct path *path, const struct open_request *req)
{
    struct inode *inode = path_inode(path);
    u32 mount = READ_ONCE(path->mount->flags), super = READ_ONCE(inode->super->flags);

    switch (inode->mode & S_IFMT) {
    case S_IFLNK:
        return -ELOOP;
    case S_IFDIR:
        if (req->access & MAY_WRITE)
            return -EISDIR;
        if (req->access & MAY_EXEC)
            return -EACCES;
        break;
    case S_IFCHR:
    case S_IFBLK:
        if ((mount & MOUNT_NODEV) || (super & SUPER_NODEV))
            return -EACCES;
        fallthrough;
    case S_IFIFO:
    case S_IFSOCK:
        if (req->access & MAY_EXEC)
            return -EACCES;
        break;
    default:
        if ((req->access & MAY_EXEC) && ((mount & MOUNT_NOEXEC) || (super & SUPER_NOEXEC)))
            return -EACCES;
    }
    if (!req->created) {
        int err = inode_permission(inode, req->access);

        if (err)
            return err;
    }
    return (req->flags & O_NOATIME) && !inode_owner_or_capable(inode) ? -EPERM : 0;
}

/* Chooses the operations: the inode's, the driver's, or the pipe room's. */
static int file_bind(struct file *file)
{
    struct inode *inode = file->inode;
    int err = 0;

    file->ops = inode->fops;
    switch (inode->mode & S_IFMT) {
    case S_IFCHR:
    case S_IFBLK:
        err = dev_open(inode, file);
        break;
    case S_IFIFO:
        file->ops = fifo_ops;
        file->mode |= FILE_STREAM;
        break;
    case S_IFSOCK:
        return -ENXIO;
    }
    if (err || !file->ops)
        return err ? err : -ENXIO;
    return file->ops->open ? file->ops->open(inode, file) : 0;
}

/* Nothing but a name for a place; no permission of the object itself is needed. */
static const struct file_ops path_file_ops;

static int count_writer(struct file *file)
{
    int err;

    if (!(file->mode & FILE_WRITE) ||
        !(inode_is(file->inode, S_IFREG) || inode_is(file->inode, S_IFDIR)))
        return 0;
    err = mount_want_write(file->path.mount);
    if (err)
        return err;
    err = inode_want_writer(file->inode);
    if (err)
        mount_drop_write(file->path.mount);
    else
        file->mode |= FILE_WRITER;
    return err;
}

/* Who holds a lease of the file is asked to give it up. */
static int count_open(struct file *file, bool nonblock)
{
    if (!inode_is(file->inode, S_IFREG))
        return 0;
    __atomic_fetch_add(&file->inode->opens, 1, __ATOMIC_SEQ_CST);
    file->mode |= FILE_OPENED;
    return lease_break(file->inode, file->mode & (FILE_WRITE | FILE_EMPTIES), nonblock);
}

/* Opens what path leads to; the caller keeps its reference of path. */
static struct file *open_object(const struct path *path, const struct open_request *req)
{
    u32 access = ((u32)req->flags + 1) & O_ACCMODE;
    struct file *file;
    int err;

    if (!(req->flags & O_PATH)) {
        err = may_open(path, req);
        if (err)
            return ERR_PTR(err);
    }
    file = file_alloc();
    if (!file)
        return ERR_PTR(-ENFILE);

    path_get(path);
    file->path = *path;
    file->inode = path_inode(path);
    /* A terminal's open looks at O_NOCTTY. */
    file->flags = (u32)(req->flags & ~(FLAGS_GONE & ~O_NOCTTY));
    if (req->flags & O_PATH) {
        file->mode |= FILE_PATH;
        file->ops = &path_file_ops;
        return file;
    }
    file->mode |= (access & 1 ? FILE_READ : 0) | (access & 2 ? FILE_WRITE : 0) |
                  (req->access & MAY_EXEC ? FILE_EXEC : 0) | (req->created ? FILE_CREATED : 0);
    if ((req->flags & O_TRUNC) && !req->created && inode_is(file->inode, S_IFREG))
        file->mode |= FILE_EMPTIES;
    err = count_writer(file);
    if (!err)
        err = count_open(file, req->flags & O_NONBLOCK);
    if (!err) {
        err = file_bind(file);
        /* What was not opened must not be released. */
        if (err)
            file->ops = NULL;
        file->flags &= ~(u32)O_NOCTTY;
    }
    if (!err && (file->mode & FILE_EMPTIES)) {
        file->mode &= ~(u32)FILE_EMPTIES;
        err = mount_want_write(path->mount);
        if (!err) {
            err = inode_truncate(file->inode, 0, file);
            mount_drop_write(path->mount);
        }
        if (!err)
            file_notify(file, IN_MODIFY);
    }
    if (err) {
        file_put(file);
        return ERR_PTR(err);
    }
    file_notify(file, IN_OPEN);
    return file;
}

/* O_CREAT: the dentry of the last component, made when it is missing. Counted; ERR_PTR. */
static struct dentry *open_create(struct walk *walk, struct open_request *req)
{
    struct dentry *dir = walk->path.dentry;
    AUTO(dentry_put) struct dentry *child = dir_lookup(dir, &walk->last);
    int writable, err = 0;

    if (IS_ERR(child) || dentry_inode(child))
        return TAKE(child);

    writable = mount_want_write(walk->path.mount);
    inode_lock(dir->inode);
    if (dentry_unhashed(child)) {
        struct dentry *again = dir_lookup_locked(dir, &walk->last);

        dentry_put(child);
        child = again;
        err = IS_ERR(child) ? (int)PTR_ERR(child) : 0;
    }
    if (!err && !dentry_inode(child)) {
        err = writable;
        if (!err)
            err = name_create_locked(&walk->path, child,
                                     S_IFREG | (umode)(req->mode & 07777 & ~self()->fs->umask), 0);
        req->created = !err;
    }
    inode_unlock(dir->inode);
    if (!writable)
        mount_drop_write(walk->path.mount);
    return err ? ERR_PTR(err) : TAKE(child);
}

/* The last component: 0 and walk->path is the object; 1: a link is to be walked first. */
static int open_last(struct walk *walk, struct open_request *req)
{
    struct dentry *child;
    bool follow = !(req->flags & O_NOFOLLOW);

    if (walk->last.len == 0 || name_is_dot(&walk->last) || name_is_dotdot(&walk->last)) {
        if (req->flags & O_CREAT)
            return -EISDIR;
        return walk->last.len ? walk_step(walk, &walk->last, true, true) : 0;
    }
    if (!(req->flags & O_CREAT))
        return walk_step(walk, &walk->last, follow || walk->must_be_dir, true);

    if (walk->must_be_dir)
        return -EISDIR;
    child = open_create(walk, req);
    if (IS_ERR(child))
        return (int)PTR_ERR(child);
    if ((req->flags & O_EXCL) && !req->created) {
        dentry_put(child);
        return -EEXIST;
    }
    return walk_into(walk, child, follow, true);
}

static struct file *open_tmpfile(struct walk *walk, struct open_request *req)
{
    struct path *dir = &walk->path;
    struct inode *inode = NULL;
    struct name name = {.text = "#tmpfile", .len = 8};
    struct path path;
    struct file *file;
    int err = walk_parent(walk);

    while (!err && walk->last.len) {
        err = walk_step(walk, &walk->last, !(req->flags & O_NOFOLLOW) || walk->must_be_dir, true);
        if (err <= 0)
            break;
        err = walk_parent(walk);
    }
    if (!err && !inode_is(path_inode(dir), S_IFDIR))
        err = -ENOTDIR;
    if (!err)
        err = mount_want_write(dir->mount);
    if (err)
        return ERR_PTR(err);

    err = inode_permission(path_inode(dir), MAY_WRITE | MAY_EXEC);
    if (!err && !path_inode(dir)->ops->tmpfile)
        err = -EOPNOTSUPP;
    if (!err)
        err = path_inode(dir)->ops->tmpfile(
            path_inode(dir), S_IFREG | (umode)(req->mode & 07777 & ~self()->fs->umask), &inode);
    mount_drop_write(dir->mount);
    if (err)
        return ERR_PTR(err);
    if (!(req->flags & O_EXCL))
        inode->flags |= INODE_LINKABLE;

    path = (struct path){.mount = dir->mount,
                         .dentry = dentry_create(inode->super, dir->dentry, &name, inode)};
    if (!path.dentry) {
        inode_put(inode);
        return ERR_PTR(-ENOMEM);
    }
    req->created = true;
    file = open_object(&path, req);
    dentry_put(path.dentry);
    return file;
}

static struct file *open_walk(struct walk *walk, struct open_request *req)
{
    int err;

    if (req->flags & TMPFILE_BIT)
        return open_tmpfile(walk, req);
    do {
        err = walk_parent(walk);
        if (!err)
            err = open_last(walk, req);
    } while (err > 0);

    if (!err && ((req->flags & O_DIRECTORY) || walk->must_be_dir) &&
        !inode_is(path_inode(&walk->path), S_IFDIR))
        err = -ENOTDIR;
    if (!err && (req->flags & O_CREAT) && inode_is(path_inode(&walk->path), S_IFDIR))
        err = -EISDIR;
    return err ? ERR_PTR(err) : open_object(&walk->path, req);
}

/*
 * ESTALE: what a name stands for has changed between the walk and the opening, in a file system that others may
 * change. The next walk finds it out. Somebody who changes it without end gets the error through.
 */
#define OPEN_TRIES 100

static struct file *open_once(int dirfd, const char *text, struct open_request *req)
{
    struct walk walk;
    struct file *file;
    int err = walk_start(&walk, dirfd, text, req->resolve);

    file = err ? ERR_PTR(err) : open_walk(&walk, req);
    walk_end(&walk);
    return file;
}

static struct file *open_at(int dirfd, const char *text, struct open_request *req)
{
    struct file *file = ERR_PTR(-ESTALE);

    for (int i = 0; i < OPEN_TRIES && file == ERR_PTR(-ESTALE); i++)
        file = open_once(dirfd, text, req);
    return file;
}

/* Flags as a program passes them to open(2): what is meaningless is dropped, some combinations refused. */
static int request_init(struct open_request *req, int flags, umode mode)
{
    *req = (struct open_request){.flags = flags, .mode = mode};
    if (flags & O_PATH)
        req->flags &= FLAGS_OF_PATH;
    else
        req->access = access_of(flags);
    if ((req->flags & TMPFILE_BIT) && (req->flags & O_TMPFILE) != O_TMPFILE)
        return -EINVAL;
    if ((req->flags & TMPFILE_BIT) && !(req->access & MAY_WRITE))
        return -EINVAL;
    if ((req->flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
        return -EINVAL;
    return 0;
}

struct file *file_open_path(const struct path *path, int flags)
{
    struct open_request req;
    int err = request_init(&req, flags & FLAGS_VALID, 0);

    return err ? ERR_PTR(err) : open_object(path, &req);
}

struct file *file_open_created(const struct path *path, int flags)
{
    struct open_request req;
    int err = request_init(&req, flags, 0);

    req.created = true;
    return err ? ERR_PTR(err) : open_object(path, &req);
}

struct file *file_open(const char *path, int flags, umode mode)
{
    struct open_request req;
    int err = request_init(&req, flags, mode);

    return err ? ERR_PTR(err) : open_at(AT_FDCWD, path, &req);
}

static struct file *open_exec_once(int dirfd, const char *text, int at_flags)
{
    struct open_request req = {.flags = O_RDONLY | O_LARGEFILE, .access = MAY_EXEC};
    AUTO_PATH path = {0};
    u32 flags = (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                (at_flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    int err = path_lookup(dirfd, text, flags, &path);

    if (err)
        return ERR_PTR(err);
    if (inode_is(path_inode(&path), S_IFLNK))
        return ERR_PTR(-ELOOP);
    /* execve(2): EACCES for all that is not a regular file. */
    if (!inode_is(path_inode(&path), S_IFREG))
        return ERR_PTR(-EACCES);
    return open_object(&path, &req);
}

struct file *file_open_exec(int dirfd, const char *text, int at_flags)
{
    struct file *file = ERR_PTR(-ESTALE);

    for (int i = 0; i < OPEN_TRIES && file == ERR_PTR(-ESTALE); i++)
        file = open_exec_once(dirfd, text, at_flags);
    return file;
}

/* ---- the calls ---- */

static long open_fd(int dirfd, const char __user *pathname, struct open_request *req)
{
    AUTO_PATHNAME name;
    struct file *file;
    int fd, err = pathname_get(&name, pathname);

    if (err)
        return err;
    fd = fd_reserve(0, req->flags & O_CLOEXEC);
    if (fd < 0)
        return fd;
    file = open_at(dirfd, name.text, req);
    if (IS_ERR(file)) {
        fd_release(fd);
        return PTR_ERR(file);
    }
    fd_install(fd, file);
    return fd;
}

long sys_openat(int dirfd, const char __user *pathname, int flags, unsigned int mode)
{
    struct open_request req;
    int err = request_init(&req, (flags & FLAGS_VALID) | O_LARGEFILE, (umode)mode & 07777);

    return err ? err : open_fd(dirfd, pathname, &req);
}

long sys_open(const char __user *pathname, int flags, unsigned int mode)
{
    return sys_openat(AT_FDCWD, pathname, flags, mode);
}

long sys_creat(const char __user *pathname, unsigned int mode)
{
    return sys_openat(AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

static int resolve_flags(u64 resolve, u32 *flags)
{
    static const struct {
        u64 from;
        u32 to;
    } map[] = {
        {RESOLVE_NO_XDEV, LOOKUP_NO_XDEV},
        {RESOLVE_NO_MAGICLINKS, LOOKUP_NO_MAGICLINKS},
        {RESOLVE_NO_SYMLINKS, LOOKUP_NO_SYMLINKS | LOOKUP_NO_MAGICLINKS},
        {RESOLVE_BENEATH, LOOKUP_BENEATH},
        {RESOLVE_IN_ROOT, LOOKUP_IN_ROOT},
        {RESOLVE_CACHED, LOOKUP_CACHED},
    };

    *flags = 0;
    for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
        if (resolve & map[i].from)
            *flags |= map[i].to;
        resolve &= ~map[i].from;
    }
    if (resolve ||
        (*flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) == (LOOKUP_BENEATH | LOOKUP_IN_ROOT))
        return -EINVAL;
    return 0;
}

long sys_openat2(int dirfd, const char __user *pathname, const struct open_how __user *how,
                 size_t size)
{
    struct open_how given;
    struct open_request req;
    int err;

    if (size < OPEN_HOW_FIRST)
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    err = copy_struct_from_user(&given, sizeof(given), how, size);
    if (err)
        return err;
    if ((given.flags & ~(u64)FLAGS_VALID) || (given.mode & ~07777ULL))
        return -EINVAL;
    if (given.mode && !(given.flags & (O_CREAT | TMPFILE_BIT)))
        return -EINVAL;
    if ((given.flags & O_PATH) && (given.flags & ~(u64)FLAGS_OF_PATH))
        return -EINVAL;
    err = request_init(&req, (int)given.flags | (given.flags & O_PATH ? 0 : O_LARGEFILE),
                       (umode)given.mode);
    if (!err)
        err = resolve_flags(given.resolve, &req.resolve);
    /* openat2(2), RESOLVE_CACHED: nothing that may have to wait. */
    if (!err && (req.resolve & LOOKUP_CACHED))
        err = given.flags & (O_TRUNC | O_CREAT | TMPFILE_BIT) ? -EAGAIN : 0;
    return err ? err : open_fd(dirfd, pathname, &req);
}

long sys_close(int fd)
{
    int err = fd_close(fd);

    /* close(2): the descriptor is gone already; calling again would close another's. */
    return err == -ERESTARTSYS || err == -ERESTARTNOINTR || err == -ERESTARTNOHAND ? -EINTR : err;
}
