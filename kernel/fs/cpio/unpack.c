/*
 * kernel/fs/cpio/unpack.c: unpacks a cpio archive into a tmpfs that nobody sees yet, so no locks
 * are taken. Names are looked up component by component and links are never followed: nothing leads
 * out of the tree.
 */
#include "base/hash.h"
#include "base/hashtable.h"
#include "base/list.h"
#include "base/string.h"
#include "fs/cpio/cpio.h"
#include "fs/cpio/parse.h"
#include "host/file.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "vfs/vfs.h"

#define CHUNK        262144UL
#define LINK_BUCKETS 256

/*
 * A file with several names: the first entry makes it, later ones are links; the last has the data.
 */
struct linked {
    struct hash_node node;
    u32 ino, dev_major, dev_minor;
    struct inode *inode; /* counted */
};

/* A directory's times change as entries come into it: they are set at the end. */
struct dated {
    struct list_head list;
    struct inode *inode; /* counted */
    ktime mtime;
};

struct archive {
    int file;
    u64 size, offset;
    struct inode *root; /* of the tmpfs; its super keeps it */
    char *chunk;
    struct list_head dirs;
    struct hashtable links;
    struct hash_node *buckets[LINK_BUCKETS];
    struct cpio_entry entry;
    char name[CPIO_NAME_MAX];
};

/* All of len bytes, or an error: -EINVAL when the archive ends before. */
static int archive_read(struct archive *archive, void *to, size_t len)
{
    if (len > archive->size - archive->offset)
        return -EINVAL;
    while (len > 0) {
        s64 got = host_file_read(archive->file, to, len, archive->offset);

        if (got == 0)
            return -EINVAL;
        if (got < 0)
            return (int)got;
        archive->offset += (u64)got;
        to = (char *)to + got;
        len -= (size_t)got;
    }
    return 0;
}

static int archive_align(struct archive *archive)
{
    u64 next = cpio_align(archive->offset);

    /* The padding behind the last entry may be missing. */
    archive->offset = MIN(next, archive->size);
    return 0;
}

/* ---- names ---- */

static int child_create(struct inode *dir, const struct name *name, umode mode, dev_t rdev,
                        struct inode **out)
{
    return dir->ops->create(dir, name, mode, rdev, out);
}

/*
 * The directory that holds the last component, counted, and that component. Missing ones are made.
 */
static int find_parent(struct archive *archive, struct inode **out, struct name *last)
{
    AUTO(inode_put) struct inode *dir = inode_get(archive->root);
    const char *at = archive->name, *slash;

    while ((slash = strchr(at, '/'))) {
        struct name name = {.text = at, .len = (u32)(slash - at)};
        struct inode *next;
        int err = dir->ops->lookup(dir, &name, &next);

        if (err == -ENOENT)
            err = child_create(dir, &name, S_IFDIR | 0755, 0, &next);
        if (err)
            return err;
        inode_put(dir);
        dir = next;
        if (!S_ISDIR(dir->mode))
            return -ENOTDIR;
        at = slash + 1;
    }
    *last = (struct name){.text = at, .len = (u32)strlen(at)};
    *out = TAKE(dir);
    return 0;
}

/*
 * A name that comes a second time replaces the first; a directory stays one. 1: it is there
 * already.
 */
static int make_way(struct archive *archive, struct inode *dir, const struct name *name,
                    struct inode **out)
{
    int err = dir->ops->lookup(dir, name, out);

    if (err)
        return err == -ENOENT ? 0 : err;
    if (S_ISDIR((*out)->mode) && S_ISDIR(archive->entry.mode))
        return 1;
    if (S_ISDIR((*out)->mode))
        err = dir->ops->rmdir(dir, name, *out);
    else
        err = dir->ops->unlink(dir, name, *out);
    inode_put(TAKE(*out));
    return err;
}

/* ---- contents ---- */

