/*
 * kernel/cred/cred.h: credentials(7) and capabilities(7) of a thread.
 *
 * A struct cred never changes once a thread shows it: a call that changes credentials copies the
 * current one, changes the copy and puts it in the old one's place.
 */
#ifndef CRED_CRED_H
#define CRED_CRED_H

#include "base/errno.h"
#include "base/refcount.h"
#include "base/types.h"
#include "self/self.h"

#include <linux/capability.h>

/* Supplementary groups, sorted. Shared by the credentials that have the same. */
struct group_list {
    struct refcount ref;
    u32 n;
    gid_t gids[];
};

struct cred {
    struct refcount ref;
    uid_t uid, euid, suid, fsuid;
    gid_t gid, egid, sgid, fsgid;
    struct group_list *groups; /* NULL: none */
    u64 cap_effective;         /* bit n: capability n */
    u64 cap_permitted;
    u64 cap_inheritable;
    u64 cap_bounding;
    u64 cap_ambient;
    u32 securebits;
};

#define CAP_FULL_SET ((1ULL << (CAP_LAST_CAP + 1)) - 1)

/* A superuser's, or an ordinary user's without any capability. NULL when there is no memory. */
struct cred *cred_create(uid_t uid, gid_t gid);
struct cred *cred_copy(const struct cred *from); /* for changing; one reference */

static inline const struct cred *cred_get(const struct cred *cred)
{
    refcount_get(&((struct cred *)cred)->ref);
    return cred;
}
void cred_put(const struct cred *cred);
DEFINE_AUTO(cred_put, const struct cred *)

/* Of another thread, counted. The caller keeps that thread from ending meanwhile. */
const struct cred *cred_of(const struct self *thread);
/* The caller's credentials become these, whose reference is taken over. */
void cred_commit(struct cred *cred);
/* The same, and others learn that rights may have changed: what a call of the program does. */
void cred_apply(struct cred *cred);
extern void (*cred_changed)(const struct cred *old, const struct cred *now); /* task/ */
/* Replaces the supplementary groups of credentials that nobody else sees yet; sorts. 0 or -ENOMEM. */
int cred_set_groups(struct cred *cred, const gid_t *gids, u32 n);

static inline const struct cred *cred_current(void)
{
    return self()->cred;
}

static inline bool cred_capable(const struct cred *cred, int capability)
{
    return cred->cap_effective >> capability & 1;
}

/* The file system group or one of the supplementary ones; what a file's group is compared with. */
bool cred_in_group(const struct cred *cred, gid_t gid);

static inline bool capable(int capability)
{
    return cred_capable(cred_current(), capability);
}

#endif
