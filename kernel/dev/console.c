/* kernel/dev/console.c: the standard descriptors that the instance was started with, as files. */
#include "dev/console.h"

#include "host/console.h"
#include "mm/alloc.h"
#include "vfs/file.h"
#include "vfs/files.h"

#include <myst/boot.h>

#define CONSOLES 3
#define BUFFER   4096 /* bytes at a time between the program and the host */

static int console_number(struct file *file)
{
    return (int)(uintptr_t)file->private;
}

static ssize_t console_read(struct file *file, struct iter *to, loff_t *pos)
{
    size_t asked = MIN(iter_left(to), (size_t)BUFFER);
    char *buffer = kmalloc(BUFFER);
    ssize_t n;

    (void)pos;
    if (!buffer)
        return -ENOMEM;
    n = host_console_read(console_number(file), buffer, asked);
    if (n > 0)
        n = copy_to_iter(to, buffer, (size_t)n);
    kfree(buffer);
    return n == -EINTR ? -ERESTARTSYS : n;
}

static ssize_t console_write(struct file *file, struct iter *from, loff_t *pos)
{
    char *buffer = kmalloc(BUFFER);
    ssize_t done = 0, n = 0;

    (void)pos;
    if (!buffer)
        return -ENOMEM;
    while (iter_left(from) > 0) {
        ssize_t taken = copy_from_iter(from, buffer, MIN(iter_left(from), (size_t)BUFFER));

        n = taken;
        for (ssize_t at = 0; at < taken && n >= 0; at += n > 0 ? n : 0) {
            n = host_console_write(console_number(file), buffer + at, (size_t)(taken - at));
            done += n > 0 ? n : 0;
        }
        if (n < 0)
            break;
    }
    kfree(buffer);
    if (done > 0)
        return done;
    return n == -EINTR ? -ERESTARTSYS : n;
}

static const struct file_ops console_ops = {
    .name = "console",
    .read = console_read,
    .write = console_write,
};

static int console_open(const struct boot_info *boot, int console)
{
    int flags = (int)boot->console_access[console];
    struct inode *inode = inode_create_anon(boot->console_mode[console], &console_ops);
    struct file *file;

    if (!inode)
        return -ENOMEM;
    file = file_create_anon(&console_ops, inode, flags, (void *)(uintptr_t)console);
    if (IS_ERR(file))
        return (int)PTR_ERR(file);

    int fd = fd_reserve(console, false);

    if (fd != console) {
        file_put(file);
        return fd < 0 ? fd : -EBUSY;
    }
    fd_install(fd, file);
    return 0;
}

int console_start(const struct boot_info *boot)
{
    int err = 0;

    for (int console = 0; console < CONSOLES && !err; console++) {
        if (!(boot->console_closed & BIT(console)))
            err = console_open(boot, console);
    }
    return err;
}