static int unpack_data(struct archive *archive, struct inode *inode)
{
    struct file file = {
        .mode = FILE_WRITE, .flags = O_WRONLY | O_LARGEFILE, .ops = inode->fops, .inode = inode};
    u32 left = archive->entry.size;
    loff_t pos = 0;

    while (left > 0) {
        size_t n = MIN(left, CHUNK);
        int err = archive_read(archive, archive->chunk, n);
        struct iter it;
        ssize_t done;

        if (err)
            return err;
        iter_init_kernel(&it, true, archive->chunk, n);
        done = inode->fops->write(&file, &it, &pos);
        if (done != (ssize_t)n)
            return done < 0 ? (int)done : -ENOSPC;
        left -= (u32)n;
    }
    return 0;
}

static int unpack_link(struct archive *archive, struct inode *dir, const struct name *name,
                       struct inode **out)
{
    u32 len = archive->entry.size;
    int err;

    if (len == 0 || len >= PATH_MAX)
        return -EINVAL;
    err = archive_read(archive, archive->chunk, len);
    if (err)
        return err;
    archive->chunk[len] = '\0';
    if (memchr(archive->chunk, '\0', len))
        return -EINVAL;
    return dir->ops->symlink(dir, name, archive->chunk, out);
}

/* ---- hard links ---- */

static u64 link_key(const struct cpio_entry *entry)
{
    return hash_u64(((u64)entry->dev_major << 32 | entry->dev_minor) ^ hash_u64(entry->ino));
}

static struct linked *linked_find(struct archive *archive)
{
    const struct cpio_entry *entry = &archive->entry;
    struct linked *linked;

    hashtable_for_each_in(linked, &archive->links, link_key(entry), node) {
        if (linked->ino == entry->ino && linked->dev_major == entry->dev_major &&
            linked->dev_minor == entry->dev_minor)
            return linked;
    }
    return NULL;
}

static int linked_add(struct archive *archive, struct inode *inode)
{
    const struct cpio_entry *entry = &archive->entry;
    struct linked *linked = kzalloc(sizeof(*linked));

    if (!linked)
        return -ENOMEM;
    linked->ino = entry->ino;
    linked->dev_major = entry->dev_major;
    linked->dev_minor = entry->dev_minor;
    linked->inode = inode_get(inode);
    hashtable_add(&archive->links, &linked->node, link_key(entry));
    return 0;
}

/* ---- one entry ---- */

static int set_attributes(struct archive *archive, struct inode *inode)
{
    const struct cpio_entry *entry = &archive->entry;
    ktime mtime = (ktime)entry->mtime * NSEC_PER_SEC;
    struct iattr attr = {
        .valid = ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME,
        .mode = entry->mode & 07777,
        .uid = entry->uid,
        .gid = entry->gid,
        .atime = mtime,
        .mtime = mtime,
    };
    struct dated *dated;
    int err = inode->ops->setattr(inode, &attr);

    if (err || !S_ISDIR(inode->mode))
        return err;
    dated = kzalloc(sizeof(*dated));
    if (!dated)
        return -ENOMEM;
    dated->inode = inode_get(inode);
    dated->mtime = mtime;
    list_add_tail(&dated->list, &archive->dirs);
    return 0;
}

/* A new object under a free name. */
static int make_object(struct archive *archive, struct inode *dir, const struct name *name,
                       struct inode **out)
{
    const struct cpio_entry *entry = &archive->entry;
    bool shared = entry->nlink > 1 && !S_ISDIR(entry->mode);
    struct linked *linked = shared ? linked_find(archive) : NULL;
    int err;

    if (linked && (linked->inode->mode & S_IFMT) == (entry->mode & S_IFMT)) {
        err = dir->ops->link(linked->inode, dir, name);
        *out = err ? NULL : inode_get(linked->inode);
        return err;
    }
    if (S_ISLNK(entry->mode))
        err = unpack_link(archive, dir, name, out);
    else
        err = child_create(dir, name, entry->mode, dev_make(entry->rdev_major, entry->rdev_minor),
                           out);
    if (!err && shared && !linked)
        err = linked_add(archive, *out);
    return err;
}

