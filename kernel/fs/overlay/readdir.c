/*
 * kernel/fs/overlay/readdir.c: the entries of a directory, without doubles and without what is
 * covered.
 *
 * An open directory keeps a list of its entries, made when it is read from the start; a position is
 * a number in it, so positions hold while names come and go.
 */
#include "fs/overlay/internal.h"

#include <linux/fs.h>

struct entry {
    struct list_head list;
    struct hash_node node;
    ino_t ino;
    u8 type;
    bool covers; /* a whiteout */
    struct name name;
    char text[];
};

#define ENTRY_BUCKETS 256

struct entries {
    struct list_head list;
    u64 count;
    struct hashtable table;
    struct hash_node *buckets[ENTRY_BUCKETS];
};

struct reader {
    struct dir_context context;
    struct entries *entries;
    struct overlay_super *fs;
    struct inode *upper; /* the layer that is read; NULL: the lower one */
    int err;
};

static u64 text_hash(const char *text, size_t len)
{
    u64 hash = 14695981039346656037ULL; /* FNV-1a: long chains cost only their owner */

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (u8)text[i]) * 1099511628211ULL;
    return hash ^ hash >> 32;
}

static struct entry *entry_find(struct entries *entries, const char *text, size_t len)
{
    struct entry *entry;

    hashtable_for_each_in(entry, &entries->table, text_hash(text, len), node) {
        if (entry->name.len == len && memcmp(entry->text, text, len) == 0)
            return entry;
    }
    return NULL;
}

static struct entry *entry_add(struct entries *entries, const char *text, size_t len, ino_t ino,
                               u8 type)
{
    struct entry *entry = kzalloc(sizeof(*entry) + len + 1);

    if (!entry)
        return NULL;
    memcpy(entry->text, text, len);
    entry->name = (struct name){.text = entry->text, .len = (u32)len};
    entry->ino = ino;
    entry->type = type;
    list_add_tail(&entry->list, &entries->list);
    hashtable_add(&entries->table, &entry->node, text_hash(text, len));
    entries->count++;
    return entry;
}

static void entries_free(struct entries *entries)
{
    struct entry *entry;

    if (!entries)
        return;
    while ((entry = list_first_entry(&entries->list, struct entry, list))) {
        list_del(&entry->list);
        kfree(entry);
    }
    kfree(entries);
}

static bool is_dots(const char *text, size_t len)
{
    return text[0] == '.' && (len == 1 || (len == 2 && text[1] == '.'));
}

/* fs->lock is held for the upper layer. */
static bool read_entry(struct dir_context *context, const char *text, size_t len, ino_t ino,
                       u8 type)
{
    struct reader *reader = container_of(context, struct reader, context);
    struct name name = {.text = text, .len = (u32)len};
    struct inode *inode;
    struct entry *entry;

    if (is_dots(text, len) || entry_find(reader->entries, text, len))
        return true;
    entry = entry_add(reader->entries, text, len, ino, type);
    if (!entry) {
        reader->err = -ENOMEM;
        return false;
    }
    if (reader->upper && !layer_lookup_upper(reader->upper, &name, &inode)) {
        entry->covers = is_whiteout(inode);
        entry->ino = overlay_upper_ino(reader->fs, inode);
        inode_put(inode);
    }
    return true;
}

static int read_layers(struct inode *dir, struct entries *entries)
{
    struct overlay_super *fs = overlay_super(dir);
    struct overlay_inode *own = overlay_inode(dir);
    struct reader reader = {.context.emit = read_entry, .entries = entries, .fs = fs};
    int err = 0;

    mutex_lock(&fs->lock);
    reader.upper = own->upper;
    if (own->upper)
        err = layer_iterate(own->upper, &reader.context);
    mutex_unlock(&fs->lock);
    if (!err && !reader.err && own->lower) {
        reader.upper = NULL;
        reader.context.pos = 0;
        mutex_lock_nested(&own->lower->lock);
        err = layer_iterate(own->lower, &reader.context);
        mutex_unlock(&own->lower->lock);
    }
    return err ? err : reader.err;
}

