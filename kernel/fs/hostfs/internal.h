/*
 * kernel/fs/hostfs/internal.h: what the files of hostfs share.
 *
 * An inode is a host object, known by its device and number there. What is asked of the host goes
 * by the directory's descriptor and one name: each inode knows a directory and a name in it that
 * led to it. Directory descriptors are cached; a regular file has at most three descriptors, one
 * for each way to open it.
 */
#ifndef HOSTFS_INTERNAL_H
#define HOSTFS_INTERNAL_H

#include "base/hashtable.h"
#include "base/list.h"
#include "base/string.h"
#include "fs/hostfs/hostfs.h"
#include "host/file.h"
#include "mm/alloc.h"
#include "mm/memobj.h"
#include "vfs/vfs.h"

#include <linux/fs.h>
#include <linux/limits.h>

#define HOSTFS_BUCKETS 1024
#define HOSTFS_NEVER   (INT64_MIN / 2) /* a time long ago */

struct hostfs_super {
    struct super *super;     /* constant */
    bool writable;           /* constant */
    u64 dev;                 /* constant: the root's host device */
    struct hashtable inodes; /* hostfs_lock; by host device and number */
    struct hash_node *buckets[HOSTFS_BUCKETS];
};

/* A descriptor of an object for reading, writing, or both. */
struct hostfs_handle {
    int file;    /* hostfs_lock; constant while there are users */
    u32 users;   /* hostfs_lock: open files, and who looks at attributes just now */
    ktime ctime; /* hostfs_lock: the host's, when the descriptor was opened */
};

struct hostfs_inode {
    struct inode inode;
    struct hash_node node;           /* hostfs_lock */
    u64 dev, ino;                    /* constant: the host's */
    struct hostfs_inode *parent;     /* hostfs_lock; counted; NULL: the root, or removed */
    char *name;                      /* hostfs_lock; in parent */
    struct hostfs_handle handles[3]; /* by FILE_READ | FILE_WRITE, less 1 */
    int path_file;                   /* directories: descriptor for *at calls, or -1; hostfs_lock */
    u32 pins;                        /* hostfs_lock: calls that use path_file now */
    struct list_head lru; /* hostfs_lock: of directories with a descriptor, while not pinned */
    struct list_head
        kept; /* hostfs_lock: a new file, whose descriptor waits for its first opener */
    struct list_head idle; /* hostfs_lock: a file whose descriptor for reading nobody uses now */
    ktime checked;         /* atomic: when the host's attributes were last looked at */
    ktime entries_mtime;   /* constant; directories: of when we first looked */
    ktime entries_checked; /* atomic: when the directory was last seen not to have changed since */
    struct hostfs_shared
        *shared; /* inode.lock; NULL: nobody maps it shared and writable; shared.c */
    u64 blocks;  /* atomic */
    u32 blksize; /* atomic */
};

extern struct mutex hostfs_lock; /* class HOSTFS: descriptors and names of all hostfs trees */

static inline struct hostfs_inode *hostfs_inode(struct inode *inode)
{
    return container_of(inode, struct hostfs_inode, inode);
}

static inline struct hostfs_super *hostfs_super(const struct inode *inode)
{
    return inode->super->private;
}

/* A name for the host: ended. */
struct hostfs_name {
    char text[NAME_MAX + 1];
};
static inline void hostfs_name_set(struct hostfs_name *to, const struct name *name)
{
    memcpy(to->text, name->text, name->len);
    to->text[name->len] = '\0';
}

/* ---- super.c ---- */

/* The inode of what stands under a name, counted. parent NULL: the root. */
int hostfs_inode_find(struct super *super, struct hostfs_inode *parent, const char *name,
                      const struct host_stat *st, struct inode **out);
