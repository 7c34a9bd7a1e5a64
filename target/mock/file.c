/* target/mock/file.c: the host's calls on files, as Linux answers them to a superuser: opening, data, reading directories. */
#include "node.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_LIMIT (1ULL << 44) /* of a file */

/* An open file that data are moved through. */
static int get_data(int file, int how, struct node **out)
{
    const struct open *open = file_at(file);

    if (!open || open->flags & TARGET_OPEN_PATH || !(open->flags & how))
        return -EBADF;
    if (S_ISDIR(open->node->stat.mode))
        return -EISDIR;
    *out = open->node;
    return S_ISREG(open->node->stat.mode) ? 0 : -EINVAL;
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

int target_file_open(int dir, const char *name, int flags, unsigned int mode)
{
    struct node *node;
    int err;

    if (request_fails("file", ASKER))
        RESULT(file_open, -ENFILE);
    files_lock();
    if (flags & TARGET_OPEN_CREATE)
        err = file_create(dir, name, S_IFREG | (mode & 07777), &node);
    else
        err = file_find(dir, name, &node);
    if (!err)
        err = open_node(node, flags);
    files_unlock();
    RESULT(file_open, err);
}

void target_file_close(int file)
{
    if (socket_close(file))
        return;
    files_lock();
    if (file_at(file)) {
        node_put_locked(files.open[file].node);
        files.open[file].node = NULL;
    }
    files_unlock();
}

struct node *file_node_get(int file)
{
    struct node *node = NULL;

    files_lock();
    if (file_at(file) && S_ISREG(files.open[file].node->stat.mode)) {
        node = files.open[file].node;
        node->refs++;
    }
    files_unlock();
    return node;
}

int target_file_stat(int dir, const char *name, struct target_stat *out)
{
    struct node *node;
    int err;

    files_lock();
    err = file_find(dir, name, &node);
    if (!err)
        *out = node->stat;
    files_unlock();
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

    files_lock();
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
    files_unlock();
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

    files_lock();
    err = get_data(file, how, out);
    if (!err)
        (*out)->refs++;
    files_unlock();
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

        sent_show(piece, got);
        files_lock();
        node_write(node, piece, got, offset + done);
        files_unlock();
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

    files_lock();
    open = file_at(file);
    if (open && S_ISREG(open->node->stat.mode))
        at = whence == SEEK_DATA || whence == SEEK_HOLE
                 ? seek_locked(open->node, offset, whence == SEEK_DATA)
                 : -EINVAL;
    files_unlock();
    RESULT(file_seek, at);
}

int target_file_truncate(int file, uint64_t size)
{
    struct node *node;
    int err;

    files_lock();
    err = get_data(file, TARGET_OPEN_WRITE, &node);
    if (!err && size > SIZE_LIMIT)
        err = -EFBIG;
    if (!err)
        node_set_size(node, size);
    files_unlock();
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

    files_lock();
    err = get_data(file, TARGET_OPEN_WRITE, &node);
    if (!err)
        err = allocate_locked(node, mode, offset, len);
    files_unlock();
    RESULT(file_allocate, err);
}

int target_file_sync(int file, bool data_only)
{
    int err;

    (void)data_only;
    files_lock();
    err = file_at(file) ? 0 : -EBADF;
    files_unlock();
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

    files_lock();
    n = file_dir(dir, &node);
    if (!n)
        n = readdir_locked(node, to, len, cursor);
    files_unlock();
    if (n > 0)
        OFFER_BYTES(file_readdir, data, to, (size_t)n);
    RESULT(file_readdir, n);
}

int64_t target_file_readlink(int dir, const char *name, char *to, size_t len)
{
    struct node *node;
    int64_t n;

    files_lock();
    n = file_find(dir, name, &node);
    if (!n && !S_ISLNK(node->stat.mode))
        n = -EINVAL;
    if (!n) {
        n = (int64_t)(len < strlen(node->text) ? len : strlen(node->text));
        memcpy(to, node->text, (size_t)n);
    }
    files_unlock();
    if (n > 0)
        OFFER_BYTES(file_readlink, data, to, (size_t)n);
    RESULT(file_readlink, n);
}

int target_file_statfs(int file, struct target_statfs *out)
{
    int err;

    files_lock();
    err = file_at(file) ? 0 : -EBADF;
    files_unlock();
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
