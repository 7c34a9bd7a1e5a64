/* Readiness of host descriptors: an epoll instance that all host processes share. */
#include "faults.h"
#include "linux.h"

#include <asm/errno.h>
#include <linux/eventpoll.h>
#include <linux/poll.h>

#define EVENTS (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET)

/* poll(2)'s bits are epoll's. */
_Static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLPRI == EPOLLPRI &&
                   POLLERR == EPOLLERR && POLLHUP == EPOLLHUP,
               "one set of bits");

int target_poll(int file, int events)
{
    struct pollfd fd = {.fd = file, .events = (short)events};
    struct {
        int64_t sec, nsec;
    } now = {0};
    long n = HOST5(__NR_ppoll, &fd, 1, &now, NULL, 8);

    return n < 0 ? (int)n : n == 0 ? 0 : (uint16_t)fd.revents;
}

int target_ready_add(int file, uint64_t cookie)
{
    struct epoll_event event = {.events = EVENTS, .data = cookie};

    FAULT(ENOMEM, ENOSPC);
    return (int)HOST4(__NR_epoll_ctl, shared.ready_file, EPOLL_CTL_ADD, file, &event);
}

void target_ready_remove(int file)
{
    struct epoll_event event = {0};

    HOST4(__NR_epoll_ctl, shared.ready_file, EPOLL_CTL_DEL, file, &event);
}

/* Hosts without epoll_pwait2 count in milliseconds: rounded up, so that nobody wakes too early. */
static long wait_coarsely(struct epoll_event *events, uint32_t n, bool forever, int64_t left)
{
    int64_t ms = forever ? -1 : left / 1000000 + (left % 1000000 != 0);

    return HOST_BLOCKING5(thread_self(), __NR_epoll_pwait, shared.ready_file, events, n,
                          ms > INT32_MAX ? INT32_MAX : ms, NULL);
}

int target_ready_wait(struct target_ready *out, uint32_t n, int64_t deadline)
{
    struct epoll_event events[TARGET_READY_MAX];
    bool forever = deadline == TARGET_FOREVER;
    int64_t left = 0;
    struct {
        int64_t sec, nsec;
    } timeout;
    long got;

    FAULT(EINTR);
    if (!forever && deadline != 0)
        left = deadline - target_clock_read(TARGET_CLOCK_MONOTONIC);
    if (!forever && left <= 0) {
        got = HOST6(__NR_epoll_pwait, shared.ready_file, events, n, 0, NULL, 0);
    } else {
        timeout.sec = left / 1000000000;
        timeout.nsec = left % 1000000000;
        got = HOST_BLOCKING5(thread_self(), __NR_epoll_pwait2, shared.ready_file, events, n,
                             forever ? NULL : &timeout, NULL);
        if (got == -ENOSYS || got == -EPERM)
            got = wait_coarsely(events, n, forever, left);
    }
    for (long i = 0; i < got; i++)
        out[i] = (struct target_ready){.cookie = events[i].data, .events = events[i].events};
    return (int)got;
}
