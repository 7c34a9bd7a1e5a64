/* kernel/vfs/internal.h: what the files of this room share. */
#ifndef VFS_INTERNAL_H
#define VFS_INTERNAL_H

#include "base/string.h"
#include "cred/cred.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "self/self.h"
#include "vfs/vfs.h"

#include <linux/inotify.h>
#include <linux/resource.h>

/* The caller's soft limit; task/ registers where it comes from. */
static inline u64 rlimit(int resource)
{
    return mm_rlimit ? mm_rlimit(resource) : RLIM64_INFINITY;
}

/* ---- dentry.c: the name table ---- */

int dentry_start(void);
void name_hash(struct name *name);
/* A counted dentry, negative ones included; NULL: not in the table. */
struct dentry *dentry_find(struct dentry *parent, const struct name *name);
/* A new dentry, not in the table. parent NULL: a root. Takes over the inode's reference, if any. */
struct dentry *dentry_create(struct super *super, struct dentry *parent, const struct name *name,
                             struct inode *inode);
void dentry_hash(struct dentry *dentry);
void dentry_unhash(struct dentry *dentry); /* the name is gone, or may have changed */
/* A negative dentry comes to stand for inode, whose reference it takes over. Directory's lock held. */
void dentry_instantiate(struct dentry *dentry, struct inode *inode);
/* After a rename: dentry gets the name and place of target. Both directories' locks held. */
int dentry_move_prepare(struct dentry *target, char **text);
void dentry_move(struct dentry *dentry, struct dentry *target, char *text);
void dentry_exchange(struct dentry *a, struct dentry *b); /* both in the table, and held */
/* A dentry in the table that stands for the inode, counted; NULL: there is none. Looks at the whole table. */
struct dentry *dentry_find_inode(const struct inode *inode);
void dentry_prune_super(struct super *super);
/* Names that were looked for in a directory that is gone: they would keep it. */
void dentry_prune_children(struct dentry *parent);
void dentry_prune(void);                             /* when there are too many; no lock held */
struct dentry *dentry_parent(struct dentry *dentry); /* counted */
bool dentry_is_below(struct dentry *dentry, struct dentry *ancestor); /* or the same */

static inline bool dentry_unhashed(const struct dentry *dentry)
{
    return __atomic_load_n(&dentry->flags, __ATOMIC_ACQUIRE) & DENTRY_UNHASHED;
}

/* Set once; a dentry that was found does not lose it. */
static inline struct inode *dentry_inode(const struct dentry *dentry)
{
    return __atomic_load_n(&dentry->inode, __ATOMIC_ACQUIRE);
}

/* ---- namei.c: the walk, for calls that make or remove the last component ---- */

#define WALK_LINKS 40 /* path_resolution(7) */

struct walk_frame {
    const char *rest;    /* of the text in which the link stood */
    char *text;          /* the link's text, when it was allocated */
    struct dentry *link; /* counted: keeps the link's text otherwise */
};

struct walk {
    struct path path; /* counted: where we are */
    struct path root; /* counted when set */
    u32 flags;        /* LOOKUP_ */
    u32 links;        /* followed so far: frames in use */
    u32 unfinished;   /* frames with components left in rest */
    bool must_be_dir; /* a slash behind the last component */
    bool jumped;      /* the last step followed a magic link */
    const char *rest; /* to be walked */
    struct name last; /* the last component; len 0: there is none ("/" or "") */
    struct walk_frame frames[WALK_LINKS];
};

int walk_start(struct walk *walk, int dirfd, const char *text, u32 flags);
void walk_end(struct walk *walk);
/* Up to the directory that holds the last component, which walk->last then names. */
int walk_parent(struct walk *walk);
/* One component: 0, or 1 when a link was found and its text is to be walked. follow: links are. */
int walk_step(struct walk *walk, const struct name *name, bool follow, bool trailing);
/* walk->path becomes child (taken over), or what is mounted there; links as in walk_step. */
int walk_into(struct walk *walk, struct dentry *child, bool follow, bool trailing);
static inline bool name_is_dot(const struct name *name)
{
    return name->len == 1 && name->text[0] == '.';
}
static inline bool name_is_dotdot(const struct name *name)
{
    return name->len == 2 && name->text[0] == '.' && name->text[1] == '.';
}

/* The dentry of a name, maybe negative; directory lock not held / held. Counted; ERR_PTR. */
struct dentry *dir_lookup(struct dentry *dir, const struct name *name);
struct dentry *dir_lookup_locked(struct dentry *dir, const struct name *name);

