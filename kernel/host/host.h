/* kernel/host/host.h: what the host gives besides memory, files and time. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "base/types.h"

/* All n bytes, or -EIO. */
int random_bytes(void *to, size_t n) __must_check;

#endif
