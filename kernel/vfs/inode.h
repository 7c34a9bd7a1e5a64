/*
 * kernel/vfs/inode.h: inodes, superblocks and file system types: what a file system implements.
 *
 * A file system never sees a descriptor, a task, or a path: only inodes and single names. The vfs
 * has checked permissions, read-only mounts, name lengths and "." and ".." before it calls one.
 */
#ifndef VFS_INODE_H
#define VFS_INODE_H

#include "base/errno.h"
#include "base/list.h"
#include "base/refcount.h"
#include "base/types.h"
#include "sync/sync.h"

#include <linux/limits.h>
#include <linux/stat.h>

struct file;
struct file_ops;
struct inode;
struct path;
struct super;
struct file_locks;
struct leases;
struct dentry;
struct kstatfs;
struct fs_type;

/* One component of a path: not ended by a zero. */
struct name {
    const char *text;
    u32 len;
    u32 hash; /* of the dentry table; a file system does not need it */
};

/* Device numbers as stat(2) shows them. */
static inline dev_t dev_make(u32 major, u32 minor)
{
    return (dev_t)((minor & 0xff) | ((major & 0xfff) << 8)) | (dev_t)(minor & ~0xffU) << 12 |
           (dev_t)(major & ~0xfffU) << 32;
}
static inline u32 dev_major(dev_t dev)
{
    return (u32)((u64)dev >> 8 & 0xfff) | (u32)((u64)dev >> 32 & ~0xfffULL);
}
static inline u32 dev_minor(dev_t dev)
{
    return (u32)((u64)dev & 0xff) | (u32)((u64)dev >> 12 & ~0xffULL);
}

/* What changes by chmod, chown, truncate, utimensat. */
#define ATTR_MODE  BIT(0)
#define ATTR_UID   BIT(1)
#define ATTR_GID   BIT(2)
#define ATTR_SIZE  BIT(3)
#define ATTR_ATIME BIT(4)
#define ATTR_MTIME BIT(5)
#define ATTR_CTIME BIT(6)

struct iattr {
    u32 valid;  /* ATTR_ */
    umode mode; /* permission bits only */
    uid_t uid;
    gid_t gid;
    u64 size;
    ktime atime, mtime, ctime; /* ns since the epoch */
};

struct kstat {
    ino_t ino;
    dev_t dev, rdev;
    umode mode;
    u32 nlink;
    uid_t uid;
    gid_t gid;
    u64 size, blocks; /* blocks of 512 bytes */
    u32 blksize;
    ktime atime, mtime, ctime, btime; /* btime 0: not known */
    u64 attributes, attributes_mask;  /* STATX_ATTR_ */
};

/* setxattr(2)'s flags are XATTR_CREATE and XATTR_REPLACE. */
struct inode_ops {
    /* In a directory; called with dir->lock held, which the vfs takes. 0 and a counted inode, or -ENOENT. */
    int (*lookup)(struct inode *dir, const struct name *name, struct inode **out);
    /*
     * A cached name is about to be used: true when it still stands for inode (NULL: for nothing).
     * NULL: names change by calls of the vfs alone. dir->lock is not held.
     */
    bool (*revalidate)(struct inode *dir, const struct name *name, struct inode *inode);

    /* Changes of a directory; dir->lock held. mode has the type: any but a symbolic link. */
    int (*create)(struct inode *dir, const struct name *name, umode mode, dev_t rdev,
                  struct inode **out);
    int (*symlink)(struct inode *dir, const struct name *name, const char *target,
                   struct inode **out);
    int (*link)(struct inode *inode, struct inode *dir, const struct name *name);
    int (*unlink)(struct inode *dir, const struct name *name, struct inode *inode);
    int (*rmdir)(struct inode *dir, const struct name *name, struct inode *inode);
    /* flags: RENAME_EXCHANGE, RENAME_WHITEOUT; target is NULL when the new name is free. Both locked. */
    int (*rename)(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                  struct inode *new_dir, const struct name *new_name, struct inode *target,
                  unsigned int flags);
    /* A regular file without a name (O_TMPFILE); dir->lock not held. */
    int (*tmpfile)(struct inode *dir, umode mode, struct inode **out);

