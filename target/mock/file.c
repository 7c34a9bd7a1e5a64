/* target/mock/file.c: the host's file calls, as Linux answers them to a superuser, on the nodes of node.c. */
#include "node.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_LIMIT (1ULL << 44) /* of a file */
#define NAME_LIMIT 255

static void lock(void)
{
    pthread_mutex_lock(&files.lock);
}

static void unlock(void)
{
    pthread_mutex_unlock(&files.lock);
}

/* --- descriptors and names ----------------------------------------------------------------------------- */

static struct open *open_at(int file)
{
    return file >= 0 && file < FILES_MAX && files.open[file].node ? &files.open[file] : NULL;
}

static int get_dir(int dir, struct node **out)
{
    const struct open *open = open_at(dir);

    if (!open)
        return -EBADF;
    if (!S_ISDIR(open->node->stat.mode))
        return -ENOTDIR;
    *out = open->node;
    return 0;
}

/* An open file that data are moved through. */
static int get_data(int file, int how, struct node **out)
{
    const struct open *open = open_at(file);

    if (!open || open->flags & TARGET_OPEN_PATH || !(open->flags & how))
        return -EBADF;
    if (S_ISDIR(open->node->stat.mode))
        return -EISDIR;
    *out = open->node;
    return S_ISREG(open->node->stat.mode) ? 0 : -EINVAL;
}

static int check_name(const char *name)
{
    if (strlen(name) > NAME_LIMIT)
        return -ENAMETOOLONG;
    return strchr(name, '/') ? -EACCES : 0; /* the hosted target's RESOLVE_BENEATH and kin */
}

/* The file that a name stands for; "" is the descriptor's own. */
static int find(int dir, const char *name, struct node **out)
{
    struct node *parent;
    struct entry *entry;
    int err;

    if (!*name) {
        *out = open_at(dir) ? open_at(dir)->node : NULL;
        return *out ? 0 : -EBADF;
    }
    err = get_dir(dir, &parent);
    if (!err)
        err = check_name(name);
    if (err)
        return err;
    entry = *dir_find(parent, name);
    if (!entry)
        return -ENOENT;
    *out = entry->node;
    return 0;
}

/* A name that does not exist yet. */
static int find_free(int dir, const char *name, struct node **parent)
{
    int err = get_dir(dir, parent);

    if (!err)
        err = check_name(name);
    if (err)
        return err;
    if (!*name || (*parent)->removed)
        return -ENOENT;
    return *dir_find(*parent, name) ? -EEXIST : 0;
}

/* --- opening and looking -------------------------------------------------------------------------------- */

static int open_node(struct node *node, int flags)
{
    if (S_ISLNK(node->stat.mode) && !(flags & TARGET_OPEN_PATH))
        return -ELOOP;
    if (flags & TARGET_OPEN_DIRECTORY && !S_ISDIR(node->stat.mode))
        return -ENOTDIR;
    if (S_ISDIR(node->stat.mode) && flags & TARGET_OPEN_WRITE)
        return -EISDIR;
    if (!S_ISDIR(node->stat.mode) && !S_ISREG(node->stat.mode) && !(flags & TARGET_OPEN_PATH))
        return -ENXIO;
    if (!(flags & (TARGET_OPEN_READ | TARGET_OPEN_WRITE)))
        flags |= TARGET_OPEN_READ;
    return file_open_node(node, flags);
}

static int create_node(int dir, const char *name, uint32_t mode, struct node **out)
{
    struct node *parent;
    int err = find_free(dir, name, &parent);

    if (err)
        return err;
    *out = node_new(mode);
    dir_add(parent, name, *out);
    (*out)->refs--;
    return 0;
}

int target_file_open(int dir, const char *name, int flags, unsigned int mode)
{
    struct node *node;
    int err;

    if (request_fails("file", __builtin_return_address(0)))
        RESULT(file_open, -ENFILE);
    lock();
    if (flags & TARGET_OPEN_CREATE)
        err = create_node(dir, name, S_IFREG | (mode & 07777), &node);
    else
        err = find(dir, name, &node);
    if (!err)
        err = open_node(node, flags);
    unlock();
    RESULT(file_open, err);
}

void target_file_close(int file)
{
    if (socket_close(file))
        return;
    lock();
    if (open_at(file)) {
        node_put_locked(files.open[file].node);
        files.open[file].node = NULL;
    }
    unlock();
}

struct node *file_node_get(int file)
{
    struct node *node = NULL;

