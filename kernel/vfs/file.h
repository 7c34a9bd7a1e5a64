/* kernel/vfs/file.h: open file descriptions, see open(2). */
#ifndef VFS_FILE_H
#define VFS_FILE_H

#include "base/errno.h"
#include "base/refcount.h"
#include "base/types.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "sync/waitq.h"
#include "vfs/inode.h"
#include "vfs/path.h"
#include "vfs/poll.h"

#include <asm/siginfo.h>

struct memobj;
struct file;
struct cred;

/* readdir: the file system emits entries from pos on; false: no room, keep this one for the next call. */
struct dir_context {
    bool (*emit)(struct dir_context *dir, const char *name, size_t len, ino_t ino, u8 type);
    loff_t pos; /* of the entry that is emitted; the fs sets it past each entry that was taken */
};

/*
 * What a mapping of a file shows: pages of a memory object; or a host file privately, unmodified; or memory of its own,
 * as without a file.
 */
struct file_mapping {
    struct memobj *obj; /* counted for the caller; NULL: host_file */
    int host_file;      /* -1: memory of its own */
};

/*
 * pos is NULL-free: of a stream (FILE_STREAM) it points to a scratch value that is ignored. read and write
 * return bytes or a negative errno; a wait goes through file_wait(). All but read, write: NULL allowed.
 */
struct file_ops {
    const char *name; /* of anonymous files: "[eventfd]", "pipe", "socket"; else NULL */
    int (*open)(struct inode *inode,
                struct file *file); /* may replace file->ops, set file->private */
    ssize_t (*read)(struct file *file, struct iter *to, loff_t *pos);
    ssize_t (*write)(struct file *file, struct iter *from, loff_t *pos);
    loff_t (*seek)(struct file *file, loff_t offset, int whence); /* NULL: by the inode's size */
    int (*iterate)(struct file *file, struct dir_context *dir);   /* inode->lock held */
    u32 (*poll)(struct file *file, struct poll_table *table);
    long (*ioctl)(struct file *file, unsigned int cmd, unsigned long arg); /* -ENOTTY: not known */
    /* What to map; -EACCES, -ENODEV. NULL: -ENODEV. */
    int (*mapping)(struct file *file, bool shared, bool write, struct file_mapping *out);
    int (*fsync)(struct file *file, loff_t start, loff_t end, bool data_only);
    long (*fallocate)(struct file *file, int mode, loff_t offset, loff_t len);
    int (*set_flags)(struct file *file, int flags); /* F_SETFL: veto, or note O_DIRECT */
    long (*fcntl)(struct file *file, unsigned int cmd,
                  unsigned long arg);   /* pipe size, seals; -EINVAL */
    int (*flush)(struct file *file);    /* at each close of a descriptor; the result is close's */
    void (*release)(struct file *file); /* the last reference is gone; see file_init */
    /* Extra lines of /proc/PID/fdinfo/N; as snprintf. */
    int (*fdinfo)(struct file *file, char *buf, size_t size);
    bool async; /* F_SETFL takes O_ASYNC: what wakes who polls signals the owner */
    /* Who owns a file that nobody has when O_ASYNC is set: an F_OWNER_ kind and its id. NULL: nobody. */
    int (*async_owner)(struct file *file, int *id);
};

struct file {
    struct refcount ref;
    u32 mode;                   /* FILE_; constant once open */
    u32 flags;                  /* O_ flags; atomic: F_SETFL changes some; no creation flags */
    const struct file_ops *ops; /* constant once open */
    struct path path;           /* constant; counted */
    struct inode *inode;        /* constant; path keeps it */
    const struct cred *cred;    /* constant; counted: the opener's */
    loff_t pos;                 /* owned by who holds the position: file_pos_lock() */
    u32 pos_owner;              /* 0 free, 1 held, 2 held and waited for; atomic */
    struct waitq pos_free;      /* woken when the position is given back */
    struct spinlock lock;       /* class FILES: waiting for the position */
    struct file_owner {         /* async.c names the lock; fcntl(2)'s F_SETOWN and F_SETSIG */
        int type, id, signal;
        uid_t uid, euid;
    } owner;
    struct async *async; /* async.c names the lock; of O_ASYNC */
    void *watchers;      /* epoll's items on this file; epoll names the lock */
    void *private;       /* the file system's or object's */
};

