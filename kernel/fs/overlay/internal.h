/*
 * kernel/fs/overlay/internal.h: what the files of overlay share.
 *
 * An inode stands for one of a lower layer, of the upper layer, or for both: then the lower one was
 * copied up, or the two are directories whose entries are merged. An inode with both stays in
 * memory until its last name is gone, so that it always finds back to its lower half: to its
 * number, its hard links, its entries. Upper directories without a lower half hide what the lower
 * layer has under their name. A name that is removed, but stands in the lower layer, is covered by
 * a whiteout: a character device 0/0 in the upper layer.
 */
#ifndef OVERLAY_INTERNAL_H
#define OVERLAY_INTERNAL_H

#include "base/hashtable.h"
#include "base/list.h"
#include "base/string.h"
#include "fs/overlay/overlay.h"
#include "mm/alloc.h"
#include "vfs/vfs.h"

#define OVERLAY_BUCKETS 1024

struct overlay_super {
    struct super *lower; /* constant; active */
    struct super *upper; /* constant; active */
    struct inode *work;  /* constant; counted: upper directory for what is being made */
    struct mutex
        lock; /* class COPY_UP: entries of all upper directories; upper, parent, name of inodes */
    u64 next_temporary;    /* lock */
    struct spinlock table; /* class OBJECT: the three below */
    struct hashtable by_lower;
    struct hashtable by_upper;
    struct list_head pinned;
    struct hash_node *lower_buckets[OVERLAY_BUCKETS];
    struct hash_node *upper_buckets[OVERLAY_BUCKETS];
};

struct overlay_inode {
    struct inode inode;
    struct hash_node by_lower, by_upper; /* table */
    struct list_head pinned;             /* table: holds a reference while on the list */
    struct inode *lower;                 /* constant; counted; NULL: made in the upper layer */
    struct inode *upper;                 /* set once, with lock held; read without; counted */
    struct overlay_inode *parent; /* lock; counted; where it is copied up to. NULL: no name left */
    char *name;                   /* lock; in parent */
};

static inline struct overlay_inode *overlay_inode(struct inode *inode)
{
    return container_of(inode, struct overlay_inode, inode);
}

static inline struct overlay_super *overlay_super(const struct inode *inode)
{
    return inode->super->private;
}

static inline struct inode *overlay_upper(struct inode *inode)
{
    return __atomic_load_n(&overlay_inode(inode)->upper, __ATOMIC_ACQUIRE);
}

/* Where the contents are now. */
static inline struct inode *overlay_real(struct inode *inode)
{
    struct inode *upper = overlay_upper(inode);

    return upper ? upper : overlay_inode(inode)->lower;
}

static inline bool is_whiteout(const struct inode *inode)
{
    return S_ISCHR(inode->mode) && inode->rdev == 0;
}

static inline struct name name_of(const char *text)
{
    return (struct name){.text = text, .len = (u32)strlen(text)};
}

/* ---- super.c: life of inodes ---- */

/*
 * Memory for an inode and its name, taken before an upper layer is changed: afterwards nothing may fail. Put in
 * either case; what is used is not in it any more.
 */
struct overlay_spare {
    struct overlay_inode *inode;
    char *name;
};
int overlay_spare_get(struct overlay_spare *spare, const struct name *name);
int overlay_spare_name(struct overlay_spare *spare, const struct name *name); /* no inode */
void overlay_spare_put(struct overlay_spare *spare);
/*
 * Of layers' inodes, whose references are taken over; fs->lock held. parent NULL: no name is known.
 * spare NULL: memory is taken as it is needed, and the result may be -ENOMEM.
 */
int overlay_inode_find(struct super *super, struct overlay_inode *parent, const struct name *name,
                       struct inode *lower, struct inode *upper, struct overlay_spare *spare,
                       struct inode **out);
void overlay_set_upper_locked(struct overlay_inode *inode, struct inode *upper);
/* Takes the spare name. */
void overlay_set_place_locked(struct overlay_inode *inode, struct overlay_inode *parent,
                              struct overlay_spare *spare);
/* The recorded name is gone. */
void overlay_forget_place_locked(struct overlay_inode *inode, struct overlay_inode *parent,
                                 const struct name *name);
void overlay_pin(struct overlay_inode *inode);
void overlay_unpin(struct overlay_inode *inode);
ino_t overlay_ino(const struct overlay_inode *inode);
/* The number shown for an upper inode. */
ino_t overlay_upper_ino(struct overlay_super *fs, struct inode *upper);
/* Takes size and times over from where the contents are. */
void overlay_mirror(struct inode *inode);

/* ---- layer.c: the layers' own inodes ---- */

int layer_lookup_lower(struct inode *dir, const struct name *name, struct inode **out);
int layer_lookup_upper(struct inode *dir, const struct name *name,
                       struct inode **out); /* fs->lock held */
/* A file on a layer's inode that is part of another object. */
int layer_open(struct file *file, struct inode *inode, u32 mode, u32 flags);
void layer_close(struct file *file);
int layer_iterate(struct inode *dir, struct dir_context *context); /* all entries */

/* ---- copy_up.c ---- */

int overlay_copy_up(struct inode *inode, bool with_data);
int overlay_copy_up_locked(struct overlay_inode *inode, bool with_data);
/* An upper inode that was just made: its lock is taken below those of overlay inodes. */
void overlay_adopt_upper(struct inode *upper);
struct temporary {
    char text[24];
    struct name name;
};
void overlay_temporary(struct overlay_super *fs, struct temporary *name);

/* ---- dir.c, rename.c, readdir.c, file.c, attr.c ---- */

extern const struct inode_ops overlay_dir_ops, overlay_file_ops;
extern const struct file_ops overlay_dir_fops, overlay_file_fops;

int overlay_rename(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                   struct inode *new_dir, const struct name *new_name, struct inode *target,
                   unsigned int flags);
/* Does the lower layer have the name? 0 or 1. */
int overlay_lower_has(struct inode *dir, const struct name *name);
/* A name of the inode is gone. */
void overlay_unlinked(struct inode *inode);
/* rmdir(2): -ENOTEMPTY; else the whiteouts in the directory are gone. */
int overlay_make_empty(struct inode *dir);

int overlay_setattr(struct inode *inode, const struct iattr *attr);
int overlay_getattr(struct inode *inode, struct kstat *stat);
int overlay_readlink(struct inode *inode, char *buf, size_t size);
ssize_t overlay_xattr_get(struct inode *inode, const char *name, void *value, size_t size);
int overlay_xattr_set(struct inode *inode, const char *name, const void *value, size_t size,
                      int flags);
int overlay_xattr_remove(struct inode *inode, const char *name);
ssize_t overlay_xattr_list(struct inode *inode, char *names, size_t size);

#define OVERLAY_ATTRIBUTE_OPS                                                                      \
    .setattr = overlay_setattr, .getattr = overlay_getattr, .xattr_get = overlay_xattr_get,        \
    .xattr_set = overlay_xattr_set, .xattr_remove = overlay_xattr_remove,                          \
    .xattr_list = overlay_xattr_list

#endif
