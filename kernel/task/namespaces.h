/* kernel/task/namespaces.h: namespaces(7) of a thread. There may be several of mounts, of names and of IPC. */
#ifndef TASK_NAMESPACES_H
#define TASK_NAMESPACES_H

#include "base/refcount.h"
#include "base/types.h"
#include "sync/sync.h"

#include <linux/utsname.h>

struct ipc_ns;
struct mount_ns;

struct uts_ns {
    struct refcount ref;
    u32 number;           /* constant; the inode of ns/uts */
    struct spinlock lock; /* class OBJECT: the names */
    char nodename[__NEW_UTS_LEN + 1];
    char domainname[__NEW_UTS_LEN + 1];
};

struct namespaces {
    struct refcount ref; /* all that follows is constant and counted */
    struct uts_ns *uts;
    struct ipc_ns *ipc;
    struct mount_ns *mounts;      /* NULL: the first tree */
    u32 ipc_number, mount_number; /* the inodes of ns/ipc and ns/mnt */
};

/* The kinds of namespaces(7). Of those without a number in struct namespaces there is one. */
enum ns_kind { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_TIME, NS_USER, NS_UTS, NS_KINDS };

static inline struct namespaces *namespaces_get(struct namespaces *ns)
{
    refcount_get(&ns->ref);
    return ns;
}
void namespaces_put(struct namespaces *ns);
DEFINE_AUTO(namespaces_put, struct namespaces *)

/*
 * Those of a thread with some of its own: NAMESPACES_OWN are the ones that there can be. fs, the thread's, is moved to
 * the new tree of mounts.
 */
struct fs_context;
#define NAMESPACES_OWN (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC)
int namespaces_copy(struct namespaces *from, u64 flags, struct fs_context *fs,
                    struct namespaces **out);
/* The same, with those of `other` that flags name. Mounts are always one's own. */
int namespaces_join(struct namespaces *from, struct namespaces *other, u64 flags,
                    struct namespaces **out);

/* ipc/ registers what it does for its part. */
struct ipc_ns_ops {
    struct ipc_ns *(*create)(void); /* NULL: no memory */
    struct ipc_ns *(*get)(struct ipc_ns *ns);
    void (*put)(struct ipc_ns *ns);
};
extern const struct ipc_ns_ops *namespaces_ipc;

/* nsfs.c: what ns/ of a process shows: an inode number, and a path to what can be opened. */
struct path;
extern const char *const ns_names[NS_KINDS];
u32 ns_number(const struct namespaces *ns, enum ns_kind kind);
int ns_path(struct namespaces *ns, enum ns_kind kind, struct path *out);
/* The namespaces behind an open file of ns/ and its CLONE_NEW flag, not counted; NULL: it is none. */
struct file;
struct namespaces *ns_of_file(const struct file *file, u64 *flag);
/* A process's, counted; NULL once it has ended. */
struct process;
struct namespaces *process_namespaces(struct process *process);

/* What uname(2) tells the calling thread. */
void namespaces_uts(struct new_utsname *uts);
int namespaces_set_nodename(const char *name); /* -EINVAL: too long */

/* Those of the first program, for the calling thread. */
int namespaces_start(const char *hostname);

#endif