static int unpack_named(struct archive *archive)
{
    AUTO(inode_put) struct inode *dir = NULL;
    AUTO(inode_put) struct inode *inode = NULL;
    struct name last;
    int err = find_parent(archive, &dir, &last);

    if (!err)
        err = make_way(archive, dir, &last, &inode);
    if (!err)
        err = make_object(archive, dir, &last, &inode);
    if (err < 0)
        return err;
    if (S_ISREG(archive->entry.mode))
        err = unpack_data(archive, inode);
    else
        err = 0;
    return err ? err : set_attributes(archive, inode);
}

/* 0: there may be more; 1: that was the last. */
static int unpack_entry(struct archive *archive)
{
    struct cpio_entry *entry = &archive->entry;
    char header[CPIO_HEADER];
    u64 data_end;
    int err = archive_read(archive, header, sizeof(header));

    if (!err)
        err = cpio_parse_header(header, entry);
    if (!err)
        err = archive_read(archive, archive->name, entry->name_size);
    if (!err)
        err = archive_align(archive);
    if (err)
        return err;
    if (entry->name_size == sizeof(CPIO_TRAILER) &&
        memcmp(archive->name, CPIO_TRAILER, sizeof(CPIO_TRAILER)) == 0)
        return 1;
    if (entry->size > archive->size - archive->offset || entry->mode == 0)
        return -EINVAL;
    data_end = archive->offset + entry->size;
    err = cpio_clean_name(archive->name, entry->name_size);
    if (!err && *archive->name)
        err = unpack_named(archive);
    else if (!err)
        err = S_ISDIR(entry->mode) ? set_attributes(archive, archive->root) : -EINVAL;
    archive->offset = data_end;
    return err ? err : archive_align(archive);
}

static int unpack_all(struct archive *archive)
{
    int err = 0;

    while (!err) {
        u64 start = archive->offset;

        err = unpack_entry(archive);
        if (err < 0)
            log_error("cpio", "the archive's entry at byte %llu cannot be unpacked: error %d",
                      (unsigned long long)start, -err);
    }
    return err < 0 ? err : 0;
}

static void archive_finish(struct archive *archive)
{
    struct dated *dated;
    struct linked *linked, *next;
    size_t i;

    while ((dated = list_first_entry(&archive->dirs, struct dated, list))) {
        WRITE_ONCE(dated->inode->mtime, dated->mtime);
        list_del(&dated->list);
        inode_put(dated->inode);
        kfree(dated);
    }
    hashtable_for_each(linked, next, i, &archive->links, node) {
        inode_put(linked->inode);
        kfree(linked);
    }
    kfree(archive->chunk);
    kfree(archive);
}

static int unpack(int file, struct inode *root)
{
    struct archive *archive = kzalloc(sizeof(*archive));
    struct host_stat st;
    int err;

    if (!archive)
        return -ENOMEM;
    list_init(&archive->dirs);
    hashtable_init(&archive->links, archive->buckets, LINK_BUCKETS);
    archive->file = file;
    archive->root = root;
    archive->chunk = kmalloc(CHUNK);
    err = archive->chunk ? host_file_stat(file, "", &st) : -ENOMEM;
    if (!err && !S_ISREG(st.mode))
        err = -EINVAL;
    if (!err) {
        archive->size = st.size;
        err = unpack_all(archive);
    }
    archive_finish(archive);
    return err;
}

int cpio_super_create(int file, const char *options, struct super **out)
{
    struct fs_type *tmpfs = fs_type_find("tmpfs");
    int err = tmpfs ? tmpfs->mount(tmpfs, "cpio", options, out) : -ENODEV;

    if (!err) {
        struct iattr attr = {.valid = ATTR_MODE, .mode = 0755};
        struct inode *root = (*out)->root->inode;

        err = root->ops->setattr(root, &attr);
        if (!err)
            err = unpack(file, root);
        if (err)
            super_deactivate(*out);
    }
    host_file_close(file);
    return err;
}
