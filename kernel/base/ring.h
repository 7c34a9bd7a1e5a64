/*
 * kernel/base/ring.h: a byte queue over a buffer whose size is a power of two. The lock is the
 * caller's.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include "base/string.h"
#include "base/types.h"

struct ring {
    u8 *buf;
    size_t size;
    size_t head; /* bytes ever put in; the index is that modulo size */
    size_t tail; /* bytes ever taken out */
};

static inline void ring_init(struct ring *ring, void *buf, size_t size)
{
    *ring = (struct ring){.buf = buf, .size = size};
}

static inline size_t ring_used(const struct ring *ring)
{
    return ring->head - ring->tail;
}

static inline size_t ring_free(const struct ring *ring)
{
    return ring->size - ring_used(ring);
}

static inline void ring_clear(struct ring *ring)
{
    ring->tail = ring->head;
}

/*
 * The free or the used bytes that lie in one piece from where the next go in or come out, for
 * copies that do not start from kernel memory. ring_produce and ring_consume say how many of them
 * were filled or used up; there may be more behind the buffer's end.
 */
static inline size_t ring_free_span(struct ring *ring, u8 **at)
{
    size_t index = ring->head & (ring->size - 1);

    *at = ring->buf + index;
    return MIN(ring_free(ring), ring->size - index);
}

static inline size_t ring_used_span(struct ring *ring, u8 **at)
{
    size_t index = ring->tail & (ring->size - 1);

    *at = ring->buf + index;
    return MIN(ring_used(ring), ring->size - index);
}

static inline void ring_produce(struct ring *ring, size_t len)
{
    ring->head += len;
}

static inline void ring_consume(struct ring *ring, size_t len)
{
    ring->tail += len;
}

/* As many bytes as there is room for; the count. */
static inline size_t ring_put(struct ring *ring, const void *data, size_t len)
{
    const u8 *from = data;
    size_t done = 0, n;
    u8 *at;

    while (done < len && (n = ring_free_span(ring, &at)) > 0) {
        n = MIN(n, len - done);
        memcpy(at, from + done, n);
        ring_produce(ring, n);
        done += n;
    }
    return done;
}

/* Copies up to len bytes from offset bytes behind the oldest on, and leaves them there. */
static inline size_t ring_peek(const struct ring *ring, size_t offset, void *data, size_t len)
{
    if (offset >= ring_used(ring))
        return 0;

    size_t index = (ring->tail + offset) & (ring->size - 1);
    size_t total = MIN(len, ring_used(ring) - offset);
    size_t first = MIN(total, ring->size - index);
    memcpy(data, ring->buf + index, first);
    memcpy((u8 *)data + first, ring->buf, total - first);
    return total;
}

/* As many bytes as there are; the count. */
static inline size_t ring_get(struct ring *ring, void *data, size_t len)
{
    size_t n = ring_peek(ring, 0, data, len);

    ring_consume(ring, n);
    return n;
}

/* Moves the content to another buffer, of at least ring_used bytes. The old one is the caller's. */
static inline void ring_move(struct ring *ring, void *buf, size_t size)
{
    size_t used = ring_peek(ring, 0, buf, ring_used(ring));

    *ring = (struct ring){.buf = buf, .size = size, .head = used};
}

#endif
