/* kernel/host/console.c: see console.h. */
#include "host/console.h"

#include "sync/sync.h"

#include <myst/target.h>

/* read(2) and write(2), less what cannot happen to a descriptor that is open. */
static bool io_errno(s64 err)
{
    switch (-err) {
    case EAGAIN:
    case EBADF:
    case EFAULT:
    case EFBIG:
    case EINTR:
    case EINVAL:
    case EIO:
    case EISDIR:
    case ENOSPC:
    case EDQUOT:
    case EPERM:
    case EPIPE:
    case ECONNRESET:
    case ENXIO:
        return true;
    default:
        return false;
    }
}

static ssize_t io_result(s64 n, size_t asked)
{
    if (n < 0)
        return io_errno(n) ? (ssize_t)n : -EIO;
    return (u64)n <= asked ? (ssize_t)n : -EIO;
}

ssize_t host_console_read(int console, void *p, size_t n)
{
    sync_assert_unlocked("reading the console");
    return io_result(target_console_read(console, p, n), n);
}

ssize_t host_console_write(int console, const void *p, size_t n)
{
    sync_assert_unlocked("writing the console");
    return io_result(target_console_write(console, p, n), n);
}

loff_t host_console_seek(int console, loff_t offset, int whence)
{
    s64 pos = target_console_seek(console, offset, whence);

    if (pos >= 0)
        return pos;
    return pos == -ESPIPE || pos == -EINVAL || pos == -EOVERFLOW || pos == -ENXIO ? pos : -EIO;
}

int host_console_ioctl(int console, unsigned int request, void *arg, size_t size)
{
    int err;

    sync_assert_unlocked("asking the console"); /* TCSETSW waits for its output */
    err = target_console_ioctl(console, request, arg, size);
    if (err >= 0)
        return 0;
    return err == -ENOTTY || err == -EINVAL || err == -EINTR || err == -EPERM || err == -EFAULT
               ? err
               : -EIO;
}