    /* Symbolic links. readlink: the length, at most size, no zero; needless when inode->link is set. */
    int (*readlink)(struct inode *inode, char *buf, size_t size);
    /* A link of /proc that leads straight to an object: a counted path. */
    int (*follow)(struct inode *inode, struct path *out);

    /* NULL: inode_permission_generic(). mask: MAY_READ, MAY_WRITE, MAY_EXEC. */
    int (*permission)(struct inode *inode, int mask);
    /* NULL: attributes live in the inode alone. inode->lock held; ends with inode_setattr(). */
    int (*setattr)(struct inode *inode, const struct iattr *attr);
    /* NULL: inode_stat(). */
    int (*getattr)(struct inode *inode, struct kstat *stat);

    /* name has its prefix ("user.x"). get and list: the length; size 0 asks for it; -ERANGE. */
    ssize_t (*xattr_get)(struct inode *inode, const char *name, void *value, size_t size);
    int (*xattr_set)(struct inode *inode, const char *name, const void *value, size_t size,
                     int flags);
    int (*xattr_remove)(struct inode *inode, const char *name);
    ssize_t (*xattr_list)(struct inode *inode, char *names, size_t size);

    /* Of the internal pseudo file system alone, NULL allowed: lets go of what inode->private holds. */
    void (*release)(struct inode *inode);
};

#define MAY_EXEC  1
#define MAY_WRITE 2
#define MAY_READ  4

struct inode {
    struct refcount ref;
    u32 flags;                   /* INODE_; constant once the inode is published */
    const struct inode_ops *ops; /* constant */
    const struct file_ops *fops; /* constant; of a file opened here. NULL for links and nodes */
    struct super *super;         /* constant; counted */
    ino_t ino;                   /* constant */
    dev_t rdev;                  /* constant; of device nodes */
    struct mutex lock;           /* class INODE: a directory's entries; and what is named below */
    umode mode;                  /* lock; read without */
    uid_t uid;                   /* lock; read without */
    gid_t gid;
    u32 nlink;                 /* lock; read without */
    u64 size;                  /* lock; read without */
    ktime atime, mtime, ctime; /* read and written whole, without lock */
    ktime btime;               /* constant; 0: not known */
    char *link;      /* symbolic link's text, when it is at hand; constant; the fs frees it */
    s32 writers;     /* atomic: files open for writing; negative: executed, writing denied */
    u32 truncations; /* lock; counts, so that a write notices one */
    u8 write_hint;   /* read and written whole: F_SET_RW_HINT's RWH_ */
    u32 opens;       /* atomic: files of regular inodes that are open */
    struct file_locks *locks; /* vfs/locks.c; set once, atomically */
    struct leases *leases;    /* vfs/lease.c; the same */
    void *endpoint;           /* FIFO: ipc's pipe; socket node: net's; their rooms say which lock */
    void *watches;            /* inotify's marks */
    struct text *text;        /* rewrite/: what it knows of the file's text; its lock */
    void *private;            /* the file system's, or a pseudo file's */
};

#define INODE_NOATIME   BIT(0) /* never changes atime by reading */
#define INODE_LINKABLE  BIT(2) /* O_TMPFILE without O_EXCL: linkat may give it a name */
#define INODE_FIXED     BIT(3) /* a directory that has the names it has: making another is ENOENT */
#define INODE_IMMUTABLE BIT(1) /* pseudo file systems: no chmod, chown, utimes (EPERM) */

static inline bool inode_is(const struct inode *inode, umode type)
{
    return (inode->mode & S_IFMT) == type;
}

/* Fills in what a new inode has in common; ref 1, nlink 1, times now, takes a reference of super. */
void inode_init(struct inode *inode, struct super *super, umode mode);
static inline struct inode *inode_get(struct inode *inode)
{
    refcount_get(&inode->ref);
    return inode;
}
void inode_put(struct inode *inode); /* the last one: super->ops->inode_release */
DEFINE_AUTO(inode_put, struct inode *)

void inode_lock(struct inode *inode);
void inode_unlock(struct inode *inode);

/* What a new object in dir gets: owner, group (a set-group-id directory's), mode with S_ISGID. */
void inode_init_owner(struct inode *inode, const struct inode *dir);

