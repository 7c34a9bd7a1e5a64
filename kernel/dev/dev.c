/* kernel/dev/dev.c: start-up of the room, and what stands in /dev. */
#include "dev/dev.h"

#include "dev/internal.h"
#include "vfs/vfs.h"

int dev_start(const struct boot_info *boot)
{
    int err = mem_start();

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

int dev_populate(void)
{
    int err = mem_populate();

    if (!err)
        err = console_populate();
    for (size_t i = 0; i < ARRAY_SIZE(links) && !err; i++)
        err = vfs_symlink(links[i].target, links[i].name);
    return err;
}
