/*
 * tests/sequences/kernel/layers.c: for layers.c, which includes no header of the kernel: an overlay over any file
 * system. It is compiled as the kernel is, and called on a script's thread as a handler would be.
 */
#include "base/errno.h"
#include "fs/overlay/overlay.h"
#include "vfs/vfs.h"

int layers_mount(const char *lower, const char *target);

int layers_mount(const char *lower, const char *target)
{
    AUTO_PATH from = {0}, where = {0};
    struct super *super = NULL;
    struct mount *mount;
    int err = path_lookup(AT_FDCWD, lower, LOOKUP_FOLLOW, &from);

    if (!err)
        err = path_lookup(AT_FDCWD, target, LOOKUP_FOLLOW, &where);
    if (!err)
        err = overlay_super_create(from.mount->super, "", &super);
    if (err)
        return err;
    mount = mount_of_super(super, "overlay", 0);
    super_deactivate(super);
    return mount ? mount_attach(mount, &where) : -ENOMEM;
}
