/* kernel/ipc/packets.c: see packets.h. */
#include "ipc/packets.h"

#include "base/errno.h"
#include "mm/alloc.h"

int packets_prepare(struct packets *packets)
{
    struct packet *ring, *none = NULL;

    if (__atomic_load_n(&packets->ring, __ATOMIC_ACQUIRE))
        return 0;
    ring = kzalloc(PACKETS_MAX * sizeof(*ring));
    if (!ring)
        return -ENOMEM;
    if (!__atomic_compare_exchange_n(&packets->ring, &none, ring, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        kfree(ring); /* another writer was first */
    return 0;
}

void packets_release(struct packets *packets)
{
    kfree(packets->ring);
}

static struct packet *packet_at(const struct packets *packets, u32 i)
{
    return &packets->ring[(packets->first + i) % PACKETS_MAX];
}

void packets_add(struct packets *packets, u64 start, u64 end)
{
    *packet_at(packets, packets->count++) = (struct packet){start, end};
}

u32 packets_limit(const struct packets *packets, u64 tail, u32 n)
{
    const struct packet *next = packets->count ? packet_at(packets, 0) : NULL;
    u64 border = !next ? tail + n : tail < next->start ? next->start : next->end;

    return (u32)MIN((u64)n, border - tail);
}

u64 packets_pass(struct packets *packets, u64 tail, u32 n, bool keep)
{
    struct packet *next = packets->count ? packet_at(packets, 0) : NULL;

    if (!next || tail < next->start)
        return tail + n;
    if (keep && tail + n < next->end)
        return next->start = tail + n;
    packets->first = (packets->first + 1) % PACKETS_MAX;
    packets->count--;
    return next->end;
}

void packets_rebase(struct packets *packets, u64 by)
{
    for (u32 i = 0; i < packets->count; i++) {
        packet_at(packets, i)->start -= by;
        packet_at(packets, i)->end -= by;
    }
}
