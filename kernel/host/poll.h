/* kernel/host/poll.h: waiting for host descriptors. */
#ifndef HOST_POLL_H
#define HOST_POLL_H

#include "base/errno.h"
#include "base/types.h"

struct host_pollfd {
    s32 file;
    s16 events;  /* poll(2)'s bits */
    s16 revents; /* only bits of events, and ERR, HUP, NVAL */
};

/* Number of ready ones; 0 at the deadline (monotonic; 0: just ask); -EINTR after a kick or a wake-up of the thread. */
int host_poll(struct host_pollfd *fds, size_t n, ktime deadline);

#endif
