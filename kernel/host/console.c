/* kernel/host/console.c: see console.h. */
#include "host/console.h"

#include "host/border.h"
#include "sync/sync.h"

#include <asm/ioctls.h>
#include <myst/target.h>

/* read(2) and write(2), less what cannot happen to a descriptor that is open. */
static const u8 io_errors[] = {EAGAIN, EBADF,  EFAULT, EFBIG, EINTR, EINVAL,     EIO, EISDIR,
                               ENOSPC, EDQUOT, EPERM,  EPIPE, ENXIO, ECONNRESET, 0};
static const u8 seek_errors[] = {ESPIPE, EINVAL, EOVERFLOW, ENXIO, 0};
static const u8 ioctl_errors[] = {ENOTTY, EINVAL, EINTR, EPERM, EFAULT, EIO, 0};

static ssize_t console_read(int console, void *p, size_t n)
{
    sync_assert_unlocked("reading the console");
    return BORDER_COUNT(console_read_count, console_read_errno, target_console_read(console, p, n),
                        n, io_errors);
}

ssize_t host_console_read(int console, void *p, size_t n)
{
    BORDER_CLEAR(console_read_cleared, p, n);
    return console_read(console, p, n);
}

ssize_t host_console_read_user(int console, void *p, size_t n)
{
    return console_read(console, p, n);
}

ssize_t host_console_write(int console, const void *p, size_t n)
{
    sync_assert_unlocked("writing the console");
    return BORDER_COUNT(console_write_count, console_write_errno,
                        target_console_write(console, p, n), n, io_errors);
}

loff_t host_console_seek(int console, loff_t offset, int whence)
{
    s64 pos = target_console_seek(console, offset, whence);

    return pos >= 0 ? pos : BORDER_ERRNO(console_seek_errno, pos, seek_errors);
}

static bool request_answers(unsigned int request)
{
    return request == TCGETS || request == TIOCGWINSZ || request == FIONREAD || request == TIOCOUTQ;
}

int host_console_ioctl(int console, unsigned int request, void *arg, size_t size)
{
    int err, *number = arg;

    sync_assert_unlocked("asking the console"); /* TCSETSW waits for its output */
    if (request_answers(request))
        BORDER_CLEAR(console_ioctl_cleared, arg, size);
    err = target_console_ioctl(console, request, arg, size);
    if (err < 0)
        return BORDER_ERRNO(console_ioctl_errno, err, ioctl_errors);
    if ((request == FIONREAD || request == TIOCOUTQ) && !BORDER(console_ioctl_number, *number >= 0))
        *number = 0;
    return 0;
}