    lock();
    if (open_at(file) && S_ISREG(files.open[file].node->stat.mode)) {
        node = files.open[file].node;
        node->refs++;
    }
    unlock();
    return node;
}

int target_file_stat(int dir, const char *name, struct target_stat *out)
{
    struct node *node;
    int err;

    lock();
    err = find(dir, name, &node);
    if (!err)
        *out = node->stat;
    unlock();
    if (!err) {
        OFFER(file_stat, ino, out->ino);
        OFFER(file_stat, size, out->size);
        OFFER(file_stat, blocks, out->blocks);
        OFFER(file_stat, rdev, out->rdev);
        OFFER(file_stat, dev, out->dev);
        OFFER(file_stat, mode, out->mode);
        OFFER(file_stat, nlink, out->nlink);
        OFFER(file_stat, uid, out->uid);
        OFFER(file_stat, gid, out->gid);
        OFFER(file_stat, blksize, out->blksize);
        OFFER(file_stat, atime, out->atime);
        OFFER(file_stat, mtime, out->mtime);
        OFFER(file_stat, ctime, out->ctime);
        OFFER(file_stat, btime, out->btime);
    }
    RESULT(file_stat, err);
}

/* --- data ------------------------------------------------------------------------------------------------- */

/* Bytes of the file that stand in one page, into `to`; files.lock is not held while memory of a program is touched. */
static size_t read_piece(struct node *node, char *to, size_t len, uint64_t offset)
{
    size_t inside = offset % PAGE;
    const char *bytes;

    lock();
    len = len < PAGE - inside ? len : PAGE - inside;
    if (offset >= node->stat.size)
        len = 0;
    else if (len > node->stat.size - offset)
        len = node->stat.size - offset;
    bytes = node_block(node, offset / PAGE, false);
    if (bytes)
        memcpy(to, bytes + inside, len);
    else
        memset(to, 0, len);
    unlock();
    return len;
}

static int64_t read_node(struct node *node, char *to, size_t len, uint64_t offset)
{
    char piece[PAGE];
    size_t done = 0, n, got;

    while (done < len && (n = read_piece(node, piece, len - done, offset + done))) {
        got = any_write(to + done, piece, n);
        done += got;
        if (got < n)
            return done ? (int64_t)done : -EFAULT;
    }
    return (int64_t)done;
}

/* As get_data(), with a reference that outlives the descriptor. */
static int take_data(int file, int how, struct node **out)
{
    int err;

    lock();
    err = get_data(file, how, out);
    if (!err)
        (*out)->refs++;
    unlock();
    return err;
}

int64_t target_file_read(int file, void *to, size_t len, uint64_t offset)
{
    struct node *node;
    int64_t n = take_data(file, TARGET_OPEN_READ, &node);

    if (!n) {
        n = read_node(node, to, len, offset);
        node_put(node);
    }
    if (n > 0 && !is_user(to))
        OFFER_BYTES(file_read, data, to, (size_t)n);
    RESULT(file_read, n);
}

static int64_t write_node(struct node *node, const char *from, size_t len, uint64_t offset)
{
    char piece[PAGE];
    size_t done = 0;

    if (offset >= SIZE_LIMIT)
        return -EFBIG;
    len = len < SIZE_LIMIT - offset ? len : SIZE_LIMIT - offset;
    while (done < len) {
        size_t n = len - done < PAGE ? len - done : PAGE;
        size_t got = any_read(piece, from + done, n);

        lock();
        node_write(node, piece, got, offset + done);
        unlock();
        done += got;
        if (got < n)
            return done ? (int64_t)done : -EFAULT;
    }
    return (int64_t)done;
}

int64_t target_file_write(int file, const void *from, size_t len, uint64_t offset)
{
    struct node *node;
    int64_t n = take_data(file, TARGET_OPEN_WRITE, &node);

    if (!n) {
        n = write_node(node, from, len, offset);
        node_put(node);
    }
    RESULT(file_write, n);
}

/* lseek(2), SEEK_DATA and SEEK_HOLE. */
static int64_t seek_locked(struct node *node, uint64_t offset, bool data)
{
    uint64_t size = node->stat.size, at = offset;

    if (offset >= size)
        return -ENXIO;
    if (data && !node->count)
        return -ENXIO;
    if (data && node->blocks[node->count - 1].index < offset / PAGE)
        return -ENXIO;
    while (at < size && (node_block(node, at / PAGE, false) != NULL) != data) {
        if (data) { /* the next block that is there */
            size_t i = 0;

            while (node->blocks[i].index < at / PAGE)
                i++;
            at = node->blocks[i].index * PAGE;
        } else {
            at = (at / PAGE + 1) * PAGE;
        }
    }
    return (int64_t)(at < size ? at : size);
}

