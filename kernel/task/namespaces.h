/* kernel/task/namespaces.h: namespaces(7) of a thread; so far there is one of each kind. */
#ifndef TASK_NAMESPACES_H
#define TASK_NAMESPACES_H

#include "base/refcount.h"
#include "base/types.h"
#include "sync/sync.h"

#include <linux/utsname.h>

struct namespaces {
    struct refcount ref;
    struct spinlock lock; /* class OBJECT: the names */
    char nodename[__NEW_UTS_LEN + 1];
    char domainname[__NEW_UTS_LEN + 1];
};

static inline struct namespaces *namespaces_get(struct namespaces *ns)
{
    refcount_get(&ns->ref);
    return ns;
}
void namespaces_put(struct namespaces *ns);

/* What uname(2) tells the calling thread. */
void namespaces_uts(struct new_utsname *uts);
int namespaces_set_nodename(const char *name); /* -EINVAL: too long */

/* Those of the first program, for the calling thread. */
int namespaces_start(const char *hostname);

#endif
