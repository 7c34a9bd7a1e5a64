/* kernel/task/namespaces.c: namespaces(7), and the names of the system: uname(2), sethostname(2), setdomainname(2). */
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

const struct ipc_ns_ops *namespaces_ipc;

/* --- life --------------------------------------------------------------------------------------------- */

static u32 next_number(void)
{
    static u32 next = NS_NUMBER_FIRST; /* atomic */

    return __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
}

static struct uts_ns *uts_create(u32 number, const char *nodename, const char *domainname)
{
    struct uts_ns *uts = kzalloc(sizeof *uts);

    if (!uts)
        return NULL;
    refcount_init(&uts->ref, 1);
    uts->number = number;
    spin_init(&uts->lock, OBJECT);
    strlcpy(uts->nodename, nodename, sizeof uts->nodename);
    strlcpy(uts->domainname, domainname, sizeof uts->domainname);
    return uts;
}

static struct uts_ns *uts_get(struct uts_ns *uts)
{
    refcount_get(&uts->ref);
    return uts;
}

static struct uts_ns *uts_copy(struct uts_ns *from)
{
    struct uts_ns *uts = uts_create(next_number(), "", "");

    if (!uts)
        return NULL;
    spin_lock(&from->lock);
    strlcpy(uts->nodename, from->nodename, sizeof uts->nodename);
    strlcpy(uts->domainname, from->domainname, sizeof uts->domainname);
    spin_unlock(&from->lock);
    return uts;
}

void namespaces_put(struct namespaces *ns)
{
    if (!refcount_put(&ns->ref))
        return;
    if (ns->mounts)
        mount_ns_put(ns->mounts);
    if (ns->ipc)
        namespaces_ipc->put(ns->ipc);
    if (ns->uts && refcount_put(&ns->uts->ref))
        kfree(ns->uts);
    kfree(ns);
}

int namespaces_copy(struct namespaces *from, u64 flags, struct fs_context *fs,
                    struct namespaces **out)
{
    AUTO(namespaces_put) struct namespaces *ns = kzalloc(sizeof *ns);
    int err = 0;

    if (!ns)
        return -ENOMEM;
    refcount_init(&ns->ref, 1);
    ns->uts = flags & CLONE_NEWUTS ? uts_copy(from->uts) : uts_get(from->uts);
    ns->ipc = flags & CLONE_NEWIPC ? namespaces_ipc->create() : namespaces_ipc->get(from->ipc);
    if (!ns->uts || !ns->ipc)
        return -ENOMEM;
    ns->ipc_number = flags & CLONE_NEWIPC ? next_number() : from->ipc_number;
    ns->mount_number = flags & CLONE_NEWNS ? next_number() : from->mount_number;
    if (flags & CLONE_NEWNS)
        err = mount_ns_copy(fs, &ns->mounts);
    else if (from->mounts)
        ns->mounts = mount_ns_get(from->mounts);
    if (!err)
        *out = TAKE(ns);
    return err;
}

int namespaces_join(struct namespaces *from, struct namespaces *other, u64 flags,
                    struct namespaces **out)
{
    struct namespaces *ns = kzalloc(sizeof *ns);

    if (!ns)
        return -ENOMEM;
    refcount_init(&ns->ref, 1);
    ns->uts = uts_get(flags & CLONE_NEWUTS ? other->uts : from->uts);
    ns->ipc = namespaces_ipc->get(flags & CLONE_NEWIPC ? other->ipc : from->ipc);
    ns->ipc_number = (flags & CLONE_NEWIPC ? other : from)->ipc_number;
    ns->mount_number = from->mount_number;
    if (from->mounts)
        ns->mounts = mount_ns_get(from->mounts);
    *out = ns;
    return 0;
}

int namespaces_start(const char *hostname)
{
    struct namespaces *ns = kzalloc(sizeof *ns);

    if (!ns)
        return -ENOMEM;
    refcount_init(&ns->ref, 1);
    ns->uts = uts_create(ns_number(NULL, NS_UTS), hostname && *hostname ? hostname : "localhost",
                         "(none)");
    ns->ipc_number = ns_number(NULL, NS_IPC);
    ns->mount_number = ns_number(NULL, NS_MNT);
    self()->namespaces = ns;
    return ns->uts ? 0 : -ENOMEM;
}

/* --- names -------------------------------------------------------------------------------------------- */

void namespaces_uts(struct new_utsname *uts)
{
    struct uts_ns *ns = self()->namespaces->uts;
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
    struct uts_ns *ns = self()->namespaces->uts;

    if (strlen(name) > __NEW_UTS_LEN)
        return -EINVAL;
    spin_lock(&ns->lock);
    strlcpy(ns->nodename, name, sizeof ns->nodename);
    spin_unlock(&ns->lock);
    return 0;
}

static long set_name(char *name, const char __user *from, s32 len)
{
    struct uts_ns *ns = self()->namespaces->uts;
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
    return set_name(self()->namespaces->uts->nodename, name, len);
}

long sys_setdomainname(const void __user *name, s32 len)
{
    return set_name(self()->namespaces->uts->domainname, name, len);
}