int64_t target_file_seek(int file, uint64_t offset, int whence)
{
    const struct open *open;
    int64_t at = -EBADF;

    lock();
    open = open_at(file);
    if (open && S_ISREG(open->node->stat.mode))
        at = whence == SEEK_DATA || whence == SEEK_HOLE
                 ? seek_locked(open->node, offset, whence == SEEK_DATA)
                 : -EINVAL;
    unlock();
    RESULT(file_seek, at);
}

int target_file_truncate(int file, uint64_t size)
{
    struct node *node;
    int err;

    lock();
    err = get_data(file, TARGET_OPEN_WRITE, &node);
    if (!err && size > SIZE_LIMIT)
        err = -EFBIG;
    if (!err)
        node_set_size(node, size);
    unlock();
    RESULT(file_truncate, err);
}

#define ALLOCATE_MAX (1ULL << 26) /* the host's disk is small */

static int allocate_locked(struct node *node, int mode, uint64_t offset, uint64_t len)
{
    uint64_t end = offset + len;

    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
        return -EOPNOTSUPP;
    if (!len || end < offset || end > SIZE_LIMIT)
        return !len ? -EINVAL : -EFBIG;
    if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
        node_punch(node, offset, len);
    } else {
        if (len > ALLOCATE_MAX)
            return -ENOSPC;
        for (uint64_t i = offset / PAGE; i <= (end - 1) / PAGE; i++)
            node_block(node, i, true);
    }
    if (!(mode & FALLOC_FL_KEEP_SIZE) && end > node->stat.size)
        node->stat.size = end;
    node_touch(node);
    return 0;
}

int target_file_allocate(int file, int mode, uint64_t offset, uint64_t len)
{
    struct node *node;
    int err;

    lock();
    err = get_data(file, TARGET_OPEN_WRITE, &node);
    if (!err)
        err = allocate_locked(node, mode, offset, len);
    unlock();
    RESULT(file_allocate, err);
}

int target_file_sync(int file, bool data_only)
{
    int err;

    (void)data_only;
    lock();
    err = open_at(file) ? 0 : -EBADF;
    unlock();
    RESULT(file_sync, err);
}

/* --- directories -------------------------------------------------------------------------------------------- */

