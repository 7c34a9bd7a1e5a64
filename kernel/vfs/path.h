/*
 * kernel/vfs/path.h: dentries (names that were looked up), paths, and the path walk.
 *
 * A dentry binds a name in a directory to an inode, or to nothing (negative). Unused ones stay in
 * the name table until there are too many. A dentry holds a reference of its parent and its inode.
 */
#ifndef VFS_PATH_H
#define VFS_PATH_H

#include "base/refcount.h"
#include "vfs/inode.h"

#include <linux/fcntl.h>
#include <linux/limits.h>

struct mount;
struct file;

#define DENTRY_INLINE 40

struct dentry {
    struct refcount ref;   /* 0: unused, but in the table */
    u32 flags;             /* DENTRY_; atomic */
    struct spinlock lock;  /* class DENTRY: parent, name, inode going from NULL to set and back */
    struct list_head hash; /* of the table's bucket; bucket's lock */
    struct dentry *parent; /* lock and bucket lock; counted; the root's is itself */
    struct inode *inode;   /* lock and bucket lock; NULL: negative */
    struct super *super;   /* constant; the inode or the parent keeps it */
    u32 cached;            /* atomic: dentries in the table whose parent this is */
    struct name name;      /* lock and bucket lock; text is inline_name or allocated */
    char inline_name[DENTRY_INLINE];
};

#define DENTRY_UNHASHED BIT(0) /* not in the table: removed, or never was */
#define DENTRY_USED     BIT(1) /* used since the pruner last came by */
#define DENTRY_MOUNTED  BIT(2) /* some mount is attached here */
#define DENTRY_DEAD     BIT(3) /* of a removed directory: nothing may be made in it */

static inline struct dentry *dentry_get(struct dentry *dentry)
{
    refcount_get(&dentry->ref);
    return dentry;
}
void dentry_put(struct dentry *dentry);
DEFINE_AUTO(dentry_put, struct dentry *)
/* Drops all names that nobody uses, and what they keep. No lock may be held. */
void dentry_prune_all(void);

struct path {
    struct mount *mount;
    struct dentry *dentry;
};

void path_get(const struct path *path);
void path_put(const struct path *path);
static inline bool path_equal(const struct path *a, const struct path *b)
{
    return a->mount == b->mount && a->dentry == b->dentry;
}
static inline struct inode *path_inode(const struct path *path)
{
    return path->dentry->inode;
}

/* A path on the stack that path_release() empties: AUTO_PATH path = {0}; */
static inline void path_release(struct path *path)
{
    if (path->dentry)
        path_put(path);
    path->mount = NULL;
    path->dentry = NULL;
}
#define AUTO_PATH __attribute__((cleanup(path_release))) struct path

/*
 * path_text: the name that getcwd(2) and /proc/PID/fd show, as seen from root, with " (deleted)" for
 * removed ones and "(unreachable)" in front when root does not contain it. Written to the end of
 * buf; returns its start, or ERR_PTR(-ENAMETOOLONG).
 */
char *path_text(const struct path *path, const struct path *root, char *buf, size_t size);

/* The names from the root of the file system on: what a mount shows of it. As path_text. */
char *dentry_text(struct dentry *dentry, char *buf, size_t size);

/* A file system has removed a name by itself: whoever is there sees it as removed. */
void dentry_forget(struct dentry *dir, const char *name);

/* ---- the walk ---- */

#define LOOKUP_FOLLOW        BIT(0) /* a symbolic link at the end is followed */
#define LOOKUP_DIRECTORY     BIT(1) /* the end must be a directory */
#define LOOKUP_EMPTY         BIT(2) /* an empty path is the start itself (AT_EMPTY_PATH) */
#define LOOKUP_PARENT        BIT(3) /* internal: stop before the last component */
#define LOOKUP_NO_SYMLINKS   BIT(4)
#define LOOKUP_NO_MAGICLINKS BIT(5)
#define LOOKUP_NO_XDEV       BIT(6)
#define LOOKUP_BENEATH       BIT(7)
#define LOOKUP_IN_ROOT       BIT(8)
#define LOOKUP_CACHED        BIT(9)
#define LOOKUP_NO_AUTOMOUNT  BIT(10)

/* A path copied in from the program; kernel memory, ended. */
struct pathname {
    char *text; /* buf, or allocated */
    size_t len;
    char buf[240];
};
/* An AUTO_PATHNAME is got by the declaration that follows it, before anything can return. */
int pathname_get(struct pathname *name,
                 const char __user *text); /* -EFAULT, -ENAMETOOLONG, -ENOMEM */
void pathname_put(struct pathname *name);
#define AUTO_PATHNAME __attribute__((cleanup(pathname_put))) struct pathname

/* The object that a path names, counted. dirfd as in openat(2). An empty path is -ENOENT or LOOKUP_EMPTY. */
int path_lookup(int dirfd, const char *text, u32 flags, struct path *out);
int path_lookup_user(int dirfd, const char __user *text, u32 flags, struct path *out);
/* The same, starting at a given place for relative names (mount targets of the boot, exec of "#!"). */
int path_lookup_at(const struct path *start, const char *text, u32 flags, struct path *out);

/* What a symbolic link says: its length, cut to size, no zero; -EINVAL when it is none that says anything. */
int path_readlink(const struct path *path, char *buf, size_t size);

/*
 * Calls of the kernel itself for set-up (boot, device nodes, image loading): like mkdir(2) and its kin,
 * relative to the caller's root, with the caller's credentials.
 */
int vfs_mkdir(const char *path, umode mode);
int vfs_mknod(const char *path, umode mode, dev_t rdev);
int vfs_symlink(const char *target, const char *path);
int vfs_mknod_path(const char *path, umode mode, struct path *out); /* what was made, counted */

/* The same on a directory that the caller holds (for loaders of archives): one name, no slash. */
int vfs_create_at(const struct path *dir, const char *name, umode mode, dev_t rdev,
                  struct path *out);
/* Reading through the path counts as an access of what it leads to. */
void path_accessed(const struct path *path);
/* An inode of the same file system that has no name yet gets one. */
int vfs_link_at(const struct path *dir, const char *name, struct inode *inode, struct path *out);
int vfs_unlink_at(const struct path *dir, const char *name);
int vfs_symlink_at(const struct path *dir, const char *name, const char *target);

#endif