void hostfs_refresh(struct inode *inode, const struct host_stat *st);
/* The name that leads to it. A name is prepared first, so that this cannot fail. */
void hostfs_set_place(struct inode *inode, struct inode *parent, char *name);
/* Unless it has one: it may have lost that, and still have other names. */
void hostfs_need_place(struct inode *inode, struct inode *parent, const struct name *name);
void hostfs_forget_place(struct inode *inode, struct inode *parent, const struct name *name);
ino_t hostfs_ino(const struct hostfs_super *fs, u64 dev, u64 ino);
bool hostfs_same(const struct hostfs_inode *inode, const struct host_stat *st);

/* ---- descriptors.c ---- */

void hostfs_descriptors_start(u64 limit);
/* A directory's descriptor for use as the first argument of host calls, until it is unpinned. */
int hostfs_pin(struct inode *dir);
void hostfs_unpin(struct inode *dir);
/*
 * Where an inode is: its directory's descriptor, pinned, and its name; of the root its own and "".
 */
struct hostfs_place {
    struct inode *dir; /* counted */
    int file;
    struct hostfs_name name;
};
int hostfs_place_get(struct inode *inode, struct hostfs_place *place);
void hostfs_place_put(struct hostfs_place *place);
/* host_file_open, which makes room when the host has no descriptors left. */
int hostfs_host_open(int dir, const char *name, int flags, umode mode);
/* access: FILE_READ, FILE_WRITE or both. Opens when need be. */
int hostfs_handle_open(struct inode *inode, u32 access);
/* Any that is open: its access, or 0. */
u32 hostfs_handle_any(struct inode *inode);
void hostfs_handle_close(struct inode *inode, u32 access);
/*
 * A file that was just made: its mode may not let us open it again, so its first opener gets this
 * descriptor.
 */
void hostfs_handle_keep(struct inode *inode, int file);
/*
 * For an open file: its own way, or a wider one that is open. The access that was got, or a
 * negative errno.
 */
int hostfs_handle_for(struct inode *inode, u32 access);
static inline int hostfs_handle_file(struct inode *inode, u32 access)
{
    return hostfs_inode(inode)->handles[access - 1].file;
}
void hostfs_descriptors_release(struct hostfs_inode *inode);

/* ---- attr.c ---- */

int hostfs_stat(struct inode *inode, struct host_stat *st);
int hostfs_getattr(struct inode *inode, struct kstat *stat);
int hostfs_setattr(struct inode *inode, const struct iattr *attr);
bool hostfs_revalidate(struct inode *dir, const struct name *name, struct inode *inode);

/* ---- shared.c: shared writable mappings ---- */

struct hostfs_shared;
#define HOSTFS_MAPPED BIT(8) /* in file->private: the file is one of the users */

int hostfs_shared_map(struct file *file, struct memobj **out); /* counted */
int hostfs_shared_sync(struct inode *inode, u64 start, u64 end);
int hostfs_shared_close(struct inode *inode);
void hostfs_shared_free(struct hostfs_shared *shared);
/* What reading goes by while it is mapped: counted; NULL: it is not. */
struct memobj *hostfs_shared_get(struct inode *inode);
int hostfs_shared_wrote(struct inode *inode, u64 start, u64 end);
int hostfs_shared_resize_locked(struct inode *inode, u64 size);

/* ---- change.c: making and removing names ---- */

int hostfs_create(struct inode *dir, const struct name *name, umode mode, dev_t rdev,
                  struct inode **out);
int hostfs_symlink(struct inode *dir, const struct name *name, const char *target,
                   struct inode **out);
int hostfs_link(struct inode *inode, struct inode *dir, const struct name *name);
int hostfs_unlink(struct inode *dir, const struct name *name, struct inode *inode);
int hostfs_rmdir(struct inode *dir, const struct name *name, struct inode *inode);
int hostfs_rename(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                  struct inode *new_dir, const struct name *new_name, struct inode *target,
                  unsigned int flags);

/* ---- dir.c, file.c ---- */

extern const struct inode_ops hostfs_dir_ops, hostfs_file_ops, hostfs_link_ops;
extern const struct file_ops hostfs_dir_fops, hostfs_file_fops;

#endif