int inode_permission(struct inode *inode, int mask); /* of the caller's credentials */
int inode_permission_generic(struct inode *inode, int mask);
void inode_stat(struct inode *inode, struct kstat *stat);
int inode_getattr(struct inode *inode, struct kstat *stat);        /* by ops, or inode_stat */
void inode_setattr(struct inode *inode, const struct iattr *attr); /* copies the fields; not size */

ktime inode_now(void);                            /* realtime clock, as for file times */
void inode_touch(struct inode *inode, u32 which); /* ATTR_ATIME, _MTIME, _CTIME: now */

static inline u64 inode_size(const struct inode *inode)
{
    return __atomic_load_n(&inode->size, __ATOMIC_ACQUIRE);
}

/* ---- superblocks ---- */

struct super_ops {
    void (*inode_release)(struct inode *inode); /* last reference gone: frees it and its contents */
    int (*statfs)(struct super *super, struct inode *inode, struct kstatfs *out);
    int (*sync)(struct super *super);
    /* Mount options as /proc/mounts shows them (",size=1k"): the length, as snprintf. */
    int (*show_options)(struct super *super, char *buf, size_t size);
    int (*remount)(struct super *super, const char *options);
    /*
     * Files by handles (name_to_handle_at(2)); both or none. inode_find: the inode with that number, counted, or -ESTALE.
     * dir_name: the directory that a directory lies in, counted, and its name there; -ESTALE when it is removed. The
     * super's rename_lock is held.
     */
    int (*inode_find)(struct super *super, ino_t ino, struct inode **out);
    int (*dir_name)(struct inode *dir, struct inode **parent, char name[NAME_MAX + 1]);
    /* The last mount is gone: lets go of the inodes that the file system holds itself. */
    void (*shutdown)(struct super *super);
    void (*release)(struct super *super); /* last reference gone: frees super->private */
};

struct super {
    struct refcount ref;         /* inodes, and one for all mounts together */
    struct refcount active;      /* mounts */
    const struct fs_type *type;  /* constant */
    const struct super_ops *ops; /* constant */
    dev_t dev;                   /* constant; st_dev */
    u64 magic;                   /* constant; statfs's f_type */
    u32 name_max;                /* constant; longest name */
    u32 block_size;              /* constant */
    u64 max_size;                /* constant; largest file */
    u32 flags;                   /* SUPER_; atomic */
    struct mutex rename_lock;    /* class RENAME: directories moving between directories */
    void *private;               /* the file system's */
    struct dentry *root;         /* constant once mounted; counted */
};

#define SUPER_RDONLY       BIT(0)
#define SUPER_NODEV        BIT(1) /* pseudo file system: device nodes do not open */
#define SUPER_NOEXEC       BIT(2)
#define SUPER_NOXATTR_USER BIT(3)

struct kstatfs {
    u64 type, bsize, blocks, bfree, bavail, files, ffree, namelen, frsize, flags, fsid;
};

struct fs_type {
    const char *name;
    /* Makes a super with its root: super_create(), root inode, super_set_root(). options may be "". */
    int (*mount)(const struct fs_type *type, const char *source, const char *options,
                 struct super **out);
    u32 flags;             /* FS_ */
    struct list_head list; /* of all types; vfs/super.c */
};

#define FS_NODEV  BIT(0) /* /proc/filesystems: "nodev" */
#define FS_SINGLE BIT(1) /* one super for all mounts (devtmpfs ...) */

int fs_type_register(struct fs_type *type);
struct fs_type *fs_type_find(const char *name);
/* One at a time for /proc/filesystems: NULL starts; NULL at the end. */
struct fs_type *fs_type_next(const struct fs_type *after);

/* Mount options, "key,key=value": calls set for each, value NULL for a key alone, until one fails. -ENOMEM. */
int options_for_each(const char *options, int (*set)(void *arg, const char *key, const char *value),
                     void *arg);

/* A new super, active once, with a device number of its own (major 0). NULL: no memory. */
struct super *super_create(const struct fs_type *type, const struct super_ops *ops, u64 magic);
int super_set_root(struct super *super, struct inode *root); /* takes over the reference of root */
static inline struct super *super_get(struct super *super)
{
    refcount_get(&super->ref);
    return super;
}
void super_put(struct super *super);
DEFINE_AUTO(super_put, struct super *)

/* One more and one less mount. The last shuts the file system down. */
void super_activate(struct super *super);
void super_deactivate(struct super *super);

#endif
