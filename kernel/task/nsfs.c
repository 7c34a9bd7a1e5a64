/* kernel/task/nsfs.c: what /proc/PID/ns leads to: a namespace that can be held open, ioctl_ns(2). */
#include "abi/newer.h"
#include "base/errno.h"
#include "cred/cred.h"
#include "mm/uaccess.h"
#include "task/namespaces.h"
#include "vfs/file.h"

#include <linux/nsfs.h>
#include <linux/sched.h>

#define KINDS(X)                                                                                   \
    X(CGROUP, "cgroup", CLONE_NEWCGROUP, 4026531835U)                                              \
    X(IPC, "ipc", CLONE_NEWIPC, 4026531839U)                                                       \
    X(MNT, "mnt", CLONE_NEWNS, 4026531841U)                                                        \
    X(NET, "net", CLONE_NEWNET, 4026531840U)                                                       \
    X(PID, "pid", CLONE_NEWPID, 4026531836U)                                                       \
    X(TIME, "time", CLONE_NEWTIME, 4026531834U)                                                    \
    X(USER, "user", CLONE_NEWUSER, 4026531837U)                                                    \
    X(UTS, "uts", CLONE_NEWUTS, 4026531838U)

#define NAME(id, name, flag, number) [NS_##id] = (name),
const char *const ns_names[NS_KINDS] = {KINDS(NAME)};

static const struct {
    u64 flag;
    u32 number; /* of the one that there is at the start; Linux's own */
} kinds[NS_KINDS] = {
#define ROW(id, name, flag, number) [NS_##id] = {(flag), (number)},
    KINDS(ROW)};

static long ns_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

static const struct file_ops ns_ops[NS_KINDS] = {
#define OPS(id, text, flag, number) [NS_##id] = {.name = (text), .ioctl = ns_ioctl},
    KINDS(OPS)};

u32 ns_number(const struct namespaces *ns, enum ns_kind kind)
{
    if (ns && kind == NS_UTS)
        return ns->uts->number;
    if (ns && kind == NS_IPC)
        return ns->ipc_number;
    return ns && kind == NS_MNT ? ns->mount_number : kinds[kind].number;
}

static enum ns_kind kind_of(const struct file *file)
{
    return (enum ns_kind)(file->ops - ns_ops);
}

struct namespaces *ns_of_file(const struct file *file, u64 *flag)
{
    if (file->ops < ns_ops || file->ops >= ns_ops + NS_KINDS)
        return NULL;
    *flag = kinds[kind_of(file)].flag;
    return file->inode->private;
}

static long ns_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
    enum ns_kind kind = kind_of(file);

    switch (cmd) {
    case NS_GET_NSTYPE:
        return (long)kinds[kind].flag;
    case NS_GET_OWNER_UID:
        return kind == NS_USER ? put_user(0U, (u32 __user *)arg) : -EINVAL;
    case NS_GET_PARENT: /* the first ones have none that could be seen */
        return kind == NS_USER || kind == NS_PID ? -EPERM : -EINVAL;
    default:
        return -ENOTTY;
    }
}

static void ns_release(struct inode *inode)
{
    namespaces_put(inode->private);
}

static const struct inode_ops ns_inode_ops = {.release = ns_release};

int ns_path(struct namespaces *ns, enum ns_kind kind, struct path *out)
{
    struct inode *inode = inode_create_anon(S_IFREG | 0444, &ns_ops[kind]);

    if (!inode)
        return -ENOMEM;
    inode->ops = &ns_inode_ops;
    inode->private = namespaces_get(ns);
    inode->ino = ns_number(ns, kind);
    inode->uid = inode->gid = 0;
    return path_create_anon(&ns_ops[kind], inode, out);
}
