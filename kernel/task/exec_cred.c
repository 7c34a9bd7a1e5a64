/* kernel/task/exec_cred.c: who a new program is: set-id bits, capabilities(7), "Transformation". */
#include "base/errno.h"
#include "task/exec.h"
#include "vfs/mount.h"

#include <linux/securebits.h>
#include <linux/stat.h>

/* set-user-id and set-group-id bits count when nothing forbids that privileges grow. */
static void apply_set_id(struct cred *cred, const struct file *file)
{
    const struct inode *inode = file->inode;
    umode mode = inode->mode;

    if (file->path.mount->flags & MOUNT_NOSUID || task_self()->no_new_privs)
        return;
    if (mode & S_ISUID)
        cred->euid = inode->uid;
    if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
        cred->egid = inode->gid;
}

/*
 * Files have no capabilities of their own here. Root's programs count as having all, unless
 * SECBIT_NOROOT says that root is nobody special.
 */
static void transform_capabilities(struct cred *cred, bool set_id)
{
    bool root_is_special = !(cred->securebits & issecure_mask(SECURE_NOROOT));
    bool as_root = root_is_special && (cred->uid == 0 || cred->euid == 0);
    bool effective = root_is_special && cred->euid == 0;
    u64 file = as_root ? CAP_FULL_SET : 0;

    if (set_id || as_root)
        cred->cap_ambient = 0;
    cred->cap_permitted =
        (cred->cap_inheritable & file) | (cred->cap_bounding & file) | cred->cap_ambient;
    cred->cap_effective = effective ? cred->cap_permitted : cred->cap_ambient;
}

int exec_credentials(struct exec *exec)
{
    const struct cred *old = cred_current();
    struct file *file = exec->program.file;
    struct cred *cred = cred_copy(old);
    bool set_id;

    if (!cred)
        return -ENOMEM;
    apply_set_id(cred, file);
    set_id = cred->euid != old->euid || cred->egid != old->egid;
    transform_capabilities(cred, set_id);
    cred->suid = cred->fsuid = cred->euid;
    cred->sgid = cred->fsgid = cred->egid;
    cred->securebits &= ~(u32)issecure_mask(SECURE_KEEP_CAPS);

    exec->cred = cred;
    exec->secure = cred->euid != cred->uid || cred->egid != cred->gid ||
                   (cred->uid != 0 && cred->cap_effective & ~cred->cap_ambient);
    exec->dumpable = !set_id && inode_permission(file->inode, MAY_READ) == 0;
    return 0;
}
