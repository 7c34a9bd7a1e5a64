/* kernel/task/namespaces.c: the names of the system: uname(2), sethostname(2), setdomainname(2). */
#include "task/namespaces.h"

#include "base/errno.h"
#include "base/string.h"
#include "cred/cred.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "self/self.h"
#include "syscall_proto.h"
#include "task/task.h"
#include "vfs/mount.h"

#include <linux/personality.h>
#include <linux/sched.h>

#define RELEASE         "6.1.0-mystikos"
#define RELEASE_26      "2.6.60-mystikos" /* setarch --uname-2.6 */
#define NS_NUMBER_FIRST 4026532000U       /* of namespaces that are made, as Linux begins them */
#define VERSION         "#1 SMP PREEMPT_DYNAMIC"

void namespaces_put(struct namespaces *ns)
{
    if (!refcount_put(&ns->ref))
        return;
    if (ns->mounts)
        mount_ns_put(ns->mounts);
    kfree(ns);
}

static u32 next_number(void)
{
    static u32 next = NS_NUMBER_FIRST; /* atomic */

    return __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
}

int namespaces_copy(struct namespaces *from, u64 flags, struct fs_context *fs,
                    struct namespaces **out)
{
    struct namespaces *ns = kzalloc(sizeof *ns);
    int err = 0;

    if (!ns)
        return -ENOMEM;
    refcount_init(&ns->ref, 1);
    spin_init(&ns->lock, OBJECT);
    ns->uts_number = flags & CLONE_NEWUTS ? next_number() : from->uts_number;
    ns->mount_number = flags & CLONE_NEWNS ? next_number() : from->mount_number;
    spin_lock(&from->lock);
    strlcpy(ns->nodename, from->nodename, sizeof ns->nodename);
    strlcpy(ns->domainname, from->domainname, sizeof ns->domainname);
    spin_unlock(&from->lock);
    if (flags & CLONE_NEWNS)
        err = mount_ns_copy(fs, &ns->mounts);
    else if (from->mounts)
        ns->mounts = mount_ns_get(from->mounts);
    if (err)
        kfree(ns);
    else
        *out = ns;
    return err;
}

int namespaces_start(const char *hostname)
{
    struct namespaces *ns = kzalloc(sizeof *ns);

    if (!ns)
        return -ENOMEM;
    refcount_init(&ns->ref, 1);
    spin_init(&ns->lock, OBJECT);
    strlcpy(ns->nodename, hostname && *hostname ? hostname : "localhost", sizeof ns->nodename);
    strlcpy(ns->domainname, "(none)", sizeof ns->domainname);
    ns->uts_number = ns_number(NULL, NS_UTS);
    ns->mount_number = ns_number(NULL, NS_MNT);
    self()->namespaces = ns;
    return 0;
}

void namespaces_uts(struct new_utsname *uts)
{
    struct namespaces *ns = self()->namespaces;
    u32 personality = task_self()->personality;

    *uts = (struct new_utsname){.sysname = "Linux", .version = VERSION, .machine = "x86_64"};
    strlcpy(uts->release, personality & UNAME26 ? RELEASE_26 : RELEASE, sizeof uts->release);
    if ((personality & PER_MASK) == PER_LINUX32)
        strlcpy(uts->machine, "i686", sizeof uts->machine);
    spin_lock(&ns->lock);
    memcpy(uts->nodename, ns->nodename, sizeof uts->nodename);
    memcpy(uts->domainname, ns->domainname, sizeof uts->domainname);
    spin_unlock(&ns->lock);
}

long sys_uname(struct new_utsname __user *buf)
{
    struct new_utsname uts;

    namespaces_uts(&uts);
    return copy_to_user(buf, &uts, sizeof uts);
}

int namespaces_set_nodename(const char *name)
{
    struct namespaces *ns = self()->namespaces;

    if (strlen(name) > __NEW_UTS_LEN)
        return -EINVAL;
    spin_lock(&ns->lock);
    strlcpy(ns->nodename, name, sizeof ns->nodename);
    spin_unlock(&ns->lock);
    return 0;
}

static long set_name(char *name, const char __user *from, s32 len)
{
    struct namespaces *ns = self()->namespaces;
    char text[__NEW_UTS_LEN + 1] = {0};

    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (len < 0 || len > __NEW_UTS_LEN)
        return -EINVAL;
    if (copy_from_user(text, from, (size_t)len) != 0)
        return -EFAULT;
    spin_lock(&ns->lock);
    memcpy(name, text, sizeof text);
    spin_unlock(&ns->lock);
    return 0;
}

long sys_sethostname(const void __user *name, s32 len)
{
    return set_name(self()->namespaces->nodename, name, len);
}

long sys_setdomainname(const void __user *name, s32 len)
{
    return set_name(self()->namespaces->domainname, name, len);
}