#define FILE_READ      BIT(0) /* open for reading */
#define FILE_WRITE     BIT(1)
#define FILE_PATH      BIT(2) /* O_PATH: only names a place */
#define FILE_STREAM    BIT(3) /* no position: lseek and pread are ESPIPE */
#define FILE_ALLOCATED BIT(4) /* the vfs allocated the structure and frees it */
#define FILE_EXEC      BIT(5) /* opened to be executed */
#define FILE_NOPOSLOCK BIT(6) /* read and write need no position lock (streams) */
#define FILE_ANON      BIT(7) /* on the shared anonymous inode: shown as anon_inode:NAME */
#define FILE_WRITER    BIT(8) /* counted in inode->writers and the mount's writers */
#define FILE_DENIES    BIT(9) /* file_deny_write() holds; atomic */
#define FILE_EMPTIES   BIT(10) /* while it is opened: O_TRUNC, the contents are not needed any more */
#define FILE_CREATED   BIT(11) /* by the very open that this is */
#define FILE_OPENED    BIT(12) /* counted in inode->opens */

/*
 * A file that is part of a larger object (eventfd, pipe end, socket): on the anonymous inode when inode is
 * NULL, else on that one, whose reference is taken over. flags: O_RDONLY ... and O_NONBLOCK and so on.
 * Sets FILE_STREAM. One reference. When the last is put, ops->release frees the object, file included.
 * An error leaves nothing to undo (but then the inode's reference is put).
 */
int file_init(struct file *file, const struct file_ops *ops, struct inode *inode, int flags);

/* The same for a file that the vfs allocates and frees: private is the object. ERR_PTR. */
struct file *file_create_anon(const struct file_ops *ops, struct inode *inode, int flags,
                              void *private);

/*
 * A file of memory without a name (memfd_create, System V shared memory), open for reading and writing.
 * name is what /proc/PID/fd shows: "memfd:x". seals: F_SEAL_. ERR_PTR.
 */
struct file *file_create_memory(const char *name, umode mode, int flags, unsigned int seals);

/* An inode of the internal pseudo file system (pipes, sockets, memfd), with a number of its own. */
struct inode *inode_create_anon(umode mode, const struct file_ops *fops);

/*
 * A path to such an inode, whose reference is taken over (NULL: to the one that all share): for links that lead
 * to one. 0 or -ENOMEM.
 */
int path_create_anon(const struct file_ops *ops, struct inode *inode, struct path *out);

/* Opens what a path leads to, with the caller's permissions. flags as of open(2), no creation. ERR_PTR. */
struct file *file_open_path(const struct path *path, int flags);
/* What the caller has just made: its mode does not bind it. */
struct file *file_open_created(const struct path *path, int flags);
struct file *file_open(const char *path, int flags,
                       umode mode); /* open(2), for the kernel itself */
struct file *file_open_exec(int dirfd, const char *path, int at_flags); /* execveat's checks */

static inline struct file *file_get(struct file *file)
{
    refcount_get(&file->ref);
    return file;
}
void file_put(struct file *file);
DEFINE_AUTO(file_put, struct file *)

static inline u32 file_flags(const struct file *file)
{
    return __atomic_load_n(&file->flags, __ATOMIC_RELAXED);
}
static inline bool file_nonblocking(const struct file *file)
{
    return (file_flags(file) & O_NONBLOCK) || self()->nowait;
}

/* Can bytes go from or to it without the program (sendfile(2), splice(2))? Not where they are no mere bytes. */
static inline bool file_splices(const struct file *file)
{
    return !(file->mode & FILE_ANON) && !inode_is(file->inode, S_IFDIR);
}

/* Does this write go to the end of the file? */
static inline bool file_appends(const struct file *file, const struct iter *from)
{
    if (from->flags & (ITER_APPEND | ITER_NOAPPEND))
        return from->flags & ITER_APPEND;
    return file_flags(file) & O_APPEND;
}

/*
 * file_wait(file, queue, lock, condition): sleeps until the condition holds; the spin lock is held on entry
 * and exit and while the condition is looked at. 0, -EAGAIN (O_NONBLOCK) or -ERESTARTSYS.
 */
