/* kernel/net/hostsock/state.c: what is known of a host socket's readiness, see internal.h. */
#include "net/hostsock/internal.h"

#define SEEN_MASK  0xffffULL
#define SURE_SHIFT 16
#define SURE_MASK  (0xffffULL << SURE_SHIFT)
#define NEWS_SHIFT 32
#define ONE_NEWS   (1ULL << NEWS_SHIFT)

u64 hostsock_state(const struct hostsock *hs)
{
    return __atomic_load_n(&hs->state, __ATOMIC_ACQUIRE);
}

void hostsock_spent(struct hostsock *hs, u64 state, u32 not_any_more, u32 unsure)
{
    u64 now = hostsock_state(hs), next;

    do {
        if ((now >> NEWS_SHIFT) != (state >> NEWS_SHIFT))
            return; /* something came meanwhile: what was found may be over */
        next = now & ~(u64)not_any_more & ~((u64)(not_any_more | unsure) << SURE_SHIFT);
    } while (!__atomic_compare_exchange_n(&hs->state, &now, next, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
}

void hostsock_news(struct host_watch *watch, u32 events)
{
    struct hostsock *hs = container_of(watch, struct hostsock, watch);
    u64 now = hostsock_state(hs), bits = events & SEEN_MASK;
    struct socket *sock;

    while (!__atomic_compare_exchange_n(&hs->state, &now,
                                        (now + ONE_NEWS) | bits | bits << SURE_SHIFT, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
    sock = __atomic_load_n(&hs->sock, __ATOMIC_SEQ_CST);
    if (sock)
        outside_ready(sock, events);
}

u32 hostsock_holds(struct hostsock *hs, u32 events)
{
    u64 state = hostsock_state(hs);
    u32 seen = (u32)(state & SEEN_MASK) & events;
    u32 sure = (u32)((state & SURE_MASK) >> SURE_SHIFT) & events;
    u32 holds;

    if (seen == sure)
        return sure;
    holds = host_poll(hs->file, events) & events;
    hostsock_spent(hs, state, seen & ~holds, 0);
    return holds;
}