struct dirent_head {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

/* Bytes of the record; 0: it does not fit. */
static size_t put_record(char *to, size_t room, const struct node *node, int64_t off,
                         const char *name)
{
    size_t head = offsetof(struct dirent_head, name);
    size_t len = (head + strlen(name) + 1 + 7) & ~7UL;
    struct dirent_head record = {node->stat.ino, off, (uint16_t)len,
                                 (uint8_t)((node->stat.mode & S_IFMT) >> 12)};

    if (len > room)
        return 0;
    memset(to, 0, len);
    memcpy(to, &record, head);
    memcpy(to + head, name, strlen(name));
    return len;
}

static int64_t readdir_locked(struct node *dir, char *to, size_t room, int64_t cursor)
{
    struct node *up = dir->parent ? dir->parent : dir;
    size_t done = 0, n;

    if (cursor < 0)
        return -EINVAL;
    if (cursor < 1) {
        n = put_record(to, room, dir, 1, ".");
        if (!n)
            return -EINVAL;
        done += n;
    }
    if (cursor < 2) {
        n = put_record(to + done, room - done, up, 2, "..");
        if (!n)
            return done ? (int64_t)done : -EINVAL;
        done += n;
    }
    for (const struct entry *e = dir->entries; e; e = e->next) {
        if (e->cookie <= cursor)
            continue;
        n = put_record(to + done, room - done, e->node, e->cookie, e->name);
        if (!n)
            return done ? (int64_t)done : -EINVAL;
        done += n;
    }
    return (int64_t)done;
}

int64_t target_file_readdir(int dir, void *to, size_t len, int64_t cursor)
{
    struct node *node;
    int64_t n;

    lock();
    n = get_dir(dir, &node);
    if (!n)
        n = readdir_locked(node, to, len, cursor);
    unlock();
    if (n > 0)
        OFFER_BYTES(file_readdir, data, to, (size_t)n);
    RESULT(file_readdir, n);
}

int64_t target_file_readlink(int dir, const char *name, char *to, size_t len)
{
    struct node *node;
    int64_t n;

    lock();
    n = find(dir, name, &node);
    if (!n && !S_ISLNK(node->stat.mode))
        n = -EINVAL;
    if (!n) {
        n = (int64_t)(len < strlen(node->text) ? len : strlen(node->text));
        memcpy(to, node->text, (size_t)n);
    }
    unlock();
    if (n > 0)
        OFFER_BYTES(file_readlink, data, to, (size_t)n);
    RESULT(file_readlink, n);
}

/* --- changes ------------------------------------------------------------------------------------------------- */

static int make(int dir, const char *name, uint32_t mode, uint64_t rdev, const char *text)
{
    struct node *node;
    int err;

    lock();
    err = create_node(dir, name, mode, &node);
    if (!err && text) {
        node->text = strdup(text);
        node->stat.size = strlen(text);
    }
    if (!err)
        node->stat.rdev = rdev;
    unlock();
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

    lock();
    err = get_dir(dir, &parent);
    if (!err)
        err = *name ? find(dir, name, &node) : -ENOENT;
    if (!err)
        err = remove_locked(parent, dir_find(parent, name), directory);
    unlock();
    RESULT(file_unlink, err);
}

int target_file_link(int from_dir, const char *from, int to_dir, const char *to)
{
    struct node *node, *parent;
    int err;

    lock();
    err = find(from_dir, from, &node);
    if (!err)
        err = find_free(to_dir, to, &parent);
    if (!err && S_ISDIR(node->stat.mode))
        err = -EPERM;
    if (!err)
        dir_add(parent, to, node);
    unlock();
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

    lock();
    err = get_dir(from_dir, &source);
    if (!err)
        err = get_dir(to_dir, &target);
    if (!err)
        err = check_name(from);
    if (!err)
        err = check_name(to);
    if (!err)
        err = *from && *to ? rename_locked(source, from, target, to, flags) : -ENOENT;
    unlock();
    RESULT(file_rename, err);
}

int target_file_chmod(int dir, const char *name, unsigned int mode)
{
    struct node *node;
    int err;

    lock();
    err = find(dir, name, &node);
    if (!err && S_ISLNK(node->stat.mode))
        err = -EOPNOTSUPP;
    if (!err) {
        node->stat.mode = (node->stat.mode & S_IFMT) | (mode & 07777);
        node->stat.ctime = sched_now() + MOCK_EPOCH;
    }
    unlock();
    RESULT(file_chmod, err);
}

int target_file_chown(int dir, const char *name, uint32_t uid, uint32_t gid)
{
    struct node *node;
    int err;

    lock();
    err = find(dir, name, &node);
    if (!err && uid != UINT32_MAX)
        node->stat.uid = uid;
    if (!err && gid != UINT32_MAX)
        node->stat.gid = gid;
    unlock();
    RESULT(file_chown, err);
}

int target_file_utimes(int dir, const char *name, int64_t atime, int64_t mtime)
{
    struct node *node;
    int err;

    lock();
    err = find(dir, name, &node);
    if (!err && atime != INT64_MIN)
        node->stat.atime = atime;
    if (!err && mtime != INT64_MIN)
        node->stat.mtime = mtime;
    unlock();
    RESULT(file_utimes, err);
}

int target_file_statfs(int file, struct target_statfs *out)
{
    int err;

    lock();
    err = open_at(file) ? 0 : -EBADF;
    unlock();
    if (!err) {
        *out = (struct target_statfs){
            .type = 0xef53, /* as ext4 */
            .bsize = PAGE,
            .blocks = 1 << 20,
            .bfree = 1 << 19,
            .bavail = 1 << 19,
            .files = 1 << 16,
            .ffree = 1 << 15,
            .namelen = NAME_LIMIT,
            .frsize = PAGE,
        };
        OFFER(file_statfs, type, out->type);
        OFFER(file_statfs, bsize, out->bsize);
        OFFER(file_statfs, blocks, out->blocks);
        OFFER(file_statfs, bfree, out->bfree);
        OFFER(file_statfs, bavail, out->bavail);
        OFFER(file_statfs, files, out->files);
        OFFER(file_statfs, ffree, out->ffree);
        OFFER(file_statfs, namelen, out->namelen);
        OFFER(file_statfs, frsize, out->frsize);
        OFFER(file_statfs, flags, out->flags);
    }
    RESULT(file_statfs, err);
}
