/* kernel/task/namespaces.h: namespaces(7) of a thread. There may be several of mounts and of names. */
#ifndef TASK_NAMESPACES_H
#define TASK_NAMESPACES_H

#include "base/refcount.h"
#include "base/types.h"
#include "sync/sync.h"

#include <linux/utsname.h>

struct mount_ns;

struct namespaces {
    struct refcount ref;
    struct spinlock lock; /* class OBJECT: the names */
    char nodename[__NEW_UTS_LEN + 1];
    char domainname[__NEW_UTS_LEN + 1];
    struct mount_ns *mounts; /* constant; counted; NULL: the first tree */
};

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
#define NAMESPACES_OWN (CLONE_NEWNS | CLONE_NEWUTS)
int namespaces_copy(struct namespaces *from, u64 flags, struct fs_context *fs,
                    struct namespaces **out);

/* What uname(2) tells the calling thread. */
void namespaces_uts(struct new_utsname *uts);
int namespaces_set_nodename(const char *name); /* -EINVAL: too long */

/* Those of the first program, for the calling thread. */
int namespaces_start(const char *hostname);

#endif