/* ---- names.c ---- */

/* May the caller make, or remove, an entry here? dir's lock held. */
int may_create(struct dentry *dir);
int may_delete(struct dentry *dir, struct inode *victim, bool is_dir);
int name_create_locked(const struct path *dir, struct dentry *child, umode mode, dev_t rdev);

/* A second inode's lock: of a child of a locked directory, or by address. */
static inline void inode_lock_child(struct inode *inode)
{
    mutex_lock_nested(&inode->lock);
}

/* ---- mount.c ---- */

int mount_start(void);
extern struct mutex mount_lock; /* class MOUNT: the shape of the tree */
/* What is mounted on the path, counted; NULL: nothing. */
struct mount *mount_find(const struct path *point);
/* Is something mounted there in the caller's namespace? */
bool dentry_is_mount_point(const struct dentry *dentry);
/* A name that is gone is no place for a mount of any other namespace either. No lock held. */
void dentry_detach_mounts(const struct dentry *dentry);
void path_mounted(struct path *path);  /* goes on to the root of what is mounted, if anything is */
bool path_up_mount(struct path *path); /* from a mount's root to the point where it is attached */

/* An unattached mount that shows the same, from root on. NULL: no memory. */
struct mount *mount_clone(struct mount *from, struct dentry *root);
void mount_attach_locked(struct mount *mount, const struct path *where);
void mount_detach_locked(struct mount *mount, struct path *place);
/*
 * Copies to `copy` what is mounted below `root` in `from`: each child at the same place, children of children
 * too. Each original's twin is noted. The copies hang together, but not yet in the tree.
 */
int mount_copy_children_locked(struct mount *from, struct dentry *root, struct mount *copy);
void mount_top_add_locked(struct mount *mount); /* the top of a tree, which has no place */
void mount_top_remove_locked(struct mount *mount);
/* Takes a mount and all that is mounted in it out of the tree; the tree's references are put. */
void mount_tree_detach(struct mount *mount);

/* ---- file.c, open.c ---- */

int file_start(void);
struct file *file_alloc(void);
void file_prepare(struct file *file);       /* the fields that every file has; one reference */
int inode_want_writer(struct inode *inode); /* -ETXTBSY */
int inode_truncate(struct inode *inode, u64 size, struct file *file);
int inode_change(const struct path *path, struct iattr *attr); /* notify_change: the fs's setattr */
int inode_remove_privileges(struct inode *inode);              /* set-user-id bits, after a write */
void file_accessed(struct file *file);
long file_owner_call(struct file *file, unsigned int cmd, unsigned long arg); /* F_SETOWN ... */
int file_set_async(struct file *file, int fd, bool on);                       /* O_ASYNC */
void file_owner_default(struct file *file); /* the caller, unless there is one */
void async_file_gone(struct file *file);
bool inode_owner_or_capable(const struct inode *inode);
int dev_open(struct inode *inode, struct file *file);
int dev_name(bool block, dev_t dev, char *buf, size_t size);

bool path_is_anon(const struct path *path);

/* inotify.c: nobody can reach the inode by a name or a file any more */
void inotify_inode_gone(struct inode *inode);

static inline void file_notify(struct file *file, u32 mask)
{
    if (vfs_notify)
        vfs_notify(file->path.dentry, mask | (inode_is(file->inode, S_IFDIR) ? IN_ISDIR : 0), NULL,
                   0);
}

/* ---- files.c ---- */

int fd_replace(struct file *file, int fd, bool cloexec); /* dup2(2); takes over the reference */
int fd_cloexec(int fd);                                  /* 0, 1 or -EBADF */
int fd_set_cloexec(int fd, bool set);

/* ---- lease.c ---- */

long lease_set(struct file *file, int fd, int type); /* F_SETLEASE */
long lease_get(struct file *file);
/*
 * Somebody opens the file, or changes its size: 0, -EAGAIN (nonblock), or -ERESTARTSYS. Whoever opens it is counted in
 * inode->opens, or inode->writers, before.
 */
int lease_break(struct inode *inode, bool write, bool nonblock);
void lease_file_released(struct file *file);

/* ---- locks.c ---- */

void locks_file_closed(struct file *file, struct files *owner); /* a descriptor: POSIX locks go */
void locks_file_released(struct file *file); /* the description: flock and OFD locks go */
void locks_inode_release(struct inode *inode);

#endif
