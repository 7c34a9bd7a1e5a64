/* kernel/host/console.h: the descriptors 0 to 2 that the instance was started with. */
#ifndef HOST_CONSOLE_H
#define HOST_CONSOLE_H

#include "base/errno.h"
#include "base/types.h"

/*
 * These may block in the host; no lock may be held. Bytes, at most n; -EINTR after a kick. Any other
 * error of the host's read(2) and write(2).
 */
ssize_t host_console_read(int console, void *to, size_t n);
ssize_t host_console_write(int console, const void *from, size_t n);

#endif