#define file_wait(file, q, held_lock, condition)                                                   \
    ({                                                                                             \
        int file_wait_err_ = 0;                                                                    \
        if (!(condition)) {                                                                        \
            if (file_nonblocking(file))                                                            \
                file_wait_err_ = -EAGAIN;                                                          \
            else if (wait_event(q, held_lock, condition, KTIME_FOREVER) != 0)                      \
                file_wait_err_ = -ERESTARTSYS;                                                     \
        }                                                                                          \
        file_wait_err_;                                                                            \
    })

/*
 * Reads and writes with all of read(2)'s and write(2)'s checks (mode, limits, seals, set-user-id bits).
 * pos NULL: at the file's own position, which moves.
 */
ssize_t file_read(struct file *file, struct iter *to, loff_t *pos);
ssize_t file_write(struct file *file, struct iter *from, loff_t *pos);
/* The same by it->source, as preadv2(2)'s RWF_ flags want it; rwf_check() comes first: -EOPNOTSUPP, -EINVAL. */
ssize_t file_transfer(struct file *file, struct iter *it, loff_t *pos, int rwf);
int rwf_check(const struct file *file, int rwf);
/* For the kernel itself (exec, image loading): the whole range or an error; -EIO when the file ends. */
ssize_t file_read_kernel(struct file *file, void *to, size_t n, loff_t pos);
loff_t file_seek(struct file *file, loff_t offset, int whence);
/* By the inode's size; all of it is data. For file systems' seek operations. */
loff_t file_seek_generic(struct file *file, loff_t offset, int whence);

int file_pos_lock(struct file *file); /* 0, or -EINTR when the thread is being killed */
void file_pos_unlock(struct file *file);

/* The anon and pseudo files' "pipe:[12]"; of others path_text. */
char *file_text(struct file *file, const struct path *root, char *buf, size_t size);

/*
 * No program may write the file while it is executed, and the other way round: -ETXTBSY. Lasts until file_allow_write,
 * at the latest until the file's last reference is put: a running program's.
 */
int file_deny_write(struct file *file);
void file_allow_write(struct file *file);

/* Who gets SIGIO and SIGURG, as F_SETOWN and F_SETSIG said; id 0: nobody. */
void file_owner_get(struct file *file, struct file_owner *out);
/* Signals the owners of files with O_ASYNC to which something happened. Who is about to sleep, or to return, does it. */
bool file_async_due(void);
void file_async_tell(void);

/* Character and block devices: ops->open finds rdev in inode->rdev. -EEXIST. */
int dev_register_char(u32 major, u32 first_minor, u32 minors, const char *name,
                      const struct file_ops *ops);
int dev_register_block(u32 major, u32 first_minor, u32 minors, const char *name,
                       const struct file_ops *ops);

/* The registered drivers one by one, for /proc/devices: a name, NULL behind the last. */
const char *dev_at(bool block, u32 index, u32 *major);

/* What opens FIFOs: ipc/pipe registers it. Sockets' nodes do not open (ENXIO). */
extern const struct file_ops *fifo_ops;

/* Upcalls that other rooms fill in; NULL: not there. */
extern int (*vfs_memory_inode)(umode mode, unsigned int seals, struct inode **out); /* tmpfs */
extern void (*vfs_file_gone)(
    struct file *file); /* epoll: the last descriptor's reference is gone */
/* task: is there such a thread, process or group (F_OWNER_TID ...)? */
extern bool (*vfs_owner_exists)(int type, int id);
extern void (*vfs_signal)(int signal); /* signal: to the calling thread (SIGXFSZ, SIGPIPE) */
extern void (*vfs_signal_owner)(const struct file_owner *owner, const siginfo_t *info); /* signal */
/*
 * inotify, set by the first watch: an IN_ event of the dentry's inode; name: of that entry in it. cookie: ties
 * the two events of a rename together.
 */
extern void (*vfs_notify)(struct dentry *dentry, u32 mask, const struct name *name, u32 cookie);
#define INOTIFY_EVENTS_MAX 16384   /* in a queue: /proc/sys/fs/inotify/max_queued_events */
#define NOTIFY_INODE_ALONE BIT(16) /* beside the IN_ bits: nothing for the directory's watches */

#endif
