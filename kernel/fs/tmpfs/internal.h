/* kernel/fs/tmpfs/internal.h: what the files of tmpfs share. */
#ifndef TMPFS_INTERNAL_H
#define TMPFS_INTERNAL_H

#include "base/list.h"
#include "base/rbtree.h"
#include "base/string.h"
#include "fs/tmpfs/tmpfs.h"
#include "mm/alloc.h"
#include "mm/memobj.h"
#include "vfs/vfs.h"

struct tmpfs_super {
    struct super *super;  /* constant */
    struct spinlock lock; /* class OBJECT: the counts and limits */
    u64 max_bytes;        /* 0: no limit */
    u64 max_inodes;       /* 0: no limit */
    u64 inodes;
    u64 bytes;   /* charged to files */
    u64 pledged; /* what programs could store in holes that they have mapped, besides */
    umode root_mode;
    uid_t root_uid;
    gid_t root_gid;
    u64 next_ino;       /* atomic */
    struct rb_tree all; /* lock: every inode by number, for handles and for taking the tree down */
};

/* A name in a directory: in a tree by name, and in one by cookie, which readdir goes along. */
struct tmpfs_entry {
    struct rb_node by_name;
    struct rb_node by_cookie;
    u64 cookie;          /* constant: a position for readdir; grows */
    struct inode *inode; /* counted; directory's lock */
    u32 len;
    char name[];
};

struct tmpfs_xattr {
    struct list_head list;
    size_t size;
    void *value;
    char name[];
};

struct tmpfs_inode {
    struct inode inode;
    struct rb_node all;      /* tmpfs_super.lock */
    struct spinlock lock;    /* class OBJECT: xattrs */
    struct list_head xattrs; /* lock */
    u64 charged, pledged;    /* tmpfs_super.lock: what of the super's counts is its own */
    bool mapped;             /* tmpfs_super.lock: programs may store to it by mappings */
    unsigned int seals;      /* inode.lock; F_SEAL_ */
    struct memobj *obj;      /* regular files: constant */
    struct rb_tree names;    /* directories: inode.lock */
    struct rb_tree cookies;  /* the same entries */
    u64 next_cookie;         /* inode.lock */
    struct inode *parent; /* directories: for "..", inode.lock; not counted, the root's is itself */
};

static inline struct tmpfs_inode *tmpfs_inode(struct inode *inode)
{
    return container_of(inode, struct tmpfs_inode, inode);
}

static inline struct tmpfs_super *tmpfs_super(struct inode *inode)
{
    return inode->super->private;
}

#define COOKIE_FIRST 2 /* 0 is ".", 1 is ".." */

/* super.c */
struct inode *tmpfs_inode_create(struct super *super, umode mode, dev_t rdev); /* ERR_PTR */

/* dir.c */
int tmpfs_dir_name(struct inode *dir, struct inode **parent, char name[NAME_MAX + 1]);
extern const struct inode_ops tmpfs_dir_ops;
extern const struct file_ops tmpfs_dir_fops;
void tmpfs_dir_clear(
    struct tmpfs_inode *dir); /* forgets all entries: the whole tree is taken down */
int tmpfs_setattr(struct inode *inode, const struct iattr *attr);
int tmpfs_getattr(struct inode *inode, struct kstat *stat);

/* limit.c: the size= limit */
void tmpfs_charge(struct inode *inode); /* counts what the contents have grown or shrunk by */
void tmpfs_map(struct inode *inode);    /* it is about to be mapped shared, and may be written to */
void tmpfs_recheck(struct tmpfs_super *fs); /* the limit is another one */
u64 tmpfs_room(struct inode *inode);        /* how many bytes more the file system may hold */
u64 tmpfs_missing(struct inode *inode, u64 pos, u64 end); /* how many a range would take */
int tmpfs_limit_write(struct inode *inode, struct iter *from, u64 pos); /* cuts it; -ENOSPC */
/* The first inode behind that number, counted; NULL: there is none. */
struct tmpfs_inode *tmpfs_next_inode(struct tmpfs_super *fs, ino_t after);

/* file.c */
extern const struct inode_ops tmpfs_file_ops;
extern const struct inode_ops tmpfs_node_ops; /* symbolic links, FIFOs, devices, sockets */
extern const struct file_ops tmpfs_file_fops;

/* xattr.c */
ssize_t tmpfs_xattr_get(struct inode *inode, const char *name, void *value, size_t size);
int tmpfs_xattr_set(struct inode *inode, const char *name, const void *value, size_t size,
                    int flags);
int tmpfs_xattr_remove(struct inode *inode, const char *name);
ssize_t tmpfs_xattr_list(struct inode *inode, char *names, size_t size);
void tmpfs_xattr_clear(struct tmpfs_inode *inode);

#endif
