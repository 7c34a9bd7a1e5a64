/* kernel/vfs/mount.h: the mount tree, see mount(2). */
#ifndef VFS_MOUNT_H
#define VFS_MOUNT_H

#include "base/list.h"
#include "base/refcount.h"
#include "vfs/path.h"

struct fs_context;

struct mount {
    struct refcount ref;
    u32 flags;             /* MOUNT_; atomic */
    int id;                /* constant; /proc/self/mountinfo */
    u64 unique;            /* constant; never that of another mount: statx(2), statmount(2) */
    struct super *super;   /* constant; counted */
    struct dentry *root;   /* constant; counted: the part of super that shows */
    struct mount *parent;  /* mount_lock and the bucket's; counted; itself at the top */
    struct dentry *point;  /* the same; counted: in parent */
    struct mount_ns *ns;   /* the same; whose tree; NULL: the first one's. Not counted */
    struct list_head hash; /* bucket lock; by point */
    struct list_head children, sibling; /* mount_lock */
    struct list_head all;               /* mount_lock; in the order of mounting */
    bool attached;                      /* mount_lock */
    struct mount *twin;                 /* mount_lock; the copy, while a tree is copied */
    u32 writers;                        /* atomic: files open for writing, calls that write */
    char *source;                       /* constant; /proc/mounts' first field */
};

#define MOUNT_RDONLY      BIT(0)
#define MOUNT_NOSUID      BIT(1)
#define MOUNT_NODEV       BIT(2)
#define MOUNT_NOEXEC      BIT(3)
#define MOUNT_NOATIME     BIT(4)
#define MOUNT_NODIRATIME  BIT(5)
#define MOUNT_STRICTATIME BIT(6) /* else relatime */
#define MOUNT_NOSYMFOLLOW BIT(7)
#define MOUNT_EXPIRING    BIT(8) /* MNT_EXPIRE found it unused once */

static inline struct mount *mount_get(struct mount *mount)
{
    refcount_get(&mount->ref);
    return mount;
}
void mount_put(struct mount *mount);

/* An unattached mount of a new super. -ENODEV: no such type. */
int mount_create(const char *type, const char *source, const char *options, u32 flags,
                 struct mount **out);
/* Of a super that exists (overlay's layers, an internal pseudo file system). Takes a reference. */
struct mount *mount_of_super(struct super *super, const char *source, u32 flags);
/* Attaches at a path; takes over the reference. */
int mount_attach(struct mount *mount, const struct path *where);

/* Boot: makes and attaches in one. Target is looked up from the caller's root. */
int vfs_mount(const char *type, const char *source, const char *target, const char *options,
              u32 flags);

/* The start of everything: mounts the root file system, registers the caller's self()->fs at it. */
int vfs_mount_root(const char *type, const char *source, const char *options, u32 flags);
int mount_as_root(struct mount *mount); /* the same with a mount that is made already */

/*
 * mount_namespaces(7): a tree of mounts of its own. Made as a copy of the tree that fs (which nobody shares) stands
 * in; fs then stands at the same places of the copy. Whoever has no such object is in the first tree.
 */
struct mount_ns {
    struct refcount ref;
    struct mount *top; /* mount_lock; counted, as each mount of the tree is once */
};

int mount_ns_copy(struct fs_context *fs, struct mount_ns **out);
static inline struct mount_ns *mount_ns_get(struct mount_ns *ns)
{
    refcount_get(&ns->ref);
    return ns;
}
void mount_ns_put(struct mount_ns *ns);

/* The lines of /proc/PID/mounts and mountinfo, as seen from root: calls back with mount_lock held. */
int mount_for_each(const struct path *root, int (*func)(struct mount *mount, void *arg), void *arg);

/* Before and after a change on a mount: -EROFS. */
int mount_want_write(struct mount *mount);
void mount_drop_write(struct mount *mount);
bool mount_readonly(const struct mount *mount);

#endif