/* Entries of the upper layer come first, so that they hide the lower layer's. ERR_PTR. */
static struct entries *entries_read(struct inode *dir)
{
    struct entries *entries = kmalloc(sizeof(*entries));
    int err;

    if (!entries)
        return ERR_PTR(-ENOMEM);
    list_init(&entries->list);
    entries->count = 0;
    hashtable_init(&entries->table, entries->buckets, ENTRY_BUCKETS);
    err = read_layers(dir, entries);
    if (!err)
        return entries;
    entries_free(entries);
    return ERR_PTR(err);
}

int overlay_make_empty(struct inode *dir)
{
    struct overlay_super *fs = overlay_super(dir);
    struct entries *entries = entries_read(dir);
    struct entry *entry;
    int err = 0;

    if (IS_ERR(entries))
        return (int)PTR_ERR(entries);
    list_for_each_entry(entry, &entries->list, list)
        if (!entry->covers)
            err = -ENOTEMPTY;
    mutex_lock(&fs->lock);
    if (!err) {
        list_for_each_entry(entry, &entries->list, list) {
            struct inode *at = overlay_inode(dir)->upper, *whiteout;

            err = layer_lookup_upper(at, &entry->name, &whiteout);
            if (err)
                break;
            err = at->ops->unlink(at, &entry->name, whiteout);
            inode_put(whiteout);
        }
    }
    mutex_unlock(&fs->lock);
    entries_free(entries);
    return err;
}

/* ---- reading an open directory; the list is file->private ---- */

static ino_t parent_ino(struct inode *dir)
{
    struct overlay_super *fs = overlay_super(dir);
    ino_t ino = dir->ino;

    mutex_lock(&fs->lock);
    if (overlay_inode(dir)->parent)
        ino = overlay_inode(dir)->parent->inode.ino;
    mutex_unlock(&fs->lock);
    return ino;
}

static int emit_dots(struct inode *inode, struct dir_context *dir)
{
    if (dir->pos == 0) {
        if (!dir->emit(dir, ".", 1, inode->ino, S_IFDIR >> 12))
            return 1;
        dir->pos = 1;
    }
    if (dir->pos == 1) {
        if (!dir->emit(dir, "..", 2, parent_ino(inode), S_IFDIR >> 12))
            return 1;
        dir->pos = 2;
    }
    return 0;
}

/*
 * From where the last call left off: it is found by counting, so a whole listing counts each call
 * anew.
 */
static void emit_entries(struct entries *entries, struct dir_context *dir)
{
    loff_t at = 2;
    struct entry *entry;

    list_for_each_entry(entry, &entries->list, list) {
        if (at++ < dir->pos)
            continue;
        if (!entry->covers &&
            !dir->emit(dir, entry->text, entry->name.len, entry->ino, entry->type))
            return;
        dir->pos = at;
    }
}

static int overlay_iterate(struct file *file, struct dir_context *dir)
{
    if (dir->pos == 0 || !file->private) {
        struct entries *entries = entries_read(file->inode);

        if (IS_ERR(entries))
            return (int)PTR_ERR(entries);
        entries_free(file->private);
        file->private = entries;
    }
    if (!emit_dots(file->inode, dir))
        emit_entries(file->private, dir);
    return 0;
}

static loff_t overlay_dir_seek(struct file *file, loff_t offset, int whence)
{
    loff_t base = whence == SEEK_CUR ? file->pos : 0;

    if (whence != SEEK_SET && whence != SEEK_CUR)
        return -EINVAL;
    if (add_overflow(base, offset, &base) || base < 0)
        return -EINVAL;
    return base;
}

static void overlay_dir_release(struct file *file)
{
    entries_free(file->private);
}

static int overlay_dir_fsync(struct file *file, loff_t start, loff_t end, bool data_only)
{
    return 0; /* changes are in memory only */
}

const struct file_ops overlay_dir_fops = {
    .iterate = overlay_iterate,
    .seek = overlay_dir_seek,
    .fsync = overlay_dir_fsync,
    .release = overlay_dir_release,
};
