/* kernel/vfs/file.c: life of open files, their position, reading and writing. */
#include "abi/newer.h"
#include "vfs/internal.h"

#include <asm/signal.h>
#include <linux/fs.h>
#include <linux/inotify.h>
#include <linux/resource.h>

/* write(2): what one call transfers at most. */
#define RW_MAX (INT32_MAX & (size_t)PAGE_MASK)

void (*vfs_file_gone)(struct file *file);
void (*vfs_notify)(struct dentry *dentry, u32 mask, const struct name *name, u32 cookie);
void (*vfs_signal)(int signal);

static struct slab *file_slab; /* constant after the start */

int file_start(void)
{
    file_slab = slab_create("file", sizeof(struct file), _Alignof(struct file));
    return file_slab ? 0 : -ENOMEM;
}

void file_prepare(struct file *file)
{
    refcount_init(&file->ref, 1);
    waitq_init(&file->pos_free, "file position");
    spin_init(&file->lock, FILES);
    file->cred = cred_get(cred_current());
}

struct file *file_alloc(void)
{
    struct file *file = slab_alloc(file_slab);

    if (!file)
        return NULL;
    file_prepare(file);
    file->mode = FILE_ALLOCATED;
    return file;
}

void file_put(struct file *file)
{
    struct path path;
    const struct cred *cred;
    bool allocated;

    if (!refcount_put(&file->ref))
        return;

    if (file->watchers && vfs_file_gone)
        vfs_file_gone(file);
    async_file_gone(file);
    if (file->inode) {
        locks_file_released(file);
        lease_file_released(file);
    }
    if (file->ops && file->inode && !(file->mode & FILE_PATH))
        file_notify(file, file->mode & FILE_WRITE ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    file_allow_write(file);
    if (file->mode & FILE_OPENED)
        __atomic_fetch_sub(&file->inode->opens, 1, __ATOMIC_RELEASE);
    if (file->mode & FILE_WRITER) {
        __atomic_fetch_sub(&file->inode->writers, 1, __ATOMIC_RELEASE);
        mount_drop_write(file->path.mount);
    }
    /* release frees a file that is part of an object: what is needed afterwards is kept here. */
    path = file->path;
    cred = file->cred;
    allocated = file->mode & FILE_ALLOCATED;
    if (file->ops && file->ops->release && !(file->mode & FILE_PATH))
        file->ops->release(file);
    if (allocated)
        slab_free(file_slab, file);
    path_release(&path);
    cred_put(cred);
}

/* ---- the position ---- */

/* Takes the position, or notes that somebody waits. Once it is ours it stays so. */
static bool pos_take(struct file *file, bool *ours)
{
    if (!*ours)
        *ours = __atomic_exchange_n(&file->pos_owner, 2, __ATOMIC_ACQUIRE) == 0;
    return *ours;
}

int file_pos_lock(struct file *file)
{
    u32 free_word = 0;
    bool ours = false;
    int err;

    if (__atomic_compare_exchange_n(&file->pos_owner, &free_word, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return 0;
    /* A lock of the object kind, not of sync/: it is held while user memory is copied. */
    spin_lock(&file->lock);
    err = wait_event_kind(&file->pos_free, &file->lock, pos_take(file, &ours), WAIT_KILLABLE,
                          KTIME_FOREVER);
    spin_unlock(&file->lock);
    return err;
}

void file_pos_unlock(struct file *file)
{
    if (__atomic_exchange_n(&file->pos_owner, 0, __ATOMIC_RELEASE) != 2)
        return;
    /* A waiter looks at the word and queues itself under the lock: it is not missed. */
    spin_lock(&file->lock);
    waitq_wake(&file->pos_free, 0);
    spin_unlock(&file->lock);
}

loff_t file_seek(struct file *file, loff_t offset, int whence)
{
    loff_t pos;
    int err;

    if (file->mode & (FILE_STREAM | FILE_PATH))
        return file->mode & FILE_PATH ? -EBADF : -ESPIPE;
    err = file_pos_lock(file);
    if (err)
        return err;
    pos = file->ops->seek ? file->ops->seek(file, offset, whence)
                          : file_seek_generic(file, offset, whence);
    if (pos >= 0)
        file->pos = pos;
    file_pos_unlock(file);
    return pos;
}

loff_t file_seek_generic(struct file *file, loff_t offset, int whence)
{
    loff_t size = (loff_t)inode_size(file->inode);
    loff_t base;

    switch (whence) {
    case SEEK_SET:
        base = 0;
        break;
    case SEEK_CUR:
        base = file->pos;
        break;
    case SEEK_END:
        base = size;
        break;
    case SEEK_DATA: /* all of it is data */
        return offset < 0 || offset >= size ? -ENXIO : offset;
    case SEEK_HOLE:
        return offset < 0 || offset >= size ? -ENXIO : size;
    default:
        return -EINVAL;
    }
    if (add_overflow(base, offset, &base))
        return -EOVERFLOW;
    return base < 0 || (u64)base > file->inode->super->max_size ? -EINVAL : base;
}

/* ---- reading and writing ---- */

/* mount(8)'s relatime: atime moves when it is not newer than the others, or a day old. */
static bool atime_due(const struct inode *inode, const struct mount *mount)
{
    u32 flags = READ_ONCE(mount->flags);
    ktime atime = READ_ONCE(inode->atime);

    if ((inode->flags & INODE_NOATIME) || (flags & MOUNT_NOATIME) || mount_readonly(mount))
        return false;
    if ((flags & MOUNT_NODIRATIME) && inode_is(inode, S_IFDIR))
        return false;
    if (flags & MOUNT_STRICTATIME)
        return true;
    return atime <= READ_ONCE(inode->mtime) || atime <= READ_ONCE(inode->ctime) ||
           inode_now() - atime >= 24 * 3600 * NSEC_PER_SEC;
}

void path_accessed(const struct path *path)
{
    struct inode *inode = path_inode(path);

    if (atime_due(inode, path->mount))
        inode_touch(inode, ATTR_ATIME);
}

void file_accessed(struct file *file)
{
    if (!(file_flags(file) & O_NOATIME))
        path_accessed(&file->path);
}

static ssize_t read_at(struct file *file, struct iter *to, loff_t *pos)
{
    ssize_t n = file->ops->read(file, to, pos);

    self()->io.reads++;
    self()->io.read_bytes += n > 0 ? (u64)n : 0;
    if (n >= 0 && inode_is(file->inode, S_IFREG))
        file_accessed(file);
    if (n > 0)
        file_notify(file, IN_ACCESS);
    return n;
}

/* Does a transfer of so many bytes stay below the largest offset that there is? */
static bool range_ok(loff_t pos, const struct iter *it)
{
    loff_t end;

    return pos >= 0 && !add_overflow(pos, (loff_t)iter_left(it), &end);
}

ssize_t file_read(struct file *file, struct iter *to, loff_t *pos)
{
    loff_t at = 0;
    ssize_t n;

    if (!(file->mode & FILE_READ))
        return -EBADF;
    if (!file->ops->read)
        return inode_is(file->inode, S_IFDIR) ? -EISDIR : -EINVAL;
    if (pos && !(file->mode & FILE_STREAM) && !range_ok(*pos, to))
        return -EINVAL;
    if (iter_left(to) > RW_MAX)
        iter_truncate(to, RW_MAX);

    if (file->mode & FILE_STREAM)
        return read_at(file, to, &at);
    if (pos)
        return read_at(file, to, pos);

    n = file_pos_lock(file);
    if (n)
        return n;
    at = file->pos;
    n = read_at(file, to, &at);
    if (n >= 0)
        file->pos = at;
    file_pos_unlock(file);
    return n;
}

/* setrlimit(2) RLIMIT_FSIZE, and the largest file: cuts the length, or refuses. */
static int write_limit(struct file *file, struct iter *from, loff_t pos)
{
    u64 limit = rlimit(RLIMIT_FSIZE);

    if (limit != RLIM64_INFINITY && (u64)pos >= limit) {
        if (vfs_signal)
            vfs_signal(SIGXFSZ);
        return -EFBIG;
    }
    limit = MIN(limit, file->inode->super->max_size);
    if ((u64)pos >= limit)
        return -EFBIG;
    if (iter_left(from) > limit - (u64)pos)
        iter_truncate(from, limit - (u64)pos);
    return 0;
}

static ssize_t write_at(struct file *file, struct iter *from, loff_t *pos)
{
    ssize_t n;

    if (inode_is(file->inode, S_IFREG) && iter_left(from) > 0) {
        loff_t at = file_appends(file, from) ? (loff_t)inode_size(file->inode) : *pos;
        int err = write_limit(file, from, at);

        if (!err)
            err = inode_remove_privileges(file->inode);
        if (err)
            return err;
    }
    n = file->ops->write(file, from, pos);
    self()->io.writes++;
    self()->io.written_bytes += n > 0 ? (u64)n : 0;
    if (n > 0)
        file_notify(file, IN_MODIFY);
    return n;
}

ssize_t file_write(struct file *file, struct iter *from, loff_t *pos)
{
    loff_t at = 0;
    ssize_t n;

    if (!(file->mode & FILE_WRITE))
        return -EBADF;
    if (!file->ops->write)
        return -EINVAL;
    if (pos && !(file->mode & FILE_STREAM) && !range_ok(*pos, from))
        return -EINVAL;
    if (iter_left(from) > RW_MAX)
        iter_truncate(from, RW_MAX);

    if (file->mode & FILE_STREAM)
        return write_at(file, from, &at);
    if (pos)
        return write_at(file, from, pos);

    n = file_pos_lock(file);
    if (n)
        return n;
    at = file->pos;
    n = write_at(file, from, &at);
    if (n >= 0)
        file->pos = at;
    file_pos_unlock(file);
    return n;
}

ssize_t file_read_kernel(struct file *file, void *to, size_t n, loff_t pos)
{
    size_t done = 0;

    while (done < n) {
        struct iter it;
        ssize_t got;

        iter_init_kernel(&it, false, (char *)to + done, n - done);
        got = file_read(file, &it, &pos);
        if (got < 0)
            return got;
        if (got == 0)
            return -EIO;
        done += (size_t)got;
    }
    return (ssize_t)n;
}

u32 file_poll(struct file *file, struct poll_table *table)
{
    return file->ops->poll ? file->ops->poll(file, table) : POLL_ALWAYS;
}

/* ---- execve(2) against open(2) for writing ---- */

int file_deny_write(struct file *file)
{
    s32 *writers = &file->inode->writers;
    s32 seen = __atomic_load_n(writers, __ATOMIC_RELAXED);

    do {
        if (seen > 0)
            return -ETXTBSY;
    } while (!__atomic_compare_exchange_n(writers, &seen, seen - 1, false, __ATOMIC_ACQUIRE,
                                          __ATOMIC_RELAXED));
    __atomic_fetch_or(&file->mode, FILE_DENIES, __ATOMIC_RELAXED);
    return 0;
}

void file_allow_write(struct file *file)
{
    if (__atomic_fetch_and(&file->mode, ~(u32)FILE_DENIES, __ATOMIC_RELAXED) & FILE_DENIES)
        __atomic_fetch_add(&file->inode->writers, 1, __ATOMIC_RELEASE);
}

int inode_want_writer(struct inode *inode)
{
    s32 seen = __atomic_load_n(&inode->writers, __ATOMIC_RELAXED);

    do {
        if (seen < 0)
            return -ETXTBSY;
    } while (!__atomic_compare_exchange_n(&inode->writers, &seen, seen + 1, false, __ATOMIC_ACQUIRE,
                                          __ATOMIC_RELAXED));
    return 0;
}
