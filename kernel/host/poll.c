/* kernel/host/poll.c: see poll.h. */
#include "host/poll.h"

#include "sync/sync.h"

#include <asm/poll.h>
#include <myst/target.h>

static_assert(sizeof(struct host_pollfd) == sizeof(struct target_pollfd) &&
                  offsetof(struct host_pollfd, revents) == offsetof(struct target_pollfd, revents),
              "one shape");

int host_poll(struct host_pollfd *fds, size_t n, ktime deadline)
{
    int ready, told = 0;

    sync_assert_unlocked("waiting for the host");
    ready = target_poll((struct target_pollfd *)fds, n, deadline);
    if (ready < 0 && ready != -EINTR)
        ready = -EIO;
    for (size_t i = 0; i < n; i++) {
        fds[i].revents =
            ready > 0 ? (s16)(fds[i].revents & (fds[i].events | POLLERR | POLLHUP | POLLNVAL)) : 0;
        told += fds[i].revents != 0;
    }
    return ready < 0 ? ready : told;
}
