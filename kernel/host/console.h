/* kernel/host/console.h: the three descriptors that the instance was started with. */
#ifndef HOST_CONSOLE_H
#define HOST_CONSOLE_H

#include "base/errno.h"
#include "base/types.h"

struct kstat;

/*
 * Bytes, or an errno. They block in the host until the thread is kicked (-EINTR). No lock may be held. Reading is
 * into kernel memory, which is all zero behind what was read, or the program's; writing is from either. A bad
 * address of the program is -EFAULT.
 */
ssize_t host_console_read(int console, void *p, size_t n);
ssize_t host_console_read_user(int console, void *p, size_t n);
ssize_t host_console_write(int console, const void *p, size_t n);
loff_t host_console_seek(int console, loff_t offset, int whence);

/* A terminal's ioctls, on a kernel buffer of `size` bytes, which must be what the request takes. Numbers that
 * come back are not negative. */
int host_console_ioctl(int console, unsigned int request, void *arg, size_t size);

#endif
