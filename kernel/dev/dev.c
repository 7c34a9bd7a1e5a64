/* kernel/dev/dev.c: start-up of the room, and what stands in /dev. */
#include "dev/dev.h"

#include "dev/internal.h"
#include "dev/tty.h"
#include "self/self.h"
#include "task/task.h"
#include "vfs/vfs.h"

/* devtmpfs is a tmpfs by another name; dev_populate() fills the one at /dev. */
static int devtmpfs_mount(const struct fs_type *type, const char *source, const char *options,
                          struct super **out)
{
    const struct fs_type *tmpfs = fs_type_find("tmpfs");

    return tmpfs ? tmpfs->mount(type, source, options, out) : -ENODEV;
}

static struct fs_type devtmpfs_type = {
    .name = "devtmpfs", .mount = devtmpfs_mount, .flags = FS_NODEV};

int dev_start(const struct boot_info *boot)
{
    int err = fs_type_register(&devtmpfs_type);

    task_hooks.session_ends = tty_session_ends;

    if (!err)
        err = mem_start();
    if (!err)
        err = pty_start();
    return err ? err : console_start(boot);
}

static const struct {
    const char *name, *target;
} links[] = {
    {"/dev/fd", "/proc/self/fd"},
    {"/dev/stdin", "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"},
    {"/dev/stderr", "/proc/self/fd/2"},
};

/* Nodes have the modes that they are made with, whatever umask the program is to have. */
int dev_populate(void)
{
    umode umask = self()->fs->umask;
    int err;

    self()->fs->umask = 0;
    err = mem_populate();
    if (!err)
        err = console_populate();
    if (!err)
        err = pty_populate();
    for (size_t i = 0; i < ARRAY_SIZE(links) && !err; i++)
        err = vfs_symlink(links[i].target, links[i].name);
    self()->fs->umask = umask;
    return err;
}
