/* kernel/net/unix/unix.h: the face of AF_UNIX: what /proc shows and sets. */
#ifndef UNIX_UNIX_H
#define UNIX_UNIX_H

#include "base/types.h"

extern u32 unix_queue_max; /* /proc/sys/net/unix/max_dgram_qlen; read and written whole */

void unix_start(void); /* registers AF_UNIX */

/* The lines of /proc/net/unix: emit gets one at a time, without lock. */
void unix_show(void (*emit)(void *to, const char *line, size_t len), void *to);

#endif
