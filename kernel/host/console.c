/* kernel/host/console.c: the console calls of the target, and the check of what it answers. */
#include "host/console.h"

#include <myst/target.h>

#define ERRNO_LAST 133 /* EHWPOISON, the largest that a program may see */

static ssize_t check_count(s64 reply, size_t asked)
{
    if (reply < -ERRNO_LAST || (reply > 0 && (u64)reply > asked))
        return -EIO;
    return reply;
}

ssize_t host_console_read(int console, void *to, size_t n)
{
    return check_count(target_console_read(console, to, n), n);
}

ssize_t host_console_write(int console, const void *from, size_t n)
{
    return check_count(target_console_write(console, from, n), n);
}
